/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reword: what is made of the lists, and the verdicts. */
#include "reword.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "augment.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/str.h"
#include "memory.h"
#include "paths.h"
#include "reword_private.h"
#include "wordings.h"

/* Verdicts. What was made to ask the same and scores so much does; what was made to ask for something else and scores less
 * than that does not. The rest is left out: rules and memory do not agree. */
static const double score_same = 0.7, score_other = 0.3;
/* Frames ask alike from this cosine on, and this part of the nearest one's. */
static const float near_least = 0.35F, near_part = 0.75F;
enum { NEAR_FRAMES = 40, TRIES_EACH = 4, LONGEST = 300 };

/* Frames that ask most alike, best first. */
struct near {
	size_t frame[NEAR_FRAMES], n;
};

struct reword {
	struct augment *augment;
	struct encoder *en;
	struct memory *memory;
	struct reword_words question;
	struct reword_lists lists;
	struct near *near;            /* [question]; NULL: nobody judges */
};

struct reword *reword_new(const char *encoder, const char *lists, const char *company)
{
	struct reword *w = xcalloc(1, sizeof(*w));
	char *path = encoder ? xstrdup(encoder) : NULL, *folder = lists ? xstrdup(lists) : NULL;

	w->augment = augment_new();
	if ((path || paths_shipped("encoder.safetensors", &path, NULL) == 0) && encoder_open(&w->en, path, NULL) < 0)
		w->en = NULL;
	if (folder || paths_shipped("wordings", &folder, NULL) == 0)
		reword_lists_read(&w->lists, folder);
	w->memory = memory_new(w->en, company);
	free(path);
	free(folder);
	return w;
}

void reword_free(struct reword *w)
{
	if (!w)
		return;
	reword_words_free(&w->question);
	reword_lists_free(&w->lists);
	memory_free(w->memory);
	encoder_free(w->en);
	augment_free(w->augment);
	free(w->near);
	free(w);
}

void reword_add(struct reword *w, const char *question, const char *answer)
{
	augment_add(w->augment, question, answer);
	memory_add(w->memory, (int64_t)w->question.n, 0, question, answer, NULL);
	reword_words_add(&w->question, question);
}

bool reword_judges(const struct reword *w)
{
	return w->near != NULL;
}

/* ---- pieces of text ---- */

static bool part_of_word(char c)
{
	return isalnum((unsigned char)c) || c == '\'' || c == '<' || c == '_' || (unsigned char)c >= 0x80;
}

/* what in text, as whole words, in any case; NULL: not there. */
static const char *find_words(const char *text, const char *what)
{
	const size_t n = strlen(what);

	for (const char *p = text; n > 0 && (p = strcasestr(p, what)) != NULL; p++)
		if ((p == text || !part_of_word(p[-1])) && !part_of_word(p[n]))
			return p;
	return NULL;
}

/* text with `to` in the place of n bytes at `at`. */
static void put_for(const char *text, const char *at, size_t n, const char *to, struct str *out)
{
	struct str s = STR_INIT;

	str_add(&s, text, (size_t)(at - text));
	str_adds(&s, to);
	str_adds(&s, at + n);
	str_free(out);
	*out = s;
}

static void fill_frame(const char *frame, const char *thing, struct str *out)
{
	const char *hole = strstr(frame, "{x}");
	size_t n = 3;

	/* "the {x}": as good with another article, or none */
	if (hole - frame >= 4 && strncmp(hole - 4, "the ", 4) == 0 && isupper((unsigned char)*thing)) {
		hole -= 4;
		n += 4;
	}
	put_for(frame, hole, n, thing, out);
}

/* ---- what is alike ---- */

/* What is asked of it: the words that name the thing out, "it" for the first of them. */
static void without_thing(const char *question, const char *thing, struct str *out)
{
	char *copy = xstrdup(thing), *save = NULL;
	bool first = true;

	str_reset(out);
	str_adds(out, question);
	for (char *p = strtok_r(copy, " ", &save); p; p = strtok_r(NULL, " ", &save)) {
		const char *at = wordings_is_function(p) ? NULL : find_words(out->s, p);

		if (!at)
			continue;
		put_for(out->s, at, strlen(p), first ? "it" : "", out);
		first = false;
	}
	free(copy);
}

