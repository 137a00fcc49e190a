/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Made-up order numbers, cards, IBANs and the like: right in form (Luhn, mod 97), nobody's. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "corpus_tool.h"

static void digits(struct str *out, size_t n, struct rng *r)
{
	for (size_t i = 0; i < n; i++)
		str_addc(out, (char)('0' + rng_below(r, 10)));
}

/* Most codes do not begin with a zero. */
static void number(struct str *out, size_t n, struct rng *r)
{
	str_addc(out, (char)('1' + rng_below(r, 9)));
	digits(out, n - 1, r);
}

static void capitals(struct str *out, size_t n, struct rng *r)
{
	for (size_t i = 0; i < n; i++)
		str_addc(out, "ABCDEFGHJKLMNPQRSTUVWXYZ"[rng_below(r, 24)]);
}

/* '9' a digit but zero, 'd' any digit, 'A' a capital, anything else itself. */
static void by_pattern(struct str *out, const char *pattern, struct rng *r)
{
	for (const char *p = pattern; *p; p++) {
		if (*p == '9')
			number(out, 1, r);
		else if (*p == 'd')
			digits(out, 1, r);
		else if (*p == 'A')
			capitals(out, 1, r);
		else
			str_addc(out, *p);
	}
}

static void order(struct str *out, struct rng *r)
{
	static const char *const patterns[] = {
		"9ddd-dd", "9ddd-dd", "#9dddd", "#9dddd", "#9ddd", "9dd-ddddddd-ddddddd",
		"9dd-ddddddd-ddddddd", "AA-9dddd", "AA-9dddd", "ORD9ddddd", "ORD-9dddd", "9dddddd",
		"9ddddddd", "9ddddd", "9dddd", "A9ddddd", "9ddd-dddd", "AA9dddddd", "#AA9dd", "9dd-ddddd",
		"9ddddddddd", "ORD9dddddd", "AAA-9dddd", "9d-dddd-dd", "W9dddddddd"
	};

	const char *p = patterns[rng_below(r, sizeof(patterns) / sizeof(patterns[0]))];
	struct str code = STR_INIT;

	/* not what reads as a year or a round amount: nobody could tell it from one */
	do {
		str_reset(&code);
		by_pattern(&code, p, r);
	} while (strncmp(code.s + strspn(code.s, "#"), "19", 2) == 0 || strncmp(code.s + strspn(code.s, "#"), "20", 2) == 0 ||
	         strcmp(code.s + code.len - 3, "000") == 0);
	str_add(out, code.s, code.len);
	str_free(&code);
}

static void tracking(struct str *out, struct rng *r)
{
	switch (rng_below(r, 5)) {
	case 0:
		by_pattern(out, "1Z9ddA9ddd9ddddddd", r);
		break;
	case 1:
		number(out, 20 + rng_below(r, 3), r);
		break;
	case 2:
		by_pattern(out, "AA9dddddddd", r);
		str_adds(out, rng_below(r, 2) ? "GB" : "DE");
		break;
	case 3:
		number(out, 12, r);
		break;
	default:
		by_pattern(out, rng_below(r, 2) ? "JDdddddddddddddddd" : "AAA9ddddddd", r);
	}
}

static void email(struct str *out, struct rng *r)
{
	static const char *const first[] = { "anna", "ben", "carla", "d.osei", "elena", "grace.kim", "h.lee", "jturner",
		"karin", "liam", "m.silva", "nina", "omar", "priya", "raj.patel", "sofia", "tom.baker", "wendy", "yara", "zoe" };
	static const char *const host[] = { "gmail.com", "outlook.com", "yahoo.com", "hotmail.co.uk", "icloud.com",
		"mail.de", "proton.me", "example.com", "example.org", "gmx.net" };

	str_adds(out, first[rng_below(r, sizeof(first) / sizeof(first[0]))]);
	if (rng_below(r, 2))
		number(out, 1 + rng_below(r, 4), r);
	str_addc(out, '@');
	str_adds(out, host[rng_below(r, sizeof(host) / sizeof(host[0]))]);
}

