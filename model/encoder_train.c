/* SPDX-License-Identifier: GPL-3.0-or-later */
/* encoder_train: batches of pairs, the vocabulary, and an Adam that touches only the rows that a batch used. */
#include "encoder_train.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../src/base/mem.h"
#include "encoder_file.h"
#include "kernels.h"
#include "optim.h"

enum { D = ENCODER_DIM, GRAMS = ENCODER_GRAMS_MAX };

/* Moments of a table and which of its rows this step has used. */
struct table {
	real *w, *m, *v, *g;
	size_t width;
	uint32_t *used;
	size_t n_used, cap;
	uint64_t *stamp;              /* [rows] last step that used it */
};

/* Groups by source and by near key, as lists into `order`. */
struct list {
	uint32_t *v;
	size_t n, cap;
};

struct trainer {
	const struct encoder_group *g;
	size_t n;
	const struct encoder_train_opts *o;
	struct encoder_weights w;
	struct encoder_work work;
	struct encoder_loss loss;
	struct table word, gram, bias;
	real *dense_m, *dense_v, *dense_g;
	struct list *by_source, *by_near;
	size_t nears;
	uint32_t *row, *grams;        /* [rows], [rows * GRAMS] of the batch */
	uint8_t *n_grams;
	bool *dropped;
	size_t row_cap;
	uint32_t *group;              /* [pairs] */
	uint64_t step;
	struct rng rng;
};

void encoder_train_opts_default(struct encoder_train_opts *o)
{
	*o = (struct encoder_train_opts){ .words = 12000, .grams = 14000, .pairs = 128, .cluster = 8, .block = 32, .minutes = 20, .rate = 0.003,
		.temperature = 0.06, .words_temperature = 0.05, .drop_words = 0.1, .seed = 1, .report_every = 200 };
	for (size_t i = 0; i < ENCODER_SOURCES; i++)
		o->share[i] = 1;
}

static void list_add(struct list *l, uint32_t x)
{
	if (l->n == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 4;
		l->v = xreallocarray(l->v, l->cap, sizeof(*l->v));
	}
	l->v[l->n++] = x;
}

/* ---- the vocabulary: the words seen most ---- */

struct count {
	uint64_t hash;
	uint32_t n;
	bool foreign;
};

static int by_hash(const void *a, const void *b)
{
	const struct count *x = a, *y = b;

	return x->hash < y->hash ? -1 : x->hash > y->hash;
}

static int by_count(const void *a, const void *b)
{
	const struct count *x = a, *y = b;

	return x->n != y->n ? (x->n > y->n ? -1 : 1) : by_hash(a, b);
}

/* How rare each word is, in all texts but those made out of templates: 1 for one that is not there, 0 for one in
 * every text. */
static void rarity(struct trainer *t)
{
	const double once = 1 / log(2e5);     /* one in 200,000 is as rare as it gets */
	uint32_t *seen = xcalloc(t->w.words + 1, sizeof(*seen));
	size_t texts = 0;

	for (size_t i = 0; i < t->n; i++)
		for (size_t k = 0; k < t->g[i].n && !t->g[i].made; k++) {
			struct encoder_words w;

			encoder_split(t->g[i].text[k], strlen(t->g[i].text[k]), &w);
			texts++;
			for (size_t j = 0; j < w.n; j++)
				seen[encoder_row(t->w.hashes, t->w.words, w.v[j].text)]++;
		}
	t->w.rarity[ENCODER_UNKNOWN] = 1;
	for (size_t i = 1; i <= t->w.words; i++) {
		const double x = once * log((double)texts / (seen[i] + 0.5));

		t->w.rarity[i] = (float)(x < 0 ? 0 : x > 1 ? 1 : x);
	}
	free(seen);
}

/* Each hash once, with the sum of its counts, or with 1. Returns how many. */
static size_t unique(struct count *c, size_t n, bool once)
{
	size_t kept = 0;

	if (n > 0)
		qsort(c, n, sizeof(*c), by_hash);
	for (size_t i = 0; i < n; i++) {
		if (kept > 0 && c[kept - 1].hash == c[i].hash)
			c[kept - 1].n += once ? 0 : c[i].n;
		else
			c[kept++] = c[i];
	}
	return kept;
}

