/* SPDX-License-Identifier: GPL-3.0-or-later */
/* chatfile: one line of JSON to a conversation and back. Everything here is fed by
 * strangers' files: each type is checked, nesting is bounded before the parser recurses. */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/utf8.h"
#include "chatfile.h"

enum { MAX_DEPTH = 64 };

static const char *const default_tags[] = { "user", "assistant", NULL };

void chat_free(struct chat *c)
{
	for (size_t i = 0; i < c->n; i++) {
		free(c->messages[i].role);
		free(c->messages[i].content);
	}
	free(c->messages);
	free(c->id);
	free(c->source);
	free(c->domain);
	free(c->company);
	*c = (struct chat){ 0 };
}

void chat_add(struct chat *c, const char *role, const char *content, size_t len, double weight)
{
	struct chat_message *m;

	if (c->n == c->cap) {
		c->cap = c->cap ? c->cap * 2 : 8;
		c->messages = xreallocarray(c->messages, c->cap, sizeof(*c->messages));
	}
	m = &c->messages[c->n++];
	m->role = xstrdup(role);
	m->content = xmemdup(content, len);
	m->len = len;
	m->weight = weight;
	m->open = false;
}

/* The deepest nesting of brackets outside strings. */
static size_t nesting(const char *s, size_t n)
{
	size_t depth = 0, deepest = 0;
	bool in_string = false;

	for (size_t i = 0; i < n; i++) {
		char ch = s[i];

		if (in_string) {
			if (ch == '\\')
				i++;
			else if (ch == '"')
				in_string = false;
		} else if (ch == '"') {
			in_string = true;
		} else if (ch == '{' || ch == '[') {
			if (++depth > deepest)
				deepest = depth;
		} else if ((ch == '}' || ch == ']') && depth > 0) {
			depth--;
		}
	}
	return deepest;
}

static const char *find_tag(const char *const *tags, const char *role)
{
	for (; *tags; tags++)
		if (strcmp(*tags, role) == 0)
			return *tags;
	return NULL;
}

static char *copy_field(const json_t *root, const char *key)
{
	const json_t *v = json_object_get(root, key);
	char buf[40];

	if (json_is_string(v))
		return xstrdup(json_string_value(v));
	if (json_is_integer(v)) {
		snprintf(buf, sizeof(buf), "%lld", (long long)json_integer_value(v));
		return xstrdup(buf);
	}
	return NULL;
}

/* Add one message, joining it to the one before when that has the same role. The paragraphs of a document
 * are its turns: they stay apart. */
static void add_joined(struct chat *c, const char *tag, const char *s, size_t n, double weight,
                       struct chatfile_counts *counts)
{
	struct chat_message *last = c->n ? &c->messages[c->n - 1] : NULL;

	if (!last || strcmp(last->role, tag) != 0 || strcmp(tag, CHATFILE_DOCUMENT) == 0) {
		chat_add(c, tag, s, n, weight);
		return;
	}
	last->content = xrealloc(last->content, last->len + 1 + n + 1);
	last->content[last->len] = '\n';
	memcpy(last->content + last->len + 1, s, n);
	last->len += 1 + n;
	last->content[last->len] = '\0';
	/* what one half must not be learned from, the whole must not */
	if (weight < last->weight)
		last->weight = weight;
	counts->joined++;
}

static int read_weight(const json_t *m, size_t i, const char *where, double *out, struct err *e)
{
	const json_t *w = json_object_get(m, "weight");
	double v = 1.0;

	if (json_is_number(w))
		v = json_number_value(w);
	else if (json_is_boolean(w))
		v = json_is_true(w) ? 1.0 : 0.0;
	else if (w && !json_is_null(w))
		v = -1.0;
	if (!(v >= 0.0) || !isfinite(v))
		return err_set(e, ERR_FORMAT, "%s: message %zu has a \"weight\" that is not a number of 0 or more; "
		               "correct it or leave it out", where, i + 1);
	*out = v;
	return 0;
}

