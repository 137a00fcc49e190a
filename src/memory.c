/* SPDX-License-Identifier: GPL-3.0-or-later */
/* memory: questions as bags of weighted words, with an index from word to questions. */
#include "memory.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "redact.h"

enum { BUCKETS = 1 << 16, MOST_WORDS = 64, WORD = 32 };

struct word {
	char text[WORD];
	uint64_t hash;
	bool number, common;
};

struct bag {
	struct word *w;
	size_t n;
};

struct remembered {
	struct bag bag;
	char *answer;
	int64_t id;
	double total;                 /* weight of all its words */
};

struct posting {
	uint32_t *v;
	size_t n, cap;
};

struct memory {
	char *company;
	struct remembered *r;
	size_t n, cap;
	struct posting *index;        /* [BUCKETS] by word hash */
};

/* Words that say how something is asked, not what. */
static bool is_common(const char *w)
{
	static const char *const words[] = {
		"a", "an", "the", "i", "me", "my", "we", "our", "you", "your", "it", "its", "is", "are", "was", "be", "am", "do", "doe",
		"did", "can", "could", "would", "will", "shall", "may", "to", "of", "for", "in", "on", "at", "by", "with", "and", "or",
		"if", "this", "that", "there", "here", "please", "pls", "tell", "know", "want", "like", "need", "get", "have", "has",
		"had", "hi", "hello", "hey", "thank", "so", "just", "about", "what", "which", "how", "when", "where", "who", "why", NULL
	};

	for (size_t i = 0; words[i]; i++)
		if (strcmp(w, words[i]) == 0)
			return true;
	return false;
}

/* Question words decide between look-alikes ("when" and "where" do you open?), so they are common but vetoing. */
static bool is_question(const char *w)
{
	static const char *const telling[] = {
		"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "january", "february", "march", "april",
		"june", "july", "august", "september", "october", "november", "december", "today", "tomorrow", "morn", "even",
		"weekend", "weekday", "holiday", "child", "children", "adult", "student", "senior", NULL
	};

	for (size_t i = 0; telling[i]; i++)
		if (strcmp(w, telling[i]) == 0)
			return true;
	return strcmp(w, "when") == 0 || strcmp(w, "where") == 0 || strcmp(w, "who") == 0 || strcmp(w, "why") == 0 ||
		strcmp(w, "not") == 0 || strcmp(w, "no") == 0 || strcmp(w, "without") == 0;
}

static void stem(char *w)
{
	size_t n = strlen(w);

	if (n > 5 && strcmp(w + n - 3, "ing") == 0)
		w[n -= 3] = '\0';
	else if (n > 4 && strcmp(w + n - 2, "ed") == 0)
		w[n -= 2] = '\0';
	else if (n > 4 && strcmp(w + n - 3, "ies") == 0)
		strcpy(w + n - 3, "y");
	else if (n > 3 && w[n - 1] == 's' && w[n - 2] != 's')
		w[n - 1] = '\0';
}

static void bag_of(const char *text, struct bag *b)
{
	*b = (struct bag){ xcalloc(MOST_WORDS, sizeof(struct word)), 0 };
	for (size_t i = 0; text[i] && b->n < MOST_WORDS;) {
		struct word w = { .number = false };
		size_t n = 0;

		if (text[i] == '<') {      /* a placeholder says nothing about the question */
			size_t end = i + strcspn(text + i, "> ");

			if (text[end] == '>') {
				i = end + 1;
				continue;
			}
		}
		while (isalnum((unsigned char)text[i]) || (unsigned char)text[i] >= 0x80 || (text[i] == '\'' && n > 0)) {
			if (n + 1 < WORD && text[i] != '\'')
				w.text[n++] = (char)tolower((unsigned char)text[i]);
			w.number = w.number || isdigit((unsigned char)text[i]);
			i++;
		}
		if (n == 0) {
			i += text[i] != '\0';
			continue;
		}
		if (!w.number)
			stem(w.text);
		w.common = is_common(w.text);
		w.hash = 0xcbf29ce484222325u;
		for (const char *p = w.text; *p; p++)
			w.hash = (w.hash ^ (unsigned char)*p) * 0x100000001b3u;

		bool twice = false;

		for (size_t k = 0; k < b->n; k++)
			twice = twice || strcmp(b->w[k].text, w.text) == 0;
		if (!twice)
			b->w[b->n++] = w;
	}
}

static double weight(const struct memory *m, const struct word *w)
{
	const double df = (double)m->index[w->hash % BUCKETS].n;

	if (w->common)
		return 0.12;
	return 1 + 0.35 * log(((double)m->n + 1) / (df + 1));
}

