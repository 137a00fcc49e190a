/* SPDX-License-Identifier: GPL-3.0-or-later */
/* mem: checked allocation and the bump allocator of the time loops.
 *
 * Under AddressSanitizer an arena's free space is poisoned, so that a read past
 * a piece or after arena_release is reported as it would be on the heap. */
#include "mem.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MEM_ASAN 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define MEM_ASAN 1
#endif

#ifdef MEM_ASAN
#include <sanitizer/asan_interface.h>
#define MEM_POISON(p, n) ASAN_POISON_MEMORY_REGION(p, n)
#define MEM_UNPOISON(p, n) ASAN_UNPOISON_MEMORY_REGION(p, n)
#else
#define MEM_POISON(p, n) ((void)(p), (void)(n))
#define MEM_UNPOISON(p, n) ((void)(p), (void)(n))
#endif

enum { MEM_ALIGN = 64 };

/* Process-wide by nature: one heap, one terminal to restore. */
static _Atomic size_t mem_count;
static void (*_Atomic mem_hook)(size_t wanted);

static _Noreturn void mem_exhausted(size_t wanted)
{
	void (*hook)(size_t) = atomic_load(&mem_hook);

	if (hook)
		hook(wanted);
	fprintf(stderr, "answerback: out of memory (%zu bytes wanted)\n", wanted);
	/* not exit(): other threads still run, and atexit handlers may allocate */
	_exit(1);
}

void mem_set_exhausted_hook(void (*hook)(size_t wanted))
{
	atomic_store(&mem_hook, hook);
}

size_t mem_allocations(void)
{
	return atomic_load_explicit(&mem_count, memory_order_relaxed);
}

static void mem_counted(void)
{
	atomic_fetch_add_explicit(&mem_count, 1, memory_order_relaxed);
}

size_t mem_mul(size_t a, size_t b)
{
	size_t r;

	if (__builtin_mul_overflow(a, b, &r))
		mem_exhausted(SIZE_MAX);
	return r;
}

void *xmalloc(size_t size)
{
	void *p = malloc(size ? size : 1);

	if (!p)
		mem_exhausted(size);
	mem_counted();
	return p;
}

void *xcalloc(size_t n, size_t size)
{
	size_t total = mem_mul(n, size);
	void *p = calloc(total ? total : 1, 1);

	if (!p)
		mem_exhausted(total);
	mem_counted();
	return p;
}

void *xrealloc(void *p, size_t size)
{
	void *q = realloc(p, size ? size : 1);

	if (!q)
		mem_exhausted(size);
	mem_counted();
	return q;
}

void *xreallocarray(void *p, size_t n, size_t size)
{
	return xrealloc(p, mem_mul(n, size));
}

char *xstrdup(const char *s)
{
	return xmemdup(s, strlen(s));
}

void *xmemdup(const void *p, size_t n)
{
	char *q;

	if (n == SIZE_MAX)
		mem_exhausted(n);
	q = xmalloc(n + 1);
	if (n)
		memcpy(q, p, n);
	q[n] = '\0';
	return q;
}

/* Round up to the alignment; dies when that overflows. */
static size_t mem_round(size_t size)
{
	if (size > SIZE_MAX - (MEM_ALIGN - 1))
		mem_exhausted(size);
	return (size + MEM_ALIGN - 1) / MEM_ALIGN * MEM_ALIGN;
}

static void *mem_aligned_raw(size_t size)
{
	size_t rounded = mem_round(size ? size : 1);
	void *p = aligned_alloc(MEM_ALIGN, rounded);

	if (!p)
		mem_exhausted(size);
	mem_counted();
	return p;
}

void *mem_aligned(size_t size)
{
	size_t rounded = mem_round(size ? size : 1);

	return memset(mem_aligned_raw(size), 0, rounded);
}

void mem_aligned_free(void *p)
{
	free(p);
}

enum { MEM_HUGE = 2 << 20 };

