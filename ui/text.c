/* SPDX-License-Identifier: GPL-3.0-or-later */
/* text: harmless, measured, wrapped. */
#include "text.h"

#include <stdint.h>
#include <stdlib.h>
#include <utf8proc.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/utf8.h"

enum { MOST_MARKS = 3 };

static int is_bidi(int32_t c)
{
	return c == 0x061c || c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

char *text_safe(const char *s, size_t n, int ascii)
{
	struct str out = STR_INIT;
	int marks = 0;

	for (size_t i = 0; i < n;) {
		int32_t c;
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
		         cat == UTF8PROC_CATEGORY_CN || cat == UTF8PROC_CATEGORY_CS)
			str_adds(&out, ascii ? "?" : "\xef\xbf\xbd");
		else if (mark && marks > MOST_MARKS)
			;
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
	int w = utf8proc_charwidth(c);

	while (at < n) {
		const size_t len = utf8_decode(s + at, n - at, &next);

		if (utf8proc_grapheme_break_stateful(c, next, &state))
			break;
		/* an emoji of several parts is as wide as its widest */
		w = utf8proc_charwidth(next) > w ? utf8proc_charwidth(next) : w;
		if (next == 0xfe0f && w == 1)
			w = 2;
		c = next;
		at += len;
	}
	*width = w < 0 ? 0 : w > 2 ? 2 : w;
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
