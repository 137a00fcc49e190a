/* SPDX-License-Identifier: GPL-3.0-or-later */
/* augment: new wordings of taught questions, and questions that look like them but ask for something else.
 *
 * An answer is to be given to a question in whatever words it comes, and to no other. A handful of wordings says
 * little of which words matter, so the training run is shown many more: with noise (spelling, politeness, words
 * left out), in the frames of the same aspect ("price of X?", "how much is X"), as bare words, with words that say
 * the same; and look-alikes, which must not be answered so: another thing in the same frame, another aspect of the same
 * thing, another weekday or number. What the question is about (its aspect) and the thing are found by words that the wordings
 * of one answer share. Rules and lists (wordings.h), no model: what they make need not be good English, as customers' is not.
 *
 * Deterministic in the rng. Belongs to one thread; after augment_prepare, any number may read. */
#ifndef ANSWERBACK_AUGMENT_H
#define ANSWERBACK_AUGMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/rng.h"
#include "base/str.h"

struct augment *augment_new(void);
void augment_free(struct augment *a);
/* Questions in their order, 0, 1, ...; those of one `key` (the answer) are wordings of each other. Copies. */
void augment_add(struct augment *a, const char *question, const char *key);
void augment_prepare(struct augment *a);

/* A new wording of question i. Placeholders ("<order_1>") are kept as they are. */
void augment_wording(const struct augment *a, size_t i, struct rng *r, struct str *out);
/* A question like question i that its answer does not answer; false: none was found. */
bool augment_lookalike(const struct augment *a, size_t i, struct rng *r, struct str *out);
/* As customers write: a slip of the fingers, small letters, a greeting; what is asked stays what it is. */
void augment_noise(struct str *s, struct rng *r);

/* For tests and the curious: the aspect's name (NULL: none was recognised) and the thing asked about. */
const char *augment_aspect(const struct augment *a, size_t i);
const char *augment_thing(const struct augment *a, size_t i);

#endif
