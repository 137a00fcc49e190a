/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Metrics against values worked out by hand and by a second implementation (regular expressions
 * and counters, in another language), and against definitions taken literally. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../model/metrics.h"
#include "../src/base/mem.h"
#include "../src/base/rng.h"

enum { SEED = 77001 };

static void near(double got, double want, double tolerance, const char *what)
{
	if (!(fabs(got - want) <= tolerance))
		fail_msg("%s: %.12f, expected %.12f", what, got, want);
}

/* Made-up pairs; tokens, BLEU and chrF2 of each computed by the second implementation. */
static const struct {
	const char *hyp, *ref, *tokens;
	double bleu, chrf;
} pairs[] = {
	{ "Your order 4471-22 left our depot, and it should arrive on 3-4 May.",
	  "Order 4471-22 left the depot yesterday and should arrive by 4 May.",
	  "Your order 4471 - 22 left our depot , and it should arrive on 3 - 4 May .",
	  21.479172460, 53.814578380 },
	{ "The refund of $1,000.50 (plus tax) is on its way...",
	  "A refund of $1,000.50, tax included, is on its way.",
	  "The refund of $ 1,000.50 ( plus tax ) is on its way . . .", 39.375553106, 61.979095379 },
	{ "Caf\u00e9 \u201cna\u00efve\u201d costs 5\u20ac \U0001F642\u00a0ok",
	  "The caf\u00e9 \u201cna\u00efve\u201d costs 5 \u20ac \U0001F642 ok!",
	  "Caf\u00e9 \u201cna\u00efve\u201d costs 5\u20ac \U0001F642 ok", 13.924420625, 80.527123347 },
	{ "Please restart the app; then sign in again.", "Please restart the app; then sign in again.",
	  "Please restart the app ; then sign in again .", 100, 100 },
	{ "hi", "Hello there", "hi", 0, 5.952380952 },
	{ "", "Sorry, no.", "", 0, 0 },
	{ "AT&amp;T &lt;help&gt; said: \"don't!\" re-\nstart v2.0.",
	  "AT&T <help> said \"don't\" restart v2.0.",
	  "AT & T < help > said : \" don't ! \" restart v2.0 .", 61.047358358, 48.626831737 },
};

enum { PAIRS = sizeof(pairs) / sizeof(pairs[0]) };

static double bleu_of(const char *hyp, const char *ref)
{
	struct metrics_bleu b = { 0 };

	metrics_bleu_add(&b, hyp, ref);
	return metrics_bleu_score(&b);
}

static double chrf_of(const char *hyp, const char *ref)
{
	struct metrics_chrf c = { 0 };

	metrics_chrf_add(&c, hyp, ref);
	return metrics_chrf_score(&c);
}

static void test_tokens(void **state)
{
	static const char *const cases[][2] = {
		{ "", "" }, { " \t\n ", "" }, { "...", ". . ." }, { ".5,", ". 5 ," },
		{ "1,000.5 1.a a.1 1.", "1,000.5 1 . a a . 1 1 ." }, { "10-12 a-b -3", "10 - 12 a-b -3" },
		{ "it's 'so' `x`", "it's 'so' ` x `" }, { "a<skipped>b", "ab" },
		{ "well-\nknown two\nlines-\n", "wellknown two lines-" },
		{ "&amp;lt;&quot;", "< \"" }, { "(a/b)*{c}~[d]@e", "( a / b ) * { c } ~ [ d ] @ e" },
		{ "\u00e9.\u00e9,\u3000x", "\u00e9 . \u00e9 , x" }, { "3.-4", "3 . -4" }, { "1-.", "1 - ." },
		{ "\xff.\x80", "\xff . \x80" },
	};
	struct str s = STR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		metrics_tokenize_13a(&s, cases[i][0]);
		assert_string_equal(s.s, cases[i][1]);
	}
	for (size_t i = 0; i < PAIRS; i++) {
		metrics_tokenize_13a(&s, pairs[i].hyp);
		assert_string_equal(s.s, pairs[i].tokens);
	}
	str_free(&s);
}

