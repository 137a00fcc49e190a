/* SPDX-License-Identifier: GPL-3.0-or-later */
/* redact_codes: is a run of letters, digits and hyphens a code, and of which kind? Its shape
 * ("AB-99120", "WH-1000XM4", "24-48") and the words before it (redact_words.c) decide together. */
#include <string.h>

#include "redact_private.h"

enum { MAX_TOKEN = 64 };

struct shape {
	size_t n, digits, letters, uppers, groups, longest;   /* longest run of digits */
	size_t first, second;                                 /* digits in the first two groups */
	size_t lead, tail;                                    /* letters before the first digit or hyphen, at the end */
	bool plain;                                           /* digits only, one group */
	bool digits_only;                                     /* digits and hyphens */
};

static void measure(const char *s, size_t n, struct shape *h)
{
	size_t run = 0, in_group = 0;
	bool leading = true;

	*h = (struct shape){ .n = n, .groups = 1 };
	for (size_t i = 0; i < n; i++) {
		if (is_digit(s[i])) {
			h->digits++;
			in_group++;
			if (++run > h->longest)
				h->longest = run;
			leading = false;
			h->tail = 0;
		} else if (s[i] == '-') {
			if (h->groups == 1)
				h->first = in_group;
			else if (h->groups == 2)
				h->second = in_group;
			h->groups++;
			in_group = run = 0;
			leading = false;
			h->tail = 0;
		} else {
			h->letters++;
			h->uppers += is_upper(s[i]);
			run = 0;
			h->lead += leading;
			h->tail++;
		}
	}
	if (h->groups == 1)
		h->first = in_group;
	else if (h->groups == 2)
		h->second = in_group;
	h->digits_only = h->letters == 0;
	h->plain = h->digits_only && h->groups == 1;
}

static enum redact_type type_of_key(unsigned key)
{
	if (key & W_ORDER)
		return REDACT_ORDER;
	if (key & W_TRACKING)
		return REDACT_TRACKING;
	return REDACT_NUMBER;     /* phones and cards have forms of their own; what has none is a number */
}

static unsigned number_value(const char *s, size_t n)
{
	unsigned v = 0;

	for (size_t i = 0; i < n && i < 9; i++)
		v = v * 10 + (unsigned)(s[i] - '0');
	return v;
}

/* "500-1000", "24-48", "2023-24": from one to another. */
static bool is_range(const char *s, const struct shape *h)
{
	unsigned a, b;

	if (h->groups != 2 || !h->digits_only)
		return false;
	a = number_value(s, h->first);
	b = number_value(s + h->first + 1, h->second);
	if (h->first == 4 && a >= 1900 && a < 2100 && (h->second == 2 || (h->second == 4 && b >= 1900 && b < 2100)))
		return true;
	return a < b && h->first <= 6 && h->second <= 6 && (h->first + h->second <= 5 || (a % 50 == 0 && b % 50 == 0));
}

static bool is_carrier_form(const char *s, const struct shape *h)
{
	if (h->groups > 1)
		return false;
	if (h->n == 18 && s[0] == '1' && (s[1] == 'Z' || s[1] == 'z') && h->digits >= 8)      /* UPS */
		return true;
	if (h->n == 13 && h->lead == 2 && h->digits == 9 && h->tail == 2)                        /* UPU S10 */
		return true;
	if (h->lead >= 2 && h->lead <= 4 && h->tail == 0 && h->digits >= 12 && h->digits <= 22)
		return h->letters == h->lead;
	return false;
}

static bool has_code_prefix(const char *s, const struct shape *h)
{
	static const char *const known[] = { "ord", "order", "inv", "ref", "case", "tkt", "ticket", "rma", "po", "sr", "bk", "od",
		"conf", "booking" };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		size_t k = 0;

		while (known[i][k] && to_lower(s[k]) == known[i][k] && k < h->n)
			k++;
		if (!known[i][k] && k == h->lead)
			return true;
	}
	return false;
}

/* Years and the like: 4 digits that mean a time. */
static bool is_year(const char *s, const struct shape *h)
{
	return h->plain && h->n == 4 && ((s[0] == '1' && s[1] == '9') || (s[0] == '2' && s[1] == '0'));
}

/* Plain digits. */
static bool digits_are_code(const struct redact_view *t, size_t i, const char *s, const struct shape *h,
                            const struct redact_context *c, unsigned key, enum redact_type *type)
{
	bool asked = key && !c->key;
	bool near = asked || (key && (c->strong ? c->age <= 2 : c->age == 0 && !c->soft));
	bool very_near = key && c->strong && c->age == 0;

	*type = key ? type_of_key(key) : REDACT_NUMBER;
	if (c->money)
		return false;
	if (redact_unit_after(t, i + h->n) && !very_near)
		return false;
	if (c->pricey && !near)
		return h->n >= 8;
	if (h->n >= 5) {
		/* round figures are amounts more often than codes */
		if (!near && !c->hash && h->n <= 7 && strncmp(s + h->n - 3, "000", 3) == 0)
			return false;
		if (!key && c->hash)
			*type = REDACT_ORDER;
		return true;
	}
	if (is_year(s, h) && !very_near && !c->hash && !asked)
		return false;
	if (asked)         /* the bare answer: "4471", "its 4471 thanks" */
		return h->n >= 4 && (c->brief || c->words == 0) && !is_year(s, h);
	if (near && h->n >= 3 && !c->place)
		return true;
	if (c->hash && !c->place && h->n >= 4) {
		*type = key ? *type : REDACT_ORDER;
		return true;
	}
	return false;
}

