/* SPDX-License-Identifier: GPL-3.0-or-later */
/* import_mail: one mail to who, when and what: header fields (RFC 5322), encoded words (RFC 2047), MIME parts
 * (RFC 2045, 2046), quoted-printable and base64, charsets through iconv. Of our own, since the MIME library of
 * Debian (GMime) brings GLib and GPGME into a program that has to start in milliseconds. Nesting, parts and
 * sizes are bounded; every level is one pass. */
#include <iconv.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "import_private.h"

enum { MAX_NESTING = 12, MAX_PARTS = 400 };
static const size_t MAX_TEXT = (size_t)4 << 20;

/* ---- fields ---- */

/* The value of a field, unfolded; NULL: there is none. */
static char *field(const char *head, size_t n, const char *name)
{
	const size_t len = strlen(name);

	for (size_t i = 0; i < n;) {
		const char *nl = memchr(head + i, '\n', n - i);
		size_t end = nl ? (size_t)(nl - head) : n;
		struct str value = STR_INIT;
		size_t at = i + len + 1;
		bool wanted = end - i > len && head[i + len] == ':' && strncasecmp(head + i, name, len) == 0;

		for (;;) {
			size_t stop = end > i && head[end - 1] == '\r' ? end - 1 : end;

			if (wanted && stop > at)
				str_add(&value, head + at, stop - at);
			i = end + 1;
			if (i >= n || (head[i] != ' ' && head[i] != '\t'))
				break;
			nl = memchr(head + i, '\n', n - i);
			end = nl ? (size_t)(nl - head) : n;
			at = i;
		}
		if (wanted) {
			size_t skip = 0;
			char *s;

			while (skip < value.len && (value.s[skip] == ' ' || value.s[skip] == '\t'))
				skip++;
			while (value.len > skip && (value.s[value.len - 1] == ' ' || value.s[value.len - 1] == '\t'))
				value.len--;
			s = store_clean(value.s + skip, value.len - skip);
			str_free(&value);
			return s;
		}
	}
	return NULL;
}

/* ---- text ---- */

