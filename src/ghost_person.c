/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ghost: what is known about one person, in memory and as bytes for the store:
 *     "answerback-person-1" u64 fingerprint of the pieces, f64 shift, u64 recent, u32 shown, u32 rows, then of
 *     each row u8 ids, u16 ids..., u32 count; little-endian, FNV-1a (u64) of all before it at the end */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "encode.h"
#include "ghost_private.h"
#include "redact.h"

enum { MOST_LEARNED = 16000 };      /* bytes of a text */

static const char magic[] = "answerback-person-1";

struct ngram *ghost_ngram(const struct model *m)
{
	static const char end[] = ".safetensors";
	struct str path = STR_INIT;
	struct ngram *g = NULL;

	if (!m->path)
		return NULL;
	str_adds(&path, m->path);
	if (path.len > strlen(end) && strcmp(path.s + path.len - strlen(end), end) == 0)
		path.s[path.len -= strlen(end)] = '\0';
	str_adds(&path, ".ngram");
	if (ngram_load(&g, path.s, ngram_fingerprint(m->tok), NULL) < 0)
		g = NULL;
	str_free(&path);
	return g;
}

/* A cache of recent text: what was just written comes again sooner than its count says (Kuhn and
 * De Mori 1990; Grave et al. 2017). */
void ghost_recent_opts(struct personal_opts *o)
{
	*o = (struct personal_opts){
		.discount = { 0.9, 0.6, 0.7, 0.1, 0.7 },
		.strength = { 300000, 10000, 1000, 60, 100 },
	};
}

static void begin_recent(struct ghost_person *p)
{
	struct personal_opts o;

	ghost_recent_opts(&o);
	personal_free(p->recent);
	p->recent = personal_new(p->m->w->cfg.vocab, &o);
	for (size_t i = 0; i < p->n_last; i++)
		tokens_free(&p->last[i]);
	free(p->last);
	p->last = NULL;
	p->n_last = 0;
}

static void drop_recent(struct ghost_person *p, size_t i)
{
	personal_remove(p->recent, p->last[i].ids, p->last[i].n);
	tokens_free(&p->last[i]);
	p->n_last--;
	memmove(p->last + i, p->last + i + 1, (p->n_last - i) * sizeof(*p->last));
}

/* Takes ids. */
static void add_recent(struct ghost_person *p, struct tokens ids)
{
	p->last = xreallocarray(p->last, p->n_last + 1, sizeof(*p->last));
	p->last[p->n_last++] = ids;
	personal_add(p->recent, ids.ids, ids.n);
	while (p->n_last > 1 && personal_size(p->recent) > GHOST_RECENT)
		drop_recent(p, 0);
}

struct ghost_person *ghost_person_bare(struct model *m, const char *company)
{
	struct ghost_person *p = xcalloc(1, sizeof(*p));

	p->m = model_ref(m);
	p->company = xstrdup(company && *company ? company : TALK_NO_COMPANY);
	p->counts = personal_new(m->w->cfg.vocab, NULL);
	begin_recent(p);
	return p;
}

struct ghost_person *ghost_person_new(struct model *m, const char *company)
{
	struct ghost_person *p = ghost_person_bare(m, company);

	p->ngram = ghost_ngram(m);
	return p;
}

void ghost_person_free(struct ghost_person *p)
{
	if (!p)
		return;
	ngram_free(p->ngram);
	begin_recent(p);
	personal_free(p->recent);
	personal_free(p->counts);
	model_unref(p->m);
	free(p->company);
	free(p);
}

void ghost_person_clear(struct ghost_person *p)
{
	personal_clear(p->counts);
	begin_recent(p);
	p->bar = (struct ghost_bar){ 0 };
	p->version++;
}

/* Of a text that nobody types by hand the end is enough: a megabyte would take seconds. */
bool ghost_sequence(const struct ghost_person *p, const char *role, const char *text, size_t len,
                    struct tokens *ids)
{
	struct redact_map *map = redact_map_new(p->company);
	const int32_t tag = tokenizer_tag(p->m->tok, role);

	if (len > MOST_LEARNED) {
		text += len - MOST_LEARNED;
		len = MOST_LEARNED;
		while (len > 0 && ((unsigned char)*text & 0xc0) == 0x80) {
			text++;
			len--;
		}
	}
	if (tag >= 0) {
		tokens_add(ids, tag);
		encode_text(p->m->tok, NULL, map, text, len, ids);
		tokens_add(ids, TOKEN_EOT);
	}
	redact_map_free(map);
	return tag >= 0;
}

