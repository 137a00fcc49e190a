/* SPDX-License-Identifier: GPL-3.0-or-later */
/* canned_near: which canned reply fits a question, by the words they share. Pure, safe from any thread. */
#ifndef ANSWERBACK_CANNED_NEAR_H
#define ANSWERBACK_CANNED_NEAR_H

#include <stddef.h>

#include "canned.h"

/* The one whose name and text share most with the question, SIZE_MAX: none shares a telling word. score: 0 .. 1. `skip`:
 * SIZE_MAX, or one not to give again. */
size_t canned_nearest(const struct canned_list *l, const char *question, size_t skip, double *score);

#endif
