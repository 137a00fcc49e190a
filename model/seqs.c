/* SPDX-License-Identifier: GPL-3.0-or-later */
/* seqs: the packed, padding-free layout of ragged batches. */
#include <assert.h>
#include <string.h>

#include "kernels.h"
#include "seqs.h"

/* Longest first; equal lengths stay in their order, so that the layout is a function
 * of the lengths alone. Counting sort: lengths are small, and nothing is allocated
 * outside the arena. */
static void order_by_length(const struct span *spans, size_t n, size_t longest,
                            uint32_t *order, uint32_t *slots)
{
	memset(slots, 0, (longest + 2) * sizeof(*slots));
	for (size_t i = 0; i < n; i++)
		slots[longest - spans[i].len + 1]++;
	for (size_t l = 1; l <= longest; l++)
		slots[l] += slots[l - 1];
	for (size_t i = 0; i < n; i++)
		if (spans[i].len > 0)
			order[slots[longest - spans[i].len]++] = (uint32_t)i;
}

void seqs_init(struct seqs *s, struct arena *a, const struct span *spans, size_t n, bool reversed)
{
	size_t longest = 0, rows = 0, alive = 0, at = 0;

	for (size_t i = 0; i < n; i++) {
		longest = spans[i].len > longest ? spans[i].len : longest;
		rows += spans[i].len;
		alive += spans[i].len > 0;
	}
	s->n = alive;
	s->steps = longest;
	s->rows = rows;
	s->source = arena_alloc(a, (alive + 1) * sizeof(*s->source));
	s->count = arena_alloc(a, (longest + 1) * sizeof(*s->count));
	s->off = arena_alloc(a, (longest + 1) * sizeof(*s->off));
	s->row = arena_alloc(a, (rows + 1) * sizeof(*s->row));

	uint32_t *slots = arena_alloc(a, (longest + 2) * sizeof(*slots));
	order_by_length(spans, n, longest, s->source, slots);

	for (size_t t = 0; t < longest; t++) {
		while (alive > 0 && spans[s->source[alive - 1]].len <= t)
			alive--;
		s->count[t] = (uint32_t)alive;
		s->off[t] = (uint32_t)at;
		for (size_t b = 0; b < alive; b++) {
			const struct span *sp = &spans[s->source[b]];
			size_t r = reversed ? sp->start + sp->len - 1 - t : sp->start + t;

			s->row[at++] = (uint32_t)r;
		}
	}
	assert(at == rows);
}

void seqs_gather(const struct seqs *s, const real *flat, size_t ld, size_t width, real *packed)
{
	for (size_t r = 0; r < s->rows; r++)
		memcpy(packed + r * width, flat + s->row[r] * ld, width * sizeof(real));
}

void seqs_scatter(const struct seqs *s, const real *packed, size_t width, real *flat, size_t ld)
{
	for (size_t r = 0; r < s->rows; r++)
		memcpy(flat + s->row[r] * ld, packed + r * width, width * sizeof(real));
}

void seqs_scatter_add(const struct seqs *s, const real *packed, size_t width, real *flat, size_t ld)
{
	for (size_t r = 0; r < s->rows; r++)
		kernels_axpy(flat + s->row[r] * ld, 1, packed + r * width, width);
}
