/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The application without a screen, its threads at work: mailbox, streaming, cancelling, newer completions
 * before older ones, a model changed under running replies, and leaving in the middle of everything. */
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
#include "mailbox.h"
#include "registry.h"
#include "store.h"

static char folder[40];

static int setup(void **state)
{
	char path[80];
	struct model *m = fixture_model(3);

	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/answerback-app-XXXXXX");
	assert_non_null(mkdtemp(folder));
	setenv("HOME", folder, 1);
	setenv("ANSWERBACK_DATA_DIR", folder, 1);
	unsetenv("ANSWERBACK_PRIVATE");
	snprintf(path, sizeof(path), "%s/m.safetensors", folder);
	assert_int_equal(model_save(m->w, m->tok, path, MODELFILE_F32, "{}", "{}", NULL), 0);
	model_unref(m);
	setenv("ANSWERBACK_MODEL", path, 1);
	return 0;
}

static int teardown(void **state)
{
	char cmd[64];

	(void)state;
	snprintf(cmd, sizeof(cmd), "rm -rf %s", folder);
	return system(cmd) == 0 ? 0 : -1;
}

static struct app *opened(void)
{
	const struct app_options o = { 0 };
	struct err e = ERR_INIT;
	struct app *a;

	if (app_open(&a, &o, &e) < 0)
		fail_msg("%s", e.msg);
	return a;
}

/* The next event of a kind; everything before it is thrown away. */
static struct event wait_for(struct app *a, enum event_kind kind)
{
	struct event ev;

	for (int i = 0; i < 6000; i++) {
		struct pollfd p = { app_fd(a), POLLIN, 0 };

		while (app_next(a, &ev)) {
			if (ev.kind == kind)
				return ev;
			event_fini(&ev);
		}
		poll(&p, 1, 10);
	}
	fail_msg("no event of kind %d came", (int)kind);
	return (struct event){ 0 };
}

static void *produce(void *arg)
{
	for (int i = 0; i < 2000; i++) {
		struct event ev = { .kind = EVENT_NOTE, .text = xstrdup("note"), .serial = (uint64_t)i };

		mailbox_put(arg, &ev);
	}
	return NULL;
}

static void mailbox_of_many_writers(void **state)
{
	struct mailbox *b = mailbox_new();
	pthread_t t[4];
	struct event ev;
	int got = 0;

	(void)state;
	for (int i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, produce, b);
	while (got < 8000) {
		struct pollfd p = { mailbox_fd(b), POLLIN, 0 };

		assert_true(poll(&p, 1, 10000) > 0);
		while (mailbox_get(b, &ev)) {
			got++;
			event_fini(&ev);
		}
	}
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	assert_false(mailbox_get(b, &ev));
	/* streamed text of one conversation is put together, of two it is not */
	for (int i = 0; i < 3; i++) {
		ev = (struct event){ .kind = EVENT_TEXT, .conversation = i < 2 ? 1 : 2, .text = xstrdup("ab") };
		mailbox_put(b, &ev);
	}
	assert_true(mailbox_get(b, &ev));
	assert_string_equal(ev.text, "abab");
	event_fini(&ev);
	mailbox_free(b);
}

static void a_reply_is_streamed_and_kept(void **state)
{
	struct app *a = opened();
	struct store *s;
	struct store_conversation c;
	struct event ev;
	int64_t id;

	(void)state;
	ev = wait_for(a, EVENT_READY);
	assert_true(ev.number > 0);
	event_fini(&ev);
	id = app_conversation(a, "A-1", "Anna");
	app_say(a, id, "user", "typed", "hello there");
	app_reply(a, id);
	ev = wait_for(a, EVENT_REPLY);
	assert_int_equal(ev.conversation, id);
	assert_non_null(ev.text);
	event_fini(&ev);
	app_why(a, id, 0);
	ev = wait_for(a, EVENT_WHY);
	for (size_t i = 0; i < ev.why->words; i++) {
		double sum = 0;

		for (size_t j = 0; j <= ev.why->sources; j++)
			sum += (double)ev.why->weight[i * (ev.why->sources + 1) + j];
		assert_true(sum > 0.999 && sum < 1.001);
	}
	event_fini(&ev);
	app_close(a);
	assert_int_equal(store_open(&s, folder, STORE_READ_ONLY, NULL), 0);
	assert_int_equal(store_conversation_get(s, 1, &c, NULL), 0);
	assert_string_equal(c.case_id, "A-1");
	assert_int_equal(c.messages, 2);
	store_conversation_free(&c);
	store_close(s);
}

static void the_newest_completion_counts(void **state)
{
	struct app *a = opened();
	struct event ev;
	int64_t id;
	uint64_t last = 0;

	(void)state;
	id = app_conversation(a, NULL, NULL);
	app_say(a, id, "user", "typed", "hello");
	for (uint64_t i = 1; i <= 200; i++) {
		char draft[300];

		memset(draft, 'a', i);
		draft[i] = '\0';
		app_ghost(a, id, "assistant", draft, i);
	}
	while (last < 200) {
		ev = wait_for(a, EVENT_GHOST);
		assert_true(ev.serial > last);
		last = ev.serial;
		event_fini(&ev);
	}
	app_close(a);
}

