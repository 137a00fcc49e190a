/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ui_private: what the screens share. A screen is one file: a struct screen and its functions. */
#ifndef ANSWERBACK_UI_PRIVATE_H
#define ANSWERBACK_UI_PRIVATE_H

#include <curses.h>
#include <stdint.h>
#include <time.h>

#include "app.h"
#include "event.h"
#include "input.h"
#include "term.h"
#include "text.h"
#include "ui.h"

struct message {
	char *role, *origin;
	char *text;                   /* as it was said */
	char *shown;                  /* safe to show */
	time_t when;
	struct text_line *line;       /* of shown, at `columns` */
	size_t lines;
	int columns;
	bool streaming;
};

struct suggestion {
	char *text, *origin;
	double score;
};

struct conversation {
	int64_t id;
	char *case_id, *customer;
	struct message *m;
	size_t n;
	char *draft;                  /* while another conversation is shown */
	size_t unread;
	size_t scroll;                /* lines back from the newest */
	struct suggestion suggestion[3];
	size_t suggestions;
	int taken;                    /* suggestion in the composer, -1 none */
	bool closed;
};

enum screen_id { SCREEN_CHAT, SCREEN_MENU, SCREEN_TRAINING, SCREEN_HISTORY, SCREEN_MODELS, SCREEN_WHY, SCREEN_SETTINGS, SCREEN_HELP, SCREENS };

struct ui {
	struct ui_options o;
	struct app *app;
	struct conversation *c;
	size_t n, at;
	enum screen_id screen;
	bool assist, quit, busy, dirty;
	char *model;                  /* what serves, "" while it loads */
	int64_t weights;
	char note[200];
	int64_t note_until;           /* monotonic ms */
	/* ghost text: for the draft as it is now */
	char *ghost, *ghost_draft;
	size_t ghost_first;
	bool ghost_on;
	int64_t ghost_since;
	uint64_t serial;
	int64_t draft_due;            /* when the draft is saved next; 0: saved */
	/* lists of screens */
	struct event hits, models;
	size_t pick, top;
	struct event_why *why;
	size_t why_top;
	char *asked;                  /* last search */
};

/* Keys as list screens get them. */
enum { UI_UP = 0x110000, UI_DOWN, UI_PAGE_UP, UI_PAGE_DOWN, UI_HOME, UI_END, UI_LEFT, UI_RIGHT };

struct screen {
	const char *title;
	bool typing;                  /* the composer is on it, and readline gets the keys */
	void (*open)(struct ui *u);
	void (*draw)(struct ui *u, int rows, int columns);      /* rows between title and the composer or status line */
	bool (*key)(struct ui *u, int key);                     /* list screens; false: not its key */
	void (*typed)(struct ui *u);                            /* typing screens: the text changed */
	void (*enter)(struct ui *u);
	const char *hint;
	int every;                    /* ms between redraws while it is open, 0: none */
};
extern const struct screen screen_chat, screen_menu, screen_training, screen_history, screen_models, screen_why,
	screen_settings, screen_help;
const struct screen *ui_screen(enum screen_id id);

int64_t ui_now(void);             /* monotonic ms; ANSWERBACK_CLOCK names a file that holds it in tests */
void ui_note(struct ui *u, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void ui_show(struct ui *u, enum screen_id id);
struct conversation *ui_conversation(struct ui *u);
void ui_new_conversation(struct ui *u, const char *case_id, const char *customer);
void ui_switch(struct ui *u, size_t to);
void ui_add_message(struct conversation *c, const char *role, const char *origin, const char *text, time_t when);
void ui_send(struct ui *u);
void ui_suggest(struct ui *u);
void ui_take(struct ui *u, int which);
/* A command without its slash; false: there is none of that name. */
bool ui_command(struct ui *u, const char *line);
/* Take reports of the mouse out of what was read (n of size bytes); returns what is left. */
size_t mouse_take(struct ui *u, char *buf, size_t n, size_t size);
void ui_set(struct ui *u, const char *rest);      /* /set NAME VALUE: into the file of settings */
struct command {
	const char *name, *args, *what, *key;
	bool in_menu;
};
extern const struct command ui_commands[];      /* name NULL at the end */

/* ---- drawing ---- */
void draw_text(int y, int x, int columns, const char *s, size_t n, enum term_style style);
void draw_line(int y, int x, int columns, enum term_style style, const char *fmt, ...) __attribute__((format(printf, 5, 6)));
void draw_rule(int y, int columns, const char *label);
void draw_list_bounds(struct ui *u, size_t n, int rows);      /* keep pick in view */
void draw_history_hint(struct ui *u);

#endif
