/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Causality, and live session == teacher forcing, bit for bit. A bidirectional turn encoder with all
 * turns decoded in parallel invites leaks; these tests are what says there is none. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../model/session.h"
#include "../model/decode.h"
#include "common_model.h"

struct world {
	struct model *m;
	struct arena *a;
	struct rng r;
};

static struct world world(uint64_t seed)
{
	struct world w = { fixture_model(seed), arena_new(1 << 20), { { 0 } } };

	rng_seed(&w.r, seed);
	return w;
}

/* The same in 8 bits, as it serves. */
static struct world served_world(uint64_t seed)
{
	struct world w = world(seed);
	struct model *m = w.m;

	unsetenv("ANSWERBACK_SERVE");
	w.m = model_served(m);
	model_unref(m);
	return w;
}

static void world_end(struct world *w)
{
	model_unref(w->m);
	arena_free(w->a);
}

static struct batch_item whole(const struct dataset *ds, size_t d)
{
	return (struct batch_item){ (uint32_t)d, (uint32_t)ds->first_turn[d], (uint32_t)ds->first_turn[d + 1] };
}

/* Distributions after every row of dialogue d, in a batch of all dialogues: [rows, V], malloced. */
static real *distributions(struct world *w, const struct dataset *ds, size_t d, size_t *rows)
{
	const size_t V = w->m->w->cfg.vocab;
	struct batch_item *items = calloc(ds->dialogues, sizeof(*items));
	struct dialogue_batch b;
	struct dialogue_pass p;
	const struct dialogue_opts o = { 0 };
	size_t first, last;
	real *out;

	for (size_t i = 0; i < ds->dialogues; i++)
		items[i] = whole(ds, i);
	arena_reset(w->a);
	batch_build(&b, w->a, ds, items, ds->dialogues, 0, NULL);
	dialogue_forward(&p, w->m->w, w->a, &b, &o);
	first = b.turn[b.first_turn[d]].start;
	last = b.turn[b.first_turn[d + 1] - 1].start + b.turn[b.first_turn[d + 1] - 1].len;
	*rows = last - first;
	out = malloc(*rows * V * sizeof(real));
	for (size_t r = 0; r < *rows; r++)
		dialogue_distribution(&p, first + r, out + r * V);
	free(items);
	return out;
}

static void sums_to_one(void **state)
{
	struct world w = world(5);
	struct dataset *ds = fixture_dialogues(w.m->tok, &w.r, 3, 5, 12);
	const size_t V = w.m->w->cfg.vocab;
	size_t rows;
	real *dist = distributions(&w, ds, 1, &rows);

	(void)state;
	for (size_t r = 0; r < rows; r++) {
		double sum = 0;

		for (size_t i = 0; i < V; i++)
			sum += exp((double)dist[r * V + i]);
		if (fabs(sum - 1) > 1e-4)
			fail_msg("row %zu sums to %g", r, sum);
	}
	free(dist);
	dataset_free(ds);
	world_end(&w);
}

/* Change the piece at a position, drop everything after it, or replace it by something longer: what
 * was predicted up to that position must keep its bits. */
