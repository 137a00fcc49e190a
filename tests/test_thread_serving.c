/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Weights in 8 bits: the same whether they come from a file's map or from other weights, close to full
 * precision, and made by whichever thread needs them first. */
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../model/session.h"
#include "common_model.h"

enum { SAID = 9, THREADS = 4 };

static char *saved(const struct model *m, enum modelfile_dtype dtype)
{
	static char path[] = "/tmp/answerback-serving-XXXXXX";
	int fd;

	strcpy(path + strlen(path) - 6, "XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(model_save(m->w, m->tok, path, dtype, NULL, NULL, NULL), 0);
	return path;
}

/* log p after a few turns, with every matrix used. */
static real *say_something(struct model *m)
{
	const size_t V = m->w->cfg.vocab;
	struct session *s = session_new(m);
	struct decode_state st;
	real *logp = malloc(V * sizeof(real));
	int32_t ids[SAID];

	for (size_t i = 0; i < SAID; i++)
		ids[i] = (int32_t)(V - 1 - 7 * i);
	decode_state_init(&st, m, 1);
	session_add(s, 2, ids, SAID);
	session_add(s, 3, ids + 2, 5);
	session_start(s, 2, &st, logp);
	session_step(s, &st, &ids[3], logp);
	decode_state_fini(&st);
	session_free(s);
	return logp;
}

static double worst(const real *x, const real *y, size_t n)
{
	double w = 0;

	for (size_t i = 0; i < n; i++)
		w = fmax(w, fabs((double)x[i] - (double)y[i]));
	return w;
}

static void bytes_from_file_and_memory(void **state)
{
	static const enum modelfile_dtype dtypes[] = { MODELFILE_F32, MODELFILE_BF16 };
	struct model *m = fixture_model(3);

	(void)state;
	for (size_t k = 0; k < 2; k++) {
		char *path = saved(m, dtypes[k]);
		struct model *exact, *mapped, *again, *copied;
		const size_t V = m->w->cfg.vocab;
		real *a, *b, *c;

		assert_int_equal(model_load(&exact, path, MODEL_F32, NULL), 0);
		assert_int_equal(model_load(&mapped, path, MODEL_SERVE, NULL), 0);
		assert_string_equal(model_precision(exact), "f32");
		assert_string_equal(model_precision(mapped), "int8");
		copied = model_served(exact);
		assert_string_equal(model_precision(copied), "int8");
		assert_int_equal(model_as_f32(&again, mapped, NULL), 0);
		assert_memory_equal(again->w->flat, exact->w->flat, exact->w->layout.total * sizeof(real));
		unlink(path);      /* the map stays */
		a = say_something(exact);
		b = say_something(mapped);
		c = say_something(copied);
		assert_memory_equal(b, c, V * sizeof(real));
		for (size_t i = 0; i < W_COUNT; i++) {
			const struct packed8 *x = weights_in_product(i) ? weights_bytes(mapped->w, i) : NULL;

			if (!x)
				assert_memory_equal(weights_at(mapped->w, i), weights_at(exact->w, i),
				                    exact->w->layout.p[i].cols * sizeof(real));
			else
				assert_memory_equal(x->data, weights_bytes(copied->w, i)->data, packed8_bytes(x->k, x->n));
		}
		/* it is rounded, but not far */
		assert_true(worst(a, b, V) > 0 && worst(a, b, V) < 0.25);
		free(a);
		free(b);
		free(c);
		model_unref(exact);
		model_unref(mapped);
		model_unref(copied);
		model_unref(again);
	}
	model_unref(m);
}

static void *say_in_thread(void *m)
{
	return say_something(m);
}

static void threads_make_them_once(void **state)
{
	struct model *m = fixture_model(5), *fresh;
	char *path = saved(m, MODELFILE_F32);
	pthread_t t[THREADS];
	void *first = NULL, *x;

	(void)state;
	assert_int_equal(model_load(&fresh, path, MODEL_SERVE, NULL), 0);
	unlink(path);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&t[i], NULL, say_in_thread, fresh), 0);
	for (size_t i = 0; i < THREADS; i++) {
		pthread_join(t[i], &x);
		if (first)
			assert_memory_equal(first, x, m->w->cfg.vocab * sizeof(real));
		if (first)
			free(x);
		else
			first = x;
	}
	free(first);
	model_unref(fresh);
	model_unref(m);
}

static void never_used_is_let_go(void **state)
{
	struct model *m = fixture_model(6), *fresh;
	char *path = saved(m, MODELFILE_F32);

	(void)state;
	assert_int_equal(model_load(&fresh, path, MODEL_SERVE, NULL), 0);
	unlink(path);
	model_unref(fresh);
	model_unref(m);
}

static void environment_decides(void **state)
{
	struct model *m = fixture_model(4), *x;
	char *path = saved(m, MODELFILE_F32);
	struct err e = ERR_INIT;

	(void)state;
	setenv("ANSWERBACK_SERVE", "f32", 1);
	assert_int_equal(model_load(&x, path, MODEL_SERVE, &e), 0);
	assert_string_equal(model_precision(x), "f32");
	model_unref(x);
	x = model_served(m);
	assert_ptr_equal(x, m);
	model_unref(x);
	setenv("ANSWERBACK_SERVE", "int4", 1);
	assert_int_equal(model_load(&x, path, MODEL_SERVE, &e), ERR_USAGE);
	assert_non_null(strstr(e.msg, "int8 or f32"));
	/* what trains does not ask */
	assert_int_equal(model_load(&x, path, MODEL_TRAIN, &e), 0);
	model_unref(x);
	unsetenv("ANSWERBACK_SERVE");
	unlink(path);
	model_unref(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_from_file_and_memory),
		cmocka_unit_test(threads_make_them_once),
		cmocka_unit_test(never_used_is_let_go),
		cmocka_unit_test(environment_decides),
	};

	unsetenv("ANSWERBACK_SERVE");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
