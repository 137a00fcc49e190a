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

/* commands: names for completion after '/', NULL-terminated. history: file kept across starts, or NULL; several programs may
 * have it open. */
void input_open(input_handler *handler, void *arg, const char *const *commands, const char *history);
void input_close(void);
/* Bytes from the terminal. Bracketed pastes, whole or split anywhere, become one edit. Returns how many were taken: all,
 * unless a handler called input_stop. */
size_t input_feed(const char *bytes, size_t n);
/* What follows the key at hand is not for the line. */
void input_stop(void);
/* Names completed after "/canned "; they live as long as they are set. NULL: none. */
void input_set_names(const char *const *names);
/* A part of a paste is still on its way. */
bool input_pasting(void);

const char *input_text(void);
size_t input_length(void);
size_t input_cursor(void);               /* in bytes */
void input_move(size_t at);              /* the cursor, to a byte */
void input_delete(size_t at, size_t n);  /* one undo step; the cursor there */
void input_set(const char *text);        /* one edit; the cursor at its end */
void input_insert(const char *text);     /* one undo step, at the cursor */
void input_clear(void);
void input_remember(const char *text);   /* into the history */
/* Write what is remembered to the file, or for now not. */
void input_keep(bool keep);
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
