/* SPDX-License-Identifier: GPL-3.0-or-later */
/* talk: one conversation with a model, in text: what every front end that answers or
 * completes is built on.
 *
 *     struct talk *t = talk_new(model, "Acme");
 *     talk_add(t, "user", text, len);
 *     talk_reply(t, "assistant", &opts, &reply);         // does not become part of the conversation ...
 *     talk_add(t, "assistant", reply.text.s, reply.text.len);    // ... until it is added
 *
 * A talk belongs to one thread; it holds a reference to its model. */
#ifndef ANSWERBACK_TALK_H
#define ANSWERBACK_TALK_H

#include <stdatomic.h>
#include <stdbool.h>

#include "../model/complete.h"
#include "../model/decode.h"
#include "../model/model.h"
#include "base/err.h"
#include "base/str.h"
#include "chatfile.h"

/* What the company placeholder reads as when nobody has said what the company is called. */
#define TALK_NO_COMPANY "Customer Care"

struct talk;
struct redact_map;

struct talk *talk_new(struct model *m, const char *company);    /* company may be NULL */
void talk_free(struct talk *t);
/* ERR_USAGE: the model has no such role. Text of any bytes; of a very long one the end counts: the model looks at some hundred
 * pieces only, and nobody waits for a megabyte (nor has the gigabytes that its states would take). */
enum { TALK_SEES = 8000 };      /* bytes */
int talk_add(struct talk *t, const char *role, const char *text, size_t len, struct err *e);
/* All of a conversation; roles the model does not have are errors. */
int talk_add_chat(struct talk *t, const struct chat *c, struct err *e);
size_t talk_turns(const struct talk *t);
void talk_truncate(struct talk *t, size_t turns);
struct session *talk_session(struct talk *t);
/* Append ids as the person reads them, placeholders put back. */
void talk_text(const struct talk *t, const int32_t *ids, size_t n, struct str *out);
struct model *talk_model(struct talk *t);
/* The conversation's codes and their numbers; the talk's own. */
struct redact_map *talk_map(struct talk *t);

struct talk_reply {
	struct str text;
	double score;             /* mean log-probability a token, <eot> included */
	double confidence;        /* 0 .. 1, see talk_confidence */
	size_t tokens;
	double ms;
	bool cancelled;
};
void talk_reply_free(struct talk_reply *r);

struct talk_opts {
	struct decode_opts decode;      /* its banned, token and arg are talk's own */
	double rerank;                  /* > 0: of several candidates the one whose mean log-probability and this many
	                                   times its fit with the other side's last message is highest (choose.h) */
	/* Streamed text, in whole UTF-8 characters; false stops. NULL: none. */
	bool (*text)(const char *bytes, size_t n, void *arg);
	void *arg;
};
void talk_opts_default(struct talk_opts *o);
/* How replies to people are made: a beam, and of its replies the one that fits the message best. */
void talk_opts_best(struct talk_opts *o);

int talk_reply(struct talk *t, const char *role, const struct talk_opts *o, struct talk_reply *r, struct err *e);
/* Up to `most` different ones, best first, out of the beams and as many samples (choose.h); returns how many. o's
 * decode.method and text do not count; r: the caller frees each. */
int talk_replies(struct talk *t, const char *role, const struct talk_opts *o, size_t samples, struct talk_reply *r,
                 size_t most, struct err *e);

/* The geometric mean of the probabilities of the reply's tokens: exp(score). */
double talk_confidence(double score);
/* Below this a reply counts as not confident (exit 3). */
#define TALK_CONFIDENT 0.2

struct talk_completion {
	struct str text;          /* what follows the prefix, byte for byte */
	double score, confidence;
};
/* Up to n continuations of what role is typing, best first; returns how many. */
int talk_complete(struct talk *t, const char *role, const char *prefix, size_t len,
                  const struct complete_opts *o, struct talk_completion *out, size_t n, struct err *e);

#endif
