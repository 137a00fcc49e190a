/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ahead: the search for words, best first. */
#include "ahead_private.h"

#include <math.h>
#include <string.h>

enum { ITEMS = 160, FANOUT = 24, INSIDE = 6 };

/* Not worth a step: this much less likely than the best (nats). */
static const double HOPELESS = 9;
/* Nor even a place among the candidates. */
static const real NEVER = (real)1e-7;

struct item {
	double lp;
	int node;                 /* stands after this node ... */
	int32_t id;               /* ... reads this id next; -1: the word is whole at node */
};

struct search {
	struct ahead *a;
	const struct ahead_query *q;
	const char *open;
	size_t n_open;
	int root;
	struct item item[ITEMS];  /* a heap, the likeliest on top */
	size_t n;
	double typed;             /* p of the open bytes, as far as known */
	size_t batches;
};

static void push(struct search *se, double p, int node, int32_t id)
{
	const double lp = log(p > 1e-30 ? p : 1e-30);
	size_t i = se->n;

	if (i == ITEMS) {
		/* the lower half of a heap holds its least; one of them goes */
		size_t least = ITEMS / 2;

		for (size_t k = least + 1; k < ITEMS; k++)
			if (se->item[k].lp < se->item[least].lp)
				least = k;
		if (se->item[least].lp >= lp)
			return;
		i = least;
	} else {
		se->n++;
	}
	for (; i > 0 && se->item[(i - 1) / 2].lp < lp; i = (i - 1) / 2)
		se->item[i] = se->item[(i - 1) / 2];
	se->item[i] = (struct item){ lp, node, id };
}

static struct item pop(struct search *se)
{
	struct item top = se->item[0], last = se->item[--se->n];
	size_t i = 0;

	for (;;) {
		size_t c = 2 * i + 1;

		if (c >= se->n)
			break;
		if (c + 1 < se->n && se->item[c + 1].lp > se->item[c].lp)
			c++;
		if (se->item[c].lp <= last.lp)
			break;
		se->item[i] = se->item[c];
		i = c;
	}
	se->item[i] = last;
	return top;
}

static const char *bytes_of(const struct search *se, int32_t id, size_t *n)
{
	const char *s = tokenizer_piece(se->a->m->tok, id, n);

	if (*n == 0 && se->q->value)
		s = se->q->value(id, n, se->q->arg);
	return s ? s : (*n = 0, "");
}

/* Bytes from root to node. */
static size_t spell(const struct search *se, int node, char *out)
{
	int way[AHEAD_NODES];
	size_t n = 0, len = 0;

	for (int i = node; i != se->root && n < AHEAD_NODES; i = se->a->node[i].parent)
		way[n++] = i;
	while (n-- > 0) {
		size_t k;
		const char *s = bytes_of(se, se->a->node[way[n]].id, &k);

		if (len + k > AHEAD_MAX_OPEN)
			return AHEAD_MAX_OPEN + 1;
		memcpy(out + len, s, k);
		len += k;
	}
	return len;
}

/* The most likely few of what may follow; keeps their order by probability. */
struct best {
	int32_t id[FANOUT];
	real p[FANOUT];
	size_t n, width;
};

static void keep(struct best *b, int32_t id, real p)
{
	size_t i;

	if (b->n == b->width && p <= b->p[b->n - 1])
		return;
	i = b->n < b->width ? b->n++ : b->n - 1;
	for (; i > 0 && b->p[i - 1] < p; i--) {
		b->p[i] = b->p[i - 1];
		b->id[i] = b->id[i - 1];
	}
	b->p[i] = p;
	b->id[i] = id;
}

struct fit {
	struct search *se;
	const real *p;
	struct best *b;
	size_t rest;              /* open bytes not yet covered */
	double reach;             /* sum of those that cover them all */
};

static bool offer(int32_t id, size_t len, void *arg)
{
	struct fit *f = arg;

	if (len >= f->rest)
		f->reach += (double)f->p[id];
	keep(f->b, id, f->p[id]);
	return true;
}

