/* SPDX-License-Identifier: GPL-3.0-or-later */
/* weights: shapes, names, random start and packing of a dialogue model's parameters. */
#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "../src/base/mem.h"
#include "../src/base/rng.h"
#include "weights.h"
#include "weights_private.h"

static const struct {
	const char *name;
	size_t offset, min, max;
} config_fields[] = {
#define FIELD(f, lo, hi) { #f, offsetof(struct dialogue_config, f), lo, hi }
	FIELD(vocab, 300, 65536),
	FIELD(embed, 1, 4096),
	FIELD(turn_hidden, 1, 4096),
	FIELD(encoder_hidden, 1, 4096),
	FIELD(decoder_hidden, 1, 4096),
	FIELD(attention, 1, 4096),
	FIELD(heads, 1, 64),
	FIELD(window, 1, 65536),
	FIELD(copy, 0, 1),
	FIELD(residual, 0, 1),
#undef FIELD
};
enum { FIELDS = sizeof(config_fields) / sizeof(config_fields[0]) };

static size_t *field_at(struct dialogue_config *c, size_t i)
{
	return (size_t *)(void *)((char *)c + config_fields[i].offset);
}

bool dialogue_config_preset(struct dialogue_config *c, const char *size)
{
	static const struct {
		const char *name;
		struct dialogue_config c;
	} preset[] = {
		/* size     vocab d   b    e    h    A   heads window copy residual */
		{ "small",  { 0, 128,  96, 192, 208, 160, 4, 320, 1, 1 } },   /*  2.6 M */
		{ "medium", { 0, 192, 160, 320, 384, 256, 4, 320, 1, 1 } },   /*  6.4 M */
		{ "large",  { 0, 256, 224, 448, 512, 320, 4, 320, 1, 1 } },   /* 10.8 M */
	};

	for (size_t i = 0; i < sizeof(preset) / sizeof(preset[0]); i++) {
		if (strcmp(preset[i].name, size) == 0) {
			size_t vocab = c->vocab;

			*c = preset[i].c;
			c->vocab = vocab;
			return true;
		}
	}
	return false;
}

int dialogue_config_set(struct dialogue_config *c, const char *field, size_t value, struct err *e)
{
	for (size_t i = 0; i < FIELDS; i++) {
		if (strcmp(config_fields[i].name, field) != 0)
			continue;
		if (value < config_fields[i].min || value > config_fields[i].max)
			return err_set(e, ERR_RANGE, "%s must be between %zu and %zu, not %zu", field,
			               config_fields[i].min, config_fields[i].max, value);
		*field_at(c, i) = value;
		return 0;
	}
	return err_set(e, ERR_NOTFOUND, "a model has no dimension called '%s'", field);
}

int dialogue_config_check(const struct dialogue_config *c, struct err *e)
{
	struct dialogue_config copy = *c;

	for (size_t i = 0; i < FIELDS; i++)
		if (dialogue_config_set(&copy, config_fields[i].name, *field_at(&copy, i), e) < 0)
			return e ? e->code : ERR_RANGE;
	if (c->attention % c->heads != 0)
		return err_set(e, ERR_RANGE, "attention (%zu) must be a multiple of heads (%zu)",
		               c->attention, c->heads);
	return 0;
}

const char *dialogue_config_field(const struct dialogue_config *c, size_t i, size_t *value)
{
	struct dialogue_config copy = *c;

	if (i >= FIELDS)
		return NULL;
	*value = *field_at(&copy, i);
	return config_fields[i].name;
}

/* Which matrices stand in products and so are packed. The embedding's packed form is
 * its transpose [d, V] (the output product); its backward goes through OpenBLAS. */
bool weights_in_product(enum weight_id id)
{
	switch (id) {
	case W_EMBED:
	case W_TURN_F_INPUT: case W_TURN_F_RECURRENT:
	case W_TURN_B_INPUT: case W_TURN_B_RECURRENT:
	case W_ENCODER_INPUT: case W_ENCODER_RECURRENT:
	case W_KEY_TURN: case W_KEY_DIALOGUE: case W_VALUE_TURN: case W_VALUE_DIALOGUE:
	case W_START: case W_DEC1_INPUT: case W_DEC1_RECURRENT: case W_QUERY:
	case W_DEC2_INPUT: case W_DEC2_RECURRENT: case W_OUT:
		return true;
	default:
		return false;
	}
}

