/* SPDX-License-Identifier: GPL-3.0-or-later */
/* retrain: what is learned from, the run, the gate, publishing, and what is remembered of it. */
#include "retrain.h"

#include <jansson.h>
#include <math.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/rng.h"
#include "base/str.h"
#include "config.h"
#include "encode.h"
#include "paths.h"
#include "retrain_private.h"
#include "store.h"

void retrain_defaults(struct retrain_options *o)
{
	*o = (struct retrain_options){
		.minutes = (double)config_number(CONFIG_RETRAIN_MINUTES), .threads = config_threads(), .seed = 1, .lr = 7e-4, .pull = 15,
		.contrast = 1, .base_bound = 0.01, .keep = (size_t)config_number(CONFIG_KEEP_MODELS),
	};
}

double retrain_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + 1e-9 * (double)ts.tv_nsec;
}

void retrain_say(const struct run *r, double share, const char *text)
{
	if (r->o->progress)
		r->o->progress(text, share, r->o->arg);
}

/* The flags are only ever set, and by the order alone: pool threads may ask too, the run's own thread writes them down. */
static bool ordered_off(void *arg)
{
	const struct run *r = arg;
	const int order = r->o->order ? atomic_load(r->o->order) : RETRAIN_GO;

	return order == RETRAIN_CANCEL || order == RETRAIN_QUIT;
}

bool retrain_stopped(void *arg)
{
	struct run *r = arg;

	if (ordered_off(r)) {
		r->cancelled = atomic_load(r->o->order) == RETRAIN_CANCEL;
		r->interrupted = !r->cancelled;
	}
	return r->cancelled || r->interrupted;
}

static int stopped_error(const struct run *r, struct err *e)
{
	if (r->interrupted && r->t) {      /* trained, not judged: the next run has only that to do */
		int rc = trainer_save(r->t, e);

		return rc < 0 ? rc : err_set(e, ERR_CANCELLED, "interrupted at step %zu: the next retrain goes on from there", r->last.step);
	}
	return err_set(e, ERR_CANCELLED, r->cancelled ? "cancelled: nothing was changed" : "interrupted before the first step: nothing was changed");
}

/* ---- what is learned from (examples: retrain_examples.c) ---- */

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

/* Staying what it was has to be learned on many dialogues: on few the pull itself is learned by heart, and the base drifts
 * elsewhere (by 3 % with 144 of them where it was 1 % with 1,000). */
static size_t by_budget(const struct retrain_options *o)
{
	const double n = o->steps ? (double)o->steps : 100 * o->minutes;

	return n < 40 ? 40 : n > 1500 ? 1500 : (size_t)n;
}

/* Between two dialogues of the replay, from any thread of the pool: stop? And how far the budget is spent, twice a second. */
static bool between_dialogues(void *arg)
{
	struct run *r = arg;

	if (pthread_equal(pthread_self(), r->thread) && retrain_now() - r->told >= 0.5) {
		const double budget = 60 * r->o->minutes, spent = retrain_now() - r->started;
		const double share = r->o->steps == 0 && budget > 0 ? fmin(0.9, spent / budget) : 0;

		r->told = retrain_now();
		retrain_say(r, share, "replaying what the model knows");
		if (r->log) {
			fprintf(r->log, "{\"event\": \"replay\", \"progress\": %.4f, \"eta\": %.0f}\n", share, fmax(0, budget - spent));
			fflush(r->log);
		}
	}
	return ordered_off(r);
}

static void fill_mix(struct run *r, size_t *replayed)
{
	const struct mix_opts mo = {
		.replay = r->o->replay ? r->o->replay : by_budget(r->o), .pull = r->o->pull, .wordings = r->o->wordings,
		.most = 4 * by_budget(r->o), .company = r->o->company, .seed = r->o->seed,
		.stop = between_dialogues, .arg = r,
	};

	retrain_say(r, 0, "replaying what the model knows");
	mix_make(&r->mix, &r->examples, r->anchor, r->pool, &mo);
	*replayed = r->mix.replayed;
}

/* ---- gate and publish ---- */

static char *lineage_of(const struct run *r, const char *parent, const char *base, const struct retrain_result *res)
{
	char when[32], *text, *copy;
	time_t t = time(NULL);
	struct tm tm;
	json_t *j;

	gmtime_r(&t, &tm);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
	j = json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I}", "parent", parent, "base", base, "created", when, "how", r->o->adapter ? "adapter" : "retrain",
	              "examples", (json_int_t)res->examples, "replayed", (json_int_t)res->replayed, "steps", (json_int_t)res->steps,
	              "seed", (json_int_t)r->o->seed);
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

