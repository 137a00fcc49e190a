/* SPDX-License-Identifier: GPL-3.0-or-later */
/* retrain_state: the file of the last run, and schedules. */
#include "retrain_state.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/rng.h"
#include "base/str.h"

static void copy(char *to, size_t room, const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	if (s && strlen(s) < room)
		strcpy(to, s);
}

static char *path_of(const char *folder, const char *name)
{
	struct str s = STR_INIT;

	str_addf(&s, "%s/%s", folder, name);
	return str_detach(&s);
}

char *retrain_checkpoint_path(const char *folder)
{
	return path_of(folder, "retrain.checkpoint");
}

void retrain_state_read(struct retrain_state *s, const char *folder)
{
	char *path = path_of(folder, "retrain.json");
	json_t *o = json_load_file(path, 0, NULL);

	*s = (struct retrain_state){ 0 };
	free(path);
	copy(s->start, sizeof(s->start), o, "start");
	copy(s->print, sizeof(s->print), o, "print");
	copy(s->outcome, sizeof(s->outcome), o, "outcome");
	s->began = json_integer_value(json_object_get(o, "began"));
	s->newest = json_integer_value(json_object_get(o, "newest"));
	s->examples = json_integer_value(json_object_get(o, "examples"));
	json_decref(o);
}

int retrain_state_write(const struct retrain_state *s, const char *folder, struct err *e)
{
	char *path = path_of(folder, "retrain.json"), *tmp = path_of(folder, "retrain.json.new");
	FILE *f = fopen(tmp, "w");
	int rc = 0;

	if (!f || fprintf(f, "{\"start\": \"%s\", \"print\": \"%s\", \"outcome\": \"%s\", \"began\": %" PRId64 ", \"newest\": %" PRId64
	                  ", \"examples\": %" PRId64 "}\n", s->start, s->print, s->outcome, s->began, s->newest, s->examples) < 0 ||
	    fflush(f) != 0 || fsync(fileno(f)) != 0)
		rc = err_set(e, ERR_IO, "%s cannot be written: %m", tmp);
	if (f && fclose(f) != 0 && rc == 0)
		rc = err_set(e, ERR_IO, "%s cannot be written: %m", tmp);
	if (rc == 0 && rename(tmp, path) != 0)
		rc = err_set(e, ERR_IO, "%s cannot be replaced: %m", path);
	if (rc < 0)
		unlink(tmp);
	free(path);
	free(tmp);
	return rc;
}

void retrain_print(char out[24], const struct corpus *examples, const char *how)
{
	uint64_t z = 1;

	for (const char *p = how; *p; p++)
		z = rng_hash(z, (unsigned char)*p);
	for (size_t i = 0; i < examples->n; i++) {
		const struct chat *c = &examples->chat[i];

		z = rng_hash(z, c->n);
		for (size_t k = 0; k < c->n; k++) {
			z = rng_hash(z, (uint64_t)(c->messages[k].weight * 1000));
			for (size_t j = 0; j < c->messages[k].len; j++)
				z = rng_hash(z, (unsigned char)c->messages[k].content[j]);
		}
	}
	snprintf(out, 24, "%016" PRIx64, z);
}

/* The latest HH:MM that is not in the future, local time. */
static time_t latest(time_t now, int hour, int minute)
{
	struct tm tm;
	time_t t;

	localtime_r(&now, &tm);
	tm.tm_hour = hour;
	tm.tm_min = minute;
	tm.tm_sec = 0;
	tm.tm_isdst = -1;
	t = mktime(&tm);
	if (t > now) {
		tm.tm_mday--;
		tm.tm_isdst = -1;
		t = mktime(&tm);
	}
	return t;
}

int retrain_due(const char *schedule, const struct retrain_state *last, int64_t newest, size_t fresh, time_t now, bool *due,
                struct err *e)
{
	const time_t began = (time_t)(last->began / 1000);
	const bool any = newest > last->newest && fresh > 0;
	int hour = 0, minute = 0, n = 0, end = -1;

	*due = false;
	if (strcmp(schedule, "off") == 0 || !*schedule)
		return 0;
	if (sscanf(schedule, "examples %d%n", &n, &end) == 1 && end == (int)strlen(schedule) && n > 0) {
		*due = any && fresh >= (size_t)n;
		return 0;
	}
	if (strcmp(schedule, "daily") == 0 || strcmp(schedule, "weekly") == 0) {
		*due = any && now - began >= (*schedule == 'd' ? 1 : 7) * (time_t)86400;
		return 0;
	}
	end = -1;
	if (sscanf(schedule, "daily %2d:%2d%n", &hour, &minute, &end) == 2 && end == (int)strlen(schedule) && hour >= 0 && hour < 24 &&
	    minute >= 0 && minute < 60) {
		*due = any && began < latest(now, hour, minute);
		return 0;
	}
	return err_set(e, ERR_USAGE, "'%.40s' is no schedule: say off, examples N, daily, daily HH:MM or weekly", schedule);
}
