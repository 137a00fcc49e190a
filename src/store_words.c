/* SPDX-License-Identifier: GPL-3.0-or-later */
/* store_words: FTS5's own tokenizer, so that what is compared outside the index is cut as in it. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store_private.h"

struct words {
	fts5_tokenizer t;
	Fts5Tokenizer *it;
};

struct call {
	const char *text;
	bool (*each)(const char *word, size_t n, size_t from, size_t to, void *arg);
	void *arg;
};

/* As messages_fts has it (store_schema.c). */
static const char *arguments[] = { "remove_diacritics", "2" };

static struct words *words_of(struct store *s, struct err *e)
{
	struct words *w = s->words;
	fts5_api *api = NULL;
	sqlite3_stmt *st;
	void *data = NULL;

	if (w)
		return w;
	if (sqlite3_prepare_v2(s->db, "SELECT fts5(?1)", -1, &st, NULL) == SQLITE_OK) {
		sqlite3_bind_pointer(st, 1, (void *)&api, "fts5_api_ptr", NULL);
		sqlite3_step(st);
		sqlite3_finalize(st);
	}
	w = xcalloc(1, sizeof(*w));
	if (!api || api->xFindTokenizer(api, "unicode61", &data, &w->t) != SQLITE_OK ||
	    w->t.xCreate(data, arguments, 2, &w->it) != SQLITE_OK) {
		free(w);
		err_set(e, ERR_IO, "this SQLite has no FTS5");
		return NULL;
	}
	s->words = w;
	return w;
}

static int take(void *arg, int flags, const char *word, int n, int from, int to)
{
	const struct call *c = arg;

	(void)flags;
	return c->each(word, (size_t)n, (size_t)from, (size_t)to, c->arg) ? SQLITE_OK : SQLITE_DONE;
}

int store_words(struct store *s, const char *text, size_t len,
                bool (*each)(const char *word, size_t n, size_t from, size_t to, void *arg), void *arg, struct err *e)
{
	struct words *w = words_of(s, e);
	struct call c = { text, each, arg };
	int rc;

	if (!w)
		return ERR_IO;
	rc = w->t.xTokenize(w->it, &c, FTS5_TOKENIZE_DOCUMENT, text, (int)len, take);
	return rc == SQLITE_OK || rc == SQLITE_DONE ? 0 : store_fail(s, rc, e);
}

void store_words_close(struct store *s)
{
	struct words *w = s->words;

	if (w)
		w->t.xDelete(w->it);
	free(w);
	s->words = NULL;
}
