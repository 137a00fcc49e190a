/* SPDX-License-Identifier: GPL-3.0-or-later */
/* when: points in time as people and programs write them. Milliseconds since 1970, UTC. */
#ifndef ANSWERBACK_WHEN_H
#define ANSWERBACK_WHEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What 1/2/2026 means: without being told, nothing (it is refused). */
enum when_order { WHEN_NO_ORDER, WHEN_DAY_MONTH, WHEN_MONTH_DAY };

/* 2026-01-31T10:00:00.5Z, 2026-01-31 10:00, 2026/01/31, 31.01.2026 10:00 (also .26), 31 Jan 2026, Jan 31, 2026 5:10 pm,
 * mail's "Sat, 31 Jan 2026 10:00:00 +0100", mbox's "Sat Jan 31 10:00:00 2026", seconds or milliseconds since 1970.
 * Without a zone it is local time; without a time of day, midnight. Years 1970 to 2199. */
bool when_parse(const char *text, size_t len, enum when_order order, int64_t *ms);

/* A time of day alone, "9:55", "09:55:10", "9:55 pm": milliseconds since midnight. */
bool when_parse_clock(const char *text, size_t len, int64_t *ms);

enum { WHEN_SIZE = 40 };
/* ISO 8601 in UTC, "2026-01-31T10:00:00.500Z" (milliseconds only when there are some): when_parse reads back the same. */
void when_iso(int64_t ms, char out[WHEN_SIZE]);
void when_local(int64_t ms, char out[WHEN_SIZE]);          /* "2026-01-31 10:00", for people */

#endif
