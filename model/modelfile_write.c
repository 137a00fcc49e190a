/* SPDX-License-Identifier: GPL-3.0-or-later */
/* modelfile_write: model files onto the disk, all or nothing. The data are walked twice: once
 * for the checksum, which stands in the header and so before them, and once to be written. */
#include "modelfile.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>
#include <lzma.h>

#include "../src/base/mem.h"
#include "modelfile_private.h"

enum { CHUNK = 8192 };          /* elements converted at once */

/* Where data go: a file, or with fd -1 only into the checksum. */
struct sink {
	int fd;
	uint64_t crc;
	int error;                      /* errno of the first write that failed */
};

static void sink_put(struct sink *s, const void *data, size_t n)
{
	const unsigned char *p = data;

	if (s->fd < 0) {
		s->crc = lzma_crc64(p, n, s->crc);
		return;
	}
	while (n > 0 && !s->error) {
		ssize_t w = write(s->fd, p, n);

		if (w < 0) {
			if (errno != EINTR)
				s->error = errno;
			continue;
		}
		p += w;
		n -= (size_t)w;
	}
}

static bool finite_bits(uint32_t u)
{
	return (u & 0x7f800000u) != 0x7f800000u;
}

/* Round to nearest, ties to even. The largest floats round up to infinity. */
static uint16_t to_bf16(uint32_t u)
{
	return (uint16_t)((u + 0x7fffu + ((u >> 16) & 1)) >> 16);
}

/* What a reader would refuse must not replace a file that it would take. */
static int check_finite(const struct modelfile_tensor *t, const char *path, struct err *e)
{
	const float *x = t->data;

	for (size_t i = 0; i < t->rows * t->cols; i++) {
		uint32_t u;

		memcpy(&u, &x[i], sizeof(u));
		if (finite_bits(u) && t->dtype == MODELFILE_BF16)
			u = (uint32_t)to_bf16(u) << 16;
		if (!finite_bits(u))
			return err_set(e, ERR_RANGE, "%s was not written: tensor \"%s\" is not finite at row "
			               "%zu, column %zu", modelfile_shown(path), t->name, i / t->cols,
			               i % t->cols);
	}
	return 0;
}

static void put_tensor(struct sink *s, const struct modelfile_tensor *t)
{
	size_t n = t->rows * t->cols;
	const float *x = t->data;
	uint16_t half[CHUNK];

	if (t->dtype != MODELFILE_BF16) {
		sink_put(s, t->data, n * modelfile_dtype_size(t->dtype));
		return;
	}
	for (size_t at = 0; at < n; at += CHUNK) {
		size_t part = n - at < CHUNK ? n - at : CHUNK;

		for (size_t i = 0; i < part; i++) {
			uint32_t u;

			memcpy(&u, &x[at + i], sizeof(u));
			half[i] = to_bf16(u);
		}
		sink_put(s, half, part * sizeof(half[0]));
	}
}

/* Bytes to add to `at` bytes of data before the next tensor may start. */
static size_t padding_at(size_t at)
{
	return (MODELFILE_ALIGN - at % MODELFILE_ALIGN) % MODELFILE_ALIGN;
}

static void put_data(struct sink *s, const struct modelfile_tensor *t, size_t n)
{
	static const unsigned char zeros[MODELFILE_ALIGN];
	size_t at = 0;

	for (size_t i = 0; i < n; i++) {
		size_t pad = padding_at(at);

		sink_put(s, zeros, pad);
		put_tensor(s, &t[i]);
		at += pad + t[i].rows * t[i].cols * modelfile_dtype_size(t[i].dtype);
	}
}

static int check_tensors(const char *path, const struct modelfile_tensor *t, size_t n,
                         struct err *e)
{
	const char *shown = modelfile_shown(path);
	size_t total = 0;

	if (n > MODELFILE_TENSORS_MAX / 2)
		return err_set(e, ERR_RANGE, "%s was not written: %zu tensors are too many (%d is the "
		               "limit)", shown, n, MODELFILE_TENSORS_MAX / 2);
	for (size_t i = 0; i < n; i++) {
		size_t bytes;

		if (!modelfile_name_ok(t[i].name) || modelfile_name_is_padding(t[i].name) ||
		    strcmp(t[i].name, "__metadata__") == 0)
			return err_set(e, ERR_USAGE, "%s was not written: a tensor cannot be called \"%s\"",
			               shown, t[i].name);
		for (size_t j = 0; j < i; j++)
			if (strcmp(t[i].name, t[j].name) == 0)
				return err_set(e, ERR_USAGE, "%s was not written: two tensors are called \"%s\"",
				               shown, t[i].name);
		if (t[i].rows == 0 || t[i].cols == 0 ||
		    __builtin_mul_overflow(t[i].rows, t[i].cols, &bytes) ||
		    __builtin_mul_overflow(bytes, modelfile_dtype_size(t[i].dtype), &bytes) ||
		    __builtin_add_overflow(total, bytes, &total) ||
		    __builtin_add_overflow(total, MODELFILE_ALIGN, &total) || total > INT64_MAX)
			return err_set(e, ERR_RANGE, "%s was not written: tensor \"%s\" cannot be %zu x %zu",
			               shown, t[i].name, t[i].rows, t[i].cols);
		if (t[i].dtype == MODELFILE_F32 || t[i].dtype == MODELFILE_BF16) {
			int rc = check_finite(&t[i], path, e);

			if (rc < 0)
				return rc;
		}
	}
	return 0;
}

