/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The map from messages to answers: its gradient, that it learns, that its file is refused when it is not what it says. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../model/answer.h"
#include "../src/base/mem.h"
#include "../src/base/rng.h"

enum { D = ENCODER_DIM, N = 9, MANY = 600 };

static void unit(float *x, struct rng *r)
{
	double norm = 0;

	for (size_t k = 0; k < D; k++) {
		x[k] = (float)rng_normal(r);
		norm += (double)x[k] * (double)x[k];
	}
	for (size_t k = 0; k < D; k++)
		x[k] = (float)((double)x[k] / sqrt(norm));
}

/* Along random directions the central difference is the gradient; two replies are of the same text. */
static void the_gradient_is_right(void **state)
{
	static const uint32_t id[N] = { 1, 2, 3, 2, 4, 5, 6, 7, 8 };
	double *m = xcalloc(3 * D * D, sizeof(*m)), *grad = m + D * D, *moved = grad + D * D;
	float *q = xcalloc(2 * N * D, sizeof(*q)), *a = q + N * D;
	struct rng r;

	(void)state;
	rng_seed(&r, 4);
	for (size_t i = 0; i < N; i++) {
		unit(q + i * D, &r);
		unit(a + i * D, &r);
	}
	for (size_t i = 0; i < D * D; i++)
		m[i] = 0.1 * rng_normal(&r) + (i % (D + 1) == 0);
	answer_loss(m, N, q, a, id, 12, grad, NULL);
	for (size_t round = 0; round < 5; round++) {
		const double h = 1e-6;
		double along = 0, up, down;
		struct rng again;

		rng_seed(&r, 50 + round);
		again = r;
		for (size_t i = 0; i < D * D; i++) {
			const double d = rng_normal(&r);

			along += d * grad[i];
			moved[i] = m[i] + h * d;
		}
		up = answer_loss(moved, N, q, a, id, 12, NULL, NULL);
		for (size_t i = 0; i < D * D; i++)
			moved[i] = m[i] - h * rng_normal(&again);
		down = answer_loss(moved, N, q, a, id, 12, NULL, NULL);
		if (!(fabs((up - down) / (2 * h) - along) < 1e-6 * (1 + fabs(along))))
			fail_msg("direction %zu: %.9g by difference, %.9g by the gradient", round, (up - down) / (2 * h), along);
	}
	free(m);
	free(q);
}

/* Answers that are the messages with their numbers moved along: no likeness, but a map. */
static void a_map_is_learned(void **state)
{
	const struct answer_opts o = { .steps = 200, .batch = 64, .rate = 5e-3, .scale = 12, .seed = 3 };
	struct answer_map *one = xcalloc(2, sizeof(*one)), *two = one + 1;
	float *q = xcalloc(2 * MANY * D, sizeof(*q)), *a = q + MANY * D;
	uint32_t *id = xcalloc(MANY, sizeof(*id));
	size_t right = 0;
	struct rng r;

	(void)state;
	rng_seed(&r, 5);
	for (size_t i = 0; i < MANY; i++) {
		unit(q + i * D, &r);
		for (size_t k = 0; k < D; k++)
			a[i * D + k] = q[i * D + (k + 7) % D];
		id[i] = (uint32_t)i;
	}
	answer_train(one, MANY, q, a, id, &o);
	answer_train(two, MANY, q, a, id, &o);
	assert_memory_equal(one, two, sizeof(*one));      /* the same seed, the same bits */
	for (size_t i = 0; i < 100; i++) {
		float place[D];
		double best = -2;
		size_t which = 0;

		answer_place(one, q + i * D, place);
		for (size_t j = 0; j < 100; j++) {
			double s = 0;

			for (size_t k = 0; k < D; k++)
				s += (double)place[k] * (double)a[j * D + k];
			if (s > best) {
				best = s;
				which = j;
			}
		}
		right += which == i;
	}
	if (right < 95)
		fail_msg("%zu of 100 answers found", right);
	free(one);
	free(q);
	free(id);
}

static void files(void **state)
{
	struct answer_map *map = xcalloc(2, sizeof(*map)), *back = map + 1;
	char path[] = "/tmp/answerback-answer-XXXXXX";
	struct err e = ERR_INIT;
	float zero[D] = { 0 }, out[D];

	(void)state;
	close(mkstemp(path));
	for (size_t i = 0; i < D; i++)
		map->m[i][i] = 0.5f;
	assert_int_equal(answer_write(map, path, "e1-test", "{}", &e), 0);
	assert_int_equal(answer_open(back, path, "e1-test", &e), 0);
	assert_memory_equal(map->m, back->m, sizeof(map->m));
	answer_place(back, zero, out);
	assert_memory_equal(out, zero, sizeof(out));
	assert_int_equal(answer_open(back, path, "e1-other", &e), ERR_FORMAT);
	assert_non_null(strstr(e.msg, "e1-other"));
	assert_int_equal(truncate(path, 20000), 0);
	assert_true(answer_open(back, path, "e1-test", &e) < 0);
	assert_non_null(strstr(e.msg, path));
	unlink(path);
	assert_true(answer_open(back, path, "e1-test", &e) < 0);
	assert_int_equal(answer_open(back, "data/encoder.safetensors", "e1-test", &e), ERR_FORMAT);
	free(map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_gradient_is_right),
		cmocka_unit_test(a_map_is_learned),
		cmocka_unit_test(files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
