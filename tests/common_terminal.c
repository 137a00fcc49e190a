/* SPDX-License-Identifier: GPL-3.0-or-later */
/* common_terminal: forkpty and libvterm. */
#include "common_terminal.h"

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

#include "base/str.h"
#include "base/utf8.h"

enum { PATIENCE = 30000 };

struct terminal terminal;

static int on_property(VTermProp p, VTermValue *v, void *arg)
{
	(void)arg;
	if (p == VTERM_PROP_ALTSCREEN)
		terminal.alternate = v->boolean;
	return 1;
}

static const VTermScreenCallbacks callbacks = { .settermprop = on_property };

int64_t terminal_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int terminal_fresh(void **state)
{
	(void)state;
	snprintf(terminal.home, sizeof(terminal.home), "/tmp/answerback-ui-XXXXXX");
	return mkdtemp(terminal.home) ? 0 : -1;
}

int terminal_gone(void **state)
{
	char cmd[64];

	(void)state;
	if (terminal.vt) {
		kill(terminal.pid, SIGKILL);
		terminal_finish();
	}
	snprintf(cmd, sizeof(cmd), "rm -rf %s", terminal.home);
	return system(cmd) == 0 ? 0 : -1;
}

void terminal_start(int rows, int columns, const char *term, const char *before, const char *args)
{
	const struct winsize ws = { .ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns };
	const char *program = getenv("ANSWERBACK") ? getenv("ANSWERBACK") : "./answerback";
	char cmd[1000], full[600];

	terminal.rows = rows;
	terminal.columns = columns;
	terminal.alternate = false;
	terminal.vt = vterm_new(rows, columns);
	vterm_set_utf8(terminal.vt, 1);
	terminal.screen = vterm_obtain_screen(terminal.vt);
	vterm_screen_set_callbacks(terminal.screen, &callbacks, NULL);
	vterm_screen_enable_altscreen(terminal.screen, 1);
	vterm_screen_reset(terminal.screen, 1);
	if (!realpath(program, full))
		fail_msg("no program %s", program);
	snprintf(cmd, sizeof(cmd), "%s exec %s %s", before, full, args);
	terminal.pid = forkpty(&terminal.fd, NULL, NULL, &ws);
	if (terminal.pid == 0) {
		snprintf(full, sizeof(full), "%s/data", terminal.home);
		setenv("ANSWERBACK_DATA_DIR", full, 1);
		setenv("TERM", term, 1);
		setenv("HOME", terminal.home, 1);
		unsetenv("LANG");
		unsetenv("LC_ALL");
		unsetenv("INPUTRC");
		unsetenv("ANSWERBACK_PRIVATE");
		if (chdir(terminal.home) == 0)
			execl("/bin/sh", "sh", "-c", cmd, (char *)NULL);
		_exit(127);
	}
	fcntl(terminal.fd, F_SETFL, O_NONBLOCK);
}

bool terminal_drain(int ms)
{
	const int64_t until = terminal_now() + ms;
	char buf[65536];

	for (;;) {
		struct pollfd p = { terminal.fd, POLLIN, 0 };
		const int64_t left = until - terminal_now();
		ssize_t n;

		if (poll(&p, 1, left > 0 ? (int)left : 0) <= 0)
			return true;
		n = read(terminal.fd, buf, sizeof(buf));
		if (n > 0)
			vterm_input_write(terminal.vt, buf, (size_t)n);
		else if (n == 0 || (errno != EAGAIN && errno != EINTR))
			return false;
		if (left <= 0)
			return true;
	}
}

void terminal_send(const char *s, size_t n)
{
	while (n > 0) {
		const ssize_t w = write(terminal.fd, s, n);

		if (w > 0) {
			s += w;
			n -= (size_t)w;
		} else if (!terminal_drain(5)) {
			return;
		}
	}
}

void terminal_keys(const char *s)
{
	terminal_send(s, strlen(s));
}

void terminal_resize(int rows, int columns)
{
	const struct winsize ws = { .ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns };

	vterm_set_size(terminal.vt, rows, columns);
	terminal.rows = rows;
	terminal.columns = columns;
	ioctl(terminal.fd, TIOCSWINSZ, &ws);
}

char *terminal_row(int row)
{
	struct str s = STR_INIT;

	for (int c = 0; c < terminal.columns; c++) {
		VTermScreenCell cell;
		char utf8[4];

		vterm_screen_get_cell(terminal.screen, (VTermPos){ row, c }, &cell);
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

bool terminal_shows(const char *what)
{
	bool found = false;

	for (int r = 0; r < terminal.rows && !found; r++) {
		char *row = terminal_row(r);

		found = strstr(row, what) != NULL;
		free(row);
	}
	return found;
}

static void give_up(const char *why, const char *what)
{
	int status = 0;

	for (int r = 0; r < terminal.rows; r++) {
		char *row = terminal_row(r);

		print_message("%s\n", row);
		free(row);
	}
	if (waitpid(terminal.pid, &status, WNOHANG) == terminal.pid)
		print_message("the program has ended: exit %d, signal %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : -1,
		              WIFSIGNALED(status) ? WTERMSIG(status) : 0);
	kill(terminal.pid, SIGKILL);
	fail_msg("%s: %s", why, what);
}

void terminal_expect(const char *what)
{
	const int64_t until = terminal_now() + PATIENCE;

	while (!terminal_shows(what))
		if (terminal_now() > until || (!terminal_drain(20) && !terminal_shows(what)))
			give_up("not on the screen", what);
}

void terminal_expect_gone(const char *what)
{
	const int64_t until = terminal_now() + PATIENCE;

	while (terminal_shows(what))
		if (terminal_now() > until || !terminal_drain(20))
			give_up("still on the screen", what);
}

int terminal_finish(void)
{
	const int64_t until = terminal_now() + PATIENCE;
	int status = -1;

	while (terminal_now() < until) {
		terminal_drain(20);
		if (waitpid(terminal.pid, &status, WNOHANG) == terminal.pid)
			break;
	}
	terminal_drain(20);
	close(terminal.fd);
	vterm_free(terminal.vt);
	terminal.vt = NULL;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + status;
}
