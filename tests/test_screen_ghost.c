/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Grey text in the real program: another one on request, and never to be taken for what was typed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "common_screen.h"

static const char draft[] = "> Thank you for ";

/* What stands after the draft on its row, "" when there is nothing. */
static char *ahead(void)
{
	for (int r = 0; r < screen.rows; r++) {
		char *row = screen_row(r), *out;

		if (strncmp(row, draft, sizeof(draft) - 2) != 0) {
			free(row);
			continue;
		}
		out = xstrdup(strlen(row) > sizeof(draft) - 1 ? row + sizeof(draft) - 1 : "");
		free(row);
		return out;
	}
	return xstrdup("");
}

static char *ahead_other_than(const char *was)
{
	const int64_t until = screen_now() + 20000;
	char *now = ahead();

	while ((!*now || strcmp(now, was) == 0) && screen_now() < until) {
		free(now);
		screen_drain(20);
		now = ahead();
	}
	return now;
}

static void start(const char *term, const char *args)
{
	screen_start(24, 100, term, args);
	screen_expect("model base");
}

static void another_on_request(void **state)
{
	char *first, *second, *back, *cut;

	(void)state;
	start("xterm-256color", "--assist");
	screen_keys("\033/");
	screen_expect("from three letters on");      /* nothing to go on from */
	screen_keys(draft + 2);
	screen_settle(300);
	first = ahead();
	screen_keys("\007");                          /* none is shown, whether there was one or not: then it is called back */
	screen_settle(300);
	back = ahead();
	assert_string_equal(back, "");
	free(back);
	screen_keys("\033/");
	back = ahead_other_than("");
	assert_true(*back != '\0');
	if (*first)
		assert_string_equal(back, first);
	free(first);
	screen_keys("\033/");
	second = ahead_other_than(back);
	assert_true(*second && strcmp(second, back) != 0);
	/* another way on, not another ending */
	cut = strchr(second, ' ');
	assert_true(strncmp(second, back, cut ? (size_t)(cut - second) + 1 : strlen(second) + 1) != 0);
	/* round to the first again */
	for (int i = 0; i < 8; i++) {
		char *next;

		screen_keys("\033/");
		next = ahead_other_than(second);
		free(second);
		second = next;
		assert_true(*second != '\0');
		if (strcmp(second, back) == 0)
			break;
	}
	assert_string_equal(second, back);
	free(second);
	/* and it is one like others: Right takes it */
	screen_keys("\033/");
	second = ahead_other_than(back);
	screen_keys("\033[C");
	screen_drain(300);
	screen_keys("\r");
	screen_expect("you ");
	{
		struct str sent = STR_INIT;

		str_addf(&sent, "  Thank you for %s", second);
		screen_expect(sent.s);
		str_free(&sent);
	}
	free(second);
	free(back);
	/* off is off */
	screen_keys("\033s");
	screen_expect("grey text is off");
	screen_keys(draft + 2);
	screen_keys("\033/");
	screen_expect("grey text is off: M-s");
	screen_quit();
}

static bool is_dim(void)      /* libvterm keeps no such attribute */
{
	return screen.raw.len && (strstr(screen.raw.s, "\033[2m") || strstr(screen.raw.s, ";2m"));
}

static VTermScreenCell cell_of(int column)
{
	VTermScreenCell cell = { 0 };

	for (int r = 0; r < screen.rows; r++) {
		char *row = screen_row(r);
		const bool found = strncmp(row, draft, sizeof(draft) - 2) == 0;

		free(row);
		if (found)
			vterm_screen_get_cell(screen.cells, (VTermPos){ r, column }, &cell);
	}
	return cell;
}

/* Underlined where the terminal has no dim, and only the grey text is. */
static void never_like_typed_text(void **state)
{
	static const char *const terms[] = { "vt100", "vt220", "xterm-256color" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		const bool dim = i == 2;
		char *text;

		screen.record = true;
		start(terms[i], "--assist");
		screen_keys(draft + 2);
		screen_settle(300);
		str_reset(&screen.raw);
		screen_keys("\033/");
		text = ahead_other_than("");
		assert_true(*text != '\0');
		free(text);
		screen_drain(50);
		assert_int_equal(is_dim(), dim);
		for (int c = 2; c < (int)sizeof(draft) - 1; c++)
			assert_false(cell_of(c).attrs.underline);
		for (int c = 0; c < 3; c++)
			assert_int_equal(cell_of((int)sizeof(draft) - 1 + c).attrs.underline, !dim);
		screen_keys("\033[C");                  /* taken, it is typed text */
		screen_drain(300);
		for (int c = 0; c < 3; c++)
			assert_false(cell_of((int)sizeof(draft) - 1 + c).attrs.underline);
		screen_quit();
	}
}

/* A terminal that can mark nothing is shown nothing. */
static void none_where_nothing_can_be_marked(void **state)
{
	char *text;

	(void)state;
	start("vt52", "--assist");
	screen_keys(draft + 2);
	screen_keys("\033/");
	screen_settle(500);
	text = ahead();
	assert_string_equal(text, "");
	free(text);
	screen_quit();
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, screen_fresh, screen_gone)
	const struct CMUnitTest tests[] = {
		T(another_on_request), T(never_like_typed_text), T(none_where_nothing_can_be_marked),
	};

	cmocka_set_test_filter(getenv("TEST"));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
