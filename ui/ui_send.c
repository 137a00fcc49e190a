/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ui_send: what Enter does with the line; suggestions and canned replies into it; the clipboard. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "field.h"
#include "ui_compose.h"
#include "ui_private.h"
#include "worddiff.h"

/* Text kept of what was suggested to be still it, edited. */
#define EDITED 0.3

/* ---- the clipboard: OSC 52 ---- */

/* tmux takes a megabyte of one sequence, and base64 makes four bytes of three. */
enum { CLIPBOARD_MOST = 750000, SCREEN_PIECE = 76 };

static bool has_clipboard(void)
{
	static const char *const none[] = { "vt", "linux", "ansi", "cons", "sun", "dumb" };
	const char *name = getenv("TERM");

	for (size_t i = 0; name && i < sizeof(none) / sizeof(none[0]); i++)
		if (strncmp(name, none[i], strlen(none[i])) == 0)
			return false;
	return name != NULL;
}

static void add_base64(struct str *s, const char *text, size_t n)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < n; i += 3) {
		const unsigned a = (unsigned char)text[i], b = i + 1 < n ? (unsigned char)text[i + 1] : 0,
			d = i + 2 < n ? (unsigned char)text[i + 2] : 0, v = a << 16 | b << 8 | d;

		str_addc(s, digits[v >> 18]);
		str_addc(s, digits[v >> 12 & 63]);
		str_addc(s, i + 1 < n ? digits[v >> 6 & 63] : '=');
		str_addc(s, i + 2 < n ? digits[v & 63] : '=');
	}
}

/* GNU screen hands on what stands in device control strings, of a few hundred bytes each. */
static void for_screen(struct str *s)
{
	struct str out = STR_INIT;

	for (size_t i = 0; i < s->len; i += SCREEN_PIECE) {
		str_adds(&out, "\033P");
		str_add(&out, s->s + i, s->len - i < SCREEN_PIECE ? s->len - i : SCREEN_PIECE);
		str_adds(&out, "\033\\");
	}
	str_free(s);
	*s = out;
}

static void to_clipboard(struct ui *u, const char *text)
{
	const size_t n = strlen(text);
	struct str s = STR_INIT;

	if (!has_clipboard()) {
		ui_note(u, "sent");
		return;
	}
	if (n > CLIPBOARD_MOST) {
		ui_note(u, "sent; not copied: %zu kB are more than a terminal's clipboard takes (%d kB)", n / 1000, CLIPBOARD_MOST / 1000);
		return;
	}
	str_adds(&s, "\033]52;c;");
	add_base64(&s, text, n);
	str_adds(&s, "\a");
	if (getenv("STY") && !getenv("TMUX"))
		for_screen(&s);
	term_raw(s.s, s.len);
	str_free(&s);
	ui_note(u, "copied to the clipboard");
}

/* ---- where the text in the line came from ---- */

void ui_forget_basis(struct conversation *c)
{
	free(c->basis);
	c->basis = NULL;
	c->basis_origin = "typed";
	c->taken = -1;
}

static void set_basis(struct conversation *c, const char *text, const char *origin, int taken)
{
	ui_forget_basis(c);
	c->basis = xstrdup(text);
	c->basis_origin = origin;
	c->taken = taken;
}

static const char *origin_of(const struct conversation *c, const char *text)
{
	if (!c->basis)
		return "typed";
	if (field_matches(c->basis, text))
		return c->basis_origin;
	return worddiff_alike(c->basis, text) >= EDITED ? "edited" : "typed";
}

/* ---- suggestions ---- */

void ui_drop_suggestions(struct ui *u, struct conversation *c, bool said, int taken, bool edited)
{
	if (c->suggestions && said)
		app_suggested(u->app, c->id, taken, edited);
	for (size_t i = 0; i < c->suggestions; i++) {
		free(c->suggestion[i].text);
		free(c->suggestion[i].origin);
		free(c->suggestion[i].name);
	}
	c->suggestions = 0;
	c->taken = -1;
}

void ui_suggest(struct ui *u)
{
	struct conversation *c = ui_conversation(u);

	if (c->n == 0) {
		ui_note(u, "nothing to answer yet: paste or type what the customer wrote, then C-x c");
		return;
	}
	if (u->screen != SCREEN_CHAT)
		ui_show(u, SCREEN_CHAT);
	app_suggest(u->app, c->id);
	u->busy = true;
}

/* ---- fields ---- */

static const char *known_value(const char *name, void *arg)
{
	const struct ui *u = arg;
	const struct conversation *c = &u->c[u->at];
	static char first[80];

	if (strcmp(name, "customer") == 0 || strcmp(name, "name") == 0)
		return c->customer;
	if (strcmp(name, "first_name") == 0 || strcmp(name, "first name") == 0) {
		snprintf(first, sizeof(first), "%.*s", (int)strcspn(c->customer, " "), c->customer);
		return first;
	}
	if (strcmp(name, "case") == 0 || strcmp(name, "case_id") == 0)
		return c->case_id;
	if (strcmp(name, "company") == 0)
		return u->o.company;
	return NULL;
}

/* The cursor goes to the first open field at or after `from`; what is typed there takes its place. */
static bool to_field(struct ui *u, size_t from)
{
	const char *text = input_text();
	size_t start, len;

	if (!field_find(text, from, &start, &len) && !field_find(text, 0, &start, &len))
		return false;
	input_move(start);
	u->field_at = start;
	u->field_len = len;
	u->field_text = input_length();
	ui_note(u, "%.*s is not filled in yet: what you type takes its place", (int)len, text + start);
	return true;
}

