/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rawfile: files, pipes and liblzma behind one read. */
#include "rawfile.h"

#include <errno.h>
#include <fcntl.h>
#include <lzma.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

enum { RAW_BYTES = 1 << 16 };

/* A hostile .xz may ask for gigabytes of dictionary; xz -9 itself needs 65 MiB. */
static const uint64_t xz_memory_limit = (uint64_t)256 << 20;
static const unsigned char xz_magic[6] = { 0xfd, '7', 'z', 'X', 'Z', 0 };

struct rawfile {
	int fd;
	bool is_xz, in_end, out_end;
	lzma_stream xz;
	lzma_ret xz_failed;
	unsigned char raw[RAW_BYTES];
	size_t raw_n, raw_pos;       /* as read; of a plain file, what has been handed out */
	uint64_t done, total;
};

const char *rawfile_shown(const char *path)
{
	return strcmp(path, "-") == 0 ? "standard input" : path;
}

static bool ends_with(const char *s, const char *tail)
{
	size_t n = strlen(s), t = strlen(tail);

	return n >= t && memcmp(s + n - t, tail, t) == 0;
}

static int read_raw(struct rawfile *f, struct err *e)
{
	for (;;) {
		ssize_t n = read(f->fd, f->raw + f->raw_n, RAW_BYTES - f->raw_n);

		if (n >= 0) {
			f->raw_n += (size_t)n;
			f->done += (uint64_t)n;
			f->in_end = n == 0;
			return 0;
		}
		if (errno != EINTR)
			return err_set(e, ERR_IO, "cannot read: %s", strerror(errno));
	}
}

int rawfile_open(struct rawfile **out, const char *path, struct err *e)
{
	int fd = STDIN_FILENO;
	struct rawfile *f;
	struct stat st;

	*out = NULL;
	if (strcmp(path, "-") != 0) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return err_set(e, ERR_IO, "%s: cannot open: %s; check the name and its permissions",
			               path, strerror(errno));
	}
	f = xcalloc(1, sizeof(*f));
	f->fd = fd;
	f->xz_failed = LZMA_OK;
	f->xz = (lzma_stream)LZMA_STREAM_INIT;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		f->total = (uint64_t)st.st_size;

	/* the magic may arrive in pieces from a pipe */
	while (!f->in_end && f->raw_n < sizeof(xz_magic)) {
		if (read_raw(f, e) < 0) {
			int code = err_prefix(e, "%s", rawfile_shown(path));

			rawfile_close(f);
			return code < 0 ? code : ERR_IO;
		}
	}
	f->is_xz = ends_with(path, ".xz") ||
	           (f->raw_n >= sizeof(xz_magic) && memcmp(f->raw, xz_magic, sizeof(xz_magic)) == 0);
	if (f->is_xz && lzma_stream_decoder(&f->xz, xz_memory_limit, LZMA_CONCATENATED) != LZMA_OK) {
		rawfile_close(f);
		return err_set(e, ERR_IO, "%s: cannot start the xz decoder: out of memory", rawfile_shown(path));
	}
	f->xz.next_in = f->raw;
	f->xz.avail_in = f->raw_n;
	*out = f;
	return 0;
}

void rawfile_close(struct rawfile *f)
{
	if (!f)
		return;
	if (f->is_xz)
		lzma_end(&f->xz);
	if (f->fd != STDIN_FILENO)
		close(f->fd);
	free(f);
}

static int xz_error(lzma_ret ret, struct err *e)
{
	const char *why = "the xz data is damaged; fetch or compress the file again";

	if (ret == LZMA_FORMAT_ERROR)
		why = "named .xz but not an xz file; rename it or compress it with xz";
	else if (ret == LZMA_BUF_ERROR)
		why = "the xz data ends too early; the file was cut off, fetch it again";
	else if (ret == LZMA_MEMLIMIT_ERROR)
		why = "the xz data needs more than 256 MiB to unpack; compress it with xz -6";
	else if (ret == LZMA_MEM_ERROR)
		why = "out of memory while unpacking xz";
	return err_set(e, ERR_FORMAT, "%s", why);
}

static ssize_t read_xz(struct rawfile *f, void *buf, size_t n, struct err *e)
{
	size_t got = 0;

	while (got == 0 && !f->out_end) {
		lzma_ret ret;

		if (f->xz_failed != LZMA_OK)
			return xz_error(f->xz_failed, e);
		if (f->xz.avail_in == 0 && !f->in_end) {
			f->raw_n = 0;
			if (read_raw(f, e) < 0)
				return ERR_IO;
			f->xz.next_in = f->raw;
			f->xz.avail_in = f->raw_n;
		}
		f->xz.next_out = buf;
		f->xz.avail_out = n;
		ret = lzma_code(&f->xz, f->in_end ? LZMA_FINISH : LZMA_RUN);
		got = n - f->xz.avail_out;
		if (ret == LZMA_STREAM_END)
			f->out_end = true;
		else if (ret != LZMA_OK)
			f->xz_failed = ret;     /* what came before the damage is handed out first */
	}
	return (ssize_t)got;
}

ssize_t rawfile_read(struct rawfile *f, void *buf, size_t n, struct err *e)
{
	if (f->is_xz)
		return read_xz(f, buf, n, e);
	if (f->raw_pos == f->raw_n) {
		if (f->in_end)
			return 0;
		f->raw_n = f->raw_pos = 0;
		if (read_raw(f, e) < 0)
			return ERR_IO;
	}
	if (n > f->raw_n - f->raw_pos)
		n = f->raw_n - f->raw_pos;
	memcpy(buf, f->raw + f->raw_pos, n);
	f->raw_pos += n;
	return (ssize_t)n;
}

void rawfile_progress(const struct rawfile *f, uint64_t *done, uint64_t *total)
{
	*done = f->done;
	*total = f->total;
}
