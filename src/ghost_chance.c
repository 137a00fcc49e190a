/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ghost: the estimated chance that a word is the one wanted (a logistic regression), and the bar
 * that a chance has to pass. */
#include <math.h>
#include <string.h>

#include "ghost_private.h"
#include "ghost_fit.h"

static double logit(double p)
{
	const double q = p < 1e-6 ? 1e-6 : p > 1 - 1e-6 ? 1 - 1e-6 : p;

	return log(q / (1 - q));
}

void ghost_features(const struct ahead_word *w, double second, size_t letters, bool first_of_turn,
                    double entropy, double *f)
{
	const double tokens = (double)(w->tokens ? w->tokens : 1);
	const double own = logit(exp(w->log_prob < 0 ? w->log_prob : 0));
	const double gram = w->ngram / tokens;
	size_t n = 0;

	memset(f, 0, GHOST_FEATURES * sizeof(*f));
	f[n++] = 1;
	f[n++] = own;
	f[n++] = w->log_prob / tokens;
	f[n++] = w->least;
	f[n++] = gram < -10 ? -10 : gram;
	f[n++] = entropy;
	f[n++] = w->log_prob - second > 8 ? 8 : w->log_prob - second;
	f[n++] = log1p((double)w->len);
	f[n++] = letters > 0;
	f[n++] = letters > 0 ? own : 0;
	f[n++] = log1p((double)letters);
	f[n++] = first_of_turn;
}

double ghost_chance(const struct ghost_weights *w, const double *feature)
{
	double z = 0;

	for (size_t i = 0; i < GHOST_FEATURES; i++)
		z += w->weight[i] * feature[i];
	return 1 / (1 + exp(-z));
}

double ghost_bar_for(const struct ghost_weights *w, double coverage)
{
	const double at = (coverage < 0 ? 0 : coverage > 1 ? 1 : coverage) * (GHOST_QUANTILES - 1);
	const size_t i = at >= GHOST_QUANTILES - 1 ? GHOST_QUANTILES - 2 : (size_t)at;

	return w->quantile[i] + (at - (double)i) * (w->quantile[i + 1] - w->quantile[i]);
}

double ghost_coverage(enum ghost_level level)
{
	static const double share[] = { 0, 0.10, 0.25, 0.40 };

	return share[level];
}

bool ghost_bar_passes(const struct ghost_bar *b, double bar, double chance)
{
	return logit(chance) >= logit(bar) + b->shift;
}

/* The shift follows what is taken beside what could be: a ghost of chance p is right in p of all cases, and
 * a person who takes half of the right ones leaves the bar where it is. */
bool ghost_bar_learn(struct ghost_bar *b, double chance, enum ghost_outcome what)
{
	const bool taken = what == GHOST_TAKEN || what == GHOST_WORD;
	const double step = what == GHOST_DISMISSED ? 0.08 : 0.04;
	size_t n = 0;

	b->shift -= step * ((double)taken - 0.5 * chance);
	b->shift = b->shift < -1 ? -1 : b->shift > 2 ? 2 : b->shift;
	b->recent = (b->recent << 1 | (uint64_t)taken) & ((UINT64_C(1) << GHOST_BAR_WINDOW) - 1);
	if (b->shown < GHOST_BAR_WINDOW)
		b->shown++;
	for (uint64_t r = b->recent; r; r &= r - 1)
		n++;
	if (b->shown < GHOST_BAR_WINDOW || 10 * n >= GHOST_BAR_WINDOW)
		return false;
	b->shift = b->shift + 1 > 2 ? 2 : b->shift + 1;
	b->shown = 0;
	b->recent = 0;
	return true;
}
