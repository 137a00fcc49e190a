/* SPDX-License-Identifier: GPL-3.0-or-later */
/* canned_near: which canned reply fits a question. */
#include "canned_near.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Words of four letters and more, lower case, without the ending that most forms differ in. */
static size_t next_word(const char **p, char *word, size_t size)
{
	size_t n = 0;

	while (**p && !isalnum((unsigned char)**p) && (unsigned char)**p < 0x80)
		++*p;
	while (isalnum((unsigned char)**p) || (unsigned char)**p >= 0x80) {
		if (n + 1 < size)
			word[n++] = (char)tolower((unsigned char)**p);
		++*p;
	}
	if (n > 4 && word[n - 1] == 's')
		n--;
	if (n > 5 && memcmp(word + n - 2, "ed", 2) == 0)
		n -= 2;
	if (n > 6 && memcmp(word + n - 3, "ing", 3) == 0)
		n -= 3;
	word[n] = '\0';
	return n;
}

static bool is_small(const char *w)
{
	static const char *const small[] = {
		"have", "with", "your", "that", "this", "what", "when", "please", "will", "would", "could", "been", "from", "they", "there",
		"hello", "thank", "about", "just", "want", "need", "tell", "know", "very", "some", "does", "dear", "regard"
	};

	if (strlen(w) < 4)
		return true;
	for (size_t i = 0; i < sizeof(small) / sizeof(small[0]); i++)
		if (strcmp(small[i], w) == 0)
			return true;
	return false;
}

static bool has_word(const char *text, const char *word)
{
	char w[64];

	while (next_word(&text, w, sizeof(w)) > 0)
		if (strcmp(w, word) == 0)
			return true;
	return false;
}

size_t canned_nearest(const struct canned_list *c, const char *question, size_t skip, double *score)
{
	size_t best = SIZE_MAX;

	*score = 0;
	for (size_t i = 0; i < c->n; i++) {
		const char *p = question;
		double shared = 0, all = 0;
		char w[64];

		while (*p) {
			const size_t n = next_word(&p, w, sizeof(w));

			if (n == 0 || is_small(w))
				continue;
			all += 1;
			/* its name says what it is for */
			shared += has_word(c->v[i].name, w) ? 1 : has_word(c->v[i].text, w) ? 0.6 : 0;
		}
		if (i != skip && all > 0 && shared / all > *score) {
			*score = shared / all;
			best = i;
		}
	}
	return best;
}
