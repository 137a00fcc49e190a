/* SPDX-License-Identifier: GPL-3.0-or-later */
/* desk_input: bytes of the terminal become keys of the table, characters, and pastes, whole or cut anywhere. */
#include <string.h>

#include "base/utf8.h"
#include "desk_private.h"
#include "text.h"
#include "ui_private.h"

static const char paste_begin[] = "\033[200~", paste_end[] = "\033[201~";

static const struct {
	const char *sequences, *shown, *what;
} table[DESK_ACTIONS] = {
#define X(name, seq, shown, what) { seq, shown, what },
	DESK_KEYS(X)
#undef X
};

/* One sequence of readline's notation as bytes; returns where the next one begins. */
static const char *sequence(const char *s, char *out, size_t *n)
{
	*n = 0;
	while (*s && *s != ' ') {
		if (s[0] == '\\' && s[1] == 'C' && s[2] == '-') {
			out[(*n)++] = s[3] == '?' ? 127 : (char)(s[3] & 31);
			s += 4;
		} else if (s[0] == '\\' && s[1] == 'e') {
			out[(*n)++] = 27;
			s += 2;
		} else {
			s += s[0] == '\\' && s[1] && s[1] != ' ';
			out[(*n)++] = *s++;
		}
	}
	return *s ? s + 1 : s;
}

static enum desk_action bound(const char *bytes, size_t n)
{
	for (int a = 0; a < DESK_ACTIONS; a++) {
		for (const char *s = table[a].sequences; *s;) {
			char seq[16];
			size_t len;

			s = sequence(s, seq, &len);
			if (len == n && memcmp(seq, bytes, n) == 0)
				return (enum desk_action)a;
		}
	}
	return DESK_ACTIONS;
}

/* Bytes of the key at s; 0: it is not whole yet. Escape is Meta: it waits for what comes. */
static size_t key_length(const char *s, size_t n)
{
	size_t i = 0;

	if (s[0] != 27) {
		const unsigned char c = (unsigned char)s[0];
		const size_t want = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc2 ? 2 : 1;

		for (i = 1; i < want; i++) {
			if (i >= n)
				return 0;
			if (((unsigned char)s[i] & 0xc0) != 0x80)
				return i;      /* broken: what there is of it */
		}
		return want;
	}
	i = n > 1 && s[1] == 27 ? 2 : 1;
	if (i >= n)
		return 0;
	if (s[i] == 'O')
		return i + 1 < n ? i + 2 : 0;
	if (s[i] != '[') {
		const size_t len = key_length(s + i, n - i);

		return len ? i + len : 0;
	}
	for (i++; i < n; i++)
		if ((unsigned char)s[i] >= 0x40 && (unsigned char)s[i] <= 0x7e)
			return i + 1;
		else if ((unsigned char)s[i] < 0x20 || (unsigned char)s[i] > 0x7e)
			return i;      /* no sequence of a terminal's */
	return n > 64 ? n : 0;
}

static void help_key(struct desk *d, enum desk_action a)
{
	const size_t page = d->rows > 1 ? (size_t)d->rows - 1 : 1;

	if (a == DESK_DOWN || a == DESK_PAGE_DOWN)
		d->help_top += a == DESK_DOWN ? 1 : page;
	else if (a == DESK_UP || a == DESK_PAGE_UP)
		d->help_top = d->help_top > (a == DESK_UP ? 1 : page) ? d->help_top - (a == DESK_UP ? 1 : page) : 0;
	else
		d->help = false;
}

void desk_help_draw(struct desk *d, int rows, int columns)
{
	if (d->help_top + (size_t)rows > DESK_ACTIONS)
		d->help_top = DESK_ACTIONS > rows ? (size_t)(DESK_ACTIONS - rows) : 0;
	for (int y = 0; y < rows && d->help_top + (size_t)y < DESK_ACTIONS; y++)
		draw_line(1 + y, 0, columns, STYLE_PLAIN, "%-24s %s", table[d->help_top + (size_t)y].shown,
		          table[d->help_top + (size_t)y].what);
}

static void key(struct desk *d, const char *s, size_t n)
{
	const enum desk_action a = bound(s, n);
	const bool character = a == DESK_ACTIONS && (unsigned char)s[0] >= 0x20 && s[0] != 127 && (unsigned char)s[0] != 27;

	if (n > 4 && memcmp(s, "\033[<6", 4) == 0 && (s[4] == '4' || s[4] == '5')) {      /* the wheel (mouse.c) */
		for (int i = 0; i < 3 && !d->asking && !d->help && s[n - 1] == 'M'; i++)
			desk_do(d, s[4] == '4' ? DESK_UP : DESK_DOWN);
		return;
	}
	if (a == DESK_ACTIONS && !character)
		return;
	if (d->help)
		help_key(d, a);
	else if (d->asking && a != DESK_REDRAW && a != DESK_SUSPEND)
		desk_answer(d, a, s, n);
	else if (character)
		desk_typed(d, s, n);
	else
		desk_do(d, a);
}

/* Terminals send CR for the line ends of a paste; what was pasted had newlines. */
static void paste_done(struct desk *d)
{
	struct str s = STR_INIT;

	for (size_t i = 0; i < d->paste.len; i++) {
		if (d->paste.s[i] != '\r')
			str_addc(&s, d->paste.s[i]);
		else if (i + 1 == d->paste.len || d->paste.s[i + 1] != '\n')
			str_addc(&s, '\n');
	}
	d->pasting = false;
	if (d->asking && !d->ask.choices) {
		for (size_t i = 0; i < s.len; i++)
			if (s.s[i] == '\n' || s.s[i] == '\0')
				s.s[i] = ' ';
		desk_answer(d, DESK_ACTIONS, s.s, s.len);
	} else if (!d->asking && !d->help) {
		desk_pasted(d, s.s, s.len);
	}
	str_free(&s);
	str_reset(&d->paste);
	if (d->paste.cap > 1 << 16)
		str_free(&d->paste);
}

void desk_feed(struct desk *d, const char *bytes, size_t n)
{
	size_t i = 0;

	str_add(&d->pending, bytes, n);
	while (i < d->pending.len && !d->quit) {
		const char *s = d->pending.s + i;
		const size_t left = d->pending.len - i;
		size_t len;

		if (d->pasting) {
			const char *end = memmem(s, left, paste_end, sizeof(paste_end) - 1);

			/* the end may be cut: its beginning stays for the next read */
			len = end ? (size_t)(end - s) : left;
			if (!end) {
				const char *esc = memrchr(s, 27, left);

				len = esc && left - (size_t)(esc - s) < sizeof(paste_end) - 1 &&
					memcmp(esc, paste_end, left - (size_t)(esc - s)) == 0 ? (size_t)(esc - s) : left;
			}
			str_add(&d->paste, s, len);
			i += len;
			if (!end)
				break;
			i += sizeof(paste_end) - 1;
			paste_done(d);
			continue;
		}
		len = key_length(s, left);
		if (len == 0)
			break;
		if (len == sizeof(paste_begin) - 1 && memcmp(s, paste_begin, len) == 0)
			d->pasting = true;
		else
			key(d, s, len);
		i += len;
	}
	memmove(d->pending.s, d->pending.s + i, d->pending.len - i);
	d->pending.len -= i;
}
