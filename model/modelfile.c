/* SPDX-License-Identifier: GPL-3.0-or-later */
/* modelfile: opening, checking and reading model files. Nothing from the header is used
 * before it was checked against the size of the file; after modelfile_open every
 * view is in bounds, so the accessors need no errors of their own. */
#include "modelfile.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lzma.h>

#include "../src/base/mem.h"
#include "modelfile_private.h"

struct modelfile {
	char *path;                     /* as quoted in messages */
	unsigned char *map;
	size_t size;
	size_t data_start;
	struct modelfile_header header; /* owns every name, key and value handed out */
	struct modelfile_view *tensors; /* in file order, without padding */
	size_t n;
};

/* A tensor as the header claims it to be. */
struct entry {
	struct modelfile_view view;
	uint64_t begin, end;
};

static const struct {
	const char *name;
	size_t size;
} dtypes[] = {
	[MODELFILE_F32] = { "F32", 4 },
	[MODELFILE_BF16] = { "BF16", 2 },
	[MODELFILE_I64] = { "I64", 8 },
	[MODELFILE_U8] = { "U8", 1 },
};

enum { DTYPES = sizeof(dtypes) / sizeof(dtypes[0]) };

const char *modelfile_dtype_name(enum modelfile_dtype d)
{
	assert((size_t)d < DTYPES);
	return dtypes[d].name;
}

size_t modelfile_dtype_size(enum modelfile_dtype d)
{
	assert((size_t)d < DTYPES);
	return dtypes[d].size;
}

bool modelfile_name_ok(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
	                              "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	size_t n = strspn(name, allowed);

	return n > 0 && n <= MODELFILE_NAME_MAX && name[n] == '\0';
}

bool modelfile_name_is_padding(const char *name)
{
	return strncmp(name, MODELFILE_PADDING, strlen(MODELFILE_PADDING)) == 0;
}

const char *modelfile_shown(const char *path)
{
	size_t n = strlen(path);

	return n > MODELFILE_SHOWN ? path + n - MODELFILE_SHOWN : path;
}

static int compare_keys(const void *a, const void *b)
{
	const struct modelfile_pair *x = a, *y = b;

	return strcmp(x->key, y->key);
}

void modelfile_meta_sort(struct modelfile_pair *p, size_t n)
{
	if (n > 1)
		qsort(p, n, sizeof(*p), compare_keys);
}

uint64_t modelfile_meta_crc(const struct modelfile_pair *p, size_t n)
{
	uint64_t crc = 0;

	/* the NULs are part of it, so that "ab": "c" and "a": "bc" differ */
	for (size_t i = 0; i < n; i++) {
		if (strcmp(p[i].key, MODELFILE_KEY_META_CRC) == 0)
			continue;
		crc = lzma_crc64((const uint8_t *)p[i].key, strlen(p[i].key) + 1, crc);
		crc = lzma_crc64((const uint8_t *)p[i].value, strlen(p[i].value) + 1, crc);
	}
	return crc;
}

/* A file that is not what it claims to be: says which file and what to do about it. */
__attribute__((format(printf, 3, 4)))
static int damaged(const struct modelfile *mf, struct err *e, const char *fmt, ...)
{
	char what[MODELFILE_WHY];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	/* parts of it come from the file and end up on a terminal */
	for (char *p = what; *p; p++)
		if ((unsigned char)*p < ' ' || (unsigned char)*p >= 0x7f)
			*p = '?';
	return err_set(e, ERR_FORMAT, "%s: %s; the file is damaged or not a model: "
	               "fetch it again or use another one", mf->path, what);
}

