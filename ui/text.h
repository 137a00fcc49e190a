/* SPDX-License-Identifier: GPL-3.0-or-later */
/* text: what may be shown of a text, how wide it is, and where its lines break. */
#ifndef ANSWERBACK_UI_TEXT_H
#define ANSWERBACK_UI_TEXT_H

#include <stddef.h>

/* A copy that is harmless on any terminal: escapes and controls become visible stand-ins, so do bidi overrides
 * and broken bytes; towers of combining marks are cut; emoji made of several are taken apart; newlines stay, tabs become spaces. Caller frees.
 * ascii: everything else becomes '?'. */
char *text_safe(const char *s, size_t n, int ascii);

/* The next grapheme cluster of s[0 .. n): its bytes, and the columns it takes on a terminal, as curses counts them, into *width. */
size_t text_cluster(const char *s, size_t n, int *width);
int text_width(const char *s, size_t n);
/* Bytes of s that fit in `columns`. */
size_t text_fit(const char *s, size_t n, int columns);

struct text_line {
	size_t start, len;        /* without the newline or the space it was broken at */
};
/* Break safe text at `columns`: at newlines, between words, else between clusters. At least one line. Caller frees *lines. */
size_t text_wrap(const char *s, size_t n, int columns, struct text_line **lines);

#endif
