/* SPDX-License-Identifier: GPL-3.0-or-later */
/* memory_fit: weights of the features of memory_pair.h. */
#ifndef ANSWERBACK_MEMORY_FIT_H
#define ANSWERBACK_MEMORY_FIT_H

#include "memory_pair.h"

#define MEMORY_BAR 0.5

static const double memory_fit[F_COUNT] = {
	[F_ONE] = -6, [F_COSINE] = 4, [F_MEANT_NEW] = 3, [F_MEANT_OLD] = 3, [F_NAME_BOTH] = -4, [F_NUMBER] = -4, [F_DAY] = -4,
	[F_NEGATION] = -1, [F_KIND] = -2, [F_OPPOSITE] = -3,
};

#endif
