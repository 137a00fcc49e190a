/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Kneser-Ney by hand and by its sums; a person's counts; the file and what is wrong with it. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../model/ngram.h"
#include "../model/personal.h"
#include "../src/base/mem.h"
#include "../src/base/rng.h"

/* Ids: 0 ends, 1 begins, then a = 2, b = 3, c = 4, d = 5. */
enum { E, T, A, B, C, D, VOCAB = 7 };

static const int32_t text[] = {
	T, A, B, E,   T, A, B, E,   T, A, C, E,   T, D, B, E,
};
static const size_t first[] = { 0, 4, 8, 12, 16 };

static struct ngram *train(size_t order)
{
	struct ngram_opts o;

	ngram_opts_default(&o);
	o.order = order;
	return ngram_train(text, first, 4, VOCAB, &o);
}

/* Of order 2 by hand. Bigrams: TA 3, TD 1, AB 2, AC 1, BE 3, CE 1, DB 1: n1 = 4, n2 = 1, n3 = 2, n4 = 0.
 *     Y = 4 / (4 + 2) = 2/3     D1 = 1 - 2 Y n2 / n1 = 2/3     D2 = 2 - 3 Y n3 / n2 = -2: no sense, 1
 *     D3: n4 = 0, no sense, 1.5
 * Unigrams by what they follow: A after T: 1; B after A, D: 2; C: 1; D: 1; E after B, C: 2. n1 = 3, n2 = 2, n3 = 0:
 *     Y = 3/7     D1 = 1 - 2 (3/7) (2/3) = 3/7     D2: n3 = 0, no sense, 1
 * all 7: p1(A) = (1 - 3/7) / 7 + left / V, left = 1 - (3 (4/7) + 2 (1)) / 7 = 1 - (26/7) / 7 */
static void by_hand(void **state)
{
	const double left = 1 - 26.0 / 49, flat = left / VOCAB;
	const double p_a = (4.0 / 7) / 7 + flat, p_b = 1.0 / 7 + flat;
	const int32_t t[] = { T }, a[] = { A };
	struct ngram *g = train(2);

	(void)state;
	assert_true(fabs(ngram_prob(g, NULL, 0, A) - p_a) < 1e-6);
	assert_true(fabs(ngram_prob(g, NULL, 0, B) - p_b) < 1e-6);
	assert_true(fabs(ngram_prob(g, NULL, 0, 6) - flat) < 1e-6);
	/* after T: A (3 - 1.5) / 4, D (1 - 2/3) / 4; the rest to the unigrams */
	assert_true(fabs(ngram_prob(g, t, 1, A) - (1.5 / 4 + (1.5 + 2.0 / 3) / 4 * p_a)) < 1e-6);
	assert_true(fabs(ngram_prob(g, t, 1, B) - (1.5 + 2.0 / 3) / 4 * p_b) < 1e-6);
	/* after A: B (2 - 1) / 3, C (1 - 2/3) / 3 */
	assert_true(fabs(ngram_prob(g, a, 1, B) - (1.0 / 3 + (1 + 2.0 / 3) / 3 * p_b)) < 1e-6);
	ngram_free(g);
}

/* A random text with some structure. */
static struct ngram *random_model(const struct ngram_opts *o, size_t vocab, uint64_t seed)
{
	enum { SEQS = 300 };
	int32_t *ids = xcalloc(SEQS * 40, sizeof(*ids));
	size_t at[SEQS + 1], n = 0;
	struct rng r;
	struct ngram *g;

	rng_seed(&r, seed);
	for (size_t s = 0; s < SEQS; s++) {
		size_t len = 1 + rng_below(&r, 30);

		at[s] = n;
		ids[n++] = T;
		for (size_t i = 0; i < len; i++, n++)
			ids[n] = rng_below(&r, 3) ? (int32_t)(2 + (ids[n - 1] * 5 + 1) % (int32_t)(vocab - 2))
				: (int32_t)(2 + rng_below(&r, vocab - 2));
		ids[n++] = E;
	}
	at[SEQS] = n;
	g = ngram_train(ids, at, SEQS, vocab, o);
	free(ids);
	return g;
}

