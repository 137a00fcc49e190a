/* SPDX-License-Identifier: GPL-3.0-or-later */
/* storekeeper: a queue of jobs and the thread that runs them. */
#include "storekeeper.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config.h"
#include "storekeeper_private.h"
#include "store_forget.h"

struct job {
	struct job *next;
	void (*run)(struct store *s, void *arg);
	void (*drop)(void *arg);      /* not NULL: a search */
	void *arg;
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
	struct storekeeper *k = xcalloc(1, sizeof(*k));
	sigset_t all, old;
	int rc = 0;

	*out = NULL;
	if (!config_yes(CONFIG_PRIVATE))
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
	k->last_waiting = &k->waiting;
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
	storekeeper_log_end(k);
	pthread_mutex_lock(&k->lock);
	k->stop = true;
	pthread_cond_broadcast(&k->work);
	pthread_mutex_unlock(&k->lock);
	pthread_join(k->thread, NULL);
	storekeeper_log_free(k);
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

void storekeeper_put(struct storekeeper *k, void (*run)(struct store *s, void *arg), void (*drop)(void *arg), void *arg)
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
	storekeeper_put(k, run, NULL, arg);
}

void storekeeper_search(struct storekeeper *k, void (*run)(struct store *s, void *arg), void (*drop)(void *arg), void *arg)
{
	storekeeper_put(k, run, drop, arg);
}

void storekeeper_flush(struct storekeeper *k)
{
	pthread_mutex_lock(&k->lock);
	while (k->first || k->busy)
		pthread_cond_wait(&k->idle, &k->lock);
	pthread_mutex_unlock(&k->lock);
}
