/* SPDX-License-Identifier: GPL-3.0-or-later */
/* dataset: tokenised dialogues, epochs, batches. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "../src/base/rng.h"
#include "dataset.h"

struct dataset *dataset_new(void)
{
	struct dataset *ds = xcalloc(1, sizeof(*ds));

	ds->cap_dialogues = 16;
	ds->first_turn = xcalloc(ds->cap_dialogues + 1, sizeof(*ds->first_turn));
	return ds;
}

void dataset_free(struct dataset *ds)
{
	if (!ds)
		return;
	free(ds->ids);
	free(ds->turn);
	free(ds->first_turn);
	free(ds);
}

void dataset_begin(struct dataset *ds)
{
	assert(ds->first_turn[ds->dialogues] == ds->n_turns);
	if (ds->dialogues + 1 >= ds->cap_dialogues) {
		ds->cap_dialogues *= 2;
		ds->first_turn = xreallocarray(ds->first_turn, ds->cap_dialogues + 1,
		                               sizeof(*ds->first_turn));
	}
}

void dataset_turn(struct dataset *ds, int32_t tag, const int32_t *ids, size_t n, size_t chars, double weight)
{
	if (ds->n_turns == ds->cap_turns) {
		ds->cap_turns = ds->cap_turns ? 2 * ds->cap_turns : 64;
		ds->turn = xreallocarray(ds->turn, ds->cap_turns, sizeof(*ds->turn));
	}
	if (ds->n_ids + n > ds->cap_ids) {
		ds->cap_ids = 2 * (ds->n_ids + n);
		ds->ids = xreallocarray(ds->ids, ds->cap_ids, sizeof(*ds->ids));
	}
	if (n > 0)
		memcpy(ds->ids + ds->n_ids, ids, n * sizeof(*ids));
	ds->turn[ds->n_turns++] = (struct dataset_turn){
		.first = ds->n_ids, .n = n, .tag = tag, .chars = (uint32_t)chars, .weight = (float)weight,
	};
	ds->n_ids += n;
}

void dataset_open(struct dataset *ds)
{
	ds->turn[ds->n_turns - 1].open = true;
}

void dataset_pull(struct dataset *ds, double pull)
{
	ds->turn[ds->n_turns - 1].pull = (float)pull;
	ds->turn[ds->n_turns - 1].weight = 0;
}

void dataset_rival(struct dataset *ds, size_t turn)
{
	ds->turn[ds->n_turns - 1].rival = (uint32_t)turn + 1;
}

void dataset_append(struct dataset *ds, const struct dataset *from)
{
	const size_t base = ds->n_turns;

	for (size_t d = 0; d < from->dialogues; d++) {
		dataset_begin(ds);
		for (size_t t = from->first_turn[d]; t < from->first_turn[d + 1]; t++) {
			const struct dataset_turn *dt = &from->turn[t];

			dataset_turn(ds, dt->tag, from->ids + dt->first, dt->n, dt->chars, (double)dt->weight);
			ds->turn[ds->n_turns - 1].open = dt->open;
			ds->turn[ds->n_turns - 1].pull = dt->pull;
			if (dt->rival)
				dataset_rival(ds, base + dt->rival - 1);
		}
		dataset_end(ds);
	}
}

void dataset_end(struct dataset *ds)
{
	if (ds->n_turns > ds->first_turn[ds->dialogues])
		ds->first_turn[++ds->dialogues] = ds->n_turns;
}

size_t dataset_rows(const struct dataset *ds)
{
	return ds->n_ids + ds->n_turns;
}

/* ---- an epoch's plan ---- */

struct pending {
	struct batch_item item;
	size_t rows;
};

struct pending_list {
	struct pending *v;
	size_t n, cap;
};

