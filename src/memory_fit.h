/* SPDX-License-Identifier: GPL-3.0-or-later */
/* memory_fit: weights of the features of memory_pair.h, and the bar; written by
 *     answerback eval --memory --fit src/memory_fit.h data/facts.jsonl
 * and not by hand. */
#ifndef ANSWERBACK_MEMORY_FIT_H
#define ANSWERBACK_MEMORY_FIT_H

#include "memory_pair.h"

#define MEMORY_BAR 0.68

static const struct memory_weights memory_fit = {
	.rank = {
		-6.1877,   /* one */
		0.8991,    /* cosine */
		1.9890,    /* meant_new */
		2.0120,    /* meant_old */
		2.6839,    /* said_new */
		3.1999,    /* said_old */
		-0.3991,   /* left_new */
		-0.6354,   /* left_old */
		-0.4382,   /* left_both */
		-0.4106,   /* name_new */
		-0.6915,   /* name_old */
		-0.1241,   /* name_both */
		2.8330,    /* name_shared */
		-1.1462,   /* proper_new */
		-2.0931,   /* proper_old */
		0.0470,    /* proper_both */
		1.6623,    /* proper_shared */
		1.5061,    /* rest_cosine */
		0.8666,    /* rest_new */
		1.3992,    /* rest_old */
		2.3525,    /* union_new */
		-0.9419,   /* union_left */
		1.7538,    /* answer_cosine */
		0.2177,    /* number */
		-0.0009,   /* day */
		-0.1096,   /* negation */
		0.4164,    /* aspect_same */
		-0.7184,   /* aspect_other */
		-0.7113,   /* aspect_more */
		-0.0060,   /* frame */
		-0.0740,   /* frame_left */
		0.3970,    /* put_for */
		-0.1745,   /* opposite */
	},
	.sure = {
		-3.0927,   /* one */
		-0.3887,   /* cosine */
		0.0738,    /* meant_new */
		0.6521,    /* meant_old */
		-3.8268,   /* said_new */
		1.8465,    /* said_old */
		0.3046,    /* left_new */
		-1.5463,   /* left_old */
		-0.5644,   /* left_both */
		1.6433,    /* name_new */
		-0.0865,   /* name_old */
		-1.1900,   /* name_both */
		0.8910,    /* name_shared */
		-0.9480,   /* proper_new */
		-0.6189,   /* proper_old */
		-2.1625,   /* proper_both */
		-0.3509,   /* proper_shared */
		4.3660,    /* rest_cosine */
		0.9249,    /* rest_new */
		2.7700,    /* rest_old */
		4.2191,    /* union_new */
		-3.0718,   /* union_left */
		1.5355,    /* answer_cosine */
		1.0152,    /* number */
		0.0000,    /* day */
		0.6747,    /* negation */
		0.4069,    /* aspect_same */
		-1.6362,   /* aspect_other */
		-0.7466,   /* aspect_more */
		-5.9097,   /* frame */
		-1.9086,   /* frame_left */
		-1.6719,   /* put_for */
		-1.4537,   /* opposite */
	},
};

#endif
