/* SPDX-License-Identifier: GPL-3.0-or-later */
/* eval_memory: facts in, a curve over bars out. All facts are in one memory, each taught once. */
#include "eval_memory.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "memory.h"
#include "memory_learn.h"
#include "paths.h"

enum { NEAR = 48, FOLDS = 5 };
/* Two more kinds only for fitting, because who invents rewordings and look-alikes makes the first ones share few words and
 * the others many. EASY: the question in nearly its own words. SWAPPED: what is asked of something else, in anybody's words. */
enum kind { EXACT, REWORDING, LOOKALIKE, EASY, SWAPPED, KINDS };

struct candidate {
	size_t fact;
	double rank, score;
	bool same;
	double feature[F_COUNT];
};

/* One question put to the memory, and what came near. */
struct asked {
	char *text;
	enum kind kind;
	size_t fact, n;
	struct candidate *near;
};

struct facts {
	char **question, **answer;
	size_t n, cap;
	struct asked *asked;
	size_t n_asked, cap_asked;
};

static void facts_free(struct facts *f)
{
	for (size_t i = 0; i < f->n; i++) {
		free(f->question[i]);
		free(f->answer[i]);
	}
	for (size_t i = 0; i < f->n_asked; i++) {
		free(f->asked[i].text);
		free(f->asked[i].near);
	}
	free(f->question);
	free(f->answer);
	free(f->asked);
}

static void ask(struct facts *f, const char *text, enum kind kind)
{
	if (f->n_asked == f->cap_asked) {
		f->cap_asked = f->cap_asked ? f->cap_asked * 2 : 256;
		f->asked = xreallocarray(f->asked, f->cap_asked, sizeof(*f->asked));
	}
	f->asked[f->n_asked++] = (struct asked){ .text = xstrdup(text), .kind = kind, .fact = f->n - 1 };
}

/* The question in nearly its own words: with something said around it, two letters swapped, small words left out. */
static void ask_easily(struct facts *f, size_t fact)
{
	static const char *const small[] = { " the ", " do ", " is ", " a ", " of ", " does ", " my " };
	const char *q = f->question[fact];
	struct str s = STR_INIT;
	size_t at = strlen(q) * 2 / 3;

	str_addf(&s, "hi, %s thanks", q);
	ask(f, s.s, EASY);
	str_reset(&s);
	str_adds(&s, q);
	while (at > 0 && (s.s[at] == ' ' || s.s[at - 1] == ' '))
		at--;
	if (at > 0) {
		const char c = s.s[at];

		s.s[at] = s.s[at - 1];
		s.s[at - 1] = c;
	}
	ask(f, s.s, EASY);
	str_reset(&s);
	for (const char *p = q; *p;) {
		size_t n = 0;

		for (size_t i = 0; i < sizeof(small) / sizeof(*small); i++)
			n = strncmp(p, small[i], strlen(small[i])) == 0 ? strlen(small[i]) - 1 : n;
		p += n;
		str_addc(&s, *p++);
	}
	ask(f, s.s, EASY);
	for (size_t i = f->n_asked - 3; i < f->n_asked; i++)
		f->asked[i].fact = fact;
	str_free(&s);
}

/* The first name in a question ("the Birch Lane counter": "Birch Lane"); false: it has none. */
static bool name_in(const char *q, struct str *name)
{
	const char *p = strchr(q, ' ');

	str_reset(name);
	for (; p; p = strchr(p, ' ')) {
		const char *word = ++p;
		const size_t n = strcspn(word, " ?.,");

		if (word[0] >= 'A' && word[0] <= 'Z' && n > 2)
			str_addf(name, "%s%.*s", name->len ? " " : "", (int)n, word);
		else if (name->len > 0)
			break;
		if (word[n] && word[n] != ' ')
			break;
	}
	return name->len > 0;
}

/* What is asked about other things with a name, asked about this one. */
static void ask_swapped(struct facts *f, size_t fact, size_t last)
{
	struct str own = STR_INIT, other = STR_INIT;
	size_t made = 0;

	for (size_t i = 0; name_in(f->question[fact], &own) && i < last && made < 3; i++) {
		/* from all over the list, but the same on every run */
		const struct asked *q = &f->asked[(i * 7919 + fact * 131) % last];
		const char *at;
		struct str s = STR_INIT;

		if (q->kind != REWORDING || q->fact == fact || !name_in(f->question[q->fact], &other))
			continue;
		at = strcasestr(q->text, other.s);
		if (!at)
			continue;
		str_add(&s, q->text, (size_t)(at - q->text));
		str_adds(&s, own.s);
		str_adds(&s, at + other.len);
		ask(f, s.s, SWAPPED);
		f->asked[f->n_asked - 1].fact = fact;
		str_free(&s);
		made++;
	}
	str_free(&own);
	str_free(&other);
}

