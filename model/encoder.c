/* SPDX-License-Identifier: GPL-3.0-or-later */
/* encoder: the trained net, read only. Tables stay in the mapped file as bytes; a text touches a few hundred rows. */
#include "encoder.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../src/base/mem.h"
#include "encoder_private.h"
#include "kernels.h"
#include "modelfile.h"

enum { D = ENCODER_DIM };

struct encoder {
	struct modelfile *file;
	const char *version;
	size_t words, grams;
	uint64_t *hashes;             /* [words] */
	const int8_t *word, *gram;    /* in the map */
	float *word_scale, *gram_scale, *bias, *rarity;
	struct params layout;
	real *dense;
};

static int read_floats(struct encoder *en, const char *name, size_t rows, size_t cols, float **out, struct err *e)
{
	*out = xcalloc(mem_mul(rows, cols), sizeof(float));
	return modelfile_read(en->file, name, rows, cols, *out, e);
}

static int find(struct encoder *en, const char *name, enum modelfile_dtype dtype, struct modelfile_view *v, const char *path,
                struct err *e)
{
	int rc = modelfile_find(en->file, name, v, e);

	if (rc == 0 && (v->dtype != dtype || (dtype == MODELFILE_U8 && v->cols != D)))
		rc = err_set(e, ERR_FORMAT, "%s: the tensor %s is of another kind or shape", path, name);
	return rc;
}

static int read_all(struct encoder *en, const char *path, struct err *e)
{
	const char *format = modelfile_meta(en->file, "format");
	struct modelfile_view v;
	int rc;

	en->version = modelfile_meta(en->file, "version");
	if (!format || strcmp(format, "answerback-encoder-1") != 0 || !en->version || !*en->version)
		return err_set(e, ERR_FORMAT, "%s is no encoder of this program", path);
	if ((rc = find(en, "hashes", MODELFILE_I64, &v, path, e)) < 0)
		return rc;
	en->words = v.rows * v.cols;
	en->hashes = xmemdup(v.data, v.bytes);
	for (size_t i = 1; i < en->words; i++)
		if (en->hashes[i] <= en->hashes[i - 1])
			return err_set(e, ERR_FORMAT, "%s: the vocabulary is not in order", path);
	if ((rc = find(en, "words", MODELFILE_U8, &v, path, e)) < 0)
		return rc;
	if (v.rows != en->words + 1)
		return err_set(e, ERR_FORMAT, "%s: %zu words have %zu rows", path, en->words, v.rows);
	en->word = v.data;
	if ((rc = find(en, "grams", MODELFILE_U8, &v, path, e)) < 0)
		return rc;
	en->grams = v.rows;
	en->gram = v.data;
	if ((rc = read_floats(en, "words.scale", 1, en->words + 1, &en->word_scale, e)) < 0 ||
	    (rc = read_floats(en, "grams.scale", 1, en->grams, &en->gram_scale, e)) < 0 ||
	    (rc = read_floats(en, "rarity", 1, en->words + 1, &en->rarity, e)) < 0 ||
	    (rc = read_floats(en, "bias", en->words + 1, 2, &en->bias, e)) < 0)
		return rc;
	for (size_t i = 0; i < EW_COUNT; i++) {
		const struct param *p = &en->layout.p[i];
		float *f;

		rc = read_floats(en, p->name, p->rows, p->cols, &f, e);
		for (size_t k = 0; rc == 0 && k < p->rows * p->cols; k++)
			en->dense[p->offset + k] = f[k];
		free(f);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int encoder_open(struct encoder **out, const char *path, struct err *e)
{
	struct encoder *en = xcalloc(1, sizeof(*en));
	int rc;

	kernels_init();
	encoder_layout(&en->layout);
	en->dense = params_block(&en->layout);
	rc = modelfile_open(&en->file, path, e);
	if (rc == 0)
		rc = read_all(en, path, e);
	if (rc < 0) {
		encoder_free(en);
		en = NULL;
	}
	*out = en;
	return rc;
}

void encoder_free(struct encoder *en)
{
	if (!en)
		return;
	modelfile_close(en->file);
	free(en->hashes);
	free(en->word_scale);
	free(en->gram_scale);
	free(en->bias);
	free(en->rarity);
	mem_aligned_free(en->dense);
	free(en);
}

const char *encoder_version(const struct encoder *en)
{
	return en->version;
}

static void add_row(real *x, const int8_t *row, real scale)
{
	for (size_t k = 0; k < D; k++)
		x[k] += scale * row[k];
}

/* Run the net over one text; false: it has no words. */
static bool run(const struct encoder *en, struct encoder_words *words, struct encoder_work *w)
{
	if (words->n == 0)
		return false;
	encoder_work_room(w, words->n, 1, false);
	w->span[0] = (struct encoder_span){ 0, words->n };
	for (size_t i = 0; i < words->n; i++) {
		struct encoder_word *word = &words->v[i];
		uint32_t gram[ENCODER_GRAMS_MAX];
		const size_t n = encoder_grams(word->text, en->grams, gram);
		real *x = w->x + i * D;

		word->row = encoder_row(en->hashes, en->words, word->text);
		word->rarity = en->rarity[word->row];
		memset(x, 0, D * sizeof(real));
		add_row(x, en->word + (size_t)word->row * D, en->word_scale[word->row]);
		for (size_t g = 0; g < n; g++)
			add_row(x, en->gram + (size_t)gram[g] * D, en->gram_scale[gram[g]] / (real)n);
		w->bias[2 * i] = en->bias[2 * word->row];
		w->bias[2 * i + 1] = en->bias[2 * word->row + 1];
	}
	encoder_forward(&en->layout, en->dense, w);
	return true;
}

void encoder_vector(const struct encoder *en, const char *text, size_t len, float out[ENCODER_DIM])
{
	struct encoder_words words;
	struct encoder_work w = { 0 };

	memset(out, 0, D * sizeof(float));
	encoder_split(text, len, &words);
	if (run(en, &words, &w))
		for (size_t k = 0; k < D; k++)
			out[k] = (float)w.u[k];
	encoder_work_fini(&w);
}

void encoder_look(const struct encoder *en, const char *text, size_t len, struct encoder_view *out)
{
	struct encoder_work w = { 0 };

	memset(out->vector, 0, sizeof(out->vector));
	memset(out->weight, 0, sizeof(out->weight));
	out->word = NULL;
	encoder_split(text, len, &out->words);
	if (en && run(en, &out->words, &w)) {
		out->word = xcalloc(out->words.n, sizeof(*out->word));
		for (size_t k = 0; k < D; k++)
			out->vector[k] = (float)w.u[k];
		for (size_t i = 0; i < out->words.n; i++) {
			out->weight[i] = (float)w.beta[i];
			for (size_t k = 0; k < D; k++)
				out->word[i][k] = (float)w.n[i * D + k];
		}
	}
	encoder_work_fini(&w);
}

void encoder_view_free(struct encoder_view *v)
{
	free(v->word);
	v->word = NULL;
}

void encoder_bytes(const float v[ENCODER_DIM], int8_t out[ENCODER_DIM])
{
	float most = 0;

	for (size_t k = 0; k < D; k++)
		most = fabsf(v[k]) > most ? fabsf(v[k]) : most;
	for (size_t k = 0; k < D; k++)
		out[k] = (int8_t)(most > 0 ? lrintf(v[k] / most * 127) : 0);
}

void encoder_compare(const struct encoder_view *a, const struct encoder_view *b, float *near, size_t *which)
{
	for (size_t i = 0; i < a->words.n; i++) {
		near[i] = -1;
		which[i] = 0;
		for (size_t j = 0; a->word && b->word && j < b->words.n; j++) {
			float dot = 0;

			for (size_t k = 0; k < D; k++)
				dot += a->word[i][k] * b->word[j][k];
			if (dot > near[i]) {
				near[i] = dot;
				which[i] = j;
			}
		}
	}
}
