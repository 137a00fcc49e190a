/* SPDX-License-Identifier: GPL-3.0-or-later */
/* retrain_mix: what a retraining run reads: the approved examples in many wordings, questions that look like
 * them with what the model says to those now, and dialogues that the model makes up. */
#ifndef ANSWERBACK_RETRAIN_MIX_H
#define ANSWERBACK_RETRAIN_MIX_H

#include "../model/dataset.h"
#include "../model/model.h"
#include "../model/pool.h"
#include "corpus.h"

struct mix_opts {
	size_t replay;                /* dialogues */
	double pull;                  /* of the replay, and of look-alikes */
	size_t wordings, lookalikes;  /* of each example; 0: by their number ... */
	size_t most;                  /* ... of wordings in all, about */
	const char *company;
	uint64_t seed;
	bool (*stop)(void *);         /* looked at from the pool's threads */
	void *arg;
};

struct mix {
	struct dataset *train;
	struct dataset *valid;        /* the examples as they are, and in wordings that are not in train */
	struct dataset *held, *judge; /* the model's own dialogues, none of which is in train: to steer by, and for the gate */
	size_t replayed, wordings, lookalikes;
};

/* examples: the last turn of each is the answer; the one before it, when it is the customer's, is put in other words.
 * teacher: whose dialogues are replayed. Same seed and examples, same mix, with any number of threads. */
void mix_make(struct mix *m, const struct corpus *examples, struct model *teacher, struct pool *pool, const struct mix_opts *o);
void mix_free(struct mix *m);

#endif
