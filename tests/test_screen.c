/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The real program in a real pseudo-terminal: keys in, and what a terminal (libvterm) then shows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
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
#include <vterm.h>

#include "base/mem.h"
#include "base/rng.h"
#include "base/str.h"
#include "base/utf8.h"

static struct {
	int fd, rows, columns, status;
	pid_t pid;
	VTerm *vt;
	VTermScreen *screen;
	char home[32];
	bool alternate;
	int mouse;
} t;

static int on_property(VTermProp p, VTermValue *v, void *arg)
{
	(void)arg;
	if (p == VTERM_PROP_ALTSCREEN)
		t.alternate = v->boolean;
	if (p == VTERM_PROP_MOUSE)
		t.mouse = v->number;
	return 1;
}

static const VTermScreenCallbacks callbacks = { .settermprop = on_property };

static int64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void terminal(int rows, int columns)
{
	t.rows = rows;
	t.columns = columns;
	t.vt = vterm_new(rows, columns);
	vterm_set_utf8(t.vt, 1);
	t.screen = vterm_obtain_screen(t.vt);
	vterm_screen_set_callbacks(t.screen, &callbacks, NULL);
	vterm_screen_enable_altscreen(t.screen, 1);
	vterm_screen_reset(t.screen, 1);
}

static void start(int rows, int columns, const char *term, const char *args)
{
	const struct winsize ws = { .ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns };
	const char *program = getenv("ANSWERBACK") ? getenv("ANSWERBACK") : "./answerback";
	char cmd[600];

	terminal(rows, columns);
	t.alternate = false;
	snprintf(cmd, sizeof(cmd), "exec %s chat --data-dir %s/data %s", program, t.home, args);
	t.pid = forkpty(&t.fd, NULL, NULL, &ws);
	if (t.pid == 0) {
		setenv("TERM", term, 1);
		setenv("HOME", t.home, 1);
		unsetenv("LANG");
		unsetenv("LC_ALL");
		unsetenv("INPUTRC");
		unsetenv("ANSWERBACK_PRIVATE");
		unsetenv("ANSWERBACK_CONFIG");
		unsetenv("XDG_CONFIG_HOME");
		execl("/bin/sh", "sh", "-c", cmd, (char *)NULL);
		_exit(127);
	}
	fcntl(t.fd, F_SETFL, O_NONBLOCK);
}

/* Everything the program writes goes to the terminal model. False: it is gone. */
static bool drain(int ms)
{
	const int64_t until = now() + ms;
	char buf[65536];

	for (;;) {
		struct pollfd p = { t.fd, POLLIN, 0 };
		int64_t left = until - now();
		ssize_t n;

		if (poll(&p, 1, left > 0 ? (int)left : 0) <= 0)
			return true;
		n = read(t.fd, buf, sizeof(buf));
		if (n > 0)
			vterm_input_write(t.vt, buf, (size_t)n);
		else if (n == 0 || (errno != EAGAIN && errno != EINTR))
			return false;
		if (left <= 0)
			return true;
	}
}

static void send_bytes(const char *s, size_t n)
{
	while (n > 0) {
		ssize_t w = write(t.fd, s, n);

		if (w > 0) {
			s += w;
			n -= (size_t)w;
		} else {
			drain(5);
		}
	}
}

static void keys(const char *s)
{
	send_bytes(s, strlen(s));
}

