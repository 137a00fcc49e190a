/* SPDX-License-Identifier: GPL-3.0-or-later */
/* registry_change: new versions, which of them serves, the way back, and versions thrown away. Whatever is changed is
 * whole or not at all. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "registry_private.h"

static void now_text(char out[32])
{
	time_t t = time(NULL);
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

static int sync_folder(const struct registry *r, struct err *e)
{
	int fd = open(r->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), bad;

	if (fd < 0)
		return err_set(e, ERR_IO, "%s cannot be opened: %m", r->folder);
	bad = fsync(fd) != 0;
	close(fd);
	return bad ? err_set(e, ERR_IO, "%s cannot be synced: %m", r->folder) : 0;
}

/* Whole or not at all: a new file, synced, renamed over the old one, the folder synced. */
static int replace(const struct registry *r, const char *name, const char *text, struct err *e)
{
	char *path = registry_file(r, name, ""), *tmp = registry_file(r, name, ".new");
	FILE *f = fopen(tmp, "w");
	int rc = 0;

	if (!f || fputs(text, f) < 0 || fflush(f) != 0 || fsync(fileno(f)) != 0)
		rc = err_set(e, ERR_IO, "%s cannot be written: %m", tmp);
	if (f && fclose(f) != 0 && rc == 0)
		rc = err_set(e, ERR_IO, "%s cannot be written: %m", tmp);
	if (rc == 0 && rename(tmp, path) != 0)
		rc = err_set(e, ERR_IO, "%s cannot be replaced: %m", path);
	if (rc == 0)
		rc = sync_folder(r, e);
	else
		unlink(tmp);
	free(path);
	free(tmp);
	return rc;
}

static int remember(const struct registry *r, const char *event, const char *from, const char *to, struct err *e)
{
	char *path = registry_file(r, "history.jsonl", ""), when[32], line[320], by[33] = "";
	const char *user = getenv("USER");
	FILE *f = fopen(path, "a");
	int rc = 0;

	now_text(when);
	for (size_t i = 0; user && user[i] && i < sizeof(by) - 1; i++)      /* a name that needs no escapes */
		by[i] = user[i] >= 0x20 && user[i] < 0x7f && user[i] != '"' && user[i] != '\\' ? user[i] : '_';
	snprintf(line, sizeof(line), "{\"time\": \"%s\", \"event\": \"%s\", \"from\": \"%s\", \"to\": \"%s\", \"by\": \"%s\"}\n",
	         when, event, from, to, by);
	if (!f || fputs(line, f) < 0 || fflush(f) != 0 || fsync(fileno(f)) != 0)
		rc = err_set(e, ERR_IO, "%s cannot be written: %m", path);
	if (f)
		fclose(f);
	free(path);
	return rc;
}

/* The name of the next version, and its file. */
static int next_version(struct registry *r, char name[16], char **path, struct err *e)
{
	struct registry_list l;
	unsigned long last = 0;
	int rc;

	if ((rc = registry_lock(r, e)) < 0 || (rc = registry_list(r, &l, e)) < 0)
		return rc;
	for (size_t i = 0; i < l.n; i++) {
		unsigned long n = registry_number(l.v[i].id, strlen(l.v[i].id));

		last = n > last ? n : last;
	}
	registry_list_free(&l);
	snprintf(name, 16, "v%lu", last + 1);
	*path = registry_file(r, name, ".safetensors");
	return 0;
}

int registry_add(struct registry *r, const struct weights *w, const struct tokenizer *tok, const char *lineage,
                 const char *scores, char **id, struct err *e)
{
	char name[16], *path = NULL;
	int rc = next_version(r, name, &path, e);

	*id = NULL;
	if (rc == 0)
		rc = model_save(w, tok, path, MODELFILE_F32, lineage, scores, e);
	free(path);
	if (rc == 0)
		*id = xstrdup(name);
	return rc;
}

int registry_add_adapter(struct registry *r, const struct adapter *a, const struct dialogue_config *c, const char *lineage,
                         const char *scores, char **id, struct err *e)
{
	char name[16], base[24] = "", *path = NULL;
	int rc = next_version(r, name, &path, e);

	*id = NULL;
	if (r->base)
		registry_identity(r->base, base);
	if (rc == 0 && !*base)
		rc = err_set(e, ERR_FORMAT, "the shipped model's file has no checksum to know it again by: an adapter cannot be kept beside it");
	if (rc == 0)
		rc = adapter_save(a, path, c, base, lineage, scores, e);
	free(path);
	if (rc == 0)
		*id = xstrdup(name);
	return rc;
}

