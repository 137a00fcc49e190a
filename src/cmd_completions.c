/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cmd_completions: what a shell offers when Tab is pressed, written from the same tables that read the command line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "commands.h"
#include "config.h"

/* What an option's or an operand's word stands for. */
static bool names_file(const char *arg)
{
	return arg && (strcmp(arg, "FILE") == 0 || strcmp(arg, "FOLDER") == 0 || strcmp(arg, "LOG") == 0 || strcmp(arg, "MODEL") == 0);
}

/* The values to choose from, with | between; NULL: none. */
static const char *choices(const char *arg)
{
	if (arg && strcmp(arg, "WHEN") == 0)
		return config_settings[CONFIG_COLOR].values;
	if (arg && strcmp(arg, "LEVEL") == 0)
		return config_settings[CONFIG_GHOST].values;
	return NULL;
}

static const char *setting_choices(size_t id)
{
	return config_settings[id].kind == CONFIG_KIND_YES_NO ? "yes|no" : config_settings[id].values;
}

static void add_words(struct str *s, const char *bars)
{
	for (; bars && *bars; bars++)
		str_addc(s, *bars == '|' ? ' ' : *bars);
}

/* The verbs of a usage line: its words in small letters ("list | promote VERSION"), options left out. */
static void add_verbs(struct str *s, const char *usage)
{
	while (*usage) {
		const size_t n = strspn(usage, "abcdefghijklmnopqrstuvwxyz-");

		if (n > 1 && *usage != '-')
			str_addf(s, "%s%.*s", s->len ? " " : "", (int)n, usage);
		usage += n ? n : 1;
	}
}

static void print_verbs(const char *usage)
{
	struct str s = STR_INIT;

	add_verbs(&s, usage);
	fputs(s.s, stdout);
	str_free(&s);
}

static void print_words(const char *bars)
{
	struct str s = STR_INIT;

	add_words(&s, bars);
	fputs(s.s, stdout);
	str_free(&s);
}

/* Inside single quotes; zsh wants [ ] and : of a description escaped besides. */
static void print_quoted(const char *text, bool zsh)
{
	for (; *text; text++) {
		if (*text == '\'')
			fputs(zsh ? "'\\''" : "\\'", stdout);
		else if (*text == '\\')
			fputs("\\\\", stdout);
		else if (zsh && strchr("[]:", *text))
			printf("\\%c", *text);
		else
			putchar(*text);
	}
}

/* ---- bash ---- */

static void bash_options(const struct cli_option *o)
{
	for (; o && o->name; o++) {
		if (!o->help)
			continue;
		printf(" --%s", o->name);
		if (o->letter)
			printf(" -%c", o->letter);
	}
}

/* case patterns for the value of each option that has one */
static void bash_values(const char *command, const struct cli_option *o)
{
	for (; o && o->name; o++) {
		if (!o->arg || !o->help)
			continue;
		printf("\t%s,--%s", command, o->name);
		if (o->letter)
			printf("|%s,-%c", command, o->letter);
		if (names_file(o->arg)) {
			printf(") kind=files ;;\n");
		} else if (choices(o->arg)) {
			printf(") kind=words words='");
			print_words(choices(o->arg));
			printf("' ;;\n");
		} else if (strcmp(o->arg, "NAME=VALUE") == 0) {
			printf(") kind=assign ;;\n");
		} else {
			printf(") kind=none ;;\n");
		}
	}
}

static void bash_setting_names(void)
{
	for (size_t i = 0; i < CONFIG_COUNT; i++)
		printf("%s%s", i ? " " : "", config_settings[i].name);
}

