/* SPDX-License-Identifier: GPL-3.0-or-later */
/* corpus_options: the table of sources, and the command line. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "corpus_options.h"

const struct corpus_source corpus_sources[SOURCES] = {
	{ "cucom", "dialogue/cucom.train.jsonl.xz", "dialogue/cucom.valid.jsonl.xz", DIALOGUE, 1.0, 300, corpus_clean_cucom },
	{ "star", "dialogue/star.train.jsonl.xz", "dialogue/star.valid.jsonl.xz", DIALOGUE, 0.35, 40, corpus_clean_star },
	{ "sgd", "dialogue/sgd.train.jsonl.xz", "dialogue/sgd.valid.jsonl.xz", DIALOGUE, 0.20, 40, corpus_clean_sgd },
	{ "multiwoz21", "dialogue/multiwoz21_valtest.train.jsonl.xz", "dialogue/multiwoz21_valtest.valid.jsonl.xz",
	  DIALOGUE, 0.5, 30, corpus_clean_multiwoz },
	{ "taskmaster4_coffee", "dialogue/taskmaster4_coffee.train.jsonl.xz", "dialogue/taskmaster4_coffee.valid.jsonl.xz",
	  DIALOGUE, 0.5, 40, corpus_clean_nothing },
	{ "dstc9_faq", "dialogue/dstc9_faq.train.jsonl.xz", "dialogue/dstc9_faq.valid.jsonl.xz", DIALOGUE, 0.25, 40,
	  corpus_clean_nothing },
	{ "tau_bench", "dialogue/tau_bench.train.jsonl.xz", NULL, DIALOGUE, 1.0, 0, corpus_clean_tau },
	{ "ms_chitchat", "dialogue/ms_chitchat.train.jsonl.xz", NULL, CHITCHAT, 1.0, 0, corpus_clean_chitchat },
	/* a customer's turns run together without punctuation: teaches bad habits, so out by default */
	{ "multidogo", "customer_turns/multidogo.jsonl.xz", NULL, CUSTOMER_ONLY, 0.0, 0, corpus_clean_nothing },
	{ "banking77", "intents/banking77.train.jsonl.xz", NULL, INTENTS, 1.0, 0, NULL },
	{ "clinc150", "intents/clinc150.train.jsonl.xz", "intents/clinc150.valid.jsonl.xz", INTENTS, 1.0, 60, NULL },
	{ "bitext-intent-8k", "intents/bitext-intent-8k.train.jsonl.xz", "intents/bitext-intent-8k.valid.jsonl.xz",
	  INTENTS, 1.0, 60, NULL },
	{ "bitext-intent-20k", "intents/bitext-intent-20k.train.jsonl.xz", NULL, INTENTS, 0.5, 0, NULL },
	{ "scenarios", NULL, NULL, SCENARIOS, 1.0, 0, NULL },
	/* for the writing desk, with a role of its own; only where it is asked for */
	{ "prose", "text", NULL, PROSE, 0.0, 0, NULL },
};

static const char usage_text[] =
	"usage: corpus --root DIR --scenarios DIR --replies DIR --out OUT.jsonl [options]\n"
	"Mixes public corpora and written texts into chat JSONL for training.\n"
	"  --root DIR          folder of the corpora (holds dialogue/, intents/, customer_turns/)\n"
	"  --scenarios DIR     conversation templates and slots.json\n"
	"  --replies DIR       replies to intents\n"
	"  --out FILE          what to write\n"
	"  --valid FILE        also write validation conversations there\n"
	"  --seed N            (1)\n"
	"  --each N            conversations a template (300)\n"
	"  --alternatives N    of the replies written for one place, only the first N (0: all)\n"
	"  --user-weight X     how much customers' turns count in training (1)\n"
	"  --reply-weight X    and the replies written for the project (1)\n"
	"  --join X            chance of one short conversation to go on with another (0)\n"
	"  --openings X        besides, so many beginnings of each written conversation: first message, first words of the reply (0)\n"
	"  --only NAME,...     only these sources\n"
	"  --weight NAME=X,... share of a source to take; over 1 repeats it\n"
	"  --stats             print what came in, what went out and why\n";

static size_t find_source(const char *name, size_t n)
{
	for (size_t i = 0; i < SOURCES; i++)
		if (strlen(corpus_sources[i].name) == n && memcmp(corpus_sources[i].name, name, n) == 0)
			return i;
	fprintf(stderr, "corpus: no source is called \"%.*s\"; there are:", (int)n, name);
	for (size_t i = 0; i < SOURCES; i++)
		fprintf(stderr, " %s", corpus_sources[i].name);
	fprintf(stderr, "\n");
	exit(2);
}

