/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cli: reading the command line by the commands' tables. */
#include "cli.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/utf8.h"
#include "config.h"

#ifndef ANSWERBACK_VERSION
#define ANSWERBACK_VERSION "unknown"
#endif

/* ---- messages ------------------------------------------------------------------ */

/* One line on stderr, in one write. Words of the user may be in it: control characters
 * become '?', so that none reaches the terminal. */
static void cli_say(const char *prefix, const char *suffix, const char *fmt, va_list ap)
{
	char buf[1024];
	struct str line = STR_INIT;
	int32_t cp;

	vsnprintf(buf, sizeof buf, fmt, ap);
	str_adds(&line, prefix);
	for (size_t i = 0, n = strlen(buf), used; i < n; i += used) {
		used = utf8_decode(buf + i, n - i, &cp);
		if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || (cp == 0xfffd && used == 1))
			str_addc(&line, '?');
		else
			str_add(&line, buf + i, used);
	}
	str_adds(&line, suffix);
	str_addc(&line, '\n');
	fflush(stdout);
	fputs(line.s, stderr);
	str_free(&line);
}

/* A usage error of a command, or (command == NULL) of the program itself. */
__attribute__((format(printf, 2, 0)))
static int cli_vusage(const struct cli_command *command, const char *fmt, va_list ap)
{
	const char *space = command ? " " : "", *name = command ? command->name : "";
	char prefix[64], suffix[96];

	snprintf(prefix, sizeof prefix, "answerback%s%s: ", space, name);
	snprintf(suffix, sizeof suffix, "; see answerback%s%s --help", space, name);
	cli_say(prefix, suffix, fmt, ap);
	return CLI_USAGE;
}

__attribute__((format(printf, 2, 3)))
static int cli_wrong(const struct cli_command *command, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	cli_vusage(command, fmt, ap);
	va_end(ap);
	return CLI_USAGE;
}

int cli_usage(const struct cli_args *a, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	cli_vusage(a->command, fmt, ap);
	va_end(ap);
	return CLI_USAGE;
}

int cli_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	cli_say("answerback: ", "", fmt, ap);
	va_end(ap);
	return CLI_ERROR;
}

int cli_failed(const struct err *e)
{
	cli_error("%s", e->msg[0] ? e->msg : "failed");
	return e->code == ERR_USAGE ? CLI_USAGE :
	       e->code == ERR_CANCELLED ? CLI_INTERRUPTED : CLI_ERROR;
}

/* ---- values ---------------------------------------------------------------------- */

static const struct cli_option *cli_option(const struct cli_args *a, const char *name)
{
	const struct cli_option *o = a->command->options;

	for (; o && o->name; o++)
		if (strcmp(o->name, name) == 0)
			return o;
	assert(!"an option that is not in the command's table");
	return NULL;
}

static const struct cli_value *cli_last(const struct cli_args *a, const char *name,
                                        enum cli_kind kind)
{
	const struct cli_option *o = cli_option(a, name);
	const struct cli_value *found = NULL;

	assert(o->kind == kind);
	(void)kind;
	for (size_t i = 0; i < a->n_values; i++)
		if (a->values[i].option == o)
			found = &a->values[i];
	return found;
}

bool cli_given(const struct cli_args *a, const char *name)
{
	return cli_last(a, name, cli_option(a, name)->kind) != NULL;
}

bool cli_flag(const struct cli_args *a, const char *name)
{
	return cli_last(a, name, CLI_FLAG) != NULL;
}

const char *cli_string(const struct cli_args *a, const char *name, const char *def)
{
	const struct cli_value *v = cli_last(a, name, CLI_STRING);

	return v ? v->text : def;
}

long cli_long(const struct cli_args *a, const char *name, long def)
{
	const struct cli_value *v = cli_last(a, name, CLI_LONG);

	return v ? v->l : def;
}

double cli_double(const struct cli_args *a, const char *name, double def)
{
	const struct cli_value *v = cli_last(a, name, CLI_DOUBLE);

	return v ? v->d : def;
}

size_t cli_count(const struct cli_args *a, const char *name)
{
	const struct cli_option *o = cli_option(a, name);
	size_t n = 0;

	for (size_t i = 0; i < a->n_values; i++)
		n += a->values[i].option == o;
	return n;
}

const char *cli_nth(const struct cli_args *a, const char *name, size_t i)
{
	const struct cli_option *o = cli_option(a, name);

	for (size_t k = 0; k < a->n_values; k++)
		if (a->values[k].option == o && i-- == 0)
			return a->values[k].text;
	assert(!"past the end of a repeated option");
	return NULL;
}

/* Read a number and hold it to the option's range; what strtol would quietly accept
 * (nothing, leading spaces, trailing words, hexadecimal floats' NaN) is an error. */
