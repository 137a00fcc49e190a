/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cmd_learn: `teach`, `review` and `retrain`. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "commands.h"
#include "config.h"
#include "redact.h"
#include "retrain.h"
#include "store.h"

/* ---- teach ---- */

static const struct cli_option teach_options[] = {
	{ "jsonl", 0, "FILE", CLI_STRING, "conversations; each last turn of the assistant is an approved answer", 0, 0 },
	{ "company", 0, "NAME", CLI_STRING, "what the company is called (default: the setting company)", 0, 0 },
	CLI_OPTION_END
};

static char *json_text(const char *text)
{
	json_t *j = json_string(text);
	char *out = j ? json_dumps(j, JSON_ENCODE_ANY) : NULL, *copy = xstrdup(out ? out : "\"\"");

	free(out);
	json_decref(j);
	return copy;
}

/* One approved example out of a conversation that ends with the answer. */
static int teach_chat(struct store *s, const struct chat *c, const char *company, struct err *e)
{
	struct redact_map *map = redact_map_new(c->company ? c->company : company);
	struct str chat = STR_INIT, question = STR_INIT, answer = STR_INIT;
	struct store_example x;
	int rc;

	str_adds(&chat, "{\"messages\": [");
	for (size_t i = 0; i < c->n; i++) {
		struct str text = STR_INIT;
		char *json;

		redact_text(map, c->messages[i].content, c->messages[i].len, &text);
		json = json_text(text.s);
		str_addf(&chat, "%s{\"role\": \"%s\", \"content\": %s}", i ? ", " : "", c->messages[i].role, json);
		if (i + 1 == c->n)
			str_adds(&answer, text.s);
		else if (strcmp(c->messages[i].role, "user") == 0) {
			str_reset(&question);
			str_adds(&question, text.s);
		}
		free(json);
		str_free(&text);
	}
	str_adds(&chat, "]}");
	x = (struct store_example){
		.chat = chat.s, .question = question.s, .answer = answer.s, .suggested = (char *)(uintptr_t)"",
		.state = (char *)(uintptr_t)"approved", .origin = (char *)(uintptr_t)"taught", .flags = (char *)(uintptr_t)"", .weight = 1,
	};
	rc = store_example_add(s, &x, e);
	str_free(&chat);
	str_free(&question);
	str_free(&answer);
	redact_map_free(map);
	return rc;
}

static void warn(const char *message, void *arg)
{
	(void)arg;
	fprintf(stderr, "answerback: %s\n", message);
}

static int teach_file(struct store *s, const char *path, const char *company, size_t *taught, struct err *e)
{
	const struct chatfile_opts o = { .warn = warn };
	struct chatfile *f;
	struct chat c = { 0 };
	int rc = chatfile_open(&f, path, &o, e);

	if (rc < 0)
		return rc;
	rc = store_begin(s, e);
	while (rc == 0 && (rc = chatfile_next(f, &c, e)) == 1) {
		while (c.n > 0 && strcmp(c.messages[c.n - 1].role, "assistant") != 0)
			c.n--;      /* what follows the last answer is no question to it (freed below) */
		if (c.n < 2) {
			fprintf(stderr, "answerback: %s:%zu: no answer to a customer in it: left out\n", path, chatfile_line(f));
			rc = 0;
			continue;
		}
		rc = teach_chat(s, &c, company, e);
		*taught += rc == 0;
	}
	chat_free(&c);
	chatfile_close(f);
	if (rc == 0)
		return store_commit(s, e);
	store_abandon(s);
	return rc;
}

static int run_teach(struct cli_args *a)
{
	const char *file = cli_string(a, "jsonl", NULL), *company = config_text(CONFIG_COMPANY);
	struct err e = ERR_INIT;
	struct store *s;
	size_t taught = 0;
	int rc;

	if (file ? a->n != 0 : a->n != 2)
		return cli_usage(a, "give a QUESTION and an ANSWER, or --jsonl FILE");
	rc = store_open(&s, NULL, STORE_READ_WRITE, &e);
	if (rc == 0 && file) {
		rc = teach_file(s, file, company, &taught, &e);
	} else if (rc == 0) {
		struct chat c = { 0 };

		chat_add(&c, "user", a->operands[0], strlen(a->operands[0]), 1);
		chat_add(&c, "assistant", a->operands[1], strlen(a->operands[1]), 1);
		if (!*a->operands[0] || !*a->operands[1])
			rc = err_set(&e, ERR_USAGE, "a question and an answer of no words teach nothing");
		else
			rc = teach_chat(s, &c, company, &e);
		taught = rc == 0;
		chat_free(&c);
	}
	store_close(s);
	if (rc < 0)
		return cli_failed(&e);
	fprintf(stderr, "taught %zu; answered from memory at once, from the model after: answerback retrain\n", taught);
	return CLI_OK;
}

