/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A support agent's day on the screen: review, canned replies, the clipboard, the line's history, an editor, models. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/mem.h"
#include "base/str.h"
#include "common_screen.h"
#include "store.h"

static void open_assist(void)
{
	screen_start(24, 80, "xterm-256color", "--assist");
	screen_expect("model base");
}

/* What was sent is proposed; accepted, it answers the very next time; undone, it waits again. */
static void a_correction_answers_the_next_time(void **state)
{
	(void)state;
	open_assist();
	screen_keys("Is there a garage near your shop?\030c");
	screen_expect("suggestions:");
	screen_keys("The garage behind the house is free for two hours.\r");
	screen_expect("copied to the clipboard");
	screen_keys("\030r");
	screen_expect("1 of 1");
	screen_expect("suggested -> sent");
	screen_expect("{+");                            /* which words, depends on what the model had to say */
	screen_keys("a");
	screen_expect("Nothing waits");
	screen_keys("u");
	screen_expect("1 of 1");
	screen_keys("e");
	screen_expect("> The garage behind the house is free for two hours.");
	screen_keys("\177, then two euros an hour.\r");
	screen_expect("Nothing waits");
	screen_keys("q/new\r/chat\rIs there a garage near your shop?\r");
	screen_expect("  memory");
	screen_expect("free for two hours, then two euros an hour.");
	/* rejected: not from memory any more */
	screen_keys("/new\r\030ru");
	screen_expect("1 of 1");
	assert_false(screen_shows("two euros"));
	screen_keys("r");
	screen_expect("Nothing waits");
	screen_keys("qIs there a garage near your shop?\r");
	screen_expect("  model");
	assert_false(screen_shows("two euros"));
	screen_quit();
}

/* Where the person trusts their own edits, an edited suggestion answers without a review; what was typed still waits. */
static void edits_that_are_trusted(void **state)
{
	(void)state;
	screen_command("teach 'Where is my parcel?' 'It is with you tomorrow.'", NULL);
	screen_start(24, 80, "xterm-256color", "--assist --setting trust_edits=yes");
	screen_expect("model base");
	screen_keys("/customer where is my parcel\r");
	screen_expect("memory");
	screen_keys("\0301\177 before noon.\r");
	screen_expect("  edited");
	screen_keys("\030r");
	screen_expect("Nothing waits");
	screen_keys("q/customer and my other one\r");
	screen_expect("suggestions:");
	screen_keys("That one is lost, I am afraid.\r");
	screen_expect("  typed");
	screen_keys("\030r");
	screen_expect("1 of 1");
	screen_quit();
}

static void skipping_and_scrolling(void **state)
{
	char text[3000] = "/customer ";

	(void)state;
	screen_start(12, 60, "xterm-256color", "--assist");
	screen_expect("model base");
	for (int i = 0; i < 40; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "sentence %d of a long letter. ", i);
	screen_keys(text);
	screen_keys("\r");
	screen_expect("suggestions:");
	screen_keys("We read all of it, thank you.\r");
	screen_expect_gone("suggestions:");
	screen_keys("/new\r/customer Do you deliver to islands?\r");
	screen_expect("suggestions:");
	screen_keys("To all of them, with a day more.\r");
	screen_expect("  typed");
	screen_keys("\030r");
	screen_expect("1 of 2");
	screen_keys("s");
	screen_expect("2 of 2");
	screen_keys("k");
	screen_expect("1 of 2");
	for (int i = 0; i < 2 && !screen_shows("sentence 0 of"); i++) {
		screen_keys("s");
		screen_drain(100);
	}
	screen_expect("sentence 0 of");
	screen_expect("more: v");
	for (int i = 0; i < 12; i++)
		screen_keys("v");
	screen_expect("suggested -> sent");
	screen_keys("V");
	screen_quit();
}

