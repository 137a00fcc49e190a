/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every screen at three sizes, cell by cell: characters and attributes as a terminal has them, against tests/golden/.
 *
 * ANSWERBACK_UPDATE_GOLDEN=1 writes the files anew; look at the difference before you commit it. What another model, clock or
 * processor would change is masked: figures become '#', the model's own words and the shades of its attention blanks.
 * A row of a file is "|characters", and under it, where not all is plain, ":attributes": b bold, r reverse, u underlined, B both
 * of the first; a capital R G C for red, green, cyan (bold or not), '.' plain. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/utf8.h"
#include "common_screen.h"

enum { DIGITS = 1, WORDS = 2, MODEL = 4 };

/* ---- masks ---- */

struct cell {
	char text[32];
	char attribute;
};

static struct cell grid[64][200];

static void blank(int row, int from, int to)
{
	for (int c = from; c < to; c++)
		strcpy(grid[row][c].text, " ");
}

static bool row_has(int row, const char *what)
{
	char *text = screen_row(row);
	const bool has = strstr(text, what) != NULL;

	free(text);
	return has;
}

static void mask(unsigned how)
{
	bool suggestions = false, model = false;
	int nth = 0;

	for (int r = 0; r < screen.rows; r++) {
		if (how & DIGITS) {
			for (int c = 0; c < screen.columns; c++)
				if (isdigit((unsigned char)grid[r][c].text[0]) && r > 0)
					strcpy(grid[r][c].text, "#");
		}
		if ((how & WORDS) && r > 0 && r + 1 < screen.rows) {      /* the reply's words stay, and where their rows are */
			const int from = r < screen.rows - 5 ? 8 : 0;

			blank(r, from, screen.columns);
			for (int c = from; c < screen.columns; c++)
				grid[r][c].attribute = '.';
		}
		for (int c = 0; c + 4 < screen.columns; c++)      /* the home is another one each time */
			if (memcmp(grid[r][c].text, "/", 2) == 0 && grid[r][c + 1].text[0] == 't' && grid[r][c + 3].text[0] == 'p')
				blank(r, c, screen.columns);
		if (!(how & MODEL))
			continue;
		if (row_has(r, "suggestions:")) {
			suggestions = true;
		} else if (suggestions && grid[r][4].text[0] != ' ' && (unsigned char)grid[r][4].text[0] == 0xe2) {      /* the next rule */
			suggestions = false;
		} else if (suggestions) {
			const bool head = isdigit((unsigned char)grid[r][0].text[0]) != 0;

			nth += head;
			if (head)
				model = screen.rows < 14 ? nth > 1 : row_has(r, "%  model");
			for (int c = 1; c < screen.columns && head; c++)
				if (isdigit((unsigned char)grid[r][c].text[0]) || grid[r][c].text[0] == '#')
					strcpy(grid[r][c].text, ".");
			if (model)
				blank(r, head && screen.rows >= 14 ? 15 : 2, screen.columns);
		}
	}
}

static char attribute_of(const VTermScreenCell *cell)
{
	if (cell->attrs.underline)
		return 'u';
	if (VTERM_COLOR_IS_INDEXED(&cell->fg))
		return cell->fg.indexed.idx == 1 || cell->fg.indexed.idx == 9 ? 'R' : cell->fg.indexed.idx == 2 || cell->fg.indexed.idx == 10 ? 'G' :
			cell->fg.indexed.idx == 6 || cell->fg.indexed.idx == 14 ? 'C' : 'x';
	if (cell->attrs.bold && cell->attrs.reverse)
		return 'B';
	return cell->attrs.bold ? 'b' : cell->attrs.reverse ? 'r' : '.';
}

