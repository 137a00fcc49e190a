/* SPDX-License-Identifier: GPL-3.0-or-later */
/* encoder_corpora: groups out of the corpora that may ship. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "../src/base/mem.h"
#include "../src/chatfile.h"
#include "encoder_tool.h"

enum { LONGEST = 220 };         /* bytes of a text that is a question and not a letter */

static const struct {
	const char *file;
	enum encoder_source source;
} intents[] = {
	{ "intents/banking77.train.jsonl.xz", SOURCE_BANKING },
	{ "intents/clinc150.train.jsonl.xz", SOURCE_CLINC },
	{ "intents/bitext-intent-20k.train.jsonl.xz", SOURCE_BITEXT20 },
	{ "intents/bitext-intent-8k.train.jsonl.xz", SOURCE_BITEXT8 },
};

static const struct {
	const char *file;
	bool answers;                 /* its agents answer what was asked */
	double share;                 /* of its conversations */
} dialogues[] = {
	{ "dialogue/cucom.train.jsonl.xz", true, 1 },
	{ "dialogue/dstc9_faq.train.jsonl.xz", true, 0.5 },
	{ "dialogue/star.train.jsonl.xz", false, 0.3 },
	{ "dialogue/multiwoz21_valtest.train.jsonl.xz", false, 0.5 },
	{ "dialogue/taskmaster4_coffee.train.jsonl.xz", false, 0.3 },
};

static int open_file(struct chatfile **f, const char *root, const char *name, const char *const *tags, struct err *e)
{
	const struct chatfile_opts o = { .tags = tags };
	struct str path = STR_INIT;
	int rc;

	str_addf(&path, "%s/%s", root, name);
	rc = chatfile_open(f, path.s, &o, e);
	str_free(&path);
	return rc;
}

/* ---- texts by a key of theirs ---- */

struct keyed {
	char *key, *text;
};

static int by_key(const void *a, const void *b)
{
	const struct keyed *x = a, *y = b;
	const int c = strcmp(x->key, y->key);

	return c ? c : strcmp(x->text, y->text);
}

struct pile {
	struct keyed *v;
	size_t n, cap;
};

static void pile_add(struct pile *p, const char *key, const char *text)
{
	if (p->n == p->cap) {
		p->cap = p->cap ? p->cap * 2 : 1024;
		p->v = xreallocarray(p->v, p->cap, sizeof(*p->v));
	}
	p->v[p->n++] = (struct keyed){ xstrdup(key), xstrdup(text) };
}

/* A group for each key with `least` texts or more. */
static void pile_groups(struct pile *p, struct encoder_groups *g, enum encoder_source source, size_t least)
{
	qsort(p->v, p->n, sizeof(*p->v), by_key);
	for (size_t i = 0, to; i < p->n; i = to) {
		struct encoder_group *x;
		size_t different = 1;

		for (to = i + 1; to < p->n && strcmp(p->v[to].key, p->v[i].key) == 0; to++)
			different += strcmp(p->v[to].text, p->v[to - 1].text) != 0;
		if (different < least)
			continue;
		x = encoder_groups_add(g, source);
		for (size_t k = i; k < to; k++)
			if (k == i || strcmp(p->v[k].text, p->v[k - 1].text) != 0)
				encoder_group_text(x, p->v[k].text);
	}
	for (size_t i = 0; i < p->n; i++) {
		free(p->v[i].key);
		free(p->v[i].text);
	}
	free(p->v);
	*p = (struct pile){ 0 };
}

static int add_intents(struct encoder_groups *g, const char *root, size_t which, struct err *e)
{
	static const char *const tags[] = { "text", "label", NULL };
	struct pile p = { 0 };
	struct chatfile *f;
	struct chat c = { 0 };
	int rc = open_file(&f, root, intents[which].file, tags, e);

	if (rc < 0)
		return rc;
	while ((rc = chatfile_next(f, &c, e)) > 0)
		if (c.n == 2 && c.messages[0].len <= LONGEST)
			pile_add(&p, c.messages[1].content, c.messages[0].content);
	chat_free(&c);
	chatfile_close(f);
	pile_groups(&p, g, intents[which].source, 2);
	return rc;
}

/* ---- translations: two English sentences of one French one mean the same, and French is a pivot for words ---- */

/* Each word marked as foreign (U+0192 before it): it gets a row while training, which is not kept. */
static void foreign(const char *text, struct str *out)
{
	bool inside = false;

	str_reset(out);
	for (; *text; text++) {
		const unsigned char c = (unsigned char)*text;
		const bool letter = isalnum(c) || (c >= 0x80 && c != 0xc2 && c != 0xe2 && (inside || c >= 0xc0));

		if (letter && !inside)
			str_adds(out, "\xc6\x92");
		inside = letter;
		str_addc(out, *text == '\'' ? ' ' : *text);
	}
}

static int add_translations(struct encoder_groups *g, const char *root, struct err *e)
{
	static const char *const tags[] = { "en", "fr", NULL };
	struct str fr = STR_INIT;
	struct pile p = { 0 };
	struct chatfile *f;
	struct chat c = { 0 };
	int rc = open_file(&f, root, "translate/tatoeba_en_fr.train.jsonl.xz", tags, e);

	if (rc < 0)
		return rc;
	while ((rc = chatfile_next(f, &c, e)) > 0) {
		struct encoder_group *x;

		if (c.n != 2 || c.messages[0].len > LONGEST || c.messages[1].len > LONGEST)
			continue;
		pile_add(&p, c.messages[1].content, c.messages[0].content);
		foreign(c.messages[1].content, &fr);
		x = encoder_groups_add(g, SOURCE_TATOEBA_FR);
		encoder_group_text(x, c.messages[0].content);
		encoder_group_text(x, fr.s);
	}
	chat_free(&c);
	chatfile_close(f);
	str_free(&fr);
	pile_groups(&p, g, SOURCE_TATOEBA, 2);
	return rc;
}

/* ---- what customers wrote, and what was answered ---- */

static int add_dialogues(struct encoder_groups *g, const char *root, size_t which, struct rng *r, struct err *e)
{
	struct chatfile *f;
	struct chat c = { 0 };
	int rc = open_file(&f, root, dialogues[which].file, NULL, e);

	if (rc < 0)
		return rc;
	while ((rc = chatfile_next(f, &c, e)) > 0) {
		if (rng_uniform(r) >= dialogues[which].share)
			continue;
		for (size_t i = 0; i < c.n; i++) {
			const struct chat_message *m = &c.messages[i];
			struct encoder_group *x;

			if (strcmp(m->role, "user") != 0 || m->len > LONGEST || m->len < 12)
				continue;
			if (i < 3 || rng_uniform(r) < 0.2) {
				x = encoder_groups_add(g, SOURCE_CUSTOMERS);
				encoder_group_text(x, m->content);
			}
			if (dialogues[which].answers && i + 1 < c.n && c.messages[i + 1].len <= LONGEST) {
				x = encoder_groups_add(g, SOURCE_ANSWERS);
				encoder_group_text(x, m->content);
				encoder_group_text(x, c.messages[i + 1].content);
			}
		}
	}
	chat_free(&c);
	chatfile_close(f);
	return rc;
}

int encoder_add_corpora(struct encoder_groups *g, const char *root, struct rng *r, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(intents) / sizeof(intents[0]); i++)
		rc = add_intents(g, root, i, e);
	if (rc == 0)
		rc = add_translations(g, root, e);
	for (size_t i = 0; rc == 0 && i < sizeof(dialogues) / sizeof(dialogues[0]); i++)
		rc = add_dialogues(g, root, i, r, e);
	return rc;
}
