/* SPDX-License-Identifier: GPL-3.0-or-later */
/* editfile: reading and writing a document. */
#include "editfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"

static const off_t most = 1 << 30;

/* NULL when it is a plain file, else what it is. */
static const char *kind(const struct stat *st)
{
	switch (st->st_mode & S_IFMT) {
	case S_IFREG:
		return NULL;
	case S_IFDIR:
		return "a folder";
	case S_IFIFO:
		return "a FIFO";
	case S_IFSOCK:
		return "a socket";
	default:
		return "a device";
	}
}

/* No writing for anybody is a wish even to those whom it does not bind. */
static bool read_only(const char *path, const struct stat *st)
{
	return !(st->st_mode & 0222) || access(path, W_OK) != 0;
}

static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return xstrdup(".");
	return slash == path ? xstrdup("/") : xmemdup(path, (size_t)(slash - path));
}

static int folder_there(const char *path, struct err *e)
{
	char *folder = folder_of(path);
	struct stat st;
	int rc = 0;

	if (stat(folder, &st) != 0 || !S_ISDIR(st.st_mode))
		rc = err_set(e, ERR_NOTFOUND, "the folder %s does not exist: make it first", folder);
	free(folder);
	return rc;
}

static int read_all(int fd, const char *path, struct editbuf *b, struct err *e)
{
	const size_t size = 1 << 18;
	char *buf = xmalloc(size);
	int rc = 0;

	for (;;) {
		const ssize_t n = read(fd, buf, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			rc = err_set(e, ERR_IO, "%s could not be read: %s", path, strerror(errno));
		if (n <= 0)
			break;
		if (editbuf_len(b) + (size_t)n > (size_t)most) {
			rc = err_set(e, ERR_RANGE, "%s is larger than 1 GiB: too large to edit here", path);
			break;
		}
		editbuf_insert(b, editbuf_len(b), buf, (size_t)n);
	}
	free(buf);
	return rc;
}

int editfile_load(struct editfile *f, const char *path, struct editbuf *b, struct err *e)
{
	/* O_NONBLOCK: a FIFO must not make us wait for its other end */
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY), rc = 0;
	struct stat st;

	*f = (struct editfile){ 0 };
	if (fd < 0 && errno == ENOENT) {
		const size_t n = strlen(path);

		if (n == 0 || path[n - 1] == '/')
			return err_set(e, ERR_USAGE, n ? "%s is the name of a folder: name a file" : "an empty name%s: name a file", path);
		if ((rc = folder_there(path, e)) == 0)
			f->path = xstrdup(path);
		return rc;
	}
	if (fd < 0 && errno == ENXIO)
		return err_set(e, ERR_USAGE, "%s is a socket or a FIFO: only plain files can be edited", path);
	if (fd < 0)
		return err_set(e, ERR_IO, "%s cannot be opened: %s", path, strerror(errno));
	if (fstat(fd, &st) != 0)
		rc = err_set(e, ERR_IO, "%s cannot be opened: %s", path, strerror(errno));
	else if (kind(&st))
		rc = err_set(e, ERR_USAGE, "%s is %s: only plain files can be edited", path, kind(&st));
	else if (st.st_size > most)
		rc = err_set(e, ERR_RANGE, "%s is larger than 1 GiB: too large to edit here", path);
	else
		rc = read_all(fd, path, b, e);
	close(fd);
	if (rc < 0)
		return rc;
	*f = (struct editfile){ .path = xstrdup(path), .exists = true, .st = st, .read_only = read_only(path, &st) };
	return 0;
}

void editfile_fini(struct editfile *f)
{
	free(f->path);
	*f = (struct editfile){ 0 };
}

static bool same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
		a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

bool editfile_changed(const struct editfile *f)
{
	struct stat st;

	if (!f->path)
		return false;
	if (stat(f->path, &st) != 0)
		return f->exists;
	return !f->exists || !same(&st, &f->st);
}

const char *editfile_doubt(const struct editfile *f, const char *path)
{
	struct stat st;

	if (f->path && strcmp(f->path, path) == 0)
		return editfile_changed(f) && stat(path, &st) == 0 ? "has changed on disk" : "";
	return stat(path, &st) == 0 ? "exists" : "";
}

/* Where a symbolic link leads, also when nothing is there yet. Caller frees. */
static char *resolve(const char *path)
{
	char *at = xstrdup(path);

	for (int i = 0; i < 40; i++) {
		char to[PATH_MAX + 1];
		const ssize_t n = readlink(at, to, PATH_MAX);
		struct str s = STR_INIT;

		if (n < 0)
			break;
		to[n] = '\0';
		if (to[0] != '/') {
			char *folder = folder_of(at);

			str_addf(&s, "%s/", folder);
			free(folder);
		}
		str_adds(&s, to);
		free(at);
		at = str_detach(&s);
	}
	return at;
}

