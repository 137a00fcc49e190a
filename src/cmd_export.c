/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cmd_export: `answerback export`: what was said, for other programs and for people. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "commands.h"
#include "config.h"
#include "export.h"
#include "when.h"

static const struct cli_option options[] = {
	{ "format", 'f', "FORMAT", CLI_STRING, "jsonl, csv or markdown (default: by the name of --out, else jsonl)", 0, 0 },
	{ "out", 'o', "FILE", CLI_STRING, "write here, when all of it is written", 0, 0 },
	{ "redact", 0, NULL, CLI_FLAG, "placeholders instead of personal data", 0, 0 },
	{ "company", 'c', "NAME", CLI_STRING, "with --redact: the company, where a conversation does not say", 0, 0 },
	{ "conversation", 0, "ID", CLI_LIST, "this conversation; may be repeated", 0, 0 },
	{ "case", 0, "ID", CLI_STRING, "of this case", 0, 0 },
	{ "customer", 0, "NAME", CLI_STRING, "of customers whose name holds this", 0, 0 },
	{ "tag", 0, "TAG", CLI_STRING, "with this tag", 0, 0 },
	{ "after", 0, "DATE", CLI_STRING, "whose last message is of this day or later (2026-01-31)", 0, 0 },
	{ "before", 0, "DATE", CLI_STRING, "whose last message is older", 0, 0 },
	CLI_OPTION_JSON,
	CLI_OPTION_END
};

struct ids {
	int64_t *v;
	size_t n, cap;
};

static void add_id(struct ids *ids, int64_t id)
{
	if (ids->n == ids->cap) {
		ids->cap = ids->cap ? ids->cap * 2 : 64;
		ids->v = xreallocarray(ids->v, ids->cap, sizeof(*ids->v));
	}
	ids->v[ids->n++] = id;
}

static bool gather(const struct store_conversation *c, void *arg)
{
	add_id(arg, c->id);
	return true;
}

