/* SPDX-License-Identifier: GPL-3.0-or-later */
/* common_retrain: the folder, the orders, what is asked of every run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../src/registry.h"
#include "../src/store.h"
#include "common_retrain.h"

struct retrain_trial trial;

void trial_begin(void)
{
	tiny_make(&trial.tiny);
}

void trial_end(void)
{
	tiny_free(&trial.tiny);
	str_free(&trial.said);
}

int trial_setup(void **state)
{
	char path[80];

	(void)state;
	snprintf(trial.folder, sizeof(trial.folder), "/tmp/answerback-retrain-XXXXXX");
	assert_non_null(mkdtemp(trial.folder));
	setenv("HOME", trial.folder, 1);
	setenv("ANSWERBACK_DATA_DIR", trial.folder, 1);
	unsetenv("ANSWERBACK_PRIVATE");
	snprintf(path, sizeof(path), "%s/m.safetensors", trial.folder);
	tiny_save(&trial.tiny, path);
	setenv("ANSWERBACK_MODEL", path, 1);
	str_reset(&trial.said);
	atomic_store(&trial.order, RETRAIN_GO);
	trial.on_text = NULL;
	trial.on_limit = 0;
	return 0;
}

void trial_limit(rlim_t bytes)
{
	struct rlimit l;

	getrlimit(RLIMIT_FSIZE, &l);
	l.rlim_cur = bytes ? bytes : l.rlim_max;
	setrlimit(RLIMIT_FSIZE, &l);
}

int trial_teardown(void **state)
{
	char cmd[64];

	(void)state;
	trial_limit(0);
	snprintf(cmd, sizeof(cmd), "rm -rf %s", trial.folder);
	return system(cmd) == 0 ? 0 : -1;
}

static void hear(const char *text, double share, void *arg)
{
	(void)arg;
	trial.furthest = share > trial.furthest ? share : trial.furthest;
	str_addf(&trial.said, "%s\n", text);
	/* dialogues are made up, and the person is told how far that is */
	if (trial.on_replay && share > 0) {
		trial.on_replay = false;
		atomic_store(&trial.order, RETRAIN_CANCEL);
	}
	if (!trial.on_text || strncmp(text, trial.on_text, strlen(trial.on_text)) != 0)
		return;
	atomic_store(&trial.order, trial.on_order);
	if (trial.on_limit)
		trial_limit(trial.on_limit);
	trial.on_text = NULL;
}

void trial_teach(const char *question, const char *answer, double weight)
{
	static const char taught[] = "taught", approved[] = "approved", none[] = "";
	struct str chat = STR_INIT;
	struct store_example x;
	struct store *s;

	str_addf(&chat, "{\"messages\": [{\"role\": \"user\", \"content\": \"%s\"}, {\"role\": \"assistant\", \"content\": \"%s\"}]}",
	         question, answer);
	x = (struct store_example){
		.chat = chat.s, .question = (char *)(uintptr_t)question, .answer = (char *)(uintptr_t)answer,
		.suggested = (char *)(uintptr_t)none, .state = (char *)(uintptr_t)approved, .origin = (char *)(uintptr_t)taught,
		.flags = (char *)(uintptr_t)none, .weight = weight,
	};
	assert_int_equal(store_open(&s, trial.folder, STORE_READ_WRITE, NULL), 0);
	assert_int_equal(store_example_add(s, &x, NULL), 0);
	store_close(s);
	str_free(&chat);
}

void trial_teach_some(void)
{
	trial_teach("where is my parcel?", "the parcel is on its way.", 1);
	trial_teach("can you give the money back?", "we will give the money back at once.", 1);
}

void trial_options(struct retrain_options *o)
{
	retrain_defaults(o);
	o->data_dir = trial.folder;
	o->minutes = 5;
	o->steps = 120;
	o->base_bound = 2;            /* a tiny model has no room for what it knew */
	o->threads = 1;
	o->replay = 16;
	o->wordings = 4;
	o->lr = 4e-3;
	o->pull = 3;
	o->order = &trial.order;
	o->progress = hear;
}

int trial_run(struct retrain_result *r, struct err *e)
{
	struct retrain_options o;

	trial_options(&o);
	*e = (struct err)ERR_INIT;
	return retrain(&o, r, e);
}

char *trial_current(void)
{
	struct registry *r;
	char *id, *path;

	assert_int_equal(registry_open(&r, trial.folder, getenv("ANSWERBACK_MODEL"), NULL), 0);
	assert_int_equal(registry_current(r, &id, &path, NULL, NULL), 0);
	registry_close(r);
	free(path);
	return id;
}

void trial_serves(const char *id)
{
	char *now = trial_current();

	assert_string_equal(now, id);
	free(now);
}

bool trial_in_folder(const char *name)
{
	char path[120];

	snprintf(path, sizeof(path), "%s/models/%s", trial.folder, name);
	return access(path, F_OK) == 0;
}

void trial_went_to_the_gate(const struct retrain_result *r)
{
	assert_int_equal(r->checks, GATE_CHECKS);
	for (size_t i = 0; i < r->checks; i++)
		assert_true(isfinite(r->gate[i].value));
	trial_serves(r->published ? r->model : "base");
	assert_false(trial_in_folder("retrain.checkpoint"));
}
