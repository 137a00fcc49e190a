/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_base: err, mem, str, utf8 and rng at their edges. */
#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/str.h"
#include "base/utf8.h"

/* ---- err ---- */

static void err_fills_and_returns(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(err_set(&e, ERR_FORMAT, "line %d", 7), ERR_FORMAT);
	assert_int_equal(e.code, ERR_FORMAT);
	assert_string_equal(e.msg, "line 7");
	assert_int_equal(err_prefix(&e, "file %s", "x"), ERR_FORMAT);
	assert_string_equal(e.msg, "file x: line 7");
	assert_int_equal(err_set(NULL, ERR_IO, "nobody listens"), ERR_IO);
	err_prefix(NULL, "nor here");
}

static void err_may_quote_itself(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	err_set(&e, ERR_IO, "inner");
	err_set(&e, ERR_RANGE, "outer(%s)", e.msg);
	assert_string_equal(e.msg, "outer(inner)");
	err_prefix(&e, "again %s", e.msg);
	assert_string_equal(e.msg, "again outer(inner): outer(inner)");
}

static void err_cuts_long_messages(void **state)
{
	struct err e = ERR_INIT;
	char big[2000];

	(void)state;
	memset(big, 'x', sizeof big - 1);
	big[sizeof big - 1] = '\0';
	err_set(&e, ERR_IO, "%s", big);
	assert_int_equal(strlen(e.msg), sizeof e.msg - 1);
	err_prefix(&e, "head");
	assert_int_equal(strlen(e.msg), sizeof e.msg - 1);
	assert_memory_equal(e.msg, "head: xxx", 9);
	/* a prefix that leaves room for one byte, for none, and that fills all itself */
	for (size_t n = sizeof e.msg - 5; n < sizeof e.msg + 3; n++) {
		err_set(&e, ERR_IO, "tail");
		err_prefix(&e, "%.*s", (int)n, big);
		assert_int_equal(strlen(e.msg), sizeof e.msg - 1);
		assert_int_equal(e.code, ERR_IO);
	}
}

/* ---- mem ---- */

static void mem_handles_nothing(void **state)
{
	void *p;

	(void)state;
	p = xmalloc(0);
	assert_non_null(p);
	free(p);
	p = xcalloc(0, 8);
	assert_non_null(p);
	p = xrealloc(p, 0);
	assert_non_null(p);
	free(p);
	p = xmemdup(NULL, 0);
	assert_int_equal(*(char *)p, 0);
	free(p);
	p = mem_aligned(0);
	assert_int_equal((uintptr_t)p % 64, 0);
	mem_aligned_free(p);
	mem_aligned_free(NULL);
	arena_free(NULL);
}

static void mem_aligned_is_zero_and_aligned(void **state)
{
	(void)state;
	for (size_t n = 1; n < 300; n += 7) {
		unsigned char *p = mem_aligned(n);

		assert_int_equal((uintptr_t)p % 64, 0);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(p[i], 0);
		memset(p, 0xff, n);
		mem_aligned_free(p);
	}
}

static void mem_counts(void **state)
{
	size_t before = mem_allocations();

	(void)state;
	free(xmalloc(1));
	mem_aligned_free(mem_aligned(1));
	assert_int_equal(mem_allocations() - before, 2);
}

static void exhausted_hook(size_t wanted)
{
	/* what the parent looks for */
	dprintf(STDOUT_FILENO, "hook %zu\n", wanted);
}

static void ask_for_overflow(void)
{
	free(xreallocarray(NULL, SIZE_MAX / 2, 3));
}

static void ask_for_too_much(void)
{
	free(xmalloc(SIZE_MAX / 4));
}

static void ask_for_alignment_overflow(void)
{
	mem_aligned_free(mem_aligned(SIZE_MAX - 3));
}

static void ask_str_overflow(void)
{
	struct str s = STR_INIT;

	str_addc(&s, 'x');
	str_add(&s, "y", SIZE_MAX - 1);
}

