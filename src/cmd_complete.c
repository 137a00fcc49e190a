/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cmd_complete: `answerback complete`: what comes next in a line that is being typed. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/str.h"
#include "commands.h"
#include "engine.h"

static const struct cli_option options[] = {
	CLI_OPTION_MODEL,
	CLI_OPTION_JSON,
	{ "context", 0, "FILE", CLI_STRING, "the conversation so far: first line of a chat file", 0, 0 },
	{ "role", 0, "TAG", CLI_STRING, "who is typing (default: the model's second role)", 0, 0 },
	{ "max-words", 0, "N", CLI_LONG, "words, the one being typed included (default 5)", 1, 64 },
	{ "n", 'n', "K", CLI_LONG, "completions, best first (default 3)", 1, 64 },
	ENGINE_OPTION_COMPANY,
	CLI_OPTION_END
};

static double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return 1e3 * (double)ts.tv_sec + 1e-6 * (double)ts.tv_nsec;
}

static void read_all(struct str *s)
{
	char buf[4096];
	size_t n;

	while ((n = fread(buf, 1, sizeof(buf), stdin)) > 0)
		str_add(s, buf, n);
	if (s->len > 0 && s->s[s->len - 1] == '\n')
		s->s[--s->len] = '\0';
}

static void print(const struct talk_completion *c, int n, double ms, bool json)
{
	json_t *list, *o;
	char *text;

	if (!json) {
		for (int i = 0; i < n; i++) {
			fwrite(c[i].text.s, 1, c[i].text.len, stdout);
			putchar('\n');
		}
		return;
	}
	list = json_array();
	for (int i = 0; i < n; i++)
		json_array_append_new(list, json_pack("{s:o, s:f, s:f}",
			"text", json_stringn(c[i].text.s, c[i].text.len),
			"score", engine_round(c[i].score, 1e-5), "confidence", engine_round(c[i].confidence, 1e-5)));
	o = json_pack("{s:o, s:f}", "completions", list, "ms", engine_round(ms, 1e-3));
	text = json_dumps(o, JSON_REAL_PRECISION(8));
	puts(text);
	free(text);
	json_decref(o);
}

static int run(struct cli_args *a)
{
	const char *context = cli_string(a, "context", NULL);
	const long n = cli_long(a, "n", 3);
	struct talk_completion out[64];
	struct complete_opts o;
	struct str prefix = STR_INIT;
	struct err e = ERR_INIT;
	struct chat c = { 0 };
	struct engine en;
	struct talk *t;
	double start;
	int found;

	if (a->n != 1)
		return cli_usage(a, "give the typed text as one argument (quoted), or - to read it");
	if (engine_open(&en, a, &e) < 0)
		return cli_failed(&e);
	if (context && engine_context(&en, context, &c, &e) < 0) {
		engine_close(&en);
		return cli_failed(&e);
	}
	if (strcmp(a->operands[0], "-") == 0)
		read_all(&prefix);
	else
		str_adds(&prefix, a->operands[0]);
	complete_opts_default(&o);
	o.max_words = (size_t)cli_long(a, "max-words", (long)o.max_words);
	if (o.max_tokens < 4 * o.max_words)
		o.max_tokens = 4 * o.max_words;
	if (o.beam < (size_t)n)
		o.beam = (size_t)n < COMPLETE_MAX_BEAM ? (size_t)n : COMPLETE_MAX_BEAM;
	t = talk_new(en.m, c.company ? c.company : en.company);
	start = now_ms();
	found = talk_add_chat(t, &c, &e);
	if (found == 0)
		found = talk_complete(t, cli_string(a, "role", en.as), prefix.s, prefix.len, &o, out, (size_t)n, &e);
	if (found >= 0)
		print(out, found, now_ms() - start, cli_flag(a, "json"));
	for (int i = 0; i < found; i++)
		str_free(&out[i].text);
	talk_free(t);
	chat_free(&c);
	str_free(&prefix);
	engine_close(&en);
	return found < 0 ? cli_failed(&e) : found == 0 ? CLI_UNSURE : CLI_OK;
}

const struct cli_command cmd_complete = {
	"complete", "continue a line that is being typed", "[OPTION...] PREFIX | -", options, run,
	"PREFIX and a completion, put together byte for byte, are the continued line. From standard\n"
	"input one newline at the end is dropped; other white space counts. None found: exit code 3."
};
