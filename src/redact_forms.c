/* SPDX-License-Identifier: GPL-3.0-or-later */
/* redact_forms: e-mail addresses, URLs, IBANs, cards and telephone numbers by their form. */
#include <string.h>

#include "redact_private.h"

enum { MAX_LOCAL = 64, MAX_HOST = 253, MAX_URL = 2048, MAX_GROUPS = 8 };

/* ---- e-mail and URL ---- */

static bool is_local(char c)
{
	return is_alnum(c) || (c && strchr("._%+-", c));
}

/* Labels with dots from i; returns the end (no trailing dot or hyphen) and where the last label starts. */
static size_t match_host(const struct redact_view *t, size_t i, size_t *last_label, size_t *dots)
{
	size_t k = i, end = i;

	*last_label = i;
	*dots = 0;
	while (k - i < MAX_HOST && (is_alnum(redact_at(t, k)) || redact_at(t, k) == '-' || redact_at(t, k) == '.')) {
		char c = redact_at(t, k);

		if (c == '.' && (k == i || !is_alnum(redact_at(t, k - 1)) || !is_alnum(redact_at(t, k + 1))))
			break;
		if (c == '.') {
			*last_label = k + 1;
			(*dots)++;
		}
		if (is_alnum(c))
			end = k + 1;
		k++;
	}
	return end;
}

bool redact_match_email(const struct redact_view *t, size_t i, size_t *end)
{
	size_t k = i, last, dots;

	if (!is_alnum(redact_at(t, i)))
		return false;
	while (k - i < MAX_LOCAL && is_local(redact_at(t, k)))
		k++;
	if (redact_at(t, k) != '@' || redact_at(t, k - 1) == '.')
		return false;
	*end = match_host(t, k + 1, &last, &dots);
	/* the last label is letters, two or more: user@localhost is no address here */
	if (dots == 0 || *end < last + 2)
		return false;
	for (k = last; k < *end; k++)
		if (!is_alpha(redact_at(t, k)))
			return false;
	return true;
}

static bool has_prefix(const struct redact_view *t, size_t i, const char *lower)
{
	size_t n = strlen(lower);

	for (size_t k = 0; k < n; k++)
		if (to_lower(redact_at(t, i + k)) != lower[k])
			return false;
	return true;
}

static bool is_one_of(const char *s, size_t n, const char *const *list)
{
	for (; *list; list++) {
		size_t k = 0;

		while (k < n && (*list)[k] && to_lower(s[k]) == (*list)[k])
			k++;
		if (k == n && !(*list)[k])
			return true;
	}
	return false;
}

/* Top-level domains that nobody writes by mistake after a full stop without a blank. */
static const char *const plain_tlds[] = { "com", "org", "net", "io", "edu", "gov", "info", "biz", "app", "dev",
	"online", "uk", "de", "fr", "nl", "es", "eu", "ca", "au", "ch", "jp", "cn", "br", "ru", "pl", "se", "nz", "za",
	"xyz", NULL };
/* These are words too ("it came.in a box"), so they count only before a slash or after ".co". */
static const char *const word_tlds[] = { "in", "me", "it", "is", "at", "be", "co", "ly", "us", "to", "tv", "ai", "id",
	"my", "sg", "ae", "shop", "store", "link", "page", "site", "help", "no", "fi", "ie", NULL };

/* The host from start to k, its last label from last: an address without http:// or www.? */
static bool is_bare_host(const struct redact_view *t, size_t start, size_t last, size_t k)
{
	const char *tld = t->s + last;
	size_t n = k - last;

	for (size_t p = last; p < k; p++)
		if (!is_alpha(redact_at(t, p)))
			return false;
	if (redact_at(t, k) == '@' || last < start + 2)
		return false;
	if (is_one_of(tld, n, plain_tlds))
		return true;
	if (!is_one_of(tld, n, word_tlds))
		return false;
	return redact_at(t, k) == '/' ||
	       (last >= start + 5 && redact_at(t, last - 4) == '.' && to_lower(redact_at(t, last - 3)) == 'c' &&
	        to_lower(redact_at(t, last - 2)) == 'o');
}

