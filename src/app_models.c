/* SPDX-License-Identifier: GPL-3.0-or-later */
/* app_models: the versions there are, the way back, and two of them side by side. */
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app_private.h"
#include "base/mem.h"
#include "base/str.h"
#include "paths.h"
#include "registry.h"
#include "talk.h"
#include "worddiff.h"

/* ---- what there is ---- */

/* A few figures of the scores in words; keys that are not known stay away. */
static char *scores_in_words(const char *json)
{
	static const struct {
		const char *key, *words;
	} known[] = {
		{ "held_out_bits_per_char", "%.3f bits/char held out" }, { "bits_per_char", "%.3f bits/char" }, { "base_bits", "base %+.2f %%" },
		{ "learned", "learned %.0f %%" }, { "golden", "golden %.0f %%" }, { "memorised", "memorised %.2f" }, { "acceptance", "accepted %.0f %%" },
	};
	json_t *o = json_loads(json, 0, NULL);
	struct str s = STR_INIT;

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		const json_t *v = json_object_get(o, known[i].key);
		const double factor = strstr(known[i].words, "%%") ? 100 : 1;

		if (json_is_object(v))
			v = json_object_get(v, "value");
		if (!json_is_number(v))
			continue;
		str_adds(&s, s.len ? ", " : "");
		str_addf(&s, known[i].words, factor * json_number_value(v));
	}
	json_decref(o);
	return str_detach(&s);
}

/* The last time that a version was made to serve: "promoted 2026-01-31 10:00 by ada, before: v2". */
static char *last_promotion(const struct registry *r, const char *id)
{
	struct str path = STR_INIT, line = STR_INIT, said = STR_INIT;
	FILE *f;

	str_addf(&path, "%s/history.jsonl", registry_folder(r));
	f = fopen(path.s, "r");
	while (f && str_readline(&line, f)) {
		json_t *o = json_loads(line.s, 0, NULL);
		const char *to = json_string_value(json_object_get(o, "to")), *event = json_string_value(json_object_get(o, "event")),
			*time = json_string_value(json_object_get(o, "time")), *by = json_string_value(json_object_get(o, "by")),
			*from = json_string_value(json_object_get(o, "from"));

		if (to && event && time && strcmp(to, id) == 0) {
			str_reset(&said);
			str_addf(&said, "%s %.16s%s%s%s%s", event, time, by && *by ? " by " : "", by ? by : "", from && *from ? ", before: " : "",
			         from && *from ? from : "");
			if (strlen(time) > 10 && time[10] == 'T')
				said.s[strlen(event) + 11] = ' ';
		}
		json_decref(o);
	}
	if (f)
		fclose(f);
	str_free(&path);
	str_free(&line);
	return str_detach(&said);
}

static void list_models(struct app *a, struct store *store)
{
	struct event ev = { .kind = EVENT_MODELS };
	struct registry_list l = { 0 };
	struct registry *r = NULL;
	struct err e = ERR_INIT;
	char *base = NULL;

	paths_model(NULL, &base, NULL);
	if (registry_open(&r, NULL, base, &e) < 0 || registry_list(r, &l, &e) < 0)
		app_note(a, e.msg);
	for (size_t i = 0; i < l.n; i++) {
		struct event_item *it = event_add(&ev);
		struct str s = STR_INIT;

		it->text = xstrdup(l.v[i].id);
		it->flag = l.v[i].current && !a->model;
		str_addf(&s, "%.1f MB, ", (double)l.v[i].bytes / 1e6);
		if (*l.v[i].created)
			str_addf(&s, "made %.10s", l.v[i].created);
		else
			str_adds(&s, "came with the program");
		it->more = str_detach(&s);
		/* the base's own parent is a file of whoever built it: no version that one could go to */
		it->role = xstrdup(strcmp(l.v[i].id, REGISTRY_BASE) == 0 ? "" : l.v[i].parent);
		it->origin = scores_in_words(l.v[i].scores);
		it->answer = last_promotion(r, l.v[i].id);
		it->flags = l.v[i].damage ? xstrdup(l.v[i].damage) : NULL;
		it->number = store && store_model_tainted(store, l.v[i].id);
	}
	registry_list_free(&l);
	registry_close(r);
	free(base);
	mailbox_put(a->box, &ev);
}

struct job {
	struct app *a;
	bool promote;
	char *id;
};

static void promote(struct app *a, struct store *s, const char *id)
{
	struct registry *r = NULL;
	struct err e = ERR_INIT;
	char *base = NULL, *to = NULL;
	int rc;

	paths_model(NULL, &base, NULL);
	rc = registry_open(&r, NULL, base, &e);
	if (rc == 0 && id)
		rc = registry_promote(r, id, "promoted", &e);
	else if (rc == 0)
		rc = registry_rollback(r, &to, &e);
	if (rc == 0 && s)
		store_audit(s, id ? "promoted" : "rolled back", id ? id : to, NULL);
	registry_close(r);
	free(base);
	free(to);
	if (rc < 0)
		app_note(a, e.msg);
	else
		infer_post(a->infer, INFER_MODEL, 0, NULL, NULL, NULL, 0);
}

