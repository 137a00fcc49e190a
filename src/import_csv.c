/* SPDX-License-Identifier: GPL-3.0-or-later */
/* import_csv: rows (RFC 4180, and what people make of it) to conversations. A row that cannot be read costs its
 * first line only: a quote that is never closed must not swallow the rows behind it, so reading goes on
 * at the next line. Bytes read twice for that are bounded (MAX_WASTE); beyond, a row is a line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "import_private.h"
#include "rawfile.h"

enum { MAX_FIELDS = 4096 };
static const size_t MAX_WASTE = (size_t)64 << 20;

enum column {
	CONVERSATION, CASE, TIME, ROLE, TEXT, CUSTOMER, COMPANY, TAGS, ORIGIN, MODEL, RATING, LATENCY, STATE, SOURCE, CREATED,
	QUESTION, ANSWER, COLUMNS
};

/* What export calls it first, then what others do, likelier ones first. */
static const char *const names[COLUMNS] = {
	[CONVERSATION] = ("conversation conversation_id conversationid conv_id thread thread_id chat chat_id dialogue dialogue_id"
		" dialog_id session session_id ticket ticket_id"),
	[CASE] = "case case_id caseid case_number ticket_number reference",
	[TIME] = "time timestamp datetime date_time date sent_at sent message_time created_at",
	[ROLE] = "role speaker sender_type author_role author_type sender author from direction inbound",
	[TEXT] = "text message content body utterance message_text msg",
	[CUSTOMER] = "customer customer_name customer_id client client_name requester",
	[COMPANY] = "company brand",
	[TAGS] = "tags tag labels",
	[ORIGIN] = "origin",
	[MODEL] = "model",
	[RATING] = "rating",
	[LATENCY] = "latency_ms",
	[STATE] = "state",
	[SOURCE] = "source",
	[CREATED] = "created",
	[QUESTION] = "question instruction customer_message prompt request",
	[ANSWER] = "answer response reply agent_message completion",
};

static const char *option_name(enum column c, char out[32])
{
	snprintf(out, 32, "%.*s", (int)strcspn(names[c], " "), names[c]);
	return out;
}

struct csv {
	char between;
	bool started, whole, ours;
	size_t width;                 /* fields of the header */
	size_t at[COLUMNS];           /* index + 1; 0: there is none */
	struct str text;              /* the fields of a row, one after another, each with a NUL */
	struct {
		size_t from, n;
	} field[MAX_FIELDS];
	size_t fields, row_line, waste, held;
	struct import_map *map;       /* a conversation's name to its place in list */
	struct import_list list;
};

static void *start(struct import_reader *r)
{
	struct csv *f = xcalloc(1, sizeof(*f));

	(void)r;
	f->text = (struct str)STR_INIT;
	f->map = import_map_new();
	return f;
}

static void stop(void *state)
{
	struct csv *f = state;

	import_map_free(f->map);
	import_list_free(&f->list);
	str_free(&f->text);
	free(f);
}

/* ---- rows ---- */

enum outcome { ROW, END, UNCLOSED, STRAY, LONG, WIDE };

/* The byte at offset p of what is not consumed; -1 at the end, -2 on an error. */
static int byte(struct import_reader *r, size_t p, struct err *e)
{
	if (p >= r->n - r->at) {
		if (import_fill(r, p + 1, e) < 0)
			return -2;
		if (p >= r->n - r->at)
			return -1;
	}
	return (unsigned char)r->buf[r->at + p];
}

