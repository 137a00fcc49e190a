/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cmd_model_compare: two models side by side: what they answer to the same messages, and how far their weights lie apart. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "cmd_model.h"
#include "config.h"
#include "corpus.h"
#include "paths.h"
#include "talk.h"

/* A version's name, or a file. */
static int load(const char *name, enum model_use use, struct model **m, struct err *e)
{
	char *base = NULL;
	struct registry *r;
	int rc;

	if (strchr(name, '/') || strstr(name, ".safetensors"))
		return model_load(m, name, use, e);
	paths_model(NULL, &base, NULL);
	rc = registry_open(&r, NULL, base, e);
	if (rc == 0) {
		rc = registry_model(r, name, use, m, e);
		registry_close(r);
	}
	free(base);
	return rc;
}

static int load_both(struct cli_args *a, enum model_use use, struct model *m[2], struct err *e)
{
	int rc;

	m[0] = m[1] = NULL;
	if ((rc = load(a->operands[1], use, &m[0], e)) == 0 && (rc = load(a->operands[2], use, &m[1], e)) < 0)
		model_unref(m[0]);
	return rc;
}

/* ---- compare ---- */

static char *answer(struct model *m, const char *message, size_t len, double *confidence)
{
	const char *from = tokenizer_tag_name(m->tok, TOKEN_FIRST_TAG), *as = tokenizer_tag_name(m->tok, TOKEN_FIRST_TAG + 1);
	struct talk *t = talk_new(m, config_text(CONFIG_COMPANY));
	struct talk_opts o;
	struct talk_reply r;
	char *text = NULL;

	talk_opts_best(&o);
	*confidence = 0;
	if (talk_add(t, from, message, len, NULL) == 0 && talk_reply(t, as ? as : from, &o, &r, NULL) == 0) {
		text = xstrdup(r.text.s);
		*confidence = r.confidence;
		talk_reply_free(&r);
	}
	talk_free(t);
	return text ? text : xstrdup("");
}

static size_t compare_one(struct cli_args *a, struct model *m[2], const char *message, size_t len)
{
	double sure[2];
	char *text[2];
	bool same;

	for (int k = 0; k < 2; k++)
		text[k] = answer(m[k], message, len, &sure[k]);
	same = strcmp(text[0], text[1]) == 0;
	if (cli_flag(a, "json")) {
		json_t *o = json_pack("{s:s%, s:s, s:f, s:s, s:f, s:b}", "message", message, len, "a", text[0], "a_confidence", sure[0], "b",
		                      text[1], "b_confidence", sure[1], "same", same);

		if (o)
			json_dumpf(o, stdout, JSON_COMPACT | JSON_REAL_PRECISION(4));
		putchar('\n');
		json_decref(o);
	} else {
		printf("> %.*s\n", (int)len, message);
		if (same)
			printf("  both    %3.0f%% %3.0f%%  %s\n", 100 * sure[0], 100 * sure[1], text[0]);
		else
			printf("  %-7.7s %3.0f%%       %s\n  %-7.7s %3.0f%%       %s\n", a->operands[1], 100 * sure[0], text[0], a->operands[2],
			       100 * sure[1], text[1]);
	}
	free(text[0]);
	free(text[1]);
	return same;
}

static int compare_lines(struct cli_args *a, struct model *m[2], const char *path, size_t *n, size_t *same, struct err *e)
{
	FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
	struct str line = STR_INIT;

	if (!f)
		return err_set(e, ERR_IO, "%s cannot be read: %m", path);
	while (str_readline(&line, f)) {
		if (line.len == 0)
			continue;
		*same += compare_one(a, m, line.s, line.len);
		++*n;
	}
	if (f != stdin)
		fclose(f);
	str_free(&line);
	return 0;
}

/* The first messages of the conversations written for the project, beside the shipped model. */
static int compare_written(struct cli_args *a, struct model *m[2], size_t *n, size_t *same, struct err *e)
{
	struct str path = STR_INIT;
	struct corpus c = { 0 };
	char *base;
	const char *slash;
	int rc = paths_model(NULL, &base, e);

	if (rc < 0)
		return rc;
	slash = strrchr(base, '/');
	str_add(&path, base, slash ? (size_t)(slash + 1 - base) : 0);
	str_adds(&path, "gate.jsonl");
	rc = corpus_read(&c, path.s, &(struct chatfile_opts){ 0 }, 12, e);
	for (size_t i = 0; rc == 0 && i < c.n; i++) {
		if (c.chat[i].n == 0)
			continue;
		*same += compare_one(a, m, c.chat[i].messages[0].content, c.chat[i].messages[0].len);
		++*n;
	}
	if (rc < 0)
		err_prefix(e, "no message given, and none beside the shipped model");
	corpus_free(&c);
	str_free(&path);
	free(base);
	return rc;
}

