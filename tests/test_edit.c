/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The writing desk's core without a screen: the text in blocks, undo, search, rows, files, recovery copies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../ui/wrap.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/utf8.h"
#include "edit.h"
#include "editfile.h"
#include "editfind.h"
#include "recovery.h"

/* A seed a run, printed when it fails; SEED repeats one. */
static uint64_t seed(void)
{
	const char *s = getenv("SEED");
	const uint64_t n = s ? strtoull(s, NULL, 10) : (uint64_t)time(NULL);

	print_message("# SEED=%llu\n", (unsigned long long)n);
	return n;
}

static char *all_of(const struct editbuf *b, size_t *n)
{
	char *s = xmalloc(editbuf_len(b) + 1);

	*n = editbuf_read(b, 0, s, editbuf_len(b));
	return s;
}

static void same_text(const struct editbuf *b, const struct str *want)
{
	size_t n;
	char *s = all_of(b, &n);

	assert_int_equal(n, want->len);
	assert_int_equal(n, editbuf_len(b));
	assert_memory_equal(s, want->s, n);
	free(s);
}

/* ---- the naive model: one string ---- */

static void naive_replace(struct str *s, size_t at, size_t del, const char *ins, size_t n)
{
	struct str out = STR_INIT;

	str_add(&out, s->s, at);
	str_add(&out, ins, n);
	str_add(&out, s->s + at + del, s->len - at - del);
	str_free(s);
	*s = out;
}

static size_t naive_words(const struct str *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->len; i++)
		n += !strchr(" \t\n\v\f\r", s->s[i] ? s->s[i] : 'x') && (i == 0 || strchr(" \t\n\v\f\r", s->s[i - 1] ? s->s[i - 1] : 'x'));
	return n;
}

static void check(const struct editbuf *b, const struct str *s, struct rng *r)
{
	size_t newlines = 0, chars = 0, lines_before = 0, chars_before = 0, at = rng_below(r, s->len + 1), n, k, start, end;
	const char *span;

	same_text(b, s);
	for (size_t i = 0; i < s->len; i++) {
		newlines += s->s[i] == '\n';
		chars += ((unsigned char)s->s[i] & 0xc0) != 0x80;
		lines_before += i < at && s->s[i] == '\n';
		chars_before += i < at && ((unsigned char)s->s[i] & 0xc0) != 0x80;
	}
	assert_int_equal(editbuf_newlines(b), newlines);
	assert_int_equal(editbuf_chars(b), chars);
	assert_int_equal(editbuf_words(b), naive_words(s));
	assert_int_equal(editbuf_newlines_before(b, at), lines_before);
	assert_int_equal(editbuf_chars_before(b, at), chars_before);
	for (start = at; start > 0 && s->s[start - 1] != '\n'; start--)
		;
	for (end = at; end < s->len && s->s[end] != '\n'; end++)
		;
	assert_int_equal(editbuf_line_start(b, at), start);
	assert_int_equal(editbuf_line_end(b, at), end);
	assert_int_equal(editbuf_nth_line(b, lines_before), start);
	assert_int_equal(editbuf_byte(b, at), at < s->len ? (unsigned char)s->s[at] : -1);
	span = editbuf_span(b, at, &n);
	assert_true(n <= s->len - at && (n > 0 || at == s->len));
	assert_memory_equal(span, s->s + at, n);
	k = editbuf_nth_line(b, newlines + 5);
	assert_true(k == 0 || s->s[k - 1] == '\n');
}

static size_t random_bytes(struct rng *r, char *out, size_t most)
{
	static const char *const bits[] = { "a", "B", " ", "\n", "word", "\r\n", "\xc3\xa9", "\xe6\x97\xa5", "\xff", "\0", "\t", "e\xcc\x81", "  " };
	const size_t n = rng_below(r, most);
	size_t len = 0;

	while (len < n) {
		const size_t k = rng_below(r, sizeof(bits) / sizeof(bits[0]));
		const size_t part = k == 9 ? 1 : strlen(bits[k]);

		memcpy(out + len, bits[k], part);
		len += part;
	}
	return len;
}

