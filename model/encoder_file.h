/* SPDX-License-Identifier: GPL-3.0-or-later */
/* encoder_file: an encoder's weights on disk (modelfile.h): tables as bytes with a scale a row, the rest as floats.
 * Metadata: "format" "answerback-encoder-1", "version" ("e1-" and a checksum of the weights), "training". */
#ifndef ANSWERBACK_ENCODER_FILE_H
#define ANSWERBACK_ENCODER_FILE_H

#include "encoder_private.h"

/* The weights while they are trained. words: rows of the vocabulary, without row 0. */
struct encoder_weights {
	size_t words, grams;
	uint64_t *hashes;             /* [words] ascending */
	bool *foreign;                /* [words] not written; NULL: none */
	real *word;                   /* [words + 1, d] */
	real *gram;                   /* [grams, d] */
	real *bias;                   /* [words + 1, 2] */
	struct params layout;
	float *rarity;                /* [words + 1] 0 .. 1 */
	real *dense;                  /* by layout */
};
void encoder_weights_init(struct encoder_weights *w, const uint64_t *hashes, size_t words, size_t grams, uint64_t seed);
void encoder_weights_fini(struct encoder_weights *w);

int encoder_write(const struct encoder_weights *w, const char *path, const char *notes, struct err *e);

#endif