static int read_messages(const json_t *list, const char *where, const char *const *tags,
                         struct chat *c, struct chatfile_counts *counts, struct err *e)
{
	size_t i;
	json_t *m;

	json_array_foreach(list, i, m) {
		const json_t *role = json_object_get(m, "role"), *content = json_object_get(m, "content");
		const char *tag;
		double weight = 1.0;

		if (!json_is_object(m))
			return err_set(e, ERR_FORMAT, "%s: message %zu is not an object like "
			               "{\"role\": \"%s\", \"content\": \"...\"}", where, i + 1, tags[0]);
		tag = json_is_string(role) ? find_tag(tags, json_string_value(role)) : NULL;
		if (!tag) {
			if (json_is_string(role) && strcmp(json_string_value(role), "system") == 0)
				counts->system++;
			else
				counts->unknown_role++;
			continue;
		}
		if (content && !json_is_null(content) && !json_is_string(content))
			return err_set(e, ERR_FORMAT, "%s: the \"content\" of message %zu is not text; "
			               "only plain strings are read", where, i + 1);
		if (read_weight(m, i, where, &weight, e) < 0)
			return ERR_FORMAT;
		if (!json_is_string(content) || json_string_length(content) == 0) {
			counts->empty++;
			continue;
		}
		add_joined(c, tag, json_string_value(content), json_string_length(content), weight, counts);
		c->messages[c->n - 1].open = json_is_true(json_object_get(m, "open"));
	}
	return 0;
}

/* {"en": "...", "fr": "..."}: every tag is a key and its value a string or null. */
static int read_pair(const json_t *root, const char *where, const char *const *tags,
                     struct chat *c, struct chatfile_counts *counts, struct err *e)
{
	for (size_t i = 0; tags[i]; i++) {
		const json_t *v = json_object_get(root, tags[i]);

		if (!v)
			return err_set(e, ERR_FORMAT, "%s: has neither \"messages\" nor \"%s\"; each line needs "
			               "{\"messages\": [{\"role\": \"%s\", \"content\": \"...\"}, ...]}",
			               where, tags[i], tags[0]);
		if (!json_is_string(v) && !json_is_null(v))
			return err_set(e, ERR_FORMAT, "%s: \"%s\" is not text; only plain strings are read",
			               where, tags[i]);
		if (!json_is_string(v) || json_string_length(v) == 0)
			counts->empty++;
		else
			add_joined(c, tags[i], json_string_value(v), json_string_length(v), 1.0, counts);
	}
	return 0;
}

static int read_root(const json_t *root, const char *where, const char *const *tags,
                     struct chat *c, struct chatfile_counts *counts, struct err *e)
{
	const json_t *list = json_object_get(root, "messages");
	int rc;

	if (!json_is_object(root))
		return err_set(e, ERR_FORMAT, "%s: is JSON but not an object; each line needs "
		               "{\"messages\": [...]}", where);
	if (list && !json_is_array(list))
		return err_set(e, ERR_FORMAT, "%s: \"messages\" is not a list", where);
	c->id = copy_field(root, "id");
	c->source = copy_field(root, "source");
	c->domain = copy_field(root, "domain");
	c->company = copy_field(root, "company");
	rc = list ? read_messages(list, where, tags, c, counts, e) : read_pair(root, where, tags, c, counts, e);
	if (rc == 0 && c->n == 0)
		return err_set(e, ERR_FORMAT, "%s: holds no text by \"%s\"%s%s%s; check the roles and contents",
		               where, tags[0], tags[1] ? " or \"" : "", tags[1] ? tags[1] : "", tags[1] ? "\"" : "");
	return rc;
}

