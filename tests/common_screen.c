/* SPDX-License-Identifier: GPL-3.0-or-later */
/* common_screen: fork, feed, look. */
#include "common_screen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/utf8.h"

struct screen_state screen = { .raw = STR_INIT };

static struct {
	struct {
		char name[40], text[200];
		const char *value;        /* text, or NULL */
	} v[16];
	size_t n;
} set;

void screen_env(const char *name, const char *value)
{
	assert_true(set.n < 16);
	snprintf(set.v[set.n].name, sizeof(set.v[0].name), "%s", name);
	snprintf(set.v[set.n].text, sizeof(set.v[0].text), "%s", value ? value : "");
	set.v[set.n].value = value ? set.v[set.n].text : NULL;
	set.n++;
}

static int on_property(VTermProp p, VTermValue *v, void *arg)
{
	(void)arg;
	if (p == VTERM_PROP_ALTSCREEN)
		screen.alternate = v->boolean;
	if (p == VTERM_PROP_MOUSE)
		screen.mouse = v->number;
	return 1;
}

static const VTermScreenCallbacks callbacks = { .settermprop = on_property };

int64_t screen_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void terminal(int rows, int columns)
{
	screen.rows = rows;
	screen.columns = columns;
	screen.vt = vterm_new(rows, columns);
	vterm_set_utf8(screen.vt, 1);
	screen.cells = vterm_obtain_screen(screen.vt);
	vterm_screen_set_callbacks(screen.cells, &callbacks, NULL);
	vterm_screen_enable_altscreen(screen.cells, 1);
	vterm_screen_reset(screen.cells, 1);
}

void screen_start(int rows, int columns, const char *term, const char *args)
{
	const struct winsize ws = { .ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns };
	const char *program = getenv("ANSWERBACK") ? getenv("ANSWERBACK") : "./answerback";
	char cmd[600];

	terminal(rows, columns);
	screen.alternate = false;
	str_reset(&screen.raw);
	snprintf(cmd, sizeof(cmd), "exec %s chat --data-dir %s/data %s", program, screen.home, args);
	screen.pid = forkpty(&screen.fd, NULL, NULL, &ws);
	if (screen.pid == 0) {
		setenv("TERM", term, 1);
		setenv("HOME", screen.home, 1);
		unsetenv("LANG");
		unsetenv("LC_ALL");
		unsetenv("INPUTRC");
		unsetenv("ANSWERBACK_PRIVATE");
		unsetenv("ANSWERBACK_CONFIG");
		unsetenv("NO_COLOR");
		unsetenv("TMUX");
		unsetenv("STY");
		unsetenv("XDG_STATE_HOME");
		unsetenv("XDG_CONFIG_HOME");
		setenv("TZ", "UTC0", 1);
		setenv("USER", "tester", 1);
		for (size_t i = 0; i < set.n; i++) {
			if (set.v[i].value)
				setenv(set.v[i].name, set.v[i].value, 1);
			else
				unsetenv(set.v[i].name);
		}
		execl("/bin/sh", "sh", "-c", cmd, (char *)NULL);
		_exit(127);
	}
	fcntl(screen.fd, F_SETFL, O_NONBLOCK);
}

/* Everything the program writes goes to the terminal model. False: it is gone. */
bool screen_drain(int ms)
{
	const int64_t until = screen_now() + ms;
	char buf[65536];

	for (;;) {
		struct pollfd p = { screen.fd, POLLIN, 0 };
		int64_t left = until - screen_now();
		ssize_t n;

		if (poll(&p, 1, left > 0 ? (int)left : 0) <= 0)
			return true;
		n = read(screen.fd, buf, sizeof(buf));
		if (n > 0 && screen.record)
			str_add(&screen.raw, buf, (size_t)n);
		if (n > 0)
			vterm_input_write(screen.vt, buf, (size_t)n);
		else if (n == 0 || (errno != EAGAIN && errno != EINTR))
			return false;
		if (left <= 0)
			return true;
	}
}

void screen_send(const char *s, size_t n)
{
	while (n > 0) {
		ssize_t w = write(screen.fd, s, n);

		if (w > 0) {
			s += w;
			n -= (size_t)w;
		} else {
			screen_drain(5);
		}
	}
}

void screen_keys(const char *s)
{
	screen_send(s, strlen(s));
}

