/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The store on a real file: what it keeps, how it is found, what deletion leaves, migrations with data
 * in the old file, and faults: full disk, locks, read-only, damage, newer versions. */
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

#include "base/mem.h"
#include "base/rng.h"
#include "common_store.h"
#include "store_private.h"

static bool last_message(const struct store_message *m, void *arg)
{
	snprintf(arg, 80, "%s|%s|%s|%d", m->role, m->origin, m->content, m->rating);
	return true;
}

static void kept_and_private(void **state)
{
	struct store *s = store_opened();
	int64_t c = store_conv(s, "A-1", "Anna Weber"), m;
	struct store_conversation got;
	struct stat st;
	char text[80] = "";

	(void)state;
	m = store_say(s, c, "user", "typed", "where is my order", 0);
	assert_int_equal(store_message_rate(s, m, 1, NULL), 0);
	assert_int_equal(store_tag(s, c, "late", true, NULL), 0);
	assert_int_equal(store_tag(s, c, "angry", true, NULL), 0);
	assert_true(store_tag(s, c, "two words", true, NULL) < 0);
	store_close(s);
	assert_int_equal(stat(store_file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);

	s = store_opened();
	assert_int_equal(store_conversation_get(s, c, &got, NULL), 0);
	assert_string_equal(got.case_id, "A-1");
	assert_string_equal(got.tags, "angry,late");
	assert_int_equal(got.messages, 1);
	store_conversation_free(&got);
	assert_int_equal(store_messages(s, c, last_message, text, NULL), 0);
	assert_string_equal(text, "user|typed|where is my order|1");
	assert_int_equal(store_conversation_get(s, 99, &got, NULL), ERR_NOTFOUND);
	store_close(s);
}

static void hostile_text(void **state)
{
	static const char nasty[] = "a\0b\xff\xfe'; DROP TABLE messages; --";
	struct store *s = store_opened();
	int64_t c = store_conv(s, NULL, NULL);
	struct store_message m = {
		.conversation = c, .role = xstrdup("user"), .origin = xstrdup("typed"), .model = xstrdup(""),
		.content = xmemdup(nasty, sizeof(nasty) - 1), .len = sizeof(nasty) - 1,
	};
	char text[80] = "";

	(void)state;
	assert_int_equal(store_message_add(s, &m, NULL), 0);
	assert_int_equal(store_messages(s, c, last_message, text, NULL), 0);
	assert_non_null(strstr(text, "a\xef\xbf\xbd" "b\xef\xbf\xbd\xef\xbf\xbd'; DROP TABLE"));
	store_message_free(&m);
	/* queries of any shape are words, never syntax */
	store_find(s, "\"unclosed ( AND NEAR/2 * ^ {a b} : -x");
	store_find(s, "'\"'\"'\"");
	store_find(s, "---");
	store_find(s, "from: tag: AND OR NOT");
	store_close(s);
}

static void search_newest_first_with_filters(void **state)
{
	struct store *s = store_opened();
	int64_t a = store_conv(s, "A-1", "Anna Weber"), b = store_conv(s, "B-2", "Bob");
	const int64_t day = 24 * 3600 * 1000LL, base = 1767225600000LL;      /* 2026-01-01 */
	struct found f;

	(void)state;
	store_say(s, a, "user", "typed", "My Paket is late", base);
	store_say(s, a, "assistant", "model", "the paket will come", base + day);
	store_say(s, b, "user", "inbox", "Paketshop closed, naïve café", base + 10 * day);
	store_tag(s, a, "late", true, NULL);

	f = store_find(s, "paket ");
	assert_int_equal(f.n, 2);
	assert_string_equal(f.text[0], "the paket will come");
	f = store_find(s, "paket");                       /* still typing: a prefix */
	assert_int_equal(f.n, 3);
	assert_string_equal(f.text[0], "Paketshop closed, naïve café");
	assert_int_equal(store_find(s, "cafe ").n, 1);
	assert_int_equal(store_find(s, "\"is late\"").n, 1);
	assert_int_equal(store_find(s, "\"late is\" ").n, 0);
	assert_int_equal(store_find(s, "paket from:assistant").n, 1);
	assert_int_equal(store_find(s, "paket from:\"Anna Weber\"").n, 2);
	assert_int_equal(store_find(s, "paket tag:late").n, 2);
	assert_int_equal(store_find(s, "origin:inbox paket").n, 1);
	assert_int_equal(store_find(s, "case:B-2 paket").n, 1);
	assert_int_equal(store_find(s, "after:2026-01-05 paket").n, 1);
	assert_int_equal(store_find(s, "paket before:2026-01-05").n, 2);
	assert_int_equal(store_find(s, "from:user").n, 2);
	assert_true(store_search(s, "x after:yesterday", 5, 0, store_collect, &f, NULL) == ERR_USAGE);
	store_close(s);
}

static void deleting_leaves_nothing(void **state)
{
	struct store *s = store_opened();
	int64_t c = store_conv(s, NULL, "Zenobia Quartz"), other = store_conv(s, NULL, NULL);
	struct store_suggestion g = { .conversation = c, .kind = "reply", .origin = "model", .text = "quartzite", .model = "base" };
	struct store_example x = {
		.conversation = c, .chat = "{}", .question = "quartzite?", .answer = "yes", .suggested = "", .state = "approved",
		.origin = "taught", .flags = "", .weight = 1,
	};
	static const char *const tables[] = {
		"SELECT count(*) FROM messages WHERE content LIKE '%quartz%'", "SELECT count(*) FROM suggestions",
		"SELECT count(*) FROM examples", "SELECT count(*) FROM vectors", "SELECT count(*) FROM drafts",
		"SELECT count(*) FROM tags", "SELECT count(*) FROM ratings",
	};
	char tainted[40] = "";
	int64_t m;

	(void)state;
	m = store_say(s, c, "user", "typed", "quartzite please", 0);
	store_say(s, other, "user", "typed", "something else", 0);
	store_message_rate(s, m, -1, NULL);
	store_tag(s, c, "t", true, NULL);
	store_draft_set(s, c, "quartzite draft", NULL);
	assert_int_equal(store_suggestion_add(s, &g, NULL), 0);
	assert_int_equal(store_example_add(s, &x, NULL), 0);
	store_vector_set(s, x.id, "e1", "abcd", 4, NULL);
	store_run_add(s, "retrain", "v3", "base", "published", "{}", 1, &x.id, 1, NULL);
	assert_int_equal(store_conversation_delete(s, c, NULL), 0);
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		sqlite3_stmt *st = store_statement(s, tables[i], NULL);

		assert_int_equal(store_step(s, st, NULL), SQLITE_ROW);
		if (sqlite3_column_int(st, 0) != 0)
			fail_msg("left behind: %s", tables[i]);
		sqlite3_reset(st);
	}
	assert_int_equal(store_find(s, "quartzite ").n, 0);
	assert_int_equal(store_find(s, "something ").n, 1);
	(void)tainted;
	struct str report = STR_INIT;
	struct err e = ERR_INIT;

	if (store_check(s, &report, &e) < 0)
		fail_msg("%s %s", e.msg, report.s);
	str_free(&report);
	assert_int_equal(store_conversation_delete(s, c, NULL), ERR_NOTFOUND);
	store_close(s);
}

