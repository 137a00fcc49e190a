/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cmd_config: the settings, from the shell. It works on a file that is wrong, too: it is how that is mended. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "commands.h"
#include "config.h"

static const struct cli_option options[] = {
	CLI_OPTION_JSON,
	CLI_OPTION_END
};

static void print_json(json_t *o)
{
	char *text = o ? json_dumps(o, 0) : NULL;

	puts(text ? text : "{}");
	free(text);
	json_decref(o);
}

static json_t *text_json(const char *s)
{
	json_t *j = s ? json_string(s) : json_null();

	return j ? j : json_string("(not UTF-8)");
}

static json_t *setting_json(enum config_id id)
{
	const struct config_setting *c = &config_settings[id];
	json_t *value;

	if (c->kind == CONFIG_KIND_YES_NO)
		value = json_boolean(config_yes(id));
	else if (c->kind == CONFIG_KIND_NUMBER)
		value = json_integer(config_number(id));
	else
		value = text_json(config_text(id));
	return json_pack("{s:s, s:o, s:o, s:s, s:s}", "name", c->name, "value", value, "origin", text_json(config_origin(id)),
	                 "default", c->def, "help", c->help);
}

/* Everything wrong, on stderr; false when something is worse than a warning. */
static bool complain(void)
{
	size_t n;
	const struct config_problem *p = config_problems(&n);
	bool fine = true;

	for (size_t i = 0; i < n; i++) {
		cli_error("%s", p[i].text);
		fine = fine && p[i].warning;
	}
	return fine;
}

static int list(bool json)
{
	const bool fine = complain();

	for (size_t i = 0; i < CONFIG_COUNT; i++) {
		const enum config_id id = (enum config_id)i;
		const char *value = config_text(id);

		if (json)
			print_json(setting_json(id));
		else
			printf("%-16s %-20s %-24s %s\n", config_settings[i].name, value ? value : "-", config_origin(id), config_settings[i].help);
	}
	return fine ? CLI_OK : CLI_ERROR;
}

static int get(const char *name, bool json)
{
	struct err e = ERR_INIT;
	enum config_id id;

	if (config_find(name, &id, &e) < 0 || config_load(&e) < 0)
		return cli_failed(&e);
	if (json)
		print_json(setting_json(id));
	else
		puts(config_text(id) ? config_text(id) : "");
	return CLI_OK;
}

static int set(const char *name, const char *value)
{
	struct err e = ERR_INIT;
	enum config_id id;
	const char *path;

	if (config_find(name, &id, &e) < 0 || config_set(id, value, &e) < 0 || config_path(&path, &e) < 0)
		return cli_failed(&e);
	fprintf(stderr, value ? "%s is set in %s\n" : "%s is no longer in %s\n", name, path);
	if (config_source(id) > CONFIG_FILE)
		fprintf(stderr, "but %s comes first: %s\n", config_origin(id), config_text(id) ? config_text(id) : "(empty)");
	complain();      /* what else is wrong in there */
	return CLI_OK;
}

static int path(bool json)
{
	struct err e = ERR_INIT;
	const char *p;

	if (config_path(&p, &e) < 0)
		return cli_failed(&e);
	if (json)
		print_json(json_pack("{s:o, s:b}", "path", text_json(p), "exists", access(p, F_OK) == 0));
	else
		puts(p);
	return CLI_OK;
}

/* Files that have to be there already. */
static bool check_files(json_t *problems)
{
	static const enum config_id files[] = { CONFIG_MODEL, CONFIG_UNWANTED_WORDS, CONFIG_GOLDEN };
	bool fine = true;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		const char *file = config_text(files[i]);
		struct str s = STR_INIT;

		if (!file || access(file, R_OK) == 0)
			continue;
		fine = false;
		str_addf(&s, "%s (%s): cannot read %s: %s", config_settings[files[i]].name, config_origin(files[i]), file, strerror(errno));
		if (problems)
			json_array_append_new(problems, json_pack("{s:i, s:b, s:o}", "line", 0, "warning", 0, "text", text_json(s.s)));
		else
			cli_error("%s", s.s);
		str_free(&s);
	}
	return fine;
}

static int check(bool json)
{
	struct err e = ERR_INIT;
	const int loaded = config_load(&e);
	const struct config_problem *p;
	const char *where;
	bool fine = loaded == 0;
	size_t n, set_here = 0;

	if (config_path(&where, &e) < 0)
		return cli_failed(&e);
	p = config_problems(&n);
	for (size_t i = 0; i < CONFIG_COUNT; i++)
		set_here += config_source((enum config_id)i) == CONFIG_FILE;
	if (json) {
		json_t *problems = json_array();

		if (loaded < 0 && n == 0)      /* it could not be read at all */
			json_array_append_new(problems, json_pack("{s:i, s:b, s:o}", "line", 0, "warning", 0, "text", text_json(e.msg)));
		for (size_t i = 0; i < n; i++)
			json_array_append_new(problems, json_pack("{s:I, s:b, s:o}", "line", (json_int_t)p[i].line, "warning", p[i].warning,
			                                          "text", text_json(p[i].text)));
		fine = check_files(problems) && fine;
		print_json(json_pack("{s:b, s:o, s:o}", "ok", fine, "path", text_json(where), "problems", problems));
		return fine ? CLI_OK : CLI_ERROR;
	}
	if (loaded < 0 && n == 0)
		cli_error("%s", e.msg);
	complain();
	fine = check_files(NULL) && fine;
	if (fine)
		printf("%s: %s%zu settings in it\n", where, access(where, F_OK) == 0 ? "" : "not there, which is fine: ", set_here);
	return fine ? CLI_OK : CLI_ERROR;
}

static int run(struct cli_args *a)
{
	static const struct {
		const char *name;
		size_t operands;
		const char *wants;
	} verbs[] = {
		{ "list", 1, "nothing more" }, { "get", 2, "a NAME" }, { "set", 3, "a NAME and a VALUE, quoted when it has blanks" },
		{ "unset", 2, "a NAME" }, { "path", 1, "nothing more" }, { "check", 1, "nothing more" },
	};
	const bool json = cli_flag(a, "json");
	const char *verb = a->n ? a->operands[0] : "list";

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(verb, verbs[i].name) != 0)
			continue;
		if (a->n != verbs[i].operands && a->n > 0)
			return cli_usage(a, "%s wants %s", verb, verbs[i].wants);
		switch (i) {
		case 0:
			return list(json);
		case 1:
			return get(a->operands[1], json);
		case 2:
			return set(a->operands[1], a->operands[2]);
		case 3:
			return set(a->operands[1], NULL);
		case 4:
			return path(json);
		default:
			return check(json);
		}
	}
	return cli_usage(a, "say list, get, set, unset, path or check, not '%s'", verb);
}

const struct cli_command cmd_config = {
	"config", "show and change the settings", "[list | get NAME | set NAME VALUE | unset NAME | path | check]", options, run,
	"list: each setting, its value, and where that came from. set and unset change one line of the file and\n"
	"nothing else in it; check says what is wrong with the file. All settings: man 5 answerback."
};