static void near_frames(struct reword *w, float (*frame)[ENCODER_DIM], size_t i)
{
	struct near *near = &w->near[i];
	float score[NEAR_FRAMES], v[ENCODER_DIM];
	struct str s = STR_INIT;

	without_thing(w->question.v[i], augment_thing(w->augment, i), &s);
	encoder_vector(w->en, s.s ? s.s : "", s.len, v);
	str_free(&s);
	for (size_t f = 0; f < w->lists.frame.n; f++) {
		float x = 0;
		size_t k;

		for (size_t d = 0; d < ENCODER_DIM; d++)
			x += v[d] * frame[f][d];
		if (x < near_least || (near->n == NEAR_FRAMES && x <= score[near->n - 1]))
			continue;
		for (k = near->n < NEAR_FRAMES ? near->n++ : near->n - 1; k > 0 && score[k - 1] < x; k--) {
			score[k] = score[k - 1];
			near->frame[k] = near->frame[k - 1];
		}
		score[k] = x;
		near->frame[k] = f;
	}
	while (near->n > 0 && score[near->n - 1] < near_part * score[0])
		near->n--;
}

void reword_prepare(struct reword *w, bool judge)
{
	float (*frame)[ENCODER_DIM];
	struct str s = STR_INIT;

	augment_prepare(w->augment);
	if (!judge || !w->en || w->lists.frame.n == 0 || w->lists.groups == 0)
		return;
	memory_compute(w->memory);
	frame = xcalloc(w->lists.frame.n, sizeof(*frame));
	w->near = xcalloc(w->question.n + 1, sizeof(*w->near));
	for (size_t f = 0; f < w->lists.frame.n; f++) {
		fill_frame(w->lists.frame.v[f], "It", &s);
		encoder_vector(w->en, s.s, s.len, frame[f]);
	}
	for (size_t i = 0; i < w->question.n; i++)
		near_frames(w, frame, i);
	str_free(&s);
	free(frame);
}

/* ---- making ---- */

static const char *pick(const struct reword_words *w, struct rng *r)
{
	return w->v[rng_below(r, w->n)];
}

/* Some words by others that say the same: of all that could be, one at random, a few times. */
static void same_words(const struct reword *w, struct rng *r, struct str *s)
{
	for (size_t times = 1 + rng_below(r, 3); times > 0; times--) {
		const char *best = NULL;
		size_t seen = 0, group = 0, which = 0;

		for (size_t g = 0; g < w->lists.groups; g++)
			for (size_t k = 0; k < w->lists.same[g].n; k++) {
				const char *at = find_words(s->s, w->lists.same[g].v[k]);

				if (at && rng_below(r, ++seen) == 0) {
					best = at;
					group = g;
					which = k;
				}
			}
		if (!best)
			return;
		put_for(s->s, best, strlen(w->lists.same[group].v[which]), pick(&w->lists.same[group], r), s);
	}
}

/* One word that says something by another that says something else. */
static bool other_word(const struct reword *w, struct rng *r, struct str *s)
{
	const char *p = s->s, *best = NULL;
	size_t seen = 0, len = 0;

	while (*p) {
		const size_t n = strcspn(p, " ?!.,;:");
		char word[64];

		if (n > 2 && n < sizeof(word) && !memchr(p, '<', n)) {
			for (size_t i = 0; i < n; i++)
				word[i] = (char)tolower((unsigned char)p[i]);
			word[n] = '\0';
			if (!wordings_is_function(word) && rng_below(r, ++seen) == 0) {
				best = p;
				len = n;
			}
		}
		p += n;
		p += strspn(p, " ?!.,;:");
	}
	if (best)
		put_for(s->s, best, len, pick(&w->lists.content, r), s);
	return best != NULL;
}

/* Another answer's question about this one's thing. */
static bool crossed(const struct reword *w, size_t i, struct rng *r, struct str *s)
{
	const size_t k = rng_below(r, w->question.n);
	const char *thing = augment_thing(w->augment, i), *theirs = augment_thing(w->augment, k), *at;

	if (!*thing || !*theirs || !(at = find_words(w->question.v[k], theirs)))
		return false;
	put_for(w->question.v[k], at, strlen(theirs), thing, s);
	return true;
}

