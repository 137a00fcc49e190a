/* SPDX-License-Identifier: GPL-3.0-or-later */
/* talk: text in, text out, over one session. */
#include "talk.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "encode.h"
#include "fit.h"
#include "redact.h"

struct talk {
	struct model *m;
	struct session *s;
	struct redact_map *map;
	struct tokenizer_cache *cache;
	uint8_t *banned;              /* [V] */
	int32_t company;              /* its placeholder */
};

struct talk *talk_new(struct model *m, const char *company)
{
	struct talk *t = xcalloc(1, sizeof(*t));

	t->m = model_ref(m);
	t->s = session_new(m);
	t->map = redact_map_new(company && *company ? company : TALK_NO_COMPANY);
	t->cache = tokenizer_cache_new();
	t->banned = xcalloc(m->w->cfg.vocab, 1);
	t->company = tokenizer_placeholder(m->tok, REDACT_COMPANY, 1);
	return t;
}

void talk_free(struct talk *t)
{
	if (!t)
		return;
	session_free(t->s);
	redact_map_free(t->map);
	tokenizer_cache_free(t->cache);
	model_unref(t->m);
	free(t->banned);
	free(t);
}

static int role_tag(const struct talk *t, const char *role, int32_t *tag, struct err *e)
{
	*tag = tokenizer_tag(t->m->tok, role);
	if (*tag < 0)
		return err_set(e, ERR_USAGE, "this model has no role '%.40s'; `answerback model info` lists its roles", role);
	return 0;
}

int talk_add(struct talk *t, const char *role, const char *text, size_t len, struct err *e)
{
	struct tokens ids = { 0 };
	size_t from = len > TALK_SEES ? len - TALK_SEES : 0;
	int32_t tag;
	int rc = role_tag(t, role, &tag, e);

	if (rc < 0)
		return rc;
	while (from > 0 && from < len && ((unsigned char)text[from] & 0xc0) == 0x80)
		from++;
	encode_text(t->m->tok, t->cache, t->map, text + from, len - from, &ids);
	session_add(t->s, tag, ids.ids, ids.n);
	tokens_free(&ids);
	return 0;
}

int talk_add_chat(struct talk *t, const struct chat *c, struct err *e)
{
	for (size_t i = 0; i < c->n; i++) {
		int rc = talk_add(t, c->messages[i].role, c->messages[i].content, c->messages[i].len, e);

		if (rc < 0)
			return rc;
	}
	return 0;
}

size_t talk_turns(const struct talk *t)
{
	return session_turns(t->s);
}

void talk_truncate(struct talk *t, size_t turns)
{
	session_truncate(t->s, turns);
}

struct session *talk_session(struct talk *t)
{
	return t->s;
}

struct model *talk_model(struct talk *t)
{
	return t->m;
}

struct redact_map *talk_map(struct talk *t)
{
	return t->map;
}

void talk_text(const struct talk *t, const int32_t *ids, size_t n, struct str *out)
{
	decode_text(t->m->tok, t->map, ids, n, out);
}

double talk_confidence(double score)
{
	return exp(score < 0 ? score : 0);
}

void talk_opts_default(struct talk_opts *o)
{
	memset(o, 0, sizeof(*o));
	decode_opts_default(&o->decode);
}

void talk_opts_best(struct talk_opts *o)
{
	talk_opts_default(o);
	o->decode.method = DECODE_BEAM;
	o->decode.beam = 8;
	o->rerank = 0.3;
}

void talk_reply_free(struct talk_reply *r)
{
	str_free(&r->text);
}

static double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return 1e3 * (double)ts.tv_sec + 1e-6 * (double)ts.tv_nsec;
}

/* Text goes out in whole characters: bytes of a split one wait for the next piece. */
struct stream {
	struct talk *t;
	const struct talk_opts *o;
	struct str text;
	size_t sent;
};

static bool stream_token(int32_t id, double logp, void *arg)
{
	struct stream *st = arg;
	size_t ready;

	(void)logp;
	decode_text(st->t->m->tok, st->t->map, &id, 1, &st->text);
	ready = st->sent + utf8_valid_upto(st->text.s + st->sent, st->text.len - st->sent);
	/* a broken byte that no continuation can mend must not hold up everything after it */
	if (ready < st->text.len && st->text.len - ready >= 4)
		ready = st->text.len;
	/* the first piece of a reply may begin with a space that nobody wants to see */
	if (st->sent == 0)
		while (st->sent < ready && st->text.s[st->sent] == ' ')
			st->sent++;
	if (ready == st->sent || !st->o->text)
		return true;

	bool go_on = st->o->text(st->text.s + st->sent, ready - st->sent, st->o->arg);

	st->sent = ready;
	return go_on;
}

bool talk_invents_number(const char *text, const char *said)
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

static void as_text(const struct talk *t, const int32_t *ids, size_t n, struct str *out)
{
	str_reset(out);
	tokenizer_decode(t->m->tok, ids, n, out);      /* placeholders as their names: their digits are not the model's */
}

/* What the other side said last, placeholders as their names. */
static void last_message(const struct talk *t, int32_t tag, struct str *out)
{
	const struct tokenizer *tok = t->m->tok;
	size_t n, from;
	const int32_t *ids = session_ids(t->s, &n);

	str_reset(out);
	for (from = n; from > 0; from--)
		if (tokenizer_tag_name(tok, ids[from - 1]) && ids[from - 1] != tag)
			break;
	if (from > 0) {
		size_t to = from;

		while (to < n && !tokenizer_tag_name(tok, ids[to]))
			to++;
		as_text(t, ids + from, to - from, out);
	}
}

