/* SPDX-License-Identifier: GPL-3.0-or-later */
/* editbuf: the text of a document, any bytes at all, quick to change anywhere.
 *
 * The text lies in blocks of at most 8 KiB in one array, which keeps each block's counts (newlines,
 * characters, words) beside it: finding a place is a walk over some thousand numbers, a change touches one block.
 * A snapshot shares the blocks (a block that is shared is copied before it is changed), so that another
 * thread can write the document to disk while it goes on changing.
 *
 *     struct editbuf *b = editbuf_new(0);
 *     editbuf_insert(b, 0, "a letter", 8);
 *     struct editsnap *s = editbuf_snapshot(b);          // costs microseconds, whatever the size
 *
 * A buffer belongs to one thread; a snapshot to whoever has it, and is freed anywhere. Positions are bytes.
 * Words are runs of bytes that are no ASCII white space (as `wc -w` counts); characters are bytes that do not
 * continue a UTF-8 sequence. */
#ifndef ANSWERBACK_EDITBUF_H
#define ANSWERBACK_EDITBUF_H

#include <stddef.h>
#include <stdint.h>

struct editbuf;
struct editsnap;

/* block: bytes a block at most (tests use tiny ones); 0: 8 KiB. */
struct editbuf *editbuf_new(size_t block);
void editbuf_free(struct editbuf *b);                        /* NULL is fine */

void editbuf_insert(struct editbuf *b, size_t at, const char *bytes, size_t n);     /* at <= length */
void editbuf_delete(struct editbuf *b, size_t at, size_t n);                        /* at + n <= length */

size_t editbuf_len(const struct editbuf *b);
size_t editbuf_newlines(const struct editbuf *b);
size_t editbuf_chars(const struct editbuf *b);
size_t editbuf_words(const struct editbuf *b);
uint64_t editbuf_version(const struct editbuf *b);           /* another after every change */

/* Copy what there is of [at, at + n); returns how much that was. */
size_t editbuf_read(const struct editbuf *b, size_t at, char *out, size_t n);
/* The bytes from at to the end of its block, until the next change; *n 0 at the end of the text. */
const char *editbuf_span(const struct editbuf *b, size_t at, size_t *n);
int editbuf_byte(const struct editbuf *b, size_t at);        /* -1 at the end */

size_t editbuf_line_start(const struct editbuf *b, size_t at);        /* of the line that at is in */
size_t editbuf_line_end(const struct editbuf *b, size_t at);          /* its newline, or the end of the text */
size_t editbuf_newlines_before(const struct editbuf *b, size_t at);
size_t editbuf_chars_before(const struct editbuf *b, size_t at);
size_t editbuf_nth_line(const struct editbuf *b, size_t line);        /* where line (from 0) begins; past the last: the last */

struct editsnap *editbuf_snapshot(const struct editbuf *b);
void editsnap_free(struct editsnap *s);                      /* NULL is fine */
size_t editsnap_len(const struct editsnap *s);
/* All of it to fd; -1 with errno. */
int editsnap_write(const struct editsnap *s, int fd);

#endif
