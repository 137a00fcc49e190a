/* SPDX-License-Identifier: GPL-3.0-or-later */
/* utf8: bytes to characters, for text that may be broken. Built on utf8proc. */
#ifndef ANSWERBACK_UTF8_H
#define ANSWERBACK_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Decode one character at s (n > 0 bytes left). Returns bytes consumed (>= 1);
 * an invalid byte gives U+FFFD and consumes 1. */
size_t utf8_decode(const char *s, size_t n, int32_t *cp);

/* Characters in n bytes; each invalid byte counts as one. */
size_t utf8_count(const char *s, size_t n);

/* Offset of the first invalid byte, or n when all is valid UTF-8. */
size_t utf8_valid_upto(const char *s, size_t n);

/* Write cp to out (up to 4 bytes); returns the number written. */
size_t utf8_encode(int32_t cp, char out[4]);

#endif
