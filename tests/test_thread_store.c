/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The storekeeper at work: turns from several threads, what was shown and its fate, a file that is locked,
 * deleted or replaced under it, retention beside logging; and what the app logs through it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app.h"
#include "base/mem.h"
#include "common_model.h"
#include "common_store.h"
#include "forget.h"
#include "ghost_private.h"
#include "store_forget.h"
#include "store_private.h"
#include "store_stats.h"
#include "storekeeper.h"

static struct storekeeper *started(void)
{
	struct storekeeper *k;
	struct err e = ERR_INIT;

	if (storekeeper_start(&k, NULL, &e) < 0)
		fail_msg("%s", e.msg);
	return k;
}

static void say(struct storekeeper *k, int64_t c, const char *text)
{
	storekeeper_message(k, c, "user", "typed", text, strlen(text), "", 0);
}

static int64_t count(const char *sql)
{
	struct store *s = store_opened();
	sqlite3_stmt *st;
	int64_t n;

	assert_int_equal(sqlite3_prepare_v2(s->db, sql, -1, &st, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	n = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	store_close(s);
	return n;
}

/* ---- turns ---- */

struct talker {
	struct storekeeper *k;
	int64_t conversation;
};

static void *talk(void *arg)
{
	const struct talker *t = arg;

	for (int i = 0; i < 200; i++) {
		char text[40];

		snprintf(text, sizeof(text), "%03d", i);
		say(t->k, t->conversation, text);
	}
	return NULL;
}

static void several_talk_at_once(void **state)
{
	struct storekeeper *k = started();
	struct talker t[3];
	pthread_t thread[3];

	(void)state;
	for (int i = 0; i < 3; i++) {
		t[i] = (struct talker){ k, storekeeper_conversation(k, NULL, NULL, NULL, "test") };
		pthread_create(&thread[i], NULL, talk, &t[i]);
	}
	for (int i = 0; i < 3; i++)
		pthread_join(thread[i], NULL);
	storekeeper_flush(k);
	assert_null(storekeeper_trouble(k));
	storekeeper_stop(k);
	assert_int_equal(count("SELECT count(*) FROM messages"), 600);
	/* in the order they were said */
	assert_int_equal(count("SELECT count(*) FROM messages a JOIN messages b ON a.conversation = b.conversation AND a.id < b.id"
	                       " WHERE a.content > b.content"), 0);
}

static void set_patience(struct store *s, void *arg)
{
	(void)arg;
	sqlite3_busy_timeout(s->db, 20);
}

static void a_locked_file_is_waited_for(void **state)
{
	struct storekeeper *k = started();
	struct store *other = store_opened();
	int64_t c = storekeeper_conversation(k, NULL, NULL, NULL, "test");
	char *trouble;

	(void)state;
	storekeeper_post(k, set_patience, NULL);
	assert_int_equal(store_begin(other, NULL), 0);
	say(k, c, "first");
	say(k, c, "second");
	storekeeper_flush(k);
	trouble = storekeeper_trouble(k);
	assert_non_null(trouble);
	assert_non_null(strstr(trouble, "locked"));
	free(trouble);
	store_abandon(other);
	store_close(other);
	say(k, c, "third");
	storekeeper_flush(k);
	assert_null(storekeeper_trouble(k));      /* all of it is on the disk now */
	assert_int_equal(count("SELECT count(*) FROM messages"), 3);
	assert_int_equal(count("SELECT count(*) FROM messages WHERE id = 1 AND content = 'first'"), 1);
	assert_int_equal(count("SELECT count(*) FROM conversations"), 1);
	storekeeper_stop(k);
}

static void deleted_and_replaced_while_open(void **state)
{
	struct storekeeper *k = started();
	struct store *s;
	int64_t c = storekeeper_conversation(k, "A-1", NULL, NULL, "test");
	char path[420], *trouble;
	static const char *const ends[] = { "", "-wal", "-shm" };
	struct str report = STR_INIT;

	(void)state;
	say(k, c, "before");
	storekeeper_flush(k);
	assert_null(storekeeper_trouble(k));
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s%s", store_file, ends[i]);
		unlink(path);
	}
	say(k, c, "after");
	storekeeper_flush(k);
	trouble = storekeeper_trouble(k);
	assert_non_null(strstr(trouble, "deleted"));
	free(trouble);
	assert_int_equal(count("SELECT count(*) FROM messages"), 1);
	/* another in its place, its log left behind */
	snprintf(path, sizeof(path), "%s.other", store_file);
	assert_int_equal(store_open_file(&s, path, STORE_READ_WRITE, NULL), 0);
	store_say(s, store_conv(s, NULL, NULL), "user", "typed", "of the other", 0);
	store_settle(s, NULL);
	store_close(s);
	snprintf(path, sizeof(path), "mv %s.other %s; rm -f %s-wal %s-shm", store_file, store_file, store_file, store_file);
	assert_int_equal(system(path), 0);
	say(k, c, "once more");
	say(k, c, "and again");
	storekeeper_flush(k);
	free(storekeeper_trouble(k));
	storekeeper_stop(k);
	assert_int_equal(count("SELECT count(*) FROM messages"), 3);
	assert_int_equal(count("SELECT count(*) FROM conversations WHERE case_id = 'A-1'"), 1);
	s = store_opened();
	assert_int_equal(store_check(s, &report, NULL), 0);
	str_free(&report);
	store_close(s);
}

static void a_folder_that_goes_and_comes_back(void **state)
{
	struct storekeeper *k = started();
	int64_t c = storekeeper_conversation(k, NULL, NULL, NULL, "test");
	char cmd[160];
	FILE *f;

	(void)state;
	say(k, c, "before");
	storekeeper_flush(k);
	snprintf(cmd, sizeof(cmd), "rm -rf %s", store_folder);
	assert_int_equal(system(cmd), 0);
	f = fopen(store_folder, "w");      /* a file where the folder was: it cannot be made again */
	fclose(f);
	say(k, c, "while it is away");
	storekeeper_flush(k);
	free(storekeeper_trouble(k));
	say(k, c, "still");
	storekeeper_flush(k);
	snprintf(cmd, sizeof(cmd), "rm -f %s", store_folder);
	assert_int_equal(system(cmd), 0);
	storekeeper_stop(k);
	assert_int_equal(count("SELECT count(*) FROM messages"), 2);
}

/* ---- what was shown ---- */

static void shown_and_its_fate(void **state)
{
	struct storekeeper *k = started();
	int64_t c = storekeeper_conversation(k, NULL, NULL, NULL, "test"), n[3];
	struct store_suggestion g = { .kind = "reply", .origin = "model", .model = "v2", .confidence = 0.5, .latency_ms = 40 };

	(void)state;
	say(k, c, "hello");
	for (int i = 0; i < 3; i++) {
		char text[16];

		snprintf(text, sizeof(text), "r%d", i);
		g.text = text;
		n[i] = storekeeper_shown(k, c, &g);
	}
	storekeeper_fate(k, n[1], "taken", 2);
	storekeeper_fate(k, n[2], "ignored", 0);
	storekeeper_fate(k, 4711, "taken", 2);      /* nobody knows it */
	g = (struct store_suggestion){ .kind = "completion", .origin = "model", .model = "v2", .text = "ord", .fate = "word", .chars = 3 };
	for (int i = 0; i < 40; i++)
		storekeeper_shown(k, c, &g);
	storekeeper_flush(k);
	assert_int_equal(count("SELECT count(*) FROM suggestions WHERE kind = 'reply'"), 3);
	assert_int_equal(count("SELECT count(*) FROM suggestions WHERE kind = 'completion'"), 32);      /* the rest waits */
	say(k, c, "sent");
	storekeeper_flush(k);
	assert_int_equal(count("SELECT count(*) FROM suggestions WHERE kind = 'completion' AND conversation = 1"), 40);
	g.fate = "taken";
	storekeeper_shown(k, c, &g);
	storekeeper_stop(k);
	assert_int_equal(count("SELECT count(*) FROM suggestions"), 44);
	assert_int_equal(count("SELECT count(*) FROM suggestions WHERE text = 'r1' AND fate = 'taken' AND chars = 2"), 1);
	assert_int_equal(count("SELECT count(*) FROM suggestions WHERE text = 'r0' AND fate = 'shown'"), 1);
}

static void keep_figures(const struct store_figures *f, void *arg)
{
	struct store_figures **at = arg;

	*(*at)++ = *f;
}

/* ---- retention ---- */

struct told {
	int times;
	char text[200];
};

static void tell(const char *text, void *arg)
{
	struct told *t = arg;

	t->times++;
	snprintf(t->text, sizeof(t->text), "%s", text);
}

static void retention_beside_logging(void **state)
{
	struct store *s = store_opened();
	struct storekeeper *k;
	struct told told = { 0 };
	int64_t c;

	(void)state;
	store_begin(s, NULL);
	for (int i = 0; i < 200; i++) {
		struct store_example x = {
			.chat = (char *)(uintptr_t)"{}", .question = (char *)(uintptr_t)"q", .answer = (char *)(uintptr_t)"a",
			.suggested = (char *)(uintptr_t)"", .state = (char *)(uintptr_t)(i % 2 ? "approved" : "proposed"),
			.origin = (char *)(uintptr_t)"sent", .flags = (char *)(uintptr_t)"", .values = (char *)(uintptr_t)"{\"x\": \"oldword\"}",
		};

		store_conversation_add(s, NULL, "oldname", NULL, NULL, 1000, &x.conversation, NULL);
		store_say(s, x.conversation, "user", "typed", "an oldword that is long past", 1000 + i);
		store_example_add(s, &x, NULL);
	}
	store_commit(s, NULL);
	store_close(s);
	k = started();
	storekeeper_retain(k, 0, tell, &told);      /* for ever */
	c = storekeeper_conversation(k, NULL, NULL, NULL, "test");
	storekeeper_retain(k, 30, tell, &told);
	for (int i = 0; i < 50; i++)
		say(k, c, "of today");
	storekeeper_stop(k);
	assert_int_equal(told.times, 1);
	assert_string_equal(told.text, "200 conversations untouched for 30 days were deleted");
	assert_int_equal(count("SELECT count(*) FROM messages"), 50);
	/* what was approved has placeholders only, and stays */
	assert_int_equal(count("SELECT count(*) FROM examples"), 100);
	assert_int_equal(count("SELECT count(*) FROM tainted"), 0);
	assert_int_equal(store_grep(store_folder, "oldword"), 0);
	assert_int_equal(store_grep(store_folder, "oldname"), 0);
}

/* ---- through the app ---- */

static char model_path[96];

static struct app *app_of(int seed)
{
	const struct app_options o = { 0 };
	struct model *m = fixture_model((uint64_t)seed);
	struct err e = ERR_INIT;
	struct app *a;

	snprintf(model_path, sizeof(model_path), "%s/m.safetensors", store_folder);
	assert_int_equal(model_save(m->w, m->tok, model_path, MODELFILE_F32, "{}", "{}", NULL), 0);
	model_unref(m);
	setenv("ANSWERBACK_MODEL", model_path, 1);
	if (app_open(&a, &o, &e) < 0)
		fail_msg("%s", e.msg);
	return a;
}

static void wait_for(struct app *a, enum event_kind kind, struct event *ev)
{
	for (int i = 0; i < 6000; i++) {
		struct pollfd p = { app_fd(a), POLLIN, 0 };

		while (app_next(a, ev)) {
			if (ev->kind == kind)
				return;
			event_fini(ev);
		}
		poll(&p, 1, 10);
	}
	fail_msg("no event of kind %d came", (int)kind);
}

static void the_app_logs_suggestions(void **state)
{
	struct app *a = app_of(3);
	struct store_figures f[8], *at = f;
	struct event ev;
	struct store *s;
	size_t items, first;
	int64_t id;

	(void)state;
	id = app_conversation(a, NULL, NULL);
	app_say(a, id, "user", "inbox", "hello there");
	app_suggest(a, id);
	wait_for(a, EVENT_SUGGESTIONS, &ev);
	first = ev.items;
	event_fini(&ev);
	app_suggest(a, id);      /* again: nobody wanted the first */
	wait_for(a, EVENT_SUGGESTIONS, &ev);
	items = ev.items;
	event_fini(&ev);
	assert_true(items > 0);
	app_suggested(a, id, 0, false);
	app_say(a, id, "assistant", "suggested", "an answer");
	app_close(a);

	s = store_opened();
	assert_int_equal(store_stats(s, 0, keep_figures, &at, NULL), 0);
	store_close(s);
	assert_int_equal(at - f, 3);
	assert_int_equal(f[0].messages, 2);
	assert_int_equal(f[0].by_origin[STORE_ORIGIN_suggested], 1);
	assert_int_equal(f[0].suggestions, first + items);
	assert_int_equal(f[0].suggestions_taken, 1);
	assert_int_equal(f[0].suggestions_ignored, first + items - 1);
	assert_true(f[0].suggestion_ms > 0);
	assert_true(f[0].chars > 0);
	assert_int_equal(f[1].of, STORE_FIGURES_WEEK);
	assert_int_equal(f[2].of, STORE_FIGURES_MODEL);
	assert_int_equal(f[2].suggestions, first + items);
	assert_int_equal(f[2].messages, 0);
}

/* What ghost text learned of a message is taken out with it: the counts are those of the messages left. */
static void counts_are_made_anew(void **state)
{
	const struct store_forget f = { .kind = STORE_FORGET_PHRASE, .text = "secretly" };
	static const char *const said[] = { "aa ab", "secretly ac", "ad" };
	struct app *a = app_of(4);
	struct ghost_person *p;
	struct forget_result r;
	struct store *s;
	struct model *m;
	struct str want = STR_INIT;
	struct event ev;
	void *got;
	size_t bytes;
	int64_t id;

	(void)state;
	wait_for(a, EVENT_READY, &ev);
	event_fini(&ev);
	id = app_conversation(a, NULL, NULL);
	for (int i = 0; i < 3; i++)
		app_say(a, id, "user", "typed", said[i]);
	app_why(a, id, 0);      /* answered with a note: everything before has been done */
	wait_for(a, EVENT_NOTE, &ev);
	event_fini(&ev);
	app_close(a);
	m = fixture_model(4);
	p = ghost_person_bare(m, NULL);
	for (int i = 0; i < 3; i += 2)
		ghost_person_learn(p, "user", said[i], strlen(said[i]));
	ghost_person_save(p, &want);
	ghost_person_free(p);
	model_unref(m);
	s = store_opened();
	store_blob_get(s, "person", &got, &bytes, NULL);
	store_close(s);
	assert_non_null(got);
	assert_true(bytes != want.len || memcmp(got, want.s, bytes) != 0);
	free(got);
	assert_int_equal(forget_all(&f, NULL, NULL, NULL, &r, NULL), 0);
	assert_int_equal(r.kept.messages, 1);
	forget_result_free(&r);
	s = store_opened();
	store_blob_get(s, "person", &got, &bytes, NULL);
	assert_int_equal(bytes, want.len);
	assert_memory_equal(got, want.s, bytes);
	free(got);
	store_close(s);
	str_free(&want);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, store_fresh, store_gone)
	const struct CMUnitTest tests[] = {
		T(several_talk_at_once), T(a_locked_file_is_waited_for), T(deleted_and_replaced_while_open),
		T(a_folder_that_goes_and_comes_back), T(shown_and_its_fate), T(retention_beside_logging),
		T(the_app_logs_suggestions), T(counts_are_made_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