const struct cli_command cmd_teach = {
	"teach", "teach an answer", "QUESTION ANSWER | --jsonl FILE", teach_options, run_teach, NULL
};

/* ---- review ---- */

static const struct cli_option review_options[] = {
	{ "list", 0, NULL, CLI_FLAG, "what waits for a decision (--all: everything)", 0, 0 },
	{ "all", 0, NULL, CLI_FLAG, "with --list: approved and rejected ones too", 0, 0 },
	{ "accept", 0, "ID", CLI_LIST, "approve; may be repeated", 0, 0 },
	{ "reject", 0, "ID", CLI_LIST, "reject; may be repeated", 0, 0 },
	{ "edit", 0, "ID", CLI_LONG, "approve with another answer: the operand", 1, 9e15 },
	{ "undo", 0, NULL, CLI_FLAG, "take the last decision back", 0, 0 },
	CLI_OPTION_JSON,
	CLI_OPTION_END
};

struct listing {
	bool json, all;
	size_t n;
};

static bool list_one(const struct store_example *x, void *arg)
{
	struct listing *l = arg;
	json_t *o;
	char *text;

	if (!l->all && strcmp(x->state, "proposed") != 0)
		return true;
	l->n++;
	if (!l->json) {
		printf("%lld  %s  %s\n  customer:  %s\n", (long long)x->id, x->state, x->origin, x->question);
		if (*x->suggested)
			printf("  suggested: %s\n", x->suggested);
		printf("  sent:      %s\n", x->answer);
		return true;
	}
	o = json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:f}", "id", (json_int_t)x->id, "state", x->state, "origin", x->origin,
	              "question", x->question, "suggested", x->suggested, "answer", x->answer, "flags", x->flags, "weight", x->weight);
	text = json_dumps(o, JSON_COMPACT);
	puts(text);
	free(text);
	json_decref(o);
	return true;
}

static int decide(struct store *s, struct cli_args *a, const char *option, const char *state, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; i < cli_count(a, option) && rc == 0; i++) {
		char *end;
		long long id = strtoll(cli_nth(a, option, i), &end, 10);

		rc = *end || id < 1 ? err_set(e, ERR_USAGE, "'%s' is no example's number", cli_nth(a, option, i)) :
			store_example_decide(s, id, state, e);
	}
	return rc;
}

/* The last answer in the example's conversation becomes another. */
static int edit(struct store *s, int64_t id, const char *answer, struct err *e)
{
	struct redact_map *map = redact_map_new(NULL);
	struct store_example x;
	struct str clean = STR_INIT;
	json_t *o, *messages;
	char *text;
	int rc = store_example_get(s, id, &x, e);

	redact_text(map, answer, strlen(answer), &clean);
	redact_map_free(map);
	if (rc == 0) {
		o = json_loads(x.chat, 0, NULL);
		messages = json_object_get(o, "messages");
		json_object_set_new(json_array_get(messages, json_array_size(messages) - 1), "content", json_string(clean.s));
		text = o ? json_dumps(o, JSON_COMPACT) : NULL;
		rc = text ? store_example_edit(s, id, text, x.question, clean.s, e) : err_set(e, ERR_FORMAT, "example %lld is damaged", (long long)id);
		if (rc == 0)
			rc = store_example_decide(s, id, "approved", e);
		free(text);
		json_decref(o);
		store_example_free(&x);
	}
	str_free(&clean);
	return rc;
}

static int run_review(struct cli_args *a)
{
	struct listing l = { cli_flag(a, "json"), cli_flag(a, "all"), 0 };
	struct err e = ERR_INIT;
	struct store *s;
	int64_t id;
	int rc;

	if (cli_given(a, "edit") != (a->n == 1) || a->n > 1)
		return cli_usage(a, "--edit ID takes the answer that should have been sent as its operand");
	rc = store_open(&s, NULL, STORE_READ_WRITE, &e);
	if (rc == 0)
		rc = decide(s, a, "accept", "approved", &e);
	if (rc == 0)
		rc = decide(s, a, "reject", "rejected", &e);
	if (rc == 0 && cli_given(a, "edit"))
		rc = edit(s, cli_long(a, "edit", 0), a->operands[0], &e);
	if (rc == 0 && cli_flag(a, "undo") && (rc = store_example_undo(s, &id, &e)) == 0)
		fprintf(stderr, "example %lld is as it was\n", (long long)id);
	if (rc == 0 && (cli_flag(a, "list") || !(cli_given(a, "accept") || cli_given(a, "reject") || cli_given(a, "edit") || cli_flag(a, "undo")))) {
		rc = store_examples(s, NULL, list_one, &l, &e);
		if (rc == 0 && l.n == 0 && !l.json)
			fprintf(stderr, "nothing waits for a decision\n");
	}
	store_close(s);
	return rc < 0 ? cli_failed(&e) : CLI_OK;
}

