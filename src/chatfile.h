/* SPDX-License-Identifier: GPL-3.0-or-later */
/* chatfile: conversations on disk, in the chat fine-tuning convention, one JSON object a line:
 *     {"id": ..., "messages": [{"role": "user"|"assistant"|..., "content": "...", "weight": 1}, ...]}
 * or a pair for any two tags:  {"en": "...", "fr": "..."}  (with tags = {"en", "fr"}).
 * Reads .jsonl, .jsonl.xz (liblzma) and "-" (standard input, either).
 *
 * What real files hold, and what is done with it (said again in answerback.1):
 *   - a role that is not one of the reader's tags: the message is skipped and counted
 *   - "system" turns: skipped and counted
 *   - null or missing content, empty content: the message is skipped and counted
 *   - several messages of one role in a row: joined with a newline, counted; of the role "document"
 *     they are the paragraphs of a text and stay apart
 *   - a line that is not JSON, not an object, has no messages, or bad UTF-8: reported by file and line;
 *     skipped and counted, or stops the read when opts.strict
 * Nothing is dropped silently: struct chatfile_counts says how many of each.
 * A reader belongs to one thread.
 */
#ifndef ANSWERBACK_CHATFILE_H
#define ANSWERBACK_CHATFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define CHATFILE_DOCUMENT "document"

struct chat_message {
	char *role;              /* a tag name */
	char *content;           /* bytes, NUL-terminated too */
	size_t len;
	double weight;           /* 1 when absent; 0: context only, not learned from */
	bool open;               /* the beginning of a message: its end is not learned; absent: no */
};

struct chat {
	char *id;                /* may be NULL */
	char *source, *domain;   /* may be NULL */
	char *company;           /* whose support this is, for the company placeholder; may be NULL */
	struct chat_message *messages;
	size_t n, cap;
};
void chat_free(struct chat *c);           /* contents; c becomes empty */
void chat_add(struct chat *c, const char *role, const char *content, size_t len, double weight);

struct chatfile_counts {
	size_t lines, conversations, messages;
	size_t bad_lines, unknown_role, system, empty, joined;
};

struct chatfile_opts {
	const char *const *tags;     /* NULL-terminated; NULL means {"user", "assistant"} */
	bool strict;                 /* a bad line is an error instead of a warning */
	size_t max_line;             /* bytes; 0 means 64 MiB; a longer line is a bad line */
	void (*warn)(const char *message, void *arg);   /* NULL: quiet */
	void *warn_arg;
};

struct chatfile;
int chatfile_open(struct chatfile **out, const char *path, const struct chatfile_opts *o, struct err *e);
/* 1: c filled (its old contents freed); 0: end; negative: error */
int chatfile_next(struct chatfile *f, struct chat *c, struct err *e);
const struct chatfile_counts *chatfile_counts(const struct chatfile *f);
size_t chatfile_line(const struct chatfile *f);          /* line of the conversation just read */
void chatfile_close(struct chatfile *f);

/* JSON (jansson's) out of a stranger's text: valid UTF-8, nesting bounded. The caller json_decrefs it;
 * NULL: error. */
struct json_t *chat_json_load(const char *json, size_t len, const char *where, struct err *e);

/* One conversation as one JSON line (no newline at the end). Caller frees. */
char *chat_to_json(const struct chat *c);
/* The conversation in one JSON text of len bytes; `where` ("file:line") is for messages. */
int chat_from_json(const char *json, size_t len, const char *where, const struct chatfile_opts *o,
                   struct chat *c, struct chatfile_counts *counts, struct err *e);

#endif