static bool name_it(const char *model, void *arg)
{
	snprintf(arg, 40, "%s", model);
	return true;
}

static void models_that_learned_are_marked(void **state)
{
	struct store *s = store_opened();
	int64_t c = store_conv(s, NULL, NULL);
	struct store_example x = {
		.conversation = c, .chat = "{}", .question = "q", .answer = "a", .suggested = "", .state = "approved",
		.origin = "taught", .flags = "", .weight = 1,
	};
	char name[40] = "";

	(void)state;
	store_example_add(s, &x, NULL);
	store_run_add(s, "retrain", "v7", "base", "published", "{}", 1, &x.id, 1, NULL);
	store_conversation_delete(s, c, NULL);
	assert_int_equal(store_tainted(s, name_it, name, NULL), 0);
	assert_string_equal(name, "v7");
	assert_true(store_model_tainted(s, "v7"));
	assert_false(store_model_tainted(s, "v8"));
	/* what grows from it has it too; a failed run names no model; a name that is given again starts clean */
	store_run_add(s, "retrain", "", "v7", "gate failed", "{}", 1, NULL, 0, NULL);
	store_run_add(s, "merge", "v8", "v7", "merged", "{}", 1, NULL, 0, NULL);
	assert_true(store_model_tainted(s, "v8"));
	assert_false(store_model_tainted(s, ""));
	store_run_add(s, "retrain", "v8", "base", "published", "{}", 1, NULL, 0, NULL);
	assert_false(store_model_tainted(s, "v8"));
	store_close(s);
}

