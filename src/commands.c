/* SPDX-License-Identifier: GPL-3.0-or-later */
/* commands: the table. A new command is src/cmd_NAME.c with `const struct cli_command
 * cmd_NAME`, its extern line in commands.h, and its line here. */
#include "commands.h"

const struct cli_command *const commands[] = {
	&cmd_chat,
	&cmd_reply,
	&cmd_complete,
	&cmd_write,
	&cmd_train,
	&cmd_tokenize,
	&cmd_redact,
	&cmd_eval,
	&cmd_ngrams,
	&cmd_model,
	&cmd_teach,
	&cmd_review,
	&cmd_retrain,
	&cmd_search,
	&cmd_import,
	&cmd_export,
	&cmd_forget,
	&cmd_stats,
	&cmd_canned,
	&cmd_backup,
	&cmd_restore,
	&cmd_db,
	&cmd_config,
	&cmd_completions,
	&cmd_doctor,
	NULL
};
