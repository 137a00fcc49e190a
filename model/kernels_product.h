/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kernels_product: template of the float products; included by kernels_vector.h.
 *
 * Columns go panel by panel (two vectors), rows in tiles of nearly equal height, and
 * rows in blocks whose part of A stays in the second-level cache while the panels
 * pass by once a block. One to three rows take several panels at a time: a
 * multiply-add has four cycles of latency and two start in a cycle, so that fewer
 * than eight independent sums leave the unit waiting. */

enum {
	PANEL = 2 * W,
	BLOCK_BYTES = 192 * 1024,     /* of A a block */
	AHEAD = 1024,                 /* bytes of a panel fetched before they are needed */
	COPY_ROWS = 32,               /* with so many rows and not more k than this, a panel */
	COPY_K = 512                  /* is copied to the stack and used as a packed one */
};

struct tile {
	const float *a, *b;
	float *c;
	size_t k, lda, ldb, next, ldc;
	size_t cols;                  /* of the tile that are to be written */
	vmask mask0, mask1;           /* of the panel, when it is a tail */
	bool accumulate;
};

INLINE vf v_load_if(const float *p, bool masked, vmask m)
{
	return masked ? v_load_part(p, m) : v_load(p);
}

INLINE void fetch_ahead(const float *b, int vectors, size_t next)
{
	const char *p = (const char *)b + AHEAD;

	for (int v = 0; v < vectors; v += 64 / (W * 4), p += v % 2 ? 64 : 0)
		_mm_prefetch(p + (size_t)(v / 2) * next * sizeof(float), _MM_HINT_T0);
}

static void store_edge(float *c, const float *edge, size_t cols, bool accumulate)
{
	for (size_t j = 0; j < cols; j++)
		c[j] = accumulate ? c[j] + edge[j] : edge[j];
}

#define TILE_ROWS 1
#define TILE_VECTORS 8
#include "kernels_tile.h"
#define TILE_ROWS 2
#define TILE_VECTORS 4
#include "kernels_tile.h"
#define TILE_ROWS 3
#define TILE_VECTORS 4
#include "kernels_tile.h"
#define TILE_ROWS 1
#define TILE_VECTORS 2
#include "kernels_tile.h"
#define TILE_ROWS 2
#define TILE_VECTORS 2
#include "kernels_tile.h"
#define TILE_ROWS 3
#define TILE_VECTORS 2
#include "kernels_tile.h"
#define TILE_ROWS 4
#define TILE_VECTORS 2
#include "kernels_tile.h"
#define TILE_ROWS 5
#define TILE_VECTORS 2
#include "kernels_tile.h"
#define TILE_ROWS 6
#define TILE_VECTORS 2
#include "kernels_tile.h"
#if TILE_MOST_ROWS > 6
#define TILE_ROWS 7
#define TILE_VECTORS 2
#include "kernels_tile.h"
#define TILE_ROWS 8
#define TILE_VECTORS 2
#include "kernels_tile.h"
#define TILE_ROWS 9
#define TILE_VECTORS 2
#include "kernels_tile.h"
#define TILE_ROWS 10
#define TILE_VECTORS 2
#include "kernels_tile.h"
#define TILE_ROWS 11
#define TILE_VECTORS 2
#include "kernels_tile.h"
#define TILE_ROWS 12
#define TILE_VECTORS 2
#include "kernels_tile.h"
#endif

typedef void tile_function(const struct tile *t);

/* The micro-kernels of one kind of B: by rows for one panel, and the wide ones. */
struct tile_set {
	tile_function *one[TILE_MOST_ROWS + 1];
	tile_function *wide[4];       /* 1, 2, 3 rows */
};

#define ROWS_1_TO_6(kind) \
	NULL, tile_1_2_##kind, tile_2_2_##kind, tile_3_2_##kind, tile_4_2_##kind, \
	tile_5_2_##kind, tile_6_2_##kind
#if TILE_MOST_ROWS > 6
#define ALL_ROWS(kind) ROWS_1_TO_6(kind), tile_7_2_##kind, tile_8_2_##kind, \
	tile_9_2_##kind, tile_10_2_##kind, tile_11_2_##kind, tile_12_2_##kind
#else
#define ALL_ROWS(kind) ROWS_1_TO_6(kind)
#endif

static const struct tile_set packed_tiles = {
	{ ALL_ROWS(packed) }, { NULL, tile_1_8_packed, tile_2_4_packed, tile_3_4_packed }
};
static const struct tile_set rows_tiles = {
	{ ALL_ROWS(rows) }, { NULL, tile_1_8_rows, tile_2_4_rows, tile_3_4_rows }
};
static tile_function *const tail_tiles[] = { ALL_ROWS(tail) };

