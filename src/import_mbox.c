/* SPDX-License-Identifier: GPL-3.0-or-later */
/* import_mbox: mails, one after another, into threads. Mails of one thread name one another (In-Reply-To,
 * References: RFC 5322 3.6.4), also through mails that are not here; a reply that names none belongs to the last mail
 * of its subject with the same customer. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "import_private.h"
#include "rawfile.h"

enum { MAX_HEAD = 1 << 18, MAX_SUBJECT = 200 };

struct mail {
	struct import_mail m;
	int64_t date;
	size_t line, node, i;
	bool agent;
};

struct mbox {
	bool whole;
	struct mail *mail;
	size_t n, cap, held;
	size_t *parent, nodes, nodes_cap;       /* threads: a forest of mails, those here and those named */
	struct import_map *ids, *subjects;
	struct str head, body;
	size_t line;                            /* where the mail that is being read begins */
	int64_t posted;                         /* of its "From " line */
	struct import_list list;
};

static void *start(struct import_reader *r)
{
	struct mbox *b = xcalloc(1, sizeof(*b));

	(void)r;
	b->head = b->body = (struct str)STR_INIT;
	b->ids = import_map_new();
	b->subjects = import_map_new();
	return b;
}

static void drop_mails(struct mbox *b)
{
	for (size_t i = 0; i < b->n; i++)
		import_mail_free(&b->mail[i].m);
	free(b->mail);
	b->mail = NULL;
	b->n = 0;
}

static void stop(void *state)
{
	struct mbox *b = state;

	drop_mails(b);
	free(b->parent);
	import_map_free(b->ids);
	import_map_free(b->subjects);
	str_free(&b->head);
	str_free(&b->body);
	import_list_free(&b->list);
	free(b);
}

/* ---- threads ---- */

static size_t new_node(struct mbox *b)
{
	if (b->nodes == b->nodes_cap) {
		b->nodes_cap = b->nodes_cap ? b->nodes_cap * 2 : 256;
		b->parent = xreallocarray(b->parent, b->nodes_cap, sizeof(*b->parent));
	}
	b->parent[b->nodes] = b->nodes;
	return b->nodes++;
}

static size_t root_of(struct mbox *b, size_t node)
{
	while (b->parent[node] != node) {
		b->parent[node] = b->parent[b->parent[node]];
		node = b->parent[node];
	}
	return node;
}

static void join(struct mbox *b, size_t x, size_t y)
{
	x = root_of(b, x);
	y = root_of(b, y);
	if (x < y)
		b->parent[y] = x;
	else
		b->parent[x] = y;
}

static size_t node_of(struct mbox *b, const char *id, size_t n)
{
	bool fresh;
	size_t node = import_map_put(b->ids, id, n, b->nodes, &fresh);

	if (fresh) {
		new_node(b);
		b->held += 2 * n + 64;
	}
	return node;
}

/* Every <id> in the text; true: there was one. */
static bool join_ids(struct mbox *b, size_t node, const char *ids)
{
	bool any = false;

	for (const char *p = ids ? strchr(ids, '<') : NULL; p; p = strchr(p, '<')) {
		const char *end = strchr(++p, '>');

		if (!end)
			break;
		if (end > p) {
			join(b, node, node_of(b, p, (size_t)(end - p)));
			any = true;
		}
		p = end;
	}
	return any;
}

static const char *customer_address(const struct mail *x)
{
	return x->agent ? x->m.to_address : x->m.from_address;
}

static void join_subject(struct mbox *b, struct mail *x, bool named)
{
	bool reply;
	const char *subject = import_mail_subject(x->m.subject ? x->m.subject : "", &reply);
	struct str key = STR_INIT;
	size_t other;

	if (!*subject)
		return;
	str_add(&key, subject, strlen(subject) + 1);
	str_adds(&key, customer_address(x));
	if (reply && !named && import_map_get(b->subjects, key.s, key.len, &other))
		join(b, x->node, other);
	import_map_set(b->subjects, key.s, key.len, x->node);
	str_free(&key);
}

static int by_date(const void *a, const void *b)
{
	const struct mail *x = a, *y = b;

	if (x->date != y->date)
		return x->date < y->date ? -1 : 1;
	return x->i < y->i ? -1 : x->i > y->i;
}

