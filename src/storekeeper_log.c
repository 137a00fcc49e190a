/* SPDX-License-Identifier: GPL-3.0-or-later */
/* storekeeper_log: conversations, turns, and what was shown, as they happen.
 *
 * A turn that cannot be written (a full disk, a file that another program holds) waits, in order, and is tried
 * again with the next one. Completions come several a second while somebody types: they are written with the next
 * turn, or some dozens together. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "storekeeper_private.h"

enum { MOST_WAITING = 10000, COMPLETIONS = 32 };

struct said {
	struct said *next;
	struct storekeeper *k;
	int64_t conversation;
	struct store_message m;
};

struct shown {
	struct storekeeper *k;
	int64_t number, conversation;
	bool decided;
	struct store_suggestion g;    /* id 0: not written; its strings are ours */
};

struct fate {
	struct storekeeper *k;
	int64_t number, chars;
	char *what;
};

/* ---- conversations ---- */

int64_t storekeeper_conversation(struct storekeeper *k, const char *case_id, const char *customer, const char *company,
                                 const char *source)
{
	struct logged *l = xcalloc(1, sizeof(*l));
	int64_t id;

	l->case_id = xstrdup(case_id ? case_id : "");
	l->customer = xstrdup(customer ? customer : "");
	l->company = xstrdup(company ? company : "");
	l->source = xstrdup(source ? source : "");
	pthread_mutex_lock(&k->lock);
	k->conversation = xreallocarray(k->conversation, k->conversations + 1, sizeof(*k->conversation));
	k->conversation[k->conversations++] = l;
	id = (int64_t)k->conversations;
	pthread_mutex_unlock(&k->lock);
	return id;
}

static struct logged *logged_of(struct storekeeper *k, int64_t id)
{
	struct logged *l = NULL;

	pthread_mutex_lock(&k->lock);
	if (id >= 1 && (size_t)id <= k->conversations)
		l = k->conversation[id - 1];
	pthread_mutex_unlock(&k->lock);
	return l;
}

int64_t storekeeper_row(struct storekeeper *k, int64_t conversation)
{
	struct logged *l = logged_of(k, conversation);

	return l ? l->row : 0;
}

/* ---- trouble ---- */

static void remember_trouble(struct storekeeper *k, const char *what)
{
	pthread_mutex_lock(&k->lock);
	free(k->trouble);
	k->trouble = xstrdup(what);
	pthread_mutex_unlock(&k->lock);
}

char *storekeeper_trouble(struct storekeeper *k)
{
	char *t;

	pthread_mutex_lock(&k->lock);
	t = k->trouble;
	k->trouble = NULL;
	pthread_mutex_unlock(&k->lock);
	return t;
}

/* ---- changes ---- */

struct change {
	struct storekeeper *k;
	int64_t conversation, row;
	const char *field;
	char *value;
};

static void write_change(struct store *s, void *arg)
{
	struct change *c = arg;
	struct logged *l = logged_of(c->k, c->conversation);
	struct err e = ERR_INIT;

	if (l && c->row)
		l->row = c->row;
	if (l && c->field && strcmp(c->field, "case_id") == 0) {
		free(l->case_id);
		l->case_id = xstrdup(c->value);
	}
	if (s && l && c->field && l->row && store_conversation_set(s, l->row, c->field, c->value, &e) < 0)
		remember_trouble(c->k, e.msg);
	free(c->value);
	free(c);
}

void storekeeper_set(struct storekeeper *k, int64_t conversation, const char *field, const char *value)
{
	struct change *c = xcalloc(1, sizeof(*c));

	*c = (struct change){ k, conversation, 0, strcmp(field, "state") == 0 ? "state" : "case_id", xstrdup(value) };
	storekeeper_put(k, write_change, NULL, c);
}

void storekeeper_adopt(struct storekeeper *k, int64_t conversation, int64_t row)
{
	struct change *c = xcalloc(1, sizeof(*c));

	*c = (struct change){ k, conversation, row, NULL, NULL };
	storekeeper_put(k, write_change, NULL, c);
}

/* ---- turns ---- */

static void said_free(struct said *d)
{
	store_message_free(&d->m);
	free(d);
}

static void shown_free(struct shown *g)
{
	free((char *)(uintptr_t)g->g.kind);
	free((char *)(uintptr_t)g->g.origin);
	free((char *)(uintptr_t)g->g.text);
	free((char *)(uintptr_t)g->g.model);
	free((char *)(uintptr_t)g->g.fate);
}

static void drop_shown(struct storekeeper *k, size_t i)
{
	shown_free(&k->shown[i]);
	k->n_shown--;
	memmove(k->shown + i, k->shown + i + 1, (k->n_shown - i) * sizeof(*k->shown));
}

