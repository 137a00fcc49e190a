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

enum { MOST_SUGGESTIONS = 3 };

struct suggestion {
	char *text, *origin;          /* "model", "memory", "canned" */
	char *name;                   /* of a canned one, "" */
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
	struct suggestion suggestion[MOST_SUGGESTIONS];
	size_t suggestions;
	int taken;                    /* suggestion in the composer, -1 none */
	char *basis;                  /* what was put into the composer for the person, NULL: nothing */
	const char *basis_origin;     /* "suggested", "canned", or "typed" without a basis */
	bool closed;
	size_t unkept;                /* messages up to the last that was said while private */
	bool unkept_draft;            /* so was the draft */
};

enum screen_id {
	SCREEN_CHAT, SCREEN_MENU, SCREEN_TRAINING, SCREEN_REVIEW, SCREEN_REVIEW_EDIT, SCREEN_HISTORY, SCREEN_MODELS, SCREEN_WHY, SCREEN_SETTINGS,
	SCREEN_HELP, SCREEN_CANNED, SCREEN_CASES, SCREEN_COMPARE, SCREENS
};

struct ui {
	struct ui_options o;
	struct app *app;
	struct conversation *c;
	size_t n, at;
	enum screen_id screen;
	bool assist, quit, busy, dirty;
	int64_t quit_until;           /* quitting again before this needs no question */
	char *model;                  /* what serves, "" while it loads */
	int64_t weights;
	char note[200];
	int64_t note_until;           /* monotonic ms */
	/* ghost text: for the draft as it is now */
	char *ghost, *ghost_draft;
	size_t ghost_first;
	bool ghost_on;
	int64_t ghost_since;
	uint64_t serial, another;     /* another: the request that a key made; 0 none */
	uint64_t line_hash;           /* of what was typed when it was last looked at */
	int64_t draft_due;            /* when the draft is saved next; 0: saved */
	/* lists of screens */
	struct event hits, models, review, canned, compared, trained;
	const char **canned_names;    /* for completion; point into canned */
	size_t decided;               /* in this review */
	double training;              /* share done of the retrain that runs */
	char training_said[160];
	bool paused;                  /* the retrain */
	bool again;                   /* a screen has more to draw at once */
	size_t pick, top;
	struct event_why *why;
	size_t why_back;              /* how many replies back it is */
	int64_t why_source;           /* the source word looked at; -1: the one most looked at */
	char *asked;                  /* last search */
	/* an open {field}: what is typed at field_at takes its place; field_len 0: none. field_text: the line's length then */
	size_t field_at, field_len, field_text;
	/* bytes that are not whole keys yet */
	bool paste, prefix;
	size_t mark;                  /* bytes of a paste's mark seen */
	char seq[24];                 /* an escape sequence on a list */
	size_t seq_n;
	bool sure;                    /* a dangerous key was pressed once */
};

/* Keys as list screens get them. */
enum { UI_UP = 0x110000, UI_DOWN, UI_PAGE_UP, UI_PAGE_DOWN, UI_HOME, UI_END, UI_LEFT, UI_RIGHT };

struct screen {
	const char *title;
	bool typing;                  /* the composer is on it, and readline gets the keys */
	bool own_line;                /* with typing: the line is the screen's own, the draft waits */
	enum screen_id back;          /* where leaving it leads; the chat when not said */
	void (*open)(struct ui *u);
	void (*draw)(struct ui *u, int rows, int columns);      /* rows between title and the composer or status line */
	bool (*key)(struct ui *u, int key);                     /* list screens; false: not its key */
	void (*typed)(struct ui *u);                            /* typing screens: the text changed */
	void (*enter)(struct ui *u);
	const char *hint;
	int every;                    /* ms between redraws while it is open, 0: none */
};
extern const struct screen screen_chat, screen_menu, screen_training, screen_history, screen_models, screen_why,
	screen_settings, screen_help, screen_review, screen_review_edit, screen_canned, screen_cases, screen_compare;
const struct screen *ui_screen(enum screen_id id);

int64_t ui_now(void);             /* monotonic ms; ANSWERBACK_CLOCK names a file that holds it in tests */
void ui_quit(struct ui *u);      /* asks first when that would interrupt a retraining */
time_t ui_time(void);             /* of the day; in tests from the same file, as if it were ms since 1970 */
void ui_note(struct ui *u, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void ui_show(struct ui *u, enum screen_id id);
struct conversation *ui_conversation(struct ui *u);
void ui_new_conversation(struct ui *u, const char *case_id, const char *customer);
void ui_switch(struct ui *u, size_t to);
char *ui_shown(const char *text);                   /* safe to show, of a very long one its ends */
void ui_add_message(struct conversation *c, const char *role, const char *origin, const char *text, time_t when);
void ui_said(struct ui *u, struct conversation *c);      /* its last message was said just now */
void ui_go(struct ui *u, int by);                  /* to the next open conversation, or the previous */
/* ---- ui_send.c ---- */
void ui_send(struct ui *u);
void ui_customer_typed(struct ui *u);              /* the line is the customer's */
void ui_customer_said(struct ui *u, const char *text);
void ui_suggest(struct ui *u);
void ui_take(struct ui *u, int which);
/* said: the person had their chance at them, and `taken` (-1 none) is what they took. */
void ui_drop_suggestions(struct ui *u, struct conversation *c, bool said, int taken, bool edited);
void ui_forget_basis(struct conversation *c);
void ui_insert_canned(struct ui *u, size_t which);
bool ui_insert_canned_named(struct ui *u, const char *name);      /* or the beginning of one name only */
void ui_field_typed(struct ui *u);                 /* the line may have changed at an open {field} */
void ui_canned_came(struct ui *u);
/* ---- ui_events.c, ui_keys.c ---- */
void ui_event(struct ui *u, struct event *ev);
bool ui_action(enum key_action a, void *u);        /* what readline's keys do here */
bool ui_read_keys(struct ui *u);                   /* false: the terminal is gone */
int ui_keys_wait(const struct ui *u);              /* ms until ui_keys_waited is wanted, -1: not */
void ui_keys_waited(struct ui *u);
void ui_write(struct ui *u, const char *path);       /* the writing desk, until it is closed; path "": no name yet */
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
void draw_fill(int y, int columns, enum term_style style);      /* a whole row of it */
void draw_rule(int y, int columns, const char *label);
void draw_list_bounds(struct ui *u, size_t n, int rows);      /* keep pick in view */
/* A rule at y and text wrapped under it. */
void draw_detail(int y, int rows, int columns, const char *text);
/* `marked` as worddiff.h marks it: [-cut-] and {+new+}, in colour where there is one. Skips `skip` lines, draws at most
 * `rows`; returns how many lines it has. */
int draw_marked(int y, int x, int rows, int columns, const char *marked, int skip);
/* Text wrapped; the same way. Newlines in it break lines. */
int draw_wrapped(int y, int x, int rows, int columns, const char *text, enum term_style style, int skip);

#endif
