/* SPDX-License-Identifier: GPL-3.0-or-later */
/* memory: approved answers, found again by the words of the question. Nothing is trained: what was taught or
 * corrected answers the very next time.
 *
 * Words are compared without case and endings, rare ones weigh more (idf over what is remembered), and a number
 * or a telling word that only one of the two questions has is a veto. Below MEMORY_BAR it stays silent. */
#ifndef ANSWERBACK_MEMORY_H
#define ANSWERBACK_MEMORY_H

#include "base/err.h"
#include "base/str.h"
#include "store.h"

#define MEMORY_BAR 0.8

struct memory;

/* Approved examples, and corrections that nobody has decided on yet. */
int memory_load(struct memory **out, struct store *s, const char *company, struct err *e);
void memory_free(struct memory *m);      /* NULL is fine */
size_t memory_size(const struct memory *m);

struct memory_hit {
	struct str answer;            /* placeholders put back from the question's own values */
	int64_t example;
	double score;                 /* 0 .. 1 */
};
/* False: nothing above the bar, or its answer needs a value that was not said. */
bool memory_find(const struct memory *m, const char *question, size_t len, struct memory_hit *hit);

#endif
