/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tokenizer: words, encoding, decoding and look-ups; tokenizer_build.c makes what is used here.
 *
 * A word of at most TOKENIZER_MAX_WORD bytes is encoded by merging, again and again, the
 * leftmost pair of the lowest rank. That is quadratic in the word, but the word is bounded and
 * its pairs stay in a cache line or four: quicker than a heap at this size. */
#include "tokenizer_private.h"

#include <stdlib.h>
#include <string.h>

#include "../src/base/mem.h"

void tokens_add(struct tokens *t, int32_t id)
{
	if (t->n == t->cap) {
		t->cap = t->cap ? t->cap * 2 : 32;
		t->ids = xreallocarray(t->ids, t->cap, sizeof(*t->ids));
	}
	t->ids[t->n++] = id;
}

void tokens_free(struct tokens *t)
{
	free(t->ids);
	t->ids = NULL;
	t->n = t->cap = 0;
}

/* ---- words ---- */

enum byte_class { OTHER, LETTER, DIGIT, WHITE };

static enum byte_class class_of(unsigned char c)
{
	if ((c | 0x20) >= 'a' && (c | 0x20) <= 'z')
		return LETTER;
	if (c >= 0x80)
		return LETTER;
	if (tokenizer_byte_is_digit(c))
		return DIGIT;
	if (c == ' ' || (c >= '\t' && c <= '\r'))
		return WHITE;
	return OTHER;
}

static bool is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* Where to cut a run that goes on behind TOKENIZER_MAX_WORD: before the character that
 * straddles the limit, if it is one. */
static size_t cut(const char *s)
{
	size_t i;

	for (i = TOKENIZER_MAX_WORD; i > TOKENIZER_MAX_WORD - 4; i--)
		if (!is_continuation(s[i]))
			return i;
	return TOKENIZER_MAX_WORD;
}

static size_t white_word(const char *s, size_t n)
{
	size_t i = 0;

	while (i < n && i <= TOKENIZER_MAX_WORD && class_of((unsigned char)s[i]) == WHITE)
		i++;
	if (i > TOKENIZER_MAX_WORD)
		return TOKENIZER_MAX_WORD;
	/* The last space is the next word's, or a piece of its own: what is typed behind it
	 * does not change what is before it. */
	return i > 1 && s[i - 1] == ' ' ? i - 1 : i;
}

size_t tokenizer_word(const char *s, size_t n)
{
	size_t i = 0;
	enum byte_class class = class_of((unsigned char)s[0]);

	if (s[0] == ' ' && n > 1) {
		class = class_of((unsigned char)s[1]);
		if (class == DIGIT)
			return 1;
		if (class != WHITE)
			i = 1;
	}
	if (class == WHITE)
		return white_word(s, n);
	if (class == DIGIT)
		return 1;
	for (i++; i < n && i <= TOKENIZER_MAX_WORD; i++) {
		if (class_of((unsigned char)s[i]) == class)
			continue;
		if (class != LETTER || s[i] != '\'' || i + 1 >= n ||
		    class_of((unsigned char)s[i + 1]) != LETTER)
			break;
		i++;    /* an apostrophe inside, and the letter behind it */
	}
	return i > TOKENIZER_MAX_WORD ? cut(s) : i;
}

/* ---- one word to pieces ---- */

enum { NO_MERGE = TOKENIZER_MAX_VOCAB };

static uint32_t merge_of(const struct tokenizer *t, uint32_t left, uint32_t right)
{
	uint32_t pair = left << 16 | right;
	uint32_t i = tokenizer_slot_hash(pair) & t->slot_mask;

	for (; t->slots[i].id; i = (i + 1) & t->slot_mask)
		if (t->slots[i].pair == pair)
			return t->slots[i].id;
	return NO_MERGE;
}

