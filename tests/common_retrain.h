/* SPDX-License-Identifier: GPL-3.0-or-later */
/* common_retrain: a data folder, a tiny model that serves from it, and retrainings of it that are watched and given orders. */
#ifndef ANSWERBACK_TESTS_COMMON_RETRAIN_H
#define ANSWERBACK_TESTS_COMMON_RETRAIN_H

#include <stdatomic.h>
#include <sys/resource.h>

#include "../src/base/str.h"
#include "../src/retrain.h"
#include "common_tiny.h"

/* What the run said, and what a test wants done when it says something. */
struct retrain_trial {
	char folder[40];
	struct tiny tiny;
	struct str said;
	atomic_int order;
	const char *on_text;
	int on_order;
	rlim_t on_limit;
	bool on_replay;               /* cancel when the replay says how far it is */
	double furthest;              /* share that was said */
};
extern struct retrain_trial trial;

/* Of each test; trial.tiny is made before the first and freed after the last of them (trial_begin, trial_end). */
void trial_begin(void);
void trial_end(void);
int trial_setup(void **state);
int trial_teardown(void **state);
void trial_limit(rlim_t bytes);      /* of files that are written; 0: none */

void trial_teach(const char *question, const char *answer, double weight);
void trial_teach_some(void);
void trial_options(struct retrain_options *o);
int trial_run(struct retrain_result *r, struct err *e);
char *trial_current(void);           /* the version that serves; caller frees */
void trial_serves(const char *id);
bool trial_in_folder(const char *name);
/* Whatever the bounds make of a tiny model: not what these tests are about. */
void trial_went_to_the_gate(const struct retrain_result *r);

#endif