/* At most `most` words of each kind. Both arrays are the caller's to free. */
static size_t vocabulary(const struct trainer *t, size_t most, uint64_t **hashes, bool **foreign)
{
	struct count *all = NULL;
	size_t n = 0, cap = 0, kept = 0, kinds[2] = { 0, 0 };

	for (size_t i = 0; i < t->n; i++) {
		const size_t first = n;

		for (size_t k = 0; k < t->g[i].n; k++) {
			struct encoder_words w;

			encoder_split(t->g[i].text[k], strlen(t->g[i].text[k]), &w);
			if (n + w.n > cap) {
				cap = cap ? cap * 2 : 1 << 16;
				all = xreallocarray(all, cap, sizeof(*all));
			}
			for (size_t j = 0; j < w.n; j++)
				if (!w.v[j].number)           /* numbers are for the n-grams */
					all[n++] = (struct count){ encoder_hash(w.v[j].text), 1, encoder_foreign(w.v[j].text) };
		}
		/* out of templates: a word counts once a group, so that invented names take no rows */
		if (t->g[i].made)
			n = first + unique(all + first, n - first, true);
	}
	kept = unique(all, n, false);
	qsort(all, kept, sizeof(*all), by_count);
	n = 0;
	for (size_t i = 0; i < kept && all[i].n > 1; i++)
		if (kinds[all[i].foreign] < most) {
			kinds[all[i].foreign]++;
			all[n++] = all[i];
		}
	qsort(all, n, sizeof(*all), by_hash);
	*hashes = xcalloc(n + 1, sizeof(**hashes));
	*foreign = xcalloc(n + 1, sizeof(**foreign));
	for (size_t i = 0; i < n; i++) {
		(*hashes)[i] = all[i].hash;
		(*foreign)[i] = all[i].foreign;
	}
	free(all);
	return n;
}

/* ---- tables ---- */

static void table_init(struct table *t, real *w, size_t rows, size_t width)
{
	*t = (struct table){ .w = w, .width = width };
	t->m = mem_aligned(rows * width * sizeof(real));
	t->v = mem_aligned(rows * width * sizeof(real));
	t->g = mem_aligned(rows * width * sizeof(real));
	t->stamp = xcalloc(rows, sizeof(*t->stamp));
}

static void table_fini(struct table *t)
{
	mem_aligned_free(t->m);
	mem_aligned_free(t->v);
	mem_aligned_free(t->g);
	free(t->stamp);
	free(t->used);
}

/* The gradient's row, noted as used. step counts from 1. */
static real *table_row(struct table *t, uint32_t row, uint64_t step)
{
	if (t->stamp[row] != step) {
		t->stamp[row] = step;
		if (t->n_used == t->cap) {
			t->cap = t->cap ? t->cap * 2 : 1024;
			t->used = xreallocarray(t->used, t->cap, sizeof(*t->used));
		}
		t->used[t->n_used++] = row;
	}
	return t->g + (size_t)row * t->width;
}

static void table_update(struct table *t, real rate)
{
	for (size_t i = 0; i < t->n_used; i++) {
		const size_t at = (size_t)t->used[i] * t->width;

		kernels_adam(t->w + at, t->m + at, t->v + at, t->g + at, t->width, 1, rate, (real)0.9, (real)0.999, (real)1e-6, 0);
		memset(t->g + at, 0, t->width * sizeof(real));
	}
	t->n_used = 0;
}

/* ---- a batch ---- */

static void make_room(struct trainer *t, size_t rows)
{
	if (rows <= t->row_cap)
		return;
	t->row_cap = rows + rows / 2;
	t->row = xreallocarray(t->row, t->row_cap, sizeof(*t->row));
	t->grams = xreallocarray(t->grams, t->row_cap * GRAMS, sizeof(*t->grams));
	t->n_grams = xreallocarray(t->n_grams, t->row_cap, sizeof(*t->n_grams));
	t->dropped = xreallocarray(t->dropped, t->row_cap, sizeof(*t->dropped));
}

