/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What other programs get wrong in a terminal: pastes, keys, signals, hostile text, poor terminals, idling. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "common_screen.h"
#include "../ui/keys.h"

static void open_chat(const char *args)
{
	screen_start(24, 80, "xterm-256color", args);
	screen_expect("model base");
}

/* ---- pastes ---- */

static void pasted_controls_are_text(void **state)
{
	(void)state;
	open_chat("");
	/* C-c, C-d, C-z, C-x m, Tab, Enter, C-g: none of them may do anything */
	screen_keys("\033[200~one\003two\004three\032four\030mfive\tsix\rseven\007\033[201~");
	screen_expect("> one^Ctwo^Dthree^Zfour^Xmfive");
	screen_expect("  seven^G");
	assert_false(screen_shows("you "));
	screen_keys("\003");
	screen_expect_gone("seven");
	/* the same in two parts, the cut within the marks and beside each control */
	static const char paste[] = "\033[200~a\003b\004c\033[201~";

	for (size_t cut = 1; cut < sizeof(paste) - 1; cut++) {
		screen_send(paste, cut);
		screen_drain(10);
		screen_send(paste + cut, sizeof(paste) - 1 - cut);
		screen_expect("> a^Cb^Dc");
		screen_keys("\003");
		screen_expect_gone("> a^C");
	}
	screen_quit();
}

static void a_paste_on_a_list_is_no_key(void **state)
{
	(void)state;
	open_chat("");
	screen_keys("\030m");
	screen_expect("> /suggest");
	screen_keys("\033[200~qjjj\r\033[201~");
	screen_expect("what is pasted goes to the line");
	assert_true(screen_shows("> /suggest"));
	screen_keys("j");
	screen_expect("> /customer");
	screen_quit();
}

static void a_megabyte_in_pieces(void **state)
{
	struct str s = STR_INIT;

	(void)state;
	open_chat("");
	str_adds(&s, "\033[200~");
	while (s.len < 1000000)
		str_adds(&s, "line of a long letter, with \303\251 and \346\227\245\n");
	str_adds(&s, "THE_END\033[201~");
	for (size_t at = 0, n = 1; at < s.len; at += n) {
		n = 1 + at % 8191;
		n = n < s.len - at ? n : s.len - at;
		screen_send(s.s + at, n);
	}
	screen_expect("THE_END");
	screen_keys("!");
	screen_expect("THE_END!");
	screen_keys("\037\037");      /* the mark, then all of the paste */
	screen_expect_gone("THE_END");
	assert_false(screen_shows("a long letter"));
	str_free(&s);
	screen_quit();
}

/* ---- keys ---- */

/* "\\C-x", "\\e[A", "\\ef", "\\e\\C-m" and plain characters into bytes. */
static void decode(const char *seq, size_t n, char *out)
{
	const char *end = seq + n;

	while (seq < end) {
		if (strncmp(seq, "\\C-", 3) == 0) {
			*out++ = (char)(seq[3] & 0x1f);
			seq += 4;
		} else if (strncmp(seq, "\\e", 2) == 0) {
			*out++ = 27;
			seq += 2;
		} else {
			*out++ = *seq++;
		}
	}
	*out = '\0';
}

/* What is done before, and what the screen then shows (gone: no longer), for each action of the table. */
static const struct {
	const char *before, *shows, *gone;
} effects[ACT_ACTIONS] = {
	[ACT_SEND] = { "/case 77", " chat case 77", "> /case" },
	[ACT_NEWLINE] = { "one", "> one", NULL },
	[ACT_ACCEPT] = { "abc\001", "> a", NULL },
	[ACT_ACCEPT_END] = { "abc\001", "> abc", NULL },
	[ACT_ACCEPT_WORD] = { "abc def\001", "> abc def", NULL },
	[ACT_TAB] = { "/traini", "> /training", NULL },
	[ACT_TAKE_BACK] = { "abc", ">", "> abc" },
	[ACT_DISMISS] = { "", ">", NULL },
	[ACT_ANOTHER] = { "", "grey text is off: M-s", NULL },
	[ACT_GHOST] = { "", "grey text is off", NULL },
	[ACT_CUSTOMER] = { "", "what the customer wrote first", NULL },
	[ACT_SUGGEST] = { "", "nothing to answer yet", NULL },
	[ACT_TAKE1] = { "", "there is no suggestion 1", NULL },
	[ACT_TAKE2] = { "", "there is no suggestion 2", NULL },
	[ACT_TAKE3] = { "", "there is no suggestion 3", NULL },
	[ACT_CANNED] = { "", " canned replies", NULL },
	[ACT_CASES] = { "", " open conversations", NULL },
	[ACT_NEXT] = { "", "no other open conversation", NULL },
	[ACT_PREVIOUS] = { "", "no other open conversation", NULL },
	[ACT_MENU] = { "", " menu ", NULL },
	[ACT_TRAINING] = { "", " training ", NULL },
	[ACT_REVIEW] = { "", " review ", NULL },
	[ACT_HISTORY] = { "", " history ", NULL },
	[ACT_MODELS] = { "", " models ", NULL },
	[ACT_WHY] = { "", " why this reply?", NULL },
	[ACT_SETTINGS] = { "", " settings ", NULL },
	[ACT_DESK] = { "", "(no name yet)", NULL },
	[ACT_HELP] = { "", " keys and commands", NULL },
	[ACT_UP] = { "earlier\003", "> earlier", NULL },
	[ACT_DOWN] = { "earlier\003\020", ">", "> earlier" },
	[ACT_PAGE_UP] = { "", ">", NULL },
	[ACT_PAGE_DOWN] = { "", ">", NULL },
	[ACT_EDITOR] = { "abc", "> abc edited", NULL },
};

