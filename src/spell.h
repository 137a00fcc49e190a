/* SPDX-License-Identifier: GPL-3.0-or-later */
/* spell: are these words spelled right? Asked of hunspell, where it is installed, as a process of its own
 * (`hunspell -a`), so that neither a slow dictionary nor a broken one disturbs the screen; without a
 * language given that is hunspell's own choice (DICTIONARY, LANG). Without it every word is SPELL_UNKNOWN.
 *
 *     s = spell_start(NULL);                              // never NULL
 *     spell_check(s, word, n);                           // from memory, else asked for
 *     poll spell_fd; if (spell_read(s)) draw again;
 *
 * Belongs to one thread. */
#ifndef ANSWERBACK_SPELL_H
#define ANSWERBACK_SPELL_H

#include <stdbool.h>
#include <stddef.h>

enum spell_state { SPELL_UNKNOWN, SPELL_GOOD, SPELL_BAD };

struct spell;

/* language: of a dictionary, as en_GB; NULL: hunspell's choice, else en_US. */
struct spell *spell_start(const char *language);
void spell_stop(struct spell *s);
int spell_fd(const struct spell *s);             /* readable: call spell_read; -1: nobody to ask */
bool spell_read(struct spell *s);                /* true: something is known that was not */
enum spell_state spell_check(struct spell *s, const char *word, size_t n);

#endif
