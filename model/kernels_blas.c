/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kernels_blas: the large products, by OpenBLAS.
 *
 * The library is loaded when the first of them is asked for. Only training has any: what serves never
 * pays for loading it (fifteen thousand relocations, and a thread a core that spins for work). Where there is
 * none, our own packed product does the same. */
#include <assert.h>
#include <cblas.h>
#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "../src/base/mem.h"
#include "kernels_table.h"

#ifdef ANSWERBACK_DOUBLE
#define GEMM "cblas_dgemm"
typedef __typeof__(cblas_dgemm) gemm_function;
#else
#define GEMM "cblas_sgemm"
typedef __typeof__(cblas_sgemm) gemm_function;
#endif

/* Written once, under load's once. */
static gemm_function *blas_gemm;

/* Read by the library when it is loaded: no threads of its own, we bring ours. To be called while there is
 * one thread: the environment has no lock. */
void kernels_blas_prepare(void)
{
	setenv("OPENBLAS_NUM_THREADS", "1", 1);
}

static void load(void)
{
	void *library = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL), *f;
	void (*set_threads)(int);

	if (!library)
		return;
	/* POSIX has it that a pointer to data may be one to a function */
	if ((f = dlsym(library, "openblas_set_num_threads"))) {
		memcpy(&set_threads, &f, sizeof(f));
		set_threads(1);
	}
	if ((f = dlsym(library, GEMM)))
		memcpy(&blas_gemm, &f, sizeof(f));
}

bool kernels_have_blas(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, load);
	return blas_gemm != NULL;
}

void kernels_gemm_own(bool ta, bool tb, size_t m, size_t n, size_t k, const real *a, size_t lda,
                      const real *b, size_t ldb, bool accumulate, real *c, size_t ldc)
{
	struct packed w = { mem_aligned(mem_mul(packed_elements(k, n), sizeof(real))), k, n };
	real *rows = NULL;

	pack_weights(&w, b, ldb, tb);
	if (ta) {
		rows = mem_aligned(mem_mul(mem_mul(m, k), sizeof(real)));
		for (size_t p = 0; p < k; p++)
			for (size_t i = 0; i < m; i++)
				rows[i * k + p] = a[p * lda + i];
	}
	kernels_gemm_packed(m, &w, ta ? rows : a, ta ? k : lda, accumulate, c, ldc);
	mem_aligned_free(rows);
	mem_aligned_free(w.data);
}

void kernels_gemm(bool ta, bool tb, size_t m, size_t n, size_t k,
                  const real *a, size_t lda, const real *b, size_t ldb,
                  bool accumulate, real *c, size_t ldc)
{
	real beta = accumulate ? 1 : 0;

	if (m == 0 || n == 0)
		return;
	if (k == 0) {
		for (size_t i = 0; i < m && !accumulate; i++)
			memset(c + i * ldc, 0, n * sizeof(*c));
		return;
	}
	if (!kernels_have_blas()) {
		kernels_gemm_own(ta, tb, m, n, k, a, lda, b, ldb, accumulate, c, ldc);
		return;
	}
	assert(m <= INT_MAX && n <= INT_MAX && k <= INT_MAX);
	assert(lda <= INT_MAX && ldb <= INT_MAX && ldc <= INT_MAX);
	blas_gemm(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans,
	          (int)m, (int)n, (int)k, 1, a, (int)lda, b, (int)ldb, beta, c, (int)ldc);
}
