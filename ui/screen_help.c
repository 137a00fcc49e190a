/* SPDX-License-Identifier: GPL-3.0-or-later */
/* screen_help: the keys, from the table that binds them, and the commands. */
#include <string.h>

#include "ui_private.h"

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

static void draw(struct ui *u, int rows, int columns)
{
	const size_t n = NKEYS + 1 + commands();

	draw_list_bounds(u, n, rows);
	for (int y = 0; y < rows && u->top + (size_t)y < n; y++) {
		const size_t i = u->top + (size_t)y;
		const enum term_style style = i == u->pick ? STYLE_PICK : STYLE_PLAIN;

		if (i < NKEYS) {
			draw_line(1 + y, 0, columns, style, "%-24s %-*s", keys[i].key, columns > 25 ? columns - 25 : 0, keys[i].what);
		} else if (i > NKEYS) {
			const struct command *c = &ui_commands[i - NKEYS - 1];

			draw_line(1 + y, 0, columns, style, "/%s %-*s %-*s", c->name, (int)(22 - strlen(c->name)), c->args,
			          columns > 25 ? columns - 25 : 0, c->what);
		}
	}
}

const struct screen screen_help = { .title = "keys and commands", .draw = draw, .hint = "Up, Down; q goes back" };
