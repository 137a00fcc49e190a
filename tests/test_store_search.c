/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Search against what a person with a list would find: random messages, said in any order of time, random words,
 * beginnings and filters, page by page. And what is shown of a hit, interrupting, and the zone map of dates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/rng.h"
#include "base/str.h"
#include "common_store.h"
#include "store_private.h"
#include "storekeeper.h"

enum { MESSAGES = 9000, CONVERSATIONS = 400, VOCABULARY = 40, LONGEST = 8 };

static const char *const vocabulary[VOCABULARY] = {
	"order", "orders", "ordered", "ordinary", "ordeal", "ordnance", "or", "orb", "refund", "refunds", "refunded", "refuse",
	"delivery", "delivered", "deliver", "delay", "paket", "päckchen", "straße", "café", "invoice", "invoices", "x1", "2024",
	"20245", "a", "the", "is", "late", "lately", "gone", "account", "accountant", "accounts", "password", "pass", "passed",
	"ordxyl", "track", "zebra",
};
static const char *const origins[] = { "typed", "inbox", "model", "imported", "memory" };
static const char *const customers[] = { "Anna Weber", "Bob", "Ann", "Zoë" };
static const char *const tags[] = { "late", "vip", "rare" };
static const int64_t day = 24 * 3600 * 1000LL, base = 1767225600000LL;      /* 2026-01-01 UTC */

struct message {
	int words[LONGEST], n, conversation, origin;
	bool agent;
	int64_t created;
};
static struct message m[MESSAGES];
static struct {
	int customer;
	bool tag[3];
} c[CONVERSATIONS];
static struct rng r;

static void fill(struct store *s)
{
	rng_seed(&r, 21);
	assert_int_equal(store_begin(s, NULL), 0);
	for (int i = 0; i < CONVERSATIONS; i++) {
		char id[16];
		int64_t row;

		snprintf(id, sizeof(id), "C-%d", i + 1);
		c[i].customer = rng_below(&r, 10) == 0 ? (int)rng_below(&r, 4) : -1;
		assert_int_equal(store_conversation_add(s, id, c[i].customer < 0 ? "" : customers[c[i].customer], NULL, NULL, base, &row, NULL), 0);
		assert_int_equal(row, i + 1);
		for (int t = 0; t < 3; t++) {
			c[i].tag[t] = rng_below(&r, (uint32_t[]){ 2, 10, 100 }[t]) == 0;
			if (c[i].tag[t])
				store_tag(s, row, tags[t], true, NULL);
		}
	}
	for (int i = 0; i < MESSAGES; i++) {
		struct str text = STR_INIT;
		struct store_message row = { 0 };

		m[i].n = 1 + (int)rng_below(&r, LONGEST);
		/* runs of one conversation, and what was said long ago comes in later at times */
		m[i].conversation = i > 0 && rng_below(&r, 5) ? m[i - 1].conversation : (int)rng_below(&r, CONVERSATIONS);
		m[i].origin = rng_below(&r, 200) == 0 ? 4 : (int)rng_below(&r, 4);
		m[i].agent = rng_below(&r, 2);
		m[i].created = i / 1500 % 3 == 1 ? base - (int64_t)rng_below(&r, 400) * day : base + i * (day / 20);
		for (int k = 0; k < m[i].n; k++) {
			/* the last words of the vocabulary are rare */
			const uint32_t w = rng_below(&r, VOCABULARY);

			m[i].words[k] = (int)(w > 35 && rng_below(&r, 40) ? w % 8 : w);
			str_addf(&text, "%s%s", k ? " - " : "", vocabulary[m[i].words[k]]);
		}
		row = (struct store_message){
			.conversation = m[i].conversation + 1, .role = (char *)(uintptr_t)(m[i].agent ? "assistant" : "user"),
			.origin = (char *)(uintptr_t)origins[m[i].origin], .content = text.s, .len = text.len, .created = m[i].created,
		};
		assert_int_equal(store_message_add(s, &row, NULL), 0);
		assert_int_equal(row.id, i + 1);
		str_free(&text);
	}
	assert_int_equal(store_commit(s, NULL), 0);
}

