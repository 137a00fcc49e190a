/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Into the store and out of it again: nothing twice, nothing of a bad file with strict, and what is exported is imported as
 * the same conversations, byte for byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/rng.h"
#include "common_import.h"
#include "export.h"
#include "import.h"
#include "store_private.h"

static char folder[40];

static int fresh(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/answerback-export-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int gone(void **state)
{
	char cmd[80];

	(void)state;
	snprintf(cmd, sizeof(cmd), "rm -rf %s", folder);
	return system(cmd) == 0 ? 0 : -1;
}

static struct store *opened(const char *name)
{
	struct err e = ERR_INIT;
	struct store *s;
	char path[80];

	snprintf(path, sizeof(path), "%s/%s.db", folder, name);
	if (store_open_file(&s, path, STORE_READ_WRITE, &e) < 0)
		fail_msg("%s", e.msg);
	return s;
}

/* Every conversation, in the order of their rows. */
static char *exported(struct store *s, enum export_format format, bool redact)
{
	struct err e = ERR_INIT;
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);
	struct exporter *x = export_new(f, format, redact, "Brightmoor");

	for (int64_t id = 1; id <= 400; id++) {
		int rc = export_conversation(x, s, id, &e);

		if (rc < 0 && rc != ERR_NOTFOUND)
			fail_msg("%s", e.msg);
	}
	assert_int_equal(export_end(x, &e), 0);
	fclose(f);
	return text;
}

static struct import_result imported(struct store *s, const char *suffix, const char *text, bool strict, int want)
{
	char *path = common_import_file(suffix, text, strlen(text));
	struct import_result x;
	struct err e = ERR_INIT;
	int rc = import_file(s, path, &(struct import_opts){ .strict = strict }, NULL, &x, &e);

	if (rc != want)
		fail_msg("%d: %s", rc, e.msg);
	unlink(path);
	free(path);
	return x;
}

static size_t rows(struct store *s, const char *sql)
{
	sqlite3_stmt *st;
	size_t n = 0;

	assert_int_equal(sqlite3_prepare_v2(s->db, sql, -1, &st, NULL), SQLITE_OK);
	if (sqlite3_step(st) == SQLITE_ROW)
		n = (size_t)sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return n;
}

/* Conversations with all that they can have, and contents that break careless writers. */
static void fill(struct store *s, struct rng *r, size_t n)
{
	static const char *const pieces[] = { "hello", " ", ",", "\"", "\"\"", "\n", "\r\n", "\r", "\t", "\x1b[31m", "\x7f", "\xc3\xa9", "\xf0\x9f\x98\x80", "'",
		"=1+1", ";", "|", "\\", "\x01", "<b>", "null", "\xe2\x80\xa8" };
	static const char *const origins[] = { "typed", "pasted", "inbox", "model", "memory", "suggested", "edited", "canned", "imported" };
	static const char *const tags[] = { "", "late", "angry,late", "\xc3\xbc" };

	for (size_t i = 0; i < n; i++) {
		struct store_message m[6] = { { 0 } };
		size_t k = 1 + rng_below(r, 6);
		char name[40], hash[20];
		struct store_conversation c = { .case_id = (i % 3) ? name : NULL, .customer = (i % 2) ? name : NULL,
			.company = (i % 5) ? NULL : name, .state = (char *)(uintptr_t)((i % 4) ? "open" : "closed"),
			.source = (i % 7) ? NULL : name, .tags = (char *)(uintptr_t)tags[i % 4], .created = 1700000000000 + (int64_t)rng_below(r, 90000000) };
		struct err e = ERR_INIT;

		snprintf(name, sizeof(name), "N \"%zu\", %s", i, i % 11 ? "x" : "\n ");
		snprintf(hash, sizeof(hash), "h%zu", i);
		c.id = i % 6 ? 0 : (int64_t)(i + 100);      /* with gaps */
		for (size_t j = 0; j < k; j++) {
			struct str text = STR_INIT;

			for (size_t l = 1 + rng_below(r, 8); l > 0; l--)
				str_adds(&text, pieces[rng_below(r, sizeof(pieces) / sizeof(pieces[0]))]);
			m[j].role = (char *)(uintptr_t)(rng_below(r, 2) ? "user" : "assistant");
			m[j].origin = (char *)(uintptr_t)origins[rng_below(r, 9)];
			m[j].len = text.len;
			m[j].content = str_detach(&text);
			m[j].created = c.created + (int64_t)rng_below(r, 100000) - 1000;      /* a clock that goes back */
			m[j].model = (char *)(uintptr_t)(j % 2 ? "v1" : "");
			m[j].latency_ms = j % 2 ? rng_uniform(r) * 100 : 0;
			m[j].rating = (int)rng_below(r, 3) - 1;
		}
		if (store_import_add(s, &c, m, k, hash, &e) < 0)
			fail_msg("%s", e.msg);
		for (size_t j = 0; j < k; j++)
			free(m[j].content);
	}
}

