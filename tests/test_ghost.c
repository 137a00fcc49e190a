/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The ghost engine: words ahead against the model's own probabilities, what may be proposed, the bar,
 * learning and forgetting, odd drafts. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../src/base/mem.h"
#include "../src/encode.h"
#include "../src/ghost_private.h"
#include "../src/redact.h"
#include "../src/typing.h"
#include "common_model.h"

static struct model *m;

static int set_up(void **state)
{
	(void)state;
	m = fixture_model(5);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	model_unref(m);
	return 0;
}

/* ---- words ahead ---- */

static double step_prob(struct session *s, struct decode_state *st, int32_t id, real *logp)
{
	const double p = exp((double)logp[id]);

	session_step(s, st, &id, logp);
	return p;
}

/* What a node says equals what the session says, whatever way and order it was reached in. */
static void states_agree(void **state)
{
	struct session *s = session_new(m);
	struct ahead_mix mix;
	struct ahead *a;
	struct decode_state st;
	struct rng r;
	const size_t V = m->w->cfg.vocab;
	real *logp = mem_aligned(V * sizeof(real));
	int32_t ids[700];

	(void)state;
	rng_seed(&r, 2);
	for (size_t i = 0; i < 700; i++)
		ids[i] = (int32_t)(V - 1 - rng_below(&r, 200));
	session_add(s, TOKEN_FIRST_TAG, ids, 20);
	ahead_mix_default(&mix);
	a = ahead_new(s, &mix);
	/* longer than the pool has nodes, back and forth */
	static const size_t lengths[] = { 0, 3, 5, 4, 300, 301, 299, 700, 20, 699, 700 };

	for (size_t k = 0; k < sizeof(lengths) / sizeof(lengths[0]); k++) {
		const int node = ahead_reach(a, TOKEN_FIRST_TAG + 1, ids, lengths[k]);

		decode_state_init(&st, m, 1);
		session_start(s, TOKEN_FIRST_TAG + 1, &st, logp);
		for (size_t i = 0; i < lengths[k]; i++)
			step_prob(s, &st, ids[i], logp);
		for (size_t i = 0; i < V; i++)
			assert_true(fabs(ahead_prob(a, node, (int32_t)i) - exp((double)logp[i])) < 1e-5);
		decode_state_fini(&st);
	}
	/* one step a new piece: nothing is computed twice */
	const size_t before = ahead_steps(a);

	ahead_reach(a, TOKEN_FIRST_TAG + 1, ids, 699);
	assert_int_equal(ahead_steps(a), before);
	/* another turn in the conversation: all anew */
	session_add(s, TOKEN_FIRST_TAG + 1, ids, 3);
	ahead_reach(a, TOKEN_FIRST_TAG, ids, 2);
	assert_true(ahead_steps(a) >= before + 3);
	ahead_free(a);
	mem_aligned_free(logp);
	session_free(s);
}

/* Every proposed word begins where the typed letters end, and they come best first. */
static void words_agree(void **state)
{
	struct session *s = session_new(m);
	struct ahead_mix mix;
	struct ahead *a;
	struct ahead_word w[8];
	static const char *const opens[] = { "", " ", " t", " th", "\n", " ref", "x" };

	(void)state;
	ahead_mix_default(&mix);
	a = ahead_new(s, &mix);
	for (size_t k = 0; k < sizeof(opens) / sizeof(opens[0]); k++) {
		const struct ahead_query q = { .steps = 40 };
		const int root = ahead_reach(a, TOKEN_FIRST_TAG, NULL, 0);
		double entropy, sum = 0;
		size_t n = ahead_words(a, root, opens[k], strlen(opens[k]), &q, w, 8, &entropy);

		assert_true(entropy > 0);
		for (size_t i = 0; i < n; i++) {
			assert_true(w[i].len > 0);
			assert_true(w[i].log_prob <= 1e-9);
			assert_true(w[i].least <= 0);
			sum += exp(w[i].log_prob);
			for (size_t j = 0; j < i; j++)
				assert_false(w[j].len == w[i].len && memcmp(w[j].text, w[i].text, w[i].len) == 0);
			/* white space stands only before the word */
			for (size_t j = 1; j < w[i].len; j++)
				assert_false(w[i].text[j] == ' ' && w[i].text[j - 1] != ' ' && w[i].text[j - 1] != '\n');
		}
		assert_true(sum <= 1.0001);
	}
	ahead_free(a);
	session_free(s);
}

