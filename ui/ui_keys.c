/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ui_keys: bytes from the terminal, and what they do. Where a line is typed they are readline's, but for a few
 * controls; on lists they are taken apart here. What is pasted is never a key. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "ui_compose.h"
#include "ui_private.h"

enum { ESC_MS = 60 };       /* an Escape with nothing after it for so long is a key of its own */

static void scroll_by(struct ui *u, int pages)
{
	struct conversation *c = ui_conversation(u);
	const size_t page = LINES > 8 ? (size_t)LINES - 6 : 2;

	if (pages > 0)
		c->scroll += page;      /* drawing bounds it */
	else
		c->scroll = c->scroll > page ? c->scroll - page : 0;
}

static void pick_by(struct ui *u, int64_t by)
{
	if (by < 0)
		u->pick = u->pick > (size_t)-by ? u->pick - (size_t)-by : 0;
	else
		u->pick += (size_t)by;      /* drawing bounds it */
}

/* ---- what keys do where a line is typed ---- */

static void move_up_down(struct ui *u, bool up)
{
	if (ui_screen(u->screen)->own_line) {
		pick_by(u, up ? -1 : 1);
		return;
	}
	if (up ? input_line_up() : input_line_down())
		return;
	if (up)
		input_previous();
	else
		input_next();
}

bool ui_action(enum key_action a, void *arg)
{
	struct ui *u = arg;
	static const enum screen_id screens[ACT_ACTIONS] = {
		[ACT_MENU] = SCREEN_MENU, [ACT_TRAINING] = SCREEN_TRAINING, [ACT_REVIEW] = SCREEN_REVIEW, [ACT_HISTORY] = SCREEN_HISTORY,
		[ACT_MODELS] = SCREEN_MODELS, [ACT_WHY] = SCREEN_WHY, [ACT_SETTINGS] = SCREEN_SETTINGS, [ACT_HELP] = SCREEN_HELP,
		[ACT_CANNED] = SCREEN_CANNED, [ACT_CASES] = SCREEN_CASES,
	};

	u->dirty = true;
	if ((a == ACT_SEND || a == ACT_NEWLINE) && u->screen == SCREEN_CHAT && !config_yes(CONFIG_ENTER_SENDS))
		a = a == ACT_SEND ? ACT_NEWLINE : ACT_SEND;
	ui_field_typed(u);      /* letters that came in the same breath */
	switch (a) {
	case ACT_SEND:
		if (ui_screen(u->screen)->typed)
			ui_screen(u->screen)->typed(u);
		ui_screen(u->screen)->enter(u);
		return true;
	case ACT_NEWLINE:
		input_newline();
		return true;
	case ACT_ACCEPT:
	case ACT_ACCEPT_END:
		return compose_accept(u, false);
	case ACT_ACCEPT_WORD:
		return compose_accept(u, true);
	case ACT_TAB:
		if (!(u->ghost && ui_now() - u->ghost_since >= 150 && compose_accept(u, false)))
			input_complete();
		return true;
	case ACT_TAKE_BACK:
		return false;
	case ACT_DISMISS:
		if (u->ghost) {
			compose_ghost_clear(u, "dismissed");
			return true;
		}
		if (u->screen != SCREEN_CHAT) {
			ui_show(u, ui_screen(u->screen)->back);
			return true;
		}
		return false;
	case ACT_ANOTHER:
		compose_another(u);
		return true;
	case ACT_GHOST:
		u->ghost_on = !u->ghost_on;
		compose_ghost_clear(u, NULL);
		ui_note(u, "grey text is %s", u->ghost_on ? "on" : "off");
		return true;
	case ACT_CUSTOMER:
		ui_customer_typed(u);
		return true;
	case ACT_SUGGEST:
		ui_suggest(u);
		return true;
	case ACT_TAKE1:
	case ACT_TAKE2:
	case ACT_TAKE3:
		ui_take(u, (int)a - ACT_TAKE1);
		return true;
	case ACT_NEXT:
	case ACT_PREVIOUS:
		ui_go(u, a == ACT_NEXT ? 1 : -1);
		return true;
	case ACT_UP:
	case ACT_DOWN:
		move_up_down(u, a == ACT_UP);
		return true;
	case ACT_PAGE_UP:
	case ACT_PAGE_DOWN:
		if (u->screen == SCREEN_CHAT)
			scroll_by(u, a == ACT_PAGE_UP ? 1 : -1);
		else
			pick_by(u, a == ACT_PAGE_UP ? -10 : 10);
		return true;
	case ACT_EDITOR:
		compose_editor(u);
		return true;
	case ACT_DESK:
		ui_write(u, "");
		return true;
	case ACT_MENU:
	case ACT_TRAINING:
	case ACT_REVIEW:
	case ACT_HISTORY:
	case ACT_MODELS:
	case ACT_WHY:
	case ACT_SETTINGS:
	case ACT_HELP:
	case ACT_CANNED:
	case ACT_CASES:
		ui_show(u, screens[a]);
		return true;
	case ACT_ACTIONS:
		break;
	}
	return false;
}

