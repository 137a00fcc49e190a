/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kernels_avx512: the vector path for processors with AVX-512 F, BW, VL, DQ and VNNI
 * (a processor with less takes the AVX2 path). See kernels_avx2.c: only the words of
 * the vector language differ. */
#include "kernels_table.h"

#if KERNELS_X86

#include <assert.h>
#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "../src/base/rng.h"

#ifdef __clang__
#pragma STDC FP_CONTRACT OFF
#pragma clang attribute push( \
	__attribute__((target("avx2,fma,avx512f,avx512bw,avx512vl,avx512dq,avx512vnni"))), \
	apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma,avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")
#endif

#define INLINE static inline __attribute__((always_inline, unused))
#define VECTOR_TABLE kernels_avx512_table
#define VECTOR_NAME "avx512"
#define W 16                 /* floats in a vector */
#define TILE_MOST_ROWS 12    /* 24 sums, 2 of b, 1 of a: 27 of 32 registers */

typedef __m512 vf;
typedef __m512i vi;
typedef __mmask16 vmask;

/* The first n <= W lanes. */
INLINE vmask mask_first(size_t n)
{
	return (vmask)((1u << n) - 1);
}

INLINE vf v_set(float x) { return _mm512_set1_ps(x); }
INLINE vf v_load(const float *p) { return _mm512_loadu_ps(p); }
INLINE vf v_load_part(const float *p, vmask m) { return _mm512_maskz_loadu_ps(m, p); }
INLINE void v_store(float *p, vf x) { _mm512_storeu_ps(p, x); }
INLINE void v_store_part(float *p, vmask m, vf x) { _mm512_mask_storeu_ps(p, m, x); }
INLINE vf v_add(vf a, vf b) { return _mm512_add_ps(a, b); }
INLINE vf v_sub(vf a, vf b) { return _mm512_sub_ps(a, b); }
INLINE vf v_mul(vf a, vf b) { return _mm512_mul_ps(a, b); }
INLINE vf v_div(vf a, vf b) { return _mm512_div_ps(a, b); }
INLINE vf v_sqrt(vf a) { return _mm512_sqrt_ps(a); }
INLINE vf v_fma(vf a, vf b, vf c) { return _mm512_fmadd_ps(a, b, c); }      /* ab + c */
INLINE vf v_fnma(vf a, vf b, vf c) { return _mm512_fnmadd_ps(a, b, c); }    /* c - ab */
/* The second operand when either is a NaN. */
INLINE vf v_min(vf a, vf b) { return _mm512_min_ps(a, b); }
INLINE vf v_max(vf a, vf b) { return _mm512_max_ps(a, b); }

INLINE vi vi_bits(vf a) { return _mm512_castps_si512(a); }
INLINE vf vi_float(vi a) { return _mm512_castsi512_ps(a); }
INLINE vi vi_set(int32_t x) { return _mm512_set1_epi32(x); }
INLINE vi vi_load(const void *p) { return _mm512_loadu_si512(p); }
INLINE void vi_store(void *p, vi x) { _mm512_storeu_si512(p, x); }
INLINE vi vi_and(vi a, vi b) { return _mm512_and_si512(a, b); }
INLINE vi vi_or(vi a, vi b) { return _mm512_or_si512(a, b); }
INLINE vi vi_add(vi a, vi b) { return _mm512_add_epi32(a, b); }
INLINE vi vi_sub(vi a, vi b) { return _mm512_sub_epi32(a, b); }
INLINE vi vi_max(vi a, vi b) { return _mm512_max_epi32(a, b); }
INLINE vi vi_left(vi a, unsigned n) { return _mm512_slli_epi32(a, n); }
INLINE vi vi_right(vi a, unsigned n) { return _mm512_srli_epi32(a, n); }
INLINE vi vi_nearest(vf a) { return _mm512_cvtps_epi32(a); }
INLINE vf vi_convert(vi a) { return _mm512_cvtepi32_ps(a); }

