/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes as text: they come back, with and without a cache, and no piece is a control.
 * Any bytes as a tokenizer: refused, or it works and survives writing and reading. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../model/tokenizer.h"
#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char sample[] =
	"where is my order? the order isn't here, the order number is 4471. "
	"your order is on its way; your refund is on its way... thank you! thank you!! "
	"caf\xc3\xa9 caf\xc3\xa9 <order_1> <order_2>\n\n  don't don't\n\n  ";

static struct tokenizer *make(void)
{
	static const char *const tags[] = { "user", "assistant", NULL };
	struct bpe_trainer *b = bpe_trainer_new();
	struct tokenizer *t;

	bpe_trainer_add(b, sample, sizeof(sample) - 1, 1);
	if (bpe_trainer_finish(b, 500, tags, tokenizer_default_types, &t, NULL) < 0)
		abort();
	bpe_trainer_free(b);
	return t;
}

static void round_trip(const struct tokenizer *t, const char *text, size_t n)
{
	static struct tokenizer_cache *cache;   /* one for all: it must notice another tokenizer */
	struct tokens plain = { 0 }, cached = { 0 };
	struct str back = STR_INIT;

	if (!cache)
		cache = tokenizer_cache_new();
	tokenizer_encode(t, NULL, text, n, &plain);
	for (int i = 0; i < 2; i++) {   /* the second time from the cache */
		cached.n = 0;
		tokenizer_encode(t, cache, text, n, &cached);
		if (cached.n != plain.n || (n && memcmp(cached.ids, plain.ids, plain.n * sizeof(*plain.ids))))
			abort();
	}
	for (size_t i = 0; i < plain.n; i++)
		if (tokenizer_is_control(t, plain.ids[i]))
			abort();
	tokenizer_decode(t, plain.ids, plain.n, &back);
	if (back.len != n || memcmp(back.s, text, n))
		abort();
	str_free(&back);
	tokens_free(&plain);
	tokens_free(&cached);
}

static bool count(int32_t id, size_t piece_len, void *arg)
{
	(void)id;
	(void)piece_len;
	return ++*(size_t *)arg < 1000;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	static struct tokenizer *t;     /* made once; training each time would be all it does */
	struct tokenizer *u, *again;
	size_t matches = 0;
	char *json;

	if (!t)
		t = make();
	round_trip(t, text, size);
	tokenizer_match(t, text, size, true, count, &matches);
	if (tokenizer_from_json(text, size, &u, NULL) == 0) {
		round_trip(u, sample, sizeof(sample));
		round_trip(u, text, size);
		json = tokenizer_to_json(u);
		if (tokenizer_from_json(json, strlen(json), &again, NULL) < 0)
			abort();
		free(json);
		tokenizer_free(again);
		tokenizer_free(u);
	}
	return 0;
}
