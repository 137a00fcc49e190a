/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cmd_train: `answerback train`, from chat files to a model file. */
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../model/model.h"
#include "../model/train.h"
#include "base/mem.h"
#include "base/str.h"
#include "commands.h"
#include "config.h"
#include "corpus.h"
#include "encode.h"

static const struct cli_option options[] = {
	{ "train", 't', "FILE", CLI_LIST, "conversations to learn from (.jsonl, .jsonl.xz, -); may be repeated", 0, 0 },
	{ "valid", 'v', "FILE", CLI_LIST, "held-out conversations, to choose by; may be repeated", 0, 0 },
	{ "out", 'o', "FILE", CLI_STRING, "write the model here (its checkpoint: FILE.checkpoint)", 0, 0 },
	{ "size", 's', "NAME", CLI_STRING, "small, medium or large (default small)", 0, 0 },
	{ "set", 0, "NAME=N", CLI_LIST, "one dimension of the model, e.g. decoder_hidden=256; may be repeated", 0, 0 },
	{ "threads", 0, "N", CLI_LONG, "worker threads (default: the setting threads, else processors)", 1, 256 },
	{ "minutes", 0, "X", CLI_DOUBLE, "train for X minutes", 0.001, 1e6 },
	{ "steps", 0, "N", CLI_LONG, "train for N updates", 1, 1e9 },
	{ "epochs", 0, "N", CLI_LONG, "train for N passes over the data (default 3)", 1, 1e6 },
	{ "seed", 0, "N", CLI_LONG, "the same seed gives the same weights (default 1)", 0, 9e15 },
	{ "resume", 0, NULL, CLI_FLAG, "go on from the checkpoint, if there is one", 0, 0 },
	{ "init", 0, "MODEL", CLI_STRING, "start from this model's weights and tokenizer", 0, 0 },
	{ "log", 0, "FILE", CLI_STRING, "write one JSON object a line: progress and evaluations", 0, 0 },
	{ "vocab", 0, "N", CLI_LONG, "pieces of a new tokenizer (default 8000)", 420, 65536 },
	{ "tags", 0, "A,B", CLI_STRING, "the roles (default user,assistant); with two others, lines may be pairs; --init takes new ones on", 0, 0 },
	{ "lr", 0, "X", CLI_DOUBLE, "peak learning rate (default 0.002)", 1e-7, 1 },
	{ "lr-end", 0, "X", CLI_DOUBLE, "what is left of it at the end, a share (default 0.02)", 0, 1 },
	{ "warmup", 0, "N", CLI_LONG, "updates until the peak (default 100)", 0, 1e6 },
	{ "batch", 0, "N", CLI_LONG, "pieces in a batch (default 1200)", 16, 1e6 },
	{ "shards", 0, "N", CLI_LONG, "parts a batch is cut into, for threads (default 2; changes the result)", 1, 64 },
	{ "longest", 0, "N", CLI_LONG, "pieces of a conversation seen at once (default 768)", 16, 1e5 },
	{ "dropout", 0, "P", CLI_DOUBLE, "(default 0.1)", 0, 0.9 },
	{ "word-dropout", 0, "P", CLI_DOUBLE, "pieces hidden from the reader (default 0.02)", 0, 0.9 },
	{ "label-smoothing", 0, "P", CLI_DOUBLE, "(default 0)", 0, 0.5 },
	{ "contrast", 0, "X", CLI_DOUBLE, "weight of telling a turn from others' turns by its context (default 0)", 0, 1000 },
	{ "contrast-others", 0, "N", CLI_LONG, "how many others' turns (default 5)", 1, 100 },
	{ "contrast-turns", 0, "N", CLI_LONG, "in how many places of a shard (default 4)", 1, 1000 },
	{ "weight-decay", 0, "X", CLI_DOUBLE, "(default 0)", 0, 1 },
	{ "clip", 0, "X", CLI_DOUBLE, "global norm of a gradient, at most (default 1; 0: any)", 0, 1e6 },
	{ "average", 0, "X", CLI_DOUBLE, "decay of the average of the weights that is kept (default 0.998; 0: none)", 0, 0.999999 },
	{ "eval-every", 0, "N", CLI_LONG, "updates between evaluations (default 250)", 0, 1e9 },
	{ "eval-dialogues", 0, "N", CLI_LONG, "held-out conversations of an evaluation (default 120; 0: all)", 0, 1e9 },
	{ "patience", 0, "N", CLI_LONG, "stop after N evaluations without a better one (default: never)", 0, 1e6 },
	{ "checkpoint-minutes", 0, "X", CLI_DOUBLE, "between checkpoints (default 3)", 0, 1e5 },
	{ "company", 0, "NAME", CLI_STRING, "what the company is called in the conversations", 0, 0 },
	{ "no-placeholders", 0, NULL, CLI_FLAG, "leave numbers and addresses in the text", 0, 0 },
	{ "f32", 0, NULL, CLI_FLAG, "write the model in single precision (default: bf16)", 0, 0 },
	{ "strict", 0, NULL, CLI_FLAG, "a line that cannot be read ends the run instead of being skipped", 0, 0 },
	CLI_OPTION_END
};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int sig)
{
	(void)sig;
	interrupted = 1;
}