static int read_fact(struct facts *f, const json_t *o, const char *path, size_t line, struct err *e)
{
	static const char *const lists[] = { [REWORDING] = "rewordings", [LOOKALIKE] = "lookalikes" };
	const char *question = json_string_value(json_object_get(o, "question")), *answer = json_string_value(json_object_get(o, "answer"));

	if (!question || !answer || !*question || !*answer)
		return err_set(e, ERR_FORMAT, "%s:%zu: wants texts \"question\" and \"answer\"", path, line);
	if (f->n == f->cap) {
		f->cap = f->cap ? f->cap * 2 : 64;
		f->question = xreallocarray(f->question, f->cap, sizeof(*f->question));
		f->answer = xreallocarray(f->answer, f->cap, sizeof(*f->answer));
	}
	f->question[f->n] = xstrdup(question);
	f->answer[f->n++] = xstrdup(answer);
	ask(f, question, EXACT);
	for (enum kind k = REWORDING; k <= LOOKALIKE; k++) {
		const json_t *list = json_object_get(o, lists[k]), *text;
		size_t i;

		json_array_foreach(list, i, text) {
			if (!json_is_string(text))
				return err_set(e, ERR_FORMAT, "%s:%zu: item %zu of \"%s\" is not text", path, line, i + 1, lists[k]);
			ask(f, json_string_value(text), k);
		}
	}
	return 0;
}

static int read_facts(struct facts *f, const char *path, struct err *e)
{
	FILE *file = fopen(path, "r");
	struct str line = STR_INIT;
	size_t no = 0;
	int rc = 0;

	if (!file)
		return err_set(e, ERR_IO, "%s: cannot open: %s", path, strerror(errno));
	while (rc == 0 && str_readline(&line, file)) {
		json_error_t je;
		json_t *o;

		no++;
		if (line.len == 0)
			continue;
		o = json_loadb(line.s, line.len, 0, &je);
		rc = o ? read_fact(f, o, path, no, e) : err_set(e, ERR_FORMAT, "%s:%zu: %s", path, no, je.text);
		json_decref(o);
	}
	str_free(&line);
	fclose(file);
	return rc;
}

static void ask_all(struct facts *f, const struct encoder *en, double *bar)
{
	struct memory *m = memory_new(en, NULL);

	for (size_t i = 0; i < f->n; i++)
		memory_add(m, (int64_t)i + 1, 0, f->question[i], f->answer[i], NULL);
	memory_compute(m);
	for (size_t i = 0; i < f->n_asked; i++) {
		struct asked *q = &f->asked[i];
		struct memory_near near[NEAR];

		q->n = memory_nearest(m, q->text, strlen(q->text), near, NEAR);
		q->near = xcalloc(q->n + 1, sizeof(*q->near));
		for (size_t k = 0; k < q->n; k++) {
			q->near[k] = (struct candidate){ .fact = near[k].at, .rank = near[k].rank, .score = near[k].score, .same = near[k].same };
			memcpy(q->near[k].feature, near[k].feature, sizeof(q->near[k].feature));
		}
	}
	*bar = memory_bar(m);
	memory_free(m);
}

/* ---- the curve ---- */

struct figures {
	double bar;
	size_t asked[KINDS], right[KINDS], wrong[KINDS];
};

static const struct candidate *best_of(const struct asked *q)
{
	const struct candidate *best = NULL;

	for (size_t k = 0; k < q->n; k++)
		if (!best || q->near[k].rank > best->rank)
			best = &q->near[k];
	return best;
}

static void count(const struct facts *f, double bar, struct figures *r)
{
	*r = (struct figures){ .bar = bar };
	for (size_t i = 0; i < f->n_asked; i++) {
		const struct asked *q = &f->asked[i];
		const struct candidate *best = best_of(q);

		r->asked[q->kind]++;
		if (!best || best->score < bar)
			continue;
		if (q->kind != LOOKALIKE && q->kind != SWAPPED && strcmp(f->answer[best->fact], f->answer[q->fact]) == 0)
			r->right[q->kind]++;
		else
			r->wrong[q->kind]++;
	}
}

static double share(size_t part, size_t of)
{
	return of ? (double)part / (double)of : 0;
}

static json_t *figures_json(const struct figures *r)
{
	return json_pack("{s:f, s:f, s:f, s:f, s:f}", "bar", r->bar, "exact", share(r->right[EXACT], r->asked[EXACT]), "rewordings",
	                 share(r->right[REWORDING], r->asked[REWORDING]), "rewordings_wrong", share(r->wrong[REWORDING], r->asked[REWORDING]),
	                 "lookalikes", share(r->wrong[LOOKALIKE], r->asked[LOOKALIKE]));
}

