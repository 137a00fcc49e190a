/* SPDX-License-Identifier: GPL-3.0-or-later */
/* wrap: rows, segment by segment. */
#include "wrap.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { USUAL_SEGMENT = 8192, SLACK = 256, KEPT = 64 };

struct segment {
	size_t start, end;            /* end: without the line end */
	bool last;                    /* of its line */
	size_t *row, rows;            /* where they begin; at least one */
	char *text;
	uint64_t used;                /* 0: empty */
};

struct wrap {
	const struct editbuf *b;
	uint64_t version, clock;
	int columns;
	bool ascii;
	size_t size;
	struct segment kept[KEPT];
};

struct wrap *wrap_new(size_t segment)
{
	struct wrap *w = xcalloc(1, sizeof(*w));

	w->size = segment ? segment : USUAL_SEGMENT;
	return w;
}

static void forget(struct wrap *w)
{
	for (size_t i = 0; i < KEPT; i++) {
		free(w->kept[i].row);
		free(w->kept[i].text);
		w->kept[i] = (struct segment){ 0 };
	}
}

void wrap_free(struct wrap *w)
{
	if (!w)
		return;
	forget(w);
	free(w);
}

void wrap_set(struct wrap *w, const struct editbuf *b, int columns, bool ascii)
{
	columns = columns < 2 ? 2 : columns;
	if (w->b != b || w->columns != columns || w->ascii != ascii)
		forget(w);
	w->b = b;
	w->columns = columns;
	w->ascii = ascii;
}

size_t wrap_line_end(const struct editbuf *b, size_t at)
{
	const size_t end = editbuf_line_end(b, at);

	return end > 0 && end < editbuf_len(b) && editbuf_byte(b, end - 1) == '\r' && editbuf_line_start(b, at) < end ? end - 1 : end;
}

/* The k-th segment of the line begins here: after a blank if one is near, else between characters. */
static size_t anchor(const struct wrap *w, size_t line, size_t end, size_t k)
{
	const size_t at = line + k * w->size, slack = w->size / 4 < SLACK ? w->size / 4 : SLACK;
	char near[SLACK + 1];
	size_t n, i;

	if (k == 0)
		return line;
	if (at >= end)
		return end;
	n = editbuf_read(w->b, at - 1, near, slack + 1);
	for (i = 0; i < n; i++)
		if (near[i] == ' ' || near[i] == '\t')
			return at + i < end ? at + i : end;
	for (i = 1; i < n && ((unsigned char)near[i] & 0xc0) == 0x80;)
		i++;
	return at - 1 + i < end ? at - 1 + i : end;
}

/* Where the rows of a segment begin. */
static void break_rows(struct wrap *w, struct segment *s)
{
	const size_t n = s->end - s->start;
	size_t cap = 8, i = 0, start = 0, space = 0;
	int column = 0;

	s->row = xreallocarray(NULL, cap, sizeof(*s->row));
	s->row[0] = s->start;
	s->rows = 1;
	while (i < n) {
		int width;
		const size_t len = wrap_glyph(s->text + i, n - i, column, w->ascii, &width);
		const bool blank = s->text[i] == ' ' || s->text[i] == '\t', wide = width == 2 && (unsigned char)s->text[i] >= 0x80;

		if (wide && i > start && column + width <= w->columns)
			space = i;      /* scripts of wide characters have no blanks to break at */
		if (column + width <= w->columns || i == start || (blank && column <= w->columns)) {
			column = column + width > w->columns ? w->columns + 1 : column + width;
			i += len;
			if (blank || wide)
				space = i;
			continue;
		}
		start = space > start && !wide ? space : i;
		i = start;
		column = 0;
		if (s->rows == cap) {
			cap *= 2;
			s->row = xreallocarray(s->row, cap, sizeof(*s->row));
		}
		s->row[s->rows++] = s->start + start;
	}
}

/* The segment that at is in, measured. */
static struct segment *segment_of(struct wrap *w, size_t at)
{
	struct segment *s = &w->kept[0];
	size_t line, end, k, from;

	if (w->version != editbuf_version(w->b)) {
		forget(w);
		w->version = editbuf_version(w->b);
	}
	w->clock++;
	for (size_t i = 0; i < KEPT; i++) {
		struct segment *c = &w->kept[i];

		if (c->used && at >= c->start && (at < c->end || (at == c->end && c->last))) {
			c->used = w->clock;
			return c;
		}
		if (c->used < s->used)
			s = c;
	}
	line = editbuf_line_start(w->b, at);
	end = wrap_line_end(w->b, at);
	at = at < end ? at : end;      /* between CR and newline is before both */
	k = (at - line) / w->size;
	from = anchor(w, line, end, k);
	while (k > 0 && (from > at || from == end))
		from = anchor(w, line, end, --k);
	free(s->row);
	free(s->text);
	*s = (struct segment){ .start = from, .end = anchor(w, line, end, k + 1), .used = w->clock };
	s->last = s->end == end;
	s->text = xmalloc(s->end - s->start + 1);
	editbuf_read(w->b, s->start, s->text, s->end - s->start);
	break_rows(w, s);
	return s;
}

static size_t row_index(const struct segment *s, size_t at)
{
	size_t low = 0, high = s->rows;

	while (high - low > 1) {
		const size_t mid = (low + high) / 2;

		if (s->row[mid] <= at)
			low = mid;
		else
			high = mid;
	}
	return low;
}

size_t wrap_row(struct wrap *w, size_t at)
{
	const struct segment *s = segment_of(w, at);

	return s->row[row_index(s, at)];
}

size_t wrap_row_end(struct wrap *w, size_t row)
{
	const struct segment *s = segment_of(w, row);
	const size_t i = row_index(s, row);

	return i + 1 < s->rows ? s->row[i + 1] : s->end;
}

bool wrap_soft(struct wrap *w, size_t row)
{
	const struct segment *s = segment_of(w, row);

	return !s->last || row_index(s, row) + 1 < s->rows;
}

size_t wrap_next(struct wrap *w, size_t row)
{
	const struct segment *s = segment_of(w, row);
	const size_t i = row_index(s, row);
	size_t end;

	if (i + 1 < s->rows)
		return s->row[i + 1];
	if (!s->last)
		return s->end;
	end = editbuf_line_end(w->b, s->end);
	return end < editbuf_len(w->b) ? end + 1 : WRAP_NONE;
}

size_t wrap_prev(struct wrap *w, size_t row)
{
	const struct segment *s = segment_of(w, row);
	const size_t i = row_index(s, row);

	if (i > 0)
		return s->row[i - 1];
	return s->start > 0 ? wrap_row(w, s->start - 1) : WRAP_NONE;
}

int wrap_column(struct wrap *w, size_t row, size_t at)
{
	const struct segment *s = segment_of(w, row);
	int column = 0, width;

	for (size_t i = row; i < at && i < s->end; column += width)
		i += wrap_glyph(s->text + (i - s->start), s->end - i, column, w->ascii, &width);
	return column;
}

size_t wrap_at_column(struct wrap *w, size_t row, int goal)
{
	const struct segment *s = segment_of(w, row);
	const size_t k = row_index(s, row), end = k + 1 < s->rows ? s->row[k + 1] : s->end;
	const bool soft = !s->last || k + 1 < s->rows;
	int column = 0, width;
	size_t i = row;

	while (i < end) {
		const size_t len = wrap_glyph(s->text + (i - s->start), s->end - i, column, w->ascii, &width);

		/* the end of a row that goes on is the next row's beginning */
		if (column + width > goal || (soft && i + len >= end))
			break;
		column += width;
		i += len;
	}
	return i;
}
