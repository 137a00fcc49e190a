/* SPDX-License-Identifier: GPL-3.0-or-later */
/* evaluate: likelihoods, greedy replies, ranking, use of the context, next words. */
#include "evaluate.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../model/dialogue.h"
#include "../model/metrics.h"
#include "../model/pool.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/utf8.h"
#include "encode.h"
#include "ghost_private.h"
#include "talk.h"

enum { CANDIDATES = 100, PLACES = 5 };

struct turn_ref {
	uint32_t chat, turn;
};

struct place {
	double confidence;
	bool one, three;
};

struct job {
	struct model *m;
	const struct weights *exact, *bytes;
	const struct corpus *c;
	const struct evaluate_opts *o;
	struct dataset *ds, *raw;
	double *bits, *raw_bits, *int8_bits, *mixed_bits;      /* [all turns] */
	struct ngram *ngram;          /* beside the model, or NULL */
	char **reply;                 /* [all turns], of the turns predicted */
	struct turn_ref *turn;        /* turns predicted, in order */
	size_t n_turns;
	size_t *sample;               /* indices into turn[], for what is sampled */
	bool *hit;                    /* recall */
	double *lost;                 /* context gain: nats, by sample */
	size_t *lost_pieces;
	struct place *place;          /* [completion_turns * PLACES] */
	size_t *places;               /* how many in each */
};

void evaluate_opts_default(struct evaluate_opts *o)
{
	*o = (struct evaluate_opts){
		.as = "assistant", .from = "user", .threads = 1, .seed = 1, .recall_cases = 300,
		.completion_turns = 600, .gain_turns = 600,
	};
}

static const char *company_of(const struct job *j, const struct chat *c)
{
	return c->company ? c->company : j->o->company;
}

/* ---- likelihood ---- */

/* Of the model and the n-grams beside it together, mixed as completion mixes them. lp: log p of the model. */
static double mixed_nats(const struct ngram *g, const int32_t *read, const int32_t *target, const float *lp, size_t n)
{
	double nats = 0;

	for (size_t r = 0; r < n; r++) {
		const double w = ghost_mix.model_weight[ngram_trust(g, read, r + 1)];

		nats -= log(w * exp((double)lp[r]) + (1 - w) * ngram_prob(g, read, r + 1, target[r]));
	}
	return nats;
}

/* mixed: NULL, or the same with the n-grams mixed in. */
static void dialogue_bits(const struct job *j, const struct weights *w, const struct dataset *ds, size_t d, double *bits,
                          double *mixed)
{
	struct arena *a = arena_new(1 << 22);
	const size_t first = ds->first_turn[d];
	const struct batch_item item = { (uint32_t)d, (uint32_t)first, (uint32_t)ds->first_turn[d + 1] };
	const struct dialogue_opts o = { 0 };
	struct dialogue_batch b;
	struct dialogue_pass p;

	batch_build(&b, a, ds, &item, 1, 0, NULL);

	float *lp = arena_alloc(a, b.rows * sizeof(*lp));

	dialogue_forward(&p, w, a, &b, &o);
	dialogue_loss(&p, lp, NULL);
	for (size_t t = 0; t < b.turns; t++) {
		double nats = 0;

		for (size_t r = 0; r < b.turn[t].len; r++)
			nats -= (double)lp[b.turn[t].start + r];
		bits[first + t] = nats / log(2.0);
		if (mixed)
			mixed[first + t] = mixed_nats(j->ngram, b.ids + b.turn[t].start, b.target + b.turn[t].start,
			                              lp + b.turn[t].start, b.turn[t].len) / log(2.0);
	}
	arena_free(a);
}

static void likelihood_task(size_t d, void *arg)
{
	struct job *j = arg;

	dialogue_bits(j, j->exact, j->ds, d, j->bits, j->ngram ? j->mixed_bits : NULL);
	dialogue_bits(j, j->exact, j->raw, d, j->raw_bits, NULL);
	dialogue_bits(j, j->bytes, j->ds, d, j->int8_bits, NULL);
}

/* ---- greedy replies ---- */

