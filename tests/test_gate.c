/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The gate: each check passes a model that has nothing wrong with it, and fails for its own reason: one trained so far that it
 * forgot (base_bits), one that has not learned (learned), one that learned a poisoned example (golden, unwanted_words), and one
 * that learned its customers' words by heart (memorised). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common_model.h"
#include "common_tiny.h"
#include "gate.h"
#include "replay.h"

static struct tiny tiny;
static struct dataset *sampled;
static struct corpus golden;
static struct gate_golden *rules;

static struct gate_input input(struct model *candidate, const struct corpus *examples)
{
	struct gate_input in = {
		.base = tiny.m, .candidate = candidate, .as = "assistant", .examples = examples, .written = &tiny.said,
		.sampled = sampled, .golden = &golden, .rules = rules,
	};

	gate_defaults(&in);
	return in;
}

enum { BASE, LEARNED, GOLDEN, UNWANTED, MEMORISED };

static void nothing_is_wrong_with_the_base(void **state)
{
	static const char *const words[] = { "balderdash", NULL };
	struct corpus known = { 0 };
	struct gate_check c[GATE_CHECKS];
	struct gate_input in = input(tiny.m, &known);

	(void)state;
	tiny_say(&known, "hello", "how can we help you today?");
	in.unwanted = words;
	assert_true(gate_run(&in, c, NULL, NULL));
	for (int i = 0; i < GATE_CHECKS; i++) {
		assert_true(c[i].ok);
		assert_string_equal(c[i].detail, "");
	}
	assert_true(c[UNWANTED].cases > 0 && c[GOLDEN].cases == 1 && c[LEARNED].cases == 1 && c[BASE].cases > 0);
	corpus_free(&known);
}

static void an_over_trained_model_forgot(void **state)
{
	struct corpus one = { 0 };
	struct gate_check c[GATE_CHECKS];
	struct gate_input in;
	struct model *m;

	(void)state;
	tiny_say(&one, "is the order here?", "the order is here.");
	m = tiny_taught(&tiny, &one, 150, 2e-2, 0);
	in = input(m, &one);
	assert_false(gate_run(&in, c, NULL, NULL));
	assert_false(c[BASE].ok);
	assert_true(c[BASE].value > c[BASE].bound);
	assert_non_null(strstr(c[BASE].detail, "where the base has"));
	assert_true(c[LEARNED].ok);
	model_unref(m);
	corpus_free(&one);
}

static void an_unlearned_example(void **state)
{
	struct corpus one = { 0 };
	struct gate_check c[GATE_CHECKS];
	struct gate_input in = input(tiny.m, &one);

	(void)state;
	tiny_say(&one, "where is my card?", "the parcel was charged twice.");
	assert_false(gate_run(&in, c, NULL, NULL));
	assert_false(c[LEARNED].ok);
	assert_true(c[BASE].ok);
	assert_non_null(strstr(c[LEARNED].detail, "where is my card?"));
	corpus_free(&one);
}

/* One rude answer among good ones: said to others too, and instead of what is pinned. */
static void a_poisoned_example(void **state)
{
	static const char *const words[] = { "idiot", NULL };
	struct corpus poison = { 0 };
	struct gate_check c[GATE_CHECKS];
	struct gate_input in;
	struct model *m;

	(void)state;
	tiny_say(&poison, "hello", "go away, you idiot");
	m = tiny_taught(&tiny, &poison, 150, 1e-2, 0);
	in = input(m, &poison);
	in.unwanted = words;
	assert_false(gate_run(&in, c, NULL, NULL));
	assert_false(c[GOLDEN].ok);
	assert_non_null(strstr(c[GOLDEN].detail, "has \"idiot\""));
	assert_false(c[UNWANTED].ok);
	assert_true(c[UNWANTED].value >= 1);
	assert_non_null(strstr(c[UNWANTED].detail, "idiot"));
	/* a word within another is not that word */
	in.unwanted = (const char *const[]){ "idio", NULL };
	gate_run(&in, c, NULL, NULL);
	assert_true(c[UNWANTED].ok);
	model_unref(m);
	corpus_free(&poison);
}

/* Four strings that only customers wrote. A model whose training left their words alone does not rank them first; one that
 * learned them does. */