static void causal(void **state)
{
	struct world w = world(7);
	const size_t V = w.m->w->cfg.vocab;

	(void)state;
	for (int round = 0; round < 12; round++) {
		struct dataset *ds = fixture_dialogues(w.m->tok, &w.r, 3, 6, 14), *other = dataset_new();
		const size_t d = rng_below(&w.r, 3), from = ds->first_turn[d], to = ds->first_turn[d + 1];
		const size_t turn = from + rng_below(&w.r, to - from);
		const size_t at = rng_below(&w.r, ds->turn[turn].n + 1);
		size_t rows, rows2, same = 0;
		real *before = distributions(&w, ds, d, &rows), *after;

		for (size_t i = 0; i < 3; i++) {
			dataset_begin(other);
			for (size_t t = ds->first_turn[i]; t < ds->first_turn[i + 1]; t++) {
				int32_t ids[64];
				size_t n = ds->turn[t].n;

				if (i == d && t > turn && round % 3 == 0)
					break;
				memcpy(ids, ds->ids + ds->turn[t].first, n * sizeof(*ids));
				if (i == d && t >= turn) {
					for (size_t k = t == turn ? at : 0; k < n; k++)
						ids[k] = (int32_t)(V - 1 - rng_below(&w.r, 100));
					for (size_t extra = rng_below(&w.r, 9); extra > 0; extra--)
						ids[n++] = (int32_t)(V - 1 - rng_below(&w.r, 100));
				}
				dataset_turn(other, ds->turn[t].tag, ids, n, 0, 1);
				if (i == d && t < turn)
					same += n + 1;
			}
			dataset_end(other);
		}
		same += at + 1;      /* the row that predicts the changed piece has not read it */
		after = distributions(&w, other, d, &rows2);
		assert_true(rows2 >= same && rows >= same);
		if (memcmp(before, after, same * V * sizeof(real)) != 0)
			fail_msg("round %d: a change at turn %zu piece %zu reaches back", round, turn - from, at);
		/* and the change does change something, or this test would prove nothing */
		if (rows > same && rows2 > same && memcmp(before + same * V, after + same * V, V * sizeof(real)) == 0)
			fail_msg("round %d: the change was not seen at all", round);
		free(before);
		free(after);
		dataset_free(ds);
		dataset_free(other);
	}
	world_end(&w);
}

static void check_session(struct world w)
{
	const size_t V = w.m->w->cfg.vocab;
	struct dataset *ds = fixture_dialogues(w.m->tok, &w.r, 4, 7, 16);
	real *logp = malloc(V * sizeof(real));

	for (size_t d = 0; d < ds->dialogues; d++) {
		struct session *s = session_new(w.m);
		struct decode_state st;
		size_t rows, row = 0;
		real *dist = distributions(&w, ds, d, &rows);

		decode_state_init(&st, w.m, 1);
		for (size_t t = ds->first_turn[d]; t < ds->first_turn[d + 1]; t++) {
			const struct dataset_turn *dt = &ds->turn[t];
			const int32_t *ids = ds->ids + dt->first;

			session_start(s, dt->tag, &st, logp);
			for (size_t i = 0; i <= dt->n; i++, row++) {
				if (memcmp(logp, dist + row * V, V * sizeof(real)) != 0)
					fail_msg("dialogue %zu turn %zu piece %zu differs", d, t - ds->first_turn[d], i);
				if (i < dt->n)
					session_step(s, &st, &ids[i], logp);
			}
			session_add(s, dt->tag, ids, dt->n);
		}
		assert_int_equal(row, rows);
		decode_state_fini(&st);
		session_free(s);
		free(dist);
	}
	free(logp);
	dataset_free(ds);
	world_end(&w);
}

static void session_equals_teacher_forcing(void **state)
{
	(void)state;
	check_session(world(11));
}

static void session_equals_teacher_forcing_in_bytes(void **state)
{
	(void)state;
	check_session(served_world(11));
}

/* The reported log-probability of a target is the distribution's, to the bit. */
static void loss_equals_distribution(void **state)
{
	struct world w = world(13);
	const size_t V = w.m->w->cfg.vocab;
	struct dataset *ds = fixture_dialogues(w.m->tok, &w.r, 2, 5, 15);
	struct batch_item items[2] = { whole(ds, 0), whole(ds, 1) };
	const struct dialogue_opts o = { 0 };
	struct dialogue_batch b;
	struct dialogue_pass p;
	real *dist = malloc(V * sizeof(real));
	float *lp;
	double sum = 0;

	(void)state;
	arena_reset(w.a);
	batch_build(&b, w.a, ds, items, 2, 0, NULL);
	dialogue_forward(&p, w.m->w, w.a, &b, &o);
	lp = arena_alloc(w.a, b.rows * sizeof(*lp));

	double loss = dialogue_loss(&p, lp, NULL);

	for (size_t r = 0; r < b.rows; r++) {
		dialogue_distribution(&p, r, dist);
		if (memcmp(&dist[b.target[r]], &lp[r], sizeof(float)) != 0)
			fail_msg("row %zu: %a and %a", r, (double)dist[b.target[r]], (double)lp[r]);
		sum -= (double)lp[r];
	}
	assert_true(fabs(sum - loss) < 1e-6 * fabs(sum));
	free(dist);
	dataset_free(ds);
	world_end(&w);
}

