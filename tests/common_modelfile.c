/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the tests of model files share. */
#include "common_modelfile.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../src/base/mem.h"
#include "../src/base/str.h"

int common_setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	const char *base = getenv("TMPDIR");

	snprintf(f->folder, sizeof(f->folder), "%.200s/modelfile.XXXXXX", base ? base : "/tmp");
	if (!mkdtemp(f->folder))
		return -1;
	snprintf(f->path, sizeof(f->path), "%s/m.safetensors", f->folder);
	*state = f;
	return 0;
}

size_t common_files_in(const char *folder, bool remove_them)
{
	DIR *d = opendir(folder);
	struct dirent *entry;
	size_t n = 0;

	if (!d)
		return 0;
	while ((entry = readdir(d)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		n++;
		if (remove_them && unlinkat(dirfd(d), entry->d_name, 0) < 0)
			unlinkat(dirfd(d), entry->d_name, AT_REMOVEDIR);
	}
	closedir(d);
	return n;
}

int common_teardown(void **state)
{
	struct fixture *f = *state;

	common_files_in(f->folder, true);
	rmdir(f->folder);
	free(f);
	return 0;
}

void common_spill(const char *path, const void *bytes, size_t n)
{
	FILE *out = fopen(path, "wb");

	assert_non_null(out);
	assert_int_equal(fwrite(bytes, 1, n, out), n);
	assert_int_equal(fclose(out), 0);
}

unsigned char *common_slurp(const char *path, size_t *n)
{
	FILE *in = fopen(path, "rb");
	struct str s = STR_INIT;
	char chunk[4096];
	size_t got;

	assert_non_null(in);
	while ((got = fread(chunk, 1, sizeof(chunk), in)) > 0)
		str_add(&s, chunk, got);
	fclose(in);
	*n = s.len;
	return (unsigned char *)str_detach(&s);
}

void common_refuses(const char *path, int code, const char *what)
{
	struct modelfile *mf = (struct modelfile *)1;
	struct err e = ERR_INIT;
	int rc = modelfile_open(&mf, path, &e);

	if (rc != code || e.code != code || !strstr(e.msg, what) || !strstr(e.msg, "m.safetensors"))
		fail_msg("wanted %d \"%s\", got %d \"%s\"", code, what, rc, e.msg);
	assert_null(mf);
	for (const char *p = e.msg; *p; p++)
		assert_true((unsigned char)*p >= ' ');
	assert_int_equal(modelfile_open(&mf, path, NULL), code);
}

const float common_weights[15] = { 1, -2, 3.5f, 0, -0.0f, 1e-30f, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
const float common_bias[3] = { 0.1f, 1.00390625f, -3e38f };
const int64_t common_counts[8] = { INT64_MIN, -1, 0, 1, INT64_MAX, 5, 6, 7 };
const unsigned char common_bytes9[9] = "123456789";
const struct modelfile_tensor common_sample[4] = {
	{ "decoder.weight", MODELFILE_F32, 5, 3, common_weights },
	{ "decoder.bias", MODELFILE_BF16, 1, 3, common_bias },
	{ "train.counts", MODELFILE_I64, 4, 2, common_counts },
	{ "Aux_1-x", MODELFILE_U8, 1, 9, common_bytes9 },
};
const struct modelfile_pair common_meta[4] = {
	{ "format", "answerback-model-1" },
	{ "tokenizer", "{\"merges\": [\"t h\", \"\\n\\u0007\"]}" },
	{ "config", "caf\xc3\xa9 \xf0\x9f\x99\x82 \t\x01 \"quoted\" \\" },
	{ "lineage", "" },
};

void common_write_sample(const char *path)
{
	struct err e = ERR_INIT;

	if (modelfile_write(path, common_sample, 4, common_meta, 4, &e) < 0)
		fail_msg("%s", e.msg);
}
