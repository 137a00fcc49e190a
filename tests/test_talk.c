/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which replies may not be chosen: numbers that nobody named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../src/talk.h"

static void numbers_are_copied_or_not_there(void **state)
{
	(void)state;
	assert_false(talk_invents_number("no number at all", ""));
	assert_false(talk_invents_number("within 24 hours, 7 days", "hello"));      /* two digits are no code */
	assert_false(talk_invents_number("parcel 5521-9 is traced", "where is my parcel 5521-9?"));
	assert_true(talk_invents_number("parcel 551-9 is traced", "where is my parcel 5521-9?"));
	assert_true(talk_invents_number("parcel 552 is traced", "where is my parcel 5521-9?"));      /* a part is another number */
	assert_true(talk_invents_number("parcel 55210", "5521"));
	assert_true(talk_invents_number("call 0800", ""));
	assert_true(talk_invents_number("5521 and 5522", "5521"));
	assert_false(talk_invents_number("5521 and 5522", "5522, then 5521"));
	assert_false(talk_invents_number("12", ""));
	assert_false(talk_invents_number("", "123"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_copied_or_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