/* Every NULL on the way ends in a NULL at the end: out of memory, or text that is not
 * UTF-8, which the caller has excluded. */
static json_t *tensor_json(const char *dtype, size_t rows, size_t cols, size_t begin, size_t end)
{
	json_int_t r = (json_int_t)rows, c = (json_int_t)cols;
	json_t *shape = rows == 1 ? json_pack("[I]", c) : json_pack("[I,I]", r, c);

	return json_pack("{s:s, s:o, s:[I,I]}", "dtype", dtype, "shape", shape, "data_offsets",
	                 (json_int_t)begin, (json_int_t)end);
}

static json_t *tensors_json(json_t *header, const struct modelfile_tensor *t, size_t n)
{
	size_t at = 0;
	char name[MODELFILE_NAME_MAX];
	int rc = header ? 0 : -1;

	for (size_t i = 0; i < n && rc == 0; i++) {
		size_t pad = padding_at(at);
		size_t bytes = t[i].rows * t[i].cols * modelfile_dtype_size(t[i].dtype);

		if (pad > 0) {
			snprintf(name, sizeof(name), MODELFILE_PADDING "%zu", i);
			rc |= json_object_set_new(header, name,
			                          tensor_json("U8", 1, pad, at, at + pad));
			at += pad;
		}
		rc |= json_object_set_new(header, t[i].name,
		                          tensor_json(modelfile_dtype_name(t[i].dtype), t[i].rows,
		                                      t[i].cols, at, at + bytes));
		at += bytes;
	}
	if (rc == 0)
		return header;
	json_decref(header);
	return NULL;
}

/* The metadata with both checksums added. */
static int meta_json(json_t **out, const char *path, const struct modelfile_pair *meta, size_t n,
                     uint64_t data_crc, struct err *e)
{
	struct modelfile_pair *all = xcalloc(n + 1, sizeof(*all));
	json_t *m = json_object();
	char hex[17];
	int rc = 0;

	if (n > MODELFILE_META_MAX - 2)
		rc = err_set(e, ERR_RANGE, "%s was not written: %zu metadata are too many (%d is the "
		             "limit)", modelfile_shown(path), n, MODELFILE_META_MAX - 2);
	snprintf(hex, sizeof(hex), "%016" PRIx64, data_crc);
	for (size_t i = 0; i <= n && rc == 0; i++) {
		all[i] = i < n ? meta[i] : (struct modelfile_pair){ MODELFILE_KEY_DATA_CRC, hex };
		/* a key twice would be lost in the object without a word */
		if (strcmp(all[i].key, MODELFILE_KEY_META_CRC) == 0 || json_object_get(m, all[i].key) ||
		    json_object_set_new(m, all[i].key, json_string(all[i].value)) < 0)
			rc = err_set(e, ERR_USAGE, "%s was not written: metadata \"%.64s\" are there twice, "
			             "reserved, or not UTF-8", modelfile_shown(path), all[i].key);
	}
	if (rc == 0) {
		modelfile_meta_sort(all, n + 1);
		snprintf(hex, sizeof(hex), "%016" PRIx64, modelfile_meta_crc(all, n + 1));
		json_object_set_new(m, MODELFILE_KEY_META_CRC, json_string(hex));
	}
	free(all);
	if (rc < 0)
		json_decref(m);
	else
		*out = m;
	return rc;
}

/* Length and JSON, padded with spaces so that the data start aligned. */
static int make_header(unsigned char **out, size_t *size, const char *path,
                       const struct modelfile_tensor *t, size_t n,
                       const struct modelfile_pair *meta, size_t nmeta, uint64_t data_crc,
                       struct err *e)
{
	json_t *m = NULL, *header;
	char *text;
	size_t length, padded;
	uint64_t le;
	int rc = meta_json(&m, path, meta, nmeta, data_crc, e);

