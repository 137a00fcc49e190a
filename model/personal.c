/* SPDX-License-Identifier: GPL-3.0-or-later */
/* personal: a hash table from contexts to what followed them. */
#include "kernels.h"
#include "personal.h"

#include <stdlib.h>
#include <string.h>

#include "../src/base/mem.h"
#include "../src/base/rng.h"

enum { MAX_CONTEXT = PERSONAL_ORDER - 1 };

struct follower {
	int32_t id;
	uint32_t count;
	uint32_t begun;           /* of them with the context at a sequence's beginning */
};

struct context {
	int32_t ids[MAX_CONTEXT];
	uint32_t n;               /* length, plus one: 0 is an empty slot */
	uint32_t total;
	uint32_t followers, cap;
	struct follower *f;       /* by id */
};

struct personal {
	size_t vocab, size;
	struct personal_opts o;
	struct context *slot;
	size_t slots, used;       /* slots: a power of two */
};

void personal_opts_default(struct personal_opts *o)
{
	*o = (struct personal_opts){
		.discount = { 0.9, 0.4, 0.7, 0.3, 0.7 },
		.strength = { 300000, 600, 8, 15, 0.75 },
	};
}

struct personal *personal_new(size_t vocab, const struct personal_opts *o)
{
	struct personal *p = xcalloc(1, sizeof(*p));

	kernels_init();
	p->vocab = vocab;
	if (o)
		p->o = *o;
	else
		personal_opts_default(&p->o);
	p->slots = 1024;
	p->slot = xcalloc(p->slots, sizeof(*p->slot));
	return p;
}

void personal_clear(struct personal *p)
{
	for (size_t i = 0; i < p->slots; i++)
		free(p->slot[i].f);
	free(p->slot);
	p->slots = 1024;
	p->used = p->size = 0;
	p->slot = xcalloc(p->slots, sizeof(*p->slot));
}

void personal_free(struct personal *p)
{
	if (!p)
		return;
	personal_clear(p);
	free(p->slot);
	free(p);
}

size_t personal_size(const struct personal *p)
{
	return p->size;
}

static struct context *probe(struct context *slot, size_t slots, const int32_t *ids, size_t n)
{
	uint64_t h = rng_hash(0x706572736f6e, n);

	for (size_t i = 0; i < n; i++)
		h = rng_hash(h, (uint64_t)(uint32_t)ids[i]);
	for (size_t i = h & (slots - 1);; i = (i + 1) & (slots - 1)) {
		struct context *c = &slot[i];

		if (c->n == 0 || (c->n == n + 1 && memcmp(c->ids, ids, n * sizeof(*ids)) == 0))
			return c;
	}
}

static const struct context *look(const struct personal *p, const int32_t *ids, size_t n)
{
	const struct context *c = probe(p->slot, p->slots, ids, n);

	return c->n && c->total ? c : NULL;
}

static struct context *make(struct personal *p, const int32_t *ids, size_t n)
{
	struct context *c;

	if (2 * (p->used + 1) > p->slots) {
		const size_t slots = 2 * p->slots;
		struct context *bigger = xcalloc(slots, sizeof(*bigger));

		for (size_t i = 0; i < p->slots; i++)
			if (p->slot[i].n)
				*probe(bigger, slots, p->slot[i].ids, p->slot[i].n - 1) = p->slot[i];
		free(p->slot);
		p->slot = bigger;
		p->slots = slots;
	}
	c = probe(p->slot, p->slots, ids, n);
	if (c->n == 0) {
		memcpy(c->ids, ids, n * sizeof(*ids));
		c->n = (uint32_t)n + 1;
		p->used++;
	}
	return c;
}

