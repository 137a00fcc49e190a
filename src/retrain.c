/* SPDX-License-Identifier: GPL-3.0-or-later */
/* retrain: examples and replay into a dataset, the training run with an eye on the base, gate, publish. */
#include "retrain.h"

#include <jansson.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "../model/pool.h"
#include "../model/train.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/str.h"
#include "config.h"
#include "encode.h"
#include "paths.h"
#include "registry.h"
#include "replay.h"
#include "store.h"

/* How far from the base training itself may go: below the gate's bound, since the gate measures elsewhere. */
static const double drift_bound = 0.009, learned_bits = 0.05;
enum { HELD_DIALOGUES = 60, BATCH_ROWS = 480, EVAL_EVERY = 30 };

void retrain_defaults(struct retrain_options *o)
{
	*o = (struct retrain_options){
		.minutes = (double)config_number(CONFIG_RETRAIN_MINUTES), .threads = config_threads(), .replay = 240, .seed = 1, .lr = 3e-4, .pull = 3,
	};
}

struct run {
	const struct retrain_options *o;
	struct corpus examples, written, golden;
	struct gate_golden *rules;
	int64_t *ids;
	struct model *base;
	struct dataset *train, *valid, *held;
	struct trainer *t;
	struct pool *pool;
	real *best;                   /* closest to the examples among those close to the base */
	double base_nats, best_bits, started;
	struct train_report last;
	bool keep, cancelled;
	FILE *log;
};

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + 1e-9 * (double)ts.tv_nsec;
}

static void say(const struct run *r, double share, const char *text)
{
	if (r->o->progress)
		r->o->progress(text, share, r->o->arg);
}

static bool stopped(void *arg)
{
	const struct run *r = arg;

	return r->o->order && atomic_load(r->o->order) == RETRAIN_CANCEL;
}

/* ---- what is learned from ---- */

static bool add_example(const struct store_example *x, void *arg)
{
	struct run *r = arg;
	const struct chatfile_opts co = { .strict = true };
	struct chatfile_counts counts = { 0 };
	struct chat c = { 0 };

	/* ours, but a database may have been in other hands */
	if (chat_from_json(x->chat, strlen(x->chat), "example", &co, &c, &counts, NULL) < 0 || c.n < 2 ||
	    strcmp(c.messages[c.n - 1].role, "assistant") != 0) {
		chat_free(&c);
		return true;
	}
	for (size_t i = 0; i < c.n; i++)      /* a customer's words are context: never learned by heart */
		c.messages[i].weight = i + 1 == c.n ? (x->weight > 0 ? x->weight : 1) : 0;
	free(c.source);
	c.source = xstrdup(ENCODE_EXAMPLE);
	r->examples.chat = xreallocarray(r->examples.chat, r->examples.n + 1, sizeof(c));
	r->ids = xreallocarray(r->ids, r->examples.n + 1, sizeof(*r->ids));
	r->ids[r->examples.n] = x->id;
	r->examples.chat[r->examples.n++] = c;
	r->examples.cap = r->examples.n;
	return true;
}

/* Conversations written for the project, beside the shipped model; none is no error. */
static void read_written(struct run *r, const char *base_path)
{
	struct str path = STR_INIT;
	const char *slash = strrchr(base_path, '/');

	str_add(&path, base_path, slash ? (size_t)(slash + 1 - base_path) : 0);
	str_adds(&path, "gate.jsonl");
	if (access(path.s, R_OK) == 0)
		corpus_read(&r->written, path.s, &(struct chatfile_opts){ 0 }, 0, NULL);
	str_free(&path);
}

