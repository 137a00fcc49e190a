/* SPDX-License-Identifier: GPL-3.0-or-later */
/* import: conversations out of other programs' files.
 *
 *     import_open(&r, "mail.mbox", &opts, &e);
 *     while ((rc = import_next(r, &c, &e)) > 0)
 *         ... c.head, c.m[0..c.n) ...
 *     import_close(r);
 *
 * Formats (each in import_FORMAT.c; what is guessed and how is said in answerback.1):
 *   jsonl       {"id", "messages": [{"role", "content"}]}, more fields allowed, read as export writes them
 *   csv         named columns, a message a row, or a question and its answer a row
 *   mbox        mail, threads into conversations
 *   transcript  "Customer: ...", "Agent: ..." in plain text
 * All read .xz and "-" (rawfile.h). JSONL and transcripts are read a conversation at a time; CSV and mbox, where
 * rows and mails of one conversation may stand anywhere, are read whole (opts.max_bytes bounds it).
 *
 * What cannot be read is reported by file and line and skipped, or with opts.strict ends the read. Files are
 * hostile: every length is bounded, every pass linear. A reader belongs to one thread. */
#ifndef ANSWERBACK_IMPORT_H
#define ANSWERBACK_IMPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "store.h"
#include "when.h"

enum import_format { IMPORT_GUESS, IMPORT_JSONL, IMPORT_CSV, IMPORT_MBOX, IMPORT_TRANSCRIPT };

const char *import_format_name(enum import_format f);
/* false: there is none of that name. */
bool import_format_of(const char *name, enum import_format *f);

struct import_reader;

struct import_opts {
	enum import_format format;
	bool strict;                       /* a line that cannot be read is an error */
	const char *const *agents;         /* who answers: names, mail addresses, domains */
	size_t n_agents;
	const char *const *columns;        /* CSV: "role=author"; without a header "role=3" */
	size_t n_columns;
	bool no_header;                    /* CSV: the first row is a message already */
	enum when_order dates;
	size_t max_record;                 /* bytes of a line, a row, a mail's text; 0: 16 MiB */
	size_t max_bytes;                  /* of text held at a time; 0: 1 GiB */
	void (*warn)(const char *message, void *arg);     /* NULL: quiet */
	void (*tick)(const struct import_reader *r, void *arg);      /* called every 64 KiB read; NULL: not */
	void *arg;
};

struct import_message {
	const char *role;                  /* "user" or "assistant"; not owned */
	char *content;
	size_t len;
	char *origin, *model;              /* NULL: "imported", none */
	int64_t created;                   /* 0: not known */
	double latency_ms;
	int rating;
};

struct import_conversation {
	struct store_conversation head;    /* strings may be NULL; id: the row that an export says it had, else 0 */
	char *key;                         /* what the file calls it; may be NULL */
	struct import_message *m;
	size_t n, cap;
	size_t line;                       /* where it begins */
};
void import_conversation_free(struct import_conversation *c);      /* contents; c becomes empty */

struct import_counts {
	size_t lines, conversations, messages;
	size_t bad;                        /* lines, rows or mails that could not be read */
	size_t skipped;                    /* messages left out: system turns, unknown roles, empty text */
	size_t untimed;                    /* times that could not be read; the messages are there */
};

int import_open(struct import_reader **out, const char *path, const struct import_opts *o, struct err *e);
/* 1: c filled (its old contents freed), at least one message in it; 0: end; negative: error */
int import_next(struct import_reader *r, struct import_conversation *c, struct err *e);
enum import_format import_format(const struct import_reader *r);
const struct import_counts *import_counts(const struct import_reader *r);
/* Bytes of the file read, and its size (0: not known). */
void import_progress(const struct import_reader *r, uint64_t *done, uint64_t *total);
void import_close(struct import_reader *r);

/* ---- into the store (import_store.c) ---- */

struct import_result {
	enum import_format format;
	struct import_counts counts;
	size_t added, messages;            /* conversations that are new, and their messages */
	size_t grown, grown_messages;      /* that were there and have gone on, and what is new in them */
	size_t known;                      /* conversations that were there */
};
struct import_into {
	const char *company, *tag;         /* for all of them, where the file says nothing; NULL: none */
	void (*progress)(const struct import_reader *r, const struct import_result *so_far, void *arg);      /* may be NULL */
	void *arg;
};
/* The whole file. What is there already (by a hash of contents, names and times) is not added again; one of which the
 * first messages are there, under the name that the file gives it, gets the others. In
 * transactions of some thousand messages; with o->strict nothing of the file is kept unless all of it could be read. */
int import_file(struct store *s, const char *path, const struct import_opts *o, const struct import_into *into,
                struct import_result *out, struct err *e);

#endif
