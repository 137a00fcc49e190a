/* SPDX-License-Identifier: GPL-3.0-or-later */
/* common_terminal: the real program in a pseudo-terminal: keys in, and what a terminal (libvterm) then shows. One at a
 * time, in a home of its own. */
#ifndef ANSWERBACK_TESTS_COMMON_TERMINAL_H
#define ANSWERBACK_TESTS_COMMON_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <vterm.h>

struct terminal {
	int fd, rows, columns;
	pid_t pid;
	VTerm *vt;
	VTermScreen *screen;
	char home[32];
	bool alternate;
};
extern struct terminal terminal;

/* Setup and teardown of a cmocka test. */
int terminal_fresh(void **state);
int terminal_gone(void **state);

/* `answerback ARGS` with a data folder in the home; before: shell words put before it ("ulimit -f 1;"), or "". */
void terminal_start(int rows, int columns, const char *term, const char *before, const char *args);
int64_t terminal_now(void);                          /* ms */
bool terminal_drain(int ms);                         /* show what comes; false: the program is gone */
void terminal_send(const char *s, size_t n);
void terminal_keys(const char *s);
void terminal_resize(int rows, int columns);
char *terminal_row(int row);                         /* caller frees */
bool terminal_shows(const char *what);               /* in one row */
void terminal_expect(const char *what);              /* waits, then fails the test and kills the program */
void terminal_expect_gone(const char *what);
int terminal_finish(void);                           /* waits for its end: the exit code, or 1000 + status */

#endif
