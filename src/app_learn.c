/* SPDX-License-Identifier: GPL-3.0-or-later */
/* app_learn: what becomes an example, and the person's decisions on it; canned replies. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "app_private.h"
#include "base/mem.h"
#include "canned.h"
#include "config.h"
#include "redact.h"
#include "review.h"

/* ---- an example out of a conversation ---- */

static char *json_text(const char *text)
{
	json_t *j = json_string(text);
	char *out = j ? json_dumps(j, JSON_ENCODE_ANY) : NULL, *copy = xstrdup(out ? out : "\"\"");

	free(out);
	json_decref(j);
	return copy;
}

static bool add_message(const struct store_message *m, void *arg)
{
	struct event_item *it = event_add(arg);

	it->text = xstrdup(m->content);
	it->role = xstrdup(m->role);
	it->id = m->id;
	return true;
}

void app_propose(struct app *a, struct store *s, int64_t row, const char *text, const char *suggested, const char *origin,
                 bool approved, double weight, struct err *e)
{
	struct event said = { 0 };
	struct redact_map *map = redact_map_new(a->company);
	struct str chat = STR_INIT, answer = STR_INIT, question = STR_INIT, old = STR_INIT;
	struct store_example x;
	char *json;
	int64_t last = 0;

	if (row)
		store_messages(s, row, add_message, &said, e);
	for (size_t i = 0; i < said.items; i++)
		if (strcmp(said.item[i].role, "assistant") == 0)
			last = said.item[i].id;
	str_adds(&chat, "{\"messages\": [");
	for (size_t i = 0; i < said.items; i++) {
		struct str t = STR_INIT;
		const char *had = said.item[i].id == last && suggested ? suggested : said.item[i].text;

		redact_text(map, had, strlen(had), &t);
		if (said.item[i].id == last) {
			str_adds(&old, t.s);
			str_free(&t);
			break;
		}
		if (strcmp(said.item[i].role, "user") == 0) {
			str_reset(&question);
			str_adds(&question, t.s);
		}
		json = json_text(t.s);
		str_addf(&chat, "%s{\"role\": \"%s\", \"content\": %s}", i ? ", " : "", said.item[i].role, json);
		free(json);
		str_free(&t);
	}
	redact_text(map, text, strlen(text), &answer);
	json = json_text(answer.s);
	str_addf(&chat, ", {\"role\": \"assistant\", \"content\": %s}]}", json);
	free(json);
	x = (struct store_example){
		.conversation = row, .message = last, .chat = chat.s, .question = question.s, .answer = answer.s,
		.suggested = old.s, .state = (char *)(uintptr_t)(approved ? "approved" : "proposed"), .origin = (char *)(uintptr_t)origin,
		.flags = (char *)(uintptr_t)"", .weight = weight,
	};
	if (question.len && last && store_example_add(s, &x, e) == 0) {
		struct event ev = { .kind = EVENT_PROPOSED };

		infer_remember(a->infer, x.id);
		if (!approved)
			mailbox_put(a->box, &ev);
	}
	str_free(&chat);
	str_free(&answer);
	str_free(&question);
	str_free(&old);
	redact_map_free(map);
	event_fini(&said);
}

/* ---- jobs on the storekeeper's thread ---- */

enum job_what { LEARN_REVIEW, LEARN_APPROVE, LEARN_REJECT, LEARN_EDIT, LEARN_UNDO, LEARN_CANNED, LEARN_KEEP, LEARN_SENT };

struct job {
	struct app *a;
	enum job_what what;
	int64_t id, conversation;
	char *text, *more;
};

static bool add_proposed(const struct review_item *i, void *arg)
{
	struct event_item *it = event_add(arg);

	it->id = i->x->id;
	it->text = xstrdup(i->x->question);
	it->answer = xstrdup(i->x->answer);
	it->more = xstrdup(i->marked);
	it->number = (int64_t)i->changed;
	it->origin = xstrdup(i->x->origin);
	it->flags = xstrdup(i->flags);
	it->flag = *i->x->suggested != '\0';
	return true;
}

static void send_review(struct app *a, struct store *s, int64_t first, struct err *e)
{
	struct event ev = { .kind = EVENT_REVIEW, .number = first };

	review_list(s, false, add_proposed, &ev, e);
	mailbox_put(a->box, &ev);
}

