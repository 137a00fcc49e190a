/* SPDX-License-Identifier: GPL-3.0-or-later */
/* infer: one thread, one task after another: the queue, the beginning and the end. A reply takes some tens of milliseconds, so a
 * ghost that waits for one is still in time; older ghosts are dropped. */
#include "infer_private.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static void task_free(struct task *t)
{
	free(t->role);
	free(t->origin);
	free(t->text);
	free(t);
}

static bool is_ghost(enum infer_what what)
{
	return what == INFER_GHOST || what == INFER_ANOTHER || what == INFER_PAGE;
}

bool infer_quiet(const struct infer *f)
{
	return f->quiet_task || atomic_load(&f->quiet);
}

void infer_set_quiet(struct infer *f, bool quiet)
{
	atomic_store(&f->quiet, quiet);
}

bool infer_stopping(struct infer *f)
{
	bool stop;

	pthread_mutex_lock(&f->lock);
	stop = f->stop;
	pthread_mutex_unlock(&f->lock);
	return stop;
}

static void *serve(void *arg)
{
	struct infer *f = arg;

	infer_load(f);
	pthread_mutex_lock(&f->lock);
	while (!f->stop) {
		struct task *t = f->first;

		if (!t) {
			f->busy = false;
			pthread_cond_wait(&f->work, &f->lock);
			continue;
		}
		f->first = t->next;
		if (!f->first)
			f->last = &f->first;
		f->busy = t->what == INFER_REPLY || t->what == INFER_SUGGEST;
		if (f->busy)
			atomic_store(&f->cancel, false);
		if (is_ghost(t->what))
			atomic_store(&f->newer_ghost, false);
		pthread_mutex_unlock(&f->lock);
		infer_run(f, t);
		task_free(t);
		pthread_mutex_lock(&f->lock);
	}
	pthread_mutex_unlock(&f->lock);
	return NULL;
}

/* ---- from outside ---- */

int infer_start(struct infer **out, const struct infer_options *o, struct err *e)
{
	struct infer *f = xcalloc(1, sizeof(*f));
	sigset_t all, old;
	int rc;

	*out = NULL;
	f->box = o->box;
	f->keeper = o->keeper;
	f->given = o->model ? xstrdup(o->model) : NULL;
	f->company = o->company ? xstrdup(o->company) : NULL;
	f->last = &f->first;
	pthread_mutex_init(&f->lock, NULL);
	pthread_cond_init(&f->work, NULL);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&f->thread, NULL, serve, f);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc != 0) {
		free(f->given);
		free(f->company);
		free(f);
		return err_set(e, ERR_IO, "no thread could be started: %s", strerror(rc));
	}
	*out = f;
	return 0;
}

static struct task *take(struct infer *f)
{
	struct task *t;

	pthread_mutex_lock(&f->lock);
	t = f->first;
	if (t) {
		f->first = t->next;
		if (!f->first)
			f->last = &f->first;
	}
	pthread_mutex_unlock(&f->lock);
	return t;
}

/* The thread is gone, but the storekeeper's jobs go on and may post: until both have nothing left. What was said
 * must be kept even when there was no time for more. */
static void finish(struct infer *f)
{
	struct task *t;

	for (;;) {
		if (!(t = take(f))) {
			storekeeper_flush(f->keeper);
			if (!(t = take(f)))
				return;
		}
		if (t->what == INFER_SAY && !t->quiet && strcmp(t->origin, "history") != 0)
			infer_log(f, infer_conversation(f, t->conversation), t->role, t->origin, t->text, 0);
		else if ((t->what == INFER_FATE && f->m) || t->what == INFER_SUGGESTED || t->what == INFER_CALL)
			infer_run(f, t);
		else if (t->what == INFER_LEARN && f->person && !t->quiet)
			ghost_person_learn(f->person, infer_writer(f), t->text, strlen(t->text));
		task_free(t);
	}
}

void infer_stop(struct infer *f)
{
	if (!f)
		return;
	pthread_mutex_lock(&f->lock);
	f->stop = true;
	atomic_store(&f->cancel, true);
	atomic_store(&f->newer_ghost, true);
	pthread_cond_signal(&f->work);
	pthread_mutex_unlock(&f->lock);
	pthread_join(f->thread, NULL);
	finish(f);
	infer_save_person(f);
	infer_forget_shown(f);
	for (size_t i = 0; i < f->n; i++) {
		infer_drop_talk(&f->c[i]);
		for (size_t k = 0; k < f->c[i].turns; k++) {
			free(f->c[i].turn[k].role);
			free(f->c[i].turn[k].text);
		}
		free(f->c[i].turn);
	}
	free(f->c);
	ghost_person_free(f->person);
	memory_free(f->memory);
	free(f->changed);
	canned_free(&f->canned);
	model_unref(f->m);
	free(f->given);
	free(f->company);
	free(f->version);
	pthread_mutex_destroy(&f->lock);
	pthread_cond_destroy(&f->work);
	free(f);
}

bool infer_busy(struct infer *f)
{
	bool busy;

	pthread_mutex_lock(&f->lock);
	busy = f->busy;
	for (const struct task *t = f->first; t; t = t->next)
		busy = busy || t->what == INFER_REPLY || t->what == INFER_SUGGEST;
	pthread_mutex_unlock(&f->lock);
	return busy;
}

void infer_cancel(struct infer *f)
{
	atomic_store(&f->cancel, true);
}

static void post(struct infer *f, struct task *t)
{
	t->quiet = atomic_load(&f->quiet);
	pthread_mutex_lock(&f->lock);
	if (is_ghost(t->what)) {
		for (struct task **at = &f->first; *at;) {
			struct task *old = *at;

			if (!is_ghost(old->what)) {
				at = &old->next;
				continue;
			}
			*at = old->next;
			task_free(old);
		}
		for (f->last = &f->first; *f->last;)
			f->last = &(*f->last)->next;
		atomic_store(&f->newer_ghost, true);
	}
	*f->last = t;
	f->last = &t->next;
	if (t->what == INFER_REPLY || t->what == INFER_SUGGEST)
		f->busy = true;
	pthread_cond_signal(&f->work);
	pthread_mutex_unlock(&f->lock);
}

void infer_post(struct infer *f, enum infer_what what, int64_t conversation, const char *role, const char *origin,
                const char *text, uint64_t serial)
{
	struct task *t = xcalloc(1, sizeof(*t));

	t->what = what;
	t->conversation = conversation;
	t->role = xstrdup(role ? role : "user");
	t->origin = xstrdup(origin ? origin : "");
	t->text = xstrdup(text ? text : "");
	t->serial = serial;
	post(f, t);
}

void infer_remember(struct infer *f, int64_t example)
{
	pthread_mutex_lock(&f->lock);
	f->news = true;
	if (example == INFER_EVERYTHING || f->changes >= 1000) {       /* so many one by one take longer than all at once */
		f->everything = true;
		f->changes = 0;
	} else if (example > 0 && !f->everything) {
		if (f->changes == f->changes_cap) {
			f->changes_cap = f->changes_cap ? f->changes_cap * 2 : 16;
			f->changed = xreallocarray(f->changed, f->changes_cap, sizeof(*f->changed));
		}
		f->changed[f->changes++] = example;
	}
	pthread_mutex_unlock(&f->lock);
}

void infer_then(struct infer *f, void (*call)(void *arg), void *arg)
{
	struct task *t = xcalloc(1, sizeof(*t));

	t->what = INFER_CALL;
	t->call = call;
	t->arg = arg;
	post(f, t);
}
