/* SPDX-License-Identifier: GPL-3.0-or-later */
/* params: laying tensors out in one block. The order of the calls to params_add is the
 * order in memory and in the model file. */
#include "params.h"

#include <assert.h>
#include <string.h>

#include "../src/base/mem.h"

/* Elements a tensor's start is rounded up to: 64 bytes of float. The same count for
 * double, so that a layout's offsets do not depend on what real is. */
enum { ALIGN_REALS = 16 };

static size_t round_up(size_t n)
{
	assert(n <= SIZE_MAX - (ALIGN_REALS - 1));
	return (n + ALIGN_REALS - 1) / ALIGN_REALS * ALIGN_REALS;
}

size_t params_add(struct params *ps, const char *name, size_t rows, size_t cols)
{
	struct param *p;
	size_t count = mem_mul(rows, cols);
	size_t length = strlen(name);

	assert(ps->n < PARAMS_MAX);
	assert(length > 0 && length < PARAMS_NAME);
	assert(count > 0);
	assert(params_find(ps, name) == NULL);

	p = &ps->p[ps->n];
	memcpy(p->name, name, length + 1);
	p->rows = rows;
	p->cols = cols;
	p->offset = ps->total;
	assert(count <= SIZE_MAX / sizeof(real) - ps->total - ALIGN_REALS);
	ps->total += round_up(count);
	ps->weights += count;
	return ps->n++;
}

const struct param *params_find(const struct params *ps, const char *name)
{
	for (size_t i = 0; i < ps->n; i++)
		if (strcmp(ps->p[i].name, name) == 0)
			return &ps->p[i];
	return NULL;
}

real *params_block(const struct params *ps)
{
	return mem_aligned(mem_mul(ps->total, sizeof(real)));
}
