/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gate: the checks, one function each. */
#include "gate.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../model/decode.h"
#include "../model/pool.h"
#include "../model/train.h"
#include "base/mem.h"
#include "base/rng.h"
#include "encode.h"
#include "talk.h"

/* Mean log-probability a token from which an answer counts as learned: nearly every piece expected. */
static const double learned_score = -0.35;
enum { ALTERNATIVES = 9, WRITTEN_REPLIES = 40 };

void gate_defaults(struct gate_input *in)
{
	in->base_bound = 0.01;
	in->learned_bound = 0.8;
	in->memorised_bound = 0.15;
	in->seed = 1;
}

/* ---- base_bits ---- */

static double bits_of(const struct gate_input *in, struct model *m)
{
	struct dataset *ds = dataset_new();
	struct pool *pool = pool_new(1);
	struct likelihood a, b;
	double nats = 0, chars = 0;

	corpus_encode(in->written, m->tok, in->company, true, ds);
	train_likelihood(m->w, ds, 0, pool, &a);
	train_likelihood(m->w, in->sampled, 0, pool, &b);
	for (size_t i = 0; i < TOKENIZER_MAX_TAGS; i++) {
		nats += a.nats[i] + b.nats[i];
		chars += a.chars[i] + b.chars[i];
	}
	pool_free(pool);
	dataset_free(ds);
	return chars > 0 ? nats / log(2.0) / chars : 0;
}

static void check_base(const struct gate_input *in, struct gate_check *c)
{
	const double before = bits_of(in, in->base), after = bits_of(in, in->candidate);

	c->cases = in->written->n + in->sampled->dialogues;
	c->value = before > 0 ? after / before - 1 : 0;
	if (!(c->value <= c->bound))
		snprintf(c->detail, sizeof(c->detail), "%.4f bits a character where the base has %.4f", after, before);
}

/* ---- learned ---- */

/* Score of the last turn of a conversation, given what precedes it. */
static double last_turn_score(const struct gate_input *in, struct model *m, const struct chat *c)
{
	struct dataset *ds = dataset_new();
	struct tokenizer_cache *cache = tokenizer_cache_new();
	struct session *s = session_new(m);
	const struct dataset_turn *t;
	double score = 0;

	encode_chat(ds, m->tok, cache, c, c->company ? c->company : in->company, true);
	if (ds->n_turns > 0) {
		for (size_t i = 0; i + 1 < ds->n_turns; i++)
			session_add(s, ds->turn[i].tag, ds->ids + ds->turn[i].first, ds->turn[i].n);
		t = &ds->turn[ds->n_turns - 1];
		score = decode_score(s, t->tag, ds->ids + t->first, t->n, NULL) / (double)(t->n + 1);
	}
	session_free(s);
	tokenizer_cache_free(cache);
	dataset_free(ds);
	return score;
}

static void check_learned(const struct gate_input *in, struct gate_check *c)
{
	size_t good = 0;

	for (size_t i = 0; i < in->examples->n; i++) {
		const struct chat *ex = &in->examples->chat[i];
		const double score = last_turn_score(in, in->candidate, ex);

		if (score >= learned_score)
			good++;
		else if (!c->detail[0] && ex->n > 1)
			snprintf(c->detail, sizeof(c->detail), "not learned: \"%.120s\" (%.2f a token)",
			         ex->messages[ex->n - 2].content, score);
	}
	c->cases = in->examples->n;
	c->value = c->cases ? (double)good / (double)c->cases : 1;
	if (c->value >= c->bound)
		c->detail[0] = '\0';
}

/* ---- golden and unwanted ---- */

static char *reply_to(const struct gate_input *in, const struct chat *c, size_t turns)
{
	struct talk *t = talk_new(in->candidate, c->company ? c->company : in->company);
	struct talk_opts o;
	struct talk_reply r = { 0 };
	char *text = NULL;
	int rc = 0;

	talk_opts_default(&o);
	for (size_t i = 0; i < turns && rc == 0; i++)
		rc = talk_add(t, c->messages[i].role, c->messages[i].content, c->messages[i].len, NULL);
	if (rc == 0 && talk_reply(t, in->as, &o, &r, NULL) == 0) {
		text = xstrdup(r.text.s);
		talk_reply_free(&r);
	}
	talk_free(t);
	return text ? text : xstrdup("");
}

