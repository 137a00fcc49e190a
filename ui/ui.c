/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ui: the main loop. It waits for keys, events and signals, and draws once after whatever came. */
#include "ui.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "config.h"
#include "ui_private.h"
#include "ui_compose.h"

const struct screen *ui_screen(enum screen_id id)
{
	static const struct screen *const all[SCREENS] = {
		&screen_chat, &screen_menu, &screen_training, &screen_history, &screen_models, &screen_why, &screen_settings,
		&screen_help,
	};

	return all[id];
}

int64_t ui_now(void)
{
	const char *clock = getenv("ANSWERBACK_CLOCK");
	struct timespec ts;

	if (clock) {      /* tests set the time */
		FILE *f = fopen(clock, "r");
		long long ms = 0;

		if (f && fscanf(f, "%lld", &ms) != 1)
			ms = 0;
		if (f)
			fclose(f);
		return ms;
	}
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void ui_note(struct ui *u, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(u->note, sizeof(u->note), fmt, ap);
	va_end(ap);
	u->note_until = ui_now() + 8000;
	u->dirty = true;
}

void ui_show(struct ui *u, enum screen_id id)
{
	compose_ghost_clear(u, NULL);
	if (id != u->screen && (u->screen == SCREEN_HISTORY || id == SCREEN_HISTORY)) {
		/* the line is the query there: the draft waits */
		struct conversation *c = ui_conversation(u);

		if (id == SCREEN_HISTORY) {
			free(c->draft);
			c->draft = xstrdup(input_text());
			input_clear();
		} else {
			input_clear();
			if (c->draft)
				input_set(c->draft);
		}
	}
	u->screen = id;
	u->pick = u->top = 0;
	if (ui_screen(id)->open)
		ui_screen(id)->open(u);
	u->dirty = true;
}

/* ---- drawing ---- */

static void title(struct ui *u, int columns)
{
	const struct conversation *c = ui_conversation(u);
	const char *name = ui_screen(u->screen)->title;
	char left[200], right[80];
	size_t unread = 0;

	for (size_t i = 0; i < u->n; i++)
		unread += i != u->at && u->c[i].unread > 0;
	if (name)
		snprintf(left, sizeof(left), " %s", name);
	else
		snprintf(left, sizeof(left), " %s %s%s%s%s", u->assist ? "assist" : "chat", *c->case_id ? "case " : "", c->case_id,
		         *c->customer ? "  " : "", c->customer);
	if (u->n > 1)
		snprintf(left + strlen(left), sizeof(left) - strlen(left), "  %zu/%zu", u->at + 1, u->n);
	if (unread)
		snprintf(left + strlen(left), sizeof(left) - strlen(left), "  %zu unread", unread);
	snprintf(right, sizeof(right), "%s%s%s ", app_private(u->app) ? "private  " : "", *u->model ? "model " : "loading the model",
	         u->model);
	draw_line(0, 0, columns, STYLE_TITLE, "%-*s", columns, left);

	const int w = text_width(right, strlen(right));

	if (w + 20 < columns)
		draw_line(0, columns - w, w, STYLE_TITLE, "%s", right);
}

static void status(struct ui *u, int y, int columns)
{
	const struct screen *s = ui_screen(u->screen);
	const char *mode = input_mode();

	if (*u->note && ui_now() < u->note_until) {
		char *safe = text_safe(u->note, strlen(u->note), term_ascii());

		draw_line(y, 0, columns, STYLE_BOLD, "%s", safe);
		free(safe);
		return;
	}
	u->note[0] = '\0';
	draw_line(y, 0, columns, STYLE_DIM, "%s%s%s%s", u->busy ? "writing ... C-c stops  " : "", *mode ? mode : "",
	          *mode ? "  " : "", s->hint);
}

static void draw(struct ui *u)
{
	const struct screen *s = ui_screen(u->screen);
	int rows, columns, below = 1;

	getmaxyx(stdscr, rows, columns);
	curs_set(0);
	erase();
	if (rows < 5 || columns < 20) {
		draw_line(0, 0, columns, STYLE_PLAIN, "too small");
		if (rows > 1)
			compose_draw(u, 1, rows - 1, columns);
		refresh();
		return;
	}
	if (s->typing)
		below += compose_rows(u, rows, columns) + 1;
	s->draw(u, rows - 1 - below, columns);
	title(u, columns);
	status(u, rows - 1, columns);
	if (s->typing) {
		draw_rule(rows - below, columns, NULL);
		compose_draw(u, rows - below + 1, below - 2, columns);
		curs_set(1);
	} else {
		move(rows - 1, columns - 1);
	}
	refresh();
	u->dirty = false;
}

/* ---- events ---- */

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
		ui_add_message(c, "assistant", "model", "", time(NULL));
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
	m->shown = text_safe(m->text, strlen(m->text), term_ascii());
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
	for (size_t i = 0; i < c->suggestions; i++) {
		free(c->suggestion[i].text);
		free(c->suggestion[i].origin);
	}
	c->suggestions = 0;
	c->taken = -1;
	for (size_t i = 0; i < ev->items && i < 3; i++)
		c->suggestion[c->suggestions++] = (struct suggestion){
			xstrdup(ev->item[i].text), xstrdup(ev->item[i].origin), ev->item[i].score };
	if (c->suggestions == 0)
		ui_note(u, "no suggestion: there is nothing to answer yet");
}

