/* SPDX-License-Identifier: GPL-3.0-or-later */
/* app: the facade: posts to the two threads, and turns what the store finds into events. */
#include "app_private.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "config.h"
#include "export.h"
#include "retrain.h"

/* ---- open, close ---- */

static void note(struct mailbox *box, const char *text)
{
	struct event ev = { .kind = EVENT_NOTE, .text = xstrdup(text) };

	mailbox_put(box, &ev);
}

void app_note(struct app *a, const char *text)
{
	note(a->box, text);
}

static void note_retained(const char *text, void *arg)
{
	note(arg, text);
}

int app_open(struct app **out, const struct app_options *o, struct err *e)
{
	struct app *a = xcalloc(1, sizeof(*a));
	struct infer_options io = { o->model, o->company, NULL, NULL };
	struct err no_store = ERR_INIT;
	int rc;

	*out = NULL;
	a->box = mailbox_new();
	a->company = o->company ? xstrdup(o->company) : NULL;
	a->model = o->model ? xstrdup(o->model) : NULL;
	a->send_command = o->send_command && *o->send_command ? xstrdup(o->send_command) : NULL;
	if (storekeeper_start(&a->keeper, NULL, &no_store) < 0) {
		note(a->box, no_store.msg);
		note(a->box, "nothing will be kept");
		config_override(CONFIG_PRIVATE, "yes", "no store", NULL);
		if ((rc = storekeeper_start(&a->keeper, NULL, e)) < 0) {
			app_close(a);
			return rc;
		}
	}
	storekeeper_retain(a->keeper, (int)config_number(CONFIG_RETENTION_DAYS), note_retained, a->box);
	io.box = a->box;
	io.keeper = a->keeper;
	if ((rc = infer_start(&a->infer, &io, e)) < 0 ||
	    (o->inbox && (rc = inbox_start(&a->inbox, o->inbox, a->box, e)) < 0)) {
		app_close(a);
		return rc;
	}
	a->schedule = schedule_start(a->box, 30);
	if (retrain_waits(NULL))
		note(a->box, "a retraining was interrupted: /train goes on with it");
	*out = a;
	return 0;
}

void app_close(struct app *a)
{
	if (!a)
		return;
	schedule_stop(a->schedule);
	app_join(a);
	inbox_stop(a->inbox);
	infer_stop(a->infer);
	storekeeper_stop(a->keeper);
	mailbox_free(a->box);
	free(a->company);
	free(a->model);
	free(a->send_command);
	free(a->log);
	free(a);
}

int app_fd(const struct app *a)
{
	return mailbox_fd(a->box);
}

bool app_next(struct app *a, struct event *ev)
{
	return mailbox_get(a->box, ev);
}

bool app_private(const struct app *a)
{
	return a->quiet || storekeeper_private(a->keeper);
}

bool app_set_private(struct app *a, bool on)
{
	if (storekeeper_private(a->keeper))
		return on;
	a->quiet = on;
	infer_set_quiet(a->infer, on);
	config_override(CONFIG_PRIVATE, on ? "yes" : "no", "/private", NULL);      /* the desk's recovery copies follow it */
	return true;
}

bool app_busy(const struct app *a)
{
	return infer_busy(a->infer);
}

/* ---- conversations ---- */

int64_t app_conversation(struct app *a, const char *case_id, const char *customer)
{
	/* the storekeeper's numbers are the run's: one for each, in the same order */
	/* a name that came while private is not written later, with what is said then */
	return storekeeper_conversation(a->keeper, a->quiet ? NULL : case_id, a->quiet ? NULL : customer, a->company, "screen");
}

void app_set(struct app *a, int64_t conversation, const char *field, const char *value)
{
	if (!a->quiet)
		storekeeper_set(a->keeper, conversation, field, value);
}

void app_adopt(struct app *a, int64_t conversation, int64_t row)
{
	storekeeper_adopt(a->keeper, conversation, row);
}

void app_say(struct app *a, int64_t conversation, const char *role, const char *origin, const char *text)
{
	infer_post(a->infer, INFER_SAY, conversation, role, origin, text, 0);
}

void app_reply(struct app *a, int64_t conversation)
{
	infer_post(a->infer, INFER_REPLY, conversation, NULL, NULL, NULL, 0);
}

void app_suggest(struct app *a, int64_t conversation)
{
	infer_post(a->infer, INFER_SUGGEST, conversation, NULL, NULL, NULL, 0);
}