static void test_bleu(void **state)
{
	struct metrics_bleu b = { 0 };

	(void)state;
	for (size_t i = 0; i < PAIRS; i++) {
		near(bleu_of(pairs[i].hyp, pairs[i].ref), pairs[i].bleu, 1e-8, pairs[i].hyp);
		metrics_bleu_add(&b, pairs[i].hyp, pairs[i].ref);
	}
	near(metrics_bleu_score(&b), 47.626786886, 1e-8, "all pairs");
	assert_int_equal(b.hyp_words, 67);
	assert_int_equal(b.ref_words, 67);
	assert_int_equal(b.match[0], 48);
	assert_int_equal(b.match[3], 16);
	assert_int_equal(b.total[3], 51);

	/* by hand: 3/4, 2/3, 1/2, and 1/2 of 1/1 */
	near(bleu_of("this is a fest", "this is a test"), 100 * pow(0.125, 0.25), 1e-9, "fest");
	/* by hand: 1/4 and halves of halves; clipped, "the" counts once */
	near(bleu_of("the the the the", "the cat"), 100 * pow(0.25 / 6 / 8 / 8, 0.25), 1e-9, "the");
	/* by hand: all there, but 4 words for 6 */
	near(bleu_of("a b c d", "a b c d e f"), 100 * exp(1 - 6.0 / 4), 1e-9, "brevity");
	near(bleu_of("a b c d e f", "a b c d"),
	     100 * pow(4.0 / 6 * 3 / 5 * 2 / 4 * 1 / 3, 0.25), 1e-9, "long");
	/* no fourth order at all; nothing; nothing shared */
	near(bleu_of("a b c", "a b c"), 0, 0, "three words");
	near(bleu_of("", ""), 0, 0, "empty");
	near(bleu_of("a b c d", "e f g h"), 0, 0, "strangers");
	/* a value in the reference implementation's own tests */
	b = (struct metrics_bleu){ { 9, 7, 5, 3 }, { 10, 8, 6, 4 }, 11, 11 };
	near(metrics_bleu_score(&b), 83.75922397, 1e-8, "9 7 5 3");
}

static void test_chrf(void **state)
{
	struct metrics_chrf c = { 0 };

	(void)state;
	for (size_t i = 0; i < PAIRS; i++) {
		near(chrf_of(pairs[i].hyp, pairs[i].ref), pairs[i].chrf, 1e-8, pairs[i].hyp);
		metrics_chrf_add(&c, pairs[i].hyp, pairs[i].ref);
	}
	near(metrics_chrf_score(&c), 62.475295104, 1e-8, "all pairs");

	near(chrf_of("", ""), 0, 0, "empty");
	near(chrf_of("a", "a"), 100, 1e-9, "a");
	near(chrf_of("a b\u00a0c", "abc"), 100, 1e-9, "spaces");
	near(chrf_of("abcdefg", "hijklmnop"), 0, 0, "strangers");
	near(chrf_of("aa", "ab"), 25, 1e-9, "aa");
	/* by hand: precision 1/2 and 0 over two orders, recall 1/1 for the only order of the reference;
	 * the hypothesis's pair is not held against it: P 1/2, R 1 */
	near(chrf_of("\u00e9x", "\u00e9"), 100 * 5 * 0.5 / (4 * 0.5 + 1), 1e-9, "short reference");
	c = (struct metrics_chrf){ { 0 }, { 0 }, { 0 } };
	metrics_chrf_add(&c, "a", "a");
	metrics_chrf_add(&c, "b", "c");
	near(metrics_chrf_score(&c), 50, 1e-9, "two texts");
	/* by hand: pairs 1/1, not 1/3: P = (3/5 + 1)/2, R = 1 */
	c = (struct metrics_chrf){ { 0 }, { 0 }, { 0 } };
	metrics_chrf_add(&c, "abc", "a");
	metrics_chrf_add(&c, "ab", "ab");
	near(metrics_chrf_score(&c), 100 * 5 * 0.8 / (4 * 0.8 + 1), 1e-9, "short among others");
}

