/* SPDX-License-Identifier: GPL-3.0-or-later */
/* bpe: training does what is written, the same each time; a tokenizer survives writing and
 * reading, and files that do not fit together are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "base/str.h"
#include "common_tokenizer.h"

enum { SEED = 20240615 };

/* ---- training ----------------------------------------------------------------------- */

/* The pieces behind the bytes, each with a '|' before it. */
static void pieces_of(const struct tokenizer *t, struct str *s)
{
	size_t id, len;
	const char *piece;

	str_reset(s);
	for (id = t->first_byte + 256; id < t->vocab; id++) {
		piece = tokenizer_piece(t, (int32_t)id, &len);
		str_addc(s, '|');
		str_add(s, piece, len);
	}
}

static void test_training_by_hand(void **state)
{
	static const struct {
		const char *text, *pieces;
	} cases[] = {
		/* "ab" 3; then "abc" 2 and " x" 2 tie, ' ' before 'a' */
		{ "abc\nabc\nab\n x\n x", "|ab| x|abc" },
		{ "aaaa\naaaa", "|aa|aaaa" },           /* counted 6, joined 4 times; then whole */
		{ "aaa\naaa\n", "|aa|aaa" },
		{ "once upon", "|on" },                /* all else is there once */
		{ "12 12 12 12", "" },
		{ "a b a b a b", "| b| a" },
		{ "", "" },
		{ "x", "" }
	};
	struct str s = STR_INIT;
	struct tokenizer *t;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		t = common_train(cases[i].text, strlen(cases[i].text), 1000);
		pieces_of(t, &s);
		if (strcmp(s.s, cases[i].pieces))
			fail_msg("\"%s\" gave %s, not %s", cases[i].text, s.s, cases[i].pieces);
		tokenizer_free(t);
	}
	str_free(&s);
}

/* After each merge, count all pairs anew: the best one must be the next merge. */
static void test_training_against_recount(void **state)
{
	enum { IDS = 600 };
	struct tokenizer *t = common_train(tokenizer_sample, common_sample_len, IDS), part;
	uint32_t (*count)[IDS] = xcalloc(IDS, sizeof(*count));
	struct tokens ids = { 0 };
	size_t m, i, n, a, b, best;

	(void)state;
	for (m = 0; m < t->nmerges; m++) {
		part = *t;
		part.nmerges = m;
		memset(count, 0, IDS * sizeof(*count));
		for (i = 0; i < common_sample_len; i += n) {
			n = tokenizer_word(tokenizer_sample + i, common_sample_len - i);
			ids.n = 0;
			common_plain_word(&part, tokenizer_sample + i, n, &ids);
			for (a = 0; a + 1 < ids.n; a++)
				count[ids.ids[a]][ids.ids[a + 1]]++;
		}
		for (best = 0, a = 0; a < IDS; a++)
			for (b = 0; b < IDS; b++)
				best = count[a][b] > best ? count[a][b] : best;
		assert_true(best >= 2);
		if (count[t->merges[m].left][t->merges[m].right] != best)
			fail_msg("merge %zu was seen %u times, another %zu times", m,
			         count[t->merges[m].left][t->merges[m].right], best);
	}
	free(count);
	tokens_free(&ids);
	tokenizer_free(t);
}

static char *train_to_json(const char *const *texts, const uint32_t *weights, size_t n)
{
	struct bpe_trainer *b = bpe_trainer_new();
	struct tokenizer *t;
	char *json;
	size_t i;

	for (i = 0; i < n; i++)
		bpe_trainer_add(b, texts[i], strlen(texts[i]), weights[i]);
	assert_int_equal(bpe_trainer_finish(b, 600, common_tags, tokenizer_default_types, &t, NULL), 0);
	json = tokenizer_to_json(t);
	tokenizer_free(t);
	bpe_trainer_free(b);
	return json;
}

