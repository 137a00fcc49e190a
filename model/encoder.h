/* SPDX-License-Identifier: GPL-3.0-or-later */
/* encoder: a short text as a vector, so that two wordings of one question lie near each other.
 *
 * Small, trained once by contrast (encoder_train.h), then frozen: nothing that is learned later changes it, so a
 * vector that was stored stays valid as long as encoder_version says the same. It gives two things:
 *   - one vector of unit length a text: its dot product with another text's is how near they are (-1 .. 1),
 *   - a vector of unit length a word, in its context, and how much that word matters, for comparing word by word
 *     (encoder_compare): what one text says that the other does not.
 *
 *     struct encoder *en;
 *     float v[ENCODER_DIM];
 *     if (encoder_open(&en, "data/encoder.safetensors", &e) < 0) ...
 *     encoder_vector(en, "where is my parcel", 18, v);
 *
 * The net, for words w_1 .. w_n (d: ENCODER_DIM):
 *     x_i = E[w_i] + mean of G[g] over the n-grams g of the word's letters          [d]
 *     c_i = tanh(W1 [x_(i-1); x_i; x_(i+1)] + b1)                                  [h]
 *     t_i = x_i + W2 c_i                                                           [d]
 *     a_i = v t_i + A[w_i],  alpha = softmax(a)       (once for the sum, once, beta, for comparing)
 *     u   = P sum_i alpha_i t_i, divided by its length
 * Word vectors (fastText: Bojanowski et al. 2017; comparing by words: ColBERT, Khattab and Zaharia 2020).
 * An encoder may be read by any number of threads. */
#ifndef ANSWERBACK_ENCODER_H
#define ANSWERBACK_ENCODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../src/base/err.h"

enum { ENCODER_DIM = 128, ENCODER_WORDS = 64, ENCODER_WORD = 32 };

/* ---- words of a text ---- */

struct encoder_word {
	char text[ENCODER_WORD];      /* lower case, without apostrophes; "<order>" for a placeholder */
	uint32_t start, end;          /* bytes of the text */
	uint32_t row;                 /* in the encoder's vocabulary; ENCODER_UNKNOWN */
	bool number;                  /* holds a digit */
	float rarity;                 /* 0: in every text, 1: never seen (after encoder_look) */
};
enum { ENCODER_UNKNOWN = 0 };

struct encoder_words {
	struct encoder_word v[ENCODER_WORDS];
	size_t n;
};
/* The first ENCODER_WORDS words. Rows and rarity are filled by encoder_look. */
void encoder_split(const char *text, size_t len, struct encoder_words *out);

/* ---- vectors ---- */

struct encoder;

/* ERR_NOTFOUND, ERR_FORMAT with the file's name. The file stays mapped. */
int encoder_open(struct encoder **out, const char *path, struct err *e);
void encoder_free(struct encoder *en);           /* NULL is fine */
const char *encoder_version(const struct encoder *en);

/* out: unit length, or all zero for a text without words. */
void encoder_vector(const struct encoder *en, const char *text, size_t len, float out[ENCODER_DIM]);
/* The same as bytes: 127 is the largest element. */
void encoder_bytes(const float v[ENCODER_DIM], int8_t out[ENCODER_DIM]);

/* A text ready for comparing. */
struct encoder_view {
	struct encoder_words words;
	float vector[ENCODER_DIM];
	float weight[ENCODER_WORDS];  /* beta: sums to 1 */
	float (*word)[ENCODER_DIM];   /* [words.n] unit length */
};
/* en NULL: the words only, no vectors. */
void encoder_look(const struct encoder *en, const char *text, size_t len, struct encoder_view *out);
void encoder_view_free(struct encoder_view *v);

/* For each word of a its best match in b: near[i] (-1 .. 1; -1 when b has no words) and which[i]. */
void encoder_compare(const struct encoder_view *a, const struct encoder_view *b, float *near, size_t *which);

#endif
