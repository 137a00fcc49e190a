/* SPDX-License-Identifier: GPL-3.0-or-later */
/* eval_completion: options in, figures out. */
#include "eval_completion.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ghost_private.h"
#include "typing.h"
#include "writers.h"

static json_t *part(const struct typing_part *p)
{
	return json_pack("{s:I, s:f, s:I, s:f, s:f, s:f}", "boundaries", (json_int_t)p->boundaries,
	                 "em1", p->boundaries ? (double)p->right / (double)p->boundaries : 0.0,
	                 "asked", (json_int_t)p->asked,
	                 "trigger_rate", p->asked ? (double)p->shown / (double)p->asked : 0.0,
	                 "match_rate", p->shown ? (double)p->matched / (double)p->shown : 0.0,
	                 "typing_effort_saved", p->chars ? 1 - (double)p->typed / (double)p->chars : 0.0);
}

static json_t *figures(const struct typing_figures *f)
{
	json_t *o = json_object(), *curve = json_array(), *counts;
	char name[8];

	for (size_t k = 0; k < TYPING_WORDS; k++) {
		snprintf(name, sizeof(name), "em%zu", k + 1);
		json_object_set_new(o, name, json_real(f->em[k]));
	}
	json_object_set_new(o, "em1_midword", json_real(f->em_midword));
	json_object_set_new(o, "precision_at_25", json_real(f->precision_at_25));
	json_object_set_new(o, "precision_at_40", json_real(f->precision_at_40));
	json_object_set_new(o, "keystrokes_saved", json_real(f->keystrokes_saved));
	json_object_set_new(o, "typing_effort_saved", json_real(f->typing_effort_saved));
	json_object_set_new(o, "trigger_rate", json_real(f->trigger_rate));
	json_object_set_new(o, "match_rate", json_real(f->match_rate));
	json_object_set_new(o, "first_word_rate", json_real(f->first_word_rate));
	json_object_set_new(o, "oracle", json_pack("{s:f}", "keystrokes_saved", f->oracle));
	json_object_set_new(o, "brier", json_real(f->brier));
	for (size_t i = 0; i < TYPING_CURVE; i++)
		json_array_append_new(curve, json_pack("[f, f]", (double)(i + 1) / TYPING_CURVE, f->curve[i]));
	json_object_set_new(o, "precision_coverage", curve);
	json_object_set_new(o, "seen", part(&f->part[1]));
	json_object_set_new(o, "unseen", part(&f->part[0]));
	counts = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "boundaries", (json_int_t)f->boundaries,
	                   "midword", (json_int_t)f->midword, "chars", (json_int_t)f->chars,
	                   "keys_typed", (json_int_t)f->typed, "accept_keys", (json_int_t)f->accepts,
	                   "asked", (json_int_t)f->asked, "shown", (json_int_t)f->shown,
	                   "matched", (json_int_t)f->matched);
	json_object_set_new(o, "counts", counts);
	return o;
}

static void print(const struct typing_result *r, bool json, const char *seen_by)
{
	json_t *o = figures(&r->model), *counts = json_object_get(o, "counts"), *v;
	const char *key;
	char *text;

	json_object_set_new(counts, "conversations", json_integer((json_int_t)r->conversations));
	json_object_set_new(counts, "turns", json_integer((json_int_t)r->turns));
	json_object_set_new(counts, "words", json_integer((json_int_t)r->words));
	json_object_set_new(o, "seen_by", json_string(seen_by));
	json_object_set_new(o, "ms_median", json_real(engine_round(r->ms_median, 1e-3)));
	json_object_set_new(o, "ms_p99", json_real(engine_round(r->ms_p99, 1e-3)));
	json_object_set_new(o, "ngram", r->compared ? figures(&r->ngram) : json_null());
	if (json) {
		text = json_dumps(o, JSON_REAL_PRECISION(6));
		puts(text);
		free(text);
	} else {
		json_object_foreach(o, key, v) {
			text = json_dumps(v, JSON_ENCODE_ANY | JSON_REAL_PRECISION(4));
			printf("%-20s %s\n", key, text);
			free(text);
		}
	}
	json_decref(o);
}

static void warn(const char *message, void *arg)
{
	(void)arg;
	fprintf(stderr, "answerback: %s\n", message);
}