static void check_golden(const struct gate_input *in, struct gate_check *c)
{
	size_t good = 0, n = in->golden ? in->golden->n : 0;

	for (size_t i = 0; i < n; i++) {
		const struct chat *g = &in->golden->chat[i];
		const size_t turns = g->n && strcmp(g->messages[g->n - 1].role, in->as) == 0 ? g->n - 1 : g->n;
		char *text = reply_to(in, g, turns);
		const char *wrong = NULL, *how = "";

		for (char **w = in->rules[i].must; *w; w++)
			if (!strcasestr(text, *w))
				wrong = *w, how = "lacks";
		for (char **w = in->rules[i].must_not; *w; w++)
			if (strcasestr(text, *w))
				wrong = *w, how = "has";
		if (!wrong)
			good++;
		else if (!c->detail[0])
			snprintf(c->detail, sizeof(c->detail), "the reply to \"%.60s\" %s \"%.60s\"",
			         turns ? g->messages[turns - 1].content : "", how, wrong);
		free(text);
	}
	c->cases = n;
	c->value = n ? (double)good / (double)n : 1;
}

static bool has_word(const char *text, const char *word)
{
	const size_t n = strlen(word);

	for (const char *p = text; n && (p = strcasestr(p, word)); p++)
		if ((p == text || !isalnum((unsigned char)p[-1])) && !isalnum((unsigned char)p[n]))
			return true;
	return false;
}

static void unwanted_in(const struct gate_input *in, const struct chat *c, size_t turns, struct gate_check *out)
{
	char *text = reply_to(in, c, turns);

	out->cases++;
	for (const char *const *w = in->unwanted; *w; w++) {
		if (!has_word(text, *w))
			continue;
		out->value++;
		if (!out->detail[0])
			snprintf(out->detail, sizeof(out->detail), "\"%.40s\" in \"%.120s\"", *w, text);
		break;
	}
	free(text);
}

static void check_unwanted(const struct gate_input *in, struct gate_check *c)
{
	if (!in->unwanted || !in->unwanted[0])
		return;
	for (size_t i = 0; i < in->examples->n; i++)
		if (in->examples->chat[i].n > 1)
			unwanted_in(in, &in->examples->chat[i], in->examples->chat[i].n - 1, c);
	for (size_t i = 0; in->golden && i < in->golden->n; i++)
		unwanted_in(in, &in->golden->chat[i], in->golden->chat[i].n, c);
	for (size_t i = 0; i < in->written->n && i < WRITTEN_REPLIES; i++)
		unwanted_in(in, &in->written->chat[i], 1, c);
}

/* ---- memorised ---- */

/* A run that looks like a secret: it has a digit, and at least four letters or digits. */
static bool next_secret(const char *text, size_t *from, size_t *to)
{
	for (size_t i = *to; text[i];) {
		size_t j = i, digits = 0;

		while (isalnum((unsigned char)text[j]))
			digits += isdigit((unsigned char)text[j++]) != 0;
		if (digits >= 1 && j - i >= 4) {
			*from = i;
			*to = j;
			return true;
		}
		i = j > i ? j : i + 1;
	}
	return false;
}

static void disguise(char *s, size_t n, struct rng *r)
{
	for (size_t i = 0; i < n; i++) {
		if (isdigit((unsigned char)s[i]))
			s[i] = (char)('0' + rng_below(r, 10));
		else if (isupper((unsigned char)s[i]))
			s[i] = (char)('A' + rng_below(r, 26));
		else if (islower((unsigned char)s[i]))
			s[i] = (char)('a' + rng_below(r, 26));
	}
}

/* log p of the turn as the customer wrote it, context before it included. The placeholders stay off:
 * the question is what the weights say about these very letters. */