static void test_training_is_deterministic(void **state)
{
	const char *ab[] = { tokenizer_sample, "where is the parcel\n" }, *ba[] = { ab[1], ab[0] };
	const char *aab[] = { tokenizer_sample, tokenizer_sample, ab[1], "nothing of this nothing of this" };
	uint32_t once[] = { 1, 1 }, twice[] = { 2, 1 }, listed[] = { 1, 1, 1, 0 };
	char *json[5] = {
		train_to_json(ab, once, 2), train_to_json(ab, once, 2), train_to_json(ba, once, 2),
		train_to_json(ab, twice, 2), train_to_json(aab, listed, 4)
	};
	size_t i;

	(void)state;
	assert_string_equal(json[0], json[1]);
	assert_string_equal(json[0], json[2]);
	assert_string_equal(json[3], json[4]);
	assert_string_not_equal(json[0], json[3]);
	for (i = 0; i < 5; i++)
		free(json[i]);
}

/* finish may be called again, and leaves the counts as they were */
static void test_finish_twice(void **state)
{
	struct bpe_trainer *b = bpe_trainer_new();
	struct tokenizer *t[3];
	struct str s[3] = { STR_INIT, STR_INIT, STR_INIT };
	size_t i, vocab[] = { 550, 430, 550 };

	(void)state;
	bpe_trainer_add(b, tokenizer_sample, common_sample_len, 2);
	for (i = 0; i < 3; i++) {
		assert_int_equal(bpe_trainer_finish(b, vocab[i], common_tags, tokenizer_default_types, &t[i], NULL), 0);
		assert_int_equal(tokenizer_vocab(t[i]), vocab[i]);
		pieces_of(t[i], &s[i]);
		tokenizer_free(t[i]);
	}
	assert_string_equal(s[0].s, s[2].s);
	assert_memory_equal(s[0].s, s[1].s, s[1].len);  /* a smaller one is the beginning */
	for (i = 0; i < 3; i++)
		str_free(&s[i]);
	bpe_trainer_free(b);
}

static void test_training_bounds(void **state)
{
	const char *seventeen[18] = { "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o",
	                              "p", "q", NULL };
	const char *const none[] = { NULL }, *const doubled[] = { "user", "user", NULL };
	const char *const empty[] = { "", NULL }, *const escape[] = { "u\033[1m", NULL };
	const char *const spaced[] = { "a b", NULL }, *const broken[] = { "\xff", NULL };
	struct bpe_trainer *b = bpe_trainer_new();
	struct tokenizer *t = (struct tokenizer *)b;
	struct err e = ERR_INIT;

	(void)state;
	bpe_trainer_add(b, tokenizer_sample, common_sample_len, 1);
	assert_int_equal(bpe_trainer_finish(b, 417, common_tags, tokenizer_default_types, &t, &e), ERR_RANGE);
	assert_null(t);
	assert_int_equal(bpe_trainer_finish(b, 65537, common_tags, tokenizer_default_types, &t, &e), ERR_RANGE);
	assert_int_equal(bpe_trainer_finish(b, 500, seventeen, none, &t, &e), ERR_RANGE);
	assert_int_equal(bpe_trainer_finish(b, 500, doubled, none, &t, &e), ERR_FORMAT);
	assert_int_equal(bpe_trainer_finish(b, 500, common_tags, doubled, &t, &e), ERR_FORMAT);
	assert_int_equal(bpe_trainer_finish(b, 500, empty, none, &t, &e), ERR_FORMAT);
	assert_int_equal(bpe_trainer_finish(b, 500, escape, none, &t, &e), ERR_FORMAT);
	assert_int_equal(bpe_trainer_finish(b, 500, spaced, none, &t, &e), ERR_FORMAT);
	assert_int_equal(bpe_trainer_finish(b, 500, broken, none, &t, &e), ERR_FORMAT);
	seventeen[16] = NULL;
	assert_int_equal(bpe_trainer_finish(b, 274, seventeen, none, &t, &e), 0);
	assert_int_equal(tokenizer_vocab(t), 274);
	assert_int_equal(tokenizer_tag(t, "p"), TOKEN_FIRST_TAG + 15);
	assert_int_equal(tokenizer_types(t), 0);
	tokenizer_free(t);
	bpe_trainer_free(b);
}

