/* SPDX-License-Identifier: GPL-3.0-or-later */
/* typing_private: the places gone through, for figures and for fitting. */
#ifndef ANSWERBACK_TYPING_PRIVATE_H
#define ANSWERBACK_TYPING_PRIVATE_H

#include "ghost_private.h"
#include "typing.h"

struct typing_place {
	double chance;
	double feature[GHOST_FEATURES];
	bool right, midword;
};

/* Of one way of proposing (model or n-gram), over one conversation. */
struct typing_tally {
	struct typing_figures f;              /* counts alone; shares come at the end */
	size_t em[TYPING_WORDS], em_midword;
	struct typing_place *place;
	size_t n, cap;
	double *ms;
	size_t n_ms, cap_ms;
};
void typing_tally_free(struct typing_tally *t);

struct typing_seen;
struct typing_seen *typing_seen_new(const struct corpus *c);
void typing_seen_free(struct typing_seen *s);
bool typing_seen_has(const struct typing_seen *s, const char *role, const char *text, size_t len);

/* One tally a conversation. lab: how to propose. simulate: type, too. */
struct typing_tally *typing_run(struct model *m, const struct corpus *c, const struct typing_opts *o,
                                const struct ghost_lab *lab, const struct typing_seen *seen, bool simulate);
const char *typing_company(const struct typing_opts *o, const struct chat *c);

#endif
