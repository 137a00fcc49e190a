/* SPDX-License-Identifier: GPL-3.0-or-later */
/* output: from logits to a distribution over pieces: the tied softmax mixed with copying
 * from what was said (pointer-generator, See et al. 2017), its loss and its gradient.
 *
 *     p(y) = (1 - m) softmax(logits)_y + g sum_{j: id_j = y} a_j      m = g (1 - a_0)
 *
 * Sums to one: the a_j, j > 0, sum to 1 - a_0. */
#ifndef ANSWERBACK_OUTPUT_H
#define ANSWERBACK_OUTPUT_H

#include <stdbool.h>

#include "kernels.h"

/* Where one row may copy from: memory ids and the copy head's weights over [null, memory...]. */
struct copy_source {
	const int32_t *ids;     /* [n] */
	const real *weight;     /* [1 + n] */
	size_t n;
	real gate;              /* g; 0 when the model does not copy */
};

/* logits [V] become log p(id), in place. */
void output_mix(size_t vocab, real *logits, const struct copy_source *src);

/* log p(target), with the very operations of output_mix: the same bits. logits are read only. */
real output_log_prob(size_t vocab, const real *logits, int32_t target,
                     const struct copy_source *src);

struct output_grad {
	real gate;      /* of g */
	real null;      /* of a_0 */
	real match;     /* of every a_j whose id is the target */
};

/* Training: returns -log p(target), and turns logits into their gradient and g into the others',
 * all of scale * (-log p(target) + smoothing term). The smoothing term is
 * label_smoothing * (mean over the vocabulary of -log softmax), on the vocabulary part alone. */
double output_loss(size_t vocab, real *logits, int32_t target, real scale, double label_smoothing,
                   const struct copy_source *src, struct output_grad *g);

/* Training toward a whole distribution (a teacher's, log q [V]) instead of one piece: returns the divergence
 * sum_y q (log q - log p), and leaves the gradient of scale times it: logits in place, match [n] of every
 * a_j, g->gate and g->null as above (g->match is not used). copied: [V] zeros, and zeros again after. */
double output_pull(size_t vocab, real *logits, const real *teacher, real scale,
                   const struct copy_source *src, struct output_grad *g, real *match, real *copied);

#endif
