/* SPDX-License-Identifier: GPL-3.0-or-later */
/* typing: a simulated person who types every turn of a role, with ghost text as the product shows it:
 * the figures of `answerback eval --completion`.
 *
 * At every word end, and once inside every word (a seeded place), the next words proposed are compared
 * with those that were written: exact match of the next 1 to 5 words, byte for byte up to a word's end.
 *
 * Then the turn is typed. Before each key the ghost is asked for. When it is shown and the whole
 * of it is right, one key accepts it; else when its first word is right, one key accepts that
 * word; else the next character is typed.
 *     keystrokes_saved       1 - (keys typed + accept keys) / characters
 *     typing_effort_saved    1 - keys typed / characters
 *     trigger_rate           ghosts shown / places where one was asked for
 *     match_rate             ghosts that were right to their ends / ghosts shown
 * The oracle sees the same proposals, shows each whose first word is right, and no other.
 * The person begins each conversation unknown; what they send in it is learned, as the product learns. The
 * n-gram model it is compared with stays as it was trained.
 * Everything comes from the seed and the order of the conversations, whatever the number of threads. */
#ifndef ANSWERBACK_TYPING_H
#define ANSWERBACK_TYPING_H

#include "../model/ngram.h"
#include "corpus.h"
#include "ghost.h"

enum { TYPING_WORDS = 5, TYPING_CURVE = 10 };

struct typing_opts {
	const char *company;              /* NULL: not set */
	const char *as;                   /* whose turns are typed */
	enum ghost_level level;
	size_t threads;
	uint64_t seed;
	const struct ngram *mixed;        /* what the product mixes in; NULL: nothing */
	const struct ngram *ngram;        /* what it is compared with; NULL: no comparison */
	const struct corpus *trained;     /* what decides whether a prefix was seen; NULL: ngram's longest contexts */
};
void typing_opts_default(struct typing_opts *o);

struct typing_part {                      /* of prefixes seen, or not seen, in the training text */
	size_t boundaries, right, asked, shown, matched, chars, typed;
};

struct typing_figures {
	double em[TYPING_WORDS], em_midword;
	double precision_at_25, precision_at_40;
	double curve[TYPING_CURVE];       /* precision at 10 %, 20 %, ... 100 % coverage */
	double keystrokes_saved, typing_effort_saved, trigger_rate, match_rate, first_word_rate;
	double oracle;                    /* keystrokes saved */
	double brier;                     /* mean squared error of the chance, at word ends */
	size_t boundaries, midword, chars, typed, accepts, asked, shown, matched, first_right, oracle_keys;
	struct typing_part part[2];       /* [0] unseen, [1] seen */
};

struct typing_result {
	struct typing_figures model, ngram;
	bool compared;
	size_t conversations, turns, words;
	double ms_median, ms_p99;         /* of one request, model; on as many threads as there were */
};

int typing_measure(struct model *m, const struct corpus *c, const struct typing_opts *o,
                   struct typing_result *r, struct err *e);

/* Fit the constants of ghost_fit.h on conversations and write that file. */
int typing_fit(struct model *m, const struct corpus *c, const struct typing_opts *o, const char *path,
               struct err *e);

#endif
