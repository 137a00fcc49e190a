/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Gradient check of the whole model, in double: for every parameter tensor, the
 * derivative of the loss along a random direction by central difference must equal the
 * one that the backward pass gives. A wrong or missing term anywhere shows up in the
 * tensor it belongs to. Dropout stays on (its masks are a function of the key). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../model/dialogue.h"
#include "../src/base/rng.h"

#ifndef ANSWERBACK_DOUBLE
#error "compile with -DANSWERBACK_DOUBLE"
#endif

enum { VOCAB = 310, ROWS = 400 };

struct fixture {
	struct dialogue_batch b;
	int32_t ids[ROWS], enc[ROWS], dec[ROWS], target[ROWS];
	float weight[ROWS], pull[ROWS];
	struct span turn[32];
	uint32_t first[8], branch[4];
};

/* Two rivals of one turn and one of a first turn, with weights of either sign: what the contrast
 * objective makes of a batch. */
static void add_branches(struct fixture *f, struct rng *r)
{
	static const uint32_t of[] = { 2, 2, 5 };
	static const size_t len[] = { 5, 3, 4 };
	size_t row = f->b.rows;

	for (size_t k = 0; k < 3; k++) {
		f->turn[f->b.turns] = (struct span){ row, len[k] };
		f->branch[k] = of[k];
		f->b.turns++;
		for (size_t i = 0; i < len[k]; i++, row++) {
			f->ids[row] = i == 0 ? f->ids[f->turn[of[k]].start] : 18 + (int32_t)rng_below(r, 6);
			f->enc[row] = f->dec[row] = f->ids[row];
			f->weight[row] = (float)(rng_uniform(r) - 0.7);
			f->target[row] = 0;
			if (i > 0)
				f->target[row - 1] = f->ids[row];
		}
	}
	f->b.rows = row;
	f->b.branch = f->branch;
}

static void make_batch(struct fixture *f, struct rng *r, const size_t *lens, const size_t *turns, size_t dialogues)
{
	size_t row = 0, t = 0, l = 0;

	memset(f, 0, sizeof(*f));
	for (size_t d = 0; d < dialogues; d++) {
		f->first[d] = (uint32_t)t;
		for (size_t k = 0; k < turns[d]; k++, t++) {
			size_t len = lens[l++];

			f->turn[t] = (struct span){ row, len };
			for (size_t i = 0; i < len; i++, row++) {
				/* few different ids, so that copying finds matches */
				f->ids[row] = i == 0 ? 2 + (int32_t)(k % 2) : 18 + (int32_t)rng_below(r, 6);
				f->enc[row] = rng_below(r, 8) == 0 ? 1 : f->ids[row];
				f->dec[row] = rng_below(r, 8) == 0 ? 1 : f->ids[row];
				f->weight[row] = rng_below(r, 5) == 0 ? 0 : 1;
			}
			for (size_t i = 0; i + 1 < len; i++)
				f->target[row - len + i] = f->ids[row - len + i + 1];
			f->target[row - 1] = 0;
		}
	}
	f->first[dialogues] = (uint32_t)t;
	f->b = (struct dialogue_batch){
		.rows = row, .turns = t, .dialogues = dialogues, .ids = f->ids, .encoder_input = f->enc,
		.decoder_input = f->dec, .target = f->target, .weight = f->weight, .turn = f->turn,
		.first_turn = f->first,
	};
}

/* The objective whose gradient backward gives: the loss plus the smoothing term, which
 * dialogue_loss does not report; found by differencing two smoothing strengths is not
 * possible, so the check of smoothing computes it from the distributions itself. */
static double objective(const struct weights *w, const struct dialogue_batch *b,
                        const struct dialogue_opts *o, const struct weights *teacher, struct arena *a)
{
	struct dialogue_pass p, of_teacher;

	arena_reset(a);
	dialogue_forward(&p, w, a, b, o);
	if (teacher) {
		dialogue_forward(&of_teacher, teacher, a, b, &(struct dialogue_opts){ 0 });
		p.teacher = &of_teacher;
	}

	double sum = dialogue_loss(&p, NULL, NULL);

	if (o->label_smoothing > 0) {
		real *logits = arena_alloc(a, w->cfg.vocab * sizeof(real));

		for (size_t r = 0; r < b->rows; r++) {
			double mean = 0;

			kernels_gemm_packed(1, &w->packed[W_EMBED], p.o_rows + r * w->cfg.embed,
			                    w->cfg.embed, false, logits, w->cfg.vocab);
			kernels_add_bias(1, w->cfg.vocab, logits, w->cfg.vocab, weights_at(w, W_EMBED_BIAS));

			real lse = kernels_logsumexp(logits, w->cfg.vocab);

			for (size_t i = 0; i < w->cfg.vocab; i++)
				mean -= logits[i] - lse;
			sum += o->label_smoothing * (double)b->weight[r] * mean / (double)w->cfg.vocab;
		}
	}
	return sum;
}

