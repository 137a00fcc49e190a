/* SPDX-License-Identifier: GPL-3.0-or-later */
/* metrics: how good texts are beside reference texts. Pure functions of strings and
 * numbers; no model. Texts end at their NUL.
 *
 * BLEU and chrF give what sacrebleu 2 gives for a corpus with one reference:
 *     BLEU   case:mixed eff:no tok:13a smooth:exp      (Papineni et al. 2002, Post 2018)
 *     chrF2  case:mixed eff:yes nc:6 nw:0 space:no     (Popovic 2015)
 * on a scale of 0 to 100. An empty text has no words, and counts.
 *
 *     struct metrics_bleu b = {0};
 *     metrics_bleu_add(&b, reply, reference);          // for each turn
 *     printf("%.2f\n", metrics_bleu_score(&b));
 *
 * Words are what stands between white space, as Python's str.split() sees it: the blanks
 * of ASCII, U+001C to U+001F, and Unicode's, the no-break space among them.
 */
#ifndef ANSWERBACK_METRICS_H
#define ANSWERBACK_METRICS_H

#include <stdbool.h>
#include <stddef.h>

#include "../src/base/str.h"

enum { METRICS_BLEU_ORDER = 4, METRICS_CHRF_ORDER = 6 };

struct metrics_bleu {
	size_t match[METRICS_BLEU_ORDER], total[METRICS_BLEU_ORDER];    /* by order - 1 */
	size_t hyp_words, ref_words;
};
void metrics_bleu_add(struct metrics_bleu *b, const char *hyp, const char *ref);
double metrics_bleu_score(const struct metrics_bleu *b);

struct metrics_chrf {
	size_t match[METRICS_CHRF_ORDER], hyp[METRICS_CHRF_ORDER], ref[METRICS_CHRF_ORDER];
};
void metrics_chrf_add(struct metrics_chrf *c, const char *hyp, const char *ref);
double metrics_chrf_score(const struct metrics_chrf *c);

/* Different n-grams of words over all n-grams, of every text added together; n-grams do not
 * cross texts (Li et al. 2016). */
struct metrics_distinct;
struct metrics_distinct *metrics_distinct_new(void);
void metrics_distinct_free(struct metrics_distinct *d);         /* NULL is fine */
void metrics_distinct_add(struct metrics_distinct *d, const char *text);
/* n is 1 or 2. In [0, 1]; 0 without any n-gram. Counts may be NULL. */
double metrics_distinct_score(struct metrics_distinct *d, int n, size_t *different, size_t *all);

/* The next word at *text, and *text moved behind it; NULL: no more. Not NUL-terminated. */
const char *metrics_word(const char **text, size_t *length);
size_t metrics_count_words(const char *text);
/* Do both begin with the same k words? Texts with fewer agree when they are the same words
 * to their ends. White space between words does not matter. */
bool metrics_same_words(const char *a, const char *b, size_t k);

/* Share of correct ones among the `coverage` (0 to 1) most confident of n; equally confident ones
 * in the order of their index, NaN last. Rounds to the nearest count, at least one; *kept
 * (may be NULL) is that count. 0 when n is 0. */
double metrics_precision_at(const double *confidence, const bool *correct, size_t n,
                            double coverage, size_t *kept);

/* The text cut up by mteval-v13a's rules: words with one space between them. For tests. */
void metrics_tokenize_13a(struct str *out, const char *text);

#endif