/* ---- lists ---- */

static void list_key(struct ui *u, int k)
{
	const struct screen *s = ui_screen(u->screen);
	const int64_t page = LINES > 4 ? LINES - 4 : 1;

	if (s->key && s->key(u, k))
		return;
	switch (k) {
	case UI_UP:
	case 16:      /* C-p */
	case 'k':
		pick_by(u, -1);
		break;
	case UI_DOWN:
	case 14:      /* C-n */
	case 'j':
		pick_by(u, 1);
		break;
	case UI_PAGE_UP:
		pick_by(u, -page);
		break;
	case UI_PAGE_DOWN:
	case ' ':
		pick_by(u, page);
		break;
	case UI_HOME:
		u->pick = 0;
		break;
	case UI_END:
		u->pick = SIZE_MAX / 2;
		break;
	case 'q':
	case 7:       /* C-g */
	case 27:
		ui_show(u, s->back);
		break;
	default:
		break;
	}
}

/* C-x and a letter lead from a list to another screen as they do from the line. */
static void list_letter(struct ui *u, unsigned char letter)
{
	static const struct {
		char letter;
		enum key_action action;
	} letters[] = {
#define X(name, seq, letter, shown, what) { letter, ACT_##name },
		KEYS(X)
#undef X
	};

	for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++)
		if (letters[i].letter == (char)letter && letter)
			ui_action(letters[i].action, u);
}

static void list_sequence(struct ui *u)
{
	static const struct {
		const char *seq;
		int key;
	} seqs[] = {
		{ "[A", UI_UP }, { "OA", UI_UP }, { "[B", UI_DOWN }, { "OB", UI_DOWN }, { "[5~", UI_PAGE_UP }, { "[6~", UI_PAGE_DOWN },
		{ "[H", UI_HOME }, { "OH", UI_HOME }, { "[F", UI_END }, { "OF", UI_END }, { "[C", UI_RIGHT }, { "OC", UI_RIGHT },
		{ "[D", UI_LEFT }, { "OD", UI_LEFT }, { "[1~", UI_HOME }, { "[4~", UI_END }, { "v", UI_PAGE_UP }, { "<", UI_HOME }, { ">", UI_END },
	};

	u->seq[u->seq_n] = '\0';
	u->seq_n = 0;
	for (size_t i = 0; i < sizeof(seqs) / sizeof(seqs[0]); i++)
		if (strcmp(u->seq + 1, seqs[i].seq) == 0)
			list_key(u, seqs[i].key);
	/* what is not known is nothing, and its letters are no keys */
}

static void list_byte(struct ui *u, unsigned char c)
{
	if (u->seq_n > 0) {
		const size_t n = u->seq_n;

		if (c == 27) {      /* Escape twice: the first was one of its own */
			u->seq_n = 1;
			list_key(u, 27);
			return;
		}
		if (n + 2 < sizeof(u->seq))
			u->seq[u->seq_n++] = (char)c;
		if (n == 1 ? c != '[' && c != 'O' : u->seq[1] == 'O' || (c >= 0x40 && c <= 0x7e))
			list_sequence(u);
	} else if (u->prefix) {
		u->prefix = false;
		list_letter(u, c);
	} else if (c == 27) {
		u->seq[0] = 27;
		u->seq_n = 1;
	} else if (c == 24) {
		u->prefix = true;
	} else if (c == 22) {      /* C-v */
		list_key(u, UI_PAGE_DOWN);
	} else if (c < 0x80) {
		list_key(u, c == '\n' ? '\r' : c);
	}
}

int ui_keys_wait(const struct ui *u)
{
	return u->seq_n > 0 ? ESC_MS : -1;
}

