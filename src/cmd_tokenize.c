/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cmd_tokenize: `answerback tokenize` shows the pieces that a model makes of a text, or learns a
 * tokenizer from chat or text files. Placeholders are not taken out of a text that is shown:
 * these are the pieces of its very bytes (`answerback redact` shows the placeholders). */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../model/modelfile.h"
#include "../model/tokenizer.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/utf8.h"
#include "commands.h"
#include "corpus.h"
#include "paths.h"

enum { DEFAULT_VOCAB = 8000, MAX_TOKENIZER_FILE = 8 << 20 };

static const struct cli_option options[] = {
	CLI_OPTION_MODEL,
	{ "tokenizer", 0, "FILE", CLI_STRING, "use a tokenizer that --out wrote, not a model's", 0, 0 },
	{ "ids", 0, NULL, CLI_FLAG, "show the numbers of the pieces", 0, 0 },
	CLI_OPTION_JSON,
	{ "train", 't', "FILE", CLI_LIST, "learn from this file; may be repeated", 0, 0 },
	{ "vocab", 0, "N", CLI_LONG, "pieces to learn (default 8000)", 418, TOKENIZER_MAX_VOCAB },
	{ "tags", 0, "A,B", CLI_STRING, "the roles (default user,assistant)", 0, 0 },
	{ "strict", 0, NULL, CLI_FLAG, "a line that cannot be read ends the run instead of being skipped", 0, 0 },
	{ "out", 'o', "FILE", CLI_STRING, "write the learned tokenizer here", 0, 0 },
	CLI_OPTION_END
};

/* ---- showing ------------------------------------------------------------------------ */

/* The bytes of a piece so that they can be read, and read back: what is not a whole
 * printable character becomes \xNN, a backslash two. */
static void add_visible(struct str *s, const char *bytes, size_t n)
{
	int32_t cp;

	for (size_t i = 0, used; i < n; i += used) {
		used = utf8_decode(bytes + i, n - i, &cp);
		if (cp == '\\')
			str_adds(s, "\\\\");
		else if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || (cp == 0xfffd && used == 1))
			for (size_t k = 0; k < used; k++)
				str_addf(s, "\\x%02x", (unsigned char)bytes[i + k]);
		else
			str_add(s, bytes + i, used);
	}
}

struct show {
	const struct tokenizer *tok;
	struct tokenizer_cache *cache;
	bool json, ids;
	struct tokens tokens;
	struct str line;
};

static void show_json(struct show *s)
{
	json_t *pieces = json_array(), *ids = json_array(), *o;
	struct str *piece = &s->line;
	const char *bytes;
	char *text;
	size_t n;

	for (size_t i = 0; i < s->tokens.n; i++) {
		bytes = tokenizer_piece(s->tok, s->tokens.ids[i], &n);
		str_reset(piece);
		add_visible(piece, bytes, n);
		json_array_append_new(pieces, json_stringn(piece->s, piece->len));
		json_array_append_new(ids, json_integer(s->tokens.ids[i]));
	}
	o = json_pack("{s:o, s:o}", "pieces", pieces, "ids", ids);
	text = json_dumps(o, JSON_COMPACT);
	puts(text);
	free(text);
	json_decref(o);
}

static void show_line(struct show *s)
{
	const char *bytes;
	size_t n;

	str_reset(&s->line);
	for (size_t i = 0; i < s->tokens.n; i++) {
		if (i)
			str_addc(&s->line, s->ids ? ' ' : '|');
		if (s->ids) {
			str_addf(&s->line, "%d", (int)s->tokens.ids[i]);
			continue;
		}
		bytes = tokenizer_piece(s->tok, s->tokens.ids[i], &n);
		add_visible(&s->line, bytes, n);
	}
	puts(s->line.s);
}

static void show_text(struct show *s, const char *text, size_t len)
{
	s->tokens.n = 0;
	tokenizer_encode(s->tok, s->cache, text, len, &s->tokens);
	if (s->json)
		show_json(s);
	else
		show_line(s);
}