static void examples_and_undo(void **state)
{
	struct store *s = store_opened();
	struct store_example x = {
		.chat = "{}", .question = "q", .answer = "a", .suggested = "", .state = "proposed", .origin = "sent", .flags = "",
		.weight = 1,
	}, got;
	int64_t id = 0;

	(void)state;
	assert_int_equal(store_example_add(s, &x, NULL), 0);
	assert_int_equal(store_example_undo(s, &id, NULL), ERR_NOTFOUND);
	assert_int_equal(store_example_decide(s, x.id, "approved", NULL), 0);
	assert_int_equal(store_example_edit(s, x.id, "{}", "q", "better", NULL), 0);
	assert_int_equal(store_example_undo(s, &id, NULL), 0);
	assert_int_equal(id, x.id);
	store_example_get(s, id, &got, NULL);
	assert_string_equal(got.answer, "a");
	assert_string_equal(got.state, "approved");
	store_example_free(&got);
	store_example_undo(s, &id, NULL);
	store_example_get(s, id, &got, NULL);
	assert_string_equal(got.state, "proposed");
	store_example_free(&got);
	assert_int_equal(store_example_decide(s, 77, "approved", NULL), ERR_NOTFOUND);
	assert_int_equal(store_example_undo(s, &id, NULL), ERR_NOTFOUND);
	store_close(s);
}

static void transactions(void **state)
{
	struct store *s = store_opened();
	int64_t c;

	(void)state;
	assert_int_equal(store_begin(s, NULL), 0);
	c = store_conv(s, NULL, NULL);
	store_say(s, c, "user", "typed", "never happened", 0);
	store_abandon(s);
	assert_int_equal(store_find(s, "happened ").n, 0);
	assert_int_equal(store_begin(s, NULL), 0);
	assert_int_equal(store_begin(s, NULL), 0);
	c = store_conv(s, NULL, NULL);
	assert_int_equal(store_commit(s, NULL), 0);
	store_say(s, c, "user", "typed", "did happen", 0);
	assert_int_equal(store_commit(s, NULL), 0);
	assert_int_equal(store_find(s, "happen ").n, 1);
	store_close(s);
}

static void every_old_version_migrates(void **state)
{
	(void)state;
	for (int v = 1; v < STORE_VERSION; v++) {
		char sql[96], backup[128];
		struct store *s;
		sqlite3 *db;

		unlink(store_file);
		assert_int_equal(sqlite3_open(store_file, &db), SQLITE_OK);
		for (int i = 0; i < v; i++)
			assert_int_equal(sqlite3_exec(db, store_schema[i], NULL, NULL, NULL), SQLITE_OK);
		snprintf(sql, sizeof(sql), "PRAGMA application_id = %d; PRAGMA user_version = %d", 0x616e7362, v);
		sqlite3_exec(db, sql, NULL, NULL, NULL);
		assert_int_equal(sqlite3_exec(db, "INSERT INTO conversations (created, updated) VALUES (1, 1);"
			"INSERT INTO messages (conversation, role, origin, content, created) VALUES (1, 'user', 'typed',"
			" 'words of old', 1)", NULL, NULL, NULL), SQLITE_OK);
		sqlite3_close(db);

		s = store_opened();
		assert_int_equal(store_find(s, "old ").n, 1);
		assert_int_equal(store_blob_set(s, "person", "xy", 2, NULL), 0);
		store_close(s);
		snprintf(backup, sizeof(backup), "%s.v%d.backup", store_file, v);
		assert_int_equal(access(backup, R_OK), 0);
		unlink(backup);
	}
}

