/* SPDX-License-Identifier: GPL-3.0-or-later */
/* forget: the database first, then its copies, then the files beside it. */
#include "forget.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fold.h"
#include "base/mem.h"
#include "ghost_private.h"
#include "paths.h"
#include "registry.h"

struct work {
	struct store_forget f;        /* with message set */
	struct forget_result *r;
	const char *data_dir, *model, *company;
	char *needle;                 /* folded phrase or name; NULL for a conversation */
	struct str scratch;
	char **line;                  /* lines of messages that went */
	size_t lines;
	struct model *m;              /* for counting words; loaded when first wanted */
	bool no_model;
	char **copy;                  /* paths */
	size_t copies;
};

void forget_result_free(struct forget_result *r)
{
	str_free(&r->models);
	str_free(&r->holding);
	free(r->serving);
	*r = (struct forget_result){ .models = STR_INIT, .holding = STR_INIT };
}

static void still_holds(struct work *w, const char *path, const char *why)
{
	str_addf(&w->r->holding, "%s: %s\n", path, why);
}

/* ---- what went, to find it again in files of lines ---- */

static void note_message(const struct store_message *m, void *arg)
{
	struct work *w = arg;

	for (const char *p = m->content; *p;) {
		const size_t n = strcspn(p, "\r\n");

		if (n > 2) {      /* "ok" is nobody's secret */
			w->line = xreallocarray(w->line, w->lines + 1, sizeof(*w->line));
			w->line[w->lines++] = xmemdup(p, n);
		}
		p += n + (p[n] != '\0');
	}
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool went(struct work *w, const char *line)
{
	if (w->needle && fold_holds(line, strlen(line), w->needle, &w->scratch))
		return true;
	return w->lines > 0 && bsearch(&line, w->line, w->lines, sizeof(*w->line), by_text) != NULL;
}

/* ---- the counts behind ghost text ---- */

static bool learn(const char *role, const char *text, size_t len, void *arg)
{
	ghost_person_learn(arg, role, text, len);
	return true;
}

/* Counted anew from the messages that are left: taking counts back would miss what was counted under
 * another company's name. Without a model to count with they are dropped. */
static int recount(struct work *w, struct store *s, struct err *e)
{
	struct ghost_person *p;
	struct ghost_bar bar;
	struct str out = STR_INIT;
	char *said = NULL;
	void *data;
	size_t bytes;
	int rc;

	if (store_version(s) < 2)      /* an old copy, from before there were such counts */
		return 0;
	rc = store_blob_get(s, "person", &data, &bytes, e);
	if (rc < 0 || !data)
		return rc;
	if (!w->m && !w->no_model)
		w->no_model = registry_load(w->model, w->data_dir, false, &w->m, NULL, &said, NULL) < 0;
	free(said);
	if (w->m) {
		p = ghost_person_bare(w->m, w->company);
		ghost_person_load(p, data, bytes, NULL);      /* how ghosts were taken says nothing of words: it stays */
		bar = p->bar;
		ghost_person_clear(p);
		rc = store_written(s, learn, p, e);
		p->bar = bar;
		ghost_person_save(p, &out);
		ghost_person_free(p);
	}
	free(data);
	if (rc == 0)
		rc = store_blob_set(s, "person", w->m ? out.s : NULL, out.len, e);
	str_free(&out);
	return rc;
}

static int from_store(struct work *w, struct store *s, struct store_forgotten *out, struct err *e)
{
	int rc = store_forget(s, &w->f, true, out, e);

	if (rc == 0 && (rc = recount(w, s, e)) == 0)
		rc = store_scrub(s, e);
	return rc;
}

/* ---- copies ---- */

static void note_copy(const char *path, bool there, void *arg)
{
	struct work *w = arg;

	if (!there) {
		still_holds(w, path, "a copy was written there and is not there now: if it was moved, it holds what it held");
		return;
	}
	w->copy = xreallocarray(w->copy, w->copies + 1, sizeof(*w->copy));
	w->copy[w->copies++] = xstrdup(path);
}

static void from_copy(struct work *w, const char *path)
{
	const char *tmp = strstr(path, ".tmp.");
	struct store_forgotten gone;
	struct err e = ERR_INIT;
	struct store *s;
	int rc;

	if (tmp) {      /* of a backup that was interrupted: it is nobody's */
		unlink(path);
		return;
	}
	rc = store_open_file(&s, path, STORE_NO_MIGRATE, &e);
	if (rc == 0) {
		rc = from_store(w, s, &gone, &e);
		if (rc == 0)
			rc = store_settle(s, &e);
		store_close(s);
	}
	if (rc < 0) {
		still_holds(w, path, e.msg);
		return;
	}
	w->r->copied += gone.messages;
	w->r->copies++;
}

/* ---- files ---- */

static bool read_file(const char *path, struct str *out)
{
	FILE *f = fopen(path, "r");
	char buf[65536];
	size_t n;
	bool good;

	str_reset(out);
	while (f && (n = fread(buf, 1, sizeof(buf), f)) > 0)
		str_add(out, buf, n);
	good = f && !ferror(f);
	if (f)
		fclose(f);
	return good;
}

/* Lines that went are taken out; a file of which none is left is removed. Replaced as a whole. */
static void from_lines(struct work *w, const char *path)
{
	struct str all = STR_INIT, rest = STR_INIT, tmp = STR_INIT;
	int64_t gone = 0;
	FILE *f;

	if (read_file(path, &all)) {
		for (size_t i = 0; i < all.len;) {
			const char *end = memchr(all.s + i, '\n', all.len - i);
			const size_t n = end ? (size_t)(end - all.s) - i : all.len - i;
			char *line = xmemdup(all.s + i, n);

			if (went(w, line))
				gone++;
			else
				str_addf(&rest, "%s\n", line);
			free(line);
			i += n + 1;
		}
	}
	str_addf(&tmp, "%s.new", path);
	if (gone && rest.len == 0) {
		unlink(path);
	} else if (gone) {
		const int fd = open(tmp.s, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);

		f = fd >= 0 ? fdopen(fd, "w") : NULL;
		if (!f || fwrite(rest.s, 1, rest.len, f) != rest.len || fflush(f) != 0 || fsync(fd) != 0 || rename(tmp.s, path) != 0) {
			still_holds(w, path, strerror(errno));
			unlink(tmp.s);
		}
		if (f)
			fclose(f);
	}
	w->r->lines += gone;
	str_free(&all);
	str_free(&rest);
	str_free(&tmp);
}

/* A draft or what an editor could bring back: one text. It goes whole. */
static void from_text(struct work *w, const char *path)
{
	struct str all = STR_INIT;
	bool gone = false;

	if (read_file(path, &all)) {
		gone = w->needle && fold_holds(all.s, all.len, w->needle, &w->scratch);
		for (char *p = all.s, *end; !gone && p && *p; p = end ? end + 1 : NULL) {
			char *line;

			end = strchr(p, '\n');
			line = xmemdup(p, end ? (size_t)(end - p) : strlen(p));
			gone = went(w, line);
			free(line);
		}
	}
	if (gone && unlink(path) != 0)
		still_holds(w, path, strerror(errno));
	w->r->lines += gone;
	str_free(&all);
}

static bool ends_in(const char *s, const char *end)
{
	const size_t n = strlen(s), k = strlen(end);

	return n >= k && strcmp(s + n - k, end) == 0;
}

/* Every file below, hidden ones too; links are not followed. */
static void walk(struct work *w, const char *folder, void (*each)(struct work *w, const char *path))
{
	DIR *d = opendir(folder);
	struct dirent *f;

	while (d && (f = readdir(d))) {
		struct str path = STR_INIT;
		struct stat st;

		if (strcmp(f->d_name, ".") == 0 || strcmp(f->d_name, "..") == 0)
			continue;
		str_addf(&path, "%s/%s", folder, f->d_name);
		if (lstat(path.s, &st) == 0 && S_ISDIR(st.st_mode))
			walk(w, path.s, each);
		else if (lstat(path.s, &st) == 0 && S_ISREG(st.st_mode))
			each(w, path.s);
		str_free(&path);
	}
	if (d)
		closedir(d);
}

static void from_state_file(struct work *w, const char *path)
{
	if (ends_in(path, "history") || ends_in(path, ".jsonl"))
		from_lines(w, path);
	else
		from_text(w, path);
}

/* Whatever was overlooked is said. Weights hold no text, and a tokenizer's pieces are everybody's words. */
static void look_into(struct work *w, const char *path)
{
	enum { CHUNK = 1 << 20 };
	const size_t n = strlen(w->needle), raw = strlen(w->f.text);
	FILE *f;
	char *buf;
	size_t kept = 0, got;
	bool found = false;

	if (ends_in(path, ".safetensors") || ends_in(path, ".ngram") || !(f = fopen(path, "r")))
		return;
	buf = xmalloc(CHUNK + n + raw);
	while (!found && (got = fread(buf + kept, 1, CHUNK, f)) > 0) {
		const size_t len = kept + got, keep = n > raw ? n : raw;

		found = fold_holds_bytes(buf, len, w->needle, n) || fold_holds_bytes(buf, len, w->f.text, raw);
		kept = len < keep ? len : keep;
		memmove(buf, buf + len - kept, kept);
	}
	fclose(f);
	free(buf);
	if (found)
		still_holds(w, path, w->f.kind == STORE_FORGET_PHRASE ? "holds it; this file is not the program's to change" :
		            "names the customer; answerback forget phrase takes that out too");
}

/* ---- models ---- */

static bool add_model(const char *model, void *arg)
{
	str_addf(arg, "%s\n", model);
	return true;
}

static int list_models(struct work *w, struct store *s, struct err *e)
{
	struct registry *reg = NULL;
	char *id = NULL, *path = NULL, *note = NULL;
	int rc = store_tainted(s, add_model, &w->r->models, e);

	if (rc < 0 || w->r->models.len == 0)
		return rc;
	if (registry_open(&reg, w->data_dir, NULL, NULL) == 0 && registry_current(reg, &id, &path, &note, NULL) == 0) {
		const size_t n = strlen(id);

		for (const char *p = w->r->models.s; *p; p += strcspn(p, "\n") + 1)
			if (strcspn(p, "\n") == n && strncmp(p, id, n) == 0 && !w->r->serving)
				w->r->serving = xstrdup(id);
	}
	registry_close(reg);
	free(id);
	free(path);
	free(note);
	return 0;
}

struct mentions {
	struct work *w;
	int64_t n;
};

static bool count_mention(const char *role, const char *text, size_t len, void *arg)
{
	struct mentions *m = arg;

	(void)role;
	m->n += fold_holds(text, len, m->w->needle, &m->w->scratch);
	return true;
}

/* The database, its copies, and the lines and drafts of the state folder. */
static int clean(struct work *w, struct store *s, const char *state, struct err *e)
{
	struct mentions m = { w, 0 };
	int rc;

	if ((rc = store_alone(s, e)) < 0 || (rc = store_copies(s, note_copy, w, e)) < 0 ||
	    (rc = from_store(w, s, &w->r->kept, e)) < 0)
		return rc;
	for (size_t i = 0; i < w->copies; i++)
		from_copy(w, w->copy[i]);
	if (w->lines)
		qsort(w->line, w->lines, sizeof(*w->line), by_text);
	walk(w, state, from_state_file);
	if ((rc = list_models(w, s, e)) == 0 && w->f.kind == STORE_FORGET_CUSTOMER)
		rc = store_written(s, count_mention, &m, e);
	w->r->mentions = m.n;
	return rc;
}

int forget_all(const struct store_forget *f, const char *data_dir, const char *model, const char *company,
               struct forget_result *r, struct err *e)
{
	struct work w = { .f = *f, .r = r, .data_dir = data_dir, .model = model, .company = company, .scratch = STR_INIT };
	struct str folded = STR_INIT;
	struct store *s = NULL;
	char *state = NULL, *data = NULL;
	int rc;

	*r = (struct forget_result){ .models = STR_INIT, .holding = STR_INIT };
	w.f.message = note_message;
	w.f.arg = &w;
	if (f->kind != STORE_FORGET_CONVERSATION) {
		fold_text(f->text, strlen(f->text), true, &folded);
		w.needle = str_detach(&folded);
	}
	rc = paths_folder(PATHS_STATE, data_dir, false, &state, e);
	if (rc == 0)
		rc = paths_folder(PATHS_DATA, data_dir, false, &data, e);
	if (rc == 0)
		rc = store_open(&s, data_dir, STORE_READ_WRITE, e);
	if (rc == 0)
		rc = clean(&w, s, state, e);
	store_close(s);
	/* only now: closing a file drops the locks that SQLite holds on it in the same program */
	if (rc == 0 && w.needle) {
		walk(&w, data, look_into);
		if (strncmp(state, data, strlen(data)) != 0 || state[strlen(data)] != '/')
			walk(&w, state, look_into);
	}
	free(state);
	free(data);
	for (size_t i = 0; i < w.copies; i++)
		free(w.copy[i]);
	free(w.copy);
	for (size_t i = 0; i < w.lines; i++)
		free(w.line[i]);
	free(w.line);
	free(w.needle);
	str_free(&w.scratch);
	model_unref(w.m);
	return rc;
}
