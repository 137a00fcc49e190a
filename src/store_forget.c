/* SPDX-License-Identifier: GPL-3.0-or-later */
/* store_forget: deleting by what a row says, and from the bytes of the file. */
#include "store_forget.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fold.h"
#include "base/mem.h"
#include "store_private.h"

/* ---- comparing, as SQL functions ---- */

struct wanted {
	char *text;                   /* folded, white space trimmed */
	struct str scratch;
};

static void wanted_free(void *arg)
{
	struct wanted *w = arg;

	free(w->text);
	str_free(&w->scratch);
	free(w);
}

/* holds(value, kind): kind 0 text, 1 JSON text, 2 bytes, 3 the whole text and no more. */
static void holds(sqlite3_context *c, int n, sqlite3_value **v)
{
	struct wanted *w = sqlite3_user_data(c);
	const int kind = sqlite3_value_int(v[1]);
	const void *p = kind == 2 ? sqlite3_value_blob(v[0]) : sqlite3_value_text(v[0]);
	const size_t len = (size_t)sqlite3_value_bytes(v[0]);
	bool yes = false;

	(void)n;
	if (p && kind == 2) {
		yes = fold_holds_bytes(p, len, w->text, strlen(w->text));
	} else if (p && kind == 0) {
		yes = fold_holds(p, len, w->text, &w->scratch);
	} else if (p) {
		str_reset(&w->scratch);
		if (kind == 1)
			fold_json(p, len, &w->scratch);
		else
			fold_text(p, len, true, &w->scratch);
		yes = kind == 1 ? strstr(w->scratch.s, w->text) != NULL : strcmp(w->scratch.s, w->text) == 0;
	}
	sqlite3_result_int(c, yes);
}

static int define_holds(struct store *s, const char *text, struct err *e)
{
	struct wanted *w = xcalloc(1, sizeof(*w));
	struct str folded = STR_INIT;
	int rc;

	fold_text(text, strlen(text), true, &folded);
	w->text = xstrdup(folded.s);
	str_free(&folded);
	w->scratch = (struct str)STR_INIT;
	rc = sqlite3_create_function_v2(s->db, "holds", 2, SQLITE_UTF8 | SQLITE_DIRECTONLY, w, holds, NULL, NULL, wanted_free);
	return rc == SQLITE_OK ? 0 : store_fail(s, rc, e);
}

/* ---- which rows ---- */

enum { CONVERSATION = 1, CUSTOMER = 2, PHRASE = 4, WHOLE = CONVERSATION | CUSTOMER };

struct step {
	int kinds;                    /* for which it is run */
	const char *table;            /* skipped where an old file has no such table */
	const char *sql;              /* ?1 the time, ?2 the conversation, ?3 when it began */
	size_t count;                 /* offset in store_forgotten that the changed rows are added to; 0: none ... */
};

/* ... since conversations, at offset 0, are counted by hand */
#define COUNT(field) offsetof(struct store_forgotten, field)

/* First which: conversations, messages, examples. */
static const struct step choose[] = {
	{ CONVERSATION, "conversations", "INSERT INTO doomed_conversations SELECT id FROM conversations WHERE id = ?2"
	  " AND created = ?3", 0 },
	{ CUSTOMER, "conversations", "INSERT INTO doomed_conversations SELECT id FROM conversations WHERE customer <> ''"
	  " AND holds(customer, 3)", 0 },
	{ WHOLE, "messages", "INSERT INTO doomed_messages SELECT id, conversation FROM messages WHERE conversation IN"
	  " (SELECT id FROM doomed_conversations)", 0 },
	{ PHRASE, "messages", "INSERT INTO doomed_messages SELECT id, conversation FROM messages WHERE holds(content, 0)", 0 },
	/* what was said before and after stands in an example too, with placeholders in it: all of its conversation goes */
	{ WHOLE | PHRASE, "examples", "INSERT OR IGNORE INTO doomed_examples SELECT id FROM examples WHERE conversation IN"
	  " (SELECT conversation FROM doomed_messages UNION SELECT id FROM doomed_conversations)"
	  " OR message IN (SELECT id FROM doomed_messages)", 0 },
	{ PHRASE, "examples", "INSERT OR IGNORE INTO doomed_examples SELECT id FROM examples WHERE holds(chat, 1)"
	  " OR holds(question, 0) OR holds(answer, 0) OR holds(suggested, 0) OR holds(vals, 1)", 0 },
	{ PHRASE, "decisions", "INSERT OR IGNORE INTO doomed_examples SELECT example FROM decisions WHERE holds(chat, 1)"
	  " OR holds(question, 0) OR holds(answer, 0)", 0 },
};

