/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common_import.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

char *common_import_file(const char *suffix, const void *bytes, size_t n)
{
	struct str path = STR_INIT;
	int fd;

	str_addf(&path, "/tmp/answerback-import-XXXXXX%s", suffix);
	fd = mkstemps(path.s, (int)strlen(suffix));
	if (fd < 0 || write(fd, bytes, n) != (ssize_t)n)
		abort();
	close(fd);
	return str_detach(&path);
}

static void warn(const char *message, void *arg)
{
	struct common_import *c = arg;
	const char *line = strchr(message, ':');

	c->warnings++;
	str_addf(&c->said, "%s\n", line ? line + 1 : message);
}

struct common_import common_import_read(const char *suffix, const void *bytes, size_t n, struct import_opts o)
{
	struct common_import c = { .said = STR_INIT, .text = STR_INIT };
	char *path = common_import_file(suffix, bytes, n);
	struct import_conversation k = { 0 };
	struct import_reader *r;

	o.warn = warn;
	o.arg = &c;
	c.rc = import_open(&r, path, &o, &c.e);
	while (c.rc >= 0 && (c.rc = import_next(r, &k, &c.e)) > 0) {
		str_addf(&c.text, "%s|%s:", k.head.case_id ? k.head.case_id : "", k.head.customer ? k.head.customer : "");
		for (size_t i = 0; i < k.n; i++) {
			str_addf(&c.text, "%s %s=", i ? ";" : "", k.m[i].role);
			str_add(&c.text, k.m[i].content, k.m[i].len);
		}
		str_addc(&c.text, '\n');
		if (c.n++ == 0)
			c.first_time = k.m[0].created;
	}
	if (r)
		c.counts = *import_counts(r);
	import_conversation_free(&k);
	import_close(r);
	unlink(path);
	free(path);
	return c;
}

void common_import_free(struct common_import *c)
{
	str_free(&c->said);
	str_free(&c->text);
}
