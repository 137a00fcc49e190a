/* SPDX-License-Identifier: GPL-3.0-or-later */
/* augment: what a question is about, and other ways to ask. */
#include "augment.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "wordings.h"

enum { WORDS = 64, STEM = 24, ASPECTS = 64, TRIES = 12 };

/* A text cut at blanks. */
struct words {
	char *text;                   /* owned; words point into it */
	char *w[WORDS];
	char stem[WORDS][STEM];       /* "" for one without a letter or digit */
	size_t n;
};

/* Wordings of one answer. */
struct group {
	char *key;
	size_t *question, n;
	size_t aspect;                /* ASPECTS: none */
	double score[ASPECTS];
	char *thing;
	char (*stem)[STEM];           /* of the thing */
	size_t stems;
};

/* The words of an aspect's frames. */
struct bag {
	char (*stem)[STEM];
	double *share;                /* [n] of the frames that have it */
	size_t n;
};

struct augment {
	char **question;
	size_t *group_of, n;
	struct group *group;
	size_t groups;
	struct bag bag[ASPECTS];
	size_t aspects;
};

/* ---- words ---- */

/* Letters and digits of a word in small letters, common endings off: enough to tell "opens" as "open". */
static void stem_of(const char *word, char out[STEM])
{
	size_t n = 0;

	for (const char *p = word; *p && n + 1 < STEM; p++) {
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

static void words_cut(struct words *ws, const char *text)
{
	char *save = NULL;

	ws->text = xstrdup(text);
	ws->n = 0;
	for (char *w = strtok_r(ws->text, " \t\r\n", &save); w && ws->n < WORDS; w = strtok_r(NULL, " \t\r\n", &save)) {
		stem_of(w, ws->stem[ws->n]);
		ws->w[ws->n++] = w;
	}
}

static void words_free(struct words *ws)
{
	free(ws->text);
}

static bool is_function(const char *word)
{
	char low[STEM];
	size_t n = 0;

	for (; *word && n + 1 < sizeof(low); word++)
		if (isalnum((unsigned char)*word) || *word == '\'')
			low[n++] = (char)tolower((unsigned char)*word);
	low[n] = '\0';
	return n == 0 || wordings_is_function(low);
}

static bool is_placeholder(const char *word)
{
	return strchr(word, '<') != NULL;
}

static bool in_list(char (*list)[STEM], size_t n, const char *stem)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i], stem) == 0)
			return true;
	return false;
}

static bool in_words(const struct words *ws, const char *stem)
{
	for (size_t i = 0; i < ws->n; i++)
		if (strcmp(ws->stem[i], stem) == 0)
			return true;
	return false;
}

static size_t list_length(const char *const *list)
{
	size_t n = 0;

	while (list[n])
		n++;
	return n;
}

static const char *pick(const char *const *list, struct rng *r)
{
	return list[rng_below(r, list_length(list))];
}

/* ---- what it is about ---- */

/* What may be asked about is no sign of what is asked. */
static bool names_thing(const char *stem)
{
	for (const char *const *t = wordings_things; *t; t++) {
		char own[STEM];

		stem_of(*t, own);
		if (!strchr(*t, ' ') && strcmp(own, stem) == 0)
			return true;
	}
	return false;
}

static void fill_bag(struct bag *b, const char *const *frames)
{
	const double share = 1 / (double)list_length(frames);

	for (const char *const *f = frames; *f; f++) {
		struct words ws;

		words_cut(&ws, *f);
		for (size_t i = 0; i < ws.n; i++) {
			const bool asks = strcmp(ws.stem[i], "where") == 0 || strcmp(ws.stem[i], "when") == 0;
			size_t k = 0;

			if ((!asks && is_function(ws.w[i])) || names_thing(ws.stem[i]))
				continue;
			while (k < b->n && strcmp(b->stem[k], ws.stem[i]) != 0)
				k++;
			if (k == b->n) {
				b->stem = xreallocarray(b->stem, b->n + 1, sizeof(*b->stem));
				b->share = xreallocarray(b->share, b->n + 1, sizeof(*b->share));
				b->share[b->n] = 0;
				memcpy(b->stem[b->n++], ws.stem[i], STEM);
			}
			b->share[k] += share;
		}
		words_free(&ws);
	}
}

static double share_of(const struct augment *a, size_t aspect, const char *stem)
{
	const struct bag *b = &a->bag[aspect];

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

static void find_aspect(const struct augment *a, struct group *g)
{
	size_t best = ASPECTS;
	double second = 0;

	for (size_t k = 0; k < g->n; k++) {
		struct words ws;

		words_cut(&ws, a->question[g->question[k]]);
		for (size_t i = 0; i < a->aspects; i++) {
			double sum = 0;

			for (size_t j = 0; j < ws.n; j++)
				sum += worth(a, i, ws.stem[j]);
			g->score[i] += sum / (double)g->n;
		}
		words_free(&ws);
	}
	for (size_t i = 0; i < a->aspects; i++)
		if (best == ASPECTS || g->score[i] > g->score[best])
			best = i;
	for (size_t i = 0; i < a->aspects; i++)
		if (i != best && g->score[i] > second)
			second = g->score[i];
	g->aspect = g->score[best] >= 0.4 && g->score[best] >= 1.1 * second ? best : ASPECTS;
}

/* In how many of the group's wordings a stem stands. */
static size_t standing(const struct augment *a, const struct group *g, const char *stem)
{
	size_t n = 0;

	for (size_t k = 0; k < g->n; k++) {
		struct words ws;

		words_cut(&ws, a->question[g->question[k]]);
		n += in_words(&ws, stem);
		words_free(&ws);
	}
	return n;
}

/* Words of a wording that name the thing: neither of the frame nor common to all questions. */
static bool of_thing(const struct augment *a, const struct group *g, const struct words *ws, size_t i)
{
	if (!*ws->stem[i] || is_function(ws->w[i]) || is_placeholder(ws->w[i]))
		return false;
	return !of_asking(a, ws->stem[i]) && (g->aspect == ASPECTS || worth(a, g->aspect, ws->stem[i]) < 0.2);
}

static void add_bare(struct str *out, const char *word)
{
	size_t n = strlen(word);

	while (n > 0 && strchr("?!.,;:", word[n - 1]))
		n--;
	if (n > 0 && out->len > 0)
		str_addc(out, ' ');
	str_add(out, word, n);
}

/* From its first word to its last, what stands between and is no frame included ("parcel from the Azores"). */
static char *cut_thing(const struct augment *a, const struct group *g, const struct words *ws, double *score)
{
	struct str out = STR_INIT;
	size_t first = ws->n, last = 0, common = 0, alone = 0;

	for (size_t i = 0; i < ws->n; i++) {
		if (!of_thing(a, g, ws, i))
			continue;
		first = first < i ? first : i;
		last = i;
		if (g->n == 1 || standing(a, g, ws->stem[i]) >= 2)
			common++;
		else
			alone++;
	}
	for (size_t i = first; i <= last && i < ws->n; i++)
		if (of_thing(a, g, ws, i) || is_function(ws->w[i]))
			add_bare(&out, ws->w[i]);
	*score = (double)common - 0.6 * (double)alone - 0.05 * (double)(last > first ? last - first : 0);
	if (out.len == 0)
		*score = -100;
	return str_detach(&out);
}

static void find_thing(const struct augment *a, struct group *g)
{
	double best = -50;

	for (size_t k = 0; k < g->n; k++) {
		struct words ws;
		double score;
		char *thing;

		words_cut(&ws, a->question[g->question[k]]);
		thing = cut_thing(a, g, &ws, &score);
		if (score > best) {
			best = score;
			free(g->thing);
			g->thing = thing;
			g->stems = 0;
			for (size_t i = 0; i < ws.n; i++) {
				if (!of_thing(a, g, &ws, i) || (g->n > 1 && standing(a, g, ws.stem[i]) < 2))
					continue;
				g->stem = xreallocarray(g->stem, g->stems + 1, sizeof(*g->stem));
				memcpy(g->stem[g->stems++], ws.stem[i], STEM);
			}
		} else {
			free(thing);
		}
		words_free(&ws);
	}
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
	struct group *g;
	size_t i = 0;

	while (i < a->groups && strcmp(a->group[i].key, key) != 0)
		i++;
	if (i == a->groups) {
		a->group = xreallocarray(a->group, a->groups + 1, sizeof(*a->group));
		a->group[a->groups++] = (struct group){ .key = xstrdup(key), .aspect = ASPECTS };
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
		find_aspect(a, &a->group[i]);
		find_thing(a, &a->group[i]);
	}
}

const char *augment_aspect(const struct augment *a, size_t i)
{
	const size_t k = a->group[a->group_of[i]].aspect;

	return k == ASPECTS ? NULL : wordings_aspects[k].name;
}

const char *augment_thing(const struct augment *a, size_t i)
{
	const char *t = a->group[a->group_of[i]].thing;

	return t ? t : "";
}

/* ---- noise ---- */

/* One slip of the fingers in a word of letters. */
static void misspell(char *w, struct rng *r)
{
	const size_t n = strlen(w), at = 1 + rng_below(r, n - 2);

	for (size_t i = 0; i < n; i++)
		if (!isalpha((unsigned char)w[i]))
			return;
	if (rng_below(r, 2)) {
		char c = w[at];

		w[at] = w[at - 1];
		w[at - 1] = c;
	} else {
		memmove(w + at, w + at + 1, n - at);
	}
}

static void noise(struct str *s, struct rng *r)
{
	const double lower = rng_uniform(r), bare = rng_uniform(r), wrong = rng_uniform(r);
	struct str out = STR_INIT;
	struct words ws;

	words_cut(&ws, s->s);
	if (wrong < 0.2 && ws.n > 0) {
		char *w = ws.w[rng_below(r, ws.n)];

		if (strlen(w) > 3 && !is_placeholder(w))
			misspell(w, r);
	}
	if (rng_uniform(r) < 0.3)
		str_adds(&out, pick(wordings_before, r));
	for (size_t i = 0; i < ws.n; i++) {
		if (ws.n > 3 && is_function(ws.w[i]) && !is_placeholder(ws.w[i]) && rng_uniform(r) < 0.08)
			continue;
		if (lower < 0.4 && !is_placeholder(ws.w[i]))
			for (char *p = ws.w[i]; *p; p++)
				*p = (char)tolower((unsigned char)*p);
		if (out.len > 0 && out.s[out.len - 1] != ' ')
			str_addc(&out, ' ');
		str_adds(&out, ws.w[i]);
	}
	while (bare < 0.35 && out.len > 0 && strchr("?!.", out.s[out.len - 1]))
		out.s[--out.len] = '\0';
	if (rng_uniform(r) < 0.2)
		str_adds(&out, pick(wordings_after, r));
	words_free(&ws);
	str_free(s);
	*s = out;
}

/* A frame around a text. */
static void fill_frame(const char *frame, const char *text, struct str *out)
{
	const char *hole = strstr(frame, "{}");

	str_reset(out);
	str_add(out, frame, (size_t)(hole - frame));
	str_adds(out, text);
	str_adds(out, hole + 2);
}

static void with_article(const char *thing, struct rng *r, struct str *out)
{
	static const char *const articles[] = { "", "", "the ", "the ", "my ", "your ", "a ", NULL };

	str_reset(out);
	str_adds(out, pick(articles, r));
	str_adds(out, thing);
}

static void in_aspect(size_t aspect, const char *thing, struct rng *r, struct str *out)
{
	struct str t = STR_INIT;

	with_article(thing, r, &t);
	fill_frame(pick(wordings_aspects[aspect].ask, r), t.s, out);
	str_free(&t);
}

/* Words that say the same, where they stand. */
static void other_words(const char *question, struct rng *r, struct str *out)
{
	str_reset(out);
	str_adds(out, question);
	for (size_t try = 0; try < 2 * TRIES; try++) {
		const char *const *group = wordings_same[rng_below(r, list_length((const char *const *)wordings_same))];
		const char *from = pick(group, r), *to = pick(group, r), *at = strcasestr(out->s, from);
		const size_t n = strlen(from);
		struct str s = STR_INIT;

		if (from == to || !at || (at > out->s && (isalnum((unsigned char)at[-1]) || at[-1] == '<')) || isalnum((unsigned char)at[n]))
			continue;
		str_add(&s, out->s, (size_t)(at - out->s));
		str_adds(&s, to);
		str_adds(&s, at + n);
		str_free(out);
		*out = s;
	}
}

/* The bare words of one or two wordings, in this or that order. */
static void bare_words(const struct augment *a, const struct group *g, size_t i, struct rng *r, struct str *out)
{
	const char *from[2] = { a->question[i], a->question[g->question[rng_below(r, g->n)]] };
	const bool two = g->n > 1 && rng_below(r, 3) == 0;
	char *kept[2 * WORDS];
	struct words ws[2];
	struct str s = STR_INIT;
	size_t n = 0;

	for (size_t k = 0; k < 2; k++) {
		words_cut(&ws[k], from[k]);
		for (size_t j = 0; (k == 0 || two) && j < ws[k].n; j++)
			if (*ws[k].stem[j] && !is_function(ws[k].w[j]) && !(k == 1 && in_words(&ws[0], ws[1].stem[j])))
				kept[n++] = ws[k].w[j];
	}
	if (rng_below(r, 2))
		rng_shuffle(r, kept, n, sizeof(*kept));
	for (size_t k = 0; k < n; k++)
		add_bare(&s, kept[k]);
	fill_frame(pick(wordings_frames, r), s.len ? s.s : from[0], out);
	str_free(&s);
	words_free(&ws[0]);
	words_free(&ws[1]);
}

void augment_wording(const struct augment *a, size_t i, struct rng *r, struct str *out)
{
	const struct group *g = &a->group[a->group_of[i]];
	const double how = rng_uniform(r);
	const bool codes = is_placeholder(a->question[i]);

	str_reset(out);
	if (how < 0.45 && g->aspect != ASPECTS && g->thing && !codes)
		in_aspect(g->aspect, g->thing, r, out);
	else if (how < 0.6 && !codes)
		bare_words(a, g, i, r, out);
	else if (how < 0.8)
		other_words(a->question[i], r, out);
	else
		str_adds(out, a->question[i]);
	noise(out, r);
}

/* ---- look-alikes ---- */

/* The words of a list, or single digits, that exclude one another. */
static bool other_kind(const char *word, struct rng *r, struct str *out)
{
	const size_t n = strcspn(word, "?!.,;:");

	for (const char *const *const *k = wordings_kinds; *k; k++) {
		for (const char *const *w = *k; *w; w++) {
			const char *other = pick(*k, r);

			if (strlen(*w) != n || strncasecmp(word, *w, n) != 0)
				continue;
			while (strcmp(other, *w) == 0)
				other = pick(*k, r);
			str_adds(out, other);
			str_adds(out, word + n);
			return true;
		}
	}
	return false;
}

static bool other_number(const char *word, struct rng *r, struct str *out)
{
	const size_t start = out->len;
	bool changed = false;

	for (const char *p = word; *p; p++) {
		char c = *p;

		if (isdigit((unsigned char)c)) {
			c = (char)('1' + rng_below(r, 9));
			changed = changed || c != *p;
		}
		str_addc(out, c);
	}
	if (!changed) {
		out->len = start;
		out->s[start] = '\0';
	}
	return changed;
}

/* One of the words that name the thing becomes another. */
static bool swap_word(const struct augment *a, const struct group *g, const char *question, struct rng *r, struct str *out)
{
	struct words ws;
	size_t place[WORDS], n = 0, at;

	words_cut(&ws, question);
	for (size_t i = 0; i < ws.n; i++)
		if (of_thing(a, g, &ws, i) && in_list(g->stem, g->stems, ws.stem[i]))
			place[n++] = i;
	at = n ? place[rng_below(r, n)] : ws.n;
	str_reset(out);
	for (size_t i = 0; i < ws.n && n; i++) {
		const char *w = ws.w[i];
		const size_t len = strcspn(w, "?!.,;:");

		if (i > 0)
			str_addc(out, ' ');
		if (i != at) {
			str_adds(out, w);
			continue;
		}
		if (other_kind(w, r, out) || other_number(w, r, out))
			continue;
		str_adds(out, isupper((unsigned char)w[0]) || rng_below(r, 2) ? pick(wordings_names, r) : pick(wordings_things, r));
		str_adds(out, w + len);
	}
	words_free(&ws);
	return n > 0;
}

/* Whether some answer's thing and aspect are both in a made-up question: then it may be answered after all. */
static bool answered(const struct augment *a, const struct group *own, size_t aspect, bool same_thing, const char *question)
{
	struct words ws;
	bool hit = false;

	words_cut(&ws, question);
	for (size_t i = 0; i < a->groups && !hit; i++) {
		const struct group *g = &a->group[i];
		bool all = g->stems > 0;

		if (g == own && same_thing)      /* only another aspect was asked for, and that was seen to */
			continue;
		for (size_t k = 0; k < g->stems; k++)
			all = all && in_words(&ws, g->stem[k]);
		hit = all && (g == own || g->aspect == ASPECTS || aspect == ASPECTS || g->aspect == aspect);
	}
	words_free(&ws);
	return hit;
}

bool augment_lookalike(const struct augment *a, size_t i, struct rng *r, struct str *out)
{
	const struct group *g = &a->group[a->group_of[i]];
	struct str t = STR_INIT;
	bool found = false;

	for (size_t try = 0; try < TRIES && !found; try++) {
		const double how = rng_uniform(r);
		size_t aspect = g->aspect;
		bool same_thing = false;

		str_reset(out);
		if (how < 0.4 && g->thing) {
			/* another aspect of the same thing */
			aspect = rng_below(r, a->aspects);
			same_thing = true;
			if (aspect == g->aspect || g->score[aspect] > 0.3 * g->score[g->aspect == ASPECTS ? aspect : g->aspect])
				continue;
			in_aspect(aspect, g->thing, r, out);
		} else if (how < 0.55) {
			/* another thing in the same aspect, or in the frame of a wording */
			str_reset(&t);
			if (rng_below(r, 2))
				str_addf(&t, "%s ", pick(wordings_names, r));
			str_adds(&t, pick(wordings_things, r));
			in_aspect(aspect == ASPECTS ? rng_below(r, a->aspects) : aspect, t.s, r, out);
		} else if (!swap_word(a, g, a->question[i], r, out)) {
			continue;
		}
		found = !answered(a, g, aspect, same_thing, out->s);
	}
	if (found)
		noise(out, r);
	str_free(&t);
	return found;
}
