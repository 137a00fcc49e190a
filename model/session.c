/* SPDX-License-Identifier: GPL-3.0-or-later */
/* session: live encoding and stepping. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "../src/base/mem.h"
#include "dialogue_private.h"
#include "session.h"

/* What must be restored to stand at the end of a turn again. */
struct turn_end {
	size_t rows;              /* memory rows up to and including this turn */
	real *state;              /* [h ; c] of the encoder: [2e] */
};

struct session {
	struct model *m;
	struct arena *a;          /* scratch of one call */
	size_t rows, cap;         /* memory: pieces and tags of all turns */
	int32_t *ids;             /* [cap] */
	real *kt;                 /* [A, ldkt], ldkt >= cap */
	size_t ldkt;
	real *v;                  /* [cap, A] */
	struct turn_end *turn;
	size_t turns, cap_turns;

	/* of the last step, for whoever asks why */
	struct attention_span span;
	real *probs, *gate;
	size_t cap_probs, cap_gate;
};

void decode_state_init(struct decode_state *st, const struct model *m, size_t cap)
{
	const size_t h = m->w->cfg.decoder_hidden;

	st->rows = 0;
	st->cap = cap;
	st->hidden = h;
	st->h1 = mem_large(4 * cap * h * sizeof(real));
	st->c1 = st->h1 + cap * h;
	st->h2 = st->c1 + cap * h;
	st->c2 = st->h2 + cap * h;
}

void decode_state_fini(struct decode_state *st)
{
	if (st->h1)
		mem_large_free(st->h1, 4 * st->cap * st->hidden * sizeof(real));
	memset(st, 0, sizeof(*st));
}

void decode_state_copy(struct decode_state *dst, size_t i, const struct decode_state *src, size_t j)
{
	const size_t h = dst->hidden, bytes = h * sizeof(real);

	assert(i < dst->cap && j < src->cap);
	memcpy(dst->h1 + i * h, src->h1 + j * h, bytes);
	memcpy(dst->c1 + i * h, src->c1 + j * h, bytes);
	memcpy(dst->h2 + i * h, src->h2 + j * h, bytes);
	memcpy(dst->c2 + i * h, src->c2 + j * h, bytes);
}

struct session *session_new(struct model *m)
{
	struct session *s = xcalloc(1, sizeof(*s));

	s->m = model_ref(m);
	s->a = arena_new(1 << 18);
	return s;
}

void session_free(struct session *s)
{
	if (!s)
		return;
	session_truncate(s, 0);
	model_unref(s->m);
	arena_free(s->a);
	free(s->ids);
	mem_aligned_free(s->kt);
	mem_aligned_free(s->v);
	mem_aligned_free(s->probs);
	mem_aligned_free(s->gate);
	free(s->turn);
	free(s);
}

struct model *session_model(const struct session *s)
{
	return s->m;
}

size_t session_turns(const struct session *s)
{
	return s->turns;
}

const int32_t *session_ids(const struct session *s, size_t *n)
{
	*n = s->rows;
	return s->ids;
}

void session_truncate(struct session *s, size_t turns)
{
	while (s->turns > turns)
		mem_aligned_free(s->turn[--s->turns].state);
	s->rows = s->turns ? s->turn[s->turns - 1].rows : 0;
}

static void grow_memory(struct session *s, size_t rows)
{
	const size_t A = s->m->w->cfg.attention;

	if (rows <= s->cap)
		return;

	size_t cap = s->cap ? 2 * s->cap : 256;

	while (cap < rows)
		cap *= 2;

	const size_t ldkt = cap + 1;      /* never a power of two */
	real *kt = mem_aligned(mem_mul(A, ldkt) * sizeof(real));
	real *v = mem_aligned(mem_mul(A, cap) * sizeof(real));

	for (size_t j = 0; j < A && s->rows > 0; j++)
		memcpy(kt + j * ldkt, s->kt + j * s->ldkt, s->rows * sizeof(real));
	if (s->rows > 0)
		memcpy(v, s->v, s->rows * A * sizeof(real));
	mem_aligned_free(s->kt);
	mem_aligned_free(s->v);
	s->kt = kt;
	s->v = v;
	s->ldkt = ldkt;
	s->cap = cap;
	s->ids = xreallocarray(s->ids, cap, sizeof(*s->ids));
}

