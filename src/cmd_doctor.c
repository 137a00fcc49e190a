/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cmd_doctor: `answerback doctor` prints what a bug report needs, and nothing of what any
 * customer or agent wrote. One JSON object is filled; --json writes it as it is, without
 * it the same is written as lines. Folders below the user's home show as "~/...", so that a
 * report does not tell who made it. */
#include <errno.h>
#include <gnu/libc-version.h>
#include <jansson.h>
#include <langinfo.h>
#include <locale.h>
#include <lzma.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <utf8proc.h>

#include "../model/answer.h"
#include "../model/kernels.h"
#include "../model/modelfile.h"
#include "base/str.h"
#include "commands.h"
#include "config.h"
#include "paths.h"
#include "registry.h"
#include "store.h"

#ifndef ANSWERBACK_VERSION
#define ANSWERBACK_VERSION "unknown"
#endif
#ifndef ANSWERBACK_CFLAGS
#define ANSWERBACK_CFLAGS "unknown"
#endif
#ifdef __clang__
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif

/* Text that may be no UTF-8 (an environment variable, a path) and may be missing. */
static json_t *text_or_null(const char *s)
{
	json_t *j = s ? json_string(s) : NULL;

	return j ? j : s ? json_string("(not UTF-8)") : json_null();
}

/* A text with paths in it: what lies below the home folder begins with ~/. */
static json_t *path_json(const char *text)
{
	const char *home = getenv("HOME"), *at;
	size_t n = home ? strlen(home) : 0;
	struct str s = STR_INIT;
	json_t *j;

	for (; n > 1 && (at = strstr(text, home)) && at[n] == '/'; text = at + n) {
		str_add(&s, text, (size_t)(at - text));
		str_addc(&s, '~');
	}
	str_adds(&s, text);
	j = text_or_null(s.s);
	str_free(&s);
	return j;
}

/* Something is wrong, and this is what to do. */
__attribute__((format(printf, 2, 3)))
static void advise(json_t *advice, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	json_array_append_new(advice, path_json(text));
}

static json_t *doctor_build(void)
{
	return json_pack("{s:s, s:s, s:s}", "version", ANSWERBACK_VERSION, "compiler", COMPILER,
	                 "flags", ANSWERBACK_CFLAGS);
}

static json_t *doctor_machine(json_t *advice)
{
	const char *cpu = getenv("ANSWERBACK_CPU");
	struct utsname u;
	json_t *j;

	kernels_init();
	if (strcmp(kernels_path(), "plain") == 0 && cpu && *cpu)
		advise(advice, "the plain kernels are slow: unset ANSWERBACK_CPU");
	j = json_pack("{s:o, s:s, s:I, s:I}",
	              "processor", text_or_null(kernels_cpu_name()), "kernels", kernels_path(),
	              "cores", (json_int_t)sysconf(_SC_NPROCESSORS_ONLN),
	              "memory_mb", (json_int_t)((long long)sysconf(_SC_PHYS_PAGES) *
	                                        sysconf(_SC_PAGESIZE) / (1 << 20)));
	json_object_set_new(j, "openblas", json_boolean(kernels_have_blas()));
	if (!kernels_have_blas())
		advise(advice, "OpenBLAS cannot be loaded, so training is slow: install the package libopenblas0-pthread");
	if (uname(&u) == 0) {
		json_object_set_new(j, "system", json_sprintf("%s %s %s", u.sysname, u.release, u.machine));
	}
	return j;
}

static json_t *doctor_libraries(void)
{
	return json_pack("{s:s, s:s, s:s, s:s}", "libc", gnu_get_libc_version(),
	                 "jansson", jansson_version_str(), "utf8proc", utf8proc_version(),
	                 "lzma", lzma_version_string());
}