/* ids has room for n; returns how many pieces there are */
static size_t encode_word(const struct tokenizer *t, const char *s, size_t n, int32_t *ids)
{
	uint32_t id[TOKENIZER_MAX_WORD], rank[TOKENIZER_MAX_WORD];
	size_t i, best;

	for (i = 0; i < n; i++)
		id[i] = (uint32_t)t->first_byte + (unsigned char)s[i];
	for (i = 0; i + 1 < n; i++)
		rank[i] = merge_of(t, id[i], id[i + 1]);
	while (n > 1) {
		/* ids are ranks: better merges came first */
		for (best = 0, i = 1; i + 1 < n; i++)
			if (rank[i] < rank[best])
				best = i;
		if (rank[best] == NO_MERGE)
			break;
		id[best] = rank[best];
		n--;
		for (i = best + 1; i < n; i++) {
			id[i] = id[i + 1];
			rank[i - 1] = rank[i];
		}
		if (best > 0)
			rank[best - 1] = merge_of(t, id[best - 1], id[best]);
		if (best + 1 < n)
			rank[best] = merge_of(t, id[best], id[best + 1]);
	}
	for (i = 0; i < n; i++)
		ids[i] = (int32_t)id[i];
	return n;
}

/* ---- the cache: each word has one place, the newest takes it ---- */

enum {
	CACHE_SIZE = 4096,      /* of 64 bytes */
	CACHE_WORD = 22,
	CACHE_IDS = 20
};

struct cached_word {
	unsigned char len, n;   /* len 0: empty */
	char word[CACHE_WORD];
	uint16_t ids[CACHE_IDS];
};

struct tokenizer_cache {
	uint64_t fingerprint;   /* whose pieces these are */
	struct cached_word words[CACHE_SIZE];
};

struct tokenizer_cache *tokenizer_cache_new(void)
{
	return xcalloc(1, sizeof(struct tokenizer_cache));
}

void tokenizer_cache_free(struct tokenizer_cache *c)
{
	free(c);
}

static uint32_t word_hash(const char *s, size_t n)
{
	uint64_t h = n, w = 0;

	for (; n >= 8; s += 8, n -= 8) {
		memcpy(&w, s, 8);
		h = (h ^ w) * 0x9e3779b97f4a7c15u;
		h ^= h >> 29;
	}
	for (w = 0; n > 0; n--)
		w = w << 8 | (unsigned char)s[n - 1];
	h = (h ^ w) * 0x9e3779b97f4a7c15u;
	return (uint32_t)(h >> 40);
}

static size_t encode_cached(const struct tokenizer *t, struct tokenizer_cache *c,
                            const char *s, size_t n, int32_t *ids)
{
	struct cached_word *w;
	size_t i, k;

	if (n > CACHE_WORD)
		return encode_word(t, s, n, ids);
	w = &c->words[word_hash(s, n) % CACHE_SIZE];
	if (w->len == n && !memcmp(w->word, s, n)) {
		for (i = 0; i < w->n; i++)
			ids[i] = w->ids[i];
		return w->n;
	}
	k = encode_word(t, s, n, ids);
	if (k <= CACHE_IDS) {
		w->len = (unsigned char)n;
		w->n = (unsigned char)k;
		memcpy(w->word, s, n);
		for (i = 0; i < k; i++)
			w->ids[i] = (uint16_t)ids[i];
	}
	return k;
}

void tokenizer_encode(const struct tokenizer *t, struct tokenizer_cache *cache,
                      const char *text, size_t len, struct tokens *out)
{
	size_t pos, n;

	if (cache && cache->fingerprint != t->fingerprint) {
		memset(cache, 0, sizeof(*cache));
		cache->fingerprint = t->fingerprint;
	}
	for (pos = 0; pos < len; pos += n) {
		n = tokenizer_word(text + pos, len - pos);
		if (out->cap - out->n < TOKENIZER_MAX_WORD) {
			out->cap = out->cap * 2 + TOKENIZER_MAX_WORD;
			out->ids = xreallocarray(out->ids, out->cap, sizeof(*out->ids));
		}
		if (n == 1)
			out->ids[out->n++] = (int32_t)t->first_byte + (unsigned char)text[pos];
		else if (cache)
			out->n += encode_cached(t, cache, text + pos, n, out->ids + out->n);
		else
			out->n += encode_word(t, text + pos, n, out->ids + out->n);
	}
}

/* ---- pieces to bytes, and look-ups ---- */

size_t tokenizer_vocab(const struct tokenizer *t)
{
	return t->vocab;
}

const char *tokenizer_piece(const struct tokenizer *t, int32_t id, size_t *len)
{
	*len = 0;
	if (id < 0 || (size_t)id >= t->vocab)
		return t->bytes;
	*len = t->offset[id + 1] - t->offset[id];
	return t->bytes + t->offset[id];
}

