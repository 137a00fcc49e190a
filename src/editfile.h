/* SPDX-License-Identifier: GPL-3.0-or-later */
/* editfile: a document on disk. Bytes in, the same bytes out.
 *
 * Saving writes a new file beside the old one, syncs it, and renames it over: at any moment the name holds the old
 * text or the new one, whole. Mode and owner are kept, a symbolic link stays one. A file with several hard links, or
 * in a folder where none can be made, is written in place; whoever saves has a recovery copy on disk by then. */
#ifndef ANSWERBACK_EDITFILE_H
#define ANSWERBACK_EDITFILE_H

#include <stdbool.h>
#include <sys/stat.h>

#include "base/err.h"
#include "editbuf.h"

struct editfile {
	char *path;               /* as the person named it; NULL: no name yet */
	bool exists, read_only;
	struct stat st;           /* when it was read or written last */
};

/* Read path into b (empty). A file that does not exist is fine: exists is false then. ERR_IO, ERR_NOTFOUND
 * (its folder), ERR_USAGE (a folder, a FIFO, a device), ERR_RANGE (over 1 GiB). */
int editfile_load(struct editfile *f, const char *path, struct editbuf *b, struct err *e);
void editfile_fini(struct editfile *f);

/* Somebody else has written it, or taken it away, since. */
bool editfile_changed(const struct editfile *f);
/* Why saving under this name wants a question first: "" none, else "exists", "has changed on disk". */
const char *editfile_doubt(const struct editfile *f, const char *path);
/* Would it be written in place? */
bool editfile_in_place(const char *path);
/* On failure the file is as it was, unless the message says otherwise. f is the file under its name from then on. */
int editfile_save(struct editfile *f, const char *path, const struct editsnap *text, struct err *e);

/* Write text as a new file with this mode under path (a plain file or none), by way of a temporary one. */
int editfile_put(const char *path, unsigned mode, const struct stat *like, const struct editsnap *text, struct err *e);

#endif
