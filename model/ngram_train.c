/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ngram: counting, by sorting. All windows of k ids are sorted by radix; equal ones are neighbours, and
 * the sorted list is already the trie's level k. */
#include "ngram_private.h"

#include <stdlib.h>
#include <string.h>

#include "../src/base/mem.h"

struct gram {
	uint16_t id[NGRAM_MAX_ORDER];
	uint16_t begins;          /* stands at the beginning of a sequence */
	uint32_t count;
};

struct grams {
	struct gram *v;
	size_t n;
	uint32_t *adjusted;       /* [n] the c of the header */
};

/* Stable counting sort by id[0 .. k), the last first. */
static void sort(struct gram **v, size_t n, size_t k, size_t vocab)
{
	struct gram *from = *v, *to = xcalloc(n + 1, sizeof(*to));
	size_t *at = xcalloc(vocab + 1, sizeof(*at));

	for (size_t j = k; j-- > 0;) {
		memset(at, 0, (vocab + 1) * sizeof(*at));
		for (size_t i = 0; i < n; i++)
			at[from[i].id[j] + 1]++;
		for (size_t i = 0; i < vocab; i++)
			at[i + 1] += at[i];
		for (size_t i = 0; i < n; i++)
			to[at[from[i].id[j]]++] = from[i];

		struct gram *swap = from;

		from = to;
		to = swap;
	}
	*v = from;
	free(to);
	free(at);
}

static bool same(const struct gram *a, const struct gram *b, size_t k)
{
	return memcmp(a->id, b->id, k * sizeof(a->id[0])) == 0;
}

/* Join equal neighbours. */
static size_t join(struct gram *v, size_t n, size_t k)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		if (kept > 0 && same(&v[kept - 1], &v[i], k)) {
			v[kept - 1].count += v[i].count;
			v[kept - 1].begins |= v[i].begins;
		} else {
			v[kept++] = v[i];
		}
	}
	return kept;
}

static void count(struct grams *g, const int32_t *ids, const size_t *first, size_t sequences, size_t k, size_t vocab)
{
	size_t n = 0;

	for (size_t s = 0; s < sequences; s++) {
		const size_t len = first[s + 1] - first[s];

		n += len > k ? len - k + 1 : len == k && k > 1 ? 1 : 0;
	}
	g->v = xcalloc(n + 1, sizeof(*g->v));
	n = 0;
	for (size_t s = 0; s < sequences; s++) {
		/* the first id is never the predicted one */
		for (size_t i = first[s] + (k == 1); i + k <= first[s + 1]; i++) {
			struct gram *w = &g->v[n++];

			for (size_t j = 0; j < k; j++)
				w->id[j] = (uint16_t)ids[i + j];
			w->begins = i == first[s];
			w->count = 1;
		}
	}
	sort(&g->v, n, k, vocab);
	g->n = join(g->v, n, k);
}

/* c of the k-grams: after how many different ids, from the distinct (k+1)-grams; where a
 * sequence begins nothing comes before, and it is how often. */
static void adjust(struct grams *g, const struct grams *longer, size_t k, size_t vocab)
{
	struct gram *tail;
	size_t n, t = 0;

	g->adjusted = xcalloc(g->n + 1, sizeof(*g->adjusted));
	if (!longer) {
		for (size_t i = 0; i < g->n; i++)
			g->adjusted[i] = g->v[i].count;
		return;
	}
	tail = xcalloc(longer->n + 1, sizeof(*tail));
	for (size_t i = 0; i < longer->n; i++) {
		memcpy(tail[i].id, longer->v[i].id + 1, k * sizeof(tail[i].id[0]));
		tail[i].count = 1;
	}
	sort(&tail, longer->n, k, vocab);
	n = join(tail, longer->n, k);
	for (size_t i = 0; i < g->n; i++) {
		if (g->v[i].begins) {
			g->adjusted[i] = g->v[i].count;
			t += t < n && same(&tail[t], &g->v[i], k);
		} else {
			/* every other one follows something: the two lists run side by side */
			g->adjusted[i] = tail[t++].count;
		}
	}
	free(tail);
}

struct discounts {
	double d[4];              /* [0] unused; of 1, 2, 3 and more */
};

static struct discounts estimate(const struct grams *g)
{
	double n[5] = { 0 }, y;
	struct discounts d = { { 0, 0.5, 1, 1.5 } };

	for (size_t i = 0; i < g->n; i++)
		if (g->adjusted[i] >= 1 && g->adjusted[i] <= 4)
			n[g->adjusted[i]]++;
	if (n[1] <= 0 || n[2] <= 0)
		return d;
	y = n[1] / (n[1] + 2 * n[2]);
	for (size_t c = 1; c <= 3; c++) {
		double v = (double)c - ((double)c + 1) * y * n[c + 1] / (n[c] > 0 ? n[c] : 1);

		/* tiny texts give nonsense; a discount lies between nothing and the count */
		if (n[c] > 0 && n[c + 1] > 0 && v > 0 && v < (double)c)
			d.d[c] = v;
	}
	return d;
}