/* Runs what must die in a child: the hook is called once, the exit code is 1. */
static void assert_exhausts(void (*ask)(void), size_t wanted)
{
	char expect[64], got[64] = "";
	int fd[2], status;
	pid_t pid;

	snprintf(expect, sizeof expect, "hook %zu\n", wanted);
	fflush(stdout);
	assert_int_equal(pipe(fd), 0);
	pid = fork();
	if (pid == 0) {
		dup2(fd[1], STDOUT_FILENO);
		close(STDERR_FILENO);
		mem_set_exhausted_hook(exhausted_hook);
		ask();
		_exit(0);
	}
	close(fd[1]);
	assert_true(read(fd[0], got, sizeof got - 1) >= 0);
	close(fd[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_string_equal(got, expect);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
}

/* sanitizers end a program that asks for absurd sizes before malloc can say no */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

static void mem_dies_through_the_hook(void **state)
{
	(void)state;
	assert_exhausts(ask_for_overflow, SIZE_MAX);
	assert_exhausts(ask_for_alignment_overflow, SIZE_MAX - 3);
	assert_exhausts(ask_str_overflow, SIZE_MAX);
	if (!SANITIZED)
		assert_exhausts(ask_for_too_much, SIZE_MAX / 4);
}

static void arena_aligns_and_keeps_what_it_gave(void **state)
{
	struct arena *a = arena_new(4);     /* tiny: nearly every piece needs a new block */
	unsigned char *p[100];

	(void)state;
	for (size_t i = 0; i < 100; i++) {
		p[i] = arena_alloc(a, i);
		assert_int_equal((uintptr_t)p[i] % 64, 0);
		memset(p[i], (int)i, i);
	}
	for (size_t i = 0; i < 100; i++)
		for (size_t k = 0; k < i; k++)
			assert_int_equal(p[i][k], i);
	arena_free(a);
}

static void arena_release_goes_back(void **state)
{
	struct arena *a = arena_new(128);
	size_t mark, first;
	unsigned char *keep, *p;

	(void)state;
	first = arena_mark(a);
	keep = arena_alloc(a, 100);
	memset(keep, 7, 100);
	mark = arena_mark(a);
	/* over block borders and back, with sizes that the blocks made before do not fit */
	for (size_t size = 1; size < 5000; size = size * 3 + 1) {
		p = arena_alloc(a, size);
		memset(p, 1, size);
		p = arena_zalloc(a, size * 2);
		for (size_t i = 0; i < size * 2; i++)
			assert_int_equal(p[i], 0);
		memset(p, 2, size * 2);
		arena_release(a, mark);
		assert_int_equal(arena_mark(a), mark);
	}
	for (size_t i = 0; i < 100; i++)
		assert_int_equal(keep[i], 7);
	arena_release(a, first);
	assert_ptr_equal(arena_alloc(a, 1), keep);
	arena_free(a);
}

/* One "training step" of a size that depends on nothing but r. */
static void arena_step(struct arena *a, struct rng *r)
{
	size_t marks[32], depth = 0;

	for (int i = 0; i < 200; i++) {
		if (depth < 32 && rng_below(r, 3)) {
			size_t n = rng_below(r, 3000);

			marks[depth++] = arena_mark(a);
			memset(arena_alloc(a, n), 0xaa, n);
		} else if (depth > 0) {
			arena_release(a, marks[--depth]);
		}
	}
}

static void arena_allocates_nothing_after_the_first_step(void **state)
{
	struct arena *a = arena_new(64);
	struct rng r;
	size_t before, peak;

	(void)state;
	rng_seed(&r, 5);
	arena_step(a, &r);
	arena_reset(a);
	peak = arena_peak(a);
	before = mem_allocations();
	for (int i = 0; i < 5; i++) {
		rng_seed(&r, 5);
		arena_step(a, &r);
		arena_reset(a);
	}
	assert_int_equal(mem_allocations(), before);
	assert_int_equal(arena_peak(a), peak);
	arena_free(a);
}

static void arena_peak_is_exact(void **state)
{
	struct arena *a = arena_new(64);

	(void)state;
	for (int round = 0; round < 3; round++) {
		size_t mark = arena_mark(a);

		arena_alloc(a, 65);         /* 128 */
		arena_alloc(a, 64 * 10);    /* 640, in a block of its own the first time */
		arena_release(a, mark);
		arena_alloc(a, 1);
		arena_reset(a);
		assert_int_equal(arena_peak(a), 768);
	}
	arena_free(a);
}

/* ---- str ---- */

static void str_grows_from_nothing(void **state)
{
	struct str s = STR_INIT, zero = { 0 };

	(void)state;
	assert_string_equal(s.s, "");
	str_reset(&s);
	str_free(&s);
	for (int i = 0; i < 1000; i++)
		str_addc(&s, (char)('a' + i % 26));
	assert_int_equal(s.len, 1000);
	assert_int_equal(strlen(s.s), 1000);
	str_reset(&s);
	assert_string_equal(s.s, "");
	str_add(&s, "a\0b", 3);
	str_adds(&s, "cd");
	assert_memory_equal(s.s, "a\0bcd", 6);
	str_free(&s);
	assert_string_equal(s.s, "");
	assert_int_equal(s.cap, 0);
	str_adds(&zero, "x");       /* one that was zeroed works too */
	assert_string_equal(zero.s, "x");
	str_free(&zero);
	assert_string_equal(str_empty, "");
}

static void str_formats_any_length(void **state)
{
	struct str s = STR_INIT;

	(void)state;
	for (int n = 0; n < 300; n++) {
		str_reset(&s);
		str_adds(&s, "<");
		str_addf(&s, "%*s", n, "");
		str_addf(&s, ">%d", n);
		assert_int_equal(s.len, strlen(s.s));
		assert_int_equal(s.s[n + 1], '>');
		assert_int_equal(atoi(s.s + n + 2), n);
	}
	str_free(&s);
}

static void str_detach_is_the_callers(void **state)
{
	struct str s = STR_INIT;
	char *p = str_detach(&s);

	(void)state;
	assert_string_equal(p, "");
	free(p);
	str_adds(&s, "abc");
	p = str_detach(&s);
	assert_string_equal(p, "abc");
	assert_string_equal(s.s, "");
	free(p);
}

static void str_reads_lines(void **state)
{
	static const char text[] = "one\n\nwith\0nul\r\nlast";
	FILE *f = fmemopen((void *)(uintptr_t)text, sizeof text - 1, "r");
	struct str s = STR_INIT;

	(void)state;
	assert_true(str_readline(&s, f));
	assert_string_equal(s.s, "one");
	assert_true(str_readline(&s, f));
	assert_int_equal(s.len, 0);
	assert_true(str_readline(&s, f));
	assert_int_equal(s.len, 9);
	assert_memory_equal(s.s, "with\0nul\r", 10);
	assert_true(str_readline(&s, f));
	assert_string_equal(s.s, "last");
	assert_false(str_readline(&s, f));
	assert_int_equal(s.len, 0);
	assert_string_equal(s.s, "");
	assert_false(str_readline(&s, f));
	str_free(&s);
	fclose(f);
}

static void str_reads_a_long_line_and_an_empty_file(void **state)
{
	FILE *f = tmpfile(), *nothing = fopen("/dev/null", "r");
	struct str s = STR_INIT;

	(void)state;
	for (int i = 0; i < 1 << 20; i++)
		putc('x', f);
	putc('\n', f);
	rewind(f);
	assert_true(str_readline(&s, f));
	assert_int_equal(s.len, 1 << 20);
	assert_false(str_readline(&s, f));
	assert_false(str_readline(&s, nothing));
	str_free(&s);
	assert_false(str_readline(&s, nothing));
	assert_string_equal(s.s, "");
	str_free(&s);
	fclose(f);
	fclose(nothing);
}

/* ---- utf8 ---- */

static void utf8_decodes_strictly(void **state)
{
	static const struct {
		const char *s;
		size_t n, used;
		int32_t cp;
	} cases[] = {
		{ "a", 1, 1, 'a' },
		{ "\0", 1, 1, 0 },
		{ "\xc3\xa9", 2, 2, 0xe9 },
		{ "\xe2\x82\xac", 3, 3, 0x20ac },
		{ "\xf0\x9f\x98\x80", 4, 4, 0x1f600 },
		{ "\xf4\x8f\xbf\xbf", 4, 4, 0x10ffff },
		{ "\xef\xbf\xbd", 3, 3, 0xfffd },          /* a real U+FFFD */
		{ "\xc3", 1, 1, 0xfffd },                  /* cut off */
		{ "\xe2\x82", 2, 1, 0xfffd },
		{ "\xf0\x9f\x98", 3, 1, 0xfffd },
		{ "\xc3(", 2, 1, 0xfffd },
		{ "\x80", 1, 1, 0xfffd },                  /* continuation alone */
		{ "\xc0\xaf", 2, 1, 0xfffd },              /* overlong */
		{ "\xe0\x80\xaf", 3, 1, 0xfffd },
		{ "\xf0\x80\x80\xaf", 4, 1, 0xfffd },
		{ "\xed\xa0\x80", 3, 1, 0xfffd },          /* surrogate */
		{ "\xf4\x90\x80\x80", 4, 1, 0xfffd },      /* above U+10FFFF */
		{ "\xff", 1, 1, 0xfffd },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		int32_t cp = -1;
		size_t used = utf8_decode(cases[i].s, cases[i].n, &cp);

		if (used != cases[i].used || cp != cases[i].cp)
			fail_msg("case %zu: %zu bytes, U+%04X", i, used, (unsigned)cp);
	}
}

static void utf8_every_character_round_trips(void **state)
{
	char buf[4];
	int32_t back;

	(void)state;
	for (int32_t cp = 0; cp <= 0x10ffff; cp++) {
		size_t n = utf8_encode(cp, buf);

		if (cp >= 0xd800 && cp <= 0xdfff) {
			assert_int_equal(n, 3);
			assert_memory_equal(buf, "\xef\xbf\xbd", 3);
			continue;
		}
		if (utf8_decode(buf, n, &back) != n || back != cp || utf8_valid_upto(buf, n) != n ||
		    utf8_count(buf, n) != 1)
			fail_msg("U+%04X", (unsigned)cp);
	}
	assert_int_equal(utf8_encode(-1, buf), 3);
	assert_int_equal(utf8_encode(0x110000, buf), 3);
	assert_int_equal(utf8_encode(INT32_MAX, buf), 3);
}

static void utf8_counts_and_validates(void **state)
{
	(void)state;
	assert_int_equal(utf8_count("", 0), 0);
	assert_int_equal(utf8_count("a\xc3\xa9\xff\0z", 6), 5);
	assert_int_equal(utf8_valid_upto("", 0), 0);
	assert_int_equal(utf8_valid_upto("a\xc3\xa9\xff", 4), 3);
	assert_int_equal(utf8_valid_upto("\xef\xbf\xbdx", 4), 4);
	assert_int_equal(utf8_valid_upto("abc\xe2\x82", 5), 3);
}

/* Whatever the bytes: steps of at least one and never past the end, and validity as a
 * plain reading of RFC 3629's grammar has it. */
static size_t rfc3629_length(const unsigned char *s, size_t n)
{
	unsigned char lo = 0x80, hi = 0xbf;
	size_t len;

	if (s[0] < 0x80)
		return 1;
	len = s[0] >= 0xc2 && s[0] <= 0xdf ? 2 : (s[0] & 0xf0) == 0xe0 ? 3 : s[0] >= 0xf0 && s[0] <= 0xf4 ? 4 : 0;
	if (len == 0 || len > n)
		return 0;
	if (s[0] == 0xe0)
		lo = 0xa0;
	if (s[0] == 0xf0)
		lo = 0x90;
	if (s[0] == 0xed)
		hi = 0x9f;
	if (s[0] == 0xf4)
		hi = 0x8f;
	if (s[1] < lo || s[1] > hi)
		return 0;
	for (size_t i = 2; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

static void utf8_agrees_with_the_grammar_on_random_bytes(void **state)
{
	enum { SEED = 20 };
	/* bytes at the borders of the grammar are likelier than others */
	static const unsigned char edges[] = { 0, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc2,
		0xdf, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf5, 0xff };
	struct rng r;

	(void)state;
	rng_seed(&r, SEED);
	for (int round = 0; round < 100000; round++) {
		unsigned char s[8];
		size_t n = 1 + rng_below(&r, sizeof s), expect;
		char *exact;
		int32_t cp;
		size_t used;

		for (size_t i = 0; i < n; i++)
			s[i] = rng_below(&r, 4) ? edges[rng_below(&r, sizeof edges)] : (unsigned char)rng_next(&r);
		exact = xmalloc(n);     /* not a byte more, for the sanitizer */
		memcpy(exact, s, n);
		expect = rfc3629_length(s, n);
		used = utf8_decode(exact, n, &cp);
		if (expect ? used != expect : used != 1 || cp != 0xfffd)
			fail_msg("seed %d, round %d", SEED, round);
		free(exact);
	}
}

/* ---- rng ---- */

static void rng_is_xoshiro(void **state)
{
	/* the first outputs of the authors' own code from state 1, 2, 3, 4 */
	static const uint64_t expect[] = { 11520, 0, 1509978240, 1215971899390074240 };
	struct rng r = { { 1, 2, 3, 4 } };

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_true(rng_next(&r) == expect[i]);
}

static void rng_hash_is_splitmix64(void **state)
{
	(void)state;
	/* splitmix64 seeded with 1234567: the published test vector */
	assert_true(rng_hash(1234567, 0) == 6457827717110365317u);
	assert_true(rng_hash(1234567, 1) == 3203168211198807973u);
	assert_true(rng_hash(1234567, 2) == 9817491932198370423u);
}

static void rng_repeats_and_differs(void **state)
{
	struct rng a, b;

	(void)state;
	rng_seed(&a, 1);
	rng_seed(&b, 1);
	for (int i = 0; i < 100; i++)
		assert_true(rng_next(&a) == rng_next(&b));
	rng_seed(&b, 2);
	assert_false(rng_next(&a) == rng_next(&b));
	rng_seed(&a, 0);
	assert_true(a.s[0] | a.s[1] | a.s[2] | a.s[3]);
}

static void rng_moments_are_right(void **state)
{
	enum { N = 200000, SIDES = 7 };
	double sum = 0, normal = 0, square = 0;
	size_t faces[SIDES] = { 0 };
	struct rng r;

	(void)state;
	rng_seed(&r, 99);
	for (int i = 0; i < N; i++) {
		double u = rng_uniform(&r), z = rng_normal(&r);

		assert_true(u >= 0 && u < 1);
		assert_true(isfinite(z));
		sum += u;
		normal += z;
		square += z * z;
		faces[rng_below(&r, SIDES)]++;
	}
	/* five standard errors */
	assert_true(fabs(sum / N - 0.5) < 5 * 0.2887 / sqrt(N));
	assert_true(fabs(normal / N) < 5 / sqrt(N));
	assert_true(fabs(square / N - 1) < 5 * sqrt(2.0 / N));
	for (int i = 0; i < SIDES; i++)
		assert_true(fabs((double)faces[i] - N / 7.0) < 5 * sqrt(N / 7.0));
	for (int i = 0; i < 10; i++)
		assert_int_equal(rng_below(&r, 1), 0);
}

static void rng_shuffle_permutes(void **state)
{
	struct rng r;
	size_t first[3] = { 0 };

	(void)state;
	rng_seed(&r, 3);
	for (int round = 0; round < 3000; round++) {
		struct { char odd[3]; } x[3] = { { "a" }, { "b" }, { "c" } };
		int seen = 0;

		rng_shuffle(&r, x, 3, sizeof x[0]);
		for (int i = 0; i < 3; i++) {
			assert_int_equal(x[i].odd[1], 0);
			seen |= 1 << (x[i].odd[0] - 'a');
		}
		assert_int_equal(seen, 7);
		first[x[0].odd[0] - 'a']++;
	}
	for (int i = 0; i < 3; i++)
		assert_true(first[i] > 850 && first[i] < 1150);
	rng_shuffle(&r, NULL, 0, 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(err_fills_and_returns),
		cmocka_unit_test(err_may_quote_itself),
		cmocka_unit_test(err_cuts_long_messages),
		cmocka_unit_test(mem_handles_nothing),
		cmocka_unit_test(mem_aligned_is_zero_and_aligned),
		cmocka_unit_test(mem_counts),
		cmocka_unit_test(mem_dies_through_the_hook),
		cmocka_unit_test(arena_aligns_and_keeps_what_it_gave),
		cmocka_unit_test(arena_release_goes_back),
		cmocka_unit_test(arena_allocates_nothing_after_the_first_step),
		cmocka_unit_test(arena_peak_is_exact),
		cmocka_unit_test(str_grows_from_nothing),
		cmocka_unit_test(str_formats_any_length),
		cmocka_unit_test(str_detach_is_the_callers),
		cmocka_unit_test(str_reads_lines),
		cmocka_unit_test(str_reads_a_long_line_and_an_empty_file),
		cmocka_unit_test(utf8_decodes_strictly),
		cmocka_unit_test(utf8_every_character_round_trips),
		cmocka_unit_test(utf8_counts_and_validates),
		cmocka_unit_test(utf8_agrees_with_the_grammar_on_random_bytes),
		cmocka_unit_test(rng_is_xoshiro),
		cmocka_unit_test(rng_hash_is_splitmix64),
		cmocka_unit_test(rng_repeats_and_differs),
		cmocka_unit_test(rng_moments_are_right),
		cmocka_unit_test(rng_shuffle_permutes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
