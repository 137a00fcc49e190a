/* SPDX-License-Identifier: GPL-3.0-or-later */
/* session: one live conversation. Each turn is encoded once, when it is added; a decoder state
 * can be copied, stepped in batches, and thrown away, so that greedy, sampling, beams, rewinding
 * and completion are all the same few calls.
 *
 *     struct session *s = session_new(model);
 *     session_add(s, user, ids, n);
 *     decode_state_init(&st, model, 1);
 *     session_start(s, assistant, &st, logp);              // log p of the first piece
 *     session_step(s, &st, &id, logp);                     // and of the one after id
 *
 * Every number equals, bit for bit, what dialogue_distribution gives for the same
 * conversation in a batch. A session holds a reference to its model and belongs to one thread. */
#ifndef ANSWERBACK_SESSION_H
#define ANSWERBACK_SESSION_H

#include "model.h"

struct session;

/* Decoder states of `rows` independent continuations. */
struct decode_state {
	size_t rows, cap, hidden;
	real *h1, *c1, *h2, *c2;       /* [cap, h] */
};
void decode_state_init(struct decode_state *st, const struct model *m, size_t cap);
void decode_state_fini(struct decode_state *st);
/* dst row i = src row j; dst->rows is left alone. */
void decode_state_copy(struct decode_state *dst, size_t i, const struct decode_state *src, size_t j);

struct session *session_new(struct model *m);          /* takes its own reference */
void session_free(struct session *s);                  /* NULL is fine */
struct model *session_model(const struct session *s);

/* Encode a finished turn. ids without tag and <eot>. */
void session_add(struct session *s, int32_t tag, const int32_t *ids, size_t n);
size_t session_turns(const struct session *s);
/* Forget all turns from `turns` on (0: all); nothing is recomputed. */
void session_truncate(struct session *s, size_t turns);

/* Everything said so far (tags included), n of them. */
const int32_t *session_ids(const struct session *s, size_t *n);

/* st becomes one row: the start of the next turn, after reading its tag. logp: [V]. */
void session_start(struct session *s, int32_t tag, struct decode_state *st, real *logp);
/* Read one piece in each of st's rows. logp: [rows, V] log p of what may follow, or NULL. */
void session_step(struct session *s, struct decode_state *st, const int32_t *ids, real *logp);

/* Of the last start or step: attention weights of a row and head over [null, memory...];
 * memory row j - 1 is session_ids()[first + j - 1]. And the copy gate. Valid until the next call. */
const real *session_attention(const struct session *s, size_t row, size_t head, size_t *first, size_t *n);
real session_gate(const struct session *s, size_t row);

#endif
