/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_kernels_pointwise: everything of the kernels that is not a product, on every path
 * of this processor, against loops in double: precision, ends of the range, NaN, an
 * element's independence of its place, and that nothing outside an array is touched. */
#include "common_kernels.h"

#include <float.h>

static const size_t SIZES[] = { 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 47, 64, 65, 100, 257 };
enum { N_SIZES = sizeof(SIZES) / sizeof(SIZES[0]) };

/* ---- vectors ---- */

static void test_sums(void **state)
{
	(void)state;
	FOR_PATHS(t) {
		for (size_t z = 0; z < N_SIZES; z++) {
			size_t n = SIZES[z];
			uint64_t s = n;
			real *x = numbers(n, 2, &s), *y = numbers(n, 2, &s), *bias = numbers(n, 2, &s);
			real *aligned = room(n * sizeof(real)), *m = numbers(5 * (n + 3), 1, &s);
			real *was = copy_numbers(bias, n);
			double dot = 0, squares = 0, size = 0;

			for (size_t i = 0; i < n; i++) {
				dot += (double)x[i] * (double)y[i];
				size += fabs((double)x[i] * (double)y[i]);
				squares += (double)x[i] * (double)x[i];
			}
			check_near((double)t->dot(x, y, n), dot, size, t->name, "dot", n);
			check_near(t->sumsq(x, n), squares, squares, t->name, "sumsq", n);
			memcpy(aligned, x, n * sizeof(real));
			assert_true(t->dot(aligned, y, n) == t->dot(x, y, n));
			assert_true(t->sumsq(aligned, n) == t->sumsq(x, n));
			t->column_sums(5, n, m, n + 3, bias);
			for (size_t j = 0; j < n; j++) {
				double sum = (double)was[j];

				for (size_t r = 0; r < 5; r++)
					sum += (double)m[r * (n + 3) + j];
				check_near((double)bias[j], sum, 7, t->name, "column_sums", j);
			}
			check_guards(bias, n);
			t->add_bias(5, n, m, n + 3, x);
			check_guards(m, 5 * (n + 3));
			drop(x);
			drop(y);
			drop(bias);
			drop(was);
			drop(m);
			free(aligned);
		}
	}
}

static void test_axpy_scale_bias(void **state)
{
	(void)state;
	FOR_PATHS(t) {
		for (size_t z = 0; z < N_SIZES; z++) {
			size_t n = SIZES[z], ld = n + 3;
			uint64_t s = n + 50;
			real *x = numbers(n, 2, &s), *y = numbers(n, 2, &s), *was = copy_numbers(y, n);
			real *m = numbers(3 * ld, 2, &s), *m0 = copy_numbers(m, 3 * ld);

			t->axpy(y, (real)0.7, x, n);
			for (size_t i = 0; i < n; i++)
				check_near((double)y[i], (double)was[i] + (double)((real)0.7 * x[i]), 4,
				           t->name, "axpy", i);
			memcpy(y, was, n * sizeof(*y));
			t->scale(y, (real)-1.25, n);
			for (size_t i = 0; i < n; i++)
				check_near((double)y[i], -1.25 * (double)was[i], 3, t->name, "scale", i);
			t->add_bias(3, n, m, ld, x);
			for (size_t i = 0; i < 3 * ld; i++)
				assert_true(m[i] == (i % ld < n ? m0[i] + x[i % ld] : m0[i]));
			check_guards(y, n);
			check_guards(m, 3 * ld);
			drop(x);
			drop(y);
			drop(was);
			drop(m);
			drop(m0);
		}
	}
}

static void test_finite(void **state)
{
	(void)state;
	FOR_PATHS(t) {
		for (size_t z = 0; z < N_SIZES; z++) {
			size_t n = SIZES[z];
			uint64_t s = n;
			real *x = numbers(n, 1e30, &s);

			assert_true(t->finite(x, n));
			for (size_t i = 0; i < n; i++) {
				static const real bad[3] = { (real)NAN, (real)INFINITY, (real)-INFINITY };
				real was = x[i];

				x[i] = bad[i % 3];
				assert_false(t->finite(x, n));
				x[i] = was;
			}
			drop(x);
		}
		assert_true(t->finite(NULL, 0));
	}
}

/* ---- functions ---- */

static double relative(double got, double want)
{
	return fabs(got - want) / (fabs(want) + 1e-37);
}

