/* SPDX-License-Identifier: GPL-3.0-or-later */
/* encoder_wordnet: groups out of WordNet 3.0 (wndb(5WN), cntlist(5WN)): the words of a sense, what they are derived from
 * ("deep", "depth"), and its gloss. Only senses that were met in text; those of one hypernym are near each other:
 * kinds of one thing are not the same thing. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../src/base/mem.h"
#include "encoder_tool.h"

enum { FILES = 4, WORDS = 12, DERIVED = 8 };

static const struct {
	const char *name;
	char letter, type;            /* in pointers; in sense keys */
} files[FILES] = { { "noun", 'n', '1' }, { "verb", 'v', '2' }, { "adj", 'a', '3' }, { "adv", 'r', '4' } };

struct synset {
	uint32_t offset;
	uint32_t hypernym;            /* offset in the same file; 0: none */
	char *word[WORDS], *gloss;
	size_t words;
	struct { uint32_t offset; uint8_t file, word; } derived[DERIVED];
	size_t n_derived;
	bool met;
};

struct wordnet {
	struct synset *v[FILES];
	size_t n[FILES];
	char **met;                   /* "charge%1:21:" and the like, sorted */
	size_t n_met;
};

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static FILE *open_in(const char *dir, const char *name, struct err *e)
{
	struct str path = STR_INIT;
	FILE *f;

	str_addf(&path, "%s/%s", dir, name);
	f = fopen(path.s, "r");
	if (!f)
		err_set(e, ERR_IO, "%s: cannot open: %s (Debian's package wordnet-base has it)", path.s, strerror(errno));
	str_free(&path);
	return f;
}

/* Sense keys that were counted in text, up to the number of the lexicographer's file and the sense in it. */
static int read_counts(struct wordnet *w, const char *dir, struct err *e)
{
	FILE *f = open_in(dir, "cntlist.rev", e);
	struct str line = STR_INIT;
	size_t cap = 0;

	if (!f)
		return ERR_IO;
	while (str_readline(&line, f)) {
		char *colon = strchr(line.s, ':');

		colon = colon ? strchr(colon + 1, ':') : NULL;
		colon = colon ? strchr(colon + 1, ':') : NULL;
		if (!colon)
			continue;
		*colon = '\0';
		if (w->n_met == cap) {
			cap = cap ? cap * 2 : 1 << 15;
			w->met = xreallocarray(w->met, cap, sizeof(*w->met));
		}
		w->met[w->n_met++] = xstrdup(line.s);
	}
	str_free(&line);
	fclose(f);
	qsort(w->met, w->n_met, sizeof(*w->met), by_text);
	return 0;
}

static bool was_met(const struct wordnet *w, const char *word, char type, unsigned file, unsigned id)
{
	char key[128], *k = key;

	for (size_t i = 0; word[i] && i < 90; i++)
		*k++ = (char)tolower((unsigned char)word[i]);
	snprintf(k, sizeof(key) - (size_t)(k - key), "%%%c:%02u:%02u", type, file, id);
	k = key;
	return bsearch(&k, w->met, w->n_met, sizeof(*w->met), by_text) != NULL;
}

static char *with_spaces(const char *word)
{
	char *s = xstrdup(word);

	for (char *p = s; *p; p++)
		if (*p == '_' || *p == '(')
			*p = *p == '(' ? '\0' : ' ';      /* "galore(ip)" */
	return s;
}