static void random_edits_agree_with_a_string(void **state)
{
	static const size_t blocks[] = { 1, 4, 5, 64, 0 };
	struct rng r;

	(void)state;
	rng_seed(&r, seed());
	for (size_t k = 0; k < sizeof(blocks) / sizeof(blocks[0]); k++) {
		struct editbuf *b = editbuf_new(blocks[k]);
		struct str s = STR_INIT;
		struct editsnap *snap = NULL;
		struct str at_snap = STR_INIT;

		for (int i = 0; i < 1500; i++) {
			char bytes[80];
			const size_t at = rng_below(&r, s.len + 1), del = rng_below(&r, 3) ? 0 : rng_below(&r, s.len - at + 1);
			const size_t n = random_bytes(&r, bytes, rng_below(&r, 10) ? 8 : 64);

			editbuf_delete(b, at, del);
			editbuf_insert(b, at, bytes, n);
			naive_replace(&s, at, del, bytes, n);
			check(b, &s, &r);
			/* what was taken away before must stay as it was then */
			if (rng_below(&r, 20) == 0) {
				editsnap_free(snap);
				snap = editbuf_snapshot(b);
				str_reset(&at_snap);
				str_add(&at_snap, s.s, s.len);
			}
		}
		if (snap) {
			FILE *f = tmpfile();
			char *back = xmalloc(at_snap.len + 1);

			assert_int_equal(editsnap_len(snap), at_snap.len);
			assert_int_equal(editsnap_write(snap, fileno(f)), 0);
			rewind(f);
			assert_int_equal(fread(back, 1, at_snap.len + 1, f), at_snap.len);
			assert_memory_equal(back, at_snap.s, at_snap.len);
			free(back);
			fclose(f);
		}
		editsnap_free(snap);
		editbuf_free(b);
		str_free(&s);
		str_free(&at_snap);
	}
}

/* ---- undo ---- */

static void every_step_back_and_forward(void **state)
{
	struct rng r;
	struct edit *d = edit_new(editbuf_new(16));
	struct str *was = xcalloc(400, sizeof(*was));
	size_t cursor;

	(void)state;
	rng_seed(&r, seed());
	for (size_t i = 0; i < 400; i++)
		was[i] = (struct str)STR_INIT;
	for (size_t i = 0; i + 1 < 400; i++) {
		char bytes[80];
		const size_t len = editbuf_len(edit_text(d)), at = rng_below(&r, len + 1), n = 1 + random_bytes(&r, bytes + 1, 8);
		const size_t del = rng_below(&r, 2) ? 0 : rng_below(&r, len - at + 1);

		bytes[0] = 'x';
		str_add(&was[i + 1], was[i].s, was[i].len);
		naive_replace(&was[i + 1], at, del, bytes, n);
		edit_replace(d, at, del, bytes, n, EDIT_ALONE);
		same_text(edit_text(d), &was[i + 1]);
	}
	edit_saved(d);
	for (size_t i = 398; i + 1 > 0 && edit_undo(d, &cursor); i--) {
		same_text(edit_text(d), &was[i]);
		assert_true(cursor <= editbuf_len(edit_text(d)));
		assert_true(edit_modified(d));
	}
	assert_int_equal(editbuf_len(edit_text(d)), 0);
	for (size_t i = 1; edit_redo(d, &cursor); i++)
		same_text(edit_text(d), &was[i]);
	same_text(edit_text(d), &was[399]);
	assert_false(edit_modified(d));
	for (size_t i = 0; i < 400; i++)
		str_free(&was[i]);
	free(was);
	edit_free(d);
}

static void text_is(const struct edit *d, const char *want)
{
	size_t n;
	char *s = all_of(edit_text(d), &n);

	assert_int_equal(n, strlen(want));
	assert_memory_equal(s, want, n);
	free(s);
}

static void type(struct edit *d, const char *s)
{
	for (; *s; s++)
		edit_replace(d, editbuf_len(edit_text(d)), 0, s, 1, EDIT_TYPING);
}

