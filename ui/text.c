/* SPDX-License-Identifier: GPL-3.0-or-later */
/* text: harmless, measured, wrapped. */
#include "text.h"

#include <stdint.h>
#include <stdlib.h>
#include <utf8proc.h>
#include <wchar.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/utf8.h"

enum { MOST_MARKS = 3 };

static int is_bidi(int32_t c)
{
	return c == 0x061c || c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

/* Columns as curses counts them, which moves the cursor by the C library's table; without a UTF-8 locale by utf8proc's. */
static int columns_of(int32_t c)
{
	const int w = wcwidth((wchar_t)c);

	return w >= 0 ? w : utf8proc_charwidth(c);
}

static int is_pictograph(int32_t c)
{
	return utf8proc_get_property(c)->boundclass == UTF8PROC_BOUNDCLASS_EXTENDED_PICTOGRAPHIC;
}

/* What joins and tints emoji: terminals differ on how wide the result is, so each part is shown by itself, and plain. */
static int is_emoji_glue(int32_t c, int32_t before)
{
	return c == 0xfe0e || c == 0xfe0f || (c == 0x200d && is_pictograph(before)) || (c >= 0x1f3fb && c <= 0x1f3ff && is_pictograph(before));
}

char *text_safe(const char *s, size_t n, int ascii)
{
	struct str out = STR_INIT;
	const int utf8_locale = MB_CUR_MAX > 1;
	int32_t c, before = 0;
	int marks = 0;

	for (size_t i = 0; i < n; before = c) {
		const size_t len = utf8_decode(s + i, n - i, &c);
		const utf8proc_category_t cat = utf8proc_category(c);
		const int mark = cat == UTF8PROC_CATEGORY_MN || cat == UTF8PROC_CATEGORY_ME;

		marks = mark ? marks + 1 : 0;
		if (c == '\n')
			str_addc(&out, '\n');
		else if (c == '\t')
			str_adds(&out, "    ");
		else if (c < 0x20 || c == 0x7f)
			str_addf(&out, "^%c", c == 0x7f ? '?' : c + 64);
		else if (c >= 0x80 && c < 0xa0)
			str_addf(&out, "<%02X>", (unsigned)c);
		else if (c == 0xfffd || is_bidi(c) || c == 0x2028 || c == 0x2029 || c == 0xfeff || cat == UTF8PROC_CATEGORY_CO ||
		         cat == UTF8PROC_CATEGORY_CN || cat == UTF8PROC_CATEGORY_CS || (utf8_locale && c != 0xfffd && wcwidth((wchar_t)c) < 0))
			str_adds(&out, ascii ? "?" : "\xef\xbf\xbd");
		else if ((mark && marks > MOST_MARKS) || is_emoji_glue(c, before))
			c = mark ? c : before;      /* left out */
		else if (ascii && c > 0x7e)
			str_adds(&out, mark ? "" : "?");
		else
			str_add(&out, s + i, len);
		i += len;
	}
	return str_detach(&out);
}

size_t text_cluster(const char *s, size_t n, int *width)
{
	utf8proc_int32_t state = 0;
	int32_t c, next;
	size_t at = utf8_decode(s, n, &c);
	int w = columns_of(c);

	while (at < n) {
		const size_t len = utf8_decode(s + at, n - at, &next);

		if (utf8proc_grapheme_break_stateful(c, next, &state))
			break;
		w += columns_of(next);
		c = next;
		at += len;
	}
	*width = w;
	return at;
}

int text_width(const char *s, size_t n)
{
	int total = 0, w;

	for (size_t i = 0; i < n; total += w)
		i += text_cluster(s + i, n - i, &w);
	return total;
}

size_t text_fit(const char *s, size_t n, int columns)
{
	size_t i = 0;
	int total = 0, w;

	while (i < n) {
		const size_t len = text_cluster(s + i, n - i, &w);

		if (total + w > columns)
			break;
		total += w;
		i += len;
	}
	return i;
}

size_t text_wrap(const char *s, size_t n, int columns, struct text_line **lines)
{
	size_t count = 0, cap = 0, start = 0, space = SIZE_MAX, i = 0;
	int width = 0;

	*lines = NULL;
	columns = columns < 1 ? 1 : columns;
	for (;;) {
		size_t end = SIZE_MAX, next = 0;
		int w = 0;

		if (i >= n) {
			end = n;
			next = n + 1;
		} else if (s[i] == '\n') {
			end = i;
			next = i + 1;
		} else {
			const size_t len = text_cluster(s + i, n - i, &w);

			if (width + w > columns && i > start) {
				end = s[i] == ' ' || space == SIZE_MAX ? i : space;
				next = end + (end < n && s[end] == ' ');
			} else {
				if (s[i] == ' ')
					space = i;
				width += w;
				i += len;
				continue;
			}
		}
		if (count == cap) {
			cap = cap ? cap * 2 : 8;
			*lines = xreallocarray(*lines, cap, sizeof(**lines));
		}
		(*lines)[count++] = (struct text_line){ start, end - start };
		if (next > n)
			return count;
		start = i = next;
		space = SIZE_MAX;
		width = 0;
	}
}