/* ---- JSON --------------------------------------------------------------------------- */

static void test_json_round_trip(void **state)
{
	struct tokenizer *t = common_train_sample(600), *u;
	char *json = tokenizer_to_json(t), *again;
	struct err e = ERR_INIT;
	struct tokens a = { 0 }, b = { 0 };

	(void)state;
	if (tokenizer_from_json(json, strlen(json), &u, &e) < 0)
		fail_msg("%s", e.msg);
	again = tokenizer_to_json(u);
	assert_string_equal(json, again);
	assert_int_equal(tokenizer_tag(u, "assistant"), tokenizer_tag(t, "assistant"));
	assert_string_equal(tokenizer_type_name(u, 3), "phone");
	tokenizer_encode(t, NULL, tokenizer_sample, common_sample_len, &a);
	tokenizer_encode(u, NULL, tokenizer_sample, common_sample_len, &b);
	assert_int_equal(a.n, b.n);
	assert_memory_equal(a.ids, b.ids, a.n * sizeof(*a.ids));
	tokens_free(&a);
	tokens_free(&b);
	free(json);
	free(again);
	tokenizer_free(t);
	tokenizer_free(u);
}

#define HEAD "{\"type\":\"answerback-bpe-1\",\"vocab\":"
#define NAMES ",\"tags\":[\"user\"],\"types\":[]"

