/* SPDX-License-Identifier: GPL-3.0-or-later */
/* why: what a reply looked at, how sure each of its words was, and which of the customer's words it hangs on. */
#ifndef ANSWERBACK_WHY_H
#define ANSWERBACK_WHY_H

#include "event.h"
#include "talk.h"

enum { WHY_SOURCES = 400 };      /* words of the conversation shown, the latest */

/* Of a turn of `role`: back 0 the last, 1 the one before. NULL: there is no such turn, or nothing before it.
 * The weights are the decoder's own: the mean over its heads, and over the pieces of a word. Importance is
 * measured for the words of the turn before (leaving each out in turn, nats). The talk is left as it was. */
struct event_why *why_reply(struct talk *t, const char *role, size_t back);

#endif
