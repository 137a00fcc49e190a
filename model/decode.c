/* SPDX-License-Identifier: GPL-3.0-or-later */
/* decode: greedy decoding, sampling, and the rules they share with the beam. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../src/base/mem.h"
#include "../src/base/rng.h"
#include "decode.h"
#include "decode_private.h"

void decode_opts_default(struct decode_opts *o)
{
	*o = (struct decode_opts){
		.method = DECODE_GREEDY, .beam = 4, .length_penalty = 0.6, .temperature = 1, .top_p = 1,
		.seed = 1, .max_tokens = 160, .no_repeat = 4,
	};
}

void decode_result_free(struct decode_result *r)
{
	tokens_free(&r->ids);
	memset(r, 0, sizeof(*r));
}

double decode_mean_log_prob(const struct decode_result *r)
{
	size_t n = r->ids.n + (r->ended ? 1 : 0);

	return n ? r->log_prob / (double)n : 0;
}

void decode_ban_absent(const struct session *s, uint8_t *banned, const int32_t *keep, size_t n_keep)
{
	const struct model *m = session_model(s);
	size_t n;
	const int32_t *ids = session_ids(s, &n);

	for (size_t i = 0; i < m->w->cfg.vocab; i++)
		banned[i] = tokenizer_is_control(m->tok, (int32_t)i);
	banned[TOKEN_EOT] = 0;
	for (size_t i = 0; i < n; i++)
		if (tokenizer_is_placeholder(m->tok, ids[i], NULL, NULL))
			banned[ids[i]] = 0;
	for (size_t i = 0; i < n_keep; i++)
		if (keep[i] >= 0)
			banned[keep[i]] = 0;
}

void decode_mask_init(struct decode_mask *mask, const struct session *s, const struct decode_opts *o)
{
	const struct model *m = session_model(s);

	mask->vocab = m->w->cfg.vocab;
	mask->banned = xmalloc(mask->vocab);
	if (o->banned) {
		memcpy(mask->banned, o->banned, mask->vocab);
	} else {
		for (size_t i = 0; i < mask->vocab; i++)
			mask->banned[i] = tokenizer_is_control(m->tok, (int32_t)i) &&
				!tokenizer_is_placeholder(m->tok, (int32_t)i, NULL, NULL);
		mask->banned[TOKEN_EOT] = 0;
	}
	mask->ids = xcalloc(mask->vocab + 1, sizeof(*mask->ids));
	mask->n = 0;
	for (size_t i = 0; i < mask->vocab; i++)
		if (mask->banned[i])
			mask->ids[mask->n++] = (int32_t)i;
}

void decode_mask_fini(struct decode_mask *mask)
{
	free(mask->banned);
	free(mask->ids);
}

/* Would `id` after ids complete an n-gram that is there already? Then every such id is
 * set to -inf: the ones that followed an earlier occurrence of the last n - 1 pieces. */
static void block_repeats(const int32_t *ids, size_t n, size_t order, real *logp)
{
	if (order < 2 || n + 1 < order)
		return;

	const int32_t *tail = ids + n - (order - 1);

	for (size_t i = 0; i + order <= n; i++)
		if (memcmp(ids + i, tail, (order - 1) * sizeof(*ids)) == 0)
			logp[ids[i + order - 1]] = (real)-INFINITY;
}

void decode_apply_rules(const struct decode_mask *mask, const struct decode_opts *o, const int32_t *ids,
                        size_t n, real *logp)
{
	for (size_t i = 0; i < mask->n; i++)
		logp[mask->ids[i]] = (real)-INFINITY;
	block_repeats(ids, n, o->no_repeat, logp);
	if (n < o->min_tokens)
		logp[TOKEN_EOT] = (real)-INFINITY;
}

struct choice {
	int32_t id;
	real logp;
};

