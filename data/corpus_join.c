/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Short conversations strung together. Customers change the subject, and a model that has only heard conversations
 * about one thing answers the first of two questions twice. */
#include <stdlib.h>
#include <string.h>

#include "../src/base/mem.h"
#include "corpus_tool.h"

enum { MOST_MESSAGES = 12 };

static const char *const links[] = {
	"also, ", "and ", "another thing: ", "one more question: ", "ok. ", "ok, ", "by the way, ", "thanks. ", "something else: ",
	"oh and ", "next: ", "Another question. ", "I have another question: ", "alright. ",
};

/* Every `from` in the text becomes `to`. */
static void exchange(struct chat_message *m, const char *from, const char *to)
{
	struct str out = STR_INIT;
	const char *p = m->content, *at;

	if (!strstr(p, from))
		return;
	for (; (at = strstr(p, from)); p = at + strlen(from)) {
		str_add(&out, p, (size_t)(at - p));
		str_adds(&out, to);
	}
	str_adds(&out, p);
	free(m->content);
	m->len = out.len;
	m->content = str_detach(&out);
}

static void link_up(struct chat_message *m, struct rng *r)
{
	struct str out = STR_INIT;

	if (rng_uniform(r) > 0.35)
		return;
	str_adds(&out, links[rng_below(r, sizeof(links) / sizeof(links[0]))]);
	str_add(&out, m->content, m->len);
	free(m->content);
	m->len = out.len;
	m->content = str_detach(&out);
}

void corpus_append(struct chat *a, struct chat *b, struct rng *r)
{
	if (a->company && b->company)
		for (size_t i = 0; i < b->n && strcmp(a->company, b->company) != 0; i++)
			exchange(&b->messages[i], b->company, a->company);
	if (!a->company && b->company) {
		a->company = b->company;
		b->company = NULL;
	}
	link_up(&b->messages[0], r);
	for (size_t i = 0; i < b->n; i++)
		chat_add(a, b->messages[i].role, b->messages[i].content, b->messages[i].len, b->messages[i].weight);
	chat_free(b);
	*b = (struct chat){ 0 };
}

static bool fits(const struct chat *c)
{
	return c->n >= 2 && c->n % 2 == 0 && strcmp(c->messages[0].role, "user") == 0 &&
		strcmp(c->messages[c->n - 1].role, "assistant") == 0;
}

size_t corpus_join(struct chat **v, size_t n, double share, struct rng *r)
{
	size_t kept = 0, into = 0;

	rng_shuffle(r, v, n, sizeof(*v));
	for (size_t i = 0; i < n; i++) {
		/* into the last that was kept, so that three or four in a row come about as well */
		if (kept > 0 && into == kept - 1 && fits(v[into]) && fits(v[i]) && v[into]->n + v[i]->n <= MOST_MESSAGES &&
		    rng_uniform(r) < share) {
			corpus_append(v[into], v[i], r);
			continue;
		}
		v[kept] = v[i];
		into = kept++;
	}
	return kept;
}
