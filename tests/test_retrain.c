/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Retraining on a tiny model: it learns, as weights or as an adapter, and what goes wrong (contradictions, nonsense, a damaged
 * version, another trainer) is said and leaves things as they were. How it can be stopped: test_retrain_stop.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "common_model.h"
#include "common_retrain.h"
#include "common_tiny.h"
#include "config.h"
#include "registry.h"
#include "retrain.h"
#include "retrain_state.h"
#include "store_forget.h"

static void nothing_to_train_on(void **state)
{
	struct retrain_result r;
	struct err e;

	(void)state;
	assert_int_equal(trial_run(&r, &e), 0);
	assert_true(r.nothing);
	assert_false(r.published);
	trial_serves("base");
}

static void it_learns_and_publishes(void **state)
{
	struct registry_list l;
	struct retrain_state st;
	struct retrain_result r;
	struct registry *reg;
	struct err e;
	char path[80];

	(void)state;
	trial_teach_some();
	if (trial_run(&r, &e) < 0)
		fail_msg("%s", e.msg);
	trial_went_to_the_gate(&r);
	if (!r.published)
		for (size_t i = 0; i < r.checks; i++)
			print_message("%s %g %s\n", r.gate[i].name, r.gate[i].value, r.gate[i].detail);
	assert_true(r.published);
	assert_string_equal(r.model, "v1");
	assert_int_equal(r.examples, 2);
	assert_true(r.replayed > 0);
	snprintf(path, sizeof(path), "%s/models", trial.folder);
	retrain_state_read(&st, path);
	assert_string_equal(st.outcome, "published");
	assert_int_equal(st.examples, 2);
	assert_int_equal(registry_open(&reg, trial.folder, getenv("ANSWERBACK_MODEL"), NULL), 0);
	assert_int_equal(registry_list(reg, &l, NULL), 0);
	assert_int_equal(l.n, 2);
	assert_string_equal(l.v[1].parent, "base");
	assert_non_null(strstr(l.v[1].lineage, "\"examples\":2"));
	assert_non_null(strstr(l.v[1].scores, "base_bits"));
	registry_list_free(&l);
	registry_close(reg);
}

/* The gate's own conversations say otherwise than what is taught, which the dialogues that training steers by do not show. */
static void too_far_for_the_gate_goes_back(void **state)
{
	static const char other[] = "{\"messages\": [{\"role\": \"user\", \"content\": \"where is my parcel?\"}, "
		"{\"role\": \"assistant\", \"content\": \"it will be with you soon.\"}]}\n";
	struct retrain_options o;
	struct retrain_result r;
	size_t back = 0;
	char path[80];
	struct err e;
	FILE *f;

	(void)state;
	snprintf(path, sizeof(path), "%s/gate.jsonl", trial.folder);
	f = fopen(path, "w");
	assert_non_null(f);
	for (size_t i = 0; i < 40; i++)
		fputs(other, f);
	fclose(f);
	trial_teach_some();
	trial_options(&o);
	o.base_bound = 0.5;
	e = (struct err)ERR_INIT;
	if (retrain(&o, &r, &e) < 0)
		fail_msg("%s", e.msg);
	trial_went_to_the_gate(&r);
	for (const char *p = trial.said.s; (p = strstr(p, "too far from the base for the gate: ")) != NULL; p++)
		back++;
	assert_in_range(back, 1, 2);
	assert_true(r.published);
}

static void same_steps_same_weights(void **state)
{
	struct retrain_options o;
	struct retrain_result r;
	struct model *m[2];
	char path[100];

	(void)state;
	trial_teach_some();
	for (int k = 0; k < 2; k++) {
		trial_options(&o);
		o.threads = 1 + (size_t)k;
		o.onto_base = true;
		assert_int_equal(retrain(&o, &r, NULL), 0);
		assert_true(r.published);
		snprintf(path, sizeof(path), "%s/models/%s.safetensors", trial.folder, r.model);
		assert_int_equal(model_load(&m[k], path, MODEL_F32, NULL), 0);
	}
	assert_memory_equal(m[0]->w->flat, m[1]->w->flat, m[0]->w->layout.total * sizeof(real));
	model_unref(m[0]);
	model_unref(m[1]);
}

