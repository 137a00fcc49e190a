/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The real program in a real pseudo-terminal: keys in, and what a terminal (libvterm) then shows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/rng.h"
#include "base/str.h"
#include "common_screen.h"

/* ---- tests ---- */

static void a_chat(void **state)
{
	(void)state;
	screen_start(24, 80, "xterm-256color", "");
	screen_expect("model base");
	assert_true(screen.alternate);
	screen_keys("hello there\r");
	screen_expect("answerback ");
	screen_expect("  hello there");
	screen_expect_gone("writing");          /* C-c stops what runs first */
	screen_keys("\003");
	screen_expect("C-d quits");
	screen_quit();
	assert_false(screen.alternate);      /* the shell's screen is back */
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
		screen_start(sizes[i][0], sizes[i][1], "xterm-256color", "");
		screen_expect("model base");
		screen_keys("good morning\r");
		screen_expect("model");
		for (size_t k = 0; k < sizeof(screens) / sizeof(screens[0]); k++) {
			screen_keys(screens[k].key);
			screen_expect(screens[k].shows);
			screen_keys("\007");
			screen_expect(" chat");
		}
		screen_quit();
	}
}

static void pasted_text_is_one_edit(void **state)
{
	static const char paste[] = "\033[200~first line\nsecond line\r\nthird\033[201~";

	(void)state;
	screen_start(24, 80, "xterm-256color", "");
	screen_expect("model base");
	screen_keys(paste);
	screen_expect("> first line");
	screen_expect("  second line");
	screen_expect("  third");
	assert_false(screen_shows("you "));      /* never sent by itself */
	screen_keys("\037");                     /* C-_: one edit, taken back at once */
	screen_expect_gone("second line");
	/* cut anywhere, it is the same */
	for (size_t cut = 1; cut < sizeof(paste) - 1; cut++) {
		screen_send(paste, cut);
		screen_drain(15);
		screen_send(paste + cut, sizeof(paste) - 1 - cut);
		screen_expect("  third");
		assert_true(screen_shows("> first line"));
		screen_keys("\003");
		screen_expect_gone("second line");
	}
	screen_quit();
}

static void a_megabyte_is_pasted(void **state)
{
	struct str s = STR_INIT;

	(void)state;
	screen_start(24, 80, "xterm-256color", "");
	screen_expect("model base");
	str_adds(&s, "\033[200~");
	while (s.len < 1000000)
		str_adds(&s, "some words of a long letter; ");
	str_adds(&s, "THE_END\033[201~");
	screen_send(s.s, s.len);
	str_free(&s);
	screen_expect("THE_END");
	screen_keys("\037");
	screen_expect_gone("THE_END");
	screen_quit();
}

static void hostile_text_is_shown_harmlessly(void **state)
{
	(void)state;
	screen_start(24, 80, "xterm-256color", "");
	screen_expect("model base");
	screen_keys("\033[200~a\033]0;owned\007b \033[2J\033[31m red \342\200\256txet\314\201\314\201\314\201\314\201\314\201\314\201 \377\376 z\033[201~\r");
	screen_expect("a^[]0;owned^Gb ^[[2J^[[31m red");
	screen_expect("you ");
	assert_true(screen_shows("model base"));       /* nothing was erased */
	screen_quit();
}

static void wide_characters(void **state)
{
	VTermPos at;

	(void)state;
	screen_start(24, 40, "xterm-256color", "");
	screen_expect("model base");
	screen_keys("\346\227\245\346\234\254\350\252\236 \360\237\221\215 e\314\201");
	screen_expect("> \346\227\245\346\234\254\350\252\236 \360\237\221\215 e");
	screen_drain(50);
	vterm_state_get_cursorpos(vterm_obtain_state(screen.vt), &at);
	assert_int_equal(at.col, 2 + 6 + 1 + 2 + 1 + 1);
	screen_keys("\177\177\177");                   /* e with its accent, the space, the thumb */
	screen_drain(100);
	screen_keys("x");
	screen_expect("\350\252\236 x");
	screen_quit();
}

static void resized_at_any_moment(void **state)
{
	struct rng r;

	(void)state;
	rng_seed(&r, 9);
	screen_start(24, 80, "xterm-256color", "");
	screen_expect("model base");
	screen_keys("please tell me when my order will be there, i have been waiting for it\r");
	for (int i = 0; i < 60; i++) {
		const int rows = 2 + (int)rng_below(&r, 90), columns = 5 + (int)rng_below(&r, 290);
		const struct winsize ws = { .ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns };

		vterm_set_size(screen.vt, rows, columns);
		screen.rows = rows;
		screen.columns = columns;
		ioctl(screen.fd, TIOCSWINSZ, &ws);
		assert_true(screen_drain(4));
	}
	const struct winsize ws = { .ws_row = 24, .ws_col = 80 };

	vterm_set_size(screen.vt, 24, 80);
	screen.rows = 24;
	screen.columns = 80;
	ioctl(screen.fd, TIOCSWINSZ, &ws);
	screen_keys("\014");
	screen_expect("please tell me when my order will be there");
	screen_expect("model base");
	screen_quit();
}

