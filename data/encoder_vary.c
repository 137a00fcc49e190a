/* SPDX-License-Identifier: GPL-3.0-or-later */
/* encoder_vary: one text, as somebody else might have typed it. */
#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "../src/base/mem.h"
#include "encoder_tool.h"

/* Said around a question, with nothing in it that matters. */
static const char *const before[] = {
	"hi, ", "hello, ", "hey, ", "good morning, ", "good evening. ", "dear team, ", "hi there! ", "hello again, ", "quick question: ",
	"sorry to bother you, ", "excuse me, ", "one more thing, ", "just wondering, ", "I was wondering: ", "could you tell me ",
	"can you tell me ", "do you know ", "I'd like to know ", "please tell me ", "I have a question. ", "my wife asks ", "hiya, ",
	"so, ", "ok, ", "well, ", "also, ", "by the way, ", "not sure who to ask, but ", "I can't find it on your site: ",
	"looked everywhere and found nothing. ", "any idea ", "remind me, ", "help: ", "I'm curious, ", "before I order: ",
	"thinking about it, ", "we were asking ourselves ", "may I ask ", "somebody told me to ask you: ", "I need to know ",
};
static const char *const after[] = {
	" please", " pls", " thanks", ", thank you", " thx", "?", "??", " thanks in advance", " cheers", ", please", "!", " asap",
	" if you don't mind me asking", ", many thanks", " kind regards", ". I'd be grateful for an answer", ", do you know", ", can you help",
	" or not", ", just so I know", " at the moment", " these days", ", I forgot", " again", ". thanks for your help",
};
enum { BEFORE = sizeof(before) / sizeof(before[0]), AFTER = sizeof(after) / sizeof(after[0]) };

struct phrase {
	char *text;
	uint32_t set;
};

struct encoder_vary {
	struct phrase *v;
	size_t n, cap;
	uint32_t sets;
};

static int one_topic(void *arg, const void *json, const char *where, struct err *e)
{
	struct encoder_vary *v = arg;
	const json_t *same = json_object_get(json, "same"), *set, *word;
	size_t i, k;

	(void)where;
	(void)e;
	json_array_foreach(same, i, set) {
		v->sets++;
		json_array_foreach(set, k, word) {
			if (!json_is_string(word))
				continue;
			if (v->n == v->cap) {
				v->cap = v->cap ? v->cap * 2 : 256;
				v->v = xreallocarray(v->v, v->cap, sizeof(*v->v));
			}
			v->v[v->n++] = (struct phrase){ xstrdup(json_string_value(word)), v->sets };
		}
	}
	return 0;
}

int encoder_vary_open(struct encoder_vary **out, const char *wordings, struct err *e)
{
	struct encoder_vary *v = xcalloc(1, sizeof(*v));
	struct str path = STR_INIT;
	int rc;

	str_addf(&path, "%s/words.jsonl", wordings);
	rc = encoder_lines(path.s, one_topic, v, e);
	str_free(&path);
	*out = v;
	return rc;
}

void encoder_vary_free(struct encoder_vary *v)
{
	if (!v)
		return;
	for (size_t i = 0; i < v->n; i++)
		free(v->v[i].text);
	free(v->v);
	free(v);
}

/* Where phrase stands in text as words of its own; NULL: nowhere. */
static const char *find_phrase(const char *text, const char *phrase)
{
	const size_t n = strlen(phrase);

	for (const char *p = strcasestr(text, phrase); p; p = strcasestr(p + 1, phrase))
		if ((p == text || !isalnum((unsigned char)p[-1])) && !isalnum((unsigned char)p[n]))
			return p;
	return NULL;
}

/* One phrase of the text for another of its set. */
static void exchange(const struct encoder_vary *v, struct rng *r, struct str *s)
{
	const size_t from = rng_below(r, v->n ? v->n : 1);

	/* a part of them: to look for all takes longer than to learn from what is found */
	for (size_t k = 0; k < v->n && k < 250; k++) {
		const struct phrase *p = &v->v[(from + k) % v->n], *other;
		const char *at = find_phrase(s->s, p->text);
		struct str t = STR_INIT;
		size_t first, last;

		/* short words have too many senses */
		if (!at || strlen(p->text) < 4)
			continue;
		for (first = (from + k) % v->n; first > 0 && v->v[first - 1].set == p->set; first--)
			;
		for (last = first; last < v->n && v->v[last].set == p->set; last++)
			;
		other = &v->v[first + rng_below(r, last - first)];
		str_add(&t, s->s, (size_t)(at - s->s));
		str_adds(&t, other->text);
		str_adds(&t, at + strlen(p->text));
		str_free(s);
		*s = t;
		return;
	}
}

/* One letter of one word of four letters or more: swapped, lost, doubled, or its neighbour on the keyboard. */
static void typo(struct rng *r, struct str *s)
{
	static const char *const rows[] = { "qwertyuiop", "asdfghjkl", "zxcvbnm" };
	size_t at, from, to;

	if (s->len == 0)
		return;
	at = from = to = rng_below(r, s->len);
	while (from > 0 && isalpha((unsigned char)s->s[from - 1]))
		from--;
	while (to < s->len && isalpha((unsigned char)s->s[to]))
		to++;
	if (to - from < 4)
		return;
	at = from + rng_below(r, to - from - 1);
	switch (rng_below(r, 4)) {
	case 0: {
		const char c = s->s[at];

		s->s[at] = s->s[at + 1];
		s->s[at + 1] = c;
		break;
	}
	case 1:
		memmove(s->s + at, s->s + at + 1, s->len - at);
		s->len--;
		break;
	case 2: {
		struct str t = STR_INIT;

		str_add(&t, s->s, at + 1);
		str_adds(&t, s->s + at);
		str_free(s);
		*s = t;
		break;
	}
	default:
		for (size_t i = 0; i < 3; i++) {
			const char *p = strchr(rows[i], tolower((unsigned char)s->s[at]));

			if (p)
				s->s[at] = p[1] && (p == rows[i] || rng_below(r, 2)) ? p[1] : p > rows[i] ? p[-1] : *p;
		}
	}
}

void encoder_vary_text(void *vary, const char *text, struct rng *r, struct str *out)
{
	const struct encoder_vary *v = vary;

	str_reset(out);
	/* a foreign text stays as it is */
	if (strstr(text, "\xc6\x92")) {
		str_adds(out, text);
		return;
	}
	if (rng_uniform(r) < 0.18)
		str_adds(out, before[rng_below(r, BEFORE)]);
	str_adds(out, text);
	if (rng_uniform(r) < 0.18) {
		while (out->len > 0 && ispunct((unsigned char)out->s[out->len - 1]) && out->s[out->len - 1] != '>')
			out->s[--out->len] = '\0';
		str_adds(out, after[rng_below(r, AFTER)]);
	}
	if (rng_uniform(r) < 0.4)
		exchange(v, r, out);
	if (rng_uniform(r) < 0.18)
		typo(r, out);
	if (rng_uniform(r) < 0.06)
		typo(r, out);
}
