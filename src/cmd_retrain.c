/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cmd_retrain: `answerback retrain`. */
#include <jansson.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "config.h"
#include "../model/adapter.h"
#include "retrain.h"

static const struct cli_option retrain_options[] = {
	CLI_OPTION_MODEL,
	{ "minutes", 0, "X", CLI_DOUBLE, "budget (default: the setting retrain_minutes)", 0.01, 1e5 },
	{ "steps", 0, "N", CLI_LONG, "budget in steps instead: the same examples and seed give the same weights", 1, 1e6 },
	{ "threads", 0, "N", CLI_LONG, "worker threads (default: processors)", 1, 256 },
	{ "replay", 0, "N", CLI_LONG, "dialogues replayed from the model itself (default: 100 a minute, 40 to 1,500)", 0, 100000 },
	{ "lr", 0, "X", CLI_DOUBLE, "peak learning rate (default 0.0007; with --adapter 0.003)", 1e-7, 1 },
	{ "pull", 0, "X", CLI_DOUBLE, "weight of staying what it was on the replay (default 15)", 0, 1000 },
	{ "contrast", 0, "X", CLI_DOUBLE, "weight of right answers against others in their place (default 1; 0: off)", 0, 100 },
	{ "wordings", 0, "N", CLI_LONG, "made of each example, and as many look-alikes (default: 6 to 40)", 1, 1000 },
	{ "seed", 0, "N", CLI_LONG, "of wordings, replay and order (default 1)", 0, 9e15 },
	{ "base-bound", 0, "X", CLI_DOUBLE, "how much worse the base's likelihood may get (default 0.01: 1 %)", 0, 10 },
	{ "adapter", 0, NULL, CLI_FLAG, "low-rank factors on the shipped model: a small file that can be merged or taken off", 0, 0 },
	{ "rank", 0, "N", CLI_LONG, "of --adapter (default 8)", 1, ADAPTER_MAX_RANK },
	{ "onto", 0, "WHAT", CLI_STRING, "base: start from the shipped model, not from the version that serves", 0, 0 },
	{ "fresh", 0, NULL, CLI_FLAG, "do not go on with an interrupted run", 0, 0 },
	{ "keep", 0, "N", CLI_LONG, "versions left after publishing (default: the setting keep_models; 0: all)", 0, 10000 },
	{ "if-due", 0, NULL, CLI_FLAG, "only when the setting retrain_at asks for it (for cron)", 0, 0 },
	{ "company", 0, "NAME", CLI_STRING, "what the company is called (default: the setting company)", 0, 0 },
	{ "log", 0, "FILE", CLI_STRING, "write progress as JSON lines (the screen's /watch shows it)", 0, 0 },
	CLI_OPTION_JSON,
	CLI_OPTION_END
};

static atomic_int order;

/* The first C-c stops the run so that the next one goes on with it; the second ends the program. */
static void on_interrupt(int sig)
{
	if (atomic_exchange(&order, RETRAIN_QUIT) == RETRAIN_QUIT) {
		signal(sig, SIG_DFL);
		raise(sig);
	}
}

static void show(const char *text, double share, void *arg)
{
	(void)arg;
	fprintf(stderr, "%3.0f%%  %s\n", 100 * share, text);
}

static void print_json(const struct retrain_result *r)
{
	json_t *gate = json_array(), *o;
	char *text;

	for (size_t i = 0; i < r->checks; i++)
		json_array_append_new(gate, json_pack("{s:s, s:f, s:f, s:b, s:I, s:s}", "name", r->gate[i].name, "value", r->gate[i].value,
		                                      "bound", r->gate[i].bound, "ok", r->gate[i].ok, "cases",
		                                      (json_int_t)r->gate[i].cases, "detail", r->gate[i].detail));
	o = json_pack("{s:b, s:o, s:s, s:I, s:I, s:I, s:I, s:f}", "published", r->published, "gate", gate, "model", r->model, "examples",
	              (json_int_t)r->examples, "replayed", (json_int_t)r->replayed, "left_out",
	              (json_int_t)r->left_out, "steps", (json_int_t)r->steps, "seconds", r->seconds);
	text = json_dumps(o, JSON_REAL_PRECISION(6));
	puts(text ? text : "{}");
	free(text);
	json_decref(o);
}

