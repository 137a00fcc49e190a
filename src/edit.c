/* SPDX-License-Identifier: GPL-3.0-or-later */
/* edit: a list of changes; those before `done` are in the text. */
#include "edit.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

struct change {
	size_t at, step;              /* changes of one step are undone together */
	struct str gone, came;
};

struct edit {
	struct editbuf *b;
	struct change *c;
	size_t n, cap, done;
	size_t saved;                 /* the `done` that is on disk; SIZE_MAX: none is any more */
	size_t step;
	bool joins;                   /* typing may go on in the last change */
};

struct edit *edit_new(struct editbuf *b)
{
	struct edit *d = xcalloc(1, sizeof(*d));

	d->b = b;
	return d;
}

static void forget_from(struct edit *d, size_t from)
{
	for (size_t i = from; i < d->n; i++) {
		str_free(&d->c[i].gone);
		str_free(&d->c[i].came);
	}
	d->n = from;
}

void edit_free(struct edit *d)
{
	if (!d)
		return;
	forget_from(d, 0);
	free(d->c);
	editbuf_free(d->b);
	free(d);
}

const struct editbuf *edit_text(const struct edit *d)
{
	return d->b;
}

static bool blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* A word and the white space around it are one step: a letter after a word and white space begins the next. */
static bool same_word(const struct str *before, const char *next)
{
	size_t i = before->len;

	while (i > 0 && blank(before->s[i - 1]))
		i--;
	return !(i > 0 && i < before->len && !blank(*next)) && *next != '\n';
}

/* Typing that goes on where the last change ended. */
static bool join(struct edit *d, size_t at, size_t del, const char *ins, size_t n)
{
	struct change *c = d->done ? &d->c[d->done - 1] : NULL;
	struct str all = STR_INIT;

	if (!c || !d->joins)
		return false;
	if (del == 0 && at == c->at + c->came.len && c->gone.len == 0 && c->came.len > 0) {
		if (!same_word(&c->came, ins))
			return false;
		str_add(&c->came, ins, n);
		return true;
	}
	/* erased backwards, within what was not just typed */
	if (n == 0 && del > 0 && del <= 128 && c->came.len == 0 && at + del == c->at) {
		char bytes[128];

		editbuf_read(d->b, at, bytes, del);
		if (blank(c->gone.s[0]) != blank(bytes[0]) && blank(bytes[0]))
			return false;
		str_add(&all, bytes, del);
		str_add(&all, c->gone.s, c->gone.len);
		str_free(&c->gone);
		c->gone = all;
		c->at = at;
		return true;
	}
	return false;
}

void edit_replace(struct edit *d, size_t at, size_t del, const char *ins, size_t n, enum edit_kind kind)
{
	struct change *c;

	if (del == 0 && n == 0)
		return;
	if (d->saved != SIZE_MAX && d->saved > d->done)
		d->saved = SIZE_MAX;
	forget_from(d, d->done);
	if (kind != EDIT_TYPING || !join(d, at, del, ins, n)) {
		if (d->n == d->cap) {
			d->cap = d->cap ? 2 * d->cap : 64;
			d->c = xreallocarray(d->c, d->cap, sizeof(*d->c));
		}
		if (kind != EDIT_MORE)
			d->step++;
		c = &d->c[d->n++];
		*c = (struct change){ .at = at, .step = d->step, .gone = STR_INIT, .came = STR_INIT };
		d->done = d->n;
		if (del) {
			char *old = xmalloc(del);

			editbuf_read(d->b, at, old, del);
			str_add(&c->gone, old, del);
			free(old);
		}
		str_add(&c->came, ins, n);
	}
	d->joins = kind == EDIT_TYPING;
	editbuf_delete(d->b, at, del);
	editbuf_insert(d->b, at, ins, n);
}

static void swap(struct edit *d, const struct change *c, const struct str *out, const struct str *in)
{
	editbuf_delete(d->b, c->at, out->len);
	editbuf_insert(d->b, c->at, in->s, in->len);
}

bool edit_undo(struct edit *d, size_t *cursor)
{
	const size_t step = d->done ? d->c[d->done - 1].step : 0;

	d->joins = false;
	if (d->done == 0)
		return false;
	while (d->done > 0 && d->c[d->done - 1].step == step) {
		const struct change *c = &d->c[--d->done];

		swap(d, c, &c->came, &c->gone);
		*cursor = c->at + c->gone.len;
	}
	return true;
}

bool edit_redo(struct edit *d, size_t *cursor)
{
	const size_t step = d->done < d->n ? d->c[d->done].step : 0;

	d->joins = false;
	if (d->done == d->n)
		return false;
	while (d->done < d->n && d->c[d->done].step == step) {
		const struct change *c = &d->c[d->done++];

		swap(d, c, &c->gone, &c->came);
		*cursor = c->at + c->came.len;
	}
	return true;
}

void edit_pause(struct edit *d)
{
	d->joins = false;
}

bool edit_modified(const struct edit *d)
{
	return d->done != d->saved;
}

void edit_saved(struct edit *d)
{
	d->saved = d->done;
	d->joins = false;
}
