/* SPDX-License-Identifier: GPL-3.0-or-later */
/* desk_draw: the document's rows around the cursor, the ghost, and the lines above and below. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "base/utf8.h"
#include "desk_private.h"
#include "text.h"
#include "ui_private.h"

enum { NEAR = 4, ROW_BYTES = 1 << 14 };

/* ---- what is shown ---- */

/* `rows` rows up from this one, as far as there are. */
static size_t up(struct desk *d, size_t row, int rows)
{
	for (size_t before; rows > 0 && (before = wrap_prev(d->wrap, row)) != WRAP_NONE; rows--)
		row = before;
	return row;
}

/* Rows from a to b, going down; -1: more than most. */
static int distance(struct desk *d, size_t a, size_t b, int most)
{
	int n = 0;

	for (; a != WRAP_NONE && n <= most; a = wrap_next(d->wrap, a), n++)
		if (a == b)
			return n;
	return -1;
}

/* Choose the first row, so that the cursor's is in view: by a few rows when it is near, else in the middle. */
static void keep_in_view(struct desk *d)
{
	const size_t row = wrap_row(d->wrap, d->cursor), len = editbuf_len(desk_text(d));

	d->top = wrap_row(d->wrap, d->top < len ? d->top : len);
	if (row < d->top) {
		d->top = distance(d, row, d->top, NEAR) >= 0 ? row : up(d, row, d->rows / 2);
	} else {
		const int n = distance(d, d->top, row, d->rows + NEAR);

		if (n < 0 || n >= d->rows)
			d->top = up(d, row, n < 0 ? d->rows / 2 : d->rows - 1);
	}
}

/* ---- spelling ---- */

static bool letter(int32_t c)
{
	const utf8proc_category_t k = utf8proc_category(c);

	return (k >= UTF8PROC_CATEGORY_LU && k <= UTF8PROC_CATEGORY_LO) || k == UTF8PROC_CATEGORY_MN || k == UTF8PROC_CATEGORY_MC;
}

/* Ask about one word, with the typewriter's apostrophe. */
static bool misspelt(struct desk *d, const char *s, size_t n)
{
	struct str w = STR_INIT;
	bool bad;

	for (size_t i = 0; i < n; i++) {
		if (n - i >= 3 && memcmp(s + i, "\xe2\x80\x99", 3) == 0) {
			str_addc(&w, '\'');
			i += 2;
		} else {
			str_addc(&w, s[i]);
		}
	}
	bad = spell_check(d->spell, w.s, w.len) == SPELL_BAD;
	str_free(&w);
	return bad;
}

/* Marks the bytes of misspelt words among s[0 .. n) in bad. Only plain words are asked about: not names with digits, not
 * ABBREVIATIONS, not addresses, not what is being typed, not what a row's end cuts. */
static void spelling(struct desk *d, size_t row, const char *s, size_t n, bool soft, bool *bad)
{
	const bool begun = row > 0 && editbuf_byte(desk_text(d), row - 1) > ' ';

	for (size_t i = 0; i < n;) {
		size_t from = i, end = i;
		bool fine = !(i == 0 && begun);

		for (; end < n && (unsigned char)s[end] > ' '; end++)
			fine = fine && !(s[end] >= '0' && s[end] <= '9') && !strchr("@/\\_<>=#", s[end]) &&
				!(s[end] == '.' && end + 1 < n && (unsigned char)s[end + 1] > ' ');
		fine = fine && !(end == n && soft);
		while (from < end && fine) {
			size_t at = from, capitals = 0, last = from;

			while (at < end) {      /* letters, and apostrophes between them */
				int32_t c;
				const size_t len = utf8_decode(s + at, end - at, &c);

				if (!letter(c) && !((c == '\'' || c == 0x2019) && at > from))
					break;
				capitals += utf8proc_category(c) == UTF8PROC_CATEGORY_LU && at > from;
				at += len;
				last = letter(c) ? at : last;
			}
			if (last > from && capitals == 0 && !(d->cursor >= row + from && d->cursor <= row + last) &&
			    misspelt(d, s + from, last - from))
				memset(bad + from, 1, last - from);
			from = at;
			if (from < end && at == last) {
				int32_t c;

				from += utf8_decode(s + from, end - from, &c);
			}
		}
		i = end + (end < n);
		while (i < n && (unsigned char)s[i] <= ' ')
			i++;
	}
}

