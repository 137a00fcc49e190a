/* SPDX-License-Identifier: GPL-3.0-or-later */
/* store_care: checking, copying, restoring and thinning the file. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "paths.h"
#include "store_forget.h"
#include "store_private.h"

int store_check(struct store *s, struct str *report, struct err *e)
{
	static const char *const checks[] = { "PRAGMA integrity_check(20)", "PRAGMA foreign_key_check" };
	bool bad = false;

	for (size_t i = 0; i < 2; i++) {
		sqlite3_stmt *st = store_statement(s, checks[i], e);
		int rc;

		if (!st)
			return e && e->code ? e->code : ERR_IO;
		while ((rc = store_step(s, st, e)) == SQLITE_ROW) {
			const char *t = (const char *)sqlite3_column_text(st, 0);

			if (i == 0 && t && strcmp(t, "ok") == 0)
				continue;
			bad = true;
			str_addf(report, "%s%s\n", i ? "a row without its owner in " : "", t ? t : "?");
		}
		sqlite3_reset(st);
		if (rc < 0)
			return rc;
	}
	if (store_run(s, NULL, "INSERT INTO messages_fts(messages_fts, rank) VALUES ('integrity-check', 1)", "") < 0 &&
	    !s->read_only) {
		bad = true;
		str_adds(report, "the word index does not agree with the messages (answerback db vacuum builds it anew)\n");
	}
	return bad ? err_set(e, ERR_FORMAT, "%s is damaged", s->path) : 0;
}

int store_vacuum(struct store *s, struct err *e)
{
	return store_scrub(s, e);
}

static int sync_path(const char *path, int flags, struct err *e)
{
	int fd = open(path, flags | O_CLOEXEC), rc = 0;

	if (fd < 0 || fsync(fd) != 0)
		rc = err_set(e, ERR_IO, "%s cannot be synced: %m", path);
	if (fd >= 0)
		close(fd);
	return rc;
}

static int sync_folder_of(const char *path, struct err *e)
{
	char *copy = xstrdup(path), *slash = strrchr(copy, '/');
	int rc;

	if (slash)
		*slash = '\0';
	rc = sync_path(slash ? (*copy ? copy : "/") : ".", O_RDONLY | O_DIRECTORY, e);
	free(copy);
	return rc;
}

/* Everything of db into a new file at path; the caller names it well. */
static int copy_to(struct store *s, const char *path, struct err *e)
{
	sqlite3 *to = NULL;
	sqlite3_backup *b;
	int rc = sqlite3_open_v2(path, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);

	if (rc == SQLITE_OK) {
		b = sqlite3_backup_init(to, "main", s->db, "main");
		if (b) {
			while ((rc = sqlite3_backup_step(b, 4096)) == SQLITE_OK || rc == SQLITE_BUSY || rc == SQLITE_LOCKED)
				if (rc != SQLITE_OK)
					sqlite3_sleep(20);
			sqlite3_backup_finish(b);
			rc = rc == SQLITE_DONE ? SQLITE_OK : rc;
		} else {
			rc = sqlite3_errcode(to);
		}
	}
	if (rc == SQLITE_OK)      /* one file, with no log beside it */
		rc = sqlite3_exec(to, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
	sqlite3_close(to);
	if ((rc & 0xff) == SQLITE_CORRUPT || (rc & 0xff) == SQLITE_NOTADB)      /* what is copied, not the copy */
		return store_fail(s, rc, e);
	if (rc != SQLITE_OK)
		return err_set(e, ERR_IO, "%s cannot be written: %s", path, sqlite3_errstr(rc));
	return 0;
}

int store_backup(struct store *s, const char *path, struct err *e)
{
	struct str tmp = STR_INIT;
	int fd, rc;

	str_addf(&tmp, "%s.tmp.%ld", path, (long)getpid());
	unlink(tmp.s);
	fd = open(tmp.s, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	if (fd < 0) {
		rc = err_set(e, ERR_IO, "%s cannot be written: %m", path);
		str_free(&tmp);
		return rc;
	}
	close(fd);
	rc = copy_to(s, tmp.s, e);
	if (rc == 0)
		rc = sync_path(tmp.s, O_RDONLY, e);
	if (rc == 0 && rename(tmp.s, path) != 0)
		rc = err_set(e, ERR_IO, "%s cannot be written: %m", path);
	if (rc == 0)
		rc = sync_folder_of(path, e);
	else
		unlink(tmp.s);
	str_free(&tmp);
	return rc;
}

int store_restore(const char *data_dir, const char *backup, struct err *e)
{
	struct str path = STR_INIT, keep = STR_INIT, side = STR_INIT, report = STR_INIT;
	struct store *from = NULL, *now = NULL;
	struct err ignored = ERR_INIT;
	char *folder = NULL;
	int rc;

	if (access(backup, R_OK) != 0)
		return err_set(e, ERR_NOTFOUND, "%s cannot be read: %m", backup);
	if ((rc = store_open_file(&from, backup, STORE_NO_MIGRATE, e)) < 0 || (rc = store_check(from, &report, e)) < 0) {
		err_prefix(e, "not restored, the backup is no good");
		goto out;
	}
	if ((rc = paths_folder(PATHS_DATA, data_dir, true, &folder, e)) < 0)
		goto out;
	str_addf(&path, "%s/answerback.db", folder);
	str_addf(&keep, "%s.before-restore", path.s);
	/* what is there is kept, whole when it can be read, as it lies when not */
	if (access(path.s, F_OK) == 0) {
		if (store_open_file(&now, path.s, STORE_NO_MIGRATE, &ignored) == 0) {
			/* who writes on into the old file would write into nothing */
			rc = store_alone(now, e);
			if (rc == 0)
				rc = store_exec(now, "BEGIN EXCLUSIVE", e);
			if (rc == 0)
				rc = store_exec(now, "COMMIT", e);
			if (rc == 0)
				rc = store_backup(now, keep.s, e);
			store_close(now);
		} else if (rename(path.s, keep.s) != 0) {
			rc = err_set(e, ERR_IO, "%s cannot be kept as %s: %m", path.s, keep.s);
		}
		if (rc < 0)
			goto out;
	}
	/* the old file's log must not be taken for the new one's */
	static const char *const sides[] = { "-wal", "-shm" };

	for (size_t i = 0; i < 2; i++) {
		str_reset(&side);
		str_addf(&side, "%s%s", path.s, sides[i]);
		unlink(side.s);
	}
	rc = store_backup(from, path.s, e);
	/* from here on it is restored, whatever becomes of the note about it */
	if (rc == 0 && store_open_file(&now, path.s, STORE_NO_MIGRATE, &ignored) == 0) {
		store_audit(now, "restored", "a backup was put in the database's place", &ignored);
		store_close(now);
	}
out:
	store_close(from);
	free(folder);
	str_free(&path);
	str_free(&keep);
	str_free(&side);
	str_free(&report);
	return rc;
}

int store_retain(struct store *s, int days, int most, struct err *e)
{
	const int64_t limit = store_now() - (int64_t)days * 24 * 3600 * 1000;
	int gone, rc;

	if (days <= 0)
		return 0;
	if ((rc = store_begin(s, e)) < 0)
		return rc;
#define OLD "(SELECT id FROM conversations WHERE updated < ?1 ORDER BY updated, id LIMIT ?2)"
	if ((rc = store_run(s, e, "DELETE FROM examples WHERE state <> 'approved' AND conversation IN " OLD, "ii", limit,
	                    (int64_t)most)) < 0 ||
	    (rc = store_run(s, e, "UPDATE examples SET vals = '{}' WHERE conversation IN " OLD, "ii", limit, (int64_t)most)) < 0 ||
	    (rc = store_run(s, e, "DELETE FROM suggestions WHERE conversation IS NULL AND created < ?1", "i", limit)) < 0 ||
	    (rc = store_run(s, e, "DELETE FROM conversations WHERE id IN " OLD, "ii", limit, (int64_t)most)) < 0) {
		store_abandon(s);
		return rc;
	}
#undef OLD
	gone = sqlite3_changes(s->db);
	if (gone > 0) {
		char detail[64];

		snprintf(detail, sizeof(detail), "%d conversations untouched for %d days", gone, days);
		if ((rc = store_audit(s, "deleted by age", detail, e)) < 0) {
			store_abandon(s);
			return rc;
		}
	}
	rc = store_commit(s, e);
	return rc < 0 ? rc : gone;
}

int store_merge(struct store *s, bool first, struct err *e)
{
	const int before = sqlite3_total_changes(s->db);
	int rc = store_run(s, e, "INSERT INTO messages_fts(messages_fts, rank) VALUES ('merge', ?)", "i",
	                   (int64_t)(first ? -256 : 256));

	/* FTS5: fewer than two rows changed means that there was nothing to merge */
	return rc < 0 ? rc : sqlite3_total_changes(s->db) - before >= 2;
}

int store_index_room(struct store *s, bool more, struct err *e)
{
	return store_run(s, e, "INSERT INTO messages_fts(messages_fts, rank) VALUES ('hashsize', ?)", "i",
	                 (int64_t)(more ? 64 << 20 : 1 << 20));
}
