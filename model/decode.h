/* SPDX-License-Identifier: GPL-3.0-or-later */
/* decode: pieces out of a session, greedily, by beam, or by sampling.
 *
 * All three obey the same rules: a list of pieces that may not be used, a least length, and
 * no repeated n-gram. Tokens are streamed by a callback (beam: when it is done), and a
 * cancel flag is looked at between tokens. The same seed gives the same text. */
#ifndef ANSWERBACK_DECODE_H
#define ANSWERBACK_DECODE_H

#include <stdatomic.h>

#include "session.h"

enum decode_method { DECODE_GREEDY, DECODE_BEAM, DECODE_SAMPLE };

struct decode_opts {
	enum decode_method method;
	size_t beam;                  /* width, 1 .. DECODE_MAX_BEAM */
	double length_penalty;        /* score = log p / ((5 + len) / 6)^penalty (Wu et al. 2016) */
	double temperature;
	size_t top_k;                 /* 0: all */
	double top_p;                 /* 1: all */
	uint64_t seed;
	size_t min_tokens, max_tokens;
	size_t no_repeat;             /* n-grams of this length occur once in a reply; 0: off */
	const uint8_t *banned;        /* [V] non-zero: never chosen; NULL: only control ids are */
	const atomic_bool *cancel;    /* NULL: never */
	/* false stops; called for every piece but <eot> */
	bool (*token)(int32_t id, double logp, void *arg);
	void *arg;
};
enum { DECODE_MAX_BEAM = 16 };

void decode_opts_default(struct decode_opts *o);    /* greedy, at most 160 tokens, no repeated 4-gram */

struct decode_result {
	struct tokens ids;            /* without <eot> */
	double log_prob;              /* model's own, unscaled, <eot> included when it ended */
	bool ended;                   /* <eot> was chosen; else the length ran out or it was stopped */
	bool cancelled;
};
void decode_result_free(struct decode_result *r);
double decode_mean_log_prob(const struct decode_result *r);    /* a token, <eot> counted */

/* One turn of role tag. Returns 0, or ERR_CANCELLED (what has come is in r). */
int decode_turn(struct session *s, int32_t tag, const struct decode_opts *o, struct decode_result *r);
/* Up to n best different turns by beam, best first; returns how many. r[0 .. n) are filled or emptied. */
size_t decode_beam(struct session *s, int32_t tag, const struct decode_opts *o,
                   struct decode_result *r, size_t n);

/* log p of a given turn (with <eot>), the sum; per token into logp (n + 1) when not NULL. */
double decode_score(struct session *s, int32_t tag, const int32_t *ids, size_t n, float *logp);

/* Ban every control id but <eot> and the placeholders that stand in the session; banned: [V],
 * written whole. keep: further ids allowed (the company), n_keep of them. */
void decode_ban_absent(const struct session *s, uint8_t *banned, const int32_t *keep, size_t n_keep);

#endif