static void opened(struct ui *u, struct event *ev)
{
	struct conversation *c;
	char label[32];

	snprintf(label, sizeof(label), "#%lld", (long long)ev->number);
	ui_new_conversation(u, label, NULL);
	c = ui_conversation(u);
	for (size_t i = 0; i < ev->items; i++) {
		const struct event_item *it = &ev->item[i];

		ui_add_message(c, it->role, it->origin, it->text, (time_t)(it->number / 1000));
		app_say(u->app, c->id, it->role, "history", it->text);
	}
	ui_show(u, SCREEN_CHAT);
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
	ui_add_message(&u->c[i], "user", "inbox", ev->text, time(NULL));
	app_say(u->app, u->c[i].id, "user", "inbox", ev->text);
	if (i != u->at) {
		u->c[i].unread++;
		ui_note(u, "a message of %s: C-x n", *u->c[i].customer ? u->c[i].customer : *u->c[i].case_id ? u->c[i].case_id : "a customer");
	} else {
		ui_suggest(u);
	}
}

static void take_event(struct ui *u, struct event *ev)
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
	case EVENT_NONE:
		break;
	}
	if (ev->kind == EVENT_REPLY || ev->kind == EVENT_SUGGESTIONS || ev->kind == EVENT_NOTE)
		u->busy = ev->kind == EVENT_NOTE && app_busy(u->app);
	event_fini(ev);
}

/* ---- keys ---- */

static void scroll_by(struct ui *u, int pages)
{
	struct conversation *c = ui_conversation(u);
	const size_t page = LINES > 8 ? (size_t)LINES - 6 : 2;

	if (pages > 0)
		c->scroll += page;      /* drawing bounds it */
	else
		c->scroll = c->scroll > page ? c->scroll - page : 0;
}

static void list_key(struct ui *u, int k)
{
	const struct screen *s = ui_screen(u->screen);
	const size_t page = LINES > 4 ? (size_t)LINES - 4 : 1;

	if (s->key && s->key(u, k))
		return;
	switch (k) {
	case UI_UP:
	case 'k':
		u->pick -= u->pick > 0;
		break;
	case UI_DOWN:
	case 'j':
		u->pick++;
		break;
	case UI_PAGE_UP:
		u->pick = u->pick > page ? u->pick - page : 0;
		break;
	case UI_PAGE_DOWN:
	case ' ':
		u->pick += page;
		break;
	case UI_HOME:
		u->pick = 0;
		break;
	case UI_END:
		u->pick = SIZE_MAX / 2;
		break;
	case 'q':
	case 7:      /* C-g */
	case 27:
		ui_show(u, SCREEN_CHAT);
		break;
	default:
		break;
	}
}

