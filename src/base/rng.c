/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rng: xoshiro256** (Blackman and Vigna 2018, https://prng.di.unimi.it/). */
#include "rng.h"

#include <assert.h>
#include <math.h>

static uint64_t rotl(uint64_t x, int k)
{
	return (x << k) | (x >> (64 - k));
}

void rng_seed(struct rng *r, uint64_t seed)
{
	/* consecutive outputs of splitmix64, as its authors advise: never all zero */
	for (uint64_t i = 0; i < 4; i++)
		r->s[i] = rng_hash(seed, i);
}

uint64_t rng_next(struct rng *r)
{
	uint64_t *s = r->s;
	uint64_t result = rotl(s[1] * 5, 7) * 9, t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotl(s[3], 45);
	return result;
}

double rng_uniform(struct rng *r)
{
	return (double)(rng_next(r) >> 11) * 0x1p-53;
}

size_t rng_below(struct rng *r, size_t n)
{
	uint64_t bound = n, x, reject;

	assert(n > 0);
	/* the first 2^64 mod n values would make some results likelier: drawn again */
	reject = -bound % bound;
	do
		x = rng_next(r);
	while (x < reject);
	return (size_t)(x % bound);
}

double rng_normal(struct rng *r)
{
	/* Box and Muller, the sine thrown away: the state stays four words.
	 * 1 - u is in (0, 1], so that the logarithm is finite. */
	double radius = sqrt(-2.0 * log(1.0 - rng_uniform(r)));

	return radius * cos(6.283185307179586 * rng_uniform(r));
}

void rng_shuffle(struct rng *r, void *base, size_t n, size_t size)
{
	unsigned char *p = base, t;

	for (size_t i = n; i > 1; i--) {
		unsigned char *a = p + (i - 1) * size, *b = p + rng_below(r, i) * size;

		for (size_t k = 0; k < size; k++) {
			t = a[k];
			a[k] = b[k];
			b[k] = t;
		}
	}
}
