/* SPDX-License-Identifier: GPL-3.0-or-later */
/* common_bench_start: whole processes, from their start to their end: time and resident memory. The file cache
 * is warm after the first of them. */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../src/base/str.h"
#include "common_bench.h"

extern char **environ;

struct spent {
	double wall, processor;       /* seconds */
	long resident;                /* kB, at most */
};

static struct spent run_process(const char *const *argv)
{
	posix_spawn_file_actions_t fa;
	struct spent s = { 0 };
	struct rusage u;
	pid_t pid;
	int status;

	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_addopen(&fa, 1, "/dev/null", O_WRONLY, 0);

	const double start = bench_now();

	if (posix_spawn(&pid, argv[0], &fa, NULL, (char *const *)argv, environ) != 0 || wait4(pid, &status, 0, &u) < 0 ||
	    !WIFEXITED(status) || (WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != 3)) {
		fprintf(stderr, "bench: %s %s failed\n", argv[0], argv[1]);
		exit(1);
	}
	s.wall = bench_now() - start;
	s.processor = (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + 1e-6 * (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
	s.resident = u.ru_maxrss;
	posix_spawn_file_actions_destroy(&fa);
	return s;
}

static json_t *measure(const struct bench *b, const char *title, const char *size, const char *precision,
                       const char *const *argv)
{
	double wall[64], processor[64];
	const size_t n = 3 * b->rounds < 64 ? 3 * b->rounds : 64;
	long resident = 0;

	setenv("ANSWERBACK_SERVE", precision, 1);
	run_process(argv);
	for (size_t i = 0; i < n; i++) {
		const struct spent s = run_process(argv);

		wall[i] = 1e3 * s.wall;
		processor[i] = 1e3 * s.processor;
		resident = s.resident > resident ? s.resident : resident;
	}
	unsetenv("ANSWERBACK_SERVE");

	const double w = bench_median(wall, n), best = wall[0], p = bench_median(processor, n), mb = (double)resident / 1024;

	printf("  %-28s %-8s %-5s %7.1f ms (best %.1f)  %6.1f ms of processor  %6.1f MB resident\n", title, size, precision, w,
	       best, p, mb);
	fflush(stdout);
	return json_pack("{s:s, s:s, s:s, s:f, s:f, s:f, s:f}", "what", title, "size", size, "precision", precision,
	                 "wall_ms", w, "wall_ms_best", best, "processor_ms", p, "resident_mb", mb);
}

static json_t *training_memory(const struct bench *b, const char *size)
{
	const char *const argv[] = { b->self, "--child", "train", "--child-arg", size, "--model", b->model, NULL };
	const double mb = (double)run_process(argv).resident / 1024;

	printf("  training, batch of 1,200 rows, 2 threads, %-8s %6.0f MB resident\n", size, mb);
	fflush(stdout);
	return json_pack("{s:s, s:f}", "size", size, "resident_mb", mb);
}

/* This process must still be small: what a child is charged with begins with its parent's memory. */
json_t *bench_start(const struct bench *b)
{
	static const char *const precisions[] = { "f32", "int8" };
	char path[] = "/tmp/answerback-bench-XXXXXX";
	const char *const make[] = { b->self, "--child", "make", "--child-arg", path, "--model", b->model, NULL };
	json_t *list = json_array(), *memory = json_array();

	close(mkstemp(path));
	run_process(make);
	for (size_t i = 0; i < 2; i++) {
		for (size_t k = 0; k < 2; k++) {
			const char *const model = i ? b->model : path, *const size = i ? "shipped" : "large";
			const char *const reply[] = { b->program, "reply", "--model", model, "--no-memory", "--beam", "1", "--min-tokens",
				"20", "--max-tokens", "20", "hello, my order has not come yet", NULL };
			const char *const complete[] = { b->program, "complete", "--model", model, "I am sorry that your or", NULL };

			json_array_append_new(list, measure(b, "start to first reply of 20", size, precisions[k], reply));
			json_array_append_new(list, measure(b, "start to first completion", size, precisions[k], complete));
		}
	}
	unlink(path);
	json_array_append_new(memory, training_memory(b, "large"));
	json_array_append_new(memory, training_memory(b, "shipped"));
	return json_pack("{s:o, s:o}", "processes", list, "training", memory);
}

int bench_child(const struct bench *b, const char *what, const char *arg)
{
	struct model *m;
	struct err e = ERR_INIT;
	int rc;

	if (strcmp(what, "train") == 0)
		return bench_train_child(b, arg);
	m = bench_model(b, "large", "f32");
	rc = model_save(m->w, m->tok, arg, MODELFILE_BF16, NULL, NULL, &e);
	model_unref(m);
	if (rc < 0)
		fprintf(stderr, "bench: %s\n", e.msg);
	return rc < 0;
}
