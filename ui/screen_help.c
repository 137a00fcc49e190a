/* SPDX-License-Identifier: GPL-3.0-or-later */
/* screen_help: the keys, from the table that binds them, and the commands. */
#include <string.h>

#include "ui_private.h"

enum { LEFT = 25, WIDE = 70 };

struct row {
	const char *key, *what;
};

static const struct row keys[] = {
#define X(name, seq, letter, shown, what) { shown, what },
	KEYS(X)
#undef X
#define X(shown, what) { shown, what },
	KEYS_FIXED(X)
#undef X
};
enum { NKEYS = sizeof(keys) / sizeof(keys[0]) };

static size_t commands(void)
{
	size_t n = 0;

	while (ui_commands[n].name)
		n++;
	return n;
}

/* Line i: keys, a blank, commands. name: 80 bytes. */
static const char *line(size_t i, char *name)
{
	const struct command *c;

	name[0] = '\0';
	if (i < NKEYS) {
		snprintf(name, 80, "%s", keys[i].key);
		return keys[i].what;
	}
	if (i == NKEYS)
		return "";
	c = &ui_commands[i - NKEYS - 1];
	snprintf(name, 80, "/%s %s", c->name, c->args);
	return c->what;
}

static void draw(struct ui *u, int rows, int columns)
{
	const size_t n = NKEYS + 1 + commands();
	const int detail = columns < WIDE && rows > 5 ? 3 : 0, list = rows - detail;
	char name[80];

	draw_list_bounds(u, n, list);
	for (int y = 0; y < list && u->top + (size_t)y < n; y++) {
		const size_t i = u->top + (size_t)y;
		const enum term_style style = i == u->pick ? STYLE_PICK : STYLE_PLAIN;
		const char *what = line(i, name);

		if (i == u->pick)
			draw_fill(1 + y, columns, style);
		draw_line(1 + y, 0, columns, style, "%s", name);
		if (!detail)
			draw_line(1 + y, LEFT, columns - LEFT, style, "%s", what);
	}
	if (detail)
		draw_detail(1 + list, detail, columns, line(u->pick, name));
	draw_line(list, columns - 8, 8, STYLE_TITLE, " %2zu/%-2zu ", u->pick + 1, n);
}

const struct screen screen_help = { .title = "keys and commands", .draw = draw, .hint = "Up, Down; in vi's command mode , stands for C-x; q goes back|Up, Down; q goes back" };
