/* SPDX-License-Identifier: GPL-3.0-or-later */
/* corpus: chat files read whole, for training and evaluation. */
#ifndef ANSWERBACK_CORPUS_H
#define ANSWERBACK_CORPUS_H

#include "../model/dataset.h"
#include "../model/tokenizer.h"
#include "base/err.h"
#include "chatfile.h"

struct corpus {
	struct chat *chat;
	size_t n, cap;
	struct chatfile_counts counts;     /* summed over files */
};

/* Append the conversations of a file; at most limit in all (0: no limit). */
int corpus_read(struct corpus *c, const char *path, const struct chatfile_opts *o, size_t limit,
                struct err *e);
void corpus_free(struct corpus *c);

/* Learn a tokenizer from the conversations' text, placeholders taken out. */
int corpus_tokenizer(const struct corpus *c, size_t vocab, const char *const *tags,
                     struct tokenizer **out, struct err *e);
/* All conversations as ids. company: name for conversations that carry none of their own. */
void corpus_encode(const struct corpus *c, const struct tokenizer *tok, const char *company,
                   bool placeholders, struct dataset *ds);

#endif
