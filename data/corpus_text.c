/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From template to sentence: "[a|b]" alternatives, "{slot}" values that stay the same through
 * a conversation, and the noise of people typing. Codes are put in last, so that no noise can
 * change a digit: the agent must be able to repeat them exactly. */
#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../src/base/mem.h"
#include "corpus_tool.h"

enum { MAX_SLOTS = 64, SLOT_NAME = 24 };

/* Slots that are generated; the others come from slots.json. */
static const struct {
	const char *name;
	enum corpus_code code;
} code_slots[] = {
	{ "order", CODE_ORDER }, { "order2", CODE_ORDER }, { "tracking", CODE_TRACKING }, { "email", CODE_EMAIL },
	{ "phone", CODE_PHONE }, { "card", CODE_CARD }, { "iban", CODE_IBAN }, { "url", CODE_URL },
	{ "number", CODE_NUMBER }
};
enum { CODE_SLOTS = sizeof(code_slots) / sizeof(code_slots[0]) };

struct slot {
	char name[SLOT_NAME];
	bool is_code, is_company;
	enum corpus_code code;
	char **values;
	size_t n;
};

struct corpus_slots {
	struct slot v[MAX_SLOTS];
	size_t n;
};

struct corpus_fill {
	const struct corpus_slots *slots;
	char *value[MAX_SLOTS];
	bool said[MAX_SLOTS];         /* by the customer */
	size_t company;               /* index of that slot */
	bool company_used;
};

static struct slot *add_slot(struct corpus_slots *s, const char *name)
{
	struct slot *k = &s->v[s->n++];

	strncpy(k->name, name, sizeof(k->name) - 1);
	return k;
}

static int add_list(struct corpus_slots *s, const char *path, const char *name, const json_t *list, struct err *e)
{
	struct slot *k;
	size_t i;
	json_t *item;

	/* lists may be drawn from twice: {product2} is another value than {product} */
	if (s->n + 2 > MAX_SLOTS || strlen(name) + 2 > SLOT_NAME || json_array_size(list) < 2)
		return err_set(e, ERR_FORMAT, "%s: \"%s\" must be a short name with a list of two or more texts", path, name);
	k = add_slot(s, name);
	k->values = xcalloc(json_array_size(list), sizeof(char *));
	json_array_foreach(list, i, item) {
		if (!json_is_string(item))
			return err_set(e, ERR_FORMAT, "%s: item %zu of \"%s\" is not text", path, i + 1, name);
		k->values[k->n++] = xstrdup(json_string_value(item));
	}
	return 0;
}

static size_t find_slot(const struct corpus_slots *s, const char *name, size_t len)
{
	for (size_t i = 0; i < s->n; i++)
		if (strlen(s->v[i].name) == len && memcmp(s->v[i].name, name, len) == 0)
			return i;
	return MAX_SLOTS;
}

int corpus_slots_open(struct corpus_slots **out, const char *path, struct err *e)
{
	static const char *const twice[] = { "product", "city" };
	struct corpus_slots *s = xcalloc(1, sizeof(*s));
	json_error_t je;
	json_t *root = json_load_file(path, 0, &je), *list;
	const char *name;
	int rc = 0;

	*out = NULL;
	if (!json_is_object(root))
		rc = err_set(e, ERR_FORMAT, "%s:%d: cannot read the slot lists: %s", path, je.line,
		             root ? "not an object" : je.text);
	for (size_t i = 0; i < CODE_SLOTS; i++) {
		struct slot *k = add_slot(s, code_slots[i].name);

		k->is_code = true;
		k->code = code_slots[i].code;
	}
	add_slot(s, "company")->is_company = true;
	if (rc == 0)
		json_object_foreach(root, name, list)
			if (rc == 0)
				rc = add_list(s, path, name, list, e);
	for (size_t i = 0; rc == 0 && i < 2; i++) {
		size_t from = find_slot(s, twice[i], strlen(twice[i]));
		char second[SLOT_NAME];

		if (from == MAX_SLOTS || s->n == MAX_SLOTS) {
			rc = err_set(e, ERR_FORMAT, "%s: has no list \"%s\"", path, twice[i]);
			break;
		}
		snprintf(second, sizeof(second), "%.20s2", twice[i]);
		s->v[s->n] = s->v[from];          /* shares the list; freed once, see close */
		memset(s->v[s->n].name, 0, SLOT_NAME);
		memcpy(s->v[s->n].name, second, strlen(second));
		s->n++;
	}
	json_decref(root);
	if (rc < 0) {
		corpus_slots_close(s);
		return rc;
	}
	*out = s;
	return 0;
}

