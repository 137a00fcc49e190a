/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common_store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fold.h"
#include "base/mem.h"
#include "base/str.h"

char store_folder[40], store_file[96];

int store_fresh(void **state)
{
	(void)state;
	snprintf(store_folder, sizeof(store_folder), "/tmp/answerback-store-XXXXXX");
	assert_non_null(mkdtemp(store_folder));
	snprintf(store_file, sizeof(store_file), "%s/answerback.db", store_folder);
	setenv("ANSWERBACK_DATA_DIR", store_folder, 1);
	unsetenv("ANSWERBACK_PRIVATE");
	return 0;
}

int store_gone(void **state)
{
	char cmd[160];

	(void)state;
	snprintf(cmd, sizeof(cmd), "chmod -R u+rwx %s; rm -rf %s", store_folder, store_folder);
	return system(cmd) == 0 ? 0 : -1;
}

struct store *store_opened(void)
{
	struct err e = ERR_INIT;
	struct store *s;

	if (store_open_file(&s, store_file, STORE_READ_WRITE, &e) < 0)
		fail_msg("%s", e.msg);
	return s;
}

int64_t store_say(struct store *s, int64_t conversation, const char *role, const char *origin, const char *text, int64_t when)
{
	struct store_message m = {
		.conversation = conversation, .role = (char *)(uintptr_t)role, .origin = (char *)(uintptr_t)origin,
		.content = (char *)(uintptr_t)text, .len = strlen(text), .created = when,
	};
	struct err e = ERR_INIT;

	if (store_message_add(s, &m, &e) < 0)
		fail_msg("%s", e.msg);
	return m.id;
}

int64_t store_conv(struct store *s, const char *case_id, const char *customer)
{
	int64_t id = 0;

	assert_int_equal(store_conversation_add(s, case_id, customer, "Acme", "test", 0, &id, NULL), 0);
	return id;
}

bool store_collect(const struct store_hit *h, void *arg)
{
	struct found *f = arg;

	assert_true(f->n < 64);
	snprintf(f->text[f->n], sizeof(f->text[0]), "%s", h->content);
	f->id[f->n++] = h->message;
	return true;
}

struct found store_find(struct store *s, const char *query)
{
	struct found f = { 0 };
	struct err e = ERR_INIT;

	if (store_search(s, query, 60, 0, store_collect, &f, &e) < 0)
		fail_msg("%s: %s", query, e.msg);
	return f;
}

int store_grep(const char *folder, const char *text)
{
	DIR *d = opendir(folder);
	struct dirent *f;
	int n = 0;

	while (d && (f = readdir(d))) {
		struct str path = STR_INIT, all = STR_INIT;
		struct stat st;
		char buf[4096];
		size_t got;
		FILE *in;

		if (strcmp(f->d_name, ".") == 0 || strcmp(f->d_name, "..") == 0)
			continue;
		str_addf(&path, "%s/%s", folder, f->d_name);
		if (stat(path.s, &st) == 0 && S_ISDIR(st.st_mode)) {
			n += store_grep(path.s, text);
		} else if ((in = fopen(path.s, "r"))) {
			while ((got = fread(buf, 1, sizeof(buf), in)) > 0)
				str_add(&all, buf, got);
			fclose(in);
			if (fold_holds_bytes(all.s, all.len, text, strlen(text))) {
				fprintf(stderr, "# '%s' is in %s\n", text, path.s);
				n++;
			}
		}
		str_free(&path);
		str_free(&all);
	}
	if (d)
		closedir(d);
	return n;
}
