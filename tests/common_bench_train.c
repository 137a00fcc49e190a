/* SPDX-License-Identifier: GPL-3.0-or-later */
/* common_bench_train: steps of training, beside a large product of OpenBLAS's in the same run; and how the
 * time of an epoch grows with the data. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../model/pool.h"
#include "../model/train.h"
#include "../src/base/mem.h"
#include "common_bench.h"

enum { BIG = 1024, MOST_STEPS = 256 };

/* ---- the ceiling ---- */

struct big {
	real *a, *b, *c[8];
	struct pool *pool;
};

static void multiply(size_t task, void *arg)
{
	struct big *g = arg;

	/* no power of two from row to row */
	kernels_gemm(false, false, BIG, BIG, BIG, g->a, BIG + 16, g->b, BIG + 16, false, g->c[task], BIG + 16);
}

static void multiply_all(void *arg)
{
	struct big *g = arg;

	pool_run(g->pool, pool_threads(g->pool), multiply, g);
}

static real *random_matrix(void)
{
	real *x = mem_aligned(BIG * (BIG + 16) * sizeof(real));

	for (size_t i = 0; i < BIG * (BIG + 16); i++)
		x[i] = (real)(i * 2654435761u % 1000) / 500 - 1;
	return x;
}

/* ---- training ---- */

struct watch {
	const struct dataset *ds;
	const struct batch_plan *plan;
	const struct dialogue_config *c;
	double last, time[MOST_STEPS], flop[MOST_STEPS], rows[MOST_STEPS];
	size_t n;
	struct big *big;              /* measured between steps */
	double big_time[MOST_STEPS];
};

static bool after_step(const struct train_report *rep, void *arg)
{
	struct watch *w = arg;
	const double now = bench_now();
	const size_t batch = rep->step - 1;

	if (rep->evaluated || w->n == MOST_STEPS || batch >= w->plan->batches)
		return true;
	if (rep->step > 1) {      /* the first one makes room */
		w->time[w->n] = now - w->last;
		for (size_t i = w->plan->first[batch * w->plan->shards]; i < w->plan->first[(batch + 1) * w->plan->shards]; i++) {
			const struct batch_item *it = &w->plan->item[i];

			w->flop[w->n] += 3 * bench_forward_flop(w->c, w->ds, it->from, it->to);
			for (size_t t = it->from; t < it->to; t++)
				w->rows[w->n] += (double)w->ds->turn[t].n + 1;
		}
		if (w->big) {
			const double start = bench_now();

			multiply_all(w->big);
			w->big_time[w->n] = bench_now() - start;
		}
		w->n++;
	}
	w->last = bench_now();
	return true;
}

static void run_steps(const struct dialogue_config *c, const struct tokenizer *tok, const struct dataset *ds,
                      size_t threads, size_t steps, size_t epochs, struct watch *watch)
{
	struct weights *w = weights_new(c, true);
	struct dataset *none = dataset_new();
	struct train_opts o;
	struct trainer *t;
	enum train_end end;
	struct err e = ERR_INIT;

	weights_init_random(w, 1);
	train_opts_default(&o);
	o.threads = threads;
	o.steps = steps;
	o.epochs = epochs;
	o.minutes = 0;
	o.warmup = 2;

	const struct batch_opts bo = { .rows = o.batch_rows, .shards = o.shards, .longest = o.longest, .seed = o.seed };
	struct batch_plan *plan = batch_plan_new(ds, &bo, 0);
	const struct train_hooks hooks = { after_step, NULL, watch };

	watch->plan = plan;
	watch->ds = ds;
	watch->c = c;
	t = trainer_new(&o, w, tok, ds, none, -1);
	if (trainer_run(t, &hooks, &end, &e) < 0) {
		fprintf(stderr, "bench: %s\n", e.msg);
		exit(1);
	}
	trainer_free(t);
	batch_plan_free(plan);
	dataset_free(none);
}

