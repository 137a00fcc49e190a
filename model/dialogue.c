/* SPDX-License-Identifier: GPL-3.0-or-later */
/* dialogue: the forward pass over whole dialogues (equations in dialogue.h). */
#include <math.h>
#include <string.h>

#include "../src/base/rng.h"
#include "dialogue.h"
#include "dialogue_private.h"
#include "output.h"

static real *rows_of(struct dialogue_pass *p, size_t width)
{
	return arena_alloc(p->a, (p->b->rows + 1) * width * sizeof(real));
}

size_t dialogue_place(const struct dialogue_batch *b, size_t t)
{
	const size_t own = b->first_turn[b->dialogues];

	return t < own ? t : b->branch[t - own];
}

uint64_t dialogue_dropout_key(const struct dialogue_pass *p, enum dropout_site site)
{
	return rng_hash(p->o.key, (uint64_t)site);
}

static void drop(const struct dialogue_pass *p, enum dropout_site site, real *x, size_t width)
{
	if (p->o.dropout > 0)
		kernels_dropout(x, p->b->rows * width, p->o.dropout, dialogue_dropout_key(p, site));
}

void dialogue_embed(const struct weights *w, const int32_t *ids, size_t n, real *x)
{
	const size_t d = w->cfg.embed;
	const real scale = REAL_SQRT((real)d);

	for (size_t r = 0; r < n; r++) {
		weights_embedding(w, ids[r], x + r * d);
		kernels_scale(x + r * d, scale, d);
	}
}

/* Turns that another turn follows are encoded; a dialogue's last turn is only predicted. */
static void encode(struct dialogue_pass *p)
{
	const struct weights *w = p->w;
	const struct dialogue_batch *b = p->b;
	const size_t d = w->cfg.embed, tb = 2 * w->cfg.turn_hidden, e = w->cfg.encoder_hidden;
	const size_t A = w->cfg.attention;
	struct span *turns = arena_alloc(p->a, (b->turns + 1) * sizeof(*turns));
	struct span *whole = arena_alloc(p->a, (b->dialogues + 1) * sizeof(*whole));

	for (size_t i = 0; i < b->dialogues; i++) {
		size_t first = b->first_turn[i], last = b->first_turn[i + 1] - 1;

		for (size_t t = first; t <= last; t++)
			turns[t] = (struct span){ b->turn[t].start, t < last ? b->turn[t].len : 0 };
		whole[i].start = b->turn[first].start;
		whole[i].len = b->turn[last].start - whole[i].start;
	}
	for (size_t t = b->first_turn[b->dialogues]; t < b->turns; t++)
		turns[t] = (struct span){ b->turn[t].start, 0 };
	seqs_init(&p->turns_f, p->a, turns, b->turns, false);
	seqs_init(&p->turns_b, p->a, turns, b->turns, true);
	seqs_init(&p->dialogues, p->a, whole, b->dialogues, false);

	p->x_enc = rows_of(p, d);
	dialogue_embed(w, b->encoder_input, b->rows, p->x_enc);
	drop(p, DROP_ENCODER_INPUT, p->x_enc, d);

	struct lstm forward = weights_lstm(w, W_TURN_F_INPUT), backward = weights_lstm(w, W_TURN_B_INPUT);

	p->turn = rows_of(p, tb);
	memset(p->turn, 0, b->rows * tb * sizeof(real));
	lstm_forward(&forward, &p->turns_f, p->a, p->x_enc, d, NULL, NULL, &p->turn_f, p->turn, tb);
	lstm_forward(&backward, &p->turns_b, p->a, p->x_enc, d, NULL, NULL, &p->turn_b,
	             p->turn + tb / 2, tb);
	p->turn_norm = rows_of(p, tb);
	p->turn_mean = rows_of(p, 1);
	p->turn_rstd = rows_of(p, 1);
	kernels_layernorm(b->rows, tb, p->turn, weights_at(w, W_TURN_NORM_GAIN),
	                  weights_at(w, W_TURN_NORM_BIAS), p->turn_norm, p->turn_mean, p->turn_rstd);
	drop(p, DROP_TURN, p->turn_norm, tb);

	struct lstm through = weights_lstm(w, W_ENCODER_INPUT);

	p->enc = rows_of(p, e);
	memset(p->enc, 0, b->rows * e * sizeof(real));
	lstm_forward(&through, &p->dialogues, p->a, p->turn_norm, tb, NULL, NULL, &p->encoder, p->enc, e);

	p->k = rows_of(p, A);
	p->v = rows_of(p, A);
	dialogue_memory(w, b->rows, p->turn_norm, p->enc, p->k, p->v);

	p->ldkt = b->rows | 1;     /* never a power of two */
	p->kt = arena_alloc(p->a, A * p->ldkt * sizeof(real));
	for (size_t r = 0; r < b->rows; r++)
		for (size_t j = 0; j < A; j++)
			p->kt[j * p->ldkt + r] = p->k[r * A + j];
}

