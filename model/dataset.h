/* SPDX-License-Identifier: GPL-3.0-or-later */
/* dataset: tokenised dialogues in memory, and how an epoch of them becomes batches.
 *
 * A dataset is filled once and then only read, by any number of threads. A plan is a
 * function of (dataset, options, epoch) alone: the same seed gives the same batches, cut the
 * same way into shards, whatever the number of threads.
 *
 *     dataset_begin(ds);
 *     dataset_turn(ds, tag, ids, n, chars, weight);      // once a turn
 *     dataset_end(ds);
 */
#ifndef ANSWERBACK_DATASET_H
#define ANSWERBACK_DATASET_H

#include "dialogue.h"
#include "tokenizer.h"

struct dataset_turn {
	size_t first, n;          /* ids[first .. first + n), the tag not among them */
	int32_t tag;
	uint32_t chars;           /* Unicode characters of the original text */
	float weight;
	float pull;               /* > 0: toward a teacher's distributions, instead of weight */
	bool open;                /* it went on: its end is not learned */
	uint32_t rival;           /* 1 + index of the turn that must not be said here (contrast.h), 0: none in particular */
};

struct dataset {
	int32_t *ids;
	size_t n_ids, cap_ids;
	struct dataset_turn *turn;
	size_t n_turns, cap_turns;
	size_t *first_turn;       /* [dialogues + 1] */
	size_t dialogues, cap_dialogues;
};

struct dataset *dataset_new(void);
void dataset_free(struct dataset *ds);
void dataset_begin(struct dataset *ds);
void dataset_turn(struct dataset *ds, int32_t tag, const int32_t *ids, size_t n, size_t chars, double weight);
void dataset_open(struct dataset *ds);                   /* the turn just added is the beginning of one */
void dataset_pull(struct dataset *ds, double pull);      /* of the turn just added; its weight becomes 0 */
void dataset_rival(struct dataset *ds, size_t turn);     /* of the turn just added: turn index of ds->turn */
/* All dialogues of another set, as they are. */
void dataset_append(struct dataset *ds, const struct dataset *from);
void dataset_end(struct dataset *ds);       /* a dialogue without turns is taken back */
size_t dataset_rows(const struct dataset *ds);      /* pieces plus one tag a turn */

/* A stretch of one dialogue. */
struct batch_item {
	uint32_t dialogue, from, to;      /* turns [from, to) of the dataset */
};

struct batch_opts {
	size_t rows;              /* of one batch, all shards together */
	size_t shards;
	size_t longest;           /* rows of one item; longer dialogues are cut between turns */
	uint64_t seed;
};

struct batch_plan {
	struct batch_item *item;
	size_t n_items;
	size_t *first;            /* [batches * shards + 1] items of shard s of batch b: first[b * shards + s] ... */
	size_t batches, shards;
};

struct batch_plan *batch_plan_new(const struct dataset *ds, const struct batch_opts *o, uint64_t epoch);
void batch_plan_free(struct batch_plan *p);

struct batch_noise {
	double word_dropout;          /* chance that an input piece reads <null> */
	uint64_t key;
	/* Placeholder indices are permuted within each dialogue, so that none means more than another;
	 * types whose bit is set keep theirs (the company: there is only one). */
	const struct tokenizer *tok;  /* NULL: no permutation */
	uint32_t keep_types;
};

/* Build the pass's input from items [from, to) of a dataset; arrays come from the arena.
 * noise NULL: exactly what is there. Turns of more than `longest` rows are cut off (0: never). */
void batch_build(struct dialogue_batch *b, struct arena *a, const struct dataset *ds,
                 const struct batch_item *item, size_t n, size_t longest, const struct batch_noise *noise);

/* Put n branches (dialogue.h) at the end of b: turn said[i] of the dataset in the place of b's turn
 * place[i], with weight 0. b gets new arrays from the arena; place is copied. noise as above: of the
 * dialogue `from[i]` that the turn was said in. */
void batch_branch(struct dialogue_batch *b, struct arena *a, const struct dataset *ds, const uint32_t *place,
                  const size_t *said, const uint32_t *from, size_t n, size_t longest,
                  const struct batch_noise *noise);

#endif
