/* SPDX-License-Identifier: GPL-3.0-or-later */
/* complete: prefix-constrained beam search. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../src/base/mem.h"
#include "complete.h"

void complete_opts_default(struct complete_opts *o)
{
	*o = (struct complete_opts){ .beam = 8, .max_words = 5, .max_tokens = 12 };
}

void completion_free(struct completion *c)
{
	tokens_free(&c->ids);
	str_free(&c->text);
}

static bool space(char c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

size_t complete_cut(const char *text, size_t len)
{
	size_t i = len, least = len > COMPLETE_MAX_OPEN ? len - COMPLETE_MAX_OPEN : 0;

	/* the space itself belongs to the word after it */
	while (i > least && !space(text[i - 1]))
		i--;
	if (i > least)
		return i - 1;
	/* no white space near (a URL, Chinese): cut at a character */
	while (i < len && ((unsigned char)text[i] & 0xc0) == 0x80)
		i++;
	return i;
}

struct path {
	struct tokens ids;
	struct str bytes;         /* from the cut */
	double log_prob, least;
	size_t free_tokens;       /* tokens that reach past the typed bytes */
};

static void path_free(struct path *p)
{
	tokens_free(&p->ids);
	str_free(&p->bytes);
}

static void path_copy(struct path *dst, const struct path *src)
{
	memset(dst, 0, sizeof(*dst));
	dst->bytes = (struct str)STR_INIT;
	for (size_t i = 0; i < src->ids.n; i++)
		tokens_add(&dst->ids, src->ids.ids[i]);
	str_add(&dst->bytes, src->bytes.s, src->bytes.len);
	dst->log_prob = src->log_prob;
	dst->least = src->least;
	dst->free_tokens = src->free_tokens;
}

struct step {
	size_t parent;
	int32_t id;
	double log_prob, piece;
};

struct search {
	const struct tokenizer *tok;
	const uint8_t *banned;
	size_t width, n;
	struct step *best;        /* [width], best first */
	size_t parent;
	double base;
	const real *logp;
};

static bool offer(int32_t id, size_t piece_len, void *arg)
{
	struct search *se = arg;
	const double lp = se->base + (double)se->logp[id];
	size_t i = se->n;

	(void)piece_len;
	if (se->banned && se->banned[id])
		return true;
	if (se->n == se->width && lp <= se->best[se->n - 1].log_prob)
		return true;
	if (se->n < se->width)
		se->n++;
	else
		i--;
	while (i > 0 && se->best[i - 1].log_prob < lp) {
		se->best[i] = se->best[i - 1];
		i--;
	}
	se->best[i] = (struct step){ se->parent, id, lp, (double)se->logp[id] };
	return true;
}

/* Words begun in the bytes after the cut; a leading space begins the first. */
static size_t words_in(const struct str *b)
{
	size_t words = 0;
	bool in = false;

	for (size_t i = 0; i < b->len; i++) {
		bool sp = space(b->s[i]);

		words += !sp && !in;
		in = !sp;
	}
	return words;
}

static bool ends_sentence(const struct str *b)
{
	size_t i = b->len;

	while (i > 0 && (b->s[i - 1] == '"' || b->s[i - 1] == ')' || b->s[i - 1] == '\''))
		i--;
	return i > 0 && (b->s[i - 1] == '.' || b->s[i - 1] == '!' || b->s[i - 1] == '?');
}

static double log_add(double a, double b)
{
	return a > b ? a + log1p(exp(b - a)) : b + log1p(exp(a - b));
}

/* Keep a finished path; the same text reached another way adds its probability. */
static void finish(struct completion *out, size_t *found, size_t room, const struct path *p,
                   size_t n_open, double extra)
{
	const double lp = p->log_prob + extra;
	size_t i;

	if (p->bytes.len <= n_open)
		return;
	for (i = 0; i < *found; i++) {
		if (out[i].text.len == p->bytes.len - n_open &&
		    memcmp(out[i].text.s, p->bytes.s + n_open, out[i].text.len) == 0) {
			out[i].log_prob = log_add(out[i].log_prob, lp);
			return;
		}
	}
	if (*found == room) {
		size_t worst = 0;

		for (i = 1; i < room; i++)
			if (out[i].log_prob < out[worst].log_prob)
				worst = i;
		if (out[worst].log_prob >= lp)
			return;
		completion_free(&out[worst]);
		i = worst;
	} else {
		i = (*found)++;
	}
	memset(&out[i], 0, sizeof(out[i]));
	out[i].text = (struct str)STR_INIT;
	str_add(&out[i].text, p->bytes.s + n_open, p->bytes.len - n_open);
	for (size_t k = 0; k < p->ids.n; k++)
		tokens_add(&out[i].ids, p->ids.ids[k]);
	out[i].log_prob = lp;
	out[i].least = p->least;
	out[i].tokens = p->free_tokens;
}

static int likelier(const void *a, const void *b)
{
	const struct completion *x = a, *y = b;

	return x->log_prob > y->log_prob ? -1 : x->log_prob < y->log_prob;
}

/* Chance that the word ends here: white space, the turn's end, or punctuation comes next. */
static double word_end(const struct tokenizer *tok, const real *logp, size_t vocab)
{
	double p = exp((double)logp[TOKEN_EOT]);

	for (size_t i = 0; i < vocab; i++) {
		size_t n;
		const char *s = tokenizer_piece(tok, (int32_t)i, &n);

		if (n > 0 && (space(s[0]) || (ispunct((unsigned char)s[0]) && s[0] != '\'' && s[0] != '-')))
			p += exp((double)logp[i]);
	}
	return log(p > 1e-30 ? p : 1e-30);
}

