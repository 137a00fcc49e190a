/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The encoder: words of a text, its file, its training on a handful of groups. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../model/encoder_private.h"
#include "../model/encoder_train.h"
#include "../src/base/mem.h"

static char folder[] = "/tmp/test_encoder.XXXXXX";

static const char *in_folder(const char *name)
{
	static char path[4][256];
	static size_t next;
	char *p = path[next++ % 4];

	snprintf(p, sizeof(path[0]), "%s/%s", folder, name);
	return p;
}

/* ---- words ---- */

static void words(const char *text, const char *want)
{
	struct encoder_words w;
	char got[512] = "";

	encoder_split(text, strlen(text), &w);
	for (size_t i = 0; i < w.n; i++) {
		strcat(got, i ? " " : "");
		strcat(got, w.v[i].text);
		assert_true(w.v[i].start < w.v[i].end && w.v[i].end <= strlen(text));
	}
	assert_string_equal(got, want);
}

static void splits(void **state)
{
	(void)state;
	words("Where's my PARCEL?!", "wheres my parcel");
	words("don\xe2\x80\x99t ship", "dont ship");
	words("'quoted' words", "quoted words");
	words("<order_3> is late", "<order> is late");
	words("<order_3 is late", "order 3 is late");
	words("<order_> x", "order x");
	words("10kg or 10 kg", "10 kg or 10 kg");
	words("it costs 1,299.50.", "it costs 1.299.50");
	words("Caf\xc3\xa9 M\xc3\xbcller", "caf\xc3\xa9 m\xc3\xbcller");
	words("\xe2\x80\x9cquoted\xe2\x80\x9d \xe2\x80\x93 dash\xc2\xa0x", "quoted dash x");
	words("broken \x80\xbf utf \xff 8\xc3", "broken utf \xff 8\xc3");
	words("", "");
	words(" ?! ", "");
	words("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa b");
}

static void many_words(void **state)
{
	char text[2 * 300 + 1];
	struct encoder_words w;

	(void)state;
	for (size_t i = 0; i < 300; i++)
		memcpy(text + 2 * i, "w ", 2);
	text[sizeof(text) - 1] = '\0';
	encoder_split(text, strlen(text), &w);
	assert_int_equal(w.n, ENCODER_WORDS);
}

static void grams(void **state)
{
	uint32_t a[ENCODER_GRAMS_MAX], b[ENCODER_GRAMS_MAX];
	size_t n, m, shared = 0;

	(void)state;
	/* <drone>: 5 of three, 4 of four, 3 of five */
	assert_int_equal(encoder_grams("drone", 1000003, a), 12);
	n = encoder_grams("refrigerator", 1000003, a);
	m = encoder_grams("refrigeratr", 1000003, b);
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < m; k++)
			if (a[i] == b[k]) {
				shared++;
				break;
			}
	assert_true(shared > n / 2);
	assert_int_equal(encoder_grams("<order>", 1000, a), 0);
	assert_int_equal(encoder_grams("a", 1000, a), 1);
	n = encoder_grams("abcdefghijklmnopqrstuvwxyzabcde", 7, a);
	assert_true(n <= ENCODER_GRAMS_MAX);
	for (size_t i = 0; i < n; i++)
		assert_true(a[i] < 7);
}

/* ---- training ---- */

static const char *const meanings[][4] = {
	{ "how much is the kettle", "price of the kettle", "what does the kettle cost", "kettle cost please" },
	{ "how much is the tent", "price of the tent", "what does the tent cost", "tent cost please" },
	{ "where is the kettle made", "who makes the kettle", "origin of the kettle", "country the kettle comes from" },
	{ "where is the tent made", "who makes the tent", "origin of the tent", "country the tent comes from" },
	{ "when do you open", "opening time please", "how early are you there", "from what hour are you open" },
	{ "when do you close", "closing time please", "how late are you there", "until what hour are you open" },
	{ "cancel my order", "I do not want it any more", "stop the purchase", "call the order off" },
	{ "track my order", "where is my parcel", "has it been sent", "any news of the delivery" },
};
enum { MEANINGS = sizeof(meanings) / sizeof(meanings[0]) };

