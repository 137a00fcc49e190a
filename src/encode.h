/* SPDX-License-Identifier: GPL-3.0-or-later */
/* encode: between what people write and what the model reads: placeholders (redact),
 * then pieces (tokenizer), and the same way back.
 *
 * A map carries the numbering of one conversation; encode its turns in order.
 * map NULL means placeholders are off: the text goes to the tokenizer as it is. */
#ifndef ANSWERBACK_ENCODE_H
#define ANSWERBACK_ENCODE_H

#include "../model/dataset.h"
#include "../model/tokenizer.h"
#include "base/err.h"
#include "base/str.h"
#include "chatfile.h"
#include "redact.h"

/* Append the ids of one turn's text. */
void encode_text(const struct tokenizer *tok, struct tokenizer_cache *cache, struct redact_map *map,
                 const char *text, size_t len, struct tokens *out);

/* Append the text of ids, placeholders replaced by their values. One whose value the map does not
 * know appears as "<order_3>"; returns how many of those there were. */
size_t decode_text(const struct tokenizer *tok, const struct redact_map *map,
                   const int32_t *ids, size_t n, struct str *out);

/* The source of a chat whose text holds placeholders as words ("<order_1>"), as examples in the store do: they
 * are read as placeholders there, and only there. */
#define ENCODE_EXAMPLE "answerback-example"
void encode_example(const struct tokenizer *tok, struct tokenizer_cache *cache, const char *text, size_t len,
                    struct tokens *out);

/* Append one conversation to a dataset. Roles without a tag in the tokenizer are left out
 * (the reader has counted them). company: see redact.h. */
void encode_chat(struct dataset *ds, const struct tokenizer *tok, struct tokenizer_cache *cache,
                 const struct chat *c, const char *company, bool placeholders);

/* Which placeholder types have one fixed index (a bit set of types): the company. */
uint32_t encode_fixed_types(void);

#endif
