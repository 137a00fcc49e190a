/* SPDX-License-Identifier: GPL-3.0-or-later */
/* term: the terminal taken over and given back, whatever happens. */
#ifndef ANSWERBACK_UI_TERM_H
#define ANSWERBACK_UI_TERM_H

#include <stdbool.h>
#include <stdint.h>

enum term_style { STYLE_PLAIN, STYLE_DIM, STYLE_BOLD, STYLE_TITLE, STYLE_USER, STYLE_AGENT, STYLE_WARN, STYLE_GOOD, STYLE_PICK, STYLE_GHOST,
	STYLE_MISSPELT, STYLES };

/* false: this terminal cannot hold a screen (dumb). */
bool term_open(void);
/* Take the settings ascii (no line drawing, no Unicode of our own), color and mouse anew. */
void term_settings(void);
bool term_mouse(void);      /* the terminal reports its mouse */
void term_close(void);
bool term_ascii(void);
/* Readable after SIGWINCH ('w'), SIGCONT ('c'), SIGTERM or SIGHUP ('t'): read one byte. */
int term_signals(void);
void term_resized(void);
/* Stop as C-z does, and come back. */
void term_suspend(void);
/* Give the terminal to a child and take it again. */
void term_leave(void);
void term_return(void);
/* Text that nobody has typed never looks like typed text: 0 for STYLE_GHOST says that this terminal has no way to show it. */
unsigned long term_attr(enum term_style style);
/* Write bytes straight to the terminal (OSC 52). */
void term_raw(const char *bytes, unsigned long n);

#endif
