/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cmd_db: `db check|vacuum|migrate`, `backup` and `restore`. */
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/str.h"
#include "commands.h"
#include "paths.h"
#include "store.h"
#include "store_forget.h"

static const struct cli_option none[] = { CLI_OPTION_END };

static const struct cli_option db_options[] = { CLI_OPTION_JSON, CLI_OPTION_END };

static int64_t bytes_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? (int64_t)st.st_size : 0;
}

static void put(json_t *o)
{
	char *text = json_dumps(o, JSON_COMPACT);

	puts(text ? text : "{}");
	free(text);
	json_decref(o);
}

/* Nothing is made by looking; and a file that cannot be written can be looked at. */
static int check(struct cli_args *a, struct err *e)
{
	struct str report = STR_INIT;
	struct store *s = NULL, *writing = NULL;
	struct err ignored = ERR_INIT;
	int rc = store_open(&s, NULL, STORE_READ_ONLY, e);

	if (rc == ERR_NOTFOUND)
		return rc;
	if (store_open(&writing, NULL, STORE_NO_MIGRATE, rc < 0 ? e : &ignored) == 0) {
		store_close(s);
		s = writing;
		*e = (struct err)ERR_INIT;
		rc = 0;
	}
	if (!s)
		return rc;
	rc = store_check(s, &report, e);
	if (cli_flag(a, "json"))
		put(json_pack("{s:s, s:i, s:I, s:b, s:s}", "file", store_path(s), "version", store_version(s), "bytes",
		              (json_int_t)bytes_of(store_path(s)), "whole", rc == 0, "report", report.s));
	else if (rc == 0)
		printf("%s: whole (version %d, %.1f MB)\n", store_path(s), store_version(s), (double)bytes_of(store_path(s)) / 1e6);
	fputs(report.s, stderr);
	str_free(&report);
	store_close(s);
	return rc;
}

static int vacuum(struct cli_args *a, struct err *e)
{
	struct store *s;
	int rc = store_open(&s, NULL, STORE_READ_WRITE, e);
	int64_t before;

	if (rc < 0)
		return rc;
	before = bytes_of(store_path(s));
	rc = store_vacuum(s, e);
	if (rc == 0 && cli_flag(a, "json"))
		put(json_pack("{s:s, s:I, s:I}", "file", store_path(s), "before", (json_int_t)before, "bytes",
		              (json_int_t)bytes_of(store_path(s))));
	else if (rc == 0)
		printf("%s: done, %.1f MB, before %.1f MB\n", store_path(s), (double)bytes_of(store_path(s)) / 1e6, (double)before / 1e6);
	store_close(s);
	return rc;
}

static int migrate(struct cli_args *a, struct err *e)
{
	struct store *s = NULL;
	int rc = store_open(&s, NULL, STORE_NO_MIGRATE, e), from;

	if (rc < 0)
		return rc;
	from = store_version(s);
	store_close(s);
	rc = store_open(&s, NULL, STORE_READ_WRITE, e);
	if (rc < 0)
		return rc;
	if (cli_flag(a, "json"))
		put(json_pack("{s:s, s:i, s:i}", "file", store_path(s), "from", from, "version", store_version(s)));
	else if (from == store_version(s))
		printf("%s: done, it is of version %d already\n", store_path(s), from);
	else
		printf("%s: done, from version %d to %d; as it was: %s.v%d.backup\n", store_path(s), from, store_version(s), store_path(s), from);
	store_close(s);
	return 0;
}

static bool print_audit(int64_t when, const char *what, const char *detail, void *arg)
{
	struct cli_args *a = arg;
	const time_t t = (time_t)(when / 1000);
	char text[32];
	struct tm tm;

	localtime_r(&t, &tm);
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M", &tm);
	if (cli_flag(a, "json"))
		put(json_pack("{s:I, s:s, s:s}", "time", (json_int_t)when, "what", what, "detail", detail));
	else
		printf("%s  %-14s %s\n", text, what, detail);
	return true;
}

static int audit(struct cli_args *a, struct err *e)
{
	struct store *s;
	int rc = store_open(&s, NULL, STORE_READ_ONLY, e);

	if (rc == 0)
		rc = store_audits(s, SIZE_MAX >> 1, print_audit, a, e);
	store_close(s);
	return rc;
}

static int run_db(struct cli_args *a)
{
	static const struct {
		const char *name;
		int (*run)(struct cli_args *a, struct err *e);
	} what[] = { { "check", check }, { "vacuum", vacuum }, { "migrate", migrate }, { "audit", audit } };
	struct err e = ERR_INIT;

	for (size_t i = 0; a->n == 1 && i < sizeof(what) / sizeof(what[0]); i++)
		if (strcmp(a->operands[0], what[i].name) == 0)
			return what[i].run(a, &e) < 0 ? cli_failed(&e) : CLI_OK;
	return cli_usage(a, "say check, vacuum, migrate or audit");
}

const struct cli_command cmd_db = {
	"db", "look after the file that everything is kept in", "[--json] check|vacuum|migrate|audit", db_options, run_db,
	"check reads all of it; vacuum builds the word index anew and gives free space back; migrate brings an older file to\n"
	"this program's version, as every command that writes does, after a backup beside it; audit lists what changed what is\n"
	"learned from, newest first."
};

static int run_backup(struct cli_args *a)
{
	struct str path = STR_INIT;
	struct err e = ERR_INIT;
	struct store *s = NULL;
	char when[32];
	time_t now = time(NULL);
	struct tm tm;
	int rc = store_open(&s, NULL, STORE_NO_MIGRATE, &e);

	if (a->n > 1)
		rc = err_set(&e, ERR_USAGE, "one file at most");
	if (rc == 0) {
		localtime_r(&now, &tm);
		strftime(when, sizeof(when), "%Y%m%d-%H%M%S", &tm);
		if (a->n == 1)
			str_adds(&path, a->operands[0]);
		else
			str_addf(&path, "%s.%s.backup", store_path(s), when);
		rc = store_backup(s, path.s, &e);
		if (rc == 0)      /* forget cleans it too */
			rc = store_copy_noted(s, path.s, &e);
	}
	if (rc == 0)
		puts(path.s);
	store_close(s);
	str_free(&path);
	return rc < 0 ? cli_failed(&e) : CLI_OK;
}

const struct cli_command cmd_backup = {
	"backup", "copy the database to a file, consistent while it is in use", "[FILE]", none, run_backup,
	"Without FILE it goes beside the database, named by the time."
};

static int run_restore(struct cli_args *a)
{
	struct err e = ERR_INIT;

	if (a->n != 1)
		return cli_usage(a, "say which backup");
	if (store_restore(NULL, a->operands[0], &e) < 0)
		return cli_failed(&e);
	puts("restored; what was there is answerback.db.before-restore beside it");
	return CLI_OK;
}

const struct cli_command cmd_restore = {
	"restore", "put a backup in the database's place", "FILE", none, run_restore, NULL
};
