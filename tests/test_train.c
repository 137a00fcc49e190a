/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Training is proved: a tiny set is learned by heart, a run cut in two equals one run bit for bit,
 * one, two and three threads give the same weights, and a full disk loses nothing. */
#include <malloc.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../model/dialogue.h"
#include "../model/pool.h"
#include "../model/train.h"
#include "../src/base/mem.h"
#include "common_model.h"

struct world {
	struct tokenizer *tok;
	struct dataset *train, *valid;
};

static struct world world(uint64_t seed, size_t dialogues)
{
	struct world w;
	struct rng r;

	rng_seed(&r, seed);
	w.tok = fixture_tokenizer();
	w.train = fixture_dialogues(w.tok, &r, dialogues, 4, 9);
	w.valid = dataset_new();
	return w;
}

static void world_end(struct world *w)
{
	dataset_free(w->train);
	dataset_free(w->valid);
	tokenizer_free(w->tok);
}

static struct train_opts small_opts(size_t steps)
{
	struct train_opts o;

	train_opts_default(&o);
	o.steps = steps;
	o.batch_rows = 60;
	o.warmup = 5;
	o.eval_every = 0;
	o.keep_types = 1u << 8;
	return o;
}

static bool stop_at(const struct train_report *r, void *arg)
{
	return r->step < *(const size_t *)arg;
}

/* Train and copy out the final weights. */
static real *weights_after(const struct world *w, const struct train_opts *o, bool resume, size_t stop,
                           enum train_end *end, size_t *total)
{
	struct weights *start = fixture_weights(w->tok, 3, true);
	struct trainer *t = trainer_new(o, start, w->tok, w->train, w->valid, -1);
	const struct train_hooks h = { .report = stop ? stop_at : NULL, .arg = &stop };
	struct err e = ERR_INIT;
	real *out;

	if (resume && trainer_resume(t, &e) < 0)
		fail_msg("%s", e.msg);
	if (trainer_run(t, &h, end, &e) < 0)
		fail_msg("%s", e.msg);
	*total = trainer_current(t)->layout.total;
	out = malloc(*total * sizeof(real));
	memcpy(out, trainer_current(t)->flat, *total * sizeof(real));
	trainer_free(t);
	return out;
}

static void learns_by_heart(void **state)
{
	struct world w = world(1, 1);
	struct train_opts o = small_opts(400);
	struct weights *start = fixture_weights(w.tok, 5, true);
	struct trainer *t;
	enum train_end end;
	struct err e = ERR_INIT;
	struct pool *pool = pool_new(1);
	struct likelihood l;
	double nats = 0, rows = 0;

	(void)state;
	o.dropout = o.word_dropout = 0;
	o.lr = 0.01;
	o.keep_types = ~0u;       /* learning by heart needs the indices to stay */
	o.average = 0;
	t = trainer_new(&o, start, w.tok, w.train, w.valid, -1);
	assert_int_equal(trainer_run(t, &(struct train_hooks){ 0 }, &end, &e), 0);
	train_likelihood(trainer_current(t), w.train, 0, pool, &l);
	for (size_t k = 0; k < TOKENIZER_MAX_TAGS; k++) {
		nats += l.nats[k];
		rows += l.rows[k];
	}
	if (!(nats / rows < 0.02))
		fail_msg("%g nats a piece after 400 steps on one dialogue", nats / rows);
	trainer_free(t);
	pool_free(pool);
	world_end(&w);
}

static void threads_do_not_matter(void **state)
{
	struct world w = world(2, 12);
	struct train_opts o = small_opts(12);
	enum train_end end;
	size_t n;
	real *first = NULL;

	(void)state;
	o.shards = 3;
	for (size_t threads = 1; threads <= 3; threads++) {
		real *x;

		o.threads = threads;
		x = weights_after(&w, &o, false, 0, &end, &n);
		if (!first)
			first = x;
		else if (memcmp(first, x, n * sizeof(real)) != 0)
			fail_msg("%zu threads give other weights than one", threads);
		if (x != first)
			free(x);
	}
	o.seed = 2;

	real *other = weights_after(&w, &o, false, 0, &end, &n);

	assert_true(memcmp(first, other, n * sizeof(real)) != 0);
	free(other);
	free(first);
	world_end(&w);
}

struct looking {
	struct trainer *t;
	const struct world *w;
	struct pool *pool;
	size_t looked;
};

static double nats_of(const struct looking *l, const struct weights *w)
{
	struct likelihood all;
	double nats = 0;

	train_likelihood(w, l->w->train, 0, l->pool, &all);
	for (size_t k = 0; k < TOKENIZER_MAX_TAGS; k++)
		nats += all.nats[k];
	return nats;
}

