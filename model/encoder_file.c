/* SPDX-License-Identifier: GPL-3.0-or-later */
/* encoder_file: the start of training, and its end on disk. */
#include "encoder_file.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../src/base/mem.h"
#include "../src/base/rng.h"
#include "modelfile.h"

enum { D = ENCODER_DIM, H = ENCODER_HIDDEN };

static void fill(real *x, size_t n, double deviation, struct rng *r)
{
	for (size_t i = 0; i < n; i++)
		x[i] = (real)(deviation * rng_normal(r));
}

void encoder_weights_init(struct encoder_weights *w, const uint64_t *hashes, size_t words, size_t grams, uint64_t seed)
{
	struct rng r;

	memset(w, 0, sizeof(*w));
	rng_seed(&r, seed);
	encoder_layout(&w->layout);
	w->words = words;
	w->grams = grams;
	w->hashes = xmemdup(hashes, words * sizeof(*hashes));
	w->word = mem_aligned((words + 1) * D * sizeof(real));
	w->gram = mem_aligned(grams * D * sizeof(real));
	w->bias = mem_aligned((words + 1) * 2 * sizeof(real));
	w->rarity = xcalloc(words + 1, sizeof(float));
	w->dense = params_block(&w->layout);
	fill(w->word + D, words * D, 0.08, &r);           /* row 0, of unknown words, starts at nothing */
	fill(w->gram, grams * D, 0.16, &r);               /* a mean of many is small */
	fill(w->dense + w->layout.p[EW_CONTEXT].offset, 3 * D * H, sqrt(1.0 / (3 * D)), &r);
	fill(w->dense + w->layout.p[EW_BACK].offset, H * D, 0.03, &r);
	fill(w->dense + w->layout.p[EW_PROJECT].offset, D * D, 0.02, &r);
	for (size_t k = 0; k < D; k++)
		w->dense[w->layout.p[EW_PROJECT].offset + k * D + k] += 1;
}

void encoder_weights_fini(struct encoder_weights *w)
{
	free(w->hashes);
	free(w->foreign);
	free(w->rarity);
	mem_aligned_free(w->word);
	mem_aligned_free(w->gram);
	mem_aligned_free(w->bias);
	mem_aligned_free(w->dense);
	memset(w, 0, sizeof(*w));
}

/* Rows as bytes, 127 for the largest element of each. */
static void to_bytes(const real *x, size_t rows, int8_t *out, float *scale)
{
	for (size_t i = 0; i < rows; i++) {
		real most = 0;

		for (size_t k = 0; k < D; k++)
			most = REAL_FABS(x[i * D + k]) > most ? REAL_FABS(x[i * D + k]) : most;
		scale[i] = (float)(most / 127);
		for (size_t k = 0; k < D; k++)
			out[i * D + k] = (int8_t)(most > 0 ? lrint((double)(x[i * D + k] / most * 127)) : 0);
	}
}

static float *to_floats(const real *x, size_t n)
{
	float *f = xcalloc(n, sizeof(*f));

	for (size_t i = 0; i < n; i++)
		f[i] = (float)x[i];
	return f;
}

static uint64_t mix(uint64_t h, const void *data, size_t bytes)
{
	const unsigned char *p = data;

	for (size_t i = 0; i < bytes; i++)
		h = (h ^ p[i]) * 0x100000001b3u;
	return h;
}

/* The words that are written, with their rows close together. Arrays are the caller's. */
static size_t keep_words(const struct encoder_weights *w, uint64_t *hashes, real *word, real *bias, float *rarity)
{
	size_t n = 0;

	memcpy(word, w->word, D * sizeof(real));
	memcpy(bias, w->bias, 2 * sizeof(real));
	rarity[0] = w->rarity[0];
	for (size_t i = 0; i < w->words; i++) {
		if (w->foreign && w->foreign[i])
			continue;
		hashes[n++] = w->hashes[i];
		rarity[n] = w->rarity[i + 1];
		memcpy(word + n * D, w->word + (i + 1) * D, D * sizeof(real));
		memcpy(bias + n * 2, w->bias + (i + 1) * 2, 2 * sizeof(real));
	}
	return n;
}

int encoder_write(const struct encoder_weights *w, const char *path, const char *notes, struct err *e)
{
	uint64_t *hashes = xcalloc(w->words, sizeof(*hashes));
	float *rarity = xcalloc(w->words + 1, sizeof(*rarity));
	real *kept = mem_aligned((w->words + 1) * D * sizeof(real)), *kept_bias = mem_aligned((w->words + 1) * 2 * sizeof(real));
	const size_t words = keep_words(w, hashes, kept, kept_bias, rarity), rows = words + 1;
	int8_t *word = xmalloc(rows * D), *gram = xmalloc(w->grams * D);
	float *word_scale = xcalloc(rows, sizeof(float)), *gram_scale = xcalloc(w->grams, sizeof(float));
	float *bias = to_floats(kept_bias, rows * 2), *dense[EW_COUNT];
	struct modelfile_tensor t[7 + EW_COUNT];
	uint64_t h = 0xcbf29ce484222325u;
	char version[32];
	int rc;

	to_bytes(kept, rows, word, word_scale);
	to_bytes(w->gram, w->grams, gram, gram_scale);
	t[0] = (struct modelfile_tensor){ "hashes", MODELFILE_I64, 1, words, hashes };
	t[1] = (struct modelfile_tensor){ "words", MODELFILE_U8, rows, D, word };
	t[2] = (struct modelfile_tensor){ "words.scale", MODELFILE_F32, 1, rows, word_scale };
	t[3] = (struct modelfile_tensor){ "grams", MODELFILE_U8, w->grams, D, gram };
	t[4] = (struct modelfile_tensor){ "grams.scale", MODELFILE_F32, 1, w->grams, gram_scale };
	t[5] = (struct modelfile_tensor){ "bias", MODELFILE_F32, rows, 2, bias };
	t[6] = (struct modelfile_tensor){ "rarity", MODELFILE_F32, 1, rows, rarity };
	h = mix(mix(mix(h, word, rows * D), gram, w->grams * D), bias, rows * 2 * sizeof(float));
	for (size_t i = 0; i < EW_COUNT; i++) {
		const struct param *p = &w->layout.p[i];

		dense[i] = to_floats(w->dense + p->offset, p->rows * p->cols);
		t[7 + i] = (struct modelfile_tensor){ p->name, MODELFILE_F32, p->rows, p->cols, dense[i] };
		h = mix(h, dense[i], p->rows * p->cols * sizeof(float));
	}
	snprintf(version, sizeof(version), "e1-%08" PRIx32, (uint32_t)(h ^ (h >> 32)));

	const struct modelfile_pair meta[] = { { "format", "answerback-encoder-1" }, { "version", version }, { "training", notes ? notes : "{}" } };

	rc = modelfile_write(path, t, 7 + EW_COUNT, meta, 3, e);
	for (size_t i = 0; i < EW_COUNT; i++)
		free(dense[i]);
	free(word);
	free(gram);
	free(word_scale);
	free(gram_scale);
	free(bias);
	free(hashes);
	free(rarity);
	mem_aligned_free(kept);
	mem_aligned_free(kept_bias);
	return rc;
}
