/* SPDX-License-Identifier: GPL-3.0-or-later */
/* dialogue_backward: the loss over all rows and its gradient, last layer first.
 *
 * Logits are made in chunks of rows (a whole batch of them would be the largest array of
 * all); each chunk's gradient is used at once and forgotten. */
#include <math.h>
#include <string.h>

#include "dialogue.h"
#include "dialogue_private.h"

enum { CHUNK = 192 };

/* Where each weight's gradient goes. */
static real *grad_at(const struct dialogue_pass *p, real *grad, enum weight_id id)
{
	return grad + p->w->layout.p[id].offset;
}

static struct lstm_grad lstm_grad_at(const struct dialogue_pass *p, real *grad, enum weight_id input)
{
	return (struct lstm_grad){
		.input = grad_at(p, grad, input),
		.recurrent = grad_at(p, grad, input + 1),
		.bias = grad_at(p, grad, input + 2),
	};
}

static real *zero_rows(struct dialogue_pass *p, size_t width)
{
	return arena_zalloc(p->a, (p->b->rows + 1) * width * sizeof(real));
}

static void drop_grad(const struct dialogue_pass *p, enum dropout_site site, real *dx, size_t width)
{
	if (p->o.dropout > 0)
		kernels_dropout(dx, p->b->rows * width, p->o.dropout, dialogue_dropout_key(p, site));
}

/* dW += X^T dY for Y = X W */
static void weight_grad(struct dialogue_pass *p, real *grad, enum weight_id id, size_t rows,
                        const real *x, size_t ldx, const real *dy, size_t lddy)
{
	const struct param *q = &p->w->layout.p[id];

	kernels_gemm(true, false, q->rows, q->cols, rows, x, ldx, dy, lddy, true,
	             grad_at(p, grad, id), q->cols);
}

static void embed_grad(struct dialogue_pass *p, real *grad, const int32_t *ids, const real *dx)
{
	const size_t d = p->w->cfg.embed;
	const real scale = REAL_SQRT((real)d);
	real *g = grad_at(p, grad, W_EMBED);

	for (size_t r = 0; r < p->b->rows; r++)
		kernels_axpy(g + (size_t)ids[r] * d, scale, dx + r * d, d);
}

struct head_grad {
	real *o;          /* [rows, d] */
	real *gate;       /* [rows], of the gate before its sigmoid */
	real *probs;      /* copy head's weights, one head's layout */
};

/* teacher: [CHUNK, V] its logits of the chunk's rows; copied: [V] zeros. */
struct pulling {
	real *teacher, *copied, *match;
};

static double pull_row(struct dialogue_pass *p, size_t t, size_t r, real *row, real *teacher, const struct copy_source *src,
                       struct output_grad *g, const struct pulling *pl, real scale)
{
	const struct copy_source from = dialogue_copy_source(p->teacher, t, r);
	const size_t V = p->w->cfg.vocab;

	output_mix(V, teacher, &from);
	return output_pull(V, row, teacher, scale, src, g, pl->match, pl->copied);
}

static double loss_chunk(struct dialogue_pass *p, const uint32_t *rows, size_t n, real *logits,
                         float *logprob, const struct head_grad *hg, const struct pulling *pl)
{
	const struct dialogue_batch *b = p->b;
	const size_t V = p->w->cfg.vocab;
	size_t t = 0;
	double sum = 0;

	for (size_t i = 0; i < n; i++) {
		const size_t r = rows[i];

		while (r >= b->turn[t].start + b->turn[t].len)
			t++;

		struct copy_source src = dialogue_copy_source(p, t, r);
		real *row = logits + i * V;
		const bool pulled = p->teacher && b->pull && b->pull[r] > 0;
		struct output_grad g;

		if (!hg) {
			real lp = b->weight[r] != 0 || logprob ?
				output_log_prob(V, row, b->target[r], &src) : 0;

			if (logprob)
				logprob[r] = (float)lp;
			if (pulled)
				sum += (double)b->pull[r] * pull_row(p, t, r, row, pl->teacher + i * V, &src, &g, pl, 0);
			else
				sum -= (double)b->weight[r] * (double)lp;
			continue;
		}
		if (pulled) {
			sum += (double)b->pull[r] * pull_row(p, t, r, row, pl->teacher + i * V, &src, &g, pl, (real)b->pull[r]);
		} else {
			double nll = output_loss(V, row, b->target[r], (real)b->weight[r],
			                         p->o.label_smoothing, &src, &g);

			sum += (double)b->weight[r] * nll;
			if (logprob)
				logprob[r] = (float)-nll;
		}
		if (src.n == 0 || src.gate == 0) {
			hg->gate[r] = 0;
			continue;
		}
		hg->gate[r] = g.gate * src.gate * (1 - src.gate);

		real *da = hg->probs + p->spans[t].probs / p->w->cfg.heads +
			(r - p->spans[t].first) * (1 + src.n);

		da[0] = g.null;
		for (size_t j = 0; j < src.n; j++) {
			if (pulled)
				da[j + 1] = pl->match[j];
			else if (src.ids[j] == b->target[r])
				da[j + 1] = g.match;
		}
	}
	return sum;
}

