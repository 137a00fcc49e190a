/* SPDX-License-Identifier: GPL-3.0-or-later */
/* desk: open, run, close. The loop waits for keys, events, signals and hunspell, and draws once after whatever came. */
#include "desk.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "config.h"
#include "desk_private.h"
#include "event.h"
#include "ui_private.h"

enum { NOTE_MS = 8000 };

int64_t desk_now(void)
{
	return ui_now();
}

const struct editbuf *desk_text(const struct desk *d)
{
	return edit_text(d->doc);
}

void desk_note(struct desk *d, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(d->note, sizeof(d->note), fmt, ap);
	va_end(ap);
	d->note_until = desk_now() + NOTE_MS;
	d->dirty = true;
}

int desk_new(struct desk **out, const char *path, struct err *e)
{
	struct editbuf *b = editbuf_new(0);
	struct desk *d;
	struct editfile f = { 0 };
	int rc = path ? editfile_load(&f, path, b, e) : 0;

	*out = NULL;
	if (rc < 0) {
		editbuf_free(b);
		return rc;
	}
	d = xcalloc(1, sizeof(*d));
	d->file = f;
	d->fresh = editbuf_len(b) == 0;
	const size_t end = editbuf_line_end(b, 0);

	d->dos = end > 0 && end < editbuf_len(b) && editbuf_byte(b, end - 1) == '\r';
	d->doc = edit_new(b);
	d->wrap = wrap_new(0);
	wrap_set(d->wrap, b, 79, false);
	d->copied_version = editbuf_version(b);
	d->mark = d->asked_at = SIZE_MAX;
	d->goal = -1;
	d->rows = 20;
	d->columns = 80;
	d->ghost_on = strcmp(config_text(CONFIG_GHOST), "off") != 0;
	d->clip = d->pending = d->paste = d->ask.text = d->page = (struct str)STR_INIT;
	*out = d;
	return 0;
}

void desk_free(struct desk *d)
{
	if (!d)
		return;
	edit_free(d->doc);
	wrap_free(d->wrap);
	editfile_fini(&d->file);
	editfind_fini(&d->find);
	str_free(&d->clip);
	str_free(&d->pending);
	str_free(&d->paste);
	str_free(&d->ask.text);
	str_free(&d->page);
	free(d->sought);
	free(d->with);
	free(d->saving_as);
	free(d->ghost);
	free(d->known);
	free(d);
}

static void take_event(struct desk *d, struct event *ev)
{
	if (ev->kind == EVENT_READY) {
		d->ready = true;
		d->asked_at = SIZE_MAX;      /* what was typed meanwhile may want a ghost */
		desk_ghost_update(d);
	}
	if (ev->kind == EVENT_GHOST) {
		desk_ghost_event(d, ev);
		event_fini(ev);
		return;
	}
	if (ev->kind == EVENT_NOTE)
		snprintf(d->later, sizeof(d->later), "%s", ev->text);
	if (d->host.event)
		d->host.event(ev, d->host.arg);
	else
		event_fini(ev);
}

/* False: the terminal is gone. */
static bool read_keys(struct desk *d)
{
	char buf[65536];
	const ssize_t n = read(STDIN_FILENO, buf, sizeof(buf));

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		return false;
	if (n > 0) {
		desk_feed(d, buf, (size_t)n);
		desk_ghost_update(d);
		d->dirty = true;
	}
	return true;
}

static int wait_for(const struct desk *d)
{
	const int64_t now = desk_now();
	int64_t until = *d->note ? d->note_until : -1;

	if (d->copy_due && (until < 0 || d->copy_due < until))
		until = d->copy_due;
	return until < 0 ? -1 : until <= now ? 0 : (int)(until - now);
}

static void stop(struct desk *d)
{
	d->quit = true;
	d->end = DESK_STOPPED;
}

static void loop(struct desk *d)
{
	struct pollfd p[4] = {
		{ STDIN_FILENO, POLLIN, 0 }, { app_fd(d->host.app), POLLIN, 0 }, { term_signals(), POLLIN, 0 }, { -1, POLLIN, 0 },
	};
	struct event ev;
	char sig;

	while (!d->quit) {
		desk_tick(d);
		if (d->dirty)
			desk_draw(d);
		p[3].fd = spell_fd(d->spell);
		if (poll(p, 4, wait_for(d)) < 0) {
			if (errno != EINTR)
				stop(d);
			p[0].revents = p[3].revents = 0;
		}
		if (*d->note && desk_now() >= d->note_until)
			d->dirty = true;
		while (read(term_signals(), &sig, 1) == 1) {
			if (sig == 't')
				stop(d);
			term_resized();
			d->dirty = true;
		}
		if (!d->quit && (p[0].revents & (POLLIN | POLLHUP)) && !read_keys(d))
			stop(d);
		while (app_next(d->host.app, &ev))
			take_event(d, &ev);
		if (p[3].revents && spell_read(d->spell))
			d->dirty = true;
	}
}

enum desk_end desk_run(struct desk *d, const struct desk_host *host)
{
	struct err e = ERR_INIT;

	d->host = *host;
	d->ready = host->ready;
	d->quit = false;
	d->dirty = true;
	d->conversation = app_conversation(host->app, NULL, NULL);
	d->copy = recovery_open(d->file.path, &e);
	d->spell = spell_start(config_text(CONFIG_SPELLING));
	signal(SIGXFSZ, SIG_IGN);      /* a limit on file sizes is an error of write, not the end */
	if (d->file.read_only)
		desk_note(d, "%s is read-only: C-o writes to another name", d->file.path);
	else if (!d->file.exists && d->file.path)
		desk_note(d, "a new file");
	if (e.code)
		desk_note(d, "%s", e.msg);
	desk_learn_begin(d);
	desk_offer_copy(d);
	loop(d);
	if (d->end == DESK_STOPPED)
		desk_keep_copy(d, true);
	else if (d->saved)
		desk_learn_end(d);
	desk_ghost_clear(d, NULL);
	spell_stop(d->spell);
	recovery_close(d->copy);
	return d->end;
}

int desk_main(const struct desk_options *o, struct err *e)
{
	const struct app_options ao = { o->model, o->company, NULL, NULL };
	struct desk_host host = { 0 };
	struct desk *d;
	int rc = desk_new(&d, o->path, e);

	if (rc < 0)
		return rc;
	signal(SIGXFSZ, SIG_IGN);      /* as in desk_run, for the store */
	if (!term_open()) {
		desk_free(d);
		return DESK_NO_SCREEN;
	}
	if ((rc = app_open(&host.app, &ao, e)) == 0) {
		desk_run(d, &host);
		term_close();
		app_close(host.app);
	} else {
		term_close();
	}
	desk_free(d);
	return rc;
}
