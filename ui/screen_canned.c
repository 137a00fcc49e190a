/* SPDX-License-Identifier: GPL-3.0-or-later */
/* screen_canned: replies kept by name; one goes into the line, and the cursor to its first open {field}. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ui_private.h"

void ui_canned_came(struct ui *u)
{
	input_set_names(NULL);
	free(u->canned_names);
	u->canned_names = xcalloc(u->canned.items + 1, sizeof(*u->canned_names));
	for (size_t i = 0; i < u->canned.items; i++)
		u->canned_names[i] = u->canned.item[i].more;
	input_set_names(u->canned_names);
}

static void open_it(struct ui *u)
{
	app_canned(u->app);
}

static void draw(struct ui *u, int rows, int columns)
{
	const size_t n = u->canned.items;
	const int preview = rows > 9 ? rows / 3 : 0, list = rows - preview;

	if (n == 0) {
		draw_wrapped(1, 0, rows, columns, "No canned reply yet. /keep NAME keeps what is in the last message you sent, under that name; "
		             "a {field} in it has to be filled in before it can be sent.", STYLE_PLAIN, 0);
		return;
	}
	draw_list_bounds(u, n, list);
	for (int y = 0; y < list && u->top + (size_t)y < n; y++) {
		const struct event_item *it = &u->canned.item[u->top + (size_t)y];
		const bool picked = u->top + (size_t)y == u->pick;

		draw_line(1 + y, 0, 18, picked ? STYLE_PICK : STYLE_BOLD, "%s %-16s", picked ? ">" : " ", it->more);
		draw_line(1 + y, 19, columns - 19, STYLE_PLAIN, "%s", it->text);
	}
	if (preview) {
		draw_rule(1 + list, columns, NULL);
		draw_wrapped(2 + list, 2, preview - 1, columns - 2, u->canned.item[u->pick].text, STYLE_PLAIN, 0);
	}
}

static bool key(struct ui *u, int k)
{
	if (k != '\r')
		return false;
	if (u->pick < u->canned.items)
		ui_insert_canned(u, u->pick);
	return true;
}

const struct screen screen_canned = {
	.title = "canned replies", .open = open_it, .draw = draw, .key = key, .hint = "Up, Down, Enter puts it into the line; q goes back|Enter takes it"
};