INLINE vmask mask_less(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
INLINE vmask mask_greater_int(vi a, vi b) { return _mm512_cmpgt_epi32_mask(a, b); }
INLINE unsigned mask_lanes(vmask m) { return m; }
INLINE vf v_clear(vmask m, vf a) { return _mm512_maskz_mov_ps((vmask)~m, a); }
INLINE vf v_keep(vmask m, vf a) { return _mm512_maskz_mov_ps(m, a); }
INLINE vi vi_choose(vmask m, vi yes, vi no) { return _mm512_mask_mov_epi32(no, m, yes); }

/* Halves first, so that the order does not hang on a compiler's idea of a reduction. */
INLINE __m256 v_upper(vf a) { return _mm512_extractf32x8_ps(a, 1); }

INLINE float v_sum(vf a)
{
	__m256 h = _mm256_add_ps(_mm512_castps512_ps256(a), v_upper(a));
	__m128 s = _mm_add_ps(_mm256_castps256_ps128(h), _mm256_extractf128_ps(h, 1));

	s = _mm_add_ps(s, _mm_movehl_ps(s, s));
	return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}

INLINE float v_largest(vf a)
{
	__m256 h = _mm256_max_ps(_mm512_castps512_ps256(a), v_upper(a));
	__m128 s = _mm_max_ps(_mm256_castps256_ps128(h), _mm256_extractf128_ps(h, 1));

	s = _mm_max_ps(s, _mm_movehl_ps(s, s));
	return _mm_cvtss_f32(_mm_max_ss(s, _mm_movehdup_ps(s)));
}

INLINE int32_t vi_largest(vi a)
{
	__m256i h = _mm256_max_epi32(_mm512_castsi512_si256(a), _mm512_extracti64x4_epi64(a, 1));
	__m128i s = _mm_max_epi32(_mm256_castsi256_si128(h), _mm256_extracti128_si256(h, 1));

	s = _mm_max_epi32(s, _mm_shuffle_epi32(s, 0x4e));
	return _mm_cvtsi128_si32(_mm_max_epi32(s, _mm_shuffle_epi32(s, 0xb1)));
}

/* Sums in double. */
struct wide {
	__m512d lo, hi;
};

INLINE struct wide wide_zero(void)
{
	return (struct wide){ _mm512_setzero_pd(), _mm512_setzero_pd() };
}

INLINE struct wide wide_add(struct wide s, vf a)
{
	s.lo = _mm512_add_pd(s.lo, _mm512_cvtps_pd(_mm512_castps512_ps256(a)));
	s.hi = _mm512_add_pd(s.hi, _mm512_cvtps_pd(v_upper(a)));
	return s;
}

/* s + ab */
INLINE struct wide wide_fma(struct wide s, vf a, vf b)
{
	s.lo = _mm512_fmadd_pd(_mm512_cvtps_pd(_mm512_castps512_ps256(a)),
	                       _mm512_cvtps_pd(_mm512_castps512_ps256(b)), s.lo);
	s.hi = _mm512_fmadd_pd(_mm512_cvtps_pd(v_upper(a)), _mm512_cvtps_pd(v_upper(b)), s.hi);
	return s;
}

INLINE double wide_sum(struct wide s)
{
	__m512d a = _mm512_add_pd(s.lo, s.hi);
	__m256d h = _mm256_add_pd(_mm512_castpd512_pd256(a), _mm512_extractf64x4_pd(a, 1));
	__m128d b = _mm_add_pd(_mm256_castpd256_pd128(h), _mm256_extractf128_pd(h, 1));

	return _mm_cvtsd_f64(_mm_add_sd(b, _mm_unpackhi_pd(b, b)));
}

/* Lanes whose byte of the dropout stream for elements i .. i + W - 1 is above `below`. */
INLINE vmask mask_bytes_above(uint64_t key, size_t i, int below)
{
	__m128i bytes = _mm_set_epi64x((long long)rng_hash(key, i / 8 + 1),
	                               (long long)rng_hash(key, i / 8));

	return _mm512_cmpgt_epi32_mask(_mm512_cvtepu8_epi32(bytes), _mm512_set1_epi32(below));
}

/* ---- narrow formats ---- */

/* The low half of each lane. */
INLINE void vi_store_halves(uint16_t *p, vi a)
{
	_mm256_storeu_si256((__m256i *)p, _mm512_cvtepi32_epi16(a));
}

INLINE vi vi_load_halves(const uint16_t *p)
{
	return _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)p));
}

/* The low byte of each lane, which lies in [-128, 127]. */
INLINE void vi_store_bytes(int8_t *p, vi a)
{
	_mm_storeu_si128((__m128i *)p, _mm512_cvtepi32_epi8(a));
}

/* Four activations, the same for every lane; unsigned bytes. */
struct four {
	vi bytes;
};

INLINE struct four four_spread(const int8_t *p)
{
	int32_t bits;

	memcpy(&bits, p, sizeof(bits));
	return (struct four){ _mm512_set1_epi32(bits) };
}

/* sum + the four products of every lane: exact, vpdpbusd does not saturate. */
INLINE vi four_dot(vi sum, struct four x, vi w)
{
	return _mm512_dpbusd_epi32(sum, x.bytes, w);
}

#include "kernels_vector.h"

#ifdef __clang__
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif
