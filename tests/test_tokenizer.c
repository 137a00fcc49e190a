/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tokenizer: any bytes come back, pieces are those of the plain definition, none is a control, and
 * look-ups find what is there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/rng.h"
#include "base/str.h"
#include "common_tokenizer.h"

enum { SEED = 20240614 };

/* Random text: mostly one alphabet at a time, so that runs come about. */
static void random_text(struct rng *r, size_t n, struct str *s)
{
	static const char *const alphabets[] = {
		"etaoin", "order", " ", " \t\n\r", "0123456789", ".,!?<>_-'\"", "'s t", "\xc3\xa9", "\xe2\x82\xac",
		"\xf0\x9f\x98\x80", "The order ", "<order_1>", "<user>", "<eot>"
	};
	size_t words = sizeof(alphabets) / sizeof(*alphabets), k, w, run;

	str_reset(s);
	while (s->len < n) {
		k = rng_below(r, words + 2);
		run = rng_below(r, 8) ? rng_below(r, 8) : rng_below(r, 200);
		for (; run > 0; run--) {
			if (k >= words) {
				str_addc(s, (char)rng_below(r, 256));
			} else if (k > 6) {
				str_adds(s, alphabets[k]);
			} else {
				w = strlen(alphabets[k]);
				str_addc(s, alphabets[k][rng_below(r, w)]);
			}
		}
	}
}

/* ---- words -------------------------------------------------------------------------- */

static void test_words(void **state)
{
	/* the words of a text, each behind a '|' */
	static const char *const cases[] = {
		"|hello", "|hello| world", "|don't| stop", "|'|tis", "|rock|'| n|'| roll", "|a|''|b", "|it's|'",
		"|1|2|3", "|a|1|b", "|x| |5", "|x|  | |5", "|x| | y", "|x|   | y", "| ", "| | ", "|x| ",
		"|a|\n|b", "|a|\n\n|b", "|a|\n| b", "|a| \n|b", "|a|\t|b", "|!!!", "|wait|...| (|what|?)",
		"|<|order|_|1|>", "| <|order|_|1|>", "|caf\xc3\xa9| cr\xc3\xa8me", "|snake|_|case", "| |7|%",
		"|it\xe2\x80\x99s", "|\xff\xfe|.|\x80"
	};
	size_t i, n, from;
	const char *p;
	struct str text = STR_INIT;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		str_reset(&text);
		for (p = cases[i]; *p; p++)
			if (*p != '|')
				str_addc(&text, *p);
		for (from = 0, p = cases[i]; from < text.len; from += n, p += 1 + n) {
			n = tokenizer_word(text.s + from, text.len - from);
			if (n != strcspn(p + 1, "|"))
				fail_msg("\"%s\": a word of %zu bytes at byte %zu", cases[i], n, from);
		}
	}
	str_free(&text);
}

static void test_long_runs_are_cut(void **state)
{
	static const char *const units[] = {
		"a", "!", " ", "\n", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\x80", "a'", "\xff"
	};
	struct tokenizer *t = common_train_sample(500);
	struct str text = STR_INIT, back = STR_INIT;
	struct tokens ids = { 0 };
	size_t i, n, from, len;
	clock_t start = clock();

	(void)state;
	for (i = 0; i < sizeof(units) / sizeof(*units); i++) {
		str_reset(&text);
		str_reset(&back);
		ids.n = 0;
		len = strlen(units[i]);
		while (text.len < 1 << 20)
			str_adds(&text, units[i]);
		for (from = 0; from < text.len; from += n) {
			n = tokenizer_word(text.s + from, text.len - from);
			assert_in_range(n, 1, TOKENIZER_MAX_WORD);
			if ((unsigned char)units[i][0] >= 0xc0)
				assert_int_equal(n % len, 0);
			if (from + 2 * TOKENIZER_MAX_WORD < text.len && strcmp(units[i], "a'"))
				assert_true(n > TOKENIZER_MAX_WORD - 4);
		}
		tokenizer_encode(t, NULL, text.s, text.len, &ids);
		tokenizer_decode(t, ids.ids, ids.n, &back);
		assert_int_equal(back.len, text.len);
		assert_memory_equal(back.s, text.s, text.len);
	}
	printf("# %zu runs of 1 MiB: %.0f ms\n", i, (double)(clock() - start) * 1e3 / CLOCKS_PER_SEC);
	str_free(&text);
	str_free(&back);
	tokens_free(&ids);
	tokenizer_free(t);
}

/* ---- encoding ----------------------------------------------------------------------- */

static void test_any_bytes_come_back(void **state)
{
	struct tokenizer *t = common_train_sample(600);
	struct tokenizer_cache *cache = tokenizer_cache_new();
	struct str text = STR_INIT, back = STR_INIT;
	struct tokens ids = { 0 }, cached = { 0 }, plain = { 0 };
	struct rng r;
	size_t round, i, k, n, len;
	const char *piece;

	(void)state;
	printf("# seed %d\n", SEED);
	rng_seed(&r, SEED);
	for (round = 0; round < 600; round++) {
		random_text(&r, rng_below(&r, 400), &text);
		str_reset(&back);
		ids.n = cached.n = plain.n = 0;
		tokenizer_encode(t, NULL, text.s, text.len, &ids);
		tokenizer_encode(t, cache, text.s, text.len, &cached);
		for (i = 0; i < text.len; i += n) {
			n = tokenizer_word(text.s + i, text.len - i);
			common_plain_word(t, text.s + i, n, &plain);
		}
		assert_int_equal(ids.n, plain.n);
		assert_int_equal(ids.n, cached.n);
		for (i = 0; i < ids.n; i++) {
			if (ids.ids[i] != plain.ids[i] || ids.ids[i] != cached.ids[i])
				fail_msg("round %zu: piece %zu is %d, cached %d, by definition %d", round, i,
				         ids.ids[i], cached.ids[i], plain.ids[i]);
			assert_false(tokenizer_is_control(t, ids.ids[i]));
			piece = tokenizer_piece(t, ids.ids[i], &len);
			for (k = 0; k < len; k++)
				if (len > 1 && tokenizer_byte_is_digit((unsigned char)piece[k]))
					fail_msg("round %zu: a digit in a piece of %zu bytes", round, len);
		}
		tokenizer_decode(t, ids.ids, ids.n, &back);
		if (back.len != text.len || memcmp(back.s, text.s, text.len))
			fail_msg("round %zu: %zu bytes became %zu others", round, text.len, back.len);
	}
	tokens_free(&ids);
	tokens_free(&cached);
	tokens_free(&plain);
	str_free(&text);
	str_free(&back);
	tokenizer_cache_free(cache);
	tokenizer_free(t);
}

/* A cache that served another tokenizer must not give out that one's pieces. */
static void test_cache_moves_between_tokenizers(void **state)
{
	struct tokenizer *t[2] = { common_train_sample(600), common_train("ordinary ordinary", 17, 600) };
	struct tokenizer_cache *cache = tokenizer_cache_new();
	struct tokens with = { 0 }, without = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < 4; i++) {
		with.n = without.n = 0;
		tokenizer_encode(t[i % 2], NULL, tokenizer_sample, common_sample_len, &without);
		tokenizer_encode(t[i % 2], cache, tokenizer_sample, common_sample_len, &with);
		assert_int_equal(with.n, without.n);
		assert_memory_equal(with.ids, without.ids, with.n * sizeof(*with.ids));
	}
	tokens_free(&with);
	tokens_free(&without);
	tokenizer_cache_free(cache);
	for (i = 0; i < 2; i++)
		tokenizer_free(t[i]);
}

static void test_text_is_never_a_control(void **state)
{
	static const char *const texts[] = {
		"<eot>", "<null>", "<order_1>", "<company_1>", "<user>", "<assistant>", " <eot> ", "user", "<tag_0>"
	};
	struct str text = STR_INIT, back = STR_INIT;
	struct tokenizer *t;
	struct tokens ids = { 0 };
	size_t i, k;

	(void)state;
	/* even where such text was most of what was trained on */
	for (k = 0; k < 50; k++)
		for (i = 0; i < sizeof(texts) / sizeof(*texts); i++)
			str_adds(&text, texts[i]);
	t = common_train(text.s, text.len, 700);
	for (i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		ids.n = 0;
		str_reset(&back);
		tokenizer_encode(t, NULL, texts[i], strlen(texts[i]), &ids);
		for (k = 0; k < ids.n; k++) {
			assert_false(tokenizer_is_control(t, ids.ids[k]));
			assert_false(tokenizer_is_placeholder(t, ids.ids[k], NULL, NULL));
			assert_null(tokenizer_tag_name(t, ids.ids[k]));
		}
		tokenizer_decode(t, ids.ids, ids.n, &back);
		assert_string_equal(back.s, texts[i]);
	}
	tokens_free(&ids);
	str_free(&text);
	str_free(&back);
	tokenizer_free(t);
}

