/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ui_commands: what /commands do, and the conversations that are open. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "config.h"
#include "ui_compose.h"
#include "ui_private.h"

enum { MOST_SHOWN = 64000 };      /* bytes of a message */

const struct command ui_commands[] = {
	{ "suggest", "", "suggest replies", "M-g", true },
	{ "customer", "<TEXT>", "what the customer wrote (assist)", "C-x c", true },
	{ "canned", "[NAME]", "canned replies; one goes into the line", "C-x k", true },
	{ "keep", "<NAME>", "keep the last reply as a canned one", "", true },
	{ "good", "", "the last reply was good", "", true },
	{ "bad", "", "the last reply was bad", "", true },
	{ "correct", "<TEXT>", "what the last reply should have been", "", true },
	{ "why", "", "why this reply?", "C-x w", true },
	{ "new", "", "a new conversation", "", true },
	{ "case", "<ID>", "go to an open case, or name this one", "", true },
	{ "cases", "", "the open conversations", "C-x l", true },
	{ "next", "", "the next open conversation", "C-x n", true },
	{ "close", "", "close this conversation", "", true },
	{ "write", "[FILE]", "the writing desk: a letter, an article", "C-x d", true },
	{ "history", "", "search everything that was said", "C-x b", true },
	{ "tag", "<TAG>", "tag the one picked in the history", "", false },
	{ "export", "<FILE>", "write the one picked in the history to a file", "", false },
	{ "delete", "", "delete the one picked in the history", "", false },
	{ "review", "", "decide what may be learned from", "C-x r", true },
	{ "models", "", "models: promote, roll back", "C-x v", true },
	{ "train", "", "retrain on logged conversations (what was approved)", "", true },
	{ "approve", "", "approve all corrections made so far", "", true },
	{ "training", "", "curves of a training run", "C-x t", true },
	{ "watch", "<LOG>", "follow the log of a training run", "", true },
	{ "assist", "", "be the agent: suggestions for what customers wrote", "", true },
	{ "chat", "", "be the customer: the model answers", "", true },
	{ "ghost", "", "grey text ahead of the cursor on or off", "M-s", true },
	{ "private", "[off]", "keep nothing of what is said from now on", "", true },
	{ "settings", "", "what is set, and where that came from", "C-x s", true },
	{ "set", "<NAME VALUE>", "change a setting", "", false },
	{ "help", "", "all keys and commands", "C-x h", true },
	{ "menu", "", "this menu", "C-x m", false },
	{ "quit", "", "quit", "C-d", true },
	{ NULL, NULL, NULL, NULL, false },
};

/* ---- conversations ---- */

struct conversation *ui_conversation(struct ui *u)
{
	return &u->c[u->at];
}

void ui_new_conversation(struct ui *u, const char *case_id, const char *customer)
{
	u->c = xreallocarray(u->c, u->n + 1, sizeof(*u->c));
	u->c[u->n] = (struct conversation){
		.id = app_conversation(u->app, case_id, customer), .case_id = xstrdup(case_id ? case_id : ""),
		.customer = xstrdup(customer ? customer : ""), .taken = -1, .basis_origin = "typed",
	};
	u->n++;
	if (u->n > 1)
		ui_switch(u, u->n - 1);
}

void ui_switch(struct ui *u, size_t to)
{
	struct conversation *c = ui_conversation(u);
	const bool own = ui_screen(u->screen)->own_line;      /* the line is the screen's, the draft is put away already */

	if (to >= u->n || to == u->at)
		return;
	if (!own) {
		compose_mark(u);
		compose_save_draft(u);
		free(c->draft);
		c->draft = xstrdup(input_text());
	}
	compose_ghost_clear(u, NULL);
	u->field_len = 0;
	u->at = to;
	c = ui_conversation(u);
	c->unread = 0;
	if (!own) {
		input_clear();
		if (c->draft)
			input_set(c->draft);
	}
	u->dirty = true;
}

void ui_go(struct ui *u, int by)
{
	size_t to = u->at;

	do
		to = (to + (by > 0 ? 1 : u->n - 1)) % u->n;
	while (u->c[to].closed && to != u->at);
	if (to == u->at)
		ui_note(u, "there is no other open conversation: /new opens one");
	ui_switch(u, to);
}