static void look(void)
{
	for (int r = 0; r < screen.rows; r++) {
		for (int c = 0; c < screen.columns; c++) {
			struct cell *g = &grid[r][c];
			VTermScreenCell cell;
			struct str s = STR_INIT;
			char utf8[4];

			vterm_screen_get_cell(screen.cells, (VTermPos){ r, c }, &cell);
			for (int i = 0; i < VTERM_MAX_CHARS_PER_CELL && cell.chars[i] && cell.chars[i] != (uint32_t)-1; i++)
				str_add(&s, utf8, utf8_encode((int32_t)cell.chars[i], utf8));
			/* the right half of a wide character has no text of its own */
			snprintf(g->text, sizeof(g->text), "%s", s.len || cell.chars[0] == (uint32_t)-1 ? s.s : " ");
			g->attribute = attribute_of(&cell);
			str_free(&s);
		}
	}
}

static char *picture(unsigned how)
{
	struct str out = STR_INIT;

	look();
	mask(how);
	for (int r = 0; r < screen.rows; r++) {
		struct str a = STR_INIT;
		bool plain = true;

		str_addc(&out, '|');
		for (int c = 0; c < screen.columns; c++) {
			str_adds(&out, grid[r][c].text);
			str_addc(&a, grid[r][c].attribute);
			plain = plain && grid[r][c].attribute == '.';
		}
		while (out.s[out.len - 1] == ' ')
			out.s[--out.len] = '\0';
		while (a.len && a.s[a.len - 1] == '.')
			a.s[--a.len] = '\0';
		str_addc(&out, '\n');
		if (!plain)
			str_addf(&out, ":%s\n", a.s);
		str_free(&a);
	}
	return str_detach(&out);
}

static int checked, different;

static void golden(const char *name, unsigned how)
{
	char path[200], *now;
	struct str want = STR_INIT;
	int c;
	FILE *f;

	screen_settle(150);
	snprintf(path, sizeof(path), "tests/golden/%s-%dx%d.txt", name, screen.columns, screen.rows);
	now = picture(how);
	if (getenv("ANSWERBACK_UPDATE_GOLDEN")) {
		f = fopen(path, "w");
		assert_non_null(f);
		fputs(now, f);
		fclose(f);
		free(now);
		return;
	}
	f = fopen(path, "r");
	if (!f)
		fail_msg("%s is missing: ANSWERBACK_UPDATE_GOLDEN=1 writes it", path);
	while ((c = getc(f)) != EOF)
		str_addc(&want, (char)c);
	fclose(f);
	checked++;
	/* a screen may need a moment more on a busy machine */
	for (int64_t until = screen_now() + 5000; strcmp(want.s, now) != 0 && screen_now() < until;) {
		screen_drain(50);
		free(now);
		now = picture(how);
	}
	if (strcmp(want.s, now) != 0) {
		print_message("%s should be\n%sbut is\n%s", path, want.s, now);
		different++;
	}
	free(now);
	str_free(&want);
}

/* ---- the same small world for each ---- */

static void write_log(void)
{
	struct str s = STR_INIT;

	for (int i = 1; i <= 60; i++)
		str_addf(&s, "{\"event\": \"%s\", \"step\": %d, \"loss\": %.4f, \"tokens_per_second\": 1000, \"progress\": %.3f, \"eta\": %d%s}\n",
		         i % 6 ? "step" : "eval", 10 * i, 2 + 3.0 / i, i / 60.0, 5 * (60 - i),
		         i % 6 ? "" : ", \"bits_per_char\": 1.5, \"best\": 1.5, \"base_drift\": 0.001");
	screen_file("run.jsonl", s.s);
	str_free(&s);
}

