/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cmd_eval: `answerback eval`: a model measured on conversations. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "commands.h"
#include "config.h"
#include "engine.h"
#include "eval_completion.h"
#include "eval_memory.h"
#include "eval_facts.h"
#include "evaluate.h"

static const struct cli_option options[] = {
	CLI_OPTION_MODEL,
	CLI_OPTION_JSON,
	{ "limit", 0, "N", CLI_LONG, "the first N conversations only", 1, 1e9 },
	{ "per-turn", 0, "FILE", CLI_STRING, "also write bits, characters and the reply of every turn", 0, 0 },
	{ "likelihood", 0, NULL, CLI_FLAG, "likelihoods only: skip replies, ranking and next words", 0, 0 },
	{ "threads", 0, "N", CLI_LONG, "worker threads (default: the setting threads, else processors)", 1, 256 },
	{ "seed", 0, "N", CLI_LONG, "of what is drawn at random (default 1)", 0, 9e15 },
	EVAL_COMPLETION_OPTIONS,
	EVAL_MEMORY_OPTIONS,
	EVAL_FACTS_OPTIONS,
	ENGINE_OPTION_AS,
	ENGINE_OPTION_FROM,
	ENGINE_OPTION_COMPANY,
	CLI_OPTION_END
};

static void warn(const char *message, void *arg)
{
	(void)arg;
	fprintf(stderr, "answerback: %s\n", message);
}

/* A pass over a dialogue holds the states of all its pieces: a message of a megabyte would take gigabytes. */
enum { MESSAGE_BYTES = 16000, DIALOGUE_BYTES = 128000 };

static void shorten(struct corpus *c)
{
	for (size_t d = 0; d < c->n; d++) {
		struct chat *k = &c->chat[d];
		const size_t had = k->n;
		size_t bytes = 0;

		for (size_t i = 0; i < k->n; i++) {
			struct chat_message *m = &k->messages[i];

			if (m->len > MESSAGE_BYTES) {
				fprintf(stderr, "answerback: conversation %zu, message %zu has %zu bytes: its first %d are judged\n", d + 1, i + 1,
				        m->len, MESSAGE_BYTES);
				for (m->len = MESSAGE_BYTES; m->len > 0 && ((unsigned char)m->content[m->len] & 0xc0) == 0x80;)
					m->len--;
				m->content[m->len] = '\0';
			}
			bytes += m->len;
			if (bytes > DIALOGUE_BYTES && i > 1) {
				for (size_t r = i; r < k->n; r++) {
					free(k->messages[r].role);
					free(k->messages[r].content);
				}
				k->n = i;
			}
		}
		if (k->n < had)
			fprintf(stderr, "answerback: conversation %zu: its first %zu messages of %zu are judged (%d bytes)\n", d + 1, k->n, had,
			        DIALOGUE_BYTES);
	}
}

static json_t *to_json(const struct evaluate_result *r, bool fast)
{
	json_t *o = json_pack("{s:f, s:f, s:f, s:f, s:f, s:f}", "bits_per_char", r->bits_per_char,
	                      "bits_per_char_int8", r->bits_per_char_int8, "int8_change", r->int8_change,
	                      "bits_per_char_raw", r->bits_per_char_raw,
	                      "user_bits_per_char", r->user_bits_per_char, "perplexity_word", r->perplexity_word);
	json_t *counts = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:f}",
	                           "conversations", (json_int_t)r->conversations, "turns", (json_int_t)r->turns,
	                           "user_turns", (json_int_t)r->user_turns, "pieces", (json_int_t)r->pieces,
	                           "chars", (json_int_t)r->chars, "user_chars", (json_int_t)r->user_chars,
	                           "words", (json_int_t)r->words, "bits", r->bits, "bits_raw", r->raw_bits,
	                           "user_bits", r->user_bits);

	json_object_set_new(o, "bits_per_char_mixed", r->mixed ? json_real(r->bits_per_char_mixed) : json_null());
	if (!fast) {
		json_t *more = json_pack("{s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f}", "bleu", r->bleu, "chrf", r->chrf,
		                         "distinct1", r->distinct1, "distinct2", r->distinct2,
		                         "distinct1_reference", r->distinct1_reference,
		                         "distinct2_reference", r->distinct2_reference,
		                         "different_replies", r->different_replies, "shared_by_four", r->shared_by_four);

		json_object_update(o, more);
		json_decref(more);
		more = json_pack("{s:f, s:f, s:f, s:f, s:f, s:f}", "recall1_of_100", r->recall1_of_100,
		                 "context_gain", r->context_gain, "em1", r->em1, "em3", r->em3,
		                 "precision_at_25", r->precision_at_25, "precision_at_40", r->precision_at_40);
		json_object_update(o, more);
		json_decref(more);
		json_object_set_new(counts, "recall_cases", json_integer((json_int_t)r->recall_cases));
		json_object_set_new(counts, "context_gain_pieces", json_integer((json_int_t)r->gain_pieces));
		json_object_set_new(counts, "boundaries", json_integer((json_int_t)r->boundaries));
	}
	json_object_set_new(o, "counts", counts);
	return o;
}