struct wanted {
	int words[2], n;
	const char *begin;            /* NULL: none */
	size_t begin_len;
	int role, customer, tag, origin, conversation;      /* -1: any */
	int64_t after, before;
};

/* As the index folds them. */
static bool begins(const char *word, const char *with, size_t n)
{
	char a[16];
	const char *folded = strcmp(word, "päckchen") == 0 ? "packchen" : strcmp(word, "café") == 0 ? "cafe" : word;

	snprintf(a, sizeof(a), "%s", folded);
	return strncmp(a, with, n) == 0;
}

static bool passes(const struct wanted *w, const struct message *x)
{
	bool all = true, begun = !w->begin;

	for (int i = 0; i < w->n; i++) {
		bool has = false;

		for (int k = 0; k < x->n; k++)
			has = has || x->words[k] == w->words[i];
		all = all && has;
	}
	for (int k = 0; k < x->n; k++)
		begun = begun || begins(vocabulary[x->words[k]], w->begin, w->begin_len);
	return all && begun && (w->role < 0 || x->agent == w->role) &&
		(w->customer < 0 || (c[x->conversation].customer >= 0 && strstr(customers[c[x->conversation].customer], customers[w->customer]))) &&
		(w->tag < 0 || c[x->conversation].tag[w->tag]) && (w->origin < 0 || x->origin == w->origin) &&
		(w->conversation < 0 || x->conversation == w->conversation) && (!w->after || x->created >= w->after) &&
		(!w->before || x->created < w->before);
}

static int64_t date_ms(int64_t days, char out[16])
{
	const time_t t = (time_t)(base / 1000 + days * 86400);
	struct tm tm;

	localtime_r(&t, &tm);
	strftime(out, 16, "%Y-%m-%d", &tm);
	tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
	tm.tm_isdst = -1;
	return (int64_t)mktime(&tm) * 1000;
}

static void make_query(struct wanted *w, struct str *q)
{
	char date[16];

	*w = (struct wanted){ .role = -1, .customer = -1, .tag = -1, .origin = -1, .conversation = -1 };
	w->n = (int)rng_below(&r, 3);
	for (int i = 0; i < w->n; i++) {
		w->words[i] = (int)rng_below(&r, VOCABULARY);
		str_addf(q, "%s ", vocabulary[w->words[i]]);
	}
	switch (rng_below(&r, 9)) {
	case 0:
		w->role = (int)rng_below(&r, 2);
		str_addf(q, "from:%s ", w->role ? "assistant" : "user");
		break;
	case 1:
		w->customer = (int)rng_below(&r, 3);
		str_addf(q, "from:\"%s\" ", customers[w->customer]);
		break;
	case 2:
	case 3:
		w->tag = (int)rng_below(&r, 3);
		str_addf(q, "tag:%s ", tags[w->tag]);
		break;
	case 4:
		w->origin = (int)rng_below(&r, 5);
		str_addf(q, "origin:%s ", origins[w->origin]);
		break;
	case 5:
		w->conversation = (int)rng_below(&r, CONVERSATIONS);
		str_addf(q, "case:C-%d ", w->conversation + 1);
		break;
	default:
		break;
	}
	if (rng_below(&r, 4) == 0) {
		w->after = date_ms((int64_t)rng_below(&r, 900) - 400, date);
		str_addf(q, "after:%s ", date);
	}
	if (rng_below(&r, 4) == 0) {
		w->before = date_ms((int64_t)rng_below(&r, 900) - 400, date);
		str_addf(q, "before:%s ", date);
	}
	if (rng_below(&r, 2)) {      /* one that is still being typed, last; ASCII letters of it, for the list's sake */
		w->begin = vocabulary[rng_below(&r, 5) ? rng_below(&r, 17) : 37];      /* one of the rare: its stem is not */
		w->begin_len = 1 + rng_below(&r, (uint32_t)strlen(w->begin));
		str_add(q, w->begin, w->begin_len);
	}
}

