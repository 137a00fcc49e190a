/* SPDX-License-Identifier: GPL-3.0-or-later */
/* real: the number every layer computes in. float in the program; double when
 * the library is compiled with -DANSWERBACK_DOUBLE, which is how the gradient
 * checks get differences that rounding does not drown (plain kernels only). */
#ifndef ANSWERBACK_REAL_H
#define ANSWERBACK_REAL_H

#ifdef ANSWERBACK_DOUBLE
typedef double real;
#define REAL_EXP exp
#define REAL_LOG log
#define REAL_SQRT sqrt
#define REAL_TANH tanh
#define REAL_FABS fabs
#else
typedef float real;
#define REAL_EXP expf
#define REAL_LOG logf
#define REAL_SQRT sqrtf
#define REAL_TANH tanhf
#define REAL_FABS fabsf
#endif

#endif
