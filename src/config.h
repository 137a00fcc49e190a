/* SPDX-License-Identifier: GPL-3.0-or-later */
/* config: the settings: one table, and for each the value and where it came from.
 *
 *     flag (--company, --setting NAME=VALUE)  >  environment (ANSWERBACK_NAME)  >  file  >  default
 *
 * The file is INI: --config FILE, else $ANSWERBACK_CONFIG, else config.ini in the config folder (paths.h).
 * `NAME = VALUE` lines, before any section or in [answerback]; a line that begins with # or ; is a comment.
 *
 *     struct err e = ERR_INIT;
 *     if (config_load(&e) < 0)                       // once, at the start; cli.c does it for every command
 *         return cli_failed(&e);
 *     const char *company = config_text(CONFIG_COMPANY);      // NULL: not set
 *     long days = config_number(CONFIG_RETENTION_DAYS);       // in its range, always
 *     if (config_yes(CONFIG_TRUST_EDITS)) ...
 *
 * Settings are the process's, and may be read from every thread at any time, without config_load too (then
 * there is no file). Texts handed out live as long as the program. A new setting is one line of CONFIG_SETTINGS;
 * a test asks for it in man/answerback.5. */
#ifndef ANSWERBACK_CONFIG_H
#define ANSWERBACK_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "base/err.h"

enum config_kind {
	CONFIG_KIND_TEXT,         /* one line; empty is not set */
	CONFIG_KIND_FILE,         /* the same, with ~/ for the home folder */
	CONFIG_KIND_YES_NO,
	CONFIG_KIND_NUMBER,       /* whole, from min to max */
	CONFIG_KIND_CHOICE,       /* one of `values`, which has | between them */
	CONFIG_KIND_SCHEDULE      /* off, daily HH:MM, or mon .. sun HH:MM */
};

/* X(identifier, name, kind, values, min, max, default, help) */
#define CONFIG_SETTINGS(X) \
	X(COMPANY, "company", TEXT, NULL, 0, 0, "", "what the company is called; replies name it") \
	X(MODEL, "model", FILE, NULL, 0, 0, "", "model file to use instead of the shipped one and its versions") \
	X(DATA_DIR, "data_dir", FILE, NULL, 0, 0, "", "folder that everything is kept in") \
	X(PRIVATE, "private", YES_NO, NULL, 0, 0, "no", "keep nothing of what is said") \
	X(RETENTION_DAYS, "retention_days", NUMBER, NULL, 0, 36500, "0", "days that conversations are kept; 0: for ever") \
	X(SEND_COMMAND, "send_command", TEXT, NULL, 0, 0, "", "gets each sent reply on its standard input") \
	X(INBOX, "inbox", FILE, NULL, 0, 0, "", "customers' messages arrive here (a file that grows, or a FIFO)") \
	X(ASSIST, "assist", YES_NO, NULL, 0, 0, "no", "start as the agent: suggestions for what customers wrote") \
	X(SUGGESTIONS, "suggestions", NUMBER, NULL, 1, 3, "3", "replies suggested at most") \
	X(GHOST, "ghost", CHOICE, "off|shy|normal|eager", 0, 0, "normal", "how often grey text is shown") \
	X(UNWANTED_WORDS, "unwanted_words", FILE, NULL, 0, 0, "", "file of words that are never proposed, one a line") \
	X(SPELLING, "spelling", TEXT, NULL, 0, 0, "", "language whose spelling is checked, as en_GB") \
	X(ENTER_SENDS, "enter_sends", YES_NO, NULL, 0, 0, "yes", "Enter sends and C-j is a new line; no: the other way round") \
	X(MOUSE, "mouse", YES_NO, NULL, 0, 0, "no", "the wheel scrolls; the terminal selects with Shift only") \
	X(ASCII, "ascii", YES_NO, NULL, 0, 0, "no", "nothing but ASCII on the screen") \
	X(COLOR, "color", CHOICE, "auto|always|never", 0, 0, "auto", "colours; auto: when the terminal has them and NO_COLOR is not set") \
	X(TRUST_EDITS, "trust_edits", YES_NO, NULL, 0, 0, "no", "what you edited before sending is approved without review") \
	X(GOLDEN, "golden", FILE, NULL, 0, 0, "", "file of pinned messages that a retrained model must answer right") \
	X(RETRAIN_MINUTES, "retrain_minutes", NUMBER, NULL, 1, 1440, "10", "minutes that a retraining may take") \
	X(RETRAIN_AT, "retrain_at", SCHEDULE, NULL, 0, 0, "off", "when to retrain by itself while the screen is open") \
	X(KEEP_MODELS, "keep_models", NUMBER, NULL, 1, 1000, "10", "retrained versions that are kept") \
	X(THREADS, "threads", NUMBER, NULL, 0, 256, "0", "worker threads of training and measuring; 0: one a processor")

