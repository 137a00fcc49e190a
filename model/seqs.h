/* SPDX-License-Identifier: GPL-3.0-or-later */
/* seqs: many sequences of different lengths as one block of rows, without padding.
 *
 * Sequences are ordered longest first; step t holds one row for every sequence that is
 * still alive, so the batch shrinks as sequences end, and row b of step t and row b of
 * step t-1 belong to the same sequence. row[] maps a packed row to the row of the flat
 * (natural order) matrix it stands for; reading the map backwards in time gives the
 * right-to-left direction of a bidirectional layer.
 *
 *     step 0: A0 B0 C0    step 1: A1 B1    step 2: A2        (lengths 3, 2, 1)
 *
 * Memory comes from the caller's arena and lives as long as that. */
#ifndef ANSWERBACK_SEQS_H
#define ANSWERBACK_SEQS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../src/base/mem.h"
#include "real.h"

struct span {
	size_t start, len;      /* flat rows [start, start + len) */
};

struct seqs {
	size_t n;               /* sequences, empty ones not counted */
	size_t steps;           /* longest length */
	size_t rows;            /* sum of lengths */
	uint32_t *count;        /* [steps] sequences alive at each step */
	uint32_t *off;          /* [steps] first packed row of each step */
	uint32_t *row;          /* [rows] flat row of each packed row */
	uint32_t *source;       /* [n] which span each sequence came from */
};

/* Lay out spans (empty ones are left out); reversed: time runs from a span's end. */
void seqs_init(struct seqs *s, struct arena *a, const struct span *spans, size_t n, bool reversed);

/* packed[r] = flat[row[r]], width columns taken from stride ld (flat points at the first column) */
void seqs_gather(const struct seqs *s, const real *flat, size_t ld, size_t width, real *packed);
/* flat[row[r]] = packed[r], and its accumulating twin */
void seqs_scatter(const struct seqs *s, const real *packed, size_t width, real *flat, size_t ld);
void seqs_scatter_add(const struct seqs *s, const real *packed, size_t width, real *flat, size_t ld);

#endif
