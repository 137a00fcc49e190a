/* SPDX-License-Identifier: GPL-3.0-or-later */
/* optim: the optimiser's pass over all weights: sum the shards, clip, Adam, average. */
#ifndef ANSWERBACK_OPTIM_H
#define ANSWERBACK_OPTIM_H

#include <stddef.h>
#include <stdint.h>

#include "pool.h"
#include "real.h"

struct optim {
	size_t n;                     /* reals in a block */
	real *m, *v, *average;        /* [n]; average may be NULL */
	uint64_t updates;             /* of Adam, for bias correction */
	double norm_mean;             /* running mean of the norm, to tell outliers */
	uint64_t norms;
};

void optim_init(struct optim *o, size_t n, const real *average_from);   /* NULL: no average */
void optim_fini(struct optim *o);

struct optim_step {
	double scale;                 /* 1 / weighted rows */
	double clip, lr, weight_decay, average;
};

enum optim_result { OPTIM_OK, OPTIM_NOT_FINITE, OPTIM_OUTLIER };

/* grad[shards]: [n] each; summed in shard order into grad[0], then all zeroed. w: [n], updated unless
 * the step is refused. *norm: global norm after scale. Same bits for any number of threads. */
enum optim_result optim_update(struct optim *o, struct pool *pool, real *w, real *const *grad,
                               size_t shards, const struct optim_step *s, double *norm);

/* Before the first update: what gradients are like where nothing is to be learned. One batch's gradient (summed and
 * zeroed as above) goes into the second moments; optim_measured divides by `batches` and lets no element of the stretch
 * [from, from + n) fall below the stretch's mean. Then Adam steps carefully where the old behaviour is sensitive, as
 * along a natural gradient, and does not start with steps of full length everywhere. */
void optim_measure(struct optim *o, struct pool *pool, real *const *grad, size_t shards, double scale);
void optim_measured(struct optim *o, size_t from, size_t n, size_t batches);

/* Linear warm-up, then a cosine from 1 down to `end` at progress 1. */
double optim_schedule(uint64_t step, size_t warmup, double progress, double end);

#endif