/* Then everything that says it, or hangs on it. */
static const struct step delete[] = {
	{ WHOLE | PHRASE, "run_examples", "INSERT OR IGNORE INTO tainted (model, created)"
	  " WITH RECURSIVE learned (model) AS (SELECT r.model FROM runs r JOIN run_examples x ON x.run = r.id"
	  "  WHERE x.example IN (SELECT id FROM doomed_examples) AND r.model <> ''"
	  "  UNION SELECT r.model FROM runs r JOIN learned l ON r.parent = l.model WHERE r.model <> '')"
	  " SELECT model, ?1 FROM learned", 0 },
	/* a number is given again: a later example must not count as learned by these */
	{ WHOLE | PHRASE, "run_examples", "DELETE FROM run_examples WHERE example IN (SELECT id FROM doomed_examples)", 0 },
	{ WHOLE | PHRASE, "examples", "DELETE FROM examples WHERE id IN (SELECT id FROM doomed_examples)", COUNT(examples) },
	{ WHOLE, "suggestions", "DELETE FROM suggestions WHERE conversation IN (SELECT id FROM doomed_conversations)",
	  COUNT(suggestions) },
	{ PHRASE, "suggestions", "DELETE FROM suggestions WHERE holds(text, 0)", COUNT(suggestions) },
	{ WHOLE, "drafts", "DELETE FROM drafts WHERE conversation IN (SELECT id FROM doomed_conversations)", COUNT(drafts) },
	{ PHRASE, "drafts", "DELETE FROM drafts WHERE holds(text, 0)", COUNT(drafts) },
	{ PHRASE, "canned", "DELETE FROM canned WHERE holds(name, 0) OR holds(text, 0)", COUNT(canned) },
	{ PHRASE, "tags", "DELETE FROM tags WHERE holds(tag, 0)", COUNT(fields) },
	{ PHRASE, "runs", "UPDATE runs SET detail = '{}' WHERE holds(detail, 1)", COUNT(fields) },
	{ PHRASE, "runs", "UPDATE runs SET outcome = '' WHERE holds(outcome, 0)", COUNT(fields) },
	{ PHRASE, "audit", "UPDATE audit SET detail = '' WHERE holds(detail, 1)", COUNT(fields) },
	{ PHRASE, "blobs", "DELETE FROM blobs WHERE name <> 'person' AND (holds(name, 0) OR holds(data, 2))", COUNT(fields) },
	{ PHRASE, "conversations", "UPDATE conversations SET customer = CASE WHEN holds(customer, 0) THEN '' ELSE customer END,"
	  " case_id = CASE WHEN holds(case_id, 0) THEN '' ELSE case_id END, company = CASE WHEN holds(company, 0) THEN ''"
	  " ELSE company END, source = CASE WHEN holds(source, 0) THEN '' ELSE source END WHERE holds(customer, 0)"
	  " OR holds(case_id, 0) OR holds(company, 0) OR holds(source, 0)", COUNT(fields) },
	{ WHOLE | PHRASE, "messages", "DELETE FROM messages WHERE id IN (SELECT id FROM doomed_messages)", COUNT(messages) },
	/* a conversation of which nothing is left goes too */
	{ PHRASE, "conversations", "INSERT OR IGNORE INTO doomed_conversations SELECT DISTINCT conversation FROM doomed_messages d"
	  " WHERE NOT EXISTS (SELECT 1 FROM messages m WHERE m.conversation = d.conversation)", 0 },
};

static bool has_table(struct store *s, const char *name)
{
	sqlite3_stmt *st = store_statement(s, "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?", NULL);
	bool yes;

	if (!st)
		return false;
	store_bind(st, "t", name);
	yes = store_step(s, st, NULL) == SQLITE_ROW;
	sqlite3_reset(st);
	return yes;
}

static int run_steps(struct store *s, const struct step *steps, size_t n, const struct store_forget *f,
                     struct store_forgotten *out, struct err *e)
{
	static const int bits[] = { CONVERSATION, CUSTOMER, PHRASE };

	for (size_t i = 0; i < n; i++) {
		sqlite3_stmt *st;
		int rc;

		if (!(steps[i].kinds & bits[f->kind]) || !has_table(s, steps[i].table))
			continue;
		if (sqlite3_prepare_v2(s->db, steps[i].sql, -1, &st, NULL) != SQLITE_OK)
			return store_fail(s, sqlite3_errcode(s->db), e);
		sqlite3_bind_int64(st, 1, store_now());      /* out of range where there is no such parameter: ignored */
		sqlite3_bind_int64(st, 2, f->conversation);
		sqlite3_bind_int64(st, 3, f->created);
		rc = sqlite3_step(st);
		if (rc != SQLITE_DONE) {
			store_fail(s, rc, e);
			sqlite3_finalize(st);
			return e ? e->code : ERR_IO;
		}
		sqlite3_finalize(st);
		if (steps[i].count)
			*(int64_t *)(void *)((char *)out + steps[i].count) += sqlite3_changes(s->db);
	}
	return 0;
}

