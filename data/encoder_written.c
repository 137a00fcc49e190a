/* SPDX-License-Identifier: GPL-3.0-or-later */
/* encoder_written: groups out of the project's own texts. */
#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../src/base/mem.h"
#include "corpus_tool.h"
#include "encoder_tool.h"

int encoder_lines(const char *path, encoder_line *each, void *arg, struct err *e)
{
	FILE *f = fopen(path, "r");
	struct str line = STR_INIT;
	size_t no = 0;
	int rc = 0;

	if (!f)
		return err_set(e, ERR_IO, "%s: cannot open: %s", path, strerror(errno));
	while (rc == 0 && str_readline(&line, f)) {
		struct str where = STR_INIT;
		json_error_t je;
		json_t *root;

		no++;
		if (line.len == 0)
			continue;
		str_addf(&where, "%s:%zu", path, no);
		root = json_loadb(line.s, line.len, 0, &je);
		rc = json_is_object(root) ? each(arg, root, where.s, e) :
			err_set(e, ERR_FORMAT, "%s: %s", where.s, root ? "not an object" : je.text);
		json_decref(root);
		str_free(&where);
	}
	str_free(&line);
	fclose(f);
	return rc;
}

/* ---- data/wordings/ask.jsonl: questions about {x}, and things that can be x ---- */

enum { LISTS = 16 };

struct wordings {
	struct encoder_groups *g;
	struct rng *r;
	json_t *things;               /* name -> list */
	struct {
		const char *name;
		uint32_t first;       /* near key of its first thing */
	} list[LISTS];
	size_t lists, each;
	uint32_t it;                  /* near key of all questions about "it" */
};

/* text with {x} replaced */
static char *with_thing(const char *text, const char *thing)
{
	const char *at = strstr(text, "{x}");
	struct str s = STR_INIT;

	str_add(&s, text, (size_t)(at - text));
	str_adds(&s, thing);
	str_adds(&s, at + 3);
	return str_detach(&s);
}

/* "Kestor", "Mirva", "Talon": what shops call their things. */
static void make_name(struct rng *r, struct str *out)
{
	static const char *const first[] = { "B", "Br", "C", "Cor", "D", "F", "G", "Gr", "H", "J", "K", "Kr", "L", "M", "N", "P", "Pr", "R", "S",
		"St", "T", "Tr", "V", "W", "Z", "Al", "El", "Or", "Un", "In" };
	static const char *const vowel[] = { "a", "e", "i", "o", "u", "a", "e", "o", "ai", "ea", "oo" };
	static const char *const middle[] = { "l", "r", "n", "v", "d", "m", "st", "nd", "lt", "rk", "b", "g", "nt", "x", "ss", "ll" };
	static const char *const last[] = { "a", "o", "ia", "en", "er", "on", "is", "ax", "ell", "ine", "ow", "y", "um", "ette", "ford", "wood", "field" };
	enum { F = sizeof(first) / sizeof(*first), V = sizeof(vowel) / sizeof(*vowel), M = sizeof(middle) / sizeof(*middle),
	       L = sizeof(last) / sizeof(*last) };

	str_adds(out, first[rng_below(r, F)]);
	str_adds(out, vowel[rng_below(r, V)]);
	str_adds(out, middle[rng_below(r, M)]);
	if (rng_uniform(r) < 0.8)
		str_adds(out, last[rng_below(r, L)]);
}

/* One question about one thing. name: "" or what it is called, which some say instead of what it is. */
static void ask_one(struct wordings *w, const json_t *texts, const char *thing, const char *name, uint32_t near, uint32_t intent)
{
	struct encoder_group *g = encoder_groups_add(w->g, SOURCE_ASK);
	const json_t *text;
	size_t i;

	g->near[0] = near;
	g->near[1] = intent;
	json_array_foreach(texts, i, text) {
		const size_t kinds = *name ? 2 : 1;

		for (size_t k = 0; k < kinds; k++) {
			struct str x = STR_INIT;
			char *s;

			if (k == 1 && rng_uniform(w->r) < 0.6)
				continue;
			str_addf(&x, "%s%s%s", name, *name && k == 0 ? " " : "", k == 0 ? thing : "");
			s = with_thing(json_string_value(text), x.s);
			encoder_group_text(g, s);
			free(s);
			str_free(&x);
		}
	}
}

