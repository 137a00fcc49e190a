/* SPDX-License-Identifier: GPL-3.0-or-later */
/* retrain_examples: which approved examples a retraining learns from, and which it leaves out, saying so. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/str.h"
#include "encode.h"
#include "retrain_private.h"
#include "store.h"

enum { WEIGHT_MOST = 10 };

bool retrain_add_example(const struct store_example *x, void *arg)
{
	struct run *r = arg;
	const struct chatfile_opts co = { .strict = true };
	struct chatfile_counts counts = { 0 };
	struct chat c = { 0 };
	double weight = x->weight > 0 ? x->weight : 1;

	r->newest = x->decided > r->newest ? x->decided : r->newest;
	/* ours, but a database may have been in other hands */
	if (chat_from_json(x->chat, strlen(x->chat), "example", &co, &c, &counts, NULL) < 0 || c.n < 2 ||
	    strcmp(c.messages[c.n - 1].role, "assistant") != 0) {
		chat_free(&c);
		return true;
	}
	/* one correction may count for some others, none for all of them; what is no number counts as one */
	if (!(weight <= WEIGHT_MOST))
		weight = isfinite(weight) ? WEIGHT_MOST : 1;
	for (size_t i = 0; i < c.n; i++)      /* a customer's words are context: never learned by heart */
		c.messages[i].weight = i + 1 == c.n ? weight : 0;
	free(c.source);
	c.source = xstrdup(ENCODE_EXAMPLE);
	r->examples.chat = xreallocarray(r->examples.chat, r->examples.n + 1, sizeof(c));
	r->ids = xreallocarray(r->ids, r->examples.n + 1, sizeof(*r->ids));
	r->ids[r->examples.n] = x->id;
	r->examples.chat[r->examples.n++] = c;
	r->examples.cap = r->examples.n;
	return true;
}

static void drop_example(struct run *r, size_t i)
{
	chat_free(&r->examples.chat[i]);
	memmove(&r->examples.chat[i], &r->examples.chat[i + 1], (r->examples.n - i - 1) * sizeof(r->examples.chat[0]));
	memmove(&r->ids[i], &r->ids[i + 1], (r->examples.n - i - 1) * sizeof(r->ids[0]));
	r->examples.n--;
}

static bool same_question(const struct chat *a, const struct chat *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i + 1 < a->n; i++)
		if (strcmp(a->messages[i].role, b->messages[i].role) != 0 || strcasecmp(a->messages[i].content, b->messages[i].content) != 0)
			return false;
	return true;
}

/* Two answers to one question: the newer one counts, and the person is told. */
size_t retrain_drop_contradicted(struct run *r)
{
	size_t gone = 0;

	for (size_t i = 0; i < r->examples.n; i++) {
		const struct chat *a = &r->examples.chat[i];

		for (size_t k = i + 1; k < r->examples.n; k++) {
			const struct chat *b = &r->examples.chat[k];
			struct str s = STR_INIT;

			if (!same_question(a, b))
				continue;
			if (strcmp(a->messages[a->n - 1].content, b->messages[b->n - 1].content) != 0) {
				str_addf(&s, "example %lld left out: example %lld answers the same question differently, and is newer",
				         (long long)r->ids[i], (long long)r->ids[k]);
				retrain_say(r, 0, s.s);
			}
			str_free(&s);
			gone++;
			drop_example(r, i--);
			break;
		}
	}
	return gone;
}

/* What no model of this kind could say, or whose loss would drown the others: random bytes, a file pasted by mistake. */
size_t retrain_drop_hopeless(struct run *r)
{
	static const double worst_nats = 14;        /* a piece; guessing at random costs log V, about 9 */
	size_t gone = 0;

	for (size_t i = 0; i < r->examples.n; i++) {
		struct dataset *ds = dataset_new();
		struct tokenizer_cache *cache = tokenizer_cache_new();
		struct likelihood l;
		double nats = 0, rows = 0;
		struct str s = STR_INIT;

		encode_chat(ds, r->start->tok, cache, &r->examples.chat[i], r->o->company, true);
		train_likelihood(r->start->w, ds, 0, r->pool, &l);
		for (size_t k = 0; k < TOKENIZER_MAX_TAGS; k++) {
			nats += l.nats[k];
			rows += l.rows[k];
		}
		if (!(rows > 0 && nats / rows <= worst_nats)) {
			str_addf(&s, "example %lld left out: its text makes no sense to the model (%.1f nats a piece)", (long long)r->ids[i],
			         nats / rows);
			retrain_say(r, 0, s.s);
			drop_example(r, i--);
			gone++;
		}
		str_free(&s);
		tokenizer_cache_free(cache);
		dataset_free(ds);
	}
	return gone;
}
