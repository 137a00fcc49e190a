/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Training is proved: a tiny set is learned by heart, a run cut in two equals one run bit for bit,
 * one, two and three threads give the same weights, and a full disk loses nothing. */
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

#include "../model/pool.h"
#include "../model/train.h"
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

/* After the first steps a step allocates nothing but the epoch's plan. */
static bool count_allocations(const struct train_report *r, void *arg)
{
	size_t *seen = arg;

	if (r->step == 6)
		seen[0] = mem_allocations();
	if (r->step == 8)
		seen[1] = mem_allocations();
	return true;
}

static void steps_allocate_nothing(void **state)
{
	struct world w = world(6, 200);
	struct train_opts o = small_opts(9);
	struct trainer *t;
	enum train_end end;
	struct err e = ERR_INIT;
	size_t seen[2] = { 0, 1 };

	(void)state;
	o.batch_rows = 60;
	t = trainer_new(&o, fixture_weights(w.tok, 3, true), w.tok, w.train, w.valid, -1);
	/* one warm-up run over larger batches than those counted is what real runs have had by then */
	assert_int_equal(trainer_run(t, &(struct train_hooks){ .report = count_allocations, .arg = seen }, &end, &e), 0);
	if (seen[1] - seen[0] > 4)
		fail_msg("%zu allocations in two steps", seen[1] - seen[0]);
	trainer_free(t);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(learns_by_heart),
		cmocka_unit_test(threads_do_not_matter),
		cmocka_unit_test(resume_is_exact),
		cmocka_unit_test(resume_refuses),
		cmocka_unit_test(steps_allocate_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
