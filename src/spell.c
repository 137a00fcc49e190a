/* SPDX-License-Identifier: GPL-3.0-or-later */
/* spell: one word a line to hunspell, one answer a line and a blank line back (ispell's protocol, hunspell(1)). */
#include "spell.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"

/* Words asked for at once: their lines fit in any pipe, so that neither side waits for the other. */
enum { AT_ONCE = 16, LONGEST = 100, MOST_WORDS = 200000 };

struct word {
	char *text;
	enum spell_state state;
};

struct spell {
	pid_t pid;                    /* 0: nobody */
	int in, out;
	bool ready, fallback;         /* it greeted us; it was started with a dictionary of our choice */
	struct str said;              /* what came, up to a line that is not whole yet */
	struct word *word;            /* a hash table, open, cap a power of two */
	size_t n, cap;
	size_t asked[AT_ONCE], waiting;       /* slots whose answers are to come, in order */
	char **queue;                 /* words to ask for */
	size_t queued, queue_cap;
};

static void start(struct spell *s, const char *dictionary)
{
	int to[2], from[2];
	sigset_t all, old;

	s->pid = 0;
	s->in = s->out = -1;
	if (pipe2(to, O_CLOEXEC) != 0)
		return;
	if (pipe2(from, O_CLOEXEC) != 0) {
		close(to[0]);
		close(to[1]);
		return;
	}
	/* Until it runs hunspell the child has our handlers, and the pipe they write to: a signal for it (end's SIGTERM) would
	 * end us instead. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	s->pid = fork();
	if (s->pid == 0) {
		const int null = open("/dev/null", O_WRONLY);
		sigset_t none;

		dup2(to[0], 0);
		dup2(from[1], 1);
		dup2(null, 2);
		setpgid(0, 0);      /* C-z and C-c of the terminal are not its */
		for (int sig = 1; sig < NSIG; sig++)
			signal(sig, SIG_DFL);
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		if (dictionary)
			execlp("hunspell", "hunspell", "-a", "-i", "utf-8", "-d", dictionary, (char *)NULL);
		else
			execlp("hunspell", "hunspell", "-a", "-i", "utf-8", (char *)NULL);
		_exit(127);
	}
	sigprocmask(SIG_SETMASK, &old, NULL);
	close(to[0]);
	close(from[1]);
	if (s->pid < 0) {
		close(to[1]);
		close(from[0]);
		s->pid = 0;
		return;
	}
	s->in = to[1];
	s->out = from[0];
	fcntl(s->in, F_SETFL, O_NONBLOCK);
	fcntl(s->out, F_SETFL, O_NONBLOCK);
	s->fallback = dictionary != NULL;
}

static void end(struct spell *s)
{
	if (s->pid <= 0)
		return;
	close(s->in);
	close(s->out);
	kill(s->pid, SIGTERM);
	while (waitpid(s->pid, NULL, 0) < 0 && errno == EINTR)
		;
	s->pid = 0;
	s->in = s->out = -1;
	s->waiting = 0;
}

struct spell *spell_start(const char *language)
{
	struct spell *s = xcalloc(1, sizeof(*s));

	s->said = (struct str)STR_INIT;
	s->cap = 256;
	s->word = xcalloc(s->cap, sizeof(*s->word));
	start(s, language);
	return s;
}

void spell_stop(struct spell *s)
{
	end(s);
	for (size_t i = 0; i < s->cap; i++)
		free(s->word[i].text);
	for (size_t i = 0; i < s->queued; i++)
		free(s->queue[i]);
	free(s->queue);
	free(s->word);
	str_free(&s->said);
	free(s);
}

int spell_fd(const struct spell *s)
{
	return s->out;
}

/* ---- the words ---- */

static size_t slot_of(const struct spell *s, const char *text, size_t n)
{
	uint32_t h = 2166136261u;
	size_t i;

	for (i = 0; i < n; i++)
		h = (h ^ (unsigned char)text[i]) * 16777619u;
	for (i = h & (s->cap - 1); s->word[i].text; i = (i + 1) & (s->cap - 1))
		if (strncmp(s->word[i].text, text, n) == 0 && !s->word[i].text[n])
			break;
	return i;
}

