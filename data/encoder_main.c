/* SPDX-License-Identifier: GPL-3.0-or-later */
/* encoder: makes data/encoder.safetensors; see encoder_tool.h and encoder.sh. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../src/base/mem.h"
#include "encoder_tool.h"

static const char usage_text[] =
	"usage: encoder --root DIR --wordings DIR --scenarios DIR --wordnet DIR --out FILE [options]\n"
	"Trains the encoder of the memory on groups of texts that mean the same.\n"
	"  --root DIR          folder of the corpora (holds dialogue/, intents/, translate/)\n"
	"  --wordings DIR      ask.jsonl, things.json, words.jsonl\n"
	"  --scenarios DIR     conversation templates and slots.json\n"
	"  --wordnet DIR       WordNet's data files (/usr/share/wordnet)\n"
	"  --out FILE          what to write\n"
	"  --minutes X         of processor time (20)\n"
	"  --steps N           instead of minutes: the same bits on every run\n"
	"  --seed N            (1)\n"
	"  --things N          things that each written question is asked about (40)\n"
	"  --share NAME=X,...  share of a source in the batches\n"
	"  --words N, --grams N, --pairs N, --cluster N, --rate X, --temperature X, --words-temperature X\n";

const char *const encoder_source_names[SOURCE_COUNT] = {
	"ask", "ask-it", "words", "scenarios", "banking77", "clinc150", "bitext-20k", "bitext-8k", "tatoeba", "tatoeba-fr", "answers", "customers", "wordnet"
};
static const double default_share[SOURCE_COUNT] = { 0.25, 0.07, 0.05, 0.06, 0.10, 0.08, 0.04, 0.03, 0.09, 0.09, 0.03, 0.02, 0.12 };

void encoder_groups_free(struct encoder_groups *g)
{
	for (size_t i = 0; i < g->n; i++) {
		for (size_t k = 0; k < g->v[i].n; k++)
			free(g->v[i].text[k]);
		free(g->v[i].text);
	}
	free(g->v);
	*g = (struct encoder_groups){ 0 };
}

struct encoder_group *encoder_groups_add(struct encoder_groups *g, enum encoder_source source)
{
	if (g->n == g->cap) {
		g->cap = g->cap ? g->cap * 2 : 4096;
		g->v = xreallocarray(g->v, g->cap, sizeof(*g->v));
	}
	g->v[g->n] = (struct encoder_group){ .source = source, .made = source <= SOURCE_SCENARIOS };
	return &g->v[g->n++];
}

void encoder_group_text(struct encoder_group *g, const char *text)
{
	if (!*text)
		return;
	/* room for 2, 4, 8 ... texts: full when n is a power of two */
	if ((g->n & (g->n - 1)) == 0)
		g->text = xreallocarray(g->text, g->n ? g->n * 2 : 1, sizeof(*g->text));
	g->text[g->n++] = xstrdup(text);
}

/* Every 40th group of a source, for measuring; groups without a text are taken out. */
static void hold_out(struct encoder_groups *g)
{
	size_t seen[SOURCE_COUNT] = { 0 }, n = 0;

	for (size_t i = 0; i < g->n; i++) {
		if (g->v[i].n == 0) {
			free(g->v[i].text);
			continue;
		}
		g->v[n] = g->v[i];
		g->v[n].held_out = seen[g->v[n].source]++ % 40 == 39;
		n++;
	}
	g->n = n;
}

static void print_line(void *arg, const char *line)
{
	(void)arg;
	puts(line);
	fflush(stdout);
}

static int fail(const char *message)
{
	fprintf(stderr, "encoder: %s\n", message);
	return 1;
}

/* "ask=0.3,words=0"; false: no such source or number. */
static bool read_shares(struct encoder_train_opts *o, const char *text)
{
	while (*text) {
		const size_t n = strcspn(text, "=");
		char *end;
		bool known = false;

		if (!text[n])
			return false;
		for (size_t i = 0; i < SOURCE_COUNT; i++)
			if (strlen(encoder_source_names[i]) == n && memcmp(encoder_source_names[i], text, n) == 0) {
				o->share[i] = strtod(text + n + 1, &end);
				known = end > text + n + 1 && o->share[i] >= 0;
			}
		if (!known)
			return false;
		text = *end == ',' ? end + 1 : end;
		if (*end && *end != ',')
			return false;
	}
	return true;
}

static char *make_notes(const struct encoder_train_opts *o, const struct encoder_groups *g)
{
	size_t groups[SOURCE_COUNT] = { 0 }, texts[SOURCE_COUNT] = { 0 };
	struct str s = STR_INIT;

	for (size_t i = 0; i < g->n; i++) {
		groups[g->v[i].source]++;
		texts[g->v[i].source] += g->v[i].n;
	}
	str_addf(&s, "{\"minutes\": %g, \"steps\": %zu, \"seed\": %llu, \"pairs\": %zu, \"cluster\": %zu, \"sources\": {", o->minutes, o->steps,
	         (unsigned long long)o->seed, o->pairs, o->cluster);
	for (size_t i = 0; i < SOURCE_COUNT; i++)
		str_addf(&s, "%s\"%s\": {\"share\": %g, \"groups\": %zu, \"texts\": %zu}", i ? ", " : "", encoder_source_names[i], o->share[i],
		         groups[i], texts[i]);
	str_adds(&s, "}}");
	return str_detach(&s);
}

