/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tokenizer_build: from names and merges to a tokenizer, for training and loading alike.
 *
 * The input may come from a hostile file. What holds afterwards: ids fit 16 bits, a merge
 * refers to ids before its own, no piece is longer than a word, no two pieces are the same
 * bytes, and no digit is in a merge. Loading is on the way of every start of the
 * program: it must stay around a millisecond for 8k merges. */
#include "tokenizer_private.h"

#include <stdlib.h>
#include <string.h>

#include "../src/base/mem.h"
#include "../src/base/utf8.h"

const char *const tokenizer_default_types[] = {
	"order", "tracking", "email", "phone", "card", "iban", "url", "number", "company", NULL
};

void tokenizer_free(struct tokenizer *t)
{
	size_t i;

	if (!t)
		return;
	for (i = 0; i < t->ntags; i++)
		free(t->tags[i]);
	for (i = 0; i < t->ntypes; i++)
		free(t->types[i]);
	free(t->merges);
	free(t->bytes);
	free(t->offset);
	free(t->slots);
	free(t->sorted);
	free(t);
}

/* Names are printed and typed: something to see, nothing that moves the cursor. */
static bool name_is_good(const char *s)
{
	size_t n = strlen(s), i, k;
	int32_t c;

	if (n == 0 || n > TOKENIZER_MAX_NAME || utf8_valid_upto(s, n) != n)
		return false;
	for (i = 0; i < n; i += k) {
		k = utf8_decode(s + i, n - i, &c);
		if (c <= ' ' || (c >= 0x7f && c <= 0xa0))
			return false;
	}
	return true;
}

static int copy_names(const char *what, const char *const *names, size_t n, size_t max,
                      char **copy, size_t *ncopy, struct err *e)
{
	size_t i, k;

	if (n > max)
		return err_set(e, ERR_RANGE, "tokenizer: %zu %ss, at most %zu are possible", n, what, max);
	for (i = 0; i < n; i++) {
		if (!name_is_good(names[i]))
			return err_set(e, ERR_FORMAT, "tokenizer: the name of %s %zu must be 1 to %d bytes "
			               "of UTF-8 without spaces or control characters", what, i + 1,
			               TOKENIZER_MAX_NAME);
		for (k = 0; k < i; k++)
			if (!strcmp(names[k], names[i]))
				return err_set(e, ERR_FORMAT, "tokenizer: two %ss are called \"%s\"", what,
				               names[i]);
		copy[i] = xstrdup(names[i]);
		*ncopy = i + 1;
	}
	return 0;
}

int tokenizer_add_tag(struct tokenizer *t, const char *name, struct err *e)
{
	const char *all[TOKENIZER_MAX_TAGS + 1];
	char *copy[TOKENIZER_MAX_TAGS + 1];
	size_t n = 0;
	int rc;

	for (size_t i = 0; i < t->ntags; i++)
		all[i] = t->tags[i];
	all[t->ntags] = name;
	rc = copy_names("tag", all, t->ntags + 1, TOKENIZER_MAX_TAGS, copy, &n, e);
	if (rc == 0)
		t->tags[t->ntags++] = copy[--n];
	while (n > 0)
		free(copy[--n]);
	return rc;
}

/* ---- pieces ---- */

static int add_piece(struct tokenizer *t, size_t i, struct err *e)
{
	struct tokenizer_merge m = t->merges[i];
	size_t id = t->first_byte + 256 + i, left, right;
	char *end = t->bytes + t->offset[id];

	if (m.left < t->first_byte || m.left >= id || m.right < t->first_byte || m.right >= id)
		return err_set(e, ERR_FORMAT, "tokenizer: merge %zu (%u %u) does not join two ids from %zu "
		               "to %zu", i + 1, m.left, m.right, t->first_byte, id - 1);
	left = t->offset[m.left + 1] - t->offset[m.left];
	right = t->offset[m.right + 1] - t->offset[m.right];
	if (left + right > TOKENIZER_MAX_WORD)
		return err_set(e, ERR_FORMAT, "tokenizer: merge %zu makes a piece of %zu bytes, more than %d",
		               i + 1, left + right, TOKENIZER_MAX_WORD);
	memcpy(end, t->bytes + t->offset[m.left], left);
	memcpy(end + left, t->bytes + t->offset[m.right], right);
	t->offset[id + 1] = t->offset[id] + (uint32_t)(left + right);
	/* a longer part has no digit: its own merge was checked */
	if ((left == 1 && tokenizer_byte_is_digit((unsigned char)end[0])) ||
	    (right == 1 && tokenizer_byte_is_digit((unsigned char)end[left])))
		return err_set(e, ERR_FORMAT, "tokenizer: merge %zu joins a digit; digits stay single", i + 1);
	return 0;
}

static int make_pieces(struct tokenizer *t, struct err *e)
{
	size_t i;
	int r;

	/* room for the longest; what is not written to costs no memory */
	t->bytes = xmalloc(256 + t->nmerges * TOKENIZER_MAX_WORD);
	t->offset = xcalloc(t->vocab + 1, sizeof(*t->offset));
	for (i = 0; i < 256; i++) {
		t->bytes[i] = (char)i;
		t->offset[t->first_byte + i + 1] = (uint32_t)i + 1;
	}
	for (i = 0; i < t->nmerges; i++)
		if ((r = add_piece(t, i, e)) < 0)
			return r;
	t->bytes = xrealloc(t->bytes, t->offset[t->vocab]);
	return 0;
}

/* ---- pieces in the order of their bytes ---- */

struct sort_key {
	uint64_t head;          /* the first eight bytes, big-endian: settles nearly all */
	const char *piece;
	uint32_t len, id;
};

