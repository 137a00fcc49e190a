/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Word diffs, the order and the warnings of a review, edits and their undo, canned replies and their fields. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/rng.h"
#include "base/str.h"
#include "canned_near.h"
#include "field.h"
#include "review.h"
#include "store.h"
#include "worddiff.h"

static char folder[64];

static int fresh(void **state)
{
	struct store *s;

	snprintf(folder, sizeof(folder), "/tmp/answerback-review-XXXXXX");
	if (!mkdtemp(folder) || store_open(&s, folder, STORE_READ_WRITE, NULL) < 0)
		return -1;
	*state = s;
	return 0;
}

static int gone(void **state)
{
	char cmd[100];

	store_close(*state);
	snprintf(cmd, sizeof(cmd), "rm -rf %s", folder);
	return system(cmd) == 0 ? 0 : -1;
}

static void check_marks(const char *a, const char *b, size_t changed, const char *marked)
{
	struct str s = STR_INIT;

	assert_int_equal(worddiff_mark(a, b, &s), changed);
	assert_string_equal(s.s, marked);
	str_free(&s);
}

static void words_that_changed(void **state)
{
	(void)state;
	check_marks("see you monday", "see you on tuesday", 3, "\001see you\002 monday\003 on tuesday");
	check_marks("", "hello there", 2, "\003hello there");
	check_marks("hello there", "", 2, "\002hello there");
	check_marks("the same.", "the  same.", 0, "\001the same.");
	check_marks("It is late.", "It is late, sorry.", 2, "\001It is late\003, sorry\001.");
	check_marks("a\002b", "a b", 0, "\001a b");
	assert_true(worddiff_alike("one two three four", "one two three five") > 0.7);
	assert_true(worddiff_alike("one two", "three four") < 0.01);
	assert_true(worddiff_alike("", "") > 0.99);
}

/* What is same and cut is the text before, what is same and new the text after: for any two texts. */
static void both_texts_can_be_read_from_the_marks(void **state)
{
	static const char *const words[] = { "a", "b", "c", ",", "." };
	struct rng r;

	(void)state;
	rng_seed(&r, 11);
	for (int round = 0; round < 300; round++) {
		struct str text[2] = { STR_INIT, STR_INIT }, back[2] = { STR_INIT, STR_INIT }, marked = STR_INIT;
		int kind = 0;

		for (int k = 0; k < 2; k++)
			for (uint32_t n = rng_below(&r, 12); n > 0; n--)
				str_adds(&text[k], words[rng_below(&r, 5)]);
		worddiff_mark(text[0].s, text[1].s, &marked);
		for (const char *p = marked.s; *p; p++) {
			if (*p <= 3)
				kind = *p;
			else if (kind == WORDDIFF_SAME || kind == WORDDIFF_CUT)
				str_addc(&back[0], *p);
			if (*p > 3 && kind != WORDDIFF_CUT)
				str_addc(&back[1], *p);
		}
		assert_string_equal(back[0].s, text[0].s);
		assert_string_equal(back[1].s, text[1].s);
		for (int k = 0; k < 2; k++) {
			str_free(&text[k]);
			str_free(&back[k]);
		}
		str_free(&marked);
	}
}

static int64_t add(struct store *s, const char *question, const char *suggested, const char *answer, const char *state)
{
	char chat[1000];
	struct store_example x = {
		.chat = chat, .question = (char *)(uintptr_t)question, .answer = (char *)(uintptr_t)answer,
		.suggested = (char *)(uintptr_t)suggested, .state = (char *)(uintptr_t)state, .origin = (char *)(uintptr_t)"sent",
		.flags = (char *)(uintptr_t)"", .weight = 1,
	};

	snprintf(chat, sizeof(chat), "{\"messages\": [{\"role\": \"user\", \"content\": \"%s\"}, {\"role\": \"assistant\", \"content\": \"%s\"}]}",
	         question, answer);
	assert_int_equal(store_example_add(s, &x, NULL), 0);
	return x.id;
}

struct seen {
	int64_t id[20];
	char flags[20][60];
	size_t n;
};

static bool see(const struct review_item *i, void *arg)
{
	struct seen *v = arg;

	v->id[v->n] = i->x->id;
	snprintf(v->flags[v->n++], 60, "%s", i->flags);
	return v->n < 20;
}

