/* SPDX-License-Identifier: GPL-3.0-or-later */
/* retrain_train: the training run with an eye on the base: what is kept is what has learned most without going too
 * far from it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "encode.h"
#include "retrain_private.h"

/* How far from the base training itself may go, of the gate's bound: the gate measures elsewhere. */
static const double drift_part = 0.85;
/* Bits a character of the examples, new wordings included, from which more training brings nothing. */
static const double learned_bits = 0.02;
enum { BATCH_ROWS = 480, EVAL_EVERY = 40, BLENDS = 15 };

static double held_nats(struct run *r, const struct weights *w)
{
	struct likelihood l;
	double sum = 0;

	train_likelihood(w, r->mix.held, 0, r->pool, &l);
	for (size_t i = 0; i < TOKENIZER_MAX_TAGS; i++)
		sum += l.nats[i];
	return sum;
}

static double drift_of(struct run *r, const struct weights *w)
{
	return r->anchor_nats > 0 ? held_nats(r, w) / r->anchor_nats - 1 : 0;
}

/* One of each pair of factors: their product is what is added to a matrix. */
static void scale_factors(struct run *r, real part)
{
	const struct params *p = &r->factors->layout;

	for (size_t i = 1; i < p->n; i += 2)
		kernels_scale(r->factors->flat + p->p[i].offset, part, p->p[i].rows * p->p[i].cols);
}

/* What is best so far: weights, and with an adapter its factors, `part` of the way. */
static void keep_best(struct run *r, const struct weights *w, double bits, real part)
{
	const struct adapter *a = trainer_adapter(r->t);

	r->best_bits = bits;
	memcpy(r->best, w->flat, w->layout.total * sizeof(real));
	if (!a)
		return;
	memcpy(r->factors->flat, trainer_factors(r->t), a->layout.total * sizeof(real));
	scale_factors(r, part);
}

void retrain_step_back(struct run *r, double part)
{
	const real *from = r->anchor->w->flat;

	for (size_t i = 0; i < r->anchor->w->layout.total; i++)
		r->best[i] = from[i] + (real)part * (r->best[i] - from[i]);
	if (r->factors)
		scale_factors(r, (real)part);
}

static void log_step(struct run *r, const struct train_report *rep, double share, double eta, double drift)
{
	if (!r->log)
		return;
	fprintf(r->log, "{\"event\": \"%s\", \"step\": %zu, \"loss\": %.5f, \"tokens_per_second\": %.0f, \"progress\": %.4f, "
	        "\"eta\": %.0f", rep->evaluated ? "eval" : "step", rep->step, rep->loss, rep->tokens_per_second, share, eta);
	if (rep->evaluated)
		fprintf(r->log, ", \"bits_per_char\": %.5f, \"best\": %.5f, \"base_drift\": %.5f", rep->bits_per_char,
		        isinf(r->best_bits) ? rep->bits_per_char : r->best_bits, drift);
	fputs("}\n", r->log);
	fflush(r->log);
}

static bool report(const struct train_report *rep, void *arg)
{
	struct run *r = arg;
	const double spent = retrain_now() - r->started, budget = 60 * r->o->minutes;
	const double share = r->o->steps ? rep->progress : fmin(1, spent / budget);
	const double eta = r->o->steps ? rep->eta : fmax(0, budget - spent);
	char text[160];
	double drift;

	while (r->o->order && atomic_load(r->o->order) == RETRAIN_PAUSE)
		usleep(100000);
	r->last = *rep;
	if (r->o->order && atomic_load(r->o->order) == RETRAIN_KEEP)
		r->keep = true;
	retrain_stopped(r);
	if (rep->evaluated && !r->cancelled && !r->interrupted) {
		const struct weights *w = trainer_average(r->t);

		drift = drift_of(r, w);
		if (drift <= drift_part * r->o->base_bound && rep->bits_per_char < r->best_bits)
			keep_best(r, w, rep->bits_per_char, 1);
		snprintf(text, sizeof(text), "step %zu: examples %.3f bits a character, base %+.2f %%", rep->step, rep->bits_per_char,
		         100 * drift);
		retrain_say(r, fmin(0.9, share), text);
		log_step(r, rep, share, eta, drift);
		if (rep->bits_per_char < learned_bits && drift <= drift_part * r->o->base_bound)
			return false;
	} else if (rep->step % 5 == 0) {
		log_step(r, rep, share, eta, 0);
	}
	return !r->keep && !r->cancelled && !r->interrupted && (r->o->steps > 0 || spent < budget);
}

