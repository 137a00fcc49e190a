/* SPDX-License-Identifier: GPL-3.0-or-later */
/* export: one conversation at a time, read whole and then written. */
#include "export.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/utf8.h"
#include "redact.h"
#include "when.h"

enum { LONGEST_NAME = 200 };

struct exporter {
	FILE *to;
	enum export_format format;
	bool redact;
	char *company;
	size_t count;
};

struct messages {
	struct store_message *v;
	size_t n, cap;
};

bool export_format_of(const char *name, enum export_format *f)
{
	static const struct {
		const char *name;
		enum export_format format;
	} names[] = { { "jsonl", EXPORT_JSONL }, { "json", EXPORT_JSONL }, { "csv", EXPORT_CSV }, { "markdown", EXPORT_MARKDOWN },
		{ "md", EXPORT_MARKDOWN } };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcasecmp(names[i].name, name) == 0) {
			*f = names[i].format;
			return true;
		}
	return false;
}

enum export_format export_format_of_file(const char *path, enum export_format def)
{
	const char *dot = path ? strrchr(path, '.') : NULL;

	if (dot)
		export_format_of(dot + 1, &def);
	return def;
}

struct exporter *export_new(FILE *to, enum export_format format, bool redact, const char *company)
{
	struct exporter *x = xcalloc(1, sizeof(*x));

	x->to = to;
	x->format = format;
	x->redact = redact;
	x->company = company ? xstrdup(company) : NULL;
	if (format == EXPORT_CSV)
		fputs("conversation,case,customer,company,state,source,tags,created,time,role,origin,model,rating,latency_ms,text\n", to);
	return x;
}

size_t export_count(const struct exporter *x)
{
	return x->count;
}

int export_end(struct exporter *x, struct err *e)
{
	int rc = 0;

	if (fflush(x->to) != 0 || ferror(x->to))
		rc = err_set(e, ERR_IO, "not written whole: %s", strerror(errno));
	free(x->company);
	free(x);
	return rc;
}

/* ---- placeholders ---- */

