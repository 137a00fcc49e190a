/* SPDX-License-Identifier: GPL-3.0-or-later */
/* editbuf: blocks in an array. */
#include "editbuf.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

enum { USUAL_BLOCK = 8192 };

struct block {
	atomic_uint refs;             /* a buffer and any number of snapshots */
	char bytes[];
};

/* The counts lie apart from the bytes: finding a place reads these alone. */
struct slot {
	struct block *block;
	uint32_t len, newlines, chars, words;        /* words: beginnings, as if white space came before */
	bool starts, ends;                           /* its first byte, its last, is of a word */
};

struct editbuf {
	struct slot *slot;                           /* none is empty */
	size_t n, cap, most;                         /* most: bytes a block */
	size_t len, newlines, chars;
	uint64_t version;
	/* Where the last place was found: the next one is near as a rule. Not part of what a const buffer promises. */
	struct near {
		size_t i, start;
	} *near;
};

struct editsnap {
	struct slot *slot;
	size_t n, len;
};

static bool blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static void block_unref(struct block *k)
{
	if (atomic_fetch_sub(&k->refs, 1) == 1)
		free(k);
}

/* ---- slots ---- */

static void count(struct editbuf *b, struct slot *s)
{
	const char *p = s->block->bytes;
	bool in = false;

	b->newlines -= s->newlines;
	b->chars -= s->chars;
	s->newlines = s->chars = s->words = 0;
	for (size_t i = 0; i < s->len; i++) {
		const bool word = !blank(p[i]);

		s->newlines += p[i] == '\n';
		s->chars += ((unsigned char)p[i] & 0xc0) != 0x80;
		s->words += word && !in;
		in = word;
	}
	s->starts = s->len > 0 && !blank(p[0]);
	s->ends = in;
	b->newlines += s->newlines;
	b->chars += s->chars;
}

static struct block *block_new(const struct editbuf *b)
{
	struct block *k = xmalloc(sizeof(*k) + b->most);

	atomic_init(&k->refs, 1);
	return k;
}

/* n empty slots at i. */
static void slots_open(struct editbuf *b, size_t i, size_t n)
{
	if (b->n + n > b->cap) {
		b->cap = 2 * (b->n + n);
		b->slot = xreallocarray(b->slot, b->cap, sizeof(*b->slot));
	}
	memmove(&b->slot[i + n], &b->slot[i], (b->n - i) * sizeof(*b->slot));
	for (size_t k = i; k < i + n; k++)
		b->slot[k] = (struct slot){ .block = block_new(b) };
	b->n += n;
}

static void slots_close(struct editbuf *b, size_t i, size_t n)
{
	if (n == 0)
		return;
	for (size_t k = i; k < i + n; k++) {
		b->newlines -= b->slot[k].newlines;
		b->chars -= b->slot[k].chars;
		block_unref(b->slot[k].block);
	}
	memmove(&b->slot[i], &b->slot[i + n], (b->n - i - n) * sizeof(*b->slot));
	b->n -= n;
}

/* Bytes of the slot that may be changed: no snapshot has them. */
static char *own(struct editbuf *b, struct slot *s)
{
	struct block *k;

	if (atomic_load(&s->block->refs) > 1) {
		k = block_new(b);
		memcpy(k->bytes, s->block->bytes, s->len);
		block_unref(s->block);
		s->block = k;
	}
	return s->block->bytes;
}

/* The slot that holds byte at, and the byte in it. at == length: one past the last slot. */
static size_t find(const struct editbuf *b, size_t at, size_t *off)
{
	size_t i = b->near->i, start = b->near->start;

	while (at < start)
		start -= b->slot[--i].len;
	while (i < b->n && at - start >= b->slot[i].len)
		start += b->slot[i++].len;
	*b->near = (struct near){ i, start };
	*off = at - start;
	return i;
}

static void changed(struct editbuf *b)
{
	b->version++;
	*b->near = (struct near){ 0, 0 };
}

/* ---- changing ---- */

struct editbuf *editbuf_new(size_t block)
{
	struct editbuf *b = xcalloc(1, sizeof(*b));

	b->most = block ? block : USUAL_BLOCK;
	b->near = xcalloc(1, sizeof(*b->near));
	return b;
}

void editbuf_free(struct editbuf *b)
{
	if (!b)
		return;
	slots_close(b, 0, b->n);
	free(b->slot);
	free(b->near);
	free(b);
}

