/* SPDX-License-Identifier: GPL-3.0-or-later */
/* common_import: files of a test, and what a reader makes of them in one line of text. */
#ifndef ANSWERBACK_COMMON_IMPORT_H
#define ANSWERBACK_COMMON_IMPORT_H

#include "base/str.h"
#include "import.h"

/* A file with these bytes; the name ends in suffix. Caller unlinks and frees. */
char *common_import_file(const char *suffix, const void *bytes, size_t n);

struct common_import {
	int rc;                       /* of the last call */
	struct err e;
	struct import_counts counts;
	size_t n, warnings;
	struct str said;              /* the warnings, one a line, without the folder of the file */
	struct str text;              /* "case|customer: user=hello; assistant=what?" a conversation a line */
	int64_t first_time;           /* of the first message */
};
/* Reads all of it; o's warn and arg are set. Free with common_import_free. */
struct common_import common_import_read(const char *suffix, const void *bytes, size_t n, struct import_opts o);
void common_import_free(struct common_import *c);

#endif