static bool word_byte(char c)
{
	return (unsigned char)c >= 0x80 || (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z');
}

static void cover(const char *text, size_t len, const char *name, size_t n, bool any_case, bool *covered)
{
	for (size_t i = 0; n && i + n <= len; i++)
		if ((any_case ? strncasecmp(text + i, name, n) : strncmp(text + i, name, n)) == 0 && (i == 0 || !word_byte(text[i - 1])) &&
		    (i + n == len || !word_byte(text[i + n])))
			memset(covered + i, true, n);
}

/* Bytes of text that are the customer's name: all of it, or a part that is written like a name. */
static void cover_customer(const char *text, size_t len, const char *customer, bool *covered)
{
	size_t n = strcspn(customer, "<");

	while (n && customer[n - 1] == ' ')
		n--;
	if (n > LONGEST_NAME || memchr(customer, '@', n))
		return;      /* an address is found as one */
	cover(text, len, customer, n, true, covered);
	for (size_t i = 0; i < n;) {
		size_t from = i;

		while (i < n && !strchr(" ,", customer[i]))
			i++;
		if (i - from >= 3 && ((customer[from] >= 'A' && customer[from] <= 'Z') || (unsigned char)customer[from] >= 0x80))
			cover(text, len, customer + from, i - from, false, covered);
		i++;
	}
}

static char *redacted(struct redact_map *map, const char *customer, const char *text, size_t len, size_t *out_len)
{
	struct redact_spans spans = { 0 };
	bool *covered = xcalloc(len + 1, sizeof(*covered));
	struct str out = STR_INIT;
	size_t span = 0;

	redact_find(map, text, len, &spans);
	cover_customer(text, len, customer, covered);
	for (size_t i = 0; i < len;) {
		if (span < spans.n && i == spans.v[span].start) {
			str_addf(&out, "<%s_%u>", redact_type_name(spans.v[span].type), spans.v[span].index);
			i = spans.v[span++].end;
		} else if (covered[i]) {
			str_adds(&out, "<customer_1>");
			while (i < len && covered[i] && (span == spans.n || i < spans.v[span].start))
				i++;
		} else {
			str_addc(&out, text[i++]);
		}
	}
	redact_spans_free(&spans);
	free(covered);
	*out_len = out.len;
	return str_detach(&out);
}

static void replace(char **s, const char *with)
{
	if (!**s)
		return;
	free(*s);
	*s = xstrdup(with);
}

static void redact_all(struct exporter *x, struct store_conversation *c, struct messages *m)
{
	struct redact_map *map = redact_map_new(*c->company ? c->company : x->company);

	for (size_t i = 0; i < m->n; i++) {
		char *text = redacted(map, c->customer, m->v[i].content, m->v[i].len, &m->v[i].len);

		free(m->v[i].content);
		m->v[i].content = text;
	}
	redact_map_free(map);
	replace(&c->case_id, "");
	replace(&c->customer, "<customer_1>");
	replace(&c->company, "<company_1>");
	replace(&c->source, "");
}

/* ---- formats ---- */

static json_t *json_text(const char *s, size_t n)
{
	json_t *v = json_stringn(s, n);
	char *clean;

	if (v)
		return v;
	clean = store_clean(s, n);      /* JSON can carry only UTF-8 */
	v = json_string(clean);
	free(clean);
	return v;
}

static void set(json_t *o, const char *key, const char *value)
{
	json_object_set_new(o, key, json_text(value, strlen(value)));
}

static void write_json(struct exporter *x, const struct store_conversation *c, const struct messages *m)
{
	json_t *o = json_object(), *tags = json_array(), *list = json_array();
	char when[WHEN_SIZE], *text;

	json_object_set_new(o, "id", json_integer(c->id));
	set(o, "case", c->case_id);
	set(o, "customer", c->customer);
	set(o, "company", c->company);
	set(o, "state", c->state);
	set(o, "source", c->source);
	for (const char *p = c->tags; *p; p += *p == ',') {
		size_t n = strcspn(p, ",");

		json_array_append_new(tags, json_text(p, n));
		p += n;
	}
	json_object_set_new(o, "tags", tags);
	when_iso(c->created, when);
	set(o, "created", when);
	for (size_t i = 0; i < m->n; i++) {
		const struct store_message *v = &m->v[i];
		json_t *j = json_object();

		set(j, "role", v->role);
		json_object_set_new(j, "content", json_text(v->content, v->len));
		when_iso(v->created, when);
		set(j, "time", when);
		set(j, "origin", v->origin);
		if (*v->model)
			set(j, "model", v->model);
		if (v->latency_ms != 0)
			json_object_set_new(j, "latency_ms", json_real(v->latency_ms));
		if (v->rating)
			json_object_set_new(j, "rating", json_integer(v->rating));
		json_array_append_new(list, j);
	}
	json_object_set_new(o, "messages", list);
	text = json_dumps(o, 0);
	fprintf(x->to, "%s\n", text ? text : "");
	free(text);
	json_decref(o);
}

static void put_cell(FILE *to, const char *s, size_t n, char end)
{
	bool quoted = n && (s[0] == ' ' || s[n - 1] == ' ');

	for (size_t i = 0; i < n && !quoted; i++)
		quoted = s[i] == '"' || s[i] == ',' || s[i] == '\n' || s[i] == '\r';
	if (quoted)
		putc('"', to);
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '"')
			putc('"', to);
		putc(s[i], to);
	}
	if (quoted)
		putc('"', to);
	putc(end, to);
}

/* Nothing for 0; with a point, whatever the locale. */
static void put_number(double v, char out[40])
{
	*out = '\0';
	if (v == 0)
		return;
	snprintf(out, 40, "%.17g", v);
	out[strcspn(out, ",")] = strchr(out, ',') ? '.' : '\0';
}

static void write_csv(struct exporter *x, const struct store_conversation *c, const struct messages *m)
{
	char created[WHEN_SIZE], when[WHEN_SIZE], id[24], rating[8] = "", latency[40] = "";

	snprintf(id, sizeof(id), "%lld", (long long)c->id);
	when_iso(c->created, created);
	for (size_t i = 0; i < m->n; i++) {
		const struct store_message *v = &m->v[i];
		const char *const cells[] = { id, c->case_id, c->customer, c->company, c->state, c->source, c->tags, created, when,
			v->role, v->origin, v->model, rating, latency };

		when_iso(v->created, when);
		if (v->rating)
			snprintf(rating, sizeof(rating), "%d", v->rating);
		else
			*rating = '\0';
		put_number(v->latency_ms, latency);
		for (size_t k = 0; k < sizeof(cells) / sizeof(cells[0]); k++)
			put_cell(x->to, cells[k], strlen(cells[k]), ',');
		put_cell(x->to, v->content, v->len, '\n');
	}
}

