/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes as a file of settings; changing one setting in it changes no other, and taking it out again takes it out. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "config_private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same_but(const struct config_parsed *a, const struct config_parsed *b, size_t but)
{
	for (size_t i = 0; i < CONFIG_COUNT; i++) {
		if (i == but)
			continue;
		if (!a->value[i] != !b->value[i] || (a->value[i] && strcmp(a->value[i], b->value[i]) != 0))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct {
		enum config_id id;
		const char *value;
	} changes[] = { { CONFIG_GHOST, "shy" }, { CONFIG_COMPANY, "a = b ; [c] # d" }, { CONFIG_THREADS, "7" }, { CONFIG_PRIVATE, "yes" } };
	struct str text = STR_INIT, set = STR_INIT, unset = STR_INIT;
	struct config_parsed before, after;
	size_t which;

	if (size == 0)
		return 0;
	which = data[0] % (sizeof(changes) / sizeof(changes[0]));
	str_add(&text, (const char *)data + 1, size - 1);
	config_parse(&before, text.s, text.len, "fuzz");
	if (config_file_edit(text.s, text.len, changes[which].id, changes[which].value, &set, NULL) == 0) {
		config_parse(&after, set.s, set.len, "set");
		if (!after.value[changes[which].id] || strcmp(after.value[changes[which].id], changes[which].value) != 0)
			abort();
		same_but(&before, &after, changes[which].id);
		config_parsed_fini(&after);
		if (config_file_edit(set.s, set.len, changes[which].id, NULL, &unset, NULL) < 0)
			abort();
		config_parse(&after, unset.s, unset.len, "unset");
		if (after.line[changes[which].id])
			abort();
		same_but(&before, &after, changes[which].id);
		config_parsed_fini(&after);
	}
	config_parsed_fini(&before);
	str_free(&text);
	str_free(&set);
	str_free(&unset);
	return 0;
}
