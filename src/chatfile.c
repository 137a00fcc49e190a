/* SPDX-License-Identifier: GPL-3.0-or-later */
/* chatfile: bytes to lines. Opens plain or xz files or standard input, cuts them into
 * lines of bounded length, and hands each line to chat_from_json (chatfile_json.c). */
#include <errno.h>
#include <fcntl.h>
#include <lzma.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "chatfile.h"

enum { READ_BYTES = 1 << 16 };

static const size_t default_max_line = (size_t)64 << 20;
/* A hostile .xz may ask for gigabytes of dictionary; xz -9 itself needs 65 MiB. */
static const uint64_t xz_memory_limit = (uint64_t)256 << 20;
static const unsigned char xz_magic[6] = { 0xfd, '7', 'z', 'X', 'Z', 0 };

struct chatfile {
	char *path;
	int fd;
	bool is_xz, in_end, out_end, complained_empty;
	lzma_stream xz;
	lzma_ret xz_failed;
	unsigned char *raw;          /* as read */
	size_t raw_n;
	unsigned char *plain;        /* decompressed; for plain files the same block as raw */
	size_t plain_n, plain_pos;
	struct chatfile_opts opts;
	struct chatfile_counts counts;
	struct str line;
	size_t line_no;
};

static const char *shown_path(const char *path)
{
	return strcmp(path, "-") == 0 ? "standard input" : path;
}

static bool ends_with(const char *s, const char *tail)
{
	size_t n = strlen(s), t = strlen(tail);

	return n >= t && memcmp(s + n - t, tail, t) == 0;
}

static int read_raw(struct chatfile *f, struct err *e)
{
	for (;;) {
		ssize_t n = read(f->fd, f->raw + f->raw_n, READ_BYTES - f->raw_n);

		if (n > 0) {
			f->raw_n += (size_t)n;
			return 0;
		}
		if (n == 0) {
			f->in_end = true;
			return 0;
		}
		if (errno != EINTR)
			return err_set(e, ERR_IO, "%s: cannot read: %s", shown_path(f->path), strerror(errno));
	}
}

int chatfile_open(struct chatfile **out, const char *path, const struct chatfile_opts *o, struct err *e)
{
	int fd = STDIN_FILENO;
	struct chatfile *f;

	*out = NULL;
	if (strcmp(path, "-") != 0) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return err_set(e, ERR_IO, "%s: cannot open: %s; check the name and its permissions",
			               path, strerror(errno));
	}
	f = xcalloc(1, sizeof(*f));
	f->path = xstrdup(path);
	f->fd = fd;
	f->line = (struct str)STR_INIT;
	f->xz_failed = LZMA_OK;
	f->xz = (lzma_stream)LZMA_STREAM_INIT;
	f->raw = xmalloc(READ_BYTES);
	if (o)
		f->opts = *o;
	if (f->opts.max_line == 0)
		f->opts.max_line = default_max_line;

	/* the magic may arrive in pieces from a pipe */
	while (!f->in_end && f->raw_n < sizeof(xz_magic))
		if (read_raw(f, e) < 0)
			goto fail;
	f->is_xz = ends_with(path, ".xz") ||
	           (f->raw_n >= sizeof(xz_magic) && memcmp(f->raw, xz_magic, sizeof(xz_magic)) == 0);
	if (f->is_xz) {
		if (lzma_stream_decoder(&f->xz, xz_memory_limit, LZMA_CONCATENATED) != LZMA_OK) {
			err_set(e, ERR_IO, "%s: cannot start the xz decoder: out of memory", shown_path(path));
			goto fail;
		}
		f->plain = xmalloc(READ_BYTES);
		f->xz.next_in = f->raw;
		f->xz.avail_in = f->raw_n;
	} else {
		f->plain = f->raw;
		f->plain_n = f->raw_n;
	}
	*out = f;
	return 0;
fail:
	chatfile_close(f);
	return e && e->code ? e->code : ERR_IO;
}

void chatfile_close(struct chatfile *f)
{
	if (!f)
		return;
	if (f->is_xz)
		lzma_end(&f->xz);
	if (f->plain != f->raw)
		free(f->plain);
	free(f->raw);
	if (f->fd != STDIN_FILENO)
		close(f->fd);
	str_free(&f->line);
	free(f->path);
	free(f);
}

static int xz_error(struct chatfile *f, lzma_ret ret, struct err *e)
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
	return err_set(e, ERR_FORMAT, "%s:%zu: %s", shown_path(f->path), f->line_no + 1, why);
}

