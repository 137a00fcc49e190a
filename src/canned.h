/* SPDX-License-Identifier: GPL-3.0-or-later */
/* canned: replies that are ready, a person's own and those that come with the program (canned.jsonl beside
 * the model; a person's own of the same name takes its place). {order}, {name} and the like in a text are fields:
 * left for the person to fill before it is sent. */
#ifndef ANSWERBACK_CANNED_H
#define ANSWERBACK_CANNED_H

#include "store.h"

struct canned {
	char *name, *text;
	bool own;
};
struct canned_list {
	struct canned *v;             /* by name */
	size_t n;
};

/* s may be NULL: only those of the program. None at all is no error. */
int canned_load(struct canned_list *l, struct store *s, struct err *e);
void canned_free(struct canned_list *l);
const struct canned *canned_find(const struct canned_list *l, const char *name);

/* The next field of a text from *at on: its name within braces, letters, digits, - and _ ("order", n bytes at the result);
 * NULL: there is none. *at moves behind it. */
const char *canned_field(const char *text, size_t *at, size_t *n);

/* ERR_USAGE: a name is one word of letters, digits, - _ and ., at most 60 bytes; a text is not empty. */
int canned_set(struct store *s, const char *name, const char *text, struct err *e);
/* Lines {"name": "...", "text": "..."}: all of a file, or none. Returns how many; "-": standard input. */
int canned_import(struct store *s, const char *path, struct err *e);

#endif
