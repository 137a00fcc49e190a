/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ui_compose: drawing what is typed with the ghost after it; when a ghost is asked for, kept, and dropped. */
#include "ui_compose.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/utf8.h"

enum { MOST_ROWS = 10, MIN_TYPED = 3, DRAFT_MS = 1000 };

static const char prompt[] = "> ";

/* ---- drawing ---- */

/* What is shown of the buffer around the cursor: megabytes need not be wrapped for ten lines. */
static const char *window(size_t *n, size_t *cursor)
{
	const char *s = input_text();
	const size_t all = input_length(), at = input_cursor();
	size_t from = at > 4000 ? at - 4000 : 0, to = all - at > 4000 ? at + 4000 : all;

	while (from > 0 && from < at && ((unsigned char)s[from] & 0xc0) == 0x80)
		from++;
	while (to < all && ((unsigned char)s[to] & 0xc0) == 0x80)
		to++;
	*n = to - from;
	*cursor = at - from;
	return s + from;
}

struct shown {
	char *text;
	size_t cursor, typed;         /* bytes of text */
	struct text_line *line;
	size_t lines, at;             /* at: the cursor's line */
};

static void prepare(struct ui *u, struct shown *sh, int columns)
{
	size_t n, cursor;
	const char *s = window(&n, &cursor);
	char *before = text_safe(s, cursor, term_ascii()), *after = text_safe(s + cursor, n - cursor, term_ascii());
	struct str all = STR_INIT;

	str_adds(&all, before);
	sh->cursor = all.len;
	str_adds(&all, after);
	sh->typed = all.len;
	if (u->ghost && cursor == n) {
		char *g = text_safe(u->ghost, strlen(u->ghost), term_ascii());

		str_adds(&all, g);
		free(g);
	}
	str_addc(&all, ' ');      /* room for the cursor at the very end */
	free(before);
	free(after);
	sh->text = str_detach(&all);
	sh->lines = text_wrap(sh->text, strlen(sh->text), columns, &sh->line);
	sh->at = 0;
	for (size_t i = 0; i < sh->lines; i++)
		if (sh->line[i].start <= sh->cursor)
			sh->at = i;
}

static int inside(int columns)
{
	return columns > 6 ? columns - (int)sizeof(prompt) : columns - 1;
}

int compose_rows(struct ui *u, int rows, int columns)
{
	struct shown sh;
	int n, most = rows / 2 < MOST_ROWS ? rows / 2 : MOST_ROWS;

	prepare(u, &sh, inside(columns));
	n = (int)sh.lines;
	free(sh.text);
	free(sh.line);
	most = most < 1 ? 1 : most;
	return n > most ? most : n;
}

void compose_draw(struct ui *u, int y, int rows, int columns)
{
	const int left = columns > 6 ? (int)sizeof(prompt) - 1 : 0;
	struct shown sh;
	size_t first;
	int cy = y, cx = left;

	if (input_searching()) {
		char *safe = text_safe(input_prompt(), strlen(input_prompt()), term_ascii());

		draw_line(y, 0, columns, STYLE_DIM, "%s%s", safe, input_text());
		free(safe);
		move(y, columns - 1);
		return;
	}
	prepare(u, &sh, inside(columns));
	first = sh.at >= (size_t)rows ? sh.at - (size_t)rows + 1 : 0;
	if (left)
		draw_line(y, 0, left, STYLE_BOLD, "%s", prompt);
	for (int r = 0; r < rows && first + (size_t)r < sh.lines; r++) {
		const struct text_line *l = &sh.line[first + (size_t)r];
		size_t typed = l->start + l->len <= sh.typed ? l->len : sh.typed > l->start ? sh.typed - l->start : 0;

		draw_text(y + r, left, columns - left, sh.text + l->start, typed, STYLE_PLAIN);
		if (typed < l->len) {
			const int w = text_width(sh.text + l->start, typed);

			draw_text(y + r, left + w, columns - left - w, sh.text + l->start + typed, l->len - typed, STYLE_GHOST);
		}
		if (first + (size_t)r == sh.at) {
			const size_t upto = sh.cursor > l->start ? sh.cursor - l->start : 0;

			cy = y + r;
			cx = left + text_width(sh.text + l->start, upto);
		}
	}
	free(sh.text);
	free(sh.line);
	move(cy, cx < columns ? cx : columns - 1);
}