/* Sequences as terminals send them, for screens where nothing is typed. */
static void list_bytes(struct ui *u, const char *s, size_t n)
{
	static const struct {
		const char *seq;
		int key;
	} seqs[] = {
		{ "\033[A", UI_UP }, { "\033OA", UI_UP }, { "\033[B", UI_DOWN }, { "\033OB", UI_DOWN }, { "\033[5~", UI_PAGE_UP },
		{ "\033[6~", UI_PAGE_DOWN }, { "\033[H", UI_HOME }, { "\033OH", UI_HOME }, { "\033[F", UI_END }, { "\033OF", UI_END },
		{ "\033[C", UI_RIGHT }, { "\033[D", UI_LEFT }, { "\033[1~", UI_HOME }, { "\033[4~", UI_END }, { "\020", UI_UP },
		{ "\016", UI_DOWN },
	};

	for (size_t i = 0; i < n;) {
		size_t k = 0;

		if (ui_screen(u->screen)->typing) {      /* a key left the list: what follows is typed */
			input_feed(s + i, n - i);
			return;
		}

		while (k < sizeof(seqs) / sizeof(seqs[0]) &&
		       !(n - i >= strlen(seqs[k].seq) && memcmp(s + i, seqs[k].seq, strlen(seqs[k].seq)) == 0))
			k++;
		if (k < sizeof(seqs) / sizeof(seqs[0])) {
			list_key(u, seqs[k].key);
			i += strlen(seqs[k].seq);
		} else {
			list_key(u, (unsigned char)s[i] == '\n' ? '\r' : (unsigned char)s[i]);
			i++;
		}
	}
}

static void move_up_down(struct ui *u, bool up)
{
	if (u->screen == SCREEN_HISTORY) {
		u->pick = up ? u->pick - (u->pick > 0) : u->pick + 1;
		return;
	}
	if (up ? input_line_up() : input_line_down())
		return;
	if (up)
		input_previous();
	else
		input_next();
}

/* What readline's keys do here. */
static bool action(enum key_action a, void *arg)
{
	struct ui *u = arg;
	static const enum screen_id screens[ACT_ACTIONS] = {
		[ACT_MENU] = SCREEN_MENU, [ACT_TRAINING] = SCREEN_TRAINING, [ACT_HISTORY] = SCREEN_HISTORY, [ACT_MODELS] = SCREEN_MODELS,
		[ACT_WHY] = SCREEN_WHY, [ACT_SETTINGS] = SCREEN_SETTINGS, [ACT_HELP] = SCREEN_HELP,
	};

	if ((a == ACT_SEND || a == ACT_NEWLINE) && u->screen == SCREEN_CHAT && !config_yes(CONFIG_ENTER_SENDS))
		a = a == ACT_SEND ? ACT_NEWLINE : ACT_SEND;
	switch (a) {
	case ACT_SEND:
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
			ui_show(u, SCREEN_CHAT);
			return true;
		}
		return false;
	case ACT_GHOST:
		u->ghost_on = !u->ghost_on;
		compose_ghost_clear(u, NULL);
		ui_note(u, "grey text is %s", u->ghost_on ? "on" : "off");
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
		ui_switch(u, (u->at + (a == ACT_NEXT ? 1 : u->n - 1)) % u->n);
		return true;
	case ACT_UP:
	case ACT_DOWN:
		move_up_down(u, a == ACT_UP);
		return true;
	case ACT_PAGE_UP:
	case ACT_PAGE_DOWN:
		if (u->screen == SCREEN_CHAT)
			scroll_by(u, a == ACT_PAGE_UP ? 1 : -1);
		else if (a == ACT_PAGE_UP)
			u->pick = u->pick > 10 ? u->pick - 10 : 0;
		else
			u->pick += 10;
		return true;
	case ACT_EDITOR:
		compose_editor(u);
		return true;
	case ACT_MENU:
	case ACT_TRAINING:
	case ACT_HISTORY:
	case ACT_MODELS:
	case ACT_WHY:
	case ACT_SETTINGS:
	case ACT_HELP:
		ui_show(u, screens[a]);
		return true;
	case ACT_ACTIONS:
		break;
	}
	return false;
}

/* Keys that are ours in every screen and mode. */
static void interrupt(struct ui *u)
{
	if (u->busy) {
		app_cancel(u->app);
		return;
	}
	compose_ghost_clear(u, "dismissed");
	if (u->screen != SCREEN_CHAT) {
		ui_show(u, SCREEN_CHAT);
	} else if (input_length() > 0) {
		input_remember(input_text());
		input_clear();
	} else {
		ui_note(u, "C-d quits");
	}
}