/* ---- what may be proposed ---- */

static void allowed_words(void **state)
{
	static const char *const unwanted[] = { "cheap", NULL };
	const char *said = "\nMy order 4471-22 went to ann@example.com, he said";
	const char *draft = "by 12 May";

	(void)state;
#define ALLOWED(word) ghost_word_allowed(word, strlen(word), said, draft, strlen(draft), unwanted)
	assert_true(ALLOWED("order"));
	assert_true(ALLOWED("4471-22."));
	assert_true(ALLOWED("(4471-22)"));
	assert_false(ALLOWED("4471-23"));
	assert_false(ALLOWED("4471-2"));
	assert_true(ALLOWED("12"));
	assert_false(ALLOWED("1"));
	assert_false(ALLOWED("2"));
	assert_true(ALLOWED("ann@example.com,"));
	assert_false(ALLOWED("bob@example.com"));
	assert_false(ALLOWED("https://example.com"));
	assert_false(ALLOWED("www.example.com"));
	assert_true(ALLOWED("He"));
	assert_false(ALLOWED("she"));
	assert_false(ALLOWED("Her."));
	assert_true(ALLOWED("here"));
	assert_false(ALLOWED("Cheap!"));
	assert_true(ALLOWED("cheaper"));
	assert_true(ALLOWED("..."));
#undef ALLOWED
}

static void cuts(void **state)
{
	char url[100];

	(void)state;
#define CUT(text) ghost_cut(text, strlen(text))
	assert_int_equal(CUT(""), 0);
	assert_int_equal(CUT("Hel"), 0);
	assert_int_equal(CUT("Hello "), 5);
	assert_int_equal(CUT("Hello th"), 5);
	assert_int_equal(CUT("Hello  \n th"), 5);
	assert_int_equal(CUT("Hello. "), 6);
	/* no white space: bounded, at a whole character */
	assert_int_equal(CUT("\xe4\xbd\xa0\xe5\xa5\xbd"), 0);
	memset(url, 'x', 99);
	url[99] = '\0';
	assert_int_equal(CUT(url), 87);
	memcpy(url + 86, "\xe4\xbd\xa0", 3);
	assert_int_equal(CUT(url), 89);
#undef CUT
}

static void alike(void **state)
{
	struct str a = STR_INIT, b = STR_INIT;

	(void)state;
	str_adds(&a, " Refund.");
	str_adds(&b, "refund");
	assert_true(ghost_alike(&a, &b));
	str_adds(&b, "s");
	assert_false(ghost_alike(&a, &b));
	str_free(&a);
	str_free(&b);
}

/* ---- the bar ---- */

