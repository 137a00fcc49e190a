/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ui_commands: what /commands do, sending, suggestions, conversations. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "config.h"
#include "ui_compose.h"
#include "ui_private.h"

const struct command ui_commands[] = {
	{ "suggest", "", "suggest replies", "M-g", true },
	{ "customer", "<TEXT>", "what the customer wrote (assist)", "", true },
	{ "good", "", "the last reply was good", "", true },
	{ "bad", "", "the last reply was bad", "", true },
	{ "correct", "<TEXT>", "what the last reply should have been", "", true },
	{ "why", "", "why this reply?", "C-x w", true },
	{ "new", "", "a new conversation", "", true },
	{ "case", "<ID>", "name this conversation's case", "", true },
	{ "next", "", "the next open conversation", "C-x n", true },
	{ "close", "", "close this conversation", "", true },
	{ "history", "", "search everything that was said", "C-x b", true },
	{ "tag", "<TAG>", "tag the one picked in the history", "", false },
	{ "export", "<FILE>", "write the one picked in the history to a file", "", false },
	{ "delete", "", "delete the one picked in the history", "", false },
	{ "models", "", "models: promote, roll back", "C-x v", true },
	{ "train", "", "retrain on logged conversations (what was approved)", "", true },
	{ "approve", "", "approve all corrections made so far", "", true },
	{ "training", "", "curves of a training run", "C-x t", true },
	{ "watch", "<LOG>", "follow the log of a training run", "", true },
	{ "assist", "", "be the agent: suggestions for what customers wrote", "", true },
	{ "chat", "", "be the customer: the model answers", "", true },
	{ "ghost", "", "grey text ahead of the cursor on or off", "M-s", true },
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
		.customer = xstrdup(customer ? customer : ""), .taken = -1,
	};
	u->n++;
	if (u->n > 1)
		ui_switch(u, u->n - 1);
}

void ui_switch(struct ui *u, size_t to)
{
	struct conversation *c = ui_conversation(u);

	if (to >= u->n || to == u->at)
		return;
	if (u->screen == SCREEN_CHAT) {
		compose_save_draft(u);
		free(c->draft);
		c->draft = xstrdup(input_text());
	}
	compose_ghost_clear(u, NULL);
	u->at = to;
	c = ui_conversation(u);
	c->unread = 0;
	if (u->screen == SCREEN_CHAT) {
		input_clear();
		if (c->draft)
			input_set(c->draft);
	}
	u->dirty = true;
}

void ui_add_message(struct conversation *c, const char *role, const char *origin, const char *text, time_t when)
{
	c->m = xreallocarray(c->m, c->n + 1, sizeof(*c->m));
	c->m[c->n++] = (struct message){
		.role = xstrdup(role), .origin = xstrdup(origin), .text = xstrdup(text),
		.shown = text_safe(text, strlen(text), term_ascii()), .when = when,
	};
	c->scroll = 0;
}

/* ---- sending and suggestions ---- */

static void drop_suggestions(struct conversation *c)
{
	for (size_t i = 0; i < c->suggestions; i++) {
		free(c->suggestion[i].text);
		free(c->suggestion[i].origin);
	}
	c->suggestions = 0;
	c->taken = -1;
}

/* OSC 52: the terminal's clipboard; at most what terminals take. */
static void to_clipboard(const char *text)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const size_t n = strlen(text);
	struct str s = STR_INIT;

	if (n > 50000)
		return;
	str_adds(&s, "\033]52;c;");
	for (size_t i = 0; i < n; i += 3) {
		const unsigned a = (unsigned char)text[i], b = i + 1 < n ? (unsigned char)text[i + 1] : 0,
			d = i + 2 < n ? (unsigned char)text[i + 2] : 0, v = a << 16 | b << 8 | d;

		str_addc(&s, digits[v >> 18]);
		str_addc(&s, digits[v >> 12 & 63]);
		str_addc(&s, i + 1 < n ? digits[v >> 6 & 63] : '=');
		str_addc(&s, i + 2 < n ? digits[v & 63] : '=');
	}
	str_adds(&s, "\a");
	term_raw(s.s, s.len);
	str_free(&s);
}

static void send_as_agent(struct ui *u, struct conversation *c, const char *text)
{
	const char *origin = "typed";

	if (c->taken >= 0)
		origin = strcmp(c->suggestion[c->taken].text, text) == 0 ? "suggested" : "edited";
	if (c->suggestions)
		app_suggested(u->app, c->id, c->taken, strcmp(origin, "edited") == 0);
	ui_add_message(c, "assistant", origin, text, time(NULL));
	app_say(u->app, c->id, "assistant", origin, text);
	to_clipboard(text);
	if (!app_send(u->app, c->id, c->case_id, text))
		ui_note(u, "copied to the clipboard");
	drop_suggestions(c);
}

