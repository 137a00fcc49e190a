/* SPDX-License-Identifier: GPL-3.0-or-later */
/* redact_words: what the words around a number say about it. "My order number is 4471-22" holds a
 * code; "I paid 4471 for 22" does not. The list is English, with what Indian English adds. */
#include <string.h>

#include "redact_private.h"

enum { MAX_WORD = 15 };

/* Sorted by word: found by halving. */
static const struct {
	char word[MAX_WORD + 1];
	unsigned flags;
} words[] = {
	{ "a", W_LINK }, { "account", W_NUMBER }, { "acct", W_NUMBER }, { "almost", W_PRICEY }, { "am", W_UNIT },
	{ "amex", W_CARD }, { "amount", W_PRICEY }, { "an", W_LINK }, { "and", W_LINK | W_VERBAL },
	{ "apartment", W_PLACE }, { "application", W_ORDER | W_SOFT }, { "approx", W_PRICEY },
	{ "approximately", W_PRICEY }, { "apt", W_PLACE }, { "are", W_LINK }, { "area", W_PLACE },
	{ "around", W_PRICEY }, { "as", W_LINK }, { "at", W_LINK }, { "aud", W_MONEY | W_UNIT },
	{ "awb", W_TRACKING }, { "balance", W_PRICEY }, { "be", W_LINK }, { "between", W_PLACE },
	{ "billion", W_UNIT }, { "block", W_PLACE }, { "booking", W_ORDER }, { "bookings", W_ORDER },
	{ "bottles", W_UNIT }, { "box", W_PLACE }, { "boxes", W_UNIT }, { "btu", W_UNIT }, { "bucks", W_UNIT },
	{ "budget", W_PRICEY }, { "building", W_PLACE }, { "business", W_UNIT }, { "cad", W_MONEY | W_UNIT },
	{ "call", W_PHONE }, { "calories", W_UNIT }, { "can", W_VERBAL }, { "cancellation", W_ORDER | W_SOFT },
	{ "cannot", W_VERBAL }, { "cant", W_VERBAL }, { "card", W_CARD }, { "case", W_ORDER }, { "cell", W_PHONE },
	{ "cellphone", W_PHONE }, { "cents", W_UNIT }, { "channel", W_PLACE }, { "chapter", W_PLACE },
	{ "characters", W_UNIT }, { "charged", W_PRICEY }, { "claim", W_ORDER | W_SOFT }, { "class", W_PLACE },
	{ "client", W_NUMBER | W_SOFT }, { "cm", W_UNIT }, { "code", W_NUMBER }, { "complaint", W_ORDER | W_SOFT },
	{ "confirmation", W_ORDER }, { "consignment", W_TRACKING }, { "contact", W_PHONE },
	{ "contract", W_ORDER | W_SOFT }, { "copies", W_UNIT }, { "cost", W_PRICEY }, { "costing", W_PRICEY },
	{ "costs", W_PRICEY }, { "could", W_VERBAL }, { "courier", W_SOFT | W_TRACKING }, { "credited", W_PRICEY },
	{ "crore", W_UNIT }, { "crores", W_UNIT }, { "customer", W_NUMBER | W_SOFT }, { "customers", W_UNIT },
	{ "cvc", W_NUMBER }, { "cvv", W_NUMBER }, { "d", W_LINK | W_VERBAL }, { "day", W_UNIT }, { "days", W_UNIT },
	{ "debited", W_PRICEY }, { "deducted", W_PRICEY }, { "degrees", W_UNIT }, { "delivery", W_ORDER | W_SOFT },
	{ "dial", W_PHONE }, { "did", W_VERBAL }, { "digits", W_NUMBER }, { "docket", W_ORDER }, { "dollar", W_UNIT },
	{ "dollars", W_UNIT }, { "dont", W_VERBAL }, { "door", W_PLACE }, { "dpi", W_UNIT }, { "either", W_LINK },
	{ "emi", W_PRICEY }, { "employee", W_NUMBER | W_SOFT }, { "employees", W_UNIT }, { "ending", W_NUMBER },
	{ "enquiry", W_ORDER | W_SOFT }, { "error", W_PLACE }, { "eur", W_MONEY | W_UNIT }, { "euro", W_UNIT },
	{ "euros", W_UNIT }, { "ever", W_VERBAL }, { "exchange", W_ORDER | W_SOFT }, { "fax", W_PHONE },
	{ "feet", W_UNIT }, { "flat", W_PLACE }, { "floor", W_PLACE }, { "followers", W_UNIT }, { "for", W_LINK },
	{ "fps", W_UNIT }, { "from", W_LINK }, { "ft", W_UNIT }, { "g", W_UNIT }, { "galaxy", W_PLACE },
	{ "gate", W_PLACE }, { "gb", W_UNIT }, { "gbp", W_MONEY | W_UNIT }, { "gbps", W_UNIT }, { "gen", W_PLACE },
	{ "generation", W_PLACE }, { "ghz", W_UNIT }, { "gm", W_UNIT }, { "gms", W_UNIT }, { "gonna", W_VERBAL },
	{ "got", W_LINK }, { "gram", W_UNIT }, { "grams", W_UNIT }, { "gtx", W_PLACE }, { "guest", W_UNIT },
	{ "guests", W_UNIT }, { "have", W_LINK }, { "hello", W_LINK }, { "here", W_LINK }, { "hi", W_LINK },
	{ "hour", W_UNIT }, { "hours", W_UNIT }, { "house", W_PLACE }, { "hr", W_UNIT }, { "hrs", W_UNIT },
	{ "hundred", W_UNIT }, { "hz", W_UNIT }, { "i", W_LINK | W_VERBAL }, { "id", W_NUMWORD },
	{ "ids", W_NUMWORD }, { "ifsc", W_NUMBER | W_SOFT }, { "imei", W_NUMBER | W_SOFT },
	{ "in", W_LINK | W_VERBAL }, { "inch", W_UNIT }, { "inches", W_UNIT }, { "incident", W_ORDER },
	{ "inr", W_MONEY | W_UNIT }, { "invoice", W_ORDER }, { "iphone", W_PLACE }, { "is", W_LINK },
	{ "it", W_LINK }, { "item", W_ORDER | W_SOFT | W_UNIT }, { "items", W_UNIT }, { "its", W_LINK },
	{ "just", W_LINK | W_VERBAL }, { "k", W_UNIT }, { "kb", W_UNIT }, { "kcal", W_UNIT }, { "kg", W_UNIT },
	{ "kgs", W_UNIT }, { "khz", W_UNIT }, { "km", W_UNIT }, { "kms", W_UNIT }, { "kw", W_UNIT },
	{ "kwh", W_UNIT }, { "l", W_UNIT }, { "lakh", W_UNIT }, { "lakhs", W_UNIT }, { "landline", W_PHONE },
	{ "lane", W_PLACE }, { "lb", W_UNIT }, { "lbs", W_UNIT }, { "lets", W_VERBAL }, { "level", W_PLACE },
	{ "licence", W_NUMBER | W_SOFT }, { "license", W_NUMBER | W_SOFT }, { "likes", W_UNIT }, { "liter", W_UNIT },
	{ "liters", W_UNIT }, { "litre", W_UNIT }, { "litres", W_UNIT }, { "ll", W_LINK | W_VERBAL },
	{ "lost", W_PRICEY }, { "loyalty", W_NUMBER | W_SOFT }, { "lumen", W_UNIT }, { "lumens", W_UNIT },
	{ "lux", W_UNIT }, { "m", W_LINK }, { "mah", W_UNIT }, { "mastercard", W_CARD }, { "mb", W_UNIT },
	{ "mbps", W_UNIT }, { "me", W_LINK }, { "member", W_NUMBER | W_SOFT }, { "membership", W_NUMBER | W_SOFT },
	{ "meter", W_NUMBER | W_SOFT | W_UNIT }, { "meters", W_UNIT }, { "metre", W_UNIT }, { "metres", W_UNIT },
	{ "mg", W_UNIT }, { "mhz", W_UNIT }, { "mile", W_UNIT }, { "miles", W_UNIT }, { "million", W_UNIT },
	{ "min", W_UNIT }, { "mins", W_UNIT }, { "minute", W_UNIT }, { "minutes", W_UNIT }, { "ml", W_UNIT },
	{ "mm", W_UNIT }, { "mob", W_PHONE }, { "mobile", W_PHONE }, { "model", W_PLACE }, { "month", W_UNIT },
	{ "months", W_UNIT }, { "mp", W_UNIT }, { "must", W_VERBAL }, { "my", W_LINK }, { "nd", W_UNIT },
	{ "nearly", W_PRICEY }, { "never", W_VERBAL }, { "night", W_UNIT }, { "nights", W_UNIT }, { "nits", W_UNIT },
	{ "no", W_NUMWORD }, { "nos", W_NUMWORD }, { "not", W_VERBAL }, { "nr", W_NUMWORD }, { "num", W_NUMWORD },
	{ "number", W_NUMWORD }, { "numbers", W_NUMWORD }, { "of", W_LINK }, { "oh", W_LINK }, { "ok", W_LINK },
	{ "okay", W_LINK }, { "on", W_LINK }, { "order", W_ORDER }, { "orderid", W_ORDER }, { "orderno", W_ORDER },
	{ "orders", W_ORDER | W_UNIT }, { "otp", W_NUMBER }, { "our", W_LINK }, { "owe", W_PRICEY }, { "oz", W_UNIT },
	{ "pa", W_UNIT }, { "pack", W_UNIT }, { "package", W_SOFT | W_TRACKING }, { "packs", W_UNIT },
	{ "page", W_PLACE }, { "pages", W_UNIT }, { "paid", W_PRICEY }, { "pairs", W_UNIT },
	{ "parcel", W_SOFT | W_TRACKING }, { "passcode", W_NUMBER }, { "passport", W_NUMBER | W_SOFT },
	{ "password", W_NUMBER }, { "patient", W_NUMBER | W_SOFT }, { "pay", W_PRICEY },
	{ "payment", W_ORDER | W_SOFT }, { "pcs", W_UNIT }, { "pence", W_UNIT }, { "people", W_UNIT },
	{ "percent", W_UNIT }, { "person", W_UNIT }, { "persons", W_UNIT }, { "ph", W_PHONE }, { "phase", W_PLACE },
	{ "phone", W_PHONE }, { "piece", W_UNIT }, { "pieces", W_UNIT }, { "pin", W_NUMBER }, { "pincode", W_NUMBER },
	{ "pixel", W_PLACE }, { "platform", W_PLACE }, { "please", W_LINK | W_VERBAL }, { "plot", W_PLACE },
	{ "pm", W_UNIT }, { "pnr", W_ORDER }, { "point", W_UNIT }, { "points", W_UNIT },
	{ "policy", W_NUMBER | W_SOFT }, { "postal", W_NUMBER | W_SOFT }, { "postcode", W_NUMBER },
	{ "pound", W_UNIT }, { "pounds", W_UNIT }, { "price", W_PRICEY }, { "priced", W_PRICEY },
	{ "purchase", W_ORDER }, { "px", W_UNIT }, { "quid", W_UNIT }, { "quotation", W_ORDER | W_SOFT },
	{ "quote", W_ORDER | W_SOFT }, { "ratings", W_UNIT }, { "rd", W_UNIT }, { "re", W_LINK | W_VERBAL },
	{ "reach", W_PHONE }, { "reads", W_LINK }, { "receipt", W_ORDER }, { "ref", W_ORDER },
	{ "reference", W_ORDER }, { "refund", W_ORDER | W_SOFT }, { "refunded", W_PRICEY },
	{ "replacement", W_ORDER | W_SOFT }, { "request", W_ORDER | W_SOFT }, { "reservation", W_ORDER },
	{ "reservations", W_ORDER }, { "return", W_ORDER | W_SOFT }, { "reviews", W_UNIT }, { "rma", W_ORDER },
	{ "road", W_PLACE }, { "room", W_PLACE }, { "rooms", W_UNIT }, { "row", W_PLACE }, { "rpm", W_UNIT },
	{ "rs", W_MONEY | W_UNIT }, { "rtx", W_PLACE }, { "rupee", W_MONEY | W_UNIT }, { "rupees", W_MONEY | W_UNIT },
	{ "ryzen", W_PLACE }, { "s", W_LINK }, { "said", W_LINK }, { "salary", W_PRICEY }, { "save", W_PRICEY },
	{ "saved", W_PRICEY }, { "says", W_LINK }, { "seats", W_UNIT }, { "sec", W_UNIT }, { "second", W_UNIT },
	{ "seconds", W_UNIT }, { "secs", W_UNIT }, { "sector", W_PLACE }, { "serial", W_NUMBER | W_SOFT },
	{ "series", W_PLACE }, { "sets", W_UNIT }, { "shipment", W_SOFT | W_TRACKING },
	{ "shipping", W_SOFT | W_TRACKING }, { "shop", W_PLACE }, { "should", W_VERBAL },
	{ "sim", W_NUMBER | W_SOFT }, { "since", W_PLACE }, { "size", W_PLACE }, { "so", W_LINK },
	{ "sorry", W_LINK }, { "spend", W_PRICEY }, { "spent", W_PRICEY }, { "sq", W_UNIT }, { "sqft", W_UNIT },
	{ "ssn", W_NUMBER }, { "st", W_UNIT }, { "star", W_UNIT }, { "stars", W_UNIT }, { "steps", W_UNIT },
	{ "stock", W_UNIT }, { "street", W_PLACE }, { "student", W_NUMBER | W_SOFT }, { "subscribers", W_UNIT },
	{ "suite", W_PLACE }, { "sure", W_LINK }, { "tb", W_UNIT }, { "tel", W_PHONE }, { "telephone", W_PHONE },
	{ "th", W_UNIT }, { "that", W_LINK }, { "the", W_LINK }, { "there", W_LINK }, { "they", W_VERBAL },
	{ "this", W_LINK }, { "thousand", W_UNIT }, { "ticket", W_ORDER }, { "tickets", W_UNIT }, { "time", W_UNIT },
	{ "times", W_UNIT }, { "to", W_LINK | W_VERBAL }, { "top", W_PLACE }, { "total", W_PRICEY },
	{ "tower", W_PLACE }, { "track", W_SOFT | W_TRACKING }, { "tracking", W_TRACKING },
	{ "transaction", W_NUMBER | W_SOFT }, { "transfer", W_ORDER | W_SOFT }, { "try", W_LINK },
	{ "txn", W_NUMBER | W_SOFT }, { "under", W_LINK }, { "unit", W_PLACE | W_UNIT }, { "units", W_UNIT },
	{ "until", W_PLACE }, { "upi", W_NUMBER | W_SOFT }, { "upto", W_PRICEY }, { "usd", W_MONEY | W_UNIT },
	{ "user", W_NUMBER | W_SOFT }, { "users", W_UNIT }, { "utr", W_NUMBER | W_SOFT }, { "v", W_UNIT },
	{ "ve", W_LINK }, { "version", W_PLACE }, { "views", W_UNIT }, { "villa", W_PLACE },
	{ "vin", W_NUMBER | W_SOFT }, { "visa", W_CARD }, { "volt", W_UNIT }, { "volts", W_UNIT }, { "w", W_UNIT },
	{ "wanna", W_VERBAL }, { "want", W_VERBAL }, { "ward", W_PLACE }, { "was", W_LINK }, { "wasted", W_PRICEY },
	{ "watt", W_UNIT }, { "watts", W_UNIT }, { "waybill", W_TRACKING }, { "we", W_VERBAL }, { "week", W_UNIT },
	{ "weeks", W_UNIT }, { "wh", W_UNIT }, { "whatsapp", W_PHONE }, { "will", W_VERBAL }, { "windows", W_PLACE },
	{ "with", W_LINK }, { "words", W_UNIT }, { "working", W_UNIT }, { "worth", W_PRICEY }, { "would", W_VERBAL },
	{ "x", W_UNIT }, { "year", W_PLACE | W_UNIT }, { "years", W_UNIT }, { "yes", W_LINK },
	{ "you", W_LINK | W_VERBAL }, { "your", W_LINK }, { "yrs", W_UNIT }, { "zip", W_NUMBER },
	{ "zipcode", W_NUMBER },
};