static void an_open_field_is_not_sent(void **state)
{
	(void)state;
	open_assist();
	screen_keys("\033s/customer Can I have my money back?\r");
	screen_expect("suggestions:");
	screen_keys("Your {{sum}} is back on {day}, order {order}.\r");
	screen_expect("{{sum}} is not filled in yet");
	screen_keys("20 euros");                       /* takes the field's place */
	screen_expect("> Your 20 euros is back on {day}, order {order}.");
	screen_keys("\r");                             /* single braces of one's own are text */
	screen_expect("  typed");
	screen_keys("/keep aaa-refund\r");
	screen_expect("kept: C-x k");
	screen_keys("/new\r/customer And my money?\r");
	screen_expect("suggestions:");
	screen_keys("/canned aaa\t");                   /* completed */
	screen_expect("> /canned aaa-refund");
	screen_keys("\r");
	screen_expect("> Your 20 euros is back on {day}");
	screen_expect("{day} is not filled in yet");
	screen_keys("Monday\r");
	screen_expect("{order} is not filled in yet");
	assert_true(screen_shows("> Your 20 euros is back on Monday, order {order}."));
	screen_keys("4711\r");
	screen_expect("  canned");
	screen_expect("  Your 20 euros is back on Monday, order 4711.");
	screen_keys("/customer And mine?\r");
	screen_expect("suggestions:");
	screen_keys("\030k");
	screen_expect("> aaa-refund");
	screen_keys("\rFriday\r4712\005 Sorry.\r");         /* more than its fields: edited */
	screen_expect("  edited");
	screen_quit();
}

/* ---- the clipboard ---- */

static char *clipboard(void)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *p = screen.raw.len ? strstr(screen.raw.s, "\033]52;c;") : NULL;
	struct str s = STR_INIT;
	unsigned v = 0;
	int bits = 0;

	if (!p)
		return NULL;
	for (p += 7; *p && *p != '\007'; p++) {
		const char *d = strchr(digits, *p);

		if (!d)
			continue;
		v = v << 6 | (unsigned)(d - digits);
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			str_addc(&s, (char)(v >> bits & 255));
		}
	}
	return *p ? str_detach(&s) : (str_free(&s), NULL);
}

static char *copied(const char *text, size_t n)
{
	char *got = NULL;

	str_reset(&screen.raw);
	screen_keys("\033[200~");
	screen_send(text, n);
	screen_keys("\033[201~");
	screen_drain(300);
	screen_keys("\r");
	for (int64_t until = screen_now() + 20000; !got && screen_now() < until && !screen_shows("not copied");) {
		screen_drain(20);
		got = clipboard();
	}
	return got;
}

static void what_is_sent_is_copied(void **state)
{
	static const size_t sizes[] = { 1, 2, 3, 100, 300000 };
	char *big = xcalloc(800001, 1), *got;

	(void)state;
	for (size_t i = 0; i < 800000; i++)
		big[i] = i % 70 == 69 ? '\n' : (char)('a' + i % 26);
	screen.record = true;
	open_assist();
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		got = copied(big, sizes[i]);
		assert_non_null(got);
		assert_int_equal(strlen(got), sizes[i]);
		assert_memory_equal(got, big, sizes[i]);
		free(got);
	}
	got = copied(big, 800000);      /* beyond the documented most */
	assert_null(got);
	assert_true(screen_shows("not copied"));
	screen_quit();
	free(big);
}

/* Of a very long message its ends are shown, and all of it is kept. */
static void the_middle_of_a_megabyte(void **state)
{
	struct str s = STR_INIT;
	char cmd[100];

	(void)state;
	open_assist();
	str_adds(&s, "\033[200~THE_BEGINNING\n");
	for (int i = 0; s.len < 500000; i++)
		str_addf(&s, "line %d of it%s\n", i, i == 15000 ? " THE_MIDDLE" : "");
	str_adds(&s, "THE_END\033[201~");
	screen_send(s.s, s.len);
	str_free(&s);
	screen_expect("THE_END");
	screen_keys("\r");
	screen_expect("  THE_END");
	for (int i = 0; i < 500 && !screen_shows(" kB are not shown here"); i++) {
		screen_keys("\033v");
		screen_drain(10);
	}
	screen_expect("[... 436 kB are not shown here");
	for (int i = 0; i < 500 && !screen_shows("THE_BEGINNING"); i++) {
		screen_keys("\033v");
		screen_drain(10);
		assert_false(screen_shows("THE_MIDDLE"));
	}
	screen_expect("  THE_BEGINNING");
	screen_quit();
	snprintf(cmd, sizeof(cmd), "grep -rqa THE_MIDDLE %s/data", screen.home);
	assert_int_equal(system(cmd), 0);
}

