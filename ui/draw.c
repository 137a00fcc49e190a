/* SPDX-License-Identifier: GPL-3.0-or-later */
/* draw: pieces that several screens use. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = ' ';
	draw_text(y, x, columns, buf, strlen(buf), style);
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
