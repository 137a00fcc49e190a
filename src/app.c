/* SPDX-License-Identifier: GPL-3.0-or-later */
/* app: the facade: posts to the two threads, and turns what the store finds into events. */
#include "app.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "config.h"
#include "export.h"
#include "inbox.h"
#include "infer.h"
#include "paths.h"
#include "redact.h"
#include "registry.h"
#include "retrain.h"
#include "storekeeper.h"

struct app {
	struct mailbox *box;
	struct storekeeper *keeper;
	struct infer *infer;
	struct inbox *inbox;
	char *company, *send_command, *model;
	/* the trainer */
	pthread_t trainer;
	bool trainer_started;
	atomic_bool training;
	atomic_int order;
	double minutes;
	char *log;
};

static void join_trainer(struct app *a);

/* ---- open, close ---- */

static void note(struct mailbox *box, const char *text)
{
	struct event ev = { .kind = EVENT_NOTE, .text = xstrdup(text) };

	mailbox_put(box, &ev);
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
	*out = a;
	return 0;
}

void app_close(struct app *a)
{
	if (!a)
		return;
	join_trainer(a);
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
	return storekeeper_private(a->keeper);
}

bool app_busy(const struct app *a)
{
	return infer_busy(a->infer);
}

/* ---- conversations ---- */

