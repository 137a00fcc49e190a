/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cli: the command line. Each subcommand is one `struct cli_command` in src/cmd_NAME.c,
 * listed in src/commands.c; its option table drives getopt_long, --help and the checks of
 * numbers. By the time run() is called every value has been read and is in its range:
 * the getters cannot fail, and the settings are loaded (config.h); an option that has the name of a setting
 * (--send-command, --threads) has set it. Asking for a name that is not in the table is a bug (assert).
 *
 *     static const struct cli_option options[] = {
 *         CLI_OPTION_MODEL,
 *         CLI_OPTION_JSON,
 *         { "threads", 't', "N", CLI_LONG, "worker threads (default 2)", 1, 64 },
 *         { "valid", 0, "FILE", CLI_LIST, "held-out conversations; may be repeated", 0, 0 },
 *         CLI_OPTION_END
 *     };
 *     static int run(struct cli_args *a)
 *     {
 *         long threads = cli_long(a, "threads", 2);
 *
 *         if (a->n == 0)
 *             return cli_usage(a, "say which file to evaluate");
 *         ...
 *         return CLI_OK;
 *     }
 *     const struct cli_command cmd_eval = {
 *         "eval", "measure a model on conversations", "[OPTION...] FILE...", options, run
 *     };
 *
 * Data go to stdout, everything else to stderr. cli_main closes stdout and turns a full
 * disk into an error; a closed pipe ends the program quietly (SIGPIPE's default action:
 * a command that has to survive one must ignore the signal itself). C-c exits with 130
 * unless a command installs a handler of its own.
 */
#ifndef ANSWERBACK_CLI_H
#define ANSWERBACK_CLI_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum cli_exit {
	CLI_OK = 0,
	CLI_ERROR = 1,
	CLI_USAGE = 2,
	CLI_UNSURE = 3,         /* no confident answer */
	CLI_GATE = 4,           /* a new model did not pass */
	CLI_INTERRUPTED = 130   /* C-c */
};

enum cli_kind {
	CLI_FLAG,               /* takes no value */
	CLI_STRING,
	CLI_LONG,
	CLI_DOUBLE,
	CLI_LIST                /* a string, may be given many times */
};

struct cli_option {
	const char *name;       /* long name; NULL ends the table */
	char letter;            /* short name or 0; 'h' is taken */
	const char *arg;        /* what --help calls the value; NULL for a flag */
	enum cli_kind kind;
	const char *help;       /* one line, no capital, no full stop; NULL hides the option */
	double min, max;        /* of a number; both 0: anything */
};

#define CLI_OPTION_END { NULL, 0, NULL, CLI_FLAG, NULL, 0, 0 }
#define CLI_OPTION_JSON { "json", 0, NULL, CLI_FLAG, "write JSON, one object a line", 0, 0 }
#define CLI_OPTION_MODEL { "model", 'm', "FILE", CLI_STRING, "use this model file", 0, 0 }
#define CLI_OPTION_DATA_DIR { "data-dir", 0, "FOLDER", CLI_STRING, "keep data here", 0, 0 }

/* What every command takes besides its own options; read before them. */
extern const struct cli_option cli_everywhere[];

struct cli_args;

struct cli_command {
	const char *name;
	const char *summary;    /* one line for `answerback --help` */
	const char *usage;      /* what follows the name: "[OPTION...] [TEXT | -]" */
	const struct cli_option *options;
	int (*run)(struct cli_args *a);     /* returns one of enum cli_exit */
	const char *more;       /* paragraphs under the options, or NULL */
};

struct cli_value {
	const struct cli_option *option;
	const char *text;
	long l;
	double d;
};

struct cli_args {
	const struct cli_command *command;
	char **operands;        /* what is no option, in order; NULL after the last */
	size_t n;               /* how many */
	struct cli_value *values;
	size_t n_values;
};

/* Run the program: argv[1] names one of commands (NULL-terminated); without one, or with
 * options only, the command called "chat" runs when there is one. Returns the exit code. */
int cli_main(const struct cli_command *const *commands, int argc, char **argv);

/* Was it given? (Any kind.) */
bool cli_given(const struct cli_args *a, const char *name);
bool cli_flag(const struct cli_args *a, const char *name);
/* The last value given, or def. Strings belong to argv. */
const char *cli_string(const struct cli_args *a, const char *name, const char *def);
long cli_long(const struct cli_args *a, const char *name, long def);
double cli_double(const struct cli_args *a, const char *name, double def);
/* A CLI_LIST: how often, and the i-th. */
size_t cli_count(const struct cli_args *a, const char *name);
const char *cli_nth(const struct cli_args *a, const char *name, size_t i);

/* "answerback reply: MESSAGE; see answerback reply --help" on stderr; returns CLI_USAGE. */
int cli_usage(const struct cli_args *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* "answerback: MESSAGE" on stderr; returns CLI_ERROR. */
int cli_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The same with e's message: CLI_USAGE for ERR_USAGE, CLI_INTERRUPTED for ERR_CANCELLED, else CLI_ERROR. */
int cli_failed(const struct err *e);

#endif