static void undo_goes_by_words(void **state)
{
	struct edit *d = edit_new(editbuf_new(0));
	size_t cursor;

	(void)state;
	type(d, "good morning dear");
	assert_true(edit_undo(d, &cursor));
	text_is(d, "good morning ");
	assert_true(edit_undo(d, &cursor));
	text_is(d, "good ");
	assert_true(edit_redo(d, &cursor));
	text_is(d, "good morning ");
	type(d, "x");                             /* and what could be redone is gone */
	assert_false(edit_redo(d, &cursor));
	assert_true(edit_undo(d, &cursor));
	text_is(d, "good morning ");
	/* erased letter by letter, back as a word */
	for (int i = 0; i < 4; i++)
		edit_replace(d, editbuf_len(edit_text(d)) - 1, 1, "", 0, EDIT_TYPING);
	text_is(d, "good morn");
	assert_true(edit_undo(d, &cursor));
	text_is(d, "good morning ");
	/* saved in the middle of a word: the rest is another step */
	type(d, "ab");
	edit_saved(d);
	type(d, "cd");
	assert_true(edit_modified(d));
	assert_true(edit_undo(d, &cursor));
	text_is(d, "good morning ab");
	assert_false(edit_modified(d));
	/* a step of several changes */
	edit_replace(d, 0, 4, "bad", 3, EDIT_ALONE);
	edit_replace(d, 0, 0, "very ", 5, EDIT_MORE);
	text_is(d, "very bad morning ab");
	assert_true(edit_undo(d, &cursor));
	text_is(d, "good morning ab");
	/* what was saved cannot come back once another way was taken */
	assert_true(edit_undo(d, &cursor));
	type(d, "z");
	assert_true(edit_modified(d));
	while (edit_undo(d, &cursor))
		assert_true(edit_modified(d));
	edit_free(d);
}

/* ---- search ---- */

static void found_wherever_it_is(void **state)
{
	struct editbuf *b = editbuf_new(7);
	struct str big = STR_INIT;
	struct editfind f;
	size_t len, at;

	(void)state;
	for (size_t i = 0; i < 200000; i++)
		str_addc(&big, "abcd efgh\n"[i % 10]);
	editbuf_insert(b, 0, big.s, big.len);
	/* across the windows that the search reads, 64 KiB each */
	for (at = 65520; at < 65560; at++) {
		editbuf_insert(b, at, "N\xc3\x84""DEL", 6);
		editfind_init(&f, "n\xc3\xa4""del", 6);
		assert_int_equal(editfind_first(&f, b, 0, SIZE_MAX, &len), at);
		assert_int_equal(len, 6);
		assert_int_equal(editfind_last(&f, b, 0, SIZE_MAX, &len), at);
		assert_int_equal(editfind_first(&f, b, at + 1, SIZE_MAX, &len), SIZE_MAX);
		assert_int_equal(editfind_last(&f, b, 0, at, &len), SIZE_MAX);
		editfind_fini(&f);
		editfind_init(&f, "N\xc3\xa4""del", 6);          /* a capital in it: letter case counts */
		assert_int_equal(editfind_first(&f, b, 0, SIZE_MAX, &len), SIZE_MAX);
		editfind_fini(&f);
		editbuf_delete(b, at, 6);
	}
	/* the kelvin sign is a k of another length; broken bytes are found as bytes */
	editbuf_insert(b, 100, "\xe2\x84\xaa\xff", 4);
	editfind_init(&f, "k\xff", 2);
	assert_int_equal(editfind_first(&f, b, 0, SIZE_MAX, &len), 100);
	assert_int_equal(len, 4);
	editfind_fini(&f);
	str_free(&big);
	editbuf_free(b);
}

static void replaced_as_a_string_would(void **state)
{
	struct rng r;

	(void)state;
	rng_seed(&r, seed());
	for (int i = 0; i < 300; i++) {
		static const char *const whats[] = { "a", "aa", "aba", "\xc3\xa9", "b\n" }, *const withs[] = { "", "x", "aa", "long one" };
		struct editbuf *b = editbuf_new(i % 50 == 0 ? 1000 : 1 + rng_below(&r, 9));
		struct str s = STR_INIT, want = STR_INIT, out = STR_INIT;
		const char *what = whats[rng_below(&r, 5)], *with = withs[rng_below(&r, 4)];
		const size_t n = i % 50 == 0 ? 150000 : rng_below(&r, 60);
		struct editfind f;
		size_t count = 0, to, from, got;

		while (s.len < n)
			str_adds(&s, (const char *const[]){ "a", "b", "\xc3\xa9", "\n" }[rng_below(&r, 4)]);
		editbuf_insert(b, 0, s.s, s.len);
		from = rng_below(&r, s.len + 1);
		while (from < s.len && ((unsigned char)s.s[from] & 0xc0) == 0x80)
			from++;
		for (size_t k = from; k < s.len;) {
			if (s.len - k >= strlen(what) && memcmp(s.s + k, what, strlen(what)) == 0) {
				str_adds(&want, with);
				k += strlen(what);
				count++;
			} else {
				str_addc(&want, s.s[k++]);
			}
		}
		editfind_init(&f, what, strlen(what));
		to = s.len;
		got = editfind_replaced(&f, b, from, &to, with, strlen(with), &out);
		assert_int_equal(got, count);
		str_add(&out, s.s + to, s.len - to);
		assert_int_equal(out.len, want.len);
		assert_memory_equal(out.s, want.s, out.len);
		editfind_fini(&f);
		editbuf_free(b);
		str_free(&s);
		str_free(&want);
		str_free(&out);
	}
}