void corpus_slots_close(struct corpus_slots *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n; i++) {
		size_t len = strlen(s->v[i].name);

		if (len && s->v[i].name[len - 1] == '2')
			continue;
		for (size_t k = 0; k < s->v[i].n; k++)
			free(s->v[i].values[k]);
		free(s->v[i].values);
	}
	free(s);
}

struct corpus_fill *corpus_fill_new(const struct corpus_slots *s)
{
	struct corpus_fill *f = xcalloc(1, sizeof(*f));

	f->slots = s;
	f->company = find_slot(s, "company", 7);
	return f;
}

void corpus_fill_free(struct corpus_fill *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->slots->n; i++)
		free(f->value[i]);
	free(f);
}

const char *corpus_fill_company(const struct corpus_fill *f)
{
	return f->company_used ? f->value[f->company] : NULL;
}

static const char *slot_value(struct corpus_fill *f, size_t i, struct rng *r);

static char *make_value(struct corpus_fill *f, size_t i, struct rng *r)
{
	const struct slot *k = &f->slots->v[i];
	struct str s = STR_INIT;

	if (k->is_company)
		return xstrdup(corpus_company_names[rng_below(r, corpus_company_count)]);
	if (!k->is_code)
		return xstrdup(k->values[rng_below(r, k->n)]);
	corpus_make_code(k->code, slot_value(f, f->company, r), r, &s);
	return str_detach(&s);
}

/* The slot's value in this conversation, drawn at first use; a "name2" differs from its "name". */
static const char *slot_value(struct corpus_fill *f, size_t i, struct rng *r)
{
	const struct slot *k = &f->slots->v[i];
	size_t len = strlen(k->name), other = MAX_SLOTS;

	if (f->value[i])
		return f->value[i];
	for (size_t j = 0; j < f->slots->n; j++) {
		const char *name = f->slots->v[j].name;
		size_t n = strlen(name);

		if ((n == len + 1 && name[len] == '2' && memcmp(name, k->name, len) == 0) ||
		    (n + 1 == len && k->name[n] == '2' && memcmp(name, k->name, n) == 0))
			other = j;
	}
	do {
		free(f->value[i]);
		f->value[i] = make_value(f, i, r);
	} while (other != MAX_SLOTS && f->value[other] && strcmp(f->value[other], f->value[i]) == 0);
	return f->value[i];
}

int corpus_check(const struct corpus_slots *s, const char *text, const char *where, struct err *e)
{
	const char *open = NULL;

	for (const char *p = text; *p; p++) {
		if (*p == '[') {
			if (open)
				return err_set(e, ERR_FORMAT, "%s: '[' inside '[...]': %.60s", where, text);
			open = p;
		} else if (*p == ']') {
			if (!open)
				return err_set(e, ERR_FORMAT, "%s: ']' without '[': %.60s", where, text);
			open = NULL;
		} else if (*p == '{') {
			const char *end = strchr(p, '}');

			if (!end || find_slot(s, p + 1, (size_t)(end - p - 1)) == MAX_SLOTS)
				return err_set(e, ERR_FORMAT, "%s: unknown slot %.20s", where, p);
			p = end;
		} else if (*p == '}') {
			return err_set(e, ERR_FORMAT, "%s: '}' without '{': %.60s", where, text);
		}
	}
	if (open)
		return err_set(e, ERR_FORMAT, "%s: '[' without ']': %.60s", where, text);
	return 0;
}

static void pick_alternatives(const char *text, struct rng *r, struct str *out)
{
	for (const char *p = text; *p; p++) {
		size_t n = 1, pick;
		const char *end = *p == '[' ? strchr(p, ']') : NULL, *from;

		if (!end) {
			str_addc(out, *p);
			continue;
		}
		for (const char *q = p + 1; q < end; q++)
			n += *q == '|';
		pick = rng_below(r, n);
		for (from = p + 1; pick > 0; from++)
			pick -= *from == '|';
		while (from < end && *from != '|')
			str_addc(out, *from++);
		p = end;
	}
}

/* Put slots in; lists when `codes` is false, codes and the company when true. */
static bool put_slots(struct corpus_fill *f, const char *text, bool codes, bool customer, struct rng *r,
                      struct str *out)
{
	bool known = true;

	for (const char *p = text; *p; p++) {
		const char *end = *p == '{' ? strchr(p, '}') : NULL, *value;
		size_t i = end ? find_slot(f->slots, p + 1, (size_t)(end - p - 1)) : MAX_SLOTS;

		if (i == MAX_SLOTS || (f->slots->v[i].is_code || f->slots->v[i].is_company) != codes) {
			str_addc(out, *p);
			continue;
		}
		value = slot_value(f, i, r);
		str_adds(out, value);
		if (i == f->company)
			f->company_used = true;
		if (customer)
			f->said[i] = true;
		else if (!f->said[i] && i != f->company && strcmp(f->slots->v[i].name, "agent") != 0)
			known = false;
		p = end;
	}
	return known;
}

