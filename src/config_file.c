/* SPDX-License-Identifier: GPL-3.0-or-later */
/* config_file: the file's text to values (inih reads the lines), and one setting changed in it. */
#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "config_private.h"
#include "paths.h"

enum { LONGEST_LINE = 4096, LARGEST_FILE = 1 << 20 };
static const char own_section[] = "answerback";

/* ---- reading ---- */

struct reading {
	struct config_parsed *p;
	const char *at, *end, *name;
	size_t line;
	bool inside;                  /* a part of the line has been handed out */
};

void config_problem_add(struct config_parsed *p, size_t line, bool warning, const char *fmt, ...)
{
	char text[600];
	va_list ap;
	size_t i = p->problems++;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	p->problem = xreallocarray(p->problem, p->problems, sizeof(*p->problem));
	for (; i > 0 && p->problem[i - 1].line > line; i--)      /* in the file's order */
		p->problem[i] = p->problem[i - 1];
	p->problem[i] = (struct config_problem){ line, warning, xstrdup(text) };
}

/* What fgets does, from memory; counts the lines, which inih does not tell its handler. */
static char *next_part(char *buf, int size, void *arg)
{
	struct reading *r = arg;
	const char *newline;
	size_t n;

	if (r->at == r->end || size < 2)
		return NULL;
	newline = memchr(r->at, '\n', (size_t)(r->end - r->at));
	n = (size_t)((newline ? newline + 1 : r->end) - r->at);
	r->line += !r->inside;
	r->inside = n > (size_t)size - 1 || !newline;
	if (n > (size_t)size - 1)
		n = (size_t)size - 1;
	memcpy(buf, r->at, n);
	buf[n] = '\0';
	r->at += n;
	return buf;
}

static int found(void *arg, const char *section, const char *name, const char *value)
{
	struct reading *r = arg;
	struct err e = ERR_INIT;
	enum config_id id;

	if (!value) {
		config_problem_add(r->p, r->line, false, "%s:%zu: '%.60s' is no setting: a line is NAME = VALUE, or a comment after #",
		                   r->name, r->line, name);
	} else if (*section && strcmp(section, own_section) != 0) {
		config_problem_add(r->p, r->line, true, "%s:%zu: not used: section [%.40s] is not ours; settings stand before any section or "
		                   "in [%s]", r->name, r->line, section, own_section);
	} else if (config_find(name, &id, &e) < 0) {
		config_problem_add(r->p, r->line, true, "%s:%zu: not used: %s", r->name, r->line, e.msg);
	} else if (config_allows(id, value, &e) < 0) {
		config_problem_add(r->p, r->line, false, "%s:%zu: %s: %s", r->name, r->line, name, e.msg);
		r->p->line[id] = r->line;
	} else {
		if (r->p->value[id])
			config_problem_add(r->p, r->line, true, "%s:%zu: %s was set in line %zu already; this one counts", r->name, r->line,
			                   name, r->p->line[id]);
		free(r->p->value[id]);
		r->p->value[id] = xstrdup(value);
		r->p->line[id] = r->line;
	}
	return 1;
}

/* Length of the line at s, its newline included. */
static size_t line_length(const char *s, const char *end)
{
	const char *newline = memchr(s, '\n', (size_t)(end - s));

	return (size_t)((newline ? newline + 1 : end) - s);
}

/* Sections, which inih keeps to itself: where a new setting belongs. False: a line is too long to be read. */
static bool look_at_lines(struct config_parsed *p, const char *text, size_t len, const char *name)
{
	const char *end = text + len;
	bool ours = true, readable = true;
	size_t line = 1;

	p->end = 1;
	for (const char *s = text; s < end; line++) {
		const size_t n = line_length(s, end), blank = strspn(s, " \t");

		if (n > LONGEST_LINE) {
			config_problem_add(p, line, false, "%s:%zu: longer than %d bytes: put a long command into a script", name, line, LONGEST_LINE);
			readable = false;
		}
		if (blank < n && s[blank] == '[')
			ours = strncmp(s + blank + 1, own_section, sizeof(own_section) - 1) == 0 && s[blank + sizeof(own_section)] == ']';
		if (ours)
			p->end = line + 1;
		s += n;
	}
	return readable;
}