static int map_file(struct modelfile *mf, const char *path, struct err *e)
{
	/* non-blocking, or opening a pipe would wait for its writer */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	void *map;

	if (fd < 0)
		return err_set(e, ERR_IO, "cannot open %s: %s; check the name and its permissions",
		               mf->path, strerror(errno));
	if (fstat(fd, &st) < 0) {
		err_set(e, ERR_IO, "cannot read %s: %s", mf->path, strerror(errno));
		goto fail;
	}
	if (!S_ISREG(st.st_mode)) {
		err_set(e, ERR_IO, "%s is %s, not a model file; name a .safetensors file", mf->path,
		        S_ISDIR(st.st_mode) ? "a folder" : "a pipe or a device");
		goto fail;
	}
	if (st.st_size < 8) {
		damaged(mf, e, st.st_size == 0 ? "is empty" : "is only %jd bytes long",
		        (intmax_t)st.st_size);
		goto fail;
	}
	if ((uintmax_t)st.st_size > SIZE_MAX / 2) {
		err_set(e, ERR_RANGE, "%s is too large for this machine", mf->path);
		goto fail;
	}
	mf->size = (size_t)st.st_size;
	map = mmap(NULL, mf->size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED) {
		err_set(e, ERR_IO, "cannot map %s: %s", mf->path, strerror(errno));
		goto fail;
	}
	mf->map = map;
	close(fd);
	return 0;
fail:
	close(fd);
	return e ? e->code : ERR_IO;
}

static int parse_header(struct modelfile *mf, struct err *e)
{
	uint64_t length;
	char why[MODELFILE_WHY];

	memcpy(&length, mf->map, sizeof(length));
	if (length > MODELFILE_HEADER_MAX)
		return damaged(mf, e, "the header claims %" PRIu64 " bytes (%d is the limit)", length,
		               MODELFILE_HEADER_MAX);
	if (length > mf->size - 8)
		return damaged(mf, e, "the header claims %" PRIu64 " bytes but the file ends after "
		               "%zu of them", length, mf->size - 8);
	mf->data_start = 8 + (size_t)length;
	if (!modelfile_header_parse(&mf->header, (const char *)mf->map + 8, (size_t)length, why))
		return damaged(mf, e, "%s", why);
	return 0;
}

static int check_tensor(const struct modelfile *mf, const struct modelfile_header_tensor *t,
                        struct entry *out, struct err *e)
{
	struct modelfile_view *v = &out->view;
	size_t dims[2] = { 1, 1 };
	size_t d = 0;

	if (!modelfile_name_ok(t->name))
		return damaged(mf, e, "the tensor name \"%.80s\" is not 1 to %d of A-Z a-z 0-9 . _ -",
		               t->name, MODELFILE_NAME_MAX);
	while (d < DTYPES && strcmp(t->dtype, dtypes[d].name) != 0)
		d++;
	if (d == DTYPES)
		return damaged(mf, e, "tensor \"%s\" has the type \"%.16s\" (known: F32, BF16, I64, U8)",
		               t->name, t->dtype);
	for (size_t i = 0; i < t->dimensions; i++) {
		if (t->shape[i] == 0 || t->shape[i] > SIZE_MAX / 2)
			return damaged(mf, e, "tensor \"%s\" has an impossible shape", t->name);
		dims[2 - t->dimensions + i] = (size_t)t->shape[i];
	}
	if (__builtin_mul_overflow(dims[0], dims[1], &v->bytes) ||
	    __builtin_mul_overflow(v->bytes, dtypes[d].size, &v->bytes))
		return damaged(mf, e, "tensor \"%s\" has an impossible shape", t->name);
	if (t->end < t->begin || t->end - t->begin != v->bytes)
		return damaged(mf, e, "tensor \"%s\" is said to fill bytes %" PRIu64 " to %" PRIu64
		               ", but its shape needs %zu", t->name, t->begin, t->end, v->bytes);
	v->name = t->name;
	v->dtype = (enum modelfile_dtype)d;
	v->rows = dims[0];
	v->cols = dims[1];
	out->begin = t->begin;
	out->end = t->end;
	return 0;
}

static int compare_begin(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return (x->begin > y->begin) - (x->begin < y->begin);
}

