/* SPDX-License-Identifier: GPL-3.0-or-later */
/* import_store: what a reader found, into the store, each conversation once. */
#include <lzma.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/rng.h"
#include "import_private.h"

/* Other programs wait for a transaction (up to 10 s): on an idle machine one of 8000 messages takes half a second, on
 * a busy one it ends sooner. Indexing, at its end, takes about as long as what came before. */
enum { BATCH_MESSAGES = 8000, BATCH_BYTES = 4 << 20, BATCH_MS = 1000 };

/* ---- known by ---- */

struct digest {
	uint64_t crc, mix;
};

static void digest_bytes(struct digest *d, const char *s, size_t n)
{
	uint64_t part = n;

	d->crc = lzma_crc64((const uint8_t *)&part, sizeof(part), d->crc);
	d->crc = lzma_crc64((const uint8_t *)s, n, d->crc);
	d->mix = rng_hash(d->mix, n);
	for (; n >= 8; s += 8, n -= 8) {
		memcpy(&part, s, 8);
		d->mix = rng_hash(d->mix, part);
	}
	part = 0;
	memcpy(&part, s, n);
	d->mix = rng_hash(d->mix, part);
}

static void digest_text(struct digest *d, const char *s)
{
	digest_bytes(d, s ? s : "", s ? strlen(s) : 0);
}

/* Who, when and what, as the file says; not what an option adds. */
static void digest_of(const struct import_conversation *c, char out[40])
{
	struct digest d = { 0, 0 };
	char when[WHEN_SIZE];

	digest_text(&d, c->key);
	digest_text(&d, c->head.case_id);
	digest_text(&d, c->head.customer);
	for (size_t i = 0; i < c->n; i++) {
		when_iso(c->m[i].created, when);
		digest_text(&d, c->m[i].role);
		digest_text(&d, when);
		digest_bytes(&d, c->m[i].content, c->m[i].len);
	}
	snprintf(out, 40, "%016llx%016llx", (unsigned long long)d.crc, (unsigned long long)d.mix);
}

/* What the file calls it; "" for nothing. Longer than a digest of contents, so never one. */
static void digest_of_key(const struct import_conversation *c, char out[40])
{
	struct digest d = { 0, 1 };

	*out = '\0';
	if (!c->key || !*c->key)
		return;
	digest_text(&d, c->key);
	digest_text(&d, c->head.case_id);
	snprintf(out, 40, "key:%016llx%016llx", (unsigned long long)d.crc, (unsigned long long)d.mix);
}

struct comparison {
	const struct import_conversation *c;
	size_t i;
	bool same, timed;             /* times count, too */
};

/* Are the messages of a row the first of c's? */
static bool compare(const struct store_message *m, void *arg)
{
	struct comparison *k = arg;
	const struct import_message *w = k->i < k->c->n ? &k->c->m[k->i] : NULL;

	k->i++;
	k->same = w && (!k->timed || w->created == m->created) && strcmp(w->role, m->role) == 0 && w->len == m->len &&
		memcmp(w->content, m->content, m->len) == 0;
	return k->same;
}

/* Is it what an export from this very store says of a row? */
static int is_row(struct store *s, const struct import_conversation *c, bool *known, struct err *e)
{
	struct comparison k = { .c = c, .same = true, .timed = true };
	struct store_conversation row;
	struct err why = ERR_INIT;
	int rc;

	*known = false;
	if (c->head.id == 0)
		return 0;
	rc = store_conversation_get(s, c->head.id, &row, &why);
	if (rc == ERR_NOTFOUND)
		return 0;
	if (rc == 0 && row.created == c->head.created && (size_t)row.messages == c->n) {
		rc = store_messages(s, c->head.id, compare, &k, &why);
		*known = rc == 0 && k.same;
	}
	store_conversation_free(&row);
	if (rc < 0 && e)
		*e = why;
	return rc;
}

/* ---- keeping ---- */

