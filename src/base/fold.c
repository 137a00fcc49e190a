/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fold: ASCII at once, everything else through utf8proc. */
#include "fold.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "utf8.h"

static unsigned char lower(unsigned char c)
{
	return c >= 'A' && c <= 'Z' ? (unsigned char)(c | 0x20) : c;
}

static bool space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Runs of white space become one space, in place. */
static void collapse(struct str *s, size_t from, bool trim)
{
	size_t to = from;

	for (size_t i = from; i < s->len; i++) {
		/* the no-break space comes in with names that were copied from web pages */
		const bool wide = i + 1 < s->len && s->s[i] == '\xc2' && s->s[i + 1] == '\xa0';

		if (wide || space(s->s[i])) {
			if (!(to > from && s->s[to - 1] == ' ') && !(trim && to == from))
				s->s[to++] = ' ';
			i += wide;
		} else {
			s->s[to++] = s->s[i];
		}
	}
	if (trim && to > from && s->s[to - 1] == ' ')
		to--;
	if (s->len > from) {
		s->len = to;
		s->s[to] = '\0';
	}
}

void fold_text(const char *text, size_t len, bool trim, struct str *out)
{
	const size_t from = out->len;
	utf8proc_uint8_t *folded = NULL;
	bool ascii = true;

	for (size_t i = 0; i < len && ascii; i++)
		ascii = (unsigned char)text[i] < 0x80;
	if (!ascii && utf8_valid_upto(text, len) == len) {
		const utf8proc_ssize_t n = utf8proc_map((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)len, &folded,
			UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD);

		if (n >= 0)
			str_add(out, (const char *)folded, (size_t)n);
		free(folded);
		if (n >= 0) {
			collapse(out, from, trim);
			return;
		}
	}
	str_add(out, text, len);
	for (size_t i = from; i < out->len; i++)
		out->s[i] = (char)lower((unsigned char)out->s[i]);
	collapse(out, from, trim);
}

/* Four hexadecimal digits; -1: they are not. */
static int32_t hex4(const char *s, size_t left)
{
	int32_t v = 0;

	if (left < 4)
		return -1;
	for (size_t i = 0; i < 4; i++) {
		const char c = (char)lower((unsigned char)s[i]);

		if (c >= '0' && c <= '9')
			v = v * 16 + (c - '0');
		else if (c >= 'a' && c <= 'f')
			v = v * 16 + (c - 'a' + 10);
		else
			return -1;
	}
	return v;
}

void fold_json(const char *text, size_t len, struct str *out)
{
	struct str plain = STR_INIT;

	for (size_t i = 0; i < len; i++) {
		char bytes[4];
		int32_t cp, low;

		if (text[i] != '\\' || i + 1 == len) {
			str_addc(&plain, text[i]);
			continue;
		}
		i++;
		if (text[i] == 'u' && (cp = hex4(text + i + 1, len - i - 1)) >= 0) {
			i += 4;
			if (cp >= 0xd800 && cp < 0xdc00 && i + 6 < len && text[i + 1] == '\\' && text[i + 2] == 'u' &&
			    (low = hex4(text + i + 3, len - i - 3)) >= 0xdc00 && low < 0xe000) {
				cp = 0x10000 + ((cp - 0xd800) << 10) + (low - 0xdc00);
				i += 6;
			}
			str_add(&plain, bytes, utf8_encode(cp, bytes));
		} else {
			str_addc(&plain, strchr("ntrbf", text[i]) ? ' ' : text[i]);
		}
	}
	fold_text(plain.s, plain.len, false, out);
	str_free(&plain);
}

bool fold_holds(const char *text, size_t len, const char *needle, struct str *scratch)
{
	str_reset(scratch);
	fold_text(text, len, false, scratch);
	return memmem(scratch->s, scratch->len, needle, strlen(needle)) != NULL;
}

bool fold_holds_bytes(const void *data, size_t len, const char *needle, size_t n)
{
	const unsigned char *p = data;
	const unsigned char first = n ? lower((unsigned char)needle[0]) : 0;

	for (size_t i = 0; n > 0 && i + n <= len; i++) {
		size_t k = 1;

		if (lower(p[i]) != first)
			continue;
		while (k < n && lower(p[i + k]) == lower((unsigned char)needle[k]))
			k++;
		if (k == n)
			return true;
	}
	return false;
}
