/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The layout of parameter blocks: offsets, sizes, names, zeros. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "../model/params.h"
#include "../src/base/mem.h"

static void test_params(void **state)
{
	struct params *ps = xcalloc(1, sizeof(*ps));
	real *block;

	(void)state;
	assert_int_equal(params_add(ps, "a", 3, 5), 0);
	assert_int_equal(params_add(ps, "b.bias", 1, 16), 1);
	assert_int_equal(params_add(ps, "c", 17, 1), 2);
	assert_int_equal(params_add(ps, "d", 1, 1), 3);
	assert_int_equal(ps->n, 4);
	assert_int_equal(ps->p[0].offset, 0);
	assert_int_equal(ps->p[1].offset, 16);
	assert_int_equal(ps->p[2].offset, 32);
	assert_int_equal(ps->p[3].offset, 64);
	assert_int_equal(ps->total, 80);
	assert_int_equal(ps->weights, 15 + 16 + 17 + 1);
	assert_ptr_equal(params_find(ps, "c"), &ps->p[2]);
	assert_int_equal(params_find(ps, "c")->rows, 17);
	assert_null(params_find(ps, "b"));
	assert_null(params_find(ps, ""));
	block = params_block(ps);
	assert_int_equal((uintptr_t)block % 64, 0);
	for (size_t i = 0; i < ps->total; i++)
		assert_true(block[i] == 0);
	mem_aligned_free(block);
	free(ps);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_params) };

	return cmocka_run_group_tests_name("params", tests, NULL, NULL);
}
