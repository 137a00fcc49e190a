/* SPDX-License-Identifier: GPL-3.0-or-later */
/* screen_menu: every command, its shortcut, and a line about it. */
#include <stdlib.h>
#include <string.h>

#include "ui_private.h"

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
	draw_list_bounds(u, count(), rows);
	for (int y = 0; y < rows; y++) {
		const struct command *c = nth(u->top + (size_t)y);
		const bool picked = u->top + (size_t)y == u->pick;

		if (!c)
			break;
		draw_line(1 + y, 0, columns, picked ? STYLE_PICK : STYLE_PLAIN, "%s /%-12s %-10s %-*s", picked ? ">" : " ", c->name,
		          c->key, columns > 27 ? columns - 27 : 0, c->what);
	}
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

const struct screen screen_menu = { .title = "menu", .draw = draw, .key = key, .hint = "Up, Down, Enter; q goes back" };
