/* SPDX-License-Identifier: GPL-3.0-or-later */
/* desk_edit: moving, typing, erasing, cutting and pasting. */
#include <curses.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "desk_private.h"
#include "term.h"

static size_t length(const struct desk *d)
{
	return editbuf_len(desk_text(d));
}

void desk_move(struct desk *d, size_t to)
{
	d->cursor = to < length(d) ? to : length(d);
	d->goal = -1;
	edit_pause(d->doc);
	desk_ghost_clear(d, "ignored");
}

static void replace(struct desk *d, size_t at, size_t del, const char *s, size_t n, enum edit_kind kind)
{
	edit_replace(d->doc, at, del, s, n, kind);
	d->cursor = at + n;
	d->goal = -1;
	d->mark = SIZE_MAX;
}

bool desk_selection(const struct desk *d, size_t *from, size_t *to)
{
	*from = d->mark < d->cursor ? d->mark : d->cursor;
	*to = d->mark < d->cursor ? d->cursor : d->mark;
	return d->mark != SIZE_MAX;
}

void desk_typed(struct desk *d, const char *bytes, size_t n)
{
	desk_ghost_typed(d, bytes, n);
	replace(d, d->cursor, 0, bytes, n, EDIT_TYPING);
	d->typed = true;
	d->cutting = false;
}

void desk_pasted(struct desk *d, const char *bytes, size_t n)
{
	struct str s = STR_INIT;

	desk_ghost_clear(d, "ignored");
	for (size_t i = 0; d->dos && i < n; i++) {
		if (bytes[i] == '\n')
			str_addc(&s, '\r');
		str_addc(&s, bytes[i]);
	}
	replace(d, d->cursor, 0, d->dos ? s.s : bytes, d->dos ? s.len : n, EDIT_ALONE);
	d->typed = d->cutting = false;
	str_free(&s);
}

static void erase_range(struct desk *d, size_t from, size_t to)
{
	desk_ghost_clear(d, "ignored");
	if (to > from)
		replace(d, from, to - from, "", 0, to - from <= 128 && from < d->cursor ? EDIT_TYPING : EDIT_ALONE);
}

/* ---- words ---- */

static bool in_word(int c)
{
	return c >= 0x80 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '\'' || c == '_';
}

static size_t word_right(const struct desk *d)
{
	const struct editbuf *b = desk_text(d);
	size_t at = d->cursor, n;
	bool was = false;

	for (const char *s = editbuf_span(b, at, &n); n > 0; s = editbuf_span(b, at, &n)) {
		for (size_t i = 0; i < n; i++, at++) {
			const bool in = in_word((unsigned char)s[i]);

			if (was && !in)
				return at;
			was = in;
		}
	}
	return at;
}

static size_t word_left(const struct desk *d)
{
	const struct editbuf *b = desk_text(d);
	size_t at = d->cursor;
	bool was = false;
	char s[4096];

	while (at > 0) {
		const size_t from = at > sizeof(s) ? at - sizeof(s) : 0, n = editbuf_read(b, from, s, at - from);

		for (size_t i = n; i > 0; i--) {
			const bool in = in_word((unsigned char)s[i - 1]);

			if (was && !in)
				return from + i;
			was = in;
		}
		at = from;
	}
	return 0;
}

/* ---- rows ---- */

static void to_row(struct desk *d, size_t row, int goal)
{
	desk_move(d, wrap_at_column(d->wrap, row, goal));
	d->goal = goal;
}

/* n rows up (negative) or down. */
static void vertical(struct desk *d, int n)
{
	size_t row = wrap_row(d->wrap, d->cursor), last = row;
	const int goal = d->goal >= 0 ? d->goal : wrap_column(d->wrap, row, d->cursor);

	for (int i = 0; i < abs(n) && row != WRAP_NONE; i++) {
		last = row;
		row = n < 0 ? wrap_prev(d->wrap, row) : wrap_next(d->wrap, row);
	}
	if (row != WRAP_NONE)
		to_row(d, row, goal);
	else if (abs(n) > 1)
		to_row(d, last, goal);
	else
		desk_move(d, n < 0 ? 0 : length(d));      /* as nano does on the first row and the last */
}

static void page(struct desk *d, int sign)
{
	const int n = d->rows > 3 ? d->rows - 2 : 1;
	size_t top = d->top;

	for (int i = 0; i < n && top != WRAP_NONE; i++) {
		d->top = top;
		top = sign < 0 ? wrap_prev(d->wrap, top) : wrap_next(d->wrap, top);
	}
	if (top != WRAP_NONE)
		d->top = top;
	vertical(d, sign * n);
}

static void home(struct desk *d)
{
	const size_t row = wrap_row(d->wrap, d->cursor);

	desk_move(d, d->cursor != row ? row : editbuf_line_start(desk_text(d), row));
}

static void end(struct desk *d)
{
	const size_t row = wrap_row(d->wrap, d->cursor), last = wrap_at_column(d->wrap, row, 1 << 20);

	desk_move(d, d->cursor != last ? last : wrap_line_end(desk_text(d), row));
}

/* ---- cut, copy, paste ---- */

/* The marked text, or the line with its end. */
static void take_range(const struct desk *d, size_t *from, size_t *to)
{
	if (desk_selection(d, from, to))
		return;
	*from = editbuf_line_start(desk_text(d), d->cursor);
	*to = editbuf_line_end(desk_text(d), d->cursor);
	*to += *to < length(d);
}

