/* SPDX-License-Identifier: GPL-3.0-or-later */
/* bench: how fast the program is on this machine, beside what the machine can do. Prints a table and
 * writes the same figures as JSON. Random weights, but for keystrokes and start-up of the shipped model.
 *
 *     bench [--long] [--json FILE] [--only PART,...] [--threads N] [--processor-time] [--model FILE] [--program FILE]
 *     parts: start train serve growth keys
 *
 * --processor-time: count processor time instead of the clock's, for a machine that is busy otherwise; what
 * runs on two threads then says nothing, so --threads 1 goes with it. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../model/kernels.h"
#include "common_bench.h"

static const struct part {
	const char *name, *title;
	json_t *(*run)(const struct bench *b);
} parts[] = {
	/* first: while this process is small */
	{ "start", "whole processes", bench_start },
	{ "train", "training", bench_train },
	{ "serve", "serving", bench_serve },
	{ "growth", "growth", bench_growth },
	{ "keys", "typing", bench_keys },
};

static bool wanted(const char *only, const char *name)
{
	const char *at = only ? strstr(only, name) : NULL;
	const size_t n = strlen(name);

	return !only || (at && (at[n] == ',' || at[n] == '\0'));
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "long", no_argument, NULL, 'l' }, { "json", required_argument, NULL, 'j' },
		{ "only", required_argument, NULL, 'o' }, { "model", required_argument, NULL, 'm' },
		{ "program", required_argument, NULL, 'p' }, { "child", required_argument, NULL, 'c' },
		{ "child-arg", required_argument, NULL, 'a' },
		{ "threads", required_argument, NULL, 't' }, { "processor-time", no_argument, NULL, 'P' },
		{ NULL, 0, NULL, 0 },
	};
	struct bench b = {
		.model = "data/model.safetensors", .program = "./answerback", .self = "/proc/self/exe", .rounds = 3,
		.seconds = 0.15, .keystrokes = 1500, .threads = 2,
	};
	const char *only = NULL, *file = NULL, *child = NULL, *child_arg = "";
	json_t *all;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'l': b.longer = true; b.rounds = 7; b.seconds = 0.5; b.keystrokes = 10000; break;
		case 'j': file = optarg; break;
		case 'o': only = optarg; break;
		case 'm': b.model = optarg; break;
		case 'p': b.program = optarg; break;
		case 'c': child = optarg; break;
		case 'a': child_arg = optarg; break;
		case 't': b.threads = atoi(optarg) == 1 ? 1 : 2; break;
		case 'P': bench_use_processor_time(); break;
		default: return 2;
		}
	}
	kernels_init();
	if (child)
		return bench_child(&b, child, child_arg);
	all = json_pack("{s:s, s:s, s:I, s:b, s:I}", "processor", kernels_cpu_name(), "kernels", kernels_path(), "cores",
	                (json_int_t)sysconf(_SC_NPROCESSORS_ONLN), "long", b.longer, "rounds", (json_int_t)b.rounds);
	printf("%s, kernels %s, %ld cores; f32 and int8 (bf16 is a format of files here, not of products)\n", kernels_cpu_name(),
	       kernels_path(), sysconf(_SC_NPROCESSORS_ONLN));
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (!wanted(only, parts[i].name))
			continue;
		printf("\n%s\n", parts[i].title);
		fflush(stdout);
		json_object_set_new(all, parts[i].name, parts[i].run(&b));
	}
	if (file && json_dump_file(all, file, JSON_INDENT(1) | JSON_REAL_PRECISION(6)) < 0) {
		fprintf(stderr, "bench: %s cannot be written\n", file);
		return 1;
	}
	if (file)
		printf("\nall figures: %s\n", file);
	json_decref(all);
	return 0;
}