/* The average, the best and the last update's weights take turns in one room. */
static bool look(const struct train_report *r, void *arg)
{
	struct looking *l = arg;

	if (r->step % 4 == 0) {
		const double current = nats_of(l, trainer_current(l->t)), average = nats_of(l, trainer_average(l->t));

		assert_true(isfinite(current) && current != average);
		(void)nats_of(l, trainer_best(l->t));
		assert_true(nats_of(l, trainer_average(l->t)) == average);
		assert_true(nats_of(l, trainer_current(l->t)) == current);
		(void)trainer_average(l->t);
		l->looked++;
	}
	return true;
}

static void looking_changes_nothing(void **state)
{
	struct world w = world(6, 8);
	struct train_opts o = small_opts(12);
	struct looking l = { NULL, &w, pool_new(1), 0 };
	enum train_end end;
	struct err e = ERR_INIT;
	size_t n;

	(void)state;
	for (size_t adapter = 0; adapter <= 2; adapter += 2) {
		o.adapter = adapter;

		real *plain = weights_after(&w, &o, false, 0, &end, &n);

		l.looked = 0;
		l.t = trainer_new(&o, fixture_weights(w.tok, 3, true), w.tok, w.train, w.valid, -1);
		assert_int_equal(trainer_run(l.t, &(struct train_hooks){ .report = look, .arg = &l }, &end, &e), 0);
		assert_true(l.looked >= 3);
		assert_memory_equal(trainer_current(l.t)->flat, plain, n * sizeof(real));
		trainer_free(l.t);
		free(plain);
	}
	pool_free(l.pool);
	world_end(&w);
}

static void resume_is_exact(void **state)
{
	struct world w = world(3, 12);
	char path[] = "/tmp/answerback-train-XXXXXX";
	struct train_opts o = small_opts(14);
	enum train_end end;
	size_t n;
	int fd = mkstemp(path);
	real *whole, *half, *both;

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	unlink(path);
	whole = weights_after(&w, &o, false, 0, &end, &n);
	assert_int_equal(end, TRAIN_DONE);
	o.checkpoint = path;
	half = weights_after(&w, &o, false, 6, &end, &n);
	assert_int_equal(end, TRAIN_STOPPED);
	assert_true(memcmp(whole, half, n * sizeof(real)) != 0);
	both = weights_after(&w, &o, true, 0, &end, &n);
	assert_int_equal(end, TRAIN_DONE);
	assert_memory_equal(whole, both, n * sizeof(real));
	unlink(path);
	free(whole);
	free(half);
	free(both);
	world_end(&w);
}

/* A checkpoint of another run, a damaged one and one that is no checkpoint: each refused in words. */
static void resume_refuses(void **state)
{
	struct world w = world(4, 6), other = world(5, 7);
	char path[] = "/tmp/answerback-train-XXXXXX";
	struct train_opts o = small_opts(3);
	struct err e = ERR_INIT;
	enum train_end end;
	struct trainer *t;
	size_t n;
	int fd = mkstemp(path);
	FILE *f;

	(void)state;
	close(fd);
	o.checkpoint = path;
	free(weights_after(&w, &o, false, 0, &end, &n));
	t = trainer_new(&o, fixture_weights(other.tok, 3, true), other.tok, other.train, other.valid, -1);
	assert_int_equal(trainer_resume(t, &e), ERR_USAGE);
	assert_non_null(strstr(e.msg, "another run"));
	trainer_free(t);

	f = fopen(path, "r+");
	fseek(f, -400, SEEK_END);
	fputc(0x55, f);
	fputc(0x2a, f);
	fclose(f);
	t = trainer_new(&o, fixture_weights(w.tok, 3, true), w.tok, w.train, w.valid, -1);
	assert_true(trainer_resume(t, &e) < 0);
	trainer_free(t);
	assert_int_equal(truncate(path, 100), 0);
	t = trainer_new(&o, fixture_weights(w.tok, 3, true), w.tok, w.train, w.valid, -1);
	assert_true(trainer_resume(t, &e) < 0);
	trainer_free(t);
	unlink(path);
	t = trainer_new(&o, fixture_weights(w.tok, 3, true), w.tok, w.train, w.valid, -1);
	assert_int_equal(trainer_resume(t, &e), ERR_NOTFOUND);
	trainer_free(t);
	world_end(&w);
	world_end(&other);
}

/* ---- memory ---- */

static struct dataset *equal_dialogues(const struct tokenizer *tok, size_t dialogues, size_t turns, size_t n)
{
	const size_t vocab = tokenizer_vocab(tok);
	struct dataset *ds = dataset_new();
	int32_t ids[64];

