/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reword_private: the lists (reword_lists.c) that reword.c makes questions of. */
#ifndef ANSWERBACK_REWORD_PRIVATE_H
#define ANSWERBACK_REWORD_PRIVATE_H

#include <stddef.h>

struct reword_words {
	char **v;
	size_t n;
};

struct reword_lists {
	struct reword_words frame;    /* "what does the {x} cost" */
	struct reword_words content;  /* words of the frames that say what is asked */
	struct reword_words *same;    /* phrases that say the same */
	size_t groups;
};

void reword_words_add(struct reword_words *w, const char *text);
void reword_words_free(struct reword_words *w);
/* From ask.jsonl and words.jsonl of a folder; what cannot be read is not there. */
void reword_lists_read(struct reword_lists *l, const char *folder);
void reword_lists_free(struct reword_lists *l);

#endif
