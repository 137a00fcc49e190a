/* SPDX-License-Identifier: GPL-3.0-or-later */
/* screen_models: the versions there are, which serves, and the way back. */
#include <string.h>

#include "ui_private.h"

static void open_it(struct ui *u)
{
	u->pick = u->top = 0;
	app_models(u->app);
}

static void draw(struct ui *u, int rows, int columns)
{
	draw_list_bounds(u, u->models.items, rows / 2);
	for (int y = 0; y + 1 < rows && u->top + (size_t)(y / 2) < u->models.items; y += 2) {
		const size_t i = u->top + (size_t)(y / 2);
		const struct event_item *it = &u->models.item[i];

		draw_line(1 + y, 0, columns, i == u->pick ? STYLE_PICK : STYLE_BOLD, "%s %-8s %s", i == u->pick ? ">" : " ", it->text,
		          it->flag ? "serves" : "");
		draw_line(2 + y, 4, columns - 4, STYLE_DIM, "%s  %s", it->more, strcmp(it->origin, "{}") == 0 ? "" : it->origin);
	}
}

static bool key(struct ui *u, int k)
{
	if (k == 'p' && u->pick < u->models.items)
		app_promote(u->app, u->models.item[u->pick].text);
	else if (k == 'r')
		app_promote(u->app, NULL);
	else
		return false;
	return true;
}

const struct screen screen_models = {
	.title = "models", .open = open_it, .draw = draw, .key = key, .hint = "p promotes the one picked, r rolls back; q goes back"
};
