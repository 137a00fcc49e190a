/* SPDX-License-Identifier: GPL-3.0-or-later */
/* memory: approved answers, found again when the question comes back, in the same words or in others. Nothing is
 * trained: what was taught or corrected answers the very next time.
 *
 * Questions that come near, by the vectors of a frozen encoder (model/encoder.h) and by rare words that both have, are
 * compared with the new one word by word (memory_pair.h). That gives a probability that both ask the same; below
 * MEMORY_BAR it stays silent. Without an encoder words alone decide, and only little may differ.
 *
 * Vectors are kept in the store with the encoder's version. Those that are missing, or of another version, are computed
 * after loading (memory_compute, a tenth of a millisecond each), and kept for the next time (memory_keep).
 *
 * Of equal questions the latest example (the greatest id) answers, in whatever order they were added.
 *
 * Threads: memory_find only reads; whoever loads, adds or removes has it alone. */
#ifndef ANSWERBACK_MEMORY_H
#define ANSWERBACK_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "../model/encoder.h"
#include "base/err.h"
#include "base/str.h"
#include "store.h"

struct memory;

/* Empty. en: NULL for words alone; must outlive the memory. */
struct memory *memory_new(const struct encoder *en, const char *company);
/* Approved examples, and corrections that nobody has decided on yet. encoder: a file, NULL for the shipped one; one that
 * cannot be read leaves words alone (`answerback doctor` says so). */
int memory_load(struct memory **out, struct store *s, const char *company, const char *encoder, struct err *e);
void memory_free(struct memory *m);      /* NULL is fine; frees the encoder that memory_load opened */
size_t memory_size(const struct memory *m);

/* One more. question and answer hold placeholders instead of personal data. vector: ENCODER_DIM bytes
 * (encoder_bytes), or NULL for memory_compute to make it. */
void memory_add(struct memory *m, int64_t id, int64_t conversation, const char *question, const char *answer, const int8_t *vector);

/* One less; false: there is none with this id. */
bool memory_remove(struct memory *m, int64_t id);
/* One more, or one changed: the same id is replaced. */
void memory_put(struct memory *m, int64_t id, int64_t conversation, const char *question, const char *answer);
/* One example as it is in the store now, gone or undecided ones taken out: afterwards the memory answers as if it had been
 * loaded anew, in the time of one example whatever else is remembered. */
int memory_update(struct memory *m, struct store *s, int64_t id, struct err *e);

/* Make the vectors that are missing; until then those questions are found by their words only. Returns how many have
 * been made since they were last kept. */
size_t memory_compute(struct memory *m);
/* Keep them, in a store that can be written to. */
int memory_keep(struct memory *m, struct store *s, struct err *e);

/* The bar: at this probability a remembered answer is used. Chosen on the curve of `answerback eval --memory`. */
double memory_bar(const struct memory *m);

struct memory_hit {
	struct str answer;            /* placeholders put back from the question's own values */
	int64_t example;
	int64_t conversation;         /* that the example is from; 0: none */
	double score;                 /* 0 .. 1 */
};
/* False: nothing above the bar, or its answer needs a value that was not said. */
bool memory_find(const struct memory *m, const char *question, size_t len, struct memory_hit *hit);

/* "example 12", or with the case of its conversation "example 12, case 4471". Caller frees. s: NULL is fine. */
char *memory_source(const struct memory_hit *hit, struct store *s);

/* ---- for measuring (eval_memory.h) ---- */

struct memory_near {
	size_t at;                    /* the at'th that was added, unless one was removed */
	int64_t id;
	double rank;                  /* 0 .. 1: which of them is meant */
	double score;                 /* 0 .. 1: is it? */
	bool same;                    /* word for word */
	double feature[40];           /* F_COUNT of them (memory_pair.h) */
};
/* The candidates, best first; at most cap. */
size_t memory_nearest(const struct memory *m, const char *question, size_t len, struct memory_near *out, size_t cap);

#endif