struct page {
	int64_t id[64];
	size_t n;
	char snippet[200];
};

static bool add_hit(const struct store_hit *h, void *arg)
{
	struct page *p = arg;

	assert_true(p->n < 64);
	snprintf(p->snippet, sizeof(p->snippet), "%s", h->snippet);
	p->id[p->n++] = h->message;
	return true;
}

static void as_a_list_would(void **state)
{
	struct store *s = store_opened();
	int hits = 0;

	(void)state;
	fill(s);
	for (int round = 0; round < 400; round++) {
		struct str q = STR_INIT;
		struct wanted w;
		int64_t upto = 0;
		int at = MESSAGES;

		make_query(&w, &q);
		for (int pages = 0; pages < 3; pages++) {
			struct page p = { .n = 0 };
			struct err e = ERR_INIT;

			if (store_search(s, q.s, 50, upto, add_hit, &p, &e) < 0)
				fail_msg("%s: %s", q.s, e.msg);
			for (size_t i = 0; i < p.n; i++) {
				while (at > 0 && !passes(&w, &m[at - 1]))
					at--;
				if (p.id[i] != at)
					fail_msg("query %d '%s': hit %zu of page %d is %lld, and should be %d", round, q.s, i, pages, (long long)p.id[i], at);
				at--;
			}
			hits += (int)p.n;
			upto = p.n ? p.id[p.n - 1] : 0;
			if (p.n < 50) {
				while (at > 0 && !passes(&w, &m[at - 1]))
					at--;
				if (at != 0)
					fail_msg("query %d '%s': %d was not found", round, q.s, at);
				break;
			}
		}
		str_free(&q);
	}
	assert_true(hits > 4000);
	store_close(s);
}