static void reply_task(size_t d, void *arg)
{
	struct job *j = arg;
	const struct chat *c = &j->c->chat[d];
	struct talk *t = talk_new(j->m, company_of(j, c));
	struct talk_opts o;

	talk_opts_default(&o);
	for (size_t i = 0; i < c->n; i++) {
		const struct chat_message *m = &c->messages[i];
		struct talk_reply r;

		if (strcmp(m->role, j->o->as) == 0 && talk_reply(t, j->o->as, &o, &r, NULL) == 0) {
			j->reply[j->ds->first_turn[d] + i] = xstrdup(r.text.s);
			talk_reply_free(&r);
		}
		talk_add(t, m->role, m->content, m->len, NULL);
	}
	talk_free(t);
}

/* ---- ranking: the true turn among 99 of other conversations ---- */

static struct session *context_session(const struct job *j, size_t d, size_t turns)
{
	struct session *s = session_new(j->m);
	const size_t first = j->ds->first_turn[d];

	for (size_t t = first; t < first + turns && t < j->ds->first_turn[d + 1]; t++) {
		const struct dataset_turn *dt = &j->ds->turn[t];

		session_add(s, dt->tag, j->ds->ids + dt->first, dt->n);
	}
	return s;
}

static const struct dataset_turn *turn_at(const struct job *j, struct turn_ref r)
{
	return &j->ds->turn[j->ds->first_turn[r.chat] + r.turn];
}

static int longer_first(const void *a, const void *b)
{
	const struct dataset_turn *x = *(const struct dataset_turn *const *)a;
	const struct dataset_turn *y = *(const struct dataset_turn *const *)b;

	if (x->n != y->n)
		return x->n > y->n ? -1 : 1;
	return x->first < y->first ? -1 : x->first > y->first;
}

/* All candidates as one batch, longest first, so that finished ones drop off its end. */
static void recall_task(size_t i, void *arg)
{
	struct job *j = arg;
	const size_t V = j->m->w->cfg.vocab;
	const struct turn_ref ref = j->turn[j->sample[i]];
	const struct dataset_turn *cand[CANDIDATES], *truth = turn_at(j, ref);
	struct session *s = context_session(j, ref.chat, ref.turn);
	struct decode_state st, one;
	real *logp = mem_aligned(CANDIDATES * V * sizeof(real));
	double score[CANDIDATES] = { 0 };
	int32_t ids[CANDIDATES];
	size_t alive = CANDIDATES, best = 0;
	struct rng r;

	rng_seed(&r, rng_hash(j->o->seed + 17, i));
	cand[0] = truth;
	for (size_t k = 1; k < CANDIDATES;) {
		const struct turn_ref other = j->turn[rng_below(&r, j->n_turns)];

		if (other.chat != ref.chat || j->c->n < 2)
			cand[k++] = turn_at(j, other);
	}
	qsort(cand, CANDIDATES, sizeof(cand[0]), longer_first);
	decode_state_init(&one, j->m, 1);
	decode_state_init(&st, j->m, CANDIDATES);
	session_start(s, truth->tag, &one, logp);
	for (size_t k = 0; k < CANDIDATES; k++) {
		decode_state_copy(&st, k, &one, 0);
		if (k > 0)
			memcpy(logp + k * V, logp, V * sizeof(real));
	}
	for (size_t at = 0; alive > 0; at++) {
		for (size_t k = 0; k < alive; k++) {
			ids[k] = at < cand[k]->n ? j->ds->ids[cand[k]->first + at] : TOKEN_EOT;
			score[k] += (double)logp[k * V + (size_t)ids[k]];
		}
		while (alive > 0 && at >= cand[alive - 1]->n)
			alive--;
		st.rows = alive;
		if (alive > 0)
			session_step(s, &st, ids, logp);
	}
	for (size_t k = 0; k < CANDIDATES; k++) {
		score[k] /= (double)cand[k]->n + 1;
		if (score[k] > score[best])
			best = k;
	}
	j->hit[i] = cand[best] == truth;
	decode_state_fini(&st);
	decode_state_fini(&one);
	mem_aligned_free(logp);
	session_free(s);
}

/* ---- use of the context ---- */

