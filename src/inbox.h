/* SPDX-License-Identifier: GPL-3.0-or-later */
/* inbox: customers' messages from a file that grows, or a FIFO, one a line: plain text, or
 * {"text": "...", "case": "...", "customer": "..."}. Each becomes an EVENT_INBOX (text, more: the case,
 * word: the customer). */
#ifndef ANSWERBACK_INBOX_H
#define ANSWERBACK_INBOX_H

#include "base/err.h"
#include "mailbox.h"

struct inbox;

int inbox_start(struct inbox **out, const char *path, struct mailbox *box, struct err *e);
void inbox_stop(struct inbox *in);       /* NULL is fine */

#endif