static void test_tanh_sigmoid_precision(void **state)
{
	(void)state;
	FOR_PATHS(t) {
		double worst_tanh = 0, worst_sigmoid = 0;
		uint64_t s = 11;

		for (int i = 0; i < 200000; i++) {
			/* every magnitude from 1e-8 to 80 */
			double u = (double)uniform(&s), sign = next(&s) & 1 ? 1 : -1;
			real x = (real)(sign * exp(log(1e-8) + (u + 1) / 2 * log(80 / 1e-8))), y;
			double e;

			t->tanh(&x, &y, 1);
			e = relative((double)y, tanh((double)x));
			worst_tanh = e > worst_tanh ? e : worst_tanh;
			e = relative((double)t->sigmoid1(x), 1 / (1 + exp(-(double)x)));
			worst_sigmoid = e > worst_sigmoid ? e : worst_sigmoid;
		}
		print_message("%s: relative error of tanh %.2g, of sigmoid %.2g\n", t->name,
		              worst_tanh, worst_sigmoid);
		assert_true(worst_tanh < 1e-6);
		assert_true(worst_sigmoid < 1e-6);
	}
}

/* exp and shift element by element, wherever an element stands. */
static void test_exp_shift(void **state)
{
	enum { N = 77 };

	(void)state;
	FOR_PATHS(t) {
		uint64_t s = 21;
		real *x = numbers(N, 20, &s), *y = numbers(N, 1, &s), *z = copy_numbers(x, N), alone;

		x[3] = z[3] = -200;
		x[5] = z[5] = 0;
		t->exp(x, y, N);
		for (size_t i = 0; i < N; i++) {
			t->exp(x + i, &alone, 1);
			assert_memory_equal(&alone, y + i, sizeof(alone));
			assert_true(relative((double)y[i] + 1e-30, exp((double)x[i]) + 1e-30) < 1e-6);
		}
		assert_true(y[5] == 1);
		check_guards(y, N);
		t->shift(z, (real)-1.25, N);
		for (size_t i = 0; i < N; i++)
			assert_true(z[i] == x[i] + (real)-1.25);
		check_guards(z, N);
		drop(x);
		drop(y);
		drop(z);
	}
}

/* Every place is found, in order, and nothing else; equal is not above. */
static void test_find_above(void **state)
{
	(void)state;
	FOR_PATHS(t) {
		uint64_t s = 22;

		for (size_t n = 1; n < 70; n += 3) {
			real *x = numbers(n, 1, &s), *only = numbers(n, 1, &s);
			const real bound = x[next(&s) % n];

			if (n > 9)
				x[9] = (real)NAN;
			for (int masked = 0; masked < 2; masked++) {
				size_t at = 0;

				for (size_t i = 0; i < n; i++) {
					if (!(x[i] > bound) || (masked && !(only[i] > 0)))
						continue;
					at = t->find_above(x, masked ? only : NULL, n, at, bound);
					assert_int_equal(at, i);
					at++;
				}
				assert_int_equal(t->find_above(x, masked ? only : NULL, n, at, bound), n);
				assert_int_equal(t->find_above(x, masked ? only : NULL, n, 0, (real)INFINITY), n);
			}
			drop(x);
			drop(only);
		}
	}
	const real few[] = { -3, 7, 2, 7, (real)-INFINITY };

	kernels_init();
	assert_int_equal(kernels_argmax(few, 5), 1);
	assert_int_equal(kernels_argmax(few + 4, 1), 0);
}

static void test_tanh_sigmoid_ends(void **state)
{
	static const real ends[] = { 0, 1e-30f, 20, 88, 90, 1e4f, FLT_MAX, (real)INFINITY };

	(void)state;
	FOR_PATHS(t) {
		for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
			real x[2] = { ends[i], -ends[i] }, y[2];

			t->tanh(x, y, 2);
			assert_true(y[0] == -y[1]);
			assert_true(ends[i] > 10 ? fabs((double)y[0] - 1) < 1e-6 : y[0] == x[0]);
			assert_true(fabs((double)t->sigmoid1(x[0]) - (i < 2 ? 0.5 : 1)) < 1e-6);
			assert_true(fabs((double)t->sigmoid1(x[1]) - (i < 2 ? 0.5 : 0)) < 1e-6);
		}
	}
}