void weights_layout(struct params *ps, const struct dialogue_config *c)
{
	const size_t V = c->vocab, d = c->embed, b = c->turn_hidden, e = c->encoder_hidden;
	const size_t h = c->decoder_hidden, A = c->attention;
	const struct {
		enum weight_id id;
		const char *name;
		size_t rows, cols;
	} all[] = {
		{ W_EMBED, "embed.weight", V, d },
		{ W_EMBED_BIAS, "embed.bias", 1, V },
		{ W_TURN_F_INPUT, "encoder.turn.forward.input", d, 4 * b },
		{ W_TURN_F_RECURRENT, "encoder.turn.forward.recurrent", b, 4 * b },
		{ W_TURN_F_BIAS, "encoder.turn.forward.bias", 1, 4 * b },
		{ W_TURN_B_INPUT, "encoder.turn.backward.input", d, 4 * b },
		{ W_TURN_B_RECURRENT, "encoder.turn.backward.recurrent", b, 4 * b },
		{ W_TURN_B_BIAS, "encoder.turn.backward.bias", 1, 4 * b },
		{ W_TURN_NORM_GAIN, "encoder.turn.norm.gain", 1, 2 * b },
		{ W_TURN_NORM_BIAS, "encoder.turn.norm.bias", 1, 2 * b },
		{ W_ENCODER_INPUT, "encoder.dialogue.input", 2 * b, 4 * e },
		{ W_ENCODER_RECURRENT, "encoder.dialogue.recurrent", e, 4 * e },
		{ W_ENCODER_BIAS, "encoder.dialogue.bias", 1, 4 * e },
		{ W_KEY_TURN, "attention.key.turn", 2 * b, A },
		{ W_KEY_DIALOGUE, "attention.key.dialogue", e, A },
		{ W_VALUE_TURN, "attention.value.turn", 2 * b, A },
		{ W_VALUE_DIALOGUE, "attention.value.dialogue", e, A },
		{ W_NULL_KEY, "attention.null.key", 1, A },
		{ W_NULL_VALUE, "attention.null.value", 1, A },
		{ W_START, "decoder.start.weight", e, 4 * h },
		{ W_START_BIAS, "decoder.start.bias", 1, 4 * h },
		{ W_DEC1_INPUT, "decoder.layer1.input", d, 4 * h },
		{ W_DEC1_RECURRENT, "decoder.layer1.recurrent", h, 4 * h },
		{ W_DEC1_BIAS, "decoder.layer1.bias", 1, 4 * h },
		{ W_QUERY, "attention.query", h, A },
		{ W_MID_NORM_GAIN, "decoder.norm.gain", 1, h + A },
		{ W_MID_NORM_BIAS, "decoder.norm.bias", 1, h + A },
		{ W_DEC2_INPUT, "decoder.layer2.input", h + A, 4 * h },
		{ W_DEC2_RECURRENT, "decoder.layer2.recurrent", h, 4 * h },
		{ W_DEC2_BIAS, "decoder.layer2.bias", 1, 4 * h },
		{ W_OUT_NORM_GAIN, "output.norm.gain", 1, h + A },
		{ W_OUT_NORM_BIAS, "output.norm.bias", 1, h + A },
		{ W_OUT, "output.weight", h + A, d },
		{ W_OUT_BIAS, "output.bias", 1, d },
		{ W_COPY, "copy.weight", 1, h + A },
		{ W_COPY_BIAS, "copy.bias", 1, 1 },
	};

	_Static_assert(sizeof(all) / sizeof(all[0]) == W_COUNT, "every weight has a shape");
	for (size_t i = 0; i < W_COUNT; i++) {
		size_t at = params_add(ps, all[i].name, all[i].rows, all[i].cols);

		assert(at == (size_t)all[i].id);
		(void)at;
	}
}

static void place(struct packed *p, size_t k, size_t n, real *block, size_t *at)
{
	p->k = k;
	p->n = n;
	p->data = block ? block + *at : NULL;
	*at += (packed_elements(k, n) + 15) / 16 * 16;
}

/* Lays the packed forms out; with block NULL only counts. */
static size_t place_packed(struct weights *w, real *block)
{
	size_t at = 0;

	for (size_t i = 0; i < W_COUNT; i++) {
		const struct param *p = &w->layout.p[i];

		if (i == W_EMBED) {
			place(&w->packed[i], p->cols, p->rows, block, &at);
		} else if (weights_in_product(i)) {
			place(&w->packed[i], p->rows, p->cols, block, &at);
			if (w->trainable)
				place(&w->packed_t[i], p->cols, p->rows, block, &at);
		}
	}
	return at;
}

struct weights *weights_shaped(const struct dialogue_config *c)
{
	struct weights *w = xcalloc(1, sizeof(*w));

	kernels_init();
	w->cfg = *c;
	weights_layout(&w->layout, c);
	return w;
}

struct weights *weights_new(const struct dialogue_config *c, bool trainable)
{
	struct weights *w = weights_shaped(c);

	w->trainable = trainable;
	w->flat = params_block(&w->layout);
	for (size_t i = 0; i < W_COUNT; i++)
		w->at[i] = w->flat + w->layout.p[i].offset;
	w->packed_block = mem_aligned(mem_mul(place_packed(w, NULL), sizeof(real)));
	place_packed(w, w->packed_block);
	return w;
}

struct weights *weights_view(const struct weights *w, real *flat)
{
	struct weights *v = xmalloc(sizeof(*v));

