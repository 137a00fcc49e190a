/* SPDX-License-Identifier: GPL-3.0-or-later */
/* optim: Adam with clipping by global norm, over fixed stretches of the block, so that the
 * sums have one order whatever the number of threads. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../src/base/mem.h"
#include "kernels.h"
#include "optim.h"

enum { STRETCH = 1 << 15 };

void optim_init(struct optim *o, size_t n, const real *average_from)
{
	memset(o, 0, sizeof(*o));
	o->n = n;
	o->m = mem_aligned(n * sizeof(real));
	o->v = mem_aligned(n * sizeof(real));
	if (average_from) {
		o->average = mem_aligned(n * sizeof(real));
		memcpy(o->average, average_from, n * sizeof(real));
	}
}

void optim_fini(struct optim *o)
{
	mem_aligned_free(o->m);
	mem_aligned_free(o->v);
	mem_aligned_free(o->average);
	memset(o, 0, sizeof(*o));
}

struct update {
	struct optim *o;
	real *w;
	real *const *grad;
	size_t shards;
	double *sumsq;                /* [stretches] */
	real scale, lr, eps, decay, average;
};

static size_t stretch_len(const struct optim *o, size_t task)
{
	size_t from = task * STRETCH;

	return o->n - from < STRETCH ? o->n - from : STRETCH;
}

static void sum_shards(size_t task, void *arg)
{
	struct update *u = arg;
	const size_t from = task * STRETCH, n = stretch_len(u->o, task);

	for (size_t s = 1; s < u->shards; s++)
		kernels_axpy(u->grad[0] + from, 1, u->grad[s] + from, n);
	u->sumsq[task] = kernels_sumsq(u->grad[0] + from, n);
}

static void apply(size_t task, void *arg)
{
	struct update *u = arg;
	const size_t from = task * STRETCH, n = stretch_len(u->o, task);
	real *w = u->w + from;

	if (u->lr > 0)
		kernels_adam(w, u->o->m + from, u->o->v + from, u->grad[0] + from, n, u->scale,
		             u->lr, (real)0.9, (real)0.999, u->eps, u->decay);
	if (u->lr > 0 && u->o->average) {
		real *avg = u->o->average + from;

		kernels_scale(avg, u->average, n);
		kernels_axpy(avg, 1 - u->average, w, n);
	}
	for (size_t s = 0; s < u->shards; s++)
		memset(u->grad[s] + from, 0, n * sizeof(real));
}

enum optim_result optim_update(struct optim *o, struct pool *pool, real *w, real *const *grad,
                               size_t shards, const struct optim_step *s, double *norm)
{
	const size_t tasks = (o->n + STRETCH - 1) / STRETCH;
	double sumsq[4096], total = 0;
	struct update u = { .o = o, .w = w, .grad = grad, .shards = shards };
	enum optim_result result = OPTIM_OK;

	u.sumsq = tasks <= 4096 ? sumsq : xcalloc(tasks, sizeof(*u.sumsq));
	pool_run(pool, tasks, sum_shards, &u);
	for (size_t i = 0; i < tasks; i++)
		total += u.sumsq[i];
	if (u.sumsq != sumsq)
		free(u.sumsq);
	*norm = sqrt(total) * s->scale;

	/* A gradient ten times the usual one after the first hundred says more about one
	 * strange batch than about the way down. */
	if (!isfinite(*norm))
		result = OPTIM_NOT_FINITE;
	else if (o->norms > 100 && *norm > 10 * o->norm_mean)
		result = OPTIM_OUTLIER;

	if (isfinite(*norm)) {
		double share = 1.0 / (double)(o->norms < 100 ? o->norms + 1 : 100);
		double capped = result == OPTIM_OUTLIER ? 10 * o->norm_mean : *norm;

		o->norm_mean += share * (capped - o->norm_mean);
		o->norms++;
	}
	if (result == OPTIM_OK) {
		double t, c1, c2, avg;

		o->updates++;
		t = (double)o->updates;
		c1 = 1 - pow(0.9, t);
		c2 = 1 - pow(0.999, t);
		/* a young average forgets faster, so that it never holds the random start */
		avg = fmin(s->average, (1 + t) / (10 + t));
		u.scale = (real)(s->scale * (*norm > s->clip && s->clip > 0 ? s->clip / *norm : 1));
		u.lr = (real)(s->lr * sqrt(c2) / c1);
		u.eps = (real)(1e-8 * sqrt(c2));
		u.decay = (real)(s->lr * s->weight_decay);
		u.average = (real)avg;
	}
	pool_run(pool, tasks, apply, &u);
	return result;
}

static void square(size_t task, void *arg)
{
	struct update *u = arg;
	const size_t from = task * STRETCH, n = stretch_len(u->o, task);
	const real *g = u->grad[0] + from;
	real *v = u->o->v + from;

	for (size_t i = 0; i < n; i++)
		v[i] += u->scale * g[i] * (u->scale * g[i]);
	for (size_t s = 0; s < u->shards; s++)
		memset(u->grad[s] + from, 0, n * sizeof(real));
}

void optim_measure(struct optim *o, struct pool *pool, real *const *grad, size_t shards, double scale)
{
	const size_t tasks = (o->n + STRETCH - 1) / STRETCH;
	double *sumsq = xcalloc(tasks, sizeof(*sumsq));
	struct update u = { .o = o, .grad = grad, .shards = shards, .sumsq = sumsq, .scale = (real)scale };

	pool_run(pool, tasks, sum_shards, &u);
	pool_run(pool, tasks, square, &u);
	free(sumsq);
}

void optim_measured(struct optim *o, size_t from, size_t n, size_t batches)
{
	double mean = 0;

	for (size_t i = from; i < from + n; i++) {
		o->v[i] /= (real)batches;
		mean += (double)o->v[i] / (double)n;
	}
	for (size_t i = from; i < from + n; i++)
		o->v[i] += (real)mean;
	/* no correction for moments that started at zero: these did not */
	o->updates = 5000;
}

double optim_schedule(uint64_t step, size_t warmup, double progress, double end)
{
	const double pi = 3.14159265358979323846;
	double warm = warmup > 0 && step < warmup ? (double)(step + 1) / (double)warmup : 1;
	double p = progress < 0 ? 0 : progress > 1 ? 1 : progress;

	return warm * (end + (1 - end) * 0.5 * (1 + cos(pi * p)));
}
