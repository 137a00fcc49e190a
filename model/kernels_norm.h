/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kernels_norm: template of what needs a sum over a row or a column: biases, layer
 * norm, softmax. Sums over a row are kept in double: rows of 8,000 logits lose
 * nothing, and the cost disappears beside the exponentials. */

INLINE void add_step(float *x, const float *y, size_t i, struct lanes l)
{
	put(x + i, l, v_add(get(x + i, l), get(y + i, l)));
}

static void add_bias(size_t rows, size_t n, real *x, size_t ldx, const real *bias)
{
	for (size_t r = 0; r < rows; r++)
		EACH_VECTOR(n, add_step, x + r * ldx, bias);
}

/* Rows are added in their order, whatever the column. */
INLINE void column_step(size_t rows, const float *x, size_t ldx, float *grad, size_t i,
                        struct lanes l)
{
	vf sum = v_set(0);

	for (size_t r = 0; r < rows; r++)
		sum = v_add(sum, get(x + r * ldx + i, l));
	put(grad + i, l, v_add(get(grad + i, l), sum));
}

static void column_sums(size_t rows, size_t n, const real *x, size_t ldx, real *bias_grad)
{
	size_t j = 0;

	for (; j + 4 * W <= n; j += 4 * W) {
		vf a = v_set(0), b = a, c = a, d = a;

		for (size_t r = 0; r < rows; r++) {
			const float *row = x + r * ldx + j;

			a = v_add(a, v_load(row));
			b = v_add(b, v_load(row + W));
			c = v_add(c, v_load(row + 2 * W));
			d = v_add(d, v_load(row + 3 * W));
		}
		v_store(bias_grad + j, v_add(v_load(bias_grad + j), a));
		v_store(bias_grad + j + W, v_add(v_load(bias_grad + j + W), b));
		v_store(bias_grad + j + 2 * W, v_add(v_load(bias_grad + j + 2 * W), c));
		v_store(bias_grad + j + 3 * W, v_add(v_load(bias_grad + j + 3 * W), d));
	}
	EACH_VECTOR(n - j, column_step, rows, x + j, ldx, bias_grad + j);
}

/* ---- layer norm ---- */

INLINE void sum_step(struct wide *sum, const float *x, size_t i, struct lanes l)
{
	*sum = wide_add(*sum, get(x + i, l));
}

/* Lanes that are not there must not count: they hold zero, not the mean. */
INLINE void deviation_step(struct wide *sum, const float *x, vf mean, size_t i, struct lanes l)
{
	vf d = v_sub(get(x + i, l), mean);

	if (!l.all)
		d = v_keep(l.mask, d);
	*sum = wide_fma(*sum, d, d);
}

INLINE void norm_step(float *y, const float *x, const float *gain, const float *bias, vf mean,
                      vf rstd, size_t i, struct lanes l)
{
	vf z = v_mul(v_sub(get(x + i, l), mean), rstd);

	put(y + i, l, v_fma(get(gain + i, l), z, get(bias + i, l)));
}

static void layernorm(size_t rows, size_t n, const real *x, const real *gain,
                      const real *bias, real *y, real *mean, real *rstd)
{
	for (size_t r = 0; r < rows; r++, x += n, y += n) {
		struct wide sum = wide_zero(), squares = sum;

		EACH_VECTOR(n, sum_step, &sum, x);
		mean[r] = (float)(wide_sum(sum) / (double)n);
		EACH_VECTOR(n, deviation_step, &squares, x, v_set(mean[r]));
		rstd[r] = (float)(1 / sqrt(wide_sum(squares) / (double)n + 1e-5));
		EACH_VECTOR(n, norm_step, y, x, gain, bias, v_set(mean[r]), v_set(rstd[r]));
	}
}

/* With u = gain dy, z = (x - mean) rstd:  dx = rstd (u - avg(u) - z avg(u z)). */
struct norm_row {
	const float *x, *gain, *dy;
	float *dx, *dgain, *dbias;
	vf mean, rstd, avg_u, avg_uz;
	struct wide sum_u, sum_uz;
};