int64_t app_conversation(struct app *a, const char *case_id, const char *customer)
{
	/* the storekeeper's numbers are the run's: one for each, in the same order */
	return storekeeper_conversation(a->keeper, case_id, customer, a->company, "screen");
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

void app_ghost_fate(struct app *a, const char *fate, size_t chars)
{
	infer_post(a->infer, INFER_FATE, 0, NULL, NULL, fate, chars);
}

void app_why(struct app *a, int64_t conversation)
{
	infer_post(a->infer, INFER_WHY, conversation, NULL, NULL, NULL, 0);
}

/* ---- jobs for the store ---- */

enum job_what {
	JOB_SEARCH, JOB_OPEN, JOB_TAG, JOB_EXPORT, JOB_DELETE, JOB_RATE, JOB_DRAFT, JOB_CORRECT, JOB_APPROVE, JOB_MODELS, JOB_PROMOTE
};

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

static char *json_text(const char *text)
{
	json_t *j = json_string(text);
	char *out = j ? json_dumps(j, JSON_ENCODE_ANY) : NULL, *copy = xstrdup(out ? out : "\"\"");

	free(out);
	json_decref(j);
	return copy;
}

/* What should have been said becomes an example to decide on; placeholders instead of personal data. */
static void propose(struct app *a, struct store *s, const struct job *j, struct err *e)
{
	const int64_t row = storekeeper_row(a->keeper, j->conversation);
	struct event said = { 0 };
	struct redact_map *map = redact_map_new(a->company);
	struct str chat = STR_INIT, answer = STR_INIT, question = STR_INIT, old = STR_INIT;
	struct store_example x;
	int64_t last = 0;

	store_messages(s, row, add_message, &said, e);
	for (size_t i = 0; i < said.items; i++)
		if (strcmp(said.item[i].role, "assistant") == 0)
			last = said.item[i].id;
	str_adds(&chat, "{\"messages\": [");
	for (size_t i = 0; i < said.items; i++) {
		struct str t = STR_INIT;
		char *json;

		redact_text(map, said.item[i].text, strlen(said.item[i].text), &t);
		if (said.item[i].id == last) {
			str_adds(&old, t.s);
			str_free(&t);
			break;
		}
		if (strcmp(said.item[i].role, "user") == 0) {
			str_reset(&question);
			str_adds(&question, t.s);
		}
		json = json_text(t.s);
		str_addf(&chat, "%s{\"role\": \"%s\", \"content\": %s}", i ? ", " : "", said.item[i].role, json);
		free(json);
		str_free(&t);
	}
	redact_text(map, j->text, strlen(j->text), &answer);

	char *json = json_text(answer.s);

	str_addf(&chat, ", {\"role\": \"assistant\", \"content\": %s}]}", json);
	free(json);
	x = (struct store_example){
		.conversation = row, .message = last, .chat = chat.s, .question = question.s, .answer = answer.s,
		.suggested = old.s, .state = (char *)(uintptr_t)"proposed",
		.origin = (char *)(uintptr_t)(j->what == JOB_RATE ? "good" : "corrected"),
		.flags = (char *)(uintptr_t)"", .weight = j->what == JOB_RATE ? 1 : 2,
	};
	if (question.len)
		store_example_add(s, &x, e);
	str_free(&chat);
	str_free(&answer);
	str_free(&question);
	str_free(&old);
	redact_map_free(map);
	event_fini(&said);
}

static void list_models(struct app *a)
{
	struct event ev = { .kind = EVENT_MODELS };
	struct registry_list l = { 0 };
	struct registry *r = NULL;
	struct err e = ERR_INIT;
	char *base = NULL;

	paths_model(NULL, &base, NULL);
	if (registry_open(&r, NULL, base, &e) < 0 || registry_list(r, &l, &e) < 0)
		note(a->box, e.msg);
	for (size_t i = 0; i < l.n; i++) {
		struct event_item *it = event_add(&ev);
		struct str s = STR_INIT;

		it->text = xstrdup(l.v[i].id);
		it->flag = l.v[i].current && !a->model;
		if (l.v[i].damage)
			str_addf(&s, "damaged: %s", l.v[i].damage);
		else
			str_addf(&s, "%.1f MB  %s%s  %s%s", (double)l.v[i].bytes / 1e6, l.v[i].created,
			         *l.v[i].created ? "" : "came with the program", *l.v[i].parent ? "from " : "", l.v[i].parent);
		it->more = str_detach(&s);
		it->origin = xstrdup(l.v[i].scores);
	}
	registry_list_free(&l);
	registry_close(r);
	free(base);
	mailbox_put(a->box, &ev);
}

static void promote(struct app *a, const char *id)
{
	struct registry *r = NULL;
	struct err e = ERR_INIT;
	char *base = NULL, *to = NULL;
	int rc;

	paths_model(NULL, &base, NULL);
	rc = registry_open(&r, NULL, base, &e);
	if (rc == 0 && id)
		rc = registry_promote(r, id, "promoted", &e);
	else if (rc == 0)
		rc = registry_rollback(r, &to, &e);
	registry_close(r);
	free(base);
	free(to);
	if (rc < 0)
		note(a->box, e.msg);
	else
		infer_post(a->infer, INFER_MODEL, 0, NULL, NULL, NULL, 0);
	list_models(a);
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
	struct err e = ERR_INIT;
	int64_t id;

	if (j->what == JOB_MODELS || j->what == JOB_PROMOTE) {
		if (j->what == JOB_MODELS)
			list_models(a);
		else
			promote(a, j->text);
		job_free(j);
		return;
	}
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
			note(a->box, "deleted, also from what is learned from");
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
					propose(a, s, j, &e);
			}
			note(a->box, j->number > 0 ? "rated good, and proposed as an example" : "rated bad");
		}
		break;
	case JOB_CORRECT:
		propose(a, s, j, &e);
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
			store_example_decide(s, ids.v[i], "approved", &e);
		str_addf(&said, ids.n ? "%zu approved: /train learns them for good" : "nothing waits for a decision", ids.n);
		note(a->box, said.s);
		str_free(&said);
		free(ids.v);
		break;
	}
	case JOB_MODELS:
	case JOB_PROMOTE:
		break;
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
	on_conversation(a, JOB_RATE, conversation, NULL, rating);
}

void app_draft(struct app *a, int64_t conversation, const char *text)
{
	on_conversation(a, JOB_DRAFT, conversation, text, 0);
}

void app_suggested(struct app *a, int64_t conversation, int taken, bool edited)
{
	infer_post(a->infer, INFER_SUGGESTED, conversation, NULL, NULL, taken < 0 ? "ignored" : edited ? "edited" : "taken",
	           taken < 0 ? 0 : (uint64_t)taken + 1);
}

