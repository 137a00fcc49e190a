/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kernels: every product and every vectorised loop of the model, behind one
 * table that is filled at run time for this processor.
 *
 * Paths: "avx512", "avx2" (with FMA), "plain". kernels_init picks the best one the
 * processor has; ANSWERBACK_CPU=plain|avx2|avx512 forces one (a path the processor
 * lacks is refused with a warning on stderr and the best one is used).
 * kernels_blas.c is the only one that includes cblas.h.
 *
 * Numbers. All matrices are row-major; ld* are row strides in elements.
 * Two kinds of product:
 *  - kernels_gemm_packed and kernels_gemm_rows: our own. Each output element is
 *    accumulated over k = 0, 1, 2, ... in that order by fused multiply-add (avx2,
 *    avx512) or multiply then add (plain), whatever m, n, the tile it falls in or the
 *    row it stands in. So a row computed alone is bit-identical to the same row in
 *    a batch: causality and "live session == teacher forcing" rest on it.
 *    avx2 and avx512 give equal bits too, plain need not.
 *  - kernels_gemm: OpenBLAS (loaded at its first use; single-threaded: we bring our own threads), for large
 *    products of the backward pass, where only run-to-run equality matters.
 *
 * Threads: everything here is reentrant once kernels_init has run.
 * With -DANSWERBACK_DOUBLE real is double, and only the plain path exists.
 */
#ifndef ANSWERBACK_KERNELS_H
#define ANSWERBACK_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "real.h"

/* Idempotent and thread-safe; call once before anything else here. The first call sets OPENBLAS_NUM_THREADS
 * in the environment: let it be made before there are threads. */
void kernels_init(void);
bool kernels_have_blas(void);         /* loads OpenBLAS; false: it is not there, and our own products do its work */
const char *kernels_path(void);       /* "plain", "avx2", "avx512" */
const char *kernels_cpu_name(void);   /* processor's own name, or "unknown" */

/* ---- products ------------------------------------------------------------ */

/* A weight matrix W: [k, n] laid out for the micro-kernel: panels of
 * kernels_panel() columns, each panel k rows of contiguous columns, the last one
 * zero-padded. Packed once per update, used many times. `data` is 64-byte aligned
 * and owned by whoever allocated packed_elements(k, n) reals for it. */
struct packed {
	real *data;
	size_t k, n;
};

size_t kernels_panel(void);
size_t packed_elements(size_t k, size_t n);

/* Pack W: [k, n] (row stride ldw), or with transposed=true pack the transpose of
 * the stored matrix W: [n, k] (row stride ldw), so that dst represents [k, n]. */
void pack_weights(struct packed *dst, const real *w, size_t ldw, bool transposed);

/* C[m, n] = A[m, k] . W  (+ C when accumulate). */
void kernels_gemm_packed(size_t m, const struct packed *w, const real *a, size_t lda,
                         bool accumulate, real *c, size_t ldc);

/* C[m, n] = A[m, k] . B[k, n]  (+ C when accumulate), B not packed. */
void kernels_gemm_rows(size_t m, size_t n, size_t k, const real *a, size_t lda,
                       const real *b, size_t ldb, bool accumulate, real *c, size_t ldc);

/* C[m, n] = op(A) . op(B)  (+ C when accumulate), OpenBLAS, one thread.
 * op(X) is X or its transpose; lda/ldb are strides of the matrices as stored. */
void kernels_gemm(bool ta, bool tb, size_t m, size_t n, size_t k,
                  const real *a, size_t lda, const real *b, size_t ldb,
                  bool accumulate, real *c, size_t ldc);

/* ---- vectors --------------------------------------------------------------
 * Sums inside these run in an order fixed by n alone (never by alignment). */

real kernels_dot(const real *x, const real *y, size_t n);
double kernels_sumsq(const real *x, size_t n);              /* sum of x^2, accumulated in double */
void kernels_axpy(real *y, real alpha, const real *x, size_t n);   /* y += alpha x */
void kernels_scale(real *x, real alpha, size_t n);
bool kernels_finite(const real *x, size_t n);               /* no NaN, no infinity */

/* ---- LSTM cell (gate order i, f, g, o) --------------------------------------
 * gates: [rows, 4h]: pre-activations in, activations out (i, f, o: sigmoid; g: tanh).
 * c_prev: [rows, h]  c, h_out, tanh_c: [rows, h].
 *     c = f * c_prev + i * g        h = o * tanh(c)
 * tanh_c may be NULL (inference). Rows have these strides: 4h and h. */
void kernels_lstm_cell(size_t rows, size_t h, real *gates, const real *c_prev,
                       real *c, real *tanh_c, real *h_out);

