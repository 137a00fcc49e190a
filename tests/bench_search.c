/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Search over many messages (ANSWERBACK_MESSAGES, 100,000; tests/long_search.sh takes a million): the median and the worst time to a first page of
 * 200 hits, as the screen asks for it, over every kind of query. Fills a database in ANSWERBACK_BENCH_DIR (kept, and used again), or in a
 * folder of its own. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/rng.h"
#include "base/str.h"
#include "store.h"

enum { WORDS = 60000, PAGE = 200, ROUNDS = 15 };

static double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return 1e3 * (double)ts.tv_sec + 1e-6 * (double)ts.tv_nsec;
}

/* Words by Zipf's law: a few in nearly every message, most in hardly any. */
static size_t zipf(struct rng *r)
{
	const double u = (double)rng_below(r, 1u << 30) / (double)(1u << 30);

	/* inverse of the harmonic sum, by its logarithm */
	return (size_t)(exp(11 * u) - 1) % WORDS;
}

static void word(size_t i, char out[24])
{
	static const char *const first[] = { "or", "re", "de", "pa", "ac", "in", "co", "un", "st", "tr", "ma", "be", "ho", "qu" };
	static const char *const then[] = { "der", "fund", "liver", "cel", "count", "voice", "tact", "able", "ard", "ack", "il", "gin", "use", "ick" };
	static const char *const last[] = { "", "s", "ed", "ing", "er", "ly", "ion", "al" };
	const size_t k = i * 2654435761u % 1000003;

	snprintf(out, 24, "%s%s%s%s%zu", first[k % 14], then[k / 14 % 14], i > 300 ? then[k / 196 % 14] : "", last[k / 2744 % 8], i > 2000 ? i : 0);
	if (i <= 2000)
		out[strlen(out) - 1] = '\0';
}

static int fill(struct store *s, size_t messages, struct err *e)
{
	struct str text = STR_INIT;
	struct rng r;
	const int64_t start = 1577836800000LL;      /* 2020: one every three minutes */
	int64_t c = 0;
	int rc = store_bulk_begin(s, e);

	rng_seed(&r, 1);
	for (size_t i = 0; i < messages && rc == 0; i++) {
		const int64_t when = start + (int64_t)i * 180000;
		struct store_message m = { .origin = (char *)(uintptr_t)(i % 2 ? i % 6 == 1 ? "model" : "typed" : "inbox"), .created = when };
		const size_t n = 5 + rng_below(&r, 14);

		m.role = (char *)(uintptr_t)(i % 2 ? "assistant" : "user");
		if (i % 6 == 0) {
			char id[32], name[32];

			snprintf(id, sizeof(id), "C-%zu", i / 6);
			snprintf(name, sizeof(name), "Customer %zu", i / 6 % 20000);
			rc = store_conversation_add(s, id, name, NULL, "bench", when, &c, e);
			if (rc == 0 && i % 600 == 0)
				rc = store_tag(s, c, i % 60000 == 0 ? "rare" : "vip", true, e);
		}
		str_reset(&text);
		for (size_t k = 0; k < n; k++) {
			char w[24];

			word(zipf(&r), w);
			str_addf(&text, "%s ", w);
		}
		if (i == 77)
			str_adds(&text, "needleinhaystack");
		m.conversation = c;
		m.content = text.s;
		m.len = text.len;
		if (rc == 0)
			rc = store_message_add(s, &m, e);
	}
	str_free(&text);
	if (rc == 0)
		return store_bulk_commit(s, e);
	store_bulk_abandon(s);
	return rc;
}

/* Of this program alone: what a machine that has nothing else to do would take. */
static double cpu_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return 1e3 * (double)ts.tv_sec + 1e-6 * (double)ts.tv_nsec;
}

static bool count(const struct store_hit *h, void *arg)
{
	(void)h;
	++*(size_t *)arg;
	return true;
}