static void show(const struct tokenizer *tok, const struct cli_args *a)
{
	struct show s = {
		.tok = tok, .cache = tokenizer_cache_new(), .line = STR_INIT,
		.json = cli_flag(a, "json"), .ids = cli_flag(a, "ids")
	};
	struct str input = STR_INIT;

	if (strcmp(a->operands[0], "-") != 0)
		show_text(&s, a->operands[0], strlen(a->operands[0]));
	else
		while (str_readline(&input, stdin))
			show_text(&s, input.s, input.len);
	str_free(&input);
	str_free(&s.line);
	tokens_free(&s.tokens);
	tokenizer_cache_free(s.cache);
}

/* ---- where the tokenizer comes from ----------------------------------------------------- */

static int from_model(const char *given, struct tokenizer **out, struct err *e)
{
	struct modelfile *mf;
	const char *json;
	char *path;
	int r = paths_model(given, &path, e);

	if (r < 0)
		return r;
	r = modelfile_open(&mf, path, e);
	if (r == 0) {
		json = modelfile_meta(mf, "tokenizer");
		r = json ? tokenizer_from_json(json, strlen(json), out, e) :
		    err_set(e, ERR_FORMAT, "there is no tokenizer in it");
		if (r < 0)
			err_prefix(e, "%s", path);
		modelfile_close(mf);
	}
	free(path);
	return r;
}

static int from_file(const char *path, struct tokenizer **out, struct err *e)
{
	FILE *f = fopen(path, "rb");
	struct str s = STR_INIT;
	char buf[65536];
	size_t n;
	int r;

	if (!f)
		return err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
	errno = 0;
	while (s.len <= MAX_TOKENIZER_FILE && (n = fread(buf, 1, sizeof(buf), f)) > 0)
		str_add(&s, buf, n);
	r = ferror(f) ? err_set(e, ERR_IO, "%s", strerror(errno)) : tokenizer_from_json(s.s, s.len, out, e);
	if (r < 0)
		err_prefix(e, "%s", path);
	fclose(f);
	str_free(&s);
	return r;
}

/* ---- training ----------------------------------------------------------------------- */

static void warn(const char *message, void *arg)
{
	(void)arg;
	cli_error("%s", message);
}

static bool ends_in(const char *s, const char *end)
{
	size_t n = strlen(s), k = strlen(end);

	return n >= k && strcmp(s + n - k, end) == 0;
}

/* A file of plain text, each line a conversation of its own: the numbers of one have nothing
 * to do with those of the next. */
static int read_text(struct corpus *c, const char *path, const char *tag, struct err *e)
{
	FILE *f = fopen(path, "rb");
	struct str line = STR_INIT;
	int r = 0;

	if (!f)
		return err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
	errno = 0;
	while (str_readline(&line, f)) {
		if (!line.len)
			continue;
		if (c->n == c->cap) {
			c->cap = c->cap ? 2 * c->cap : 256;
			c->chat = xreallocarray(c->chat, c->cap, sizeof(*c->chat));
		}
		c->chat[c->n] = (struct chat){ 0 };
		chat_add(&c->chat[c->n++], tag, line.s, line.len, 1);
	}
	if (ferror(f))
		r = err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
	fclose(f);
	str_free(&line);
	return r;
}

static int read_any(struct corpus *c, const char *path, const struct chatfile_opts *o, struct err *e)
{
	if (ends_in(path, ".jsonl") || ends_in(path, ".jsonl.xz") || strcmp(path, "-") == 0)
		return corpus_read(c, path, o, 0, e);
	return read_text(c, path, o->tags[0], e);
}

