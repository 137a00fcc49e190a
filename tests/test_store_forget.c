/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Forgetting on a whole data folder: a unique word is put wherever words are kept, and afterwards it is in no
 * byte of any file. What has nothing to do with it stays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fold.h"
#include "base/rng.h"
#include "base/str.h"
#include "common_store.h"
#include "forget.h"
#include "store_private.h"

#define WORD "Quizzacious"
#define PHRASE WORD " Tëapot"

static void write_file(const char *name, const char *text)
{
	char path[160], folder[128];
	FILE *f;

	snprintf(folder, sizeof(folder), "%s/state", store_folder);
	mkdir(folder, 0700);
	snprintf(path, sizeof(path), "%s/%s", store_folder, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static bool there(const char *name)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/%s", store_folder, name);
	return access(path, F_OK) == 0;
}

static int64_t example(struct store *s, int64_t conversation, const char *text)
{
	struct store_example x = {
		.conversation = conversation, .chat = (char *)(uintptr_t)text, .question = (char *)(uintptr_t)"q",
		.answer = (char *)(uintptr_t)"a", .suggested = (char *)(uintptr_t)"", .state = (char *)(uintptr_t)"approved",
		.origin = (char *)(uintptr_t)"taught", .flags = (char *)(uintptr_t)"", .weight = 1,
	};

	assert_int_equal(store_example_add(s, &x, NULL), 0);
	return x.id;
}

/* Words in every place; 40 other messages, so that the index has several segments. Returns the conversation. */
static int64_t fill(struct store *s)
{
	int64_t c = store_conv(s, "K-7", "Zoë Ångström"), other = store_conv(s, "K-8", "Somebody " PHRASE), id, learned[2];
	static const char bytes[] = "\x01\x02 quizzacious t\xc3\xab" "apot \x00 more";
	struct store_suggestion g = { .conversation = c, .kind = "reply", .origin = "model", .text = "the " PHRASE " is there",
		.model = "base" };

	for (int i = 0; i < 20; i++)
		store_say(s, other, "user", "typed", "words that stay, of an ordinary kettle", 0);
	store_say(s, c, "user", "typed", "where is my QUIZZACIOUS\n  tËapot?\nhello", 0);
	store_say(s, c, "assistant", "typed", "Your quizzacious  tëapot has been sent", 0);
	for (int i = 0; i < 20; i++)
		store_say(s, other, "assistant", "typed", "more words that stay, of a kettle", 0);
	store_say(s, c, "user", "typed", "thank you, bye", 0);
	assert_int_equal(store_suggestion_add(s, &g, NULL), 0);
	store_draft_set(s, c, "about that " PHRASE, NULL);
	store_tag(s, c, "late", true, NULL);
	store_canned_set(s, "teapot", "Our " PHRASE " range is {name}.", NULL);
	store_canned_set(s, "other", "stays", NULL);
	/* escaped in JSON, as a program may write it */
	id = example(s, 0, "{\"messages\": [{\"content\": \"quizzacious\\nt\\u00ebapot\"}]}");
	store_vector_set(s, id, "e1", "abcd", 4, NULL);
	learned[0] = id;
	learned[1] = example(s, other, "{\"messages\": [{\"content\": \"kettle\"}]}");
	store_run_add(s, "retrain", "v1", "base", "published", "{}", 1, learned + 1, 1, NULL);
	store_run_add(s, "retrain", "v2", "v1", "published", "{\"note\": \"" PHRASE "\"}", 1, learned, 2, NULL);
	store_run_add(s, "retrain", "v3", "v2", "published", "{}", 1, learned + 1, 1, NULL);
	id = example(s, 0, "{}");
	store_example_edit(s, id, "{\"x\": \"" PHRASE "\"}", "q", "a", NULL);
	store_example_edit(s, id, "{}", "q", "a", NULL);      /* now only the decision's past holds it */
	store_blob_set(s, "notes", bytes, sizeof(bytes), NULL);
	store_audit(s, "said", PHRASE, NULL);
	return c;
}

static int run_forget(const struct store_forget *f, struct forget_result *r)
{
	struct err e = ERR_INIT;
	int rc = forget_all(f, NULL, "/nonexistent", NULL, r, &e);

	if (rc < 0)
		fprintf(stderr, "# %s\n", e.msg);
	return rc;
}

static int64_t count(struct store *s, const char *sql)
{
	sqlite3_stmt *st;
	int64_t n;

	assert_int_equal(sqlite3_prepare_v2(s->db, sql, -1, &st, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	n = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return n;
}

/* A file of the first version, with the word in it. */
static void old_copy(const char *name)
{
	char path[160];
	sqlite3 *db;

	snprintf(path, sizeof(path), "%s/%s", store_folder, name);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, store_schema[0], NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "PRAGMA application_id = 1634628450; PRAGMA user_version = 1;"
		"INSERT INTO conversations (created, updated) VALUES (1, 1);"
		"INSERT INTO messages (conversation, role, origin, content, created) VALUES (1, 'user', 'typed', 'old " PHRASE "', 1),"
		" (1, 'user', 'typed', 'old words', 1)", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void a_phrase_is_nowhere_afterwards(void **state)
{
	const struct store_forget f = { .kind = STORE_FORGET_PHRASE, .text = " quizzacious\ttëAPOT " };
	struct store_forgotten would;
	struct forget_result r;
	struct str report = STR_INIT;
	struct store *s = store_opened();
	char path[160], elsewhere[] = "/tmp/answerback-copy-XXXXXX";
	struct err e = ERR_INIT;

	(void)state;
	fill(s);
	store_blob_set(s, "person", "counts", 6, NULL);
	snprintf(path, sizeof(path), "%s/answerback.db.20260131-120000.backup", store_folder);
	assert_int_equal(store_backup(s, path, NULL), 0);
	close(mkstemp(elsewhere));
	assert_int_equal(store_backup(s, elsewhere, NULL), 0);
	assert_int_equal(store_copy_noted(s, elsewhere, NULL), 0);
	assert_int_equal(store_copy_noted(s, "/nonexistent/copy.db", NULL), 0);
	old_copy("answerback.db.v1.backup");
	write_file("answerback.db.before-restore", "this is damaged, and of " PHRASE);
	write_file("answerback.db.backup.tmp.4711", "half a copy of " PHRASE);
	write_file("state/line_history", "hello\nwhat of the quizzacious tëapot then\nbye\n/quit\n");
	write_file("state/draft", "a " PHRASE " that was never sent");
	write_file("state/recover-1", "nothing of it");
	write_file("state/retrain.jsonl", "{\"a\": 1}\n{\"a\": \"" PHRASE "\"}\n");
	assert_true(store_grep(store_folder, "quizzacious") > 5);

	assert_int_equal(store_forget(s, &f, false, &would, &e), 0);
	assert_int_equal(would.messages, 2);
	assert_int_equal(count(s, "SELECT count(*) FROM messages"), 43);      /* only counted */
	store_close(s);

	assert_int_equal(run_forget(&f, &r), 0);
	assert_int_equal(r.kept.messages, 2);
	assert_int_equal(r.kept.examples, 2);
	assert_int_equal(r.kept.suggestions, 1);
	assert_int_equal(r.kept.drafts, 1);
	assert_int_equal(r.kept.canned, 1);
	assert_int_equal(r.copies, 3);
	assert_int_equal(r.copied, 5);
	assert_string_equal(r.models.s, "v2\nv3\n");      /* not v1: it learned before */
	/* what cannot be cleaned is named, and nothing else */
	assert_non_null(strstr(r.holding.s, "before-restore"));
	assert_non_null(strstr(r.holding.s, "/nonexistent/copy.db"));
	unlink(strcat(strcpy(path, store_folder), "/answerback.db.before-restore"));
	assert_int_equal(store_grep(store_folder, "quizzacious"), 0);
	assert_int_equal(store_grep(store_folder, "tëapot"), 0);
	assert_int_equal(store_grep(store_folder, "teapot"), 0);      /* as the index folds it */

	assert_true(there("state/recover-1"));
	assert_false(there("state/draft"));
	assert_false(there("answerback.db.backup.tmp.4711"));
	s = store_opened();
	assert_int_equal(count(s, "SELECT count(*) FROM messages"), 41);
	assert_int_equal(count(s, "SELECT count(*) FROM conversations"), 2);
	assert_int_equal(count(s, "SELECT count(*) FROM examples"), 1);
	assert_int_equal(count(s, "SELECT count(*) FROM canned"), 1);
	assert_int_equal(count(s, "SELECT count(*) FROM blobs"), 0);      /* no model to count with: dropped */
	assert_int_equal(count(s, "SELECT count(*) FROM conversations WHERE customer = ''"), 1);
	assert_int_equal(store_find(s, "kettle ").n, 40);
	assert_int_equal(store_check(s, &report, &e), 0);
	str_free(&report);
	store_close(s);
	assert_int_equal(store_open_file(&s, elsewhere, STORE_NO_MIGRATE, &e), 0);
	assert_int_equal(count(s, "SELECT count(*) FROM messages"), 41);
	store_settle(s, NULL);
	store_close(s);
	unlink(elsewhere);
	forget_result_free(&r);
}

static void a_customer_goes_with_everything(void **state)
{
	const struct store_forget f = { .kind = STORE_FORGET_CUSTOMER, .text = "ZOË  ångström" };
	struct store *s = store_opened();
	struct forget_result r;
	int64_t c = fill(s), namesake = store_conv(s, "", "Zoë Ångströmsson");

	(void)state;
	store_say(s, namesake, "user", "typed", "I am not Zoë Ångström", 0);
	store_close(s);
	write_file("state/line_history", "thank you, bye\nto zoë ångström\nstays\n");
	assert_int_equal(run_forget(&f, &r), 0);
	assert_int_equal(r.kept.conversations, 1);
	assert_int_equal(r.kept.messages, 3);
	assert_int_equal(r.lines, 2);
	assert_int_equal(r.mentions, 1);
	s = store_opened();
	assert_int_equal(count(s, "SELECT count(*) FROM conversations WHERE case_id = 'K-7'"), 0);
	assert_int_equal(count(s, "SELECT count(*) FROM conversations"), 2);
	assert_int_equal(store_find(s, "bye ").n, 0);
	assert_int_equal(store_find(s, "ordinary ").n, 20);
	(void)c;
	store_close(s);
	assert_int_equal(store_grep(store_folder, "sent"), 0);
	forget_result_free(&r);
}

static void a_conversation_is_the_same_one_in_copies(void **state)
{
	struct store_forget f = { .kind = STORE_FORGET_CONVERSATION, .text = "" };
	struct store_conversation info;
	struct forget_result r;
	struct store *s = store_opened();
	char path[160];
	int64_t c, old;

	(void)state;
	old = store_conv(s, "old", NULL);
	store_say(s, old, "user", "typed", "an earlier conversation with this number", 1000);
	snprintf(path, sizeof(path), "%s/answerback.db.20260101-000000.backup", store_folder);
	store_backup(s, path, NULL);
	store_conversation_delete(s, old, NULL);
	usleep(3000);
	c = store_conv(s, "new", NULL);
	assert_int_equal(c, old);      /* numbers are given again */
	store_say(s, c, "user", "typed", "the one to forget", 0);
	store_conversation_get(s, c, &info, NULL);
	f.conversation = c;
	f.created = info.created;
	store_conversation_free(&info);
	store_close(s);
	assert_int_equal(run_forget(&f, &r), 0);
	assert_int_equal(r.kept.messages, 1);
	assert_int_equal(r.copied, 0);
	assert_int_equal(store_open_file(&s, path, STORE_NO_MIGRATE, NULL), 0);
	assert_int_equal(store_find(s, "earlier ").n, 1);
	store_close(s);
	forget_result_free(&r);
}

static void refused_while_another_has_it_open(void **state)
{
	const struct store_forget f = { .kind = STORE_FORGET_PHRASE, .text = PHRASE };
	struct store *s = store_opened();
	struct forget_result r;
	struct err e = ERR_INIT;

	(void)state;
	fill(s);
	assert_int_equal(store_share(s, NULL), 0);
	assert_int_equal(forget_all(&f, NULL, "/nonexistent", NULL, &r, &e), ERR_BUSY);
	assert_non_null(strstr(e.msg, "close it"));
	assert_int_equal(count(s, "SELECT count(*) FROM messages"), 43);
	forget_result_free(&r);
	store_close(s);
	assert_int_equal(run_forget(&f, &r), 0);
	forget_result_free(&r);
	assert_int_equal(run_forget(&f, &r), 0);      /* once more finds nothing, and is no error */
	assert_int_equal(r.kept.messages, 0);
	assert_int_equal(r.holding.len, 0);
	forget_result_free(&r);
}

/* A model must not come out clean of a training that began before something was forgotten. */
static void learned_meanwhile(void **state)
{
	const struct store_forget f = { .kind = STORE_FORGET_PHRASE, .text = PHRASE };
	struct store *s = store_opened();
	struct store_forgotten gone;
	int64_t id = example(s, 0, "{\"a\": \"" PHRASE "\"}");

	(void)state;
	assert_int_equal(store_forget(s, &f, true, &gone, NULL), 0);
	assert_int_equal(gone.examples, 1);
	store_run_add(s, "retrain", "v9", "base", "published", "{}", 1, &id, 1, NULL);
	assert_int_equal(count(s, "SELECT count(*) FROM tainted WHERE model = 'v9'"), 1);
	store_close(s);
}

/* Messages of random words: after a word is forgotten no file has it, and every other word is found as often as before. */
static void any_word_of_many(void **state)
{
	enum { WORDS = 60, MESSAGES = 300 };
	struct rng r;
	struct store *s = store_opened();
	char word[WORDS][16];
	size_t has[WORDS] = { 0 };
	bool in[MESSAGES][WORDS] = { { false } };
	int64_t c = store_conv(s, NULL, NULL);

	(void)state;
	rng_seed(&r, 11);
	for (int i = 0; i < WORDS; i++) {
		for (int k = 0; k < 9; k++)
			word[i][k] = (char)('a' + rng_below(&r, 26));
		word[i][9] = '\0';
	}
	for (int m = 0; m < MESSAGES; m++) {
		struct str text = STR_INIT;

		for (int k = 0; k < 5; k++) {
			const size_t w = rng_below(&r, WORDS);

			in[m][w] = true;
			str_addf(&text, "%s ", word[w]);
		}
		store_say(s, c, "user", "typed", text.s, 0);
		str_free(&text);
	}
	for (int w = 0; w < 3; w++) {
		const struct store_forget f = { .kind = STORE_FORGET_PHRASE, .text = word[w] };
		struct store_forgotten gone;

		assert_int_equal(store_forget(s, &f, true, &gone, NULL), 0);
		for (int m = 0; m < MESSAGES; m++)
			if (in[m][w])
				memset(in[m], 0, sizeof(in[m]));
	}
	assert_int_equal(store_scrub(s, NULL), 0);
	store_close(s);
	for (int w = 0; w < 3; w++)
		assert_int_equal(store_grep(store_folder, word[w]), 0);
	s = store_opened();
	for (int w = 0; w < WORDS; w++) {
		char sql[128];

		for (int m = 0; m < MESSAGES; m++)
			has[w] += in[m][w];
		snprintf(sql, sizeof(sql), "SELECT count(*) FROM messages_fts WHERE messages_fts MATCH '%.9s'", word[w]);
		assert_int_equal(count(s, sql), has[w]);
	}
	store_close(s);
}

static void folding(void **state)
{
	struct str s = STR_INIT, t = STR_INIT;

	(void)state;
	fold_text(" Straße \t\n X ", 13, true, &s);
	assert_string_equal(s.s, "strasse x");
	str_reset(&s);
	fold_text("A\xff" "B", 3, true, &s);      /* broken text folds its ASCII */
	assert_string_equal(s.s, "a\xff" "b");
	str_reset(&s);
	fold_text("e\xcc\x81\xc2\xa0Y", 6, true, &s);      /* composed; a no-break space is a space */
	assert_string_equal(s.s, "\xc3\xa9 y");
	str_reset(&s);
	fold_json("a\\n\\\"B\\u00c9\\ud83d\\ude00\\u12\\", strlen("a\\n\\\"B\\u00c9\\ud83d\\ude00\\u12\\"), &s);
	assert_string_equal(s.s, "a \"b\xc3\xa9\xf0\x9f\x98\x80u12\\");
	assert_true(fold_holds("one\n TWO three", 14, "two three", &t));
	assert_false(fold_holds("one two", 7, "two three", &t));
	assert_true(fold_holds_bytes("\0abC\0", 5, "BC", 2));
	assert_false(fold_holds_bytes("ab", 2, "abc", 3));
	assert_false(fold_holds_bytes("ab", 2, "", 0));
	str_free(&s);
	str_free(&t);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, store_fresh, store_gone)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(folding), T(a_phrase_is_nowhere_afterwards), T(a_customer_goes_with_everything),
		T(a_conversation_is_the_same_one_in_copies), T(refused_while_another_has_it_open), T(learned_meanwhile),
		T(any_word_of_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
