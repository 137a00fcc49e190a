/* SPDX-License-Identifier: GPL-3.0-or-later */
/* import_map: open addressing, grown at half full. The seed is drawn once a map, so that a file cannot be
 * made whose keys all meet in one place. */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/mem.h"
#include "base/rng.h"
#include "import_private.h"

struct slot {
	char *key;                    /* NULL: free */
	size_t n, value;
	uint64_t hash;
};
struct import_map {
	struct slot *slot;
	size_t used, cap;             /* cap: a power of two */
	uint64_t seed;
};

struct import_map *import_map_new(void)
{
	struct import_map *m = xcalloc(1, sizeof(*m));

	if (getrandom(&m->seed, sizeof(m->seed), GRND_NONBLOCK) != sizeof(m->seed))
		m->seed = (uint64_t)time(NULL) ^ (uint64_t)(uintptr_t)m;
	m->cap = 64;
	m->slot = xcalloc(m->cap, sizeof(*m->slot));
	return m;
}

void import_map_free(struct import_map *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->cap; i++)
		free(m->slot[i].key);
	free(m->slot);
	free(m);
}

static uint64_t hash_of(const struct import_map *m, const char *key, size_t n)
{
	uint64_t h = m->seed ^ n, part;

	for (; n >= 8; key += 8, n -= 8) {
		memcpy(&part, key, 8);
		h = rng_hash(h, part);
	}
	part = 0;
	memcpy(&part, key, n);
	return rng_hash(h, part);
}

/* Where it is, or the free place where it would be. */
static struct slot *find(const struct import_map *m, uint64_t hash, const char *key, size_t n)
{
	for (size_t i = (size_t)hash & (m->cap - 1);; i = (i + 1) & (m->cap - 1)) {
		struct slot *s = &m->slot[i];

		if (!s->key || (s->hash == hash && s->n == n && memcmp(s->key, key, n) == 0))
			return s;
	}
}

static void grow(struct import_map *m)
{
	struct import_map bigger = { .cap = m->cap * 2, .seed = m->seed };

	bigger.slot = xcalloc(bigger.cap, sizeof(*bigger.slot));
	for (size_t i = 0; i < m->cap; i++)
		if (m->slot[i].key)
			*find(&bigger, m->slot[i].hash, m->slot[i].key, m->slot[i].n) = m->slot[i];
	free(m->slot);
	m->slot = bigger.slot;
	m->cap = bigger.cap;
}

size_t import_map_put(struct import_map *m, const char *key, size_t n, size_t value, bool *fresh)
{
	const uint64_t hash = hash_of(m, key, n);
	struct slot *s;

	if (m->used * 2 >= m->cap)
		grow(m);
	s = find(m, hash, key, n);
	*fresh = !s->key;
	if (*fresh) {
		*s = (struct slot){ xmemdup(key, n), n, value, hash };
		m->used++;
	}
	return s->value;
}

bool import_map_get(const struct import_map *m, const char *key, size_t n, size_t *value)
{
	const struct slot *s = find(m, hash_of(m, key, n), key, n);

	if (!s->key)
		return false;
	*value = s->value;
	return true;
}

void import_map_set(struct import_map *m, const char *key, size_t n, size_t value)
{
	bool fresh;

	import_map_put(m, key, n, value, &fresh);
	find(m, hash_of(m, key, n), key, n)->value = value;
}
