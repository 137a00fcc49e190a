/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kernels: chooses the path for this processor, forwards to its table, and holds
 * what is the same on every path: packing. */
#include "kernels.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels_table.h"

#if KERNELS_X86
#include <cpuid.h>
#endif

/* Written once, under kernels_init's once. */
static const struct kernels_table *table;
static char cpu_name[64] = "unknown";

/* ---- choice of path ---- */

#if KERNELS_X86
static bool have_avx2(void)
{
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static bool have_avx512(void)
{
	return have_avx2() && __builtin_cpu_supports("avx512f")
		&& __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")
		&& __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vnni");
}
#endif

static bool have_plain(void)
{
	return true;
}

/* Best first. */
static const struct path {
	const struct kernels_table *table;
	bool (*available)(void);
} paths[] = {
#if KERNELS_X86
	{ &kernels_avx512_table, have_avx512 },
	{ &kernels_avx2_table, have_avx2 },
#endif
	{ &kernels_plain_table, have_plain },
};

const struct kernels_table *kernels_table_find(const char *name)
{
#if KERNELS_X86
	__builtin_cpu_init();
#endif
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		if ((!name || !strcmp(name, paths[i].table->name)) && paths[i].available())
			return paths[i].table;
	return NULL;
}

static void read_cpu_name(void)
{
#if defined(__x86_64__) && KERNELS_X86
	unsigned r[12], a, b, c, d;
	char text[sizeof(r) + 1] = { 0 }, *from = text;
	size_t n;

	if (!__get_cpuid(0x80000000u, &a, &b, &c, &d) || a < 0x80000004u)
		return;
	for (unsigned i = 0; i < 3; i++)
		__get_cpuid(0x80000002u + i, r + 4 * i, r + 4 * i + 1, r + 4 * i + 2, r + 4 * i + 3);
	memcpy(text, r, sizeof(r));
	from += strspn(from, " ");
	n = strlen(from);
	while (n > 0 && from[n - 1] == ' ')
		from[--n] = '\0';
	if (n > 0)
		snprintf(cpu_name, sizeof(cpu_name), "%s", from);
#endif
}

static void choose(void)
{
	const char *wanted = getenv("ANSWERBACK_CPU");

	if (wanted && *wanted) {
		table = kernels_table_find(wanted);
		if (!table)
			fprintf(stderr, "answerback: ANSWERBACK_CPU=%.32s: this processor or this"
			        " program has no such path; using the best there is\n", wanted);
	}
	if (!table)
		table = kernels_table_find(NULL);
	read_cpu_name();
	kernels_blas_prepare();
}

void kernels_init(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, choose);
}

const char *kernels_path(void)
{
	return table->name;
}

const char *kernels_cpu_name(void)
{
	return cpu_name;
}

/* ---- packing ---- */

size_t kernels_panel(void)
{
	return table->panel;
}

size_t packed_elements(size_t k, size_t n)
{
	size_t panel = table->panel;

	return (n + panel - 1) / panel * panel * k;
}

void kernels_pack_panels(struct packed *dst, const real *w, size_t ldw, bool transposed,
                         size_t panel)
{
	enum { BLOCK = 8 };    /* inputs a block: both sides stay within few cache lines */
	size_t k = dst->k, n = dst->n;

	for (size_t j = 0; j < n; j += panel) {
		size_t cols = n - j < panel ? n - j : panel;
		real *out = dst->data + j * k;

		if (cols < panel)
			memset(out, 0, panel * k * sizeof(*out));
		if (!transposed) {
			for (size_t p = 0; p < k; p++)
				memcpy(out + p * panel, w + p * ldw + j, cols * sizeof(*out));
			continue;
		}
		for (size_t p = 0; p < k; p += BLOCK) {
			size_t end = k - p < BLOCK ? k : p + BLOCK;

			for (size_t l = 0; l < cols; l++)
				for (size_t q = p; q < end; q++)
					out[q * panel + l] = w[(j + l) * ldw + q];
		}
	}
}

void pack_weights(struct packed *dst, const real *w, size_t ldw, bool transposed)
{
	kernels_pack_panels(dst, w, ldw, transposed, table->panel);
}

size_t packed8_outputs(size_t n)
{
	return (n + PACKED8_PANEL - 1) / PACKED8_PANEL * PACKED8_PANEL;
}

size_t packed8_bytes(size_t k, size_t n)
{
	return packed8_outputs(n) * packed8_round_k(k);
}

/* ---- forwarding ---- */

void kernels_gemm_packed(size_t m, const struct packed *w, const real *a, size_t lda,
                         bool accumulate, real *c, size_t ldc)
{
	table->gemm_packed(m, w, a, lda, accumulate, c, ldc);
}

void kernels_gemm_rows(size_t m, size_t n, size_t k, const real *a, size_t lda,
                       const real *b, size_t ldb, bool accumulate, real *c, size_t ldc)
{
	table->gemm_rows(m, n, k, a, lda, b, ldb, accumulate, c, ldc);
}

