/* SPDX-License-Identifier: GPL-3.0-or-later */
/* contrast: the choice of turns and their rivals, and the weights of their rows. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../src/base/mem.h"
#include "../src/base/rng.h"
#include "contrast.h"

enum { TRIES = 24, DRAWS = 16 };

/* ---- how common a turn is ---- */

struct pairs {
	uint64_t *key;                /* previous id << 32 | id, plus one; 0: empty */
	uint32_t *count;
	size_t mask;
};

static uint32_t *pair_count(struct pairs *p, int32_t before, int32_t id, bool add)
{
	const uint64_t key = ((uint64_t)(uint32_t)before << 32 | (uint32_t)id) + 1;

	for (size_t i = rng_hash(key, 0) & p->mask;; i = (i + 1) & p->mask) {
		if (p->key[i] == key)
			return &p->count[i];
		if (p->key[i] == 0) {
			if (!add)
				return NULL;
			p->key[i] = key;
			return &p->count[i];
		}
	}
}

float *contrast_commonness(const struct dataset *ds, size_t vocab)
{
	size_t slots = 1024, total = 0;
	uint32_t *single = xcalloc(vocab, sizeof(*single)), *before = xcalloc(vocab, sizeof(*before));
	float *out = xcalloc(ds->n_turns + 1, sizeof(*out));
	struct pairs p;

	while (slots < 2 * dataset_rows(ds))
		slots *= 2;
	p = (struct pairs){ xcalloc(slots, sizeof(uint64_t)), xcalloc(slots, sizeof(uint32_t)), slots - 1 };
	for (size_t pass = 0; pass < 2; pass++) {
		for (size_t t = 0; t < ds->n_turns; t++) {
			const struct dataset_turn *dt = &ds->turn[t];
			int32_t last = dt->tag;
			double sum = 0;

			for (size_t i = 0; i <= dt->n; i++) {
				const int32_t id = i < dt->n ? ds->ids[dt->first + i] : TOKEN_EOT;
				uint32_t *both = pair_count(&p, last, id, pass == 0);

				if (pass == 0) {
					++*both;
					single[id]++;
					before[last]++;
					total++;
				} else {
					sum += log(0.9 * (double)*both / (double)before[last] +
					           0.1 * (double)single[id] / (double)total);
				}
				last = id;
			}
			out[t] = (float)(sum / (double)(dt->n + 1));
		}
	}
	free(p.key);
	free(p.count);
	free(single);
	free(before);
	return out;
}

/* ---- rivals ---- */

static size_t dialogue_rows(const struct dataset *ds, size_t d)
{
	size_t rows = 0;

	for (size_t t = ds->first_turn[d]; t < ds->first_turn[d + 1]; t++)
		rows += ds->turn[t].n + 1;
	return rows;
}

static bool same_words(const struct dataset *ds, size_t a, size_t b)
{
	const struct dataset_turn *x = &ds->turn[a], *y = &ds->turn[b];

	return x->n == y->n && memcmp(ds->ids + x->first, ds->ids + y->first, x->n * sizeof(*ds->ids)) == 0;
}

/* A turn of the same role out of another conversation that says something else, of like length where one is
 * found soon: an order is no rival of a joke. place: as far into its conversation as the truth, so that what tells them
 * apart is not that one greets and the other says goodbye. SIZE_MAX: none. */
static size_t any_rival(const struct dataset *ds, uint32_t own, size_t truth, int32_t tag, bool place, struct rng *r,
                        uint32_t *from)
{
	const size_t rows = dialogue_rows(ds, own), at = truth - ds->first_turn[own];
	size_t found = SIZE_MAX;

	for (size_t i = 0; i < TRIES; i++) {
		const uint32_t d = (uint32_t)rng_below(r, ds->dialogues);
		const size_t first = ds->first_turn[d], n = ds->first_turn[d + 1] - first;
		const size_t t = first + (place && at < n ? at : rng_below(r, n)), len = dialogue_rows(ds, d);

		if (d == own || (place && at >= n) || ds->turn[t].tag != tag || ds->turn[t].n == 0 || same_words(ds, t, truth))
			continue;
		found = t;
		*from = d;
		if (len * 2 > rows && len < rows * 2)
			break;
	}
	return found;
}

/* Every other one is the commonest of several: what is said everywhere is what a likelihood prefers everywhere.
 * The others stand in the same place of their conversations. */