/* ---- the ghost ---- */

void compose_ghost_clear(struct ui *u, const char *fate)
{
	if (u->ghost && fate)
		app_ghost_fate(u->app, fate, 0);
	free(u->ghost);
	u->ghost = NULL;
}

static const char *my_role(const struct ui *u)
{
	return u->assist ? "assistant" : "user";
}

/* Runs of letters, digits and signs without a space look like a password: nothing is proposed in one. */
bool compose_secret(const char *text, size_t n)
{
	size_t from = n, digits = 0, upper = 0, lower = 0, other = 0;

	while (from > 0 && !isspace((unsigned char)text[from - 1])) {
		const unsigned char c = (unsigned char)text[--from];

		digits += isdigit(c) != 0;
		upper += isupper(c) != 0;
		lower += islower(c) != 0;
		other += ispunct(c) && c != '.' && c != ',' && c != '\'' && c != '-';
	}
	return n - from >= 6 && (digits > 0) + (upper > 0) + (lower > 0) + (other > 0) >= 3;
}

static bool wants_ghost(const struct ui *u)
{
	const char *text = input_text();
	const size_t n = input_length();
	size_t typed = 0;

	if (!u->ghost_on || !term_attr(STYLE_GHOST) || u->screen != SCREEN_CHAT || !*u->model || input_pasting() || input_searching() ||
	    strcmp(input_mode(), "cmd") == 0 || input_cursor() != n || n == 0 || n > 100000 || text[0] == '/' || text[n - 1] == '\n')
		return false;
	for (size_t i = 0; i < n && typed < MIN_TYPED; i++)
		typed += !isspace((unsigned char)text[i]) && ((unsigned char)text[i] & 0xc0) != 0x80;
	return typed >= MIN_TYPED && !compose_secret(text, n);
}

static uint64_t hash(const char *s, size_t n)
{
	uint64_t h = 14695981039346656037u;

	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)s[i]) * 1099511628211u;
	return h;
}

void compose_mark(struct ui *u)
{
	struct conversation *c = ui_conversation(u);

	if (ui_screen(u->screen)->own_line)
		return;
	if (input_length() == 0)
		c->unkept_draft = false;
	else if (app_private(u->app))
		c->unkept_draft = true;
}

void compose_changed(struct ui *u)
{
	ui_field_typed(u);
	compose_mark(u);

	const char *text = input_text();
	const size_t n = input_length(), had = u->ghost_draft ? strlen(u->ghost_draft) : 0;
	const bool same = u->ghost_draft && strcmp(u->ghost_draft, text) == 0;

	const uint64_t was = u->line_hash;

	u->line_hash = hash(text, n);
	if (u->line_hash != was && !ui_screen(u->screen)->own_line)
		u->draft_due = u->draft_due ? u->draft_due : ui_now() + DRAFT_MS;
	if (!wants_ghost(u)) {
		compose_ghost_clear(u, same ? NULL : "ignored");
		free(u->ghost_draft);
		u->ghost_draft = NULL;
		return;
	}
	if (same)
		return;
	/* letters that agree use the ghost up, and nothing need be computed */
	if (u->ghost && n > had && memcmp(text, u->ghost_draft, had) == 0 && n - had < strlen(u->ghost) &&
	    memcmp(u->ghost, text + had, n - had) == 0) {
		memmove(u->ghost, u->ghost + (n - had), strlen(u->ghost) - (n - had) + 1);
		u->ghost_first = u->ghost_first > n - had ? u->ghost_first - (n - had) : 0;
	} else {
		compose_ghost_clear(u, "ignored");
		app_ghost(u->app, ui_conversation(u)->id, my_role(u), text, ++u->serial);
	}
	free(u->ghost_draft);
	u->ghost_draft = xstrdup(text);
}

