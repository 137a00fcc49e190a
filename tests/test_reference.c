/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The model as the program has it, in float on this machine's kernels, beside another
 * implementation of its equations: see gradcheck_reference.c, which is strict. */
#define TOLERANCE 2e-4
#include "reference/crosscheck.h"

int main(void)
{
	return crosscheck_main();
}
