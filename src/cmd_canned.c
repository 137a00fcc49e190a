/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cmd_canned: `canned list|show|set|remove|import`. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "canned.h"
#include "commands.h"

static const struct cli_option options[] = {
	{ "own", 0, NULL, CLI_FLAG, "with list: not those that come with the program", 0, 0 },
	CLI_OPTION_JSON,
	CLI_OPTION_END
};

static void print_json(const struct canned *c)
{
	json_t *fields = json_array(), *o;
	size_t at = 0, n;
	const char *f;
	char *text;

	while ((f = canned_field(c->text, &at, &n)))
		json_array_append_new(fields, json_stringn(f, n));
	o = json_pack("{s:s, s:s, s:b, s:o}", "name", c->name, "text", c->text, "own", c->own, "fields", fields);
	text = json_dumps(o, JSON_COMPACT);
	puts(text ? text : "{}");
	free(text);
	json_decref(o);
}

static int list(struct cli_args *a, const struct canned_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		if (cli_flag(a, "own") && !l->v[i].own)
			continue;
		if (cli_flag(a, "json")) {
			print_json(&l->v[i]);
			continue;
		}
		printf("%-20s %c ", l->v[i].name, l->v[i].own ? '*' : ' ');
		for (const char *p = l->v[i].text; *p; p++)      /* one line each */
			putchar((unsigned char)*p < 0x20 || *p == 0x7f ? ' ' : *p);
		putchar('\n');
	}
	return CLI_OK;
}

/* Exact: it is meant for a pipe. */
static int show(struct cli_args *a, const struct canned_list *l, struct err *e)
{
	const struct canned *c = canned_find(l, a->operands[1]);

	if (!c)
		return err_set(e, ERR_NOTFOUND, "there is no canned reply '%.60s': answerback canned list shows them", a->operands[1]);
	if (cli_flag(a, "json"))
		print_json(c);
	else
		puts(c->text);
	return 0;
}

static int drop(struct store *s, const struct canned_list *l, const char *name, struct err *e)
{
	const struct canned *c = canned_find(l, name);

	if (c && !c->own)
		return err_set(e, ERR_USAGE, "'%.60s' comes with the program: it stays, but one of your own with that name takes its place",
		               name);
	return store_canned_set(s, name, NULL, e);
}

static int run(struct cli_args *a)
{
	static const struct {
		const char *name;
		size_t operands;
		bool writes;
	} what[] = { { "list", 1, false }, { "show", 2, false }, { "set", 3, true }, { "remove", 2, true }, { "import", 2, true } };
	struct canned_list l = { 0 };
	struct err e = ERR_INIT;
	struct store *s = NULL;
	size_t w = a->n == 0 ? 0 : 5;
	int rc = 0;

	for (size_t i = 0; a->n > 0 && i < 5; i++)
		if (strcmp(a->operands[0], what[i].name) == 0)
			w = i;
	if (w == 5 || (a->n > 0 && a->n != what[w].operands))
		return cli_usage(a, "say list, show NAME, set NAME TEXT, remove NAME or import FILE");
	rc = store_open(&s, NULL, what[w].writes ? STORE_READ_WRITE : STORE_READ_ONLY, &e);
	if (rc == ERR_NOTFOUND && !what[w].writes) {      /* nothing is kept yet: there are still those of the program */
		e = (struct err)ERR_INIT;
		rc = 0;
	}
	if (rc == 0)
		rc = canned_load(&l, s, &e);
	if (rc == 0) {
		switch (w) {
		case 0:
			rc = list(a, &l);
			break;
		case 1:
			rc = show(a, &l, &e);
			break;
		case 2:
			rc = canned_set(s, a->operands[1], a->operands[2], &e);
			break;
		case 3:
			rc = drop(s, &l, a->operands[1], &e);
			break;
		default:
			rc = canned_import(s, a->operands[1], &e);
			if (rc >= 0)
				fprintf(stderr, "%d canned replies\n", rc);
		}
	}
	canned_free(&l);
	store_close(s);
	return rc < 0 ? cli_failed(&e) : CLI_OK;
}

const struct cli_command cmd_canned = {
	"canned", "replies that are ready", "[list [--own] | show NAME | set NAME TEXT | remove NAME | import FILE]", options, run,
	"In a text {order}, {name} and the like are fields, left to be filled before it is sent. Those of your own are\n"
	"marked with a star; one with the name of one that comes with the program takes its place. A file to import has lines\n"
	"{\"name\": \"...\", \"text\": \"...\"}, and is taken whole or not at all."
};