static bool good_origin(const char *s)
{
	size_t n = s ? strlen(s) : 0;

	return n > 0 && n <= 20 && strspn(s, "abcdefghijklmnopqrstuvwxyz_-") == n;
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

struct keeping {
	struct store *s;
	const struct import_into *into;
	struct import_result *out;
	bool open;                    /* a transaction is */
	int64_t begun;
	size_t messages, bytes;       /* in it */
};

static int commit(struct keeping *k, struct err *e)
{
	int rc = 0;

	if (k->open)
		rc = store_bulk_commit(k->s, e);
	k->open = false;
	k->messages = k->bytes = 0;
	return rc;
}

/* A message without a time has that of the one before, the first ones that of the first that has one. */
static void fill_times(struct import_conversation *c)
{
	int64_t last = c->head.created;

	for (size_t i = 0; i < c->n && !last; i++)
		last = c->m[i].created;
	for (size_t i = 0; i < c->n; i++) {
		if (!c->m[i].created)
			c->m[i].created = last;
		last = c->m[i].created;
	}
}

static struct store_message *messages_of(struct keeping *k, const struct import_conversation *c)
{
	static char imported[] = "imported";
	struct store_message *m = xcalloc(c->n, sizeof(*m));

	for (size_t i = 0; i < c->n; i++) {
		const struct import_message *from = &c->m[i];

		m[i] = (struct store_message){
			.role = (char *)(uintptr_t)from->role, .origin = good_origin(from->origin) ? from->origin : imported,
			.content = from->content, .len = from->len, .created = from->created, .model = from->model,
			.latency_ms = from->latency_ms, .rating = from->rating,
		};
		k->bytes += from->len;
	}
	k->messages += c->n;
	return m;
}

static int add(struct keeping *k, struct import_conversation *c, const char *hash, const char *key, struct err *e)
{
	struct store_message *m;
	struct str tags = STR_INIT;
	int rc;

	fill_times(c);
	if (!c->head.company && k->into->company)
		c->head.company = xstrdup(k->into->company);
	if (k->into->tag) {
		str_adds(&tags, c->head.tags ? c->head.tags : "");
		import_add_tag(&tags, k->into->tag, strlen(k->into->tag));
		free(c->head.tags);
		c->head.tags = str_detach(&tags);
	}
	m = messages_of(k, c);
	rc = store_import_add(k->s, &c->head, m, c->n, hash, e);
	free(m);
	if (rc == 0 && *key)
		rc = store_import_point(k->s, key, c->head.id, e);
	if (rc < 0)
		return rc;
	k->out->added++;
	k->out->messages += c->n;
	return 0;
}

/* One that was imported before and has gone on since gets what is new. */
static int grow(struct keeping *k, struct import_conversation *c, const char *hash, const char *key, bool *grown, struct err *e)
{
	struct comparison so_far = { .c = c, .same = true };
	struct store_message *m;
	int64_t id = 0;
	int rc = *key ? store_import_find(k->s, key, &id, e) : 0;

	*grown = false;
	if (rc < 0 || id == 0)
		return rc;
	rc = store_messages(k->s, id, compare, &so_far, e);
	if (rc < 0 || !so_far.same || so_far.i == 0 || so_far.i >= c->n)
		return rc;
	fill_times(c);
	m = messages_of(k, c);
	rc = store_import_append(k->s, id, m + so_far.i, c->n - so_far.i, hash, e);
	free(m);
	if (rc < 0)
		return rc;
	k->out->grown++;
	k->out->grown_messages += c->n - so_far.i;
	*grown = true;
	return 0;
}

static int keep(struct keeping *k, struct import_conversation *c, struct err *e)
{
	char hash[40], key[40];
	bool known, grown = false;
	int rc = 0;

	digest_of(c, hash);
	digest_of_key(c, key);
	if (!k->open) {
		if ((rc = store_bulk_begin(k->s, e)) < 0)
			return rc;
		k->open = true;
		k->begun = now_ms();
	}
	if ((rc = store_import_seen(k->s, hash, &known, e)) == 0 && !known)
		rc = is_row(k->s, c, &known, e);
	if (rc == 0 && !known)
		rc = grow(k, c, hash, key, &grown, e);
	if (rc == 0 && known)
		k->out->known++;
	else if (rc == 0 && !grown)
		rc = add(k, c, hash, key, e);
	if (rc == 0 && (k->messages >= BATCH_MESSAGES || k->bytes >= BATCH_BYTES || now_ms() - k->begun >= BATCH_MS))
		rc = commit(k, e);
	return rc;
}

int import_file(struct store *s, const char *path, const struct import_opts *o, const struct import_into *into,
                struct import_result *out, struct err *e)
{
	static const struct import_into nothing = { 0 };
	struct keeping k = { .s = s, .into = into ? into : &nothing, .out = out };
	struct import_conversation c = { 0 };
	struct import_list held = { 0 };
	struct import_reader *r;
	struct err later = ERR_INIT;
	size_t bytes = 0;
	int rc, read;

	*out = (struct import_result){ 0 };
	rc = read = import_open(&r, path, o, e);
	if (rc < 0)
		return rc;
	out->format = import_format(r);
	while (rc == 0 && (read = import_next(r, &c, e)) > 0) {
		out->counts = *import_counts(r);
		if (r->o.strict) {      /* all of it has to be read before any of it is kept */
			for (size_t i = 0; i < c.n; i++)
				bytes += c.m[i].len + sizeof(c.m[i]);
			*import_list_add(&held) = c;
			c = (struct import_conversation){ 0 };
			rc = import_bound(r, bytes += sizeof(c), e);
		} else {
			rc = keep(&k, &c, e);
		}
		if (k.into->progress)
			k.into->progress(r, out, k.into->arg);
	}
	out->counts = *import_counts(r);
	while (rc == 0 && read == 0 && import_list_take(&held, &c)) {
		rc = keep(&k, &c, e);
		import_conversation_free(&c);
		if (k.into->progress)
			k.into->progress(r, out, k.into->arg);
	}
	import_conversation_free(&c);
	import_list_free(&held);
	/* what could be read before the file broke off is kept */
	if (rc == 0)
		rc = commit(&k, read < 0 ? &later : e);
	else if (k.open)
		store_bulk_abandon(s);
	import_close(r);
	return rc < 0 ? rc : read < 0 ? read : 0;
}
