/* SPDX-License-Identifier: GPL-3.0-or-later */
/* model: snapshots and their files. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "../src/base/mem.h"
#include "adapter.h"
#include "model.h"

struct model *model_new(struct weights *w, struct tokenizer *tok, const char *lineage, const char *scores)
{
	struct model *m = xcalloc(1, sizeof(*m));

	atomic_init(&m->refs, 1);
	m->w = w;
	m->tok = tok;
	m->lineage = xstrdup(lineage ? lineage : "{}");
	m->scores = xstrdup(scores ? scores : "{}");
	return m;
}

struct model *model_ref(struct model *m)
{
	atomic_fetch_add_explicit(&m->refs, 1, memory_order_relaxed);
	return m;
}

void model_unref(struct model *m)
{
	if (!m || atomic_fetch_sub_explicit(&m->refs, 1, memory_order_acq_rel) != 1)
		return;
	weights_free(m->w);
	if (m->of)
		model_unref(m->of);
	else
		tokenizer_free(m->tok);
	free(m->path);
	free(m->adapter);
	free(m->lineage);
	free(m->scores);
	free(m);
}

char *model_config_to_json(const struct dialogue_config *c)
{
	json_t *o = json_object();
	const char *name;
	size_t value;

	for (size_t i = 0; (name = dialogue_config_field(c, i, &value)); i++)
		json_object_set_new(o, name, json_integer((json_int_t)value));

	char *text = json_dumps(o, JSON_COMPACT), *copy = xstrdup(text);

	free(text);
	json_decref(o);
	return copy;
}

int model_config_from_json(struct dialogue_config *c, const char *json, struct err *e)
{
	json_error_t je;
	json_t *o = json_loads(json, JSON_REJECT_DUPLICATES, &je);
	const char *name;
	size_t value;
	int rc = 0;

	memset(c, 0, sizeof(*c));
	if (!json_is_object(o)) {
		json_decref(o);
		return err_set(e, ERR_FORMAT, "the model's configuration is not a JSON object");
	}
	for (size_t i = 0; rc == 0 && (name = dialogue_config_field(c, i, &value)); i++) {
		json_t *v = json_object_get(o, name);

		if (!json_is_integer(v) || json_integer_value(v) < 0)
			rc = err_set(e, ERR_FORMAT, "the model's configuration lacks '%s'", name);
		else
			rc = dialogue_config_set(c, name, (size_t)json_integer_value(v), e);
	}
	json_decref(o);
	return rc < 0 ? rc : dialogue_config_check(c, e);
}

static const char *meta_or(const struct modelfile *mf, const char *key, const char *otherwise)
{
	const char *s = modelfile_meta(mf, key);

	return s ? s : otherwise;
}

/* A hostile configuration may ask for more weights than the file could hold: compare
 * before anything of that size is allocated. */
static int check_shapes(const struct modelfile *mf, const struct dialogue_config *c, const char *path,
                        struct err *e)
{
	struct modelfile_view v;

	if (modelfile_find(mf, "embed.weight", &v, e) < 0)
		return e ? e->code : ERR_FORMAT;
	if (v.rows != c->vocab || v.cols != c->embed)
		return err_set(e, ERR_FORMAT, "%s: embed.weight is %zux%zu, the configuration says %zux%zu",
		               path, v.rows, v.cols, c->vocab, c->embed);
	if (modelfile_find(mf, "decoder.layer2.recurrent", &v, e) < 0)
		return e ? e->code : ERR_FORMAT;
	if (v.rows != c->decoder_hidden || v.cols != 4 * c->decoder_hidden)
		return err_set(e, ERR_FORMAT, "%s: decoder.layer2.recurrent does not have the configuration's shape", path);
	if (modelfile_find(mf, "encoder.dialogue.input", &v, e) < 0)
		return e ? e->code : ERR_FORMAT;
	if (v.rows != 2 * c->turn_hidden || v.cols != 4 * c->encoder_hidden)
		return err_set(e, ERR_FORMAT, "%s: encoder.dialogue.input does not have the configuration's shape", path);
	if (modelfile_find(mf, "attention.query", &v, e) < 0)
		return e ? e->code : ERR_FORMAT;
	if (v.rows != c->decoder_hidden || v.cols != c->attention)
		return err_set(e, ERR_FORMAT, "%s: attention.query does not have the configuration's shape", path);
	return 0;
}

