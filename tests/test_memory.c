/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The memory: what is found, what is not, vectors in the store. Word by word, and with an encoder made here. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../model/encoder_train.h"
#include "../src/base/mem.h"
#include "../src/memory.h"
#include "../src/memory_learn.h"
#include "../src/memory_pair.h"
#include "../src/review.h"

static char folder[] = "/tmp/test_memory.XXXXXX";
static char encoder_path[64], other_path[64], database[64];

static void make_encoder(const char *path, uint64_t seed)
{
	static const char *const texts[][3] = {
		{ "how much is the kettle", "price of the kettle", "what does the kettle cost" },
		{ "where is the kettle made", "who makes the kettle", "country of the kettle" },
		{ "how much is the tent", "price of the tent", "what does the tent cost" },
		{ "when do you open", "opening hours please", "from what hour are you open" },
	};
	struct encoder_group g[4];
	struct encoder_train_opts o;
	struct err e = ERR_INIT;

	for (size_t i = 0; i < 4; i++)
		g[i] = (struct encoder_group){ .text = (char **)(uintptr_t)texts[i], .n = 3, .near = { 1, 1 } };
	encoder_train_opts_default(&o);
	o.words = 100;
	o.grams = 200;
	o.pairs = 4;
	o.minutes = 0;
	o.steps = 30;
	o.seed = seed;
	assert_int_equal(encoder_train(g, 4, &o, path, NULL, &e), 0);
}

static void found(const struct memory *m, const char *question, const char *answer)
{
	struct memory_hit hit;

	if (!memory_find(m, question, strlen(question), &hit))
		fail_msg("nothing was found for: %s", question);
	assert_string_equal(hit.answer.s, answer);
	assert_true(hit.score > 0 && hit.score <= 1);
	str_free(&hit.answer);
}

static void silent(const struct memory *m, const char *question)
{
	struct memory_hit hit;

	if (memory_find(m, question, strlen(question), &hit))
		fail_msg("%s: answered with %s", question, hit.answer.s);
	assert_int_equal(hit.answer.len, 0);
}

static void words_alone(void **state)
{
	struct memory *m = memory_new(NULL, NULL);

	(void)state;
	silent(m, "anything");
	memory_add(m, 1, 0, "When does the Lindenhof branch open on Saturdays?", "At 9:30.", NULL);
	memory_add(m, 2, 0, "Where is order <order_1>?", "Order <order_1> left.", NULL);
	memory_add(m, 3, 0, "How many kilos may the Pelican bag have?", "7 kilos.", NULL);
	assert_int_equal(memory_size(m), 3);
	assert_int_equal(memory_compute(m), 0);
	found(m, "When does the Lindenhof branch open on Saturdays?", "At 9:30.");
	found(m, "when does the lindenhof branch open on saturdays", "At 9:30.");
	found(m, "on saturdays, when does lindenhof branch open?", "At 9:30.");
	silent(m, "When does the Lindenhof branch open on Sundays?");
	silent(m, "When does the Lindenhof branch close on Saturdays?");
	silent(m, "How many kilos may the Heron bag have?");
	found(m, "Where is order 8862-117?", "Order 8862-117 left.");
	silent(m, "Where is my order?");
	silent(m, "");
	silent(m, "?!");
	memory_free(m);
}

static void the_latest_wins(void **state)
{
	struct memory *m = memory_new(NULL, NULL);

	(void)state;
	memory_add(m, 1, 0, "Who repairs Tamarin guitars?", "Moll.", NULL);
	memory_add(m, 2, 0, "who repairs tamarin guitars", "Ostler.", NULL);
	found(m, "Who repairs Tamarin guitars", "Ostler.");
	memory_free(m);
}

/* Equal word for word is right whatever the encoder thinks. */
static void exact_with_encoder(void **state)
{
	struct encoder *en;
	struct err e = ERR_INIT;
	struct memory *m;

	(void)state;
	assert_int_equal(encoder_open(&en, encoder_path, &e), 0);
	m = memory_new(en, NULL);
	memory_add(m, 1, 0, "how much is the kettle", "9.", NULL);
	memory_add(m, 2, 0, "xyzzy plugh?", "Twisty.", NULL);
	assert_int_equal(memory_compute(m), 2);
	found(m, "How much is the kettle?", "9.");
	found(m, "Xyzzy, plugh", "Twisty.");
	silent(m, "what is the weather like in Trondheim at this time of year");
	memory_free(m);
	encoder_free(en);
}

