/* SPDX-License-Identifier: GPL-3.0-or-later */
/* canned: replies kept by name, for whoever sends the same one often: which of them fit a question, and the
 * {fields} in them that somebody has to fill in. Pure functions but canned_load; a list belongs to one thread. */
#ifndef ANSWERBACK_CANNED_H
#define ANSWERBACK_CANNED_H

#include "base/str.h"
#include "store.h"

struct canned {
	struct canned_reply {
		char *name, *text;
	} *v;
	size_t n;
};

int canned_load(struct canned *c, struct store *s, struct err *e);      /* by name; replaces what was there */
void canned_free(struct canned *c);

/* The one whose name and text share most with the question, SIZE_MAX: none shares a telling word. score: 0 .. 1. `skip`:
 * SIZE_MAX or one not to give again. */
size_t canned_nearest(const struct canned *c, const char *question, size_t skip, double *score);

#endif
