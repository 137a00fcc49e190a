/* SPDX-License-Identifier: GPL-3.0-or-later */
/* config: values by precedence. State that all threads share, like the environment it reads: everything in it is
 * behind `lock`, and texts that were handed out are kept until the end. */
#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "config_private.h"
#include "paths.h"

struct kept {
	struct kept *next;
	char text[];
};

struct words {
	struct words *next;
	const char *from;
	const char **word;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* guarded by lock */
static struct {
	struct kept *kept;
	struct config_parsed file;
	const char *flag[CONFIG_COUNT], *flag_origin[CONFIG_COUNT];
	const char *given, *path;     /* --config; the file that was looked for */
	struct words *words;
} state;

/* A copy that lives on; the same text twice is one. */
static const char *keep(const char *text)
{
	const size_t n = strlen(text) + 1;
	struct kept *k = state.kept;

	while (k && strcmp(k->text, text) != 0)
		k = k->next;
	if (!k) {
		k = xmalloc(sizeof(*k) + n);
		memcpy(k->text, text, n);
		k->next = state.kept;
		state.kept = k;
	}
	return k->text;
}

/* ---- values ---- */

enum { VARIABLE_MAX = 64 };

static void variable_name(enum config_id id, char out[VARIABLE_MAX])
{
	snprintf(out, VARIABLE_MAX, "ANSWERBACK_%s", config_settings[id].name);
	for (; *out; out++)
		*out = (char)toupper((unsigned char)*out);
}

/* An empty variable is not set. */
static const char *variable(enum config_id id)
{
	char name[VARIABLE_MAX];
	const char *v;

	variable_name(id, name);
	v = getenv(name);
	return v && *v ? v : NULL;
}

/* The value that counts, as it was written. Called with the lock. */
static const char *resolve(enum config_id id, enum config_source *source)
{
	const char *v = variable(id);

	if (state.flag[id]) {
		*source = CONFIG_FLAG;
		return state.flag[id];
	}
	if (v && config_allows(id, v, NULL) == 0) {      /* config_load has complained of others */
		*source = CONFIG_ENVIRONMENT;
		return v;
	}
	if (state.file.value[id]) {
		*source = CONFIG_FILE;
		return state.file.value[id];
	}
	*source = CONFIG_DEFAULT;
	return config_settings[id].def;
}

const char *config_text(enum config_id id)
{
	const enum config_kind kind = config_settings[id].kind;
	enum config_source source;
	const char *v, *home = getenv("HOME");
	bool yes = false;

	pthread_mutex_lock(&lock);
	v = resolve(id, &source);
	if (kind == CONFIG_KIND_YES_NO) {
		config_parse_yes_no(v, &yes);
		v = yes ? "yes" : "no";
	} else if (kind == CONFIG_KIND_FILE && v[0] == '~' && v[1] == '/' && home) {
		struct str s = STR_INIT;

		str_addf(&s, "%s%s", home, v + 1);
		v = keep(s.s);
		str_free(&s);
	} else {
		v = keep(v);
	}
	pthread_mutex_unlock(&lock);
	return *v ? v : NULL;
}

long config_number(enum config_id id)
{
	const char *v = config_text(id);

	return v ? strtol(v, NULL, 10) : 0;
}

bool config_yes(enum config_id id)
{
	return strcmp(config_text(id), "yes") == 0;
}

size_t config_threads(void)
{
	const long set = config_number(CONFIG_THREADS), have = sysconf(_SC_NPROCESSORS_ONLN);

	return set > 0 ? (size_t)set : have > 0 ? (size_t)have : 1;
}

enum config_source config_source(enum config_id id)
{
	enum config_source source;

	pthread_mutex_lock(&lock);
	resolve(id, &source);
	pthread_mutex_unlock(&lock);
	return source;
}

const char *config_origin(enum config_id id)
{
	enum config_source source;
	const char *origin = "default", *slash;
	char text[VARIABLE_MAX + 32];

	pthread_mutex_lock(&lock);
	resolve(id, &source);
	switch (source) {
	case CONFIG_FLAG:
		origin = state.flag_origin[id];
		break;
	case CONFIG_ENVIRONMENT:
		variable_name(id, text);
		origin = keep(text);
		break;
	case CONFIG_FILE:
		slash = strrchr(state.path, '/');
		snprintf(text, sizeof(text), "%.64s:%zu", slash ? slash + 1 : state.path, state.file.line[id]);
		origin = keep(text);
		break;
	case CONFIG_DEFAULT:
		break;
	}
	pthread_mutex_unlock(&lock);
	return origin;
}

int config_override(enum config_id id, const char *value, const char *origin, struct err *e)
{
	const int rc = config_allows(id, value, e);

	if (rc < 0)
		return rc;
	pthread_mutex_lock(&lock);
	state.flag[id] = keep(value);
	state.flag_origin[id] = keep(origin);
	pthread_mutex_unlock(&lock);
	return 0;
}

/* ---- the file ---- */

void config_use_file(const char *path)
{
	pthread_mutex_lock(&lock);
	state.given = path ? keep(path) : NULL;
	pthread_mutex_unlock(&lock);
}

/* Called with the lock. */
static int find_path(bool *named, struct err *e)
{
	const char *env = getenv("ANSWERBACK_CONFIG");
	struct str s = STR_INIT;
	char *folder;
	int rc;

	*named = true;
	if (state.given) {
		state.path = state.given;
		return 0;
	}
	if (env && *env) {
		state.path = keep(env);
		return 0;
	}
	*named = false;
	if ((rc = paths_folder(PATHS_CONFIG, NULL, false, &folder, e)) < 0)
		return rc;
	str_addf(&s, "%s/config.ini", folder);
	state.path = keep(s.s);
	str_free(&s);
	free(folder);
	return 0;
}

int config_path(const char **path, struct err *e)
{
	bool named;
	int rc;

	pthread_mutex_lock(&lock);
	rc = find_path(&named, e);
	*path = rc < 0 ? NULL : state.path;
	pthread_mutex_unlock(&lock);
	return rc;
}

/* Read what the file says now. No file is no error unless it was named. Called with the lock. */
static int read_file(struct str *text, struct err *e)
{
	struct err why = ERR_INIT;
	bool named;
	int rc = find_path(&named, &why);

	str_reset(text);
	if (rc == 0)
		rc = config_file_read(state.path, text, &why);
	if (rc == ERR_NOTFOUND && !named)
		return 0;
	return rc < 0 ? err_set(e, why.code, "%s", why.msg) : 0;
}

static int check_environment(struct config_parsed *p, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; i < CONFIG_COUNT; i++) {
		const char *v = variable((enum config_id)i);
		struct err why = ERR_INIT;
		char name[VARIABLE_MAX];

		if (!v || config_allows((enum config_id)i, v, &why) == 0)
			continue;
		variable_name((enum config_id)i, name);
		config_problem_add(p, 0, false, "%s in the environment: %s", name, why.msg);
		if (rc == 0)
			rc = err_set(e, ERR_USAGE, "%s in the environment: %s", name, why.msg);
	}
	return rc;
}