static void cut_or_copy(struct desk *d, bool cut)
{
	size_t from, to;
	char *bytes;

	take_range(d, &from, &to);
	desk_ghost_clear(d, "ignored");
	if (!d->cutting || d->mark != SIZE_MAX)
		str_reset(&d->clip);
	bytes = xmalloc(to - from + 1);
	str_add(&d->clip, bytes, editbuf_read(desk_text(d), from, bytes, to - from));
	free(bytes);
	if (cut)
		replace(d, from, to - from, "", 0, EDIT_ALONE);
	else if (d->mark == SIZE_MAX)
		desk_move(d, to);      /* the next line, so that copying again adds it */
	d->mark = SIZE_MAX;
	d->cutting = true;
}

static void paste(struct desk *d)
{
	if (d->clip.len == 0) {
		desk_note(d, "nothing was cut yet");
		return;
	}
	desk_ghost_clear(d, "ignored");
	replace(d, d->cursor, 0, d->clip.s, d->clip.len, EDIT_ALONE);
}

static void back(struct desk *d, bool redo)
{
	size_t cursor;

	desk_ghost_clear(d, "ignored");
	if (!(redo ? edit_redo(d->doc, &cursor) : edit_undo(d->doc, &cursor))) {
		desk_note(d, redo ? "nothing to redo" : "nothing to undo");
		return;
	}
	d->cursor = cursor;
	d->goal = -1;
	d->mark = SIZE_MAX;
}

static void enter(struct desk *d)
{
	desk_ghost_clear(d, "ignored");
	replace(d, d->cursor, 0, d->dos ? "\r\n" : "\n", d->dos ? 2 : 1, EDIT_TYPING);
	edit_pause(d->doc);
}

static void tab(struct desk *d)
{
	if (d->ghost && desk_now() - d->ghost_since >= 150 && desk_ghost_accept(d, false))
		return;
	desk_typed(d, "\t", 1);
}

void desk_do(struct desk *d, enum desk_action a)
{
	const struct editbuf *b = desk_text(d);
	const bool was_cutting = d->cutting;

	d->typed = a == DESK_ERASE || a == DESK_TAB;
	d->cutting = a == DESK_CUT || a == DESK_COPY ? was_cutting : false;
	switch (a) {
	case DESK_WRITE:
	case DESK_SAVE:
		desk_write_out(d, a == DESK_WRITE);
		break;
	case DESK_EXIT:
		desk_exit(d);
		break;
	case DESK_READ:
		desk_read_file(d);
		break;
	case DESK_EDITOR:
		desk_editor(d);
		break;
	case DESK_SEARCH:
		desk_search(d);
		break;
	case DESK_NEXT_MATCH:
	case DESK_LAST_MATCH:
		desk_next(d, a == DESK_LAST_MATCH);
		break;
	case DESK_REPLACE:
		desk_replace(d);
		break;
	case DESK_GO_TO:
		desk_go_to(d);
		break;
	case DESK_POSITION:
		desk_position(d);
		break;
	case DESK_UNDO:
	case DESK_REDO:
		back(d, a == DESK_REDO);
		break;
	case DESK_CUT:
	case DESK_COPY:
		cut_or_copy(d, a == DESK_CUT);
		break;
	case DESK_PASTE:
		paste(d);
		break;
	case DESK_MARK:
		d->mark = d->mark == SIZE_MAX ? d->cursor : SIZE_MAX;
		desk_note(d, d->mark == SIZE_MAX ? "nothing is marked" : "marking: move, then C-k cuts, M-^ copies");
		break;
	case DESK_ACCEPT:
		if (!desk_ghost_accept(d, false))
			desk_move(d, wrap_right(b, d->cursor));
		break;
	case DESK_ACCEPT_END:
		if (!desk_ghost_accept(d, false))
			end(d);
		break;
	case DESK_ACCEPT_WORD:
		if (!desk_ghost_accept(d, true))
			desk_move(d, word_right(d));
		break;
	case DESK_TAB:
		tab(d);
		break;
	case DESK_DISMISS:
		if (d->ghost) {
			desk_ghost_clear(d, "dismissed");
		} else {
			d->help = true;
			d->help_top = 0;
		}
		break;
	case DESK_GHOST:
		d->ghost_on = !d->ghost_on;
		desk_ghost_clear(d, NULL);
		desk_note(d, "grey text is %s", d->ghost_on ? "on" : "off");
		break;
	case DESK_LEFT:
		desk_move(d, wrap_left(b, d->cursor));
		break;
	case DESK_WORD_LEFT:
		desk_move(d, word_left(d));
		break;
	case DESK_HOME:
		home(d);
		break;
	case DESK_UP:
	case DESK_DOWN:
		vertical(d, a == DESK_UP ? -1 : 1);
		break;
	case DESK_PAGE_UP:
	case DESK_PAGE_DOWN:
		page(d, a == DESK_PAGE_UP ? -1 : 1);
		break;
	case DESK_FIRST:
		desk_move(d, 0);
		break;
	case DESK_LAST:
		desk_move(d, length(d));
		break;
	case DESK_ERASE:
		erase_range(d, wrap_left(b, d->cursor), d->cursor);
		break;
	case DESK_DELETE:
		erase_range(d, d->cursor, wrap_right(b, d->cursor));
		break;
	case DESK_ERASE_WORD:
		erase_range(d, word_left(d), d->cursor);
		break;
	case DESK_DELETE_WORD:
		erase_range(d, d->cursor, word_right(d));
		break;
	case DESK_ENTER:
		enter(d);
		break;
	case DESK_REDRAW:
		clearok(curscr, TRUE);
		break;
	case DESK_SUSPEND:
		desk_keep_copy(d, true);
		term_suspend();
		break;
	case DESK_ACTIONS:
		break;
	}
}