	assert(w->flat && !w->bytes);
	*v = *w;
	v->view = true;
	v->trainable = false;
	memset(v->packed_t, 0, sizeof(v->packed_t));
	v->flat = flat;
	for (size_t i = 0; i < W_COUNT; i++)
		v->at[i] = flat + v->layout.p[i].offset;
	return v;
}

void weights_free(struct weights *w)
{
	if (!w)
		return;
	if (!w->view) {
		weights_bytes_free(w->bytes);
		mem_aligned_free(w->flat);
		mem_aligned_free(w->packed_block);
	}
	free(w);
}

void weights_init_random(struct weights *w, uint64_t seed)
{
	const size_t d = w->cfg.embed, h = w->cfg.decoder_hidden;
	struct rng r;

	rng_seed(&r, seed);
	memset(w->flat, 0, w->layout.total * sizeof(real));
	for (size_t i = 0; i < W_COUNT; i++) {
		const struct param *p = &w->layout.p[i];
		real *x = w->flat + p->offset;
		size_t n = p->rows * p->cols;

		if (i == W_EMBED) {
			for (size_t j = 0; j < n; j++)
				x[j] = (real)(rng_normal(&r) / sqrt((double)d));
		} else if (weights_in_product(i)) {
			double bound = sqrt(3.0 / (double)p->rows);

			/* recurrent sums meet input sums in the gates: keep both together
			 * near unit deviation */
			if (strstr(p->name, ".recurrent") || strstr(p->name, ".input"))
				bound /= sqrt(2.0);
			for (size_t j = 0; j < n; j++)
				x[j] = (real)((2 * rng_uniform(&r) - 1) * bound);
		} else if (i == W_NULL_KEY || i == W_NULL_VALUE) {
			for (size_t j = 0; j < n; j++)
				x[j] = (real)(rng_normal(&r) * 0.1);
		} else if (i == W_COPY) {
			for (size_t j = 0; j < n; j++)
				x[j] = (real)(rng_normal(&r) / sqrt((double)(h + w->cfg.attention)));
		} else if (strstr(p->name, ".gain")) {
			for (size_t j = 0; j < n; j++)
				x[j] = 1;
		}
	}
	/* gate order i, f, g, o: remember by default (Jozefowicz et al. 2015) */
	const enum weight_id lstm_bias[] = { W_TURN_F_BIAS, W_TURN_B_BIAS, W_ENCODER_BIAS,
	                                     W_DEC1_BIAS, W_DEC2_BIAS };

	for (size_t i = 0; i < sizeof(lstm_bias) / sizeof(lstm_bias[0]); i++) {
		const struct param *p = &w->layout.p[lstm_bias[i]];
		size_t n = p->cols / 4;

		for (size_t j = 0; j < n; j++)
			w->flat[p->offset + n + j] = 1;
	}
	/* copying starts as a rare thing, not as half of everything */
	w->flat[w->layout.p[W_COPY_BIAS].offset] = -2;
	weights_pack(w);
}

void weights_pack_part(struct weights *w, size_t part, size_t parts)
{
	size_t seen = 0;

	assert(w->flat);

	/* one form at a time, dealt out like cards: the big ones lie far apart in the list */
	for (size_t i = 0; i < W_COUNT; i++) {
		const struct param *p = &w->layout.p[i];

		if (w->packed[i].data && seen++ % parts == part)
			pack_weights(&w->packed[i], w->flat + p->offset, p->cols, i == W_EMBED);
		if (w->packed_t[i].data && seen++ % parts == part)
			pack_weights(&w->packed_t[i], w->flat + p->offset, p->cols, true);
	}
}

void weights_pack(struct weights *w)
{
	weights_pack_part(w, 0, 1);
}

void weights_product(const struct weights *w, enum weight_id id, size_t rows, const real *a, size_t lda,
                     bool accumulate, real *c, size_t ldc)
{
	if (w->bytes)
		kernels_gemm_packed8(rows, weights_bytes(w, id), a, lda, accumulate, c, ldc);
	else
		kernels_gemm_packed(rows, &w->packed[id], a, lda, accumulate, c, ldc);
}

void weights_embedding(const struct weights *w, int32_t id, real *x)
{
	const size_t d = w->cfg.embed;

	if (w->bytes)
		packed8_output(weights_bytes(w, W_EMBED), (size_t)id, x);
	else
		memcpy(x, weights_at(w, W_EMBED) + (size_t)id * d, d * sizeof(real));
}

struct lstm weights_lstm(const struct weights *w, enum weight_id input)
{
	const struct param *rec = &w->layout.p[input + 1];

	return (struct lstm){
		.in = w->layout.p[input].rows,
		.hidden = rec->rows,
		.bias = weights_at(w, input + 2),
		.input = &w->packed[input],
		.recurrent = &w->packed[input + 1],
		.input_t = &w->packed_t[input],
		.recurrent_t = &w->packed_t[input + 1],
		.input8 = weights_bytes(w, input),
		.recurrent8 = weights_bytes(w, input + 1),
	};
}