int main(int argc, char **argv)
{
	enum { ROOT = 1, WORDINGS, SCENARIOS, WORDNET, OUT, MINUTES, STEPS, SEED, THINGS, SHARE, WORDS, GRAMS, PAIRS, CLUSTER, RATE, TEMP, WTEMP, HELP };
	static const struct option options[] = {
		{ "root", 1, NULL, ROOT }, { "wordings", 1, NULL, WORDINGS }, { "scenarios", 1, NULL, SCENARIOS }, { "wordnet", 1, NULL, WORDNET }, { "out", 1, NULL, OUT },
		{ "minutes", 1, NULL, MINUTES }, { "steps", 1, NULL, STEPS }, { "seed", 1, NULL, SEED }, { "things", 1, NULL, THINGS },
		{ "share", 1, NULL, SHARE }, { "words", 1, NULL, WORDS }, { "grams", 1, NULL, GRAMS }, { "pairs", 1, NULL, PAIRS },
		{ "cluster", 1, NULL, CLUSTER }, { "rate", 1, NULL, RATE }, { "temperature", 1, NULL, TEMP },
		{ "words-temperature", 1, NULL, WTEMP }, { "help", 0, NULL, HELP }, { NULL, 0, NULL, 0 }
	};
	const char *root = NULL, *wordings = NULL, *scenarios = NULL, *wordnet = NULL, *out = NULL;
	struct encoder_groups g = { 0 };
	struct encoder_train_opts o;
	struct encoder_vary *vary = NULL;
	struct err e = ERR_INIT;
	size_t things = 40;
	struct rng r;
	char *notes;
	int c, rc;

	encoder_train_opts_default(&o);
	o.save_every = 500;
	memcpy(o.share, default_share, sizeof(default_share));
	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1)
		switch (c) {
		case ROOT: root = optarg; break;
		case WORDINGS: wordings = optarg; break;
		case SCENARIOS: scenarios = optarg; break;
		case WORDNET: wordnet = optarg; break;
		case OUT: out = optarg; break;
		case MINUTES: o.minutes = atof(optarg); break;
		case STEPS: o.steps = strtoul(optarg, NULL, 10); o.minutes = 0; break;
		case SEED: o.seed = strtoull(optarg, NULL, 10); break;
		case THINGS: things = strtoul(optarg, NULL, 10); break;
		case SHARE:
			if (!read_shares(&o, optarg))
				return fail("--share wants NAME=X,... with names of sources"), 2;
			break;
		case WORDS: o.words = strtoul(optarg, NULL, 10); break;
		case GRAMS: o.grams = strtoul(optarg, NULL, 10); break;
		case PAIRS: o.pairs = strtoul(optarg, NULL, 10); break;
		case CLUSTER: o.cluster = strtoul(optarg, NULL, 10); break;
		case RATE: o.rate = atof(optarg); break;
		case TEMP: o.temperature = atof(optarg); break;
		case WTEMP: o.words_temperature = atof(optarg); break;
		default: fputs(usage_text, c == HELP || c == 'h' ? stdout : stderr); return c == HELP || c == 'h' ? 0 : 2;
		}
	if (!root || !wordings || !scenarios || !wordnet || !out || optind < argc || o.words < 1 || o.grams < 1 || o.pairs < 2 || o.cluster < 1 ||
	    o.rate <= 0 || o.temperature <= 0 || o.words_temperature <= 0 || (o.minutes <= 0 && o.steps == 0)) {
		fputs(usage_text, stderr);
		return 2;
	}
	rng_seed(&r, o.seed);
	rc = encoder_vary_open(&vary, wordings, &e);
	if (rc == 0)
		rc = encoder_add_wordings(&g, wordings, things, &r, &e);
	if (rc == 0)
		rc = encoder_add_scenarios(&g, scenarios, &r, &e);
	if (rc == 0)
		rc = encoder_add_corpora(&g, root, &r, &e);
	if (rc == 0)
		rc = encoder_add_wordnet(&g, wordnet, &e);
	if (rc == 0) {
		hold_out(&g);
		notes = make_notes(&o, &g);
		puts(notes);
		o.vary = encoder_vary_text;
		o.vary_arg = vary;
		o.report = print_line;
		rc = encoder_train(g.v, g.n, &o, out, notes, &e);
		free(notes);
	}
	encoder_vary_free(vary);
	encoder_groups_free(&g);
	return rc < 0 ? fail(e.msg) : 0;
}
