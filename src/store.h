/* SPDX-License-Identifier: GPL-3.0-or-later */
/* store: what happened, kept in one SQLite file (DATA/answerback.db, mode 0600). All SQL of the
 * program is in store*.c, prepared and bound.
 *
 * What returned ERR_NONE is on the disk (WAL, synchronous=FULL): a kill or power cut at any
 * instant later loses nothing of it, and the file opens clean. Times are milliseconds since 1970, UTC.
 * Text is kept as it was said, bytes and all, except that NULs and broken UTF-8 become U+FFFD.
 *
 * A struct store belongs to one thread at a time; several, in one program or in many, may have
 * the same file open (writers wait up to 10 s for one another, then ERR_BUSY).
 * Errors: ERR_IO (disk, read-only, full), ERR_FORMAT (not ours, damaged, from a newer program),
 * ERR_BUSY (locked), ERR_NOTFOUND, ERR_CANCELLED (store_interrupt). */
#ifndef ANSWERBACK_STORE_H
#define ANSWERBACK_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

enum { STORE_VERSION = 3 };       /* of the schema */

struct store;

enum store_mode { STORE_READ_WRITE, STORE_READ_ONLY, STORE_NO_MIGRATE };

/* data_dir: --data-dir's value or NULL (paths.h). Makes folder and file; migrates an older file
 * after a backup beside it (answerback.db.v1.backup). */
int store_open(struct store **out, const char *data_dir, enum store_mode mode, struct err *e);
int store_open_file(struct store **out, const char *path, enum store_mode mode, struct err *e);
void store_close(struct store *s);                        /* NULL is fine */
const char *store_path(const struct store *s);
int store_version(struct store *s);       /* of the file's schema: below STORE_VERSION after STORE_NO_MIGRATE alone */
/* From any thread: what the store is doing now ends with ERR_CANCELLED. */
void store_interrupt(struct store *s);
int64_t store_now(void);

/* Text as the store keeps it: valid UTF-8 without NULs. Caller frees. */
char *store_clean(const char *text, size_t len);

/* Several changes as one: all or none. They nest (the outermost commits). */
int store_begin(struct store *s, struct err *e);
int store_commit(struct store *s, struct err *e);
void store_abandon(struct store *s);                      /* roll back */

/* ---- conversations and messages ---- */

struct store_conversation {
	int64_t id;
	char *case_id, *customer, *company, *state, *source;      /* never NULL; state "open" or "closed" */
	char *tags;                       /* "a,b", sorted */
	int64_t created, updated, messages;
};
void store_conversation_free(struct store_conversation *c);

/* case_id and the others may be NULL. created 0: now. */
int store_conversation_add(struct store *s, const char *case_id, const char *customer, const char *company,
                           const char *source, int64_t created, int64_t *id, struct err *e);
int store_conversation_get(struct store *s, int64_t id, struct store_conversation *c, struct err *e);
/* The newest open conversation of a case; ERR_NOTFOUND. */
int store_conversation_of_case(struct store *s, const char *case_id, int64_t *id, struct err *e);
int store_conversation_set(struct store *s, int64_t id, const char *field, const char *value, struct err *e);
	/* field: case_id customer company state */
int store_tag(struct store *s, int64_t id, const char *tag, bool on, struct err *e);
/* The conversation and everything that hangs on it. (forget also cleans backups and free pages.) */
int store_conversation_delete(struct store *s, int64_t id, struct err *e);

/* What a conversation list can be narrowed by; NULL and 0: anything. */
struct store_filter {
	const char *from;             /* a role (user, assistant) or part of a customer's name */
	const char *tag, *origin, *case_id, *state;
	int64_t after, before;        /* of the message's (conversation's) time */
};
/* Newest first; `offset` skips. Calls back for each; false stops. */
int store_conversations(struct store *s, const struct store_filter *f, size_t limit, size_t offset,
                        bool (*each)(const struct store_conversation *c, void *arg), void *arg, struct err *e);

