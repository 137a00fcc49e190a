/* SPDX-License-Identifier: GPL-3.0-or-later */
/* New wordings and look-alikes of taught questions: what they keep, what they change, and that they are reproducible. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "augment.h"
#include "wordings.h"

static struct augment *some(void)
{
	struct augment *a = augment_new();

	augment_add(a, "How much does the Marlin bag cost?", "39 euros.");
	augment_add(a, "what is the price of the marlin bag", "39 euros.");
	augment_add(a, "Marlin bag price?", "39 euros.");
	augment_add(a, "How heavy is the Marlin bag?", "900 grams.");
	augment_add(a, "weight of the marlin bag?", "900 grams.");
	augment_add(a, "Where is order <order_1>?", "It left.");
	augment_add(a, "?!", "Yes?");
	augment_add(a, "", "What can I do for you?");
	augment_prepare(a);
	return a;
}

/* How many of the words of `of` stand in text, letter case ignored. */
static size_t shared(const char *text, const char *const *of)
{
	size_t n = 0;

	for (; *of; of++)
		n += strcasestr(text, *of) != NULL;
	return n;
}

static void aspect_and_thing_are_found(void **state)
{
	struct augment *a = some();

	(void)state;
	assert_string_equal(augment_aspect(a, 0), "price");
	assert_string_equal(augment_aspect(a, 2), "price");
	assert_string_equal(augment_aspect(a, 3), "weight");
	assert_true(strcasecmp(augment_thing(a, 0), "marlin bag") == 0);
	assert_true(strcasecmp(augment_thing(a, 3), "marlin bag") == 0);
	assert_null(augment_aspect(a, 6));
	assert_string_equal(augment_thing(a, 7), "");
	augment_free(a);
}

static void wordings_keep_what_is_asked(void **state)
{
	static const char *const words[] = { "marl", "bag", NULL };
	struct augment *a = some();
	struct str s = STR_INIT, before = STR_INIT;
	struct rng r;
	size_t kept = 0, different = 0;

	(void)state;
	rng_seed(&r, 5);
	for (int i = 0; i < 400; i++) {
		augment_wording(a, (size_t)(i % 3), &r, &s);
		kept += shared(s.s, words) == 2;
		different += strcmp(s.s, before.s) != 0;
		str_reset(&before);
		str_adds(&before, s.s);
		augment_wording(a, 5, &r, &s);      /* numbers of this customer must stay to be copied */
		assert_non_null(strstr(s.s, "<order_1>"));
		augment_wording(a, 6, &r, &s);
		augment_wording(a, 7, &r, &s);
	}
	assert_true(kept > 360);                    /* the rest is misspelt */
	assert_true(different > 360);
	str_free(&s);
	str_free(&before);
	augment_free(a);
}

static void lookalikes_ask_for_something_else(void **state)
{
	static const char *const price[] = { "price", "cost", "charge", "how much", "expensive", "pay", "fee", "free", NULL };
	static const char *const weight[] = { "weigh", "heavy", "kg", "kilo", "light", NULL };
	struct augment *a = some();
	struct str s = STR_INIT;
	struct rng r;
	size_t n = 0;

	(void)state;
	rng_seed(&r, 6);
	for (int i = 0; i < 600; i++) {
		if (!augment_lookalike(a, (size_t)(i % 3), &r, &s))
			continue;
		n++;
		/* either the thing or the aspect is another; what the other fact answers is no look-alike either */
		if (strcasestr(s.s, "marlin") && strcasestr(s.s, "bag")) {
			if (shared(s.s, weight) > 0)
				fail_msg("%s", s.s);
			/* "how much interest do i pay", "how much fits into {}", "is {} free of nuts": one word alone is none */
			if (shared(s.s, price) > 2 || (shared(s.s, price) == 2 && !strcasestr(s.s, "interest")))
				fail_msg("%s", s.s);
		}
	}
	assert_true(n > 500);
	str_free(&s);
	augment_free(a);
}

static void one_seed_one_text(void **state)
{
	struct augment *a = some();
	struct str s[2] = { STR_INIT, STR_INIT };

	(void)state;
	for (int k = 0; k < 2; k++) {
		struct str one = STR_INIT;
		struct rng r;

		rng_seed(&r, 9);
		for (int i = 0; i < 50; i++) {
			augment_wording(a, (size_t)(i % 8), &r, &one);
			str_addf(&s[k], "%s\n", one.s);
			if (augment_lookalike(a, (size_t)(i % 8), &r, &one))
				str_addf(&s[k], "%s\n", one.s);
		}
		str_free(&one);
	}
	assert_string_equal(s[0].s, s[1].s);
	str_free(&s[0]);
	str_free(&s[1]);
	augment_free(a);
}

/* Any bytes are a question: long, of one word, of no letters, of signs that are no ASCII. */
static void odd_questions(void **state)
{
	struct rng r;

	(void)state;
	rng_seed(&r, 21);
	for (int k = 0; k < 60; k++) {
		struct augment *a = augment_new();
		struct str s = STR_INIT, out = STR_INIT;
		const size_t len = rng_below(&r, 900);

		for (size_t i = 0; i < len; i++)
			str_addc(&s, rng_below(&r, 4) ? (char)(33 + rng_below(&r, 220)) : ' ');
		augment_add(a, s.s, "x");
		augment_add(a, "When does it open?", "x");
		augment_prepare(a);
		for (size_t i = 0; i < 40; i++) {
			augment_wording(a, i % 2, &r, &out);
			augment_lookalike(a, i % 2, &r, &out);
		}
		str_free(&s);
		str_free(&out);
		augment_free(a);
	}
}

static void lists_are_in_order(void **state)
{
	(void)state;
	for (const struct wordings_aspect *w = wordings_aspects; w->name; w++)
		for (const char *const *f = w->ask; *f; f++)
			assert_non_null(strstr(*f, "{}"));
	for (const char *const *f = wordings_frames; *f; f++)
		assert_non_null(strstr(*f, "{}"));
	assert_true(wordings_is_function("the"));
	assert_true(wordings_is_function("your"));
	assert_true(wordings_is_function("a"));
	assert_false(wordings_is_function("price"));
	assert_false(wordings_is_function(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(aspect_and_thing_are_found), cmocka_unit_test(wordings_keep_what_is_asked),
		cmocka_unit_test(lookalikes_ask_for_something_else), cmocka_unit_test(one_seed_one_text),
		cmocka_unit_test(odd_questions), cmocka_unit_test(lists_are_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