/* Called with the lock. */
static void adopt(const struct str *text)
{
	config_parsed_fini(&state.file);
	config_parse(&state.file, text->s, text->len, state.path ? state.path : "config.ini");
}

int config_load(struct err *e)
{
	struct str text = STR_INIT;
	struct err why = ERR_INIT;
	int rc;

	pthread_mutex_lock(&lock);
	rc = read_file(&text, e);
	if (rc < 0)
		str_reset(&text);
	adopt(&text);
	for (size_t i = 0; rc == 0 && i < state.file.problems; i++)
		if (!state.file.problem[i].warning)
			rc = err_set(e, ERR_FORMAT, "%s", state.file.problem[i].text);
	if (check_environment(&state.file, &why) < 0 && rc == 0)
		rc = err_set(e, why.code, "%s", why.msg);
	pthread_mutex_unlock(&lock);
	str_free(&text);
	return rc;
}

int config_set(enum config_id id, const char *value, struct err *e)
{
	struct str text = STR_INIT, changed = STR_INIT;
	struct err why = ERR_INIT;
	int rc = value ? config_allows(id, value, &why) : 0;

	if (rc < 0)
		return err_set(e, rc, "%s: %s", config_settings[id].name, why.msg);
	pthread_mutex_lock(&lock);
	rc = read_file(&text, &why);
	if (rc == ERR_NOTFOUND && state.path)      /* it was named, and is made */
		rc = 0;
	if (rc == 0 && text.len == 0 && value)
		str_adds(&text, "# Settings of answerback: man 5 answerback, answerback config list\n");
	if (rc == 0)
		rc = config_file_edit(text.s, text.len, id, value, &changed, &why);
	if (rc == 0 && (value || text.len > 0))
		rc = config_file_write(state.path, &changed, &why);
	if (rc == 0)
		adopt(&changed);
	pthread_mutex_unlock(&lock);
	str_free(&text);
	str_free(&changed);
	return rc < 0 ? err_set(e, why.code, "%s: %s", config_settings[id].name, why.msg) : 0;
}

const struct config_problem *config_problems(size_t *n)
{
	*n = state.file.problems;
	return state.file.problem;
}

/* ---- words that are never proposed ---- */

/* One a line; blanks around it and comments are left out. */
static const char **read_words(FILE *f)
{
	const char **word = xcalloc(1, sizeof(*word));
	struct str line = STR_INIT;
	size_t n = 0;

	while (str_readline(&line, f)) {
		char *s = line.s + strspn(line.s, " \t\r");
		size_t len = strlen(s);

		while (len > 0 && strchr(" \t\r", s[len - 1]))
			s[--len] = '\0';
		if (len == 0 || *s == '#')
			continue;
		word = xreallocarray(word, n + 2, sizeof(*word));
		word[n++] = keep(s);
		word[n] = NULL;
	}
	str_free(&line);
	return word;
}

int config_unwanted(const char *const **words, struct err *e)
{
	const char *path = config_text(CONFIG_UNWANTED_WORDS);
	struct words *w;
	FILE *f;

	*words = NULL;
	if (!path)
		return 0;
	pthread_mutex_lock(&lock);
	for (w = state.words; w && strcmp(w->from, path) != 0; w = w->next)
		;
	if (!w && (f = fopen(path, "re"))) {
		w = xcalloc(1, sizeof(*w));
		w->from = path;
		w->word = read_words(f);
		w->next = state.words;
		state.words = w;
		fclose(f);
	}
	pthread_mutex_unlock(&lock);
	if (!w)
		return err_set(e, ERR_IO, "cannot read the list of unwanted words %s (%s): %s", path, config_origin(CONFIG_UNWANTED_WORDS),
		               strerror(errno));
	*words = w->word;
	return 0;
}

void config_reset(void)
{
	pthread_mutex_lock(&lock);
	config_parsed_fini(&state.file);
	for (struct kept *k = state.kept, *next; k; k = next) {
		next = k->next;
		free(k);
	}
	for (struct words *w = state.words, *next; w; w = next) {
		next = w->next;
		free(w->word);
		free(w);
	}
	memset(&state, 0, sizeof(state));
	pthread_mutex_unlock(&lock);
}