/* The best of several beams: its mean log-probability, and how well it answers what was asked (fit.h). Counting
 * against a reply how likely it is anywhere (Li et al. 2016) was measured in its place, and made replies worse. */
enum { INVENTED = 100 };      /* nats a token: behind every beam that invents nothing */

static void pick_fitting(struct talk *t, int32_t tag, const struct talk_opts *o,
                         const struct decode_opts *d, struct decode_result *out)
{
	enum { N = 8 };
	struct decode_result r[N];
	size_t n = decode_beam(t->s, tag, d, r, N), best = 0, rows;
	const int32_t *ids = session_ids(t->s, &rows);
	struct str said = STR_INIT, text = STR_INIT;
	double best_score = -INFINITY;
	struct fit *fit = NULL;

	/* the encoder knows messages and their answers, not texts and their translations */
	if (tag == tokenizer_tag(t->m->tok, "assistant"))
		last_message(t, tag, &text);
	if (text.len > 0)
		fit = fit_new(fit_encoder(), text.s, text.len);
	as_text(t, ids, rows, &said);
	for (size_t i = 0; i < n; i++) {
		double score = decode_mean_log_prob(&r[i]);

		as_text(t, r[i].ids.ids, r[i].ids.n, &text);
		if (fit && text.len > 0)
			score += o->rerank * fit_of(fit, text.s, text.len);
		if (talk_invents_number(text.s ? text.s : "", said.s ? said.s : ""))
			score -= INVENTED;
		if (score > best_score) {
			best_score = score;
			best = i;
		}
	}
	*out = r[best];
	for (size_t i = 0; i < N; i++)
		if (i != best)
			decode_result_free(&r[i]);
	fit_free(fit);
	str_free(&said);
	str_free(&text);
}

int talk_reply(struct talk *t, const char *role, const struct talk_opts *o, struct talk_reply *r, struct err *e)
{
	const double start = now_ms();
	struct decode_opts d = o->decode;
	struct decode_result res;
	struct stream st = { t, o, STR_INIT, 0 };
	int32_t tag;
	int rc = role_tag(t, role, &tag, e);

	memset(r, 0, sizeof(*r));
	r->text = (struct str)STR_INIT;
	if (rc < 0)
		return rc;
	decode_ban_absent(t->s, t->banned, &t->company, 1);
	d.banned = t->banned;
	d.token = stream_token;
	d.arg = &st;
	if (o->rerank > 0) {
		pick_fitting(t, tag, o, &d, &res);
		for (size_t i = 0; i < res.ids.n; i++)
			if (!stream_token(res.ids.ids[i], 0, &st))
				break;
	} else {
		decode_turn(t->s, tag, &d, &res);
	}
	if (o->text && st.sent < st.text.len)
		o->text(st.text.s + st.sent, st.text.len - st.sent, o->arg);

	size_t skip = 0;

	while (skip < st.text.len && st.text.s[skip] == ' ')
		skip++;
	str_add(&r->text, st.text.s + skip, st.text.len - skip);
	r->score = decode_mean_log_prob(&res);
	r->confidence = talk_confidence(r->score);
	r->tokens = res.ids.n;
	r->cancelled = res.cancelled;
	r->ms = now_ms() - start;
	str_free(&st.text);
	decode_result_free(&res);
	return 0;
}

int talk_complete(struct talk *t, const char *role, const char *prefix, size_t len,
                  const struct complete_opts *o, struct talk_completion *out, size_t n, struct err *e)
{
	const size_t V = t->m->w->cfg.vocab, cut = complete_cut(prefix, len);
	/* what is typed now is not said yet: its codes must not take numbers in the conversation */
	struct redact_map *map = redact_map_clone(t->map);
	struct complete_opts opts = *o;
	struct completion *c = xcalloc(n + 1, sizeof(*c));
	struct tokens ids = { 0 };
	struct decode_state st;
	int32_t tag;
	int rc = role_tag(t, role, &tag, e);

	if (rc == 0) {
		real *logp = mem_aligned(V * sizeof(real));
		size_t found;

		encode_text(t->m->tok, t->cache, map, prefix, cut, &ids);
		decode_state_init(&st, t->m, 1);
		session_start(t->s, tag, &st, logp);
		for (size_t i = 0; i < ids.n; i++)
			session_step(t->s, &st, &ids.ids[i], i + 1 == ids.n ? logp : NULL);
		decode_ban_absent(t->s, t->banned, NULL, 0);
		/* a completion is bytes that follow bytes: placeholders have none of their own */
		for (size_t i = 0; i < V; i++)
			if (tokenizer_is_control(t->m->tok, (int32_t)i))
				t->banned[i] = 1;
		opts.banned = t->banned;
		found = complete_from(t->s, &st, logp, prefix + cut, len - cut, &opts, c, n);
		for (size_t i = 0; i < found; i++) {
			/* half a character is no text: leave that completion out */
			if (utf8_valid_upto(c[i].text.s, c[i].text.len) < c[i].text.len) {
				completion_free(&c[i]);
				continue;
			}
			out[rc].text = c[i].text;
			out[rc].score = c[i].log_prob / (double)(c[i].tokens ? c[i].tokens : 1);
			out[rc].confidence = exp(c[i].log_prob < 0 ? c[i].log_prob : 0);
			tokens_free(&c[i].ids);
			rc++;
		}
		decode_state_fini(&st);
		mem_aligned_free(logp);
	}
	tokens_free(&ids);
	free(c);
	redact_map_free(map);
	return rc;
}
