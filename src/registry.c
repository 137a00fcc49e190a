/* SPDX-License-Identifier: GPL-3.0-or-later */
/* registry: versions of the model in the data folder: where they are, what they are, loading them. */
#include "registry_private.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "config.h"
#include "paths.h"

int registry_open(struct registry **out, const char *data_dir, const char *base, struct err *e)
{
	struct str s = STR_INIT;
	char *data;
	int rc = paths_folder(PATHS_DATA, data_dir, false, &data, e);

	*out = NULL;
	if (rc < 0)
		return rc;
	*out = xcalloc(1, sizeof(**out));
	str_addf(&s, "%s/models", data);
	(*out)->folder = str_detach(&s);
	(*out)->base = base ? xstrdup(base) : NULL;
	(*out)->lock = -1;
	free(data);
	return 0;
}

void registry_close(struct registry *r)
{
	if (!r)
		return;
	if (r->lock >= 0)
		close(r->lock);
	free(r->folder);
	free(r->base);
	free(r);
}

const char *registry_folder(const struct registry *r)
{
	return r->folder;
}

int registry_make_folder(struct registry *r, struct err *e)
{
	return paths_make(r->folder, e);
}

char *registry_file(const struct registry *r, const char *name, const char *suffix)
{
	struct str s = STR_INIT;

	str_addf(&s, "%s/%s%s", r->folder, name, suffix);
	return str_detach(&s);
}

/* What a writer that was killed left half done; nobody else writes while the lock is held. */
static void sweep(const struct registry *r)
{
	DIR *d = opendir(r->folder);
	struct dirent *de;

	while (d && (de = readdir(d))) {
		char *path;

		if (!strstr(de->d_name, ".safetensors.tmp.") && !strstr(de->d_name, ".checkpoint.tmp."))
			continue;
		path = registry_file(r, de->d_name, "");
		unlink(path);
		free(path);
	}
	if (d)
		closedir(d);
}

int registry_lock(struct registry *r, struct err *e)
{
	char *path;

	if (r->lock >= 0)
		return 0;
	if (registry_make_folder(r, e) < 0)
		return ERR_IO;
	path = registry_file(r, "lock", "");
	r->lock = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	if (r->lock < 0) {
		err_set(e, ERR_IO, "%s cannot be opened: %m", path);
		free(path);
		return ERR_IO;
	}
	free(path);
	if (flock(r->lock, LOCK_EX | LOCK_NB) == 0) {
		sweep(r);
		return 0;
	}
	close(r->lock);
	r->lock = -1;
	return err_set(e, ERR_BUSY, "another program is training or changing models in %s; wait for it, or stop it there", r->folder);
}

/* ---- names ---- */

unsigned long registry_number(const char *id, size_t len)
{
	unsigned long n = 0;

	if (len < 2 || len > 9 || id[0] != 'v' || id[1] == '0')
		return 0;
	for (size_t i = 1; i < len; i++) {
		if (!isdigit((unsigned char)id[i]))
			return 0;
		n = n * 10 + (unsigned long)(id[i] - '0');
	}
	return n;
}

int registry_path(const struct registry *r, const char *id, char **path, struct err *e)
{
	*path = NULL;
	if (strcmp(id, REGISTRY_BASE) == 0) {
		if (!r->base)
			return err_set(e, ERR_NOTFOUND, "there is no shipped model");
		*path = xstrdup(r->base);
		return 0;
	}
	if (registry_number(id, strlen(id)) == 0)
		return err_set(e, ERR_NOTFOUND, "'%.40s' is no version: they are called base, v1, v2, ... (answerback model list)", id);
	*path = registry_file(r, id, ".safetensors");
	if (access(*path, F_OK) == 0)
		return 0;
	free(*path);
	*path = NULL;
	return err_set(e, ERR_NOTFOUND, "there is no version %s in %s (answerback model list)", id, r->folder);
}

int registry_current(const struct registry *r, char **id, char **path, char **note, struct err *e)
{
	char *file = registry_file(r, "current", ""), name[32] = "";
	FILE *f = fopen(file, "r");
	struct err why = ERR_INIT;
	struct str s = STR_INIT;

	if (note)
		*note = NULL;
	*id = *path = NULL;
	if (f) {
		size_t n = fread(name, 1, sizeof(name) - 1, f);

		name[n] = '\0';
		name[strcspn(name, "\r\n")] = '\0';
		fclose(f);
	}
	free(file);
	if (f && strcmp(name, REGISTRY_BASE) != 0) {
		if (registry_path(r, name, path, &why) == 0) {
			*id = xstrdup(name);
			return 0;
		}
		if (note) {
			str_addf(&s, "%s; the shipped model serves instead", why.msg);
			*note = str_detach(&s);
		}
	}
	*id = xstrdup(REGISTRY_BASE);
	if (registry_path(r, REGISTRY_BASE, path, e) < 0) {
		free(*id);
		*id = NULL;
		return ERR_NOTFOUND;
	}
	return 0;
}

/* ---- list ---- */

static char *meta(const struct modelfile *mf, const char *key)
{
	const char *v = modelfile_meta(mf, key);

	return xstrdup(v ? v : "{}");
}

char *registry_field(const char *json, const char *key)
{
	json_t *o = json_loads(json, 0, NULL);
	const char *v = o ? json_string_value(json_object_get(o, key)) : NULL;
	char *copy = xstrdup(v ? v : "");

	json_decref(o);
	return copy;
}

void registry_identity(const char *path, char out[24])
{
	struct modelfile *mf;
	const char *crc;

	out[0] = '\0';
	if (modelfile_open(&mf, path, NULL) < 0)
		return;
	if ((crc = modelfile_meta(mf, "crc64")))
		snprintf(out, 24, "%.23s", crc);
	modelfile_close(mf);
}

