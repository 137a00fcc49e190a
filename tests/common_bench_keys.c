/* SPDX-License-Identifier: GPL-3.0-or-later */
/* common_bench_keys: letters typed one by one into the ghost engine of the shipped model, idle, and beside a
 * training run at idle priority in the same process, as the program does it. Both are measured in turns, so that
 * what else the machine does falls on both. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../model/train.h"
#include "../src/base/mem.h"
#include "../src/ghost.h"
#include "common_bench.h"

/* What is typed: said by nobody, like what agents write. */
static const char *const drafts[] = {
	"Thank you for getting in touch with us. I am sorry that the parcel has not arrived yet.",
	"Could you please send me the order number, so that I can look into this for you?",
	"I have checked the status, and it left our warehouse on Tuesday. It should be with you within two days.",
	"The refund will be on your account within five to seven working days.",
	"I understand how frustrating this is. Let me find out what has happened and write back to you today.",
	"Please try to sign in again after you have cleared the cache of the browser.",
	"We can send a replacement free of charge, or give you the money back. Which would you prefer?",
	"Is there anything else that I can help you with today?",
};
enum { DRAFTS = sizeof(drafts) / sizeof(drafts[0]), BLOCK = 250 };

static const char *const asked[] = {
	"Hello, my parcel was due last week and nobody tells me where it is.",
	"I was charged twice for the same order, please give me my money back.",
};

struct trainer_run {
	const struct bench *b;
	atomic_bool wanted, stop;
	pthread_t thread;
};

static bool while_wanted(const struct train_report *rep, void *arg)
{
	struct trainer_run *r = arg;

	(void)rep;
	while (!atomic_load(&r->wanted) && !atomic_load(&r->stop))
		usleep(2000);
	return !atomic_load(&r->stop);
}

static void *train(void *arg)
{
	struct trainer_run *r = arg;
	const struct sched_param none = { 0 };
	struct tokenizer *tok = bench_tokenizer(r->b);
	struct dataset *ds = bench_dialogues(tok, 100, 8, 3), *no = dataset_new();
	const struct train_hooks hooks = { while_wanted, NULL, r };
	struct dialogue_config c;
	struct train_opts o;
	struct weights *w;
	struct trainer *t;
	enum train_end end;

	sched_setscheduler(0, SCHED_IDLE, &none);      /* this thread, and those it starts */
	bench_config(r->b, "shipped", &c);
	w = weights_new(&c, true);
	weights_init_random(w, 1);
	train_opts_default(&o);
	o.threads = 2;
	o.steps = 1000000;
	t = trainer_new(&o, w, tok, ds, no, -1);
	trainer_run(t, &hooks, &end, NULL);
	trainer_free(t);
	dataset_free(ds);
	dataset_free(no);
	tokenizer_free(tok);
	return NULL;
}

/* Where the typing stands. */
struct typist {
	struct talk *t;
	struct ghost *g;
	size_t draft, len;
};

struct stroke {
	double wall, processor;       /* ms */
};

/* What other threads and programs do is not in it. */
static double thread_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static struct stroke stroke(struct typist *ty)
{
	struct ghost_text out[3];
	double start, began;
	struct stroke s;
	int n;

	if (ty->len == strlen(drafts[ty->draft])) {
		ghost_learn(ty->g, "assistant", drafts[ty->draft], ty->len);
		ty->draft = (ty->draft + 1) % DRAFTS;
		ty->len = 0;
		if (ty->draft % 3 == 0) {      /* another customer's message: the states are of no more use */
			talk_truncate(ty->t, 0);
			talk_add(ty->t, "user", asked[ty->draft / 3 % 2], strlen(asked[ty->draft / 3 % 2]), NULL);
		}
	}
	ty->len++;
	start = bench_now();
	began = thread_seconds();
	n = ghost_request(ty->g, "assistant", drafts[ty->draft], ty->len, out, 3, NULL);
	s = (struct stroke){ 1e3 * (bench_now() - start), 1e3 * (thread_seconds() - began) };
	for (int i = 0; i < n; i++)
		ghost_text_free(&out[i]);
	usleep(200);      /* nobody types without a pause; the trainer gets its processor back */
	return s;
}

static json_t *figures(double *ms, size_t n, const char *title)
{
	const double p50 = bench_quantile(ms, n, 0.5), p99 = bench_quantile(ms, n, 0.99), p999 = bench_quantile(ms, n, 0.999);

	printf("  keystrokes %-22s %6zu: median %6.2f ms   p99 %6.2f   p99.9 %6.2f   worst %6.2f\n", title, n, p50, p99, p999,
	       ms[n - 1]);
	return json_pack("{s:I, s:f, s:f, s:f, s:f}", "n", (json_int_t)n, "median_ms", p50, "p99_ms", p99, "p999_ms", p999,
	                 "worst_ms", ms[n - 1]);
}

json_t *bench_keys(const struct bench *b)
{
	struct trainer_run r = { .b = b };
	struct ghost_opts go;
	struct typist ty = { .draft = 0 };
	struct ghost_person *p;
	struct model *m;
	struct err e = ERR_INIT;
	double *ms[2], *own[2];
	size_t n[2] = { 0, 0 };
	json_t *o, *idle, *beside, *idle_own, *beside_own;

	if (model_load(&m, b->model, MODEL_SERVE, &e) < 0) {
		fprintf(stderr, "bench: %s\n", e.msg);
		exit(1);
	}
	for (size_t i = 0; i < 2; i++) {
		ms[i] = xcalloc(b->keystrokes + BLOCK, sizeof(double));
		own[i] = xcalloc(b->keystrokes + BLOCK, sizeof(double));
	}
	p = ghost_person_new(m, "Example");
	ghost_opts_default(&go);
	go.personal = true;
	ty.t = talk_new(m, "Example");
	ty.g = ghost_new(ty.t, p, &go);
	talk_add(ty.t, "user", asked[0], strlen(asked[0]), NULL);
	for (size_t i = 0; i < 50; i++)
		stroke(&ty);
	pthread_create(&r.thread, NULL, train, &r);
	for (size_t block = 0; n[1] < b->keystrokes; block++) {
		const size_t k = block % 2;

		atomic_store(&r.wanted, k == 1);
		usleep(300000);      /* a step that has begun is finished */
		for (size_t i = 0; i < BLOCK; i++, n[k]++) {
			const struct stroke s = stroke(&ty);

			ms[k][n[k]] = s.wall;
			own[k][n[k]] = s.processor;
		}
	}
	atomic_store(&r.stop, true);
	pthread_join(r.thread, NULL);
	idle = figures(ms[0], n[0], "idle");
	beside = figures(ms[1], n[1], "beside training");
	idle_own = figures(own[0], n[0], "idle, processor");
	beside_own = figures(own[1], n[1], "beside, processor");

	const double ratio = json_real_value(json_object_get(beside, "median_ms")) /
		json_real_value(json_object_get(idle, "median_ms"));

	printf("  medians' ratio %.2f\n", ratio);
	o = json_pack("{s:s, s:o, s:o, s:o, s:o, s:f}", "precision", model_precision(m), "idle", idle, "beside_training", beside,
	              "idle_processor", idle_own, "beside_training_processor", beside_own, "median_ratio", ratio);
	ghost_free(ty.g);
	talk_free(ty.t);
	ghost_person_free(p);
	model_unref(m);
	free(ms[0]);
	free(ms[1]);
	free(own[0]);
	free(own[1]);
	return o;
}
