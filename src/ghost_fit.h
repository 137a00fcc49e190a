/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ghost_fit: constants fitted on held-out conversations; written by
 *     answerback eval --completion --fit src/ghost_fit.h FILE.jsonl
 * and not by hand. */
#ifndef ANSWERBACK_GHOST_FIT_H
#define ANSWERBACK_GHOST_FIT_H

const struct ghost_weights ghost_weights_model = {
	{ 0, 1 },
	{ 1, 0.97, 0.94, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.55, 0.5, 0.45, 0.4, 0.35, 0.3, 0.25, 0.2, 0.15, 0.1, 0 },
};

const struct ghost_weights ghost_weights_ngram = {
	{ 0, 1 },
	{ 1, 0.97, 0.94, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.55, 0.5, 0.45, 0.4, 0.35, 0.3, 0.25, 0.2, 0.15, 0.1, 0 },
};

const struct ahead_mix ghost_mix = { .model_weight = { 1, 0.95, 0.9, 0.85, 0.8 } };

#endif
