/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_kernels: the products, in floats and in bytes, on every path of this processor,
 * against naive loops in double and against OpenBLAS. Checks also what the model builds
 * on: a row's bits do not depend on its batch, the bytes' sums not on the path, nothing
 * outside an array is touched, and a NaN is never lost. */
#include "common_kernels.h"

/* ---- products ---- */

static struct packed pack(const struct kernels_table *t, const real *w, size_t k, size_t n,
                          size_t ldw, bool transposed)
{
	size_t elements = (n + t->panel - 1) / t->panel * t->panel * k;
	struct packed p = { room((elements + 1) * sizeof(real)), k, n };

	kernels_pack_panels(&p, w, ldw, transposed, t->panel);
	return p;
}

static void check_product(const struct kernels_table *t, size_t m, size_t n, size_t k,
                          bool accumulate, bool transposed)
{
	uint64_t s = m * 1000003 + n * 1009 + k;
	size_t lda = k + 3, ldb = n + 5, ldw = transposed ? k + 2 : ldb, ldc = n + 4;
	real *a = numbers(m * lda, 1, &s), *b = numbers(k * ldb, 1, &s);
	real *c = numbers(m * ldc, 1, &s), *before = copy_numbers(c, m * ldc);
	real *c2 = copy_numbers(c, m * ldc), *c3 = copy_numbers(c, m * ldc);
	real *bt = numbers(n * (k + 2), 1, &s);
	struct packed w;

	for (size_t j = 0; j < n; j++)
		for (size_t p = 0; p < k; p++)
			bt[j * (k + 2) + p] = b[p * ldb + j];
	w = pack(t, transposed ? bt : b, k, n, ldw, transposed);
	t->gemm_packed(m, &w, a, lda, accumulate, c, ldc);
	t->gemm_rows(m, n, k, a, lda, b, ldb, accumulate, c2, ldc);
	kernels_gemm(false, transposed, m, n, k, a, lda, transposed ? bt : b, ldw, accumulate,
	             c3, ldc);
	for (size_t i = 0; i < m; i++) {
		for (size_t j = 0; j < n; j++) {
			double sum = 0, size = 1;

			for (size_t p = 0; p < k; p++) {
				sum += (double)a[i * lda + p] * (double)b[p * ldb + j];
				size += fabs((double)a[i * lda + p] * (double)b[p * ldb + j]);
			}
			sum += accumulate ? (double)before[i * ldc + j] : 0;
			check_near((double)c[i * ldc + j], sum, size, t->name, "packed", j);
			check_near((double)c3[i * ldc + j], sum, size, t->name, "blas", j);
		}
		/* the strip between the rows is nobody's */
		for (size_t j = n; j < ldc; j++)
			c3[i * ldc + j] = before[i * ldc + j];
	}
	/* same chain of operations: not near, equal, the strip between rows included */
	assert_memory_equal(c, c2, m * ldc * sizeof(*c));
	for (size_t i = 0; i < m; i++)
		assert_memory_equal(c + i * ldc + n, before + i * ldc + n, 4 * sizeof(*c));
	check_guards(c, m * ldc);
	check_guards(c2, m * ldc);
	free(w.data);
	drop(a);
	drop(b);
	drop(c);
	drop(before);
	drop(c2);
	drop(c3);
	drop(bt);
}

static void test_products(void **state)
{
	static const size_t ks[] = { 0, 1, 2, 17, 64 };
	static const size_t ns[] = { 1, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33, 48, 63, 64, 65, 96, 129 };

	(void)state;
	FOR_PATHS(t) {
		for (size_t m = 1; m <= 15; m++)
			for (size_t j = 0; j < sizeof(ns) / sizeof(ns[0]); j++)
				for (size_t i = 0; i < 5; i++)
					check_product(t, m, ns[j], ks[i], (m + i) % 2, (j + i) % 2);
		check_product(t, 37, 130, 301, false, true);
		check_product(t, 129, 70, 900, true, false);      /* several row blocks */
	}
}

