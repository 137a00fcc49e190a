/* SPDX-License-Identifier: GPL-3.0-or-later */
/* common_tokenizer: a text written for the tests, tokenizers learned from it, and the definition
 * of encoding as slow as it likes. */
#ifndef ANSWERBACK_COMMON_TOKENIZER_H
#define ANSWERBACK_COMMON_TOKENIZER_H

#include "../model/tokenizer_private.h"

extern const char tokenizer_sample[];
extern const size_t common_sample_len;
extern const char *const common_tags[];         /* "user", "assistant", NULL */

/* These fail the test rather than return an error. */
struct tokenizer *common_train(const char *text, size_t len, size_t vocab);
/* The sample counted twice: all its words become pieces if there is room. */
struct tokenizer *common_train_sample(size_t vocab);

/* Append the pieces of one word: every merge of the table in turn, from left to right. */
void common_plain_word(const struct tokenizer *t, const char *s, size_t n, struct tokens *out);

#endif
