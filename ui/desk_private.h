/* SPDX-License-Identifier: GPL-3.0-or-later */
/* desk_private: what the files of the writing desk share. */
#ifndef ANSWERBACK_UI_DESK_PRIVATE_H
#define ANSWERBACK_UI_DESK_PRIVATE_H

#include <stdint.h>

#include "app.h"
#include "base/str.h"
#include "desk.h"
#include "desk_keys.h"
#include "edit.h"
#include "editfile.h"
#include "editfind.h"
#include "recovery.h"
#include "spell.h"
#include "wrap.h"

/* A question on the bottom line. */
struct prompt {
	char label[160];
	const char *choices;      /* one key of these answers; NULL: a text does */
	struct str text;
	size_t at;                /* the cursor in it */
	/* key: the choice, '\r' for a text, 0 when it was called off */
	void (*done)(struct desk *d, int key);
};

struct desk {
	struct desk_host host;
	struct edit *doc;
	struct wrap *wrap;
	struct editfile file;
	struct recovery *copy;
	struct spell *spell;
	size_t cursor, top;       /* top: the first row shown */
	size_t mark;              /* SIZE_MAX: nothing is marked */
	int goal;                 /* the column that Up and Down keep to; -1: where the cursor is */
	int rows, columns;        /* of the text */
	struct str clip;
	bool cutting;             /* the last key cut or copied: the next one adds to it */
	bool dos;                 /* lines end with CR and newline */
	bool fresh;               /* the file was empty or not there: it will end with a newline */
	bool dirty, quit, saved;
	enum desk_end end;
	char note[300];
	int64_t note_until;
	char later[300];          /* what the application has to say, when the note has been read */
	bool help;
	size_t help_top;

	/* keys: bytes of a sequence that is not whole yet; a paste that is on its way */
	struct str pending, paste;
	bool pasting;

	bool asking;
	struct prompt ask;
	/* search and replace */
	char *sought, *with;
	struct editfind find;
	bool replacing;           /* the match is shown at the cursor, of match bytes */
	size_t match, stop;       /* stop: where the second round ends */
	bool second_round;

	bool leaving;             /* C-x: close when it is saved */
	char *saving_as;

	/* ghost text */
	int64_t conversation;
	bool ghost_on, ready;
	char *ghost;
	int64_t ghost_since;
	uint64_t serial, asked_version;
	size_t asked_at;
	bool typed;               /* the last key typed or erased */
	struct str page;

	uint64_t copied_version;  /* what the recovery copy holds */
	int64_t copy_due;
	bool told_changed;
	uint64_t *known;          /* hashes of the paragraphs that were there at the beginning, sorted */
	size_t n_known;
};

/* desk.c */
void desk_note(struct desk *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int64_t desk_now(void);
const struct editbuf *desk_text(const struct desk *d);

/* desk_input.c: bytes become actions */
void desk_feed(struct desk *d, const char *bytes, size_t n);
void desk_help_draw(struct desk *d, int rows, int columns);

/* desk_edit.c */
void desk_do(struct desk *d, enum desk_action a);
void desk_typed(struct desk *d, const char *bytes, size_t n);        /* one character */
void desk_pasted(struct desk *d, const char *bytes, size_t n);       /* one edit, whatever its size */
void desk_move(struct desk *d, size_t to);                           /* the cursor; what is shown follows */
bool desk_selection(const struct desk *d, size_t *from, size_t *to);

/* desk_draw.c */
void desk_draw(struct desk *d);

/* desk_prompt.c */
void desk_ask(struct desk *d, const char *initial, void (*done)(struct desk *d, int key), const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void desk_choose(struct desk *d, const char *choices, void (*done)(struct desk *d, int key), const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* A key while a question is on: an action, or a character (a = DESK_ACTIONS). */
void desk_answer(struct desk *d, enum desk_action a, const char *bytes, size_t n);

/* desk_find.c */
void desk_search(struct desk *d);
void desk_replace(struct desk *d);
void desk_next(struct desk *d, bool back);
void desk_go_to(struct desk *d);
void desk_position(struct desk *d);

/* desk_file.c */
void desk_write_out(struct desk *d, bool ask);
void desk_exit(struct desk *d);
void desk_read_file(struct desk *d);
void desk_editor(struct desk *d);
void desk_offer_copy(struct desk *d);                /* of an earlier run, if there is one */
void desk_keep_copy(struct desk *d, bool now);
void desk_tick(struct desk *d);                      /* is a copy due, has the file changed? */

/* desk_ghost.c */
void desk_ghost_typed(struct desk *d, const char *bytes, size_t n);  /* before they go in: do they use it up? */
void desk_ghost_clear(struct desk *d, const char *fate);
void desk_ghost_update(struct desk *d);              /* after keys: is one wanted? */
void desk_ghost_event(struct desk *d, const struct event *ev);
bool desk_ghost_accept(struct desk *d, bool word);
void desk_learn_begin(struct desk *d);
void desk_learn_end(struct desk *d);

#endif