static json_t *doctor_terminal(json_t *advice)
{
	const char *term = getenv("TERM");
	const bool here = isatty(STDOUT_FILENO);
	struct winsize ws = { 0 };
	json_t *j = json_pack("{s:o, s:o, s:o, s:b, s:b, s:b}",
	                      "locale", text_or_null(setlocale(LC_CTYPE, NULL)),
	                      "charset", text_or_null(nl_langinfo(CODESET)),
	                      "TERM", text_or_null(getenv("TERM")),
	                      "NO_COLOR", getenv("NO_COLOR") != NULL,
	                      "stdin_tty", isatty(STDIN_FILENO), "stdout_tty", isatty(STDOUT_FILENO));

	if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
		advise(advice, "the character set is %s: set LANG=C.UTF-8, or another locale with UTF-8", nl_langinfo(CODESET));
	if (here && (!term || !*term || strcmp(term, "dumb") == 0))
		advise(advice, "TERM is %s, so there is no screen but lines: set TERM as your terminal says, as xterm-256color",
		       term && *term ? term : "not set");
	if (ioctl(STDIN_FILENO, TIOCGWINSZ, &ws) == 0 && ws.ws_col > 0 && (ws.ws_col < 40 || ws.ws_row < 8))
		advise(advice, "the terminal is %dx%d: the screen wants 40x8 or more", ws.ws_col, ws.ws_row);
	if (ws.ws_col > 0)
		json_object_set_new(j, "size", json_sprintf("%dx%d", ws.ws_col, ws.ws_row));
	return j;
}

/* What runs otherwise because of the environment. */
static json_t *doctor_environment(void)
{
	extern char **environ;
	json_t *j = json_object();

	for (char **v = environ; *v; v++) {
		const char *eq = strchr(*v, '=');
		struct str name = STR_INIT;

		if (!eq || (strncmp(*v, "ANSWERBACK_", 11) != 0 && strncmp(*v, "OPENBLAS_", 9) != 0))
			continue;
		str_add(&name, *v, (size_t)(eq - *v));
		if (strcmp(name.s, "ANSWERBACK_COMPANY") == 0 || strcmp(name.s, "ANSWERBACK_SEND_COMMAND") == 0)
			json_object_set_new(j, name.s, json_string("(set)"));
		else
			json_object_set_new(j, name.s, path_json(eq + 1));
		str_free(&name);
	}
	return j;
}

/* What is set otherwise than by default, and what is wrong with it. Texts are the person's own: that they are set says enough. */
static json_t *doctor_settings(json_t *advice)
{
	struct err e = ERR_INIT;
	json_t *j = json_object(), *set = json_object();
	const int rc = config_load(&e);
	const struct config_problem *p;
	const char *path;
	size_t n;

	if (config_path(&path, NULL) == 0) {
		json_object_set_new(j, "path", path_json(path));
		json_object_set_new(j, "exists", json_boolean(access(path, F_OK) == 0));
	}
	for (size_t i = 0; i < CONFIG_COUNT; i++) {
		const enum config_id id = (enum config_id)i;
		const char *value = config_text(id);

		if (config_source(id) == CONFIG_DEFAULT)
			continue;
		if (config_settings[i].kind == CONFIG_KIND_TEXT)
			value = value ? "(set)" : "(empty)";
		json_object_set_new(set, config_settings[i].name, json_pack("{s:o, s:o}", "value", value ? path_json(value) : json_null(),
		                                                            "from", text_or_null(config_origin(id))));
		if (config_settings[i].kind == CONFIG_KIND_FILE && value && id != CONFIG_INBOX && id != CONFIG_DATA_DIR && access(value, R_OK) != 0)
			advise(advice, "%s: cannot read %s: %s; make it, or answerback config unset %s", config_settings[i].name, value,
			       strerror(errno), config_settings[i].name);
	}
	json_object_set_new(j, "set", set);
	p = config_problems(&n);
	for (size_t i = 0; i < n; i++)
		advise(advice, "%s; answerback config set, or edit the line", p[i].text);
	if (rc < 0 && n == 0)
		advise(advice, "%s", e.msg);
	return j;
}