INLINE void norm_sums_step(struct norm_row *s, size_t i, struct lanes l)
{
	vf z = v_mul(v_sub(get(s->x + i, l), s->mean), s->rstd);
	vf d = get(s->dy + i, l);
	vf u = v_mul(get(s->gain + i, l), d);

	/* in lanes that are not there u is zero, z finite unless the row is lost anyway */
	s->sum_u = wide_add(s->sum_u, u);
	s->sum_uz = wide_fma(s->sum_uz, u, z);
	put(s->dgain + i, l, v_fma(d, z, get(s->dgain + i, l)));
	put(s->dbias + i, l, v_add(get(s->dbias + i, l), d));
}

INLINE void norm_dx_step(struct norm_row *s, size_t i, struct lanes l)
{
	vf z = v_mul(v_sub(get(s->x + i, l), s->mean), s->rstd);
	vf u = v_mul(get(s->gain + i, l), get(s->dy + i, l));

	put(s->dx + i, l, v_mul(s->rstd, v_fnma(z, s->avg_uz, v_sub(u, s->avg_u))));
}

static void layernorm_backward(size_t rows, size_t n, const real *x, const real *gain,
                               const real *mean, const real *rstd, const real *dy,
                               real *dx, real *dgain, real *dbias)
{
	for (size_t r = 0; r < rows; r++) {
		struct norm_row s = {
			.x = x + r * n, .gain = gain, .dy = dy + r * n, .dx = dx + r * n,
			.dgain = dgain, .dbias = dbias,
			.mean = v_set(mean[r]), .rstd = v_set(rstd[r]),
			.sum_u = wide_zero(), .sum_uz = wide_zero(),
		};

		EACH_VECTOR(n, norm_sums_step, &s);
		s.avg_u = v_set((float)(wide_sum(s.sum_u) / (double)n));
		s.avg_uz = v_set((float)(wide_sum(s.sum_uz) / (double)n));
		EACH_VECTOR(n, norm_dx_step, &s);
	}
}

/* ---- softmax ---- */

/* A NaN may be skipped here: the exponentials bring it back. */
static float largest(const float *x, size_t n)
{
	vf top = v_set(x[0]), second = top;
	size_t i = 0;

	for (; i + 2 * W <= n; i += 2 * W) {
		top = v_max(top, v_load(x + i));
		second = v_max(second, v_load(x + i + W));
	}
	for (; i + W <= n; i += W)
		top = v_max(top, v_load(x + i));
	top = v_max(top, second);
	if (i < n) {
		vmask m = mask_first(n - i);
		vf last = v_load_part(x + i, m);

		/* where nothing is there, what is known already */
		top = v_max(top, vi_float(vi_or(vi_bits(v_keep(m, last)),
		                                vi_bits(v_clear(m, top)))));
	}
	return v_largest(top);
}

INLINE vf exp_step(struct wide *sum, const float *x, vf top, size_t i, struct lanes l)
{
	vf e = v_exp(v_sub(get(x + i, l), top));

	if (!l.all)
		e = v_keep(l.mask, e);
	*sum = wide_add(*sum, e);
	return e;
}

INLINE void softmax_step(struct wide *sum, float *x, vf top, size_t i, struct lanes l)
{
	put(x + i, l, exp_step(sum, x, top, i, l));
}

static real softmax(real *x, size_t n)
{
	struct wide sum = wide_zero();
	float top = largest(x, n);
	double total;

	EACH_VECTOR(n, softmax_step, &sum, x, v_set(top));
	total = wide_sum(sum);
	scale_vector(x, (float)(1 / total), n);
	return top + (float)log(total);
}

static real logsumexp(const real *x, size_t n)
{
	struct wide sum = wide_zero();
	float top = largest(x, n);

	EACH_VECTOR(n, exp_step, &sum, x, v_set(top));
	return top + (float)log(wide_sum(sum));
}
