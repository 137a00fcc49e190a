/* SPDX-License-Identifier: GPL-3.0-or-later */
/* corpus_options: the sources there are, and what the command line wants of them. */
#ifndef ANSWERBACK_CORPUS_OPTIONS_H
#define ANSWERBACK_CORPUS_OPTIONS_H

#include "corpus_tool.h"

enum corpus_kind { DIALOGUE, CHITCHAT, INTENTS, CUSTOMER_ONLY, SCENARIOS, PROSE };

/* Weight: the share of the source that goes into the mix; over 1, every conversation that
 * many times (each time with another company name and other noise). */
struct corpus_source {
	const char *name, *train, *valid;
	enum corpus_kind kind;
	double weight;
	size_t valid_max;
	corpus_cleaner *clean;
};
enum { SOURCES = 15 };
extern const struct corpus_source corpus_sources[SOURCES];

struct corpus_options {
	const char *root, *scenarios, *replies, *out, *valid;
	uint64_t seed;
	size_t each, alternatives;
	double user_weight, reply_weight, join, openings;
	double weight[SOURCES];
	bool wanted[SOURCES], named[SOURCES], stats;
};

/* Ends the program with what is wrong, or with the help that was asked for. */
void corpus_parse_options(struct corpus_options *o, int argc, char **argv);

#endif
