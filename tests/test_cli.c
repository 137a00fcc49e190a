/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_cli: the option tables, their errors and exit codes; the folders and the search for
 * the model. What is written to stdout and stderr is caught in files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/str.h"
#include "cli.h"
#include "commands.h"
#include "paths.h"

/* ---- a command that writes down what it was given ---- */

static const struct cli_option probe_options[] = {
	CLI_OPTION_JSON,
	{ "threads", 't', "N", CLI_LONG, "worker threads", 1, 64 },
	{ "any", 0, "N", CLI_LONG, "any whole number", 0, 0 },
	{ "rate", 'r', "X", CLI_DOUBLE, "learning rate", 0, 1 },
	{ "valid", 'v', "FILE", CLI_LIST, "held-out conversations", 0, 0 },
	{ "name", 0, "WORD", CLI_STRING, "a name", 0, 0 },
	{ "a-rather-long-option-name", 0, "SOMETHING", CLI_STRING, "help on a line of its own", 0, 0 },
	{ "secret", 0, NULL, CLI_FLAG, NULL, 0, 0 },
	CLI_OPTION_END
};

static int probe_run(struct cli_args *a)
{
	printf("json=%d given=%d threads=%ld any=%ld rate=%g name=%s valid=%zu",
	       cli_flag(a, "json"), cli_given(a, "threads"), cli_long(a, "threads", 2),
	       cli_long(a, "any", -1), cli_double(a, "rate", 0.5), cli_string(a, "name", "none"),
	       cli_count(a, "valid"));
	for (size_t i = 0; i < cli_count(a, "valid"); i++)
		printf(":%s", cli_nth(a, "valid", i));
	for (size_t i = 0; i < a->n; i++)
		printf(" [%s]", a->operands[i]);
	assert_null(a->operands[a->n]);
	return CLI_UNSURE;
}

static int unhappy_run(struct cli_args *a)
{
	return cli_usage(a, "say which %s", "file");
}

static const struct cli_command probe = {
	"probe", "write down what came", "[OPTION...] [FILE...]", probe_options, probe_run, "A paragraph."
};
static const struct cli_command unhappy = { "unhappy", "never content", "", NULL, unhappy_run, NULL };
static const struct cli_command chat = { "chat", "talk", "", probe_options, probe_run, NULL };
static const struct cli_command *const without_chat[] = { &probe, &unhappy, NULL };
static const struct cli_command *const with_chat[] = { &probe, &chat, NULL };

/* ---- catching ---- */

static struct str out = STR_INIT, err = STR_INIT;

static int swap_descriptor(int fd, FILE *f)
{
	int saved = dup(fd);

	dup2(fileno(f), fd);
	return saved;
}

static void restore_descriptor(int fd, int saved, FILE *f, struct str *into)
{
	int c;

	dup2(saved, fd);
	close(saved);
	rewind(f);
	str_reset(into);
	while ((c = getc(f)) != EOF)
		str_addc(into, (char)c);
	fclose(f);
}

/* Runs `answerback WORDS...` and keeps its output in `out` and `err`. */
static int run(const struct cli_command *const *table, const char *const *words)
{
	FILE *fo = tmpfile(), *fe = tmpfile();
	char *argv[32] = { (char *)(uintptr_t)"answerback" };
	int argc = 1, so, se, rc;

	for (; words[argc - 1]; argc++)
		argv[argc] = xstrdup(words[argc - 1]);
	fflush(stdout);
	so = swap_descriptor(STDOUT_FILENO, fo);
	se = swap_descriptor(STDERR_FILENO, fe);
	rc = cli_main(table, argc, argv);
	fflush(stdout);
	restore_descriptor(STDOUT_FILENO, so, fo, &out);
	restore_descriptor(STDERR_FILENO, se, fe, &err);
	/* getopt may have moved the words: they are freed by pointer, so order is no matter */
	for (int i = 1; i < argc; i++)
		free(argv[i]);
	return rc;
}

#define RUN(table, ...) run(table, (const char *const[]){ __VA_ARGS__, NULL })

