/* SPDX-License-Identifier: GPL-3.0-or-later */
/* adapter: a low-rank change of the input and recurrent matrices of all LSTMs (LoRA, Hu et al. 2021):
 *
 *     W = W0 + A B        W0: [rows, cols]  A: [rows, r]  B: [r, cols]
 *
 * W0 stays as it is, so an adapter is a small file beside a model that it can be put on, merged into, and taken off.
 * No layer knows of it: a pass runs on W, and its gradient dW gives those of the factors,
 *     dA = dW B^T         dB = A^T dW
 *
 * A starts at random and B at zero, so that W starts at W0. The factors are one flat block with a layout like the
 * weights' own (params.h), so that the optimiser, averages and checkpoints are the usual loops. */
#ifndef ANSWERBACK_ADAPTER_H
#define ANSWERBACK_ADAPTER_H

#include "weights.h"

struct adapter {
	size_t rank;
	struct params layout;         /* NAME.a, NAME.b for each matrix */
	size_t of[W_COUNT], n;        /* the matrices, as weight_id; of[i] has layout.p[2 i] and layout.p[2 i + 1] */
	real *flat;
};

enum { ADAPTER_MAX_RANK = 64 };

/* For models of this shape. */
struct adapter *adapter_new(const struct dialogue_config *c, size_t rank, uint64_t seed);
void adapter_free(struct adapter *a);      /* NULL is fine */

/* flat = base (both blocks of a model's layout) with factors (a block of a->layout) on. base may be flat. */
void adapter_put(const struct adapter *a, const real *factors, const real *base, const struct params *layout, real *flat);
/* The same for its i'th matrix alone: W += A B. matrix: [rows of A, cols of B] */
void adapter_add(const struct adapter *a, const real *factors, size_t i, real *matrix);
/* The factors' gradient from the weights' (a block of w's layout); grad: a block of a->layout, written whole. */
void adapter_project(const struct adapter *a, const real *factors, const struct weights *w, const real *dw, real *grad);

/* A file with the factors in f32. base: what the model it belongs to is (its data's checksum), and config: of its shape, are
 * written into it. */
int adapter_save(const struct adapter *a, const char *path, const struct dialogue_config *c, const char *base, const char *lineage,
                 const char *scores, struct err *e);
/* Whether a file is an adapter; base: the checksum of the model that it belongs to. */
bool adapter_is(const char *path, char base[24]);
int adapter_load(struct adapter **out, const char *path, const struct dialogue_config *c, struct err *e);

#endif
