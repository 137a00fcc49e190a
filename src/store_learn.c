/* SPDX-License-Identifier: GPL-3.0-or-later */
/* store_learn: examples and their decisions, vectors, named bytes, canned replies, runs, audit. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store_private.h"

void store_example_free(struct store_example *x)
{
	free(x->chat);
	free(x->question);
	free(x->answer);
	free(x->suggested);
	free(x->state);
	free(x->origin);
	free(x->flags);
	free(x->values);
	*x = (struct store_example){ 0 };
}

static int changed(struct store *s, int rc, struct err *e)
{
	if (rc == 0)
		return store_commit(s, e);
	store_abandon(s);
	return rc;
}

/* The audit trail says what changed, never what was said. */
static int audit_example(struct store *s, const char *what, int64_t id, const char *how, struct err *e)
{
	char detail[64];

	snprintf(detail, sizeof(detail), "example %lld: %.30s", (long long)id, how);
	return store_audit(s, what, detail, e);
}

int store_example_add(struct store *s, struct store_example *x, struct err *e)
{
	const int64_t when = store_now();
	int rc = store_begin(s, e);

	if (rc < 0)
		return rc;

	if (x->created == 0)
		x->created = when;
	if (strcmp(x->state, "proposed") != 0 && x->decided == 0)
		x->decided = when;
	rc = store_run(s, e, "INSERT INTO examples (conversation, message, chat, question, answer, suggested, state, origin,"
	               " flags, vals, weight, created, decided) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	               "oottttttttdii", x->conversation, x->message, x->chat, x->question, x->answer, x->suggested, x->state,
	               x->origin, x->flags, x->values ? x->values : "{}", x->weight, x->created, x->decided);
	if (rc == 0) {
		x->id = sqlite3_last_insert_rowid(s->db);
		rc = audit_example(s, x->state, x->id, x->origin, e);
	}
	return changed(s, rc, e);
}

#define EXAMPLE "SELECT id, conversation, message, chat, question, answer, suggested, state, origin, flags, vals, weight," \
	" created, decided FROM examples "

static void read_example(sqlite3_stmt *st, struct store_example *x)
{
	*x = (struct store_example){
		.id = sqlite3_column_int64(st, 0), .conversation = sqlite3_column_int64(st, 1),
		.message = sqlite3_column_int64(st, 2), .chat = store_text(st, 3), .question = store_text(st, 4),
		.answer = store_text(st, 5), .suggested = store_text(st, 6), .state = store_text(st, 7),
		.origin = store_text(st, 8), .flags = store_text(st, 9), .values = store_text(st, 10),
		.weight = sqlite3_column_double(st, 11), .created = sqlite3_column_int64(st, 12),
		.decided = sqlite3_column_int64(st, 13),
	};
}

int store_example_get(struct store *s, int64_t id, struct store_example *x, struct err *e)
{
	sqlite3_stmt *st = store_statement(s, EXAMPLE "WHERE id = ?", e);
	int rc;

	*x = (struct store_example){ 0 };
	if (!st)
		return ERR_IO;
	store_bind(st, "i", id);
	rc = store_step(s, st, e);
	if (rc == SQLITE_ROW)
		read_example(st, x);
	sqlite3_reset(st);
	if (rc == SQLITE_DONE)
		return err_set(e, ERR_NOTFOUND, "there is no example %lld", (long long)id);
	return rc < 0 ? rc : 0;
}

int store_examples(struct store *s, const char *state,
                   bool (*each)(const struct store_example *x, void *arg), void *arg, struct err *e)
{
	/* The bigger the difference between what was suggested and what was sent, the more there is to learn;
	 * the lengths are a cheap stand-in that needs no text in SQL. */
	sqlite3_stmt *st = store_statement(s, EXAMPLE "WHERE ?1 = '' OR state = ?1 ORDER BY"
		" CASE WHEN state = 'proposed' THEN 0 ELSE 1 END,"
		" CASE WHEN state = 'proposed' THEN -abs(length(answer) - length(suggested)) ELSE 0 END, id", e);
	int rc;

	if (!st)
		return ERR_IO;
	store_bind(st, "t", state);
	while ((rc = store_step(s, st, e)) == SQLITE_ROW) {
		struct store_example x;
		bool go_on;

		read_example(st, &x);
		go_on = each(&x, arg);
		store_example_free(&x);
		if (!go_on)
			break;
	}
	sqlite3_reset(st);
	return rc < 0 ? rc : 0;
}

/* What it is now, for undo; then the change; in one transaction. */
static int change(struct store *s, int64_t id, struct err *e)
{
	int rc = store_begin(s, e);

	if (rc < 0)
		return rc;
	rc = store_run(s, e, "INSERT INTO decisions (example, chat, question, answer, state, created)"
	               " SELECT id, chat, question, answer, state, ? FROM examples WHERE id = ?", "ii", store_now(), id);
	if (rc == 0 && sqlite3_changes(s->db) == 0)
		rc = err_set(e, ERR_NOTFOUND, "there is no example %lld", (long long)id);
	if (rc < 0)
		store_abandon(s);
	return rc;
}