static int write_shown(struct storekeeper *k, struct store *s, struct shown *g, struct err *e)
{
	g->g.conversation = storekeeper_row(k, g->conversation);
	return store_suggestion_add(s, &g->g, e);
}

static bool unwritten(const struct shown *g)
{
	return g->decided && g->g.id == 0;
}

/* Within a transaction of the caller's; what was written is dropped only when that has been committed. */
static int write_decided(struct storekeeper *k, struct store *s, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; i < k->n_shown && rc == 0; i++)
		if (unwritten(&k->shown[i]))
			rc = write_shown(k, s, &k->shown[i], e);
	return rc;
}

static void settle_decided(struct storekeeper *k, bool written)
{
	for (size_t i = 0; i < k->n_shown;) {
		if (!k->shown[i].decided) {
			i++;
		} else if (written) {
			drop_shown(k, i);
		} else {
			k->shown[i++].g.id = 0;
		}
	}
}

static int write_one(struct storekeeper *k, struct store *s, struct said *d, struct err *e)
{
	struct logged *l = logged_of(k, d->conversation);
	const int64_t row = l->row;
	int rc = store_begin(s, e);

	if (rc < 0)
		return rc;
	if (l->row == 0)
		rc = store_conversation_add(s, l->case_id, l->customer, l->company, l->source, 0, &l->row, e);
	d->m.conversation = l->row;
	if (rc == 0)
		rc = store_message_add(s, &d->m, e);
	if (rc == 0)
		rc = write_decided(k, s, e);
	if (rc == 0)
		rc = store_commit(s, e);
	else
		store_abandon(s);
	if (rc < 0)
		l->row = row;
	settle_decided(k, rc == 0);
	return rc;
}

/* The file was deleted, or another put in its place: what is said from now on goes into the one that is there. */
static int open_again(struct storekeeper *k, struct store *s, struct err *e)
{
	int rc = store_reopen(s, e);

	for (size_t i = 0; rc == 0 && i < k->conversations; i++)
		k->conversation[i]->row = 0;
	return rc;
}

static void write_waiting(struct storekeeper *k, struct store *s)
{
	struct err e = ERR_INIT;
	int rc = 0;

	if (k->waiting && store_moved(s)) {
		remember_trouble(k, "the database was deleted, or another put in its place, while it was open: what was said before "
		                    "is not in the one that is there now");
		rc = open_again(k, s, &e);
	}
	while (k->waiting && rc == 0) {
		struct said *d = k->waiting;

		rc = write_one(k, s, d, &e);
		if (rc < 0 && k->n_waiting <= MOST_WAITING)
			break;
		k->waiting = d->next;
		k->n_waiting--;
		said_free(d);
	}
	if (!k->waiting)
		k->last_waiting = &k->waiting;
	if (rc < 0)
		remember_trouble(k, e.msg);
}

static void take_turn(struct store *s, void *arg)
{
	struct said *d = arg;
	struct storekeeper *k = d->k;

	if (!s || !logged_of(k, d->conversation)) {
		said_free(d);
		return;
	}
	*k->last_waiting = d;
	k->last_waiting = &d->next;
	k->n_waiting++;
	write_waiting(k, s);
}

void storekeeper_message(struct storekeeper *k, int64_t conversation, const char *role, const char *origin,
                         const char *text, size_t len, const char *model, double latency_ms)
{
	struct said *d = xcalloc(1, sizeof(*d));

	d->k = k;
	d->conversation = conversation;
	d->m = (struct store_message){
		.role = xstrdup(role), .origin = xstrdup(origin), .content = xmemdup(text, len), .len = len,
		.model = xstrdup(model ? model : ""), .latency_ms = latency_ms, .created = store_now(),
	};
	storekeeper_put(k, take_turn, NULL, d);
}

/* ---- what was shown ---- */

static char *own(const char *text)
{
	return xstrdup(text ? text : "");
}

static void write_all_decided(struct storekeeper *k, struct store *s)
{
	struct err e = ERR_INIT;
	int rc = store_begin(s, &e);

	if (rc == 0 && (rc = write_decided(k, s, &e)) < 0)
		store_abandon(s);
	else if (rc == 0)
		rc = store_commit(s, &e);
	settle_decided(k, rc == 0);
}

static void take_shown(struct store *s, void *arg)
{
	struct shown *g = arg;
	struct storekeeper *k = g->k;
	size_t decided = 0;

	if (!s) {
		shown_free(g);
		free(g);
		return;
	}
	/* a suggestion is rare, and kept at once; figures are no reason for trouble */
	if (!g->decided && write_shown(k, s, g, NULL) < 0) {
		shown_free(g);
		free(g);
		return;
	}
	k->shown = xreallocarray(k->shown, k->n_shown + 1, sizeof(*k->shown));
	k->shown[k->n_shown++] = *g;
	free(g);
	for (size_t i = 0; i < k->n_shown; i++)
		decided += k->shown[i].decided;
	if (decided >= COMPLETIONS)
		write_all_decided(k, s);
	while (k->n_shown > MOST_WAITING)      /* the disk is full, or nobody ever decides */
		drop_shown(k, 0);
}

static void take_fate(struct store *s, void *arg)
{
	struct fate *f = arg;
	struct storekeeper *k = f->k;

	for (size_t i = 0; s && i < k->n_shown; i++) {
		if (k->shown[i].number == f->number) {
			store_suggestion_fate(s, k->shown[i].g.id, f->what, f->chars, NULL);
			drop_shown(k, i);
			break;
		}
	}
	free(f->what);
	free(f);
}

int64_t storekeeper_shown(struct storekeeper *k, int64_t conversation, const struct store_suggestion *g)
{
	struct shown *n = xcalloc(1, sizeof(*n));

	n->k = k;
	n->conversation = conversation;
	n->decided = g->fate != NULL;
	n->g = *g;
	n->g.id = 0;
	n->g.kind = own(g->kind);
	n->g.origin = own(g->origin);
	n->g.text = own(g->text);
	n->g.model = own(g->model);
	n->g.fate = own(g->fate ? g->fate : "shown");
	n->g.created = store_now();
	pthread_mutex_lock(&k->lock);
	n->number = ++k->numbers;
	pthread_mutex_unlock(&k->lock);

	const int64_t number = n->number;

	storekeeper_put(k, take_shown, NULL, n);
	return number;
}

void storekeeper_fate(struct storekeeper *k, int64_t shown, const char *fate, int64_t chars)
{
	struct fate *f = xcalloc(1, sizeof(*f));

	f->k = k;
	f->number = shown;
	f->chars = chars;
	f->what = own(fate);
	storekeeper_put(k, take_fate, NULL, f);
}

/* ---- retention ---- */

struct retention {
	struct storekeeper *k;
	int days;
	int64_t gone;
	bool merging;
	void (*said)(const char *text, void *arg);
	void *arg;
};

/* Some at a time, so that nobody who talks meanwhile waits for it. */
static void retain(struct store *s, void *arg)
{
	struct retention *t = arg;
	struct err e = ERR_INIT;
	struct str text = STR_INIT;
	int n = 0;

	if (s && !t->merging && (n = store_retain(s, t->days, 64, &e)) > 0)
		t->gone += n;
	if (n > 0) {
		storekeeper_put(t->k, retain, NULL, t);
		return;
	}
	/* their words still stand in the index, marked as deleted, until it is merged */
	if (n == 0 && t->gone > 0) {
		n = store_merge(s, !t->merging, &e);
		t->merging = true;
		if (n > 0) {
			storekeeper_put(t->k, retain, NULL, t);
			return;
		}
	}
	if (n < 0)
		str_addf(&text, "retention: %s", e.msg);
	else if (t->gone)
		str_addf(&text, "%lld conversations untouched for %d days were deleted", (long long)t->gone, t->days);
	if (text.len && t->said)
		t->said(text.s, t->arg);
	str_free(&text);
	free(t);
}

void storekeeper_retain(struct storekeeper *k, int days, void (*said)(const char *text, void *arg), void *arg)
{
	struct retention *t;

	if (days <= 0 || storekeeper_private(k))
		return;
	t = xcalloc(1, sizeof(*t));
	*t = (struct retention){ .k = k, .days = days, .said = said, .arg = arg };
	storekeeper_put(k, retain, NULL, t);
}

/* ---- the end ---- */

static void write_rest(struct store *s, void *arg)
{
	struct storekeeper *k = arg;

	if (!s)
		return;
	write_waiting(k, s);
	write_all_decided(k, s);
}

void storekeeper_log_end(struct storekeeper *k)
{
	storekeeper_put(k, write_rest, NULL, k);
}

void storekeeper_log_free(struct storekeeper *k)
{
	while (k->waiting) {
		struct said *d = k->waiting;

		k->waiting = d->next;
		said_free(d);
	}
	while (k->n_shown > 0)
		drop_shown(k, k->n_shown - 1);
	free(k->shown);
	for (size_t i = 0; i < k->conversations; i++) {
		free(k->conversation[i]->case_id);
		free(k->conversation[i]->customer);
		free(k->conversation[i]->company);
		free(k->conversation[i]->source);
		free(k->conversation[i]);
	}
	free(k->conversation);
	free(k->trouble);
}
