/* SPDX-License-Identifier: GPL-3.0-or-later */
/* choose: several replies to one conversation, the best first.
 *
 * Beams, and samples where different ones are wanted, are ordered by their mean log-probability plus a weight times
 * their fit with the other side's last message (fit.h), less what they repeat of what the same side said before.
 * Counting against a reply how likely it is anywhere (Li et al. 2016) was measured in its place, and made replies
 * worse. One that names a number nobody named comes after all others. One with much of all probability, which was learned
 * for just this, comes first whatever it says. */
#ifndef ANSWERBACK_CHOOSE_H
#define ANSWERBACK_CHOOSE_H

#include <stdbool.h>

#include "../model/decode.h"

struct choice {
	struct decode_result r;
	double score;
};
enum { CHOOSE_BEAMS = 8, CHOOSE_SAMPLES = 8 };

/* Up to `most` different ones of the beams of d and of `samples` samples, best first; returns how many: one at least,
 * which says nothing when d was cancelled. out: the caller frees each r. d->token is not called. */
size_t choose(struct session *s, int32_t tag, const struct decode_opts *d, double weight, size_t samples,
              struct choice *out, size_t most);
/* Share of the runs of three of n ids that side `tag` has said before (in the last few thousand pieces). */
double choose_repeats(const struct session *s, int32_t tag, const int32_t *ids, size_t n);

/* Has text a run of three or more digits that is no whole run of digits in what was said? Nobody's number may come back
 * changed, and an agent's draft invents none: such replies are chosen only when every beam is one. */
bool choose_invents_number(const char *text, const char *said);

#endif
