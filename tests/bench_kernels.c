/* SPDX-License-Identifier: GPL-3.0-or-later */
/* bench_kernels: GFLOP/s of the packed product beside OpenBLAS, and times of the other
 * kernels, one thread. Each figure is the best of several rounds that alternate
 * between the two, because the machine may be shared. Not a test: built by hand.
 *     bench_kernels [seconds for each figure] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../model/kernels.h"

enum { ROUNDS = 7 };

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void *room(size_t bytes)
{
	void *p = aligned_alloc(64, (bytes + 127) / 64 * 64);

	if (!p)
		exit(1);
	memset(p, 0, bytes);
	return p;
}

static real *random_reals(size_t n)
{
	real *x = room(n * sizeof(*x));
	uint64_t s = 88172645463325252u;

	for (size_t i = 0; i < n; i++) {
		s ^= s << 13;
		s ^= s >> 7;
		s ^= s << 17;
		x[i] = (real)(s % 2001) / 1000 - 1;
	}
	return x;
}

struct product {
	size_t m, n, k, lda, ldc;
	real *a, *b, *c;
	struct packed w;
	struct packed8 w8;
};

static void run_packed(struct product *p)
{
	kernels_gemm_packed(p->m, &p->w, p->a, p->lda, false, p->c, p->ldc);
}

static void run_rows(struct product *p)
{
	kernels_gemm_rows(p->m, p->n, p->k, p->a, p->lda, p->b, p->n, false, p->c, p->ldc);
}

static void run_blas(struct product *p)
{
	kernels_gemm(false, false, p->m, p->n, p->k, p->a, p->lda, p->b, p->n, false, p->c, p->ldc);
}

static void run_bytes(struct product *p)
{
	kernels_gemm_packed8(p->m, &p->w8, p->a, p->lda, false, p->c, p->ldc);
}

static double best(void (*run)(struct product *), struct product *p, double seconds, double before)
{
	double t0, t;
	size_t n = 1;

	run(p);
	for (;;) {
		t0 = now();
		for (size_t i = 0; i < n; i++)
			run(p);
		t = now() - t0;
		if (t > seconds)
			break;
		n = t > seconds / 100 ? (size_t)((double)n * 1.2 * seconds / t) + 1 : n * 10;
	}
	t /= (double)n;
	return before > 0 && before < t ? before : t;
}

static void bench_product(size_t m, size_t n, size_t k, double seconds)
{
	struct product p = { .m = m, .n = n, .k = k, .lda = k + 16, .ldc = n + 16 };
	void (*const runs[4])(struct product *) = { run_packed, run_rows, run_blas, run_bytes };
	double t[4] = { 0 }, flop = 2 * (double)m * (double)n * (double)k * 1e-9;

	p.a = random_reals(m * p.lda);
	p.b = random_reals(k * n);
	p.c = random_reals(m * p.ldc);
	p.w = (struct packed){ room(packed_elements(k, n) * sizeof(real)), k, n };
	pack_weights(&p.w, p.b, n, false);
	p.w8 = (struct packed8){ room(packed8_bytes(k, n)), room(packed8_outputs(n) * 4),
	                         room(packed8_outputs(n) * 4), k, n };
	pack_weights8(&p.w8, p.b, n, false);
	for (int r = 0; r < ROUNDS; r++)
		for (int i = 0; i < 4; i++)
			t[i] = best(runs[i], &p, seconds, t[i]);
	printf("%5zu %5zu %5zu  %8.1f %8.1f %8.1f %8.1f   %6.2f  %9.1f %9.1f\n", m, n, k,
	       flop / t[0], flop / t[1], flop / t[2], flop / t[3], t[2] / t[0],
	       t[0] * 1e6, t[3] * 1e6);
	free(p.a);
	free(p.b);
	free(p.c);
	free(p.w.data);
	free(p.w8.data);
	free(p.w8.scale);
	free(p.w8.rowsum);
}

int main(int argc, char **argv)
{
	static const size_t shapes[][3] = {
		{ 1024, 1024, 1024 },
		{ 512, 512, 128 }, { 512, 1024, 256 }, { 1024, 2048, 512 }, { 768, 2048, 640 },
		{ 512, 8000, 128 }, { 512, 500, 333 }, { 128, 2048, 512 },
		{ 1, 2048, 512 }, { 2, 2048, 512 }, { 3, 2048, 512 }, { 4, 2048, 512 },
		{ 5, 2048, 512 }, { 6, 2048, 512 }, { 8, 2048, 512 }, { 16, 2048, 512 }, { 32, 2048, 512 },
		{ 1, 1024, 256 }, { 2, 1024, 256 }, { 4, 1024, 256 }, { 8, 1024, 256 }, { 32, 1024, 256 },
		{ 1, 2048, 1024 }, { 8, 2048, 1024 }, { 1, 512, 256 }, { 4, 512, 256 }, { 8, 512, 256 },
		{ 1, 8000, 256 },
	};
	double seconds = argc > 1 ? atof(argv[1]) : 0.01;

	kernels_init();
	printf("%s, path %s\n", kernels_cpu_name(), kernels_path());
	printf("    m     n     k    packed     rows OpenBLAS     int8   packed/  packed us   int8 us\n"
	       "                    GFLOP/s                     GOP/s   OpenBLAS\n");
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		bench_product(shapes[i][0], shapes[i][1], shapes[i][2], seconds);
	return 0;
}
