/* SPDX-License-Identifier: GPL-3.0-or-later */
/* store: opening and migrating the file, statements, transactions. */
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "paths.h"
#include "store_forget.h"
#include "store_private.h"

enum { APPLICATION_ID = 0x616e7362 /* "ansb" */, BUSY_MS = 10000 };

int64_t store_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

const char *store_path(const struct store *s)
{
	return s->path;
}

void store_interrupt(struct store *s)
{
	sqlite3_interrupt(s->db);
}

char *store_clean(const char *text, size_t len)
{
	struct str out = STR_INIT;
	size_t at = 0;

	while (at < len) {
		size_t good = utf8_valid_upto(text + at, len - at), nul = strnlen(text + at, good);

		str_add(&out, text + at, nul);
		at += nul;
		if (at < len) {
			str_adds(&out, "\xef\xbf\xbd");
			at++;
		}
	}
	return str_detach(&out);
}

/* ---- errors and statements ---- */

int store_fail(struct store *s, int code, struct err *e)
{
	const char *what = s->db ? sqlite3_errmsg(s->db) : sqlite3_errstr(code);

	switch (code & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return err_set(e, ERR_BUSY, "%s is locked by another program; close that one, or try again", s->path);
	case SQLITE_INTERRUPT:
		return err_set(e, ERR_CANCELLED, "stopped");
	case SQLITE_FULL:
		return err_set(e, ERR_IO, "%s: the disk is full; nothing that was kept is lost, make room and try again", s->path);
	case SQLITE_READONLY:
		return err_set(e, ERR_IO, "%s cannot be written: it, or its folder, is read-only", s->path);
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return err_set(e, ERR_FORMAT, "%s is damaged (%s): answerback db check says how far, answerback restore FILE "
		               "puts a backup in its place", s->path, what);
	case SQLITE_CANTOPEN:
		return err_set(e, ERR_IO, "%s cannot be opened: %s", s->path, what);
	case SQLITE_IOERR:
		return err_set(e, ERR_IO, "%s: %s (%s)", s->path, what, strerror(sqlite3_system_errno(s->db)));
	default:
		return err_set(e, ERR_IO, "%s: %s", s->path, what);
	}
}

int store_exec(struct store *s, const char *sql, struct err *e)
{
	int rc = sqlite3_exec(s->db, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : store_fail(s, rc, e);
}

sqlite3_stmt *store_statement(struct store *s, const char *sql, struct err *e)
{
	sqlite3_stmt *st;
	int rc;

	for (size_t i = 0; i < s->cached; i++) {
		if (s->cache[i].sql == sql) {
			sqlite3_reset(s->cache[i].st);
			sqlite3_clear_bindings(s->cache[i].st);
			return s->cache[i].st;
		}
	}
	rc = sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &st, NULL);
	if (rc != SQLITE_OK) {
		store_fail(s, rc, e);
		return NULL;
	}
	if (s->cached == STORE_STATEMENTS)       /* cannot happen while statements are literals */
		sqlite3_finalize(s->cache[--s->cached].st);
	s->cache[s->cached].sql = sql;
	s->cache[s->cached++].st = st;
	return st;
}

static int bind_all(sqlite3_stmt *st, const char *kinds, va_list ap)
{
	int rc = SQLITE_OK;

	for (int i = 1; kinds[i - 1] && rc == SQLITE_OK; i++) {
		switch (kinds[i - 1]) {
		case 'i':
			rc = sqlite3_bind_int64(st, i, va_arg(ap, int64_t));
			break;
		case 'o': {      /* an id or nothing */
			int64_t v = va_arg(ap, int64_t);

			rc = v ? sqlite3_bind_int64(st, i, v) : sqlite3_bind_null(st, i);
			break;
		}
		case 'd':
			rc = sqlite3_bind_double(st, i, va_arg(ap, double));
			break;
		case 't': {
			const char *t = va_arg(ap, const char *);

			rc = sqlite3_bind_text(st, i, t ? t : "", -1, SQLITE_TRANSIENT);
			break;
		}
		case 'b': {
			const void *p = va_arg(ap, const void *);
			size_t n = va_arg(ap, size_t);

			rc = sqlite3_bind_blob64(st, i, p ? p : "", n, SQLITE_TRANSIENT);
			break;
		}
		default:
			rc = SQLITE_MISUSE;
		}
	}
	return rc;
}

