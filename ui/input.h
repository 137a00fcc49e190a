/* SPDX-License-Identifier: GPL-3.0-or-later */
/* input: the line being typed, edited by readline, fed with bytes by the main loop. The only file that
 * knows readline. */
#ifndef ANSWERBACK_UI_INPUT_H
#define ANSWERBACK_UI_INPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "keys.h"

/* Called for every key of the table. True: handled; false: readline does what it usually does. */
typedef bool input_handler(enum key_action action, void *arg);

/* commands: names for completion after '/', NULL-terminated. history: file kept across starts, or NULL. */
void input_open(input_handler *handler, void *arg, const char *const *commands, const char *history);
void input_close(void);
/* Bytes from the terminal. Bracketed pastes, whole or split anywhere, become one edit. */
void input_feed(const char *bytes, size_t n);
/* A part of a paste is still on its way. */
bool input_pasting(void);

const char *input_text(void);
size_t input_length(void);
size_t input_cursor(void);               /* in bytes */
void input_set(const char *text);        /* one edit; the cursor at its end */
void input_insert(const char *text);     /* one undo step, at the cursor */
void input_clear(void);
void input_remember(const char *text);   /* into the history */
void input_newline(void);
void input_undo(void);
bool input_previous(void);               /* history; false: there is none */
bool input_next(void);
/* Move by a visual line inside a text of several lines; false: there is no such line. */
bool input_line_up(void);
bool input_line_down(void);
void input_complete(void);               /* a /command */
const char *input_mode(void);            /* "" emacs, "ins" or "cmd" of vi */
bool input_searching(void);              /* C-r is on: its prompt is input_prompt */
const char *input_prompt(void);

#endif
