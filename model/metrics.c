/* SPDX-License-Identifier: GPL-3.0-or-later */
/* metrics: words, distinct n-grams, and precision at coverage. BLEU and chrF are in
 * metrics_overlap.c. */
#include "metrics.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../src/base/mem.h"
#include "../src/base/rng.h"
#include "../src/base/utf8.h"
#include "metrics_private.h"

/* ---- words ------------------------------------------------------------------ */

bool metrics_is_space(int32_t c)
{
	return (c >= 9 && c <= 13) || (c >= 0x1c && c <= 0x20) || c == 0x85 || c == 0xa0 ||
	       c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 ||
	       c == 0x202f || c == 0x205f || c == 0x3000;
}

size_t metrics_next_char(const char *s, size_t n, int32_t *cp)
{
	if ((unsigned char)*s < 0x80) {
		*cp = *s;
		return 1;
	}
	return utf8_decode(s, n, cp);
}

const char *metrics_next_word(const char **at, const char *end, size_t *length)
{
	const char *start = NULL;
	int32_t c;

	while (*at < end) {
		size_t n = metrics_next_char(*at, (size_t)(end - *at), &c);

		if (!metrics_is_space(c) && !start)
			start = *at;
		else if (metrics_is_space(c) && start)
			break;
		*at += n;
	}
	*length = start ? (size_t)(*at - start) : 0;
	return start;
}

const char *metrics_word(const char **text, size_t *length)
{
	return metrics_next_word(text, *text + strlen(*text), length);
}

size_t metrics_count_words(const char *text)
{
	const char *end = text + strlen(text);
	size_t n = 0, length;

	while (metrics_next_word(&text, end, &length))
		n++;
	return n;
}

bool metrics_same_words(const char *a, const char *b, size_t k)
{
	const char *a_end = a + strlen(a), *b_end = b + strlen(b);

	while (k-- > 0) {
		size_t m, n;
		const char *x = metrics_next_word(&a, a_end, &m), *y = metrics_next_word(&b, b_end, &n);

		if (!x || !y)
			return !x && !y;
		if (m != n || memcmp(x, y, n) != 0)
			return false;
	}
	return true;
}

/* ---- distinct-n ------------------------------------------------------------- */

struct metrics_distinct {
	struct str words;               /* every different word, with a NUL behind it */
	size_t *starts;                 /* of word i in words; room for half of slots */
	uint32_t *table;                /* word number + 1 by hash; 0: free */
	size_t slots, different, all;
	uint64_t *pairs;                /* word numbers of each bigram */
	size_t npairs, room, unique;    /* the first `unique` are sorted and different */
	size_t all_pairs;
};

struct metrics_distinct *metrics_distinct_new(void)
{
	struct metrics_distinct *d = xcalloc(1, sizeof(*d));

	d->words = (struct str)STR_INIT;
	d->slots = 1024;
	d->table = xcalloc(d->slots, sizeof(*d->table));
	d->starts = xcalloc(d->slots / 2, sizeof(*d->starts));
	return d;
}

void metrics_distinct_free(struct metrics_distinct *d)
{
	if (!d)
		return;
	str_free(&d->words);
	free(d->starts);
	free(d->table);
	free(d->pairs);
	free(d);
}

static uint64_t hash_word(const char *s, size_t n)
{
	uint64_t h = n;

	for (size_t i = 0; i < n; i++)
		h = rng_hash(h, (unsigned char)s[i]);
	return h;
}

/* Slot of the word, or the free one where it belongs. */
static size_t find_slot(const struct metrics_distinct *d, const char *s, size_t n)
{
	size_t at = (size_t)hash_word(s, n) & (d->slots - 1);

	while (d->table[at]) {
		const char *known = d->words.s + d->starts[d->table[at] - 1];

		if (strncmp(known, s, n) == 0 && known[n] == '\0')
			break;
		at = (at + 1) & (d->slots - 1);
	}
	return at;
}

