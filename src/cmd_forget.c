/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cmd_forget: `forget conversation|customer|phrase`. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd_model.h"
#include "commands.h"
#include "config.h"
#include "engine.h"
#include "forget.h"
#include "registry.h"
#include "retrain.h"

static const struct cli_option options[] = {
	{ "yes", 'y', NULL, CLI_FLAG, "do not ask", 0, 0 },
	{ "retrain", 0, NULL, CLI_FLAG, "when the serving model learned from it: back to base, then retrain on what is left", 0, 0 },
	CLI_OPTION_MODEL,
	ENGINE_OPTION_COMPANY,
	CLI_OPTION_JSON,
	CLI_OPTION_END
};

static bool ask(const char *question)
{
	char line[16] = "";

	fprintf(stderr, "%s [y/N] ", question);
	fflush(stderr);
	return fgets(line, sizeof(line), stdin) && (line[0] == 'y' || line[0] == 'Y');
}

/* What exactly is meant, and what would go. */
static int look_up(struct store_forget *f, struct store_forgotten *would, struct err *e)
{
	struct store *s;
	int rc = store_open(&s, NULL, STORE_READ_WRITE, e);

	if (rc == 0 && f->kind == STORE_FORGET_CONVERSATION) {
		struct store_conversation c;

		rc = store_conversation_get(s, f->conversation, &c, e);
		f->created = c.created;
		store_conversation_free(&c);
	}
	if (rc == 0)
		rc = store_forget(s, f, false, would, e);
	store_close(s);
	return rc;
}

static void print_json(const struct forget_result *r)
{
	json_t *models = json_array(), *holding = json_array(), *o;
	char *text;

	for (const char *p = r->models.s; *p; p += strcspn(p, "\n") + 1)
		json_array_append_new(models, json_stringn(p, strcspn(p, "\n")));
	for (const char *p = r->holding.s; *p; p += strcspn(p, "\n") + 1) {
		const size_t n = strcspn(p, "\n"), cut = (size_t)(strstr(p, ": ") - p);

		json_array_append_new(holding, json_pack("{s:o, s:o}", "file", json_stringn_nocheck(p, cut), "why",
		                                         json_stringn(p + cut + 2, n - cut - 2)));
	}
	o = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:s?, s:o}",
		"conversations", (json_int_t)r->kept.conversations, "messages", (json_int_t)r->kept.messages,
		"examples", (json_int_t)r->kept.examples, "suggestions", (json_int_t)r->kept.suggestions,
		"drafts", (json_int_t)r->kept.drafts, "canned", (json_int_t)r->kept.canned, "fields", (json_int_t)r->kept.fields,
		"copies", (json_int_t)r->copies, "copied_messages", (json_int_t)r->copied, "lines", (json_int_t)r->lines,
		"mentions", (json_int_t)r->mentions, "models", models, "serving", r->serving, "holding", holding);
	text = json_dumps(o, JSON_COMPACT);
	puts(text ? text : "{}");
	free(text);
	json_decref(o);
}

static void print(const struct forget_result *r)
{
	const struct store_forgotten *k = &r->kept;

	printf("forgotten: %lld conversations, %lld messages, %lld examples, %lld suggestions, %lld drafts, %lld canned replies, "
	       "%lld fields, %lld lines\n", (long long)k->conversations, (long long)k->messages, (long long)k->examples,
	       (long long)k->suggestions, (long long)k->drafts, (long long)k->canned, (long long)k->fields, (long long)r->lines);
	if (r->copies)
		printf("copies cleaned: %zu (%lld messages)\n", r->copies, (long long)r->copied);
}

static void remarks(const struct forget_result *r)
{
	if (r->mentions)
		fprintf(stderr, "the name still stands in %lld messages of others: answerback forget phrase takes those too\n",
		        (long long)r->mentions);
	for (const char *p = r->holding.s; *p; p += strcspn(p, "\n") + 1)
		fprintf(stderr, "not clean: %.*s\n", (int)strcspn(p, "\n"), p);
	for (const char *p = r->models.s; *p; p += strcspn(p, "\n") + 1)
		fprintf(stderr, "%.*s learned from something that was forgotten\n", (int)strcspn(p, "\n"), p);
}

