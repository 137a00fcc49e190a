/* SPDX-License-Identifier: GPL-3.0-or-later */
/* screen_history: full-text search as one types; Enter opens. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ui_private.h"

static void search(struct ui *u)
{
	const char *text = input_text();

	/* a command is no query */
	if (u->asked && strcmp(u->asked, text) == 0)
		return;
	free(u->asked);
	u->asked = xstrdup(text);
	app_search(u->app, text, ++u->serial);
}

static void open_it(struct ui *u)
{
	free(u->asked);
	u->asked = NULL;
	u->pick = u->top = 0;
	search(u);
}

/* The text with matches (between \x02 and \x03) bold. */
static void draw_snippet(int y, int x, int columns, const char *s, bool picked)
{
	enum term_style style = picked ? STYLE_PICK : STYLE_PLAIN;

	while (*s && columns > 0) {
		const size_t n = strcspn(s, "\x02\x03");
		char *safe = text_safe(s, n, term_ascii());
		int w;

		for (char *p = safe; *p; p++)
			if (*p == '\n')
				*p = ' ';
		w = text_width(safe, strlen(safe));
		draw_text(y, x, columns, safe, strlen(safe), style);
		free(safe);
		x += w;
		columns -= w;
		s += n;
		if (*s == '\x02')
			style = picked ? STYLE_PICK : STYLE_USER;
		if (*s == '\x03')
			style = picked ? STYLE_PICK : STYLE_PLAIN;
		s += *s != '\0';
	}
}

static void draw(struct ui *u, int rows, int columns)
{
	if (u->hits.items == 0)
		draw_line(1, 0, columns, STYLE_DIM, "%s", *input_text() ? "nothing found" : "nothing has been said yet");
	draw_list_bounds(u, u->hits.items, rows);
	for (int y = 0; y < rows && u->top + (size_t)y < u->hits.items; y++) {
		const struct event_item *it = &u->hits.item[u->top + (size_t)y];
		const bool picked = u->top + (size_t)y == u->pick;
		const time_t t = (time_t)(it->number / 1000);
		char when[20];
		struct tm tm;

		localtime_r(&t, &tm);
		strftime(when, sizeof(when), "%m-%d %H:%M", &tm);
		draw_line(1 + y, 0, columns, picked ? STYLE_PICK : STYLE_DIM, "%s%5lld  %s  %-4.4s ", picked ? ">" : " ",
		          (long long)it->id, when, strcmp(it->role, "user") == 0 ? "cust" : "we");
		draw_snippet(1 + y, 26, columns - 26, it->text, picked);
	}
}

static void enter(struct ui *u)
{
	if (u->pick < u->hits.items)
		app_open_row(u->app, u->hits.item[u->pick].id);
}

const struct screen screen_history = {
	.title = "history", .typing = true, .open = open_it, .draw = draw, .typed = search, .enter = enter,
	.hint = "type to search; Up, Down, Enter opens; /tag T, /export FILE, /delete act on the one picked; C-g goes back"
};