void config_parse(struct config_parsed *p, const char *text, size_t len, const char *name)
{
	struct reading r = { .p = p, .at = text, .end = text + len, .name = name };
	int rc;

	memset(p, 0, sizeof(*p));
	p->end = 1;
	if (memchr(text, '\0', len)) {
		config_problem_add(p, 0, false, "%s: it is no text file", name);
		p->unreadable = true;
		return;
	}
	p->unreadable = !look_at_lines(p, text, len, name);
	if (p->unreadable)
		return;
	/* Debian's inih is told at run time: a value ends with its line and may hold ; (commands do) */
	ini_allow_multiline = false;
	ini_allow_inline_comments = false;
	ini_allow_no_value = true;
	ini_use_stack = false;
	ini_allow_realloc = true;
	ini_max_line = LONGEST_LINE + 3;
	rc = ini_parse_stream(next_part, &r, found, &r);
	if (rc > 0)
		config_problem_add(p, (size_t)rc, false, "%s:%d: a section is [NAME]", name, rc);
}

void config_parsed_fini(struct config_parsed *p)
{
	for (size_t i = 0; i < CONFIG_COUNT; i++)
		free(p->value[i]);
	for (size_t i = 0; i < p->problems; i++)
		free(p->problem[i].text);
	free(p->problem);
	memset(p, 0, sizeof(*p));
}

int config_file_read(const char *path, struct str *text, struct err *e)
{
	FILE *f = fopen(path, "re");
	struct stat st;
	char buf[4096];
	size_t n;
	int rc = 0;

	if (!f)
		return err_set(e, errno == ENOENT || errno == ENOTDIR ? ERR_NOTFOUND : ERR_IO, "cannot read the settings in %s: %s", path,
		               strerror(errno));
	if (fstat(fileno(f), &st) == 0 && S_ISDIR(st.st_mode))
		rc = err_set(e, ERR_IO, "cannot read the settings in %s: it is a folder", path);
	while (rc == 0 && (n = fread(buf, 1, sizeof(buf), f)) > 0) {
		str_add(text, buf, n);
		if (text->len > LARGEST_FILE)
			rc = err_set(e, ERR_FORMAT, "%s is larger than a file of settings can be", path);
	}
	if (rc == 0 && ferror(f))
		rc = err_set(e, ERR_IO, "cannot read the settings in %s: %s", path, strerror(errno));
	fclose(f);
	return rc;
}

/* ---- changing ---- */

/* "NAME = VALUE", with the blanks around = and the line's end as they were. */
static void add_changed(struct str *out, const char *line, size_t n, const char *value)
{
	size_t sep = 0, blanks;

	while (sep < n && line[sep] != '=' && line[sep] != ':')
		sep++;
	for (blanks = sep + 1; blanks < n && (line[blanks] == ' ' || line[blanks] == '\t'); blanks++)
		;
	str_add(out, line, blanks < n ? blanks : n);
	if (blanks == sep + 1 && sep > 0 && (line[sep - 1] == ' ' || line[sep - 1] == '\t'))
		str_addc(out, ' ');
	str_adds(out, value);
	str_adds(out, n > 1 && line[n - 1] == '\n' && line[n - 2] == '\r' ? "\r\n" : "\n");
}

/* One change: `line` replaced, taken out (value NULL), or, with line 0, a new one before line `before`. */
static void change(const char *text, size_t len, size_t line, size_t before, const char *name, const char *value, struct str *out)
{
	const char *end = text + len;
	size_t at = 1;

	for (const char *s = text; s < end; at++) {
		const size_t n = line_length(s, end);

		if (line == 0 && at == before)
			str_addf(out, "%s = %s\n", name, value);
		if (at != line)
			str_add(out, s, n);
		else if (value)
			add_changed(out, s, n, value);
		s += n;
	}
	if (line == 0 && at <= before) {
		if (out->len > 0 && out->s[out->len - 1] != '\n')
			str_addc(out, '\n');
		str_addf(out, "%s = %s\n", name, value);
	}
}

