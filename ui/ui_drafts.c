/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ui_drafts: what is half written survives whatever ends the program.
 *
 * STATE/drafts.PID, written anew a second after a change: for each draft a line "BYTES<TAB>CASE<TAB>CUSTOMER", then its
 * bytes and a newline. A program that starts takes over the files of those that no longer run. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "paths.h"
#include "ui_compose.h"

static const char prefix[] = "drafts.";

static char *state_file(const char *name)
{
	struct str s = STR_INIT;
	char *folder;

	if (paths_folder(PATHS_STATE, NULL, true, &folder, NULL) < 0)
		return NULL;
	str_addf(&s, "%s/%s", folder, name);
	free(folder);
	return str_detach(&s);
}

char *compose_history_file(void)
{
	return state_file("line_history");
}

static char *own_file(void)
{
	char name[40];

	snprintf(name, sizeof(name), "%s%ld", prefix, (long)getpid());
	return state_file(name);
}

static void add_name(struct str *s, const char *name)
{
	for (; *name; name++)
		str_addc(s, *name == '\t' || *name == '\n' ? ' ' : *name);
}

static void add_draft(struct str *s, const struct conversation *c, const char *text)
{
	const size_t n = strlen(text);

	if (n == 0)
		return;
	str_addf(s, "%zu\t", n);
	add_name(s, c->case_id);
	str_addc(s, '\t');
	add_name(s, c->customer);
	str_addc(s, '\n');
	str_add(s, text, n);
	str_addc(s, '\n');
}

static bool write_whole(const char *path, const struct str *s)
{
	struct str tmp = STR_INIT;
	bool whole = false;
	int fd;

	str_addf(&tmp, "%s.new", path);
	fd = open(tmp.s, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
	if (fd >= 0) {
		whole = write(fd, s->s, s->len) == (ssize_t)s->len;
		whole = close(fd) == 0 && whole && rename(tmp.s, path) == 0;
		if (!whole)
			unlink(tmp.s);
	}
	str_free(&tmp);
	return whole;
}

void compose_save_draft(struct ui *u)
{
	const bool own = ui_screen(u->screen)->own_line;
	struct str s = STR_INIT;
	char *path;

	u->draft_due = 0;
	if (app_private(u->app))
		return;
	compose_mark(u);
	if (!own && !ui_conversation(u)->unkept_draft)
		app_draft(u->app, ui_conversation(u)->id, input_text());
	path = own_file();
	if (!path)
		return;
	for (size_t k = 0; k < u->n; k++) {      /* the one at hand first */
		const size_t i = (u->at + k) % u->n;
		const struct conversation *c = &u->c[i];

		if (!c->closed && !c->unkept_draft)
			add_draft(&s, c, i == u->at && !own ? input_text() : c->draft ? c->draft : "");
	}
	if (s.len == 0)
		unlink(path);
	else if (!write_whole(path, &s))
		ui_note(u, "the draft could not be kept: %s", strerror(errno));
	str_free(&s);
	free(path);
}

/* ---- and back ---- */

static bool is_empty(const struct ui *u)
{
	return u->c[u->at].n == 0 && input_length() == 0 && !*u->c[u->at].case_id;
}

static size_t take_file(struct ui *u, FILE *f)
{
	struct str line = STR_INIT;
	size_t taken = 0;

	while (str_readline(&line, f)) {
		char *tab = strchr(line.s, '\t'), *second = tab ? strchr(tab + 1, '\t') : NULL, *end;
		const unsigned long n = strtoul(line.s, &end, 10);
		const size_t before = u->at;
		char *text;

		if (!second || end != tab || n == 0 || n > 64u << 20)
			break;
		*second = '\0';
		text = xcalloc(n + 1, 1);
		if (fread(text, 1, n, f) != n) {
			free(text);
			break;
		}
		getc(f);      /* the newline */
		if (!is_empty(u))
			ui_new_conversation(u, tab + 1, second + 1);
		else if (tab[1] || second[1]) {
			struct conversation *c = ui_conversation(u);

			free(c->case_id);
			free(c->customer);
			c->case_id = xstrdup(tab + 1);
			c->customer = xstrdup(second + 1);
			app_set(u->app, c->id, "case_id", c->case_id);
		}
		input_set(text);
		if (taken++ > 0)
			ui_switch(u, before);
		free(text);
	}
	str_free(&line);
	return taken;
}

void compose_restore_drafts(struct ui *u)
{
	char *folder;
	size_t taken = 0;
	struct dirent *d;
	DIR *dir;

	if (app_private(u->app) || paths_folder(PATHS_STATE, NULL, true, &folder, NULL) < 0)
		return;
	dir = opendir(folder);
	while (dir && (d = readdir(dir)) != NULL) {
		struct str path = STR_INIT;
		char *end;
		long pid;
		FILE *f;

		if (strncmp(d->d_name, prefix, sizeof(prefix) - 1) != 0)
			continue;
		pid = strtol(d->d_name + sizeof(prefix) - 1, &end, 10);
		if (*end || pid <= 0 || (pid != (long)getpid() && (kill((pid_t)pid, 0) == 0 || errno == EPERM)))
			continue;
		str_addf(&path, "%s/%s", folder, d->d_name);
		f = fopen(path.s, "r");
		if (f) {
			taken += take_file(u, f);
			fclose(f);
			compose_save_draft(u);      /* it is ours now */
			if (pid != (long)getpid())
				unlink(path.s);
		}
		str_free(&path);
	}
	if (dir)
		closedir(dir);
	free(folder);
	if (taken > 1)
		ui_note(u, "%zu drafts of last time are back: C-x n goes through them", taken);
	else if (taken)
		ui_note(u, "the draft of last time is back; C-c puts it away");
}