static bool add(const struct store_example *x, void *arg)
{
	struct memory *m = arg;
	struct remembered *r;

	if (strcmp(x->state, "approved") != 0 && !(strcmp(x->state, "proposed") == 0 && strcmp(x->origin, "corrected") == 0))
		return true;
	if (m->n == m->cap) {
		m->cap = m->cap ? m->cap * 2 : 64;
		m->r = xreallocarray(m->r, m->cap, sizeof(*m->r));
	}
	r = &m->r[m->n];
	*r = (struct remembered){ .answer = xstrdup(x->answer), .id = x->id };
	bag_of(x->question, &r->bag);
	for (size_t i = 0; i < r->bag.n; i++) {
		struct posting *p = &m->index[r->bag.w[i].hash % BUCKETS];

		if (p->n == p->cap) {
			p->cap = p->cap ? p->cap * 2 : 4;
			p->v = xreallocarray(p->v, p->cap, sizeof(*p->v));
		}
		p->v[p->n++] = (uint32_t)m->n;
	}
	m->n++;
	return true;
}

int memory_load(struct memory **out, struct store *s, const char *company, struct err *e)
{
	struct memory *m = xcalloc(1, sizeof(*m));
	int rc;

	m->company = company ? xstrdup(company) : NULL;
	m->index = xcalloc(BUCKETS, sizeof(*m->index));
	rc = store_examples(s, NULL, add, m, e);
	if (rc < 0) {
		memory_free(m);
		*out = NULL;
		return rc;
	}
	for (size_t i = 0; i < m->n; i++)
		for (size_t k = 0; k < m->r[i].bag.n; k++)
			m->r[i].total += weight(m, &m->r[i].bag.w[k]);
	*out = m;
	return 0;
}

void memory_free(struct memory *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->n; i++) {
		free(m->r[i].bag.w);
		free(m->r[i].answer);
	}
	for (size_t i = 0; i < BUCKETS; i++)
		free(m->index[i].v);
	free(m->index);
	free(m->r);
	free(m->company);
	free(m);
}

size_t memory_size(const struct memory *m)
{
	return m->n;
}

static bool has(const struct bag *b, const struct word *w)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->w[i].hash == w->hash && strcmp(b->w[i].text, w->text) == 0)
			return true;
	return false;
}

/* What only one side has, and must not. */
static bool vetoed(const struct bag *a, const struct bag *b)
{
	for (size_t i = 0; i < a->n; i++)
		if ((a->w[i].number || is_question(a->w[i].text)) && !has(b, &a->w[i]))
			return true;
	return false;
}

static double similarity(const struct memory *m, const struct bag *q, double q_total, const struct remembered *r)
{
	double both = 0;

	for (size_t i = 0; i < q->n; i++)
		if (has(&r->bag, &q->w[i]))
			both += weight(m, &q->w[i]);
	if (vetoed(q, &r->bag) || vetoed(&r->bag, q))
		return 0;
	return q_total + r->total > 0 ? 2 * both / (q_total + r->total) : 0;
}

/* "<order_1>" by what the question's own map says. False: a value that nobody said. */
static bool fill(const struct redact_map *map, const char *answer, struct str *out)
{
	for (const char *p = answer; *p;) {
		bool placed = false;

		for (int t = 0; *p == '<' && t < REDACT_TYPES && !placed; t++) {
			const char *name = redact_type_name((enum redact_type)t);
			const size_t n = strlen(name);
			char *end;
			unsigned long index;

			if (strncmp(p + 1, name, n) != 0 || p[n + 1] != '_' || !isdigit((unsigned char)p[n + 2]))
				continue;
			index = strtoul(p + n + 2, &end, 10);
			if (*end != '>' || index < 1 || index > REDACT_PER_TYPE)
				continue;
			if (!redact_value(map, (enum redact_type)t, (unsigned)index))
				return false;
			str_adds(out, redact_value(map, (enum redact_type)t, (unsigned)index));
			p = end + 1;
			placed = true;
		}
		if (!placed)
			str_addc(out, *p++);
	}
	return true;
}

bool memory_find(const struct memory *m, const char *question, size_t len, struct memory_hit *hit)
{
	struct redact_map *map = redact_map_new(m->company);
	struct str clean = STR_INIT;
	struct bag q;
	double total = 0, best = 0;
	size_t at = SIZE_MAX;
	bool found = false;

	*hit = (struct memory_hit){ .answer = STR_INIT };
	redact_text(map, question, len, &clean);
	bag_of(clean.s, &q);
	for (size_t i = 0; i < q.n; i++)
		total += weight(m, &q.w[i]);
	/* candidates share the question's rarest words; a word that half of all questions have finds nothing */
	for (size_t i = 0; i < q.n; i++) {
		const struct posting *p = &m->index[q.w[i].hash % BUCKETS];

		if (q.w[i].common && q.n > 3 && m->n > 1000)
			continue;
		if (p->n > 5000 && p->n > m->n / 10)
			continue;
		for (size_t k = 0; k < p->n; k++) {
			const double s = similarity(m, &q, total, &m->r[p->v[k]]);

			/* the latest teaching wins a tie */
			if (s > best || (s == best && s > 0 && p->v[k] > at)) {
				best = s;
				at = p->v[k];
			}
		}
	}
	if (at != SIZE_MAX && best >= MEMORY_BAR && fill(map, m->r[at].answer, &hit->answer)) {
		hit->example = m->r[at].id;
		hit->score = best > 1 ? 1 : best;
		found = true;
	} else {
		str_free(&hit->answer);
	}
	free(q.w);
	str_free(&clean);
	redact_map_free(map);
	return found;
}
