/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Log-probabilities, loss and gradients of the whole model in double beside those of another
 * implementation of its equations, tests/reference/reference.py. The check by differences
 * (gradcheck_dialogue.c) finds a derivative that does not belong to the function; this one
 * finds a function that is not the one written down. */
#ifndef ANSWERBACK_DOUBLE
#error "compile with -DANSWERBACK_DOUBLE"
#endif

#define TOLERANCE 1e-9
#include "reference/crosscheck.h"

int main(void)
{
	return crosscheck_main();
}
