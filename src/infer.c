/* SPDX-License-Identifier: GPL-3.0-or-later */
/* infer: one thread, one task after another. A reply takes some tens of milliseconds, so a ghost
 * that waits for one is still in time; older ghosts are dropped. */
#include "infer_private.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "config.h"
#include "registry.h"
#include "why.h"

enum { MODEL_SEES = 16000 };   /* bytes */

static const char user[] = "user", agent[] = "assistant", document[] = "document";

static void note(struct infer *f, const char *text)
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

static void drop_talk(struct conversation *c)
{
	ghost_free(c->ghost);
	talk_free(c->talk);
	c->ghost = NULL;
	c->talk = NULL;
}

/* Of a very long message the model is given the end: it looks at some hundred pieces only, and nobody waits for a megabyte. */
static void tell(struct talk *t, const struct turn *turn)
{
	const size_t n = strlen(turn->text);
	size_t from = n > MODEL_SEES ? n - MODEL_SEES : 0;

	while (from > 0 && from < n && ((unsigned char)turn->text[from] & 0xc0) == 0x80)
		from++;
	talk_add(t, turn->role, turn->text + from, n - from, NULL);
}

struct talk *infer_talk(struct infer *f, struct conversation *c)
{
	if (!c->talk) {
		struct ghost_opts o;
		struct err e = ERR_INIT;

		c->talk = talk_new(f->m, f->company);
		for (size_t i = 0; i < c->turns; i++)
			tell(c->talk, &c->turn[i]);
		ghost_opts_default(&o);
		if (config_unwanted(&o.unwanted, &e) < 0)
			note(f, e.msg);
		o.cancel = &f->newer_ghost;
		c->ghost = ghost_new(c->talk, f->person, &o);
	}
	return c->talk;
}

