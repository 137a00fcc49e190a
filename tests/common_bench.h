/* SPDX-License-Identifier: GPL-3.0-or-later */
/* common_bench: what the parts of tests/bench.c share. Each part measures one side of the program, puts its
 * figures into a JSON object and prints them as lines of a table. */
#ifndef ANSWERBACK_TESTS_COMMON_BENCH_H
#define ANSWERBACK_TESTS_COMMON_BENCH_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../model/dataset.h"
#include "../model/model.h"

struct bench {
	const char *model;            /* shipped model: tokenizer and size */
	const char *program;          /* ./answerback */
	const char *self;             /* this program, to be started again for what needs a process of its own */
	size_t rounds;                /* of every measurement, 3 or more */
	double seconds;               /* of a round */
	size_t keystrokes, threads;
	bool longer;
};

double bench_now(void);                                    /* seconds */
/* From now on of this process's processor time: on a busy machine, for what runs on one thread. */
void bench_use_processor_time(void);
double bench_quantile(double *v, size_t n, double q);      /* sorts v */
double bench_median(double *v, size_t n);
/* Median over b->rounds of the mean time of run(arg) in a round of b->seconds; one run before to warm up. */
double bench_time(const struct bench *b, void (*run)(void *arg), void *arg);

/* "large", "medium": the preset with the shipped vocabulary; "shipped": as the model file says. */
void bench_config(const struct bench *b, const char *size, struct dialogue_config *c);
struct tokenizer *bench_tokenizer(const struct bench *b);
/* Random weights of that size, as int8 or f32. */
struct model *bench_model(const struct bench *b, const char *size, const char *precision);
/* Dialogues of random pieces: `turns` turns of 8 to 50 pieces, two roles in turn. */
struct dataset *bench_dialogues(const struct tokenizer *tok, size_t dialogues, size_t turns, uint64_t seed);

/* Floating-point operations of the forward pass over turns [from, to) of a dialogue, by the layer shapes:
 * two for every weight that a row meets, attention by what each turn can see. Nothing else is counted. */
double bench_forward_flop(const struct dialogue_config *c, const struct dataset *ds, size_t from, size_t to);
void bench_print_shapes(const struct dialogue_config *c);

/* The parts; each returns its object. */
json_t *bench_train(const struct bench *b);
json_t *bench_serve(const struct bench *b);
json_t *bench_start(const struct bench *b);
json_t *bench_growth(const struct bench *b);
json_t *bench_keys(const struct bench *b);
json_t *bench_turns(const struct bench *b);                /* a conversation of 500 exchanges; part of growth */
/* In a process of their own, started by bench_start. */
int bench_train_child(const struct bench *b, const char *size);
int bench_child(const struct bench *b, const char *what, const char *arg);

#endif