static void add_pending(struct pending_list *l, uint32_t d, size_t from, size_t to, size_t rows)
{
	if (l->n == l->cap) {
		l->cap = l->cap ? 2 * l->cap : 256;
		l->v = xreallocarray(l->v, l->cap, sizeof(*l->v));
	}
	l->v[l->n++] = (struct pending){ { d, (uint32_t)from, (uint32_t)to }, rows };
}

/* Whole when it fits; else cut between turns, the first cut at a random place so that
 * another epoch cuts elsewhere and every turn gets its context some time. */
static void cut_dialogue(const struct dataset *ds, uint32_t d, size_t longest, struct rng *r,
                         struct pending_list *out)
{
	size_t from = ds->first_turn[d], to = ds->first_turn[d + 1], rows = 0;

	for (size_t t = from; t < to; t++)
		rows += ds->turn[t].n + 1;
	if (rows <= longest) {
		add_pending(out, d, from, to, rows);
		return;
	}

	size_t limit = longest / 2 + rng_below(r, longest / 2 + 1);

	rows = 0;
	for (size_t t = from; t < to; t++) {
		size_t n = ds->turn[t].n + 1;

		n = n < longest ? n : longest;
		if (rows > 0 && rows + n > limit) {
			add_pending(out, d, from, t, rows);
			from = t;
			rows = 0;
			limit = longest;
		}
		rows += n;
	}
	add_pending(out, d, from, to, rows);
}

static int by_rows(const void *a, const void *b)
{
	const struct pending *x = a, *y = b;

	if (x->rows != y->rows)
		return x->rows > y->rows ? -1 : 1;
	if (x->item.dialogue != y->item.dialogue)
		return x->item.dialogue < y->item.dialogue ? -1 : 1;
	return x->item.from < y->item.from ? -1 : x->item.from > y->item.from;
}

struct range {
	size_t from, to;
};

/* Longest first, each to the shard with the least rows so far. */
static void deal(const struct pending *p, struct range g, size_t shards, struct batch_plan *plan,
                 size_t batch, size_t *load, size_t *shard_of)
{
	memset(load, 0, shards * sizeof(*load));
	for (size_t i = g.from; i < g.to; i++) {
		size_t best = 0;

		for (size_t s = 1; s < shards; s++)
			if (load[s] < load[best])
				best = s;
		load[best] += p[i].rows;
		shard_of[i - g.from] = best;
	}
	for (size_t s = 0; s < shards; s++) {
		plan->first[batch * shards + s] = plan->n_items;
		for (size_t i = g.from; i < g.to; i++)
			if (shard_of[i - g.from] == s)
				plan->item[plan->n_items++] = p[i].item;
	}
}

struct batch_plan *batch_plan_new(const struct dataset *ds, const struct batch_opts *o, uint64_t epoch)
{
	struct batch_plan *plan = xcalloc(1, sizeof(*plan));
	struct pending_list l = { 0 };
	struct rng r;

	rng_seed(&r, rng_hash(o->seed, epoch));
	for (size_t d = 0; d < ds->dialogues; d++)
		cut_dialogue(ds, (uint32_t)d, o->longest, &r, &l);
	rng_shuffle(&r, l.v, l.n, sizeof(*l.v));

	/* Buckets: sort by length inside stretches of many batches, cut into batches, then
	 * shuffle the batches: like lengths run together, the order stays random. */
	struct range *group = xcalloc(l.n + 1, sizeof(*group));
	size_t groups = 0, stretch = 64 * o->rows;

	for (size_t from = 0; from < l.n;) {
		size_t to = from, rows = 0;

		while (to < l.n && rows < stretch)
			rows += l.v[to++].rows;
		qsort(l.v + from, to - from, sizeof(*l.v), by_rows);
		while (from < to) {
			struct range g = { from, from };

			rows = 0;
			while (g.to < to && (rows == 0 || rows + l.v[g.to].rows <= o->rows))
				rows += l.v[g.to++].rows;
			group[groups++] = g;
			from = g.to;
		}
	}
	rng_shuffle(&r, group, groups, sizeof(*group));

