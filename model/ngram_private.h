/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ngram_private: the trie behind an n-gram model. */
#ifndef ANSWERBACK_NGRAM_PRIVATE_H
#define ANSWERBACK_NGRAM_PRIVATE_H

#include "ngram.h"

/* Level k holds the k-grams, sorted, each the child of its first k - 1 ids. */
struct ngram_level {
	size_t n;
	uint16_t *id;             /* [n] last id */
	float *p;                 /* [n] discounted part; at level 1 the whole probability; 0: context only */
	uint8_t *q;               /* [n] the same in 8 bits, when p is NULL (from a file, but for level 1) */
	uint32_t *first;          /* [n + 1] children in level k + 1; NULL at the last level */
};

struct ngram {
	size_t order, vocab;
	struct ngram_level level[NGRAM_MAX_ORDER];
	float unpacked[256];      /* what a q stands for */
	void *block;              /* of a file's arrays, NULL: each is on its own */
	size_t block_size;
};

static inline float ngram_part(const struct ngram *g, const struct ngram_level *l, size_t i)
{
	return l->p ? l->p[i] : g->unpacked[l->q[i]];
}

struct ngram *ngram_alloc(size_t order, size_t vocab);
void ngram_level_alloc(struct ngram_level *l, size_t n, int last);

#endif
