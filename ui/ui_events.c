/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ui_events: what the worker threads tell, into what is shown. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "config.h"
#include "desk.h"
#include "ui_compose.h"
#include "ui_private.h"

static struct conversation *by_id(struct ui *u, int64_t id)
{
	for (size_t i = 0; i < u->n; i++)
		if (u->c[i].id == id)
			return &u->c[i];
	return NULL;
}

static void add_text(struct ui *u, const struct event *ev)
{
	struct conversation *c = by_id(u, ev->conversation);
	struct message *m;
	struct str all = STR_INIT;

	if (!c)
		return;
	if (c->n == 0 || !c->m[c->n - 1].streaming) {
		ui_add_message(c, "assistant", "model", "", ui_time());
		c->m[c->n - 1].streaming = true;
	}
	m = &c->m[c->n - 1];
	str_adds(&all, m->text);
	str_adds(&all, ev->text);
	free(m->text);
	free(m->shown);
	free(m->line);
	m->line = NULL;
	m->text = str_detach(&all);
	m->shown = ui_shown(m->text);
}

static void reply_done(struct ui *u, struct event *ev)
{
	struct conversation *c = by_id(u, ev->conversation);
	struct event rest = { .conversation = ev->conversation, .text = ev->text };

	if (!c)
		return;
	if (c->n == 0 || !c->m[c->n - 1].streaming)      /* nothing was streamed */
		add_text(u, &rest);
	c->m[c->n - 1].streaming = false;
	ui_said(u, c);
	if (ev->more) {
		free(c->m[c->n - 1].origin);
		c->m[c->n - 1].origin = xstrdup(ev->more);
	}
	if (c != ui_conversation(u))
		c->unread++;
	if (ev->stopped)
		ui_note(u, "stopped; what had come is kept");
	else if (ev->confidence < 0.2)
		ui_note(u, "not sure of this one (%.0f%%): C-x w shows why", 100 * ev->confidence);
}

static void suggestions(struct ui *u, struct event *ev)
{
	struct conversation *c = by_id(u, ev->conversation);

	if (!c)
		return;
	ui_drop_suggestions(u, c, false, -1, false);
	for (size_t i = 0; i < ev->items && i < MOST_SUGGESTIONS; i++) {
		const struct event_item *it = &ev->item[i];

		c->suggestion[c->suggestions++] = (struct suggestion){
			xstrdup(it->text), xstrdup(it->origin), xstrdup(it->more ? it->more : ""), it->score };
	}
	if (c->suggestions == 0)
		ui_note(u, "no suggestion: there is nothing to answer yet");
	else if (ev->stopped)
		ui_note(u, "not sure of any of these");
}

static void opened(struct ui *u, struct event *ev)
{
	struct conversation *c;

	ui_show(u, SCREEN_CHAT);      /* gives the line back to the conversation that is left */
	c = ui_conversation(u);
	c->closed = c->n == 0 && input_length() == 0;      /* nobody needs an empty one */
	ui_new_conversation(u, ev->text, ev->more);
	c = ui_conversation(u);
	app_adopt(u->app, c->id, ev->number);
	ui_note(u, "#%lld goes on here", (long long)ev->number);
	for (size_t i = 0; i < ev->items; i++) {
		const struct event_item *it = &ev->item[i];

		ui_add_message(c, it->role, it->origin, it->text, (time_t)(it->number / 1000));
		app_say(u->app, c->id, it->role, "history", it->text);
	}
}

static void came_in(struct ui *u, struct event *ev)
{
	size_t i = 0;

	while (i < u->n && !(*ev->more && strcmp(u->c[i].case_id, ev->more) == 0 && !u->c[i].closed))
		i++;
	if (i == u->n) {
		const size_t was = u->at;
		const bool empty = ui_conversation(u)->n == 0 && input_length() == 0;

		ui_new_conversation(u, ev->more, ev->word);
		if (!empty) {      /* nobody is torn away from what they are doing */
			i = u->at;
			ui_switch(u, was);
		} else {
			i = u->at;
		}
	}
	ui_add_message(&u->c[i], "user", "inbox", ev->text, ui_time());
	ui_said(u, &u->c[i]);
	app_say(u->app, u->c[i].id, "user", "inbox", ev->text);
	u->c[i].closed = false;
	if (i != u->at) {
		u->c[i].unread++;
		ui_note(u, "a message of %s: C-x n", *u->c[i].customer ? u->c[i].customer : *u->c[i].case_id ? u->c[i].case_id : "a customer");
	} else {
		ui_suggest(u);
	}
}

