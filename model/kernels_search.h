/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kernels_search: template of what is done to a whole distribution at a time: exponentials, shifts, and
 * finding the few entries above a bound among the many below it. */

INLINE void exp_out_step(const float *x, float *y, size_t i, struct lanes l)
{
	put(y + i, l, v_exp(get(x + i, l)));
}

static void exp_vector(const real *x, real *y, size_t n)
{
	EACH_VECTOR(n, exp_out_step, x, y);
}

INLINE void shift_step(float *x, vf by, size_t i, struct lanes l)
{
	put(x + i, l, v_add(get(x + i, l), by));
}

static void shift_vector(real *x, real by, size_t n)
{
	EACH_VECTOR(n, shift_step, x, v_set(by));
}

/* Bits of the lanes that are above. */
INLINE unsigned above_bits(const float *x, const float *only, vf bound, struct lanes l)
{
	vf v = get(x, l);
	unsigned bits = mask_lanes(mask_less(bound, v));

	if (only)
		bits &= mask_lanes(mask_less(v_set(0), get(only, l)));
	return l.all ? bits : bits & mask_lanes(l.mask);
}

static size_t find_above(const real *x, const real *only, size_t n, size_t from, real bound)
{
	const vf limit = v_set(bound);
	size_t i = from;

	for (; i + W <= n; i += W) {
		const unsigned bits = above_bits(x + i, only ? only + i : NULL, limit, lanes_all());

		if (bits)
			return i + (size_t)__builtin_ctz(bits);
	}
	if (i < n) {
		const unsigned bits = above_bits(x + i, only ? only + i : NULL, limit, lanes_first(n - i));

		if (bits)
			return i + (size_t)__builtin_ctz(bits);
	}
	return n;
}
