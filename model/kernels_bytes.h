/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kernels_bytes: template of the 8-bit products. Layout and rounding are those of
 * kernels_table.h on every path, and so is every bit of the result: the sums are
 * integers, the epilogue is one product of two scales, one product, and one sum when
 * accumulating, never fused. */

#define BYTE_OFFSET_BITS 6
#define BYTE_OFFSET (1 << BYTE_OFFSET_BITS)      /* added to quantised activations */
#define PANEL_VECTORS (16 / W)    /* PACKED8_PANEL in vectors */

enum {
	BYTES = 4 * W,                /* in a vector of weights */
	BYTES_AHEAD = 512,            /* of a panel fetched before they are needed */
	CHUNK8 = 256                  /* inputs of one output packed at a time */
};

/* Scale of a vector from the bits of its largest absolute value, which becomes `most`, and what to multiply
 * by to quantise: 0 when there is nothing to keep. */
static float scale8(int32_t bits, float most, float *inverse)
{
	float top;

	*inverse = 0;
	if (bits >= 0x7f800000)
		return NAN;
	memcpy(&top, &bits, sizeof(top));
	if (top < PACKED8_TINY)
		return 0;
	*inverse = most / top;
	return top / most;
}

/* Lanes that are not there become the byte of a zero. */
INLINE void bytes_step(int8_t *q, const float *x, vf inverse, int offset, vi *sum, size_t i,
                       struct lanes l)
{
	vi bytes = vi_nearest(v_mul(get(x + i, l), inverse));

	*sum = vi_add(*sum, bytes);
	vi_store_bytes(q + i, vi_add(bytes, vi_set(offset)));
}

/* q: packed8_stride(k) bytes. */
static float quantise_activations(const float *x, size_t k, int8_t *q)
{
	vi top = vi_set(0), sum = top;
	float inverse, scale;

	EACH_VECTOR(k, largest_step, &top, x);
	scale = scale8(vi_largest(top), PACKED8_ACTIVATION, &inverse);
	if (inverse > 0)
		EACH_VECTOR(k, bytes_step, q, x, v_set(inverse), BYTE_OFFSET, &sum);
	else
		memset(q, BYTE_OFFSET, packed8_stride(k));
	return scale;
}

/* ---- packing ---- */

static int32_t vi_total(vi a)
{
	int32_t lane[W], sum = 0;

	vi_store(lane, a);
	for (size_t l = 0; l < W; l++)
		sum += lane[l];
	return sum;
}

/* One output whose inputs lie side by side: quantised in a buffer, then spread over
 * its 32-bit lanes of the panel, which is zero already. */
static void pack_output(int8_t *lanes, const float *x, size_t k, float *scale, int32_t *rowsum)
{
	int8_t q[CHUNK8];
	vi top = vi_set(0), sum = top;
	float inverse;

	EACH_VECTOR(k, largest_step, &top, x);
	*scale = scale8(vi_largest(top), PACKED8_WEIGHT, &inverse);
	if (!(inverse > 0))
		return;
	for (size_t p = 0; p < k; p += CHUNK8) {
		size_t n = k - p < CHUNK8 ? k - p : CHUNK8;

		EACH_VECTOR(n, bytes_step, q, x + p, v_set(inverse), 0, &sum);
		for (size_t i = 0; i < n; i += 4, lanes += 4 * PACKED8_PANEL)
			memcpy(lanes, q + i, 4);
	}
	*rowsum = vi_total(sum);
}

/* A vector of outputs whose inputs are columns of x: four rows make the lanes. */
INLINE void pack_outputs(int8_t *lanes, const float *x, size_t ldx, size_t k, float *scale,
                         int32_t *rowsum, struct lanes l)
{
	vi top = vi_set(0), sum = top;
	int32_t bits[W];
	float inverse[W];

	for (size_t p = 0; p < k; p++)
		largest_step(&top, x + p * ldx, 0, l);
	vi_store(bits, top);
	for (size_t i = 0; i < W; i++)
		scale[i] = scale8(bits[i], PACKED8_WEIGHT, inverse + i);
	for (size_t p = 0; p < k; p += 4, lanes += 4 * PACKED8_PANEL) {
		vi four = vi_set(0);

		for (size_t b = 0; b < 4 && p + b < k; b++) {
			/* out of range (a NaN) is INT32_MIN, whose low byte is zero */
			vi q = vi_nearest(v_mul(get(x + (p + b) * ldx, l), v_load(inverse)));

			sum = vi_add(sum, q);
			four = vi_or(four, vi_left(vi_and(q, vi_set(255)), 8 * (int)b));
		}
		vi_store(lanes, four);
	}
	vi_store(rowsum, sum);
	for (size_t i = 0; i < W; i++)
		if (!(inverse[i] > 0))
			rowsum[i] = 0;
}

