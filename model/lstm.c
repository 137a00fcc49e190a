/* SPDX-License-Identifier: GPL-3.0-or-later */
/* lstm: forward and backward of one layer over a ragged batch. */
#include <string.h>

#include "lstm.h"

/* Start state of the sequences in s: rows of init by span index, or zeros. */
static void start_rows(const struct seqs *s, const real *init, size_t h, real *rows)
{
	for (size_t b = 0; b < s->n; b++) {
		if (init)
			memcpy(rows + b * h, init + s->source[b] * h, h * sizeof(real));
		else
			memset(rows + b * h, 0, h * sizeof(real));
	}
}

static void product(size_t rows, const struct packed *w, const struct packed8 *w8, const real *a,
                    size_t lda, bool accumulate, real *c, size_t ldc)
{
	if (w8)
		kernels_gemm_packed8(rows, w8, a, lda, accumulate, c, ldc);
	else
		kernels_gemm_packed(rows, w, a, lda, accumulate, c, ldc);
}

void lstm_forward(const struct lstm *l, const struct seqs *s, struct arena *a,
                  const real *x, size_t ldx, const real *h0, const real *c0,
                  struct lstm_cache *cache, real *out, size_t ldout)
{
	const size_t h = l->hidden, rows = s->rows;

	cache->s = s;
	cache->x = arena_alloc(a, rows * l->in * sizeof(real));
	cache->gates = arena_alloc(a, rows * 4 * h * sizeof(real));
	cache->c = arena_alloc(a, rows * h * sizeof(real));
	cache->tanh_c = arena_alloc(a, rows * h * sizeof(real));
	cache->h_prev = arena_alloc(a, rows * h * sizeof(real));
	cache->c_prev = arena_alloc(a, rows * h * sizeof(real));
	cache->h = arena_alloc(a, rows * h * sizeof(real));
	if (rows == 0)
		return;

	seqs_gather(s, x, ldx, l->in, cache->x);
	product(rows, l->input, l->input8, cache->x, l->in, false, cache->gates, 4 * h);
	kernels_add_bias(rows, 4 * h, cache->gates, 4 * h, l->bias);

	start_rows(s, h0, h, cache->h_prev);
	start_rows(s, c0, h, cache->c_prev);
	for (size_t t = 0; t < s->steps; t++) {
		size_t n = s->count[t], at = s->off[t];

		if (t > 0) {
			size_t before = s->off[t - 1];

			memcpy(cache->h_prev + at * h, cache->h + before * h, n * h * sizeof(real));
			memcpy(cache->c_prev + at * h, cache->c + before * h, n * h * sizeof(real));
		}
		product(n, l->recurrent, l->recurrent8, cache->h_prev + at * h, h, true,
		        cache->gates + at * 4 * h, 4 * h);
		kernels_lstm_cell(n, h, cache->gates + at * 4 * h, cache->c_prev + at * h,
		                  cache->c + at * h, cache->tanh_c + at * h, cache->h + at * h);
	}
	seqs_scatter(s, cache->h, h, out, ldout);
}

/* With da the gradient of the pre-activations a_t (kernels_lstm_cell_backward):
 *     dh_{t-1} += da_t Wh^T    dWh += h_{t-1}^T da_t    dWx += x_t^T da_t
 *     dx_t = da_t Wx^T         db += da_t
 * The products with x and h_{t-1} run once over all time. */
void lstm_backward(const struct lstm *l, const struct lstm_cache *cache, struct arena *a,
                   const real *dout, size_t lddout, real *dx, size_t lddx,
                   real *dh0, real *dc0, const struct lstm_grad *g)
{
	const struct seqs *s = cache->s;
	const size_t h = l->hidden, rows = s->rows, mark = arena_mark(a);

	if (rows == 0)
		return;
	real *dh = arena_alloc(a, rows * h * sizeof(real));
	real *dgates = arena_alloc(a, rows * 4 * h * sizeof(real));
	real *dc = arena_zalloc(a, s->n * h * sizeof(real));
	real *dxp = arena_alloc(a, rows * l->in * sizeof(real));

	seqs_gather(s, dout, lddout, h, dh);
	for (size_t t = s->steps; t-- > 0;) {
		size_t n = s->count[t], at = s->off[t];

		if (t + 1 < s->steps)
			kernels_gemm_packed(s->count[t + 1], l->recurrent_t,
			                    dgates + s->off[t + 1] * 4 * h, 4 * h, true,
			                    dh + at * h, h);
		kernels_lstm_cell_backward(n, h, cache->gates + at * 4 * h,
		                           cache->tanh_c + at * h, cache->c_prev + at * h,
		                           dh + at * h, dc, dgates + at * 4 * h);
	}
	if (dh0) {
		real *first = arena_alloc(a, s->n * h * sizeof(real));

		kernels_gemm_packed(s->n, l->recurrent_t, dgates, 4 * h, false, first, h);
		for (size_t b = 0; b < s->n; b++) {
			memcpy(dh0 + s->source[b] * h, first + b * h, h * sizeof(real));
			memcpy(dc0 + s->source[b] * h, dc + b * h, h * sizeof(real));
		}
	}
	kernels_gemm(true, false, l->in, 4 * h, rows, cache->x, l->in, dgates, 4 * h,
	             true, g->input, 4 * h);
	kernels_gemm(true, false, h, 4 * h, rows, cache->h_prev, h, dgates, 4 * h,
	             true, g->recurrent, 4 * h);
	kernels_column_sums(rows, 4 * h, dgates, 4 * h, g->bias);
	kernels_gemm_packed(rows, l->input_t, dgates, 4 * h, false, dxp, l->in);
	seqs_scatter_add(s, dxp, l->in, dx, lddx);
	arena_release(a, mark);
}

void lstm_step(const struct lstm *l, size_t rows, const real *x, size_t ldx,
               real *h, real *c, real *gates)
{
	const size_t n = l->hidden;

	product(rows, l->input, l->input8, x, ldx, false, gates, 4 * n);
	kernels_add_bias(rows, 4 * n, gates, 4 * n, l->bias);
	product(rows, l->recurrent, l->recurrent8, h, n, true, gates, 4 * n);
	kernels_lstm_cell(rows, n, gates, c, c, NULL, h);
}
