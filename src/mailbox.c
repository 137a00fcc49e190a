/* SPDX-License-Identifier: GPL-3.0-or-later */
/* mailbox: a list under a mutex and an eventfd. */
#include "mailbox.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/mem.h"

struct mailbox {
	pthread_mutex_t lock;
	struct event *v;
	size_t first, n, cap;
	int fd;
};

struct mailbox *mailbox_new(void)
{
	struct mailbox *b = xcalloc(1, sizeof(*b));

	pthread_mutex_init(&b->lock, NULL);
	b->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return b;
}

void mailbox_free(struct mailbox *b)
{
	if (!b)
		return;
	for (size_t i = b->first; i < b->n; i++)
		event_fini(&b->v[i]);
	free(b->v);
	close(b->fd);
	pthread_mutex_destroy(&b->lock);
	free(b);
}

int mailbox_fd(const struct mailbox *b)
{
	return b->fd;
}

static bool merged(struct mailbox *b, struct event *ev)
{
	struct event *last = b->n > b->first ? &b->v[b->n - 1] : NULL;
	size_t had, more;

	if (!last || ev->kind != EVENT_TEXT || last->kind != EVENT_TEXT || last->conversation != ev->conversation)
		return false;
	had = strlen(last->text);
	more = strlen(ev->text);
	last->text = xrealloc(last->text, had + more + 1);
	memcpy(last->text + had, ev->text, more + 1);
	event_fini(ev);
	return true;
}

void mailbox_put(struct mailbox *b, struct event *ev)
{
	const uint64_t one = 1;

	pthread_mutex_lock(&b->lock);
	if (!merged(b, ev)) {
		if (b->first > 0 && b->n == b->cap) {
			memmove(b->v, b->v + b->first, (b->n - b->first) * sizeof(*b->v));
			b->n -= b->first;
			b->first = 0;
		}
		if (b->n == b->cap) {
			b->cap = b->cap ? b->cap * 2 : 32;
			b->v = xreallocarray(b->v, b->cap, sizeof(*b->v));
		}
		b->v[b->n++] = *ev;
		*ev = (struct event){ 0 };
	}
	pthread_mutex_unlock(&b->lock);
	if (write(b->fd, &one, sizeof(one)) < 0)
		return;      /* full already: it is readable */
}

bool mailbox_get(struct mailbox *b, struct event *ev)
{
	uint64_t drain;
	bool got = false;

	pthread_mutex_lock(&b->lock);
	if (b->first < b->n) {
		*ev = b->v[b->first++];
		got = true;
	}
	if (b->first == b->n) {
		b->first = b->n = 0;
		if (read(b->fd, &drain, sizeof(drain)) < 0)
			drain = 0;
	}
	pthread_mutex_unlock(&b->lock);
	return got;
}
