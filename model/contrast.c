/* SPDX-License-Identifier: GPL-3.0-or-later */
/* contrast: the choice of turns and their rivals, and the weights of their rows. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../src/base/rng.h"
#include "contrast.h"

enum { TRIES = 24 };

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
 * found soon: an order is no rival of a joke. SIZE_MAX: none. */
static size_t rival(const struct dataset *ds, uint32_t own, size_t truth, int32_t tag, struct rng *r, uint32_t *from)
{
	const size_t rows = dialogue_rows(ds, own);
	size_t found = SIZE_MAX;

	for (size_t i = 0; i < TRIES; i++) {
		const uint32_t d = (uint32_t)rng_below(r, ds->dialogues);
		const size_t first = ds->first_turn[d], n = ds->first_turn[d + 1] - first;
		const size_t t = first + rng_below(r, n), len = dialogue_rows(ds, d);

		if (d == own || ds->turn[t].tag != tag || ds->turn[t].n == 0 || same_words(ds, t, truth))
			continue;
		found = t;
		*from = d;
		if (len * 2 > rows && len < rows * 2)
			break;
	}
	return found;
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
			said[k + got] = certain ? certain - 1 : rival(ds, of[c], truth[c], tag, &r, &from[k + got]);
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
