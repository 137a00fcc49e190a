/* SPDX-License-Identifier: GPL-3.0-or-later */
/* common_model: a small tokenizer, a small model and small dialogues for tests. */
#ifndef ANSWERBACK_TESTS_COMMON_MODEL_H
#define ANSWERBACK_TESTS_COMMON_MODEL_H

#include "../model/dataset.h"
#include "../model/model.h"
#include "../src/base/rng.h"

/* 420 ids or so, tags "user" and "assistant". */
struct tokenizer *fixture_tokenizer(void);
/* Odd sizes on purpose: no multiple of any vector width. */
struct weights *fixture_weights(const struct tokenizer *tok, uint64_t seed, bool trainable);
struct model *fixture_model(uint64_t seed);
/* Random dialogues of the tokenizer's text pieces and some placeholders. */
struct dataset *fixture_dialogues(const struct tokenizer *tok, struct rng *r, size_t dialogues,
                                 size_t turns, size_t longest);

#endif