int store_example_decide(struct store *s, int64_t id, const char *state, struct err *e)
{
	int rc = change(s, id, e);

	if (rc < 0)
		return rc;
	rc = store_run(s, e, "UPDATE examples SET state = ?, decided = ? WHERE id = ?", "tii", state, store_now(), id);
	if (rc == 0)
		rc = audit_example(s, state, id, "decided", e);
	return changed(s, rc, e);
}

int store_example_edit(struct store *s, int64_t id, const char *chat, const char *question, const char *answer, struct err *e)
{
	int rc = change(s, id, e);

	if (rc < 0)
		return rc;
	rc = store_run(s, e, "UPDATE examples SET chat = ?, question = ?, answer = ? WHERE id = ?", "ttti", chat, question,
	               answer, id);
	if (rc == 0)      /* the vector was of the old words */
		rc = store_run(s, e, "DELETE FROM vectors WHERE example = ?", "i", id);
	if (rc == 0)
		rc = audit_example(s, "edited", id, "answer", e);
	return changed(s, rc, e);
}

int store_example_settle(struct store *s, int64_t id, const char *chat, const char *answer, const char *state, struct err *e)
{
	int rc = change(s, id, e);

	if (rc < 0)
		return rc;
	rc = store_run(s, e, "UPDATE examples SET chat = ?, answer = ?, state = ?, decided = ? WHERE id = ?", "tttii", chat, answer,
	               state, store_now(), id);
	if (rc == 0)
		rc = store_run(s, e, "DELETE FROM vectors WHERE example = ?", "i", id);
	return changed(s, rc, e);
}

int store_example_undo(struct store *s, int64_t *id, struct err *e)
{
	sqlite3_stmt *st;
	int64_t decision = 0;
	int rc = store_begin(s, e);

	if (rc < 0)
		return rc;
	st = store_statement(s, "SELECT id, example FROM decisions ORDER BY id DESC LIMIT 1", e);
	rc = st ? store_step(s, st, e) : ERR_IO;
	if (rc == SQLITE_ROW) {
		decision = sqlite3_column_int64(st, 0);
		*id = sqlite3_column_int64(st, 1);
	}
	if (st)
		sqlite3_reset(st);
	if (rc == SQLITE_DONE)
		rc = err_set(e, ERR_NOTFOUND, "there is nothing to undo");
	if (rc == SQLITE_ROW) {
		rc = store_run(s, e, "UPDATE examples SET (chat, question, answer, state) = (SELECT chat, question, answer, state"
		               " FROM decisions WHERE id = ?1) WHERE id = ?2", "ii", decision, *id);
		if (rc == 0)
			rc = store_run(s, e, "DELETE FROM vectors WHERE example = ?", "i", *id);
		if (rc == 0)
			rc = store_run(s, e, "DELETE FROM decisions WHERE id = ?", "i", decision);
		if (rc == 0)
			rc = audit_example(s, "undone", *id, "decision", e);
	}
	return changed(s, rc, e);
}

/* ---- vectors, blobs, canned ---- */

int store_vector_set(struct store *s, int64_t example, const char *version, const void *data, size_t bytes, struct err *e)
{
	return store_run(s, e, "INSERT INTO vectors (example, version, data) VALUES (?, ?, ?) ON CONFLICT (example) DO UPDATE SET"
	                 " version = excluded.version, data = excluded.data", "itb", example, version, data, bytes);
}

int store_vectors(struct store *s, const char *version,
                  bool (*each)(int64_t example, const void *data, size_t bytes, void *arg), void *arg, struct err *e)
{
	sqlite3_stmt *st = store_statement(s, "SELECT example, data FROM vectors WHERE version = ? ORDER BY example", e);
	int rc;

	if (!st)
		return ERR_IO;
	store_bind(st, "t", version);
	while ((rc = store_step(s, st, e)) == SQLITE_ROW) {
		const void *data = sqlite3_column_blob(st, 1);

		if (!each(sqlite3_column_int64(st, 0), data, (size_t)sqlite3_column_bytes(st, 1), arg))
			break;
	}
	sqlite3_reset(st);
	return rc < 0 ? rc : 0;
}

int store_blob_set(struct store *s, const char *name, const void *data, size_t bytes, struct err *e)
{
	if (!data)
		return store_run(s, e, "DELETE FROM blobs WHERE name = ?", "t", name);
	return store_run(s, e, "INSERT INTO blobs (name, data, updated) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET"
	                 " data = excluded.data, updated = excluded.updated", "tbi", name, data, bytes, store_now());
}

int store_blob_get(struct store *s, const char *name, void **data, size_t *bytes, struct err *e)
{
	sqlite3_stmt *st = store_statement(s, "SELECT data FROM blobs WHERE name = ?", e);
	int rc;

	*data = NULL;
	*bytes = 0;
	if (!st)
		return ERR_IO;
	store_bind(st, "t", name);
	rc = store_step(s, st, e);
	if (rc == SQLITE_ROW) {
		const void *p = sqlite3_column_blob(st, 0);

		*bytes = (size_t)sqlite3_column_bytes(st, 0);
		*data = xmemdup(p ? p : "", *bytes);
	}
	sqlite3_reset(st);
	return rc < 0 ? rc : 0;
}

