/* SPDX-License-Identifier: GPL-3.0-or-later */
/* storekeeper_private: what the queue and the log share. Only storekeeper*.c include this. */
#ifndef ANSWERBACK_STOREKEEPER_PRIVATE_H
#define ANSWERBACK_STOREKEEPER_PRIVATE_H

#include <pthread.h>

#include "storekeeper.h"

struct logged {
	char *case_id, *customer, *company, *source;
	int64_t row;                  /* 0: not in the store yet. The keeper's thread alone writes it */
};

struct said;
struct shown;

struct storekeeper {
	struct store *store;          /* NULL: private */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t work, idle;
	struct job *first, **last;
	bool searching, busy, stop;
	struct logged **conversation;
	size_t conversations;
	int64_t numbers;              /* of what was shown */
	char *trouble;
	/* the keeper's thread alone: */
	struct said *waiting, **last_waiting;      /* turns that could not be written yet, oldest first */
	size_t n_waiting;
	struct shown *shown;          /* suggestions nobody has decided on, and completions to be written */
	size_t n_shown;
};

/* drop not NULL: a search. */
void storekeeper_put(struct storekeeper *k, void (*run)(struct store *s, void *arg), void (*drop)(void *arg), void *arg);
/* Posts what is left to write; frees what the log holds (after the thread has ended). */
void storekeeper_log_end(struct storekeeper *k);
void storekeeper_log_free(struct storekeeper *k);

#endif