static void describe(const struct registry *r, struct registry_model *m, const char *id, char *path)
{
	struct modelfile *mf;
	struct err e = ERR_INIT;
	struct stat st;
	char of[24] = "", base[24] = "";

	*m = (struct registry_model){ .id = xstrdup(id), .path = path };
	m->bytes = stat(path, &st) == 0 ? (size_t)st.st_size : 0;
	if (modelfile_open(&mf, path, &e) < 0) {
		m->damage = xstrdup(e.msg);
		m->lineage = xstrdup("{}");
		m->scores = xstrdup("{}");
	} else {
		m->lineage = meta(mf, "lineage");
		m->scores = meta(mf, "scores");
		modelfile_close(mf);
	}
	if (!m->damage && adapter_is(path, of)) {
		m->adapter = true;
		if (r->base)
			registry_identity(r->base, base);
		if (strcmp(of, base) != 0)
			m->damage = xstrdup("an adapter of another shipped model than this one");
	}
	m->parent = registry_field(m->lineage, "parent");
	m->created = registry_field(m->lineage, "created");
}

static int by_number(const void *a, const void *b)
{
	const struct registry_model *x = a, *y = b;
	unsigned long p = registry_number(x->id, strlen(x->id)), q = registry_number(y->id, strlen(y->id));

	return (p > q) - (p < q);
}

int registry_list(const struct registry *r, struct registry_list *l, struct err *e)
{
	static const char suffix[] = ".safetensors";
	DIR *d = opendir(r->folder);
	struct dirent *de;
	char *id, *path;
	int rc;

	*l = (struct registry_list){ 0 };
	if (r->base) {
		l->v = xcalloc(1, sizeof(*l->v));
		describe(r, &l->v[l->n++], REGISTRY_BASE, xstrdup(r->base));
	}
	while (d && (de = readdir(d))) {
		size_t len = strlen(de->d_name);
		char name[16];

		if (len <= strlen(suffix) || strcmp(de->d_name + len - strlen(suffix), suffix) != 0 ||
		    registry_number(de->d_name, len - strlen(suffix)) == 0)
			continue;
		memcpy(name, de->d_name, len - strlen(suffix));
		name[len - strlen(suffix)] = '\0';
		l->v = xreallocarray(l->v, l->n + 1, sizeof(*l->v));
		describe(r, &l->v[l->n++], name, registry_file(r, name, suffix));
	}
	if (d)
		closedir(d);
	if (l->n > 1)
		qsort(l->v, l->n, sizeof(*l->v), by_number);
	if ((rc = registry_current(r, &id, &path, NULL, e)) < 0)
		return l->n ? 0 : rc;
	for (size_t i = 0; i < l->n; i++)
		l->v[i].current = strcmp(l->v[i].id, id) == 0;
	free(id);
	free(path);
	return 0;
}

void registry_list_free(struct registry_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		struct registry_model *m = &l->v[i];

		free(m->id);
		free(m->path);
		free(m->parent);
		free(m->created);
		free(m->lineage);
		free(m->scores);
		free(m->damage);
	}
	free(l->v);
	*l = (struct registry_list){ 0 };
}

/* ---- loading ---- */

/* The shipped model with an adapter on: its tokenizer, other weights. */
static int load_adapter(const struct registry *r, const char *path, const char *of, enum model_use use, struct model **m, struct err *e)
{
	char own[24] = "";

	if (r->base)
		registry_identity(r->base, own);
	if (strcmp(own, of) != 0)
		return err_set(e, ERR_FORMAT, "%s: an adapter of another shipped model than this one", path);
	return model_load_adapted(m, r->base, path, use, e);
}

int registry_load_file(const struct registry *r, const char *path, enum model_use use, struct model **m, struct err *e)
{
	char of[24];

	return adapter_is(path, of) ? load_adapter(r, path, of, use, m, e) : model_load(m, path, use, e);
}

int registry_model(const struct registry *r, const char *id, enum model_use use, struct model **m, struct err *e)
{
	char *path;
	int rc = registry_path(r, id, &path, e);

	if (rc < 0)
		return rc;
	rc = registry_load_file(r, path, use, m, e);
	free(path);
	return rc;
}

int registry_load(const char *given, const char *data_dir, bool trainable, struct model **m, char **id, char **note,
                  struct err *e)
{
	const char *set = config_text(CONFIG_MODEL);
	char *base = NULL, *name = NULL, *path = NULL;
	struct registry *r = NULL;
	struct err why = ERR_INIT;
	struct str s = STR_INIT;
	int rc = paths_model(given, &base, e);

	*note = NULL;
	if (rc < 0 && (given || set))
		return rc;
	if (!given && !set && registry_open(&r, data_dir, base, &why) == 0 &&
	    registry_current(r, &name, &path, note, &why) == 0 && strcmp(name, REGISTRY_BASE) != 0) {
		rc = registry_load_file(r, path, trainable ? MODEL_TRAIN : MODEL_SERVE, m, &why);
		if (rc == 0 || !base)
			goto out;
		str_addf(&s, "version %s cannot be used: %s; the shipped model serves instead", name, why.msg);
		free(*note);
		*note = str_detach(&s);
	}
	if (base) {
		rc = model_load(m, base, trainable ? MODEL_TRAIN : MODEL_SERVE, e);
		free(name);
		name = xstrdup(given || set ? base : REGISTRY_BASE);
	}
out:
	if (rc < 0 && !base && why.code)
		rc = err_set(e, why.code, "%s", why.msg);
	registry_close(r);
	free(base);
	free(path);
	if (rc == 0 && id) {
		*id = name;
		name = NULL;
	}
	free(name);
	return rc;
}
