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
#include "memory_pair.h"
#include "paths.h"
#include "redact.h"

enum { BUCKETS = 1 << 16, DIM = ENCODER_DIM, CANDIDATES = 14 };

_Static_assert(F_COUNT <= sizeof(((struct memory_near *)0)->feature) / sizeof(double), "room for all features");

/* Without an encoder only words can be compared. */
static const double words_bar = 0.8;

struct remembered {
	char *question, *answer;
	int64_t id, conversation;
	uint64_t said;                /* hash of its words in their order */
};

struct posting {
	uint32_t *v;
	size_t n, cap;
	bool name;                    /* in one of them the word is a name */
};

struct memory {
	const struct encoder *en;
	struct encoder *own;          /* the one to free */
	char *company;
	struct remembered *r;
	int8_t *vector;               /* [n, DIM] */
	float *scale;                 /* [n] 1 / length of the bytes */
	bool *fresh;                  /* [n] made here, not read */
	size_t n, cap, made;
	size_t whole;                 /* the first so many have vectors */
	struct posting *index;        /* [BUCKETS] by hash of the stem */
	struct memory_lexicon lexicon;
};

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
	return posting_of(arg, stem)->name;
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
	free(m->fresh);
	free(m->company);
	encoder_free(m->own);
	free(m);
}

size_t memory_size(const struct memory *m)
{
	return m->n;
}

double memory_bar(const struct memory *m)
{
	return m->en ? MEMORY_BAR : words_bar;
}

/* ---- adding ---- */

static void post(struct memory *m, const char *stem, uint32_t at, bool name)
{
	struct posting *p = &m->index[hash_of(stem) % BUCKETS];

	p->name = p->name || name;
	if (p->n > 0 && p->v[p->n - 1] == at)
		return;
	if (p->n == p->cap) {
		p->cap = p->cap ? p->cap * 2 : 4;
		p->v = xreallocarray(p->v, p->cap, sizeof(*p->v));
	}
	p->v[p->n++] = at;
}

static void grow(struct memory *m)
{
	if (m->n < m->cap)
		return;
	m->cap = m->cap ? m->cap * 2 : 64;
	m->r = xreallocarray(m->r, m->cap, sizeof(*m->r));
	m->vector = xreallocarray(m->vector, m->cap, DIM);
	m->scale = xreallocarray(m->scale, m->cap, sizeof(*m->scale));
	m->fresh = xreallocarray(m->fresh, m->cap, sizeof(*m->fresh));
}

static void set_vector(struct memory *m, size_t at, const int8_t *vector)
{
	int32_t sum = 0;

	memcpy(m->vector + at * DIM, vector, DIM);
	for (size_t k = 0; k < DIM; k++)
		sum += vector[k] * vector[k];
	m->scale[at] = sum > 0 ? 1 / sqrtf((float)sum) : 0;
}

void memory_add(struct memory *m, int64_t id, int64_t conversation, const char *question, const char *answer, const int8_t *vector)
{
	struct encoder_words words;
	const size_t at = m->n;
	bool name[ENCODER_WORDS];

	grow(m);
	encoder_split(question, strlen(question), &words);
	memory_names(&words, question, name);
	m->r[at] = (struct remembered){ xstrdup(question), xstrdup(answer), id, conversation, hash_words(&words) };
	for (size_t i = 0; i < words.n; i++) {
		char *w = words.v[i].text;

		if (!words.v[i].number)
			memory_stem(w);
		if (!memory_empty_word(w))
			post(m, w, (uint32_t)at, name[i]);
	}
	m->fresh[at] = m->en && !vector;
	m->scale[at] = 0;
	if (vector)
		set_vector(m, at, vector);
	else
		memset(m->vector + at * DIM, 0, DIM);
	m->n++;
}