/* A question out of question i's words: perhaps it still asks the same. */
static bool make(const struct reword *w, size_t i, bool like, struct rng *r, struct str *s)
{
	const char *thing = augment_thing(w->augment, i);
	const struct near *near = &w->near[i];
	const double how = rng_uniform(r);

	str_reset(s);
	if (like) {
		if (how < 0.35 && *thing && near->n > 0) {
			fill_frame(w->lists.frame.v[near->frame[rng_below(r, near->n)]], thing, s);
			if (rng_below(r, 2))
				same_words(w, r, s);
			augment_noise(s, r);
		} else if (how < 0.7) {
			str_adds(s, w->question.v[i]);
			same_words(w, r, s);
			augment_noise(s, r);
		} else {
			augment_wording(w->augment, i, r, s);
			if (s->len > 0 && rng_below(r, 2))
				same_words(w, r, s);
		}
	} else if (how < 0.25 && *thing) {
		fill_frame(pick(&w->lists.frame, r), thing, s);
		augment_noise(s, r);
	} else if (how < 0.55) {
		str_adds(s, w->question.v[i]);
		if (!other_word(w, r, s))
			return false;
		if (rng_below(r, 2))
			same_words(w, r, s);
		augment_noise(s, r);
	} else if (how < 0.65) {
		if (!crossed(w, i, r, s))
			return false;
		augment_noise(s, r);
	} else if (!augment_lookalike(w->augment, i, r, s)) {
		return false;
	}
	return s->len > 0 && s->len <= LONGEST;
}

static void list_add(struct reword_list *l, const char *text, size_t of)
{
	for (size_t k = 0; k < l->n; k++)
		if (strcmp(l->v[k].text, text) == 0)
			return;
	if (l->n == l->cap) {
		l->cap = l->cap ? 2 * l->cap : 64;
		l->v = xreallocarray(l->v, l->cap, sizeof(*l->v));
	}
	l->v[l->n++] = (struct reword_item){ xstrdup(text), of };
}

void reword_list_free(struct reword_list *l)
{
	for (size_t k = 0; k < l->n; k++)
		free(l->v[k].text);
	free(l->v);
	*l = (struct reword_list){ 0 };
}

static void by_rules(const struct reword *w, size_t i, size_t wordings, size_t lookalikes, struct rng *r, struct reword_list *same,
                     struct reword_list *other)
{
	struct str s = STR_INIT;

	for (size_t k = 0; k < wordings; k++) {
		augment_wording(w->augment, i, r, &s);
		list_add(same, s.s ? s.s : "", i);
	}
	for (size_t k = 0; k < lookalikes; k++)
		if (augment_lookalike(w->augment, i, r, &s))
			list_add(other, s.s, i);
	str_free(&s);
}

void reword_make(const struct reword *w, size_t i, size_t wordings, size_t lookalikes, uint64_t seed, struct reword_list *same,
                 struct reword_list *other)
{
	struct str s = STR_INIT;
	struct rng r;

	rng_seed(&r, seed);
	/* what the customer's own codes stand in is matched by the rules, which keep them */
	if (!reword_judges(w) || !*w->question.v[i] || strchr(w->question.v[i], '<')) {
		by_rules(w, i, wordings, lookalikes, &r, same, other);
		return;
	}
	for (size_t try = 0; try < TRIES_EACH * (wordings + lookalikes) && (same->n < wordings || other->n < lookalikes); try++) {
		const bool like = other->n >= lookalikes || (same->n < wordings && rng_below(&r, wordings + lookalikes) < wordings);
		struct memory_near near;
		double score = 0;
		size_t of = i;

		if (!make(w, i, like, &r, &s))
			continue;
		if (memory_nearest(w->memory, s.s, s.len, &near, 1) > 0) {
			score = near.score;
			of = near.at;
		}
		if (like && score >= score_same)
			list_add(same, s.s, of);
		else if (!like && score < score_other)
			list_add(other, s.s, of);
	}
	str_free(&s);
}
