/* SPDX-License-Identifier: GPL-3.0-or-later */
/* corpus: reads, cleans, samples and mixes; see corpus_tool.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../src/base/mem.h"
#include "corpus_options.h"

static const double chitchat_share = 0.03, customer_share = 0.05;   /* of the characters of the mix */

void corpus_list_add(struct corpus_list *l, struct chat *c)
{
	if (l->n == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 256;
		l->v = xreallocarray(l->v, l->cap, sizeof(*l->v));
	}
	l->v[l->n++] = *c;
	*c = (struct chat){ 0 };
}

void corpus_list_free(struct corpus_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		chat_free(&l->v[i]);
	free(l->v);
	*l = (struct corpus_list){ 0 };
}

size_t corpus_chat_chars(const struct chat *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++)
		n += c->messages[i].len;
	return n;
}

static size_t list_chars(const struct corpus_list *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++)
		n += corpus_chat_chars(&l->v[i]);
	return n;
}

const char *corpus_reason_name(enum corpus_reason r)
{
	static const char *const names[REASON_COUNT] = { "not sampled", "domain", "placeholder", "run together",
		"swapped roles", "hotline", "over cap", "no reply written", "slot not mentioned", "duplicate", "too short" };

	return names[r];
}

static void to_stderr(const char *message, void *arg)
{
	(void)arg;
	fprintf(stderr, "corpus: %s\n", message);
}

/* How many times this conversation goes in: the whole part of the weight, and one more by luck. */
static size_t copies(double weight, struct rng *r)
{
	size_t n = (size_t)weight;

	return n + (rng_uniform(r) < weight - (double)n ? 1 : 0);
}

static char *join_path(const char *a, const char *b)
{
	struct str s = STR_INIT;

	str_addf(&s, "%s/%s", a, b);
	return str_detach(&s);
}

/* A deep copy, for weights over 1. */
static struct chat copy_chat(const struct chat *c)
{
	struct chat k = { 0 };

	for (size_t i = 0; i < c->n; i++)
		chat_add(&k, c->messages[i].role, c->messages[i].content, c->messages[i].len, c->messages[i].weight);
	k.id = c->id ? xstrdup(c->id) : NULL;
	k.source = c->source ? xstrdup(c->source) : NULL;
	k.domain = c->domain ? xstrdup(c->domain) : NULL;
	return k;
}

struct job {
	const struct corpus_options *o;
	const struct corpus_slots *slots;
	const struct corpus_replies *replies;
	struct corpus_list lists[SOURCES];
	struct corpus_list valid, openings;
	struct corpus_stats stats[SOURCES];
};

/* One raw record to zero or one conversation in k. */
static bool take(struct job *job, size_t which, struct corpus_clean_state *cs, const struct chat *raw, struct rng *r,
                 struct corpus_stats *st, struct chat *k)
{
	const struct corpus_source *s = &corpus_sources[which];
	bool good;

	if (s->kind == INTENTS) {
		if (raw->n != 2)
			return false;
		good = corpus_reply_to(job->replies, job->slots, s->name, raw->messages[1].content,
		                       raw->messages[0].content, r, k, st);
		if (good)
			k->domain = xstrdup(raw->messages[1].content);
	} else {
		*k = copy_chat(raw);
		good = s->clean(cs, k, r, st);
		if (good && k->n < 2 && s->kind != CUSTOMER_ONLY) {
			st->reasons[REASON_SHORT]++;
			good = false;
		}
	}
	if (!good) {
		chat_free(k);
		return false;
	}
	free(k->source);
	k->source = xstrdup(s->name);
	return true;
}