enum config_id {
#define X(id, name, kind, values, min, max, def, help) CONFIG_##id,
	CONFIG_SETTINGS(X)
#undef X
	CONFIG_COUNT
};

struct config_setting {
	const char *name;
	enum config_kind kind;
	const char *values;
	long min, max;
	const char *def;
	const char *help;             /* one line, no capital, no full stop */
};
extern const struct config_setting config_settings[CONFIG_COUNT];

enum config_source { CONFIG_DEFAULT, CONFIG_FILE, CONFIG_ENVIRONMENT, CONFIG_FLAG };

/* ---- reading values ---- */

/* As it is written, yes and no for YES_NO; a FILE's ~/ is the home folder. NULL: empty. */
const char *config_text(enum config_id id);
long config_number(enum config_id id);
bool config_yes(enum config_id id);
/* Which of a CHOICE's values, from 0. */
int config_choice(enum config_id id);
/* CONFIG_THREADS with 0 resolved: at least 1. */
size_t config_threads(void);
/* When a SCHEDULE is due next after `now`, local time; 0: off. */
time_t config_next(enum config_id id, time_t now);

enum config_source config_source(enum config_id id);
/* The same for a person: "default", "config.ini:3", "ANSWERBACK_GHOST", "--company". */
const char *config_origin(enum config_id id);
/* ERR_NOTFOUND names the nearest. */
int config_find(const char *name, enum config_id *id, struct err *e);

/* The words of CONFIG_UNWANTED_WORDS, NULL-terminated; NULL when there is none. Read once, kept for good; a file that
 * cannot be read is ERR_IO each time. Lines that begin with # are comments. */
int config_unwanted(const char *const **words, struct err *e);

/* ---- where they come from ---- */

/* --config's value, before config_load; NULL: none. */
void config_use_file(const char *path);
/* Read file and environment. The first thing wrong is the error, with file, line and what is allowed
 * (ERR_FORMAT; ERR_IO; ERR_USAGE in the environment); settings that were right count all the same. No file is no error
 * unless it was named. May be called again: the file is read anew. */
int config_load(struct err *e);
/* A flag's value; origin ("--company") is copied. ERR_USAGE. Before threads that may look are started. */
int config_override(enum config_id id, const char *value, const char *origin, struct err *e);
/* Would it be accepted? ERR_USAGE says what is allowed. */
int config_allows(enum config_id id, const char *value, struct err *e);
/* Write it into the file (value NULL: take its line out), everything else in it as it was; it counts from now on. */
int config_set(enum config_id id, const char *value, struct err *e);

/* The file that is or would be read; ERR_NOTFOUND: there is no home. */
int config_path(const char **path, struct err *e);

/* What config_load found, in the file's order. */
struct config_problem {
	size_t line;                  /* 0: not of a line */
	bool warning;                 /* nothing is refused for it */
	char *text;                   /* with file and line */
};
const struct config_problem *config_problems(size_t *n);

/* Forget everything (tests). */
void config_reset(void);

#endif
