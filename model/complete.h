/* SPDX-License-Identifier: GPL-3.0-or-later */
/* complete: what comes next in a turn that is being typed, also from mid-word.
 *
 * The typed text is cut before its last white space: pieces for what is complete, bytes
 * for what is not (bounded, for scripts without spaces). From the state after the pieces, a
 * small beam goes through all pieces that agree with the typed bytes, however they are cut, and
 * on to the end of the words wanted; ways of cutting that give the same text are summed. */
#ifndef ANSWERBACK_COMPLETE_H
#define ANSWERBACK_COMPLETE_H

#include "session.h"

struct complete_opts {
	size_t beam;              /* 1 .. COMPLETE_MAX_BEAM */
	size_t max_words;         /* the word being typed counts as the first */
	size_t max_tokens;
	const uint8_t *banned;    /* [V], as in decode.h; NULL: control ids alone */
};
enum { COMPLETE_MAX_BEAM = 16, COMPLETE_MAX_OPEN = 48 };

void complete_opts_default(struct complete_opts *o);     /* beam 8, 5 words, 12 tokens */

struct completion {
	struct tokens ids;        /* from the cut on: its bytes begin with the open bytes */
	struct str text;          /* bytes after the typed ones */
	double log_prob;          /* of the text, given all that was typed */
	double least;             /* lowest log-probability of a token in it */
	size_t tokens;
};
void completion_free(struct completion *c);

/* Where to cut: bytes [0, n) are complete, [n, len) open. */
size_t complete_cut(const char *text, size_t len);

/* st: the state after the complete part (rows 1, left as it was) with logp [V] of what follows it.
 * open: the typed bytes after the cut. Returns how many of out[0 .. n) were filled, best first. */
size_t complete_from(struct session *s, const struct decode_state *st, const real *logp,
                     const char *open, size_t n_open, const struct complete_opts *o,
                     struct completion *out, size_t n);

#endif
