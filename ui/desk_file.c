/* SPDX-License-Identifier: GPL-3.0-or-later */
/* desk_file: writing out, leaving, recovery copies, other files, $EDITOR. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "desk_private.h"
#include "paths.h"
#include "term.h"

/* ms from a change to a copy of it; a long text is much to write. */
enum { COPY_MS = 3000, COPY_LONG_MS = 10000, LONG = 1 << 20 };

/* ---- recovery copies ---- */

void desk_keep_copy(struct desk *d, bool now)
{
	const uint64_t version = editbuf_version(desk_text(d));
	struct err e = ERR_INIT;

	d->copy_due = 0;
	if (version == d->copied_version || !recovery_kept(d->copy) || !edit_modified(d->doc))
		return;
	d->copied_version = version;
	if (!now)
		recovery_write(d->copy, editbuf_snapshot(desk_text(d)));
	else if (recovery_write_now(d->copy, editbuf_snapshot(desk_text(d)), &e) < 0)
		desk_note(d, "%s", e.msg);
}

static void restore(struct desk *d, int key)
{
	time_t when;
	const char *path = recovery_found(d->copy, &when);
	struct editbuf *b = editbuf_new(0);
	struct editfile f = { 0 };
	struct err e = ERR_INIT;

	if (key == 'y' && editfile_load(&f, path, b, &e) < 0) {
		desk_note(d, "%s", e.msg);
		key = 0;
	} else if (key == 'y') {
		const size_t n = editbuf_len(b);
		char *s = xmalloc(n + 1);

		editbuf_read(b, 0, s, n);
		edit_replace(d->doc, 0, editbuf_len(desk_text(d)), s, n, EDIT_ALONE);
		free(s);
		desk_move(d, 0);
		desk_note(d, "it is back; M-u shows the file as it is on disk");
		d->copied_version = editbuf_version(desk_text(d));      /* the copy holds just this */
	} else if (key == 'n') {
		recovery_clear(d->copy);
	}
	if (key == 0) {      /* neither: leave it where it is, and leave */
		d->quit = true;
		d->end = DESK_CLOSED;
	}
	editfile_fini(&f);
	editbuf_free(b);
}

void desk_offer_copy(struct desk *d)
{
	time_t when;
	char date[64];

	if (recovery_shared(d->copy))
		desk_note(d, "somebody else has this document open at the desk, too");
	if (!recovery_found(d->copy, &when))
		return;
	strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S", localtime(&when));
	desk_choose(d, "yn", restore, "Unsaved text of %s is kept: y brings it back, n deletes it, C-c leaves all as it is", date);
}

void desk_tick(struct desk *d)
{
	char *trouble = recovery_trouble(d->copy);

	if (*d->later && (!*d->note || desk_now() >= d->note_until)) {
		desk_note(d, "%s", d->later);
		d->later[0] = '\0';
	}
	if (trouble)
		desk_note(d, "%s", trouble);
	free(trouble);
	if (d->copy_due == 0 && edit_modified(d->doc) && editbuf_version(desk_text(d)) != d->copied_version)
		d->copy_due = desk_now() + (editbuf_len(desk_text(d)) > LONG ? COPY_LONG_MS : COPY_MS);
	if (d->copy_due == 0 || desk_now() < d->copy_due)
		return;
	desk_keep_copy(d, false);
	if (!d->told_changed && d->file.exists && editfile_changed(&d->file)) {
		d->told_changed = true;
		desk_note(d, "%s has changed on disk: saving will ask", d->file.path);
	}
}

/* ---- writing out ---- */

static void leave(struct desk *d)
{
	recovery_clear(d->copy);
	d->quit = true;
	d->end = d->saved ? DESK_SAVED : DESK_CLOSED;
}

/* Write under saving_as. */
static void write_now(struct desk *d)
{
	const bool renamed = !d->file.path || strcmp(d->file.path, d->saving_as) != 0;
	const struct editbuf *b = desk_text(d);
	struct editsnap *s;
	struct err e = ERR_INIT;
	bool ok;

	/* a text that is new ends with a newline, as nano's do; one that was there keeps its end */
	if (d->fresh && editbuf_len(b) > 0 && editbuf_byte(b, editbuf_len(b) - 1) != '\n')
		edit_replace(d->doc, editbuf_len(b), 0, d->dos ? "\r\n" : "\n", d->dos ? 2 : 1, EDIT_MORE);
	if (editfile_in_place(d->saving_as)) {      /* then the copy is what an accident leaves */
		d->copied_version = editbuf_version(b);
		if (recovery_kept(d->copy) && recovery_write_now(d->copy, editbuf_snapshot(b), &e) < 0) {
			desk_note(d, "not saved: %s", e.msg);
			d->leaving = false;
			return;
		}
	}
	s = editbuf_snapshot(b);
	ok = editfile_save(&d->file, d->saving_as, s, &e) == 0;
	editsnap_free(s);
	if (!ok) {
		desk_note(d, "%s", e.msg);
		d->leaving = false;
		return;
	}
	edit_saved(d->doc);
	d->saved = true;
	d->told_changed = false;
	d->copy_due = 0;
	recovery_clear(d->copy);
	if (renamed) {      /* copies go by the name */
		recovery_close(d->copy);
		d->copy = recovery_open(d->file.path, NULL);
		recovery_clear(d->copy);
	}
	desk_note(d, "%zu line%s, %zu bytes written", editbuf_newlines(b), editbuf_newlines(b) == 1 ? "" : "s", editbuf_len(b));
	if (d->leaving)
		leave(d);
}

