/* SPDX-License-Identifier: GPL-3.0-or-later */
/* eval_memory: the part of `answerback eval` that teaches facts and asks for them. */
#ifndef ANSWERBACK_EVAL_MEMORY_H
#define ANSWERBACK_EVAL_MEMORY_H

#include "cli.h"

#define EVAL_MEMORY_OPTIONS \
	{ "memory", 0, NULL, CLI_FLAG, "teach facts to an empty memory and ask for them in other words", 0, 0 }, \
	{ "encoder", 0, "FILE", CLI_STRING, "with --memory: this encoder ('none': words alone)", 0, 0 }, \
	{ "show", 0, NULL, CLI_FLAG, "with --memory: print what was missed or wrongly answered", 0, 0 }

/* Every operand is a file of facts, one JSON object a line:
 * {"question", "answer", "rewordings": [...], "lookalikes": [...]}. Returns an exit code. */
int eval_memory(struct cli_args *a);

#endif
