/* SPDX-License-Identifier: GPL-3.0-or-later */
/* train: the training loop. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../src/base/mem.h"
#include "../src/base/rng.h"
#include "contrast.h"
#include "train_private.h"

enum { PACK_TASKS = 8 };

void train_opts_default(struct train_opts *o)
{
	*o = (struct train_opts){
		.threads = 1, .shards = 2, .batch_rows = 1200, .longest = 768,
		.lr = 2e-3, .lr_end = 0.02, .warmup = 100, .dropout = 0.1, .word_dropout = 0.02,
		.contrast_temperature = 0.25, .contrast_turns = 4, .contrast_others = 5,
		.clip = 1, .average = 0.998, .eval_every = 250, .eval_dialogues = 120,
		.checkpoint_minutes = 3, .checkpoint_last = true, .seed = 1,
	};
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + 1e-9 * (double)ts.tv_nsec;
}

struct trainer *trainer_new(const struct train_opts *o, struct weights *w, const struct tokenizer *tok,
                            const struct dataset *train, const struct dataset *valid, int32_t eval_tag)
{
	struct trainer *t = xcalloc(1, sizeof(*t));
	const size_t n = w->layout.total, shards = o->shards;

	t->o = *o;
	t->checkpoint = o->checkpoint ? xstrdup(o->checkpoint) : NULL;
	t->w = w;
	t->tok = tok;
	t->train = train;
	t->valid = valid;
	t->eval_tag = eval_tag;
	t->pool = pool_new(o->threads);
	if (o->adapter > 0) {
		t->adapter = adapter_new(&w->cfg, o->adapter, rng_hash(o->seed, 0xada));
		t->frozen = params_block(&w->layout);
		memcpy(t->frozen, w->flat, n * sizeof(real));
		t->factor_grad = params_block(&t->adapter->layout);
		t->tuned = params_block(&w->layout);
		optim_init(&t->optim, t->adapter->layout.total, o->average > 0 ? t->adapter->flat : NULL);
	} else {
		optim_init(&t->optim, n, o->average > 0 ? w->flat : NULL);
	}
	t->best = params_block(&w->layout);
	memcpy(t->best, w->flat, n * sizeof(real));
	t->arena = xcalloc(shards, sizeof(*t->arena));
	t->grad = xcalloc(shards, sizeof(*t->grad));
	for (size_t s = 0; s < shards; s++) {
		t->arena[s] = arena_new(1 << 20);
		t->grad[s] = params_block(&w->layout);
	}
	t->shard_loss = xcalloc(shards, sizeof(double));
	t->shard_weight = xcalloc(shards, sizeof(double));
	t->shard_entropy = xcalloc(shards, sizeof(double));
	t->shard_null = xcalloc(shards, sizeof(double));
	t->shard_right = xcalloc(shards, sizeof(double));
	if (o->contrast > 0)
		t->commonness = contrast_commonness(train, w->cfg.vocab);
	t->right = NAN;
	t->best_bits = INFINITY;
	t->bits = t->bits_all = NAN;
	return t;
}

void trainer_free(struct trainer *t)
{
	if (!t)
		return;
	pool_free(t->pool);
	for (size_t s = 0; s < t->o.shards; s++) {
		arena_free(t->arena[s]);
		mem_aligned_free(t->grad[s]);
	}
	free(t->arena);
	free(t->grad);
	free(t->shard_loss);
	free(t->shard_weight);
	free(t->shard_entropy);
	free(t->shard_null);
	free(t->shard_right);
	free(t->commonness);
	optim_fini(&t->optim);
	adapter_free(t->adapter);
	mem_aligned_free(t->frozen);
	mem_aligned_free(t->factor_grad);
	mem_aligned_free(t->tuned);
	weights_free(t->lent);
	weights_free(t->w);
	mem_aligned_free(t->best);
	batch_plan_free(t->plan);
	free(t->checkpoint);
	free(t);
}

/* ---- held-out likelihood ---- */

struct held_out {
	const struct weights *w;
	const struct dataset *ds;
	size_t per_task, end;
	struct likelihood *part;      /* [tasks] */
};