/* With no types, 'a' is id 18 + 97 = 115 and the first merge id 274. */
static void test_hostile_json(void **state)
{
	static const struct {
		const char *json, *complaint;
	} cases[] = {
		{ "", "not JSON" },
		{ "{", "not JSON" },
		{ "[]", "not a JSON object" },
		{ "{}", "\"type\"" },
		{ "{\"type\":\"answerback-bpe-2\",\"vocab\":274" NAMES ",\"merges\":\"\"}", "\"type\"" },
		{ "{\"type\":7,\"vocab\":274" NAMES ",\"merges\":\"\"}", "\"type\"" },
		{ HEAD "274" NAMES "}", "\"merges\" is not a string" },
		{ HEAD "274" NAMES ",\"merges\":[]}", "\"merges\" is not a string" },
		{ HEAD "274,\"types\":[],\"merges\":\"\"}", "\"tags\" is not" },
		{ HEAD "274,\"tags\":{},\"types\":[],\"merges\":\"\"}", "\"tags\" is not" },
		{ HEAD "274,\"tags\":[1],\"types\":[],\"merges\":\"\"}", "\"tags\" holds" },
		{ HEAD "274,\"tags\":[\"\"],\"types\":[],\"merges\":\"\"}", "name of role tag 1" },
		{ HEAD "274,\"tags\":[\"a\\u001b\"],\"types\":[],\"merges\":\"\"}", "name of role tag 1" },
		{ HEAD "274,\"tags\":[\"a\\u0000b\"],\"types\":[],\"merges\":\"\"}", "not JSON" },
		{ HEAD "274,\"tags\":[\"a\",\"a\"],\"types\":[],\"merges\":\"\"}", "two role tags" },
		{ HEAD "274,\"tags\":[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"h\",\"i\",\"j\",\"k\",\"l\",\"m\",\"n\","
		  "\"o\",\"p\",\"q\"],\"types\":[],\"merges\":\"\"}", "17 \"tags\"" },
		{ HEAD "306,\"tags\":[],\"types\":[\"x\",\"x\"],\"merges\":\"\"}", "two types" },
		{ HEAD "273" NAMES ",\"merges\":\"\"}", "\"vocab\" is not a number from 274" },
		{ HEAD "-1" NAMES ",\"merges\":\"\"}", "\"vocab\" is not" },
		{ HEAD "1e3" NAMES ",\"merges\":\"\"}", "\"vocab\" is not" },
		{ HEAD "65537" NAMES ",\"merges\":\"\"}", "\"vocab\" is not" },
		{ HEAD "99999999999999999999999" NAMES ",\"merges\":\"\"}", "not JSON" },
		{ HEAD "276" NAMES ",\"merges\":\"115 116\"}", "fewer merges" },
		{ HEAD "65536" NAMES ",\"merges\":\"\"}", "fewer merges" },
		{ HEAD "274" NAMES ",\"merges\":\"115 116\"}", "more in \"merges\"" },
		{ HEAD "274,\"vocab\":274" NAMES ",\"merges\":\"\"}", "not JSON" },
		{ HEAD "275" NAMES ",\"merges\":\"115 116,\"}", "more in \"merges\"" },
		{ HEAD "275" NAMES ",\"merges\":\"115 116,117\"}", "more in \"merges\"" },
		{ HEAD "276" NAMES ",\"merges\":\"115 116,\"}", "merge 2 is not" },
		{ HEAD "276" NAMES ",\"merges\":\"115 116,117\"}", "merge 2 is not" },
		{ HEAD "276" NAMES ",\"merges\":\"115 116 117 118\"}", "merge 2 is not" },
		{ HEAD "275" NAMES ",\"merges\":\",115 116\"}", "merge 1 is not" },
		{ HEAD "275" NAMES ",\"merges\":\"115\"}", "merge 1 is not" },
		{ HEAD "275" NAMES ",\"merges\":\"115 \"}", "merge 1 is not" },
		{ HEAD "275" NAMES ",\"merges\":\"115 x\"}", "merge 1 is not" },
		{ HEAD "275" NAMES ",\"merges\":\"115  116\"}", "merge 1 is not" },
		{ HEAD "275" NAMES ",\"merges\":\"115 116 117\"}", "more in \"merges\"" },
		{ HEAD "275" NAMES ",\"merges\":\"115 -116\"}", "merge 1 is not" },
		{ HEAD "275" NAMES ",\"merges\":\"115 65536\"}", "merge 1 is not" },
		{ HEAD "275" NAMES ",\"merges\":\"115 99999999999999999999\"}", "merge 1 is not" },
		{ HEAD "275" NAMES ",\"merges\":\"115 274\"}", "merge 1 (115 274) does not join" },
		{ HEAD "276" NAMES ",\"merges\":\"115 275,115 116\"}", "merge 1 (115 275) does not join" },
		{ HEAD "275" NAMES ",\"merges\":\"0 116\"}", "merge 1 (0 116) does not join" },
		{ HEAD "275" NAMES ",\"merges\":\"115 17\"}", "merge 1 (115 17) does not join" },
		{ HEAD "276" NAMES ",\"merges\":\"115 116,115 116\"}", "ids 274 and 275 are the same" },
		{ HEAD "278" NAMES ",\"merges\":\"115 116,116 117,274 117,115 275\"}", "ids 276 and 277 are the same" },
		{ HEAD "275" NAMES ",\"merges\":\"66 115\"}", "joins a digit" },
		{ HEAD "275" NAMES ",\"merges\":\"50 75\"}", "joins a digit" },
		{ HEAD "281" NAMES ",\"merges\":\"115 115,274 274,275 275,276 276,277 277,278 278,279 115\"}",
		  "merge 7 makes a piece of 65 bytes" },
	};
	struct tokenizer *t;
	struct err e;
	size_t i;
	int r;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		e = (struct err)ERR_INIT;
		t = (struct tokenizer *)&e;
		r = tokenizer_from_json(cases[i].json, strlen(cases[i].json), &t, &e);
		if (r >= 0 || r != e.code || t)
			fail_msg("accepted: %s", cases[i].json);
		if (!strstr(e.msg, cases[i].complaint))
			fail_msg("%s: \"%s\" does not say \"%s\"", cases[i].json, e.msg, cases[i].complaint);
	}
}

