/* SPDX-License-Identifier: GPL-3.0-or-later */
/* desk_ghost: grey text after what is being typed: when it is asked for, used up, taken, and sent away; and what is
 * learned of the person's language when a document is done. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "desk_private.h"
#include "ui_compose.h"

/* A page of context; its beginning moves on in steps of this, so that what was read stays of use. */
enum { PAGE = 1024, MIN_TYPED = 3, LEARN_MOST = 1 << 20, WRAPPED_LEAST = 50, WRAPPED_MOST = 100 };

void desk_ghost_clear(struct desk *d, const char *fate)
{
	if (d->ghost && fate)
		app_ghost_fate(d->host.app, fate, 0);
	free(d->ghost);
	d->ghost = NULL;
	d->serial++;      /* one that is on its way comes too late */
}

void desk_ghost_typed(struct desk *d, const char *bytes, size_t n)
{
	const size_t len = d->ghost ? strlen(d->ghost) : 0;

	if (n < len && memcmp(d->ghost, bytes, n) == 0)
		memmove(d->ghost, d->ghost + n, len - n + 1);
	else
		desk_ghost_clear(d, "ignored");
}

/* ---- context ---- */

static bool empty_line(const struct editbuf *b, size_t line)
{
	const size_t end = editbuf_line_end(b, line);

	while (line < end && editbuf_byte(b, line) <= ' ')
		line++;
	return line == end;
}

/* Is the line's end one of a text that somebody wrapped at a margin, rather than of a paragraph? */
static bool wrapped(const struct editbuf *b, size_t line)
{
	const size_t end = editbuf_line_end(b, line), n = editbuf_chars_before(b, end) - editbuf_chars_before(b, line);

	return n >= WRAPPED_LEAST && n <= WRAPPED_MOST && end < editbuf_len(b) && !empty_line(b, end + 1);
}

/* Bytes from `from` to `to`, harmless to whoever takes NUL and newline for ends; wrapped lines are put together. */
static void add_text(const struct editbuf *b, size_t from, size_t to, struct str *out)
{
	while (from < to) {
		const size_t end = wrap_line_end(b, from), line = editbuf_line_start(b, from);
		const bool goes_on = wrapped(b, line);
		const size_t upto = end < to ? end : to;

		for (; from < upto; from++) {
			const int c = editbuf_byte(b, from);

			str_addc(out, c < ' ' ? ' ' : (char)c);
		}
		from = editbuf_line_end(b, line) + 1;
		if (from <= to)
			str_addc(out, goes_on ? ' ' : '\n');
	}
}

/* Where the paragraph begins that `at` is in: within the last page. */
static size_t paragraph(const struct editbuf *b, size_t at)
{
	size_t line = editbuf_line_start(b, at);

	while (line > 0 && at - line < PAGE && !empty_line(b, line)) {
		const size_t before = editbuf_line_start(b, line - 1);

		if (!wrapped(b, before))
			break;
		line = before;
	}
	return at - line < 8 * PAGE ? line : at - PAGE;
}

/* The paragraphs before the one that begins at `begin`. */
static void page_before(const struct editbuf *b, size_t begin, struct str *out)
{
	size_t from = begin / PAGE > 1 ? (begin / PAGE - 1) * PAGE : 0;

	if (from > 0) {
		const size_t line = editbuf_line_end(b, from) + 1;

		from = line < begin ? line : from;
	}
	if (begin > from)
		add_text(b, from, begin, out);
}

/* ---- asking ---- */

static bool wanted(const struct desk *d, const char *draft, size_t n)
{
	const struct editbuf *b = desk_text(d);
	size_t typed = 0;

	if (!d->ghost_on || !term_attr(STYLE_GHOST) || !d->ready || !d->typed || d->pasting || d->asking || d->help || d->mark != SIZE_MAX ||
	    d->cursor != wrap_line_end(b, d->cursor) || n == 0)
		return false;
	for (size_t i = 0; i < n && typed < MIN_TYPED; i++)
		typed += !isspace((unsigned char)draft[i]) && ((unsigned char)draft[i] & 0xc0) != 0x80;
	return typed >= MIN_TYPED && !compose_secret(draft, n);
}

void desk_ghost_update(struct desk *d)
{
	const struct editbuf *b = desk_text(d);
	struct str draft = STR_INIT;
	size_t begin;

	if (d->ghost || (d->asked_version == editbuf_version(b) && d->asked_at == d->cursor))
		return;
	d->asked_version = editbuf_version(b);
	d->asked_at = d->cursor;
	if (!d->typed || !d->ready || !d->ghost_on)
		return;
	begin = paragraph(b, d->cursor);
	add_text(b, begin, d->cursor, &draft);
	if (wanted(d, draft.s, draft.len)) {
		str_reset(&d->page);
		page_before(b, begin, &d->page);
		app_ghost_page(d->host.app, d->conversation, d->page.s, draft.s, ++d->serial);
	}
	str_free(&draft);
}

void desk_ghost_event(struct desk *d, const struct event *ev)
{
	if (ev->serial != d->serial || d->ghost || !*ev->text || d->asked_version != editbuf_version(desk_text(d)) ||
	    d->asked_at != d->cursor || d->asking || d->help || d->pasting)
		return;
	d->ghost = xstrdup(ev->text);
	d->ghost_since = desk_now();
	d->dirty = true;
}

bool desk_ghost_accept(struct desk *d, bool word)
{
	size_t n;
	char *rest;

	if (!d->ghost)
		return false;
	n = strlen(d->ghost);
	if (word) {
		const size_t blanks = strspn(d->ghost, " "), k = blanks + strcspn(d->ghost + blanks, " ");

		n = k < n ? k : n;
	}
	rest = d->ghost[n] ? xstrdup(d->ghost + n) : NULL;
	edit_replace(d->doc, d->cursor, 0, d->ghost, n, EDIT_ALONE);
	d->cursor += n;
	d->goal = -1;
	app_ghost_fate(d->host.app, rest ? "word" : "taken", utf8_count(d->ghost, n));
	free(d->ghost);
	d->ghost = rest;
	d->typed = true;
	return true;
}

/* ---- learning ---- */

static uint64_t hash(const char *s, size_t n)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)s[i]) * 0x100000001b3u;
	return h;
}

static int compare(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Calls each paragraph of the document; NULL does nothing where it is too long to be a letter. */
static void paragraphs(struct desk *d, void (*each)(struct desk *d, const char *s, size_t n))
{
	struct str all = STR_INIT;

	if (editbuf_len(desk_text(d)) > LEARN_MOST)
		return;
	add_text(desk_text(d), 0, editbuf_len(desk_text(d)), &all);
	for (size_t i = 0; i < all.len;) {
		const size_t n = strcspn(all.s + i, "\n");

		if (n > 0)
			each(d, all.s + i, n);
		i += n + 1;
	}
	str_free(&all);
}

static void know(struct desk *d, const char *s, size_t n)
{
	d->known = xreallocarray(d->known, d->n_known + 1, sizeof(*d->known));
	d->known[d->n_known++] = hash(s, n);
}

static void learn(struct desk *d, const char *s, size_t n)
{
	const uint64_t h = hash(s, n);
	char *text;

	if (d->n_known && bsearch(&h, d->known, d->n_known, sizeof(h), compare))
		return;
	text = xmemdup(s, n);
	app_learn(d->host.app, text);
	free(text);
}

void desk_learn_begin(struct desk *d)
{
	paragraphs(d, know);
	if (d->n_known)
		qsort(d->known, d->n_known, sizeof(*d->known), compare);
}

void desk_learn_end(struct desk *d)
{
	paragraphs(d, learn);
}
