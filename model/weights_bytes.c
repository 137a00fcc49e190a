/* SPDX-License-Identifier: GPL-3.0-or-later */
/* weights_bytes: weights in 8 bits, quantised matrix by matrix when they are first used. */
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "../src/base/mem.h"
#include "weights_private.h"

/* A strip of a matrix is made reals of in a buffer that stays in the second-level cache. */
enum { STRIP_BYTES = 128 * 1024, STRIP_COLUMNS = 64 };

struct weights_bytes {
	pthread_mutex_t mu;               /* held while one is made */
	struct packed8 m[W_COUNT];        /* readable where ready */
	atomic_bool ready[W_COUNT];
	size_t missing;                   /* guarded by mu */
	struct weights_source src;        /* guarded by mu */
	void *block;
	size_t size;
	real *vectors;
};

static size_t round_up(size_t n)
{
	return (n + 63) / 64 * 64;
}

/* Lays the forms out; with block NULL only counts. */
static size_t place(struct weights *w, char *block)
{
	size_t at = 0;

	for (size_t i = 0; i < W_COUNT; i++) {
		const struct param *p = &w->layout.p[i];
		struct packed8 *m = &w->bytes->m[i];

		if (!weights_in_product(i))
			continue;
		m->k = i == W_EMBED ? p->cols : p->rows;
		m->n = i == W_EMBED ? p->rows : p->cols;
		if (block) {
			m->data = (int8_t *)(block + at);
			m->scale = (float *)(void *)(block + at + round_up(packed8_bytes(m->k, m->n)));
			m->rowsum = (int32_t *)(void *)((char *)m->scale + round_up(packed8_outputs(m->n) * sizeof(float)));
		}
		at += round_up(packed8_bytes(m->k, m->n)) + 2 * round_up(packed8_outputs(m->n) * sizeof(float));
	}
	return at;
}

static void read_reals(const struct weights_source_tensor *t, size_t from, size_t n, real *out)
{
	if (!t->bf16) {
		memcpy(out, (const real *)t->data + from, n * sizeof(*out));
		return;
	}
#ifdef ANSWERBACK_DOUBLE
	assert(!"files are read by the single-precision library");
#else
	kernels_from_bf16((const uint16_t *)t->data + from, out, n);
#endif
}

/* Outputs [j, j + n) of m, whose weights are rows (transposed) or columns of what is stored. */
static void quantise_strip(const struct packed8 *m, const struct weights_source_tensor *t, bool transposed,
                           size_t j, size_t n, real *strip)
{
	struct packed8 part = {
		.data = m->data + j * (packed8_bytes(m->k, 1) / packed8_outputs(1)),
		.scale = m->scale + j, .rowsum = m->rowsum + j, .k = m->k, .n = n,
	};

	if (transposed)
		read_reals(t, j * m->k, n * m->k, strip);
	for (size_t p = 0; p < m->k && !transposed; p++)
		read_reals(t, p * m->n + j, n, strip + p * n);
	pack_weights8(&part, strip, transposed ? m->k : n, transposed);
}

static void quantise(struct weights *w, enum weight_id id)
{
	struct weights_bytes *b = w->bytes;
	const struct packed8 *m = &b->m[id];
	const struct weights_source_tensor *t = &b->src.tensor[id];
	const size_t outputs = packed8_outputs(1);      /* of a panel: strips are whole panels */
	size_t cols = STRIP_BYTES / sizeof(real) / m->k / outputs * outputs;
	real *strip;

	cols = cols < outputs ? outputs : cols > STRIP_COLUMNS ? STRIP_COLUMNS : cols;
	strip = mem_aligned(mem_mul(cols, m->k) * sizeof(real));
	for (size_t j = 0; j < m->n; j += cols)
		quantise_strip(m, t, id == W_EMBED, j, m->n - j < cols ? m->n - j : cols, strip);
	mem_aligned_free(strip);
	if (b->src.drop)
		b->src.drop(t->data, m->k * m->n * (t->bf16 ? sizeof(uint16_t) : sizeof(real)));
	if (--b->missing == 0 && b->src.done) {
		b->src.done(b->src.owner);
		b->src.owner = NULL;
		b->src.done = NULL;
	}
}

const struct packed8 *weights_bytes(const struct weights *w, enum weight_id id)
{
	struct weights_bytes *b = w->bytes;

	if (!b)
		return NULL;
	assert(b->m[id].data);
	if (!atomic_load_explicit(&b->ready[id], memory_order_acquire)) {
		pthread_mutex_lock(&b->mu);
		if (!atomic_load_explicit(&b->ready[id], memory_order_relaxed)) {
			quantise((struct weights *)w, id);
			atomic_store_explicit(&b->ready[id], true, memory_order_release);
		}
		pthread_mutex_unlock(&b->mu);
	}
	return &b->m[id];
}

static void read_vectors(struct weights *w)
{
	struct weights_bytes *b = w->bytes;
	size_t at = 0;

	for (size_t i = 0; i < W_COUNT; i++)
		if (!weights_in_product(i))
			at += round_up(w->layout.p[i].rows * w->layout.p[i].cols);
	b->vectors = mem_aligned(at * sizeof(real));
	at = 0;
	for (size_t i = 0; i < W_COUNT; i++) {
		const size_t n = w->layout.p[i].rows * w->layout.p[i].cols;

		if (weights_in_product(i)) {
			b->missing++;
			continue;
		}
		read_reals(&b->src.tensor[i], 0, n, b->vectors + at);
		w->at[i] = b->vectors + at;
		at += round_up(n);
	}
}

struct weights *weights_bytes_new(const struct dialogue_config *c, const struct weights_source *src)
{
	struct weights *w = weights_shaped(c);
	struct weights_bytes *b = w->bytes = xcalloc(1, sizeof(*b));

	pthread_mutex_init(&b->mu, NULL);
	b->size = place(w, NULL);
	b->block = mem_large(b->size);
	place(w, b->block);
	if (src)
		weights_bytes_fill(w, src);
	return w;
}

void weights_bytes_fill(struct weights *w, const struct weights_source *src)
{
	w->bytes->src = *src;
	read_vectors(w);
}

struct weights *weights_bytes_from(const struct weights *w)
{
	struct weights_source src = { .owner = NULL };
	struct weights *to;

	assert(w->flat);
	for (size_t i = 0; i < W_COUNT; i++)
		src.tensor[i] = (struct weights_source_tensor){ weights_at(w, i), false };
	to = weights_bytes_new(&w->cfg, &src);
	for (size_t i = 0; i < W_COUNT; i++)
		if (weights_in_product(i))
			weights_bytes(to, i);
	return to;
}

void weights_bytes_free(struct weights_bytes *b)
{
	if (!b)
		return;
	if (b->src.done)
		b->src.done(b->src.owner);
	pthread_mutex_destroy(&b->mu);
	mem_large_free(b->block, b->size);
	mem_aligned_free(b->vectors);
	free(b);
}

size_t weights_bytes_memory(const struct weights *w)
{
	return w->bytes ? w->bytes->size : 0;
}
