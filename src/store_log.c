/* SPDX-License-Identifier: GPL-3.0-or-later */
/* store_log: conversations, messages, drafts, suggestions, imports. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store_private.h"

/* ---- conversations ---- */

void store_conversation_free(struct store_conversation *c)
{
	free(c->case_id);
	free(c->customer);
	free(c->company);
	free(c->state);
	free(c->source);
	free(c->tags);
	*c = (struct store_conversation){ 0 };
}

#define CONVERSATION \
	"SELECT c.id, c.case_id, c.customer, c.company, c.state, c.source, c.created, c.updated," \
	" (SELECT group_concat(tag) FROM (SELECT tag FROM tags WHERE conversation = c.id ORDER BY tag))," \
	" (SELECT count(*) FROM messages WHERE conversation = c.id) FROM conversations c "

static void read_conversation(sqlite3_stmt *st, struct store_conversation *c)
{
	*c = (struct store_conversation){
		.id = sqlite3_column_int64(st, 0), .case_id = store_text(st, 1), .customer = store_text(st, 2),
		.company = store_text(st, 3), .state = store_text(st, 4), .source = store_text(st, 5),
		.created = sqlite3_column_int64(st, 6), .updated = sqlite3_column_int64(st, 7),
		.tags = store_text(st, 8), .messages = sqlite3_column_int64(st, 9),
	};
}

int store_conversation_add(struct store *s, const char *case_id, const char *customer, const char *company,
                           const char *source, int64_t created, int64_t *id, struct err *e)
{
	const int64_t when = created ? created : store_now();
	int rc = store_run(s, e, "INSERT INTO conversations (case_id, customer, company, source, created, updated)"
	                   " VALUES (?, ?, ?, ?, ?, ?)", "ttttii", case_id, customer, company, source, when, when);

	if (rc == 0)
		*id = sqlite3_last_insert_rowid(s->db);
	return rc;
}

int store_conversation_get(struct store *s, int64_t id, struct store_conversation *c, struct err *e)
{
	sqlite3_stmt *st = store_statement(s, CONVERSATION "WHERE c.id = ?", e);
	int rc;

	*c = (struct store_conversation){ 0 };
	if (!st)
		return ERR_IO;
	store_bind(st, "i", id);
	rc = store_step(s, st, e);
	if (rc == SQLITE_ROW)
		read_conversation(st, c);
	sqlite3_reset(st);
	if (rc == SQLITE_DONE)
		return err_set(e, ERR_NOTFOUND, "there is no conversation %lld", (long long)id);
	return rc < 0 ? rc : 0;
}

int store_conversation_of_case(struct store *s, const char *case_id, int64_t *id, struct err *e)
{
	sqlite3_stmt *st = store_statement(s, "SELECT id FROM conversations WHERE case_id = ? AND case_id <> '' AND state = 'open'"
	                                   " ORDER BY id DESC LIMIT 1", e);
	int rc;

	if (!st)
		return ERR_IO;
	store_bind(st, "t", case_id);
	rc = store_step(s, st, e);
	if (rc == SQLITE_ROW)
		*id = sqlite3_column_int64(st, 0);
	sqlite3_reset(st);
	if (rc == SQLITE_DONE)
		return err_set(e, ERR_NOTFOUND, "no open conversation of case %.80s", case_id);
	return rc < 0 ? rc : 0;
}

int store_conversation_set(struct store *s, int64_t id, const char *field, const char *value, struct err *e)
{
	static const struct {
		const char *field, *sql;
	} fields[] = {
		{ "case_id", "UPDATE conversations SET case_id = ? WHERE id = ?" },
		{ "customer", "UPDATE conversations SET customer = ? WHERE id = ?" },
		{ "company", "UPDATE conversations SET company = ? WHERE id = ?" },
		{ "state", "UPDATE conversations SET state = ? WHERE id = ?" },
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (strcmp(field, fields[i].field) != 0)
			continue;

		char *clean = store_clean(value, strlen(value));
		int rc = store_run(s, e, fields[i].sql, "ti", clean, id);

		free(clean);
		if (rc == 0 && sqlite3_changes(s->db) == 0)
			return err_set(e, ERR_NOTFOUND, "there is no conversation %lld", (long long)id);
		return rc;
	}
	return err_set(e, ERR_USAGE, "a conversation has no '%s'", field);
}

int store_tag(struct store *s, int64_t id, const char *tag, bool on, struct err *e)
{
	if (!*tag || strlen(tag) > 60 || strpbrk(tag, ", \t\n\""))
		return err_set(e, ERR_USAGE, "a tag is one word without commas or quotes, at most 60 bytes");
	if (on)
		return store_run(s, e, "INSERT OR IGNORE INTO tags (conversation, tag) VALUES (?, ?)", "it", id, tag);
	return store_run(s, e, "DELETE FROM tags WHERE conversation = ? AND tag = ?", "it", id, tag);
}