char *screen_row(int row)
{
	struct str s = STR_INIT;

	for (int c = 0; c < screen.columns; c++) {
		VTermScreenCell cell;
		char utf8[4];

		vterm_screen_get_cell(screen.cells, (VTermPos){ row, c }, &cell);
		if (cell.chars[0] == 0)
			str_addc(&s, ' ');
		for (int i = 0; i < VTERM_MAX_CHARS_PER_CELL && cell.chars[i] && cell.chars[i] != (uint32_t)-1; i++)
			str_add(&s, utf8, utf8_encode((int32_t)cell.chars[i], utf8));
		if (cell.width == 2)
			c++;
	}
	while (s.len > 0 && s.s[s.len - 1] == ' ')
		s.s[--s.len] = '\0';
	return str_detach(&s);
}

char *screen_text(void)
{
	struct str s = STR_INIT;

	for (int r = 0; r < screen.rows; r++) {
		char *row = screen_row(r);

		str_addf(&s, "%s\n", row);
		free(row);
	}
	return str_detach(&s);
}

bool screen_shows(const char *what)
{
	char *all = screen_text();
	const bool found = strstr(all, what) != NULL;

	free(all);
	return found;
}

void screen_expect(const char *what)
{
	const int64_t until = screen_now() + 20000;

	while (!screen_shows(what)) {
		if (screen_now() > until || !screen_drain(20)) {
			char *all = screen_text();

			print_message("%s", all);
			free(all);
			kill(screen.pid, SIGKILL);
			fail_msg("not on the screen: %s", what);
		}
	}
}

void screen_expect_gone(const char *what)
{
	const int64_t until = screen_now() + 20000;

	while (screen_shows(what)) {
		screen_drain(20);
		if (screen_now() > until)
			fail_msg("still on the screen: %s", what);
	}
}

int screen_finish(void)
{
	const int64_t until = screen_now() + 20000;
	int status = -1;

	while (screen_now() < until) {
		screen_drain(20);
		if (waitpid(screen.pid, &status, WNOHANG) == screen.pid)
			break;
	}
	screen_drain(20);
	close(screen.fd);
	vterm_free(screen.vt);
	screen.vt = NULL;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + status;
}

void screen_quit(void)
{
	screen_keys("\003\003");
	screen_drain(50);
	screen_keys("\004");
	assert_int_equal(screen_finish(), 0);
}

int screen_fresh(void **state)
{
	(void)state;
	set.n = 0;
	screen.record = false;
	snprintf(screen.home, sizeof(screen.home), "/tmp/answerback-ui-XXXXXX");
	return mkdtemp(screen.home) ? 0 : -1;
}

int screen_gone(void **state)
{
	char cmd[64];

	(void)state;
	if (screen.vt) {
		kill(screen.pid, SIGKILL);
		screen_finish();
	}
	snprintf(cmd, sizeof(cmd), "rm -rf %s", screen.home);
	return system(cmd) == 0 ? 0 : -1;
}

void screen_resize(int rows, int columns)
{
	const struct winsize ws = { .ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns };

	vterm_set_size(screen.vt, rows, columns);
	screen.rows = rows;
	screen.columns = columns;
	ioctl(screen.fd, TIOCSWINSZ, &ws);
}

void screen_settle(int ms)
{
	const int64_t until = screen_now() + 20000;

	while (screen_now() < until) {
		struct pollfd p = { screen.fd, POLLIN, 0 };

		if (poll(&p, 1, ms) <= 0 || !screen_drain(0))
			return;
	}
}

double screen_now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return 1e6 * (double)ts.tv_sec + 1e-3 * (double)ts.tv_nsec;
}

void screen_file(const char *name, const char *text)
{
	char path[200];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", screen.home, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

void screen_command(const char *args, const char *input)
{
	const char *program = getenv("ANSWERBACK") ? getenv("ANSWERBACK") : "./answerback";
	char cmd[1000];
	FILE *p;

	snprintf(cmd, sizeof(cmd), "HOME=%s ANSWERBACK_DATA_DIR=%s/data %s %s >/dev/null 2>%s/errors", screen.home, screen.home, program, args,
	         screen.home);
	p = popen(cmd, "w");
	assert_non_null(p);
	fputs(input ? input : "", p);
	if (pclose(p) != 0)
		fail_msg("failed: %s (see %s/errors)", args, screen.home);
}
