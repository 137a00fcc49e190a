/* SPDX-License-Identifier: GPL-3.0-or-later */
/* infer: the thread that owns models, conversations and ghosts; app.c posts to it, it answers
 * with events in the mailbox and with logs to the storekeeper. */
#ifndef ANSWERBACK_INFER_H
#define ANSWERBACK_INFER_H

#include "mailbox.h"
#include "storekeeper.h"

struct infer;

struct infer_options {
	const char *model, *company;      /* as app_options; copied */
	struct mailbox *box;
	struct storekeeper *keeper;
};

int infer_start(struct infer **out, const struct infer_options *o, struct err *e);
/* Cancels, waits for the storekeeper's jobs (which may post here until then), saves what was learned of the person,
 * ends. NULL is fine. */
void infer_stop(struct infer *f);
bool infer_busy(struct infer *f);
void infer_cancel(struct infer *f);

/* From now on nothing of what is said, shown or written is logged or learned from; what was posted before is. */
void infer_set_quiet(struct infer *f, bool quiet);

enum infer_what {
	INFER_SAY,                /* role, origin, text */
	INFER_UNSAY,              /* the last turn is taken back */
	INFER_REPLY, INFER_SUGGEST,
	INFER_WHY,                /* serial: how many replies back */
	INFER_GHOST,              /* role, text, serial; only the newest counts */
	INFER_ANOTHER,            /* the same, asked for by key: origin is what is shown ("" nothing), and something else is wanted */
	INFER_PAGE,               /* the same in a document: origin is the page before the draft, a paragraph a line */
	INFER_LEARN,              /* text: a paragraph that the person wrote */
	INFER_FATE,               /* text: "taken", "word", "ignored", "dismissed"; serial: characters taken */
	INFER_SUGGESTED,          /* text: "taken", "edited", "ignored"; serial: which of them, from 1 on, or 0 */
	INFER_MODEL,              /* load again what the registry says serves */
	INFER_CALL                /* infer_then's */
};
/* Texts are copied; NULL where the task has none. */
void infer_post(struct infer *f, enum infer_what what, int64_t conversation, const char *role, const char *origin,
                const char *text, uint64_t serial);
/* run(arg) on the inference thread once all posted before is done and logged, at the latest when it stops. */
void infer_then(struct infer *f, void (*run)(void *arg), void *arg);

enum { INFER_EVERYTHING = 0, INFER_ONLY_CANNED = -1 };
/* This example changed in the store, or all may have (INFER_EVERYTHING), or none but canned replies did: the next answer
 * knows. From any thread, once it is written. */
void infer_remember(struct infer *f, int64_t example);

#endif
