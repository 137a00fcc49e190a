/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cmd_chat: a conversation in lines, and what plain `answerback` does.
 *
 * On a terminal: a prompt, the reply streamed as it comes, C-c stops a reply (and at the prompt
 * ends the chat). In a pipe: customer messages in, one a line, replies out, one a line; a blank line
 * starts a new conversation. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "commands.h"
#include "config.h"
#include "engine.h"
#include "storekeeper.h"
#include "../ui/ui.h"

static const struct cli_option options[] = {
	CLI_OPTION_MODEL,
	ENGINE_OPTION_AS,
	ENGINE_OPTION_FROM,
	ENGINE_OPTION_COMPANY,
	ENGINE_OPTIONS_DECODE,
	{ "plain", 0, NULL, CLI_FLAG, "lines instead of the screen", 0, 0 },
	{ "assist", 0, NULL, CLI_FLAG, "be the agent: suggestions for what customers wrote", 0, 0 },
	{ "ascii", 0, NULL, CLI_FLAG, "nothing but ASCII on the screen", 0, 0 },
	{ "inbox", 0, "FILE", CLI_STRING, "customers' messages arrive here, one a line (a file that grows, or a FIFO)", 0, 0 },
	{ "send-command", 0, "COMMAND", CLI_STRING, "gets each sent reply on its standard input", 0, 0 },
	{ "watch", 0, "LOG", CLI_STRING, "show the training run that writes this log", 0, 0 },
	CLI_OPTION_END
};

/* Set by C-c while a reply is being made; the decoder looks at it between tokens. */
static atomic_bool cancel;
static volatile sig_atomic_t interrupts;

static void on_interrupt(int sig)
{
	(void)sig;
	atomic_store(&cancel, true);
	interrupts = 1;
}

/* Customer text and what a model makes of it are shown, never obeyed: no control character
 * but the newline reaches the terminal. */
static void put_safely(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c == 0xc2 && i + 1 < n && (unsigned char)s[i + 1] >= 0x80 && (unsigned char)s[i + 1] < 0xa0) {
			fputs("?", stdout);      /* C1 controls */
			i++;
		} else {
			putchar((c < 0x20 && c != '\n') || c == 0x7f ? '?' : c);
		}
	}
}

static bool show(const char *bytes, size_t n, void *arg)
{
	(void)arg;
	put_safely(bytes, n);
	fflush(stdout);
	return true;
}

/* Read one line; false at the end, or when C-c came while waiting. */
static bool read_message(struct str *line, bool terminal)
{
	if (terminal) {
		fputs("customer> ", stdout);
		fflush(stdout);
	}
	interrupts = 0;
	if (!str_readline(line, stdin) || (interrupts && line->len == 0))
		return false;
	if (line->len > 0 && line->s[line->len - 1] == '\r')
		line->len--;
	return true;
}

/* What is printed as said has been kept; what could not be kept is said once, and the chat goes on. */
static void settle(struct storekeeper *k)
{
	char *trouble;

	storekeeper_flush(k);
	trouble = storekeeper_trouble(k);
	if (trouble)
		fprintf(stderr, "answerback: not kept: %s\n", trouble);
	free(trouble);
}

