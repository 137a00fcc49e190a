/* SPDX-License-Identifier: GPL-3.0-or-later */
/* canned: two lists into one. */
#include "canned.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "paths.h"

static void put(struct canned_list *l, const char *name, const char *text, bool own)
{
	for (size_t i = 0; i < l->n; i++) {
		if (strcmp(l->v[i].name, name) == 0) {
			free(l->v[i].text);
			l->v[i].text = xstrdup(text);
			l->v[i].own = own;
			return;
		}
	}
	l->v = xreallocarray(l->v, l->n + 1, sizeof(*l->v));
	l->v[l->n++] = (struct canned){ xstrdup(name), xstrdup(text), own };
}

static bool put_own(const char *name, const char *text, void *arg)
{
	put(arg, name, text, true);
	return true;
}

static int check(const char *name, const char *text, struct err *e)
{
	const size_t n = strlen(name);

	if (n == 0 || n > 60 || strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") != n)
		return err_set(e, ERR_USAGE, "'%.60s' is no name: one word of letters, digits, - _ and ., at most 60", name);
	if (strspn(text, " \t\r\n") == strlen(text))
		return err_set(e, ERR_USAGE, "a canned reply of no words");
	return 0;
}

/* Calls back for each line of a file; stops at the first that is not one. */
static int read_lines(const char *path, int (*each)(const char *name, const char *text, void *arg, struct err *e), void *arg,
                      struct err *e)
{
	FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
	struct str line = STR_INIT;
	int n = 0, number = 0, rc = 0;

	if (!f)
		return err_set(e, errno == ENOENT ? ERR_NOTFOUND : ERR_IO, "%s cannot be read: %m", path);
	while (rc == 0 && str_readline(&line, f)) {
		json_error_t je;
		json_t *o;
		const char *name, *text;

		number++;
		if (strspn(line.s, " \t\r") == line.len)
			continue;
		o = json_loadb(line.s, line.len, 0, &je);
		name = json_string_value(json_object_get(o, "name"));
		text = json_string_value(json_object_get(o, "text"));
		if (!o)
			rc = err_set(e, ERR_FORMAT, "%s:%d: no JSON: %s", path, number, je.text);
		else if (!name || !text)
			rc = err_set(e, ERR_FORMAT, "%s:%d: a line is {\"name\": \"...\", \"text\": \"...\"}", path, number);
		else if ((rc = each(name, text, arg, e)) < 0)
			err_prefix(e, "%s:%d", path, number);
		n += rc == 0;
		json_decref(o);
	}
	if (rc == 0 && ferror(f))
		rc = err_set(e, ERR_IO, "%s cannot be read", path);
	str_free(&line);
	if (f != stdin)
		fclose(f);
	return rc < 0 ? rc : n;
}

static int put_shipped(const char *name, const char *text, void *arg, struct err *e)
{
	(void)e;
	put(arg, name, text, false);
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct canned *)a)->name, ((const struct canned *)b)->name);
}

int canned_load(struct canned_list *l, struct store *s, struct err *e)
{
	char *path;
	int rc = 0;

	*l = (struct canned_list){ 0 };
	if (paths_shipped("canned.jsonl", &path, NULL) == ERR_NONE) {
		rc = read_lines(path, put_shipped, l, e);
		free(path);
	}
	if (rc >= 0 && s)
		rc = store_canned(s, put_own, l, e);
	if (rc < 0) {
		canned_free(l);
		return rc;
	}
	if (l->n)
		qsort(l->v, l->n, sizeof(*l->v), by_name);
	return 0;
}

void canned_free(struct canned_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].name);
		free(l->v[i].text);
	}
	free(l->v);
	*l = (struct canned_list){ 0 };
}

const struct canned *canned_find(const struct canned_list *l, const char *name)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->v[i].name, name) == 0)
			return &l->v[i];
	return NULL;
}

const char *canned_field(const char *text, size_t *at, size_t *n)
{
	while (text[*at]) {
		const char *open = strchr(text + *at, '{');
		size_t len;

		if (!open)
			break;
		len = strspn(open + 1, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");
		*at = (size_t)(open - text) + 1;
		if (len > 0 && open[1 + len] == '}') {
			*at += len + 1;
			*n = len;
			return open + 1;
		}
	}
	return NULL;
}

int canned_set(struct store *s, const char *name, const char *text, struct err *e)
{
	int rc = check(name, text, e);

	return rc < 0 ? rc : store_canned_set(s, name, text, e);
}

static int keep(const char *name, const char *text, void *arg, struct err *e)
{
	return canned_set(arg, name, text, e);
}

int canned_import(struct store *s, const char *path, struct err *e)
{
	int rc = store_begin(s, e), n;

	if (rc < 0)
		return rc;
	n = read_lines(path, keep, s, e);
	if (n < 0) {
		store_abandon(s);
		return n;
	}
	rc = store_commit(s, e);
	return rc < 0 ? rc : n;
}