/* Files are read and synced: the storekeeper's thread does it, not the screen's. */
static void work(struct store *s, void *arg)
{
	struct job *j = arg;

	if (j->promote)
		promote(j->a, s, j->id);
	list_models(j->a, s);
	free(j->id);
	free(j);
}

static void post(struct app *a, bool make, const char *id)
{
	struct job *j = xcalloc(1, sizeof(*j));

	*j = (struct job){ a, make, id ? xstrdup(id) : NULL };
	storekeeper_post(a->keeper, work, j);
}

void app_models(struct app *a)
{
	post(a, false, NULL);
}

void app_promote(struct app *a, const char *id)
{
	post(a, true, id);
}

/* ---- two side by side ---- */

enum { MOST_MESSAGES = 5 };

struct comparison {
	struct app *a;
	char *id[2], *text[MOST_MESSAGES];
	size_t n;
};

static bool take_message(const struct store_hit *h, void *arg)
{
	struct comparison *c = arg;

	for (size_t i = 0; i < c->n; i++)
		if (strcmp(c->text[i], h->content) == 0)
			return true;
	c->text[c->n++] = xstrdup(h->content);
	return c->n < MOST_MESSAGES;
}

static void gather(struct store *s, void *arg)
{
	struct comparison *c = arg;

	if (s)
		store_search(s, "from:user", 200, 0, take_message, c, NULL);
}

static int load(const struct registry *r, const char *id, struct model **m, struct err *e)
{
	char *path, *note = NULL;
	int rc = registry_path(r, id, &path, e);

	*m = NULL;
	if (rc == 0) {
		rc = registry_load(path, NULL, false, m, NULL, &note, e);
		free(path);
		free(note);
	}
	return rc;
}

static char *reply_of(struct app *a, struct model *m, const char *text)
{
	struct talk *t = talk_new(m, a->company);
	struct talk_opts o;
	struct talk_reply r;
	char *said = NULL;

	talk_opts_best(&o);
	o.decode.cancel = &a->compare_stop;
	if (talk_add(t, "user", text, strlen(text), NULL) >= 0 && talk_reply(t, "assistant", &o, &r, NULL) >= 0) {
		said = xstrdup(r.text.s);
		talk_reply_free(&r);
	}
	talk_free(t);
	return said ? said : xstrdup("");
}

static void *compare(void *arg)
{
	struct comparison *c = arg;
	struct app *a = c->a;
	struct event ev = { .kind = EVENT_COMPARED, .text = xstrdup(c->id[0]), .model = xstrdup(c->id[1]) };
	struct model *m[2] = { NULL, NULL };
	struct registry *r = NULL;
	struct err e = ERR_INIT;
	char *base = NULL;

	storekeeper_post(a->keeper, gather, c);
	storekeeper_flush(a->keeper);
	paths_model(NULL, &base, NULL);
	if (registry_open(&r, NULL, base, &e) == 0)
		for (size_t k = 0; k < 2 && e.code == 0; k++)
			load(r, c->id[k], &m[k], &e);
	for (size_t i = 0; e.code == 0 && i < c->n && !atomic_load(&a->compare_stop); i++) {
		struct event_item *it = event_add(&ev);
		struct str marked = STR_INIT;
		char *second = reply_of(a, m[1], c->text[i]);

		it->text = xstrdup(c->text[i]);
		it->answer = reply_of(a, m[0], c->text[i]);
		worddiff_mark(it->answer, second, &marked);
		it->more = str_detach(&marked);
		free(second);
	}
	if (e.code)
		app_note(a, e.msg);
	mailbox_put(a->box, &ev);
	for (size_t k = 0; k < 2; k++) {
		model_unref(m[k]);
		free(c->id[k]);
	}
	for (size_t i = 0; i < c->n; i++)
		free(c->text[i]);
	registry_close(r);
	free(base);
	free(c);
	atomic_store(&a->comparing, false);
	return NULL;
}

bool app_compare(struct app *a, const char *first, const char *second)
{
	struct comparison *c;
	sigset_t all, old;

	if (atomic_load(&a->comparing))
		return false;
	app_join_compare(a);
	c = xcalloc(1, sizeof(*c));
	c->a = a;
	c->id[0] = xstrdup(first);
	c->id[1] = xstrdup(second);
	atomic_store(&a->compare_stop, false);
	atomic_store(&a->comparing, true);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	a->compare_started = pthread_create(&a->compare, NULL, compare, c) == 0;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (!a->compare_started) {
		atomic_store(&a->comparing, false);
		free(c->id[0]);
		free(c->id[1]);
		free(c);
	}
	return a->compare_started;
}

void app_join_compare(struct app *a)
{
	if (!a->compare_started)
		return;
	atomic_store(&a->compare_stop, true);
	pthread_join(a->compare, NULL);
	a->compare_started = false;
}