static void print_curve(const struct facts *f, double bar, bool json, bool fitting)
{
	static const double bars[] = { 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.98, 0.99 };
	struct figures r;
	json_t *curve = json_array(), *o;
	char *text;

	if (!json)
		printf("%zu facts in one memory; share of questions answered\n bar   exact  rewordings  (wrong)  look-alikes%s\n", f->n, fitting ? "  easy  swapped" : "");
	for (size_t i = 0; i < sizeof(bars) / sizeof(bars[0]); i++) {
		count(f, bars[i], &r);
		if (!json)
			printf("%5.2f  %5.1f%%  %9.1f%%  %6.1f%%  %10.1f%%", r.bar, 100 * share(r.right[EXACT], r.asked[EXACT]),
			       100 * share(r.right[REWORDING], r.asked[REWORDING]), 100 * share(r.wrong[REWORDING], r.asked[REWORDING]),
			       100 * share(r.wrong[LOOKALIKE], r.asked[LOOKALIKE]));
		if (!json && fitting)
			printf("  %5.1f%%  %5.1f%%", 100 * share(r.right[EASY], r.asked[EASY]), 100 * share(r.wrong[SWAPPED], r.asked[SWAPPED]));
		if (!json)
			putchar('\n');
		json_array_append_new(curve, figures_json(&r));
	}
	count(f, bar, &r);
	if (!json)
		printf("at the bar in use, %.2f: exact %.1f %%, rewordings %.1f %% (%.1f %% wrong), look-alikes wrongly answered %.1f %%\n", bar,
		       100 * share(r.right[EXACT], r.asked[EXACT]), 100 * share(r.right[REWORDING], r.asked[REWORDING]),
		       100 * share(r.wrong[REWORDING], r.asked[REWORDING]), 100 * share(r.wrong[LOOKALIKE], r.asked[LOOKALIKE]));
	o = figures_json(&r);
	json_object_set_new(o, "facts", json_integer((json_int_t)f->n));
	json_object_set_new(o, "asked", json_integer((json_int_t)f->n_asked));
	json_object_set_new(o, "curve", curve);
	if (json) {
		text = json_dumps(o, JSON_REAL_PRECISION(5) | JSON_COMPACT);
		puts(text);
		free(text);
	}
	json_decref(o);
}

static void show(const struct facts *f, double bar)
{
	for (size_t i = 0; i < f->n_asked; i++) {
		const struct asked *q = &f->asked[i];
		const struct candidate *best = best_of(q), *own = NULL;
		const bool answered = best && best->score >= bar;
		const bool wanted = q->kind != LOOKALIKE && q->kind != SWAPPED, right = answered && wanted && best->fact == q->fact;

		if (right || (!wanted && !answered))
			continue;
		for (size_t k = 0; k < q->n; k++)
			own = q->near[k].fact == q->fact ? &q->near[k] : own;
		printf("%s %.3f: %s\n    taught %.3f: %s\n", !wanted ? "look-alike answered" : answered ? "answered wrongly" : "missed",
		       best ? best->score : 0, q->text, own ? own->score : -1, f->question[q->fact]);
		if (best && best->fact != q->fact)
			printf("    nearest: %s\n", f->question[best->fact]);
		for (size_t k = 1; own && k < F_COUNT; k++)
			printf("%s%s %.2f", k == 1 ? "    " : " ", memory_feature_names[k], own->feature[k]);
		putchar('\n');
	}
}

/* ---- fitting ---- */

/* Scores of the questions about a fold's facts (FOLDS: of all), as the memory would give them. */
static void rescore(struct facts *f, const struct memory_weights *w, size_t fold)
{
	for (size_t i = 0; i < f->n_asked; i++)
		for (size_t k = 0; (fold == FOLDS || f->asked[i].fact % FOLDS == fold) && k < f->asked[i].n; k++) {
			struct candidate *c = &f->asked[i].near[k];

			c->rank = memory_rank(w, c->feature, c->same);
			c->score = memory_score(w, c->feature, c->same);
		}
}

struct samples {
	struct memory_sample *v;
	size_t n, cap;
};

static void add_sample(struct samples *s, const struct candidate *c, bool same, double weight)
{
	if (s->n == s->cap) {
		s->cap = s->cap ? s->cap * 2 : 4096;
		s->v = xreallocarray(s->v, s->cap, sizeof(*s->v));
	}
	s->v[s->n] = (struct memory_sample){ .same = same, .weight = weight };
	memcpy(s->v[s->n++].feature, c->feature, sizeof(c->feature));
}

