/* SPDX-License-Identifier: GPL-3.0-or-later */
/* typing: from what was counted to figures. */
#include <stdlib.h>
#include <string.h>

#include "../model/metrics.h"
#include "base/mem.h"
#include "typing_private.h"

static void add_counts(struct typing_figures *to, const struct typing_figures *f)
{
	to->boundaries += f->boundaries;
	to->midword += f->midword;
	to->chars += f->chars;
	to->typed += f->typed;
	to->accepts += f->accepts;
	to->asked += f->asked;
	to->shown += f->shown;
	to->matched += f->matched;
	to->first_right += f->first_right;
	to->oracle_keys += f->oracle_keys;
	for (size_t k = 0; k < 2; k++) {
		to->part[k].boundaries += f->part[k].boundaries;
		to->part[k].right += f->part[k].right;
		to->part[k].asked += f->part[k].asked;
		to->part[k].shown += f->part[k].shown;
		to->part[k].matched += f->part[k].matched;
		to->part[k].chars += f->part[k].chars;
		to->part[k].typed += f->part[k].typed;
	}
}

static double share(double a, size_t b)
{
	return b ? a / (double)b : 0;
}

static void shares(struct typing_figures *f, const struct typing_tally *t, size_t n)
{
	double *chance = xcalloc(f->boundaries + 1, sizeof(*chance));
	bool *right = xcalloc(f->boundaries + 1, sizeof(*right));
	size_t em[TYPING_WORDS] = { 0 }, midword = 0, all = 0;

	for (size_t d = 0; d < n; d++) {
		for (size_t k = 0; k < TYPING_WORDS; k++)
			em[k] += t[d].em[k];
		midword += t[d].em_midword;
		for (size_t i = 0; i < t[d].n; i++) {
			const struct typing_place *pl = &t[d].place[i];

			if (pl->midword)
				continue;
			chance[all] = pl->chance;
			right[all++] = pl->right;
			f->brier += (pl->chance - pl->right) * (pl->chance - pl->right);
		}
	}
	for (size_t k = 0; k < TYPING_WORDS; k++)
		f->em[k] = share((double)em[k], f->boundaries);
	f->em_midword = share((double)midword, f->midword);
	f->precision_at_25 = metrics_precision_at(chance, right, all, 0.25, NULL);
	f->precision_at_40 = metrics_precision_at(chance, right, all, 0.40, NULL);
	for (size_t i = 0; i < TYPING_CURVE; i++)
		f->curve[i] = metrics_precision_at(chance, right, all, (double)(i + 1) / TYPING_CURVE, NULL);
	f->brier = share(f->brier, all);
	f->keystrokes_saved = f->chars ? 1 - share((double)(f->typed + f->accepts), f->chars) : 0;
	f->typing_effort_saved = f->chars ? 1 - share((double)f->typed, f->chars) : 0;
	f->oracle = f->chars ? 1 - share((double)f->oracle_keys, f->chars) : 0;
	f->trigger_rate = share((double)f->shown, f->asked);
	f->match_rate = share((double)f->matched, f->shown);
	f->first_word_rate = share((double)f->first_right, f->shown);
	free(chance);
	free(right);
}

static int ascending(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void times(struct typing_result *r, const struct typing_tally *t, size_t n)
{
	double *all;
	size_t total = 0, at = 0;

	for (size_t d = 0; d < n; d++)
		total += t[d].n_ms;
	if (total == 0)
		return;
	all = xcalloc(total, sizeof(*all));
	for (size_t d = 0; d < n; d++)
		for (size_t i = 0; i < t[d].n_ms; i++)
			all[at++] = t[d].ms[i];
	qsort(all, total, sizeof(*all), ascending);
	r->ms_median = all[total / 2];
	r->ms_p99 = all[total - 1 - total / 100];
	free(all);
}

static void collect(struct typing_figures *f, struct typing_tally *t, size_t n)
{
	for (size_t d = 0; d < n; d++)
		add_counts(f, &t[d].f);
	shares(f, t, n);
}

static void free_tallies(struct typing_tally *t, size_t n)
{
	for (size_t d = 0; d < n; d++)
		typing_tally_free(&t[d]);
	free(t);
}

int typing_measure(struct model *m, const struct corpus *c, const struct typing_opts *o,
                   struct typing_result *r, struct err *e)
{
	struct ghost_lab lab = { .ngram = o->mixed, .no_ngram = !o->mixed };
	struct typing_seen *seen = o->trained ? typing_seen_new(o->trained) : NULL;
	struct typing_tally *t;

	memset(r, 0, sizeof(*r));
	r->conversations = c->n;
	for (size_t d = 0; d < c->n; d++) {
		for (size_t i = 0; i < c->chat[d].n; i++) {
			if (strcmp(c->chat[d].messages[i].role, o->as) != 0)
				continue;
			r->turns++;
			r->words += metrics_count_words(c->chat[d].messages[i].content);
		}
	}
	if (r->words == 0) {
		typing_seen_free(seen);
		return err_set(e, ERR_FORMAT, "no turn of role '%s' to type", o->as);
	}
	t = typing_run(m, c, o, &lab, seen, true);
	collect(&r->model, t, c->n);
	times(r, t, c->n);
	free_tallies(t, c->n);
	if (o->ngram) {
		lab = (struct ghost_lab){ .ngram = o->ngram, .ngram_only = true };
		t = typing_run(m, c, o, &lab, seen, true);
		collect(&r->ngram, t, c->n);
		free_tallies(t, c->n);
		r->compared = true;
	}
	typing_seen_free(seen);
	return 0;
}