static void test_words(void **state)
{
	const char *text = "  one\ttwo\u00a0three\u3000\n";
	size_t n;

	(void)state;
	assert_int_equal(metrics_count_words(text), 3);
	assert_int_equal(metrics_count_words(""), 0);
	assert_int_equal(metrics_count_words(" \x1c\x1f\x0b"), 0);
	assert_int_equal(metrics_count_words("\xc2"), 1);               /* broken, but something */
	assert_int_equal(metrics_count_words("a\u200bb \u2028c"), 2);   /* no space: zero width */
	assert_memory_equal(metrics_word(&text, &n), "one", 3);
	assert_int_equal(n, 3);
	assert_memory_equal(metrics_word(&text, &n), "two", 3);
	assert_memory_equal(metrics_word(&text, &n), "three", 5);
	assert_int_equal(n, 5);
	assert_null(metrics_word(&text, &n));
	assert_int_equal(n, 0);

	assert_true(metrics_same_words("your order is", " your\norder was", 2));
	assert_false(metrics_same_words("your order is", "your order was", 3));
	assert_false(metrics_same_words("your orders", "your order", 2));
	assert_false(metrics_same_words("your", "your order", 2));
	assert_false(metrics_same_words("your order", "your", 2));
	assert_true(metrics_same_words("your order", "your", 1));
	assert_true(metrics_same_words("the end.", "the end. ", 3));
	assert_true(metrics_same_words("", " ", 1));
	assert_false(metrics_same_words("a", "", 1));
	assert_true(metrics_same_words("a", "b", 0));
}

static void test_distinct(void **state)
{
	struct metrics_distinct *d = metrics_distinct_new();
	size_t different, all;

	(void)state;
	near(metrics_distinct_score(d, 1, &different, &all), 0, 0, "none");
	assert_int_equal(all, 0);
	for (size_t i = 0; i < PAIRS; i++)
		metrics_distinct_add(d, pairs[i].hyp);
	near(metrics_distinct_score(d, 1, &different, &all), 44.0 / 45, 1e-12, "words");
	assert_int_equal(different, 44);
	assert_int_equal(all, 45);
	near(metrics_distinct_score(d, 2, NULL, NULL), 1, 0, "pairs");
	metrics_distinct_free(d);
	metrics_distinct_free(NULL);

	/* by hand; pairs do not cross texts, and asking does not change the answer */
	d = metrics_distinct_new();
	metrics_distinct_add(d, "a b a b");
	metrics_distinct_add(d, "b a");
	for (int again = 0; again < 2; again++) {
		near(metrics_distinct_score(d, 1, NULL, NULL), 2.0 / 6, 1e-12, "words");
		near(metrics_distinct_score(d, 2, &different, &all), 2.0 / 4, 1e-12, "pairs");
		assert_int_equal(different, 2);
		assert_int_equal(all, 4);
	}
	metrics_distinct_add(d, "b b");
	near(metrics_distinct_score(d, 2, NULL, NULL), 3.0 / 5, 1e-12, "pairs");
	metrics_distinct_free(d);
}

/* Enough different words and pairs to grow every table, against a plain table of flags. */
static void test_distinct_many(void **state)
{
	enum { WORDS = 3000, TEXTS = 4000 };
	struct metrics_distinct *d = metrics_distinct_new();
	unsigned char *pair = xcalloc(WORDS * WORDS, 1), *word = xcalloc(WORDS, 1);
	size_t words = 0, pairs_seen = 0, n1 = 0, n2 = 0, different, all;
	struct str s = STR_INIT;
	struct rng r;

	(void)state;
	rng_seed(&r, SEED);
	for (int i = 0; i < TEXTS; i++) {
		size_t before = 0, length = rng_below(&r, 12);

		str_reset(&s);
		for (size_t j = 0; j < length; j++) {
			size_t w = rng_below(&r, 1 + rng_below(&r, WORDS));

			str_addf(&s, "%sw%zu", j ? " " : "", w);
			words += !word[w];
			word[w] = 1;
			if (j > 0) {
				pairs_seen += !pair[before * WORDS + w];
				pair[before * WORDS + w] = 1;
				n2++;
			}
			before = w;
			n1++;
		}
		metrics_distinct_add(d, s.s);
	}
	metrics_distinct_score(d, 1, &different, &all);
	assert_int_equal(different, words);
	assert_int_equal(all, n1);
	metrics_distinct_score(d, 2, &different, &all);
	assert_int_equal(different, pairs_seen);
	assert_int_equal(all, n2);
	metrics_distinct_free(d);
	str_free(&s);
	free(pair);
	free(word);
}

