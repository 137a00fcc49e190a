/* SPDX-License-Identifier: GPL-3.0-or-later */
/* retrain: the approved examples into the weights, for good, while the chat goes on.
 *
 * A clone of the model that serves learns the examples, mixed with dialogues that the model itself makes up
 * and is held to its own distributions on (replay.h, dataset_pull). The best weights that stay close to the base
 * go through the gate (gate.h); only what passes becomes the version that serves (registry.h). Runs in the
 * caller's thread, which it puts at idle priority when asked; one at a time on a data folder. */
#ifndef ANSWERBACK_RETRAIN_H
#define ANSWERBACK_RETRAIN_H

#include <stdatomic.h>

#include "base/err.h"
#include "gate.h"

enum retrain_order { RETRAIN_GO, RETRAIN_PAUSE, RETRAIN_KEEP, RETRAIN_CANCEL };

struct retrain_options {
	const char *model;            /* --model or NULL: what the registry says */
	const char *data_dir, *company;
	double minutes;               /* budget of the whole, gate not counted */
	size_t threads, replay;       /* replayed dialogues */
	uint64_t seed;
	double lr, pull, contrast;    /* contrast: weight of right answers against others in their place */
	size_t wordings;              /* made of each example; 0: by their number */
	bool idle;                    /* lowest priority */
	const atomic_int *order;      /* NULL, or what the person wants now */
	/* Called from the running thread; text is a line for the person. */
	void (*progress)(const char *text, double share, void *arg);
	void *arg;
	const char *log;              /* JSONL like `train --log`; NULL: none */
};
void retrain_defaults(struct retrain_options *o);

struct retrain_result {
	bool published, nothing;      /* nothing: there was no approved example */
	char model[16];               /* version, "" when none */
	struct gate_check gate[GATE_CHECKS];
	size_t checks, examples, replayed, steps;
	double seconds;
};

/* ERR_CANCELLED; ERR_BUSY: another trainer. A gate that fails is no error: published is false. */
int retrain(const struct retrain_options *o, struct retrain_result *r, struct err *e);

#endif