/* Get more plain bytes; sets out_end at the end of them. */
static int fill(struct chatfile *f, struct err *e)
{
	f->plain_pos = f->plain_n = 0;
	if (!f->is_xz) {
		int rc;

		f->raw_n = 0;
		if (f->in_end) {
			f->out_end = true;
			return 0;
		}
		rc = read_raw(f, e);
		f->plain_n = f->raw_n;
		return rc;
	}
	while (f->plain_n == 0 && !f->out_end) {
		lzma_ret ret;

		if (f->xz_failed != LZMA_OK)
			return xz_error(f, f->xz_failed, e);
		if (f->xz.avail_in == 0 && !f->in_end) {
			f->raw_n = 0;
			if (read_raw(f, e) < 0)
				return ERR_IO;
			f->xz.next_in = f->raw;
			f->xz.avail_in = f->raw_n;
		}
		f->xz.next_out = f->plain;
		f->xz.avail_out = READ_BYTES;
		ret = lzma_code(&f->xz, f->in_end ? LZMA_FINISH : LZMA_RUN);
		f->plain_n = READ_BYTES - f->xz.avail_out;
		if (ret == LZMA_STREAM_END)
			f->out_end = true;      /* bytes in plain are still handed out */
		else if (ret != LZMA_OK && f->plain_n == 0)
			return xz_error(f, ret, e);
		else if (ret != LZMA_OK)
			f->xz_failed = ret;     /* whole lines before the damage come first */
	}
	return 0;
}

/* 1: a line in f->line (too_long: cut off, the rest discarded); 0: end */
static int next_line(struct chatfile *f, bool *too_long, struct err *e)
{
	bool any = false;

	str_reset(&f->line);
	*too_long = false;
	for (;;) {
		const unsigned char *from = f->plain + f->plain_pos, *nl;
		size_t n = f->plain_n - f->plain_pos;

		if (n == 0) {
			int rc;

			if (f->out_end)
				return any;
			rc = fill(f, e);
			if (rc < 0)
				return rc;
			continue;
		}
		any = true;
		nl = memchr(from, '\n', n);
		if (nl)
			n = (size_t)(nl - from);
		if (!*too_long && n > f->opts.max_line - f->line.len)
			*too_long = true;
		if (!*too_long)
			str_add(&f->line, (const char *)from, n);
		f->plain_pos += n + (nl ? 1 : 0);
		if (nl)
			return 1;
	}
}

static bool is_blank(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (s[i] != ' ' && s[i] != '\t' && s[i] != '\r')
			return false;
	return true;
}

static void warn(const struct chatfile *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void warn(const struct chatfile *f, const char *fmt, ...)
{
	char buf[600];
	va_list ap;

	if (!f->opts.warn)
		return;
	va_start(ap, fmt);
	vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	f->opts.warn(buf, f->opts.warn_arg);
}

int chatfile_next(struct chatfile *f, struct chat *c, struct err *e)
{
	for (;;) {
		struct err why = ERR_INIT;
		char where[300];
		const char *s;
		size_t n;
		bool too_long;
		int rc = next_line(f, &too_long, e);

		if (rc < 0)
			return rc;
		if (rc == 0) {
			if (f->counts.lines == 0 && !f->complained_empty) {
				f->complained_empty = true;
				warn(f, "%s: empty; one JSON object a line with \"messages\" was expected",
				     shown_path(f->path));
			}
			return 0;
		}
		f->line_no++;
		f->counts.lines++;
		s = f->line.s;
		n = f->line.len;
		if (f->line_no == 1 && n >= 3 && memcmp(s, "\xef\xbb\xbf", 3) == 0) {
			s += 3;
			n -= 3;
		}
		if (!too_long && is_blank(s, n))
			continue;
		snprintf(where, sizeof(where), "%.270s:%zu", shown_path(f->path), f->line_no);
		if (too_long)
			rc = err_set(&why, ERR_FORMAT, "%s: the line is longer than %zu bytes; split the conversation",
			             where, f->opts.max_line);
		else
			rc = chat_from_json(s, n, where, &f->opts, c, &f->counts, &why);
		if (rc == 0)
			return 1;
		f->counts.bad_lines++;
		if (f->opts.strict) {
			if (e)
				*e = why;
			return rc;
		}
		warn(f, "%s; line skipped", why.msg);
	}
}

const struct chatfile_counts *chatfile_counts(const struct chatfile *f)
{
	return &f->counts;
}

size_t chatfile_line(const struct chatfile *f)
{
	return f->line_no;
}