void dialogue_memory(const struct weights *w, size_t rows, const real *turn, const real *enc,
                     real *k, real *v)
{
	const size_t tb = 2 * w->cfg.turn_hidden, e = w->cfg.encoder_hidden, A = w->cfg.attention;

	weights_product(w, W_KEY_TURN, rows, turn, tb, false, k, A);
	weights_product(w, W_KEY_DIALOGUE, rows, enc, e, true, k, A);
	weights_product(w, W_VALUE_TURN, rows, turn, tb, false, v, A);
	weights_product(w, W_VALUE_DIALOGUE, rows, enc, e, true, v, A);
}

void dialogue_start(const struct weights *w, size_t turns, const real *enc_last, real *start,
                    real *h1, real *h2, real *c1, real *c2)
{
	const size_t h = w->cfg.decoder_hidden;

	weights_product(w, W_START, turns, enc_last, w->cfg.encoder_hidden, false, start, 4 * h);
	kernels_add_bias(turns, 4 * h, start, 4 * h, weights_at(w, W_START_BIAS));
	kernels_tanh(start, start, turns * 4 * h);
	for (size_t t = 0; t < turns; t++) {
		const real *s = start + t * 4 * h;

		memcpy(h1 + t * h, s, h * sizeof(real));
		memcpy(h2 + t * h, s + h, h * sizeof(real));
		memcpy(c1 + t * h, s + 2 * h, h * sizeof(real));
		memcpy(c2 + t * h, s + 3 * h, h * sizeof(real));
	}
}

static void start_decoder(struct dialogue_pass *p)
{
	const struct dialogue_batch *b = p->b;
	const size_t e = p->w->cfg.encoder_hidden, h = p->w->cfg.decoder_hidden, T = b->turns + 1;

	p->start_in = arena_alloc(p->a, T * e * sizeof(real));
	p->start = arena_alloc(p->a, T * 4 * h * sizeof(real));
	p->h0 = arena_alloc(p->a, T * h * sizeof(real));
	p->c0 = arena_alloc(p->a, T * h * sizeof(real));
	p->h0b = arena_alloc(p->a, T * h * sizeof(real));
	p->c0b = arena_alloc(p->a, T * h * sizeof(real));
	for (size_t i = 0; i < b->dialogues; i++) {
		for (size_t t = b->first_turn[i]; t < b->first_turn[i + 1]; t++) {
			if (t == b->first_turn[i])
				memset(p->start_in + t * e, 0, e * sizeof(real));
			else
				memcpy(p->start_in + t * e, p->enc + (b->turn[t].start - 1) * e,
				       e * sizeof(real));
		}
	}
	for (size_t t = b->first_turn[b->dialogues]; t < b->turns; t++)
		memcpy(p->start_in + t * e, p->start_in + dialogue_place(b, t) * e, e * sizeof(real));
	dialogue_start(p->w, b->turns, p->start_in, p->start, p->h0, p->h0b, p->c0, p->c0b);
}

static void attend(struct dialogue_pass *p)
{
	const struct dialogue_batch *b = p->b;
	const struct dialogue_config *c = &p->w->cfg;
	const size_t h = c->decoder_hidden, A = c->attention;
	const struct attention at = dialogue_attention(p->w);

	p->spans = arena_alloc(p->a, (b->turns + 1) * sizeof(*p->spans));
	for (size_t i = 0; i < b->dialogues; i++) {
		size_t from = b->turn[b->first_turn[i]].start;

		for (size_t t = b->first_turn[i]; t < b->first_turn[i + 1]; t++) {
			size_t past = b->turn[t].start - from;
			size_t m = past < c->window ? past : c->window;

			p->spans[t] = (struct attention_span){
				.first = b->turn[t].start, .len = b->turn[t].len,
				.memory = b->turn[t].start - m, .memory_len = m,
			};
		}
	}
	for (size_t t = b->first_turn[b->dialogues]; t < b->turns; t++) {
		p->spans[t] = p->spans[dialogue_place(b, t)];
		p->spans[t].first = b->turn[t].start;
		p->spans[t].len = b->turn[t].len;
	}
	p->probs_len = attention_layout(&at, p->spans, b->turns);
	p->probs = arena_alloc(p->a, (p->probs_len + 1) * sizeof(real));
	p->q = rows_of(p, A);
	weights_product(p->w, W_QUERY, b->rows, p->mid, h + A, false, p->q, A);
	attention_forward(&at, p->spans, b->turns, p->q, A, p->kt, p->ldkt, p->v, A,
	                  p->probs, p->mid + h, h + A);
}

struct attention dialogue_attention(const struct weights *w)
{
	return (struct attention){
		.heads = w->cfg.heads, .width = w->cfg.attention,
		.null_key = weights_at(w, W_NULL_KEY), .null_value = weights_at(w, W_NULL_VALUE),
	};
}

void dialogue_output(const struct weights *w, size_t rows, const real *z, real *o, real *gate)
{
	const size_t d = w->cfg.embed, wide = w->cfg.decoder_hidden + w->cfg.attention;

	weights_product(w, W_OUT, rows, z, wide, false, o, d);
	kernels_add_bias(rows, d, o, d, weights_at(w, W_OUT_BIAS));
	for (size_t r = 0; r < rows; r++)
		gate[r] = !w->cfg.copy ? 0 :
			kernels_sigmoid1(kernels_dot(z + r * wide, weights_at(w, W_COPY), wide) +
			                 weights_at(w, W_COPY_BIAS)[0]);
}

