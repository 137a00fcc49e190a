/* SPDX-License-Identifier: GPL-3.0-or-later */
/* storekeeper: the thread that owns the writing connection, so that neither the screen nor a reply
 * waits for a disk.
 *
 * Jobs run one after another in the order they were posted. A search gives way: posting a newer one
 * interrupts the one that runs, and every search waits behind no other. What a job says back goes through
 * its own means (a mailbox, a struct the poster waits for). Safe from any thread. */
#ifndef ANSWERBACK_STOREKEEPER_H
#define ANSWERBACK_STOREKEEPER_H

#include "store.h"

struct storekeeper;

/* data_dir as in store_open. Nothing is opened when ANSWERBACK_PRIVATE is set: jobs then get a NULL store. */
int storekeeper_start(struct storekeeper **out, const char *data_dir, struct err *e);
/* Runs what was posted, then ends. NULL is fine. */
void storekeeper_stop(struct storekeeper *k);
bool storekeeper_private(const struct storekeeper *k);

/* run is called once on the keeper's thread; arg is the poster's to free in it. */
void storekeeper_post(struct storekeeper *k, void (*run)(struct store *s, void *arg), void *arg);
/* The same for a search: jobs of this kind that wait are dropped (drop frees their arg) and the
 * one that runs is interrupted. */
void storekeeper_search(struct storekeeper *k, void (*run)(struct store *s, void *arg), void (*drop)(void *arg), void *arg);
/* Wait until everything posted before has run. */
void storekeeper_flush(struct storekeeper *k);

/* ---- what is logged as it happens ---- */

/* A conversation by a number of the program's own; the rows are made with the first message. What cannot be
 * written waits and is tried again with the next message and at the end (storekeeper_trouble says so): a full disk
 * must not stop a reply. A database that was deleted while open is made anew. */
int64_t storekeeper_conversation(struct storekeeper *k, const char *case_id, const char *customer, const char *company,
                                 const char *source);
/* Change "case_id" or "state" of it, now or when its rows are made. */
void storekeeper_set(struct storekeeper *k, int64_t conversation, const char *field, const char *value);
/* Its rows are there already: it goes on with them. */
void storekeeper_adopt(struct storekeeper *k, int64_t conversation, int64_t row);
/* Strings are copied. Once storekeeper_flush returns without new trouble, it is on the disk. */
void storekeeper_message(struct storekeeper *k, int64_t conversation, const char *role, const char *origin,
                         const char *text, size_t len, const char *model, double latency_ms);
/* Something was shown: a suggested reply (kind "reply": kept at once, fate NULL), or text ahead of the cursor (kind
 * "completion": given when its fate is known, kept with the next message). Strings are copied; g's conversation is not
 * looked at. The number is for storekeeper_fate, which says once what became of a suggestion. */
int64_t storekeeper_shown(struct storekeeper *k, int64_t conversation, const struct store_suggestion *g);
void storekeeper_fate(struct storekeeper *k, int64_t shown, const char *fate, int64_t chars);
/* Delete what is older, a little at a time. said (on the keeper's thread, once, may be NULL) tells what went, if
 * anything. Call at start. */
void storekeeper_retain(struct storekeeper *k, int days, void (*said)(const char *text, void *arg), void *arg);
/* The last thing that could not be kept, once; NULL when there was none. Caller frees. */
char *storekeeper_trouble(struct storekeeper *k);
/* The store's own id of such a conversation; 0 before its first message. Call in a job, or after a flush. */
int64_t storekeeper_row(struct storekeeper *k, int64_t conversation);

#endif