/* The promise everything else rests on. */
static void test_row_alone_is_row_in_batch(void **state)
{
	enum { M = 29, N = 75, K = 93 };
	uint64_t s = 5;
	real *a = numbers(M * K, 1, &s), *b = numbers(K * N, 1, &s), *c0 = numbers(M * N, 1, &s);

	(void)state;
	FOR_PATHS(t) {
		struct packed w = pack(t, b, K, N, N, false);

		for (int accumulate = 0; accumulate < 2; accumulate++) {
			real *all = copy_numbers(c0, M * N);

			t->gemm_packed(M, &w, a, K, accumulate, all, N);
			for (size_t m = 1; m <= M; m++) {
				for (size_t from = 0; from + m <= M; from += m < 14 ? 1 : 5) {
					real *part = copy_numbers(c0 + from * N, m * N);

					t->gemm_packed(m, &w, a + from * K, K, accumulate, part, N);
					assert_memory_equal(part, all + from * N, m * N * sizeof(*part));
					drop(part);
				}
			}
			drop(all);
		}
		free(w.data);
	}
	drop(a);
	drop(b);
	drop(c0);
}

/* avx2 and avx512 promise each other's bits. */
static void test_vector_paths_agree(void **state)
{
	enum { M = 13, N = 71, K = 210 };
	const struct kernels_table *t[2] = { kernels_table_find("avx2"), kernels_table_find("avx512") };
	uint64_t s = 6;
	real *a = numbers(M * K, 1, &s), *b = numbers(K * N, 1, &s), *c[2];

	(void)state;
	if (!t[0] || !t[1]) {
		drop(a);
		drop(b);
		skip();
	}
	for (int i = 0; i < 2; i++) {
		struct packed w = pack(t[i], b, K, N, N, false);

		c[i] = numbers(M * N, 0, &s);
		t[i]->gemm_packed(M, &w, a, K, false, c[i], N);
		free(w.data);
	}
	assert_memory_equal(c[0], c[1], M * N * sizeof(real));
	drop(a);
	drop(b);
	drop(c[0]);
	drop(c[1]);
}

static void test_product_keeps_nan(void **state)
{
	enum { M = 9, N = 35, K = 20 };
	uint64_t s = 7;
	real *a = numbers(M * K, 1, &s), *b = numbers(K * N, 0, &s), *c = numbers(M * N, 1, &s);

	(void)state;
	a[4 * K + 19] = (real)NAN;
	FOR_PATHS(t) {
		struct packed w = pack(t, b, K, N, N, false);

		t->gemm_packed(M, &w, a, K, false, c, N);
		for (size_t i = 0; i < M * N; i++)
			assert_true(i / N == 4 ? isnan(c[i]) : c[i] == 0);
		free(w.data);
	}
	drop(a);
	drop(b);
	drop(c);
}

static void test_blas_transposes(void **state)
{
	enum { M = 5, N = 7, K = 6 };
	uint64_t s = 8;
	real *a = numbers(M * K, 1, &s), *b = numbers(K * N, 1, &s), *c = numbers(M * N, 1, &s);

	(void)state;
	for (int kind = 0; kind < 8; kind++) {
		bool ta = kind & 1, tb = kind & 2;

		/* without OpenBLAS the same comes out */
		(kind & 4 ? kernels_gemm_own : kernels_gemm)(ta, tb, M, N, K, a, ta ? M : K, b, tb ? K : N,
		                                             false, c, N);
		for (size_t i = 0; i < M * N; i++) {
			double sum = 0;

			for (size_t p = 0; p < K; p++)
				sum += (double)a[ta ? p * M + i / N : i / N * K + p]
					* (double)b[tb ? i % N * K + p : p * N + i % N];
			check_near((double)c[i], sum, K, "blas", "transposed", i);
		}
	}
	kernels_gemm(false, false, M, N, 0, a, K, b, N, false, c, N);
	for (size_t i = 0; i < M * N; i++)
		assert_true(c[i] == 0);
	drop(a);
	drop(b);
	drop(c);
}

/* ---- 8 bits ---- */