void dialogue_logits(const struct weights *w, size_t rows, const real *o, real *logits)
{
	const size_t V = w->cfg.vocab, d = w->cfg.embed;

	weights_product(w, W_EMBED, rows, o, d, false, logits, V);
	kernels_add_bias(rows, V, logits, V, weights_at(w, W_EMBED_BIAS));
}

static void decode(struct dialogue_pass *p)
{
	const struct weights *w = p->w;
	const struct dialogue_batch *b = p->b;
	const size_t d = w->cfg.embed, h = w->cfg.decoder_hidden, A = w->cfg.attention, wide = h + A;

	seqs_init(&p->decoder, p->a, b->turn, b->turns, false);
	p->x_dec = rows_of(p, d);
	dialogue_embed(w, b->decoder_input, b->rows, p->x_dec);
	drop(p, DROP_DECODER_INPUT, p->x_dec, d);

	struct lstm layer1 = weights_lstm(w, W_DEC1_INPUT), layer2 = weights_lstm(w, W_DEC2_INPUT);

	p->mid = rows_of(p, wide);
	lstm_forward(&layer1, &p->decoder, p->a, p->x_dec, d, p->h0, p->c0, &p->dec1, p->mid, wide);
	attend(p);
	p->mid_norm = rows_of(p, wide);
	p->mid_mean = rows_of(p, 1);
	p->mid_rstd = rows_of(p, 1);
	kernels_layernorm(b->rows, wide, p->mid, weights_at(w, W_MID_NORM_GAIN),
	                  weights_at(w, W_MID_NORM_BIAS), p->mid_norm, p->mid_mean, p->mid_rstd);
	drop(p, DROP_MID, p->mid_norm, wide);

	p->out = rows_of(p, wide);
	lstm_forward(&layer2, &p->decoder, p->a, p->mid_norm, wide, p->h0b, p->c0b, &p->dec2,
	             p->out, wide);
	for (size_t r = 0; r < b->rows; r++) {
		if (w->cfg.residual)
			kernels_axpy(p->out + r * wide, 1, p->mid + r * wide, h);
		memcpy(p->out + r * wide + h, p->mid + r * wide + h, A * sizeof(real));
	}
	p->out_norm = rows_of(p, wide);
	p->out_mean = rows_of(p, 1);
	p->out_rstd = rows_of(p, 1);
	kernels_layernorm(b->rows, wide, p->out, weights_at(w, W_OUT_NORM_GAIN),
	                  weights_at(w, W_OUT_NORM_BIAS), p->out_norm, p->out_mean, p->out_rstd);
	drop(p, DROP_OUT, p->out_norm, wide);
	p->o_rows = rows_of(p, d);
	p->gate = rows_of(p, 1);
	dialogue_output(w, b->rows, p->out_norm, p->o_rows, p->gate);
}

void dialogue_forward(struct dialogue_pass *p, const struct weights *w, struct arena *a,
                      const struct dialogue_batch *b, const struct dialogue_opts *o)
{
	memset(p, 0, sizeof(*p));
	p->w = w;
	p->b = b;
	p->o = *o;
	p->a = a;
	encode(p);
	start_decoder(p);
	decode(p);
}

struct copy_source dialogue_copy_source(const struct dialogue_pass *p, size_t turn, size_t row)
{
	const struct attention_span *sp = &p->spans[turn];
	const size_t w = 1 + sp->memory_len;

	return (struct copy_source){
		.ids = p->b->ids + sp->memory,
		.weight = p->probs + sp->probs + ((p->w->cfg.heads - 1) * sp->len + row - sp->first) * w,
		.n = sp->memory_len,
		.gate = p->gate[row],
	};
}

void dialogue_distribution(const struct dialogue_pass *p, size_t row, real *dist)
{
	size_t t = 0;

	while (row >= p->b->turn[t].start + p->b->turn[t].len)
		t++;

	struct copy_source src = dialogue_copy_source(p, t, row);

	dialogue_logits(p->w, 1, p->o_rows + row * p->w->cfg.embed, dist);
	output_mix(p->w->cfg.vocab, dist, &src);
}

void dialogue_attention_stats(const struct dialogue_pass *p, double *entropy, double *null_weight)
{
	double h = 0, null = 0;
	size_t n = 0;

	for (size_t t = 0; t < p->b->turns; t++) {
		const struct attention_span *sp = &p->spans[t];
		const size_t w = 1 + sp->memory_len;
		const real *a = p->probs + sp->probs;

		if (sp->memory_len == 0)
			continue;
		for (size_t r = 0; r < p->w->cfg.heads * sp->len; r++, n++) {
			null += (double)a[r * w];
			for (size_t j = 0; j < w; j++)
				if (a[r * w + j] > 0)
					h -= (double)a[r * w + j] * log((double)a[r * w + j]);
		}
	}
	*entropy = n ? h / (double)n : 0;
	*null_weight = n ? null / (double)n : 0;
}
