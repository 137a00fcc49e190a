/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What each public corpus needs before anything may be learned from it. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "../src/base/mem.h"
#include "corpus_tool.h"

enum {
	CANNED_SLOTS = 1 << 15,     /* hash table of replies; larger than the number of different ones */
	STAR_CANNED = 60            /* learn a templated reply this many times, then it is context only */
};

struct corpus_clean_state {
	struct {
		uint64_t hash;
		unsigned seen;
	} canned[CANNED_SLOTS];
};

struct corpus_clean_state *corpus_clean_new(void)
{
	return xcalloc(1, sizeof(struct corpus_clean_state));
}

void corpus_clean_free(struct corpus_clean_state *s)
{
	free(s);
}

/* How often this text was asked for, this time included. */
static unsigned count_canned(struct corpus_clean_state *s, const char *text, size_t n)
{
	uint64_t h = 14695981039346656037u;

	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)text[i]) * 1099511628211u;
	h |= 1;
	for (size_t i = h % CANNED_SLOTS, tries = 0; tries < CANNED_SLOTS; i = (i + 1) % CANNED_SLOTS, tries++) {
		if (s->canned[i].hash == 0)
			s->canned[i].hash = h;
		if (s->canned[i].hash == h)
			return ++s->canned[i].seen;
	}
	return 1;
}

void corpus_cut(struct chat *c, size_t i)
{
	while (c->n > i) {
		c->n--;
		free(c->messages[c->n].role);
		free(c->messages[c->n].content);
	}
}

static bool cut_for(struct chat *c, size_t i, enum corpus_reason why, struct corpus_stats *st)
{
	st->reasons[why]++;
	corpus_cut(c, i);
	if (c->n >= 2) {
		st->cut++;
		return true;
	}
	return false;
}

static void set_content(struct chat_message *m, struct str *s)
{
	free(m->content);
	m->len = s->len;
	m->content = str_detach(s);
}

static bool is_customer(const struct chat_message *m)
{
	return strcmp(m->role, "user") == 0;
}

/* "[Date]", "[Assuming ...]", "XXXX": somebody meant to fill this in. */
static bool has_placeholder(const char *s)
{
	unsigned run = 0;

	for (const char *p = s; *p; p++) {
		run = (*p == 'X' || *p == 'x' || *p == '_') && p > s && p[-1] == *p ? run + 1 : 0;
		if (run >= 3 || (*p == '[' && isalpha((unsigned char)p[1])))
			return true;
	}
	return strstr(s, "{{") != NULL;
}

static bool is_abbreviation(const char *s, size_t dot)
{
	static const char *const known[] = { "e.g", "i.e", "etc", "rs", "no", "vs", "approx", "a.m", "p.m", "mr", "mrs",
		"ms", "dr", "st", "inc", "co", "ltd", "ph", "ref", "qty", "ext" };
	size_t from = dot;
	bool found = false;

	while (from > 0 && s[from - 1] != ' ' && s[from - 1] != '(')
		from--;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strlen(known[i]) == dot - from && strncasecmp(s + from, known[i], dot - from) == 0)
			found = true;
	return found;
}

/* Agents write whole sentences; a sentence that starts small, or an answer right after a
 * question of one's own, is the other side's turn run into this one. So are stage directions. */
static bool is_run_together(const char *s)
{
	static const char *const answers[] = { "Thank you for", "Thank you.", "I understand", "Certainly.", "I see.",
		"Understood" };
	static const char *const stage[] = { "(pause", "(transfer", "(after", "(checking", "(wait", "(supervisor",
		"(connect", "(a few" };

	for (size_t i = 1; s[i]; i++) {
		char end = s[i - 1];

		if (s[i] == '(')
			for (size_t k = 0; k < sizeof(stage) / sizeof(stage[0]); k++)
				if (strncasecmp(s + i, stage[k], strlen(stage[k])) == 0)
					return true;
		if (s[i] != ' ' || (end != '.' && end != '?' && end != '!'))
			continue;
		/* "...while" is a pause; "www.x.com is" has no blank before its dots */
		if (islower((unsigned char)s[i + 1]) && !(i > 1 && s[i - 2] == '.') && !is_abbreviation(s, i - 1) &&
		    strncmp(s + i + 1, "http", 4) != 0 && !isdigit((unsigned char)s[i + 2]))
			return true;
		if (end == '?')
			for (size_t k = 0; k < sizeof(answers) / sizeof(answers[0]); k++)
				if (strncmp(s + i + 1, answers[k], strlen(answers[k])) == 0)
					return true;
	}
	return false;
}

