/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pool: worker threads under one mutex; tasks are large (milliseconds), so a lock a task
 * costs nothing and sleeping beats spinning when a core is shared. */
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>

#include "../src/base/mem.h"
#include "pool.h"

struct pool {
	pthread_mutex_t mu;
	pthread_cond_t work, done;
	void (*fn)(size_t, void *);   /* guarded by mu, like all below */
	void *arg;
	size_t next, tasks, running;
	bool quit;
	size_t n;                     /* threads besides the caller's */
	pthread_t *threads;
};

/* Take tasks until none is left; called and returns with mu held. */
static void take_tasks(struct pool *p)
{
	while (p->next < p->tasks) {
		size_t task = p->next++;
		void (*fn)(size_t, void *) = p->fn;
		void *arg = p->arg;

		p->running++;
		pthread_mutex_unlock(&p->mu);
		fn(task, arg);
		pthread_mutex_lock(&p->mu);
		p->running--;
	}
	if (p->running == 0)
		pthread_cond_broadcast(&p->done);
}

static void *worker(void *arg)
{
	struct pool *p = arg;

	pthread_mutex_lock(&p->mu);
	while (!p->quit) {
		take_tasks(p);
		if (!p->quit && p->next >= p->tasks)
			pthread_cond_wait(&p->work, &p->mu);
	}
	pthread_mutex_unlock(&p->mu);
	return NULL;
}

struct pool *pool_new(size_t threads)
{
	struct pool *p = xcalloc(1, sizeof(*p));

	pthread_mutex_init(&p->mu, NULL);
	pthread_cond_init(&p->work, NULL);
	pthread_cond_init(&p->done, NULL);
	p->threads = xcalloc(threads, sizeof(*p->threads));
	/* fewer threads than asked for is slower, not wrong */
	for (size_t i = 0; i + 1 < threads; i++) {
		if (pthread_create(&p->threads[p->n], NULL, worker, p) != 0)
			break;
		p->n++;
	}
	return p;
}

void pool_free(struct pool *p)
{
	if (!p)
		return;
	pthread_mutex_lock(&p->mu);
	p->quit = true;
	pthread_cond_broadcast(&p->work);
	pthread_mutex_unlock(&p->mu);
	for (size_t i = 0; i < p->n; i++)
		pthread_join(p->threads[i], NULL);
	pthread_mutex_destroy(&p->mu);
	pthread_cond_destroy(&p->work);
	pthread_cond_destroy(&p->done);
	free(p->threads);
	free(p);
}

size_t pool_threads(const struct pool *p)
{
	return p->n + 1;
}

void pool_run(struct pool *p, size_t tasks, void (*fn)(size_t, void *), void *arg)
{
	pthread_mutex_lock(&p->mu);
	p->fn = fn;
	p->arg = arg;
	p->next = 0;
	p->tasks = tasks;
	if (p->n > 0 && tasks > 1)
		pthread_cond_broadcast(&p->work);
	take_tasks(p);
	while (p->running > 0)
		pthread_cond_wait(&p->done, &p->mu);
	pthread_mutex_unlock(&p->mu);
}

void pool_set_idle_priority(struct pool *p)
{
	struct sched_param sp = { 0 };

	/* refused: the threads keep their priority, nothing else changes */
	for (size_t i = 0; i < p->n; i++)
		pthread_setschedparam(p->threads[i], SCHED_IDLE, &sp);
}