static void warn(const char *message, void *arg)
{
	(void)arg;
	fprintf(stderr, "answerback: %s\n", message);
}

struct progress {
	FILE *log;
	bool terminal;
	double printed;           /* seconds of training when a line was last written */
	bool log_failed;
};

static void clear_line(const struct progress *p)
{
	if (p->terminal)
		fputs("\r\033[K", stderr);
}

static void clock_text(double s, char out[16])
{
	if (s >= 3600)
		snprintf(out, 16, "%d:%02d:%02d", (int)(s / 3600) % 1000, (int)(s / 60) % 60, (int)s % 60);
	else
		snprintf(out, 16, "%d:%02d", (int)(s / 60) % 60, (int)s % 60);
}

static void log_line(struct progress *p, const struct train_report *r)
{
	json_t *o;
	char *text;

	if (!p->log || p->log_failed)
		return;
	o = json_pack("{s:s, s:I, s:I, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:I, s:f, s:f}",
	              "event", r->evaluated ? "eval" : "step",
	              "step", (json_int_t)r->step, "epoch", (json_int_t)r->epoch, "progress", r->progress,
	              "loss", r->loss, "lr", r->lr, "grad_norm", isfinite(r->grad_norm) ? r->grad_norm : -1.0,
	              "tokens_per_second", r->tokens_per_second, "seconds", r->seconds, "eta", r->eta,
	              "skipped", (json_int_t)r->skipped, "attention_entropy", r->entropy,
	              "attention_null", r->null_weight);
	if (r->evaluated && !isnan(r->bits_per_char)) {
		json_object_set_new(o, "bits_per_char", json_real(r->bits_per_char));
		json_object_set_new(o, "bits_per_char_all", json_real(r->bits_per_char_all));
		json_object_set_new(o, "best", json_real(r->best));
	}
	if (!isnan(r->contrast_right))
		json_object_set_new(o, "contrast_right", json_real(r->contrast_right));
	text = json_dumps(o, JSON_COMPACT | JSON_REAL_PRECISION(7));
	if (fprintf(p->log, "%s\n", text) < 0 || fflush(p->log) != 0) {
		p->log_failed = true;
		clear_line(p);
		fprintf(stderr, "answerback: the log cannot be written any more; training goes on\n");
	}
	free(text);
	json_decref(o);
}

static void show_bar(const struct train_report *r)
{
	enum { WIDTH = 20 };
	char bar[WIDTH + 1], eta[16], line[256];
	struct winsize ws = { 0 };
	size_t full = (size_t)(r->progress * WIDTH);

	for (size_t i = 0; i < WIDTH; i++)
		bar[i] = i < full ? '#' : '.';
	bar[WIDTH] = '\0';
	clock_text(r->eta, eta);
	snprintf(line, sizeof(line), "[%s] %3.0f%%  step %zu  loss %.3f  held-out %.4f bits/char  %.0f tokens/s  ETA %s",
	         bar, 100 * r->progress, r->step, r->loss, isnan(r->best) || isinf(r->best) ? 0 : r->best,
	         r->tokens_per_second, eta);
	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &ws) == 0 && ws.ws_col > 1 && ws.ws_col < sizeof(line))
		line[ws.ws_col - 1] = '\0';
	fprintf(stderr, "\r\033[K%s", line);
	fflush(stderr);
}