static void press(enum key_action a, const char *bytes, const char *leave)
{
	screen_keys("\003\003");
	screen_expect_gone("> a");
	screen_keys("\003\003");
	screen_keys(effects[a].before);
	screen_drain(30);
	screen_keys(bytes);
	screen_expect(effects[a].shows);
	if (effects[a].gone)
		screen_expect_gone(effects[a].gone);
	if (a == ACT_NEWLINE) {
		screen_keys("two");
		screen_expect("  two");
	} else if (a == ACT_ACCEPT || a == ACT_ACCEPT_END || a == ACT_ACCEPT_WORD) {      /* moved, for there is no ghost */
		screen_keys("X");
		screen_expect(a == ACT_ACCEPT ? "> aXbc" : a == ACT_ACCEPT_END ? "> abcX" : "> abcX def");
	}
	screen_keys(leave);
	screen_drain(10);
}

static void every_key(const char *inputrc)
{
	static const struct {
		const char *sequences;
		int letter;
	} keys[ACT_ACTIONS] = {
#define X(name, seq, letter, shown, what) { seq, letter },
		KEYS(X)
#undef X
	};

	if (inputrc)
		screen_file(".inputrc", inputrc);
	screen_file("editor", "#!/bin/sh\nprintf ' edited' >>\"$1\"\n");
	screen_env("EDITOR", NULL);
	screen_env("VISUAL", NULL);

	char editor[100];

	snprintf(editor, sizeof(editor), "sh %s/editor", screen.home);
	screen_env("EDITOR", editor);
	open_chat("");
	screen_keys("\033s");      /* no grey text in the way */
	screen_expect("grey text is off");
	for (int a = 0; a < ACT_ACTIONS; a++) {
		char bytes[32];

		if (!effects[a].shows)
			fail_msg("no effect is known of action %d", a);
		if (a == ACT_GHOST) {
			screen_keys("\033s");
			screen_expect("grey text is on");
		}
		for (const char *s = keys[a].sequences; *s; s += strcspn(s, "|"), s += *s == '|') {
			/* turned on between: each is to turn it off */
			if (a == ACT_GHOST && s != keys[a].sequences)
				screen_keys("\033s");
			decode(s, strcspn(s, "|"), bytes);
			press((enum key_action)a, bytes, "\003\003");
		}
		if (keys[a].letter) {
			snprintf(bytes, sizeof(bytes), "\030%c", keys[a].letter);
			press((enum key_action)a, bytes, a == ACT_DESK ? "\030" : "\003\003");
			if (a == ACT_DESK)
				screen_expect_gone("(no name yet)");
		}
	}
	screen_quit();
}

static void every_key_of_the_table(void **state)
{
	(void)state;
	every_key(NULL);
}

/* In vi's command mode a comma leads where C-x does. */
static void every_letter_in_vi(void **state)
{
	static const int letters[ACT_ACTIONS] = {
#define X(name, seq, letter, shown, what) letter,
		KEYS(X)
#undef X
	};

	(void)state;
	screen_file(".inputrc", "set editing-mode vi\n");
	open_chat("");
	for (int a = 0; a < ACT_ACTIONS; a++) {
		char keys[8];

		if (!letters[a] || a == ACT_EDITOR)
			continue;
		screen_keys("\003\003");
		screen_drain(10);
		screen_keys("\033");
		screen_expect("cmd");
		snprintf(keys, sizeof(keys), ",%c", letters[a]);
		screen_keys(keys);
		screen_expect(effects[a].shows);
		if (a == ACT_DESK) {
			screen_keys("\030");
			screen_expect_gone("(no name yet)");
		}
		screen_keys("\003\003i");
		screen_expect("ins");
		screen_keys("\003");
	}
	screen_quit();
}

