/* SPDX-License-Identifier: GPL-3.0-or-later */
/* retrain: the approved examples into the weights, for good, while the chat goes on.
 *
 * A clone of the model that serves learns the examples in many wordings, mixed with questions that look like them and
 * dialogues that the shipped model itself makes up, on which it is held to that model's own distributions
 * (retrain_mix.h, dataset_pull). The best weights that stay close to it go through the gate (gate.h); only what
 * passes becomes the version that serves (registry.h). Runs in the caller's thread, which it puts at idle priority
 * when asked; one at a time on a data folder. A run that is interrupted is gone on with by the next one (retrain_state.h). */
#ifndef ANSWERBACK_RETRAIN_H
#define ANSWERBACK_RETRAIN_H

#include <stdatomic.h>

#include "base/err.h"
#include "gate.h"

/* KEEP: stop training, what was learned goes to the gate. CANCEL: nothing is changed. QUIT: stop for now. */
enum retrain_order { RETRAIN_GO, RETRAIN_PAUSE, RETRAIN_KEEP, RETRAIN_CANCEL, RETRAIN_QUIT };

struct retrain_options {
	const char *model;            /* --model or NULL: what the registry says */
	const char *data_dir, *company;
	double minutes;               /* budget of the whole, gate not counted */
	size_t steps;                 /* > 0: this many instead, and the same weights every time */
	size_t threads, replay;       /* replayed dialogues; 0: by the budget */
	uint64_t seed;
	double lr, pull, contrast;    /* contrast: weight of right answers against others in their place */
	size_t wordings;              /* made of each example; 0: by their number */
	double base_bound;            /* of the gate: how much worse the base's likelihood may get (0.01) */
	size_t adapter;               /* > 0: low-rank factors of this rank on the shipped model instead of new weights */
	bool onto_base;               /* start from the shipped model, not from the version that serves */
	bool fresh;                   /* forget an interrupted run */
	size_t keep;                  /* versions left after publishing; 0: all */
	bool idle;                    /* lowest priority */
	const atomic_int *order;      /* NULL, or what the person wants now */
	/* Called from the running thread; text is a line for the person. */
	void (*progress)(const char *text, double share, void *arg);
	void *arg;
	const char *log;              /* JSONL like `train --log`; NULL: none */
};
void retrain_defaults(struct retrain_options *o);
/* Factors move the weights by a product of two small things: they want a higher rate. */
#define RETRAIN_ADAPTER_LR 0.003

struct retrain_result {
	bool published, nothing;      /* nothing: there was no approved example */
	bool interrupted;             /* with ERR_CANCELLED: the next one goes on */
	char model[16];               /* version, "" when none */
	struct gate_check gate[GATE_CHECKS];
	size_t checks, examples, replayed, steps;
	size_t left_out;              /* approved examples not learned from: contradicted by a newer one, or of no use */
	double seconds;
};

/* ERR_CANCELLED; ERR_BUSY: another trainer. A gate that fails is no error: published is false. */
int retrain(const struct retrain_options *o, struct retrain_result *r, struct err *e);

/* Whether the setting retrain_at asks for a run now: its time has come since the last run began, and an example was
 * approved since the last one that came to its end. */
int retrain_scheduled(const char *data_dir, bool *due, struct err *e);
/* Whether a run was interrupted that the next one can go on with. */
bool retrain_waits(const char *data_dir);

#endif