static void gain_task(size_t i, void *arg)
{
	struct job *j = arg;
	const struct turn_ref ref = j->turn[j->sample[i]];
	const struct dataset_turn *dt = turn_at(j, ref);
	size_t other;
	struct rng r;

	rng_seed(&r, rng_hash(j->o->seed + 23, i));
	do
		other = rng_below(&r, j->c->n);
	while (other == ref.chat && j->c->n > 1);

	struct session *own = context_session(j, ref.chat, ref.turn), *strange = context_session(j, other, ref.turn);

	j->lost[i] = decode_score(own, dt->tag, j->ds->ids + dt->first, dt->n, NULL) -
		decode_score(strange, dt->tag, j->ds->ids + dt->first, dt->n, NULL);
	j->lost_pieces[i] = dt->n + 1;
	session_free(own);
	session_free(strange);
}

/* ---- next words ---- */

static void completion_task(size_t i, void *arg)
{
	struct job *j = arg;
	const struct turn_ref ref = j->turn[j->sample[i]];
	const struct chat *c = &j->c->chat[ref.chat];
	const char *text = c->messages[ref.turn].content, *p = text, *word;
	const size_t words = metrics_count_words(text);
	struct talk *t = talk_new(j->m, company_of(j, c));
	struct rng r;
	size_t len, n = 0;

	rng_seed(&r, rng_hash(j->o->seed + 31, i));
	for (size_t k = 0; k < ref.turn; k++)
		talk_add(t, c->messages[k].role, c->messages[k].content, c->messages[k].len, NULL);
	/* PLACES of the words, each equally likely, in order (selection sampling) */
	for (size_t w = 0; (word = metrics_word(&p, &len)) && n < PLACES; w++) {
		const size_t want = words < PLACES ? words : PLACES;

		if (rng_below(&r, words - w) >= want - n)
			continue;

		struct complete_opts o;
		struct talk_completion one[1], three[1];
		const size_t prefix = (size_t)(word - text);   /* up to and with the white space */
		struct place *pl = &j->place[i * PLACES + n++];

		complete_opts_default(&o);
		o.beam = 4;
		o.max_words = 1;
		if (talk_complete(t, j->o->as, text, prefix, &o, one, 1, NULL) == 1) {
			pl->confidence = one[0].confidence;
			pl->one = metrics_same_words(one[0].text.s, text + prefix, 1);
			str_free(&one[0].text);
		}
		o.max_words = 3;
		if (talk_complete(t, j->o->as, text, prefix, &o, three, 1, NULL) == 1) {
			pl->three = metrics_same_words(three[0].text.s, text + prefix, 3);
			str_free(&three[0].text);
		}
	}
	j->places[i] = n;
	talk_free(t);
}

/* ---- putting it together ---- */

