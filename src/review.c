/* SPDX-License-Identifier: GPL-3.0-or-later */
/* review: order, edits of proposed examples, and what speaks against them beside the others (by themselves: review_flags.c). */
#include "review.h"

#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "redact.h"
#include "review_private.h"
#include "worddiff.h"

/* ---- against the other examples ---- */

struct known {
	struct store_example x;
	uint64_t question, answer;    /* hashes */
	size_t changed;
	struct str marked;
	bool proposed;
};

struct all {
	struct known *v;
	size_t n, cap;
};

static int by_word(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The same for texts that differ in order, case, marks and small words only. */
static uint64_t hash_words(const char *text, bool all_words)
{
	static const char *const small[] = {
		"a", "an", "the", "i", "my", "me", "you", "your", "it", "is", "are", "do", "does", "can", "could", "to", "of", "for", "in", "on",
		"please", "hi", "hello", "hey", "and", "so", "just", "tell"
	};
	char *copy = xstrdup(text), *word[256], *save = NULL;
	size_t n = 0;
	uint64_t h = 14695981039346656037u;

	for (char *p = copy; *p; p++)
		if ((unsigned char)*p < 0x80)
			*p = isalnum((unsigned char)*p) || *p == '_' ? (char)tolower((unsigned char)*p) : ' ';
	for (char *w = strtok_r(copy, " ", &save); w && n < 256; w = strtok_r(NULL, " ", &save)) {
		bool skip = false;

		for (size_t k = 0; !all_words && k < sizeof(small) / sizeof(small[0]); k++)
			skip = skip || strcmp(w, small[k]) == 0;
		if (!skip)
			word[n++] = w;
	}
	if (!all_words)
		qsort(word, n, sizeof(word[0]), by_word);
	for (size_t i = 0; i < n; i++)
		for (const char *p = word[i];; p++) {
			h = (h ^ (unsigned char)*p) * 1099511628211u;
			if (!*p)
				break;
		}
	free(copy);
	return h;
}

static bool take(const struct store_example *x, void *arg)
{
	struct all *a = arg;
	struct known *k;

	if (a->n == a->cap) {
		a->cap = a->cap ? a->cap * 2 : 64;
		a->v = xreallocarray(a->v, a->cap, sizeof(*a->v));
	}
	k = &a->v[a->n++];
	*k = (struct known){
		.x = {
			.id = x->id, .conversation = x->conversation, .message = x->message, .chat = xstrdup(x->chat), .question = xstrdup(x->question),
			.answer = xstrdup(x->answer), .suggested = xstrdup(x->suggested), .state = xstrdup(x->state), .origin = xstrdup(x->origin),
			.flags = xstrdup(x->flags), .values = xstrdup(x->values ? x->values : "{}"), .weight = x->weight, .created = x->created,
			.decided = x->decided,
		},
		.question = hash_words(x->question, false), .answer = hash_words(x->answer, true),
		.marked = STR_INIT, .proposed = strcmp(x->state, "proposed") == 0,
	};
	k->changed = worddiff_mark(*x->suggested ? x->suggested : x->answer, x->answer, &k->marked);
	return true;
}

/* By question, approved ones before the others, older ones first. */
static int by_question(const void *pa, const void *pb)
{
	const struct known *a = *(struct known *const *)pa, *b = *(struct known *const *)pb;
	const int xa = strcmp(a->x.state, "approved") != 0, xb = strcmp(b->x.state, "approved") != 0;

	if (a->question != b->question)
		return a->question < b->question ? -1 : 1;
	if (xa != xb)
		return xa - xb;
	return a->x.id < b->x.id ? -1 : a->x.id > b->x.id;
}

static int by_change(const void *pa, const void *pb)
{
	const struct known *a = *(struct known *const *)pa, *b = *(struct known *const *)pb;

	if (a->proposed != b->proposed)
		return a->proposed ? -1 : 1;
	if (a->proposed && a->changed != b->changed)
		return a->changed > b->changed ? -1 : 1;
	return a->x.id < b->x.id ? -1 : a->x.id > b->x.id;
}

/* sorted: by_question. Rejected ones neither warn nor are warned of. */
static void compare(struct known *const *sorted, size_t i, struct str *flags)
{
	const struct known *k = sorted[i];
	size_t first = i;
	bool duplicate = false, contradiction = false;

	while (first > 0 && sorted[first - 1]->question == k->question)
		first--;
	for (size_t j = first; j < i && j < first + 200; j++) {
		const struct known *o = sorted[j];

		if (strcmp(o->x.state, "rejected") == 0)
			continue;
		if (o->answer == k->answer)
			duplicate = true;
		else if (strcmp(o->x.state, "approved") == 0 &&
		         (worddiff_alike(o->x.answer, k->x.answer) < 0.6 || review_says_otherwise(o->x.answer, k->x.answer)))
			contradiction = true;
	}
	if (duplicate)
		review_add_flag(flags, "duplicate");
	if (contradiction)
		review_add_flag(flags, "contradiction");
}

int review_list(struct store *s, bool everything, bool (*each)(const struct review_item *i, void *arg), void *arg, struct err *e)
{
	struct all a = { NULL, 0, 0 };
	struct known **by = NULL;
	struct str *flags = NULL;
	const int rc = store_examples(s, NULL, take, &a, e);

	if (rc == 0 && a.n > 0) {
		by = xcalloc(a.n, sizeof(struct known *));
		flags = xcalloc(a.n, sizeof(*flags));
		for (size_t i = 0; i < a.n; i++)
			by[i] = &a.v[i];
		qsort(by, a.n, sizeof(struct known *), by_question);
		for (size_t i = 0; i < a.n; i++) {
			struct str *f = &flags[by[i] - a.v];

			*f = (struct str)STR_INIT;
			if (!by[i]->proposed)
				continue;
			review_flags(by[i]->x.question, by[i]->x.answer, f);
			compare(by, i, f);
		}
		qsort(by, a.n, sizeof(struct known *), by_change);
	}
	for (size_t i = 0; rc == 0 && i < a.n; i++) {
		const struct known *k = by[i];
		const struct review_item item = { &k->x, k->marked.s, *k->x.suggested ? k->changed : 0,
			k->proposed ? flags[k - a.v].s : k->x.flags };

		if ((!everything && !k->proposed) || !each(&item, arg))
			break;
	}
	for (size_t i = 0; i < a.n; i++) {
		store_example_free(&a.v[i].x);
		str_free(&a.v[i].marked);
		if (flags)
			str_free(&flags[i]);
	}
	free(flags);
	free(by);
	free(a.v);
	return rc;
}

/* ---- edit ---- */

int review_edit(struct store *s, int64_t id, const char *company, const char *answer, struct err *e)
{
	struct redact_map *map;
	struct store_example x;
	struct str clean = STR_INIT;
	json_t *o, *messages;
	char *text;
	int rc;

	if (answer[strspn(answer, " \t\r\n")] == '\0')
		return err_set(e, ERR_USAGE, "an answer of no words teaches nothing: reject it instead");
	if ((rc = store_example_get(s, id, &x, e)) < 0)
		return rc;
	map = redact_map_new(company);
	redact_text(map, answer, strlen(answer), &clean);
	redact_map_free(map);
	o = json_loads(x.chat, 0, NULL);
	messages = json_object_get(o, "messages");
	json_object_set_new(json_array_get(messages, json_array_size(messages) - 1), "content", json_string(clean.s));
	text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	rc = text ? store_example_settle(s, id, text, clean.s, "approved", e) :
		err_set(e, ERR_FORMAT, "example %lld is damaged: reject it", (long long)id);
	free(text);
	json_decref(o);
	store_example_free(&x);
	str_free(&clean);
	return rc;
}
