/* SPDX-License-Identifier: GPL-3.0-or-later */
/* train_checkpoint: everything a training run is, in one file, written whole or not at all.
 *
 * A safetensors file like a model's, with the blocks as they stand (weights, moments, average,
 * best) in f32 and the rest of the state as JSON. Numbers that must come back bit for bit are
 * written as hexadecimal floats. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../src/base/mem.h"
#include "model.h"
#include "modelfile.h"
#include "train_private.h"

/* The scalar state, by name. */
struct scalar {
	const char *name;
	double *d;
	uint64_t *u;
};

enum { SCALARS = 13 };

static void scalars(struct trainer *t, struct scalar s[SCALARS])
{
	const struct scalar all[SCALARS] = {
		{ "step", NULL, &t->step }, { "epoch", NULL, &t->epoch }, { "batch", NULL, &t->batch },
		{ "stale", NULL, &t->stale }, { "skipped", NULL, &t->skipped },
		{ "seconds", &t->seconds, NULL }, { "loss", &t->loss, NULL },
		{ "best_bits", &t->best_bits, NULL },
		{ "updates", NULL, &t->optim.updates }, { "norms", NULL, &t->optim.norms },
		{ "norm_mean", &t->optim.norm_mean, NULL },
		{ "bits", &t->bits, NULL }, { "bits_all", &t->bits_all, NULL },
	};

	memcpy(s, all, sizeof(all));
}

/* What must be the same for a resume to mean anything. The number of threads may change. */
static char *fingerprint(const struct trainer *t)
{
	char *config = model_config_to_json(&t->w->cfg), buf[256];
	struct str s = STR_INIT;

	str_adds(&s, config);
	snprintf(buf, sizeof(buf), " shards=%zu rows=%zu longest=%zu seed=%" PRIu64 " dialogues=%zu ids=%zu",
	         t->o.shards, t->o.batch_rows, t->o.longest, t->o.seed, t->train->dialogues, t->train->n_ids);
	str_adds(&s, buf);
	if (t->adapter) {
		snprintf(buf, sizeof(buf), " adapter=%zu", t->adapter->rank);
		str_adds(&s, buf);
	}
	free(config);
	return str_detach(&s);
}

int trainer_save(struct trainer *t, struct err *e)
{
	const size_t n = t->w->layout.total, trained = t->optim.n;
	struct scalar s[SCALARS];
	json_t *o = json_object();
	char text[64];

	if (sizeof(real) != sizeof(float))
		return err_set(e, ERR_USAGE, "checkpoints are written by the single-precision library");
	scalars(t, s);
	for (size_t i = 0; i < SCALARS; i++) {
		if (s[i].d)
			snprintf(text, sizeof(text), "%a", *s[i].d);
		else
			snprintf(text, sizeof(text), "%" PRIu64, *s[i].u);
		json_object_set_new(o, s[i].name, json_string(text));
	}

	char *state = json_dumps(o, JSON_COMPACT), *print = fingerprint(t);
	const struct modelfile_pair meta[] = {
		{ "format", "answerback-checkpoint-1" }, { "state", state }, { "run", print },
	};
	const struct modelfile_tensor tensors[] = {
		{ "weights", MODELFILE_F32, 1, n, t->w->flat },
		{ "moment1", MODELFILE_F32, 1, trained, t->optim.m },
		{ "moment2", MODELFILE_F32, 1, trained, t->optim.v },
		{ "best", MODELFILE_F32, 1, n, t->best },
	};
	struct modelfile_tensor all[6];
	size_t count = 4;

	memcpy(all, tensors, sizeof(tensors));
	if (t->optim.average)
		all[count++] = (struct modelfile_tensor){ "average", MODELFILE_F32, 1, trained, t->optim.average };
	if (t->adapter)
		all[count++] = (struct modelfile_tensor){ "factors", MODELFILE_F32, 1, trained, t->adapter->flat };

	int rc = modelfile_write(t->checkpoint, all, count, meta, 3, e);

	free(state);
	free(print);
	json_decref(o);
	return rc < 0 ? err_prefix(e, "checkpoint not saved (the last one is still there)") : 0;
}

static int read_state(struct trainer *t, const struct modelfile *mf, struct err *e)
{
	const char *format = modelfile_meta(mf, "format"), *state = modelfile_meta(mf, "state");
	const char *run = modelfile_meta(mf, "run");
	struct scalar s[SCALARS];
	json_error_t je;

	if (!format || strcmp(format, "answerback-checkpoint-1") != 0 || !state || !run)
		return err_set(e, ERR_FORMAT, "%s: not a training checkpoint", t->checkpoint);

	char *print = fingerprint(t);
	bool same = strcmp(print, run) == 0;

	if (!same)
		err_set(e, ERR_USAGE, "%s: belongs to another run (it was made with %.150s; now %.150s); "
		        "give the same options and files, or start without --resume", t->checkpoint,
		        strchr(run, ' ') ? strchr(run, ' ') + 1 : run, strchr(print, ' ') ? strchr(print, ' ') + 1 : print);
	free(print);
	if (!same)
		return ERR_USAGE;

	json_t *o = json_loads(state, JSON_REJECT_DUPLICATES, &je);
	int rc = 0;

	scalars(t, s);
	for (size_t i = 0; rc == 0 && i < SCALARS; i++) {
		const char *text = json_string_value(json_object_get(o, s[i].name));
		char *stop = NULL;

		if (text && s[i].d)
			*s[i].d = strtod(text, &stop);
		else if (text)
			*s[i].u = strtoull(text, &stop, 10);
		if (!text || stop == text || *stop)
			rc = err_set(e, ERR_FORMAT, "%s: its state lacks '%s'", t->checkpoint, s[i].name);
	}
	json_decref(o);
	return rc;
}

int trainer_resume(struct trainer *t, struct err *e)
{
	const size_t n = t->w->layout.total, trained = t->optim.n;
	struct modelfile *mf;
	int rc;

	if (!t->checkpoint || (access(t->checkpoint, F_OK) != 0 && errno == ENOENT))
		return err_set(e, ERR_NOTFOUND, "no checkpoint at %s", t->checkpoint ? t->checkpoint : "(none)");
	if (modelfile_open(&mf, t->checkpoint, e) < 0)
		return e ? e->code : ERR_IO;
	if ((rc = modelfile_verify(mf, e)) == 0 && (rc = read_state(t, mf, e)) == 0 &&
	    (rc = modelfile_read(mf, "weights", 1, n, (float *)t->w->flat, e)) == 0 &&
	    (rc = modelfile_read(mf, "moment1", 1, trained, (float *)t->optim.m, e)) == 0 &&
	    (rc = modelfile_read(mf, "moment2", 1, trained, (float *)t->optim.v, e)) == 0 &&
	    (rc = modelfile_read(mf, "best", 1, n, (float *)t->best, e)) == 0 && t->optim.average)
		rc = modelfile_read(mf, "average", 1, trained, (float *)t->optim.average, e);
	if (rc == 0 && t->adapter)
		rc = modelfile_read(mf, "factors", 1, trained, (float *)t->adapter->flat, e);
	modelfile_close(mf);
	if (rc == 0) {
		weights_pack(t->w);
		/* as of the last evaluation, should there be no other */
		trainer_take_average(t);
	}
	return rc;
}
