/* SPDX-License-Identifier: GPL-3.0-or-later */
/* eval_completion: the part of `answerback eval` that types. */
#ifndef ANSWERBACK_EVAL_COMPLETION_H
#define ANSWERBACK_EVAL_COMPLETION_H

#include "cli.h"
#include "corpus.h"
#include "engine.h"

#define EVAL_COMPLETION_OPTIONS \
	{ "completion", 0, NULL, CLI_FLAG, "simulate a person typing with ghost text", 0, 0 }, \
	{ "writers", 0, NULL, CLI_FLAG, "simulate writers whose language is learned", 0, 0 }, \
	{ "level", 0, "LEVEL", CLI_STRING, "with --completion: shy, normal (default) or eager", 0, 0 }, \
	{ "text", 0, "FILE", CLI_LIST, "with --completion: training text of the n-gram compared with; may be repeated", 0, 0 }, \
	{ "no-ngram", 0, NULL, CLI_FLAG, "with --completion: the model without its n-grams", 0, 0 }, \
	{ "fit", 0, "FILE", CLI_STRING, "with --completion: fit src/ghost_fit.h on the conversations; with --memory: src/memory_fit.h on facts", 0, 0 }

int eval_writers(struct cli_args *a, struct engine *en, const struct corpus *c, size_t threads);
int eval_completion(struct cli_args *a, struct engine *en, const struct corpus *c, size_t threads);

#endif
