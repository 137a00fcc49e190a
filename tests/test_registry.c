/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The versions of a data folder: a power cut at any instant of a publish leaves a model that loads, and of what was
 * half written nothing stays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/rng.h"
#include "common_model.h"
#include "config.h"
#include "registry.h"

static char folder[40], base[80];

static int setup(void **state)
{
	struct model *m = fixture_model(3);

	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/answerback-registry-XXXXXX");
	assert_non_null(mkdtemp(folder));
	setenv("HOME", folder, 1);
	unsetenv("ANSWERBACK_MODEL");
	config_reset();
	snprintf(base, sizeof(base), "%s/base.safetensors", folder);
	assert_int_equal(model_save(m->w, m->tok, base, MODELFILE_F32, "{}", "{}", NULL), 0);
	model_unref(m);
	return 0;
}

static int teardown(void **state)
{
	char cmd[64];

	(void)state;
	snprintf(cmd, sizeof(cmd), "rm -rf %s", folder);
	return system(cmd) == 0 ? 0 : -1;
}

static struct registry *opened(void)
{
	struct registry *r;

	assert_int_equal(registry_open(&r, folder, base, NULL), 0);
	return r;
}

/* Publish version after version until killed. */
static void publish_for_ever(uint64_t seed)
{
	struct registry *r;
	struct model *m = fixture_model(seed);

	if (registry_open(&r, folder, base, NULL) < 0 || registry_lock(r, NULL) < 0)
		_exit(1);
	for (;;) {
		char *id;

		if (registry_add(r, m->w, m->tok, "{\"parent\": \"base\"}", "{}", &id, NULL) < 0 ||
		    registry_promote(r, id, "published", NULL) < 0 || registry_prune(r, 3, NULL) < 0)
			_exit(1);
		free(id);
	}
}

static size_t left_over(void)
{
	char path[60];
	struct dirent *de;
	size_t n = 0;
	DIR *d;

	snprintf(path, sizeof(path), "%s/models", folder);
	d = opendir(path);
	while (d && (de = readdir(d)))
		n += strstr(de->d_name, ".tmp.") != NULL;
	if (d)
		closedir(d);
	return n;
}

static void a_power_cut_in_the_middle_of_a_publish(void **state)
{
	size_t versions = 0;
	struct rng rng;

	(void)state;
	rng_seed(&rng, 77);
	for (int k = 0; k < 40; k++) {
		struct registry_list l;
		struct registry *r;
		struct model *m;
		struct err e = ERR_INIT;
		char *id, *path, *note;
		pid_t pid = fork();

		if (pid == 0)
			publish_for_ever((uint64_t)k);
		usleep((useconds_t)(3000 + rng_below(&rng, 40000)));
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);

		r = opened();
		assert_int_equal(registry_current(r, &id, &path, &note, &e), 0);
		assert_null(note);                        /* what is named is there */
		if (model_load(&m, path, MODEL_F32, &e) < 0)
			fail_msg("after kill %d: %s", k, e.msg);
		model_unref(m);
		assert_int_equal(registry_list(r, &l, NULL), 0);
		for (size_t i = 0; i < l.n; i++)
			if (l.v[i].damage)
				fail_msg("%s: %s", l.v[i].id, l.v[i].damage);
		versions = l.n > versions ? l.n : versions;
		registry_list_free(&l);
		assert_int_equal(registry_lock(r, NULL), 0);      /* the dead one's lock is gone */
		assert_int_equal(left_over(), 0);
		registry_close(r);
		free(id);
		free(path);
	}
	assert_true(versions > 1);                    /* something was published in between */
}

static void never_the_base_the_current_or_its_parent(void **state)
{
	struct registry *r = opened();
	struct model *m = fixture_model(4);
	struct registry_list l;
	char *id = NULL;

	(void)state;
	for (int k = 0; k < 5; k++) {
		free(id);
		assert_int_equal(registry_add(r, m->w, m->tok, k == 4 ? "{\"parent\": \"v2\"}" : "{\"parent\": \"base\"}", "{}", &id, NULL), 0);
	}
	assert_int_equal(registry_promote(r, "v2", "promoted", NULL), 0);
	assert_int_equal(registry_promote(r, "v5", "published", NULL), 0);
	assert_int_equal(registry_prune(r, 1, NULL), 3);
	assert_int_equal(registry_list(r, &l, NULL), 0);
	assert_int_equal(l.n, 3);
	assert_string_equal(l.v[1].id, "v2");
	assert_string_equal(l.v[2].id, "v5");
	assert_true(l.v[2].current);
	registry_list_free(&l);
	free(id);
	assert_int_equal(registry_rollback(r, &id, NULL), 0);
	assert_string_equal(id, "v2");
	free(id);
	/* a number that was used is not used again for another model */
	assert_int_equal(registry_add(r, m->w, m->tok, "{}", "{}", &id, NULL), 0);
	assert_string_equal(id, "v6");
	free(id);
	model_unref(m);
	registry_close(r);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_power_cut_in_the_middle_of_a_publish), T(never_the_base_the_current_or_its_parent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
