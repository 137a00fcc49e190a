/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Wordings and look-alikes by the memory's verdict: each really gets it, none is made twice, and without an encoder the
 * rules still make some. Runs in the source tree: the shipped encoder and lists. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "memory.h"
#include "reword.h"

static const char encoder[] = "data/encoder.safetensors", lists[] = "data/wordings";
static const char *const fact[][2] = {
	{ "How much does the Marlin bag cost?", "The Marlin bag costs 39 euros." },
	{ "what is the price of the marlin bag", "The Marlin bag costs 39 euros." },
	{ "How do I share a folder in Cloudnest?", "Right-click it and choose Invite." },
	{ "I want my team to see a folder in Cloudnest", "Right-click it and choose Invite." },
	{ "Where is order <order_1>?", "Order <order_1> left." },
};
enum { FACTS = sizeof(fact) / sizeof(fact[0]) };

static struct reword *some(const char *en, const char *folder)
{
	struct reword *w = reword_new(en, folder, NULL);

	for (size_t i = 0; i < FACTS; i++)
		reword_add(w, fact[i][0], fact[i][1]);
	reword_prepare(w, true);
	return w;
}

static void every_question_has_its_verdict(void **state)
{
	struct reword *w = some(encoder, lists);
	struct memory *m;
	struct encoder *en;

	(void)state;
	assert_true(reword_judges(w));
	assert_int_equal(encoder_open(&en, encoder, NULL), 0);
	m = memory_new(en, NULL);
	for (size_t i = 0; i < FACTS; i++)
		memory_add(m, (int64_t)i, 0, fact[i][0], fact[i][1], NULL);
	memory_compute(m);
	for (size_t i = 0; i + 1 < FACTS; i++) {
		struct reword_list same = { 0 }, other = { 0 };
		struct memory_near near;

		reword_make(w, i, 40, 20, 7, &same, &other);
		assert_in_range(same.n, 20, 40);
		assert_in_range(other.n, 10, 20);
		for (size_t k = 0; k < same.n; k++) {
			const char *t = same.v[k].text;

			assert_int_equal(memory_nearest(m, t, strlen(t), &near, 1), 1);
			if (near.score < 0.5 || strcmp(fact[near.at][1], fact[same.v[k].of][1]) != 0)
				fail_msg("%s: %.2f", t, near.score);
			for (size_t j = 0; j < k; j++)
				assert_string_not_equal(t, same.v[j].text);
		}
		for (size_t k = 0; k < other.n; k++) {
			const char *t = other.v[k].text;

			if (memory_nearest(m, t, strlen(t), &near, 1) > 0 && near.score > 0.3)
				fail_msg("%s: %.2f", t, near.score);
		}
		reword_list_free(&same);
		reword_list_free(&other);
	}
	memory_free(m);
	encoder_free(en);
	reword_free(w);
}

static void the_same_seed_makes_the_same(void **state)
{
	struct reword *w = some(encoder, lists), *again = some(encoder, lists);
	struct reword_list a[2] = { 0 }, b[2] = { 0 }, c[2] = { 0 };
	size_t alike = 0;

	(void)state;
	reword_make(w, 2, 10, 5, 1, &a[0], &a[1]);
	reword_make(again, 2, 10, 5, 1, &b[0], &b[1]);
	reword_make(w, 2, 10, 5, 2, &c[0], &c[1]);
	for (size_t k = 0; k < 2; k++) {
		assert_int_equal(a[k].n, b[k].n);
		for (size_t i = 0; i < a[k].n; i++) {
			assert_string_equal(a[k].v[i].text, b[k].v[i].text);
			assert_int_equal(a[k].v[i].of, b[k].v[i].of);
			alike += i < c[k].n && strcmp(a[k].v[i].text, c[k].v[i].text) == 0;
		}
	}
	assert_true(alike < 5);
	for (size_t k = 0; k < 2; k++) {
		reword_list_free(&a[k]);
		reword_list_free(&b[k]);
		reword_list_free(&c[k]);
	}
	reword_free(w);
	reword_free(again);
}

static void rules_alone_where_nobody_judges(void **state)
{
	struct reword *w = some("/nonexistent", "/nonexistent");
	struct reword_list same = { 0 }, other = { 0 };

	(void)state;
	assert_false(reword_judges(w));
	reword_make(w, 0, 12, 6, 1, &same, &other);
	assert_in_range(same.n, 6, 12);
	assert_in_range(other.n, 3, 6);
	reword_list_free(&same);
	reword_list_free(&other);
	reword_free(w);
}

static void codes_stay_to_be_copied(void **state)
{
	struct reword *w = some(encoder, lists);
	struct reword_list same = { 0 }, other = { 0 };

	(void)state;
	reword_make(w, FACTS - 1, 30, 0, 1, &same, &other);
	assert_true(same.n > 10);
	for (size_t k = 0; k < same.n; k++)
		assert_non_null(strstr(same.v[k].text, "<order_1>"));
	reword_list_free(&same);
	reword_list_free(&other);
	reword_free(w);
}

static void odd_questions(void **state)
{
	static const char *const odd[] = { "", "?!", " ", "it", "{x}", "the", "\xff\xfe", "Cloudnest", "<", "a a a a a a a a a a a a a a a a a a a a" };
	struct reword *w = reword_new(encoder, lists, NULL);

	(void)state;
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		reword_add(w, odd[i], "x");
	reword_prepare(w, true);
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		struct reword_list same = { 0 }, other = { 0 };

		reword_make(w, i, 10, 10, 3, &same, &other);
		assert_in_range(same.n, 0, 10);
		assert_in_range(other.n, 0, 10);
		reword_list_free(&same);
		reword_list_free(&other);
	}
	reword_free(w);
	w = reword_new(encoder, lists, NULL);
	reword_prepare(w, true);      /* of nothing */
	reword_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_question_has_its_verdict),
		cmocka_unit_test(the_same_seed_makes_the_same),
		cmocka_unit_test(rules_alone_where_nobody_judges),
		cmocka_unit_test(codes_stay_to_be_copied),
		cmocka_unit_test(odd_questions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
