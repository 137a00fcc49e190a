/* SPDX-License-Identifier: GPL-3.0-or-later */
/* event: freeing what events own. */
#include "event.h"

#include <stdlib.h>

#include "base/mem.h"

void event_why_free(struct event_why *w)
{
	if (!w)
		return;
	for (size_t i = 0; i < w->words; i++) {
		free(w->word[i]);
		free(w->others[i]);
	}
	for (size_t i = 0; i < w->sources; i++)
		free(w->source[i]);
	free(w->word);
	free(w->others);
	free(w->source);
	free(w->weight);
	free(w->probability);
	free(w->importance);
	free(w);
}

void event_fini(struct event *ev)
{
	free(ev->text);
	free(ev->word);
	free(ev->more);
	free(ev->model);
	for (size_t i = 0; i < ev->items; i++) {
		free(ev->item[i].text);
		free(ev->item[i].role);
		free(ev->item[i].origin);
		free(ev->item[i].more);
		free(ev->item[i].answer);
		free(ev->item[i].flags);
	}
	free(ev->item);
	event_why_free(ev->why);
	*ev = (struct event){ 0 };
}

struct event_item *event_add(struct event *ev)
{
	ev->item = xreallocarray(ev->item, ev->items + 1, sizeof(*ev->item));
	ev->item[ev->items] = (struct event_item){ 0 };
	return &ev->item[ev->items++];
}