/* The format leaves no holes: in order of their offsets the tensors fill the data. */
static int place_tensors(struct modelfile *mf, struct entry *all, size_t n, struct err *e)
{
	const uint64_t have = mf->size - mf->data_start;
	uint64_t at = 0;

	if (n > 1)
		qsort(all, n, sizeof(*all), compare_begin);
	for (size_t i = 0; i < n; i++) {
		struct modelfile_view *v = &all[i].view;

		if (all[i].begin < at)
			return damaged(mf, e, "tensors \"%s\" and \"%s\" overlap", all[i - 1].view.name,
			               v->name);
		if (all[i].begin > at)
			return damaged(mf, e, "there is a hole before tensor \"%s\"", v->name);
		if (all[i].end > have)
			return damaged(mf, e, "it is cut short: tensor \"%s\" ends at data byte %" PRIu64
			               " of %" PRIu64, v->name, all[i].end, have);
		at = all[i].end;
		v->data = mf->map + mf->data_start + all[i].begin;
		if (!modelfile_name_is_padding(v->name))
			mf->tensors[mf->n++] = *v;
	}
	if (at != have)
		return damaged(mf, e, "%" PRIu64 " bytes follow the last tensor", have - at);
	return 0;
}

static int check_tensors(struct modelfile *mf, struct err *e)
{
	const size_t n = mf->header.n;
	struct entry *all = xcalloc(n + 1, sizeof(*all));
	int rc = 0;

	mf->tensors = xcalloc(n + 1, sizeof(*mf->tensors));
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = check_tensor(mf, &mf->header.tensors[i], &all[i], e);
	if (rc == 0)
		rc = place_tensors(mf, all, n, e);
	free(all);
	return rc;
}

static bool parse_hex(const char *s, uint64_t *out)
{
	if (strlen(s) != 16 || strspn(s, "0123456789abcdef") != 16)
		return false;
	*out = strtoull(s, NULL, 16);
	return true;
}

static int check_meta(const struct modelfile *mf, struct err *e)
{
	const char *stored = modelfile_meta(mf, MODELFILE_KEY_META_CRC);
	uint64_t want;

	/* files of other programs have none */
	if (!stored)
		return 0;
	if (!parse_hex(stored, &want) ||
	    want != modelfile_meta_crc(mf->header.meta, mf->header.nmeta))
		return damaged(mf, e, "the metadata do not match their checksum");
	return 0;
}

int modelfile_open(struct modelfile **out, const char *path, struct err *e)
{
	struct modelfile *mf = xcalloc(1, sizeof(*mf));
	struct err own = ERR_INIT;
	int rc;

	if (!e)
		e = &own;
	*out = NULL;
	mf->path = xstrdup(modelfile_shown(path));
	if ((rc = map_file(mf, path, e)) < 0 || (rc = parse_header(mf, e)) < 0 ||
	    (rc = check_tensors(mf, e)) < 0 || (rc = check_meta(mf, e)) < 0) {
		modelfile_close(mf);
		return rc;
	}
	*out = mf;
	return 0;
}

void modelfile_close(struct modelfile *mf)
{
	if (!mf)
		return;
	modelfile_header_free(&mf->header);
	if (mf->map)
		munmap(mf->map, mf->size);
	free(mf->tensors);
	free(mf->path);
	free(mf);
}

const char *modelfile_meta(const struct modelfile *mf, const char *key)
{
	for (size_t i = 0; i < mf->header.nmeta; i++)
		if (strcmp(mf->header.meta[i].key, key) == 0)
			return mf->header.meta[i].value;
	return NULL;
}

size_t modelfile_count(const struct modelfile *mf)
{
	return mf->n;
}

void modelfile_at(const struct modelfile *mf, size_t i, struct modelfile_view *v)
{
	assert(i < mf->n);
	*v = mf->tensors[i];
}

int modelfile_find(const struct modelfile *mf, const char *name, struct modelfile_view *v,
                   struct err *e)
{
	for (size_t i = 0; i < mf->n; i++) {
		if (strcmp(mf->tensors[i].name, name) == 0) {
			*v = mf->tensors[i];
			return 0;
		}
	}
	return err_set(e, ERR_NOTFOUND, "%s has no tensor \"%s\": it is not a model of this kind; "
	               "use another one", mf->path, name);
}

/* An exponent of all ones is NaN or infinity; adding one to it carries into the sign's bit, which was
 * masked off. Eight bytes at a time: all of a model is looked at at every start. */
