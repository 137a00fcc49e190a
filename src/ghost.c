/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ghost: proposals, their chance, and whether they are shown. */
#include "ghost.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct ghost_person {
	struct model *m;
};

struct ghost {
	struct talk *t;
	struct ghost_person *p;
	struct ghost_opts o;
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

struct ghost_person *ghost_person_new(struct model *m)
{
	struct ghost_person *p = xcalloc(1, sizeof(*p));

	p->m = model_ref(m);
	return p;
}

void ghost_person_free(struct ghost_person *p)
{
	if (!p)
		return;
	model_unref(p->m);
	free(p);
}

void ghost_person_save(const struct ghost_person *p, struct str *out)
{
	(void)p;
	(void)out;
}

int ghost_person_load(struct ghost_person *p, const char *bytes, size_t len, struct err *e)
{
	(void)p;
	(void)bytes;
	(void)len;
	(void)e;
	return 0;
}

void ghost_person_learn(struct ghost_person *p, const char *role, const char *text, size_t len)
{
	(void)p;
	(void)role;
	(void)text;
	(void)len;
}

void ghost_person_forget(struct ghost_person *p, const char *role, const char *text, size_t len)
{
	(void)p;
	(void)role;
	(void)text;
	(void)len;
}

void ghost_person_clear(struct ghost_person *p)
{
	(void)p;
}

struct ghost *ghost_new(struct talk *t, struct ghost_person *p, const struct ghost_opts *o)
{
	struct ghost *g = xcalloc(1, sizeof(*g));

	g->t = t;
	g->p = p;
	g->o = *o;
	return g;
}

void ghost_free(struct ghost *g)
{
	free(g);
}

void ghost_set_level(struct ghost *g, enum ghost_level level)
{
	g->o.level = level;
}

int ghost_request(struct ghost *g, const char *role, const char *prefix, size_t len,
                  struct ghost_text *out, size_t n, struct err *e)
{
	struct talk_completion c[GHOST_MAX];
	struct complete_opts o;
	int found;

	complete_opts_default(&o);
	o.beam = 4;
	found = talk_complete(g->t, role, prefix, len, &o, c, n < GHOST_MAX ? n : GHOST_MAX, e);
	for (int i = 0; i < found; i++)
		out[i] = (struct ghost_text){ .text = c[i].text, .first = c[i].text.len, .chance = c[i].confidence,
		                              .log_prob = c[i].score };
	if (found > 0)
		out[0].show = g->o.level != GHOST_OFF && len >= GHOST_MIN_TYPED && out[0].chance > 0.3;
	return found;
}

bool ghost_feedback(struct ghost *g, const struct ghost_text *t, enum ghost_outcome what)
{
	(void)g;
	(void)t;
	(void)what;
	return false;
}

void ghost_learn(struct ghost *g, const char *role, const char *text, size_t len)
{
	if (g->p)
		ghost_person_learn(g->p, role, text, len);
}
