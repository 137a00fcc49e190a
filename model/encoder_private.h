/* SPDX-License-Identifier: GPL-3.0-or-later */
/* encoder_private: the net of encoder.h over many texts at once; shared by encoder*.c and their tests. */
#ifndef ANSWERBACK_ENCODER_PRIVATE_H
#define ANSWERBACK_ENCODER_PRIVATE_H

#include "encoder.h"
#include "params.h"
#include "real.h"

enum { ENCODER_HIDDEN = 64, ENCODER_GRAMS_MAX = 96 };

/* Indices of the dense weights; the tables of words and n-grams stand apart, because a step touches few of their rows. */
enum { EW_CONTEXT, EW_CONTEXT_BIAS, EW_BACK, EW_WEIGH, EW_PROJECT, EW_COUNT };

/* context: [3d, h]  context_bias: [h]  back: [h, d]  weigh: [2, d]  project: [d, d] */
void encoder_layout(struct params *ps);

/* Buckets of the n-grams of a word's letters (3 to 5, with marks at both ends). Returns how many. */
size_t encoder_grams(const char *word, size_t buckets, uint32_t out[ENCODER_GRAMS_MAX]);
uint64_t encoder_hash(const char *word);
/* Words marked with U+0192 are of a translation: they have rows while training, which are not written, and no n-grams. */
bool encoder_foreign(const char *word);
/* Rows by hash: sorted hashes [n]; row 0 is for words that are not there, so hash i has row i + 1. */
uint32_t encoder_row(const uint64_t *sorted, size_t n, const char *word);

struct encoder_span {
	size_t start, len;            /* rows of one text; len > 0 */
};

/* All that forward leaves for backward. Arrays belong to the workspace. */
struct encoder_work {
	size_t rows, texts, row_cap, text_cap;
	struct encoder_span *span;    /* [texts] */
	real *x;                      /* [rows, d] filled by the caller */
	real *bias;                   /* [rows, 2] A[w_i], filled by the caller */
	real *near;                   /* [rows, 3d] */
	real *c;                      /* [rows, h] */
	real *t;                      /* [rows, d] */
	real *n;                      /* [rows, d] t over its length */
	real *length;                 /* [rows] */
	real *alpha, *beta;           /* [rows] */
	real *sum;                    /* [texts, d] */
	real *y;                      /* [texts, d] before division by its length */
	real *u;                      /* [texts, d] */
	real *y_length;               /* [texts] */
	/* gradients: dn, dbeta, du in (zeroed by encoder_work_reset), dx, dbias out */
	real *dn, *dbeta, *du;
	real *dx, *dbias;
	real *dt, *dc, *dnear, *dsum;
};
/* Room for rows and texts; grows only. backward: gradients too. */
void encoder_work_room(struct encoder_work *w, size_t rows, size_t texts, bool backward);
void encoder_work_fini(struct encoder_work *w);

/* flat: the dense weights by encoder_layout. Rows do not depend on what else is in the batch, bit by bit. */
void encoder_forward(const struct params *ps, const real *flat, struct encoder_work *w);
/* grad: added to. */
void encoder_backward(const struct params *ps, const real *flat, struct encoder_work *w, real *grad);

/* ---- the contrast (encoder_loss.c) ----
 * Texts 0 .. pairs-1 are questions, pairs .. 2 pairs - 1 their other wordings. group[pairs]: pairs of one group are
 * no rivals of each other. Cross entropy of picking the right partner, both ways, over
 *   u:      cos / temperature
 *   words:  1/2 (sum_i beta_i max_j n_i n_j  +  sum_j beta_j max_i n_j n_i) / temperature, among the pairs of a block
 * Returns the mean loss of the two and puts gradients into w (du, dn, dbeta) unless `w->du` is NULL. */
struct encoder_loss {
	size_t pairs, block;                   /* block 0: all pairs */
	const uint32_t *group;
	double temperature, words_temperature;
	double of_vectors, of_words;           /* out */
	double right_vectors, right_words;     /* out: share of questions whose partner came first */
	real *sim;                             /* workspace, grown by need */
	size_t sim_cap;
	real *score, *dscore;
	size_t score_cap;
};
double encoder_contrast(struct encoder_loss *l, struct encoder_work *w);
void encoder_loss_fini(struct encoder_loss *l);

#endif
