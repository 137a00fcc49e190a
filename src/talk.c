/* SPDX-License-Identifier: GPL-3.0-or-later */
/* talk: text in, text out, over one session. */
#include "talk.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "choose.h"
#include "encode.h"
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

static void fill_reply(struct talk_reply *r, const struct decode_result *res, const char *text, size_t len)
{
	size_t skip = 0;

	memset(r, 0, sizeof(*r));
	r->text = (struct str)STR_INIT;
	while (skip < len && text[skip] == ' ')
		skip++;
	str_add(&r->text, text + skip, len - skip);
	r->score = decode_mean_log_prob(res);
	r->confidence = talk_confidence(r->score);
	r->tokens = res->ids.n;
	r->cancelled = res->cancelled;
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
		struct choice best;

		choose(t->s, tag, &d, o->rerank, 0, &best, 1);
		res = best.r;
		for (size_t i = 0; i < res.ids.n; i++)
			if (!stream_token(res.ids.ids[i], 0, &st))
				break;
	} else {
		decode_turn(t->s, tag, &d, &res);
	}
	if (o->text && st.sent < st.text.len)
		o->text(st.text.s + st.sent, st.text.len - st.sent, o->arg);
	fill_reply(r, &res, st.text.s, st.text.len);
	r->ms = now_ms() - start;
	str_free(&st.text);
	decode_result_free(&res);
	return 0;
}

int talk_replies(struct talk *t, const char *role, const struct talk_opts *o, size_t samples, struct talk_reply *r,
                 size_t most, struct err *e)
{
	const double start = now_ms();
	struct decode_opts d = o->decode;
	struct choice *c;
	size_t n;
	int32_t tag;
	int rc = role_tag(t, role, &tag, e);

	if (rc < 0)
		return rc;
	decode_ban_absent(t->s, t->banned, &t->company, 1);
	d.banned = t->banned;
	c = xcalloc(most + 1, sizeof(*c));
	n = choose(t->s, tag, &d, o->rerank, samples, c, most);
	for (size_t i = 0; i < n; i++) {
		struct str text = STR_INIT;

		talk_text(t, c[i].r.ids.ids, c[i].r.ids.n, &text);
		fill_reply(&r[i], &c[i].r, text.s ? text.s : "", text.len);
		r[i].ms = now_ms() - start;
		str_free(&text);
		decode_result_free(&c[i].r);
	}
	free(c);
	return (int)n;
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
