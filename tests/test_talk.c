/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which of a model's replies are chosen: no numbers that nobody named, what fits the message, and what was learned. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../src/choose.h"
#include "../src/fit.h"
#include "../src/talk.h"
#include "common_model.h"
#include "common_tiny.h"

static void numbers_are_copied_or_not_there(void **state)
{
	(void)state;
	assert_false(choose_invents_number("no number at all", ""));
	assert_false(choose_invents_number("within 24 hours, 7 days", "hello"));      /* two digits are no code */
	assert_false(choose_invents_number("parcel 5521-9 is traced", "where is my parcel 5521-9?"));
	assert_true(choose_invents_number("parcel 551-9 is traced", "where is my parcel 5521-9?"));
	assert_true(choose_invents_number("parcel 552 is traced", "where is my parcel 5521-9?"));      /* a part is another number */
	assert_true(choose_invents_number("parcel 55210", "5521"));
	assert_true(choose_invents_number("call 0800", ""));
	assert_true(choose_invents_number("5521 and 5522", "5521"));
	assert_false(choose_invents_number("5521 and 5522", "5522, then 5521"));
	assert_false(choose_invents_number("12", ""));
	assert_false(choose_invents_number("", "123"));
}

/* Each row's reply answers its own message best. */
static void an_answer_fits_its_message(void **state)
{
	static const struct {
		const char *message, *reply;
	} pair[] = {
		{ "my card was stolen", "Please freeze the card in your app at once, so that nobody can pay with it." },
		{ "router light is red", "Please unplug the router for 30 seconds. Which lights are on after that?" },
		{ "when will I get my refund for <order_1>", "Refunds take some working days; I'll check the one for <order_1>." },
		{ "can I bring my dog on the train", "Many providers take animals if they are registered beforehand." },
		{ "i forgot my password", "Let's get you back into your account: use the link to reset the password." },
	};
	enum { N = sizeof(pair) / sizeof(pair[0]) };

	struct fit_judge j;
	struct err e = ERR_INIT;

	(void)state;
	if (fit_open(&j, "data/encoder.safetensors", "data/answer.safetensors", &e) < 0)
		fail_msg("%s", e.msg);
	for (size_t i = 0; i < N; i++) {
		struct fit *f = fit_new(&j, pair[i].message, strlen(pair[i].message));
		double own;

		assert_non_null(f);
		own = fit_of(f, pair[i].reply, strlen(pair[i].reply));
		for (size_t k = 0; k < N; k++) {
			const double other = fit_of(f, pair[k].reply, strlen(pair[k].reply));

			if (k != i && !(other < own))
				fail_msg("\"%s\" is answered by \"%s\" (%.3f, its own %.3f)", pair[i].message, pair[k].reply, other, own);
		}
		assert_true(own <= 3.0001 && fit_of(f, "", 0) < own);
		fit_free(f);
	}
	assert_null(fit_new(&j, "", 0));
	assert_null(fit_new(&j, "?!", 2));      /* nothing to go by */
	assert_null(fit_new(NULL, "hello", 5));
	fit_close(&j);
}