static int read_source(struct job *job, size_t which, const char *file, bool is_valid, struct err *e)
{
	static const char *const intent_tags[] = { "text", "label", NULL };
	const struct corpus_source *s = &corpus_sources[which];
	struct chatfile_opts co = { .warn = to_stderr };
	struct corpus_stats unused = { 0 }, *st = is_valid ? &unused : &job->stats[which];
	struct corpus_list *into = is_valid ? &job->valid : &job->lists[which];
	struct corpus_clean_state *cs;
	struct chatfile *f;
	struct chat raw = { 0 };
	struct rng r;
	size_t kept = 0;
	int rc;

	if (s->kind == INTENTS)
		co.tags = intent_tags;
	rc = chatfile_open(&f, file, &co, e);
	if (rc < 0)
		return rc;
	rng_seed(&r, rng_hash(job->o->seed, which * 2 + is_valid));
	cs = corpus_clean_new();
	while ((rc = chatfile_next(f, &raw, e)) > 0) {
		size_t n = is_valid ? 1 : copies(job->o->weight[which], &r);

		st->in++;
		if (n == 0)
			st->reasons[REASON_SAMPLED]++;
		if (is_valid && kept >= s->valid_max)
			break;
		for (size_t i = 0; i < n; i++) {
			struct chat k = { 0 };

			if (!take(job, which, cs, &raw, &r, st, &k))
				continue;
			corpus_list_add(into, &k);
			kept++;
		}
	}
	chat_free(&raw);
	corpus_clean_free(cs);
	chatfile_close(f);
	return rc < 0 ? rc : 0;
}

/* Shuffle, then keep conversations up to `limit` characters. With `even`, go through the
 * different replies in turn, so that the frequent ones do not fill the share. */
static void cap_list(struct corpus_list *l, size_t limit, bool even, struct rng *r, struct corpus_stats *st)
{
	const unsigned chosen = (unsigned)-1;
	size_t chars = 0, kept = 0;
	unsigned *round = xcalloc(l->n + 1, sizeof(*round));

	rng_shuffle(r, l->v, l->n, sizeof(l->v[0]));
	if (even)       /* round[i]: how many before i have i's reply (a list of thousands: quadratic is fine) */
		for (size_t i = 0; i < l->n; i++)
			for (size_t k = 0; k < i; k++)
				if (l->v[k].messages[l->v[k].n - 1].len == l->v[i].messages[l->v[i].n - 1].len &&
				    strcmp(l->v[k].messages[l->v[k].n - 1].content, l->v[i].messages[l->v[i].n - 1].content) == 0)
					round[i]++;
	for (unsigned turn = 0, more = 1; more && chars < limit; turn++) {
		more = 0;
		for (size_t i = 0; i < l->n && chars < limit; i++) {
			if (round[i] == (unsigned)-1)
				continue;
			if (round[i] > turn)
				more = 1;
			if (round[i] != turn)
				continue;
			chars += corpus_chat_chars(&l->v[i]);
			round[i] = (unsigned)-1;      /* chosen */
		}
	}
	for (size_t i = 0; i < l->n; i++) {
		if (round[i] == chosen) {
			struct chat c = l->v[i];

			l->v[i] = l->v[kept];
			l->v[kept++] = c;
		} else {
			st->reasons[REASON_CAPPED]++;
		}
	}
	for (size_t i = kept; i < l->n; i++)
		chat_free(&l->v[i]);
	l->n = kept;
	free(round);
}

/* Small talk and customer-only texts have a share of the whole, known when the rest is. */
static void cap_shares(struct job *job)
{
	size_t rest = 0;

	for (size_t i = 0; i < SOURCES; i++)
		if (corpus_sources[i].kind != CHITCHAT && corpus_sources[i].kind != CUSTOMER_ONLY)
			rest += list_chars(&job->lists[i]);
	for (size_t i = 0; i < SOURCES; i++) {
		double share = corpus_sources[i].kind == CHITCHAT ? chitchat_share : customer_share;
		struct rng r;

		if ((corpus_sources[i].kind != CHITCHAT && corpus_sources[i].kind != CUSTOMER_ONLY) || job->lists[i].n == 0 || rest == 0)
			continue;
		rng_seed(&r, rng_hash(job->o->seed, 1000 + i));
		cap_list(&job->lists[i], (size_t)((double)rest * share / (1.0 - share)), corpus_sources[i].kind == CHITCHAT, &r,
		         &job->stats[i]);
	}
}

