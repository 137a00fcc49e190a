/* SPDX-License-Identifier: GPL-3.0-or-later */
/* store_search: a person's query into FTS5's, and the walk from the newest match backwards. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "store_private.h"

enum { STEM = 3, WALK = 3000 };

struct query {
	struct str match;             /* in FTS5's own syntax, every word quoted */
	struct str stem;              /* the same, the open word cut to a beginning that the index has */
	struct str open;              /* the open word as the index would have it; "" when it is short, or none */
	char *from, *tag, *origin, *case_id;
	int64_t after, before;
};

static void query_free(struct query *q)
{
	str_free(&q->match);
	str_free(&q->stem);
	str_free(&q->open);
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

static void quote(struct str *s, const char *word, size_t n, bool open)
{
	str_adds(s, s->len ? " AND \"" : "\"");
	for (size_t i = 0; i < n; i++) {
		if (word[i] == '"')
			str_addc(s, '"');
		str_addc(s, word[i]);
	}
	str_adds(s, open ? "\" *" : "\"");
}

/* "word" or "several words", with a star when it may go on. */
static void add_words(struct query *q, const char *word, size_t n, bool open)
{
	const bool star = n > 1 && word[n - 1] == '*';      /* a beginning, and said so */
	bool any = false;

	for (size_t i = 0; i < n; i++)      /* FTS5 makes nothing of punctuation alone, and says so */
		any = any || (unsigned char)word[i] >= 0x80 || (word[i] >= '0' && word[i] <= '9') ||
			((word[i] | 32) >= 'a' && (word[i] | 32) <= 'z');
	if (!any)
		return;
	quote(&q->match, word, n, open || star);
	if (open)
		str_add(&q->open, word, n);
	else
		quote(&q->stem, word, n, star);
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

/* ---- an open word of more letters than the index has beginnings of ----
 *
 * FTS5 answers it by putting together all matches of all words that begin so, before the first is seen: hundreds of
 * milliseconds where there are many. But where there are many, walking those of the first three letters, which
 * the index has ready, and looking which go on as wanted, soon fills a page; and where it does not, there are few. */

struct one_word {
	struct str word;
	size_t n;
};

static bool take_word(const char *word, size_t n, size_t from, size_t to, void *arg)
{
	struct one_word *o = arg;

	(void)from;
	(void)to;
	str_reset(&o->word);
	str_add(&o->word, word, n);
	return ++o->n < 2;
}

/* Bytes of the first STEM characters; 0: it has no more than those. */
static size_t stem_of(const char *word)
{
	size_t i = 0, n = 0;

	for (; word[i]; i++)
		if (((unsigned char)word[i] & 0xc0) != 0x80 && n++ == STEM)
			return i;
	return 0;
}

static int find_stem(struct store *s, struct query *q, struct err *e)
{
	struct one_word o = { STR_INIT, 0 };
	size_t stem;
	int rc = q->open.len ? store_words(s, q->open.s, q->open.len, take_word, &o, e) : 0;

	str_reset(&q->open);
	if (rc == 0 && o.n == 1 && (stem = stem_of(o.word.s)) > 0) {
		str_adds(&q->open, o.word.s);
		quote(&q->stem, o.word.s, stem, true);
	}
	str_free(&o.word);
	return rc;
}

/* ---- what is shown of a hit ----
 *
 * Enough before a match to know the message again, enough after it for a wide screen; cut between words. Of several places the
 * one with the most matches close together. */

enum { SHOWN_BEFORE = 30, SHOWN = 120, CLOSE = 80 };      /* characters; CLOSE bytes */

static bool inside(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

static bool space(char c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/* n characters back from `at`, which begins one. */
static size_t back(const char *text, size_t at, size_t n)
{
	for (; n > 0 && at > 0; n--)
		for (at--; at > 0 && inside(text[at]); at--)
			;
	return at;
}

/* Of a whole text with matches between \x02 and \x03. */
static void window(const char *text, struct str *out)
{
	const size_t len = strlen(text);
	size_t from = 0, most = 0, start, to, n = 0, word;
	bool open = false;

	for (const char *p = strchr(text, 2); p; p = strchr(p + 1, 2)) {
		size_t near = 0;

		for (const char *k = p; k && k - p < CLOSE; k = strchr(k + 1, 2))
			near++;
		if (near > most) {
			most = near;
			from = (size_t)(p - text);
		}
	}
	start = back(text, from, SHOWN_BEFORE);
	if (start > 0) {      /* the word that is cut goes, unless the match stands in it */
		size_t next = start;

		while (next < from && !space(text[next - 1]))
			next++;
		start = next < from || space(text[from - 1]) ? next : start;
	}
	str_reset(out);
	if (start > 0)
		str_adds(out, "...");
	for (to = word = start; to < len && n < SHOWN; to++) {
		open = text[to] == 2 || (open && text[to] != 3);
		if (space(text[to]) && !open)
			word = to;
		n += !inside(text[to]) && text[to] != 2 && text[to] != 3;
	}
	while (to < len && inside(text[to]))
		to++;
	if (to < len && word > from) {
		to = word;
		open = false;
	}
	str_add(out, text + start, to - start);
	if (open)
		str_addc(out, 3);
	if (to < len)
		str_adds(out, "...");
}

/* Marks words that begin as wanted, around the first of them. */
struct look {
	const char *open;
	size_t n, first;              /* SIZE_MAX until one begins so */
	const char *text;
	struct str *out;
	size_t done;                  /* of text that is in out */
};

static bool look_at(const char *word, size_t n, size_t from, size_t to, void *arg)
{
	struct look *l = arg;
	const bool hit = n >= l->n && memcmp(word, l->open, l->n) == 0;

	if (hit && l->first == SIZE_MAX) {
		l->first = from;
		l->done = back(l->text, from, 3 * SHOWN_BEFORE);
	}
	if (!hit)
		return l->first == SIZE_MAX || from < l->first + 5 * SHOWN;
	str_add(l->out, l->text + l->done, from - l->done);
	str_addc(l->out, 2);
	str_add(l->out, l->text + from, to - from);
	str_addc(l->out, 3);
	l->done = to;
	return to < l->first + 5 * SHOWN;
}

/* False: no word of it begins as wanted. */
static bool look_for(struct store *s, const struct query *q, const char *text, size_t len, struct str *snippet)
{
	struct str marked = STR_INIT;
	struct look l = { .open = q->open.s, .n = q->open.len, .first = SIZE_MAX, .text = text, .out = &marked };

	store_words(s, text, len, look_at, &l, NULL);
	if (l.first != SIZE_MAX) {
		str_add(&marked, text + l.done, len - l.done < 5 * SHOWN ? len - l.done : 5 * SHOWN);
		window(marked.s, snippet);
	}
	str_free(&marked);
	return l.first != SIZE_MAX;
}

/* ---- the walk ---- */

#define COLUMNS "SELECT m.id, m.conversation, m.created, m.role, m.origin, c.case_id, c.customer, m.content, "
#define FILTERS \
	" AND (?3 = '' OR m.role = ?3) AND (?10 = '' OR c.customer LIKE '%' || ?10 || '%') AND (?4 = '' OR EXISTS (SELECT 1 FROM tags t" \
	" WHERE t.conversation = m.conversation AND t.tag = ?4)) AND (?5 = '' OR m.origin = ?5)" \
	" AND (?6 = '' OR c.case_id = ?6) AND (?7 = 0 OR m.created >= ?7) AND (?8 = 0 OR m.created < ?8)"
#define MATCHES(SNIPPET) COLUMNS SNIPPET \
	" FROM messages_fts f JOIN messages m ON m.id = f.rowid JOIN conversations c ON c.id = m.conversation" \
	" WHERE messages_fts MATCH ?1 AND f.rowid <= ?2 AND f.rowid >= ?11" FILTERS " ORDER BY f.rowid DESC LIMIT ?9"

struct walk {
	struct store *s;
	const struct query *q;
	bool (*each)(const struct store_hit *h, void *arg);
	void *arg;
	size_t left;                  /* hits that are still wanted */
	size_t budget;                /* rows to look at before giving up */
	int64_t last;                 /* the number looked at last */
	bool stopped;
};

enum way { BY_WORDS, BY_STEM, BY_NUMBER };

static int walk(struct walk *w, enum way way, int64_t from, int64_t to, struct err *e)
{
	const struct query *q = w->q;
	const char *role = q->from && (strcmp(q->from, "user") == 0 || strcmp(q->from, "assistant") == 0) ? q->from : "";
	struct str snippet = STR_INIT;
	sqlite3_stmt *st;
	int rc = 0;

	/* Walking numbers downwards reads no more matches than are shown; ranking would read them all. */
	if (way == BY_WORDS)
		st = store_statement(w->s, MATCHES("highlight(messages_fts, 0, char(2), char(3))"), e);
	else if (way == BY_STEM)
		st = store_statement(w->s, MATCHES("''"), e);
	else
		st = store_statement(w->s, COLUMNS "substr(m.content, 1, 120)"
			" FROM messages m CROSS JOIN conversations c ON c.id = m.conversation"
			" WHERE ?1 = '' AND m.id <= ?2 AND m.id >= ?11" FILTERS " ORDER BY m.id DESC LIMIT ?9", e);
	if (!st)
		return e && e->code ? e->code : ERR_IO;
	store_bind(st, "tittttiiiti", way == BY_STEM ? q->stem.s : q->match.s, to, role, q->tag, q->origin, q->case_id, q->after,
	           q->before, way == BY_STEM ? (int64_t)-1 : (int64_t)w->left, *role ? "" : q->from, from);
	while (w->left > 0 && !w->stopped && (rc = store_step(w->s, st, e)) == SQLITE_ROW) {
		struct store_hit h = {
			.message = sqlite3_column_int64(st, 0), .conversation = sqlite3_column_int64(st, 1),
			.created = sqlite3_column_int64(st, 2), .role = (const char *)sqlite3_column_text(st, 3),
			.origin = (const char *)sqlite3_column_text(st, 4), .case_id = (const char *)sqlite3_column_text(st, 5),
			.customer = (const char *)sqlite3_column_text(st, 6), .content = (const char *)sqlite3_column_text(st, 7),
			.snippet = (const char *)sqlite3_column_text(st, 8),
		};

		w->last = h.message;
		if (way == BY_STEM) {
			if (w->budget-- == 0)
				break;
			if (!look_for(w->s, q, h.content, (size_t)sqlite3_column_bytes(st, 7), &snippet))
				continue;
			h.snippet = snippet.s;
		} else if (way == BY_WORDS) {
			window(h.snippet, &snippet);
			h.snippet = snippet.s;
		}
		w->left--;
		w->stopped = !w->each(&h, w->arg);
	}
	sqlite3_reset(st);
	str_free(&snippet);
	return rc < 0 ? rc : 0;
}

static int walk_ranges(struct walk *w, struct store_ranges *r, struct err *e)
{
	const bool stem = w->q->open.len > 0;
	size_t i = 0;
	int rc = 0;

	if (w->q->match.len == 0) {
		for (; i < r->n && w->left > 0 && !w->stopped && rc == 0; i++)
			rc = walk(w, BY_NUMBER, r->v[i].from, r->v[i].to, e);
		return rc;
	}
	if (stem) {
		w->budget = WALK;
		for (; i < r->n && w->left > 0 && !w->stopped && rc == 0; i++) {
			rc = walk(w, BY_STEM, r->v[i].from, r->v[i].to, e);
			if (w->budget == SIZE_MAX) {      /* go on below the one that was one too many */
				r->v[i].to = w->last;
				break;
			}
		}
		if (i == r->n || rc < 0)
			return rc;
		/* every one of these walks begins by putting everything together: few of them then */
		if (r->n - i > 4) {
			r->v[i].from = r->v[r->n - 1].from;
			r->n = i + 1;
		}
	}
	for (; i < r->n && w->left > 0 && !w->stopped && rc == 0; i++)
		rc = walk(w, BY_WORDS, r->v[i].from, r->v[i].to, e);
	return rc;
}

int store_search(struct store *s, const char *query, size_t limit, int64_t before_id,
                 bool (*each)(const struct store_hit *h, void *arg), void *arg, struct err *e)
{
	struct query q = { .match = STR_INIT, .stem = STR_INIT, .open = STR_INIT };
	struct walk w = { .s = s, .q = &q, .each = each, .arg = arg, .left = limit };
	struct store_ranges r = { 0 };
	char *clean = store_clean(query, strlen(query));
	int rc = parse(&q, clean, e);

	free(clean);
	if (rc == 0)
		rc = find_stem(s, &q, e);
	if (rc == 0) {
		const bool role = q.from && (strcmp(q.from, "user") == 0 || strcmp(q.from, "assistant") == 0);
		const struct store_narrow narrow = {
			.customer = role ? NULL : q.from, .tag = q.tag, .origin = q.origin, .case_id = q.case_id, .after = q.after,
			.before = q.before,
		};

		rc = store_ranges(s, &narrow, before_id ? before_id - 1 : INT64_MAX, &r, e);
	}
	if (rc == 0)
		rc = walk_ranges(&w, &r, e);
	store_ranges_free(&r);
	query_free(&q);
	return rc;
}