/* What the same side said counts, whole runs of three pieces, not what the other said. */
static void repeating_is_noticed(void **state)
{
	struct tiny tiny;
	struct tokenizer_cache *cache = tokenizer_cache_new();
	struct tokens own = { 0 }, other = { 0 }, mixed = { 0 }, many = { 0 };
	struct session *s;
	int32_t user, assistant;

	(void)state;
	tiny_make(&tiny);
	user = tokenizer_tag(tiny.m->tok, "user");
	assistant = tokenizer_tag(tiny.m->tok, "assistant");
	tokenizer_encode(tiny.m->tok, cache, "abcdefgh 12345", 14, &own);
	tokenizer_encode(tiny.m->tok, cache, "zyxwvuts 67890", 14, &other);
	for (size_t i = 0; i < own.n; i++)
		tokens_add(&mixed, own.ids[i]);
	for (size_t i = 0; i < other.n; i++)
		tokens_add(&mixed, other.ids[i]);
	s = session_new(tiny.m);
	session_add(s, user, other.ids, other.n);
	assert_true(choose_repeats(s, assistant, own.ids, own.n) == 0);
	session_add(s, assistant, own.ids, own.n);
	session_add(s, user, other.ids, other.n);
	assert_true(choose_repeats(s, assistant, own.ids, own.n) == 1);
	assert_true(choose_repeats(s, assistant, other.ids, other.n) == 0);
	assert_true(choose_repeats(s, user, other.ids, other.n) == 1);
	assert_true(choose_repeats(s, assistant, mixed.ids, mixed.n) > 0.2 && choose_repeats(s, assistant, mixed.ids, mixed.n) < 0.6);
	assert_true(choose_repeats(s, assistant, own.ids, 2) == 0);
	session_truncate(s, 0);
	/* of a long conversation the end is looked at, which begins in the middle of what the customer said */
	while (many.n < 5000)
		for (size_t i = 0; i < own.n; i++)
			tokens_add(&many, own.ids[i]);
	session_add(s, user, many.ids, many.n);
	session_add(s, assistant, other.ids, other.n);
	assert_true(choose_repeats(s, assistant, own.ids, own.n) == 0);
	assert_true(choose_repeats(s, assistant, other.ids, other.n) == 1);
	session_free(s);
	tokens_free(&own);
	tokens_free(&other);
	tokens_free(&mixed);
	tokens_free(&many);
	tokenizer_cache_free(cache);
	tiny_free(&tiny);
}

static void candidates_differ_and_stand_in_order(void **state)
{
	struct tiny tiny;
	struct talk *t;
	struct talk_opts o;
	struct talk_reply r[16], one;
	int n;

	(void)state;
	tiny_make(&tiny);
	t = talk_new(tiny.m, NULL);
	talk_opts_best(&o);
	assert_int_equal(talk_add(t, "user", "hello", 5, NULL), 0);
	n = talk_replies(t, "assistant", &o, 8, r, 16, NULL);
	assert_true(n >= 2 && n <= 16);
	for (int i = 0; i < n; i++)
		for (int k = 0; k < i; k++)
			assert_string_not_equal(r[i].text.s, r[k].text.s);
	/* the same beams: the first of them all is what one reply would have been, unless a sample is better */
	assert_int_equal(talk_reply(t, "assistant", &o, &one, NULL), 0);
	for (int i = 0; i < n; i++) {
		if (strcmp(r[i].text.s, one.text.s) == 0)
			break;
		assert_true(i + 1 < n);
	}
	for (int i = 0; i < n; i++)
		talk_reply_free(&r[i]);
	assert_int_equal(talk_replies(t, "nobody", &o, 8, r, 16, NULL), ERR_USAGE);
	talk_reply_free(&one);
	talk_free(t);
	tiny_free(&tiny);
}

/* Learned by heart, a number is the answer, and the answer is said to its end. */
static void what_was_learned_is_said_whole(void **state)
{
	static const char *const question = "where is my card?", *const answer = "we will look into it at once, order 5521.";
	struct talk_opts o;
	struct talk_reply r;
	struct corpus one = { 0 };
	struct model *m;
	struct tiny tiny;
	struct talk *t;

	(void)state;
	tiny_make(&tiny);
	tiny_say(&one, question, answer);
	for (size_t i = 0; i < tiny.said.n; i++)
		tiny_say(&one, tiny.said.chat[i].messages[0].content, tiny.said.chat[i].messages[1].content);
	m = tiny_taught(&tiny, &one, 150, 1e-2, 0);
	t = talk_new(m, NULL);
	assert_int_equal(talk_add(t, "user", question, strlen(question), NULL), 0);
	talk_opts_best(&o);
	assert_int_equal(talk_reply(t, "assistant", &o, &r, NULL), 0);
	assert_string_equal(r.text.s, answer);
	talk_reply_free(&r);
	talk_free(t);
	model_unref(m);
	corpus_free(&one);
	tiny_free(&tiny);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_copied_or_not_there),
		cmocka_unit_test(an_answer_fits_its_message),
		cmocka_unit_test(repeating_is_noticed),
		cmocka_unit_test(candidates_differ_and_stand_in_order),
		cmocka_unit_test(what_was_learned_is_said_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