	plan->batches = groups;
	plan->shards = o->shards;
	plan->item = xcalloc(l.n + 1, sizeof(*plan->item));
	plan->first = xcalloc(groups * o->shards + 1, sizeof(*plan->first));

	size_t *load = xcalloc(o->shards, sizeof(*load)), *shard_of = xcalloc(l.n + 1, sizeof(*shard_of));

	for (size_t i = 0; i < groups; i++)
		deal(l.v, group[i], o->shards, plan, i, load, shard_of);
	plan->first[groups * o->shards] = plan->n_items;
	free(load);
	free(shard_of);
	free(group);
	free(l.v);
	return plan;
}

void batch_plan_free(struct batch_plan *p)
{
	if (!p)
		return;
	free(p->item);
	free(p->first);
	free(p);
}

/* ---- one batch ---- */

enum { MAX_TYPES = 32 };

struct permutation {
	uint8_t to[MAX_TYPES][TOKENIZER_PER_TYPE];
};

static void permute(struct permutation *pm, const struct batch_noise *noise, uint32_t dialogue)
{
	struct rng r;
	size_t types = tokenizer_types(noise->tok);

	rng_seed(&r, rng_hash(noise->key, dialogue));
	for (size_t t = 0; t < types && t < MAX_TYPES; t++) {
		for (size_t i = 0; i < TOKENIZER_PER_TYPE; i++)
			pm->to[t][i] = (uint8_t)i;
		if (!(noise->keep_types >> t & 1))
			rng_shuffle(&r, pm->to[t], TOKENIZER_PER_TYPE, 1);
	}
}

static int32_t permuted(const struct batch_noise *noise, const struct permutation *pm, int32_t id)
{
	size_t type;
	unsigned index;

	if (!tokenizer_is_placeholder(noise->tok, id, &type, &index) || type >= MAX_TYPES)
		return id;
	return tokenizer_placeholder(noise->tok, type, pm->to[type][index - 1] + 1u);
}

struct input {
	int32_t *ids, *enc, *dec, *target;
	float *weight, *pull;
};

static struct input input_new(struct arena *a, size_t rows)
{
	const size_t n = (rows + 1) * sizeof(int32_t);

	return (struct input){
		.ids = arena_alloc(a, n), .enc = arena_alloc(a, n), .dec = arena_alloc(a, n),
		.target = arena_alloc(a, n), .weight = arena_alloc(a, (rows + 1) * sizeof(float)),
		.pull = arena_alloc(a, (rows + 1) * sizeof(float)),
	};
}

/* Write one turn's rows from `row` on; returns how many. */
static size_t put_turn(const struct input *in, size_t row, const struct dataset *ds, const struct dataset_turn *dt,
                       size_t longest, const struct batch_noise *noise, const struct permutation *pm)
{
	const uint64_t drop_below = noise ? (uint64_t)(noise->word_dropout * 4294967296.0) : 0;
	const bool cut = longest && dt->n + 1 > longest;
	const size_t len = cut ? longest : dt->n + 1;

	for (size_t j = 0; j < len; j++, row++) {
		int32_t id = j == 0 ? dt->tag : ds->ids[dt->first + j - 1];

		if (noise && noise->tok)
			id = permuted(noise, pm, id);
		in->ids[row] = in->enc[row] = in->dec[row] = id;
		in->weight[row] = dt->weight;
		in->pull[row] = dt->pull;
		if (j > 0)
			in->target[row - 1] = id;
		if (noise && j > 0) {
			/* one draw for each reader, a function of where the piece stands */
			uint64_t z = rng_hash(noise->key ^ 0x5bd1e995, dt->first + j - 1);

			if ((z & 0xffffffff) < drop_below)
				in->enc[row] = TOKEN_NULL;
			if (z >> 32 < drop_below)
				in->dec[row] = TOKEN_NULL;
		}
	}
	in->target[row - 1] = TOKEN_EOT;
	if (cut || dt->open)
		in->weight[row - 1] = in->pull[row - 1] = 0;      /* the turn did not end there */
	return len;
}

