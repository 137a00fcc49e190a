/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Power cuts. A file system under SQLite (a VFS) that remembers what has been synced and what has only been
 * written. At a random instant everything stops; what is then on the disk is what was synced, and of what was
 * written since any 512-byte pieces or none, files' ends and deletions too. The database is opened again: every turn
 * that was acknowledged is there, in order, nothing half, and the file is whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/rng.h"
#include "base/str.h"
#include "common_store.h"
#include "store_forget.h"
#include "store_private.h"

/* ---- what is on the disk ---- */

struct change {
	int64_t at;
	size_t n;
	char *data;                   /* NULL: the file ends at `at` */
};

struct image {
	char path[160];
	struct str synced;
	bool there, deleted;          /* on the disk; and deleted since, which the folder may not know yet */
	struct change *pending;
	size_t n;
};

enum { IMAGES = 8, PIECE = 512 };
static struct image images[IMAGES];
static int64_t operations, cut_at;
static struct rng dice;

static bool dark(void)
{
	return ++operations > cut_at;
}

static void forget_pending(struct image *m)
{
	for (size_t i = 0; i < m->n; i++)
		free(m->pending[i].data);
	free(m->pending);
	m->pending = NULL;
	m->n = 0;
}

static void reset_images(void)
{
	for (size_t i = 0; i < IMAGES; i++) {
		forget_pending(&images[i]);
		str_free(&images[i].synced);
		images[i] = (struct image){ .synced = STR_INIT };
	}
}

static void read_whole(const char *path, struct str *out)
{
	FILE *f = fopen(path, "r");
	char buf[4096];
	size_t n;

	str_reset(out);
	while (f && (n = fread(buf, 1, sizeof(buf), f)) > 0)
		str_add(out, buf, n);
	if (f)
		fclose(f);
}

static struct image *image_of(const char *path)
{
	size_t i = 0;

	while (i < IMAGES && images[i].path[0] && strcmp(images[i].path, path) != 0)
		i++;
	assert_true(i < IMAGES);
	if (!images[i].path[0]) {
		snprintf(images[i].path, sizeof(images[i].path), "%s", path);
		images[i].there = access(path, F_OK) == 0;
		read_whole(path, &images[i].synced);
	}
	return &images[i];
}

static void apply(struct str *s, const struct change *c, size_t from, size_t to)
{
	if (!c->data) {
		while (s->len < (size_t)c->at)
			str_addc(s, '\0');
		s->len = (size_t)c->at;
		return;
	}
	while (s->len < (size_t)c->at + to)
		str_addc(s, '\0');
	memcpy(s->s + c->at + from, c->data + from, to - from);
}

static void note_change(struct image *m, int64_t at, const void *data, size_t n)
{
	m->pending = xreallocarray(m->pending, m->n + 1, sizeof(*m->pending));
	m->pending[m->n++] = (struct change){ at, n, data ? xmemdup(data, n) : NULL };
}

static void sync_image(struct image *m)
{
	for (size_t i = 0; i < m->n; i++)
		apply(&m->synced, &m->pending[i], 0, m->pending[i].n);
	forget_pending(m);
	m->there = true;
}

/* What a person finds who switches the machine on again. */
static void come_back(void)
{
	char shm[170];

	for (size_t i = 0; i < IMAGES && images[i].path[0]; i++) {
		struct image *m = &images[i];
		FILE *f;

		if (!m->there || (m->deleted && rng_below(&dice, 2))) {
			unlink(m->path);
			continue;
		}
		for (size_t k = 0; k < m->n; k++) {
			const struct change *c = &m->pending[k];

			if (!c->data && rng_below(&dice, 2))
				apply(&m->synced, c, 0, 0);
			for (size_t p = 0; c->data && p < c->n; p += PIECE)
				if (rng_below(&dice, 2))
					apply(&m->synced, c, p, p + PIECE < c->n ? p + PIECE : c->n);
		}
		f = fopen(m->path, "w");
		assert_non_null(f);
		assert_int_equal(fwrite(m->synced.s, 1, m->synced.len, f), m->synced.len);
		fclose(f);
	}
	snprintf(shm, sizeof(shm), "%s-shm", store_file);
	unlink(shm);
	reset_images();
}

/* ---- the file system ---- */

struct file {
	sqlite3_file base;
	struct image *m;              /* NULL: a temporary file */
	sqlite3_file *real;
};

static sqlite3_vfs *disk;             /* SQLite's own */

#define REAL(f) (((struct file *)(f))->real)

