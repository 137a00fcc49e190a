/* SPDX-License-Identifier: GPL-3.0-or-later */
/* app: the program without a screen, and all that a screen may talk to.
 *
 * Every call returns at once: models, decoding and SQL live in two threads behind it (inference, storekeeper),
 * and what comes of a call arrives as events (event.h) when app_fd is readable. Texts given are copied.
 * All calls come from one thread. */
#ifndef ANSWERBACK_APP_H
#define ANSWERBACK_APP_H

#include "base/err.h"
#include "event.h"

struct app;

struct app_options {
	const char *model;            /* --model, or NULL */
	const char *company;          /* or NULL */
	const char *send_command;     /* run with each sent reply on its standard input; NULL: none */
	const char *inbox;            /* file or FIFO of customers' messages; NULL: none */
};

/* The model loads in the background: EVENT_READY. A store that cannot be had becomes an EVENT_NOTE. */
int app_open(struct app **out, const struct app_options *o, struct err *e);
/* Cancels what runs, keeps what was said, ends the threads. */
void app_close(struct app *a);
int app_fd(const struct app *a);
bool app_next(struct app *a, struct event *ev);      /* false: none waits; free with event_fini */

bool app_private(const struct app *a);               /* nothing is kept */
/* Keep nothing of what is said, shown or written from now on, or keep it again: what was said meanwhile is never kept, nor
 * what hangs on it. False: it was started so, and there is no store to keep anything in. */
bool app_set_private(struct app *a, bool on);
bool app_busy(const struct app *a);                  /* a reply or suggestions are being made */

/* Conversations are known by numbers of this run, from 1 on. */
int64_t app_conversation(struct app *a, const char *case_id, const char *customer);
/* field: "case_id", "state" ("open", "closed"). */
void app_set(struct app *a, int64_t conversation, const char *field, const char *value);
/* What is said in it from now on goes on with this row of the history. */
void app_adopt(struct app *a, int64_t conversation, int64_t row);
/* Something was said; kept and part of the context from now on. role "user" or "assistant"; origin as in
 * store.h. */
void app_say(struct app *a, int64_t conversation, const char *role, const char *origin, const char *text);
/* A reply to what has been said: EVENT_TEXT..., EVENT_REPLY. It is part of the conversation then (origin "model"). */
void app_reply(struct app *a, int64_t conversation);
/* Up to three different replies: EVENT_SUGGESTIONS. Nothing becomes part of the conversation. */
void app_suggest(struct app *a, int64_t conversation);
/* What became of them: index taken or -1, and whether it was edited before it was sent. */
void app_suggested(struct app *a, int64_t conversation, int taken, bool edited);
/* What was just said (app_say) as the agent beside what had been suggested ("" nothing): an example to decide on; edited: approved
 * at once where trust_edits is set. */
void app_sent(struct app *a, int64_t conversation, const char *suggested, const char *text, bool edited);
void app_cancel(struct app *a);                      /* what runs now; what has come stays */
/* What the person is typing, for completion: EVENT_GHOST with this serial. A newer request cancels it. */
void app_ghost(struct app *a, int64_t conversation, const char *role, const char *draft, uint64_t serial);
/* Another than what is shown ("" where nothing is), however sure it is: the person asked for it. EVENT_GHOST, "" when there is no other. */
void app_ghost_another(struct app *a, int64_t conversation, const char *role, const char *draft, const char *shown, uint64_t serial);
/* The same in a document: page is what stands before the paragraph, a paragraph a line. */
void app_ghost_page(struct app *a, int64_t conversation, const char *page, const char *draft, uint64_t serial);
/* The person wrote this paragraph of a document: later ghosts know their words. */
void app_learn(struct app *a, const char *text);
/* A ghost was taken ("taken", "word": the first words, `chars` characters) or typed over ("ignored"): for what is shown
 * next, and for the figures. */
void app_ghost_fate(struct app *a, const char *fate, size_t chars);
/* EVENT_WHY for a reply of the conversation: 0 the last, 1 the one before ... */
void app_why(struct app *a, int64_t conversation, size_t back);
/* Hand a sent reply to send_command; EVENT_SENT. False: there is none. */
bool app_send(struct app *a, int64_t conversation, const char *case_id, const char *text);
void app_draft(struct app *a, int64_t conversation, const char *text);

/* ---- what is learned from ---- */
void app_review(struct app *a);                       /* EVENT_REVIEW */
/* Approved ones are remembered from the next reply on. */
void app_review_decide(struct app *a, int64_t example, bool approve);
void app_review_edit(struct app *a, int64_t example, const char *answer);        /* and approve; EVENT_REVIEW */
void app_review_undo(struct app *a);                  /* the last decision or edit; EVENT_REVIEW with its number */
void app_canned(struct app *a);                       /* EVENT_CANNED */
void app_canned_keep(struct app *a, const char *name, const char *text);      /* text NULL: no longer; EVENT_CANNED */

/* ---- history and models ---- */
void app_search(struct app *a, const char *query, uint64_t serial);      /* EVENT_HITS; "" lists the newest */
void app_open_row(struct app *a, int64_t row);        /* a conversation of the history: EVENT_OPENED, under a number of this run */
void app_tag_row(struct app *a, int64_t row, const char *tag);
void app_export_row(struct app *a, int64_t row, const char *path);
void app_delete_row(struct app *a, int64_t row);
void app_rate(struct app *a, int64_t conversation, int rating);          /* the last reply */
/* The last reply should have been this: it is what was said from now on, and an example is proposed. */
void app_correct(struct app *a, int64_t conversation, const char *text);
void app_approve(struct app *a);                      /* every correction that waits for a decision */
void app_models(struct app *a);                       /* EVENT_MODELS */
void app_promote(struct app *a, const char *id);      /* NULL: back to the one before; EVENT_READY */
/* What two versions reply to the last messages of customers, in a thread of its own: EVENT_COMPARED. False: it is at it. */
bool app_compare(struct app *a, const char *first, const char *second);

/* Retrain on what was approved, in a thread of its own at idle priority, while everything goes on. Progress comes
 * as EVENT_TRAINING and as a log (the path, for the training screen), the end as EVENT_TRAINED; a new version serves as soon
 * as it is published. Closed in the middle, it is gone on with by the next. When the setting retrain_at asks for one, EVENT_DUE comes.
 * False: it runs already. */
bool app_retrain(struct app *a, double minutes);
enum app_order { APP_GO, APP_PAUSE, APP_KEEP, APP_CANCEL };
void app_retrain_order(struct app *a, enum app_order order);
bool app_retraining(const struct app *a);
const char *app_retrain_log(struct app *a);

#endif
