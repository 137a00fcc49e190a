/* SPDX-License-Identifier: GPL-3.0-or-later */
/* retrain_state: what is remembered between retraining runs, in FOLDER/models beside the versions:
 *
 *     retrain.json          the last run: when, of what, how it ended; written whole or not at all
 *     retrain.checkpoint    of a run that was interrupted (train.h)
 *
 * from which a run is gone on with. */
#ifndef ANSWERBACK_RETRAIN_STATE_H
#define ANSWERBACK_RETRAIN_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "corpus.h"

struct retrain_state {
	char start[16];               /* the version it began from */
	char print[24];               /* of what it learns from and how: only the same run is gone on with */
	char outcome[24];             /* "running", "interrupted", "published", "gate failed", "cancelled", "failed"; "" none yet */
	int64_t began, newest;        /* ms; when the newest example it had was decided */
	int64_t examples;
};

/* folder: of the models. A state that is not there or cannot be read is all zero. */
void retrain_state_read(struct retrain_state *s, const char *folder);
int retrain_state_write(const struct retrain_state *s, const char *folder, struct err *e);
/* Caller frees. */
char *retrain_checkpoint_path(const char *folder);

/* A number of the examples' texts and weights, and of `how`. */
void retrain_print(char out[24], const struct corpus *examples, const char *how);

#endif