/* Two texts of a group; a lone one twice. */
static void draw_pair(struct trainer *t, uint32_t group, bool vary, struct str *a, struct str *b)
{
	const struct encoder_group *g = &t->g[group];
	const size_t i = rng_below(&t->rng, g->n);
	size_t j = g->n > 1 ? rng_below(&t->rng, g->n - 1) : i;

	j += g->n > 1 && j >= i;
	str_reset(a);
	str_reset(b);
	if (vary && t->o->vary) {
		t->o->vary(t->o->vary_arg, g->text[i], &t->rng, a);
		t->o->vary(t->o->vary_arg, g->text[j], &t->rng, b);
	} else {
		str_adds(a, g->text[i]);
		str_adds(b, g->text[j]);
	}
}

/* Groups of the batch: clusters around one near key of a source. */
static void draw_groups(struct trainer *t, const double *share, double all)
{
	size_t n = 0;

	while (n < t->o->pairs) {
		double u = rng_uniform(&t->rng) * all;
		const struct encoder_group *g;
		const struct list *from;
		uint32_t first, key;
		size_t s = 0;

		while (s + 1 < ENCODER_SOURCES && (u -= share[s]) >= 0)
			s++;
		if (t->by_source[s].n == 0)
			continue;
		first = t->by_source[s].v[rng_below(&t->rng, t->by_source[s].n)];
		g = &t->g[first];
		key = g->near[rng_below(&t->rng, ENCODER_NEAR)];
		t->group[n++] = first;
		from = key ? &t->by_near[key] : NULL;
		for (size_t k = 1; from && from->n > 1 && k < t->o->cluster && n < t->o->pairs; k++)
			t->group[n++] = from->v[rng_below(&t->rng, from->n)];
		/* lone groups come in handfuls too, or sources with keys would take more than their share */
		for (size_t k = 1; !from && k < t->o->cluster && n < t->o->pairs; k++)
			t->group[n++] = t->by_source[s].v[rng_below(&t->rng, t->by_source[s].n)];
	}
}

static void add_text(struct trainer *t, struct encoder_words *all, size_t i, const struct str *text)
{
	encoder_split(text->s, text->len, &all[i]);
	if (all[i].n == 0) {          /* every text has a word */
		memset(&all[i].v[0], 0, sizeof(all[i].v[0]));
		memcpy(all[i].v[0].text, "?", 2);
		all[i].n = 1;
	}
	for (size_t k = 0; k < all[i].n; k++)
		all[i].v[k].row = encoder_row(t->w.hashes, t->w.words, all[i].v[k].text);
}

/* Words into rows: E + mean of G; what backward needs to find them again. */
static void embed(struct trainer *t, const struct encoder_words *all, size_t texts, bool train)
{
	size_t rows = 0;

	for (size_t i = 0; i < texts; i++)
		rows += all[i].n;
	make_room(t, rows);
	encoder_work_room(&t->work, rows, texts, true);
	rows = 0;
	for (size_t i = 0; i < texts; i++) {
		t->work.span[i] = (struct encoder_span){ rows, all[i].n };
		for (size_t k = 0; k < all[i].n; k++, rows++) {
			uint32_t *gram = t->grams + rows * GRAMS;
			real *x = t->work.x + rows * D;
			const size_t n = encoder_grams(all[i].v[k].text, t->w.grams, gram);

			t->row[rows] = all[i].v[k].row;
			t->n_grams[rows] = (uint8_t)n;
			/* a dropped word is an unknown one */
			t->dropped[rows] = train && n > 0 && rng_uniform(&t->rng) < t->o->drop_words;
			if (t->dropped[rows])
				t->row[rows] = ENCODER_UNKNOWN;
			memcpy(x, t->w.word + (size_t)t->row[rows] * D, D * sizeof(real));
			for (size_t g = 0; g < n; g++)
				kernels_axpy(x, 1 / (real)n, t->w.gram + (size_t)gram[g] * D, D);
			t->work.bias[2 * rows] = t->w.bias[2 * t->row[rows]];
			t->work.bias[2 * rows + 1] = t->w.bias[2 * t->row[rows] + 1];
		}
	}
}

static void scatter(struct trainer *t)
{
	for (size_t i = 0; i < t->work.rows; i++) {
		const real *dx = t->work.dx + i * D;
		real *b = table_row(&t->bias, t->row[i], t->step);

		b[0] += t->work.dbias[2 * i];
		b[1] += t->work.dbias[2 * i + 1];
		kernels_axpy(table_row(&t->word, t->row[i], t->step), 1, dx, D);
		for (size_t g = 0; g < t->n_grams[i]; g++)
			kernels_axpy(table_row(&t->gram, t->grams[i * GRAMS + g], t->step), 1 / (real)t->n_grams[i], dx, D);
	}
}