static void fill_datasets(struct run *r, size_t *replayed)
{
	struct tokenizer_cache *cache = tokenizer_cache_new();
	struct replay_opts ro;
	size_t rows, repeat;

	r->train = dataset_new();
	r->valid = dataset_new();
	r->held = dataset_new();
	replay_opts_default(&ro);
	ro.dialogues = r->o->replay;
	ro.pull = r->o->pull;
	ro.seed = rng_hash(r->o->seed, 1);
	*replayed = replay_sample(r->base, &ro, r->train, stopped, r);
	ro.dialogues = HELD_DIALOGUES;
	ro.pull = 0;
	ro.seed = rng_hash(r->o->seed, 2);
	replay_sample(r->base, &ro, r->held, stopped, r);
	rows = dataset_rows(r->train);
	for (size_t i = 0; i < r->examples.n; i++)
		encode_chat(r->valid, r->base->tok, cache, &r->examples.chat[i], r->o->company, true);
	/* as much of the new as of the old, but nothing more than twenty times in one pass */
	repeat = rows / (dataset_rows(r->valid) + 1);
	repeat = repeat < 1 ? 1 : repeat > 20 ? 20 : repeat;
	for (size_t k = 0; k < repeat; k++)
		for (size_t i = 0; i < r->examples.n; i++)
			encode_chat(r->train, r->base->tok, cache, &r->examples.chat[i], r->o->company, true);
	tokenizer_cache_free(cache);
}

/* ---- training ---- */

static double held_nats(struct run *r, const struct weights *w)
{
	struct likelihood l;
	double sum = 0;

	train_likelihood(w, r->held, 0, r->pool, &l);
	for (size_t i = 0; i < TOKENIZER_MAX_TAGS; i++)
		sum += l.nats[i];
	return sum;
}

static bool report(const struct train_report *rep, void *arg)
{
	struct run *r = arg;
	const double spent = now() - r->started;
	char text[160];

	while (r->o->order && atomic_load(r->o->order) == RETRAIN_PAUSE)
		usleep(100000);
	r->last = *rep;
	if (r->o->order && atomic_load(r->o->order) == RETRAIN_KEEP)
		r->keep = true;
	r->cancelled = stopped(r);
	if (!rep->evaluated)
		return !r->keep && !r->cancelled && spent < 60 * r->o->minutes;

	/* the trainer's own figure weighs nothing: likelihood of the examples, every turn; what counts is below */
	const struct weights *w = trainer_average(r->t);
	const double drift = r->base_nats > 0 ? held_nats(r, w) / r->base_nats - 1 : 0;

	if (drift <= drift_bound && rep->bits_per_char < r->best_bits) {
		r->best_bits = rep->bits_per_char;
		memcpy(r->best, w->flat, w->layout.total * sizeof(real));
	}
	snprintf(text, sizeof(text), "step %zu: examples %.3f bits a character, base %+.2f %%", rep->step, rep->bits_per_char,
	         100 * drift);
	say(r, fmin(0.9, spent / (60 * r->o->minutes)), text);
	if (r->log) {
		fprintf(r->log, "{\"event\": \"eval\", \"step\": %zu, \"loss\": %.5f, \"tokens_per_second\": %.0f, \"progress\": %.4f, "
		        "\"eta\": %.0f, \"bits_per_char\": %.5f, \"best\": %.5f, \"base_drift\": %.5f}\n", rep->step, rep->loss,
		        rep->tokens_per_second, fmin(1, spent / (60 * r->o->minutes)), fmax(0, 60 * r->o->minutes - spent),
		        rep->bits_per_char, r->best_bits, drift);
		fflush(r->log);
	}
	if (rep->bits_per_char < learned_bits && drift <= drift_bound)
		return false;
	return !r->keep && !r->cancelled && spent < 60 * r->o->minutes && drift < 6 * drift_bound;
}

