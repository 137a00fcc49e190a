/* SPDX-License-Identifier: GPL-3.0-or-later */
/* typing: the simulated person. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../model/metrics.h"
#include "../model/pool.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/utf8.h"
#include "typing_private.h"

void typing_opts_default(struct typing_opts *o)
{
	*o = (struct typing_opts){ .as = "assistant", .level = GHOST_NORMAL, .threads = 1, .seed = 1 };
}

void typing_tally_free(struct typing_tally *t)
{
	free(t->place);
	free(t->ms);
}

const char *typing_company(const struct typing_opts *o, const struct chat *c)
{
	return c->company ? c->company : o->company;
}

/* ---- prefixes of the training text ---- */

struct typing_seen {
	uint64_t *slot;           /* hashes; 0 is empty */
	size_t slots, used;
};

static uint64_t hash_bytes(uint64_t h, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)s[i]) * 0x100000001b3u;
	return h;
}

static size_t slot_of(const struct typing_seen *s, uint64_t h)
{
	size_t i = h & (s->slots - 1);

	while (s->slot[i] && s->slot[i] != h)
		i = (i + 1) & (s->slots - 1);
	return i;
}

static void insert(struct typing_seen *s, uint64_t h)
{
	h = rng_hash(h, 0) | 1;
	if (2 * s->used >= s->slots) {
		struct typing_seen bigger = { xcalloc(2 * s->slots, sizeof(uint64_t)), 2 * s->slots, s->used };

		for (size_t i = 0; i < s->slots; i++)
			if (s->slot[i])
				bigger.slot[slot_of(&bigger, s->slot[i])] = s->slot[i];
		free(s->slot);
		*s = bigger;
	}

	const size_t at = slot_of(s, h);

	s->used += s->slot[at] == 0;
	s->slot[at] = h;
}

static uint64_t hash_role(const char *role)
{
	return hash_bytes(0xcbf29ce484222325u, role, strlen(role) + 1);
}

struct typing_seen *typing_seen_new(const struct corpus *c)
{
	struct typing_seen *s = xcalloc(1, sizeof(*s));

	s->slots = 1024;
	s->slot = xcalloc(s->slots, sizeof(*s->slot));
	for (size_t d = 0; d < c->n; d++) {
		for (size_t i = 0; i < c->chat[d].n; i++) {
			const struct chat_message *m = &c->chat[d].messages[i];
			const char *p = m->content, *word, *at = p;
			uint64_t h = hash_role(m->role);
			size_t len;

			/* with the white space after a word, as at a word end */
			while ((word = metrics_word(&p, &len))) {
				h = hash_bytes(h, at, (size_t)(word - at));
				insert(s, h);
				h = hash_bytes(h, word, len);
				at = word + len;
			}
		}
	}
	return s;
}

void typing_seen_free(struct typing_seen *s)
{
	if (!s)
		return;
	free(s->slot);
	free(s);
}

bool typing_seen_has(const struct typing_seen *s, const char *role, const char *text, size_t len)
{
	return s->slot[slot_of(s, rng_hash(hash_bytes(hash_role(role), text, len), 0) | 1)] != 0;
}

/* ---- one turn ---- */

/* What is proposed after each prefix of a turn, asked for once. */
struct proposal {
	bool asked, any, show, right, whole;  /* first word right; the whole of it */
	size_t first, len;                    /* bytes */
};

struct turn {
	const char *text;
	size_t len;
	struct ghost *ghost;
	const struct ghost_lab *lab, *go_on;  /* as the product does; on to five words */
	const struct typing_opts *o;
	struct typing_tally *tally;
	struct proposal *at;                  /* [len + 1] */
	uint8_t *seen;                        /* [len + 1] of the word that a place is in */
};

static bool blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r') || c == '\0';
}

/* Do n bytes stand at `at`, and does a word end there? */
static bool agrees(const struct turn *t, size_t at, const char *s, size_t n)
{
	return n <= t->len - at && memcmp(t->text + at, s, n) == 0 && blank(t->text[at + n]);
}

