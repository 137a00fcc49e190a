/* SPDX-License-Identifier: GPL-3.0-or-later */
/* desk_find: search, replace, and where the cursor is. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "desk_private.h"
#include "text.h"

/* ---- search ---- */

/* What was typed, or nothing typed: what was sought last. False: there is nothing to look for. */
static bool take_sought(struct desk *d)
{
	if (d->ask.text.len) {
		free(d->sought);
		d->sought = xstrdup(d->ask.text.s);
	}
	if (!d->sought)
		return false;
	editfind_fini(&d->find);
	editfind_init(&d->find, d->sought, strlen(d->sought));
	return true;
}

void desk_next(struct desk *d, bool back)
{
	const struct editbuf *b = desk_text(d);
	const size_t n = editbuf_len(b), here = d->cursor;
	size_t at, len;
	bool around = false;

	if (!d->sought) {
		desk_search(d);
		return;
	}
	if (back) {
		at = editfind_last(&d->find, b, 0, here, &len);
		if (at == SIZE_MAX)
			at = editfind_last(&d->find, b, here, n, &len);
		around = at != SIZE_MAX && at >= here;
	} else {
		at = editfind_first(&d->find, b, here + (here < n), n, &len);
		if (at == SIZE_MAX)
			at = editfind_first(&d->find, b, 0, here + (here < n), &len);
		around = at != SIZE_MAX && at <= here;
	}
	if (at == SIZE_MAX) {
		desk_note(d, "\"%.80s\" is not in the document", d->sought);
		return;
	}
	if (at == here)
		desk_note(d, "this is the only one");
	else if (around)
		desk_note(d, back ? "went on from the end" : "went on from the beginning");
	desk_move(d, at);
}

static void searched(struct desk *d, int key)
{
	if (key && take_sought(d))
		desk_next(d, false);
}

static void last_sought(const struct desk *d, char *out, size_t n)
{
	char *safe = text_safe(d->sought ? d->sought : "", d->sought ? strlen(d->sought) : 0, 0);

	snprintf(out, n, " [%.*s]", (int)text_fit(safe, strlen(safe), 30), safe);
	if (!d->sought)
		*out = '\0';
	free(safe);
}

void desk_search(struct desk *d)
{
	char last[140];

	last_sought(d, last, sizeof(last));
	desk_ask(d, "", searched, "Search%s: ", last);
}

/* ---- replace ---- */

static void next_one(struct desk *d);

static void replace_all(struct desk *d)
{
	const size_t ends[2] = { editbuf_len(desk_text(d)), d->stop };
	size_t count = 0, here = d->cursor;
	enum edit_kind kind = EDIT_ALONE;

	/* from here to the end, then from the beginning to where it began: one step to undo */
	for (int round = d->second_round; round < 2; round++) {
		const size_t from = round == 0 || d->second_round ? d->cursor : 0;
		size_t to = ends[round], n;
		struct str out = STR_INIT;

		if (to > from && (n = editfind_replaced(&d->find, desk_text(d), from, &to, d->with, strlen(d->with), &out)) > 0) {
			edit_replace(d->doc, from, to - from, out.s, out.len, kind);
			kind = EDIT_MORE;
			here = from + out.len;
			count += n;
		}
		str_free(&out);
	}
	desk_move(d, here);
	desk_note(d, "%zu replaced", count);
}

static void chosen(struct desk *d, int key)
{
	const size_t len = d->match, n = strlen(d->with);

	d->replacing = false;
	if (key == 'y') {
		edit_replace(d->doc, d->cursor, len, d->with, n, EDIT_ALONE);
		if (d->second_round)
			d->stop = d->stop + n - len;
		d->cursor += n;
		next_one(d);
	} else if (key == 'n') {
		d->cursor += len;
		next_one(d);
	} else if (key == 'a') {
		replace_all(d);
	} else {
		desk_note(d, "stopped; M-u undoes one after the other");
	}
}

static void next_one(struct desk *d)
{
	const struct editbuf *b = desk_text(d);
	size_t at = editfind_first(&d->find, b, d->cursor, d->second_round ? d->stop : editbuf_len(b), &d->match);

	if (at == SIZE_MAX && !d->second_round) {
		d->second_round = true;
		at = editfind_first(&d->find, b, 0, d->stop, &d->match);
	}
	if (at == SIZE_MAX) {
		desk_note(d, "no more of them");
		return;
	}
	desk_move(d, at);
	desk_choose(d, "ynaq", chosen, "Replace this one? y yes, n no, a all, q stop");
	d->replacing = true;
}

static void with_what(struct desk *d, int key)
{
	if (!key)
		return;
	free(d->with);
	d->with = xstrdup(d->ask.text.s);
	d->mark = SIZE_MAX;
	d->stop = d->cursor;
	d->second_round = false;
	next_one(d);
}

static void what(struct desk *d, int key)
{
	if (!key || !take_sought(d))
		return;
	desk_ask(d, "", with_what, "Replace with: ");
}

void desk_replace(struct desk *d)
{
	char last[140];

	last_sought(d, last, sizeof(last));
	desk_ask(d, "", what, "Search, to replace%s: ", last);
}

/* ---- places ---- */

static void went(struct desk *d, int key)
{
	const struct editbuf *b = desk_text(d);
	char *end;
	unsigned long line, column = 1;

	if (!key)
		return;
	line = strtoul(d->ask.text.s, &end, 10);
	if (*end == ',')
		column = strtoul(end + 1, &end, 10);
	if (*end || line < 1 || column < 1 || d->ask.text.s[0] == '-') {
		desk_note(d, "a line is a number, or LINE,COLUMN");
		return;
	}
	size_t at = editbuf_nth_line(b, line - 1);
	const size_t last = wrap_line_end(b, at);

	while (--column > 0 && at < last)
		at = wrap_right(b, at);
	desk_move(d, at);
}

void desk_go_to(struct desk *d)
{
	desk_ask(d, "", went, "Line, or line,column: ");
}

/* Words as `wc -w` counts them. */
static size_t words_between(const struct editbuf *b, size_t from, size_t to)
{
	size_t words = 0;
	bool in = false;

	while (from < to) {
		size_t n;
		const char *s = editbuf_span(b, from, &n);

		n = n < to - from ? n : to - from;
		for (size_t i = 0; i < n; i++) {
			const bool word = s[i] != ' ' && !(s[i] >= '\t' && s[i] <= '\r');

			words += word && !in;
			in = word;
		}
		from += n;
	}
	return words;
}

void desk_position(struct desk *d)
{
	const struct editbuf *b = desk_text(d);
	const size_t line = editbuf_line_start(b, d->cursor), chars = editbuf_chars(b);
	const size_t before = editbuf_chars_before(b, d->cursor);
	size_t from, to;

	if (desk_selection(d, &from, &to))
		desk_note(d, "marked: %zu words, %zu characters, %zu bytes", words_between(b, from, to),
		          editbuf_chars_before(b, to) - editbuf_chars_before(b, from), to - from);
	else
		desk_note(d, "line %zu/%zu, column %zu/%zu, word %zu/%zu, character %zu/%zu (%.0f%%)",
		          editbuf_newlines_before(b, d->cursor) + 1, editbuf_newlines(b) + 1,
		          before - editbuf_chars_before(b, line) + 1,
		          editbuf_chars_before(b, wrap_line_end(b, d->cursor)) - editbuf_chars_before(b, line) + 1,
		          words_between(b, 0, d->cursor), editbuf_words(b), before, chars,
		          chars ? 100 * (double)before / (double)chars : 100);
}
