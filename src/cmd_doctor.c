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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <utf8proc.h>

#include "../model/kernels.h"
#include "../model/modelfile.h"
#include "base/str.h"
#include "commands.h"
#include "paths.h"

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

static json_t *path_json(const char *path)
{
	const char *home = getenv("HOME");
	size_t n = home ? strlen(home) : 0;
	struct str s = STR_INIT;
	json_t *j;

	if (n > 1 && strncmp(path, home, n) == 0 && path[n] == '/')
		str_addf(&s, "~%s", path + n);
	else
		str_adds(&s, path);
	j = text_or_null(s.s);
	str_free(&s);
	return j;
}

static json_t *doctor_build(void)
{
	return json_pack("{s:s, s:s, s:s}", "version", ANSWERBACK_VERSION, "compiler", COMPILER,
	                 "flags", ANSWERBACK_CFLAGS);
}

static json_t *doctor_machine(void)
{
	struct utsname u;
	json_t *j;

	kernels_init();
	j = json_pack("{s:o, s:s, s:I, s:I}",
	              "processor", text_or_null(kernels_cpu_name()), "kernels", kernels_path(),
	              "cores", (json_int_t)sysconf(_SC_NPROCESSORS_ONLN),
	              "memory_mb", (json_int_t)((long long)sysconf(_SC_PHYS_PAGES) *
	                                        sysconf(_SC_PAGESIZE) / (1 << 20)));
	json_object_set_new(j, "openblas", json_boolean(kernels_have_blas()));
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

static json_t *doctor_terminal(void)
{
	struct winsize ws = { 0 };
	json_t *j = json_pack("{s:o, s:o, s:o, s:b, s:b, s:b}",
	                      "locale", text_or_null(setlocale(LC_CTYPE, NULL)),
	                      "charset", text_or_null(nl_langinfo(CODESET)),
	                      "TERM", text_or_null(getenv("TERM")),
	                      "NO_COLOR", getenv("NO_COLOR") != NULL,
	                      "stdin_tty", isatty(STDIN_FILENO), "stdout_tty", isatty(STDOUT_FILENO));

	if (ioctl(STDIN_FILENO, TIOCGWINSZ, &ws) == 0)
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
		json_object_set_new(j, name.s, path_json(eq + 1));
		str_free(&name);
	}
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

static json_t *doctor_model(const char *given)
{
	struct err e = ERR_INIT;
	struct modelfile *mf;
	struct stat st;
	char *path;
	json_t *j;

	if (paths_model(given, &path, &e) < 0)
		return json_pack("{s:o}", "problem", text_or_null(e.msg));
	j = json_pack("{s:o}", "path", path_json(path));
	if (stat(path, &st) == 0)
		json_object_set_new(j, "bytes", json_integer((json_int_t)st.st_size));
	if (modelfile_open(&mf, path, &e) < 0) {
		json_object_set_new(j, "problem", text_or_null(e.msg));
	} else {
		json_object_set_new(j, "format", text_or_null(modelfile_meta(mf, "format")));
		json_object_set_new(j, "config", meta_json(mf, "config"));
		json_object_set_new(j, "checksum", text_or_null(modelfile_verify(mf, &e) < 0 ? e.msg : "right"));
		modelfile_close(mf);
	}
	free(path);
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
			printf("\n");
			print_lines(value, depth + 1);
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
	const char *data_dir = cli_string(a, "data-dir", NULL);
	json_t *all;

	if (a->n > 0)
		return cli_usage(a, "unexpected '%s'", a->operands[0]);
	all = json_pack("{s:o, s:o, s:o, s:o, s:o, s:{s:o, s:o, s:o}, s:o}",
	                "build", doctor_build(), "machine", doctor_machine(),
	                "libraries", doctor_libraries(), "terminal", doctor_terminal(),
	                "environment", doctor_environment(),
	                "folders", "config", doctor_folder(PATHS_CONFIG, NULL),
	                "data", doctor_folder(PATHS_DATA, data_dir),
	                "state", doctor_folder(PATHS_STATE, data_dir),
	                "model", doctor_model(cli_string(a, "model", NULL)));
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
	"doctor", "print what a bug report needs", "[OPTION...]", options, doctor_run, NULL
};