int model_serves_bytes(bool *bytes, struct err *e)
{
	const char *wanted = getenv("ANSWERBACK_SERVE");

	*bytes = !wanted || !*wanted || strcmp(wanted, "int8") == 0;
	if (!*bytes && strcmp(wanted, "f32") != 0)
		return err_set(e, ERR_USAGE, "ANSWERBACK_SERVE is '%.32s'; it can be int8 or f32", wanted);
	return 0;
}

const char *model_precision(const struct model *m)
{
	return m->w->bytes ? "int8" : "f32";
}

static void close_file(void *mf)
{
	modelfile_close(mf);
}

/* A file, and in memory what an adapter makes of some of its matrices; until all are in 8 bits. */
struct merged {
	struct modelfile *mf;
	size_t n;
	real *matrix[W_COUNT];
};

static void close_merged(void *arg)
{
	struct merged *g = arg;

	for (size_t i = 0; i < g->n; i++)
		mem_aligned_free(g->matrix[i]);
	modelfile_close(g->mf);
	free(g);
}

static void merge(struct merged *g, struct weights_source *src, const struct weights *shape, const struct adapter *a)
{
	for (g->n = 0; g->n < a->n; g->n++) {
		const struct param *p = &shape->layout.p[a->of[g->n]];
		real *m = mem_aligned(p->rows * p->cols * sizeof(real));

		modelfile_read(g->mf, p->name, p->rows, p->cols, (float *)m, NULL);      /* it was checked */
		adapter_add(a, a->flat, g->n, m);
		g->matrix[g->n] = m;
		src->tensor[a->of[g->n]] = (struct weights_source_tensor){ m, false };
	}
}

/* The weights stay where they are in the file until they are needed. Files of other programs need not be
 * aligned: *mapped false then, and nothing is made. */
static int map_weights(struct weights **out, struct modelfile *mf, const struct dialogue_config *c,
                       const struct adapter *a, bool *mapped, struct err *e)
{
	struct weights_source src = { .owner = mf, .done = close_file, .drop = modelfile_drop };
	struct weights *shape = weights_bytes_new(c, NULL);
	int rc = 0;

	*mapped = true;
	for (size_t i = 0; rc == 0 && i < W_COUNT; i++) {
		const struct param *p = &shape->layout.p[i];
		struct modelfile_view v;

		rc = modelfile_check(mf, p->name, p->rows, p->cols, &v, e);
		if (rc == 0) {
			src.tensor[i] = (struct weights_source_tensor){ v.data, v.dtype == MODELFILE_BF16 };
			*mapped = *mapped && (uintptr_t)v.data % sizeof(real) == 0;
		}
	}
	if (rc == 0 && *mapped && a) {
		struct merged *g = xcalloc(1, sizeof(*g));

		g->mf = mf;
		merge(g, &src, shape, a);
		src.owner = g;
		src.done = close_merged;
		src.drop = NULL;      /* not all of it is a map */
	}
	if (rc == 0 && *mapped)
		weights_bytes_fill(shape, &src);
	for (size_t i = 0; rc == 0 && *mapped && a && i < W_COUNT; i++)      /* at once: the merged ones take four times the room */
		if (weights_in_product(i))
			weights_bytes(shape, i);
	if (rc < 0 || !*mapped) {
		*mapped = false;
		weights_free(shape);
	} else {
		*out = shape;
	}
	return rc;
}

static int read_weights(struct weights **out, const struct modelfile *mf, const struct dialogue_config *c,
                        const struct adapter *a, bool trainable, struct err *e)
{
	struct weights *w = weights_new(c, trainable);

	for (size_t i = 0; i < w->layout.n; i++) {
		const struct param *p = &w->layout.p[i];

		if (modelfile_read(mf, p->name, p->rows, p->cols, (float *)(w->flat + p->offset), e) < 0) {
			weights_free(w);
			return e ? e->code : ERR_FORMAT;
		}
	}
	if (a)
		adapter_put(a, a->flat, w->flat, &w->layout, w->flat);
	weights_pack(w);
	*out = w;
	return 0;
}

/* about: whose lineage it has. *kept: the file is the weights' now; with an adapter they may be done with it already. */
static int load_from(struct model **out, struct modelfile *mf, const char *path, const char *adapter, const struct modelfile *about,
                     enum model_use use, bool *kept, struct err *e)
{
	const char *format = meta_or(mf, "format", ""), *config = modelfile_meta(mf, "config");
	const char *tokenizer = modelfile_meta(mf, "tokenizer");
	struct dialogue_config c;
	struct tokenizer *tok;