static int ask_about(struct wordings *w, const json_t *texts, const char *list, uint32_t intent, size_t share,
                     const char *where, struct err *e)
{
	const json_t *things = json_object_get(w->things, list);
	const size_t n = json_array_size(things);
	uint32_t first = 0;
	const json_t *text;
	size_t *order, i;
	int rc = 0;

	for (i = 0; i < w->lists; i++)
		first = strcmp(w->list[i].name, list) == 0 ? w->list[i].first : first;
	if (n == 0 || first == 0)
		return err_set(e, ERR_FORMAT, "%s: there is no list \"%s\" of things", where, list);
	order = xcalloc(n, sizeof(*order));
	for (i = 0; i < n; i++)
		order[i] = i;
	rng_shuffle(w->r, order, n, sizeof(*order));
	json_array_foreach(texts, i, text)
		if (!json_is_string(text) || !strstr(json_string_value(text), "{x}"))
			rc = err_set(e, ERR_FORMAT, "%s: text %zu says nothing of {x}", where, i + 1);
	for (size_t k = 0; rc == 0 && k < share && k < n; k++) {
		const char *thing = json_string_value(json_array_get(things, order[k]));

		/* every other thing has a name, and then there are two of different names */
		if (k % 2) {
			struct str a = STR_INIT, b = STR_INIT;

			make_name(w->r, &a);
			make_name(w->r, &b);
			ask_one(w, texts, thing, a.s, first + (uint32_t)order[k], intent);
			ask_one(w, texts, thing, b.s, first + (uint32_t)order[k], intent);
			str_free(&a);
			str_free(&b);
		} else {
			ask_one(w, texts, thing, "", first + (uint32_t)order[k], intent);
		}
	}
	free(order);
	return rc;
}

/* "how much is the {x}", "my {x} is late": about "it", so that what is asked is learned apart from what of. */
static void ask_it(struct wordings *w, const json_t *texts)
{
	static const char *const before[] = { "the ", "my ", "a ", "an ", "your ", "our ", "this " };
	struct encoder_group *g = encoder_groups_add(w->g, SOURCE_ASK_IT);
	const json_t *text;
	size_t i;

	g->near[0] = g->near[1] = w->it;
	json_array_foreach(texts, i, text) {
		const char *s = json_string_value(text), *at = strstr(s, "{x}");
		struct str out = STR_INIT;
		size_t n = (size_t)(at - s);

		for (size_t k = 0; k < sizeof(before) / sizeof(*before); k++) {
			const size_t b = strlen(before[k]);

			if (n >= b && memcmp(s + n - b, before[k], b) == 0 && (n == b || s[n - b - 1] == ' ')) {
				n -= b;
				break;
			}
		}
		str_add(&out, s, n);
		str_addf(&out, "it%s", at + 3);
		encoder_group_text(g, out.s);
		str_free(&out);
	}
}

static int one_question(void *arg, const void *json, const char *where, struct err *e)
{
	struct wordings *w = arg;
	const json_t *of = json_object_get(json, "of"), *texts = json_object_get(json, "texts"), *list;
	const size_t lists = json_array_size(of);
	const uint32_t intent = ++w->g->keys;
	size_t i;
	int rc = 0;

	if (lists == 0 || json_array_size(texts) < 2)
		return err_set(e, ERR_FORMAT, "%s: wants \"of\" with lists of things, and two \"texts\" or more", where);
	json_array_foreach(of, i, list)
		if (rc == 0)
			rc = ask_about(w, texts, json_string_value(list) ? json_string_value(list) : "", intent, w->each / lists, where, e);
	if (rc == 0)
		ask_it(w, texts);
	return rc;
}

/* ---- data/wordings/words.jsonl: words and phrases that mean the same ---- */

static int one_topic(void *arg, const void *json, const char *where, struct err *e)
{
	struct encoder_groups *g = arg;
	const json_t *same = json_object_get(json, "same"), *set, *word;
	const uint32_t key = ++g->keys;
	size_t i, k;

	if (json_array_size(same) == 0)
		return err_set(e, ERR_FORMAT, "%s: wants \"same\", a list of lists of words", where);
	json_array_foreach(same, i, set) {
		struct encoder_group *x = encoder_groups_add(g, SOURCE_WORDS);

		x->near[0] = x->near[1] = key;
		json_array_foreach(set, k, word)
			if (json_is_string(word))
				encoder_group_text(x, json_string_value(word));
		if (x->n < 2)
			return err_set(e, ERR_FORMAT, "%s: set %zu has less than two texts", where, i + 1);
	}
	return 0;
}