int eval_completion(struct cli_args *a, struct engine *en, const struct corpus *c, size_t threads)
{
	const struct chatfile_opts files = { .warn = warn };
	const char *level = cli_string(a, "level", "normal"), *fit = cli_string(a, "fit", NULL);
	struct ghost_person *person = ghost_person_new(en->m, en->company);
	struct corpus text = { 0 };
	struct ngram *counted = NULL;
	struct typing_opts o;
	struct typing_result r;
	struct err e = ERR_INIT;
	int rc = 0;

	typing_opts_default(&o);
	o.company = en->company;
	o.as = en->as;
	o.threads = threads;
	o.seed = (uint64_t)cli_long(a, "seed", 1);
	o.mixed = cli_flag(a, "no-ngram") ? NULL : person->ngram;
	o.ngram = person->ngram;
	if (!ghost_level_parse(level, &o.level) || o.level == GHOST_OFF)
		rc = err_set(&e, ERR_USAGE, "--level is shy, normal or eager, not '%.40s'", level);
	for (size_t i = 0; rc == 0 && i < cli_count(a, "text"); i++)
		rc = corpus_read(&text, cli_nth(a, "text", i), &files, 0, &e);
	if (rc == 0 && text.n > 0) {
		struct dataset *ds = dataset_new();
		struct ngram_opts n;

		ngram_opts_default(&n);
		corpus_encode(&text, en->m->tok, en->company, true, ds);
		counted = ngram_train_dataset(ds, en->m->w->cfg.vocab, &n);
		dataset_free(ds);
		o.ngram = counted;
		o.trained = &text;
	}
	if (rc == 0 && fit) {
		rc = typing_fit(en->m, c, &o, fit, &e);
	} else if (rc == 0) {
		rc = typing_measure(en->m, c, &o, &r, &e);
		if (rc == 0)
			print(&r, cli_flag(a, "json"), o.trained ? "text" : "nothing");
	}
	ngram_free(counted);
	corpus_free(&text);
	ghost_person_free(person);
	return rc < 0 ? cli_failed(&e) : CLI_OK;
}

static void print_writers(const struct writers_result *r, bool json)
{
	json_t *o = json_pack("{s:f, s:f, s:I}", "perplexity_fall", r->perplexity_fall, "em1_rise", r->em1_rise,
	                      "n", (json_int_t)r->n), *list = json_array();
	char *text;

	for (size_t i = 0; i < r->n; i++) {
		const struct writer *w = &r->writer[i];

		json_array_append_new(list, json_pack("{s:s, s:I, s:f, s:f, s:f, s:f}", "name", w->name,
			"words", (json_int_t)w->words, "perplexity", w->perplexity, "perplexity_learned", w->perplexity_learned,
			"em1", w->em1, "em1_learned", w->em1_learned));
		if (!json)
			printf("%-44.44s perplexity %7.2f -> %7.2f   next word %5.1f %% -> %5.1f %%\n", w->name, w->perplexity,
			       w->perplexity_learned, 100 * w->em1, 100 * w->em1_learned);
	}
	json_object_set_new(o, "writers", list);
	text = json_dumps(o, JSON_REAL_PRECISION(6));
	if (json)
		puts(text);
	else
		printf("median of %zu writers: perplexity falls by %.1f %%, next words rise by %.1f %%\n", r->n,
		       100 * r->perplexity_fall, 100 * r->em1_rise);
	free(text);
	json_decref(o);
}

int eval_writers(struct cli_args *a, struct engine *en, const struct corpus *c, size_t threads)
{
	struct ghost_person *person = ghost_person_new(en->m, en->company);
	struct writers_opts o;
	struct writers_result r = { 0 };
	struct err e = ERR_INIT;
	int rc;

	writers_opts_default(&o);
	o.company = en->company;
	o.as = en->as;
	o.threads = threads;
	o.mixed = cli_flag(a, "no-ngram") ? NULL : person->ngram;
	if (cli_given(a, "fit"))
		rc = writers_fit(en->m, c, &o, &e);
	else if ((rc = writers_measure(en->m, c, &o, &r, &e)) == 0)
		print_writers(&r, cli_flag(a, "json"));
	writers_result_free(&r);
	ghost_person_free(person);
	return rc < 0 ? cli_failed(&e) : CLI_OK;
}