static void held_out_task(size_t task, void *arg)
{
	struct held_out *ho = arg;
	struct arena *a = arena_new(1 << 22);
	const struct dialogue_opts o = { 0 };
	size_t to = (task + 1) * ho->per_task;

	/* a dialogue at a time: memory stays small, and likelihoods do not depend on company */
	for (size_t d = task * ho->per_task; d < to && d < ho->end; d++) {
		const size_t first = ho->ds->first_turn[d];
		const struct batch_item item = { (uint32_t)d, (uint32_t)first, (uint32_t)ho->ds->first_turn[d + 1] };
		struct dialogue_batch b;
		struct dialogue_pass p;

		arena_reset(a);
		batch_build(&b, a, ho->ds, &item, 1, 0, NULL);

		float *lp = arena_alloc(a, b.rows * sizeof(*lp));

		dialogue_forward(&p, ho->w, a, &b, &o);
		dialogue_loss(&p, lp, NULL);
		for (size_t t = 0; t < b.turns; t++) {
			const struct dataset_turn *dt = &ho->ds->turn[first + t];
			const size_t tag = (size_t)(dt->tag - TOKEN_FIRST_TAG);

			for (size_t r = 0; r < b.turn[t].len; r++)
				ho->part[task].nats[tag] -= (double)lp[b.turn[t].start + r];
			ho->part[task].chars[tag] += dt->chars;
			ho->part[task].rows[tag] += (double)b.turn[t].len;
		}
	}
	arena_free(a);
}

void train_likelihood(const struct weights *w, const struct dataset *ds, size_t first,
                      struct pool *pool, struct likelihood *out)
{
	struct held_out ho = { w, ds, 8, first && first < ds->dialogues ? first : ds->dialogues, NULL };
	const size_t tasks = (ho.end + ho.per_task - 1) / ho.per_task;

	ho.part = xcalloc(tasks + 1, sizeof(*ho.part));
	pool_run(pool, tasks, held_out_task, &ho);
	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < tasks; i++) {
		for (size_t k = 0; k < TOKENIZER_MAX_TAGS; k++) {
			out->nats[k] += ho.part[i].nats[k];
			out->chars[k] += ho.part[i].chars[k];
			out->rows[k] += ho.part[i].rows[k];
		}
	}
	free(ho.part);
}

double likelihood_bits_per_char(const struct likelihood *l, int32_t tag)
{
	double nats = 0, chars = 0;

	for (size_t k = 0; k < TOKENIZER_MAX_TAGS; k++) {
		if (tag >= 0 && (int32_t)k != tag - TOKEN_FIRST_TAG)
			continue;
		nats += l->nats[k];
		chars += l->chars[k];
	}
	return chars > 0 ? nats / log(2.0) / chars : NAN;
}

const real *trainer_factors(const struct trainer *t)
{
	return t->optim.average ? t->optim.average : t->adapter->flat;
}

const struct adapter *trainer_adapter(const struct trainer *t)
{
	return t->adapter;
}

/* ---- whose turn it is to be packed ---- */

static void pack_task(size_t task, void *arg)
{
	weights_pack_part(arg, task, PACK_TASKS);
}

static const struct weights *lend(struct trainer *t, real *flat)
{
	weights_free(t->lent);
	t->lent = weights_view(t->w, flat);
	pool_run(t->pool, PACK_TASKS, pack_task, t->lent);
	return t->lent;
}

static void take_back(struct trainer *t)
{
	if (!t->lent)
		return;
	weights_free(t->lent);
	t->lent = NULL;
	pool_run(t->pool, PACK_TASKS, pack_task, t->w);
}

static real *average_block(const struct trainer *t)
{
	if (t->adapter)
		return t->tuned;
	return t->optim.average ? t->optim.average : t->w->flat;
}

void trainer_take_average(struct trainer *t)
{
	if (t->adapter)
		adapter_put(t->adapter, trainer_factors(t), t->frozen, &t->w->layout, t->tuned);
	lend(t, average_block(t));
}

static void evaluate(struct trainer *t)
{
	const size_t n = t->w->layout.total;
	struct likelihood l;

	trainer_take_average(t);
	if (t->valid->dialogues == 0) {      /* nothing to choose by: the latest is kept */
		memcpy(t->best, t->lent->flat, n * sizeof(real));
		return;
	}
	train_likelihood(t->lent, t->valid, t->o.eval_dialogues, t->pool, &l);
	t->bits = likelihood_bits_per_char(&l, t->eval_tag);
	t->bits_all = likelihood_bits_per_char(&l, -1);
	if (isnan(t->bits))
		t->bits = t->bits_all;
	if (t->bits < t->best_bits) {
		t->best_bits = t->bits;
		t->stale = 0;
		memcpy(t->best, t->lent->flat, n * sizeof(real));
	} else {
		t->stale++;
	}
}