static int gather(struct job *job, struct err *e)
{
	for (size_t i = 0; i < SOURCES; i++) {
		const struct corpus_source *s = &corpus_sources[i];
		struct rng r;
		int rc = 0;

		if (!job->o->wanted[i] || !(job->o->weight[i] > 0.0))
			continue;
		if (s->kind == SCENARIOS) {
			rng_seed(&r, rng_hash(job->o->seed, i * 2));
			rc = corpus_add_scenarios(&job->lists[i], &job->valid, job->o->scenarios, job->slots,
			                          (size_t)((double)job->o->each * job->o->weight[i]), job->o->alternatives,
			                          &r, &job->stats[i], e);
		} else if (s->kind == PROSE) {
			char *path = join_path(job->o->root, s->train);

			rng_seed(&r, rng_hash(job->o->seed, i * 2));
			rc = corpus_add_prose(&job->lists[i], path, job->o->weight[i], &r, &job->stats[i], e);
			free(path);
		} else {
			char *path = join_path(job->o->root, s->train);

			if (access(path, F_OK) != 0 && !job->o->named[i])
				fprintf(stderr, "corpus: %s is missing; left out\n", path);
			else
				rc = read_source(job, i, path, false, e);
			free(path);
			if (rc == 0 && s->valid && job->o->valid) {
				path = join_path(job->o->root, s->valid);
				if (access(path, F_OK) == 0)
					rc = read_source(job, i, path, true, e);
				free(path);
			}
		}
		if (rc < 0)
			return rc;
	}
	cap_shares(job);
	return 0;
}

/* Written beside its place and renamed, so that a full disk leaves no half file behind. */
static int write_chats(const char *path, struct chat **v, size_t n, struct err *e)
{
	struct str name = STR_INIT;
	FILE *f;
	int rc = 0;

	str_addf(&name, "%s.part", path);
	f = fopen(name.s, "w");
	if (!f) {
		rc = err_set(e, ERR_IO, "%s: cannot write: %s", name.s, strerror(errno));
		str_free(&name);
		return rc;
	}
	for (size_t i = 0; i < n && rc == 0; i++) {
		char *json = chat_to_json(v[i]);

		if (fprintf(f, "%s\n", json) < 0)
			rc = err_set(e, ERR_IO, "%s: cannot write: %s", name.s, strerror(errno));
		free(json);
	}
	if (fclose(f) != 0 && rc == 0)
		rc = err_set(e, ERR_IO, "%s: cannot write: %s", name.s, strerror(errno));
	if (rc == 0 && rename(name.s, path) != 0)
		rc = err_set(e, ERR_IO, "%s: cannot rename to %s: %s", name.s, path, strerror(errno));
	if (rc < 0)
		unlink(name.s);
	str_free(&name);
	return rc;
}

/* The written replies are a small part of all rows, and those of a customer's turns are the larger half. */
static void weigh(struct chat *c, enum corpus_kind kind, const struct corpus_options *o)
{
	for (size_t i = 0; i < c->n; i++) {
		struct chat_message *m = &c->messages[i];

		if (strcmp(m->role, "user") == 0)
			m->weight *= o->user_weight;
		else if (kind == INTENTS || kind == SCENARIOS)
			m->weight *= o->reply_weight;
	}
}

