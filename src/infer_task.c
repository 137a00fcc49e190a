/* SPDX-License-Identifier: GPL-3.0-or-later */
/* infer_task: what the inference thread does with what is posted: conversations, the model they are held with, replies. */
#include "infer_private.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "config.h"
#include "registry.h"
#include "why.h"

static const char user[] = "user", agent[] = "assistant";

void infer_note(struct infer *f, const char *text)
{
	struct event ev = { .kind = EVENT_NOTE, .text = xstrdup(text) };

	mailbox_put(f->box, &ev);
}

double infer_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return 1e3 * (double)ts.tv_sec + 1e-6 * (double)ts.tv_nsec;
}

/* ---- conversations ---- */

struct conversation *infer_conversation(struct infer *f, int64_t id)
{
	while ((int64_t)f->n < id) {
		f->c = xreallocarray(f->c, f->n + 1, sizeof(*f->c));
		f->c[f->n++] = (struct conversation){ 0 };
	}
	return &f->c[id - 1];
}

void infer_drop_talk(struct conversation *c)
{
	ghost_free(c->ghost);
	talk_free(c->talk);
	c->ghost = NULL;
	c->talk = NULL;
}

struct talk *infer_talk(struct infer *f, struct conversation *c)
{
	if (!c->talk) {
		struct ghost_opts o;
		struct err e = ERR_INIT;

		c->talk = talk_new(f->m, f->company);
		for (size_t i = 0; i < c->turns; i++)
			talk_add(c->talk, c->turn[i].role, c->turn[i].text, strlen(c->turn[i].text), NULL);
		ghost_opts_default(&o);
		if (config_unwanted(&o.unwanted, &e) < 0)
			infer_note(f, e.msg);
		o.cancel = &f->newer_ghost;
		c->ghost = ghost_new(c->talk, f->person, &o);
	}
	return c->talk;
}

void infer_add_turn(struct infer *f, struct conversation *c, const char *role, const char *text)
{
	struct talk *talk = f->m ? infer_talk(f, c) : NULL;

	c->turn = xreallocarray(c->turn, c->turns + 1, sizeof(*c->turn));
	c->turn[c->turns++] = (struct turn){ xstrdup(role), xstrdup(text) };
	if (talk)
		talk_add(talk, role, text, strlen(text), NULL);
}

/* ---- the model ---- */

struct person_blob {
	struct infer *f;
	void *data;
	size_t bytes;
};

static void load_blob(struct store *s, void *arg)
{
	struct person_blob *b = arg;

	if (s)
		store_blob_get(s, "person", &b->data, &b->bytes, NULL);
}

void infer_load(struct infer *f)
{
	struct err e = ERR_INIT;
	char *said = NULL, *id = NULL;
	struct model *m;
	struct event ev = { .kind = EVENT_READY };

	if (registry_load(f->given, NULL, false, &m, &id, &said, &e) < 0) {
		infer_note(f, e.msg);
		return;
	}
	if (said)
		infer_note(f, said);
	free(said);
	for (size_t i = 0; i < f->n; i++)
		infer_drop_talk(&f->c[i]);
	model_unref(f->m);
	f->m = m;
	free(f->version);
	f->version = id;
	if (!f->person) {
		struct person_blob b = { f, NULL, 0 };

		f->person = ghost_person_new(m, f->company);
		storekeeper_post(f->keeper, load_blob, &b);
		storekeeper_flush(f->keeper);
		if (b.data && ghost_person_load(f->person, b.data, b.bytes, &e) < 0)
			infer_note(f, e.msg);
		free(b.data);
	}
	ev.text = xstrdup(id);
	ev.number = (int64_t)m->w->layout.weights;
	mailbox_put(f->box, &ev);
}

static void save_blob(struct store *s, void *arg)
{
	struct person_blob *b = arg;

	if (s)
		store_blob_set(s, "person", b->data, b->bytes, NULL);
	free(b->data);
	free(b);
}

void infer_save_person(struct infer *f)
{
	struct person_blob *b;
	struct str out = STR_INIT;

	if (!f->person)
		return;
	ghost_person_save(f->person, &out);
	b = xcalloc(1, sizeof(*b));
	b->bytes = out.len;
	b->data = str_detach(&out);
	storekeeper_post(f->keeper, save_blob, b);
}

