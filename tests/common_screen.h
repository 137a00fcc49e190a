/* SPDX-License-Identifier: GPL-3.0-or-later */
/* common_screen: the real program in a real pseudo-terminal, and a terminal (libvterm) that shows what it writes. One at a
 * time; each test has a home folder of its own. $ANSWERBACK names the program (default ./answerback). */
#ifndef ANSWERBACK_TESTS_COMMON_SCREEN_H
#define ANSWERBACK_TESTS_COMMON_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <vterm.h>

#include "base/str.h"

struct screen_state {
	int fd, rows, columns;
	pid_t pid;
	VTerm *vt;
	VTermScreen *cells;
	char home[40];
	bool alternate;               /* the program has the other screen */
	int mouse;                    /* what it asked the terminal to report of it */
	bool record;                  /* what it writes is kept in raw, too */
	struct str raw;
};
extern struct screen_state screen;

int screen_fresh(void **state);                  /* cmocka's setup: a new home */
int screen_gone(void **state);                   /* and teardown */
/* In the environment of the programs started from now on in this test; value NULL: not there. */
void screen_env(const char *name, const char *value);
void screen_start(int rows, int columns, const char *term, const char *args);      /* answerback chat ARGS */
void screen_resize(int rows, int columns);
/* Everything written within ms goes to the terminal. False: the program is gone. */
bool screen_drain(int ms);
void screen_settle(int ms);                      /* until nothing has been written for ms */
void screen_send(const char *s, size_t n);
void screen_keys(const char *s);
char *screen_row(int row);                       /* without trailing spaces; caller frees */
char *screen_text(void);
bool screen_shows(const char *what);
void screen_expect(const char *what);            /* within 20 s, else the test fails */
void screen_expect_gone(const char *what);
int screen_finish(void);                         /* wait for its end: exit code, or 1000 + status */
void screen_quit(void);
int64_t screen_now(void);                        /* monotonic ms */
double screen_now_us(void);
/* Run the program with other arguments to its end, input from a string; asserts success. */
void screen_command(const char *args, const char *input);
void screen_file(const char *name, const char *text);      /* in the home folder */

#endif