static int chat(struct engine *en, struct storekeeper *k, bool terminal)
{
	struct talk *t = talk_new(en->m, en->company);
	int64_t id = storekeeper_conversation(k, NULL, NULL, en->company, "chat");
	struct str line = STR_INIT;
	struct err e = ERR_INIT;
	int code = CLI_OK;

	en->opts.decode.cancel = &cancel;
	en->opts.text = terminal ? show : NULL;
	while (code == CLI_OK && read_message(&line, terminal)) {
		struct talk_reply r;

		if (line.len == 0 || strcmp(line.s, "/new") == 0) {
			talk_truncate(t, 0);
			talk_free(t);
			t = talk_new(en->m, en->company);
			id = storekeeper_conversation(k, NULL, NULL, en->company, "chat");
			if (terminal)
				puts("-- a new conversation");
			continue;
		}
		if (terminal && (strcmp(line.s, "/quit") == 0 || strcmp(line.s, "/help") == 0)) {
			if (line.s[1] == 'q')
				break;
			puts("Type what the customer says. /new starts over, /quit or C-d ends, C-c stops a reply.");
			continue;
		}
		if (terminal)
			fputs("   reply> ", stdout);
		atomic_store(&cancel, false);
		storekeeper_message(k, id, en->from, "typed", line.s, line.len, NULL, 0);
		if (talk_add(t, en->from, line.s, line.len, &e) < 0 ||
		    talk_reply(t, en->as, &en->opts, &r, &e) < 0) {
			code = cli_failed(&e);
			break;
		}
		if (!terminal)
			for (size_t i = 0; i < r.text.len; i++)
				if (r.text.s[i] == '\n' || r.text.s[i] == '\r')
					r.text.s[i] = ' ';
		storekeeper_message(k, id, en->as, "model", r.text.s, r.text.len, en->version, r.ms);
		settle(k);
		if (!terminal)
			fwrite(r.text.s, 1, r.text.len, stdout);
		puts(r.cancelled ? " [stopped]" : "");
		fflush(stdout);
		if (talk_add(t, en->as, r.text.s, r.text.len, &e) < 0)
			code = cli_failed(&e);
		talk_reply_free(&r);
	}
	if (terminal)
		putchar('\n');
	str_free(&line);
	talk_free(t);
	return code;
}

static void say_retained(const char *text, void *arg)
{
	(void)arg;
	fprintf(stderr, "answerback: %s\n", text);
}

static int run(struct cli_args *a)
{
	const bool terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	struct err e = ERR_INIT;
	struct storekeeper *k;
	struct engine en;
	int code;

	if (a->n > 0)
		return cli_usage(a, "'%s'? Messages are read from standard input; `answerback reply TEXT` answers one",
		                 a->operands[0]);
	if (terminal && !cli_flag(a, "plain")) {
		const struct ui_options o = {
			.model = cli_string(a, "model", NULL), .company = config_text(CONFIG_COMPANY),
			.send_command = config_text(CONFIG_SEND_COMMAND), .inbox = config_text(CONFIG_INBOX),
			.train_log = cli_string(a, "watch", NULL), .assist = config_yes(CONFIG_ASSIST),
		};

		code = ui_run(&o, &e);
		if (code < 0)
			return cli_failed(&e);
		if (code != UI_NO_SCREEN)
			return CLI_OK;
	}
	if (engine_open(&en, a, &e) < 0)
		return cli_failed(&e);
	if (terminal) {
		/* no SA_RESTART: C-c at the prompt ends the wait */
		struct sigaction sa = { .sa_handler = on_interrupt };

		sigaction(SIGINT, &sa, NULL);
		printf("Answerback. Type as the customer; /help for help, C-d to quit.\n");
	}
	/* a store that cannot be had is said, and no reason not to answer */
	if (storekeeper_start(&k, NULL, &e) < 0) {
		fprintf(stderr, "answerback: nothing will be kept: %s\n", e.msg);
		config_override(CONFIG_PRIVATE, "yes", "no store", NULL);
		if (storekeeper_start(&k, NULL, &e) < 0)
			return cli_failed(&e);
	} else if (storekeeper_private(k)) {
		fprintf(stderr, "private: nothing of this is kept\n");
	}
	storekeeper_retain(k, (int)config_number(CONFIG_RETENTION_DAYS), say_retained, NULL);
	code = chat(&en, k, terminal);
	storekeeper_stop(k);
	engine_close(&en);
	return code;
}

const struct cli_command cmd_chat = {
	"chat", "talk with the model, a line at a time", "[OPTION...]", options, run,
	"In a pipe: customer messages in, one a line, replies out; a blank line starts a new conversation."
};
