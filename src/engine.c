/* SPDX-License-Identifier: GPL-3.0-or-later */
/* engine: options into a model, a company and a way of decoding. */
#include "engine.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "registry.h"

static bool has_option(const struct cli_args *a, const char *name)
{
	for (const struct cli_option *o = a->command->options; o->name; o++)
		if (strcmp(o->name, name) == 0)
			return true;
	return false;
}

static const char *string_if(const struct cli_args *a, const char *name, const char *def)
{
	return has_option(a, name) ? cli_string(a, name, def) : def;
}

static int role(const struct engine *en, const char *given, int32_t nth, const char **out, struct err *e)
{
	const char *name = given ? given : tokenizer_tag_name(en->m->tok, TOKEN_FIRST_TAG + nth);

	if (!name)      /* a model of one role answers as that role */
		name = tokenizer_tag_name(en->m->tok, TOKEN_FIRST_TAG);
	if (tokenizer_tag(en->m->tok, name) < 0)
		return err_set(e, ERR_USAGE, "this model has no role '%.40s'; `answerback model info` lists its roles", name);
	*out = name;
	return 0;
}

static void read_decode(struct decode_opts *d, double *rerank, const struct cli_args *a)
{
	d->beam = (size_t)cli_long(a, "beam", 1);
	if (cli_flag(a, "sample"))
		d->method = DECODE_SAMPLE;
	else if (d->beam > 1)
		d->method = DECODE_BEAM;
	d->length_penalty = cli_double(a, "length-penalty", d->length_penalty);
	d->temperature = cli_double(a, "temperature", 1);
	d->top_k = (size_t)cli_long(a, "top-k", 0);
	d->top_p = cli_double(a, "top-p", 1);
	d->seed = (uint64_t)cli_long(a, "seed", 1);
	d->min_tokens = (size_t)cli_long(a, "min-tokens", 0);
	d->max_tokens = (size_t)cli_long(a, "max-tokens", (long)d->max_tokens);
	d->no_repeat = (size_t)cli_long(a, "no-repeat", (long)d->no_repeat);
	/* nothing said about how: the best there is */
	if (!cli_given(a, "beam") && !cli_given(a, "sample") && !cli_given(a, "rerank")) {
		struct talk_opts best;

		talk_opts_best(&best);
		d->method = best.decode.method;
		d->beam = best.decode.beam;
		*rerank = best.rerank;
		return;
	}
	*rerank = cli_double(a, "rerank", 0);
	if (*rerank > 0 && d->beam < 2)
		d->beam = 8;
}

int engine_open(struct engine *en, struct cli_args *a, struct err *e)
{
	char *note;
	int rc;

	memset(en, 0, sizeof(*en));
	rc = registry_load(cli_string(a, "model", NULL), NULL, false, &en->m, &en->version, &note, e);
	if (note)
		fprintf(stderr, "answerback: %s\n", note);
	free(note);
	if (rc < 0)
		return rc;
	en->company = config_text(CONFIG_COMPANY);
	talk_opts_default(&en->opts);
	if (has_option(a, "beam"))
		read_decode(&en->opts.decode, &en->opts.rerank, a);
	if ((rc = role(en, string_if(a, "as", NULL), 1, &en->as, e)) < 0 ||
	    (rc = role(en, string_if(a, "from", NULL), 0, &en->from, e)) < 0)
		engine_close(en);
	return rc;
}

void engine_close(struct engine *en)
{
	model_unref(en->m);
	free(en->version);
	en->m = NULL;
	en->version = NULL;
}

void engine_tags(const struct engine *en, const char *tags[TOKENIZER_MAX_TAGS + 1])
{
	for (int32_t i = 0; i < TOKENIZER_MAX_TAGS; i++)
		tags[i] = tokenizer_tag_name(en->m->tok, TOKEN_FIRST_TAG + i);
	tags[TOKENIZER_MAX_TAGS] = NULL;
}

int engine_context(const struct engine *en, const char *path, struct chat *c, struct err *e)
{
	const char *tags[TOKENIZER_MAX_TAGS + 1] = { NULL };
	struct chatfile_opts o = { .tags = tags, .strict = true };
	struct chatfile *f;
	int rc;

	engine_tags(en, tags);
	if ((rc = chatfile_open(&f, path, &o, e)) < 0)
		return rc;
	rc = chatfile_next(f, c, e);
	chatfile_close(f);
	if (rc == 0)
		return err_set(e, ERR_FORMAT, "%s: holds no conversation; the first line must be one, as "
		               "{\"messages\": [{\"role\": \"user\", \"content\": \"...\"}]}", path);
	return rc < 0 ? rc : 0;
}

double engine_round(double x, double unit)
{
	return round(x / unit) * unit;
}
