/* SPDX-License-Identifier: GPL-3.0-or-later */
/* contrast: an objective that makes the model use its context.
 *
 * For some turns of a batch, turns of other conversations are put in their place as branches
 * (dialogue.h). With m_k the mean log-probability a token of the true turn (k = 0) and of the others,
 *     loss = -log softmax(m / T)_0        summed over the chosen turns, times `weight`
 * so what is said anywhere must become unlikely where it does not fit. Its gradient is a weight
 * on each row's log-probability, so that the usual backward pass does all of it:
 *     row of turn k:  weight / (T n_k) * ([k = 0] - softmax_k)
 * A turn may name one rival of its own (dataset_rival): an answer that is right elsewhere and must not leak here.
 * (InfoNCE of van den Oord et al. 2018, with the decoder's own likelihood as the score.) */
#ifndef ANSWERBACK_CONTRAST_H
#define ANSWERBACK_CONTRAST_H

#include "dataset.h"

struct contrast_opts {
	double weight;                /* 0: off */
	double temperature;           /* T, in nats a token */
	size_t turns, others;         /* chosen turns of a batch, and branches of each */
	int32_t tag;                  /* of the turns to choose; -1: any */
	const float *commonness;      /* [turns of the dataset], or NULL: every rival is drawn alike */
	uint64_t key;                 /* of this batch's choices */
};

/* Mean log-probability a piece of every turn under counts of pieces and pairs of pieces: how much it is what is
 * said everywhere. [turns]; caller frees. */
float *contrast_commonness(const struct dataset *ds, size_t vocab);

/* Adds branches to b, made by batch_build from item[0 .. n); returns how many turns were chosen.
 * Branches stand in groups of `others`, in the order of the chosen turns. */
size_t contrast_branch(struct dialogue_batch *b, struct arena *a, const struct dataset *ds,
                       const struct batch_item *item, size_t n, size_t longest,
                       const struct batch_noise *noise, const struct contrast_opts *o);

/* weight: [rows] that b.weight points to, already filled; logprob: [rows] of a pass over b. Adds
 * the contrast's share to the rows of `chosen` turns and their branches. Returns the loss (nats,
 * without `weight`); right: how many true turns were the likeliest. */
double contrast_weigh(const struct dialogue_batch *b, size_t chosen, const struct contrast_opts *o,
                      const float *logprob, float *weight, size_t *right);

#endif
