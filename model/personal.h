/* SPDX-License-Identifier: GPL-3.0-or-later */
/* personal: the n-grams of one person, counted as they are written, and mixed with what the model says.
 *
 *     p_k(w | h) = (max(c(hw) - d_k, 0) + (theta_k + d_k N(h.)) p_{k-1}(w | h')) / (c(h.) + theta_k)
 *
 * the predictive rule of a hierarchical Pitman-Yor process (Teh 2006) with one table a dish, whose
 * lowest level, p_{-1}, is the model's own distribution: without counts nothing changes, and every
 * further count moves it less. Counts may be taken back one by one. For one thread at a time. */
#ifndef ANSWERBACK_PERSONAL_H
#define ANSWERBACK_PERSONAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "real.h"

#include "../src/base/err.h"
#include "../src/base/str.h"

enum { PERSONAL_ORDER = 5 };              /* pieces in the longest n-gram */

struct personal_opts {
	double discount[PERSONAL_ORDER];      /* d_k by length of the context */
	double strength[PERSONAL_ORDER];      /* theta_k */
};
void personal_opts_default(struct personal_opts *o);      /* tuned by answerback eval --writers --fit */

struct personal;
struct personal *personal_new(size_t vocab, const struct personal_opts *o);      /* o NULL: the default */
void personal_free(struct personal *p);                   /* NULL is fine */

/* Count one sequence (a tag, pieces, <eot>; the first is context only), or take it back: what was never
 * counted is left alone. Ids outside the vocabulary end it. */
void personal_add(struct personal *p, const int32_t *ids, size_t n);
void personal_remove(struct personal *p, const int32_t *ids, size_t n);
void personal_clear(struct personal *p);
size_t personal_size(const struct personal *p);           /* ids counted */

/* dist [vocab] becomes the mixture. Returns the length of the longest context known. */
size_t personal_mix(const struct personal *p, const int32_t *context, size_t n, real *dist);
/* The personal part for one id alone, given what the model says. */
double personal_prob(const struct personal *p, const int32_t *context, size_t n, int32_t id, double base);

/* Counts as rows, any order: the longest n-grams, and shorter ones where a sequence begins. fn: false
 * stops. personal_row adds one (n ids, at most PERSONAL_ORDER; n < PERSONAL_ORDER only where a sequence began). */
void personal_rows(const struct personal *p, bool (*fn)(const int32_t *ids, size_t n, uint32_t count, void *arg),
                   void *arg);
void personal_row(struct personal *p, const int32_t *ids, size_t n, uint32_t count);

#endif
