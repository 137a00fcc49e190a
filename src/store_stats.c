/* SPDX-License-Identifier: GPL-3.0-or-later */
/* store_stats: each figure is one grouped query; the rows of its answer are put together here. */
#include "store_stats.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "store_private.h"

const char *const store_origins[STORE_ORIGIN_COUNT] = {
#define X(name) #name,
	STORE_ORIGINS(X)
#undef X
};

/* ---- weeks, in local time ---- */

/* The Monday, at midnight, `ago` weeks before the week of t. */
static time_t monday(time_t t, int ago)
{
	struct tm tm;

	localtime_r(&t, &tm);
	tm.tm_mday -= (tm.tm_wday + 6) % 7 + 7 * ago;
	tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
	tm.tm_isdst = -1;
	return mktime(&tm);
}

static void week_label(int64_t ms, char out[64])
{
	const time_t t = monday((time_t)(ms / 1000), 0);
	struct tm tm;

	localtime_r(&t, &tm);
	strftime(out, 64, "%Y-%m-%d", &tm);
}

/* week(ms): the label. Times come in runs of one week, so that the last answer nearly always fits. */
struct week {
	int64_t from, to;
	char label[64];
};

static void week_of(sqlite3_context *c, int n, sqlite3_value **v)
{
	struct week *w = sqlite3_user_data(c);
	const int64_t ms = sqlite3_value_int64(v[0]);

	(void)n;
	if (ms < w->from || ms >= w->to) {
		const time_t t = (time_t)(ms / 1000);

		week_label(ms, w->label);
		w->from = (int64_t)monday(t, 0) * 1000;
		w->to = (int64_t)monday(t, -1) * 1000;
	}
	sqlite3_result_text(c, w->label, -1, SQLITE_TRANSIENT);
}

/* ---- rows into figures ---- */

struct gathered {
	struct store_figures *v;
	size_t n;
	enum store_figures_of of;
};

static struct store_figures *of_label(struct gathered *g, const char *label)
{
	for (size_t i = 0; i < g->n; i++)
		if (strncmp(g->v[i].label, label, sizeof(g->v[i].label) - 1) == 0)
			return &g->v[i];
	g->v = xreallocarray(g->v, g->n + 1, sizeof(*g->v));
	g->v[g->n] = (struct store_figures){ .of = g->of };
	snprintf(g->v[g->n].label, sizeof(g->v[g->n].label), "%s", label);
	return &g->v[g->n++];
}

static void add_messages(struct store_figures *f, sqlite3_stmt *st)
{
	const char *role = (const char *)sqlite3_column_text(st, 1), *origin = (const char *)sqlite3_column_text(st, 2);
	const int64_t n = sqlite3_column_int64(st, 3);
	size_t i = 0;

	if (f->of != STORE_FIGURES_MODEL)
		f->messages += n;
	if (strcmp(role, "assistant") != 0)
		return;
	while (i + 1 < STORE_ORIGIN_COUNT && strcmp(origin, store_origins[i]) != 0)
		i++;
	f->replies += n;
	f->by_origin[i] += n;
}

static void add_conversations(struct store_figures *f, sqlite3_stmt *st)
{
	f->conversations += sqlite3_column_int64(st, 1);
}

static void add_shown(struct store_figures *f, sqlite3_stmt *st)
{
	const char *kind = (const char *)sqlite3_column_text(st, 1), *fate = (const char *)sqlite3_column_text(st, 2);
	const int64_t n = sqlite3_column_int64(st, 3);
	const bool completion = strcmp(kind, "completion") == 0;

	*(completion ? &f->completions : &f->suggestions) += n;
	f->chars += sqlite3_column_int64(st, 4);
	if (strcmp(fate, "taken") == 0)
		*(completion ? &f->completions_taken : &f->suggestions_taken) += n;
	else if (strcmp(fate, "word") == 0)
		f->completions_words += n;
	else if (strcmp(fate, "edited") == 0)
		f->suggestions_edited += n;
	else if (strcmp(fate, "shown") != 0)
		*(completion ? &f->completions_ignored : &f->suggestions_ignored) += n;
}

static void add_median(struct store_figures *f, sqlite3_stmt *st)
{
	const char *kind = (const char *)sqlite3_column_text(st, 1);
	const double ms = sqlite3_column_double(st, 2);

	*(strcmp(kind, "message") == 0 ? &f->reply_ms : strcmp(kind, "completion") == 0 ? &f->completion_ms : &f->suggestion_ms) = ms;
}