static void world(void)
{
	char clock[100];

	screen_file("clock", "1767258240000");      /* 2026-01-01 09:04 UTC */
	snprintf(clock, sizeof(clock), "%s/clock", screen.home);
	screen_env("ANSWERBACK_CLOCK", clock);
	screen_command("teach 'Where is my parcel?' 'It left our house this morning and is with you tomorrow.'", NULL);
	screen_command("teach 'Do you open on Sundays?' 'We open at ten on Sundays.'", NULL);
	screen_command("teach 'My money is not back yet' 'That takes a while.'", NULL);
	write_log();
	/* one canned reply, three examples to decide on */
	screen_start(24, 80, "xterm-256color", "--assist");
	screen_expect("model base");
	screen_keys("\033s/customer Do you open on Sundays?\r");
	screen_expect("suggestions:");
	screen_keys("Dear {customer}, we open at ten on Sundays.\025Dear Johanna, we open at ten on Sundays.\r");
	screen_expect("  typed");
	screen_keys("/new\r/customer My money is not back yet\r");
	screen_expect("suggestions:");
	screen_keys("The refund of your money takes five days.\r");
	screen_expect("takes five days.");
	screen_keys("/keep aa-refund\r");
	screen_expect("kept: C-x k");
	screen_keys("/new\r/customer Where is my parcel?\r");
	screen_expect("suggestions:");
	screen_keys("\0301\177, before noon.\r");
	screen_expect("  edited");
	screen_quit();
}

static void all_screens(int rows, int columns)
{
	char args[200];

	world();
	checked = different = 0;
	snprintf(args, sizeof(args), "--watch %s/run.jsonl", screen.home);
	screen_start(rows, columns, "xterm-256color", args);
	screen_expect("model base");
	golden("chat-empty", 0);
	screen_keys("Where is my parcel?\r");
	screen_expect("tomorrow.");
	golden("chat", 0);
	screen_keys("\030w");
	screen_expect("hangs on");
	golden("why", WORDS);
	screen_keys("\030m");
	golden("menu", 0);
	screen_keys("\030h");
	golden("help", 0);
	screen_keys("\030t");
	golden("training", 0);
	screen_keys("\030v");
	screen_expect("serves");
	golden("models", DIGITS);
	screen_keys("\030s");
	golden("settings", 0);
	screen_keys("\030k");
	screen_expect("aa-refund");
	golden("canned", 0);
	screen_keys("\030l");
	golden("cases", 0);
	screen_keys("\030r");
	screen_expect("1 of 3");
	golden("review", 0);
	screen_keys("s");
	screen_expect("2 of 3");
	screen_keys("\030b");
	screen_expect("cust");
	golden("history", DIGITS);
	screen_keys("sunday");
	golden("history-search", DIGITS);
	screen_keys("\007\030r");
	screen_expect("1 of 3");
	screen_keys("ss");
	screen_expect("3 of 3");
	golden("review-least", 0);
	screen_keys("e");
	screen_expect("> ");
	golden("review-edit", 0);
	screen_keys("\007q");
	screen_keys("/assist\r/new\r/customer Where is my parcel? And my money, the refund?\r");
	screen_expect("suggestions:");
	golden("suggestions", MODEL);
	screen_quit();
	assert_int_equal(different, 0);
}

static void at_80x24(void **state)
{
	(void)state;
	all_screens(24, 80);
}

static void at_40x10(void **state)
{
	(void)state;
	all_screens(10, 40);
}

static void at_120x40(void **state)
{
	(void)state;
	all_screens(40, 120);
}

static void at_20x5(void **state)
{
	char clock[100];

	(void)state;
	checked = different = 0;
	screen_file("clock", "1767258240000");
	snprintf(clock, sizeof(clock), "%s/clock", screen.home);
	screen_env("ANSWERBACK_CLOCK", clock);
	screen_command("teach 'Where is my parcel?' 'It left our house this morning and is with you tomorrow.'", NULL);
	screen_start(5, 20, "xterm-256color", "");
	screen_expect("small:");
	screen_keys("Where is my parcel?");
	screen_expect("parcel?");
	screen_keys("\r");
	screen_expect("tomorrow.");
	golden("chat", 0);
	screen_keys("\030m");
	golden("menu", 0);
	screen_quit();
	assert_int_equal(different, 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, screen_fresh, screen_gone)
	const struct CMUnitTest tests[] = { T(at_80x24), T(at_40x10), T(at_120x40), T(at_20x5) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