static bool count_vectors(int64_t example, const void *data, size_t bytes, void *arg)
{
	(void)example;
	(void)data;
	assert_int_equal(bytes, ENCODER_DIM);
	(*(size_t *)arg)++;
	return true;
}

static int64_t teach(struct store *s, const char *question, const char *answer)
{
	struct err e = ERR_INIT;
	struct store_example x = { .chat = "{}", .question = (char *)(uintptr_t)question, .answer = (char *)(uintptr_t)answer, .suggested = "",
		.state = "approved", .origin = "taught", .flags = "", .values = "{}", .weight = 1 };

	assert_int_equal(store_example_add(s, &x, &e), 0);
	return x.id;
}

static void vectors_are_kept(void **state)
{
	struct memory *m;
	struct store *s;
	struct err e = ERR_INIT;
	struct encoder *other;
	size_t n = 0;
	int64_t id;

	(void)state;
	assert_int_equal(store_open_file(&s, database, STORE_READ_WRITE, &e), 0);
	teach(s, "how much is the kettle", "9.");
	id = teach(s, "when do you open", "At 8.");
	assert_int_equal(memory_load(&m, s, NULL, encoder_path, &e), 0);
	assert_int_equal(memory_size(m), 2);
	assert_int_equal(memory_compute(m), 2);
	assert_int_equal(memory_keep(m, s, &e), 0);
	assert_int_equal(memory_compute(m), 0);
	memory_free(m);

	/* they are there the next time */
	assert_int_equal(memory_load(&m, s, NULL, encoder_path, &e), 0);
	assert_int_equal(memory_compute(m), 0);
	found(m, "How much is the kettle?", "9.");
	memory_free(m);

	/* one that is not of our size is computed again */
	assert_int_equal(encoder_open(&other, encoder_path, &e), 0);
	assert_int_equal(store_vector_set(s, id, encoder_version(other), "ab", 2, &e), 0);
	encoder_free(other);
	assert_int_equal(memory_load(&m, s, NULL, encoder_path, &e), 0);
	assert_int_equal(memory_compute(m), 1);
	assert_int_equal(memory_keep(m, s, &e), 0);
	memory_free(m);

	/* and all are with another encoder */
	assert_int_equal(memory_load(&m, s, NULL, other_path, &e), 0);
	assert_int_equal(memory_compute(m), 2);
	assert_int_equal(memory_keep(m, s, &e), 0);
	memory_free(m);
	assert_int_equal(encoder_open(&other, other_path, &e), 0);
	assert_int_equal(store_vectors(s, encoder_version(other), count_vectors, &n, &e), 0);
	assert_int_equal(n, 2);
	encoder_free(other);

	/* without an encoder, words alone */
	assert_int_equal(memory_load(&m, s, NULL, "/nowhere/encoder", &e), 0);
	assert_int_equal(memory_compute(m), 0);
	found(m, "How much is the kettle?", "9.");
	memory_free(m);
	store_close(s);
}

/* More of one question than are compared: the last teaching is among them. */
static void the_latest_of_many_wins(void **state)
{
	struct encoder *en;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(encoder_open(&en, encoder_path, &e), 0);
	for (int with = 0; with < 2; with++) {
		struct memory *m = memory_new(with ? en : NULL, NULL);
		char answer[32] = "";

		for (int i = 1; i <= 40; i++) {
			snprintf(answer, sizeof(answer), "Answer %d.", i);
			memory_add(m, i, 0, "how much is the kettle", answer, NULL);
		}
		memory_compute(m);
		found(m, "How much is the kettle?", answer);
		assert_true(memory_remove(m, 40));
		assert_false(memory_remove(m, 40));
		found(m, "How much is the kettle?", "Answer 39.");
		memory_free(m);
	}
	encoder_free(en);
}

