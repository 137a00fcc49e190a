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
	u->pick = u->top = 0;
	app_why(u->app, ui_conversation(u)->id);
}

static const char *shade(float w)
{
	static const char *const blocks[] = { " ", "\xe2\x96\x91", "\xe2\x96\x92", "\xe2\x96\x93", "\xe2\x96\x88" };
	static const char *const ascii[] = { " ", ".", "o", "O", "#" };
	const int i = w < 0.03f ? 0 : w < 0.12f ? 1 : w < 0.3f ? 2 : w < 0.6f ? 3 : 4;

	return term_ascii() ? ascii[i] : blocks[i];
}

/* The customer's latest words matter most: the columns at the right end of the source. */
static void draw(struct ui *u, int rows, int columns)
{
	const struct event_why *w = u->why;
	const int left = 24;
	const size_t room = columns > left + 4 ? (size_t)(columns - left - 2) : 0;
	size_t first;
	int y = 1;

	if (!w) {
		draw_line(1, 0, columns, STYLE_DIM, "looking ...");
		return;
	}
	draw_list_bounds(u, w->words, rows - 5);
	first = w->sources > room ? w->sources - room : 0;
	draw_line(y++, 0, columns, STYLE_DIM, "%-14s %5s  null | one column for each of the last %zu words said", "reply", "sure",
	          w->sources - first);
	for (int k = 0; k < rows - 5 && u->top + (size_t)k < w->words; k++, y++) {
		const size_t i = u->top + (size_t)k;
		const float *row = w->weight + i * (w->sources + 1);
		char *word = text_safe(w->word[i], strlen(w->word[i]), term_ascii());

		draw_line(y, 0, 15, i == u->pick ? STYLE_PICK : STYLE_PLAIN, "%-14.*s", (int)text_fit(word, strlen(word), 14), word);
		draw_line(y, 15, 6, w->probability[i] < 0.2 ? STYLE_WARN : STYLE_DIM, "%4.0f%%", 100 * w->probability[i]);
		mvaddstr(y, left - 2, shade(row[0]));
		mvaddstr(y, left - 1, "|");
		for (size_t j = first; j < w->sources; j++)
			mvaddstr(y, left + (int)(j - first), shade(row[1 + j]));
		free(word);
	}
	y = rows - 2;
	if (u->pick < w->words && y > 1) {
		const float *row = w->weight + u->pick * (w->sources + 1);
		size_t most = 0;

		for (size_t j = 1; j < w->sources; j++)
			if (row[1 + j] > row[1 + most])
				most = j;
		draw_line(y, 0, columns, STYLE_PLAIN, "'%s' looked most at '%s' (%.0f%%); it could have been: %s", w->word[u->pick],
		          w->sources ? w->source[most] : "nothing", w->sources ? 100.0 * (double)row[1 + most] : 0.0, w->others[u->pick]);
	}
	/* the words that the reply hangs on, most first */
	if (y + 1 <= rows) {
		bool used[400] = { false };
		char line[400] = "";

		for (int k = 0; k < 6; k++) {
			size_t best = SIZE_MAX;

			for (size_t j = 0; j < w->sources && j < 400; j++)
				if (!used[j] && !isnan(w->importance[j]) && w->importance[j] > 0.05 &&
				    (best == SIZE_MAX || w->importance[j] > w->importance[best]))
					best = j;
			if (best == SIZE_MAX)
				break;
			used[best] = true;
			snprintf(line + strlen(line), sizeof(line) - strlen(line), "%s%.24s (%.1f)", k ? ", " : "", w->source[best],
			         w->importance[best]);
		}
		draw_line(y + 1, 0, columns, STYLE_BOLD, "it hangs on: %s", *line ? line : "no single word");
		draw_line(y + 2, 0, columns, STYLE_DIM, "(nats of likelihood the reply loses when the word is left out)");
	}
}

const struct screen screen_why = { .title = "why this reply?", .open = open_it, .draw = draw, .hint = "Up, Down through the reply; q goes back" };