static int by_size(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int measure(struct store *s, const char *what, const char *query)
{
	double ms[ROUNDS], cpu[ROUNDS];
	size_t n = 0;

	for (int i = 0; i < ROUNDS; i++) {
		struct err e = ERR_INIT;
		const double start = now_ms(), used = cpu_ms();

		n = 0;
		if (store_search(s, query, PAGE, 0, count, &n, &e) < 0) {
			fprintf(stderr, "%s: %s\n", query, e.msg);
			return 1;
		}
		ms[i] = now_ms() - start;
		cpu[i] = cpu_ms() - used;
	}
	const double first = ms[0];

	qsort(ms, ROUNDS, sizeof(ms[0]), by_size);
	qsort(cpu, ROUNDS, sizeof(cpu[0]), by_size);
	printf("%-30s %-46s %4zu hits  median %8.2f ms  cpu %8.2f ms  first %8.2f ms%s\n", what, query, n, ms[ROUNDS / 2],
	       cpu[ROUNDS / 2], first,
	       ms[ROUNDS / 2] >= 50 ? "  SLOW" : "");
	return ms[ROUNDS / 2] >= 50;
}

int main(void)
{
	const char *dir = getenv("ANSWERBACK_BENCH_DIR"), *many = getenv("ANSWERBACK_MESSAGES");
	char own[] = "/tmp/answerback-bench-XXXXXX", path[300], w[6][24];
	const size_t messages = many ? (size_t)atol(many) : 100000;
	struct err e = ERR_INIT;
	struct store *s;
	int slow = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!dir && !mkdtemp(own))
		return 1;
	snprintf(path, sizeof(path), "%s/answerback.db", dir ? dir : own);
	const bool there = access(path, R_OK) == 0;
	double start = now_ms();

	if (store_open_file(&s, path, STORE_READ_WRITE, &e) < 0 || (!there && fill(s, messages, &e) < 0)) {
		fprintf(stderr, "%s\n", e.msg);
		return 1;
	}
	if (!there) {
		printf("%zu messages written in %.1f s\n", messages, (now_ms() - start) / 1000);
		store_close(s);
		store_open_file(&s, path, STORE_READ_WRITE, &e);
	}
	for (size_t i = 0; i < 6; i++)
		word((size_t[]){ 0, 1, 30, 1000, 20000, 50000 }[i], w[i]);
	const struct {
		const char *what;
		const char *query[5];
	} tests[] = {
		{ "the most common word", { w[0], " " } },
		{ "a common word", { w[2], " " } },
		{ "an uncommon word", { w[3], " " } },
		{ "a rare word", { w[4], " " } },
		{ "one in all", { "needleinhaystack " } },
		{ "no such word", { "nonesuchword " } },
		{ "prefix, 1 letter", { "o" } },
		{ "prefix, 2 letters", { "or" } },
		{ "prefix, 3 letters", { "ord" } },
		{ "prefix, 4 letters", { "orde" } },
		{ "prefix, 5 letters", { "order" } },
		{ "prefix, 4 letters", { "refu" } },
		{ "two common words", { w[0], " ", w[1], " " } },
		{ "common and rare", { w[0], " ", w[4], " " } },
		{ "common and one in all", { w[0], " needleinhaystack " } },
		{ "common and none", { w[0], " nonesuchword " } },
		{ "two uncommon words", { w[3], " ", w[2], " " } },
		{ "phrase of common words", { "\"", w[0], " ", w[1], "\" " } },
		{ "common and a prefix", { w[0], " re" } },
		{ "nothing: the newest", { "" } },
		{ "from: a role", { "from:user ", w[0], " " } },
		{ "from: one customer", { "from:\"Customer 77\" ", w[0], " " } },
		{ "from: one customer, no word", { "from:\"Customer 77\"" } },
		{ "from: nobody", { "from:nobody ", w[0], " " } },
		{ "tag: some", { "tag:vip ", w[0], " " } },
		{ "tag: few", { "tag:rare ", w[0], " " } },
		{ "tag: few, no word", { "tag:rare" } },
		{ "tag: none", { "tag:none ", w[0], " " } },
		{ "case:", { "case:C-777 ", w[0], " " } },
		{ "case:, no word", { "case:C-777" } },
		{ "origin: half", { "origin:inbox ", w[0], " " } },
		{ "origin: none", { "origin:canned ", w[0], " " } },
		{ "before: most", { "before:2020-01-10 ", w[0], " " } },
		{ "after: most", { "after:2025-09-01 ", w[0], " " } },
		{ "before: and no word", { "before:2020-01-10" } },
		{ "between, in the middle", { "after:2022-01-01 before:2022-01-03 ", w[0], " " } },
		{ "between, prefix", { "after:2022-01-01 before:2022-01-03 o" } },
	};

	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		struct str q = STR_INIT;

		for (size_t k = 0; k < 5 && tests[i].query[k]; k++)
			str_adds(&q, tests[i].query[k]);
		slow += measure(s, tests[i].what, q.s);
		str_free(&q);
	}
	store_close(s);
	printf("%d of %zu kinds at 50 ms or more\n", slow, sizeof(tests) / sizeof(tests[0]));
	if (!dir) {
		snprintf(path, sizeof(path), "rm -rf %s", own);
		return system(path) != 0 || slow;
	}
	return slow != 0;
}
