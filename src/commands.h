/* SPDX-License-Identifier: GPL-3.0-or-later */
/* commands: the table of all subcommands, one file each (src/cmd_NAME.c). */
#ifndef ANSWERBACK_COMMANDS_H
#define ANSWERBACK_COMMANDS_H

#include "cli.h"

extern const struct cli_command cmd_chat, cmd_reply, cmd_complete, cmd_train, cmd_tokenize, cmd_redact,
	cmd_eval, cmd_model, cmd_doctor, cmd_search, cmd_db, cmd_backup, cmd_restore, cmd_ngrams,
	cmd_import, cmd_export, cmd_teach, cmd_review, cmd_retrain, cmd_config, cmd_completions, cmd_forget, cmd_stats, cmd_canned,
	cmd_write;

/* NULL-terminated, in the order of --help. */
extern const struct cli_command *const commands[];

#endif