static void pack8(struct packed8 *dst, const real *w, size_t ldw, bool transposed)
{
	size_t k = dst->k, n = dst->n, kr = packed8_round_k(k);

	memset(dst->data, 0, packed8_bytes(k, n));
	memset(dst->scale, 0, packed8_outputs(n) * sizeof(*dst->scale));
	memset(dst->rowsum, 0, packed8_outputs(n) * sizeof(*dst->rowsum));
	for (size_t j = 0, step = transposed ? 1 : W; j < n; j += step) {
		int8_t *lanes = dst->data + j / PACKED8_PANEL * PACKED8_PANEL * kr
			+ j % PACKED8_PANEL * 4;

		if (transposed)
			pack_output(lanes, w + j * ldw, k, dst->scale + j, dst->rowsum + j);
		else if (n - j >= W)
			pack_outputs(lanes, w + j, ldw, k, dst->scale + j, dst->rowsum + j,
			             lanes_all());
		else
			pack_outputs(lanes, w + j, ldw, k, dst->scale + j, dst->rowsum + j,
			             lanes_first(n - j));
	}
}

/* ---- product ---- */

/* Up to 4 rows by up to 8 vectors of outputs: the sums over all of k. */
struct byte_tile {
	const int8_t *q, *w;
	size_t stride;                /* of q, from row to row */
	size_t kr, next;              /* bytes from one panel of w to the next */
	int32_t sums[4][8 * W];
};

typedef void byte_function(struct byte_tile *t);

#define BSUM(r, v) sum_##r##_##v
#define BZERO(v, r) vi BSUM(r, v) = vi_set(0);
#define BZERO_ROW(r, V) const int8_t *q##r = t->q + (r) * t->stride; AGAIN_##V(BZERO, r)
#define BSPREAD(r, p) struct four x##r = four_spread(q##r + (p));
#define BDOT(r, v) BSUM(r, v) = four_dot(BSUM(r, v), x##r, b##v);
#define BCOLUMN(v, R) { BLOAD(v, 0) REPEAT_##R(BDOT, v) }
#define BLOAD(v, _) vi b##v = vi_load(w + (v) / PANEL_VECTORS * next + (v) % PANEL_VECTORS * BYTES);
#define BDOT_SPREAD(v, r) BSUM(r, v) = four_dot(BSUM(r, v), x, b##v);
#define BROW(r, V) { struct four x = four_spread(q##r + p); AGAIN_##V(BDOT_SPREAD, r) }
#define BPUT(v, r) vi_store(t->sums[r] + (v) * W, BSUM(r, v));
#define BPUT_ROW(r, V) AGAIN_##V(BPUT, r)
#define BFETCH(v, _) if ((v) % PANEL_VECTORS == 0) \
	_mm_prefetch((const char *)(w + (v) / PANEL_VECTORS * next + BYTES_AHEAD), _MM_HINT_T0);

#define BYTE_TILE(R, V, STEP) \
	static void bytes_##R##_##V(struct byte_tile *t) \
	{ \
		const int8_t *w = t->w; \
		size_t kr = t->kr, next = t->next; \
		\
		(void)next; \
		REPEAT_##R(BZERO_ROW, V) \
		for (size_t p = 0; p < kr; p += 4, w += 4 * PACKED8_PANEL) { \
			AGAIN_##V(BFETCH, 0) \
			STEP(R, V) \
		} \
		REPEAT_##R(BPUT_ROW, V) \
	}

/* Few rows: hold those, take the weights one by one; else the other way round. */
#define HOLD_ROWS(R, V) REPEAT_##R(BSPREAD, p) AGAIN_##V(BCOLUMN, R)
#define HOLD_WEIGHTS(R, V) AGAIN_##V(BLOAD, 0) REPEAT_##R(BROW, V)

/* By rows and panels. Fewer rows take more panels at once: there must be work enough
 * between one addition to a sum and the next. */
