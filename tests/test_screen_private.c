/* SPDX-License-Identifier: GPL-3.0-or-later */
/* /private on the screen: nothing of what is said meanwhile reaches a file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "common_screen.h"

static void open_assist(void)
{
	screen_start(24, 80, "xterm-256color", "--assist");
	screen_expect("model base");
}

static bool in_a_file(const char *what)
{
	char cmd[120];

	snprintf(cmd, sizeof(cmd), "grep -rqa '%s' %s", what, screen.home);
	return system(cmd) == 0;
}

/* What is said before and after is kept; of what is said meanwhile, in whichever way, nothing reaches a file. */
static void nothing_said_in_private_is_kept(void **state)
{
	(void)state;
	open_assist();
	screen_keys("/case K-1\r/customer Is the aardvark sold?\r");
	screen_expect("suggestions:");
	screen_keys("\033sThe badger is.\r");
	screen_expect("copied");
	screen_keys("/private\r");
	screen_expect("private nothing of what is said is kept");
	screen_expect_gone("is kept from now on");
	screen_expect("private M-g suggests");         /* said for as long as it is so */
	screen_keys("/customer Do you have a chinchilla, number 471199?\r");
	screen_expect("suggestions:");
	screen_keys("One dromedary is left.\r");
	screen_expect("  One dromedary");
	screen_keys("/good\r");
	screen_expect("nothing is learned");
	screen_keys("/correct Two echidnas are.\r/keep ferret\r");
	screen_expect_gone("ferret");
	screen_keys("/case K-gecko\r");
	screen_expect("case K-gecko");
	screen_keys("/customer Thanks, and a hedgehog?\r");
	screen_expect("suggestions:");
	screen_keys("\0301, iguana\r");
	screen_expect_gone("suggestions:");
	screen_keys("/new K-jackal\r");
	screen_expect("case K-jackal");
	screen_keys("/chat\rHas the kangaroo come?\r");
	screen_expect("answerback ");
	screen_expect_gone("writing");
	screen_keys("a lemur, half typed\030p");       /* waits as a draft */
	screen_expect("case K-gecko");
	screen_drain(1500);
	screen_keys("the manatee\003");                /* a line put away */
	screen_keys("/assist\r/private off\r");
	screen_expect("is kept again");
	screen_keys("\030n");
	screen_expect("> a lemur, half typed");
	screen_drain(1500);                            /* drafts are saved */
	screen_keys("\003/good\r/keep narwhal\r");
	screen_expect("nothing is learned from it");
	/* the question was private: what is answered is kept, and no example of how to answer what was asked before */
	screen_keys("\030pNo okapi today.\r");
	screen_expect("  No okapi");
	screen_keys("/new\r/customer Is the parrot sold?\r");
	screen_expect("suggestions:");
	screen_keys("The quokka is.\r");
	screen_expect("  The quokka");
	screen_keys("\030r");
	screen_expect("1 of 2");
	screen_keys("q");
	screen_quit();
	for (const char *const *w = (const char *const[]){ "aardvark", "badger", "okapi", "parrot", "quokka", NULL }; *w; w++)
		if (!in_a_file(*w))
			fail_msg("%s was not kept", *w);
	for (const char *const *w = (const char *const[]){ "chinchilla", "471199", "dromedar", "echidna", "ferret", "gecko", "hedgehog", "iguana", "jackal",
	     "kangaroo", "lemur", "manatee", NULL }; *w; w++)
		if (in_a_file(*w))
			fail_msg("%s was kept", *w);
}

static void private_from_the_start_stays(void **state)
{
	(void)state;
	screen_start(24, 80, "xterm-256color", "--assist --private");
	screen_expect("model base");
	screen_expect("private M-g suggests");
	screen_keys("/private off\r");
	screen_expect("there is nothing to keep it in");
	screen_expect("private it was");
	screen_quit();
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, screen_fresh, screen_gone)
	const struct CMUnitTest tests[] = {
		T(nothing_said_in_private_is_kept), T(private_from_the_start_stays),
	};

	cmocka_set_test_filter(getenv("TEST"));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
