/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cmd_db: `db check|vacuum|migrate`, `backup` and `restore`. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/str.h"
#include "commands.h"
#include "paths.h"
#include "store.h"
#include "store_forget.h"

static const struct cli_option none[] = { CLI_OPTION_END };

static int run_db(struct cli_args *a)
{
	struct str report = STR_INIT;
	struct err e = ERR_INIT;
	struct store *s = NULL;
	const char *what = a->n == 1 ? a->operands[0] : "";
	int rc;

	if (strcmp(what, "check") != 0 && strcmp(what, "vacuum") != 0 && strcmp(what, "migrate") != 0)
		return cli_usage(a, "say check, vacuum or migrate");
	rc = store_open(&s, NULL, strcmp(what, "check") == 0 ? STORE_NO_MIGRATE : STORE_READ_WRITE, &e);
	if (rc == 0 && strcmp(what, "check") == 0)
		rc = store_check(s, &report, &e);
	if (rc == 0 && strcmp(what, "vacuum") == 0)
		rc = store_vacuum(s, &e);
	if (rc == 0)
		printf("%s: %s\n", store_path(s), strcmp(what, "check") == 0 ? "whole" : "done");
	fputs(report.s, stderr);
	str_free(&report);
	store_close(s);
	return rc < 0 ? cli_failed(&e) : CLI_OK;
}

const struct cli_command cmd_db = {
	"db", "look after the file that everything is kept in", "check|vacuum|migrate", none, run_db, NULL
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
