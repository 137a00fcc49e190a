/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ngram: the trie and what it predicts. */
#include "kernels.h"
#include "ngram_private.h"

#include <stdlib.h>
#include <string.h>

#include "../src/base/mem.h"

void ngram_opts_default(struct ngram_opts *o)
{
	*o = (struct ngram_opts){ .order = NGRAM_MAX_ORDER, .keep = { 1, 1, 1, 1, 1 } };
}

struct ngram *ngram_alloc(size_t order, size_t vocab)
{
	struct ngram *g = xcalloc(1, sizeof(*g));

	kernels_init();
	g->order = order;
	g->vocab = vocab;
	return g;
}

void ngram_level_alloc(struct ngram_level *l, size_t n, int last)
{
	l->n = n;
	l->id = xcalloc(n + 1, sizeof(*l->id));
	l->p = xcalloc(n + 1, sizeof(*l->p));
	if (!last)
		l->first = xcalloc(n + 1, sizeof(*l->first));
}

void ngram_free(struct ngram *g)
{
	if (!g)
		return;
	for (size_t k = 0; k < g->order && !g->block; k++) {
		free(g->level[k].id);
		free(g->level[k].p);
		free(g->level[k].first);
	}
	mem_large_free(g->block, g->block_size);
	free(g);
}

size_t ngram_vocab(const struct ngram *g)
{
	return g->vocab;
}

size_t ngram_order(const struct ngram *g)
{
	return g->order;
}

size_t ngram_grams(const struct ngram *g, size_t k)
{
	return g->level[k - 1].n;
}

/* What a context of k ids leaves for the shorter one. Not kept: the children are at hand, and few. */
static float gamma_of(const struct ngram *g, size_t k, size_t node)
{
	const struct ngram_level *l = &g->level[k - 1], *next = &g->level[k];
	double sum = 0;

	for (size_t c = l->first[node]; c < l->first[node + 1]; c++)
		sum += (double)ngram_part(g, next, c);
	return (float)(sum < 1 ? 1 - sum : 0);
}

/* Index of id among [from, to) of a level, or to. */
static size_t find(const struct ngram_level *l, size_t from, size_t to, int32_t id)
{
	const size_t end = to;

	while (from < to) {
		size_t mid = from + (to - from) / 2;

		if (l->id[mid] < id)
			from = mid + 1;
		else
			to = mid;
	}
	return from < end && l->id[from] == id ? from : end;
}

/* The node of context[0 .. k) in level k - 1; false: not there. */
static bool locate(const struct ngram *g, const int32_t *context, size_t k, size_t *node)
{
	size_t from = 0, to = g->level[0].n;

	for (size_t i = 0; i < k; i++) {
		size_t at = find(&g->level[i], from, to, context[i]);

		if (at == to)
			return false;
		*node = at;
		if (i + 1 < k) {
			from = g->level[i].first[at];
			to = g->level[i].first[at + 1];
		}
	}
	return true;
}

static size_t trust(const struct ngram *g, size_t known, size_t node)
{
	const float own = known ? 1 - gamma_of(g, known, node) : 0;
	size_t quarter = (size_t)(own * NGRAM_QUARTERS);

	return known * NGRAM_QUARTERS + (quarter < NGRAM_QUARTERS ? quarter : NGRAM_QUARTERS - 1);
}

size_t ngram_predict(const struct ngram *g, const int32_t *context, size_t n, real *p)
{
	const size_t most = n < g->order - 1 ? n : g->order - 1;
	const struct ngram_level *lowest = &g->level[0];
	size_t node[NGRAM_MAX_ORDER], matched = 0;
	float gamma[NGRAM_MAX_ORDER];
	double left[NGRAM_MAX_ORDER + 1];       /* what all contexts from k ids on leave */
	bool known[NGRAM_MAX_ORDER] = { false };

	for (size_t k = 1; k <= most; k++) {
		const struct ngram_level *l = &g->level[k - 1];

		known[k] = locate(g, context + n - k, k, &node[k]) && l->first[node[k]] < l->first[node[k] + 1];
		if (known[k]) {
			gamma[k] = gamma_of(g, k, node[k]);
			matched = k;
		}
	}
	left[most + 1] = 1;
	for (size_t k = most; k > 0; k--)
		left[k] = left[k + 1] * (known[k] ? (double)gamma[k] : 1);
	/* one pass over the vocabulary; each context's own part, scaled by all contexts longer than it */
	if (lowest->n == g->vocab) {
		for (size_t i = 0; i < g->vocab; i++)
			p[i] = (real)lowest->p[i];
		kernels_scale(p, (real)left[1], g->vocab);
	} else {
		memset(p, 0, g->vocab * sizeof(*p));
		for (size_t i = 0; i < lowest->n; i++)
			p[lowest->id[i]] = (real)((double)lowest->p[i] * left[1]);
	}
	for (size_t k = 1; k <= most; k++) {
		const struct ngram_level *l = &g->level[k - 1], *next = &g->level[k];
		const real share = (real)left[k + 1];

		for (size_t c = known[k] ? l->first[node[k]] : 0, end = known[k] ? l->first[node[k] + 1] : 0; c < end; c++)
			p[next->id[c]] += share * (real)ngram_part(g, next, c);
	}
	return trust(g, matched, matched ? node[matched] : 0);
}

size_t ngram_trust(const struct ngram *g, const int32_t *context, size_t n)
{
	for (size_t k = n < g->order - 1 ? n : g->order - 1; k > 0; k--) {
		size_t node;

		if (locate(g, context + n - k, k, &node) &&
		    g->level[k - 1].first[node] < g->level[k - 1].first[node + 1])
			return trust(g, k, node);
	}
	return trust(g, 0, 0);
}

double ngram_prob(const struct ngram *g, const int32_t *context, size_t n, int32_t id)
{
	const size_t most = n < g->order - 1 ? n : g->order - 1;
	size_t at = find(&g->level[0], 0, g->level[0].n, id);
	double p = at < g->level[0].n ? (double)g->level[0].p[at] : 0;

	for (size_t k = 1; k <= most; k++) {
		const struct ngram_level *l = &g->level[k - 1];
		size_t node, to;

		if (!locate(g, context + n - k, k, &node))
			continue;
		to = l->first[node + 1];
		if (l->first[node] == to)
			continue;
		at = find(&g->level[k], l->first[node], to, id);
		p *= (double)gamma_of(g, k, node);
		if (at < to)
			p += (double)ngram_part(g, &g->level[k], at);
	}
	return p;
}
