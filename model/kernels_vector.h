/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kernels_vector: everything a vector path is made of, as templates over the words
 * that the including file defines (kernels_avx2.c, kernels_avx512.c): W, vf, vi,
 * vmask, v_*, vi_*, mask_*, wide_*, four_*. One source, so that what is tested at
 * one width holds at the other. */

/* Where in a row a vector stands: `all` lanes, or those of the mask at its end. The
 * end runs through the same code as the rest, so an element's bits do not depend on
 * its place. `all` is a constant wherever this is used, and costs nothing. */
struct lanes {
	bool all;
	vmask mask;
};

INLINE struct lanes lanes_all(void)
{
	return (struct lanes){ .all = true };
}

INLINE struct lanes lanes_first(size_t n)
{
	return (struct lanes){ .mask = mask_first(n) };
}

/* Zeros in lanes that are not there. */
INLINE vf get(const float *p, struct lanes l)
{
	return l.all ? v_load(p) : v_load_part(p, l.mask);
}

INLINE void put(float *p, struct lanes l, vf x)
{
	if (l.all)
		v_store(p, x);
	else
		v_store_part(p, l.mask, x);
}

/* Call body(..., i, lanes) for every vector of n elements. */
#define EACH_VECTOR(n, body, ...) \
	do { \
		size_t at_ = 0; \
		for (; at_ + W <= (n); at_ += W) \
			body(__VA_ARGS__, at_, lanes_all()); \
		if (at_ < (n)) \
			body(__VA_ARGS__, at_, lanes_first((n) - at_)); \
	} while (0)

#include "kernels_repeat.h"
#include "kernels_product.h"
#include "kernels_pointwise.h"
#include "kernels_norm.h"
#include "kernels_search.h"
#include "kernels_bytes.h"

const struct kernels_table VECTOR_TABLE = {
	.name = VECTOR_NAME,
	.panel = PANEL,
	.gemm_packed = gemm_packed,
	.gemm_rows = gemm_rows,
	.dot = dot,
	.sumsq = sumsq,
	.axpy = axpy,
	.scale = scale_vector,
	.finite = finite_vector,
	.lstm_cell = lstm_cell,
	.lstm_cell_backward = lstm_cell_backward,
	.add_bias = add_bias,
	.column_sums = column_sums,
	.layernorm = layernorm,
	.layernorm_backward = layernorm_backward,
	.softmax = softmax,
	.logsumexp = logsumexp,
	.tanh = tanh_vector,
	.exp = exp_vector,
	.shift = shift_vector,
	.find_above = find_above,
	.sigmoid1 = sigmoid1,
	.dropout = dropout,
	.adam = adam,
	.pack8 = pack8,
	.gemm_packed8 = gemm_packed8,
	.to_bf16 = to_bf16,
	.from_bf16 = from_bf16,
};
