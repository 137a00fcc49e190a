/* SPDX-License-Identifier: GPL-3.0-or-later */
/* train: Adam over batches of dialogues, in shards, with checkpoints one can go on from.
 *
 * One step: the batch's shards (a fixed number, whatever the number of threads) each run
 * forward and backward into a gradient block of their own; the blocks are summed in shard
 * order, clipped by global norm, and applied in one pass. Every random choice is a function of
 * (seed, epoch or step, shard, place), so the same options give the same weights, bit for bit,
 * on one kernel path, with any number of threads, and across a resume. (Only `minutes` makes the
 * schedule a function of the clock.)
 *
 * What is kept and evaluated is an exponential moving average of the weights, the continuous
 * form of averaging the last checkpoints: it needs no ring of files and is there at every step.
 *
 * A trainer belongs to the thread that calls trainer_run; the callbacks run there too. */
#ifndef ANSWERBACK_TRAIN_H
#define ANSWERBACK_TRAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../src/base/err.h"
#include "dataset.h"
#include "tokenizer.h"
#include "weights.h"

struct train_opts {
	size_t threads, shards;
	size_t batch_rows;            /* rows (pieces and tags) of a batch */
	size_t longest;               /* rows of one stretch of dialogue */
	double lr, lr_end;            /* peak, and what is left of it at the end (a fraction) */
	size_t warmup;                /* steps */
	double minutes;               /* end of the schedule: one of these three, 0 means unset */
	size_t steps, epochs;
	double dropout, word_dropout, label_smoothing;
	double contrast;              /* weight of contrast.h's objective on eval_tag's turns; 0: none */
	double contrast_temperature;
	size_t contrast_turns, contrast_others;   /* of a shard */
	const struct weights *teacher;   /* of turns with a pull (dataset.h), packed; NULL: they count nothing */
	double clip;                  /* global norm of the gradient per weighted row, at most */
	double weight_decay;
	size_t adapter;               /* > 0: train a low-rank adapter of this rank instead of the weights */
	double average;               /* decay of the moving average of the weights; 0: none */
	size_t eval_every;            /* steps; 0: only at the end */
	size_t eval_dialogues;        /* of the held-out set while training; 0: all */
	size_t patience;              /* stop after so many evaluations without a better one; 0: never */
	double checkpoint_minutes;
	bool checkpoint_last;         /* another one at the end, whatever ended it (the default) */
	uint64_t seed;
	uint32_t keep_types;          /* placeholder types whose indices are not permuted */
	const char *checkpoint;       /* path, NULL: none */
};

void train_opts_default(struct train_opts *o);

struct train_report {
	size_t step, steps;           /* done, expected in all (0: not known yet) */
	size_t epoch;
	double progress;              /* 0 .. 1 of the schedule */
	double loss;                  /* nats a piece, smoothed over recent steps */
	double lr, grad_norm;
	double tokens_per_second;     /* recent: rows a second */
	double seconds, eta;          /* spent training; expected to go */
	size_t skipped;               /* steps left out: not finite, or an outlier */
	double contrast_right;        /* share of chosen turns likelier than their rivals, smoothed; NAN: none yet */
	double entropy, null_weight;  /* of attention, last step's first shard */
	/* set when an evaluation has just been done */
	bool evaluated;
	double bits_per_char;         /* held-out, of the tag evaluated */
	double bits_per_char_all;     /* of every tag */
	double best;                  /* lowest bits_per_char so far */
};

struct train_hooks {
	/* After every step and every evaluation. Return false to save a checkpoint and stop. */
	bool (*report)(const struct train_report *r, void *arg);
	void (*message)(const char *text, void *arg);       /* a skipped step, a checkpoint that failed */
	void *arg;
};

struct trainer;

/* Starts from w (trainable; taken over). train, valid, tok must outlive the trainer; valid may be empty.
 * eval_tag: the role whose held-out likelihood decides what is best (-1: all). */
struct trainer *trainer_new(const struct train_opts *o, struct weights *w, const struct tokenizer *tok,
                            const struct dataset *train, const struct dataset *valid, int32_t eval_tag);
void trainer_free(struct trainer *t);
int trainer_save(struct trainer *t, struct err *e);       /* to o.checkpoint, whole or not at all */
/* Go on from o.checkpoint; ERR_NOTFOUND when there is none. */
int trainer_resume(struct trainer *t, struct err *e);

/* Before the first step: second moments from one pass over a dataset of what is to stay (optim.h). */
void trainer_measure(struct trainer *t, const struct dataset *ds);

enum train_end { TRAIN_DONE, TRAIN_STOPPED, TRAIN_PATIENCE };
/* Until the schedule's end, a stop, or the end of patience. */
int trainer_run(struct trainer *t, const struct train_hooks *h, enum train_end *end, struct err *e);

/* Three states of the weights, of which one is packed at a time: each of these is valid until another is asked for,
 * the trainer runs on or is freed. To keep: the best evaluated average. */
const struct weights *trainer_best(struct trainer *t);
/* The moving average. */
const struct weights *trainer_average(struct trainer *t);
/* What the last update left. */
const struct weights *trainer_current(struct trainer *t);
/* With an adapter: its factors' average as it was at the last evaluation, a block of the adapter's layout. */
const real *trainer_factors(const struct trainer *t);
const struct adapter *trainer_adapter(const struct trainer *t);
void trainer_state(const struct trainer *t, struct train_report *r);

/* Held-out likelihood of a dataset, in nats and characters by tag. threads share the dialogues;
 * sums are formed in dialogue order. first: how many dialogues (0: all). */
struct likelihood {
	double nats[TOKENIZER_MAX_TAGS], chars[TOKENIZER_MAX_TAGS], rows[TOKENIZER_MAX_TAGS];
};
struct pool;
void train_likelihood(const struct weights *w, const struct dataset *ds, size_t first,
                      struct pool *pool, struct likelihood *out);
double likelihood_bits_per_char(const struct likelihood *l, int32_t tag);    /* -1: all tags */

#endif
