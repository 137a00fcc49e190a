/* SPDX-License-Identifier: GPL-3.0-or-later */
/* memory_private: what memory.c and memory_load.c share: the memory's insides stay with the first, reading from the store
 * and writing to it with the second. */
#ifndef ANSWERBACK_MEMORY_PRIVATE_H
#define ANSWERBACK_MEMORY_PRIVATE_H

#include "memory.h"
#include "memory_pair.h"

struct remembered {
	char *question, *answer;
	int64_t id, conversation;
	uint64_t said;                /* hash of its words in their order */
};

struct posting {
	uint32_t *v;
	size_t n, cap;
	size_t names;                 /* in so many places the word is a name */
};

enum vector_state { VECTOR_MISSING, VECTOR_MADE, VECTOR_KEPT, VECTOR_STATES };

struct memory {
	const struct encoder *en;
	struct encoder *own;          /* the one to free */
	char *company;
	struct remembered *r;         /* [n] in no order */
	int8_t *vector;               /* [n, ENCODER_DIM] */
	float *scale;                 /* [n] 1 / length of the bytes */
	uint8_t *state;               /* [n] enum vector_state */
	size_t states[VECTOR_STATES]; /* how many of each */
	size_t n, cap;
	struct posting *index;        /* [BUCKETS] by hash of the stem */
	struct memory_lexicon lexicon;
};

/* Vectors made here and not kept yet; each: false stops. Returns how many were given. */
size_t memory_made(const struct memory *m, bool (*each)(int64_t id, const int8_t *vector, void *arg), void *arg);
void memory_made_kept(struct memory *m);

#endif
