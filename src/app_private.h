/* SPDX-License-Identifier: GPL-3.0-or-later */
/* app_private: what the parts of the facade share. Only app*.c include this. */
#ifndef ANSWERBACK_APP_PRIVATE_H
#define ANSWERBACK_APP_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "app.h"
#include "inbox.h"
#include "infer.h"
#include "mailbox.h"
#include "schedule.h"
#include "storekeeper.h"

struct app {
	struct mailbox *box;
	struct storekeeper *keeper;
	struct infer *infer;
	struct inbox *inbox;
	char *company, *send_command, *model;
	struct schedule *schedule;
	/* the trainer */
	pthread_t trainer;
	bool trainer_started;
	atomic_bool training;
	bool quiet;                   /* private for now; the screen's thread alone looks at it */
	atomic_int order;
	double minutes;
	char *log;
	/* two models side by side */
	pthread_t compare;
	bool compare_started;
	atomic_bool comparing, compare_stop;
};

/* A line for the person. From any thread. */
void app_note(struct app *a, const char *text);

/* End what trains and what compares, and wait for it. */
void app_join(struct app *a);
void app_join_compare(struct app *a);

/* On the storekeeper's thread: answer becomes what should have been said where the last reply of the store's conversation
 * stands, an example to decide on (or approved already). suggested NULL: what stands there was the suggestion. */
void app_propose(struct app *a, struct store *s, int64_t row, const char *answer, const char *suggested, const char *origin,
                 bool approved, double weight, struct err *e);

#endif
