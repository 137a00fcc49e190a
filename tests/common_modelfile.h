/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shared by the tests of model files: a folder for each test, and a small model to damage. */
#ifndef ANSWERBACK_COMMON_MODELFILE_H
#define ANSWERBACK_COMMON_MODELFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../model/modelfile.h"

enum { PATH_ROOM = 600 };

struct fixture {
	char folder[256];
	char path[PATH_ROOM];
};

/* cmocka's: *state becomes a struct fixture with an empty folder, removed afterwards. */
int common_setup(void **state);
int common_teardown(void **state);

size_t common_files_in(const char *folder, bool remove_them);
void common_spill(const char *path, const void *bytes, size_t n);
unsigned char *common_slurp(const char *path, size_t *n);

/* modelfile_open must fail with this code, name the file, and say `what`. */
void common_refuses(const char *path, int code, const char *what);

/* Two tensors in need of padding, one that is not, all four types. */
extern const float common_weights[15], common_bias[3];
extern const int64_t common_counts[8];
extern const unsigned char common_bytes9[9];
extern const struct modelfile_tensor common_sample[4];
extern const struct modelfile_pair common_meta[4];
void common_write_sample(const char *path);

#endif