struct store_message {
	int64_t id, conversation;
	char *role;                   /* "user", "assistant" */
	char *origin;                 /* "typed", "pasted", "inbox", "model", "memory", "suggested", "edited", "canned", "imported" */
	char *content;
	size_t len;
	int64_t created;
	char *model;                  /* version that wrote it, "" */
	double latency_ms;            /* of the model, 0 */
	int rating;                   /* -1 bad, 0 none, 1 good */
};
void store_message_free(struct store_message *m);

/* One turn, one transaction. content: len bytes. m->id is set; m->created 0: now. m keeps its strings. */
int store_message_add(struct store *s, struct store_message *m, struct err *e);
int store_messages(struct store *s, int64_t conversation,
                   bool (*each)(const struct store_message *m, void *arg), void *arg, struct err *e);
int store_message_rate(struct store *s, int64_t message, int rating, struct err *e);

/* Drafts: "" removes. text: caller frees, "" when there is none. */
int store_draft_set(struct store *s, int64_t conversation, const char *text, struct err *e);
int store_draft_get(struct store *s, int64_t conversation, char **text, struct err *e);

/* What was shown and what became of it. kind "reply" or "completion"; fate "shown", "taken", "word" (a completion of
 * which words were taken), "edited", "ignored", "dismissed"; chars: characters of it that were used. */
struct store_suggestion {
	int64_t id, conversation;
	const char *kind, *origin, *text, *model, *fate;
	double score, confidence, latency_ms;
	int64_t chars, created;       /* created 0: now */
};
int store_suggestion_add(struct store *s, struct store_suggestion *g, struct err *e);
int store_suggestion_fate(struct store *s, int64_t id, const char *fate, int64_t chars, struct err *e);

/* ---- imports ---- */

/* Remember a content hash; false in *fresh when it was there (nothing is changed then). */
int store_import_once(struct store *s, const char *hash, int64_t conversation, bool *fresh, struct err *e);
int store_import_seen(struct store *s, const char *hash, bool *seen, struct err *e);
/* A conversation with its n messages and the hash it is known by, as one change. c->id: the row that it
 * takes when that is free, 0: any; afterwards the row it got. created 0: now; tags "a,b". */
int store_import_add(struct store *s, struct store_conversation *c, const struct store_message *m, size_t n,
                     const char *hash, struct err *e);
/* More messages for one that is there; it is then known by this hash, too. */
int store_import_append(struct store *s, int64_t conversation, const struct store_message *m, size_t n, const char *hash,
                        struct err *e);
/* The conversation that a hash stands for, 0 when none; and to let it stand for another. */
int store_import_find(struct store *s, const char *hash, int64_t *conversation, struct err *e);
int store_import_point(struct store *s, const char *hash, int64_t conversation, struct err *e);
/* One transaction of many of those, several times as quick as store_begin / store_commit around them would be:
 * the messages are indexed at its end. Nothing but store_import_add and reading may happen in it. */
int store_bulk_begin(struct store *s, struct err *e);
int store_bulk_commit(struct store *s, struct err *e);
void store_bulk_abandon(struct store *s);

/* ---- search ---- */

struct store_hit {
	int64_t message, conversation, created;
	const char *role, *origin, *case_id, *customer;
	const char *content;          /* the whole message */
	const char *snippet;          /* the words around what was found, matches between \x02 and \x03 */
};
/* Words (the last one as a prefix when it ends the query), "phrases", and from: tag: after: before: origin: case:
 * filters (dates as 2026-01-31; from: a role or a customer). Newest first, never ranked: ranking would have to
 * read every match. limit hits after `before_id` (0: from the newest). ERR_USAGE: a filter that makes no sense. */
int store_search(struct store *s, const char *query, size_t limit, int64_t before_id,
                 bool (*each)(const struct store_hit *h, void *arg), void *arg, struct err *e);

/* ---- what is learned from ---- */