static int scan_row(struct import_reader *r, struct csv *f, enum outcome *what, struct err *e)
{
	const bool one_line = f->waste > MAX_WASTE;
	size_t p = 0, lines = 0;
	bool quoted = false;
	int c = byte(r, 0, e);

	str_reset(&f->text);
	f->fields = 0;
	f->row_line = r->line + 1;
	*what = ROW;
	if (c == -1)
		*what = END;
	if (c < 0)
		return c == -1 ? 0 : e ? e->code : ERR_IO;
	for (;;) {      /* a field a turn */
		size_t from = f->text.len;

		quoted = c == '"';
		if (quoted)
			c = byte(r, ++p, e);
		for (;;) {
			if (p > r->o.max_record) {
				*what = LONG;
			} else if (quoted && c == -1) {
				*what = UNCLOSED;
			} else if (quoted && c == '"') {
				c = byte(r, ++p, e);
				if (c == '"') {
					str_addc(&f->text, '"');
					c = byte(r, ++p, e);
					continue;
				}
				if (c == '\r' && byte(r, p + 1, e) == '\n')
					c = byte(r, ++p, e);
				if (c != f->between && c != '\n' && c >= 0)
					*what = STRAY;
				break;
			} else if (quoted && c == '\n' && one_line) {
				*what = UNCLOSED;
			} else if (!quoted && (c == f->between || c == '\n' || c == -1)) {
				break;
			}
			if (*what != ROW || c == -2)
				break;
			lines += c == '\n';
			str_addc(&f->text, (char)c);
			c = byte(r, ++p, e);
		}
		if (c == -2)
			return e ? e->code : ERR_IO;
		if (*what == ROW && f->fields == MAX_FIELDS)
			*what = WIDE;
		if (*what != ROW)
			break;
		if (!quoted && c != f->between && f->text.len > from && f->text.s[f->text.len - 1] == '\r')
			f->text.s[--f->text.len] = '\0';
		f->field[f->fields].from = from;
		f->field[f->fields++].n = f->text.len - from;
		str_addc(&f->text, '\0');
		if (c != f->between)
			break;
		c = byte(r, ++p, e);
	}
	if (*what == ROW) {
		r->at += c == '\n' ? p + 1 : p;
		r->line += lines + 1;
		r->counts.lines += lines + 1;
	} else {
		f->waste += p;
	}
	return 0;
}

/* The next row that can be read. 1, 0 at the end, or an error. */
static int next_row(struct import_reader *r, struct csv *f, struct err *e)
{
	static const char *const why[] = {
		[UNCLOSED] = "a quote is opened and never closed; double quotes inside a quoted field",
		[STRAY] = "text behind a closing quote; double quotes inside a quoted field",
		[LONG] = "the row is too long",
		[WIDE] = "the row has too many fields",
	};

	for (;;) {
		enum outcome what;
		const char *s;
		size_t n;
		bool too_long;
		int rc = scan_row(r, f, &what, e);

		if (rc < 0)
			return rc;
		if (what == END)
			return 0;
		if (what == ROW) {
			if (f->fields == 1 && import_blank(f->text.s, f->field[0].n))
				continue;
			return 1;
		}
		if ((rc = import_bad(r, e, f->row_line, "%s", why[what])) < 0)
			return rc;
		if ((rc = import_line(r, &s, &n, &too_long, e)) < 0)
			return rc;
	}
}

/* ---- columns ---- */

/* "Customer Name" and customer_name are the same. */
static bool is_name(const char *name, size_t n, const char *s)
{
	while (*s == ' ')
		s++;
	for (; n; name++, n--, s++)
		if (*name != ((*s >= 'A' && *s <= 'Z') ? *s | 32 : *s == ' ' || *s == '-' ? '_' : *s))
			return false;
	while (*s == ' ')
		s++;
	return *s == '\0';
}

static bool taken(const struct csv *f, size_t place)
{
	for (size_t c = 0; c < COLUMNS; c++)
		if (f->at[c] == place + 1)
			return true;
	return false;
}

static const char *cell(const struct csv *f, size_t place)
{
	return f->text.s + f->field[place].from;
}

static void list_columns(const struct csv *f, struct str *out)
{
	for (size_t i = 0; i < f->fields && out->len < 200; i++)
		str_addf(out, "%s%.40s", i ? ", " : "", cell(f, i));
}

/* --column role=NAME or role=3 */
static int given_column(struct import_reader *r, struct csv *f, const char *given, struct err *e)
{
	const char *is = strchr(given, '=');
	size_t n = is ? (size_t)(is - given) : 0;
	struct str all = STR_INIT;
	char *end = NULL;
	unsigned long number;

	for (size_t c = 0; c < COLUMNS && is; c++) {
		if (strcspn(names[c], " ") != n || strncmp(names[c], given, n) != 0)
			continue;
		for (size_t i = 0; i < f->fields && !r->o.no_header; i++)
			if (strcasecmp(cell(f, i), is + 1) == 0) {
				f->at[c] = i + 1;
				return 0;
			}
		number = strtoul(is + 1, &end, 10);
		if (is[1] && !*end && number >= 1 && number <= f->fields) {
			f->at[c] = number;
			return 0;
		}
		list_columns(f, &all);
		err_set(e, ERR_USAGE, "%s: has no column '%.60s'%s%.200s", rawfile_shown(r->path), is + 1,
		        r->o.no_header ? "; without a header columns are numbered from 1" : ", but ", r->o.no_header ? "" : all.s);
		str_free(&all);
		return ERR_USAGE;
	}
	return err_set(e, ERR_USAGE, "'%.60s' is no column: write role=NAME; the others are conversation, case, time, text, customer, "
	               "company, tags, question, answer", given);
}

