/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The corpus tool on a tiny made-up corpus: what each source's cleaner does, templates, noise
 * that leaves codes alone, the cap on small talk, and the same bytes for the same seed.
 * The tool's sources are included, since no library holds them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <lzma.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../src/redact.h"

int corpus_main(int argc, char **argv);

#define main corpus_main
#include "../data/corpus_main.c"
#undef main
#include "../data/corpus_clean.c"
#include "../data/corpus_codes.c"
#include "../data/corpus_join.c"
#include "../data/corpus_names.c"
#include "../data/corpus_openings.c"
#include "../data/corpus_options.c"
#include "../data/corpus_prose.c"
#include "../data/corpus_text.c"
#include "../data/corpus_written.c"

static char base[64];

static char *at(const char *name)
{
	return join_path(base, name);
}

static void put(const char *name, const char *text)
{
	char *path = at(name);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	free(path);
}

static struct str get(const char *name)
{
	char *path = at(name);
	FILE *f = fopen(path, "r");
	struct str s = STR_INIT;
	int c;

	assert_non_null(f);
	while ((c = getc(f)) != EOF)
		str_addc(&s, (char)c);
	fclose(f);
	free(path);
	return s;
}

static int run(const char *out, const char *seed, const char *only)
{
	char *scenarios = at("scenarios"), *replies = at("replies"), *to = at(out), *valid = at("valid.jsonl");
	char *argv[] = { "corpus", "--root", base, "--scenarios", scenarios, "--replies", replies, "--out", to, "--valid",
		         valid, "--seed", (char *)(uintptr_t)seed, "--each", "100", "--only", (char *)(uintptr_t)only,
		         "--weight", "star=1,sgd=1,multiwoz21=1", NULL };
	int rc;

	optind = 1;
	rc = corpus_main(19, argv);
	free(scenarios);
	free(replies);
	free(to);
	free(valid);
	return rc;
}

