/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The speller's process, begun and ended at once: no signal that is meant for it may reach us. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "../src/spell.h"

static int heard[2];

static void handler(int sig)
{
	(void)sig;
	if (write(heard[1], "t", 1) < 0)
		_exit(1);
}

static void ended_before_it_has_begun(void **state)
{
	const struct sigaction sa = { .sa_handler = handler };
	char c;

	(void)state;
	assert_int_equal(pipe2(heard, O_NONBLOCK | O_CLOEXEC), 0);
	assert_int_equal(sigaction(SIGTERM, &sa, NULL), 0);
	for (int i = 0; i < 300; i++)
		spell_stop(spell_start(NULL));
	assert_int_equal(read(heard[0], &c, 1), -1);      /* a forked copy of us would have said something there */
	raise(SIGTERM);
	assert_int_equal(read(heard[0], &c, 1), 1);       /* and our own handler still stands */
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(ended_before_it_has_begun) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
