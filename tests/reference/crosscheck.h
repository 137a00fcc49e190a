/* SPDX-License-Identifier: GPL-3.0-or-later */
/* crosscheck: the model beside tests/reference/reference.py, another implementation of the
 * same equations. The tests that include this say how near the numbers have to be:
 * TOLERANCE, relative to the larger of 1 (or, of a gradient, its tensor's norm) and the number.
 * It is a header because it is compiled both ways, with real a float and a double. */
#ifndef ANSWERBACK_TESTS_CROSSCHECK_H
#define ANSWERBACK_TESTS_CROSSCHECK_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "../../model/dialogue.h"

enum { CROSS_ROWS = 256, CROSS_TURNS = 32, CROSS_DIALOGUES = 8, DOT_STREAM = 1000, ROW_STREAM = 2000 };

/* hash() of reference.py */
static double cross_hash(uint32_t stream, uint32_t i)
{
	uint32_t x = i * 0x9E3779B1u + stream * 0x85EBCA77u + 1;

	x ^= x >> 15;
	x *= 0x2C1B3C6Du;
	x ^= x >> 12;
	x *= 0x297A2D39u;
	x ^= x >> 15;
	return x / 2147483648.0 - 1;
}

static double number(const json_t *array, size_t i)
{
	const json_t *j = json_array_get(array, i);

	if (!json_is_number(j))
		fail_msg("crosscheck.json: a number is missing");
	return json_number_value(j);
}

static void near(const char *what, size_t at, double got, double want, double size)
{
	/* written so that NaN fails */
	if (!(fabs(got - want) <= TOLERANCE * fmax(size, fabs(want))))
		fail_msg("%s, %zu: %.12g here, %.12g in the reference", what, at, got, want);
}

struct cross {
	struct dialogue_batch b;
	int32_t ids[CROSS_ROWS], enc[CROSS_ROWS], dec[CROSS_ROWS], target[CROSS_ROWS];
	float weight[CROSS_ROWS];
	struct span turn[CROSS_TURNS];
	uint32_t first[CROSS_DIALOGUES + 1];
};

static void cross_batch(struct cross *f, const json_t *c)
{
	const json_t *turns = json_object_get(c, "turns"), *rows = json_object_get(c, "rows");
	const size_t n = json_array_size(rows), dialogues = json_array_size(turns);
	size_t row = 0, t = 0;

	assert_in_range(n, 1, CROSS_ROWS);
	assert_in_range(dialogues, 1, CROSS_DIALOGUES);
	for (size_t d = 0; d < dialogues; d++) {
		const json_t *lens = json_array_get(turns, d);

		f->first[d] = (uint32_t)t;
		for (size_t k = 0; k < json_array_size(lens); k++, t++) {
			assert_in_range(t, 0, CROSS_TURNS - 1);
			f->turn[t] = (struct span){ row, (size_t)number(lens, k) };
			row += f->turn[t].len;
		}
	}
	f->first[dialogues] = (uint32_t)t;
	assert_int_equal(row, n);
	for (size_t r = 0; r < n; r++) {
		const json_t *j = json_array_get(rows, r);

		f->ids[r] = (int32_t)number(j, 0);
		f->enc[r] = (int32_t)number(j, 1);
		f->dec[r] = (int32_t)number(j, 2);
		f->target[r] = (int32_t)number(j, 3);
		f->weight[r] = (float)number(j, 4);
	}
	f->b = (struct dialogue_batch){
		.rows = n, .turns = t, .dialogues = dialogues, .ids = f->ids, .encoder_input = f->enc,
		.decoder_input = f->dec, .target = f->target, .weight = f->weight, .turn = f->turn,
		.first_turn = f->first,
	};
}

static struct weights *cross_weights(const json_t *c)
{
	const json_t *tensors = json_object_get(c, "tensors");
	struct dialogue_config cfg = { 0 };
	const char *key;
	json_t *value;

	json_object_foreach(json_object_get(c, "config"), key, value)
		assert_int_equal(dialogue_config_set(&cfg, key, (size_t)json_integer_value(value), NULL), 0);

	struct weights *w = weights_new(&cfg, true);

	assert_int_equal(json_array_size(tensors), w->layout.n);
	for (size_t k = 0; k < w->layout.n; k++) {
		const json_t *j = json_array_get(tensors, k);
		const char *name = json_string_value(json_array_get(j, 0));
		const struct param *q = params_find(&w->layout, name);

		if (!q || q->rows != number(j, 1) || q->cols != number(j, 2))
			fail_msg("%s: not a tensor here, or of another shape", name);
		for (size_t i = 0; i < q->rows * q->cols; i++)
			w->flat[q->offset + i] = (real)(number(j, 3) + number(j, 4) * cross_hash((uint32_t)k, (uint32_t)i));
	}
	weights_pack(w);
	return w;
}