void ui_keys_waited(struct ui *u)
{
	if (u->seq_n == 0)
		return;
	if (u->seq_n == 1 && !ui_screen(u->screen)->typing)
		list_key(u, 27);
	u->seq_n = 0;
	u->dirty = true;
}

/* ---- everywhere ---- */

static void interrupt(struct ui *u)
{
	if (u->busy) {
		app_cancel(u->app);
		return;
	}
	if (input_searching()) {
		input_feed("\007", 1);
		return;
	}
	compose_ghost_clear(u, "dismissed");
	u->prefix = false;
	u->seq_n = 0;
	if (u->screen != SCREEN_CHAT) {
		ui_show(u, ui_screen(u->screen)->back);
	} else if (input_length() > 0) {
		input_keep(!app_private(u->app) && !ui_conversation(u)->unkept_draft);
		input_remember(input_text());
		input_keep(!app_private(u->app));
		input_clear();
		ui_forget_basis(ui_conversation(u));
	} else {
		ui_note(u, "C-d quits");
	}
}

void ui_quit(struct ui *u)
{
	if (app_retraining(u->app) && ui_now() > u->quit_until) {
		ui_note(u, "it is retraining: quit again to leave; the next /train goes on from where it is");
		u->quit_until = ui_now() + 5000;
		return;
	}
	u->quit = true;
}

/* Controls that are ours in every screen and mode. False: it is a key like others. */
static bool control(struct ui *u, unsigned char c)
{
	const struct screen *s = ui_screen(u->screen);

	switch (c) {
	case 3:
		interrupt(u);
		return true;
	case 4:
		if (input_length() > 0 || !s->typing || s->own_line)
			return false;
		ui_quit(u);
		return true;
	case 12:
		clearok(curscr, TRUE);
		return true;
	case 26:
		term_suspend();
		return true;
	default:
		return false;
	}
}

/* Bytes that are all of a paste, or all typed, and hold no control of ours. */
static void feed(struct ui *u, const char *s, size_t n, bool pasted)
{
	while (n > 0) {
		size_t used;

		if (ui_screen(u->screen)->typing || input_pasting()) {
			used = input_feed(s, n);
		} else if (pasted) {
			ui_note(u, "what is pasted goes to the line: C-g first");
			return;
		} else {
			list_byte(u, (unsigned char)*s);
			used = 1;
		}
		s += used;
		n -= used;
	}
}

static void take_bytes(struct ui *u, const char *s, size_t n)
{
	static const char begin[] = "\033[200~", end[] = "\033[201~";
	size_t from = 0;

	for (size_t i = 0; i < n; i++) {
		const char *mark = u->paste ? end : begin;
		const bool was = u->paste;

		u->mark = s[i] == mark[u->mark] ? u->mark + 1 : s[i] == mark[0];
		if (u->mark == sizeof(begin) - 1) {
			u->mark = 0;
			u->paste = !u->paste;
			feed(u, s + from, i + 1 - from, was);
			from = i + 1;
			continue;
		}
		if (u->paste || (s[i] != 3 && s[i] != 4 && s[i] != 12 && s[i] != 26) || (i > 0 && s[i - 1] == 27))
			continue;
		feed(u, s + from, i - from, false);
		from = i;
		if (control(u, (unsigned char)s[i]))
			from = i + 1;
	}
	feed(u, s + from, n - from, u->paste);
	if (ui_screen(u->screen)->typing) {
		if (ui_screen(u->screen)->typed)
			ui_screen(u->screen)->typed(u);
		compose_changed(u);
	}
	u->dirty = true;
}

bool ui_read_keys(struct ui *u)
{
	char buf[65536];
	ssize_t n = read(STDIN_FILENO, buf, sizeof(buf));

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		return false;      /* the terminal is gone */
	/* an Escape at the end is a key of vi, or the beginning of a sequence that was cut there */
	if (n > 0 && n < (ssize_t)sizeof(buf) && buf[n - 1] == 27 && ui_screen(u->screen)->typing) {
		struct pollfd p = { STDIN_FILENO, POLLIN, 0 };

		if (poll(&p, 1, 4) > 0) {
			ssize_t more = read(STDIN_FILENO, buf + n, sizeof(buf) - (size_t)n);

			n += more > 0 ? more : 0;
		}
	}
	if (n > 0 && (n = (ssize_t)mouse_take(u, buf, (size_t)n, sizeof(buf))) > 0)
		take_bytes(u, buf, (size_t)n);
	return true;
}
