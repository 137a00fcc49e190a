/* SPDX-License-Identifier: GPL-3.0-or-later */
/* eval_facts: the part of `answerback eval` that asks for facts that were taught: in the wordings taught, in
 * wordings not taught, and look-alikes that they do not answer. The model answers alone, without memory.
 *
 * A file of facts holds one a line:
 *     {"answer": "...", "must": ["9:30"], "taught": ["...", ...], "unseen": [...], "lookalike": [...]}
 * A reply is right when it has every text of "must" (letter case ignored); a look-alike's reply leaks when it
 * has every text of any fact's "must", or is one of the answers word for word. */
#ifndef ANSWERBACK_EVAL_FACTS_H
#define ANSWERBACK_EVAL_FACTS_H

#include "cli.h"
#include "engine.h"

#define EVAL_FACTS_OPTIONS \
	{ "facts", 0, NULL, CLI_FLAG, "FILE holds facts: how many are answered, in which wordings, and what leaks", 0, 0 }, \
	{ "taught", 0, "OUT", CLI_STRING, "with --facts: only write what `teach --jsonl` takes", 0, 0 }, \
	{ "verbose", 0, NULL, CLI_FLAG, "with --facts: every reply", 0, 0 }

/* Returns an exit code. */
int eval_facts(struct cli_args *a, struct engine *en);

#endif
