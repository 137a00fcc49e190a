/* SPDX-License-Identifier: GPL-3.0-or-later */
/* screen_models: the versions there are: what each came from, its figures, who made it serve; the way back; and two of
 * them on the same messages. */
#include <stdlib.h>
#include <string.h>

#include "ui_private.h"

static void open_it(struct ui *u)
{
	app_models(u->app);
}

static void draw(struct ui *u, int rows, int columns)
{
	const size_t n = u->models.items;
	/* a line for each; of the one picked all that is known */
	const int detail = rows > 7 ? 5 : rows > 4 ? 2 : 0, list = rows - detail;

	if (n == 0) {
		draw_line(1, 0, columns, STYLE_DIM, "looking ...");
		return;
	}
	draw_list_bounds(u, n, list);
	for (int y = 0; y < list && u->top + (size_t)y < n; y++) {
		const size_t i = u->top + (size_t)y;
		const struct event_item *it = &u->models.item[i];

		draw_line(1 + y, 0, 24, i == u->pick ? STYLE_PICK : STYLE_BOLD, "%s %-8s %-8s", i == u->pick ? ">" : " ", it->text,
		          it->flags ? "damaged" : it->flag ? "serves" : "");
		draw_line(1 + y, 24, columns - 24, STYLE_DIM, "%s%s%s%s%s", it->number ? "knows what was forgotten; " : "",
		          *it->role ? "from " : "", it->role, *it->role ? ", " : "", it->more);
	}
	if (detail) {
		const struct event_item *it = &u->models.item[u->pick];
		char text[700];

		snprintf(text, sizeof(text), "%s%s%s%s%s%s\n%s", it->number ?
		         "learned from something that was forgotten: t retrains on what is left, from the shipped model\n" : "", it->flags ? "damaged: " : "", it->flags ? it->flags : "", it->flags ? "\n" : "",
		         *it->origin ? it->origin : "no figures are known of it", *it->answer ? "" : "\nnever chosen by hand", it->answer);
		draw_detail(1 + list, detail, columns, text);
	}
}

static const char *serving(const struct ui *u)
{
	for (size_t i = 0; i < u->models.items; i++)
		if (u->models.item[i].flag)
			return u->models.item[i].text;
	return NULL;
}

static bool key(struct ui *u, int k)
{
	const struct event_item *it = u->pick < u->models.items ? &u->models.item[u->pick] : NULL;
	const char *now = serving(u);

	switch (k) {
	case 'p':
		if (it && it->flag)
			ui_note(u, "%s serves already", it->text);
		else if (it)
			app_promote(u->app, it->text);
		break;
	case 'r':
		if (!u->sure) {
			ui_note(u, "back to what served before %s? r once more goes, any other key stays", now ? now : "this");
			u->sure = true;
			return true;
		}
		app_promote(u->app, NULL);
		break;
	case 't':
		if (app_retraining(u->app))
			ui_show(u, SCREEN_TRAINING);
		else
			ui_command(u, "train");
		break;
	case 'c':
		if (!it || !now || it->flag)
			ui_note(u, now ? "pick another one than what serves: the two are compared" : "--model chose what serves: nothing to compare with");
		else if (!app_compare(u->app, now, it->text))
			ui_note(u, "one comparison at a time: the last one is not done yet");
		else
			ui_show(u, SCREEN_COMPARE);
		break;
	default:
		u->sure = false;
		return false;
	}
	u->sure = false;
	return true;
}

const struct screen screen_models = {
	.title = "models", .open = open_it, .draw = draw, .key = key,
	.hint = "p promotes, r rolls back, c compares with what serves, t retrains; q goes back|p promotes, r rolls back, c compares, t retrains; q goes back|p r c t q"
};

/* ---- two side by side ---- */

static void open_compare(struct ui *u)
{
	event_fini(&u->compared);
	u->compared = (struct event){ 0 };
}

static void draw_compare(struct ui *u, int rows, int columns)
{
	const struct event *ev = &u->compared;
	int y = 1;

	if (ev->kind != EVENT_COMPARED) {
		draw_line(1, 0, columns, STYLE_DIM, "both answer the last messages of customers ...");
		return;
	}
	if (ev->items == 0) {
		draw_line(1, 0, columns, STYLE_DIM, "no customer has written anything yet");
		return;
	}
	draw_list_bounds(u, ev->items, 1);
	for (size_t i = u->pick; i < ev->items && y <= rows; i++) {
		const struct event_item *it = &ev->item[i];

		draw_line(y, 0, columns, i == u->pick ? STYLE_PICK : STYLE_USER, "%zu/%zu customer", i + 1, ev->items);
		y++;
		y += draw_wrapped(y, 2, rows - y + 1, columns - 2, it->text, STYLE_PLAIN, 0);
		if (y <= rows)
			draw_line(y, 0, columns, STYLE_AGENT, "%s", ev->text);
		y++;
		y += draw_wrapped(y, 2, y <= rows ? rows - y + 1 : 0, columns - 2, it->answer, STYLE_PLAIN, 0);
		if (y <= rows)
			draw_line(y, 0, columns, STYLE_AGENT, "%s", ev->model);
		y++;
		y += draw_marked(y, 2, y <= rows ? rows - y + 1 : 0, columns - 2, it->more, 0);
	}
}

const struct screen screen_compare = {
	.title = "two models, the same messages", .back = SCREEN_MODELS, .open = open_compare, .draw = draw_compare,
	.hint = "Up, Down; q goes back to the models"
};