int store_bind(sqlite3_stmt *st, const char *kinds, ...)
{
	va_list ap;
	int rc;

	va_start(ap, kinds);
	rc = bind_all(st, kinds, ap);
	va_end(ap);
	return rc;
}

int store_step(struct store *s, sqlite3_stmt *st, struct err *e)
{
	int rc = sqlite3_step(st);

	if (rc == SQLITE_ROW || rc == SQLITE_DONE)
		return rc;
	store_fail(s, rc, e);
	sqlite3_reset(st);
	return e ? e->code : ERR_IO;
}

int store_run(struct store *s, struct err *e, const char *sql, const char *kinds, ...)
{
	sqlite3_stmt *st = store_statement(s, sql, e);
	va_list ap;
	int rc;

	if (!st)
		return ERR_IO;
	va_start(ap, kinds);
	rc = bind_all(st, kinds, ap);
	va_end(ap);
	if (rc != SQLITE_OK)
		return store_fail(s, rc, e);
	do
		rc = store_step(s, st, e);
	while (rc == SQLITE_ROW);
	sqlite3_reset(st);
	return rc == SQLITE_DONE ? 0 : rc;
}

char *store_text(sqlite3_stmt *st, int column)
{
	const char *t = (const char *)sqlite3_column_text(st, column);

	return xstrdup(t ? t : "");
}

int store_begin(struct store *s, struct err *e)
{
	int rc = 0;

	/* IMMEDIATE: a reader that turns into a writer half-way could not wait for its turn */
	if (s->depth == 0)
		rc = store_run(s, e, "BEGIN IMMEDIATE", "");
	if (rc == 0)
		s->depth++;
	return rc;
}

int store_commit(struct store *s, struct err *e)
{
	int rc;

	if (--s->depth > 0)
		return 0;
	if (sqlite3_get_autocommit(s->db))       /* an error has rolled it back already */
		return err_set(e, ERR_IO, "%s: the change was not kept", s->path);
	rc = store_run(s, e, "COMMIT", "");
	if (rc < 0)
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	return rc;
}

void store_abandon(struct store *s)
{
	s->depth = 0;
	if (!sqlite3_get_autocommit(s->db))
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
}

/* ---- opening ---- */

static int64_t number(struct store *s, const char *sql)
{
	sqlite3_stmt *st;
	int64_t v = -1;

	if (sqlite3_prepare_v2(s->db, sql, -1, &st, NULL) != SQLITE_OK)
		return -1;
	if (sqlite3_step(st) == SQLITE_ROW)
		v = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return v;
}

int store_version(struct store *s)
{
	return (int)number(s, "PRAGMA user_version");
}

static int migrate(struct store *s, int64_t from, struct err *e)
{
	struct str path = STR_INIT, pragma = STR_INIT;
	int rc = 0;

	if (from > 0) {
		str_addf(&path, "%s.v%d.backup", s->path, (int)from);
		rc = store_backup(s, path.s, e);
		str_free(&path);
		if (rc < 0)
			return err_prefix(e, "not migrated, since there is no backup");
	}
	if ((rc = store_exec(s, "BEGIN IMMEDIATE", e)) < 0)
		return rc;
	from = number(s, "PRAGMA user_version");      /* another program may have been quicker */
	for (int64_t v = from; v < STORE_VERSION && rc == 0; v++)
		rc = store_exec(s, store_schema[v], e);
	str_addf(&pragma, "PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT", APPLICATION_ID, STORE_VERSION);
	if (rc == 0)
		rc = store_exec(s, pragma.s, e);
	if (rc < 0)
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	str_free(&pragma);
	return rc;
}

/* Ours, whole enough to read, and of a version that this program knows. */
static int identify(struct store *s, enum store_mode mode, struct err *e)
{
	int64_t version = number(s, "PRAGMA user_version"), app = number(s, "PRAGMA application_id");
	int64_t tables = number(s, "SELECT count(*) FROM sqlite_schema");

	if (version < 0 || app < 0 || tables < 0) {
		int code = sqlite3_errcode(s->db);

		return store_fail(s, code == SQLITE_OK || code == SQLITE_DONE || code == SQLITE_ROW ? SQLITE_CORRUPT : code, e);
	}
	if (tables > 0 && app != APPLICATION_ID)
		return err_set(e, ERR_FORMAT, "%s is a database, but not one of answerback's", s->path);
	if (version > STORE_VERSION)
		return err_set(e, ERR_FORMAT, "%s was written by a newer answerback (its version is %d, this program knows up to %d): "
		               "use that one, or another --data-dir", s->path, (int)version, STORE_VERSION);
	if (version < STORE_VERSION && mode == STORE_READ_ONLY)
		return err_set(e, ERR_FORMAT, "%s is of version %d: answerback db migrate brings it to %d", s->path, (int)version,
		               STORE_VERSION);
	if (version < STORE_VERSION && (mode == STORE_READ_WRITE || tables == 0))
		return migrate(s, version, e);
	return 0;
}

