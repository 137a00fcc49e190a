/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_manual: man/answerback.1 lists the keys, /commands and subcommands that there are, and no others. The lists of keys and
 * /commands come from the tables: `test_manual write` puts them into the page. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "commands.h"
#include "../ui/desk_keys.h"
#include "../ui/ui_private.h"

static struct str page = STR_INIT;

static int read_page(void **state)
{
	FILE *f = fopen("man/answerback.1", "r");
	char buf[4096];
	size_t n;

	(void)state;
	if (!f)
		return -1;
	while ((n = fread(buf, 1, sizeof(buf), f)) > 0)
		str_add(&page, buf, n);
	fclose(f);
	return 0;
}

static int free_page(void **state)
{
	(void)state;
	str_free(&page);
	return 0;
}

/* The text of a section, from the line after its heading to the next one; to be freed. */
static char *section(const char *name)
{
	char heading[64];
	const char *s, *end;
	struct str out = STR_INIT;

	snprintf(heading, sizeof(heading), "\n.SH %s\n", name);
	s = strstr(page.s, heading);
	if (!s)
		fail_msg("man/answerback.1 has no section %s", name);
	s += strlen(heading);
	end = strstr(s, "\n.SH ");
	str_add(&out, s, (size_t)((end ? end + 1 : s + strlen(s)) - s));
	return str_detach(&out);
}

/* Where the lines between .nf and .fi of the section are in the page. */
static void find_list(const char *name, size_t *from, size_t *to)
{
	char *text = section(name), *nf = strstr(text, ".nf\n"), *fi = nf ? strstr(nf, ".fi\n") : NULL;

	if (!fi)
		fail_msg("section %s has no list", name);
	*from = (size_t)(strstr(page.s, text) - page.s) + (size_t)(nf - text) + strlen(".nf\n");
	*to = *from + (size_t)(fi - nf) - strlen(".nf\n");
	free(text);
}

static void assert_list(const char *name, const struct str *want)
{
	size_t from, to, same = 0, line_at = 0;

	find_list(name, &from, &to);
	if (to - from == want->len && memcmp(page.s + from, want->s, want->len) == 0)
		return;
	for (; same < want->len && page.s[from + same] == want->s[same]; same++)
		if (want->s[same] == '\n')
			line_at = same + 1;
	fail_msg("section %s of man/answerback.1 differs from the table; where it has\n%.*s\nthere must be\n%.*s\n"
	         "(build/release/tests/test_manual write puts the tables into the page)", name,
	         (int)strcspn(page.s + from + line_at, "\n"), page.s + from + line_at, (int)strcspn(want->s + line_at, "\n"),
	         want->s + line_at);
}

/* As roff takes it. */
static void add_roff(struct str *out, const char *s)
{
	for (; *s; s++) {
		if (*s == '-' || *s == '\\')
			str_addc(out, '\\');
		str_adds(out, *s == '\\' ? "e" : (char[]){ *s, '\0' });
	}
}

static void add_line(struct str *out, const char *left, const char *args, const char *what)
{
	const size_t n = strlen(left) + strlen(args) + (*args != '\0');

	add_roff(out, left);
	if (*args)
		str_addc(out, ' ');
	add_roff(out, args);
	str_addf(out, "%*s", n < 25 ? (int)(26 - n) : 1, "");
	add_roff(out, what);
	str_addc(out, '\n');
}

static void list_keys(struct str *want)
{
#define X(name, seq, letter, shown, what) add_line(want, shown, "", what);
	KEYS(X)
#undef X
#define X(shown, what) add_line(want, shown, "", what);
	KEYS_FIXED(X)
#undef X
}

static void list_commands(struct str *want)
{
	for (const struct command *c = ui_commands; c->name; c++) {
		char name[40];

		snprintf(name, sizeof(name), "/%s", c->name);
		add_line(want, name, c->args, c->what);
	}
}