/* Text that stays text in Markdown and on a terminal. */
static void put_plain(FILE *to, const char *s, size_t n, const char *margin)
{
	for (size_t i = 0; i < n;) {
		int32_t cp;
		char enc[4];
		size_t used = utf8_decode(s + i, n - i, &cp);
		bool first = i == 0 || s[i - 1] == '\n';

		i += used;
		if (cp == '\n') {
			fprintf(to, i < n ? "\\\n%s" : "\n", margin);
			continue;
		}
		if (cp != '\t' && (cp < 0x20 || (cp >= 0x7f && cp < 0xa0)))      /* ESC as its picture; C1 has none */
			cp = cp < 0x20 ? 0x2400 + cp : cp == 0x7f ? 0x2421 : 0xfffd;
		if (cp < 0x80 && (strchr("\\`*_[]<>|~", (char)cp) || (first && strchr("#+-=", (char)cp))))
			putc('\\', to);
		fwrite(enc, 1, utf8_encode(cp, enc), to);
	}
}

static void put_fact(FILE *to, const char *name, const char *value)
{
	if (!*value)
		return;
	fprintf(to, "- %s: ", name);
	put_plain(to, value, strlen(value), "  ");
	putc('\n', to);
}

static void write_markdown(struct exporter *x, const struct store_conversation *c, const struct messages *m)
{
	char when[WHEN_SIZE];

	fprintf(x->to, "%s## Conversation %lld\n\n", x->count ? "\n" : "", (long long)c->id);
	put_fact(x->to, "Case", c->case_id);
	put_fact(x->to, "Customer", c->customer);
	put_fact(x->to, "Company", c->company);
	put_fact(x->to, "Tags", c->tags);
	when_local(c->created, when);
	put_fact(x->to, "Begun", when);
	put_fact(x->to, "State", c->state);
	for (size_t i = 0; i < m->n; i++) {
		const struct store_message *v = &m->v[i];

		when_local(v->created, when);
		fprintf(x->to, "\n**%s**, %s, ", strcmp(v->role, "user") == 0 ? "Customer" : "Agent", when);
		put_plain(x->to, v->origin, strlen(v->origin), "");
		fprintf(x->to, "%s\n\n> ", v->rating > 0 ? ", rated good" : v->rating < 0 ? ", rated bad" : "");
		put_plain(x->to, v->content, v->len, "> ");
		putc('\n', x->to);
	}
}

static bool gather(const struct store_message *m, void *arg)
{
	struct messages *all = arg;

	if (all->n == all->cap) {
		all->cap = all->cap ? all->cap * 2 : 8;
		all->v = xreallocarray(all->v, all->cap, sizeof(*all->v));
	}
	all->v[all->n] = *m;
	all->v[all->n].role = xstrdup(m->role);
	all->v[all->n].origin = xstrdup(m->origin);
	all->v[all->n].content = xmemdup(m->content, m->len);
	all->v[all->n++].model = xstrdup(m->model);
	return true;
}

int export_conversation(struct exporter *x, struct store *s, int64_t id, struct err *e)
{
	struct store_conversation c;
	struct messages m = { 0 };
	int rc = store_conversation_get(s, id, &c, e);

	if (rc < 0)
		return rc;
	rc = store_messages(s, id, gather, &m, e);
	if (rc == 0 && m.n > 0) {
		if (x->redact)
			redact_all(x, &c, &m);
		if (x->format == EXPORT_JSONL)
			write_json(x, &c, &m);
		else if (x->format == EXPORT_CSV)
			write_csv(x, &c, &m);
		else
			write_markdown(x, &c, &m);
		x->count++;
	}
	for (size_t i = 0; i < m.n; i++)
		store_message_free(&m.v[i]);
	free(m.v);
	store_conversation_free(&c);
	if (rc == 0 && ferror(x->to))
		rc = err_set(e, ERR_IO, "not written whole: %s", strerror(errno));
	return rc;
}