static void line_out(void *arg, const char *line)
{
	(*(size_t *)arg) += strlen(line) > 0;
}

static void train(const char *path, uint64_t seed, size_t steps)
{
	struct encoder_group g[MEANINGS];
	struct encoder_train_opts o;
	struct err e = ERR_INIT;
	size_t lines = 0;

	for (size_t i = 0; i < MEANINGS; i++)
		g[i] = (struct encoder_group){ .text = (char **)(uintptr_t)meanings[i], .n = 4, .near = { 1, 0 } };
	encoder_train_opts_default(&o);
	o.words = 200;
	o.grams = 300;
	o.pairs = 8;
	o.minutes = 0;
	o.steps = steps;
	o.seed = seed;
	o.report_every = 10;
	o.report = line_out;
	o.report_arg = &lines;
	assert_int_equal(encoder_train(g, MEANINGS, &o, path, "{\"a\": 1}", &e), 0);
	assert_true(lines >= steps / 10);
}

static char *contents(const char *path, size_t *n)
{
	FILE *f = fopen(path, "rb");
	char *s;

	assert_non_null(f);
	fseek(f, 0, SEEK_END);
	*n = (size_t)ftell(f);
	rewind(f);
	s = xmalloc(*n + 1);
	assert_int_equal(fread(s, 1, *n, f), *n);
	fclose(f);
	return s;
}

static double dot(const float *a, const float *b)
{
	double sum = 0;

	for (size_t k = 0; k < ENCODER_DIM; k++)
		sum += (double)a[k] * (double)b[k];
	return sum;
}

static void same_seed_same_bits(void **state)
{
	size_t n, m;
	char *a, *b, *c;

	(void)state;
	train(in_folder("a"), 3, 12);
	train(in_folder("b"), 3, 12);
	a = contents(in_folder("a"), &n);
	b = contents(in_folder("b"), &m);
	assert_int_equal(n, m);
	assert_memory_equal(a, b, n);
	train(in_folder("b"), 4, 12);
	c = contents(in_folder("b"), &m);
	assert_true(n != m || memcmp(a, c, n) != 0);
	free(a);
	free(b);
	free(c);
}

static void learns(void **state)
{
	struct encoder *en;
	struct err e = ERR_INIT;
	size_t right = 0;

	(void)state;
	train(in_folder("learned"), 1, 250);
	assert_int_equal(encoder_open(&en, in_folder("learned"), &e), 0);
	assert_true(strncmp(encoder_version(en), "e1-", 3) == 0);
	for (size_t i = 0; i < MEANINGS; i++) {
		float q[ENCODER_DIM], v[ENCODER_DIM];
		size_t best = MEANINGS;
		double most = -2;

		encoder_vector(en, meanings[i][0], strlen(meanings[i][0]), q);
		assert_true(fabs(dot(q, q) - 1) < 1e-4);
		for (size_t k = 0; k < MEANINGS; k++) {
			double d;

			encoder_vector(en, meanings[k][3], strlen(meanings[k][3]), v);
			d = dot(q, v);
			if (d > most) {
				most = d;
				best = k;
			}
		}
		right += best == i;
	}
	assert_int_equal(right, MEANINGS);
	encoder_free(en);
}