const struct cli_command cmd_review = {
	"review", "decide what may be learned from", "[--list] [--accept ID] [--reject ID] [--edit ID ANSWER] [--undo]", review_options,
	run_review, NULL
};

/* ---- retrain ---- */

static const struct cli_option retrain_options[] = {
	CLI_OPTION_MODEL,
	{ "minutes", 0, "X", CLI_DOUBLE, "budget (default 10)", 0.01, 1e5 },
	{ "threads", 0, "N", CLI_LONG, "worker threads (default: processors)", 1, 256 },
	{ "replay", 0, "N", CLI_LONG, "dialogues replayed from the model itself (default 240)", 0, 100000 },
	{ "lr", 0, "X", CLI_DOUBLE, "peak learning rate (default 0.0003)", 1e-7, 1 },
	{ "pull", 0, "X", CLI_DOUBLE, "weight of staying what it was on the replay (default 3)", 0, 100 },
	{ "seed", 0, "N", CLI_LONG, "the same seed and examples give the same weights (default 1)", 0, 9e15 },
	{ "company", 0, "NAME", CLI_STRING, "what the company is called (default: the setting company)", 0, 0 },
	{ "log", 0, "FILE", CLI_STRING, "write progress as JSON lines (the screen's /watch shows it)", 0, 0 },
	CLI_OPTION_JSON,
	CLI_OPTION_END
};

static void show(const char *text, double share, void *arg)
{
	(void)arg;
	fprintf(stderr, "%3.0f%%  %s\n", 100 * share, text);
}

static void print_json(const struct retrain_result *r)
{
	json_t *gate = json_array(), *o;
	char *text;

	for (size_t i = 0; i < r->checks; i++)
		json_array_append_new(gate, json_pack("{s:s, s:f, s:f, s:b, s:I, s:s}", "name", r->gate[i].name, "value", r->gate[i].value,
		                                      "bound", r->gate[i].bound, "ok", r->gate[i].ok, "cases",
		                                      (json_int_t)r->gate[i].cases, "detail", r->gate[i].detail));
	o = json_pack("{s:b, s:o, s:s, s:I, s:I, s:I, s:f}", "published", r->published, "gate", gate, "model", r->model, "examples",
	              (json_int_t)r->examples, "replayed", (json_int_t)r->replayed, "steps", (json_int_t)r->steps, "seconds", r->seconds);
	text = json_dumps(o, JSON_REAL_PRECISION(6));
	puts(text ? text : "{}");
	free(text);
	json_decref(o);
}

static int run_retrain(struct cli_args *a)
{
	struct err e = ERR_INIT;
	struct retrain_options o;
	struct retrain_result r;

	if (a->n > 0)
		return cli_usage(a, "what is learned from is decided with `answerback review`, not given as '%s'", a->operands[0]);
	retrain_defaults(&o);
	o.model = cli_string(a, "model", NULL);
	o.minutes = cli_double(a, "minutes", o.minutes);
	o.threads = (size_t)cli_long(a, "threads", (long)o.threads);
	o.replay = (size_t)cli_long(a, "replay", (long)o.replay);
	o.lr = cli_double(a, "lr", o.lr);
	o.pull = cli_double(a, "pull", o.pull);
	o.seed = (uint64_t)cli_long(a, "seed", 1);
	o.company = config_text(CONFIG_COMPANY);
	o.log = cli_string(a, "log", NULL);
	o.progress = show;
	if (retrain(&o, &r, &e) < 0)
		return cli_failed(&e);
	if (cli_flag(a, "json"))
		print_json(&r);
	if (r.nothing) {
		fprintf(stderr, "nothing to train on: no example is approved yet (answerback teach, answerback review)\n");
		return CLI_OK;
	}
	for (size_t i = 0; i < r.checks; i++)
		fprintf(stderr, "%-6s %-15s %.4f (%s %.4f, %zu cases) %s\n", r.gate[i].ok ? "ok" : "FAILED", r.gate[i].name, r.gate[i].value,
		        r.gate[i].at_least ? "at least" : "at most", r.gate[i].bound, r.gate[i].cases, r.gate[i].detail);
	if (!r.published) {
		fprintf(stderr, "not published: the model that served goes on\n");
		return CLI_GATE;
	}
	fprintf(stderr, "published %s after %.0f s; answerback model rollback goes back\n", r.model, r.seconds);
	return CLI_OK;
}

const struct cli_command cmd_retrain = {
	"retrain", "learn the approved examples, for good", "[OPTION...]", retrain_options, run_retrain,
	"A model that does not pass the gate is not published (exit 4)."
};