static char *row_text(int row)
{
	struct str s = STR_INIT;

	for (int c = 0; c < t.columns; c++) {
		VTermScreenCell cell;
		char utf8[4];

		vterm_screen_get_cell(t.screen, (VTermPos){ row, c }, &cell);
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

static char *all_text(void)
{
	struct str s = STR_INIT;

	for (int r = 0; r < t.rows; r++) {
		char *row = row_text(r);

		str_addf(&s, "%s\n", row);
		free(row);
	}
	return str_detach(&s);
}

static bool shows(const char *what)
{
	char *all = all_text();
	const bool found = strstr(all, what) != NULL;

	free(all);
	return found;
}

static void expect(const char *what)
{
	const int64_t until = now() + 20000;

	while (!shows(what)) {
		if (now() > until || !drain(20)) {
			char *all = all_text();

			print_message("%s", all);
			free(all);
			kill(t.pid, SIGKILL);
			fail_msg("not on the screen: %s", what);
		}
	}
}

static void expect_gone(const char *what)
{
	const int64_t until = now() + 20000;

	while (shows(what)) {
		drain(20);
		if (now() > until)
			fail_msg("still on the screen: %s", what);
	}
}

static int finish(void)
{
	const int64_t until = now() + 20000;
	int status = -1;

	while (now() < until) {
		drain(20);
		if (waitpid(t.pid, &status, WNOHANG) == t.pid)
			break;
	}
	drain(20);
	close(t.fd);
	vterm_free(t.vt);
	t.vt = NULL;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + status;
}

static void quit(void)
{
	keys("\003\003");
	drain(50);
	keys("\004");
	assert_int_equal(finish(), 0);
}

static int fresh(void **state)
{
	(void)state;
	snprintf(t.home, sizeof(t.home), "/tmp/answerback-ui-XXXXXX");
	return mkdtemp(t.home) ? 0 : -1;
}

static int gone(void **state)
{
	char cmd[64];

	(void)state;
	if (t.vt) {
		kill(t.pid, SIGKILL);
		finish();
	}
	snprintf(cmd, sizeof(cmd), "rm -rf %s", t.home);
	return system(cmd) == 0 ? 0 : -1;
}

/* ---- tests ---- */

static void a_chat(void **state)
{
	(void)state;
	start(24, 80, "xterm-256color", "");
	expect("model base");
	assert_true(t.alternate);
	keys("hello there\r");
	expect("answerback ");
	expect("  hello there");
	expect_gone("writing");          /* C-c stops what runs first */
	keys("\003");
	expect("C-d quits");
	quit();
	assert_false(t.alternate);      /* the shell's screen is back */
}

static void every_screen_at_three_sizes(void **state)
{
	static const int sizes[][2] = { { 24, 80 }, { 8, 40 }, { 60, 200 } };
	static const struct {
		const char *key, *shows;
	} screens[] = {
		{ "\030m", "/suggest" }, { "\030h", "send what" }, { "\030b", "history" }, { "\030v", "base" },
		{ "\030s", "company" }, { "\030t", "No run" }, { "\030w", "why this reply?" },
	};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		start(sizes[i][0], sizes[i][1], "xterm-256color", "");
		expect("model base");
		keys("good morning\r");
		expect("model");
		for (size_t k = 0; k < sizeof(screens) / sizeof(screens[0]); k++) {
			keys(screens[k].key);
			expect(screens[k].shows);
			keys("\007");
			expect(" chat");
		}
		quit();
	}
}

static void pasted_text_is_one_edit(void **state)
{
	static const char paste[] = "\033[200~first line\nsecond line\r\nthird\033[201~";

	(void)state;
	start(24, 80, "xterm-256color", "");
	expect("model base");
	keys(paste);
	expect("> first line");
	expect("  second line");
	expect("  third");
	assert_false(shows("you "));      /* never sent by itself */
	keys("\037");                     /* C-_: one edit, taken back at once */
	expect_gone("second line");
	/* cut anywhere, it is the same */
	for (size_t cut = 1; cut < sizeof(paste) - 1; cut += 3) {
		send_bytes(paste, cut);
		drain(15);
		send_bytes(paste + cut, sizeof(paste) - 1 - cut);
		expect("  third");
		assert_true(shows("> first line"));
		keys("\003");
		expect_gone("second line");
	}
	quit();
}

static void a_megabyte_is_pasted(void **state)
{
	struct str s = STR_INIT;

	(void)state;
	start(24, 80, "xterm-256color", "");
	expect("model base");
	str_adds(&s, "\033[200~");
	while (s.len < 1000000)
		str_adds(&s, "some words of a long letter; ");
	str_adds(&s, "THE_END\033[201~");
	send_bytes(s.s, s.len);
	str_free(&s);
	expect("THE_END");
	keys("\037");
	expect_gone("THE_END");
	quit();
}

static void hostile_text_is_shown_harmlessly(void **state)
{
	(void)state;
	start(24, 80, "xterm-256color", "");
	expect("model base");
	keys("\033[200~a\033]0;owned\007b \033[2J\033[31m red \342\200\256txet\314\201\314\201\314\201\314\201\314\201\314\201 \377\376 z\033[201~\r");
	expect("a^[]0;owned^Gb ^[[2J^[[31m red");
	expect("you ");
	assert_true(shows("model base"));       /* nothing was erased */
	quit();
}

static void wide_characters(void **state)
{
	VTermPos at;

	(void)state;
	start(24, 40, "xterm-256color", "");
	expect("model base");
	keys("\346\227\245\346\234\254\350\252\236 \360\237\221\215 e\314\201");
	expect("> \346\227\245\346\234\254\350\252\236 \360\237\221\215 e");
	drain(50);
	vterm_state_get_cursorpos(vterm_obtain_state(t.vt), &at);
	assert_int_equal(at.col, 2 + 6 + 1 + 2 + 1 + 1);
	keys("\177\177\177");                   /* e with its accent, the space, the thumb */
	drain(100);
	keys("x");
	expect("\350\252\236 x");
	quit();
}

static void resized_at_any_moment(void **state)
{
	struct rng r;

	(void)state;
	rng_seed(&r, 9);
	start(24, 80, "xterm-256color", "");
	expect("model base");
	keys("please tell me when my order will be there, i have been waiting for it\r");
	for (int i = 0; i < 60; i++) {
		const int rows = 2 + (int)rng_below(&r, 90), columns = 5 + (int)rng_below(&r, 290);
		const struct winsize ws = { .ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns };

		vterm_set_size(t.vt, rows, columns);
		t.rows = rows;
		t.columns = columns;
		ioctl(t.fd, TIOCSWINSZ, &ws);
		assert_true(drain(4));
	}
	const struct winsize ws = { .ws_row = 24, .ws_col = 80 };

	vterm_set_size(t.vt, 24, 80);
	t.rows = 24;
	t.columns = 80;
	ioctl(t.fd, TIOCSWINSZ, &ws);
	keys("\014");
	expect("please tell me when my order will be there");
	expect("model base");
	quit();
}

static void small_and_plain_terminals(void **state)
{
	static const char *const terms[] = { "vt100", "linux", "screen", "xterm" };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		start(24, 80, terms[i], i == 3 ? "--ascii" : "");
		expect("model base");
		keys("hi\r");
		expect("answerback ");
		quit();
	}
	start(4, 18, "xterm", "");
	expect("too small");
	keys("hi");
	expect("> hi");
	quit();
	start(24, 80, "dumb", "");
	expect("customer>");
	keys("hi\n");
	expect("reply>");
	keys("\004");
	assert_int_equal(finish(), 0);
}

