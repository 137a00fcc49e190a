/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes through the readers of other programs' files. The first byte says which: 'c' CSV, 'm' mbox, 't' transcript,
 * 'j' JSONL; in upper case without agents, or for CSV without a header. What comes out is text that the store can keep. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/utf8.h"
#include "import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *s, size_t n)
{
	if (strlen(s) != n || utf8_valid_upto(s, n) != n)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const agents[] = { "shop.example", "Tom" }, *const numbers[] = { "conversation=1", "role=2", "text=3" };
	static const enum import_format formats[] = { IMPORT_CSV, IMPORT_MBOX, IMPORT_TRANSCRIPT, IMPORT_JSONL };
	static const char letters[] = "cmtj";
	const char *letter = size ? memchr(letters, data[0] | 32, 4) : NULL;
	struct import_opts o = { .max_record = 4096, .max_bytes = 1 << 20 };
	struct import_conversation c = { 0 };
	struct import_reader *r;
	struct err e = ERR_INIT;
	char path[40];
	int fd;

	if (!letter)
		return 0;
	o.format = formats[letter - letters];
	if (data[0] & 32) {
		o.agents = agents;
		o.n_agents = 2;
	} else if (o.format == IMPORT_CSV) {
		o.no_header = true;
		o.columns = numbers;
		o.n_columns = 3;
	}
	fd = memfd_create("fuzz", MFD_CLOEXEC);
	if (fd < 0 || write(fd, data + 1, size - 1) != (ssize_t)(size - 1))
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (import_open(&r, path, &o, &e) == 0) {
		while (import_next(r, &c, &e) > 0) {
			if (c.n == 0)
				abort();
			for (size_t i = 0; i < c.n; i++) {
				check_text(c.m[i].content, c.m[i].len);
				if (strcmp(c.m[i].role, "user") != 0 && strcmp(c.m[i].role, "assistant") != 0)
					abort();
			}
			if (c.head.customer)
				check_text(c.head.customer, strlen(c.head.customer));
			if (c.head.tags)
				check_text(c.head.tags, strlen(c.head.tags));
		}
	}
	import_conversation_free(&c);
	import_close(r);
	close(fd);
	return 0;
}
