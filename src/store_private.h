/* SPDX-License-Identifier: GPL-3.0-or-later */
/* store_private: what the parts of the store share. Only store*.c include this. */
#ifndef ANSWERBACK_STORE_PRIVATE_H
#define ANSWERBACK_STORE_PRIVATE_H

#include <sqlite3.h>

#include "store.h"

enum { STORE_STATEMENTS = 96 };

struct store {
	sqlite3 *db;
	char *path;
	bool read_only;
	bool lost;                    /* deleted while open, and could not be opened again */
	int lock;                     /* of store_share, store_alone; 0: none */
	int depth;                    /* of store_begin */
	void *words;                  /* FTS5's tokenizer (store_words.c); NULL: not asked for yet */
	int64_t bulk_after;           /* messages above this id are indexed by store_bulk_commit */
	struct {
		const char *sql;          /* a literal: compared by address */
		sqlite3_stmt *st;
	} cache[STORE_STATEMENTS];
	size_t cached;
};

extern const char *const store_schema[STORE_VERSION];      /* [v]: from version v to v + 1 */

/* A prepared statement, reset and without bindings; sql must be a literal. NULL: error set. */
sqlite3_stmt *store_statement(struct store *s, const char *sql, struct err *e);
/* Bind by kind: i int64_t, d double, t const char * (NULL: empty), b const void * + size_t. */
int store_bind(sqlite3_stmt *st, const char *kinds, ...);
/* Step once; SQLITE_ROW and SQLITE_DONE are returned, everything else becomes an error (< 0). */
int store_step(struct store *s, sqlite3_stmt *st, struct err *e);
/* Prepare, bind, run to the end. */
int store_run(struct store *s, struct err *e, const char *sql, const char *kinds, ...);
int store_exec(struct store *s, const char *sql, struct err *e);
int store_fail(struct store *s, int code, struct err *e);
/* A column as a string of our own; never NULL. */
char *store_text(sqlite3_stmt *st, int column);
/* The words of a text as the index has them (folded), with their places in the text; false from each stops. ERR_IO: there is
 * no such tokenizer. */
int store_words(struct store *s, const char *text, size_t len,
                bool (*each)(const char *word, size_t n, size_t from, size_t to, void *arg), void *arg, struct err *e);
void store_words_close(struct store *s);

/* Message numbers, from the highest on; ranges do not overlap. */
struct store_range {
	int64_t from, to;             /* both included */
};
struct store_ranges {
	struct store_range *v;
	size_t n, cap;
	bool all;                     /* nothing was ruled out: v is empty */
};
struct store_narrow {                 /* what can be turned into ranges; NULL, "" and 0: anything */
	const char *customer, *tag, *origin, *case_id;
	int64_t after, before;
};
/* Where messages may be that pass; some in them may not. */
int store_ranges(struct store *s, const struct store_narrow *q, int64_t highest, struct store_ranges *r, struct err *e);
void store_ranges_free(struct store_ranges *r);

#endif