static bool report(const struct train_report *r, void *arg)
{
	struct progress *p = arg;
	const double every = p->terminal ? 0.25 : 30;
	char spent[16], eta[16];

	if (r->evaluated || r->step % 20 == 0)
		log_line(p, r);
	if (p->terminal && (r->evaluated || r->seconds - p->printed >= every)) {
		show_bar(r);
		p->printed = r->seconds;
	} else if (!p->terminal && (r->evaluated || r->seconds - p->printed >= every)) {
		clock_text(r->seconds, spent);
		clock_text(r->eta, eta);
		fprintf(stderr, "%s  step %zu  epoch %zu  loss %.3f  %.0f tokens/s  ETA %s", spent, r->step, r->epoch,
		        r->loss, r->tokens_per_second, eta);
		if (r->evaluated && !isnan(r->bits_per_char))
			fprintf(stderr, "  held-out %.4f bits/char (best %.4f)", r->bits_per_char, r->best);
		fputc('\n', stderr);
		p->printed = r->seconds;
	}
	return !interrupted;
}

static void message(const char *text, void *arg)
{
	struct progress *p = arg;

	clear_line(p);
	fprintf(stderr, "answerback: %s\n", text);
}

/* "a,b,c" -> NULL-terminated list; names point into *copy. */
static int split_tags(const char *text, char **copy, const char *tag[TOKENIZER_MAX_TAGS + 1], struct err *e)
{
	size_t n = 0;

	*copy = xstrdup(text);
	for (char *s = strtok(*copy, ","); s; s = strtok(NULL, ",")) {
		if (n == TOKENIZER_MAX_TAGS)
			return err_set(e, ERR_USAGE, "at most %d roles", TOKENIZER_MAX_TAGS);
		tag[n++] = s;
	}
	tag[n] = NULL;
	return n ? 0 : err_set(e, ERR_USAGE, "--tags wants names, as in user,assistant");
}

static int read_files(struct cli_args *a, const char *option, const char *const *tags, struct corpus *c,
                      struct err *e)
{
	const struct chatfile_opts o = { .tags = tags, .strict = cli_flag(a, "strict"), .warn = warn };

	for (size_t i = 0; i < cli_count(a, option); i++) {
		int rc = corpus_read(c, cli_nth(a, option, i), &o, 0, e);

		if (rc < 0)
			return rc;
	}
	return 0;
}

static void say_counts(const char *what, const struct corpus *c, const struct dataset *ds)
{
	const struct chatfile_counts *n = &c->counts;

	fprintf(stderr, "%s: %zu conversations, %zu turns, %zu pieces", what, ds->dialogues, ds->n_turns, ds->n_ids);
	if (n->bad_lines)
		fprintf(stderr, "; %zu lines could not be read", n->bad_lines);
	if (n->unknown_role || n->system)
		fprintf(stderr, "; %zu messages of other roles and %zu of system left out", n->unknown_role, n->system);
	if (n->empty)
		fprintf(stderr, "; %zu empty messages left out", n->empty);
	if (n->joined)
		fprintf(stderr, "; %zu messages joined to the one before (same role)", n->joined);
	fputc('\n', stderr);
}

static int set_dimensions(struct cli_args *a, struct dialogue_config *c, struct err *e)
{
	for (size_t i = 0; i < cli_count(a, "set"); i++) {
		const char *text = cli_nth(a, "set", i), *eq = strchr(text, '=');
		char name[64], *end;
		unsigned long long v;

		if (!eq || (size_t)(eq - text) >= sizeof(name))
			return err_set(e, ERR_USAGE, "--set wants NAME=N, not '%s'", text);
		memcpy(name, text, (size_t)(eq - text));
		name[eq - text] = '\0';
		v = strtoull(eq + 1, &end, 10);
		if (end == eq + 1 || *end)
			return err_set(e, ERR_USAGE, "--set %s: '%s' is not a number", name, eq + 1);
		if (dialogue_config_set(c, name, (size_t)v, e) < 0)
			return ERR_USAGE;
	}
	return dialogue_config_check(c, e);
}

