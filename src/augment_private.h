/* SPDX-License-Identifier: GPL-3.0-or-later */
/* augment_private: words and groups, shared by augment.c, which finds what questions are about, and augment_vary.c, which
 * puts them in other words. */
#ifndef ANSWERBACK_AUGMENT_PRIVATE_H
#define ANSWERBACK_AUGMENT_PRIVATE_H

#include "augment.h"

enum { AUGMENT_WORDS = 64, AUGMENT_STEM = 24, AUGMENT_ASPECTS = 64 };

/* A text cut at blanks. */
struct augment_words {
	char *text;                   /* owned; words point into it */
	char *w[AUGMENT_WORDS];
	char stem[AUGMENT_WORDS][AUGMENT_STEM];       /* "" for one without a letter or digit */
	size_t n;
};

/* Wordings of one answer. */
struct augment_group {
	char *key;
	size_t *question, n;
	size_t aspect;                /* AUGMENT_ASPECTS: none */
	double score[AUGMENT_ASPECTS];
	char *thing;
	char (*stem)[AUGMENT_STEM];           /* of the thing */
	size_t stems;
};

/* The words of an aspect's frames. */
struct augment_bag {
	char (*stem)[AUGMENT_STEM];
	double *share;                /* [n] of the frames that have it */
	size_t n;
};

struct augment {
	char **question;
	size_t *group_of, n;
	struct augment_group *group;
	size_t groups;
	struct augment_bag bag[AUGMENT_ASPECTS];
	size_t aspects;
};

void augment_words_cut(struct augment_words *ws, const char *text);
void augment_words_free(struct augment_words *ws);
bool augment_in_words(const struct augment_words *ws, const char *stem);
bool augment_in_list(char (*list)[AUGMENT_STEM], size_t n, const char *stem);
size_t augment_list_length(const char *const *list);
bool augment_is_function(const char *word);       /* as it stands in a question: any letter case, signs around it */
bool augment_is_placeholder(const char *word);
/* A word without the signs at its end, after a blank. */
void augment_add_bare(struct str *out, const char *word);
/* Whether word i of a wording names the thing: neither of the frame nor common to all questions. */
bool augment_of_thing(const struct augment *a, const struct augment_group *g, const struct augment_words *ws, size_t i);

#endif
