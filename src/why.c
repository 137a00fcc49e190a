/* SPDX-License-Identifier: GPL-3.0-or-later */
/* why: a reply decoded again with its own words, watching. */
#include "why.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { MOST_WORDS = 200, RUNNERS = 3 };

struct words {
	size_t n, cap;
	size_t *first;                /* [n + 1] pieces */
};

static bool is_tag(const struct model *m, int32_t id)
{
	return tokenizer_tag_name(m->tok, id) != NULL;
}

static bool begins_word(struct talk *t, const struct model *m, const int32_t *ids, size_t i)
{
	struct str s = STR_INIT;
	bool space;

	if (i == 0 || is_tag(m, ids[i]) || is_tag(m, ids[i - 1]))
		return true;
	talk_text(t, &ids[i], 1, &s);
	space = s.len > 0 && (s.s[0] == ' ' || s.s[0] == '\n');
	str_free(&s);
	return space;
}

static void split(struct talk *t, const struct model *m, const int32_t *ids, size_t n, struct words *w)
{
	w->first = xcalloc(n + 1, sizeof(*w->first));
	w->n = 0;
	for (size_t i = 0; i < n; i++)
		if (begins_word(t, m, ids, i))
			w->first[w->n++] = i;
	w->first[w->n] = n;
}

static char *text_of(struct talk *t, const struct model *m, const int32_t *ids, size_t n)
{
	struct str s = STR_INIT;
	char *trimmed;

	if (n == 1 && is_tag(m, ids[0])) {
		str_addf(&s, "[%s]", tokenizer_tag_name(m->tok, ids[0]));
		return str_detach(&s);
	}
	talk_text(t, ids, n, &s);
	trimmed = xstrdup(s.s + strspn(s.s, " \n"));
	str_free(&s);
	return trimmed;
}

/* The likeliest other first pieces. */
static char *others_of(struct talk *t, const struct model *m, const real *logp, int32_t chosen)
{
	const size_t V = m->w->cfg.vocab;
	int32_t best[RUNNERS];
	struct str s = STR_INIT;
	size_t n = 0;

	for (size_t k = 0; k < RUNNERS; k++) {
		int32_t top = -1;

		for (size_t i = 0; i < V; i++) {
			bool used = (int32_t)i == chosen;

			for (size_t j = 0; j < n; j++)
				used = used || best[j] == (int32_t)i;
			if (!used && (top < 0 || logp[i] > logp[top]))
				top = (int32_t)i;
		}
		if (top < 0)
			break;
		best[n++] = top;
	}
	for (size_t k = 0; k < n; k++) {
		struct str piece = STR_INIT;

		if (best[k] == TOKEN_EOT)
			str_adds(&piece, "(end)");
		else
			talk_text(t, &best[k], 1, &piece);
		str_addf(&s, "%s%s %.0f%%", k ? ", " : "", piece.s + strspn(piece.s, " "), 100 * exp((double)logp[best[k]]));
		str_free(&piece);
	}
	return str_detach(&s);
}

/* ids[0 .. n), turn by turn, pieces [from, to) left out. */
static struct session *session_of(const struct model *m, const int32_t *ids, size_t n, size_t from, size_t to)
{
	struct session *s = session_new((struct model *)(uintptr_t)m);
	int32_t *turn = xcalloc(n + 1, sizeof(*turn));

	for (size_t i = 0; i < n;) {
		size_t k = 0, j = i + 1;

		for (; j < n && !is_tag(m, ids[j]); j++)
			if (j < from || j >= to)
				turn[k++] = ids[j];
		session_add(s, ids[i], turn, k);
		i = j;
	}
	free(turn);
	return s;
}

/* Likelihood of a reply to ids[0 .. last), pieces [from, to) left out. */
static double without(const struct model *m, const int32_t *ids, size_t last, size_t from, size_t to, int32_t tag,
                      const int32_t *reply, size_t n)
{
	struct session *s = session_of(m, ids, last, from, to);
	const double score = decode_score(s, tag, reply, n, NULL);

	session_free(s);
	return score;
}

