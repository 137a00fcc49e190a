/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cmd_stats: figures by week and by model version. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "commands.h"
#include "engine.h"
#include "store_stats.h"

static const struct cli_option options[] = {
	{ "weeks", 0, "N", CLI_LONG, "the last N weeks (default 12; 0: all time)", 0, 10000 },
	CLI_OPTION_JSON,
	CLI_OPTION_END
};

static const char *const names[] = { "all", "week", "model" };

static void as_json(const struct store_figures *f, void *arg)
{
	json_t *origins = json_object(), *o;
	char *text;

	(void)arg;
	for (size_t i = 0; i < STORE_ORIGIN_COUNT; i++)
		if (f->by_origin[i])
			json_object_set_new(origins, store_origins[i], json_integer(f->by_origin[i]));
	o = json_pack("{s:s, s:s, s:I, s:I, s:I, s:o, s:{s:I, s:I, s:I, s:I}, s:{s:I, s:I, s:I, s:I}, s:I, s:{s:f, s:f, s:f}}",
		"of", names[f->of], "label", f->label, "conversations", (json_int_t)f->conversations,
		"messages", (json_int_t)f->messages, "replies", (json_int_t)f->replies, "origins", origins,
		"suggestions", "shown", (json_int_t)f->suggestions, "taken", (json_int_t)f->suggestions_taken,
		"edited", (json_int_t)f->suggestions_edited, "ignored", (json_int_t)f->suggestions_ignored,
		"completions", "shown", (json_int_t)f->completions, "taken", (json_int_t)f->completions_taken,
		"words", (json_int_t)f->completions_words, "ignored", (json_int_t)f->completions_ignored,
		"characters_saved", (json_int_t)f->chars, "median_ms", "reply", engine_round(f->reply_ms, 1e-3),
		"suggestion", engine_round(f->suggestion_ms, 1e-3), "completion", engine_round(f->completion_ms, 1e-3));
	text = json_dumps(o, JSON_REAL_PRECISION(9));
	puts(text ? text : "{}");
	free(text);
	json_decref(o);
}

static void line(const char *label, const struct store_figures *f)
{
	printf("%-16s %8lld %8lld %8lld  %8lld %6lld %6lld  %8lld %6lld %8lld %8.0f\n", label, (long long)f->conversations,
	       (long long)f->messages, (long long)f->replies, (long long)f->suggestions, (long long)f->suggestions_taken,
	       (long long)f->suggestions_edited, (long long)f->completions,
	       (long long)(f->completions_taken + f->completions_words), (long long)f->chars, f->reply_ms);
}

static void as_text(const struct store_figures *f, void *arg)
{
	int *last = arg;

	if (f->of == STORE_FIGURES_ALL) {
		printf("replies by origin:");
		for (size_t i = 0; i < STORE_ORIGIN_COUNT; i++)
			if (f->by_origin[i])
				printf(" %s %lld", store_origins[i], (long long)f->by_origin[i]);
		printf("\nmedian ms: reply %.0f, suggestion %.0f, completion %.1f\n", f->reply_ms, f->suggestion_ms, f->completion_ms);
		return;
	}
	if (*last != (int)f->of)
		printf("\n%-16s %8s %8s %8s  %8s %6s %6s  %8s %6s %8s %8s\n", f->of == STORE_FIGURES_WEEK ? "week of" : "model", "convers.",
		       "messages", "replies", "suggest.", "taken", "edited", "complet.", "taken", "chars", "reply ms");
	*last = (int)f->of;
	line(f->label, f);
}

static int run(struct cli_args *a)
{
	struct err e = ERR_INIT;
	struct store *s;
	int last = 0, rc;

	if (a->n > 0)
		return cli_usage(a, "'%s'? It takes options only", a->operands[0]);
	rc = store_open(&s, NULL, STORE_READ_ONLY, &e);
	if (rc == 0)
		rc = store_stats(s, (int)cli_long(a, "weeks", 12), cli_flag(a, "json") ? as_json : as_text, &last, &e);
	store_close(s);
	return rc < 0 ? cli_failed(&e) : CLI_OK;
}

const struct cli_command cmd_stats = {
	"stats", "what was said, what was proposed, and what became of it", "[OPTION...]", options, run,
	"By week (from Monday on) and by model version. Of completions taken, some may have been taken in part; chars are\n"
	"characters of completions and suggestions that need not be typed. ANSWERBACK_PRIVATE's runs are in no figure."
};
