/* SPDX-License-Identifier: GPL-3.0-or-later */
/* memory: vectors in one flat array, scanned whole; an index from word to questions; the few that come near are
 * compared closely. */
#include "memory.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "memory_fit.h"
#include "memory_private.h"
#include "redact.h"

enum { BUCKETS = 1 << 16, DIM = ENCODER_DIM, CANDIDATES = 14 };

_Static_assert(F_COUNT <= sizeof(((struct memory_near *)0)->feature) / sizeof(double), "room for all features");

/* Without an encoder only words can be compared. */
static const double words_bar = 0.8;

static uint64_t hash_of(const char *s)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 0x100000001b3u;
	return h ^ (h >> 31);
}

static uint64_t hash_words(const struct encoder_words *w)
{
	uint64_t h = w->n;

	for (size_t i = 0; i < w->n; i++)
		h = h * 0x9e3779b97f4a7c15u + hash_of(w->v[i].text);
	return h;
}

static const struct posting *posting_of(const struct memory *m, const char *stem)
{
	return &m->index[hash_of(stem) % BUCKETS];
}

static double frequency(const void *arg, const char *stem)
{
	const struct memory *m = arg;

	/* of few examples nothing can be said of what is frequent */
	return (double)posting_of(m, stem)->n / ((double)m->n + 12);
}

static bool is_name(const void *arg, const char *stem)
{
	return posting_of(arg, stem)->names > 0;
}

struct memory *memory_new(const struct encoder *en, const char *company)
{
	struct memory *m = xcalloc(1, sizeof(*m));

	m->en = en;
	m->company = company ? xstrdup(company) : NULL;
	m->index = xcalloc(BUCKETS, sizeof(*m->index));
	m->lexicon = (struct memory_lexicon){ frequency, is_name, m };
	return m;
}

void memory_free(struct memory *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->n; i++) {
		free(m->r[i].question);
		free(m->r[i].answer);
	}
	for (size_t i = 0; i < BUCKETS; i++)
		free(m->index[i].v);
	free(m->index);
	free(m->r);
	free(m->vector);
	free(m->scale);
	free(m->state);
	free(m->company);
	encoder_free(m->own);
	free(m);
}

size_t memory_size(const struct memory *m)
{
	return m->n;
}

static size_t find_id(const struct memory *m, int64_t id)
{
	size_t i = 0;

	while (i < m->n && m->r[i].id != id)
		i++;
	return i;
}

double memory_bar(const struct memory *m)
{
	return m->en ? MEMORY_BAR : words_bar;
}

/* ---- adding and taking out ---- */

/* Where the words of a question are looked up: each bucket once, and in how many of its places the word is a name. */
struct entry {
	uint32_t bucket, names;
};

static size_t entries_of(const char *question, struct encoder_words *words, struct entry v[ENCODER_WORDS])
{
	bool name[ENCODER_WORDS];
	size_t n = 0;

	encoder_split(question, strlen(question), words);
	memory_names(words, question, name);
	for (size_t i = 0; i < words->n; i++) {
		char stem[ENCODER_WORD];
		uint32_t bucket;
		size_t k = 0;

		memcpy(stem, words->v[i].text, sizeof(stem));
		if (!words->v[i].number)
			memory_stem(stem);
		if (memory_empty_word(stem))
			continue;
		bucket = (uint32_t)(hash_of(stem) % BUCKETS);
		while (k < n && v[k].bucket != bucket)
			k++;
		if (k == n)
			v[n++] = (struct entry){ bucket, 0 };
		v[k].names += name[i];
	}
	return n;
}

static void posting_add(struct posting *p, uint32_t at)
{
	if (p->n == p->cap) {
		p->cap = p->cap ? p->cap * 2 : 4;
		p->v = xreallocarray(p->v, p->cap, sizeof(*p->v));
	}
	p->v[p->n++] = at;
}

/* Its order means nothing. */
static size_t posting_find(const struct posting *p, uint32_t at)
{
	size_t i = p->n;

	while (p->v[--i] != at)
		;
	return i;
}