int registry_remove(struct registry *r, const char *id, struct err *e)
{
	char *path = NULL, *now = NULL, *now_path = NULL;
	int rc;

	if (strcmp(id, REGISTRY_BASE) == 0)
		return err_set(e, ERR_USAGE, "the shipped model is not the data folder's to remove");
	if ((rc = registry_lock(r, e)) < 0 || (rc = registry_path(r, id, &path, e)) < 0)
		return rc;
	if (registry_current(r, &now, &now_path, NULL, NULL) == 0 && strcmp(now, id) == 0)
		rc = err_set(e, ERR_USAGE, "%s serves: roll back or promote another first", id);
	else if (unlink(path) != 0)
		rc = err_set(e, ERR_IO, "%s cannot be removed: %m", path);
	free(path);
	free(now);
	free(now_path);
	return rc;
}

int registry_promote(struct registry *r, const char *id, const char *event, struct err *e)
{
	char *path, *from, *from_path, line[32];
	struct modelfile *mf;
	struct model *m;
	int rc;

	if ((rc = registry_lock(r, e)) < 0 || (rc = registry_path(r, id, &path, e)) < 0)
		return rc;
	/* what is made current must work: whole by its checksum, and of sense */
	if ((rc = modelfile_open(&mf, path, e)) == 0) {
		rc = modelfile_verify(mf, e);
		if (rc == ERR_NOTFOUND && strcmp(id, REGISTRY_BASE) == 0)
			rc = 0;
		modelfile_close(mf);
	}
	if (rc == 0 && (rc = registry_load_file(r, path, MODEL_SERVE, &m, e)) == 0)
		model_unref(m);
	free(path);
	if (rc < 0)
		return err_prefix(e, "version %s stays out of service", id);
	if ((rc = registry_current(r, &from, &from_path, NULL, e)) < 0)
		return rc;
	snprintf(line, sizeof(line), "%s\n", id);
	if ((rc = remember(r, event, from, id, e)) == 0)
		rc = replace(r, "current", line, e);
	free(from);
	free(from_path);
	return rc;
}

/* What served before `id` did: of the last event that was no roll-back and made it current. */
static char *before(const struct registry *r, const char *id)
{
	char *path = registry_file(r, "history.jsonl", ""), *found = NULL;
	FILE *f = fopen(path, "r");
	struct str line = STR_INIT;

	free(path);
	while (f && str_readline(&line, f)) {
		json_t *o = json_loads(line.s, 0, NULL);
		const char *event = json_string_value(json_object_get(o, "event"));
		const char *from = json_string_value(json_object_get(o, "from"));
		const char *to = json_string_value(json_object_get(o, "to"));

		if (event && from && to && strcmp(event, "rolled back") != 0 && strcmp(to, id) == 0 &&
		    strcmp(from, id) != 0) {
			free(found);
			found = xstrdup(from);
		}
		json_decref(o);
	}
	if (f)
		fclose(f);
	str_free(&line);
	return found ? found : xstrdup(REGISTRY_BASE);
}

int registry_rollback(struct registry *r, char **id, struct err *e)
{
	char *now, *path, *to;
	struct err gone = ERR_INIT;
	int rc = registry_current(r, &now, &path, NULL, e);

	*id = NULL;
	if (rc < 0)
		return rc;
	free(path);
	if (strcmp(now, REGISTRY_BASE) == 0) {
		free(now);
		return err_set(e, ERR_NOTFOUND, "the shipped model serves already: there is nothing to go back to");
	}
	to = before(r, now);
	free(now);
	/* the one before was pruned meanwhile: the base is always there */
	if (registry_path(r, to, &path, &gone) < 0) {
		free(to);
		to = xstrdup(REGISTRY_BASE);
	} else {
		free(path);
	}
	rc = registry_promote(r, to, "rolled back", e);
	if (rc == 0)
		*id = to;
	else
		free(to);
	return rc;
}

int registry_prune(struct registry *r, size_t keep, struct err *e)
{
	struct registry_list l;
	size_t versions = 0;
	const char *parent = "";
	int rc, gone = 0;

	if ((rc = registry_lock(r, e)) < 0 || (rc = registry_list(r, &l, e)) < 0)
		return rc;
	for (size_t i = 0; i < l.n; i++) {
		versions += strcmp(l.v[i].id, REGISTRY_BASE) != 0;
		if (l.v[i].current)
			parent = l.v[i].parent;
	}
	for (size_t i = 0; i < l.n && versions > keep; i++) {
		const struct registry_model *m = &l.v[i];

		if (m->current || strcmp(m->id, REGISTRY_BASE) == 0 || strcmp(m->id, parent) == 0)
			continue;
		if (unlink(m->path) != 0) {
			rc = err_set(e, ERR_IO, "%s cannot be removed: %m", m->path);
			break;
		}
		versions--;
		gone++;
	}
	registry_list_free(&l);
	return rc < 0 ? rc : gone;
}

