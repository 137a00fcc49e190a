/* SPDX-License-Identifier: GPL-3.0-or-later */
/* modelfile_header: the JSON of a model file's header, strictly. Only what a safetensors
 * header can be is accepted (an object of tensors, and of strings in "__metadata__"), so nothing
 * nests, nothing recurses, and memory is bounded by the header's length. A general JSON
 * library took 2 ms of a program's start for the tokenizer's 100 kB, and a hostile header of
 * a few megabytes made it build hundreds. The fuzzer checks it against that library. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../src/base/mem.h"
#include "../src/base/utf8.h"
#include "modelfile_private.h"

struct cursor {
	const char *start, *p, *end;
	char *out;              /* where the next string goes */
	char *why;              /* MODELFILE_WHY bytes */
};

__attribute__((format(printf, 2, 3)))
static bool refuse(struct cursor *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(c->why, MODELFILE_WHY, fmt, ap);
	va_end(ap);
	return false;
}

static bool bad_json(struct cursor *c, const char *wanted)
{
	return refuse(c, "the header is not valid JSON at byte %td: %s", c->p - c->start, wanted);
}

static void skip_space(struct cursor *c)
{
	while (c->p < c->end && (*c->p == ' ' || *c->p == '\n' || *c->p == '\r' || *c->p == '\t'))
		c->p++;
}

/* Skip space, then the character if it is next. */
static bool accept(struct cursor *c, char want)
{
	skip_space(c);
	if (c->p == c->end || *c->p != want)
		return false;
	c->p++;
	return true;
}

static bool expect(struct cursor *c, char want)
{
	char wanted[] = "'x' is missing";

	wanted[1] = want;
	return accept(c, want) || bad_json(c, wanted);
}

static bool parse_hex4(struct cursor *c, int32_t *out)
{
	*out = 0;
	for (int i = 0; i < 4; i++, c->p++) {
		static const char digits[] = "0123456789abcdef0123456789ABCDEF";
		const char *d = c->p < c->end && *c->p ? strchr(digits, *c->p) : NULL;

		if (!d)
			return bad_json(c, "\\u needs four hex digits");
		*out = *out * 16 + (int32_t)((d - digits) % 16);
	}
	return true;
}

/* Behind "\u". Halves of a pair that stand alone, and NUL, are no text. */
static bool parse_unicode(struct cursor *c)
{
	int32_t cp, low;

	if (!parse_hex4(c, &cp))
		return false;
	if (cp >= 0xd800 && cp < 0xdc00) {
		if (c->end - c->p < 2 || c->p[0] != '\\' || c->p[1] != 'u')
			return bad_json(c, "half a surrogate pair");
		c->p += 2;
		if (!parse_hex4(c, &low))
			return false;
		if (low < 0xdc00 || low > 0xdfff)
			return bad_json(c, "half a surrogate pair");
		cp = 0x10000 + ((cp - 0xd800) << 10) + (low - 0xdc00);
	} else if (cp == 0 || (cp >= 0xdc00 && cp < 0xe000)) {
		return bad_json(c, "not a character");
	}
	c->out += utf8_encode(cp, c->out);
	return true;
}

static bool parse_escape(struct cursor *c)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *known;

	if (c->p == c->end)
		return bad_json(c, "a string has no end");
	if (*c->p == 'u') {
		c->p++;
		return parse_unicode(c);
	}
	known = *c->p ? strchr(from, *c->p) : NULL;
	if (!known)
		return bad_json(c, "unknown escape");
	c->p++;
	*c->out++ = to[known - from];
	return true;
}

/* Decoded into the block at c->out, which cannot overflow: a string never gets longer,
 * and its two quotes make room for the NUL. */
static bool parse_string(struct cursor *c, const char **out)
{
	if (!expect(c, '"'))
		return false;
	*out = c->out;
	for (;;) {
		unsigned char b;

		if (c->p == c->end)
			return bad_json(c, "a string has no end");
		b = (unsigned char)*c->p;
		if (b >= ' ' && b < 0x80 && b != '"' && b != '\\') {
			*c->out++ = *c->p++;
		} else if (b == '"') {
			c->p++;
			*c->out++ = '\0';
			return true;
		} else if (b == '\\') {
			c->p++;
			if (!parse_escape(c))
				return false;
		} else {
			int32_t cp;
			size_t n = b < ' ' ? 1 : utf8_decode(c->p, (size_t)(c->end - c->p), &cp);

			if (n == 1)
				return bad_json(c, "a byte that cannot stand in a string");
			memcpy(c->out, c->p, n);
			c->out += n;
			c->p += n;
		}
	}
}

static bool parse_count(struct cursor *c, uint64_t *out)
{
	const char *first;

	skip_space(c);
	first = c->p;
	for (*out = 0; c->p < c->end && *c->p >= '0' && *c->p <= '9'; c->p++) {
		if (*out > (uint64_t)(INT64_MAX - 9) / 10)
			return bad_json(c, "a number is too large");
		*out = *out * 10 + (uint64_t)(*c->p - '0');
	}
	if (c->p == first || (*first == '0' && c->p - first > 1))
		return bad_json(c, "a whole number from 0 up is missing");
	return true;
}

