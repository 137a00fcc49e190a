/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A document that goes on changing while its copies are written: each is the text of one moment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "recovery.h"

static void copies_while_it_changes(void **state)
{
	char folder[] = "/tmp/answerback-th-XXXXXX", cmd[64], line[32];
	struct editbuf *b = editbuf_new(64);
	struct err e = ERR_INIT;
	struct recovery *r;
	struct rng rng;
	time_t when;
	FILE *f;
	size_t n = 0;

	(void)state;
	assert_non_null(mkdtemp(folder));
	setenv("ANSWERBACK_DATA_DIR", folder, 1);
	unsetenv("ANSWERBACK_PRIVATE");
	rng_seed(&rng, 11);
	r = recovery_open("letter", &e);
	assert_true(recovery_kept(r));
	/* the number of the change at the front, and as many letters after it */
	for (int i = 1; i <= 3000; i++) {
		snprintf(line, sizeof(line), "%08d", i);
		editbuf_delete(b, 0, i == 1 ? 0 : 8);
		editbuf_insert(b, 0, line, 8);
		editbuf_insert(b, 8 + rng_below(&rng, editbuf_len(b) - 7), "x", 1);
		if (i % 7 == 0)
			recovery_write(r, editbuf_snapshot(b));
		if (i == 1500)
			assert_int_equal(recovery_write_now(r, editbuf_snapshot(b), &e), 0);
	}
	recovery_close(r);
	r = recovery_open("letter", &e);
	assert_non_null(recovery_found(r, &when));
	f = fopen(recovery_found(r, &when), "r");
	assert_non_null(f);
	assert_int_equal(fread(line, 1, 8, f), 8);
	line[8] = '\0';
	for (int c; (c = getc(f)) != EOF; n++)
		assert_int_equal(c, 'x');
	fclose(f);
	assert_int_equal(atoi(line), 2996);      /* the last that was asked for */
	assert_int_equal(n, 2996);
	recovery_clear(r);
	recovery_close(r);
	editbuf_free(b);
	snprintf(cmd, sizeof(cmd), "rm -rf %s", folder);
	assert_int_equal(system(cmd), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(copies_while_it_changes) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