int store_canned_set(struct store *s, const char *name, const char *text, struct err *e)
{
	char *clean;
	int rc;

	if (!text) {
		rc = store_run(s, e, "DELETE FROM canned WHERE name = ?", "t", name);
		if (rc == 0 && sqlite3_changes(s->db) == 0)
			return err_set(e, ERR_NOTFOUND, "there is no canned reply '%.60s'", name);
		return rc;
	}
	clean = store_clean(text, strlen(text));
	rc = store_run(s, e, "INSERT INTO canned (name, text, created) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET"
	               " text = excluded.text", "tti", name, clean, store_now());
	free(clean);
	return rc;
}

int store_canned(struct store *s, bool (*each)(const char *name, const char *text, void *arg), void *arg, struct err *e)
{
	sqlite3_stmt *st = store_statement(s, "SELECT name, text FROM canned ORDER BY name", e);
	int rc;

	if (!st)
		return ERR_IO;
	while ((rc = store_step(s, st, e)) == SQLITE_ROW)
		if (!each((const char *)sqlite3_column_text(st, 0), (const char *)sqlite3_column_text(st, 1), arg))
			break;
	sqlite3_reset(st);
	return rc < 0 ? rc : 0;
}

/* ---- runs and audit ---- */

int store_run_add(struct store *s, const char *kind, const char *model, const char *parent, const char *outcome,
                  const char *detail, int64_t started, const int64_t *examples, size_t n, struct err *e)
{
	int64_t run;
	int rc = store_begin(s, e);

	if (rc < 0)
		return rc;
	rc = store_run(s, e, "INSERT INTO runs (kind, model, parent, outcome, detail, started, ended) VALUES (?, ?, ?, ?, ?, ?, ?)",
	               "tttttii", kind, model, parent, outcome, detail, started, store_now());
	run = sqlite3_last_insert_rowid(s->db);
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = store_run(s, e, "INSERT OR IGNORE INTO run_examples (run, example) VALUES (?, ?)", "ii", run, examples[i]);
	if (rc == 0 && *model)      /* a name is given again after the newest version was removed */
		rc = store_run(s, e, "DELETE FROM tainted WHERE model = ?", "t", model);
	if (rc == 0 && *model)      /* forgotten while it was being learned */
		rc = store_run(s, e, "INSERT OR IGNORE INTO tainted (model, created) SELECT ?1, ?2 FROM run_examples x WHERE x.run = ?3"
		               " AND NOT EXISTS (SELECT 1 FROM examples e WHERE e.id = x.example)", "tii", model, store_now(), run);
	if (rc == 0 && *model)      /* it grew from one that had */
		rc = store_run(s, e, "INSERT OR IGNORE INTO tainted (model, created) SELECT ?1, ?2 FROM tainted WHERE model = ?3", "tit",
		               model, store_now(), parent);
	return changed(s, rc, e);
}

int store_audit(struct store *s, const char *what, const char *detail, struct err *e)
{
	return store_run(s, e, "INSERT INTO audit (what, detail, created) VALUES (?, ?, ?)", "tti", what, detail, store_now());
}

int store_audits(struct store *s, size_t limit, bool (*each)(int64_t when, const char *what, const char *detail, void *arg),
                 void *arg, struct err *e)
{
	sqlite3_stmt *st = store_statement(s, "SELECT created, what, detail FROM audit ORDER BY id DESC LIMIT ?", e);
	int rc;

	if (!st)
		return ERR_IO;
	store_bind(st, "i", (int64_t)limit);
	while ((rc = store_step(s, st, e)) == SQLITE_ROW)
		if (!each(sqlite3_column_int64(st, 0), (const char *)sqlite3_column_text(st, 1), (const char *)sqlite3_column_text(st, 2), arg))
			break;
	sqlite3_reset(st);
	return rc < 0 ? rc : 0;
}

int store_tainted(struct store *s, bool (*each)(const char *model, void *arg), void *arg, struct err *e)
{
	sqlite3_stmt *st = store_statement(s, "SELECT model FROM tainted ORDER BY model", e);
	int rc;

	if (!st)
		return ERR_IO;
	while ((rc = store_step(s, st, e)) == SQLITE_ROW)
		if (!each((const char *)sqlite3_column_text(st, 0), arg))
			break;
	sqlite3_reset(st);
	return rc < 0 ? rc : 0;
}

bool store_model_tainted(struct store *s, const char *model)
{
	sqlite3_stmt *st = store_statement(s, "SELECT 1 FROM tainted WHERE model = ?", NULL);
	bool yes;

	if (!st)
		return false;
	store_bind(st, "t", model);
	yes = store_step(s, st, NULL) == SQLITE_ROW;
	sqlite3_reset(st);
	return yes;
}