static json_t *doctor_store(json_t *advice)
{
	struct err e = ERR_INIT;
	struct store *s;
	struct statvfs v;
	struct stat st;
	struct str file = STR_INIT;
	char *folder;
	json_t *j;

	if (paths_folder(PATHS_DATA, NULL, false, &folder, &e) < 0) {
		advise(advice, "%s", e.msg);
		return json_object();
	}
	str_addf(&file, "%s/answerback.db", folder);
	j = json_pack("{s:o}", "path", path_json(file.s));
	if (stat(folder, &st) == 0 && (st.st_mode & 077))
		advise(advice, "others may look into %s: chmod 700 it", folder);
	if (statvfs(folder, &v) == 0 && (unsigned long long)v.f_bavail * v.f_frsize < 100ull << 20)
		advise(advice, "only %llu MB are free where %s is: make room, or name another folder with the setting data_dir",
		       (unsigned long long)v.f_bavail * v.f_frsize >> 20, folder);
	if (stat(file.s, &st) != 0) {
		json_object_set_new(j, "exists", json_false());
	} else {
		json_object_set_new(j, "exists", json_true());
		json_object_set_new(j, "bytes", json_integer((json_int_t)st.st_size));
		if (st.st_mode & 077)
			advise(advice, "others may read %s: chmod 600 it", file.s);
		if (store_open(&s, NULL, STORE_READ_ONLY, &e) < 0) {
			advise(advice, "%s%s", e.msg, strstr(e.msg, "answerback ") ? "" : "; answerback db check says more, answerback restore takes a backup");
		} else {
			json_object_set_new(j, "version", json_integer(STORE_VERSION));
			store_close(s);
		}
	}
	if (config_yes(CONFIG_PRIVATE))
		json_object_set_new(j, "private", text_or_null(config_origin(CONFIG_PRIVATE)));
	str_free(&file);
	free(folder);
	return j;
}

static json_t *doctor_folder(enum paths_kind kind, const char *data_dir)
{
	struct err e = ERR_INIT;
	struct stat st;
	char *path;
	json_t *j;

	if (paths_folder(kind, data_dir, false, &path, &e) < 0)
		return json_pack("{s:o}", "problem", text_or_null(e.msg));
	j = json_pack("{s:o}", "path", path_json(path));
	if (stat(path, &st) != 0)
		json_object_set_new(j, errno == ENOENT ? "missing" : "problem",
		                    errno == ENOENT ? json_true() : json_string(strerror(errno)));
	else
		json_object_set_new(j, "mode", json_sprintf("%04o", (unsigned)st.st_mode & 07777));
	free(path);
	return j;
}

/* A text of the model's metadata that is JSON, as JSON. */
static json_t *meta_json(const struct modelfile *mf, const char *key)
{
	const char *text = modelfile_meta(mf, key);
	json_t *j = text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;

	return j ? j : text_or_null(text);
}

/* Which version serves, and its file; to be freed. NULL: none can. */
static char *serving(const char *given, json_t *j, json_t *advice)
{
	struct err e = ERR_INIT;
	struct registry *r = NULL;
	char *base = NULL, *id = NULL, *path = NULL, *note = NULL;
	const int rc = paths_model(given, &base, &e);

	if (given || config_text(CONFIG_MODEL)) {
		json_object_set_new(j, "version", json_string("(a file that was named)"));
	} else if (registry_open(&r, NULL, base, NULL) == 0 && registry_current(r, &id, &path, &note, NULL) == 0) {
		json_object_set_new(j, "version", text_or_null(id));
		if (note)
			advise(advice, "%s; answerback model list shows the versions, answerback model promote makes one serve", note);
	}
	if (!path || !id || strcmp(id, REGISTRY_BASE) == 0) {
		free(path);
		path = base;
		base = NULL;
		if (rc < 0) {
			json_object_set_new(j, "problem", path_json(e.msg));
			advise(advice, "%s", e.msg);
		}
	}
	registry_close(r);
	free(base);
	free(id);
	free(note);
	return path;
}

static json_t *doctor_model(const char *given, json_t *advice)
{
	struct err e = ERR_INIT;
	struct modelfile *mf;
	struct stat st;
	json_t *j = json_object();
	char *path = serving(given, j, advice);

	if (!path)
		return j;
	json_object_set_new(j, "path", path_json(path));
	if (stat(path, &st) == 0)
		json_object_set_new(j, "bytes", json_integer((json_int_t)st.st_size));
	if (modelfile_open(&mf, path, &e) < 0) {
		json_object_set_new(j, "problem", path_json(e.msg));
	} else {
		json_object_set_new(j, "format", text_or_null(modelfile_meta(mf, "format")));
		json_object_set_new(j, "config", meta_json(mf, "config"));
		json_object_set_new(j, "checksum", text_or_null(modelfile_verify(mf, &e) < 0 ? e.msg : "right"));
		modelfile_close(mf);
	}
	if (e.code)
		advise(advice, "%s; name another with --model, go back with answerback model rollback, or install again", e.msg);
	free(path);
	return j;
}