static double batch(struct trainer *t, const double *share, double all, bool train)
{
	struct encoder_words *words = xcalloc(2 * t->o->pairs, sizeof(*words));
	struct str a = STR_INIT, b = STR_INIT;
	double loss;

	draw_groups(t, share, all);
	for (size_t i = 0; i < t->o->pairs; i++) {
		draw_pair(t, t->group[i], train, &a, &b);
		add_text(t, words, i, &a);
		add_text(t, words, t->o->pairs + i, &b);
	}
	embed(t, words, 2 * t->o->pairs, train);
	encoder_forward(&t->w.layout, t->w.dense, &t->work);
	t->loss.pairs = t->o->pairs;
	t->loss.group = t->group;
	loss = encoder_contrast(&t->loss, &t->work);
	free(words);
	str_free(&a);
	str_free(&b);
	return loss;
}

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + 1e-9 * (double)ts.tv_nsec;
}

/* Groups of one kind (held out or not) into lists; returns the sum of the shares of sources that have any. */
static double make_lists(struct trainer *t, bool held_out)
{
	double all = 0;

	for (size_t i = 0; i < ENCODER_SOURCES; i++)
		t->by_source[i].n = 0;
	for (size_t i = 0; i < t->nears; i++)
		t->by_near[i].n = 0;
	for (size_t i = 0; i < t->n; i++) {
		if (t->g[i].held_out != held_out)
			continue;
		list_add(&t->by_source[t->g[i].source], (uint32_t)i);
		for (size_t k = 0; k < ENCODER_NEAR; k++)
			if (t->g[i].near[k])
				list_add(&t->by_near[t->g[i].near[k]], (uint32_t)i);
	}
	for (size_t i = 0; i < ENCODER_SOURCES; i++)
		all += t->by_source[i].n ? t->o->share[i] : 0;
	return all;
}

static void report(struct trainer *t, double taken, const double sums[5], size_t n)
{
	char line[256];

	if (!t->o->report || n == 0)
		return;
	snprintf(line, sizeof(line), "{\"step\": %llu, \"seconds\": %.1f, \"loss\": %.4f, \"loss_vectors\": %.4f, \"loss_words\": %.4f, "
	         "\"right_vectors\": %.4f, \"right_words\": %.4f}", (unsigned long long)t->step, taken, sums[0] / (double)n,
	         sums[1] / (double)n, sums[2] / (double)n, sums[3] / (double)n, sums[4] / (double)n);
	t->o->report(t->o->report_arg, line);
}

static void add_up(double sums[5], double loss, const struct encoder_loss *l)
{
	sums[0] += loss;
	sums[1] += l->of_vectors;
	sums[2] += l->of_words;
	sums[3] += l->right_vectors;
	sums[4] += l->right_words;
}

static int train(struct trainer *t, const char *path, const char *notes, struct err *e)
{
	const double start = seconds(), budget = t->o->minutes * 60;
	double share[ENCODER_SOURCES], sums[5] = { 0 }, all = make_lists(t, false), taken = 0;
	size_t n = 0;

	memcpy(share, t->o->share, sizeof(share));
	for (size_t i = 0; i < ENCODER_SOURCES; i++)
		share[i] = t->by_source[i].n ? share[i] : 0;
	for (;;) {
		const double progress = budget > 0 ? taken / budget : (double)t->step / (double)(t->o->steps ? t->o->steps : 1);
		real rate;

		if (progress >= 1)
			break;
		rate = (real)(t->o->rate * optim_schedule(t->step, 200, progress, 0.02));
		t->step++;
		add_up(sums, batch(t, share, all, true), &t->loss);
		n++;
		encoder_backward(&t->w.layout, t->w.dense, &t->work, t->dense_g);
		scatter(t);
		table_update(&t->word, rate);
		table_update(&t->gram, rate);
		table_update(&t->bias, rate);
		kernels_adam(t->w.dense, t->dense_m, t->dense_v, t->dense_g, t->w.layout.total, 1, rate / 3, (real)0.9, (real)0.999, (real)1e-6, 0);
		memset(t->dense_g, 0, t->w.layout.total * sizeof(real));
		taken = seconds() - start;
		if (t->o->report_every && t->step % t->o->report_every == 0) {
			report(t, taken, sums, n);
			memset(sums, 0, sizeof(sums));
			n = 0;
		}
		if (t->o->save_every && t->step % t->o->save_every == 0 && encoder_write(&t->w, path, notes, e) < 0)
			return e ? e->code : ERR_IO;
	}
	return 0;
}