static void check(const struct dialogue_config *c, const struct dialogue_opts *o, uint64_t seed,
                  const size_t *lens, const size_t *turns, size_t dialogues, bool branches, bool pulled)
{
	struct fixture *f = malloc(sizeof(*f));
	struct arena *a = arena_new(1 << 20);
	struct weights *w = weights_new(c, true);
	struct rng r;
	struct dialogue_pass p;

	rng_seed(&r, seed);
	make_batch(f, &r, lens, turns, dialogues);
	if (branches)
		add_branches(f, &r);
	weights_init_random(w, seed);
	for (size_t i = 0; i < w->layout.n; i++) {      /* biases and gains off their start values */
		const struct param *q = &w->layout.p[i];

		if (q->rows == 1)
			for (size_t j = 0; j < q->cols; j++)
				w->flat[q->offset + j] += 0.3 * rng_normal(&r);
	}
	weights_pack(w);

	struct weights *teacher = pulled ? weights_new(c, false) : NULL;

	if (pulled) {
		weights_init_random(teacher, seed + 100);
		weights_pack(teacher);
		for (size_t i = 0; i < f->b.rows; i++)
			f->pull[i] = rng_below(&r, 3) == 0 ? (float)rng_uniform(&r) : 0;
		f->b.pull = f->pull;
	}

	real *grad = params_block(&w->layout), *dir = params_block(&w->layout);
	real *keep = params_block(&w->layout);

	memcpy(keep, w->flat, w->layout.total * sizeof(real));
	arena_reset(a);
	dialogue_forward(&p, w, a, &f->b, o);

	struct dialogue_pass of_teacher;

	if (pulled) {
		dialogue_forward(&of_teacher, teacher, a, &f->b, &(struct dialogue_opts){ 0 });
		p.teacher = &of_teacher;
	}
	dialogue_loss(&p, NULL, grad);

	for (size_t i = 0; i < w->layout.n; i++) {
		const struct param *q = &w->layout.p[i];
		const size_t n = q->rows * q->cols;
		const double eps = 1e-5;
		double analytic = 0, norm = 0;

		if (!c->copy && strncmp(q->name, "copy.", 5) == 0)
			continue;
		for (size_t j = 0; j < n; j++) {
			dir[j] = rng_normal(&r);
			norm += dir[j] * dir[j];
		}
		for (size_t j = 0; j < n; j++) {
			dir[j] /= sqrt(norm);
			analytic += dir[j] * grad[q->offset + j];
		}
		for (size_t j = 0; j < n; j++)
			w->flat[q->offset + j] = keep[q->offset + j] + eps * dir[j];
		weights_pack(w);

		double up = objective(w, &f->b, o, teacher, a);

		for (size_t j = 0; j < n; j++)
			w->flat[q->offset + j] = keep[q->offset + j] - eps * dir[j];
		weights_pack(w);

		double down = objective(w, &f->b, o, teacher, a), numeric = (up - down) / (2 * eps);

		memcpy(w->flat + q->offset, keep + q->offset, n * sizeof(real));
		if (fabs(numeric - analytic) > 2e-6 * fmax(1, fmax(fabs(numeric), fabs(analytic))))
			fail_msg("%s (seed %llu): numeric %.9g, analytic %.9g", q->name,
			         (unsigned long long)seed, numeric, analytic);
		/* a tensor that nothing reaches would pass with 0 == 0 */
		if (fabs(analytic) < 1e-9)
			fail_msg("%s (seed %llu): no gradient arrives", q->name, (unsigned long long)seed);
	}
	mem_aligned_free(grad);
	mem_aligned_free(dir);
	mem_aligned_free(keep);
	weights_free(w);
	weights_free(teacher);
	arena_free(a);
	free(f);
}

static const struct dialogue_config tiny = {
	.vocab = VOCAB, .embed = 6, .turn_hidden = 5, .encoder_hidden = 7, .decoder_hidden = 8,
	.attention = 6, .heads = 3, .window = 9, .copy = 1, .residual = 1,
};
static const size_t lens[] = { 4, 7, 1, 5, 3, 6, 9, 2 };
static const size_t turns[] = { 4, 1, 3 };

static void whole_model(void **state)
{
	(void)state;
	check(&tiny, &(struct dialogue_opts){ 0 }, 1, lens, turns, 3, false, false);
}

static void without_copy_or_residual(void **state)
{
	struct dialogue_config c = tiny;

	(void)state;
	c.copy = c.residual = 0;
	check(&c, &(struct dialogue_opts){ 0 }, 2, lens, turns, 3, false, false);
}

static void with_dropout(void **state)
{
	(void)state;
	check(&tiny, &(struct dialogue_opts){ .dropout = 0.25, .key = 99 }, 3, lens, turns, 3, false, false);
}

static void with_label_smoothing(void **state)
{
	(void)state;
	check(&tiny, &(struct dialogue_opts){ .label_smoothing = 0.1 }, 4, lens, turns, 3, false, false);
}

static void with_branches(void **state)
{
	(void)state;
	check(&tiny, &(struct dialogue_opts){ .dropout = 0.1, .key = 7 }, 5, lens, turns, 3, true, false);
}

static void toward_a_teacher(void **state)
{
	struct dialogue_config plain = tiny;

	(void)state;
	check(&tiny, &(struct dialogue_opts){ .dropout = 0.1, .key = 8 }, 6, lens, turns, 3, false, true);
	plain.copy = 0;
	check(&plain, &(struct dialogue_opts){ 0 }, 7, lens, turns, 3, false, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_model),
		cmocka_unit_test(without_copy_or_residual),
		cmocka_unit_test(with_dropout),
		cmocka_unit_test(with_label_smoothing),
		cmocka_unit_test(with_branches),
		cmocka_unit_test(toward_a_teacher),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
