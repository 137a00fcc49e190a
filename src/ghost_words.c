/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ghost: what may be proposed, where a draft is cut, what is the same twice. */
#include <string.h>
#include <strings.h>

#include "ghost_private.h"

static bool white(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (unsigned char)c >= 0x80;
}

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Does word stand in text by itself, in any letter case? */
static bool stands(const char *text, size_t len, const char *word, size_t n)
{
	for (size_t i = 0; i + n <= len; i++) {
		if (strncasecmp(text + i, word, n) != 0)
			continue;
		if ((i == 0 || !(letter(text[i - 1]) || digit(text[i - 1]))) &&
		    (i + n == len || !(letter(text[i + n]) || digit(text[i + n]))))
			return true;
	}
	return false;
}

bool ghost_word_allowed(const char *word, size_t n, const char *said, const char *draft, size_t draft_len,
                        const char *const *unwanted)
{
	static const char *const gendered[] = { "he", "him", "his", "himself", "she", "her", "hers", "herself",
		"he's", "she's", "he'll", "she'll", NULL };
	bool code = false;

	/* without what it is wrapped in */
	while (n > 0 && !letter(word[0]) && !digit(word[0])) {
		word++;
		n--;
	}
	while (n > 0 && !letter(word[n - 1]) && !digit(word[n - 1]))
		n--;
	for (size_t i = 0; i < n; i++)
		code = code || digit(word[i]) || word[i] == '@' || (word[i] == ':' && i + 2 < n && word[i + 1] == '/');
	code = code || (n > 4 && strncasecmp(word, "www.", 4) == 0);
	for (size_t i = 0; !code && gendered[i]; i++)
		code = strlen(gendered[i]) == n && strncasecmp(word, gendered[i], n) == 0;
	if (code && !stands(said, strlen(said), word, n) && !stands(draft, draft_len, word, n))
		return false;
	for (size_t i = 0; unwanted && unwanted[i]; i++)
		if (strlen(unwanted[i]) == n && strncasecmp(word, unwanted[i], n) == 0)
			return false;
	return true;
}

size_t ghost_cut(const char *text, size_t len)
{
	enum { NEAR = 40, BOUND = 12, RUN = 16 };
	size_t i = len, end;

	while (i > 0 && len - i < NEAR && !white(text[i - 1]))
		i--;
	if (i > 0 && !white(text[i - 1])) {
		/* no white space near (a URL, Chinese): a few whole characters */
		i = len > BOUND ? len - BOUND : 0;
		while (i < len && ((unsigned char)text[i] & 0xc0) == 0x80)
			i++;
		return i;
	}
	end = i;
	while (i > 0 && end - i < RUN && white(text[i - 1]))
		i--;
	return i;
}

bool ghost_alike(const struct str *a, const struct str *b)
{
	size_t i = 0, j = 0;

	for (;;) {
		while (i < a->len && !letter(a->s[i]) && !digit(a->s[i]))
			i++;
		while (j < b->len && !letter(b->s[j]) && !digit(b->s[j]))
			j++;
		if (i == a->len || j == b->len)
			return i == a->len && j == b->len;
		if (strncasecmp(a->s + i, b->s + j, 1) != 0)
			return false;
		i++;
		j++;
	}
}
