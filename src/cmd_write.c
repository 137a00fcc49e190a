/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cmd_write: `answerback write`: the writing desk. */
#include <unistd.h>

#include "commands.h"
#include "config.h"
#include "engine.h"
#include "../ui/desk.h"

static const struct cli_option options[] = {
	CLI_OPTION_MODEL,
	ENGINE_OPTION_COMPANY,
	{ "ascii", 0, NULL, CLI_FLAG, "nothing but ASCII on the screen", 0, 0 },
	CLI_OPTION_END
};

static int run(struct cli_args *a)
{
	const struct desk_options o = {
		.path = a->n ? a->operands[0] : NULL, .model = cli_string(a, "model", NULL),
		.company = config_text(CONFIG_COMPANY),
	};
	struct err e = ERR_INIT;
	int rc = DESK_NO_SCREEN;

	if (a->n > 1)
		return cli_usage(a, "one file at a time");
	if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO)) {
		rc = desk_main(&o, &e);
		if (rc < 0)
			return cli_failed(&e);
	}
	if (rc == DESK_NO_SCREEN)
		return cli_error("write needs a terminal that can hold a screen; `answerback complete` works in a pipe");
	return CLI_OK;
}

const struct cli_command cmd_write = {
	"write", "write a letter, an article, a canned reply, with completion", "[OPTION...] [FILE]", options, run,
	"A full-screen editor of plain text in nano's habits: C-o writes out, C-x exits, C-g shows the keys. Grey text\n"
	"completes what is typed: Right takes it. What is not saved is kept and offered at the next start."
};
