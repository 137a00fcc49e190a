/* SPDX-License-Identifier: GPL-3.0-or-later */
/* encoder_train: the encoder trained by contrast on groups of texts that mean the same.
 *
 * A batch is pairs of two texts of one group. Groups that share a `near` key (one domain, one thing asked about, one
 * question asked about many things) are drawn together, so that a batch holds rivals that look alike. One thread;
 * same groups, options and seed: same bits. */
#ifndef ANSWERBACK_ENCODER_TRAIN_H
#define ANSWERBACK_ENCODER_TRAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../src/base/err.h"
#include "../src/base/rng.h"
#include "../src/base/str.h"

enum { ENCODER_NEAR = 2, ENCODER_SOURCES = 24 };

/* Texts that mean the same (texts >= 1; alone, it is paired with itself, each time changed by `vary`). */
struct encoder_group {
	char **text;
	size_t n;
	uint32_t source;              /* < ENCODER_SOURCES */
	uint32_t near[ENCODER_NEAR];  /* keys, 0: none; small numbers without large gaps */
	bool held_out;                /* for measuring only */
	bool made;                    /* out of templates: says nothing of how rare a word is */
};

struct encoder_train_opts {
	size_t words, grams;          /* rows of the tables: 12,000 and 14,000 */
	size_t pairs, cluster;        /* of a batch: 128; groups of one near key in it: 8 */
	size_t block;                 /* pairs compared word by word with each other, 32: those that are near lie together */
	double minutes;               /* of this thread's processor time; 0: by steps */
	size_t steps;
	double rate;                  /* peak, 0.003 */
	double temperature, words_temperature;       /* 0.06, 0.05 */
	double drop_words;            /* share of words left to their n-grams, 0.1 */
	double share[ENCODER_SOURCES];        /* of the pairs, by source */
	uint64_t seed;
	/* Change a text as people and chance do; NULL: never. Called for one text of a pair or both. */
	void (*vary)(void *arg, const char *text, struct rng *r, struct str *out);
	void *vary_arg;
	size_t save_every;            /* steps; 0: only at the end */
	size_t report_every;          /* steps */
	void (*report)(void *arg, const char *line);      /* JSON; NULL: quiet */
	void *report_arg;
};
void encoder_train_opts_default(struct encoder_train_opts *o);

/* Trains and writes `path`. notes: a JSON object kept in the file ("training"); NULL: none. */
int encoder_train(const struct encoder_group *g, size_t n, const struct encoder_train_opts *o, const char *path,
                  const char *notes, struct err *e);

#endif