static void test_good_small_json(void **state)
{
	static const char json[] = HEAD "280" NAMES
		",\"merges\":\"115 115,274 274,275 275,276 276,277 277,278 278\",\"note\":\"later\"}";
	struct tokenizer *t;
	struct err e = ERR_INIT;
	size_t len;

	(void)state;
	if (tokenizer_from_json(json, sizeof(json) - 1, &t, &e) < 0)
		fail_msg("%s", e.msg);
	tokenizer_piece(t, 279, &len);
	assert_int_equal(len, 64);
	tokenizer_free(t);
	/* not NUL-terminated: only len bytes count */
	assert_int_equal(tokenizer_from_json(json, sizeof(json) - 2, &t, &e), ERR_FORMAT);
}

static void test_deep_and_big_json(void **state)
{
	struct str s = STR_INIT;
	struct err e = ERR_INIT;
	struct tokenizer *t;
	size_t i;

	(void)state;
	for (i = 0; i < 1000000; i++)
		str_addc(&s, '[');
	assert_int_equal(tokenizer_from_json(s.s, s.len, &t, &e), ERR_FORMAT);
	str_reset(&s);
	str_adds(&s, HEAD "274" NAMES ",\"merges\":\"\",\"x\":");
	for (i = 0; i < 100000; i++)
		str_adds(&s, "{\"x\":");
	assert_int_equal(tokenizer_from_json(s.s, s.len, &t, &e), ERR_FORMAT);
	for (i = 0; i < 1000000; i++)
		str_adds(&s, "     ");
	assert_int_equal(tokenizer_from_json(s.s, s.len, &t, &e), ERR_FORMAT);
	assert_non_null(strstr(e.msg, "4 MiB"));
	str_free(&s);
}

/* Bytes of a good file changed at random: refused, or a tokenizer that round-trips. */
static void test_damaged_json(void **state)
{
	static const char bytes[] = "0123456789 ,\"{}[]:ab\x80\\";
	struct tokenizer *t = common_train_sample(450), *u;
	char *json = tokenizer_to_json(t), *copy;
	size_t n = strlen(json), round, k, accepted = 0;
	struct str back = STR_INIT;
	struct tokens ids = { 0 };
	struct err e;
	struct rng r;

	(void)state;
	printf("# seed %d\n", SEED);
	rng_seed(&r, SEED);
	for (round = 0; round < 2000; round++) {
		copy = xmemdup(json, n);
		for (k = rng_below(&r, 3) + 1; k > 0; k--)
			copy[rng_below(&r, n)] = bytes[rng_below(&r, sizeof(bytes) - 1)];
		e = (struct err)ERR_INIT;
		if (tokenizer_from_json(copy, n, &u, &e) == 0) {
			accepted++;
			ids.n = 0;
			str_reset(&back);
			tokenizer_encode(u, NULL, tokenizer_sample, common_sample_len, &ids);
			tokenizer_decode(u, ids.ids, ids.n, &back);
			assert_int_equal(back.len, common_sample_len);
			assert_memory_equal(back.s, tokenizer_sample, common_sample_len);
			tokenizer_free(u);
		} else {
			assert_true(e.msg[0]);
		}
		free(copy);
	}
	assert_in_range(accepted, 1, 1999);     /* both sides were tried */
	str_free(&back);
	tokens_free(&ids);
	free(json);
	tokenizer_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_training_by_hand),
		cmocka_unit_test(test_training_against_recount),
		cmocka_unit_test(test_training_is_deterministic),
		cmocka_unit_test(test_finish_twice),
		cmocka_unit_test(test_training_bounds),
		cmocka_unit_test(test_json_round_trip),
		cmocka_unit_test(test_hostile_json),
		cmocka_unit_test(test_good_small_json),
		cmocka_unit_test(test_deep_and_big_json),
		cmocka_unit_test(test_damaged_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