static void small_and_plain_terminals(void **state)
{
	static const char *const terms[] = { "vt100", "linux", "screen", "xterm" };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		screen_start(24, 80, terms[i], i == 3 ? "--ascii" : "");
		screen_expect("model base");
		screen_keys("hi\r");
		screen_expect("answerback ");
		screen_quit();
	}
	screen_start(4, 18, "xterm", "");
	screen_expect("too small");
	screen_keys("hi");
	screen_expect("> hi");
	screen_quit();
	screen_start(24, 80, "dumb", "");
	screen_expect("customer>");
	screen_keys("hi\n");
	screen_expect("reply>");
	screen_keys("\004");
	assert_int_equal(screen_finish(), 0);
}

static void drafts_survive(void **state)
{
	static const int how[] = { SIGKILL, SIGTERM, SIGHUP };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		screen_start(24, 80, "xterm", "");
		screen_expect("model base");
		screen_keys("half a sentence");
		screen_expect("> half a sentence");
		screen_drain(how[i] == SIGKILL ? 1400 : 50);      /* a second, and it is on the disk */
		kill(screen.pid, how[i]);
		screen_finish();
		screen_start(24, 80, "xterm", "");
		screen_expect("> half a sentence");
		screen_keys("\003");
		screen_expect_gone("> half a sentence");
		screen_drain(1300);
		screen_quit();
	}
}

static void the_agent_takes_a_suggestion(void **state)
{
	(void)state;
	screen_start(40, 100, "xterm-256color", "--assist");
	screen_expect("model base");
	screen_keys("/customer my parcel has not come yet\r");
	screen_expect("suggestions:");
	screen_expect("customer ");
	screen_keys("\0301");
	screen_drain(100);
	screen_keys("\r");
	screen_expect("  suggested");
	screen_expect("copied to the clipboard");
	screen_keys("/customer thanks\r");
	screen_expect("suggestions:");
	screen_keys("\0301 and bye\r");
	screen_expect("  edited");
	screen_keys("refund of {{amount}}\r");
	screen_expect("not filled in");
	screen_quit();
}

static void vi_has_a_way_to_everything(void **state)
{
	char path[64];
	FILE *f;

	(void)state;
	snprintf(path, sizeof(path), "%s/.inputrc", screen.home);
	f = fopen(path, "w");
	fputs("set editing-mode vi\n", f);
	fclose(f);
	screen_start(24, 80, "xterm-256color", "");
	screen_expect("model base");
	screen_keys("some words");
	screen_expect("> some words");
	screen_keys("\033");
	screen_expect("cmd");
	screen_keys("bdw");
	screen_expect("> some");
	screen_expect_gone("some words");
	screen_keys(",m");
	screen_expect("/history");
	screen_keys("q");
	screen_expect("> some");
	screen_keys("\003");
	screen_quit();
}

static void history_finds_what_was_said(void **state)
{
	(void)state;
	screen_start(24, 80, "xterm-256color", "");
	screen_expect("model base");
	screen_keys("my zanzibar suitcase is lost\r");
	screen_expect("answerback ");
	screen_quit();
	screen_start(24, 80, "xterm-256color", "");
	screen_expect("model base");
	screen_keys("\030b");
	screen_expect("history");
	screen_keys("zanzi");
	screen_expect("zanzibar suitcase");
	screen_keys("\r");
	screen_expect("goes on here");
	screen_expect("my zanzibar suitcase is lost");
	screen_expect("answerback ");
	screen_keys("\033[A");                  /* and the line before is in the composer's history */
	screen_expect("> my zanzibar suitcase");
	screen_quit();
}

static void suspended_and_back(void **state)
{
	(void)state;
	screen_start(24, 80, "xterm-256color", "");
	screen_expect("model base");
	screen_keys("kept while away\032");
	screen_drain(300);
	kill(screen.pid, SIGCONT);
	screen_expect("> kept while away");
	screen_quit();
}