real kernels_dot(const real *x, const real *y, size_t n)
{
	return table->dot(x, y, n);
}

double kernels_sumsq(const real *x, size_t n)
{
	return table->sumsq(x, n);
}

void kernels_axpy(real *y, real alpha, const real *x, size_t n)
{
	table->axpy(y, alpha, x, n);
}

void kernels_scale(real *x, real alpha, size_t n)
{
	table->scale(x, alpha, n);
}

bool kernels_finite(const real *x, size_t n)
{
	return table->finite(x, n);
}

void kernels_lstm_cell(size_t rows, size_t h, real *gates, const real *c_prev,
                       real *c, real *tanh_c, real *h_out)
{
	table->lstm_cell(rows, h, gates, c_prev, c, tanh_c, h_out);
}

void kernels_lstm_cell_backward(size_t rows, size_t h, const real *gates,
                                const real *tanh_c, const real *c_prev,
                                const real *dh, real *dc, real *dgates)
{
	table->lstm_cell_backward(rows, h, gates, tanh_c, c_prev, dh, dc, dgates);
}

void kernels_add_bias(size_t rows, size_t n, real *x, size_t ldx, const real *bias)
{
	table->add_bias(rows, n, x, ldx, bias);
}

void kernels_column_sums(size_t rows, size_t n, const real *x, size_t ldx, real *bias_grad)
{
	table->column_sums(rows, n, x, ldx, bias_grad);
}

void kernels_layernorm(size_t rows, size_t n, const real *x, const real *gain,
                       const real *bias, real *y, real *mean, real *rstd)
{
	table->layernorm(rows, n, x, gain, bias, y, mean, rstd);
}

void kernels_layernorm_backward(size_t rows, size_t n, const real *x, const real *gain,
                                const real *mean, const real *rstd, const real *dy,
                                real *dx, real *dgain, real *dbias)
{
	table->layernorm_backward(rows, n, x, gain, mean, rstd, dy, dx, dgain, dbias);
}

real kernels_softmax(real *x, size_t n)
{
	return table->softmax(x, n);
}

real kernels_logsumexp(const real *x, size_t n)
{
	return table->logsumexp(x, n);
}

void kernels_tanh(const real *x, real *y, size_t n)
{
	table->tanh(x, y, n);
}

real kernels_sigmoid1(real x)
{
	return table->sigmoid1(x);
}

void kernels_exp(const real *x, real *y, size_t n)
{
	table->exp(x, y, n);
}

void kernels_shift(real *x, real by, size_t n)
{
	table->shift(x, by, n);
}

size_t kernels_find_above(const real *x, const real *only, size_t n, size_t from, real bound)
{
	return table->find_above(x, only, n, from, bound);
}

size_t kernels_argmax(const real *x, size_t n)
{
	size_t best = 0, i = 1;

	while ((i = table->find_above(x, NULL, n, i, x[best])) < n)
		best = i++;
	return best;
}

void kernels_dropout(real *x, size_t n, double p, uint64_t key)
{
	table->dropout(x, n, p, key);
}

void kernels_adam(real *w, real *m, real *v, const real *g, size_t n, real scale,
                  real lr, real b1, real b2, real eps, real decay)
{
	table->adam(w, m, v, g, n, scale, lr, b1, b2, eps, decay);
}

void pack_weights8(struct packed8 *dst, const real *w, size_t ldw, bool transposed)
{
	table->pack8(dst, w, ldw, transposed);
}

void kernels_gemm_packed8(size_t m, const struct packed8 *w, const real *a, size_t lda,
                          bool accumulate, real *c, size_t ldc)
{
	_Alignas(64) int8_t scratch[32768];
	const size_t fit = sizeof(scratch) / packed8_stride(w->k + 1);

	assert(fit > 0);
	for (size_t i = 0, rows; i < m; i += rows) {
		rows = m - i < PACKED8_ROWS ? m - i : PACKED8_ROWS;
		rows = rows < fit ? rows : fit;
		table->gemm_packed8(rows, w, a + i * lda, lda, accumulate, c + i * ldc, ldc, scratch);
	}
}

void packed8_output(const struct packed8 *w, size_t output, real *x)
{
	const int8_t *lanes = w->data + output / PACKED8_PANEL * PACKED8_PANEL * packed8_round_k(w->k)
		+ output % PACKED8_PANEL * 4;

	for (size_t p = 0; p < w->k; p++)
		x[p] = (real)lanes[p / 4 * 4 * PACKED8_PANEL + p % 4] * (real)w->scale[output];
}

void kernels_to_bf16(const float *x, uint16_t *y, size_t n)
{
	table->to_bf16(x, y, n);
}

void kernels_from_bf16(const uint16_t *x, float *y, size_t n)
{
	table->from_bf16(x, y, n);
}
