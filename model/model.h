/* SPDX-License-Identifier: GPL-3.0-or-later */
/* model: what a file holds and what serves: weights, tokenizer, configuration, and
 * where they came from, as one immutable, reference-counted snapshot.
 *
 * A reply takes a reference at its first encode and gives it back after its last token,
 * so a new snapshot can be published at any time. model_ref and model_unref are
 * safe from any thread; everything else about a model is read-only. */
#ifndef ANSWERBACK_MODEL_H
#define ANSWERBACK_MODEL_H

#include <stdatomic.h>

#include "modelfile.h"
#include "tokenizer.h"
#include "weights.h"

struct model {
	atomic_size_t refs;
	struct weights *w;
	struct tokenizer *tok;
	char *path;                /* NULL when it was not read from a file */
	char *lineage, *scores;    /* JSON texts, never NULL */
};

/* Takes ownership of w and tok; copies the texts (NULL: "{}"). */
struct model *model_new(struct weights *w, struct tokenizer *tok, const char *lineage, const char *scores);
/* trainable: with room for the backward pass. Checks names, shapes, finiteness, vocabulary. */
int model_load(struct model **out, const char *path, bool trainable, struct err *e);
struct model *model_ref(struct model *m);
void model_unref(struct model *m);         /* NULL is fine */

/* dtype: MODELFILE_F32 or MODELFILE_BF16. */
int model_save(const struct weights *w, const struct tokenizer *tok, const char *path,
               enum modelfile_dtype dtype, const char *lineage, const char *scores, struct err *e);

/* The configuration as a JSON object and back; shared with checkpoints. */
char *model_config_to_json(const struct dialogue_config *c);      /* caller frees */
int model_config_from_json(struct dialogue_config *c, const char *json, struct err *e);

#endif