/* "[1, 2]", at most max of them */
static bool parse_counts(struct cursor *c, uint64_t *out, size_t max, size_t *n)
{
	*n = 0;
	if (!expect(c, '['))
		return false;
	if (accept(c, ']'))
		return true;
	do {
		if (*n == max)
			return bad_json(c, "at most two numbers can stand here");
		if (!parse_count(c, &out[(*n)++]))
			return false;
	} while (accept(c, ','));
	return expect(c, ']');
}

static bool parse_tensor(struct cursor *c, struct modelfile_header_tensor *t)
{
	static const char *const fields[] = { "dtype", "shape", "data_offsets" };
	uint64_t offsets[2];
	unsigned seen = 0;
	size_t n = 2, f;
	const char *key;

	if (!expect(c, '{'))
		return false;
	do {
		if (!parse_string(c, &key) || !expect(c, ':'))
			return false;
		for (f = 0; f < 3 && strcmp(key, fields[f]) != 0; )
			f++;
		if (f == 3 || seen & 1u << f)
			return bad_json(c, "a tensor has dtype, shape and data_offsets, once each");
		seen |= 1u << f;
		if (f == 0 ? !parse_string(c, &t->dtype)
		    : f == 1 ? !parse_counts(c, t->shape, 2, &t->dimensions)
		    : !parse_counts(c, offsets, 2, &n))
			return false;
	} while (accept(c, ','));
	if (!expect(c, '}'))
		return false;
	if (seen != 7 || n != 2)
		return bad_json(c, "a tensor has dtype, shape and two data_offsets");
	t->begin = offsets[0];
	t->end = offsets[1];
	return true;
}

static bool parse_metadata(struct cursor *c, struct modelfile_header *h)
{
	size_t room = 0;

	h->has_meta = true;
	if (!expect(c, '{'))
		return false;
	if (accept(c, '}'))
		return true;
	do {
		if (h->nmeta == MODELFILE_META_MAX)
			return refuse(c, "\"__metadata__\" has more than %d entries", MODELFILE_META_MAX);
		if (h->nmeta == room) {
			room = room ? 2 * room : 16;
			h->meta = xreallocarray(h->meta, room, sizeof(*h->meta));
		}
		if (!parse_string(c, &h->meta[h->nmeta].key) || !expect(c, ':') ||
		    !parse_string(c, &h->meta[h->nmeta].value))
			return false;
		h->nmeta++;
	} while (accept(c, ','));
	return expect(c, '}');
}

static int compare_names(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

static bool names_differ(struct cursor *c, const struct modelfile_header *h)
{
	const char **names = xcalloc(h->n + 1, sizeof(*names));
	bool ok = true;

	for (size_t i = 0; i < h->n; i++)
		names[i] = h->tensors[i].name;
	qsort(names, h->n, sizeof(*names), compare_names);
	for (size_t i = 1; i < h->n && ok; i++)
		if (strcmp(names[i - 1], names[i]) == 0)
			ok = refuse(c, "two tensors are called \"%.80s\"", names[i]);
	free(names);
	return ok;
}

static bool parse_entries(struct cursor *c, struct modelfile_header *h)
{
	size_t room = 0;

	if (accept(c, '}'))
		return true;
	do {
		const char *name;

		if (!parse_string(c, &name) || !expect(c, ':'))
			return false;
		if (strcmp(name, "__metadata__") == 0) {
			if (h->has_meta)
				return refuse(c, "\"__metadata__\" is there twice");
			if (!parse_metadata(c, h))
				return false;
			continue;
		}
		if (h->n == MODELFILE_TENSORS_MAX)
			return refuse(c, "the header lists too many tensors (%d is the limit)",
			              MODELFILE_TENSORS_MAX);
		if (h->n == room) {
			room = room ? 2 * room : 64;
			h->tensors = xreallocarray(h->tensors, room, sizeof(*h->tensors));
		}
		h->tensors[h->n] = (struct modelfile_header_tensor){ .name = name };
		if (!parse_tensor(c, &h->tensors[h->n]))
			return false;
		h->n++;
	} while (accept(c, ','));
	return expect(c, '}');
}

bool modelfile_header_parse(struct modelfile_header *h, const char *text, size_t n, char *why)
{
	struct cursor c = { text, text, text + n, NULL, why };

	memset(h, 0, sizeof(*h));
	/* the format wants it first, without space before it */
	if (n == 0 || *c.p != '{')
		return refuse(&c, "the header does not start with '{'");
	c.p++;
	h->strings = c.out = xmalloc(n + 1);
	if (!parse_entries(&c, h))
		return false;
	skip_space(&c);
	if (c.p != c.end)
		return bad_json(&c, "something follows the last '}'");
	modelfile_meta_sort(h->meta, h->nmeta);
	for (size_t i = 1; i < h->nmeta; i++)
		if (strcmp(h->meta[i - 1].key, h->meta[i].key) == 0)
			return refuse(&c, "metadata \"%.64s\" are there twice", h->meta[i].key);
	return names_differ(&c, h);
}

void modelfile_header_free(struct modelfile_header *h)
{
	free(h->strings);
	free(h->meta);
	free(h->tensors);
	memset(h, 0, sizeof(*h));
}
