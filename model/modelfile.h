/* SPDX-License-Identifier: GPL-3.0-or-later */
/* modelfile: models on disk, as safetensors (huggingface/safetensors, format of
 * 2022): 8 bytes little-endian header length, a JSON header padded with spaces so
 * that tensor data start on 64 bytes, then the data. Every tensor starts on 64 bytes of
 * the file. The format allows no holes between tensors, so what fills them up are tensors too,
 * U8 and zero, called "_padding.N"; they are written and skipped here, and callers never see
 * them. Opens in any safetensors reader, and files of other writers open here when
 * their tensors are F32, BF16, I64 or U8, not empty, and of at most two dimensions.
 *
 * "__metadata__" maps strings to strings; ours hold "format" ("answerback-model-1"),
 * "config", "tokenizer", "lineage", "scores" (JSON texts), and two checksums of 16 lower-case hex
 * digits (lzma_crc64, that is CRC-64/XZ) which modelfile_write adds:
 *     "crc64"       of the data part, padding included
 *     "meta_crc64"  of all the other metadata, "crc64" included: for each key in the order of its
 *                   bytes, the key, a NUL, the value, a NUL
 *
 * Files are hostile: sizes, names, offsets, overlaps, duplicate names, UTF-8, nesting depth,
 * meta_crc64 (on opening), and finiteness (on read of a tensor) are checked before use. A file is
 * mapped read-only; what modelfile_* return points into the map or the handle and dies with
 * modelfile_close. A file that another program cuts short while it is mapped ends this
 * process by SIGBUS when the missing part is touched, as with any map; replace files by rename, as
 * modelfile_write does, and open maps keep the old one.
 *
 * Writing goes to PATH.tmp.<pid>, is fsynced, renamed over PATH, and the folder fsynced: an old
 * file survives a full disk or a crash at any instant. The new file takes the mode of the old
 * one; where PATH is a link, what it points at is replaced. A handle belongs to one thread at a
 * time, and one PATH is written by one thread at a time. Whoever limits file sizes (RLIMIT_FSIZE)
 * ignores SIGXFSZ to get an error instead of a signal.
 */
#ifndef ANSWERBACK_MODELFILE_H
#define ANSWERBACK_MODELFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../src/base/err.h"

struct modelfile;

enum modelfile_dtype { MODELFILE_F32, MODELFILE_BF16, MODELFILE_I64, MODELFILE_U8 };

/* Map and check the structure (not the data's checksum: see verify). */
int modelfile_open(struct modelfile **out, const char *path, struct err *e);
void modelfile_close(struct modelfile *mf);      /* NULL is fine */

const char *modelfile_meta(const struct modelfile *mf, const char *key);  /* NULL: absent */
size_t modelfile_count(const struct modelfile *mf);

struct modelfile_view {
	const char *name;
	enum modelfile_dtype dtype;
	size_t rows, cols;          /* 1-d tensors: rows 1; more than two dimensions are refused */
	const void *data;           /* little-endian; 64-byte aligned in our own files, anyhow in others */
	size_t bytes;
};
/* i < modelfile_count, in file order */
void modelfile_at(const struct modelfile *mf, size_t i, struct modelfile_view *v);
/* ERR_NOTFOUND, with the file's name in the message */
int modelfile_find(const struct modelfile *mf, const char *name, struct modelfile_view *v, struct err *e);
/* Copy a tensor as floats into dst[rows * cols]; shape must match; refuses NaN and infinity,
 * naming the tensor and the element. */
int modelfile_read(const struct modelfile *mf, const char *name, size_t rows, size_t cols,
                   float *dst, struct err *e);
/* The same checks without the copy: for tensors that are used where they lie. */
int modelfile_check(const struct modelfile *mf, const char *name, size_t rows, size_t cols,
                    struct modelfile_view *v, struct err *e);
/* What lies there is not needed any more: its pages need not stay in memory. It may still be read. */
void modelfile_drop(const void *data, size_t bytes);
/* Recompute the checksum over all data. ERR_NOTFOUND: the file has none (not one of ours). */
int modelfile_verify(const struct modelfile *mf, struct err *e);

struct modelfile_tensor {
	const char *name;
	enum modelfile_dtype dtype;     /* how it is stored */
	size_t rows, cols;              /* rows 1: written as a 1-d tensor */
	const void *data;               /* float[] for F32 and BF16 (converted while writing), else as stored */
};
struct modelfile_pair {
	const char *key, *value;        /* UTF-8 */
};
/* Refuses NaN and infinity in F32 and BF16 (a float that rounds to infinity too), names other than
 * 1 to 64 of A-Z a-z 0-9 . _ -, names or keys that are there twice, and empty tensors, before
 * anything is touched on disk. */
int modelfile_write(const char *path, const struct modelfile_tensor *t, size_t n,
                    const struct modelfile_pair *meta, size_t nmeta, struct err *e);

#endif