/* Arrows in parts, as a slow line brings them, are no Escape and no letters. */
static void sequences_in_parts(void **state)
{
	(void)state;
	open_chat("");
	screen_keys("\030m");
	screen_expect("> /suggest");
	screen_keys("\033");
	screen_drain(15);
	screen_keys("[");
	screen_drain(15);
	screen_keys("B");
	screen_expect("> /customer");
	screen_keys("\033[1;5P\033OP");      /* some function keys: nothing */
	screen_drain(100);
	assert_true(screen_shows("> /customer"));
	screen_keys("\033");              /* alone: back */
	screen_expect(" chat");
	screen_quit();
}

/* ---- the end, and what is left ---- */

static bool line_mode(void)
{
	struct termios m;

	return tcgetattr(screen.fd, &m) == 0 && (m.c_lflag & (ICANON | ECHO | ISIG)) == (ICANON | ECHO | ISIG);
}

static void signals_leave_a_sane_terminal(void **state)
{
	static const int how[] = { SIGTERM, SIGHUP, SIGSEGV, SIGABRT };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		open_chat("");
		screen_keys("still here");
		screen_expect("> still here");
		assert_false(line_mode());
		screen_drain(how[i] == SIGSEGV || how[i] == SIGABRT ? 1300 : 50);
		/* the master side must stay readable: look before it is closed */
		kill(screen.pid, how[i]);
		for (int k = 0; k < 200 && !line_mode() && screen_drain(20); k++)
			;
		assert_true(line_mode());
		screen_drain(50);
		assert_false(screen.alternate);
		screen_finish();
		open_chat("");
		screen_expect("> still here");
		screen_keys("\003");
		screen_expect_gone("> still here");
		screen_drain(1200);
		screen_quit();
	}
}

static void drafts_of_several_conversations(void **state)
{
	(void)state;
	open_chat("--assist");
	screen_keys("/case A-1\r");
	screen_expect("case A-1");
	screen_keys("half of the first");
	screen_drain(50);
	screen_keys("\001\013\031");      /* away and back again: the line is as it was */
	screen_keys("\030l");
	screen_expect("draft");
	screen_keys("q");
	screen_keys("\025/new\r/case B-2\r");      /* C-u: that draft goes */
	screen_expect("case B-2");
	screen_keys("half of the second\030p");
	screen_expect("case A-1");
	screen_keys("half of the first");
	screen_expect("> half of the first");
	screen_drain(1300);
	kill(screen.pid, SIGKILL);
	screen_finish();
	open_chat("--assist");
	screen_expect("2 drafts of last time");
	screen_expect("case A-1");
	screen_expect("> half of the first");
	screen_keys("\030n");
	screen_expect("case B-2");
	screen_expect("> half of the second");
	screen_quit();
}

/* ---- hostile text ---- */

static void hostile_inbox(void **state)
{
	char args[200], cmd[600];
	struct str s = STR_INIT;

	(void)state;
	screen_file("in", "");
	snprintf(args, sizeof(args), "--assist --inbox %s/in", screen.home);
	open_chat(args);
	/* a name and a case that would rename the window, erase it, and turn it around */
	snprintf(cmd, sizeof(cmd), "printf '%%s\\n' '{\"text\": \"\\u001b[2J\\u001b]0;x\\u0007hello \\u202egnp.exe\", "
	         "\"customer\": \"E\\u001b[31mve\\u202e\", \"case\": \"\\u009b2J7\"}' >>%s/in", screen.home);
	assert_int_equal(system(cmd), 0);
	screen_expect("^[[2J^[]0;x^Ghello");
	assert_true(screen_shows("E^[[31mve"));
	assert_true(screen_shows("case <9B>2J7"));
	/* a hundred thousand characters in a line, then a tower, then what is no text at all */
	for (int i = 0; i < 100000; i++)
		str_addc(&s, 'x');
	str_adds(&s, "END\ne");
	for (int i = 0; i < 2000; i++)
		str_adds(&s, "\314\201");
	str_adds(&s, " tower\n\377\376\300\200 broken\n");
	screen_file("more", s.s);
	str_free(&s);
	snprintf(cmd, sizeof(cmd), "cat %s/more >>%s/in", screen.home, screen.home);
	assert_int_equal(system(cmd), 0);
	screen_expect("unread");
	screen_keys("\003\030n");
	screen_expect("xxxEND");
	screen_keys("\030n");
	screen_expect(" tower");
	screen_keys("\030n");
	screen_expect(" broken");
	assert_true(screen_shows("model base"));
	screen_quit();
}

static void bytes_that_are_no_text_are_typed(void **state)
{
	(void)state;
	open_chat("");
	screen_keys("\377\376\300\200a\200");
	screen_drain(100);
	screen_keys("z\r");
	screen_expect("answerback ");
	assert_true(screen_shows("model base"));
	screen_quit();
}