/* ---- rows ---- */

/* Rows cover the text in order, fit, and are found again from every byte. */
static void rows_hold(const struct editbuf *b, struct wrap *w, int columns)
{
	const size_t n = editbuf_len(b);
	size_t row = wrap_row(w, 0), before = WRAP_NONE;

	assert_int_equal(row, 0);
	while (row != WRAP_NONE) {
		const size_t next = wrap_next(w, row), end = wrap_row_end(w, row);
		const size_t last = end > row ? wrap_left(b, end) : row;

		assert_int_equal(wrap_prev(w, row), before);
		assert_true(end >= row && end <= n && (next == WRAP_NONE || next > row));
		/* between the end of a row and the next one there is a line end, or nothing */
		if (next != WRAP_NONE && wrap_soft(w, row))
			assert_int_equal(next, end);
		else if (next != WRAP_NONE)
			assert_true(editbuf_byte(b, next - 1) == '\n' && next - end <= 2);
		else
			assert_int_equal(end, n);
		for (size_t at = row; at < (next == WRAP_NONE ? n : next); at++)
			assert_int_equal(wrap_row(w, at), row);
		/* all but one blank at the end fit, unless a row is one cluster */
		if (last > row && editbuf_byte(b, last) != ' ' && editbuf_byte(b, last) != '\t')
			assert_true(wrap_column(w, row, end) <= columns);
		for (int goal = 0; goal < columns; goal += 3) {
			const size_t at = wrap_at_column(w, row, goal);

			assert_true(at >= row && at <= end && wrap_column(w, row, at) <= goal);
			assert_int_equal(wrap_row(w, at), row);
		}
		before = row;
		row = next;
	}
}

static void rows_of_any_text(void **state)
{
	struct rng r;

	(void)state;
	rng_seed(&r, seed());
	for (int i = 0; i < 50; i++) {
		struct editbuf *b = editbuf_new(0);
		struct wrap *w = wrap_new(64 + rng_below(&r, 200));
		const int columns = 2 + (int)rng_below(&r, 30);

		wrap_set(w, b, columns, i % 2);
		rows_hold(b, w, columns);
		for (int k = 0; k < 12; k++) {
			char bytes[600];
			const size_t len = editbuf_len(b), at = rng_below(&r, len + 1), n = random_bytes(&r, bytes, k % 3 ? 12 : 500);

			editbuf_insert(b, at, bytes, n);
			rows_hold(b, w, columns);
		}
		wrap_free(w);
		editbuf_free(b);
	}
}

static void words_are_not_cut(void **state)
{
	struct editbuf *b = editbuf_new(0);
	struct wrap *w = wrap_new(0);
	size_t row;

	(void)state;
	editbuf_insert(b, 0, "one two three\r\n\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe6\x97\xa5\n12345678901", 39);
	wrap_set(w, b, 7, false);
	row = wrap_next(w, 0);
	assert_int_equal(row, 8);                 /* "one two " hangs its blank */
	assert_int_equal(wrap_row_end(w, row), 13);      /* CR and newline are no part of it */
	row = wrap_next(w, row);
	assert_int_equal(row, 15);
	assert_int_equal(wrap_next(w, row), 15 + 9);     /* three of two columns each */
	row = wrap_next(w, wrap_next(w, row));
	assert_int_equal(wrap_next(w, row), row + 7);    /* a word longer than a row */
	assert_int_equal(wrap_right(b, 13), 15);
	assert_int_equal(wrap_left(b, 15), 13);
	wrap_free(w);
	editbuf_free(b);
}

static void clusters_forward_are_clusters_back(void **state)
{
	struct rng r;

	(void)state;
	rng_seed(&r, seed());
	for (int i = 0; i < 300; i++) {
		struct editbuf *b = editbuf_new(0);
		char bytes[600];
		size_t n = random_bytes(&r, bytes, 400), at = 0;

		editbuf_insert(b, 0, bytes, n);
		while (at < n) {
			const size_t next = wrap_right(b, at);

			assert_true(next > at && next <= n);
			assert_int_equal(wrap_left(b, next), at);
			at = next;
		}
		editbuf_free(b);
	}
}

