/* SPDX-License-Identifier: GPL-3.0-or-later */
/* attention: forward and backward over spans that share their memory. */
#include <math.h>
#include <string.h>

#include "attention.h"

static real score_scale(const struct attention *at)
{
	return 1 / REAL_SQRT((real)(at->width / at->heads));
}

size_t attention_layout(const struct attention *at, struct attention_span *span, size_t n)
{
	size_t total = 0;

	for (size_t i = 0; i < n; i++) {
		span[i].probs = total;
		total += at->heads * span[i].len * (1 + span[i].memory_len);
	}
	return total;
}

void attention_forward(const struct attention *at, const struct attention_span *span, size_t n,
                       const real *q, size_t ldq, const real *kt, size_t ldkt,
                       const real *v, size_t ldv, real *probs, real *context, size_t ldc)
{
	const size_t d = at->width / at->heads;
	const real scale = score_scale(at);

	for (size_t i = 0; i < n; i++) {
		const struct attention_span *sp = &span[i];
		const size_t m = sp->memory_len, w = 1 + m;

		for (size_t hd = 0; hd < at->heads; hd++) {
			const real *qh = q + sp->first * ldq + hd * d;
			real *p = probs + sp->probs + hd * sp->len * w;
			real *ch = context + sp->first * ldc + hd * d;

			if (m > 0)
				kernels_gemm_rows(sp->len, m, d, qh, ldq,
				                  kt + hd * d * ldkt + sp->memory, ldkt,
				                  false, p + 1, w);
			for (size_t r = 0; r < sp->len; r++) {
				p[r * w] = kernels_dot(qh + r * ldq, at->null_key + hd * d, d);
				kernels_scale(p + r * w, scale, w);
				kernels_softmax(p + r * w, w);
			}
			if (m > 0)
				kernels_gemm_rows(sp->len, d, m, p + 1, w,
				                  v + sp->memory * ldv + hd * d, ldv,
				                  false, ch, ldc);
			for (size_t r = 0; r < sp->len; r++) {
				if (m == 0)
					memset(ch + r * ldc, 0, d * sizeof(real));
				kernels_axpy(ch + r * ldc, p[r * w], at->null_value + hd * d, d);
			}
		}
	}
}

/* With da_j = dcontext . v_j (+ what comes from the copy gate):
 *     ds_j = a_j (da_j - sum_i a_i da_i)
 *     dq = sum_j ds_j k_j / sqrt(d)    dk_j = ds_j q / sqrt(d)    dv_j = a_j dcontext */
void attention_backward(const struct attention *at, const struct attention_span *span, size_t n,
                        struct arena *a, const real *q, size_t ldq, const real *k, size_t ldk,
                        const real *v, size_t ldv, const real *probs, const real *dprobs,
                        const real *dcontext, size_t lddc, real *dq, size_t lddq,
                        real *dk, size_t lddk, real *dv, size_t lddv,
                        const struct attention_grad *g)
{
	const size_t d = at->width / at->heads;
	const real scale = score_scale(at);

	for (size_t i = 0; i < n; i++) {
		const struct attention_span *sp = &span[i];
		const size_t m = sp->memory_len, w = 1 + m, mark = arena_mark(a);
		real *ds = arena_alloc(a, sp->len * w * sizeof(real));

		for (size_t hd = 0; hd < at->heads; hd++) {
			const size_t col = hd * d;
			const real *qh = q + sp->first * ldq + col;
			const real *p = probs + sp->probs + hd * sp->len * w;
			const real *dch = dcontext + sp->first * lddc + col;
			real *dqh = dq + sp->first * lddq + col;

			if (m > 0) {
				kernels_gemm(false, true, sp->len, m, d, dch, lddc,
				             v + sp->memory * ldv + col, ldv, false, ds + 1, w);
				kernels_gemm(true, false, m, d, sp->len, p + 1, w, dch, lddc,
				             true, dv + sp->memory * lddv + col, lddv);
			}
			for (size_t r = 0; r < sp->len; r++) {
				real *dr = ds + r * w;
				const real *pr = p + r * w;

				dr[0] = kernels_dot(dch + r * lddc, at->null_value + col, d);
				kernels_axpy(g->null_value + col, pr[0], dch + r * lddc, d);
				if (dprobs && hd == at->heads - 1)
					kernels_axpy(dr, 1, dprobs + sp->probs / at->heads + r * w, w);

				real mean = kernels_dot(pr, dr, w);

				for (size_t j = 0; j < w; j++)
					dr[j] = pr[j] * (dr[j] - mean) * scale;
				kernels_axpy(g->null_key + col, dr[0], qh + r * ldq, d);
			}
			if (m > 0) {
				kernels_gemm(false, false, sp->len, d, m, ds + 1, w,
				             k + sp->memory * ldk + col, ldk, false, dqh, lddq);
				kernels_gemm(true, false, m, d, sp->len, ds + 1, w, qh, ldq,
				             true, dk + sp->memory * lddk + col, lddk);
			}
			for (size_t r = 0; r < sp->len; r++) {
				if (m == 0)
					memset(dqh + r * lddq, 0, d * sizeof(real));
				kernels_axpy(dqh + r * lddq, ds[r * w], at->null_key + col, d);
			}
		}
		arena_release(a, mark);
	}
}