/* ---- one step ---- */

/* Rows get their weights once the likelihoods are known; the pass's batch is b. Returns the loss
 * without the contrast. */
static double weigh_contrast(struct trainer *t, size_t s, struct dialogue_pass *p, struct dialogue_batch *b,
                           size_t chosen, const struct contrast_opts *co)
{
	float *logprob = arena_alloc(t->arena[s], (b->rows + 1) * sizeof(float));
	float *weight = arena_alloc(t->arena[s], (b->rows + 1) * sizeof(float));
	const double loss = dialogue_loss(p, logprob, NULL);
	size_t right;

	memcpy(weight, b->weight, b->rows * sizeof(float));
	contrast_weigh(b, chosen, co, logprob, weight, &right);
	b->weight = weight;
	t->shard_right[s] = (double)right / (double)chosen;
	return loss;
}

static void run_shard(size_t s, void *arg)
{
	struct trainer *t = arg;
	const size_t at = t->batch * t->o.shards + s;
	const struct batch_item *item = t->plan->item + t->plan->first[at];
	const size_t n = t->plan->first[at + 1] - t->plan->first[at];
	const uint64_t key = rng_hash(rng_hash(~t->o.seed, t->step), s);
	const struct batch_noise noise = {
		.word_dropout = t->o.word_dropout, .key = rng_hash(t->o.seed, t->epoch + 0x10000),
		.tok = t->tok, .keep_types = t->o.keep_types,
	};
	const struct dialogue_opts o = {
		.dropout = t->o.dropout, .label_smoothing = t->o.label_smoothing, .key = key,
	};
	struct dialogue_batch b;
	struct dialogue_pass p;
	bool pulled = false;

	t->shard_loss[s] = t->shard_weight[s] = 0;
	t->shard_right[s] = NAN;
	if (n == 0)
		return;
	arena_reset(t->arena[s]);
	batch_build(&b, t->arena[s], t->train, item, n, t->o.longest, &noise);
	for (size_t r = 0; r < b.rows; r++) {
		t->shard_weight[s] += (double)b.weight[r] + (t->o.teacher ? (double)b.pull[r] : 0);
		pulled = pulled || b.pull[r] > 0;
	}

	const struct contrast_opts co = {
		.weight = t->o.contrast, .temperature = t->o.contrast_temperature, .turns = t->o.contrast_turns,
		.others = t->o.contrast_others, .tag = t->eval_tag, .commonness = t->commonness,
		.key = rng_hash(key, 0xc0),
	};
	const size_t chosen = t->o.contrast > 0 ?
		contrast_branch(&b, t->arena[s], t->train, item, n, t->o.longest, &noise, &co) : 0;

	dialogue_forward(&p, t->w, t->arena[s], &b, &o);

	struct dialogue_batch clean = b;
	struct dialogue_pass teacher;

	if (t->o.teacher && pulled) {      /* it reads everything, and forgets nothing */
		clean.encoder_input = clean.decoder_input = b.ids;
		dialogue_forward(&teacher, t->o.teacher, t->arena[s], &clean, &(struct dialogue_opts){ 0 });
		p.teacher = &teacher;
	}
	if (s == 0)
		dialogue_attention_stats(&p, &t->shard_entropy[s], &t->shard_null[s]);
	if (chosen > 0) {
		t->shard_loss[s] = weigh_contrast(t, s, &p, &b, chosen, &co);
		dialogue_loss(&p, NULL, t->grad[s]);
	} else {
		t->shard_loss[s] = dialogue_loss(&p, NULL, t->grad[s]);
	}
}

static void next_epoch_if_due(struct trainer *t)
{
	const struct batch_opts bo = {
		.rows = t->o.batch_rows, .shards = t->o.shards, .longest = t->o.longest, .seed = t->o.seed,
	};

	if (t->plan && t->batch >= t->plan->batches) {
		t->epoch++;
		t->batch = 0;
		batch_plan_free(t->plan);
		t->plan = NULL;
	}
	if (!t->plan)
		t->plan = batch_plan_new(t->train, &bo, t->epoch);
}

