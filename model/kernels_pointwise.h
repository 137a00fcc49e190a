/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kernels_pointwise: template of what is done element by element: exponential,
 * sigmoid and tanh, the LSTM cell, dropout, Adam, vector arithmetic, bf16. */

/* ---- exponential and its kin ------------------------------------------------------
 * x = n ln 2 + r, |r| <= ln 2 / 2:  exp(x) = 2^n (1 + q),  q = expm1(r) = r + r^2 P(r).
 * P: minimax for the relative error of expm1, 1.4e-8. A NaN passes through all of it:
 * min and max give their second operand, and 2^n times NaN is NaN. */

/* For |x| < 88: *power = 2^n; returns q. */
INLINE vf exp_parts(vf x, vf *power)
{
	vi n = vi_nearest(v_mul(x, v_set(1.44269504f)));
	vf whole = vi_convert(n);
	vf r = v_fnma(whole, v_set(0.693359375f), x);
	vf p;

	r = v_fnma(whole, v_set(-2.12194440e-4f), r);
	p = v_fma(v_set(1.3882515213e-3f), r, v_set(8.3665471194e-3f));
	p = v_fma(p, r, v_set(4.1667200730e-2f));
	p = v_fma(p, r, v_set(1.6666543424e-1f));
	p = v_fma(p, r, v_set(4.9999998150e-1f));
	*power = vi_float(vi_left(vi_add(n, vi_set(127)), 23));
	return v_fma(v_mul(r, r), p, r);
}

/* Above 87.33 it stays at exp(87.33), below -87.33 it is zero. */
INLINE vf v_exp(vf x)
{
	const vf limit = v_set(87.33f);
	vf below = v_sub(v_set(0), limit), power, q;

	q = exp_parts(v_max(below, v_min(limit, x)), &power);
	return v_clear(mask_less(x, below), v_fma(power, q, power));
}

INLINE vf v_sigmoid(vf x)
{
	const vf limit = v_set(87.33f);
	vf power, q, minus = v_sub(v_set(0), x);

	minus = v_max(v_sub(v_set(0), limit), v_min(limit, minus));
	q = exp_parts(minus, &power);
	return v_div(v_set(1), v_add(v_set(1), v_fma(power, q, power)));
}

/* tanh |x| = e / (e + 2), e = expm1(2 |x|): no cancellation near zero. */
INLINE vf v_tanh(vf x)
{
	vi sign = vi_and(vi_bits(x), vi_set(INT32_MIN));
	vf size = vi_float(vi_and(vi_bits(x), vi_set(INT32_MAX)));
	vf power, q, e;

	q = exp_parts(v_min(v_set(40), v_add(size, size)), &power);
	e = v_fma(power, q, v_sub(power, v_set(1)));
	return vi_float(vi_or(vi_bits(v_div(e, v_add(e, v_set(2)))), sign));
}

INLINE void tanh_step(const float *x, float *y, size_t i, struct lanes l)
{
	put(y + i, l, v_tanh(get(x + i, l)));
}

static void tanh_vector(const real *x, real *y, size_t n)
{
	EACH_VECTOR(n, tanh_step, x, y);
}

/* The same bits as in the cell. */
static real sigmoid1(real x)
{
	float y[W];

	v_store(y, v_sigmoid(v_set(x)));
	return y[0];
}

/* ---- LSTM cell ---- */

INLINE void cell_step(size_t h, float *gates, const float *c_prev, float *c, float *tanh_c,
                      float *h_out, size_t j, struct lanes l)
{
	vf i = v_sigmoid(get(gates + j, l));
	vf f = v_sigmoid(get(gates + h + j, l));
	vf g = v_tanh(get(gates + 2 * h + j, l));
	vf o = v_sigmoid(get(gates + 3 * h + j, l));
	vf cell = v_fma(f, get(c_prev + j, l), v_mul(i, g));
	vf t = v_tanh(cell);

	put(gates + j, l, i);
	put(gates + h + j, l, f);
	put(gates + 2 * h + j, l, g);
	put(gates + 3 * h + j, l, o);
	put(c + j, l, cell);
	put(h_out + j, l, v_mul(o, t));
	if (tanh_c)
		put(tanh_c + j, l, t);
}