static double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return 1e3 * (double)ts.tv_sec + 1e-6 * (double)ts.tv_nsec;
}

static void add_time(struct typing_tally *t, double ms)
{
	if (t->n_ms == t->cap_ms) {
		t->cap_ms = t->cap_ms ? 2 * t->cap_ms : 256;
		t->ms = xreallocarray(t->ms, t->cap_ms, sizeof(*t->ms));
	}
	t->ms[t->n_ms++] = ms;
}

static const struct proposal *propose(struct turn *t, size_t at)
{
	struct proposal *p = &t->at[at];
	struct ghost_text g;
	double start;

	if (p->asked)
		return p;
	p->asked = true;
	start = now_ms();
	ghost_set_lab(t->ghost, t->lab);
	if (ghost_request(t->ghost, t->o->as, t->text, at, &g, 1, NULL) == 1) {
		p->any = true;
		p->show = g.show;
		p->first = g.first;
		p->len = g.text.len;
		p->right = agrees(t, at, g.text.s, g.first);
		p->whole = p->right && agrees(t, at, g.text.s, g.text.len);
		ghost_text_free(&g);
	}
	add_time(t->tally, now_ms() - start);
	return p;
}

static struct typing_place *add_place(struct typing_tally *t)
{
	if (t->n == t->cap) {
		t->cap = t->cap ? 2 * t->cap : 64;
		t->place = xreallocarray(t->place, t->cap, sizeof(*t->place));
	}
	return memset(&t->place[t->n++], 0, sizeof(*t->place));
}

/* Exact match at one place. */
static void compare(struct turn *t, size_t at, bool midword)
{
	struct typing_place *pl = add_place(t->tally);
	struct ghost_text g;
	size_t right = 0;

	pl->midword = midword;
	ghost_set_lab(t->ghost, t->go_on);
	if (ghost_request(t->ghost, t->o->as, t->text, at, &g, 1, NULL) == 1) {
		while (right < g.words && right < TYPING_WORDS && agrees(t, at, g.text.s, g.end[right]))
			right++;
		/* a turn that ends with the proposal has no further words to get wrong */
		if (right == g.words && right > 0 && at + g.end[right - 1] == t->len)
			right = TYPING_WORDS;
		pl->chance = g.chance;
		memcpy(pl->feature, g.feature, sizeof(pl->feature));
		ghost_text_free(&g);
	}
	pl->right = right > 0;
	if (midword) {
		t->tally->f.midword++;
		t->tally->em_midword += pl->right;
		return;
	}
	t->tally->f.boundaries++;
	for (size_t k = 0; k < right; k++)
		t->tally->em[k]++;
	t->tally->f.part[t->seen[at]].boundaries++;
	t->tally->f.part[t->seen[at]].right += pl->right;
}

static size_t char_at(const struct turn *t, size_t at)
{
	int32_t cp;

	return utf8_decode(t->text + at, t->len - at, &cp);
}

/* The person at one place; returns how far that takes. */
static size_t type(struct turn *t, size_t at)
{
	struct typing_figures *f = &t->tally->f;
	const struct proposal *p = propose(t, at);
	struct typing_part *part = &f->part[t->seen[at]];
	size_t step = char_at(t, at);

	f->asked++;
	part->asked++;
	if (p->any && p->show) {
		f->shown++;
		f->matched += p->whole;
		f->first_right += p->right;
		part->shown++;
		part->matched += p->whole;
	}
	if (p->any && p->show && p->right) {
		f->accepts++;
		step = p->whole ? p->len : p->first;
	} else {
		f->typed++;
		part->typed++;
	}
	part->chars += utf8_count(t->text + at, step);
	return step;
}

static size_t oracle(struct turn *t, size_t at)
{
	const struct proposal *p = propose(t, at);

	t->tally->f.oracle_keys++;
	return p->any && p->right ? p->whole ? p->len : p->first : char_at(t, at);
}