/* On all facts but those of a fold. First which candidate is meant, among all that came near; then, of the one that
 * came first, whether it is really meant. */
static void learn(struct facts *f, size_t fold, struct memory_weights *w)
{
	/* look-alikes are fewer than rewordings, and cost more when wrong */
	static const double weight[KINDS] = { 1, 1, 3, 0.5, 1.5 };
	struct samples s = { 0 };
	double straight[F_COUNT];

	memset(w, 0, sizeof(*w));
	for (size_t i = 0; i < f->n_asked; i++)
		for (size_t k = 0; f->asked[i].fact % FOLDS != fold && k < f->asked[i].n; k++) {
			const struct asked *q = &f->asked[i];
			const bool own = q->near[k].fact == q->fact;

			if (!q->near[k].same && q->kind != LOOKALIKE && q->kind != SWAPPED)
				add_sample(&s, &q->near[k], own, own ? 1 : 0.1);
		}
	memory_learn(s.v, s.n, 0.5, w->rank);
	s.n = 0;
	rescore(f, w, FOLDS);
	for (size_t i = 0; i < f->n_asked; i++) {
		const struct asked *q = &f->asked[i];
		const struct candidate *best = best_of(q);

		if (q->fact % FOLDS != fold && best && !best->same && !memory_contradicts(best->feature))
			add_sample(&s, best, best->fact == q->fact && q->kind != LOOKALIKE && q->kind != SWAPPED, weight[q->kind]);
	}
	memory_learn(s.v, s.n, 0.5, straight);
	for (size_t i = 0; i < MEMORY_NETS; i++)
		memory_learn_net(s.v, s.n, straight, i + 1, &w->sure[i]);
	free(s.v);
}

/* The lowest bar at which few enough look-alikes are answered, and few enough rewordings wrongly. */
static double choose_bar(const struct facts *f, double most)
{
	struct figures r;

	for (double bar = 0.2; bar < 0.99; bar += 0.01) {
		count(f, bar, &r);
		if (share(r.wrong[LOOKALIKE], r.asked[LOOKALIKE]) <= most && share(r.wrong[REWORDING], r.asked[REWORDING]) <= most)
			return bar;
	}
	return 0.99;
}

static int fit(struct facts *f, const char *path, struct err *e)
{
	struct memory_weights w[FOLDS + 1];
	double bar;

	for (size_t fold = 0; fold < FOLDS; fold++)
		learn(f, fold, &w[fold]);
	for (size_t fold = 0; fold < FOLDS; fold++)
		rescore(f, &w[fold], fold);
	bar = choose_bar(f, 0.03);
	puts("each fifth of the facts scored by weights fitted on the others:");
	print_curve(f, bar, false, true);
	learn(f, FOLDS, &w[FOLDS]);
	for (size_t fold = 0; fold < FOLDS; fold++)       /* what --show shows */
		rescore(f, &w[fold], fold);
	return memory_learn_write(path, &w[FOLDS], bar, e);
}

int eval_memory(struct cli_args *a)
{
	const char *given = cli_string(a, "encoder", NULL);
	struct encoder *en = NULL;
	struct facts f = { 0 };
	struct err e = ERR_INIT;
	char *path = NULL;
	double bar;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < a->n; i++)
		rc = read_facts(&f, a->operands[i], &e);
	if (rc == 0 && f.n == 0)
		rc = err_set(&e, ERR_FORMAT, "%s: there are no facts in it", a->operands[0]);
	if (rc == 0 && !given)
		rc = paths_shipped("encoder.safetensors", &path, NULL) == 0 ? 0 :
			err_set(&e, ERR_NOTFOUND, "encoder.safetensors is neither beside the program nor installed: name one with --encoder");
	if (rc == 0 && (!given || strcmp(given, "none") != 0))
		rc = encoder_open(&en, given ? given : path, &e);
	for (size_t i = 0, last = f.n_asked; rc == 0 && cli_given(a, "fit") && i < f.n; i++) {
		ask_easily(&f, i);
		ask_swapped(&f, i, last);
	}
	if (rc == 0) {
		ask_all(&f, en, &bar);
		if (cli_given(a, "fit"))
			rc = fit(&f, cli_string(a, "fit", NULL), &e);
		else
			print_curve(&f, bar, cli_flag(a, "json"), false);
		if (cli_flag(a, "show"))
			show(&f, bar);
	}
	free(path);
	encoder_free(en);
	facts_free(&f);
	return rc < 0 ? cli_failed(&e) : CLI_OK;
}
