/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kernels_repeat: REPEAT_n(X, ...) writes X(0, ...) X(1, ...) ... n times. Registers
 * have names, not indices: sums of a tile written this way stay in registers with any
 * compiler at any level. REPEAT and AGAIN are the same, because a macro does not
 * expand inside itself. */
#ifndef ANSWERBACK_KERNELS_REPEAT_H
#define ANSWERBACK_KERNELS_REPEAT_H

#define REPEAT_1(X, ...) X(0, __VA_ARGS__)
#define REPEAT_2(X, ...) REPEAT_1(X, __VA_ARGS__) X(1, __VA_ARGS__)
#define REPEAT_3(X, ...) REPEAT_2(X, __VA_ARGS__) X(2, __VA_ARGS__)
#define REPEAT_4(X, ...) REPEAT_3(X, __VA_ARGS__) X(3, __VA_ARGS__)
#define REPEAT_5(X, ...) REPEAT_4(X, __VA_ARGS__) X(4, __VA_ARGS__)
#define REPEAT_6(X, ...) REPEAT_5(X, __VA_ARGS__) X(5, __VA_ARGS__)
#define REPEAT_7(X, ...) REPEAT_6(X, __VA_ARGS__) X(6, __VA_ARGS__)
#define REPEAT_8(X, ...) REPEAT_7(X, __VA_ARGS__) X(7, __VA_ARGS__)
#define REPEAT_9(X, ...) REPEAT_8(X, __VA_ARGS__) X(8, __VA_ARGS__)
#define REPEAT_10(X, ...) REPEAT_9(X, __VA_ARGS__) X(9, __VA_ARGS__)
#define REPEAT_11(X, ...) REPEAT_10(X, __VA_ARGS__) X(10, __VA_ARGS__)
#define REPEAT_12(X, ...) REPEAT_11(X, __VA_ARGS__) X(11, __VA_ARGS__)

#define AGAIN_1(X, ...) X(0, __VA_ARGS__)
#define AGAIN_2(X, ...) AGAIN_1(X, __VA_ARGS__) X(1, __VA_ARGS__)
#define AGAIN_3(X, ...) AGAIN_2(X, __VA_ARGS__) X(2, __VA_ARGS__)
#define AGAIN_4(X, ...) AGAIN_3(X, __VA_ARGS__) X(3, __VA_ARGS__)
#define AGAIN_5(X, ...) AGAIN_4(X, __VA_ARGS__) X(4, __VA_ARGS__)
#define AGAIN_6(X, ...) AGAIN_5(X, __VA_ARGS__) X(5, __VA_ARGS__)
#define AGAIN_7(X, ...) AGAIN_6(X, __VA_ARGS__) X(6, __VA_ARGS__)
#define AGAIN_8(X, ...) AGAIN_7(X, __VA_ARGS__) X(7, __VA_ARGS__)

#endif
