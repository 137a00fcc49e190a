/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_config: the table of settings, precedence, bad files, and changing one line of a file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/str.h"
#include "config.h"
#include "config_private.h"

static char home[64], file[128];

static int fresh(void **state)
{
	(void)state;
	config_reset();
	snprintf(home, sizeof(home), "/tmp/answerback-test.XXXXXX");
	if (!mkdtemp(home))
		return -1;
	setenv("HOME", home, 1);
	unsetenv("XDG_CONFIG_HOME");
	unsetenv("ANSWERBACK_CONFIG");
	for (size_t i = 0; i < CONFIG_COUNT; i++) {
		char name[64] = "ANSWERBACK_";

		for (size_t k = 0; config_settings[i].name[k]; k++) {
			const char c = config_settings[i].name[k];

			name[11 + k] = c == '_' ? '_' : (char)(c - 'a' + 'A');
			name[12 + k] = '\0';
		}
		unsetenv(name);
	}
	snprintf(file, sizeof(file), "%s/.config/answerback/config.ini", home);
	return 0;
}

static int gone(void **state)
{
	char command[128];

	(void)state;
	config_reset();
	snprintf(command, sizeof(command), "rm -rf %s", home);
	return system(command);
}

static void write_text(const char *path, const char *text)
{
	char command[200];
	FILE *f;

	snprintf(command, sizeof(command), "mkdir -p \"$(dirname %s)\"", path);
	assert_int_equal(system(command), 0);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void assert_file(const char *path, const char *expect)
{
	struct str text = STR_INIT;
	struct err e = ERR_INIT;

	if (config_file_read(path, &text, &e) < 0)
		fail_msg("%s", e.msg);
	assert_string_equal(text.s, expect);
	str_free(&text);
}

/* config_load fails, with `part` in its message */
static void assert_refused(const char *text, const char *part)
{
	struct err e = ERR_INIT;

	write_text(file, text);
	assert_true(config_load(&e) < 0);
	if (!strstr(e.msg, part))
		fail_msg("'%s' is not in: %s", part, e.msg);
}

static void load(const char *text)
{
	struct err e = ERR_INIT;

	write_text(file, text);
	if (config_load(&e) < 0)
		fail_msg("%s", e.msg);
}

/* ---- the table ---- */

static void config_table_is_sound(void **state)
{
	(void)state;
	for (size_t i = 0; i < CONFIG_COUNT; i++) {
		const struct config_setting *c = &config_settings[i];
		struct err e = ERR_INIT;

		if (config_allows((enum config_id)i, c->def, &e) < 0)
			fail_msg("the default of %s: %s", c->name, e.msg);
		assert_int_equal(strspn(c->name, "abcdefghijklmnopqrstuvwxyz_"), strlen(c->name));
		assert_true(strlen(c->name) < 50);      /* inih cuts longer ones */
		assert_true(c->help[0] && c->help[strlen(c->help) - 1] != '.');
		assert_int_equal(c->kind == CONFIG_KIND_CHOICE, c->values != NULL);
		assert_true(c->kind != CONFIG_KIND_NUMBER || c->min < c->max);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(c->name, config_settings[k].name);
	}
}

static void config_defaults_without_a_file(void **state)
{
	struct err e = ERR_INIT;
	const char *path;

	(void)state;
	assert_int_equal(config_load(&e), 0);
	assert_null(config_text(CONFIG_COMPANY));
	assert_string_equal(config_text(CONFIG_GHOST), "normal");
	assert_int_equal(config_choice(CONFIG_GHOST), 2);
	assert_int_equal(config_number(CONFIG_KEEP_MODELS), 10);
	assert_true(config_yes(CONFIG_ENTER_SENDS));
	assert_false(config_yes(CONFIG_PRIVATE));
	assert_true(config_threads() >= 1);
	assert_int_equal(config_source(CONFIG_GHOST), CONFIG_DEFAULT);
	assert_string_equal(config_origin(CONFIG_GHOST), "default");
	assert_int_equal(config_path(&path, &e), 0);
	assert_string_equal(path, file);
	assert_int_equal(access(file, F_OK), -1);      /* reading makes nothing */
}

static void config_precedence(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	load("# first\n\nghost = shy\nthreads=3\ncompany = The Kettle Shop; Ltd # 1\n");
	assert_string_equal(config_text(CONFIG_GHOST), "shy");
	assert_string_equal(config_origin(CONFIG_GHOST), "config.ini:3");
	assert_int_equal(config_source(CONFIG_GHOST), CONFIG_FILE);
	assert_int_equal(config_threads(), 3);
	assert_string_equal(config_text(CONFIG_COMPANY), "The Kettle Shop; Ltd # 1");
	setenv("ANSWERBACK_GHOST", "eager", 1);
	assert_string_equal(config_text(CONFIG_GHOST), "eager");
	assert_string_equal(config_origin(CONFIG_GHOST), "ANSWERBACK_GHOST");
	setenv("ANSWERBACK_THREADS", "", 1);      /* empty: not set */
	assert_int_equal(config_number(CONFIG_THREADS), 3);
	assert_int_equal(config_override(CONFIG_GHOST, "off", "--ghost", &e), 0);
	assert_string_equal(config_text(CONFIG_GHOST), "off");
	assert_string_equal(config_origin(CONFIG_GHOST), "--ghost");
	assert_int_equal(config_override(CONFIG_GHOST, "loud", "--ghost", &e), ERR_USAGE);
	assert_string_equal(config_text(CONFIG_GHOST), "off");
	assert_int_equal(config_override(CONFIG_COMPANY, "", "--company", &e), 0);
	assert_null(config_text(CONFIG_COMPANY));      /* a flag can take away too */
}

static void config_files_of_the_home(void **state)
{
	char expect[128];

	(void)state;
	load("inbox = ~/in box\ngolden = ~x\n");
	snprintf(expect, sizeof(expect), "%s/in box", home);
	assert_string_equal(config_text(CONFIG_INBOX), expect);
	assert_string_equal(config_text(CONFIG_GOLDEN), "~x");
}

static void config_where_the_file_is(void **state)
{
	struct err e = ERR_INIT;
	char other[128], third[128];
	const char *path;

	(void)state;
	snprintf(other, sizeof(other), "%s/other.ini", home);
	snprintf(third, sizeof(third), "%s/third.ini", home);
	write_text(other, "company = Other\n");
	write_text(third, "company = Third\n");
	setenv("ANSWERBACK_CONFIG", other, 1);
	assert_int_equal(config_load(&e), 0);
	assert_string_equal(config_text(CONFIG_COMPANY), "Other");
	config_use_file(third);
	assert_int_equal(config_load(&e), 0);
	assert_string_equal(config_text(CONFIG_COMPANY), "Third");
	assert_string_equal(config_origin(CONFIG_COMPANY), "third.ini:1");
	unlink(third);
	assert_int_equal(config_load(&e), ERR_NOTFOUND);      /* one that was named has to be there */
	assert_non_null(strstr(e.msg, third));
	config_use_file(home);
	assert_int_equal(config_load(&e), ERR_IO);
	assert_int_equal(config_path(&path, &e), 0);
	assert_string_equal(path, home);
}

/* ---- what is wrong ---- */

static void config_says_what_is_wrong_and_where(void **state)
{
	struct err e = ERR_INIT;
	char line[5000];

	(void)state;
	assert_refused("company = X\n\n  ghost = loud\n", "config.ini:3: ghost: it is off, shy, normal or eager, not 'loud'");
	assert_string_equal(config_text(CONFIG_COMPANY), "X");      /* what was right counts */
	assert_refused("suggestions = 4\n", "config.ini:1: suggestions: it is a whole number from 1 to 3, not '4'");
	assert_refused("retention_days = -1\n", "a whole number from 0 to 36500");
	assert_refused("threads = 2 # two\n", "not '2 # two'");
	assert_refused("threads =\n", "a whole number");
	assert_refused("threads = 99999999999999999999\n", "a whole number");
	assert_refused("private = maybe\n", "config.ini:1: private: it is yes or no, not 'maybe'");
	assert_refused("retrain_at = noon\n", "daily 02:00");
	assert_refused("just words\n", "config.ini:1: 'just words' is no setting: a line is NAME = VALUE");
	assert_refused("[broken\nghost = shy\n", "config.ini:1: a section is [NAME]");
	assert_refused("company = a\x80z\n", "UTF-8");
	assert_refused("company = a\033[31mz\n", "control characters");
	memset(line, 'x', sizeof(line) - 2);
	memcpy(line, "company = ", 10);
	line[sizeof(line) - 2] = '\n';
	line[sizeof(line) - 1] = '\0';
	assert_refused(line, "config.ini:1: longer than 4096 bytes");
	load("");
	setenv("ANSWERBACK_PRIVATE", "perhaps", 1);
	assert_int_equal(config_load(&e), ERR_USAGE);
	assert_non_null(strstr(e.msg, "ANSWERBACK_PRIVATE in the environment: it is yes or no, not 'perhaps'"));
	assert_false(config_yes(CONFIG_PRIVATE));
}

static void config_long_lines_are_whole(void **state)
{
	char line[4000];

	(void)state;
	memset(line, 'x', sizeof(line) - 2);
	memcpy(line, "company = ", 10);
	line[sizeof(line) - 2] = '\n';
	line[sizeof(line) - 1] = '\0';
	load(line);
	assert_int_equal(strlen(config_text(CONFIG_COMPANY)), sizeof(line) - 12);
	assert_string_equal(config_origin(CONFIG_COMPANY), "config.ini:1");
}

static void config_warns(void **state)
{
	const struct config_problem *p;
	size_t n;

	(void)state;
	load("gohst = shy\nretention = 3\nbanana_split = 1\n[answerback]\nghost = shy\nghost = eager\n[theirs]\nghost = off\n");
	p = config_problems(&n);
	assert_int_equal(n, 5);
	for (size_t i = 0; i < n; i++)
		assert_true(p[i].warning);
	assert_non_null(strstr(p[0].text, "config.ini:1: not used: there is no setting 'gohst'; ghost is the nearest"));
	assert_non_null(strstr(p[1].text, "config.ini:2: not used: there is no setting 'retention'; retention_days is the nearest"));
	assert_non_null(strstr(p[2].text, "'banana_split'; answerback config list shows all"));
	assert_non_null(strstr(p[3].text, "config.ini:6: ghost was set in line 5 already; this one counts"));
	assert_non_null(strstr(p[4].text, "config.ini:8: not used: section [theirs]"));
	assert_string_equal(config_text(CONFIG_GHOST), "eager");
}

static void config_reads_what_others_write(void **state)
{
	(void)state;
	/* a byte order mark, CR LF, colons, no newline at the end */
	load("\xef\xbb\xbf" "company: Br\xc3\xa4uer\r\n\r\n; no\r\nprivate = ON\r\nassist=true");
	assert_string_equal(config_text(CONFIG_COMPANY), "Br\xc3\xa4uer");
	assert_string_equal(config_text(CONFIG_PRIVATE), "yes");
	assert_string_equal(config_origin(CONFIG_PRIVATE), "config.ini:4");
	assert_true(config_yes(CONFIG_ASSIST));
}

/* ---- changing ---- */

static void assert_edit(const char *before, enum config_id id, const char *value, const char *after)
{
	struct str out = STR_INIT;
	struct err e = ERR_INIT;

	if (config_file_edit(before, strlen(before), id, value, &out, &e) < 0)
		fail_msg("%s", e.msg);
	assert_string_equal(out.s, after);
	str_free(&out);
}

static void config_edit_changes_one_line(void **state)
{
	(void)state;
	assert_edit("# a\nghost=shy\n\n; b\ncompany = X\n", CONFIG_GHOST, "eager", "# a\nghost=eager\n\n; b\ncompany = X\n");
	assert_edit("  ghost  =   shy\r\nx\r\n", CONFIG_GHOST, "off", "  ghost  =   off\r\nx\r\n");
	assert_edit("company =\n", CONFIG_COMPANY, "A = B", "company = A = B\n");
	assert_edit("company : X", CONFIG_COMPANY, "Y", "company : Y\n");
	/* the last one counts, so it is the one that changes */
	assert_edit("ghost = shy\nghost = off\n", CONFIG_GHOST, "eager", "ghost = shy\nghost = eager\n");
	assert_edit("ghost = loud\n", CONFIG_GHOST, "shy", "ghost = shy\n");      /* mends a wrong one */
	/* new ones */
	assert_edit("", CONFIG_GHOST, "shy", "ghost = shy\n");
	assert_edit("company = X", CONFIG_GHOST, "shy", "company = X\nghost = shy\n");
	assert_edit("[answerback]\ncompany = X\n\n[other]\nghost = 1\n", CONFIG_GHOST, "shy",
	            "[answerback]\ncompany = X\n\nghost = shy\n[other]\nghost = 1\n");
	assert_edit("[other]\nx = 1\n", CONFIG_GHOST, "shy", "ghost = shy\n[other]\nx = 1\n");
	assert_edit("[other]\nx = 1\n[answerback]\n", CONFIG_GHOST, "shy", "[other]\nx = 1\n[answerback]\nghost = shy\n");
	/* taken out, each of that name, nothing else */
	assert_edit("# k\nghost = shy\n[other]\nghost = 1\n[answerback]\nghost = off\n", CONFIG_GHOST, NULL,
	            "# k\n[other]\nghost = 1\n[answerback]\n");
	assert_edit("company = X\n", CONFIG_GHOST, NULL, "company = X\n");
}

static void config_edit_refuses_what_ini_cannot_hold(void **state)
{
	struct str out = STR_INIT;
	char text[5000];

	(void)state;
	assert_int_equal(config_file_edit("", 0, CONFIG_COMPANY, " X", &out, NULL), ERR_USAGE);
	assert_int_equal(config_file_edit("", 0, CONFIG_COMPANY, "X ", &out, NULL), ERR_USAGE);
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(config_file_edit("", 0, CONFIG_COMPANY, text, &out, NULL), ERR_USAGE);
	assert_int_equal(config_file_edit(text, strlen(text), CONFIG_COMPANY, "X", &out, NULL), ERR_FORMAT);
	str_free(&out);
}

static void config_set_writes_and_counts(void **state)
{
	struct err e = ERR_INIT;
	struct stat st;
	char link[128];

	(void)state;
	assert_int_equal(config_load(&e), 0);
	assert_int_equal(config_set(CONFIG_GHOST, "loud", &e), ERR_USAGE);
	assert_int_equal(access(file, F_OK), -1);      /* nothing is written for a wrong one */
	assert_int_equal(config_set(CONFIG_GHOST, "shy", &e), 0);
	assert_string_equal(config_text(CONFIG_GHOST), "shy");
	assert_string_equal(config_origin(CONFIG_GHOST), "config.ini:2");
	assert_file(file, "# Settings of answerback: man 5 answerback, answerback config list\nghost = shy\n");
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	/* mode and link stay; no temporary file does */
	chmod(file, 0640);
	snprintf(link, sizeof(link), "%s/link.ini", home);
	assert_int_equal(symlink(file, link), 0);
	config_use_file(link);
	assert_int_equal(config_set(CONFIG_SEND_COMMAND, "mail -s 're; #1' x >>log", &e), 0);
	assert_string_equal(config_text(CONFIG_SEND_COMMAND), "mail -s 're; #1' x >>log");
	assert_int_equal(lstat(link, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	assert_int_equal(config_set(CONFIG_GHOST, NULL, &e), 0);
	assert_string_equal(config_text(CONFIG_GHOST), "normal");
	assert_file(file, "# Settings of answerback: man 5 answerback, answerback config list\n"
	            "send_command = mail -s 're; #1' x >>log\n");
	snprintf(link, sizeof(link), "test \"$(ls %s/.config/answerback)\" = config.ini", home);
	assert_int_equal(system(link), 0);
}

static void config_set_that_fails_keeps_the_file(void **state)
{
	const struct rlimit none = { 0, RLIM_INFINITY };
	struct rlimit before;
	struct err e = ERR_INIT;
	char command[200];

	(void)state;
	load("company = X\n");
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	setrlimit(RLIMIT_FSIZE, &none);      /* as a full disk */
	assert_int_equal(config_set(CONFIG_COMPANY, "Y", &e), ERR_IO);
	setrlimit(RLIMIT_FSIZE, &before);
	assert_non_null(strstr(e.msg, "company: cannot write"));
	assert_string_equal(config_text(CONFIG_COMPANY), "X");
	assert_file(file, "company = X\n");
	snprintf(command, sizeof(command), "test \"$(ls %s/.config/answerback)\" = config.ini", home);
	assert_int_equal(system(command), 0);
}

/* ---- schedules, words ---- */

static time_t at(int year, int month, int day, int hour, int minute)
{
	struct tm tm = { .tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day, .tm_hour = hour, .tm_min = minute, .tm_isdst = -1 };

	return mktime(&tm);
}

static time_t next(const char *schedule, time_t now)
{
	assert_int_equal(config_override(CONFIG_RETRAIN_AT, schedule, "--retrain-at", NULL), 0);
	return config_next(CONFIG_RETRAIN_AT, now);
}

static void config_schedules(void **state)
{
	static const char *const wrong[] = { "", "daily", "daily 24:00", "daily 02:60", "daily 2", "never", "daily 02:00 x", "daily 02:00x",
		"someday 02:00", "Off", "daily -1:00" };

	(void)state;
	setenv("TZ", "Europe/Berlin", 1);
	tzset();
	assert_int_equal(next("off", at(2026, 3, 1, 12, 0)), 0);
	assert_int_equal(next("daily 02:30", at(2026, 3, 1, 1, 0)), at(2026, 3, 1, 2, 30));
	assert_int_equal(next("daily 02:30", at(2026, 3, 1, 2, 30)), at(2026, 3, 2, 2, 30));      /* due now: the next is tomorrow */
	assert_int_equal(next("daily 23:59", at(2026, 12, 31, 23, 59)), at(2027, 1, 1, 23, 59));
	/* 2026-03-01 is a Sunday; the clocks change on the 29th */
	assert_int_equal(next("sun 12:00", at(2026, 3, 1, 11, 0)), at(2026, 3, 1, 12, 0));
	assert_int_equal(next("sun 12:00", at(2026, 3, 1, 13, 0)), at(2026, 3, 8, 12, 0));
	assert_int_equal(next("sat 04:00", at(2026, 3, 28, 5, 0)), at(2026, 4, 4, 4, 0));
	assert_int_equal(next("daily 04:00", at(2026, 3, 28, 5, 0)) - at(2026, 3, 28, 4, 0), 23 * 3600);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (config_allows(CONFIG_RETRAIN_AT, wrong[i], NULL) == 0)
			fail_msg("'%s' is no schedule", wrong[i]);
}

static void config_unwanted_words(void **state)
{
	const char *const *words, *const *again;
	struct err e = ERR_INIT;
	char list[128], line[200];

	(void)state;
	snprintf(list, sizeof(list), "%s/words", home);
	snprintf(line, sizeof(line), "unwanted_words = %s\n", list);
	load("");
	assert_int_equal(config_unwanted(&words, &e), 0);
	assert_null(words);
	load(line);
	assert_int_equal(config_unwanted(&words, &e), ERR_IO);
	assert_null(words);
	assert_non_null(strstr(e.msg, list));
	assert_non_null(strstr(e.msg, "config.ini:1"));
	write_text(list, "# not these\nasap\r\n\n  kindly \nna\xc3\xafve");
	assert_int_equal(config_unwanted(&words, &e), 0);
	assert_string_equal(words[0], "asap");
	assert_string_equal(words[1], "kindly");
	assert_string_equal(words[2], "na\xc3\xafve");
	assert_null(words[3]);
	assert_int_equal(config_unwanted(&again, &e), 0);
	assert_ptr_equal(words, again);
}

/* ---- the manual ---- */

static void config_manual_has_every_setting(void **state)
{
	struct str page = STR_INIT;
	struct err e = ERR_INIT;

	(void)state;
	if (config_file_read("man/answerback.5", &page, &e) < 0)
		fail_msg("%s", e.msg);
	for (size_t i = 0; i < CONFIG_COUNT; i++) {
		char heading[80];
		const char *at_it;

		snprintf(heading, sizeof(heading), "\n.B %s\n", config_settings[i].name);
		at_it = strstr(page.s, heading);
		if (!at_it)
			fail_msg("man/answerback.5 has no '.B %s'", config_settings[i].name);
		else if (strstr(at_it + 1, heading))
			fail_msg("man/answerback.5 has %s twice", config_settings[i].name);
	}
	/* and no other, in the section that lists them */
	for (char *s = strstr(page.s, "\n.SH SETTINGS\n") + 1, *end = strstr(s, "\n.SH "); (s = strstr(s, "\n.TP\n.B ")) && s < end; s++) {
		char name[64];
		enum config_id id;

		assert_int_equal(sscanf(s, "\n.TP\n.B %63s", name), 1);
		if (config_find(name, &id, &e) < 0)
			fail_msg("man/answerback.5: %s", e.msg);
	}
	str_free(&page);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, fresh, gone)
	const struct CMUnitTest tests[] = {
		T(config_table_is_sound),
		T(config_defaults_without_a_file),
		T(config_precedence),
		T(config_files_of_the_home),
		T(config_where_the_file_is),
		T(config_says_what_is_wrong_and_where),
		T(config_long_lines_are_whole),
		T(config_warns),
		T(config_reads_what_others_write),
		T(config_edit_changes_one_line),
		T(config_edit_refuses_what_ini_cannot_hold),
		T(config_set_writes_and_counts),
		T(config_set_that_fails_keeps_the_file),
		T(config_schedules),
		T(config_unwanted_words),
		T(config_manual_has_every_setting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