/* A NaN anywhere comes out where it went in; elements do not depend on their place. */
static void test_tanh_place_and_nan(void **state)
{
	enum { N = 67 };

	(void)state;
	FOR_PATHS(t) {
		uint64_t s = 12;
		real *x = numbers(N, 4, &s), *y = numbers(N, 1, &s), alone;

		x[0] = x[33] = x[66] = (real)NAN;
		t->tanh(x, y, N);
		for (size_t i = 0; i < N; i++) {
			t->tanh(x + i, &alone, 1);
			assert_true(isnan(x[i]) ? isnan(y[i]) && isnan(alone)
			                        : !memcmp(&alone, y + i, sizeof(alone)));
		}
		assert_true(isnan(t->sigmoid1((real)NAN)));
		check_guards(y, N);
		t->tanh(x, x, N);         /* may alias */
		for (size_t i = 0; i < N; i++)
			assert_true(isnan(y[i]) ? isnan(x[i]) : x[i] == y[i]);
		drop(x);
		drop(y);
	}
}

static void test_softmax(void **state)
{
	static const size_t sizes[] = { 1, 2, 7, 8, 9, 16, 17, 33, 500, 8001 };

	(void)state;
	FOR_PATHS(t) {
		for (size_t z = 0; z < sizeof(sizes) / sizeof(sizes[0]); z++) {
			size_t n = sizes[z];
			uint64_t s = n + 3;
			real *x = numbers(n, 12, &s), *y, log_sum;
			double sum = 0;

			if (n > 8)
				x[n - 1] = x[3] = (real)-INFINITY;    /* masked */
			for (size_t i = 0; i < n; i++)
				sum += exp((double)x[i]);
			y = copy_numbers(x, n);
			log_sum = t->softmax(y, n);
			check_near((double)log_sum, log(sum), 13, t->name, "softmax sum", n);
			check_near((double)t->logsumexp(x, n), log(sum), 13, t->name, "logsumexp", n);
			for (size_t i = 0; i < n; i++) {
				double want = exp((double)x[i]) / sum;

				check_near((double)y[i], want, want, t->name, "softmax", i);
				if (isinf(x[i]))
					assert_true(y[i] == 0);
			}
			check_guards(y, n);
			x[n / 2] = (real)NAN;
			assert_true(isnan(t->logsumexp(x, n)));
			assert_true(isnan(t->softmax(x, n)));
			for (size_t i = 0; i < n; i++)
				assert_true(isnan(x[i]));
			drop(x);
			drop(y);
		}
	}
}

static void test_softmax_far_apart(void **state)
{
	(void)state;
	FOR_PATHS(t) {
		real x[20], y[20];

		for (int i = 0; i < 20; i++)
			x[i] = y[i] = (real)(i == 13 ? 3000 : -3000 - i);
		assert_true(t->softmax(x, 20) == 3000);
		assert_true(t->logsumexp(y, 20) == 3000);
		for (int i = 0; i < 20; i++)
			assert_true(x[i] == (i == 13 ? 1 : 0));
	}
}

/* ---- LSTM cell ---- */

static double sigmoid(double x)
{
	return 1 / (1 + exp(-x));
}