static void learn_as_adapter(struct retrain_result *r)
{
	struct retrain_options o;
	struct err e = ERR_INIT;

	trial_options(&o);
	o.adapter = 6;
	o.lr = 2e-2;
	o.steps = 240;
	if (retrain(&o, r, &e) < 0)
		fail_msg("%s", e.msg);
}

static void served_alike(struct model *exact, const struct model *served)
{
	struct model *m = model_served(exact);
	const struct params *ps = &m->w->layout;

	assert_non_null(served->w->bytes);
	for (size_t i = 0; i < W_COUNT; i++) {
		const size_t rows = ps->p[i].rows, cols = ps->p[i].cols;
		real *x = xcalloc(rows, sizeof(*x)), *y = xcalloc(2 * cols, sizeof(*y));

		for (size_t k = 0; k < rows; k++)
			x[k] = (real)((double)(k * 37 % 101) / 50 - 1);
		if (weights_in_product(i) && i != W_EMBED) {
			weights_product(m->w, i, 1, x, rows, false, y, cols);
			weights_product(served->w, i, 1, x, rows, false, y + cols, cols);
			if (memcmp(y, y + cols, cols * sizeof(*y)) != 0)
				fail_msg("%s", ps->p[i].name);
		}
		free(x);
		free(y);
	}
	model_unref(m);
}

/* A small file beside the shipped model, loaded like any version, merged to the same weights, and worth nothing with another
 * shipped model. */
static void an_adapter(void **state)
{
	struct retrain_result r;
	struct registry_list l;
	struct registry *reg;
	struct model *m[3];
	struct err e = ERR_INIT;
	char *id, *note, path[80];

	(void)state;
	trial_teach_some();
	learn_as_adapter(&r);
	if (!r.published)
		for (size_t i = 0; i < r.checks; i++)
			print_message("%s %g %s\n", r.gate[i].name, r.gate[i].value, r.gate[i].detail);
	assert_true(r.published);
	assert_int_equal(registry_open(&reg, trial.folder, getenv("ANSWERBACK_MODEL"), NULL), 0);
	assert_int_equal(registry_list(reg, &l, NULL), 0);
	assert_int_equal(l.n, 2);
	assert_true(l.v[1].adapter && !l.v[0].adapter);
	assert_null(l.v[1].damage);
	assert_true(l.v[1].bytes < l.v[0].bytes);
	registry_list_free(&l);

	/* merged */
	assert_int_equal(registry_model(reg, "v1", MODEL_F32, &m[0], &e), 0);
	assert_memory_not_equal(m[0]->w->flat, trial.tiny.m->w->flat, m[0]->w->layout.total * sizeof(real));
	assert_int_equal(registry_add(reg, m[0]->w, m[0]->tok, "{}", "{}", &id, NULL), 0);
	assert_int_equal(registry_model(reg, id, MODEL_F32, &m[1], &e), 0);
	assert_memory_equal(m[0]->w->flat, m[1]->w->flat, m[0]->w->layout.total * sizeof(real));
	model_unref(m[1]);

	/* served: in 8 bits alone, and the very same as the merged one in 8 bits; full precision is read again */
	assert_int_equal(registry_model(reg, "v1", MODEL_SERVE, &m[1], &e), 0);
	assert_null(m[1]->w->flat);
	assert_null(m[1]->of);
	assert_string_equal(m[0]->lineage, m[1]->lineage);
	assert_string_equal(m[0]->scores, m[1]->scores);
	served_alike(m[0], m[1]);
	assert_int_equal(model_as_f32(&m[2], m[1], &e), 0);
	assert_memory_equal(m[0]->w->flat, m[2]->w->flat, m[0]->w->layout.total * sizeof(real));
	for (size_t i = 0; i < 3; i++)
		model_unref(m[i]);

	/* what serves is not removed, what does not is */
	assert_int_equal(registry_remove(reg, "v1", &e), ERR_USAGE);
	assert_int_equal(registry_remove(reg, "base", &e), ERR_USAGE);
	assert_int_equal(registry_remove(reg, id, NULL), 0);
	assert_int_equal(registry_remove(reg, id, &e), ERR_NOTFOUND);
	free(id);

	/* a newer shipped model: it serves, and it is said */
	snprintf(path, sizeof(path), "%s/m.safetensors", trial.folder);
	trial.tiny.m->w->flat[0] += 1;
	tiny_save(&trial.tiny, path);
	trial.tiny.m->w->flat[0] -= 1;
	assert_int_equal(registry_list(reg, &l, NULL), 0);
	assert_non_null(strstr(l.v[1].damage, "another shipped model"));
	registry_list_free(&l);
	registry_close(reg);
	unsetenv("ANSWERBACK_MODEL");
	if (registry_load(NULL, trial.folder, false, &m[0], &id, &note, &e) == 0) {      /* the program's own may not be there */
		assert_string_equal(id, "base");
		assert_non_null(strstr(note, "another shipped model"));
		model_unref(m[0]);
		free(id);
	}
	free(note);
}

