/* SPDX-License-Identifier: GPL-3.0-or-later */
/* common_store: a store in a folder of its own for each test. */
#ifndef ANSWERBACK_COMMON_STORE_H
#define ANSWERBACK_COMMON_STORE_H

#include "store.h"

extern char store_folder[40], store_file[96];

/* cmocka's setup and teardown. ANSWERBACK_DATA_DIR is the folder meanwhile. */
int store_fresh(void **state);
int store_gone(void **state);

struct store *store_opened(void);
int64_t store_say(struct store *s, int64_t conversation, const char *role, const char *origin, const char *text, int64_t when);
int64_t store_conv(struct store *s, const char *case_id, const char *customer);

struct found {
	size_t n;
	char text[64][80];
	int64_t id[64];
};
bool store_collect(const struct store_hit *h, void *found);
struct found store_find(struct store *s, const char *query);

/* Files below folder that hold the text, ASCII letters of either case alike; named on stderr. */
int store_grep(const char *folder, const char *text);

#endif
