/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rawfile: the bytes of a file that a person named: plain, .xz (by name or by its first bytes;
 * liblzma), or "-", standard input, either.
 *
 *     while ((n = rawfile_read(f, buf, sizeof(buf), &e)) > 0)
 *         ...
 *
 * Errors say what is wrong and what to do, without the name of the file: the caller knows the line
 * it got to (err_prefix with rawfile_shown). Bytes before damage in an .xz are handed out first.
 * A rawfile belongs to one thread. */
#ifndef ANSWERBACK_RAWFILE_H
#define ANSWERBACK_RAWFILE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct rawfile;

/* Errors of opening name the file themselves. */
int rawfile_open(struct rawfile **out, const char *path, struct err *e);
/* Up to n bytes (n > 0); 0 at the end; negative: error. */
ssize_t rawfile_read(struct rawfile *f, void *buf, size_t n, struct err *e);
void rawfile_close(struct rawfile *f);                    /* NULL is fine */

/* How far: bytes read of the file as it lies on the disk, and its size (0: not known, a pipe). */
void rawfile_progress(const struct rawfile *f, uint64_t *done, uint64_t *total);
const char *rawfile_shown(const char *path);              /* "standard input" for "-" */

#endif
