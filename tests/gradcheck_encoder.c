/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Gradient check of the encoder under its contrast, in double: for every tensor, the words' rows and their weights, the
 * derivative of the loss along a random direction by central difference must equal the one of the backward pass. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../model/encoder_private.h"
#include "../model/kernels.h"
#include "../src/base/mem.h"
#include "../src/base/rng.h"

#ifndef ANSWERBACK_DOUBLE
#error "compile with -DANSWERBACK_DOUBLE"
#endif

enum { PAIRS = 5, D = ENCODER_DIM };

struct fixture {
	struct params layout;
	real *flat, *grad, *x, *bias;
	struct encoder_work work;
	struct encoder_loss loss;
	size_t rows;
};

/* Two pairs are of one group, so that masking is in it; one text is a single word. */
static const uint32_t group[PAIRS] = { 1, 2, 3, 2, 4 };
static const size_t lens[2 * PAIRS] = { 4, 1, 6, 3, 2, 5, 3, 2, 7, 4 };

static double run(struct fixture *f)
{
	encoder_work_room(&f->work, f->rows, 2 * PAIRS, true);
	memcpy(f->work.x, f->x, f->rows * D * sizeof(real));
	memcpy(f->work.bias, f->bias, f->rows * 2 * sizeof(real));
	for (size_t i = 0, row = 0; i < 2 * PAIRS; row += lens[i++])
		f->work.span[i] = (struct encoder_span){ row, lens[i] };
	encoder_forward(&f->layout, f->flat, &f->work);
	return encoder_contrast(&f->loss, &f->work);
}

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	struct rng r;

	kernels_init();
	rng_seed(&r, 11);
	encoder_layout(&f->layout);
	f->flat = params_block(&f->layout);
	f->grad = params_block(&f->layout);
	for (size_t i = 0; i < f->layout.n; i++)
		for (size_t k = 0; k < f->layout.p[i].rows * f->layout.p[i].cols; k++)
			f->flat[f->layout.p[i].offset + k] = 0.15 * rng_normal(&r);
	for (size_t i = 0; i < 2 * PAIRS; i++)
		f->rows += lens[i];
	f->x = mem_aligned(f->rows * D * sizeof(real));
	f->bias = mem_aligned(f->rows * 2 * sizeof(real));
	for (size_t i = 0; i < f->rows * D; i++)
		f->x[i] = 0.5 * rng_normal(&r);
	for (size_t i = 0; i < f->rows * 2; i++)
		f->bias[i] = rng_normal(&r);
	/* warm enough that rivals matter */
	f->loss = (struct encoder_loss){ .pairs = PAIRS, .group = group, .temperature = 0.5, .words_temperature = 0.3 };
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	encoder_work_fini(&f->work);
	encoder_loss_fini(&f->loss);
	mem_aligned_free(f->flat);
	mem_aligned_free(f->grad);
	mem_aligned_free(f->x);
	mem_aligned_free(f->bias);
	free(f);
	return 0;
}

/* Along a random direction of n numbers at `at`, whose gradient is `grad`. */
static void check(struct fixture *f, const char *what, real *at, const real *grad, size_t n, uint64_t seed)
{
	const double step = 1e-6;
	double *direction = xcalloc(n, sizeof(*direction)), along = 0, up, down, found;
	struct rng r;

	rng_seed(&r, seed);
	for (size_t i = 0; i < n; i++) {
		direction[i] = rng_normal(&r) / sqrt((double)n);
		along += direction[i] * grad[i];
	}
	for (size_t i = 0; i < n; i++)
		at[i] += step * direction[i];
	up = run(f);
	for (size_t i = 0; i < n; i++)
		at[i] -= 2 * step * direction[i];
	down = run(f);
	for (size_t i = 0; i < n; i++)
		at[i] += step * direction[i];
	found = (up - down) / (2 * step);
	free(direction);
	if (fabs(found - along) > 1e-6 * (fabs(found) + fabs(along)) + 1e-9)
		fail_msg("%s: %.12g by difference, %.12g by the backward pass", what, found, along);
	if (fabs(found) < 1e-7)
		fail_msg("%s: its gradient is nothing, so nothing was checked", what);
}

static void gradients(void **state, size_t block)
{
	struct fixture *f = *state;
	real *dx, *dbias;

	f->loss.block = block;
	run(f);
	memset(f->grad, 0, f->layout.total * sizeof(real));
	encoder_backward(&f->layout, f->flat, &f->work, f->grad);
	dx = xmemdup(f->work.dx, f->rows * D * sizeof(real));
	dbias = xmemdup(f->work.dbias, f->rows * 2 * sizeof(real));
	for (size_t i = 0; i < f->layout.n; i++) {
		const struct param *p = &f->layout.p[i];

		for (uint64_t seed = 1; seed <= 3; seed++)
			check(f, p->name, f->flat + p->offset, f->grad + p->offset, p->rows * p->cols, seed * 100 + i);
	}
	check(f, "x", f->x, dx, f->rows * D, 7);
	check(f, "bias", f->bias, dbias, f->rows * 2, 8);
	free(dx);
	free(dbias);
}

static void all_pairs(void **state)
{
	gradients(state, 0);
}

/* 2 + 2 + 1 */
static void in_blocks(void **state)
{
	gradients(state, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test_setup_teardown(all_pairs, setup, teardown),
		cmocka_unit_test_setup_teardown(in_blocks, setup, teardown) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
