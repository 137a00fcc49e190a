/* SPDX-License-Identifier: GPL-3.0-or-later */
/* bpe_train: learn merges from text (Sennrich et al. 2016).
 *
 * Text is kept as its different words and their counts. Each round joins the pair of pieces that
 * occurs most often. Pair counts are kept up to date: every pair knows the words it was once
 * seen in, and only these are rewritten. The best pair comes from a heap whose entries may be
 * out of date: counts of a pair only ever fall (what grows are new pairs, with the new piece
 * in them), so an entry that is too high is put back with today's count.
 *
 * Order: higher count, then left piece, then right piece, by bytes. Nothing depends on the
 * order in which text was added, on hashing or on addresses. */
#include "tokenizer_private.h"

#include <stdlib.h>
#include <string.h>

#include "../src/base/mem.h"

/* A pair seen less often is not worth an id, and would write single customers' words into the model. */
enum { MIN_COUNT = 2 };

/* ---- byte strings and a number for each ---- */

struct entry {
	size_t start;
	uint32_t len;
	uint32_t hash;
	uint64_t count;
};

struct table {
	char *bytes;
	size_t nbytes, bytes_cap;
	struct entry *entries;
	size_t n, cap;
	uint32_t *slots;        /* entry + 1; 0: empty */
	size_t size;            /* power of two, at most half full */
};

static void table_fini(struct table *t)
{
	free(t->bytes);
	free(t->entries);
	free(t->slots);
}

static uint32_t hash_bytes(const char *s, size_t n)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (; n > 0; s++, n--)
		h = (h ^ (unsigned char)*s) * 0x100000001b3u;
	return (uint32_t)(h ^ h >> 32);
}

static void table_grow(struct table *t)
{
	size_t i, k;

	t->size = t->size ? t->size * 2 : 1024;
	free(t->slots);
	t->slots = xcalloc(t->size, sizeof(*t->slots));
	for (i = 0; i < t->n; i++) {
		for (k = t->entries[i].hash & (t->size - 1); t->slots[k]; k = (k + 1) & (t->size - 1))
			;
		t->slots[k] = (uint32_t)i + 1;
	}
}

/* The entry of these bytes, made with count 0 if there is none; good until the next call. */
static struct entry *table_get(struct table *t, const char *s, size_t n)
{
	uint32_t hash = hash_bytes(s, n);
	struct entry *x;
	size_t k;

	if (2 * t->n >= t->size)
		table_grow(t);
	for (k = hash & (t->size - 1); t->slots[k]; k = (k + 1) & (t->size - 1)) {
		x = &t->entries[t->slots[k] - 1];
		if (x->hash == hash && x->len == n && !memcmp(t->bytes + x->start, s, n))
			return x;
	}
	if (t->n == t->cap) {
		t->cap = t->cap ? t->cap * 2 : 512;
		t->entries = xreallocarray(t->entries, t->cap, sizeof(*t->entries));
	}
	if (t->bytes_cap - t->nbytes < n) {
		t->bytes_cap = t->bytes_cap * 2 + n + 4096;
		t->bytes = xrealloc(t->bytes, t->bytes_cap);
	}
	x = &t->entries[t->n];
	*x = (struct entry){ .start = t->nbytes, .len = (uint32_t)n, .hash = hash };
	memcpy(t->bytes + t->nbytes, s, n);
	t->nbytes += n;
	t->slots[k] = (uint32_t)++t->n;
	return x;
}

/* ---- the text ---- */

struct bpe_trainer {
	struct table words;     /* of two bytes and more */
};

struct bpe_trainer *bpe_trainer_new(void)
{
	return xcalloc(1, sizeof(struct bpe_trainer));
}

void bpe_trainer_free(struct bpe_trainer *b)
{
	if (!b)
		return;
	table_fini(&b->words);
	free(b);
}

void bpe_trainer_add(struct bpe_trainer *b, const char *text, size_t len, uint32_t weight)
{
	size_t pos, n;

	for (pos = 0; weight && pos < len; pos += n) {
		n = tokenizer_word(text + pos, len - pos);
		if (n > 1)
			table_get(&b->words, text + pos, n)->count += weight;
	}
}

/* ---- one run ---- */

struct place {
	uint32_t word;
	uint32_t next;          /* place + 1; 0: the last */
};

struct pair {
	uint32_t ids;           /* left << 16 | right */
	uint32_t places;        /* a list; words may have lost the pair since */
	uint64_t count;
};

struct candidate {
	uint64_t count;
	uint32_t pair;
};

struct run {
	const struct table *words;
	uint16_t *symbols;      /* word w's are at words->entries[w].start, length[w] of them */
	unsigned char *length;
	struct pair *pairs;
	size_t npairs, pairs_cap;
	uint32_t *slots;        /* pair + 1; open addressing */
	size_t size;
	struct place *places;
	size_t nplaces, places_cap;
	struct candidate *heap;
	size_t nheap, heap_cap;
	struct table pieces;    /* entry k is id first + k */
	uint32_t first;         /* id of byte 0 */
};

