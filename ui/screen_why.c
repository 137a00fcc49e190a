/* SPDX-License-Identifier: GPL-3.0-or-later */
/* screen_why: the reply's words over the customer's: what was looked at, how sure each word was, what the
 * runners-up were, and which of the customer's words the reply hangs on. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ui_private.h"

static void open_it(struct ui *u)
{
	event_why_free(u->why);
	u->why = NULL;
	u->why_source = -1;
	u->why_back = 0;
	app_why(u->app, ui_conversation(u)->id, 0);
}

static const char *shade(float w)
{
	static const char *const blocks[] = { " ", "\xe2\x96\x91", "\xe2\x96\x92", "\xe2\x96\x93", "\xe2\x96\x88" };
	static const char *const ascii[] = { " ", ".", "o", "O", "#" };
	const int i = w < 0.03f ? 0 : w < 0.12f ? 1 : w < 0.3f ? 2 : w < 0.6f ? 3 : 4;

	return term_ascii() ? ascii[i] : blocks[i];
}

/* The words of the source, written downwards over their columns. */
static void draw_heads(const struct event_why *w, size_t first, int left, int height)
{
	for (size_t j = first; j < w->sources; j++) {
		char *word = text_safe(w->source[j], strlen(w->source[j]), term_ascii());
		const size_t n = strlen(word);
		size_t at = 0;

		for (int r = 0; r < height && at < n; r++) {
			int width;
			const size_t len = text_cluster(word + at, n - at, &width);

			/* a wide character has no room in one column */
			draw_text(1 + r, left + (int)(j - first), 1, width == 1 ? word + at : "?", width == 1 ? len : 1, STYLE_DIM);
			at += len;
		}
		free(word);
	}
}

static void hangs_on(const struct event_why *w, char *line, size_t size)
{
	bool used[400] = { false };

	line[0] = '\0';
	for (int k = 0; k < 6; k++) {
		size_t best = SIZE_MAX;

		for (size_t j = 0; j < w->sources && j < 400; j++)
			if (!used[j] && !isnan(w->importance[j]) && w->importance[j] > 0.05 &&
			    (best == SIZE_MAX || w->importance[j] > w->importance[best]))
				best = j;
		if (best == SIZE_MAX)
			return;
		used[best] = true;
		snprintf(line + strlen(line), size - strlen(line), "%s%.24s (%.1f)", k ? ", " : "", w->source[best], w->importance[best]);
	}
}

/* The customer's latest words matter most: the columns at the right end of the source. */
static void draw(struct ui *u, int rows, int columns)
{
	const struct event_why *w = u->why;
	const int wide = columns >= 50, left = wide ? 24 : 14, names = wide ? 14 : 8;
	const int heads = rows >= 18 ? 8 : rows >= 13 ? 5 : 1, below = rows >= 10 ? 4 : rows >= 7 ? 2 : 0, list = rows - heads - below;
	const size_t room = columns > left + 4 ? (size_t)(columns - left - 1) : 0;
	size_t first, source;
	char reply[32];
	int y = heads + 1;

	if (!w) {
		draw_line(1, 0, columns, STYLE_DIM, "looking ...");
		return;
	}
	draw_list_bounds(u, w->words, list);
	first = w->sources > room ? w->sources - room : 0;
	if (u->why_source >= (int64_t)w->sources)
		u->why_source = (int64_t)w->sources - 1;
	if (u->why_source >= 0 && (size_t)u->why_source < first)
		u->why_source = (int64_t)first;
	snprintf(reply, sizeof(reply), u->why_back ? "%zu back" : "reply", u->why_back);
	draw_line(heads, 0, columns, STYLE_DIM, wide ? "%-14s  sure nul" : "%-8s sure", reply);
	draw_heads(w, first, left, heads);
	for (int k = 0; k < list && u->top + (size_t)k < w->words; k++, y++) {
		const size_t i = u->top + (size_t)k;
		const float *row = w->weight + i * (w->sources + 1);
		char *word = text_safe(w->word[i], strlen(w->word[i]), term_ascii());

		draw_line(y, 0, names + 1, i == u->pick ? STYLE_PICK : STYLE_PLAIN, "%.*s", (int)text_fit(word, strlen(word), names), word);
		draw_line(y, names + 1, 5, w->probability[i] < 0.2 ? STYLE_WARN : STYLE_DIM, "%3.0f%%", 100 * w->probability[i]);
		if (wide) {
			mvaddstr(y, left - 2, shade(row[0]));
			mvaddstr(y, left - 1, "|");
		}
		for (size_t j = first; j < w->sources; j++) {
			if ((int64_t)j == u->why_source)
				attrset(A_REVERSE);
			mvaddstr(y, left + (int)(j - first), shade(row[1 + j]));
			attrset(0);
		}
		free(word);
	}
	y = rows - below + 1;
	if (u->pick < w->words && below > 0) {
		const float *row = w->weight + u->pick * (w->sources + 1);
		char text[600], on[400];

		source = u->why_source >= 0 ? (size_t)u->why_source : 0;
		for (size_t j = 0; u->why_source < 0 && j < w->sources; j++)
			if (row[1 + j] > row[1 + source])
				source = j;
		snprintf(text, sizeof(text), "'%.40s' looked %s'%.40s' (%.0f%%); it could have been: %.300s", w->word[u->pick],
		         u->why_source >= 0 ? "at " : "most at ", w->sources ? w->source[source] : "nothing",
		         w->sources ? 100.0 * (double)row[1 + source] : 0.0, w->others[u->pick]);
		y += draw_wrapped(y, 0, below > 2 ? 2 : 1, columns, text, STYLE_PLAIN, 0) > 1 && below > 2 ? 2 : 1;
		hangs_on(w, on, sizeof(on));
		snprintf(text, sizeof(text), "it hangs on: %s%s", *on ? on : "no single word", *on && below > 2 ? " (nats lost without the word)" : "");
		draw_wrapped(y, 0, rows - y + 1, columns, text, STYLE_BOLD, 0);
	}
}

static bool key(struct ui *u, int k)
{
	if (k == UI_LEFT || k == UI_RIGHT) {
		u->why_source += k == UI_LEFT ? -(u->why_source >= 0) : 1;      /* drawing bounds it */
		return true;
	}
	if (k == 'p' || (k == 'n' && u->why_back > 0)) {
		app_why(u->app, ui_conversation(u)->id, k == 'p' ? u->why_back + 1 : u->why_back - 1);
		return true;
	}
	return false;
}

const struct screen screen_why = {
	.title = "why this reply?", .open = open_it, .draw = draw, .key = key,
	.hint = "Up, Down, Left, Right; p the reply before, n the one after; q goes back|Up, Down, Left, Right; p, n; q back"
};
