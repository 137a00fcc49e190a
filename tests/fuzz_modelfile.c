/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes as a model file: opened or refused, and all that is handed out is readable; what the
 * header's own parser takes, a general JSON library reads the same way. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <jansson.h>

#include "../model/modelfile.h"
#include "../model/modelfile_private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Half of the inputs go in as they are; the others are JSON to which a right length is put,
 * with as many zeros behind as the first byte says, so that mutations get past the length. */
static int make_file(const uint8_t *data, size_t size)
{
	int fd = memfd_create("model", MFD_CLOEXEC);
	static const uint8_t zeros[4 * 256];
	uint64_t length = size - 2;

	if (fd < 0)
		abort();
	if (data[0] % 2 == 0) {
		if (write(fd, data + 1, size - 1) != (ssize_t)(size - 1))
			abort();
	} else if (write(fd, &length, 8) != 8 || write(fd, data + 2, size - 2) != (ssize_t)size - 2 ||
	           write(fd, zeros, 4u * data[1]) != (ssize_t)(4u * data[1])) {
		abort();
	}
	return fd;
}

static void read_everything(const struct modelfile *mf)
{
	struct err e = ERR_INIT;

	for (size_t i = 0; i < modelfile_count(mf); i++) {
		struct modelfile_view v, again;
		unsigned char *copy;
		float *x;

		modelfile_at(mf, i, &v);
		if (modelfile_find(mf, v.name, &again, &e) < 0 || again.data != v.data)
			abort();
		copy = malloc(v.bytes);
		if (copy && memcmp(memcpy(copy, v.data, v.bytes), v.data, v.bytes) != 0)
			abort();
		free(copy);
		x = malloc(v.rows * v.cols * sizeof(*x));
		if (x && modelfile_read(mf, v.name, v.rows, v.cols, x, &e) == 0)
			for (size_t j = 0; j < v.rows * v.cols; j++)
				if (!(x[j] - x[j] == 0))
					abort();
		free(x);
	}
	if (modelfile_meta(mf, "tokenizer") && strlen(modelfile_meta(mf, "tokenizer")) > 1 << 24)
		abort();
	modelfile_verify(mf, &e);
}

static void check_counts(const json_t *array, const uint64_t *want, size_t n)
{
	if (!json_is_array(array) || json_array_size(array) != n)
		abort();
	for (size_t i = 0; i < n; i++)
		if (!json_is_integer(json_array_get(array, i)) ||
		    (uint64_t)json_integer_value(json_array_get(array, i)) != want[i])
			abort();
}

static void compare_with_library(const struct modelfile_header *h, const char *text, size_t n)
{
	json_error_t why;
	json_t *root = json_loadb(text, n, JSON_REJECT_DUPLICATES, &why);
	json_t *meta = json_object_get(root, "__metadata__");

	if (json_object_size(root) != h->n + h->has_meta || json_object_size(meta) != h->nmeta)
		abort();
	for (size_t i = 0; i < h->nmeta; i++) {
		const json_t *value = json_object_get(meta, h->meta[i].key);

		if (!json_is_string(value) || strcmp(json_string_value(value), h->meta[i].value) != 0)
			abort();
	}
	for (size_t i = 0; i < h->n; i++) {
		const struct modelfile_header_tensor *t = &h->tensors[i];
		const json_t *value = json_object_get(root, t->name);
		const json_t *dtype = json_object_get(value, "dtype");

		if (json_object_size(value) != 3 || !json_is_string(dtype) ||
		    strcmp(json_string_value(dtype), t->dtype) != 0)
			abort();
		check_counts(json_object_get(value, "shape"), t->shape, t->dimensions);
		check_counts(json_object_get(value, "data_offsets"), (uint64_t[]){ t->begin, t->end }, 2);
	}
	json_decref(root);
}

static void parse_header(const char *text, size_t n)
{
	struct modelfile_header h;
	char why[MODELFILE_WHY] = "";
	char *exact = malloc(n + 1);        /* so that reading one byte too far is noticed */

	if (!exact)
		return;
	memcpy(exact + 1, text, n);
	if (modelfile_header_parse(&h, exact + 1, n, why))
		compare_with_library(&h, exact + 1, n);
	else if (why[0] == '\0')
		abort();
	modelfile_header_free(&h);
	free(exact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct modelfile *mf;
	struct err e = ERR_INIT;
	char path[64];
	int fd;

	if (size < 2)
		return 0;
	parse_header((const char *)data + 2, size - 2);
	fd = make_file(data, size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (modelfile_open(&mf, path, &e) == 0)
		read_everything(mf);
	else if (e.code >= 0 || e.msg[0] == '\0')
		abort();
	else
		mf = NULL;
	modelfile_close(mf);
	close(fd);
	return 0;
}
