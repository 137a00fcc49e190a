/* SPDX-License-Identifier: GPL-3.0-or-later */
/* evaluate: what a model does on conversations it has not seen, in the figures of `answerback eval`.
 *
 * Likelihoods are those of the weights in full precision, whatever the model serves in, and beside them those
 * of 8 bits; replies, ranking and next words are made as the model serves.
 *
 * Every random choice comes from the seed, in the order of the conversations, so a file gives
 * the same figures on any number of threads. */
#ifndef ANSWERBACK_EVALUATE_H
#define ANSWERBACK_EVALUATE_H

#include <stdio.h>

#include "../model/model.h"
#include "base/err.h"
#include "corpus.h"

struct evaluate_opts {
	const char *company;      /* NULL: not set */
	const char *as, *from;    /* roles: whose turns are predicted, and the other side's */
	size_t threads;
	uint64_t seed;
	size_t recall_cases;      /* 300 */
	size_t completion_turns;  /* turns in which next words are predicted, 5 places each; 600 */
	size_t gain_turns;        /* 600 */
	bool fast;                /* likelihoods only */
	FILE *per_turn;           /* NULL: none */
};
void evaluate_opts_default(struct evaluate_opts *o);

struct evaluate_result {
	size_t conversations, turns, user_turns, pieces, chars, user_chars, words;
	double bits, raw_bits, user_bits;
	double int8_bits;                           /* the same turns, by the model in 8 bits */
	bool mixed;                                 /* there are n-grams beside the model */
	double mixed_bits, bits_per_char_mixed;     /* mixed with them as completion does */
	double bits_per_char_int8, int8_change;     /* relative: what serving in 8 bits costs */
	double bits_per_char, bits_per_char_raw, user_bits_per_char, perplexity_word;
	double bleu, chrf;
	double distinct1, distinct2, distinct1_reference, distinct2_reference;
	double different_replies, shared_by_four;   /* shares of turns */
	double recall1_of_100;
	size_t recall_cases;
	double context_gain;
	size_t gain_pieces;
	double em1, em3, precision_at_25, precision_at_40;
	size_t boundaries;
};

int evaluate(struct model *m, const struct corpus *c, const struct evaluate_opts *o,
             struct evaluate_result *r, struct err *e);

#endif