struct store_example {
	int64_t id, conversation, message;
	char *chat;                   /* chat JSON (chatfile.h), placeholders instead of personal data; last turn: the answer */
	char *question, *answer;      /* the last customer's turn and the answer, as in chat */
	char *suggested;              /* what had been suggested instead, "" */
	char *state;                  /* "proposed", "approved", "rejected" */
	char *origin;                 /* "taught", "sent", "corrected", "good" */
	char *flags;                  /* "personal,duplicate,contradiction,short,language" */
	char *values;                 /* JSON: what the placeholders stand for, local to this case; "{}" */
	double weight;
	int64_t created, decided;
};
void store_example_free(struct store_example *x);
int store_example_add(struct store *s, struct store_example *x, struct err *e);     /* sets id */
int store_example_get(struct store *s, int64_t id, struct store_example *x, struct err *e);
/* state NULL: all. Biggest corrections first among proposed ones, else oldest first. */
int store_examples(struct store *s, const char *state,
                   bool (*each)(const struct store_example *x, void *arg), void *arg, struct err *e);
/* Keeps what it was for store_example_undo. */
int store_example_decide(struct store *s, int64_t id, const char *state, struct err *e);
int store_example_edit(struct store *s, int64_t id, const char *chat, const char *question, const char *answer, struct err *e);
/* Another answer and a decision at once: one undo takes both back. */
int store_example_settle(struct store *s, int64_t id, const char *chat, const char *answer, const char *state, struct err *e);
int store_example_undo(struct store *s, int64_t *id, struct err *e);       /* the last decision or edit; ERR_NOTFOUND */

/* Vectors of the memory's encoder. */
int store_vector_set(struct store *s, int64_t example, const char *version, const void *data, size_t bytes, struct err *e);
int store_vectors(struct store *s, const char *version,
                  bool (*each)(int64_t example, const void *data, size_t bytes, void *arg), void *arg, struct err *e);

/* ---- the rest ---- */

/* Named bytes: the personal n-gram ("person"), and the like. *data: caller frees, NULL when absent; set to NULL: removed. */
int store_blob_set(struct store *s, const char *name, const void *data, size_t bytes, struct err *e);
int store_blob_get(struct store *s, const char *name, void **data, size_t *bytes, struct err *e);

int store_canned_set(struct store *s, const char *name, const char *text, struct err *e);      /* text NULL: remove */
int store_canned(struct store *s, bool (*each)(const char *name, const char *text, void *arg), void *arg, struct err *e);

/* A training run: detail is JSON (figures, gate). examples: what it learned from. */
int store_run_add(struct store *s, const char *kind, const char *model, const char *parent, const char *outcome,
                  const char *detail, int64_t started, const int64_t *examples, size_t n, struct err *e);
/* What changed the learned state, and when: examples and decisions, runs, models, what was forgotten or deleted by age,
 * restored. Those of this module are noted by it, in the same transaction; detail never holds what was said. */
int store_audit(struct store *s, const char *what, const char *detail, struct err *e);
int store_audits(struct store *s, size_t limit, bool (*each)(int64_t when, const char *what, const char *detail, void *arg),
                 void *arg, struct err *e);      /* newest first */
/* Versions that learned from something since forgotten; each once. */
int store_tainted(struct store *s, bool (*each)(const char *model, void *arg), void *arg, struct err *e);
bool store_model_tainted(struct store *s, const char *model);

/* ---- care of the file ---- */

int store_check(struct store *s, struct str *report, struct err *e);      /* ERR_FORMAT with what is wrong */
int store_vacuum(struct store *s, struct err *e);
int store_backup(struct store *s, const char *path, struct err *e);       /* a consistent copy; replaced atomically */
/* Check a backup, keep what is there as answerback.db.before-restore, put the backup in its place. */
int store_restore(const char *data_dir, const char *backup, struct err *e);
/* Up to `most` conversations untouched for `days` are deleted; returns how many. Approved examples stay, without the
 * values of their placeholders: they hold no personal data, and nothing has to be learned anew. */
enum { STORE_MOST_DAYS = 36500 };
int store_retain(struct store *s, int days, int most, struct err *e);
/* More memory for the word index while very much is written, so that it is written in fewer and bigger pieces; off: as usual. */
int store_index_room(struct store *s, bool more, struct err *e);
/* Merge some of the word index, so that deleted words leave it; first: begin. 1: there is more to do, 0: done. */
int store_merge(struct store *s, bool first, struct err *e);
/* Is the file gone from its path, or another one there? Then store_reopen opens (or makes) the one that is. */
bool store_moved(struct store *s);
int store_reopen(struct store *s, struct err *e);

#endif