static int read_golden(struct run *r, struct registry *reg, struct err *e)
{
	struct str path = STR_INIT;
	int rc;

	if (config_text(CONFIG_GOLDEN))
		str_adds(&path, config_text(CONFIG_GOLDEN));
	else
		str_addf(&path, "%s/golden.jsonl", registry_folder(reg));
	rc = gate_golden_read(path.s, &r->golden, &r->rules, e);
	str_free(&path);
	return rc;
}

static int judge(struct run *r, struct weights *w, struct retrain_result *res, struct err *e)
{
	/* the tokenizer is read only; what will serve has its own copy in the file */
	struct model candidate = { .w = w, .tok = r->start->tok, .lineage = r->start->lineage, .scores = r->start->scores };
	struct gate_input in = {
		.company = r->o->company, .as = "assistant", .examples = &r->examples,
		.written = &r->written, .sampled = r->mix.judge, .golden = &r->golden,
	};
	const char *const *unwanted;
	int rc;

	if ((rc = config_unwanted(&unwanted, e)) < 0)
		return rc;
	in.unwanted = unwanted;
	atomic_init(&candidate.refs, 1);
	in.base = model_served(r->anchor);      /* what serves is what is judged, rounding and all */
	in.candidate = model_served(&candidate);
	in.rules = r->rules;
	gate_defaults(&in);
	in.base_bound = r->o->base_bound;
	retrain_say(r, 0.92, "the gate");
	res->published = gate_run(&in, res->gate, ordered_off, r);
	res->checks = GATE_CHECKS;
	model_unref(in.base);
	model_unref(in.candidate);
	return retrain_stopped(r) ? stopped_error(r, e) : 0;
}

/* How much of the way from the base is let go before the gate is asked again; 0: it does not fail for the base. The distance grows
 * with the square of the way (see blend in retrain_train.c), which was measured on other dialogues than the gate's. */
static double way_back(const struct run *r, const struct retrain_result *res)
{
	for (size_t i = 0; i < res->checks; i++)
		if (strcmp(res->gate[i].name, "base_bits") == 0 && !res->gate[i].ok)
			return fmin(0.95, fmax(0.5, sqrt(0.85 * r->o->base_bound / res->gate[i].value)));
	return 0;
}

/* Weights that pass, when a step or two back toward the base is all it takes: minutes of learning are not thrown away for a hair. */
static int judge_best(struct run *r, struct weights *w, struct retrain_result *res, struct err *e)
{
	enum { STEPS_BACK = 2 };
	double part = 1;
	int rc = 0;

	for (size_t k = 0; rc == 0 && k <= STEPS_BACK && part > 0 && !res->published; k++) {
		if (k > 0) {
			char text[96];

			snprintf(text, sizeof(text), "too far from the base for the gate: %.0f %% of the way", 100 * part);
			retrain_say(r, 0.92, text);
			retrain_step_back(r, part);
		}
		memcpy(w->flat, r->best, w->layout.total * sizeof(real));
		weights_pack(w);
		rc = judge(r, w, res, e);
		part = way_back(r, res);
	}
	return rc;
}

static int gate_and_publish(struct run *r, struct registry *reg, const char *parent, const char *base, struct retrain_result *res,
                            struct err *e)
{
	struct weights *w = weights_new(&r->start->w->cfg, false);
	char *from, *scores, *id = NULL;
	int rc = read_golden(r, reg, e);

	if (rc == 0)
		rc = judge_best(r, w, res, e);
	if (rc == 0 && res->published) {
		from = lineage_of(r, parent, base, res);
		scores = scores_of(res);
		rc = r->o->adapter ? registry_add_adapter(reg, r->factors, &w->cfg, from, scores, &id, e) :
			registry_add(reg, w, r->start->tok, from, scores, &id, e);
		if (rc == 0)
			rc = registry_promote(reg, id, "published", e);
		free(from);
		free(scores);
		if (rc == 0)
			snprintf(res->model, sizeof(res->model), "%s", id);
		free(id);
	}
	if (rc < 0)
		res->published = false;
	weights_free(w);
	return rc;
}

/* ---- the run ---- */

static void run_free(struct run *r)
{
	trainer_free(r->t);
	pool_free(r->pool);
	mem_aligned_free(r->best);
	adapter_free(r->factors);
	mix_free(&r->mix);
	gate_golden_free(r->rules, r->golden.n);
	corpus_free(&r->examples);
	corpus_free(&r->written);
	corpus_free(&r->golden);
	free(r->ids);
	free(r->checkpoint);
	model_unref(r->start);
	model_unref(r->anchor);
	if (r->log)
		fclose(r->log);
}