static void message(const char *text, void *arg)
{
	const struct run *r = arg;

	retrain_say(r, 0.5, text);
}

/* Part of the way from the base to what was learned: what was learned saturates along it, while the distance
 * to the base grows with its square (WiSE-FT, Wortsman et al. 2022). The longest part that stays within the bound. */
static void blend(struct run *r)
{
	const struct weights *tuned = trainer_average(r->t);
	struct weights *w = weights_new(&tuned->cfg, false);
	const real *from = r->anchor->w->flat;
	const size_t n = w->layout.total;
	struct likelihood l;
	char text[160];

	for (size_t k = 0; k < BLENDS && !retrain_stopped(r); k++) {
		const real part = (real)(1 - 0.05 * (double)k);
		double drift, bits;

		for (size_t i = 0; i < n; i++)
			w->flat[i] = from[i] + part * (tuned->flat[i] - from[i]);
		weights_pack(w);
		drift = drift_of(r, w);
		if (drift > drift_part * r->o->base_bound)
			continue;
		train_likelihood(w, r->mix.valid, 0, r->pool, &l);
		bits = likelihood_bits_per_char(&l, tokenizer_tag(r->anchor->tok, "assistant"));
		snprintf(text, sizeof(text), "%.0f %% of the way: examples %.3f bits a character, base %+.2f %%", 100 * (double)part, bits,
		         100 * drift);
		retrain_say(r, 0.91, text);
		if (bits < r->best_bits)
			keep_best(r, w, bits, part);
		break;
	}
	weights_free(w);
}

static void options(const struct run *r, struct train_opts *o)
{
	train_opts_default(o);
	o->threads = r->o->threads;
	o->batch_rows = BATCH_ROWS;
	o->longest = 400;
	o->steps = r->o->steps;
	o->minutes = r->o->steps ? 0 : fmax(0.001, r->o->minutes - (retrain_now() - r->started) / 60);
	o->warmup = 20;
	o->lr = r->o->lr;
	/* With dropout the student would be pulled by its own noise, and the base drift for nothing. */
	o->dropout = 0;
	o->word_dropout = 0;
	o->average = 0.95;
	o->eval_every = EVAL_EVERY;
	o->eval_dialogues = 0;
	o->seed = r->o->seed;
	o->keep_types = encode_fixed_types();
	o->teacher = r->anchor->w;
	o->adapter = r->o->adapter;
	o->contrast = r->o->contrast;
	o->contrast_turns = 2;
	o->contrast_others = 2;
	o->checkpoint = r->checkpoint;
	o->checkpoint_minutes = 1;
	o->checkpoint_last = false;
}

int retrain_train(struct run *r, struct weights *w, bool resume, struct err *e)
{
	const struct train_hooks hooks = { report, message, r };
	struct err why = ERR_INIT;
	struct train_opts o;
	enum train_end end;
	int rc;

	options(r, &o);
	r->best = params_block(&w->layout);
	memcpy(r->best, w->flat, w->layout.total * sizeof(real));
	r->best_bits = INFINITY;
	if (r->o->adapter)
		r->factors = adapter_new(&w->cfg, r->o->adapter, 0);
	r->anchor_nats = held_nats(r, r->anchor->w);
	r->t = trainer_new(&o, w, r->start->tok, r->mix.train, r->mix.valid, tokenizer_tag(r->start->tok, "assistant"));
	if (!resume || trainer_resume(r->t, &why) < 0) {
		if (resume)
			retrain_say(r, 0, why.msg);
		trainer_measure(r->t, r->mix.held);
	} else {
		trainer_state(r->t, &r->last);
		snprintf(why.msg, sizeof(why.msg), "going on from step %zu", r->last.step);
		retrain_say(r, 0, why.msg);
	}
	rc = trainer_run(r->t, &hooks, &end, e);
	if (rc < 0)
		return rc;
	if (r->interrupted) {
		if ((rc = trainer_save(r->t, e)) < 0)
			return rc;
		return err_set(e, ERR_CANCELLED, "interrupted at step %zu: the next retrain goes on from there", r->last.step);
	}
	if (!r->cancelled)
		blend(r);
	return r->cancelled ? err_set(e, ERR_CANCELLED, "cancelled: nothing was changed") : 0;
}
