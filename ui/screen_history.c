/* SPDX-License-Identifier: GPL-3.0-or-later */
/* screen_history: full-text search as one types; Enter opens. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ui_private.h"

static void search(struct ui *u)
{
	const char *text = input_text();

	if (*text == '/')      /* a command is no query: what was found stays */
		return;
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
	const char *match = strchr(s, 2);
	const int before = columns > 40 ? columns - 20 : columns / 2;

	/* narrow: what was found must be seen, whatever stands before it */
	if (match && text_width(s, (size_t)(match - s)) > before) {
		while (s < match && (*s != ' ' || text_width(s, (size_t)(match - s)) > before - 3))
			s++;
		draw_text(y, x, columns, "...", 3, style);
		s += *s == ' ';
		x += 3;
		columns -= 3;
	}
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
	const int preview = rows > 11 ? rows / 3 : 0, list = rows - preview, left = columns < 60 ? 13 : 26;
	const size_t n = u->hits.items;

	if (n == 0)
		draw_line(1, 0, columns, STYLE_DIM, "%s", u->asked && *u->asked ? "nothing found" : "nothing has been said yet");
	draw_list_bounds(u, n, list);
	for (int y = 0; y < list && u->top + (size_t)y < n; y++) {
		const struct event_item *it = &u->hits.item[u->top + (size_t)y];
		const bool picked = u->top + (size_t)y == u->pick;
		const time_t t = (time_t)(it->number / 1000);
		char when[20];
		struct tm tm;

		localtime_r(&t, &tm);
		strftime(when, sizeof(when), left < 20 ? "%m-%d" : "%m-%d %H:%M", &tm);
		if (left < 20)
			draw_line(1 + y, 0, left, picked ? STYLE_PICK : STYLE_DIM, "%s %s %-4.4s", picked ? ">" : " ", when,
			          strcmp(it->role, "user") == 0 ? "cust" : "we");
		else
			draw_line(1 + y, 0, left, picked ? STYLE_PICK : STYLE_DIM, "%s%5lld  %s  %-4.4s ", picked ? ">" : " ", (long long)it->id,
			          when, strcmp(it->role, "user") == 0 ? "cust" : "we");
		draw_snippet(1 + y, left, columns - left, it->text, picked);
	}
	if (preview && n > 0) {
		const struct event_item *it = &u->hits.item[u->pick];
		char label[80];

		snprintf(label, sizeof(label), "#%lld %.40s  %s", (long long)it->id, it->more ? it->more : "", it->origin ? it->origin : "");
		draw_rule(1 + list, columns, label);
		draw_wrapped(2 + list, 2, preview - 1, columns - 2, it->answer ? it->answer : it->text, STYLE_PLAIN, 0);
	}
}

/* The line becomes the query again. */
static void back_to_query(struct ui *u)
{
	input_set(u->asked ? u->asked : "");
}

static void enter(struct ui *u)
{
	const char *text = input_text();
	const struct event_item *it = u->pick < u->hits.items ? &u->hits.item[u->pick] : NULL;

	if (*text != '/') {
		if (it)
			app_open_row(u->app, it->id);
		return;
	}
	if (strcmp(text, "/delete") == 0 && it && !u->sure) {
		u->sure = true;
		ui_note(u, "delete #%lld and all that was learned from it? Enter once more; C-g leaves it", (long long)it->id);
		return;
	}
	u->sure = false;

	char *line = xstrdup(text + 1);

	input_remember(text);
	back_to_query(u);
	if (!ui_command(u, line))
		ui_note(u, "there is no /%.*s; /help lists the commands", (int)strcspn(line, " "), line);
	free(line);
}

const struct screen screen_history = {
	.title = "history", .typing = true, .own_line = true, .open = open_it, .draw = draw, .typed = search, .enter = enter,
	.hint = "type to search; Up, Down, Enter opens; /tag T, /export FILE, /delete; C-g back|Enter opens; /tag /export /delete|Enter opens; C-g back"
};