void session_add(struct session *s, int32_t tag, const int32_t *ids, size_t n)
{
	const struct weights *w = s->m->w;
	const size_t d = w->cfg.embed, tb = 2 * w->cfg.turn_hidden, e = w->cfg.encoder_hidden;
	const size_t A = w->cfg.attention, len = n + 1;
	const real *before = s->turns ? s->turn[s->turns - 1].state : NULL;
	const struct span whole = { 0, len };
	struct lstm forward = weights_lstm(w, W_TURN_F_INPUT), backward = weights_lstm(w, W_TURN_B_INPUT);
	struct lstm through = weights_lstm(w, W_ENCODER_INPUT);
	struct seqs right, left;
	struct lstm_cache cache;

	arena_reset(s->a);
	grow_memory(s, s->rows + len);
	s->ids[s->rows] = tag;
	if (n > 0)
		memcpy(s->ids + s->rows + 1, ids, n * sizeof(*ids));

	real *x = arena_alloc(s->a, len * d * sizeof(real));
	real *turn = arena_alloc(s->a, len * tb * sizeof(real));
	real *norm = arena_alloc(s->a, len * tb * sizeof(real));
	real *mean = arena_alloc(s->a, 2 * len * sizeof(real));
	real *enc = arena_alloc(s->a, len * e * sizeof(real));
	real *k = arena_alloc(s->a, len * A * sizeof(real));

	dialogue_embed(w, s->ids + s->rows, len, x);
	seqs_init(&right, s->a, &whole, 1, false);
	seqs_init(&left, s->a, &whole, 1, true);
	lstm_forward(&forward, &right, s->a, x, d, NULL, NULL, &cache, turn, tb);
	lstm_forward(&backward, &left, s->a, x, d, NULL, NULL, &cache, turn + tb / 2, tb);
	kernels_layernorm(len, tb, turn, weights_at(w, W_TURN_NORM_GAIN), weights_at(w, W_TURN_NORM_BIAS),
	                  norm, mean, mean + len);
	lstm_forward(&through, &right, s->a, norm, tb, before, before ? before + e : NULL, &cache, enc, e);
	dialogue_memory(w, len, norm, enc, k, s->v + s->rows * A);
	for (size_t r = 0; r < len; r++)
		for (size_t j = 0; j < A; j++)
			s->kt[j * s->ldkt + s->rows + r] = k[r * A + j];

	if (s->turns == s->cap_turns) {
		s->cap_turns = s->cap_turns ? 2 * s->cap_turns : 16;
		s->turn = xreallocarray(s->turn, s->cap_turns, sizeof(*s->turn));
	}

	struct turn_end *end = &s->turn[s->turns++];

	s->rows += len;
	end->rows = s->rows;
	end->state = mem_aligned(2 * e * sizeof(real));
	memcpy(end->state, cache.h + (len - 1) * e, e * sizeof(real));
	memcpy(end->state + e, cache.c + (len - 1) * e, e * sizeof(real));
}

static void ensure(real **p, size_t *cap, size_t n)
{
	if (n <= *cap)
		return;
	mem_aligned_free(*p);
	*cap = n + n / 2;
	*p = mem_aligned(*cap * sizeof(real));
}