json_t *chat_json_load(const char *json, size_t len, const char *where, struct err *e)
{
	const size_t good = utf8_valid_upto(json, len);
	json_error_t je;
	json_t *root;

	if (good < len) {
		err_set(e, ERR_FORMAT, "%s: bad UTF-8 at byte %zu of the line; convert the file with iconv", where, good + 1);
		return NULL;
	}
	if (nesting(json, len) > MAX_DEPTH) {
		err_set(e, ERR_FORMAT, "%s: nested deeper than %d; this is not a conversation", where, MAX_DEPTH);
		return NULL;
	}
	root = json_loadb(json, len, JSON_ALLOW_NUL | JSON_DECODE_ANY, &je);
	if (!root)
		err_set(e, ERR_FORMAT, "%s: not JSON (column %d: %.120s); correct or remove the line",
		        where, je.column, je.text);
	return root;
}

int chat_from_json(const char *json, size_t len, const char *where, const struct chatfile_opts *o,
                   struct chat *c, struct chatfile_counts *counts, struct err *e)
{
	const char *const *tags = o && o->tags ? o->tags : default_tags;
	struct chatfile_counts here = { 0 };
	json_t *root;
	int rc;

	chat_free(c);
	if (!where)
		where = "input";
	root = chat_json_load(json, len, where, e);
	if (!root)
		return ERR_FORMAT;
	rc = read_root(root, where, tags, c, &here, e);
	json_decref(root);
	if (rc < 0) {
		chat_free(c);
		return rc;
	}
	if (counts) {
		counts->conversations++;
		counts->messages += c->n;
		counts->unknown_role += here.unknown_role;
		counts->system += here.system;
		counts->empty += here.empty;
		counts->joined += here.joined;
	}
	return 0;
}

/* JSON string; bytes that are not UTF-8 become U+FFFD, since JSON cannot carry them. */
static void add_string(struct str *out, const char *s, size_t n)
{
	str_addc(out, '"');
	for (size_t i = 0; i < n;) {
		unsigned char ch = (unsigned char)s[i];

		if (ch == '"' || ch == '\\') {
			str_addc(out, '\\');
			str_addc(out, (char)ch);
			i++;
		} else if (ch == '\n') {
			str_adds(out, "\\n");
			i++;
		} else if (ch < 0x20 || ch == 0x7f) {
			str_addf(out, "\\u%04x", ch);
			i++;
		} else if (ch < 0x80) {
			str_addc(out, (char)ch);
			i++;
		} else {
			int32_t cp;
			char enc[4];
			size_t used = utf8_decode(s + i, n - i, &cp);

			str_add(out, enc, utf8_encode(cp, enc));
			i += used;
		}
	}
	str_addc(out, '"');
}

static void add_field(struct str *out, const char *key, const char *value)
{
	if (!value)
		return;
	str_addf(out, "\"%s\": ", key);
	add_string(out, value, strlen(value));
	str_adds(out, ", ");
}

static void add_weight(struct str *out, double w)
{
	char buf[40];

	/* the decimal point follows the locale; JSON's does not */
	snprintf(buf, sizeof(buf), "%.9g", w);
	for (char *p = buf; *p; p++)
		if (*p == ',')
			*p = '.';
	str_addf(out, ", \"weight\": %s", buf);
}

char *chat_to_json(const struct chat *c)
{
	struct str out = STR_INIT;

	str_addc(&out, '{');
	add_field(&out, "id", c->id);
	add_field(&out, "source", c->source);
	add_field(&out, "domain", c->domain);
	add_field(&out, "company", c->company);
	str_adds(&out, "\"messages\": [");
	for (size_t i = 0; i < c->n; i++) {
		const struct chat_message *m = &c->messages[i];

		str_adds(&out, i ? ", {\"role\": " : "{\"role\": ");
		add_string(&out, m->role, strlen(m->role));
		str_adds(&out, ", \"content\": ");
		add_string(&out, m->content, m->len);
		if (m->weight != 1.0)
			add_weight(&out, m->weight);
		if (m->open)
			str_adds(&out, ", \"open\": true");
		str_addc(&out, '}');
	}
	str_adds(&out, "]}");
	return str_detach(&out);
}