/* What may follow node and agrees with the open bytes after the first `have`. */
static void agreeing(struct search *se, int node, size_t have, double base)
{
	struct ahead *a = se->a;
	const real *p = a->p + (size_t)node * a->vocab;
	const char *rest = se->open + have;
	struct best b = { .width = FANOUT };
	struct fit f = { se, p, &b, se->n_open - have, 0 };

	tokenizer_match(a->m->tok, rest, f.rest, true, offer, &f);
	/* placeholders read as their values; few are known, and the model names those that matter */
	for (int32_t id = TOKEN_FIRST_TAG + TOKENIZER_MAX_TAGS; se->q->value && (size_t)id < a->vocab; id++) {
		size_t n;
		const char *s;

		if (!tokenizer_is_control(a->m->tok, id))
			break;
		if (p[id] < 1e-4f || !(s = se->q->value(id, &n, se->q->arg)) || n == 0)
			continue;
		if (memcmp(s, rest, n < f.rest ? n : f.rest) == 0)
			offer(id, n, &f);
	}
	se->typed += exp(base) * f.reach;
	for (size_t i = 0; i < b.n; i++)
		push(se, exp(base) * (double)b.p[i], node, b.id[i]);
}

/* Inside a word it goes on, or ends; where nothing is typed yet it begins, with white space. */
static void inside(struct search *se, int node, double base, bool begin)
{
	struct ahead *a = se->a;
	const real *p = a->p + (size_t)node * a->vocab;
	const real *only = begin ? a->white : a->black;
	struct best b = { .width = begin ? FANOUT : INSIDE };
	size_t n;

	for (size_t i = 0; (i = kernels_find_above(p, only, a->vocab, i, b.n == b.width ? b.p[b.n - 1] : NEVER)) < a->vocab; i++) {
		if (!tokenizer_is_control(a->m->tok, (int32_t)i))
			keep(&b, (int32_t)i, p[i]);
		else if (p[i] > 1e-4f && se->q->value && se->q->value((int32_t)i, &n, se->q->arg) && n > 0)
			keep(&b, (int32_t)i, p[i]);
	}
	for (size_t i = 0; i < b.n; i++)
		push(se, exp(base) * (double)b.p[i], node, b.id[i]);
}

/* After node has been reached with log p `base`: what next? */
static void widen(struct search *se, int node, double base)
{
	char text[AHEAD_MAX_OPEN];
	const size_t len = spell(se, node, text);
	const struct ahead_node *nd = &se->a->node[node];
	bool word = false;

	if (len > AHEAD_MAX_OPEN - 64)
		return;
	if (len < se->n_open) {
		agreeing(se, node, len, base);
		return;
	}
	/* only white space so far: the word is still to come, right after it (a digit, a placeholder) or a
	 * further run of white space, which is left alone */
	for (size_t i = 0; i < len && !word; i++)
		word = !ahead_white(text[i]);
	if (!word) {
		inside(se, node, base, false);
		return;
	}
	inside(se, node, base, false);
	if (len > se->n_open)
		push(se, exp(base) * nd->word_end, node, -1);
	else
		inside(se, node, base, true);
}

/* A finished word: fill w in; false: not to be proposed. */
static bool finish(struct search *se, const struct item *it, struct ahead_word *w)
{
	char text[AHEAD_MAX_OPEN];
	const size_t len = spell(se, it->node, text);
	struct ahead *a = se->a;
	size_t from = len, covered;
	int way[AHEAD_NODES];
	size_t n = 0;

	if (len > AHEAD_MAX_OPEN || len <= se->n_open)
		return false;
	while (from > 0 && !ahead_white(text[from - 1]))
		from--;
	if (se->q->allowed && !se->q->allowed(text + from, len - from, se->q->arg))
		return false;
	memset(w, 0, sizeof(*w));
	w->len = len - se->n_open;
	memcpy(w->text, text + se->n_open, w->len);
	w->node = it->node;
	w->end = a->node[it->node].word_end;
	w->log_prob = it->lp;
	for (int i = it->node; i != se->root; i = a->node[i].parent)
		way[n++] = i;
	covered = 0;
	while (n-- > 0) {
		const struct ahead_node *nd = &a->node[way[n]];
		size_t k;

		bytes_of(se, nd->id, &k);
		covered += k;
		if (covered > se->n_open) {
			const double lp = log(ahead_prob(a, nd->parent, nd->id) + 1e-30);

			if (w->tokens++ == 0 || lp < w->least)
				w->least = lp;
			if (a->mix.ngram)
				w->ngram += log(ngram_prob(a->mix.ngram, a->node[nd->parent].context,
				                           a->node[nd->parent].n_context, nd->id) + 1e-30);
		}
	}
	return true;
}