int store_conversation_delete(struct store *s, int64_t id, struct err *e)
{
	int rc = store_begin(s, e);

	if (rc < 0)
		return rc;
	/* models that learned from it are known by their runs */
	if ((rc = store_run(s, e, "INSERT OR IGNORE INTO tainted (model, created)"
	                    " WITH RECURSIVE learned (model) AS (SELECT r.model FROM runs r JOIN run_examples x ON x.run = r.id"
	                    " JOIN examples e ON e.id = x.example WHERE e.conversation = ?2 AND r.model <> ''"
	                    " UNION SELECT r.model FROM runs r JOIN learned l ON r.parent = l.model WHERE r.model <> '')"
	                    " SELECT model, ?1 FROM learned", "ii", store_now(), id)) < 0 ||
	    /* numbers are given again: a later example must not count as learned */
	    (rc = store_run(s, e, "DELETE FROM run_examples WHERE example IN (SELECT id FROM examples WHERE conversation = ?)", "i", id)) < 0 ||
	    (rc = store_run(s, e, "DELETE FROM examples WHERE conversation = ?", "i", id)) < 0 ||
	    (rc = store_run(s, e, "DELETE FROM conversations WHERE id = ?", "i", id)) < 0) {
		store_abandon(s);
		return rc;
	}
	if (sqlite3_changes(s->db) == 0) {
		store_abandon(s);
		return err_set(e, ERR_NOTFOUND, "there is no conversation %lld", (long long)id);
	}
	if ((rc = store_audit(s, "deleted", "a conversation", e)) < 0) {
		store_abandon(s);
		return rc;
	}
	return store_commit(s, e);
}

int store_conversations(struct store *s, const struct store_filter *f, size_t limit, size_t offset,
                        bool (*each)(const struct store_conversation *c, void *arg), void *arg, struct err *e)
{
	/* An empty text or 0 lets everything through. Conversations are in the order of their last message. */
	sqlite3_stmt *st = store_statement(s, CONVERSATION
		"WHERE (?1 = '' OR c.customer LIKE '%' || ?1 || '%') AND (?2 = '' OR EXISTS (SELECT 1 FROM tags t WHERE"
		" t.conversation = c.id AND t.tag = ?2)) AND (?3 = '' OR EXISTS (SELECT 1 FROM messages m WHERE"
		" m.conversation = c.id AND m.origin = ?3)) AND (?4 = '' OR c.case_id = ?4) AND (?5 = '' OR c.state = ?5)"
		" AND (?6 = 0 OR c.updated >= ?6) AND (?7 = 0 OR c.updated < ?7)"
		" ORDER BY c.updated DESC, c.id DESC LIMIT ?8 OFFSET ?9", e);
	const struct store_filter any = { 0 };
	int rc;

	if (!st)
		return ERR_IO;
	f = f ? f : &any;
	store_bind(st, "tttttiiii", f->from, f->tag, f->origin, f->case_id, f->state, f->after, f->before,
	           (int64_t)limit, (int64_t)offset);
	while ((rc = store_step(s, st, e)) == SQLITE_ROW) {
		struct store_conversation c;
		bool go_on;

		read_conversation(st, &c);
		go_on = each(&c, arg);
		store_conversation_free(&c);
		if (!go_on)
			break;
	}
	sqlite3_reset(st);
	return rc < 0 ? rc : 0;
}

/* ---- messages ---- */

void store_message_free(struct store_message *m)
{
	free(m->role);
	free(m->origin);
	free(m->content);
	free(m->model);
	*m = (struct store_message){ 0 };
}

int store_message_add(struct store *s, struct store_message *m, struct err *e)
{
	char *content = store_clean(m->content, m->len);
	int rc = store_begin(s, e);

	if (rc < 0) {
		free(content);
		return rc;
	}
	if (m->created == 0)
		m->created = store_now();
	if ((rc = store_run(s, e, "INSERT INTO messages (conversation, role, origin, content, created, model, latency_ms)"
	                    " VALUES (?, ?, ?, ?, ?, ?, ?)", "itttitd", m->conversation, m->role, m->origin, content,
	                    m->created, m->model, m->latency_ms)) == 0) {
		m->id = sqlite3_last_insert_rowid(s->db);
		/* a clock that went back must not make a conversation older than it was */
		rc = store_run(s, e, "UPDATE conversations SET updated = max(updated, ?) WHERE id = ?", "ii", m->created,
		               m->conversation);
	}
	free(content);
	if (rc == 0)
		return store_commit(s, e);
	store_abandon(s);
	return rc;
}