/* A correction that waits for its decision is younger than what was approved before, and answers. */
static void a_correction_goes_before_what_it_corrects(void **state)
{
	struct store_example x = { .chat = (char *)(uintptr_t)"{}", .question = (char *)(uintptr_t)"how much is the kettle",
		.answer = (char *)(uintptr_t)"11.", .suggested = (char *)(uintptr_t)"9.", .state = (char *)(uintptr_t)"proposed",
		.origin = (char *)(uintptr_t)"corrected", .flags = (char *)(uintptr_t)"", .values = (char *)(uintptr_t)"{}", .weight = 2 };
	struct memory *m;
	struct store *s;
	struct err e = ERR_INIT;

	(void)state;
	unlink(database);
	assert_int_equal(store_open_file(&s, database, STORE_READ_WRITE, &e), 0);
	teach(s, "how much is the kettle", "9.");
	assert_int_equal(store_example_add(s, &x, &e), 0);
	assert_int_equal(memory_load(&m, s, NULL, encoder_path, &e), 0);
	memory_compute(m);
	found(m, "How much is the kettle?", "11.");
	assert_int_equal(store_example_decide(s, x.id, "rejected", &e), 0);
	assert_int_equal(memory_update(m, s, x.id, &e), 0);
	found(m, "How much is the kettle?", "9.");
	memory_free(m);
	store_close(s);
}

/* ---- one example at a time is the same as all anew ---- */

static const char *const asked[] = { "how much is the kettle", "price of the tent", "what does the Kettle cost", "when do you open",
	"where is the Venta grinder made", "opening hours of Birch Lane", "who makes the tent", "is 12 the price of it" };

static void same_answers(struct memory *m, struct store *s)
{
	struct memory_near a[32], b[32];
	struct memory *fresh;
	struct err e = ERR_INIT;

	assert_int_equal(memory_load(&fresh, s, NULL, encoder_path, &e), 0);
	memory_compute(fresh);
	memory_compute(m);
	assert_int_equal(memory_size(m), memory_size(fresh));
	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		const size_t n = memory_nearest(m, asked[i], strlen(asked[i]), a, 32);
		struct memory_hit x, y;
		bool found_one;

		assert_int_equal(memory_nearest(fresh, asked[i], strlen(asked[i]), b, 32), n);
		for (size_t k = 0; k < n; k++) {
			assert_int_equal(a[k].id, b[k].id);
			assert_memory_equal(a[k].feature, b[k].feature, F_COUNT * sizeof(double));
			assert_true(a[k].rank <= b[k].rank && a[k].rank >= b[k].rank && a[k].score <= b[k].score && a[k].score >= b[k].score);
		}
		found_one = memory_find(m, asked[i], strlen(asked[i]), &x);
		assert_int_equal(found_one, memory_find(fresh, asked[i], strlen(asked[i]), &y));
		if (!found_one)
			continue;
		assert_string_equal(x.answer.s, y.answer.s);
		assert_int_equal(x.example, y.example);
		assert_int_equal(x.conversation, y.conversation);
		str_free(&x.answer);
		str_free(&y.answer);
	}
	memory_free(fresh);
}

static int64_t something(struct store *s, struct rng *r)
{
	static const char *const things[] = { "kettle", "tent", "Venta grinder", "Birch Lane counter", "drill", "birch table" };
	static const char *const what[] = { "how much is the %s", "where is the %s made", "when does the %s open", "price of the %s, 12 or 14",
		"is the %s the %s" };
	static const char *const state[] = { "approved", "proposed" }, *const origin[] = { "taught", "corrected", "sent" };
	char question[128], answer[32];
	const char *thing = things[rng_below(r, 6)];
	struct store_example x = { .chat = (char *)(uintptr_t)"{\"messages\": [{\"role\": \"user\", \"content\": \"q\"}, {\"role\": \"assistant\", \"content\": \"a\"}]}",
		.question = question, .answer = answer, .suggested = (char *)(uintptr_t)"", .state = (char *)(uintptr_t)state[rng_below(r, 2)],
		.origin = (char *)(uintptr_t)origin[rng_below(r, 3)], .flags = (char *)(uintptr_t)"", .values = (char *)(uintptr_t)"{}", .weight = 1 };

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(question, sizeof(question), what[rng_below(r, 5)], thing, thing);
#pragma GCC diagnostic pop
	snprintf(answer, sizeof(answer), "It is %d.", (int)rng_below(r, 1000));
	assert_int_equal(store_example_add(s, &x, NULL), 0);
	return x.id;
}