static void cross_rows(const struct dialogue_pass *p, const json_t *c, const float *logprob)
{
	const json_t *rows = json_object_get(c, "rows"), *ask = json_object_get(c, "ask");
	const size_t V = p->w->cfg.vocab;
	real *dist = malloc(V * sizeof(*dist));

	for (size_t r = 0; r < p->b->rows; r++) {
		const json_t *j = json_array_get(rows, r);
		double sum = 0, dot = 0;

		dialogue_distribution(p, r, dist);
		for (size_t i = 0; i < V; i++) {
			sum += dist[i];
			dot += dist[i] * cross_hash(ROW_STREAM, (uint32_t)i);
		}
		near("log p of the target at row", r, dist[p->b->target[r]], number(j, 5), 1);
		near("sum of log p at row", r, sum, number(j, 6), 1);
		near("product of log p at row", r, dot, number(j, 7), (double)V);
		for (size_t i = 0; i < json_array_size(ask); i++)
			near("log p of some ids at row", r, dist[(size_t)number(ask, i)], number(j, 8 + i), 1);
		/* a float in both builds */
		if (!(fabs(logprob[r] - number(j, 5)) <= fmax(TOLERANCE, 1e-6) * fmax(1, fabs(number(j, 5)))))
			fail_msg("logprob of row %zu: %.9g here, %.9g in the reference", r, (double)logprob[r], number(j, 5));
	}
	free(dist);
}

static void cross_gradients(const struct weights *w, const json_t *c, const real *grad)
{
	const json_t *tensors = json_object_get(c, "tensors");

	for (size_t k = 0; k < w->layout.n; k++) {
		const json_t *j = json_array_get(tensors, k);
		const char *name = json_string_value(json_array_get(j, 0));
		const struct param *q = params_find(&w->layout, name);
		const size_t n = q->rows * q->cols;
		const json_t *at = json_array_get(j, 8), *want = json_array_get(j, 9);
		double sum = 0, squares = 0, dot = 0, size = sqrt(number(j, 6));
		char what[PARAMS_NAME + 32];

		/* nothing reaches the copy gate where there is none; otherwise 0 == 0 proves nothing */
		if (size < 1e-6 && (w->cfg.copy || strncmp(name, "copy.", 5) != 0))
			fail_msg("%s: no gradient in the reference", name);
		for (size_t i = 0; i < n; i++) {
			double g = grad[q->offset + i];

			sum += g;
			squares += g * g;
			dot += g * cross_hash((uint32_t)(DOT_STREAM + k), (uint32_t)i);
		}
		snprintf(what, sizeof(what), "gradient of %s", name);
		for (size_t i = 0; i < json_array_size(at); i++)
			near(what, (size_t)number(at, i), grad[q->offset + (size_t)number(at, i)], number(want, i), size);
		near(what, n, sqrt(squares), size, size);
		near(what, n, dot, number(j, 7), size * sqrt((double)n));
		near(what, n, sum, number(j, 5), size * sqrt((double)n));
	}
}

/* state: the number of the case in the file */
static void crosscheck(void **state)
{
	json_error_t error;
	json_t *file = json_load_file("tests/reference/crosscheck.json", 0, &error);

	if (!file)
		fail_msg("%s: %s (run from the project's folder)", error.source, error.text);

	const json_t *c = json_array_get(file, *(const size_t *)*state);
	const struct dialogue_opts o = { 0 };
	struct cross *f = calloc(1, sizeof(*f));
	struct arena *a = arena_new(1 << 20);
	struct dialogue_pass p;
	float logprob[CROSS_ROWS];

	cross_batch(f, c);

	struct weights *w = cross_weights(c);
	real *grad = params_block(&w->layout);

	dialogue_forward(&p, w, a, &f->b, &o);
	near("loss", 0, dialogue_loss(&p, logprob, grad), json_number_value(json_object_get(c, "loss")), 1);
	cross_rows(&p, c, logprob);
	cross_gradients(w, c, grad);

	mem_aligned_free(grad);
	weights_free(w);
	arena_free(a);
	free(f);
	json_decref(file);
}

static int crosscheck_main(void)
{
	size_t at[] = { 0, 1, 2 };
	const struct CMUnitTest tests[] = {
		{ "crosscheck of the whole model", crosscheck, NULL, NULL, &at[0] },
		{ "crosscheck of one head, no residual", crosscheck, NULL, NULL, &at[1] },
		{ "crosscheck of two heads, no copying", crosscheck, NULL, NULL, &at[2] },
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
