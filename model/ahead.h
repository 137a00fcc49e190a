/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ahead: whole words that may come next in a turn that is being typed.
 *
 * A tree of decoder states hangs below the start of the turn, a node a piece. What is typed is a path in
 * it; what is searched are its branches; and since they stay, the next keystroke mostly walks where the one
 * before has been. Each node keeps what may follow it: the model's distribution, mixed with an n-gram
 * model and with what the person wrote.
 *
 *     struct ahead *a = ahead_new(session, &mix);
 *     root = ahead_reach(a, tag, ids, n);                      // the typed text up to its last white space
 *     found = ahead_words(a, root, " ref", 4, &query, out, 3);      // " ref|und", " ref|er", ...
 *     found = ahead_words(a, out[0].node, "", 0, &query, next, 1);  // and the word after " refund"
 *
 * A word ends before white space and where the turn ends, and keeps its punctuation. Different
 * pieces that give the same text are summed. The search is best first: probabilities only fall
 * along a path, so that what is found first is the likeliest. For one thread. */
#ifndef ANSWERBACK_AHEAD_H
#define ANSWERBACK_AHEAD_H

#include <stdatomic.h>

#include "ngram.h"
#include "personal.h"
#include "session.h"

/* p = w model + (1 - w) n-gram; w by the trust in the n-grams. */
struct ahead_mix {
	const struct ngram *ngram;              /* NULL: none */
	const struct personal *personal;        /* all that a person wrote; NULL: none */
	const struct personal *recent;          /* what they wrote last; NULL: none */
	double model_weight[NGRAM_TRUST];
	bool ngram_only;                        /* the n-grams alone, for comparison: no decoder is run */
};
void ahead_mix_default(struct ahead_mix *mix);

struct ahead;
enum { AHEAD_NODES = 256, AHEAD_WIDTH = 4, AHEAD_MAX_WORDS = 16, AHEAD_MAX_OPEN = 256 };

struct ahead *ahead_new(struct session *s, const struct ahead_mix *mix);
void ahead_free(struct ahead *a);                    /* NULL is fine */
/* Forget all states, because counts of the mix have changed. mix NULL: the same objects. */
void ahead_reset(struct ahead *a, const struct ahead_mix *mix);
size_t ahead_steps(const struct ahead *a);           /* decoder rows computed so far */

/* The node after reading tag and ids. */
int ahead_reach(struct ahead *a, int32_t tag, const int32_t *ids, size_t n);

struct ahead_query {
	/* What a placeholder reads as, *len bytes, or NULL: it may not be proposed. */
	const char *(*value)(int32_t id, size_t *len, void *arg);
	/* May a word (without white space before it) be proposed? NULL: any. */
	bool (*allowed)(const char *word, size_t n, void *arg);
	void *arg;
	size_t steps;                            /* at most so many batches of AHEAD_WIDTH rows a search */
	const atomic_bool *cancel;               /* NULL: never; a cancelled search finds nothing more */
};

struct ahead_word {
	char text[AHEAD_MAX_OPEN];               /* bytes after the open ones */
	size_t len;
	size_t tokens;                           /* pieces reaching past the open bytes */
	int node;                                /* after it, to go on from; valid until ahead_reach */
	double log_prob;                         /* of the word, its end included, given the open bytes */
	double least;                            /* of its pieces */
	double end;                              /* chance that the word ends there (also: turn's end) */
	double ngram;                            /* log p of the same pieces by the n-gram model; 0 without one */
};

/* Up to n likeliest words after `open`, the typed bytes from root on, best first. If open ends in a whole
 * word, " is" may be the answer as well as "s". *entropy (may be NULL): nats, of the next piece. */
size_t ahead_words(struct ahead *a, int root, const char *open, size_t n_open, const struct ahead_query *q,
                   struct ahead_word *out, size_t n, double *entropy);

/* Chance that the turn ends at a node. */
double ahead_end(const struct ahead *a, int node);
/* p of an id after a node. */
double ahead_prob(const struct ahead *a, int node, int32_t id);

#endif
