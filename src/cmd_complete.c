/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cmd_complete: `answerback complete`: what comes next in a line that is being typed. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/str.h"
#include "commands.h"
#include "config.h"
#include "engine.h"
#include "ghost.h"

static const struct cli_option options[] = {
	CLI_OPTION_MODEL,
	CLI_OPTION_JSON,
	{ "stdin-lines", 0, NULL, CLI_FLAG, "serve: a JSON request a line in, a JSON answer a line out", 0, 0 },
	{ "context", 0, "FILE", CLI_STRING, "the conversation so far: first line of a chat file", 0, 0 },
	{ "role", 0, "TAG", CLI_STRING, "who is typing (default: the model's second role)", 0, 0 },
	{ "max-words", 0, "N", CLI_LONG, "words at most, the one being typed included (default 5)", 1, GHOST_MAX_WORDS },
	{ "n", 'n', "K", CLI_LONG, "completions, best first (default 3)", 1, GHOST_MAX },
	{ "level", 0, "LEVEL", CLI_STRING, "when to show: off, shy, normal (default), eager", 0, 0 },
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

/* What stays from one request to the next: states of the same conversation are of use again. */
struct server {
	struct engine en;
	struct ghost_person *person;
	struct ghost_opts opts;
	size_t n;
	struct chat c;            /* the conversation that talk holds */
	struct talk *t;
	struct ghost *g;
	char *company;            /* of talk; may be NULL */
};

static void server_close(struct server *s)
{
	ghost_free(s->g);
	talk_free(s->t);
	chat_free(&s->c);
	free(s->company);
	ghost_person_free(s->person);
	engine_close(&s->en);
}

/* How many of the turns held are the first ones of c. */
static size_t held(const struct server *s, const struct chat *c)
{
	size_t i = 0;

	while (i < s->c.n && i < c->n && strcmp(s->c.messages[i].role, c->messages[i].role) == 0 &&
	       s->c.messages[i].len == c->messages[i].len &&
	       memcmp(s->c.messages[i].content, c->messages[i].content, c->messages[i].len) == 0)
		i++;
	return i;
}

static int converse(struct server *s, struct chat *c, struct err *e)
{
	const char *company = c->company ? c->company : s->en.company;
	size_t from = held(s, c);
	const bool same = s->t && (company == s->company || (company && s->company && strcmp(company, s->company) == 0));
	int rc = 0;

	/* codes keep their numbers only while nothing is taken back */
	if (!same || from < s->c.n) {
		ghost_free(s->g);
		talk_free(s->t);
		free(s->company);
		s->company = company ? xstrdup(company) : NULL;
		s->t = talk_new(s->en.m, company);
		s->g = ghost_new(s->t, s->person, &s->opts);
		from = 0;
	}
	for (size_t i = from; rc == 0 && i < c->n; i++)
		rc = talk_add(s->t, c->messages[i].role, c->messages[i].content, c->messages[i].len, e);
	chat_free(&s->c);
	s->c = *c;
	*c = (struct chat){ 0 };
	if (rc < 0)
		chat_free(&s->c);     /* half in the talk: the next request begins anew */
	return rc;
}

static json_t *answer(const struct ghost_text *t, int n, double ms)
{
	json_t *list = json_array();

	for (int i = 0; i < n; i++) {
		const double score = t[i].log_prob / (double)(t[i].tokens ? t[i].tokens : 1);

		json_array_append_new(list, json_pack("{s:o, s:f, s:f}",
			"text", json_stringn(t[i].text.s, t[i].text.len),
			"score", engine_round(score, 1e-5), "confidence", engine_round(t[i].chance, 1e-5)));
	}
	return json_pack("{s:o, s:b, s:f}", "completions", list, "show", n > 0 && t[0].show, "ms", engine_round(ms, 1e-3));
}

static void put(json_t *o)
{
	char *text = json_dumps(o, JSON_REAL_PRECISION(8));

	puts(text);
	free(text);
	json_decref(o);
}

static void free_texts(struct ghost_text *t, int n)
{
	for (int i = 0; i < n; i++)
		ghost_text_free(&t[i]);
}

/* ---- lines ---- */

static int role_known(const struct server *s, const char *role, struct err *e)
{
	if (tokenizer_tag(s->en.m->tok, role) < 0)
		return err_set(e, ERR_USAGE, "this model has no role '%.40s'; `answerback model info` lists its roles", role);
	return 0;
}

static int messages_of(struct server *s, json_t *o, struct chat *c, struct err *e)
{
	json_t *list = json_object_get(o, "messages"), *m, *company = json_object_get(o, "company");
	size_t i;

	if (company && json_is_string(company))
		c->company = xstrdup(json_string_value(company));
	if (list && !json_is_null(list) && !json_is_array(list))
		return err_set(e, ERR_FORMAT, "\"messages\" is no array");
	json_array_foreach(list, i, m) {
		const char *role = json_string_value(json_object_get(m, "role"));
		json_t *content = json_object_get(m, "content");
		int rc;

		if (!role || !json_is_string(content))
			return err_set(e, ERR_FORMAT, "message %zu: wants \"role\" and \"content\"", i + 1);
		if (strcmp(role, "system") == 0 || json_string_length(content) == 0)
			continue;
		if ((rc = role_known(s, role, e)) < 0)
			return rc;
		chat_add(c, role, json_string_value(content), json_string_length(content), 1);
	}
	return 0;
}

static int serve_one(struct server *s, json_t *o, const char *role, struct ghost_text *out, struct err *e)
{
	json_t *prefix = json_object_get(o, "prefix"), *by = json_object_get(o, "role");
	struct chat c = { 0 };
	int rc;

	if (!json_is_object(o) || !json_is_string(prefix))
		return err_set(e, ERR_FORMAT, "a request is {\"prefix\": \"...\", \"role\": \"...\", \"messages\": [...]}");
	if (by && !json_is_null(by) && !json_is_string(by))
		return err_set(e, ERR_FORMAT, "\"role\" is no string");
	if ((rc = messages_of(s, o, &c, e)) == 0)
		rc = converse(s, &c, e);
	chat_free(&c);
	if (rc < 0)
		return rc;
	return ghost_request(s->g, json_is_string(by) ? json_string_value(by) : role, json_string_value(prefix),
	                     json_string_length(prefix), out, s->n, e);
}

static int serve(struct server *s, const char *role)
{
	struct str line = STR_INIT;
	size_t number = 0;

	while (str_readline(&line, stdin)) {
		struct ghost_text out[GHOST_MAX];
		struct err e = ERR_INIT;
		json_error_t where;
		const double start = now_ms();
		json_t *o, *a;
		int n;

		number++;
		if (line.len == 0)
			continue;
		o = json_loadb(line.s, line.len, JSON_ALLOW_NUL, &where);
		n = o ? serve_one(s, o, role, out, &e) : err_set(&e, ERR_FORMAT, "not JSON: %s", where.text);
		a = answer(out, n > 0 ? n : 0, now_ms() - start);
		if (n < 0) {
			err_prefix(&e, "line %zu", number);
			json_object_set_new(a, "error", json_string(e.msg));
		} else {
			free_texts(out, n);
		}
		/* whatever else names the request goes back with its answer */
		if (json_is_object(o) && json_object_get(o, "id"))
			json_object_set(a, "id", json_object_get(o, "id"));
		json_decref(o);
		put(a);
		fflush(stdout);
	}
	str_free(&line);
	return CLI_OK;
}

/* ---- one ---- */

static int complete(struct server *s, struct cli_args *a, const char *role)
{
	const char *context = cli_string(a, "context", NULL);
	struct ghost_text out[GHOST_MAX];
	struct str prefix = STR_INIT;
	struct chat c = { 0 };
	struct err e = ERR_INIT;
	const double start = now_ms();
	int n = 0;

	if (context)
		n = engine_context(&s->en, context, &c, &e);
	if (strcmp(a->operands[0], "-") == 0)
		read_all(&prefix);
	else
		str_adds(&prefix, a->operands[0]);
	if (n == 0)
		n = converse(s, &c, &e);
	if (n == 0)
		n = ghost_request(s->g, role, prefix.s, prefix.len, out, s->n, &e);
	if (n >= 0 && cli_flag(a, "json")) {
		put(answer(out, n, now_ms() - start));
	} else {
		for (int i = 0; i < n; i++) {
			fwrite(out[i].text.s, 1, out[i].text.len, stdout);
			putchar('\n');
		}
	}
	free_texts(out, n);
	chat_free(&c);
	str_free(&prefix);
	return n < 0 ? cli_failed(&e) : n == 0 ? CLI_UNSURE : CLI_OK;
}

static int run(struct cli_args *a)
{
	const char *level = cli_string(a, "level", config_text(CONFIG_GHOST)), *role;
	const bool lines = cli_flag(a, "stdin-lines");
	struct server s = { .n = (size_t)cli_long(a, "n", 3) };
	struct err e = ERR_INIT;
	int rc;

	if (lines && (a->n > 0 || cli_given(a, "context")))
		return cli_usage(a, "with --stdin-lines the requests say what was typed and said before");
	if (!lines && a->n != 1)
		return cli_usage(a, "give the typed text as one argument (quoted), or - to read it");
	ghost_opts_default(&s.opts);
	if (!ghost_level_parse(level, &s.opts.level))
		return cli_usage(a, "--level is off, shy, normal or eager, not '%.40s'", level);
	if (config_unwanted(&s.opts.unwanted, &e) < 0)
		return cli_failed(&e);
	s.opts.max_words = (size_t)cli_long(a, "max-words", 5);
	if (s.opts.max_tokens < 4 * s.opts.max_words)
		s.opts.max_tokens = 4 * s.opts.max_words;
	if (engine_open(&s.en, a, &e) < 0)
		return cli_failed(&e);
	s.person = ghost_person_new(s.en.m, s.en.company);
	role = cli_string(a, "role", s.en.as);
	if (role_known(&s, role, &e) < 0)
		rc = cli_failed(&e);
	else
		rc = lines ? serve(&s, role) : complete(&s, a, role);
	server_close(&s);
	return rc;
}

const struct cli_command cmd_complete = {
	"complete", "continue a line that is being typed", "[OPTION...] PREFIX | - | --stdin-lines", options, run,
	"PREFIX and a completion, put together byte for byte, are the continued line. From standard\n"
	"input one newline at the end is dropped; other white space counts. None found: exit code 3.\n"
	"--stdin-lines reads {\"prefix\": \"...\", \"role\": \"...\", \"messages\": [...]} and answers each as --json does;\n"
	"\"show\" says whether a screen would show the first. A line that is wrong is answered with \"error\"."
};