/* Blocks made for a long text are left a quarter empty, for what will be typed into them. */
static void insert_blocks(struct editbuf *b, size_t i, const char *bytes, size_t n)
{
	const size_t fill = b->most - b->most / 4, blocks = (n + fill - 1) / fill;

	slots_open(b, i, blocks);
	for (size_t k = i; n > 0; k++) {
		const size_t part = n < fill ? n : fill;

		memcpy(b->slot[k].block->bytes, bytes, part);
		b->slot[k].len = (uint32_t)part;
		count(b, &b->slot[k]);
		bytes += part;
		n -= part;
	}
}

void editbuf_insert(struct editbuf *b, size_t at, const char *bytes, size_t n)
{
	size_t off, i = find(b, at, &off);
	struct slot *s;

	assert(at <= b->len);
	if (n == 0)
		return;
	b->len += n;
	changed(b);
	if (off == 0 && i > 0) {      /* between two blocks: the end of the first */
		i--;
		off = b->slot[i].len;
	}
	if (i < b->n && b->slot[i].len + n > b->most && off > 0 && off < b->slot[i].len) {
		/* it does not fit: the block becomes two, and what comes goes between */
		const size_t tail = b->slot[i].len - off;

		slots_open(b, i + 1, 1);
		memcpy(b->slot[i + 1].block->bytes, b->slot[i].block->bytes + off, tail);
		b->slot[i + 1].len = (uint32_t)tail;
		b->slot[i].len = (uint32_t)off;
		count(b, &b->slot[i]);
		count(b, &b->slot[i + 1]);
		if (b->slot[i].len + n > b->most && tail + n <= b->most) {
			i++;
			off = 0;
		}
	}
	if (i == b->n || b->slot[i].len + n > b->most) {
		insert_blocks(b, i < b->n && off > 0 ? i + 1 : i, bytes, n);
		return;
	}
	s = &b->slot[i];

	char *p = own(b, s);

	memmove(p + off + n, p + off, s->len - off);
	memcpy(p + off, bytes, n);
	s->len += (uint32_t)n;
	count(b, s);
}

void editbuf_delete(struct editbuf *b, size_t at, size_t n)
{
	size_t off, i, gone;

	assert(at <= b->len && n <= b->len - at);
	if (n == 0)
		return;
	i = find(b, at, &off);
	b->len -= n;
	changed(b);
	if (off > 0 || n < b->slot[i].len) {
		struct slot *s = &b->slot[i];
		const size_t part = n < s->len - off ? n : s->len - off;
		char *p = own(b, s);

		memmove(p + off, p + off + part, s->len - off - part);
		s->len -= (uint32_t)part;
		count(b, s);
		n -= part;
		i++;
	}
	for (gone = 0; n > 0 && n >= b->slot[i + gone].len; gone++)
		n -= b->slot[i + gone].len;
	slots_close(b, i, gone);
	if (n > 0) {
		struct slot *s = &b->slot[i];
		char *p = own(b, s);

		memmove(p, p + n, s->len - n);
		s->len -= (uint32_t)n;
		count(b, s);
	}
	/* small neighbours become one, or deleting would leave ever more of them */
	i = i > 0 ? i - 1 : 0;
	if (i + 1 < b->n && b->slot[i].len + b->slot[i + 1].len <= b->most / 2) {
		struct slot *s = &b->slot[i];

		memcpy(own(b, s) + s->len, b->slot[i + 1].block->bytes, b->slot[i + 1].len);
		s->len += b->slot[i + 1].len;
		slots_close(b, i + 1, 1);
		count(b, &b->slot[i]);
	}
}

/* ---- looking ---- */

size_t editbuf_len(const struct editbuf *b)
{
	return b->len;
}

size_t editbuf_newlines(const struct editbuf *b)
{
	return b->newlines;
}

size_t editbuf_chars(const struct editbuf *b)
{
	return b->chars;
}

uint64_t editbuf_version(const struct editbuf *b)
{
	return b->version;
}

size_t editbuf_words(const struct editbuf *b)
{
	size_t words = 0;
	bool in = false;

	for (size_t i = 0; i < b->n; i++) {
		words += b->slot[i].words - (in && b->slot[i].starts);
		in = b->slot[i].ends;
	}
	return words;
}

