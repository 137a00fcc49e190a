/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ahead: the tree of states. Its nodes live in a fixed pool; when it is full everything but the way to
 * what is typed is let go. */
#include "ahead_private.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../src/base/mem.h"

void ahead_mix_default(struct ahead_mix *mix)
{
	*mix = (struct ahead_mix){ .ngram = NULL };
	for (size_t i = 0; i < NGRAM_TRUST; i++)
		mix->model_weight[i] = 1;
}

static bool starts_white(const struct tokenizer *tok, int32_t id)
{
	size_t n;
	const char *s = tokenizer_piece(tok, id, &n);

	return n > 0 && ahead_white(s[0]);
}

void ahead_reset(struct ahead *a, const struct ahead_mix *mix)
{
	a->n = 0;
	a->tag = -1;
	if (mix)
		a->mix = *mix;
	if (a->mix.ngram && ngram_vocab(a->mix.ngram) != a->vocab)
		a->mix.ngram = NULL;
	assert(a->mix.ngram || !a->mix.ngram_only);
}

struct ahead *ahead_new(struct session *s, const struct ahead_mix *mix)
{
	struct ahead *a = xcalloc(1, sizeof(*a));
	const struct model *m = session_model(s);

	a->s = s;
	a->m = session_model(s);
	a->vocab = m->w->cfg.vocab;
	a->node = xcalloc(AHEAD_NODES, sizeof(*a->node));
	a->p = mem_large(AHEAD_NODES * a->vocab * sizeof(*a->p));
	a->logp = mem_aligned(AHEAD_WIDTH * a->vocab * sizeof(*a->logp));
	a->gram = mem_aligned(a->vocab * sizeof(*a->gram));
	decode_state_init(&a->states, m, AHEAD_NODES);
	decode_state_init(&a->batch, m, AHEAD_WIDTH);
	a->white = mem_aligned(2 * a->vocab * sizeof(*a->white));
	a->black = a->white + a->vocab;
	for (size_t i = 0; i < a->vocab; i++)
		(starts_white(m->tok, (int32_t)i) ? a->white : a->black)[i] = 1;
	ahead_reset(a, mix);
	return a;
}

void ahead_free(struct ahead *a)
{
	if (!a)
		return;
	decode_state_fini(&a->states);
	decode_state_fini(&a->batch);
	tokens_free(&a->typed);
	mem_large_free(a->p, AHEAD_NODES * a->vocab * sizeof(*a->p));
	mem_aligned_free(a->logp);
	mem_aligned_free(a->gram);
	free(a->node);
	mem_aligned_free(a->white);
	free(a);
}


size_t ahead_steps(const struct ahead *a)
{
	return a->steps;
}

/* Fill in p of a node from the model's log p, and what is asked of it often. */
static void mix(struct ahead *a, int at, const real *logp)
{
	struct ahead_node *nd = &a->node[at];
	real *p = a->p + (size_t)at * a->vocab;

	if (a->mix.ngram_only)
		ngram_predict(a->mix.ngram, nd->context, nd->n_context, p);
	else
		kernels_exp(logp, p, a->vocab);
	if (a->mix.ngram && !a->mix.ngram_only) {
		const size_t trust = ngram_predict(a->mix.ngram, nd->context, nd->n_context, a->gram);
		const real w = (real)a->mix.model_weight[trust];

		kernels_scale(p, w, a->vocab);
		kernels_axpy(p, 1 - w, a->gram, a->vocab);
	}
	if (a->mix.personal)
		personal_mix(a->mix.personal, nd->context, nd->n_context, p);
	if (a->mix.recent)
		personal_mix(a->mix.recent, nd->context, nd->n_context, p);

	const double end = (double)p[TOKEN_EOT] + (double)kernels_dot(p, a->white, a->vocab);

	nd->word_end = end < 1 ? end : 1;
	nd->entropy = -1;
}

static int add_node(struct ahead *a, int parent, int32_t id)
{
	const int at = (int)a->n++;
	struct ahead_node *nd = &a->node[at];

	assert(at < AHEAD_NODES);
	memset(nd, 0, sizeof(*nd));
	nd->parent = parent;
	nd->id = id;
	nd->child = nd->sibling = -1;
	if (parent >= 0) {
		const struct ahead_node *up = &a->node[parent];
		const size_t keep = up->n_context < AHEAD_CONTEXT ? up->n_context : AHEAD_CONTEXT - 1;

		memcpy(nd->context, up->context + up->n_context - keep, keep * sizeof(*nd->context));
		nd->n_context = keep;
		nd->sibling = up->child;
		a->node[parent].child = at;
	}
	nd->context[nd->n_context++] = id;
	return at;
}