static int bash(void)
{
	printf("# bash completion of answerback %s, written by: answerback completions bash\n", ANSWERBACK_VERSION);
	printf("_answerback_values()\n{\n\tcase $1 in\n");
	for (size_t i = 0; i < CONFIG_COUNT; i++) {
		if (!setting_choices(i))
			continue;
		printf("\t%s) echo '", config_settings[i].name);
		print_words(setting_choices(i));
		printf("' ;;\n");
	}
	printf("\tesac\n}\n\n");
	printf("_answerback()\n{\n"
	       "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command= verb= words= kind= i at=0\n"
	       "\tlocal names='");
	bash_setting_names();
	printf("'\n"
	       "\tCOMPREPLY=()\n"
	       "\t# --name=value comes as three words\n"
	       "\tif [[ $cur == = ]]; then\n"
	       "\t\tcur=\n"
	       "\telif [[ $prev == = && COMP_CWORD -ge 2 ]]; then\n"
	       "\t\tprev=${COMP_WORDS[COMP_CWORD-2]}\n"
	       "\tfi\n"
	       "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	       "\t\tcase ${COMP_WORDS[i]} in\n"
	       "\t\t");
	for (const struct cli_option *o = cli_everywhere, *first = o; o->name; o++)
		if (o->arg)
			printf("%s--%s", o == first ? "" : "|", o->name);
	printf(")\n"
	       "\t\t\t[[ ${COMP_WORDS[i+1]} == = ]] && ((i++))\n"
	       "\t\t\t((i++)) ;;\n"
	       "\t\t-*) ;;\n"
	       "\t\t*) command=${COMP_WORDS[i]} at=$i; break ;;\n"
	       "\t\tesac\n"
	       "\tdone\n"
	       "\t# what follows an option of plain `answerback` is no command\n"
	       "\t[[ -n $command && \" help");
	for (const struct cli_command *const *c = commands; *c; c++)
		printf(" %s", (*c)->name);
	printf(" \" != *\" $command \"* ]] && command=chat\n"
	       "\tcase ${command:-chat},$prev in\n");
	bash_values("*", cli_everywhere);
	for (const struct cli_command *const *c = commands; *c; c++)
		bash_values((*c)->name, (*c)->options);
	printf("\tesac\n"
	       "\tif [[ -z $kind && $cur == -* ]]; then\n"
	       "\t\tkind=words\n"
	       "\t\tcase ${command:-chat} in\n");
	for (const struct cli_command *const *c = commands; *c; c++) {
		printf("\t\t%s) words='", (*c)->name);
		bash_options((*c)->options);
		printf("' ;;\n");
	}
	printf("\t\tesac\n"
	       "\t\twords+='");
	bash_options(cli_everywhere);
	printf(" --help'\n"
	       "\t\t[[ -z $command ]] && words+=' --version'\n"
	       "\telif [[ -z $kind && -z $command ]]; then\n"
	       "\t\tkind=words words='help");
	for (const struct cli_command *const *c = commands; *c; c++)
		printf(" %s", (*c)->name);
	printf("'\n"
	       "\telif [[ -z $kind ]]; then\n"
	       "\t\tkind=files\n"
	       "\t\tif ((COMP_CWORD == at + 1)); then\n"
	       "\t\t\tcase $command in\n"
	       "\t\t\thelp) kind=words words='");
	for (const struct cli_command *const *c = commands; *c; c++)
		printf("%s%s", c == commands ? "" : " ", (*c)->name);
	printf("' ;;\n");
	for (const struct cli_command *const *c = commands; *c; c++) {
		struct str s = STR_INIT;

		add_verbs(&s, (*c)->usage);
		if (s.len > 0)
			printf("\t\t\t%s) kind=words words='%s' ;;\n", (*c)->name, s.s);
		str_free(&s);
	}
	printf("\t\t\tesac\n"
	       "\t\telif [[ $command == config ]]; then\n"
	       "\t\t\tkind=words\n"
	       "\t\t\tcase $((COMP_CWORD - at)),${COMP_WORDS[at+1]} in\n"
	       "\t\t\t2,get|2,set|2,unset) words=$names ;;\n"
	       "\t\t\t3,set) words=$(_answerback_values \"${COMP_WORDS[at+2]}\") ;;\n"
	       "\t\t\tesac\n"
	       "\t\tfi\n"
	       "\tfi\n"
	       "\tcase $kind in\n"
	       "\tfiles)\n"
	       "\t\tcompopt -o filenames 2>/dev/null\n"
	       "\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$cur\") ;;\n"
	       "\tassign)\n"
	       "\t\tcompopt -o nospace 2>/dev/null\n"
	       "\t\tmapfile -t COMPREPLY < <(compgen -S = -W \"$names\" -- \"$cur\") ;;\n"
	       "\twords)\n"
	       "\t\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\") ;;\n"
	       "\tesac\n"
	       "}\n\n"
	       "complete -F _answerback answerback\n");
	return CLI_OK;
}

