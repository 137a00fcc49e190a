/* SPDX-License-Identifier: GPL-3.0-or-later */
/* import: what the readers share: a buffer over the file, lines, roles, warnings, guessing the format. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "import_private.h"
#include "rawfile.h"

enum { READ_BYTES = 1 << 16, GUESS_BYTES = 1 << 16 };

static const struct {
	enum import_format format;
	const char *name, *other;
	const struct import_ops *ops;
} formats[] = {
	{ IMPORT_JSONL, "jsonl", "json", &import_jsonl },
	{ IMPORT_CSV, "csv", "tsv", &import_csv },
	{ IMPORT_MBOX, "mbox", "mail", &import_mbox },
	{ IMPORT_TRANSCRIPT, "transcript", "txt", &import_transcript },
};
enum { FORMATS = sizeof(formats) / sizeof(formats[0]) };

const char *import_format_name(enum import_format f)
{
	for (size_t i = 0; i < FORMATS; i++)
		if (formats[i].format == f)
			return formats[i].name;
	return "unknown";
}

bool import_format_of(const char *name, enum import_format *f)
{
	for (size_t i = 0; i < FORMATS; i++)
		if (strcmp(formats[i].name, name) == 0 || strcmp(formats[i].other, name) == 0) {
			*f = formats[i].format;
			return true;
		}
	return false;
}

/* ---- bytes and lines ---- */

int import_fill(struct import_reader *r, size_t want, struct err *e)
{
	while (r->n - r->at < want && !r->eof) {
		ssize_t got;

		if (r->at > 0 && (r->at == r->n || r->cap - r->n < READ_BYTES)) {
			memmove(r->buf, r->buf + r->at, r->n - r->at);
			r->n -= r->at;
			r->at = 0;
		}
		if (r->cap - r->n < READ_BYTES) {
			r->cap = r->cap * 2 + READ_BYTES;
			r->buf = xrealloc(r->buf, r->cap);
		}
		got = rawfile_read(r->raw, r->buf + r->n, READ_BYTES, e);
		if (got < 0) {
			err_prefix(e, "%s:%zu", rawfile_shown(r->path), r->line + 1);
			return (int)got;
		}
		r->n += (size_t)got;
		r->eof = got == 0;
		if (r->o.tick)
			r->o.tick(r, r->o.arg);
	}
	return 0;
}

int import_line(struct import_reader *r, const char **s, size_t *n, bool *too_long, struct err *e)
{
	size_t seen = 0;
	char *nl = NULL;

	*too_long = false;
	for (;;) {
		int rc;

		nl = memchr(r->buf + r->at + seen, '\n', r->n - r->at - seen);
		if (nl || r->eof)
			break;
		seen = r->n - r->at;
		if (seen > r->o.max_record) {
			/* keep what tells a person which line it is, let the rest go by */
			*too_long = true;
			r->n = r->at + 200;
			seen = 200;
		}
		rc = import_fill(r, seen + 1, e);
		if (rc < 0)
			return rc;
	}
	if (!nl && r->at == r->n)
		return 0;
	*s = r->buf + r->at;
	*n = nl ? (size_t)(nl - *s) : r->n - r->at;
	r->at += *n + (nl ? 1 : 0);
	r->line++;
	r->counts.lines++;
	*too_long = *too_long || *n > r->o.max_record;
	if (*n && (*s)[*n - 1] == '\r')
		--*n;
	return 1;
}

static void say(struct import_reader *r, size_t line, const char *what, const char *then)
{
	char buf[700];

	snprintf(buf, sizeof(buf), "%s:%zu: %s%s", rawfile_shown(r->path), line, what, then);
	if (r->o.warn)
		r->o.warn(buf, r->o.arg);
}

