/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ghost: one conversation's proposals. */
#include "ghost.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "encode.h"
#include "redact.h"
#include "ghost_private.h"

/* Of a long draft the end is read, from a place that moves on in steps, so that states stay of use. */
enum { WINDOW = 1024, STEPS_FIRST = 10, STEPS_NEXT = 3 };

/* A further word is added while it is at least this likely given those before it, and what may come is
 * no more open than this (nats). */
static const double SURE_ENOUGH = 0.45, OPEN = 2.2;

struct ghost {
	struct talk *t;
	struct ghost_person *p;
	struct ghost_opts o;
	struct ghost_lab lab;
	struct ahead *a;
	struct tokenizer_cache *cache;
	uint64_t version;             /* of the person's counts when the states were computed */
	struct ghost_said said;
	struct redact_map *map;       /* of the draft: the talk's, and what the draft adds */
	const char *draft;            /* of the request under way */
	size_t draft_len;
	size_t place_turns, place;    /* where the last ghost was shown */
	unsigned refused;             /* times in a row, there */
};

static const char *const levels[] = { "off", "shy", "normal", "eager" };

bool ghost_level_parse(const char *name, enum ghost_level *level)
{
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		if (strcmp(name, levels[i]) == 0) {
			*level = (enum ghost_level)i;
			return true;
		}
	}
	return false;
}

const char *ghost_level_name(enum ghost_level level)
{
	return levels[level];
}

void ghost_opts_default(struct ghost_opts *o)
{
	*o = (struct ghost_opts){ .level = GHOST_NORMAL, .max_words = 8, .max_tokens = 12, .personal = true };
}

void ghost_text_free(struct ghost_text *t)
{
	str_free(&t->text);
}

struct ghost *ghost_new(struct talk *t, struct ghost_person *p, const struct ghost_opts *o)
{
	struct ghost *g = xcalloc(1, sizeof(*g));

	g->t = t;
	g->p = p;
	g->o = *o;
	g->cache = tokenizer_cache_new();
	g->said = (struct ghost_said){ STR_INIT, SIZE_MAX };
	return g;
}

void ghost_free(struct ghost *g)
{
	if (!g)
		return;
	ahead_free(g->a);
	tokenizer_cache_free(g->cache);
	redact_map_free(g->map);
	str_free(&g->said.text);
	free(g);
}

void ghost_set_level(struct ghost *g, enum ghost_level level)
{
	g->o.level = level;
}

void ghost_set_lab(struct ghost *g, const struct ghost_lab *lab)
{
	const bool same = g->lab.ngram == lab->ngram && g->lab.ngram_only == lab->ngram_only &&
		g->lab.no_ngram == lab->no_ngram && g->lab.mix == lab->mix;

	g->lab = *lab;
	if (same)
		return;
	ahead_free(g->a);
	g->a = NULL;
}

struct ahead *ghost_ahead(struct ghost *g)
{
	struct ahead_mix mix = g->lab.mix ? *g->lab.mix : ghost_mix;

	mix.ngram = g->lab.no_ngram ? NULL : g->lab.ngram ? g->lab.ngram : g->p ? g->p->ngram : NULL;
	mix.personal = g->p && g->o.personal ? g->p->counts : NULL;
	mix.recent = g->p && g->o.personal ? g->p->recent : NULL;
	mix.ngram_only = g->lab.ngram_only;
	if (!g->a)
		g->a = ahead_new(talk_session(g->t), &mix);
	else if (g->p && g->p->version != g->version)
		ahead_reset(g->a, &mix);
	g->version = g->p ? g->p->version : 0;
	return g->a;
}

static const struct ghost_weights *weights(const struct ghost *g)
{
	return g->lab.ngram_only ? &ghost_weights_ngram : &ghost_weights_model;
}