static void grow(struct memory *m)
{
	if (m->n < m->cap)
		return;
	m->cap = m->cap ? m->cap * 2 : 64;
	m->r = xreallocarray(m->r, m->cap, sizeof(*m->r));
	m->vector = xreallocarray(m->vector, m->cap, DIM);
	m->scale = xreallocarray(m->scale, m->cap, sizeof(*m->scale));
	m->state = xreallocarray(m->state, m->cap, sizeof(*m->state));
}

static void set_vector(struct memory *m, size_t at, const int8_t *vector)
{
	int32_t sum = 0;

	memcpy(m->vector + at * DIM, vector, DIM);
	for (size_t k = 0; k < DIM; k++)
		sum += vector[k] * vector[k];
	m->scale[at] = sum > 0 ? 1 / sqrtf((float)sum) : 0;
}

static void set_state(struct memory *m, size_t at, enum vector_state state)
{
	m->states[m->state[at]]--;
	m->states[state]++;
	m->state[at] = (uint8_t)state;
}

void memory_add(struct memory *m, int64_t id, int64_t conversation, const char *question, const char *answer, const int8_t *vector)
{
	struct encoder_words words;
	struct entry entry[ENCODER_WORDS];
	const size_t at = m->n, n = entries_of(question, &words, entry);

	grow(m);
	m->r[at] = (struct remembered){ xstrdup(question), xstrdup(answer), id, conversation, hash_words(&words) };
	for (size_t i = 0; i < n; i++) {
		struct posting *p = &m->index[entry[i].bucket];

		posting_add(p, (uint32_t)at);
		p->names += entry[i].names;
	}
	m->scale[at] = 0;
	if (vector)
		set_vector(m, at, vector);
	else
		memset(m->vector + at * DIM, 0, DIM);
	m->state[at] = m->en && !vector ? VECTOR_MISSING : VECTOR_KEPT;
	m->states[m->state[at]]++;
	m->n++;
}

/* The last one moves to where it was. */
bool memory_remove(struct memory *m, int64_t id)
{
	const size_t at = find_id(m, id), last = m->n - 1;
	struct encoder_words words;
	struct entry entry[ENCODER_WORDS];
	size_t n;

	if (at == m->n)
		return false;
	n = entries_of(m->r[at].question, &words, entry);
	for (size_t i = 0; i < n; i++) {
		struct posting *p = &m->index[entry[i].bucket];

		p->v[posting_find(p, (uint32_t)at)] = p->v[p->n - 1];
		p->n--;
		p->names -= entry[i].names;
	}
	m->states[m->state[at]]--;
	free(m->r[at].question);
	free(m->r[at].answer);
	if (at != last) {
		n = entries_of(m->r[last].question, &words, entry);
		for (size_t i = 0; i < n; i++) {
			struct posting *p = &m->index[entry[i].bucket];

			p->v[posting_find(p, (uint32_t)last)] = (uint32_t)at;
		}
		m->r[at] = m->r[last];
		memcpy(m->vector + at * DIM, m->vector + last * DIM, DIM);
		m->scale[at] = m->scale[last];
		m->state[at] = m->state[last];
	}
	m->n--;
	return true;
}

void memory_put(struct memory *m, int64_t id, int64_t conversation, const char *question, const char *answer)
{
	const size_t at = find_id(m, id);

	if (at == m->n || strcmp(m->r[at].question, question) != 0) {
		memory_remove(m, id);
		memory_add(m, id, conversation, question, answer, NULL);
		return;
	}
	free(m->r[at].answer);
	m->r[at].answer = xstrdup(answer);
	m->r[at].conversation = conversation;
	if (m->en && m->state[at] == VECTOR_KEPT)         /* an edit threw it away in the store */
		set_state(m, at, VECTOR_MADE);
}