static void fill_opts(struct cli_args *a, struct train_opts *o)
{
	train_opts_default(o);
	o->threads = config_threads();
	o->minutes = cli_double(a, "minutes", 0);
	o->steps = (size_t)cli_long(a, "steps", 0);
	o->epochs = (size_t)cli_long(a, "epochs", o->minutes > 0 || o->steps > 0 ? 0 : 3);
	o->seed = (uint64_t)cli_long(a, "seed", 1);
	o->lr = cli_double(a, "lr", o->lr);
	o->lr_end = cli_double(a, "lr-end", o->lr_end);
	o->warmup = (size_t)cli_long(a, "warmup", (long)o->warmup);
	o->batch_rows = (size_t)cli_long(a, "batch", (long)o->batch_rows);
	o->shards = (size_t)cli_long(a, "shards", (long)o->shards);
	o->longest = (size_t)cli_long(a, "longest", (long)o->longest);
	o->dropout = cli_double(a, "dropout", o->dropout);
	o->word_dropout = cli_double(a, "word-dropout", o->word_dropout);
	o->contrast = cli_double(a, "contrast", 0);
	o->contrast_others = (size_t)cli_long(a, "contrast-others", (long)o->contrast_others);
	o->contrast_turns = (size_t)cli_long(a, "contrast-turns", (long)o->contrast_turns);
	o->label_smoothing = cli_double(a, "label-smoothing", 0);
	o->weight_decay = cli_double(a, "weight-decay", 0);
	o->clip = cli_double(a, "clip", o->clip);
	o->average = cli_double(a, "average", o->average);
	o->eval_every = (size_t)cli_long(a, "eval-every", (long)o->eval_every);
	o->eval_dialogues = (size_t)cli_long(a, "eval-dialogues", (long)o->eval_dialogues);
	o->patience = (size_t)cli_long(a, "patience", 0);
	o->checkpoint_minutes = cli_double(a, "checkpoint-minutes", o->checkpoint_minutes);
	o->keep_types = encode_fixed_types();
}

/* What the model file will say about where it comes from: nothing of the clock, so that the same
 * run gives the same file. */
static char *lineage(struct cli_args *a, const struct train_opts *o, const struct dataset *ds,
                     const struct train_report *r)
{
	json_t *files = json_array(), *j;
	char *text, *copy;

	for (size_t i = 0; i < cli_count(a, "train"); i++) {
		const char *path = cli_nth(a, "train", i), *slash = strrchr(path, '/');

		/* names only: folders say more about somebody's machine than about the model */
		json_array_append_new(files, json_string(slash ? slash + 1 : path));
	}
	j = json_pack("{s:o, s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:f, s:I, s:I}", "files", files,
	              "conversations", (json_int_t)ds->dialogues, "pieces", (json_int_t)ds->n_ids,
	              "steps", (json_int_t)r->step, "epochs", (json_int_t)r->epoch, "seed", (json_int_t)o->seed,
	              "lr", o->lr, "dropout", o->dropout, "word_dropout", o->word_dropout,
	              "batch", (json_int_t)o->batch_rows, "skipped", (json_int_t)r->skipped);
	if (cli_given(a, "init"))
		json_object_set_new(j, "parent", json_string(strrchr(cli_string(a, "init", ""), '/') ?
		                    strrchr(cli_string(a, "init", ""), '/') + 1 : cli_string(a, "init", "")));
	text = json_dumps(j, JSON_COMPACT);
	copy = xstrdup(text);
	free(text);
	json_decref(j);
	return copy;
}

static char *scores(const struct train_report *r)
{
	char buf[128];

	if (isnan(r->best) || isinf(r->best))
		return xstrdup("{}");
	snprintf(buf, sizeof(buf), "{\"held_out_bits_per_char\": %.5f}", r->best);
	return xstrdup(buf);
}

