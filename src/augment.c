/* SPDX-License-Identifier: GPL-3.0-or-later */
/* augment: words, and what a question is about. */
#include "augment_private.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "wordings.h"

/* ---- words ---- */

/* Letters and digits of a word in small letters, common endings off: enough to tell "opens" as "open". */
static void stem_of(const char *word, char out[AUGMENT_STEM])
{
	size_t n = 0;

	for (const char *p = word; *p && n + 1 < AUGMENT_STEM; p++) {
		if (*p == '\'' && p[1] == 's')
			break;
		if (isalnum((unsigned char)*p) || (unsigned char)*p >= 0x80)
			out[n++] = (char)tolower((unsigned char)*p);
	}
	out[n] = '\0';
	if (n > 6 && strcmp(out + n - 3, "ing") == 0)
		out[n -= 3] = '\0';
	else if (n > 5 && strcmp(out + n - 2, "ed") == 0)
		out[n -= 2] = '\0';
	else if (n > 3 && out[n - 1] == 's' && out[n - 2] != 's')
		out[--n] = '\0';
	if (n > 3 && out[n - 1] == 'e')
		out[--n] = '\0';
}

void augment_words_cut(struct augment_words *ws, const char *text)
{
	char *save = NULL;

	ws->text = xstrdup(text);
	ws->n = 0;
	for (char *w = strtok_r(ws->text, " \t\r\n", &save); w && ws->n < AUGMENT_WORDS; w = strtok_r(NULL, " \t\r\n", &save)) {
		stem_of(w, ws->stem[ws->n]);
		ws->w[ws->n++] = w;
	}
}

void augment_words_free(struct augment_words *ws)
{
	free(ws->text);
}

bool augment_is_function(const char *word)
{
	char low[AUGMENT_STEM];
	size_t n = 0;

	for (; *word && n + 1 < sizeof(low); word++)
		if (isalnum((unsigned char)*word) || *word == '\'')
			low[n++] = (char)tolower((unsigned char)*word);
	low[n] = '\0';
	return n == 0 || wordings_is_function(low);
}

bool augment_is_placeholder(const char *word)
{
	return strchr(word, '<') != NULL;
}

bool augment_in_list(char (*list)[AUGMENT_STEM], size_t n, const char *stem)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i], stem) == 0)
			return true;
	return false;
}

bool augment_in_words(const struct augment_words *ws, const char *stem)
{
	for (size_t i = 0; i < ws->n; i++)
		if (strcmp(ws->stem[i], stem) == 0)
			return true;
	return false;
}

size_t augment_list_length(const char *const *list)
{
	size_t n = 0;

	while (list[n])
		n++;
	return n;
}

/* ---- what it is about ---- */

/* What may be asked about is no sign of what is asked. */
static bool names_thing(const char *stem)
{
	for (const char *const *t = wordings_things; *t; t++) {
		char own[AUGMENT_STEM];

		stem_of(*t, own);
		if (!strchr(*t, ' ') && strcmp(own, stem) == 0)
			return true;
	}
	return false;
}

static void fill_bag(struct augment_bag *b, const char *const *frames)
{
	const double share = 1 / (double)augment_list_length(frames);

	for (const char *const *f = frames; *f; f++) {
		struct augment_words ws;

		augment_words_cut(&ws, *f);
		for (size_t i = 0; i < ws.n; i++) {
			const bool asks = strcmp(ws.stem[i], "where") == 0 || strcmp(ws.stem[i], "when") == 0;
			size_t k = 0;

			if ((!asks && augment_is_function(ws.w[i])) || names_thing(ws.stem[i]))
				continue;
			while (k < b->n && strcmp(b->stem[k], ws.stem[i]) != 0)
				k++;
			if (k == b->n) {
				b->stem = xreallocarray(b->stem, b->n + 1, sizeof(*b->stem));
				b->share = xreallocarray(b->share, b->n + 1, sizeof(*b->share));
				b->share[b->n] = 0;
				memcpy(b->stem[b->n++], ws.stem[i], AUGMENT_STEM);
			}
			b->share[k] += share;
		}
		augment_words_free(&ws);
	}
}

static double share_of(const struct augment *a, size_t aspect, const char *stem)
{
	const struct augment_bag *b = &a->bag[aspect];

	for (size_t i = 0; i < b->n; i++)
		if (strcmp(b->stem[i], stem) == 0)
			return b->share[i];
	return 0;
}

/* How surely a word says that this aspect is asked for. */
static double worth(const struct augment *a, size_t aspect, const char *stem)
{
	const double own = *stem ? share_of(a, aspect, stem) : 0;
	double all = 0;

	if (own == 0)
		return 0;
	for (size_t i = 0; i < a->aspects; i++)
		all += share_of(a, i, stem);
	return own / all;
}

/* "long", "time": of asking in general. */
static bool of_asking(const struct augment *a, const char *stem)
{
	size_t n = 0;

	for (size_t i = 0; i < a->aspects; i++)
		n += share_of(a, i, stem) > 0;
	return n >= 4;
}

static void find_aspect(const struct augment *a, struct augment_group *g)
{
	size_t best = AUGMENT_ASPECTS;
	double second = 0;

	for (size_t k = 0; k < g->n; k++) {
		struct augment_words ws;

		augment_words_cut(&ws, a->question[g->question[k]]);
		for (size_t i = 0; i < a->aspects; i++) {
			double sum = 0;

			for (size_t j = 0; j < ws.n; j++)
				sum += worth(a, i, ws.stem[j]);
			g->score[i] += sum / (double)g->n;
		}
		augment_words_free(&ws);
	}
	for (size_t i = 0; i < a->aspects; i++)
		if (best == AUGMENT_ASPECTS || g->score[i] > g->score[best])
			best = i;
	for (size_t i = 0; i < a->aspects; i++)
		if (i != best && g->score[i] > second)
			second = g->score[i];
	g->aspect = g->score[best] >= 0.4 && g->score[best] >= 1.1 * second ? best : AUGMENT_ASPECTS;
}

/* In how many of the group's wordings a stem stands. */
static size_t standing(const struct augment *a, const struct augment_group *g, const char *stem)
{
	size_t n = 0;

	for (size_t k = 0; k < g->n; k++) {
		struct augment_words ws;

		augment_words_cut(&ws, a->question[g->question[k]]);
		n += augment_in_words(&ws, stem);
		augment_words_free(&ws);
	}
	return n;
}

/* Words of a wording that name the thing: neither of the frame nor common to all questions. */
bool augment_of_thing(const struct augment *a, const struct augment_group *g, const struct augment_words *ws, size_t i)
{
	if (!*ws->stem[i] || augment_is_function(ws->w[i]) || augment_is_placeholder(ws->w[i]))
		return false;
	return !of_asking(a, ws->stem[i]) && (g->aspect == AUGMENT_ASPECTS || worth(a, g->aspect, ws->stem[i]) < 0.2);
}

void augment_add_bare(struct str *out, const char *word)
{
	size_t n = strlen(word);

	while (n > 0 && strchr("?!.,;:", word[n - 1]))
		n--;
	if (n > 0 && out->len > 0)
		str_addc(out, ' ');
	str_add(out, word, n);
}

/* From its first word to its last that `need` of the wordings have, what stands between and is no frame included ("parcel
 * from the Azores"). */
static char *cut_thing(const struct augment *a, const struct augment_group *g, const struct augment_words *ws, size_t need, double *score)
{
	struct str out = STR_INIT;
	size_t first = ws->n, last = 0, common = 0, alone = 0;

	for (size_t i = 0; i < ws->n; i++) {
		if (!augment_of_thing(a, g, ws, i) || standing(a, g, ws->stem[i]) < need)
			continue;
		first = first < i ? first : i;
		last = i;
		common++;
	}
	for (size_t i = first; i <= last && i < ws->n; i++) {
		const bool own = augment_of_thing(a, g, ws, i);

		alone += own && standing(a, g, ws->stem[i]) < need;
		if (own || augment_is_function(ws->w[i]))
			augment_add_bare(&out, ws->w[i]);
	}
	*score = (double)common - 0.6 * (double)alone - 0.05 * (double)(last > first ? last - first : 0);
	if (out.len == 0)
		*score = -100;
	return str_detach(&out);
}