/* Letters and digits, or groups. */
static bool mixed_is_code(const struct redact_view *t, size_t i, const char *s, const struct shape *h,
                          const struct redact_context *c, unsigned key, enum redact_type *type)
{
	bool asked = key && !c->key;
	bool near = asked || (key && (c->strong ? c->age <= 2 : c->age == 0 && !c->soft));
	bool strong = asked || (near && c->strong);

	*type = key ? type_of_key(key) : REDACT_ORDER;
	if (is_carrier_form(s, h)) {
		*type = key & W_ORDER && c->age <= 1 ? REDACT_ORDER : REDACT_TRACKING;
		return true;
	}
	if (c->money || redact_is_date(s, h->n) || h->digits < 1)
		return false;
	if (h->digits_only) {
		if (is_range(s, h) && (asked || !strong))
			return false;
		if (h->digits == 17 && h->groups == 3 && h->first == 3 && h->second == 7) {
			*type = REDACT_ORDER;
			return true;
		}
		if (redact_unit_after(t, i + h->n) && !strong)
			return false;
		/* "parcel 5521-9": right behind a word that often has another sense */
		return h->digits >= 6 || (near && h->digits >= 3 && h->longest >= 2) ||
			(c->key && c->age == 0 && h->digits >= 5 && h->longest >= 4 && !is_range(s, h));
	}
	if (has_code_prefix(s, h) && h->digits >= 3)
		return true;
	/* "10000mAh", "12345km"; "rs10000" */
	if (h->lead == 0 && h->tail == h->letters && h->groups == 1 &&
	    redact_word_flags(s + h->n - h->tail, h->tail) & W_UNIT)
		return false;
	if (redact_word_flags(s, h->lead) & W_MONEY && h->lead == h->letters && !strong)
		return false;
	if (strong && h->n >= (asked ? 5u : 4u) && h->digits >= (asked ? 3u : 2u) && h->digits * 3 >= h->letters)
		return true;
	if (near && h->n >= 5 && h->uppers == h->letters && (h->digits >= 3 || strong))
		return h->tail <= 3 || h->digits >= 3;
	if (c->hash && h->n >= 4 && h->digits >= 3 && h->uppers == h->letters)
		return true;
	/* "TUK-5201" and little else */
	if (c->brief && c->words <= 1 && h->groups == 2 && h->lead >= 2 && h->lead <= 4 && h->uppers == h->lead &&
	    h->letters == h->lead && h->first == 0 && h->digits >= 4)
		return true;
	/* on its own: two to five letters and five or more digits, "AB-99120", "ASDF123456" */
	return h->longest >= 5 && h->lead >= 1 && h->lead <= 5 && h->letters == h->lead && h->groups <= 2 &&
	       (h->groups == 1 ? h->digits >= (h->lead == 1 ? 6u : 5u) : true);
}

bool redact_match_code(const struct redact_view *t, size_t i, const struct redact_context *c,
                       enum redact_type *type, size_t *end, size_t *skip)
{
	const char *s = t->s + i;
	size_t k = i;
	unsigned key;
	struct shape h;
	char next;

	while (is_alnum(redact_at(t, k)) || (redact_at(t, k) == '-' && k > i && is_alnum(redact_at(t, k - 1)) && is_alnum(redact_at(t, k + 1))))
		k++;
	*end = *skip = k;
	if (k - i > MAX_TOKEN || redact_at(t, k) == '_') {
		while (is_alnum(redact_at(t, k)) || redact_at(t, k) == '_' || redact_at(t, k) == '-')
			k++;
		*skip = k;
		return false;
	}
	measure(s, k - i, &h);
	if (h.digits == 0)
		return false;
	/* "Springfield-560001": the code begins after the hyphen, the word is none of it */
	if (h.lead > 5 && h.groups == 2 && h.lead == h.letters && h.first == 0 && !has_code_prefix(s, &h)) {
		*skip = i + h.lead;
		return false;
	}
	/* decimals, thousands, times, dates, ratios: one number with what follows */
	next = redact_at(t, k);
	if (h.plain && (next == '.' || next == ',' || next == ':' || next == '/') && is_digit(redact_at(t, k + 1))) {
		size_t q = k + 1;

		while (is_digit(redact_at(t, q)) && q - k < 8)
			q++;
		/* "10482,10483" and "10482/10483" are two codes; "12,345" and "10482.50" are one amount */
		if (!(h.n >= 5 && (next == ',' || next == '/') && q - k - 1 >= 5)) {
			while (is_digit(redact_at(t, q)) || ((redact_at(t, q) == '.' || redact_at(t, q) == ',' || redact_at(t, q) == ':' ||
			       redact_at(t, q) == '/' || redact_at(t, q) == '-') && is_digit(redact_at(t, q + 1))))
				q++;
			*skip = q;
			return false;
		}
	}
	key = c->key && c->age <= (c->strong ? 8u : 5u) && (c->strong || !c->soft) ? c->key : 0;
	/* the answer to a question comes first: "its 4471-22 pls hurry" */
	if (!c->key && !c->any_key && c->words <= 1)
		key = c->asked;
	if (h.plain)
		return digits_are_code(t, i, s, &h, c, key, type);
	return mixed_is_code(t, i, s, &h, c, key, type);
}
