/* SPDX-License-Identifier: GPL-3.0-or-later */
/* memory_fit: weights of the features of memory_pair.h. */
#ifndef ANSWERBACK_MEMORY_FIT_H
#define ANSWERBACK_MEMORY_FIT_H

#include "memory_pair.h"

#define MEMORY_BAR 0.5

static const struct memory_weights memory_fit = { .rank = { 0 }, .sure = { 0 } };

#endif