static void parse_only(struct corpus_options *o, const char *arg)
{
	for (size_t i = 0; i < SOURCES; i++)
		o->wanted[i] = false;
	for (const char *p = arg; *p;) {
		size_t n = strcspn(p, ","), i = find_source(p, n);

		o->wanted[i] = o->named[i] = true;
		p += n + (p[n] == ',');
	}
}

static void parse_weights(struct corpus_options *o, const char *arg)
{
	for (const char *p = arg; *p;) {
		size_t n = strcspn(p, ",="), i = find_source(p, n);
		char *end;

		o->weight[i] = p[n] == '=' ? strtod(p + n + 1, &end) : -1.0;
		if (p[n] != '=' || end == p + n + 1 || (*end && *end != ',') || !(o->weight[i] >= 0 && o->weight[i] <= 100)) {
			fprintf(stderr, "corpus: --weight wants NAME=X with X from 0 to 100, not \"%s\"\n", p);
			exit(2);
		}
		p = end + (*end == ',');
	}
}

static unsigned long long parse_count(const char *option, const char *arg)
{
	char *end;
	unsigned long long v = strtoull(arg, &end, 10);

	if (*arg < '0' || *arg > '9' || *end) {
		fprintf(stderr, "corpus: %s wants a whole number, not \"%s\"\n", option, arg);
		exit(2);
	}
	return v;
}

static double parse_factor(const char *option, const char *arg)
{
	char *end;
	double v = strtod(arg, &end);

	if (end == arg || *end || !(v >= 0 && v <= 10)) {
		fprintf(stderr, "corpus: %s wants a number from 0 to 10, not \"%s\"\n", option, arg);
		exit(2);
	}
	return v;
}

void corpus_parse_options(struct corpus_options *o, int argc, char **argv)
{
	static const struct option table[] = {
		{ "root", 1, NULL, 'r' }, { "scenarios", 1, NULL, 'c' }, { "replies", 1, NULL, 'p' }, { "out", 1, NULL, 'o' },
		{ "valid", 1, NULL, 'v' }, { "seed", 1, NULL, 's' }, { "each", 1, NULL, 'e' },
		{ "alternatives", 1, NULL, 'a' }, { "user-weight", 1, NULL, 'U' },
		{ "reply-weight", 1, NULL, 'R' }, { "join", 1, NULL, 'j' }, { "openings", 1, NULL, 'O' }, { "only", 1, NULL, 'n' },
		{ "weight", 1, NULL, 'w' }, { "stats", 0, NULL, 't' }, { "help", 0, NULL, 'h' }, { NULL, 0, NULL, 0 }
	};
	int c;

	for (size_t i = 0; i < SOURCES; i++) {
		o->weight[i] = corpus_sources[i].weight;
		o->wanted[i] = true;
	}
	while ((c = getopt_long(argc, argv, "", table, NULL)) != -1) {
		switch (c) {
		case 'r': o->root = optarg; break;
		case 'c': o->scenarios = optarg; break;
		case 'p': o->replies = optarg; break;
		case 'o': o->out = optarg; break;
		case 'v': o->valid = optarg; break;
		case 's': o->seed = parse_count("--seed", optarg); break;
		case 'e': o->each = (size_t)parse_count("--each", optarg); break;
		case 'a': o->alternatives = (size_t)parse_count("--alternatives", optarg); break;
		case 'U': o->user_weight = parse_factor("--user-weight", optarg); break;
		case 'R': o->reply_weight = parse_factor("--reply-weight", optarg); break;
		case 'O': o->openings = parse_factor("--openings", optarg); break;
		case 'j': o->join = parse_factor("--join", optarg); break;
		case 'n': parse_only(o, optarg); break;
		case 'w': parse_weights(o, optarg); break;
		case 't': o->stats = true; break;
		case 'h': fputs(usage_text, stdout); exit(0);
		default: fputs(usage_text, stderr); exit(2);
		}
	}
	if (optind != argc || !o->root || !o->scenarios || !o->replies || !o->out) {
		fputs(usage_text, stderr);
		exit(2);
	}
	if (o->each == 0 || o->each > 100000) {
		fprintf(stderr, "corpus: --each wants 1 to 100000\n");
		exit(2);
	}
}