/* ---- mails ---- */

static int end_mail(struct import_reader *r, struct mbox *b, struct err *e)
{
	struct mail x = { .line = b->line, .i = b->n };
	const char *open, *close;
	int rc = 0;

	if (b->line == 0)
		return 0;
	import_mail_parse(&x.m, b->head.s, b->head.len, b->body.s, b->body.len);
	str_free(&b->head);
	str_free(&b->body);
	if (!*x.m.from_address)
		rc = import_bad(r, e, b->line, "a mail that does not say whom it is from");
	else if (!x.m.text)
		rc = import_bad(r, e, b->line, "a mail without text in it");
	else
		rc = 1;
	b->line = 0;
	if (rc > 0 && x.m.bad_charset)
		import_warn(r, x.line, "a charset that nobody knows; read as Windows-1252");
	if (rc > 0 && (x.m.len = import_mail_unquote(x.m.text, x.m.len)) == 0) {
		r->counts.skipped++;
		rc = 0;
	}
	open = x.m.id ? strchr(x.m.id, '<') : NULL;
	close = open ? strchr(open, '>') : NULL;
	if (rc > 0 && close && close > open + 1) {
		size_t before = b->nodes, node = node_of(b, open + 1, (size_t)(close - open) - 1), twice;
		struct str key = STR_INIT;

		/* the same mail in two folders */
		str_addc(&key, '\0');      /* no subject begins so */
		str_addf(&key, "%zu", node);
		if (node < before && import_map_get(b->subjects, key.s, key.len, &twice)) {
			r->counts.skipped++;
			rc = 0;
		}
		import_map_set(b->subjects, key.s, key.len, node);
		str_free(&key);
		x.node = node;
	} else if (rc > 0) {
		x.node = new_node(b);
	}
	if (rc <= 0) {
		import_mail_free(&x.m);
		return rc;
	}
	x.date = x.m.date ? x.m.date : b->posted ? b->posted : b->n ? b->mail[b->n - 1].date : 0;
	x.agent = import_is_agent(r, x.m.from_address, strlen(x.m.from_address)) ||
		(*x.m.from_name && import_is_agent(r, x.m.from_name, strlen(x.m.from_name)));
	if (b->n == b->cap) {
		b->cap = b->cap ? b->cap * 2 : 64;
		b->mail = xreallocarray(b->mail, b->cap, sizeof(*b->mail));
	}
	b->mail[b->n++] = x;
	b->held += sizeof(x) + x.m.len + (x.m.references ? strlen(x.m.references) : 0) + (x.m.subject ? strlen(x.m.subject) : 0) + 512;
	return import_bound(r, b->held, e);
}

/* "From anna@example.org Sat Jan 31 10:00:00 2026", not "From what I know": a date ends it. */
static bool is_from_line(const char *s, size_t n, bool first, int64_t *posted)
{
	const char *date;

	*posted = 0;
	if (n < 5 || memcmp(s, "From ", 5) != 0)
		return false;
	date = memchr(s + 5, ' ', n - 5);
	if (date && when_parse(date, n - (size_t)(date - s), WHEN_NO_ORDER, posted))
		return true;
	*posted = 0;
	return first;
}

static int read_mails(struct import_reader *r, struct mbox *b, struct err *e)
{
	bool blank = true, in_head = false, too_long;
	const char *s;
	size_t n;
	int rc;

	while ((rc = import_line(r, &s, &n, &too_long, e)) > 0) {
		int64_t posted;

		if (blank && is_from_line(s, n, r->line == 1, &posted)) {
			if ((rc = end_mail(r, b, e)) < 0)
				return rc;
			b->line = r->line;
			b->posted = posted;
			in_head = true;
			blank = false;
			continue;
		}
		if (b->line == 0) {      /* one mail alone, without a "From " line */
			if (import_blank(s, n))
				continue;
			b->line = r->line;
			in_head = true;
		}
		blank = n == 0;
		if (in_head && blank) {
			in_head = false;
		} else if (in_head) {
			if (b->head.len + n < MAX_HEAD) {
				str_add(&b->head, s, n);
				str_addc(&b->head, '\n');
			}
		} else if (b->body.len + n < r->o.max_record) {      /* what comes so late is an attachment */
			size_t marks = 0;

			while (marks < n && s[marks] == '>')
				marks++;
			if (marks && n - marks >= 5 && memcmp(s + marks, "From ", 5) == 0)
				s++, n--;
			str_add(&b->body, s, n);
			str_addc(&b->body, '\n');
		}
	}
	return rc < 0 ? rc : end_mail(r, b, e);
}