static void report(const struct corpus *c, const struct tokenizer *tok, double seconds)
{
	const struct chatfile_counts *n = &c->counts;

	fprintf(stderr, "answerback: %zu pieces learned from %zu conversations in %.1f s\n",
	        tokenizer_vocab(tok), c->n, seconds);
	if (n->bad_lines + n->unknown_role + n->system + n->empty)
		fprintf(stderr, "answerback: skipped: %zu bad lines, %zu messages of unknown roles, "
		        "%zu system, %zu empty\n", n->bad_lines, n->unknown_role, n->system, n->empty);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int learn(const struct cli_args *a, struct tokenizer **out, struct err *e)
{
	char *list = xstrdup(cli_string(a, "tags", "user,assistant")), *rest = list, *tag;
	const char *tags[TOKENIZER_MAX_TAGS + 2];       /* one too many is refused further down */
	struct chatfile_opts o = { .tags = tags, .strict = cli_flag(a, "strict"), .warn = warn };
	struct corpus c = { 0 };
	double start = now();
	size_t n = 0;
	int r = 0;

	while (n <= TOKENIZER_MAX_TAGS && (tag = strsep(&rest, ",")))
		tags[n++] = tag;
	tags[n] = NULL;
	for (size_t i = 0; r == 0 && i < cli_count(a, "train"); i++)
		r = read_any(&c, cli_nth(a, "train", i), &o, e);
	if (r == 0 && c.n == 0)
		r = err_set(e, ERR_FORMAT, "there is nothing to learn from in what --train names");
	if (r == 0)
		r = corpus_tokenizer(&c, (size_t)cli_long(a, "vocab", DEFAULT_VOCAB), tags, out, e);
	if (r == 0)
		report(&c, *out, now() - start);
	corpus_free(&c);
	free(list);
	return r;
}

/* The old file stays whole until the new one is on the disk. */
static int save(const struct tokenizer *tok, const char *path, struct err *e)
{
	struct str tmp = STR_INIT;
	char *json = tokenizer_to_json(tok);
	FILE *f;
	int r = 0;

	str_addf(&tmp, "%s.tmp.%ld", path, (long)getpid());
	f = fopen(tmp.s, "wb");
	if (!f) {
		r = err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
	} else {
		bool good = fputs(json, f) >= 0 && fputc('\n', f) >= 0 && fflush(f) == 0 && fsync(fileno(f)) == 0;
		int why = errno;

		if (fclose(f) != 0 && good) {
			good = false;
			why = errno;
		}
		if (good && rename(tmp.s, path) < 0) {
			good = false;
			why = errno;
		}
		if (!good) {
			unlink(tmp.s);
			r = err_set(e, ERR_IO, "%s: %s", path, strerror(why));
		}
	}
	str_free(&tmp);
	free(json);
	return r;
}

/* ---- the command ----------------------------------------------------------------------- */

static int run(struct cli_args *a)
{
	const char *out = cli_string(a, "out", NULL), *file = cli_string(a, "tokenizer", NULL);
	struct tokenizer *tok = NULL;
	struct err e = ERR_INIT;
	bool training = cli_count(a, "train") > 0;
	char *json;
	int r;

	if (training && (cli_given(a, "model") || file))
		return cli_usage(a, "--train makes a tokenizer, --model and --tokenizer name one: say one of them");
	if (file && cli_given(a, "model"))
		return cli_usage(a, "--model or --tokenizer, not both");
	if (!training && (out || cli_given(a, "vocab") || cli_given(a, "tags")))
		return cli_usage(a, "--out, --vocab and --tags go with --train");
	if (a->n > 1)
		return cli_usage(a, "one text, please: put it in quotes");
	if (!training && a->n == 0)
		return cli_usage(a, "say which text to show, or - for lines of standard input");

	r = training ? learn(a, &tok, &e) : file ? from_file(file, &tok, &e) :
	    from_model(cli_string(a, "model", NULL), &tok, &e);
	if (r == 0 && out)
		r = save(tok, out, &e);
	if (r < 0) {
		tokenizer_free(tok);
		return cli_failed(&e);
	}
	if (a->n) {
		show(tok, a);
	} else if (!out) {
		json = tokenizer_to_json(tok);
		puts(json);
		free(json);
	}
	tokenizer_free(tok);
	return CLI_OK;
}

const struct cli_command cmd_tokenize = {
	"tokenize", "show the pieces of a text, or learn a tokenizer", "[OPTION...] [TEXT | -]", options, run,
	"Pieces are shown with '|' between them; control characters and bytes that are no whole\n"
	"character as \\xNN, a backslash as two. With -, each line of standard input is a text.\n"
	"\n"
	"--train takes conversations (.jsonl, .jsonl.xz, or - for standard input) and any other file\n"
	"as plain text. The tokenizer goes to --out, or, without --out and TEXT, to standard output."
};
