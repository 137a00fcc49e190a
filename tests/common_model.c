/* SPDX-License-Identifier: GPL-3.0-or-later */
/* common_model: fixtures; no file, no corpus. */
#include <stdlib.h>
#include <string.h>

#include "common_model.h"

struct tokenizer *fixture_tokenizer(void)
{
	static const char text[] =
		"hello how can we help you today? my parcel has not come, where is it? "
		"thank you for the order number, we will look into it at once. is there "
		"anything else that we can help you with? no thank you, that is all. "
		"the parcel is on its way and will be with you soon. my card was charged "
		"twice for the same order, please give the money back. we are sorry for that.";
	static const char *const tags[] = { "user", "assistant", NULL };
	struct bpe_trainer *b = bpe_trainer_new();
	struct tokenizer *tok = NULL;

	bpe_trainer_add(b, text, strlen(text), 1);
	if (bpe_trainer_finish(b, 520, tags, tokenizer_default_types, &tok, NULL) < 0)
		abort();
	bpe_trainer_free(b);
	return tok;
}

struct weights *fixture_weights(const struct tokenizer *tok, uint64_t seed, bool trainable)
{
	const struct dialogue_config c = {
		.vocab = tokenizer_vocab(tok), .embed = 19, .turn_hidden = 13, .encoder_hidden = 21,
		.decoder_hidden = 23, .attention = 18, .heads = 3, .window = 25, .copy = 1, .residual = 1,
	};
	struct weights *w = weights_new(&c, trainable);

	weights_init_random(w, seed);
	return w;
}

struct model *fixture_model(uint64_t seed)
{
	struct tokenizer *tok = fixture_tokenizer();

	return model_new(fixture_weights(tok, seed, false), tok, NULL, NULL);
}

struct dataset *fixture_dialogues(const struct tokenizer *tok, struct rng *r, size_t dialogues,
                                 size_t turns, size_t longest)
{
	const size_t vocab = tokenizer_vocab(tok);
	struct dataset *ds = dataset_new();
	int32_t ids[256];

	for (size_t d = 0; d < dialogues; d++) {
		size_t n = 1 + rng_below(r, turns);

		dataset_begin(ds);
		for (size_t t = 0; t < n; t++) {
			size_t len = rng_below(r, longest + 1);

			for (size_t i = 0; i < len; i++) {
				ids[i] = (int32_t)(vocab - 1 - rng_below(r, vocab / 3));
				if (rng_below(r, 10) == 0)
					ids[i] = tokenizer_placeholder(tok, rng_below(r, 3), 1 + (unsigned)rng_below(r, 3));
			}
			dataset_turn(ds, tokenizer_tag(tok, t % 2 ? "assistant" : "user"), ids, len, 3 * len, 1);
		}
		dataset_end(ds);
	}
	return ds;
}