/* A path that cannot be written should be known before hours of work, not after. */
static int check_out(const char *out, struct err *e)
{
	struct str tmp = STR_INIT;
	FILE *f;
	int rc = 0;

	str_addf(&tmp, "%s.tmp.%ld", out, (long)getpid());
	f = fopen(tmp.s, "w");
	if (!f)
		rc = err_set(e, ERR_IO, "%s cannot be written: %m; choose another --out", out);
	else
		fclose(f);
	if (f)
		unlink(tmp.s);
	str_free(&tmp);
	return rc;
}

struct run {
	struct corpus train_text, valid_text;
	struct dataset *train, *valid;
	struct tokenizer *tok;
	struct weights *w;
	char *tags_copy;
	const char *tags[TOKENIZER_MAX_TAGS + 1];
};

static int start_weights(struct cli_args *a, struct run *r, struct err *e)
{
	struct dialogue_config c = { 0 };
	const char *size = cli_string(a, "size", "small"), *init = cli_string(a, "init", NULL);
	struct model *m;
	int rc;

	if (init) {
		if (cli_given(a, "size") || cli_given(a, "set") || cli_given(a, "vocab"))
			return err_set(e, ERR_USAGE, "--init brings its own --size, --set and --vocab");
		if ((rc = model_load(&m, init, MODEL_TRAIN, e)) < 0)
			return rc;
		/* the snapshot's only owner: take its parts over */
		r->w = m->w;
		r->tok = m->tok;
		m->w = NULL;
		m->tok = NULL;
		model_unref(m);
		for (size_t i = 0; r->tags[i]; i++)
			if (tokenizer_tag(r->tok, r->tags[i]) < 0 && (rc = tokenizer_add_tag(r->tok, r->tags[i], e)) < 0)
				return rc;
		return 0;
	}
	if (!dialogue_config_preset(&c, size))
		return err_set(e, ERR_USAGE, "no size '%s': small, medium or large", size);
	fprintf(stderr, "learning %ld pieces ...\n", cli_long(a, "vocab", 8000));
	if ((rc = corpus_tokenizer(&r->train_text, (size_t)cli_long(a, "vocab", 8000), r->tags, &r->tok, e)) < 0)
		return rc;
	c.vocab = tokenizer_vocab(r->tok);
	if ((rc = set_dimensions(a, &c, e)) < 0)
		return rc;
	if (c.vocab != tokenizer_vocab(r->tok))
		return err_set(e, ERR_USAGE, "the vocabulary is set with --vocab");
	r->w = weights_new(&c, true);
	weights_init_random(r->w, (uint64_t)cli_long(a, "seed", 1));
	return 0;
}

static int prepare(struct cli_args *a, struct run *r, struct err *e)
{
	const bool placeholders = !cli_flag(a, "no-placeholders");
	const char *company = cli_string(a, "company", NULL);
	int rc;

	if ((rc = split_tags(cli_string(a, "tags", "user,assistant"), &r->tags_copy, r->tags, e)) < 0 ||
	    (rc = read_files(a, "train", r->tags, &r->train_text, e)) < 0 ||
	    (rc = read_files(a, "valid", r->tags, &r->valid_text, e)) < 0)
		return rc;
	if (r->train_text.n == 0)
		return err_set(e, ERR_FORMAT, "nothing to train on: no conversation could be read from the --train files");
	if ((rc = start_weights(a, r, e)) < 0)
		return rc;
	r->train = dataset_new();
	r->valid = dataset_new();
	corpus_encode(&r->train_text, r->tok, company, placeholders, r->train);
	corpus_encode(&r->valid_text, r->tok, company, placeholders, r->valid);
	say_counts("train", &r->train_text, r->train);
	if (r->valid_text.n)
		say_counts("held out", &r->valid_text, r->valid);
	fprintf(stderr, "model: %zu weights, kernels %s\n", r->w->layout.weights, kernels_path());
	return 0;
}

static void run_free(struct run *r)
{
	corpus_free(&r->train_text);
	corpus_free(&r->valid_text);
	dataset_free(r->train);
	dataset_free(r->valid);
	tokenizer_free(r->tok);
	weights_free(r->w);
	free(r->tags_copy);
}

