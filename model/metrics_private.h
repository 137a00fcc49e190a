/* SPDX-License-Identifier: GPL-3.0-or-later */
/* metrics_private: characters and words, for the metrics' own files. */
#ifndef ANSWERBACK_METRICS_PRIVATE_H
#define ANSWERBACK_METRICS_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool metrics_is_space(int32_t c);
/* Bytes of the character at s, of n > 0 left. */
size_t metrics_next_char(const char *s, size_t n, int32_t *cp);
/* metrics_word, for texts whose end is known */
const char *metrics_next_word(const char **at, const char *end, size_t *length);

#endif