int cmd_model_compare(struct cli_args *a)
{
	struct err e = ERR_INIT;
	struct model *m[2];
	size_t n = 0, same = 0;
	int rc = 0;

	if (a->n < 3)
		return cli_usage(a, "compare takes two models, and the messages to answer");
	if (load_both(a, MODEL_SERVE, m, &e) < 0)
		return cli_failed(&e);
	if (cli_given(a, "messages"))
		rc = compare_lines(a, m, cli_string(a, "messages", NULL), &n, &same, &e);
	else if (a->n == 3)
		rc = compare_written(a, m, &n, &same, &e);
	for (size_t i = 3; rc == 0 && i < a->n; i++, n++)
		same += compare_one(a, m, a->operands[i], strlen(a->operands[i]));
	model_unref(m[0]);
	model_unref(m[1]);
	if (rc < 0)
		return cli_failed(&e);
	fprintf(stderr, "%zu of %zu replies are the same\n", same, n);
	return CLI_OK;
}

/* ---- diff ---- */

static json_t *about(const char *name, const struct model *m)
{
	return json_pack("{s:s, s:o, s:o}", "model", name, "lineage", cmd_model_json(m->lineage), "scores", cmd_model_json(m->scores));
}

/* Of each tensor: how far b lies from a, as a share of a's own length. */
static json_t *distances(const struct model *a, const struct model *b, double *all)
{
	json_t *list = json_array();
	double sum = 0, own = 0;

	for (size_t i = 0; i < a->w->layout.n; i++) {
		const struct param *p = &a->w->layout.p[i];
		const size_t n = p->rows * p->cols;
		double d = 0, len = 0, most = 0;

		for (size_t k = 0; k < n; k++) {
			const double x = (double)a->w->flat[p->offset + k], y = (double)b->w->flat[p->offset + k];

			d += (y - x) * (y - x);
			len += x * x;
			most = fmax(most, fabs(y - x));
		}
		sum += d;
		own += len;
		json_array_append_new(list, json_pack("{s:s, s:I, s:f, s:f}", "tensor", p->name, "weights", (json_int_t)n, "distance",
		                                      len > 0 ? sqrt(d / len) : sqrt(d), "largest", most));
	}
	*all = own > 0 ? sqrt(sum / own) : sqrt(sum);
	return list;
}

static void print_diff(const json_t *o)
{
	static const char *const sides[] = { "a", "b" };
	const json_t *t;
	size_t i;

	for (i = 0; i < 2; i++) {
		const json_t *side = json_object_get(o, sides[i]);
		char *lineage = json_dumps(json_object_get(side, "lineage"), JSON_REAL_PRECISION(6));
		char *scores = json_dumps(json_object_get(side, "scores"), JSON_REAL_PRECISION(5));

		printf("%s\n  lineage %s\n  scores  %s\n", json_string_value(json_object_get(side, "model")), lineage, scores);
		free(lineage);
		free(scores);
	}
	printf("weights: %.4f %% apart\n", 100 * json_real_value(json_object_get(o, "distance")));
	json_array_foreach(json_object_get(o, "tensors"), i, t)
		printf("  %-34s %8lld  %8.4f %%  at most %.2e\n", json_string_value(json_object_get(t, "tensor")),
		       (long long)json_integer_value(json_object_get(t, "weights")), 100 * json_real_value(json_object_get(t, "distance")),
		       json_real_value(json_object_get(t, "largest")));
}

int cmd_model_diff(struct cli_args *a)
{
	struct err e = ERR_INIT;
	struct model *m[2];
	json_t *o;
	double all;
	char *text;

	if (a->n != 3)
		return cli_usage(a, "diff takes two models");
	if (load_both(a, MODEL_F32, m, &e) < 0)
		return cli_failed(&e);
	if (memcmp(&m[0]->w->cfg, &m[1]->w->cfg, sizeof(m[0]->w->cfg)) != 0) {
		err_set(&e, ERR_USAGE, "%s and %s have not the same shape: answerback model info tells their sizes", a->operands[1],
		        a->operands[2]);
		model_unref(m[0]);
		model_unref(m[1]);
		return cli_failed(&e);
	}
	o = json_pack("{s:o, s:o, s:o}", "a", about(a->operands[1], m[0]), "b", about(a->operands[2], m[1]), "tensors",
	              distances(m[0], m[1], &all));
	json_object_set_new(o, "distance", json_real(all));
	if (cli_flag(a, "json")) {
		text = json_dumps(o, JSON_REAL_PRECISION(6));
		puts(text);
		free(text);
	} else {
		print_diff(o);
	}
	json_decref(o);
	model_unref(m[0]);
	model_unref(m[1]);
	return CLI_OK;
}