/* Each source on its own: how often the partner comes first among the batch's held-out texts. */
static void measure(struct trainer *t)
{
	make_lists(t, true);
	for (size_t s = 0; s < ENCODER_SOURCES; s++) {
		double share[ENCODER_SOURCES] = { 0 }, sums[5] = { 0 };
		char line[160];

		if (t->by_source[s].n < 8 || !t->o->report)
			continue;
		share[s] = 1;
		for (size_t k = 0; k < 4; k++)
			add_up(sums, batch(t, share, 1, false), &t->loss);
		snprintf(line, sizeof(line), "{\"held_out\": %zu, \"groups\": %zu, \"right_vectors\": %.4f, \"right_words\": %.4f}", s,
		         t->by_source[s].n, sums[3] / 4, sums[4] / 4);
		t->o->report(t->o->report_arg, line);
	}
}

int encoder_train(const struct encoder_group *g, size_t n, const struct encoder_train_opts *o, const char *path,
                  const char *notes, struct err *e)
{
	struct trainer t = { .g = g, .n = n, .o = o };
	uint64_t *hashes;
	bool *foreign;
	size_t words, usable = 0;
	int rc;

	for (size_t i = 0; i < n; i++) {
		usable += !g[i].held_out;
		for (size_t k = 0; k < ENCODER_NEAR; k++)
			t.nears = g[i].near[k] >= t.nears ? (size_t)g[i].near[k] + 1 : t.nears;
	}
	if (usable < 2)
		return err_set(e, ERR_USAGE, "there are no groups of texts to train on");
	kernels_init();
	words = vocabulary(&t, o->words, &hashes, &foreign);
	if (words == 0) {
		free(hashes);
		free(foreign);
		return err_set(e, ERR_USAGE, "no word is in the texts twice");
	}
	rng_seed(&t.rng, o->seed);
	encoder_weights_init(&t.w, hashes, words, o->grams, o->seed ^ 0x5bd1e995u);
	free(hashes);
	t.w.foreign = foreign;
	rarity(&t);
	table_init(&t.word, t.w.word, words + 1, D);
	table_init(&t.gram, t.w.gram, o->grams, D);
	table_init(&t.bias, t.w.bias, words + 1, 2);
	t.dense_m = params_block(&t.w.layout);
	t.dense_v = params_block(&t.w.layout);
	t.dense_g = params_block(&t.w.layout);
	t.by_source = xcalloc(ENCODER_SOURCES, sizeof(*t.by_source));
	t.by_near = xcalloc(t.nears + 1, sizeof(*t.by_near));
	t.group = xcalloc(o->pairs, sizeof(*t.group));
	t.loss.block = o->block;
	t.loss.temperature = o->temperature;
	t.loss.words_temperature = o->words_temperature;

	rc = train(&t, path, notes, e);
	if (rc == 0) {
		measure(&t);
		rc = encoder_write(&t.w, path, notes, e);
	}

	for (size_t i = 0; i < ENCODER_SOURCES; i++)
		free(t.by_source[i].v);
	for (size_t i = 0; i < t.nears; i++)
		free(t.by_near[i].v);
	free(t.by_source);
	free(t.by_near);
	free(t.group);
	free(t.row);
	free(t.grams);
	free(t.n_grams);
	free(t.dropped);
	mem_aligned_free(t.dense_m);
	mem_aligned_free(t.dense_v);
	mem_aligned_free(t.dense_g);
	table_fini(&t.word);
	table_fini(&t.gram);
	table_fini(&t.bias);
	encoder_work_fini(&t.work);
	encoder_loss_fini(&t.loss);
	encoder_weights_fini(&t.w);
	return rc;
}
