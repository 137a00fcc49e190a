/* SPDX-License-Identifier: GPL-3.0-or-later */
/* retrain_state: the file of the last run. */
#include "retrain_state.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/rng.h"
#include "base/str.h"

static void copy(char *to, size_t room, const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	if (s && strlen(s) < room)
		strcpy(to, s);
}

static char *path_of(const char *folder, const char *name)
{
	struct str s = STR_INIT;

	str_addf(&s, "%s/%s", folder, name);
	return str_detach(&s);
}

char *retrain_checkpoint_path(const char *folder)
{
	return path_of(folder, "retrain.checkpoint");
}

void retrain_state_read(struct retrain_state *s, const char *folder)
{
	char *path = path_of(folder, "retrain.json");
	json_t *o = json_load_file(path, 0, NULL);

	*s = (struct retrain_state){ 0 };
	free(path);
	copy(s->start, sizeof(s->start), o, "start");
	copy(s->print, sizeof(s->print), o, "print");
	copy(s->outcome, sizeof(s->outcome), o, "outcome");
	s->began = json_integer_value(json_object_get(o, "began"));
	s->newest = json_integer_value(json_object_get(o, "newest"));
	s->examples = json_integer_value(json_object_get(o, "examples"));
	json_decref(o);
}

int retrain_state_write(const struct retrain_state *s, const char *folder, struct err *e)
{
	char *path = path_of(folder, "retrain.json"), *tmp = path_of(folder, "retrain.json.new");
	FILE *f = fopen(tmp, "w");
	int rc = 0;

	if (!f || fprintf(f, "{\"start\": \"%s\", \"print\": \"%s\", \"outcome\": \"%s\", \"began\": %" PRId64 ", \"newest\": %" PRId64
	                  ", \"examples\": %" PRId64 "}\n", s->start, s->print, s->outcome, s->began, s->newest, s->examples) < 0 ||
	    fflush(f) != 0 || fsync(fileno(f)) != 0)
		rc = err_set(e, ERR_IO, "%s cannot be written: %m", tmp);
	if (f && fclose(f) != 0 && rc == 0)
		rc = err_set(e, ERR_IO, "%s cannot be written: %m", tmp);
	if (rc == 0 && rename(tmp, path) != 0)
		rc = err_set(e, ERR_IO, "%s cannot be replaced: %m", path);
	if (rc < 0)
		unlink(tmp);
	free(path);
	free(tmp);
	return rc;
}

void retrain_print(char out[24], const struct corpus *examples, const char *how)
{
	uint64_t z = 1;

	for (const char *p = how; *p; p++)
		z = rng_hash(z, (unsigned char)*p);
	for (size_t i = 0; i < examples->n; i++) {
		const struct chat *c = &examples->chat[i];

		z = rng_hash(z, c->n);
		for (size_t k = 0; k < c->n; k++) {
			z = rng_hash(z, (uint64_t)(c->messages[k].weight * 1000));
			for (size_t j = 0; j < c->messages[k].len; j++)
				z = rng_hash(z, (unsigned char)c->messages[k].content[j]);
		}
	}
	snprintf(out, 24, "%016" PRIx64, z);
}