static bool is_url_char(char c)
{
	return (unsigned char)c > ' ' && (unsigned char)c < 0x7f && !strchr("<>\"`{}|\\^", c);
}

bool redact_match_url(const struct redact_view *t, size_t i, size_t *end)
{
	size_t start = i, last, dots, k, parens = 0;
	bool marked = true;

	if (!is_alpha(redact_at(t, i)))
		return false;
	if (has_prefix(t, i, "https://"))
		start += 8;
	else if (has_prefix(t, i, "http://"))
		start += 7;
	else if (!has_prefix(t, i, "www."))
		marked = false;
	k = match_host(t, start, &last, &dots);
	if (k == start || (dots == 0 && start == i))
		return false;
	if (!marked && !is_bare_host(t, start, last, k))
		return false;
	if (redact_at(t, k) == ':' && is_digit(redact_at(t, k + 1)))
		for (k++; is_digit(redact_at(t, k)) && k - start < MAX_URL; k++)
			;
	if (redact_at(t, k) == '/' || redact_at(t, k) == '?' || redact_at(t, k) == '#') {
		size_t path = k;

		for (; k - i < MAX_URL && is_url_char(redact_at(t, k)); k++)
			parens += redact_at(t, k) == '(';
		/* punctuation at the end belongs to the sentence; a closing bracket only if none was opened */
		while (k > path && strchr(".,;:!?'\"*])", redact_at(t, k - 1))) {
			if (redact_at(t, k - 1) == ')' && parens > 0)
				break;
			k--;
		}
	}
	*end = k;
	return true;
}

/* ---- IBAN (ISO 13616) ---- */

static size_t iban_length(char a, char b)
{
	static const char table[] =
		"AD24AE23AL28AT20AZ28BA20BE16BG22BH22BR29CH21CR22CY28CZ24DE22DK18DO28EE20EG29ES24FI18FO18FR27GB22GE22GI23GL18"
		"GR27GT28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32LI21LT20LU20LV21LY25MC27MD24ME22MK19MR27MT31MU30NL18"
		"NO15PK24PL28PS29PT25QA29RO24RS22SA24SC31SE24SI19SK24SM27ST25SV28TL23TN24TR26UA29VA22VG24XK20";

	for (const char *p = table; *p; p += 4)
		if (p[0] == a && p[1] == b)
			return (size_t)(p[2] - '0') * 10 + (size_t)(p[3] - '0');
	return 0;
}

bool redact_match_iban(const struct redact_view *t, size_t i, size_t *end)
{
	char compact[34];
	size_t want, n = 0, k = i;
	unsigned rest = 0;

	if (!is_alpha(redact_at(t, i)) || !is_alpha(redact_at(t, i + 1)) || !is_digit(redact_at(t, i + 2)) ||
	    !is_digit(redact_at(t, i + 3)))
		return false;
	want = iban_length((char)(redact_at(t, i) & ~0x20), (char)(redact_at(t, i + 1) & ~0x20));
	while (n < want) {
		char c = redact_at(t, k);

		if ((c == ' ' || c == '-') && n > 0 && is_alnum(redact_at(t, k + 1))) {
			k++;
			continue;
		}
		if (!is_alnum(c))
			return false;
		compact[n++] = is_alpha(c) ? (char)(c & ~0x20) : c;
		k++;
	}
	if (want == 0 || is_alnum(redact_at(t, k)))
		return false;
	for (size_t p = 0; p < n; p++) {
		char c = compact[(p + 4) % n];

		rest = is_digit(c) ? (rest * 10 + (unsigned)(c - '0')) % 97 : (rest * 100 + (unsigned)(c - 'A' + 10)) % 97;
	}
	*end = k;
	return rest == 1;
}

/* ---- groups of digits ---- */

struct groups {
	size_t n, total;
	size_t len[MAX_GROUPS], end[MAX_GROUPS];   /* digits; where the group ends in the text */
	char sep[MAX_GROUPS];                      /* before the group; 0 for the first */
};