/* ---- poor terminals ---- */

static bool has_colour(void)
{
	for (int r = 0; r < screen.rows; r++)
		for (int c = 0; c < screen.columns; c++) {
			VTermScreenCell cell;

			vterm_screen_get_cell(screen.cells, (VTermPos){ r, c }, &cell);
			if (cell.chars[0] && VTERM_COLOR_IS_INDEXED(&cell.fg))
				return true;
		}
	return false;
}

static void without_colour(void **state)
{
	(void)state;
	screen_command("teach 'Where is my parcel?' 'It is with you tomorrow.'", NULL);
	open_chat("");
	screen_keys("Where is my parcel?\r");
	screen_expect("tomorrow");
	assert_true(has_colour());
	screen_quit();
	screen_env("NO_COLOR", "1");
	open_chat("");
	screen_keys("Where is my parcel?\r");
	screen_expect("tomorrow");
	assert_false(has_colour());
	screen_quit();
}

/* Not one byte beyond ASCII where it was asked for, or where the terminal may not have it. */
static void ascii_only(void **state)
{
	static const char *const terms[] = { "xterm-256color", "vt100", "linux" };

	(void)state;
	screen_command("teach 'Where is my parcel?' 'It is with you tomorrow, \303\240 bient\303\264t.'", NULL);
	for (size_t i = 0; i < 3; i++) {
		screen.record = true;
		screen_start(24, 80, terms[i], i ? "" : "--ascii");
		screen_expect("model base");
		screen_keys("Where is my parcel?\r");
		screen_expect("bient?t");
		screen_keys("\030w");
		screen_expect("hangs on");
		screen_keys("\030b");
		screen_expect("cust");
		screen_keys("\007\030t\030m\030r");
		screen_expect(" review");
		for (size_t k = 0; k < screen.raw.len; k++)
			assert_true((unsigned char)screen.raw.s[k] < 0x80);
		screen_quit();
	}
}

static void the_smallest_screen_works(void **state)
{
	(void)state;
	screen_command("teach 'Where is my parcel?' 'It is with you tomorrow.'", NULL);
	screen_start(5, 20, "xterm-256color", "");
	screen_expect("small:");
	screen_keys("Where is my parcel?\r");
	screen_expect("tomorrow.");
	screen_keys("\030h");
	screen_expect("Enter");
	screen_keys("q");
	screen_quit();
}

/* ---- idling ---- */

static long switches(void)
{
	char path[64], file[400];
	long total = 0;
	struct dirent *d;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)screen.pid);
	dir = opendir(path);
	assert_non_null(dir);
	while ((d = readdir(dir)) != NULL) {
		char line[200];
		FILE *f;

		if (d->d_name[0] == '.')
			continue;
		snprintf(file, sizeof(file), "%s/%.20s/status", path, d->d_name);
		f = fopen(file, "r");
		while (f && fgets(line, sizeof(line), f))
			if (strncmp(line, "voluntary_ctxt_switches:", 24) == 0)
				total += strtol(line + 24, NULL, 10);
		if (f)
			fclose(f);
	}
	closedir(dir);
	return total;
}

/* Nothing wakes when nothing happens: no thread of the program, on no screen but the one that shows a running clock. */
static void idle_means_asleep(void **state)
{
	static const char *const screens[] = { "", "\030m", "\030b", "\007\030r", "q" };
	char args[100];

	(void)state;
	screen_file("in", "");
	snprintf(args, sizeof(args), "--inbox %s/in", screen.home);
	open_chat(args);
	screen_keys("hello\r");
	screen_expect("answerback ");
	for (size_t i = 0; i < sizeof(screens) / sizeof(screens[0]); i++) {
		long before;

		screen_keys(screens[i]);
		screen_drain(i ? 600 : 9500);      /* notes go after 8 s: one wakeup */
		before = switches();
		screen_drain(2000);
		before = switches() - before;
		if (before > 2)
			fail_msg("%ld wakeups in 2 s on screen %zu", before, i);
	}
	screen_quit();
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, screen_fresh, screen_gone)
	const struct CMUnitTest tests[] = {
		T(pasted_controls_are_text), T(a_paste_on_a_list_is_no_key), T(a_megabyte_in_pieces), T(every_key_of_the_table),
		T(every_letter_in_vi), T(sequences_in_parts), T(signals_leave_a_sane_terminal), T(drafts_of_several_conversations),
		T(hostile_inbox), T(bytes_that_are_no_text_are_typed), T(without_colour), T(ascii_only), T(the_smallest_screen_works),
		T(idle_means_asleep),
	};

	cmocka_set_test_filter(getenv("TEST"));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
