/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ghost_private: the parts of the ghost engine, for one another and for what measures them. */
#ifndef ANSWERBACK_GHOST_PRIVATE_H
#define ANSWERBACK_GHOST_PRIVATE_H

#include "../model/ahead.h"
#include "ghost.h"

/* ---- chance: from what the search says to how often such words are right ---- */

struct ghost_weights {
	double weight[GHOST_FEATURES];
	double quantile[GHOST_QUANTILES];     /* of the chance at word ends: [i] is exceeded by i/20 of them */
};
extern const struct ghost_weights ghost_weights_model, ghost_weights_ngram;
extern const struct ahead_mix ghost_mix;      /* the weights alone */

/* second: log p of the runner-up (-20: none). open: letters typed of the word, `entropy` of the piece. */
void ghost_features(const struct ahead_word *w, double second, size_t letters, bool first_of_turn,
                    double entropy, double *feature);
double ghost_chance(const struct ghost_weights *w, const double *feature);
/* The chance that a share `coverage` of word ends exceeds. */
double ghost_bar_for(const struct ghost_weights *w, double coverage);
double ghost_coverage(enum ghost_level level);

/* ---- bar: how it moves ---- */

enum { GHOST_BAR_WINDOW = 50 };
struct ghost_bar {
	double shift;                         /* logits added to the level's bar */
	uint64_t recent;                      /* the last GHOST_BAR_WINDOW shown, newest lowest: taken */
	uint32_t shown;                       /* of them, at most GHOST_BAR_WINDOW */
};
bool ghost_bar_passes(const struct ghost_bar *b, double bar, double chance);
/* True: raised because hardly any is taken. */
bool ghost_bar_learn(struct ghost_bar *b, double chance, enum ghost_outcome what);

/* ---- person ---- */

/* The n-grams beside the model's file, when they are of its pieces; NULL: none. Caller frees. */
struct ngram *ghost_ngram(const struct model *m);

enum { GHOST_RECENT = 400 };
void ghost_recent_opts(struct personal_opts *o);
struct ghost_person {
	struct model *m;
	char *company;
	struct ngram *ngram;                  /* shipped beside the model, or NULL */
	struct personal *counts;
	struct personal *recent;              /* of the last GHOST_RECENT pieces alone */
	struct tokens *last;                  /* their sequences, oldest first */
	size_t n_last;
	struct ghost_bar bar;
	uint64_t version;                     /* grows with every change of counts */
};

/* Without the n-grams beside the model: quick to make. */
struct ghost_person *ghost_person_bare(struct model *m, const char *company);
/* The turn as a sequence to count: its codes numbered from 1 in the turn itself. */
bool ghost_sequence(const struct ghost_person *p, const char *role, const char *text, size_t len,
                    struct tokens *ids);

/* ---- what may be proposed ---- */

struct ghost_said {
	struct str text;                      /* all turns, codes put back */
	size_t turns;                         /* of the session when it was made; SIZE_MAX: never */
};
/* A word with a digit or an address must have been said before or stand in the draft; "he" and "she"
 * too; an unwanted word never. */
bool ghost_word_allowed(const char *word, size_t n, const char *said, const char *draft, size_t draft_len,
                        const char *const *unwanted);

/* The cut before the word being typed, with the white space before it: bytes [0, n) are whole. */
size_t ghost_cut(const char *text, size_t len);
/* Do two ghosts say the same, but for case and punctuation? */
bool ghost_alike(const struct str *a, const struct str *b);

/* For measuring: an n-gram model of the caller's in place of the shipped one, alone if wished. */
struct ghost_lab {
	const struct ngram *ngram;            /* NULL: the person's */
	bool ngram_only, no_ngram;
	const struct ahead_mix *mix;          /* weights; NULL: the product's */
	size_t words;                         /* not 0: go on to so many, sure or not */
};
void ghost_set_lab(struct ghost *g, const struct ghost_lab *lab);
struct ahead *ghost_ahead(struct ghost *g);

#endif
