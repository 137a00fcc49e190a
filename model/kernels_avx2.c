/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kernels_avx2: the vector path for processors with AVX2 and FMA. Only the words of
 * the vector language are here; the kernels are in the templates that
 * kernels_vector.h includes, the same for every width. The target is set in this
 * file, so that no build flag can leak these instructions into other objects. */
#include "kernels_table.h"

#if KERNELS_X86

#include <assert.h>
#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "../src/base/rng.h"

#ifdef __clang__
#pragma STDC FP_CONTRACT OFF
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#endif

#define INLINE static inline __attribute__((always_inline, unused))
#define VECTOR_TABLE kernels_avx2_table
#define VECTOR_NAME "avx2"
#define W 8                  /* floats in a vector */
#define TILE_MOST_ROWS 6     /* 12 sums, 2 of b, 1 of a: 15 of 16 registers */

typedef __m256 vf;
typedef __m256i vi;
typedef __m256i vmask;

static const int32_t mask_bits[2 * W] = { -1, -1, -1, -1, -1, -1, -1, -1 };

/* The first n <= W lanes. */
INLINE vmask mask_first(size_t n)
{
	return _mm256_loadu_si256((const __m256i *)(mask_bits + W - n));
}

INLINE vf v_set(float x) { return _mm256_set1_ps(x); }
INLINE vf v_load(const float *p) { return _mm256_loadu_ps(p); }
INLINE void v_store(float *p, vf x) { _mm256_storeu_ps(p, x); }
#ifdef __SANITIZE_ADDRESS__
/* It does not see masked loads and stores: lane by lane, that it does. */
INLINE vf v_load_part(const float *p, vmask m)
{
	float lane[W];
	int32_t on[W];

	_mm256_storeu_si256((__m256i *)on, m);
	for (size_t i = 0; i < W; i++)
		lane[i] = on[i] ? p[i] : 0.0F;
	return _mm256_loadu_ps(lane);
}

INLINE void v_store_part(float *p, vmask m, vf x)
{
	float lane[W];
	int32_t on[W];

	_mm256_storeu_si256((__m256i *)on, m);
	_mm256_storeu_ps(lane, x);
	for (size_t i = 0; i < W; i++)
		if (on[i])
			p[i] = lane[i];
}
#else
INLINE vf v_load_part(const float *p, vmask m) { return _mm256_maskload_ps(p, m); }
INLINE void v_store_part(float *p, vmask m, vf x) { _mm256_maskstore_ps(p, m, x); }
#endif
INLINE vf v_add(vf a, vf b) { return _mm256_add_ps(a, b); }
INLINE vf v_sub(vf a, vf b) { return _mm256_sub_ps(a, b); }
INLINE vf v_mul(vf a, vf b) { return _mm256_mul_ps(a, b); }
INLINE vf v_div(vf a, vf b) { return _mm256_div_ps(a, b); }
INLINE vf v_sqrt(vf a) { return _mm256_sqrt_ps(a); }
INLINE vf v_fma(vf a, vf b, vf c) { return _mm256_fmadd_ps(a, b, c); }      /* ab + c */
INLINE vf v_fnma(vf a, vf b, vf c) { return _mm256_fnmadd_ps(a, b, c); }    /* c - ab */
/* The second operand when either is a NaN. */
INLINE vf v_min(vf a, vf b) { return _mm256_min_ps(a, b); }
INLINE vf v_max(vf a, vf b) { return _mm256_max_ps(a, b); }

INLINE vi vi_bits(vf a) { return _mm256_castps_si256(a); }
INLINE vf vi_float(vi a) { return _mm256_castsi256_ps(a); }
INLINE vi vi_set(int32_t x) { return _mm256_set1_epi32(x); }
INLINE vi vi_load(const void *p) { return _mm256_loadu_si256(p); }
INLINE void vi_store(void *p, vi x) { _mm256_storeu_si256(p, x); }
INLINE vi vi_and(vi a, vi b) { return _mm256_and_si256(a, b); }
INLINE vi vi_or(vi a, vi b) { return _mm256_or_si256(a, b); }
INLINE vi vi_add(vi a, vi b) { return _mm256_add_epi32(a, b); }
INLINE vi vi_sub(vi a, vi b) { return _mm256_sub_epi32(a, b); }
INLINE vi vi_max(vi a, vi b) { return _mm256_max_epi32(a, b); }
INLINE vi vi_left(vi a, int n) { return _mm256_slli_epi32(a, n); }
INLINE vi vi_right(vi a, int n) { return _mm256_srli_epi32(a, n); }
INLINE vi vi_nearest(vf a) { return _mm256_cvtps_epi32(a); }
INLINE vf vi_convert(vi a) { return _mm256_cvtepi32_ps(a); }

