/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Prose for the writing desk: a stretch of paragraphs is a conversation of one role, "document",
 * each paragraph a turn, so that a paragraph is predicted from those before it. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../src/base/mem.h"
#include "corpus_tool.h"

enum {
	PARAGRAPH = 40,      /* characters; what is shorter (a heading, an item) joins what follows */
	LONGEST = 900,       /* of a paragraph */
	STRETCH = 2200       /* of a stretch */
};

/* Modern and plainly written; transcripts with spaces before their punctuation, lists of menu entries and old
 * speeches would teach the wrong hand. */
static const char *const files[] = {
	"abcd_guidelines", "blog18f", "contentguide18f", "digitalgov", "handbook18f", "logingov_help_en", "plainlanguage",
	"tau2_bank_kb", "tau2_policies",
};

static FILE *open_xz(const char *path, pid_t *child)
{
	int fd[2];

	if (pipe(fd) != 0)
		return NULL;
	*child = fork();
	if (*child == 0) {
		dup2(fd[1], STDOUT_FILENO);
		close(fd[0]);
		close(fd[1]);
		execlp("xz", "xz", "-dc", path, (char *)NULL);
		_exit(127);
	}
	close(fd[1]);
	return *child < 0 ? (close(fd[0]), NULL) : fdopen(fd[0], "r");
}

/* Words and punctuation, not code, tables or addresses. */
static bool is_prose(const char *s, size_t n)
{
	size_t letters = 0;

	if (n == 0 || n > LONGEST || strstr(s, "http") || strstr(s, "www.") || strchr(s, '{') || strchr(s, '|') ||
	    strchr(s, '<') || strchr(s, '`') || strstr(s, "](") || strncmp(s, "$ ", 2) == 0)
		return false;
	for (size_t i = 0; i < n; i++)
		letters += (s[i] >= 'a' && s[i] <= 'z') || (s[i] >= 'A' && s[i] <= 'Z') || s[i] == ' ';
	return letters * 10 > n * 9;
}

static void finish(struct corpus_list *l, struct chat *c, const char *name, double share, struct rng *r,
                   struct corpus_stats *st)
{
	if (c->n >= 2) {
		st->in++;
		if (rng_uniform(r) < share) {
			c->source = xstrdup("prose");
			c->domain = xstrdup(name);
			corpus_list_add(l, c);
			return;
		}
		st->reasons[REASON_SAMPLED]++;
	}
	chat_free(c);
	*c = (struct chat){ 0 };
}

static int read_text(struct corpus_list *l, const char *dir, const char *name, double share, struct rng *r,
                     struct corpus_stats *st, struct err *e)
{
	struct str path = STR_INIT, line = STR_INIT, paragraph = STR_INIT;
	struct chat c = { 0 };
	size_t chars = 0;
	int status = 1;
	pid_t child;
	FILE *f;

	str_addf(&path, "%s/%s.train.txt.xz", dir, name);
	if (access(path.s, R_OK) != 0) {
		fprintf(stderr, "corpus: %s is missing; left out\n", path.s);
		str_free(&path);
		return 0;
	}
	f = open_xz(path.s, &child);
	while (f && str_readline(&line, f)) {
		while (line.len > 0 && (line.s[line.len - 1] == ' ' || line.s[line.len - 1] == '\r'))
			line.s[--line.len] = '\0';
		if (line.len == 0)
			continue;
		if (!is_prose(line.s, line.len)) {
			finish(l, &c, name, share, r, st);
			str_reset(&paragraph);
			chars = 0;
			continue;
		}
		if (paragraph.len > 0)
			str_addc(&paragraph, '\n');
		str_add(&paragraph, line.s, line.len);
		if (paragraph.len < PARAGRAPH)
			continue;
		chat_add(&c, CHATFILE_DOCUMENT, paragraph.s, paragraph.len, 1.0);
		chars += paragraph.len;
		str_reset(&paragraph);
		if (chars >= STRETCH) {
			finish(l, &c, name, share, r, st);
			chars = 0;
		}
	}
	finish(l, &c, name, share, r, st);
	if (f) {
		fclose(f);
		waitpid(child, &status, 0);
	}

	int rc = status == 0 ? 0 : err_set(e, ERR_IO, "%s: cannot be read with xz", path.s);

	str_free(&path);
	str_free(&line);
	str_free(&paragraph);
	return rc;
}

int corpus_add_prose(struct corpus_list *l, const char *dir, double share, struct rng *r, struct corpus_stats *st,
                     struct err *e)
{
	int rc = 0;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]) && rc == 0; i++)
		rc = read_text(l, dir, files[i], share, r, st, e);
	return rc;
}