/* Of the beginning of a turn everything is learned but that it ends. */
static void the_end_of_an_open_turn_is_not_learned(void **state)
{
	struct world w = world(23);
	struct dataset *ds = fixture_dialogues(w.m->tok, &w.r, 2, 4, 9);
	const struct batch_item item = whole(ds, 0);
	struct dialogue_batch b;

	(void)state;
	ds->turn[1].open = true;
	arena_reset(w.a);
	batch_build(&b, w.a, ds, &item, 1, 0, NULL);
	for (size_t t = 0; t < b.turns; t++)
		for (size_t i = 0; i < b.turn[t].len; i++) {
			const bool end = i + 1 == b.turn[t].len;

			assert_int_equal(b.target[b.turn[t].start + i] == TOKEN_EOT, end);
			assert_true(b.weight[b.turn[t].start + i] == (t == 1 && end ? 0.0f : ds->turn[t].weight));
		}
	dataset_free(ds);
	world_end(&w);
}

/* Truncating and adding again is as if the thrown away turns had never been. */
static void rewind_is_exact(void **state)
{
	struct world w = world(17);
	const size_t V = w.m->w->cfg.vocab;
	const int32_t a[] = { (int32_t)V - 3, (int32_t)V - 9, (int32_t)V - 4 }, b[] = { (int32_t)V - 20 };
	struct session *s = session_new(w.m), *fresh = session_new(w.m);
	struct decode_state st;
	real *x = malloc(2 * V * sizeof(real)), *y = x + V;

	(void)state;
	decode_state_init(&st, w.m, 1);
	session_add(s, 2, a, 3);
	session_add(s, 3, a, 2);
	session_add(s, 2, a, 1);
	session_truncate(s, 1);
	session_add(s, 3, b, 1);
	session_add(fresh, 2, a, 3);
	session_add(fresh, 3, b, 1);
	session_start(s, 2, &st, x);
	session_start(fresh, 2, &st, y);
	assert_memory_equal(x, y, V * sizeof(real));
	decode_state_fini(&st);
	session_free(s);
	session_free(fresh);
	free(x);
	world_end(&w);
}

/* Rows of attention sum to one, and a beam's rows equal the same states stepped alone. */
static void check_beams(struct world w)
{
	const size_t V = w.m->w->cfg.vocab;
	const int32_t said[] = { (int32_t)V - 3, (int32_t)V - 9, (int32_t)V - 4 };
	const int32_t next[] = { (int32_t)V - 5, (int32_t)V - 6, (int32_t)V - 7 };
	struct session *s = session_new(w.m);
	struct decode_state one, three;
	real *x = malloc(4 * V * sizeof(real)), *all = x + V;

	session_add(s, 2, said, 3);
	decode_state_init(&one, w.m, 1);
	decode_state_init(&three, w.m, 3);
	session_start(s, 3, &one, x);
	for (size_t i = 0; i < 3; i++)
		decode_state_copy(&three, i, &one, 0);
	three.rows = 3;
	session_step(s, &three, next, all);
	for (size_t i = 0; i < 3; i++) {
		size_t first, n;
		const real *att = session_attention(s, i, 1, &first, &n);
		double sum = 0;

		for (size_t j = 0; j <= n; j++)
			sum += (double)att[j];
		assert_true(n == 4 && first == 0 && fabs(sum - 1) < 1e-5);
	}
	for (size_t i = 0; i < 3; i++) {
		session_start(s, 3, &one, x);
		session_step(s, &one, &next[i], x);
		assert_memory_equal(x, all + i * V, V * sizeof(real));
	}
	decode_state_fini(&one);
	decode_state_fini(&three);
	session_free(s);
	free(x);
	world_end(&w);
}

static void beams_are_independent(void **state)
{
	(void)state;
	check_beams(world(19));
	check_beams(served_world(19));
}

