/* SPDX-License-Identifier: GPL-3.0-or-later */
/* memory_learn: the weights of memory_fit.h, from questions asked of a memory. */
#ifndef ANSWERBACK_MEMORY_LEARN_H
#define ANSWERBACK_MEMORY_LEARN_H

#include "base/err.h"
#include "memory_pair.h"

struct memory_sample {
	double feature[F_COUNT];
	double weight;
	bool same;                    /* both ask the same */
};

/* Newton's method with a ridge. */
void memory_learn(const struct memory_sample *s, size_t n, double ridge, double weights[F_COUNT]);
/* From the logistic weights on, by Adam over all samples. Same seed, same bits. */
void memory_learn_net(const struct memory_sample *s, size_t n, const double start[F_COUNT], uint64_t seed, struct memory_net *net);
int memory_learn_write(const char *path, const struct memory_weights *w, double bar, struct err *e);

#endif