static void round_trip(void **state)
{
	static const struct {
		enum export_format format;
		const char *suffix;
	} kinds[] = { { EXPORT_JSONL, ".jsonl" }, { EXPORT_CSV, ".csv" } };
	struct store *s = opened("from");
	struct rng r;
	char *all;

	(void)state;
	rng_seed(&r, 4);
	fill(s, &r, 150);
	all = exported(s, EXPORT_JSONL, false);
	for (size_t k = 0; k < 2; k++) {
		char *text = exported(s, kinds[k].format, false), *back;
		struct store *to = opened(kinds[k].suffix);
		struct import_result x = imported(to, kinds[k].suffix, text, true, 0);

		assert_int_equal(x.added, 150);
		assert_int_equal(x.counts.bad + x.counts.skipped + x.counts.untimed, 0);
		back = exported(to, EXPORT_JSONL, false);
		assert_string_equal(back, all);
		assert_int_equal(rows(to, "SELECT count(*) FROM conversations WHERE updated <> max(created,"
		                          " (SELECT max(created) FROM messages WHERE conversation = conversations.id))"), 0);
		/* again, there and where it came from */
		x = imported(to, kinds[k].suffix, text, false, 0);
		assert_int_equal(x.added, 0);
		assert_int_equal(x.known, 150);
		x = imported(s, kinds[k].suffix, text, false, 0);
		assert_int_equal(x.added, 0);
		assert_int_equal(x.known, 150);
		store_close(to);
		free(text);
		free(back);
	}
	free(all);
	store_close(s);
}

static bool count(const struct store_hit *h, void *arg)
{
	(void)h;
	++*(size_t *)arg;
	return true;
}

static void once_and_found(void **state)
{
	static const char in[] = "{\"id\": \"a\", \"messages\": [{\"role\": \"user\", \"content\": \"zanzibar one\"}]}\nbroken\n"
		"{\"id\": \"b\", \"tags\": [\"x y\", \"z\"], \"messages\": [{\"role\": \"user\", \"content\": \"zanzibar two\", \"time\": \"2026-01-31T10:00:00Z\"},"
		" {\"role\": \"assistant\", \"content\": \"ok\", \"origin\": \"Bad Origin!\"}]}\n"
		"{\"id\": \"a\", \"messages\": [{\"role\": \"user\", \"content\": \"zanzibar one\"}]}\n";
	struct store *s = opened("once");
	struct str report = STR_INIT;
	struct err e = ERR_INIT;
	struct import_result x = imported(s, ".jsonl", in, true, ERR_FORMAT);
	size_t hits = 0;

	(void)state;
	assert_int_equal(rows(s, "SELECT count(*) FROM conversations"), 0);      /* strict: nothing of it */
	x = imported(s, ".jsonl", in, false, 0);
	assert_int_equal(x.added, 2);
	assert_int_equal(x.known, 1);
	assert_int_equal(x.counts.bad, 1);
	x = imported(s, ".jsonl", in, false, 0);
	assert_int_equal(x.added, 0);
	assert_int_equal(x.known, 3);
	assert_int_equal(rows(s, "SELECT count(*) FROM messages WHERE origin = 'imported'"), 3);
	assert_int_equal(rows(s, "SELECT count(*) FROM tags WHERE tag IN ('x-y', 'z')"), 2);
	/* a message without a time has that of the one before; a conversation is as old as its first */
	assert_int_equal(rows(s, "SELECT count(*) FROM messages WHERE created = 1769853600000"), 2);
	assert_int_equal(rows(s, "SELECT count(*) FROM conversations WHERE created = 1769853600000 AND updated = 1769853600000"), 1);
	assert_int_equal(store_search(s, "zanzibar ", 10, 0, count, &hits, &e), 0);
	assert_int_equal(hits, 2);
	assert_int_equal(store_check(s, &report, &e), 0);
	/* what bulk transactions change for themselves is as it was, and messages are indexed as they come again */
	assert_int_equal(rows(s, "SELECT count(*) FROM messages_fts_config WHERE (k = 'automerge' AND v <> 4) OR (k = 'hashsize' AND v <> 1048576)"), 0);
	{
		struct store_message m = { .conversation = 1, .role = (char *)(uintptr_t)"user", .origin = (char *)(uintptr_t)"typed",
			.content = (char *)(uintptr_t)"zanzibar three", .len = 14 };

		assert_int_equal(store_message_add(s, &m, &e), 0);
	}
	hits = 0;
	assert_int_equal(store_search(s, "zanzibar ", 10, 0, count, &hits, &e), 0);
	assert_int_equal(hits, 3);
	/* deleted: it may come again */
	assert_int_equal(store_conversation_delete(s, 1, &e), 0);
	assert_int_equal(imported(s, ".jsonl", in, false, 0).added, 1);
	/* gone on: it gets what is new, once; other words under the same name are another conversation */
	for (size_t k = 0; k < 2; k++) {
		x = imported(s, ".jsonl", "{\"id\": \"a\", \"messages\": [{\"role\": \"user\", \"content\": \"zanzibar one\"},"
		             " {\"role\": \"assistant\", \"content\": \"quokka\"}, {\"role\": \"user\", \"content\": \"thanks\"}]}\n"
		             "{\"id\": \"b\", \"messages\": [{\"role\": \"user\", \"content\": \"other\"}]}\n", true, 0);
		assert_int_equal(x.grown, k ? 0 : 1);
		assert_int_equal(x.grown_messages, k ? 0 : 2);
		assert_int_equal(x.added, k ? 0 : 1);
		assert_int_equal(x.known, k ? 2 : 0);
	}
	hits = 0;
	assert_int_equal(store_search(s, "quokka ", 10, 0, count, &hits, &e), 0);
	assert_int_equal(hits, 1);
	assert_int_equal(store_check(s, &report, &e), 0);
	str_free(&report);
	store_close(s);
}