/* ---- zsh ---- */

/* An argument of _arguments: '--name=[help]:ARG:action'. */
static void zsh_option(const struct cli_option *o)
{
	for (int letter = 0; letter < (o->letter ? 2 : 1); letter++) {
		printf(" \\\n\t\t\t'%s", o->kind == CLI_LIST ? "*" : "");
		if (letter)
			printf("-%c%s[", o->letter, o->arg ? "+" : "");
		else
			printf("--%s%s[", o->name, o->arg ? "=" : "");
		print_quoted(o->help, true);
		putchar(']');
		if (o->arg) {
			printf(":%s:", o->arg);
			if (names_file(o->arg)) {
				fputs(strcmp(o->arg, "FOLDER") == 0 ? "_files -/" : "_files", stdout);
			} else if (choices(o->arg)) {
				putchar('(');
				print_words(choices(o->arg));
				putchar(')');
			} else if (strcmp(o->arg, "NAME=VALUE") == 0) {
				printf("(");
				for (size_t i = 0; i < CONFIG_COUNT; i++)
					printf("%s%s=", i ? " " : "", config_settings[i].name);
				putchar(')');
			}
		}
		putchar('\'');
	}
}

static void zsh_options(const struct cli_option *o)
{
	for (; o && o->name; o++)
		if (o->help)
			zsh_option(o);
}

static int zsh(void)
{
	printf("#compdef answerback\n# zsh completion of answerback %s, written by: answerback completions zsh\n\n", ANSWERBACK_VERSION);
	printf("_answerback_commands()\n{\n\tlocal -a list=(\n");
	for (const struct cli_command *const *c = commands; *c; c++) {
		printf("\t\t'%s:", (*c)->name);
		print_quoted((*c)->summary, true);
		printf("'\n");
	}
	printf("\t)\n\t_describe command list\n}\n\n");
	printf("_answerback_config()\n{\n\tcase $words[2] in\n\tget|set|unset)\n\t\tif ((CURRENT == 3)); then\n\t\t\tcompadd --");
	for (size_t i = 0; i < CONFIG_COUNT; i++)
		printf(" %s", config_settings[i].name);
	printf("\n\t\telif ((CURRENT == 4)) && [[ $words[2] == set ]]; then\n\t\t\tcase $words[3] in\n");
	for (size_t i = 0; i < CONFIG_COUNT; i++) {
		if (!setting_choices(i))
			continue;
		printf("\t\t\t%s) compadd -- ", config_settings[i].name);
		print_words(setting_choices(i));
		printf(" ;;\n");
	}
	printf("\t\t\tesac\n\t\tfi ;;\n\tesac\n}\n\n");
	printf("_answerback()\n{\n\tlocal context state line\n\tlocal -a everywhere=(");
	zsh_options(cli_everywhere);
	printf(" \\\n\t\t\t'(- *)--help[show help]')\n\n"
	       "\tif ((CURRENT == 2)) && [[ $words[2] != -* ]]; then\n\t\t_answerback_commands\n\t\treturn\n\tfi\n"
	       "\tlocal command=$words[2]\n"
	       "\tif [[ $command == -* ]]; then\n\t\tcommand=chat\n\telse\n\t\twords=($words[2,-1])\n\t\t((CURRENT--))\n\tfi\n"
	       "\tcase $command in\n\thelp) _answerback_commands ;;\n");
	for (const struct cli_command *const *c = commands; *c; c++) {
		struct str s = STR_INIT;

		add_verbs(&s, (*c)->usage);
		printf("\t%s)\n\t\t_arguments $everywhere", (*c)->name);
		zsh_options((*c)->options);
		if (s.len > 0)
			printf(" \\\n\t\t\t'1:what:(%s)'", s.s);
		printf(" \\\n\t\t\t'*::%s' ;;\n", strcmp((*c)->name, "config") == 0 ? "setting:_answerback_config" : "file:_files");
		str_free(&s);
	}
	printf("\tesac\n}\n\n_answerback \"$@\"\n");
	return CLI_OK;
}