/* What serves, and what it came from; a version that cannot be read makes way for the shipped model. */
static int load_models(struct run *r, struct store *kept, struct registry *reg, const char *shipped, char **id, char base[24], struct err *e)
{
	char *path = NULL, *note = NULL, *of = NULL;
	struct err why = ERR_INIT;
	int rc = registry_current(reg, id, &path, &note, e);

	if (rc == 0 && note)
		retrain_say(r, 0, note);
	free(note);
	if (rc < 0)
		return rc;
	if (r->o->onto_base || r->o->adapter || r->o->model) {
		free(*id);
		*id = xstrdup(REGISTRY_BASE);
	} else if (store_model_tainted(kept, *id)) {      /* going on from it would not unlearn it */
		struct str t = STR_INIT;

		str_addf(&t, "version %s learned from something that was forgotten; starting from the shipped model", *id);
		retrain_say(r, 0, t.s);
		str_free(&t);
		free(*id);
		*id = xstrdup(REGISTRY_BASE);
	}
	if (strcmp(*id, REGISTRY_BASE) != 0 && (rc = registry_model(reg, *id, MODEL_F32, &r->start, &why)) < 0) {
		struct str s = STR_INIT;

		str_addf(&s, "version %s cannot be used: %s; starting from the shipped model", *id, why.msg);
		retrain_say(r, 0, s.s);
		str_free(&s);
		free(*id);
		*id = xstrdup(REGISTRY_BASE);
	}
	free(path);
	registry_identity(shipped, base);
	if (!r->start) {
		if ((rc = model_load(&r->start, shipped, MODEL_F32, e)) < 0)
			return rc;
		r->anchor = model_ref(r->start);
		return 0;
	}
	/* Drift is counted from the shipped model, so that ten runs may not go ten times as far; but only where
	 * it is the one this version grew from. */
	of = registry_field(r->start->lineage, "base");
	if (*of && strcmp(of, base) == 0 && model_load(&r->anchor, shipped, MODEL_F32, NULL) == 0) {
		if (memcmp(&r->anchor->w->cfg, &r->start->w->cfg, sizeof(r->start->w->cfg)) == 0) {
			free(of);
			return 0;
		}
		model_unref(r->anchor);
	}
	snprintf(base, 24, "%.23s", of);
	free(of);
	r->anchor = model_ref(r->start);
	return 0;
}

/* The checkpoint is of use only to the very same run. */
static bool resumable(struct run *r, const char *folder, const char *id, char print[24])
{
	struct retrain_state last;
	struct str how = STR_INIT;

	/* threads and minutes may differ */
	str_addf(&how, "%s %zu %zu %llu %g %g %g %zu %s", id, r->o->replay, r->o->wordings, (unsigned long long)r->o->seed, r->o->lr, r->o->pull,
	         r->o->contrast, r->o->adapter, r->o->company ? r->o->company : "");
	retrain_print(print, &r->examples, how.s);
	str_free(&how);
	retrain_state_read(&last, folder);
	if (access(r->checkpoint, F_OK) != 0)
		return false;
	if (!r->o->fresh && strcmp(last.print, print) == 0 && strcmp(last.start, id) == 0)
		return true;
	if (!r->o->fresh)
		retrain_say(r, 0, "an interrupted run was of other examples or options: starting anew");
	unlink(r->checkpoint);
	return false;
}

static void remember(struct run *r, const char *folder, struct retrain_state *st, const char *outcome)
{
	struct err e = ERR_INIT;

	snprintf(st->outcome, sizeof(st->outcome), "%s", outcome);
	if (retrain_state_write(st, folder, &e) < 0)
		retrain_say(r, 0, e.msg);
}

static int learn(struct run *r, struct registry *reg, const char *id, const char *base, bool resume, struct retrain_result *res,
                 struct err *e)
{
	struct weights *w;
	int rc;

	fill_mix(r, &res->replayed);
	if (retrain_stopped(r))
		return stopped_error(r, e);
	w = weights_new(&r->start->w->cfg, true);
	memcpy(w->flat, r->start->w->flat, w->layout.total * sizeof(real));
	weights_pack(w);
	rc = retrain_train(r, w, resume, e);
	res->steps = r->last.step;
	return rc < 0 ? rc : gate_and_publish(r, reg, id, base, res, e);
}

static void record(struct store *s, const struct run *r, const struct retrain_result *res, const char *id, int rc, int64_t began,
                   const struct err *e)
{
	char *detail = scores_of(res);
	struct err ignored = ERR_INIT;

	store_run_add(s, "retrain", res->model, id, rc < 0 ? e ? e->msg : "failed" : res->published ? "published" : "gate failed",
	              detail, began, r->ids, r->examples.n, &ignored);
	if (res->published)
		store_audit(s, "published", res->model, &ignored);
	free(detail);
}