static int f_close(sqlite3_file *f)
{
	return REAL(f)->pMethods ? REAL(f)->pMethods->xClose(REAL(f)) : SQLITE_OK;
}

static int f_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at)
{
	return REAL(f)->pMethods->xRead(REAL(f), p, n, at);
}

static int f_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
	struct image *m = ((struct file *)f)->m;

	if (m && dark())
		return SQLITE_IOERR_WRITE;
	if (m)
		note_change(m, at, p, (size_t)n);
	return REAL(f)->pMethods->xWrite(REAL(f), p, n, at);
}

static int f_truncate(sqlite3_file *f, sqlite3_int64 n)
{
	struct image *m = ((struct file *)f)->m;

	if (m && dark())
		return SQLITE_IOERR_TRUNCATE;
	if (m)
		note_change(m, n, NULL, 0);
	return REAL(f)->pMethods->xTruncate(REAL(f), n);
}

static int f_sync(sqlite3_file *f, int flags)
{
	struct image *m = ((struct file *)f)->m;

	(void)flags;
	if (m && dark())
		return SQLITE_IOERR_FSYNC;
	if (m)
		sync_image(m);
	return SQLITE_OK;
}

static int f_size(sqlite3_file *f, sqlite3_int64 *n)
{
	return REAL(f)->pMethods->xFileSize(REAL(f), n);
}

static int f_lock(sqlite3_file *f, int how)
{
	return REAL(f)->pMethods->xLock(REAL(f), how);
}

static int f_unlock(sqlite3_file *f, int how)
{
	return REAL(f)->pMethods->xUnlock(REAL(f), how);
}

static int f_reserved(sqlite3_file *f, int *out)
{
	return REAL(f)->pMethods->xCheckReservedLock(REAL(f), out);
}

static int f_control(sqlite3_file *f, int op, void *arg)
{
	return REAL(f)->pMethods->xFileControl(REAL(f), op, arg);
}

static int f_sector(sqlite3_file *f)
{
	return REAL(f)->pMethods->xSectorSize(REAL(f));
}

static int f_device(sqlite3_file *f)
{
	return REAL(f)->pMethods->xDeviceCharacteristics(REAL(f));
}

static int f_map(sqlite3_file *f, int page, int size, int extend, void volatile **p)
{
	return REAL(f)->pMethods->xShmMap(REAL(f), page, size, extend, p);
}

static int f_shmlock(sqlite3_file *f, int at, int n, int flags)
{
	return REAL(f)->pMethods->xShmLock(REAL(f), at, n, flags);
}

static void f_barrier(sqlite3_file *f)
{
	REAL(f)->pMethods->xShmBarrier(REAL(f));
}

static int f_unmap(sqlite3_file *f, int gone)
{
	return REAL(f)->pMethods->xShmUnmap(REAL(f), gone);
}

static const sqlite3_io_methods methods = {
	.iVersion = 2, .xClose = f_close, .xRead = f_read, .xWrite = f_write, .xTruncate = f_truncate, .xSync = f_sync,
	.xFileSize = f_size, .xLock = f_lock, .xUnlock = f_unlock, .xCheckReservedLock = f_reserved, .xFileControl = f_control,
	.xSectorSize = f_sector, .xDeviceCharacteristics = f_device, .xShmMap = f_map, .xShmLock = f_shmlock,
	.xShmBarrier = f_barrier, .xShmUnmap = f_unmap,
};

static int v_open(sqlite3_vfs *v, const char *name, sqlite3_file *f, int flags, int *out)
{
	struct file *own = (struct file *)f;
	int rc;

	(void)v;
	own->base.pMethods = NULL;
	own->real = (sqlite3_file *)(own + 1);
	own->m = NULL;
	rc = disk->xOpen(disk, name, own->real, flags, out);
	if (rc != SQLITE_OK)
		return rc;
	if (name && (flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_WAL))) {
		own->m = image_of(name);
		own->m->deleted = false;
	}
	own->base.pMethods = &methods;
	return SQLITE_OK;
}

static int v_delete(sqlite3_vfs *v, const char *name, int sync_folder)
{
	struct image *m = image_of(name);

	(void)v;
	if (dark())
		return SQLITE_IOERR_DELETE;
	if (sync_folder) {
		m->there = false;
		str_reset(&m->synced);
		forget_pending(m);
	}
	m->deleted = true;
	return disk->xDelete(disk, name, sync_folder);
}

static void plug_in(sqlite3_vfs *v)
{
	disk = sqlite3_vfs_find(NULL);
	*v = *disk;
	v->pNext = NULL;
	v->zName = "power";
	v->szOsFile = (int)sizeof(struct file) + disk->szOsFile;
	v->xOpen = v_open;
	v->xDelete = v_delete;
	assert_int_equal(sqlite3_vfs_register(v, 1), SQLITE_OK);
}