static void one_trainer_a_folder(void **state)
{
	struct registry *other;
	struct retrain_result r;
	struct err e;

	(void)state;
	trial_teach_some();
	assert_int_equal(registry_open(&other, trial.folder, getenv("ANSWERBACK_MODEL"), NULL), 0);
	assert_int_equal(registry_lock(other, NULL), 0);
	assert_int_equal(trial_run(&r, &e), ERR_BUSY);
	assert_non_null(strstr(e.msg, "another program is training"));
	registry_close(other);
}

static void contradictions_the_newer_counts(void **state)
{
	struct retrain_result r;
	struct err e;

	(void)state;
	trial_teach("where is my parcel?", "the parcel is on its way.", 1);
	trial_teach("Where is my parcel?", "we will look into it at once.", 1);
	trial_teach("where is my parcel?", "we will look into it at once.", 1);
	assert_int_equal(trial_run(&r, &e), 0);
	assert_int_equal(r.left_out, 2);
	assert_int_equal(r.examples, 1);
	assert_non_null(strstr(trial.said.s, "example 1 left out: example 2 answers the same question differently"));
	trial_went_to_the_gate(&r);
}

/* An example whose weight would drown all others, and one of no sense: training goes on as if they were not so. */
static void exploding_examples(void **state)
{
	struct retrain_result r;
	struct err e;

	(void)state;
	trial_teach_some();
	trial_teach("hello", "how can we help you today?", 1e30);
	trial_teach("is there anything else?", "\\u0001\\u0002qZ~^`|\\u0003{}[]#$\\u0005\\u0006\\u0007@@%%^^&&**", 1);
	assert_int_equal(trial_run(&r, &e), 0);
	trial_went_to_the_gate(&r);
	assert_true(r.gate[0].value < 1);      /* base_bits: it did not fly apart */
}

static void nonsense_alone_is_nothing(void **state)
{
	struct retrain_result r;
	struct err e;

	(void)state;
	trial_teach("q", "\\u0001\\u0002\\u0003\\u0004\\u0005\\u0006\\u0007\\u000e\\u000f\\u0010\\u0011\\u0012\\u0013\\u0014\\u0015\\u0016\\u0017", 1);
	assert_int_equal(trial_run(&r, &e), 0);
	if (r.left_out) {
		assert_true(r.nothing);
		assert_non_null(strstr(trial.said.s, "makes no sense"));
	}
	trial_serves(r.published ? r.model : "base");
}

static void damaged_version_falls_back(void **state)
{
	struct retrain_result r;
	struct registry *reg;
	struct err e;
	char path[100], *id;

	(void)state;
	trial_teach_some();
	assert_int_equal(registry_open(&reg, trial.folder, getenv("ANSWERBACK_MODEL"), NULL), 0);
	assert_int_equal(registry_add(reg, trial.tiny.m->w, trial.tiny.m->tok, "{}", "{}", &id, NULL), 0);
	assert_int_equal(registry_promote(reg, id, "promoted", NULL), 0);
	registry_close(reg);
	free(id);
	snprintf(path, sizeof(path), "%s/models/v1.safetensors", trial.folder);
	assert_int_equal(truncate(path, 3000), 0);
	assert_int_equal(trial_run(&r, &e), 0);
	assert_non_null(strstr(trial.said.s, "version v1 cannot be used"));
	assert_non_null(strstr(trial.said.s, "starting from the shipped model"));
	assert_int_equal(r.checks, GATE_CHECKS);
}