/* ---- tasks ---- */

void infer_log(struct infer *f, struct conversation *c, const char *role, const char *origin, const char *text,
                     double ms)
{
	char *trouble;

	storekeeper_message(f->keeper, c - f->c + 1, role, origin, text, strlen(text), f->version, ms);
	trouble = storekeeper_trouble(f->keeper);
	if (trouble)
		infer_note(f, trouble);
	free(trouble);
}

static bool typed_by_person(const char *origin)
{
	return strcmp(origin, "typed") == 0 || strcmp(origin, "edited") == 0 || strcmp(origin, "suggested") == 0;
}

static void say(struct infer *f, const struct task *t)
{
	struct conversation *c = infer_conversation(f, t->conversation);

	const bool keep = strcmp(t->origin, "history") != 0 && !t->quiet;      /* read back: it is in the store already */

	/* first kept, then read by the model: that takes a while for a long one, and nobody who leaves waits for it */
	if (keep)
		infer_log(f, c, t->role, t->origin, t->text, 0);
	if (infer_stopping(f))
		return;
	c->quiet = c->quiet || t->quiet;
	infer_add_turn(f, c, t->role, t->text);
	if (keep && f->m && typed_by_person(t->origin)) {
		infer_talk(f, c);
		ghost_learn(c->ghost, t->role, t->text, strlen(t->text));
	}
}

static void unsay(struct infer *f, const struct task *t)
{
	struct conversation *c = infer_conversation(f, t->conversation);

	if (c->turns == 0)
		return;
	f->memory_known = false;      /* a correction took its place */
	c->turns--;
	free(c->turn[c->turns].role);
	free(c->turn[c->turns].text);
	if (c->talk)
		talk_truncate(c->talk, c->turns);
}

struct streaming {
	struct infer *f;
	int64_t conversation;
};

static bool stream(const char *bytes, size_t n, void *arg)
{
	struct streaming *s = arg;
	struct event ev = { .kind = EVENT_TEXT, .conversation = s->conversation, .text = xmemdup(bytes, n) };

	mailbox_put(s->f->box, &ev);
	return true;
}

/* What changed since it was read last, or all of it the first time. On the storekeeper's thread, while the inference thread
 * waits. */
static void read_memory(struct store *s, void *arg)
{
	struct infer *f = arg;
	int64_t *changed;
	size_t n;
	bool all;

	pthread_mutex_lock(&f->lock);
	changed = f->changed;
	n = f->changes;
	all = f->everything || !f->memory || !s;
	f->changed = NULL;
	f->changes = f->changes_cap = 0;
	f->everything = f->news = false;
	pthread_mutex_unlock(&f->lock);
	for (size_t i = 0; i < n && !all; i++)
		all = memory_update(f->memory, s, changed[i], NULL) < 0;
	free(changed);
	if (all) {
		memory_free(f->memory);
		f->memory = NULL;
		if (s)
			memory_load(&f->memory, s, f->company, NULL, NULL);
	}
	canned_free(&f->canned);
	canned_load(&f->canned, s, NULL);
}

static void keep_memory(struct store *s, void *arg)
{
	if (s)
		memory_keep(((struct infer *)arg)->memory, s, NULL);      /* what cannot be kept is made again next time */
}

struct sourcing {
	const struct memory_hit *hit;
	char *source;
};

static void find_source(struct store *s, void *arg)
{
	struct sourcing *g = arg;

	g->source = memory_source(g->hit, s);
}

static bool memory_news(struct infer *f)
{
	bool news;

	pthread_mutex_lock(&f->lock);
	news = f->news;
	pthread_mutex_unlock(&f->lock);
	return news;
}

/* What was taught answers first, and says so: *source is "memory: example 12, case 4471". The keeper reads and writes;
 * what has to be computed is computed here. */
