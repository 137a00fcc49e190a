/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The writing desk in a real pseudo-terminal: typing, saving, losing nothing, ghost text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/rng.h"
#include "base/str.h"
#include "common_terminal.h"

#define KEYS terminal_keys
#define EXPECT terminal_expect
#define GONE terminal_expect_gone

static void in(char path[100], const char *name)
{
	snprintf(path, 100, "%s/%s", terminal.home, name);
}

static void put(const char *name, const char *s, size_t n)
{
	char path[100];
	FILE *f;

	in(path, name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(s, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

/* The file, its length into *n; NULL: there is none. Caller frees. */
static char *get(const char *name, size_t *n)
{
	char path[100], buf[4096];
	struct str s = STR_INIT;
	FILE *f;
	size_t k;

	in(path, name);
	f = fopen(path, "r");
	if (!f)
		return NULL;
	while ((k = fread(buf, 1, sizeof(buf), f)) > 0)
		str_add(&s, buf, k);
	fclose(f);
	*n = s.len;
	return str_detach(&s);
}

static void holds(const char *name, const char *want, size_t want_n)
{
	size_t n;
	char *s = get(name, &n);

	assert_non_null(s);
	assert_int_equal(n, want_n);
	assert_memory_equal(s, want, n);
	free(s);
}

static void row_is(int row, const char *want)
{
	const int64_t until = terminal_now() + 30000;
	char *s = terminal_row(row);

	while (strcmp(s, want) != 0 && terminal_now() < until && terminal_drain(20)) {
		free(s);
		s = terminal_row(row);
	}
	assert_string_equal(s, want);
	free(s);
}

static void cursor_is(int row, int column)
{
	const int64_t until = terminal_now() + 30000;
	VTermPos at;

	do {
		terminal_drain(20);
		vterm_state_get_cursorpos(vterm_obtain_state(terminal.vt), &at);
	} while ((at.row != row || at.col != column) && terminal_now() < until);
	assert_int_equal(at.row, row);
	assert_int_equal(at.col, column);
}

static void desk(const char *args)
{
	terminal_start(24, 80, "xterm-256color", "", args);
	EXPECT(" write  ");
}

static void leave(void)
{
	KEYS("\030");
	assert_int_equal(terminal_finish(), 0);
	assert_false(terminal.alternate);
}

/* ---- tests ---- */

static void a_letter(void **state)
{
	struct stat st;
	char path[100];

	(void)state;
	desk("write letter.txt");
	EXPECT("a new file");
	EXPECT("line 1/1  column 1  0 words");
	KEYS("\033s");                            /* no grey text in the way of what is compared */
	KEYS("Dear reader,\r\rfirst word\rs");
	row_is(1, "Dear reader,");
	row_is(3, "first word");
	EXPECT("* line 4/4  column 2  5 words");
	EXPECT("modified");
	KEYS("\017");
	EXPECT("Write to: letter.txt");
	KEYS("\r");
	EXPECT("written");
	GONE("modified");
	holds("letter.txt", "Dear reader,\n\nfirst word\ns\n", 27);
	in(path, "letter.txt");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0644);
	KEYS("\003");
	EXPECT("line 4/5, column 2/2, word 5/5");
	KEYS("\007");
	EXPECT("write: keys");
	EXPECT("C-o                      write out");
	KEYS("\026\026");
	EXPECT("C-z                      suspend");
	KEYS("x");                                /* any other key goes back, and is not typed */
	EXPECT(" write  letter.txt");
	row_is(4, "s");
	leave();
}

static void undo_and_redo(void **state)
{
	(void)state;
	desk("write x");
	KEYS("\033s");
	KEYS("one two three");
	row_is(1, "one two three");
	KEYS("\033u");
	row_is(1, "one two");
	KEYS("\033u\033u");
	row_is(1, "");
	KEYS("\033u");
	EXPECT("nothing to undo");
	KEYS("\033e\033e\033e");
	row_is(1, "one two three");
	/* a paste of any size is one edit, also cut anywhere */
	terminal_send("\033[200~a\rb\r\nc", 12);
	terminal_drain(50);
	KEYS("\033[20");
	terminal_drain(50);
	KEYS("1~ end");
	row_is(3, "c end");
	row_is(1, "one two threea");
	KEYS("\033u\033u");
	row_is(1, "one two three");
	row_is(2, "");
	KEYS("\030n");
	assert_int_equal(terminal_finish(), 0);
}

static void rows_break_at_words(void **state)
{
	(void)state;
	terminal_start(12, 21, "xterm-256color", "", "write x");
	EXPECT(" write  ");
	KEYS("\033s");
	KEYS("the quick brown fox jumps \346\227\245\346\234\254\350\252\236\346\227\245\346\234\254\350\252\236\346\227\245\346\234\254\350\252\236\346\227\245\346\234\254 e\314\201nd");
	row_is(1, "the quick brown fox");
	row_is(2, "jumps \346\227\245\346\234\254\350\252\236\346\227\245\346\234\254\350\252\236\346\227\245");
	row_is(3, "\346\234\254\350\252\236\346\227\245\346\234\254 e\314\201nd");
	cursor_is(3, 8 + 4);
	KEYS("\033[A");
	cursor_is(2, 12);
	KEYS("\033[A\001");
	cursor_is(1, 0);
	KEYS("\005");
	cursor_is(1, 19);
	KEYS("\033[C\033[C");
	cursor_is(2, 1);
	terminal_resize(12, 40);
	row_is(1, "the quick brown fox jumps \346\227\245\346\234\254\350\252\236\346\227\245\346\234\254\350\252\236");
	KEYS("\030n");
	assert_int_equal(terminal_finish(), 0);
}

static void search_and_replace(void **state)
{
	(void)state;
	put("x", "alpha beta\nbeta gamma\nAlphabeta\n", 32);
	desk("write x");
	KEYS("\033s");
	KEYS("\027beta\r");
	cursor_is(1, 6);
	KEYS("\033w");
	cursor_is(2, 0);
	KEYS("\033w");
	cursor_is(3, 5);
	KEYS("\033w");
	EXPECT("went on from the beginning");
	cursor_is(1, 6);
	KEYS("\033q");
	EXPECT("went on from the end");
	cursor_is(3, 5);
	KEYS("\027Alpha\r");                      /* a capital: letter case counts */
	cursor_is(3, 0);
	KEYS("\027nowhere\r");
	EXPECT("\"nowhere\" is not in the document");
	KEYS("\033\\\033rbeta\r");
	EXPECT("Replace with:");
	KEYS("B\r");
	EXPECT("Replace this one?");
	KEYS("y");
	row_is(1, "alpha B");
	KEYS("na");
	row_is(3, "AlphaB");
	EXPECT("1 replaced");
	row_is(2, "beta gamma");
	KEYS("\034a\r");                          /* C-\ */
	EXPECT("Replace with:");
	KEYS("\r");
	EXPECT("Replace this one?");
	KEYS("a");
	EXPECT("7 replaced");
	row_is(1, "lph B");
	KEYS("\033u");                            /* all of them: one step */
	row_is(1, "alpha B");
	row_is(3, "AlphaB");
	KEYS("\033g2,3\r");
	cursor_is(2, 2);
	KEYS("\03799\r");                         /* C-_: beyond the last line is the last */
	cursor_is(4, 0);
	KEYS("\030n");
	assert_int_equal(terminal_finish(), 0);
}

static void lines_are_cut_and_pasted(void **state)
{
	(void)state;
	put("x", "one\ntwo\nthree\nfour", 18);
	desk("write x");
	KEYS("\033s");
	KEYS("\013\013\033[B\025");
	row_is(1, "three");
	row_is(2, "one");
	row_is(3, "two");
	row_is(4, "four");
	KEYS("\033a\033[C\033[C\013");            /* mark "fo", cut it */
	row_is(4, "ur");
	KEYS("\005\025\033^\025");
	row_is(4, "urfourfo");
	KEYS("\023");
	EXPECT("written");
	holds("x", "three\none\ntwo\nurfourfo", 22);      /* no newline at the end: as it was */
	put("in", "two\nlines\n", 10);
	KEYS("\033\\\022~/in\r");
	row_is(2, "lines");
	row_is(3, "three");
	KEYS("\022nothing\r");
	EXPECT("there is no file nothing");
	KEYS("\033u");                            /* one edit */
	row_is(1, "three");
	leave();
}

static void bytes_survive(void **state)
{
	static const char bytes[] = "a\r\nb\xff\xfe z\0\x01\033[31mred\r\n\xe2\x80\xaetxet\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81\r\nend";
	struct str want = STR_INIT;

	(void)state;
	put("x", bytes, sizeof(bytes) - 1);
	desk("write x");
	KEYS("\033s");
	row_is(1, "a");
	row_is(2, "b\357\277\275\357\277\275 z^@^A^[[31mred");
	EXPECT("\357\277\275txet");
	EXPECT("line 1/4");
	KEYS("N\r\023");                          /* a new line here ends as its others do */
	EXPECT("written");
	str_adds(&want, "N\r\n");
	str_add(&want, bytes, sizeof(bytes) - 1);
	holds("x", want.s, want.len);
	KEYS("\005\033[C\177");                  /* the end of a line is erased whole */
	row_is(2, "ab\357\277\275\357\277\275 z^@^A^[[31mred");
	KEYS("\030n");
	assert_int_equal(terminal_finish(), 0);
	str_free(&want);
}

static void what_was_not_saved_comes_back(void **state)
{
	static const int how[] = { SIGKILL, SIGTERM, SIGHUP };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		put("x", "on disk\n", 8);
		desk("write x");
		KEYS("\033s");
		KEYS("not saved, ");
		row_is(1, "not saved, on disk");
		terminal_drain(how[i] == SIGKILL ? 4500 : 50);      /* three seconds, and it is kept */
		kill(terminal.pid, how[i]);
		terminal_finish();
		assert_int_equal(terminal.alternate, how[i] == SIGKILL);
		holds("x", "on disk\n", 8);
		desk("write x");
		EXPECT("Unsaved text of 2");
		KEYS("\003");                     /* neither yes nor no: it stays */
		assert_int_equal(terminal_finish(), 0);
		desk("write x");
		EXPECT("y brings it back");
		KEYS("y");
		row_is(1, "not saved, on disk");
		KEYS("\033u");
		row_is(1, "on disk");
		KEYS("\033e\023");
		EXPECT("written");
		holds("x", "not saved, on disk\n", 19);
		leave();
		desk("write x");                  /* and nothing is offered any more */
		row_is(1, "not saved, on disk");
		terminal_drain(100);
		assert_false(terminal_shows("brings it back"));
		leave();
	}
}

static void a_disk_that_is_full(void **state)
{
	struct str s = STR_INIT;
	size_t n;
	char *back;

	(void)state;
	while (s.len < 9000)
		str_adds(&s, "as it was\n");
	put("x", s.s, s.len);
	/* 8 KiB is all that may be written to a file (ulimit counts 512 bytes) */
	terminal_start(24, 80, "xterm-256color", "ulimit -f 16;", "write x");
	EXPECT(" write  ");
	KEYS("\033s");
	KEYS("more \023");
	EXPECT("not saved");
	EXPECT("is as it was and the text is still here");
	row_is(1, "more as it was");
	EXPECT("modified");
	holds("x", s.s, s.len);
	KEYS("\030y");                            /* leaving must not lose it either */
	EXPECT("not saved");
	row_is(1, "more as it was");
	KEYS("\030n");
	assert_int_equal(terminal_finish(), 0);
	back = get("x", &n);
	assert_int_equal(n, s.len);
	free(back);
	str_free(&s);
}

static void files_that_others_write(void **state)
{
	char path[100];

	(void)state;
	put("x", "mine\n", 5);
	desk("write x");
	KEYS("\033s");
	KEYS("a");
	row_is(1, "amine");
	put("x", "theirs, longer\n", 15);
	KEYS("\023");
	EXPECT("x has changed on disk: write over it?");
	KEYS("n");
	EXPECT("not saved");
	holds("x", "theirs, longer\n", 15);
	KEYS("\017\003\017");
	EXPECT("Write to: x");
	KEYS("2\r");
	EXPECT("written");
	holds("x2", "amine\n", 6);
	EXPECT(" write  x2");
	leave();
	in(path, "x");
	chmod(path, 0444);
	desk("write x");
	EXPECT("read-only");
	KEYS("b\023");
	EXPECT("not saved: x is read-only");
	KEYS("\030n");
	assert_int_equal(terminal_finish(), 0);
}

static void what_is_no_file(void **state)
{
	char path[100];

	(void)state;
	in(path, "fifo");
	assert_int_equal(mkfifo(path, 0600), 0);
	in(path, "folder");
	assert_int_equal(mkdir(path, 0700), 0);
	terminal_start(24, 80, "xterm", "", "write folder");
	EXPECT("folder is a folder: only plain files can be edited");
	assert_int_equal(terminal_finish(), 2);
	terminal_start(24, 80, "xterm", "", "write fifo");
	EXPECT("fifo is a FIFO: only plain files can be edited");
	assert_int_equal(terminal_finish(), 2);
	terminal_start(24, 80, "xterm", "", "write no/such/file");
	EXPECT("the folder no/such does not exist");
	assert_int_equal(terminal_finish(), 1);
	terminal_start(24, 80, "dumb", "", "write x");
	EXPECT("needs a terminal");
	assert_int_equal(terminal_finish(), 1);
}

static void an_editor_of_ones_own(void **state)
{
	(void)state;
	put("x.md", "one\ntwo\nthree\n", 14);
	terminal_start(24, 80, "xterm", "VISUAL='sed -i s/two/TWO/'; export VISUAL;", "write x.md");
	EXPECT(" write  ");
	KEYS("\024");
	row_is(2, "TWO");
	row_is(3, "three");
	KEYS("\033u");
	row_is(2, "two");
	leave();
	terminal_start(24, 80, "xterm", "VISUAL=false; export VISUAL;", "write x.md");
	EXPECT(" write  ");
	KEYS("\024");
	EXPECT("the editor failed: the text is as it was");
	leave();
}

static void ten_megabytes(void **state)
{
	struct str s = STR_INIT;
	size_t n;
	char *back;

	(void)state;
	for (int i = 1; s.len < 10000000; i++)
		str_addf(&s, "line %d of a long, long document that somebody has to go through\n", i);
	put("big", s.s, s.len);
	desk("write big");
	KEYS("\033s");
	row_is(1, "line 1 of a long, long document that somebody has to go through");
	KEYS("\033/end\033g75000\r");
	EXPECT("line 75000 of a long");
	KEYS("middle \033\\start ");
	row_is(1, "start line 1 of a long, long document that somebody has to go through");
	KEYS("\023");
	EXPECT("bytes written");
	back = get("big", &n);
	assert_int_equal(n, s.len + 3 + 7 + 6);
	assert_memory_equal(back, "start line 1 of", 15);
	assert_non_null(strstr(back, "\nmiddle line 75000 of"));
	assert_memory_equal(back + n - 3, "end", 3);
	free(back);
	leave();
	/* and one line of five */
	for (size_t i = 0; i < s.len; i++)
		if (s.s[i] == '\n')
			s.s[i] = ' ';
	put("long", s.s, 5000000);
	desk("write long");
	KEYS("\033s");
	KEYS("\033/END\033\\BEGIN\033g1,2500000\rX\023");
	EXPECT("bytes written");
	back = get("long", &n);
	assert_int_equal(n, 5000000 + 9);
	assert_memory_equal(back, "BEGINline 1 of", 14);
	assert_memory_equal(back + n - 3, "END", 3);
	assert_int_equal(back[2499999], 'X');
	free(back);
	leave();
	str_free(&s);
}

static void resized_at_any_moment(void **state)
{
	struct rng r;

	(void)state;
	rng_seed(&r, 5);
	put("x", "some words that are there to be wrapped again and again, however narrow it gets\n\nend\n", 85);
	desk("write x");
	for (int i = 0; i < 60; i++) {
		terminal_resize(1 + (int)rng_below(&r, 80), 2 + (int)rng_below(&r, 200));
		KEYS(i % 3 ? "\033[B" : "a ");
		assert_true(terminal_drain(4));
	}
	terminal_resize(24, 80);
	KEYS("\014");
	EXPECT("to be wrapped again");
	KEYS("\030n");
	assert_int_equal(terminal_finish(), 0);
}

/* Keys in any order, sizes too: it lives, and leaves when told to. */
static void random_keys_do_no_harm(void **state)
{
	static const char *const some[] = {
		"\033[A", "\033[B", "\033[C", "\033[D", "\001", "\005", "\013", "\025", "\033u", "\033e", "\033a", "\033^", "\177", "\004",
		"\r", "\t", "\027", "\033w", "\033q", "\034", "\033r", "\033g", "3,4", "\003", "\007", "\033\\", "\033/", "\026", "\031",
		"\033f", "\033b", "\033\177", "\033[3;5~", "y", "n", "a", "word ", "\346\227\245", "e\314\201", "\377", "\033[200~pa\rste\033[201~",
		"\033[99;99X", "\033O", "\033\033", "\033[200", "\000", "\023", "\033s", "\014", "some more words; ",
	};
	const char *given = getenv("SEED");
	const uint64_t seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
	struct rng r;

	(void)state;
	print_message("# SEED=%llu\n", (unsigned long long)seed);
	rng_seed(&r, seed);
	put("x", "one two\r\nthree\xff\n\nfour five six seven eight nine ten\n", 53);
	desk("write x");
	for (int i = 0; i < 3000; i++) {
		const char *k = some[rng_below(&r, sizeof(some) / sizeof(some[0]))];

		terminal_send(k, *k ? strlen(k) : 1);
		if (i % 50 == 0)
			terminal_resize(2 + (int)rng_below(&r, 40), 4 + (int)rng_below(&r, 100));
		if (i % 10 == 0 && !terminal_drain(1))
			fail_msg("it ended after %d keys", i);
	}
	KEYS("\033[201~\003\003\003");
	terminal_resize(24, 80);
	EXPECT(" write  ");
	KEYS("\030n");
	assert_int_equal(terminal_finish(), 0);
}

/* hunspell is not everywhere: one of our own that knows no "recieve". */
static void misspelt_words_are_marked(void **state)
{
	static const char script[] = "#!/bin/sh\necho '@(#) International Ispell Version 3.2.06 (but really a test)'\n"
		"while read -r w; do case $w in ^recieve) echo '& recieve 1 0: receive';; *) echo '*';; esac; echo; done\n";
	VTermScreenCell cell;
	char path[100];
	const int64_t until = terminal_now() + 30000;

	(void)state;
	put("hunspell", script, sizeof(script) - 1);
	in(path, "hunspell");
	chmod(path, 0755);
	put("x", "we recieve letters\n", 19);
	terminal_start(24, 80, "xterm-256color", "PATH=$PWD:$PATH;", "write x");
	row_is(1, "we recieve letters");
	do {
		terminal_drain(20);
		vterm_screen_get_cell(terminal.screen, (VTermPos){ 1, 3 }, &cell);
	} while (!cell.attrs.underline && terminal_now() < until);
	assert_true(cell.attrs.underline);
	vterm_screen_get_cell(terminal.screen, (VTermPos){ 1, 9 }, &cell);
	assert_true(cell.attrs.underline);
	vterm_screen_get_cell(terminal.screen, (VTermPos){ 1, 10 }, &cell);
	assert_false(cell.attrs.underline);
	vterm_screen_get_cell(terminal.screen, (VTermPos){ 1, 12 }, &cell);
	assert_false(cell.attrs.underline);
	leave();
	/* one that ends at once does no harm */
	put("hunspell", "#!/bin/sh\nexit 1\n", 17);
	terminal_start(24, 80, "xterm-256color", "PATH=$PWD:$PATH;", "write x");
	row_is(1, "we recieve letters");
	KEYS("\033[B ok");
	row_is(2, " ok");
	KEYS("\030n");
	assert_int_equal(terminal_finish(), 0);
}

/* What goes on behind the desk is said when there is room for it: no model, here. */
static void bad_news_waits(void **state)
{
	(void)state;
	put("no.model", "no model", 8);
	terminal_start(24, 80, "xterm", "", "write --model no.model x");
	EXPECT("a new file");
	EXPECT("no.model");                       /* eight seconds later */
	KEYS("text");
	row_is(1, "text");
	KEYS("\030n");
	assert_int_equal(terminal_finish(), 0);
}

/* Type sentences until one has a ghost; what is shown is more than what was typed. */
static void ghost_text_is_taken(void **state)
{
	static const char *const tries[] = {
		"Thank you for contacting us. We are sorry for the inconven", "Please let us know if you need any further assist",
		"Thanks for reaching out. We will look into this and get back to y", "Please contact us at your conven",
	};
	size_t n;
	char *s;
	bool taken = false;

	(void)state;
	desk("write x");
	terminal_drain(200);
	for (size_t i = 0; i < 4 && !taken; i++) {
		const int64_t until = terminal_now() + 8000;
		const int row = 1 + 2 * (int)i;
		char *shown;

		KEYS(tries[i]);
		do {
			terminal_drain(20);
			shown = terminal_row(row);
			taken = strlen(shown) > strlen(tries[i]) && strncmp(shown, tries[i], strlen(tries[i])) == 0;
			if (!taken)
				free(shown);
		} while (!taken && terminal_now() < until);
		if (!taken) {
			KEYS("\r\r");
			continue;
		}
		KEYS("\033[C");                   /* Right takes it */
		row_is(row, shown);
		KEYS("\033s\023");
		EXPECT("written");
		s = get("x", &n);
		assert_non_null(strstr(s, shown));
		free(s);
		KEYS("\033u");                    /* one step takes it back */
		row_is(row, tries[i]);
		free(shown);
	}
	assert_true(taken);
	KEYS("\030n");
	assert_int_equal(terminal_finish(), 0);
}

/* A model that has read this one document over and over, in the role of documents. */
static void documents_have_a_role_of_their_own(void **state)
{
	static const char line[] = "{\"messages\":[{\"role\":\"document\",\"content\":\"The first page tells of a parcel.\"},"
		"{\"role\":\"document\",\"content\":\"The second page tells of a letter.\"}]}\n";
	const char *program = getenv("ANSWERBACK") ? getenv("ANSWERBACK") : "./answerback";
	char cmd[600];
	size_t n;
	char *s;

	(void)state;
	put("line", line, sizeof(line) - 1);
	snprintf(cmd, sizeof(cmd), "cd %s && for i in 1 2 3 4 5 6 7 8; do cat line line line line; done >d.jsonl && cd - >/dev/null && "
	         "%s train --train %s/d.jsonl --tags user,assistant,document --out %s/m.safetensors --vocab 460 --set embed=24 "
	         "--set turn_hidden=16 --set encoder_hidden=24 --set decoder_hidden=32 --set attention=24 --steps 150 --lr 0.01 "
	         "--batch 300 --seed 3 2>/dev/null", terminal.home, program, terminal.home, terminal.home);
	assert_int_equal(system(cmd), 0);
	desk("write --model m.safetensors x");
	KEYS("The first page tells of a p");
	row_is(1, "The first page tells of a parcel.");
	KEYS("a");                                /* a letter that agrees uses it up */
	row_is(1, "The first page tells of a parcel.");
	KEYS("\005\r\rThe second page tells of a l");
	row_is(3, "The second page tells of a letter.");
	KEYS("\007");                             /* C-g sends it away */
	row_is(3, "The second page tells of a l");
	KEYS("e");
	row_is(3, "The second page tells of a letter.");
	KEYS("\023");
	EXPECT("written");
	s = get("x", &n);
	assert_string_equal(s, "The first page tells of a parcel.\n\nThe second page tells of a le\n");
	free(s);
	leave();
	/* Tab takes what has stood for 150 ms; the clock is ours */
	put("clock", "1000", 4);
	terminal_start(24, 80, "xterm-256color", "ANSWERBACK_CLOCK=clock; export ANSWERBACK_CLOCK;", "write --model m.safetensors y");
	EXPECT(" write  y");
	KEYS("The first page tells of a p");
	row_is(1, "The first page tells of a parcel.");
	put("clock", "1149", 4);
	KEYS("\t");
	EXPECT("column 29 ");                     /* a tab, and not the ghost */
	KEYS("\177");
	row_is(1, "The first page tells of a parcel.");
	put("clock", "1299", 4);
	KEYS("\t\033s!");
	row_is(1, "The first page tells of a parcel.!");
	KEYS("\030n");
	assert_int_equal(terminal_finish(), 0);
}

static void no_ghost_where_none_belongs(void **state)
{
	(void)state;
	put("x", "Please let us know if you need any further assist\nnext", 54);
	desk("write x");
	terminal_drain(3000);
	KEYS("\005");                             /* at the end of the line by moving: nobody types */
	terminal_drain(1500);
	row_is(1, "Please let us know if you need any further assist");
	KEYS("\033/\033[200~ Please let us know if you need any further assist\033[201~");
	terminal_drain(1500);                     /* pasted */
	row_is(2, "next Please let us know if you need any further assist");
	KEYS("\030n");
	assert_int_equal(terminal_finish(), 0);
}

static void from_the_chat_and_back(void **state)
{
	(void)state;
	terminal_start(24, 80, "xterm-256color", "", "chat");
	EXPECT("model base");
	KEYS("/write note.txt\r");
	EXPECT(" write  note.txt");
	KEYS("\033s");
	KEYS("kept\023");
	EXPECT("written");
	KEYS("\030");
	EXPECT(" chat");
	holds("note.txt", "kept\n", 5);
	KEYS("\030d");
	EXPECT(" write  (no name yet)");
	KEYS("\030");
	EXPECT(" chat");
	KEYS("/write .\r");
	EXPECT(". is a folder");
	KEYS("\003");
	terminal_drain(50);
	KEYS("\003\004");
	assert_int_equal(terminal_finish(), 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, terminal_fresh, terminal_gone)
	const struct CMUnitTest tests[] = {
		T(a_letter), T(undo_and_redo), T(rows_break_at_words), T(search_and_replace), T(lines_are_cut_and_pasted),
		T(bytes_survive), T(what_was_not_saved_comes_back), T(a_disk_that_is_full), T(files_that_others_write),
		T(what_is_no_file), T(an_editor_of_ones_own), T(ten_megabytes), T(resized_at_any_moment),
		T(random_keys_do_no_harm),
		T(misspelt_words_are_marked), T(bad_news_waits), T(ghost_text_is_taken), T(documents_have_a_role_of_their_own),
		T(no_ghost_where_none_belongs), T(from_the_chat_and_back),
	};

	cmocka_set_test_filter(getenv("ONLY"));      /* a pattern: these tests alone */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