/* ---- all conversations ---- */

struct job {
	struct model *m;
	const struct corpus *c;
	const struct typing_opts *o;
	const struct ghost_lab *lab;
	const struct typing_seen *seen;
	bool simulate;
	struct typing_tally *tally;
};

/* Was what stands before each place seen? Of the word that a place is in, its beginning counts. */
static void mark_seen(const struct job *j, struct turn *t)
{
	const char *p = t->text, *word;
	size_t len, from = 0;

	while ((word = metrics_word(&p, &len))) {
		const size_t at = (size_t)(word - t->text);
		const bool seen = j->seen && typing_seen_has(j->seen, j->o->as, t->text, at);

		memset(t->seen + from, seen, at + len - from);
		from = at + len;
	}
	memset(t->seen + from, 0, t->len + 1 - from);
}

/* From left to right once, so that the states of one place serve the next, whoever asks there. */
static void one_turn(const struct job *j, struct turn *t, size_t number)
{
	uint8_t *ask = xcalloc(t->len + 1, 1);        /* 1: a word end, 2: inside a word */
	const char *p = t->text, *word;
	size_t len, typed = 0, foreseen = 0;
	struct rng r;

	rng_seed(&r, rng_hash(j->o->seed + 47, number));
	mark_seen(j, t);
	while ((word = metrics_word(&p, &len))) {
		const size_t at = (size_t)(word - t->text);
		size_t inside;

		ask[at] = 1;
		if (len < 2)
			continue;
		inside = at + 1 + rng_below(&r, len - 1);
		while (inside > at && ((unsigned char)t->text[inside] & 0xc0) == 0x80)
			inside--;
		if (inside > at)
			ask[inside] = 2;
	}
	for (size_t at = 0; at < t->len; at++) {
		if (ask[at])
			compare(t, at, ask[at] == 2);
		if (j->simulate && at == typed)
			typed += type(t, at);
		if (j->simulate && at == foreseen)
			foreseen += oracle(t, at);
	}
	if (j->simulate)
		t->tally->f.chars += utf8_count(t->text, t->len);
	free(ask);
}

static void conversation(size_t d, void *arg)
{
	struct job *j = arg;
	const struct chat *c = &j->c->chat[d];
	struct talk *talk = talk_new(j->m, typing_company(j->o, c));
	struct ghost_lab go_on = *j->lab;
	struct ghost_opts o;
	struct ghost_person *person = j->lab->ngram_only ? NULL : ghost_person_bare(j->m, typing_company(j->o, c));
	struct ghost *ghost;

	ghost_opts_default(&o);
	o.level = j->o->level;
	ghost = ghost_new(talk, person, &o);
	go_on.words = TYPING_WORDS;
	for (size_t i = 0; i < c->n; i++) {
		const struct chat_message *m = &c->messages[i];

		if (strcmp(m->role, j->o->as) == 0) {
			struct turn t = { m->content, m->len, ghost, j->lab, &go_on, j->o, &j->tally[d],
				xcalloc(m->len + 1, sizeof(struct proposal)), xcalloc(m->len + 1, 1) };

			one_turn(j, &t, (d << 12) + i);
			free(t.at);
			free(t.seen);
		}
		talk_add(talk, m->role, m->content, m->len, NULL);
		if (person && strcmp(m->role, j->o->as) == 0)
			ghost_learn(ghost, m->role, m->content, m->len);
	}
	ghost_free(ghost);
	ghost_person_free(person);
	talk_free(talk);
}

struct typing_tally *typing_run(struct model *m, const struct corpus *c, const struct typing_opts *o,
                                const struct ghost_lab *lab, const struct typing_seen *seen, bool simulate)
{
	struct job j = { m, c, o, lab, seen, simulate, xcalloc(c->n + 1, sizeof(*j.tally)) };
	struct pool *pool = pool_new(o->threads);

	pool_run(pool, c->n, conversation, &j);
	pool_free(pool);
	return j.tally;
}
