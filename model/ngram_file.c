/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ngram: the file. Little-endian:
 *     "answerback-ngram" u32 version, u32 order, u32 vocab, u64 fingerprint, u64 n of each level
 *     level 1: f32 p, then the number of children (varint) of every id
 *     level k: u16 id, u8 p, number of children (varint; not at the last level) of every k-gram
 *     u64 FNV-1a of all before it
 * p of 8 bits: 0 is nothing, q is 2^-((q - 1) / 16). */
#include "ngram_private.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../src/base/mem.h"
#include "../src/base/str.h"

static const char magic[16] = "answerback-ngram";
enum { VERSION = 1, HEAD = 16 + 12 + 8 };

static uint64_t hash(const char *s, size_t n, uint64_t h)
{
	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)s[i]) * 0x100000001b3u;
	return h;
}

uint64_t ngram_fingerprint(const struct tokenizer *tok)
{
	char *json = tokenizer_to_json(tok);
	uint64_t h = hash(json, strlen(json), 0xcbf29ce484222325u);

	free(json);
	return h;
}

static void put(struct str *s, uint64_t v, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		str_addc(s, (char)(v >> (8 * i)));
}

static void put_varint(struct str *s, uint32_t v)
{
	for (; v >= 0x80; v >>= 7)
		str_addc(s, (char)(v | 0x80));
	str_addc(s, (char)v);
}

/* Rounded down, so that the parts of a context never come to more than one. */
static uint8_t pack(float p)
{
	double q = p > 0 ? ceil(-16 * log2((double)p) - 1e-6) : 255;

	return p <= 0 ? 0 : (uint8_t)(q < 0 ? 1 : q > 254 ? 255 : q + 1);
}

static float unpack(uint8_t q)
{
	return q ? (float)exp2(-((double)q - 1) / 16) : 0;
}

static void write_all(const struct ngram *g, uint64_t fingerprint, struct str *s)
{
	str_add(s, magic, sizeof(magic));
	put(s, VERSION, 4);
	put(s, g->order, 4);
	put(s, g->vocab, 4);
	put(s, fingerprint, 8);
	for (size_t k = 0; k < g->order; k++)
		put(s, g->level[k].n, 8);
	for (size_t k = 0; k < g->order; k++) {
		const struct ngram_level *l = &g->level[k];

		for (size_t i = 0; i < l->n; i++) {
			if (k == 0) {
				uint32_t bits;

				memcpy(&bits, &l->p[i], 4);
				put(s, bits, 4);
			} else {
				put(s, l->id[i], 2);
				put(s, l->p ? pack(l->p[i]) : l->q[i], 1);
			}
			if (l->first)
				put_varint(s, l->first[i + 1] - l->first[i]);
		}
	}
	put(s, hash(s->s, s->len, 0xcbf29ce484222325u), 8);
}

int ngram_save(const struct ngram *g, const char *path, uint64_t fingerprint, struct err *e)
{
	struct str s = STR_INIT, temp = STR_INIT;
	FILE *f;
	int rc = 0;

	write_all(g, fingerprint, &s);
	str_addf(&temp, "%s.new", path);
	f = fopen(temp.s, "wb");
	if (!f || fwrite(s.s, 1, s.len, f) != s.len || fflush(f) != 0 || fsync(fileno(f)) != 0)
		rc = err_set(e, ERR_IO, "%s cannot be written: %s", temp.s, strerror(errno));
	if (f && fclose(f) != 0 && rc == 0)
		rc = err_set(e, ERR_IO, "%s cannot be written: %s", temp.s, strerror(errno));
	if (rc == 0 && rename(temp.s, path) != 0)
		rc = err_set(e, ERR_IO, "%s cannot be written: %s", path, strerror(errno));
	if (rc < 0 && f)
		unlink(temp.s);
	str_free(&s);
	str_free(&temp);
	return rc;
}

/* The hash is a chain of multiplications, four cycles a byte; reading hides in its shadow. */
struct reader {
	const unsigned char *s;
	size_t at, len;
	uint64_t hash;
	bool bad;
};

static inline uint64_t get(struct reader *r, size_t bytes)
{
	uint64_t v = 0;

	if (r->len - r->at < bytes) {
		r->bad = true;
		return 0;
	}
	for (size_t i = 0; i < bytes; i++) {
		const uint64_t b = r->s[r->at++];

		r->hash = (r->hash ^ b) * 0x100000001b3u;
		v |= b << (8 * i);
	}
	return v;
}

static inline uint32_t get_varint(struct reader *r)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 35 && !r->bad; shift += 7) {
		uint64_t b = get(r, 1);

		v |= (b & 0x7f) << shift;
		if (!(b & 0x80))
			return v <= UINT32_MAX ? (uint32_t)v : (r->bad = true, 0);
	}
	r->bad = true;
	return 0;
}