static double log_add(double x, double y)
{
	return x > y ? x + log1p(exp(y - x)) : y + log1p(exp(x - y));
}

/* Grow the likeliest unread items in one step. */
static void read_some(struct search *se, struct item first)
{
	struct item it[AHEAD_WIDTH] = { first };
	int parent[AHEAD_WIDTH], node[AHEAD_WIDTH], grown[AHEAD_WIDTH];
	int32_t id[AHEAD_WIDTH];
	size_t n = 1, fresh = 0;

	/* company for it: rows of one step cost little more than one */
	while (n < AHEAD_WIDTH && se->n > 0 && se->item[0].id >= 0 && se->item[0].lp > first.lp - 2.5)
		it[n++] = pop(se);
	for (size_t i = 0; i < n; i++) {
		node[i] = ahead_child(se->a, it[i].node, it[i].id);
		if (node[i] < 0) {
			parent[fresh] = it[i].node;
			id[fresh++] = it[i].id;
		}
	}
	if (fresh > 0) {
		if (!ahead_room(se->a, fresh))
			return;
		ahead_grow(se->a, parent, id, fresh, grown);
	}
	se->batches++;
	for (size_t i = 0, g = 0; i < n; i++) {
		if (node[i] < 0)
			node[i] = grown[g++];
		widen(se, node[i], it[i].lp);
	}
}

size_t ahead_words(struct ahead *a, int root, const char *open, size_t n_open, const struct ahead_query *q,
                   struct ahead_word *out, size_t n, double *entropy)
{
	struct search se = { .a = a, .q = q, .open = open, .n_open = n_open, .root = root };
	const real *p = a->p + (size_t)root * a->vocab;
	size_t found = 0;

	if (n_open > AHEAD_MAX_OPEN / 2 || n == 0)
		return 0;
	if (entropy && a->node[root].entropy < 0) {
		double sum = 0;

		for (size_t i = 0; (i = kernels_find_above(p, NULL, a->vocab, i, (real)1e-6)) < a->vocab; i++)
			sum -= (double)(p[i] * REAL_LOG(p[i]));
		a->node[root].entropy = sum;
	}
	if (entropy)
		*entropy = a->node[root].entropy;
	if (n_open > 0) {
		agreeing(&se, root, 0, 0);
	} else if (a->node[root].parent < 0) {
		inside(&se, root, 0, false);
		inside(&se, root, 0, true);
	} else {
		inside(&se, root, 0, true);
	}
	while (se.n > 0) {
		struct item it = pop(&se);
		struct ahead_word w;
		size_t i;

		if (q->cancel && atomic_load(q->cancel))
			break;
		if (found > 0 && it.lp < out[0].log_prob - HOPELESS)
			break;
		if (it.id >= 0) {
			/* known branches count too: what is found does not depend on what was typed before */
			if (se.batches < q->steps)
				read_some(&se, it);
			continue;
		}
		if (!finish(&se, &it, &w))
			continue;
		for (i = 0; i < found; i++)
			if (out[i].len == w.len && memcmp(out[i].text, w.text, w.len) == 0)
				break;
		if (i < found) {
			out[i].log_prob = log_add(out[i].log_prob, w.log_prob);
			continue;
		}
		if (found == n)
			break;
		out[found++] = w;
	}
	if (found > 0 && n_open > 0) {
		double typed = log(se.typed > 1e-30 ? se.typed : 1e-30);

		/* what was not looked at is missing from the sum */
		for (size_t i = 0; i < found; i++)
			typed = out[i].log_prob > typed ? out[i].log_prob : typed;
		for (size_t i = 0; i < found; i++)
			out[i].log_prob -= typed;
	}
	return found;
}