void app_correct(struct app *a, int64_t conversation, const char *text)
{
	on_conversation(a, JOB_CORRECT, conversation, text, 0);
	infer_post(a->infer, INFER_UNSAY, conversation, NULL, NULL, NULL, 0);
	infer_post(a->infer, INFER_SAY, conversation, "assistant", "history", text, 0);
}

void app_approve(struct app *a)
{
	storekeeper_post(a->keeper, work, job(a, JOB_APPROVE, NULL));
}

void app_models(struct app *a)
{
	storekeeper_post(a->keeper, work, job(a, JOB_MODELS, NULL));
}

void app_promote(struct app *a, const char *id)
{
	storekeeper_post(a->keeper, work, job(a, JOB_PROMOTE, id));
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

/* ---- retraining ---- */

static void train_note(const char *text, double share, void *arg)
{
	struct app *a = arg;
	struct str s = STR_INIT;

	str_addf(&s, "retraining %.0f%%: %s", 100 * share, text);
	note(a->box, s.s);
	str_free(&s);
}

static void *train(void *arg)
{
	struct app *a = arg;
	struct retrain_options o;
	struct retrain_result r;
	struct err e = ERR_INIT;
	struct str s = STR_INIT;

	retrain_defaults(&o);
	o.model = a->model;
	o.company = a->company;
	o.minutes = a->minutes;
	o.threads = o.threads > 1 ? o.threads - 1 : 1;      /* one is left for the person */
	o.idle = true;
	o.order = &a->order;
	o.progress = train_note;
	o.arg = a;
	o.log = a->log;
	if (retrain(&o, &r, &e) < 0) {
		str_adds(&s, e.msg);
	} else if (r.nothing) {
		str_adds(&s, "nothing to train on: no example is approved yet (/correct, answerback review)");
	} else if (r.published) {
		str_addf(&s, "published %s: it serves from the next reply on (C-x v, r goes back)", r.model);
	} else {
		str_adds(&s, "not published:");
		for (size_t i = 0; i < r.checks; i++)
			if (!r.gate[i].ok)
				str_addf(&s, " %s %.3f (bound %.3f)", r.gate[i].name, r.gate[i].value, r.gate[i].bound);
	}
	note(a->box, s.s);
	if (e.code == 0 && r.published)
		infer_post(a->infer, INFER_MODEL, 0, NULL, NULL, NULL, 0);
	str_free(&s);
	atomic_store(&a->training, false);
	return NULL;
}

static void join_trainer(struct app *a)
{
	if (!a->trainer_started)
		return;
	atomic_store(&a->order, RETRAIN_CANCEL);
	pthread_join(a->trainer, NULL);
	a->trainer_started = false;
}

const char *app_retrain_log(struct app *a)
{
	char *folder;
	struct str s = STR_INIT;

	if (!a->log && paths_folder(PATHS_STATE, NULL, true, &folder, NULL) == 0) {
		str_addf(&s, "%s/retrain.jsonl", folder);
		a->log = str_detach(&s);
		free(folder);
	}
	return a->log;
}

bool app_retrain(struct app *a, double minutes)
{
	sigset_t all, old;

	if (atomic_load(&a->training))
		return false;
	join_trainer(a);
	app_retrain_log(a);
	a->minutes = minutes;
	atomic_store(&a->order, RETRAIN_GO);
	atomic_store(&a->training, true);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	a->trainer_started = pthread_create(&a->trainer, NULL, train, a) == 0;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (!a->trainer_started)
		atomic_store(&a->training, false);
	return a->trainer_started;
}

void app_retrain_order(struct app *a, enum app_order order)
{
	static const int orders[] = { RETRAIN_GO, RETRAIN_PAUSE, RETRAIN_KEEP, RETRAIN_CANCEL };

	atomic_store(&a->order, orders[order]);
}

bool app_retraining(const struct app *a)
{
	return atomic_load(&a->training);
}