static void check_cell(const struct kernels_table *t, size_t rows, size_t h)
{
	uint64_t s = rows * 100 + h;
	size_t n = rows * h;
	real *gates = numbers(4 * n, 5, &s), *pre = copy_numbers(gates, 4 * n);
	real *c_prev = numbers(n, 2, &s), *c = numbers(n, 1, &s), *tc = numbers(n, 1, &s);
	real *out = numbers(n, 1, &s), *dh = numbers(n, 1, &s), *dc = numbers(n, 1, &s);
	real *dg = numbers(4 * n, 1, &s), *dc0 = copy_numbers(dc, n), *dc2 = copy_numbers(dc, n);

	t->lstm_cell(rows, h, gates, c_prev, c, tc, out);
	t->lstm_cell_backward(rows, h, gates, tc, c_prev, dh, dc, dg);
	for (size_t at = 0; at < n; at++) {
		size_t r = at / h, j = at % h, g0 = r * 4 * h + j;
		double i = sigmoid((double)pre[g0]), f = sigmoid((double)pre[g0 + h]);
		double g = tanh((double)pre[g0 + 2 * h]), o = sigmoid((double)pre[g0 + 3 * h]);
		double cell = f * (double)c_prev[at] + i * g, ct = tanh(cell);
		double d = (double)dc0[at] + (double)dh[at] * o * (1 - ct * ct);

		check_near((double)gates[g0], i, 1, t->name, "i", at);
		check_near((double)gates[g0 + h], f, 1, t->name, "f", at);
		check_near((double)gates[g0 + 2 * h], g, 1, t->name, "g", at);
		check_near((double)gates[g0 + 3 * h], o, 1, t->name, "o", at);
		check_near((double)c[at], cell, 3, t->name, "c", at);
		check_near((double)tc[at], ct, 1, t->name, "tanh c", at);
		check_near((double)out[at], o * ct, 1, t->name, "h", at);
		check_near((double)dg[g0], d * g * i * (1 - i), 1, t->name, "di", at);
		check_near((double)dg[g0 + h], d * (double)c_prev[at] * f * (1 - f), 1, t->name, "df", at);
		check_near((double)dg[g0 + 2 * h], d * i * (1 - g * g), 1, t->name, "dg", at);
		check_near((double)dg[g0 + 3 * h], (double)dh[at] * ct * o * (1 - o), 1, t->name, "do", at);
		check_near((double)dc[at], d * f, 2, t->name, "dc", at);
	}
	/* in place, and without tanh_c: the same bits */
	t->lstm_cell_backward(rows, h, gates, tc, c_prev, dh, dc2, gates);
	assert_memory_equal(gates, dg, 4 * n * sizeof(real));
	assert_memory_equal(dc, dc2, n * sizeof(real));
	t->lstm_cell(rows, h, pre, c_prev, dc2, NULL, dh);
	assert_memory_equal(dc2, c, n * sizeof(real));
	assert_memory_equal(dh, out, n * sizeof(real));
	check_guards(gates, 4 * n);
	check_guards(c, n);
	check_guards(tc, n);
	check_guards(out, n);
	check_guards(dc, n);
	check_guards(dg, 4 * n);
	drop(gates);
	drop(pre);
	drop(c_prev);
	drop(c);
	drop(tc);
	drop(out);
	drop(dh);
	drop(dc);
	drop(dg);
	drop(dc0);
	drop(dc2);
}

static void test_lstm_cell(void **state)
{
	(void)state;
	FOR_PATHS(t)
		for (size_t z = 0; z < N_SIZES; z++)
			check_cell(t, 1 + z % 4, SIZES[z]);
}

static void test_lstm_cell_keeps_nan(void **state)
{
	enum { H = 19 };

	(void)state;
	FOR_PATHS(t) {
		for (size_t at = 0; at < 5 * H; at++) {
			uint64_t s = at;
			real *gates = numbers(4 * H, 1, &s), *c_prev = numbers(H, 1, &s);
			real c[H], tc[H], h[H];

			if (at < 4 * H)
				gates[at] = (real)NAN;
			else
				c_prev[at % H] = (real)NAN;
			t->lstm_cell(1, H, gates, c_prev, c, tc, h);
			for (size_t j = 0; j < H; j++)
				assert_true(!isnan(h[j]) == (j != at % H));
			assert_true(!isnan(c[at % H]) == (at / H == 3));    /* o is not in c */
			drop(gates);
			drop(c_prev);
		}
	}
}

/* ---- layer norm ---- */

