/* SPDX-License-Identifier: GPL-3.0-or-later */
/* choose: candidates gathered, scored and put in order. */
#include "choose.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "base/str.h"
#include "fit.h"

/* In nats a token. REPEATED: of later turns in held-out conversations 7 % of the runs of three words were said before,
 * 6 % with it, 5 % in people's. CLOSE: one this much less likely than the likeliest is no alternative to it. INVENTED:
 * behind every one that invents nothing. */
#define REPEATED 0.4
#define CLOSE 0.2
#define INVENTED 100

/* A reply with so much of all probability was learned for this question: none that fits better is meant, and its numbers
 * are what was taught. Of two such the likelier. */
#define SURE 0.6
#define LEARNED 1000

enum { RUN = 3, REMEMBERED = 4000 };      /* pieces */

bool choose_invents_number(const char *text, const char *said)
{
	for (const char *p = text; *p;) {
		size_t n = strspn(p, "0123456789");

		if (n >= 3) {
			bool found = false;

			for (const char *q = said; !found && (q = strpbrk(q, "0123456789")) != NULL;) {
				const size_t k = strspn(q, "0123456789");

				found = k == n && memcmp(q, p, n) == 0;
				q += k;
			}
			if (!found)
				return true;
		}
		p += n ? n : 1;
	}
	return false;
}

static void as_text(const struct session *s, const int32_t *ids, size_t n, struct str *out)
{
	str_reset(out);
	/* placeholders as their names: their digits are not the model's */
	tokenizer_decode(session_model(s)->tok, ids, n, out);
}

/* What the other side said last. */
static void last_message(const struct session *s, int32_t tag, struct str *out)
{
	const struct tokenizer *tok = session_model(s)->tok;
	size_t n, from;
	const int32_t *ids = session_ids(s, &n);

	str_reset(out);
	for (from = n; from > 0; from--)
		if (tokenizer_tag_name(tok, ids[from - 1]) && ids[from - 1] != tag)
			break;
	if (from > 0) {
		size_t to = from;

		while (to < n && !tokenizer_tag_name(tok, ids[to]))
			to++;
		as_text(s, ids + from, to - from, out);
	}
}

/* Share of ids' runs of three that side `tag` has said before. People repeat themselves little, and a beam that asks
 * again what was asked is a likely one. */
double choose_repeats(const struct session *s, int32_t tag, const int32_t *ids, size_t n)
{
	const struct tokenizer *tok = session_model(s)->tok;
	size_t rows, from, seen = 0;
	const int32_t *said = session_ids(s, &rows);

	if (n < RUN)
		return 0;
	from = rows > REMEMBERED ? rows - REMEMBERED : 0;
	for (size_t i = 0; i + RUN <= n; i++) {
		bool found = false, own = false;      /* the rest of a turn that was cut counts for nobody */

		for (size_t k = from; !found && k + RUN <= rows; k++) {
			if (tokenizer_tag_name(tok, said[k]))
				own = said[k] == tag;
			found = own && memcmp(said + k, ids + i, RUN * sizeof(*ids)) == 0;
		}
		seen += found;
	}
	return (double)seen / (double)(n - RUN + 1);
}

static bool same_ids(const struct tokens *a, const struct tokens *b)
{
	return a->n == b->n && (a->n == 0 || memcmp(a->ids, b->ids, a->n * sizeof(*a->ids)) == 0);
}

/* All different candidates, unscored; at least one. */
static size_t gather(struct session *s, int32_t tag, const struct decode_opts *d, size_t samples, struct choice *c)
{
	struct decode_result beam[CHOOSE_BEAMS];
	struct decode_opts o = *d;
	size_t n = decode_beam(s, tag, d, beam, CHOOSE_BEAMS);

	for (size_t i = 0; i < CHOOSE_BEAMS; i++) {
		if (i < n)
			c[i].r = beam[i];
		else
			decode_result_free(&beam[i]);
	}
	o.method = DECODE_SAMPLE;
	o.token = NULL;
	o.top_p = 0.8;
	o.temperature = 0.7;
	for (size_t k = 0; k < samples && k < CHOOSE_SAMPLES; k++) {
		bool known = false;

		if (o.cancel && atomic_load(o.cancel))
			break;
		o.seed = rng_hash(d->seed, k);
		decode_turn(s, tag, &o, &c[n].r);
		for (size_t i = 0; i < n; i++)
			known = known || same_ids(&c[i].r.ids, &c[n].r.ids);
		if (known || c[n].r.cancelled)
			decode_result_free(&c[n].r);
		else
			n++;
	}
	if (n == 0)      /* every piece is ruled out */
		c[n++] = (struct choice){ 0 };
	return n;
}

static int best_first(const void *a, const void *b)
{
	const struct choice *x = a, *y = b;

	return (x->score < y->score) - (x->score > y->score);
}

size_t choose(struct session *s, int32_t tag, const struct decode_opts *d, double weight, size_t samples,
              struct choice *out, size_t most)
{
	struct choice c[CHOOSE_BEAMS + CHOOSE_SAMPLES];
	const size_t n = gather(s, tag, d, samples, c);
	struct str said = STR_INIT, text = STR_INIT;
	struct fit *fit = NULL;
	double likeliest = -INFINITY;
	size_t rows;
	const int32_t *ids = session_ids(s, &rows);

	/* the encoder knows messages and their answers, not texts and their translations */
	if (weight > 0 && tag == tokenizer_tag(session_model(s)->tok, "assistant")) {
		last_message(s, tag, &text);
		if (text.len > 0)
			fit = fit_new(fit_shipped(), text.s, text.len);
	}
	as_text(s, ids, rows, &said);
	for (size_t i = 0; i < n; i++)
		likeliest = fmax(likeliest, decode_mean_log_prob(&c[i].r));
	for (size_t i = 0; i < n; i++) {
		c[i].score = decode_mean_log_prob(&c[i].r);
		if (c[i].score < likeliest - CLOSE)
			c[i].score -= 1;
		as_text(s, c[i].r.ids.ids, c[i].r.ids.n, &text);
		if (fit && text.len > 0)
			c[i].score += weight * fit_of(fit, text.s, text.len);
		if (weight > 0)
			c[i].score -= REPEATED * choose_repeats(s, tag, c[i].r.ids.ids, c[i].r.ids.n);
		if (choose_invents_number(text.s ? text.s : "", said.s ? said.s : ""))
			c[i].score -= INVENTED;
		if (c[i].r.ended && c[i].r.log_prob > log(SURE))
			c[i].score = LEARNED + c[i].r.log_prob;
		if (!isfinite(c[i].score))
			c[i].score = -1e9;
	}
	/* of equals the likelier beam; n is small, and the library's sort need not be stable */
	for (size_t i = 0; i < n; i++)
		c[i].score -= 1e-9 * (double)i;
	qsort(c, n, sizeof(c[0]), best_first);
	for (size_t i = 0; i < n; i++) {
		if (i < most)
			out[i] = c[i];
		else
			decode_result_free(&c[i].r);
	}
	fit_free(fit);
	str_free(&said);
	str_free(&text);
	return n < most ? n : most;
}
