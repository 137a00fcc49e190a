/* SPDX-License-Identifier: GPL-3.0-or-later */
/* edit: a document that remembers every change: the text (editbuf.h) with undo and redo.
 *
 *     edit_replace(d, at, 0, "x", 1, EDIT_TYPING);       // letters of one word become one step
 *     edit_undo(d, &cursor);                             // where the change was
 *
 * Belongs to one thread. */
#ifndef ANSWERBACK_EDIT_H
#define ANSWERBACK_EDIT_H

#include <stdbool.h>

#include "editbuf.h"

struct edit;

enum edit_kind {
	EDIT_TYPING,              /* joins the step before while it is the same word, typed or erased at one place */
	EDIT_ALONE,               /* a step of its own: a paste, a completion */
	EDIT_MORE                 /* part of the step before */
};

/* b becomes the document's; it counts as saved. */
struct edit *edit_new(struct editbuf *b);
void edit_free(struct edit *d);                              /* NULL is fine */
const struct editbuf *edit_text(const struct edit *d);

/* The only way to change the text: del bytes at `at` give way to the n bytes of ins. */
void edit_replace(struct edit *d, size_t at, size_t del, const char *ins, size_t n, enum edit_kind kind);
/* One step back, or forward again; *cursor: where to be then. False: there is none. */
bool edit_undo(struct edit *d, size_t *cursor);
bool edit_redo(struct edit *d, size_t *cursor);
/* What comes next is a step of its own (the cursor was moved). */
void edit_pause(struct edit *d);

bool edit_modified(const struct edit *d);                    /* other than what was saved last */
void edit_saved(struct edit *d);

#endif