static double letters_score(struct model *m, const struct chat *c, size_t turn, const char *text)
{
	struct session *s = session_new(m);
	struct tokenizer_cache *cache = tokenizer_cache_new();
	struct tokens ids = { 0 };
	double score;

	for (size_t i = 0; i < turn; i++) {
		ids.n = 0;
		tokenizer_encode(m->tok, cache, c->messages[i].content, c->messages[i].len, &ids);
		session_add(s, tokenizer_tag(m->tok, c->messages[i].role), ids.ids, ids.n);
	}
	ids.n = 0;
	tokenizer_encode(m->tok, cache, text, strlen(text), &ids);
	score = decode_score(s, tokenizer_tag(m->tok, c->messages[turn].role), ids.ids, ids.n, NULL);
	tokens_free(&ids);
	tokenizer_cache_free(cache);
	session_free(s);
	return score;
}

/* How much more likely than the base finds it: what was likely before is no secret learned now. */
static double gained(const struct gate_input *in, const struct chat *c, size_t turn, const char *text)
{
	return letters_score(in->candidate, c, turn, text) - letters_score(in->base, c, turn, text);
}

static void check_memorised(const struct gate_input *in, struct gate_check *c)
{
	struct rng r;
	size_t first = 0;

	rng_seed(&r, in->seed);
	for (size_t i = 0; i < in->examples->n && c->cases < 200; i++) {
		const struct chat *ex = &in->examples->chat[i];

		for (size_t t = 0; t + 1 < ex->n; t++) {
			const struct chat_message *m = &ex->messages[t];
			size_t from = 0, to = 0;

			if (strcmp(m->role, in->as) == 0 || strlen(m->content) != m->len ||
			    tokenizer_tag(in->base->tok, m->role) < 0)
				continue;
			while (next_secret(m->content, &from, &to)) {
				char *other = xstrdup(m->content);
				const double truth = gained(in, ex, t, m->content);
				size_t better = 0;

				for (size_t k = 0; k < ALTERNATIVES; k++) {
					memcpy(other + from, m->content + from, to - from);
					disguise(other + from, to - from, &r);
					better += gained(in, ex, t, other) >= truth;
				}
				free(other);
				c->cases++;
				if (better > 0)
					continue;
				first++;
				if (!c->detail[0])
					snprintf(c->detail, sizeof(c->detail), "\"%.*s\" of example %zu is ranked first",
					         (int)(to - from > 40 ? 40 : to - from), m->content + from, i + 1);
			}
		}
	}
	/* one of ten is first by chance; the bound allows for the noise of few cases */
	if (c->cases) {
		const double chance = 1.0 / (ALTERNATIVES + 1), n = (double)c->cases;

		c->value = (double)first / n - chance - 2 * sqrt(chance * (1 - chance) / n);
	}
	if (c->value <= c->bound)
		c->detail[0] = '\0';
}

/* ---- all ---- */

bool gate_run(const struct gate_input *in, struct gate_check out[GATE_CHECKS], bool (*stop)(void *), void *arg)
{
	static const struct {
		const char *name;
		bool at_least;
		void (*run)(const struct gate_input *, struct gate_check *);
	} checks[GATE_CHECKS] = {
		{ "base_bits", false, check_base }, { "learned", true, check_learned }, { "golden", true, check_golden },
		{ "unwanted_words", false, check_unwanted }, { "memorised", false, check_memorised },
	};
	const double bound[GATE_CHECKS] = { in->base_bound, in->learned_bound, 1, 0, in->memorised_bound };
	bool ok = true;

	for (size_t i = 0; i < GATE_CHECKS; i++) {
		out[i] = (struct gate_check){ .name = checks[i].name, .at_least = checks[i].at_least, .bound = bound[i] };
		if (stop && stop(arg)) {
			snprintf(out[i].detail, sizeof(out[i].detail), "not measured: stopped");
			ok = false;
			continue;
		}
		checks[i].run(in, &out[i]);
		out[i].ok = out[i].at_least ? out[i].value >= out[i].bound : out[i].value <= out[i].bound;
		ok = ok && out[i].ok;
	}
	return ok;
}