static struct packed8 pack8(const struct kernels_table *t, const real *w, size_t k, size_t n,
                            size_t ldw, bool transposed)
{
	struct packed8 p = { room(packed8_bytes(k, n)), room(packed8_outputs(n) * sizeof(float)),
	                     room(packed8_outputs(n) * sizeof(int32_t)), k, n };

	t->pack8(&p, w, ldw, transposed);
	return p;
}

static void drop8(struct packed8 *p)
{
	free(p->data);
	free(p->scale);
	free(p->rowsum);
}

static void check_bytes(size_t m, size_t n, size_t k, bool accumulate, bool transposed)
{
	uint64_t s = m * 1000 + n * 31 + k;
	size_t ldw = (transposed ? k : n) + 3, ldc = n + 2, lda = k + 1;
	real *w = numbers((transposed ? n : k) * ldw, 1, &s), *a = numbers(m * lda, 3, &s);
	real *c0 = numbers(m * ldc, 1, &s), *first = NULL;
	struct packed8 first8 = { NULL, NULL, NULL, 0, 0 };
	void *scratch = room(m * (k + 64));

	/* the widest sums: full bytes of one sign */
	for (size_t p = 0; p < k; p++) {
		w[transposed ? p : p * ldw] = 1;
		a[p] = m % 2 ? -3 : 3;
	}
	FOR_PATHS(t) {
		struct packed8 p = pack8(t, w, k, n, ldw, transposed);
		real *c = copy_numbers(c0, m * ldc);

		t->gemm_packed8(m, &p, a, lda, accumulate, c, ldc, scratch);
		check_guards(c, m * ldc);
		for (size_t i = 0; i < m; i++) {
			double top = 0;

			for (size_t q = 0; q < k; q++)
				top = fmax(top, fabs((double)a[i * lda + q]));
			for (size_t j = 0; j < n; j++) {
				double sum = accumulate ? (double)c0[i * ldc + j] : 0;
				double step = top / 63 + 3.0 / 127;

				for (size_t q = 0; q < k; q++)
					sum += (double)a[i * lda + q]
						* (double)w[transposed ? j * ldw + q : q * ldw + j];
				/* each factor is off by half a unit at most */
				assert_true(fabs((double)c[i * ldc + j] - sum)
				            <= 1e-5 + step * (double)k);
			}
			for (size_t j = n; j < ldc; j++)
				assert_true(c[i * ldc + j] == c0[i * ldc + j]);
		}
		if (!first) {
			first = c;
			first8 = p;
			continue;
		}
		assert_memory_equal(p.data, first8.data, packed8_bytes(k, n));
		assert_memory_equal(p.scale, first8.scale, packed8_outputs(n) * sizeof(float));
		assert_memory_equal(p.rowsum, first8.rowsum, packed8_outputs(n) * sizeof(int32_t));
		assert_memory_equal(c, first, m * ldc * sizeof(*c));
		drop8(&p);
		drop(c);
	}
	drop8(&first8);
	drop(first);
	drop(w);
	drop(a);
	drop(c0);
	free(scratch);
}

static void test_bytes(void **state)
{
	static const size_t ns[] = { 1, 7, 8, 15, 16, 17, 33, 64, 65, 100, 130, 200 };
	static const size_t ks[] = { 1, 3, 4, 5, 15, 16, 33, 64, 257, 519 };

	(void)state;
	for (size_t m = 1; m <= 18; m++)
		for (size_t j = 0; j < sizeof(ns) / sizeof(ns[0]); j++)
			check_bytes(m, ns[j], ks[(m * 7 + j) % 10], m % 3 == 0, (m + j) % 2);
	for (size_t i = 0; i < 10; i++)
		check_bytes(2, 50, ks[i], false, i % 2);
	check_bytes(40, 33, 64, true, true);
}

/* The quantised product itself, in plain arithmetic: only the rounding of the factors
 * separates it from the exact one. */
