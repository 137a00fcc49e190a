/* SPDX-License-Identifier: GPL-3.0-or-later */
/* err: how a failure from outside (a file, a user, a disk) travels to the person.
 *
 * A function that can fail takes a final `struct err *` (may be NULL), fills it
 * once, and returns the negative code. The message says what was wrong, where
 * (file and line) and what to do; it has no trailing full stop or newline.
 * Programmer errors assert; running out of memory dies through mem.h.
 *
 *     struct err e = ERR_INIT;
 *     if (modelfile_open(&mf, path, &e) < 0)
 *         return fprintf(stderr, "answerback: %s\n", e.msg), 1;
 */
#ifndef ANSWERBACK_ERR_H
#define ANSWERBACK_ERR_H

enum {
	ERR_NONE = 0,
	ERR_IO = -1,        /* the operating system refused: open, read, write, sync */
	ERR_FORMAT = -2,    /* what was read is not what it claims to be */
	ERR_USAGE = -3,     /* the caller's words or options are off */
	ERR_RANGE = -4,     /* a number or size outside what is supported */
	ERR_CANCELLED = -5, /* somebody asked to stop */
	ERR_NOTFOUND = -6,
	ERR_BUSY = -7
};

struct err {
	int code;
	char msg[512];
};

#define ERR_INIT { 0, "" }

/* Fill e (if not NULL) and return code. */
int err_set(struct err *e, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Put "context: " before the message already in e; keeps and returns e's code. */
int err_prefix(struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
