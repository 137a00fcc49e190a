/* SPDX-License-Identifier: GPL-3.0-or-later */
/* answer: the map, its training, its file. */
#include "answer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../src/base/mem.h"
#include "../src/base/rng.h"
#include "modelfile.h"

enum { D = ENCODER_DIM };
static const char format[] = "answerback-answer-1";

void answer_place(const struct answer_map *map, const float q[D], float out[D])
{
	double norm = 0;

	for (size_t k = 0; k < D; k++)
		out[k] = 0;
	for (size_t i = 0; i < D; i++)
		for (size_t k = 0; k < D; k++)
			out[k] += q[i] * map->m[i][k];
	for (size_t k = 0; k < D; k++)
		norm += (double)out[k] * (double)out[k];
	for (size_t k = 0; k < D && norm > 0; k++)
		out[k] = (float)((double)out[k] / sqrt(norm));
}

/* c[n, m] (+)= a[n, k] b[k, m]; each with its own rows' length. */
static void product(size_t n, size_t m, size_t k, const double *a, const double *b, double *c)
{
	for (size_t i = 0; i < n; i++) {
		for (size_t x = 0; x < k; x++) {
			const double f = a[i * k + x];

			for (size_t j = 0; j < m; j++)
				c[i * m + j] += f * b[x * m + j];
		}
	}
}

static double *transposed(size_t n, size_t m, const double *a)
{
	double *t = xreallocarray(NULL, n * m, sizeof(*t));

	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < m; j++)
			t[j * n + i] = a[i * m + j];
	return t;
}

static double *doubles(size_t n, const float *x)
{
	double *d = xreallocarray(NULL, n, sizeof(*d));

	for (size_t i = 0; i < n; i++)
		d[i] = (double)x[i];
	return d;
}

/* Adds weight * d loss / d s of one softmax (a row, or a column by its stride) to ds; returns -log of the i'th. */
static double softmax_loss(const double *s, size_t stride, size_t n, size_t i, double weight, double *ds)
{
	double most = -INFINITY, sum = 0;

	for (size_t j = 0; j < n; j++)
		most = fmax(most, s[j * stride]);
	for (size_t j = 0; j < n; j++)
		sum += exp(s[j * stride] - most);
	for (size_t j = 0; j < n; j++)
		ds[j * stride] += weight * (exp(s[j * stride] - most) / sum - (j == i ? 1 : 0));
	return log(sum) + most - s[i * stride];
}

double answer_loss(const double *m, size_t n, const float *q, const float *a, const uint32_t *id, double scale, double *grad,
                   size_t *right)
{
	double *qd = doubles(n * D, q), *ad = doubles(n * D, a), *at = transposed(n, D, ad);
	double *y = xcalloc(n * D, sizeof(*y)), *s = xcalloc(n * n, sizeof(*s)), *ds = xcalloc(n * n, sizeof(*ds));
	double *dz = xcalloc(n * D, sizeof(*dz)), *norm = xcalloc(n, sizeof(*norm)), loss = 0;
	size_t hits = 0;

	product(n, D, D, qd, m, y);
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < D; k++)
			norm[i] += y[i * D + k] * y[i * D + k];
		norm[i] = sqrt(norm[i]) + 1e-12;
		for (size_t k = 0; k < D; k++)
			y[i * D + k] /= norm[i];
	}
	product(n, n, D, y, at, s);
	for (size_t i = 0; i < n; i++) {
		size_t best = 0;

		for (size_t j = 0; j < n; j++) {
			s[i * n + j] = j != i && id[i] == id[j] ? -1e9 : scale * s[i * n + j];
			best = s[i * n + j] > s[i * n + best] ? j : best;
		}
		hits += best == i;
	}
	for (size_t i = 0; i < n; i++) {
		loss += softmax_loss(s + i * n, 1, n, i, 1 / (1.5 * (double)n), ds + i * n) / 1.5;
		loss += softmax_loss(s + i, n, n, i, 0.5 / (1.5 * (double)n), ds + i) * 0.5 / 1.5;
	}
	if (grad) {
		double *qt = transposed(n, D, qd);

		product(n, D, n, ds, ad, dz);
		for (size_t i = 0; i < n; i++) {
			double along = 0;

			for (size_t k = 0; k < D; k++)
				along += dz[i * D + k] * y[i * D + k];
			for (size_t k = 0; k < D; k++)
				dz[i * D + k] = scale * (dz[i * D + k] - along * y[i * D + k]) / norm[i];
		}
		memset(grad, 0, D * D * sizeof(*grad));
		product(D, D, n, qt, dz, grad);
		free(qt);
	}
	if (right)
		*right = hits;
	free(qd);
	free(ad);
	free(at);
	free(y);
	free(s);
	free(ds);
	free(dz);
	free(norm);
	return loss / (double)n;
}