static void grow_table(struct metrics_distinct *d)
{
	d->slots = mem_mul(d->slots, 2);
	free(d->table);
	d->table = xcalloc(d->slots, sizeof(*d->table));
	d->starts = xreallocarray(d->starts, d->slots / 2, sizeof(*d->starts));
	for (size_t i = 0; i < d->different; i++) {
		const char *s = d->words.s + d->starts[i];

		d->table[find_slot(d, s, strlen(s))] = (uint32_t)i + 1;
	}
}

static uint32_t word_number(struct metrics_distinct *d, const char *s, size_t n)
{
	size_t at = find_slot(d, s, n);

	if (d->table[at])
		return d->table[at] - 1;
	if (d->different == d->slots / 2) {
		grow_table(d);
		at = find_slot(d, s, n);
	}
	d->starts[d->different] = d->words.len;
	str_add(&d->words, s, n);
	str_addc(&d->words, '\0');
	assert(d->different < UINT32_MAX - 1);
	d->table[at] = (uint32_t)++d->different;
	return d->table[at] - 1;
}

static int compare_pairs(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void merge_pairs(struct metrics_distinct *d)
{
	size_t kept = 0;

	if (d->unique == d->npairs)
		return;
	qsort(d->pairs, d->npairs, sizeof(*d->pairs), compare_pairs);
	for (size_t i = 0; i < d->npairs; i++)
		if (i == 0 || d->pairs[i] != d->pairs[kept - 1])
			d->pairs[kept++] = d->pairs[i];
	d->unique = d->npairs = kept;
}

static void add_pair(struct metrics_distinct *d, uint64_t pair)
{
	if (d->npairs == d->room) {
		merge_pairs(d);
		/* at least half free, or the next merge would come too soon */
		if (d->npairs >= d->room / 2) {
			d->room = d->room ? mem_mul(d->room, 2) : 4096;
			d->pairs = xreallocarray(d->pairs, d->room, sizeof(*d->pairs));
		}
	}
	d->pairs[d->npairs++] = pair;
	d->all_pairs++;
}

void metrics_distinct_add(struct metrics_distinct *d, const char *text)
{
	const char *end = text + strlen(text), *word;
	uint64_t before = 0;
	size_t n, count = 0;

	while ((word = metrics_next_word(&text, end, &n)) != NULL) {
		uint32_t number = word_number(d, word, n);

		if (count++ > 0)
			add_pair(d, before << 32 | number);
		before = number;
	}
	d->all += count;
}

double metrics_distinct_score(struct metrics_distinct *d, int n, size_t *different, size_t *all)
{
	size_t x = d->different, of = d->all;

	assert(n == 1 || n == 2);
	if (n == 2) {
		merge_pairs(d);
		x = d->unique;
		of = d->all_pairs;
	}
	if (different)
		*different = x;
	if (all)
		*all = of;
	return of ? (double)x / (double)of : 0;
}

/* ---- precision at coverage -------------------------------------------------- */

struct answer {
	double confidence;
	size_t index;
	bool correct;
};

static int compare_answers(const void *a, const void *b)
{
	const struct answer *x = a, *y = b;

	if (x->confidence != y->confidence)
		return x->confidence > y->confidence ? -1 : 1;
	return (x->index > y->index) - (x->index < y->index);
}

double metrics_precision_at(const double *confidence, const bool *correct, size_t n,
                            double coverage, size_t *kept)
{
	struct answer *all = xcalloc(n + 1, sizeof(*all));
	size_t keep = (size_t)floor((double)n * coverage + 0.5), right = 0;

	assert(coverage >= 0 && coverage <= 1);
	for (size_t i = 0; i < n; i++) {
		double c = isnan(confidence[i]) ? -INFINITY : confidence[i];

		all[i] = (struct answer){ c, i, correct[i] };
	}
	qsort(all, n, sizeof(*all), compare_answers);
	if (keep == 0)
		keep = 1;
	if (keep > n)
		keep = n;
	for (size_t i = 0; i < keep; i++)
		right += all[i].correct;
	free(all);
	if (kept)
		*kept = keep;
	return keep ? (double)right / (double)keep : 0;
}
