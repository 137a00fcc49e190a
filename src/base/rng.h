/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rng: random numbers whose state is always a parameter.
 *
 * Two kinds: a small sequential generator (xoshiro256**, Blackman and Vigna 2018),
 * and a counter-based hash (splitmix64's finaliser over key and counter) for
 * dropout, where an element's fate may depend on nothing but (seed, step, site,
 * example, index), whichever thread computes it. */
#ifndef ANSWERBACK_RNG_H
#define ANSWERBACK_RNG_H

#include <stddef.h>
#include <stdint.h>

struct rng {
	uint64_t s[4];
};

void rng_seed(struct rng *r, uint64_t seed);
uint64_t rng_next(struct rng *r);
double rng_uniform(struct rng *r);             /* [0, 1), 53 bits */
size_t rng_below(struct rng *r, size_t n);     /* [0, n), unbiased; n > 0 */
double rng_normal(struct rng *r);              /* mean 0, deviation 1 */
void rng_shuffle(struct rng *r, void *base, size_t n, size_t size);

/* 64 random bits that depend on key and counter alone. */
static inline uint64_t rng_hash(uint64_t key, uint64_t counter)
{
	uint64_t z = key + (counter + 1) * 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

#endif
