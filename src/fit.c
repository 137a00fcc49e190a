/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fit: the shipped encoder, opened once, and the comparison word by word. */
#include "fit.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/mem.h"
#include "paths.h"

struct fit {
	const struct encoder *en;
	struct encoder_view message;
};

/* Read only once it is there, and small: replies of every talk share it. */
static struct encoder *shipped;

static void open_shipped(void)
{
	char *path = NULL;

	if (paths_shipped("encoder.safetensors", &path, NULL) == 0 && encoder_open(&shipped, path, NULL) < 0)
		shipped = NULL;
	free(path);
}

const struct encoder *fit_encoder(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, open_shipped);
	return shipped;
}

struct fit *fit_new(const struct encoder *en, const char *message, size_t len)
{
	struct fit *f;

	if (!en)
		return NULL;
	f = xcalloc(1, sizeof(*f));
	f->en = en;
	encoder_look(en, message, len, &f->message);
	if (f->message.words.n == 0) {
		fit_free(f);
		return NULL;
	}
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

	encoder_look(f->en, reply, len, &r);
	encoder_compare(&f->message, &r, near, which);
	for (size_t i = 0; i < f->message.words.n; i++)
		sum += (double)f->message.weight[i] * (double)near[i];
	encoder_view_free(&r);
	return sum;
}
