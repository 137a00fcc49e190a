/* SPDX-License-Identifier: GPL-3.0-or-later */
/* infer_suggest: up to three replies that differ: remembered, canned, the model's likeliest, its samples. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "canned_near.h"
#include "choose.h"
#include "config.h"
#include "infer_private.h"

#define SURE 0.2              /* calibrated chance below which a reply is said to be a guess */
#define CANNED_BAR 0.34       /* share of the telling words of a question */

static const char agent[] = "assistant";

/* Share of the shorter text's words that the other has too. */
static double alike(const char *a, const char *b)
{
	size_t n = 0, both = 0;

	for (const char *p = a; *p;) {
		size_t len = strcspn(p, " \n");

		if (len > 0) {
			char *word = xmemdup(p, len);

			n++;
			both += strstr(b, word) != NULL;
			free(word);
		}
		p += len + (p[len] != '\0');
	}
	return n ? (double)both / (double)n : 1;
}

static bool new_one(const struct event *ev, const char *text)
{
	if (!*text)
		return false;
	for (size_t i = 0; i < ev->items; i++)
		if (alike(text, ev->item[i].text) > 0.6 || alike(ev->item[i].text, text) > 0.6)
			return false;
	return true;
}

void infer_suggested(struct infer *f, struct conversation *c, size_t which, const char *fate)
{
	for (size_t i = 0; i < c->suggestions && !infer_quiet(f); i++)
		storekeeper_fate(f->keeper, c->suggested[i], i + 1 == which ? fate : "ignored",
		                 i + 1 == which && strcmp(fate, "taken") == 0 ? (int64_t)c->length[i] : 0);
	c->suggestions = 0;
}

static void log_suggestion(struct infer *f, struct conversation *c, const struct event_item *it, double score, double ms)
{
	const struct store_suggestion g = {
		.kind = "reply", .origin = it->origin, .text = it->text, .model = f->version, .score = score,
		.confidence = it->score, .latency_ms = ms,
	};

	if (c->suggestions < 3 && !c->quiet && !infer_quiet(f)) {
		c->length[c->suggestions] = utf8_count(it->text, strlen(it->text));
		c->suggested[c->suggestions++] = storekeeper_shown(f->keeper, c - f->c + 1, &g);
	}
}

/* Kept replies that fit: one beside what the model says, or as many as there is room for when it is not sure. */
static void suggest_canned(struct infer *f, struct conversation *c, struct event *ev, size_t most)
{
	const char *question = c->turns ? c->turn[c->turns - 1].text : "";
	size_t last = SIZE_MAX;

	for (size_t k = 0; k < most; k++) {
		struct event_item *it;
		double score;
		const size_t i = canned_nearest(&f->canned, question, last, &score);

		if (i == SIZE_MAX || score < CANNED_BAR)
			return;
		last = i;
		it = event_add(ev);
		it->text = xstrdup(f->canned.v[i].text);
		it->more = xstrdup(f->canned.v[i].name);
		it->origin = xstrdup("canned");
		it->score = score;
		log_suggestion(f, c, it, 0, 0);
	}
}

/* What is remembered, the best of the model's, a kept reply that fits, then others of the model's that say something else. */
void infer_suggest(struct infer *f, const struct task *t)
{
	enum { CANDIDATES = CHOOSE_BEAMS + CHOOSE_SAMPLES };
	const size_t most = (size_t)config_number(CONFIG_SUGGESTIONS);
	struct conversation *c = infer_conversation(f, t->conversation);
	struct event ev = { .kind = EVENT_SUGGESTIONS, .conversation = t->conversation };
	const double began = infer_now_ms();
	struct talk_opts o;
	struct talk_reply r[CANDIDATES];
	struct memory_hit hit;
	char *source;
	bool sure = false;
	int n;

	infer_suggested(f, c, 0, "ignored");      /* earlier ones */
	if (infer_remembered(f, c, &hit, &source)) {
		struct event_item *it = event_add(&ev);

		it->text = str_detach(&hit.answer);
		it->origin = xstrdup("memory");
		it->score = hit.score;
		sure = true;
		log_suggestion(f, c, it, 0, infer_now_ms() - began);
		free(it->origin);
		it->origin = source;      /* with its example and case */
	}
	talk_opts_best(&o);
	o.decode.cancel = &f->cancel;
	o.decode.seed = 7 * (uint64_t)c->turns;
	n = ev.items < most ? talk_replies(infer_talk(f, c), agent, &o, CHOOSE_SAMPLES, r, CANDIDATES, NULL) : 0;
	for (int i = 0; i < n; i++) {
		if (ev.items < most && !r[i].cancelled && new_one(&ev, r[i].text.s)) {
			struct event_item *it = event_add(&ev);

			it->text = xstrdup(r[i].text.s);
			it->origin = xstrdup("model");
			it->score = r[i].confidence;
			sure = sure || r[i].confidence >= SURE;
			log_suggestion(f, c, it, r[i].score, infer_now_ms() - began);
		}
		talk_reply_free(&r[i]);
		if (i == 0)
			suggest_canned(f, c, &ev, ev.items >= most ? 0 : most - ev.items < 2 || sure ? 1 : 2);
	}
	ev.stopped = !sure;
	mailbox_put(f->box, &ev);
}
