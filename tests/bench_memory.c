/* SPDX-License-Identifier: GPL-3.0-or-later */
/* bench_memory: how long a question takes among many remembered ones, how long they take to load from the store, and how
 * long a correction takes then. Questions are made of words drawn by Zipf's law, as in real text; vectors are computed for the first thousand and varied for the
 * rest, so that filling it takes seconds. Not a test: built by hand.
 *     bench_memory [ENCODER [EXCHANGES]] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../src/base/mem.h"
#include "../src/base/rng.h"
#include "../src/memory.h"

enum { WORDS = 20000, ASKED = 60, CORRECTIONS = 20 };

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

static double cpu(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

/* 6 to 14 words; half of them are such as every text has. */
static void make_question(struct rng *r, struct str *s)
{
	static const char *const common[] = { "how", "much", "is", "the", "do", "I", "where", "can", "my", "when", "for", "a", "order", "card" };
	const size_t n = 6 + rng_below(r, 9);

	str_reset(s);
	for (size_t i = 0; i < n; i++) {
		const double u = rng_uniform(r);
		const size_t rank = (size_t)(WORDS * u * u * u);

		if (rng_below(r, 2))
			str_addf(s, "%s%s", i ? " " : "", common[rng_below(r, sizeof(common) / sizeof(*common))]);
		else
			str_addf(s, "%s%c%c%c%zu", i ? " " : "", 'a' + (int)(rank % 26), 'a' + (int)(rank / 26 % 26), 'a' + (int)(rank / 676 % 26),
			         rank % 7);
	}
}

static int by_time(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void must(int rc, const struct err *e)
{
	if (rc < 0) {
		fprintf(stderr, "bench_memory: %s\n", e->msg);
		exit(1);
	}
}

static int64_t teach(struct store *s, const char *question)
{
	struct store_example x = { .chat = (char *)(uintptr_t)"{}", .question = (char *)(uintptr_t)question,
		.answer = (char *)(uintptr_t)"An answer.", .suggested = (char *)(uintptr_t)"", .state = (char *)(uintptr_t)"approved",
		.origin = (char *)(uintptr_t)"taught", .flags = (char *)(uintptr_t)"", .values = (char *)(uintptr_t)"{}", .weight = 1 };
	struct err e = ERR_INIT;

	must(store_example_add(s, &x, &e), &e);
	return x.id;
}

/* In a store of its own: all of them read, then one more each time. */
static void from_the_store(const char *encoder, const char *version, int8_t (*pool)[ENCODER_DIM], size_t n, struct rng *r)
{
	char path[] = "/tmp/bench_memory.XXXXXX";
	double took[CORRECTIONS], start;
	struct err e = ERR_INIT;
	struct str q = STR_INIT;
	struct memory *m;
	struct store *s;

	close(mkstemp(path));
	must(store_open_file(&s, path, STORE_READ_WRITE, &e), &e);
	must(store_begin(s, &e), &e);
	for (size_t i = 0; i < n; i++) {
		make_question(r, &q);
		must(store_vector_set(s, teach(s, q.s), version, pool[i % 1000], ENCODER_DIM, &e), &e);
	}
	must(store_commit(s, &e), &e);
	start = cpu();
	must(memory_load(&m, s, NULL, encoder, &e), &e);
	memory_compute(m);
	printf("loading all of them    %8.1f ms\n", cpu() - start);
	for (size_t i = 0; i < CORRECTIONS; i++) {
		int64_t id;

		make_question(r, &q);
		id = teach(s, q.s);
		start = cpu();
		must(memory_update(m, s, id, &e), &e);
		memory_compute(m);
		must(memory_keep(m, s, &e), &e);
		took[i] = cpu() - start;
	}
	qsort(took, CORRECTIONS, sizeof(*took), by_time);
	printf("one more among them    %8.2f ms median, %.2f ms worst of %d, with its vector made and kept\n", took[CORRECTIONS / 2],
	       took[CORRECTIONS - 1], CORRECTIONS);
	for (size_t i = 0; i < CORRECTIONS; i++) {
		const int64_t id = 1 + (int64_t)rng_below(r, n);

		must(store_example_decide(s, id, "rejected", &e), &e);
		start = cpu();
		must(memory_update(m, s, id, &e), &e);
		took[i] = cpu() - start;
	}
	qsort(took, CORRECTIONS, sizeof(*took), by_time);
	printf("one less               %8.2f ms median, %.2f ms worst of %d\n", took[CORRECTIONS / 2], took[CORRECTIONS - 1], CORRECTIONS);
	memory_free(m);
	store_close(s);
	unlink(path);
	str_free(&q);
}

int main(int argc, char **argv)
{
	const char *path = argc > 1 ? argv[1] : "data/encoder.safetensors";
	const size_t n = argc > 2 ? strtoul(argv[2], NULL, 10) : 100000;
	double wall[ASKED], used[ASKED], start;
	struct err e = ERR_INIT;
	struct str s = STR_INIT;
	struct encoder *en;
	struct memory *m;
	int8_t (*pool)[ENCODER_DIM] = xcalloc(1000, ENCODER_DIM);
	struct rng r;

	if (encoder_open(&en, path, &e) < 0) {
		fprintf(stderr, "bench_memory: %s\n", e.msg);
		return 1;
	}
	rng_seed(&r, 1);
	m = memory_new(en, NULL);
	start = cpu();
	for (size_t i = 0; i < 1000; i++) {
		float v[ENCODER_DIM];

		make_question(&r, &s);
		encoder_vector(en, s.s, s.len, v);
		encoder_bytes(v, pool[i]);
	}
	printf("one vector             %8.3f ms\n", (cpu() - start) / 1000);
	start = cpu();
	for (size_t i = 0; i < n; i++) {
		int8_t v[ENCODER_DIM];

		make_question(&r, &s);
		memcpy(v, pool[i % 1000], sizeof(v));
		v[rng_below(&r, ENCODER_DIM)] = (int8_t)(rng_below(&r, 255) - 127);
		memory_add(m, (int64_t)i + 1, 0, s.s, "An answer.", v);
	}
	printf("adding %zu          %8.1f ms\n", n, cpu() - start);
	for (size_t i = 0; i < ASKED; i++) {
		struct memory_hit hit;
		double w, c;

		make_question(&r, &s);
		w = now();
		c = cpu();
		if (memory_find(m, s.s, s.len, &hit))
			str_free(&hit.answer);
		used[i] = cpu() - c;
		wall[i] = now() - w;
	}
	qsort(wall, ASKED, sizeof(*wall), by_time);
	qsort(used, ASKED, sizeof(*used), by_time);
	printf("a question among them  %8.2f ms median, %.2f ms worst of %d; of processor time %.2f and %.2f\n", wall[ASKED / 2], wall[ASKED - 1],
	       ASKED, used[ASKED / 2], used[ASKED - 1]);
	memory_free(m);
	from_the_store(path, encoder_version(en), pool, n, &r);
	encoder_free(en);
	free(pool);
	str_free(&s);
	return 0;
}
