/* SPDX-License-Identifier: GPL-3.0-or-later */
/* draw: pieces that several screens use. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "ui_private.h"

void draw_text(int y, int x, int columns, const char *s, size_t n, enum term_style style)
{
	if (columns <= 0)
		return;
	attrset((attr_t)term_attr(style));
	mvaddnstr(y, x, s, (int)text_fit(s, n, columns));
	attrset(0);
}

void draw_line(int y, int x, int columns, enum term_style style, const char *fmt, ...)
{
	char buf[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	for (char *p = buf; *p; p++)
		if (*p == '\n')
			*p = ' ';

	char *safe = text_safe(buf, strlen(buf), term_ascii());

	draw_text(y, x, columns, safe, strlen(safe), style);
	free(safe);
}

void draw_fill(int y, int columns, enum term_style style)
{
	attrset((attr_t)term_attr(style));
	mvhline(y, 0, ' ', columns);
	attrset(0);
}

int draw_wrapped(int y, int x, int rows, int columns, const char *text, enum term_style style, int skip)
{
	char *safe = text_safe(text, strlen(text), term_ascii());
	struct text_line *line;
	const size_t n = text_wrap(safe, strlen(safe), columns, &line);

	for (size_t i = 0; i < n; i++)
		if ((int)i >= skip && (int)i - skip < rows)
			draw_text(y + (int)i - skip, x, columns, safe + line[i].start, line[i].len, style);
	free(line);
	free(safe);
	return (int)n;
}

void draw_detail(int y, int rows, int columns, const char *text)
{
	if (rows < 2)
		return;
	draw_rule(y, columns, NULL);
	draw_wrapped(y + 1, 0, rows - 1, columns, text, STYLE_PLAIN, 0);
}

/* ---- word diffs ---- */

struct piece {
	size_t end;                   /* of the text, in bytes */
	enum term_style style;
};

int draw_marked(int y, int x, int rows, int columns, const char *marked, int skip)
{
	static const char *const open[] = { "", "", "[-", "{+" }, *const close[] = { "", "", "-]", "+}" };
	static const enum term_style styles[] = { STYLE_PLAIN, STYLE_PLAIN, STYLE_WARN, STYLE_GOOD };
	struct str all = STR_INIT;
	struct piece *piece = NULL;
	size_t pieces = 0, lines, k = 0;
	struct text_line *line;
	int kind = 1;

	for (const char *p = marked; *p;) {
		const size_t n = strcspn(p, "\001\002\003"), space = n > 0 && p[0] == ' ';

		if (n > 0) {
			char *safe = text_safe(p + space, n - space, term_ascii());

			str_adds(&all, space ? " " : "");
			piece = xreallocarray(piece, pieces + 2, sizeof(*piece));
			piece[pieces++] = (struct piece){ all.len, STYLE_PLAIN };
			str_addf(&all, "%s%s%s", open[kind], safe, close[kind]);
			piece[pieces++] = (struct piece){ all.len, styles[kind] };
			free(safe);
		}
		p += n;
		if (*p)
			kind = *p++;
	}
	lines = text_wrap(all.s, all.len, columns, &line);
	for (size_t i = 0; i < lines; i++) {
		size_t at = line[i].start;
		const size_t end = at + line[i].len;
		int column = 0;

		while (at < end) {
			size_t to;

			while (k < pieces && piece[k].end <= at)
				k++;
			to = k < pieces && piece[k].end < end ? piece[k].end : end;
			if ((int)i >= skip && (int)i - skip < rows)
				draw_text(y + (int)i - skip, x + column, columns - column, all.s + at, to - at,
				          k < pieces ? piece[k].style : STYLE_PLAIN);
			column += text_width(all.s + at, to - at);
			at = to;
		}
	}
	free(line);
	free(piece);
	str_free(&all);
	return (int)lines;
}

void draw_rule(int y, int columns, const char *label)
{
	const int w = label ? text_width(label, strlen(label)) : 0;

	attrset((attr_t)term_attr(STYLE_DIM));
	for (int x = 0; x < columns; x++)
		mvaddstr(y, x, term_ascii() ? "-" : "\xe2\x94\x80");
	attrset(0);
	if (label && w + 6 < columns)
		draw_line(y, 2, w + 2, STYLE_DIM, " %s ", label);
}

void draw_list_bounds(struct ui *u, size_t n, int rows)
{
	const size_t r = rows > 0 ? (size_t)rows : 1;

	if (n == 0) {
		u->pick = u->top = 0;
		return;
	}
	if (u->pick >= n)
		u->pick = n - 1;
	if (u->pick < u->top)
		u->top = u->pick;
	if (u->pick >= u->top + r)
		u->top = u->pick - r + 1;
	if (u->top + r > n)
		u->top = n > r ? n - r : 0;
}
