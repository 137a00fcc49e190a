/* SPDX-License-Identifier: GPL-3.0-or-later */
/* input: readline as a line editor without a terminal.
 *
 * Bytes wait in a queue of our own; readline is called once for each while there is one, so that its getc never
 * finds the queue empty in the middle of a paste. It draws nothing: the screen reads the buffer. */
#include "input.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <readline/history.h>
#include <readline/readline.h>

#include "base/mem.h"
#include "base/str.h"

static struct {
	input_handler *handler;
	void *arg;
	const char *const *commands;
	char *history;
	unsigned char *queue;
	size_t first, n, cap;
	bool pasting, stop, unkept;
	const char *const *names;
	struct str paste;
	size_t tail;              /* bytes of the end mark seen */
	int at;                   /* history: how far back, 0: the present */
	char *present;
	FILE *nowhere;
} in;

enum { MOST_LINES = 2000 };

static const char paste_end[] = "\033[201~";

/* ---- actions ---- */

static int usual(enum key_action action, int count, int key)
{
	switch (action) {
	case ACT_ACCEPT:
		return rl_forward_char(count, key);
	case ACT_ACCEPT_END:
		return rl_end_of_line(count, key);
	case ACT_ACCEPT_WORD:
		return rl_forward_word(count, key);
	case ACT_TAKE_BACK:
		return rl_undo_command(count, key);
	case ACT_DISMISS:
		return rl_abort(count, key);
	default:
		return 0;
	}
}