/* `area`: the second group may stand in brackets, "+1 (212) 555-0187". */
static void read_groups(const struct redact_view *t, size_t i, size_t max_digits, bool area, struct groups *g)
{
	size_t k = i;
	char sep = 0;

	g->n = g->total = 0;
	while (g->n < MAX_GROUPS && is_digit(redact_at(t, k))) {
		size_t from = k;

		while (is_digit(redact_at(t, k)) && k - from <= max_digits)
			k++;
		if (g->total + (k - from) > max_digits || is_alpha(redact_at(t, k)) || redact_at(t, k) == '_')
			return;
		g->len[g->n] = k - from;
		g->end[g->n] = k;
		g->sep[g->n++] = sep;
		g->total += k - from;
		sep = redact_at(t, k);
		if (sep == ')' && redact_at(t, k + 1) == ' ')
			k++;
		if (sep != ' ' && sep != '-' && sep != '.' && sep != ')')
			return;
		k++;
		if (area && g->n == 1 && redact_at(t, k) == '(')
			k++;
	}
}

/* After the group: not the middle of a longer number or code. */
static bool ends_clean(const struct redact_view *t, size_t end)
{
	char c = redact_at(t, end), d = redact_at(t, end + 1);

	return !is_alnum(c) && c != '_' && !((c == '-' || c == '.' || c == ',' || c == '/' || c == ':') && is_digit(d)) && c != '%';
}

static bool passes_luhn(const struct redact_view *t, size_t i, size_t end)
{
	unsigned sum = 0, place = 0;

	for (size_t k = end; k-- > i;) {
		unsigned v;

		if (!is_digit(redact_at(t, k)))
			continue;
		v = (unsigned)(redact_at(t, k) - '0') << (place++ % 2);
		sum += v > 9 ? v - 9 : v;
	}
	return sum % 10 == 0;
}

bool redact_match_card(const struct redact_view *t, size_t i, const struct redact_context *c, size_t *end)
{
	struct groups g;
	size_t digits = 0;
	bool other_key = c->key && c->age <= 2 && !(c->key & (W_CARD | W_NUMBER | W_PHONE)) && !(c->soft && !c->strong);

	if (!is_digit(redact_at(t, i)))
		return false;
	read_groups(t, i, 19, false, &g);
	for (size_t k = 0; k < g.n; k++) {
		bool fours = true;

		digits += g.len[k];
		if (k > 0 && g.sep[k] != ' ' && g.sep[k] != '-')
			return false;
		if (digits < 13 || !ends_clean(t, g.end[k]) || !passes_luhn(t, i, g.end[k]))
			continue;
		for (size_t p = 0; p < k; p++)
			fours = fours && g.len[p] == 4;
		if (k == 2 && g.len[0] == 4 && g.len[1] == 6)      /* 4-6-5, 4-6-4 */
			fours = true;
		if (!(c->key & W_CARD) && (!fours || other_key || redact_at(t, i) < '2' || redact_at(t, i) > '6'))
			continue;
		*end = g.end[k];
		return true;
	}
	return false;
}

/* National and international plans that can be told from the digits: how many there are with the country code. */
static bool is_exact_plan(const struct redact_view *t, size_t i, size_t digits)
{
	static const struct {
		const char *code;
		size_t digits;
	} plans[] = { { "1", 11 }, { "44", 12 }, { "91", 12 }, { "33", 11 }, { "61", 11 }, { "34", 11 }, { "31", 11 },
		{ "32", 11 }, { "41", 11 }, { "48", 11 }, { "86", 13 }, { "81", 12 }, { "55", 13 } };

	for (size_t k = 0; k < sizeof(plans) / sizeof(plans[0]); k++)
		if (plans[k].digits == digits && has_prefix(t, i, plans[k].code))
			return true;
	return false;
}