int config_file_edit(const char *text, size_t len, enum config_id id, const char *value, struct str *out, struct err *e)
{
	const char *name = config_settings[id].name;
	struct config_parsed p;
	int rc = 0;

	config_parse(&p, text, len, "the file");
	str_reset(out);
	if (p.unreadable) {
		rc = err_set(e, ERR_FORMAT, "%s", p.problem[0].text);
		config_parsed_fini(&p);
		return rc;
	}
	if (!value) {
		struct str rest = STR_INIT;

		str_add(out, text, len);
		while (p.line[id]) {      /* each of that name */
			str_reset(&rest);
			change(out->s, out->len, p.line[id], 0, name, NULL, &rest);
			str_reset(out);
			str_add(out, rest.s, rest.len);
			config_parsed_fini(&p);
			config_parse(&p, out->s, out->len, "the file");
		}
		str_free(&rest);
		config_parsed_fini(&p);
		return 0;
	}
	change(text, len, p.line[id], p.end, name, value, out);
	config_parsed_fini(&p);
	/* what comes back must be what was meant: blanks at the ends are lost, what does not fit in a line too */
	config_parse(&p, out->s, out->len, "the file");
	if (!p.value[id] || strcmp(p.value[id], value) != 0)
		rc = err_set(e, ERR_USAGE, "the file cannot hold this value: it is one line of at most %d bytes, without blanks at its ends",
		             LONGEST_LINE - (int)strlen(name) - 8);
	config_parsed_fini(&p);
	return rc;
}

/* A folder's entry is safe only when the folder is. */
static void sync_folder_of(const char *path)
{
	char *folder = xstrdup(path), *slash = strrchr(folder, '/');
	int fd;

	if (slash)
		slash[slash == folder] = '\0';
	fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
	free(folder);
}

int config_file_write(const char *path, const struct str *text, struct err *e)
{
	char *real = realpath(path, NULL);      /* a symbolic link stays one */
	char *folder, *slash;
	struct str temp = STR_INIT;
	struct stat st;
	size_t done = 0;
	int fd, rc = 0;

	if (!real)
		real = xstrdup(path);
	folder = xstrdup(real);
	slash = strrchr(folder, '/');
	if (slash && slash != folder) {
		*slash = '\0';
		rc = paths_make(folder, e);
	}
	free(folder);
	if (rc < 0) {
		free(real);
		return rc;
	}
	str_addf(&temp, "%s.XXXXXX", real);
	fd = mkstemp(temp.s);
	if (fd < 0)
		rc = err_set(e, ERR_IO, "cannot write beside %s: %s", real, strerror(errno));
	while (rc == 0 && done < text->len) {
		const ssize_t w = write(fd, text->s + done, text->len - done);

		if (w > 0)
			done += (size_t)w;
		else if (errno != EINTR)
			rc = err_set(e, ERR_IO, "cannot write %s: %s", temp.s, strerror(errno));
	}
	if (rc == 0 && stat(real, &st) == 0 && fchmod(fd, st.st_mode & 0777) != 0)
		rc = err_set(e, ERR_IO, "cannot give %s the mode of %s: %s", temp.s, real, strerror(errno));
	if (rc == 0 && fsync(fd) != 0)
		rc = err_set(e, ERR_IO, "cannot write %s: %s", temp.s, strerror(errno));
	if (fd >= 0)
		close(fd);
	if (rc == 0 && rename(temp.s, real) != 0)
		rc = err_set(e, ERR_IO, "cannot write %s: %s", real, strerror(errno));
	if (rc == 0)
		sync_folder_of(real);
	else if (fd >= 0)
		unlink(temp.s);
	str_free(&temp);
	free(real);
	return rc;
}