/* GNU screen passes on what stands in device control strings, and no longer ones than it can hold. */
static void copied_through_gnu_screen(void **state)
{
	const char *text = "a reply that is long enough to need more than one of the pieces that screen takes, as most replies of more than a line are";
	struct str joined = STR_INIT;
	const char *p;

	(void)state;
	screen_env("STY", "1234.pts");
	screen.record = true;
	screen_start(24, 80, "screen", "--assist");
	screen_expect("model base");
	str_reset(&screen.raw);
	screen_keys(text);
	screen_keys("\r");
	screen_expect("copied to the clipboard");
	for (p = screen.raw.s; (p = strstr(p, "\033P")) != NULL;) {
		const char *end = strstr(p, "\033\\");

		assert_non_null(end);
		assert_in_range(end - p, 1, 200);
		str_add(&joined, p + 2, (size_t)(end - p - 2));
		p = end;
	}
	str_reset(&screen.raw);
	str_add(&screen.raw, joined.s, joined.len);

	char *got = clipboard();

	assert_non_null(got);
	assert_string_equal(got, text);
	free(got);
	str_free(&joined);
	screen_quit();
}

/* ---- the line ---- */

static void the_line_history_outlives_a_kill(void **state)
{
	(void)state;
	open_assist();
	screen_keys("\033sthe zeppelin leaves at noon\003\033[200~two\nlines\033[201~\003something else\003");
	screen_drain(200);
	kill(screen.pid, 9);
	screen_finish();
	open_assist();
	screen_keys("\033s\022zepp");
	screen_expect("zeppelin leaves at noon");
	screen_keys("\001");                         /* leaves the search, and edits */
	screen_keys("Yes: ");
	screen_expect("> Yes: the zeppelin leaves at noon");
	screen_keys("\003\020\020\020");
	screen_expect("> two");                       /* one entry of two lines */
	screen_expect("  lines");
	screen_quit();
}

static void in_an_editor(void **state)
{
	char editor[100];

	(void)state;
	screen_file("editor", "#!/bin/sh\ncp \"$1\" \"$HOME/seen\"\nprintf 'first\\nsecond\\n' >\"$1\"\n");
	screen_file("broken", "#!/bin/sh\nexit 1\n");
	snprintf(editor, sizeof(editor), "sh %s/editor", screen.home);
	screen_env("VISUAL", NULL);
	screen_env("EDITOR", editor);
	open_assist();
	screen_keys("\033sdraft of it\030e");
	screen_expect("> first");
	screen_expect("  second");
	screen_keys("\037");
	screen_expect("> draft of it");               /* one edit */
	screen_quit();
	snprintf(editor, sizeof(editor), "sh %s/broken", screen.home);
	screen_env("EDITOR", editor);
	open_assist();
	screen_keys("\003\033skept as it is\030\005");
	screen_expect("the editor failed");
	assert_true(screen_shows("> kept as it is"));
	screen_quit();
}

/* No room for the file: nothing is lost, and nothing is left behind. */
static void no_room_for_the_editor(void **state)
{
	const struct rlimit small = { 1 << 20, RLIM_INFINITY };
	struct rlimit was;
	struct str s = STR_INIT;
	char cmd[100];

	(void)state;
	screen_env("EDITOR", "true");
	screen_env("VISUAL", NULL);
	screen_env("TMPDIR", screen.home);
	getrlimit(RLIMIT_FSIZE, &was);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	open_assist();
	setrlimit(RLIMIT_FSIZE, &was);
	signal(SIGXFSZ, SIG_DFL);
	str_adds(&s, "\033[200~");
	while (s.len < 1200000)
		str_adds(&s, "some words of a long letter; ");
	str_adds(&s, "THE_END\033[201~");
	screen_send(s.s, s.len);
	str_free(&s);
	screen_expect("THE_END");
	screen_keys("\030e");
	screen_expect("no file for the editor");
	assert_true(screen_shows("THE_END"));
	snprintf(cmd, sizeof(cmd), "ls %s | grep -q '^answerback-'", screen.home);
	assert_int_not_equal(system(cmd), 0);
	screen_quit();
}