static size_t rival(const struct dataset *ds, uint32_t own, size_t truth, int32_t tag, bool common,
                    const struct contrast_opts *o, struct rng *r, uint32_t *from)
{
	size_t best = any_rival(ds, own, truth, tag, !common, r, from);

	if (best == SIZE_MAX)
		return any_rival(ds, own, truth, tag, false, r, from);

	for (size_t i = 1; o->commonness && common && best != SIZE_MAX && i < DRAWS; i++) {
		uint32_t d;
		const size_t t = any_rival(ds, own, truth, tag, false, r, &d);

		if (t != SIZE_MAX && o->commonness[t] > o->commonness[best]) {
			best = t;
			*from = d;
		}
	}
	return best;
}

size_t contrast_branch(struct dialogue_batch *b, struct arena *a, const struct dataset *ds,
                       const struct batch_item *item, size_t n, size_t longest,
                       const struct batch_noise *noise, const struct contrast_opts *o)
{
	const size_t most = o->turns * o->others;
	uint32_t *place = arena_alloc(a, (most + 1) * sizeof(*place)), *from = arena_alloc(a, (most + 1) * sizeof(*from));
	uint32_t *pick = arena_alloc(a, (b->turns + 1) * sizeof(*pick)), *of = arena_alloc(a, (b->turns + 1) * sizeof(*of));
	size_t *said = arena_alloc(a, (most + 1) * sizeof(*said)), *truth = arena_alloc(a, (b->turns + 1) * sizeof(*truth));
	size_t candidates = 0, chosen = 0, k = 0;
	struct rng r;

	rng_seed(&r, o->key);
	for (size_t i = 0, t = 0; i < n; i++) {
		for (size_t s = item[i].from; s < item[i].to; s++, t++) {
			const struct dataset_turn *dt = &ds->turn[s];

			/* a first turn has no context; a turn of weight 0 is nobody's model, unless against a certain other */
			if (s == item[i].from || (o->tag >= 0 && dt->tag != o->tag) || (dt->weight <= 0 && !dt->rival) || dt->n == 0)
				continue;
			pick[candidates] = (uint32_t)t;
			truth[candidates] = s;
			of[candidates++] = item[i].dialogue;
		}
	}
	for (; chosen < o->turns && candidates > 0; chosen++) {
		const size_t c = rng_below(&r, candidates);
		const int32_t tag = b->ids[b->turn[pick[c]].start];
		size_t got = 0;

		for (; got < o->others; got++) {
			const uint32_t certain = got == 0 ? ds->turn[truth[c]].rival : 0;

			from[k + got] = of[c];
			said[k + got] = certain ? certain - 1 :
				rival(ds, of[c], truth[c], tag, got % 2 == 0, o, &r, &from[k + got]);
			place[k + got] = pick[c];
			if (said[k + got] == SIZE_MAX)
				break;
		}
		if (got < o->others)
			break;              /* hardly any other conversations: no contrast to be had */
		k += got;
		pick[c] = pick[candidates - 1];
		truth[c] = truth[candidates - 1];
		of[c] = of[--candidates];
	}
	if (k > 0)
		batch_branch(b, a, ds, place, said, from, k, longest, noise);
	return chosen;
}

static double mean_of(const struct dialogue_batch *b, size_t t, const float *logprob)
{
	double sum = 0;

	for (size_t i = 0; i < b->turn[t].len; i++)
		sum += (double)logprob[b->turn[t].start + i];
	return sum / (double)b->turn[t].len;
}

static void add_weight(const struct dialogue_batch *b, size_t t, double x, float *weight)
{
	for (size_t i = 0; i < b->turn[t].len; i++)
		weight[b->turn[t].start + i] += (float)(x / (double)b->turn[t].len);
}

double contrast_weigh(const struct dialogue_batch *b, size_t chosen, const struct contrast_opts *o,
                      const float *logprob, float *weight, size_t *right)
{
	const size_t own = b->first_turn[b->dialogues];
	double loss = 0;

	*right = 0;
	for (size_t c = 0; c < chosen; c++) {
		const size_t first = own + c * o->others, truth = b->branch[c * o->others];
		const double m0 = mean_of(b, truth, logprob);
		double sum = 1, best = -INFINITY;      /* of exp((m_k - m_0) / T), k = 0 included */

		for (size_t k = 0; k < o->others; k++) {
			const double m = mean_of(b, first + k, logprob);

			best = m > best ? m : best;
			sum += exp(fmin((m - m0) / o->temperature, 80));
		}
		*right += m0 > best;
		loss += log(sum);
		add_weight(b, truth, o->weight / o->temperature * (1 - 1 / sum), weight);
		for (size_t k = 0; k < o->others; k++) {
			const double m = mean_of(b, first + k, logprob);

			add_weight(b, first + k, -o->weight / o->temperature *
			           exp(fmin((m - m0) / o->temperature, 80)) / sum, weight);
		}
	}
	return loss;
}