static void bar_moves(void **state)
{
	struct ghost_bar b = { 0 };
	const double bar = ghost_bar_for(&ghost_weights_model, 0.25);

	(void)state;
	assert_true(ghost_bar_for(&ghost_weights_model, 0.10) > bar);
	assert_true(ghost_bar_for(&ghost_weights_model, 0.40) < bar);
	assert_true(ghost_bar_passes(&b, bar, bar + 0.01));
	assert_false(ghost_bar_passes(&b, bar, bar - 0.01));
	/* who takes what is right sees more */
	for (int i = 0; i < 30; i++)
		assert_false(ghost_bar_learn(&b, 0.8, GHOST_WORD));
	assert_true(ghost_bar_passes(&b, bar, bar - 0.01));
	/* who takes half of what is right stays */
	b = (struct ghost_bar){ 0 };
	for (int i = 0; i < 100; i++)
		assert_false(ghost_bar_learn(&b, 0.8, i % 5 < 2 ? GHOST_TAKEN : GHOST_IGNORED));
	assert_true(fabs(b.shift) < 0.1);
	/* who takes nothing sees less, and is told once after 50 */
	b = (struct ghost_bar){ 0 };
	for (int i = 0; i < 49; i++)
		assert_false(ghost_bar_learn(&b, 0.8, GHOST_IGNORED));
	const double before = b.shift;

	assert_true(before > 0);
	assert_true(ghost_bar_learn(&b, 0.8, GHOST_IGNORED));
	assert_true(b.shift > before);
	assert_false(ghost_bar_learn(&b, 0.8, GHOST_IGNORED));
	for (int i = 0; i < 1000; i++)
		ghost_bar_learn(&b, 0.9, GHOST_DISMISSED);
	assert_true(b.shift <= 2);
	/* and comes back */
	for (int i = 0; i < 1000; i++)
		ghost_bar_learn(&b, 0.9, GHOST_TAKEN);
	assert_true(b.shift >= -1 && b.shift < 0);
}

/* ---- requests ---- */

struct fixture {
	struct talk *t;
	struct ghost_person *p;
	struct ghost *g;
};

static struct fixture fixture(enum ghost_level level)
{
	struct fixture f;
	struct ghost_opts o;

	ghost_opts_default(&o);
	o.level = level;
	f.t = talk_new(m, "Acme");
	f.p = ghost_person_new(m, "Acme");
	f.g = ghost_new(f.t, f.p, &o);
	assert_int_equal(talk_add(f.t, "user", "where is order 4471-22", 22, NULL), 0);
	return f;
}

static void fixture_free(struct fixture *f)
{
	ghost_free(f->g);
	ghost_person_free(f->p);
	talk_free(f->t);
}

static int ask(struct fixture *f, const char *draft, struct str *text, double *chance)
{
	struct ghost_text out[GHOST_MAX];
	int n = ghost_request(f->g, "assistant", draft, strlen(draft), out, 3, NULL);

	str_reset(text);
	if (n > 0) {
		str_add(text, out[0].text.s, out[0].text.len);
		*chance = out[0].chance;
	}
	for (int i = 0; i < n; i++) {
		assert_true(out[i].text.len > 0);
		assert_true(out[i].first > 0 && out[i].first <= out[i].text.len);
		assert_true(out[i].chance >= 0 && out[i].chance <= 1);
		assert_null(memchr(out[i].text.s, '\n', out[i].text.len));
		assert_true(i == 0 || !out[i].show);
		ghost_text_free(&out[i]);
	}
	return n;
}

/* A grown draft gives what the same draft gives to an engine that sees it first. */
static void keystrokes(void **state)
{
	const char *text = "the order the refund 44 is there";
	struct fixture grown = fixture(GHOST_EAGER);
	struct str x = STR_INIT, y = STR_INIT;

	(void)state;
	for (size_t n = 0; n <= strlen(text); n++) {
		struct fixture fresh = fixture(GHOST_EAGER);
		char draft[64];
		double a = 0, b = 0;

		memcpy(draft, text, n);
		draft[n] = '\0';
		assert_int_equal(ask(&grown, draft, &x, &a), ask(&fresh, draft, &y, &b));
		assert_string_equal(x.s, y.s);
		assert_true(fabs(a - b) < 1e-4);
		fixture_free(&fresh);
	}
	str_free(&x);
	str_free(&y);
	fixture_free(&grown);
}

