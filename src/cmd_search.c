/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cmd_search: full text over everything that was said. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/str.h"
#include "commands.h"
#include "store.h"

static const struct cli_option options[] = {
	{ "limit", 'n', "N", CLI_LONG, "hits, newest first (default 20)", 1, 1e6 },
	CLI_OPTION_JSON,
	CLI_OPTION_END
};

static void iso(int64_t ms, char out[32])
{
	time_t t = (time_t)(ms / 1000);
	struct tm tm;

	localtime_r(&t, &tm);
	strftime(out, 32, "%Y-%m-%d %H:%M", &tm);
}

static bool as_json(const struct store_hit *h, void *arg)
{
	json_t *o = json_pack("{s:I, s:I, s:I, s:s, s:s, s:s, s:s, s:s}", "conversation", (json_int_t)h->conversation,
	                      "message", (json_int_t)h->message, "time", (json_int_t)h->created, "role", h->role,
	                      "origin", h->origin, "case", h->case_id, "customer", h->customer, "content", h->content);
	char *text = json_dumps(o, JSON_COMPACT);

	puts(text);
	free(text);
	json_decref(o);
	++*(size_t *)arg;
	return true;
}

static bool as_text(const struct store_hit *h, void *arg)
{
	char when[32];

	iso(h->created, when);
	printf("%6lld  %s  %-9s ", (long long)h->conversation, when, h->role);
	for (const char *p = h->snippet; *p; p++) {
		if (*p == '\x02' || *p == '\x03')
			putchar('*');
		else
			putchar((unsigned char)*p < 0x20 || *p == 0x7f ? ' ' : *p);
	}
	putchar('\n');
	++*(size_t *)arg;
	return true;
}

static int run(struct cli_args *a)
{
	struct str query = STR_INIT;
	struct err e = ERR_INIT;
	struct store *s;
	size_t hits = 0;
	int rc;

	if (a->n == 0)
		return cli_usage(a, "say what to look for");
	for (size_t i = 0; i < a->n; i++)
		str_addf(&query, "%s%s", i ? " " : "", a->operands[i]);
	str_addc(&query, ' ');      /* whole words: nobody is typing */
	rc = store_open(&s, NULL, STORE_READ_ONLY, &e);
	if (rc == 0)
		rc = store_search(s, query.s, (size_t)cli_long(a, "limit", 20), 0, cli_flag(a, "json") ? as_json : as_text,
		                  &hits, &e);
	store_close(s);
	str_free(&query);
	if (rc < 0)
		return cli_failed(&e);
	if (hits == 0 && !cli_flag(a, "json"))
		fprintf(stderr, "nothing found\n");
	return CLI_OK;
}

const struct cli_command cmd_search = {
	"search", "find what was said, newest first", "[OPTION...] WORDS...", options, run,
	"Filters: from:user|assistant|CUSTOMER tag:T after:2026-01-31 before:2026-02-28 origin:O case:ID. \"Words in\n"
	"quotes\" stand together; a word that ends in * is a beginning."
};
