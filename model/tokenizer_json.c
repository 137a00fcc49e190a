/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tokenizer_json: the tokenizer as one JSON object, as it stands in a model file.
 *
 *     {"type": "answerback-bpe-1", "vocab": 8192, "tags": ["user", "assistant"],
 *      "types": ["order", ...], "merges": "263 278,194 277,..."}
 *
 * "merges" is one string: pairs of ids in decimal, a space between the two, commas between
 * pairs, best first; the first makes the id after the bytes. A string, because an
 * array of 16,000 numbers takes several times as long to parse, at every start of the program. */
#include "tokenizer_private.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "../src/base/mem.h"

static const char format_name[] = "answerback-bpe-1";

enum { MAX_JSON = 4 << 20 };    /* 65536 merges are under 1 MB */

/* ---- out ---- */

static void add_string(struct str *s, const char *text)
{
	json_t *j = json_string(text);
	char *quoted = j ? json_dumps(j, JSON_ENCODE_ANY | JSON_ENSURE_ASCII) : NULL;

	str_adds(s, quoted ? quoted : "\"\"");
	free(quoted);
	json_decref(j);
}

static void add_strings(struct str *s, const char *key, char *const *v, size_t n)
{
	size_t i;

	str_addf(s, ",\"%s\":[", key);
	for (i = 0; i < n; i++) {
		if (i)
			str_addc(s, ',');
		add_string(s, v[i]);
	}
	str_addc(s, ']');
}

/* Thousands of them at every start: printf takes ten times as long. */
static void add_number(struct str *s, unsigned v)
{
	char digits[10];
	size_t n = sizeof(digits);

	do
		digits[--n] = (char)('0' + v % 10);
	while ((v /= 10) > 0);
	str_add(s, digits + n, sizeof(digits) - n);
}

char *tokenizer_to_json(const struct tokenizer *t)
{
	struct str s = STR_INIT;
	size_t i;

	str_addf(&s, "{\"type\":\"%s\",\"vocab\":%zu", format_name, t->vocab);
	add_strings(&s, "tags", t->tags, t->ntags);
	add_strings(&s, "types", t->types, t->ntypes);
	str_adds(&s, ",\"merges\":\"");
	for (i = 0; i < t->nmerges; i++) {
		if (i)
			str_addc(&s, ',');
		add_number(&s, t->merges[i].left);
		str_addc(&s, ' ');
		add_number(&s, t->merges[i].right);
	}
	str_adds(&s, "\"}");
	return str_detach(&s);
}

/* ---- in ---- */

static int bad(struct err *e, const char *what)
{
	return err_set(e, ERR_FORMAT, "tokenizer: %s", what);
}

/* v has room for max; the strings stay the JSON's */
static int read_strings(const json_t *root, const char *key, const char **v, size_t max, size_t *n,
                        struct err *e)
{
	const json_t *list = json_object_get(root, key);
	size_t i;

	if (!json_is_array(list))
		return err_set(e, ERR_FORMAT, "tokenizer: \"%s\" is not a list of names", key);
	*n = json_array_size(list);
	if (*n > max)
		return err_set(e, ERR_FORMAT, "tokenizer: %zu \"%s\", at most %zu are possible", *n, key, max);
	for (i = 0; i < *n; i++)
		if (!(v[i] = json_string_value(json_array_get(list, i))))
			return err_set(e, ERR_FORMAT, "tokenizer: \"%s\" holds something that is not a name", key);
	return 0;
}

/* One decimal number below TOKENIZER_MAX_VOCAB at *s, which moves behind it; -1: there is none. */
static int32_t read_id(const char **s, const char *end)
{
	const char *start = *s;
	int32_t id = 0;

	while (*s < end && tokenizer_byte_is_digit((unsigned char)**s)) {
		id = id * 10 + (*(*s)++ - '0');
		if (id >= TOKENIZER_MAX_VOCAB)
			return -1;
	}
	return *s == start ? -1 : id;
}

/* "LEFT RIGHT" at *s, which moves behind it. */
static bool read_pair(const char **s, const char *end, struct tokenizer_merge *m)
{
	int32_t left = read_id(s, end), right;

	if (left < 0 || *s == end || *(*s)++ != ' ' || (right = read_id(s, end)) < 0)
		return false;
	m->left = (uint16_t)left;
	m->right = (uint16_t)right;
	return true;
}

/* Exactly n pairs with commas between them. */
static int read_merges(const char *s, size_t len, struct tokenizer_merge *m, size_t n, struct err *e)
{
	const char *end = s + len;
	size_t i;

	for (i = 0; i < n; i++) {
		if (s == end)
			return bad(e, "fewer merges than \"vocab\" says");
		if ((i > 0 && *s++ != ',') || !read_pair(&s, end, &m[i]))
			return err_set(e, ERR_FORMAT, "tokenizer: merge %zu is not two ids below %d", i + 1,
			               TOKENIZER_MAX_VOCAB);
	}
	return s == end ? 0 : bad(e, "more in \"merges\" than \"vocab\" says");
}

static int from_object(const json_t *root, struct tokenizer **out, struct err *e)
{
	const char *type = json_string_value(json_object_get(root, "type"));
	const json_t *vocab = json_object_get(root, "vocab"), *list = json_object_get(root, "merges");
	const char *tags[TOKENIZER_MAX_TAGS], *types[TOKENIZER_MAX_TYPES];
	struct tokenizer_merge *merges;
	size_t ntags, ntypes, base, n;
	int r;

	if (!type || strcmp(type, format_name))
		return err_set(e, ERR_FORMAT, "tokenizer: \"type\" is not \"%s\"; this may be from another "
		               "version of the program", format_name);
	if ((r = read_strings(root, "tags", tags, TOKENIZER_MAX_TAGS, &ntags, e)) < 0 ||
	    (r = read_strings(root, "types", types, TOKENIZER_MAX_TYPES, &ntypes, e)) < 0)
		return r;
	base = tokenizer_controls(ntypes) + 256;
	if (!json_is_integer(vocab) || json_integer_value(vocab) < (json_int_t)base ||
	    json_integer_value(vocab) > TOKENIZER_MAX_VOCAB)
		return err_set(e, ERR_FORMAT, "tokenizer: \"vocab\" is not a number from %zu to %d", base,
		               TOKENIZER_MAX_VOCAB);
	if (!json_is_string(list))
		return bad(e, "\"merges\" is not a string of pairs");
	n = (size_t)json_integer_value(vocab) - base;
	merges = xmalloc((n + 1) * sizeof(*merges));
	r = read_merges(json_string_value(list), json_string_length(list), merges, n, e);
	if (r == 0)
		r = tokenizer_build(tags, ntags, types, ntypes, merges, n, out, e);
	free(merges);
	return r;
}

int tokenizer_from_json(const char *json, size_t len, struct tokenizer **out, struct err *e)
{
	json_error_t je;
	json_t *root;
	int r;

	*out = NULL;
	if (len > MAX_JSON)
		return bad(e, "more than 4 MiB of JSON");
	/* jansson bounds the depth of nesting itself */
	root = json_loadb(json, len, JSON_REJECT_DUPLICATES, &je);
	if (!root)
		return err_set(e, ERR_FORMAT, "tokenizer: not JSON: %s (line %d, column %d)", je.text, je.line,
		               je.column);
	r = json_is_object(root) ? from_object(root, out, e) : bad(e, "not a JSON object");
	json_decref(root);
	return r;
}