static void lstm_cell(size_t rows, size_t h, real *gates, const real *c_prev,
                      real *c, real *tanh_c, real *h_out)
{
	for (size_t r = 0; r < rows; r++) {
		EACH_VECTOR(h, cell_step, h, gates, c_prev, c, tanh_c, h_out);
		gates += 4 * h;
		c_prev += h;
		c += h;
		h_out += h;
		if (tanh_c)
			tanh_c += h;
	}
}

INLINE void cell_back_step(size_t h, const float *gates, const float *tanh_c,
                           const float *c_prev, const float *dh, float *dc, float *dgates,
                           size_t j, struct lanes l)
{
	const vf one = v_set(1);
	vf i = get(gates + j, l), f = get(gates + h + j, l);
	vf g = get(gates + 2 * h + j, l), o = get(gates + 3 * h + j, l);
	vf t = get(tanh_c + j, l), d = get(dh + j, l);
	/* dc + dh o (1 - t^2) */
	vf dcell = v_fma(v_mul(d, o), v_fnma(t, t, one), get(dc + j, l));
	vf di = v_mul(v_mul(v_mul(dcell, g), i), v_sub(one, i));
	vf df = v_mul(v_mul(v_mul(dcell, get(c_prev + j, l)), f), v_sub(one, f));
	vf dg = v_mul(v_mul(dcell, i), v_fnma(g, g, one));
	vf dout = v_mul(v_mul(v_mul(d, t), o), v_sub(one, o));

	put(dgates + j, l, di);
	put(dgates + h + j, l, df);
	put(dgates + 2 * h + j, l, dg);
	put(dgates + 3 * h + j, l, dout);
	put(dc + j, l, v_mul(dcell, f));
}

static void lstm_cell_backward(size_t rows, size_t h, const real *gates,
                               const real *tanh_c, const real *c_prev,
                               const real *dh, real *dc, real *dgates)
{
	for (size_t r = 0; r < rows; r++) {
		EACH_VECTOR(h, cell_back_step, h, gates + 4 * h * r, tanh_c + h * r,
		            c_prev + h * r, dh + h * r, dc + h * r, dgates + 4 * h * r);
	}
}

/* ---- vectors ---- */

/* Four sums, in an order fixed by n. */
static real dot(const real *x, const real *y, size_t n)
{
	vf a = v_set(0), b = a, c = a, d = a;
	size_t i = 0;

	for (; i + 4 * W <= n; i += 4 * W) {
		a = v_fma(v_load(x + i), v_load(y + i), a);
		b = v_fma(v_load(x + i + W), v_load(y + i + W), b);
		c = v_fma(v_load(x + i + 2 * W), v_load(y + i + 2 * W), c);
		d = v_fma(v_load(x + i + 3 * W), v_load(y + i + 3 * W), d);
	}
	for (; i + W <= n; i += W)
		a = v_fma(v_load(x + i), v_load(y + i), a);
	if (i < n) {
		struct lanes l = lanes_first(n - i);

		b = v_fma(get(x + i, l), get(y + i, l), b);
	}
	return v_sum(v_add(v_add(a, b), v_add(c, d)));
}

static double sumsq(const real *x, size_t n)
{
	struct wide even = wide_zero(), odd = even;
	size_t i = 0;

	for (; i + 2 * W <= n; i += 2 * W) {
		vf a = v_load(x + i), b = v_load(x + i + W);

		even = wide_fma(even, a, a);
		odd = wide_fma(odd, b, b);
	}
	for (; i < n; i += W) {
		vf a = get(x + i, n - i < W ? lanes_first(n - i) : lanes_all());

		even = wide_fma(even, a, a);
	}
	return wide_sum(even) + wide_sum(odd);
}

INLINE void axpy_step(float *y, vf alpha, const float *x, size_t i, struct lanes l)
{
	put(y + i, l, v_fma(alpha, get(x + i, l), get(y + i, l)));
}

static void axpy(real *y, real alpha, const real *x, size_t n)
{
	EACH_VECTOR(n, axpy_step, y, v_set(alpha), x);
}

