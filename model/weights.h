/* SPDX-License-Identifier: GPL-3.0-or-later */
/* weights: the configuration of a dialogue model, all its parameters in one block, and
 * their packed forms for the kernels.
 *
 * A struct weights that serves is never changed after weights_pack; a trainer owns its
 * own, changes `flat`, and packs again after every update. One thread at a time may
 * pack; any number may read.
 *
 * Weights may also be in 8 bits (weights_bytes_*): a quarter of the memory and of what is read
 * a step, for everything that only goes forward. There every matrix is quantised when it is first
 * used, from the file's map or from other weights; `flat` is NULL. */
#ifndef ANSWERBACK_WEIGHTS_H
#define ANSWERBACK_WEIGHTS_H

#include <stdbool.h>
#include <stdint.h>

#include "../src/base/err.h"
#include "kernels.h"
#include "lstm.h"
#include "params.h"

/* Sizes. d: embed, b: turn_hidden, e: encoder_hidden, h: decoder_hidden, A: attention. */
struct dialogue_config {
	size_t vocab;           /* V: ids */
	size_t embed;           /* d */
	size_t turn_hidden;     /* b: each direction of the LSTM inside a turn */
	size_t encoder_hidden;  /* e: the LSTM that runs through the whole dialogue */
	size_t decoder_hidden;  /* h: both decoder layers */
	size_t attention;       /* A: keys, values, queries; all heads together */
	size_t heads;
	size_t window;          /* rows of memory a turn can see, at most */
	size_t copy;            /* 1: the last head's weights also copy pieces to the output */
	size_t residual;        /* 1: the output sees layer 1 + layer 2, 0: layer 2 alone */
};

/* "small", "medium", "large"; false: no such size. vocab is left for the caller. */
bool dialogue_config_preset(struct dialogue_config *c, const char *size);
/* Set one field by name ("decoder_hidden"); checks nothing but the name and range. */
int dialogue_config_set(struct dialogue_config *c, const char *field, size_t value, struct err *e);
/* Sizes in range, attention divisible by heads. */
int dialogue_config_check(const struct dialogue_config *c, struct err *e);
/* The fields by name, for saving and printing: name is NULL past the end. */
const char *dialogue_config_field(const struct dialogue_config *c, size_t i, size_t *value);

/* Indices into params.p[]; the order is the file's order. */
enum weight_id {
	W_EMBED, W_EMBED_BIAS,
	W_TURN_F_INPUT, W_TURN_F_RECURRENT, W_TURN_F_BIAS,
	W_TURN_B_INPUT, W_TURN_B_RECURRENT, W_TURN_B_BIAS,
	W_TURN_NORM_GAIN, W_TURN_NORM_BIAS,
	W_ENCODER_INPUT, W_ENCODER_RECURRENT, W_ENCODER_BIAS,
	W_KEY_TURN, W_KEY_DIALOGUE, W_VALUE_TURN, W_VALUE_DIALOGUE,
	W_NULL_KEY, W_NULL_VALUE,
	W_START, W_START_BIAS,
	W_DEC1_INPUT, W_DEC1_RECURRENT, W_DEC1_BIAS,
	W_QUERY,
	W_MID_NORM_GAIN, W_MID_NORM_BIAS,
	W_DEC2_INPUT, W_DEC2_RECURRENT, W_DEC2_BIAS,
	W_OUT_NORM_GAIN, W_OUT_NORM_BIAS,
	W_OUT, W_OUT_BIAS,
	W_COPY, W_COPY_BIAS,
	W_COUNT
};

struct weights_bytes;

struct weights {
	struct dialogue_config cfg;
	struct params layout;
	real *flat;                         /* NULL in 8 bits */
	const real *at[W_COUNT];            /* each as reals; in 8 bits the vectors alone, matrices NULL */
	struct weights_bytes *bytes;        /* NULL: not in 8 bits */
	real *packed_block;                 /* owns what packed[] and packed_t[] point into */
	struct packed packed[W_COUNT];      /* of matrices in products; data NULL for the others */
	struct packed packed_t[W_COUNT];    /* transposed, only when trainable */
	bool trainable;
	bool view;                          /* flat and packed_block are somebody else's */
};

/* Names and shapes, appended to an empty layout. */
void weights_layout(struct params *ps, const struct dialogue_config *c);
/* Zero weights of the given shape. trainable: also room for the transposed packs. */
struct weights *weights_new(const struct dialogue_config *c, bool trainable);
void weights_free(struct weights *w);
/* Weights of the same shapes that stand in `flat` (theirs, until the view is freed) and are packed in w's room: only
 * one of the two is packed at a time, and whoever packed the one packs the other again before it is used. */
struct weights *weights_view(const struct weights *w, real *flat);
/* Random start: matrices uniform by fan-in, embeddings d^-0.5, forget biases 1, gains 1. */
void weights_init_random(struct weights *w, uint64_t seed);
/* Pack everything, or the part'th of `parts` equal shares (for several threads). */
void weights_pack(struct weights *w);
void weights_pack_part(struct weights *w, size_t part, size_t parts);

/* The values of a vector, or of a matrix that is not in 8 bits. */
static inline const real *weights_at(const struct weights *w, enum weight_id id)
{
	return w->at[id];
}

/* Does it stand in a product (and so has packed forms)? The embedding does, as its transpose. */
bool weights_in_product(enum weight_id id);

/* C[rows, cols] = A[rows, .] . W (+ C when accumulate), in the form the weights are in; W_EMBED stands for
 * its transpose. A row's bits do not depend on the other rows. */
void weights_product(const struct weights *w, enum weight_id id, size_t rows, const real *a, size_t lda,
                     bool accumulate, real *c, size_t ldc);
/* x: [d], one row of the embedding. */
void weights_embedding(const struct weights *w, int32_t id, real *x);

/* ---- 8 bits ---- */

/* Where the numbers are, row-major, as reals or as bf16, 4- or 2-byte aligned. owner (may be NULL) keeps them
 * alive; done(owner) is called when the last matrix has been quantised, at the latest by weights_free, and
 * drop(start, bytes), if there is one, for each that is no longer needed. */
struct weights_source {
	struct weights_source_tensor {
		const void *data;
		bool bf16;
	} tensor[W_COUNT];
	void *owner;
	void (*done)(void *owner);
	void (*drop)(const void *start, size_t bytes);
};
/* src NULL: without numbers, to be filled before anything else. */
struct weights *weights_bytes_new(const struct dialogue_config *c, const struct weights_source *src);
/* Takes the source over. Vectors are read at once, matrices when they are first needed, by any thread. */
void weights_bytes_fill(struct weights *w, const struct weights_source *src);
/* The same in 8 bits; everything is quantised at once, w is not needed afterwards. */
struct weights *weights_bytes_from(const struct weights *w);
/* The 8-bit form of a matrix, made now if it was not needed before; NULL when w is not in 8 bits. */
const struct packed8 *weights_bytes(const struct weights *w, enum weight_id id);
void weights_bytes_free(struct weights_bytes *b);          /* for weights_free */
size_t weights_bytes_memory(const struct weights *w);      /* of the 8-bit forms: their room */

struct lstm weights_lstm(const struct weights *w, enum weight_id input);   /* input, recurrent, bias follow each other */

#endif