static void take_bytes(struct ui *u, const char *s, size_t n)
{
	size_t from = 0;

	for (size_t i = 0; i < n && !input_pasting() && !memchr(s, 27, n); i++) {
		const char c = s[i];

		if (c != 3 && c != 4 && c != 12 && c != 26)
			continue;
		if (c == 4 && (input_length() > 0 || !ui_screen(u->screen)->typing || u->screen == SCREEN_HISTORY))
			continue;
		if (ui_screen(u->screen)->typing)
			input_feed(s + from, i - from);
		from = i + 1;
		if (c == 3)
			interrupt(u);
		else if (c == 4)
			u->quit = true;
		else if (c == 12)
			clearok(curscr, TRUE);
		else
			term_suspend();
	}
	if (ui_screen(u->screen)->typing || input_pasting())
		input_feed(s + from, n - from);
	else
		list_bytes(u, s + from, n - from);
	if (ui_screen(u->screen)->typing) {
		if (ui_screen(u->screen)->typed)
			ui_screen(u->screen)->typed(u);
		compose_changed(u);
	}
	u->dirty = true;
}

static bool read_keys(struct ui *u)
{
	char buf[65536];
	ssize_t n = read(STDIN_FILENO, buf, sizeof(buf));

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		return false;      /* the terminal is gone */
	/* an Escape at the end is a key of vi, or the beginning of a sequence that was cut there */
	if (n > 0 && n < (ssize_t)sizeof(buf) && buf[n - 1] == 27) {
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

/* ---- the loop ---- */

static int wait_for(struct ui *u)
{
	const int64_t now = ui_now();
	int64_t until = -1;
	const int every = ui_screen(u->screen)->every;

	if (*u->note)
		until = u->note_until;
	if (u->draft_due && (until < 0 || u->draft_due < until))
		until = u->draft_due;
	if (every && (until < 0 || now + every < until))
		until = now + every;
	return until < 0 ? -1 : until <= now ? 0 : (int)(until - now);
}

static void loop(struct ui *u)
{
	struct pollfd p[3] = {
		{ STDIN_FILENO, POLLIN, 0 }, { app_fd(u->app), POLLIN, 0 }, { term_signals(), POLLIN, 0 },
	};
	struct event ev;
	char sig;

	while (!u->quit) {
		if (u->dirty)
			draw(u);

		const int n = poll(p, 3, wait_for(u));

		if (n < 0 && errno != EINTR)
			break;
		if (n == 0 || (*u->note && ui_now() >= u->note_until) || ui_screen(u->screen)->every)
			u->dirty = true;
		while (read(term_signals(), &sig, 1) == 1) {
			if (sig == 't')
				u->quit = true;
			term_resized();
			u->dirty = true;
		}
		if ((p[0].revents & (POLLIN | POLLHUP)) && !read_keys(u))
			u->quit = true;
		while (app_next(u->app, &ev))
			take_event(u, &ev);
		if (u->draft_due && ui_now() >= u->draft_due)
			compose_save_draft(u);
	}
	compose_save_draft(u);
}

static void free_all(struct ui *u)
{
	for (size_t i = 0; i < u->n; i++) {
		struct conversation *c = &u->c[i];

		for (size_t k = 0; k < c->n; k++) {
			free(c->m[k].role);
			free(c->m[k].origin);
			free(c->m[k].text);
			free(c->m[k].shown);
			free(c->m[k].line);
		}
		for (size_t k = 0; k < c->suggestions; k++) {
			free(c->suggestion[k].text);
			free(c->suggestion[k].origin);
		}
		free(c->m);
		free(c->case_id);
		free(c->customer);
		free(c->draft);
	}
	free(u->c);
	free(u->model);
	free(u->ghost);
	free(u->ghost_draft);
	free(u->asked);
	event_fini(&u->hits);
	event_fini(&u->models);
	event_why_free(u->why);
}

int ui_run(const struct ui_options *o, struct err *e)
{
	const struct app_options ao = { o->model, o->company, o->send_command, o->inbox };
	struct ui u = { .o = *o, .assist = o->assist, .ghost_on = strcmp(config_text(CONFIG_GHOST), "off") != 0, .dirty = true };
	const char *names[64];
	char *history = compose_history_file();
	int rc;

	for (size_t i = 0; i < 63; i++) {
		names[i] = ui_commands[i].name;
		if (!names[i])
			break;
	}
	if (!term_open()) {
		free(history);
		return UI_NO_SCREEN;
	}
	u.model = xstrdup("");
	if ((rc = app_open(&u.app, &ao, e)) < 0) {
		term_close();
		free_all(&u);
		free(history);
		return rc;
	}
	input_open(action, &u, names, app_private(u.app) ? NULL : history);
	ui_new_conversation(&u, NULL, NULL);
	compose_restore_draft(&u);
	loop(&u);
	term_close();
	input_close();
	app_close(u.app);
	free_all(&u);
	free(history);
	return 0;
}