void session_start(struct session *s, int32_t tag, struct decode_state *st, real *logp)
{
	const struct weights *w = s->m->w;
	const size_t e = w->cfg.encoder_hidden, h = w->cfg.decoder_hidden;

	arena_reset(s->a);

	real *last = arena_zalloc(s->a, e * sizeof(real));
	real *start = arena_alloc(s->a, 4 * h * sizeof(real));

	if (s->turns)
		memcpy(last, s->turn[s->turns - 1].state, e * sizeof(real));
	st->rows = 1;
	dialogue_start(w, 1, last, start, st->h1, st->h2, st->c1, st->c2);
	session_step(s, st, &tag, logp);
}

void session_step(struct session *s, struct decode_state *st, const int32_t *ids, real *logp)
{
	const struct weights *w = s->m->w;
	const size_t n = st->rows, V = w->cfg.vocab, d = w->cfg.embed, h = w->cfg.decoder_hidden;
	const size_t A = w->cfg.attention, wide = h + A;
	const size_t m = s->rows < w->cfg.window ? s->rows : w->cfg.window;
	const struct attention at = dialogue_attention(w);
	struct lstm layer1 = weights_lstm(w, W_DEC1_INPUT), layer2 = weights_lstm(w, W_DEC2_INPUT);

	arena_reset(s->a);

	real *x = arena_alloc(s->a, n * d * sizeof(real));
	real *gates = arena_alloc(s->a, n * 4 * h * sizeof(real));
	real *mid = arena_alloc(s->a, n * wide * sizeof(real));
	real *norm = arena_alloc(s->a, n * wide * sizeof(real));
	real *mean = arena_alloc(s->a, 2 * n * sizeof(real));
	real *q = arena_alloc(s->a, n * A * sizeof(real));

	dialogue_embed(w, ids, n, x);
	lstm_step(&layer1, n, x, d, st->h1, st->c1, gates);
	for (size_t r = 0; r < n; r++)
		memcpy(mid + r * wide, st->h1 + r * h, h * sizeof(real));

	s->span = (struct attention_span){ .first = 0, .len = n, .memory = s->rows - m, .memory_len = m };
	ensure(&s->probs, &s->cap_probs, attention_layout(&at, &s->span, 1));
	weights_product(w, W_QUERY, n, mid, wide, false, q, A);
	attention_forward(&at, &s->span, 1, q, A, s->kt, s->ldkt, s->v, A, s->probs, mid + h, wide);
	kernels_layernorm(n, wide, mid, weights_at(w, W_MID_NORM_GAIN), weights_at(w, W_MID_NORM_BIAS),
	                  norm, mean, mean + n);
	lstm_step(&layer2, n, norm, wide, st->h2, st->c2, gates);
	if (!logp)
		return;

	real *o = arena_alloc(s->a, n * d * sizeof(real));

	/* layer 2 plus layer 1, as the batch adds them */
	for (size_t r = 0; r < n; r++) {
		real *z = mid + r * wide;

		memcpy(z, st->h2 + r * h, h * sizeof(real));
		if (w->cfg.residual)
			kernels_axpy(z, 1, st->h1 + r * h, h);
	}
	kernels_layernorm(n, wide, mid, weights_at(w, W_OUT_NORM_GAIN), weights_at(w, W_OUT_NORM_BIAS),
	                  norm, mean, mean + n);
	ensure(&s->gate, &s->cap_gate, n);
	dialogue_output(w, n, norm, o, s->gate);
	dialogue_logits(w, n, o, logp);
	for (size_t r = 0; r < n; r++) {
		const struct copy_source src = {
			.ids = s->ids + s->span.memory,
			.weight = s->probs + ((at.heads - 1) * n + r) * (1 + m),
			.n = m,
			.gate = s->gate[r],
		};

		output_mix(V, logp + r * V, &src);
	}
}

const real *session_attention(const struct session *s, size_t row, size_t head, size_t *first, size_t *n)
{
	*first = s->span.memory;
	*n = s->span.memory_len;
	return s->probs + (head * s->span.len + row) * (1 + s->span.memory_len);
}

real session_gate(const struct session *s, size_t row)
{
	return s->gate[row];
}
