/* SPDX-License-Identifier: GPL-3.0-or-later */
/* mem: allocation that cannot fail halfway, and the arena that time loops live in.
 *
 * x* functions never return NULL: out of memory ends the program through one
 * hook (set by the screen, so that the terminal is restored first).
 * Every block from mem_aligned and from an arena starts on 64 bytes.
 * An arena belongs to one thread at a time.
 */
#ifndef ANSWERBACK_MEM_H
#define ANSWERBACK_MEM_H

#include <stddef.h>

void *xmalloc(size_t size);
void *xcalloc(size_t n, size_t size);              /* zeroed, n*size checked */
void *xrealloc(void *p, size_t size);
void *xreallocarray(void *p, size_t n, size_t size); /* n*size checked */
char *xstrdup(const char *s);
void *xmemdup(const void *p, size_t n);            /* always one NUL past the end */

void *mem_aligned(size_t size);      /* 64-byte aligned, zeroed; free with mem_aligned_free */
void mem_aligned_free(void *p);      /* NULL is fine */

/* Zeroed and 64-byte aligned; from a megabyte on with huge pages where the system has them, and not a
 * page before it is touched. To be freed with the size it was asked for with. */
void *mem_large(size_t size);
void mem_large_free(void *p, size_t size);   /* NULL is fine */

/* Called with the size that could not be had, before abort-free exit(1). */
void mem_set_exhausted_hook(void (*hook)(size_t wanted));

/* a*b, or death by the exhausted hook when it overflows */
size_t mem_mul(size_t a, size_t b);

/* Bump allocator. Grows by whole blocks when full (never moves what was handed
 * out); arena_reset keeps the memory, merged to one block, so that after the
 * first step nothing is allocated again. */
struct arena;
struct arena *arena_new(size_t initial_bytes);
void arena_free(struct arena *a);                  /* NULL is fine */
void *arena_alloc(struct arena *a, size_t bytes);  /* 64-byte aligned, NOT zeroed */
void *arena_zalloc(struct arena *a, size_t bytes); /* zeroed */
size_t arena_mark(const struct arena *a);          /* for stack-like use ... */
void arena_release(struct arena *a, size_t mark);  /* ... back to a mark */
void arena_reset(struct arena *a);
size_t arena_peak(const struct arena *a);          /* most bytes ever in use */

/* Number of allocations made through this module since start; tests use it to
 * show that a training step allocates nothing. */
size_t mem_allocations(void);

#endif