static void drafts_survive(void **state)
{
	static const int how[] = { SIGKILL, SIGTERM, SIGHUP };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		start(24, 80, "xterm", "");
		expect("model base");
		keys("half a sentence");
		expect("> half a sentence");
		drain(how[i] == SIGKILL ? 1400 : 50);      /* a second, and it is on the disk */
		kill(t.pid, how[i]);
		finish();
		start(24, 80, "xterm", "");
		expect("> half a sentence");
		keys("\003");
		expect_gone("> half a sentence");
		drain(1300);
		quit();
	}
}

static void the_agent_takes_a_suggestion(void **state)
{
	(void)state;
	start(40, 100, "xterm-256color", "--assist");
	expect("model base");
	keys("/customer my parcel has not come yet\r");
	expect("suggestions:");
	expect("customer ");
	keys("\0301");
	drain(100);
	keys("\r");
	expect("  suggested");
	expect("copied to the clipboard");
	keys("/customer thanks\r");
	expect("suggestions:");
	keys("\0301 and bye\r");
	expect("  edited");
	keys("refund of {{amount}}\r");
	expect("not filled in");
	quit();
}

static void vi_has_a_way_to_everything(void **state)
{
	char path[64];
	FILE *f;

	(void)state;
	snprintf(path, sizeof(path), "%s/.inputrc", t.home);
	f = fopen(path, "w");
	fputs("set editing-mode vi\n", f);
	fclose(f);
	start(24, 80, "xterm-256color", "");
	expect("model base");
	keys("some words");
	expect("> some words");
	keys("\033");
	expect("cmd");
	keys("bdw");
	expect("> some");
	expect_gone("some words");
	keys(",m");
	expect("/history");
	keys("q");
	expect("> some");
	keys("\003");
	quit();
}

static void history_finds_what_was_said(void **state)
{
	(void)state;
	start(24, 80, "xterm-256color", "");
	expect("model base");
	keys("my zanzibar suitcase is lost\r");
	expect("answerback ");
	quit();
	start(24, 80, "xterm-256color", "");
	expect("model base");
	keys("\030b");
	expect("history");
	keys("zanzi");
	expect("zanzibar suitcase");
	keys("\r");
	expect(" chat case #1");
	expect("answerback ");
	keys("\033[A");                  /* and the line before is in the composer's history */
	expect("> my zanzibar suitcase");
	quit();
}

static void suspended_and_back(void **state)
{
	(void)state;
	start(24, 80, "xterm-256color", "");
	expect("model base");
	keys("kept while away\032");
	drain(300);
	kill(t.pid, SIGCONT);
	expect("> kept while away");
	quit();
}

