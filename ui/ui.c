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
		[SCREEN_CHAT] = &screen_chat, [SCREEN_MENU] = &screen_menu, [SCREEN_TRAINING] = &screen_training,
		[SCREEN_REVIEW] = &screen_review, [SCREEN_REVIEW_EDIT] = &screen_review_edit, [SCREEN_HISTORY] = &screen_history,
		[SCREEN_MODELS] = &screen_models, [SCREEN_WHY] = &screen_why, [SCREEN_SETTINGS] = &screen_settings, [SCREEN_HELP] = &screen_help,
		[SCREEN_CANNED] = &screen_canned, [SCREEN_CASES] = &screen_cases, [SCREEN_COMPARE] = &screen_compare,
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

time_t ui_time(void)
{
	return getenv("ANSWERBACK_CLOCK") ? (time_t)(ui_now() / 1000) : time(NULL);
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
	const bool own = ui_screen(id)->own_line, had = ui_screen(u->screen)->own_line;
	struct conversation *c = ui_conversation(u);

	compose_ghost_clear(u, NULL);
	compose_mark(u);
	if (own && !had) {      /* the line is the screen's: the draft waits */
		free(c->draft);
		c->draft = xstrdup(input_text());
		input_clear();
	} else if (own || had) {
		input_clear();
		if (!own && c->draft)
			input_set(c->draft);
	}
	if (!ui_screen(id)->typing)
		input_stop();
	u->prefix = u->sure = false;
	u->seq_n = 0;
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
	char left[200], right[100];
	size_t unread = 0, open = 0, at = 0;

	for (size_t i = 0; i < u->n; i++) {
		unread += i != u->at && u->c[i].unread > 0;
		open += !u->c[i].closed;
		at += !u->c[i].closed && i <= u->at;
	}
	if (name)
		snprintf(left, sizeof(left), " %s", name);
	else
		snprintf(left, sizeof(left), " %s %s%s%s%s", u->assist ? "assist" : "chat", *c->case_id ? "case " : "", c->case_id,
		         *c->customer ? "  " : "", c->customer);
	if (open > 1)
		snprintf(left + strlen(left), sizeof(left) - strlen(left), "  %zu/%zu", at, open);
	if (unread)
		snprintf(left + strlen(left), sizeof(left) - strlen(left), "  %zu unread", unread);
	char training[24] = "";

	if (app_retraining(u->app))
		snprintf(training, sizeof(training), "training %.0f%%  ", 100 * u->training);
	snprintf(right, sizeof(right), "%s%s%s ", training, *u->model ? "model " : "loading the model", u->model);
	draw_fill(0, columns, STYLE_TITLE);
	draw_line(0, 0, columns, STYLE_TITLE, "%s", left);

	const int w = text_width(right, strlen(right)), l = text_width(left, strlen(left));

	if (w + l < columns)
		draw_line(0, columns - w, w, STYLE_TITLE, "%s", right);
}

/* Hints come longest first, parts separated by '|': the first that fits, else the last is cut. */
static const char *ui_hint(const struct ui *u, const struct screen *s, int columns)
{
	static char part[160];
	const char *p = s->hint;

	if (u->screen == SCREEN_CHAT && u->assist)
		p = "M-g suggests, C-x 1 2 3 takes, C-x c customer, C-x k canned, C-x m menu|M-g suggests, C-x m menu|C-x m menu";
	for (;;) {
		const size_t n = strcspn(p, "|");

		snprintf(part, sizeof(part), "%.*s", (int)n, p);
		if (!p[n] || text_width(part, n) + 8 <= columns)
			return part;
		p += n + 1;
	}
}

static void status(struct ui *u, int rows, int columns)
{
	const int y = rows - 1;
	const struct screen *s = ui_screen(u->screen);
	const char *mode = s->typing ? input_mode() : "";
	int x = 0;

	if (*mode) {      /* vi's mode is always to be seen */
		draw_line(y, 0, columns, STYLE_TITLE, "%s", mode);
		x = (int)strlen(mode) + 1;
	}
	if (app_private(u->app)) {
		draw_line(y, x, columns - x, STYLE_WARN, "private");
		x += 8;
	}
	if (*u->note && ui_now() < u->note_until) {
		draw_line(y, x, columns - x, STYLE_BOLD, "%s", u->note);
		return;
	}
	u->note[0] = '\0';
	draw_line(y, x, columns - x, STYLE_DIM, "%s%s%s", u->busy ? "writing ... C-c stops  " : "",
	          columns < 30 || rows < 8 ? "small: " : "", ui_hint(u, s, columns - x));
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
		curs_set(1);
		refresh();
		u->dirty = false;
		return;
	}
	if (s->typing)
		below += compose_rows(u, rows, columns) + 1;
	s->draw(u, rows - 1 - below, columns);
	title(u, columns);
	status(u, rows, columns);
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

/* ---- the loop ---- */

static int wait_for(struct ui *u)
{
	if (u->again) {
		u->again = false;
		return 0;
	}
	const int64_t now = ui_now();
	int64_t until = -1;
	const int every = ui_screen(u->screen)->every;

	if (*u->note)
		until = u->note_until;
	if (u->draft_due && (until < 0 || u->draft_due < until))
		until = u->draft_due;
	if (every && (until < 0 || now + every < until))
		until = now + every;
	const int ms = until < 0 ? -1 : until <= now ? 0 : (int)(until - now), keys = ui_keys_wait(u);

	return keys >= 0 && (ms < 0 || keys < ms) ? keys : ms;
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
		if (n < 0)
			p[0].revents = 0;      /* what it was before the signal */
		if (n == 0)
			ui_keys_waited(u);
		if (n == 0 || (*u->note && ui_now() >= u->note_until) || ui_screen(u->screen)->every)
			u->dirty = true;
		while (read(term_signals(), &sig, 1) == 1) {
			if (sig == 't')
				u->quit = true;
			term_resized();
			u->dirty = true;
		}
		if ((p[0].revents & (POLLIN | POLLHUP)) && !ui_read_keys(u))
			u->quit = true;
		while (app_next(u->app, &ev))
			ui_event(u, &ev);
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
			free(c->suggestion[k].name);
		}
		free(c->basis);
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
	event_fini(&u->review);
	event_fini(&u->canned);
	event_fini(&u->compared);
	event_fini(&u->trained);
	free(u->canned_names);
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
	input_open(ui_action, &u, names, app_private(u.app) ? NULL : history);
	ui_new_conversation(&u, NULL, NULL);
	compose_restore_drafts(&u);
	compose_changed(&u);
	app_canned(u.app);
	loop(&u);
	term_close();
	input_close();
	app_close(u.app);
	free_all(&u);
	free(history);
	return 0;
}
