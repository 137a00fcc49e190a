/* SPDX-License-Identifier: GPL-3.0-or-later */
/* registry_private: what reading (registry.c) and changing (registry_change.c) the versions share. */
#ifndef ANSWERBACK_REGISTRY_PRIVATE_H
#define ANSWERBACK_REGISTRY_PRIVATE_H

#include "registry.h"

struct registry {
	char *folder, *base;
	int lock;
};

/* FOLDER/NAMESUFFIX; the caller frees it. */
char *registry_file(const struct registry *r, const char *name, const char *suffix);
/* v1, v2, ...: 0 when it is not one. Files of the folder are named by these alone, so no name can lead out of it. */
unsigned long registry_number(const char *id, size_t len);

/* A version's file: whole weights, or an adapter on the shipped model. */
int registry_load_file(const struct registry *r, const char *path, enum model_use use, struct model **m, struct err *e);

#endif