/* Numbers below these were given before ?1: most of a long history need not be read. */
#define RECENT "id >= (SELECT coalesce(min(chunk), 0) << 10 FROM spans WHERE newest >= ?1) AND created >= ?1"
/* KEY is what is grouped by: '' (all), week(created) or model. ?1: from when on. */
#define MESSAGES(KEY) "SELECT " KEY ", role, origin, count(*) FROM messages WHERE " RECENT " GROUP BY 1, 2, 3"
#define CONVERSATIONS(KEY) "SELECT " KEY ", count(*) FROM conversations WHERE created >= ?1 GROUP BY 1"
#define SHOWN(KEY) "SELECT " KEY ", kind, fate, count(*), sum(chars) FROM suggestions WHERE created >= ?1 GROUP BY 1, 2, 3"
/* of those that took time at all: what memory answered at once says nothing about the model */
#define MEDIANS(KEY) \
	"SELECT k, kind, avg(ms) FROM (SELECT k, kind, ms, row_number() OVER w AS i, count(*) OVER (PARTITION BY k, kind) AS n" \
	" FROM (SELECT " KEY " AS k, 'message' AS kind, latency_ms AS ms FROM messages WHERE " RECENT " AND origin = 'model'" \
	" AND latency_ms > 0 UNION ALL SELECT " KEY ", kind, latency_ms FROM suggestions WHERE created >= ?1 AND latency_ms > 0)" \
	" WINDOW w AS (PARTITION BY k, kind ORDER BY ms)) WHERE i IN ((n + 1) / 2, (n + 2) / 2) GROUP BY k, kind"

static const struct query {
	enum store_figures_of of;
	const char *sql;
	void (*add)(struct store_figures *f, sqlite3_stmt *st);
} queries[] = {
	{ STORE_FIGURES_ALL, MESSAGES("''"), add_messages },
	{ STORE_FIGURES_ALL, CONVERSATIONS("''"), add_conversations },
	{ STORE_FIGURES_ALL, SHOWN("''"), add_shown },
	{ STORE_FIGURES_ALL, MEDIANS("''"), add_median },
	{ STORE_FIGURES_WEEK, MESSAGES("week(created)"), add_messages },
	{ STORE_FIGURES_WEEK, CONVERSATIONS("week(created)"), add_conversations },
	{ STORE_FIGURES_WEEK, SHOWN("week(created)"), add_shown },
	{ STORE_FIGURES_WEEK, MEDIANS("week(created)"), add_median },
	/* the model that served is noted with a customer's messages too */
	{ STORE_FIGURES_MODEL, "SELECT model, role, origin, count(*) FROM messages WHERE " RECENT " AND role = 'assistant'"
	  " AND model <> '' GROUP BY 1, 2, 3", add_messages },
	{ STORE_FIGURES_MODEL, "SELECT * FROM (" SHOWN("model") ") WHERE model <> ''", add_shown },
	{ STORE_FIGURES_MODEL, "SELECT * FROM (" MEDIANS("model") ") WHERE k <> ''", add_median },
};

static int by_label(const void *a, const void *b)
{
	return strcmp(((const struct store_figures *)a)->label, ((const struct store_figures *)b)->label);
}

int store_stats(struct store *s, int weeks, void (*each)(const struct store_figures *f, void *arg), void *arg, struct err *e)
{
	const int64_t from = weeks > 0 ? (int64_t)monday((time_t)(store_now() / 1000), weeks - 1) * 1000 : INT64_MIN;
	struct week *w = xcalloc(1, sizeof(*w));
	struct gathered g[3] = { { NULL, 0, STORE_FIGURES_ALL }, { NULL, 0, STORE_FIGURES_WEEK }, { NULL, 0, STORE_FIGURES_MODEL } };
	int rc = sqlite3_create_function_v2(s->db, "week", 1, SQLITE_UTF8, w, week_of, NULL, NULL, free);

	if (rc != SQLITE_OK)
		return store_fail(s, rc, e);
	of_label(&g[0], "");      /* there even when nothing is */
	rc = 0;
	for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]) && rc >= 0; i++) {
		sqlite3_stmt *st = store_statement(s, queries[i].sql, e);

		if (!st) {
			rc = ERR_IO;
			break;
		}
		sqlite3_bind_int64(st, 1, from);
		while ((rc = store_step(s, st, e)) == SQLITE_ROW)
			queries[i].add(of_label(&g[queries[i].of], (const char *)sqlite3_column_text(st, 0)), st);
		sqlite3_reset(st);
	}
	for (size_t i = 0; i < 3; i++) {
		if (g[i].n > 1)
			qsort(g[i].v, g[i].n, sizeof(*g[i].v), by_label);
		for (size_t k = 0; k < g[i].n && rc >= 0; k++)
			each(&g[i].v[k], arg);
		free(g[i].v);
	}
	return rc < 0 ? rc : 0;
}
