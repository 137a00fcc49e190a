/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fit: how well a reply answers a message, by the frozen encoder (model/encoder.h), to choose among a model's own beams.
 *
 * A reply is likely as soon as its first words are; what it is about shows later, in words that a small decoder weighs
 * little. The encoder says for each word of the message how near the reply comes to it, and the map that belongs to it
 * (model/answer.h) how near the whole comes to where such a message's answers lie. */
#ifndef ANSWERBACK_FIT_H
#define ANSWERBACK_FIT_H

#include <stddef.h>

#include "../model/answer.h"

struct fit;
/* What judges: kept by whoever opened it as long as its fits live. Without a map the words alone count. */
struct fit_judge {
	struct encoder *encoder;
	struct answer_map *map;       /* NULL: none */
};

/* The encoder and the map that ship with the program, opened by the first call, for as long as the process lives; NULL:
 * there is no encoder. Any thread. */
const struct fit_judge *fit_shipped(void);
int fit_open(struct fit_judge *j, const char *encoder, const char *map, struct err *e);    /* map may be NULL */
void fit_close(struct fit_judge *j);

/* For one message; its text is copied, placeholders are as their names. NULL: no judge, or a message without words. */
struct fit *fit_new(const struct fit_judge *j, const char *message, size_t len);
void fit_free(struct fit *f);                    /* NULL is fine */
/* -3 .. 3: the mean nearness of the message's words, the weighty ones counting more, to what the reply says; and twice the
 * nearness of the reply to where the answers should lie. */
double fit_of(const struct fit *f, const char *reply, size_t len);

#endif
