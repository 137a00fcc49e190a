/* SPDX-License-Identifier: GPL-3.0-or-later */
/* recovery: one thread, one copy. */
#include "recovery.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "config.h"
#include "editfile.h"
#include "paths.h"

enum { SLOTS = 10 };

struct recovery {
	char *copy, *lock_path;
	int lock_fd;
	bool found, shared, thread_runs;
	time_t when;

	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t work, idle;
	struct editsnap *next;        /* guarded by lock, as are those below */
	bool stop, busy, clear;
	char *trouble;
};

/* FNV-1a: names a file, no more. */
static uint64_t hash(const char *s)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 0x100000001b3u;
	return h;
}

static char *full_path(const char *path)
{
	char *real = path ? realpath(path, NULL) : NULL, *cwd;
	struct str s = STR_INIT;

	if (real) {
		str_adds(&s, real);
		free(real);
	} else if (path) {
		cwd = *path == '/' ? NULL : getcwd(NULL, 0);
		str_addf(&s, "%s/%s", cwd ? cwd : "", path);
		free(cwd);
	}
	return str_detach(&s);
}

/* A slot that nobody else has. */
static void take_slot(struct recovery *r, const char *folder, const char *path)
{
	for (int i = 0; i < SLOTS; i++) {
		struct str s = STR_INIT;
		char *lock;
		int fd;

		if (*path)
			str_addf(&s, "%s/%016llx", folder, (unsigned long long)hash(path));
		else
			str_addf(&s, "%s/unnamed", folder);
		if (i)
			str_addf(&s, "-%d", i);
		str_adds(&s, ".lock");
		lock = str_detach(&s);
		fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0) {
			struct stat st;

			if (ftruncate(fd, 0) == 0)
				dprintf(fd, "%s\n", path);
			r->lock_fd = fd;
			r->lock_path = lock;
			str_add(&s, lock, strlen(lock) - 5);
			str_adds(&s, ".copy");
			r->copy = str_detach(&s);
			r->found = stat(r->copy, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0;
			r->when = r->found ? st.st_mtime : 0;
			return;
		}
		r->shared = r->shared || (fd >= 0 && *path);
		if (fd >= 0)
			close(fd);
		free(lock);
	}
}

static void *work(void *arg)
{
	struct recovery *r = arg;

	pthread_mutex_lock(&r->lock);
	for (;;) {
		struct editsnap *s = r->next;
		const bool clear = r->clear;
		struct err e = ERR_INIT;

		r->next = NULL;
		r->clear = false;
		if (!s && !clear) {
			r->busy = false;
			pthread_cond_broadcast(&r->idle);
			if (r->stop)
				break;
			pthread_cond_wait(&r->work, &r->lock);
			continue;
		}
		r->busy = true;
		pthread_mutex_unlock(&r->lock);
		if (s)
			editfile_put(r->copy, 0600, NULL, s, &e);
		else
			unlink(r->copy);
		editsnap_free(s);
		pthread_mutex_lock(&r->lock);
		if (e.code) {
			free(r->trouble);
			err_prefix(&e, "no recovery copy could be written");
			r->trouble = xstrdup(e.msg);
		}
	}
	pthread_mutex_unlock(&r->lock);
	return NULL;
}

struct recovery *recovery_open(const char *path, struct err *e)
{
	struct recovery *r = xcalloc(1, sizeof(*r));
	struct str s = STR_INIT;
	char *folder = NULL, *full = full_path(path);
	sigset_t all, old;

	r->lock_fd = -1;
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->work, NULL);
	pthread_cond_init(&r->idle, NULL);
	if (!config_yes(CONFIG_PRIVATE) && paths_folder(PATHS_STATE, NULL, true, &folder, e) == 0) {
		str_addf(&s, "%s/desk", folder);
		if (paths_make(s.s, e) == 0)
			take_slot(r, s.s, full);
		if (r->copy) {
			sigfillset(&all);
			pthread_sigmask(SIG_SETMASK, &all, &old);
			r->thread_runs = pthread_create(&r->thread, NULL, work, r) == 0;
			pthread_sigmask(SIG_SETMASK, &old, NULL);
		} else if (e && !e->code) {
			err_set(e, ERR_IO, "no recovery copy can be kept in %s", s.s);
		}
	}
	str_free(&s);
	free(folder);
	free(full);
	return r;
}

void recovery_close(struct recovery *r)
{
	struct stat st;

	if (r->thread_runs) {
		pthread_mutex_lock(&r->lock);
		r->stop = true;
		pthread_cond_signal(&r->work);
		pthread_mutex_unlock(&r->lock);
		pthread_join(r->thread, NULL);
	}
	if (r->lock_fd >= 0) {
		if (stat(r->copy, &st) != 0)
			unlink(r->lock_path);
		close(r->lock_fd);
	}
	editsnap_free(r->next);
	free(r->copy);
	free(r->lock_path);
	free(r->trouble);
	pthread_mutex_destroy(&r->lock);
	pthread_cond_destroy(&r->work);
	pthread_cond_destroy(&r->idle);
	free(r);
}

bool recovery_kept(const struct recovery *r)
{
	return r->thread_runs;
}

const char *recovery_found(const struct recovery *r, time_t *when)
{
	if (r->found)
		*when = r->when;
	return r->found ? r->copy : NULL;
}

bool recovery_shared(const struct recovery *r)
{
	return r->shared;
}

static void post(struct recovery *r, struct editsnap *s, bool clear)
{
	if (!r->thread_runs) {
		editsnap_free(s);
		return;
	}
	pthread_mutex_lock(&r->lock);
	editsnap_free(r->next);
	r->next = s;
	r->clear = clear;
	r->busy = true;
	pthread_cond_signal(&r->work);
	pthread_mutex_unlock(&r->lock);
}

void recovery_write(struct recovery *r, struct editsnap *s)
{
	post(r, s, false);
}

int recovery_write_now(struct recovery *r, struct editsnap *s, struct err *e)
{
	char *trouble;
	int rc = 0;

	free(recovery_trouble(r));
	post(r, s, false);
	if (r->thread_runs) {
		pthread_mutex_lock(&r->lock);
		while (r->busy)
			pthread_cond_wait(&r->idle, &r->lock);
		pthread_mutex_unlock(&r->lock);
	}
	trouble = recovery_trouble(r);
	if (!r->thread_runs)
		rc = err_set(e, ERR_IO, "no recovery copy is kept");
	else if (trouble)
		rc = err_set(e, ERR_IO, "%s", trouble);
	free(trouble);
	return rc;
}

void recovery_clear(struct recovery *r)
{
	r->found = false;
	post(r, NULL, true);
}

char *recovery_trouble(struct recovery *r)
{
	char *t;

	pthread_mutex_lock(&r->lock);
	t = r->trouble;
	r->trouble = NULL;
	pthread_mutex_unlock(&r->lock);
	return t;
}