static void test_precision(void **state)
{
	static const double confidence[8] = { 0.5, 0.9, 0.5, NAN, 0.1, 0.5, 0.7, 0.5 };
	static const bool correct[8] = { false, true, true, true, false, true, false, true };
	size_t kept;

	(void)state;
	/* in order: 1 (right), 6, 0, 2 (right), 5 (right), 7 (right), 4, 3 (right) */
	near(metrics_precision_at(confidence, correct, 8, 0.25, &kept), 1.0 / 2, 1e-12, "25 %");
	assert_int_equal(kept, 2);
	near(metrics_precision_at(confidence, correct, 8, 0.40, &kept), 1.0 / 3, 1e-12, "40 %");
	assert_int_equal(kept, 3);
	near(metrics_precision_at(confidence, correct, 8, 0.19, &kept), 1.0 / 2, 1e-12, "19 %");
	assert_int_equal(kept, 2);
	near(metrics_precision_at(confidence, correct, 8, 0.5, &kept), 2.0 / 4, 1e-12, "50 %");
	near(metrics_precision_at(confidence, correct, 8, 0.875, &kept), 4.0 / 7, 1e-12, "88 %");
	near(metrics_precision_at(confidence, correct, 8, 1, NULL), 5.0 / 8, 1e-12, "all");
	near(metrics_precision_at(confidence, correct, 8, 0, &kept), 1, 0, "at least one");
	assert_int_equal(kept, 1);
	near(metrics_precision_at(confidence, correct, 0, 0.4, &kept), 0, 0, "none");
	assert_int_equal(kept, 0);
}

/* Shared n-grams counted by comparing everything with everything. */
static size_t common_slowly(const char *a, const char *b, size_t order)
{
	size_t m = strlen(a), n = strlen(b), common = 0;
	bool *used = xcalloc(n + 1, sizeof(*used));

	for (size_t i = 0; i + order <= m; i++) {
		for (size_t j = 0; j + order <= n; j++) {
			if (!used[j] && memcmp(a + i, b + j, order) == 0) {
				used[j] = true;
				common++;
				break;
			}
		}
	}
	free(used);
	return common;
}

static void test_counts_slowly(void **state)
{
	struct rng r;

	(void)state;
	rng_seed(&r, SEED);
	for (int round = 0; round < 2000; round++) {
		char text[2][20], spaced[2][40];
		struct metrics_chrf c = { { 0 }, { 0 }, { 0 } };
		struct metrics_bleu b = { { 0 }, { 0 }, 0, 0 };

		for (int t = 0; t < 2; t++) {
			size_t n = rng_below(&r, sizeof(text[t]));

			for (size_t i = 0; i < n; i++) {
				text[t][i] = (char)('a' + rng_below(&r, 3));
				spaced[t][2 * i] = text[t][i];
				spaced[t][2 * i + 1] = ' ';
			}
			text[t][n] = spaced[t][2 * n] = '\0';
		}
		metrics_chrf_add(&c, text[0], text[1]);
		metrics_bleu_add(&b, spaced[0], spaced[1]);
		for (size_t order = 1; order <= 6; order++) {
			size_t want = common_slowly(text[0], text[1], order);

			if (c.match[order - 1] != want || (order <= 4 && b.match[order - 1] != want))
				fail_msg("seed %d, round %d, order %zu: \"%s\" and \"%s\"", SEED, round, order,
				         text[0], text[1]);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tokens), cmocka_unit_test(test_bleu), cmocka_unit_test(test_chrf),
		cmocka_unit_test(test_words), cmocka_unit_test(test_distinct),
		cmocka_unit_test(test_distinct_many), cmocka_unit_test(test_precision),
		cmocka_unit_test(test_counts_slowly),
	};

	return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