static void finalize(struct store *s)
{
	for (size_t i = 0; i < s->cached; i++)
		sqlite3_finalize(s->cache[i].st);
	s->cached = 0;
}

static int connect(struct store *s, enum store_mode mode, struct err *e)
{
	int flags = mode == STORE_READ_ONLY ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
	int rc, fd;

	s->read_only = mode == STORE_READ_ONLY;
	if (!s->read_only) {      /* SQLite would make it with the umask's mode */
		fd = open(s->path, O_CREAT | O_RDONLY | O_CLOEXEC, 0600);
		if (fd >= 0)
			close(fd);
	}
	rc = sqlite3_open_v2(s->path, &s->db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
	if (rc != SQLITE_OK)
		return store_fail(s, rc, e);
	sqlite3_busy_timeout(s->db, BUSY_MS);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_limit(s->db, SQLITE_LIMIT_ATTACHED, 0);
	rc = 0;
	if (!s->read_only)
		rc = store_exec(s, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL", e);
	if (rc == 0)
		rc = store_exec(s, "PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON; PRAGMA cache_size = -16000;"
		                   " PRAGMA mmap_size = 0; PRAGMA wal_autocheckpoint = 1000; PRAGMA cell_size_check = ON", e);
	return rc == 0 ? identify(s, mode, e) : rc;
}

int store_open_file(struct store **out, const char *path, enum store_mode mode, struct err *e)
{
	struct store *s = xcalloc(1, sizeof(*s));
	int rc;

	*out = NULL;
	s->path = xstrdup(path);
	rc = connect(s, mode, e);
	if (rc < 0)
		store_close(s);
	else
		*out = s;
	return rc;
}

bool store_moved(struct store *s)
{
	int moved = 0;

	return s->lost || (sqlite3_file_control(s->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK && moved);
}

int store_reopen(struct store *s, struct err *e)
{
	const char *slash = strrchr(s->path, '/');
	char *folder = slash ? xmemdup(s->path, (size_t)(slash - s->path)) : NULL;
	const bool shared = s->lock > 0;
	int rc;

	/* The old one first: its shared memory would be cut short under it by the new one's. SQLite sees that
	 * the file has moved, and touches neither the new one nor its log. */
	finalize(s);
	store_words_close(s);
	sqlite3_close(s->db);
	s->db = NULL;
	s->depth = 0;
	if (s->lock > 0)
		close(s->lock);
	s->lock = 0;
	if (folder && *folder)
		paths_make(folder, NULL);
	free(folder);
	rc = connect(s, STORE_READ_WRITE, e);
	if (rc == 0 && shared)
		store_share(s, NULL);
	s->lost = rc < 0;
	if (s->lost) {      /* something that every statement fails on, until it is there again */
		finalize(s);
		sqlite3_close(s->db);
		s->db = NULL;
		sqlite3_open_v2(":memory:", &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	}
	return rc;
}

int store_open(struct store **out, const char *data_dir, enum store_mode mode, struct err *e)
{
	struct str path = STR_INIT;
	char *folder;
	int rc = paths_folder(PATHS_DATA, data_dir, mode != STORE_READ_ONLY, &folder, e);

	*out = NULL;
	if (rc < 0)
		return rc;
	str_addf(&path, "%s/answerback.db", folder);
	free(folder);
	if (mode == STORE_READ_ONLY && access(path.s, F_OK) != 0)
		rc = err_set(e, ERR_NOTFOUND, "nothing is kept yet: there is no %s", path.s);
	else
		rc = store_open_file(out, path.s, mode, e);
	str_free(&path);
	return rc;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	finalize(s);
	store_words_close(s);
	sqlite3_close(s->db);
	if (s->lock > 0)
		close(s->lock);
	free(s->path);
	free(s);
}