static int find_columns(struct import_reader *r, struct csv *f, struct err *e)
{
	struct str all = STR_INIT;
	char name[32];
	const char *missing = NULL;

	for (size_t i = 0; i < r->o.n_columns; i++) {
		int rc = given_column(r, f, r->o.columns[i], e);

		if (rc < 0)
			return rc;
	}
	for (size_t c = 0; c < COLUMNS && !r->o.no_header; c++) {
		for (const char *p = names[c]; *p && !f->at[c]; p += strspn(p, " ")) {
			size_t n = strcspn(p, " ");

			for (size_t i = 0; i < f->fields && !f->at[c]; i++)
				if (is_name(p, n, cell(f, i)) && !taken(f, i))
					f->at[c] = i + 1;
			p += n;
		}
	}
	f->width = f->fields;
	f->ours = f->at[CONVERSATION] && f->at[CASE] && f->at[ORIGIN];
	if (f->at[QUESTION] && f->at[ANSWER] && !(f->at[TEXT] && f->at[ROLE]))
		return 0;
	f->at[QUESTION] = f->at[ANSWER] = 0;
	if (!f->at[CONVERSATION])
		f->at[CONVERSATION] = f->at[CASE] ? f->at[CASE] : f->at[CUSTOMER];
	if (!f->at[TEXT])
		missing = option_name(TEXT, name);
	else if (!f->at[ROLE])
		missing = option_name(ROLE, name);
	else if (!f->at[CONVERSATION])
		missing = option_name(CONVERSATION, name);
	if (!missing)
		return 0;
	list_columns(f, &all);
	err_set(e, ERR_FORMAT, "%s:%zu: which column is the %s? Say --column %s=NAME; there are %.200s", rawfile_shown(r->path),
	        f->row_line, missing, missing, all.s);
	str_free(&all);
	return ERR_FORMAT;
}

/* What stands most often in the first line, outside quotes. */
static int find_separator(struct import_reader *r, struct csv *f, struct err *e)
{
	static const char candidates[] = ",;\t|";
	size_t count[4] = { 0 }, best = 0;
	bool quoted = false;
	int rc = import_fill(r, 1 << 16, e);

	if (rc < 0)
		return rc;
	for (size_t i = r->at; i < r->n && (quoted || r->buf[i] != '\n'); i++) {
		const char *c = r->buf[i] ? strchr(candidates, r->buf[i]) : NULL;

		quoted = quoted != (r->buf[i] == '"');
		if (c && !quoted)
			count[c - candidates]++;
	}
	for (size_t k = 1; k < 4; k++)
		if (count[k] > count[best])
			best = k;
	f->between = candidates[best];
	return 0;
}

/* ---- conversations ---- */

static bool has(const struct csv *f, enum column c)
{
	return f->at[c] && f->field[f->at[c] - 1].n > 0;
}

static const char *value(const struct csv *f, enum column c, size_t *n)
{
	*n = f->at[c] ? f->field[f->at[c] - 1].n : 0;
	return f->at[c] ? cell(f, f->at[c] - 1) : "";
}

static void fill_in(struct import_reader *r, struct csv *f, char **to, enum column c)
{
	size_t n;
	const char *s = value(f, c, &n);

	if (!*to && n)
		*to = import_text(r, f->row_line, s, n, &n);
}

static int read_head(struct import_reader *r, struct csv *f, struct import_conversation *c, const char *key, size_t key_n,
                     struct err *e)
{
	struct str tags = STR_INIT;
	size_t n;
	const char *s = value(f, TAGS, &n);
	int rc = 0;

	c->line = f->row_line;
	c->key = import_text(r, f->row_line, key, key_n, &key_n);
	for (size_t i = 0; i < n;) {
		size_t k = i;

		while (k < n && s[k] != ',' && s[k] != ';')
			k++;
		import_add_tag(&tags, s + i, k - i);
		i = k + 1;
	}
	c->head.tags = store_clean(tags.s, tags.len);
	str_free(&tags);
	s = value(f, CREATED, &n);
	if (f->at[TIME])
		rc = import_when(r, e, f->row_line, s, n, &c->head.created);
	if (f->ours)
		c->head.id = strtoll(c->key, NULL, 10);
	if (c->head.id < 0)
		c->head.id = 0;
	if (f->at[CASE])
		fill_in(r, f, &c->head.case_id, CASE);
	else if (f->at[CONVERSATION] != f->at[CUSTOMER] && *c->key)
		c->head.case_id = xstrdup(c->key);
	return rc;
}

