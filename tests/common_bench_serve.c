/* SPDX-License-Identifier: GPL-3.0-or-later */
/* common_bench_serve: a session's work, one thread, in f32 and in 8 bits; and what a turn costs late in a long
 * conversation. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../model/complete.h"
#include "../model/decode.h"
#include "../src/base/mem.h"
#include "common_bench.h"

enum { HEARD = 40, SAID = 20, TOP = 8 };

struct serve {
	struct model *m;
	struct session *s;
	struct decode_state st, before;
	real *logp;
	int32_t ids[HEARD];
	int32_t best[TOP];
	size_t n;
};

static void encode(void *arg)
{
	struct serve *sv = arg;

	session_truncate(sv->s, 0);
	session_add(sv->s, TOKEN_FIRST_TAG, sv->ids, HEARD - 1);      /* with its tag: 40 rows */
}

static void token(void *arg)
{
	struct serve *sv = arg;

	session_step(sv->s, &sv->st, &sv->ids[sv->n++ % HEARD], sv->logp);
}

static void top(struct serve *sv)
{
	size_t n = 0;

	for (size_t i = 0; i < sv->m->w->cfg.vocab; i++) {
		size_t k;

		if (n == TOP && sv->logp[i] <= sv->logp[sv->best[TOP - 1]])
			continue;
		for (k = n < TOP ? n++ : n - 1; k > 0 && sv->logp[sv->best[k - 1]] < sv->logp[i]; k--)
			sv->best[k] = sv->best[k - 1];
		sv->best[k] = (int32_t)i;
	}
}

/* The state before the letter is there: one step, and the likeliest of what may follow. */
static void keystroke(void *arg)
{
	struct serve *sv = arg;

	decode_state_copy(&sv->st, 0, &sv->before, 0);
	token(sv);
	top(sv);
}

static void greedy(void *arg)
{
	struct serve *sv = arg;
	struct decode_opts o;
	struct decode_result r;

	decode_opts_default(&o);
	o.min_tokens = o.max_tokens = SAID;
	decode_turn(sv->s, TOKEN_FIRST_TAG + 1, &o, &r);
	sv->n = r.ids.n;
	decode_result_free(&r);
}

static void whole_reply(void *arg)
{
	encode(arg);
	greedy(arg);
}

/* Eight beams, five steps. */
static void complete(void *arg)
{
	struct serve *sv = arg;
	struct decode_opts o;
	struct decode_result r[1];

	decode_opts_default(&o);
	o.method = DECODE_BEAM;
	o.beam = 8;
	o.min_tokens = o.max_tokens = 5;
	if (decode_beam(sv->s, TOKEN_FIRST_TAG + 1, &o, r, 1) == 1)
		decode_result_free(&r[0]);
}

static const struct {
	const char *name, *title;
	void (*run)(void *arg);
} works[] = {
	{ "encode_40", "encode 40 tokens", encode },
	{ "token", "one reply token", token },
	{ "reply_20", "reply, 40 in, 20 out, greedy", whole_reply },
	{ "keystroke", "keystroke: one step, top 8", keystroke },
	{ "completion_5_beam_8", "completion, 5 tokens, beam 8", complete },
};
enum { WORKS = sizeof(works) / sizeof(works[0]) };

static void serve_new(struct serve *sv, const struct bench *b, const char *size, const char *precision)
{
	memset(sv, 0, sizeof(*sv));
	sv->m = bench_model(b, size, precision);
	sv->s = session_new(sv->m);
	sv->logp = mem_aligned(sv->m->w->cfg.vocab * sizeof(real));
	decode_state_init(&sv->st, sv->m, 1);
	decode_state_init(&sv->before, sv->m, 1);
	for (size_t i = 0; i < HEARD; i++)
		sv->ids[i] = (int32_t)(sv->m->w->cfg.vocab - 1 - 97 * i);
	encode(sv);
	session_start(sv->s, TOKEN_FIRST_TAG + 1, &sv->before, sv->logp);
	session_start(sv->s, TOKEN_FIRST_TAG + 1, &sv->st, sv->logp);
}

static void serve_free(struct serve *sv)
{
	decode_state_fini(&sv->st);
	decode_state_fini(&sv->before);
	mem_aligned_free(sv->logp);
	session_free(sv->s);
	model_unref(sv->m);
}

json_t *bench_serve(const struct bench *b)
{
	static const char *const sizes[] = { "large", "shipped" }, *const precisions[] = { "f32", "int8" };
	json_t *list = json_array();

	printf("  serving, 1 thread, ms         large: f32    int8      shipped: f32    int8\n");
	for (size_t i = 0; i < WORKS; i++) {
		double ms[4];

		for (size_t k = 0; k < 4; k++) {
			struct serve sv;

			serve_new(&sv, b, sizes[k / 2], precisions[k % 2]);
			ms[k] = 1e3 * bench_time(b, works[i].run, &sv);
			serve_free(&sv);
			json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:f}", "work", works[i].name, "size", sizes[k / 2],
			                                      "precision", precisions[k % 2], "ms", ms[k]));
		}
		printf("  %-30s %9.3f %7.3f    %13.3f %7.3f\n", works[i].title, ms[0], ms[1], ms[2], ms[3]);
		fflush(stdout);
	}
	return list;
}

/* ---- a long conversation ---- */

json_t *bench_turns(const struct bench *b)
{
	static const size_t at[] = { 1, 10, 25, 50, 100, 200, 300, 400, 500 };
	enum { AROUND = 5 };
	json_t *list = json_array();
	struct serve sv;
	double t[AROUND], first = 0;
	size_t k = 0, n = 0;

	serve_new(&sv, b, "shipped", "int8");
	session_truncate(sv.s, 0);
	for (size_t turn = 1; k < sizeof(at) / sizeof(at[0]); turn++) {
		const double start = bench_now();

		session_add(sv.s, TOKEN_FIRST_TAG, sv.ids, SAID);
		greedy(&sv);
		session_add(sv.s, TOKEN_FIRST_TAG + 1, sv.ids + 3, SAID);

		/* the last AROUND turns up to each place */
		t[n++ % AROUND] = bench_now() - start;
		if (turn == at[k]) {
			const double s = bench_median(t, n < AROUND ? n : AROUND);

			n = 0;
			first = turn == 10 ? s : first;
			json_array_append_new(list, json_pack("{s:I, s:f}", "turn", (json_int_t)turn, "ms", 1e3 * s));
			printf("  exchange %3zu of a conversation (20 in, 20 out, int8): %7.2f ms\n", turn, 1e3 * s);
			k++;
		}
	}
	serve_free(&sv);
	return list;
}