/* ---- conversations, history, models ---- */

static void conversations_are_found_again(void **state)
{
	(void)state;
	open_assist();
	screen_keys("/case K-9\r/customer my umbrella is broken\r");
	screen_expect("suggestions:");
	screen_keys("We send a new umbrella.\r");
	screen_expect("copied");
	screen_keys("/new\r");
	screen_expect("2/2");
	screen_keys("/case K-9\r");                  /* it is open: there */
	screen_expect("my umbrella is broken");
	screen_keys("/close\r");
	screen_expect("closed");
	screen_expect_gone("umbrella");
	screen_keys("\030bumbrella");
	screen_expect("cust");
	screen_settle(500);
	screen_keys("\033[B\025/tag rain\r");
	screen_expect("tagged");
	screen_keys("\025tag:rain");
	screen_expect("> tag:rain");
	screen_settle(500);
	screen_keys("\r");
	screen_expect("case K-9");
	screen_expect("goes on here");
	screen_keys("/customer and the second one too\r");
	screen_expect("suggestions:");
	screen_keys("Two, then.\r");
	screen_expect("copied");
	/* one row of the history, gone on with */
	screen_keys("\030btwo");
	screen_expect("Two, then.");
	screen_settle(500);
	screen_keys("\025/delete\r");
	screen_expect("Enter once more");
	screen_keys("\r");
	screen_expect("deleted");
	screen_expect("nothing found");
	screen_keys("\025umbrella");
	screen_expect("nothing found");
	screen_quit();
}

/* The words of a reply stand in the first column of the rows under "sure". */
static void earlier_replies_are_explained(void **state)
{
	(void)state;
	screen_command("teach 'Where is my parcel?' 'Tomorrow, surely.'", NULL);
	screen_command("teach 'Do you sell umbrellas?' 'Only yellow ones.'", NULL);
	screen_start(24, 80, "xterm-256color", "");
	screen_expect("model base");
	screen_keys("\033s\030w");
	screen_expect("no reply to explain yet");
	screen_keys("qWhere is my parcel?\r");
	screen_expect("  Tomorrow, surely.");
	screen_keys("Do you sell umbrellas?\r");
	screen_expect("  Only yellow ones.");
	screen_keys("\030w");
	screen_expect("reply           sure");
	screen_expect("yellow");
	assert_false(screen_shows("surely"));
	screen_keys("p");
	screen_expect("1 back          sure");
	screen_expect("surely.");
	assert_false(screen_shows("yellow"));
	screen_keys("p");
	screen_expect("no reply before this one");
	assert_true(screen_shows("surely."));
	screen_keys("n");
	screen_expect("reply           sure");
	screen_expect("yellow");
	screen_keys("n");                              /* the last there is */
	screen_settle(200);
	assert_true(screen_shows("yellow"));
	screen_quit();
}