/* "offset file type count word id ... pointers [frames] | gloss"; false: no synset. */
static bool read_synset(const struct wordnet *w, char *line, struct synset *s)
{
	char *save, *gloss = strstr(line, " | "), *t;
	unsigned file, words, pointers;
	char type;

	*s = (struct synset){ 0 };
	if (line[0] == ' ' || !gloss)
		return false;
	*gloss = '\0';
	gloss += 3;
	s->offset = (uint32_t)strtoul(strtok_r(line, " ", &save), NULL, 10);
	file = (unsigned)atoi(strtok_r(NULL, " ", &save));
	t = strtok_r(NULL, " ", &save);
	type = t[0] == 's' ? '5' : t[0] == 'n' ? '1' : t[0] == 'v' ? '2' : t[0] == 'a' ? '3' : '4';
	words = (unsigned)strtoul(strtok_r(NULL, " ", &save), NULL, 16);
	for (unsigned i = 0; i < words; i++) {
		const char *word = strtok_r(NULL, " ", &save), *id = strtok_r(NULL, " ", &save);

		if (!word || !id)
			return false;
		s->met = s->met || was_met(w, word, type, file, (unsigned)strtoul(id, NULL, 16));
		if (s->words < WORDS)
			s->word[s->words++] = with_spaces(word);
	}
	t = strtok_r(NULL, " ", &save);
	pointers = t ? (unsigned)atoi(t) : 0;
	for (unsigned i = 0; i < pointers; i++) {
		const char *kind = strtok_r(NULL, " ", &save), *to = strtok_r(NULL, " ", &save), *pos = strtok_r(NULL, " ", &save);
		const char *words_of = strtok_r(NULL, " ", &save);

		if (!kind || !to || !pos || !words_of)
			break;
		if (kind[0] == '@' && !s->hypernym)
			s->hypernym = (uint32_t)strtoul(to, NULL, 10);
		for (size_t f = 0; kind[0] == '+' && f < FILES && s->n_derived < DERIVED; f++)
			if (files[f].letter == pos[0]) {
				s->derived[s->n_derived].offset = (uint32_t)strtoul(to, NULL, 10);
				s->derived[s->n_derived].file = (uint8_t)f;
				s->derived[s->n_derived++].word = (uint8_t)(strtoul(words_of, NULL, 16) & 0xff);
			}
	}
	gloss[strcspn(gloss, ";")] = '\0';
	s->gloss = xstrdup(gloss);
	return true;
}

static int read_data(struct wordnet *w, const char *dir, size_t which, struct err *e)
{
	struct str name = STR_INIT, line = STR_INIT;
	size_t cap = 0;
	FILE *f;

	str_addf(&name, "data.%s", files[which].name);
	f = open_in(dir, name.s, e);
	str_free(&name);
	if (!f)
		return ERR_IO;
	while (str_readline(&line, f)) {
		if (w->n[which] == cap) {
			cap = cap ? cap * 2 : 1 << 12;
			w->v[which] = xreallocarray(w->v[which], cap, sizeof(*w->v[which]));
		}
		w->n[which] += read_synset(w, line.s, &w->v[which][w->n[which]]);
	}
	str_free(&line);
	fclose(f);
	return 0;
}

/* Offsets ascend. */
static const struct synset *find(const struct wordnet *w, size_t file, uint32_t offset)
{
	size_t lo = 0, hi = w->n[file];

	while (lo < hi) {
		const size_t mid = (lo + hi) / 2;

		if (w->v[file][mid].offset < offset)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < w->n[file] && w->v[file][lo].offset == offset ? &w->v[file][lo] : NULL;
}

static void add_synset(const struct wordnet *w, size_t file, const struct synset *s, uint32_t first_key, struct encoder_groups *g)
{
	struct encoder_group *x = encoder_groups_add(g, SOURCE_WORDNET);
	const struct synset *above = s->hypernym ? find(w, file, s->hypernym) : NULL;

	x->near[0] = x->near[1] = above ? first_key + (uint32_t)(above - w->v[file]) : 0;
	for (size_t i = 0; i < s->words; i++)
		encoder_group_text(x, s->word[i]);
	for (size_t i = 0; i < s->n_derived; i++) {
		const struct synset *d = find(w, s->derived[i].file, s->derived[i].offset);
		const size_t word = s->derived[i].word;

		if (d && word > 0 && word <= d->words)
			encoder_group_text(x, d->word[word - 1]);
	}
	encoder_group_text(x, s->gloss);
}

int encoder_add_wordnet(struct encoder_groups *g, const char *dir, struct err *e)
{
	struct wordnet w = { 0 };
	int rc = read_counts(&w, dir, e);

	for (size_t f = 0; rc == 0 && f < FILES; f++)
		rc = read_data(&w, dir, f, e);
	for (size_t f = 0; f < FILES; f++) {
		const uint32_t first = g->keys + 1;

		for (size_t i = 0; rc == 0 && i < w.n[f]; i++)
			if (w.v[f][i].met)
				add_synset(&w, f, &w.v[f][i], first, g);
		g->keys += (uint32_t)w.n[f];
	}
	for (size_t f = 0; f < FILES; f++) {
		for (size_t i = 0; i < w.n[f]; i++) {
			for (size_t k = 0; k < w.v[f][i].words; k++)
				free(w.v[f][i].word[k]);
			free(w.v[f][i].gloss);
		}
		free(w.v[f]);
	}
	for (size_t i = 0; i < w.n_met; i++)
		free(w.met[i]);
	free(w.met);
	return rc;
}