static bool read_level(struct reader *from, struct ngram *g, size_t k)
{
	struct ngram_level *l = &g->level[k];
	struct reader in = *from, *r = &in;      /* a local one can live in registers */
	uint64_t children = 0;
	double sum = 0;

	for (size_t i = 0; i < l->n && !r->bad; i++) {
		if (k == 0) {
			uint32_t bits = (uint32_t)get(r, 4);

			memcpy(&l->p[i], &bits, 4);
			l->id[i] = (uint16_t)i;
			if (!(l->p[i] >= 0 && l->p[i] <= 1))
				r->bad = true;
			sum += (double)l->p[i];
		} else {
			l->id[i] = (uint16_t)get(r, 2);
			l->q[i] = (uint8_t)get(r, 1);
			if (l->id[i] >= g->vocab)
				r->bad = true;
		}
		if (l->first) {
			l->first[i] = (uint32_t)children;
			children += get_varint(r);
			if (children > g->level[k + 1].n)
				r->bad = true;
		}
	}
	if (l->first && !r->bad) {
		l->first[l->n] = (uint32_t)children;
		if (children != g->level[k + 1].n)
			r->bad = true;
	}
	if (k == 0 && !(sum > 0.99 && sum < 1.01))
		r->bad = true;
	*from = in;
	return !r->bad;
}

/* Children of one context ascend, and have no more than all of the mass. */
static bool ordered(const struct ngram *g)
{
	for (size_t k = 0; k + 1 < g->order; k++) {
		const struct ngram_level *l = &g->level[k], *next = &g->level[k + 1];

		for (size_t i = 0; i < l->n; i++) {
			double sum = 0;

			for (size_t c = l->first[i]; c < l->first[i + 1]; c++) {
				sum += (double)ngram_part(g, next, c);
				if (c > l->first[i] && next->id[c] <= next->id[c - 1])
					return false;
			}
			if (sum > 1.0001)
				return false;
		}
	}
	return true;
}

static size_t round_up(size_t n)
{
	return (n + 63) / 64 * 64;
}

/* All arrays in one block of large pages; with block NULL only counts. */
static size_t place(struct ngram *g, char *block)
{
	size_t at = 0;

	for (size_t k = 0; k < g->order; k++) {
		struct ngram_level *l = &g->level[k];
		const bool last = k + 1 == g->order;

		if (block) {
			l->id = (uint16_t *)(void *)(block + at);
			if (k == 0)
				l->p = (float *)(void *)(block + at + round_up(2 * l->n));
			else
				l->q = (uint8_t *)(block + at + round_up(2 * l->n));
		}
		at += round_up(2 * l->n) + round_up((k == 0 ? sizeof(float) : 1) * l->n);
		if (block && !last)
			l->first = (uint32_t *)(void *)(block + at);
		at += last ? 0 : round_up(sizeof(uint32_t) * (l->n + 1));
	}
	return at;
}

int ngram_parse(struct ngram **out, const char *bytes, size_t len, uint64_t fingerprint, struct err *e)
{
	struct reader r = { (const unsigned char *)bytes, 0, len, 0xcbf29ce484222325u, false };
	struct ngram *g;
	uint64_t version, order, vocab, pieces;

	if (len < HEAD + 8 || memcmp(bytes, magic, sizeof(magic)) != 0)
		return err_set(e, ERR_FORMAT, "not an n-gram file");
	for (size_t i = 0; i < sizeof(magic); i++)
		get(&r, 1);
	version = get(&r, 4);
	order = get(&r, 4);
	vocab = get(&r, 4);
	pieces = get(&r, 8);
	if (version != VERSION)
		return err_set(e, ERR_FORMAT, "an n-gram file of version %u; this program reads %d", (unsigned)version, VERSION);
	if (pieces != fingerprint)
		return err_set(e, ERR_FORMAT, "n-grams of other pieces than the model's");
	r.len = len - 8;
	if (order < 1 || order > NGRAM_MAX_ORDER || vocab < 1 || vocab > TOKENIZER_MAX_VOCAB)
		return err_set(e, ERR_FORMAT, "a broken n-gram file");
	g = ngram_alloc(order, vocab);
	for (size_t i = 0; i < 256; i++)
		g->unpacked[i] = unpack((uint8_t)i);
	for (size_t k = 0; k < order && !r.bad; k++) {
		uint64_t n = get(&r, 8);

		/* a k-gram takes three bytes or more: no number can ask for more memory than the file has */
		if (n > len / 3 || (k == 0 && n != vocab))
			r.bad = true;
		else
			g->level[k].n = n;
	}
	if (!r.bad) {
		g->block_size = place(g, NULL);
		g->block = mem_large(g->block_size);
		place(g, g->block);
	}
	for (size_t k = 0; k < order && !r.bad; k++)
		read_level(&r, g, k);
	if (!r.bad && (r.at != r.len || !ordered(g)))
		r.bad = true;
	const uint64_t want = r.hash;

	r.len = len;
	if (!r.bad && get(&r, 8) != want)
		r.bad = true;
	if (r.bad) {
		ngram_free(g);
		return err_set(e, ERR_FORMAT, "a broken n-gram file");
	}
	*out = g;
	return 0;
}

int ngram_load(struct ngram **out, const char *path, uint64_t fingerprint, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc;
	struct stat st;
	void *map;

	if (fd < 0)
		return err_set(e, ERR_IO, "cannot read %s: %s", path, strerror(errno));
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size <= 0) {
		close(fd);
		return err_set(e, ERR_FORMAT, "%s: not an n-gram file", path);
	}
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	close(fd);
	if (map == MAP_FAILED)
		return err_set(e, ERR_IO, "cannot read %s: %s", path, strerror(errno));
	rc = ngram_parse(out, map, (size_t)st.st_size, fingerprint, e);
	munmap(map, (size_t)st.st_size);
	return rc < 0 ? err_prefix(e, "%s", path) : rc;
}
