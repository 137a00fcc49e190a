/* SPDX-License-Identifier: GPL-3.0-or-later */
/* field: the {fields} of a canned reply. A raw one must never reach a customer. */
#ifndef ANSWERBACK_FIELD_H
#define ANSWERBACK_FIELD_H

#include <stdbool.h>
#include <stddef.h>

/* The first {field} or {{field}} at or after `from`: letters, digits, spaces and _ - . between braces, a letter first. False:
 * none. *len counts the braces. */
bool field_find(const char *text, size_t from, size_t *start, size_t *len);

/* Those whose value is known are filled in. value: gives it by the field's name in lower case, or NULL. Caller frees. */
char *field_fill(const char *text, const char *(*value)(const char *name, void *arg), void *arg);

/* Whether text is the template with a value in place of each of its fields: no line break or second sentence. */
bool field_matches(const char *template, const char *text);

#endif
