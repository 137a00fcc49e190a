/* SPDX-License-Identifier: GPL-3.0-or-later */
/* worddiff: what changed between two texts, word by word.
 *
 *     struct str s = STR_INIT;
 *     size_t changed = worddiff_mark("see you monday", "see you on tuesday", &s);
 *     // s: \x01"see you " \x02"monday" \x03"on tuesday"; changed: 3 words
 *
 * Words are compared as they stand; marks of punctuation are words of their own; white space only separates. Pure
 * functions, safe from any thread. */
#ifndef ANSWERBACK_WORDDIFF_H
#define ANSWERBACK_WORDDIFF_H

#include <stddef.h>

#include "base/str.h"

enum { WORDDIFF_SAME = 1, WORDDIFF_CUT = 2, WORDDIFF_NEW = 3 };

/* Appends runs of text, each begun by one of the marks above as a byte. White space and control characters become
 * single spaces, so that a mark is a mark. Returns the words cut plus the words that are new. */
size_t worddiff_mark(const char *before, const char *after, struct str *out);

/* Share of the words of both that are in both, 0 .. 1; two empty texts: 1. */
double worddiff_alike(const char *a, const char *b);

#endif
