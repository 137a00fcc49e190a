/* SPDX-License-Identifier: GPL-3.0-or-later */
/* str: the growing byte string. */
#include "str.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"

/* What an empty str points to. Shared by all threads: cap == 0 means "not ours,
 * do not write to it", not even the NUL that is there already. */
char str_empty[1] = "";

/* Room for `extra` more bytes and the NUL. */
static void str_room(struct str *s, size_t extra)
{
	size_t need, cap;

	if (__builtin_add_overflow(s->len, extra, &need) ||
	    __builtin_add_overflow(need, (size_t)1, &need))
		need = mem_mul(SIZE_MAX, 2);    /* dies with the usual message */
	if (need <= s->cap)
		return;
	cap = s->cap < SIZE_MAX / 2 ? s->cap * 2 : need;
	if (cap < need)
		cap = need;
	if (cap < 32)
		cap = 32;
	s->s = xrealloc(s->cap ? s->s : NULL, cap);
	s->cap = cap;
}

void str_free(struct str *s)
{
	if (s->cap)
		free(s->s);
	*s = (struct str)STR_INIT;
}

void str_reset(struct str *s)
{
	s->len = 0;
	if (s->cap)
		s->s[0] = '\0';
	else
		s->s = str_empty;
}

void str_add(struct str *s, const char *bytes, size_t n)
{
	str_room(s, n);
	if (n)
		memcpy(s->s + s->len, bytes, n);
	s->len += n;
	s->s[s->len] = '\0';
}

void str_adds(struct str *s, const char *cstr)
{
	str_add(s, cstr, strlen(cstr));
}

void str_addc(struct str *s, char c)
{
	str_room(s, 1);
	s->s[s->len++] = c;
	s->s[s->len] = '\0';
}

void str_addf(struct str *s, const char *fmt, ...)
{
	va_list ap, again;
	size_t room;
	int n;

	str_room(s, 64);
	room = s->cap - s->len;
	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(s->s + s->len, room, fmt, ap);
	va_end(ap);
	if (n < 0) {            /* a broken multibyte sequence for %ls: add nothing */
		s->s[s->len] = '\0';
	} else {
		if ((size_t)n >= room) {
			str_room(s, (size_t)n);
			vsnprintf(s->s + s->len, (size_t)n + 1, fmt, again);
		}
		s->len += (size_t)n;
	}
	va_end(again);
}

char *str_detach(struct str *s)
{
	char *p;

	str_room(s, 0);         /* an empty one too becomes the caller's to free */
	p = s->s;
	p[s->len] = '\0';
	*s = (struct str)STR_INIT;
	return p;
}

bool str_readline(struct str *s, void *file)
{
	char *line = s->cap ? s->s : NULL;
	size_t cap = s->cap;
	ssize_t n;

	errno = 0;
	n = getline(&line, &cap, file);
	if (n < 0 && errno == ENOMEM)
		mem_mul(SIZE_MAX, 2);
	if (line) {             /* getline may have moved it, at the end of file too */
		s->s = line;
		s->cap = cap;
	}
	if (n < 0) {
		str_reset(s);
		return false;
	}
	s->len = (size_t)n;
	if (s->len && s->s[s->len - 1] == '\n')
		s->s[--s->len] = '\0';
	return true;
}