static double progress(const struct trainer *t)
{
	if (t->o.steps > 0)
		return (double)t->step / (double)t->o.steps;
	if (t->o.epochs > 0)
		return ((double)t->epoch + (t->plan ? (double)t->batch / (double)t->plan->batches : 0)) /
			(double)t->o.epochs;
	if (t->o.minutes > 0)
		return t->seconds / (60 * t->o.minutes);
	return 1;
}

static void skipped(struct trainer *t, const struct train_hooks *h, const char *why)
{
	char text[160];

	t->skipped++;
	snprintf(text, sizeof(text), "step %llu left out: gradient norm %.3g %s",
	         (unsigned long long)t->step, t->norm, why);
	if (h->message)
		h->message(text, h->arg);
}

static enum optim_result update(struct trainer *t, const struct optim_step *os)
{
	const size_t n = t->w->layout.total;

	if (!t->adapter)
		return optim_update(&t->optim, t->pool, t->w->flat, t->grad, t->o.shards, os, &t->norm);
	for (size_t s = 1; s < t->o.shards; s++)
		kernels_axpy(t->grad[0], 1, t->grad[s], n);
	adapter_project(t->adapter, t->adapter->flat, t->w, t->grad[0], t->factor_grad);
	for (size_t s = 0; s < t->o.shards; s++)
		memset(t->grad[s], 0, n * sizeof(real));
	return optim_update(&t->optim, t->pool, t->adapter->flat, &t->factor_grad, 1, os, &t->norm);
}

static size_t step(struct trainer *t, const struct train_hooks *h)
{
	double loss = 0, weight = 0;
	size_t rows = 0;

	take_back(t);
	pool_run(t->pool, t->o.shards, run_shard, t);
	for (size_t s = 0; s < t->o.shards; s++) {
		loss += t->shard_loss[s];
		weight += t->shard_weight[s];
	}
	for (size_t i = t->plan->first[t->batch * t->o.shards];
	     i < t->plan->first[(t->batch + 1) * t->o.shards]; i++) {
		const struct batch_item *it = &t->plan->item[i];

		for (size_t k = it->from; k < it->to; k++)
			rows += t->train->turn[k].n + 1;
	}
	for (size_t s = 0; s < t->o.shards; s++) {
		if (t->o.contrast > 0 && !isnan(t->shard_right[s]))
			t->right = isnan(t->right) ? t->shard_right[s] : t->right + 0.01 * (t->shard_right[s] - t->right);
	}
	t->lr = t->o.lr * optim_schedule(t->step, t->o.warmup, progress(t), t->o.lr_end);

	const struct optim_step os = {
		.scale = weight > 0 ? 1 / weight : 0, .clip = t->o.clip, .lr = t->lr,
		.weight_decay = t->o.weight_decay, .average = t->o.average,
	};

	switch (update(t, &os)) {
	case OPTIM_OK: {
		double mean = weight > 0 ? loss / weight : 0, share = t->step < 50 ? 1.0 / (double)(t->step + 1) : 0.02;

		t->loss += share * (mean - t->loss);
		if (t->adapter)
			adapter_put(t->adapter, t->adapter->flat, t->frozen, &t->w->layout, t->w->flat);
		pool_run(t->pool, PACK_TASKS, pack_task, t->w);
		break;
	}
	case OPTIM_NOT_FINITE:
		skipped(t, h, "(not a finite number)");
		break;
	case OPTIM_OUTLIER:
		skipped(t, h, "(over ten times the usual)");
		break;
	}
	t->step++;
	t->batch++;
	return rows;
}

void trainer_measure(struct trainer *t, const struct dataset *ds)
{
	const struct dataset *train = t->train;
	const struct train_opts o = t->o;
	size_t batches;

	if (t->adapter)      /* one factor starts at zero, and has no gradient to measure */
		return;
	take_back(t);
	t->o.teacher = NULL;
	t->o.contrast = t->o.dropout = t->o.word_dropout = 0;
	t->train = ds;
	for (next_epoch_if_due(t); t->batch < t->plan->batches; t->batch++) {
		double weight = 0;

		pool_run(t->pool, t->o.shards, run_shard, t);
		for (size_t s = 0; s < t->o.shards; s++)
			weight += t->shard_weight[s];
		optim_measure(&t->optim, t->pool, t->grad, t->o.shards, weight > 0 ? 1 / weight : 0);
	}
	batches = t->plan->batches;
	for (size_t i = 0; i < t->w->layout.n && batches > 0; i++) {
		const struct param *p = &t->w->layout.p[i];

		optim_measured(&t->optim, p->offset, p->rows * p->cols, batches);
	}
	batch_plan_free(t->plan);
	t->plan = NULL;
	t->batch = 0;
	t->o = o;
	t->train = train;
}

