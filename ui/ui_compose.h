/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ui_compose: the composer: the line being typed, its ghost, its draft. */
#ifndef ANSWERBACK_UI_COMPOSE_H
#define ANSWERBACK_UI_COMPOSE_H

#include "ui_private.h"

int compose_rows(struct ui *u, int rows, int columns);       /* 1 .. 10 */
void compose_draw(struct ui *u, int y, int rows, int columns);
void compose_mark(struct ui *u);                              /* is the line typed while private? */
void compose_changed(struct ui *u);                           /* the text may have: ghost and draft follow */
void compose_ghost(struct ui *u, const struct event *ev);
void compose_ghost_clear(struct ui *u, const char *fate);
bool compose_accept(struct ui *u, bool word);                 /* false: no ghost, or the cursor is not at the end */
void compose_another(struct ui *u);                           /* another ghost than the one shown */
bool compose_secret(const char *text, size_t n);                /* does its end look like a password? */
void compose_editor(struct ui *u);
/* ---- ui_drafts.c ---- */
/* The drafts of all open conversations, in the state folder until they are sent. */
void compose_save_draft(struct ui *u);
/* Those of programs that are gone: a conversation for each, the first in the line. */
void compose_restore_drafts(struct ui *u);
char *compose_history_file(void);

#endif
