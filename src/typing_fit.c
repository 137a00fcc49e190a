/* SPDX-License-Identifier: GPL-3.0-or-later */
/* typing: fitting. First how much the n-grams weigh, by the likelihood of what was written; then, with
 * those weights, the chance that a proposed word is right, from all places of the simulated typist; then
 * which chance which share of word ends exceeds. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../model/pool.h"
#include "base/mem.h"
#include "encode.h"
#include "redact.h"
#include "typing_private.h"

/* ---- the mixture ---- */

struct sample {
	float model, ngram;           /* p of what was written */
	uint8_t trust;
};

struct likelihoods {
	struct model *m;
	const struct corpus *c;
	const struct typing_opts *o;
	struct sample **v;            /* [conversations] */
	size_t *n;
};

static void read_conversation(size_t d, void *arg)
{
	struct likelihoods *l = arg;
	const struct chat *c = &l->c->chat[d];
	struct talk *t = talk_new(l->m, typing_company(l->o, c));
	struct tokens ids = { 0 };
	size_t cap = 0;

	for (size_t i = 0; i < c->n; i++) {
		const struct chat_message *m = &c->messages[i];
		const int32_t tag = tokenizer_tag(l->m->tok, m->role);

		if (strcmp(m->role, l->o->as) == 0) {
			struct redact_map *map = redact_map_clone(talk_map(t));
			float *lp;
			const size_t first = l->n[d];

			ids.n = 0;
			tokens_add(&ids, tag);
			encode_text(l->m->tok, NULL, map, m->content, m->len, &ids);
			lp = xcalloc(ids.n + 1, sizeof(*lp));
			decode_score(talk_session(t), tag, ids.ids + 1, ids.n - 1, lp);
			tokens_add(&ids, TOKEN_EOT);
			if (first + ids.n > cap) {
				cap = 2 * (first + ids.n);
				l->v[d] = xreallocarray(l->v[d], cap, sizeof(**l->v));
			}
			for (size_t k = 1; k < ids.n; k++)
				l->v[d][l->n[d]++] = (struct sample){
					.model = expf(lp[k - 1]),
					.ngram = (float)ngram_prob(l->o->mixed, ids.ids, k, ids.ids[k]),
					.trust = (uint8_t)ngram_trust(l->o->mixed, ids.ids, k),
				};
			free(lp);
			redact_map_free(map);
		}
		talk_add(t, m->role, m->content, m->len, NULL);
	}
	tokens_free(&ids);
	talk_free(t);
}

/* The weights of likeliest mixtures, by expectation and maximisation. */
static void fit_mix(struct model *m, const struct corpus *c, const struct typing_opts *o, struct ahead_mix *mix)
{
	struct likelihoods l = { m, c, o, xcalloc(c->n + 1, sizeof(*l.v)), xcalloc(c->n + 1, sizeof(*l.n)) };
	struct pool *pool = pool_new(o->threads);
	double alone = 0, mixed = 0;
	size_t all = 0;

	pool_run(pool, c->n, read_conversation, &l);
	pool_free(pool);
	for (size_t k = 0; k < NGRAM_TRUST; k++) {
		double w = 0.7;
		size_t n = 0;

		for (int round = 0; round < 60; round++) {
			double sum = 0;

			n = 0;
			for (size_t d = 0; d < c->n; d++) {
				for (size_t i = 0; i < l.n[d]; i++) {
					const struct sample *s = &l.v[d][i];

					if (s->trust != k)
						continue;
					sum += w * (double)s->model / (w * (double)s->model + (1 - w) * (double)s->ngram + 1e-30);
					n++;
				}
			}
			/* a few cases show little: pulled to an even weight */
			w = (sum + 5) / ((double)n + 10);
		}
		mix->model_weight[k] = w;
		fprintf(stderr, "answerback: contexts of %zu, quarter %zu: %zu pieces, the model weighs %.3f\n",
		        k / NGRAM_QUARTERS, k % NGRAM_QUARTERS + 1, n, w);
	}
	for (size_t d = 0; d < c->n; d++) {
		for (size_t i = 0; i < l.n[d]; i++, all++) {
			const struct sample *s = &l.v[d][i];
			const double w = mix->model_weight[s->trust];

			alone -= log((double)s->model + 1e-30);
			mixed -= log(w * (double)s->model + (1 - w) * (double)s->ngram + 1e-30);
		}
		free(l.v[d]);
	}
	fprintf(stderr, "answerback: nats a piece: model %.4f, with n-grams %.4f\n", alone / (double)all, mixed / (double)all);
	free(l.v);
	free(l.n);
}

/* ---- the chance ---- */

/* Solve A x = b of n equations, A symmetric and positive, in place. */
static void solve(double a[GHOST_FEATURES][GHOST_FEATURES], double *b)
{
	const size_t n = GHOST_FEATURES;

	for (size_t i = 0; i < n; i++) {
		for (size_t r = i + 1; r < n; r++) {
			const double f = a[r][i] / a[i][i];

			for (size_t k = i; k < n; k++)
				a[r][k] -= f * a[i][k];
			b[r] -= f * b[i];
		}
	}
	for (size_t i = n; i-- > 0;) {
		for (size_t k = i + 1; k < n; k++)
			b[i] -= a[i][k] * b[k];
		b[i] /= a[i][i];
	}
}

