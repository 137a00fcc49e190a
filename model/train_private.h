/* SPDX-License-Identifier: GPL-3.0-or-later */
/* train_private: the trainer's insides, shared by the loop (train.c) and the checkpoint
 * (train_checkpoint.c). */
#ifndef ANSWERBACK_TRAIN_PRIVATE_H
#define ANSWERBACK_TRAIN_PRIVATE_H

#include "adapter.h"
#include "optim.h"
#include "pool.h"
#include "train.h"

struct trainer {
	struct train_opts o;
	char *checkpoint;
	struct weights *w;
	const struct tokenizer *tok;
	const struct dataset *train, *valid;
	int32_t eval_tag;
	struct pool *pool;
	struct optim optim;
	struct adapter *adapter;      /* NULL: all weights are trained; else only its factors, on frozen */
	real *frozen, *factor_grad;
	/* The average or the best, packed in w's room, for evaluation; NULL: w itself is packed. No copies: of the
	 * eleven blocks of this size that training once held, these were two. */
	struct weights *lent;
	real *tuned;                  /* with an adapter: room for what the average of its factors makes of the weights */
	real *best;                   /* best evaluated average */

	/* one a shard */
	struct arena **arena;
	real **grad;
	double *shard_loss, *shard_weight, *shard_entropy, *shard_null, *shard_right;
	float *commonness;             /* of the training turns; NULL without a contrast */

	/* where we are: all of it is in a checkpoint */
	uint64_t step, epoch, batch;  /* batch: next one of this epoch's plan */
	double seconds;               /* spent training, evaluations included */
	double loss;                  /* smoothed, nats a piece */
	double best_bits;
	uint64_t stale, skipped;

	struct batch_plan *plan;      /* of `epoch` */
	double rate;                  /* rows a second, recent */
	double lr, norm, bits, bits_all;
	double right;                 /* contrast, smoothed; not in a checkpoint: only shown */
	double saved_at;              /* seconds */
};

/* The moving average, packed where w was. */
void trainer_take_average(struct trainer *t);

#endif
