/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A retraining is stopped in every way and gone on with; a full disk and a damaged checkpoint lose nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "common_model.h"
#include "common_retrain.h"
#include "common_tiny.h"
#include "retrain.h"
#include "retrain_state.h"

static void cancelled(void **state)
{
	struct retrain_result r;
	struct err e;

	(void)state;
	trial_teach_some();
	trial.on_text = "step 40";
	trial.on_order = RETRAIN_CANCEL;
	assert_int_equal(trial_run(&r, &e), ERR_CANCELLED);
	assert_non_null(strstr(e.msg, "nothing was changed"));
	assert_false(r.interrupted);
	assert_false(trial_in_folder("retrain.checkpoint"));
	assert_false(trial_in_folder("v1.safetensors"));
	assert_false(retrain_waits(trial.folder));
	/* before the first step too */
	str_reset(&trial.said);
	atomic_store(&trial.order, RETRAIN_GO);
	trial.on_text = "replaying";
	assert_int_equal(trial_run(&r, &e), ERR_CANCELLED);
	trial_serves("base");
}

static void kept_when_stopped(void **state)
{
	struct retrain_result r;
	struct err e;

	(void)state;
	trial_teach_some();
	trial.on_text = "step 40";
	trial.on_order = RETRAIN_KEEP;
	assert_int_equal(trial_run(&r, &e), 0);
	trial_went_to_the_gate(&r);
	assert_true(r.steps >= 40 && r.steps < 60);
}

static void interrupted_and_gone_on_with(void **state)
{
	struct retrain_result r;
	struct err e;

	(void)state;
	trial_teach_some();
	trial.on_text = "step 80";
	trial.on_order = RETRAIN_QUIT;
	assert_int_equal(trial_run(&r, &e), ERR_CANCELLED);
	assert_true(r.interrupted);
	assert_non_null(strstr(e.msg, "the next retrain goes on"));
	assert_true(trial_in_folder("retrain.checkpoint"));
	assert_true(retrain_waits(trial.folder));
	trial_serves("base");
	atomic_store(&trial.order, RETRAIN_GO);
	str_reset(&trial.said);
	assert_int_equal(trial_run(&r, &e), 0);
	assert_non_null(strstr(trial.said.s, "going on from step 8"));
	assert_null(strstr(trial.said.s, "step 40:"));
	assert_int_equal(r.steps, 120);
	trial_went_to_the_gate(&r);
	assert_false(retrain_waits(trial.folder));
}

static void the_replay_shows_how_far_it_is(void **state)
{
	struct retrain_options o;
	struct retrain_result r;
	struct err e = ERR_INIT;

	(void)state;
	trial_teach_some();
	trial_options(&o);
	o.steps = 0;
	o.minutes = 5;
	o.replay = 200000;            /* for minutes, if it were not for the order below */
	trial.on_replay = true;
	trial.furthest = 0;
	assert_int_equal(retrain(&o, &r, &e), ERR_CANCELLED);
	assert_false(trial.on_replay);
	assert_true(trial.furthest > 0 && trial.furthest < 0.5);
	assert_non_null(strstr(trial.said.s, "replaying what the model knows\nreplaying what the model knows\n"));
}

static void interrupted_in_the_gate(void **state)
{
	struct retrain_result r;
	struct err e;

	(void)state;
	trial_teach_some();
	trial.on_text = "the gate";
	trial.on_order = RETRAIN_QUIT;
	assert_int_equal(trial_run(&r, &e), ERR_CANCELLED);
	assert_true(r.interrupted);
	assert_true(retrain_waits(trial.folder));
	atomic_store(&trial.order, RETRAIN_GO);
	str_reset(&trial.said);
	assert_int_equal(trial_run(&r, &e), 0);
	assert_non_null(strstr(trial.said.s, "going on from step 120"));
	assert_true(r.published);                 /* with what was learned before */
	trial_went_to_the_gate(&r);
}

static void not_gone_on_with_when_things_changed(void **state)
{
	struct retrain_result r;
	struct err e;

	(void)state;
	trial_teach_some();
	trial.on_text = "step 40";
	trial.on_order = RETRAIN_QUIT;
	assert_int_equal(trial_run(&r, &e), ERR_CANCELLED);
	atomic_store(&trial.order, RETRAIN_GO);
	trial_teach("hello", "thank you, that is all.", 1);
	str_reset(&trial.said);
	assert_int_equal(trial_run(&r, &e), 0);
	assert_non_null(strstr(trial.said.s, "starting anew"));
	assert_non_null(strstr(trial.said.s, "step 40:"));
	trial_went_to_the_gate(&r);
}

static void disk_full_while_publishing(void **state)
{
	struct retrain_result r;
	struct err e;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	trial_teach_some();
	trial.on_text = "the gate";
	trial.on_order = RETRAIN_GO;
	trial.on_limit = 20000;
	assert_int_equal(trial_run(&r, &e), ERR_IO);
	trial_limit(0);
	assert_false(r.published);
	trial_serves("base");
	assert_false(trial_in_folder("v1.safetensors"));
	/* with room again it is learned */
	assert_int_equal(trial_run(&r, &e), 0);
	assert_true(r.published);
	trial_serves("v1");
}

static void disk_full_while_interrupting(void **state)
{
	struct retrain_result r;
	struct err e;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	trial_teach_some();
	trial.on_text = "step 40";
	trial.on_order = RETRAIN_QUIT;
	trial.on_limit = 20000;
	assert_int_equal(trial_run(&r, &e), ERR_IO);
	trial_limit(0);
	assert_non_null(strstr(e.msg, "checkpoint not saved"));
	assert_false(trial_in_folder("retrain.checkpoint"));
	trial_serves("base");
	atomic_store(&trial.order, RETRAIN_GO);
	assert_int_equal(trial_run(&r, &e), 0);
	trial_went_to_the_gate(&r);
}

static void damaged_checkpoint(void **state)
{
	struct retrain_result r;
	struct err e;
	char path[100];

	(void)state;
	trial_teach_some();
	trial.on_text = "step 40";
	trial.on_order = RETRAIN_QUIT;
	assert_int_equal(trial_run(&r, &e), ERR_CANCELLED);
	snprintf(path, sizeof(path), "%s/models/retrain.checkpoint", trial.folder);
	assert_int_equal(truncate(path, 5000), 0);
	atomic_store(&trial.order, RETRAIN_GO);
	assert_int_equal(trial_run(&r, &e), 0);      /* says why, and starts anew */
	assert_int_equal(r.steps, 120);
	trial_went_to_the_gate(&r);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, trial_setup, trial_teardown)
	const struct CMUnitTest tests[] = {
		T(cancelled), T(kept_when_stopped), T(interrupted_and_gone_on_with), T(the_replay_shows_how_far_it_is), T(interrupted_in_the_gate),
		T(not_gone_on_with_when_things_changed), T(disk_full_while_publishing), T(disk_full_while_interrupting), T(damaged_checkpoint),
	};
	int failed;

	trial_begin();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	trial_end();
	return failed;
}