static void the_wheel_scrolls(void **state)
{
	(void)state;
	start(12, 80, "xterm-256color", "");
	expect("model base");
	keys("/set mouse yes\r");
	expect("mouse = yes");
	keys("/assist\r/customer needle\r");
	expect("suggestions");
	for (int i = 0; i < 6; i++)
		keys("a longer conversation\r");
	expect_gone("needle");
	for (int i = 0; i < 20; i++) {
		keys("\033[<64;10;5M");
		keys("\033[<64;1");       /* cut in the middle */
		drain(10);
		keys("0;5M");
	}
	expect("needle");
	keys("\033[<0;10;5M\033[<0;10;5m");      /* a click is no text */
	keys("\033[<65;10;5Mtyped");
	expect("> typed");
	for (int i = 0; i < 60; i++)
		keys("\033[<65;10;5M");
	expect_gone("needle");
	expect("> typed");
	expect_gone("writing");
	keys("\003/set mouse no\r");
	expect("mouse = no");
	assert_int_equal(t.mouse, VTERM_PROP_MOUSE_NONE);
	keys("/set mouse yes\r");
	expect("mouse = yes");
	assert_int_equal(t.mouse, VTERM_PROP_MOUSE_CLICK);
	keys("\004");
	assert_int_equal(finish(), 0);
	assert_int_equal(t.mouse, VTERM_PROP_MOUSE_NONE);      /* the shell has its terminal back */
}

static void settings_file_is(const char *what)
{
	char path[80], text[1000];
	FILE *f;
	size_t n;

	snprintf(path, sizeof(path), "%s/.config/answerback/config.ini", t.home);
	f = fopen(path, "r");
	assert_non_null(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	fclose(f);
	assert_string_equal(text[0] == '#' ? strchr(text, '\n') + 1 : text, what);
}

static void settings_are_changed_on_the_screen(void **state)
{
	(void)state;
	start(30, 100, "xterm-256color", "--setting keep_models=3");
	expect("model base");
	keys("\030s");
	expect("company          -");
	expect("--setting");
	keys("\r");               /* text: the line is begun for it */
	expect("> /set company");
	keys("The Kettle Shop\r");
	expect("company: kept, and counts from the next start on");
	settings_file_is("company = The Kettle Shop\n");
	keys("/set ghost loud\r");
	expect("it is off, shy, normal or eager, not 'loud'");
	keys("/set gohst off\r");
	expect("ghost is the nearest");
	keys("\030s");
	expect("config.ini:2");
	keys("jjjjjjj\r");        /* assist: yes or no */
	expect("assist = yes");
	expect("assist           yes");
	settings_file_is("company = The Kettle Shop\nassist = yes\n");
	keys("jj\r");             /* ghost: the next of its values */
	expect("ghost = eager");
	keys("\r");
	expect("ghost = off");
	keys("d");
	expect("ghost = normal");
	settings_file_is("company = The Kettle Shop\nassist = yes\n");
	keys("q/set keep_models 5\r");
	expect("kept, but --setting comes first");
	keys("/set enter_sends no\r");
	expect("enter_sends = no");
	expect(" assist ");        /* the role has changed at once */
	keys("one\rtwo");
	expect("> one");
	expect("  two");
	quit();
	start(24, 80, "xterm-256color", "");
	expect("model base");
	expect(" assist ");
	keys("\030s");
	expect("The Kettle Shop");
	quit();
}

static void bad_settings_are_said_before_the_screen(void **state)
{
	char cmd[200];

	(void)state;
	snprintf(cmd, sizeof(cmd), "mkdir -p %s/.config/answerback && echo 'ghost = loud' >%s/.config/answerback/config.ini", t.home, t.home);
	assert_int_equal(system(cmd), 0);
	start(24, 160, "xterm-256color", "");
	while (drain(20000))      /* until it is gone */
		;
	assert_true(shows("config.ini:1: ghost: it is off, shy, normal or eager, not 'loud'"));
	assert_false(t.alternate);
	assert_int_equal(finish(), 1);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, fresh, gone)
	const struct CMUnitTest tests[] = {
		T(a_chat), T(every_screen_at_three_sizes), T(pasted_text_is_one_edit), T(a_megabyte_is_pasted),
		T(hostile_text_is_shown_harmlessly), T(wide_characters), T(resized_at_any_moment), T(small_and_plain_terminals),
		T(drafts_survive), T(the_agent_takes_a_suggestion), T(vi_has_a_way_to_everything), T(history_finds_what_was_said),
		T(suspended_and_back), T(the_wheel_scrolls), T(settings_are_changed_on_the_screen), T(bad_settings_are_said_before_the_screen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
