/* SPDX-License-Identifier: GPL-3.0-or-later */
/* engine: what the commands that answer have in common: which model, which company, which
 * roles, how to decode, and reading messages from arguments or standard input. */
#ifndef ANSWERBACK_ENGINE_H
#define ANSWERBACK_ENGINE_H

#include "cli.h"
#include "talk.h"

/* For the option tables. */
#define ENGINE_OPTION_COMPANY \
	{ "company", 0, "NAME", CLI_STRING, "what the company is called (default: the setting company)", 0, 0 }
#define ENGINE_OPTION_AS \
	{ "as", 0, "TAG", CLI_STRING, "role to answer as (default: the model's second)", 0, 0 }
#define ENGINE_OPTION_FROM \
	{ "from", 0, "TAG", CLI_STRING, "role of the messages (default: the model's first)", 0, 0 }
#define ENGINE_OPTIONS_DECODE \
	{ "beam", 0, "N", CLI_LONG, "width of the beam (default 8; 1: greedy)", 1, DECODE_MAX_BEAM }, \
	{ "length-penalty", 0, "X", CLI_DOUBLE, "of beams: above 0 favours longer replies (default 0.6)", 0, 5 }, \
	{ "sample", 0, NULL, CLI_FLAG, "draw pieces at random instead of taking the likeliest", 0, 0 }, \
	{ "temperature", 0, "X", CLI_DOUBLE, "of sampling (default 1)", 0, 10 }, \
	{ "top-k", 0, "N", CLI_LONG, "of sampling: the N likeliest pieces only", 0, 65536 }, \
	{ "top-p", 0, "P", CLI_DOUBLE, "of sampling: the likeliest pieces that make up P (default 1)", 0.01, 1 }, \
	{ "seed", 0, "N", CLI_LONG, "of sampling: the same seed gives the same reply (default 1)", 0, 9e15 }, \
	{ "min-tokens", 0, "N", CLI_LONG, "pieces of a reply, at least (default 0)", 0, 10000 }, \
	{ "max-tokens", 0, "N", CLI_LONG, "pieces of a reply, at most (default 160)", 1, 10000 }, \
	{ "no-repeat", 0, "N", CLI_LONG, "no run of N pieces twice in a reply (default 4; 0: off)", 0, 64 }, \
	{ "rerank", 0, "X", CLI_DOUBLE, "choose among beams by how well they answer the message (default 0.3; 0: off)", 0, 1 }

struct engine {
	struct model *m;
	char *version;            /* what the model is called (registry.h) */
	const char *company;      /* NULL: not set */
	const char *as, *from;    /* roles; live as long as m */
	struct talk_opts opts;
};

/* Load the model (--model, ...) and read the options that are in the command's table. */
int engine_open(struct engine *en, struct cli_args *a, struct err *e);
void engine_close(struct engine *en);

/* All roles of the model, for reading files (struct chatfile_opts); they live as long as it does. */
void engine_tags(const struct engine *en, const char *tags[TOKENIZER_MAX_TAGS + 1]);
/* The first line of a chat file as a conversation. */
int engine_context(const struct engine *en, const char *path, struct chat *c, struct err *e);

/* Two numbers of every answer, rounded alike everywhere. */
double engine_round(double x, double unit);

#endif
