/* SPDX-License-Identifier: GPL-3.0-or-later */
/* schedule: the thread. */
#include "schedule.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "config.h"
#include "retrain.h"

struct schedule {
	struct mailbox *box;
	double seconds;
	pthread_t thread;
	pthread_mutex_t mu;
	pthread_cond_t wake;
	bool stop;                    /* guarded by mu */
};

static void *run(void *arg)
{
	struct schedule *s = arg;
	struct timespec until;
	bool told = false;

	pthread_mutex_lock(&s->mu);
	while (!s->stop) {
		bool due = false;

		pthread_mutex_unlock(&s->mu);
		retrain_scheduled(NULL, &due, NULL);
		/* once for each time: what becomes of it is the run's own business */
		if (due && !told) {
			struct event ev = { .kind = EVENT_DUE };

			mailbox_put(s->box, &ev);
		}
		told = due;
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec += (time_t)s->seconds;
		until.tv_nsec += (long)(1e9 * (s->seconds - (double)(time_t)s->seconds));
		if (until.tv_nsec >= 1000000000) {
			until.tv_sec++;
			until.tv_nsec -= 1000000000;
		}
		pthread_mutex_lock(&s->mu);
		if (!s->stop)
			pthread_cond_timedwait(&s->wake, &s->mu, &until);
	}
	pthread_mutex_unlock(&s->mu);
	return NULL;
}

struct schedule *schedule_start(struct mailbox *box, double seconds)
{
	struct schedule *s;
	sigset_t all, old;

	if (config_next(CONFIG_RETRAIN_AT, time(NULL)) == 0)
		return NULL;
	s = xcalloc(1, sizeof(*s));
	s->box = box;
	s->seconds = seconds;
	pthread_mutex_init(&s->mu, NULL);
	pthread_cond_init(&s->wake, NULL);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	if (pthread_create(&s->thread, NULL, run, s) != 0) {
		free(s);
		s = NULL;
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return s;
}

void schedule_stop(struct schedule *s)
{
	if (!s)
		return;
	pthread_mutex_lock(&s->mu);
	s->stop = true;
	pthread_cond_signal(&s->wake);
	pthread_mutex_unlock(&s->mu);
	pthread_join(s->thread, NULL);
	pthread_cond_destroy(&s->wake);
	pthread_mutex_destroy(&s->mu);
	free(s);
}