size_t memory_compute(struct memory *m)
{
	for (; m->whole < m->n; m->whole++) {
		const char *question = m->r[m->whole].question;
		float v[DIM];
		int8_t bytes[DIM];

		if (!m->fresh[m->whole])
			continue;
		encoder_vector(m->en, question, strlen(question), v);
		encoder_bytes(v, bytes);
		set_vector(m, m->whole, bytes);
		m->made++;
	}
	return m->made;
}

/* ---- from the store ---- */

struct vectors {
	int64_t *id;
	int8_t *data;
	size_t n, cap;
};

static bool add_vector(int64_t example, const void *data, size_t bytes, void *arg)
{
	struct vectors *v = arg;

	if (bytes != DIM)             /* not one of ours: computed again */
		return true;
	if (v->n == v->cap) {
		v->cap = v->cap ? v->cap * 2 : 256;
		v->id = xreallocarray(v->id, v->cap, sizeof(*v->id));
		v->data = xreallocarray(v->data, v->cap, DIM);
	}
	v->id[v->n] = example;
	memcpy(v->data + v->n * DIM, data, DIM);
	v->n++;
	return true;
}

/* Ids ascend. */
static const int8_t *vector_of(const struct vectors *v, int64_t id)
{
	size_t lo = 0, hi = v->n;

	while (lo < hi) {
		const size_t mid = (lo + hi) / 2;

		if (v->id[mid] < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < v->n && v->id[lo] == id ? v->data + lo * DIM : NULL;
}

struct loading {
	struct memory *m;
	struct vectors vectors;
};

static bool add_example(const struct store_example *x, void *arg)
{
	struct loading *l = arg;

	if (strcmp(x->state, "approved") == 0 || (strcmp(x->state, "proposed") == 0 && strcmp(x->origin, "corrected") == 0))
		memory_add(l->m, x->id, x->conversation, x->question, x->answer, l->m->en ? vector_of(&l->vectors, x->id) : NULL);
	return true;
}

int memory_load(struct memory **out, struct store *s, const char *company, const char *encoder, struct err *e)
{
	struct loading l = { .m = memory_new(NULL, company) };
	char *path = encoder ? xstrdup(encoder) : NULL;
	int rc = 0;

	*out = NULL;
	if ((path || paths_shipped("encoder.safetensors", &path, NULL) == 0) && encoder_open(&l.m->own, path, NULL) == 0)
		l.m->en = l.m->own;
	free(path);
	if (l.m->en)
		rc = store_vectors(s, encoder_version(l.m->en), add_vector, &l.vectors, e);
	if (rc == 0)
		rc = store_examples(s, NULL, add_example, &l, e);
	free(l.vectors.id);
	free(l.vectors.data);
	if (rc < 0) {
		memory_free(l.m);
		return rc;
	}
	*out = l.m;
	return 0;
}

int memory_keep(struct memory *m, struct store *s, struct err *e)
{
	int rc;

	if (m->made == 0)
		return 0;
	rc = store_begin(s, e);
	for (size_t i = 0; rc == 0 && i < m->whole; i++)
		if (m->fresh[i])
			rc = store_vector_set(s, m->r[i].id, encoder_version(m->en), m->vector + i * DIM, DIM, e);
	if (rc < 0) {
		store_abandon(s);
		return rc;
	}
	rc = store_commit(s, e);
	if (rc == 0) {
		memset(m->fresh, 0, m->whole * sizeof(*m->fresh));
		m->made = 0;
	}
	return rc;
}

/* ---- finding ---- */

struct best {
	uint32_t at[CANDIDATES];
	float score[CANDIDATES];
	size_t n;
};

static void keep_best(struct best *b, uint32_t at, float score)
{
	size_t i;

	if (b->n == CANDIDATES && score <= b->score[CANDIDATES - 1])
		return;
	if (b->n < CANDIDATES)
		b->n++;
	for (i = b->n - 1; i > 0 && b->score[i - 1] < score; i--) {
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
		keep_best(b, (uint32_t)i, (float)sum * m->scale[i]);
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
			keep_best(b, (uint32_t)i, sum[i]);
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
	return x->at > y->at ? -1 : x->at < y->at;
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