static void looks(void **state)
{
	const char *text = "how much is the kettle for <order_2>";
	struct encoder_view a, b;
	struct encoder *en;
	struct err e = ERR_INIT;
	float v[ENCODER_DIM], near[ENCODER_WORDS], sum = 0;
	int8_t bytes[ENCODER_DIM], most = 0;
	size_t which[ENCODER_WORDS];

	(void)state;
	train(in_folder("look"), 1, 20);
	assert_int_equal(encoder_open(&en, in_folder("look"), &e), 0);
	encoder_look(en, text, strlen(text), &a);
	encoder_look(en, text, strlen(text), &b);
	assert_int_equal(a.words.n, 7);
	for (size_t i = 0; i < a.words.n; i++)
		sum += a.weight[i];
	assert_true(fabsf(sum - 1) < 1e-4f);
	assert_true(a.words.v[4].row != ENCODER_UNKNOWN);        /* kettle */
	assert_int_equal(a.words.v[6].row, ENCODER_UNKNOWN);     /* a placeholder that was never seen */
	assert_true(a.words.v[6].rarity > a.words.v[3].rarity);  /* than "the" */
	encoder_compare(&a, &b, near, which);
	for (size_t i = 0; i < a.words.n; i++) {
		assert_int_equal(which[i], i);
		assert_true(near[i] > 0.999f);
	}
	encoder_vector(en, text, strlen(text), v);
	assert_memory_equal(v, a.vector, sizeof(v));
	encoder_bytes(v, bytes);
	for (size_t k = 0; k < ENCODER_DIM; k++)
		most = (int8_t)(abs(bytes[k]) > most ? abs(bytes[k]) : most);
	assert_int_equal(most, 127);
	encoder_view_free(&b);

	/* nothing said, nothing near */
	encoder_look(en, "?!", 2, &b);
	assert_int_equal(b.words.n, 0);
	assert_true(dot(b.vector, b.vector) < 1e-12);
	encoder_compare(&a, &b, near, which);
	assert_true(near[0] < 0);
	encoder_view_free(&b);
	encoder_view_free(&a);

	/* without an encoder the words are there */
	encoder_look(NULL, text, strlen(text), &b);
	assert_int_equal(b.words.n, 7);
	assert_null(b.word);
	encoder_view_free(&b);
	encoder_free(en);
}

/* A text alone and in company has the same bits. */
static void company(void **state)
{
	enum { A = 5, B = 9 };
	struct params layout;
	struct encoder_work one = { 0 }, two = { 0 };
	struct rng r;
	real *flat;

	(void)state;
	encoder_layout(&layout);
	flat = params_block(&layout);
	rng_seed(&r, 5);
	for (size_t i = 0; i < layout.total; i++)
		flat[i] = (real)(0.1 * rng_normal(&r));
	encoder_work_room(&two, A + B, 2, false);
	two.span[0] = (struct encoder_span){ 0, A };
	two.span[1] = (struct encoder_span){ A, B };
	for (size_t i = 0; i < (A + B) * ENCODER_DIM; i++)
		two.x[i] = (real)rng_normal(&r);
	memset(two.bias, 0, (A + B) * 2 * sizeof(real));
	encoder_work_room(&one, B, 1, false);
	one.span[0] = (struct encoder_span){ 0, B };
	memcpy(one.x, two.x + A * ENCODER_DIM, B * ENCODER_DIM * sizeof(real));
	memset(one.bias, 0, B * 2 * sizeof(real));
	encoder_forward(&layout, flat, &one);
	encoder_forward(&layout, flat, &two);
	assert_memory_equal(one.u, two.u + ENCODER_DIM, ENCODER_DIM * sizeof(real));
	assert_memory_equal(one.n, two.n + A * ENCODER_DIM, B * ENCODER_DIM * sizeof(real));
	encoder_work_fini(&one);
	encoder_work_fini(&two);
	mem_aligned_free(flat);
}

static void bad_files(void **state)
{
	struct encoder *en;
	struct err e = ERR_INIT;
	size_t n;
	char *s;
	FILE *f;

	(void)state;
	assert_true(encoder_open(&en, in_folder("none"), &e) < 0);
	assert_null(en);
	train(in_folder("whole"), 1, 2);
	s = contents(in_folder("whole"), &n);
	f = fopen(in_folder("cut"), "wb");
	assert_non_null(f);
	fwrite(s, 1, n / 2, f);
	fclose(f);
	assert_true(encoder_open(&en, in_folder("cut"), &e) < 0);
	assert_non_null(strstr(e.msg, "cut"));
	free(s);
	assert_int_equal(encoder_train(NULL, 0, &(struct encoder_train_opts){ .pairs = 8 }, in_folder("x"), NULL, &e), ERR_USAGE);
}

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	static const char *const names[] = { "a", "b", "learned", "look", "whole", "cut" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlink(in_folder(names[i]));
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(splits), cmocka_unit_test(many_words), cmocka_unit_test(grams), cmocka_unit_test(same_seed_same_bits),
		cmocka_unit_test(learns), cmocka_unit_test(looks), cmocka_unit_test(company), cmocka_unit_test(bad_files),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