/* Train and write; t owns the weights. */
static int train_and_save(struct cli_args *a, struct run *r, const struct train_opts *o, struct trainer *t,
                          struct progress *p, struct err *e)
{
	const struct train_hooks hooks = { report, message, p };
	const char *out = cli_string(a, "out", NULL);
	struct train_report last;
	enum train_end end;
	int rc;

	if (cli_flag(a, "resume")) {
		rc = trainer_resume(t, e);
		if (rc < 0 && rc != ERR_NOTFOUND)
			return rc;
		fprintf(stderr, rc == 0 ? "going on from %s\n" : "no checkpoint at %s: starting anew\n", o->checkpoint);
	}
	if ((rc = trainer_run(t, &hooks, &end, e)) < 0)
		return rc;
	clear_line(p);
	if (end == TRAIN_STOPPED) {
		fprintf(stderr, "stopped; go on with --resume (checkpoint: %s)\n", o->checkpoint);
		return err_set(e, ERR_CANCELLED, "stopped");
	}

	const struct weights *best = trainer_best(t);
	char *from, *score;

	trainer_state(t, &last);
	from = lineage(a, o, r->train, &last);
	score = scores(&last);
	rc = model_save(best, r->tok, out, cli_flag(a, "f32") ? MODELFILE_F32 : MODELFILE_BF16, from, score, e);
	free(from);
	free(score);
	if (rc < 0)
		return rc;
	fprintf(stderr, "%s: ", out);
	if (isfinite(last.best))
		fprintf(stderr, "held-out %.4f bits/char ", last.best);
	fprintf(stderr, "after %zu steps, %.0f s, %zu steps left out\n", last.step, last.seconds, last.skipped);
	return 0;
}

static int run(struct cli_args *a)
{
	const char *out = cli_string(a, "out", NULL);
	struct sigaction sa = { .sa_handler = on_interrupt };
	struct progress p = { .terminal = isatty(STDERR_FILENO) };
	struct str checkpoint = STR_INIT;
	struct err e = ERR_INIT;
	struct run r = { 0 };
	struct train_opts o;
	struct trainer *t;
	int rc;

	if (a->n > 0)
		return cli_usage(a, "files are given with --train and --valid, not as '%s'", a->operands[0]);
	if (cli_count(a, "train") == 0 || !out)
		return cli_usage(a, "needs --train FILE and --out MODEL");
	if (cli_given(a, "minutes") + cli_given(a, "steps") + cli_given(a, "epochs") > 1)
		return cli_usage(a, "give one of --minutes, --steps and --epochs");
	fill_opts(a, &o);
	str_addf(&checkpoint, "%s.checkpoint", out);
	o.checkpoint = checkpoint.s;
	kernels_init();
	if ((rc = check_out(out, &e)) < 0 || (rc = prepare(a, &r, &e)) < 0) {
		run_free(&r);
		str_free(&checkpoint);
		return cli_failed(&e);
	}
	if (cli_given(a, "log")) {
		p.log = fopen(cli_string(a, "log", NULL), cli_flag(a, "resume") ? "a" : "w");
		if (!p.log) {
			err_set(&e, ERR_IO, "%s cannot be written: %m", cli_string(a, "log", NULL));
			run_free(&r);
			str_free(&checkpoint);
			return cli_failed(&e);
		}
	}
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	t = trainer_new(&o, r.w, r.tok, r.train, r.valid, tokenizer_tag(r.tok, r.tags[1] ? r.tags[1] : r.tags[0]));
	r.w = NULL;
	rc = train_and_save(a, &r, &o, t, &p, &e);
	if (rc == 0)
		unlink(checkpoint.s);
	trainer_free(t);
	run_free(&r);
	str_free(&checkpoint);
	if (p.log)
		fclose(p.log);
	if (rc == ERR_CANCELLED)
		return CLI_INTERRUPTED;
	return rc < 0 ? cli_failed(&e) : CLI_OK;
}

const struct cli_command cmd_train = {
	"train", "train a model on conversations", "--train FILE... --out MODEL [OPTION...]", options, run,
	"C-c saves a checkpoint and exits; --resume goes on from it, bit for bit. With --steps or --epochs\n"
	"the same seed, files and options give the same weights, whatever the number of threads."
};