static int run_retrain(struct cli_args *a)
{
	struct err e = ERR_INIT;
	struct retrain_options o;
	struct retrain_result r;

	if (a->n > 0)
		return cli_usage(a, "what is learned from is decided with `answerback review`, not given as '%s'", a->operands[0]);
	retrain_defaults(&o);
	o.model = cli_string(a, "model", NULL);
	o.minutes = cli_double(a, "minutes", o.minutes);
	o.steps = (size_t)cli_long(a, "steps", 0);
	o.threads = (size_t)cli_long(a, "threads", (long)o.threads);
	o.replay = (size_t)cli_long(a, "replay", (long)o.replay);
	o.lr = cli_double(a, "lr", o.lr);
	o.pull = cli_double(a, "pull", o.pull);
	o.contrast = cli_double(a, "contrast", o.contrast);
	o.wordings = (size_t)cli_long(a, "wordings", 0);
	o.seed = (uint64_t)cli_long(a, "seed", 1);
	o.company = config_text(CONFIG_COMPANY);
	o.log = cli_string(a, "log", NULL);
	o.base_bound = cli_double(a, "base-bound", o.base_bound);
	o.keep = (size_t)cli_long(a, "keep", (long)o.keep);
	o.adapter = cli_flag(a, "adapter") ? (size_t)cli_long(a, "rank", 8) : 0;
	if (o.adapter && !cli_given(a, "lr"))
		o.lr = RETRAIN_ADAPTER_LR;
	o.fresh = cli_flag(a, "fresh");
	o.onto_base = cli_given(a, "onto");
	if (o.onto_base && strcmp(cli_string(a, "onto", ""), "base") != 0)
		return cli_usage(a, "--onto takes base: the shipped model");
	if (cli_flag(a, "if-due")) {
		bool due;

		if (retrain_scheduled(NULL, &due, &e) < 0)
			return cli_failed(&e);
		if (!due) {
			fprintf(stderr, "not due: nothing was done\n");
			return CLI_OK;
		}
	}
	o.progress = show;
	o.order = &order;
	signal(SIGINT, on_interrupt);
	signal(SIGTERM, on_interrupt);
	signal(SIGXFSZ, SIG_IGN);      /* a limit on file sizes is an error like a full disk */
	if (retrain(&o, &r, &e) < 0) {
		cli_failed(&e);
		return r.interrupted ? CLI_INTERRUPTED : CLI_ERROR;
	}
	if (cli_flag(a, "json"))
		print_json(&r);
	if (r.nothing) {
		fprintf(stderr, "nothing to train on: no example is approved yet (answerback teach, answerback review)\n");
		return CLI_OK;
	}
	for (size_t i = 0; i < r.checks; i++)
		fprintf(stderr, "%-6s %-15s %.4f (%s %.4f, %zu cases) %s\n", r.gate[i].ok ? "ok" : "FAILED", r.gate[i].name, r.gate[i].value,
		        r.gate[i].at_least ? "at least" : "at most", r.gate[i].bound, r.gate[i].cases, r.gate[i].detail);
	if (!r.published) {
		fprintf(stderr, "not published: the model that served goes on\n");
		return CLI_GATE;
	}
	fprintf(stderr, "published %s after %.0f s; answerback model rollback goes back\n", r.model, r.seconds);
	return CLI_OK;
}

const struct cli_command cmd_retrain = {
	"retrain", "learn the approved examples, for good", "[OPTION...]", retrain_options, run_retrain,
	"A model that does not pass the gate is not published (exit 4)."
};