static void write_turns(const struct job *j)
{
	for (size_t d = 0; d < j->c->n; d++) {
		for (size_t i = 0; i < j->c->chat[d].n; i++) {
			const size_t t = j->ds->first_turn[d] + i;
			const struct chat_message *m = &j->c->chat[d].messages[i];
			json_t *o = json_pack("{s:I, s:I, s:s, s:f, s:f, s:I}", "conversation", (json_int_t)d,
			                      "turn", (json_int_t)i, "role", m->role, "bits", j->bits[t],
			                      "bits_raw", j->raw_bits[t], "chars", (json_int_t)j->ds->turn[t].chars);
			char *line;

			if (j->reply[t])
				json_object_set_new(o, "reply", json_string(j->reply[t]));
			line = json_dumps(o, JSON_REAL_PRECISION(10));
			fprintf(j->o->per_turn, "%s\n", line);
			free(line);
			json_decref(o);
		}
	}
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* How canned the replies are: different ones, and turns whose reply at least three others got. */
static void canned(const struct job *j, struct evaluate_result *r)
{
	const char **all = xcalloc(j->n_turns + 1, sizeof(*all));
	size_t n = 0, different = 0, shared = 0;

	for (size_t i = 0; i < j->n_turns; i++) {
		const char *text = j->reply[j->ds->first_turn[j->turn[i].chat] + j->turn[i].turn];

		if (text)
			all[n++] = text;
	}
	qsort(all, n, sizeof(*all), by_text);
	for (size_t i = 0, k; i < n; i = k) {
		for (k = i; k < n && strcmp(all[k], all[i]) == 0; k++)
			;
		different++;
		if (k - i >= 4)
			shared += k - i;
	}
	r->different_replies = n ? (double)different / (double)n : 0;
	r->shared_by_four = n ? (double)shared / (double)n : 0;
	free(all);
}

static void texts(const struct job *j, struct evaluate_result *r)
{
	struct metrics_bleu bleu = { 0 };
	struct metrics_chrf chrf = { 0 };
	struct metrics_distinct *hyp = metrics_distinct_new(), *ref = metrics_distinct_new();

	for (size_t i = 0; i < j->n_turns; i++) {
		const struct turn_ref t = j->turn[i];
		const char *reply = j->reply[j->ds->first_turn[t.chat] + t.turn];
		const char *truth = j->c->chat[t.chat].messages[t.turn].content;

		if (!reply)
			continue;
		metrics_bleu_add(&bleu, reply, truth);
		metrics_chrf_add(&chrf, reply, truth);
		metrics_distinct_add(hyp, reply);
		metrics_distinct_add(ref, truth);
	}
	r->bleu = metrics_bleu_score(&bleu);
	r->chrf = metrics_chrf_score(&chrf);
	r->distinct1 = metrics_distinct_score(hyp, 1, NULL, NULL);
	r->distinct2 = metrics_distinct_score(hyp, 2, NULL, NULL);
	r->distinct1_reference = metrics_distinct_score(ref, 1, NULL, NULL);
	r->distinct2_reference = metrics_distinct_score(ref, 2, NULL, NULL);
	metrics_distinct_free(hyp);
	metrics_distinct_free(ref);
	canned(j, r);
}

static void likelihoods(struct job *j, struct evaluate_result *r)
{
	for (size_t d = 0; d < j->c->n; d++) {
		for (size_t i = 0; i < j->c->chat[d].n; i++) {
			const struct chat_message *m = &j->c->chat[d].messages[i];
			const size_t t = j->ds->first_turn[d] + i;

			if (strcmp(m->role, j->o->as) == 0) {
				j->turn[j->n_turns++] = (struct turn_ref){ (uint32_t)d, (uint32_t)i };
				r->bits += j->bits[t];
				r->raw_bits += j->raw_bits[t];
				r->int8_bits += j->int8_bits[t];
				r->mixed_bits += j->mixed_bits[t];
				r->chars += j->ds->turn[t].chars;
				r->pieces += j->ds->turn[t].n + 1;
				r->words += metrics_count_words(m->content);
			} else if (strcmp(m->role, j->o->from) == 0) {
				r->user_turns++;
				r->user_bits += j->bits[t];
				r->user_chars += j->ds->turn[t].chars;
			}
		}
	}
	r->turns = j->n_turns;
	r->bits_per_char = r->chars ? r->bits / (double)r->chars : 0;
	r->bits_per_char_raw = r->chars ? r->raw_bits / (double)r->chars : 0;
	r->bits_per_char_int8 = r->chars ? r->int8_bits / (double)r->chars : 0;
	r->mixed = j->ngram != NULL;
	r->bits_per_char_mixed = r->chars ? r->mixed_bits / (double)r->chars : 0;
	r->int8_change = r->bits > 0 ? r->int8_bits / r->bits - 1 : 0;
	r->user_bits_per_char = r->user_chars ? r->user_bits / (double)r->user_chars : 0;
	r->perplexity_word = r->words ? exp2(r->bits / (double)r->words) : 0;
}

static void next_words(struct job *j, size_t n, struct evaluate_result *r)
{
	double *confidence = xcalloc(n * PLACES + 1, sizeof(*confidence));
	bool *right = xcalloc(n * PLACES + 1, sizeof(*right));
	size_t one = 0, three = 0, all = 0;

	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < j->places[i]; k++, all++) {
			const struct place *p = &j->place[i * PLACES + k];

			confidence[all] = p->confidence;
			right[all] = p->one;
			one += p->one;
			three += p->three;
		}
	}
	r->boundaries = all;
	r->em1 = all ? (double)one / (double)all : 0;
	r->em3 = all ? (double)three / (double)all : 0;
	r->precision_at_25 = metrics_precision_at(confidence, right, all, 0.25, NULL);
	r->precision_at_40 = metrics_precision_at(confidence, right, all, 0.40, NULL);
	free(confidence);
	free(right);
}

