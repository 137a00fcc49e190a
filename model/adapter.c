/* SPDX-License-Identifier: GPL-3.0-or-later */
/* adapter: low-rank factors on the LSTMs' matrices. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../src/base/mem.h"
#include "../src/base/rng.h"
#include "adapter.h"
#include "model.h"
#include "modelfile.h"

static const enum weight_id adapted[] = {
	W_TURN_F_INPUT, W_TURN_F_RECURRENT, W_TURN_B_INPUT, W_TURN_B_RECURRENT, W_ENCODER_INPUT, W_ENCODER_RECURRENT,
	W_DEC1_INPUT, W_DEC1_RECURRENT, W_DEC2_INPUT, W_DEC2_RECURRENT,
};
enum { ADAPTED = sizeof(adapted) / sizeof(adapted[0]) };

struct adapter *adapter_new(const struct dialogue_config *c, size_t rank, uint64_t seed)
{
	struct adapter *a = xcalloc(1, sizeof(*a));
	struct params *shape = xcalloc(1, sizeof(*shape));
	struct rng r;

	weights_layout(shape, c);
	a->rank = rank;
	for (size_t i = 0; i < ADAPTED; i++) {
		const struct param *p = &shape->p[adapted[i]];
		char name[PARAMS_NAME + 4];

		a->of[a->n++] = adapted[i];
		snprintf(name, sizeof(name), "%s.a", p->name);
		params_add(&a->layout, name, p->rows, rank);
		snprintf(name, sizeof(name), "%s.b", p->name);
		params_add(&a->layout, name, rank, p->cols);
	}
	free(shape);
	a->flat = params_block(&a->layout);
	rng_seed(&r, seed);
	for (size_t i = 0; i < a->n; i++) {
		const struct param *p = &a->layout.p[2 * i];

		for (size_t k = 0; k < p->rows * rank; k++)
			a->flat[p->offset + k] = (real)(rng_normal(&r) / sqrt((double)rank));
	}
	return a;
}

void adapter_free(struct adapter *a)
{
	if (!a)
		return;
	mem_aligned_free(a->flat);
	free(a);
}

void adapter_add(const struct adapter *a, const real *factors, size_t i, real *matrix)
{
	const struct param *fa = &a->layout.p[2 * i], *fb = &a->layout.p[2 * i + 1];

	kernels_gemm(false, false, fa->rows, fb->cols, a->rank, factors + fa->offset, a->rank, factors + fb->offset, fb->cols, true,
	             matrix, fb->cols);
}

void adapter_put(const struct adapter *a, const real *factors, const real *base, const struct params *layout, real *flat)
{
	if (base != flat)
		memcpy(flat, base, layout->total * sizeof(real));
	for (size_t i = 0; i < a->n; i++)
		adapter_add(a, factors, i, flat + layout->p[a->of[i]].offset);
}

void adapter_project(const struct adapter *a, const real *factors, const struct weights *w, const real *dw, real *grad)
{
	for (size_t i = 0; i < a->n; i++) {
		const struct param *p = &w->layout.p[a->of[i]], *fa = &a->layout.p[2 * i], *fb = &a->layout.p[2 * i + 1];

		kernels_gemm(false, true, p->rows, a->rank, p->cols, dw + p->offset, p->cols, factors + fb->offset, p->cols, false,
		             grad + fa->offset, a->rank);
		kernels_gemm(true, false, a->rank, p->cols, p->rows, factors + fa->offset, a->rank, dw + p->offset, p->cols, false,
		             grad + fb->offset, p->cols);
	}
}

int adapter_save(const struct adapter *a, const char *path, const struct dialogue_config *c, const char *base, const char *lineage,
                 const char *scores, struct err *e)
{
	struct modelfile_tensor t[2 * ADAPTED];
	char *config = model_config_to_json(c), rank[24];
	const struct modelfile_pair meta[] = {
		{ "format", "answerback-adapter-1" }, { "config", config }, { "base", base }, { "rank", rank },
		{ "lineage", lineage ? lineage : "{}" }, { "scores", scores ? scores : "{}" },
	};
	int rc;

	snprintf(rank, sizeof(rank), "%zu", a->rank);
	for (size_t i = 0; i < a->layout.n; i++) {
		const struct param *p = &a->layout.p[i];

		t[i] = (struct modelfile_tensor){ p->name, MODELFILE_F32, p->rows, p->cols, a->flat + p->offset };
	}
	rc = modelfile_write(path, t, a->layout.n, meta, sizeof(meta) / sizeof(meta[0]), e);
	free(config);
	return rc;
}

static bool is_adapter(const struct modelfile *mf)
{
	const char *format = modelfile_meta(mf, "format");

	return format && strcmp(format, "answerback-adapter-1") == 0;
}

bool adapter_is(const char *path, char base[24])
{
	struct modelfile *mf;
	const char *of;
	bool is;

	base[0] = '\0';
	if (modelfile_open(&mf, path, NULL) < 0)
		return false;
	is = is_adapter(mf);
	of = modelfile_meta(mf, "base");
	if (is && of)
		snprintf(base, 24, "%.23s", of);
	modelfile_close(mf);
	return is;
}

static int load_from(struct adapter **out, const struct modelfile *mf, const char *path, const struct dialogue_config *c, struct err *e)
{
	const char *config = modelfile_meta(mf, "config"), *rank = modelfile_meta(mf, "rank");
	struct dialogue_config own;
	char *end = NULL;
	unsigned long r = rank ? strtoul(rank, &end, 10) : 0;
	int rc;

	if (!is_adapter(mf) || !config || !rank || *end || r < 1 || r > ADAPTER_MAX_RANK)
		return err_set(e, ERR_FORMAT, "%s: not an adapter", path);
	if ((rc = model_config_from_json(&own, config, e)) < 0)
		return err_prefix(e, "%s", path);
	if (memcmp(&own, c, sizeof(own)) != 0)
		return err_set(e, ERR_FORMAT, "%s: is for a model of another shape", path);
	*out = adapter_new(c, r, 0);
	for (size_t i = 0; rc == 0 && i < (*out)->layout.n; i++) {
		const struct param *p = &(*out)->layout.p[i];

		rc = modelfile_read(mf, p->name, p->rows, p->cols, (float *)((*out)->flat + p->offset), e);
	}
	if (rc < 0) {
		adapter_free(*out);
		*out = NULL;
	}
	return rc;
}

int adapter_load(struct adapter **out, const char *path, const struct dialogue_config *c, struct err *e)
{
	struct modelfile *mf;
	int rc;

	*out = NULL;
	if (sizeof(real) != sizeof(float))
		return err_set(e, ERR_USAGE, "adapters are read by the single-precision library");
	if ((rc = modelfile_open(&mf, path, e)) < 0)
		return rc;
	rc = load_from(out, mf, path, c, e);
	modelfile_close(mf);
	return rc;
}