static void phone(struct str *out, struct rng *r)
{
	static const char *const patterns[] = { "+44 79dd dddddd", "079dd dddddd", "+1 9dd-9dd-dddd", "(9dd) 9dd-dddd",
		"9dd-9dd-dddd", "+91 9dddd ddddd", "98dddddddd", "+49 151 9ddddddd", "020 79dd dddd", "+33 6 9d dd dd dd" };

	by_pattern(out, patterns[rng_below(r, sizeof(patterns) / sizeof(patterns[0]))], r);
}

static void card(struct str *out, struct rng *r)
{
	char d[17] = "";
	unsigned sum = 0;
	static const char seps[] = { ' ', '-', 0 };
	char sep = seps[rng_below(r, 3)];

	d[0] = "4455"[rng_below(r, 4)];
	for (size_t i = 1; i < 15; i++)
		d[i] = (char)('0' + rng_below(r, 10));
	if (d[0] == '5')
		d[1] = (char)('1' + rng_below(r, 5));
	for (size_t i = 0; i < 15; i++) {
		unsigned v = (unsigned)(d[i] - '0') << (i % 2 == 0);

		sum += v > 9 ? v - 9 : v;
	}
	d[15] = (char)('0' + (10 - sum % 10) % 10);
	for (size_t i = 0; i < 16; i++) {
		if (sep && i && i % 4 == 0)
			str_addc(out, sep);
		str_addc(out, d[i]);
	}
}

static void iban(struct str *out, struct rng *r)
{
	static const struct {
		const char *country, *pattern;
	} forms[] = {
		{ "GB", "AAAAdddddddddddddd" }, { "DE", "9ddddddddddddddddd" }, { "FR", "9dddddddddddddddddddddd" },
		{ "NL", "AAAAdddddddddd" }, { "ES", "9ddddddddddddddddddd" }, { "IE", "AAAAdddddddddddddd" }
	};
	size_t k = rng_below(r, sizeof(forms) / sizeof(forms[0]));
	bool spaced = rng_below(r, 2);
	struct str body = STR_INIT;
	unsigned rest = 0;
	char head[5];

	by_pattern(&body, forms[k].pattern, r);
	str_addf(&body, "%s00", forms[k].country);     /* moved to the end for the check, ISO 13616 */
	for (size_t i = 0; i < body.len; i++) {
		char ch = body.s[i];

		rest = isdigit((unsigned char)ch) ? (rest * 10 + (unsigned)(ch - '0')) % 97
		                                  : (rest * 100 + (unsigned)(ch - 'A' + 10)) % 97;
	}
	snprintf(head, sizeof(head), "%.2s%02u", forms[k].country, 98 - rest);
	str_adds(out, head);
	for (size_t i = 0; i + 4 < body.len; i++) {
		if (spaced && i % 4 == 0)
			str_addc(out, ' ');
		str_addc(out, body.s[i]);
	}
	str_free(&body);
}

static void url(struct str *out, const char *company, struct rng *r)
{
	static const char *const paths[] = { "/track", "/orders", "/help", "/returns", "/item/", "/p/", "/account", "" };
	const char *path = paths[rng_below(r, sizeof(paths) / sizeof(paths[0]))];
	static const char *const heads[] = { "https://www.", "https://", "www.", "http://" };

	str_adds(out, heads[rng_below(r, 4)]);
	for (const char *p = company; *p; p++)
		if (isalnum((unsigned char)*p))
			str_addc(out, (char)tolower((unsigned char)*p));
	str_adds(out, ".com");
	str_adds(out, path);
	if (*path && path[strlen(path) - 1] == '/')
		number(out, 5, r);
}

void corpus_make_code(enum corpus_code which, const char *company, struct rng *r, struct str *out)
{
	switch (which) {
	case CODE_ORDER:
		order(out, r);
		break;
	case CODE_TRACKING:
		tracking(out, r);
		break;
	case CODE_EMAIL:
		email(out, r);
		break;
	case CODE_PHONE:
		phone(out, r);
		break;
	case CODE_CARD:
		card(out, r);
		break;
	case CODE_IBAN:
		iban(out, r);
		break;
	case CODE_URL:
		url(out, company, r);
		break;
	case CODE_NUMBER:
		number(out, 5 + rng_below(r, 7), r);
		break;
	}
}
