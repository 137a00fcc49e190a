/* SPDX-License-Identifier: GPL-3.0-or-later */
/* schedule: a thread that sleeps until the setting retrain_at asks for a retraining, and then says so (EVENT_DUE). It
 * looks now and then, so that a machine that slept, or a clock that was set, does not matter. Starts nothing itself. */
#ifndef ANSWERBACK_SCHEDULE_H
#define ANSWERBACK_SCHEDULE_H

#include "mailbox.h"

struct schedule;

/* NULL: no schedule is set. seconds: between looks. */
struct schedule *schedule_start(struct mailbox *box, double seconds);
void schedule_stop(struct schedule *s);     /* NULL is fine */

#endif
