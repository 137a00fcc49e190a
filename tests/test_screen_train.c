/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A retraining driven from the screen, of a model that learns in seconds: begun, paused, gone on with, cancelled, stopped and
 * kept; the gate's result is shown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common_model.h"
#include "common_screen.h"
#include "common_tiny.h"

static struct tiny tiny;

static int make(void **state)
{
	(void)state;
	tiny_make(&tiny);
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	tiny_free(&tiny);
	return 0;
}

static int fresh(void **state)
{
	char path[80];

	if (screen_fresh(state) < 0)
		return -1;
	snprintf(path, sizeof(path), "%s/m.safetensors", screen.home);
	tiny_save(&tiny, path);
	return setenv("ANSWERBACK_MODEL", path, 1);
}

static int gone(void **state)
{
	unsetenv("ANSWERBACK_MODEL");
	return screen_gone(state);
}

/* "step N ..." of the training screen, -1: none. */
static long step(void)
{
	char *all = screen_text(), *at = strstr(all, "\nstep ");
	const long n = at ? strtol(at + 6, NULL, 10) : -1;

	free(all);
	return n;
}

static void begin(void)
{
	screen_command("teach 'where is my umbrella' 'it is in the hall'", NULL);
	screen_command("teach 'when does the bakery open' 'at seven'", NULL);
	screen_start(30, 100, "xterm-256color", "--setting retrain_minutes=5");
	screen_expect("model ");
}

static void is_at_it(void)
{
	screen_expect("retraining ");
	for (int64_t until = screen_now() + 60000; step() < 1 && screen_now() < until;)
		screen_drain(50);
	assert_true(step() >= 1);
}

static void paused_and_kept(void **state)
{
	long was;

	(void)state;
	begin();
	screen_keys("/train\r");
	is_at_it();
	screen_keys("p");
	screen_expect("retraining (paused)");
	screen_drain(1500);                   /* the step that it was at */
	was = step();
	screen_drain(2500);
	assert_int_equal(step(), was);
	screen_keys("p");
	screen_expect_gone("(paused)");
	for (int64_t until = screen_now() + 60000; step() <= was && screen_now() < until;)
		screen_drain(50);
	assert_true(step() > was);
	screen_keys("s");
	screen_expect("goes to the gate");
	screen_expect_gone("retraining ");
	/* so early it may have learned enough or not: either is said, with every check of the gate */
	screen_expect("published");
	screen_expect("2 examples, ");
	screen_expect(" base_bits ");
	screen_expect(" learned ");
	screen_expect(" memorised ");
	screen_expect("(at least 0.8");
	screen_quit();
}

static void cancelled_only_when_sure(void **state)
{
	(void)state;
	begin();
	screen_keys("\030tt");
	is_at_it();
	screen_keys("c");
	screen_expect("c once more");
	screen_expect("retraining ");
	screen_keys("c");
	screen_expect_gone("retraining ");
	screen_expect("cancelled");
	screen_quit();
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, fresh, gone)
	const struct CMUnitTest tests[] = { T(paused_and_kept), T(cancelled_only_when_sure) };

	cmocka_set_test_filter(getenv("TEST"));
	return cmocka_run_group_tests(tests, make, unmake);
}