static void newer_foreign_and_damaged_files(void **state)
{
	char back[80];
	struct err e = ERR_INIT;
	struct store *s = store_opened();
	FILE *f;
	int64_t c = store_conv(s, NULL, NULL);

	(void)state;
	for (int i = 0; i < 400; i++)
		store_say(s, c, "user", "typed", "filling pages with some words so that there are several of them", 0);
	store_exec(s, "PRAGMA wal_checkpoint(TRUNCATE); PRAGMA user_version = 99", NULL);
	store_close(s);
	assert_int_equal(store_open_file(&s, store_file, STORE_READ_WRITE, &e), ERR_FORMAT);
	assert_non_null(strstr(e.msg, "newer"));

	sqlite3 *db;

	sqlite3_open(store_file, &db);
	snprintf(back, sizeof(back), "PRAGMA user_version = %d; PRAGMA wal_checkpoint(TRUNCATE)", STORE_VERSION);
	sqlite3_exec(db, back, NULL, NULL, NULL);
	sqlite3_close(db);
	f = fopen(store_file, "r+b");
	for (long at = 4096 * 3; at < 4096 * 12; at += 512) {      /* b-tree pages full of noise */
		fseek(f, at, SEEK_SET);
		fputs("noise noise noise noise noise noise noise noise", f);
	}
	fclose(f);
	memset(&e, 0, sizeof(e));
	if (store_open_file(&s, store_file, STORE_READ_WRITE, &e) == 0) {
		struct str report = STR_INIT;

		assert_int_equal(store_check(s, &report, &e), ERR_FORMAT);
		store_close(s);
		str_free(&report);
	}
	assert_non_null(strstr(e.msg, "damaged"));

	f = fopen(store_file, "wb");
	fputs("this is a letter to my aunt, and not a database at all, however long it may be made to look. ", f);
	fclose(f);
	memset(&e, 0, sizeof(e));
	assert_int_equal(store_open_file(&s, store_file, STORE_READ_WRITE, &e), ERR_FORMAT);
	unlink(store_file);
	sqlite3_open(store_file, &db);
	sqlite3_exec(db, "CREATE TABLE recipes (id)", NULL, NULL, NULL);
	sqlite3_close(db);
	assert_int_equal(store_open_file(&s, store_file, STORE_READ_WRITE, &e), ERR_FORMAT);
	assert_non_null(strstr(e.msg, "not one of"));
}

static void full_disk(void **state)
{
	struct store *s = store_opened();
	int64_t c = store_conv(s, NULL, NULL);
	char big[20000];
	int kept = 0, rc = 0, status;
	pid_t pid;

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	store_close(s);
	fflush(stdout);
	/* in a child: no file may grow past half a megabyte, which is what a full disk looks like */
	pid = fork();
	if (pid == 0) {
		const struct rlimit lim = { 512 * 1024, 512 * 1024 };
		struct err e = ERR_INIT;

		signal(SIGXFSZ, SIG_IGN);
		setrlimit(RLIMIT_FSIZE, &lim);
		if (store_open_file(&s, store_file, STORE_READ_WRITE, &e) < 0)
			_exit(200);
		for (int i = 0; i < 100; i++) {
			struct store_message m = { .conversation = c, .role = (char *)(uintptr_t)"user",
				.origin = (char *)(uintptr_t)"typed", .content = big, .len = sizeof(big) - 1 };

			if (store_message_add(s, &m, &e) < 0) {
				/* said, and no turn half written */
				_exit(e.code == ERR_IO && e.msg[0] ? i : 201);
			}
		}
		_exit(202);
	}
	waitpid(pid, &status, 0);
	kept = WEXITSTATUS(status);
	assert_in_range(kept, 1, 99);
	s = store_opened();
	sqlite3_stmt *st = store_statement(s, "SELECT count(*) FROM messages", NULL);

	store_step(s, st, NULL);
	rc = sqlite3_column_int(st, 0);
	sqlite3_reset(st);
	assert_int_equal(rc, kept);
	store_close(s);
}

static void locked_and_read_only(void **state)
{
	struct store *s = store_opened(), *other = store_opened();
	struct err e = ERR_INIT;
	int64_t c = store_conv(s, NULL, NULL), id;

	(void)state;
	sqlite3_busy_timeout(other->db, 50);
	store_begin(s, NULL);
	store_say(s, c, "user", "typed", "first", 0);
	assert_int_equal(store_conversation_add(other, NULL, NULL, NULL, NULL, 0, &id, &e), ERR_BUSY);
	assert_int_equal(store_find(other, "first ").n, 0);      /* readers go on meanwhile */
	store_commit(s, NULL);
	assert_int_equal(store_conversation_add(other, NULL, NULL, NULL, NULL, 0, &id, &e), 0);
	assert_int_equal(store_find(other, "first ").n, 1);
	store_close(other);
	store_close(s);
	assert_int_equal(store_open_file(&s, store_file, STORE_READ_ONLY, &e), 0);
	assert_int_equal(store_conversation_add(s, NULL, NULL, NULL, NULL, 0, &id, &e), ERR_IO);
	assert_non_null(strstr(e.msg, "read-only"));
	store_close(s);
}