static int compare(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static int read_id(const char *text, struct ids *ids, struct err *e)
{
	char *end;
	long long id;

	errno = 0;
	id = strtoll(text, &end, 10);
	if (errno || end == text || *end || id <= 0)
		return err_set(e, ERR_USAGE, "'%.40s' is no number of a conversation; answerback search shows them", text);
	add_id(ids, id);
	return 0;
}

static int read_date(const struct cli_args *a, const char *name, int64_t *ms, struct err *e)
{
	const char *text = cli_string(a, name, NULL);

	if (text && !when_parse(text, strlen(text), WHEN_NO_ORDER, ms))
		return err_set(e, ERR_USAGE, "--%s: '%.40s' is no date; write it as 2026-01-31", name, text);
	return 0;
}

/* Which ones: those that are named, else what the filters leave, oldest first. */
static int choose(struct cli_args *a, size_t from, struct store *s, struct ids *ids, struct err *e)
{
	struct store_filter f = { .from = cli_string(a, "customer", NULL), .tag = cli_string(a, "tag", NULL),
		.case_id = cli_string(a, "case", NULL) };
	int rc = 0;

	for (size_t i = from; i < a->n && rc == 0; i++)
		rc = read_id(a->operands[i], ids, e);
	for (size_t i = 0; i < cli_count(a, "conversation") && rc == 0; i++)
		rc = read_id(cli_nth(a, "conversation", i), ids, e);
	if (rc == 0)
		rc = read_date(a, "after", &f.after, e);
	if (rc == 0)
		rc = read_date(a, "before", &f.before, e);
	if (rc < 0)
		return rc;
	if (ids->n && (f.from || f.tag || f.case_id || f.after || f.before))
		return err_set(e, ERR_USAGE, "say which conversations, or what they have in common, not both");
	if (ids->n == 0) {
		rc = store_conversations(s, &f, (size_t)INT64_MAX, 0, gather, ids, e);
		if (ids->n)
			qsort(ids->v, ids->n, sizeof(*ids->v), compare);
		return rc;
	}
	for (size_t i = 0; i < ids->n && rc == 0; i++) {      /* before the first is written */
		struct store_conversation c;

		rc = store_conversation_get(s, ids->v[i], &c, e);
		store_conversation_free(&c);
	}
	return rc;
}

/* A file beside the one that is wanted: that one is there whole, or as it was. */
static FILE *open_out(const char *path, struct str *tmp, struct err *e)
{
	FILE *f;
	int fd;

	str_addf(tmp, "%s.tmp.%ld", path, (long)getpid());
	unlink(tmp->s);
	fd = open(tmp->s, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	f = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (!f)
		err_set(e, ERR_IO, "%s cannot be written: %s", path, strerror(errno));
	return f;
}

static int close_out(FILE *f, const char *tmp, const char *path, int rc, struct err *e)
{
	if (rc == 0 && fsync(fileno(f)) != 0)
		rc = err_set(e, ERR_IO, "%s: not written whole: %s", path, strerror(errno));
	if (fclose(f) != 0 && rc == 0)
		rc = err_set(e, ERR_IO, "%s: not written whole: %s", path, strerror(errno));
	if (rc == 0 && rename(tmp, path) != 0)
		rc = err_set(e, ERR_IO, "%s cannot be written: %s", path, strerror(errno));
	if (rc < 0)
		unlink(tmp);
	return rc;
}

static int write_all(struct cli_args *a, struct store *s, const struct ids *ids, enum export_format format, struct err *e)
{
	const char *out = cli_string(a, "out", "-");
	const bool to_file = strcmp(out, "-") != 0, show = to_file && isatty(STDERR_FILENO);
	struct str tmp = STR_INIT;
	FILE *f = to_file ? open_out(out, &tmp, e) : stdout;
	struct exporter *x;
	size_t written;
	int rc = 0, end;

	if (!f) {
		str_free(&tmp);
		return ERR_IO;
	}
	x = export_new(f, format, cli_flag(a, "redact"), cli_string(a, "company", config_text(CONFIG_COMPANY)));
	for (size_t i = 0; i < ids->n && rc == 0; i++) {
		rc = export_conversation(x, s, ids->v[i], e);
		if (rc == ERR_NOTFOUND)      /* deleted by another program meanwhile */
			rc = 0;
		if (show && i % 1000 == 999)
			fprintf(stderr, "\r%zu %% written\033[K", (i + 1) * 100 / ids->n);
	}
	if (show && ids->n >= 1000)
		fputs("\r\033[K", stderr);
	written = export_count(x);
	end = export_end(x, rc < 0 ? NULL : e);
	rc = rc < 0 ? rc : end;
	if (to_file)
		rc = close_out(f, tmp.s, out, rc, e);
	str_free(&tmp);
	if (rc == 0 && written == 0)
		fprintf(stderr, "answerback: there is no such conversation\n");
	else if (rc == 0 && to_file)
		fprintf(stderr, "answerback: %s: %zu conversations\n", out, written);
	if (rc == 0 && written && cli_flag(a, "redact"))
		fprintf(stderr, "answerback: names of persons (but the customer's own) and postal addresses are not found reliably: "
		        "read it before you hand it on\n");
	return rc;
}

static int run(struct cli_args *a)
{
	enum export_format format = export_format_of_file(cli_string(a, "out", NULL), EXPORT_JSONL);
	const char *name = cli_string(a, "format", NULL);
	struct err e = ERR_INIT;
	struct ids ids = { 0 };
	struct store *s;
	size_t from = 0;
	int rc;

	/* `export csv` says the format, too */
	if (!name && a->n && export_format_of(a->operands[0], &format))
		from = 1;
	else if (cli_flag(a, "json") && !name)
		format = EXPORT_JSONL;
	if (name && !export_format_of(name, &format))
		return cli_usage(a, "there is no format '%s'; say jsonl, csv or markdown", name);
	if (cli_flag(a, "json") && format != EXPORT_JSONL)
		return cli_usage(a, "--json is --format jsonl; say one of the two");
	rc = store_open(&s, NULL, STORE_READ_ONLY, &e);
	if (rc == 0)
		rc = choose(a, from, s, &ids, &e);
	if (rc == 0)
		rc = write_all(a, s, &ids, format, &e);
	store_close(s);
	free(ids.v);
	return rc < 0 ? cli_failed(&e) : CLI_OK;
}

const struct cli_command cmd_export = {
	"export", "write conversations out", "[OPTION...] [FORMAT] [ID...]", options, run,
	"JSONL and CSV hold everything: answerback import reads them back to the same conversations. Without IDs and\n"
	"filters everything is written, oldest first."
};
