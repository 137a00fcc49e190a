/* SPDX-License-Identifier: GPL-3.0-or-later */
/* params: every weight in one flat block with named, shaped views, so that clone,
 * optimise, average, save and check are loops (see llm.c, kann).
 *
 * A layout (names, shapes, offsets) is shared by weights, gradients and moments:
 * each of those is just a real array of params.total elements, 64-byte aligned.
 * Each tensor starts on 64 bytes; the padding between is zero and stays zero. */
#ifndef ANSWERBACK_PARAMS_H
#define ANSWERBACK_PARAMS_H

#include <stddef.h>
#include <stdint.h>

#include "real.h"

enum { PARAMS_MAX = 64, PARAMS_NAME = 48 };

struct param {
	char name[PARAMS_NAME];     /* "decoder.lstm1.input" */
	size_t rows, cols;          /* row-major; a vector has rows 1 */
	size_t offset;              /* in reals, from the start of the block */
};

struct params {
	struct param p[PARAMS_MAX];
	size_t n;
	size_t total;               /* reals in a block, padding included */
	size_t weights;             /* without padding: the model's size */
};

/* Append a tensor; returns its index. */
size_t params_add(struct params *ps, const char *name, size_t rows, size_t cols);
const struct param *params_find(const struct params *ps, const char *name); /* NULL: none */
real *params_block(const struct params *ps);       /* zeroed, free with mem_aligned_free */

#endif