/* ---- fish ---- */

static void fish_options(const char *condition, const struct cli_option *o)
{
	for (; o && o->name; o++) {
		if (!o->help)
			continue;
		printf("complete -c answerback%s -l %s", condition, o->name);
		if (o->letter)
			printf(" -s %c", o->letter);
		if (o->arg)
			fputs(names_file(o->arg) ? " -r -F" : " -x", stdout);
		if (choices(o->arg)) {
			printf(" -a '");
			print_words(choices(o->arg));
			putchar('\'');
		}
		printf(" -d '");
		print_quoted(o->help, false);
		printf("'\n");
	}
}

static int fish(void)
{
	struct str all = STR_INIT;

	for (const struct cli_command *const *c = commands; *c; c++)
		str_addf(&all, "%s%s", c == commands ? "" : " ", (*c)->name);
	printf("# fish completion of answerback %s, written by: answerback completions fish\n", ANSWERBACK_VERSION);
	printf("set -l commands %s help\n", all.s);
	fish_options("", cli_everywhere);
	printf("complete -c answerback -n \"not __fish_seen_subcommand_from $commands\" -l version -d 'show the version'\n");
	for (const struct cli_command *const *c = commands; *c; c++) {
		struct str condition = STR_INIT;

		printf("complete -c answerback -f -n \"not __fish_seen_subcommand_from $commands\" -a %s -d '", (*c)->name);
		print_quoted((*c)->summary, false);
		printf("'\n");
		str_addf(&condition, " -n '__fish_seen_subcommand_from %s'", (*c)->name);
		fish_options(condition.s, (*c)->options);
		str_reset(&condition);
		add_verbs(&condition, (*c)->usage);
		if (condition.len > 0) {
			printf("complete -c answerback -f -n '__fish_seen_subcommand_from %s' -a '", (*c)->name);
			print_verbs((*c)->usage);
			printf("'\n");
		}
		str_free(&condition);
	}
	printf("complete -c answerback -f -n '__fish_seen_subcommand_from help' -a '%s'\n", all.s);
	for (size_t i = 0; i < CONFIG_COUNT; i++) {
		printf("complete -c answerback -f -n '__fish_seen_subcommand_from get set unset' -a %s -d '", config_settings[i].name);
		print_quoted(config_settings[i].help, false);
		printf("'\n");
		if (!setting_choices(i))
			continue;
		printf("complete -c answerback -f -n '__fish_seen_subcommand_from set; and __fish_seen_subcommand_from %s' -a '",
		       config_settings[i].name);
		print_words(setting_choices(i));
		printf("'\n");
	}
	str_free(&all);
	return CLI_OK;
}

static int run(struct cli_args *a)
{
	static const struct {
		const char *name;
		int (*write)(void);
	} shells[] = { { "bash", bash }, { "zsh", zsh }, { "fish", fish } };

	for (size_t i = 0; a->n == 1 && i < sizeof(shells) / sizeof(shells[0]); i++)
		if (strcmp(a->operands[0], shells[i].name) == 0)
			return shells[i].write();
	return cli_usage(a, "say for which shell: bash, zsh or fish");
}

static const struct cli_option options[] = { CLI_OPTION_END };

const struct cli_command cmd_completions = {
	"completions", "write what a shell needs to complete commands and options", "bash | zsh | fish", options, run,
	"bash: source <(answerback completions bash), or installed by make install. zsh: a file _answerback in a\n"
	"folder of $fpath. fish: ~/.config/fish/completions/answerback.fish."
};
