/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes through the conversation parser; what it accepts must survive writing and reading. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "chatfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct chat c = { 0 }, back = { 0 };
	struct chatfile_counts counts = { 0 };
	struct err e = ERR_INIT;

	if (chat_from_json((const char *)data, size, "fuzz:1", NULL, &c, &counts, &e) == 0) {
		char *json = chat_to_json(&c);

		if (chat_from_json(json, strlen(json), "again:1", NULL, &back, NULL, &e) < 0 || back.n != c.n)
			abort();
		for (size_t i = 0; i < c.n; i++)
			if (back.messages[i].len != c.messages[i].len ||
			    memcmp(back.messages[i].content, c.messages[i].content, c.messages[i].len) != 0)
				abort();
		free(json);
	}
	chat_free(&c);
	chat_free(&back);
	return 0;
}
