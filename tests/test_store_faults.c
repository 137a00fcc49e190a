/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Faults on real files: a disk that is full while logging, folders and files that cannot be written, files cut
 * short or scribbled over, a clock that goes back, two programs at once, and migrations with rows in every table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/rng.h"
#include "base/str.h"
#include "common_store.h"
#include "store_forget.h"
#include "store_private.h"
#include "store_stats.h"
#include "storekeeper.h"

static int64_t number(struct store *s, const char *sql)
{
	sqlite3_stmt *st;
	int64_t n = -1;

	if (sqlite3_prepare_v2(s->db, sql, -1, &st, NULL) != SQLITE_OK)
		return -1;
	if (sqlite3_step(st) == SQLITE_ROW)
		n = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return n;
}

/* What fn says in a child; what it found is its exit code. */
static int in_child(int (*fn)(void))
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0)
		_exit(fn());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

/* ---- a full disk ---- */

/* No file may grow beyond half a megabyte; then the person makes room. */
static int log_on_a_full_disk(void)
{
	struct rlimit lim = { 512 * 1024, RLIM_INFINITY };
	struct storekeeper *k;
	char big[20001], *trouble;
	int64_t c;
	int troubles = 0;

	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	signal(SIGXFSZ, SIG_IGN);
	if (storekeeper_start(&k, NULL, NULL) < 0)
		return 1;
	setrlimit(RLIMIT_FSIZE, &lim);
	c = storekeeper_conversation(k, NULL, NULL, NULL, "test");
	for (int i = 0; i < 60; i++) {
		memcpy(big, "turn 000 ", 9);
		big[6] = (char)('0' + i / 10);
		big[7] = (char)('0' + i % 10);
		storekeeper_message(k, c, "user", "typed", big, strlen(big), "", 0);
		storekeeper_flush(k);
		trouble = storekeeper_trouble(k);
		troubles += trouble != NULL;
		free(trouble);
	}
	if (troubles == 0 || troubles == 60)
		return 2;
	lim.rlim_cur = RLIM_INFINITY;
	setrlimit(RLIMIT_FSIZE, &lim);
	storekeeper_message(k, c, "user", "typed", "there is room", 13, "", 0);
	storekeeper_flush(k);
	trouble = storekeeper_trouble(k);
	storekeeper_stop(k);
	return trouble ? 3 : 0;
}

static void a_full_disk_loses_no_turn_that_is_kept_later(void **state)
{
	struct store *s;

	(void)state;
	assert_int_equal(in_child(log_on_a_full_disk), 0);
	s = store_opened();
	assert_int_equal(number(s, "SELECT count(*) FROM messages"), 61);
	assert_int_equal(number(s, "SELECT count(*) FROM messages a JOIN messages b ON b.id = a.id + 1"
	                           " WHERE b.content <> 'there is room' AND b.content < a.content"), 0);
	assert_int_equal(number(s, "SELECT count(*) FROM conversations"), 1);
	store_close(s);
}

/* ---- read-only ---- */

