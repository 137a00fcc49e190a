/* SPDX-License-Identifier: GPL-3.0-or-later */
/* worddiff: the longest common subsequence of two lists of words. */
#include "worddiff.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Above this many pairs of words (letters of thousands) what differs counts as replaced as a whole. */
enum { MOST_PAIRS = 4000000 };

struct word {
	const char *s;
	size_t len;
	bool spaced;                  /* white space before it */
};

struct words {
	struct word *v;
	size_t n, cap;
};

static bool is_mark(unsigned char c)
{
	return ispunct(c) && c != '\'' && c != '-' && c != '<' && c != '>' && c != '_' && c != '@' && c != '{' && c != '}';
}

static void split(const char *s, struct words *w)
{
	bool spaced = false;

	*w = (struct words){ NULL, 0, 0 };
	for (size_t i = 0; s[i];) {
		size_t k = i;

		if (isspace((unsigned char)s[i]) || (unsigned char)s[i] < 32) {
			spaced = true;
			i++;
			continue;
		}
		if (is_mark((unsigned char)s[i]))
			k++;
		else
			while (s[k] && (unsigned char)s[k] > 32 && !is_mark((unsigned char)s[k]))
				k++;
		if (w->n == w->cap) {
			w->cap = w->cap ? w->cap * 2 : 64;
			w->v = xreallocarray(w->v, w->cap, sizeof(*w->v));
		}
		w->v[w->n++] = (struct word){ s + i, k - i, spaced };
		spaced = false;
		i = k;
	}
}

static bool same(const struct word *a, const struct word *b)
{
	return a->len == b->len && memcmp(a->s, b->s, a->len) == 0;
}

struct run {
	struct str *out;
	int kind;
	bool first;                   /* nothing has been said yet */
};

/* Spaces go before a word inside its run, so that what is cut carries its own. */
static void say(struct run *r, int kind, const struct word *w)
{
	if (kind != r->kind)
		str_addc(r->out, (char)kind);
	if (w->spaced && !r->first)
		str_addc(r->out, ' ');
	str_add(r->out, w->s, w->len);
	r->kind = kind;
	r->first = false;
}

static size_t walk(const struct words *a, const struct words *b, size_t from, size_t ea, size_t eb, struct run *r)
{
	const size_t n = ea - from, m = eb - from;
	const bool whole = n > 0 && m > MOST_PAIRS / n;
	uint16_t *l = whole ? NULL : xcalloc((n + 1) * (m + 1), sizeof(*l));      /* [n + 1, m + 1] of what follows */
	size_t i = 0, j = 0, changed = 0;

	for (size_t x = n; l && x-- > 0;)
		for (size_t y = m; y-- > 0;) {
			const uint16_t down = l[(x + 1) * (m + 1) + y], right = l[x * (m + 1) + y + 1];

			l[x * (m + 1) + y] = same(&a->v[from + x], &b->v[from + y]) ? (uint16_t)(l[(x + 1) * (m + 1) + y + 1] + 1) :
				down > right ? down : right;
		}
	while (i < n || j < m) {
		if (l && i < n && j < m && same(&a->v[from + i], &b->v[from + j])) {
			if (r)
				say(r, WORDDIFF_SAME, &b->v[from + j]);
			i++;
			j++;
		} else if (i < n && (j == m || !l || l[(i + 1) * (m + 1) + j] >= l[i * (m + 1) + j + 1])) {
			if (r)
				say(r, WORDDIFF_CUT, &a->v[from + i]);
			i++;
			changed++;
		} else {
			if (r)
				say(r, WORDDIFF_NEW, &b->v[from + j]);
			j++;
			changed++;
		}
	}
	free(l);
	return changed;
}

static size_t compare(const char *before, const char *after, struct run *r, size_t *total)
{
	struct words a, b;
	size_t from = 0, ea, eb, changed;

	split(before, &a);
	split(after, &b);
	*total = a.n + b.n;
	while (from < a.n && from < b.n && same(&a.v[from], &b.v[from])) {
		if (r)
			say(r, WORDDIFF_SAME, &b.v[from]);
		from++;
	}
	for (ea = a.n, eb = b.n; ea > from && eb > from && same(&a.v[ea - 1], &b.v[eb - 1]); ea--)
		eb--;
	changed = walk(&a, &b, from, ea, eb, r);
	for (size_t k = eb; r && k < b.n; k++)
		say(r, WORDDIFF_SAME, &b.v[k]);
	free(a.v);
	free(b.v);
	return changed;
}

size_t worddiff_mark(const char *before, const char *after, struct str *out)
{
	struct run r = { out, 0, true };
	size_t total;

	return compare(before, after, &r, &total);
}

double worddiff_alike(const char *a, const char *b)
{
	size_t total;
	const size_t changed = compare(a, b, NULL, &total);

	return total ? 1 - (double)changed / (double)total : 1;
}