static void check_sums(const struct ngram *g, struct rng *r)
{
	const size_t vocab = ngram_vocab(g);
	float *p = xcalloc(vocab, sizeof(*p));

	for (int round = 0; round < 200; round++) {
		int32_t context[6];
		size_t n = rng_below(r, 7);
		double sum = 0;

		for (size_t i = 0; i < n; i++)
			context[i] = i > 0 && rng_below(r, 4) ? (int32_t)(2 + (context[i - 1] * 5 + 1) % (int32_t)(vocab - 2))
				: (int32_t)rng_below(r, vocab);
		assert_int_equal(ngram_predict(g, context, n, p), ngram_trust(g, context, n));
		for (size_t i = 0; i < vocab; i++) {
			sum += (double)p[i];
			assert_true(p[i] > 0);
			assert_true(fabs((double)p[i] - ngram_prob(g, context, n, (int32_t)i)) < 1e-5);
		}
		assert_true(fabs(sum - 1) < 1e-4);
	}
	free(p);
}

static void sums_to_one(void **state)
{
	struct ngram_opts o;
	struct rng r;

	(void)state;
	rng_seed(&r, 3);
	for (size_t order = 1; order <= NGRAM_MAX_ORDER; order++) {
		struct ngram *g;

		ngram_opts_default(&o);
		o.order = order;
		g = random_model(&o, 40, order);
		check_sums(g, &r);
		ngram_free(g);
	}
	/* pruned, the mass goes to shorter contexts */
	ngram_opts_default(&o);
	o.keep[2] = o.keep[3] = o.keep[4] = 3;
	o.keep[1] = 2;

	struct ngram *all, *pruned = random_model(&o, 40, 9);

	ngram_opts_default(&o);
	all = random_model(&o, 40, 9);
	assert_true(ngram_grams(pruned, 3) < ngram_grams(all, 3));
	assert_true(ngram_grams(pruned, 1) == ngram_grams(all, 1));
	check_sums(pruned, &r);
	ngram_free(all);
	ngram_free(pruned);
}

static void longer_contexts_help(void **state)
{
	const int32_t ta[] = { T, A }, bca[] = { B, C, A };
	struct ngram *g = train(5);
	float p[VOCAB];

	(void)state;
	assert_int_equal(ngram_predict(g, ta, 2, p) / NGRAM_QUARTERS, 2);
	assert_true(p[B] > p[C] && p[C] > p[D]);
	/* "bca" was never written, "a" was */
	assert_int_equal(ngram_predict(g, bca, 3, p) / NGRAM_QUARTERS, 1);
	ngram_free(g);
}

static void the_file(void **state)
{
	char path[] = "/tmp/answerback-ngram-XXXXXX";
	struct err e = ERR_INIT;
	struct ngram_opts o;
	struct ngram *g, *back = NULL;
	struct rng r;
	struct str bytes = STR_INIT;
	FILE *f;
	int c;

	(void)state;
	close(mkstemp(path));
	ngram_opts_default(&o);
	o.keep[2] = 2;
	g = random_model(&o, 300, 5);
	assert_int_equal(ngram_save(g, path, 77, &e), 0);
	assert_true(ngram_load(&back, path, 78, &e) < 0);
	assert_non_null(strstr(e.msg, "other pieces"));
	assert_int_equal(ngram_load(&back, path, 77, &e), 0);
	rng_seed(&r, 4);
	check_sums(back, &r);
	for (size_t k = 1; k <= NGRAM_MAX_ORDER; k++)
		assert_int_equal(ngram_grams(back, k), ngram_grams(g, k));
	/* eight bits: within some percent */
	for (int i = 0; i < 300; i++) {
		const int32_t context[] = { T, (int32_t)(2 + rng_below(&r, 298)) };
		double x = ngram_prob(g, context, 2, i), y = ngram_prob(back, context, 2, i);

		assert_true(fabs(log(x) - log(y)) < 0.3);
	}
	ngram_free(back);

	f = fopen(path, "rb");
	while ((c = getc(f)) != EOF)
		str_addc(&bytes, (char)c);
	fclose(f);
	/* cut anywhere, or with any byte changed: refused, never a crash */
	for (size_t n = 0; n < bytes.len; n += n < 120 ? 1 : 997)
		assert_true(ngram_parse(&back, bytes.s, n, 77, NULL) < 0);
	for (size_t i = 0; i < bytes.len; i += i < 120 ? 1 : 499) {
		bytes.s[i] = (char)(bytes.s[i] ^ 0x41);
		assert_true(ngram_parse(&back, bytes.s, bytes.len, 77, NULL) < 0);
		bytes.s[i] = (char)(bytes.s[i] ^ 0x41);
	}
	str_free(&bytes);
	ngram_free(g);
	unlink(path);
}

/* ---- a person's counts ---- */

/* d = 0.5 and 0.6, theta = 3000 and 60 by default; here smaller, to see something. */
static const struct personal_opts opts = {
	.discount = { 0.5, 0.5, 0.5, 0.5, 0.5 }, .strength = { 2, 1, 1, 1, 1 },
};