int store_messages(struct store *s, int64_t conversation,
                   bool (*each)(const struct store_message *m, void *arg), void *arg, struct err *e)
{
	sqlite3_stmt *st = store_statement(s, "SELECT m.id, m.role, m.origin, m.content, m.created, m.model, m.latency_ms,"
	                                   " coalesce(r.rating, 0) FROM messages m LEFT JOIN ratings r ON r.message = m.id"
	                                   " WHERE m.conversation = ? ORDER BY m.id", e);
	int rc;

	if (!st)
		return ERR_IO;
	store_bind(st, "i", conversation);
	while ((rc = store_step(s, st, e)) == SQLITE_ROW) {
		struct store_message m = {
			.id = sqlite3_column_int64(st, 0), .conversation = conversation, .role = store_text(st, 1),
			.origin = store_text(st, 2), .content = store_text(st, 3), .created = sqlite3_column_int64(st, 4),
			.model = store_text(st, 5), .latency_ms = sqlite3_column_double(st, 6),
			.rating = sqlite3_column_int(st, 7),
		};
		bool go_on;

		m.len = strlen(m.content);
		go_on = each(&m, arg);
		store_message_free(&m);
		if (!go_on)
			break;
	}
	sqlite3_reset(st);
	return rc < 0 ? rc : 0;
}

int store_message_rate(struct store *s, int64_t message, int rating, struct err *e)
{
	if (rating == 0)
		return store_run(s, e, "DELETE FROM ratings WHERE message = ?", "i", message);
	return store_run(s, e, "INSERT INTO ratings (message, rating, created) VALUES (?, ?, ?) ON CONFLICT (message) DO"
	                 " UPDATE SET rating = excluded.rating, created = excluded.created", "iii", message,
	                 (int64_t)(rating > 0 ? 1 : -1), store_now());
}

/* ---- drafts ---- */

int store_draft_set(struct store *s, int64_t conversation, const char *text, struct err *e)
{
	char *clean;
	int rc;

	if (!text || !*text)
		return store_run(s, e, "DELETE FROM drafts WHERE conversation = ?", "i", conversation);
	clean = store_clean(text, strlen(text));
	rc = store_run(s, e, "INSERT INTO drafts (conversation, text, updated) VALUES (?, ?, ?) ON CONFLICT (conversation) DO"
	               " UPDATE SET text = excluded.text, updated = excluded.updated", "iti", conversation, clean, store_now());
	free(clean);
	return rc;
}

int store_draft_get(struct store *s, int64_t conversation, char **text, struct err *e)
{
	sqlite3_stmt *st = store_statement(s, "SELECT text FROM drafts WHERE conversation = ?", e);
	int rc;

	*text = NULL;
	if (!st)
		return ERR_IO;
	store_bind(st, "i", conversation);
	rc = store_step(s, st, e);
	*text = rc == SQLITE_ROW ? store_text(st, 0) : xstrdup("");
	sqlite3_reset(st);
	return rc < 0 ? rc : 0;
}

/* ---- suggestions ---- */

int store_suggestion_add(struct store *s, struct store_suggestion *g, struct err *e)
{
	char *clean = store_clean(g->text, strlen(g->text));
	int rc = store_run(s, e, "INSERT INTO suggestions (conversation, kind, origin, text, model, fate, score, confidence,"
	                   " latency_ms, chars, created) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", "otttttdddii",
	                   g->conversation, g->kind, g->origin, clean, g->model, g->fate ? g->fate : "shown", g->score,
	                   g->confidence, g->latency_ms, g->chars, g->created ? g->created : store_now());

	free(clean);
	if (rc == 0)
		g->id = sqlite3_last_insert_rowid(s->db);
	return rc;
}

int store_suggestion_fate(struct store *s, int64_t id, const char *fate, int64_t chars, struct err *e)
{
	return store_run(s, e, "UPDATE suggestions SET fate = ?, chars = ? WHERE id = ?", "tii", fate, chars, id);
}

/* ---- imports ---- */

int store_import_seen(struct store *s, const char *hash, bool *seen, struct err *e)
{
	sqlite3_stmt *st = store_statement(s, "SELECT 1 FROM imports WHERE hash = ?", e);
	int rc;

	if (!st)
		return ERR_IO;
	store_bind(st, "t", hash);
	rc = store_step(s, st, e);
	*seen = rc == SQLITE_ROW;
	sqlite3_reset(st);
	return rc < 0 ? rc : 0;
}

int store_import_once(struct store *s, const char *hash, int64_t conversation, bool *fresh, struct err *e)
{
	int rc = store_run(s, e, "INSERT OR IGNORE INTO imports (hash, conversation, created) VALUES (?, ?, ?)", "toi", hash,
	                   conversation, store_now());

	*fresh = rc == 0 && sqlite3_changes(s->db) > 0;
	return rc;
}
