/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ui: the screen. ui_run takes the terminal until the person quits. */
#ifndef ANSWERBACK_UI_H
#define ANSWERBACK_UI_H

#include <stdbool.h>

#include "base/err.h"

struct ui_options {
	const char *model, *company, *send_command, *inbox, *train_log;
	bool assist;
};

enum { UI_NO_SCREEN = 1 };      /* this terminal can hold none: use lines */

/* 0, UI_NO_SCREEN, or an error. */
int ui_run(const struct ui_options *o, struct err *e);

#endif
