/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pool: a fixed set of worker threads that run numbered tasks.
 *
 * pool_run returns when all tasks are done; which thread ran which task is left open, so
 * tasks must not care (sums are formed afterwards, in task order). The caller's thread works
 * too, so a pool of one has no threads at all. Idle workers sleep. One caller at a time. */
#ifndef ANSWERBACK_POOL_H
#define ANSWERBACK_POOL_H

#include <stddef.h>

struct pool;

struct pool *pool_new(size_t threads);      /* threads >= 1, the caller included */
void pool_free(struct pool *p);             /* NULL is fine; joins */
size_t pool_threads(const struct pool *p);
void pool_run(struct pool *p, size_t tasks, void (*fn)(size_t task, void *arg), void *arg);
/* Lowest scheduling priority (SCHED_IDLE) for the workers; the caller sets its own. */
void pool_set_idle_priority(struct pool *p);

#endif
