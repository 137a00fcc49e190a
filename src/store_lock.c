/* SPDX-License-Identifier: GPL-3.0-or-later */
/* store_lock: who has the file open. SQLite's own locks last for a transaction; these last as long as a
 * program keeps in memory what it has read, and would write it back (flock on answerback.lock beside it). */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "store_forget.h"
#include "store_private.h"

enum { TRIES = 200, WAIT_MS = 50 };       /* ten seconds, as for SQLite's */

static int lock(struct store *s, int how, struct err *e)
{
	struct str path = STR_INIT;
	const char *slash = strrchr(s->path, '/');
	int rc = 0;

	if (s->lock <= 0) {
		str_add(&path, s->path, slash ? (size_t)(slash + 1 - s->path) : 0);
		str_adds(&path, "answerback.lock");
		s->lock = open(path.s, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
		if (s->lock < 0)
			rc = err_set(e, ERR_IO, "%s cannot be made: %s", path.s, strerror(errno));
		str_free(&path);
	}
	for (int i = 0; rc == 0 && flock(s->lock, how | LOCK_NB) != 0; i++) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return err_set(e, ERR_IO, "%s cannot be locked: %s", s->path, strerror(errno));
		if (how == LOCK_EX && i == 3)
			return err_set(e, ERR_BUSY, "another answerback has this history open, and would write back from its memory "
			               "what goes now: close it, then try again");
		if (i == TRIES)
			return err_set(e, ERR_BUSY, "another answerback works on the whole of %s", s->path);
		sqlite3_sleep(WAIT_MS);
	}
	return rc;
}

int store_share(struct store *s, struct err *e)
{
	return lock(s, LOCK_SH, e);
}

int store_alone(struct store *s, struct err *e)
{
	return lock(s, LOCK_EX, e);
}
