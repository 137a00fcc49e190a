/* SPDX-License-Identifier: GPL-3.0-or-later */
/* inbox: a thread that waits for lines. */
#include "inbox.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"

enum { LONGEST = 1 << 20 };

struct inbox {
	struct mailbox *box;
	char *path;
	int fd, watch, stop;
	bool fifo;
	struct str line;
	pthread_t thread;
};

static void deliver(struct inbox *in)
{
	struct event ev = { .kind = EVENT_INBOX };
	json_t *o = in->line.len && in->line.s[0] == '{' ? json_loadb(in->line.s, in->line.len, 0, NULL) : NULL;
	const char *text = json_string_value(json_object_get(o, "text"));
	const char *id = json_string_value(json_object_get(o, "case")), *who = json_string_value(json_object_get(o, "customer"));

	if (in->line.len > 0 && (!o || text)) {
		ev.text = xstrdup(text ? text : in->line.s);
		ev.more = xstrdup(id ? id : "");
		ev.word = xstrdup(who ? who : "");
		mailbox_put(in->box, &ev);
	} else if (in->line.len > 0) {
		ev.kind = EVENT_NOTE;
		ev.text = xstrdup("a line of the inbox has no \"text\": left out");
		mailbox_put(in->box, &ev);
	}
	json_decref(o);
	str_reset(&in->line);
}

static void take(struct inbox *in)
{
	char buf[4096];
	ssize_t n;

	while ((n = read(in->fd, buf, sizeof(buf))) > 0) {
		for (ssize_t i = 0; i < n; i++) {
			if (buf[i] == '\n')
				deliver(in);
			else if (in->line.len < LONGEST && buf[i] != '\r' && buf[i] != '\0')
				str_addc(&in->line, buf[i]);
		}
	}
}

static void *watch(void *arg)
{
	struct inbox *in = arg;
	char drain[4096];

	take(in);
	for (;;) {
		struct pollfd p[2] = { { in->stop, POLLIN, 0 }, { in->fifo ? in->fd : in->watch, POLLIN, 0 } };

		if (poll(p, 2, -1) < 0 && errno != EINTR)
			break;
		if (p[0].revents)
			break;
		if (!in->fifo && (p[1].revents & POLLIN) && read(in->watch, drain, sizeof(drain)) < 0 && errno != EAGAIN)
			break;
		take(in);
	}
	return NULL;
}

int inbox_start(struct inbox **out, const char *path, struct mailbox *box, struct err *e)
{
	struct inbox *in = xcalloc(1, sizeof(*in));
	struct stat st;
	sigset_t all, old;
	int rc = 0;

	*out = NULL;
	in->box = box;
	in->path = xstrdup(path);
	in->line = (struct str)STR_INIT;
	in->watch = -1;
	in->stop = eventfd(0, EFD_CLOEXEC);
	/* a FIFO opened for writing too never ends when its writer does */
	in->fifo = stat(path, &st) == 0 && S_ISFIFO(st.st_mode);
	in->fd = open(path, (in->fifo ? O_RDWR : O_RDONLY | O_CREAT) | O_NONBLOCK | O_CLOEXEC, 0600);
	if (in->fd < 0)
		rc = err_set(e, ERR_IO, "the inbox %s cannot be read: %m", path);
	if (rc == 0 && !in->fifo) {
		in->watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
		if (in->watch < 0 || inotify_add_watch(in->watch, path, IN_MODIFY) < 0)
			rc = err_set(e, ERR_IO, "the inbox %s cannot be watched: %m", path);
		else
			lseek(in->fd, 0, SEEK_END);      /* what came before this run has been seen */
	}
	if (rc == 0) {
		sigfillset(&all);
		pthread_sigmask(SIG_SETMASK, &all, &old);
		if (pthread_create(&in->thread, NULL, watch, in) != 0)
			rc = err_set(e, ERR_IO, "no thread could be started");
		pthread_sigmask(SIG_SETMASK, &old, NULL);
	}
	if (rc == 0) {
		*out = in;
		return 0;
	}
	if (in->fd >= 0)
		close(in->fd);
	if (in->watch >= 0)
		close(in->watch);
	close(in->stop);
	free(in->path);
	free(in);
	return rc;
}

void inbox_stop(struct inbox *in)
{
	const uint64_t one = 1;

	if (!in)
		return;
	if (write(in->stop, &one, sizeof(one)) == sizeof(one))
		pthread_join(in->thread, NULL);
	close(in->fd);
	if (in->watch >= 0)
		close(in->watch);
	close(in->stop);
	str_free(&in->line);
	free(in->path);
	free(in);
}
