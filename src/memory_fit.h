/* SPDX-License-Identifier: GPL-3.0-or-later */
/* memory_fit: weights of the features of memory_pair.h, and the bar; written by
 *     answerback eval --memory --fit src/memory_fit.h data/facts.jsonl
 * and not by hand. */
#ifndef ANSWERBACK_MEMORY_FIT_H
#define ANSWERBACK_MEMORY_FIT_H

#include "memory_pair.h"

#define MEMORY_BAR 0.79

static const struct memory_weights memory_fit = {
	.rank = {
		-6.5373,   /* one */
		0.8885,    /* cosine */
		2.0744,    /* meant_new */
		2.1626,    /* meant_old */
		2.8235,    /* said_new */
		3.2452,    /* said_old */
		-0.4673,   /* left_new */
		-0.4241,   /* left_old */
		-0.4904,   /* left_both */
		-0.2696,   /* name_new */
		-0.6912,   /* name_old */
		-0.0996,   /* name_both */
		2.9368,    /* name_shared */
		-1.1038,   /* proper_new */
		-2.0476,   /* proper_old */
		0.0785,    /* proper_both */
		1.6215,    /* proper_shared */
		1.7637,    /* rest_cosine */
		1.0170,    /* rest_new */
		1.3893,    /* rest_old */
		2.4768,    /* union_new */
		-1.0245,   /* union_left */
		1.4584,    /* answer_cosine */
		0.3647,    /* number */
		-0.0013,   /* day */
		-0.2761,   /* negation */
		0.4243,    /* aspect_same */
		-0.8573,   /* aspect_other */
		-0.7733,   /* aspect_more */
		-0.0474,   /* frame */
		-0.0788,   /* frame_left */
		0.7545,    /* put_for */
		-0.2229,   /* opposite */
	},
	.sure = {
		-3.3025,   /* one */
		-0.4465,   /* cosine */
		0.0755,    /* meant_new */
		0.5801,    /* meant_old */
		-4.0518,   /* said_new */
		2.0102,    /* said_old */
		-0.2613,   /* left_new */
		-1.4233,   /* left_old */
		-0.8122,   /* left_both */
		1.9247,    /* name_new */
		0.0486,    /* name_old */
		-1.1797,   /* name_both */
		0.8261,    /* name_shared */
		-0.9011,   /* proper_new */
		-0.5665,   /* proper_old */
		-2.3583,   /* proper_both */
		-0.3854,   /* proper_shared */
		4.2711,    /* rest_cosine */
		1.1180,    /* rest_new */
		2.8356,    /* rest_old */
		4.2909,    /* union_new */
		-2.4577,   /* union_left */
		1.2008,    /* answer_cosine */
		1.2909,    /* number */
		0.0000,    /* day */
		0.5822,    /* negation */
		0.3847,    /* aspect_same */
		-1.6476,   /* aspect_other */
		-0.6480,   /* aspect_more */
		-5.7985,   /* frame */
		-1.8769,   /* frame_left */
		-1.3048,   /* put_for */
		-1.6909,   /* opposite */
	},
};

#endif