static int write_mix(struct job *job, struct err *e)
{
	size_t total = 0, n = 0;
	struct chat **all;
	struct rng r;
	int rc;

	for (size_t i = 0; i < SOURCES; i++)
		total += job->lists[i].n;
	if (total == 0)
		return err_set(e, ERR_NOTFOUND, "nothing to write: no source gave a conversation; check --root and --only");
	total += job->valid.n;
	all = xcalloc(total, sizeof(struct chat *));
	rng_seed(&r, rng_hash(job->o->seed, 999));
	/* those with replies of ours first: they are what is joined */
	for (int written = 1; written >= 0; written--) {
		for (size_t i = 0; i < SOURCES; i++) {
			if ((corpus_sources[i].kind == INTENTS || corpus_sources[i].kind == SCENARIOS) != written)
				continue;
			for (size_t k = 0; k < job->lists[i].n; k++) {
				weigh(&job->lists[i].v[k], corpus_sources[i].kind, job->o);
				all[n++] = &job->lists[i].v[k];
			}
			if (written)
				corpus_openings(&job->lists[i], &job->openings, job->o->openings, &r);
		}
		if (written && job->o->join > 0.0)
			n = corpus_join(all, n, job->o->join, &r);
	}
	all = xreallocarray(all, total + job->openings.n, sizeof(struct chat *));
	for (size_t k = 0; k < job->openings.n; k++)
		all[n++] = &job->openings.v[k];
	rng_shuffle(&r, all, n, sizeof(struct chat *));
	rc = write_chats(job->o->out, all, n, e);
	if (rc == 0 && job->o->valid) {
		for (n = 0; n < job->valid.n; n++)
			all[n] = &job->valid.v[n];
		rc = write_chats(job->o->valid, all, n, e);
	}
	free(all);
	return rc;
}

static void print_stats(struct job *job)
{
	size_t all = 0;

	for (size_t i = 0; i < SOURCES; i++)
		all += list_chars(&job->lists[i]);
	printf("%-20s %8s %8s %8s %8s %11s %6s  %s\n", "source", "in", "out", "cut", "turns", "characters", "share",
	       "left out or changed");
	for (size_t i = 0; i < SOURCES; i++) {
		struct corpus_stats *st = &job->stats[i];
		size_t turns = 0, chars = list_chars(&job->lists[i]);
		const char *comma = "";

		if (st->in == 0)
			continue;
		for (size_t k = 0; k < job->lists[i].n; k++)
			turns += job->lists[i].v[k].n;
		printf("%-20s %8zu %8zu %8zu %8zu %11zu %5.1f%%  ", corpus_sources[i].name, st->in, job->lists[i].n, st->cut, turns,
		       chars, all ? 100.0 * (double)chars / (double)all : 0.0);
		for (int k = 0; k < REASON_COUNT; k++)
			if (st->reasons[k]) {
				printf("%s%zu %s", comma, st->reasons[k], corpus_reason_name(k));
				comma = ", ";
			}
		printf("\n");
	}
	printf("%-20s %8s %8s %8s %8s %11zu\n", "all", "", "", "", "", all);
	if (job->o->valid)
		printf("%-20s %8s %8zu %8s %8s %11zu\n", "validation", "", job->valid.n, "", "", list_chars(&job->valid));
}

int main(int argc, char **argv)
{
	struct corpus_options o = { .seed = 1, .each = 300, .user_weight = 1, .reply_weight = 1 };
	struct job *job = xcalloc(1, sizeof(*job));
	struct corpus_slots *slots = NULL;
	struct corpus_replies *replies = NULL;
	struct err e = ERR_INIT;
	char *slots_path;
	int rc;

	corpus_parse_options(&o, argc, argv);
	slots_path = join_path(o.scenarios, "slots.json");
	rc = corpus_slots_open(&slots, slots_path, &e);
	free(slots_path);
	if (rc == 0)
		rc = corpus_replies_open(&replies, o.replies, slots, o.alternatives, &e);
	job->o = &o;
	job->slots = slots;
	job->replies = replies;
	if (rc == 0)
		rc = gather(job, &e);
	if (rc == 0)
		rc = write_mix(job, &e);
	if (rc == 0 && o.stats)
		print_stats(job);
	if (rc < 0)
		fprintf(stderr, "corpus: %s\n", e.msg);
	for (size_t i = 0; i < SOURCES; i++)
		corpus_list_free(&job->lists[i]);
	corpus_list_free(&job->valid);
	corpus_list_free(&job->openings);
	free(job);
	corpus_replies_close(replies);
	corpus_slots_close(slots);
	return rc < 0 ? 1 : 0;
}
