/* SPDX-License-Identifier: GPL-3.0-or-later */
/* editfind: where some words are in a document. */
#ifndef ANSWERBACK_EDITFIND_H
#define ANSWERBACK_EDITFIND_H

#include <stdbool.h>

#include "base/str.h"
#include "editbuf.h"

/* What is looked for. Letter case does not matter unless there is a capital in it. */
struct editfind {
	int32_t *cp;              /* characters, folded when fold; a broken byte is a character of its own */
	size_t n;
	bool fold;
};
void editfind_init(struct editfind *f, const char *what, size_t n);
void editfind_fini(struct editfind *f);

/* The first match that begins in [from, to), or the last one; its bytes into *len. SIZE_MAX: none. */
size_t editfind_first(const struct editfind *f, const struct editbuf *b, size_t from, size_t to, size_t *len);
size_t editfind_last(const struct editfind *f, const struct editbuf *b, size_t from, size_t to, size_t *len);

/* [from, *to) with every match replaced, matches not overlapping; *to moves to the end of the last match.
 * Returns how many there were; out is what takes the place of [from, *to). */
size_t editfind_replaced(const struct editfind *f, const struct editbuf *b, size_t from, size_t *to,
                         const char *with, size_t n, struct str *out);

#endif