/* ---- rows ---- */

enum mark { MARK_NONE, MARK_SELECTED, MARK_BAD };

static attr_t mark_attr(enum mark m)
{
	switch (m) {
	case MARK_SELECTED:
		return A_REVERSE;
	case MARK_BAD:
		return (attr_t)term_attr(STYLE_MISSPELT);
	case MARK_NONE:
		break;
	}
	return 0;
}

static void put(int y, int x, const struct str *s, enum mark m)
{
	attrset(mark_attr(m));
	mvaddnstr(y, x, s->s, (int)s->len);
	attrset(0);
}

static void draw_row(struct desk *d, int y, size_t row, int columns)
{
	static char s[ROW_BYTES];      /* the UI thread's */
	static bool bad[ROW_BYTES];
	const size_t end = wrap_row_end(d->wrap, row), n = editbuf_read(desk_text(d), row, s, end - row < ROW_BYTES ? end - row : ROW_BYTES);
	size_t from = SIZE_MAX, to = 0;
	struct str run = STR_INIT;
	enum mark mark = MARK_NONE;
	int x = 0, at = 0, width;

	if (d->replacing) {
		from = d->cursor;
		to = d->cursor + d->match;
	} else if (d->mark != SIZE_MAX) {
		desk_selection(d, &from, &to);
	}
	memset(bad, 0, n);
	if (spell_fd(d->spell) >= 0)
		spelling(d, row, s, n, wrap_soft(d->wrap, row), bad);
	for (size_t i = 0; i < n;) {
		const size_t len = wrap_glyph(s + i, n - i, x, term_ascii(), &width);
		const enum mark m = row + i >= from && row + i < to ? MARK_SELECTED : bad[i] ? MARK_BAD : MARK_NONE;

		if (x + width > columns)
			break;
		if (m != mark) {
			put(y, at, &run, mark);
			str_reset(&run);
			at = x;
			mark = m;
		}
		wrap_show(s + i, len, x, term_ascii(), &run);
		x += width;
		i += len;
	}
	put(y, at, &run, mark);
	str_free(&run);
}

/* The ghost goes on after the cursor: to the end of the row, and into the next one where that shows nothing. Words
 * that have no room are not shown, and not taken either. */
static void draw_ghost(struct desk *d, int y, int x, size_t row, int columns)
{
	const size_t next = wrap_next(d->wrap, row);
	const bool below = y < d->rows && (next == WRAP_NONE || wrap_row_end(d->wrap, next) == next);
	char *safe = text_safe(d->ghost, strlen(d->ghost), term_ascii());
	size_t n = strlen(safe), fit = text_fit(safe, n, columns - x);

	if (fit < n && !below) {
		char *last;

		d->ghost[fit < strlen(d->ghost) ? fit + 1 : fit] = '\0';
		last = strrchr(d->ghost, ' ');
		if (last)
			*last = '\0';
		else
			*d->ghost = '\0';
		free(safe);
		safe = text_safe(d->ghost, strlen(d->ghost), term_ascii());
		n = strlen(safe);
		fit = text_fit(safe, n, columns - x);
	}
	draw_text(y, x, columns - x, safe, fit, STYLE_GHOST);
	if (fit < n)
		draw_text(y + 1, 0, columns, safe + fit, n - fit, STYLE_GHOST);
	free(safe);
	if (!*d->ghost)
		desk_ghost_clear(d, NULL);
}

/* ---- lines around ---- */

static void title(struct desk *d, int columns)
{
	const bool changed = edit_modified(d->doc);
	char *name = d->file.path ? text_safe(d->file.path, strlen(d->file.path), term_ascii()) : NULL;
	char right[64];
	int w;

	snprintf(right, sizeof(right), "%s%s ", d->file.read_only ? "read-only  " : "", changed ? "modified" : "");
	w = (int)strlen(right);
	draw_line(0, 0, columns, STYLE_TITLE, " write  %s%*s", name ? name : "(no name yet)", columns, "");
	if (w > 1 && w + 8 < columns)
		draw_line(0, columns - w, w, STYLE_TITLE, "%s", right);
	free(name);
}