/* Rows whose distribution is wanted, in their order: those that count for nothing need none. */
static size_t rows_wanted(const struct dialogue_batch *b, bool all, uint32_t *row, bool *pulled)
{
	size_t n = 0;

	*pulled = false;
	for (size_t r = 0; r < b->rows; r++) {
		const bool pull = b->pull && b->pull[r] > 0;

		*pulled = *pulled || pull;
		if (all || pull || b->weight[r] != 0)
			row[n++] = (uint32_t)r;
	}
	return n;
}

static const real *gathered(const real *x, const uint32_t *row, size_t n, size_t width, real *to)
{
	for (size_t i = 0; i < n; i++)
		memcpy(to + i * width, x + row[i] * width, width * sizeof(real));
	return to;
}

static double loss_rows(struct dialogue_pass *p, float *logprob, real *grad, const struct head_grad *hg)
{
	const struct dialogue_batch *b = p->b;
	const size_t V = p->w->cfg.vocab, d = p->w->cfg.embed, mark = arena_mark(p->a);
	uint32_t *row = arena_alloc(p->a, (b->rows + 1) * sizeof(*row));
	real *logits = arena_alloc(p->a, CHUNK * V * sizeof(real)), *some = arena_alloc(p->a, CHUNK * d * sizeof(real));
	real *dsome = arena_alloc(p->a, CHUNK * d * sizeof(real));
	bool pulled;
	const size_t rows = rows_wanted(b, logprob != NULL, row, &pulled);
	const struct pulling pl = !p->teacher ? (struct pulling){ 0 } : (struct pulling){
		.teacher = pulled ? arena_alloc(p->a, CHUNK * V * sizeof(real)) : NULL, .copied = arena_zalloc(p->a, V * sizeof(real)),
		.match = arena_alloc(p->a, (p->w->cfg.window + 1) * sizeof(real)),
	};
	double sum = 0;

	for (size_t from = 0; from < rows; from += CHUNK) {
		const size_t n = rows - from < CHUNK ? rows - from : CHUNK;
		const real *o;

		if (p->teacher && pulled)
			dialogue_logits(p->teacher->w, n, gathered(p->teacher->o_rows, row + from, n, d, some), pl.teacher);
		o = gathered(p->o_rows, row + from, n, d, some);
		dialogue_logits(p->w, n, o, logits);
		sum += loss_chunk(p, row + from, n, logits, logprob, grad ? hg : NULL, &pl);
		if (!grad)
			continue;
		kernels_gemm(false, false, n, d, V, logits, V, weights_at(p->w, W_EMBED), d, false, dsome, d);
		for (size_t i = 0; i < n; i++)
			memcpy(hg->o + row[from + i] * d, dsome + i * d, d * sizeof(real));
		kernels_gemm(true, false, V, d, n, logits, V, o, d, true, grad_at(p, grad, W_EMBED), d);
		kernels_column_sums(n, V, logits, V, grad_at(p, grad, W_EMBED_BIAS));
	}
	arena_release(p->a, mark);
	return sum;
}

/* Output projection, gate and norm; returns the gradient of [h2 + h1 ; ctx]. */
static real *output_backward(struct dialogue_pass *p, real *grad, const struct head_grad *hg)
{
	const struct weights *w = p->w;
	const size_t rows = p->b->rows, d = w->cfg.embed;
	const size_t wide = w->cfg.decoder_hidden + w->cfg.attention;
	real *dz = zero_rows(p, wide);

	weight_grad(p, grad, W_OUT, rows, p->out_norm, wide, hg->o, d);
	kernels_column_sums(rows, d, hg->o, d, grad_at(p, grad, W_OUT_BIAS));
	kernels_gemm_packed(rows, &w->packed_t[W_OUT], hg->o, d, false, dz, wide);
	if (w->cfg.copy) {
		for (size_t r = 0; r < rows; r++) {
			kernels_axpy(dz + r * wide, hg->gate[r], weights_at(w, W_COPY), wide);
			kernels_axpy(grad_at(p, grad, W_COPY), hg->gate[r], p->out_norm + r * wide, wide);
			grad_at(p, grad, W_COPY_BIAS)[0] += hg->gate[r];
		}
	}
	drop_grad(p, DROP_OUT, dz, wide);
	kernels_layernorm_backward(rows, wide, p->out, weights_at(w, W_OUT_NORM_GAIN),
	                           p->out_mean, p->out_rstd, dz, dz,
	                           grad_at(p, grad, W_OUT_NORM_GAIN),
	                           grad_at(p, grad, W_OUT_NORM_BIAS));
	return dz;
}