static void add_slug(struct str *out, const char *name)
{
	for (; *name; name++)
		if (isalnum((unsigned char)*name))
			str_addc(out, (char)tolower((unsigned char)*name));
}

static void add_name(struct str *out, const char *name, bool small)
{
	for (; *name; name++)
		str_addc(out, small ? (char)tolower((unsigned char)*name) : *name);
}

static size_t skip_word(const char *p, const char *word)
{
	size_t n = strlen(word);

	return strncasecmp(p, word, n) == 0 && !isalnum((unsigned char)p[n]) ? n : 0;
}

/* The shop's name, in all its spellings, becomes `name`; true when there was any. */
static bool rename_company(struct chat_message *m, const char *name)
{
	struct str out = STR_INIT;
	const char *s = m->content;
	bool any = false;

	for (size_t i = 0; i < m->len;) {
		size_t used = 6;
		bool small = s[i] == 'a';
		char before = i ? s[i - 1] : ' ';

		if (strncasecmp(s + i, "amazon", 6) != 0 || isalnum((unsigned char)before)) {
			str_addc(&out, s[i++]);
			continue;
		}
		any = true;
		if (before == '@' || before == '/' || (before == '.' && i > 1 && s[i - 2] != ' ' && s[i - 2] != '.')) {
			add_slug(&out, name);     /* part of an address */
			i += used;
			continue;
		}
		if (s[i + used] == '.' && (skip_word(s + i + used + 1, "in") || skip_word(s + i + used + 1, "com"))) {
			size_t tail = 1 + (skip_word(s + i + used + 1, "in") ? 2 : 3);

			if (s[i + used + tail] == '/') {
				add_slug(&out, name);
				i += used;
				continue;
			}
			used += tail;
		}
		used += skip_word(s + i + used, " (India)");
		if (used == 6 || s[i + used - 1] != ')')
			used += skip_word(s + i + used, " India");
		add_name(&out, name, small);
		if (s[i + used] == 's' && !isalpha((unsigned char)s[i + used + 1]))
			str_adds(&out, "'");      /* "amazons", the name's own */
		else if (isalnum((unsigned char)s[i + used]))
			str_addc(&out, ' ');      /* "AmazonBasics" */
		i += used;
	}
	if (any)
		set_content(m, &out);
	str_free(&out);
	return any;
}

bool corpus_clean_nothing(struct corpus_clean_state *s, struct chat *c, struct rng *r, struct corpus_stats *st)
{
	(void)s;
	(void)c;
	(void)r;
	(void)st;
	return true;
}

enum { UNNAMED_PERCENT = 15 };

bool corpus_clean_cucom(struct corpus_clean_state *s, struct chat *c, struct rng *r, struct corpus_stats *st)
{
	const char *name = corpus_company_names[rng_below(r, corpus_company_count)];
	bool named = false;

	(void)s;
	for (size_t i = 0; i < c->n; i++) {
		if (has_placeholder(c->messages[i].content)) {
			if (!cut_for(c, i, REASON_PLACEHOLDER, st))
				return false;
			break;
		}
		if (!is_customer(&c->messages[i]) && is_run_together(c->messages[i].content)) {
			if (!cut_for(c, i, REASON_RUN_TOGETHER, st))
				return false;
			break;
		}
	}
	for (size_t i = 0; i < c->n; i++)
		if (rename_company(&c->messages[i], name))
			named = true;
	/* Some go without the slot: who uses the program may not have said what the company is
	 * called, and then its name is a word like any other, to be copied from the conversation. */
	if (named && rng_below(r, 100) >= UNNAMED_PERCENT) {
		free(c->company);
		c->company = xstrdup(name);
	}
	return true;
}

