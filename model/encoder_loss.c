/* SPDX-License-Identifier: GPL-3.0-or-later */
/* encoder_loss: the right partner among all others of the batch (InfoNCE: van den Oord et al. 2018), by the texts'
 * vectors and by their words. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../src/base/mem.h"
#include "encoder_private.h"
#include "kernels.h"

enum { D = ENCODER_DIM };

void encoder_loss_fini(struct encoder_loss *l)
{
	mem_aligned_free(l->sim);
	mem_aligned_free(l->score);
	mem_aligned_free(l->dscore);
	memset(l, 0, sizeof(*l));
}

static void grow(real **p, size_t *cap, size_t n)
{
	if (n <= *cap)
		return;
	mem_aligned_free(*p);
	*p = mem_aligned(mem_mul(n, sizeof(real)));
	*cap = n;
}

/* score: [n, n]; row a and column a are those of pair a. Cross entropy of both ways, as a part of
 * the mean over all pairs; dscore overwritten. */
static double cross_entropy(struct encoder_loss *l, size_t n, const uint32_t *group, double temperature, double *right)
{
	const double share = 0.5 / (double)l->pairs / temperature;
	double loss = 0;

	memset(l->dscore, 0, n * n * sizeof(real));
	for (int way = 0; way < 2; way++)
		for (size_t a = 0; a < n; a++) {
			const size_t step = way ? n : 1, first = way ? a : a * n;
			const double own = (double)l->score[a * n + a] / temperature;
			double sum = 0, top = own;
			bool best = true;

			for (size_t b = 0; b < n; b++) {
				const double s = (double)l->score[first + b * step] / temperature;

				if (b != a && group[b] == group[a])
					continue;
				best = best && (b == a || s < own);
				top = s > top ? s : top;
			}
			for (size_t b = 0; b < n; b++)
				if (b == a || group[b] != group[a])
					sum += exp((double)l->score[first + b * step] / temperature - top);
			loss += 0.5 * (log(sum) + top - own) / (double)l->pairs;
			*right += way == 0 && best ? 1 / (double)l->pairs : 0;
			for (size_t b = 0; b < n; b++)
				if (b == a || group[b] != group[a])
					l->dscore[first + b * step] += (real)(share * (exp((double)l->score[first + b * step] / temperature - top) / sum -
					                                      (b == a ? 1 : 0)));
		}
	return loss;
}

/* Where the best match of each word lies: over words j of b for word i of a. */
static real best_match(const real *sim, size_t n, size_t step, size_t *at)
{
	real best = sim[0];

	*at = 0;
	for (size_t j = 1; j < n; j++)
		if (sim[j * step] > best) {
			best = sim[j * step];
			*at = j;
		}
	return best;
}

/* Pairs first .. first + n - 1 among themselves. */
struct block {
	const struct encoder_span *q, *t;      /* [n] spans of the questions and of the others */
	size_t n, q_row, t_row, rows, cols;    /* their rows lie together */
};

static struct block make_block(const struct encoder_loss *l, const struct encoder_work *w, size_t first, size_t n)
{
	struct block b = { .q = w->span + first, .t = w->span + l->pairs + first, .n = n };

	b.q_row = b.q[0].start;
	b.t_row = b.t[0].start;
	b.rows = b.q[n - 1].start + b.q[n - 1].len - b.q_row;
	b.cols = b.t[n - 1].start + b.t[n - 1].len - b.t_row;
	return b;
}

static void score_words(struct encoder_loss *l, const struct encoder_work *w, const struct block *k)
{
	for (size_t a = 0; a < k->n; a++)
		for (size_t b = 0; b < k->n; b++) {
			const struct encoder_span q = k->q[a], t = k->t[b];
			const real *sim = l->sim + (q.start - k->q_row) * k->cols + (t.start - k->t_row);
			real sum = 0;
			size_t ignore;

			for (size_t i = 0; i < q.len; i++)
				sum += w->beta[q.start + i] * best_match(sim + i * k->cols, t.len, 1, &ignore);
			for (size_t j = 0; j < t.len; j++)
				sum += w->beta[t.start + j] * best_match(sim + j, q.len, k->cols, &ignore);
			l->score[a * k->n + b] = sum / 2;
		}
}

static void back_words(struct encoder_loss *l, struct encoder_work *w, const struct block *k, double scale)
{
	for (size_t a = 0; a < k->n; a++)
		for (size_t b = 0; b < k->n; b++) {
			const struct encoder_span q = k->q[a], t = k->t[b];
			const real *sim = l->sim + (q.start - k->q_row) * k->cols + (t.start - k->t_row);
			const real g = (real)(0.5 * scale * (double)l->dscore[a * k->n + b]);
			size_t at;

			if (REAL_FABS(g) < (real)1e-7)       /* most rivals are far off */
				continue;
			for (size_t i = 0; i < q.len; i++) {
				const real best = best_match(sim + i * k->cols, t.len, 1, &at), gb = g * w->beta[q.start + i];

				w->dbeta[q.start + i] += g * best;
				kernels_axpy(w->dn + (q.start + i) * D, gb, w->n + (t.start + at) * D, D);
				kernels_axpy(w->dn + (t.start + at) * D, gb, w->n + (q.start + i) * D, D);
			}
			for (size_t j = 0; j < t.len; j++) {
				const real best = best_match(sim + j, q.len, k->cols, &at), gb = g * w->beta[t.start + j];

				w->dbeta[t.start + j] += g * best;
				kernels_axpy(w->dn + (t.start + j) * D, gb, w->n + (q.start + at) * D, D);
				kernels_axpy(w->dn + (q.start + at) * D, gb, w->n + (t.start + j) * D, D);
			}
		}
}

double encoder_contrast(struct encoder_loss *l, struct encoder_work *w)
{
	const size_t n = l->pairs, step = l->block ? l->block : n;
	size_t same = l->score_cap;

	grow(&l->score, &same, n * n);
	grow(&l->dscore, &l->score_cap, n * n);

	l->of_words = l->right_vectors = l->right_words = 0;
	kernels_gemm(false, true, n, n, D, w->u, D, w->u + n * D, D, false, l->score, n);
	l->of_vectors = cross_entropy(l, n, l->group, l->temperature, &l->right_vectors);
	if (w->du) {
		kernels_scale(l->dscore, (real)0.5, n * n);
		kernels_gemm(false, false, n, D, n, l->dscore, n, w->u + n * D, D, true, w->du, D);
		kernels_gemm(true, false, n, D, n, l->dscore, n, w->u, D, true, w->du + n * D, D);
	}
	for (size_t first = 0; first < n; first += step) {
		const struct block k = make_block(l, w, first, n - first < step ? n - first : step);

		grow(&l->sim, &l->sim_cap, k.rows * k.cols);
		kernels_gemm(false, true, k.rows, k.cols, D, w->n + k.q_row * D, D, w->n + k.t_row * D, D, false, l->sim, k.cols);
		score_words(l, w, &k);
		l->of_words += cross_entropy(l, k.n, l->group + first, l->words_temperature, &l->right_words);
		if (w->du)
			back_words(l, w, &k, 0.5);
	}
	return (l->of_vectors + l->of_words) / 2;
}