struct encoder_grad {
	real *turn;       /* [rows, 2b] of the normed turn encoding */
	real *enc;        /* [rows, e] */
};

/* Both decoder layers and attention; adds to what the encoder will go on with. */
static void decoder_backward(struct dialogue_pass *p, real *grad, real *dz, const real *dprobs,
                             const struct encoder_grad *eg)
{
	const struct weights *w = p->w;
	const struct dialogue_batch *b = p->b;
	const size_t rows = b->rows, d = w->cfg.embed, h = w->cfg.decoder_hidden;
	const size_t A = w->cfg.attention, wide = h + A, T = b->turns + 1;
	const size_t tb = 2 * w->cfg.turn_hidden, e = w->cfg.encoder_hidden;
	struct lstm layer1 = weights_lstm(w, W_DEC1_INPUT), layer2 = weights_lstm(w, W_DEC2_INPUT);
	struct lstm_grad g1 = lstm_grad_at(p, grad, W_DEC1_INPUT), g2 = lstm_grad_at(p, grad, W_DEC2_INPUT);
	real *dh0[2], *dc0[2];

	for (size_t i = 0; i < 2; i++) {
		dh0[i] = arena_zalloc(p->a, T * h * sizeof(real));
		dc0[i] = arena_zalloc(p->a, T * h * sizeof(real));
	}

	real *dmid = zero_rows(p, wide);

	lstm_backward(&layer2, &p->dec2, p->a, dz, wide, dmid, wide, dh0[1], dc0[1], &g2);
	drop_grad(p, DROP_MID, dmid, wide);
	kernels_layernorm_backward(rows, wide, p->mid, weights_at(w, W_MID_NORM_GAIN),
	                           p->mid_mean, p->mid_rstd, dmid, dmid,
	                           grad_at(p, grad, W_MID_NORM_GAIN),
	                           grad_at(p, grad, W_MID_NORM_BIAS));
	for (size_t r = 0; r < rows; r++) {
		if (w->cfg.residual)
			kernels_axpy(dmid + r * wide, 1, dz + r * wide, h);
		kernels_axpy(dmid + r * wide + h, 1, dz + r * wide + h, A);
	}

	const struct attention at = dialogue_attention(w);
	const struct attention_grad ag = { grad_at(p, grad, W_NULL_KEY), grad_at(p, grad, W_NULL_VALUE) };
	real *dq = zero_rows(p, A), *dk = zero_rows(p, A), *dv = zero_rows(p, A);

	attention_backward(&at, p->spans, b->turns, p->a, p->q, A, p->k, A, p->v, A, p->probs, dprobs,
	                   dmid + h, wide, dq, A, dk, A, dv, A, &ag);
	weight_grad(p, grad, W_QUERY, rows, p->mid, wide, dq, A);
	kernels_gemm_packed(rows, &w->packed_t[W_QUERY], dq, A, true, dmid, wide);

	weight_grad(p, grad, W_KEY_TURN, rows, p->turn_norm, tb, dk, A);
	weight_grad(p, grad, W_KEY_DIALOGUE, rows, p->enc, e, dk, A);
	weight_grad(p, grad, W_VALUE_TURN, rows, p->turn_norm, tb, dv, A);
	weight_grad(p, grad, W_VALUE_DIALOGUE, rows, p->enc, e, dv, A);
	kernels_gemm_packed(rows, &w->packed_t[W_KEY_TURN], dk, A, true, eg->turn, tb);
	kernels_gemm_packed(rows, &w->packed_t[W_VALUE_TURN], dv, A, true, eg->turn, tb);
	kernels_gemm_packed(rows, &w->packed_t[W_KEY_DIALOGUE], dk, A, true, eg->enc, e);
	kernels_gemm_packed(rows, &w->packed_t[W_VALUE_DIALOGUE], dv, A, true, eg->enc, e);

	real *dx = zero_rows(p, d);

	lstm_backward(&layer1, &p->dec1, p->a, dmid, wide, dx, d, dh0[0], dc0[0], &g1);
	drop_grad(p, DROP_DECODER_INPUT, dx, d);
	embed_grad(p, grad, b->decoder_input, dx);

	/* start = tanh(e_last S + s): [h1 h2 c1 c2] */
	real *dstart = arena_alloc(p->a, T * 4 * h * sizeof(real));
	real *dlast = arena_alloc(p->a, T * e * sizeof(real));

	for (size_t t = 0; t < b->turns; t++) {
		real *ds = dstart + t * 4 * h;
		const real *s = p->start + t * 4 * h;

		memcpy(ds, dh0[0] + t * h, h * sizeof(real));
		memcpy(ds + h, dh0[1] + t * h, h * sizeof(real));
		memcpy(ds + 2 * h, dc0[0] + t * h, h * sizeof(real));
		memcpy(ds + 3 * h, dc0[1] + t * h, h * sizeof(real));
		for (size_t j = 0; j < 4 * h; j++)
			ds[j] *= 1 - s[j] * s[j];
	}
	weight_grad(p, grad, W_START, b->turns, p->start_in, e, dstart, 4 * h);
	kernels_column_sums(b->turns, 4 * h, dstart, 4 * h, grad_at(p, grad, W_START_BIAS));
	kernels_gemm_packed(b->turns, &w->packed_t[W_START], dstart, 4 * h, false, dlast, e);
	for (size_t i = 0; i < b->dialogues; i++)
		for (size_t t = b->first_turn[i] + 1; t < b->first_turn[i + 1]; t++)
			kernels_axpy(eg->enc + (b->turn[t].start - 1) * e, 1, dlast + t * e, e);
	for (size_t t = b->first_turn[b->dialogues]; t < b->turns; t++) {
		const size_t place = dialogue_place(b, t);

		if (p->spans[place].memory_len > 0)      /* a first turn has nothing before it */
			kernels_axpy(eg->enc + (b->turn[place].start - 1) * e, 1, dlast + t * e, e);
	}
}

