/* SPDX-License-Identifier: GPL-3.0-or-later */
/* wrap_glyph: what each cluster of a document's bytes looks like. Nothing in it is obeyed by a terminal. */
#include <stdlib.h>
#include <utf8proc.h>

#include "base/utf8.h"
#include "text.h"
#include "wrap.h"

/* A cluster is looked for in this many bytes: a tower of ten thousand accents is several. */
enum { CLUSTER = 96, TAB = 8, MOST_MARKS = 3 };

static bool plain(const char *s, size_t n)
{
	return (unsigned char)s[0] >= 0x20 && (unsigned char)s[0] < 0x7f && (n == 1 || (unsigned char)s[1] < 0x80);
}

/* May these bytes be shown as they are? Else text_safe's stand-ins are. */
static bool harmless(const char *s, size_t n)
{
	int marks = 0;

	for (size_t i = 0; i < n;) {
		int32_t c;

		i += utf8_decode(s + i, n - i, &c);
		switch (utf8proc_category(c)) {
		case UTF8PROC_CATEGORY_MN:
		case UTF8PROC_CATEGORY_ME:
			if (++marks > MOST_MARKS)
				return false;
			break;
		case UTF8PROC_CATEGORY_CC:
		case UTF8PROC_CATEGORY_CF:
		case UTF8PROC_CATEGORY_CO:
		case UTF8PROC_CATEGORY_CN:
		case UTF8PROC_CATEGORY_CS:
		case UTF8PROC_CATEGORY_ZL:
		case UTF8PROC_CATEGORY_ZP:
			if (c != 0x200d)      /* joins emoji */
				return false;
			break;
		default:
			break;
		}
	}
	return true;
}

size_t wrap_glyph(const char *s, size_t n, int column, bool ascii, int *width)
{
	size_t len;
	int32_t c;

	if (plain(s, n)) {
		*width = 1;
		return 1;
	}
	if (*s == '\t') {
		*width = TAB - column % TAB;
		return 1;
	}
	len = utf8_decode(s, n, &c);
	if (c < 0x20 || c == 0x7f || (c == 0xfffd && len == 1)) {      /* a control or a broken byte stands alone */
		*width = c == 0xfffd ? 1 : 2;
		return 1;
	}
	len = text_cluster(s, n < CLUSTER ? n : CLUSTER, width);
	/* cut where the bytes looked at end: not within a character */
	if (len == CLUSTER && len < n)
		while (len > 1 && ((unsigned char)s[len] & 0xc0) == 0x80)
			len--;
	if (ascii || !harmless(s, len)) {
		char *safe = text_safe(s, len, ascii);
		size_t k = 0;

		while (safe[k])
			k++;
		*width = text_width(safe, k);
		free(safe);
	}
	return len;
}

void wrap_show(const char *s, size_t bytes, int column, bool ascii, struct str *out)
{
	int32_t c;

	if (*s == '\t') {
		for (int i = column % TAB; i < TAB; i++)
			str_addc(out, ' ');
		return;
	}
	if (utf8_decode(s, bytes, &c) == 1 && c == 0xfffd) {
		str_adds(out, ascii ? "?" : "\xef\xbf\xbd");
	} else if (c < 0x20 || c == 0x7f) {
		str_addf(out, "^%c", c == 0x7f ? '?' : (char)(c + 64));
	} else if (bytes == 1 && c >= 0x20 && c < 0x7f) {
		str_addc(out, *s);
	} else if (!ascii && harmless(s, bytes)) {
		str_add(out, s, bytes);
	} else {
		char *safe = text_safe(s, bytes, ascii);

		str_adds(out, safe);
		free(safe);
	}
}

size_t wrap_right(const struct editbuf *b, size_t at)
{
	char s[CLUSTER + 4];
	const size_t n = editbuf_read(b, at, s, sizeof(s));
	int width;

	if (n == 0)
		return at;
	if (n > 1 && s[0] == '\r' && s[1] == '\n')
		return at + 2;
	return at + (s[0] == '\n' ? 1 : wrap_glyph(s, n, 0, false, &width));
}

size_t wrap_left(const struct editbuf *b, size_t at)
{
	char s[2 * CLUSTER];
	const size_t from = at > CLUSTER ? at - CLUSTER : 0, n = editbuf_read(b, from, s, sizeof(s)), here = at - from;
	size_t i, last;
	int width;

	if (at == 0)
		return 0;
	if (s[here - 1] == '\n')
		return at - (here > 1 && s[here - 2] == '\r' ? 2 : 1);
	/* from the nearest byte of ASCII, which begins a cluster, or from a character at least */
	i = here - 1;
	while (i > 0 && (unsigned char)s[i] >= 0x80)
		i--;
	if ((unsigned char)s[i] >= 0x80)
		while (i + 1 < here && ((unsigned char)s[i] & 0xc0) == 0x80)
			i++;
	for (last = i; i < here;) {
		last = i;
		i += s[i] == '\n' ? 1 : wrap_glyph(s + i, n - i, 0, false, &width);
	}
	return from + last;
}
