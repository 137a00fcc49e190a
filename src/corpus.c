/* SPDX-License-Identifier: GPL-3.0-or-later */
/* corpus: reading conversations whole, learning their pieces, encoding them. */
#include "corpus.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "encode.h"
#include "redact.h"

static void add_counts(struct chatfile_counts *sum, const struct chatfile_counts *c)
{
	sum->lines += c->lines;
	sum->conversations += c->conversations;
	sum->messages += c->messages;
	sum->bad_lines += c->bad_lines;
	sum->unknown_role += c->unknown_role;
	sum->system += c->system;
	sum->empty += c->empty;
	sum->joined += c->joined;
}

int corpus_read(struct corpus *c, const char *path, const struct chatfile_opts *o, size_t limit,
                struct err *e)
{
	struct chatfile *f;
	int rc = chatfile_open(&f, path, o, e);

	if (rc < 0)
		return rc;
	while (limit == 0 || c->n < limit) {
		struct chat chat = { 0 };

		rc = chatfile_next(f, &chat, e);
		if (rc <= 0)
			break;
		if (c->n == c->cap) {
			c->cap = c->cap ? 2 * c->cap : 256;
			c->chat = xreallocarray(c->chat, c->cap, sizeof(*c->chat));
		}
		c->chat[c->n++] = chat;
	}
	add_counts(&c->counts, chatfile_counts(f));
	chatfile_close(f);
	return rc < 0 ? rc : 0;
}

void corpus_free(struct corpus *c)
{
	for (size_t i = 0; i < c->n; i++)
		chat_free(&c->chat[i]);
	free(c->chat);
	memset(c, 0, sizeof(*c));
}

int corpus_tokenizer(const struct corpus *c, size_t vocab, const char *const *tags,
                     struct tokenizer **out, struct err *e)
{
	struct bpe_trainer *b = bpe_trainer_new();

	for (size_t i = 0; i < c->n; i++) {
		struct redact_map *map = redact_map_new(c->chat[i].company);

		for (size_t k = 0; k < c->chat[i].n; k++) {
			const struct chat_message *m = &c->chat[i].messages[k];
			struct redact_spans spans = { 0 };
			size_t at = 0;

			redact_find(map, m->content, m->len, &spans);
			for (size_t s = 0; s <= spans.n; s++) {
				size_t end = s < spans.n ? spans.v[s].start : m->len;

				bpe_trainer_add(b, m->content + at, end - at, 1);
				at = s < spans.n ? spans.v[s].end : end;
			}
			redact_spans_free(&spans);
		}
		redact_map_free(map);
	}

	int rc = bpe_trainer_finish(b, vocab, tags, tokenizer_default_types, out, e);

	bpe_trainer_free(b);
	return rc;
}

void corpus_encode(const struct corpus *c, const struct tokenizer *tok, const char *company,
                   bool placeholders, struct dataset *ds)
{
	struct tokenizer_cache *cache = tokenizer_cache_new();

	for (size_t i = 0; i < c->n; i++)
		encode_chat(ds, tok, cache, &c->chat[i],
		            c->chat[i].company ? c->chat[i].company : company, placeholders);
	tokenizer_cache_free(cache);
}