/* Making safe and wrapping a megabyte takes longer than a key may. */
char *ui_shown(const char *text)
{
	const size_t n = strlen(text), half = MOST_SHOWN / 2;
	struct str s = STR_INIT;
	size_t head = half, tail = n - half;
	char *part;

	if (n <= MOST_SHOWN)
		return text_safe(text, n, term_ascii());
	while (head > 0 && ((unsigned char)text[head] & 0xc0) == 0x80)
		head--;
	while (tail < n && ((unsigned char)text[tail] & 0xc0) == 0x80)
		tail++;
	part = text_safe(text, head, term_ascii());
	str_addf(&s, "%s\n[... %zu kB are not shown here; /history, then /export, writes them to a file ...]\n", part, (tail - head) / 1000);
	free(part);
	part = text_safe(text + tail, n - tail, term_ascii());
	str_adds(&s, part);
	free(part);
	return str_detach(&s);
}

void ui_add_message(struct conversation *c, const char *role, const char *origin, const char *text, time_t when)
{
	c->m = xreallocarray(c->m, c->n + 1, sizeof(*c->m));
	c->m[c->n++] = (struct message){
		.role = xstrdup(role), .origin = xstrdup(origin), .text = xstrdup(text),
		.shown = ui_shown(text), .when = when,
	};
	c->scroll = 0;
}

void ui_said(struct ui *u, struct conversation *c)
{
	if (app_private(u->app))
		c->unkept = c->n;
}

/* ---- commands ---- */

static void set_private(struct ui *u, bool on)
{
	if (on)
		compose_save_draft(u);      /* as it is before */
	if (!app_set_private(u->app, on)) {
		ui_note(u, "it was started with --private: there is nothing to keep it in");
		return;
	}
	input_keep(!app_private(u->app));
	ui_note(u, on ? "nothing of what is said is kept from now on; /private off goes back" : "what is said is kept again");
}

/* What learns from the last reply would learn from the last one that was kept. */
static bool was_in_private(struct ui *u)
{
	const struct conversation *c = ui_conversation(u);
	size_t i = c->n;

	while (i > 0 && strcmp(c->m[i - 1].role, "assistant") != 0)
		i--;
	if (!app_private(u->app) && (i == 0 || i > c->unkept))
		return false;
	ui_note(u, "private: nothing is learned from it");
	return true;
}

static void correct(struct ui *u, const char *text)
{
	struct conversation *c = ui_conversation(u);
	size_t i = c->n;

	while (i > 0 && strcmp(c->m[i - 1].role, "assistant") != 0)
		i--;
	if (i != c->n || i == 0 || !*text) {
		ui_note(u, i != c->n || i == 0 ? "the last message is no reply" : "/correct TEXT: what it should have been");
		return;
	}
	struct message *m = &c->m[i - 1];

	free(m->text);
	free(m->shown);
	free(m->origin);
	free(m->line);
	m->line = NULL;
	m->text = xstrdup(text);
	m->shown = ui_shown(text);
	m->origin = xstrdup("corrected");
	app_correct(u->app, c->id, text);
}

static void close_conversation(struct ui *u)
{
	struct conversation *c = ui_conversation(u);
	const size_t was = u->at;

	ui_drop_suggestions(u, c, true, -1, false);
	app_set(u->app, c->id, "state", "closed");
	c->closed = true;
	ui_go(u, 1);
	if (u->at == was)
		ui_new_conversation(u, NULL, NULL);
	ui_note(u, "closed; C-x b finds it again");
}

static void to_case(struct ui *u, const char *id)
{
	struct conversation *c = ui_conversation(u);

	for (size_t i = 0; i < u->n && *id; i++) {
		if (!u->c[i].closed && strcmp(u->c[i].case_id, id) == 0) {
			ui_switch(u, i);
			return;
		}
	}
	free(c->case_id);
	c->case_id = xstrdup(id);
	app_set(u->app, c->id, "case_id", id);
	ui_note(u, *id ? "this is case %.60s now" : "this conversation has no case now", id);
}

static void keep(struct ui *u, const char *name)
{
	const struct conversation *c = ui_conversation(u);
	size_t i = c->n;

	while (i > 0 && strcmp(c->m[i - 1].role, "assistant") != 0)
		i--;
	if (!*name || i == 0)
		ui_note(u, *name ? "there is no reply to keep yet" : "say under which name: /keep NAME");
	else
		app_canned_keep(u->app, name, c->m[i - 1].text);
}

static void on_picked(struct ui *u, const char *name, const char *rest)
{
	const struct event_item *it = u->pick < u->hits.items ? &u->hits.item[u->pick] : NULL;

	if (!it) {
		ui_note(u, "pick a conversation in the history first (C-x b)");
	} else if (strcmp(name, "delete") == 0) {
		app_delete_row(u->app, it->id);
		app_search(u->app, u->asked ? u->asked : "", ++u->serial);
	} else if (!*rest) {
		ui_note(u, "/%s wants a word", name);
	} else if (strcmp(name, "tag") == 0) {
		app_tag_row(u->app, it->id, rest);
	} else {
		app_export_row(u->app, it->id, rest);
	}
}