static void the_wheel_scrolls(void **state)
{
	(void)state;
	screen_start(12, 80, "xterm-256color", "");
	screen_expect("model base");
	screen_keys("/set mouse yes\r");
	screen_expect("mouse = yes");
	screen_keys("/assist\r/customer needle\r");
	screen_expect("suggestions");
	for (int i = 0; i < 6; i++)
		screen_keys("a longer conversation\r");
	screen_expect_gone("needle");
	for (int i = 0; i < 20; i++) {
		screen_keys("\033[<64;10;5M");
		screen_keys("\033[<64;1");       /* cut in the middle */
		screen_drain(10);
		screen_keys("0;5M");
	}
	screen_expect("needle");
	screen_keys("\033[<0;10;5M\033[<0;10;5m");      /* a click is no text */
	screen_keys("\033[<65;10;5Mtyped");
	screen_expect("> typed");
	for (int i = 0; i < 60; i++)
		screen_keys("\033[<65;10;5M");
	screen_expect_gone("needle");
	screen_expect("> typed");
	screen_expect_gone("writing");
	screen_keys("\003/set mouse no\r");
	screen_expect("mouse = no");
	assert_int_equal(screen.mouse, VTERM_PROP_MOUSE_NONE);
	screen_keys("/set mouse yes\r");
	screen_expect("mouse = yes");
	assert_int_equal(screen.mouse, VTERM_PROP_MOUSE_CLICK);
	screen_keys("\004");
	assert_int_equal(screen_finish(), 0);
	assert_int_equal(screen.mouse, VTERM_PROP_MOUSE_NONE);      /* the shell has its terminal back */
}

static void settings_file_is(const char *what)
{
	char path[80], text[1000];
	FILE *f;
	size_t n;

	snprintf(path, sizeof(path), "%s/.config/answerback/config.ini", screen.home);
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
	screen_start(30, 100, "xterm-256color", "--setting keep_models=3");
	screen_expect("model base");
	screen_keys("\030s");
	screen_expect("company          -");
	screen_expect("--setting");
	screen_keys("\r");               /* text: the line is begun for it */
	screen_expect("> /set company");
	screen_keys("The Kettle Shop\r");
	screen_expect("company: kept, and counts from the next start on");
	settings_file_is("company = The Kettle Shop\n");
	screen_keys("/set ghost loud\r");
	screen_expect("it is off, shy, normal or eager, not 'loud'");
	screen_keys("/set gohst off\r");
	screen_expect("ghost is the nearest");
	screen_keys("\030s");
	screen_expect("config.ini:2");
	screen_keys("jjjjjjj\r");        /* assist: yes or no */
	screen_expect("assist = yes");
	screen_expect("assist           yes");
	settings_file_is("company = The Kettle Shop\nassist = yes\n");
	screen_keys("jj\r");             /* ghost: the next of its values */
	screen_expect("ghost = eager");
	screen_keys("\r");
	screen_expect("ghost = off");
	screen_keys("d");
	screen_expect("ghost = normal");
	settings_file_is("company = The Kettle Shop\nassist = yes\n");
	screen_keys("q/set keep_models 5\r");
	screen_expect("kept, but --setting comes first");
	screen_keys("/set enter_sends no\r");
	screen_expect("enter_sends = no");
	screen_expect(" assist ");        /* the role has changed at once */
	screen_keys("one\rtwo");
	screen_expect("> one");
	screen_expect("  two");
	screen_quit();
	screen_start(24, 80, "xterm-256color", "");
	screen_expect("model base");
	screen_expect(" assist ");
	screen_keys("\030s");
	screen_expect("The Kettle Shop");
	screen_quit();
}

static void bad_settings_are_said_before_the_screen(void **state)
{
	char cmd[200];

	(void)state;
	snprintf(cmd, sizeof(cmd), "mkdir -p %s/.config/answerback && echo 'ghost = loud' >%s/.config/answerback/config.ini", screen.home, screen.home);
	assert_int_equal(system(cmd), 0);
	screen_start(24, 160, "xterm-256color", "");
	while (screen_drain(20000))      /* until it is gone */
		;
	assert_true(screen_shows("config.ini:1: ghost: it is off, shy, normal or eager, not 'loud'"));
	assert_false(screen.alternate);
	assert_int_equal(screen_finish(), 1);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, screen_fresh, screen_gone)
	const struct CMUnitTest tests[] = {
		T(a_chat), T(every_screen_at_three_sizes), T(pasted_text_is_one_edit), T(a_megabyte_is_pasted),
		T(hostile_text_is_shown_harmlessly), T(wide_characters), T(resized_at_any_moment), T(small_and_plain_terminals),
		T(drafts_survive), T(the_agent_takes_a_suggestion), T(vi_has_a_way_to_everything), T(history_finds_what_was_said),
		T(suspended_and_back), T(the_wheel_scrolls), T(settings_are_changed_on_the_screen), T(bad_settings_are_said_before_the_screen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
