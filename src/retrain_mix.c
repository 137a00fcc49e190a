/* SPDX-License-Identifier: GPL-3.0-or-later */
/* retrain_mix: filling the datasets. */
#include "retrain_mix.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "encode.h"
#include "replay.h"
#include "reword.h"

enum { HELD_MOST = 40, HELD_LEAST = 6, HELD_WORDINGS = 2, CLEAN = 3, VALID_MOST = 160, LEAST = 6, MOST = 40, REPLAY_TIMES = 2 };

/* Of the pull on replay: there are many of them, and in balance what is to be learned would count for little. */
static const double lookalike_pull = 0.6;

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
	struct reword *reword;
	size_t asked;                 /* questions that are put in other words */
	size_t *example;              /* [asked] whose question it is */
	size_t *answer;               /* [examples] turn of train that holds the answer */
	size_t wordings, lookalikes;  /* of each */
	struct reword_list *same, *other;     /* [asked] */
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

static void learn_questions(struct making *mk, bool judge)
{
	for (size_t i = 0; i < mk->examples->n; i++) {
		const struct chat *c = &mk->examples->chat[i];
		const struct chat_message *q = &c->messages[c->n - 2], *a = &c->messages[c->n - 1];

		if (strcmp(q->role, "user") != 0 || strlen(q->content) != q->len || q->len > 300)
			continue;
		reword_add(mk->reword, q->content, a->content);
		mk->example[mk->asked++] = i;
	}
	reword_prepare(mk->reword, judge);
}

static void reword_task(size_t task, void *arg)
{
	struct making *mk = arg;

	if (!(mk->o->stop && mk->o->stop(mk->o->arg)))
		reword_make(mk->reword, task, mk->wordings + HELD_WORDINGS, mk->lookalikes, rng_hash(rng_hash(mk->o->seed, 3), task),
		            &mk->same[task], &mk->other[task]);
}

/* Of each question the first few wordings are held out, and every other one stands in train. */
static void put_wordings(struct making *mk)
{
	const size_t n = mk->examples->n, step = 1 + n * (1 + HELD_WORDINGS) / VALID_MOST;

	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < CLEAN; k++)
			put(mk, mk->m->train, i, NULL, true);
		mk->answer[i] = mk->m->train->n_turns - 1;
		if (i % step == 0)
			put(mk, mk->m->valid, i, NULL, true);
	}
	for (size_t k = 0; k < mk->asked; k++) {
		for (size_t j = 0; j < mk->same[k].n; j++) {
			const struct reword_item *w = &mk->same[k].v[j];
			const bool held = j < HELD_WORDINGS;

			if (held && mk->example[k] % step != 0)
				continue;
			put(mk, held ? mk->m->valid : mk->m->train, mk->example[w->of], w->text, true);
			mk->m->wordings += !held;
		}
	}
}

static void answer_task(size_t task, void *arg)
{
	struct making *mk = arg;
	struct lookalike *l = &mk->look[task];
	const int32_t tag = tokenizer_tag(mk->teacher->tok, "assistant");

	if (!(mk->o->stop && mk->o->stop(mk->o->arg)))
		replay_answer(mk->talker, l->said, 0, tag, rng_hash(rng_hash(mk->o->seed, 6), task), &l->answer);
}

static void put_lookalikes(struct making *mk, struct pool *pool)
{
	struct dataset *train = mk->m->train;

	mk->look = xcalloc(mk->asked * mk->lookalikes + 1, sizeof(*mk->look));
	for (size_t i = 0; i < mk->asked; i++) {
		for (size_t k = 0; k < mk->other[i].n; k++) {
			struct lookalike *l = &mk->look[mk->looks++];

			*l = (struct lookalike){ .example = mk->example[mk->other[i].v[k].of], .said = dataset_new() };
			put(mk, l->said, mk->example[i], mk->other[i].v[k].text, false);
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
			dataset_pull(train, mk->o->pull * lookalike_pull);
			dataset_rival(train, mk->answer[l->example]);
			dataset_end(train);
			mk->m->lookalikes++;
		}
		dataset_free(l->said);
		tokens_free(&l->answer);
	}
	free(mk->look);
}

/* Twice in each round: with what is taught in very many wordings, once would be too little to hold the base. */
static void put_replay(struct making *mk, struct pool *pool)
{
	struct dataset *replay = dataset_new();
	struct replay_opts ro;

	replay_opts_default(&ro);
	ro.dialogues = mk->o->replay;
	ro.pull = mk->o->pull;
	ro.seed = rng_hash(mk->o->seed, 1);
	mk->m->replayed = replay_sample(mk->talker, &ro, pool, replay, mk->o->stop, mk->o->arg);
	for (size_t k = 0; k < REPLAY_TIMES; k++)
		dataset_append(mk->m->train, replay);
	dataset_free(replay);
	ro.dialogues = mk->o->replay / 4 < HELD_LEAST ? HELD_LEAST : mk->o->replay / 4 > HELD_MOST ? HELD_MOST : mk->o->replay / 4;
	ro.pull = 0;
	ro.seed = rng_hash(mk->o->seed, 2);
	replay_sample(mk->talker, &ro, pool, mk->m->held, mk->o->stop, mk->o->arg);
	ro.seed = rng_hash(mk->o->seed, 7);
	replay_sample(mk->talker, &ro, pool, mk->m->judge, mk->o->stop, mk->o->arg);
}

void mix_make(struct mix *m, const struct corpus *examples, struct model *teacher, struct pool *pool, const struct mix_opts *o)
{
	/* few examples get many wordings each, many get a few, by the rules alone: verdicts would take the whole budget */
	const size_t n = examples->n, some = n ? o->most / n : 0;
	const bool judge = o->wordings || some >= LEAST;
	struct making mk = { .m = m, .examples = examples, .teacher = teacher, .o = o };

	*m = (struct mix){ .train = dataset_new(), .valid = dataset_new(), .held = dataset_new(), .judge = dataset_new() };
	mk.wordings = o->wordings ? o->wordings : some < LEAST ? LEAST : some > MOST ? MOST : some;
	mk.lookalikes = o->lookalikes ? o->lookalikes : judge ? mk.wordings : (mk.wordings + 1) / 2;
	mk.talker = model_served(teacher);
	mk.cache = tokenizer_cache_new();
	mk.reword = reword_new(NULL, NULL, o->company);
	mk.example = xcalloc(n + 1, sizeof(*mk.example));
	mk.answer = xcalloc(n + 1, sizeof(*mk.answer));
	learn_questions(&mk, judge);
	mk.same = xcalloc(mk.asked + 1, sizeof(*mk.same));
	mk.other = xcalloc(mk.asked + 1, sizeof(*mk.other));
	pool_run(pool, mk.asked, reword_task, &mk);
	put_wordings(&mk);
	put_lookalikes(&mk, pool);
	put_replay(&mk, pool);
	for (size_t k = 0; k < mk.asked; k++) {
		reword_list_free(&mk.same[k]);
		reword_list_free(&mk.other[k]);
	}
	tokenizer_cache_free(mk.cache);
	reword_free(mk.reword);
	model_unref(mk.talker);
	free(mk.same);
	free(mk.other);
	free(mk.example);
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