static void check_layernorm(const struct kernels_table *t, size_t rows, size_t n)
{
	uint64_t s = rows * 77 + n;
	real *x = numbers(rows * n, 3, &s), *gain = numbers(n, 2, &s), *bias = numbers(n, 1, &s);
	real *y = numbers(rows * n, 1, &s), *mean = numbers(rows, 1, &s), *rstd = numbers(rows, 1, &s);
	real *dy = numbers(rows * n, 1, &s), *dx = numbers(rows * n, 1, &s);
	real *dgain = numbers(n, 1, &s), *dbias = numbers(n, 1, &s);
	double *want_gain = room(n * sizeof(double)), *want_bias = room(n * sizeof(double));

	for (size_t j = 0; j < n; j++) {
		want_gain[j] = (double)dgain[j];
		want_bias[j] = (double)dbias[j];
	}
	t->layernorm(rows, n, x, gain, bias, y, mean, rstd);
	t->layernorm_backward(rows, n, x, gain, mean, rstd, dy, dx, dgain, dbias);
	for (size_t r = 0; r < rows; r++) {
		const real *row = x + r * n, *d = dy + r * n;
		double mu = 0, var = 0, inverse, u = 0, uz = 0;

		for (size_t j = 0; j < n; j++)
			mu += (double)row[j] / (double)n;
		for (size_t j = 0; j < n; j++)
			var += ((double)row[j] - mu) * ((double)row[j] - mu) / (double)n;
		inverse = 1 / sqrt(var + 1e-5);
		check_near((double)mean[r], mu, 3, t->name, "mean", r);
		if (n == 1)
			continue;    /* rstd is 316 there: the rounding of the mean shows */
		check_near((double)rstd[r], inverse, 4 * inverse, t->name, "rstd", r);
		for (size_t j = 0; j < n; j++) {
			double z = ((double)row[j] - mu) * inverse;

			u += (double)gain[j] * (double)d[j] / (double)n;
			uz += (double)gain[j] * (double)d[j] * z / (double)n;
			want_gain[j] += (double)d[j] * z;
			want_bias[j] += (double)d[j];
			check_near((double)y[r * n + j], (double)gain[j] * z + (double)bias[j],
			           6 + 6 * inverse, t->name, "layernorm", j);
		}
		for (size_t j = 0; j < n; j++) {
			double z = ((double)row[j] - mu) * inverse;

			check_near((double)dx[r * n + j],
			           inverse * ((double)gain[j] * (double)d[j] - u - z * uz),
			           8 * inverse * (1 + inverse), t->name, "dx", j);
		}
	}
	for (size_t j = 0; j < n && n > 1; j++) {
		check_near((double)dgain[j], want_gain[j], 20, t->name, "dgain", j);
		check_near((double)dbias[j], want_bias[j], 10, t->name, "dbias", j);
	}
	/* dx may alias dy */
	t->layernorm_backward(rows, n, x, gain, mean, rstd, dy, dy, dgain, dbias);
	assert_memory_equal(dy, dx, rows * n * sizeof(real));
	check_guards(y, rows * n);
	check_guards(dx, rows * n);
	check_guards(mean, rows);
	check_guards(rstd, rows);
	check_guards(dgain, n);
	check_guards(dbias, n);
	x[(rows - 1) * n + n / 2] = (real)NAN;
	t->layernorm(rows, n, x, gain, bias, y, mean, rstd);
	for (size_t i = 0; i < rows * n; i++)
		assert_true(!isnan(y[i]) == (i / n != rows - 1));
	free(want_gain);
	free(want_bias);
	drop(x);
	drop(gain);
	drop(bias);
	drop(y);
	drop(mean);
	drop(rstd);
	drop(dy);
	drop(dx);
	drop(dgain);
	drop(dbias);
}

static void test_layernorm(void **state)
{
	(void)state;
	FOR_PATHS(t)
		for (size_t z = 0; z < N_SIZES; z++)
			check_layernorm(t, 1 + z % 3, SIZES[z]);
}

/* ---- dropout and Adam ---- */

static void test_dropout(void **state)
{
	static const double rates[] = { 0, 0.001, 0.1, 0.25, 0.5, 0.9, 1 };

	(void)state;
	FOR_PATHS(t) {
		for (size_t z = 0; z < N_SIZES; z++) {
			size_t n = SIZES[z];
			double p = rates[z % 7];
			int threshold = (int)floor(p * 256 + 0.5);
			uint64_t s = n, key = next(&s);
			real *x = numbers(n, 3, &s), *was = copy_numbers(x, n);

			t->dropout(x, n, p, key);
			for (size_t i = 0; i < n; i++) {
				int byte = (int)(rng_hash(key, i / 8) >> i % 8 * 8 & 255);

				if (byte < threshold)
					assert_true(x[i] == 0);
				else
					check_near((double)x[i], (double)was[i] * 256 / (256 - threshold),
					           (double)was[i], t->name, "dropout", i);
			}
			check_guards(x, n);
			drop(x);
			drop(was);
		}
	}
}