static size_t find_slot(const struct run *r, uint32_t ids)
{
	size_t k = tokenizer_slot_hash(ids) & (r->size - 1);

	while (r->slots[k] && r->pairs[r->slots[k] - 1].ids != ids)
		k = (k + 1) & (r->size - 1);
	return k;
}

static struct pair *get_pair(struct run *r, uint32_t ids)
{
	size_t i, k;

	if (2 * r->npairs >= r->size) {
		r->size = r->size ? r->size * 2 : 4096;
		free(r->slots);
		r->slots = xcalloc(r->size, sizeof(*r->slots));
		for (i = 0; i < r->npairs; i++)
			r->slots[find_slot(r, r->pairs[i].ids)] = (uint32_t)i + 1;
	}
	k = find_slot(r, ids);
	if (!r->slots[k]) {
		if (r->npairs == r->pairs_cap) {
			r->pairs_cap = r->pairs_cap ? r->pairs_cap * 2 : 2048;
			r->pairs = xreallocarray(r->pairs, r->pairs_cap, sizeof(*r->pairs));
		}
		r->pairs[r->npairs++] = (struct pair){ .ids = ids };
		r->slots[k] = (uint32_t)r->npairs;
	}
	return &r->pairs[r->slots[k] - 1];
}

static void add_place(struct run *r, struct pair *p, uint32_t word)
{
	if (p->places && r->places[p->places - 1].word == word)
		return;         /* twice in one word */
	if (r->nplaces == r->places_cap) {
		r->places_cap = r->places_cap ? r->places_cap * 2 : 8192;
		r->places = xreallocarray(r->places, r->places_cap, sizeof(*r->places));
	}
	r->places[r->nplaces++] = (struct place){ word, p->places };
	p->places = (uint32_t)r->nplaces;
}

static uint32_t ids_at(const uint16_t *s)
{
	return (uint32_t)s[0] << 16 | s[1];
}

/* Count the pairs of a word that have `with` in them (0: all), and note where they are. */
static void add_word(struct run *r, uint32_t word, uint32_t with)
{
	const struct entry *x = &r->words->entries[word];
	const uint16_t *s = r->symbols + x->start;
	struct pair *p;
	size_t i;

	for (i = 0; i + 1 < r->length[word]; i++) {
		p = get_pair(r, ids_at(s + i));
		p->count += x->count;
		if (!with || s[i] == with || s[i + 1] == with)
			add_place(r, p, word);
	}
}

static void remove_word(struct run *r, uint32_t word)
{
	const struct entry *x = &r->words->entries[word];
	const uint16_t *s = r->symbols + x->start;
	size_t i;

	for (i = 0; i + 1 < r->length[word]; i++)
		r->pairs[r->slots[find_slot(r, ids_at(s + i))] - 1].count -= x->count;
}

/* ---- the heap ---- */

static int compare_ids(const struct run *r, uint32_t a, uint32_t b)
{
	const struct entry *x = &r->pieces.entries[a - r->first], *y = &r->pieces.entries[b - r->first];
	int c = memcmp(r->pieces.bytes + x->start, r->pieces.bytes + y->start,
	               x->len < y->len ? x->len : y->len);

	return c ? c : (x->len > y->len) - (x->len < y->len);
}

static bool better(const struct run *r, const struct candidate *a, const struct candidate *b)
{
	uint32_t x = r->pairs[a->pair].ids, y = r->pairs[b->pair].ids;
	int c;

	if (a->count != b->count)
		return a->count > b->count;
	c = compare_ids(r, x >> 16, y >> 16);
	if (!c)
		c = compare_ids(r, x & 0xffff, y & 0xffff);
	return c < 0;
}

static void push(struct run *r, uint32_t pair)
{
	struct candidate x = { r->pairs[pair].count, pair };
	size_t i, up;

	if (x.count < MIN_COUNT)
		return;
	if (r->nheap == r->heap_cap) {
		r->heap_cap = r->heap_cap ? r->heap_cap * 2 : 2048;
		r->heap = xreallocarray(r->heap, r->heap_cap, sizeof(*r->heap));
	}
	for (i = r->nheap++; i > 0; i = up) {
		up = (i - 1) / 2;
		if (!better(r, &x, &r->heap[up]))
			break;
		r->heap[i] = r->heap[up];
	}
	r->heap[i] = x;
}

static struct candidate pop(struct run *r)
{
	struct candidate top = r->heap[0], x = r->heap[--r->nheap];
	size_t i = 0, down;

