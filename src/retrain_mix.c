/* SPDX-License-Identifier: GPL-3.0-or-later */
/* retrain_mix: filling the datasets. */
#include "retrain_mix.h"

#include <stdlib.h>
#include <string.h>

#include "augment.h"
#include "base/mem.h"
#include "base/rng.h"
#include "encode.h"
#include "replay.h"

enum { HELD_MOST = 40, HELD_LEAST = 6, HELD_WORDINGS = 2, CLEAN = 3, VALID_MOST = 160 };

/* One question that asks for something else, and what is said to it. */
struct lookalike {
	size_t example;
	struct dataset *said;         /* one dialogue that ends with the question */
	struct tokens answer;
};

struct making {
	struct mix *m;
	const struct corpus *examples;
	struct model *teacher;
	struct model *talker;         /* the teacher as it serves: faster, and what its users know */
	const struct mix_opts *o;
	struct tokenizer_cache *cache;
	struct augment *augment;
	size_t *asked;                /* [examples] number in augment, SIZE_MAX: its question is left as it is */
	size_t *answer;               /* [examples] turn of train that holds the answer */
	struct lookalike *look;
	size_t looks;
};

/* The conversation with another last question; without its answer when that is not wanted. */
static void put(struct making *mk, struct dataset *ds, size_t i, const char *question, bool answered)
{
	const struct chat *c = &mk->examples->chat[i];
	struct chat v = *c;
	struct chat_message *mm = xcalloc(c->n, sizeof(*mm));

	memcpy(mm, c->messages, c->n * sizeof(*mm));
	v.messages = mm;
	v.n = answered ? c->n : c->n - 1;
	if (question) {
		mm[c->n - 2].content = (char *)(uintptr_t)question;
		mm[c->n - 2].len = strlen(question);
	}
	encode_chat(ds, mk->teacher->tok, mk->cache, &v, mk->o->company, true);
	free(mm);
}

static void learn_questions(struct making *mk)
{
	size_t n = 0;

	for (size_t i = 0; i < mk->examples->n; i++) {
		const struct chat *c = &mk->examples->chat[i];
		const struct chat_message *q = &c->messages[c->n - 2], *a = &c->messages[c->n - 1];

		mk->asked[i] = SIZE_MAX;
		if (strcmp(q->role, "user") != 0 || strlen(q->content) != q->len || q->len > 300)
			continue;
		augment_add(mk->augment, q->content, a->content);
		mk->asked[i] = n++;
	}
	augment_prepare(mk->augment);
}

static void put_wordings(struct making *mk, size_t each)
{
	struct rng r;
	struct str q = STR_INIT;

	for (size_t i = 0; i < mk->examples->n; i++) {
		for (size_t k = 0; k < CLEAN; k++)
			put(mk, mk->m->train, i, NULL, true);
		mk->answer[i] = mk->m->train->n_turns - 1;
		if (mk->asked[i] == SIZE_MAX)
			continue;
		rng_seed(&r, rng_hash(rng_hash(mk->o->seed, 3), i));
		for (size_t k = 0; k < each; k++) {
			augment_wording(mk->augment, mk->asked[i], &r, &q);
			put(mk, mk->m->train, i, q.s, true);
			mk->m->wordings++;
		}
	}
	str_free(&q);
}

static void put_valid(struct making *mk)
{
	const size_t n = mk->examples->n, step = 1 + n * (1 + HELD_WORDINGS) / VALID_MOST;
	struct rng r;
	struct str q = STR_INIT;

	for (size_t i = 0; i < n; i += step) {
		put(mk, mk->m->valid, i, NULL, true);
		rng_seed(&r, rng_hash(rng_hash(mk->o->seed, 4), i));
		for (size_t k = 0; k < HELD_WORDINGS && mk->asked[i] != SIZE_MAX; k++) {
			augment_wording(mk->augment, mk->asked[i], &r, &q);
			put(mk, mk->m->valid, i, q.s, true);
		}
	}
	str_free(&q);
}

static void answer_task(size_t task, void *arg)
{
	struct making *mk = arg;
	struct lookalike *l = &mk->look[task];
	const int32_t tag = tokenizer_tag(mk->teacher->tok, "assistant");

	if (!(mk->o->stop && mk->o->stop(mk->o->arg)))
		replay_answer(mk->talker, l->said, 0, tag, rng_hash(rng_hash(mk->o->seed, 6), task), &l->answer);
}

