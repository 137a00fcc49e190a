/* SPDX-License-Identifier: GPL-3.0-or-later */
/* writers: one writer after the other, with and without learning. */
#include "writers.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../model/metrics.h"
#include "../model/pool.h"
#include "base/mem.h"
#include "encode.h"
#include "ghost_private.h"
#include "redact.h"

void writers_opts_default(struct writers_opts *o)
{
	*o = (struct writers_opts){ .as = "assistant", .threads = 1, .learn = 500, .measure = 500 };
}

void writers_result_free(struct writers_result *r)
{
	for (size_t i = 0; i < r->n; i++)
		free(r->writer[i].name);
	free(r->writer);
	*r = (struct writers_result){ 0 };
}

/* A turn of a writer: its sequence, and what the engine that learns nothing gave to each piece. */
struct sent {
	struct tokens ids;
	double *base;             /* [ids.n] p of ids[i]; [0] unused */
	size_t words;
};

struct author {
	char *name;
	uint32_t *chat;           /* their conversations */
	size_t chats, cap;
	size_t words;
	struct sent *sent;
	size_t n_sent, cap_sent;
	struct writer out;
};

struct job {
	struct model *m;
	const struct corpus *c;
	const struct writers_opts *o;
	struct author *a;
	size_t n;
	bool em;                  /* next words, too */
};

static void gather(struct job *j)
{
	struct author *all = NULL;
	size_t n = 0;

	for (size_t d = 0; d < j->c->n; d++) {
		const struct chat *c = &j->c->chat[d];
		struct str name = STR_INIT;
		struct author *a;
		size_t i;

		str_addf(&name, "%s/%s", c->source ? c->source : "", c->domain ? c->domain : "");
		for (i = 0; i < n && strcmp(all[i].name, name.s) != 0; i++)
			;
		if (i == n) {
			all = xreallocarray(all, ++n, sizeof(*all));
			all[i] = (struct author){ .name = xstrdup(name.s) };
		}
		a = &all[i];
		if (a->chats == a->cap) {
			a->cap = a->cap ? 2 * a->cap : 8;
			a->chat = xreallocarray(a->chat, a->cap, sizeof(*a->chat));
		}
		a->chat[a->chats++] = (uint32_t)d;
		for (size_t k = 0; k < c->n; k++)
			if (strcmp(c->messages[k].role, j->o->as) == 0)
				a->words += metrics_count_words(c->messages[k].content);
		str_free(&name);
	}
	for (size_t i = 0; i < n; i++) {
		if (all[i].words >= j->o->learn + j->o->measure / 2) {
			all[j->n++] = all[i];
		} else {
			free(all[i].name);
			free(all[i].chat);
		}
	}
	j->a = all;
}

static void forget(struct job *j)
{
	for (size_t i = 0; i < j->n; i++) {
		struct author *a = &j->a[i];

		for (size_t k = 0; k < a->n_sent; k++) {
			tokens_free(&a->sent[k].ids);
			free(a->sent[k].base);
		}
		free(a->sent);
		free(a->chat);
		free(a->name);
	}
	free(j->a);
}

static bool right_word(struct ghost *g, const char *role, const char *text, size_t at)
{
	struct ghost_text t;
	bool right = false;
	size_t end;

	if (ghost_request(g, role, text, at, &t, 1, NULL) != 1)
		return false;
	end = at + t.first;
	right = strncmp(text + at, t.text.s, t.first) == 0 &&
		(text[end] == '\0' || text[end] == ' ' || (text[end] >= '\t' && text[end] <= '\r'));
	ghost_text_free(&t);
	return right;
}

/* Ids of a turn as the conversation numbers its codes. */
static void encode(const struct job *j, struct talk *t, const struct chat_message *m, struct tokens *ids)
{
	struct redact_map *map = redact_map_clone(talk_map(t));

	ids->n = 0;
	tokens_add(ids, tokenizer_tag(j->m->tok, m->role));
	encode_text(j->m->tok, NULL, map, m->content, m->len, ids);
	tokens_add(ids, TOKEN_EOT);
	redact_map_free(map);
}

static double probability(struct ghost *g, const struct tokens *ids, size_t i)
{
	struct ahead *a = ghost_ahead(g);
	const int node = ahead_reach(a, ids->ids[0], ids->ids + 1, i - 1);

	return ahead_prob(a, node, ids->ids[i]);
}