/* From the base, which has seen nothing of it: retraining what has learned it would not unlearn it. */
static int unlearn(const struct cli_args *a, struct err *e)
{
	struct retrain_options o;
	struct retrain_result r;
	struct registry *reg = NULL;
	int rc = registry_open(&reg, NULL, NULL, e);

	if (rc == 0)
		rc = registry_promote(reg, REGISTRY_BASE, "promoted", e);
	registry_close(reg);
	if (rc < 0)
		return rc;
	cmd_model_audit("promoted", REGISTRY_BASE);
	fprintf(stderr, "base serves; retraining on what is left (C-c stops it)\n");
	retrain_defaults(&o);
	o.model = cli_string(a, "model", NULL);
	o.company = config_text(CONFIG_COMPANY);
	rc = retrain(&o, &r, e);
	if (rc == 0)
		fprintf(stderr, r.nothing ? "no approved example is left: base goes on serving\n" :
		        r.published ? "published %s\n" : "not published: the gate did not pass it%s\n", r.model);
	return rc;
}

static int run(struct cli_args *a)
{
	static const char *const kinds[] = { "conversation", "customer", "phrase" };
	const bool terminal = isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
	struct store_forget f = { .kind = STORE_FORGET_PHRASE };
	struct store_forgotten would;
	struct forget_result r;
	struct err e = ERR_INIT;
	size_t kind = 0;
	char *end;
	int code = CLI_OK;

	while (a->n == 2 && kind < 3 && strcmp(a->operands[0], kinds[kind]) != 0)
		kind++;
	if (a->n != 2 || kind == 3)
		return cli_usage(a, "say conversation ID, customer NAME or phrase TEXT");
	f.kind = (enum store_forget_kind)kind;
	f.text = a->operands[1];
	if (kind == 0) {
		f.conversation = strtoll(f.text, &end, 10);
		if (*end || f.conversation < 1)
			return cli_usage(a, "'%s' is no conversation's number: answerback search shows them", f.text);
	}
	if (look_up(&f, &would, &e) < 0)
		return cli_failed(&e);
	if (!cli_flag(a, "yes")) {
		if (!terminal)
			return cli_usage(a, "nobody is there to be asked: --yes forgets %lld messages for good", (long long)would.messages);
		fprintf(stderr, "%lld conversations, %lld messages, %lld examples, %lld other entries; and in the copies of the database.\n",
		        (long long)would.conversations, (long long)would.messages, (long long)would.examples,
		        (long long)(would.suggestions + would.drafts + would.canned + would.fields));
		if (!ask("Forget them for good?")) {
			fprintf(stderr, "nothing was changed\n");
			return CLI_OK;
		}
	}
	if (forget_all(&f, NULL, cli_string(a, "model", NULL), config_text(CONFIG_COMPANY), &r, &e) < 0) {
		forget_result_free(&r);
		return cli_failed(&e);
	}
	if (cli_flag(a, "json"))
		print_json(&r);
	else
		print(&r);
	remarks(&r);
	if (kind == STORE_FORGET_PHRASE && r.holding.len)
		code = CLI_ERROR;
	if (r.serving && (cli_flag(a, "retrain") || (terminal && !cli_flag(a, "yes") &&
	                  ask("Go back to base and retrain on what is left, now?")))) {
		if (unlearn(a, &e) < 0)
			code = cli_failed(&e);
	} else if (r.serving) {
		fprintf(stderr, "%s serves: answerback model promote base, then answerback retrain, learns what is left without it\n",
		        r.serving);
	}
	forget_result_free(&r);
	return code;
}

const struct cli_command cmd_forget = {
	"forget", "take something out of everything that is kept, for good",
	"[OPTION...] conversation ID | customer NAME | phrase TEXT", options, run,
	"Out of the database and its log, the copies that backup, restore and db migrate made, the counts behind ghost\n"
	"text, lines typed and drafts. A phrase takes every message that holds it, in any letter case. What still holds it is\n"
	"named (exit 1). No other answerback may have the history open."
};
