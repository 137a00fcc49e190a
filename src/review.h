/* SPDX-License-Identifier: GPL-3.0-or-later */
/* review: what may be learned from, as a person decides on it: in which order, with which warnings, and what an
 * edit does. The `review` command and the review screen share it. Call on the thread that owns the store. */
#ifndef ANSWERBACK_REVIEW_H
#define ANSWERBACK_REVIEW_H

#include "store.h"

struct review_item {
	const struct store_example *x;
	const char *marked;           /* suggested against sent, as worddiff.h marks it; all "same" when nothing was suggested */
	size_t changed;               /* words cut and new; 0 when nothing was suggested */
	const char *flags;            /* "personal,duplicate,contradiction,short,language", "" none */
};

/* What waits for a decision, biggest corrections first; then, with `all`, the others, oldest first. Stops when `each` says
 * false. */
int review_list(struct store *s, bool all, bool (*each)(const struct review_item *i, void *arg), void *arg, struct err *e);

/* The answer becomes another (placeholders instead of personal data), and is approved. ERR_NOTFOUND, ERR_USAGE: no words. */
int review_edit(struct store *s, int64_t id, const char *company, const char *answer, struct err *e);

/* What can be said of one example by itself: personal, short, language. Appends to flags, with commas. */
void review_flags(const char *question, const char *answer, struct str *flags);

#endif
