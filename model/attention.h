/* SPDX-License-Identifier: GPL-3.0-or-later */
/* attention: scaled dot-product attention (Luong et al. 2015; Vaswani et al. 2017) of the
 * decoder over what was said before, with a learned null slot to look at when nothing
 * fits (and when there is nothing yet).
 *
 * For head n, query row r with memory rows lo .. lo + M - 1 and d = A / heads:
 *     s_0 = q_r . null_key / sqrt(d)      s_j = q_r . k_{lo+j-1} / sqrt(d),  j = 1..M
 *     a = softmax(s)                      context_r = a_0 null_value + sum_j a_j v_{lo+j-1}
 *
 * q, k, v, context: [rows, A] flat; k comes transposed, kt: [A, ldkt], so that scores are
 * a row-independent product. The rows of one span (a turn) share their memory. */
#ifndef ANSWERBACK_ATTENTION_H
#define ANSWERBACK_ATTENTION_H

#include "../src/base/mem.h"
#include "kernels.h"

struct attention {
	size_t heads, width;             /* width A = heads * d */
	const real *null_key, *null_value;  /* [A] */
};

struct attention_span {
	size_t first, len;               /* query rows */
	size_t memory, memory_len;       /* memory rows: the turns before, bounded by the window */
	size_t probs;                    /* offset of its [heads][len][1 + memory_len] weights */
};

struct attention_grad {
	real *null_key, *null_value;     /* accumulated into */
};

/* Fill span[i].probs; returns the number of reals all weights need. */
size_t attention_layout(const struct attention *at, struct attention_span *span, size_t n);

/* probs: as laid out. context: column 0 of the target rows, stride ldc. */
void attention_forward(const struct attention *at, const struct attention_span *span, size_t n,
                       const real *q, size_t ldq, const real *kt, size_t ldkt,
                       const real *v, size_t ldv, real *probs, real *context, size_t ldc);

/* dprobs: NULL, or a gradient that reaches the weights of the LAST head from elsewhere (the copy
 * gate), laid out as one head's [len][1 + memory_len] at probs offset / heads of each span.
 * k: keys, not transposed. dq is written, dk and dv are added to. */
void attention_backward(const struct attention *at, const struct attention_span *span, size_t n,
                        struct arena *a, const real *q, size_t ldq, const real *k, size_t ldk,
                        const real *v, size_t ldv, const real *probs, const real *dprobs,
                        const real *dcontext, size_t lddc, real *dq, size_t lddq,
                        real *dk, size_t lddk, real *dv, size_t lddv,
                        const struct attention_grad *g);

#endif