#define X(name, seq, letter, shown, what) \
	static int do_##name(int count, int key) \
	{ \
		return in.handler(ACT_##name, in.arg) ? 0 : usual(ACT_##name, count, key); \
	}
KEYS(X)
#undef X

static void bind_all(const char *sequences, rl_command_func_t *f, Keymap map)
{
	char *copy = xstrdup(sequences), *save = NULL;

	for (char *s = strtok_r(copy, "|", &save); s; s = strtok_r(NULL, "|", &save))
		rl_bind_keyseq_in_map(s, f, map);
	free(copy);
}

static bool plain_control(const char *sequences)
{
	return strncmp(sequences, "\\C-", 3) == 0;
}

static void bind_key(const char *sequences, int letter, rl_command_func_t *f)
{
	char seq[16];

	if (*sequences) {
		bind_all(sequences, f, emacs_standard_keymap);
		bind_all(sequences, f, vi_insertion_keymap);
		/* in vi's command mode letters are its own; keys that send sequences or controls are not */
		if (plain_control(sequences) || strchr(sequences, '['))
			bind_all(sequences, f, vi_movement_keymap);
	}
	if (!letter)
		return;
	if (letter < 32)
		snprintf(seq, sizeof(seq), "\\C-x\\C-%c", letter + 96);
	else
		snprintf(seq, sizeof(seq), "\\C-x%c", letter);
	rl_bind_keyseq_in_map(seq, f, emacs_standard_keymap);
	rl_bind_keyseq_in_map(seq, f, vi_insertion_keymap);
	rl_bind_keyseq_in_map(seq, f, vi_movement_keymap);
	if (letter >= 32) {
		snprintf(seq, sizeof(seq), ",%c", letter);
		rl_bind_keyseq_in_map(seq, f, vi_movement_keymap);
	}
}

/* ---- readline's hooks ---- */

static int next_byte(FILE *f)
{
	unsigned char c;

	(void)f;
	if (in.first < in.n)
		return in.queue[in.first++];
	/* a command that reads a key of its own (quoted insert, vi's replace): wait for the person */
	while (read(STDIN_FILENO, &c, 1) != 1) {
		struct pollfd p = { STDIN_FILENO, POLLIN, 0 };

		if (poll(&p, 1, -1) > 0 && (p.revents & (POLLHUP | POLLERR)) && !(p.revents & POLLIN))
			return EOF;
	}
	return c;
}

static int available(void)
{
	return in.first < in.n;
}

static void nothing(void)
{
}

static void line_done(char *line)      /* never called: Enter is ours */
{
	free(line);
}

static char *command_generator(const char *text, int state)
{
	static size_t i;

	if (state == 0)
		i = 0;
	while (in.commands[i]) {
		const char *name = in.commands[i++];

		if (strncmp(name, text + 1, strlen(text + 1)) == 0) {
			struct str s = STR_INIT;

			str_addf(&s, "/%s", name);
			return str_detach(&s);
		}
	}
	return NULL;
}

static void ignore_matches(char **matches, int n, int longest)
{
	(void)matches;
	(void)n;
	(void)longest;
}

static char *name_generator(const char *text, int state)
{
	static size_t i;

	if (state == 0)
		i = 0;
	while (in.names && in.names[i]) {
		const char *name = in.names[i++];

		if (strncmp(name, text, strlen(text)) == 0)
			return xstrdup(name);
	}
	return NULL;
}

static char **complete(const char *text, int start, int end)
{
	static const char canned[] = "/canned ";

	(void)end;
	rl_attempted_completion_over = 1;
	if (start == 0 && text[0] == '/')
		return rl_completion_matches(text, command_generator);
	if (start == sizeof(canned) - 1 && strncmp(rl_line_buffer, canned, sizeof(canned) - 1) == 0)
		return rl_completion_matches(text, name_generator);
	return NULL;
}

void input_set_names(const char *const *names)
{
	in.names = names;
}

static int begin_paste(int count, int key);

void input_open(input_handler *handler, void *arg, const char *const *commands, const char *history)
{
	in.handler = handler;
	in.arg = arg;
	in.commands = commands;
	in.history = history ? xstrdup(history) : NULL;
	in.paste = (struct str)STR_INIT;
	in.nowhere = fopen("/dev/null", "w");

	rl_readline_name = "answerback";
	rl_catch_signals = 0;
	rl_catch_sigwinch = 0;
	rl_change_environment = 0;
	rl_prep_term_function = NULL;
	rl_deprep_term_function = NULL;
	rl_outstream = in.nowhere;
	rl_getc_function = next_byte;
	rl_input_available_hook = available;
	rl_redisplay_function = nothing;
	rl_attempted_completion_function = complete;
	rl_completion_display_matches_hook = ignore_matches;
	rl_completer_word_break_characters = (char *)(unsigned long)" \n";
	rl_completion_append_character = ' ';
	using_history();
	stifle_history(MOST_LINES);
	/* with times in the file, an entry may have several lines */
	history_comment_char = '#';
	history_write_timestamps = 1;
	if (in.history)
		read_history(in.history);
	rl_initialize();      /* reads ~/.inputrc */
	rl_variable_bind("bell-style", "none");
	rl_variable_bind("enable-bracketed-paste", "off");
	rl_variable_bind("blink-matching-paren", "off");
	rl_variable_bind("show-mode-in-prompt", "off");
	rl_variable_bind("keyseq-timeout", "60");
	rl_callback_handler_install("", line_done);
#define X(name, seq, letter, shown, what) bind_key(seq, letter, do_##name);
	KEYS(X)
#undef X
	bind_all("\\e[200~", begin_paste, emacs_standard_keymap);
	bind_all("\\e[200~", begin_paste, vi_insertion_keymap);
	bind_all("\\e[200~", begin_paste, vi_movement_keymap);
}

void input_close(void)
{
	if (in.history)
		history_truncate_file(in.history, MOST_LINES);
	rl_callback_handler_remove();
	free(in.history);
	free(in.queue);
	free(in.present);
	str_free(&in.paste);
	if (in.nowhere)
		fclose(in.nowhere);
	memset(&in, 0, sizeof(in));
}

/* ---- bytes ---- */

static void enqueue(unsigned char c)
{
	if (in.first > 0 && in.first == in.n)
		in.first = in.n = 0;
	if (in.n == in.cap) {
		in.cap = in.cap ? in.cap * 2 : 256;
		in.queue = xrealloc(in.queue, in.cap);
	}
	in.queue[in.n++] = c;
}

/* One edit, one undo step, whatever its size; never a command, never sent. */
static void paste_done(void)
{
	struct str clean = STR_INIT;

	for (size_t i = 0; i < in.paste.len; i++) {
		char c = in.paste.s[i];

		if (c == '\r') {
			if (i + 1 < in.paste.len && in.paste.s[i + 1] == '\n')
				continue;
			c = '\n';
		}
		if (c != '\0')
			str_addc(&clean, c);
	}
	input_insert(clean.s);
	str_free(&clean);
	str_reset(&in.paste);
}

bool input_pasting(void)
{
	return in.pasting;
}

/* The begin mark is a key like others to readline, so it may come in parts; what follows it in the queue
 * is the paste's. */
static int begin_paste(int count, int key)
{
	(void)count;
	(void)key;
	in.pasting = true;
	in.tail = 0;
	return 0;
}

static void paste_bytes(void)
{
	while (in.pasting && in.first < in.n) {
		const char c = (char)in.queue[in.first++];

		str_addc(&in.paste, c);
		in.tail = c == paste_end[in.tail] ? in.tail + 1 : c == paste_end[0];
		if (in.tail == sizeof(paste_end) - 1) {
			in.paste.len -= in.tail;
			in.paste.s[in.paste.len] = '\0';
			in.pasting = false;
			in.tail = 0;
			paste_done();
		}
	}
}

size_t input_feed(const char *bytes, size_t n)
{
	size_t left;

	for (size_t i = 0; i < n; i++)
		enqueue((unsigned char)bytes[i]);
	in.stop = false;
	while (in.first < in.n && !in.stop) {
		if (in.pasting)
			paste_bytes();
		else
			rl_callback_read_char();
	}
	left = in.n - in.first;
	in.first = in.n = 0;
	in.stop = false;
	return left < n ? n - left : 0;
}

void input_stop(void)
{
	in.stop = true;
}

/* ---- the text ---- */

const char *input_text(void)
{
	return rl_line_buffer ? rl_line_buffer : "";
}

size_t input_length(void)
{
	return (size_t)rl_end;
}

size_t input_cursor(void)
{
	return (size_t)rl_point;
}

void input_insert(const char *text)
{
	rl_begin_undo_group();
	rl_insert_text(text);
	rl_end_undo_group();
}

void input_move(size_t at)
{
	rl_point = at < (size_t)rl_end ? (int)at : rl_end;
}

void input_delete(size_t at, size_t n)
{
	if (at + n > (size_t)rl_end)
		return;
	rl_delete_text((int)at, (int)(at + n));
	rl_point = (int)at;
}

void input_set(const char *text)
{
	rl_begin_undo_group();
	rl_delete_text(0, rl_end);
	rl_point = 0;
	rl_insert_text(text);
	rl_end_undo_group();
	rl_point = rl_end;
}

void input_clear(void)
{
	rl_replace_line("", 1);
	rl_point = 0;
	rl_free_undo_list();
	in.at = 0;
	free(in.present);
	in.present = NULL;
}

void input_remember(const char *text)
{
	HIST_ENTRY *last = history_length > 0 ? history_get(history_base + history_length - 1) : NULL;

	/* a paste of megabytes is no line one wants to walk past */
	if (*text && strlen(text) < 4096 && !(last && strcmp(last->line, text) == 0))
		add_history(text);
	else
		return;
	/* written at once: a kill loses no line, and what another program appended stays */
	if (in.history && !in.unkept && append_history(1, in.history) != 0) {
		const int fd = open(in.history, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

		if (fd >= 0) {
			close(fd);
			append_history(1, in.history);
		}
	}
}

void input_keep(bool keep)
{
	in.unkept = !keep;
}

void input_newline(void)
{
	input_insert("\n");
}

void input_undo(void)
{
	rl_undo_command(1, 0);
}

static bool show_history(int at)
{
	HIST_ENTRY *h;

	if (at > history_length)
		return false;
	if (in.at == 0) {
		free(in.present);
		in.present = xstrdup(input_text());
	}
	h = at > 0 ? history_get(history_base + history_length - at) : NULL;
	in.at = at;
	rl_replace_line(h ? h->line : in.present, 1);
	rl_point = rl_end;
	return true;
}

bool input_previous(void)
{
	return show_history(in.at + 1);
}

bool input_next(void)
{
	return in.at > 0 && show_history(in.at - 1);
}

bool input_line_up(void)
{
	const char *text = input_text();
	int start = rl_point, column, before;

	while (start > 0 && text[start - 1] != '\n')
		start--;
	if (start == 0)
		return false;
	column = rl_point - start;
	before = start - 1;
	while (before > 0 && text[before - 1] != '\n')
		before--;
	rl_point = before + column < start - 1 ? before + column : start - 1;
	while (rl_point > before && ((unsigned char)text[rl_point] & 0xc0) == 0x80)
		rl_point--;
	return true;
}

bool input_line_down(void)
{
	const char *text = input_text();
	int start = rl_point, end = rl_point, column, last;

	while (start > 0 && text[start - 1] != '\n')
		start--;
	while (end < rl_end && text[end] != '\n')
		end++;
	if (end == rl_end)
		return false;
	column = rl_point - start;
	last = end + 1;
	while (last < rl_end && text[last] != '\n')
		last++;
	rl_point = end + 1 + column < last ? end + 1 + column : last;
	while (rl_point > end + 1 && rl_point < rl_end && ((unsigned char)text[rl_point] & 0xc0) == 0x80)
		rl_point--;
	return true;
}

void input_complete(void)
{
	rl_complete_internal('\t');
}

const char *input_mode(void)
{
	if (rl_editing_mode == 1)
		return "";
	return rl_get_keymap() == vi_movement_keymap ? "cmd" : "ins";
}

bool input_searching(void)
{
	return RL_ISSTATE(RL_STATE_ISEARCH | RL_STATE_NSEARCH);
}

const char *input_prompt(void)
{
	return rl_display_prompt ? rl_display_prompt : "";
}
