/* SPDX-License-Identifier: GPL-3.0-or-later */
/* redact: personal data and codes out of the text before the model sees it, and back
 * into what the model wrote.
 *
 * A struct redact_map belongs to one conversation: the same value always gets the same
 * (type, index), indices counting from 1 in order of first appearance, at most 16 a type
 * (a 17th distinct value is left in the text as it is). The company's name, when the map is
 * given one, is type "company", index 1, wherever it stands as a word of its own (letter case ignored).
 * Types in id order are those of tokenizer_default_types:
 *     order tracking email phone card iban url number company
 * Give it the turns in their order, both sides: a map remembers for two turns what was asked
 * for, so that the bare answer "4471" to "your order number?" is found.
 * Nothing here claims to find names of persons or postal addresses.
 *
 * Precision counts as much as recall: prices, dates, times, years, quantities ("2 items"),
 * versions and product names ("iPhone 12", "Galaxy M34 5G") stay.
 * Works on any bytes; text that merely looks like a placeholder ("<order_1>") stays text.
 * A map belongs to one thread at a time.
 */
#ifndef ANSWERBACK_REDACT_H
#define ANSWERBACK_REDACT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

enum redact_type {
	REDACT_ORDER, REDACT_TRACKING, REDACT_EMAIL, REDACT_PHONE, REDACT_CARD,
	REDACT_IBAN, REDACT_URL, REDACT_NUMBER, REDACT_COMPANY, REDACT_TYPES
};
enum { REDACT_PER_TYPE = 16 };

const char *redact_type_name(enum redact_type type);

struct redact_map;
struct redact_map *redact_map_new(const char *company);     /* NULL or "": no company slot */
void redact_map_free(struct redact_map *m);
/* Copies everything learned so far; for drafts that may be thrown away. */
struct redact_map *redact_map_clone(const struct redact_map *m);
/* The value behind (type, index), or NULL. Lives as long as the map. */
const char *redact_value(const struct redact_map *m, enum redact_type type, unsigned index);

struct redact_span {
	enum redact_type type;
	unsigned index;              /* 1..16 */
	size_t start, end;           /* byte offsets into the text */
};
struct redact_spans {
	struct redact_span *v;       /* sorted, not overlapping */
	size_t n, cap;
};
void redact_spans_free(struct redact_spans *s);

/* Find what is personal in text, number it in m (adding new values), append spans to out. */
void redact_find(struct redact_map *m, const char *text, size_t len, struct redact_spans *out);

/* A convenience for people and pipes: text with spans replaced by "<order_1>" and so on. */
void redact_text(struct redact_map *m, const char *text, size_t len, struct str *out);

#endif