static void fill_keys(const struct tokenizer *t, struct sort_key *keys, size_t n)
{
	size_t i, k, len;

	for (i = 0; i < n; i++) {
		keys[i].id = (uint32_t)(t->first_byte + i);
		keys[i].piece = tokenizer_piece(t, (int32_t)keys[i].id, &len);
		keys[i].len = (uint32_t)len;
		keys[i].head = 0;
		for (k = 0; k < 8; k++)
			keys[i].head = keys[i].head << 8 | (k < len ? (unsigned char)keys[i].piece[k] : 0);
	}
}

/* Radix sort by head, last byte first, between v and spare; qsort takes four times as long.
 * Eight passes: it ends in v. */
static void sort_by_head(struct sort_key *v, struct sort_key *spare, size_t n)
{
	uint32_t start[8][257] = { { 0 } };
	struct sort_key *swap;
	size_t i, k, pass;

	for (i = 0; i < n; i++)
		for (pass = 0; pass < 8; pass++)
			start[pass][(v[i].head >> 8 * pass & 0xff) + 1]++;
	for (pass = 0; pass < 8; pass++) {
		for (k = 0; k < 256; k++)
			start[pass][k + 1] += start[pass][k];
		for (i = 0; i < n; i++)
			spare[start[pass][v[i].head >> 8 * pass & 0xff]++] = v[i];
		swap = v;
		v = spare;
		spare = swap;
	}
}

static int compare_keys(const void *va, const void *vb)
{
	const struct sort_key *a = va, *b = vb;
	int c = memcmp(a->piece, b->piece, a->len < b->len ? a->len : b->len);

	return c ? c : (a->len > b->len) - (a->len < b->len);
}

static int sort_pieces(struct tokenizer *t, struct err *e)
{
	size_t i, k, n = t->vocab - t->first_byte;
	struct sort_key *keys = xmalloc(mem_mul(2 * n, sizeof(*keys)));
	int r = 0;

	fill_keys(t, keys, n);
	sort_by_head(keys, keys + n, n);
	for (i = 0; i < n; i = k) {
		for (k = i + 1; k < n && keys[k].head == keys[i].head; k++)
			;
		if (k > i + 1)
			qsort(keys + i, k - i, sizeof(*keys), compare_keys);
	}
	t->nsorted = n;
	t->sorted = xmalloc(mem_mul(n, sizeof(*t->sorted)));
	for (i = 0; i < n; i++)
		t->sorted[i] = (uint16_t)keys[i].id;
	for (i = 1; i < n && !r; i++)
		if (keys[i].head == keys[i - 1].head && !compare_keys(&keys[i - 1], &keys[i]))
			r = err_set(e, ERR_FORMAT, "tokenizer: ids %u and %u are the same piece",
			            keys[i - 1].id, keys[i].id);
	free(keys);
	return r;
}

/* ---- the table of merges ---- */

/* At most half full, chains stay far below this, unless somebody made the pairs collide. */
enum { MAX_PROBES = 512 };

static int fill_slots(struct tokenizer *t, struct err *e)
{
	uint32_t size = 16, pair, i, probes;
	size_t k;

	while (size < 2 * t->nmerges)
		size *= 2;
	t->slots = xcalloc(size, sizeof(*t->slots));
	t->slot_mask = size - 1;
	for (k = 0; k < t->nmerges; k++) {
		pair = (uint32_t)t->merges[k].left << 16 | t->merges[k].right;
		i = tokenizer_slot_hash(pair) & t->slot_mask;
		for (probes = 0; t->slots[i].id; i = (i + 1) & t->slot_mask)
			if (++probes > MAX_PROBES)
				return err_set(e, ERR_FORMAT, "tokenizer: the merges were made to be slow");
		t->slots[i].pair = pair;
		t->slots[i].id = (uint32_t)(t->first_byte + 256 + k);
	}
	return 0;
}

static uint64_t fingerprint_of(const struct tokenizer *t)
{
	uint64_t h = t->first_byte;
	size_t i;

	for (i = 0; i < t->nmerges; i++) {
		h = (h ^ ((uint32_t)t->merges[i].left << 16 | t->merges[i].right)) * 0x9e3779b97f4a7c15u;
		h ^= h >> 32;
	}
	return h ? h : 1;       /* 0: an unused cache */
}

int tokenizer_build(const char *const *tags, size_t ntags, const char *const *types, size_t ntypes,
                    const struct tokenizer_merge *merges, size_t nmerges,
                    struct tokenizer **out, struct err *e)
{
	struct tokenizer *t = xcalloc(1, sizeof(*t));
	int r;

	*out = NULL;
	if ((r = copy_names("role tag", tags, ntags, TOKENIZER_MAX_TAGS, t->tags, &t->ntags, e)) < 0 ||
	    (r = copy_names("type", types, ntypes, TOKENIZER_MAX_TYPES, t->types, &t->ntypes, e)) < 0)
		goto fail;
	t->first_byte = tokenizer_controls(ntypes);
	if (nmerges > TOKENIZER_MAX_VOCAB - t->first_byte - 256) {
		r = err_set(e, ERR_RANGE, "tokenizer: %zu merges make more than %d ids", nmerges,
		            TOKENIZER_MAX_VOCAB);
		goto fail;
	}
	t->nmerges = nmerges;
	t->vocab = t->first_byte + 256 + nmerges;
	t->merges = xmemdup(merges, mem_mul(nmerges, sizeof(*merges)));
	if ((r = make_pieces(t, e)) < 0 || (r = sort_pieces(t, e)) < 0 || (r = fill_slots(t, e)) < 0)
		goto fail;
	t->fingerprint = fingerprint_of(t);
	*out = t;
	return 0;
fail:
	tokenizer_free(t);
	return r;
}