static void send_canned(struct app *a, struct store *s, struct err *e)
{
	struct event ev = { .kind = EVENT_CANNED };
	struct canned_list c;

	if (canned_load(&c, s, e) < 0)
		c = (struct canned_list){ 0 };
	for (size_t i = 0; i < c.n; i++) {
		struct event_item *it = event_add(&ev);

		it->more = xstrdup(c.v[i].name);
		it->text = xstrdup(c.v[i].text);
	}
	canned_free(&c);
	mailbox_put(a->box, &ev);
}

static void job_free(struct job *j)
{
	free(j->text);
	free(j->more);
	free(j);
}

static void work(struct store *s, void *arg)
{
	struct job *j = arg;
	struct app *a = j->a;
	struct err e = ERR_INIT;
	int64_t id = 0;
	bool trusted;

	if (!s && j->what != LEARN_CANNED && j->what != LEARN_REVIEW) {
		if (j->what != LEARN_SENT)
			app_note(a, "private: nothing is learned");
		job_free(j);
		return;
	}
	switch (j->what) {
	case LEARN_REVIEW:
		if (s) {
			send_review(a, s, 0, &e);
		} else {
			struct event ev = { .kind = EVENT_REVIEW };

			mailbox_put(a->box, &ev);
		}
		break;
	case LEARN_APPROVE:
	case LEARN_REJECT:
		store_example_decide(s, j->id, j->what == LEARN_APPROVE ? "approved" : "rejected", &e);
		infer_remember(a->infer, j->id);
		break;
	case LEARN_EDIT:
		review_edit(s, j->id, a->company, j->text, &e);
		infer_remember(a->infer, j->id);
		send_review(a, s, 0, &e);
		break;
	case LEARN_UNDO:
		if (store_example_undo(s, &id, &e) == 0) {
			app_note(a, "taken back: it waits for a decision again");
			infer_remember(a->infer, id);
		}
		send_review(a, s, id, &e);
		break;
	case LEARN_CANNED:
		send_canned(a, s, &e);
		break;
	case LEARN_KEEP:
		if ((j->text ? canned_set(s, j->more, j->text, &e) : store_canned_set(s, j->more, NULL, &e)) == 0)
			app_note(a, j->text ? "kept: C-x k finds it" : "no longer kept");
		infer_remember(a->infer, INFER_ONLY_CANNED);
		send_canned(a, s, &e);
		break;
	case LEARN_SENT:
		/* id: it was edited, and the person may have said that their edits need no second look */
		trusted = j->id && config_yes(CONFIG_TRUST_EDITS);
		app_propose(a, s, storekeeper_row(a->keeper, j->conversation), j->text, j->more, "sent", trusted, 1, &e);
		break;
	}
	if (e.code)
		app_note(a, e.msg);
	job_free(j);
}

static struct job *job(struct app *a, enum job_what what, int64_t conversation, const char *text, const char *more)
{
	struct job *j = xcalloc(1, sizeof(*j));

	j->a = a;
	j->what = what;
	j->conversation = conversation;
	j->text = text ? xstrdup(text) : NULL;
	j->more = more ? xstrdup(more) : NULL;
	return j;
}

static void post(struct job *j)
{
	storekeeper_post(j->a->keeper, work, j);
}

/* What was said goes through the inference thread to the store: what hangs on it has to wait behind it. */
static void post_after(void *arg)
{
	post(arg);
}

void app_review(struct app *a)
{
	post(job(a, LEARN_REVIEW, 0, NULL, NULL));
}

void app_review_decide(struct app *a, int64_t example, bool approve)
{
	struct job *j = job(a, approve ? LEARN_APPROVE : LEARN_REJECT, 0, NULL, NULL);

	j->id = example;
	post(j);
}

void app_review_edit(struct app *a, int64_t example, const char *answer)
{
	struct job *j = job(a, LEARN_EDIT, 0, answer, NULL);

	j->id = example;
	post(j);
}

void app_review_undo(struct app *a)
{
	post(job(a, LEARN_UNDO, 0, NULL, NULL));
}

void app_canned(struct app *a)
{
	post(job(a, LEARN_CANNED, 0, NULL, NULL));
}

void app_canned_keep(struct app *a, const char *name, const char *text)
{
	if (a->quiet && text)
		app_note(a, "private: nothing is kept");
	else
		post(job(a, LEARN_KEEP, 0, text, name));
}

void app_sent(struct app *a, int64_t conversation, const char *suggested, const char *text, bool edited)
{
	struct job *j;

	if (a->quiet)
		return;
	j = job(a, LEARN_SENT, conversation, text, suggested);
	j->id = edited;
	infer_then(a->infer, post_after, j);
}
