/* SPDX-License-Identifier: GPL-3.0-or-later */
/* recovery: what is being written, kept beside the document until it is saved.
 *
 * The copies lie in the state folder (desk/, 0600), named after the document's full path: NAME.copy holds the text and
 * nothing else, NAME.lock the path, and a lock while somebody edits it, so that two people at one document have a copy
 * each. A thread of its own writes them. With the setting private, nothing is kept. */
#ifndef ANSWERBACK_RECOVERY_H
#define ANSWERBACK_RECOVERY_H

#include <stdbool.h>
#include <time.h>

#include "base/err.h"
#include "editbuf.h"

struct recovery;

/* For this document (NULL: one without a name). Never NULL: where no copy can be kept, *e says why and the calls below
 * do nothing. */
struct recovery *recovery_open(const char *path, struct err *e);
/* Waits for what is being written. The copy stays, unless recovery_clear was called. */
void recovery_close(struct recovery *r);

bool recovery_kept(const struct recovery *r);            /* is there anywhere to keep a copy? */
/* What an earlier run left behind: its file, and when it was written; NULL: nothing. */
const char *recovery_found(const struct recovery *r, time_t *when);
bool recovery_shared(const struct recovery *r);          /* somebody else has the document open */

/* Write this copy; s becomes the recovery's. A newer one takes the place of one that waits. */
void recovery_write(struct recovery *r, struct editsnap *s);
/* The same, and wait until it is on the disk. */
int recovery_write_now(struct recovery *r, struct editsnap *s, struct err *e);
/* It is saved: no copy is needed. */
void recovery_clear(struct recovery *r);
/* What went wrong since the last call, once; NULL when nothing did. Caller frees. */
char *recovery_trouble(struct recovery *r);

#endif
