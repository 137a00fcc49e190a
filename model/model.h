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
	struct weights *w;         /* in 8 bits, or not: see model_load */
	struct tokenizer *tok;
	char *path;                /* NULL when it was not read from a file */
	char *adapter;             /* NULL, or the file of factors that was put on it */
	char *lineage, *scores;    /* JSON texts, never NULL */
	struct model *of;          /* NULL, or the model whose tokenizer this one reads (model_served) */
};

/* Takes ownership of w and tok; copies the texts (NULL: "{}"). */
struct model *model_new(struct weights *w, struct tokenizer *tok, const char *lineage, const char *scores);
/* What a model is wanted for. MODEL_SERVE: sessions and whatever else only goes forward; in 8 bits, made
 * from the file's map as they are needed, unless the environment says ANSWERBACK_SERVE=f32. */
enum model_use {
	MODEL_SERVE = 0,
	MODEL_TRAIN = 1,           /* with room for the backward pass */
	MODEL_F32 = 2              /* forward only, in full precision whatever the environment says */
};
/* Checks names, shapes, finiteness, vocabulary. */
int model_load(struct model **out, const char *path, enum model_use use, struct err *e);
/* With the factors of another file on (adapter.h); lineage and scores are that one's. In 8 bits nothing else stays in memory. */
int model_load_adapted(struct model **out, const char *path, const char *adapter, enum model_use use, struct err *e);
/* The same model in full precision: a reference to m itself, or read anew from its file. */
int model_as_f32(struct model **out, struct model *m, struct err *e);
/* m as it would serve when loaded: a reference to m itself, or a copy of its weights in 8 bits that
 * holds a reference to m. For judging weights that are in no file yet. */
struct model *model_served(struct model *m);
/* "int8" or "f32": as its products are made. */
const char *model_precision(const struct model *m);
/* What ANSWERBACK_SERVE asks for: true for 8 bits. ERR_USAGE when it is neither int8 nor f32. */
int model_serves_bytes(bool *bytes, struct err *e);
struct model *model_ref(struct model *m);
void model_unref(struct model *m);         /* NULL is fine */

/* dtype: MODELFILE_F32 or MODELFILE_BF16. */
int model_save(const struct weights *w, const struct tokenizer *tok, const char *path,
               enum modelfile_dtype dtype, const char *lineage, const char *scores, struct err *e);

/* The configuration as a JSON object and back; shared with checkpoints. */
char *model_config_to_json(const struct dialogue_config *c);      /* caller frees */
int model_config_from_json(struct dialogue_config *c, const char *json, struct err *e);

#endif