static void list_desk_keys(struct str *want)
{
#define X(name, seq, shown, what) add_line(want, shown, "", what);
	DESK_KEYS(X)
#undef X
}

static const struct {
	const char *section;
	void (*list)(struct str *want);
} lists[] = { { "WRITING DESK", list_desk_keys }, { "KEYS", list_keys }, { "COMMANDS ON THE SCREEN", list_commands } };

static void manual_lists_keys_and_screen_commands(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		struct str want = STR_INIT;

		lists[i].list(&want);
		assert_true(want.len > 100);
		assert_list(lists[i].section, &want);
		str_free(&want);
	}
}

static int write_page(void)
{
	FILE *f;

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		struct str new = STR_INIT;
		size_t from, to;

		find_list(lists[i].section, &from, &to);
		str_add(&new, page.s, from);
		lists[i].list(&new);
		str_adds(&new, page.s + to);
		str_free(&page);
		page = new;
	}
	f = fopen("man/answerback.1", "w");
	return !f || fwrite(page.s, 1, page.len, f) != page.len || fclose(f) != 0;
}

/* Does a heading (a line that begins with .B, fonts left out) hold the word? */
static bool heads(const char *text, const char *word)
{
	const size_t n = strlen(word);

	for (const char *s = text; s; s = strchr(s, '\n')) {
		const char *end, *at;

		s += *s == '\n';
		if (strncmp(s, ".B", 2) != 0)
			continue;
		end = s + strcspn(s, "\n");
		for (at = s; (at = strstr(at, word)) && at < end; at++) {
			const char before = at[-1], after = at[n];
			const bool font = at - s > 3 && at[-3] == '\\' && at[-2] == 'f';      /* \fBrestore */

			if ((strchr(" \"", before) || font) && strchr(" \"\n,\\|", after))
				return true;
		}
	}
	return false;
}

static void manual_has_every_subcommand(void **state)
{
	char *text = section("COMMANDS");

	(void)state;
	for (const struct cli_command *const *c = commands; *c; c++)
		if (!heads(text, (*c)->name) && strcmp((*c)->name, "chat") != 0)      /* which is what the page begins with */
			fail_msg("man/answerback.1 has no '.B %s' among its commands", (*c)->name);
	assert_false(heads(text, "frobnicate"));
	free(text);
}

/* ... and heads none that there is not. */
static void manual_has_no_other_subcommand(void **state)
{
	char *text = section("COMMANDS");

	(void)state;
	for (char *s = strstr(text, ".TP\n.B"); s; s = strstr(s, ".TP\n.B")) {
		char name[32];
		bool found = false;

		s += strlen(".TP\n");
		if (sscanf(s, ".B%*[R ]%31[a-z]", name) != 1)
			fail_msg("what heads this is no command: %.40s", s);
		for (const struct cli_command *const *c = commands; *c; c++)
			found |= strcmp((*c)->name, name) == 0;
		if (!found)
			fail_msg("man/answerback.1 has a command '%s' that there is not", name);
	}
	free(text);
}

static void manual_has_the_options_of_every_command(void **state)
{
	char *text = section("OPTIONS OF EVERY COMMAND");

	(void)state;
	for (const struct cli_option *o = cli_everywhere; o->name; o++) {
		struct str want = STR_INIT;

		str_adds(&want, ".B \\-\\-");
		add_roff(&want, o->name);
		if (!strstr(text, want.s))
			fail_msg("man/answerback.1 has no '%s'", want.s);
		str_free(&want);
	}
	free(text);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(manual_lists_keys_and_screen_commands),
		cmocka_unit_test(manual_has_every_subcommand),
		cmocka_unit_test(manual_has_no_other_subcommand),
		cmocka_unit_test(manual_has_the_options_of_every_command),
	};

	if (argc == 2 && strcmp(argv[1], "write") == 0)
		return read_page(NULL) != 0 || write_page();
	return cmocka_run_group_tests(tests, read_page, free_page);
}