/* Do the first n groups look like a number dialled inside a country? */
static bool is_national(const struct redact_view *t, size_t i, const struct groups *g, size_t n, size_t digits,
                        const struct redact_context *c)
{
	const size_t *l = g->len;
	bool asked = !c->key && c->asked && !c->any_key;
	bool phone = (c->key & W_PHONE && c->age <= 4) || (asked && c->asked == W_PHONE);
	bool other = (c->key & W_KEYS & ~(unsigned)W_PHONE && c->age <= 2 && (c->strong || !c->soft)) ||
	             (asked && c->asked != W_PHONE) || c->hash;
	bool dashed = n > 1 && g->sep[1] == '-', one_sep = true;

	for (size_t k = 0; k < n; k++) {
		one_sep = one_sep && (k < 2 || g->sep[k] == g->sep[1]);
		if (l[k] < 2 && !(k == 0 && l[0] == 1 && redact_at(t, i) == '1'))
			return false;
	}
	if (c->money || c->pricey)
		return false;
	if (n == 1) {
		if (phone)
			return digits >= 7 && digits <= 13;
		if (other)
			return false;
		return (digits == 10 && redact_at(t, i) >= '6') || (redact_at(t, i) == '0' && digits >= 10 && digits <= 11);
	}
	if (other && dashed)
		return false;
	if (n == 3 && l[0] == 3 && l[1] == 3 && l[2] == 4)
		return one_sep;
	if (n == 4 && l[0] == 1 && l[1] == 3 && l[2] == 3 && l[3] == 4)
		return true;
	if (n == 2 && l[0] == 5 && l[1] == 5)
		return true;
	if (n == 2 && l[0] == 3 && l[1] == 4 && dashed)
		return true;
	if (redact_at(t, i) == '0' && digits >= 9 && digits <= 12)
		return g->sep[1] != '.';
	return phone && digits >= 7 && digits <= 13;
}

bool redact_match_phone(const struct redact_view *t, size_t i, const struct redact_context *c, size_t *end)
{
	bool plus = redact_at(t, i) == '+', paren = redact_at(t, i) == '(', found = false;
	size_t from = i + (plus || paren), digits = 0;
	bool zeros;
	struct groups g;

	if (plus && redact_at(t, from) == '(')
		from++;
	if (!is_digit(redact_at(t, from)))
		return false;
	zeros = !paren && has_prefix(t, from, "00") && is_digit(redact_at(t, from + 2));
	read_groups(t, from, plus || zeros ? 16 : 13, plus, &g);
	if (paren && (g.n < 2 || g.sep[1] != ')' || g.len[0] > 5 || g.len[0] < 2))
		return false;
	for (size_t k = 0; k < g.n; k++) {
		bool good;

		digits += g.len[k];
		if (!ends_clean(t, g.end[k]) || (redact_unit_after(t, g.end[k]) && !plus))
			continue;
		if (redact_is_date(t->s + from, g.end[k] - from))
			continue;
		if (plus || (zeros && g.n > 1))
			good = digits >= 8 && digits <= 15 && (k == 0 || g.len[k] >= 2);
		else if (paren)
			good = k > 0 && digits >= 7 && digits <= 12;
		else
			good = is_national(t, from, &g, k + 1, digits, c);
		if (!good)
			continue;
		*end = g.end[k];
		found = true;
		/* enough: "+44 7900 123456 10 days ago" must not swallow the 10 */
		if ((plus && is_exact_plan(t, from, digits)) || (!plus && !paren && !zeros && k > 0 && digits >= 10))
			break;
	}
	return found;
}

/* "12-05-2024", "2024-05-12", "12-05-24" and the same with dots or blanks. */
bool redact_is_date(const char *s, size_t n)
{
	unsigned v[3] = { 0, 0, 0 };
	size_t len[3] = { 0, 0, 0 }, g = 0;

	for (size_t i = 0; i < n; i++) {
		if (is_digit(s[i])) {
			if (++len[g] > 4)
				return false;
			v[g] = v[g] * 10 + (unsigned)(s[i] - '0');
		} else if (++g > 2) {
			return false;
		}
	}
	if (g != 2 || len[1] == 0 || len[1] > 2)
		return false;
	if (len[0] == 4 && len[2] <= 2)
		return v[0] >= 1900 && v[0] < 2100 && v[1] >= 1 && v[1] <= 12 && v[2] >= 1 && v[2] <= 31;
	return len[0] <= 2 && ((v[0] >= 1 && v[0] <= 31 && v[1] >= 1 && v[1] <= 12) || (v[0] >= 1 && v[0] <= 12 && v[1] <= 31)) &&
	       ((len[2] == 4 && v[2] >= 1900 && v[2] < 2100) || len[2] == 2);
}