static bool run(struct ui *u, const char *line);

/* What surrounds the words is no part of them: completion leaves a space behind. */
bool ui_command(struct ui *u, const char *line)
{
	size_t n = strlen(line);
	char *words;
	bool known;

	while (n > 0 && (line[n - 1] == ' ' || line[n - 1] == '\n'))
		n--;
	words = xmemdup(line, n);
	known = run(u, words);
	free(words);
	return known;
}

static bool run(struct ui *u, const char *line)
{
	static const struct {
		const char *name;
		enum screen_id id;
	} screens[] = {
		{ "why", SCREEN_WHY }, { "history", SCREEN_HISTORY }, { "models", SCREEN_MODELS }, { "training", SCREEN_TRAINING },
		{ "settings", SCREEN_SETTINGS }, { "help", SCREEN_HELP }, { "menu", SCREEN_MENU }, { "review", SCREEN_REVIEW },
		{ "cases", SCREEN_CASES },
	};
	const size_t n = strcspn(line, " \n");
	const char *rest = line + n + strspn(line + n, " \n");
	struct conversation *c = ui_conversation(u);
	char name[32];

	snprintf(name, sizeof(name), "%.*s", (int)(n < 31 ? n : 31), line);
	for (size_t i = 0; i < sizeof(screens) / sizeof(screens[0]); i++) {
		if (strcmp(name, screens[i].name) == 0) {
			ui_show(u, screens[i].id);
			return true;
		}
	}
	if (strcmp(name, "suggest") == 0) {
		ui_suggest(u);
	} else if (strcmp(name, "customer") == 0) {
		if (*rest)
			ui_customer_said(u, rest);
		else
			ui_note(u, "say what the customer wrote: /customer TEXT");
	} else if (strcmp(name, "private") == 0) {
		set_private(u, strcmp(rest, "off") != 0);
	} else if (strcmp(name, "canned") == 0) {
		if (!*rest)
			ui_show(u, SCREEN_CANNED);
		else if (!ui_insert_canned_named(u, rest))
			ui_note(u, "there is no one canned reply '%.40s': C-x k lists them", rest);
	} else if (strcmp(name, "keep") == 0) {
		if (!was_in_private(u))
			keep(u, rest);
	} else if (strcmp(name, "good") == 0 || strcmp(name, "bad") == 0) {
		if (!was_in_private(u))
			app_rate(u->app, c->id, name[0] == 'g' ? 1 : -1);
	} else if (strcmp(name, "correct") == 0) {
		if (!was_in_private(u))
			correct(u, rest);
	} else if (strcmp(name, "new") == 0) {
		ui_new_conversation(u, rest, NULL);
	} else if (strcmp(name, "case") == 0) {
		to_case(u, rest);
	} else if (strcmp(name, "next") == 0) {
		ui_go(u, 1);
	} else if (strcmp(name, "close") == 0) {
		close_conversation(u);
	} else if (strcmp(name, "tag") == 0 || strcmp(name, "export") == 0 || strcmp(name, "delete") == 0) {
		on_picked(u, name, rest);
	} else if (strcmp(name, "watch") == 0) {
		static char path[1024];

		snprintf(path, sizeof(path), "%s", rest);
		u->o.train_log = *path ? path : NULL;
		ui_show(u, SCREEN_TRAINING);
	} else if (strcmp(name, "assist") == 0 || strcmp(name, "chat") == 0) {
		u->assist = name[0] == 'a';
		ui_note(u, u->assist ? "you are the agent now" : "you are the customer now");
	} else if (strcmp(name, "ghost") == 0) {
		u->ghost_on = !u->ghost_on;
		ui_note(u, "grey text is %s", u->ghost_on ? "on" : "off");
	} else if (strcmp(name, "train") == 0) {
		const double given = strtod(rest, NULL), set = (double)config_number(CONFIG_RETRAIN_MINUTES);

		if (!app_retrain(u->app, given > 0 ? given : set))
			ui_note(u, "it is training already");
		else
			u->paused = false;
		u->o.train_log = app_retrain_log(u->app);
		ui_show(u, SCREEN_TRAINING);
	} else if (strcmp(name, "set") == 0) {
		ui_set(u, rest);
	} else if (strcmp(name, "approve") == 0) {
		app_approve(u->app);
	} else if (strcmp(name, "write") == 0) {
		ui_write(u, rest);
	} else if (strcmp(name, "quit") == 0) {
		ui_quit(u);
	} else {
		return false;
	}
	u->dirty = true;
	return true;
}
