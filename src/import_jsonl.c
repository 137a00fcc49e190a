/* SPDX-License-Identifier: GPL-3.0-or-later */
/* import_jsonl: one conversation a line, as other programs write them and as export does. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "chatfile.h"
#include "import_private.h"
#include "rawfile.h"

static void *start(struct import_reader *r)
{
	(void)r;
	return NULL;
}

static void stop(void *state)
{
	(void)state;
}

/* A string or a number under one of the names ("case case_id"), as a string; else NULL. */
static char *field(const json_t *o, const char *names)
{
	for (const char *p = names; *p; p += strspn(p, " ")) {
		size_t n = strcspn(p, " ");
		const json_t *v = json_object_getn(o, p, n);
		char buf[40];

		p += n;
		if (json_is_string(v) && json_string_length(v))
			return store_clean(json_string_value(v), json_string_length(v));
		if (json_is_integer(v)) {
			snprintf(buf, sizeof(buf), "%lld", (long long)json_integer_value(v));
			return xstrdup(buf);
		}
	}
	return NULL;
}

/* The first of the names that there is; 0: none, or none that can be read. */
static int time_of(struct import_reader *r, const json_t *o, const char *names, int64_t *ms, struct err *e)
{
	*ms = 0;
	for (const char *p = names; *p; p += strspn(p, " ")) {
		size_t n = strcspn(p, " ");
		const json_t *v = json_object_getn(o, p, n);
		const double d = json_is_real(v) ? json_real_value(v) : 0;
		char buf[40] = "";

		p += n;
		if (!v || json_is_null(v))
			continue;
		if (json_is_string(v))
			return import_when(r, e, r->line, json_string_value(v), json_string_length(v), ms);
		if (json_is_integer(v))
			snprintf(buf, sizeof(buf), "%lld", (long long)json_integer_value(v));
		else if (d >= 1e8 && d < 1e11)
			snprintf(buf, sizeof(buf), "%lld", (long long)(d * 1000));
		return import_when(r, e, r->line, buf, strlen(buf), ms);
	}
	return 0;
}

static char *tags_of(const json_t *v)
{
	struct str tags = STR_INIT;
	size_t i;
	json_t *t;

	if (json_is_string(v)) {
		for (const char *p = json_string_value(v); *p; p += *p == ',') {
			size_t n = strcspn(p, ",");

			import_add_tag(&tags, p, n);
			p += n;
		}
	}
	json_array_foreach(v, i, t)
		if (json_is_string(t))
			import_add_tag(&tags, json_string_value(t), json_string_length(t));
	return str_detach(&tags);
}

static int read_head(struct import_reader *r, const json_t *root, struct import_conversation *c, struct err *e)
{
	const json_t *id = json_object_get(root, "id");
	struct store_conversation *h = &c->head;

	c->key = field(root, "id conversation_id conversation");
	h->case_id = field(root, "case case_id ticket ticket_id");
	/* "case" is there in every line that export writes: then the id is the row it had */
	if (json_object_get(root, "case")) {
		if (json_is_integer(id) && json_integer_value(id) > 0)
			h->id = json_integer_value(id);
	} else if (!h->case_id && c->key) {
		h->case_id = xstrdup(c->key);
	}
	h->customer = field(root, "customer customer_name");
	h->company = field(root, "company");
	h->state = field(root, "state");
	h->source = field(root, "source");
	h->tags = tags_of(json_object_get(root, "tags"));
	return time_of(r, root, "created created_at", &h->created, e);
}

static int read_messages(struct import_reader *r, const json_t *list, struct import_conversation *c, struct err *e)
{
	size_t i;
	json_t *m;

	json_array_foreach(list, i, m) {
		const json_t *role = json_object_get(m, "role"), *content = json_object_get(m, "content");
		const json_t *latency = json_object_get(m, "latency_ms"), *rating = json_object_get(m, "rating");
		struct import_message *to;
		const char *as = NULL;

		if (!json_is_object(m) || (content && !json_is_null(content) && !json_is_string(content)))
			return err_set(e, ERR_FORMAT, "message %zu is not like {\"role\": \"user\", \"content\": \"...\"}", i + 1);
		if (json_is_string(role))
			as = import_role(r, json_string_value(role), json_string_length(role));
		if (!as || !json_is_string(content) || json_string_length(content) == 0) {
			r->counts.skipped++;
			continue;
		}
		to = import_add(c, as, store_clean(json_string_value(content), json_string_length(content)), 0);
		to->len = strlen(to->content);
		to->origin = field(m, "origin");
		to->model = field(m, "model");
		if (time_of(r, m, "time timestamp created created_at date", &to->created, e) < 0)
			return ERR_FORMAT;
		to->latency_ms = json_is_number(latency) ? json_number_value(latency) : 0;
		if (json_is_integer(rating))
			to->rating = json_integer_value(rating) > 0 ? 1 : json_integer_value(rating) < 0 ? -1 : 0;
	}
	return 0;
}

/* A line that holds no conversation is e's. */
static int read_line(struct import_reader *r, const char *s, size_t n, struct import_conversation *c, struct err *e)
{
	json_t *root = chat_json_load(s, n, "", e), *list;
	int rc = 0;

	if (!root) {
		/* it names a place that import_bad names again */
		memmove(e->msg, e->msg + 2, strlen(e->msg + 2) + 1);
		return ERR_FORMAT;
	}
	list = json_object_get(root, "messages");
	if (!json_is_object(root) || !json_is_array(list))
		rc = err_set(e, ERR_FORMAT, "holds no {\"messages\": [...]}");
	if (rc == 0)
		rc = read_head(r, root, c, e);
	if (rc == 0)
		rc = read_messages(r, list, c, e);
	if (rc == 0 && c->n == 0)
		rc = err_set(e, ERR_FORMAT, "holds no text by a customer or an agent; check roles and contents");
	json_decref(root);
	return rc;
}

static int next(struct import_reader *r, struct import_conversation *c, struct err *e)
{
	const char *s;
	size_t n;
	bool too_long;
	int rc;

	while ((rc = import_line(r, &s, &n, &too_long, e)) > 0) {
		struct err why = ERR_INIT;

		if (too_long)
			rc = import_bad(r, e, r->line, "the line is longer than %zu MiB", r->o.max_record >> 20);
		else if (import_blank(s, n))
			continue;
		else if (read_line(r, s, n, c, &why) < 0)
			rc = import_bad(r, e, r->line, "%s", why.msg);
		else
			break;
		if (rc < 0)
			return rc;
		import_conversation_free(c);
	}
	if (rc > 0)
		c->line = r->line;
	return rc;
}

const struct import_ops import_jsonl = { start, next, stop };