static void encoder_backward(struct dialogue_pass *p, real *grad, const struct encoder_grad *eg)
{
	const struct weights *w = p->w;
	const size_t rows = p->b->rows, d = w->cfg.embed, tb = 2 * w->cfg.turn_hidden;
	struct lstm through = weights_lstm(w, W_ENCODER_INPUT);
	struct lstm forward = weights_lstm(w, W_TURN_F_INPUT), backward = weights_lstm(w, W_TURN_B_INPUT);
	struct lstm_grad ge = lstm_grad_at(p, grad, W_ENCODER_INPUT);
	struct lstm_grad gf = lstm_grad_at(p, grad, W_TURN_F_INPUT), gb = lstm_grad_at(p, grad, W_TURN_B_INPUT);

	lstm_backward(&through, &p->encoder, p->a, eg->enc, w->cfg.encoder_hidden, eg->turn, tb,
	              NULL, NULL, &ge);
	drop_grad(p, DROP_TURN, eg->turn, tb);
	kernels_layernorm_backward(rows, tb, p->turn, weights_at(w, W_TURN_NORM_GAIN),
	                           p->turn_mean, p->turn_rstd, eg->turn, eg->turn,
	                           grad_at(p, grad, W_TURN_NORM_GAIN),
	                           grad_at(p, grad, W_TURN_NORM_BIAS));

	real *dx = zero_rows(p, d);

	lstm_backward(&forward, &p->turn_f, p->a, eg->turn, tb, dx, d, NULL, NULL, &gf);
	lstm_backward(&backward, &p->turn_b, p->a, eg->turn + tb / 2, tb, dx, d, NULL, NULL, &gb);
	drop_grad(p, DROP_ENCODER_INPUT, dx, d);
	embed_grad(p, grad, p->b->encoder_input, dx);
}

double dialogue_loss(struct dialogue_pass *p, float *logprob, real *grad)
{
	const struct dialogue_config *c = &p->w->cfg;

	if (!grad)
		return loss_rows(p, logprob, NULL, NULL);

	const struct head_grad hg = {
		.o = zero_rows(p, c->embed),
		.gate = zero_rows(p, 1),
		.probs = c->copy ? arena_zalloc(p->a, (p->probs_len / c->heads + 1) * sizeof(real)) : NULL,
	};
	double sum = loss_rows(p, logprob, grad, &hg);
	real *dz = output_backward(p, grad, &hg);
	const struct encoder_grad eg = {
		.turn = zero_rows(p, 2 * c->turn_hidden),
		.enc = zero_rows(p, c->encoder_hidden),
	};

	decoder_backward(p, grad, dz, hg.probs, &eg);
	encoder_backward(p, grad, &eg);
	return sum;
}
