/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kernels_table: private to the kernels. One table of functions a path; kernels.c
 * forwards its public functions to the table chosen at start, and the tests take
 * all tables of this processor side by side. The functions do what kernels.h says
 * of the public function of the same name. */
#ifndef ANSWERBACK_KERNELS_TABLE_H
#define ANSWERBACK_KERNELS_TABLE_H

#include "kernels.h"

/* Vector paths exist in the program only: the double build checks gradients. */
#if defined(__x86_64__) && !defined(ANSWERBACK_DOUBLE)
#define KERNELS_X86 1
#else
#define KERNELS_X86 0
#endif

struct kernels_table {
	const char *name;
	size_t panel;
	void (*gemm_packed)(size_t m, const struct packed *w, const real *a, size_t lda,
	                    bool accumulate, real *c, size_t ldc);
	void (*gemm_rows)(size_t m, size_t n, size_t k, const real *a, size_t lda,
	                  const real *b, size_t ldb, bool accumulate, real *c, size_t ldc);
	real (*dot)(const real *x, const real *y, size_t n);
	double (*sumsq)(const real *x, size_t n);
	void (*axpy)(real *y, real alpha, const real *x, size_t n);
	void (*scale)(real *x, real alpha, size_t n);
	bool (*finite)(const real *x, size_t n);
	void (*lstm_cell)(size_t rows, size_t h, real *gates, const real *c_prev,
	                  real *c, real *tanh_c, real *h_out);
	void (*lstm_cell_backward)(size_t rows, size_t h, const real *gates,
	                           const real *tanh_c, const real *c_prev,
	                           const real *dh, real *dc, real *dgates);
	void (*add_bias)(size_t rows, size_t n, real *x, size_t ldx, const real *bias);
	void (*column_sums)(size_t rows, size_t n, const real *x, size_t ldx, real *bias_grad);
	void (*layernorm)(size_t rows, size_t n, const real *x, const real *gain,
	                  const real *bias, real *y, real *mean, real *rstd);
	void (*layernorm_backward)(size_t rows, size_t n, const real *x, const real *gain,
	                           const real *mean, const real *rstd, const real *dy,
	                           real *dx, real *dgain, real *dbias);
	real (*softmax)(real *x, size_t n);
	real (*logsumexp)(const real *x, size_t n);
	void (*tanh)(const real *x, real *y, size_t n);
	void (*exp)(const real *x, real *y, size_t n);
	void (*shift)(real *x, real by, size_t n);
	size_t (*find_above)(const real *x, const real *only, size_t n, size_t from, real bound);
	real (*sigmoid1)(real x);
	void (*dropout)(real *x, size_t n, double p, uint64_t key);
	void (*adam)(real *w, real *m, real *v, const real *g, size_t n, real scale,
	             real lr, real b1, real b2, real eps, real decay);
	void (*pack8)(struct packed8 *dst, const real *w, size_t ldw, bool transposed);
	void (*gemm_packed8)(size_t m, const struct packed8 *w, const real *a, size_t lda,
	                     bool accumulate, real *c, size_t ldc, void *scratch);
	void (*to_bf16)(const float *x, uint16_t *y, size_t n);
	void (*from_bf16)(const uint16_t *x, float *y, size_t n);
};

/* The table of a path, or NULL when there is no such path or this processor lacks it. */
const struct kernels_table *kernels_table_find(const char *name);

/* pack_weights for any panel width. */
void kernels_pack_panels(struct packed *dst, const real *w, size_t ldw, bool transposed,
                         size_t panel);

/* kernels_blas.c: before OpenBLAS is loaded; what kernels_gemm does without it. */
void kernels_blas_prepare(void);
void kernels_gemm_own(bool ta, bool tb, size_t m, size_t n, size_t k, const real *a, size_t lda,
                      const real *b, size_t ldb, bool accumulate, real *c, size_t ldc);

extern const struct kernels_table kernels_plain_table;
#if KERNELS_X86
extern const struct kernels_table kernels_avx2_table;
extern const struct kernels_table kernels_avx512_table;
#endif

/* ---- what the paths share about 8-bit products ----------------------------------
 * Layout of packed8.data, the same on every path: panels of PACKED8_PANEL outputs;
 * in a panel, for every group of 4 inputs, the 4 bytes of each output side by side
 * (one 32-bit lane of a dot product instruction an output). Zero padding in k and n.
 *
 * Weights stay in [-127, 127] and activations in [-63, 63]. The vector paths add 64 to an activation, which
 * makes it an unsigned byte of 7 bits, and take 64 times the weights' sum off again: a pair of products is at most
 * 2 * 127 * 127 = 32258, so that AVX2's vpmaddubsw, which saturates at 16 bits, is exact with nothing but itself. The
 * bit that is lost moves likelihoods by less than what rounding the weights does (`answerback eval` says how much).
 *
 * A vector whose largest absolute value is below PACKED8_TINY has no usable inverse
 * scale and counts as zero; one with a NaN or an infinity has the scale NaN, so that
 * what is wrong stays visible in the result. */
enum { PACKED8_PANEL = 16, PACKED8_ROWS = 16 };
#define PACKED8_TINY 1e-35f
#define PACKED8_WEIGHT 127.0f       /* largest of a vector's bytes */
#define PACKED8_ACTIVATION 63.0f

static inline size_t packed8_round_k(size_t k)
{
	return (k + 3) / 4 * 4;
}

/* Bytes from one quantised activation row in scratch to the next. */
static inline size_t packed8_stride(size_t k)
{
	return (k + 63) / 64 * 64;
}

/* First byte value that survives dropout: byte >= threshold keeps. 0 for p <= 0. */
static inline unsigned dropout_threshold(double p)
{
	if (!(p > 0))
		return 0;
	return p >= 1 ? 256 : (unsigned)(256 * p + 0.5);
}

#endif
