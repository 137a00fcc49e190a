/* SPDX-License-Identifier: GPL-3.0-or-later */
/* desk: the writing desk, a full-screen editor of plain text with ghost text, in nano's habits. One document at a time.
 *
 *     if (desk_new(&d, path, &e) < 0) ...                // reads the file; no terminal needed yet
 *     switch (desk_run(d, &host)) ...                    // the terminal is open (term.h)
 *     desk_free(d);
 */
#ifndef ANSWERBACK_UI_DESK_H
#define ANSWERBACK_UI_DESK_H

#include <stdbool.h>

#include "base/err.h"

struct app;
struct event;
struct desk;

struct desk_host {
	struct app *app;
	bool ready;               /* a model serves already (else EVENT_READY will say so) */
	/* Events that are not the desk's; the callee frees them. NULL: nobody wants them. */
	void (*event)(struct event *ev, void *arg);
	void *arg;
};

enum desk_end {
	DESK_CLOSED,
	DESK_SAVED,               /* closed, and the file was written at least once */
	DESK_STOPPED              /* by a signal, or the terminal is gone: a recovery copy holds what was not saved */
};

/* path NULL: a document without a name yet. */
int desk_new(struct desk **out, const char *path, struct err *e);
enum desk_end desk_run(struct desk *d, const struct desk_host *host);
void desk_free(struct desk *d);

/* `answerback write [FILE]`: terminal, application and desk. 0, DESK_NO_SCREEN, or an error. */
struct desk_options {
	const char *path, *model, *company;
};
enum { DESK_NO_SCREEN = 1 };
int desk_main(const struct desk_options *o, struct err *e);

#endif
