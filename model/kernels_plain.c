/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kernels_plain: every kernel in portable C, for processors without AVX2, for the
 * double build of the gradient checks, and as what the vector paths are tested
 * against. Clear before fast: the inner loops are left to the compiler. */
#include "kernels_table.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "../src/base/rng.h"

#ifdef __clang__
#pragma STDC FP_CONTRACT OFF
#endif

enum { PANEL = 16, LANES = 8 };

/* ---- products ---- */

/* One row times one panel: sum[j] = x . b[:, j], over k in order. */
static void row_panel(size_t k, const real *x, const real *b, size_t ldb, real sum[PANEL])
{
	for (size_t j = 0; j < PANEL; j++)
		sum[j] = 0;
	for (size_t p = 0; p < k; p++)
		for (size_t j = 0; j < PANEL; j++)
			sum[j] += x[p] * b[p * ldb + j];
}

/* The same for the last, narrower columns of a matrix that is not padded. */
static void row_columns(size_t k, size_t cols, const real *x, const real *b, size_t ldb,
                        real sum[PANEL])
{
	for (size_t j = 0; j < cols; j++)
		sum[j] = 0;
	for (size_t p = 0; p < k; p++)
		for (size_t j = 0; j < cols; j++)
			sum[j] += x[p] * b[p * ldb + j];
}

static void store_columns(const real *sum, size_t cols, bool accumulate, real *c)
{
	for (size_t j = 0; j < cols; j++)
		c[j] = accumulate ? c[j] + sum[j] : sum[j];
}

static void gemm_packed(size_t m, const struct packed *w, const real *a, size_t lda,
                        bool accumulate, real *c, size_t ldc)
{
	real sum[PANEL];

	for (size_t j = 0; j < w->n; j += PANEL) {
		const real *b = w->data + j * w->k;
		size_t cols = w->n - j < PANEL ? w->n - j : PANEL;

		for (size_t i = 0; i < m; i++) {
			row_panel(w->k, a + i * lda, b, PANEL, sum);
			store_columns(sum, cols, accumulate, c + i * ldc + j);
		}
	}
}

static void gemm_rows(size_t m, size_t n, size_t k, const real *a, size_t lda,
                      const real *b, size_t ldb, bool accumulate, real *c, size_t ldc)
{
	real sum[PANEL];

	for (size_t j = 0; j < n; j += PANEL) {
		size_t cols = n - j < PANEL ? n - j : PANEL;

		for (size_t i = 0; i < m; i++) {
			if (cols == PANEL)
				row_panel(k, a + i * lda, b + j, ldb, sum);
			else
				row_columns(k, cols, a + i * lda, b + j, ldb, sum);
			store_columns(sum, cols, accumulate, c + i * ldc + j);
		}
	}
}

/* ---- vectors ---- */

static real dot(const real *x, const real *y, size_t n)
{
	real lane[LANES] = { 0 };
	real sum = 0;
	size_t i = 0;

	for (; i + LANES <= n; i += LANES)
		for (size_t l = 0; l < LANES; l++)
			lane[l] += x[i + l] * y[i + l];
	for (size_t l = 0; i < n; i++, l++)
		lane[l] += x[i] * y[i];
	for (size_t l = 0; l < LANES; l++)
		sum += lane[l];
	return sum;
}

static double sumsq(const real *x, size_t n)
{
	double lane[LANES] = { 0 };
	double sum = 0;
	size_t i = 0;

	for (; i + LANES <= n; i += LANES)
		for (size_t l = 0; l < LANES; l++)
			lane[l] += (double)x[i + l] * (double)x[i + l];
	for (size_t l = 0; i < n; i++, l++)
		lane[l] += (double)x[i] * (double)x[i];
	for (size_t l = 0; l < LANES; l++)
		sum += lane[l];
	return sum;
}

static void axpy(real *y, real alpha, const real *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		y[i] += alpha * x[i];
}

static void scale_vector(real *x, real alpha, size_t n)
{
	for (size_t i = 0; i < n; i++)
		x[i] *= alpha;
}

static bool finite_vector(const real *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isfinite(x[i]))
			return false;
	return true;
}