static bool plain_name(const char *charset)
{
	size_t n = strlen(charset);

	return n > 0 && n < 40 && strspn(charset, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") == n;
}

static void add_1252(struct str *out, const char *s, size_t n)
{
	iconv_t cd = iconv_open("UTF-8", "WINDOWS-1252");

	for (size_t i = 0; i < n; i++) {
		char enc[8], *in = (char *)(uintptr_t)(s + i), *to = enc;
		size_t in_n = 1, room = sizeof(enc);

		if ((unsigned char)s[i] < 0x80)
			str_addc(out, s[i]);
		else if (cd != (iconv_t)-1 && iconv(cd, &in, &in_n, &to, &room) != (size_t)-1)
			str_add(out, enc, sizeof(enc) - room);
		else
			str_adds(out, "\xef\xbf\xbd");
	}
	if (cd != (iconv_t)-1)
		iconv_close(cd);
}

/* Text of a charset into UTF-8; false: a charset nobody knows, read as UTF-8 or Windows-1252. */
static bool add_text(struct str *out, const char *charset, const char *s, size_t n)
{
	const bool any = !charset || !*charset || strcasecmp(charset, "utf-8") == 0 || strcasecmp(charset, "us-ascii") == 0 ||
		strcasecmp(charset, "utf8") == 0 || strcasecmp(charset, "iso-8859-1") == 0;
	iconv_t cd = any || !plain_name(charset) ? (iconv_t)-1 : iconv_open("UTF-8", charset);
	char buf[4096], *in = (char *)(uintptr_t)s;

	if (cd == (iconv_t)-1) {
		/* what says Latin-1 is Windows-1252 to those who write it, and often UTF-8 */
		if (utf8_valid_upto(s, n) == n)
			str_add(out, s, n);
		else
			add_1252(out, s, n);
		return any;
	}
	while (n > 0) {
		char *to = buf;
		size_t room = sizeof(buf), before = n, rc = iconv(cd, &in, &n, &to, &room);

		str_add(out, buf, sizeof(buf) - room);
		if (rc == (size_t)-1 && n > 0 && n == before && room == sizeof(buf)) {
			str_adds(out, "\xef\xbf\xbd");
			in++;
			n--;
		}
	}
	iconv_close(cd);
	return true;
}

static int base64_value(unsigned char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

static void add_base64(struct str *out, const char *s, size_t n)
{
	unsigned bits = 0, have = 0;

	for (size_t i = 0; i < n && s[i] != '='; i++) {
		int v = base64_value((unsigned char)s[i]);

		if (v < 0)
			continue;
		bits = (bits << 6 | (unsigned)v) & 0xffffff;
		have += 6;
		if (have >= 8) {
			have -= 8;
			str_addc(out, (char)(bits >> have & 0xff));
		}
	}
}

static int hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

static void add_quoted(struct str *out, const char *s, size_t n, bool header)
{
	for (size_t i = 0; i < n; i++) {
		if (header && s[i] == '_') {
			str_addc(out, ' ');
		} else if (s[i] == '=' && i + 2 < n && hex(s[i + 1]) >= 0 && hex(s[i + 2]) >= 0) {
			str_addc(out, (char)(hex(s[i + 1]) * 16 + hex(s[i + 2])));
			i += 2;
		} else if (s[i] == '=' && !header) {      /* a soft break, with blanks that a mailer added */
			size_t k = i + 1;

			while (k < n && (s[k] == ' ' || s[k] == '\t' || s[k] == '\r'))
				k++;
			if (k < n && s[k] != '\n')
				str_addc(out, '=');
			else
				i = k;
		} else {
			str_addc(out, s[i]);
		}
	}
}

enum { LONGEST_SET = 60, LONGEST_WORD = 4096 };      /* of an encoded word; RFC 2047 says 75 for all of it */

/* "=?utf-8?Q?caf=C3=A9?=" at p: where it ends, NULL when it is none. */
static const char *encoded_word(const char *p, const char *end, const char **kind)
{
	const char *set = p + 2, *close;
	size_t left = (size_t)(end - p) - 2;

	*kind = memchr(set, '?', left < LONGEST_SET ? left : LONGEST_SET);
	if (!*kind || end - *kind < 5 || (*kind)[2] != '?')
		return NULL;
	left = (size_t)(end - *kind) - 3;
	close = memmem(*kind + 3, left < LONGEST_WORD ? left : LONGEST_WORD, "?=", 2);
	return close ? close + 2 : NULL;
}

/* Takes s. */
static char *decode_words(char *s)
{
	struct str out = STR_INIT, raw = STR_INIT;
	const char *p = s, *end = s ? s + strlen(s) : s;
	bool word_before = false;
	char *clean;

	while (p < end) {
		const char *begin = memmem(p, (size_t)(end - p), "=?", 2), *kind, *after = begin ? encoded_word(begin, end, &kind) : NULL;
		char set[LONGEST_SET + 1];

		if (!after) {
			size_t n = begin ? (size_t)(begin - p) + 2 : (size_t)(end - p);

			str_add(&out, p, n);
			p += n;
			word_before = false;
			continue;
		}
		/* blanks between two encoded words are no part of the text */
		if (!word_before || !import_blank(p, (size_t)(begin - p)))
			str_add(&out, p, (size_t)(begin - p));
		str_reset(&raw);
		if ((kind[1] | 32) == 'b')
			add_base64(&raw, kind + 3, (size_t)(after - kind) - 5);
		else
			add_quoted(&raw, kind + 3, (size_t)(after - kind) - 5, true);
		memcpy(set, begin + 2, (size_t)(kind - begin) - 2);
		set[kind - begin - 2] = '\0';
		set[strcspn(set, "*")] = '\0';      /* a language may follow the charset */
		add_text(&out, set, raw.s, raw.len);
		word_before = true;
		p = after;
	}
	free(s);
	str_free(&raw);
	clean = store_clean(out.s, out.len);
	str_free(&out);
	return clean;
}

/* ---- parts ---- */

struct walk {
	struct str plain, html;
	size_t parts;
	bool bad_charset;
};

/* A parameter of a Content-Type: boundary="...". Caller frees; NULL: none. */
static char *parameter(const char *value, const char *name)
{
	const size_t n = strlen(name);

	for (const char *p = value ? strchr(value, ';') : NULL; p; p = strchr(p, ';')) {
		p++;
		while (*p == ' ' || *p == '\t')
			p++;
		if (strncasecmp(p, name, n) != 0 || p[n] != '=')
			continue;
		p += n + 1;
		if (*p == '"') {
			const char *end = strchr(p + 1, '"');

			return xmemdup(p + 1, end ? (size_t)(end - p) - 1 : strlen(p + 1));
		}
		return xmemdup(p, strcspn(p, "; \t"));
	}
	return NULL;
}

static bool is_type(const char *value, const char *type)
{
	return value && strncasecmp(value, type, strlen(type)) == 0;
}

static void walk_part(struct walk *w, const char *head, size_t n_head, const char *body, size_t n_body, size_t depth);

/* Where the head of what is at s ends: the length of it, and in *body where the body begins. */
static size_t split(const char *s, size_t n, size_t *body)
{
	for (size_t i = 0; i < n;) {
		const char *nl = memchr(s + i, '\n', n - i);
		size_t end = nl ? (size_t)(nl - s) : n;

		if (end == i || (end == i + 1 && s[i] == '\r')) {
			*body = end < n ? end + 1 : n;
			return i;
		}
		i = end + 1;
	}
	*body = n;
	return n;
}

static void walk_multipart(struct walk *w, const char *boundary, bool alternative, const char *body, size_t n, size_t depth)
{
	const size_t len = strlen(boundary);
	size_t from = 0, plain = w->plain.len;
	bool inside = false;

	for (size_t i = 0; i <= n && w->parts < MAX_PARTS;) {
		const char *nl = i < n ? memchr(body + i, '\n', n - i) : NULL;
		size_t end = nl ? (size_t)(nl - body) : n;
		bool line = end - i >= len + 2 && body[i] == '-' && body[i + 1] == '-' && memcmp(body + i + 2, boundary, len) == 0;

		/* a multipart that was cut off ends where the text does */
		if ((line || end == n) && inside && i >= from) {
			size_t at, stop = line ? i : n, head = split(body + from, stop - from, &at);

			w->parts++;
			if (!alternative || w->plain.len == plain)
				walk_part(w, body + from, head, body + from + at, stop - from - at, depth + 1);
		}
		if (line && end - i >= len + 4 && body[i + 2 + len] == '-' && body[i + 3 + len] == '-')
			return;
		if (line) {
			inside = true;
			from = end < n ? end + 1 : n;
		}
		i = end + 1;
	}
}

static void walk_text(struct walk *w, const char *type, const char *coding, const char *body, size_t n)
{
	struct str raw = STR_INIT, *to = is_type(type, "text/html") ? &w->html : &w->plain;
	char *charset = parameter(type, "charset");

	if (n > MAX_TEXT)
		n = MAX_TEXT;
	if (is_type(coding, "base64"))
		add_base64(&raw, body, n);
	else if (is_type(coding, "quoted-printable"))
		add_quoted(&raw, body, n, false);
	else
		str_add(&raw, body, n);
	if (to->len && to->len < MAX_TEXT)
		str_addc(to, '\n');
	if (to->len < MAX_TEXT && !add_text(to, charset, raw.s, raw.len))
		w->bad_charset = true;
	free(charset);
	str_free(&raw);
}

static void walk_part(struct walk *w, const char *head, size_t n_head, const char *body, size_t n_body, size_t depth)
{
	char *type = field(head, n_head, "Content-Type"), *coding = field(head, n_head, "Content-Transfer-Encoding");
	char *disposition = field(head, n_head, "Content-Disposition"), *boundary;

	if (is_type(disposition, "attachment") || depth > MAX_NESTING) {
		/* not what was said */
	} else if (is_type(type, "multipart/")) {
		boundary = parameter(type, "boundary");
		if (boundary && *boundary)
			walk_multipart(w, boundary, is_type(type, "multipart/alternative"), body, n_body, depth);
		free(boundary);
	} else if (!type || is_type(type, "text/plain") || is_type(type, "text/html")) {
		walk_text(w, type, coding, body, n_body);
	}
	free(type);
	free(coding);
	free(disposition);
}

/* ---- the mail ---- */

/* "Anna Weber <anna@example.org>, ..." or "anna@example.org (Anna Weber)": the first. Takes value. */
static void read_address(char *value, char **name, char **address)
{
	char *open, *close, *at;
	size_t n;

	*name = *address = NULL;
	if (!value) {
		*name = xstrdup("");
		*address = xstrdup("");
		return;
	}
	open = strchr(value, '<');
	close = open ? strchr(open, '>') : NULL;
	if (close) {
		*address = xmemdup(open + 1, (size_t)(close - open) - 1);
		n = (size_t)(open - value);
		while (n && strchr(" \t\"", value[n - 1]))
			n--;
		at = value + strspn(value, " \t\"");
		*name = decode_words(xmemdup(at, at < value + n ? (size_t)(value + n - at) : 0));
	} else {
		n = strcspn(value, " \t,(");
		*address = xmemdup(value, n);
		open = strchr(value, '(');
		close = open ? strchr(open, ')') : NULL;
		*name = close ? decode_words(xmemdup(open + 1, (size_t)(close - open) - 1)) : xstrdup("");
	}
	for (char *p = *address; *p; p++)
		*p = *p >= 'A' && *p <= 'Z' ? *p | 32 : *p;
	free(value);
}

void import_mail_parse(struct import_mail *m, const char *head, size_t n_head, const char *body, size_t n_body)
{
	struct walk w = { .plain = STR_INIT, .html = STR_INIT };
	char *date = field(head, n_head, "Date"), *other;
	struct str text = STR_INIT;

	*m = (struct import_mail){ 0 };
	read_address(field(head, n_head, "From"), &m->from_name, &m->from_address);
	read_address(field(head, n_head, "To"), &other, &m->to_address);
	free(other);
	m->subject = decode_words(field(head, n_head, "Subject"));
	m->id = field(head, n_head, "Message-ID");
	m->in_reply_to = field(head, n_head, "In-Reply-To");
	m->references = field(head, n_head, "References");
	if (date && !when_parse(date, strlen(date), WHEN_NO_ORDER, &m->date))
		m->date = 0;
	free(date);

	walk_part(&w, head, n_head, body, n_body, 0);
	if (w.plain.len == 0 && w.html.len) {
		import_html(w.html.s, w.html.len, &text);
		m->html = true;
	} else {
		for (size_t i = 0; i < w.plain.len; i++)
			if (w.plain.s[i] != '\r' || (i + 1 < w.plain.len && w.plain.s[i + 1] != '\n'))
				str_addc(&text, w.plain.s[i]);
	}
	if (w.plain.len || w.html.len) {
		m->text = store_clean(text.s, text.len);
		m->len = strlen(m->text);
	}
	m->bad_charset = w.bad_charset;
	str_free(&text);
	str_free(&w.plain);
	str_free(&w.html);
}

void import_mail_free(struct import_mail *m)
{
	free(m->from_name);
	free(m->from_address);
	free(m->to_address);
	free(m->subject);
	free(m->id);
	free(m->in_reply_to);
	free(m->references);
	free(m->text);
	*m = (struct import_mail){ 0 };
}

const char *import_mail_subject(const char *subject, bool *reply)
{
	static const char *const prefixes[] = { "re", "aw", "antw", "sv", "vs", "fwd", "fw", "wg", "tr", "rv", "rif", NULL };

	*reply = false;
	for (;;) {
		size_t i = 0, n;

		subject += strspn(subject, " \t");
		for (; prefixes[i]; i++) {
			n = strlen(prefixes[i]);
			if (strncasecmp(subject, prefixes[i], n) != 0)
				continue;
			if (subject[n] == '[')      /* "Re[2]:" */
				n += strcspn(subject + n, "]") + 1;
			if (n <= strlen(subject) && subject[n] == ':')
				break;
		}
		if (!prefixes[i])
			return subject;
		subject = strchr(subject, ':') + 1;
		*reply = true;
	}
}