	while ((down = 2 * i + 1) < r->nheap) {
		if (down + 1 < r->nheap && better(r, &r->heap[down + 1], &r->heap[down]))
			down++;
		if (!better(r, &r->heap[down], &x))
			break;
		r->heap[i] = r->heap[down];
		i = down;
	}
	r->heap[i] = x;
	return top;
}

/* The next pair to join, in *ids; false: none is left. */
static bool best_pair(struct run *r, uint32_t *ids)
{
	struct candidate c;

	while (r->nheap) {
		c = pop(r);
		if (c.count == r->pairs[c.pair].count) {
			*ids = r->pairs[c.pair].ids;
			return true;
		}
		push(r, c.pair);
	}
	return false;
}

/* ---- joining ---- */

static void join_in_word(struct run *r, uint32_t word, uint32_t ids, uint16_t id)
{
	uint16_t *s = r->symbols + r->words->entries[word].start;
	size_t n = r->length[word], i, k;

	for (i = 0; i + 1 < n && ids_at(s + i) != ids; i++)
		;
	if (i + 1 >= n)
		return;         /* lost to another merge */
	remove_word(r, word);
	for (k = i; i < n; k++) {
		if (i + 1 < n && ids_at(s + i) == ids) {
			s[k] = id;
			i += 2;
		} else {
			s[k] = s[i++];
		}
	}
	r->length[word] = (unsigned char)k;
	add_word(r, word, id);
}

static void join(struct run *r, uint32_t ids, uint16_t id)
{
	size_t old = r->npairs, i;
	uint32_t at, next;

	for (at = get_pair(r, ids)->places; at; at = next) {
		next = r->places[at - 1].next;
		join_in_word(r, r->places[at - 1].word, ids, id);
	}
	for (i = old; i < r->npairs; i++)
		push(r, (uint32_t)i);
}

/* Make a piece of the pair; false: some other pair has made these very bytes before. */
static bool add_piece(struct run *r, uint32_t ids)
{
	const struct entry *left = &r->pieces.entries[(ids >> 16) - r->first];
	const struct entry *right = &r->pieces.entries[(ids & 0xffff) - r->first];
	char bytes[TOKENIZER_MAX_WORD];
	size_t n = r->pieces.n;

	memcpy(bytes, r->pieces.bytes + left->start, left->len);
	memcpy(bytes + left->len, r->pieces.bytes + right->start, right->len);
	table_get(&r->pieces, bytes, left->len + right->len);
	return r->pieces.n > n;
}

static void run_init(struct run *r, const struct table *words, size_t first)
{
	size_t i, k;
	char c;

	*r = (struct run){ .words = words, .first = (uint32_t)first };
	for (i = 0; i < 256; i++) {
		c = (char)i;
		table_get(&r->pieces, &c, 1);
	}
	r->symbols = xmalloc(mem_mul(words->nbytes + 1, sizeof(*r->symbols)));
	for (i = 0; i < words->nbytes; i++)
		r->symbols[i] = (uint16_t)(first + (unsigned char)words->bytes[i]);
	r->length = xmalloc(words->n + 1);
	for (k = 0; k < words->n; k++) {
		r->length[k] = (unsigned char)words->entries[k].len;
		add_word(r, (uint32_t)k, 0);
	}
	for (k = 0; k < r->npairs; k++)
		push(r, (uint32_t)k);
}

static void run_fini(struct run *r)
{
	free(r->symbols);
	free(r->length);
	free(r->pairs);
	free(r->slots);
	free(r->places);
	free(r->heap);
	table_fini(&r->pieces);
}

int bpe_trainer_finish(struct bpe_trainer *b, size_t vocab, const char *const *tags,
                       const char *const *types, struct tokenizer **out, struct err *e)
{
	size_t ntags = 0, ntypes = 0, n = 0, base;
	struct tokenizer_merge *merges;
	struct run r;
	uint32_t ids;
	int ret;

	*out = NULL;
	while (tags[ntags])
		ntags++;
	while (types[ntypes])
		ntypes++;
	base = tokenizer_controls(ntypes) + 256;
	if (vocab < base || vocab > TOKENIZER_MAX_VOCAB)
		return err_set(e, ERR_RANGE, "a vocabulary of %zu pieces is not possible: from %zu to %d are",
		               vocab, base, TOKENIZER_MAX_VOCAB);
	merges = xmalloc(mem_mul(vocab - base + 1, sizeof(*merges)));
	run_init(&r, &b->words, base - 256);
	while (n < vocab - base && best_pair(&r, &ids)) {
		if (!add_piece(&r, ids))
			continue;       /* not pushed again: stays apart for good */
		merges[n].left = (uint16_t)(ids >> 16);
		merges[n].right = (uint16_t)(ids & 0xffff);
		join(&r, ids, (uint16_t)(base + n++));
	}
	run_fini(&r);
	ret = tokenizer_build(tags, ntags, types, ntypes, merges, n, out, e);
	free(merges);
	return ret;
}