static void add_text(struct import_reader *r, struct csv *f, struct import_conversation *c, const char *role, enum column col,
                     int64_t when)
{
	size_t n;
	const char *s = value(f, col, &n);
	struct import_message *m;
	char *text;

	if (n == 0) {
		r->counts.skipped++;
		return;
	}
	text = import_text(r, f->row_line, s, n, &n);
	m = import_add(c, role, text, n);
	m->created = when;
	if (has(f, ORIGIN))
		fill_in(r, f, &m->origin, ORIGIN);
	if (has(f, MODEL))
		fill_in(r, f, &m->model, MODEL);
	if (has(f, RATING))
		m->rating = atoi(cell(f, f->at[RATING] - 1));
	m->rating = m->rating > 0 ? 1 : m->rating < 0 ? -1 : 0;
	if (has(f, LATENCY))
		m->latency_ms = strtod(cell(f, f->at[LATENCY] - 1), NULL);
	f->held += n + sizeof(*m) + 64;
}

static int read_row(struct import_reader *r, struct csv *f, struct err *e)
{
	const bool pair = f->at[QUESTION] != 0;
	size_t key_n, label_n, time_n, place;
	const char *key = value(f, CONVERSATION, &key_n), *label = value(f, ROLE, &label_n), *time = value(f, TIME, &time_n);
	const char *role = pair ? "user" : import_role(r, label, label_n);
	struct import_conversation *c;
	bool fresh = true;
	int64_t when;
	int rc;

	if (f->fields != f->width)
		return import_bad(r, e, f->row_line, "%zu fields where the header has %zu; quote a field that holds '%c'", f->fields, f->width,
		                  f->between);
	if (!pair && import_blank(key, key_n))
		return import_bad(r, e, f->row_line, "does not say which conversation it belongs to");
	if (!role && label_n == 6 && strncasecmp(label, "system", 6) == 0) {
		r->counts.skipped++;
		return 0;
	}
	if (!role)
		return import_bad(r, e, f->row_line, "who is '%.*s'? --agent NAME says who answers", (int)(label_n < 60 ? label_n : 60), label);
	if ((rc = import_when(r, e, f->row_line, time, time_n, &when)) < 0)
		return rc;
	place = f->list.n;
	if (!import_blank(key, key_n))
		place = import_map_put(f->map, key, key_n, f->list.n, &fresh);
	c = fresh ? import_list_add(&f->list) : &f->list.v[place];
	if (fresh) {
		f->held += sizeof(*c) + 4 * key_n + 256;
		if ((rc = read_head(r, f, c, key, key_n, e)) < 0)
			return rc;
	}
	fill_in(r, f, &c->head.customer, CUSTOMER);
	fill_in(r, f, &c->head.company, COMPANY);
	fill_in(r, f, &c->head.state, STATE);
	fill_in(r, f, &c->head.source, SOURCE);
	/* who it is from may be a name */
	if (!c->head.customer && strcmp(role, "user") == 0 && label_n && !import_usual_role(label, label_n))
		fill_in(r, f, &c->head.customer, ROLE);
	add_text(r, f, c, role, pair ? QUESTION : TEXT, when);
	if (pair)
		add_text(r, f, c, "assistant", ANSWER, when);
	return import_bound(r, f->held, e);
}

static int read_all(struct import_reader *r, struct csv *f, struct err *e)
{
	bool header = !r->o.no_header;
	int rc = find_separator(r, f, e);

	if (rc < 0)
		return rc;
	while ((rc = next_row(r, f, e)) > 0) {
		if (!f->started) {
			f->started = true;
			if ((rc = find_columns(r, f, e)) < 0)
				return rc;
			if (header)
				continue;
		}
		if ((rc = read_row(r, f, e)) < 0)
			return rc;
	}
	return rc;
}

static int next(struct import_reader *r, struct import_conversation *c, struct err *e)
{
	struct csv *f = r->state;

	if (!f->whole) {
		int rc = read_all(r, f, e);

		if (rc < 0)
			return rc;
		f->whole = true;
	}
	do {
		import_conversation_free(c);
		if (!import_list_take(&f->list, c))
			return 0;
	} while (c->n == 0);
	if (!f->ours)      /* a clock that went back stays in what this program wrote itself */
		import_sort(c);
	return 1;
}

const struct import_ops import_csv = { start, next, stop };