static void biggest_corrections_first(void **state)
{
	struct store *s = *state;
	const int64_t small = add(s, "do you open on sundays", "We open at nine.", "We open at ten.", "proposed");
	const int64_t none = add(s, "do you ship abroad", "", "We ship to all of Europe.", "proposed");
	const int64_t done = add(s, "is there a shop", "", "There is one in Leeds.", "approved");
	const int64_t big = add(s, "can i bring my dog", "No, sorry.", "Dogs on a lead may come in.", "proposed");
	struct seen v = { .n = 0 };

	assert_int_equal(review_list(s, false, see, &v, NULL), 0);
	assert_int_equal(v.n, 3);
	assert_int_equal(v.id[0], big);
	assert_int_equal(v.id[1], small);
	assert_int_equal(v.id[2], none);
	v.n = 0;
	assert_int_equal(review_list(s, true, see, &v, NULL), 0);
	assert_int_equal(v.n, 4);
	assert_int_equal(v.id[3], done);
}

static void warnings(void **state)
{
	static const struct {
		const char *question, *answer, *flags;
	} cases[] = {
		{ "do you have a red one", "We have it in red and in blue.", "" },
		{ "where is order <order_1>", "Order <order_1> left our house today.", "" },
		{ "who do i ask", "Dear Johanna, please ask at the desk.", "personal" },
		{ "who do i ask", "Dear Customer, please ask at the desk.", "" },
		{ "who do i ask", "Dear \303\211lodie, please ask at the desk.", "personal" },
		{ "my name is johanna and i wait", "We are sorry for the delay.", "personal" },
		{ "my name is misspelt on it", "We will have it corrected.", "" },
		{ "is Mrs. Weber in today", "She is back on Monday.", "personal" },
		{ "I'm Johanna", "We are glad that you write.", "personal" },
		{ "I'm not at home", "We come again the next day.", "" },
		{ "my number is 0170 4455667", "We will call you back today.", "personal" },
		{ "is it warm", "It is 2 degrees warmer than 2019.", "" },
		{ "is it warm", "Yes.", "short" },
		{ "\344\275\240\344\273\254\345\207\240\347\202\271\345\274\200\351\227\250", "\346\210\221\344\273\254\344\271\235\347\202\271\345\274\200\351\227\250", "" },
		{ "how much is it", "\342\202\254 5 \342\200\223 \342\202\254 9 a day \342\200\246 \342\200\234ok\342\200\235", "" },
		{ "is it on", "On it is \360\237\230\200\360\237\230\200\360\237\230\200\360\237\230\200\360\237\230\200", "" },
		{ "is the shop open and can you help", "Das ist nicht unser Laden und wir haben zu.", "language" },
		{ "is the shop open", "\320\234\321\213 \320\276\321\202\320\272\321\200\321\213\321\202\321\213 \320\264\320\276 \321\210\320\265\321\201\321\202\320\270", "language" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct str f = STR_INIT;

		review_flags(cases[i].question, cases[i].answer, &f);
		assert_string_equal(f.s, cases[i].flags);
		str_free(&f);
	}
}

static void against_what_is_approved(void **state)
{
	struct store *s = *state;
	struct seen v = { .n = 0 };

	add(s, "When do you open on Sundays?", "", "We open at ten on Sundays.", "approved");
	add(s, "is there parking", "", "The garage is behind the house.", "rejected");
	const int64_t same = add(s, "when do you open on sundays", "", "We open at ten on sundays!", "proposed");
	const int64_t other = add(s, "Hi, when on Sundays do you open please", "", "The shop stays closed all weekend long.", "proposed");
	const int64_t free_of_it = add(s, "is there parking", "", "The garage is behind the house.", "proposed");

	assert_int_equal(review_list(s, false, see, &v, NULL), 0);
	assert_int_equal(v.n, 3);
	for (size_t i = 0; i < v.n; i++)
		assert_string_equal(v.flags[i], v.id[i] == same ? "duplicate" : v.id[i] == other ? "contradiction" : v.id[i] == free_of_it ? "" : "?");
}

/* Much the same words, and another fact. */
static void a_fact_that_contradicts(void **state)
{
	static const struct {
		const char *approved, *proposed, *flags;
	} cases[] = {
		{ "We open at nine on working days.", "We open at ten on working days.", "contradiction" },
		{ "The fee is 12 euros a month for it.", "The fee is 15 euros a month for it.", "contradiction" },
		{ "Yes, parcels come on Saturdays too.", "Parcels do not come on Saturdays too.", "contradiction" },
		{ "We deliver it to you on Monday.", "We deliver it to you on Friday.", "contradiction" },
		{ "We open at nine on working days.", "We always open at nine on working days, sir.", "" },
		{ "The fee is 12 euros a month for it.", "The fee for it is 12 euros a month.", "" },
		{ "Order <order_1> left our house today.", "Order <order_2> left our house today.", "" },
	};
	struct store *s = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char question[32];
		struct seen v = { .n = 0 };
		int64_t id;

		snprintf(question, sizeof(question), "question %c%zu", 'a' + (int)i, i);
		add(s, question, "", cases[i].approved, "approved");
		id = add(s, question, "", cases[i].proposed, "proposed");
		assert_int_equal(review_list(s, false, see, &v, NULL), 0);
		assert_int_equal(v.n, 1);
		assert_string_equal(v.flags[0], cases[i].flags);
		assert_int_equal(store_example_decide(s, id, "rejected", NULL), 0);
	}
}

