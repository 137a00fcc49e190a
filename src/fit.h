/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fit: how well a reply answers a message, by the frozen encoder (model/encoder.h), to choose among a model's own beams.
 *
 * A reply is likely as soon as its first words are; what it is about shows later, in words that a small decoder weighs
 * little. The encoder, which learned from messages and their answers, says for each word of the message how near the
 * reply comes to it. */
#ifndef ANSWERBACK_FIT_H
#define ANSWERBACK_FIT_H

#include <stddef.h>

#include "../model/encoder.h"

struct fit;

/* The encoder that ships with the program, opened by the first call, for as long as the process lives; NULL: there is
 * none. Any thread. */
const struct encoder *fit_encoder(void);
/* For one message; its text is copied, placeholders are as their names. NULL: no encoder, or a message without words. */
struct fit *fit_new(const struct encoder *en, const char *message, size_t len);
void fit_free(struct fit *f);                    /* NULL is fine */
/* -1 .. 1: the mean nearness of the message's words, the weighty ones counting more, to what the reply says. */
double fit_of(const struct fit *f, const char *reply, size_t len);

#endif