/* Panels a tile of so many rows takes at once. */
static const size_t wide_panels[4] = { 1, 4, 2, 2 };

/* All rows of a block by the columns [j, j + cols) that t->b points at. */
static void multiply_rows(struct tile *t, size_t m, tile_function *const *tiles,
                          const float *a, float *c)
{
	size_t left = (m + TILE_MOST_ROWS - 1) / TILE_MOST_ROWS;

	for (size_t i = 0, rows; i < m; i += rows, left--) {
		rows = (m - i + left - 1) / left;
		t->a = a + i * t->lda;
		t->c = c + i * t->ldc;
		tiles[rows](t);
	}
}

/* C = A B for a block of rows; a panel of B is `next` floats after the one before. */
static void multiply_block(struct tile *t, size_t m, size_t n, const struct tile_set *set,
                           bool padded, const float *a, const float *b, float *c)
{
	size_t j = 0;

	if (m <= 3) {
		size_t wide = wide_panels[m];

		t->a = a;
		t->cols = wide * PANEL;
		for (; j + wide * PANEL <= n; j += wide * PANEL) {
			t->b = b + j / PANEL * t->next;
			t->c = c + j;
			set->wide[m](t);
		}
	}
	t->cols = PANEL;
	for (; j + PANEL <= n; j += PANEL) {
		t->b = b + j / PANEL * t->next;
		multiply_rows(t, m, set->one, a, c + j);
	}
	if (j < n) {
		t->cols = n - j;
		t->mask0 = mask_first(t->cols < W ? t->cols : W);
		t->mask1 = mask_first(t->cols < W ? 0 : t->cols - W);
		t->b = b + j / PANEL * t->next;
		multiply_rows(t, m, padded ? set->one : tail_tiles, a, c + j);
	}
}

/* Rows of a block: their part of A takes BLOCK_BYTES. */
static size_t block_rows(size_t k)
{
	size_t rows = BLOCK_BYTES / sizeof(float) / (k + 1) / TILE_MOST_ROWS * TILE_MOST_ROWS;

	return rows < TILE_MOST_ROWS ? TILE_MOST_ROWS : rows;
}

static void gemm_packed(size_t m, const struct packed *w, const real *a, size_t lda,
                        bool accumulate, real *c, size_t ldc)
{
	struct tile t = { .k = w->k, .lda = lda, .ldb = PANEL, .next = PANEL * w->k,
	                  .ldc = ldc, .accumulate = accumulate };
	size_t most = block_rows(t.k);

	for (size_t i = 0; i < m; i += most)
		multiply_block(&t, m - i < most ? m - i : most, w->n, &packed_tiles, true,
		               a + i * lda, w->data, c + i * ldc);
}

/* Many rows: strided rows of B, a power of two apart at worst, would be fetched anew
 * for every tile. The same sums either way. */
static void multiply_copied(struct tile t, size_t m, size_t n, const float *a,
                            const float *b, float *c)
{
	_Alignas(64) float panel[COPY_K * PANEL];
	size_t most = block_rows(t.k);

	t.b = panel;
	for (size_t j = 0; j < n; j += PANEL) {
		t.cols = n - j < PANEL ? n - j : PANEL;
		t.mask0 = mask_first(t.cols < W ? t.cols : W);
		t.mask1 = mask_first(t.cols < W ? 0 : t.cols - W);
		for (size_t p = 0; p < t.k; p++) {
			const float *from = b + p * t.ldb + j;
			bool part = t.cols < PANEL;

			v_store(panel + p * PANEL, v_load_if(from, part, t.mask0));
			v_store(panel + p * PANEL + W, v_load_if(from + W, part, t.mask1));
		}
		for (size_t i = 0; i < m; i += most)
			multiply_rows(&t, m - i < most ? m - i : most, packed_tiles.one,
			              a + i * t.lda, c + i * t.ldc + j);
	}
	t.b = NULL;      /* the panel ends here */
}

static void gemm_rows(size_t m, size_t n, size_t k, const real *a, size_t lda,
                      const real *b, size_t ldb, bool accumulate, real *c, size_t ldc)
{
	struct tile t = { .k = k, .lda = lda, .ldb = ldb, .next = PANEL, .ldc = ldc,
	                  .accumulate = accumulate };
	size_t most = block_rows(k);

	if (m >= COPY_ROWS && k <= COPY_K) {
		multiply_copied(t, m, n, a, b, c);
		return;
	}
	for (size_t i = 0; i < m; i += most)
		multiply_block(&t, m - i < most ? m - i : most, n, &rows_tiles, false,
		               a + i * lda, b, c + i * ldc);
}
