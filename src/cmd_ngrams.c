/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cmd_ngrams: `answerback ngrams`: count n-grams of a model's pieces in conversations, for
 * completion. Part of the recipe of the shipped model. */
#include <stdio.h>
#include <string.h>

#include "../model/ngram.h"
#include "commands.h"
#include "corpus.h"
#include "engine.h"

static const struct cli_option options[] = {
	CLI_OPTION_MODEL,
	{ "out", 'o', "FILE", CLI_STRING, "write here (MODEL without .safetensors, then .ngram, is found by itself)", 0, 0 },
	{ "keep", 0, "N", CLI_LONG, "leave out n-grams of three pieces and more seen less than N times (default 3)", 1, 1000 },
	{ "keep-pairs", 0, "N", CLI_LONG, "and pairs (default 2)", 1, 1000 },
	ENGINE_OPTION_COMPANY,
	CLI_OPTION_END
};

static void warn(const char *message, void *arg)
{
	(void)arg;
	fprintf(stderr, "answerback: %s\n", message);
}

static int run(struct cli_args *a)
{
	const char *tags[TOKENIZER_MAX_TAGS + 1] = { NULL };
	const struct chatfile_opts files = { .tags = tags, .warn = warn };
	const char *out = cli_string(a, "out", NULL);
	struct dataset *ds = dataset_new();
	struct corpus c = { 0 };
	struct err e = ERR_INIT;
	struct engine en;
	struct ngram_opts o;
	struct ngram *g;
	int rc = 0;

	if (a->n == 0 || !out)
		return cli_usage(a, "say which conversations, and --out FILE");
	if (engine_open(&en, a, &e) < 0)
		return cli_failed(&e);
	engine_tags(&en, tags);
	for (size_t i = 0; rc == 0 && i < a->n; i++)
		rc = corpus_read(&c, a->operands[i], &files, 0, &e);
	if (rc == 0 && c.n == 0)
		rc = err_set(&e, ERR_FORMAT, "nothing to count: the files hold no conversation");
	if (rc == 0) {
		ngram_opts_default(&o);
		o.keep[1] = (uint32_t)cli_long(a, "keep-pairs", 2);
		for (size_t k = 2; k < NGRAM_MAX_ORDER; k++)
			o.keep[k] = (uint32_t)cli_long(a, "keep", 3);
		corpus_encode(&c, en.m->tok, en.company, true, ds);
		g = ngram_train_dataset(ds, en.m->w->cfg.vocab, &o);
		rc = ngram_save(g, out, ngram_fingerprint(en.m->tok), &e);
		if (rc == 0)
			fprintf(stderr, "answerback: %s: %zu pieces; n-grams of 1 to 5: %zu, %zu, %zu, %zu, %zu\n", out, ds->n_ids,
			        ngram_grams(g, 1), ngram_grams(g, 2), ngram_grams(g, 3), ngram_grams(g, 4), ngram_grams(g, 5));
		ngram_free(g);
	}
	dataset_free(ds);
	corpus_free(&c);
	engine_close(&en);
	return rc < 0 ? cli_failed(&e) : CLI_OK;
}

const struct cli_command cmd_ngrams = {
	"ngrams", "count n-grams for completion", "[OPTION...] --out FILE FILE...", options, run,
	"The n-grams are of the model's pieces, with placeholders for personal data, and belong beside that\n"
	"model: completion mixes them with its probabilities."
};
