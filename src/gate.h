/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gate: what a retrained model must show before it may serve. Each check has a figure and a bound; all
 * are measured on the weights that will serve, none is skipped because another failed.
 *
 *     base_bits        held-out likelihood on written conversations and on dialogues sampled from the
 *                      base: relative rise of bits a character over the base model's    <= bound
 *     learned          share of approved examples whose answer has become likely        >= bound
 *     golden           share of pinned messages whose reply has what it must have and lacks what
 *                      it must not                                                       = 1
 *     unwanted_words   replies (to examples, golden and written messages) with a listed word = 0
 *     memorised        how often a secret-looking string that only a customer wrote is ranked first
 *                      among made-up alternatives of its shape, over what chance gives   <= bound */
#ifndef ANSWERBACK_GATE_H
#define ANSWERBACK_GATE_H

#include <stdbool.h>

#include "../model/dataset.h"
#include "../model/model.h"
#include "corpus.h"

enum { GATE_CHECKS = 5 };

struct gate_check {
	const char *name;
	double value, bound;
	bool at_least;                /* value must be >= bound, else <= */
	bool ok;
	size_t cases;
	char detail[200];             /* the first thing that failed, "" when ok */
};

struct gate_input {
	struct model *base, *candidate;
	const char *company;
	const char *as;               /* role of the answers */
	const struct corpus *examples;        /* approved: the last turn of each is the answer */
	const struct corpus *written;         /* held-out conversations of the project; may be empty */
	const struct dataset *sampled;        /* from the base */
	const struct corpus *golden;          /* their "id" is unused; see gate_golden */
	const struct gate_golden *rules;      /* one for each golden conversation */
	const char *const *unwanted;                /* words, NULL-terminated; NULL: none */
	double base_bound, learned_bound, memorised_bound;
	unsigned long seed;
};

/* What the reply to a pinned conversation must and must not hold (letter case ignored). */
struct gate_golden {
	char **must, **must_not;      /* NULL-terminated */
};

void gate_defaults(struct gate_input *in);      /* the bounds: 0.01, 0.8, 0.15 */
/* Fills all checks; returns whether all are ok. stop: NULL, or looked at between cases (then the rest fails). */
bool gate_run(const struct gate_input *in, struct gate_check out[GATE_CHECKS], bool (*stop)(void *), void *arg);

/* {"messages": [...], "must": ["..."], "must_not": ["..."]} a line. A file that is not there is empty. */
int gate_golden_read(const char *path, struct corpus *golden, struct gate_golden **rules, struct err *e);
void gate_golden_free(struct gate_golden *rules, size_t n);

#endif
