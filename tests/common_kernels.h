/* SPDX-License-Identifier: GPL-3.0-or-later */
/* common_kernels: what the tests of the kernels share: every path of this processor
 * side by side, random numbers between guards, a comparison that names the place. */
#ifndef ANSWERBACK_COMMON_KERNELS_H
#define ANSWERBACK_COMMON_KERNELS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../model/kernels.h"
#include "../model/kernels_table.h"
#include "../src/base/rng.h"

#ifdef ANSWERBACK_DOUBLE
#define TOLERANCE 1e-12
#else
#define TOLERANCE 3e-6
#endif

enum { GUARD = 16, MOST_PATHS = 3 };
#define GUARD_VALUE ((real)12345.5)
#define SEED UINT64_C(20240607)

static inline size_t all_paths(const struct kernels_table *t[MOST_PATHS])
{
	static const char *const names[] = { "plain", "avx2", "avx512" };
	size_t n = 0;

	for (size_t i = 0; i < 3; i++) {
		t[n] = kernels_table_find(names[i]);
		n += t[n] != NULL;
	}
	return n;
}

#define FOR_PATHS(t) \
	const struct kernels_table *tables_[MOST_PATHS]; \
	size_t paths_ = all_paths(tables_); \
	const struct kernels_table *t = tables_[0]; \
	for (size_t path_ = 0; path_ < paths_ && (t = tables_[path_]); path_++)

static inline void *room(size_t bytes)
{
	void *p = aligned_alloc(64, (bytes + 127) / 64 * 64);

	assert_non_null(p);
	memset(p, 0, bytes);
	return p;
}

static inline uint64_t next(uint64_t *s)
{
	*s += 1;
	return rng_hash(SEED, *s);
}

static inline real uniform(uint64_t *s)
{
	return (real)((double)(next(s) >> 11) / 9007199254740992.0 * 2 - 1);
}

/* n numbers in (-range, range) between guards, and off any alignment. */
static inline real *numbers(size_t n, double range, uint64_t *s)
{
	real *p = room((n + 2 * GUARD + 1) * sizeof(*p));

	p += 1;
	for (size_t i = 0; i < GUARD; i++)
		p[i] = p[GUARD + n + i] = GUARD_VALUE;
	for (size_t i = 0; i < n; i++)
		p[GUARD + i] = uniform(s) * (real)range;
	return p + GUARD;
}

static inline real *copy_numbers(const real *x, size_t n)
{
	uint64_t s = 0;
	real *p = numbers(n, 1, &s);

	memcpy(p, x, n * sizeof(*p));
	return p;
}

static inline void check_guards(const real *p, size_t n)
{
	for (size_t i = 0; i < GUARD; i++) {
		assert_true(p[-1 - (ptrdiff_t)i] == GUARD_VALUE);
		assert_true(p[n + i] == GUARD_VALUE);
	}
}

static inline void drop(real *p)
{
	free(p - GUARD - 1);
}

static inline void check_near(double got, double want, double size, const char *path, const char *what,
                       size_t at)
{
	if (fabs(got - want) <= TOLERANCE * (fabs(size) + 1e-30))
		return;
	fail_msg("%s: %s [%zu]: %.9g, expected %.9g (seed %llu)", path, what, at, got, want,
	         (unsigned long long)SEED);
}

#endif