static real sigmoid1(real x)
{
	return 1 / (1 + REAL_EXP(-x));
}

static void tanh_vector(const real *x, real *y, size_t n)
{
	for (size_t i = 0; i < n; i++)
		y[i] = REAL_TANH(x[i]);
}

/* ---- LSTM cell ---- */

static void lstm_cell(size_t rows, size_t h, real *gates, const real *c_prev,
                      real *c, real *tanh_c, real *h_out)
{
	for (size_t r = 0; r < rows; r++) {
		real *gi = gates + r * 4 * h, *gf = gi + h, *gg = gf + h, *go = gg + h;

		for (size_t j = 0; j < h; j++) {
			size_t at = r * h + j;
			real cell, t;

			gi[j] = sigmoid1(gi[j]);
			gf[j] = sigmoid1(gf[j]);
			gg[j] = REAL_TANH(gg[j]);
			go[j] = sigmoid1(go[j]);
			cell = gf[j] * c_prev[at] + gi[j] * gg[j];
			t = REAL_TANH(cell);
			c[at] = cell;
			h_out[at] = go[j] * t;
			if (tanh_c)
				tanh_c[at] = t;
		}
	}
}

static void lstm_cell_backward(size_t rows, size_t h, const real *gates,
                               const real *tanh_c, const real *c_prev,
                               const real *dh, real *dc, real *dgates)
{
	for (size_t r = 0; r < rows; r++) {
		const real *g = gates + r * 4 * h;
		real *dg = dgates + r * 4 * h;

		for (size_t j = 0; j < h; j++) {
			size_t at = r * h + j;
			real i = g[j], f = g[h + j], u = g[2 * h + j], o = g[3 * h + j];
			real t = tanh_c[at];
			real dcell = dc[at] + dh[at] * o * (1 - t * t);

			dg[j] = dcell * u * i * (1 - i);
			dg[h + j] = dcell * c_prev[at] * f * (1 - f);
			dg[2 * h + j] = dcell * i * (1 - u * u);
			dg[3 * h + j] = dh[at] * t * o * (1 - o);
			dc[at] = dcell * f;
		}
	}
}

/* ---- rows ---- */

static void add_bias(size_t rows, size_t n, real *x, size_t ldx, const real *bias)
{
	for (size_t r = 0; r < rows; r++)
		for (size_t j = 0; j < n; j++)
			x[r * ldx + j] += bias[j];
}

static void column_sums(size_t rows, size_t n, const real *x, size_t ldx, real *bias_grad)
{
	real sum[PANEL];

	for (size_t j = 0; j < n; j += PANEL) {
		size_t cols = n - j < PANEL ? n - j : PANEL;

		memset(sum, 0, sizeof(sum));
		for (size_t r = 0; r < rows; r++)
			for (size_t l = 0; l < cols; l++)
				sum[l] += x[r * ldx + j + l];
		for (size_t l = 0; l < cols; l++)
			bias_grad[j + l] += sum[l];
	}
}

static void layernorm(size_t rows, size_t n, const real *x, const real *gain,
                      const real *bias, real *y, real *mean, real *rstd)
{
	for (size_t r = 0; r < rows; r++, x += n, y += n) {
		double sum = 0, squares = 0;
		real mu, inverse;

		for (size_t j = 0; j < n; j++)
			sum += (double)x[j];
		mu = (real)(sum / (double)n);
		for (size_t j = 0; j < n; j++)
			squares += (double)(x[j] - mu) * (double)(x[j] - mu);
		inverse = (real)(1 / sqrt(squares / (double)n + 1e-5));
		for (size_t j = 0; j < n; j++)
			y[j] = gain[j] * ((x[j] - mu) * inverse) + bias[j];
		mean[r] = mu;
		rstd[r] = inverse;
	}
}