static void an_edit_is_one_undo(void **state)
{
	struct store *s = *state;
	const int64_t id = add(s, "do you open on sundays", "We do not.", "We do.", "proposed");
	struct store_example x;
	struct err e = ERR_INIT;
	int64_t back;

	assert_int_equal(review_edit(s, id, NULL, "  \n", &e), ERR_USAGE);
	assert_int_equal(review_edit(s, id + 9, NULL, "We do, from ten.", &e), ERR_NOTFOUND);
	assert_int_equal(review_edit(s, id, NULL, "We do, from ten; write to desk@shop.example", NULL), 0);
	assert_int_equal(store_example_get(s, id, &x, NULL), 0);
	assert_string_equal(x.state, "approved");
	assert_string_equal(x.answer, "We do, from ten; write to <email_1>");
	assert_non_null(strstr(x.chat, "from ten; write to <email_1>"));
	store_example_free(&x);
	assert_int_equal(store_example_undo(s, &back, NULL), 0);
	assert_int_equal(back, id);
	assert_int_equal(store_example_get(s, id, &x, NULL), 0);
	assert_string_equal(x.state, "proposed");
	assert_string_equal(x.answer, "We do.");
	assert_null(strstr(x.chat, "from ten"));
	store_example_free(&x);
}

static const char *value(const char *name, void *arg)
{
	return strcmp(name, "name") == 0 ? arg : NULL;
}

static void fields(void **state)
{
	size_t at, len;
	char *text;

	(void)state;
	assert_true(field_find("Dear {name}, {{order no}} is here", 0, &at, &len));
	assert_int_equal(at, 5);
	assert_int_equal(len, 6);
	assert_true(field_find("Dear {name}, {{order no}} is here", at + len, &at, &len));
	assert_int_equal(at, 13);
	assert_int_equal(len, 12);
	assert_false(field_find("no { field } here, {}, {1} or {{x}", 0, &at, &len) && len != 3);
	assert_false(field_find("a { b", 0, &at, &len));
	text = field_fill("Dear {Name}, order {order} of {{name}}", value, "Ada");
	assert_string_equal(text, "Dear Ada, order {order} of Ada");
	free(text);
	assert_true(field_matches("Dear {name}, it left.", "Dear Ada, it left."));
	assert_true(field_matches("It left.", "It left."));
	assert_true(field_matches("{a} and {b}", "this and that"));
	assert_false(field_matches("Dear {name}, it left.", "Dear Ada, it has left."));
	assert_false(field_matches("It left.", "It left. Bye"));
	assert_false(field_matches("It is {where}.", "It is here. Bye."));
}

static void the_nearest_canned_reply(void **state)
{
	struct store *s = *state;
	struct canned two[2];
	struct canned_list c, own = { two, 0 };
	double score;

	assert_int_equal(canned_set(s, "refund", "The money is back within five days.", NULL), 0);
	assert_int_equal(canned_set(s, "hours", "We are open from nine to five.", NULL), 0);
	assert_int_equal(canned_load(&c, s, NULL), 0);
	/* those that come with the program are another test's */
	for (size_t i = 0, k = 0; i < c.n; i++) {
		if (!c.v[i].own)
			continue;
		own.v[k] = c.v[i];
		own.n = ++k;
	}
	assert_int_equal(own.n, 2);
	assert_string_equal(own.v[canned_nearest(&own, "I want a refund of my money", SIZE_MAX, &score)].name, "refund");
	assert_true(score > 0.7);
	assert_string_equal(own.v[canned_nearest(&own, "Until when are you open? What are your hours", SIZE_MAX, &score)].name, "hours");
	assert_true(canned_nearest(&own, "how heavy is the parcel", SIZE_MAX, &score) == SIZE_MAX);
	canned_free(&c);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, fresh, gone)
	const struct CMUnitTest tests[] = {
		T(words_that_changed), T(both_texts_can_be_read_from_the_marks), T(biggest_corrections_first), T(warnings),
		T(against_what_is_approved), T(a_fact_that_contradicts), T(an_edit_is_one_undo), T(fields), T(the_nearest_canned_reply),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
