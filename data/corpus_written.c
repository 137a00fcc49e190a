/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The project's own texts: conversation templates (data/scenarios) and replies to
 * intents (data/replies), read from every .jsonl file of those folders. */
#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../src/base/mem.h"
#include "corpus_tool.h"

/* ---- one JSON object a line, of all files of a folder in name order ---- */

typedef int each_line(void *ctx, const json_t *root, const char *where, struct err *e);

static int is_jsonl(const struct dirent *d)
{
	size_t n = strlen(d->d_name);

	return n > 6 && strcmp(d->d_name + n - 6, ".jsonl") == 0 && d->d_name[0] != '.';
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);     /* alphasort follows the locale */
}

static int read_file(const char *path, each_line *each, void *ctx, struct err *e)
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
		if (!json_is_object(root))
			rc = err_set(e, ERR_FORMAT, "%s: %s", where.s, root ? "not an object" : je.text);
		else
			rc = each(ctx, root, where.s, e);
		json_decref(root);
		str_free(&where);
	}
	str_free(&line);
	fclose(f);
	return rc;
}

static int read_folder(const char *dir, each_line *each, void *ctx, struct err *e)
{
	struct dirent **names;
	int n = scandir(dir, &names, is_jsonl, by_bytes), rc = 0;

	if (n < 0)
		return err_set(e, ERR_IO, "%s: cannot read the folder: %s", dir, strerror(errno));
	for (int i = 0; i < n; i++) {
		struct str path = STR_INIT;

		str_addf(&path, "%s/%s", dir, names[i]->d_name);
		if (rc == 0)
			rc = read_file(path.s, each, ctx, e);
		str_free(&path);
		free(names[i]);
	}
	free(names);
	return rc;
}

/* The texts of a list, checked. */
static int check_texts(const json_t *list, const struct corpus_slots *slots, const char *where, struct err *e)
{
	size_t i;
	json_t *t;

	if (!json_is_array(list) || json_array_size(list) == 0)
		return err_set(e, ERR_FORMAT, "%s: a list of texts is missing or empty", where);
	json_array_foreach(list, i, t) {
		if (!json_is_string(t) || json_string_length(t) == 0)
			return err_set(e, ERR_FORMAT, "%s: text %zu of a list is not text", where, i + 1);
		if (corpus_check(slots, json_string_value(t), where, e) < 0)
			return ERR_FORMAT;
	}
	return 0;
}

/* ---- scenarios ---- */

struct scenario_job {
	struct corpus_list *train, *valid;
	const struct corpus_slots *slots;
	size_t each, alternatives;
	struct rng *rng;
	struct corpus_stats *stats;
};

static uint64_t chat_hash(const struct chat *c)
{
	uint64_t h = 14695981039346656037u;

	for (size_t i = 0; i < c->n; i++)
		for (size_t k = 0; k <= c->messages[i].len; k++)
			h = (h ^ (unsigned char)c->messages[i].content[k]) * 1099511628211u;
	return h;
}

static int check_scenario(const json_t *root, const struct corpus_slots *slots, const char *where, struct err *e)
{
	const json_t *turns = json_object_get(root, "turns"), *turn;
	size_t i;

	if (!json_is_string(json_object_get(root, "id")) || !json_is_array(turns) || json_array_size(turns) < 2)
		return err_set(e, ERR_FORMAT, "%s: needs \"id\" and two or more \"turns\"", where);
	json_array_foreach(turns, i, turn) {
		const char *role = json_string_value(json_object_get(turn, "role"));

		if (!role || (strcmp(role, "user") != 0 && strcmp(role, "assistant") != 0))
			return err_set(e, ERR_FORMAT, "%s: turn %zu has no role user or assistant", where, i + 1);
		if (check_texts(json_object_get(turn, "text"), slots, where, e) < 0)
			return ERR_FORMAT;
	}
	return 0;
}

/* Each turn goes through its alternatives in its own shuffled order, so that all are heard
 * equally often. order[t] is that order for turn t. */
struct deck {
	size_t *order, n, at;
};

