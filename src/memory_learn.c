/* SPDX-License-Identifier: GPL-3.0-or-later */
/* memory_learn: logistic regression with a few dozen features, and nets of a few units that start from it. */
#include "memory_learn.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/rng.h"

enum { N = F_COUNT, STEPS = 30 };

/* Solve a x = b for a symmetric positive a, by Cholesky; b becomes x. */
static void solve(double a[N][N], double b[N])
{
	for (size_t i = 0; i < N; i++)
		for (size_t j = 0; j <= i; j++) {
			double sum = a[i][j];

			for (size_t k = 0; k < j; k++)
				sum -= a[i][k] * a[j][k];
			a[i][j] = i == j ? sqrt(sum > 1e-12 ? sum : 1e-12) : sum / a[j][j];
		}
	for (size_t i = 0; i < N; i++) {
		for (size_t k = 0; k < i; k++)
			b[i] -= a[i][k] * b[k];
		b[i] /= a[i][i];
	}
	for (size_t i = N; i-- > 0;) {
		for (size_t k = i + 1; k < N; k++)
			b[i] -= a[k][i] * b[k];
		b[i] /= a[i][i];
	}
}

void memory_learn(const struct memory_sample *s, size_t n, double ridge, double weights[F_COUNT])
{
	memset(weights, 0, N * sizeof(*weights));
	for (size_t step = 0; step < STEPS; step++) {
		double h[N][N] = { { 0 } }, g[N];

		for (size_t i = 0; i < N; i++) {
			const double pull = i == F_ONE ? 1e-6 : ridge;

			g[i] = -pull * weights[i];
			h[i][i] = pull;
		}
		for (size_t k = 0; k < n; k++) {
			const double p = memory_probability(weights, s[k].feature), miss = s[k].weight * ((s[k].same ? 1 : 0) - p);
			const double curve = s[k].weight * p * (1 - p) + 1e-9;

			for (size_t i = 0; i < N; i++) {
				g[i] += miss * s[k].feature[i];
				for (size_t j = 0; j <= i; j++)
					h[i][j] += curve * s[k].feature[i] * s[k].feature[j];
			}
		}
		solve(h, g);
		for (size_t i = 0; i < N; i++)
			weights[i] += g[i];
	}
}

void memory_learn_net(const struct memory_sample *s, size_t n, const double start[F_COUNT], uint64_t seed, struct memory_net *net)
{
	enum { SIZE = sizeof(*net) / sizeof(double), ROUNDS = 500 };
	static const double decay_in = 0.04, decay_straight = 0.02, rate = 0.02;
	double *w = (double *)net, m[SIZE] = { 0 }, v[SIZE] = { 0 }, whole = 0;
	struct rng r;

	rng_seed(&r, seed);
	for (size_t u = 0; u < MEMORY_UNITS; u++) {
		for (size_t i = 0; i < N; i++)
			net->in[u][i] = 0.3 * rng_normal(&r);
		net->out[u] = 0.1 * rng_normal(&r);
	}
	memcpy(net->straight, start, sizeof(net->straight));
	for (size_t k = 0; k < n; k++)
		whole += s[k].weight;
	for (size_t round = 1; round <= ROUNDS; round++) {
		struct memory_net g = { .out = { 0 } };
		const double *gw = (const double *)&g;

		for (size_t k = 0; k < n; k++) {
			const double *f = s[k].feature;
			double h[MEMORY_UNITS], z = 0, d;

			for (size_t u = 0; u < MEMORY_UNITS; u++) {
				double sum = 0;

				for (size_t i = 0; i < N; i++)
					sum += net->in[u][i] * f[i];
				h[u] = tanh(sum);
				z += net->out[u] * h[u];
			}
			for (size_t i = 0; i < N; i++)
				z += net->straight[i] * f[i];
			d = s[k].weight / whole * (1 / (1 + exp(-z)) - (s[k].same ? 1 : 0));
			for (size_t u = 0; u < MEMORY_UNITS; u++) {
				const double du = d * net->out[u] * (1 - h[u] * h[u]);

				g.out[u] += d * h[u];
				for (size_t i = 0; i < N; i++)
					g.in[u][i] += du * f[i];
			}
			for (size_t i = 0; i < N; i++)
				g.straight[i] += d * f[i];
		}
		for (size_t i = 0; i < SIZE; i++) {
			const bool straight = i >= SIZE - N;
			const double slope = gw[i] + (straight ? decay_straight * 0.01 : decay_in * 0.01) * w[i];

			m[i] = 0.9 * m[i] + 0.1 * slope;
			v[i] = 0.99 * v[i] + 0.01 * slope * slope;
			w[i] -= rate * (1 - (double)round / (ROUNDS + 1)) * (m[i] / (1 - pow(0.9, (double)round))) /
				(sqrt(v[i] / (1 - pow(0.99, (double)round))) + 1e-9);
		}
	}
}

static void write_weights(FILE *f, const char *name, const double weights[F_COUNT])
{
	fprintf(f, "\t.%s = {\n", name);
	for (size_t i = 0; i < N; i++)
		fprintf(f, "\t\t%.4f,%*s/* %s */\n", weights[i], 10 - snprintf(NULL, 0, "%.4f", weights[i]), "", memory_feature_names[i]);
	fputs("\t},\n", f);
}

static void write_row(FILE *f, const char *before, const double *v, size_t n, const char *after)
{
	fprintf(f, "%s{", before);
	for (size_t i = 0; i < n; i++)
		fprintf(f, "%s%.4g%s", i > 0 && i % 12 == 0 ? "\n\t\t    " : i > 0 ? " " : " ", v[i], i + 1 < n ? "," : "");
	fprintf(f, " }%s\n", after);
}

int memory_learn_write(const char *path, const struct memory_weights *w, double bar, struct err *e)
{
	FILE *f = fopen(path, "w");

	if (!f)
		return err_set(e, ERR_IO, "%s cannot be written: %s", path, strerror(errno));
	fprintf(f, "/* SPDX-License-Identifier: GPL-3.0-or-later */\n"
	        "/* memory_fit: weights of the features of memory_pair.h, and the bar; written by\n"
	        " *     answerback eval --memory --fit src/memory_fit.h data/facts.jsonl\n"
	        " * and not by hand. */\n"
	        "#ifndef ANSWERBACK_MEMORY_FIT_H\n#define ANSWERBACK_MEMORY_FIT_H\n\n#include \"memory_pair.h\"\n\n"
	        "#define MEMORY_BAR %.2f\n\nstatic const struct memory_weights memory_fit = {\n", bar);
	write_weights(f, "rank", w->rank);
	fputs("\t.sure = {\n", f);
	for (size_t k = 0; k < MEMORY_NETS; k++) {
		fputs("\t\t{", f);
		for (size_t u = 0; u < MEMORY_UNITS; u++)
			write_row(f, u == 0 ? " {" : "\t\t  ", w->sure[k].in[u], N, u + 1 == MEMORY_UNITS ? " }," : ",");
		write_row(f, "\t\t  ", w->sure[k].out, MEMORY_UNITS, ",");
		write_row(f, "\t\t  ", w->sure[k].straight, N, " },");
	}
	fputs("\t},\n", f);
	fputs("};\n\n#endif\n", f);
	if (ferror(f) | fclose(f))
		return err_set(e, ERR_IO, "%s could not be written to its end", path);
	return 0;
}
