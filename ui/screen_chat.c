/* SPDX-License-Identifier: GPL-3.0-or-later */
/* screen_chat: the transcript, and the suggestions under it when the person is the agent. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ui_private.h"

enum { GUTTER = 2, SUGGESTION_LINES = 3 };

static void wrap(struct message *m, int columns)
{
	if (m->line && m->columns == columns)
		return;
	free(m->line);
	m->lines = text_wrap(m->shown, strlen(m->shown), columns, &m->line);
	m->columns = columns;
}

/* A head line, the text, a blank line. */
static size_t height(struct message *m, int columns)
{
	wrap(m, columns);
	return m->lines + 2;
}

static const char *name_of(const struct ui *u, const struct conversation *c, const struct message *m)
{
	if (strcmp(m->role, "user") == 0)
		return *c->customer ? c->customer : u->assist ? "customer" : "you";
	return u->assist ? "you" : "answerback";
}

static void draw_message_line(struct ui *u, const struct conversation *c, struct message *m, size_t line, int y, int columns)
{
	char when[16];
	struct tm tm;

	if (line == 0) {
		localtime_r(&m->when, &tm);
		strftime(when, sizeof(when), "%H:%M", &tm);
		draw_line(y, 0, columns, strcmp(m->role, "user") == 0 ? STYLE_USER : STYLE_AGENT, "%s", name_of(u, c, m));

		const int x = text_width(name_of(u, c, m), strlen(name_of(u, c, m))) + 1;

		draw_line(y, x, columns - x, STYLE_DIM, "%s  %s%s", when, m->origin, m->streaming ? " ..." : "");
	} else if (line <= m->lines) {
		const struct text_line *l = &m->line[line - 1];

		draw_text(y, GUTTER, columns - GUTTER, m->shown + l->start, l->len, STYLE_PLAIN);
	}
}

static int suggestion_rows(const struct ui *u, const struct conversation *c, int rows)
{
	const int wanted = c->suggestions ? (int)c->suggestions * SUGGESTION_LINES + 1 : 0;

	(void)u;
	return rows < 12 ? (wanted && rows > 5 ? 1 + (int)c->suggestions : 0) : wanted;
}

static void draw_suggestions(const struct conversation *c, int y, int rows, int columns)
{
	const int each = rows > 1 + (int)c->suggestions ? SUGGESTION_LINES : 1;

	draw_rule(y, columns, "suggestions: C-x 1 2 3 takes one");
	for (size_t i = 0; i < c->suggestions; i++) {
		const struct suggestion *g = &c->suggestion[i];
		const int top = y + 1 + (int)i * each;
		const int filled = (int)(g->score * 10 + 0.5);
		char bar[11], *safe = text_safe(g->text, strlen(g->text), term_ascii());
		struct text_line *line;
		size_t n;

		for (int k = 0; k < 10; k++)
			bar[k] = k < filled ? '#' : '.';
		bar[10] = '\0';
		if (each == 1) {
			draw_line(top, 0, columns, STYLE_PLAIN, "%zu %s", i + 1, safe);
		} else {
			draw_line(top, 0, columns, STYLE_BOLD, "%zu", i + 1);
			draw_line(top, 2, columns - 2, STYLE_DIM, "[%s] %.0f%%  %s%s%s", bar, 100 * g->score, g->origin, *g->name ? ": " : "", g->name);
			n = text_wrap(safe, strlen(safe), columns - 3, &line);
			for (size_t k = 0; k < n && k < SUGGESTION_LINES - 1; k++)
				draw_text(top + 1 + (int)k, 2, columns - 2, safe + line[k].start, line[k].len,
				          c->taken == (int)i ? STYLE_BOLD : STYLE_PLAIN);
			if (n > SUGGESTION_LINES - 1)
				draw_line(top + SUGGESTION_LINES - 1, columns - 3, 3, STYLE_DIM, "...");
			free(line);
		}
		free(safe);
	}
}

static void welcome(const struct ui *u, int y, int rows, int columns)
{
	static const char *const chat[] = {
		"Type what a customer would say, and Enter.", "Grey text ahead of the cursor: Right takes it, M-f a word.",
		"C-x m is the menu, C-x h the keys, C-d quits.", NULL
	};
	static const char *const assist[] = {
		"You are the agent. Paste or type what the customer wrote, then C-x c:", "up to three replies come up. C-x 1 2 3 takes one, Enter sends it.",
		"C-x m is the menu, C-x h the keys, C-d quits.", NULL
	};
	const char *const *lines = u->assist ? assist : chat;

	for (int i = 0; lines[i] && rows > 0; i++) {
		const int n = draw_wrapped(y, 0, rows, columns, lines[i], STYLE_DIM, 0);

		y += n;
		rows -= n;
	}
}

static void draw(struct ui *u, int rows, int columns)
{
	struct conversation *c = ui_conversation(u);
	const int below = suggestion_rows(u, c, rows), room = rows - below;
	const int wide = columns - GUTTER;
	size_t total = 0, skip;
	int y;

	if (c->n == 0)
		welcome(u, 1, room, columns);
	for (size_t i = 0; i < c->n; i++)
		total += height(&c->m[i], wide);
	if (total > 0)
		total--;                      /* no blank line after the last */
	if (total <= (size_t)(room > 0 ? room : 0))
		c->scroll = 0;
	else if (c->scroll > total - (size_t)room)
		c->scroll = total - (size_t)room;
	skip = total > (size_t)room + c->scroll ? total - (size_t)room - c->scroll : 0;
	y = 1;
	for (size_t i = 0, at = 0; i < c->n && y <= room; i++) {
		const size_t h = height(&c->m[i], wide);

		for (size_t k = 0; k < h && y <= room; k++, at++)
			if (at >= skip)
				draw_message_line(u, c, &c->m[i], k, y++, columns);
	}
	if (c->scroll > 0 && room > 0)
		draw_line(room, columns > 24 ? columns - 24 : 0, 24, STYLE_TITLE, " %zu lines below: PgDn ", c->scroll);
	if (below > 0)
		draw_suggestions(c, 1 + room, below, columns);
}

static void enter(struct ui *u)
{
	ui_send(u);
}

const struct screen screen_chat = { .title = NULL, .typing = true, .draw = draw, .enter = enter, .hint = "C-x m menu" };
