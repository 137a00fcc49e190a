/* SPDX-License-Identifier: GPL-3.0-or-later */
/* storekeeper: a queue of jobs and the thread that runs them. */
#include "storekeeper.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store_forget.h"

struct job {
	struct job *next;
	void (*run)(struct store *s, void *arg);
	void (*drop)(void *arg);      /* not NULL: a search */
	void *arg;
};

struct logged {
	char *case_id, *customer, *company, *source;
	int64_t row;                  /* 0: not in the store yet */
};

struct storekeeper {
	struct store *store;          /* NULL: private */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t work, idle;
	struct job *first, **last;
	bool searching, busy, stop;
	struct logged **conversation;
	size_t conversations;
	char *trouble;
};

static void *keep(void *arg)
{
	struct storekeeper *k = arg;
	struct job *j;

	pthread_mutex_lock(&k->lock);
	for (;;) {
		while (!k->first && !k->stop) {
			k->busy = false;
			pthread_cond_broadcast(&k->idle);
			pthread_cond_wait(&k->work, &k->lock);
		}
		if (!k->first)
			break;
		j = k->first;
		k->first = j->next;
		if (!k->first)
			k->last = &k->first;
		k->busy = true;
		k->searching = j->drop != NULL;
		pthread_mutex_unlock(&k->lock);
		j->run(k->store, j->arg);
		free(j);
		pthread_mutex_lock(&k->lock);
		k->searching = false;
	}
	k->busy = false;
	pthread_cond_broadcast(&k->idle);
	pthread_mutex_unlock(&k->lock);
	return NULL;
}

int storekeeper_start(struct storekeeper **out, const char *data_dir, struct err *e)
{
	const char *private = getenv("ANSWERBACK_PRIVATE");
	struct storekeeper *k = xcalloc(1, sizeof(*k));
	sigset_t all, old;
	int rc = 0;

	*out = NULL;
	if (!(private && *private))
		rc = store_open(&k->store, data_dir, STORE_READ_WRITE, e);
	if (rc == 0 && k->store && store_share(k->store, e) == ERR_BUSY) {      /* a folder that cannot hold a lock can be used */
		store_close(k->store);
		rc = ERR_BUSY;
	}
	if (rc < 0) {
		free(k);
		return rc;
	}
	k->last = &k->first;
	pthread_mutex_init(&k->lock, NULL);
	pthread_cond_init(&k->work, NULL);
	pthread_cond_init(&k->idle, NULL);
	/* signals are the main thread's business */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&k->thread, NULL, keep, k);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc != 0) {
		store_close(k->store);
		free(k);
		return err_set(e, ERR_IO, "no thread could be started: %s", strerror(rc));
	}
	*out = k;
	return 0;
}

void storekeeper_stop(struct storekeeper *k)
{
	if (!k)
		return;
	pthread_mutex_lock(&k->lock);
	k->stop = true;
	pthread_cond_broadcast(&k->work);
	pthread_mutex_unlock(&k->lock);
	pthread_join(k->thread, NULL);
	for (size_t i = 0; i < k->conversations; i++) {
		free(k->conversation[i]->case_id);
		free(k->conversation[i]->customer);
		free(k->conversation[i]->company);
		free(k->conversation[i]->source);
		free(k->conversation[i]);
	}
	free(k->conversation);
	free(k->trouble);
	store_close(k->store);
	pthread_mutex_destroy(&k->lock);
	pthread_cond_destroy(&k->work);
	pthread_cond_destroy(&k->idle);
	free(k);
}

bool storekeeper_private(const struct storekeeper *k)
{
	return k->store == NULL;
}

static void post(struct storekeeper *k, void (*run)(struct store *s, void *arg), void (*drop)(void *arg), void *arg)
{
	struct job *j = xcalloc(1, sizeof(*j));

	j->run = run;
	j->drop = drop;
	j->arg = arg;
	pthread_mutex_lock(&k->lock);
	if (drop) {
		for (struct job **at = &k->first; *at;) {
			struct job *old = *at;

			if (!old->drop) {
				at = &old->next;
				continue;
			}
			*at = old->next;
			old->drop(old->arg);
			free(old);
		}
		for (k->last = &k->first; *k->last;)
			k->last = &(*k->last)->next;
		/* only a search may be cut short: a turn that is being written must be written */
		if (k->searching && k->store)
			store_interrupt(k->store);
	}
	*k->last = j;
	k->last = &j->next;
	pthread_cond_signal(&k->work);
	pthread_mutex_unlock(&k->lock);
}