static int likelier(const void *a, const void *b)
{
	const struct choice *x = a, *y = b;

	if (x->logp != y->logp)
		return x->logp > y->logp ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

/* Of n pieces that come to `total`, relative to the likeliest, those that can be among the likeliest with top_p of it: all the
 * others, at less than this each, come to less than what is left out. Sorting a vocabulary at every piece cost three quarters
 * of the time of sampling. */
static size_t drop_unlikely(struct choice *c, size_t n, double best, double t, double top_p, double total)
{
	const double bound = best + t * log((1 - top_p) * total / (double)n);
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if ((double)c[i].logp >= bound)
			c[kept++] = c[i];
	return kept;
}

/* Temperature, then the top k, then the smallest set with probability top_p (Holtzman et
 * al. 2020), renormalised. */
static size_t sample(const real *logp, size_t vocab, const struct decode_opts *o, struct rng *r,
                     struct choice *c)
{
	const double t = o->temperature > 1e-4 ? o->temperature : 1e-4;
	real best = (real)-1e30;
	size_t n = 0, keep;
	double all = 0, total = 0, cut = 0, u;

	for (size_t i = 0; i < vocab; i++) {
		if (logp[i] > (real)-1e30)
			c[n++] = (struct choice){ (int32_t)i, logp[i] };
		best = logp[i] > best ? logp[i] : best;
	}
	if (n == 0)
		return TOKEN_EOT;
	keep = o->top_k && o->top_k < n ? o->top_k : n;
	if (keep == n) {
		for (size_t i = 0; i < n; i++)
			all += exp((double)(c[i].logp - best) / t);
		if (o->top_p < 1)
			keep = n = drop_unlikely(c, n, (double)best, t, o->top_p, all);
		total = all;
	}
	qsort(c, n, sizeof(*c), likelier);
	for (size_t i = 0; i < keep && all == 0; i++)
		total += exp((double)(c[i].logp - best) / t);
	for (size_t i = 0; i < keep; i++) {
		cut += exp((double)(c[i].logp - best) / t);
		if (cut >= o->top_p * total) {
			keep = i + 1;
			total = cut;
			break;
		}
	}
	u = rng_uniform(r) * total;
	for (size_t i = 0; i < keep; i++) {
		u -= exp((double)(c[i].logp - best) / t);
		if (u < 0)
			return (size_t)c[i].id;
	}
	return (size_t)c[keep - 1].id;
}

int decode_turn(struct session *s, int32_t tag, const struct decode_opts *o, struct decode_result *r)
{
	const size_t V = session_model(s)->w->cfg.vocab;
	struct decode_mask mask;
	struct decode_state st;
	struct rng rng;
	int rc = 0;

	if (o->method == DECODE_BEAM) {
		struct decode_result best[1];

		decode_beam(s, tag, o, best, 1);
		*r = best[0];
		for (size_t i = 0; o->token && i < r->ids.n; i++)
			if (!o->token(r->ids.ids[i], 0, o->arg))
				break;
		return r->cancelled ? ERR_CANCELLED : 0;
	}

	memset(r, 0, sizeof(*r));
	rng_seed(&rng, o->seed);
	decode_mask_init(&mask, s, o);
	decode_state_init(&st, session_model(s), 1);

	real *logp = mem_aligned(2 * V * sizeof(real)), *ruled = logp + V;
	struct choice *c = o->method == DECODE_SAMPLE ? xcalloc(V, sizeof(*c)) : NULL;

	session_start(s, tag, &st, logp);
	while (r->ids.n < o->max_tokens) {
		if (o->cancel && atomic_load(o->cancel)) {
			r->cancelled = true;
			rc = ERR_CANCELLED;
			break;
		}
		memcpy(ruled, logp, V * sizeof(real));
		decode_apply_rules(&mask, o, r->ids.ids, r->ids.n, ruled);

		int32_t id = (int32_t)(c ? sample(ruled, V, o, &rng, c) : kernels_argmax(ruled, V));

		r->log_prob += (double)logp[id];
		if (id == TOKEN_EOT) {
			r->ended = true;
			break;
		}
		tokens_add(&r->ids, id);
		if (o->token && !o->token(id, (double)logp[id], o->arg))
			break;
		session_step(s, &st, &id, logp);
	}
	free(c);
	mem_aligned_free(logp);
	decode_state_fini(&st);
	decode_mask_fini(&mask);
	return rc;
}

double decode_score(struct session *s, int32_t tag, const int32_t *ids, size_t n, float *out)
{
	const size_t V = session_model(s)->w->cfg.vocab;
	struct decode_state st;
	real *logp = mem_aligned(V * sizeof(real));
	double sum = 0;

	decode_state_init(&st, session_model(s), 1);
	session_start(s, tag, &st, logp);
	for (size_t i = 0; i <= n; i++) {
		int32_t id = i < n ? ids[i] : TOKEN_EOT;

		sum += (double)logp[id];
		if (out)
			out[i] = (float)logp[id];
		if (i < n)
			session_step(s, &st, &id, logp);
	}
	decode_state_fini(&st);
	mem_aligned_free(logp);
	return sum;
}