void ui_field_typed(struct ui *u)
{
	const size_t n = input_length(), at = input_cursor(), more = n - u->field_text;

	if (u->field_len == 0)
		return;
	if (n == u->field_text && at == u->field_at)
		return;
	/* letters came in before it, and the cursor stands between them and it */
	if (n > u->field_text && at == u->field_at + more && at + u->field_len <= n && input_text()[at] == '{')
		input_delete(at, u->field_len);
	u->field_len = 0;
}

/* Text that others wrote, or that was kept, into the line. */
static void fill_line(struct ui *u, const char *text, const char *origin, int taken, bool insert)
{
	struct conversation *c = ui_conversation(u);
	char *filled = field_fill(text, known_value, u);
	const size_t at = insert ? input_cursor() : 0;

	compose_ghost_clear(u, NULL);
	if (insert && input_length() > 0)
		input_insert(filled);
	else
		input_set(filled);
	set_basis(c, input_text(), origin, taken);
	to_field(u, at);
	free(filled);
	u->dirty = true;
}

void ui_take(struct ui *u, int which)
{
	struct conversation *c = ui_conversation(u);
	bool canned;

	if (which < 0 || (size_t)which >= c->suggestions) {
		ui_note(u, "there is no suggestion %d: M-g makes some", which + 1);
		return;
	}
	if (u->screen != SCREEN_CHAT)
		ui_show(u, SCREEN_CHAT);
	canned = strcmp(c->suggestion[which].origin, "canned") == 0;
	fill_line(u, c->suggestion[which].text, canned ? "canned" : "suggested", which, false);
}

void ui_insert_canned(struct ui *u, size_t which)
{
	if (u->screen != SCREEN_CHAT)
		ui_show(u, SCREEN_CHAT);
	fill_line(u, u->canned.item[which].text, "canned", -1, true);
}

bool ui_insert_canned_named(struct ui *u, const char *name)
{
	const size_t n = strlen(name);
	size_t found = SIZE_MAX, several = 0;

	for (size_t i = 0; i < u->canned.items; i++) {
		const char *has = u->canned.item[i].more;

		if (strcasecmp(has, name) == 0) {
			found = i;
			several = 1;
			break;
		}
		if (strncasecmp(has, name, n) == 0) {
			found = i;
			several++;
		}
	}
	if (several != 1)
		return false;
	ui_insert_canned(u, found);
	return true;
}

/* ---- sending ---- */

static size_t last_asked(const struct conversation *c)
{
	size_t i = c->n;

	while (i > 0 && strcmp(c->m[i - 1].role, "user") != 0)
		i--;
	return i > 0 ? i - 1 : SIZE_MAX;
}

static void send_as_agent(struct ui *u, struct conversation *c, const char *text)
{
	const char *origin = origin_of(c, text);
	const bool theirs = strcmp(origin, "typed") != 0;
	const int taken = theirs ? c->taken : -1;
	/* what it is compared with: the one that was taken, else the best of those that were there */
	const char *beside = taken >= 0 ? c->suggestion[taken].text : c->suggestions ? c->suggestion[0].text : "";

	/* an example of what to answer needs the question */
	const bool asked_in_private = last_asked(c) < c->unkept;

	ui_add_message(c, "assistant", origin, text, ui_time());
	ui_said(u, c);
	app_say(u->app, c->id, "assistant", origin, text);
	if (!asked_in_private)
		app_sent(u->app, c->id, beside, text, strcmp(origin, "edited") == 0);
	to_clipboard(u, text);
	app_send(u->app, c->id, c->case_id, text);
	ui_drop_suggestions(u, c, true, taken, strcmp(origin, "edited") == 0);
	ui_forget_basis(c);
}

static bool is_blank(const char *text)
{
	return strspn(text, " \t\n") == strlen(text);
}

static void taken_off_the_line(struct ui *u, const char *text)
{
	compose_ghost_clear(u, "ignored");
	input_remember(text);
	input_clear();
	free(u->ghost_draft);
	u->ghost_draft = NULL;
	u->field_len = 0;
	u->dirty = true;
}

void ui_customer_said(struct ui *u, const char *text)
{
	struct conversation *c = ui_conversation(u);

	ui_add_message(c, "user", "pasted", text, ui_time());
	ui_said(u, c);
	app_say(u->app, c->id, "user", "pasted", text);
	if (u->assist)
		ui_suggest(u);
}

void ui_customer_typed(struct ui *u)
{
	char *text;

	if (u->screen != SCREEN_CHAT || is_blank(input_text())) {
		ui_note(u, "paste or type what the customer wrote first, then C-x c");
		return;
	}
	text = xstrdup(input_text());
	taken_off_the_line(u, text);
	ui_forget_basis(ui_conversation(u));
	ui_customer_said(u, text);
	compose_save_draft(u);
	free(text);
}

static bool is_open_field(const struct conversation *c, const char *text)
{
	size_t start, len;

	for (size_t at = 0; field_find(text, at, &start, &len); at = start + len)
		if (text[start + 1] == '{' || (c->basis && strcmp(c->basis_origin, "canned") == 0))
			return true;
	return false;
}

void ui_send(struct ui *u)
{
	struct conversation *c = ui_conversation(u);
	char *text = xstrdup(input_text());

	if (is_blank(text)) {
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
	/* raw {fields} never reach a customer */
	if (u->assist && is_open_field(c, text)) {
		to_field(u, 0);
		free(text);
		return;
	}
	taken_off_the_line(u, text);
	if (u->assist) {
		send_as_agent(u, c, text);
	} else {
		ui_forget_basis(c);
		ui_add_message(c, "user", "typed", text, ui_time());
		ui_said(u, c);
		app_say(u->app, c->id, "user", "typed", text);
		app_reply(u->app, c->id);
		u->busy = true;
	}
	compose_save_draft(u);
	free(text);
}
