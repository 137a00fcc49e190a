/* SPDX-License-Identifier: GPL-3.0-or-later */
/* term: curses for output only; input bytes are read by the main loop. */
#include "term.h"

#include <curses.h>
#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "config.h"

static struct {
	SCREEN *screen;
	struct termios before;
	bool have_before, ascii, colour, mouse, open;
	bool plain_letters;           /* the terminal has no others */
	int signals[2];
} term;

static const char mouse_on[] = "\033[?1000h\033[?1006h", mouse_off[] = "\033[?1006l\033[?1000l";
static const char paste_on[] = "\033[?2004h", paste_off[] = "\033[?2004l";

void term_raw(const char *bytes, unsigned long n)
{
	while (n > 0) {
		ssize_t w = write(STDOUT_FILENO, bytes, n);
		struct pollfd p = { STDOUT_FILENO, POLLOUT, 0 };

		if (w < 0 && errno == EAGAIN)
			poll(&p, 1, 1000);
		else if (w < 0 && errno != EINTR)
			return;
		if (w > 0) {
			bytes += w;
			n -= (unsigned long)w;
		}
	}
}

static void on_signal(int sig)
{
	const char c = sig == SIGWINCH ? 'w' : sig == SIGCONT ? 'c' : 't';
	const int keep = errno;

	if (write(term.signals[1], &c, 1) < 0)
		errno = keep;
	errno = keep;
}

/* Async-signal-safe: attributes off, cursor back, main screen, usual modes. */
static void on_crash(int sig)
{
	static const char back[] = "\033[?1006l\033[?1000l\033[?2004l\033[0m\033[?25h\033[?1049l\r\nanswerback crashed; what was said is kept\r\n";

	if (write(STDOUT_FILENO, back, sizeof(back) - 1) >= 0 && term.have_before)
		tcsetattr(STDIN_FILENO, TCSANOW, &term.before);
	signal(sig, SIG_DFL);
	raise(sig);
}

/* A bare machine has no LANG: without UTF-8, curses and readline would cut characters up. */
static void choose_locale(void)
{
	const char *codeset;

	setlocale(LC_ALL, "");
	codeset = nl_langinfo(CODESET);
	if (strcmp(codeset, "UTF-8") != 0)
		setlocale(LC_CTYPE, "C.UTF-8");
}

static void set_signals(void)
{
	static const int crashes[] = { SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL };
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = SA_RESTART }, crash = { .sa_handler = on_crash };

	sigaction(SIGWINCH, &sa, NULL);
	sigaction(SIGCONT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
	signal(SIGINT, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++)
		sigaction(crashes[i], &crash, NULL);
}

static void modes(void)
{
	raw();              /* C-c, C-z, C-s and C-q are keys like others */
	noecho();
	nonl();
	idlok(stdscr, FALSE);
	leaveok(stdscr, FALSE);
	term_raw(paste_on, sizeof(paste_on) - 1);
	if (term.mouse)
		term_raw(mouse_on, sizeof(mouse_on) - 1);
}

void term_settings(void)
{
	const char *no_colour = getenv("NO_COLOR"), *colours = config_text(CONFIG_COLOR);

	/* a setting of always is nearer to the person than NO_COLOR; no setting gives a terminal colours */
	term.colour = has_colors() && (strcmp(colours, "always") == 0 || (strcmp(colours, "auto") == 0 && !(no_colour && *no_colour)));
	term.ascii = term.plain_letters || config_yes(CONFIG_ASCII);
	if (term.mouse && !config_yes(CONFIG_MOUSE))
		term_raw(mouse_off, sizeof(mouse_off) - 1);
	term.mouse = config_yes(CONFIG_MOUSE);
	if (term.mouse && term.open)
		term_raw(mouse_on, sizeof(mouse_on) - 1);
}

bool term_mouse(void)
{
	return term.mouse;
}

bool term_open(void)
{
	const char *name = getenv("TERM");

	if (!name || !*name || strcmp(name, "dumb") == 0)
		return false;
	choose_locale();
	term.plain_letters = strcmp(nl_langinfo(CODESET), "UTF-8") != 0 || strcmp(name, "vt100") == 0 ||
		strcmp(name, "linux") == 0;
	term.have_before = tcgetattr(STDIN_FILENO, &term.before) == 0;
	term.screen = newterm(NULL, stdout, stdin);
	if (!term.screen)
		return false;
	if (pipe2(term.signals, O_CLOEXEC | O_NONBLOCK) != 0) {
		endwin();
		return false;
	}
	set_signals();
	term_settings();
	if (has_colors()) {
		start_color();
		use_default_colors();
		init_pair(1, COLOR_CYAN, -1);
		init_pair(2, COLOR_GREEN, -1);
		init_pair(3, COLOR_RED, -1);
		init_pair(4, COLOR_BLUE, -1);
	}
	term.open = true;
	modes();
	return true;
}

void term_close(void)
{
	if (!term.open)
		return;
	term.open = false;
	term_raw(paste_off, sizeof(paste_off) - 1);
	if (term.mouse)
		term_raw(mouse_off, sizeof(mouse_off) - 1);
	endwin();
	delscreen(term.screen);
	if (term.have_before)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &term.before);
}

bool term_ascii(void)
{
	return term.ascii;
}

int term_signals(void)
{
	return term.signals[0];
}

void term_resized(void)
{
	struct winsize ws;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) == 0 && ws.ws_row > 0 && ws.ws_col > 0)
		resizeterm(ws.ws_row, ws.ws_col);
	clearok(curscr, TRUE);
}

void term_leave(void)
{
	term_raw(paste_off, sizeof(paste_off) - 1);
	if (term.mouse)
		term_raw(mouse_off, sizeof(mouse_off) - 1);
	endwin();
	if (term.have_before)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &term.before);
}

void term_return(void)
{
	refresh();
	modes();
	term_resized();
}

void term_suspend(void)
{
	term_leave();
	signal(SIGTSTP, SIG_DFL);
	kill(0, SIGTSTP);
	/* SIGCONT brings us here */
	term_return();
}

static unsigned long ghost_attr(void)
{
	const unsigned long has = (unsigned long)termattrs();

	return has & A_DIM ? A_DIM : has & A_UNDERLINE ? A_UNDERLINE : has & A_REVERSE;
}

unsigned long term_attr(enum term_style style)
{
	const bool c = term.colour;

	switch (style) {
	case STYLE_DIM:
		return A_DIM;
	case STYLE_BOLD:
		return A_BOLD;
	case STYLE_TITLE:
		return A_REVERSE;
	case STYLE_USER:
		return A_BOLD | (c ? (unsigned long)COLOR_PAIR(1) : 0);
	case STYLE_AGENT:
		return A_BOLD | (c ? (unsigned long)COLOR_PAIR(2) : 0);
	case STYLE_WARN:
		return A_BOLD | (c ? (unsigned long)COLOR_PAIR(3) : 0);
	case STYLE_GOOD:
		return c ? (unsigned long)COLOR_PAIR(2) : A_BOLD;
	case STYLE_PICK:
		return A_REVERSE;
	case STYLE_GHOST:
		return ghost_attr();
	case STYLE_MISSPELT:      /* in bold too where grey text is underlined */
		return A_UNDERLINE | (c ? (unsigned long)COLOR_PAIR(3) : 0) | (ghost_attr() == A_UNDERLINE ? A_BOLD : 0);
	case STYLE_PLAIN:
	case STYLES:
		break;
	}
	return 0;
}
