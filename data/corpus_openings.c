/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Openings: a customer's first message and how the written reply begins. What the reply is about is settled in its
 * first words; the rest of it costs three times as much and teaches little about which reply it should be. */
#include <stdlib.h>
#include <string.h>

#include "../src/base/mem.h"
#include "corpus_tool.h"

enum { WORDS = 7 };

/* Bytes of the first `words` words. */
static size_t head(const char *s, size_t words)
{
	const char *p = s;

	for (size_t i = 0; i < words && *p; i++) {
		p += strspn(p, " ");
		p += strcspn(p, " ");
	}
	return (size_t)(p - s);
}

void corpus_openings(const struct corpus_list *from, struct corpus_list *to, double share, struct rng *r)
{
	for (size_t i = 0; i < from->n; i++) {
		const struct chat *c = &from->v[i];

		if (c->n < 2 || strcmp(c->messages[0].role, "user") != 0 || strcmp(c->messages[1].role, "assistant") != 0)
			continue;
		for (double left = share; left > 0; left--) {
			struct chat k = { 0 };
			const size_t len = head(c->messages[1].content, WORDS);

			if (left < 1 && rng_uniform(r) > left)
				break;
			k.source = xstrdup("openings");
			k.company = c->company ? xstrdup(c->company) : NULL;
			chat_add(&k, "user", c->messages[0].content, c->messages[0].len, 0);
			chat_add(&k, "assistant", c->messages[1].content, len, c->messages[1].weight);
			k.messages[1].open = len < c->messages[1].len;
			corpus_list_add(to, &k);
		}
	}
}