static void what_is_shown_of_a_hit(void **state)
{
	struct store *s = store_opened();
	int64_t id = store_conv(s, NULL, NULL);
	struct page p = { .n = 0 };

	(void)state;
	store_say(s, id, "user", "typed", "one two three, four five: Delivéry six delay seven deliveries eight nine ten eleven twelve", 0);
	store_search(s, "deliv", 5, 0, add_hit, &p, NULL);
	assert_string_equal(p.snippet, "one two three, four five: \x02" "Delivéry\x03 six delay seven \x02" "deliveries\x03 eight nine ten eleven twelve");
	store_say(s, id, "user", "typed", "Deliver!", 0);
	p.n = 0;
	store_search(s, "deliv", 5, 0, add_hit, &p, NULL);
	assert_int_equal(p.n, 2);
	p.n = 0;
	store_search(s, "deliver", 1, 0, add_hit, &p, NULL);
	assert_string_equal(p.snippet, "\x02" "Deliver\x03!");
	p.n = 0;
	store_search(s, "deliver* ", 5, 0, add_hit, &p, NULL);      /* a star says that it goes on */
	assert_int_equal(p.n, 2);
	p.n = 0;
	store_search(s, "deliver ", 5, 0, add_hit, &p, NULL);
	assert_int_equal(p.n, 1);

	/* of a long one: some thirty characters before, cut between words; both ways of looking show the same */
	static const char *const queries[] = { "umbrella ", "umbrel", "umb" };

	store_say(s, id, "user", "typed", "Grüße aus München! Ich hätte gern gewußt, ob mein grüner umbrella, den ich vorige Woche im Laden am Markt"
	          " vergessen habe, schon bei Ihnen abgegeben wurde, und wo ich ihn abholen kann.", 0);
	for (size_t i = 0; i < 3; i++) {
		p.n = 0;
		store_search(s, queries[i], 5, 0, add_hit, &p, NULL);
		assert_int_equal(p.n, 1);
		assert_string_equal(p.snippet, "...gern gewußt, ob mein grüner \x02" "umbrella\x03, den ich vorige Woche im Laden am Markt vergessen"
		                    " habe, schon bei Ihnen abgegeben...");
	}
	/* the place with the most of what was asked for */
	p.n = 0;
	store_search(s, "bei ich wo ", 5, 0, add_hit, &p, NULL);
	assert_non_null(strstr(p.snippet, "\x02wo\x03 \x02ich\x03"));
	/* no white space to cut at, and a match longer than what is shown */
	store_say(s, id, "user", "typed", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/kiwi/bbbb", 0);
	p.n = 0;
	store_search(s, "kiwi ", 5, 0, add_hit, &p, NULL);
	assert_string_equal(p.snippet, "...aaaaaaaaaaaaaaaaaaaaaaaaaaaaa/\x02kiwi\x03/bbbb");
	char word[200];

	memset(word, 'q', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	store_say(s, id, "user", "typed", word, 0);
	p.n = 0;
	store_search(s, "qqqqqqqq", 5, 0, add_hit, &p, NULL);
	assert_int_equal(strlen(p.snippet), 120 + 5);
	store_close(s);
}

/* Numbers that deletions leave free are used again with other times: the map must not miss those. */
static void dates_after_deletions(void **state)
{
	struct store *s = store_opened();
	int64_t id = store_conv(s, NULL, NULL);
	struct page p = { .n = 0 };

	(void)state;
	store_say(s, id, "user", "typed", "word", base);
	store_conversation_delete(s, id, NULL);
	id = store_conv(s, NULL, NULL);
	store_say(s, id, "user", "typed", "word", base - 300 * day);
	store_search(s, "word before:2025-06-01", 5, 0, add_hit, &p, NULL);
	assert_int_equal(p.n, 1);
	store_search(s, "word after:2025-06-01", 5, 0, add_hit, &p, NULL);
	assert_int_equal(p.n, 1);
	store_close(s);
}

/* ---- a newer search interrupts the one that runs ---- */

static atomic_int ran, cancelled, dropped, started;

static bool endless(const struct store_hit *h, void *arg)
{
	(void)h;
	(void)arg;
	atomic_store(&started, 1);
	usleep(2000);
	return true;
}

static void long_search(struct store *s, void *arg)
{
	struct err e = ERR_INIT;

	(void)arg;
	if (store_search(s, "o", MESSAGES, 0, endless, NULL, &e) == ERR_CANCELLED)
		atomic_fetch_add(&cancelled, 1);
	atomic_fetch_add(&ran, 1);
}

static void drop(void *arg)
{
	(void)arg;
	atomic_fetch_add(&dropped, 1);
}

static void short_search(struct store *s, void *arg)
{
	struct page *p = arg;

	store_search(s, "zebra", 50, 0, add_hit, p, NULL);
}

static void a_newer_one_interrupts(void **state)
{
	struct store *s = store_opened();
	struct storekeeper *k;
	struct page p = { .n = 0 };

	(void)state;
	fill(s);
	store_close(s);
	assert_int_equal(storekeeper_start(&k, NULL, NULL), 0);
	storekeeper_search(k, long_search, drop, NULL);
	while (!atomic_load(&started))
		usleep(1000);
	storekeeper_search(k, long_search, drop, NULL);      /* waits, and is dropped by the next, or runs and is interrupted */
	storekeeper_search(k, short_search, drop, &p);
	storekeeper_flush(k);
	assert_int_equal(atomic_load(&cancelled), atomic_load(&ran));
	assert_int_equal(atomic_load(&ran) + atomic_load(&dropped), 2);
	assert_true(p.n > 0);      /* and the newest came to its end */
	storekeeper_stop(k);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, store_fresh, store_gone)
	const struct CMUnitTest tests[] = {
		T(as_a_list_would), T(what_is_shown_of_a_hit), T(dates_after_deletions), T(a_newer_one_interrupts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
