/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cmd_learn: `teach` and `review`. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "chatfile.h"
#include "commands.h"
#include "config.h"
#include "redact.h"
#include "review.h"
#include "store.h"
#include "worddiff.h"

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

/* An answer as it is taught: what the customer brought up becomes a placeholder, to be copied from the next customer's
 * question; a number or address that only the answer has is the answer ("call 0800 123 456"). */
static void redact_answer(struct redact_map *map, const char *text, size_t len, struct str *out)
{
	struct redact_map *probe = redact_map_clone(map);
	struct redact_spans spans = { 0 };
	size_t at = 0;

	redact_find(probe, text, len, &spans);
	for (size_t i = 0; i < spans.n; i++) {
		const struct redact_span *sp = &spans.v[i];

		if (!redact_value(map, sp->type, sp->index))
			continue;
		str_add(out, text + at, sp->start - at);
		str_addf(out, "<%s_%u>", redact_type_name(sp->type), sp->index);
		at = sp->end;
	}
	str_add(out, text + at, len - at);
	redact_spans_free(&spans);
	redact_map_free(probe);
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

		if (i + 1 == c->n)
			redact_answer(map, c->messages[i].content, c->messages[i].len, &text);
		else
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
	bool json;
	size_t n;
};

/* "[-monday-] {+on tuesday+}", as git's word diff marks it. */
static void print_marked(const char *marked)
{
	static const char *const open[] = { "", "", "[-", "{+" }, *const close[] = { "", "", "-]", "+}" };
	int kind = WORDDIFF_SAME;

	for (const char *p = marked; *p;) {
		const size_t n = strcspn(p, "\001\002\003"), space = p[0] == ' ' && n > 0;

		if (n > 0)
			printf("%s%s%.*s%s", space ? " " : "", open[kind], (int)(n - space), p + space, close[kind]);
		p += n;
		if (*p)
			kind = *p++;
	}
	putchar('\n');
}

static bool list_one(const struct review_item *item, void *arg)
{
	const struct store_example *x = item->x;
	struct listing *l = arg;
	json_t *o;
	char *text;

	l->n++;
	if (!l->json) {
		printf("%lld  %s  %s%s%s\n  customer:  %s\n", (long long)x->id, x->state, x->origin, *item->flags ? "  ! " : "", item->flags,
		       x->question);
		if (*x->suggested) {
			fputs("  change:    ", stdout);
			print_marked(item->marked);
		}
		printf("  sent:      %s\n", x->answer);
		return true;
	}
	o = json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:f}", "id", (json_int_t)x->id, "state", x->state, "origin", x->origin,
	              "question", x->question, "suggested", x->suggested, "answer", x->answer, "flags", item->flags, "changed",
	              (json_int_t)item->changed, "weight", x->weight);
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

static int run_review(struct cli_args *a)
{
	const char *env = getenv("ANSWERBACK_COMPANY");
	struct listing l = { cli_flag(a, "json"), 0 };
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
		rc = review_edit(s, cli_long(a, "edit", 0), env && *env ? env : NULL, a->operands[0], &e);
	if (rc == 0 && cli_flag(a, "undo") && (rc = store_example_undo(s, &id, &e)) == 0)
		fprintf(stderr, "example %lld is as it was\n", (long long)id);
	if (rc == 0 && (cli_flag(a, "list") || !(cli_given(a, "accept") || cli_given(a, "reject") || cli_given(a, "edit") || cli_flag(a, "undo")))) {
		rc = review_list(s, cli_flag(a, "all"), list_one, &l, &e);
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
