/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ngram: an interpolated modified Kneser-Ney model of pieces (Chen and Goodman 1999), of order
 * at most NGRAM_MAX_ORDER.
 *
 *     p_k(w | h) = (c(hw) - D_k(c(hw))) / c(h.) + gamma(h) p_{k-1}(w | h')        h' = h without its first
 *
 * c: how often at the highest order and where a sequence begins, else after how many different ids;
 * D_k: discounts for 1, 2 and 3 or more, from the counts of counts. The lowest order backs off to the
 * uniform distribution over the vocabulary. Pruned n-grams leave their mass to gamma, so that
 * every distribution still sums to one.
 *
 * A sequence is one turn: its tag, its pieces, <eot>. The tag is context only.
 * An n-gram model is immutable and may be shared by threads. */
#ifndef ANSWERBACK_NGRAM_H
#define ANSWERBACK_NGRAM_H

#include <stddef.h>
#include <stdint.h>

#include "../src/base/err.h"
#include "dataset.h"
#include "real.h"

enum { NGRAM_MAX_ORDER = 5 };

struct ngram_opts {
	size_t order;                                 /* 1 .. NGRAM_MAX_ORDER */
	uint32_t keep[NGRAM_MAX_ORDER];               /* [k - 1]: k-grams seen less often are left out */
};
void ngram_opts_default(struct ngram_opts *o);        /* order 5, everything kept */

struct ngram;

/* seq s is ids[first[s] .. first[s + 1]); its first id is context only. Ids below vocab <= 65536. */
struct ngram *ngram_train(const int32_t *ids, const size_t *first, size_t sequences, size_t vocab,
                          const struct ngram_opts *o);
/* Every turn of a dataset as one sequence. */
struct ngram *ngram_train_dataset(const struct dataset *ds, size_t vocab, const struct ngram_opts *o);
void ngram_free(struct ngram *g);                     /* NULL is fine */

size_t ngram_vocab(const struct ngram *g);
size_t ngram_order(const struct ngram *g);
size_t ngram_grams(const struct ngram *g, size_t k);  /* k-grams kept */

/* How much a prediction may be trusted, for mixing it with others: by how many ids of the context were found
 * (0 .. order - 1), and which quarter of the mass the longest of these contexts explains itself. */
enum { NGRAM_QUARTERS = 4, NGRAM_TRUST = NGRAM_MAX_ORDER * NGRAM_QUARTERS };

/* p(id | the last ids of context[0 .. n)) for every id: p [vocab]. Returns its trust: quarters of each
 * length of context, the shortest first. */
size_t ngram_predict(const struct ngram *g, const int32_t *context, size_t n, real *p);
size_t ngram_trust(const struct ngram *g, const int32_t *context, size_t n);      /* what predict returns */
double ngram_prob(const struct ngram *g, const int32_t *context, size_t n, int32_t id);

/* The file: probabilities in 8 bits, rounded down. `fingerprint` says which pieces; loading with another
 * gives ERR_FORMAT, as does anything that does not fit together. */
int ngram_save(const struct ngram *g, const char *path, uint64_t fingerprint, struct err *e);
int ngram_load(struct ngram **out, const char *path, uint64_t fingerprint, struct err *e);
int ngram_parse(struct ngram **out, const char *bytes, size_t len, uint64_t fingerprint, struct err *e);
/* Of a tokenizer's pieces and names. */
uint64_t ngram_fingerprint(const struct tokenizer *tok);

#endif
