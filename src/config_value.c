/* SPDX-License-Identifier: GPL-3.0-or-later */
/* config_value: the table of settings, and what a value may be. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/utf8.h"
#include "config_private.h"

const struct config_setting config_settings[CONFIG_COUNT] = {
#define X(id, name, kind, values, min, max, def, help) { name, CONFIG_KIND_##kind, values, min, max, def, help },
	CONFIG_SETTINGS(X)
#undef X
};

bool config_parse_yes_no(const char *value, bool *yes)
{
	static const char *const words[][2] = { { "no", "yes" }, { "off", "on" }, { "false", "true" }, { "0", "1" } };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		for (int k = 0; k < 2; k++) {
			if (strcasecmp(value, words[i][k]) == 0) {
				*yes = k == 1;
				return true;
			}
		}
	}
	return false;
}

bool config_parse_schedule(const char *value, int *weekday, int *hour, int *minute)
{
	static const char *const days[] = { "sun", "mon", "tue", "wed", "thu", "fri", "sat" };
	char day[8], rest[2];

	*weekday = *hour = -1;
	*minute = 0;
	if (strcmp(value, "off") == 0)
		return true;
	if (sscanf(value, "%7[a-z] %2d:%2d%1s", day, hour, minute, rest) != 3)
		return false;
	for (int i = 0; i < 7; i++)
		if (strcmp(day, days[i]) == 0)
			*weekday = i;
	return (*weekday >= 0 || strcmp(day, "daily") == 0) && *hour >= 0 && *hour < 24 && *minute >= 0 && *minute < 60;
}

/* Is it one of "a|b|c"? Returns which, or -1. */
static int which_choice(const char *values, const char *value)
{
	const size_t n = strlen(value);

	for (int i = 0; n > 0; i++) {
		const size_t one = strcspn(values, "|");

		if (one == n && strncmp(values, value, n) == 0)
			return i;
		if (values[one] == '\0')
			break;
		values += one + 1;
	}
	return -1;
}

int config_choice(enum config_id id)
{
	return which_choice(config_settings[id].values, config_text(id));
}

static int list_choices(const char *values, const char *value, struct err *e)
{
	struct str s = STR_INIT;
	int rc;

	for (; *values; values++) {
		if (*values == '|')
			str_adds(&s, strchr(values + 1, '|') ? ", " : " or ");
		else
			str_addc(&s, *values);
	}
	rc = err_set(e, ERR_USAGE, "it is %s, not '%.60s'", s.s, value);
	str_free(&s);
	return rc;
}

int config_allows(enum config_id id, const char *value, struct err *e)
{
	const struct config_setting *c = &config_settings[id];
	int a, b, d;
	bool yes;
	char *end;
	long n;

	switch (c->kind) {
	case CONFIG_KIND_TEXT:
	case CONFIG_KIND_FILE:
		if (utf8_valid_upto(value, strlen(value)) != strlen(value))
			return err_set(e, ERR_USAGE, "it must be UTF-8");
		for (const char *s = value; *s; s++)
			if ((unsigned char)*s < 0x20 || *s == 0x7f || ((unsigned char)*s == 0xc2 && (unsigned char)s[1] < 0xa0))
				return err_set(e, ERR_USAGE, "it must be one line without control characters");
		return 0;
	case CONFIG_KIND_YES_NO:
		if (!config_parse_yes_no(value, &yes))
			return err_set(e, ERR_USAGE, "it is yes or no, not '%.60s'", value);
		return 0;
	case CONFIG_KIND_NUMBER:
		errno = 0;
		n = strtol(value, &end, 10);
		if (*value == '\0' || strspn(value, "-0123456789") != strlen(value) || *end || errno || n < c->min || n > c->max)
			return err_set(e, ERR_USAGE, "it is a whole number from %ld to %ld, not '%.60s'", c->min, c->max, value);
		return 0;
	case CONFIG_KIND_CHOICE:
		return which_choice(c->values, value) >= 0 ? 0 : list_choices(c->values, value, e);
	case CONFIG_KIND_SCHEDULE:
		if (!config_parse_schedule(value, &a, &b, &d))
			return err_set(e, ERR_USAGE, "it is off, 'daily 02:00', or a day and a time as 'sun 02:00', not '%.60s'", value);
		return 0;
	}
	return 0;
}

time_t config_next(enum config_id id, time_t now)
{
	int weekday, hour, minute;
	struct tm tm;

	if (!config_parse_schedule(config_text(id), &weekday, &hour, &minute) || hour < 0 || !localtime_r(&now, &tm))
		return 0;
	/* mktime makes a real day of a day of the month that is too large, and knows of summer time */
	for (int day = 0; day <= 8; day++) {
		struct tm at = { .tm_year = tm.tm_year, .tm_mon = tm.tm_mon, .tm_mday = tm.tm_mday + day, .tm_hour = hour,
		                 .tm_min = minute, .tm_isdst = -1 };
		const time_t due = mktime(&at);

		if (due > now && (weekday < 0 || at.tm_wday == weekday))
			return due;
	}
	return 0;
}

/* ---- names ---- */

/* Letters to insert, delete or change to make a of b. Names are short: longer ones are far from all. */
static size_t distance(const char *a, const char *b)
{
	enum { LONGEST = 48 };
	const size_t na = strlen(a), nb = strlen(b);
	size_t row[LONGEST + 1];

	if (na > LONGEST || nb > LONGEST)
		return LONGEST;
	for (size_t j = 0; j <= nb; j++)
		row[j] = j;
	for (size_t i = 1; i <= na; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= nb; j++) {
			const size_t above = row[j], change = diagonal + (a[i - 1] != b[j - 1]);
			size_t least = above < row[j - 1] ? above + 1 : row[j - 1] + 1;

			row[j] = change < least ? change : least;
			diagonal = above;
		}
	}
	return row[nb];
}

const char *config_nearest(const char *name)
{
	const char *best = NULL;
	size_t least = strlen(name) / 3 + 2;      /* further off is no misspelling */

	for (size_t i = 0; i < CONFIG_COUNT; i++) {
		const char *have = config_settings[i].name;
		/* what somebody began to write is near: "retention" */
		const size_t d = strlen(name) >= 4 && strncmp(name, have, strlen(name)) == 0 ? 1 : distance(name, have);

		if (d < least) {
			least = d;
			best = have;
		}
	}
	return best;
}

int config_find(const char *name, enum config_id *id, struct err *e)
{
	const char *near;

	for (size_t i = 0; i < CONFIG_COUNT; i++) {
		if (strcmp(config_settings[i].name, name) == 0) {
			*id = (enum config_id)i;
			return 0;
		}
	}
	near = config_nearest(name);
	if (near)
		return err_set(e, ERR_NOTFOUND, "there is no setting '%.60s'; %s is the nearest", name, near);
	return err_set(e, ERR_NOTFOUND, "there is no setting '%.60s'; answerback config list shows all", name);
}
