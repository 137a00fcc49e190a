/* SPDX-License-Identifier: GPL-3.0-or-later */
/* config_private: the file's text to values and back (config_file.c), and single values (config_value.c). */
#ifndef ANSWERBACK_CONFIG_PRIVATE_H
#define ANSWERBACK_CONFIG_PRIVATE_H

#include "base/str.h"
#include "config.h"

struct config_parsed {
	char *value[CONFIG_COUNT];    /* NULL: not in it */
	size_t line[CONFIG_COUNT];    /* of the last one of that name, which counts */
	size_t end;                   /* line that a new setting goes before: the first section of others', or one past the end */
	bool unreadable;              /* not even looked at line by line: the problems say why */
	struct config_problem *problem;
	size_t problems;
};

/* Never fails: what is wrong are problems. `name` is what messages call the file. */
void config_parse(struct config_parsed *p, const char *text, size_t len, const char *name);
void config_parsed_fini(struct config_parsed *p);
void config_problem_add(struct config_parsed *p, size_t line, bool warning, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* ERR_IO; ERR_NOTFOUND: there is none. */
int config_file_read(const char *path, struct str *text, struct err *e);
/* The text with one setting changed, added, or (value NULL) taken out. ERR_USAGE: INI cannot hold the value. */
int config_file_edit(const char *text, size_t len, enum config_id id, const char *value, struct str *out, struct err *e);
/* Through a temporary file beside it, synced; mode and symbolic links stay. */
int config_file_write(const char *path, const struct str *text, struct err *e);

/* false: not a yes or a no */
bool config_parse_yes_no(const char *value, bool *yes);
/* weekday -1: daily; false: not a schedule. off: hour -1 */
bool config_parse_schedule(const char *value, int *weekday, int *hour, int *minute);
/* The setting whose name is nearest; NULL: none is near. */
const char *config_nearest(const char *name);

#endif
