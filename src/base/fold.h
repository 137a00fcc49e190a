/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fold: text made comparable: upper and lower case are one (Unicode case folding, composed), and so are
 * any runs of white space. For looking something up, never for showing. */
#ifndef ANSWERBACK_FOLD_H
#define ANSWERBACK_FOLD_H

#include <stdbool.h>
#include <stddef.h>

#include "str.h"

/* text [len], of any bytes, appended to out; white space at its ends is dropped when trim is set. */
void fold_text(const char *text, size_t len, bool trim, struct str *out);
/* The same for what stands between a JSON document's quotes: escapes are undone first. */
void fold_json(const char *text, size_t len, struct str *out);
/* Is needle (folded by fold_text with trim) in text? scratch: reused from call to call. */
bool fold_holds(const char *text, size_t len, const char *needle, struct str *scratch);
/* Bytes in bytes, ASCII letters of either case alike: for files of any kind. */
bool fold_holds_bytes(const void *data, size_t len, const char *needle, size_t n);

#endif