/* ids[*last - 1] is the tag of the turn of that role that stands so far back, and *n where it ends. */
static bool find_turn(const struct model *m, const int32_t *ids, int32_t tag, size_t back, size_t *last, size_t *n)
{
	for (; *n > 0; *n = *last - 1) {
		for (*last = *n; *last > 0 && !is_tag(m, ids[*last - 1]); (*last)--)
			;
		if (*last < 2)
			return false;
		if (ids[*last - 1] == tag && *n > *last && back-- == 0)
			return true;
	}
	return false;
}

struct event_why *why_reply(struct talk *t, const char *role, size_t back)
{
	const struct model *m = session_model(talk_session(t));
	const size_t heads = m->w->cfg.heads, V = m->w->cfg.vocab;
	const int32_t tag = tokenizer_tag(m->tok, role);
	struct words reply = { 0 }, source = { 0 };
	struct event_why *why = NULL;
	struct decode_state st;
	struct session *s;
	int32_t *ids;
	real *logp;
	size_t n, last, seen, skip;

	const int32_t *all = session_ids(talk_session(t), &n);

	if (!find_turn(m, all, tag, back, &last, &n))
		return NULL;
	ids = xmemdup(all, n * sizeof(*ids));
	last--;
	split(t, m, ids + last + 1, n - last - 1, &reply);
	split(t, m, ids, last, &source);
	if (reply.n > MOST_WORDS)
		reply.n = MOST_WORDS;
	skip = source.n > WHY_SOURCES ? source.n - WHY_SOURCES : 0;
	seen = source.n - skip;

	why = xcalloc(1, sizeof(*why));
	why->words = reply.n;
	why->sources = seen;
	why->word = xcalloc(reply.n + 1, sizeof(char *));
	why->others = xcalloc(reply.n + 1, sizeof(char *));
	why->probability = xcalloc(reply.n + 1, sizeof(double));
	why->source = xcalloc(seen + 1, sizeof(char *));
	why->importance = xcalloc(seen + 1, sizeof(double));
	why->weight = xcalloc(reply.n * (seen + 1) + 1, sizeof(float));
	for (size_t j = 0; j < seen; j++) {
		const size_t a = source.first[skip + j], b = source.first[skip + j + 1];

		why->source[j] = text_of(t, m, ids + a, b - a);
		why->importance[j] = NAN;
	}

	logp = mem_aligned(V * sizeof(real));
	decode_state_init(&st, m, 1);
	s = session_of(m, ids, last, 0, 0);
	session_start(s, tag, &st, logp);
	for (size_t i = 0; i < reply.n; i++) {
		const size_t from = last + 1 + reply.first[i], to = last + 1 + reply.first[i + 1];
		float *row = why->weight + i * (seen + 1);
		double sum = 0;

		why->word[i] = text_of(t, m, ids + from, to - from);
		why->others[i] = others_of(t, m, logp, ids[from]);
		for (size_t k = from; k < to; k++) {
			size_t first, width;

			sum += (double)logp[ids[k]];
			for (size_t h = 0; h < heads; h++) {
				const real *w = session_attention(s, 0, h, &first, &width);
				const float share = 1.0f / (float)(heads * (to - from));
				size_t j = 0;

				row[0] += share * (float)w[0];
				for (size_t p = 0; p < width; p++) {      /* width: of the memory, null not counted */
					while (j < seen && source.first[skip + j + 1] <= first + p)
						j++;
					/* what lies before the words shown is looked at too: it counts as null */
					if (first + p < source.first[skip] || j == seen)
						row[0] += share * (float)w[p + 1];
					else
						row[1 + j] += share * (float)w[p + 1];
				}
			}
			session_step(s, &st, &ids[k], logp);
		}
		why->probability[i] = exp(sum);
	}
	session_free(s);

	/* the customer's words that the reply hangs on: those of the turn before */
	const double whole = without(m, ids, last, 0, 0, tag, ids + last + 1, n - last - 1);

	for (size_t j = seen; j-- > 0;) {
		const size_t a = source.first[skip + j], b = source.first[skip + j + 1];

		if (is_tag(m, ids[a]))
			break;
		why->importance[j] = whole - without(m, ids, last, a, b, tag, ids + last + 1, n - last - 1);
	}
	decode_state_fini(&st);
	mem_aligned_free(logp);
	free(reply.first);
	free(source.first);
	free(ids);
	return why;
}