unsigned redact_word_flags(const char *s, size_t n)
{
	size_t lo = 0, hi = sizeof(words) / sizeof(words[0]);
	char w[MAX_WORD + 1] = "";

	if (n == 0 || n > MAX_WORD)
		return 0;
	for (size_t i = 0; i < n; i++)
		w[i] = to_lower(s[i]);
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		int d = strcmp(w, words[mid].word);

		if (d == 0)
			return words[mid].flags;
		if (d < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return 0;
}

static size_t word_end(const struct redact_view *t, size_t i)
{
	size_t k = i;

	while (k - i <= MAX_WORD && is_alpha(redact_at(t, k)))
		k++;
	return k;
}

/* UTF-8 for the pound, yen, euro and rupee signs, and the dollar. */
static bool is_currency_at(const struct redact_view *t, size_t i)
{
	const char *s = t->s + (i < t->n ? i : t->n);
	size_t n = i < t->n ? t->n - i : 0;

	return (n >= 1 && *s == '$') || (n >= 2 && (memcmp(s, "\xc2\xa3", 2) == 0 || memcmp(s, "\xc2\xa5", 2) == 0)) ||
	       (n >= 3 && (memcmp(s, "\xe2\x82\xac", 3) == 0 || memcmp(s, "\xe2\x82\xb9", 3) == 0));
}

bool redact_unit_after(const struct redact_view *t, size_t end)
{
	size_t i = end;

	/* "10000mAh" and "10000 mAh"; "10000-rupee" */
	if (redact_at(t, i) == ' ' || (redact_at(t, i) == '-' && is_alpha(redact_at(t, i + 1))))
		i++;
	if (redact_at(t, i) == '%' || (redact_at(t, i) == '/' && redact_at(t, i + 1) == '-') || is_currency_at(t, i))
		return true;
	return redact_word_flags(t->s + (i < t->n ? i : t->n), word_end(t, i) - i) & W_UNIT;
}

/* ---- the context, word by word ---- */

static void age(struct redact_context *c, unsigned by)
{
	c->age = c->age > 1000 ? c->age : c->age + by;
	c->money = c->pricey = c->place = c->hash = false;
}

void redact_context_word(struct redact_context *c, const char *s, size_t n)
{
	unsigned f = redact_word_flags(s, n), key = f & W_KEYS;
	bool linked = c->age == 0;     /* only links since the key */
	bool pricey = (f & W_PRICEY) || (c->pricey && f & W_LINK);

	if (key & W_ORDER && c->last & W_VERBAL && n <= 6 && !(f & W_SOFT))
		key = 0;                   /* "to order", "can book", "in case" */
	if (key & W_NUMBER && c->last & W_PLACE)
		key = 0;                   /* "error code", "model serial" */
	if (key && c->strong && linked && !(c->key & key)) {
		/* "tracking number for my order is": the first one rules */
	} else if (key) {
		c->key = key;
		c->soft = f & W_SOFT;
		c->strong = false;
		c->age = 0;
		c->any_key = true;
	} else if (f & W_NUMWORD && c->key && linked) {
		c->strong = true;
	} else if (!(f & (W_LINK | W_NUMWORD | W_MONEY))) {
		age(c, 1);
	}
	c->money = f & W_MONEY;
	c->pricey = pricey;
	c->place = f & W_PLACE;
	c->hash = false;
	c->last = f;
	if (!(f & (W_LINK | W_NUMWORD)) && c->words < 100)
		c->words++;
}

void redact_context_mark(struct redact_context *c, const struct redact_view *t, size_t i)
{
	char ch = redact_at(t, i);

	if (ch == '#') {
		c->hash = true;
		if (c->key && c->age == 0)
			c->strong = true;
	} else if (is_currency_at(t, i)) {
		c->money = true;
	} else if ((ch == '.' || ch == '?' || ch == '!' || ch == ';') && (is_space(redact_at(t, i + 1)) || i + 1 == t->n)) {
		/* "Rs. 500" and "No. 5" are no ends of sentences */
		if (!(ch == '.' && c->last & (W_MONEY | W_NUMWORD)))
			age(c, c->strong ? 1 : 2);
		c->last &= W_MONEY | W_NUMWORD;
	} else if (ch == '\n') {
		age(c, 1);
	}
}

void redact_context_number(struct redact_context *c)
{
	age(c, 1);
	c->last = 0;
}

void redact_context_taken(struct redact_context *c, enum redact_type type)
{
	static const unsigned key_of[REDACT_TYPES] = { [REDACT_ORDER] = W_ORDER, [REDACT_TRACKING] = W_TRACKING,
		[REDACT_PHONE] = W_PHONE, [REDACT_CARD] = W_CARD, [REDACT_NUMBER] = W_NUMBER };

	/* "order 10482 and 10483": the key still counts, a little aged; another kind of key is used up */
	if (c->key != key_of[type])
		c->key = 0;
	c->strong = false;
	c->any_key = true;
	age(c, 1);
	c->last = 0;
}
