/* SPDX-License-Identifier: GPL-3.0-or-later */
/* infer_private: what the parts of the inference thread share. Only infer*.c include this; all of it runs on that thread. */
#ifndef ANSWERBACK_INFER_PRIVATE_H
#define ANSWERBACK_INFER_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "canned.h"
#include "ghost.h"
#include "infer.h"
#include "memory.h"
#include "talk.h"

struct task {
	struct task *next;
	enum infer_what what;
	int64_t conversation;
	char *role, *origin, *text;
	uint64_t serial;
	bool quiet;                   /* posted while nothing was to be kept */
	void (*call)(void *arg);
	void *arg;
};

struct turn {
	char *role, *text;
};

struct conversation {
	struct talk *talk;            /* made anew when the model changes */
	struct ghost *ghost;
	struct turn *turn;
	size_t turns;
	int64_t suggested[3];         /* the storekeeper's numbers of what is shown, */
	size_t length[3];             /* and characters in each */
	size_t suggestions;
	bool quiet;                   /* something in it is not to be kept, and what is proposed may quote it */
};

struct infer {
	struct mailbox *box;
	struct storekeeper *keeper;
	char *given, *company, *version;
	struct model *m;
	struct ghost_person *person;
	struct memory *memory;
	struct canned_list canned;
	bool memory_known;            /* false: ask the storekeeper what changed before the next reply */
	struct conversation *c;
	size_t n;
	struct ghost_text shown;      /* what the screen shows, for its fate */
	int64_t shown_in;
	bool has_shown;
	char shown_fate[16];          /* "": nobody has said; the first but "ignored" counts */
	size_t shown_chars;           /* taken of it so far */
	double shown_ms;
	bool shown_quiet;
	bool quiet_task;              /* the task at hand is */

	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t work;
	struct task *first, **last;   /* guarded by lock, as all down to busy */
	int64_t *changed;             /* examples that infer_remember told of */
	size_t changes, changes_cap;
	bool everything, news;        /* read all of them again; something changed */
	bool stop, busy;
	atomic_bool cancel, newer_ghost, quiet;
};

/* Nothing of what is made now may be kept: it was asked for so, or is wished so since. */
bool infer_quiet(const struct infer *f);
bool infer_stopping(struct infer *f);

/* ---- infer_task.c ---- */
void infer_run(struct infer *f, const struct task *t);
void infer_note(struct infer *f, const char *text);           /* a line for the person */
double infer_now_ms(void);
struct conversation *infer_conversation(struct infer *f, int64_t id);
struct talk *infer_talk(struct infer *f, struct conversation *c);
void infer_drop_talk(struct conversation *c);                 /* made anew when it is asked for */
void infer_add_turn(struct infer *f, struct conversation *c, const char *role, const char *text);
void infer_log(struct infer *f, struct conversation *c, const char *role, const char *origin, const char *text, double ms);
void infer_load(struct infer *f);                             /* the model that the registry says serves */
void infer_save_person(struct infer *f);
/* What was taught answers first, and says so. */
bool infer_remembered(struct infer *f, struct conversation *c, struct memory_hit *hit, char **source);

/* ---- infer_suggest.c ---- */
void infer_suggest(struct infer *f, const struct task *t);
/* What became of those that are shown; of all but number `which` (from 1 on) nothing. */
void infer_suggested(struct infer *f, struct conversation *c, size_t which, const char *fate);

/* ---- infer_ghost.c ---- */
void infer_ghost(struct infer *f, const struct task *t);
void infer_fate(struct infer *f, const struct task *t);
void infer_forget_shown(struct infer *f);
const char *infer_writer(const struct infer *f);              /* the role of who writes documents */

#endif