INLINE void scale_step(float *x, vf alpha, size_t i, struct lanes l)
{
	put(x + i, l, v_mul(alpha, get(x + i, l)));
}

static void scale_vector(real *x, real alpha, size_t n)
{
	EACH_VECTOR(n, scale_step, x, v_set(alpha));
}

/* The bits of the largest absolute value; not finite from 0x7f800000 on. */
INLINE void largest_step(vi *top, const float *x, size_t i, struct lanes l)
{
	*top = vi_max(*top, vi_and(vi_bits(get(x + i, l)), vi_set(INT32_MAX)));
}

static bool finite_vector(const real *x, size_t n)
{
	vi top = vi_set(0);

	EACH_VECTOR(n, largest_step, &top, x);
	return vi_largest(top) < 0x7f800000;
}

/* ---- dropout and Adam ---- */

INLINE void dropout_step(float *x, int threshold, vf factor, uint64_t key, size_t i,
                         struct lanes l)
{
	vmask kept = mask_bytes_above(key, i, threshold - 1);

	put(x + i, l, v_keep(kept, v_mul(get(x + i, l), factor)));
}

static void dropout(real *x, size_t n, double p, uint64_t key)
{
	int threshold = (int)dropout_threshold(p);
	float factor = threshold < 256 ? 256 / (float)(256 - threshold) : 0;

	if (threshold > 0)
		EACH_VECTOR(n, dropout_step, x, threshold, v_set(factor), key);
}

struct adam {
	vf scale, lr, b1, c1, b2, c2, eps, decay;
};

INLINE void adam_step(float *w, float *m, float *v, const float *g, const struct adam *s,
                      size_t i, struct lanes l)
{
	vf d = v_mul(s->scale, get(g + i, l));
	vf m1 = v_fma(s->b1, get(m + i, l), v_mul(s->c1, d));
	vf v1 = v_fma(s->b2, get(v + i, l), v_mul(s->c2, v_mul(d, d)));
	vf old = get(w + i, l);
	vf step = v_div(v_mul(s->lr, m1), v_add(v_sqrt(v1), s->eps));

	put(m + i, l, m1);
	put(v + i, l, v1);
	put(w + i, l, v_sub(old, v_fma(s->decay, old, step)));
}

static void adam(real *w, real *m, real *v, const real *g, size_t n, real scale,
                 real lr, real b1, real b2, real eps, real decay)
{
	const struct adam s = { v_set(scale), v_set(lr), v_set(b1), v_set(1 - b1), v_set(b2),
	                        v_set(1 - b2), v_set(eps), v_set(decay) };

	EACH_VECTOR(n, adam_step, w, m, v, g, &s);
}

/* ---- bf16 ---- */

INLINE vi bf16_round(vf x)
{
	vi bits = vi_bits(x);
	vi half = vi_add(vi_set(0x7fff), vi_and(vi_right(bits, 16), vi_set(1)));
	vmask nan = mask_greater_int(vi_and(bits, vi_set(INT32_MAX)), vi_set(0x7f800000));

	/* rounding could make a NaN infinite: keep it, quiet */
	return vi_choose(nan, vi_or(vi_right(bits, 16), vi_set(0x40)),
	                 vi_right(vi_add(bits, half), 16));
}

static void to_bf16(const float *x, uint16_t *y, size_t n)
{
	size_t i = 0;

	for (; i + W <= n; i += W)
		vi_store_halves(y + i, bf16_round(v_load(x + i)));
	if (i < n) {
		uint16_t last[W];

		vi_store_halves(last, bf16_round(get(x + i, lanes_first(n - i))));
		memcpy(y + i, last, (n - i) * sizeof(*y));
	}
}

static void from_bf16(const uint16_t *x, float *y, size_t n)
{
	size_t i = 0;

	for (; i + W <= n; i += W)
		v_store(y + i, vi_float(vi_left(vi_load_halves(x + i), 16)));
	if (i < n) {
		uint16_t last[W] = { 0 };

		memcpy(last, x + i, (n - i) * sizeof(*x));
		put(y + i, lanes_first(n - i), vi_float(vi_left(vi_load_halves(last), 16)));
	}
}