/* Taught and approved: who repairs Tamarin guitars. */
static struct store_example guitars(void)
{
	return (struct store_example){
		.chat = (char *)(uintptr_t)"{}", .question = (char *)(uintptr_t)"Who repairs Tamarin guitars?",
		.answer = (char *)(uintptr_t)"Moll and Son.", .suggested = (char *)(uintptr_t)"", .state = (char *)(uintptr_t)"approved",
		.origin = (char *)(uintptr_t)"taught", .flags = (char *)(uintptr_t)"", .values = (char *)(uintptr_t)"{}", .weight = 1,
	};
}

/* A remembered answer says which example and which case it is from, with and without a case. */
static void a_remembered_answer_names_its_case(void **state)
{
	struct store_example x = guitars();
	struct app *a;
	struct store *s;
	struct event ev;
	int64_t c;

	(void)state;
	assert_int_equal(store_open(&s, NULL, STORE_READ_WRITE, NULL), 0);
	assert_int_equal(store_conversation_add(s, "B-77", NULL, NULL, "chat", 0, &x.conversation, NULL), 0);
	assert_int_equal(store_example_add(s, &x, NULL), 0);
	x.question = (char *)(uintptr_t)"Is the Larch Street counter open?";
	x.answer = (char *)(uintptr_t)"Until seven.";
	x.conversation = 0;
	assert_int_equal(store_example_add(s, &x, NULL), 0);
	store_close(s);
	a = opened();
	c = app_conversation(a, NULL, NULL);
	app_say(a, c, "user", "typed", "who repairs tamarin guitars");
	app_reply(a, c);
	ev = wait_for(a, EVENT_REPLY);
	assert_string_equal(ev.text, "Moll and Son.");
	assert_string_equal(ev.more, "memory: example 1, case B-77");
	event_fini(&ev);
	app_say(a, c, "user", "typed", "is the larch street counter open");
	app_reply(a, c);
	ev = wait_for(a, EVENT_REPLY);
	assert_string_equal(ev.more, "memory: example 2");
	event_fini(&ev);
	app_close(a);
}

static void asks(struct app *a, int64_t c, const char *question, const char *answer, const char *more)
{
	struct event ev;

	app_say(a, c, "user", "typed", question);
	app_reply(a, c);
	ev = wait_for(a, EVENT_REPLY);
	if (answer)
		assert_string_equal(ev.text, answer);
	if (more)
		assert_string_equal(ev.more, more);
	else
		assert_null(ev.more);
	event_fini(&ev);
}

/* A correction answers the next time, before anybody decided on it; rejected it is forgotten at once; and taken back. */
static void a_correction_is_known_at_once(void **state)
{
	static const char question[] = "who repairs tamarin guitars";
	struct store_example x = guitars();
	struct app *a;
	struct store *s;
	struct event ev;
	int64_t c, first, id = 0;

	(void)state;
	assert_int_equal(store_open(&s, NULL, STORE_READ_WRITE, NULL), 0);
	assert_int_equal(store_example_add(s, &x, NULL), 0);
	store_close(s);
	first = x.id;
	a = opened();
	c = app_conversation(a, NULL, NULL);
	asks(a, c, question, "Moll and Son.", "memory: example 1");
	app_correct(a, c, "Ostler Brothers do.");
	asks(a, c, question, "Ostler Brothers do.", "memory: example 2");
	app_review(a);
	ev = wait_for(a, EVENT_REVIEW);
	for (size_t i = 0; i < ev.items; i++)
		id = ev.item[i].id;
	event_fini(&ev);
	assert_true(id > first);
	app_review_decide(a, id, false);
	app_review(a);                /* decided when this is answered */
	ev = wait_for(a, EVENT_REVIEW);
	event_fini(&ev);
	asks(a, c, question, "Moll and Son.", "memory: example 1");
	app_review_undo(a);
	ev = wait_for(a, EVENT_REVIEW);
	event_fini(&ev);
	asks(a, c, question, "Ostler Brothers do.", "memory: example 2");
	app_review_edit(a, id, "Ostler Brothers, in Mill Street.");
	ev = wait_for(a, EVENT_REVIEW);
	event_fini(&ev);
	asks(a, c, question, "Ostler Brothers, in Mill Street.", "memory: example 2");
	app_close(a);
}

