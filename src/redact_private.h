/* SPDX-License-Identifier: GPL-3.0-or-later */
/* redact_private: what the four files of redact share.
 *   redact.c        the map, the scan over a text
 *   redact_forms.c  things known by their form alone: e-mail, URL, card, IBAN, phone
 *   redact_words.c  the words before a code, which say what it is
 *   redact_codes.c  order numbers and other codes, by shape and context
 * Every matcher looks at a bounded piece of text (or at what it then takes), so that a scan is linear.
 */
#ifndef ANSWERBACK_REDACT_PRIVATE_H
#define ANSWERBACK_REDACT_PRIVATE_H

#include "redact.h"

/* ASCII only, whatever the locale; bytes from 0x80 up are never part of a code. */
static inline bool is_digit(char c) { return c >= '0' && c <= '9'; }
static inline bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
static inline bool is_alpha(char c) { return is_upper((char)(c & ~0x20)); }
static inline bool is_alnum(char c) { return is_digit(c) || is_alpha(c); }
static inline char to_lower(char c) { return is_upper(c) ? (char)(c | 0x20) : c; }
static inline bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/* The text being scanned. at(t, i) is 0 outside, so that matchers need no bounds of their own. */
struct redact_view {
	const char *s;
	size_t n;
};
static inline char redact_at(const struct redact_view *t, size_t i)
{
	return i < t->n ? t->s[i] : '\0';
}

/* ---- redact_words.c ---- */
enum {
	W_ORDER = 1, W_TRACKING = 2, W_PHONE = 4, W_CARD = 8, W_NUMBER = 16,
	W_KEYS = W_ORDER | W_TRACKING | W_PHONE | W_CARD | W_NUMBER,
	W_SOFT = 32,        /* a key only when "number", "id" or "#" follows */
	W_NUMWORD = 64,     /* number, id, no */
	W_LINK = 128,       /* may stand between a key and its code */
	W_VERBAL = 256,     /* "to order", "we order": no key after it */
	W_MONEY = 512,      /* before an amount */
	W_PRICEY = 1024,    /* probably before an amount */
	W_UNIT = 2048,      /* after an amount or quantity */
	W_PLACE = 4096      /* flat 1203, iPhone 12 */
};
unsigned redact_word_flags(const char *s, size_t n);
/* Is the number that ends there followed by a unit, a currency or a percent sign? */
bool redact_unit_after(const struct redact_view *t, size_t end);

/* What the words before a position say. */
struct redact_context {
	unsigned key;            /* one of W_KEYS, or 0 */
	bool strong, soft;       /* "order number" / "return" */
	unsigned age;            /* words since, links not counted; sentence ends count two */
	unsigned last;           /* flags of the last word */
	unsigned words;          /* so far in this text, links not counted */
	bool money, pricey, place, hash;   /* right before: "Rs", "paid", "flat", "#" */
	bool any_key;            /* some key stood in this text */
	unsigned asked;          /* what the turn before asked for, or 0 */
	bool brief;              /* the text holds at most a few words */
};
void redact_context_word(struct redact_context *c, const char *s, size_t n);
void redact_context_mark(struct redact_context *c, const struct redact_view *t, size_t i);
void redact_context_number(struct redact_context *c);     /* a number that stays passed by */
void redact_context_taken(struct redact_context *c, enum redact_type type);

/* ---- redact_codes.c ----
 * A run of letters, digits and inner hyphens at i: where it ends, and what it is when it
 * is a code. `skip` is the end of what can be passed over when it is not. */
bool redact_match_code(const struct redact_view *t, size_t i, const struct redact_context *c,
                       enum redact_type *type, size_t *end, size_t *skip);

/* ---- redact_forms.c: true and *end when one starts at i ---- */
bool redact_match_email(const struct redact_view *t, size_t i, size_t *end);
bool redact_match_url(const struct redact_view *t, size_t i, size_t *end);
bool redact_match_iban(const struct redact_view *t, size_t i, size_t *end);
bool redact_match_card(const struct redact_view *t, size_t i, const struct redact_context *c, size_t *end);
bool redact_match_phone(const struct redact_view *t, size_t i, const struct redact_context *c, size_t *end);
bool redact_is_date(const char *s, size_t n);

#endif