static void decoding_obeys_its_rules(void **state)
{
	struct world w = world(23);
	const size_t V = w.m->w->cfg.vocab;
	const int32_t said[] = { (int32_t)V - 3, (int32_t)V - 9, (int32_t)V - 4 };
	struct session *s = session_new(w.m);
	struct decode_opts o;
	struct decode_result r, again;
	uint8_t *banned = calloc(V, 1);

	(void)state;
	session_add(s, 2, said, 3);
	decode_opts_default(&o);
	o.method = DECODE_SAMPLE;
	o.seed = 42;
	o.min_tokens = 12;
	o.max_tokens = 30;
	o.no_repeat = 2;
	decode_ban_absent(s, banned, NULL, 0);
	o.banned = banned;
	decode_turn(s, 3, &o, &r);
	decode_turn(s, 3, &o, &again);
	assert_true(r.ids.n >= 12 && r.ids.n <= 30);
	assert_int_equal(r.ids.n, again.ids.n);
	assert_memory_equal(r.ids.ids, again.ids.ids, r.ids.n * sizeof(int32_t));
	for (size_t i = 0; i < r.ids.n; i++)
		assert_false(tokenizer_is_control(w.m->tok, r.ids.ids[i]));
	for (size_t i = 0; i + 1 < r.ids.n; i++)
		for (size_t j = i + 1; j + 1 < r.ids.n; j++)
			assert_false(r.ids.ids[i] == r.ids.ids[j] && r.ids.ids[i + 1] == r.ids.ids[j + 1]);
	decode_result_free(&again);
	o.seed = 43;
	decode_turn(s, 3, &o, &again);
	assert_false(again.ids.n == r.ids.n && memcmp(again.ids.ids, r.ids.ids, r.ids.n * sizeof(int32_t)) == 0);
	decode_result_free(&again);
	decode_result_free(&r);
	free(banned);
	session_free(s);
	world_end(&w);
}

/* A beam of one is greedy; a wide one finds nothing worse; scores are the model's own. */
static void beam_beats_greedy(void **state)
{
	(void)state;
	for (uint64_t seed = 31; seed < 36; seed++) {
		struct world w = world(seed);
		const size_t V = w.m->w->cfg.vocab;
		const int32_t said[] = { (int32_t)V - 3, (int32_t)V - 9 };
		struct session *s = session_new(w.m);
		struct decode_result greedy, one[1], wide[4];
		struct decode_opts o;

		session_add(s, 2, said, 2);
		decode_opts_default(&o);
		o.max_tokens = 8;
		o.no_repeat = 0;
		o.length_penalty = 0;
		decode_turn(s, 3, &o, &greedy);
		o.beam = 1;
		assert_int_equal(decode_beam(s, 3, &o, one, 1), 1);
		assert_int_equal(one[0].ids.n, greedy.ids.n);
		assert_memory_equal(one[0].ids.ids, greedy.ids.ids, greedy.ids.n * sizeof(int32_t));
		o.beam = 8;

		size_t n = decode_beam(s, 3, &o, wide, 4);

		assert_true(n >= 1);
		for (size_t i = 0; i < n; i++) {
			if (wide[i].ended) {
				double score = decode_score(s, 3, wide[i].ids.ids, wide[i].ids.n, NULL);

				assert_true(fabs(score - wide[i].log_prob) < 1e-4);
			}
			for (size_t j = 0; j < i; j++)
				assert_false(wide[i].ids.n == wide[j].ids.n && wide[i].ended == wide[j].ended &&
				             memcmp(wide[i].ids.ids, wide[j].ids.ids, wide[i].ids.n * sizeof(int32_t)) == 0);
		}
		for (size_t i = 0; i < 4; i++)
			decode_result_free(&wide[i]);
		decode_result_free(&greedy);
		decode_result_free(&one[0]);
		session_free(s);
		world_end(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sums_to_one),
		cmocka_unit_test(causal),
		cmocka_unit_test(session_equals_teacher_forcing),
		cmocka_unit_test(session_equals_teacher_forcing_in_bytes),
		cmocka_unit_test(loss_equals_distribution),
		cmocka_unit_test(the_end_of_an_open_turn_is_not_learned),
		cmocka_unit_test(rewind_is_exact),
		cmocka_unit_test(beams_are_independent),
		cmocka_unit_test(decoding_obeys_its_rules),
		cmocka_unit_test(beam_beats_greedy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