static void learning(void **state)
{
	struct fixture f = fixture(GHOST_NORMAL);
	struct str text = STR_INIT, blob = STR_INIT;
	const char *said = "kindly bear with me";
	double before = 0, after = 0, again = 0;
	struct err e = ERR_INIT;

	(void)state;
	for (int i = 0; i < 8; i++)
		ghost_learn(f.g, "assistant", said, strlen(said));
	assert_true(ask(&f, "kindly bear wi", &text, &after) > 0);
	assert_string_equal(text.s, "th me");

	/* in the store and back */
	ghost_person_save(f.p, &blob);

	struct fixture other = fixture(GHOST_NORMAL);

	assert_int_equal(ghost_person_load(other.p, blob.s, blob.len, &e), 0);
	assert_true(ask(&other, "kindly bear wi", &text, &again) > 0);
	assert_string_equal(text.s, "th me");
	for (size_t n = 0; n < blob.len; n += 1 + n / 8)
		assert_true(ghost_person_load(other.p, blob.s, n, &e) < 0);
	for (size_t i = 0; i < blob.len; i += 3) {
		blob.s[i] = (char)(blob.s[i] ^ 0x10);
		assert_true(ghost_person_load(other.p, blob.s, blob.len, &e) < 0);
		blob.s[i] = (char)(blob.s[i] ^ 0x10);
	}
	assert_true(ask(&other, "kindly bear wi", &text, &again) > 0);
	assert_string_equal(text.s, "th me");
	fixture_free(&other);

	/* taken back: as if nothing had been learned */
	other = fixture(GHOST_NORMAL);
	for (int i = 0; i < 8; i++)
		ghost_person_forget(f.p, "assistant", said, strlen(said));
	ask(&f, "kindly bear wi", &text, &after);
	ask(&other, "kindly bear wi", &text, &before);
	assert_true(fabs(after - before) < 1e-6);
	ghost_person_clear(f.p);
	fixture_free(&other);
	fixture_free(&f);
	str_free(&text);
	str_free(&blob);
}

static void showing(void **state)
{
	const char *said = "kindly bear with me";
	struct ghost_text out[1];

	(void)state;
	for (enum ghost_level level = GHOST_OFF; level <= GHOST_EAGER; level++) {
		struct fixture f = fixture(level);

		for (int i = 0; i < 30; i++)
			ghost_learn(f.g, "assistant", said, strlen(said));
		/* two letters are too few, and off is off */
		assert_int_equal(ghost_request(f.g, "assistant", "ki", 2, out, 1, NULL), 1);
		assert_false(out[0].show);
		ghost_text_free(&out[0]);
		assert_int_equal(ghost_request(f.g, "assistant", "kindly bear wi", 14, out, 1, NULL), 1);
		assert_true(out[0].show == (level == GHOST_EAGER) || level != GHOST_OFF);
		assert_true(level != GHOST_OFF || !out[0].show);
		if (level == GHOST_EAGER) {
			assert_true(out[0].show);
			/* three refusals at one place: quiet there, not elsewhere */
			for (int i = 0; i < 3; i++)
				ghost_feedback(f.g, &out[0], GHOST_IGNORED);
			ghost_text_free(&out[0]);
			assert_int_equal(ghost_request(f.g, "assistant", "kindly bear wit", 15, out, 1, NULL), 1);
			assert_false(out[0].show);
			ghost_text_free(&out[0]);
			assert_int_equal(ghost_request(f.g, "assistant", "kindly bear with m", 18, out, 1, NULL), 1);
			assert_true(out[0].show);
		}
		ghost_text_free(&out[0]);
		fixture_free(&f);
	}
}

