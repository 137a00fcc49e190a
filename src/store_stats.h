/* SPDX-License-Identifier: GPL-3.0-or-later */
/* store_stats: how much was said, and what became of what the program proposed, by week and by model version.
 *
 *     store_stats(s, 12, each, arg, &e);      // each(const struct store_figures *, arg)
 */
#ifndef ANSWERBACK_STORE_STATS_H
#define ANSWERBACK_STORE_STATS_H

#include "store.h"

/* Where a reply may come from; what is none of these is counted as the last. */
#define STORE_ORIGINS(X) X(typed) X(pasted) X(suggested) X(edited) X(canned) X(model) X(memory) X(imported) X(other)
enum store_origin {
#define X(name) STORE_ORIGIN_##name,
	STORE_ORIGINS(X)
#undef X
	STORE_ORIGIN_COUNT
};
extern const char *const store_origins[STORE_ORIGIN_COUNT];

enum store_figures_of { STORE_FIGURES_ALL, STORE_FIGURES_WEEK, STORE_FIGURES_MODEL };

struct store_figures {
	enum store_figures_of of;
	char label[64];               /* "", the week's Monday as 2026-11-23 (local time), or the version */
	int64_t conversations, messages;              /* begun; said. Of a model: 0 */
	int64_t replies, by_origin[STORE_ORIGIN_COUNT];      /* messages of the assistant */
	int64_t suggestions, suggestions_taken, suggestions_edited, suggestions_ignored;
	int64_t completions, completions_taken, completions_words, completions_ignored;      /* words: some taken, not all */
	int64_t chars;                /* characters of completions and suggestions that need not be typed */
	double reply_ms, suggestion_ms, completion_ms;       /* medians; 0: none */
};

/* All of the last `weeks` weeks (0: of all time) together, then each week in which something happened, oldest first, then each model
 * version that answered or proposed anything, by name. */
int store_stats(struct store *s, int weeks, void (*each)(const struct store_figures *f, void *arg), void *arg, struct err *e);

#endif