void ghost_person_learn(struct ghost_person *p, const char *role, const char *text, size_t len)
{
	struct tokens ids = { 0 };

	p->version++;
	if (!ghost_sequence(p, role, text, len, &ids))
		return;
	personal_add(p->counts, ids.ids, ids.n);
	add_recent(p, ids);
}

void ghost_person_forget(struct ghost_person *p, const char *role, const char *text, size_t len)
{
	struct tokens ids = { 0 };

	if (ghost_sequence(p, role, text, len, &ids))
		personal_remove(p->counts, ids.ids, ids.n);
	for (size_t i = 0; i < p->n_last; i++) {
		if (p->last[i].n == ids.n && memcmp(p->last[i].ids, ids.ids, ids.n * sizeof(*ids.ids)) == 0) {
			drop_recent(p, i);
			break;
		}
	}
	p->version++;
	tokens_free(&ids);
}

static uint64_t hash(const char *s, size_t n)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)s[i]) * 0x100000001b3u;
	return h;
}

static void put(struct str *s, uint64_t v, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		str_addc(s, (char)(v >> (8 * i)));
}

struct rows {
	struct str *s;
	uint32_t n;
};

static bool put_row(const int32_t *ids, size_t n, uint32_t count, void *arg)
{
	struct rows *r = arg;

	put(r->s, n, 1);
	for (size_t i = 0; i < n; i++)
		put(r->s, (uint64_t)ids[i], 2);
	put(r->s, count, 4);
	r->n++;
	return true;
}

void ghost_person_save(const struct ghost_person *p, struct str *out)
{
	struct rows r = { out, 0 };
	const size_t start = out->len;
	uint64_t bits;
	size_t at;

	str_add(out, magic, sizeof(magic) - 1);
	put(out, ngram_fingerprint(p->m->tok), 8);
	memcpy(&bits, &p->bar.shift, 8);
	put(out, bits, 8);
	put(out, p->bar.recent, 8);
	put(out, p->bar.shown, 4);
	at = out->len;
	put(out, 0, 4);
	personal_rows(p->counts, put_row, &r);
	for (size_t i = 0; i < 4; i++)
		out->s[at + i] = (char)(r.n >> (8 * i));
	put(out, hash(out->s + start, out->len - start), 8);
}

static uint64_t get(const char *s, size_t *at, size_t bytes)
{
	uint64_t v = 0;

	for (size_t i = 0; i < bytes; i++)
		v |= (uint64_t)(unsigned char)s[(*at)++] << (8 * i);
	return v;
}

static int broken(struct err *e)
{
	return err_set(e, ERR_FORMAT, "what was learned for completion is broken; it can be learned anew from the "
	               "messages sent");
}

int ghost_person_load(struct ghost_person *p, const char *bytes, size_t len, struct err *e)
{
	const size_t head = sizeof(magic) - 1;
	struct personal *counts;
	struct ghost_bar bar = { 0 };
	size_t at = head;
	uint64_t bits;
	uint32_t rows;

	if (len < head + 40 || memcmp(bytes, magic, head) != 0)
		return broken(e);
	at = len - 8;
	if (get(bytes, &at, 8) != hash(bytes, len - 8))
		return broken(e);
	at = head;
	if (get(bytes, &at, 8) != ngram_fingerprint(p->m->tok))
		return err_set(e, ERR_FORMAT, "what was learned for completion was counted with another model's pieces");
	bits = get(bytes, &at, 8);
	memcpy(&bar.shift, &bits, 8);
	bar.recent = get(bytes, &at, 8) & ((UINT64_C(1) << GHOST_BAR_WINDOW) - 1);
	bar.shown = (uint32_t)get(bytes, &at, 4);
	if (!(bar.shift >= -1 && bar.shift <= 2) || bar.shown > GHOST_BAR_WINDOW)
		return broken(e);
	rows = (uint32_t)get(bytes, &at, 4);
	counts = personal_new(p->m->w->cfg.vocab, NULL);
	for (uint32_t i = 0; i < rows; i++) {
		int32_t ids[PERSONAL_ORDER];
		size_t n = at < len - 8 ? (size_t)get(bytes, &at, 1) : 0;

		if (n < 2 || n > PERSONAL_ORDER || len - 8 - at < 2 * n + 4)
			goto bad;
		for (size_t k = 0; k < n; k++)
			ids[k] = (int32_t)get(bytes, &at, 2);
		personal_row(counts, ids, n, (uint32_t)get(bytes, &at, 4));
	}
	if (at != len - 8)
		goto bad;
	personal_free(p->counts);
	p->counts = counts;
	begin_recent(p);
	p->bar = bar;
	p->version++;
	return 0;
bad:
	personal_free(counts);
	return broken(e);
}
