/* SPDX-License-Identifier: GPL-3.0-or-later */
/* common_tokenizer: see the header. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common_tokenizer.h"

const char *const common_tags[] = { "user", "assistant", NULL };

const char tokenizer_sample[] =
	"Hello, I'd like to know where my order is. The order number is 4471-22.\n"
	"I'm sorry to hear that your order hasn't arrived. Let me look into the order for you.\n"
	"Thanks! I ordered it on 3 May, and the order page still says \"on its way\".\n"
	"Your order left our warehouse on 4 May; it should arrive within 2 days. (Really!)\n"
	"I was charged twice for the order... please refund one of the charges.  Thank you!!\n"
	"We have refunded the second charge. You'll see the refund within 5 to 7 days.\n"
	"Na\xc3\xafve caf\xc3\xa9 cr\xc3\xa8me br\xc3\xbbl\xc3\xa9" "e, 12,50 \xe2\x82\xac; the caf\xc3\xa9 and the cr\xc3\xa8me again.\n\n"
	"\tdon't don't  don't <order_1> <user> the the the\r\n";

const size_t common_sample_len = sizeof(tokenizer_sample) - 1;

static struct tokenizer *train_weighted(const char *text, size_t len, uint32_t weight, size_t vocab)
{
	struct bpe_trainer *b = bpe_trainer_new();
	struct err e = ERR_INIT;
	struct tokenizer *t;

	bpe_trainer_add(b, text, len, weight);
	if (bpe_trainer_finish(b, vocab, common_tags, tokenizer_default_types, &t, &e) < 0)
		fail_msg("%s", e.msg);
	bpe_trainer_free(b);
	return t;
}

struct tokenizer *common_train(const char *text, size_t len, size_t vocab)
{
	return train_weighted(text, len, 1, vocab);
}

struct tokenizer *common_train_sample(size_t vocab)
{
	struct tokenizer *t = train_weighted(tokenizer_sample, common_sample_len, 2, vocab);

	assert_int_equal(tokenizer_vocab(t), vocab);
	return t;
}

void common_plain_word(const struct tokenizer *t, const char *s, size_t n, struct tokens *out)
{
	int32_t ids[TOKENIZER_MAX_WORD];
	size_t i, k, m;

	assert_in_range(n, 1, TOKENIZER_MAX_WORD);
	for (i = 0; i < n; i++)
		ids[i] = (int32_t)t->first_byte + (unsigned char)s[i];
	for (m = 0; m < t->nmerges; m++) {
		for (i = k = 0; i < n; k++) {
			if (i + 1 < n && ids[i] == t->merges[m].left && ids[i + 1] == t->merges[m].right) {
				ids[k] = (int32_t)(t->first_byte + 256 + m);
				i += 2;
			} else {
				ids[k] = ids[i++];
			}
		}
		n = k;
	}
	for (i = 0; i < n; i++)
		tokens_add(out, ids[i]);
}
