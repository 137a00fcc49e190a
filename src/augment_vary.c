/* SPDX-License-Identifier: GPL-3.0-or-later */
/* augment_vary: other ways to ask for the same, and ways to ask for something else. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "augment_private.h"
#include "wordings.h"

enum { TRIES = 12 };

static const char *pick(const char *const *list, struct rng *r)
{
	return list[rng_below(r, augment_list_length(list))];
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

void augment_noise(struct str *s, struct rng *r)
{
	const double lower = rng_uniform(r), bare = rng_uniform(r), wrong = rng_uniform(r);
	struct str out = STR_INIT;
	struct augment_words ws;

	augment_words_cut(&ws, s->s);
	if (wrong < 0.2 && ws.n > 0) {
		char *w = ws.w[rng_below(r, ws.n)];

		if (strlen(w) > 3 && !augment_is_placeholder(w))
			misspell(w, r);
	}
	if (rng_uniform(r) < 0.3)
		str_adds(&out, pick(wordings_before, r));
	for (size_t i = 0; i < ws.n; i++) {
		if (ws.n > 3 && augment_is_function(ws.w[i]) && !augment_is_placeholder(ws.w[i]) && rng_uniform(r) < 0.08)
			continue;
		if (lower < 0.4 && !augment_is_placeholder(ws.w[i]))
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
	augment_words_free(&ws);
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
		const char *const *group = wordings_same[rng_below(r, augment_list_length((const char *const *)wordings_same))];
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
static void bare_words(const struct augment *a, const struct augment_group *g, size_t i, struct rng *r, struct str *out)
{
	const char *from[2] = { a->question[i], a->question[g->question[rng_below(r, g->n)]] };
	const bool two = g->n > 1 && rng_below(r, 3) == 0;
	char *kept[2 * AUGMENT_WORDS];
	struct augment_words ws[2];
	struct str s = STR_INIT;
	size_t n = 0;

	for (size_t k = 0; k < 2; k++) {
		augment_words_cut(&ws[k], from[k]);
		for (size_t j = 0; (k == 0 || two) && j < ws[k].n; j++)
			if (*ws[k].stem[j] && !augment_is_function(ws[k].w[j]) && !(k == 1 && augment_in_words(&ws[0], ws[1].stem[j])))
				kept[n++] = ws[k].w[j];
	}
	if (rng_below(r, 2))
		rng_shuffle(r, kept, n, sizeof(*kept));
	for (size_t k = 0; k < n; k++)
		augment_add_bare(&s, kept[k]);
	fill_frame(pick(wordings_frames, r), s.len ? s.s : from[0], out);
	str_free(&s);
	augment_words_free(&ws[0]);
	augment_words_free(&ws[1]);
}

void augment_wording(const struct augment *a, size_t i, struct rng *r, struct str *out)
{
	const struct augment_group *g = &a->group[a->group_of[i]];
	const double how = rng_uniform(r);
	const bool codes = augment_is_placeholder(a->question[i]);

	str_reset(out);
	if (how < 0.45 && g->aspect != AUGMENT_ASPECTS && g->thing && !codes)
		in_aspect(g->aspect, g->thing, r, out);
	else if (how < 0.6 && !codes)
		bare_words(a, g, i, r, out);
	else if (how < 0.8)
		other_words(a->question[i], r, out);
	else
		str_adds(out, a->question[i]);
	augment_noise(out, r);
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
static bool swap_word(const struct augment *a, const struct augment_group *g, const char *question, struct rng *r, struct str *out)
{
	struct augment_words ws;
	size_t place[AUGMENT_WORDS], n = 0, at;

	augment_words_cut(&ws, question);
	for (size_t i = 0; i < ws.n; i++)
		if (augment_of_thing(a, g, &ws, i) && augment_in_list(g->stem, g->stems, ws.stem[i]))
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
	augment_words_free(&ws);
	return n > 0;
}

/* Whether some answer's thing and aspect are both in a made-up question: then it may be answered after all. */
static bool answered(const struct augment *a, const struct augment_group *own, size_t aspect, bool same_thing, const char *question)
{
	struct augment_words ws;
	bool hit = false;

	augment_words_cut(&ws, question);
	for (size_t i = 0; i < a->groups && !hit; i++) {
		const struct augment_group *g = &a->group[i];
		bool all = g->stems > 0;

		if (g == own && same_thing)      /* only another aspect was asked for, and that was seen to */
			continue;
		for (size_t k = 0; k < g->stems; k++)
			all = all && augment_in_words(&ws, g->stem[k]);
		hit = all && (g == own || g->aspect == AUGMENT_ASPECTS || aspect == AUGMENT_ASPECTS || g->aspect == aspect);
	}
	augment_words_free(&ws);
	return hit;
}

bool augment_lookalike(const struct augment *a, size_t i, struct rng *r, struct str *out)
{
	const struct augment_group *g = &a->group[a->group_of[i]];
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
			if (aspect == g->aspect || g->score[aspect] > 0.3 * g->score[g->aspect == AUGMENT_ASPECTS ? aspect : g->aspect])
				continue;
			in_aspect(aspect, g->thing, r, out);
		} else if (how < 0.55) {
			/* another thing in the same aspect, or in the frame of a wording */
			str_reset(&t);
			if (rng_below(r, 2))
				str_addf(&t, "%s ", pick(wordings_names, r));
			str_adds(&t, pick(wordings_things, r));
			in_aspect(aspect == AUGMENT_ASPECTS ? rng_below(r, a->aspects) : aspect, t.s, r, out);
		} else if (!swap_word(a, g, a->question[i], r, out)) {
			continue;
		}
		found = !answered(a, g, aspect, same_thing, out->s);
	}
	if (found)
		augment_noise(out, r);
	str_free(&t);
	return found;
}
