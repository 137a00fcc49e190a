/* SPDX-License-Identifier: GPL-3.0-or-later */
/* eval_facts: reading the facts, asking for them, counting. */
#include "eval_facts.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

static const char *const kinds[] = { "taught", "unseen", "lookalike" };
enum { TAUGHT, UNSEEN, LOOKALIKE, KINDS };

/* One line, checked: everything read later is there and is text. */
static json_t *fact_of(const char *line, size_t len, const char *path, size_t number, struct err *e)
{
	json_error_t je;
	json_t *o = json_loadb(line, len, JSON_REJECT_DUPLICATES, &je);
	const char *wrong = NULL;

	if (!o)
		return err_set(e, ERR_FORMAT, "%s:%zu: %s", path, number, je.text), NULL;
	if (!json_string_value(json_object_get(o, "answer")))
		wrong = "answer";
	for (size_t k = 0; k <= KINDS; k++) {
		const char *key = k < KINDS ? kinds[k] : "must";
		const json_t *a = json_object_get(o, key);

		if (!json_is_array(a) || (k == KINDS && json_array_size(a) == 0))
			wrong = key;
		for (size_t i = 0; i < json_array_size(a); i++)
			if (!json_string_value(json_array_get(a, i)))
				wrong = key;
	}
	if (wrong) {
		err_set(e, ERR_FORMAT, "%s:%zu: a fact wants \"answer\", a text, and \"must\", \"taught\", \"unseen\" and \"lookalike\", "
		        "lists of texts; \"%s\" is not so", path, number, wrong);
		json_decref(o);
		return NULL;
	}
	return o;
}

static json_t *facts_read(const char *path, struct err *e)
{
	FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
	struct str line = STR_INIT;
	json_t *facts = json_array(), *o;

	if (!f) {
		err_set(e, ERR_IO, "%s cannot be read: %s", path, strerror(errno));
		json_decref(facts);
		return NULL;
	}
	for (size_t number = 1; facts && str_readline(&line, f); number++) {
		if (line.len == 0)
			continue;
		if ((o = fact_of(line.s, line.len, path, number, e))) {
			json_array_append_new(facts, o);
			continue;
		}
		json_decref(facts);
		facts = NULL;
	}
	if (f != stdin)
		fclose(f);
	str_free(&line);
	return facts;
}

static int write_taught(const json_t *facts, const char *path)
{
	struct err e = ERR_INIT;
	FILE *f = fopen(path, "w");

	for (size_t i = 0; f && i < json_array_size(facts); i++) {
		const json_t *fact = json_array_get(facts, i), *asked = json_object_get(fact, kinds[TAUGHT]);

		for (size_t k = 0; k < json_array_size(asked); k++) {
			json_t *o = json_pack("{s:[{s:s,s:O},{s:s,s:O}]}", "messages", "role", "user", "content", json_array_get(asked, k),
			                      "role", "assistant", "content", json_object_get(fact, "answer"));

			json_dumpf(o, f, JSON_COMPACT);
			fputc('\n', f);
			json_decref(o);
		}
	}
	if (!f || fclose(f) != 0) {
		err_set(&e, ERR_IO, "%s cannot be written: %s", path, strerror(errno));
		return cli_failed(&e);
	}
	return CLI_OK;
}

static bool has_all(const char *text, const json_t *fact)
{
	const json_t *must = json_object_get(fact, "must");

	for (size_t i = 0; i < json_array_size(must); i++)
		if (!strcasestr(text, json_string_value(json_array_get(must, i))))
			return false;
	return true;
}

static bool leaks(const char *text, const json_t *facts)
{
	for (size_t i = 0; i < json_array_size(facts); i++) {
		const json_t *fact = json_array_get(facts, i);

		if (has_all(text, fact) || strcmp(text, json_string_value(json_object_get(fact, "answer"))) == 0)
			return true;
	}
	return false;
}

static int ask(struct engine *en, const char *question, struct talk_reply *r, struct err *e)
{
	struct talk *t = talk_new(en->m, en->company);
	int rc = talk_add(t, en->from, question, strlen(question), e);

	if (rc == 0)
		rc = talk_reply(t, en->as, &en->opts, r, e);
	talk_free(t);
	return rc;
}

struct tally {
	size_t asked[KINDS], hit[KINDS];      /* hit: right, or leaked */
};

static int ask_all(struct engine *en, const json_t *facts, bool verbose, struct tally *n, struct err *e)
{
	for (size_t i = 0; i < json_array_size(facts); i++) {
		const json_t *fact = json_array_get(facts, i);

		for (size_t k = 0; k < KINDS; k++) {
			const json_t *asked = json_object_get(fact, kinds[k]);

			for (size_t j = 0; j < json_array_size(asked); j++) {
				const char *question = json_string_value(json_array_get(asked, j));
				struct talk_reply r;
				bool hit;

				if (ask(en, question, &r, e) < 0)
					return ERR_USAGE;
				hit = k == LOOKALIKE ? leaks(r.text.s, facts) : has_all(r.text.s, fact);
				n->asked[k]++;
				n->hit[k] += hit;
				if (verbose)
					fprintf(stderr, "%-9s %s  %s -> %s\n", kinds[k], hit == (k != LOOKALIKE) ? "ok " : "BAD", question, r.text.s);
				talk_reply_free(&r);
			}
		}
	}
	return 0;
}

static double share(const struct tally *n, size_t k)
{
	return n->asked[k] ? (double)n->hit[k] / (double)n->asked[k] : 0;
}

int eval_facts(struct cli_args *a, struct engine *en)
{
	struct err e = ERR_INIT;
	struct tally n = { 0 };
	json_t *facts;
	int code = CLI_OK;

	if (a->n != 1)
		return cli_usage(a, "--facts takes one FILE");
	talk_opts_best(&en->opts);      /* as people get them */
	if (!(facts = facts_read(a->operands[0], &e)))
		return cli_failed(&e);
	if (cli_given(a, "taught")) {
		code = write_taught(facts, cli_string(a, "taught", NULL));
	} else if (ask_all(en, facts, cli_flag(a, "verbose"), &n, &e) < 0) {
		code = cli_failed(&e);
	} else if (cli_flag(a, "json")) {
		json_t *o = json_pack("{s:I, s:f, s:f, s:f, s:{s:I, s:I, s:I}}", "facts", (json_int_t)json_array_size(facts), "taught",
		                      share(&n, TAUGHT), "unseen", share(&n, UNSEEN), "leaked", share(&n, LOOKALIKE), "counts",
		                      "taught", (json_int_t)n.asked[TAUGHT], "unseen", (json_int_t)n.asked[UNSEEN], "lookalike",
		                      (json_int_t)n.asked[LOOKALIKE]);

		json_dumpf(o, stdout, JSON_REAL_PRECISION(5));
		putchar('\n');
		json_decref(o);
	} else {
		printf("taught wordings right     %zu of %zu (%.1f %%)\nunseen wordings right     %zu of %zu (%.1f %%)\n"
		       "leaked into look-alikes   %zu of %zu (%.1f %%)\n", n.hit[TAUGHT], n.asked[TAUGHT], 100 * share(&n, TAUGHT),
		       n.hit[UNSEEN], n.asked[UNSEEN], 100 * share(&n, UNSEEN), n.hit[LOOKALIKE], n.asked[LOOKALIKE],
		       100 * share(&n, LOOKALIKE));
	}
	json_decref(facts);
	return code;
}
