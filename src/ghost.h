/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ghost: the text shown ahead of the cursor: what to propose, how likely it is to be taken, and
 * whether to show it.
 *
 *     struct ghost_person *p = ghost_person_new(model, company);    // one a person, for all conversations
 *     ghost_person_load(p, blob, len, &e);                          // what the store kept, if anything
 *     struct ghost *g = ghost_new(talk, p, &opts);                  // one a conversation, beside its talk
 *
 *     // at each pause of typing (the same prefix grown by a letter costs little: states are kept)
 *     n = ghost_request(g, "assistant", draft, len, out, GHOST_MAX, &e);
 *     if (n > 0 && out[0].show) ... draw out[0].text after the cursor ...
 *     ghost_feedback(g, &out[0], GHOST_TAKEN);                      // or GHOST_WORD, GHOST_IGNORED
 *     for (...) ghost_text_free(&out[i]);
 *
 *     // what was sent: first into the talk, then it is learned from
 *     talk_add(talk, "assistant", draft, len, &e);
 *     ghost_learn(g, "assistant", draft, len);
 *
 * Letters typed that agree with a ghost need no new request: cut them off its front. After talk_add
 * or talk_truncate nothing need be said: the next request notices.
 *
 * A ghost and its person belong to the thread of their talk (inference). A person is used with one
 * model's pieces; models retrained from one another share them. */
#ifndef ANSWERBACK_GHOST_H
#define ANSWERBACK_GHOST_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "talk.h"

/* How much is wished for: the share of word ends with a ghost (10, 25, 40 %). */
enum ghost_level { GHOST_OFF, GHOST_SHY, GHOST_NORMAL, GHOST_EAGER };
/* "off", "shy", "normal", "eager"; false: none of these. */
bool ghost_level_parse(const char *name, enum ghost_level *level);
const char *ghost_level_name(enum ghost_level level);

enum { GHOST_MAX = 16, GHOST_MAX_WORDS = 12, GHOST_MIN_TYPED = 3, GHOST_FEATURES = 12, GHOST_QUANTILES = 21 };

struct ghost_opts {
	enum ghost_level level;
	size_t max_words, max_tokens;    /* of the whole ghost: 8, 12 */
	const char *const *unwanted;     /* words never proposed, NULL-terminated, any letter case; NULL: none */
	const atomic_bool *cancel;       /* looked at between steps; NULL: never */
	bool personal;                   /* mix in what was learned of the person and the recent text */
};
void ghost_opts_default(struct ghost_opts *o);

struct ghost_text {
	struct str text;          /* what follows the prefix, byte for byte; one line, whole characters */
	size_t end[GHOST_MAX_WORDS];         /* bytes up to the end of each word */
	size_t sure;              /* words before one is uncertain: all, but for measurements */
	size_t first;             /* bytes of it that finish the first word */
	size_t words, tokens;
	double chance;            /* 0 .. 1, calibrated: that the first word is the one wanted */
	double log_prob, least;   /* of the text given what was typed; its least likely piece */
	double entropy;           /* nats, of the piece after what was typed */
	double feature[GHOST_FEATURES];      /* what the chance was estimated from */
	bool show;                /* chance above the bar, enough typed, not refused too often here */
};
void ghost_text_free(struct ghost_text *t);

struct ghost;
struct ghost_person;

/* ---- one person ---- */
/* Takes its own reference to m; company may be NULL, and is the one its talks are made with. */
struct ghost_person *ghost_person_new(struct model *m, const char *company);
void ghost_person_free(struct ghost_person *p);               /* NULL is fine */
/* Everything learned and how ghosts were taken, as bytes for the store, and back. The bytes name the
 * pieces they were counted with; ERR_FORMAT when they are broken or of other pieces (p is as it was). */
void ghost_person_save(const struct ghost_person *p, struct str *out);
int ghost_person_load(struct ghost_person *p, const char *bytes, size_t len, struct err *e);
/* Learn text sent earlier (import, or all anew after something was forgotten), and take back one
 * that was learned by the same call. */
void ghost_person_learn(struct ghost_person *p, const char *role, const char *text, size_t len);
void ghost_person_forget(struct ghost_person *p, const char *role, const char *text, size_t len);
void ghost_person_clear(struct ghost_person *p);              /* forget everything */

/* ---- one conversation ---- */
/* t outlives it; p may be NULL. o is copied (unwanted and cancel are not). */
struct ghost *ghost_new(struct talk *t, struct ghost_person *p, const struct ghost_opts *o);
void ghost_free(struct ghost *g);                             /* NULL is fine */
void ghost_set_level(struct ghost *g, enum ghost_level level);

/* Up to n ways on, best first, different first words; returns how many, 0 for none worth telling, or
 * ERR_USAGE (no such role), ERR_CANCELLED. Ends in half a character, or too long to be typed: 0.
 * `show` may be set in out[0] alone. */
int ghost_request(struct ghost *g, const char *role, const char *prefix, size_t len,
                  struct ghost_text *out, size_t n, struct err *e);

enum ghost_outcome {
	GHOST_TAKEN,              /* the whole of it */
	GHOST_WORD,               /* its first word */
	GHOST_IGNORED,            /* it stood there and something else was typed */
	GHOST_DISMISSED           /* sent away by key */
};
/* What became of a ghost that was shown: once for each shown. The bar moves. True: the bar was just
 * raised because hardly any is taken (under 10 % of 50 shown); say so to the person. */
bool ghost_feedback(struct ghost *g, const struct ghost_text *t, enum ghost_outcome what);

/* The person sent this as `role` (already in the talk): learn it, and begin afresh. */
void ghost_learn(struct ghost *g, const char *role, const char *text, size_t len);

#endif
