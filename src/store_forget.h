/* SPDX-License-Identifier: GPL-3.0-or-later */
/* store_forget: what was kept goes for good: rows, the word index, what was learned from them, and the free
 * pages where they lay. forget.h does it for a whole data folder: copies, other files, counts, models.
 * Errors as in store.h. */
#ifndef ANSWERBACK_STORE_FORGET_H
#define ANSWERBACK_STORE_FORGET_H

#include "store.h"

enum store_forget_kind { STORE_FORGET_CONVERSATION, STORE_FORGET_CUSTOMER, STORE_FORGET_PHRASE };

struct store_forget {
	enum store_forget_kind kind;
	int64_t conversation;         /* its number, and when it began (numbers are given again after a deletion) */
	int64_t created;
	const char *text;             /* the customer's whole name, or the phrase; letter case and white space do not matter */
	/* Called for each message that goes, before it does; NULL: nobody. */
	void (*message)(const struct store_message *m, void *arg);
	void *arg;
};

struct store_forgotten {
	int64_t conversations, messages, examples, suggestions, drafts, canned;
	int64_t fields;               /* names, tags and notes that held the phrase and were emptied */
};

/* Everything in one transaction. A conversation or a customer goes with all that hangs on it; a phrase takes
 * the messages that hold it, the examples of their conversations, and whatever else holds it. Models that learned from
 * an example that goes, and those retrained from them, are marked (store_tainted). really false: only counts. Any
 * version of the schema. The named bytes "person" are left: who can count words makes them anew. */
int store_forget(struct store *s, const struct store_forget *f, bool really, struct store_forgotten *out, struct err *e);
/* The word index anew, the file rewritten, its log emptied: deleted words are in no byte of it afterwards.
 * ERR_BUSY: another program reads in it, and the log could not be emptied. */
int store_scrub(struct store *s, struct err *e);
/* The same file without a log of its own beside it, for copies. */
int store_settle(struct store *s, struct err *e);

/* Copies that the program made: those beside the file, and those that `answerback backup FILE` put elsewhere.
 * there: whether there is a file at that path now. */
int store_copies(struct store *s, void (*each)(const char *path, bool there, void *arg), void *arg, struct err *e);
int store_copy_noted(struct store *s, const char *path, struct err *e);

/* Messages that a person wrote or sent as their own, oldest first: what completion learns a person's language from. */
int store_written(struct store *s, bool (*each)(const char *role, const char *text, size_t len, void *arg), void *arg,
                  struct err *e);

/* Among the programs that have the file open: share says "I am here"; alone succeeds when nobody else says so
 * (ERR_BUSY), and keeps others waiting in share. Until store_close; a second call changes from one to the other. */
int store_share(struct store *s, struct err *e);
int store_alone(struct store *s, struct err *e);

#endif