static void status(struct desk *d, int y, int columns)
{
	const struct editbuf *b = desk_text(d);
	const size_t line = editbuf_line_start(b, d->cursor), words = editbuf_words(b);

	draw_line(y, 0, columns, STYLE_PLAIN, "%sline %zu/%zu  column %zu  %zu word%s%s%s", edit_modified(d->doc) ? "* " : "  ",
	          editbuf_newlines_before(b, d->cursor) + 1, editbuf_newlines(b) + 1,
	          editbuf_chars_before(b, d->cursor) - editbuf_chars_before(b, line) + 1, words, words == 1 ? "" : "s",
	          d->mark != SIZE_MAX ? "  marking" : "", d->ghost_on ? "" : "  no grey text");
}

/* The bottom line; returns the column of the cursor in a question, -1 when there is none. */
static int bottom(struct desk *d, int y, int columns)
{
	char *safe, *before;
	int w, x;

	if (d->asking) {
		safe = text_safe(d->ask.label, strlen(d->ask.label), term_ascii());
		w = text_width(safe, strlen(safe));
		draw_text(y, 0, columns, safe, strlen(safe), STYLE_BOLD);
		free(safe);
		if (d->ask.choices)
			return w < columns ? w : columns - 1;
		safe = text_safe(d->ask.text.s, d->ask.text.len, term_ascii());
		before = text_safe(d->ask.text.s, d->ask.at, term_ascii());
		x = text_width(before, strlen(before));

		/* a long answer is shown from where its cursor is in view */
		const int room = columns - w - 1 > 8 ? columns - w - 1 : 8;
		const size_t skip = x > room ? text_fit(safe, strlen(safe), x - room + room / 3) : 0;

		x -= text_width(safe, skip);
		draw_text(y, w, columns - w, safe + skip, strlen(safe + skip), STYLE_PLAIN);
		free(safe);
		free(before);
		return w + x < columns ? w + x : columns - 1;
	}
	if (*d->note && desk_now() < d->note_until) {
		safe = text_safe(d->note, strlen(d->note), term_ascii());
		draw_text(y, 0, columns, safe, strlen(safe), STYLE_BOLD);
		free(safe);
		return -1;
	}
	d->note[0] = '\0';
	draw_line(y, 0, columns, STYLE_DIM, "C-g keys  C-o write out  C-x exit  C-w search  C-k cut  C-u paste  M-u undo");
	return -1;
}

void desk_draw(struct desk *d)
{
	int rows, columns, y, cy = 0, cx = 0, asked;
	size_t row;

	getmaxyx(stdscr, rows, columns);
	y = rows > 5 ? rows - 3 : rows > 2 ? rows - 2 : 1;
	wrap_set(d->wrap, desk_text(d), columns - 1, term_ascii());
	if (y != d->rows || columns != d->columns) {      /* resized: as much as there is room for */
		d->rows = y;
		d->columns = columns;
		d->top = up(d, wrap_row(d->wrap, d->cursor), y / 2);
	}
	curs_set(0);
	erase();
	if (d->help) {
		draw_line(0, 0, columns, STYLE_TITLE, " write: keys%*s", columns, "");
		desk_help_draw(d, rows - 2 > 0 ? rows - 2 : 1, columns);
		if (rows > 2)
			draw_line(rows - 1, 0, columns, STYLE_DIM, "Up, Down, PgUp, PgDn; any other key goes back");
		refresh();
		d->dirty = false;
		return;
	}
	keep_in_view(d);
	row = d->top;
	for (y = 1; y <= d->rows && row != WRAP_NONE; y++) {
		const size_t next = wrap_next(d->wrap, row);

		draw_row(d, y, row, columns);
		if (d->cursor >= row && (next == WRAP_NONE || d->cursor < next)) {
			cy = y;
			cx = wrap_column(d->wrap, row, d->cursor);
			cx = cx < columns ? cx : columns - 1;
		}
		row = next;
	}
	if (d->ghost && cy)
		draw_ghost(d, cy, cx, wrap_row(d->wrap, d->cursor), columns - 1);
	title(d, columns);
	if (rows > 5)
		status(d, rows - 2, columns);
	asked = rows > 2 ? bottom(d, rows - 1, columns) : -1;
	if (asked >= 0)
		move(rows - 1, asked);
	else
		move(cy, cx);
	curs_set(1);
	refresh();
	d->dirty = false;
}
