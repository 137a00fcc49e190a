/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reword: very many wordings of taught questions, and look-alikes, each with the memory's verdict.
 *
 * The memory (memory.h) tells whether two questions ask the same, and better than the weights can from a handful of wordings. So it
 * is the teacher: questions are made freely, by the rules of augment.h, in the frames that ship (data/wordings/ask.jsonl),
 * with words put for words (words.jsonl), with the thing that another answer is about; the memory, which holds
 * what is to be learned and nothing else, then says of each whether it is answered by one of them (a wording), surely by none (a
 * look-alike), or that it cannot tell (left out).
 *
 * Without an encoder or without the lists the rules alone decide, as augment.h has them.
 * Belongs to one thread until reword_prepare; then reword_make may be called from any number. */
#ifndef ANSWERBACK_REWORD_H
#define ANSWERBACK_REWORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reword;

/* encoder: a file, NULL for the shipped one. lists: the folder with ask.jsonl and words.jsonl, NULL for the shipped one. */
struct reword *reword_new(const char *encoder, const char *lists, const char *company);
void reword_free(struct reword *w);
/* Questions in their order, 0, 1, ...; those of one answer are wordings of each other. Copies. */
void reword_add(struct reword *w, const char *question, const char *answer);
/* judge: a verdict costs some milliseconds, so for very many questions the rules alone may have to do. */
void reword_prepare(struct reword *w, bool judge);
bool reword_judges(const struct reword *w);      /* false: rules alone */

struct reword_item {
	char *text;
	size_t of;                    /* question whose answer it gets, or that it must not get */
};
struct reword_list {
	struct reword_item *v;
	size_t n, cap;
};
void reword_list_free(struct reword_list *l);

/* Up to so many of question i, no text twice; the same seed makes the same. */
void reword_make(const struct reword *w, size_t i, size_t wordings, size_t lookalikes, uint64_t seed, struct reword_list *same,
                 struct reword_list *other);

#endif
