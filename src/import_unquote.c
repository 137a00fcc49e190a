/* SPDX-License-Identifier: GPL-3.0-or-later */
/* import_unquote: a reply by mail without the mail that it replies to. */
#include <string.h>
#include <strings.h>

#include "import_private.h"

struct line {
	const char *s;
	size_t n;
};

static struct line line_at(const char *text, size_t n, size_t at)
{
	const char *nl = memchr(text + at, '\n', n - at);

	return (struct line){ text + at, nl ? (size_t)(nl - text) - at : n - at };
}

static bool begins(struct line l, const char *with)
{
	const size_t n = strlen(with);

	return l.n >= n && strncasecmp(l.s, with, n) == 0;
}

static bool holds(struct line l, const char *what)
{
	return memmem(l.s, l.n, what, strlen(what)) != NULL;
}

/* Everything from here on is the mail that was answered, or a signature. */
static bool cuts(const char *text, size_t n, size_t at)
{
	static const char *const originals[] = { "Original Message", "Original message", "Urspr", "Message d'origine", "Mensaje original",
		"Messaggio originale", NULL };
	struct line l = line_at(text, n, at), next = { "", 0 };
	size_t bars = 0;

	if (l.n == 3 && memcmp(l.s, "-- ", 3) == 0)
		return true;
	if (at + l.n + 1 < n)
		next = line_at(text, n, at + l.n + 1);
	if (begins(l, "-----"))
		for (size_t i = 0; originals[i]; i++)
			if (holds(l, originals[i]))
				return true;
	while (bars < l.n && l.s[bars] == '_')
		bars++;
	if (bars >= 10 && bars == l.n && (begins(next, "From:") || begins(next, "Von:") || begins(next, "De :") || begins(next, "De:")))
		return true;
	return (begins(l, "From:") && (begins(next, "Sent:") || begins(next, "Date:"))) || (begins(l, "Von:") && begins(next, "Gesendet:")) ||
	       (begins(l, "De :") && begins(next, "Envoy"));
}

static bool announces(struct line l)
{
	static const char *const verbs[] = { "wrote", "schrieb", "crit", "escribi", "scrisse", "skrev", "schreef", NULL };
	size_t n = l.n;

	while (n && strchr(" \t\xa0\xc2", l.s[n - 1]) && l.s[n - 1])
		n--;
	if (n == 0 || l.s[n - 1] != ':')
		return false;
	for (size_t i = 0; verbs[i]; i++)
		if (holds(l, verbs[i]))
			return true;
	return false;
}

/* "On Sat, 31 Jan 2026, Anna wrote:" ends the n bytes kept so far, perhaps over three lines: where it begins. */
static size_t before_announcement(const char *text, size_t n)
{
	static const char *const starts[] = { "On ", "Am ", "Le ", "El ", "Il ", "Op ", "Den ", NULL };
	size_t end = n, at;
	struct line l;

	while (end && (text[end - 1] == '\n' || text[end - 1] == ' '))
		end--;
	for (at = end; at && text[at - 1] != '\n'; at--)
		;
	l = (struct line){ text + at, end - at };
	if (!announces(l))
		return n;
	for (size_t back = 0, from = at; back < 3; back++) {
		l = line_at(text, end, from);
		for (size_t i = 0; starts[i]; i++)
			if (begins(l, starts[i]))
				return from;
		if (from == 0 || (from > 1 && text[from - 2] == '\n'))
			break;
		for (from--; from && text[from - 1] != '\n'; from--)
			;
	}
	return at;
}

size_t import_mail_unquote(char *text, size_t n)
{
	size_t out = 0;
	bool quoting = false;

	for (size_t at = 0; at < n;) {
		struct line l = line_at(text, n, at);
		const bool last = at + l.n >= n;

		if (cuts(text, n, at))
			break;
		if (l.n && l.s[0] == '>') {
			if (!quoting)
				out = before_announcement(text, out);
			quoting = true;
		} else {
			size_t len = l.n;

			while (len && (l.s[len - 1] == ' ' || l.s[len - 1] == '\t'))
				len--;
			quoting = quoting && !len;      /* a blank line between two quotes is the quote's */
			if (len || (out > 1 && text[out - 2] != '\n')) {      /* one blank line, none at the top */
				memmove(text + out, l.s, len);
				out += len;
				text[out++] = '\n';      /* where a '\n' was, or the NUL */
			}
		}
		if (last)
			break;
		at += l.n + 1;
	}
	while (out && (text[out - 1] == '\n' || text[out - 1] == ' '))
		out--;
	text[out] = '\0';
	return out;
}