static int tell_messages(struct store *s, const struct store_forget *f, struct err *e)
{
	sqlite3_stmt *st;
	int rc;

	if (!f->message)
		return 0;
	st = store_statement(s, "SELECT id, conversation, role, origin, content, created FROM messages"
	                     " WHERE id IN (SELECT id FROM doomed_messages)", e);
	if (!st)
		return ERR_IO;
	while ((rc = store_step(s, st, e)) == SQLITE_ROW) {
		struct store_message m = {
			.id = sqlite3_column_int64(st, 0), .conversation = sqlite3_column_int64(st, 1), .role = store_text(st, 2),
			.origin = store_text(st, 3), .content = store_text(st, 4), .created = sqlite3_column_int64(st, 5),
			.model = xstrdup(""),
		};

		m.len = strlen(m.content);
		f->message(&m, f->arg);
		store_message_free(&m);
	}
	sqlite3_reset(st);
	return rc < 0 ? rc : 0;
}

static int forget(struct store *s, const struct store_forget *f, struct store_forgotten *out, struct err *e)
{
	static const char *const names[] = { "a conversation", "a customer", "a phrase" };
	struct str detail = STR_INIT;
	int rc;

	/* never on the disk: they live in memory, and as long as the transaction */
	if ((rc = store_exec(s, "CREATE TEMP TABLE doomed_conversations (id INTEGER PRIMARY KEY);"
	                     "CREATE TEMP TABLE doomed_messages (id INTEGER PRIMARY KEY, conversation INTEGER);"
	                     "CREATE TEMP TABLE doomed_examples (id INTEGER PRIMARY KEY)", e)) < 0 ||
	    (rc = run_steps(s, choose, sizeof(choose) / sizeof(choose[0]), f, out, e)) < 0 ||
	    (rc = tell_messages(s, f, e)) < 0 ||
	    (rc = run_steps(s, delete, sizeof(delete) / sizeof(delete[0]), f, out, e)) < 0 ||
	    (rc = store_exec(s, "DELETE FROM conversations WHERE id IN (SELECT id FROM doomed_conversations)", e)) < 0)
		return rc;
	out->conversations = sqlite3_changes(s->db);
	if ((rc = store_exec(s, "DROP TABLE doomed_conversations; DROP TABLE doomed_messages; DROP TABLE doomed_examples", e)) < 0)
		return rc;
	str_addf(&detail, "%s: %lld conversations, %lld messages, %lld examples", names[f->kind], (long long)out->conversations,
	         (long long)out->messages, (long long)out->examples);
	rc = store_audit(s, "forgot", detail.s, e);
	str_free(&detail);
	return rc;
}

int store_forget(struct store *s, const struct store_forget *f, bool really, struct store_forgotten *out, struct err *e)
{
	struct str folded = STR_INIT;
	int rc;

	*out = (struct store_forgotten){ 0 };
	if (f->kind != STORE_FORGET_CONVERSATION) {
		fold_text(f->text, strlen(f->text), true, &folded);
		rc = folded.len < 2 ? err_set(e, ERR_USAGE, "'%.40s' is too short: it stands in nearly everything", f->text) : 0;
		str_free(&folded);
		if (rc < 0)
			return rc;
	}
	if ((rc = define_holds(s, f->text ? f->text : "", e)) < 0 || (rc = store_exec(s, "PRAGMA temp_store = MEMORY", e)) < 0 ||
	    (rc = store_begin(s, e)) < 0)
		return rc;
	rc = forget(s, f, out, e);
	if (rc < 0 || !really) {
		store_abandon(s);
		return rc;
	}
	return store_commit(s, e);
}

/* ---- from the bytes ---- */

/* The log's frames back into the file, and the log to length 0. */
static int empty_log(struct store *s, struct err *e)
{
	sqlite3_stmt *st;
	int rc, busy = 0;

	if (sqlite3_prepare_v2(s->db, "PRAGMA wal_checkpoint(TRUNCATE)", -1, &st, NULL) != SQLITE_OK)
		return store_fail(s, sqlite3_errcode(s->db), e);
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		busy = sqlite3_column_int(st, 0);
	sqlite3_finalize(st);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return store_fail(s, rc, e);
	if (busy)
		return err_set(e, ERR_BUSY, "%s-wal is in use by another program and still holds what was deleted: close that "
		               "one, then answerback db vacuum", s->path);
	return 0;
}

