/* SPDX-License-Identifier: GPL-3.0-or-later */
/* replay: conversations that a model makes up, so that what it knew can be kept without keeping the
 * text it learned from (generative replay, Shin et al. 2017; here with the base model's
 * distributions as targets, see dataset_pull). */
#ifndef ANSWERBACK_REPLAY_H
#define ANSWERBACK_REPLAY_H

#include "../model/dataset.h"
#include "../model/model.h"
#include "../model/pool.h"

struct replay_opts {
	size_t dialogues, turns;      /* turns of each, both roles in turn */
	size_t longest;               /* pieces of a turn, at most */
	uint64_t seed;
	double temperature, top_p;
	double pull;                  /* dataset_pull of every turn; 0: plain likelihood, weight 1 */
};
void replay_opts_default(struct replay_opts *o);

/* Append sampled dialogues to ds. pool: its threads share the work, and the same dialogues come of any number of
 * them. stop: NULL, or looked at between dialogues, from any of the threads. Returns how many were made. */
size_t replay_sample(struct model *m, const struct replay_opts *o, struct pool *pool, struct dataset *ds,
                     bool (*stop)(void *), void *arg);

/* What the model says next in a conversation (all turns of dialogue d of `said`), as role tag: sampled. */
void replay_answer(struct model *m, const struct dataset *said, size_t d, int32_t tag, uint64_t seed, struct tokens *out);
size_t replay_chars(const struct tokenizer *tok, const struct tokens *ids);      /* characters of its text */

#endif
