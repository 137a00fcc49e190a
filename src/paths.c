/* SPDX-License-Identifier: GPL-3.0-or-later */
/* paths: folders by XDG, and the search for the model. */
#include "paths.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "config.h"

#ifndef ANSWERBACK_SHAREDIR
#define ANSWERBACK_SHAREDIR "/usr/local/share/answerback"
#endif

/* A variable that is set and not empty. */
static const char *paths_env(const char *name)
{
	const char *v = getenv(name);

	return v && v[0] ? v : NULL;
}

static const char *paths_home(void)
{
	const char *home = paths_env("HOME");
	struct passwd *pw;

	if (home && home[0] == '/')
		return home;
	pw = getpwuid(getuid());
	return pw && pw->pw_dir && pw->pw_dir[0] == '/' ? pw->pw_dir : NULL;
}

int paths_make(const char *folder, struct err *e)
{
	char *path = xstrdup(folder), *slash = path;
	struct stat st;
	int rc = ERR_NONE;

	while (rc == ERR_NONE && slash) {
		slash = strchr(slash + 1, '/');
		if (slash)
			*slash = '\0';
		/* EEXIST or, above a folder that is there, EROFS and EACCES say nothing new */
		if (path[0] && mkdir(path, 0700) != 0 && !(stat(path, &st) == 0 && S_ISDIR(st.st_mode)))
			rc = err_set(e, ERR_IO, "cannot make the folder %s: %s", path,
			             errno == EEXIST ? "there is a file of that name" : strerror(errno));
		if (slash)
			*slash = '/';
	}
	free(path);
	return rc;
}

static const struct {
	const char *variable, *below_home;
} paths_xdg[] = {
	[PATHS_CONFIG] = { "XDG_CONFIG_HOME", ".config" },
	[PATHS_DATA] = { "XDG_DATA_HOME", ".local/share" },
	[PATHS_STATE] = { "XDG_STATE_HOME", ".local/state" },
};

int paths_folder(enum paths_kind kind, const char *data_dir, bool create, char **out, struct err *e)
{
	const char *base = paths_env(paths_xdg[kind].variable), *home;
	struct str s = STR_INIT;
	int rc = ERR_NONE;

	*out = NULL;
	if ((!data_dir || !data_dir[0]) && kind != PATHS_CONFIG)      /* which config itself asks for */
		data_dir = config_text(CONFIG_DATA_DIR);
	if (data_dir && kind != PATHS_CONFIG) {
		str_addf(&s, "%s%s", data_dir, kind == PATHS_STATE ? "/state" : "");
	} else if (base && base[0] == '/') {    /* the specification: ignore relative ones */
		str_addf(&s, "%s/answerback", base);
	} else {
		home = paths_home();
		if (!home)
			return err_set(e, ERR_NOTFOUND, "there is no home folder: set HOME or %s",
			               paths_xdg[kind].variable);
		str_addf(&s, "%s/%s/answerback", home, paths_xdg[kind].below_home);
	}
	if (create)
		rc = paths_make(s.s, e);
	if (rc == ERR_NONE)
		*out = str_detach(&s);
	str_free(&s);
	return rc;
}

/* The folder of the running program, with a slash at its end; false when /proc is not there. */
static bool paths_program(struct str *s)
{
	char *exe = realpath("/proc/self/exe", NULL), *slash;

	if (!exe)
		return false;
	slash = strrchr(exe, '/');
	str_add(s, exe, (size_t)(slash + 1 - exe));
	free(exe);
	return true;
}

/* A file that somebody named, and by what. */
static int paths_named(const char *path, const char *by, char **out, struct err *e)
{
	struct stat st;

	if (access(path, R_OK) != 0)
		return err_set(e, ERR_NOTFOUND, "cannot read the model %s (%s): %s", path, by, strerror(errno));
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return err_set(e, ERR_NOTFOUND, "cannot read the model %s (%s): it is a folder", path, by);
	*out = xstrdup(path);
	return ERR_NONE;
}

int paths_shipped(const char *name, char **out, struct err *e)
{
	static const char *const beside[] = {
		"data/",                   /* in the source tree */
		"../share/answerback/",    /* installed, wherever that was moved */
	};
	struct str s = STR_INIT;

	*out = NULL;
	for (size_t i = 0; i < sizeof beside / sizeof beside[0]; i++) {
		str_reset(&s);
		if (!paths_program(&s))
			break;
		str_addf(&s, "%s%s", beside[i], name);
		if (access(s.s, R_OK) == 0) {
			*out = str_detach(&s);
			return ERR_NONE;
		}
	}
	str_reset(&s);
	str_addf(&s, ANSWERBACK_SHAREDIR "/%s", name);
	if (access(s.s, R_OK) == 0) {
		*out = str_detach(&s);
		return ERR_NONE;
	}
	str_free(&s);
	return err_set(e, ERR_NOTFOUND, "%s is neither in data/ beside the program nor in " ANSWERBACK_SHAREDIR, name);
}

int paths_model(const char *given, char **out, struct err *e)
{
	const char *set = config_text(CONFIG_MODEL);

	*out = NULL;
	if (given)
		return paths_named(given, "--model", out, e);
	if (set)
		return paths_named(set, config_origin(CONFIG_MODEL), out, e);
	if (paths_shipped("model.safetensors", out, NULL) == ERR_NONE)
		return ERR_NONE;
	return err_set(e, ERR_NOTFOUND, "no model found, neither data/model.safetensors beside the program "
	               "nor " ANSWERBACK_SHAREDIR "/model.safetensors: name one with --model FILE or "
	               "ANSWERBACK_MODEL, or make one with answerback train");
}