int store_scrub(struct store *s, struct err *e)
{
	int rc;

	/* Deleting from FTS5's index adds marks beside the words; building it anew leaves neither. */
	if ((rc = store_index_room(s, true, e)) < 0 ||
	    (rc = store_exec(s, "INSERT INTO messages_fts(messages_fts) VALUES ('rebuild')", e)) < 0 ||
	    (rc = store_index_room(s, false, e)) < 0 ||
	    (rc = store_exec(s, "INSERT INTO messages_fts(messages_fts) VALUES ('optimize')", e)) < 0 ||
	    (rc = empty_log(s, e)) < 0)
		return rc;
	sqlite3_limit(s->db, SQLITE_LIMIT_ATTACHED, 1);      /* VACUUM attaches its own copy */
	rc = store_exec(s, "VACUUM", e);
	sqlite3_limit(s->db, SQLITE_LIMIT_ATTACHED, 0);
	return rc < 0 ? rc : empty_log(s, e);
}

int store_settle(struct store *s, struct err *e)
{
	for (size_t i = 0; i < s->cached; i++)
		sqlite3_finalize(s->cache[i].st);
	s->cached = 0;
	return store_exec(s, "PRAGMA journal_mode = DELETE", e);
}

/* ---- copies ---- */

static const char noted[] = "backup";      /* in the audit trail */

int store_copy_noted(struct store *s, const char *path, struct err *e)
{
	char *whole = realpath(path, NULL);
	int rc = store_audit(s, noted, whole ? whole : path, e);

	free(whole);
	return rc;
}

static bool ends_in(const char *s, const char *end)
{
	const size_t n = strlen(s), k = strlen(end);

	return n >= k && strcmp(s + n - k, end) == 0;
}

/* NAME.v1.backup, NAME.before-restore, NAME.20260131-120000.backup, and what an interrupted copy left. */
static bool is_copy(const char *name, const char *base)
{
	const size_t n = strlen(base);

	return strncmp(name, base, n) == 0 && name[n] == '.' && !ends_in(name, "-wal") && !ends_in(name, "-shm") &&
		!ends_in(name, "-journal");
}

int store_copies(struct store *s, void (*each)(const char *path, bool there, void *arg), void *arg, struct err *e)
{
	const char *slash = strrchr(s->path, '/'), *base = slash ? slash + 1 : s->path;
	char *folder = slash ? xmemdup(s->path, (size_t)(slash - s->path)) : xstrdup("."), *here = realpath(folder, NULL);
	DIR *d = opendir(folder);
	struct str path = STR_INIT;
	sqlite3_stmt *st;
	struct dirent *f;
	int rc = 0;

	while (d && (f = readdir(d))) {
		if (!is_copy(f->d_name, base))
			continue;
		str_reset(&path);
		str_addf(&path, "%s/%s", folder, f->d_name);
		each(path.s, true, arg);
	}
	if (d)
		closedir(d);
	st = store_statement(s, "SELECT DISTINCT detail FROM audit WHERE what = ? AND detail <> ''", e);
	if (st) {
		store_bind(st, "t", noted);
		while ((rc = store_step(s, st, e)) == SQLITE_ROW) {
			const char *p = (const char *)sqlite3_column_text(st, 0), *cut = strrchr(p, '/');
			const bool beside = here && cut && strlen(here) == (size_t)(cut - p) && strncmp(p, here, (size_t)(cut - p)) == 0;

			if (!(beside && is_copy(cut + 1, base)))
				each(p, access(p, F_OK) == 0, arg);
		}
		sqlite3_reset(st);
	}
	str_free(&path);
	free(folder);
	free(here);
	return !st || rc < 0 ? e && e->code ? e->code : ERR_IO : 0;
}

int store_written(struct store *s, bool (*each)(const char *role, const char *text, size_t len, void *arg), void *arg,
                  struct err *e)
{
	sqlite3_stmt *st = store_statement(s, "SELECT role, content FROM messages WHERE origin IN ('typed', 'edited', 'suggested')"
	                                   " ORDER BY id", e);
	int rc;

	if (!st)
		return ERR_IO;
	while ((rc = store_step(s, st, e)) == SQLITE_ROW) {
		const char *text = (const char *)sqlite3_column_text(st, 1);

		if (!each((const char *)sqlite3_column_text(st, 0), text, (size_t)sqlite3_column_bytes(st, 1), arg))
			break;
	}
	sqlite3_reset(st);
	return rc < 0 ? rc : 0;
}