INLINE vmask mask_less(vf a, vf b) { return _mm256_castps_si256(_mm256_cmp_ps(a, b, _CMP_LT_OQ)); }
INLINE vmask mask_greater_int(vi a, vi b) { return _mm256_cmpgt_epi32(a, b); }
INLINE unsigned mask_lanes(vmask m) { return (unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(m)); }
INLINE vf v_clear(vmask m, vf a) { return _mm256_andnot_ps(_mm256_castsi256_ps(m), a); }
INLINE vf v_keep(vmask m, vf a) { return _mm256_and_ps(_mm256_castsi256_ps(m), a); }
INLINE vi vi_choose(vmask m, vi yes, vi no) { return _mm256_blendv_epi8(no, yes, m); }

INLINE float v_sum(vf a)
{
	__m128 s = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));

	s = _mm_add_ps(s, _mm_movehl_ps(s, s));
	return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}

INLINE float v_largest(vf a)
{
	__m128 s = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));

	s = _mm_max_ps(s, _mm_movehl_ps(s, s));
	return _mm_cvtss_f32(_mm_max_ss(s, _mm_movehdup_ps(s)));
}

INLINE int32_t vi_largest(vi a)
{
	__m128i s = _mm_max_epi32(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));

	s = _mm_max_epi32(s, _mm_shuffle_epi32(s, 0x4e));
	return _mm_cvtsi128_si32(_mm_max_epi32(s, _mm_shuffle_epi32(s, 0xb1)));
}

/* Sums in double. */
struct wide {
	__m256d lo, hi;
};

INLINE struct wide wide_zero(void)
{
	return (struct wide){ _mm256_setzero_pd(), _mm256_setzero_pd() };
}

INLINE struct wide wide_add(struct wide s, vf a)
{
	s.lo = _mm256_add_pd(s.lo, _mm256_cvtps_pd(_mm256_castps256_ps128(a)));
	s.hi = _mm256_add_pd(s.hi, _mm256_cvtps_pd(_mm256_extractf128_ps(a, 1)));
	return s;
}

/* s + ab */
INLINE struct wide wide_fma(struct wide s, vf a, vf b)
{
	s.lo = _mm256_fmadd_pd(_mm256_cvtps_pd(_mm256_castps256_ps128(a)),
	                       _mm256_cvtps_pd(_mm256_castps256_ps128(b)), s.lo);
	s.hi = _mm256_fmadd_pd(_mm256_cvtps_pd(_mm256_extractf128_ps(a, 1)),
	                       _mm256_cvtps_pd(_mm256_extractf128_ps(b, 1)), s.hi);
	return s;
}

INLINE double wide_sum(struct wide s)
{
	__m256d a = _mm256_add_pd(s.lo, s.hi);
	__m128d b = _mm_add_pd(_mm256_castpd256_pd128(a), _mm256_extractf128_pd(a, 1));

	return _mm_cvtsd_f64(_mm_add_sd(b, _mm_unpackhi_pd(b, b)));
}

/* Lanes whose byte of the dropout stream for elements i .. i + W - 1 is above `below`. */
INLINE vmask mask_bytes_above(uint64_t key, size_t i, int below)
{
	__m128i bytes = _mm_cvtsi64_si128((long long)rng_hash(key, i / 8));

	return _mm256_cmpgt_epi32(_mm256_cvtepu8_epi32(bytes), _mm256_set1_epi32(below));
}

/* ---- narrow formats ---- */

/* The low half of each lane. */
INLINE void vi_store_halves(uint16_t *p, vi a)
{
	__m256i both = _mm256_packus_epi32(a, a);

	_mm_storeu_si128((__m128i *)p,
	                 _mm256_castsi256_si128(_mm256_permute4x64_epi64(both, 0x08)));
}

INLINE vi vi_load_halves(const uint16_t *p)
{
	return _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)p));
}

/* The low byte of each lane, which lies in [-128, 127]. */
INLINE void vi_store_bytes(int8_t *p, vi a)
{
	__m128i b = _mm_packs_epi32(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));

	_mm_storel_epi64((__m128i *)p, _mm_packs_epi16(b, b));
}

/* Four activations, the same for every lane; unsigned bytes. */
struct four {
	vi bytes;
};

INLINE struct four four_spread(const int8_t *p)
{
	int32_t bits;

	memcpy(&bits, p, sizeof(bits));
	return (struct four){ _mm256_set1_epi32(bits) };
}

/* sum + the four products of every lane: exact, as an activation has 7 bits (kernels_table.h). */
INLINE vi four_dot(vi sum, struct four x, vi w)
{
	__m256i pairs = _mm256_maddubs_epi16(x.bytes, w);

	return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

#include "kernels_vector.h"

#ifdef __clang__
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif
