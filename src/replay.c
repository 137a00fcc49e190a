/* SPDX-License-Identifier: GPL-3.0-or-later */
/* replay: sampling whole dialogues, a customer's turns too. */
#include "replay.h"

#include <stdlib.h>
#include <string.h>

#include "../model/decode.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/str.h"
#include "base/utf8.h"
#include "redact.h"

void replay_opts_default(struct replay_opts *o)
{
	*o = (struct replay_opts){
		.dialogues = 200, .turns = 4, .longest = 60, .seed = 1, .temperature = 1, .top_p = 0.97, .pull = 1,
	};
}

/* Characters as bits a character counts them; placeholders count as their names. */
size_t replay_chars(const struct tokenizer *tok, const struct tokens *ids)
{
	struct str text = STR_INIT;
	size_t n = 0;

	tokenizer_decode(tok, ids->ids, ids->n, &text);
	for (size_t i = 0; i < text.len; i++)
		n += ((unsigned char)text.s[i] & 0xc0) != 0x80;
	str_free(&text);
	return n;
}

static void one(struct model *m, const struct replay_opts *o, uint64_t seed, uint8_t *banned, struct dataset *ds)
{
	const int32_t tag[2] = { TOKEN_FIRST_TAG, tokenizer_tag_name(m->tok, TOKEN_FIRST_TAG + 1) ? TOKEN_FIRST_TAG + 1 :
		TOKEN_FIRST_TAG };
	const int32_t company = tokenizer_placeholder(m->tok, REDACT_COMPANY, 1);
	struct session *s = session_new(m);
	struct decode_opts d;

	decode_opts_default(&d);
	d.method = DECODE_SAMPLE;
	d.temperature = o->temperature;
	d.top_p = o->top_p;
	d.max_tokens = o->longest;
	dataset_begin(ds);
	for (size_t t = 0; t < o->turns; t++) {
		struct decode_result r;

		/* the customer may bring up numbers of their own, the agent may not */
		d.banned = NULL;
		if (t % 2 == 1) {
			decode_ban_absent(s, banned, &company, 1);
			d.banned = banned;
		}
		d.seed = rng_hash(seed, t);
		decode_turn(s, tag[t % 2], &d, &r);
		if (r.ids.n == 0 || !r.ended) {
			decode_result_free(&r);
			break;
		}
		dataset_turn(ds, tag[t % 2], r.ids.ids, r.ids.n, replay_chars(m->tok, &r.ids), 1);
		if (o->pull > 0)
			dataset_pull(ds, o->pull);
		session_add(s, tag[t % 2], r.ids.ids, r.ids.n);
		decode_result_free(&r);
	}
	dataset_end(ds);
	session_free(s);
}

struct sampling {
	struct model *m;
	const struct replay_opts *o;
	struct dataset **part;        /* [dialogues] */
	bool (*stop)(void *);
	void *arg;
};

static void sample_task(size_t task, void *arg)
{
	struct sampling *s = arg;
	uint8_t *banned;

	if (s->stop && s->stop(s->arg))
		return;
	banned = xcalloc(s->m->w->cfg.vocab, 1);
	s->part[task] = dataset_new();
	one(s->m, s->o, rng_hash(s->o->seed, task), banned, s->part[task]);
	free(banned);
}

size_t replay_sample(struct model *m, const struct replay_opts *o, struct pool *pool, struct dataset *ds,
                     bool (*stop)(void *), void *arg)
{
	const size_t before = ds->dialogues;
	struct sampling s = { m, o, xcalloc(o->dialogues + 1, sizeof(*s.part)), stop, arg };

	pool_run(pool, o->dialogues, sample_task, &s);
	for (size_t i = 0; i < o->dialogues; i++) {
		if (s.part[i])
			dataset_append(ds, s.part[i]);
		dataset_free(s.part[i]);
	}
	free(s.part);
	return ds->dialogues - before;
}

void replay_answer(struct model *m, const struct dataset *said, size_t d, int32_t tag, uint64_t seed, struct tokens *out)
{
	const int32_t company = tokenizer_placeholder(m->tok, REDACT_COMPANY, 1);
	uint8_t *banned = xcalloc(m->w->cfg.vocab, 1);
	struct session *s = session_new(m);
	struct decode_result r;
	struct decode_opts o;

	for (size_t t = said->first_turn[d]; t < said->first_turn[d + 1]; t++)
		session_add(s, said->turn[t].tag, said->ids + said->turn[t].first, said->turn[t].n);
	decode_opts_default(&o);
	o.method = DECODE_SAMPLE;
	o.temperature = 0.7;
	o.top_p = 0.95;
	o.max_tokens = 60;
	o.seed = seed;
	decode_ban_absent(s, banned, &company, 1);
	o.banned = banned;
	decode_turn(s, tag, &o, &r);
	for (size_t i = 0; i < r.ids.n; i++)
		tokens_add(out, r.ids.ids[i]);
	decode_result_free(&r);
	session_free(s);
	free(banned);
}
