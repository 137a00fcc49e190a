/* SPDX-License-Identifier: GPL-3.0-or-later */
/* store_range: filters into message numbers. The word index is walked by number, from the newest on: a filter
 * that few messages pass would let it read nearly every match for a page of hits. */
#include <stdlib.h>

#include "base/mem.h"
#include "store_private.h"

enum { MOST = 3000, NEAR = 128, CHUNK = 10 };      /* more of them than MOST narrow nothing; gaps up to NEAR are walked */

void store_ranges_free(struct store_ranges *r)
{
	free(r->v);
	*r = (struct store_ranges){ 0 };
}

static void add(struct store_ranges *r, int64_t from, int64_t to)
{
	if (r->n == r->cap) {
		r->cap = r->cap ? 2 * r->cap : 64;
		r->v = xreallocarray(r->v, r->cap, sizeof(*r->v));
	}
	r->v[r->n++] = (struct store_range){ from, to };
}

static int downwards(const void *a, const void *b)
{
	const struct store_range *x = a, *y = b;

	return (y->to > x->to) - (y->to < x->to);
}

/* In order, and what overlaps or lies near put together. */
static void tidy(struct store_ranges *r)
{
	size_t to = 0;

	if (r->n < 2)
		return;
	qsort(r->v, r->n, sizeof(*r->v), downwards);
	for (size_t i = 1; i < r->n; i++) {
		if (r->v[i].to + NEAR >= r->v[to].from) {
			if (r->v[i].from < r->v[to].from)
				r->v[to].from = r->v[i].from;
		} else {
			r->v[++to] = r->v[i];
		}
	}
	r->n = to + 1;
}

static void intersect(struct store_ranges *r, struct store_ranges *with)
{
	struct store_ranges both = { 0 };
	size_t i = 0, k = 0;

	if (with->all)
		return;
	while (i < r->n && k < with->n) {
		const struct store_range *a = &r->v[i], *b = &with->v[k];
		const int64_t from = a->from > b->from ? a->from : b->from, to = a->to < b->to ? a->to : b->to;

		if (from <= to)
			add(&both, from, to);
		if (a->from > b->from)
			i++;
		else
			k++;
	}
	free(r->v);
	*r = both;
}

/* Rows of first and last number; all when there are more than MOST. */
static int read_numbers(struct store *s, sqlite3_stmt *st, struct store_ranges *r, struct err *e)
{
	int rc;

	while ((rc = store_step(s, st, e)) == SQLITE_ROW) {
		if (r->n == MOST) {
			r->all = true;
			r->n = 0;
			break;
		}
		if (sqlite3_column_type(st, 0) != SQLITE_NULL)      /* a conversation without messages */
			add(r, sqlite3_column_int64(st, 0), sqlite3_column_int64(st, 1));
	}
	sqlite3_reset(st);
	tidy(r);
	return rc < 0 ? rc : 0;
}

static int by_dates(struct store *s, int64_t after, int64_t before, struct store_ranges *r, struct err *e)
{
	sqlite3_stmt *st = store_statement(s, "SELECT chunk FROM spans WHERE (?1 = 0 OR newest >= ?1) AND (?2 = 0 OR oldest < ?2)"
	                                   " ORDER BY chunk DESC", e);
	int rc;

	if (!st)
		return ERR_IO;
	store_bind(st, "ii", after, before);
	while ((rc = store_step(s, st, e)) == SQLITE_ROW) {
		const int64_t chunk = sqlite3_column_int64(st, 0);

		add(r, chunk << CHUNK, ((chunk + 1) << CHUNK) - 1);
	}
	sqlite3_reset(st);
	tidy(r);
	return rc < 0 ? rc : 0;
}

static bool given(const char *text)
{
	return text && *text;
}

static int narrow(struct store *s, const char *sql, const char *value, struct store_ranges *r, struct err *e)
{
	struct store_ranges with = { 0 };
	sqlite3_stmt *st = store_statement(s, sql, e);
	int rc;

	if (!st)
		return ERR_IO;
	store_bind(st, "ti", value, (int64_t)MOST + 1);
	rc = read_numbers(s, st, &with, e);
	if (rc == 0)
		intersect(r, &with);
	store_ranges_free(&with);
	return rc;
}

/* Turns of one conversation mostly follow one another. */
#define CONVERSATIONS(WHICH) "SELECT min(m.id), max(m.id) FROM (" WHICH " LIMIT ?2) c CROSS JOIN messages m" \
	" ON m.conversation = c.id GROUP BY c.id"

int store_ranges(struct store *s, const struct store_narrow *q, int64_t highest, struct store_ranges *r, struct err *e)
{
	int rc = 0;

	*r = (struct store_ranges){ 0 };
	add(r, 0, highest);
	if (q->after || q->before) {
		struct store_ranges with = { 0 };

		rc = by_dates(s, q->after, q->before, &with, e);
		if (rc == 0)
			intersect(r, &with);
		store_ranges_free(&with);
	}
	if (rc == 0 && given(q->case_id))
		rc = narrow(s, CONVERSATIONS("SELECT id FROM conversations WHERE case_id = ?1 AND case_id <> ''"), q->case_id, r, e);
	if (rc == 0 && given(q->tag))
		rc = narrow(s, CONVERSATIONS("SELECT conversation AS id FROM tags WHERE tag = ?1"), q->tag, r, e);
	if (rc == 0 && given(q->customer))
		rc = narrow(s, CONVERSATIONS("SELECT id FROM conversations WHERE customer <> '' AND customer LIKE '%' || ?1 || '%'"),
		            q->customer, r, e);
	if (rc == 0 && given(q->origin))
		rc = narrow(s, "SELECT id, id FROM messages WHERE origin = ?1 LIMIT ?2", q->origin, r, e);
	return rc;
}
