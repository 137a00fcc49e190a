/* SPDX-License-Identifier: GPL-3.0-or-later */
/* editfind: a plain walk, a window at a time: ten megabytes take some tens of milliseconds. */
#include "editfind.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "base/mem.h"
#include "base/utf8.h"

enum { WINDOW = 1 << 16, BROKEN = 0x110000 };

static size_t next_char(const char *s, size_t n, int32_t *cp)
{
	const size_t len = utf8_decode(s, n, cp);

	if (len == 1 && (unsigned char)*s >= 0x80)
		*cp = BROKEN + (unsigned char)*s;
	return len;
}

static int32_t folded(int32_t cp)
{
	if (cp < 0x80)
		return cp >= 'A' && cp <= 'Z' ? cp + 32 : cp;
	return cp < BROKEN ? utf8proc_tolower(cp) : cp;
}

void editfind_init(struct editfind *f, const char *what, size_t n)
{
	*f = (struct editfind){ .cp = xreallocarray(NULL, n + 1, sizeof(*f->cp)), .fold = true };
	for (size_t i = 0; i < n;) {
		int32_t cp;

		i += next_char(what + i, n - i, &cp);
		f->fold = f->fold && folded(cp) == cp;
		f->cp[f->n++] = cp;
	}
}

void editfind_fini(struct editfind *f)
{
	free(f->cp);
	f->cp = NULL;
}

/* Bytes of the match at s, 0 when there is none. */
static size_t match(const struct editfind *f, const char *s, size_t n)
{
	size_t i = 0;

	for (size_t k = 0; k < f->n; k++) {
		int32_t cp;

		if (i >= n)
			return 0;
		i += next_char(s + i, n - i, &cp);
		if ((f->fold ? folded(cp) : cp) != f->cp[k])
			return 0;
	}
	return i;
}

/* Matches that begin in [0, end) of the window; first or last. */
static size_t in_window(const struct editfind *f, const char *s, size_t n, size_t end, bool last, size_t *len)
{
	size_t found = SIZE_MAX;
	const int32_t c = f->cp[0];
	/* a first letter of ASCII can be no other byte, but for the signs of kelvin and the like */
	const bool quick = c < 0x80 && !(f->fold && (c == 'k' || c == 'i' || c == 's'));
	const char up = (char)(f->fold && c >= 'a' && c <= 'z' ? c - 32 : c);

	for (size_t i = 0; i < end; i++) {
		size_t l;

		if (quick ? s[i] != (char)c && s[i] != up : ((unsigned char)s[i] & 0xc0) == 0x80 && c < BROKEN)
			continue;
		l = match(f, s + i, n - i);
		if (l == 0)
			continue;
		found = i;
		*len = l;
		if (!last)
			break;
	}
	return found;
}

static size_t search(const struct editfind *f, const struct editbuf *b, size_t from, size_t to, bool last, size_t *len)
{
	const size_t over = 4 * f->n;      /* a match may go on beyond its window */
	char *buf = xmalloc(WINDOW + over);
	size_t found = SIZE_MAX;

	to = to < editbuf_len(b) ? to : editbuf_len(b);
	while (f->n > 0 && from < to && found == SIZE_MAX) {
		const size_t part = to - from < WINDOW ? to - from : WINDOW, at = last ? to - part : from;
		const size_t n = editbuf_read(b, at, buf, part + over);
		const size_t i = in_window(f, buf, n, part, last, len);

		if (i != SIZE_MAX)
			found = at + i;
		if (last)
			to = at;
		else
			from += part;
	}
	free(buf);
	return found;
}

size_t editfind_first(const struct editfind *f, const struct editbuf *b, size_t from, size_t to, size_t *len)
{
	return search(f, b, from, to, false, len);
}

size_t editfind_last(const struct editfind *f, const struct editbuf *b, size_t from, size_t to, size_t *len)
{
	return search(f, b, from, to, true, len);
}

static void add(const struct editbuf *b, size_t from, size_t to, struct str *out)
{
	while (from < to) {
		size_t n;
		const char *s = editbuf_span(b, from, &n);

		n = n < to - from ? n : to - from;
		str_add(out, s, n);
		from += n;
	}
}

size_t editfind_replaced(const struct editfind *f, const struct editbuf *b, size_t from, size_t *to,
                         const char *with, size_t n, struct str *out)
{
	const size_t all = editbuf_len(b), over = 4 * f->n;
	size_t count = 0, at = from, kept = from, have = 0, base = from;
	char *buf = xmalloc(WINDOW + over);

	while (f->n > 0 && at < *to) {
		size_t i, len, end;

		if (have == 0 || (at + over > base + have && base + have < all)) {
			base = at;
			have = editbuf_read(b, base, buf, WINDOW + over);
		}
		/* as far as a match can be seen whole */
		end = base + have < all && have > over ? have - over : have;
		end = base + end > *to ? *to - base : end;
		i = in_window(f, buf + (at - base), have - (at - base), end - (at - base), false, &len);
		if (i == SIZE_MAX) {
			at = base + end;
			have = 0;
			continue;
		}
		add(b, kept, at + i, out);
		str_add(out, with, n);
		at += i + len;
		kept = at;
		count++;
		if (at >= base + end)
			have = 0;
	}
	*to = kept;
	free(buf);
	return count;
}