static void assert_says(const struct str *s, const char *part)
{
	if (!strstr(s->s, part))
		fail_msg("'%s' is not in: %s", part, s->s);
}

/* exit 2, nothing on stdout, one line that has `part` and points at the help */
static void assert_usage_error(int rc, const char *part)
{
	assert_int_equal(rc, CLI_USAGE);
	assert_string_equal(out.s, "");
	assert_says(&err, part);
	assert_says(&err, "--help\n");
	assert_ptr_equal(strchr(err.s, '\n'), err.s + err.len - 1);
}

/* ---- tests ---- */

static void cli_reads_every_kind(void **state)
{
	(void)state;
	assert_int_equal(RUN(without_chat, "probe"), CLI_UNSURE);
	assert_string_equal(out.s, "json=0 given=0 threads=2 any=-1 rate=0.5 name=none valid=0");
	assert_int_equal(RUN(without_chat, "probe", "x", "--json", "-t8", "-", "--any=-12", "-r", "1e-3",
	                     "-v", "a", "--valid", "b", "--valid=c", "--name", "", "--", "--json"), CLI_UNSURE);
	assert_string_equal(out.s, "json=1 given=1 threads=8 any=-12 rate=0.001 name= valid=3:a:b:c"
	                    " [x] [-] [--json]");
	assert_string_equal(err.s, "");
	assert_int_equal(RUN(without_chat, "probe", "-t", "1", "-t", "64"), CLI_UNSURE);
	assert_says(&out, "threads=64");
}

static void cli_refuses_bad_numbers(void **state)
{
	static const char *const longs[] = { "", "x", "1x", " 1", "1 ", "0x10", "1.5", "0", "65", "-1",
		"99999999999999999999" };
	static const char *const doubles[] = { "", "nan", "inf", "1,5", "1.1", "-0.1", "1e999" };

	(void)state;
	for (size_t i = 0; i < sizeof longs / sizeof longs[0]; i++)
		assert_usage_error(RUN(without_chat, "probe", "--threads", longs[i]), "--threads: ");
	for (size_t i = 0; i < sizeof doubles / sizeof doubles[0]; i++)
		assert_usage_error(RUN(without_chat, "probe", "-r", doubles[i]), "--rate: ");
	assert_usage_error(RUN(without_chat, "probe", "-t", "65"), "65 is not between 1 and 64");
	assert_usage_error(RUN(without_chat, "probe", "--any", "99999999999999999999"), "too large");
}

static void cli_names_what_is_wrong(void **state)
{
	(void)state;
	assert_usage_error(RUN(without_chat, "prob"), "unknown command 'prob'; see answerback --help");
	assert_usage_error(RUN(without_chat, "--bogus"), "unknown option '--bogus'");
	assert_usage_error(RUN(without_chat, "help", "prob"), "unknown command 'prob'");
	assert_usage_error(RUN(without_chat, "probe", "--bogus=1", "x"),
	                   "answerback probe: unknown option '--bogus'; see answerback probe --help");
	assert_usage_error(RUN(without_chat, "probe", "-q"), "unknown option '-q'");
	assert_usage_error(RUN(without_chat, "probe", "--json=1"), "--json takes no value");
	assert_usage_error(RUN(without_chat, "probe", "--help=1"), "--help takes no value");
	assert_usage_error(RUN(without_chat, "probe", "--threads"), "--threads needs a value (N)");
	assert_usage_error(RUN(without_chat, "probe", "-v"), "-v needs a value");
	assert_usage_error(RUN(without_chat, "unhappy"), "answerback unhappy: say which file");
	assert_usage_error(RUN(without_chat, "unhappy", "--json"), "unknown option '--json'");
	assert_usage_error(run(without_chat, (const char *const[]){ NULL }), "say what to do");
	/* nothing of a hostile word reaches the terminal as it is */
	assert_usage_error(RUN(without_chat, "a\x1b[31m\xff\xc2\x9b\tb\xc3\xa9"), "'a?[31m???b\xc3\xa9'");
}

