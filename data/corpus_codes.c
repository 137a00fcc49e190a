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

/* '9' a digit, 'A' a capital, anything else itself. */
static void by_pattern(struct str *out, const char *pattern, struct rng *r)
{
	for (const char *p = pattern; *p; p++) {
		if (*p == '9')
			number(out, 1, r);
		else if (*p == '0')
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
		"9000-00", "9000-00", "#90000", "#90000", "#9000", "900-0000000-0000000",
		"900-0000000-0000000", "AA-90000", "AA-90000", "ORD900000", "ORD-90000", "9000000",
		"90000000", "900000", "90000", "A900000", "9000-0000", "AA9000000", "#AA900", "900-00000",
		"9000000000", "ORD9000000", "AAA-9000", "90-0000-00", "W900000000"
	};

	by_pattern(out, patterns[rng_below(r, sizeof(patterns) / sizeof(patterns[0]))], r);
}

static void tracking(struct str *out, struct rng *r)
{
	switch (rng_below(r, 5)) {
	case 0:
		by_pattern(out, "1Z900A900090000000", r);
		break;
	case 1:
		number(out, 20 + rng_below(r, 3), r);
		break;
	case 2:
		by_pattern(out, "AA900000000", r);
		str_adds(out, rng_below(r, 2) ? "GB" : "DE");
		break;
	case 3:
		number(out, 12, r);
		break;
	default:
		by_pattern(out, rng_below(r, 2) ? "JD0000000000000000" : "AAA90000000", r);
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
	static const char *const patterns[] = { "+44 7900 000000", "07900 000000", "+1 900-900-0000", "(900) 900-0000",
		"900-900-0000", "+91 90000 00000", "9000000000", "+49 151 90000000", "020 7900 0000", "+33 6 90 00 00 00" };

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
		{ "GB", "AAAA00000000000000" }, { "DE", "900000000000000000" }, { "FR", "90000000000000000000000" },
		{ "NL", "AAAA0000000000" }, { "ES", "90000000000000000000" }, { "IE", "AAAA00000000000000" }
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