/* A seeded sample of the predicted turns, the same for what is measured on it. */
static size_t sample_turns(struct job *j, size_t want, uint64_t salt)
{
	struct rng r;

	rng_seed(&r, rng_hash(j->o->seed, salt));
	for (size_t i = 0; i < j->n_turns; i++)
		j->sample[i] = i;
	rng_shuffle(&r, j->sample, j->n_turns, sizeof(*j->sample));
	return want < j->n_turns ? want : j->n_turns;
}

static void slow_part(struct job *j, struct pool *pool, struct evaluate_result *r)
{
	double lost = 0;
	size_t n, hits = 0;

	pool_run(pool, j->c->n, reply_task, j);
	texts(j, r);
	if (j->c->n > 1) {
		n = sample_turns(j, j->o->recall_cases, 1);
		pool_run(pool, n, recall_task, j);
		for (size_t i = 0; i < n; i++)
			hits += j->hit[i];
		r->recall_cases = n;
		r->recall1_of_100 = n ? (double)hits / (double)n : 0;
		n = sample_turns(j, j->o->gain_turns, 2);
		pool_run(pool, n, gain_task, j);
		for (size_t i = 0; i < n; i++) {
			lost += j->lost[i];
			r->gain_pieces += j->lost_pieces[i];
		}
		r->context_gain = r->gain_pieces ? lost / (double)r->gain_pieces : 0;
	}
	n = sample_turns(j, j->o->completion_turns, 3);
	pool_run(pool, n, completion_task, j);
	next_words(j, n, r);
}

int evaluate(struct model *m, const struct corpus *c, const struct evaluate_opts *o,
             struct evaluate_result *r, struct err *e)
{
	struct weights *bytes = NULL;
	struct model *exact;
	struct job j = { .m = m, .c = c, .o = o, .ds = dataset_new(), .raw = dataset_new() };
	struct pool *pool;
	int rc;

	memset(r, 0, sizeof(*r));
	if ((rc = model_as_f32(&exact, m, e)) < 0) {
		dataset_free(j.ds);
		dataset_free(j.raw);
		return rc;
	}
	pool = pool_new(o->threads);
	j.exact = exact->w;
	j.bytes = m->w->bytes ? m->w : (bytes = weights_bytes_from(m->w));
	corpus_encode(c, m->tok, o->company, true, j.ds);
	corpus_encode(c, m->tok, o->company, false, j.raw);
	r->conversations = c->n;
	j.bits = xcalloc(j.ds->n_turns + 1, sizeof(double));
	j.raw_bits = xcalloc(j.ds->n_turns + 1, sizeof(double));
	j.int8_bits = xcalloc(j.ds->n_turns + 1, sizeof(double));
	j.mixed_bits = xcalloc(j.ds->n_turns + 1, sizeof(double));
	j.ngram = ghost_ngram(m);
	j.reply = xcalloc(j.ds->n_turns + 1, sizeof(*j.reply));
	j.turn = xcalloc(j.ds->n_turns + 1, sizeof(*j.turn));
	j.sample = xcalloc(j.ds->n_turns + 1, sizeof(*j.sample));
	j.hit = xcalloc(o->recall_cases + 1, sizeof(bool));
	j.lost = xcalloc(o->gain_turns + 1, sizeof(double));
	j.lost_pieces = xcalloc(o->gain_turns + 1, sizeof(size_t));
	j.place = xcalloc(o->completion_turns * PLACES + 1, sizeof(*j.place));
	j.places = xcalloc(o->completion_turns + 1, sizeof(size_t));
	pool_run(pool, c->n, likelihood_task, &j);
	likelihoods(&j, r);
	rc = r->turns ? 0 : err_set(e, ERR_FORMAT, "no turn of role '%s' to evaluate", o->as);

	if (rc == 0 && !o->fast)
		slow_part(&j, pool, r);
	if (rc == 0 && o->per_turn)
		write_turns(&j);
	for (size_t i = 0; i < j.ds->n_turns; i++)
		free(j.reply[i]);
	free(j.bits);
	free(j.raw_bits);
	free(j.int8_bits);
	free(j.mixed_bits);
	ngram_free(j.ngram);
	free(j.reply);
	free(j.turn);
	free(j.sample);
	free(j.hit);
	free(j.lost);
	free(j.lost_pieces);
	free(j.place);
	free(j.places);
	dataset_free(j.ds);
	dataset_free(j.raw);
	pool_free(pool);
	weights_free(bytes);
	model_unref(exact);
	return rc;
}