/* Backward of the cell for one time step.
 * in:  gates (activations), tanh_c, c_prev, dh: [rows, h], dc: [rows, h] (gradient
 *      reaching c from the step after; updated in place to the gradient of c_prev)
 * out: dgates: [rows, 4h], gradient of the pre-activations (may be == gates). */
void kernels_lstm_cell_backward(size_t rows, size_t h, const real *gates,
                                const real *tanh_c, const real *c_prev,
                                const real *dh, real *dc, real *dgates);

/* ---- rows ------------------------------------------------------------------- */

/* x: [rows, n]: add bias: [n] to every row. */
void kernels_add_bias(size_t rows, size_t n, real *x, size_t ldx, const real *bias);
/* bias_grad: [n] += column sums of x: [rows, n]. */
void kernels_column_sums(size_t rows, size_t n, const real *x, size_t ldx, real *bias_grad);

/* Layer norm (Ba et al. 2016), eps 1e-5:  y = gain * (x - mean)/sqrt(var + eps) + bias.
 * Saves mean and 1/deviation: [rows] each. y may not alias x. */
void kernels_layernorm(size_t rows, size_t n, const real *x, const real *gain,
                       const real *bias, real *y, real *mean, real *rstd);
/* dx: [rows, n] = gradient (overwritten; may alias dy); dgain, dbias: [n] accumulated. */
void kernels_layernorm_backward(size_t rows, size_t n, const real *x, const real *gain,
                                const real *mean, const real *rstd, const real *dy,
                                real *dx, real *dgain, real *dbias);

/* In-place softmax of one row of n > 0 logits. Returns log of the sum of exponentials
 * (of the unshifted logits), computed with the maximum subtracted. */
real kernels_softmax(real *x, size_t n);
/* Log of the sum of exponentials of n > 0 logits; x is read only. */
real kernels_logsumexp(const real *x, size_t n);

/* y[i] = tanh(x[i]); y may alias x. */
void kernels_tanh(const real *x, real *y, size_t n);
real kernels_sigmoid1(real x);
/* y[i] = exp(x[i]), zero below -87; y may alias x. */
void kernels_exp(const real *x, real *y, size_t n);
/* x[i] += by */
void kernels_shift(real *x, real by, size_t n);
/* The first i >= from with x[i] > bound, and only[i] > 0 unless only is NULL; n: there is none. */
size_t kernels_find_above(const real *x, const real *only, size_t n, size_t from, real bound);
/* The first of the largest. */
size_t kernels_argmax(const real *x, size_t n);

/* Inverted dropout in place, keep probability 1 - p rounded to 1/256: element i survives
 * (scaled by 1/keep) or becomes 0 by byte i of the stream rng_hash(key, i / 8), so the same
 * key gives the same mask again in the backward pass. p = 0 does nothing. */
void kernels_dropout(real *x, size_t n, double p, uint64_t key);

/* Adam (Kingma and Ba 2015) with bias correction folded into lr by the caller:
 *     m = b1 m + (1-b1) (scale g);  v = b2 v + (1-b2) (scale g)^2
 *     w -= lr m / (sqrt(v) + eps) + decay w
 * over n elements; g is only read. */
void kernels_adam(real *w, real *m, real *v, const real *g, size_t n, real scale,
                  real lr, real b1, real b2, real eps, real decay);

/* ---- 8-bit weights for serving -------------------------------------------------
 * W^T of a layer kept as signed bytes, one scale per output (row of W^T), activations
 * quantised per vector by their largest absolute value. y[n] = x[k] . W[k, n].
 * Integer sums are exact and equal on every path. */
struct packed8 {
	int8_t *data;      /* layout private to the path */
	float *scale;      /* [n padded] value of one unit of each output's weights */
	int32_t *rowsum;   /* [n padded] sum of each output's bytes (offset correction of unsigned activations) */
	size_t k, n;
};

size_t packed8_bytes(size_t k, size_t n);      /* for data */
size_t packed8_outputs(size_t n);              /* n rounded up: elements of scale and rowsum */
void pack_weights8(struct packed8 *dst, const real *w, size_t ldw, bool transposed);
/* C[m, n] = A[m, k] . W  (+ C when accumulate). A row's bits do not depend on its batch. */
void kernels_gemm_packed8(size_t m, const struct packed8 *w, const real *a, size_t lda,
                          bool accumulate, real *c, size_t ldc);
/* x: [k], the weights of one output, as what was kept of them. */
void packed8_output(const struct packed8 *w, size_t output, real *x);

/* ---- formats ---- */
void kernels_to_bf16(const float *x, uint16_t *y, size_t n);    /* round to nearest even */
void kernels_from_bf16(const uint16_t *x, float *y, size_t n);

#endif