static void odd_drafts(void **state)
{
	struct fixture f = fixture(GHOST_EAGER);
	struct ghost_text out[GHOST_MAX];
	atomic_bool cancel = true;
	struct err e = ERR_INIT;
	char *big = xmalloc(100001);
	struct rng r;

	(void)state;
	assert_true(ghost_request(f.g, "nobody", "hi", 2, out, 3, &e) < 0);
	/* half an emoji, at the end; broken bytes elsewhere do no harm */
	assert_int_equal(ghost_request(f.g, "assistant", "the \xf0\x9f\x98", 7, out, 3, NULL), 0);
	assert_int_equal(ghost_request(f.g, "assistant", "the \xff", 5, out, 3, NULL), 0);
	for (int i = ghost_request(f.g, "assistant", "a \xf0\x9f the ", 9, out, 3, NULL); i > 0;)
		ghost_text_free(&out[--i]);
	/* 100,000 characters: of words, of one letter, of Chinese, of anything */
	rng_seed(&r, 6);
	for (int kind = 0; kind < 4; kind++) {
		for (size_t i = 0; i < 100000; i++)
			big[i] = kind == 0 ? (i % 6 == 5 ? ' ' : (char)('a' + i % 5)) : kind == 1 ? 'x' :
				kind == 2 ? "\xe4\xbd\xa0"[i % 3] : (char)rng_below(&r, 256);
		big[100000] = '\0';
		for (size_t n = 99997; n <= 100000; n++)
			for (int i = ghost_request(f.g, "assistant", big, n, out, 2, NULL); i > 0;)
				ghost_text_free(&out[--i]);
	}
	for (int round = 0; round < 200; round++) {
		const size_t n = rng_below(&r, 40);

		for (size_t i = 0; i < n; i++)
			big[i] = rng_below(&r, 3) ? "the re fund\n\t 1@"[rng_below(&r, 16)] : (char)rng_below(&r, 256);
		for (int i = ghost_request(f.g, "assistant", big, n, out, GHOST_MAX, NULL); i > 0;)
			ghost_text_free(&out[--i]);
	}
	free(big);
	fixture_free(&f);

	struct ghost_opts o;
	struct talk *t = talk_new(m, NULL);
	struct ghost *g;

	ghost_opts_default(&o);
	o.cancel = &cancel;
	g = ghost_new(t, NULL, &o);
	assert_int_equal(ghost_request(g, "user", "the ", 4, out, 1, &e), ERR_CANCELLED);
	ghost_free(g);
	talk_free(t);
}

/* ---- the simulated typist ---- */

static void typist(void **state)
{
	struct corpus c = { 0 };
	struct typing_opts o;
	struct typing_result one, two;

	(void)state;
	c.chat = xcalloc(3, sizeof(*c.chat));
	c.n = 3;
	for (size_t i = 0; i < 3; i++) {
		for (size_t k = 0; k < 8; k++) {
			chat_add(&c.chat[i], "user", "the order", 9, 1);
			chat_add(&c.chat[i], "assistant", "kindly bear with me the order is there", 38, 1);
		}
	}
	typing_opts_default(&o);
	assert_int_equal(typing_measure(m, &c, &o, &one, NULL), 0);
	o.threads = 2;
	assert_int_equal(typing_measure(m, &c, &o, &two, NULL), 0);
	assert_int_equal(one.turns, 24);
	assert_int_equal(one.model.boundaries, 24 * 8);
	assert_int_equal(one.model.midword, 24 * 8);
	assert_int_equal(one.model.chars, 24 * 38);
	/* whatever is proposed, no more keys than characters, and the counts add up */
	assert_int_equal(one.model.asked, one.model.typed + one.model.accepts);
	assert_true(one.model.typed + one.model.accepts <= one.model.chars);
	assert_true(one.model.oracle_keys <= one.model.typed + one.model.accepts);
	assert_true(one.model.matched <= one.model.first_right && one.model.first_right <= one.model.shown);
	assert_true(one.model.em[0] >= one.model.em[1] && one.model.em[3] >= one.model.em[4]);
	/* later turns were learned from the first */
	assert_true(one.model.keystrokes_saved > 0.1);
	/* threads do not matter */
	assert_true(one.model.em[0] == two.model.em[0] && one.model.typed == two.model.typed &&
	            one.model.brier == two.model.brier && one.model.oracle_keys == two.model.oracle_keys);
	corpus_free(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(states_agree),
		cmocka_unit_test(words_agree),
		cmocka_unit_test(allowed_words),
		cmocka_unit_test(cuts),
		cmocka_unit_test(alike),
		cmocka_unit_test(bar_moves),
		cmocka_unit_test(keystrokes),
		cmocka_unit_test(learning),
		cmocka_unit_test(showing),
		cmocka_unit_test(odd_drafts),
		cmocka_unit_test(typist),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
