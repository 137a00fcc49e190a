/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cmd_model: `answerback model`: what a model file is, whether it is whole; the other verbs are in cmd_model_*.c. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../model/model.h"
#include "cmd_model.h"
#include "commands.h"
#include "paths.h"

static const struct cli_option options[] = {
	CLI_OPTION_MODEL,
	{ "messages", 0, "FILE", CLI_STRING, "with compare: messages to answer, one a line (- is standard input)", 0, 0 },
	{ "part", 0, "X", CLI_DOUBLE, "with blend: how far from A to B (default 0.5)", 0, 1 },
	{ "valid", 0, "FILE", CLI_STRING, "with blend: held-out conversations, to measure what comes out", 0, 0 },
	{ "out", 'o', "FILE", CLI_STRING, "with blend: the model to write", 0, 0 },
	CLI_OPTION_JSON,
	CLI_OPTION_END
};

json_t *cmd_model_json(const char *text)
{
	json_t *j = text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;

	return j ? j : json_object();
}

static json_t *describe(const struct model *m, const char *path)
{
	const char *slash = strrchr(path, '/');
	char *config = model_config_to_json(&m->w->cfg);
	json_t *roles = json_array(), *o;

	for (int32_t i = 0; i < TOKENIZER_MAX_TAGS; i++) {
		const char *name = tokenizer_tag_name(m->tok, TOKEN_FIRST_TAG + i);

		if (name)
			json_array_append_new(roles, json_string(name));
	}
	o = json_pack("{s:s, s:I, s:o, s:o, s:o, s:o}", "file", slash ? slash + 1 : path,
	              "weights", (json_int_t)m->w->layout.weights, "roles", roles, "config", cmd_model_json(config),
	              "lineage", cmd_model_json(m->lineage), "scores", cmd_model_json(m->scores));
	free(config);
	return o;
}

static int info(const char *path, bool json)
{
	struct err e = ERR_INIT;
	struct model *m;
	const char *key;
	json_t *o, *v;
	char *text;

	if (model_load(&m, path, MODEL_SERVE, &e) < 0)
		return cli_failed(&e);
	o = describe(m, path);
	model_unref(m);
	if (json) {
		text = json_dumps(o, JSON_REAL_PRECISION(8));
		puts(text);
		free(text);
	} else {
		json_object_foreach(o, key, v) {
			text = json_dumps(v, JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));
			printf("%-8s %s\n", key, json_is_string(v) ? json_string_value(v) : text);
			free(text);
		}
	}
	json_decref(o);
	return CLI_OK;
}

static int verify(const char *path, bool json)
{
	struct err e = ERR_INIT;
	struct modelfile *mf;
	struct model *m;

	if (modelfile_open(&mf, path, &e) < 0)
		return cli_failed(&e);

	int rc = modelfile_verify(mf, &e);

	modelfile_close(mf);
	if (rc < 0)
		return cli_failed(&e);
	/* the checksum says it is what was written; loading says that it makes sense */
	if (model_load(&m, path, MODEL_SERVE, &e) < 0)
		return cli_failed(&e);
	model_unref(m);
	puts(json ? "{\"ok\": true}" : "whole: checksum, shapes and numbers are right");
	return CLI_OK;
}

static int run(struct cli_args *a)
{
	struct err e = ERR_INIT;
	char *path;
	int code;

	static const struct {
		const char *verb;
		int (*run)(struct cli_args *);
	} verbs[] = {
		{ "list", cmd_model_versions }, { "promote", cmd_model_versions }, { "rollback", cmd_model_versions },
		{ "merge", cmd_model_versions }, { "remove", cmd_model_versions }, { "compare", cmd_model_compare }, { "diff", cmd_model_diff },
		{ "blend", cmd_model_blend },
	};

	for (size_t i = 0; a->n >= 1 && i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(a->operands[0], verbs[i].verb) == 0)
			return verbs[i].run(a);
	if (a->n < 1 || a->n > 2 || (strcmp(a->operands[0], "info") != 0 && strcmp(a->operands[0], "verify") != 0))
		return cli_usage(a, "say info, verify, list, promote, rollback, merge, remove, compare, diff or blend");
	if (paths_model(a->n == 2 ? a->operands[1] : cli_string(a, "model", NULL), &path, &e) < 0)
		return cli_failed(&e);
	code = strcmp(a->operands[0], "info") == 0 ? info(path, cli_flag(a, "json")) : verify(path, cli_flag(a, "json"));
	free(path);
	return code;
}

const struct cli_command cmd_model = {
	"model", "describe, check and compare models; list versions, promote one, roll back",
	"info|verify [FILE] | list | promote|merge|remove VERSION | rollback | compare A B [MESSAGE...] | diff A B | blend A B --out FILE", options, run,
	"A and B are versions (base, v1, ...) or files. Without a MESSAGE, compare takes those written for the project.\n"
	"merge makes a full version of an adapter and the shipped model; remove takes a version away that does not serve.\n"
	"blend writes weights --part of the way from the model file A to B, which was trained on from it."
};