/* What was said, as text: to look codes up in. */
static const char *said(struct ghost *g)
{
	struct session *s = talk_session(g->t);

	if (g->said.turns != session_turns(s)) {
		size_t n;
		const int32_t *ids = session_ids(s, &n);

		str_reset(&g->said.text);
		for (size_t i = 0; i < n; i++) {
			/* turns must not run together */
			if (tokenizer_tag_name(talk_model(g->t)->tok, ids[i]))
				str_addc(&g->said.text, '\n');
			else
				decode_text(talk_model(g->t)->tok, talk_map(g->t), &ids[i], 1, &g->said.text);
		}
		g->said.turns = session_turns(s);
	}
	return g->said.text.s;
}

static const char *value(int32_t id, size_t *len, void *arg)
{
	struct ghost *g = arg;
	size_t type;
	unsigned index;
	const char *v = NULL;

	if (tokenizer_is_placeholder(talk_model(g->t)->tok, id, &type, &index) && type < REDACT_TYPES)
		v = redact_value(g->map, (enum redact_type)type, index);
	*len = v ? strlen(v) : 0;
	return v;
}

static bool allowed(const char *word, size_t n, void *arg)
{
	struct ghost *g = arg;

	return ghost_word_allowed(word, n, said(g), g->draft, g->draft_len, g->o.unwanted);
}

static bool ends_sentence(const struct str *s)
{
	size_t i = s->len;

	while (i > 0 && (s->s[i - 1] == '"' || s->s[i - 1] == ')' || s->s[i - 1] == '\''))
		i--;
	return i > 0 && (s->s[i - 1] == '.' || s->s[i - 1] == '!' || s->s[i - 1] == '?');
}

static bool one_line(const char *s, size_t n)
{
	return !memchr(s, '\n', n) && !memchr(s, '\r', n);
}

/* The words after the first, while they are likely enough. */
static void go_on(struct ghost *g, int node, const struct ahead_query *q, struct ghost_text *t)
{
	const size_t words = g->lab.words ? g->lab.words : g->o.max_words;

	while (t->words < words && t->words < GHOST_MAX_WORDS) {
		struct ahead_word w;
		double entropy;

		if (!g->lab.words && (t->tokens >= g->o.max_tokens || ends_sentence(&t->text)))
			break;
		if (ahead_words(g->a, node, "", 0, q, &w, 1, &entropy) == 0)
			break;
		if (!g->lab.words && (t->tokens + w.tokens > g->o.max_tokens || !one_line(w.text, w.len)))
			break;
		/* log_prob counts the turn's end against it, too */
		if (t->sure == t->words && exp(w.log_prob) >= SURE_ENOUGH && entropy <= OPEN)
			t->sure++;
		else if (!g->lab.words)
			break;
		str_add(&t->text, w.text, w.len);
		t->end[t->words++] = t->text.len;
		t->tokens += w.tokens;
		t->log_prob += w.log_prob;
		t->least = w.least < t->least ? w.least : t->least;
		node = w.node;
	}
}

/* Where reading the draft begins. */
static size_t window(const char *s, size_t len)
{
	size_t from;

	if (len < 2 * WINDOW)
		return 0;
	from = (len / WINDOW - 1) * WINDOW;
	for (size_t i = from; i < from + WINDOW / 2; i++)
		if (s[i] == ' ' || s[i] == '\n')
			return i;
	while (from < len && ((unsigned char)s[from] & 0xc0) == 0x80)
		from++;
	return from;
}

/* Does the draft end in the middle of a character? Broken bytes elsewhere do no harm. */
static bool ends_whole(const char *s, size_t len)
{
	size_t from = len > 4 ? len - 4 : 0;

	while (from < len && ((unsigned char)s[from] & 0xc0) == 0x80)
		from++;
	while (from < len) {
		int32_t cp;
		size_t n = utf8_decode(s + from, len - from, &cp);

		if (n == 1 && (unsigned char)s[from] >= 0x80)
			return false;
		from += n;
	}
	return len == 0 || from == len;
}

static size_t letters_typed(const char *open, size_t n)
{
	size_t k = 0;

	while (k < n && open[n - 1 - k] != ' ' && !(open[n - 1 - k] >= '\t' && open[n - 1 - k] <= '\r'))
		k++;
	return k;
}