	if (strcmp(format, "answerback-model-1") != 0 || !config || !tokenizer)
		return err_set(e, ERR_FORMAT, "%s: a safetensors file, but not an Answerback model "
		               "(its metadata say format '%.40s')", path, format);
	if (model_config_from_json(&c, config, e) < 0 || check_shapes(mf, &c, path, e) < 0)
		return err_prefix(e, "%s", path);
	if (tokenizer_from_json(tokenizer, strlen(tokenizer), &tok, e) < 0)
		return err_prefix(e, "%s: tokenizer", path);
	if (tokenizer_vocab(tok) != c.vocab) {
		size_t n = tokenizer_vocab(tok);

		tokenizer_free(tok);
		return err_set(e, ERR_FORMAT, "%s: the tokenizer has %zu pieces, the model %zu", path, n, c.vocab);
	}

	struct weights *w = NULL;
	struct adapter *a = NULL;
	bool bytes = false;
	int rc = use == MODEL_SERVE ? model_serves_bytes(&bytes, e) : 0;

	if (rc == 0 && adapter)
		rc = adapter_load(&a, adapter, &c, e);
	if (rc == 0 && bytes)
		rc = map_weights(&w, mf, &c, a, kept, e);
	if (rc == 0 && !w)
		rc = read_weights(&w, mf, &c, a, use == MODEL_TRAIN, e);
	adapter_free(a);
	if (rc == 0 && bytes && !*kept) {
		struct weights *exact = w;

		w = weights_bytes_from(exact);
		weights_free(exact);
	}
	if (rc < 0) {
		tokenizer_free(tok);
		return rc;
	}
	*out = model_new(w, tok, meta_or(about, "lineage", "{}"), meta_or(about, "scores", "{}"));
	(*out)->path = xstrdup(path);
	(*out)->adapter = adapter ? xstrdup(adapter) : NULL;
	return 0;
}

static int load(struct model **out, const char *path, const char *adapter, enum model_use use, struct err *e)
{
	struct modelfile *mf, *about = NULL;
	bool kept = false;

	_Static_assert(sizeof(real) == sizeof(float) || sizeof(real) == sizeof(double), "");
	if (sizeof(real) != sizeof(float))
		return err_set(e, ERR_USAGE, "model files are read by the single-precision library");
	if (modelfile_open(&mf, path, e) < 0)
		return e ? e->code : ERR_IO;

	if (adapter && modelfile_open(&about, adapter, e) < 0) {
		modelfile_close(mf);
		return e ? e->code : ERR_IO;
	}

	int rc = load_from(out, mf, path, adapter, about ? about : mf, use, &kept, e);

	modelfile_close(about);
	if (!kept)
		modelfile_close(mf);
	return rc;
}

int model_load(struct model **out, const char *path, enum model_use use, struct err *e)
{
	return load(out, path, NULL, use, e);
}

int model_load_adapted(struct model **out, const char *path, const char *adapter, enum model_use use, struct err *e)
{
	return load(out, path, adapter, use, e);
}

int model_as_f32(struct model **out, struct model *m, struct err *e)
{
	if (!m->w->bytes) {
		*out = model_ref(m);
		return 0;
	}
	if (m->of && !m->of->w->bytes) {
		*out = model_ref(m->of);
		return 0;
	}
	if (!m->path)
		return err_set(e, ERR_USAGE, "this model is in 8 bits and was not read from a file");
	return load(out, m->path, m->adapter, MODEL_F32, e);
}

struct model *model_served(struct model *m)
{
	bool bytes;
	struct model *served;

	if (m->w->bytes || model_serves_bytes(&bytes, NULL) < 0 || !bytes)
		return model_ref(m);
	served = model_new(weights_bytes_from(m->w), m->tok, m->lineage, m->scores);
	served->of = model_ref(m);
	return served;
}

int model_save(const struct weights *w, const struct tokenizer *tok, const char *path,
               enum modelfile_dtype dtype, const char *lineage, const char *scores, struct err *e)
{
	struct modelfile_tensor t[W_COUNT];
	char *config = model_config_to_json(&w->cfg), *tokenizer = tokenizer_to_json(tok);
	const struct modelfile_pair meta[] = {
		{ "format", "answerback-model-1" }, { "config", config }, { "tokenizer", tokenizer },
		{ "lineage", lineage ? lineage : "{}" }, { "scores", scores ? scores : "{}" },
	};

	for (size_t i = 0; i < W_COUNT; i++) {
		const struct param *p = &w->layout.p[i];

		t[i] = (struct modelfile_tensor){ p->name, dtype, p->rows, p->cols, w->flat + p->offset };
	}

	int rc = modelfile_write(path, t, W_COUNT, meta, sizeof(meta) / sizeof(meta[0]), e);

	free(config);
	free(tokenizer);
	return rc;
}