static size_t deck_draw(struct deck *d, struct rng *r)
{
	if (d->at == d->n) {
		rng_shuffle(r, d->order, d->n, sizeof(d->order[0]));
		d->at = 0;
	}
	return d->order[d->at++];
}

static bool make_conversation(struct scenario_job *job, const json_t *turns, struct deck *decks, struct chat *c)
{
	struct corpus_fill *fill = corpus_fill_new(job->slots);
	const json_t *turn;
	const char *company;
	bool good = true;
	size_t i;

	json_array_foreach(turns, i, turn) {
		const char *role = json_string_value(json_object_get(turn, "role"));
		const json_t *texts = json_object_get(turn, "text");
		const char *text = json_string_value(json_array_get(texts, deck_draw(&decks[i], job->rng)));
		struct str out = STR_INIT;

		if (!corpus_expand(fill, text, strcmp(role, "user") == 0, i == 0, job->rng, &out))
			good = false;
		if (out.len == 0)
			good = false;
		chat_add(c, role, out.s, out.len, 1.0);
		str_free(&out);
	}
	company = corpus_fill_company(fill);
	if (company)
		c->company = xstrdup(company);
	corpus_fill_free(fill);
	return good;
}

static int expand_scenario(void *ctx, const json_t *root, const char *where, struct err *e)
{
	struct scenario_job *job = ctx;
	const json_t *turns = json_object_get(root, "turns"), *tags = json_object_get(root, "tags");
	const char *id = json_string_value(json_object_get(root, "id"));
	size_t turn_count = json_array_size(turns), made = 0, wanted = job->each + job->each / 50;
	struct deck *decks;
	uint64_t *seen;

	if (check_scenario(root, job->slots, where, e) < 0)
		return ERR_FORMAT;
	decks = xcalloc(turn_count, sizeof(*decks));
	seen = xcalloc(wanted + 1, sizeof(*seen));
	for (size_t i = 0; i < turn_count; i++) {
		const json_t *one = json_array_get(turns, i);
		size_t n = json_array_size(json_object_get(one, "text"));

		if (job->alternatives > 0 && n > job->alternatives &&
		    strcmp(json_string_value(json_object_get(one, "role")), "assistant") == 0)
			n = job->alternatives;
		decks[i].n = decks[i].at = n;
		decks[i].order = xcalloc(decks[i].n, sizeof(size_t));
		for (size_t k = 0; k < decks[i].n; k++)
			decks[i].order[k] = k;
	}
	for (size_t k = 0; k < wanted; k++) {
		struct chat c = { 0 };
		struct str name = STR_INIT;
		bool good = make_conversation(job, turns, decks, &c);
		uint64_t h = chat_hash(&c);
		size_t s = 0;

		job->stats->in++;
		while (s < made && seen[s] != h)
			s++;
		if (!good || s < made) {
			job->stats->reasons[good ? REASON_DUPLICATE : REASON_INVENTED]++;
			chat_free(&c);
			continue;
		}
		seen[made++] = h;
		str_addf(&name, "%s-%zu", id, k);
		c.id = str_detach(&name);
		c.source = xstrdup("scenarios");
		if (json_is_string(json_array_get(tags, 0)))
			c.domain = xstrdup(json_string_value(json_array_get(tags, 0)));
		corpus_list_add(k < job->each ? job->train : job->valid, &c);
	}
	for (size_t i = 0; i < turn_count; i++)
		free(decks[i].order);
	free(decks);
	free(seen);
	return 0;
}

int corpus_add_scenarios(struct corpus_list *train, struct corpus_list *valid, const char *dir,
                         const struct corpus_slots *slots, size_t each, size_t alternatives, struct rng *r,
                         struct corpus_stats *st, struct err *e)
{
	struct scenario_job job = { train, valid, slots, each, alternatives, r, st };

	return read_folder(dir, expand_scenario, &job, e);
}

/* ---- replies ---- */

struct intent {
	char *set, *name;
	char **replies;
	size_t n;
};

