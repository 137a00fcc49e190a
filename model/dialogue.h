/* SPDX-License-Identifier: GPL-3.0-or-later */
/* dialogue: the encoder-decoder over whole dialogues, forward and backward.
 *
 * Each dialogue is encoded once; the decoder predicts every turn of it in parallel,
 * attending to earlier turns only. A row is one input position: a turn of n pieces has
 * n + 1 rows, reading <tag> p1 .. pn and predicting p1 .. pn <eot>. Rows stand in natural
 * order, dialogue after dialogue ("flat").
 *
 *   embedding         x_r = sqrt(d) E[id_r]
 *   inside a turn     b_r = LN([LSTM->(x)_r ; LSTM<-(x)_r])          restarted each turn
 *   through the dialogue  e_r = LSTM(b)_r                             carried from turn to turn
 *   memory            k_r = b_r Kb + e_r Ke      v_r = b_r Vb + e_r Ve
 *   start of turn t   [h1 h2 c1 c2] = tanh(e_last S + s)     e_last: last row of turn t-1, 0 for the first
 *   layer 1           h1_r = LSTM(x)_r
 *   attention         ctx_r = heads over memory rows of earlier turns (attention.h), query h1_r Q
 *   layer 2           h2_r = LSTM(LN([h1_r ; ctx_r]))
 *   output            z_r = LN([h2_r + h1_r ; ctx_r])   o_r = z_r O + ob   logits_r = o_r E^T + eb
 *   copy gate         g_r = sigmoid(z_r . w + wb),  a: weights of the last head, a_0: the null slot's
 *   p(y) = (1 - g (1 - a_0)) softmax(logits)_y + g sum_{j: id_j = y} a_j
 *
 * Everything a pass needs lives in one arena sized by the batch; a pass allocates nothing else. */
#ifndef ANSWERBACK_DIALOGUE_H
#define ANSWERBACK_DIALOGUE_H

#include <stdbool.h>
#include <stdint.h>

#include "attention.h"
#include "lstm.h"
#include "seqs.h"
#include "weights.h"

/* What a pass reads. Arrays belong to the caller and outlive the pass. */
struct dialogue_batch {
	size_t rows, turns, dialogues;
	const int32_t *ids;            /* [rows] what was really said: tag, pieces; what copying points at */
	const int32_t *encoder_input;  /* [rows] ids as the encoder reads them (word dropout) */
	const int32_t *decoder_input;  /* [rows] ids as the decoder reads them */
	const int32_t *target;         /* [rows] next id */
	const float *weight;           /* [rows] of the loss; 0: context only */
	const struct span *turn;       /* [turns] rows of each turn */
	const uint32_t *first_turn;    /* [dialogues + 1] */
	/* Rows with pull > 0 are drawn toward the teacher's distribution instead of their target
	 * (dialogue_pass.teacher). NULL: none. */
	const float *pull;             /* [rows] */
	/* Turns from first_turn[dialogues] on are branches: something else said in the place of turn
	 * branch[t - first_turn[dialogues]], after the same context. They are predicted, never encoded. */
	const uint32_t *branch;        /* [turns - first_turn[dialogues]], NULL when there are none */
};

struct dialogue_opts {
	double dropout;                /* 0 when evaluating */
	double label_smoothing;        /* on the vocabulary part; never in what is reported */
	uint64_t key;                  /* of this pass's dropout masks */
};

/* What forward leaves behind; all from the arena. */
struct dialogue_pass {
	const struct weights *w;
	const struct dialogue_batch *b;
	struct dialogue_opts o;
	struct arena *a;
	/* NULL, or a pass of other weights over the same rows; set between forward and loss. */
	const struct dialogue_pass *teacher;

	struct seqs turns_f, turns_b, dialogues, decoder;
	struct lstm_cache turn_f, turn_b, encoder, dec1, dec2;
	struct attention_span *spans;
	size_t probs_len;
	real *x_enc, *x_dec;           /* [rows, d] */
	real *turn, *turn_norm, *turn_mean, *turn_rstd;   /* [rows, 2b] */
	real *enc;                     /* [rows, e] */
	real *k, *kt, *v;              /* [rows, A], kt: [A, ldkt] */
	size_t ldkt;
	real *start_in, *start;        /* [turns, e], [turns, 4h] */
	real *h0, *c0, *h0b, *c0b;     /* [turns, h] start states of layer 1 and 2 */
	real *mid, *mid_norm, *mid_mean, *mid_rstd;       /* [rows, h + A] */
	real *q, *probs;               /* [rows, A] */
	real *out, *out_norm, *out_mean, *out_rstd;       /* [rows, h + A] */
	real *o_rows;                  /* [rows, d] */
	real *gate;                    /* [rows] */
};

/* The arena is not reset: the caller does that between passes. */
void dialogue_forward(struct dialogue_pass *p, const struct weights *w, struct arena *a,
                      const struct dialogue_batch *b, const struct dialogue_opts *o);

/* After dialogue_forward. Returns sum over rows of weight * -log p(target), in nats, and of pull *
 * KL(teacher || model) where a row has a pull.
 * logprob: NULL or [rows], log p(target) of every row, weighted or not.
 * grad: NULL, or a block of w->layout that the gradient of the returned sum is added to
 * (plus that of the label smoothing term, which is not in the sum). */
double dialogue_loss(struct dialogue_pass *p, float *logprob, real *grad);

/* log p(id) for every id after row: dist [V]. The same numbers, bit for bit, as a live
 * session gives at this position. */
void dialogue_distribution(const struct dialogue_pass *p, size_t row, real *dist);

/* Mean entropy (nats) of the attention weights over rows that have a memory, and the mean
 * weight on the null slot: what to watch while training. */
void dialogue_attention_stats(const struct dialogue_pass *p, double *entropy, double *null_weight);

#endif