void import_warn(struct import_reader *r, size_t line, const char *fmt, ...)
{
	char buf[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	say(r, line, buf, "");
}

int import_bad(struct import_reader *r, struct err *e, size_t line, const char *fmt, ...)
{
	char buf[400];
	va_list ap;

	r->counts.bad++;
	va_start(ap, fmt);
	vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	if (r->o.strict)
		return err_set(e, ERR_FORMAT, "%s:%zu: %s", rawfile_shown(r->path), line, buf);
	say(r, line, buf, "; skipped");
	return 0;
}

int import_bound(struct import_reader *r, size_t held, struct err *e)
{
	if (held <= r->o.max_bytes)
		return 0;
	return err_set(e, ERR_RANGE, "%s:%zu: more than %zu MiB of text to hold at a time; split the file",
	               rawfile_shown(r->path), r->line, r->o.max_bytes >> 20);
}

/* ---- who is who ---- */

static bool same(const char *a, const char *s, size_t n)
{
	return strlen(a) == n && strncasecmp(a, s, n) == 0;
}

/* "Support <help@shop.example>" is the address inside it, too. */
static bool agent_is(const char *agent, const char *label, size_t n)
{
	const char *open = memchr(label, '<', n), *at, *host;
	size_t len = strlen(agent), host_n;

	if (same(agent, label, n))
		return true;
	if (open && n && label[n - 1] == '>') {
		size_t address = n - (size_t)(open + 1 - label) - 1;

		if (agent_is(agent, open + 1, address))
			return true;
		n = (size_t)(open - label);
		while (n && label[n - 1] == ' ')
			n--;
		return same(agent, label, n);
	}
	at = memchr(label, '@', n);
	if (!at)
		return false;
	if (*agent == '@') {
		agent++;
		len--;
	} else if (strchr(agent, '@') || !strchr(agent, '.')) {
		return false;
	}
	host = at + 1;
	host_n = n - (size_t)(host - label);
	if (len == 0 || host_n < len || strncasecmp(host + host_n - len, agent, len) != 0)
		return false;
	return host_n == len || host[host_n - len - 1] == '.';
}

bool import_is_agent(const struct import_reader *r, const char *label, size_t n)
{
	for (size_t i = 0; i < r->o.n_agents; i++)
		if (agent_is(r->o.agents[i], label, n))
			return true;
	return false;
}

const char *import_usual_role(const char *label, size_t n)
{
	static const char *const users[] = { "user", "customer", "client", "human", "buyer", "guest", "visitor", "caller", "requester",
		"kunde", "kundin", "client(e)", "cliente", "inbound", "incoming", "in", "true", "you", "end-user", "end_user", NULL };
	static const char *const assistants[] = { "assistant", "agent", "support", "rep", "representative", "advisor", "adviser",
		"bot", "operator", "staff", "outbound", "outgoing", "out", "false", "customer care", "customer service", "customer support",
		"support agent", "customer service agent", "service", "helpdesk", "help desk", "mitarbeiter", "kundendienst", "agente",
		"conseiller", NULL };

	for (size_t i = 0; users[i]; i++)
		if (same(users[i], label, n))
			return "user";
	for (size_t i = 0; assistants[i]; i++)
		if (same(assistants[i], label, n))
			return "assistant";
	return NULL;
}

const char *import_role(const struct import_reader *r, const char *label, size_t n)
{
	const char *role;

	if (import_is_agent(r, label, n))
		return "assistant";
	role = import_usual_role(label, n);
	if (!role && r->o.n_agents && n && !same("system", label, n))
		role = "user";
	return role;
}

/* ---- text ---- */

bool import_blank(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (s[i] != ' ' && s[i] != '\t' && s[i] != '\r' && s[i] != '\n')
			return false;
	return true;
}

/* What Windows-1252 has in 0x80 to 0x9f; the rest of it is Latin-1. */
static int32_t windows_1252(unsigned char c)
{
	static const uint16_t high[32] = {
		0x20ac, 0xfffd, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0xfffd, 0x017d, 0xfffd,
		0xfffd, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0xfffd, 0x017e, 0x0178,
	};

	return c >= 0x80 && c < 0xa0 ? high[c - 0x80] : c;
}

char *import_text(struct import_reader *r, size_t line, const char *s, size_t n, size_t *out_n)
{
	struct str out = STR_INIT;
	char enc[4], *text;

	if (utf8_valid_upto(s, n) == n) {
		text = store_clean(s, n);
		*out_n = memchr(s, '\0', n) ? strlen(text) : n;
		return text;
	}
	if (!r->said_1252)
		import_warn(r, line, "is not UTF-8; such text is read as Windows-1252");
	r->said_1252 = true;
	for (size_t i = 0; i < n; i++)
		str_add(&out, enc, utf8_encode(s[i] ? windows_1252((unsigned char)s[i]) : 0xfffd, enc));
	*out_n = out.len;
	return str_detach(&out);
}

int import_when(struct import_reader *r, struct err *e, size_t line, const char *s, size_t n, int64_t *ms)
{
	static const char cure[] = "cannot be read; write it as 2026-01-31T10:00:00Z, or say --dates dmy or mdy";

	*ms = 0;
	if (import_blank(s, n) || when_parse(s, n, r->o.dates, ms))
		return 0;
	*ms = 0;
	r->counts.untimed++;
	if (r->o.strict)
		return err_set(e, ERR_FORMAT, "%s:%zu: the time '%.*s' %s", rawfile_shown(r->path), line, (int)(n < 40 ? n : 40), s, cure);
	if (!r->said_time)
		import_warn(r, line, "the time '%.*s' %s; kept without (and so are others like it)", (int)(n < 40 ? n : 40), s, cure);
	r->said_time = true;
	return 0;
}

struct order {
	int64_t time;
	size_t i;
};

static int by_time(const void *a, const void *b)
{
	const struct order *x = a, *y = b;

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	return x->i < y->i ? -1 : x->i > y->i;
}

void import_sort(struct import_conversation *c)
{
	struct import_message *sorted;
	struct order *o;
	bool right = true;

	for (size_t i = 0; i < c->n; i++) {
		if (c->m[i].created == 0)
			return;
		right = right && (i == 0 || c->m[i - 1].created <= c->m[i].created);
	}
	if (right)
		return;
	o = xreallocarray(NULL, c->n, sizeof(*o));
	sorted = xreallocarray(NULL, c->n, sizeof(*sorted));
	for (size_t i = 0; i < c->n; i++)
		o[i] = (struct order){ c->m[i].created, i };
	qsort(o, c->n, sizeof(*o), by_time);
	for (size_t i = 0; i < c->n; i++)
		sorted[i] = c->m[o[i].i];
	free(o);
	free(c->m);
	c->m = sorted;
	c->cap = c->n;
}

struct import_message *import_add(struct import_conversation *c, const char *role, char *content, size_t len)
{
	struct import_message *m;

	if (c->n == c->cap) {
		c->cap = c->cap ? c->cap * 2 : 4;
		c->m = xreallocarray(c->m, c->cap, sizeof(*c->m));
	}
	m = &c->m[c->n++];
	*m = (struct import_message){ .role = role, .content = content, .len = len };
	return m;
}

void import_add_tag(struct str *tags, const char *s, size_t n)
{
	size_t from;

	while (n && (*s == ' ' || *s == '\t'))
		s++, n--;
	while (n && (s[n - 1] == ' ' || s[n - 1] == '\t'))
		n--;
	if (n > 60)
		n = 60;
	while (n && utf8_valid_upto(s, n) != n)      /* cut inside a character */
		n--;
	if (n == 0)
		return;
	if (tags->len)
		str_addc(tags, ',');
	from = tags->len;
	str_add(tags, s, n);
	for (size_t i = from; i < tags->len; i++)
		if (strchr(", \t\r\n\"", tags->s[i]))      /* and NUL */
			tags->s[i] = '-';
}

void import_conversation_free(struct import_conversation *c)
{
	for (size_t i = 0; i < c->n; i++) {
		free(c->m[i].content);
		free(c->m[i].origin);
		free(c->m[i].model);
	}
	free(c->m);
	free(c->key);
	store_conversation_free(&c->head);
	*c = (struct import_conversation){ 0 };
}

struct import_conversation *import_list_add(struct import_list *l)
{
	if (l->n == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 64;
		l->v = xreallocarray(l->v, l->cap, sizeof(*l->v));
	}
	l->v[l->n] = (struct import_conversation){ 0 };
	return &l->v[l->n++];
}

bool import_list_take(struct import_list *l, struct import_conversation *c)
{
	if (l->next == l->n)
		return false;
	*c = l->v[l->next];
	l->v[l->next++] = (struct import_conversation){ 0 };
	return true;
}

void import_list_free(struct import_list *l)
{
	for (size_t i = l->next; i < l->n; i++)
		import_conversation_free(&l->v[i]);
	free(l->v);
	*l = (struct import_list){ 0 };
}

/* ---- opening ---- */

static bool has_suffix(const char *name, size_t n, const char *suffix)
{
	size_t k = strlen(suffix);

	return n > k && strncasecmp(name + n - k, suffix, k) == 0;
}

/* By the name, then by how it begins. */
static enum import_format guess(const struct import_reader *r)
{
	static const struct {
		const char *suffix;
		enum import_format format;
	} names[] = {
		{ ".jsonl", IMPORT_JSONL }, { ".ndjson", IMPORT_JSONL }, { ".json", IMPORT_JSONL }, { ".csv", IMPORT_CSV },
		{ ".tsv", IMPORT_CSV }, { ".mbox", IMPORT_MBOX }, { ".eml", IMPORT_MBOX },
	};
	size_t n = strlen(r->path), text = r->n < GUESS_BYTES ? r->n : GUESS_BYTES;
	const char *s = r->buf, *nl;

	if (has_suffix(r->path, n, ".xz"))
		n -= 3;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (has_suffix(r->path, n, names[i].suffix))
			return names[i].format;
	if (text >= 5 && memcmp(s, "From ", 5) == 0)
		return IMPORT_MBOX;
	while (text && import_blank(s, 1))
		s++, text--;
	if (text && *s == '{')
		return IMPORT_JSONL;
	nl = memchr(s, '\n', text);
	n = nl ? (size_t)(nl - s) : text;
	if (n && !memchr(s, ':', n) && (memchr(s, ',', n) || memchr(s, ';', n) || memchr(s, '\t', n)))
		return IMPORT_CSV;
	return IMPORT_TRANSCRIPT;
}

int import_open(struct import_reader **out, const char *path, const struct import_opts *o, struct err *e)
{
	struct import_reader *r;
	struct rawfile *raw;
	int rc = rawfile_open(&raw, path, e);

	*out = NULL;
	if (rc < 0)
		return rc;
	r = xcalloc(1, sizeof(*r));
	r->path = xstrdup(path);
	r->raw = raw;
	if (o)
		r->o = *o;
	if (r->o.max_record == 0)
		r->o.max_record = (size_t)16 << 20;
	if (r->o.max_bytes == 0)
		r->o.max_bytes = (size_t)1 << 30;
	rc = import_fill(r, GUESS_BYTES, e);
	if (rc == 0 && r->n >= 2 && (memcmp(r->buf, "\xff\xfe", 2) == 0 || memcmp(r->buf, "\xfe\xff", 2) == 0))
		rc = err_set(e, ERR_FORMAT, "%s: is UTF-16; convert it: iconv -f UTF-16 -t UTF-8", rawfile_shown(path));
	if (rc < 0) {
		import_close(r);
		return rc;
	}
	if (r->n >= 3 && memcmp(r->buf, "\xef\xbb\xbf", 3) == 0)
		r->at = 3;
	r->format = r->o.format ? r->o.format : guess(r);
	for (size_t i = 0; i < FORMATS; i++)
		if (formats[i].format == r->format)
			r->ops = formats[i].ops;
	r->state = r->ops->start(r);
	*out = r;
	return 0;
}

int import_next(struct import_reader *r, struct import_conversation *c, struct err *e)
{
	int rc;

	import_conversation_free(c);
	rc = r->ops->next(r, c, e);
	if (rc > 0) {
		r->counts.conversations++;
		r->counts.messages += c->n;
	}
	return rc;
}

enum import_format import_format(const struct import_reader *r)
{
	return r->format;
}

const struct import_counts *import_counts(const struct import_reader *r)
{
	return &r->counts;
}

void import_progress(const struct import_reader *r, uint64_t *done, uint64_t *total)
{
	rawfile_progress(r->raw, done, total);
}

void import_close(struct import_reader *r)
{
	if (!r)
		return;
	if (r->ops)
		r->ops->stop(r->state);
	rawfile_close(r->raw);
	free(r->buf);
	free(r->path);
	free(r);
}