/* With u = gain dy, z = (x - mean) rstd:  dx = rstd (u - avg(u) - z avg(u z)). */
static void layernorm_backward(size_t rows, size_t n, const real *x, const real *gain,
                               const real *mean, const real *rstd, const real *dy,
                               real *dx, real *dgain, real *dbias)
{
	for (size_t r = 0; r < rows; r++, x += n, dy += n, dx += n) {
		double sum_u = 0, sum_uz = 0;
		real avg_u, avg_uz;

		for (size_t j = 0; j < n; j++) {
			real z = (x[j] - mean[r]) * rstd[r];
			real u = gain[j] * dy[j];

			sum_u += (double)u;
			sum_uz += (double)u * (double)z;
			dgain[j] += dy[j] * z;
			dbias[j] += dy[j];
		}
		avg_u = (real)(sum_u / (double)n);
		avg_uz = (real)(sum_uz / (double)n);
		for (size_t j = 0; j < n; j++) {
			real z = (x[j] - mean[r]) * rstd[r];

			dx[j] = rstd[r] * (gain[j] * dy[j] - avg_u - z * avg_uz);
		}
	}
}

/* A NaN may be skipped here: the exponentials bring it back. */
static real largest(const real *x, size_t n)
{
	real top = x[0];

	for (size_t i = 1; i < n; i++)
		if (x[i] > top)
			top = x[i];
	return top;
}

static real softmax(real *x, size_t n)
{
	real top = largest(x, n), inverse;
	double sum = 0;

	for (size_t i = 0; i < n; i++) {
		x[i] = REAL_EXP(x[i] - top);
		sum += (double)x[i];
	}
	inverse = (real)(1 / sum);
	for (size_t i = 0; i < n; i++)
		x[i] *= inverse;
	return top + (real)log(sum);
}

static real logsumexp(const real *x, size_t n)
{
	real top = largest(x, n);
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (double)REAL_EXP(x[i] - top);
	return top + (real)log(sum);
}

static void dropout(real *x, size_t n, double p, uint64_t key)
{
	unsigned threshold = dropout_threshold(p);
	real factor = threshold < 256 ? 256 / (real)(256 - threshold) : 0;

	if (threshold == 0)
		return;
	for (size_t i = 0; i < n; i += 8) {
		uint64_t bits = rng_hash(key, i / 8);

		for (size_t j = i; j < n && j < i + 8; j++, bits >>= 8)
			x[j] = (bits & 255) >= threshold ? x[j] * factor : 0;
	}
}

static void adam(real *w, real *m, real *v, const real *g, size_t n, real scale,
                 real lr, real b1, real b2, real eps, real decay)
{
	for (size_t i = 0; i < n; i++) {
		real d = scale * g[i];

		m[i] = b1 * m[i] + (1 - b1) * d;
		v[i] = b2 * v[i] + (1 - b2) * (d * d);
		w[i] -= lr * m[i] / (REAL_SQRT(v[i]) + eps) + decay * w[i];
	}
}

/* ---- whole distributions ---- */

static void exp_vector(const real *x, real *y, size_t n)
{
	for (size_t i = 0; i < n; i++)
		y[i] = REAL_EXP(x[i]);
}

static void shift_vector(real *x, real by, size_t n)
{
	for (size_t i = 0; i < n; i++)
		x[i] += by;
}

static size_t find_above(const real *x, const real *only, size_t n, size_t from, real bound)
{
	for (size_t i = from; i < n; i++)
		if (x[i] > bound && (!only || only[i] > 0))
			return i;
	return n;
}

/* ---- 8-bit weights ---- */

/* Scale of a vector whose largest absolute value is `top` and becomes `most`, and what to multiply by to
 * quantise it. Floats on every path, so that the bytes are the same everywhere. */
static float scale8(float top, float most, float *inverse)
{
	*inverse = 0;
	if (!isfinite(top))
		return NAN;
	if (top < PACKED8_TINY)
		return 0;
	*inverse = most / top;
	return top / most;
}

/* The larger absolute value; infinity once something is not finite. */
static float wider8(float top, real x)
{
	float size = fabsf((float)x);

	return !isfinite(size) ? INFINITY : size > top ? size : top;
}

static int8_t byte8(real x, float inverse)
{
	return inverse > 0 ? (int8_t)lrintf((float)x * inverse) : 0;
}

