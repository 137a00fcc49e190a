/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tokenizer: bytes to pieces and back; byte-fallback BPE (Sennrich et al. 2016).
 *
 * Vocabulary, by id:
 *     0                 <eot>   end of turn
 *     1                 <null>  word dropout, padding; never predicted
 *     2 .. 2+T-1        role tags, T = TOKENIZER_MAX_TAGS slots (names are data: "user", ...)
 *     then              placeholders: types x TOKENIZER_PER_TYPE, type-major, index from 1
 *     then 256          single bytes
 *     then              merges, best first
 * Everything below the bytes is a control id: no text ever encodes to one; they are
 * injected as ids. Text encodes to bytes and merges alone, so any byte string (NUL, broken
 * UTF-8) round-trips exactly.
 *
 * Text is first cut into words, from the left:
 *   - a digit is a word;
 *   - letters are ASCII letters and bytes >= 0x80; a word is a run of them, with single apostrophes
 *     inside ("don't"; the one in "'tis" is not inside);
 *   - a run of any other bytes but white space (space and \t to \r) is a word;
 *   - either run takes one space before it into the word (" order", " (");
 *   - white space that is left is a word a run, but for a space at its end, which is a word of
 *     its own if the next word does not take it (before a digit, at the end of the text or, because
 *     the pieces of text around a placeholder are encoded apart, before a placeholder).
 * A word has at most 64 bytes: of a longer run (with its space) the first 64 are cut off, or the first
 * 61 to 63 if that keeps a UTF-8 character whole; what is left is cut as if the text began there.
 * Merges never cross words, so digits never merge. In a word, the leftmost of the best pairs is
 * joined until no pair is in the table.
 *
 * A struct tokenizer is immutable after construction and may be shared by threads;
 * encoding keeps a word cache in a struct tokenizer_cache that belongs to one thread.
 *
 *     struct tokens t = {0};
 *     tokenizer_encode(tok, NULL, text, len, &t);
 *     tokenizer_decode(tok, t.ids, t.n, &str);     // same bytes again
 *     tokens_free(&t);
 */
#ifndef ANSWERBACK_TOKENIZER_H
#define ANSWERBACK_TOKENIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../src/base/err.h"
#include "../src/base/str.h"

enum {
	TOKEN_EOT = 0,
	TOKEN_NULL = 1,
	TOKEN_FIRST_TAG = 2,
	TOKENIZER_MAX_TAGS = 16,
	TOKENIZER_PER_TYPE = 16,       /* placeholders a type, indices 1..16 */
	TOKENIZER_MAX_VOCAB = 65536
};

struct tokens {
	int32_t *ids;
	size_t n, cap;
};
void tokens_add(struct tokens *t, int32_t id);
void tokens_free(struct tokens *t);      /* leaves it empty */

struct tokenizer;
struct tokenizer_cache;

/* Placeholder type names in id order; fixed for a vocabulary. The program's are
 * "order tracking email phone card iban url number company". */
extern const char *const tokenizer_default_types[]; /* NULL-terminated */

/* ---- training ---- */
struct bpe_trainer;
struct bpe_trainer *bpe_trainer_new(void);
void bpe_trainer_add(struct bpe_trainer *b, const char *text, size_t len, uint32_t weight);
/* Learn merges until `vocab` ids exist (fewer if no pair is left that was seen twice, by
 * weight: the rest of the table is simply not there). Ties break by bytes, so the same text gives
 * the same pieces. May be called again, after more text or for another size.
 * tags: NULL-terminated role names, at most TOKENIZER_MAX_TAGS. */
int bpe_trainer_finish(struct bpe_trainer *b, size_t vocab, const char *const *tags,
                       const char *const *types, struct tokenizer **out, struct err *e);
void bpe_trainer_free(struct bpe_trainer *b);

/* ---- use ---- */
void tokenizer_free(struct tokenizer *t);
size_t tokenizer_vocab(const struct tokenizer *t);

struct tokenizer_cache *tokenizer_cache_new(void);     /* bounded memory */
void tokenizer_cache_free(struct tokenizer_cache *c);

/* Append the pieces of text to out. cache may be NULL (slower). */
void tokenizer_encode(const struct tokenizer *t, struct tokenizer_cache *cache,
                      const char *text, size_t len, struct tokens *out);
/* Append the bytes of the pieces to out. Control ids other than placeholders add nothing;
 * a placeholder adds its visible form "<order_1>". */
void tokenizer_decode(const struct tokenizer *t, const int32_t *ids, size_t n, struct str *out);
/* Bytes of one piece (not NUL-terminated); len 0 for control ids and what is no id. Lives as long as t. */
const char *tokenizer_piece(const struct tokenizer *t, int32_t id, size_t *len);
bool tokenizer_is_control(const struct tokenizer *t, int32_t id);      /* true for what is no id, too */

int32_t tokenizer_tag(const struct tokenizer *t, const char *name);     /* -1: no such tag */
/* One more role for a tokenizer that nobody else uses yet; its id was reserved, the pieces stay as they are. */
int tokenizer_add_tag(struct tokenizer *t, const char *name, struct err *e);
const char *tokenizer_tag_name(const struct tokenizer *t, int32_t id);  /* NULL: not a tag */

size_t tokenizer_types(const struct tokenizer *t);
const char *tokenizer_type_name(const struct tokenizer *t, size_t type);
int32_t tokenizer_placeholder(const struct tokenizer *t, size_t type, unsigned index); /* index 1..; -1: none */
bool tokenizer_is_placeholder(const struct tokenizer *t, int32_t id, size_t *type, unsigned *index);

/* ---- bytes before pieces: for completion in mid-word ---- */
/* Calls fn(id, piece_len, arg) for every non-control piece whose bytes begin with prefix (piece_len >= n),
 * and, with shorter=true, also for every piece that is a proper prefix of it. Stops when fn returns
 * false. Order: by bytes, a piece before those that go on from it. n may be 0 (every piece). */
void tokenizer_match(const struct tokenizer *t, const char *prefix, size_t n, bool shorter,
                     bool (*fn)(int32_t id, size_t piece_len, void *arg), void *arg);

/* ---- persistence: one JSON object ----
 * {"type": "answerback-bpe-1", "vocab": N, "tags": [names], "types": [names], "merges": "a b,a b,..."}
 * merges: one string of ids in decimal, best first; each joins two ids before its own. from_json refuses
 * (ERR_FORMAT, ERR_RANGE) what does not fit together, two equal pieces, and pieces over 64 bytes. */
char *tokenizer_to_json(const struct tokenizer *t);                     /* caller frees */
int tokenizer_from_json(const char *json, size_t len, struct tokenizer **out, struct err *e);

#endif