void compose_ghost(struct ui *u, const struct event *ev)
{
	/* it may be for what is no longer there */
	if (ev->serial != u->serial || !wants_ghost(u) || !u->ghost_draft || strcmp(u->ghost_draft, input_text()) != 0)
		return;
	if (ev->serial == u->another && !*ev->text)
		ui_note(u, "there is no other way on from here");
	free(u->ghost);
	u->ghost = *ev->text ? xstrdup(ev->text) : NULL;
	u->ghost_first = ev->bytes;
	u->ghost_since = ui_now();
}

void compose_another(struct ui *u)
{
	const char *text = input_text();
	char *shown;

	if (!wants_ghost(u)) {
		ui_note(u, u->ghost_on ? "grey text goes on at the end of what is typed, from three letters on" : "grey text is off: M-s");
		return;
	}
	shown = xstrdup(u->ghost ? u->ghost : "");
	compose_ghost_clear(u, "ignored");
	free(u->ghost_draft);
	u->ghost_draft = xstrdup(text);
	u->another = ++u->serial;
	app_ghost_another(u->app, ui_conversation(u)->id, my_role(u), text, shown, u->serial);
	free(shown);
}

bool compose_accept(struct ui *u, bool word)
{
	size_t n;
	char *part;

	if (!u->ghost || input_cursor() != input_length())
		return false;
	n = strlen(u->ghost);
	if (word) {
		size_t k = strspn(u->ghost, " ");

		k += strcspn(u->ghost + k, " ");
		n = k < n ? k : n;
	}
	part = xmemdup(u->ghost, n);
	input_insert(part);
	free(part);
	app_ghost_fate(u->app, u->ghost[n] ? "word" : "taken", utf8_count(u->ghost, n));
	memmove(u->ghost, u->ghost + n, strlen(u->ghost) - n + 1);
	if (!*u->ghost) {
		free(u->ghost);
		u->ghost = NULL;
	}
	free(u->ghost_draft);
	u->ghost_draft = u->ghost ? xstrdup(input_text()) : NULL;
	return true;
}

/* ---- $EDITOR ---- */

/* A full disk takes a part, and says so only when asked for the rest. */
static bool write_all(int fd, const char *s, size_t n)
{
	while (n > 0) {
		const ssize_t w = write(fd, s, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0) {
			const int why = errno;

			close(fd);
			errno = why;
			return false;
		}
		s += w;
		n -= (size_t)w;
	}
	return true;
}

void compose_editor(struct ui *u)
{
	const char *editor = getenv("VISUAL") && *getenv("VISUAL") ? getenv("VISUAL") : getenv("EDITOR");
	const char *given = getenv("TMPDIR"), *tmp = given && *given && !strchr(given, '\'') ? given : "/tmp";
	struct str cmd = STR_INIT, text = STR_INIT, name = STR_INIT;
	char *path;
	int fd, status;
	FILE *f;

	str_addf(&name, "%s/answerback-XXXXXX", tmp);
	path = str_detach(&name);
	fd = mkstemp(path);
	if (fd < 0 || !write_all(fd, input_text(), input_length()) || close(fd) < 0) {
		ui_note(u, "no file for the editor: %s", strerror(errno));
		if (fd >= 0)
			unlink(path);      /* what was said is not left lying about */
		free(path);
		return;
	}
	/* Debian's own choice where the person made none */
	str_addf(&cmd, "%s '%s'", editor && *editor ? editor : access("/usr/bin/sensible-editor", X_OK) == 0 ? "sensible-editor" : "vi", path);
	term_leave();
	status = system(cmd.s);      /* the person's own choice of program, and their words */
	term_return();
	f = fopen(path, "r");
	if (f && status == 0) {
		char buf[4096];
		size_t n;

		while ((n = fread(buf, 1, sizeof(buf), f)) > 0)
			str_add(&text, buf, n);
		while (text.len > 0 && text.s[text.len - 1] == '\n')
			text.s[--text.len] = '\0';
		input_set(text.s);
	} else {
		ui_note(u, "the editor failed: the text is as it was");
	}
	if (f)
		fclose(f);
	unlink(path);
	free(path);
	str_free(&cmd);
	str_free(&text);
}