static void pack8(struct packed8 *dst, const real *w, size_t ldw, bool transposed)
{
	size_t k = dst->k, kr = packed8_round_k(k);
	size_t step_k = transposed ? 1 : ldw, step_n = transposed ? ldw : 1;

	memset(dst->data, 0, packed8_bytes(k, dst->n));
	for (size_t j = 0; j < packed8_outputs(dst->n); j++) {
		int8_t *panel = dst->data + j / PACKED8_PANEL * PACKED8_PANEL * kr
			+ j % PACKED8_PANEL * 4;
		const real *col = w + j * step_n;
		float top = 0, inverse;
		int32_t sum = 0;

		dst->scale[j] = 0;
		dst->rowsum[j] = 0;
		if (j >= dst->n)
			continue;
		for (size_t p = 0; p < k; p++)
			top = wider8(top, col[p * step_k]);
		dst->scale[j] = scale8(top, PACKED8_WEIGHT, &inverse);
		for (size_t p = 0; p < k; p++) {
			int8_t q = byte8(col[p * step_k], inverse);

			panel[p / 4 * 4 * PACKED8_PANEL + p % 4] = q;
			sum += q;
		}
		dst->rowsum[j] = sum;
	}
}

static void gemm_packed8(size_t m, const struct packed8 *w, const real *a, size_t lda,
                         bool accumulate, real *c, size_t ldc, void *scratch)
{
	size_t kr = packed8_round_k(w->k);
	int8_t *q = scratch;

	assert(w->k <= 65536);    /* int32 sums cannot overflow */
	for (size_t i = 0; i < m; i++, a += lda, c += ldc) {
		float top = 0, inverse, scale;

		for (size_t p = 0; p < w->k; p++)
			top = wider8(top, a[p]);
		scale = scale8(top, PACKED8_ACTIVATION, &inverse);
		for (size_t p = 0; p < kr; p++)
			q[p] = p < w->k ? byte8(a[p], inverse) : 0;
		for (size_t j = 0; j < w->n; j++) {
			const int8_t *b = w->data + j / PACKED8_PANEL * PACKED8_PANEL * kr
				+ j % PACKED8_PANEL * 4;
			int32_t sum = 0;
			float both = scale * w->scale[j], y;

			for (size_t p = 0; p < kr; p += 4, b += 4 * PACKED8_PANEL)
				sum += q[p] * b[0] + q[p + 1] * b[1] + q[p + 2] * b[2]
					+ q[p + 3] * b[3];
			y = (float)sum * both;
			c[j] = accumulate ? c[j] + (real)y : (real)y;
		}
	}
}

/* ---- formats ---- */

static void to_bf16(const float *x, uint16_t *y, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t u;

		memcpy(&u, x + i, sizeof(u));
		if ((u & 0x7fffffffu) > 0x7f800000u)
			y[i] = (uint16_t)(u >> 16 | 0x40);      /* rounding could make it infinite */
		else
			y[i] = (uint16_t)((u + 0x7fff + (u >> 16 & 1)) >> 16);
	}
}

static void from_bf16(const uint16_t *x, float *y, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t u = (uint32_t)x[i] << 16;

		memcpy(y + i, &u, sizeof(u));
	}
}

const struct kernels_table kernels_plain_table = {
	.name = "plain",
	.panel = PANEL,
	.gemm_packed = gemm_packed,
	.gemm_rows = gemm_rows,
	.dot = dot,
	.sumsq = sumsq,
	.axpy = axpy,
	.scale = scale_vector,
	.finite = finite_vector,
	.lstm_cell = lstm_cell,
	.lstm_cell_backward = lstm_cell_backward,
	.add_bias = add_bias,
	.column_sums = column_sums,
	.layernorm = layernorm,
	.layernorm_backward = layernorm_backward,
	.softmax = softmax,
	.logsumexp = logsumexp,
	.tanh = tanh_vector,
	.exp = exp_vector,
	.shift = shift_vector,
	.find_above = find_above,
	.sigmoid1 = sigmoid1,
	.dropout = dropout,
	.adam = adam,
	.pack8 = pack8,
	.gemm_packed8 = gemm_packed8,
	.to_bf16 = to_bf16,
	.from_bf16 = from_bf16,
};
