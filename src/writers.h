/* SPDX-License-Identifier: GPL-3.0-or-later */
/* writers: what learning a person's own language is worth, on simulated writers: the figures of
 * `answerback eval --writers`.
 *
 * A writer is the agent of all conversations of one source and domain, in the order of the file. The
 * first `learn` words are typed and learned, a turn at a time, as the product learns at every
 * send; the next `measure` words are measured, and go on being learned after each turn. Beside it runs
 * the same engine that learns nothing. Writers with too few words are left out. */
#ifndef ANSWERBACK_WRITERS_H
#define ANSWERBACK_WRITERS_H

#include "corpus.h"
#include "ghost.h"

struct writers_opts {
	const char *company, *as;
	size_t threads, learn, measure;       /* 500, 500 */
	const struct ngram *mixed;            /* as the product mixes; NULL: nothing */
};
void writers_opts_default(struct writers_opts *o);

struct writer {
	char *name;                           /* source/domain */
	size_t words, boundaries;             /* measured */
	double perplexity, perplexity_learned;        /* a word */
	double em1, em1_learned;
};

struct writers_result {
	struct writer *writer;
	size_t n;
	double perplexity_fall;               /* of the median writer: 1 - learned / plain */
	double em1_rise;                      /* of the median writer: learned / plain - 1 */
};
void writers_result_free(struct writers_result *r);

int writers_measure(struct model *m, const struct corpus *c, const struct writers_opts *o,
                    struct writers_result *r, struct err *e);
/* Search for better discounts and strengths of personal counts on these writers; prints them. */
int writers_fit(struct model *m, const struct corpus *c, const struct writers_opts *o, struct err *e);

#endif