static int opened_by_nobody(enum store_mode mode, const char *want)
{
	struct err e = ERR_INIT;
	struct store *s;
	int64_t id;
	int rc;

	if (getuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
		return 1;
	rc = store_open_file(&s, store_file, mode, &e);
	if (rc == 0) {
		rc = store_conversation_add(s, NULL, NULL, NULL, NULL, 0, &id, &e);
		store_close(s);
	}
	if (rc >= 0 || !strstr(e.msg, want) || !strstr(e.msg, store_file)) {
		fprintf(stderr, "# %d %s\n", rc, e.msg);
		return 2;
	}
	return 0;
}

static int write_read_only(void)
{
	return opened_by_nobody(STORE_READ_WRITE, "read-only");
}

static int read_unreadable(void)
{
	return opened_by_nobody(STORE_READ_ONLY, "cannot be opened");
}

static void read_only_files_and_folders(void **state)
{
	struct store *s = store_opened();

	(void)state;
	store_say(s, store_conv(s, NULL, NULL), "user", "typed", "hello", 0);
	store_close(s);
	chmod(store_file, 0444);
	chmod(store_folder, 0555);
	assert_int_equal(in_child(write_read_only), 0);
	chmod(store_folder, 0755);      /* the folder may be written, the file not */
	assert_int_equal(in_child(write_read_only), 0);
	chmod(store_file, 0000);
	assert_int_equal(in_child(read_unreadable), 0);
	chmod(store_file, 0600);
	s = store_opened();
	assert_int_equal(store_find(s, "hello ").n, 1);
	store_close(s);
}

/* ---- damage ---- */

static void fill_pages(void)
{
	struct store *s = store_opened();
	int64_t c = store_conv(s, NULL, NULL);

	for (int i = 0; i < 400; i++)
		store_say(s, c, "user", "typed", "filling pages with some words so that there are several of them", 0);
	store_scrub(s, NULL);
	store_close(s);
}

/* Anything may be wrong anywhere: an error that says so, or rows; never a crash, never a hang. */
static void scribbled_over_anywhere(void **state)
{
	char copy[420];
	struct rng r;
	int noticed = 0;

	(void)state;
	fill_pages();
	snprintf(copy, sizeof(copy), "cp %s %s.good", store_file, store_file);
	assert_int_equal(system(copy), 0);
	snprintf(copy, sizeof(copy), "cp %s.good %s; rm -f %s-wal %s-shm", store_file, store_file, store_file, store_file);
	rng_seed(&r, 8);
	for (int round = 0; round < 60; round++) {
		struct str report = STR_INIT;
		struct err e = ERR_INIT;
		struct store *s;
		struct stat st;
		int fd;

		assert_int_equal(system(copy), 0);
		assert_int_equal(stat(store_file, &st), 0);
		if (round % 6 == 0) {
			assert_int_equal(truncate(store_file, (off_t)rng_below(&r, (uint32_t)st.st_size)), 0);
		} else {
			fd = open(store_file, O_WRONLY);
			for (int i = 0; i < 20; i++) {
				unsigned char b[16];

				for (size_t k = 0; k < sizeof(b); k++)
					b[k] = (unsigned char)rng_below(&r, 256);
				assert_int_equal(pwrite(fd, b, sizeof(b), (off_t)rng_below(&r, (uint32_t)st.st_size - 16)), sizeof(b));
			}
			close(fd);
		}
		if (store_open_file(&s, store_file, STORE_READ_WRITE, &e) == 0) {
			struct found f = { 0 };

			if (store_check(s, &report, &e) < 0) {
				noticed++;
				assert_int_equal(e.code, ERR_FORMAT);
				assert_non_null(strstr(e.msg, "damaged"));
			}
			store_search(s, "several ", 60, 0, store_collect, &f, NULL);
			store_close(s);
		} else {
			noticed++;
			assert_non_null(strstr(e.msg, store_file));
		}
		str_free(&report);
	}
	assert_true(noticed > 40);
}

/* A log of noise, or of another file, is no log: the file is as it was. */
static void a_log_that_is_none(void **state)
{
	struct str report = STR_INIT;
	struct store *s;
	char path[128];
	FILE *f;

	(void)state;
	fill_pages();
	snprintf(path, sizeof(path), "%s-wal", store_file);
	f = fopen(path, "w");
	for (int i = 0; i < 5000; i++)
		fprintf(f, "noise %d ", i);
	fclose(f);
	s = store_opened();
	assert_int_equal(number(s, "SELECT count(*) FROM messages"), 400);
	assert_int_equal(store_check(s, &report, NULL), 0);
	str_free(&report);
	store_close(s);
}

/* ---- the clock ---- */

static void any_figures(const struct store_figures *f, void *arg)
{
	*(int64_t *)arg += f->of == STORE_FIGURES_WEEK ? f->messages : 0;
}

static void a_clock_that_goes_back(void **state)
{
	struct store *s = store_opened();
	const int64_t c = store_conv(s, "A", NULL), now = store_now(), day = 24 * 3600 * 1000LL;
	struct store_conversation info;
	struct found f;
	int64_t weeks = 0;

	(void)state;
	store_say(s, c, "user", "typed", "said first", now);
	store_say(s, c, "assistant", "typed", "said second, a day before", now - day);
	store_say(s, c, "user", "typed", "said third, in 1970", 5);
	store_say(s, c, "user", "typed", "said fourth, before 1970", -5 * day);
	store_say(s, c, "user", "typed", "said fifth, in a far future", now + 40000 * day);
	f = store_find(s, "said ");      /* the order of saying counts, not the clock's */
	assert_int_equal(f.n, 5);
	assert_non_null(strstr(f.text[0], "fifth"));
	assert_non_null(strstr(f.text[4], "first"));
	store_conversation_get(s, c, &info, NULL);
	assert_true(info.updated >= now);
	store_conversation_free(&info);
	assert_int_equal(store_retain(s, 1, 10, NULL), 0);
	assert_int_equal(store_stats(s, 0, any_figures, &weeks, NULL), 0);
	assert_int_equal(weeks, 5);
	weeks = 0;
	assert_int_equal(store_stats(s, 2, any_figures, &weeks, NULL), 0);
	assert_int_equal(weeks, 3);      /* of now, the day before, and what claims to be later */
	store_close(s);
}

/* ---- two programs ---- */

static int which;

static int write_and_read(void)
{
	struct store *s;
	int64_t c;

	if (store_open_file(&s, store_file, STORE_READ_WRITE, NULL) < 0 ||
	    store_conversation_add(s, which ? "b" : "a", NULL, NULL, NULL, 0, &c, NULL) < 0)
		return 1;
	for (int i = 0; i < 150; i++) {
		char text[40];
		struct store_message m = { .conversation = c, .role = (char *)(uintptr_t)"user", .origin = (char *)(uintptr_t)"typed",
			.content = text };
		struct found f = { 0 };

		m.len = (size_t)snprintf(text, sizeof(text), "program %d turn %03d", which, i);
		if (store_message_add(s, &m, NULL) < 0)
			return 2;
		/* one's own turn is found at once, whatever the other one does */
		if (i % 10 == 0 && (store_search(s, text, 5, 0, store_collect, &f, NULL) < 0 || f.n != 1))
			return 3;
	}
	store_close(s);
	return 0;
}

static void two_programs_on_one_file(void **state)
{
	struct str report = STR_INIT;
	struct store *s;
	pid_t pid[2];
	int status;

	(void)state;
	fflush(NULL);
	/* from the very beginning: both make the file */
	for (which = 0; which < 2; which++) {
		pid[which] = fork();
		if (pid[which] == 0)
			_exit(write_and_read());
	}
	for (int i = 0; i < 2; i++) {
		assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
		assert_int_equal(status, 0);
	}
	s = store_opened();
	assert_int_equal(number(s, "SELECT count(*) FROM messages"), 300);
	assert_int_equal(number(s, "SELECT count(*) FROM messages m JOIN conversations c ON c.id = m.conversation"
	                           " WHERE (c.case_id = 'a') <> (m.content LIKE 'program 0%')"), 0);
	assert_int_equal(store_check(s, &report, NULL), 0);
	str_free(&report);
	store_close(s);
}

/* ---- migrations ---- */

static const char *const rows[STORE_VERSION] = {
	/* of version 1 */
	"INSERT INTO conversations VALUES (7, 'K-1', 'Anna', 'Acme', 'open', 'chat', 1000, 2000);"
	"INSERT INTO tags VALUES (7, 'late');"
	"INSERT INTO messages VALUES (3, 7, 'user', 'typed', 'words of old', 1000, '', 0), (9, 7, 'assistant', 'edited', 'an answer', 2000,"
	" 'base', 12.5);"
	"INSERT INTO drafts VALUES (7, 'half a thou', 2000);"
	"INSERT INTO suggestions VALUES (4, 7, 'reply', 'model', 'an answre', 'base', 'edited', -1.5, 0.25, 40, 0, 1500);"
	"INSERT INTO ratings VALUES (9, 1, 2500);"
	"INSERT INTO examples VALUES (5, 7, 9, '{}', 'q', 'a', '', 'approved', 'sent', '', '{}', 1, 2000, 2100);"
	"INSERT INTO vectors VALUES (5, 'e1', x'0102');"
	"INSERT INTO canned VALUES ('hello', 'Hello {name}', 1);"
	"INSERT INTO imports VALUES ('abc', 7, 1);"
	"INSERT INTO runs VALUES (2, 'retrain', 'v1', 'base', 'published', '{}', 1, 2);"
	"INSERT INTO audit VALUES (1, 'published', 'v1', 2);",
	/* of version 2 */
	"INSERT INTO blobs VALUES ('person', x'ff00', 3);"
	"INSERT INTO run_examples VALUES (2, 5);"
	"INSERT INTO tainted VALUES ('v0', 4);"
	"INSERT INTO decisions VALUES (6, 5, '{}', 'q', 'b', 'proposed', 1900);",
};

static const struct {
	int version;
	const char *sql;
} expected[] = {
	{ 1, "SELECT count(*) FROM conversations WHERE id = 7 AND case_id = 'K-1' AND customer = 'Anna' AND updated = 2000" },
	{ 1, "SELECT count(*) FROM tags WHERE conversation = 7 AND tag = 'late'" },
	{ 1, "SELECT count(*) = 2 FROM messages WHERE (id, content) IN (VALUES (3, 'words of old'), (9, 'an answer'))" },
	{ 1, "SELECT count(*) FROM messages_fts WHERE messages_fts MATCH 'old'" },
	{ 1, "SELECT count(*) FROM messages_fts WHERE messages_fts MATCH 'answ*'" },
	{ 1, "SELECT count(*) FROM drafts WHERE text = 'half a thou'" },
	{ 1, "SELECT count(*) FROM suggestions WHERE id = 4 AND score = -1.5 AND fate = 'edited'" },
	{ 1, "SELECT count(*) FROM ratings WHERE message = 9 AND rating = 1" },
	{ 1, "SELECT count(*) FROM examples WHERE id = 5 AND message = 9 AND decided = 2100" },
	{ 1, "SELECT count(*) FROM vectors WHERE data = x'0102'" },
	{ 1, "SELECT count(*) FROM canned WHERE text = 'Hello {name}'" },
	{ 1, "SELECT count(*) FROM imports WHERE hash = 'abc'" },
	{ 1, "SELECT count(*) FROM runs WHERE id = 2 AND model = 'v1'" },
	{ 1, "SELECT count(*) FROM audit WHERE what = 'published'" },
	{ 2, "SELECT count(*) FROM blobs WHERE data = x'ff00'" },
	{ 2, "SELECT count(*) FROM run_examples WHERE run = 2 AND example = 5" },
	{ 2, "SELECT count(*) FROM tainted WHERE model = 'v0'" },
	{ 2, "SELECT count(*) FROM decisions WHERE example = 5 AND answer = 'b'" },
};

static void make_old(int version)
{
	char sql[96];
	sqlite3 *db;

	unlink(store_file);
	assert_int_equal(sqlite3_open(store_file, &db), SQLITE_OK);
	for (int v = 0; v < version; v++) {
		assert_int_equal(sqlite3_exec(db, store_schema[v], NULL, NULL, NULL), SQLITE_OK);
		if (rows[v] && sqlite3_exec(db, rows[v], NULL, NULL, NULL) != SQLITE_OK)
			fail_msg("%s", sqlite3_errmsg(db));
	}
	snprintf(sql, sizeof(sql), "PRAGMA application_id = %d; PRAGMA user_version = %d", 0x616e7362, version);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void all_there(struct store *s, int version)
{
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		if (expected[i].version <= version && number(s, expected[i].sql) != 1)
			fail_msg("from version %d: %s", version, expected[i].sql);
}

/* Every table of every version keeps its rows, the backup has them too, and twice is once. */
static void migrations_keep_every_row(void **state)
{
	(void)state;
	for (int v = 1; v < STORE_VERSION; v++) {
		struct str report = STR_INIT;
		struct err e = ERR_INIT;
		char backup[128];
		struct store *s;

		make_old(v);
		assert_int_equal(store_open_file(&s, store_file, STORE_READ_ONLY, &e), ERR_FORMAT);
		assert_non_null(strstr(e.msg, "db migrate"));
		s = store_opened();
		assert_int_equal(store_version(s), STORE_VERSION);
		all_there(s, v);
		assert_int_equal(store_check(s, &report, &e), 0);
		store_close(s);
		s = store_opened();
		all_there(s, v);
		store_close(s);
		snprintf(backup, sizeof(backup), "%s.v%d.backup", store_file, v);
		assert_int_equal(store_open_file(&s, backup, STORE_NO_MIGRATE, &e), 0);
		assert_int_equal(store_version(s), v);
		all_there(s, v);
		store_close(s);
		assert_int_equal(unlink(backup), 0);
		str_free(&report);
	}
}

/* A migration that cannot make its backup changes nothing. */
static int migrate_without_room(void)
{
	struct rlimit lim = { 40960, 40960 };      /* enough for SQLite's shared memory */
	struct err e = ERR_INIT;
	struct store *s;

	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &lim);
	return store_open_file(&s, store_file, STORE_READ_WRITE, &e) < 0 && strstr(e.msg, "backup") ? 0 : 1;
}

static void no_migration_without_a_backup(void **state)
{
	struct store *s;

	(void)state;
	make_old(1);
	/* in WAL mode already, so that only the backup needs room */
	assert_int_equal(store_open_file(&s, store_file, STORE_NO_MIGRATE, NULL), 0);
	store_close(s);
	assert_int_equal(in_child(migrate_without_room), 0);
	assert_int_equal(store_open_file(&s, store_file, STORE_NO_MIGRATE, NULL), 0);
	assert_int_equal(store_version(s), 1);
	all_there(s, 1);
	store_close(s);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, store_fresh, store_gone)
	const struct CMUnitTest tests[] = {
		T(a_full_disk_loses_no_turn_that_is_kept_later), T(read_only_files_and_folders), T(scribbled_over_anywhere),
		T(a_log_that_is_none), T(a_clock_that_goes_back), T(two_programs_on_one_file), T(migrations_keep_every_row),
		T(no_migration_without_a_backup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
