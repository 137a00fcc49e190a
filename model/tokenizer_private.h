/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tokenizer_private: what the tokenizer*.c files and bpe_train.c share.
 *
 * A tokenizer is its list of merges, as pairs of ids, together with the names of tags and
 * types; tokenizer_build makes everything else from them, and is the one place where they are
 * checked, whether they come from training or from a file. */
#ifndef ANSWERBACK_TOKENIZER_PRIVATE_H
#define ANSWERBACK_TOKENIZER_PRIVATE_H

#include "tokenizer.h"

enum {
	TOKENIZER_MAX_WORD = 64,        /* bytes; longer words are cut, so is every piece */
	TOKENIZER_MAX_TYPES = 64,
	TOKENIZER_MAX_NAME = 32         /* bytes of a tag's or type's name */
};

struct tokenizer_merge {
	uint16_t left, right;
};

/* One slot of the table of merges; id 0 (a control) marks an empty one. */
struct tokenizer_slot {
	uint32_t pair;                  /* left << 16 | right */
	uint32_t id;
};

struct tokenizer {
	size_t vocab, first_byte, nmerges;
	char *tags[TOKENIZER_MAX_TAGS];
	size_t ntags;
	char *types[TOKENIZER_MAX_TYPES];
	size_t ntypes;
	struct tokenizer_merge *merges; /* merge i makes the id first_byte + 256 + i */
	char *bytes;                    /* all pieces, one after the other */
	uint32_t *offset;               /* vocab + 1 of them */
	struct tokenizer_slot *slots;   /* open addressing, at most half full */
	uint32_t slot_mask;
	uint16_t *sorted;               /* ids of all pieces, by their bytes */
	size_t nsorted;                 /* 256 + nmerges */
	uint64_t fingerprint;           /* of the merges: whose words a cache holds */
};

/* Bytes of the first word of s; n > 0. The words of a text are what is found by calling this
 * again behind each word. Looks at no more than TOKENIZER_MAX_WORD + 2 bytes. */
size_t tokenizer_word(const char *s, size_t n);

/* Spreads pairs over the slots; the low bits are the good ones. */
static inline uint32_t tokenizer_slot_hash(uint32_t pair)
{
	return (uint32_t)(pair * 0x9e3779b97f4a7c15u >> 32);
}

static inline bool tokenizer_byte_is_digit(unsigned char c)
{
	return c >= '0' && c <= '9';
}

/* Ids before the bytes, for a number of types. */
static inline size_t tokenizer_controls(size_t ntypes)
{
	return TOKEN_FIRST_TAG + TOKENIZER_MAX_TAGS + ntypes * TOKENIZER_PER_TYPE;
}

/* Check everything and build; copies what it is given. Names need not be NULL-terminated lists. */
int tokenizer_build(const char *const *tags, size_t ntags, const char *const *types, size_t ntypes,
                    const struct tokenizer_merge *merges, size_t nmerges,
                    struct tokenizer **out, struct err *e);

#endif