/* ---- what is done under it ---- */

static bool in_order(const struct store_message *m, void *arg)
{
	int64_t *last = arg;
	char text[600];
	int n = snprintf(text, sizeof(text), "turn %lld ", (long long)(*last + 1));

	memset(text + n, 'x', 500 - (size_t)n);      /* so that half of one would show */
	text[500] = '\0';
	if (strcmp(m->content, text) == 0)
		++*last;
	else
		*last = -1000000;
	return true;
}

static int add_turn(struct store *s, int64_t c, int64_t i)
{
	char text[501];
	struct store_message m = {
		.conversation = c, .role = (char *)(uintptr_t)"user", .origin = (char *)(uintptr_t)"typed", .content = text, .len = 500,
	};
	int n = snprintf(text, sizeof(text), "turn %lld ", (long long)i);

	memset(text + n, 'x', 500 - (size_t)n);
	return store_message_add(s, &m, NULL);
}

static void cut_at_any_instant(void **state)
{
	const int rounds = getenv("ANSWERBACK_LONG") ? 3000 : 250;
	sqlite3_vfs power;
	struct store *s = store_opened();
	const int64_t c = store_conv(s, NULL, NULL);
	int64_t kept = 0, cuts_in_scrub = 0;

	(void)state;
	store_close(s);
	rng_seed(&dice, 5);
	for (int round = 0; round < rounds; round++) {
		struct str report = STR_INIT;
		struct err e = ERR_INIT;
		int64_t acknowledged = kept, found = 0;

		reset_images();
		operations = 0;
		cut_at = (int64_t)rng_below(&dice, 160);
		plug_in(&power);
		if (store_open_file(&s, store_file, STORE_READ_WRITE, NULL) == 0) {
			/* checkpoints often, so that cuts fall into them too */
			sqlite3_wal_autocheckpoint(s->db, (int)(2 + rng_below(&dice, 20)));
			for (;;) {
				if (rng_below(&dice, 12) == 0 && store_scrub(s, NULL) < 0) {
					cuts_in_scrub++;
					break;
				}
				if (add_turn(s, c, acknowledged + 1) < 0)
					break;
				acknowledged++;
			}
			store_close(s);
		}
		sqlite3_vfs_unregister(&power);
		come_back();

		s = store_opened();
		assert_int_equal(store_messages(s, c, in_order, &found, NULL), 0);
		/* the one that was being written may be there, no more, and none is missing */
		if (found < acknowledged || found > acknowledged + 1)
			fail_msg("round %d, cut at %lld: %lld turns were acknowledged, %lld are there", round, (long long)cut_at,
			         (long long)acknowledged, (long long)found);
		kept = found;
		if (store_check(s, &report, &e) < 0)
			fail_msg("round %d, cut at %lld: %s %s", round, (long long)cut_at, e.msg, report.s);
		str_free(&report);
		store_close(s);
	}
	assert_true(kept > rounds);
	assert_true(cuts_in_scrub > rounds / 50);
}

/* The test of the test: what has not been synced is lost here, so synchronous=OFF must lose turns. */
static void without_syncs_turns_are_lost(void **state)
{
	sqlite3_vfs power;
	struct store *s = store_opened();
	const int64_t c = store_conv(s, NULL, NULL);
	int lost = 0;

	(void)state;
	store_close(s);
	rng_seed(&dice, 6);
	for (int round = 0; round < 10 && !lost; round++) {
		int64_t acknowledged = 0, found = 0;

		reset_images();
		operations = 0;
		cut_at = 60;
		plug_in(&power);
		assert_int_equal(store_open_file(&s, store_file, STORE_READ_WRITE, NULL), 0);
		sqlite3_exec(s->db, "PRAGMA synchronous = OFF; DELETE FROM messages", NULL, NULL, NULL);
		while (add_turn(s, c, acknowledged + 1) == 0)
			acknowledged++;
		store_close(s);
		sqlite3_vfs_unregister(&power);
		come_back();
		if (store_open_file(&s, store_file, STORE_READ_WRITE, NULL) < 0 || store_messages(s, c, in_order, &found, NULL) < 0) {
			lost++;
			break;
		}
		lost += found < acknowledged;
		store_close(s);
	}
	assert_true(lost > 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, store_fresh, store_gone)
	const struct CMUnitTest tests[] = { T(cut_at_any_instant), T(without_syncs_turns_are_lost) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
