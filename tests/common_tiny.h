/* SPDX-License-Identifier: GPL-3.0-or-later */
/* common_tiny: a model of a few thousand weights that has learned a handful of exchanges in a second or two, for
 * tests of what happens around training. */
#ifndef ANSWERBACK_TESTS_COMMON_TINY_H
#define ANSWERBACK_TESTS_COMMON_TINY_H

#include "../model/model.h"
#include "../src/corpus.h"

struct tiny {
	struct model *m;
	struct corpus said;           /* what it has learned */
};

void tiny_make(struct tiny *t);
void tiny_free(struct tiny *t);
void tiny_save(const struct tiny *t, const char *path);

/* A copy of the model that has gone on learning: conversations at weight `weight` (the customers' turns at `customers`). */
struct model *tiny_taught(const struct tiny *t, const struct corpus *c, size_t steps, double lr, double customers);
/* One exchange more in a corpus. */
void tiny_say(struct corpus *c, const char *question, const char *answer);

#endif
