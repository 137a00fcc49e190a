/* SPDX-License-Identifier: GPL-3.0-or-later */
/* field: find, fill, compare. */
#include "field.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

enum { LONGEST = 40 };

bool field_find(const char *text, size_t from, size_t *start, size_t *len)
{
	for (const char *p = text + from; (p = strchr(p, '{')) != NULL; p++) {
		const size_t open = p[1] == '{' ? 2 : 1;
		size_t n = 0;

		if (!isalpha((unsigned char)p[open]))
			continue;
		while (isalnum((unsigned char)p[open + n]) || (p[open + n] && strchr("_-. ", p[open + n])))
			n++;
		if (n > LONGEST || p[open + n] != '}' || (open == 2 && p[open + n + 1] != '}'))
			continue;
		*start = (size_t)(p - text);
		*len = n + 2 * open;
		return true;
	}
	return false;
}

char *field_fill(const char *text, const char *(*value)(const char *name, void *arg), void *arg)
{
	struct str out = STR_INIT;
	size_t at = 0, start, len;

	while (field_find(text, at, &start, &len)) {
		const size_t open = text[start + 1] == '{' ? 2 : 1;
		char name[LONGEST + 1];
		const char *v;

		snprintf(name, sizeof(name), "%.*s", (int)(len - 2 * open), text + start + open);
		for (char *p = name; *p; p++)
			*p = (char)tolower((unsigned char)*p);
		v = value(name, arg);
		str_add(&out, text + at, start - at);
		if (v && *v)
			str_adds(&out, v);
		else
			str_add(&out, text + start, len);
		at = start + len;
	}
	str_adds(&out, text + at);
	return str_detach(&out);
}

/* A date, a sum, a name: not another sentence. */
static bool is_value(const char *s, size_t n)
{
	return n <= 80 && !memchr(s, '\n', n) && !memmem(s, n, ". ", 2);
}

bool field_matches(const char *template, const char *text)
{
	size_t at = 0, start, len;
	bool first = true;

	for (;; first = false) {
		const bool more = field_find(template, at, &start, &len);
		const size_t n = (more ? start : strlen(template)) - at;

		if (first) {
			if (strncmp(text, template, n) != 0)
				return false;
			text += n;
		} else if (!more) {      /* the last piece stands at the end */
			const size_t left = strlen(text);

			return left >= n && memcmp(text + left - n, template + at, n) == 0 && is_value(text, left - n);
		} else {
			char *piece = xmemdup(template + at, n);
			const char *found = strstr(text, piece);

			free(piece);
			if (!found || !is_value(text, (size_t)(found - text)))
				return false;
			text = found + n;
		}
		if (!more)
			return *text == '\0';
		at = start + len;
	}
}