static void test_bytes_are_exact(void **state)
{
	enum { K = 23, N = 19 };
	uint64_t s = 3;
	real *w = numbers(K * N, 0, &s), *a = numbers(K, 0, &s), c[N];
	unsigned char scratch[K + 64];

	(void)state;
	for (size_t i = 0; i < K * N; i++)
		w[i] = (real)((int)(next(&s) % 255) - 127);
	for (size_t i = 0; i < K; i++)
		a[i] = (real)((int)(next(&s) % 127) - 63);
	a[5] = 63;
	for (size_t j = 0; j < N; j++)
		w[(j % K) * N + j] = -127;
	FOR_PATHS(t) {
		struct packed8 p = pack8(t, w, K, N, N, false);

		t->gemm_packed8(1, &p, a, K, false, c, N, scratch);
		for (size_t j = 0; j < N; j++) {
			int sum = 0;

			for (size_t q = 0; q < K; q++)
				sum += (int)a[q] * (int)w[q * N + j];
			assert_true(c[j] == (real)sum);
		}
		drop8(&p);
	}
	drop(w);
	drop(a);
}

static void test_bytes_zero_and_nan(void **state)
{
	enum { M = 5, K = 30, N = 37 };
	static const real odd[] = { (real)NAN, (real)INFINITY, (real)-INFINITY };
	unsigned char *scratch = room(M * (K + 64));

	(void)state;
	for (int transposed = 0; transposed < 2; transposed++) {
		FOR_PATHS(t) {
			uint64_t s = 13;
			size_t ldw = transposed ? K : N;
			real *w = numbers(K * N, 1, &s), *a = numbers(M * K, 1, &s), c[M * N];
			struct packed8 p;

			/* rows 1: zero, 2: next to nothing, 3: not finite; output 9 zero, 20 lost */
			for (size_t q = 0; q < K; q++) {
				a[K + q] = 0;
				a[2 * K + q] = (real)1e-41;
				w[transposed ? 9 * ldw + q : q * ldw + 9] = 0;
			}
			a[3 * K + 7] = odd[path_ % 3];
			w[transposed ? 20 * ldw + 11 : 11 * ldw + 20] = odd[(path_ + 1) % 3];
			p = pack8(t, w, K, N, ldw, transposed);
			t->gemm_packed8(M, &p, a, K, false, c, N, scratch);
			for (size_t i = 0; i < M; i++) {
				for (size_t j = 0; j < N; j++) {
					if (i == 3 || j == 20)
						assert_true(isnan(c[i * N + j]));
					else if (i == 1 || i == 2 || j == 9)
						assert_true(c[i * N + j] == 0);
					else
						assert_true(c[i * N + j] != 0 && isfinite(c[i * N + j]));
				}
			}
			drop8(&p);
			drop(w);
			drop(a);
		}
	}
	free(scratch);
}

/* ---- the public face ---- */

static void test_public(void **state)
{
	real w[6] = { 1, 2, 3, 4, 5, 6 }, a[2] = { 10, 1 }, c[3] = { 0 };
	struct packed p = { room(packed_elements(2, 3) * sizeof(real)), 2, 3 };
	const char *wanted = getenv("ANSWERBACK_CPU");

	(void)state;
	kernels_init();
	assert_true(kernels_panel() == kernels_table_find(kernels_path())->panel);
	if (wanted && kernels_table_find(wanted))
		assert_string_equal(kernels_path(), wanted);
	assert_true(kernels_cpu_name()[0] != '\0');
	pack_weights(&p, w, 3, false);
	kernels_gemm_packed(1, &p, a, 2, false, c, 3);
	assert_true(c[0] == 14 && c[1] == 25 && c[2] == 36);
	assert_null(kernels_table_find("abacus"));
	free(p.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_public),
		cmocka_unit_test(test_products),
		cmocka_unit_test(test_row_alone_is_row_in_batch),
		cmocka_unit_test(test_vector_paths_agree),
		cmocka_unit_test(test_product_keeps_nan),
		cmocka_unit_test(test_blas_transposes),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_bytes_are_exact),
		cmocka_unit_test(test_bytes_zero_and_nan),
	};

	kernels_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