static int cli_number(const struct cli_command *c, struct cli_value *v)
{
	const struct cli_option *o = v->option;
	bool whole = o->kind == CLI_LONG;
	char *end;

	errno = 0;
	if (whole) {
		v->l = strtol(v->text, &end, 10);
		v->d = (double)v->l;
	} else {
		v->d = strtod(v->text, &end);
	}
	if (v->text[0] == '\0' || strchr(" \t\n\v\f\r", v->text[0]) || *end != '\0' || !isfinite(v->d))
		return cli_wrong(c, "--%s: '%s' is not a %snumber", o->name, v->text, whole ? "whole " : "");
	if (whole && errno == ERANGE)
		return cli_wrong(c, "--%s: %s is too large a number", o->name, v->text);
	if ((o->min != 0 || o->max != 0) && (v->d < o->min || v->d > o->max))
		return cli_wrong(c, "--%s: %s is not between %.15g and %.15g",
		                 o->name, v->text, o->min, o->max);
	return CLI_OK;
}

/* ---- help -------------------------------------------------------------------------- */

static void cli_help_option(char letter, const char *name, const char *arg, const char *help)
{
	char left[80];

	snprintf(left, sizeof left, "  %c%c%s --%s%s%s", letter ? '-' : ' ', letter ? letter : ' ',
	         letter ? "," : " ", name, arg ? " " : "", arg ? arg : "");
	if (strlen(left) > 26)
		printf("%s\n%-28s%s\n", left, "", help);
	else
		printf("%-28s%s\n", left, help);
}

static int cli_help_command(const struct cli_command *c)
{
	printf("usage: answerback %s %s\n\n%s\n\noptions:\n", c->name, c->usage, c->summary);
	for (const struct cli_option *o = c->options; o && o->name; o++)
		if (o->help)
			cli_help_option(o->letter, o->name, o->arg, o->help);
	cli_help_option('h', "help", NULL, "show this");
	if (c->more)
		printf("\n%s\n", c->more);
	return CLI_OK;
}

static int cli_help_program(const struct cli_command *const *commands)
{
	printf("usage: answerback [COMMAND] [OPTION...]\n\n"
	       "Replies to customers' messages, on this machine alone. Without a command: chat.\n\n"
	       "commands:\n");
	for (; *commands; commands++)
		printf("  %-12s %s\n", (*commands)->name, (*commands)->summary);
	printf("\noptions:\n");
	cli_help_option(0, "version", NULL, "show the version and the licence");
	cli_help_option('h', "help", NULL, "show this; after a command, that command's options");
	printf("\noptions of every command:\n");
	for (const struct cli_option *o = cli_everywhere; o->name; o++)
		cli_help_option(o->letter, o->name, o->arg, o->help);
	printf("\nexit codes: 0 done, 1 error, 2 wrong usage, 3 no confident answer,\n"
	       "4 a new model did not pass its tests, 130 interrupted\n"
	       "More: man answerback\n");
	return CLI_OK;
}

static int cli_version(void)
{
	printf("answerback %s\n"
	       "Licence: GPL-3.0-or-later. There is no warranty, to the extent permitted by law.\n",
	       ANSWERBACK_VERSION);
	return CLI_OK;
}

/* ---- parsing ------------------------------------------------------------------------ */

enum { CLI_HELP = 'h', CLI_BASE = 256 };   /* option i of the table is CLI_BASE + i to getopt */

/* getopt says '?' or ':'; find the words for what is wrong. */
static int cli_bad_option(const struct cli_command *c, int what, const char *word)
{
	if (what == ':') {
		if (optopt >= CLI_BASE)
			return cli_wrong(c, "--%s needs a value (%s)", c->options[optopt - CLI_BASE].name,
			                 c->options[optopt - CLI_BASE].arg);
		return cli_wrong(c, "-%c needs a value", optopt);
	}
	if (optopt >= CLI_BASE)
		return cli_wrong(c, "--%s takes no value", c->options[optopt - CLI_BASE].name);
	if (optopt == CLI_HELP)
		return cli_wrong(c, "--help takes no value");
	if (optopt == 0)        /* a long one; its value is none of our business */
		return cli_wrong(c, "unknown option '%.*s'", (int)strcspn(word, "="), word);
	return cli_wrong(c, "unknown option '-%c'", optopt);
}

static size_t cli_count_options(const struct cli_command *c)
{
	size_t n = 0;

	while (c->options && c->options[n].name)
		n++;
	return n;
}

