/* SPDX-License-Identifier: GPL-3.0-or-later */
/* redact: the map of a conversation's values, and one pass over a text. At each place where a
 * word begins the matchers are asked in turn; the longest of a fresh match and a value already
 * known wins, so that "98765" does not cut "98765 43210" in two. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "redact_private.h"

enum { ASKED_TURNS = 2, BRIEF_WORDS = 5 };

struct redact_map {
	char *value[REDACT_TYPES][REDACT_PER_TYPE];
	size_t length[REDACT_TYPES][REDACT_PER_TYPE];
	unsigned n[REDACT_TYPES];
	bool starts[256];        /* first bytes of the known values */
	unsigned asked, asked_left;
};

const char *redact_type_name(enum redact_type type)
{
	static const char *const names[REDACT_TYPES] = { "order", "tracking", "email", "phone", "card", "iban", "url",
		"number", "company" };

	return (unsigned)type < REDACT_TYPES ? names[type] : "unknown";
}

static unsigned add_value(struct redact_map *m, enum redact_type type, const char *s, size_t n)
{
	unsigned k = m->n[type];

	if (k == REDACT_PER_TYPE)
		return 0;
	m->value[type][k] = xmemdup(s, n);
	m->length[type][k] = n;
	m->n[type] = k + 1;
	m->starts[(unsigned char)s[0]] = true;
	return k + 1;
}

struct redact_map *redact_map_new(const char *company)
{
	struct redact_map *m = xcalloc(1, sizeof(*m));

	if (company && *company) {
		add_value(m, REDACT_COMPANY, company, strlen(company));
		m->starts[(unsigned char)to_lower(company[0])] = true;
		if (is_alpha(company[0]))
			m->starts[(unsigned char)company[0] & ~0x20u] = true;
	}
	return m;
}

void redact_map_free(struct redact_map *m)
{
	if (!m)
		return;
	for (size_t t = 0; t < REDACT_TYPES; t++)
		for (size_t i = 0; i < m->n[t]; i++)
			free(m->value[t][i]);
	free(m);
}

struct redact_map *redact_map_clone(const struct redact_map *m)
{
	struct redact_map *c = xmemdup(m, sizeof(*m));

	for (size_t t = 0; t < REDACT_TYPES; t++)
		for (size_t i = 0; i < m->n[t]; i++)
			c->value[t][i] = xmemdup(m->value[t][i], m->length[t][i]);
	return c;
}

const char *redact_value(const struct redact_map *m, enum redact_type type, unsigned index)
{
	if ((unsigned)type >= REDACT_TYPES || index < 1 || index > m->n[type])
		return NULL;
	return m->value[type][index - 1];
}

void redact_spans_free(struct redact_spans *s)
{
	free(s->v);
	*s = (struct redact_spans){ 0 };
}

static bool same_bytes(const char *a, const char *b, size_t n, bool any_case)
{
	if (!any_case)
		return memcmp(a, b, n) == 0;
	for (size_t i = 0; i < n; i++)
		if (to_lower(a[i]) != to_lower(b[i]))
			return false;
	return true;
}

/* Does a word end at `end`? Codes go on over hyphens, amounts over decimal points. */
static bool word_ends(const struct redact_view *t, size_t end, bool name)
{
	char last = redact_at(t, end - 1), c = redact_at(t, end), d = redact_at(t, end + 1);

	if (!is_alnum(last))
		return true;
	if (is_alnum(c) || c == '_')
		return false;
	if (name)
		return true;
	if (c == '-' && is_alnum(d))
		return false;
	return !(is_digit(last) && (c == '.' || c == ',' || c == ':' || c == '/') && is_digit(d));
}

/* The longest known value at i. */
static bool match_known(const struct redact_map *m, const struct redact_view *t, size_t i,
                        const struct redact_context *c, enum redact_type *type, unsigned *index, size_t *end)
{
	size_t best = 0;

	if (!m->starts[(unsigned char)redact_at(t, i)])
		return false;
	for (size_t k = 0; k < REDACT_TYPES; k++) {
		for (size_t v = 0; v < m->n[k]; v++) {
			size_t n = m->length[k][v];
			bool name = k == REDACT_COMPANY;

			if (n <= best || n > t->n - i || !same_bytes(t->s + i, m->value[k][v], n, name) ||
			    !word_ends(t, i + n, name))
				continue;
			/* a short number may also be a price or a quantity */
			if (n <= 5 && is_digit(t->s[i]) && (c->money || redact_unit_after(t, i + n)))
				continue;
			best = n;
			*type = (enum redact_type)k;
			*index = (unsigned)v + 1;
		}
	}
	*end = i + best;
	return best > 0;
}

static unsigned find_value(const struct redact_map *m, const char *s, size_t n, enum redact_type *type)
{
	for (size_t k = 0; k < REDACT_COMPANY; k++)
		for (size_t v = 0; v < m->n[k]; v++)
			if (m->length[k][v] == n && memcmp(m->value[k][v], s, n) == 0) {
				*type = (enum redact_type)k;
				return (unsigned)v + 1;
			}
	return 0;
}

