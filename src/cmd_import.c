/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cmd_import: `answerback import`: other programs' conversations into the store. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "commands.h"
#include "config.h"
#include "import.h"

static const struct cli_option options[] = {
	{ "format", 'f', "FORMAT", CLI_STRING, "jsonl, csv, mbox or transcript (guessed from name and content)", 0, 0 },
	{ "agent", 'a', "WHO", CLI_LIST, "who answers: a name, a mail address or a domain; may be repeated", 0, 0 },
	{ "column", 0, "FIELD=NAME", CLI_LIST, "CSV: which column is role, text, conversation, ...; may be repeated", 0, 0 },
	{ "no-header", 0, NULL, CLI_FLAG, "CSV: the first row is a message; columns by number (--column text=3)", 0, 0 },
	{ "dates", 0, "ORDER", CLI_STRING, "what 1/2/2026 means: dmy or mdy", 0, 0 },
	{ "company", 'c', "NAME", CLI_STRING, "whose support it is, where the file does not say", 0, 0 },
	{ "tag", 0, "TAG", CLI_STRING, "tag the new conversations", 0, 0 },
	{ "strict", 0, NULL, CLI_FLAG, "keep nothing of a file in which something cannot be read", 0, 0 },
	CLI_OPTION_JSON,
	CLI_OPTION_END
};

enum { WARNINGS = 20, BAR = 30 };

struct show {
	const char *file;
	size_t warnings;
	bool terminal, drawn;
	double last;
};

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void clear(struct show *s)
{
	if (s->drawn)
		fputs("\r\033[K", stderr);
	s->drawn = false;
}

static void warn(const char *message, void *arg)
{
	struct show *s = arg;

	clear(s);
	if (++s->warnings <= WARNINGS)
		fprintf(stderr, "answerback: %s\n", message);
	else if (s->warnings == WARNINGS + 1)
		fprintf(stderr, "answerback: %s: and so on; the rest is counted\n", s->file);
}

/* A bar on a terminal, a line every few seconds elsewhere; import of a small file says nothing. */
static void progress(const struct import_reader *r, const struct import_result *so_far, void *arg)
{
	struct show *s = arg;
	uint64_t done, total;
	double now = seconds();
	char bar[BAR + 1];
	size_t full;

	if (now - s->last < (s->terminal ? 0.2 : 5))
		return;
	s->last = now;
	import_progress(r, &done, &total);
	full = total ? (size_t)((double)done / (double)total * BAR) : 0;
	for (size_t i = 0; i < BAR; i++)
		bar[i] = i < full && i < BAR ? '#' : '.';
	bar[BAR] = '\0';
	if (!s->terminal)
		fprintf(stderr, "answerback: %s: %llu %% read, %zu conversations new, %zu known\n", s->file,
		        (unsigned long long)(total ? done * 100 / total : 0), so_far->added, so_far->known);
	else if (total)
		fprintf(stderr, "\r[%s] %3llu %% read, %zu conversations new, %zu known\033[K", bar,
		        (unsigned long long)(done * 100 / total), so_far->added, so_far->known);
	else
		fprintf(stderr, "\r%llu MiB read, %zu conversations new, %zu known\033[K", (unsigned long long)(done >> 20),
		        so_far->added, so_far->known);
	s->drawn = s->terminal;
}

/* CSV and mbox are read whole before anything is kept. */
static void tick(const struct import_reader *r, void *arg)
{
	static const struct import_result none = { 0 };
	const enum import_format f = import_format(r);

	if (f == IMPORT_CSV || f == IMPORT_MBOX)
		progress(r, &none, arg);
}

