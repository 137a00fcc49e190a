/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which of a model's replies are chosen: no numbers that nobody named, and what fits the message. */
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

	struct encoder *en;
	struct err e = ERR_INIT;

	(void)state;
	if (encoder_open(&en, "data/encoder.safetensors", &e) < 0)
		fail_msg("%s", e.msg);
	for (size_t i = 0; i < N; i++) {
		struct fit *f = fit_new(en, pair[i].message, strlen(pair[i].message));
		double own;

		assert_non_null(f);
		own = fit_of(f, pair[i].reply, strlen(pair[i].reply));
		for (size_t k = 0; k < N; k++) {
			const double other = fit_of(f, pair[k].reply, strlen(pair[k].reply));

			if (k != i && !(other < own))
				fail_msg("\"%s\" is answered by \"%s\" (%.3f, its own %.3f)", pair[i].message, pair[k].reply, other, own);
		}
		assert_true(own <= 1.0001 && fit_of(f, "", 0) < own);
		fit_free(f);
	}
	assert_null(fit_new(en, "", 0));
	assert_null(fit_new(en, "?!", 2));      /* nothing to go by */
	assert_null(fit_new(NULL, "hello", 5));
	encoder_free(en);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_copied_or_not_there),
		cmocka_unit_test(an_answer_fits_its_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