static int train_it(struct run *r, struct weights *w, struct err *e)
{
	const struct train_hooks hooks = { report, NULL, r };
	struct train_opts o;
	enum train_end end;
	int rc;

	train_opts_default(&o);
	o.threads = r->o->threads;
	o.batch_rows = BATCH_ROWS;
	o.longest = 400;
	o.steps = 3000;               /* of the schedule; the budget and the examples end it sooner */
	o.warmup = 20;
	o.lr = r->o->lr;
	/* With dropout the student would be pulled by its own noise, and the base drift for nothing. */
	o.dropout = 0;
	o.word_dropout = 0;
	o.average = 0.95;
	o.eval_every = EVAL_EVERY;
	o.eval_dialogues = 0;
	o.seed = r->o->seed;
	o.keep_types = encode_fixed_types();
	o.teacher = r->base->w;
	r->best = params_block(&w->layout);
	memcpy(r->best, w->flat, w->layout.total * sizeof(real));
	r->best_bits = INFINITY;
	r->pool = pool_new(r->o->threads);
	r->base_nats = held_nats(r, r->base->w);
	r->t = trainer_new(&o, w, r->base->tok, r->train, r->valid, tokenizer_tag(r->base->tok, "assistant"));
	rc = trainer_run(r->t, &hooks, &end, e);
	if (rc == 0 && r->cancelled)
		rc = err_set(e, ERR_CANCELLED, "cancelled: nothing was changed");
	return rc;
}

/* ---- gate and publish ---- */

static char *lineage_of(const struct run *r, const char *parent, const struct retrain_result *res)
{
	char when[32], *text, *copy;
	time_t t = time(NULL);
	struct tm tm;
	json_t *j;

	gmtime_r(&t, &tm);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
	j = json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I}", "parent", parent, "created", when, "how", "retrain", "examples",
	              (json_int_t)res->examples, "replayed", (json_int_t)res->replayed, "steps", (json_int_t)res->steps, "seed",
	              (json_int_t)r->o->seed);
	text = json_dumps(j, JSON_COMPACT);
	copy = xstrdup(text);
	free(text);
	json_decref(j);
	return copy;
}

static char *scores_of(const struct retrain_result *res)
{
	json_t *j = json_object();
	char *text, *copy;

	for (size_t i = 0; i < res->checks; i++)
		json_object_set_new(j, res->gate[i].name, json_real(res->gate[i].value));
	text = json_dumps(j, JSON_COMPACT | JSON_REAL_PRECISION(5));
	copy = xstrdup(text);
	free(text);
	json_decref(j);
	return copy;
}

static int gate_and_publish(struct run *r, struct registry *reg, const char *parent, struct retrain_result *res, struct err *e)
{
	struct weights *w = weights_new(&r->base->w->cfg, false);
	struct str path = STR_INIT;
	struct gate_input in = {
		.company = r->o->company, .as = "assistant", .examples = &r->examples, .written = &r->written,
		.sampled = r->held, .golden = &r->golden,
	};
	char *from, *scores, *id = NULL;
	int rc = 0;

	memcpy(w->flat, r->best, w->layout.total * sizeof(real));
	weights_pack(w);

	/* the tokenizer belongs to the base: what serves has its own copy in the file; here it is only read */
	struct model candidate = { .w = w, .tok = r->base->tok, .lineage = r->base->lineage, .scores = r->base->scores };

	atomic_init(&candidate.refs, 1);
	in.base = model_served(r->base);       /* what serves is what is judged, rounding and all */
	in.candidate = model_served(&candidate);
	if (config_text(CONFIG_GOLDEN))
		str_adds(&path, config_text(CONFIG_GOLDEN));
	else
		str_addf(&path, "%s/golden.jsonl", registry_folder(reg));
	rc = gate_golden_read(path.s, &r->golden, &r->rules, e);
	str_free(&path);
	if (rc == 0) {
		in.rules = r->rules;
		gate_defaults(&in);
		say(r, 0.92, "the gate");
		res->published = gate_run(&in, res->gate, stopped, r);
		res->checks = GATE_CHECKS;
	}
	if (rc == 0 && stopped(r))
		rc = err_set(e, ERR_CANCELLED, "cancelled: nothing was changed");
	if (rc == 0 && res->published) {
		from = lineage_of(r, parent, res);
		scores = scores_of(res);
		rc = registry_add(reg, w, r->base->tok, from, scores, &id, e);
		if (rc == 0)
			rc = registry_promote(reg, id, "published", e);
		free(from);
		free(scores);
		if (rc == 0)
			snprintf(res->model, sizeof(res->model), "%s", id);
		else
			res->published = false;
		free(id);
	}
	model_unref(in.base);
	model_unref(in.candidate);
	weights_free(w);
	return rc;
}

