/* SPDX-License-Identifier: GPL-3.0-or-later */
/* screen_cases: the conversations that are open in this run: whose, what was said last, what is unread or half written. */
#include <string.h>

#include "ui_private.h"

static size_t nth(const struct ui *u, size_t n)
{
	for (size_t i = 0; i < u->n; i++)
		if (!u->c[i].closed && n-- == 0)
			return i;
	return u->n;
}

static size_t count(const struct ui *u)
{
	size_t n = 0;

	for (size_t i = 0; i < u->n; i++)
		n += !u->c[i].closed;
	return n;
}

static void open_it(struct ui *u)
{
	for (size_t i = 0; i < u->at; i++)
		u->pick += !u->c[i].closed;
}

static void draw(struct ui *u, int rows, int columns)
{
	const size_t n = count(u);

	draw_list_bounds(u, n, rows);
	for (int y = 0; y < rows && u->top + (size_t)y < n; y++) {
		const size_t k = u->top + (size_t)y, i = nth(u, k);
		const struct conversation *c = &u->c[i];
		const bool picked = k == u->pick, draft = i == u->at ? input_length() > 0 : c->draft && *c->draft;
		char unread[32] = "";
		const char *who = *c->customer ? c->customer : *c->case_id ? c->case_id : "(no name)";

		if (c->unread)
			snprintf(unread, sizeof(unread), "%zu new", c->unread);
		draw_line(1 + y, 0, 20, picked ? STYLE_PICK : STYLE_BOLD, "%s %2zu %-16s", picked ? ">" : " ", k + 1, who);
		draw_line(1 + y, 21, 7, STYLE_WARN, "%s", unread);
		draw_line(1 + y, 28, 6, STYLE_DIM, "%s", draft ? "draft" : "");
		if (c->n > 0)
			draw_line(1 + y, 35, columns - 35, STYLE_PLAIN, "%s: %s", strcmp(c->m[c->n - 1].role, "user") == 0 ? "cust" : "we",
			          c->m[c->n - 1].text);
	}
}

static bool key(struct ui *u, int k)
{
	const size_t i = nth(u, u->pick);

	if (k != '\r')
		return false;
	ui_show(u, SCREEN_CHAT);
	if (i < u->n)
		ui_switch(u, i);
	return true;
}

const struct screen screen_cases = {
	.title = "open conversations", .open = open_it, .draw = draw, .key = key, .hint = "Up, Down, Enter; q goes back"
};