/* Logistic regression by Newton's method, a little pulled towards zero. */
static double fit_chance(const struct typing_tally *t, size_t n, struct ghost_weights *w)
{
	double loss = 0;
	size_t all = 0;

	memset(w->weight, 0, sizeof(w->weight));
	for (int round = 0; round < 12; round++) {
		double hess[GHOST_FEATURES][GHOST_FEATURES] = { { 0 } }, grad[GHOST_FEATURES] = { 0 };

		loss = 0;
		all = 0;
		for (size_t d = 0; d < n; d++) {
			for (size_t i = 0; i < t[d].n; i++) {
				const struct typing_place *p = &t[d].place[i];
				const double q = ghost_chance(w, p->feature), g = p->right - q, h = q * (1 - q) + 1e-6;

				loss -= log((p->right ? q : 1 - q) + 1e-12);
				all++;
				for (size_t x = 0; x < GHOST_FEATURES; x++) {
					grad[x] += g * p->feature[x];
					for (size_t y = 0; y < GHOST_FEATURES; y++)
						hess[x][y] += h * p->feature[x] * p->feature[y];
				}
			}
		}
		for (size_t x = 0; x < GHOST_FEATURES; x++) {
			grad[x] -= 1e-2 * w->weight[x];
			hess[x][x] += 1e-2 + 1e-6;
		}
		solve(hess, grad);
		for (size_t x = 0; x < GHOST_FEATURES; x++)
			w->weight[x] += grad[x];
	}
	return all ? loss / (double)all : 0;
}

static int descending(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x < y) - (x > y);
}

static void fit_quantiles(const struct typing_tally *t, size_t n, struct ghost_weights *w)
{
	size_t cap = 1, all = 0;
	double *chance;

	for (size_t d = 0; d < n; d++)
		cap += t[d].n;
	chance = xcalloc(cap, sizeof(*chance));
	for (size_t d = 0; d < n; d++)
		for (size_t i = 0; i < t[d].n; i++)
			if (!t[d].place[i].midword)
				chance[all++] = ghost_chance(w, t[d].place[i].feature);
	qsort(chance, all, sizeof(*chance), descending);
	for (size_t i = 0; i < GHOST_QUANTILES; i++)
		w->quantile[i] = all ? chance[i * (all - 1) / (GHOST_QUANTILES - 1)] : 0;
	free(chance);
}

static void fit_one(struct model *m, const struct corpus *c, const struct typing_opts *o,
                    const struct ghost_lab *lab, const char *name, struct ghost_weights *w)
{
	struct typing_tally *t = typing_run(m, c, o, lab, NULL, false);

	fprintf(stderr, "answerback: %s: %.4f nats a place\n", name, fit_chance(t, c->n, w));
	fit_quantiles(t, c->n, w);
	for (size_t d = 0; d < c->n; d++)
		typing_tally_free(&t[d]);
	free(t);
}

/* ---- the file ---- */

static void write_numbers(FILE *f, const double *v, size_t n)
{
	fputs("\t{ ", f);
	for (size_t i = 0; i < n; i++)
		fprintf(f, "%s%.5g%s", i > 0 && i % 11 == 0 ? "\t  " : "", v[i], i + 1 == n ? " },\n" : i % 11 == 10 ? ",\n" : ", ");
}

static void write_weights(FILE *f, const char *name, const struct ghost_weights *w)
{
	fprintf(f, "const struct ghost_weights %s = {\n", name);
	write_numbers(f, w->weight, GHOST_FEATURES);
	write_numbers(f, w->quantile, GHOST_QUANTILES);
	fputs("};\n\n", f);
}

int typing_fit(struct model *m, const struct corpus *c, const struct typing_opts *o, const char *path,
               struct err *e)
{
	struct ahead_mix mix = ghost_mix;
	struct ghost_weights model, ngram = ghost_weights_ngram;
	struct ghost_lab lab = { .ngram = o->mixed, .no_ngram = !o->mixed, .mix = &mix };
	FILE *f;

	if (o->mixed)
		fit_mix(m, c, o, &mix);
	fit_one(m, c, o, &lab, "model", &model);
	if (o->ngram) {
		lab = (struct ghost_lab){ .ngram = o->ngram, .ngram_only = true };
		fit_one(m, c, o, &lab, "n-grams alone", &ngram);
	}
	f = fopen(path, "w");
	if (!f)
		return err_set(e, ERR_IO, "%s cannot be written: %s", path, strerror(errno));
	fputs("/* SPDX-License-Identifier: GPL-3.0-or-later */\n"
	      "/* ghost_fit: constants fitted on held-out conversations; written by\n"
	      " *     answerback eval --completion --fit src/ghost_fit.h FILE.jsonl\n"
	      " * and not by hand. */\n"
	      "#ifndef ANSWERBACK_GHOST_FIT_H\n#define ANSWERBACK_GHOST_FIT_H\n\n", f);
	write_weights(f, "ghost_weights_model", &model);
	write_weights(f, "ghost_weights_ngram", &ngram);
	fputs("const struct ahead_mix ghost_mix = {\n\t.model_weight =\n", f);
	write_numbers(f, mix.model_weight, NGRAM_TRUST);
	fputs("};\n\n#endif\n", f);
	if (ferror(f) | fclose(f))
		return err_set(e, ERR_IO, "%s could not be written to its end", path);
	return 0;
}