static void add_span(struct redact_spans *out, enum redact_type type, unsigned index, size_t start, size_t end)
{
	if (out->n == out->cap) {
		out->cap = out->cap ? out->cap * 2 : 8;
		out->v = xreallocarray(out->v, out->cap, sizeof(*out->v));
	}
	out->v[out->n++] = (struct redact_span){ type, index, start, end };
}

/* A match by form or by context at i. *skip: how far to go on when there is none. */
static bool match_fresh(const struct redact_view *t, size_t i, const struct redact_context *c,
                        enum redact_type *type, size_t *end, size_t *skip)
{
	char ch = t->s[i];

	*skip = i + 1;
	if (ch == '+' || ch == '(') {
		*type = REDACT_PHONE;
		return redact_match_phone(t, i, c, end);
	}
	if (!is_alnum(ch))
		return false;
	*type = REDACT_URL;
	if (redact_match_url(t, i, end))
		return true;
	*type = REDACT_EMAIL;
	if (redact_match_email(t, i, end))
		return true;
	*type = REDACT_IBAN;
	if (redact_match_iban(t, i, end))
		return true;
	*type = REDACT_CARD;
	if (redact_match_card(t, i, c, end))
		return true;
	*type = REDACT_PHONE;
	if (redact_match_phone(t, i, c, end))
		return true;
	return redact_match_code(t, i, c, type, end, skip);
}

/* The context learns what stands from i to end and is not taken. */
static void pass_over(struct redact_context *c, const struct redact_view *t, size_t i, size_t end)
{
	bool digits = false;

	for (size_t k = i; k < end;) {
		size_t from = k;

		while (k < end && is_alpha(t->s[k]))
			k++;
		if (k > from)
			redact_context_word(c, t->s + from, k - from);
		else if (is_digit(t->s[k++]))
			digits = true;
	}
	if (digits)
		redact_context_number(c);
}

/* At most a few words: an answer to a question. Bounded, since it stops counting early. */
static bool is_brief(const char *s, size_t n)
{
	size_t words = 0;

	for (size_t i = 0; i < n && words <= BRIEF_WORDS; i++)
		words += !is_space(s[i]) && (i == 0 || is_space(s[i - 1]));
	return words <= BRIEF_WORDS;
}

static bool starts_word(const struct redact_view *t, size_t i)
{
	char before = i ? t->s[i - 1] : ' ';

	return !is_alnum(before) && before != '_' && before != '@';
}

void redact_find(struct redact_map *m, const char *text, size_t len, struct redact_spans *out)
{
	const struct redact_view t = { text, len };
	struct redact_context c = { .age = 1000 };
	size_t i = 0;

	c.asked = m->asked_left ? m->asked : 0;
	c.brief = is_brief(text, len);
	if (m->asked_left)
		m->asked_left--;
	while (i < len) {
		enum redact_type type = REDACT_NUMBER, known_type = REDACT_NUMBER;
		size_t end = i + 1, known_end = 0, skip = i + 1;
		unsigned index = 0;
		bool begins = starts_word(&t, i), fresh, known;

		if (!begins || (!is_alnum(text[i]) && text[i] != '+' && text[i] != '(' && !m->starts[(unsigned char)text[i]])) {
			redact_context_mark(&c, &t, i);
			i++;
			continue;
		}
		known = match_known(m, &t, i, &c, &known_type, &index, &known_end);
		fresh = match_fresh(&t, i, &c, &type, &end, &skip);
		if (known && (!fresh || known_end >= end)) {
			type = known_type;
			end = known_end;
		} else if (fresh) {
			index = find_value(m, text + i, end - i, &type);
			if (index == 0)
				index = add_value(m, type, text + i, end - i);
		}
		if (index && (known || fresh)) {
			add_span(out, type, index, i, end);
			if (type == REDACT_COMPANY)
				redact_context_word(&c, text + i, 0);
			else
				redact_context_taken(&c, type);
			i = end;
			continue;
		}
		/* nothing, or a 17th value, which stays in the text */
		if (fresh)
			skip = end;
		if (is_alnum(text[i]))
			pass_over(&c, &t, i, skip);
		else
			redact_context_mark(&c, &t, i);
		if (c.key && c.age <= 1 && (c.strong || (c.key == W_NUMBER && !c.soft))) {
			m->asked = c.key;
			m->asked_left = ASKED_TURNS;
		}
		i = skip;
	}
}

void redact_text(struct redact_map *m, const char *text, size_t len, struct str *out)
{
	struct redact_spans spans = { 0 };
	size_t at = 0;

	redact_find(m, text, len, &spans);
	for (size_t i = 0; i < spans.n; i++) {
		const struct redact_span *s = &spans.v[i];

		str_add(out, text + at, s->start - at);
		str_addf(out, "<%s_%u>", redact_type_name(s->type), s->index);
		at = s->end;
	}
	str_add(out, text + at, len - at);
	redact_spans_free(&spans);
}
