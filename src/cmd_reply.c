/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cmd_reply: `answerback reply`: one customer's message in, one reply out. */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "commands.h"
#include "engine.h"
#include "memory.h"

static const struct cli_option options[] = {
	CLI_OPTION_MODEL,
	CLI_OPTION_JSON,
	{ "context", 0, "FILE", CLI_STRING, "the conversation so far: first line of a chat file", 0, 0 },
	ENGINE_OPTION_AS,
	ENGINE_OPTION_FROM,
	ENGINE_OPTION_COMPANY,
	ENGINE_OPTIONS_DECODE,
	{ "no-memory", 0, NULL, CLI_FLAG, "the model alone, without what was taught", 0, 0 },
	CLI_OPTION_END
};

static void print_reply(const struct talk_reply *r, const char *origin, const char *source, bool json)
{
	if (!json) {
		/* one reply a line: what is inside must not look like two */
		for (size_t i = 0; i < r->text.len; i++)
			putchar(r->text.s[i] == '\n' || r->text.s[i] == '\r' ? ' ' : r->text.s[i]);
		putchar('\n');
		return;
	}

	json_t *text = json_stringn(r->text.s, r->text.len);
	json_t *o = json_pack("{s:o, s:f, s:f, s:I, s:f, s:s, s:s}", "reply", text ? text : json_string(""),
	                      "score", engine_round(r->score, 1e-5), "confidence", engine_round(r->confidence, 1e-5),
	                      "tokens", (json_int_t)r->tokens, "ms", engine_round(r->ms, 1e-3),
	                      "origin", origin, "source", source);
	char *line = json_dumps(o, JSON_REAL_PRECISION(8));

	puts(line);
	free(line);
	json_decref(o);
}

/* What was taught before, unless --no-memory. NULL: nothing is there. */
static struct memory *open_memory(struct cli_args *a, const struct engine *en)
{
	struct memory *m = NULL;
	struct store *s;

	if (cli_flag(a, "no-memory") || store_open(&s, NULL, STORE_READ_ONLY, NULL) < 0)
		return NULL;
	memory_load(&m, s, en->company, NULL, NULL);
	store_close(s);
	/* vectors of what was taught since, or of another encoder, are kept for the next time, when that is possible */
	if (m && memory_compute(m) > 0 && store_open(&s, NULL, STORE_READ_WRITE, NULL) == 0) {
		memory_keep(m, s, NULL);
		store_close(s);
	}
	return m;
}

/* Answer what was said last; returns an exit code. */
static int answer(struct engine *en, struct memory *m, struct talk *t, const char *said, size_t len, bool json)
{
	struct err e = ERR_INIT;
	struct memory_hit hit;
	struct talk_reply r;
	int code = CLI_OK;

	if (m && said && memory_find(m, said, len, &hit)) {
		struct store *s = NULL;
		char *source;

		store_open(&s, NULL, STORE_READ_ONLY, NULL);      /* without it, the example's number is all there is to say */
		source = memory_source(&hit, s);
		store_close(s);
		r = (struct talk_reply){ .text = hit.answer, .score = log(hit.score), .confidence = hit.score };
		print_reply(&r, "memory", source, json);
		free(source);
		str_free(&hit.answer);
		return CLI_OK;
	}
	if (talk_reply(t, en->as, &en->opts, &r, &e) < 0)
		return cli_failed(&e);
	print_reply(&r, "model", en->version, json);
	if (r.confidence < TALK_CONFIDENT)
		code = CLI_UNSURE;
	talk_reply_free(&r);
	return code;
}

static int reply_lines(struct engine *en, struct memory *m, bool json)
{
	struct str line = STR_INIT;
	struct err e = ERR_INIT;
	int code = CLI_OK;

	while (code != CLI_ERROR && str_readline(&line, stdin)) {
		struct talk *t = talk_new(en->m, en->company);

		if (line.len > 0 && line.s[line.len - 1] == '\r')
			line.len--;
		if (talk_add(t, en->from, line.s, line.len, &e) < 0) {
			code = cli_failed(&e);
		} else {
			int one = answer(en, m, t, line.s, line.len, json);

			code = one == CLI_OK ? code : one;
		}
		talk_free(t);
	}
	str_free(&line);
	return code;
}

static int run(struct cli_args *a)
{
	const char *context = cli_string(a, "context", NULL);
	const bool json = cli_flag(a, "json"), lines = a->n == 1 && strcmp(a->operands[0], "-") == 0;
	struct err e = ERR_INIT;
	struct chat c = { 0 };
	struct engine en;
	struct memory *m;
	struct talk *t;
	int code;

	if (a->n == 0 && !context)
		return cli_usage(a, "say what the customer wrote, or - to read it from standard input");
	if (lines && context)
		return cli_usage(a, "--context is one conversation; it cannot go with -");
	if (engine_open(&en, a, &e) < 0)
		return cli_failed(&e);
	if (lines) {
		m = open_memory(a, &en);
		code = reply_lines(&en, m, json);
		memory_free(m);
		engine_close(&en);
		return code;
	}
	if (context && engine_context(&en, context, &c, &e) < 0) {
		engine_close(&en);
		return cli_failed(&e);
	}
	if (a->n == 0 && (c.n == 0 || strcmp(c.messages[c.n - 1].role, en.from) != 0)) {
		code = cli_usage(a, "%s: the conversation does not end with a message of '%s' to answer; give one as TEXT",
		                 context, en.from);
		chat_free(&c);
		engine_close(&en);
		return code;
	}
	t = talk_new(en.m, c.company ? c.company : en.company);
	code = talk_add_chat(t, &c, &e) < 0 ? cli_failed(&e) : CLI_OK;
	if (code == CLI_OK && a->n > 0) {
		struct str text = STR_INIT;

		/* words of one message, as the shell cut them */
		for (size_t i = 0; i < a->n; i++)
			str_addf(&text, "%s%s", i ? " " : "", a->operands[i]);
		code = talk_add(t, en.from, text.s, text.len, &e) < 0 ? cli_failed(&e) : CLI_OK;
		chat_add(&c, en.from, text.s, text.len, 1);
		str_free(&text);
	}
	if (code == CLI_OK) {
		m = open_memory(a, &en);
		code = answer(&en, m, t, c.messages[c.n - 1].content, c.messages[c.n - 1].len, json);
		memory_free(m);
	}
	talk_free(t);
	chat_free(&c);
	engine_close(&en);
	return code;
}

const struct cli_command cmd_reply = {
	"reply", "answer a customer's message", "[OPTION...] [TEXT... | -]", options, run,
	"With -, each line of standard input is the first message of a conversation of its own.\n"
	"The exit code is 3 when the reply was printed but the model is not sure of it."
};