void storekeeper_post(struct storekeeper *k, void (*run)(struct store *s, void *arg), void *arg)
{
	post(k, run, NULL, arg);
}

void storekeeper_search(struct storekeeper *k, void (*run)(struct store *s, void *arg), void (*drop)(void *arg), void *arg)
{
	post(k, run, drop, arg);
}

void storekeeper_flush(struct storekeeper *k)
{
	pthread_mutex_lock(&k->lock);
	while (k->first || k->busy)
		pthread_cond_wait(&k->idle, &k->lock);
	pthread_mutex_unlock(&k->lock);
}

/* ---- logging ---- */

int64_t storekeeper_conversation(struct storekeeper *k, const char *case_id, const char *customer, const char *company,
                                 const char *source)
{
	struct logged *l = xcalloc(1, sizeof(*l));
	int64_t id;

	l->case_id = xstrdup(case_id ? case_id : "");
	l->customer = xstrdup(customer ? customer : "");
	l->company = xstrdup(company ? company : "");
	l->source = xstrdup(source ? source : "");
	pthread_mutex_lock(&k->lock);
	k->conversation = xreallocarray(k->conversation, k->conversations + 1, sizeof(*k->conversation));
	k->conversation[k->conversations++] = l;
	id = (int64_t)k->conversations;
	pthread_mutex_unlock(&k->lock);
	return id;
}

static struct logged *logged_of(struct storekeeper *k, int64_t id)
{
	struct logged *l = NULL;

	pthread_mutex_lock(&k->lock);
	if (id >= 1 && (size_t)id <= k->conversations)
		l = k->conversation[id - 1];
	pthread_mutex_unlock(&k->lock);
	return l;
}

int64_t storekeeper_row(struct storekeeper *k, int64_t conversation)
{
	struct logged *l = logged_of(k, conversation);

	return l ? l->row : 0;
}

static void remember_trouble(struct storekeeper *k, const char *what)
{
	pthread_mutex_lock(&k->lock);
	free(k->trouble);
	k->trouble = xstrdup(what);
	pthread_mutex_unlock(&k->lock);
}

char *storekeeper_trouble(struct storekeeper *k)
{
	char *t;

	pthread_mutex_lock(&k->lock);
	t = k->trouble;
	k->trouble = NULL;
	pthread_mutex_unlock(&k->lock);
	return t;
}

struct said {
	struct storekeeper *k;
	int64_t conversation;
	struct store_message m;
};

static void write_message(struct store *s, void *arg)
{
	struct said *d = arg;
	struct logged *l = logged_of(d->k, d->conversation);
	struct err e = ERR_INIT;
	int rc = 0;

	if (s && l) {
		rc = store_begin(s, &e);
		if (rc == 0 && l->row == 0)
			rc = store_conversation_add(s, l->case_id, l->customer, l->company, l->source, 0, &l->row, &e);
		d->m.conversation = l->row;
		if (rc == 0)
			rc = store_message_add(s, &d->m, &e);
		if (rc == 0)
			rc = store_commit(s, &e);
		if (rc < 0) {
			store_abandon(s);
			remember_trouble(d->k, e.msg);
		}
	}
	store_message_free(&d->m);
	free(d);
}

void storekeeper_message(struct storekeeper *k, int64_t conversation, const char *role, const char *origin,
                         const char *text, size_t len, const char *model, double latency_ms)
{
	struct said *d = xcalloc(1, sizeof(*d));

	d->k = k;
	d->conversation = conversation;
	d->m = (struct store_message){
		.role = xstrdup(role), .origin = xstrdup(origin), .content = xmemdup(text, len), .len = len,
		.model = xstrdup(model ? model : ""), .latency_ms = latency_ms, .created = store_now(),
	};
	post(k, write_message, NULL, d);
}
