/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gate_golden: pinned messages and what their replies must hold, read from a file. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "gate.h"

static void words_free(char **w)
{
	for (char **p = w; w && *p; p++)
		free(*p);
	free(w);
}

void gate_golden_free(struct gate_golden *rules, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		words_free(rules[i].must);
		words_free(rules[i].must_not);
	}
	free(rules);
}

/* NULL: not an array of texts. */
static char **words(const json_t *o, const char *key)
{
	const json_t *a = json_object_get(o, key);
	char **w;

	if (a && !json_is_array(a))
		return NULL;
	w = xcalloc(json_array_size(a) + 1, sizeof(*w));
	for (size_t i = 0; i < json_array_size(a); i++) {
		const char *s = json_string_value(json_array_get(a, i));

		if (!s || !*s) {
			words_free(w);
			return NULL;
		}
		w[i] = xstrdup(s);
	}
	return w;
}

int gate_golden_read(const char *path, struct corpus *golden, struct gate_golden **rules, struct err *e)
{
	FILE *f = fopen(path, "r");
	struct str line = STR_INIT, where = STR_INIT;
	size_t number = 0;
	int rc = 0;

	*rules = NULL;
	if (!f)
		return errno == ENOENT ? 0 : err_set(e, ERR_IO, "%s cannot be read: %m", path);
	while (rc == 0 && str_readline(&line, f)) {
		const struct chatfile_opts o = { .strict = true };
		struct chatfile_counts counts = { 0 };
		struct gate_golden g = { 0 };
		struct chat c = { 0 };
		json_t *j;

		number++;
		if (line.len == 0)
			continue;
		str_reset(&where);
		str_addf(&where, "%s:%zu", path, number);
		if ((rc = chat_from_json(line.s, line.len, where.s, &o, &c, &counts, e)) < 0)
			break;
		j = json_loadb(line.s, line.len, 0, NULL);
		g.must = words(j, "must");
		g.must_not = words(j, "must_not");
		json_decref(j);
		if (!g.must || !g.must_not || c.n == 0) {
			rc = err_set(e, ERR_FORMAT, "%s: a golden message wants \"messages\", and \"must\" and \"must_not\" as lists "
			             "of texts", where.s);
			words_free(g.must);
			words_free(g.must_not);
			chat_free(&c);
			break;
		}
		*rules = xreallocarray(*rules, golden->n + 1, sizeof(**rules));
		(*rules)[golden->n] = g;
		golden->chat = xreallocarray(golden->chat, golden->n + 1, sizeof(*golden->chat));
		golden->chat[golden->n++] = c;
		golden->cap = golden->n;
	}
	fclose(f);
	str_free(&line);
	str_free(&where);
	return rc < 0 ? rc : 0;
}
