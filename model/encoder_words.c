/* SPDX-License-Identifier: GPL-3.0-or-later */
/* encoder_words: words of a text, and the n-grams of their letters. */
#include <ctype.h>
#include <string.h>

#include "encoder_private.h"

/* Bytes of the letter at s; 0: none. UTF-8 is not decoded: all but general punctuation (U+2000 ..) and the signs of
 * Latin-1 (U+0080 ..) counts as letters, byte by byte. */
static size_t letter(const char *s, size_t len)
{
	const unsigned char *u = (const unsigned char *)s;

	if (len == 0 || (u[0] < 0x80 && !isalnum(u[0])) || u[0] == 0xc2 || (u[0] == 0xe2 && len > 1 && u[1] < 0x84))
		return 0;
	return u[0] < 0x80 ? 1 : u[0] < 0xc0 ? 0 : u[0] < 0xe0 ? (len > 1 ? 2 : 1) : u[0] < 0xf0 ? (len > 2 ? 3 : 1) : len > 3 ? 4 : 1;
}

/* Bytes of an apostrophe. */
static size_t apostrophe(const char *s, size_t len)
{
	return len > 0 && s[0] == '\'' ? 1 : len > 2 && memcmp(s, "\xe2\x80\x99", 3) == 0 ? 3 : 0;
}

/* "<order_3>": one word "<order>", whichever number it has. Returns its length, 0: none here. */
static size_t placeholder(const char *s, size_t len, char *out)
{
	size_t n = 1, name;

	if (len < 4 || s[0] != '<' || !islower((unsigned char)s[1]))
		return 0;
	while (n < len && islower((unsigned char)s[n]))
		n++;
	name = n;
	if (n >= len || s[n] != '_' || name + 2 > ENCODER_WORD)
		return 0;
	for (n++; n < len && isdigit((unsigned char)s[n]); n++)
		;
	if (n >= len || s[n] != '>' || n == name + 1)
		return 0;
	memcpy(out, s, name);
	memcpy(out + name, ">", 2);
	return n + 1;
}

void encoder_split(const char *text, size_t len, struct encoder_words *out)
{
	size_t i = 0;

	out->n = 0;
	while (i < len && out->n < ENCODER_WORDS) {
		struct encoder_word *w = &out->v[out->n];
		size_t n = placeholder(text + i, len - i, w->text);

		w->start = (uint32_t)i;
		w->row = ENCODER_UNKNOWN;
		w->number = false;
		w->rarity = 1;
		if (n > 0) {
			i += n;
			w->end = (uint32_t)i;
			out->n++;
			continue;
		}
		while (i < len) {
			const size_t bytes = letter(text + i, len - i), quote = n > 0 ? apostrophe(text + i, len - i) : 0;

			if (bytes > 0) {
				/* letters after a digit begin another word: "10kg" and "10 kg" are the same */
				if (n > 0 && w->number && isalpha((unsigned char)text[i]) && isdigit((unsigned char)w->text[n - 1]))
					break;
				if (n + bytes < ENCODER_WORD)
					for (size_t k = 0; k < bytes; k++)
						w->text[n++] = (char)tolower((unsigned char)text[i + k]);
				w->number = w->number || isdigit((unsigned char)text[i]);
				i += bytes;
			} else if (quote > 0 && letter(text + i + quote, len - i - quote) > 0) {
				i += quote;           /* don't, dont */
			} else if (w->number && i + 1 < len && (text[i] == '.' || text[i] == ',') && isdigit((unsigned char)text[i + 1])) {
				if (n + 1 < ENCODER_WORD)
					w->text[n++] = '.';
				i++;
			} else {
				break;
			}
		}
		if (n == 0) {
			i++;
			continue;
		}
		w->text[n] = '\0';
		w->end = (uint32_t)i;
		out->n++;
	}
}

bool encoder_foreign(const char *word)
{
	return (unsigned char)word[0] == 0xc6 && (unsigned char)word[1] == 0x92;
}

uint64_t encoder_hash(const char *word)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (; *word; word++)
		h = (h ^ (unsigned char)*word) * 0x100000001b3u;
	/* FNV's low bits are weak for short words */
	return (h ^ (h >> 29)) * 0x9e3779b97f4a7c15u;
}

size_t encoder_grams(const char *word, size_t buckets, uint32_t out[ENCODER_GRAMS_MAX])
{
	char marked[ENCODER_WORD + 4];
	const size_t len = strlen(word), all = len + 2;
	size_t n = 0;

	/* a placeholder has no letters of its own, and a foreign word none that matter */
	if (word[0] == '<' || encoder_foreign(word))
		return 0;
	marked[0] = '<';
	memcpy(marked + 1, word, len);
	memcpy(marked + 1 + len, ">", 2);
	if (all <= 3) {
		out[0] = (uint32_t)((encoder_hash(marked) >> 20) % buckets);
		return 1;
	}
	for (size_t size = 3; size <= 5; size++)
		for (size_t i = 0; i + size <= all && n < ENCODER_GRAMS_MAX; i++) {
			char g[8];

			memcpy(g, marked + i, size);
			g[size] = '\0';
			out[n++] = (uint32_t)((encoder_hash(g) >> 20) % buckets);
		}
	return n;
}

uint32_t encoder_row(const uint64_t *sorted, size_t n, const char *word)
{
	const uint64_t h = encoder_hash(word);
	size_t lo = 0, hi = n;

	while (lo < hi) {
		const size_t mid = (lo + hi) / 2;

		if (sorted[mid] < h)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < n && sorted[lo] == h ? (uint32_t)lo + 1 : ENCODER_UNKNOWN;
}
