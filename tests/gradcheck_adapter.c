/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Gradient check of the low-rank factors, in double: the loss's derivative along a random direction of each factor, by central
 * difference, is the one that adapter_project makes of the weights' gradient. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../model/adapter.h"
#include "../model/dialogue.h"
#include "../src/base/mem.h"
#include "common_model.h"

#ifndef ANSWERBACK_DOUBLE
#error "compile with -DANSWERBACK_DOUBLE"
#endif

struct setup {
	struct weights *w;
	real *base;
	struct adapter *a;
	struct arena *arena;
	struct dialogue_batch b;
};

static double loss(const struct setup *s, const real *factors, real *grad)
{
	const size_t mark = arena_mark(s->arena);
	struct dialogue_pass p;
	double sum;

	adapter_put(s->a, factors, s->base, &s->w->layout, s->w->flat);
	weights_pack(s->w);
	dialogue_forward(&p, s->w, s->arena, &s->b, &(struct dialogue_opts){ 0 });
	sum = dialogue_loss(&p, NULL, grad);
	arena_release(s->arena, mark);
	return sum;
}

static void factors_are_differentiated_right(void **state)
{
	struct tokenizer *tok = fixture_tokenizer();
	struct setup s = { .w = fixture_weights(tok, 3, true), .arena = arena_new(1 << 20) };
	struct batch_item item[3];
	struct dataset *ds;
	struct rng r;

	(void)state;
	rng_seed(&r, 4);
	ds = fixture_dialogues(tok, &r, 3, 4, 6);
	for (size_t d = 0; d < 3; d++)
		item[d] = (struct batch_item){ (uint32_t)d, (uint32_t)ds->first_turn[d], (uint32_t)ds->first_turn[d + 1] };
	batch_build(&s.b, s.arena, ds, item, 3, 0, NULL);
	s.base = params_block(&s.w->layout);
	memcpy(s.base, s.w->flat, s.w->layout.total * sizeof(real));
	s.a = adapter_new(&s.w->cfg, 3, 5);

	/* as it begins, it changes nothing */
	adapter_put(s.a, s.a->flat, s.base, &s.w->layout, s.w->flat);
	assert_memory_equal(s.w->flat, s.base, s.w->layout.total * sizeof(real));
	for (size_t i = 0; i < s.a->layout.total; i++)
		s.a->flat[i] = 0.3 * rng_normal(&r);

	real *dw = params_block(&s.w->layout), *grad = params_block(&s.a->layout), *at = params_block(&s.a->layout);

	loss(&s, s.a->flat, dw);
	adapter_project(s.a, s.a->flat, s.w, dw, grad);
	for (size_t i = 0; i < s.a->layout.n; i++) {
		const struct param *p = &s.a->layout.p[i];
		const double eps = 1e-5;
		double analytic = 0, numeric;

		memcpy(at, s.a->flat, s.a->layout.total * sizeof(real));
		for (size_t k = 0; k < p->rows * p->cols; k++) {
			const double dir = rng_normal(&r);

			analytic += dir * grad[p->offset + k];
			at[p->offset + k] = s.a->flat[p->offset + k] + eps * dir;
		}
		numeric = loss(&s, at, NULL);
		for (size_t k = 0; k < p->rows * p->cols; k++)
			at[p->offset + k] = 2 * s.a->flat[p->offset + k] - at[p->offset + k];
		numeric = (numeric - loss(&s, at, NULL)) / (2 * eps);
		if (fabs(numeric - analytic) > 1e-6 * (fabs(numeric) + fabs(analytic)) + 1e-8)
			fail_msg("%s: %.12g by difference, %.12g by projection", p->name, numeric, analytic);
	}
	mem_aligned_free(dw);
	mem_aligned_free(grad);
	mem_aligned_free(at);
	mem_aligned_free(s.base);
	adapter_free(s.a);
	arena_free(s.arena);
	weights_free(s.w);
	dataset_free(ds);
	tokenizer_free(tok);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(factors_are_differentiated_right) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