	if (rc < 0)
		return rc;
	header = tensors_json(json_pack("{s:o}", "__metadata__", m), t, n);
	text = header ? json_dumps(header, JSON_COMPACT) : NULL;
	json_decref(header);
	length = text ? strlen(text) : SIZE_MAX / 2;
	padded = length + padding_at(8 + length);
	if (padded > MODELFILE_HEADER_MAX) {
		free(text);
		return err_set(e, ERR_RANGE, "%s was not written: its metadata are larger than %d bytes",
		               modelfile_shown(path), MODELFILE_HEADER_MAX);
	}
	*size = 8 + padded;
	*out = xmalloc(*size);
	memset(*out, ' ', *size);
	le = padded;
	memcpy(*out, &le, sizeof(le));
	memcpy(*out + 8, text, length);
	free(text);
	return 0;
}

static int cannot_write(const char *path, int error, struct err *e)
{
	const char *what_to_do = "choose another path";

	if (error == ENOENT || error == ENOTDIR)
		what_to_do = "create its folder first or choose another path";
	else if (error == EACCES || error == EPERM || error == EROFS)
		what_to_do = "choose a folder you may write to";
	else if (error == ENOSPC || error == EDQUOT || error == EFBIG)
		what_to_do = "free some space and try again; what was there before is unchanged";
	return err_set(e, ERR_IO, "cannot write %s: %s; %s", modelfile_shown(path), strerror(error),
	               what_to_do);
}

/* The file that will be replaced: what a link points at rather than the link. */
static int find_target(char **out, mode_t *mode, const char *path, struct err *e)
{
	struct stat st;

	*mode = 0;
	if (path[0] == '\0')
		return err_set(e, ERR_USAGE, "cannot write a model: the file name is empty");
	if (stat(path, &st) < 0) {
		if (lstat(path, &st) == 0)
			return err_set(e, ERR_IO, "cannot write %s: it is a link to a file that is not there; "
			               "remove it or choose another path", modelfile_shown(path));
		*out = xstrdup(path);
		return 0;
	}
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_IO, "cannot write %s: it is %s; choose a file name",
		               modelfile_shown(path),
		               S_ISDIR(st.st_mode) ? "a folder" : "a pipe or a device");
	*mode = st.st_mode & 0777;
	*out = realpath(path, NULL);
	return *out ? 0 : cannot_write(path, errno, e);
}

/* So that the new name itself survives a power cut. */
static int sync_folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = xstrdup(slash ? path : ".");
	int fd, rc = 0;

	if (slash)
		folder[slash == path ? 1 : slash - path] = '\0';
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(folder);
	/* a folder may be writable without being readable, and some file systems cannot sync one */
	if (fd < 0)
		return 0;
	if (fsync(fd) < 0 && errno != EINVAL && errno != ENOTSUP && errno != EROFS)
		rc = errno;
	close(fd);
	return rc;
}

static int open_temporary(const char *temporary)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
	int fd = open(temporary, flags, 0666);

	/* left over by a process of the same number that was killed */
	if (fd < 0 && errno == EEXIST && unlink(temporary) == 0)
		fd = open(temporary, flags, 0666);
	return fd;
}

static int write_all(const char *temporary, mode_t mode, const unsigned char *header,
                     size_t header_size, const struct modelfile_tensor *t, size_t n)
{
	struct sink file = { open_temporary(temporary), 0, 0 };

	if (file.fd < 0)
		return errno;
	sink_put(&file, header, header_size);
	put_data(&file, t, n);
	if (!file.error && mode && fchmod(file.fd, mode) < 0)
		file.error = errno;
	if (!file.error && fsync(file.fd) < 0)
		file.error = errno;
	if (close(file.fd) < 0 && !file.error)
		file.error = errno;
	if (file.error)
		unlink(temporary);
	return file.error;
}

int modelfile_write(const char *path, const struct modelfile_tensor *t, size_t n,
                    const struct modelfile_pair *meta, size_t nmeta, struct err *e)
{
	struct sink checksum = { -1, 0, 0 };
	unsigned char *header = NULL;
	char *target = NULL, *temporary;
	size_t header_size = 0, room;
	mode_t mode;
	int rc, error;

	if ((rc = check_tensors(path, t, n, e)) < 0)
		return rc;
	put_data(&checksum, t, n);
	rc = make_header(&header, &header_size, path, t, n, meta, nmeta, checksum.crc, e);
	if (rc < 0)
		return rc;
	if ((rc = find_target(&target, &mode, path, e)) < 0) {
		free(header);
		return rc;
	}
	room = strlen(target) + 32;
	temporary = xmalloc(room);
	snprintf(temporary, room, "%s.tmp.%ld", target, (long)getpid());

	error = write_all(temporary, mode, header, header_size, t, n);
	if (!error && rename(temporary, target) < 0) {
		error = errno;
		unlink(temporary);
	}
	if (!error)
		error = sync_folder_of(target);
	free(temporary);
	free(target);
	free(header);
	return error ? cannot_write(path, error, e) : 0;
}