/* Empty alternatives leave double spaces, and a lower-case start on the agent's side. */
static void tidy(struct str *s, bool customer)
{
	size_t n = 0;

	for (size_t i = 0; i < s->len; i++) {
		if (s->s[i] == ' ' && (n == 0 || s->s[n - 1] == ' '))
			continue;
		if (n && s->s[n - 1] == ' ' && (s->s[i] == ',' || s->s[i] == '.' || s->s[i] == '?' || s->s[i] == '!'))
			n--;
		s->s[n++] = s->s[i];
	}
	while (n && s->s[n - 1] == ' ')
		n--;
	s->s[n] = '\0';
	s->len = n;
	if (!customer && n)
		s->s[0] = (char)toupper((unsigned char)s->s[0]);
}

bool corpus_expand(struct corpus_fill *f, const char *text, bool customer, bool first, struct rng *r,
                   struct str *out)
{
	struct str a = STR_INIT, b = STR_INIT;
	bool known;

	pick_alternatives(text, r, &a);
	known = put_slots(f, a.s, false, customer, r, &b);
	tidy(&b, customer);
	if (customer)
		corpus_noise(&b, first, r);
	known = put_slots(f, b.s, true, customer, r, out) && known;
	str_free(&a);
	str_free(&b);
	return known;
}

static bool has_prefix_word(const char *s, const char *word)
{
	size_t n = strlen(word);

	return strncasecmp(s, word, n) == 0 && !isalpha((unsigned char)s[n]);
}

static bool greets(const char *s)
{
	static const char *const words[] = { "hi", "hello", "hey", "hiya", "good", "dear", "yo", "greetings", "howdy" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (has_prefix_word(s, words[i]))
			return true;
	return false;
}

static void lower(struct str *s)
{
	bool inside = false;

	for (size_t i = 0; i < s->len; i++) {
		if (s->s[i] == '{' || s->s[i] == '}')
			inside = s->s[i] == '{';
		else if (!inside)
			s->s[i] = (char)tolower((unsigned char)s->s[i]);
	}
}

/* Swap two letters of one word, or lose one. Only plain words of four letters or more. */
static void typo(struct str *s, struct rng *r)
{
	size_t at = rng_below(r, s->len), from = at, to = at;

	while (from > 0 && s->s[from - 1] != ' ')
		from--;
	while (to < s->len && s->s[to] != ' ')
		to++;
	if (to - from < 4)
		return;
	for (size_t i = from; i < to; i++)
		if (!isalpha((unsigned char)s->s[i]) && !(i + 1 == to && ispunct((unsigned char)s->s[i]) && s->s[i] != '}'))
			return;
	at = from + 1 + rng_below(r, to - from - 3);
	if (rng_below(r, 2)) {
		char c = s->s[at];

		s->s[at] = s->s[at + 1];
		s->s[at + 1] = c;
	} else {
		memmove(s->s + at, s->s + at + 1, s->len - at);
		s->len--;
	}
}

void corpus_noise(struct str *s, bool first, struct rng *r)
{
	static const char *const hello[] = { "hi, ", "hello, ", "hey, ", "hi ", "Hello, ", "Hi, ", "Hi there, ", "hello ", "Good morning, " };
	static const char *const please[] = { " pls", " please", " plz", " thanks", " thx" };
	double u;

	if (s->len == 0)
		return;
	if (rng_uniform(r) < 0.22)
		lower(s);
	if (s->len > 1 && (s->s[s->len - 1] == '.' || s->s[s->len - 1] == '?') && rng_uniform(r) < 0.3)
		s->s[--s->len] = '\0';
	for (size_t k = 0; k <= s->len / 60; k++)
		if (rng_uniform(r) < 0.12)
			typo(s, r);
	u = rng_uniform(r);
	if (u < 0.04 && s->len > 12 && isalpha((unsigned char)s->s[s->len - 1]))
		str_adds(s, please[rng_below(r, sizeof(please) / sizeof(please[0]))]);
	else if (u < 0.06 && ispunct((unsigned char)s->s[s->len - 1]) && s->s[s->len - 1] != '}')
		str_addc(s, s->s[s->len - 1]);
	if (first && s->len > 8 && rng_uniform(r) < 0.10 && !greets(s->s)) {
		struct str t = STR_INIT;

		str_adds(&t, hello[rng_below(r, sizeof(hello) / sizeof(hello[0]))]);
		if (s->len > 1 && isupper((unsigned char)s->s[0]) && islower((unsigned char)s->s[1]))
			s->s[0] = (char)tolower((unsigned char)s->s[0]);
		str_add(&t, s->s, s->len);
		str_free(s);
		*s = t;
	}
}