/* A kill between the transactions, or in one: what is there is whole, and the same file brings the rest. */
static void killed(void **state)
{
	struct str in = STR_INIT, report = STR_INIT;
	struct import_result x;
	struct err e = ERR_INIT;
	struct rng r;
	char path[80];
	FILE *f;

	(void)state;
	snprintf(path, sizeof(path), "%s/in.jsonl", folder);
	rng_seed(&r, 9);
	for (size_t i = 0; i < 4000; i++)
		str_addf(&in, "{\"id\": \"c%zu\", \"messages\": [{\"role\": \"user\", \"content\": \"word%zu and some more\"}, {\"role\": \"assistant\","
		         " \"content\": \"answer %zu\"}, {\"role\": \"user\", \"content\": \"thanks\"}]}\n", i, i % 700, i);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(in.s, 1, in.len, f), in.len);
	assert_int_equal(fclose(f), 0);
	for (size_t k = 0; k < 4; k++) {
		struct store *s;
		pid_t child = fork();

		if (child == 0) {
			s = opened("killed");
			_exit(import_file(s, path, NULL, NULL, &x, &e) < 0);
		}
		usleep((useconds_t)(20000 + rng_below(&r, 300000)));
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		s = opened("killed");
		assert_int_equal(store_check(s, &report, &e), 0);
		assert_int_equal(rows(s, "SELECT count(*) FROM messages_fts_config WHERE (k = 'automerge' AND v <> 4)"), 0);
		assert_int_equal(rows(s, "SELECT count(*) FROM messages"), 3 * rows(s, "SELECT count(*) FROM conversations"));
		assert_int_equal(rows(s, "SELECT count(*) FROM imports WHERE hash NOT LIKE 'key:%'"), rows(s, "SELECT count(*) FROM conversations"));
		if (k == 3) {
			size_t before = rows(s, "SELECT count(*) FROM conversations");

			assert_int_equal(import_file(s, path, NULL, NULL, &x, &e), 0);
			assert_int_equal(x.added, 4000 - before);
			assert_int_equal(store_check(s, &report, &e), 0);
		}
		store_close(s);
	}
	str_free(&in);
	str_free(&report);
}

static void for_people(void **state)
{
	static const char in[] = "{\"case\": \"C-7\", \"customer\": \"Anna Weber <anna@x.example>\", \"company\": \"Brightmoor\", \"messages\": [{\"role\": \"user\","
		" \"content\": \"My order 4471-2210 to anna@x.example, says Anna.\\n# <b>*x*\\u001b[31m\", \"time\": \"2026-01-31T10:00:00Z\"},"
		" {\"role\": \"assistant\", \"content\": \"Dear Mrs Weber, Brightmoor has 4471-2210. Annabel\"}]}\n";
	struct store *s = opened("people");
	char *text;

	(void)state;
	assert_int_equal(imported(s, ".jsonl", in, true, 0).added, 1);
	text = exported(s, EXPORT_MARKDOWN, false);
	assert_non_null(strstr(text, "- Customer: Anna Weber \\<anna@x.example\\>"));
	assert_non_null(strstr(text, "says Anna.\\\n> \\# \\<b\\>\\*x\\*\xe2\x90\x9b\\[31m\n"));
	assert_null(strchr(text, '\x1b'));
	free(text);
	text = exported(s, EXPORT_JSONL, true);
	assert_non_null(strstr(text, "My order <order_1> to <email_1>, says <customer_1>."));
	assert_non_null(strstr(text, "Dear Mrs <customer_1>, <company_1> has <order_1>. Annabel"));
	assert_null(strstr(text, "Weber"));
	assert_null(strstr(text, "C-7"));
	assert_null(strstr(text, "\"Brightmoor"));
	free(text);
	store_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(round_trip, fresh, gone), cmocka_unit_test_setup_teardown(once_and_found, fresh, gone),
		cmocka_unit_test_setup_teardown(killed, fresh, gone), cmocka_unit_test_setup_teardown(for_people, fresh, gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