size_t memory_compute(struct memory *m)
{
	for (size_t i = 0; i < m->n && m->states[VECTOR_MISSING] > 0; i++) {
		const char *question = m->r[i].question;
		float v[DIM];
		int8_t bytes[DIM];

		if (m->state[i] != VECTOR_MISSING)
			continue;
		encoder_vector(m->en, question, strlen(question), v);
		encoder_bytes(v, bytes);
		set_vector(m, i, bytes);
		set_state(m, i, VECTOR_MADE);
	}
	return m->states[VECTOR_MADE];
}

size_t memory_made(const struct memory *m, bool (*each)(int64_t id, const int8_t *vector, void *arg), void *arg)
{
	size_t n = 0;

	for (size_t i = 0; i < m->n && n < m->states[VECTOR_MADE]; i++)
		if (m->state[i] == VECTOR_MADE) {
			n++;
			if (!each(m->r[i].id, m->vector + i * DIM, arg))
				break;
		}
	return n;
}

void memory_made_kept(struct memory *m)
{
	for (size_t i = 0; i < m->n && m->states[VECTOR_MADE] > 0; i++)
		if (m->state[i] == VECTOR_MADE)
			set_state(m, i, VECTOR_KEPT);
}

/* ---- finding ---- */

struct best {
	uint32_t at[CANDIDATES];
	float score[CANDIDATES];
	size_t n;
};

/* Of equal ones the latest: with many of the same question the last teaching has to be among them. It also makes the
 * candidates independent of the order in which they were added. */
static bool before(const struct memory *m, float x, uint32_t at, float y, uint32_t other)
{
	return x > y || (x >= y && m->r[at].id > m->r[other].id);
}

static void keep_best(const struct memory *m, struct best *b, uint32_t at, float score)
{
	size_t i;

	if (b->n == CANDIDATES && !before(m, score, at, b->score[CANDIDATES - 1], b->at[CANDIDATES - 1]))
		return;
	if (b->n < CANDIDATES)
		b->n++;
	for (i = b->n - 1; i > 0 && before(m, score, at, b->score[i - 1], b->at[i - 1]); i--) {
		b->score[i] = b->score[i - 1];
		b->at[i] = b->at[i - 1];
	}
	b->at[i] = at;
	b->score[i] = score;
}

static void near_by_vector(const struct memory *m, const float vector[DIM], struct best *b)
{
	int8_t q[DIM];

	encoder_bytes(vector, q);
	for (size_t i = 0; i < m->n; i++) {
		const int8_t *v = m->vector + i * DIM;
		int32_t sum = 0;

		for (size_t k = 0; k < DIM; k++)
			sum += (int16_t)q[k] * (int16_t)v[k];
		keep_best(m, b, (uint32_t)i, (float)sum * m->scale[i]);
	}
}

static void near_by_words(const struct memory *m, const struct memory_text *q, struct best *b)
{
	float *sum = xcalloc(m->n + 1, sizeof(*sum));

	for (size_t i = 0; i < q->view.words.n; i++) {
		const struct posting *p = posting_of(m, q->stem[i]);

		/* what very many have tells them apart too little for the time it takes */
		if (q->empty[i] || (p->n > 4000 && p->n > m->n / 20))
			continue;
		for (size_t k = 0; k < p->n; k++)
			sum[p->v[k]] += q->weight[i] * (float)log(((double)m->n + 1) / ((double)p->n + 0.5) + 1);
	}
	for (size_t i = 0; i < m->n; i++)
		if (sum[i] > 0)
			keep_best(m, b, (uint32_t)i, sum[i]);
	free(sum);
}

/* Without an encoder: words in common, and nothing that speaks against it. */
static double by_words_alone(const double f[F_COUNT])
{
	const double both = f[F_SAID_NEW] + f[F_SAID_OLD];

	if (f[F_NUMBER] > 0.2 || f[F_DAY] > 0 || f[F_NEGATION] > 0 || f[F_ASPECT_OTHER] > 0 || f[F_PUT_FOR] > 0.3 || f[F_OPPOSITE] > 0)
		return 0;
	return both > 0 ? 2 * f[F_SAID_NEW] * f[F_SAID_OLD] / both : 0;
}