/* What serves learned from something that was forgotten: going on from it would keep it. */
static void forgotten_is_not_gone_on_from(void **state)
{
	struct retrain_result r;
	struct registry *reg;
	struct store *s;
	struct err e;
	char *id;

	(void)state;
	trial_teach_some();
	trial_teach("who is the secret customer?", "it is anna.", 1);
	assert_int_equal(registry_open(&reg, trial.folder, getenv("ANSWERBACK_MODEL"), NULL), 0);
	assert_int_equal(registry_add(reg, trial.tiny.m->w, trial.tiny.m->tok, "{}", "{}", &id, NULL), 0);
	assert_int_equal(registry_promote(reg, id, "promoted", NULL), 0);
	registry_close(reg);
	assert_int_equal(store_open(&s, trial.folder, STORE_READ_WRITE, NULL), 0);
	assert_int_equal(store_run_add(s, "retrain", id, "base", "published", "{}", 1, (int64_t[]){ 3 }, 1, NULL), 0);
	assert_int_equal(store_forget(s, &(struct store_forget){ .kind = STORE_FORGET_PHRASE, .text = "secret customer" }, true,
	                              &(struct store_forgotten){ 0 }, NULL), 0);
	assert_true(store_model_tainted(s, id));
	store_close(s);
	assert_int_equal(trial_run(&r, &e), 0);
	assert_non_null(strstr(trial.said.s, "version v1 learned from something that was forgotten; starting from the shipped model"));
	assert_int_equal(r.checks, GATE_CHECKS);
	assert_int_equal(store_open(&s, trial.folder, STORE_READ_WRITE, NULL), 0);
	assert_false(r.published && store_model_tainted(s, r.model));
	store_close(s);
	free(id);
}

/* The setting retrain_at, from the command line's and the screen's point of view. */
static void scheduled(void **state)
{
	struct retrain_result r;
	struct err e;
	char path[80], name[100];
	bool due;

	(void)state;
	assert_int_equal(config_override(CONFIG_RETRAIN_AT, "off", "test", NULL), 0);
	trial_teach_some();
	assert_int_equal(retrain_scheduled(trial.folder, &due, NULL), 0);
	assert_false(due);
	assert_int_equal(config_override(CONFIG_RETRAIN_AT, "daily 03:30", "test", NULL), 0);
	assert_int_equal(retrain_scheduled(trial.folder, &due, NULL), 0);
	assert_true(due);                         /* never yet, and there is something to learn */
	assert_int_equal(trial_run(&r, &e), 0);
	assert_int_equal(retrain_scheduled(trial.folder, &due, NULL), 0);
	assert_false(due);                        /* just done */

	/* two days on, with nothing new, then with something */
	struct retrain_state st;

	snprintf(path, sizeof(path), "%s/models", trial.folder);
	retrain_state_read(&st, path);
	st.began -= 2 * 86400 * 1000;
	assert_int_equal(retrain_state_write(&st, path, NULL), 0);
	assert_int_equal(retrain_scheduled(trial.folder, &due, NULL), 0);
	assert_false(due);
	usleep(5000);
	trial_teach("hello", "thank you, that is all.", 1);
	assert_int_equal(retrain_scheduled(trial.folder, &due, NULL), 0);
	assert_true(due);
	/* a state that is no JSON counts as none */
	snprintf(name, sizeof(name), "%s/retrain.json", path);
	FILE *f = fopen(name, "w");

	fputs("{\"start", f);
	fclose(f);
	assert_int_equal(retrain_scheduled(trial.folder, &due, NULL), 0);
	assert_true(due);
	config_override(CONFIG_RETRAIN_AT, "off", "test", NULL);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, trial_setup, trial_teardown)
	const struct CMUnitTest tests[] = {
		T(nothing_to_train_on), T(it_learns_and_publishes), T(too_far_for_the_gate_goes_back), T(same_steps_same_weights), T(an_adapter),
		T(one_trainer_a_folder), T(contradictions_the_newer_counts), T(exploding_examples), T(nonsense_alone_is_nothing),
		T(damaged_version_falls_back), T(forgotten_is_not_gone_on_from), T(scheduled),
	};
	int failed;

	trial_begin();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	trial_end();
	return failed;
}