size_t editbuf_read(const struct editbuf *b, size_t at, char *out, size_t n)
{
	size_t off, done = 0;

	for (size_t i = find(b, at, &off); i < b->n && done < n; i++, off = 0) {
		const size_t part = b->slot[i].len - off < n - done ? b->slot[i].len - off : n - done;

		memcpy(out + done, b->slot[i].block->bytes + off, part);
		done += part;
	}
	return done;
}

const char *editbuf_span(const struct editbuf *b, size_t at, size_t *n)
{
	size_t off, i = find(b, at, &off);

	*n = i < b->n ? b->slot[i].len - off : 0;
	return i < b->n ? b->slot[i].block->bytes + off : "";
}

int editbuf_byte(const struct editbuf *b, size_t at)
{
	size_t off, i = find(b, at, &off);

	return i < b->n ? (unsigned char)b->slot[i].block->bytes[off] : -1;
}

size_t editbuf_line_start(const struct editbuf *b, size_t at)
{
	size_t off, i = find(b, at, &off), start = at - off;
	const char *p = NULL;

	if (i < b->n)
		p = memrchr(b->slot[i].block->bytes, '\n', off);
	while (!p && i > 0) {
		start -= b->slot[--i].len;
		if (b->slot[i].newlines)
			p = memrchr(b->slot[i].block->bytes, '\n', b->slot[i].len);
	}
	return p ? start + (size_t)(p - b->slot[i].block->bytes) + 1 : 0;
}

size_t editbuf_line_end(const struct editbuf *b, size_t at)
{
	size_t off, i = find(b, at, &off), start = at - off;
	const char *p;

	for (; i < b->n; start += b->slot[i++].len, off = 0) {
		if (!b->slot[i].newlines)
			continue;
		p = memchr(b->slot[i].block->bytes + off, '\n', b->slot[i].len - off);
		if (p)
			return start + (size_t)(p - b->slot[i].block->bytes);
	}
	return b->len;
}

size_t editbuf_newlines_before(const struct editbuf *b, size_t at)
{
	size_t off, i = find(b, at, &off), n = 0;

	for (size_t k = 0; k < i; k++)
		n += b->slot[k].newlines;
	for (size_t k = 0; i < b->n && k < off; k++)
		n += b->slot[i].block->bytes[k] == '\n';
	return n;
}

size_t editbuf_chars_before(const struct editbuf *b, size_t at)
{
	size_t off, i = find(b, at, &off), n = 0;

	for (size_t k = 0; k < i; k++)
		n += b->slot[k].chars;
	for (size_t k = 0; i < b->n && k < off; k++)
		n += ((unsigned char)b->slot[i].block->bytes[k] & 0xc0) != 0x80;
	return n;
}

size_t editbuf_nth_line(const struct editbuf *b, size_t line)
{
	size_t i = 0, start = 0, off = 0;

	line = line < b->newlines ? line : b->newlines;
	if (line == 0)
		return 0;
	for (; b->slot[i].newlines < line; i++) {
		line -= b->slot[i].newlines;
		start += b->slot[i].len;
	}
	for (; line > 0; off++)
		line -= b->slot[i].block->bytes[off] == '\n';
	return start + off;
}

/* ---- snapshots ---- */

struct editsnap *editbuf_snapshot(const struct editbuf *b)
{
	struct editsnap *s = xcalloc(1, sizeof(*s));

	s->n = b->n;
	s->len = b->len;
	s->slot = xmemdup(b->slot, b->n * sizeof(*b->slot));
	for (size_t i = 0; i < s->n; i++)
		atomic_fetch_add(&s->slot[i].block->refs, 1);
	return s;
}

void editsnap_free(struct editsnap *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n; i++)
		block_unref(s->slot[i].block);
	free(s->slot);
	free(s);
}

size_t editsnap_len(const struct editsnap *s)
{
	return s->len;
}

int editsnap_write(const struct editsnap *s, int fd)
{
	for (size_t i = 0; i < s->n; i++) {
		for (size_t at = 0; at < s->slot[i].len;) {
			const ssize_t w = write(fd, s->slot[i].block->bytes + at, s->slot[i].len - at);

			if (w < 0 && errno != EINTR)
				return -1;
			at += w > 0 ? (size_t)w : 0;
		}
	}
	return 0;
}
