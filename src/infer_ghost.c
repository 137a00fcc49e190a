/* SPDX-License-Identifier: GPL-3.0-or-later */
/* infer_ghost: grey text on the inference thread: what to show, and what became of what is shown. */
#include "infer_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config.h"

enum { ANOTHER_MOST = 6 };      /* less likely ones are nonsense */

/* One that nobody has said anything about came too late to be seen. */
void infer_forget_shown(struct infer *f)
{
	if (f->has_shown && *f->shown_fate && !f->shown_quiet) {
		const struct store_suggestion g = {
			.kind = "completion", .origin = "model", .text = f->shown.text.s, .model = f->version, .fate = f->shown_fate,
			.score = f->shown.log_prob, .confidence = f->shown.chance, .latency_ms = f->shown_ms,
			.chars = (int64_t)f->shown_chars,
		};

		storekeeper_shown(f->keeper, f->shown_in, &g);
	}
	if (f->has_shown)
		ghost_text_free(&f->shown);
	f->has_shown = false;
	f->shown_fate[0] = '\0';
	f->shown_chars = 0;
}

/* Who writes documents: a role of its own where the model has one. */
const char *infer_writer(const struct infer *f)
{
	return tokenizer_tag(f->m->tok, "document") >= 0 ? "document" : "assistant";
}

static bool same_turn(const struct turn *t, const char *role, const char *text, size_t n)
{
	return strcmp(t->role, role) == 0 && strncmp(t->text, text, n) == 0 && !t->text[n];
}

/* Make the page what was said so far. A page that goes on from the last one costs its new paragraphs; codes keep
 * their numbers only while nothing is taken back, so any other is read anew. */
static void turn_page(struct infer *f, struct conversation *c, const char *page)
{
	const char *role = infer_writer(f);

	for (int again = 0; again < 2; again++) {
		size_t held = 0;

		for (const char *s = page; *s;) {
			const size_t n = strcspn(s, "\n");

			if (n > 0 && held < c->turns && !same_turn(&c->turn[held], role, s, n))
				break;
			if (n > 0 && held == c->turns) {
				char *text = xmemdup(s, n);

				infer_add_turn(f, c, role, text);
				free(text);
			}
			held += n > 0;
			s += n + (s[n] != '\0');
		}
		if (held == c->turns)
			return;
		infer_drop_talk(c);
		while (c->turns > 0) {
			c->turns--;
			free(c->turn[c->turns].role);
			free(c->turn[c->turns].text);
		}
	}
}

/* The one after what is shown, around to the best again; out is sorted by how likely they are. -1: there is no other. */
static int another(const struct ghost_text *out, int n, const char *shown)
{
	n = n < ANOTHER_MOST ? n : ANOTHER_MOST;
	for (int i = 0; i < n; i++) {
		const size_t first = out[i].first;

		/* some of what is shown may have been typed since, but its next word tells */
		if (strncmp(out[i].text.s, shown, first) == 0 && strchr(" ", shown[first]))
			return n > 1 ? (i + 1) % n : -1;
	}
	return n > 0 ? 0 : -1;
}

void infer_ghost(struct infer *f, const struct task *t)
{
	struct conversation *c = infer_conversation(f, t->conversation);
	struct event ev = { .kind = EVENT_GHOST, .conversation = t->conversation, .serial = t->serial };
	struct ghost_text out[GHOST_MAX];
	enum ghost_level level = GHOST_NORMAL;
	const double began = infer_now_ms();
	int n, pick = -1;

	if (t->what == INFER_PAGE)
		turn_page(f, c, t->origin);
	infer_talk(f, c);
	/* the screen asks when grey text is on: a setting of off says how the screen begins */
	ghost_level_parse(config_text(CONFIG_GHOST), &level);
	ghost_set_level(c->ghost, level == GHOST_OFF ? GHOST_NORMAL : level);
	n = ghost_request(c->ghost, t->what == INFER_PAGE ? infer_writer(f) : t->role, t->text, strlen(t->text), out, GHOST_MAX, NULL);
	if (t->what == INFER_ANOTHER)
		pick = another(out, n, t->origin);
	else if (n > 0 && out[0].show)
		pick = 0;
	if (pick >= 0 && !atomic_load(&f->newer_ghost)) {
		ev.text = xstrdup(out[pick].text.s);
		ev.bytes = out[pick].first;
		ev.confidence = out[pick].chance;
		infer_forget_shown(f);
		f->shown = out[pick];
		out[pick].text = (struct str)STR_INIT;
		f->shown_in = t->conversation;
		f->shown_ms = infer_now_ms() - began;
		f->has_shown = true;
		f->shown_quiet = c->quiet || infer_quiet(f);
	} else {
		ev.text = xstrdup("");
	}
	for (int i = 0; i < n; i++)
		ghost_text_free(&out[i]);
	mailbox_put(f->box, &ev);
}

void infer_fate(struct infer *f, const struct task *t)
{
	static const char *const names[] = { "taken", "word", "ignored", "dismissed" };
	struct conversation *c;

	if (!f->has_shown)
		return;
	f->shown_chars += t->serial;
	if (*f->shown_fate) {      /* words of it were taken before, and now more, or no more */
		if (strcmp(t->text, "taken") == 0)
			strcpy(f->shown_fate, "taken");
		if (strcmp(t->text, "word") != 0)
			infer_forget_shown(f);
		return;
	}
	snprintf(f->shown_fate, sizeof(f->shown_fate), "%s", t->text);
	c = infer_conversation(f, f->shown_in);
	for (size_t i = 0; i < 4 && c->ghost; i++) {
		if (strcmp(names[i], t->text) != 0)
			continue;
		if (ghost_feedback(c->ghost, &f->shown, (enum ghost_outcome)i))
			infer_note(f, "hardly any ghost text was taken: only surer ones are shown from now on (M-s switches it off)");
	}
	if (strcmp(t->text, "word") != 0)
		infer_forget_shown(f);
}