static void add_turn(struct infer *f, struct conversation *c, const char *role, const char *text)
{
	struct talk *talk = f->m ? infer_talk(f, c) : NULL;

	c->turn = xreallocarray(c->turn, c->turns + 1, sizeof(*c->turn));
	c->turn[c->turns++] = (struct turn){ xstrdup(role), xstrdup(text) };
	if (talk)
		tell(talk, &c->turn[c->turns - 1]);
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

static void load_model(struct infer *f)
{
	struct err e = ERR_INIT;
	char *said = NULL, *id = NULL;
	struct model *m;
	struct event ev = { .kind = EVENT_READY };

	if (registry_load(f->given, NULL, false, &m, &id, &said, &e) < 0) {
		note(f, e.msg);
		return;
	}
	if (said)
		note(f, said);
	free(said);
	for (size_t i = 0; i < f->n; i++)
		drop_talk(&f->c[i]);
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
			note(f, e.msg);
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

static void save_person(struct infer *f)
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

static void log_turn(struct infer *f, struct conversation *c, const char *role, const char *origin, const char *text,
                     double ms)
{
	char *trouble;

	storekeeper_message(f->keeper, c - f->c + 1, role, origin, text, strlen(text), f->version, ms);
	trouble = storekeeper_trouble(f->keeper);
	if (trouble)
		note(f, trouble);
	free(trouble);
}

static bool typed_by_person(const char *origin)
{
	return strcmp(origin, "typed") == 0 || strcmp(origin, "edited") == 0 || strcmp(origin, "suggested") == 0;
}

static void say(struct infer *f, const struct task *t)
{
	struct conversation *c = infer_conversation(f, t->conversation);

	add_turn(f, c, t->role, t->text);
	if (strcmp(t->origin, "history") == 0)      /* read back: it is in the store already */
		return;
	log_turn(f, c, t->role, t->origin, t->text, 0);
	if (f->m && typed_by_person(t->origin)) {
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

static void load_memory(struct store *s, void *arg)
{
	struct infer *f = arg;

	memory_free(f->memory);
	f->memory = NULL;
	if (s)
		memory_load(&f->memory, s, f->company, NULL, NULL);
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

/* What was taught answers first, and says so: *source is "memory: example 12, case 4471". The keeper reads and writes;
 * what has to be computed is computed here. */
bool infer_remembered(struct infer *f, struct conversation *c, struct memory_hit *hit, char **source)
{
	const struct turn *last = c->turns ? &c->turn[c->turns - 1] : NULL;
	struct sourcing g = { .hit = hit };
	struct str s = STR_INIT;

	if (!f->memory_known) {
		storekeeper_post(f->keeper, load_memory, f);
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

	if (infer_remembered(f, c, &hit, &source)) {
		add_turn(f, c, agent, hit.answer.s);
		log_turn(f, c, agent, "memory", hit.answer.s, 0);
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
		note(f, e.msg);
		return;
	}
	if (r.text.len > 0) {
		add_turn(f, c, agent, r.text.s);
		log_turn(f, c, agent, "model", r.text.s, r.ms);
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

/* One that nobody has said anything about came too late to be seen. */
static void forget_shown(struct infer *f)
{
	if (f->has_shown && *f->shown_fate) {
		const struct store_suggestion g = {
			.kind = "completion", .origin = "model", .text = f->shown.text.s, .model = f->version, .fate = f->shown_fate,
			.score = f->shown.log_prob, .confidence = f->shown.chance, .latency_ms = f->shown_ms,
			.chars = (int64_t)f->shown_chars,
		};

		storekeeper_shown(f->keeper, f->shown_in, &g);
	}
	if (f->has_shown)
		ghost_text_free(&f->shown);
	f->has_shown = false;
	f->shown_fate[0] = '\0';
	f->shown_chars = 0;
}

/* Who writes documents: a role of its own where the model has one. */
static const char *writer(const struct infer *f)
{
	return tokenizer_tag(f->m->tok, document) >= 0 ? document : agent;
}

static bool same_turn(const struct turn *t, const char *role, const char *text, size_t n)
{
	return strcmp(t->role, role) == 0 && strncmp(t->text, text, n) == 0 && !t->text[n];
}

/* Make the page what was said so far. A page that goes on from the last one costs its new paragraphs; codes keep
 * their numbers only while nothing is taken back, so any other is read anew. */
static void turn_page(struct infer *f, struct conversation *c, const char *page)
{
	const char *role = writer(f);

	for (int again = 0; again < 2; again++) {
		size_t held = 0;

		for (const char *s = page; *s;) {
			const size_t n = strcspn(s, "\n");

			if (n > 0 && held < c->turns && !same_turn(&c->turn[held], role, s, n))
				break;
			if (n > 0 && held == c->turns) {
				char *text = xmemdup(s, n);

				add_turn(f, c, role, text);
				free(text);
			}
			held += n > 0;
			s += n + (s[n] != '\0');
		}
		if (held == c->turns)
			return;
		drop_talk(c);
		while (c->turns > 0) {
			c->turns--;
			free(c->turn[c->turns].role);
			free(c->turn[c->turns].text);
		}
	}
}

static void ghost(struct infer *f, const struct task *t)
{
	struct conversation *c = infer_conversation(f, t->conversation);
	struct event ev = { .kind = EVENT_GHOST, .conversation = t->conversation, .serial = t->serial };
	struct ghost_text out[GHOST_MAX];
	enum ghost_level level = GHOST_NORMAL;
	const double began = infer_now_ms();
	int n;

	if (t->what == INFER_PAGE)
		turn_page(f, c, t->origin);
	infer_talk(f, c);
	/* the screen asks when grey text is on: a setting of off says how the screen begins */
	ghost_level_parse(config_text(CONFIG_GHOST), &level);
	ghost_set_level(c->ghost, level == GHOST_OFF ? GHOST_NORMAL : level);
	n = ghost_request(c->ghost, t->what == INFER_PAGE ? writer(f) : t->role, t->text, strlen(t->text), out, GHOST_MAX, NULL);
	if (n > 0 && out[0].show && !atomic_load(&f->newer_ghost)) {
		ev.text = xstrdup(out[0].text.s);
		ev.bytes = out[0].first;
		ev.confidence = out[0].chance;
		forget_shown(f);
		f->shown = out[0];
		out[0].text = (struct str)STR_INIT;
		f->shown_in = t->conversation;
		f->shown_ms = infer_now_ms() - began;
		f->has_shown = true;
	} else {
		ev.text = xstrdup("");
	}
	for (int i = 0; i < n; i++)
		ghost_text_free(&out[i]);
	mailbox_put(f->box, &ev);
}

static void fate(struct infer *f, const struct task *t)
{
	static const char *const names[] = { "taken", "word", "ignored", "dismissed" };
	struct conversation *c;

	if (!f->has_shown)
		return;
	f->shown_chars += t->serial;
	if (*f->shown_fate) {      /* words of it were taken before, and now more, or no more */
		if (strcmp(t->text, "taken") == 0)
			strcpy(f->shown_fate, "taken");
		if (strcmp(t->text, "word") != 0)
			forget_shown(f);
		return;
	}
	snprintf(f->shown_fate, sizeof(f->shown_fate), "%s", t->text);
	c = infer_conversation(f, f->shown_in);
	for (size_t i = 0; i < 4 && c->ghost; i++) {
		if (strcmp(names[i], t->text) != 0)
			continue;
		if (ghost_feedback(c->ghost, &f->shown, (enum ghost_outcome)i))
			note(f, "hardly any ghost text was taken: only surer ones are shown from now on (M-s switches it off)");
	}
	if (strcmp(t->text, "word") != 0)
		forget_shown(f);
}

static void why(struct infer *f, const struct task *t)
{
	struct conversation *c = infer_conversation(f, t->conversation);
	struct event ev = { .kind = EVENT_WHY, .conversation = t->conversation };

	ev.why = why_last(infer_talk(f, c), agent);
	if (!ev.why) {
		note(f, "there is no reply to explain yet");
		return;
	}
	mailbox_put(f->box, &ev);
}

static void run(struct infer *f, const struct task *t)
{
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
	if (t->what == INFER_MEMORY) {
		f->memory_known = false;
		return;
	}
	if (t->what == INFER_SUGGESTED) {
		infer_suggested(f, infer_conversation(f, t->conversation), (size_t)t->serial, t->text);
		return;
	}
	if (t->what == INFER_MODEL || !f->m)
		load_model(f);
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
	case INFER_PAGE:
		ghost(f, t);
		break;
	case INFER_LEARN:
		ghost_person_learn(f->person, writer(f), t->text, strlen(t->text));
		break;
	case INFER_FATE:
		fate(f, t);
		break;
	case INFER_SAY:
	case INFER_UNSAY:
	case INFER_SUGGESTED:
	case INFER_MODEL:
	case INFER_MEMORY:
	case INFER_CALL:
		break;
	}
}

static void task_free(struct task *t)
{
	free(t->role);
	free(t->origin);
	free(t->text);
	free(t);
}

static bool is_ghost(enum infer_what what)
{
	return what == INFER_GHOST || what == INFER_PAGE;
}

static void *serve(void *arg)
{
	struct infer *f = arg;

	load_model(f);
	pthread_mutex_lock(&f->lock);
	while (!f->stop) {
		struct task *t = f->first;

		if (!t) {
			f->busy = false;
			pthread_cond_wait(&f->work, &f->lock);
			continue;
		}
		f->first = t->next;
		if (!f->first)
			f->last = &f->first;
		f->busy = t->what == INFER_REPLY || t->what == INFER_SUGGEST;
		if (f->busy)
			atomic_store(&f->cancel, false);
		if (is_ghost(t->what))
			atomic_store(&f->newer_ghost, false);
		pthread_mutex_unlock(&f->lock);
		run(f, t);
		task_free(t);
		pthread_mutex_lock(&f->lock);
	}
	pthread_mutex_unlock(&f->lock);
	return NULL;
}

/* ---- from outside ---- */

int infer_start(struct infer **out, const struct infer_options *o, struct err *e)
{
	struct infer *f = xcalloc(1, sizeof(*f));
	sigset_t all, old;
	int rc;

	*out = NULL;
	f->box = o->box;
	f->keeper = o->keeper;
	f->given = o->model ? xstrdup(o->model) : NULL;
	f->company = o->company ? xstrdup(o->company) : NULL;
	f->last = &f->first;
	pthread_mutex_init(&f->lock, NULL);
	pthread_cond_init(&f->work, NULL);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&f->thread, NULL, serve, f);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc != 0) {
		free(f->given);
		free(f->company);
		free(f);
		return err_set(e, ERR_IO, "no thread could be started: %s", strerror(rc));
	}
	*out = f;
	return 0;
}

static struct task *take(struct infer *f)
{
	struct task *t;

	pthread_mutex_lock(&f->lock);
	t = f->first;
	if (t) {
		f->first = t->next;
		if (!f->first)
			f->last = &f->first;
	}
	pthread_mutex_unlock(&f->lock);
	return t;
}

/* The thread is gone, but the storekeeper's jobs go on and may post: until both have nothing left. What was said
 * must be kept even when there was no time for more. */
static void finish(struct infer *f)
{
	struct task *t;

	for (;;) {
		if (!(t = take(f))) {
			storekeeper_flush(f->keeper);
			if (!(t = take(f)))
				return;
		}
		if (t->what == INFER_SAY && strcmp(t->origin, "history") != 0)
			log_turn(f, infer_conversation(f, t->conversation), t->role, t->origin, t->text, 0);
		else if ((t->what == INFER_FATE && f->m) || t->what == INFER_SUGGESTED || t->what == INFER_CALL)
			run(f, t);
		else if (t->what == INFER_LEARN && f->person)
			ghost_person_learn(f->person, writer(f), t->text, strlen(t->text));
		task_free(t);
	}
}

void infer_stop(struct infer *f)
{
	if (!f)
		return;
	pthread_mutex_lock(&f->lock);
	f->stop = true;
	atomic_store(&f->cancel, true);
	atomic_store(&f->newer_ghost, true);
	pthread_cond_signal(&f->work);
	pthread_mutex_unlock(&f->lock);
	pthread_join(f->thread, NULL);
	finish(f);
	save_person(f);
	forget_shown(f);
	for (size_t i = 0; i < f->n; i++) {
		drop_talk(&f->c[i]);
		for (size_t k = 0; k < f->c[i].turns; k++) {
			free(f->c[i].turn[k].role);
			free(f->c[i].turn[k].text);
		}
		free(f->c[i].turn);
	}
	free(f->c);
	ghost_person_free(f->person);
	memory_free(f->memory);
	canned_free(&f->canned);
	model_unref(f->m);
	free(f->given);
	free(f->company);
	free(f->version);
	pthread_mutex_destroy(&f->lock);
	pthread_cond_destroy(&f->work);
	free(f);
}

bool infer_busy(struct infer *f)
{
	bool busy;

	pthread_mutex_lock(&f->lock);
	busy = f->busy;
	for (const struct task *t = f->first; t; t = t->next)
		busy = busy || t->what == INFER_REPLY || t->what == INFER_SUGGEST;
	pthread_mutex_unlock(&f->lock);
	return busy;
}

void infer_cancel(struct infer *f)
{
	atomic_store(&f->cancel, true);
}

static void post(struct infer *f, struct task *t)
{
	pthread_mutex_lock(&f->lock);
	if (is_ghost(t->what)) {
		for (struct task **at = &f->first; *at;) {
			struct task *old = *at;

			if (!is_ghost(old->what)) {
				at = &old->next;
				continue;
			}
			*at = old->next;
			task_free(old);
		}
		for (f->last = &f->first; *f->last;)
			f->last = &(*f->last)->next;
		atomic_store(&f->newer_ghost, true);
	}
	*f->last = t;
	f->last = &t->next;
	if (t->what == INFER_REPLY || t->what == INFER_SUGGEST)
		f->busy = true;
	pthread_cond_signal(&f->work);
	pthread_mutex_unlock(&f->lock);
}

void infer_post(struct infer *f, enum infer_what what, int64_t conversation, const char *role, const char *origin,
                const char *text, uint64_t serial)
{
	struct task *t = xcalloc(1, sizeof(*t));

	t->what = what;
	t->conversation = conversation;
	t->role = xstrdup(role ? role : user);
	t->origin = xstrdup(origin ? origin : "");
	t->text = xstrdup(text ? text : "");
	t->serial = serial;
	post(f, t);
}

void infer_then(struct infer *f, void (*call)(void *arg), void *arg)
{
	struct task *t = xcalloc(1, sizeof(*t));

	t->what = INFER_CALL;
	t->call = call;
	t->arg = arg;
	post(f, t);
}
