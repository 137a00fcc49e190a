/* SPDX-License-Identifier: GPL-3.0-or-later */
/* store_import: many conversations at a time. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store_private.h"

/* The trigger that indexes a message makes FTS5 write what it has gathered to disk each time (a statement
 * inside a trigger opens a savepoint), which is three quarters of the cost of importing. So while a
 * bulk transaction runs there are no triggers on this connection, and its messages are indexed in one
 * statement at its end, in memory as far as they fit (hashsize). Merging segments a little at every commit
 * waits too. Both settings are kept in the database, so they go back in the same transaction: a kill in
 * the middle leaves everything as it was. */
int store_bulk_begin(struct store *s, struct err *e)
{
	sqlite3_stmt *st;
	int rc = store_begin(s, e);

	if (rc < 0)
		return rc;
	st = store_statement(s, "SELECT coalesce(max(id), 0) FROM messages", e);
	rc = st ? store_step(s, st, e) : ERR_IO;
	if (rc == SQLITE_ROW) {
		s->bulk_after = sqlite3_column_int64(st, 0);
		sqlite3_reset(st);
		rc = store_run(s, e, "INSERT INTO messages_fts(messages_fts, rank) VALUES ('automerge', 0)", "");
		if (rc == 0)
			rc = store_run(s, e, "INSERT INTO messages_fts(messages_fts, rank) VALUES ('hashsize', 33554432)", "");
	}
	if (rc < 0) {
		store_abandon(s);
		return rc;
	}
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	return 0;
}

int store_bulk_commit(struct store *s, struct err *e)
{
	int rc = store_run(s, e, "INSERT INTO messages_fts(rowid, content) SELECT id, content FROM messages WHERE id > ?", "i",
	                   s->bulk_after);

	if (rc == 0)      /* the other trigger's work (store_schema.c) */
		rc = store_run(s, e, "INSERT INTO spans SELECT id >> 10, min(created), max(created) FROM messages WHERE id > ?"
		               " GROUP BY id >> 10 ON CONFLICT (chunk) DO UPDATE SET oldest = min(oldest, excluded.oldest),"
		               " newest = max(newest, excluded.newest)", "i", s->bulk_after);
	if (rc == 0)      /* FTS5's defaults */
		rc = store_run(s, e, "INSERT INTO messages_fts(messages_fts, rank) VALUES ('automerge', 4)", "");
	if (rc == 0)
		rc = store_run(s, e, "INSERT INTO messages_fts(messages_fts, rank) VALUES ('hashsize', 1048576)", "");
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 1, NULL);
	if (rc == 0)
		return store_commit(s, e);
	store_abandon(s);
	return rc;
}

void store_bulk_abandon(struct store *s)
{
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 1, NULL);
	store_abandon(s);
}

/* The row asked for when it is within reach: a made-up one near the largest number would leave no room above. */
static int wanted_row(struct store *s, int64_t *id, struct err *e)
{
	sqlite3_stmt *st;
	int rc;

	if (*id <= 0) {
		*id = 0;
		return 0;
	}
	st = store_statement(s, "SELECT coalesce(max(id), 0) FROM conversations", e);
	rc = st ? store_step(s, st, e) : ERR_IO;
	if (rc < 0)
		return rc;
	if (rc == SQLITE_ROW && *id > sqlite3_column_int64(st, 0) + 1000000)
		*id = 0;
	sqlite3_reset(st);
	return 0;
}

static int add_conversation(struct store *s, struct store_conversation *c, const struct store_message *m, size_t n,
                            struct err *e)
{
	int64_t created = c->created ? c->created : n && m[0].created ? m[0].created : store_now(), updated = created;
	char *case_id = store_clean(c->case_id ? c->case_id : "", c->case_id ? strlen(c->case_id) : 0);
	char *customer = store_clean(c->customer ? c->customer : "", c->customer ? strlen(c->customer) : 0);
	char *company = store_clean(c->company ? c->company : "", c->company ? strlen(c->company) : 0);
	char *source = store_clean(c->source ? c->source : "", c->source ? strlen(c->source) : 0);
	const char *state = c->state && strcmp(c->state, "closed") == 0 ? "closed" : "open";
	int rc;

