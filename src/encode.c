/* SPDX-License-Identifier: GPL-3.0-or-later */
/* encode: text to ids and back, through placeholders. */
#include "encode.h"

#include "base/utf8.h"

void encode_text(const struct tokenizer *tok, struct tokenizer_cache *cache, struct redact_map *map,
                 const char *text, size_t len, struct tokens *out)
{
	struct redact_spans spans = { 0 };
	size_t at = 0;

	if (map)
		redact_find(map, text, len, &spans);
	for (size_t i = 0; i < spans.n; i++) {
		const struct redact_span *sp = &spans.v[i];

		tokenizer_encode(tok, cache, text + at, sp->start - at, out);
		tokens_add(out, tokenizer_placeholder(tok, sp->type, sp->index));
		at = sp->end;
	}
	tokenizer_encode(tok, cache, text + at, len - at, out);
	redact_spans_free(&spans);
}

size_t decode_text(const struct tokenizer *tok, const struct redact_map *map,
                   const int32_t *ids, size_t n, struct str *out)
{
	size_t unknown = 0;

	for (size_t i = 0; i < n; i++) {
		size_t type;
		unsigned index;
		const char *value = NULL;

		if (tokenizer_is_placeholder(tok, ids[i], &type, &index)) {
			if (map && type < REDACT_TYPES)
				value = redact_value(map, (enum redact_type)type, index);
			if (value) {
				str_adds(out, value);
				continue;
			}
			unknown++;
		}
		tokenizer_decode(tok, &ids[i], 1, out);
	}
	return unknown;
}

void encode_chat(struct dataset *ds, const struct tokenizer *tok, struct tokenizer_cache *cache,
                 const struct chat *c, const char *company, bool placeholders)
{
	struct redact_map *map = placeholders ? redact_map_new(company) : NULL;
	struct tokens t = { 0 };

	dataset_begin(ds);
	for (size_t i = 0; i < c->n; i++) {
		const struct chat_message *m = &c->messages[i];
		int32_t tag = tokenizer_tag(tok, m->role);

		if (tag < 0)
			continue;
		t.n = 0;
		encode_text(tok, cache, map, m->content, m->len, &t);
		dataset_turn(ds, tag, t.ids, t.n, utf8_count(m->content, m->len), m->weight);
	}
	dataset_end(ds);
	tokens_free(&t);
	redact_map_free(map);
}

uint32_t encode_fixed_types(void)
{
	return 1u << REDACT_COMPANY;
}
