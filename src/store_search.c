/* SPDX-License-Identifier: GPL-3.0-or-later */
/* store_search: a person's query into FTS5's, and the walk from the newest match backwards. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "store_private.h"

struct query {
	struct str match;             /* in FTS5's own syntax, every word quoted */
	char *from, *tag, *origin, *case_id;
	int64_t after, before;
};

static void query_free(struct query *q)
{
	str_free(&q->match);
	free(q->from);
	free(q->tag);
	free(q->origin);
	free(q->case_id);
}

static int day(const char *text, int64_t *ms, struct err *e)
{
	struct tm tm = { 0 };
	const char *end = strptime(text, "%Y-%m-%d", &tm);

	if (!end || *end)
		return err_set(e, ERR_USAGE, "'%.40s' is no date; write it as 2026-01-31", text);
	tm.tm_isdst = -1;
	*ms = (int64_t)mktime(&tm) * 1000;
	return 0;
}

/* 1: it was a filter; 0: it was not. */
static int filter(struct query *q, const char *word, size_t n, struct err *e)
{
	static const char *const names[] = { "from:", "tag:", "origin:", "case:", "after:", "before:" };
	char **const text[] = { &q->from, &q->tag, &q->origin, &q->case_id };

	for (size_t i = 0; i < 6; i++) {
		const size_t len = strlen(names[i]);
		char *value;
		int rc = 0;

		if (n < len || strncmp(word, names[i], len) != 0)
			continue;
		value = xmemdup(word + len, n - len);
		if (n > len + 1 && value[0] == '"' && value[n - len - 1] == '"') {
			value[n - len - 1] = '\0';
			memmove(value, value + 1, n - len - 1);
		}
		if (i < 4 && *value) {
			free(*text[i]);
			*text[i] = value;
			return 1;
		}
		if (*value)      /* a filter that is still being typed narrows nothing yet */
			rc = day(value, i == 4 ? &q->after : &q->before, e);
		free(value);
		return rc < 0 ? rc : 1;
	}
	return 0;
}

/* "word" or "several words", with a star when it may go on. */
static void add_words(struct query *q, const char *word, size_t n, bool open)
{
	bool any = false;

	for (size_t i = 0; i < n; i++)      /* FTS5 makes nothing of punctuation alone, and says so */
		any = any || (unsigned char)word[i] >= 0x80 || (word[i] >= '0' && word[i] <= '9') ||
			((word[i] | 32) >= 'a' && (word[i] | 32) <= 'z');
	if (!any)
		return;
	str_adds(&q->match, q->match.len ? " AND \"" : "\"");
	for (size_t i = 0; i < n; i++) {
		if (word[i] == '"')
			str_addc(&q->match, '"');
		str_addc(&q->match, word[i]);
	}
	str_adds(&q->match, open ? "\" *" : "\"");
}

static int parse(struct query *q, const char *text, struct err *e)
{
	const size_t n = strlen(text);
	size_t i = 0;

	while (i < n) {
		size_t from = i;
		int rc;

		if (strchr(" \t\r\n", text[i])) {
			i++;
			continue;
		}
		if (text[i] == '"') {
			const char *end = strchr(text + i + 1, '"');

			from = i + 1;
			i = end ? (size_t)(end - text) : n;
			add_words(q, text + from, i - from, !end);
			i += i < n;
			continue;
		}
		while (i < n && !strchr(" \t\r\n", text[i])) {
			if (text[i] == '"') {      /* from:"Anna Weber" */
				const char *end = strchr(text + i + 1, '"');

				i = end ? (size_t)(end - text) : n - 1;
			}
			i++;
		}
		rc = filter(q, text + from, i - from, e);
		if (rc < 0)
			return rc;
		if (rc == 0)
			add_words(q, text + from, i - from, i == n);
	}
	return 0;
}

#define COLUMNS "SELECT m.id, m.conversation, m.created, m.role, m.origin, c.case_id, c.customer, m.content, "
#define FILTERS \
	" AND (?3 = '' OR m.role = ?3 OR c.customer LIKE '%' || ?3 || '%') AND (?4 = '' OR EXISTS (SELECT 1 FROM tags t" \
	" WHERE t.conversation = m.conversation AND t.tag = ?4)) AND (?5 = '' OR m.origin = ?5)" \
	" AND (?6 = '' OR c.case_id = ?6) AND (?7 = 0 OR m.created >= ?7) AND (?8 = 0 OR m.created < ?8)"

int store_search(struct store *s, const char *query, size_t limit, int64_t before_id,
                 bool (*each)(const struct store_hit *h, void *arg), void *arg, struct err *e)
{
	struct query q = { .match = STR_INIT };
	sqlite3_stmt *st;
	char *clean = store_clean(query, strlen(query));
	int rc = parse(&q, clean, e);

	free(clean);
	if (rc < 0) {
		query_free(&q);
		return rc;
	}
	/* Walking row ids downwards reads no more matches than are shown; ranking would read them all. */
	if (q.match.len)
		st = store_statement(s, COLUMNS "snippet(messages_fts, 0, char(2), char(3), '...', 12)"
			" FROM messages_fts f JOIN messages m ON m.id = f.rowid JOIN conversations c ON c.id = m.conversation"
			" WHERE messages_fts MATCH ?1 AND f.rowid < ?2" FILTERS " ORDER BY f.rowid DESC LIMIT ?9", e);
	else
		st = store_statement(s, COLUMNS "substr(m.content, 1, 120)"
			" FROM messages m CROSS JOIN conversations c ON c.id = m.conversation"
			" WHERE ?1 = '' AND m.id < ?2" FILTERS " ORDER BY m.id DESC LIMIT ?9", e);
	if (!st) {
		query_free(&q);
		return e && e->code ? e->code : ERR_IO;
	}
	store_bind(st, "tittttiii", q.match.s, before_id ? before_id : INT64_MAX, q.from, q.tag, q.origin, q.case_id,
	           q.after, q.before, (int64_t)limit);
	while ((rc = store_step(s, st, e)) == SQLITE_ROW) {
		const struct store_hit h = {
			.message = sqlite3_column_int64(st, 0), .conversation = sqlite3_column_int64(st, 1),
			.created = sqlite3_column_int64(st, 2), .role = (const char *)sqlite3_column_text(st, 3),
			.origin = (const char *)sqlite3_column_text(st, 4), .case_id = (const char *)sqlite3_column_text(st, 5),
			.customer = (const char *)sqlite3_column_text(st, 6), .content = (const char *)sqlite3_column_text(st, 7),
			.snippet = (const char *)sqlite3_column_text(st, 8),
		};

		if (!each(&h, arg))
			break;
	}
	sqlite3_reset(st);
	query_free(&q);
	return rc < 0 ? rc : 0;
}