static void print(const struct evaluate_result *r, bool json, bool fast)
{
	json_t *o = to_json(r, fast), *v;
	const char *key;
	char *text;

	if (json) {
		text = json_dumps(o, JSON_REAL_PRECISION(8));
		puts(text);
		free(text);
	} else {
		json_object_foreach(o, key, v) {
			text = json_dumps(v, JSON_ENCODE_ANY | JSON_REAL_PRECISION(5));
			printf("%-20s %s\n", key, text);
			free(text);
		}
	}
	json_decref(o);
}

static int run(struct cli_args *a)
{
	const size_t limit = (size_t)cli_long(a, "limit", 0);
	const struct chatfile_opts files = { .warn = warn };
	struct evaluate_result r;
	struct evaluate_opts o;
	struct corpus c = { 0 };
	struct err e = ERR_INIT;
	struct engine en;
	int rc = 0;

	if (a->n == 0)
		return cli_usage(a, "say which conversations (.jsonl, .jsonl.xz or -)");
	if (cli_flag(a, "memory"))
		return eval_memory(a);
	if (engine_open(&en, a, &e) < 0)
		return cli_failed(&e);
	if (cli_flag(a, "facts")) {
		rc = eval_facts(a, &en);
		engine_close(&en);
		return rc;
	}
	for (size_t i = 0; rc == 0 && i < a->n; i++)
		rc = corpus_read(&c, a->operands[i], &files, limit, &e);
	shorten(&c);
	if (rc == 0 && (cli_flag(a, "completion") || cli_flag(a, "writers"))) {
		const size_t threads = config_threads();

		rc = cli_flag(a, "completion") ? eval_completion(a, &en, &c, threads) : eval_writers(a, &en, &c, threads);
		corpus_free(&c);
		engine_close(&en);
		return rc;
	}
	evaluate_opts_default(&o);
	o.company = en.company;
	o.as = en.as;
	o.from = en.from;
	o.threads = config_threads();
	o.seed = (uint64_t)cli_long(a, "seed", 1);
	o.fast = cli_flag(a, "likelihood");
	if (rc == 0 && cli_given(a, "per-turn")) {
		o.per_turn = fopen(cli_string(a, "per-turn", NULL), "w");
		if (!o.per_turn)
			rc = err_set(&e, ERR_IO, "%s cannot be written: %m", cli_string(a, "per-turn", NULL));
	}
	if (rc == 0)
		rc = evaluate(en.m, &c, &o, &r, &e);
	if (o.per_turn && fclose(o.per_turn) != 0 && rc == 0)
		rc = err_set(&e, ERR_IO, "%s could not be written to its end: %m", cli_string(a, "per-turn", NULL));
	if (rc == 0)
		print(&r, cli_flag(a, "json"), o.fast);
	corpus_free(&c);
	engine_close(&en);
	return rc < 0 ? cli_failed(&e) : CLI_OK;
}

const struct cli_command cmd_eval = {
	"eval", "measure a model on conversations", "[OPTION...] FILE...", options, run,
	"bits_per_char: of the answering role's turns, end of turn included, over characters of the original\n"
	"text, in full precision; _raw without placeholders, _int8 as served in 8 bits, int8_change relative to\n"
	"full precision, _mixed with the n-grams beside the model, weighed as in completion. context_gain: nats a piece lost when the context is another\n"
	"conversation's. BLEU and chrF run from 0 to 100, shares from 0 to 1."
};