static void models_change_under_replies(void **state)
{
	struct app *a = opened();
	struct event ev;
	struct registry *r;
	struct model *m = fixture_model(9);
	char *id = NULL, *base = getenv("ANSWERBACK_MODEL");
	int64_t c;

	(void)state;
	assert_int_equal(registry_open(&r, folder, base, NULL), 0);
	assert_int_equal(registry_add(r, m->w, m->tok, "{}", "{}", &id, NULL), 0);
	assert_string_equal(id, "v1");
	registry_close(r);
	free(id);
	model_unref(m);
	c = app_conversation(a, NULL, NULL);
	app_say(a, c, "user", "typed", "hello");
	for (int i = 0; i < 40; i++) {
		app_reply(a, c);
		app_promote(a, i % 2 ? "base" : "v1");
		ev = wait_for(a, EVENT_REPLY);
		event_fini(&ev);
		app_ghost(a, c, "user", "some words", (uint64_t)i + 1);
		if (i % 5 == 0)
			app_cancel(a);
	}
	app_close(a);
}

/* Hundreds of changes of version, through the disk and all, while replies, suggestions and completions run: each works on with
 * what it began with, and what nobody uses any more is freed (the sanitizers watch). */
static void hundreds_of_swaps_under_load(void **state)
{
#ifdef __SANITIZE_THREAD__
	enum { SWAPS = 40, LEAST = 0 };      /* ten times as slow there */
#else
	enum { SWAPS = 700, LEAST = 20 };
#endif
	struct app *a = opened();
	struct registry *r;
	struct event ev;
	char *id;
	int64_t c;
	int replies = 0, ready = 0;

	(void)state;
	assert_int_equal(registry_open(&r, folder, getenv("ANSWERBACK_MODEL"), NULL), 0);
	for (int k = 0; k < 2; k++) {
		struct model *m = fixture_model(20 + (uint64_t)k);

		assert_int_equal(registry_add(r, m->w, m->tok, "{}", "{}", &id, NULL), 0);
		free(id);
		model_unref(m);
	}
	registry_close(r);
	c = app_conversation(a, NULL, NULL);
	app_say(a, c, "user", "typed", "hello, where is it?");
	for (int i = 0; i < SWAPS; i++) {
		bool done = false;

		app_promote(a, i % 2 ? "v1" : "v2");
		if (i % 4 == 0)
			app_reply(a, c);
		if (i % 6 == 0)
			app_suggest(a, c);
		app_ghost(a, c, "user", "some words", (uint64_t)i + 1);
		/* the change is made while those run */
		for (int tries = 0; tries < 6000 && !done; tries++) {
			struct pollfd p = { app_fd(a), POLLIN, 0 };

			while (app_next(a, &ev)) {
				done = done || ev.kind == EVENT_MODELS;
				replies += ev.kind == EVENT_REPLY || ev.kind == EVENT_SUGGESTIONS;
				ready += ev.kind == EVENT_READY;
				event_fini(&ev);
			}
			if (!done)
				poll(&p, 1, 10);
		}
		assert_true(done);
	}
	assert_true(replies >= LEAST && ready >= LEAST);      /* how many catch up with which change is up to the machine */
	app_close(a);
}

static void left_in_the_middle(void **state)
{
	struct store *s;
	struct store_conversation c;

	(void)state;
	for (int i = 0; i < 8; i++) {
		struct app *a = opened();
		int64_t id = app_conversation(a, NULL, NULL);

		app_say(a, id, "user", "typed", "said before leaving");
		app_reply(a, id);
		app_suggest(a, id);
		app_search(a, "said", 1);
		app_search(a, "said b", 2);
		app_ghost(a, id, "user", "typing", 1);
		app_why(a, id, 0);
		usleep((useconds_t)(i * 3000));
		app_close(a);
	}
	/* what was said is kept all the same, every time */
	assert_int_equal(store_open(&s, folder, STORE_READ_ONLY, NULL), 0);
	for (int64_t i = 1; i <= 8; i++) {
		assert_int_equal(store_conversation_get(s, i, &c, NULL), 0);
		assert_true(c.messages >= 1);
		store_conversation_free(&c);
	}
	store_close(s);
}

/* The storekeeper still has work, and that work posts to the inference thread, when the program is left. */
static void left_while_versions_change(void **state)
{
	struct registry *r;
	struct model *m = fixture_model(9);
	char *id = NULL;

	(void)state;
	assert_int_equal(registry_open(&r, folder, getenv("ANSWERBACK_MODEL"), NULL), 0);
	assert_int_equal(registry_add(r, m->w, m->tok, "{}", "{}", &id, NULL), 0);
	registry_close(r);
	free(id);
	model_unref(m);
	for (int i = 0; i < 10; i++) {
		struct app *a = opened();
		struct event ev = wait_for(a, EVENT_READY);

		event_fini(&ev);
		for (int k = 0; k < 6; k++)
			app_promote(a, k % 2 ? "base" : "v1");
		usleep((useconds_t)(i * 300));
		app_close(a);
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(mailbox_of_many_writers), T(a_reply_is_streamed_and_kept), T(a_remembered_answer_names_its_case),
		T(a_correction_is_known_at_once), T(the_newest_completion_counts),
		T(models_change_under_replies), T(hundreds_of_swaps_under_load), T(left_in_the_middle),
		T(left_while_versions_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