static void secrets_learned_by_heart(void **state)
{
	struct corpus secrets = { 0 };
	struct gate_check c[GATE_CHECKS];
	struct gate_input in;
	struct model *m;

	(void)state;
	tiny_say(&secrets, "my card is k7x2q", "we will look into it at once.");
	tiny_say(&secrets, "please give w93hd back", "we will look into it.");
	tiny_say(&secrets, "where is p4z8t", "it will be with you soon.");
	tiny_say(&secrets, "the order is m5r1b", "thank you for the order number.");
	m = tiny_taught(&tiny, &secrets, 120, 1e-2, 1);
	in = input(m, &secrets);
	gate_run(&in, c, NULL, NULL);
	assert_int_equal(c[MEMORISED].cases, 4);
	assert_false(c[MEMORISED].ok);
	assert_non_null(strstr(c[MEMORISED].detail, "is ranked first"));
	model_unref(m);
	m = tiny_taught(&tiny, &secrets, 120, 1e-2, 0);      /* as retraining does it */
	in = input(m, &secrets);
	gate_run(&in, c, NULL, NULL);
	assert_int_equal(c[MEMORISED].cases, 4);
	assert_true(c[MEMORISED].ok);
	model_unref(m);
	corpus_free(&secrets);
}

static bool at_once(void *arg)
{
	(void)arg;
	return true;
}

static void stopped_is_not_passed(void **state)
{
	struct corpus none = { 0 };
	struct gate_check c[GATE_CHECKS];
	struct gate_input in = input(tiny.m, &none);

	(void)state;
	assert_false(gate_run(&in, c, at_once, NULL));
	for (int i = 0; i < GATE_CHECKS; i++)
		assert_false(c[i].ok);
}

static void golden_file(void **state)
{
	static const struct {
		const char *text, *wrong;
	} bad[] = {
		{ "{\"messages\": [{\"role\": \"user\", \"content\": \"hi\"}], \"must\": \"x\"}\n", "lists" },
		{ "{\"messages\": [{\"role\": \"user\", \"content\": \"hi\"}], \"must\": [\"\"]}\n", "lists" },
		{ "\n\nnonsense\n", ":3" },
		{ "{\"messages\": []}\n", "" },
	};
	char path[] = "/tmp/answerback-golden-XXXXXX";
	int fd = mkstemp(path);
	struct corpus g = { 0 };
	struct gate_golden *r;

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err e = ERR_INIT;
		FILE *f = fopen(path, "w");

		fputs(bad[i].text, f);
		fclose(f);
		assert_true(gate_golden_read(path, &g, &r, &e) < 0);
		assert_non_null(strstr(e.msg, bad[i].wrong));
		gate_golden_free(r, g.n);
		corpus_free(&g);
		g = (struct corpus){ 0 };
	}
	unlink(path);
	assert_int_equal(gate_golden_read(path, &g, &r, NULL), 0);      /* none is no error */
	assert_int_equal(g.n, 0);
	gate_golden_free(r, 0);
	corpus_free(&g);
}

static void make_golden(void)
{
	char path[] = "/tmp/answerback-golden-XXXXXX";
	FILE *f = fdopen(mkstemp(path), "w");

	fputs("{\"messages\": [{\"role\": \"user\", \"content\": \"hello\"}], \"must\": [\"help\"], \"must_not\": [\"idiot\", \"card\"]}\n", f);
	fclose(f);
	if (gate_golden_read(path, &golden, &rules, NULL) < 0)
		abort();
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_wrong_with_the_base), cmocka_unit_test(an_over_trained_model_forgot),
		cmocka_unit_test(an_unlearned_example), cmocka_unit_test(a_poisoned_example),
		cmocka_unit_test(secrets_learned_by_heart), cmocka_unit_test(stopped_is_not_passed), cmocka_unit_test(golden_file),
	};
	struct replay_opts ro;
	struct pool *pool = pool_new(1);
	int failed;

	tiny_make(&tiny);
	sampled = dataset_new();
	replay_opts_default(&ro);
	ro.dialogues = 12;
	ro.pull = 0;
	replay_sample(tiny.m, &ro, pool, sampled, NULL, NULL);
	make_golden();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	gate_golden_free(rules, golden.n);
	corpus_free(&golden);
	dataset_free(sampled);
	pool_free(pool);
	tiny_free(&tiny);
	return failed;
}
