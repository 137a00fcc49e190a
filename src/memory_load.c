/* SPDX-License-Identifier: GPL-3.0-or-later */
/* memory_load: the memory out of the store, whole or one example, and its vectors into it. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "memory_private.h"
#include "paths.h"

struct vectors {
	int64_t *id;
	int8_t *data;
	size_t n, cap;
};

/* A correction counts at once; other proposals when somebody approved them. */
static bool is_remembered(const struct store_example *x)
{
	return strcmp(x->state, "approved") == 0 || (strcmp(x->state, "proposed") == 0 && strcmp(x->origin, "corrected") == 0);
}

static bool add_vector(int64_t example, const void *data, size_t bytes, void *arg)
{
	struct vectors *v = arg;

	if (bytes != ENCODER_DIM)             /* not one of ours: computed again */
		return true;
	if (v->n == v->cap) {
		v->cap = v->cap ? v->cap * 2 : 256;
		v->id = xreallocarray(v->id, v->cap, sizeof(*v->id));
		v->data = xreallocarray(v->data, v->cap, ENCODER_DIM);
	}
	v->id[v->n] = example;
	memcpy(v->data + v->n * ENCODER_DIM, data, ENCODER_DIM);
	v->n++;
	return true;
}

/* Ids ascend. */
static const int8_t *vector_of(const struct vectors *v, int64_t id)
{
	size_t lo = 0, hi = v->n;

	while (lo < hi) {
		const size_t mid = (lo + hi) / 2;

		if (v->id[mid] < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < v->n && v->id[lo] == id ? v->data + lo * ENCODER_DIM : NULL;
}

struct loading {
	struct memory *m;
	struct vectors vectors;
};

static bool add_example(const struct store_example *x, void *arg)
{
	struct loading *l = arg;

	if (is_remembered(x))
		memory_add(l->m, x->id, x->conversation, x->question, x->answer, l->m->en ? vector_of(&l->vectors, x->id) : NULL);
	return true;
}

int memory_load(struct memory **out, struct store *s, const char *company, const char *encoder, struct err *e)
{
	struct loading l = { .m = memory_new(NULL, company) };
	char *path = encoder ? xstrdup(encoder) : NULL;
	int rc = 0;

	*out = NULL;
	if ((path || paths_shipped("encoder.safetensors", &path, NULL) == 0) && encoder_open(&l.m->own, path, NULL) == 0)
		l.m->en = l.m->own;
	free(path);
	if (l.m->en)
		rc = store_vectors(s, encoder_version(l.m->en), add_vector, &l.vectors, e);
	if (rc == 0)
		rc = store_examples(s, NULL, add_example, &l, e);
	free(l.vectors.id);
	free(l.vectors.data);
	if (rc < 0) {
		memory_free(l.m);
		return rc;
	}
	*out = l.m;
	return 0;
}

int memory_update(struct memory *m, struct store *s, int64_t id, struct err *e)
{
	struct err why = ERR_INIT;
	struct store_example x;
	const int rc = store_example_get(s, id, &x, &why);

	if (rc == ERR_NOTFOUND || (rc == 0 && !is_remembered(&x)))
		memory_remove(m, id);
	else if (rc == 0)
		memory_put(m, id, x.conversation, x.question, x.answer);
	if (rc == 0)
		store_example_free(&x);
	return rc == 0 || rc == ERR_NOTFOUND ? 0 : err_set(e, rc, "%s", why.msg);
}

struct keeping {
	struct store *s;
	const char *version;
	struct err *e;
	int rc;
};

static bool keep_vector(int64_t id, const int8_t *vector, void *arg)
{
	struct keeping *k = arg;

	k->rc = store_vector_set(k->s, id, k->version, vector, ENCODER_DIM, k->e);
	return k->rc == 0;
}

int memory_keep(struct memory *m, struct store *s, struct err *e)
{
	struct keeping k = { .s = s, .e = e };

	if (m->states[VECTOR_MADE] == 0)
		return 0;
	k.version = encoder_version(m->en);
	k.rc = store_begin(s, e);
	if (k.rc == 0)
		memory_made(m, keep_vector, &k);
	if (k.rc < 0) {
		store_abandon(s);
		return k.rc;
	}
	k.rc = store_commit(s, e);
	if (k.rc == 0)
		memory_made_kept(m);
	return k.rc;
}
