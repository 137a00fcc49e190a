/* SPDX-License-Identifier: GPL-3.0-or-later */
/* event: what the worker threads tell the screen. Each event owns what its fields point to;
 * whoever takes it out of the mailbox frees it with event_fini. */
#ifndef ANSWERBACK_EVENT_H
#define ANSWERBACK_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum event_kind {
	EVENT_NONE,
	EVENT_READY,              /* a model serves: text its name, number its weights */
	EVENT_NOTE,               /* a line for the person: text */
	EVENT_TEXT,               /* some more of a reply: conversation, text */
	EVENT_REPLY,              /* a reply is there, whole: conversation, text, model, score, confidence, ms, stopped */
	EVENT_SUGGESTIONS,        /* conversation, items (text, score as confidence) */
	EVENT_GHOST,              /* serial, text (what follows the draft), word (bytes that end its first word); "" none */
	EVENT_WHY,                /* why */
	EVENT_HITS,               /* serial, items (text the snippet, id the conversation, number the time, role) */
	EVENT_OPENED,             /* a conversation of the history: conversation, text (case), items (text, role, origin, number) */
	EVENT_MODELS,             /* items (text the name, more a description, flag: serves) */
	EVENT_INBOX,              /* a customer's message came: conversation, text, more (case), number: new conversation */
	EVENT_DUE,                /* the setting retrain_at asks for a retraining now */
	EVENT_SENT                /* send_command is done: conversation, stopped when it failed, text what it said */
};

struct event_item {
	char *text, *role, *origin, *more;       /* any may be NULL */
	int64_t id, number;
	double score;
	bool flag;
};

/* Why a reply reads as it does. Word i of the reply looked at source word j with weight[i * (sources + 1) + 1 + j];
 * [i * (sources + 1)] is the null slot. Rows sum to one. */
struct event_why {
	size_t words, sources;
	char **word, **source;
	float *weight;            /* [words, 1 + sources] */
	double *probability;      /* [words]: of the word's pieces together */
	char **others;            /* [words]: "or: text 12 %, text 8 %" of its first piece */
	double *importance;       /* [sources]: nats the reply loses when the word is left out; NAN: not measured */
};
void event_why_free(struct event_why *w);

struct event {
	enum event_kind kind;
	int64_t conversation;
	uint64_t serial;
	char *text, *word, *more, *model;
	struct event_item *item;
	size_t items;
	struct event_why *why;
	int64_t number;
	size_t bytes;
	double score, confidence, ms;
	bool stopped;
};
void event_fini(struct event *ev);
struct event_item *event_add(struct event *ev);      /* a new, empty item */

#endif