static void start_path(struct path *p)
{
	memset(p, 0, sizeof(*p));
	p->bytes = (struct str)STR_INIT;
}

size_t complete_from(struct session *s, const struct decode_state *st, const real *logp,
                     const char *open, size_t n_open, const struct complete_opts *o,
                     struct completion *out, size_t n)
{
	const struct model *m = session_model(s);
	const size_t V = m->w->cfg.vocab;
	const size_t width = o->beam < 1 ? 1 : o->beam > COMPLETE_MAX_BEAM ? COMPLETE_MAX_BEAM : o->beam;
	const size_t room = n > width ? n : width;
	struct step best[COMPLETE_MAX_BEAM];
	struct path live[COMPLETE_MAX_BEAM], next[COMPLETE_MAX_BEAM];
	struct completion *done = xcalloc(room, sizeof(*done));
	struct decode_state now, then;
	size_t alive = 1, found = 0;
	double typed = -INFINITY;       /* log p of the typed bytes themselves: all ways to reach past them */
	real *dist = mem_aligned(width * V * sizeof(real));

	start_path(&live[0]);
	decode_state_init(&now, m, width);
	decode_state_init(&then, m, width);
	decode_state_copy(&now, 0, st, 0);
	memcpy(dist, logp, V * sizeof(real));

	for (size_t len = 0; len < o->max_tokens + n_open && alive > 0; len++) {
		struct search se = { .tok = m->tok, .banned = o->banned, .width = width, .best = best };
		size_t kept = 0;
		int32_t ids[COMPLETE_MAX_BEAM];

		for (size_t b = 0; b < alive; b++) {
			const size_t have = live[b].bytes.len;

			se.parent = b;
			se.base = live[b].log_prob;
			se.logp = dist + b * V;
			if (have < n_open) {
				tokenizer_match(m->tok, open + have, n_open - have, true, offer, &se);
				continue;
			}
			if (live[b].free_tokens >= o->max_tokens || ends_sentence(&live[b].bytes)) {
				finish(done, &found, room, &live[b], n_open, 0);
				continue;
			}
			/* A full last word is offered as finished, weighed by its chance to end here,
			 * and may still grow ("refund" into "refunds"). */
			if (have > n_open && words_in(&live[b].bytes) >= o->max_words)
				finish(done, &found, room, &live[b], n_open, word_end(m->tok, se.logp, V));
			for (size_t i = 0; i < V; i++)
				if (!tokenizer_is_control(m->tok, (int32_t)i) &&
				    (se.n < width || se.base + (double)se.logp[i] > best[se.n - 1].log_prob))
					offer((int32_t)i, 0, &se);
			/* the turn may end here */
			if (have > n_open)
				finish(done, &found, room, &live[b], n_open, (double)se.logp[TOKEN_EOT]);
		}
		for (size_t i = 0; i < se.n; i++) {
			const struct path *p = &live[best[i].parent];
			size_t piece_len;
			const char *piece = tokenizer_piece(m->tok, best[i].id, &piece_len);
			struct path q;

			path_copy(&q, p);
			tokens_add(&q.ids, best[i].id);
			str_add(&q.bytes, piece, piece_len);
			q.log_prob = best[i].log_prob;
			if (q.bytes.len > n_open) {
				if (q.free_tokens++ == 0 || best[i].piece < q.least)
					q.least = best[i].piece;
				if (p->bytes.len <= n_open)
					typed = log_add(typed, q.log_prob);
			}
			if (words_in(&q.bytes) > o->max_words) {
				path_free(&q);
				continue;
			}
			decode_state_copy(&then, kept, &now, best[i].parent);
			ids[kept] = best[i].id;
			next[kept++] = q;
		}
		for (size_t b = 0; b < alive; b++)
			path_free(&live[b]);
		memcpy(live, next, kept * sizeof(*live));
		alive = kept;
		/* probabilities only fall: nothing alive can enter once room is full of better ones */
		bool beaten = found == room;

		for (size_t i = 0; i < found && alive > 0; i++)
			beaten = beaten && done[i].log_prob >= live[0].log_prob;
		if (alive == 0 || beaten)
			break;

		struct decode_state swap = now;

		now = then;
		then = swap;
		now.rows = alive;
		session_step(s, &now, ids, dist);
	}
	for (size_t b = 0; b < alive; b++)
		path_free(&live[b]);
	decode_state_fini(&now);
	decode_state_fini(&then);
	mem_aligned_free(dist);

	/* what was typed is given: probabilities are of the rest */
	for (size_t i = 0; i < found; i++)
		if (n_open > 0 && isfinite(typed) && done[i].log_prob > typed)
			typed = done[i].log_prob;
	for (size_t i = 0; i < found; i++)
		done[i].log_prob -= n_open > 0 && isfinite(typed) ? typed : 0;
	qsort(done, found, sizeof(*done), likelier);
	for (size_t i = 0; i < found; i++) {
		if (i < n)
			out[i] = done[i];
		else
			completion_free(&done[i]);
	}
	free(done);
	return found < n ? found : n;
}
