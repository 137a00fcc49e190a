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
	EVENT_SUGGESTIONS,        /* conversation, items (text, origin, score as confidence, more: a canned one's name); stopped: none is sure */
	EVENT_GHOST,              /* serial, text (what follows the draft), word (bytes that end its first word); "" none */
	EVENT_WHY,                /* why, number: of how many replies back */
	EVENT_HITS,               /* serial, items (text the snippet, answer the message, id the conversation, number the time, role) */
	EVENT_OPENED,             /* a conversation of the history: number its row, text (case), more (customer), items (text, role, origin, number) */
	EVENT_MODELS,             /* items (text the name, more size and date, role the parent, origin the scores in words, answer who made it
	                           * serve and when, flags the damage, flag: serves, number 1: learned from something that was forgotten) */
	EVENT_COMPARED,           /* text, model: the two; items (text a customer's message, answer the first's reply, more the second's beside it
	                           * as worddiff.h marks it) */
	EVENT_TRAINING,           /* a retrain is at it: text, score its share done */
	EVENT_TRAINED,            /* it is over: text, model ("" none), number examples, bytes replayed, stopped: not published, items are the
	                           * gate (text, score, bound, role "at least" or "at most", flag ok, more what failed first) */
	EVENT_INBOX,              /* a customer's message came: conversation, text, more (case), number: new conversation */
	EVENT_DUE,                /* the setting retrain_at asks for a retraining now */
	EVENT_REVIEW,             /* items that wait for a decision (id, text the question, answer, more what changed as worddiff.h marks it,
	                           * number of words changed, origin, flags); number: which to show first, 0 any */
	EVENT_PROPOSED,           /* another example waits for a decision */
	EVENT_CANNED,             /* items (more the name, text) */
	EVENT_SENT                /* send_command is done: conversation, stopped when it failed, text what it said */
};

struct event_item {
	char *text, *role, *origin, *more;       /* any may be NULL */
	char *answer, *flags;
	int64_t id, number;
	double score, bound;
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