BYTE_TILE(1, 8, HOLD_ROWS)
BYTE_TILE(2, 4, HOLD_ROWS)
BYTE_TILE(2, 2, HOLD_ROWS)
BYTE_TILE(3, 2, HOLD_WEIGHTS)
BYTE_TILE(4, 2, HOLD_WEIGHTS)
#if PANEL_VECTORS == 2
BYTE_TILE(1, 2, HOLD_ROWS)
static byte_function *const byte_tiles[5][9] = {
	[1] = { [1] = bytes_1_2, [4] = bytes_1_8 },
	[2] = { [1] = bytes_2_2, [2] = bytes_2_4 },
	[3] = { [1] = bytes_3_2 },
	[4] = { [1] = bytes_4_2 },
};
static const size_t byte_panels[5] = { 0, 4, 2, 1, 1 };
#else
BYTE_TILE(1, 1, HOLD_ROWS)
BYTE_TILE(2, 1, HOLD_ROWS)
BYTE_TILE(3, 1, HOLD_WEIGHTS)
BYTE_TILE(4, 1, HOLD_WEIGHTS)
static byte_function *const byte_tiles[5][9] = {
	[1] = { [1] = bytes_1_1, [8] = bytes_1_8 },
	[2] = { [1] = bytes_2_1, [2] = bytes_2_2, [4] = bytes_2_4 },   /* 5 rows are 3 and 2 */
	[3] = { [1] = bytes_3_1, [2] = bytes_3_2 },
	[4] = { [1] = bytes_4_1, [2] = bytes_4_2 },
};
static const size_t byte_panels[5] = { 0, 8, 4, 2, 2 };
#endif

INLINE void result_step(float *c, const int32_t *sums, const struct packed8 *w, vf scale,
                        bool accumulate, size_t j, size_t i, struct lanes l)
{
	vi sum = vi_sub(vi_load(sums + i), vi_left(vi_load(w->rowsum + j + i), BYTE_OFFSET_BITS));
	vf y;

	y = v_mul(vi_convert(sum), v_mul(scale, v_load(w->scale + j + i)));
	put(c + i, l, accumulate ? v_add(get(c + i, l), y) : y);
}

/* At most PACKED8_ROWS rows, so that every weight is read from memory once. */
static void multiply_bytes(size_t m, const struct packed8 *w, const float *scales,
                           const int8_t *q, bool accumulate, float *c, size_t ldc)
{
	size_t tiles = (m + 3) / 4, most = (m + tiles - 1) / tiles;
	size_t panels = packed8_outputs(w->n) / PACKED8_PANEL, wide = byte_panels[most];
	struct byte_tile t;

	t.kr = packed8_round_k(w->k);
	t.next = t.kr * PACKED8_PANEL;
	t.stride = packed8_stride(w->k);
	for (size_t at = 0, step; at < panels; at += step) {
		size_t j = at * PACKED8_PANEL, cols;

		step = panels - at >= wide ? wide : 1;
		cols = w->n - j < step * PACKED8_PANEL ? w->n - j : step * PACKED8_PANEL;
		t.w = w->data + at * t.next;
		for (size_t i = 0, rows, left = tiles; i < m; i += rows, left--) {
			rows = (m - i + left - 1) / left;
			t.q = q + i * t.stride;
			byte_tiles[rows][step](&t);
			for (size_t r = 0; r < rows; r++)
				EACH_VECTOR(cols, result_step, c + (i + r) * ldc + j, t.sums[r], w,
				            v_set(scales[i + r]), accumulate, j);
		}
	}
}

static void gemm_packed8(size_t m, const struct packed8 *w, const real *a, size_t lda,
                         bool accumulate, real *c, size_t ldc, void *scratch)
{
	float scales[PACKED8_ROWS];
	int8_t *q = scratch;

	assert(w->k <= 65536);    /* int32 sums cannot overflow */
	for (size_t i = 0, rows; i < m; i += rows) {
		rows = m - i < PACKED8_ROWS ? m - i : PACKED8_ROWS;
		for (size_t r = 0; r < rows; r++)
			scales[r] = quantise_activations(a + (i + r) * lda, w->k,
			                                 q + r * packed8_stride(w->k));
		multiply_bytes(rows, w, scales, q, accumulate, c + i * ldc, ldc);
	}
}
