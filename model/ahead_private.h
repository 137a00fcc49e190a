/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ahead_private: the tree, shared by what grows it and what searches it. */
#ifndef ANSWERBACK_AHEAD_PRIVATE_H
#define ANSWERBACK_AHEAD_PRIVATE_H

#include "ahead.h"

enum { AHEAD_CONTEXT = 4 };
_Static_assert(AHEAD_CONTEXT >= (int)PERSONAL_ORDER - 1 && AHEAD_CONTEXT >= (int)NGRAM_MAX_ORDER - 1,
               "n-grams look further back");

struct ahead_node {
	int parent, child, sibling;             /* -1: none */
	int32_t id;
	int32_t context[AHEAD_CONTEXT];         /* the last ids, this one included */
	size_t n_context;
	double word_end;                        /* chance of white space or the turn's end next */
	double entropy;                         /* nats, of what follows; < 0: not asked for yet */
};

struct ahead {
	struct session *s;
	struct model *m;
	struct ahead_mix mix;
	size_t vocab;
	struct ahead_node *node;                /* [AHEAD_NODES], the first n in use; 0: where the turn starts */
	size_t n;
	real *p;                                /* [AHEAD_NODES, V] */
	struct decode_state states;             /* a row a node */
	struct decode_state batch;
	real *logp;                             /* [AHEAD_WIDTH, V] */
	real *gram;                             /* [V] */
	real *white, *black;                    /* [V] 1 where a piece begins with white space, or does not; else 0 */
	int32_t tag;
	size_t turns;                           /* of the session when the tree was begun */
	struct tokens typed;                    /* the way last reached */
	size_t dropped;                         /* ids of it that stand before node 0 */
	size_t steps;
};

static inline bool ahead_white(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

int ahead_child(const struct ahead *a, int at, int32_t id);      /* -1: not there */
bool ahead_room(const struct ahead *a, size_t n);
/* Read n <= AHEAD_WIDTH pieces, each after its parent, in one step. There must be room. */
void ahead_grow(struct ahead *a, const int *parent, const int32_t *id, size_t n, int *node);

#endif