/* ---- writing ---- */

static void sync_folder(const char *path)
{
	char *folder = folder_of(path);
	const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
	free(folder);
}

static int failed(int error, struct err *e)
{
	return err_set(e, ERR_IO, "%s", error == ENOSPC || error == EDQUOT ? "no space left on the disk" : strerror(error));
}

/* A new file beside path, with the mode, and the owner where that may be had. -1: none can be made there. */
static int open_beside(const char *path, unsigned mode, const struct stat *like, char **name)
{
	char *folder = folder_of(path);
	struct str s = STR_INIT;
	int fd;

	str_addf(&s, "%s/.answerback-XXXXXX", folder);
	free(folder);
	*name = str_detach(&s);
	fd = mkostemp(*name, O_CLOEXEC);
	if (fd >= 0 && ((like && (like->st_uid != geteuid() || like->st_gid != getegid()) &&
	                 fchown(fd, like->st_uid, like->st_gid) != 0) || fchmod(fd, mode) != 0)) {
		close(fd);
		unlink(*name);
		errno = EPERM;
		fd = -1;
	}
	return fd;
}

int editfile_put(const char *path, unsigned mode, const struct stat *like, const struct editsnap *text, struct err *e)
{
	char *name;
	int fd = open_beside(path, mode, like, &name), rc = 0, error = 0;

	if (fd < 0) {
		error = errno;
		free(name);
		return failed(error, e);
	}
	if (editsnap_write(text, fd) != 0 || fsync(fd) != 0)
		error = errno;
	if (close(fd) != 0 && !error)
		error = errno;
	if (!error && rename(name, path) != 0)
		error = errno;
	if (error) {
		unlink(name);
		rc = failed(error, e);
	} else {
		sync_folder(path);
	}
	free(name);
	return rc;
}

static int put_in_place(const char *path, const struct editsnap *text, struct err *e)
{
	const int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	int error = 0;

	if (fd < 0)
		return err_set(e, ERR_IO, "not saved: %s: %s", path, strerror(errno));
	if (editsnap_write(text, fd) != 0 || ftruncate(fd, (off_t)editsnap_len(text)) != 0 || fsync(fd) != 0)
		error = errno;
	if (close(fd) != 0 && !error)
		error = errno;
	if (error)
		return err_set(e, ERR_IO, "%s: %s may be half written: the text is still here, and in the recovery copy; save it "
		               "elsewhere (C-o)", strerror(error), path);
	return 0;
}

bool editfile_in_place(const char *path)
{
	char *real = resolve(path), *name;
	struct stat st;
	bool yes = false;

	if (stat(real, &st) == 0 && S_ISREG(st.st_mode)) {
		yes = st.st_nlink > 1;
		if (!yes) {
			const int fd = open_beside(real, st.st_mode & 07777, &st, &name);

			/* only where no file can be had: on a full disk, in place would lose what is there */
			yes = fd < 0 && (errno == EACCES || errno == EPERM || errno == EROFS);
			if (fd >= 0) {
				close(fd);
				unlink(name);
			}
			free(name);
		}
	}
	free(real);
	return yes;
}

static unsigned new_mode(void)
{
	const mode_t mask = umask(0);

	umask(mask);
	return 0666 & ~mask;
}

int editfile_save(struct editfile *f, const char *path, const struct editsnap *text, struct err *e)
{
	char *real = resolve(path);
	struct stat st;
	const bool there = stat(real, &st) == 0;
	int rc;

	if (there && kind(&st))
		rc = err_set(e, ERR_USAGE, "not saved: %s is %s: name a plain file", path, kind(&st));
	else if (there && read_only(real, &st))
		rc = err_set(e, ERR_IO, "not saved: %s is read-only: write to another name (C-o)", path);
	else if (!there && (rc = folder_there(real, e)) < 0)
		err_prefix(e, "not saved");
	else if (there && editfile_in_place(path))
		rc = put_in_place(real, text, e);
	else if ((rc = editfile_put(real, there ? st.st_mode & 07777 : new_mode(), there ? &st : NULL, text, e)) < 0)
		err_prefix(e, "not saved, %s is as it was and the text is still here", path);
	if (rc == 0) {
		char *name = xstrdup(path);

		editfile_fini(f);
		*f = (struct editfile){ .path = name, .exists = true };
		if (stat(real, &f->st) != 0)
			f->exists = false;
	}
	free(real);
	return rc;
}