struct sums {
	double nats, nats_learned;
	size_t right, right_learned, boundaries, words;
};

static void measure(const struct job *j, struct author *a, struct talk *t, struct ghost *plain, struct ghost *learned,
                    const struct chat_message *m, bool counts, struct sums *s)
{
	const size_t words = metrics_count_words(m->content);
	const char *p = m->content, *word;
	struct sent *sent;
	size_t len;

	if (a->n_sent == a->cap_sent) {
		a->cap_sent = a->cap_sent ? 2 * a->cap_sent : 32;
		a->sent = xreallocarray(a->sent, a->cap_sent, sizeof(*a->sent));
	}
	sent = &a->sent[a->n_sent++];
	*sent = (struct sent){ .words = words };
	encode(j, t, m, &sent->ids);
	if (!counts && j->em)
		return;
	sent->base = xcalloc(sent->ids.n, sizeof(*sent->base));
	for (size_t i = 1; i < sent->ids.n; i++) {
		sent->base[i] = probability(plain, &sent->ids, i);
		s->nats -= log(sent->base[i] + 1e-30);
		if (j->em)
			s->nats_learned -= log(probability(learned, &sent->ids, i) + 1e-30);
	}
	s->words += words;
	if (!j->em)
		return;
	while ((word = metrics_word(&p, &len))) {
		s->boundaries++;
		s->right += right_word(plain, m->role, m->content, (size_t)(word - m->content));
		s->right_learned += right_word(learned, m->role, m->content, (size_t)(word - m->content));
	}
}

static void write_all(size_t i, void *arg)
{
	struct job *j = arg;
	struct author *a = &j->a[i];
	struct ghost_lab lab = { .ngram = j->o->mixed, .no_ngram = !j->o->mixed };
	struct ghost_opts o;
	struct sums s = { 0 };
	size_t words = 0;
	struct ghost_person *p = ghost_person_bare(j->m, j->o->company);

	ghost_opts_default(&o);
	o.max_words = 1;
	for (size_t d = 0; d < a->chats && words < j->o->learn + j->o->measure; d++) {
		const struct chat *c = &j->c->chat[a->chat[d]];
		struct talk *t = talk_new(j->m, c->company ? c->company : j->o->company);
		struct ghost *plain = ghost_new(t, NULL, &o), *learned = ghost_new(t, p, &o);

		ghost_set_lab(plain, &lab);
		ghost_set_lab(learned, &lab);
		for (size_t k = 0; k < c->n; k++) {
			const struct chat_message *m = &c->messages[k];
			const bool own = strcmp(m->role, j->o->as) == 0;

			if (own && words < j->o->learn + j->o->measure) {
				measure(j, a, t, plain, learned, m, words >= j->o->learn, &s);
				words += metrics_count_words(m->content);
			}
			talk_add(t, m->role, m->content, m->len, NULL);
			if (own)
				ghost_learn(learned, m->role, m->content, m->len);
		}
		ghost_free(plain);
		ghost_free(learned);
		talk_free(t);
	}
	ghost_person_free(p);
	a->out = (struct writer){ .name = a->name, .words = s.words, .boundaries = s.boundaries };
	if (s.words > 0) {
		a->out.perplexity = exp(s.nats / (double)s.words);
		a->out.perplexity_learned = exp(s.nats_learned / (double)s.words);
	}
	if (s.boundaries > 0) {
		a->out.em1 = (double)s.right / (double)s.boundaries;
		a->out.em1_learned = (double)s.right_learned / (double)s.boundaries;
	}
}