	for (size_t d = 0; d < dialogues; d++) {
		dataset_begin(ds);
		for (size_t t = 0; t < turns; t++) {
			for (size_t i = 0; i < n; i++)
				ids[i] = (int32_t)(vocab - 1 - (d * 31 + t * 7 + i) % 200);
			dataset_turn(ds, tokenizer_tag(tok, t % 2 ? "assistant" : "user"), ids, n, 3 * n, 1);
		}
		dataset_end(ds);
	}
	return ds;
}

struct allocations {
	size_t calls, bytes;
};

static struct allocations allocations(void)
{
	const struct mallinfo2 m = mallinfo2();

	return (struct allocations){ mem_allocations(), m.uordblks + m.hblkhd };
}

static bool count_allocations(const struct train_report *r, void *arg)
{
	struct allocations *seen = arg;

	if (r->step == 4)      /* by now the arenas are as large as a batch */
		seen[0] = allocations();
	if (r->step == 9)
		seen[1] = allocations();
	return true;
}

/* Not one call in five steps of one epoch; on one thread and on two. OpenBLAS's products of small matrices ask the C library for
 * a buffer of their own on processors with AVX-512, a few kilobytes that stay in its cache: those are not ours. */
static void steps_allocate_nothing(void **state)
{
	enum { BLAS_KEEPS = 64 * 1024 };

	(void)state;
	for (size_t threads = 1; threads <= 2; threads++) {
		struct world w = world(6, 1);
		struct train_opts o = small_opts(10);
		struct dataset *ds = equal_dialogues(w.tok, 60, 4, 9);
		struct allocations seen[2] = { { 0, 0 }, { 1, 1 } };
		struct trainer *t;
		enum train_end end;
		struct err e = ERR_INIT;

		o.batch_rows = 120;      /* 20 batches an epoch */
		o.threads = threads;
		t = trainer_new(&o, fixture_weights(w.tok, 3, true), w.tok, ds, w.valid, -1);
		assert_int_equal(trainer_run(t, &(struct train_hooks){ .report = count_allocations, .arg = seen }, &end, &e), 0);
		if (seen[1].calls != seen[0].calls || seen[1].bytes > seen[0].bytes + BLAS_KEEPS)
			fail_msg("%zu threads: five steps made %zu allocations, and %zd bytes more are in use", threads,
			         seen[1].calls - seen[0].calls, (ssize_t)(seen[1].bytes - seen[0].bytes));
		trainer_free(t);
		dataset_free(ds);
		world_end(&w);
	}
}

/* Most bytes of a forward and backward pass over that many dialogues. */
static size_t pass_bytes(const struct weights *w, const struct dataset *ds, size_t dialogues)
{
	const struct dialogue_opts o = { .dropout = 0.1 };
	struct batch_item items[64];
	struct arena *a = arena_new(1 << 12);
	real *grad = params_block(&w->layout);
	struct dialogue_batch b;
	struct dialogue_pass p;
	size_t peak;

	for (size_t i = 0; i < dialogues; i++)
		items[i] = (struct batch_item){ (uint32_t)i, (uint32_t)ds->first_turn[i], (uint32_t)ds->first_turn[i + 1] };
	batch_build(&b, a, ds, items, dialogues, 0, NULL);
	dialogue_forward(&p, w, a, &b, &o);
	dialogue_loss(&p, NULL, grad);
	peak = arena_peak(a);
	arena_free(a);
	mem_aligned_free(grad);
	return peak;
}

/* A row's logits are the largest thing about it; there is room for a chunk of rows, not for all. */
static void logits_come_in_chunks(void **state)
{
	enum { V = 8000, TURNS = 4, PIECES = 30 };
	const struct dialogue_config c = {
		.vocab = V, .embed = 4, .turn_hidden = 4, .encoder_hidden = 4, .decoder_hidden = 4, .attention = 4,
		.heads = 1, .window = 20, .copy = 1, .residual = 1,
	};
	struct tokenizer *tok = fixture_tokenizer();
	struct dataset *ds = equal_dialogues(tok, 24, TURNS, PIECES);
	struct weights *w = weights_new(&c, true);
	size_t few, many, rows = 12 * TURNS * (PIECES + 1);

	(void)state;
	weights_init_random(w, 1);
	few = pass_bytes(w, ds, 12);
	many = pass_bytes(w, ds, 24);
	assert_true(many > few);
	if ((many - few) / rows > V * sizeof(real) / 4)
		fail_msg("%zu bytes for every further row, its logits are %zu", (many - few) / rows, V * sizeof(real));
	weights_free(w);
	dataset_free(ds);
	tokenizer_free(tok);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(learns_by_heart),
		cmocka_unit_test(threads_do_not_matter),
		cmocka_unit_test(looking_changes_nothing),
		cmocka_unit_test(resume_is_exact),
		cmocka_unit_test(resume_refuses),
		cmocka_unit_test(steps_allocate_nothing),
		cmocka_unit_test(logits_come_in_chunks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