static void nothing_shown_is_obeyed(void **state)
{
	struct rng r;

	(void)state;
	rng_seed(&r, seed());
	for (int i = 0; i < 20000; i++) {
		char s[64];
		const size_t n = 1 + rng_below(&r, 63);
		struct str out = STR_INIT;
		int width;
		size_t len;

		for (size_t k = 0; k < n; k++)
			s[k] = (char)(rng_below(&r, 3) ? rng_below(&r, 256) : (const uint64_t[]){ 0xc2, 0x9b, 0xe2, 0x80, 0xae, 27 }[rng_below(&r, 6)]);
		len = wrap_glyph(s, n, 0, false, &width);
		assert_true(len >= 1 && len <= n && width >= 0);
		wrap_show(s, len, 0, false, &out);
		assert_int_equal(utf8_valid_upto(out.s, out.len), out.len);
		for (size_t k = 0; k < out.len;) {
			int32_t c;

			k += utf8_decode(out.s + k, out.len - k, &c);
			assert_true(c >= 0x20 && c != 0x7f && !(c >= 0x80 && c < 0xa0) && !(c >= 0x202a && c <= 0x202e));
		}
		str_free(&out);
	}
}

/* ---- files ---- */

static char folder[32];

static int fresh(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/answerback-ed-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int gone(void **state)
{
	char cmd[120];

	(void)state;
	snprintf(cmd, sizeof(cmd), "chmod -R u+rwx %s; rm -rf %s", folder, folder);
	return system(cmd) == 0 ? 0 : -1;
}

static const char *in(const char *name)
{
	static char path[4][80];
	static int k;

	k = (k + 1) % 4;
	snprintf(path[k], sizeof(path[k]), "%s/%s", folder, name);
	return path[k];
}

static void put(const char *path, const char *s, size_t n)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(s, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

static void holds(const char *path, const char *s, size_t n)
{
	FILE *f = fopen(path, "r");
	char *back = xmalloc(n + 2);

	assert_non_null(f);
	assert_int_equal(fread(back, 1, n + 2, f), n);
	assert_memory_equal(back, s, n);
	free(back);
	fclose(f);
}

static int save(struct editfile *f, const char *path, struct editbuf *b, struct err *e)
{
	struct editsnap *s = editbuf_snapshot(b);
	const int rc = editfile_save(f, path, s, e);

	editsnap_free(s);
	return rc;
}

static void bytes_go_through_unchanged(void **state)
{
	static const char bytes[] = "a\r\nb\n\xff\xfe\0\x01 \xc3 no end";
	struct editbuf *b = editbuf_new(5);
	struct editfile f;
	struct err e = ERR_INIT;
	struct stat st;
	char cmd[80];

	(void)state;
	put(in("one"), bytes, sizeof(bytes) - 1);
	chmod(in("one"), 0640);
	assert_int_equal(symlink("one", in("link")), 0);
	assert_int_equal(editfile_load(&f, in("link"), b, &e), 0);
	assert_int_equal(save(&f, in("link"), b, &e), 0);
	holds(in("one"), bytes, sizeof(bytes) - 1);
	assert_int_equal(lstat(in("link"), &st), 0);
	assert_true(S_ISLNK(st.st_mode));         /* it still is one */
	assert_int_equal(stat(in("one"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	/* a link to nothing makes what it leads to */
	assert_int_equal(symlink("later", in("ahead")), 0);
	assert_int_equal(save(&f, in("ahead"), b, &e), 0);
	holds(in("later"), bytes, sizeof(bytes) - 1);
	/* both names of one file get the new text */
	assert_int_equal(link(in("one"), in("two")), 0);
	assert_true(editfile_in_place(in("one")));
	editbuf_delete(b, 0, 3);
	assert_int_equal(save(&f, in("one"), b, &e), 0);
	holds(in("two"), bytes + 3, sizeof(bytes) - 4);
	/* nothing is left lying about */
	snprintf(cmd, sizeof(cmd), "test $(ls -A %s | wc -l) = 5", folder);
	assert_int_equal(system(cmd), 0);
	editfile_fini(&f);
	editbuf_free(b);
}

static void what_is_no_file_is_refused(void **state)
{
	struct editbuf *b = editbuf_new(0);
	struct editfile f = { 0 };
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(mkfifo(in("fifo"), 0600), 0);
	assert_int_equal(editfile_load(&f, in("fifo"), b, &e), ERR_USAGE);
	assert_non_null(strstr(e.msg, "is a FIFO"));
	assert_int_equal(editfile_load(&f, folder, b, &e), ERR_USAGE);
	assert_non_null(strstr(e.msg, "is a folder"));
	assert_int_equal(editfile_load(&f, "/dev/null", b, &e), ERR_USAGE);
	assert_int_equal(editfile_load(&f, in("no/such"), b, &e), ERR_NOTFOUND);
	assert_int_equal(editfile_load(&f, in("new/"), b, &e), ERR_USAGE);
	assert_int_equal(editfile_load(&f, "", b, &e), ERR_USAGE);
	assert_int_equal(save(&f, in("fifo"), b, &e), ERR_USAGE);
	assert_int_equal(editfile_load(&f, in("new"), b, &e), 0);
	assert_false(f.exists);
	editfile_fini(&f);
	put(in("fixed"), "x", 1);
	chmod(in("fixed"), 0444);
	assert_int_equal(editfile_load(&f, in("fixed"), b, &e), 0);
	assert_true(f.read_only);
	assert_int_equal(save(&f, in("fixed"), b, &e), ERR_IO);
	assert_non_null(strstr(e.msg, "read-only"));
	editfile_fini(&f);
	editbuf_free(b);
}

static void others_changes_are_noticed(void **state)
{
	struct editbuf *b = editbuf_new(0);
	struct editfile f;
	struct err e = ERR_INIT;

	(void)state;
	put(in("one"), "text", 4);
	assert_int_equal(editfile_load(&f, in("one"), b, &e), 0);
	assert_false(editfile_changed(&f));
	assert_string_equal(editfile_doubt(&f, f.path), "");
	put(in("one"), "other", 5);
	assert_true(editfile_changed(&f));
	assert_string_equal(editfile_doubt(&f, f.path), "has changed on disk");
	put(in("two"), "", 0);
	assert_string_equal(editfile_doubt(&f, in("two")), "exists");
	assert_string_equal(editfile_doubt(&f, in("three")), "");
	assert_int_equal(save(&f, f.path, b, &e), 0);
	assert_false(editfile_changed(&f));
	editfile_fini(&f);
	editbuf_free(b);
}

static void copies_are_kept_until_they_are_not_needed(void **state)
{
	struct editbuf *b = editbuf_new(0);
	struct recovery *r, *other;
	struct err e = ERR_INIT;
	struct stat st;
	time_t when;
	char path[200];

	(void)state;
	setenv("ANSWERBACK_DATA_DIR", folder, 1);
	unsetenv("ANSWERBACK_PRIVATE");
	editbuf_insert(b, 0, "unsaved", 7);
	r = recovery_open(in("letter"), &e);
	assert_true(recovery_kept(r));
	assert_null(recovery_found(r, &when));
	assert_int_equal(recovery_write_now(r, editbuf_snapshot(b), &e), 0);
	/* while it is open, another has a copy of its own */
	other = recovery_open(in("letter"), &e);
	assert_true(recovery_shared(other));
	assert_null(recovery_found(other, &when));
	recovery_close(other);
	recovery_close(r);
	r = recovery_open(in("letter"), &e);
	assert_false(recovery_shared(r));
	assert_non_null(recovery_found(r, &when));
	snprintf(path, sizeof(path), "%s", recovery_found(r, &when));
	holds(path, "unsaved", 7);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_true(when > time(NULL) - 1000);
	recovery_write(r, editbuf_snapshot(b));
	recovery_clear(r);
	recovery_close(r);
	assert_int_not_equal(stat(path, &st), 0);
	setenv("ANSWERBACK_PRIVATE", "1", 1);
	r = recovery_open(in("letter"), &e);
	assert_false(recovery_kept(r));
	recovery_write(r, editbuf_snapshot(b));
	recovery_close(r);
	unsetenv("ANSWERBACK_PRIVATE");
	editbuf_free(b);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, fresh, gone)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_edits_agree_with_a_string), cmocka_unit_test(every_step_back_and_forward),
		cmocka_unit_test(undo_goes_by_words), cmocka_unit_test(found_wherever_it_is), cmocka_unit_test(replaced_as_a_string_would),
		cmocka_unit_test(rows_of_any_text), cmocka_unit_test(words_are_not_cut), cmocka_unit_test(clusters_forward_are_clusters_back),
		cmocka_unit_test(nothing_shown_is_obeyed), T(bytes_go_through_unchanged), T(what_is_no_file_is_refused),
		T(others_changes_are_noticed), T(copies_are_kept_until_they_are_not_needed),
	};

	cmocka_set_test_filter(getenv("ONLY"));      /* a pattern: these tests alone */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