/* p of all k-grams of one context [from, to): their discounted part. */
static void discount(const struct grams *g, size_t from, size_t to, const struct discounts *d, double *part)
{
	double total = 0;

	for (size_t i = from; i < to; i++)
		total += g->adjusted[i];
	for (size_t i = from; i < to; i++) {
		const uint32_t c = g->adjusted[i];

		part[i] = (c - d->d[c < 3 ? c : 3]) / total;
	}
}

static double *parts(const struct grams *g, size_t k)
{
	const struct discounts d = estimate(g);
	double *part = xcalloc(g->n + 1, sizeof(*part));

	for (size_t i = 0, to; i < g->n; i = to) {
		for (to = i + 1; to < g->n && same(&g->v[to], &g->v[i], k - 1); to++)
			;
		discount(g, i, to, &d, part);
	}
	return part;
}

/* Level k of the trie: the k-grams kept, and those that are only the context of longer ones. */
static void fill(struct ngram *g, const struct grams *all, const double *part, size_t k, uint32_t least,
                 const struct gram *longer, size_t n_longer, struct gram **kept, size_t *n_kept)
{
	struct ngram_level *l = &g->level[k - 1];
	struct gram *v = xcalloc(all->n + n_longer + 1, sizeof(*v));
	float *p = xcalloc(all->n + n_longer + 1, sizeof(*p));
	size_t n = 0, t = 0;

	for (size_t i = 0; i < all->n || t < n_longer;) {
		int order = i == all->n ? 1 : t == n_longer ? -1 : 0;

		for (size_t j = 0; order == 0 && j < k; j++)
			order = (all->v[i].id[j] > longer[t].id[j]) - (all->v[i].id[j] < longer[t].id[j]);
		if (order <= 0) {
			const bool is_context = order == 0;

			if (all->v[i].count >= least || is_context || k == 1) {
				v[n] = all->v[i];
				p[n++] = all->v[i].count >= least || k == 1 ? (float)part[i] : 0;
			}
			i++;
		} else {
			v[n] = longer[t];
			p[n++] = 0;
		}
		if (order >= 0) {
			struct gram at = longer[t];

			while (t < n_longer && same(&longer[t], &at, k))
				t++;
		}
	}
	ngram_level_alloc(l, n, k == g->order);
	for (size_t i = 0; i < n; i++) {
		l->id[i] = v[i].id[k - 1];
		l->p[i] = p[i];
	}
	if (l->first) {
		t = 0;
		for (size_t i = 0; i < n; i++) {
			l->first[i] = (uint32_t)t;
			while (t < n_longer && same(&longer[t], &v[i], k))
				t++;
		}
		l->first[n] = (uint32_t)t;
	}
	free(p);
	*kept = v;
	*n_kept = n;
}

/* The lowest order goes on to the uniform distribution. */
static void spread(struct ngram *g)
{
	struct ngram_level *l = &g->level[0], flat = { 0 };
	double sum = 0;
	size_t at = 0;

	for (size_t i = 0; i < l->n; i++)
		sum += (double)l->p[i];
	ngram_level_alloc(&flat, g->vocab, l->first == NULL);
	for (size_t id = 0; id < g->vocab; id++) {
		const bool there = at < l->n && l->id[at] == id;

		flat.id[id] = (uint16_t)id;
		flat.p[id] = (float)((1 - sum) / (double)g->vocab + (there ? (double)l->p[at] : 0));
		if (flat.first)
			flat.first[id] = l->first[at];
		at += there;
	}
	if (flat.first)
		flat.first[g->vocab] = l->first[l->n];
	free(l->id);
	free(l->p);
	free(l->first);
	*l = flat;
}

struct ngram *ngram_train(const int32_t *ids, const size_t *first, size_t sequences, size_t vocab,
                          const struct ngram_opts *o)
{
	struct ngram *g = ngram_alloc(o->order, vocab);
	struct grams longer = { 0 };
	struct gram *kept = NULL;
	size_t n_kept = 0;

	for (size_t k = o->order; k > 0; k--) {
		struct grams here = { 0 };
		struct gram *v;
		size_t n;

		count(&here, ids, first, sequences, k, vocab);
		adjust(&here, k == o->order ? NULL : &longer, k, vocab);

		double *part = parts(&here, k);

		fill(g, &here, part, k, o->keep[k - 1], kept, n_kept, &v, &n);
		free(part);
		free(kept);
		free(longer.v);
		free(longer.adjusted);
		kept = v;
		n_kept = n;
		longer = here;
	}
	free(kept);
	free(longer.v);
	free(longer.adjusted);
	spread(g);
	return g;
}

struct ngram *ngram_train_dataset(const struct dataset *ds, size_t vocab, const struct ngram_opts *o)
{
	int32_t *ids = xcalloc(ds->n_ids + 2 * ds->n_turns + 1, sizeof(*ids));
	size_t *first = xcalloc(ds->n_turns + 1, sizeof(*first)), n = 0;

	for (size_t t = 0; t < ds->n_turns; t++) {
		const struct dataset_turn *turn = &ds->turn[t];

		first[t] = n;
		ids[n++] = turn->tag;
		memcpy(ids + n, ds->ids + turn->first, turn->n * sizeof(*ids));
		n += turn->n;
		ids[n++] = TOKEN_EOT;
	}
	first[ds->n_turns] = n;

	struct ngram *g = ngram_train(ids, first, ds->n_turns, vocab, o);

	free(ids);
	free(first);
	return g;
}