static void cli_helps(void **state)
{
	(void)state;
	assert_int_equal(RUN(without_chat, "--help"), CLI_OK);
	assert_says(&out, "probe        write down what came\n");
	assert_int_equal(RUN(without_chat, "probe", "--threads", "3", "-h"), CLI_OK);
	assert_says(&out, "usage: answerback probe [OPTION...] [FILE...]\n");
	assert_says(&out, "  -t, --threads N           worker threads\n");
	assert_says(&out, "  -v, --valid FILE          held-out conversations\n");
	assert_says(&out, "--a-rather-long-option-name SOMETHING\n                            help on a");
	assert_says(&out, "A paragraph.");
	assert_null(strstr(out.s, "secret"));
	assert_int_equal(RUN(without_chat, "help", "probe"), CLI_OK);
	assert_says(&out, "usage: answerback probe");
	assert_int_equal(RUN(without_chat, "--version"), CLI_OK);
	assert_says(&out, "answerback ");
}

static void cli_defaults_to_chat(void **state)
{
	(void)state;
	assert_int_equal(run(with_chat, (const char *const[]){ NULL }), CLI_UNSURE);
	assert_int_equal(RUN(with_chat, "--name", "x"), CLI_UNSURE);
	assert_says(&out, "name=x");
	assert_usage_error(RUN(with_chat, "--bogus"), "answerback chat: unknown option '--bogus'");
	assert_usage_error(RUN(with_chat, "hello"), "unknown command 'hello'");
}

/* What every command's table has to keep to: the parser relies on it. */
static void cli_tables_are_sound(void **state)
{
	(void)state;
	for (const struct cli_command *const *c = commands; *c; c++) {
		assert_non_null((*c)->name);
		assert_non_null((*c)->summary);
		assert_non_null((*c)->usage);
		assert_non_null((*c)->run);
		for (const struct cli_option *o = (*c)->options; o && o->name; o++) {
			assert_int_equal(o->kind == CLI_FLAG, o->arg == NULL);
			assert_true(o->min <= o->max);
			assert_true(o->letter != 'h' && strcmp(o->name, "help") != 0);
			for (const struct cli_option *p = (*c)->options; p < o; p++)
				if (strcmp(p->name, o->name) == 0 || (p->letter && p->letter == o->letter))
					fail_msg("%s: --%s and --%s collide", (*c)->name, p->name, o->name);
		}
		for (const struct cli_command *const *d = commands; d < c; d++)
			assert_string_not_equal((*c)->name, (*d)->name);
	}
}

static void cli_exit_code_of_an_error(void **state)
{
	struct err e = ERR_INIT;
	FILE *fe = tmpfile();
	int se = swap_descriptor(STDERR_FILENO, fe), a, b, c;

	(void)state;
	err_set(&e, ERR_USAGE, "wrong");
	a = cli_failed(&e);
	err_set(&e, ERR_CANCELLED, "stopped");
	b = cli_failed(&e);
	err_set(&e, ERR_FORMAT, "broken");
	c = cli_failed(&e);
	restore_descriptor(STDERR_FILENO, se, fe, &err);
	assert_int_equal(a, CLI_USAGE);
	assert_int_equal(b, CLI_INTERRUPTED);
	assert_int_equal(c, CLI_ERROR);
	assert_string_equal(err.s, "answerback: wrong\nanswerback: stopped\nanswerback: broken\n");
}

/* ---- paths ---- */

static char home[64];

static int make_home(void **state)
{
	(void)state;
	snprintf(home, sizeof home, "/tmp/answerback-test.XXXXXX");
	if (!mkdtemp(home))
		return -1;
	setenv("HOME", home, 1);
	unsetenv("XDG_CONFIG_HOME");
	unsetenv("XDG_DATA_HOME");
	unsetenv("XDG_STATE_HOME");
	unsetenv("ANSWERBACK_DATA_DIR");
	unsetenv("ANSWERBACK_MODEL");
	return 0;
}

static int remove_home(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof command, "rm -rf %s", home);
	return system(command);
}

