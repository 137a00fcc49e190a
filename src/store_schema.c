/* SPDX-License-Identifier: GPL-3.0-or-later */
/* store_schema: the tables, as migrations from each version to the next. One that has shipped is
 * never changed: add another. */
#include "store_private.h"

const char *const store_schema[STORE_VERSION] = {
	/* 0 -> 1 */
	"CREATE TABLE conversations (id INTEGER PRIMARY KEY, case_id TEXT NOT NULL DEFAULT '', customer TEXT NOT NULL DEFAULT '',"
	"  company TEXT NOT NULL DEFAULT '', state TEXT NOT NULL DEFAULT 'open', source TEXT NOT NULL DEFAULT '',"
	"  created INTEGER NOT NULL, updated INTEGER NOT NULL) STRICT;"
	"CREATE INDEX conversations_case ON conversations (case_id) WHERE case_id <> '';"
	"CREATE INDEX conversations_updated ON conversations (updated);"
	"CREATE TABLE tags (conversation INTEGER NOT NULL REFERENCES conversations ON DELETE CASCADE, tag TEXT NOT NULL,"
	"  PRIMARY KEY (conversation, tag)) STRICT, WITHOUT ROWID;"
	"CREATE INDEX tags_tag ON tags (tag);"
	"CREATE TABLE messages (id INTEGER PRIMARY KEY, conversation INTEGER NOT NULL REFERENCES conversations ON DELETE CASCADE,"
	"  role TEXT NOT NULL, origin TEXT NOT NULL, content TEXT NOT NULL, created INTEGER NOT NULL,"
	"  model TEXT NOT NULL DEFAULT '', latency_ms REAL NOT NULL DEFAULT 0) STRICT;"
	"CREATE INDEX messages_conversation ON messages (conversation, id);"
	"CREATE VIRTUAL TABLE messages_fts USING fts5(content, content='messages', content_rowid='id', prefix='1 2 3',"
	"  tokenize='unicode61 remove_diacritics 2');"
	"CREATE TRIGGER messages_insert AFTER INSERT ON messages BEGIN"
	"  INSERT INTO messages_fts(rowid, content) VALUES (new.id, new.content); END;"
	"CREATE TRIGGER messages_delete AFTER DELETE ON messages BEGIN"
	"  INSERT INTO messages_fts(messages_fts, rowid, content) VALUES ('delete', old.id, old.content); END;"
	"CREATE TRIGGER messages_update AFTER UPDATE OF content ON messages BEGIN"
	"  INSERT INTO messages_fts(messages_fts, rowid, content) VALUES ('delete', old.id, old.content);"
	"  INSERT INTO messages_fts(rowid, content) VALUES (new.id, new.content); END;"
	"CREATE TABLE drafts (conversation INTEGER PRIMARY KEY REFERENCES conversations ON DELETE CASCADE, text TEXT NOT NULL,"
	"  updated INTEGER NOT NULL) STRICT;"
	"CREATE TABLE suggestions (id INTEGER PRIMARY KEY, conversation INTEGER REFERENCES conversations ON DELETE CASCADE,"
	"  kind TEXT NOT NULL, origin TEXT NOT NULL, text TEXT NOT NULL, model TEXT NOT NULL, fate TEXT NOT NULL,"
	"  score REAL NOT NULL, confidence REAL NOT NULL, latency_ms REAL NOT NULL, chars INTEGER NOT NULL DEFAULT 0,"
	"  created INTEGER NOT NULL) STRICT;"
	"CREATE INDEX suggestions_conversation ON suggestions (conversation);"
	"CREATE TABLE ratings (message INTEGER PRIMARY KEY REFERENCES messages ON DELETE CASCADE, rating INTEGER NOT NULL,"
	"  created INTEGER NOT NULL) STRICT;"
	"CREATE TABLE examples (id INTEGER PRIMARY KEY, conversation INTEGER REFERENCES conversations ON DELETE SET NULL,"
	"  message INTEGER REFERENCES messages ON DELETE SET NULL, chat TEXT NOT NULL, question TEXT NOT NULL, answer TEXT NOT NULL,"
	"  suggested TEXT NOT NULL, state TEXT NOT NULL, origin TEXT NOT NULL, flags TEXT NOT NULL, vals TEXT NOT NULL,"
	"  weight REAL NOT NULL, created INTEGER NOT NULL, decided INTEGER NOT NULL DEFAULT 0) STRICT;"
	"CREATE INDEX examples_state ON examples (state);"
	"CREATE TABLE vectors (example INTEGER PRIMARY KEY REFERENCES examples ON DELETE CASCADE, version TEXT NOT NULL,"
	"  data BLOB NOT NULL) STRICT;"
	"CREATE TABLE canned (name TEXT PRIMARY KEY, text TEXT NOT NULL, created INTEGER NOT NULL) STRICT;"
	"CREATE TABLE imports (hash TEXT PRIMARY KEY, conversation INTEGER REFERENCES conversations ON DELETE CASCADE,"
	"  created INTEGER NOT NULL) STRICT;"
	"CREATE INDEX imports_conversation ON imports (conversation);"
	"CREATE TABLE runs (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, model TEXT NOT NULL, parent TEXT NOT NULL,"
	"  outcome TEXT NOT NULL, detail TEXT NOT NULL, started INTEGER NOT NULL, ended INTEGER NOT NULL) STRICT;"
	"CREATE TABLE audit (id INTEGER PRIMARY KEY, what TEXT NOT NULL, detail TEXT NOT NULL, created INTEGER NOT NULL) STRICT;",

	/* 1 -> 2 */
	"CREATE TABLE blobs (name TEXT PRIMARY KEY, data BLOB NOT NULL, updated INTEGER NOT NULL) STRICT;"
	"CREATE TABLE run_examples (run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE, example INTEGER NOT NULL,"
	"  PRIMARY KEY (run, example)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE tainted (model TEXT PRIMARY KEY, created INTEGER NOT NULL) STRICT;"
	"CREATE TABLE decisions (id INTEGER PRIMARY KEY, example INTEGER NOT NULL REFERENCES examples ON DELETE CASCADE,"
	"  chat TEXT NOT NULL, question TEXT NOT NULL, answer TEXT NOT NULL, state TEXT NOT NULL, created INTEGER NOT NULL) STRICT;"
	"CREATE INDEX decisions_example ON decisions (example);"
	"CREATE INDEX examples_conversation ON examples (conversation);"
	"CREATE INDEX examples_message ON examples (message);",

	/* 2 -> 3. spans: of every 1024 message numbers, the times between which they were said: a date leads to numbers
	 * (zone map), and numbers are what the word index is sorted by. Too wide after a deletion, never too narrow. */
	"CREATE TABLE spans (chunk INTEGER PRIMARY KEY, oldest INTEGER NOT NULL, newest INTEGER NOT NULL) STRICT;"
	"INSERT INTO spans SELECT id >> 10, min(created), max(created) FROM messages GROUP BY id >> 10;"
	"CREATE TRIGGER messages_span AFTER INSERT ON messages BEGIN"
	"  INSERT INTO spans VALUES (new.id >> 10, new.created, new.created) ON CONFLICT (chunk) DO UPDATE SET"
	"  oldest = min(oldest, excluded.oldest), newest = max(newest, excluded.newest); END;"
	"CREATE INDEX messages_origin ON messages (origin);"
	"CREATE INDEX conversations_customer ON conversations (customer) WHERE customer <> '';"
	"CREATE INDEX suggestions_created ON suggestions (created);",
};