static void one_at_a_time(void **state)
{
	struct memory *m;
	struct store *s;
	struct err e = ERR_INIT;
	struct rng r;
	int64_t last = 0, undone;

	(void)state;
	unlink(database);
	rng_seed(&r, 5);
	assert_int_equal(store_open_file(&s, database, STORE_READ_WRITE, &e), 0);
	assert_int_equal(memory_load(&m, s, NULL, encoder_path, &e), 0);
	for (int step = 0; step < 300; step++) {
		int64_t id = last ? 1 + (int64_t)rng_below(&r, (uint64_t)last) : 0;

		switch (last < 3 ? 0 : rng_below(&r, 6)) {
		case 0: case 1:
			id = last = something(s, &r);
			break;
		case 2:
			assert_int_equal(store_example_decide(s, id, "rejected", &e), 0);
			break;
		case 3:
			assert_int_equal(store_example_decide(s, id, "approved", &e), 0);
			break;
		case 4:
			assert_int_equal(review_edit(s, id, NULL, "It is something else.", &e), 0);
			break;
		default:
			if (store_example_undo(s, &undone, NULL) == 0)
				id = undone;
		}
		assert_int_equal(memory_update(m, s, id, &e), 0);
		if (step % 5 == 0)
			assert_int_equal(memory_keep(m, s, &e), 0);
		if (step % 3 == 0)
			same_answers(m, s);
	}
	same_answers(m, s);
	/* one that never was, and all of them gone */
	assert_int_equal(memory_update(m, s, last + 100, &e), 0);
	for (int64_t id = last; id > 0; id--)
		memory_remove(m, id);
	assert_int_equal(memory_size(m), 0);
	assert_int_equal(memory_compute(m), 0);
	silent(m, "how much is the kettle");
	memory_free(m);
	store_close(s);
}

/* ---- pairs ---- */

static void features(const char *a, const char *b, double f[F_COUNT])
{
	struct memory_text x, y;

	memory_text_init(&x, NULL, a, strlen(a), NULL);
	memory_text_init(&y, NULL, b, strlen(b), NULL);
	memory_features(&x, &y, &y, f);
	memory_text_free(&x);
	memory_text_free(&y);
}

static void what_must_not_differ(void **state)
{
	double f[F_COUNT];

	(void)state;
	features("do you open on Mondays", "do you open on Tuesdays", f);
	assert_true(f[F_DAY] > 0 && f[F_NUMBER] < 0.01 && f[F_ASPECT_OTHER] < 0.01);
	features("do you open on Mondays", "are you open monday", f);
	assert_true(f[F_DAY] < 0.01 && f[F_SAID_NEW] > 0.8);
	features("can I bring 2 bags", "can I bring 3 bags", f);
	assert_true(f[F_NUMBER] > 0.9);
	features("can I bring 2 bags", "can I bring 2 bags please", f);
	assert_true(f[F_NUMBER] < 0.2);
	features("where is the shop", "when is the shop open", f);
	assert_true(f[F_ASPECT_OTHER] > 0.9);
	features("how long may I stay", "until when may I stay", f);
	assert_true(f[F_ASPECT_OTHER] < 0.1);
	features("when do you open", "when do you close", f);
	assert_true(f[F_OPPOSITE] > 0.9);
	features("when do you open and close", "when do you close and open", f);
	assert_true(f[F_OPPOSITE] < 0.1);
	features("is sugar in it", "is no sugar in it", f);
	assert_true(f[F_NEGATION] > 0.9);
	features("price of the Kaldor", "price of the Venta", f);
	assert_true(f[F_NAME_BOTH] > 0.5);
	features("price of the Kaldor", "price of a Kaldro", f);      /* a typing error */
	assert_true(f[F_NAME_NEW] < 0.3 && f[F_NAME_SHARED] > 0.5);
	features("my gift card", "my giftcard", f);
	assert_true(f[F_SAID_NEW] > 0.9 && f[F_SAID_OLD] > 0.9);
}