static size_t place(const struct context *c, int32_t id)
{
	size_t from = 0, to = c->followers;

	while (from < to) {
		size_t mid = (from + to) / 2;

		if (c->f[mid].id < id)
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

static const struct follower *follower(const struct context *c, int32_t id)
{
	size_t at = place(c, id);

	return at < c->followers && c->f[at].id == id ? &c->f[at] : NULL;
}

static void more(struct context *c, int32_t id, uint32_t count, bool begins)
{
	size_t at = place(c, id);

	if (at == c->followers || c->f[at].id != id) {
		if (c->followers == c->cap) {
			c->cap = c->cap ? 2 * c->cap : 2;
			c->f = xreallocarray(c->f, c->cap, sizeof(*c->f));
		}
		memmove(c->f + at + 1, c->f + at, (c->followers - at) * sizeof(*c->f));
		c->f[at] = (struct follower){ id, 0, 0 };
		c->followers++;
	}
	if (c->total > UINT32_MAX - count)
		return;
	c->f[at].count += count;
	c->f[at].begun += begins ? count : 0;
	c->total += count;
}

static void less(struct context *c, int32_t id, bool begins)
{
	size_t at = place(c, id);

	if (at == c->followers || c->f[at].id != id)
		return;
	c->total--;
	c->f[at].begun -= begins && c->f[at].begun > 0;
	if (--c->f[at].count == 0) {
		memmove(c->f + at, c->f + at + 1, (c->followers - at - 1) * sizeof(*c->f));
		c->followers--;
	}
}

/* How much of a sequence is fit to count. */
static size_t sound(const struct personal *p, const int32_t *ids, size_t n)
{
	size_t i = 0;

	while (i < n && ids[i] >= 0 && (size_t)ids[i] < p->vocab)
		i++;
	return i;
}

void personal_add(struct personal *p, const int32_t *ids, size_t n)
{
	n = sound(p, ids, n);
	for (size_t i = 1; i < n; i++) {
		for (size_t k = 0; k <= MAX_CONTEXT && k <= i; k++)
			more(make(p, ids + i - k, k), ids[i], 1, k == i);
		p->size++;
	}
}

void personal_remove(struct personal *p, const int32_t *ids, size_t n)
{
	n = sound(p, ids, n);
	for (size_t i = 1; i < n; i++) {
		const size_t longest = i < MAX_CONTEXT ? i : MAX_CONTEXT;
		const struct context *c = look(p, ids + i - longest, longest);

		if (!c || !follower(c, ids[i]))
			continue;
		for (size_t k = 0; k <= longest; k++)
			less(probe(p->slot, p->slots, ids + i - k, k), ids[i], k == i);
		p->size--;
	}
}

void personal_row(struct personal *p, const int32_t *ids, size_t n, uint32_t count)
{
	if (n < 2 || n > PERSONAL_ORDER || count == 0 || sound(p, ids, n) < n)
		return;
	for (size_t k = 0; k < n; k++)
		more(make(p, ids + n - 1 - k, k), ids[n - 1], count, k + 1 == n && n < PERSONAL_ORDER);
	p->size += count;
}

void personal_rows(const struct personal *p, bool (*fn)(const int32_t *ids, size_t n, uint32_t count, void *arg),
                   void *arg)
{
	for (size_t i = 0; i < p->slots; i++) {
		const struct context *c = &p->slot[i];
		const size_t n = c->n ? c->n - 1 : 0;
		int32_t ids[PERSONAL_ORDER];

		if (n == 0)
			continue;
		memcpy(ids, c->ids, n * sizeof(*ids));
		for (size_t j = 0; j < c->followers; j++) {
			uint32_t count = n == MAX_CONTEXT ? c->f[j].count : c->f[j].begun;

			ids[n] = c->f[j].id;
			if (count > 0 && !fn(ids, n + 1, count, arg))
				return;
		}
	}
}

size_t personal_mix(const struct personal *p, const int32_t *context, size_t n, real *dist)
{
	const struct context *known[PERSONAL_ORDER];
	size_t longest = 0, levels = 0;
	double scale = 1;

	for (size_t k = 0; k <= MAX_CONTEXT && k <= n; k++) {
		const struct context *c = look(p, context + n - k, k);

		if (!c)
			break;
		longest = k;
		known[levels++] = c;
	}
	for (size_t k = 0; k < levels; k++) {
		const double d = p->o.discount[k], s = p->o.strength[k];

		scale *= (s + d * known[k]->followers) / (known[k]->total + s);
	}
	if (levels > 0)
		kernels_scale(dist, (real)scale, p->vocab);
	/* each level's own part, scaled by all levels above it */
	scale = 1;
	for (size_t k = levels; k-- > 0;) {
		const struct context *c = known[k];
		const double d = p->o.discount[k], s = p->o.strength[k], all = c->total + s;

		for (size_t j = 0; j < c->followers; j++)
			dist[c->f[j].id] += (real)(scale * (c->f[j].count - d) / all);
		scale *= (s + d * c->followers) / all;
	}
	return longest;
}

double personal_prob(const struct personal *p, const int32_t *context, size_t n, int32_t id, double base)
{
	for (size_t k = 0; k <= MAX_CONTEXT && k <= n; k++) {
		const struct context *c = look(p, context + n - k, k);
		const struct follower *f;
		const double d = p->o.discount[k], s = p->o.strength[k];

		if (!c)
			break;
		f = follower(c, id);
		base = ((f ? f->count - d : 0) + (s + d * c->followers) * base) / (c->total + s);
	}
	return base;
}