static bool shows(struct ghost *g, const struct ghost_text *t, size_t place)
{
	const struct ghost_bar none = { 0 };

	if (place != g->place || session_turns(talk_session(g->t)) != g->place_turns) {
		g->place = place;
		g->place_turns = session_turns(talk_session(g->t));
		g->refused = 0;
	}
	return g->o.level != GHOST_OFF && g->draft_len >= GHOST_MIN_TYPED && g->refused < 3 &&
		ghost_bar_passes(g->p ? &g->p->bar : &none, ghost_bar_for(weights(g), ghost_coverage(g->o.level)), t->chance);
}

int ghost_request(struct ghost *g, const char *role, const char *prefix, size_t len,
                  struct ghost_text *out, size_t n, struct err *e)
{
	const struct tokenizer *tok = talk_model(g->t)->tok;
	const int32_t tag = tokenizer_tag(tok, role);
	const struct ahead_query q = { value, allowed, g, STEPS_FIRST, g->o.cancel }, next = { value, allowed, g,
		STEPS_NEXT, g->o.cancel };
	const size_t from = window(prefix, len), cut = from + ghost_cut(prefix + from, len - from);
	struct ahead_word w[GHOST_MAX + 2];
	struct tokens ids = { 0 };
	double entropy;
	size_t found, letters = letters_typed(prefix + cut, len - cut);
	int root, kept = 0;

	if (tag < 0)
		return err_set(e, ERR_USAGE, "this model has no role '%.40s'; `answerback model info` lists its roles", role);
	if (n > GHOST_MAX)
		n = GHOST_MAX;
	if (!ends_whole(prefix, len))
		return 0;
	redact_map_free(g->map);
	g->map = redact_map_clone(talk_map(g->t));
	g->draft = prefix;
	g->draft_len = len;
	encode_text(tok, g->cache, g->map, prefix + from, cut - from, &ids);
	root = ahead_reach(ghost_ahead(g), tag, ids.ids, ids.n);
	tokens_free(&ids);
	found = ahead_words(g->a, root, prefix + cut, len - cut, &q, w, n + 2, &entropy);
	for (size_t i = 0; i < found && (size_t)kept < n; i++) {
		struct ghost_text *t = &out[kept];
		bool alike = false;

		if ((!g->lab.words && !one_line(w[i].text, w[i].len)) || utf8_valid_upto(w[i].text, w[i].len) < w[i].len)
			continue;
		*t = (struct ghost_text){ .text = STR_INIT, .first = w[i].len, .end = { w[i].len }, .words = 1, .sure = 1, .tokens = w[i].tokens,
		                          .log_prob = w[i].log_prob, .least = w[i].least, .entropy = entropy };
		str_add(&t->text, w[i].text, w[i].len);
		for (int k = 0; k < kept; k++)
			alike = alike || ghost_alike(&out[k].text, &t->text);
		if (alike) {
			ghost_text_free(t);
			continue;
		}
		ghost_features(&w[i], i + 1 < found ? w[i + 1].log_prob : -20, letters, len == 0, entropy, t->feature);
		t->chance = ghost_chance(weights(g), t->feature);
		kept++;
		go_on(g, w[i].node, &next, t);
	}
	if (g->o.cancel && atomic_load(g->o.cancel)) {
		while (kept > 0)
			ghost_text_free(&out[--kept]);
		return err_set(e, ERR_CANCELLED, "cancelled");
	}
	if (kept > 0)
		out[0].show = shows(g, &out[0], cut);
	return kept;
}

bool ghost_feedback(struct ghost *g, const struct ghost_text *t, enum ghost_outcome what)
{
	const bool taken = what == GHOST_TAKEN || what == GHOST_WORD;

	g->refused = taken ? 0 : g->refused + 1;
	return g->p && ghost_bar_learn(&g->p->bar, t->chance, what);
}

void ghost_learn(struct ghost *g, const char *role, const char *text, size_t len)
{
	if (g->p)
		ghost_person_learn(g->p, role, text, len);
}