bool infer_remembered(struct infer *f, struct conversation *c, struct memory_hit *hit, char **source)
{
	const struct turn *last = c->turns ? &c->turn[c->turns - 1] : NULL;
	struct sourcing g = { .hit = hit };
	struct str s = STR_INIT;

	if (!f->memory_known || memory_news(f)) {
		storekeeper_post(f->keeper, read_memory, f);
		storekeeper_flush(f->keeper);
		f->memory_known = true;
		if (f->memory && memory_compute(f->memory) > 0) {
			storekeeper_post(f->keeper, keep_memory, f);
			storekeeper_flush(f->keeper);
		}
	}
	if (!f->memory || !last || strcmp(last->role, user) != 0 || !memory_find(f->memory, last->text, strlen(last->text), hit))
		return false;
	storekeeper_post(f->keeper, find_source, &g);
	storekeeper_flush(f->keeper);
	str_addf(&s, "memory: %s", g.source ? g.source : "taught");
	free(g.source);
	*source = str_detach(&s);
	return true;
}

static void reply(struct infer *f, const struct task *t)
{
	struct conversation *c = infer_conversation(f, t->conversation);
	struct streaming st = { f, t->conversation };
	struct event ev = { .kind = EVENT_REPLY, .conversation = t->conversation };
	struct talk_opts o;
	struct talk_reply r;
	struct err e = ERR_INIT;

	struct memory_hit hit;
	char *source;

	c->quiet = c->quiet || infer_quiet(f);
	if (infer_remembered(f, c, &hit, &source)) {
		infer_add_turn(f, c, agent, hit.answer.s);
		if (!infer_quiet(f))
			infer_log(f, c, agent, "memory", hit.answer.s, 0);
		ev.text = str_detach(&hit.answer);
		ev.model = xstrdup(f->version);
		ev.more = source;
		ev.confidence = hit.score;
		mailbox_put(f->box, &ev);
		return;
	}
	talk_opts_best(&o);
	o.decode.cancel = &f->cancel;
	o.text = stream;
	o.arg = &st;
	if (talk_reply(infer_talk(f, c), agent, &o, &r, &e) < 0) {
		infer_note(f, e.msg);
		return;
	}
	if (r.text.len > 0) {
		infer_add_turn(f, c, agent, r.text.s);
		if (!infer_quiet(f))
			infer_log(f, c, agent, "model", r.text.s, r.ms);
	}
	ev.text = xstrdup(r.text.s);
	ev.model = xstrdup(f->version);
	ev.score = r.score;
	ev.confidence = r.confidence;
	ev.ms = r.ms;
	ev.stopped = r.cancelled;
	talk_reply_free(&r);
	mailbox_put(f->box, &ev);
}

static void why(struct infer *f, const struct task *t)
{
	struct conversation *c = infer_conversation(f, t->conversation);
	struct event ev = { .kind = EVENT_WHY, .conversation = t->conversation, .number = (int64_t)t->serial };

	ev.why = why_reply(infer_talk(f, c), agent, (size_t)t->serial);
	if (!ev.why) {
		infer_note(f, t->serial ? "there is no reply before this one" : "there is no reply to explain yet");
		return;
	}
	mailbox_put(f->box, &ev);
}

void infer_run(struct infer *f, const struct task *t)
{
	f->quiet_task = t->quiet;
	if (t->what == INFER_SAY) {
		say(f, t);
		return;
	}
	if (t->what == INFER_UNSAY) {
		unsay(f, t);
		return;
	}
	if (t->what == INFER_CALL) {
		t->call(t->arg);
		return;
	}
	if (t->what == INFER_SUGGESTED) {
		infer_suggested(f, infer_conversation(f, t->conversation), (size_t)t->serial, t->text);
		return;
	}
	if (t->what == INFER_MODEL || !f->m)
		infer_load(f);
	if (!f->m || t->what == INFER_MODEL)
		return;
	switch (t->what) {
	case INFER_REPLY:
		reply(f, t);
		break;
	case INFER_SUGGEST:
		infer_suggest(f, t);
		break;
	case INFER_WHY:
		why(f, t);
		break;
	case INFER_GHOST:
	case INFER_ANOTHER:
	case INFER_PAGE:
		infer_ghost(f, t);
		break;
	case INFER_LEARN:
		if (!t->quiet)
			ghost_person_learn(f->person, infer_writer(f), t->text, strlen(t->text));
		break;
	case INFER_FATE:
		infer_fate(f, t);
		break;
	case INFER_SAY:
	case INFER_UNSAY:
	case INFER_SUGGESTED:
	case INFER_MODEL:
	case INFER_CALL:
		break;
	}
}
