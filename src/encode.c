/* SPDX-License-Identifier: GPL-3.0-or-later */
/* encode: text to ids and back, through placeholders. */
#include "encode.h"

#include <string.h>

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

/* "<order_3>" at text: its placeholder id and its length, or -1. */
static int32_t placeholder_at(const struct tokenizer *tok, const char *text, size_t len, size_t *used)
{
	for (size_t type = 0; type < REDACT_TYPES; type++) {
		const char *name = redact_type_name((enum redact_type)type);
		const size_t n = strlen(name);
		unsigned index = 0;
		size_t i = n + 2;

		if (len < n + 4 || text[0] != '<' || memcmp(text + 1, name, n) != 0 || text[n + 1] != '_')
			continue;
		while (i < len && text[i] >= '0' && text[i] <= '9' && index < 100)
			index = index * 10 + (unsigned)(text[i++] - '0');
		if (i < len && text[i] == '>' && index >= 1 && index <= REDACT_PER_TYPE) {
			*used = i + 1;
			return tokenizer_placeholder(tok, type, index);
		}
	}
	return -1;
}

void encode_example(const struct tokenizer *tok, struct tokenizer_cache *cache, const char *text, size_t len,
                    struct tokens *out)
{
	size_t from = 0;

	for (size_t i = 0; i < len;) {
		size_t used = 1;
		int32_t id = text[i] == '<' ? placeholder_at(tok, text + i, len - i, &used) : -1;

		if (id >= 0) {
			tokenizer_encode(tok, cache, text + from, i - from, out);
			tokens_add(out, id);
			from = i + used;
		}
		i += used;
	}
	tokenizer_encode(tok, cache, text + from, len - from, out);
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
		if (c->source && strcmp(c->source, ENCODE_EXAMPLE) == 0)
			encode_example(tok, cache, m->content, m->len, &t);
		else
			encode_text(tok, cache, map, m->content, m->len, &t);
		dataset_turn(ds, tag, t.ids, t.n, utf8_count(m->content, m->len), m->weight);
		if (m->open)
			dataset_open(ds);
	}
	dataset_end(ds);
	tokens_free(&t);
	redact_map_free(map);
}

uint32_t encode_fixed_types(void)
{
	return 1u << REDACT_COMPANY;
}