/* getopt's view of the table: `shorts` and `longs` are the caller's to free. */
static void cli_getopt_tables(const struct cli_command *c, struct str *shorts, struct option **longs)
{
	size_t n = cli_count_options(c);

	*longs = xcalloc(n + 2, sizeof **longs);
	str_adds(shorts, ":h");
	for (size_t i = 0; i < n; i++) {
		const struct cli_option *o = &c->options[i];

		assert((o->kind == CLI_FLAG) == (o->arg == NULL));
		assert(o->letter != CLI_HELP);
		(*longs)[i] = (struct option){ o->name, o->arg ? required_argument : no_argument,
		                               NULL, CLI_BASE + (int)i };
		if (o->letter) {
			str_addc(shorts, o->letter);
			if (o->arg)
				str_addc(shorts, ':');
		}
	}
	(*longs)[n] = (struct option){ "help", no_argument, NULL, CLI_HELP };
}

/* Fill a; argv[0] is the command's own name. Returns CLI_OK, CLI_USAGE, or -1 when help
 * was asked for. */
static int cli_parse(struct cli_args *a, int argc, char **argv)
{
	const struct cli_command *c = a->command;
	size_t n = cli_count_options(c);
	struct str shorts = STR_INIT;
	struct option *longs;
	int opt, rc = CLI_OK;

	cli_getopt_tables(c, &shorts, &longs);
	a->values = xcalloc((size_t)argc + 1, sizeof *a->values);
	optind = 0;     /* GNU: start anew, with permutation */
	opterr = 0;
	while (rc == CLI_OK && (opt = getopt_long(argc, argv, shorts.s, longs, NULL)) != -1) {
		struct cli_value *v = &a->values[a->n_values];
		size_t i = (size_t)(opt - CLI_BASE);

		if (opt == CLI_HELP) {
			rc = -1;
			break;
		}
		if (opt == '?' || opt == ':') {
			rc = cli_bad_option(c, opt, argv[optind - 1]);
			break;
		}
		if (opt < CLI_BASE)
			for (i = 0; i < n && c->options[i].letter != opt; i++)
				;
		assert(i < n);
		*v = (struct cli_value){ .option = &c->options[i], .text = optarg };
		a->n_values++;
		if (v->option->kind == CLI_LONG || v->option->kind == CLI_DOUBLE)
			rc = cli_number(c, v);
	}
	a->operands = argv + optind;
	a->n = (size_t)(argc - optind);
	str_free(&shorts);
	free(longs);
	return rc;
}

/* ---- what every command takes ---- */

const struct cli_option cli_everywhere[] = {
	{ "config", 0, "FILE", CLI_STRING, "read the settings from this file", 0, 0 },
	{ "setting", 0, "NAME=VALUE", CLI_LIST, "a setting for this run (answerback config list shows all)", 0, 0 },
	{ "data-dir", 0, "FOLDER", CLI_STRING, "keep everything in this folder", 0, 0 },
	{ "private", 0, NULL, CLI_FLAG, "keep nothing of what is said", 0, 0 },
	{ "color", 0, "WHEN", CLI_STRING, "auto, always or never", 0, 0 },
	CLI_OPTION_END
};

/* The setting that an option of this name is a flag for. --model is none: it is an operand of what is done now. */
static bool cli_setting(const char *option, enum config_id *id)
{
	char name[64];

	snprintf(name, sizeof name, "%s", option);
	for (char *s = name; *s; s++)
		if (*s == '-')
			*s = '_';
	return config_find(name, id, NULL) == 0 && *id != CONFIG_MODEL;
}

static int cli_override(enum config_id id, const char *value, const char *option)
{
	char origin[64];
	struct err e = ERR_INIT;

	snprintf(origin, sizeof origin, "--%s", option);
	if (config_override(id, value, origin, &e) < 0)
		return cli_wrong(NULL, "%s: %s", origin, e.msg);
	return CLI_OK;
}

/* --setting NAME=VALUE */
static int cli_set(const char *text)
{
	const size_t n = strcspn(text, "=");
	char name[64];
	struct err e = ERR_INIT;
	enum config_id id;

	snprintf(name, sizeof name, "%.*s", (int)(n < sizeof name ? n : sizeof name - 1), text);
	if (text[n] != '=')
		return cli_wrong(NULL, "--setting wants NAME=VALUE, not '%.60s'", text);
	if (config_find(name, &id, &e) < 0)
		return cli_wrong(NULL, "--setting: %s", e.msg);
	if (config_override(id, text + n + 1, "--setting", &e) < 0)
		return cli_wrong(NULL, "--setting %s: %s", name, e.msg);
	return CLI_OK;
}

static int cli_take(const struct cli_option *o, const char *value)
{
	enum config_id id;

	if (strcmp(o->name, "setting") == 0)
		return cli_set(value);
	if (strcmp(o->name, "config") == 0) {
		config_use_file(value);
		return CLI_OK;
	}
	/* programs that we start (send_command, $EDITOR) keep to the same folder, and to what is private */
	if (strcmp(o->name, "data-dir") == 0)
		setenv("ANSWERBACK_DATA_DIR", value, 1);
	else if (strcmp(o->name, "private") == 0)
		setenv("ANSWERBACK_PRIVATE", "yes", 1);
	return cli_setting(o->name, &id) ? cli_override(id, value, o->name) : CLI_OK;
}