static int ascending(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *v, size_t n)
{
	qsort(v, n, sizeof(*v), ascending);
	return n == 0 ? 0 : n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

static int run(struct job *j, struct err *e)
{
	struct pool *pool;

	gather(j);
	if (j->n == 0)
		return err_set(e, ERR_FORMAT, "no source and domain has %zu words of role '%s'",
		               j->o->learn + j->o->measure / 2, j->o->as);
	pool = pool_new(j->o->threads);
	pool_run(pool, j->n, write_all, j);
	pool_free(pool);
	return 0;
}

int writers_measure(struct model *m, const struct corpus *c, const struct writers_opts *o,
                    struct writers_result *r, struct err *e)
{
	struct job j = { .m = m, .c = c, .o = o, .em = true };
	double *fall, *rise;
	int rc = run(&j, e);

	memset(r, 0, sizeof(*r));
	if (rc < 0) {
		forget(&j);
		return rc;
	}
	fall = xcalloc(j.n, sizeof(*fall));
	rise = xcalloc(j.n, sizeof(*rise));
	r->writer = xcalloc(j.n, sizeof(*r->writer));
	r->n = j.n;
	for (size_t i = 0; i < j.n; i++) {
		r->writer[i] = j.a[i].out;
		r->writer[i].name = xstrdup(j.a[i].name);
		fall[i] = r->writer[i].perplexity > 0 ? 1 - r->writer[i].perplexity_learned / r->writer[i].perplexity : 0;
		rise[i] = r->writer[i].em1 > 0 ? r->writer[i].em1_learned / r->writer[i].em1 - 1 : 0;
	}
	r->perplexity_fall = median(fall, r->n);
	r->em1_rise = median(rise, r->n);
	free(fall);
	free(rise);
	forget(&j);
	return 0;
}

/* ---- fitting ---- */

/* Mean nats a piece over writers, each counting alike; the model's own part is known, so that a trial
 * costs only look-ups. */
static double replay(const struct job *j, const struct personal_opts *own, const struct personal_opts *recent)
{
	double all = 0;

	for (size_t i = 0; i < j->n; i++) {
		const struct author *a = &j->a[i];
		struct personal *p = personal_new(j->m->w->cfg.vocab, own), *r = personal_new(j->m->w->cfg.vocab, recent);
		size_t words = 0, n = 0, oldest = 0;
		double nats = 0;

		for (size_t k = 0; k < a->n_sent; k++) {
			const struct tokens *t = &a->sent[k].ids;

			for (size_t x = 1; x < t->n && words >= j->o->learn; x++, n++) {
				double q = personal_prob(p, t->ids, x, t->ids[x], a->sent[k].base[x]);

				nats -= log(personal_prob(r, t->ids, x, t->ids[x], q) + 1e-30);
			}
			words += a->sent[k].words;
			personal_add(p, t->ids, t->n);
			personal_add(r, t->ids, t->n);
			while (personal_size(r) > GHOST_RECENT && oldest < k) {
				personal_remove(r, a->sent[oldest].ids.ids, a->sent[oldest].ids.n);
				oldest++;
			}
		}
		all += n ? nats / (double)n : 0;
		personal_free(p);
		personal_free(r);
	}
	return all / (double)j->n;
}

static void report(const char *name, const struct personal_opts *o)
{
	fprintf(stderr, "%s discount", name);
	for (size_t k = 0; k < PERSONAL_ORDER; k++)
		fprintf(stderr, " %.3g", o->discount[k]);
	fprintf(stderr, " strength");
	for (size_t k = 0; k < PERSONAL_ORDER; k++)
		fprintf(stderr, " %.4g", o->strength[k]);
	fputc('\n', stderr);
}

int writers_fit(struct model *m, const struct corpus *c, const struct writers_opts *o, struct err *e)
{
	struct job j = { .m = m, .c = c, .o = o };
	struct personal_opts opts[2];
	double best;
	int rc;

	if ((rc = run(&j, e)) < 0) {
		forget(&j);
		return rc;
	}
	personal_opts_default(&opts[0]);
	ghost_recent_opts(&opts[1]);
	best = replay(&j, &opts[0], &opts[1]);
	fprintf(stderr, "answerback: %zu writers, %.4f nats a piece as it is\n", j.n, best);
	for (int round = 0; round < 4; round++) {
		for (size_t x = 0; x < 4 * PERSONAL_ORDER; x++) {
			struct personal_opts *p = &opts[x % 2];
			const size_t k = x / 4;
			double *v = x % 4 < 2 ? &p->strength[k] : &p->discount[k];

			for (int way = 0; way < 2; way++) {
				for (;;) {
					const double was = *v;
					double now;

					if (x % 4 < 2)
						*v = way ? was * 1.5 : was / 1.5;
					else
						*v = way ? was + 0.1 : was - 0.1;
					now = *v < 0 || (x % 4 >= 2 && *v > 0.95) || *v > 1e6 || (x % 4 < 2 && *v < 0.05) ? INFINITY :
						replay(&j, &opts[0], &opts[1]);
					if (now > best - 1e-5) {
						*v = was;
						break;
					}
					best = now;
				}
			}
		}
		fprintf(stderr, "answerback: %.4f\n", best);
		report("own", &opts[0]);
		report("recent", &opts[1]);
	}
	forget(&j);
	return 0;
}