static void compare(const struct memory *m, const struct memory_text *q, uint64_t said, uint32_t at, struct memory_near *out)
{
	const struct remembered *r = &m->r[at];
	struct memory_text t, answer;

	memory_text_init(&t, m->en, r->question, strlen(r->question), &m->lexicon);
	memory_text_init(&answer, m->en, r->answer, strlen(r->answer), &m->lexicon);
	memory_features(q, &t, &answer, out->feature);
	memory_text_free(&answer);
	out->at = at;
	out->id = r->id;
	out->same = r->said == said && t.view.words.n > 0;
	if (m->en) {
		out->rank = memory_rank(&memory_fit, out->feature, out->same);
		out->score = memory_score(&memory_fit, out->feature, out->same);
	} else {
		out->rank = out->score = out->same ? 1 : by_words_alone(out->feature);
	}
	memory_text_free(&t);
}

/* Best first; the latest teaching wins a tie. */
static int by_rank(const void *a, const void *b)
{
	const struct memory_near *x = a, *y = b;

	if (x->rank > y->rank || x->rank < y->rank)
		return x->rank > y->rank ? -1 : 1;
	return x->id > y->id ? -1 : x->id < y->id;
}

static size_t nearest(const struct memory *m, const char *clean, size_t len, struct memory_near *out)
{
	struct best vectors = { .n = 0 }, words = { .n = 0 };
	struct memory_text q;
	uint64_t said;
	size_t n = 0;

	memory_text_init(&q, m->en, clean, len, &m->lexicon);
	said = hash_words(&q.view.words);
	if (m->en && q.view.words.n > 0)
		near_by_vector(m, q.view.vector, &vectors);
	near_by_words(m, &q, &words);
	for (size_t i = 0; i < words.n; i++)
		compare(m, &q, said, words.at[i], &out[n++]);
	for (size_t i = 0; i < vectors.n; i++) {
		bool known = false;

		for (size_t k = 0; k < words.n; k++)
			known = known || words.at[k] == vectors.at[i];
		if (!known)
			compare(m, &q, said, vectors.at[i], &out[n++]);
	}
	memory_text_free(&q);
	qsort(out, n, sizeof(*out), by_rank);
	return n;
}

size_t memory_nearest(const struct memory *m, const char *question, size_t len, struct memory_near *out, size_t cap)
{
	struct memory_near all[2 * CANDIDATES];
	struct redact_map *map = redact_map_new(m->company);
	struct str clean = STR_INIT;
	size_t n;

	redact_text(map, question, len, &clean);
	n = nearest(m, clean.s, clean.len, all);
	n = n < cap ? n : cap;
	memcpy(out, all, n * sizeof(*out));
	str_free(&clean);
	redact_map_free(map);
	return n;
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
	struct memory_near near[2 * CANDIDATES];
	struct redact_map *map = redact_map_new(m->company);
	struct str clean = STR_INIT;
	bool found = false;

	*hit = (struct memory_hit){ .answer = STR_INIT };
	redact_text(map, question, len, &clean);
	if (nearest(m, clean.s, clean.len, near) > 0 && near[0].score >= memory_bar(m) &&
	    fill(map, m->r[near[0].at].answer, &hit->answer)) {
		hit->example = near[0].id;
		hit->conversation = m->r[near[0].at].conversation;
		hit->score = near[0].score;
		found = true;
	} else {
		str_free(&hit->answer);
	}
	str_free(&clean);
	redact_map_free(map);
	return found;
}

char *memory_source(const struct memory_hit *hit, struct store *s)
{
	struct store_conversation c;
	struct str source = STR_INIT;

	str_addf(&source, "example %lld", (long long)hit->example);
	if (s && hit->conversation > 0 && store_conversation_get(s, hit->conversation, &c, NULL) == 0) {
		if (*c.case_id)
			str_addf(&source, ", case %s", c.case_id);
		store_conversation_free(&c);
	}
	return str_detach(&source);
}