static void stems(void **state)
{
	static const char *const same[][2] = { { "charges", "charged" }, { "charge", "charging" }, { "deliveries", "delivery" },
		{ "stopping", "stop" }, { "boxes", "box" }, { "opens", "open" }, { "returned", "returns" } };

	(void)state;
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		char a[ENCODER_WORD], b[ENCODER_WORD];

		strcpy(a, same[i][0]);
		strcpy(b, same[i][1]);
		memory_stem(a);
		memory_stem(b);
		assert_string_equal(a, b);
	}
	assert_true(memory_empty_word("the"));
	assert_false(memory_empty_word("drone"));
}

/* The regression finds weights that made the labels. */
static void learns(void **state)
{
	enum { N = 2000 };
	struct memory_sample *s = xcalloc(N, sizeof(*s));
	double w[F_COUNT], right = 0;
	struct rng r;

	(void)state;
	rng_seed(&r, 3);
	for (size_t i = 0; i < N; i++) {
		double z = -1;

		for (size_t k = 1; k < F_COUNT; k++)
			s[i].feature[k] = rng_normal(&r);
		s[i].feature[F_ONE] = 1;
		s[i].weight = 1;
		z += 3 * s[i].feature[F_COSINE] - 2 * s[i].feature[F_NUMBER];
		s[i].same = rng_uniform(&r) < 1 / (1 + exp(-z));
	}
	memory_learn(s, N, 0.1, w);
	assert_true(fabs(w[F_COSINE] - 3) < 0.6 && fabs(w[F_NUMBER] + 2) < 0.5 && fabs(w[F_ONE] + 1) < 0.4);
	for (size_t k = 1; k < F_COUNT; k++)
		if (k != F_COSINE && k != F_NUMBER)
			assert_true(fabs(w[k]) < 0.4);
	for (size_t i = 0; i < N; i++)
		right += (memory_probability(w, s[i].feature) > 0.5) == s[i].same;
	assert_true(right / N > 0.8);
	free(s);
}

/* What no sum of the two can tell: one or the other, but not both. */
static void nets_learn(void **state)
{
	enum { N = 400 };
	struct memory_sample *s = xcalloc(N, sizeof(*s));
	struct memory_net *net = xcalloc(2, sizeof(*net));
	double w[F_COUNT], linear = 0, right = 0;
	struct rng r;

	(void)state;
	rng_seed(&r, 9);
	for (size_t i = 0; i < N; i++) {
		const bool a = rng_below(&r, 2), b = rng_below(&r, 2);

		s[i].feature[F_ONE] = 1;
		s[i].feature[F_COSINE] = a ? 1 : -1;
		s[i].feature[F_NUMBER] = b ? 1 : -1;
		s[i].weight = 1;
		s[i].same = a != b;
	}
	memory_learn(s, N, 0.1, w);
	memory_learn_net(s, N, w, 1, &net[0]);
	memory_learn_net(s, N, w, 1, &net[1]);
	assert_memory_equal(&net[0], &net[1], sizeof(*net));
	for (size_t i = 0; i < N; i++) {
		linear += (memory_probability(w, s[i].feature) > 0.5) == s[i].same;
		right += (memory_net(net, s[i].feature) > 0.5) == s[i].same;
	}
	assert_true(linear / N < 0.8);
	assert_true(right / N > 0.99);
	free(net);
	free(s);
}

static int setup(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(encoder_path, sizeof(encoder_path), "%s/a", folder);
	snprintf(other_path, sizeof(other_path), "%s/b", folder);
	snprintf(database, sizeof(database), "%s/db", folder);
	make_encoder(encoder_path, 1);
	make_encoder(other_path, 2);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(encoder_path);
	unlink(other_path);
	unlink(database);
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_alone), cmocka_unit_test(the_latest_wins), cmocka_unit_test(exact_with_encoder),
		cmocka_unit_test(vectors_are_kept), cmocka_unit_test(the_latest_of_many_wins),
		cmocka_unit_test(a_correction_goes_before_what_it_corrects), cmocka_unit_test(one_at_a_time),
		cmocka_unit_test(what_must_not_differ), cmocka_unit_test(stems), cmocka_unit_test(learns),
		cmocka_unit_test(nets_learn),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