/* The sources are named .xz, so they must be. */
static void put_xz(const char *name, const char *text)
{
	size_t cap = lzma_stream_buffer_bound(strlen(text)), n = 0;
	uint8_t *xz = xmalloc(cap);
	char *path = at(name);
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(lzma_easy_buffer_encode(0, LZMA_CHECK_CRC64, NULL, (const uint8_t *)text, strlen(text), xz, &n, cap),
	                 LZMA_OK);
	assert_int_equal(fwrite(xz, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
	free(path);
	free(xz);
}

#define MSG(role, text) "{\"role\": \"" role "\", \"content\": \"" text "\"}"
#define CHAT(domain, messages) "{\"id\": \"x\", \"domain\": \"" domain "\", \"messages\": [" messages "]}\n"

static int make_corpus(void **state)
{
	static const char *const folders[] = { "dialogue", "intents", "scenarios", "replies" };

	(void)state;
	snprintf(base, sizeof(base), "/tmp/answerback-corpus-XXXXXX");
	assert_non_null(mkdtemp(base));
	for (size_t i = 0; i < 4; i++) {
		char *path = at(folders[i]);

		assert_int_equal(mkdir(path, 0700), 0);
		free(path);
	}
	put("scenarios/slots.json", "{\"product\": [\"kettle\", \"lamp\"], \"city\": [\"Oslo\", \"Rome\"], \"agent\": [\"Kim\", \"Lee\"]}");
	put("scenarios/a.jsonl",
	    "{\"id\": \"where\", \"tags\": [\"shop\"], \"turns\": ["
	    "{\"role\": \"user\", \"text\": [\"[Where|Why] is my {product} from {company}, order {order}?\", \"My {product}, order {order}, is late.\"]},"
	    "{\"role\": \"assistant\", \"text\": [\"I have [|found ]order {order} for the {product}. This is {agent}.\"]}]}\n"
	    "{\"id\": \"bad\", \"turns\": [{\"role\": \"user\", \"text\": [\"hello\"]}, {\"role\": \"assistant\", \"text\": [\"Your {product} is here.\"]}]}\n");
	put("replies/r.jsonl", "{\"set\": \"bitext\", \"intent\": \"late\", \"replies\": [\"{company} will look into it.\"]}\n");
	return 0;
}

static int drop_corpus(void **state)
{
	struct str command = STR_INIT;

	(void)state;
	str_addf(&command, "rm -r %s", base);
	assert_int_equal(system(command.s), 0);
	str_free(&command);
	return 0;
}

static size_t lines(const struct str *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->len; i++)
		n += s->s[i] == '\n';
	return n;
}

static void test_company(void **state)
{
	static const struct {
		const char *from, *to;
	} cases[] = {
		{ "Thanks for contacting Amazon (India).", "Thanks for contacting Quillora Shop." },
		{ "Thanks for contacting Amazon India.", "Thanks for contacting Quillora Shop." },
		{ "amazon.in is slow, amazon!!", "quillora shop is slow, quillora shop!!" },
		{ "the Amazon.com site", "the Quillora Shop site" },
		{ "AMAZON Pay and Amazon Pay", "Quillora Shop Pay and Quillora Shop Pay" },
		{ "Amazon's app, amazons fault", "Quillora Shop's app, quillora shop's fault" },
		{ "AmazonBasics cable", "Quillora Shop Basics cable" },
		{ "mail help@amazon.in or www.amazon.in/returns", "mail help@quillorashop.in or www.quillorashop.in/returns" },
		{ "an Amazonian frog? no", "an Quillora Shop ian frog? no" },
		{ "nothing here", "nothing here" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct chat c = { 0 };

		chat_add(&c, "user", cases[i].from, strlen(cases[i].from), 1);
		rename_company(&c.messages[0], "Quillora Shop");
		assert_string_equal(c.messages[0].content, cases[i].to);
		assert_int_equal(c.messages[0].len, strlen(cases[i].to));
		chat_free(&c);
	}
}

static void test_cucom(void **state)
{
	struct str s;

	(void)state;
	put_xz("dialogue/cucom.train.jsonl.xz",
	       CHAT("d", MSG("user", "one amazon") ", " MSG("assistant", "two") ", " MSG("user", "three") ", " MSG("assistant", "By [Date] it comes."))
	       CHAT("d", MSG("user", "[Address]") ", " MSG("assistant", "two"))
	       CHAT("d", MSG("user", "one") ", " MSG("assistant", "Where do you live? u know where, hurry") ", " MSG("user", "three"))
	       CHAT("d", MSG("user", "one") ", " MSG("assistant", "Fine (e.g. this one)... and ok.") ", " MSG("user", "my id is XXXXXX")));
	assert_int_equal(run("out.jsonl", "1", "cucom"), 0);
	s = get("out.jsonl");
	assert_int_equal(lines(&s), 2);
	assert_null(strstr(s.s, "amazon"));
	assert_null(strstr(s.s, "[Date]"));
	assert_null(strstr(s.s, "hurry"));
	assert_null(strstr(s.s, "XXXX"));
	assert_non_null(strstr(s.s, "three"));
	assert_non_null(strstr(s.s, "\"company\": \""));
	assert_non_null(strstr(s.s, "e.g. this one"));
	str_free(&s);
}

static void test_others(void **state)
{
	struct str s;

	(void)state;
	put_xz("dialogue/star.train.jsonl.xz", CHAT("bank+trivia", MSG("user", "quizword") ", " MSG("assistant", "a"))
	       CHAT("bank", MSG("user", "bankword") ", " MSG("assistant", "a")));
	put_xz("dialogue/multiwoz21_valtest.train.jsonl.xz",
	       CHAT("hotel", MSG("user", "I 'd like one , please . Is n't it ( so ) ?") ", " MSG("assistant", "It 's fine !")));
	put_xz("dialogue/tau_bench.train.jsonl.xz",
	       CHAT("air", MSG("user", "hi") ", " MSG("assistant", "1. **Fare:** `x` 2*3") ", " MSG("user", "ok ###STOP###"))
	       CHAT("air", MSG("user", "hi") ", " MSG("user", "###STOP###")));
	put_xz("dialogue/sgd.train.jsonl.xz",
	       CHAT("Flights_2", MSG("user", "Where to?") ", " MSG("assistant", "I want to fly to Mars, swapword.")));
	assert_int_equal(run("out.jsonl", "3", "multiwoz21,tau_bench,sgd,star"), 0);
	s = get("out.jsonl");
	assert_int_equal(lines(&s), 3);
	assert_null(strstr(s.s, "quizword"));
	assert_non_null(strstr(s.s, "bankword"));
	assert_null(strstr(s.s, "swapword"));
	assert_non_null(strstr(s.s, "Isn't it (so)?"));
	assert_non_null(strstr(s.s, "Fare: x 2*3"));
	assert_null(strstr(s.s, "STOP"));
	str_free(&s);

	struct chat c = { 0 };

	chat_add(&c, "user", "I 'd like one , please . Is n't it ( so ) ?", 43, 1);
	untokenise(&c.messages[0]);
	assert_string_equal(c.messages[0].content, "I'd like one, please. Isn't it (so)?");
	chat_free(&c);
}

static void test_mix(void **state)
{
	struct str a, b, c;

	(void)state;
	put_xz("intents/bitext-intent-8k.train.jsonl.xz",
	       "{\"text\": \"it is late\", \"label\": \"late\"}\n{\"text\": \"no answer\", \"label\": \"unheard\"}\n");
	assert_int_equal(run("a.jsonl", "7", "scenarios,bitext-intent-8k"), 0);
	assert_int_equal(run("b.jsonl", "7", "scenarios,bitext-intent-8k"), 0);
	assert_int_equal(run("c.jsonl", "8", "scenarios,bitext-intent-8k"), 0);
	a = get("a.jsonl");
	b = get("b.jsonl");
	c = get("c.jsonl");
	assert_string_equal(a.s, b.s);
	assert_string_not_equal(a.s, c.s);
	assert_null(strstr(a.s, "no answer"));
	assert_null(strstr(a.s, "bad-"));            /* its reply names a product nobody mentioned */
	assert_non_null(strstr(a.s, "will look into it."));
	assert_null(strchr(a.s, '|'));
	assert_true(lines(&a) > 90);
	str_free(&a);
	str_free(&b);
	str_free(&c);
	a = get("valid.jsonl");
	assert_true(lines(&a) >= 1);
	str_free(&a);
}

/* The code in the agent's turn is the customer's, digit for digit, whatever the noise did. */
static void test_codes_survive(void **state)
{
	struct corpus_slots *slots;
	struct err e = ERR_INIT;
	struct rng r;
	char *path = at("scenarios/slots.json");

	(void)state;
	assert_int_equal(corpus_slots_open(&slots, path, &e), 0);
	free(path);
	rng_seed(&r, 11);
	for (int round = 0; round < 3000; round++) {
		struct corpus_fill *f = corpus_fill_new(slots);
		struct str u = STR_INIT, a = STR_INIT;

		assert_true(corpus_expand(f, "Something about {order} and {order2}, mail {email} card {card}.", true, true, &r, &u));
		assert_true(corpus_expand(f, "{order}", false, false, &r, &a));
		if (!strstr(u.s, a.s))
			fail_msg("seed 11 round %d: %s / %s", round, u.s, a.s);
		str_free(&a);
		assert_true(corpus_expand(f, "{card}", false, false, &r, &a));
		if (!strstr(u.s, a.s))
			fail_msg("seed 11 round %d: %s / %s", round, u.s, a.s);
		str_free(&a);
		assert_false(corpus_expand(f, "{iban}", false, false, &r, &a));
		str_free(&a);
		str_free(&u);
		corpus_fill_free(f);
	}
	assert_int_equal(corpus_check(slots, "[a|b] {order}", "w:1", &e), 0);
	assert_true(corpus_check(slots, "[a|[b]]", "w:1", &e) < 0);
	assert_true(corpus_check(slots, "{nothing}", "w:1", &e) < 0);
	assert_non_null(strstr(e.msg, "w:1"));
	assert_true(corpus_check(slots, "a]", "w:1", &e) < 0);
	assert_true(corpus_check(slots, "[a", "w:1", &e) < 0);
	assert_true(corpus_check(slots, "{order", "w:1", &e) < 0);
	corpus_slots_close(slots);
}

/* What the templates teach must be what the program hides: every made-up code is found whole,
 * in the customer's sentence and in the agent's. */
static void test_codes_are_found(void **state)
{
	static const struct {
		enum corpus_code code;
		const char *before, *after, *reply;
		enum redact_type type;
	} cases[] = {
		{ CODE_ORDER, "where is my order ", "?", "Thank you, I have order ", REDACT_ORDER },
		{ CODE_ORDER, "order number: ", "", "About ", REDACT_ORDER },
		{ CODE_TRACKING, "the tracking number is ", ", no news", "I see ", REDACT_TRACKING },
		{ CODE_EMAIL, "my mail is ", ".", "I wrote to ", REDACT_EMAIL },
		{ CODE_PHONE, "call me on ", " please", "I will call ", REDACT_PHONE },
		{ CODE_CARD, "my card ", " was charged", "About card ", REDACT_CARD },
		{ CODE_IBAN, "send it to ", ".", "I noted ", REDACT_IBAN },
		{ CODE_URL, "look at ", " please", "I opened ", REDACT_URL },
		{ CODE_NUMBER, "my customer number is ", "", "I have number ", REDACT_NUMBER },
	};
	struct rng r;
	size_t tried = 0, missed = 0;

	(void)state;
	rng_seed(&r, 23);
	for (int round = 0; round < 4000; round++) {
		size_t k = (size_t)round % (sizeof(cases) / sizeof(cases[0]));
		struct redact_map *m = redact_map_new(NULL);
		struct str code = STR_INIT, text = STR_INIT, out = STR_INIT, want = STR_INIT;
		size_t hash;

		corpus_make_code(cases[k].code, "Quillora Shop", &r, &code);
		hash = code.s[0] == '#';
		str_addf(&text, "%s%s%s", cases[k].before, code.s, cases[k].after);
		str_addf(&want, "%s%s<%s_1>%s", cases[k].before, hash ? "#" : "", redact_type_name(cases[k].type), cases[k].after);
		redact_text(m, text.s, text.len, &out);
		tried++;
		if (strcmp(out.s, want.s) != 0) {
			missed++;
			print_message("%s\n", out.s);
		}
		str_reset(&text);
		str_reset(&want);
		str_reset(&out);
		str_addf(&text, "%s%s.", cases[k].reply, code.s);
		str_addf(&want, "%s%s<%s_1>.", cases[k].reply, hash ? "#" : "", redact_type_name(cases[k].type));
		redact_text(m, text.s, text.len, &out);
		missed += strcmp(out.s, want.s) != 0;
		str_free(&code);
		str_free(&text);
		str_free(&out);
		str_free(&want);
		redact_map_free(m);
	}
	if (missed * 200 > tried)
		fail_msg("seed 23: %zu of %zu codes missed", missed, tried);
}

static void test_cap(void **state)
{
	struct corpus_list l = { 0 };
	struct corpus_stats st = { 0 };
	struct rng r;
	size_t rare = 0;

	(void)state;
	rng_seed(&r, 1);
	for (int i = 0; i < 200; i++) {
		struct chat c = { 0 };

		chat_add(&c, "user", "hello", 5, 1);
		if (i < 190)
			chat_add(&c, "assistant", "often", 5, 1);
		else
			chat_add(&c, "assistant", "rarer", 5, 1);
		corpus_list_add(&l, &c);
	}
	cap_list(&l, 1000000, true, &r, &st);        /* a share larger than the list keeps it all */
	assert_int_equal(l.n, 200);
	cap_list(&l, 200, true, &r, &st);
	assert_int_equal(l.n, 20);
	assert_int_equal(st.reasons[REASON_CAPPED], 180);
	for (size_t i = 0; i < l.n; i++)
		rare += strcmp(l.v[i].messages[1].content, "rarer") == 0;
	assert_int_equal(rare, 10);
	corpus_list_free(&l);
}

/* The beginnings of first replies, marked as such; two and a half of each conversation. */
static void test_openings(void **state)
{
	static const char long_reply[] = "one two three four five six seven eight nine";
	struct corpus_list from = { 0 }, to = { 0 };
	size_t whole = 0;
	struct rng r;

	(void)state;
	rng_seed(&r, 8);
	for (size_t i = 0; i < 100; i++) {
		struct chat c = { 0 };
		const bool is_long = i % 2;

		if (i % 10 == 9)      /* begins with the agent: no first message */
			chat_add(&c, "assistant", "hi", 2, 1);
		chat_add(&c, "user", "a question", 10, 1);
		chat_add(&c, "assistant", is_long ? long_reply : "short one", is_long ? strlen(long_reply) : 9, 1.5);
		chat_add(&c, "user", "thanks", 6, 1);
		corpus_list_add(&from, &c);
	}
	corpus_openings(&from, &to, 2.5, &r);
	assert_true(to.n > 200 && to.n < 250);
	for (size_t i = 0; i < to.n; i++) {
		const struct chat *c = &to.v[i];

		assert_int_equal(c->n, 2);
		assert_string_equal(c->messages[0].content, "a question");
		assert_true(c->messages[0].weight == 0 && c->messages[1].weight == 1.5);
		assert_string_equal(c->messages[1].content, c->messages[1].open ? "one two three four five six seven" : "short one");
		whole += !c->messages[1].open;
	}
	assert_true(whole > 100 && whole < 150);
	corpus_list_free(&from);
	corpus_list_free(&to);
}

/* What is joined keeps every message in order, under one company's name. */
static void test_join(void **state)
{
	enum { CHATS = 60 };
	struct chat chats[CHATS] = { 0 }, *v[CHATS];
	size_t n, messages = 0, longest = 0;
	struct rng r;

	(void)state;
	rng_seed(&r, 3);
	for (size_t i = 0; i < CHATS; i++) {
		struct str text = STR_INIT;

		v[i] = &chats[i];
		str_addf(&text, "Firm%c helps with number %zu", i % 2 ? 'A' : 'B', i);
		chat_add(&chats[i], "user", "hello", 5, 1);
		chat_add(&chats[i], "assistant", text.s, text.len, 1);
		chats[i].company = xstrdup(i % 2 ? "FirmA" : "FirmB");
		str_free(&text);
	}
	n = corpus_join(v, CHATS, 0.5, &r);
	assert_true(n < CHATS - 15 && n > 15);
	for (size_t i = 0; i < n; i++) {
		messages += v[i]->n;
		longest = v[i]->n > longest ? v[i]->n : longest;
		for (size_t k = 0; k < v[i]->n; k++) {
			assert_string_equal(v[i]->messages[k].role, k % 2 ? "assistant" : "user");
			assert_int_equal(v[i]->messages[k].len, strlen(v[i]->messages[k].content));
			if (k % 2)
				assert_memory_equal(v[i]->messages[k].content, v[i]->company, 5);
			else
				assert_string_equal(v[i]->messages[k].content + v[i]->messages[k].len - 5, "hello");
		}
	}
	assert_int_equal(messages, 2 * CHATS);
	assert_in_range(longest, 6, 12);
	for (size_t i = 0; i < CHATS; i++)
		chat_free(&chats[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_company), cmocka_unit_test(test_cucom), cmocka_unit_test(test_others),
		cmocka_unit_test(test_mix), cmocka_unit_test(test_codes_survive), cmocka_unit_test(test_codes_are_found), cmocka_unit_test(test_cap),
		cmocka_unit_test(test_join),
		cmocka_unit_test(test_openings),
	};

	return cmocka_run_group_tests(tests, make_corpus, drop_corpus);
}