void ui_send(struct ui *u)
{
	struct conversation *c = ui_conversation(u);
	char *text = xstrdup(input_text()), *open;

	if (strspn(text, " \t\n") == strlen(text)) {
		free(text);
		return;
	}
	if (text[0] == '/' && isalpha((unsigned char)text[1])) {
		compose_ghost_clear(u, NULL);
		input_remember(text);
		input_clear();
		if (!ui_command(u, text + 1)) {
			ui_note(u, "there is no /%.*s; /help lists the commands", (int)strcspn(text + 1, " "), text + 1);
			input_set(text);
		}
		free(text);
		return;
	}
	/* raw {{fields}} never reach a customer */
	open = strstr(text, "{{");
	if (u->assist && open && strstr(open, "}}")) {
		ui_note(u, "a {{field}} is not filled in yet");
		free(text);
		return;
	}
	compose_ghost_clear(u, "ignored");
	input_remember(text);
	input_clear();
	free(u->ghost_draft);
	u->ghost_draft = NULL;
	if (u->assist) {
		send_as_agent(u, c, text);
	} else {
		ui_add_message(c, "user", "typed", text, time(NULL));
		app_say(u->app, c->id, "user", "typed", text);
		app_reply(u->app, c->id);
		u->busy = true;
	}
	compose_save_draft(u);
	free(text);
	u->dirty = true;
}

void ui_suggest(struct ui *u)
{
	struct conversation *c = ui_conversation(u);

	if (c->n == 0) {
		ui_note(u, "nothing to answer yet: /customer TEXT is what the customer wrote");
		return;
	}
	app_suggest(u->app, c->id);
	u->busy = true;
}

void ui_take(struct ui *u, int which)
{
	struct conversation *c = ui_conversation(u);

	if (which < 0 || (size_t)which >= c->suggestions) {
		ui_note(u, "there is no suggestion %d: M-g makes some", which + 1);
		return;
	}
	c->taken = which;
	compose_ghost_clear(u, NULL);
	input_set(c->suggestion[which].text);
	u->dirty = true;
}

/* ---- commands ---- */

static void customer(struct ui *u, const char *text)
{
	struct conversation *c = ui_conversation(u);

	if (!*text) {
		ui_note(u, "say what the customer wrote: /customer TEXT");
		return;
	}
	ui_add_message(c, "user", "pasted", text, time(NULL));
	app_say(u->app, c->id, "user", "pasted", text);
	ui_suggest(u);
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
	m->shown = text_safe(text, strlen(text), term_ascii());
	m->origin = xstrdup("corrected");
	app_correct(u->app, c->id, text);
}

static void close_conversation(struct ui *u)
{
	size_t next = u->at;

	ui_conversation(u)->closed = true;
	do
		next = (next + 1) % u->n;
	while (u->c[next].closed && next != u->at);
	if (next == u->at)
		ui_new_conversation(u, NULL, NULL);
	else
		ui_switch(u, next);
}

static void on_picked(struct ui *u, const char *name, const char *rest)
{
	const struct event_item *it = u->pick < u->hits.items ? &u->hits.item[u->pick] : NULL;

	if (!it) {
		ui_note(u, "pick a conversation in the history first (C-x b)");
	} else if (strcmp(name, "delete") == 0) {
		app_delete_row(u->app, it->id);
		app_search(u->app, "", ++u->serial);
	} else if (!*rest) {
		ui_note(u, "/%s wants a word", name);
	} else if (strcmp(name, "tag") == 0) {
		app_tag_row(u->app, it->id, rest);
	} else {
		app_export_row(u->app, it->id, rest);
	}
}

bool ui_command(struct ui *u, const char *line)
{
	static const struct {
		const char *name;
		enum screen_id id;
	} screens[] = {
		{ "why", SCREEN_WHY }, { "history", SCREEN_HISTORY }, { "models", SCREEN_MODELS }, { "training", SCREEN_TRAINING },
		{ "settings", SCREEN_SETTINGS }, { "help", SCREEN_HELP }, { "menu", SCREEN_MENU },
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
		customer(u, rest);
	} else if (strcmp(name, "good") == 0 || strcmp(name, "bad") == 0) {
		app_rate(u->app, c->id, name[0] == 'g' ? 1 : -1);
	} else if (strcmp(name, "correct") == 0) {
		correct(u, rest);
	} else if (strcmp(name, "new") == 0) {
		ui_new_conversation(u, rest, NULL);
	} else if (strcmp(name, "case") == 0) {
		free(c->case_id);
		c->case_id = xstrdup(rest);
	} else if (strcmp(name, "next") == 0) {
		ui_switch(u, (u->at + 1) % u->n);
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
			ui_note(u, "it is training already: C-x t shows it");
		u->o.train_log = app_retrain_log(u->app);
		ui_show(u, SCREEN_TRAINING);
	} else if (strcmp(name, "set") == 0) {
		ui_set(u, rest);
	} else if (strcmp(name, "approve") == 0) {
		app_approve(u->app);
	} else if (strcmp(name, "quit") == 0) {
		u->quit = true;
	} else {
		return false;
	}
	u->dirty = true;
	return true;
}
