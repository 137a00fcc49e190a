/* SPDX-License-Identifier: GPL-3.0-or-later */
/* common_bench: clocks, quantiles, random models, and the count of operations. */
#include "common_bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../src/base/rng.h"

static clockid_t clock_used = CLOCK_MONOTONIC;

void bench_use_processor_time(void)
{
	clock_used = CLOCK_PROCESS_CPUTIME_ID;
}

double bench_now(void)
{
	struct timespec t;

	clock_gettime(clock_used, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

double bench_quantile(double *v, size_t n, double q)
{
	size_t at;

	if (n == 0)
		return 0;
	qsort(v, n, sizeof(*v), ascending);
	at = (size_t)(q * (double)(n - 1) + 0.5);
	return v[at < n ? at : n - 1];
}

double bench_median(double *v, size_t n)
{
	return bench_quantile(v, n, 0.5);
}

double bench_time(const struct bench *b, void (*run)(void *arg), void *arg)
{
	double t[64];
	const size_t rounds = b->rounds < 64 ? b->rounds : 64;

	run(arg);
	for (size_t r = 0; r < rounds; r++) {
		const double start = bench_now();
		size_t n = 0;

		do {
			run(arg);
			n++;
		} while (bench_now() - start < b->seconds);
		t[r] = (bench_now() - start) / (double)n;
	}
	return bench_median(t, rounds);
}

static struct model *shipped(const struct bench *b)
{
	struct err e = ERR_INIT;
	struct model *m;

	if (model_load(&m, b->model, MODEL_SERVE, &e) < 0) {
		fprintf(stderr, "bench: %s\n", e.msg);
		exit(1);
	}
	return m;
}

void bench_config(const struct bench *b, const char *size, struct dialogue_config *c)
{
	struct model *m = shipped(b);

	*c = m->w->cfg;
	if (strcmp(size, "shipped") != 0)
		dialogue_config_preset(c, size);
	model_unref(m);
}

struct tokenizer *bench_tokenizer(const struct bench *b)
{
	struct model *m = shipped(b);
	char *json = tokenizer_to_json(m->tok);
	struct tokenizer *tok;
	struct err e = ERR_INIT;

	if (tokenizer_from_json(json, strlen(json), &tok, &e) < 0) {
		fprintf(stderr, "bench: %s\n", e.msg);
		exit(1);
	}
	free(json);
	model_unref(m);
	return tok;
}

struct model *bench_model(const struct bench *b, const char *size, const char *precision)
{
	struct dialogue_config c;
	struct weights *w;

	bench_config(b, size, &c);
	w = weights_new(&c, false);
	weights_init_random(w, 1);
	if (strcmp(precision, "int8") == 0) {
		struct weights *bytes = weights_bytes_from(w);

		weights_free(w);
		w = bytes;
	}
	return model_new(w, bench_tokenizer(b), NULL, NULL);
}

struct dataset *bench_dialogues(const struct tokenizer *tok, size_t dialogues, size_t turns, uint64_t seed)
{
	const size_t vocab = tokenizer_vocab(tok);
	struct dataset *ds = dataset_new();
	struct rng r;
	int32_t ids[64];

	rng_seed(&r, seed);
	for (size_t d = 0; d < dialogues; d++) {
		dataset_begin(ds);
		for (size_t t = 0; t < turns; t++) {
			const size_t n = 8 + rng_below(&r, 43);

			for (size_t i = 0; i < n; i++)
				ids[i] = (int32_t)(vocab - 1 - rng_below(&r, vocab / 2));
			dataset_turn(ds, TOKEN_FIRST_TAG + (int32_t)(t % 2), ids, n, 4 * n, 1);
		}
		dataset_end(ds);
	}
	return ds;
}

double bench_forward_flop(const struct dialogue_config *c, const struct dataset *ds, size_t from, size_t to)
{
	const double d = (double)c->embed, b = (double)c->turn_hidden, e = (double)c->encoder_hidden;
	const double h = (double)c->decoder_hidden, A = (double)c->attention, V = (double)c->vocab;
	const double encoded = 2 * d * 4 * b + 2 * b * 4 * b + 2 * b * 4 * e + e * 4 * e + 2 * (2 * b + e) * A;
	const double decoded = d * 4 * h + h * 4 * h + h * A + (h + A) * 4 * h + h * 4 * h + (h + A) * d + d * V;
	double flop = 0, past = 0;

	for (size_t t = from; t < to; t++) {
		const double rows = (double)ds->turn[t].n + 1;
		const double seen = past < (double)c->window ? past : (double)c->window;

		flop += 2 * rows * decoded + 2 * rows * (seen + 1) * 2 * A + 2 * e * 4 * h;
		if (t + 1 < to)      /* the last turn is predicted, not encoded */
			flop += 2 * rows * encoded;
		past += rows;
	}
	return flop;
}

void bench_print_shapes(const struct dialogue_config *c)
{
	const size_t d = c->embed, b = c->turn_hidden, e = c->encoder_hidden, h = c->decoder_hidden, A = c->attention;

	printf("  forward, an encoded row: 2 x (%zux%zu + %zux%zu), %zux%zu + %zux%zu, 2 x (%zux%zu + %zux%zu)\n",
	       d, 4 * b, b, 4 * b, 2 * b, 4 * e, e, 4 * e, 2 * b, A, e, A);
	printf("  a decoded row: %zux%zu + %zux%zu, %zux%zu, %zux%zu + %zux%zu, %zux%zu, %zux%zu, attention 2x%zux(seen + 1)\n",
	       d, 4 * h, h, 4 * h, h, A, h + A, 4 * h, h, 4 * h, h + A, d, d, c->vocab, A);
	printf("  a turn: %zux%zu; two operations a weight; training is three times forward\n", e, 4 * h);
}