static void backup_restore_and_retention(void **state)
{
	struct store *s = store_opened();
	struct err e = ERR_INIT;
	char backup[128];
	int64_t c, old;

	(void)state;
	snprintf(backup, sizeof(backup), "%s/copy", store_folder);
	c = store_conv(s, NULL, NULL);
	store_say(s, c, "user", "typed", "before the backup", 0);
	assert_int_equal(store_backup(s, backup, &e), 0);
	store_say(s, c, "user", "typed", "after it", 0);
	store_close(s);
	assert_int_equal(store_restore(store_folder, backup, &e), 0);
	s = store_opened();
	assert_int_equal(store_find(s, "backup ").n, 1);
	assert_int_equal(store_find(s, "after ").n, 0);
	assert_true(store_restore(store_folder, "/nonexistent", &e) < 0);

	store_conversation_add(s, NULL, NULL, NULL, NULL, 1000, &old, NULL);
	store_say(s, old, "user", "typed", "long ago", 1000);
	store_say(s, c, "user", "typed", "clock went back", 2000);       /* must not age the conversation */
	assert_int_equal(store_retain(s, 30, 10, &e), 1);
	assert_int_equal(store_find(s, "ago ").n, 0);
	assert_int_equal(store_find(s, "clock ").n, 1);
	store_close(s);
}

/* A child says numbered turns and prints each number when the store has it; it is killed at a random
 * instant, over and over. Every number that was read from the pipe must be there, and the file whole. */
static void killed_at_any_instant(void **state)
{
	const int rounds = getenv("ANSWERBACK_LONG") ? 600 : 100;
	struct store *s = store_opened();
	int64_t c = store_conv(s, NULL, NULL);
	int last = 0;
	struct rng r;

	(void)state;
	rng_seed(&r, 3);
	store_close(s);
	for (int round = 0; round < rounds; round++) {
		int p[2], n, acknowledged = last;
		pid_t pid;
		sqlite3_stmt *st;

		assert_int_equal(pipe(p), 0);
		fflush(stdout);
		pid = fork();
		if (pid == 0) {
			if (store_open_file(&s, store_file, STORE_READ_WRITE, NULL) < 0)
				_exit(1);
			for (int i = last + 1;; i++) {
				char text[40];
				struct store_message m = { .conversation = c, .role = (char *)(uintptr_t)"user",
					.origin = (char *)(uintptr_t)"typed", .content = text };

				m.len = (size_t)snprintf(text, sizeof(text), "turn %d", i);
				if (store_message_add(s, &m, NULL) < 0 || write(p[1], &i, sizeof(i)) != sizeof(i))
					_exit(1);
			}
		}
		close(p[1]);
		/* after some turns, and a moment; a slow machine only makes fewer of them */
		for (uint32_t turns = rng_below(&r, 6); turns > 0 && read(p[0], &n, sizeof(n)) == sizeof(n); turns--)
			acknowledged = n;
		usleep((useconds_t)rng_below(&r, 8000));
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		while (read(p[0], &n, sizeof(n)) == sizeof(n))
			acknowledged = n;
		close(p[0]);

		s = store_opened();
		st = store_statement(s, "SELECT count(*), max(id) FROM messages", NULL);
		assert_int_equal(store_step(s, st, NULL), SQLITE_ROW);
		last = sqlite3_column_int(st, 0);
		sqlite3_reset(st);
		/* the one after the last acknowledged may have made it, no more, and none is missing */
		assert_in_range(last, acknowledged, acknowledged + 1);
		store_close(s);
	}
	assert_true(last > rounds);
	s = store_opened();
	struct str report = STR_INIT;

	assert_int_equal(store_check(s, &report, NULL), 0);
	str_free(&report);
	store_close(s);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, store_fresh, store_gone)
	const struct CMUnitTest tests[] = {
		T(kept_and_private), T(hostile_text), T(search_newest_first_with_filters), T(deleting_leaves_nothing),
		T(models_that_learned_are_marked), T(examples_and_undo), T(transactions), T(every_old_version_migrates),
		T(newer_foreign_and_damaged_files), T(full_disk), T(locked_and_read_only), T(backup_restore_and_retention),
		T(killed_at_any_instant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