void batch_build(struct dialogue_batch *b, struct arena *a, const struct dataset *ds,
                 const struct batch_item *item, size_t n, size_t longest, const struct batch_noise *noise)
{
	size_t rows = 0, turns = 0;

	for (size_t i = 0; i < n; i++) {
		for (size_t t = item[i].from; t < item[i].to; t++, turns++) {
			size_t len = ds->turn[t].n + 1;

			rows += longest && len > longest ? longest : len;
		}
	}

	struct input in = input_new(a, rows);
	struct span *turn = arena_alloc(a, (turns + 1) * sizeof(*turn));
	uint32_t *first = arena_alloc(a, (n + 1) * sizeof(*first));
	struct permutation pm;
	size_t row = 0, k = 0;

	for (size_t i = 0; i < n; i++) {
		first[i] = (uint32_t)k;
		if (noise && noise->tok)
			permute(&pm, noise, item[i].dialogue);
		for (size_t t = item[i].from; t < item[i].to; t++, k++) {
			turn[k] = (struct span){ row, 0 };
			turn[k].len = put_turn(&in, row, ds, &ds->turn[t], longest, noise, &pm);
			row += turn[k].len;
		}
	}
	first[n] = (uint32_t)k;
	*b = (struct dialogue_batch){
		.rows = rows, .turns = turns, .dialogues = n, .ids = in.ids, .encoder_input = in.enc,
		.decoder_input = in.dec, .target = in.target, .weight = in.weight, .pull = in.pull, .turn = turn,
		.first_turn = first,
	};
}

void batch_branch(struct dialogue_batch *b, struct arena *a, const struct dataset *ds, const uint32_t *place,
                  const size_t *said, const uint32_t *from, size_t n, size_t longest,
                  const struct batch_noise *noise)
{
	size_t rows = b->rows;

	for (size_t i = 0; i < n; i++) {
		const size_t len = ds->turn[said[i]].n + 1;

		rows += longest && len > longest ? longest : len;
	}

	const struct input in = input_new(a, rows);
	struct span *turn = arena_alloc(a, (b->turns + n + 1) * sizeof(*turn));
	uint32_t *branch = arena_alloc(a, (n + 1) * sizeof(*branch));
	struct permutation pm;
	size_t row = b->rows;

	memcpy(in.ids, b->ids, row * sizeof(*in.ids));
	memcpy(in.enc, b->encoder_input, row * sizeof(*in.enc));
	memcpy(in.dec, b->decoder_input, row * sizeof(*in.dec));
	memcpy(in.target, b->target, row * sizeof(*in.target));
	memcpy(in.weight, b->weight, row * sizeof(*in.weight));
	memcpy(in.pull, b->pull, row * sizeof(*in.pull));
	memcpy(turn, b->turn, b->turns * sizeof(*turn));
	memcpy(branch, place, n * sizeof(*branch));
	for (size_t i = 0; i < n; i++) {
		if (noise && noise->tok)
			permute(&pm, noise, from[i]);
		turn[b->turns + i] = (struct span){ row, 0 };
		turn[b->turns + i].len = put_turn(&in, row, ds, &ds->turn[said[i]], longest, noise, &pm);
		for (size_t j = 0; j < turn[b->turns + i].len; j++) {
			in.weight[row] = 0;
			in.pull[row++] = 0;
		}
	}
	b->rows = row;
	b->turns += n;
	b->ids = in.ids;
	b->encoder_input = in.enc;
	b->decoder_input = in.dec;
	b->target = in.target;
	b->weight = in.weight;
	b->pull = in.pull;
	b->turn = turn;
	b->branch = branch;
}