static void sure(struct desk *d, int key)
{
	if (key == 'y') {
		write_now(d);
	} else {
		d->leaving = false;
		desk_note(d, "not saved");
	}
}

static void save_as(struct desk *d, const char *path)
{
	const char *doubt;

	free(d->saving_as);
	d->saving_as = xstrdup(path);
	doubt = editfile_doubt(&d->file, path);
	if (*doubt)
		desk_choose(d, "yn", sure, "%.100s %s: write over it? y yes, n no", path, doubt);
	else
		write_now(d);
}

/* What was typed as the name of a file: ~/ is the home, as in a shell. Caller frees. */
static char *typed_path(const struct desk *d)
{
	const char *s = d->ask.text.s, *home = getenv("HOME");
	struct str path = STR_INIT;

	if (s[0] == '~' && s[1] == '/' && home && *home) {
		str_adds(&path, home);
		s++;
	}
	str_adds(&path, s);
	return str_detach(&path);
}

static void named(struct desk *d, int key)
{
	if (key && d->ask.text.len) {
		char *path = typed_path(d);

		save_as(d, path);
		free(path);
	} else {
		d->leaving = false;
		desk_note(d, "not saved");
	}
}

void desk_write_out(struct desk *d, bool ask)
{
	if (ask || !d->file.path)
		desk_ask(d, d->file.path ? d->file.path : "", named, "Write to: ");
	else
		save_as(d, d->file.path);
}

static void leaving(struct desk *d, int key)
{
	if (key == 'y') {
		d->leaving = true;
		desk_write_out(d, false);
	} else if (key == 'n') {
		leave(d);
	}
}

void desk_exit(struct desk *d)
{
	if (edit_modified(d->doc))
		desk_choose(d, "yn", leaving, "Save what was written? y yes, n no, C-c goes back");
	else
		leave(d);
}

/* ---- other files ---- */

static void put_in(struct desk *d, int key)
{
	struct editbuf *b = editbuf_new(0);
	struct editfile f = { 0 };
	struct err e = ERR_INIT;

	if (key && d->ask.text.len) {
		char *path = typed_path(d);

		if (editfile_load(&f, path, b, &e) < 0) {
			desk_note(d, "%s", e.msg);
		} else if (!f.exists) {
			desk_note(d, "there is no file %s", f.path);
		} else {
			const size_t n = editbuf_len(b);
			char *s = xmalloc(n + 1);

			editbuf_read(b, 0, s, n);
			edit_replace(d->doc, d->cursor, 0, s, n, EDIT_ALONE);
			desk_move(d, d->cursor + n);
			free(s);
		}
		free(path);
	}
	editfile_fini(&f);
	editbuf_free(b);
}

void desk_read_file(struct desk *d)
{
	desk_ask(d, "", put_in, "Put in the file: ");
}

/* What the editor made of it becomes one edit: what both have at their ends stays. */
static void take_over(struct desk *d, const struct editbuf *new)
{
	const struct editbuf *old = desk_text(d);
	const size_t n = editbuf_len(new), m = editbuf_len(old);
	char *a = xmalloc(m + 1), *b = xmalloc(n + 1);
	size_t head = 0, tail = 0;

	editbuf_read(old, 0, a, m);
	editbuf_read(new, 0, b, n);
	while (head < n && head < m && a[head] == b[head])
		head++;
	while (tail < n - head && tail < m - head && a[m - 1 - tail] == b[n - 1 - tail])
		tail++;
	if (head < n || head < m) {
		edit_replace(d->doc, head, m - head - tail, b + head, n - head - tail, EDIT_ALONE);
		desk_move(d, head);
	} else {
		desk_note(d, "nothing was changed there");
	}
	free(a);
	free(b);
}

void desk_editor(struct desk *d)
{
	const char *visual = getenv("VISUAL"), *editor = visual && *visual ? visual : getenv("EDITOR");
	const char *dot = d->file.path ? strrchr(d->file.path, '.') : NULL, *tmp = getenv("TMPDIR");
	struct str path = STR_INIT, cmd = STR_INIT;
	struct editsnap *s = editbuf_snapshot(desk_text(d));
	struct editbuf *b = editbuf_new(0);
	struct editfile f = { 0 };
	struct err e = ERR_INIT;
	char folder[256];

	desk_keep_copy(d, true);
	snprintf(folder, sizeof(folder), "%s/answerback-XXXXXX", tmp && *tmp == '/' && strlen(tmp) < 200 ? tmp : "/tmp");
	if (!mkdtemp(folder)) {
		desk_note(d, "no file for the editor: %s", strerror(errno));
		goto out;
	}
	/* the same ending, for editors that go by it; nothing in it that a shell would read */
	if (dot && (strchr(dot, '/') || strspn(dot + 1, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != strlen(dot + 1)))
		dot = NULL;
	str_addf(&path, "%s/text%s", folder, dot ? dot : ".txt");
	if (editfile_put(path.s, 0600, NULL, s, &e) < 0) {
		desk_note(d, "no file for the editor: %s", e.msg);
	} else {
		int status;

		str_addf(&cmd, "%s '%s'", editor && *editor ? editor : "nano", path.s);
		term_leave();
		status = system(cmd.s);      /* the person's own choice of program, and their words */
		term_return();
		if (status != 0)
			desk_note(d, "the editor failed: the text is as it was");
		else if (editfile_load(&f, path.s, b, &e) < 0)
			desk_note(d, "%s", e.msg);
		else
			take_over(d, b);
	}
	unlink(path.s);
	rmdir(folder);
out:
	editfile_fini(&f);
	editbuf_free(b);
	editsnap_free(s);
	str_free(&path);
	str_free(&cmd);
}