static void run_free(struct run *r)
{
	trainer_free(r->t);
	pool_free(r->pool);
	mem_aligned_free(r->best);
	dataset_free(r->train);
	dataset_free(r->valid);
	dataset_free(r->held);
	gate_golden_free(r->rules, r->golden.n);
	corpus_free(&r->examples);
	corpus_free(&r->written);
	corpus_free(&r->golden);
	free(r->ids);
	model_unref(r->base);
	if (r->log)
		fclose(r->log);
}

/* Clone, train, judge; the store is only told at the end. */
static int learn(struct run *r, struct registry *reg, const char *id, const char *path, struct retrain_result *res, struct err *e)
{
	struct model *clone;
	int rc;

	say(r, 0, "replaying what the model knows");
	fill_datasets(r, &res->replayed);
	if (stopped(r))
		return err_set(e, ERR_CANCELLED, "cancelled: nothing was changed");
	if ((rc = model_load(&clone, path, MODEL_TRAIN, e)) < 0)
		return rc;

	struct weights *w = clone->w;

	clone->w = NULL;
	model_unref(clone);
	rc = train_it(r, w, e);
	res->steps = r->last.step;
	return rc < 0 ? rc : gate_and_publish(r, reg, id, res, e);
}

int retrain(const struct retrain_options *o, struct retrain_result *res, struct err *e)
{
	struct run r = { .o = o, .started = now() };
	const int64_t began = store_now();
	struct registry *reg = NULL;
	struct store *s = NULL;
	char *shipped = NULL, *id = NULL, *path = NULL, *note = NULL;
	int rc;

	*res = (struct retrain_result){ 0 };
	/* a list that was named and is not there would be a gate that holds nothing back */
	if (config_text(CONFIG_GOLDEN) && access(config_text(CONFIG_GOLDEN), R_OK) != 0)
		return err_set(e, ERR_NOTFOUND, "the golden messages %s (%s) cannot be read: %m", config_text(CONFIG_GOLDEN),
		               config_origin(CONFIG_GOLDEN));
	if (o->idle) {      /* threads started from here on inherit it */
		const struct sched_param none = { 0 };

		sched_setscheduler(0, SCHED_IDLE, &none);
	}
	if ((rc = store_open(&s, o->data_dir, STORE_READ_WRITE, e)) < 0 ||
	    (rc = store_examples(s, "approved", add_example, &r, e)) < 0)
		goto out;
	res->examples = r.examples.n;
	if (r.examples.n == 0) {
		res->nothing = true;
		goto out;
	}
	if ((rc = paths_model(o->model, &shipped, e)) < 0 || (rc = registry_open(&reg, o->data_dir, shipped, e)) < 0 ||
	    (rc = registry_lock(reg, e)) < 0 || (rc = registry_current(reg, &id, &path, &note, e)) < 0 ||
	    (rc = model_load(&r.base, path, MODEL_F32, e)) < 0)
		goto out;
	if (o->log && !(r.log = fopen(o->log, "w"))) {
		rc = err_set(e, ERR_IO, "%s cannot be written: %m", o->log);
		goto out;
	}
	read_written(&r, shipped);
	rc = learn(&r, reg, id, path, res, e);
	res->seconds = now() - r.started;

	char *detail = scores_of(res);
	struct err ignored = ERR_INIT;

	store_run_add(s, "retrain", res->model, id, rc < 0 ? e ? e->msg : "failed" : res->published ? "published" : "gate failed",
	              detail, began, r.ids, r.examples.n, &ignored);
	if (res->published)
		store_audit(s, "published", res->model, &ignored);
	free(detail);
	if (res->published)
		registry_prune(reg, (size_t)config_number(CONFIG_KEEP_MODELS), &ignored);
out:
	res->seconds = now() - r.started;
	run_free(&r);
	registry_close(reg);
	store_close(s);
	free(shipped);
	free(id);
	free(path);
	free(note);
	return rc;
}
