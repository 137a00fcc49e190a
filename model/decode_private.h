/* SPDX-License-Identifier: GPL-3.0-or-later */
/* decode_private: the rules that greedy, sampling and beam share. */
#ifndef ANSWERBACK_DECODE_PRIVATE_H
#define ANSWERBACK_DECODE_PRIVATE_H

#include "decode.h"

struct decode_mask {
	size_t vocab;
	uint8_t *banned;        /* owned copy */
	int32_t *ids;           /* the banned ones, n of them */
	size_t n;
};
void decode_mask_init(struct decode_mask *mask, const struct session *s, const struct decode_opts *o);
void decode_mask_fini(struct decode_mask *mask);
/* Set to -inf what may not follow ids[0 .. n). */
void decode_apply_rules(const struct decode_mask *mask, const struct decode_opts *o, const int32_t *ids,
                        size_t n, real *logp);

#endif