static void models(void **state)
{
	char cmd[600], path[100];
	struct store *s;

	(void)state;
	snprintf(path, sizeof(path), "%s/data/answerback.db", screen.home);
	/* another version: here a copy, which has to say the same */
	snprintf(cmd, sizeof(cmd), "mkdir -p %s/data/models && cp data/model.safetensors %s/data/models/v1.safetensors", screen.home, screen.home);
	assert_int_equal(system(cmd), 0);
	assert_int_equal(store_open_file(&s, path, STORE_READ_WRITE, NULL), 0);
	assert_int_equal(store_run_add(s, "retrain", "v1", "base", "published", "{}", 1, (int64_t[]){ 7 }, 1, NULL), 0);
	store_close(s);
	screen_start(24, 80, "xterm-256color", "");
	screen_expect("model base");
	screen_keys("where is my umbrella\r");
	screen_expect("answerback ");
	screen_expect_gone("writing");
	screen_keys("\030v");
	screen_expect("> base     serves");
	screen_expect("  v1");
	assert_true(screen_shows("knows what was forgotten"));
	assert_false(screen_shows("t retrains on what is left"));
	screen_keys("c");
	screen_expect("pick another one");
	screen_keys("jc");
	screen_expect("1/1 customer");
	assert_true(screen_shows("where is my umbrella"));
	assert_false(screen_shows("{+"));
	screen_keys("q");
	screen_expect("> base     serves");
	screen_keys("jp");
	screen_expect("> v1       serves");
	assert_true(screen_shows("t retrains on what is left"));
	screen_expect("model v1");                     /* and in the title */
	screen_expect("promoted 20");
	assert_true(screen_shows(" by tester"));
	screen_keys("r");
	screen_expect("r once more");
	screen_keys("jr");                            /* any other key: it asks again */
	screen_expect("r once more");
	screen_keys("r");
	screen_expect("base     serves");
	screen_expect("model base");
	screen_keys("rr");
	screen_expect("nothing to go back to");
	screen_keys("t");
	screen_expect("nothing to train on");
	screen_quit();
	/* the same without a screen, and what it did is in the audit trail */
	screen_command("model promote v1", NULL);
	snprintf(cmd, sizeof(cmd), "export HOME=%s ANSWERBACK_DATA_DIR=%s/data; p=%s; $p model list 2>&1 | grep -q 'that serves learned from' &&"
	         " $p model list --json >%s/list && grep -q '\"v1\".*\"tainted\": true' %s/list && grep -q '\"base\".*\"tainted\": false' %s/list",
	         screen.home, screen.home, getenv("ANSWERBACK") ? getenv("ANSWERBACK") : "./answerback", screen.home, screen.home, screen.home);
	assert_int_equal(system(cmd), 0);
}

static void a_run_is_followed(void **state)
{
	static const char line[] = "{\"event\": \"eval\", \"step\": %d, \"loss\": 2.5, \"tokens_per_second\": 1000, \"progress\": 0.5, \"eta\": 60, "
		"\"bits_per_char\": 1.25, \"best\": 1.25}\n";
	char cmd[800], args[100];

	(void)state;
	screen_file("run.jsonl", "");
	snprintf(args, sizeof(args), "--watch %s/run.jsonl", screen.home);
	screen_start(24, 80, "xterm-256color", args);
	screen_expect("model base");
	screen_keys("\030t");
	screen_expect("step 0");
	/* a line that is half written counts when it is whole; a long log is read to its end */
	snprintf(cmd, sizeof(cmd), "for i in $(seq 1 3000); do printf '%s' $i; done >>%s/run.jsonl; printf '{\"event\": \"step\", \"st' >>%s/run.jsonl",
	         "{\"event\": \"step\", \"step\": %d, \"loss\": 2.5, \"tokens_per_second\": 900}\n", screen.home, screen.home);
	assert_int_equal(system(cmd), 0);
	screen_expect("step 3000");
	snprintf(cmd, sizeof(cmd), "printf 'ep\": 3001, \"loss\": 2, \"tokens_per_second\": 900}\\n' >>%s/run.jsonl", screen.home);
	assert_int_equal(system(cmd), 0);
	screen_expect("step 3001");
	/* begun anew under the same name */
	snprintf(cmd, sizeof(cmd), line, 7);
	screen_file("run.jsonl", cmd);
	screen_expect("step 7 ");
	screen_expect("best 1.2500");
	screen_keys("p");
	screen_expect("nothing is being retrained");
	screen_quit();
}

static void nothing_to_retrain_on(void **state)
{
	(void)state;
	screen_start(24, 80, "xterm-256color", "");
	screen_expect("model base");
	screen_keys("/train\r");
	screen_expect("nothing to train on");
	screen_keys("c");
	screen_expect("nothing is being retrained");
	screen_quit();
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, screen_fresh, screen_gone)
	const struct CMUnitTest tests[] = {
		T(a_correction_answers_the_next_time), T(edits_that_are_trusted), T(skipping_and_scrolling), T(an_open_field_is_not_sent), T(what_is_sent_is_copied), T(the_middle_of_a_megabyte),
		T(copied_through_gnu_screen), T(the_line_history_outlives_a_kill), T(in_an_editor), T(no_room_for_the_editor), T(conversations_are_found_again),
		T(earlier_replies_are_explained), T(models), T(a_run_is_followed), T(nothing_to_retrain_on),
	};

	cmocka_set_test_filter(getenv("TEST"));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