void app_cancel(struct app *a)
{
	infer_cancel(a->infer);
}

void app_ghost(struct app *a, int64_t conversation, const char *role, const char *draft, uint64_t serial)
{
	infer_post(a->infer, INFER_GHOST, conversation, role, NULL, draft, serial);
}

void app_ghost_another(struct app *a, int64_t conversation, const char *role, const char *draft, const char *shown, uint64_t serial)
{
	infer_post(a->infer, INFER_ANOTHER, conversation, role, shown, draft, serial);
}

void app_ghost_page(struct app *a, int64_t conversation, const char *page, const char *draft, uint64_t serial)
{
	infer_post(a->infer, INFER_PAGE, conversation, NULL, page, draft, serial);
}

void app_learn(struct app *a, const char *text)
{
	infer_post(a->infer, INFER_LEARN, 0, NULL, NULL, text, 0);
}

void app_ghost_fate(struct app *a, const char *fate, size_t chars)
{
	infer_post(a->infer, INFER_FATE, 0, NULL, NULL, fate, chars);
}

void app_why(struct app *a, int64_t conversation, size_t back)
{
	infer_post(a->infer, INFER_WHY, conversation, NULL, NULL, NULL, back);
}

/* ---- jobs for the store ---- */

enum job_what {
	JOB_SEARCH, JOB_OPEN, JOB_TAG, JOB_EXPORT, JOB_DELETE, JOB_RATE, JOB_DRAFT, JOB_CORRECT, JOB_APPROVE
};

enum { PREVIEW = 4000 };

struct job {
	struct app *a;
	enum job_what what;
	int64_t row, conversation;
	uint64_t serial;
	char *text, *more;
	int number;
};

static void job_free(void *arg)
{
	struct job *j = arg;

	free(j->text);
	free(j->more);
	free(j);
}

static bool add_hit(const struct store_hit *h, void *arg)
{
	struct event_item *it = event_add(arg);

	it->text = xstrdup(h->snippet);
	it->role = xstrdup(h->role);
	it->origin = xstrdup(h->origin);
	it->more = xstrdup(*h->case_id ? h->case_id : h->customer);
	it->answer = xmemdup(h->content, strnlen(h->content, PREVIEW));
	it->id = h->conversation;
	it->number = h->created;
	return true;
}

static bool add_message(const struct store_message *m, void *arg)
{
	struct event_item *it = event_add(arg);

	it->text = xstrdup(m->content);
	it->role = xstrdup(m->role);
	it->origin = xstrdup(m->origin);
	it->number = m->created;
	it->id = m->id;
	return true;
}