static void grow(struct spell *s)
{
	struct word *old = s->word;
	const size_t cap = s->cap;

	/* only while no answer is waited for: asked[] names slots */
	if (2 * s->n < s->cap || s->waiting)
		return;
	s->cap *= 2;
	s->word = xcalloc(s->cap, sizeof(*s->word));
	for (size_t i = 0; i < cap; i++)
		if (old[i].text)
			s->word[slot_of(s, old[i].text, strlen(old[i].text))] = old[i];
	free(old);
}

/* Send what is queued, when the last lot is answered. */
static void ask(struct spell *s)
{
	struct str lines = STR_INIT;
	size_t k = 0;

	if (!s->ready || s->pid == 0 || s->waiting || s->queued == 0)
		return;
	grow(s);
	for (; k < s->queued && s->waiting < AT_ONCE; k++) {
		const size_t i = slot_of(s, s->queue[k], strlen(s->queue[k]));

		/* ^: whatever the word begins with, it is no command */
		str_addf(&lines, "^%s\n", s->queue[k]);
		s->asked[s->waiting++] = i;
		free(s->queue[k]);
	}
	memmove(s->queue, s->queue + k, (s->queued - k) * sizeof(*s->queue));
	s->queued -= k;
	/* the pipe is empty and holds more than this */
	if (write(s->in, lines.s, lines.len) != (ssize_t)lines.len)
		end(s);
	str_free(&lines);
}

enum spell_state spell_check(struct spell *s, const char *word, size_t n)
{
	size_t i;

	if (s->pid == 0 || n == 0 || n > LONGEST || memchr(word, '\n', n) || memchr(word, '\0', n))
		return SPELL_UNKNOWN;
	i = slot_of(s, word, n);
	if (s->word[i].text)
		return s->word[i].state;
	/* the table may not grow while answers are on their way, nor for ever */
	if (s->n >= MOST_WORDS || 4 * (s->n + 1) > 3 * s->cap)
		return SPELL_UNKNOWN;
	s->word[i] = (struct word){ xmemdup(word, n), SPELL_UNKNOWN };
	s->n++;
	if (s->queued == s->queue_cap) {
		s->queue_cap = s->queue_cap ? 2 * s->queue_cap : 64;
		s->queue = xreallocarray(s->queue, s->queue_cap, sizeof(*s->queue));
	}
	s->queue[s->queued++] = xmemdup(word, n);
	grow(s);
	ask(s);
	return SPELL_UNKNOWN;
}

/* A line of the answer: "*", "+ root", "-" right; "& word ...", "# word ..." wrong; "" the end of one word's. */
static bool take_line(struct spell *s, const char *line)
{
	struct word *w;

	if (!s->ready) {
		s->ready = line[0] == '@';
		return false;
	}
	if (s->waiting == 0)
		return false;
	w = &s->word[s->asked[0]];
	if (line[0] != '\0') {
		if (line[0] == '&' || line[0] == '#')
			w->state = SPELL_BAD;
		else if (w->state == SPELL_UNKNOWN)
			w->state = SPELL_GOOD;
		return false;
	}
	if (w->state == SPELL_UNKNOWN)      /* nothing to say about it: digits and the like */
		w->state = SPELL_GOOD;
	s->waiting--;
	memmove(s->asked, s->asked + 1, s->waiting * sizeof(s->asked[0]));
	return true;
}

bool spell_read(struct spell *s)
{
	char buf[4096];
	ssize_t n = -1;
	bool news = false;

	while (s->pid > 0 && (n = read(s->out, buf, sizeof(buf))) != 0) {
		char *from = NULL, *nl;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		str_add(&s->said, buf, (size_t)n);
		for (from = s->said.s; (nl = strchr(from, '\n')) != NULL; from = nl + 1) {
			*nl = '\0';
			if (nl > from && nl[-1] == '\r')
				nl[-1] = '\0';
			news = take_line(s, from) || news;
		}
		s->said.len -= (size_t)(from - s->said.s);
		memmove(s->said.s, from, s->said.len + 1);
		if (s->said.len > 1 << 16)      /* no answer of hunspell's */
			end(s);
	}
	if (s->pid > 0 && n == 0) {      /* it ended: not installed, or no dictionary of that name */
		const bool again = !s->ready && !s->fallback;

		end(s);
		if (again)
			start(s, "en_US");
	}
	ask(s);
	return news;
}
