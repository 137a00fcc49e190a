/* SPDX-License-Identifier: GPL-3.0-or-later */
/* wordings: how customers ask for things, as lists written for the project: what augment.h makes new wordings of
 * taught questions from. English, like the shipped model. */
#ifndef ANSWERBACK_WORDINGS_H
#define ANSWERBACK_WORDINGS_H

#include <stdbool.h>

/* What a question is about, and ways to ask for it; "{}" stands for the thing. Ways and lists end with NULL. */
struct wordings_aspect {
	const char *name;
	const char *const *ask;
};
extern const struct wordings_aspect wordings_aspects[];        /* name NULL: end */

extern const char *const wordings_before[], *const wordings_after[];     /* put around a question */
extern const char *const wordings_frames[];       /* around the bare words of a question: "{}" */
extern const char *const *const wordings_same[];  /* groups of words that say the same here */
extern const char *const *const wordings_kinds[]; /* words of which one excludes the others: weekdays, months */
extern const char *const wordings_names[], *const wordings_things[];     /* to put in the place of another */

bool wordings_is_function(const char *word);      /* "the", "of", "does": tells nothing of what is asked; lower case */

#endif