int encoder_add_wordings(struct encoder_groups *g, const char *dir, size_t things, struct rng *r, struct err *e)
{
	struct wordings w = { .g = g, .r = r, .each = things };
	struct str path = STR_INIT;
	json_error_t je;
	const char *name;
	json_t *list;
	int rc;

	str_addf(&path, "%s/things.json", dir);
	w.things = json_load_file(path.s, 0, &je);
	if (!json_is_object(w.things)) {
		rc = err_set(e, ERR_FORMAT, "%s:%d: cannot read the lists of things: %s", path.s, je.line, w.things ? "not an object" : je.text);
		json_decref(w.things);
		str_free(&path);
		return rc;
	}
	json_object_foreach(w.things, name, list)
		if (w.lists < LISTS) {
			w.list[w.lists].name = name;
			w.list[w.lists].first = g->keys + 1;
			g->keys += (uint32_t)json_array_size(list);
			w.lists++;
		}
	w.it = ++g->keys;
	str_reset(&path);
	str_addf(&path, "%s/ask.jsonl", dir);
	rc = encoder_lines(path.s, one_question, &w, e);
	if (rc == 0) {
		str_reset(&path);
		str_addf(&path, "%s/words.jsonl", dir);
		rc = encoder_lines(path.s, one_topic, g, e);
	}
	json_decref(w.things);
	str_free(&path);
	return rc;
}

/* ---- data/scenarios: the wordings of one customer's turn, by the slots they mention ---- */

enum { EXPANSIONS = 4, WORDINGS = 3 };

struct scenarios {
	struct encoder_groups *g;
	const struct corpus_slots *slots;
	struct rng *r;
	uint32_t key;                 /* of the file */
};

/* The slots that a template uses, as "{city}{product}" in their order of first use. */
static void slots_of(const char *text, struct str *out)
{
	str_reset(out);
	for (const char *p = strchr(text, '{'); p; p = strchr(p + 1, '{')) {
		const char *end = strchr(p, '}');
		struct str name = STR_INIT;

		if (!end)
			break;
		str_add(&name, p, (size_t)(end + 1 - p));
		if (!strstr(out->s, name.s))
			str_adds(out, name.s);
		str_free(&name);
	}
}

static void one_turn(struct scenarios *s, const json_t *texts)
{
	const size_t n = json_array_size(texts);
	bool *done = xcalloc(n + 1, sizeof(*done));

	for (size_t i = 0; i < n; i++) {
		struct str kind = STR_INIT;

		if (done[i])
			continue;
		slots_of(json_string_value(json_array_get(texts, i)), &kind);
		for (size_t k = 0; k < (kind.len ? EXPANSIONS : 1); k++) {
			struct corpus_fill *fill = corpus_fill_new(s->slots);
			struct encoder_group *g = encoder_groups_add(s->g, SOURCE_SCENARIOS);

			g->near[0] = g->near[1] = s->key;
			for (size_t j = i; j < n; j++) {
				const char *text = json_string_value(json_array_get(texts, j));
				struct str other = STR_INIT;

				slots_of(text, &other);
				for (size_t m = 0; strcmp(kind.s, other.s) == 0 && m < (strchr(text, '[') ? WORDINGS : 1); m++) {
					struct str out = STR_INIT;

					corpus_expand(fill, text, false, false, s->r, &out);
					encoder_group_text(g, out.s);
					str_free(&out);
					done[j] = true;
				}
				str_free(&other);
			}
			corpus_fill_free(fill);
		}
		str_free(&kind);
	}
	free(done);
}

static int one_scenario(void *arg, const void *json, const char *where, struct err *e)
{
	struct scenarios *s = arg;
	const json_t *turns = json_object_get(json, "turns"), *turn, *text;
	size_t i, k;

	json_array_foreach(turns, i, turn) {
		const char *role = json_string_value(json_object_get(turn, "role"));
		const json_t *texts = json_object_get(turn, "text");

		if (!role || strcmp(role, "user") != 0)
			continue;
		json_array_foreach(texts, k, text)
			if (!json_is_string(text) || corpus_check(s->slots, json_string_value(text), where, e) < 0)
				return json_is_string(text) ? ERR_FORMAT : err_set(e, ERR_FORMAT, "%s: a text is no text", where);
		/* what follows the first turn is mostly short answers; half a meaning */
		if (i == 0)
			one_turn(s, texts);
	}
	return 0;
}

int encoder_add_scenarios(struct encoder_groups *g, const char *dir, struct rng *r, struct err *e)
{
	static const char *const files[] = { "bank", "conversations", "shop", "smalltalk", "software", "telecom", "travel" };
	struct scenarios s = { .g = g, .r = r };
	struct corpus_slots *slots;
	struct str path = STR_INIT;
	int rc;

	str_addf(&path, "%s/slots.json", dir);
	rc = corpus_slots_open(&slots, path.s, e);
	s.slots = slots;
	for (size_t i = 0; rc == 0 && i < sizeof(files) / sizeof(files[0]); i++) {
		s.key = ++g->keys;
		str_reset(&path);
		str_addf(&path, "%s/%s.jsonl", dir, files[i]);
		rc = encoder_lines(path.s, one_scenario, &s, e);
	}
	if (slots)
		corpus_slots_close(slots);
	str_free(&path);
	return rc;
}