static json_t *train_one(const struct bench *b, const char *size, size_t threads)
{
	struct dialogue_config c;
	struct tokenizer *tok = bench_tokenizer(b);
	struct dataset *ds = bench_dialogues(tok, b->longer ? 300 : 100, 8, 7);
	struct big big = { random_matrix(), random_matrix(), { NULL }, pool_new(threads) };
	struct watch *w = xcalloc(1, sizeof(*w));
	double rate[MOST_STEPS], tokens[MOST_STEPS];
	const double one = 2.0 * BIG * BIG * BIG * (double)threads * 1e-9;
	json_t *o;

	for (size_t i = 0; i < threads && i < 8; i++)
		big.c[i] = random_matrix();
	bench_config(b, size, &c);
	w->big = &big;
	run_steps(&c, tok, ds, threads, b->longer ? 24 : 8, 0, w);
	for (size_t i = 0; i < w->n; i++) {
		rate[i] = w->flop[i] * 1e-9 / w->time[i];
		tokens[i] = w->rows[i] / w->time[i];
	}

	const double sgemm = one / bench_median(w->big_time, w->n), gflops = bench_median(rate, w->n);

	o = json_pack("{s:s, s:I, s:I, s:f, s:f, s:f, s:f}", "size", size, "threads", (json_int_t)threads, "steps",
	              (json_int_t)w->n, "gflops", gflops, "tokens_per_second", bench_median(tokens, w->n), "sgemm_gflops",
	              sgemm, "of_sgemm", gflops / sgemm);
	printf("  train %-8s %zu threads  %7.1f GFLOP/s  %6.0f tokens/s   sgemm %7.1f GFLOP/s   %3.0f %%\n", size, threads,
	       gflops, bench_median(tokens, w->n), sgemm, 100 * gflops / sgemm);
	fflush(stdout);
	pool_free(big.pool);
	mem_aligned_free(big.a);
	mem_aligned_free(big.b);
	for (size_t i = 0; i < 8; i++)
		mem_aligned_free(big.c[i]);
	free(w);
	dataset_free(ds);
	tokenizer_free(tok);
	return o;
}

json_t *bench_train(const struct bench *b)
{
	static const char *const sizes[] = { "large", "shipped" };
	json_t *list = json_array();

	for (size_t i = 0; i < 2; i++) {
		struct dialogue_config c;

		bench_config(b, sizes[i], &c);
		printf("%s\n", sizes[i]);
		bench_print_shapes(&c);
		for (size_t threads = 1; threads <= b->threads; threads++)
			json_array_append_new(list, train_one(b, sizes[i], threads));
	}
	return list;
}

/* ---- growth ---- */

static double epoch_seconds(const struct bench *b, size_t dialogues)
{
	struct dialogue_config c;
	struct tokenizer *tok = bench_tokenizer(b);
	struct dataset *ds = bench_dialogues(tok, dialogues, 8, 9);
	struct watch *w = xcalloc(1, sizeof(*w));
	const double start = bench_now();
	double spent;

	bench_config(b, "small", &c);
	run_steps(&c, tok, ds, b->threads, 0, 1, w);
	spent = bench_now() - start;
	free(w);
	dataset_free(ds);
	tokenizer_free(tok);
	return spent;
}

static json_t *train_growth(const struct bench *b)
{
	const size_t base = b->longer ? 48 : 12;
	json_t *o = json_array();
	double first = 0;

	for (size_t k = 1; k <= 16; k *= 4) {
		double t[3];

		for (size_t r = 0; r < (k < 16 ? 3 : 1); r++)
			t[r] = epoch_seconds(b, base * k);

		const double s = bench_median(t, k < 16 ? 3 : 1);

		first = k == 1 ? s : first;
		json_array_append_new(o, json_pack("{s:I, s:f, s:f}", "data", (json_int_t)k, "seconds", s, "ratio", s / first));
		printf("  an epoch of %2zux the data (small): %6.2f s  %5.1fx\n", k, s, s / first);
		fflush(stdout);
	}
	return o;
}

json_t *bench_growth(const struct bench *b)
{
	return json_pack("{s:o, s:o}", "training", train_growth(b), "turns", bench_turns(b));
}

int bench_train_child(const struct bench *b, const char *size)
{
	struct dialogue_config c;
	struct tokenizer *tok = bench_tokenizer(b);
	struct dataset *ds = bench_dialogues(tok, 60, 8, 7);
	struct watch *w = xcalloc(1, sizeof(*w));

	bench_config(b, size, &c);
	run_steps(&c, tok, ds, 2, 3, 0, w);
	free(w);
	dataset_free(ds);
	tokenizer_free(tok);
	return 0;
}
