/* SPDX-License-Identifier: GPL-3.0-or-later */
/* common_tiny: the exchanges, and a short training run. */
#include <stdlib.h>
#include <string.h>

#include "../model/train.h"
#include "../src/base/mem.h"
#include "../src/encode.h"
#include "common_model.h"
#include "common_tiny.h"

static const char *const exchanges[][2] = {
	{ "hello", "how can we help you today?" },
	{ "hello, my parcel has not come", "thank you for the order number, we will look into it." },
	{ "where is it?", "it will be with you soon." },
	{ "thank you", "is there anything else that we can help you with?" },
	{ "no thank you, that is all", "thank you." },
	{ "my card was charged twice", "we are sorry for that." },
	{ "my order has not come", "we are sorry, the order is on its way." },
	{ "please give the money back", "we will look into it at once." },
};

void tiny_say(struct corpus *c, const char *question, const char *answer)
{
	struct chat chat = { 0 };

	chat_add(&chat, "user", question, strlen(question), 1);
	chat_add(&chat, "assistant", answer, strlen(answer), 1);
	c->chat = xreallocarray(c->chat, c->n + 1, sizeof(*c->chat));
	c->chat[c->n++] = chat;
	c->cap = c->n;
}

/* w is taken over and given back, trained. */
static struct weights *train(struct weights *w, const struct tokenizer *tok, const struct dataset *ds, size_t steps, double lr)
{
	struct dataset *none = dataset_new();
	struct weights *out = weights_new(&w->cfg, false);
	struct trainer *t;
	struct train_opts o;
	enum train_end end;

	train_opts_default(&o);
	o.steps = steps;
	o.lr = lr;
	o.batch_rows = 120;
	o.warmup = 5;
	o.eval_every = 0;
	o.average = 0;
	o.dropout = o.word_dropout = 0;
	t = trainer_new(&o, w, tok, ds, none, -1);
	if (trainer_run(t, &(struct train_hooks){ 0 }, &end, NULL) < 0)
		abort();
	memcpy(out->flat, trainer_current(t)->flat, out->layout.total * sizeof(real));
	weights_pack(out);
	trainer_free(t);
	dataset_free(none);
	return out;
}

static void encode(const struct corpus *c, const struct tokenizer *tok, double customers, struct dataset *ds)
{
	struct tokenizer_cache *cache = tokenizer_cache_new();

	for (size_t i = 0; i < c->n; i++) {
		encode_chat(ds, tok, cache, &c->chat[i], NULL, false);
		for (size_t t = ds->first_turn[ds->dialogues - 1]; t < ds->n_turns; t++)
			if (ds->turn[t].tag == tokenizer_tag(tok, "user"))
				ds->turn[t].weight = (float)customers;
	}
	tokenizer_cache_free(cache);
}

void tiny_make(struct tiny *t)
{
	struct tokenizer *tok = fixture_tokenizer();
	const struct dialogue_config c = {
		.vocab = tokenizer_vocab(tok), .embed = 24, .turn_hidden = 16, .encoder_hidden = 24, .decoder_hidden = 32,
		.attention = 24, .heads = 2, .window = 60, .copy = 1, .residual = 1,
	};
	struct weights *w = weights_new(&c, true);
	struct dataset *ds = dataset_new();

	*t = (struct tiny){ 0 };
	weights_init_random(w, 5);
	for (size_t i = 0; i < sizeof(exchanges) / sizeof(exchanges[0]); i++)
		tiny_say(&t->said, exchanges[i][0], exchanges[i][1]);
	encode(&t->said, tok, 1, ds);
	w = train(w, tok, ds, 250, 1e-2);
	t->m = model_new(w, tok, NULL, NULL);
	dataset_free(ds);
}

void tiny_free(struct tiny *t)
{
	model_unref(t->m);
	corpus_free(&t->said);
}

void tiny_save(const struct tiny *t, const char *path)
{
	if (model_save(t->m->w, t->m->tok, path, MODELFILE_F32, "{}", "{}", NULL) < 0)
		abort();
}

struct model *tiny_taught(const struct tiny *t, const struct corpus *c, size_t steps, double lr, double customers)
{
	struct weights *w = weights_new(&t->m->w->cfg, true);
	struct dataset *ds = dataset_new();

	memcpy(w->flat, t->m->w->flat, w->layout.total * sizeof(real));
	weights_pack(w);
	encode(c, t->m->tok, customers, ds);
	w = train(w, t->m->tok, ds, steps, lr);
	dataset_free(ds);
	return model_new(w, fixture_tokenizer(), NULL, NULL);
}