static void test_a_role_can_be_added(void **state)
{
	struct tokenizer *t = common_train_sample(500);
	struct err e = ERR_INIT;
	char *json, name[16];
	struct tokenizer *back;

	(void)state;
	assert_int_equal(tokenizer_add_tag(t, "document", &e), 0);
	assert_int_equal(tokenizer_tag(t, "document"), TOKEN_FIRST_TAG + 2);
	assert_int_equal(tokenizer_vocab(t), 500);
	assert_int_equal(tokenizer_add_tag(t, "user", &e), ERR_FORMAT);
	assert_int_equal(tokenizer_add_tag(t, "", &e), ERR_FORMAT);
	json = tokenizer_to_json(t);
	assert_int_equal(tokenizer_from_json(json, strlen(json), &back, &e), 0);
	assert_string_equal(tokenizer_tag_name(back, TOKEN_FIRST_TAG + 2), "document");
	for (int i = 3; i < TOKENIZER_MAX_TAGS; i++) {
		snprintf(name, sizeof(name), "t%d", i);
		assert_int_equal(tokenizer_add_tag(t, name, &e), 0);
	}
	assert_int_equal(tokenizer_add_tag(t, "more", &e), ERR_RANGE);
	free(json);
	tokenizer_free(back);
	tokenizer_free(t);
}

static void test_controls(void **state)
{
	struct tokenizer *t = common_train_sample(500);
	struct str s = STR_INIT;
	int32_t ids[] = { TOKEN_EOT, TOKEN_NULL, TOKEN_FIRST_TAG, 0, 'h', 'i', 0, -1, INT32_MAX };
	size_t type, len;
	unsigned index;
	int32_t id;

	(void)state;
	assert_int_equal(tokenizer_vocab(t), 500);
	assert_int_equal(tokenizer_tag(t, "user"), TOKEN_FIRST_TAG);
	assert_int_equal(tokenizer_tag(t, "assistant"), TOKEN_FIRST_TAG + 1);
	assert_int_equal(tokenizer_tag(t, "system"), -1);
	assert_string_equal(tokenizer_tag_name(t, TOKEN_FIRST_TAG + 1), "assistant");
	assert_null(tokenizer_tag_name(t, TOKEN_FIRST_TAG + 2));
	assert_null(tokenizer_tag_name(t, TOKEN_EOT));
	assert_int_equal(tokenizer_types(t), 9);
	assert_string_equal(tokenizer_type_name(t, 8), "company");
	assert_null(tokenizer_type_name(t, 9));

	assert_int_equal(tokenizer_placeholder(t, 0, 1), TOKEN_FIRST_TAG + TOKENIZER_MAX_TAGS);
	assert_int_equal(tokenizer_placeholder(t, 8, 16), (int)t->first_byte - 1);
	assert_int_equal(tokenizer_placeholder(t, 0, 0), -1);
	assert_int_equal(tokenizer_placeholder(t, 0, 17), -1);
	assert_int_equal(tokenizer_placeholder(t, 9, 1), -1);
	for (id = 0; (size_t)id < t->vocab; id++) {
		if (!tokenizer_is_placeholder(t, id, &type, &index))
			continue;
		assert_int_equal(tokenizer_placeholder(t, type, index), id);
		assert_true(tokenizer_is_control(t, id));
	}
	assert_true(tokenizer_is_control(t, TOKEN_EOT));
	assert_true(tokenizer_is_control(t, -1));
	assert_true(tokenizer_is_control(t, 500));
	assert_false(tokenizer_is_control(t, 499));
	assert_false(tokenizer_is_control(t, (int32_t)t->first_byte));
	tokenizer_piece(t, TOKEN_EOT, &len);
	assert_int_equal(len, 0);

	ids[3] = tokenizer_placeholder(t, 2, 3);
	ids[4] += (int32_t)t->first_byte;
	ids[5] += (int32_t)t->first_byte;
	ids[6] = tokenizer_placeholder(t, 0, 16);
	tokenizer_decode(t, ids, sizeof(ids) / sizeof(*ids), &s);
	assert_string_equal(s.s, "<email_3>hi<order_16>");
	str_free(&s);
	tokenizer_free(t);
}

/* ---- match -------------------------------------------------------------------------- */

struct matches {
	const struct tokenizer *t;
	unsigned char *seen;
	size_t n, stop;
	char last[TOKENIZER_MAX_WORD];
	size_t last_len;
};

static bool note(int32_t id, size_t piece_len, void *arg)
{
	struct matches *m = arg;
	size_t len;
	const char *piece = tokenizer_piece(m->t, id, &len);
	int c = memcmp(m->last, piece, len < m->last_len ? len : m->last_len);

	assert_int_equal(len, piece_len);
	if (m->n && !(c < 0 || (c == 0 && m->last_len < len)))
		fail_msg("id %d is out of order", id);
	memcpy(m->last, piece, len);
	m->last_len = len;
	m->seen[id]++;
	return ++m->n != m->stop;
}