/* Who could it be? The addresses that sent most. */
static int no_agent(struct import_reader *r, struct mbox *b, struct err *e)
{
	struct import_map *count = import_map_new();
	const char *most = "", *second = "";
	size_t n = 0, n2 = 0;

	for (size_t i = 0; i < b->n; i++) {
		const char *a = b->mail[i].m.from_address;
		bool fresh;
		size_t k = import_map_put(count, a, strlen(a), 0, &fresh) + 1;

		import_map_set(count, a, strlen(a), k);
		if (strcmp(a, most) == 0) {
			n = k;
		} else if (k > n) {
			second = most;
			n2 = n;
			most = a;
			n = k;
		} else if (k > n2) {
			second = a;
			n2 = k;
		}
	}
	import_map_free(count);
	return err_set(e, ERR_USAGE, "%s: say whose mails are the answers: --agent ADDRESS or --agent DOMAIN; most are from %.80s (%zu of %zu)"
	               "%s%.80s", rawfile_shown(r->path), most, n, b->n, *second ? ", then " : "", second);
}

/* "#4471" in a subject is a case of that number; else the subject is what the case is called. */
static char *case_of(const struct mail *x)
{
	bool reply;
	const char *subject = import_mail_subject(x->m.subject ? x->m.subject : "", &reply), *mark = strchr(subject, '#');
	size_t n = mark ? strspn(mark + 1, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-") : 0;

	if (n >= 2 && strcspn(mark + 1, "0123456789") < n)
		return xmemdup(mark + 1, n);
	n = strlen(subject);
	if (n > MAX_SUBJECT)
		for (n = MAX_SUBJECT; n && ((unsigned char)subject[n] & 0xc0) == 0x80; n--)
			;
	return xmemdup(subject, n);
}

static void make_conversations(struct mbox *b)
{
	size_t *place = xcalloc(b->nodes + 1, sizeof(*place));      /* of a root, its conversation + 1 */

	for (size_t i = 0; i < b->n; i++) {
		struct mail *x = &b->mail[i];
		size_t root = root_of(b, x->node);
		struct import_conversation *c;

		if (!place[root]) {
			c = import_list_add(&b->list);
			place[root] = b->list.n;
			c->line = x->line;
			c->head.case_id = case_of(x);
			c->key = x->m.id;
			x->m.id = NULL;
		}
		c = &b->list.v[place[root] - 1];
		if (!c->head.customer && !x->agent) {
			struct str who = STR_INIT;

			str_addf(&who, *x->m.from_name ? "%s <%s>" : "%s%s", x->m.from_name, x->m.from_address);
			c->head.customer = str_detach(&who);
		}
		import_add(c, x->agent ? "assistant" : "user", x->m.text, x->m.len)->created = x->date;
		x->m.text = NULL;
	}
	free(place);
}

static int read_all(struct import_reader *r, struct mbox *b, struct err *e)
{
	int rc = read_mails(r, b, e);

	if (rc < 0)
		return rc;
	if (b->n && r->o.n_agents == 0)
		return no_agent(r, b, e);
	if (b->n)
		qsort(b->mail, b->n, sizeof(*b->mail), by_date);
	for (size_t i = 0; i < b->n; i++) {
		struct mail *x = &b->mail[i];
		bool named = join_ids(b, x->node, x->m.references);

		named = join_ids(b, x->node, x->m.in_reply_to) || named;
		join_subject(b, x, named);
	}
	if ((rc = import_bound(r, b->held, e)) < 0)
		return rc;
	make_conversations(b);
	drop_mails(b);
	b->whole = true;
	return 0;
}

static int next(struct import_reader *r, struct import_conversation *c, struct err *e)
{
	struct mbox *b = r->state;

	if (!b->whole) {
		int rc = read_all(r, b, e);

		if (rc < 0)
			return rc;
	}
	return import_list_take(&b->list, c);
}

const struct import_ops import_mbox = { start, next, stop };