void *mem_large(size_t size)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t rounded, skip;
	char *p;

	if (size < MEM_HUGE / 2)
		return mem_aligned(size);
	if (size > SIZE_MAX / 2)
		mem_exhausted(size);
	rounded = (size + page - 1) / page * page;
	p = mmap(NULL, rounded + MEM_HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		mem_exhausted(size);
	mem_counted();
	/* whole huge pages from the start on; what lies before and behind goes back */
	skip = (MEM_HUGE - (uintptr_t)p % MEM_HUGE) % MEM_HUGE;
	if (skip > 0)
		munmap(p, skip);
	munmap(p + skip + rounded, MEM_HUGE - skip);
	p += skip;
#ifdef MADV_HUGEPAGE
	madvise(p, rounded, MADV_HUGEPAGE);
#endif
	return p;
}

void mem_large_free(void *p, size_t size)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);

	if (size < MEM_HUGE / 2)
		mem_aligned_free(p);
	else if (p)
		munmap(p, (size + page - 1) / page * page);
}

/* ---- arena ------------------------------------------------------------------
 * A list of blocks; `cur` is the one being filled, those after it are empty and
 * kept for reuse. A mark is a position in the concatenation of all blocks. */

struct block {
	struct block *next;
	char *data;
	size_t cap, used;
	size_t base;            /* capacities of all blocks before this one */
};

struct arena {
	struct block *first, *cur;
	size_t before;          /* bytes in use in the blocks before cur */
	size_t peak;
};

static struct block *block_new(size_t cap, size_t base)
{
	struct block *b = xmalloc(sizeof *b);

	*b = (struct block){ .data = mem_aligned_raw(cap), .cap = cap, .base = base };
	MEM_POISON(b->data, cap);
	return b;
}

static void block_free_list(struct block *b)
{
	while (b) {
		struct block *next = b->next;

		MEM_UNPOISON(b->data, b->cap);
		mem_aligned_free(b->data);
		free(b);
		b = next;
	}
}

struct arena *arena_new(size_t initial_bytes)
{
	struct arena *a = xcalloc(1, sizeof *a);

	a->first = a->cur = block_new(mem_round(initial_bytes ? initial_bytes : 1), 0);
	return a;
}

void arena_free(struct arena *a)
{
	if (!a)
		return;
	block_free_list(a->first);
	free(a);
}

/* Make cur a block with room for `size`, keeping the blocks already filled. */
static void arena_grow(struct arena *a, size_t size)
{
	struct block *b = a->cur, *next = b->next;
	size_t total = b->base + b->cap;

	a->before += b->used;
	if (!next || next->cap < size) {
		/* nothing lives in the blocks after cur: those too small go */
		block_free_list(next);
		b->next = next = block_new(size > total / 2 ? size : mem_round(total / 2), total);
	}
	a->cur = next;
}

void *arena_alloc(struct arena *a, size_t bytes)
{
	size_t size = mem_round(bytes ? bytes : 1);
	struct block *b = a->cur;
	char *p;

	if (size > b->cap - b->used) {
		arena_grow(a, size);
		b = a->cur;
	}
	p = b->data + b->used;
	b->used += size;
	if (a->before + b->used > a->peak)
		a->peak = a->before + b->used;
	MEM_UNPOISON(p, bytes);
	return p;
}

void *arena_zalloc(struct arena *a, size_t bytes)
{
	void *p = arena_alloc(a, bytes);

	/* bytes may be 0, and then not one of them may be touched */
	return bytes ? memset(p, 0, bytes) : p;
}

size_t arena_mark(const struct arena *a)
{
	return a->cur->base + a->cur->used;
}

void arena_release(struct arena *a, size_t mark)
{
	struct block *b;

	assert(mark <= arena_mark(a));
	a->before = 0;
	for (b = a->first; mark > b->base + b->cap; b = b->next)
		a->before += b->used;
	b->used = mark - b->base;
	MEM_POISON(b->data + b->used, b->cap - b->used);
	a->cur = b;
	while ((b = b->next)) {
		b->used = 0;
		MEM_POISON(b->data, b->cap);
	}
}

void arena_reset(struct arena *a)
{
	if (a->first->next) {
		/* one block that holds the most ever needed at once */
		size_t cap = mem_round(a->peak > a->first->cap ? a->peak : a->first->cap);

		block_free_list(a->first);
		a->first = a->cur = block_new(cap, 0);
	}
	arena_release(a, 0);
}

size_t arena_peak(const struct arena *a)
{
	return a->peak;
}