int ahead_child(const struct ahead *a, int at, int32_t id)
{
	for (int c = a->node[at].child; c >= 0; c = a->node[c].sibling)
		if (a->node[c].id == id)
			return c;
	return -1;
}

bool ahead_room(const struct ahead *a, size_t n)
{
	return a->n + n <= AHEAD_NODES;
}

void ahead_grow(struct ahead *a, const int *parent, const int32_t *id, size_t n, int *node)
{
	for (size_t i = 0; i < n; i++) {
		node[i] = add_node(a, parent[i], id[i]);
		decode_state_copy(&a->batch, i, &a->states, (size_t)parent[i]);
	}
	a->batch.rows = n;
	if (!a->mix.ngram_only)
		session_step(a->s, &a->batch, id, a->logp);
	a->steps += n;
	for (size_t i = 0; i < n; i++) {
		decode_state_copy(&a->states, (size_t)node[i], &a->batch, i);
		mix(a, node[i], a->logp + i * a->vocab);
	}
}

static void move(struct ahead *a, int to, int from)
{
	if (to == from)
		return;
	a->node[to] = a->node[from];
	memcpy(a->p + (size_t)to * a->vocab, a->p + (size_t)from * a->vocab, a->vocab * sizeof(*a->p));
	decode_state_copy(&a->states, (size_t)to, &a->states, (size_t)from);
}

/* Keep the last nodes of the way from the start to `at`, and nothing else; returns where it is now. A way
 * that has lost its start cannot be walked again: ahead_reach then begins anew. */
static int prune(struct ahead *a, int at, size_t most)
{
	int way[AHEAD_NODES];
	size_t n = 0;

	for (int i = at; i >= 0 && n < most; i = a->node[i].parent)
		way[n++] = i;
	/* parents have lower numbers than their children, so nothing is overwritten before it has moved */
	for (size_t i = 0; i < n; i++) {
		move(a, (int)i, way[n - 1 - i]);
		a->node[i].parent = (int)i - 1;
		a->node[i].child = i + 1 < n ? (int)i + 1 : -1;
		a->node[i].sibling = -1;
	}
	a->n = n;
	return (int)n - 1;
}

/* Ids of the way typed are remembered beside the tree, whose first nodes may be gone. */
static void remember(struct ahead *a, const int32_t *ids, size_t n)
{
	a->typed.n = 0;
	for (size_t i = 0; i < n; i++)
		tokens_add(&a->typed, ids[i]);
}

static int begin(struct ahead *a, int32_t tag)
{
	int at;

	ahead_reset(a, NULL);
	a->tag = tag;
	a->turns = session_turns(a->s);
	a->dropped = 0;
	at = add_node(a, -1, tag);
	if (!a->mix.ngram_only)
		session_start(a->s, tag, &a->batch, a->logp);
	a->steps++;
	decode_state_copy(&a->states, (size_t)at, &a->batch, 0);
	mix(a, at, a->logp);
	return at;
}

int ahead_reach(struct ahead *a, int32_t tag, const int32_t *ids, size_t n)
{
	size_t i = a->dropped;
	int at = 0;

	if (a->n == 0 || a->tag != tag || a->turns != session_turns(a->s) || i > n || i > a->typed.n ||
	    (i > 0 && memcmp(ids, a->typed.ids, i * sizeof(*ids)) != 0)) {
		at = begin(a, tag);
		i = 0;
	}
	for (; i < n; i++) {
		int next = ahead_child(a, at, ids[i]);

		if (next < 0) {
			if (!ahead_room(a, 1)) {
				const int kept = prune(a, at, AHEAD_NODES / 4);

				/* node 0 stands after i - kept ids */
				a->dropped = i - (size_t)kept;
				at = kept;
			}
			ahead_grow(a, &at, &ids[i], 1, &next);
		}
		at = next;
	}
	/* leave the search some room */
	if (!ahead_room(a, AHEAD_NODES / 2)) {
		at = prune(a, at, AHEAD_NODES / 4);
		a->dropped = n - (size_t)at;
	}
	remember(a, ids, n);
	return at;
}

double ahead_end(const struct ahead *a, int node)
{
	return ahead_prob(a, node, TOKEN_EOT);
}

double ahead_prob(const struct ahead *a, int node, int32_t id)
{
	return (double)a->p[(size_t)node * a->vocab + (size_t)id];
}
