/* SPDX-License-Identifier: GPL-3.0-or-later */
/* memory_learn: logistic regression with a few dozen features. */
#include "memory_learn.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

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

static void write_weights(FILE *f, const char *name, const double weights[F_COUNT])
{
	fprintf(f, "\t.%s = {\n", name);
	for (size_t i = 0; i < N; i++)
		fprintf(f, "\t\t%.4f,%*s/* %s */\n", weights[i], 10 - snprintf(NULL, 0, "%.4f", weights[i]), "", memory_feature_names[i]);
	fputs("\t},\n", f);
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
	write_weights(f, "sure", w->sure);
	fputs("};\n\n#endif\n", f);
	if (ferror(f) | fclose(f))
		return err_set(e, ERR_IO, "%s could not be written to its end", path);
	return 0;
}