static void export_row(struct app *a, struct store *s, const struct job *j)
{
	struct err e = ERR_INIT;
	struct str said = STR_INIT;
	int fd = open(j->text, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;

	if (!f) {
		str_addf(&said, "%s cannot be written: %s", j->text, strerror(errno));
	} else {
		struct exporter *x = export_new(f, export_format_of_file(j->text, EXPORT_MARKDOWN), false, a->company);
		int rc = export_conversation(x, s, j->row, &e), end = export_end(x, rc < 0 ? NULL : &e);

		if (fclose(f) != 0 && rc == 0 && end == 0)
			end = err_set(&e, ERR_IO, "not written whole: %s", strerror(errno));
		if (rc < 0 || end < 0)
			str_addf(&said, "%s: %s", j->text, e.msg);
		else
			str_addf(&said, "written to %s", j->text);
	}
	note(a->box, said.s);
	str_free(&said);
}

static bool last_of_agent(const struct store_message *m, void *arg)
{
	if (strcmp(m->role, "assistant") == 0)
		*(int64_t *)arg = m->id;
	return true;
}

static int64_t last_reply(struct app *a, struct store *s, const struct job *j)
{
	int64_t id = 0, row = storekeeper_row(a->keeper, j->conversation);

	if (row)
		store_messages(s, row, last_of_agent, &id, NULL);
	return id;
}

struct ids {
	int64_t *v;
	size_t n;
};

static bool collect(const struct store_example *x, void *arg)
{
	struct ids *ids = arg;

	ids->v = xreallocarray(ids->v, ids->n + 1, sizeof(*ids->v));
	ids->v[ids->n++] = x->id;
	return true;
}

static void work(struct store *s, void *arg)
{
	struct job *j = arg;
	struct app *a = j->a;
	struct event ev = { .serial = j->serial, .conversation = j->conversation };
	struct store_conversation c;
	struct err e = ERR_INIT;
	int64_t id;

	if (!s) {
		if (j->what != JOB_DRAFT)
			note(a->box, "private: there is no history");
		job_free(j);
		return;
	}
	switch (j->what) {
	case JOB_SEARCH:
		ev.kind = EVENT_HITS;
		if (store_search(s, j->text, 200, 0, add_hit, &ev, &e) < 0 && e.code == ERR_CANCELLED)
			e = (struct err)ERR_INIT;      /* a newer one is on its way */
		mailbox_put(a->box, &ev);
		break;
	case JOB_OPEN:
		ev.kind = EVENT_OPENED;
		ev.number = j->row;
		if (store_conversation_get(s, j->row, &c, &e) == 0) {
			ev.text = xstrdup(c.case_id);
			ev.more = xstrdup(c.customer);
			store_conversation_free(&c);
		}
		store_messages(s, j->row, add_message, &ev, &e);
		mailbox_put(a->box, &ev);
		break;
	case JOB_TAG:
		if (store_tag(s, j->row, j->text, true, &e) == 0)
			note(a->box, "tagged");
		break;
	case JOB_EXPORT:
		export_row(a, s, j);
		break;
	case JOB_DELETE:
		if (store_conversation_delete(s, j->row, &e) == 0)
			note(a->box, "deleted, also from learning; backups keep it: answerback forget phrase");
		infer_remember(a->infer, INFER_EVERYTHING);
		break;
	case JOB_RATE:
		if ((id = last_reply(a, s, j)) == 0)
			note(a->box, "there is no reply to rate yet");
		else if (store_message_rate(s, id, j->number, &e) == 0) {
			if (j->number > 0) {
				struct event said = { 0 };

				store_messages(s, storekeeper_row(a->keeper, j->conversation), add_message, &said, &e);
				for (size_t i = 0; i < said.items; i++) {
					if (said.item[i].id == id) {
						free(j->text);
						j->text = xstrdup(said.item[i].text);
					}
				}
				event_fini(&said);
				if (j->text)
					app_propose(a, s, storekeeper_row(a->keeper, j->conversation), j->text, NULL, "good", false, 1, &e);
			}
			note(a->box, j->number > 0 ? "rated good, and proposed as an example" : "rated bad");
		}
		break;
	case JOB_CORRECT:
		app_propose(a, s, storekeeper_row(a->keeper, j->conversation), j->text, NULL, "corrected", false, 2, &e);
		if (e.code == 0)
			note(a->box, "noted as what should have been said");
		break;
	case JOB_DRAFT:
		id = storekeeper_row(a->keeper, j->conversation);
		if (id)
			store_draft_set(s, id, j->text, &e);
		break;
	case JOB_APPROVE: {
		struct ids ids = { 0 };
		struct str said = STR_INIT;

		store_examples(s, "proposed", collect, &ids, &e);
		for (size_t i = 0; i < ids.n && e.code == 0; i++)
			if (store_example_decide(s, ids.v[i], "approved", &e) == 0)
				infer_remember(a->infer, ids.v[i]);
		str_addf(&said, ids.n ? "%zu approved: /train learns them for good" : "nothing waits for a decision", ids.n);
		note(a->box, said.s);
		str_free(&said);
		free(ids.v);
		break;
	}
	}
	if (e.code)
		note(a->box, e.msg);
	job_free(j);
}

static struct job *job(struct app *a, enum job_what what, const char *text)
{
	struct job *j = xcalloc(1, sizeof(*j));

	j->a = a;
	j->what = what;
	j->text = text ? xstrdup(text) : NULL;
	return j;
}

void app_search(struct app *a, const char *query, uint64_t serial)
{
	struct job *j = job(a, JOB_SEARCH, query);

	j->serial = serial;
	storekeeper_search(a->keeper, work, job_free, j);
}

static void on_row(struct app *a, enum job_what what, int64_t row, const char *text)
{
	struct job *j = job(a, what, text);

	j->row = row;
	storekeeper_post(a->keeper, work, j);
}

void app_open_row(struct app *a, int64_t row)
{
	on_row(a, JOB_OPEN, row, NULL);
}

void app_tag_row(struct app *a, int64_t row, const char *tag)
{
	on_row(a, JOB_TAG, row, tag);
}

void app_export_row(struct app *a, int64_t row, const char *path)
{
	on_row(a, JOB_EXPORT, row, path);
}

void app_delete_row(struct app *a, int64_t row)
{
	on_row(a, JOB_DELETE, row, NULL);
}

static void on_conversation(struct app *a, enum job_what what, int64_t conversation, const char *text, int number)
{
	struct job *j = job(a, what, text);

	j->conversation = conversation;
	j->number = number;
	storekeeper_post(a->keeper, work, j);
}

void app_rate(struct app *a, int64_t conversation, int rating)
{
	if (a->quiet)
		app_note(a, "private: nothing is learned");
	else
		on_conversation(a, JOB_RATE, conversation, NULL, rating);
}

void app_draft(struct app *a, int64_t conversation, const char *text)
{
	if (!a->quiet)
		on_conversation(a, JOB_DRAFT, conversation, text, 0);
}

void app_suggested(struct app *a, int64_t conversation, int taken, bool edited)
{
	infer_post(a->infer, INFER_SUGGESTED, conversation, NULL, NULL, taken < 0 ? "ignored" : edited ? "edited" : "taken",
	           taken < 0 ? 0 : (uint64_t)taken + 1);
}

void app_correct(struct app *a, int64_t conversation, const char *text)
{
	if (!a->quiet)
		on_conversation(a, JOB_CORRECT, conversation, text, 0);
	infer_post(a->infer, INFER_UNSAY, conversation, NULL, NULL, NULL, 0);
	infer_post(a->infer, INFER_SAY, conversation, "assistant", "history", text, 0);
}

void app_approve(struct app *a)
{
	storekeeper_post(a->keeper, work, job(a, JOB_APPROVE, NULL));
}

/* ---- sending ---- */

struct sending {
	struct mailbox *box;
	char *command, *case_id, *text;
	int64_t conversation;
};

/* sh -c command, the reply on its standard input, the case in its environment. */
static void *send_thread(void *arg)
{
	struct sending *s = arg;
	struct event ev = { .kind = EVENT_SENT, .conversation = s->conversation };
	int in[2], status = -1;
	pid_t pid = -1;

	if (pipe2(in, O_CLOEXEC) == 0) {
		pid = fork();
		if (pid == 0) {
			int null = open("/dev/null", O_RDWR);
			sigset_t none;

			/* our handlers and the pipe they write to are not its, and neither is this thread's mask */
			for (int sig = 1; sig < NSIG; sig++)
				signal(sig, SIG_DFL);
			sigemptyset(&none);
			sigprocmask(SIG_SETMASK, &none, NULL);
			dup2(in[0], 0);
			dup2(null, 1);      /* the screen is not its */
			dup2(null, 2);
			setenv("ANSWERBACK_CASE", s->case_id, 1);
			execl("/bin/sh", "sh", "-c", s->command, (char *)NULL);
			_exit(127);
		}
		close(in[0]);
		for (size_t at = 0, n = strlen(s->text); pid > 0 && at < n;) {
			ssize_t w = write(in[1], s->text + at, n - at);

			if (w < 0 && errno != EINTR)
				break;
			at += w > 0 ? (size_t)w : 0;
		}
		close(in[1]);
		while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
	}
	ev.stopped = pid < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0;
	if (ev.stopped) {
		struct str t = STR_INIT;

		str_addf(&t, "send_command failed (%s %d): the reply stays in the composer", pid < 0 ? "not started, error" : "exit",
		         pid < 0 ? errno : WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
		ev.text = str_detach(&t);
		ev.more = xstrdup(s->text);
	}
	mailbox_put(s->box, &ev);
	free(s->command);
	free(s->case_id);
	free(s->text);
	free(s);
	return NULL;
}

bool app_send(struct app *a, int64_t conversation, const char *case_id, const char *text)
{
	struct sending *s;
	sigset_t all, old;
	pthread_t t;

	if (!a->send_command)
		return false;
	s = xcalloc(1, sizeof(*s));
	s->box = a->box;
	s->command = xstrdup(a->send_command);
	s->case_id = xstrdup(case_id ? case_id : "");
	s->text = xstrdup(text);
	s->conversation = conversation;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	if (pthread_create(&t, NULL, send_thread, s) == 0)
		pthread_detach(t);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return true;
}