static void put_lookalikes(struct making *mk, size_t each, struct pool *pool)
{
	struct dataset *train = mk->m->train;
	struct str q = STR_INIT;
	struct rng r;

	mk->look = xcalloc(mk->examples->n * each + 1, sizeof(*mk->look));
	for (size_t i = 0; i < mk->examples->n; i++) {
		rng_seed(&r, rng_hash(rng_hash(mk->o->seed, 5), i));
		for (size_t k = 0; k < each && mk->asked[i] != SIZE_MAX; k++) {
			struct lookalike *l = &mk->look[mk->looks];

			if (!augment_lookalike(mk->augment, mk->asked[i], &r, &q))
				continue;
			*l = (struct lookalike){ .example = i, .said = dataset_new() };
			put(mk, l->said, i, q.s, false);
			mk->looks++;
		}
	}
	pool_run(pool, mk->looks, answer_task, mk);
	for (size_t k = 0; k < mk->looks; k++) {
		struct lookalike *l = &mk->look[k];

		if (l->answer.n > 0) {
			dataset_begin(train);
			for (size_t t = 0; t < l->said->n_turns; t++) {
				const struct dataset_turn *dt = &l->said->turn[t];

				dataset_turn(train, dt->tag, l->said->ids + dt->first, dt->n, dt->chars, 0);
			}
			dataset_turn(train, tokenizer_tag(mk->teacher->tok, "assistant"), l->answer.ids, l->answer.n,
			             replay_chars(mk->teacher->tok, &l->answer), 1);
			dataset_pull(train, mk->o->pull);
			dataset_rival(train, mk->answer[l->example]);
			dataset_end(train);
			mk->m->lookalikes++;
		}
		dataset_free(l->said);
		tokens_free(&l->answer);
	}
	free(mk->look);
	str_free(&q);
}

static void put_replay(struct making *mk, struct pool *pool)
{
	struct replay_opts ro;

	replay_opts_default(&ro);
	ro.dialogues = mk->o->replay;
	ro.pull = mk->o->pull;
	ro.seed = rng_hash(mk->o->seed, 1);
	mk->m->replayed = replay_sample(mk->talker, &ro, pool, mk->m->train, mk->o->stop, mk->o->arg);
	ro.dialogues = mk->o->replay / 4 < HELD_LEAST ? HELD_LEAST : mk->o->replay / 4 > HELD_MOST ? HELD_MOST : mk->o->replay / 4;
	ro.pull = 0;
	ro.seed = rng_hash(mk->o->seed, 2);
	replay_sample(mk->talker, &ro, pool, mk->m->held, mk->o->stop, mk->o->arg);
	ro.seed = rng_hash(mk->o->seed, 7);
	replay_sample(mk->talker, &ro, pool, mk->m->judge, mk->o->stop, mk->o->arg);
}

void mix_make(struct mix *m, const struct corpus *examples, struct model *teacher, struct pool *pool, const struct mix_opts *o)
{
	/* few examples get many wordings each, many get a few */
	const size_t n = examples->n, some = n ? 1000 / n : 0;
	const size_t wordings = o->wordings ? o->wordings : some < 6 ? 6 : some > 24 ? 24 : some;
	struct making mk = { .m = m, .examples = examples, .teacher = teacher, .o = o };

	*m = (struct mix){ .train = dataset_new(), .valid = dataset_new(), .held = dataset_new(), .judge = dataset_new() };
	mk.talker = model_served(teacher);
	mk.cache = tokenizer_cache_new();
	mk.augment = augment_new();
	mk.asked = xcalloc(n + 1, sizeof(*mk.asked));
	mk.answer = xcalloc(n + 1, sizeof(*mk.answer));
	learn_questions(&mk);
	put_wordings(&mk, wordings);
	put_valid(&mk);
	put_lookalikes(&mk, o->lookalikes ? o->lookalikes : (wordings + 1) / 2, pool);
	put_replay(&mk, pool);
	tokenizer_cache_free(mk.cache);
	augment_free(mk.augment);
	model_unref(mk.talker);
	free(mk.asked);
	free(mk.answer);
}

void mix_free(struct mix *m)
{
	dataset_free(m->train);
	dataset_free(m->valid);
	dataset_free(m->held);
	dataset_free(m->judge);
	*m = (struct mix){ 0 };
}
