/* SPDX-License-Identifier: GPL-3.0-or-later */
/* mailbox: events from worker threads to one reader, with a descriptor to poll. */
#ifndef ANSWERBACK_MAILBOX_H
#define ANSWERBACK_MAILBOX_H

#include "event.h"

struct mailbox;

struct mailbox *mailbox_new(void);
void mailbox_free(struct mailbox *b);            /* and what is left in it */
int mailbox_fd(const struct mailbox *b);         /* readable while events wait */
/* Takes the event over. Any thread; never waits: a reader that falls behind gets streamed text of one
 * conversation put together. */
void mailbox_put(struct mailbox *b, struct event *ev);
bool mailbox_get(struct mailbox *b, struct event *ev);      /* false: empty; the caller frees with event_fini */

#endif