void answer_train(struct answer_map *map, size_t n, const float *q, const float *a, const uint32_t *id, const struct answer_opts *o)
{
	const size_t b = o->batch < n ? o->batch : n;
	double *m = xcalloc(4 * D * D, sizeof(*m)), *grad = m + D * D, *first = grad + D * D, *second = first + D * D;
	float *bq = xreallocarray(NULL, 2 * b * D, sizeof(*bq)), *ba = bq + b * D;
	uint32_t *bid = xreallocarray(NULL, b, sizeof(*bid));
	double mean = 0, share = 0;
	struct rng r;

	rng_seed(&r, o->seed);
	for (size_t i = 0; i < D; i++)
		m[i * D + i] = 1;
	for (size_t t = 1; t <= o->steps; t++) {
		const double warm = fmin(1, (double)t / 100);
		const double rate = o->rate * warm * (0.02 + 0.49 * (1 + cos(M_PI * (double)t / (double)o->steps)));
		size_t right;
		double loss;

		for (size_t i = 0; i < b; i++) {
			const size_t k = rng_below(&r, n);

			memcpy(bq + i * D, q + k * D, D * sizeof(*bq));
			memcpy(ba + i * D, a + k * D, D * sizeof(*ba));
			bid[i] = id[k];
		}
		loss = answer_loss(m, b, bq, ba, bid, o->scale, grad, &right);
		for (size_t i = 0; i < D * D; i++) {
			first[i] = 0.9 * first[i] + 0.1 * grad[i];
			second[i] = 0.999 * second[i] + 0.001 * grad[i] * grad[i];
			m[i] -= rate * first[i] / (1 - pow(0.9, (double)t)) / (sqrt(second[i] / (1 - pow(0.999, (double)t))) + 1e-8);
		}
		mean += (t == 1 ? 1 : 0.01) * (loss - mean);
		share += (t == 1 ? 1 : 0.01) * ((double)right / (double)b - share);
		if (o->progress && (t % 500 == 0 || t == o->steps))
			o->progress(t, mean, share, o->arg);
	}
	for (size_t i = 0; i < D; i++)
		for (size_t k = 0; k < D; k++)
			map->m[i][k] = (float)m[i * D + k];
	free(m);
	free(bq);
	free(bid);
}

int answer_open(struct answer_map *map, const char *path, const char *version, struct err *e)
{
	struct modelfile *mf;
	const char *is, *of;
	int rc = modelfile_open(&mf, path, e);

	if (rc < 0)
		return rc;
	is = modelfile_meta(mf, "format");
	of = modelfile_meta(mf, "encoder");
	if (!is || strcmp(is, format) != 0 || !of)
		rc = err_set(e, ERR_FORMAT, "%s: not a map from messages to answers", path);
	else if (strcmp(of, version) != 0)
		rc = err_set(e, ERR_FORMAT, "%s: belongs to the encoder %.40s, not to %.40s", path, of, version);
	else if ((rc = modelfile_verify(mf, e)) == 0)
		rc = modelfile_read(mf, "map", D, D, map->m[0], e);
	modelfile_close(mf);
	return rc;
}

int answer_write(const struct answer_map *map, const char *path, const char *version, const char *training, struct err *e)
{
	const struct modelfile_tensor t = { "map", MODELFILE_BF16, D, D, map->m[0] };
	const struct modelfile_pair meta[] = { { "format", format }, { "encoder", version }, { "training", training } };

	return modelfile_write(path, &t, 1, meta, sizeof(meta) / sizeof(meta[0]), e);
}
