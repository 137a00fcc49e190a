/* SPDX-License-Identifier: GPL-3.0-or-later */
/* str: a growing byte string. `s` is always NUL-terminated (never NULL after the
 * first call; STR_INIT's points to a shared empty string), `len` excludes the NUL and
 * bytes may include NULs. Whoever declares it frees it with str_free. */
#ifndef ANSWERBACK_STR_H
#define ANSWERBACK_STR_H

#include <stdbool.h>
#include <stddef.h>

struct str {
	char *s;
	size_t len, cap;
};

extern char str_empty[1];
#define STR_INIT { str_empty, 0, 0 }

void str_free(struct str *s);                     /* leaves it as STR_INIT */
void str_reset(struct str *s);                    /* length 0, memory kept */
void str_add(struct str *s, const char *bytes, size_t n);
void str_adds(struct str *s, const char *cstr);
void str_addc(struct str *s, char c);
void str_addf(struct str *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
char *str_detach(struct str *s);                  /* caller frees; s becomes STR_INIT */
bool str_readline(struct str *s, void *file);     /* FILE *; any length; without '\n'; false at EOF */

#endif
