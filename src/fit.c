/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fit: the shipped encoder, opened once, and the comparison word by word. */
#include "fit.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/mem.h"
#include "paths.h"

#define PLACE 2      /* chosen on held-out first messages */

struct fit {
	const struct fit_judge *judge;
	struct encoder_view message;
	float place[ENCODER_DIM];     /* where its answers lie; with a map */
};

int fit_open(struct fit_judge *j, const char *encoder, const char *map, struct err *e)
{
	int rc = encoder_open(&j->encoder, encoder, e);

	j->map = NULL;
	if (rc < 0 || !map)
		return rc;
	j->map = xcalloc(1, sizeof(*j->map));
	rc = answer_open(j->map, map, encoder_version(j->encoder), e);
	if (rc < 0)
		fit_close(j);
	return rc;
}

void fit_close(struct fit_judge *j)
{
	encoder_free(j->encoder);
	free(j->map);
	*j = (struct fit_judge){ 0 };
}

/* Read only once it is there, and small: replies of every talk share it. */
static struct fit_judge shipped;

static void open_shipped(void)
{
	char *encoder = NULL, *map = NULL;

	if (paths_shipped("encoder.safetensors", &encoder, NULL) == 0) {
		if (paths_shipped("answer.safetensors", &map, NULL) < 0 || fit_open(&shipped, encoder, map, NULL) < 0)
			if (fit_open(&shipped, encoder, NULL, NULL) < 0)
				shipped = (struct fit_judge){ 0 };
	}
	free(encoder);
	free(map);
}

const struct fit_judge *fit_shipped(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, open_shipped);
	return shipped.encoder ? &shipped : NULL;
}

struct fit *fit_new(const struct fit_judge *j, const char *message, size_t len)
{
	struct fit *f;

	if (!j)
		return NULL;
	f = xcalloc(1, sizeof(*f));
	f->judge = j;
	encoder_look(j->encoder, message, len, &f->message);
	if (f->message.words.n == 0) {
		fit_free(f);
		return NULL;
	}
	if (j->map)
		answer_place(j->map, f->message.vector, f->place);
	return f;
}

void fit_free(struct fit *f)
{
	if (!f)
		return;
	encoder_view_free(&f->message);
	free(f);
}

double fit_of(const struct fit *f, const char *reply, size_t len)
{
	struct encoder_view r;
	float near[ENCODER_WORDS];
	size_t which[ENCODER_WORDS];
	double sum = 0;

	encoder_look(f->judge->encoder, reply, len, &r);
	encoder_compare(&f->message, &r, near, which);
	for (size_t i = 0; i < f->message.words.n; i++)
		sum += (double)f->message.weight[i] * (double)near[i];
	for (size_t k = 0; f->judge->map && k < ENCODER_DIM; k++)
		sum += PLACE * (double)f->place[k] * (double)r.vector[k];
	encoder_view_free(&r);
	return sum;
}