static void test_adam(void **state)
{
	(void)state;
	FOR_PATHS(t) {
		for (size_t z = 0; z < N_SIZES; z++) {
			size_t n = SIZES[z];
			uint64_t s = n + 9;
			real *w = numbers(n, 1, &s), *m = numbers(n, 1, &s), *v = numbers(n, 1, &s);
			real *g = numbers(n, 1, &s), *w0, *m0 = copy_numbers(m, n), *v0;
			real tail[3];

			for (size_t i = 0; i < n; i++)
				v[i] = v[i] * v[i];
			v0 = copy_numbers(v, n);
			w0 = copy_numbers(w, n);
			t->adam(w, m, v, g, n, (real)0.5, (real)0.01, (real)0.9, (real)0.98, (real)1e-6,
			        (real)0.001);
			for (size_t i = 0; i < n; i++) {
				double d = 0.5 * (double)g[i];
				double m1 = 0.9 * (double)m0[i] + 0.1 * d;
				double v1 = 0.98 * (double)v0[i] + 0.02 * d * d;
				double size = 1 + fabs((double)m0[i]) / (sqrt(v1) + 1e-6);

				check_near((double)m[i], m1, 1, t->name, "adam m", i);
				check_near((double)v[i], v1, 1, t->name, "adam v", i);
				check_near((double)w[i], (double)w0[i] - 0.01 * m1 / (sqrt(v1) + 1e-6)
				           - 0.001 * (double)w0[i], size, t->name, "adam w", i);
			}
			/* the last element alone: the same bits */
			tail[0] = w0[n - 1];
			tail[1] = m0[n - 1];
			tail[2] = v0[n - 1];
			t->adam(tail, tail + 1, tail + 2, g + n - 1, 1, (real)0.5, (real)0.01, (real)0.9,
			        (real)0.98, (real)1e-6, (real)0.001);
			assert_true(tail[0] == w[n - 1] && tail[1] == m[n - 1] && tail[2] == v[n - 1]);
			check_guards(w, n);
			check_guards(m, n);
			check_guards(v, n);
			drop(w);
			drop(m);
			drop(v);
			drop(g);
			drop(w0);
			drop(m0);
			drop(v0);
		}
	}
}

/* ---- bf16 ---- */

static void test_bf16(void **state)
{
	(void)state;
	FOR_PATHS(t) {
		for (uint32_t bits = 0; bits < 65536; bits += 17) {
			uint16_t in[17], back[19] = { 0 };
			float x[17];

			for (uint32_t i = 0; i < 17; i++)
				in[i] = (uint16_t)(bits + i);
			back[17] = back[18] = 0x1234;
			t->from_bf16(in, x, 17);
			t->to_bf16(x, back, 17);
			for (uint32_t i = 0; i < 17; i++) {
				bool nan = (in[i] & 0x7fff) > 0x7f80;

				assert_int_equal(back[i], nan ? in[i] | 0x40 : in[i]);
				assert_true(!isnan(x[i]) == !nan);
			}
			assert_int_equal(back[17], 0x1234);
		}
	}
}

static void test_bf16_rounds_to_even(void **state)
{
	static const uint32_t in[] = { 0x3f808000, 0x3f818000, 0x3f808001, 0x3f807fff, 0x7f7fffff,
	                               0x7fbfffff, 0xff800001, 0x00008000, 0x80018000 };
	static const uint16_t want[] = { 0x3f80, 0x3f82, 0x3f81, 0x3f80, 0x7f80, 0x7fff, 0xffc0,
	                                 0x0000, 0x8002 };

	(void)state;
	FOR_PATHS(t) {
		float x[9];
		uint16_t y[9];

		memcpy(x, in, sizeof(x));
		t->to_bf16(x, y, 9);
		for (size_t i = 0; i < 9; i++)
			assert_int_equal(y[i], want[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sums),
		cmocka_unit_test(test_axpy_scale_bias),
		cmocka_unit_test(test_finite),
		cmocka_unit_test(test_tanh_sigmoid_precision),
		cmocka_unit_test(test_exp_shift),
		cmocka_unit_test(test_find_above),
		cmocka_unit_test(test_tanh_sigmoid_ends),
		cmocka_unit_test(test_tanh_place_and_nan),
		cmocka_unit_test(test_softmax),
		cmocka_unit_test(test_softmax_far_apart),
		cmocka_unit_test(test_lstm_cell),
		cmocka_unit_test(test_lstm_cell_keeps_nan),
		cmocka_unit_test(test_layernorm),
		cmocka_unit_test(test_dropout),
		cmocka_unit_test(test_adam),
		cmocka_unit_test(test_bf16),
		cmocka_unit_test(test_bf16_rounds_to_even),
	};

	kernels_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
