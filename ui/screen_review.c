/* SPDX-License-Identifier: GPL-3.0-or-later */
/* screen_review: what may be learned from, one at a time, biggest corrections first: the customer's words, what was
 * suggested against what was sent, and what speaks against it. Decisions hold at once and can be taken back. */
#include <stdlib.h>
#include <string.h>

#include "ui_private.h"

static void open_it(struct ui *u)
{
	u->decided = 0;
	u->top = 0;
	app_review(u->app);
}

static const char *flags_in_words(const char *flags, char *buf, size_t size)
{
	static const struct {
		const char *name, *words;
	} known[] = {
		{ "personal", "personal data?" }, { "duplicate", "there already" }, { "contradiction", "contradicts an approved answer" },
		{ "short", "very short" }, { "language", "another language than the question" },
	};

	buf[0] = '\0';
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strstr(flags, known[i].name))
			snprintf(buf + strlen(buf), size - strlen(buf), "%s%s", *buf ? ", " : "", known[i].words);
	return buf;
}

/* u->top: lines scrolled away. */
static void draw(struct ui *u, int rows, int columns)
{
	const size_t n = u->review.items;
	const int wide = columns - 2;
	int y = 1 - (int)u->top;
	char flags[160];

	if (u->review.kind != EVENT_REVIEW) {
		draw_line(1, 0, columns, STYLE_DIM, "looking ...");
		return;
	}
	if (n == 0) {
		draw_wrapped(1, 0, rows, columns, "Nothing waits for a decision. What you send in assist, /good and /correct propose examples; "
		             "approved ones are remembered at once, and /train learns them for good.", STYLE_PLAIN, 0);
		return;
	}
	u->pick = u->pick < n ? u->pick : n - 1;

	const struct event_item *it = &u->review.item[u->pick];
	const struct {
		const char *head;
		enum term_style style;
		const char *text;
		bool marked;
	} part[] = {
		{ "customer", STYLE_USER, it->text, false },
		{ !it->flag ? "answer" : it->number ? "suggested -> sent" : "sent as suggested", STYLE_AGENT, it->more, true },
	};

	/* a part's lines are drawn as far as they are in view: draw_* skip what is above */
	for (int pass = 0; pass < 2; pass++) {
		y = 1 - (int)u->top;
		if (y >= 1)
			draw_line(y, 0, columns, STYLE_BOLD, "%zu of %zu  #%lld  %s", u->pick + 1, n, (long long)it->id, it->origin);
		if (y >= 1 && it->flag && it->number)
			draw_line(y, 30, columns - 30, STYLE_DIM, "%lld word%s changed", (long long)it->number, it->number == 1 ? "" : "s");
		y++;
		if (*it->flags) {
			if (y >= 1 && y <= rows)
				draw_line(y, 0, columns, STYLE_WARN, "! %s", flags_in_words(it->flags, flags, sizeof(flags)));
			y++;
		}
		for (size_t k = 0; k < 2; k++) {
			if (y >= 1 && y <= rows)
				draw_line(y, 0, columns, part[k].style, "%s", part[k].head);
			y++;

			const int skip = y < 1 ? 1 - y : 0, from = y < 1 ? 1 : y, room = rows - from + 1;

			y += part[k].marked ? draw_marked(from, 2, room > 0 ? room : 0, wide, part[k].text, skip) :
				draw_wrapped(from, 2, room > 0 ? room : 0, wide, part[k].text, STYLE_PLAIN, skip);
			y += rows > 10;
		}
		/* y: the line after the last; not further than that the end is seen */
		const int lines = y - 1 + (int)u->top - (rows > 10);
		const size_t most = lines > rows ? (size_t)(lines - rows) : 0;

		if (u->top <= most) {
			if (lines - (int)u->top > rows)
				draw_line(rows, columns - 8, 8, STYLE_TITLE, " more: v ");
			return;
		}
		u->top = most;
		for (int r = 1; r <= rows; r++) {
			move(r, 0);
			clrtoeol();
		}
	}
}

static void remove_picked(struct ui *u)
{
	struct event *ev = &u->review;
	struct event gone = { .kind = EVENT_REVIEW };

	*event_add(&gone) = ev->item[u->pick];
	memmove(&ev->item[u->pick], &ev->item[u->pick + 1], (ev->items - u->pick - 1) * sizeof(ev->item[0]));
	ev->items--;
	event_fini(&gone);
	u->top = 0;
	u->decided++;
	if (ev->items == 0)
		ui_note(u, "%zu decided; u takes the last one back", u->decided);
}

static bool key(struct ui *u, int k)
{
	const bool any = u->pick < u->review.items;
	const int64_t id = any ? u->review.item[u->pick].id : 0;

	switch (k) {
	case 'a':
	case '\r':
	case 'r':
		if (!any)
			return true;
		app_review_decide(u->app, id, k != 'r');
		ui_note(u, k != 'r' ? "approved: remembered from now on; u takes it back" : "rejected; u takes it back");
		remove_picked(u);
		return true;
	case 'e':
		if (any) {
			const size_t pick = u->pick;

			ui_show(u, SCREEN_REVIEW_EDIT);
			u->pick = pick;
			input_set(u->review.item[pick].answer);
		}
		return true;
	case 's':
	case UI_DOWN:
	case 'j':
		u->pick += u->pick + 1 < u->review.items;
		u->top = 0;
		return true;
	case UI_UP:
	case 'k':
		u->pick -= u->pick > 0;
		u->top = 0;
		return true;
	case 'u':
		app_review_undo(u->app);
		return true;
	case 'v':
	case ' ':
	case UI_PAGE_DOWN:
		u->top += 5;
		return true;
	case 'V':
	case UI_PAGE_UP:
		u->top = u->top > 5 ? u->top - 5 : 0;
		return true;
	default:
		return false;
	}
}

const struct screen screen_review = {
	.title = "review", .open = open_it, .draw = draw, .key = key,
	.hint = "a accept, e edit, r reject, s skip, u undo, v more; q goes back|a accept e edit r reject s skip u undo|a e r s u q"
};

/* ---- editing the answer ---- */

static void enter(struct ui *u)
{
	const size_t pick = u->pick;

	if (pick < u->review.items && strspn(input_text(), " \t\n") < input_length()) {
		app_review_edit(u->app, u->review.item[pick].id, input_text());
		ui_note(u, "approved as edited; u takes it back");
		ui_show(u, SCREEN_REVIEW);
		u->pick = pick;
	} else {
		ui_note(u, "an answer of no words teaches nothing: C-g, then r rejects it");
	}
}

static void draw_edit(struct ui *u, int rows, int columns)
{
	const size_t pick = u->pick;

	draw(u, rows, columns);
	u->pick = pick;
}

const struct screen screen_review_edit = {
	.title = "review: the answer that should have been sent", .typing = true, .own_line = true, .back = SCREEN_REVIEW, .draw = draw_edit,
	.enter = enter, .hint = "Enter approves it as it stands in the line; C-g goes back, nothing changed|Enter approves, C-g goes back"
};
