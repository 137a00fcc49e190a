/* SPDX-License-Identifier: GPL-3.0-or-later */
/* memory_pair: do two questions ask the same? Each word of one looks for its like in the other, by spelling and by
 * meaning; what is left over counts by its weight, and a few things that must not differ are looked at on their own:
 * numbers, names, days, negation, the kind of answer wanted, opposites, one word put for another. Of these features a
 * logistic function says which remembered question is meant most likely, and then small nets how sure that is; both
 * fitted on data/facts.jsonl (memory_fit.h). */
#ifndef ANSWERBACK_MEMORY_PAIR_H
#define ANSWERBACK_MEMORY_PAIR_H

#include <stdbool.h>
#include <stdint.h>

#include "../model/encoder.h"

enum memory_feature {
	F_ONE,                /* constant */
	F_COSINE,             /* of the two vectors */
	F_MEANT_NEW,          /* by meaning: share of the new question's weight found in the old one ... */
	F_MEANT_OLD,          /* ... and of the old one's in the new one */
	F_SAID_NEW,           /* the same by spelling */
	F_SAID_OLD,
	F_LEFT_NEW,           /* the heaviest word of the new question with no like in the old one */
	F_LEFT_OLD,
	F_LEFT_BOTH,          /* the smaller of the two: each has something that the other lacks */
	F_NAME_NEW,           /* the same for rare words, by spelling only */
	F_NAME_OLD,
	F_NAME_BOTH,
	F_NAME_SHARED,        /* the rarest word that both have */
	F_PROPER_NEW,         /* share of the new question's capitalised names that the old one lacks ... */
	F_PROPER_OLD,         /* ... and of the old one's that the new one lacks */
	F_PROPER_BOTH,        /* each has a name that the other lacks */
	F_PROPER_SHARED,      /* share of the old one's names found in the new one; 0: it has none */
	F_REST_COSINE,        /* what is asked, with "it" for the things that both name: the two vectors */
	F_REST_NEW,           /* the same by meaning of words, as F_MEANT_* */
	F_REST_OLD,
	F_UNION_NEW,          /* share of the new question's weight found by meaning in the old one or in its answer */
	F_UNION_LEFT,         /* the heaviest word of the new question that neither has */
	F_ANSWER_COSINE,      /* of the new question and the answer */
	F_NUMBER,             /* different numbers; half: only one has any */
	F_DAY,                /* different days or months */
	F_NEGATION,           /* one of them says no */
	F_ASPECT_SAME,        /* both want the same kind of answer: a place, a price ... */
	F_ASPECT_OTHER,       /* they want different kinds */
	F_ASPECT_MORE,        /* the new one wants a kind that the old one does not */
	F_FRAME,              /* share of the longer one that is the same words at the beginning and at the end ... */
	F_FRAME_LEFT,         /* ... times the heaviest word in between that the other lacks */
	F_PUT_FOR,            /* in the same place of the same words stands another word: its weight */
	F_OPPOSITE,           /* open against close, and the like */
	F_COUNT
};
extern const char *const memory_feature_names[F_COUNT];

/* A question prepared for comparing. */
struct memory_text {
	const struct encoder *en;
	struct encoder_view view;
	char stem[ENCODER_WORDS][ENCODER_WORD];
	bool empty[ENCODER_WORDS];    /* says how it is asked, not what */
	bool proper[ENCODER_WORDS];   /* a name: a capital inside a sentence, here or in the memory; in small letters, a word nobody knows */
	float weight[ENCODER_WORDS];  /* by rarity, in the language and in the memory */
	uint32_t aspects;             /* bits: kinds of answers that are wanted */
	uint32_t days;                /* bits: monday .. */
	bool no;                      /* not, without ... */
};
/* What the memory knows of words, by stem. */
struct memory_lexicon {
	double (*frequency)(const void *arg, const char *stem);   /* share of the remembered questions that have it */
	bool (*name)(const void *arg, const char *stem);          /* a name in one of them */
	const void *arg;
};
/* lexicon: NULL when nothing is known. */
void memory_text_init(struct memory_text *t, const struct encoder *en, const char *text, size_t len,
                      const struct memory_lexicon *lexicon);
void memory_text_free(struct memory_text *t);

void memory_features(const struct memory_text *fresh, const struct memory_text *old, const struct memory_text *answer,
                     double f[F_COUNT]);
enum { MEMORY_UNITS = 8, MEMORY_NETS = 8 };

/* Whether it is meant: the mean of a few small nets, because a name that both have only counts when what is asked is
 * alike too.  h = tanh(W f),  z = v h + w f */
struct memory_net {
	double in[MEMORY_UNITS][F_COUNT], out[MEMORY_UNITS], straight[F_COUNT];
};

struct memory_weights {
	double rank[F_COUNT];         /* which one is meant: logistic */
	struct memory_net sure[MEMORY_NETS];
};

/* Other numbers or other days: never the same, whatever the rest says. */
bool memory_contradicts(const double f[F_COUNT]);
double memory_net(const struct memory_net *n, const double f[F_COUNT]);
double memory_probability(const double weights[F_COUNT], const double f[F_COUNT]);
/* same: word for word. Both 0 .. 1. */
double memory_rank(const struct memory_weights *w, const double f[F_COUNT], bool same);
double memory_score(const struct memory_weights *w, const double f[F_COUNT], bool same);

/* memory_aspect.c: bits for time, place, person, money ... */
uint32_t memory_aspects(const struct encoder_words *w);

/* Which words are names by their capitals: those that no sentence begins with. text: what words were split from. */
void memory_names(const struct encoder_words *words, const char *text, bool name[ENCODER_WORDS]);

/* "charges" and "charged" are "charg"; also tells whether a word is empty. */
void memory_stem(char *word);
bool memory_empty_word(const char *stem);

#endif