/* The one that is looked at stays in view, unless another is to be. */
static void review(struct ui *u, struct event *ev)
{
	const bool open = u->screen == SCREEN_REVIEW || u->screen == SCREEN_REVIEW_EDIT;
	const int64_t at = ev->number ? ev->number : open && u->pick < u->review.items ? u->review.item[u->pick].id : 0;

	event_fini(&u->review);
	u->review = *ev;
	*ev = (struct event){ .kind = EVENT_REVIEW };
	for (size_t i = 0; i < u->review.items && open; i++)
		if (u->review.item[i].id == at)
			u->pick = i;
}

void ui_event(struct ui *u, struct event *ev)
{
	u->dirty = true;
	switch (ev->kind) {
	case EVENT_READY:
		free(u->model);
		u->model = xstrdup(ev->text);
		u->weights = ev->number;
		break;
	case EVENT_NOTE:
		ui_note(u, "%s", ev->text);
		break;
	case EVENT_TEXT:
		add_text(u, ev);
		break;
	case EVENT_REPLY:
		reply_done(u, ev);
		break;
	case EVENT_SUGGESTIONS:
		suggestions(u, ev);
		break;
	case EVENT_GHOST:
		compose_ghost(u, ev);
		break;
	case EVENT_WHY:
		event_why_free(u->why);
		u->why = ev->why;
		u->why_back = (size_t)ev->number;
		u->why_source = -1;
		u->pick = u->screen == SCREEN_WHY ? 0 : u->pick;
		ev->why = NULL;
		break;
	case EVENT_HITS:
		if (ev->serial == u->serial || u->hits.items == 0) {
			event_fini(&u->hits);
			u->hits = *ev;
			*ev = (struct event){ .kind = EVENT_HITS };
		}
		break;
	case EVENT_OPENED:
		opened(u, ev);
		break;
	case EVENT_MODELS:
		event_fini(&u->models);
		u->models = *ev;
		*ev = (struct event){ .kind = EVENT_MODELS };
		break;
	case EVENT_DUE:
		if (app_retrain(u->app, (double)config_number(CONFIG_RETRAIN_MINUTES))) {
			u->o.train_log = app_retrain_log(u->app);
			ui_note(u, "it is time: retraining on what was approved (C-x t shows it)");
		}
		break;
	case EVENT_INBOX:
		came_in(u, ev);
		break;
	case EVENT_SENT:
		if (ev->stopped) {
			ui_note(u, "%s", ev->text);
			if (input_length() == 0)
				input_set(ev->more);
		} else {
			ui_note(u, "sent");
		}
		break;
	case EVENT_REVIEW:
		review(u, ev);
		break;
	case EVENT_PROPOSED:
		if (u->screen == SCREEN_REVIEW)
			app_review(u->app);
		break;
	case EVENT_COMPARED:
		event_fini(&u->compared);
		u->compared = *ev;
		*ev = (struct event){ .kind = EVENT_COMPARED };
		break;
	case EVENT_TRAINING:
		u->training = ev->score;
		snprintf(u->training_said, sizeof(u->training_said), "%s", ev->text);
		break;
	case EVENT_TRAINED:
		event_fini(&u->trained);
		u->trained = *ev;
		*ev = (struct event){ .kind = EVENT_TRAINED };
		u->training = 0;
		ui_note(u, "%s", u->trained.text);
		break;
	case EVENT_CANNED:
		event_fini(&u->canned);
		u->canned = *ev;
		*ev = (struct event){ .kind = EVENT_CANNED };
		ui_canned_came(u);
		break;
	case EVENT_NONE:
		break;
	}
	if (ev->kind == EVENT_REPLY || ev->kind == EVENT_SUGGESTIONS || ev->kind == EVENT_NOTE)
		u->busy = ev->kind == EVENT_NOTE && app_busy(u->app);
	event_fini(ev);
}

/* ---- the writing desk ---- */

static void while_writing(struct event *ev, void *arg)
{
	ui_event(arg, ev);
}

void ui_write(struct ui *u, const char *path)
{
	struct desk_host host = { u->app, *u->model != '\0', while_writing, u };
	struct err e = ERR_INIT;
	struct desk *d;

	compose_ghost_clear(u, NULL);
	compose_save_draft(u);
	if (desk_new(&d, *path ? path : NULL, &e) < 0) {
		ui_note(u, "%s", e.msg);
		return;
	}
	if (desk_run(d, &host) == DESK_STOPPED)
		u->quit = true;
	desk_free(d);
	u->dirty = true;
}
