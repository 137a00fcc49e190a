/* SPDX-License-Identifier: GPL-3.0-or-later */
/* screen_menu: every command, its shortcut, and a line about it. */
#include <stdlib.h>
#include <string.h>

#include "ui_private.h"

enum { LEFT = 26, WIDE = 70 };       /* columns of name and key; where the line about it fits beside them */

static const struct command *nth(size_t n)
{
	for (const struct command *c = ui_commands; c->name; c++)
		if (c->in_menu && n-- == 0)
			return c;
	return NULL;
}

static size_t count(void)
{
	size_t n = 0;

	while (nth(n))
		n++;
	return n;
}

static void draw(struct ui *u, int rows, int columns)
{
	const int detail = columns < WIDE && rows > 5 ? 3 : 0, list = rows - detail;

	draw_list_bounds(u, count(), list);
	for (int y = 0; y < list; y++) {
		const struct command *c = nth(u->top + (size_t)y);
		const bool picked = u->top + (size_t)y == u->pick;
		const enum term_style style = picked ? STYLE_PICK : STYLE_PLAIN;

		if (!c)
			break;
		if (picked)
			draw_fill(1 + y, columns, style);
		draw_line(1 + y, 0, columns, style, "%s /%-12s %-10s", picked ? ">" : " ", c->name, c->key);
		if (!detail)
			draw_line(1 + y, LEFT, columns - LEFT, style, "%s", c->what);
	}
	if (detail)
		draw_detail(1 + list, detail, columns, nth(u->pick)->what);
	if (count() > (size_t)list)
		draw_line(list, columns - 8, 8, STYLE_TITLE, " %2zu/%-2zu ", u->pick + 1, count());
}

static bool key(struct ui *u, int k)
{
	const struct command *c = nth(u->pick);

	if (k != '\r' || !c)
		return false;
	ui_show(u, SCREEN_CHAT);
	if (*c->args == '<') {      /* it wants a word: begin the line for it */
		char line[64];

		snprintf(line, sizeof(line), "/%s ", c->name);
		input_set(line);
	} else {
		ui_command(u, c->name);
	}
	return true;
}

const struct screen screen_menu = { .title = "menu", .draw = draw, .key = key, .hint = "Up, Down, Enter; q goes back|Enter takes, q back" };