static bool find_thing(const struct augment *a, struct augment_group *g, size_t need)
{
	double best = -50;

	for (size_t k = 0; k < g->n; k++) {
		struct augment_words ws;
		double score;
		char *thing;

		augment_words_cut(&ws, a->question[g->question[k]]);
		thing = cut_thing(a, g, &ws, need, &score);
		if (score > best) {
			best = score;
			free(g->thing);
			g->thing = thing;
			g->stems = 0;
			for (size_t i = 0; i < ws.n; i++) {
				if (!augment_of_thing(a, g, &ws, i) || standing(a, g, ws.stem[i]) < need)
					continue;
				g->stem = xreallocarray(g->stem, g->stems + 1, sizeof(*g->stem));
				memcpy(g->stem[g->stems++], ws.stem[i], AUGMENT_STEM);
			}
		} else {
			free(thing);
		}
		augment_words_free(&ws);
	}
	return best > -50;
}

struct augment *augment_new(void)
{
	struct augment *a = xcalloc(1, sizeof(*a));

	for (; wordings_aspects[a->aspects].name; a->aspects++)
		fill_bag(&a->bag[a->aspects], wordings_aspects[a->aspects].ask);
	return a;
}

void augment_free(struct augment *a)
{
	if (!a)
		return;
	for (size_t i = 0; i < a->n; i++)
		free(a->question[i]);
	for (size_t g = 0; g < a->groups; g++) {
		free(a->group[g].key);
		free(a->group[g].question);
		free(a->group[g].thing);
		free(a->group[g].stem);
	}
	for (size_t i = 0; i < a->aspects; i++)
		free(a->bag[i].stem), free(a->bag[i].share);
	free(a->question);
	free(a->group_of);
	free(a->group);
	free(a);
}

void augment_add(struct augment *a, const char *question, const char *key)
{
	struct augment_group *g;
	size_t i = 0;

	while (i < a->groups && strcmp(a->group[i].key, key) != 0)
		i++;
	if (i == a->groups) {
		a->group = xreallocarray(a->group, a->groups + 1, sizeof(*a->group));
		a->group[a->groups++] = (struct augment_group){ .key = xstrdup(key), .aspect = AUGMENT_ASPECTS };
	}
	g = &a->group[i];
	g->question = xreallocarray(g->question, g->n + 1, sizeof(*g->question));
	g->question[g->n++] = a->n;
	a->question = xreallocarray(a->question, a->n + 1, sizeof(*a->question));
	a->group_of = xreallocarray(a->group_of, a->n + 1, sizeof(*a->group_of));
	a->group_of[a->n] = i;
	a->question[a->n++] = xstrdup(question);
}

void augment_prepare(struct augment *a)
{
	for (size_t i = 0; i < a->groups; i++) {
		struct augment_group *g = &a->group[i];

		find_aspect(a, g);
		/* what nearly all wordings name; else what two do; else all that is no frame */
		if (!find_thing(a, g, (3 * g->n + 3) / 4) && !(g->n > 2 && find_thing(a, g, 2)))
			find_thing(a, g, 1);
	}
}

const char *augment_aspect(const struct augment *a, size_t i)
{
	const size_t k = a->group[a->group_of[i]].aspect;

	return k == AUGMENT_ASPECTS ? NULL : wordings_aspects[k].name;
}

const char *augment_thing(const struct augment *a, size_t i)
{
	const char *t = a->group[a->group_of[i]].thing;

	return t ? t : "";
}