static void report(const char *file, const struct import_result *x, bool json)
{
	const char *format = import_format_name(x->format);
	json_t *o;
	char *text;

	if (!json) {
		printf("%s: %s, %zu conversations with %zu messages are new", file, format, x->added, x->messages);
		if (x->grown)
			printf(", %zu have gone on by %zu messages", x->grown, x->grown_messages);
		if (x->known)
			printf(", %zu were there already", x->known);
		if (x->counts.bad)
			printf(", %zu lines could not be read", x->counts.bad);
		if (x->counts.skipped)
			printf(", %zu messages left out (no text, or of neither side)", x->counts.skipped);
		if (x->counts.untimed)
			printf(", %zu times could not be read", x->counts.untimed);
		putchar('\n');
		return;
	}
	o = json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "file", file, "format", format, "conversations",
	              (json_int_t)x->added, "messages", (json_int_t)x->messages, "grown", (json_int_t)x->grown, "grown_messages",
	              (json_int_t)x->grown_messages, "known", (json_int_t)x->known, "bad", (json_int_t)x->counts.bad, "skipped", (json_int_t)x->counts.skipped, "untimed",
	              (json_int_t)x->counts.untimed);
	if (!o)      /* a file name that is no UTF-8 */
		o = json_pack("{s:s, s:I, s:I}", "format", format, "conversations", (json_int_t)x->added, "known", (json_int_t)x->known);
	text = json_dumps(o, JSON_COMPACT);
	puts(text);
	free(text);
	json_decref(o);
}

static const char **list(const struct cli_args *a, const char *name, size_t *n)
{
	const char **v;

	*n = cli_count(a, name);
	v = xcalloc(*n + 1, sizeof(*v));
	for (size_t i = 0; i < *n; i++)
		v[i] = cli_nth(a, name, i);
	return v;
}

static int import_all(struct cli_args *a, char *const *files, size_t n, struct import_opts *o)
{
	struct import_into into = { .company = cli_string(a, "company", NULL), .tag = cli_string(a, "tag", NULL) };
	struct err e = ERR_INIT;
	struct store *s;
	int code = CLI_OK;

	if (store_open(&s, NULL, STORE_READ_WRITE, &e) < 0)
		return cli_failed(&e);
	for (size_t i = 0; i < n; i++) {
		struct show show = { .file = strcmp(files[i], "-") == 0 ? "standard input" : files[i], .terminal = isatty(STDERR_FILENO),
			.last = seconds() };
		struct import_result x;
		struct err why = ERR_INIT;
		int rc;

		into.progress = progress;
		into.arg = o->arg = &show;
		rc = import_file(s, files[i], o, &into, &x, &why);
		clear(&show);
		/* what a file that broke off has given is said, too */
		if (rc == 0 || x.added || x.grown || x.known)
			report(show.file, &x, cli_flag(a, "json"));
		if (rc < 0)
			code = cli_failed(&why);
		if (rc < 0 && (o->strict || why.code == ERR_USAGE || why.code == ERR_BUSY))
			break;
	}
	store_close(s);
	return code;
}

static int run(struct cli_args *a)
{
	struct import_opts o = { .strict = cli_flag(a, "strict"), .no_header = cli_flag(a, "no-header"), .warn = warn, .tick = tick };
	const char *dates = cli_string(a, "dates", NULL), *format = cli_string(a, "format", NULL);
	char *const *files = a->operands;
	size_t n = a->n;
	int rc;

	/* `import jsonl FILE` says the format, too */
	if (!format && n >= 2 && import_format_of(files[0], &o.format)) {
		files++;
		n--;
	}
	if (format && !import_format_of(format, &o.format))
		return cli_usage(a, "there is no format '%s'; say jsonl, csv, mbox or transcript", format);
	if (dates && strcmp(dates, "dmy") != 0 && strcmp(dates, "mdy") != 0)
		return cli_usage(a, "--dates is dmy or mdy");
	if (dates)
		o.dates = *dates == 'd' ? WHEN_DAY_MONTH : WHEN_MONTH_DAY;
	if (n == 0)
		return cli_usage(a, "say which files; - is standard input");
	if (config_yes(CONFIG_PRIVATE))
		return cli_usage(a, "nothing is kept in private mode");
	o.agents = list(a, "agent", &o.n_agents);
	o.columns = list(a, "column", &o.n_columns);
	rc = import_all(a, files, n, &o);
	free((void *)(uintptr_t)o.agents);
	free((void *)(uintptr_t)o.columns);
	return rc;
}

const struct cli_command cmd_import = {
	"import", "keep other programs' conversations", "[OPTION...] [FORMAT] FILE...", options, run,
	"Chat JSONL, CSV with named columns, mbox and transcripts (\"Customer: ...\", \"Agent: ...\"), plain or .xz. What\n"
	"cannot be read is reported by line and skipped. The same conversation is never kept twice."
};