	for (size_t i = 0; i < n; i++)
		updated = m[i].created > updated ? m[i].created : updated;
	rc = store_run(s, e, "INSERT OR IGNORE INTO conversations (id, case_id, customer, company, state, source, created, updated)"
	               " VALUES (?, ?, ?, ?, ?, ?, ?, ?)", "otttttii", c->id, case_id, customer, company, state, source,
	               created, updated);
	if (rc == 0 && sqlite3_changes(s->db) == 0)      /* the row it asked for is taken */
		rc = store_run(s, e, "INSERT INTO conversations (case_id, customer, company, state, source, created, updated)"
		               " VALUES (?, ?, ?, ?, ?, ?, ?)", "tttttii", case_id, customer, company, state, source, created,
		               updated);
	if (rc == 0) {
		c->id = sqlite3_last_insert_rowid(s->db);
		c->created = created;
	}
	free(case_id);
	free(customer);
	free(company);
	free(source);
	return rc;
}

static int add_tags(struct store *s, const struct store_conversation *c, struct err *e)
{
	const char *p = c->tags ? c->tags : "";
	int rc = 0;

	while (*p && rc == 0) {
		size_t n = strcspn(p, ",");

		if (n) {
			char *tag = xmemdup(p, n);

			rc = store_tag(s, c->id, tag, true, e);
			free(tag);
		}
		p += n + (p[n] == ',');
	}
	return rc;
}

static int add_messages(struct store *s, int64_t conversation, int64_t created, const struct store_message *m, size_t n,
                        struct err *e)
{
	int rc = 0;

	for (size_t i = 0; i < n && rc == 0; i++) {
		char *content = store_clean(m[i].content, m[i].len);

		rc = store_run(s, e, "INSERT INTO messages (conversation, role, origin, content, created, model, latency_ms)"
		               " VALUES (?, ?, ?, ?, ?, ?, ?)", "itttitd", conversation, m[i].role, m[i].origin, content,
		               m[i].created ? m[i].created : created, m[i].model, m[i].latency_ms);
		free(content);
		if (rc == 0 && m[i].rating)
			rc = store_message_rate(s, sqlite3_last_insert_rowid(s->db), m[i].rating, e);
	}
	return rc;
}

int store_import_add(struct store *s, struct store_conversation *c, const struct store_message *m, size_t n,
                     const char *hash, struct err *e)
{
	bool fresh;
	int rc = store_begin(s, e);

	if (rc < 0)
		return rc;
	if ((rc = wanted_row(s, &c->id, e)) == 0 && (rc = add_conversation(s, c, m, n, e)) == 0 && (rc = add_tags(s, c, e)) == 0 &&
	    (rc = add_messages(s, c->id, c->created, m, n, e)) == 0 && (rc = store_import_once(s, hash, c->id, &fresh, e)) == 0)
		return store_commit(s, e);
	store_abandon(s);
	return rc;
}

int store_import_append(struct store *s, int64_t conversation, const struct store_message *m, size_t n, const char *hash,
                        struct err *e)
{
	const int64_t now = store_now();
	int64_t updated = 0;
	bool fresh;
	int rc = store_begin(s, e);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < n; i++)
		updated = m[i].created > updated ? m[i].created : updated;
	if ((rc = add_messages(s, conversation, now, m, n, e)) == 0 &&
	    (rc = store_run(s, e, "UPDATE conversations SET updated = max(updated, ?) WHERE id = ?", "ii", updated ? updated : now,
	                    conversation)) == 0 &&
	    (rc = store_import_once(s, hash, conversation, &fresh, e)) == 0)
		return store_commit(s, e);
	store_abandon(s);
	return rc;
}

int store_import_find(struct store *s, const char *hash, int64_t *conversation, struct err *e)
{
	sqlite3_stmt *st = store_statement(s, "SELECT coalesce(conversation, 0) FROM imports WHERE hash = ?", e);
	int rc;

	*conversation = 0;
	if (!st)
		return ERR_IO;
	store_bind(st, "t", hash);
	rc = store_step(s, st, e);
	if (rc == SQLITE_ROW)
		*conversation = sqlite3_column_int64(st, 0);
	sqlite3_reset(st);
	return rc < 0 ? rc : 0;
}

int store_import_point(struct store *s, const char *hash, int64_t conversation, struct err *e)
{
	return store_run(s, e, "INSERT INTO imports (hash, conversation, created) VALUES (?, ?, ?) ON CONFLICT (hash) DO UPDATE SET"
	                 " conversation = excluded.conversation, created = excluded.created", "tii", hash, conversation, store_now());
}
