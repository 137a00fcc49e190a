/* SPDX-License-Identifier: GPL-3.0-or-later */
/* import_html: what a person would read of a mail that is written in HTML alone. One pass; whatever does not
 * look like a tag is text. */
#include <string.h>
#include <strings.h>

#include "base/utf8.h"
#include "import_private.h"

static bool is_tag(const char *name, size_t n, const char *tag)
{
	return strlen(tag) == n && strncasecmp(name, tag, n) == 0;
}

static bool any_tag(const char *name, size_t n, const char *const *tags)
{
	for (; *tags; tags++)
		if (is_tag(name, n, *tags))
			return true;
	return false;
}

/* A reference at s ("&amp;", "&#228;"): its character, and its length; 0: it is none. */
static size_t entity(const char *s, size_t n, int32_t *cp)
{
	static const struct {
		const char *name;
		int32_t cp;
	} names[] = {
		{ "amp", '&' }, { "lt", '<' }, { "gt", '>' }, { "quot", '"' }, { "apos", '\'' }, { "nbsp", ' ' }, { "auml", 0xe4 },
		{ "ouml", 0xf6 }, { "uuml", 0xfc }, { "Auml", 0xc4 }, { "Ouml", 0xd6 }, { "Uuml", 0xdc }, { "szlig", 0xdf },
		{ "eacute", 0xe9 }, { "egrave", 0xe8 }, { "ecirc", 0xea }, { "agrave", 0xe0 }, { "acirc", 0xe2 }, { "ccedil", 0xe7 },
		{ "aacute", 0xe1 }, { "iacute", 0xed }, { "oacute", 0xf3 }, { "uacute", 0xfa }, { "ntilde", 0xf1 }, { "euro", 0x20ac },
		{ "pound", 0xa3 }, { "copy", 0xa9 }, { "ndash", 0x2013 }, { "mdash", 0x2014 }, { "lsquo", 0x2018 }, { "rsquo", 0x2019 },
		{ "ldquo", 0x201c }, { "rdquo", 0x201d }, { "hellip", 0x2026 }, { "bull", 0x2022 },
	};
	const char *end = memchr(s, ';', n < 12 ? n : 12);
	size_t len;

	if (!end || end < s + 3)
		return 0;
	len = (size_t)(end - s) - 1;      /* between & and ; */
	if (s[1] == '#') {
		int base = (s[2] | 32) == 'x' ? 16 : 10;
		size_t i = base == 16 ? 3 : 2;

		*cp = 0;
		for (; s + i < end; i++) {
			int d = s[i] >= '0' && s[i] <= '9' ? s[i] - '0' : (s[i] | 32) >= 'a' && (s[i] | 32) <= 'f' ? (s[i] | 32) - 'a' + 10 : 99;

			if (d >= base)
				return 0;
			*cp = *cp * base + d;
			if (*cp > 0x10ffff)
				return 0;
		}
		if (*cp == 0 || (*cp >= 0xd800 && *cp < 0xe000))
			*cp = 0xfffd;
		if (*cp == 0xa0)
			*cp = ' ';
		return len + 2;
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strlen(names[i].name) == len && memcmp(s + 1, names[i].name, len) == 0) {
			*cp = names[i].cp;
			return len + 2;
		}
	return 0;
}

static void end_line(struct str *out, bool twice)
{
	while (out->len && out->s[out->len - 1] == ' ')
		out->s[--out->len] = '\0';
	if (out->len && out->s[out->len - 1] != '\n')
		str_addc(out, '\n');
	if (twice && out->len > 1 && out->s[out->len - 2] != '\n')
		str_addc(out, '\n');
}

void import_html(const char *html, size_t n, struct str *out)
{
	static const char *const hidden[] = { "script", "style", "head", "title", "blockquote", NULL };
	static const char *const breaks[] = { "br", "div", "tr", "li", "ul", "ol", "table", "hr", NULL };
	static const char *const paragraphs[] = { "p", "h1", "h2", "h3", "h4", NULL };
	size_t depth = 0, begun = out->len;
	char until[12] = "";      /* the hidden element that we are in */

	for (size_t i = 0; i < n;) {
		const char *s = html + i, *end;
		int32_t cp;
		size_t used, name = i + 1;
		bool closing;
		char enc[4];

		if (*s == '<' && n - i >= 4 && memcmp(s, "<!--", 4) == 0) {
			end = memmem(s + 4, n - i - 4, "-->", 3);
			i = end ? (size_t)(end - html) + 3 : n;
			continue;
		}
		if (*s == '<' && i + 1 < n && (html[name] == '/' || html[name] == '!' || (html[name] | 32) >= 'a')) {
			closing = html[name] == '/';
			name += closing;
			end = memchr(s, '>', n - i);
			if (!end)
				return;
			used = name;
			while (html + used < end && (((html[used] | 32) >= 'a' && (html[used] | 32) <= 'z') || (html[used] >= '0' && html[used] <= '9')))
				used++;
			i = (size_t)(end - html) + 1;
			used -= name;
			if (depth) {
				if (is_tag(html + name, used, until))
					depth += closing ? (size_t)-1 : 1;
			} else if (!closing && end[-1] != '/' && any_tag(html + name, used, hidden)) {
				memcpy(until, html + name, used);
				until[used] = '\0';
				depth = 1;
			} else if (any_tag(html + name, used, paragraphs)) {
				end_line(out, out->len > begun);
			} else if (any_tag(html + name, used, breaks)) {
				if (is_tag(html + name, used, "br"))
					str_addc(out, '\n');
				else
					end_line(out, false);
			}
			continue;
		}
		used = 1;
		cp = (unsigned char)*s;
		if (*s == '&' && (used = entity(s, n - i, &cp)) == 0)
			used = 1;
		i += used;
		if (depth)
			continue;
		if (cp == ' ' || cp == '\t' || cp == '\r' || cp == '\n') {
			if (out->len > begun && out->s[out->len - 1] != ' ' && out->s[out->len - 1] != '\n')
				str_addc(out, ' ');
		} else if (used > 1) {
			str_add(out, enc, utf8_encode(cp, enc));
		} else {
			str_addc(out, *s);
		}
	}
}
