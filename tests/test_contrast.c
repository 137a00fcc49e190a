/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The contrast objective: its weights are the derivative of its loss, its branches are what they
 * claim to be, and without rivals it does nothing. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../model/contrast.h"
#include "common_model.h"

static const struct contrast_opts some = {
	.weight = 3, .temperature = 0.25, .turns = 3, .others = 4, .tag = -1, .key = 11,
};

static void plan_one(const struct dataset *ds, struct batch_item *item, size_t n)
{
	for (size_t d = 0; d < n; d++)
		item[d] = (struct batch_item){ (uint32_t)d, (uint32_t)ds->first_turn[d], (uint32_t)ds->first_turn[d + 1] };
}

static void branches_are_others_turns(void **state)
{
	struct tokenizer *tok = fixture_tokenizer();
	struct arena *a = arena_new(1 << 16);
	struct batch_item item[3];
	struct dialogue_batch b, plain;
	struct dataset *ds;
	struct rng r;

	(void)state;
	rng_seed(&r, 5);
	ds = fixture_dialogues(tok, &r, 12, 5, 9);
	plan_one(ds, item, 3);
	batch_build(&b, a, ds, item, 3, 0, NULL);
	plain = b;

	const size_t chosen = contrast_branch(&b, a, ds, item, 3, 0, NULL, &some);

	assert_int_equal(chosen, some.turns);
	assert_int_equal(b.turns, plain.turns + chosen * some.others);
	assert_int_equal(b.first_turn[b.dialogues], plain.turns);
	assert_memory_equal(b.ids, plain.ids, plain.rows * sizeof(*b.ids));
	for (size_t k = 0; k < chosen * some.others; k++) {
		const struct span *s = &b.turn[plain.turns + k];
		const uint32_t place = b.branch[k];

		assert_true(place < plain.turns);
		for (size_t d = 0; d < b.dialogues; d++)       /* never a first turn */
			assert_true(place != b.first_turn[d]);
		assert_int_equal(b.ids[s->start], b.ids[b.turn[place].start]);       /* same role */
		assert_int_equal(b.target[s->start + s->len - 1], TOKEN_EOT);
		for (size_t i = 0; i < s->len; i++)
			assert_true(b.weight[s->start + i] == 0);
	}
	arena_free(a);
	dataset_free(ds);
	tokenizer_free(tok);
}

static void weights_are_the_derivative(void **state)
{
	struct tokenizer *tok = fixture_tokenizer();
	struct arena *a = arena_new(1 << 16);
	struct batch_item item[3];
	struct dialogue_batch b;
	struct dataset *ds;
	struct rng r;
	size_t right;

	(void)state;
	rng_seed(&r, 6);
	ds = fixture_dialogues(tok, &r, 12, 5, 9);
	plan_one(ds, item, 3);
	batch_build(&b, a, ds, item, 3, 0, NULL);

	const size_t chosen = contrast_branch(&b, a, ds, item, 3, 0, NULL, &some);
	float *lp = calloc(b.rows, sizeof(*lp)), *weight = calloc(b.rows, sizeof(*weight));
	float *none = calloc(b.rows, sizeof(*none));

	for (size_t i = 0; i < b.rows; i++)
		lp[i] = (float)(-3 * rng_uniform(&r));
	contrast_weigh(&b, chosen, &some, lp, weight, &right);
	for (size_t i = 0; i < b.rows; i++) {
		const float keep = lp[i], eps = 0.01f;

		lp[i] = keep + eps;
		double up = contrast_weigh(&b, chosen, &some, lp, none, &right);
		lp[i] = keep - eps;
		double down = contrast_weigh(&b, chosen, &some, lp, none, &right);
		lp[i] = keep;
		/* a row's weight multiplies -log p */
		assert_true(fabs(-some.weight * (up - down) / (2 * (double)eps) - (double)weight[i]) < 2e-3);
	}
	/* rivals that are never as likely leave nothing to learn */
	for (size_t i = 0; i < b.rows; i++)
		lp[i] = i < b.turn[b.first_turn[b.dialogues]].start ? -0.1f : -90;
	memset(weight, 0, b.rows * sizeof(*weight));
	assert_true(contrast_weigh(&b, chosen, &some, lp, weight, &right) < 1e-9);
	assert_int_equal(right, chosen);
	for (size_t i = 0; i < b.rows; i++)
		assert_true(fabsf(weight[i]) < 1e-6f);
	free(lp);
	free(weight);
	free(none);
	arena_free(a);
	dataset_free(ds);
	tokenizer_free(tok);
}

static void nobody_else_to_tell_from(void **state)
{
	struct tokenizer *tok = fixture_tokenizer();
	struct arena *a = arena_new(1 << 16);
	struct batch_item item[1];
	struct dialogue_batch b;
	struct dataset *ds;
	struct rng r;

	(void)state;
	rng_seed(&r, 7);
	ds = fixture_dialogues(tok, &r, 1, 5, 9);
	plan_one(ds, item, 1);
	batch_build(&b, a, ds, item, 1, 0, NULL);

	const size_t turns = b.turns;

	assert_int_equal(contrast_branch(&b, a, ds, item, 1, 0, NULL, &some), 0);
	assert_int_equal(b.turns, turns);
	arena_free(a);
	dataset_free(ds);
	tokenizer_free(tok);
}

/* Of rivals drawn with it, every other one is commoner than one drawn blindly would be. */
static void common_turns_are_rivals_more_often(void **state)
{
	struct tokenizer *tok = fixture_tokenizer();
	struct contrast_opts o = some;
	double mean[2] = { 0 };
	struct dataset *ds;
	struct rng r;
	float *common;

	(void)state;
	rng_seed(&r, 6);
	ds = fixture_dialogues(tok, &r, 40, 5, 9);
	common = contrast_commonness(ds, tokenizer_vocab(tok));
	for (size_t t = 0; t < ds->n_turns; t++)
		assert_true(isfinite((double)common[t]) && common[t] < 0);
	for (int with = 0; with < 2; with++) {
		size_t n = 0;

		for (uint64_t key = 0; key < 60; key++) {
			struct arena *a = arena_new(1 << 16);
			struct batch_item item[3];
			struct dialogue_batch b;

			plan_one(ds, item, 3);
			batch_build(&b, a, ds, item, 3, 0, NULL);
			o.key = key;
			o.commonness = with ? common : NULL;

			const size_t own = b.turns, chosen = contrast_branch(&b, a, ds, item, 3, 0, NULL, &o);

			for (size_t k = 0; k < chosen * o.others; k++) {
				const struct span *s = &b.turn[own + k];

				for (size_t t = 0; t < ds->n_turns; t++)
					if (ds->turn[t].n + 1 == s->len && ds->turn[t].tag == b.ids[s->start] &&
					    memcmp(ds->ids + ds->turn[t].first, b.target + s->start, ds->turn[t].n * sizeof(int32_t)) == 0) {
						mean[with] += (double)common[t];
						n++;
						break;
					}
			}
			arena_free(a);
		}
		assert_true(n > 100);
		mean[with] /= (double)n;
	}
	assert_true(mean[1] > mean[0] + 0.05);
	free(common);
	dataset_free(ds);
	tokenizer_free(tok);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(branches_are_others_turns),
		cmocka_unit_test(weights_are_the_derivative),
		cmocka_unit_test(nobody_else_to_tell_from),
		cmocka_unit_test(common_turns_are_rivals_more_often),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