static void personal_by_hand(void **state)
{
	const int32_t seq[] = { T, A, B }, context[] = { D };
	struct personal *p = personal_new(VOCAB, &opts);
	double base = 0.1, p0;

	(void)state;
	assert_true(fabs(personal_prob(p, context, 1, B, base) - base) < 1e-12);
	personal_add(p, seq, 3);
	/* unigrams A, B once: (1 - .5 + (2 + .5 * 2) * base) / (2 + 2) */
	p0 = (0.5 + 3 * base) / 4;
	assert_true(fabs(personal_prob(p, context, 1, B, base) - p0) < 1e-12);
	/* after T A: three levels up */
	double p1 = (0.5 + 1.5 * p0) / 2, p2 = (0.5 + 1.5 * p1) / 2;

	assert_true(fabs(personal_prob(p, seq, 2, B, base) - p2) < 1e-12);
	personal_free(p);
}

static void personal_mixes(void **state)
{
	struct personal *p = personal_new(VOCAB, &opts);
	struct rng r;

	(void)state;
	rng_seed(&r, 1);
	for (int round = 0; round < 50; round++) {
		int32_t seq[12] = { T };
		float dist[VOCAB];
		double sum = 0;

		for (size_t i = 1; i < 12; i++)
			seq[i] = (int32_t)rng_below(&r, VOCAB);
		personal_add(p, seq, 12);
		for (size_t i = 0; i < VOCAB; i++)
			dist[i] = 1.0f / VOCAB;
		personal_mix(p, seq, 4, dist);
		for (size_t i = 0; i < VOCAB; i++) {
			sum += (double)dist[i];
			assert_true(fabs((double)dist[i] - personal_prob(p, seq, 4, (int32_t)i, 1.0 / VOCAB)) < 1e-6);
		}
		assert_true(fabs(sum - 1) < 1e-5);
	}
	personal_free(p);
}

static bool copy_row(const int32_t *ids, size_t n, uint32_t count, void *arg)
{
	personal_row(arg, ids, n, count);
	return true;
}

/* What is taken back is gone, whatever came between; rows hold everything. */
static void personal_forgets(void **state)
{
	struct personal *p = personal_new(50, &opts), *only = personal_new(50, &opts), *copy = personal_new(50, &opts);
	int32_t seq[40][9];
	struct rng r;

	(void)state;
	rng_seed(&r, 8);
	for (size_t s = 0; s < 40; s++) {
		seq[s][0] = T;
		for (size_t i = 1; i < 9; i++)
			seq[s][i] = (int32_t)rng_below(&r, 6);
		personal_add(p, seq[s], 1 + s % 9);
		if (s % 2)
			personal_add(only, seq[s], 1 + s % 9);
	}
	for (size_t s = 0; s < 40; s += 2)
		personal_remove(p, seq[s], 1 + s % 9);
	personal_remove(p, (const int32_t[]){ T, 49, 48 }, 3);
	personal_rows(p, copy_row, copy);
	assert_int_equal(personal_size(p), personal_size(only));
	assert_int_equal(personal_size(copy), personal_size(only));
	for (int round = 0; round < 300; round++) {
		int32_t context[5] = { T };
		size_t n = rng_below(&r, 6);
		int32_t id = (int32_t)rng_below(&r, 6);

		for (size_t i = rng_below(&r, 2); i < n; i++)
			context[i] = (int32_t)rng_below(&r, 6);
		assert_true(fabs(personal_prob(p, context, n, id, 0.01) - personal_prob(only, context, n, id, 0.01)) < 1e-12);
		assert_true(fabs(personal_prob(copy, context, n, id, 0.01) - personal_prob(only, context, n, id, 0.01)) < 1e-12);
	}
	personal_clear(p);
	assert_int_equal(personal_size(p), 0);
	assert_true(fabs(personal_prob(p, NULL, 0, 3, 0.25) - 0.25) < 1e-12);
	/* ids of another vocabulary are no ids */
	personal_add(p, (const int32_t[]){ T, 2, 500, 3 }, 4);
	personal_add(p, (const int32_t[]){ T, -4, 3 }, 3);
	assert_int_equal(personal_size(p), 1);
	personal_free(p);
	personal_free(only);
	personal_free(copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_hand),
		cmocka_unit_test(sums_to_one),
		cmocka_unit_test(longer_contexts_help),
		cmocka_unit_test(the_file),
		cmocka_unit_test(personal_by_hand),
		cmocka_unit_test(personal_mixes),
		cmocka_unit_test(personal_forgets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
