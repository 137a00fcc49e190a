/* SPDX-License-Identifier: GPL-3.0-or-later */
/* registry: the models of one data folder: which there are, which one serves, and the way back.
 *
 *     FOLDER/models/v3.safetensors     a version, written once, never changed (f32; lineage and scores within)
 *     FOLDER/models/current            the name of the one that serves, replaced by an atomic rename
 *     FOLDER/models/history.jsonl      what was promoted when, from what, and why
 *
 * "base" is the model that came with the program; it is not in the folder and is never pruned. A
 * crash at any instant leaves `current` naming a whole file: the file is there, synced, before it is named.
 * Several programs may read; whoever writes holds the folder's lock (registry_lock). */
#ifndef ANSWERBACK_REGISTRY_H
#define ANSWERBACK_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>

#include "../model/adapter.h"
#include "../model/model.h"
#include "base/err.h"

#define REGISTRY_BASE "base"

struct registry;

/* data_dir: --data-dir's value or NULL (paths.h). base: the shipped model's path, or NULL when
 * there is none. Nothing is made on disk yet. */
int registry_open(struct registry **out, const char *data_dir, const char *base, struct err *e);
void registry_close(struct registry *r);                  /* NULL is fine; gives the lock back */
const char *registry_folder(const struct registry *r);    /* FOLDER/models */
int registry_make_folder(struct registry *r, struct err *e);

/* One trainer a folder: ERR_BUSY when another program holds it. Held until registry_close. */
int registry_lock(struct registry *r, struct err *e);

struct registry_model {
	char *id, *path, *parent;     /* parent "" when unknown */
	char *created;                /* ISO 8601, "" for the base */
	char *lineage, *scores;       /* JSON texts */
	size_t bytes;
	bool current, adapter;
	char *damage;                 /* NULL, or why it cannot be used */
};
struct registry_list {
	struct registry_model *v;
	size_t n;
};
int registry_list(const struct registry *r, struct registry_list *l, struct err *e);    /* base first, then oldest first */
void registry_list_free(struct registry_list *l);

/* Name and path of the version that serves; "base" when none was chosen. A `current` that names
 * something that is not there (or names nonsense) counts as base, and note (may be NULL) says so: caller frees. */
int registry_current(const struct registry *r, char **id, char **path, char **note, struct err *e);
/* Path of a version by name; ERR_NOTFOUND. */
int registry_path(const struct registry *r, const char *id, char **path, struct err *e);

/* What a model file is, whatever it is called: the checksum of its data ("" when it has none). And a text
 * out of a lineage ("" when it is not there; caller frees). */
void registry_identity(const char *path, char out[24]);
char *registry_field(const char *json, const char *key);

/* Load a version, adapters (model/adapter.h) put on the shipped model that they belong to. */
int registry_model(const struct registry *r, const char *id, enum model_use use, struct model **m, struct err *e);

/* Write a new version (not yet current) and give its name. */
int registry_add(struct registry *r, const struct weights *w, const struct tokenizer *tok, const char *lineage,
                 const char *scores, char **id, struct err *e);
/* The same for an adapter on the shipped model: some hundred kB. */
int registry_add_adapter(struct registry *r, const struct adapter *a, const struct dialogue_config *c, const char *lineage,
                         const char *scores, char **id, struct err *e);
/* Take a version away. ERR_USAGE: it serves, or it is the shipped one. */
int registry_remove(struct registry *r, const char *id, struct err *e);
/* Check the file, then make it the one that serves. event: "published", "promoted", "rolled back". */
int registry_promote(struct registry *r, const char *id, const char *event, struct err *e);
/* Back to what served before the current one; *id: what that is. ERR_NOTFOUND: it is the base already. */
int registry_rollback(struct registry *r, char **id, struct err *e);
/* Remove the oldest versions until `keep` are left; never the base, the current one, or its parent.
 * Returns how many went. */
int registry_prune(struct registry *r, size_t keep, struct err *e);

/* The model that serves: `given` (--model) or $ANSWERBACK_MODEL when set, else the current version of
 * the data folder, else the shipped one. A damaged version falls back to the shipped one; *note then
 * says so (caller frees, NULL otherwise). id: may be NULL; what it is called. */
int registry_load(const char *given, const char *data_dir, bool trainable, struct model **m, char **id, char **note,
                  struct err *e);

#endif
