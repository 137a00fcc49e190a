/* SPDX-License-Identifier: GPL-3.0-or-later */
/* review_private: what review.c and review_flags.c share. */
#ifndef ANSWERBACK_REVIEW_PRIVATE_H
#define ANSWERBACK_REVIEW_PRIVATE_H

#include "base/str.h"
#include "review.h"

void review_add_flag(struct str *flags, const char *name);
/* Two answers of much the same words that a fact tells apart: "at nine" and "at ten", "we do" and "we do not". */
bool review_says_otherwise(const char *a, const char *b);

#endif