static void test_match_against_all(void **state)
{
	struct tokenizer *t = common_train_sample(600);
	unsigned char *seen = xmalloc(t->vocab);
	struct str text = STR_INIT;
	struct matches m;
	struct rng r;
	size_t round, id, len, n, k, expected;
	const char *piece, *prefix;
	char byte;
	bool shorter, want;

	(void)state;
	printf("# seed %d\n", SEED + 2);
	rng_seed(&r, SEED + 2);
	for (round = 0; round < 1500; round++) {
		/* no prefix, a piece cut or lengthened by a byte, or anything */
		random_text(&r, 80, &text);
		prefix = text.s;
		n = rng_below(&r, 80);
		if (round % 3) {
			id = t->first_byte + rng_below(&r, t->vocab - t->first_byte);
			piece = tokenizer_piece(t, (int32_t)id, &len);
			n = rng_below(&r, len + 1);
			byte = text.s[0];
			str_reset(&text);
			str_add(&text, piece, n);
			str_addc(&text, byte);
			n += rng_below(&r, 2);
			prefix = text.s;
		} else if (round < 6) {
			n = 0;
			prefix = NULL;
		}
		shorter = rng_below(&r, 2);
		memset(seen, 0, t->vocab);
		m = (struct matches){ .t = t, .seen = seen };
		tokenizer_match(t, prefix, n, shorter, note, &m);
		for (expected = 0, id = 0; id < t->vocab; id++) {
			piece = tokenizer_piece(t, (int32_t)id, &len);
			k = len < n ? len : n;
			want = len > 0 && (len >= n || shorter) && (k == 0 || !memcmp(piece, prefix, k));
			if (seen[id] != want)
				fail_msg("round %zu: id %zu came %u times, not %d", round, id, seen[id], want);
			expected += want;
		}
		assert_int_equal(m.n, expected);
		if (expected) {
			m = (struct matches){ .t = t, .seen = seen, .stop = 1 + rng_below(&r, expected) };
			tokenizer_match(t, prefix, n, shorter, note, &m);
			assert_int_equal(m.n, m.stop);
		}
	}
	free(seen);
	str_free(&text);
	tokenizer_free(t);
}

/* ---- speed: printed, not judged ------------------------------------------------------ */

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void test_speed(void **state)
{
	struct tokenizer_cache *cache = tokenizer_cache_new();
	struct str text = STR_INIT;
	struct tokenizer *t, *u;
	struct tokens ids = { 0 };
	struct rng r;
	double start, mb;
	char *json;
	size_t k;

	(void)state;
	/* words made of syllables, short ones more often, as in a language */
	rng_seed(&r, SEED + 3);
	while (text.len < 4000000) {
		for (k = rng_below(&r, rng_below(&r, 4) + 1) + 1; k > 0; k--) {
			str_addc(&text, "bcdfghklmnprstvw"[rng_below(&r, rng_below(&r, 16) + 1)]);
			str_addc(&text, "aeiou"[rng_below(&r, rng_below(&r, 5) + 1)]);
		}
		str_addc(&text, rng_below(&r, 10) ? ' ' : '.');
	}
	mb = (double)text.len / 1e6;
	start = seconds();
	t = common_train(text.s, text.len, 8192);
	printf("# training on %.1f MB: %.2f s\n", mb, seconds() - start);
	start = seconds();
	tokenizer_encode(t, NULL, text.s, text.len, &ids);
	printf("# encoding: %.1f MB/s without a cache, ", mb / (seconds() - start));
	ids.n = 0;
	start = seconds();
	tokenizer_encode(t, cache, text.s, text.len, &ids);
	printf("%.1f MB/s with\n", mb / (seconds() - start));
	json = tokenizer_to_json(t);
	start = seconds();
	assert_int_equal(tokenizer_from_json(json, strlen(json), &u, NULL), 0);
	printf("# loading %zu ids, %zu bytes: %.2f ms\n", u->vocab, strlen(json), (seconds() - start) * 1e3);
	free(json);
	tokens_free(&ids);
	str_free(&text);
	tokenizer_cache_free(cache);
	tokenizer_free(t);
	tokenizer_free(u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_long_runs_are_cut),
		cmocka_unit_test(test_any_bytes_come_back),
		cmocka_unit_test(test_cache_moves_between_tokenizers),
		cmocka_unit_test(test_text_is_never_a_control),
		cmocka_unit_test(test_a_role_can_be_added),
		cmocka_unit_test(test_controls),
		cmocka_unit_test(test_match_against_all),
		cmocka_unit_test(test_speed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
