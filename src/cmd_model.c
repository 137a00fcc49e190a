/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cmd_model: `answerback model info|verify`: what a model file is, and whether it is whole. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../model/model.h"
#include "commands.h"
#include "paths.h"
#include "registry.h"

static const struct cli_option options[] = {
	CLI_OPTION_MODEL,
	CLI_OPTION_JSON,
	CLI_OPTION_END
};

static json_t *text_json(const char *text)
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
	              "weights", (json_int_t)m->w->layout.weights, "roles", roles, "config", text_json(config),
	              "lineage", text_json(m->lineage), "scores", text_json(m->scores));
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

static int list(struct registry *r, bool json)
{
	struct registry_list l;
	struct err e = ERR_INIT;

	if (registry_list(r, &l, &e) < 0)
		return cli_failed(&e);
	for (size_t i = 0; i < l.n; i++) {
		const struct registry_model *m = &l.v[i];
		json_t *o;
		char *text;

		if (!json) {
			printf("%s %-6s %6.1f MB  %-20s %s%s  %s\n", m->current ? "*" : " ", m->id, (double)m->bytes / 1e6, m->created,
			       *m->parent ? "from " : "", m->parent, m->damage ? m->damage : m->scores);
			continue;
		}
		o = json_pack("{s:s, s:b, s:s, s:s, s:I, s:o, s:o, s:b}", "id", m->id, "current", m->current, "parent", m->parent,
		              "created", m->created, "bytes", (json_int_t)m->bytes, "lineage", text_json(m->lineage), "scores",
		              text_json(m->scores), "damaged", m->damage != NULL);
		text = json_dumps(o, JSON_REAL_PRECISION(8));
		puts(text);
		free(text);
		json_decref(o);
	}
	registry_list_free(&l);
	return CLI_OK;
}

/* The versions of the data folder: list, promote, rollback. */
static int versions(struct cli_args *a)
{
	const char *what = a->operands[0];
	struct registry *r = NULL;
	struct err e = ERR_INIT;
	char *base = NULL, *id = NULL;
	int rc, code = CLI_OK;

	if (a->n != (strcmp(what, "promote") == 0 ? 2u : 1u))
		return cli_usage(a, "list and rollback stand alone, promote takes a version");
	paths_model(NULL, &base, NULL);
	rc = registry_open(&r, NULL, base, &e);
	if (rc == 0 && strcmp(what, "list") == 0)
		code = list(r, cli_flag(a, "json"));
	else if (rc == 0 && strcmp(what, "promote") == 0)
		rc = registry_promote(r, a->operands[1], "promoted", &e);
	else if (rc == 0)
		rc = registry_rollback(r, &id, &e);
	if (rc == 0 && strcmp(what, "list") != 0)
		fprintf(stderr, "%s serves now\n", id ? id : a->operands[1]);
	registry_close(r);
	free(base);
	free(id);
	return rc < 0 ? cli_failed(&e) : code;
}

static int run(struct cli_args *a)
{
	struct err e = ERR_INIT;
	char *path;
	int code;

	if (a->n >= 1 && (strcmp(a->operands[0], "list") == 0 || strcmp(a->operands[0], "promote") == 0 ||
	                  strcmp(a->operands[0], "rollback") == 0))
		return versions(a);
	if (a->n < 1 || a->n > 2 || (strcmp(a->operands[0], "info") != 0 && strcmp(a->operands[0], "verify") != 0))
		return cli_usage(a, "say info, verify, list, promote or rollback");
	if (paths_model(a->n == 2 ? a->operands[1] : cli_string(a, "model", NULL), &path, &e) < 0)
		return cli_failed(&e);
	code = strcmp(a->operands[0], "info") == 0 ? info(path, cli_flag(a, "json")) : verify(path, cli_flag(a, "json"));
	free(path);
	return code;
}

const struct cli_command cmd_model = {
	"model", "describe or check a model file; list versions, promote one, roll back", "info|verify [FILE] | list | promote VERSION | rollback", options, run, NULL
};