bool tokenizer_is_control(const struct tokenizer *t, int32_t id)
{
	return id < 0 || (size_t)id < t->first_byte || (size_t)id >= t->vocab;
}

void tokenizer_decode(const struct tokenizer *t, const int32_t *ids, size_t n, struct str *out)
{
	size_t i, len, type;
	unsigned index;
	const char *piece;

	for (i = 0; i < n; i++) {
		piece = tokenizer_piece(t, ids[i], &len);
		if (len)
			str_add(out, piece, len);
		else if (tokenizer_is_placeholder(t, ids[i], &type, &index))
			str_addf(out, "<%s_%u>", t->types[type], index);
	}
}

int32_t tokenizer_tag(const struct tokenizer *t, const char *name)
{
	size_t i;

	for (i = 0; i < t->ntags; i++)
		if (!strcmp(t->tags[i], name))
			return TOKEN_FIRST_TAG + (int32_t)i;
	return -1;
}

const char *tokenizer_tag_name(const struct tokenizer *t, int32_t id)
{
	if (id < TOKEN_FIRST_TAG || (size_t)(id - TOKEN_FIRST_TAG) >= t->ntags)
		return NULL;
	return t->tags[id - TOKEN_FIRST_TAG];
}

size_t tokenizer_types(const struct tokenizer *t)
{
	return t->ntypes;
}

const char *tokenizer_type_name(const struct tokenizer *t, size_t type)
{
	return type < t->ntypes ? t->types[type] : NULL;
}

int32_t tokenizer_placeholder(const struct tokenizer *t, size_t type, unsigned index)
{
	if (type >= t->ntypes || index < 1 || index > TOKENIZER_PER_TYPE)
		return -1;
	return (int32_t)(tokenizer_controls(type) + index - 1);
}

bool tokenizer_is_placeholder(const struct tokenizer *t, int32_t id, size_t *type, unsigned *index)
{
	size_t k;

	if (id < (int32_t)tokenizer_controls(0) || (size_t)id >= t->first_byte)
		return false;
	k = (size_t)id - tokenizer_controls(0);
	if (type)
		*type = k / TOKENIZER_PER_TYPE;
	if (index)
		*index = (unsigned)(k % TOKENIZER_PER_TYPE) + 1;
	return true;
}

/* ---- pieces by their bytes ---- */

/* Is the piece before (negative), at (0) or behind those that begin with prefix? */
static int compare_prefix(const struct tokenizer *t, uint16_t id, const char *prefix, size_t n)
{
	size_t len;
	const char *piece = tokenizer_piece(t, id, &len);
	int c = n ? memcmp(piece, prefix, len < n ? len : n) : 0;

	return c || len >= n ? c : -1;
}

/* Where the pieces that begin with prefix start; from is at or before it. */
static size_t lower_bound(const struct tokenizer *t, size_t from, const char *prefix, size_t n)
{
	size_t to = t->nsorted, mid;

	while (from < to) {
		mid = from + (to - from) / 2;
		if (compare_prefix(t, t->sorted[mid], prefix, n) < 0)
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

void tokenizer_match(const struct tokenizer *t, const char *prefix, size_t n, bool shorter,
                     bool (*fn)(int32_t id, size_t piece_len, void *arg), void *arg)
{
	size_t i = 0, k, len;

	/* Among the pieces that begin with k bytes, the one of just k comes first. */
	for (k = 1; shorter && k < n && k <= TOKENIZER_MAX_WORD; k++) {
		i = lower_bound(t, i, prefix, k);
		if (i == t->nsorted || compare_prefix(t, t->sorted[i], prefix, k))
			return;         /* nothing begins with these, so nothing with more */
		tokenizer_piece(t, t->sorted[i], &len);
		if (len == k && !fn(t->sorted[i], len, arg))
			return;
	}
	for (i = lower_bound(t, i, prefix, n); i < t->nsorted; i++) {
		if (compare_prefix(t, t->sorted[i], prefix, n))
			return;
		tokenizer_piece(t, t->sorted[i], &len);
		if (!fn(t->sorted[i], len, arg))
			return;
	}
}
