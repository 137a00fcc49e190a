/* SPDX-License-Identifier: GPL-3.0-or-later */
/* wrap: a document (editbuf.h) as rows of a screen: what each cluster of raw bytes looks like, and where rows
 * begin. Only what is looked at is measured.
 *
 * A row ends after white space, else between clusters; one blank may hang over its end. A very long line is cut
 * into segments of some kilobytes that are wrapped each for itself, so that its end costs no more than its beginning.
 *
 *     wrap_set(w, text, columns, ascii);                 // before use; after a change nothing need be said
 *     for (row = wrap_row(w, cursor); row != WRAP_NONE; row = wrap_next(w, row)) ...
 */
#ifndef ANSWERBACK_UI_WRAP_H
#define ANSWERBACK_UI_WRAP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "editbuf.h"

#define WRAP_NONE SIZE_MAX

struct wrap;

/* segment: bytes; 0: 8 KiB. */
struct wrap *wrap_new(size_t segment);
void wrap_free(struct wrap *w);
void wrap_set(struct wrap *w, const struct editbuf *b, int columns, bool ascii);

/* Rows are known by the byte that they begin with. */
size_t wrap_row(struct wrap *w, size_t at);                  /* the row that at is in */
size_t wrap_next(struct wrap *w, size_t row);                /* WRAP_NONE after the last */
size_t wrap_prev(struct wrap *w, size_t row);
size_t wrap_row_end(struct wrap *w, size_t row);             /* one past its last byte; line ends belong to none */
bool wrap_soft(struct wrap *w, size_t row);                  /* its line goes on in the next row */
int wrap_column(struct wrap *w, size_t row, size_t at);      /* columns before at */
size_t wrap_at_column(struct wrap *w, size_t row, int column);       /* the last place in the row not right of it */

/* ---- clusters ---- */

/* Bytes of the next cluster of s[0 .. n), n > 0, and its width when it begins in `column`. */
size_t wrap_glyph(const char *s, size_t n, int column, bool ascii, int *width);
/* What a screen may be given for it. */
void wrap_show(const char *s, size_t bytes, int column, bool ascii, struct str *out);
/* One cluster on, or back; a line end is one, whatever its bytes. */
size_t wrap_right(const struct editbuf *b, size_t at);
size_t wrap_left(const struct editbuf *b, size_t at);
/* Where the text of the line ends that at is in: before its newline, or CR and newline. */
size_t wrap_line_end(const struct editbuf *b, size_t at);

#endif