struct corpus_replies {
	struct intent *v;
	size_t n, cap;
	const struct corpus_slots *slots;     /* only while reading */
	size_t alternatives;
};

static int add_replies(void *ctx, const json_t *root, const char *where, struct err *e)
{
	struct corpus_replies *r = ctx;
	const char *set = json_string_value(json_object_get(root, "set"));
	const char *name = json_string_value(json_object_get(root, "intent"));
	const json_t *list = json_object_get(root, "replies"), *t;
	struct intent *in;
	size_t i;

	if (!set || !name)
		return err_set(e, ERR_FORMAT, "%s: needs \"set\", \"intent\" and \"replies\"", where);
	if (check_texts(list, r->slots, where, e) < 0)
		return ERR_FORMAT;
	if (r->n == r->cap) {
		r->cap = r->cap ? r->cap * 2 : 64;
		r->v = xreallocarray(r->v, r->cap, sizeof(*r->v));
	}
	in = &r->v[r->n++];
	in->set = xstrdup(set);
	in->name = xstrdup(name);
	in->n = 0;
	in->replies = xcalloc(json_array_size(list), sizeof(char *));
	json_array_foreach(list, i, t)
		if (r->alternatives == 0 || in->n < r->alternatives)
			in->replies[in->n++] = xstrdup(json_string_value(t));
	return 0;
}

int corpus_replies_open(struct corpus_replies **out, const char *dir, const struct corpus_slots *slots,
                        size_t alternatives, struct err *e)
{
	struct corpus_replies *r = xcalloc(1, sizeof(*r));
	int rc;

	*out = NULL;
	r->slots = slots;
	r->alternatives = alternatives;
	rc = read_folder(dir, add_replies, r, e);
	if (rc < 0) {
		corpus_replies_close(r);
		return rc;
	}
	*out = r;
	return 0;
}

void corpus_replies_close(struct corpus_replies *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->n; i++) {
		for (size_t k = 0; k < r->v[i].n; k++)
			free(r->v[i].replies[k]);
		free(r->v[i].replies);
		free(r->v[i].set);
		free(r->v[i].name);
	}
	free(r->v);
	free(r);
}

/* Replies written for "bitext" serve bitext-intent-8k and -20k alike. */
static bool serves(const char *written_for, const char *set)
{
	size_t n = strlen(written_for);

	return strncmp(written_for, set, n) == 0 && (set[n] == '\0' || set[n] == '-');
}

bool corpus_reply_to(const struct corpus_replies *replies, const struct corpus_slots *slots,
                     const char *set, const char *intent, const char *message, struct rng *r,
                     struct chat *c, struct corpus_stats *st)
{
	size_t choices = 0, pick;
	const char *text = NULL;
	struct corpus_fill *fill;
	struct str said = STR_INIT, reply = STR_INIT;
	bool good;

	for (size_t i = 0; i < replies->n; i++)
		if (strcmp(replies->v[i].name, intent) == 0 && serves(replies->v[i].set, set))
			choices += replies->v[i].n;
	if (choices == 0) {
		st->reasons[REASON_NO_REPLY]++;
		return false;
	}
	pick = rng_below(r, choices);
	for (size_t i = 0; i < replies->n && !text; i++) {
		if (strcmp(replies->v[i].name, intent) != 0 || !serves(replies->v[i].set, set))
			continue;
		if (pick < replies->v[i].n)
			text = replies->v[i].replies[pick];
		else
			pick -= replies->v[i].n;
	}
	fill = corpus_fill_new(slots);
	str_adds(&said, message);
	corpus_noise(&said, true, r);
	good = corpus_expand(fill, text, false, false, r, &reply) && said.len > 0 && reply.len > 0;
	if (good) {
		chat_add(c, "user", said.s, said.len, 1.0);
		chat_add(c, "assistant", reply.s, reply.len, 1.0);
		if (corpus_fill_company(fill))
			c->company = xstrdup(corpus_fill_company(fill));
	} else {
		st->reasons[REASON_INVENTED]++;
	}
	corpus_fill_free(fill);
	str_free(&said);
	str_free(&reply);
	return good;
}
