/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cmd_model_versions: which versions there are, which one serves, and the way back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cmd_model.h"
#include "config.h"
#include "paths.h"
#include "store.h"
#include "store_stats.h"

/* What became of a version's suggestions, by version. */
static void add_figures(const struct store_figures *f, void *arg)
{
	if (f->of == STORE_FIGURES_MODEL)
		json_object_set_new(arg, f->label, json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "replies", (json_int_t)f->replies, "suggestions",
		                                             (json_int_t)f->suggestions, "taken", (json_int_t)f->suggestions_taken, "edited",
		                                             (json_int_t)f->suggestions_edited, "completions", (json_int_t)f->completions,
		                                             "completions_taken", (json_int_t)f->completions_taken));
}

static bool add_tainted(const char *model, void *arg)
{
	json_object_set_new(arg, model, json_true());
	return true;
}

/* {} when there is no database, or none that can be read: a list of models must not depend on it. */
static void from_store(json_t *use, json_t *tainted)
{
	struct store *s;

	if (store_open(&s, NULL, STORE_READ_ONLY, NULL) == 0) {
		store_stats(s, 0, add_figures, use, NULL);
		store_tainted(s, add_tainted, tainted, NULL);
		store_close(s);
	}
}

static void print_version(const struct registry_model *m, const json_t *use, bool tainted)
{
	const json_int_t shown = json_integer_value(json_object_get(use, "suggestions"));
	const json_int_t taken = json_integer_value(json_object_get(use, "taken")) + json_integer_value(json_object_get(use, "edited"));

	printf("%s %-6s %6.1f MB  %-20s %s%s  ", m->current ? "*" : " ", m->id, (double)m->bytes / 1e6, m->created, *m->parent ? "from " : "",
	       m->parent);
	if (shown > 0)
		printf("taken %.0f %% of %lld  ", 100.0 * (double)taken / (double)shown, (long long)shown);
	if (tainted)
		printf("learned from something that was forgotten  ");
	puts(m->damage ? m->damage : m->scores);
}

static int list(struct registry *r, bool json)
{
	struct registry_list l;
	struct err e = ERR_INIT;
	json_t *use = json_object(), *tainted = json_object();
	char base[24] = "";
	bool older = false, stained = false;

	if (registry_list(r, &l, &e) < 0) {
		json_decref(use);
		json_decref(tainted);
		return cli_failed(&e);
	}
	from_store(use, tainted);
	if (l.n > 0 && strcmp(l.v[0].id, REGISTRY_BASE) == 0)
		registry_identity(l.v[0].path, base);
	for (size_t i = 0; i < l.n; i++) {
		const struct registry_model *m = &l.v[i];
		char *of = registry_field(m->lineage, "base");
		const bool other = *of && *base && strcmp(of, base) != 0, forgotten = json_object_get(tainted, m->id) != NULL;
		json_t *o, *used = json_object_get(use, m->id);
		char *text;

		older = older || (m->current && other);
		stained = stained || (m->current && forgotten);
		free(of);
		if (!json) {
			print_version(m, used, forgotten);
			continue;
		}
		o = json_pack("{s:s, s:b, s:s, s:s, s:s, s:I, s:o, s:o, s:O, s:b, s:b, s:b}", "id", m->id, "current", m->current, "parent", m->parent,
		              "created", m->created, "kind", m->adapter ? "adapter" : "full", "bytes", (json_int_t)m->bytes, "lineage", cmd_model_json(m->lineage), "scores",
		              cmd_model_json(m->scores), "acceptance", used ? used : json_null(), "other_base", other, "damaged",
		              m->damage != NULL, "tainted", forgotten);
		text = json_dumps(o, JSON_REAL_PRECISION(8));
		puts(text);
		free(text);
		json_decref(o);
	}
	if (older)
		fprintf(stderr, "the shipped model is another one than the version that serves grew from: answerback retrain --onto base teaches "
		        "it the approved examples\n");
	if (stained)
		fprintf(stderr, "the version that serves learned from something that was forgotten: answerback retrain learns what is left, "
		        "from the shipped model\n");
	json_decref(use);
	json_decref(tainted);
	registry_list_free(&l);
	return CLI_OK;
}

