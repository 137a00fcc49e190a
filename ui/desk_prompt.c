/* SPDX-License-Identifier: GPL-3.0-or-later */
/* desk_prompt: a question on the bottom line, answered by a key or by a short text. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "desk_private.h"
#include "text.h"

static void begin(struct desk *d, const char *choices, void (*done)(struct desk *d, int key), const char *fmt, va_list ap)
{
	desk_ghost_clear(d, NULL);
	d->asking = true;
	vsnprintf(d->ask.label, sizeof(d->ask.label), fmt, ap);
	d->ask.choices = choices;
	d->ask.done = done;
	str_reset(&d->ask.text);
	d->ask.at = 0;
	d->note[0] = '\0';
}

void desk_ask(struct desk *d, const char *initial, void (*done)(struct desk *d, int key), const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	begin(d, NULL, done, fmt, ap);
	va_end(ap);
	str_adds(&d->ask.text, initial);
	d->ask.at = d->ask.text.len;
}

void desk_choose(struct desk *d, const char *choices, void (*done)(struct desk *d, int key), const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	begin(d, choices, done, fmt, ap);
	va_end(ap);
}

static void finish(struct desk *d, int key)
{
	d->asking = false;      /* done may ask the next one */
	d->ask.done(d, key);
}

static void insert(struct prompt *p, const char *bytes, size_t n)
{
	struct str s = STR_INIT;

	str_add(&s, p->text.s, p->at);
	str_add(&s, bytes, n);
	str_add(&s, p->text.s + p->at, p->text.len - p->at);
	str_free(&p->text);
	p->text = s;
	p->at += n;
}

static void cut(struct prompt *p, size_t from, size_t to)
{
	memmove(p->text.s + from, p->text.s + to, p->text.len - to);
	p->text.len -= to - from;
	if (p->text.cap)
		p->text.s[p->text.len] = '\0';
	p->at = from;
}

static size_t right(const struct prompt *p)
{
	int width;

	return p->at < p->text.len ? p->at + text_cluster(p->text.s + p->at, p->text.len - p->at, &width) : p->at;
}

static size_t left(const struct prompt *p)
{
	size_t last = 0;
	int width;

	for (size_t i = 0; i < p->at;) {
		last = i;
		i += text_cluster(p->text.s + i, p->text.len - i, &width);
	}
	return last;
}

void desk_answer(struct desk *d, enum desk_action a, const char *bytes, size_t n)
{
	struct prompt *p = &d->ask;

	if (a == DESK_DISMISS || a == DESK_POSITION) {
		finish(d, 0);
		return;
	}
	if (p->choices) {
		const char c = n == 1 && *bytes >= 'A' && *bytes <= 'Z' ? (char)(*bytes + 32) : *bytes;

		if (a == DESK_ACTIONS && n == 1 && strchr(p->choices, c))
			finish(d, c);
		return;
	}
	switch (a) {
	case DESK_ACTIONS:
		insert(p, bytes, n);
		break;
	case DESK_ENTER:
		finish(d, '\r');
		break;
	case DESK_ERASE:
		cut(p, left(p), p->at);
		break;
	case DESK_DELETE:
		if (p->at < p->text.len) {
			const size_t at = p->at;

			cut(p, at, right(p));
		}
		break;
	case DESK_CUT:
		cut(p, p->at, p->text.len);
		break;
	case DESK_PASTE:
		cut(p, 0, p->at);
		break;
	case DESK_LEFT:
		p->at = left(p);
		break;
	case DESK_ACCEPT:
		p->at = right(p);
		break;
	case DESK_HOME:
	case DESK_FIRST:
		p->at = 0;
		break;
	case DESK_ACCEPT_END:
	case DESK_LAST:
		p->at = p->text.len;
		break;
	case DESK_UP:      /* what was sought last */
		if (d->sought && p->text.len == 0)
			insert(p, d->sought, strlen(d->sought));
		break;
	default:
		break;
	}
}
