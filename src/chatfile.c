/* SPDX-License-Identifier: GPL-3.0-or-later */
/* chatfile: bytes to lines. Cuts a file into lines of bounded length and hands each to
 * chat_from_json (chatfile_json.c). */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "chatfile.h"
#include "rawfile.h"

enum { READ_BYTES = 1 << 16 };

static const size_t default_max_line = (size_t)64 << 20;

struct chatfile {
	char *path;
	struct rawfile *raw;
	bool end, complained_empty;
	char *plain;
	size_t plain_n, plain_pos;
	struct chatfile_opts opts;
	struct chatfile_counts counts;
	struct str line;
	size_t line_no;
};

int chatfile_open(struct chatfile **out, const char *path, const struct chatfile_opts *o, struct err *e)
{
	struct rawfile *raw;
	struct chatfile *f;
	int rc = rawfile_open(&raw, path, e);

	*out = NULL;
	if (rc < 0)
		return rc;
	f = xcalloc(1, sizeof(*f));
	f->path = xstrdup(path);
	f->raw = raw;
	f->line = (struct str)STR_INIT;
	f->plain = xmalloc(READ_BYTES);
	if (o)
		f->opts = *o;
	if (f->opts.max_line == 0)
		f->opts.max_line = default_max_line;
	*out = f;
	return 0;
}

void chatfile_close(struct chatfile *f)
{
	if (!f)
		return;
	rawfile_close(f->raw);
	free(f->plain);
	str_free(&f->line);
	free(f->path);
	free(f);
}

/* Get more plain bytes; sets end at the end of them. */
static int fill(struct chatfile *f, struct err *e)
{
	ssize_t n = rawfile_read(f->raw, f->plain, READ_BYTES, e);

	f->plain_pos = f->plain_n = 0;
	if (n < 0) {
		err_prefix(e, "%s:%zu", rawfile_shown(f->path), f->line_no + 1);
		return (int)n;
	}
	f->plain_n = (size_t)n;
	f->end = n == 0;
	return 0;
}

/* 1: a line in f->line (too_long: cut off, the rest discarded); 0: end */
static int next_line(struct chatfile *f, bool *too_long, struct err *e)
{
	bool any = false;

	str_reset(&f->line);
	*too_long = false;
	for (;;) {
		const char *from = f->plain + f->plain_pos, *nl;
		size_t n = f->plain_n - f->plain_pos;

		if (n == 0) {
			int rc;

			if (f->end)
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
			str_add(&f->line, from, n);
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
				     rawfile_shown(f->path));
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
		snprintf(where, sizeof(where), "%.270s:%zu", rawfile_shown(f->path), f->line_no);
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
