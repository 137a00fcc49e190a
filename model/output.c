/* SPDX-License-Identifier: GPL-3.0-or-later */
/* output: mixing the vocabulary's softmax with copied pieces, row by row. */
#include <math.h>

#include "output.h"

/* Likelihoods below this are rounding, not opinion; keeps log and its gradient finite. */
static const double least_p = 1e-30;
/* What a teacher gives less than one in ten million is left out: most of a vocabulary, and most of the time. */
static const real least_log_q = -16;

static real log_add(real a, real b)
{
	real hi = a > b ? a : b, lo = a > b ? b : a;

	return hi + REAL_LOG(1 + REAL_EXP(lo - hi));
}

static bool copies(const struct copy_source *src)
{
	return src->n > 0 && src->gate > 0;
}

/* log of the share that stays with the vocabulary, minus the softmax's normaliser */
static real vocabulary_shift(real lse, const struct copy_source *src)
{
	if (!copies(src))
		return -lse;
	return (real)log(fmax(1 - (double)src->gate * (1 - (double)src->weight[0]), least_p)) - lse;
}

static real copied_log(const struct copy_source *src, size_t j)
{
	return REAL_LOG((real)fmax((double)src->gate * (double)src->weight[j + 1], least_p));
}

void output_mix(size_t vocab, real *logits, const struct copy_source *src)
{
	real shift = vocabulary_shift(kernels_logsumexp(logits, vocab), src);

	kernels_shift(logits, shift, vocab);
	if (!copies(src))
		return;
	for (size_t j = 0; j < src->n; j++)
		logits[src->ids[j]] = log_add(logits[src->ids[j]], copied_log(src, j));
}

real output_log_prob(size_t vocab, const real *logits, int32_t target,
                     const struct copy_source *src)
{
	real lp = logits[target] + vocabulary_shift(kernels_logsumexp(logits, vocab), src);

	if (!copies(src))
		return lp;
	for (size_t j = 0; j < src->n; j++)
		if (src->ids[j] == target)
			lp = log_add(lp, copied_log(src, j));
	return lp;
}

/* With P = softmax(logits), C = sum of matching a_j, p = (1 - m) P_y + g C, rho = (1 - m) P_y / p:
 *     dlogits = rho (P - 1[y])     dg = -(C - (1 - a_0) P_y) / p
 *     da_0 = -g P_y / p            da_j = -g / p for the matches
 * and the smoothing term adds label_smoothing (P - 1/V). */
double output_loss(size_t vocab, real *logits, int32_t target, real scale, double label_smoothing,
                   const struct copy_source *src, struct output_grad *g)
{
	double copied = 0, a0 = 1, gate = 0;

	if (copies(src)) {
		a0 = (double)src->weight[0];
		gate = (double)src->gate;
		for (size_t j = 0; j < src->n; j++)
			if (src->ids[j] == target)
				copied += (double)src->weight[j + 1];
	}
	kernels_softmax(logits, vocab);

	const double m = gate * (1 - a0);
	const double py = fmax((double)logits[target], least_p);
	const double p = fmax((1 - m) * py + gate * copied, least_p);
	const double rho = (1 - m) * py / p;

	kernels_scale(logits, (real)((rho + label_smoothing) * (double)scale), vocab);
	if (label_smoothing > 0) {
		kernels_shift(logits, -(real)(label_smoothing * (double)scale / (double)vocab), vocab);
	}
	logits[target] -= (real)(rho * (double)scale);
	g->gate = (real)(-(copied - (1 - a0) * py) / p * (double)scale);
	g->null = (real)(-gate * py / p * (double)scale);
	g->match = (real)(-gate / p * (double)scale);
	return -log(p);
}

/* With C_y = sum of a_j whose id is y and rho_y = (1 - m) P_y / p_y, summed over y with weight q_y what
 * output_loss has for one y:
 *     dlogits_i = P_i sum_y q_y rho_y - q_i rho_i
 *     dg = -sum_y q_y (C_y - (1 - a_0) P_y) / p_y    da_0 = -g sum_y q_y P_y / p_y
 *     da_j = -g q_{id_j} / p_{id_j} */
double output_pull(size_t vocab, real *logits, const real *teacher, real scale,
                   const struct copy_source *src, struct output_grad *g, real *match, real *copied)
{
	const bool copying = copies(src);
	const double a0 = copying ? (double)src->weight[0] : 1, gate = copying ? (double)src->gate : 0;
	const double m = gate * (1 - a0);
	double sum_rho = 0, dgate = 0, dnull = 0, divergence = 0;

	if (copying)
		for (size_t j = 0; j < src->n; j++)
			copied[src->ids[j]] += src->weight[j + 1];
	kernels_softmax(logits, vocab);
	for (size_t y = 0; y < vocab; y++) {
		if (teacher[y] < least_log_q)
			continue;

		const double q = exp((double)teacher[y]);

		const double py = fmax((double)logits[y], least_p), c = (double)copied[y];
		const double p = fmax((1 - m) * py + gate * c, least_p);

		sum_rho += q * (1 - m) * py / p;
		dgate -= q * (c - (1 - a0) * py) / p;
		dnull -= q * gate * py / p;
		divergence += q * ((double)teacher[y] - log(p));
	}
	for (size_t j = 0; copying && j < src->n; j++) {
		const size_t y = (size_t)src->ids[j];

		match[j] = 0;
		if (teacher[y] < least_log_q)
			continue;

		const double p = fmax((1 - m) * fmax((double)logits[y], least_p) + gate * (double)copied[y], least_p);

		match[j] = (real)(-gate * exp((double)teacher[y]) / p * (double)scale);
	}
	for (size_t y = 0; y < vocab; y++) {
		const double py = fmax((double)logits[y], least_p);

		if (teacher[y] < least_log_q) {
			logits[y] = (real)(py * sum_rho * (double)scale);
			continue;
		}

		const double p = fmax((1 - m) * py + gate * (double)copied[y], least_p);

		logits[y] = (real)((py * sum_rho - exp((double)teacher[y]) * (1 - m) * py / p) * (double)scale);
	}
	if (copying)
		for (size_t j = 0; j < src->n; j++)
			copied[src->ids[j]] = 0;
	*g = (struct output_grad){ (real)(dgate * (double)scale), (real)(dnull * (double)scale), 0 };
	return divergence;
}
