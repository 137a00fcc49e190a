/* SPDX-License-Identifier: GPL-3.0-or-later */
/* answer: where the answers to a message lie among the encoder's vectors.
 *
 * The encoder (encoder.h) puts wordings of one question near each other; a question and its answer share less. A square
 * map M takes a message's vector q to where its answers' vectors a lie: fit = (q M / |q M|) . a. It is trained on
 * messages and the replies that followed them, each against the other replies of the batch in both directions:
 *     s_ij = scale fit(q_i, a_j)
 *     loss = mean_i [ -log softmax_j(s)_ii + (1/2) -log softmax over i(s)_ii ] / 1.5
 * replies of equal text not being rivals. (InfoNCE, van den Oord et al. 2018; a map between two spaces of
 * vectors, Mikolov et al. 2013.) A file with it belongs to one version of the encoder. */
#ifndef ANSWERBACK_ANSWER_H
#define ANSWERBACK_ANSWER_H

#include "encoder.h"

struct answer_map {
	float m[ENCODER_DIM][ENCODER_DIM];
};

/* out: unit length, or zero for a zero vector. */
void answer_place(const struct answer_map *map, const float q[ENCODER_DIM], float out[ENCODER_DIM]);

/* q, a: [n, ENCODER_DIM] unit vectors; id: equal for equal replies; m: [ENCODER_DIM, ENCODER_DIM]; grad: the same shape,
 * written whole, or NULL. right: how many replies were the likeliest to their message; may be NULL. */
double answer_loss(const double *m, size_t n, const float *q, const float *a, const uint32_t *id, double scale, double *grad,
                   size_t *right);

struct answer_opts {
	size_t steps, batch;
	double rate, scale;
	uint64_t seed;
	void (*progress)(size_t step, double loss, double right, void *arg);     /* NULL: none; smoothed */
	void *arg;
};
/* From the identity, by Adam with a rate that falls to nothing; the same seed gives the same bits. */
void answer_train(struct answer_map *map, size_t n, const float *q, const float *a, const uint32_t *id, const struct answer_opts *o);

/* version: the encoder's. ERR_IO, ERR_FORMAT (also: of another encoder) with the file's name. */
int answer_open(struct answer_map *map, const char *path, const char *version, struct err *e);
int answer_write(const struct answer_map *map, const char *path, const char *version, const char *training, struct err *e);

#endif
