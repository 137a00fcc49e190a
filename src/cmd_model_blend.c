/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cmd_model_blend: `answerback model blend A B`: weights part of the way from one model to another that was trained on from
 * it. What each learned is mostly kept (WiSE-FT, Wortsman et al. 2022), without another hour of training. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../model/model.h"
#include "../model/pool.h"
#include "../model/train.h"
#include "cmd_model.h"
#include "commands.h"
#include "config.h"
#include "corpus.h"

/* The same shape, and pieces that mean the same. */
static int alike(const struct model *a, const struct model *b, struct err *e)
{
	char *x = model_config_to_json(&a->w->cfg), *y = model_config_to_json(&b->w->cfg);
	bool same = strcmp(x, y) == 0;

	free(x);
	free(y);
	x = tokenizer_to_json(a->tok);
	y = tokenizer_to_json(b->tok);
	same = same && strcmp(x, y) == 0;
	free(x);
	free(y);
	return same ? 0 : err_set(e, ERR_USAGE, "the two models differ in their sizes or their pieces: only one that was trained on from "
	                          "the other can be blended with it");
}

static char *lineage(const struct model *b, double part)
{
	json_t *o = cmd_model_json(b->lineage);
	char *text, *copy;

	json_object_set_new(o, "blend", json_real(part));
	text = json_dumps(o, JSON_COMPACT | JSON_REAL_PRECISION(4));
	copy = text;
	json_decref(o);
	return copy;
}

/* The trainer's own figure, on the same conversations and as many of them. */
static int measure(const struct weights *w, const struct tokenizer *tok, const char *valid, char score[64], struct err *e)
{
	struct train_opts o;
	struct corpus c = { 0 };
	struct dataset *ds = dataset_new();
	struct pool *pool = pool_new(config_threads());
	struct likelihood l;
	int rc = corpus_read(&c, valid, &(struct chatfile_opts){ 0 }, 0, e);

	train_opts_default(&o);
	if (rc == 0) {
		corpus_encode(&c, tok, NULL, true, ds);
		train_likelihood(w, ds, o.eval_dialogues, pool, &l);
		snprintf(score, 64, "{\"held_out_bits_per_char\": %.5f}", likelihood_bits_per_char(&l, tokenizer_tag(tok, "assistant")));
	}
	pool_free(pool);
	dataset_free(ds);
	corpus_free(&c);
	return rc;
}

static int blend(struct model *a, struct model *b, double part, const char *valid, const char *out, struct err *e)
{
	struct weights *w;
	char *from, score[64] = "{}";
	int rc = alike(a, b, e);

	if (rc < 0)
		return rc;
	w = weights_new(&a->w->cfg, false);
	for (size_t i = 0; i < w->layout.total; i++)
		w->flat[i] = a->w->flat[i] + (real)part * (b->w->flat[i] - a->w->flat[i]);
	weights_pack(w);
	from = lineage(b, part);
	rc = valid ? measure(w, b->tok, valid, score, e) : 0;
	if (rc == 0)
		rc = model_save(w, b->tok, out, MODELFILE_BF16, from, score, e);
	free(from);
	weights_free(w);
	return rc;
}

int cmd_model_blend(struct cli_args *a)
{
	const char *out = cli_string(a, "out", NULL);
	struct model *m[2] = { NULL, NULL };
	struct err e = ERR_INIT;
	int rc = 0;

	if (a->n != 3 || !out)
		return cli_usage(a, "blend takes two model files and --out FILE");
	for (int i = 0; i < 2 && rc == 0; i++)
		rc = model_load(&m[i], a->operands[1 + i], MODEL_F32, &e);
	if (rc == 0)
		rc = blend(m[0], m[1], cli_double(a, "part", 0.5), cli_string(a, "valid", NULL), out, &e);
	model_unref(m[0]);
	model_unref(m[1]);
	return rc < 0 ? cli_failed(&e) : CLI_OK;
}