/* Taken out before the command sees its own options: nothing has to hand them down. */
static int cli_common(int *argc, char **argv)
{
	int kept = 1, rc;

	for (int i = 1; i < *argc; i++) {
		const struct cli_option *o = cli_everywhere;
		size_t n = 0;
		const char *value = NULL;

		if (strcmp(argv[i], "--") == 0) {
			while (i < *argc)
				argv[kept++] = argv[i++];
			break;
		}
		for (; o->name; o++) {
			n = strlen(o->name);
			if (strncmp(argv[i], "--", 2) == 0 && strncmp(argv[i] + 2, o->name, n) == 0 &&
			    (argv[i][2 + n] == '\0' || argv[i][2 + n] == '='))
				break;
		}
		if (!o->name) {
			argv[kept++] = argv[i];
			continue;
		}
		if (argv[i][2 + n] == '=' && !o->arg)
			return cli_wrong(NULL, "--%s takes no value", o->name);
		value = argv[i][2 + n] == '=' ? argv[i] + 3 + n : !o->arg ? "yes" : i + 1 < *argc ? argv[++i] : "";
		if (!*value)
			return cli_wrong(NULL, "--%s wants a value (%s)", o->name, o->arg);
		if ((rc = cli_take(o, value)) != CLI_OK)
			return rc;
	}
	*argc = kept;
	argv[kept] = NULL;
	return CLI_OK;
}

/* Flags of the command's own that are settings count as such; then file and environment. */
static int cli_settings(const struct cli_args *a)
{
	/* these mend a file that is wrong, or say what is wrong with it */
	static const char *const menders[] = { "config", "doctor", "completions" };
	struct err e = ERR_INIT;
	const struct config_problem *p;
	size_t n;
	int rc;

	for (size_t i = 0; i < a->n_values; i++) {
		const struct cli_value *v = &a->values[i];
		enum config_id id;

		if (cli_setting(v->option->name, &id) && (rc = cli_override(id, v->text ? v->text : "yes", v->option->name)) != CLI_OK)
			return rc;
	}
	rc = config_load(&e);
	for (size_t i = 0; i < sizeof menders / sizeof menders[0]; i++)
		if (strcmp(a->command->name, menders[i]) == 0)
			return CLI_OK;
	if (rc < 0)
		return cli_failed(&e);
	p = config_problems(&n);
	for (size_t i = 0; i < n; i++)
		cli_error("%s", p[i].text);
	return CLI_OK;
}

static int cli_run(const struct cli_command *c, int argc, char **argv)
{
	struct cli_args a = { .command = c };
	int rc = cli_parse(&a, argc, argv);

	if (rc < 0)
		rc = cli_help_command(c);
	else if (rc == CLI_OK && (rc = cli_settings(&a)) == CLI_OK)
		rc = c->run(&a);
	free(a.values);
	return rc;
}

static const struct cli_command *cli_find(const struct cli_command *const *commands, const char *name)
{
	for (; *commands; commands++)
		if (strcmp((*commands)->name, name) == 0)
			return *commands;
	return NULL;
}

static int cli_dispatch(const struct cli_command *const *commands, int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : NULL;
	const struct cli_command *c;

	if (word && (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0))
		return cli_help_program(commands);
	if (word && strcmp(word, "help") == 0) {
		if (argc == 2)
			return cli_help_program(commands);
		c = cli_find(commands, argv[2]);
		return c ? cli_help_command(c) : cli_wrong(NULL, "unknown command '%s'", argv[2]);
	}
	if (word && strcmp(word, "--version") == 0)
		return cli_version();
	if (word && word[0] != '-') {
		c = cli_find(commands, word);
		return c ? cli_run(c, argc - 1, argv + 1) : cli_wrong(NULL, "unknown command '%s'", word);
	}
	c = cli_find(commands, "chat");
	if (c)
		return cli_run(c, argc, argv);
	if (word)
		return cli_wrong(NULL, "unknown option '%s'", word);
	cli_error("say what to do; see answerback --help");
	return CLI_USAGE;
}

int cli_main(const struct cli_command *const *commands, int argc, char **argv)
{
	int rc = cli_common(&argc, argv);

	if (rc != CLI_OK)
		return rc;
	rc = cli_dispatch(commands, argc, argv);

	/* what was written but never arrived (a full disk) must not look like success */
	if (fflush(stdout) != 0 || ferror(stdout)) {
		if (errno == EPIPE)
			return rc;
		cli_error("cannot write to standard output: %s", strerror(errno));
		return rc == CLI_OK || rc == CLI_UNSURE ? CLI_ERROR : rc;
	}
	return rc;
}
