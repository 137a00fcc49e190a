/* SPDX-License-Identifier: GPL-3.0-or-later */
/* decode_beam: beam search; all beams are one batch, so each weight is read once a step. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../src/base/mem.h"
#include "decode.h"
#include "decode_private.h"

struct hypothesis {
	struct tokens ids;
	double log_prob;
	bool ended;
};

struct candidate {
	size_t parent;
	int32_t id;
	double log_prob;        /* the model's own */
};

static double scored(double log_prob, size_t len, double penalty)
{
	return log_prob / pow((5.0 + (double)len) / 6.0, penalty);
}

/* Keep the `width` best candidates, best first; ties by parent, then id: insertion keeps order. */
static void offer(struct candidate *c, size_t *n, size_t width, struct candidate x)
{
	size_t i = *n;

	if (*n == width && x.log_prob <= c[*n - 1].log_prob)
		return;
	if (*n < width)
		(*n)++;
	else
		i--;
	while (i > 0 && c[i - 1].log_prob < x.log_prob) {
		c[i] = c[i - 1];
		i--;
	}
	c[i] = x;
}

/* What a piece's log p must be above to be of use; a little below that, since it is rounded. */
static real bound(const struct candidate *c, size_t n, size_t width, const struct hypothesis *h)
{
	return n < width ? (real)-1e30 : (real)(c[n - 1].log_prob - h->log_prob - 1e-3);
}

static void finish(struct hypothesis *done, size_t *n, size_t want, const struct tokens *ids,
                   double log_prob, bool ended, double penalty)
{
	const double score = scored(log_prob, ids->n + 1, penalty);
	size_t i = *n;

	if (*n == want && score <= scored(done[want - 1].log_prob, done[want - 1].ids.n + 1, penalty))
		return;
	if (*n < want) {
		(*n)++;
	} else {
		i--;
		tokens_free(&done[i].ids);
	}
	while (i > 0 && scored(done[i - 1].log_prob, done[i - 1].ids.n + 1, penalty) < score) {
		done[i] = done[i - 1];
		i--;
	}
	done[i] = (struct hypothesis){ { 0 }, log_prob, ended };
	for (size_t j = 0; j < ids->n; j++)
		tokens_add(&done[i].ids, ids->ids[j]);
}

size_t decode_beam(struct session *s, int32_t tag, const struct decode_opts *o,
                   struct decode_result *r, size_t n)
{
	const size_t V = session_model(s)->w->cfg.vocab;
	const size_t width = o->beam < 1 ? 1 : o->beam > DECODE_MAX_BEAM ? DECODE_MAX_BEAM : o->beam;
	const size_t want = n > width ? n : width;
	struct hypothesis live[DECODE_MAX_BEAM] = { 0 }, next[DECODE_MAX_BEAM];
	struct hypothesis *done = xcalloc(want + 1, sizeof(*done));
	struct candidate c[2 * DECODE_MAX_BEAM];
	struct decode_state now, then;
	struct decode_mask mask;
	size_t alive = 1, finished = 0;
	bool cancelled = false;
	real *logp = mem_aligned((width + 1) * V * sizeof(real)), *ruled = logp + width * V;

	decode_mask_init(&mask, s, o);
	decode_state_init(&now, session_model(s), width);
	decode_state_init(&then, session_model(s), width);
	session_start(s, tag, &now, logp);
	for (size_t len = 0; len <= o->max_tokens && alive > 0; len++) {
		size_t nc = 0, kept = 0;
		int32_t ids[DECODE_MAX_BEAM];

		if (o->cancel && atomic_load(o->cancel)) {
			cancelled = true;
			break;
		}
		for (size_t b = 0; b < alive; b++) {
			memcpy(ruled, logp + b * V, V * sizeof(real));
			decode_apply_rules(&mask, o, live[b].ids.ids, live[b].ids.n, ruled);
			for (size_t i = 0; (i = kernels_find_above(ruled, NULL, V, i, bound(c, nc, 2 * width, &live[b]))) < V; i++) {
				double lp = live[b].log_prob + (double)ruled[i];

				if (nc < 2 * width || lp > c[nc - 1].log_prob)
					offer(c, &nc, 2 * width, (struct candidate){ b, (int32_t)i, lp });
			}
		}
		for (size_t i = 0; i < nc && kept < width; i++) {
			const struct hypothesis *p = &live[c[i].parent];

			if (c[i].id == TOKEN_EOT) {
				/* an ending ranked below the beam would not have been kept either */
				if (i < width)
					finish(done, &finished, want, &p->ids, c[i].log_prob, true,
					       o->length_penalty);
				continue;
			}
			if (len == o->max_tokens)
				continue;
			next[kept] = (struct hypothesis){ { 0 }, c[i].log_prob, false };
			for (size_t j = 0; j < p->ids.n; j++)
				tokens_add(&next[kept].ids, p->ids.ids[j]);
			tokens_add(&next[kept].ids, c[i].id);
			decode_state_copy(&then, kept, &now, c[i].parent);
			ids[kept++] = c[i].id;
		}
		/* Nothing alive can still beat the worst finished one: log p only falls. */
		if (finished == want && kept > 0 &&
		    scored(next[0].log_prob, o->max_tokens, o->length_penalty) <
		    scored(done[want - 1].log_prob, done[want - 1].ids.n + 1, o->length_penalty)) {
			for (size_t i = 0; i < kept; i++)
				tokens_free(&next[i].ids);
			break;
		}
		if (len == o->max_tokens)      /* out of room: unfinished ones are better than none */
			break;
		for (size_t b = 0; b < alive; b++)
			tokens_free(&live[b].ids);
		memcpy(live, next, kept * sizeof(*live));
		alive = kept;
		if (alive == 0)
			break;

		struct decode_state swap = now;

		now = then;
		then = swap;
		now.rows = alive;
		session_step(s, &now, ids, logp);
	}
	for (size_t b = 0; b < alive; b++) {
		if (finished == 0 || cancelled)
			finish(done, &finished, want, &live[b].ids, live[b].log_prob, false, o->length_penalty);
		tokens_free(&live[b].ids);
	}
	for (size_t i = 0; i < n; i++) {
		memset(&r[i], 0, sizeof(r[i]));
		r[i].cancelled = cancelled;
		if (i < finished) {
			r[i].ids = done[i].ids;
			r[i].log_prob = done[i].log_prob;
			r[i].ended = done[i].ended;
		}
	}
	for (size_t i = n; i < finished; i++)
		tokens_free(&done[i].ids);
	mem_aligned_free(logp);
	decode_state_fini(&now);
	decode_state_fini(&then);
	decode_mask_fini(&mask);
	free(done);
	return finished < n ? finished : n;
}
