/* SPDX-License-Identifier: GPL-3.0-or-later */
/* retrain_private: one run, shared by the flow (retrain.c) and the training itself (retrain_train.c). */
#ifndef ANSWERBACK_RETRAIN_PRIVATE_H
#define ANSWERBACK_RETRAIN_PRIVATE_H

#include <pthread.h>
#include <stdio.h>

#include "../model/pool.h"
#include "../model/train.h"
#include "corpus.h"
#include "registry.h"
#include "retrain.h"
#include "retrain_mix.h"
#include "retrain_state.h"

struct run {
	const struct retrain_options *o;
	struct corpus examples, written, golden;
	struct gate_golden *rules;
	int64_t *ids;
	int64_t newest;
	struct model *start;          /* what is cloned: the version that serves */
	struct model *anchor;         /* what must stay as it was: the shipped model that start came from, else start */
	struct mix mix;
	struct trainer *t;
	struct pool *pool;
	real *best;                   /* closest to the examples among those close to the anchor */
	struct adapter *factors;      /* with o->adapter: those of best */
	double anchor_nats, best_bits, started;
	double told;                  /* when the replay's progress was last said */
	pthread_t thread;             /* the run's own: only it tells */
	struct train_report last;
	bool keep, cancelled, interrupted;
	char *checkpoint;
	FILE *log;
};

double retrain_now(void);
void retrain_say(const struct run *r, double share, const char *text);
bool retrain_stopped(void *run);            /* cancelled or interrupted, for those who look between items */

/* ---- retrain_examples.c ---- */
struct store_example;
/* For store_examples; arg is the run. What is no conversation is passed over. */
bool retrain_add_example(const struct store_example *x, void *arg);
/* Both say which they leave out, and return how many. */
size_t retrain_drop_contradicted(struct run *r);
size_t retrain_drop_hopeless(struct run *r);

/* Train r->start's clone w (taken over) until the budget, patience or an order ends it; r->best is what to judge.
 * resume: go on from r->checkpoint. ERR_CANCELLED: cancelled, or interrupted (r->interrupted; the checkpoint is kept). */
int retrain_train(struct run *r, struct weights *w, bool resume, struct err *e);
/* r->best only part of the way from the base. */
void retrain_step_back(struct run *r, double part);

#endif
