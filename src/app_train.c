/* SPDX-License-Identifier: GPL-3.0-or-later */
/* app_train: retraining in a thread of its own, and what comes of it. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "app_private.h"
#include "base/mem.h"
#include "base/str.h"
#include "paths.h"
#include "retrain.h"

static void train_note(const char *text, double share, void *arg)
{
	struct app *a = arg;
	struct event ev = { .kind = EVENT_TRAINING, .text = xstrdup(text), .score = share };

	mailbox_put(a->box, &ev);
}

static void *train(void *arg)
{
	struct app *a = arg;
	struct retrain_options o;
	struct retrain_result r;
	struct err e = ERR_INIT;
	struct event ev = { .kind = EVENT_TRAINED };
	struct str s = STR_INIT;

	retrain_defaults(&o);
	o.model = a->model;
	o.company = a->company;
	o.minutes = a->minutes;
	o.threads = o.threads > 1 ? o.threads - 1 : 1;      /* one is left for the person */
	o.idle = true;
	o.order = &a->order;
	o.progress = train_note;
	o.arg = a;
	o.log = a->log;
	if (retrain(&o, &r, &e) < 0) {
		str_adds(&s, e.msg);
	} else if (r.nothing) {
		str_adds(&s, "nothing to train on: no example is approved yet (/correct, answerback review)");
	} else if (r.published) {
		str_addf(&s, "published %s: it serves from the next reply on (C-x v, r goes back)", r.model);
	} else {
		str_adds(&s, "not published:");
		for (size_t i = 0; i < r.checks; i++)
			if (!r.gate[i].ok)
				str_addf(&s, " %s %.3f (bound %.3f)", r.gate[i].name, r.gate[i].value, r.gate[i].bound);
	}
	for (size_t i = 0; e.code == 0 && i < r.checks; i++) {
		struct event_item *it = event_add(&ev);

		it->text = xstrdup(r.gate[i].name);
		it->more = xstrdup(r.gate[i].detail);
		it->score = r.gate[i].value;
		it->bound = r.gate[i].bound;
		it->role = xstrdup(r.gate[i].at_least ? "at least" : "at most");
		it->flag = r.gate[i].ok;
	}
	if (e.code == 0 && r.published)
		infer_post(a->infer, INFER_MODEL, 0, NULL, NULL, NULL, 0);
	atomic_store(&a->training, false);
	ev.stopped = e.code != 0 || !r.published;
	ev.number = e.code == 0 ? (int64_t)r.examples : 0;
	ev.bytes = e.code == 0 ? r.replayed : 0;
	ev.model = xstrdup(e.code == 0 ? r.model : "");
	ev.text = str_detach(&s);
	mailbox_put(a->box, &ev);
	return NULL;
}

static void join_trainer(struct app *a)
{
	if (!a->trainer_started)
		return;
	atomic_store(&a->order, RETRAIN_QUIT);      /* gone on with next time */
	pthread_join(a->trainer, NULL);
	a->trainer_started = false;
}

void app_join(struct app *a)
{
	join_trainer(a);
	app_join_compare(a);
}

const char *app_retrain_log(struct app *a)
{
	char *folder;
	struct str s = STR_INIT;

	if (!a->log && paths_folder(PATHS_STATE, NULL, true, &folder, NULL) == 0) {
		str_addf(&s, "%s/retrain.jsonl", folder);
		a->log = str_detach(&s);
		free(folder);
	}
	return a->log;
}

bool app_retrain(struct app *a, double minutes)
{
	sigset_t all, old;

	if (atomic_load(&a->training))
		return false;
	join_trainer(a);
	app_retrain_log(a);
	a->minutes = minutes;
	atomic_store(&a->order, RETRAIN_GO);
	atomic_store(&a->training, true);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	a->trainer_started = pthread_create(&a->trainer, NULL, train, a) == 0;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (!a->trainer_started)
		atomic_store(&a->training, false);
	return a->trainer_started;
}

void app_retrain_order(struct app *a, enum app_order order)
{
	static const int orders[] = { RETRAIN_GO, RETRAIN_PAUSE, RETRAIN_KEEP, RETRAIN_CANCEL };

	atomic_store(&a->order, orders[order]);
}

bool app_retraining(const struct app *a)
{
	return atomic_load(&a->training);
}