static int open_store(struct store **s, struct err *e)
{
	*s = NULL;
	return config_yes(CONFIG_PRIVATE) ? 0 : store_open(s, NULL, STORE_READ_WRITE, e);
}

static void not_kept(const struct err *e)
{
	if (e->code)
		fprintf(stderr, "answerback: the audit trail does not have it: %s\n", e->msg);
}

void cmd_model_audit(const char *what, const char *version)
{
	struct err e = ERR_INIT;
	struct store *s;

	if (open_store(&s, &e) == 0 && s)
		store_audit(s, what, version, &e);
	store_close(s);
	not_kept(&e);
}

/* A run without examples of its own: what was forgotten is followed from parent to child by runs. */
static void audit_merge(const char *made, const char *from)
{
	struct err e = ERR_INIT;
	struct store *s;

	if (open_store(&s, &e) == 0 && s && store_run_add(s, "merge", made, from, "merged", "{}", store_now(), NULL, 0, &e) == 0)
		store_audit(s, "merged", made, &e);
	store_close(s);
	not_kept(&e);
}

/* An adapter and its model as one full version. */
static int merge(struct registry *r, const char *id, char **made, struct err *e)
{
	struct model *m;
	char *lineage;
	json_t *o;
	int rc = registry_model(r, id, MODEL_F32, &m, e);

	*made = NULL;
	if (rc < 0)
		return rc;
	o = cmd_model_json(m->lineage);
	json_object_set_new(o, "parent", json_string(id));
	json_object_set_new(o, "how", json_string("merge"));
	lineage = json_dumps(o, JSON_COMPACT);
	rc = registry_add(r, m->w, m->tok, lineage, m->scores, made, e);
	free(lineage);
	json_decref(o);
	model_unref(m);
	return rc;
}

int cmd_model_versions(struct cli_args *a)
{
	const char *what = a->operands[0];
	struct registry *r = NULL;
	struct err e = ERR_INIT;
	char *base = NULL, *id = NULL;
	int rc, code = CLI_OK;

	const bool takes = strcmp(what, "promote") == 0 || strcmp(what, "merge") == 0 || strcmp(what, "remove") == 0;

	if (a->n != (takes ? 2u : 1u))
		return cli_usage(a, "list and rollback stand alone; promote, merge and remove take a version");
	paths_model(NULL, &base, NULL);
	rc = registry_open(&r, NULL, base, &e);
	if (rc == 0 && strcmp(what, "list") == 0)
		code = list(r, cli_flag(a, "json"));
	else if (rc == 0 && strcmp(what, "promote") == 0)
		rc = registry_promote(r, a->operands[1], "promoted", &e);
	else if (rc == 0 && strcmp(what, "remove") == 0)
		rc = registry_remove(r, a->operands[1], &e);
	else if (rc == 0 && strcmp(what, "merge") == 0)
		rc = merge(r, a->operands[1], &id, &e);
	else if (rc == 0)
		rc = registry_rollback(r, &id, &e);
	if (rc == 0 && strcmp(what, "merge") == 0)
		audit_merge(id, a->operands[1]);
	else if (rc == 0 && strcmp(what, "list") != 0)
		cmd_model_audit(takes ? strcmp(what, "remove") == 0 ? "removed" : "promoted" : "rolled back", id ? id : a->operands[1]);
	if (rc == 0 && strcmp(what, "remove") == 0)
		fprintf(stderr, "%s is gone\n", a->operands[1]);
	else if (rc == 0 && strcmp(what, "merge") == 0)
		fprintf(stderr, "%s is %s as one full model; answerback model promote %s makes it serve\n", id, a->operands[1], id);
	else if (rc == 0 && strcmp(what, "list") != 0)
		fprintf(stderr, "%s serves now\n", id ? id : a->operands[1]);
	registry_close(r);
	free(base);
	free(id);
	return rc < 0 ? cli_failed(&e) : code;
}
