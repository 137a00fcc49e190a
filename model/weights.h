/* SPDX-License-Identifier: GPL-3.0-or-later */
/* weights: the configuration of a dialogue model, all its parameters in one block, and
 * their packed forms for the kernels.
 *
 * A struct weights that serves is never changed after weights_pack; a trainer owns its
 * own, changes `flat`, and packs again after every update. One thread at a time may
 * pack; any number may read. */
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

struct weights {
	struct dialogue_config cfg;
	struct params layout;
	real *flat;
	real *packed_block;                 /* owns what packed[] and packed_t[] point into */
	struct packed packed[W_COUNT];      /* of matrices in products; data NULL for the others */
	struct packed packed_t[W_COUNT];    /* transposed, only when trainable */
	bool trainable;
};

/* Zero weights of the given shape. trainable: also room for the transposed packs. */
struct weights *weights_new(const struct dialogue_config *c, bool trainable);
void weights_free(struct weights *w);
/* Random start: matrices uniform by fan-in, embeddings d^-0.5, forget biases 1, gains 1. */
void weights_init_random(struct weights *w, uint64_t seed);
/* Pack everything, or the part'th of `parts` equal shares (for several threads). */
void weights_pack(struct weights *w);
void weights_pack_part(struct weights *w, size_t part, size_t parts);

static inline const real *weights_at(const struct weights *w, enum weight_id id)
{
	return w->flat + w->layout.p[id].offset;
}

struct lstm weights_lstm(const struct weights *w, enum weight_id input);   /* input, recurrent, bias follow each other */

#endif
