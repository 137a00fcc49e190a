/* SPDX-License-Identifier: GPL-3.0-or-later */
/* weights_private: what weights.c and weights_bytes.c share. */
#ifndef ANSWERBACK_WEIGHTS_PRIVATE_H
#define ANSWERBACK_WEIGHTS_PRIVATE_H

#include "weights.h"

/* Configuration and layout, without any numbers. */
struct weights *weights_shaped(const struct dialogue_config *c);

#endif
