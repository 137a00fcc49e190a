/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tokenizer: any bytes come back, pieces are those of the plain definition, training is
 * deterministic, and files that do not fit together are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../model/tokenizer_private.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/str.h"

enum { SEED = 20240614 };

static const char *const tags[] = { "user", "assistant", NULL };

static const char sample[] =
	"Hello, I'd like to know where my order is. The order number is 4471-22.\n"
	"I'm sorry to hear that your order hasn't arrived. Let me look into the order for you.\n"
	"Thanks! I ordered it on 3 May, and the order page still says \"on its way\".\n"
	"Your order left our warehouse on 4 May; it should arrive within 2 days. (Really!)\n"
	"I was charged twice for the order... please refund one of the charges.  Thank you!!\n"
	"We have refunded the second charge. You'll see the refund within 5 to 7 days.\n"
	"Na\xc3\xafve caf\xc3\xa9 cr\xc3\xa8me br\xc3\xbbl\xc3\xa9" "e, 12,50 \xe2\x82\xac; the caf\xc3\xa9 and the cr\xc3\xa8me again.\n\n"
	"\tdon't don't  don't <order_1> <user> the the the\r\n";

static struct tokenizer *train_weighted(const char *text, size_t len, uint32_t weight, size_t vocab)
{
	struct bpe_trainer *b = bpe_trainer_new();
	struct err e = ERR_INIT;
	struct tokenizer *t;

	bpe_trainer_add(b, text, len, weight);
	if (bpe_trainer_finish(b, vocab, tags, tokenizer_default_types, &t, &e) < 0)
		fail_msg("%s", e.msg);
	bpe_trainer_free(b);
	return t;
}

static struct tokenizer *train(const char *text, size_t len, size_t vocab)
{
	return train_weighted(text, len, 1, vocab);
}

/* The sample counted twice: all its words become pieces if there is room. */
static struct tokenizer *train_sample(size_t vocab)
{
	struct tokenizer *t = train_weighted(sample, sizeof(sample) - 1, 2, vocab);

	assert_int_equal(tokenizer_vocab(t), vocab);
	return t;
}

/* ---- the plain definition, as slow as it likes -------------------------------------- */

/* Every merge of the table in turn, from left to right through the word. */
static void plain_word(const struct tokenizer *t, const char *s, size_t n, struct tokens *out)
{
	int32_t ids[TOKENIZER_MAX_WORD];
	size_t i, k, m;

	assert_in_range(n, 1, TOKENIZER_MAX_WORD);
	for (i = 0; i < n; i++)
		ids[i] = (int32_t)t->first_byte + (unsigned char)s[i];
	for (m = 0; m < t->nmerges; m++) {
		for (i = k = 0; i < n; k++) {
			if (i + 1 < n && ids[i] == t->merges[m].left && ids[i + 1] == t->merges[m].right) {
				ids[k] = (int32_t)(t->first_byte + 256 + m);
				i += 2;
			} else {
				ids[k] = ids[i++];
			}
		}
		n = k;
	}
	for (i = 0; i < n; i++)
		tokens_add(out, ids[i]);
}

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
	struct tokenizer *t = train_sample(500);
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
	struct tokenizer *t = train_sample(600);
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
			plain_word(t, text.s + i, n, &plain);
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
	struct tokenizer *t[2] = { train_sample(600), train("ordinary ordinary", 17, 600) };
	struct tokenizer_cache *cache = tokenizer_cache_new();
	struct tokens with = { 0 }, without = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < 4; i++) {
		with.n = without.n = 0;
		tokenizer_encode(t[i % 2], NULL, sample, sizeof(sample), &without);
		tokenizer_encode(t[i % 2], cache, sample, sizeof(sample), &with);
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
	t = train(text.s, text.len, 700);
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

static void test_controls(void **state)
{
	struct tokenizer *t = train_sample(500);
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
		t = train(cases[i].text, strlen(cases[i].text), 1000);
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
	struct tokenizer *t = train(sample, sizeof(sample) - 1, IDS), part;
	uint32_t (*count)[IDS] = xcalloc(IDS, sizeof(*count));
	struct tokens ids = { 0 };
	size_t m, i, n, a, b, best;

	(void)state;
	for (m = 0; m < t->nmerges; m++) {
		part = *t;
		part.nmerges = m;
		memset(count, 0, IDS * sizeof(*count));
		for (i = 0; i < sizeof(sample) - 1; i += n) {
			n = tokenizer_word(sample + i, sizeof(sample) - 1 - i);
			ids.n = 0;
			plain_word(&part, sample + i, n, &ids);
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
	assert_int_equal(bpe_trainer_finish(b, 600, tags, tokenizer_default_types, &t, NULL), 0);
	json = tokenizer_to_json(t);
	tokenizer_free(t);
	bpe_trainer_free(b);
	return json;
}

static void test_training_is_deterministic(void **state)
{
	const char *ab[] = { sample, "where is the parcel\n" }, *ba[] = { ab[1], ab[0] };
	const char *aab[] = { sample, sample, ab[1], "nothing of this nothing of this" };
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
	bpe_trainer_add(b, sample, sizeof(sample) - 1, 2);
	for (i = 0; i < 3; i++) {
		assert_int_equal(bpe_trainer_finish(b, vocab[i], tags, tokenizer_default_types, &t[i], NULL), 0);
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
	bpe_trainer_add(b, sample, sizeof(sample) - 1, 1);
	assert_int_equal(bpe_trainer_finish(b, 417, tags, tokenizer_default_types, &t, &e), ERR_RANGE);
	assert_null(t);
	assert_int_equal(bpe_trainer_finish(b, 65537, tags, tokenizer_default_types, &t, &e), ERR_RANGE);
	assert_int_equal(bpe_trainer_finish(b, 500, seventeen, none, &t, &e), ERR_RANGE);
	assert_int_equal(bpe_trainer_finish(b, 500, doubled, none, &t, &e), ERR_FORMAT);
	assert_int_equal(bpe_trainer_finish(b, 500, tags, doubled, &t, &e), ERR_FORMAT);
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
	struct tokenizer *t = train_sample(600), *u;
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
	tokenizer_encode(t, NULL, sample, sizeof(sample), &a);
	tokenizer_encode(u, NULL, sample, sizeof(sample), &b);
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
	struct tokenizer *t = train_sample(450), *u;
	char *json = tokenizer_to_json(t), *copy;
	size_t n = strlen(json), round, k, accepted = 0;
	struct str back = STR_INIT;
	struct tokens ids = { 0 };
	struct err e;
	struct rng r;

	(void)state;
	printf("# seed %d\n", SEED + 1);
	rng_seed(&r, SEED + 1);
	for (round = 0; round < 2000; round++) {
		copy = xmemdup(json, n);
		for (k = rng_below(&r, 3) + 1; k > 0; k--)
			copy[rng_below(&r, n)] = bytes[rng_below(&r, sizeof(bytes) - 1)];
		e = (struct err)ERR_INIT;
		if (tokenizer_from_json(copy, n, &u, &e) == 0) {
			accepted++;
			ids.n = 0;
			str_reset(&back);
			tokenizer_encode(u, NULL, sample, sizeof(sample), &ids);
			tokenizer_decode(u, ids.ids, ids.n, &back);
			assert_int_equal(back.len, sizeof(sample));
			assert_memory_equal(back.s, sample, sizeof(sample));
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
	struct tokenizer *t = train_sample(600);
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
	t = train(text.s, text.len, 8192);
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
		cmocka_unit_test(test_controls),
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
		cmocka_unit_test(test_match_against_all),
		cmocka_unit_test(test_speed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
