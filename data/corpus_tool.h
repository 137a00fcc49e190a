/* SPDX-License-Identifier: GPL-3.0-or-later */
/* corpus: the tool that turns public corpora and the project's own texts into one training
 * mix for the shipped model. It runs when the model is made, never on a user's machine.
 *
 * Everything here is deterministic for a seed: each source draws from its own generator,
 * so leaving one source out does not change the others.
 */
#ifndef ANSWERBACK_CORPUS_TOOL_H
#define ANSWERBACK_CORPUS_TOOL_H

#include <stdbool.h>
#include <stddef.h>

#include "../src/base/err.h"
#include "../src/base/rng.h"
#include "../src/base/str.h"
#include "../src/chatfile.h"

/* Why a conversation was left out, cut short or changed. */
enum corpus_reason {
	REASON_SAMPLED,       /* left out by the source's weight */
	REASON_DOMAIN,        /* a domain that is not wanted */
	REASON_PLACEHOLDER,   /* held [Placeholder]s or XXXX masks: cut there */
	REASON_RUN_TOGETHER,  /* both sides in one turn: cut there */
	REASON_SWAPPED,       /* the agent speaks as a customer */
	REASON_HOTLINE,
	REASON_CAPPED,        /* over the share a source or a canned reply may have */
	REASON_NO_REPLY,      /* an intent nobody wrote a reply for */
	REASON_INVENTED,      /* a reply that uses a slot the customer never mentioned */
	REASON_DUPLICATE,
	REASON_SHORT,         /* fewer than two messages were left */
	REASON_COUNT
};
const char *corpus_reason_name(enum corpus_reason r);

struct corpus_stats {
	size_t in, out, cut, turns, chars;
	size_t reasons[REASON_COUNT];
};

/* A growing list of conversations; owns them. */
struct corpus_list {
	struct chat *v;
	size_t n, cap;
};
void corpus_list_add(struct corpus_list *l, struct chat *c);   /* takes what c holds */
void corpus_list_free(struct corpus_list *l);

size_t corpus_chat_chars(const struct chat *c);

/* ---- corpus_clean.c: one cleaner a source. True: keep c (perhaps changed). ---- */
struct corpus_clean_state;                     /* counts of canned replies seen so far */
struct corpus_clean_state *corpus_clean_new(void);
void corpus_clean_free(struct corpus_clean_state *s);
typedef bool corpus_cleaner(struct corpus_clean_state *s, struct chat *c, struct rng *r,
                            struct corpus_stats *st);
corpus_cleaner corpus_clean_cucom, corpus_clean_star, corpus_clean_sgd, corpus_clean_multiwoz,
	corpus_clean_tau, corpus_clean_chitchat, corpus_clean_nothing;
/* Cut c before message i (which then has i messages). */
void corpus_cut(struct chat *c, size_t i);

/* ---- corpus_text.c: slots, alternatives, noise ---- */
struct corpus_slots;
int corpus_slots_open(struct corpus_slots **out, const char *path, struct err *e);
void corpus_slots_close(struct corpus_slots *s);

/* The values chosen in one conversation. */
struct corpus_fill;
struct corpus_fill *corpus_fill_new(const struct corpus_slots *s);
void corpus_fill_free(struct corpus_fill *f);
const char *corpus_fill_company(const struct corpus_fill *f);  /* NULL until it was used */
/* Expand "[a|b]" and "{slot}". Customer text also becomes noisy; agent text never does.
 * False: agent text wants a slot that no customer text of this conversation has used. */
bool corpus_expand(struct corpus_fill *f, const char *text, bool customer, bool first,
                   struct rng *r, struct str *out);
/* Is text well formed, and every slot in it known? */
int corpus_check(const struct corpus_slots *s, const char *text, const char *where, struct err *e);
/* Letter case, typos, lost full stops, greetings: how people write. "{...}" is left whole. */
void corpus_noise(struct str *text, bool first, struct rng *r);

/* ---- corpus_codes.c: made-up but well-formed codes ---- */
enum corpus_code { CODE_ORDER, CODE_TRACKING, CODE_EMAIL, CODE_PHONE, CODE_CARD, CODE_IBAN,
                   CODE_URL, CODE_NUMBER };
void corpus_make_code(enum corpus_code which, const char *company, struct rng *r, struct str *out);

/* ---- corpus_prose.c: clear prose, for the writing desk ---- */
/* Paragraphs of the folder's .txt.xz files as turns of the role "document"; share: of all stretches, 0 to 1. */
int corpus_add_prose(struct corpus_list *l, const char *dir, double share, struct rng *r, struct corpus_stats *st,
                     struct err *e);

/* ---- corpus_written.c: the project's own texts ----
 * alternatives: of the agent's wordings of one place, only the first so many (0: all): a small model that
 * hears eight answers to everything blends them. */
int corpus_add_scenarios(struct corpus_list *train, struct corpus_list *valid, const char *dir,
                         const struct corpus_slots *slots, size_t each, size_t alternatives, struct rng *r,
                         struct corpus_stats *st, struct err *e);
struct corpus_replies;
int corpus_replies_open(struct corpus_replies **out, const char *dir, const struct corpus_slots *slots,
                        size_t alternatives, struct err *e);
void corpus_replies_close(struct corpus_replies *r);
/* One customer's message with one written reply. False: nobody wrote one for that intent. */
bool corpus_reply_to(const struct corpus_replies *replies, const struct corpus_slots *slots,
                     const char *set, const char *intent, const char *message, struct rng *r,
                     struct chat *c, struct corpus_stats *st);

/* ---- corpus_join.c ---- */
/* b's messages go behind a's, under a's company; b is empty afterwards. */
void corpus_append(struct chat *a, struct chat *b, struct rng *r);
/* Shuffles v and strings some together: each goes behind the one before it with the chance `share`. How many are left. */
/* `share` openings of each of the conversations in `from` (a whole number and a chance) to `to`. */
void corpus_openings(const struct corpus_list *from, struct corpus_list *to, double share, struct rng *r);
size_t corpus_join(struct chat **v, size_t n, double share, struct rng *r);

extern const char *const corpus_company_names[];
extern const size_t corpus_company_count;

#endif