void trainer_state(const struct trainer *t, struct train_report *r)
{
	const double p = progress(t);

	*r = (struct train_report){
		.step = t->step, .epoch = t->epoch, .progress = p < 1 ? p : 1, .loss = t->loss, .lr = t->lr,
		.grad_norm = t->norm, .tokens_per_second = t->rate, .seconds = t->seconds,
		.eta = p > 0 && p < 1 ? t->seconds * (1 - p) / p : 0, .skipped = t->skipped,
		.contrast_right = t->right, .entropy = t->shard_entropy[0], .null_weight = t->shard_null[0],
		.bits_per_char = t->bits, .bits_per_char_all = t->bits_all, .best = t->best_bits,
	};
	if (t->o.steps > 0)
		r->steps = t->o.steps;
	else if (t->o.epochs > 0 && t->plan)
		r->steps = t->o.epochs * t->plan->batches;
}

static bool tell(struct trainer *t, const struct train_hooks *h, bool evaluated)
{
	struct train_report r;

	if (!h->report)
		return true;
	trainer_state(t, &r);
	r.evaluated = evaluated;
	return h->report(&r, h->arg);
}

static int checkpoint(struct trainer *t, const struct train_hooks *h, bool must, struct err *e)
{
	struct err own = ERR_INIT;

	t->saved_at = t->seconds;
	if (!t->checkpoint || (must && !t->o.checkpoint_last) || trainer_save(t, &own) == 0)
		return 0;
	if (must)
		return err_set(e, own.code, "%s", own.msg);
	/* a full disk in the middle is no reason to throw hours away: say it, go on, try again */
	if (h->message)
		h->message(own.msg, h->arg);
	return 0;
}

int trainer_run(struct trainer *t, const struct train_hooks *h, enum train_end *end, struct err *e)
{
	if (t->train->dialogues == 0)
		return err_set(e, ERR_FORMAT, "nothing to train on: no conversation was read");
	*end = TRAIN_DONE;
	t->saved_at = t->seconds;
	next_epoch_if_due(t);
	while (progress(t) < 1 && !(t->o.epochs > 0 && t->epoch >= t->o.epochs)) {
		double before = now();
		size_t rows = step(t, h);
		double took = now() - before;
		double rate = (double)rows / (took > 0 ? took : 1e-9);

		t->seconds += took;
		t->rate = t->rate > 0 ? 0.95 * t->rate + 0.05 * rate : rate;
		next_epoch_if_due(t);

		bool go_on = tell(t, h, false);

		if (t->o.eval_every > 0 && t->step % t->o.eval_every == 0) {
			before = now();
			evaluate(t);
			t->seconds += now() - before;
			go_on = tell(t, h, true) && go_on;
			if (t->o.patience > 0 && t->stale >= t->o.patience) {
				*end = TRAIN_PATIENCE;
				return checkpoint(t, h, true, e);
			}
		}
		if (!go_on) {
			*end = TRAIN_STOPPED;
			return checkpoint(t, h, true, e);
		}
		if (t->seconds - t->saved_at > 60 * t->o.checkpoint_minutes)
			checkpoint(t, h, false, e);
	}
	if (t->o.eval_every == 0 || t->step % t->o.eval_every != 0) {
		evaluate(t);
		tell(t, h, true);
	}
	return checkpoint(t, h, true, e);
}

const struct weights *trainer_best(struct trainer *t)
{
	if (isinf(t->best_bits) && t->valid->dialogues > 0)
		evaluate(t);
	return lend(t, t->best);
}

const struct weights *trainer_current(struct trainer *t)
{
	take_back(t);
	return t->w;
}

const struct weights *trainer_average(struct trainer *t)
{
	if (!t->lent || t->lent->flat != average_block(t))
		trainer_take_average(t);
	return t->lent;
}