static bool finite_words(const unsigned char *src, size_t bytes, uint64_t mask, uint64_t one, uint64_t carry)
{
	uint64_t bad[4] = { 0 }, u[4] = { 0 };
	size_t i = 0;

	for (; i + sizeof(u) <= bytes; i += sizeof(u)) {
		memcpy(u, src + i, sizeof(u));
		for (size_t k = 0; k < 4; k++)
			bad[k] |= (u[k] & mask) + one;
	}
	memset(u, 0, sizeof(u));
	memcpy(u, src + i, bytes - i);
	for (size_t k = 0; k < 4; k++)
		bad[k] |= (u[k] & mask) + one;
	return !((bad[0] | bad[1] | bad[2] | bad[3]) & carry);
}

static bool finite(const struct modelfile_view *v)
{
	if (v->dtype == MODELFILE_F32)
		return finite_words(v->data, v->bytes, 0x7f8000007f800000u, 0x0080000000800000u, 0x8000000080000000u);
	return finite_words(v->data, v->bytes, 0x7f807f807f807f80u, 0x0080008000800080u, 0x8000800080008000u);
}

/* Bytes, because files of other programs need not be aligned. */
static uint32_t element(const struct modelfile_view *v, size_t i)
{
	const unsigned char *src = v->data;
	uint16_t half;
	uint32_t u;

	if (v->dtype == MODELFILE_F32) {
		memcpy(&u, src + 4 * i, sizeof(u));
		return u;
	}
	memcpy(&half, src + 2 * i, sizeof(half));
	return (uint32_t)half << 16;
}

int modelfile_check(const struct modelfile *mf, const char *name, size_t rows, size_t cols,
                    struct modelfile_view *v, struct err *e)
{
	int rc = modelfile_find(mf, name, v, e);

	if (rc < 0)
		return rc;
	if (v->rows != rows || v->cols != cols)
		return err_set(e, ERR_FORMAT, "%s: tensor \"%s\" is %zu x %zu, but its configuration "
		               "asks for %zu x %zu; use another model", mf->path, name, v->rows, v->cols,
		               rows, cols);
	if (v->dtype != MODELFILE_F32 && v->dtype != MODELFILE_BF16)
		return err_set(e, ERR_FORMAT, "%s: tensor \"%s\" is stored as %s, not as F32 or BF16; "
		               "use another model", mf->path, name, modelfile_dtype_name(v->dtype));
	if (finite(v))
		return 0;
	for (size_t i = 0; i < rows * cols; i++) {
		const uint32_t u = element(v, i);

		if ((u & 0x7f800000u) == 0x7f800000u)
			return damaged(mf, e, "tensor \"%s\" has %s at row %zu, column %zu", name,
			               u & 0x7fffffu ? "NaN" : "infinity", i / cols, i % cols);
	}
	return 0;
}

int modelfile_read(const struct modelfile *mf, const char *name, size_t rows, size_t cols,
                   float *dst, struct err *e)
{
	struct modelfile_view v;
	int rc = modelfile_check(mf, name, rows, cols, &v, e);

	if (rc < 0)
		return rc;
	if (v.dtype == MODELFILE_F32) {
		memcpy(dst, v.data, v.bytes);
		return 0;
	}
	for (size_t i = 0; i < rows * cols; i++) {
		const uint32_t u = element(&v, i);

		memcpy(&dst[i], &u, sizeof(u));
	}
	return 0;
}

void modelfile_drop(const void *data, size_t bytes)
{
	const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), at = (uintptr_t)data;
	const uintptr_t from = (at + page - 1) / page * page, to = (at + bytes) / page * page;

	if (to > from)
		madvise((void *)from, to - from, MADV_DONTNEED);
}

int modelfile_verify(const struct modelfile *mf, struct err *e)
{
	const char *stored = modelfile_meta(mf, MODELFILE_KEY_DATA_CRC);
	uint64_t want = 0, crc;

	if (!stored)
		return err_set(e, ERR_NOTFOUND, "%s has no checksum to verify: another program wrote it",
		               mf->path);
	if (!parse_hex(stored, &want))
		return damaged(mf, e, "its checksum is not 16 hex digits");
	crc = lzma_crc64(mf->map + mf->data_start, mf->size - mf->data_start, 0);
	if (crc != want)
		return damaged(mf, e, "the data do not match their checksum (%016" PRIx64
		               ", expected %016" PRIx64 ")", crc, want);
	return 0;
}