bool corpus_clean_star(struct corpus_clean_state *s, struct chat *c, struct rng *r, struct corpus_stats *st)
{
	(void)r;
	if (c->domain && (strstr(c->domain, "trivia") || strstr(c->domain, "spaceship"))) {
		st->reasons[REASON_DOMAIN]++;
		return false;
	}
	for (size_t i = 0; i < c->n; i++) {
		struct chat_message *m = &c->messages[i];

		if (!is_customer(m) && count_canned(s, m->content, m->len) > STAR_CANNED) {
			m->weight = 0.0;
			st->reasons[REASON_CAPPED]++;
		}
	}
	return true;
}

/* A few flight dialogues have the agent say where it wants to fly. */
bool corpus_clean_sgd(struct corpus_clean_state *s, struct chat *c, struct rng *r, struct corpus_stats *st)
{
	static const char *const own_trip[] = { "I'd like to leave", "I'd like to fly", "I'd like to go", "I'd love to fly",
		"I'm planning to go", "I'm planning to fly", "I want to fly", "I want to leave", "I want to go on",
		"I want to take", "I will be leaving", "I'll be leaving", "I would like to fly",
		"I would like to leave", "I will be flying", "I'll be flying", "I want to travel" };

	(void)s;
	(void)r;
	for (size_t i = 0; i < c->n; i++) {
		if (is_customer(&c->messages[i]))
			continue;
		for (size_t k = 0; k < sizeof(own_trip) / sizeof(own_trip[0]); k++)
			if (strstr(c->messages[i].content, own_trip[k])) {
				st->reasons[REASON_SWAPPED]++;
				return false;
			}
	}
	return true;
}

/* "I 'd like one , please ." -> "I'd like one, please." */
static void untokenise(struct chat_message *m)
{
	static const char *const tails[] = { "'s", "'m", "'d", "'re", "'ll", "'ve", "n't", "'t" };
	struct str out = STR_INIT;
	const char *s = m->content;

	for (size_t i = 0; i < m->len; i++) {
		const char *p = s + i + 1;
		bool join = false;

		if (s[i] == ' ') {
			join = *p == ' ' || (*p && strchr(".,?!;:)", *p) && p[1] != '(' && p[1] != ')');
			for (size_t k = 0; k < sizeof(tails) / sizeof(tails[0]) && !join; k++) {
				size_t n = strlen(tails[k]);

				join = strncasecmp(p, tails[k], n) == 0 && !isalpha((unsigned char)p[n]);
			}
			join = join || (out.len && out.s[out.len - 1] == '(');
		}
		if (!join)
			str_addc(&out, s[i]);
	}
	set_content(m, &out);
}

bool corpus_clean_multiwoz(struct corpus_clean_state *s, struct chat *c, struct rng *r, struct corpus_stats *st)
{
	(void)s;
	(void)r;
	(void)st;
	for (size_t i = 0; i < c->n; i++)
		untokenise(&c->messages[i]);
	return true;
}

static void strip_markdown(struct chat_message *m)
{
	struct str out = STR_INIT;
	const char *s = m->content;

	for (size_t i = 0; i < m->len; i++) {
		if (s[i] == '`' || (s[i] == '*' && (s[i + 1] == '*' || (i && s[i - 1] == '*'))))
			continue;
		if (s[i] == '#' && (s[i + 1] == '#' || (i && s[i - 1] == '#')))
			continue;
		str_addc(&out, s[i]);
	}
	set_content(m, &out);
}

bool corpus_clean_tau(struct corpus_clean_state *s, struct chat *c, struct rng *r, struct corpus_stats *st)
{
	(void)s;
	(void)r;
	for (size_t i = 0; i < c->n; i++) {
		/* the simulated customer's way to say that it is done */
		if (strstr(c->messages[i].content, "###")) {
			corpus_cut(c, i);
			break;
		}
		if (has_placeholder(c->messages[i].content))
			return cut_for(c, i, REASON_PLACEHOLDER, st);
		strip_markdown(&c->messages[i]);
	}
	return c->n >= 2;
}

bool corpus_clean_chitchat(struct corpus_clean_state *s, struct chat *c, struct rng *r, struct corpus_stats *st)
{
	(void)s;
	(void)r;
	for (size_t i = 0; i < c->n; i++)
		if (strstr(c->messages[i].content, "Lifeline")) {
			st->reasons[REASON_HOTLINE]++;
			return false;
		}
	return true;
}