/* Of the memory, which without one compares words alone; and where answers lie in it, to choose replies by. */
static json_t *doctor_encoder(json_t *advice)
{
	struct err e = ERR_INIT;
	struct encoder *en = NULL;
	char *path;
	json_t *j;

	if (paths_shipped("encoder.safetensors", &path, NULL) < 0) {
		advise(advice, "encoder.safetensors is not there, so the memory finds the same words only: install again");
		return json_pack("{s:n}", "path");
	}
	j = json_pack("{s:o}", "path", path_json(path));
	if (encoder_open(&en, path, &e) < 0)
		advise(advice, "%s; the memory finds the same words only: install again", e.msg);
	else
		json_object_set_new(j, "version", text_or_null(encoder_version(en)));
	free(path);
	if (en && paths_shipped("answer.safetensors", &path, NULL) < 0) {
		advise(advice, "answer.safetensors is not there, so replies are chosen by words alone: install again");
	} else if (en) {
		struct answer_map *map = xcalloc(1, sizeof(*map));

		if (answer_open(map, path, encoder_version(en), &e) < 0)
			advise(advice, "%s; replies are chosen by words alone: install again", e.msg);
		json_object_set_new(j, "answers", path_json(path));
		free(path);
		free(map);
	}
	encoder_free(en);
	return j;
}

/* "name: value" lines, objects indented below their name. */
static void print_lines(const json_t *object, int depth)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)object, key, value) {
		printf("%*s%s:", depth * 2, "", key);
		if (json_is_object(value)) {
			printf(json_object_size(value) ? "\n" : " none\n");
			print_lines(value, depth + 1);
		} else if (json_is_array(value)) {
			size_t i;
			json_t *one;

			printf(json_array_size(value) ? "\n" : " none\n");
			json_array_foreach(value, i, one)
				printf("%*s- %s\n", depth * 2 + 2, "", json_string_value(one));
		} else if (json_is_string(value)) {
			printf(" %s\n", json_string_value(value));
		} else {
			char *text = json_dumps(value, JSON_ENCODE_ANY);

			printf(" %s\n", json_is_null(value) ? "(not set)" : text);
			free(text);
		}
	}
}

static int doctor_run(struct cli_args *a)
{
	json_t *all, *advice;

	if (a->n > 0)
		return cli_usage(a, "unexpected '%s'", a->operands[0]);
	all = json_object();
	advice = json_array();
	json_object_set_new(all, "build", doctor_build());
	json_object_set_new(all, "machine", doctor_machine(advice));
	json_object_set_new(all, "libraries", doctor_libraries());
	json_object_set_new(all, "terminal", doctor_terminal(advice));
	json_object_set_new(all, "environment", doctor_environment());
	json_object_set_new(all, "settings", doctor_settings(advice));
	json_object_set_new(all, "folders", json_pack("{s:o, s:o, s:o}", "config", doctor_folder(PATHS_CONFIG, NULL), "data",
	                                              doctor_folder(PATHS_DATA, NULL), "state", doctor_folder(PATHS_STATE, NULL)));
	json_object_set_new(all, "store", doctor_store(advice));
	json_object_set_new(all, "model", doctor_model(cli_string(a, "model", NULL), advice));
	json_object_set_new(all, "encoder", doctor_encoder(advice));
	json_object_set_new(all, "problems", advice);
	if (!all)
		return cli_error("out of memory");
	if (cli_flag(a, "json")) {
		json_dumpf(all, stdout, 0);
		putchar('\n');
	} else {
		print_lines(all, 0);
	}
	json_decref(all);
	return CLI_OK;
}

static const struct cli_option options[] = {
	CLI_OPTION_JSON,
	CLI_OPTION_MODEL,
	CLI_OPTION_DATA_DIR,
	CLI_OPTION_END
};

const struct cli_command cmd_doctor = {
	"doctor", "print what a bug report needs, and what is wrong here", "[OPTION...]", options, doctor_run,
	"problems, at the end: what is wrong with the settings, the terminal, the store or the model, and what to do."
};
