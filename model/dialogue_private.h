/* SPDX-License-Identifier: GPL-3.0-or-later */
/* dialogue_private: the pieces of the forward pass that the backward pass and the live
 * session share, so that there is one definition of each equation. */
#ifndef ANSWERBACK_DIALOGUE_PRIVATE_H
#define ANSWERBACK_DIALOGUE_PRIVATE_H

#include "dialogue.h"
#include "output.h"

/* The turn whose context turn t has: itself, or what it is a branch of. */
size_t dialogue_place(const struct dialogue_batch *b, size_t t);

enum dropout_site { DROP_ENCODER_INPUT, DROP_TURN, DROP_DECODER_INPUT, DROP_MID, DROP_OUT };
uint64_t dialogue_dropout_key(const struct dialogue_pass *p, enum dropout_site site);

/* x: [n, d] = sqrt(d) E[ids] */
void dialogue_embed(const struct weights *w, const int32_t *ids, size_t n, real *x);
/* k, v: [rows, A] from turn: [rows, 2b] and enc: [rows, e] */
void dialogue_memory(const struct weights *w, size_t rows, const real *turn, const real *enc,
                     real *k, real *v);
/* start: [turns, 4h] (kept for backward) and its four parts: [turns, h] each */
void dialogue_start(const struct weights *w, size_t turns, const real *enc_last, real *start,
                    real *h1, real *h2, real *c1, real *c2);
struct attention dialogue_attention(const struct weights *w);
/* z: [rows, h + A] -> o: [rows, d], gate: [rows] */
void dialogue_output(const struct weights *w, size_t rows, const real *z, real *o, real *gate);
/* o: [rows, d] -> logits: [rows, V] */
void dialogue_logits(const struct weights *w, size_t rows, const real *o, real *logits);
struct copy_source dialogue_copy_source(const struct dialogue_pass *p, size_t turn, size_t row);

#endif
