/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kernels_tile: template of one micro-kernel, included once for every tile size by
 * kernels_product.h with TILE_ROWS and TILE_VECTORS defined. A tile is TILE_ROWS rows
 * of C by TILE_VECTORS vectors of columns; its sums live in registers over all of k.
 *
 * Every sum starts at zero and takes its products in the order of k, one fused
 * multiply-add each, in every tile size: that is the promise of kernels.h. What was
 * in C before is added once, at the end. */

#define JOIN3_(a, b, c) a##b##_##c
#define JOIN3(a, b, c) JOIN3_(a, b, c)
#define JOIN2_(a, b) a##b
#define JOIN2(a, b) JOIN2_(a, b)
#define NAME JOIN3(tile_, TILE_ROWS, TILE_VECTORS)
#define ROWS(X, ...) JOIN2(REPEAT_, TILE_ROWS)(X, __VA_ARGS__)
#define VECTORS(X, ...) JOIN2(AGAIN_, TILE_VECTORS)(X, __VA_ARGS__)

#define SUM(r, v) sum_##r##_##v
#define ZERO_SUM(v, r) vf SUM(r, v) = v_set(0);
#define ZERO_ROW(r, _) const float *a##r = a + (r) * lda; VECTORS(ZERO_SUM, r)
#define SPREAD(r, p) vf x##r = v_set(a##r[p]);
#define LOAD_B(v, p) vf b##v = v_load_if(b + ((v) >> 1) * next + (v) % 2 * W, masked, \
                                         (v) % 2 ? t->mask1 : t->mask0);
#define MULTIPLY(r, v) SUM(r, v) = v_fma(x##r, b##v, SUM(r, v));
#define MULTIPLY_SPREAD(v, r) SUM(r, v) = v_fma(x, b##v, SUM(r, v));
/* Few rows: hold those, take the vectors of b one by one; else the other way round. */
#define COLUMN(v, p) { LOAD_B(v, p) ROWS(MULTIPLY, v) }
#define ROW(r, p) { vf x = v_set(a##r[p]); VECTORS(MULTIPLY_SPREAD, r) }
#define ADD_TO(v, r) SUM(r, v) = v_add(v_load(t->c + (r) * t->ldc + (v) * W), SUM(r, v));
#define ADD_ROW(r, _) VECTORS(ADD_TO, r)
#define PUT_TO(v, r) v_store(t->c + (r) * t->ldc + (v) * W, SUM(r, v));
#define PUT_ROW(r, _) VECTORS(PUT_TO, r)
#define EDGE_TO(v, r) v_store(edge + (v) * W, SUM(r, v));
#define EDGE_ROW(r, _) VECTORS(EDGE_TO, r) \
	store_edge(t->c + (r) * t->ldc, edge, t->cols, t->accumulate);
#define FETCH_ROW(r, _) _mm_prefetch((const char *)(t->c + (r) * t->ldc), _MM_HINT_T0);

/* ldb: from one k to the next; next: from one pair of vectors to the next pair. */
INLINE void JOIN2(NAME, _any)(const struct tile *t, size_t ldb, size_t next, bool ahead,
                              bool masked)
{
	const float *a = t->a, *b = t->b;
	size_t k = t->k, lda = t->lda;

	ROWS(ZERO_ROW, 0)
	ROWS(FETCH_ROW, 0)
	(void)next;
	for (size_t p = 0; p < k; p++, b += ldb) {
		if (ahead)
			fetch_ahead(b, TILE_VECTORS, next);
#if TILE_ROWS <= 3
		ROWS(SPREAD, p)
		VECTORS(COLUMN, p)
#else
		VECTORS(LOAD_B, p)
		ROWS(ROW, p)
#endif
	}
	if (t->cols < TILE_VECTORS * W) {
		float edge[TILE_VECTORS * W];

		ROWS(EDGE_ROW, 0)
		return;
	}
	if (t->accumulate) {
		ROWS(ADD_ROW, 0)
	}
	ROWS(PUT_ROW, 0)
}

static void JOIN2(NAME, _packed)(const struct tile *t)
{
	JOIN2(NAME, _any)(t, PANEL, t->next, true, false);
}

static void JOIN2(NAME, _rows)(const struct tile *t)
{
	JOIN2(NAME, _any)(t, t->ldb, t->next, false, false);
}

#if TILE_VECTORS == 2
/* For the last columns of a matrix without padding: no byte outside is touched. */
static void JOIN2(NAME, _tail)(const struct tile *t)
{
	JOIN2(NAME, _any)(t, t->ldb, t->next, false, true);
}
#endif

#undef JOIN3_
#undef JOIN3
#undef JOIN2_
#undef JOIN2
#undef NAME
#undef ROWS
#undef VECTORS
#undef SUM
#undef ZERO_SUM
#undef ZERO_ROW
#undef SPREAD
#undef LOAD_B
#undef MULTIPLY
#undef MULTIPLY_SPREAD
#undef COLUMN
#undef ROW
#undef ADD_TO
#undef ADD_ROW
#undef PUT_TO
#undef PUT_ROW
#undef EDGE_TO
#undef EDGE_ROW
#undef FETCH_ROW
#undef TILE_ROWS
#undef TILE_VECTORS