/* the folder's path without `home` in front */
static void assert_folder(enum paths_kind kind, const char *data_dir, const char *expect)
{
	struct err e = ERR_INIT;
	char *path = NULL;

	if (paths_folder(kind, data_dir, true, &path, &e) < 0)
		fail_msg("%s", e.msg);
	assert_memory_equal(path, home, strlen(home));
	assert_string_equal(path + strlen(home), expect);
	assert_int_equal(access(path, W_OK), 0);
	free(path);
}

static void paths_follow_the_environment(void **state)
{
	char xdg[96];
	struct stat st;

	(void)state;
	assert_folder(PATHS_CONFIG, NULL, "/.config/answerback");
	assert_folder(PATHS_DATA, NULL, "/.local/share/answerback");
	assert_folder(PATHS_STATE, NULL, "/.local/state/answerback");
	snprintf(xdg, sizeof xdg, "%s/.local/share/answerback", home);
	assert_int_equal(stat(xdg, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	setenv("XDG_DATA_HOME", "relative", 1);     /* not allowed, so not there */
	assert_folder(PATHS_DATA, NULL, "/.local/share/answerback");
	snprintf(xdg, sizeof xdg, "%s/x", home);
	setenv("XDG_DATA_HOME", xdg, 1);
	assert_folder(PATHS_DATA, NULL, "/x/answerback");
	snprintf(xdg, sizeof xdg, "%s/env", home);
	setenv("ANSWERBACK_DATA_DIR", xdg, 1);
	assert_folder(PATHS_DATA, NULL, "/env");
	assert_folder(PATHS_STATE, NULL, "/env/state");
	assert_folder(PATHS_CONFIG, NULL, "/.config/answerback");
	snprintf(xdg, sizeof xdg, "%s/option", home);
	assert_folder(PATHS_DATA, xdg, "/option");
}

static void paths_say_what_is_in_the_way(void **state)
{
	struct err e = ERR_INIT;
	char file[96], *path;

	(void)state;
	snprintf(file, sizeof file, "%s/.config", home);
	fclose(fopen(file, "w"));
	assert_int_equal(paths_folder(PATHS_CONFIG, NULL, true, &path, &e), ERR_IO);
	assert_null(path);
	assert_non_null(strstr(e.msg, file));
	assert_int_equal(paths_folder(PATHS_CONFIG, NULL, false, &path, &e), ERR_NONE);
	free(path);
}

static void paths_find_the_model(void **state)
{
	struct err e = ERR_INIT;
	char file[96], other[96], *path;

	(void)state;
	snprintf(file, sizeof file, "%s/a.safetensors", home);
	snprintf(other, sizeof other, "%s/b.safetensors", home);
	/* a name that leads nowhere never falls back to another model */
	assert_int_equal(paths_model(file, &path, &e), ERR_NOTFOUND);
	assert_non_null(strstr(e.msg, file));
	assert_non_null(strstr(e.msg, "--model"));
	setenv("ANSWERBACK_MODEL", other, 1);
	assert_int_equal(paths_model(NULL, &path, &e), ERR_NOTFOUND);
	assert_non_null(strstr(e.msg, "ANSWERBACK_MODEL"));
	assert_int_equal(paths_model(home, &path, &e), ERR_NOTFOUND);
	fclose(fopen(file, "w"));
	fclose(fopen(other, "w"));
	assert_int_equal(paths_model(NULL, &path, &e), ERR_NONE);
	assert_string_equal(path, other);
	free(path);
	assert_int_equal(paths_model(file, &path, &e), ERR_NONE);
	assert_string_equal(path, file);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cli_reads_every_kind),
		cmocka_unit_test(cli_refuses_bad_numbers),
		cmocka_unit_test(cli_names_what_is_wrong),
		cmocka_unit_test(cli_helps),
		cmocka_unit_test(cli_defaults_to_chat),
		cmocka_unit_test(cli_tables_are_sound),
		cmocka_unit_test(cli_exit_code_of_an_error),
		cmocka_unit_test_setup_teardown(paths_follow_the_environment, make_home, remove_home),
		cmocka_unit_test_setup_teardown(paths_say_what_is_in_the_way, make_home, remove_home),
		cmocka_unit_test_setup_teardown(paths_find_the_model, make_home, remove_home),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	str_free(&out);
	str_free(&err);
	return failed;
}
