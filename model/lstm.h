/* SPDX-License-Identifier: GPL-3.0-or-later */
/* lstm: one long short-term memory layer (Hochreiter and Schmidhuber 1997, with the
 * forget gate of Gers et al. 2000) over a ragged batch.
 *
 *     a_t = x_t Wx + b + h_{t-1} Wh            gates in the order i, f, g, o
 *     i, f, o = sigmoid(a_i, a_f, a_o)    g = tanh(a_g)
 *     c_t = f * c_{t-1} + i * g           h_t = o * tanh(c_t)
 *
 * x: [T, in]  h, c: [T, h]  Wx: [in, 4h]  Wh: [h, 4h]  b: [4h]
 *
 * The input product is one matrix product over all time; only h Wh is inside the time
 * loop, on packed weights. The sum is formed in one order (x Wx, then + b, then + h Wh)
 * everywhere, so a step in a live session gives the bits of the same step in a batch. */
#ifndef ANSWERBACK_LSTM_H
#define ANSWERBACK_LSTM_H

#include "kernels.h"
#include "seqs.h"

/* Read-only views of one layer's weights. */
struct lstm {
	size_t in, hidden;
	const real *bias;                      /* [4h] */
	const struct packed *input;            /* [in, 4h] */
	const struct packed *recurrent;        /* [h, 4h] */
	const struct packed *input_t;          /* [4h, in]: backward only */
	const struct packed *recurrent_t;      /* [4h, h]: backward only */
	const struct packed8 *input8, *recurrent8;     /* not NULL: used instead, forward only */
};

struct lstm_grad {
	real *input, *recurrent, *bias;        /* accumulated into */
};

/* What forward leaves for backward; all packed, from the arena. */
struct lstm_cache {
	const struct seqs *s;
	real *x;             /* [rows, in] */
	real *gates;         /* [rows, 4h] activations */
	real *c, *tanh_c;    /* [rows, h] */
	real *h_prev, *c_prev; /* [rows, h] */
	real *h;             /* [rows, h] */
};

/* x: flat rows, stride ldx. h0, c0: [n spans, h] by span index (seqs.source), or NULL for zeros.
 * out: flat rows, stride ldout, h written at column 0 of each row given. */
void lstm_forward(const struct lstm *l, const struct seqs *s, struct arena *a,
                  const real *x, size_t ldx, const real *h0, const real *c0,
                  struct lstm_cache *cache, real *out, size_t ldout);

/* dout: flat rows, gradient of out. dx: flat rows, added to. dh0, dc0: [n spans, h], written for
 * the spans in s; may be NULL. Scratch comes from the arena and is given back. */
void lstm_backward(const struct lstm *l, const struct lstm_cache *cache, struct arena *a,
                   const real *dout, size_t lddout, real *dx, size_t lddx,
                   real *dh0, real *dc0, const struct lstm_grad *g);

/* One step for `rows` independent sequences (inference). x: [rows, in], h, c: [rows, h] in and out.
 * gates: scratch [rows, 4h]. */
void lstm_step(const struct lstm *l, size_t rows, const real *x, size_t ldx,
               real *h, real *c, real *gates);

#endif
