/* SPDX-License-Identifier: GPL-3.0-or-later */
/* modelfile_private: what reading and writing a model file share. */
#ifndef ANSWERBACK_MODELFILE_PRIVATE_H
#define ANSWERBACK_MODELFILE_PRIVATE_H

#include "modelfile.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "model files are used straight from the map, so the machine must be little-endian"
#endif

enum {
	MODELFILE_ALIGN = 64,
	MODELFILE_HEADER_MAX = 16 << 20,
	MODELFILE_TENSORS_MAX = 4096,       /* padding included */
	MODELFILE_NAME_MAX = 64,
	MODELFILE_META_MAX = 1024,
	MODELFILE_SHOWN = 160,              /* bytes of a path quoted in a message */
	MODELFILE_WHY = 256                 /* room for what is wrong */
};

/* Filler between tensors; see modelfile.h */
#define MODELFILE_PADDING "_padding."

#define MODELFILE_KEY_DATA_CRC "crc64"
#define MODELFILE_KEY_META_CRC "meta_crc64"

/* "F32", and the bytes of an element */
const char *modelfile_dtype_name(enum modelfile_dtype d);
size_t modelfile_dtype_size(enum modelfile_dtype d);

bool modelfile_name_ok(const char *name);
bool modelfile_name_is_padding(const char *name);

/* The end of a path, short enough to leave room in a message for what is wrong. */
const char *modelfile_shown(const char *path);

/* By the bytes of the keys. */
void modelfile_meta_sort(struct modelfile_pair *p, size_t n);
/* Checksum of sorted metadata, the entry that holds this checksum left out. */
uint64_t modelfile_meta_crc(const struct modelfile_pair *p, size_t n);

/* A header as its JSON says it, names different and text UTF-8, but nothing else checked. */
struct modelfile_header_tensor {
	const char *name, *dtype;
	uint64_t shape[2];
	size_t dimensions;
	uint64_t begin, end;
};
struct modelfile_header {
	char *strings;                      /* every const char * points in here */
	struct modelfile_pair *meta;        /* sorted */
	size_t nmeta;
	bool has_meta;
	struct modelfile_header_tensor *tensors;
	size_t n;
};
/* False: why[MODELFILE_WHY] says why. To be freed in either case. */
bool modelfile_header_parse(struct modelfile_header *h, const char *text, size_t n, char *why);
void modelfile_header_free(struct modelfile_header *h);

#endif