static int with_registry(struct run *r, struct store *s, struct registry *reg, const char *shipped, struct retrain_result *res,
                         struct err *e)
{
	const char *folder = registry_folder(reg);
	struct retrain_state st = { .began = store_now() };
	struct err ignored = ERR_INIT;
	char base[24] = "", *id = NULL;
	bool resume;
	int rc;

	if ((rc = registry_lock(reg, e)) < 0 || (rc = load_models(r, s, reg, shipped, &id, base, e)) < 0)
		goto out;
	r->checkpoint = retrain_checkpoint_path(folder);
	r->pool = pool_new(r->o->threads);
	read_written(r, shipped);
	res->left_out = retrain_drop_contradicted(r) + retrain_drop_hopeless(r);
	res->examples = r->examples.n;
	if (r->examples.n == 0) {
		res->nothing = true;
		goto out;
	}
	resume = resumable(r, folder, id, st.print);
	snprintf(st.start, sizeof(st.start), "%s", id);
	st.examples = (int64_t)r->examples.n;
	st.newest = r->newest;
	remember(r, folder, &st, "running");
	rc = learn(r, reg, id, base, resume, res, e);
	if (rc == 0 || r->cancelled)
		unlink(r->checkpoint);      /* after a full disk it stays: the next run has only the rest to do */
	remember(r, folder, &st, rc == 0 ? res->published ? "published" : "gate failed" : r->interrupted ? "interrupted" :
	         r->cancelled ? "cancelled" : "failed");
	record(s, r, res, id, rc, st.began, e);
	if (res->published && r->o->keep > 0)
		registry_prune(reg, r->o->keep, &ignored);
out:
	free(id);
	return rc;
}

int retrain(const struct retrain_options *o, struct retrain_result *res, struct err *e)
{
	struct run r = { .o = o, .started = retrain_now(), .thread = pthread_self() };
	struct registry *reg = NULL;
	struct store *s = NULL;
	char *shipped = NULL;
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
	    (rc = store_examples(s, "approved", retrain_add_example, &r, e)) < 0)
		goto out;
	res->examples = r.examples.n;
	if (r.examples.n == 0) {
		res->nothing = true;
		goto out;
	}
	if (o->log && !(r.log = fopen(o->log, "w"))) {
		rc = err_set(e, ERR_IO, "%s cannot be written: %m", o->log);
		goto out;
	}
	if ((rc = paths_model(o->model, &shipped, e)) == 0 && (rc = registry_open(&reg, o->data_dir, shipped, e)) == 0)
		rc = with_registry(&r, s, reg, shipped, res, e);
out:
	res->seconds = retrain_now() - r.started;
	res->interrupted = r.interrupted;
	run_free(&r);
	registry_close(reg);
	store_close(s);
	free(shipped);
	return rc;
}

/* ---- schedule ---- */

struct decided {
	int64_t since;
	size_t fresh;
};

static bool count_fresh(const struct store_example *x, void *arg)
{
	struct decided *d = arg;

	d->fresh += x->decided > d->since;
	return true;
}

int retrain_scheduled(const char *data_dir, bool *due, struct err *e)
{
	struct retrain_state last;
	struct registry *reg;
	struct decided d = { 0 };
	struct store *s;
	time_t next;
	int rc = registry_open(&reg, data_dir, NULL, e);

	*due = false;
	if (rc < 0)
		return rc;
	retrain_state_read(&last, registry_folder(reg));
	registry_close(reg);
	next = config_next(CONFIG_RETRAIN_AT, (time_t)(last.began / 1000));
	if (next == 0 || next > time(NULL))
		return 0;
	/* a run that did not get to its end has learned nothing yet */
	if (strcmp(last.outcome, "published") == 0 || strcmp(last.outcome, "gate failed") == 0)
		d.since = last.newest;
	if ((rc = store_open(&s, data_dir, STORE_READ_ONLY, e)) < 0)
		return rc == ERR_NOTFOUND ? 0 : rc;
	rc = store_examples(s, "approved", count_fresh, &d, e);
	store_close(s);
	*due = rc == 0 && d.fresh > 0;
	return rc;
}

bool retrain_waits(const char *data_dir)
{
	struct retrain_state last;
	struct registry *reg;
	bool waits = false;
	char *path;

	if (registry_open(&reg, data_dir, NULL, NULL) < 0)
		return false;
	retrain_state_read(&last, registry_folder(reg));
	path = retrain_checkpoint_path(registry_folder(reg));
	waits = (strcmp(last.outcome, "interrupted") == 0 || strcmp(last.outcome, "running") == 0 || strcmp(last.outcome, "failed") == 0) &&
		access(path, F_OK) == 0;
	free(path);
	registry_close(reg);
	return waits;
}
