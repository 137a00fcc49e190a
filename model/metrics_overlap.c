/* SPDX-License-Identifier: GPL-3.0-or-later */
/* metrics_overlap: BLEU and chrF, which count the n-grams that two texts share. They are counted
 * exactly, without hashing: the positions of a text are sorted once by the ORDER items from
 * there on, and then n-grams of each order lie sorted too, so that two texts are compared
 * by walking both lists. */
#include "metrics.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../src/base/mem.h"
#include "metrics_private.h"

/* ---- n-grams ---------------------------------------------------------------- */

enum { ORDER = 6 };

/* A text as numbers, with ORDER times BEHIND after its end so that reading ORDER of them is
 * possible everywhere, and its positions sorted by those. */
struct sequence {
	int32_t *items;
	const int32_t **sorted;
	size_t n;
};

#define BEHIND INT32_MIN

static int compare_items(const int32_t *x, const int32_t *y, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (x[i] != y[i])
			return x[i] < y[i] ? -1 : 1;
	return 0;
}

static int compare_positions(const void *a, const void *b)
{
	const int32_t *const *x = a, *const *y = b;

	return compare_items(*x, *y, ORDER);
}

static void sequence_init(struct sequence *s, size_t room)
{
	s->items = xreallocarray(NULL, room + ORDER, sizeof(*s->items));
	s->sorted = NULL;
	s->n = 0;
}

static void sequence_sort(struct sequence *s)
{
	for (size_t i = 0; i < ORDER; i++)
		s->items[s->n + i] = BEHIND;
	s->sorted = xreallocarray(NULL, s->n + 1, sizeof(*s->sorted));
	for (size_t i = 0; i < s->n; i++)
		s->sorted[i] = s->items + i;
	qsort(s->sorted, s->n, sizeof(*s->sorted), compare_positions);
}

static void sequence_fini(struct sequence *s)
{
	free(s->items);
	free(s->sorted);
}

static size_t ngrams(const struct sequence *s, size_t order)
{
	return s->n >= order ? s->n - order + 1 : 0;
}

/* n-grams of both, each as often as in the text that has it less often */
static size_t common_ngrams(const struct sequence *a, const struct sequence *b, size_t order)
{
	size_t i = 0, j = 0, common = 0;

	while (i < a->n && j < b->n) {
		int c;

		/* too near to the end to have this order */
		if (a->sorted[i][order - 1] == BEHIND) {
			i++;
			continue;
		}
		if (b->sorted[j][order - 1] == BEHIND) {
			j++;
			continue;
		}
		c = compare_items(a->sorted[i], b->sorted[j], order);
		common += c == 0;
		i += c <= 0;
		j += c >= 0;
	}
	return common;
}

/* ---- 13a -------------------------------------------------------------------- */

static void replace(struct str *s, const char *from, const char *to)
{
	const char *rest = s->s, *hit = strstr(rest, from);
	struct str out = STR_INIT;

	if (!hit)
		return;
	for (; hit; hit = strstr(rest, from)) {
		str_add(&out, rest, (size_t)(hit - rest));
		str_adds(&out, to);
		rest = hit + strlen(from);
	}
	str_adds(&out, rest);
	str_free(s);
	*s = out;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_point(char c)
{
	return c == '.' || c == ',';
}

static bool is_not_digit(char c)
{
	return !is_digit(c);
}

static bool is_dash(char c)
{
	return c == '-';
}

/* ASCII punctuation but ' , - . */
static bool is_symbol(char c)
{
	return (c >= '{' && c <= '~') || (c >= '[' && c <= '`') || (c >= ' ' && c <= '&') ||
	       (c >= '(' && c <= '+') || (c >= ':' && c <= '@') || c == '/';
}

/* Python's re.sub(r'(A)(B)', ...): spaces `before` A, between both, and `behind` B, for matches
 * from left to right that do not overlap. Bytes will do: both classes that matter are ASCII
 * or everything but digits, and spaces go only beside an ASCII character. */
static void space_out(struct str *s, bool (*first)(char), bool (*second)(char), const char *before,
                      const char *behind)
{
	struct str out = STR_INIT;
	size_t i = 0;

	while (i < s->len) {
		char c = s->s[i++];

		if (i == s->len || !first(c) || !second(s->s[i])) {
			str_addc(&out, c);
			continue;
		}
		str_adds(&out, before);
		str_addc(&out, c);
		str_addc(&out, ' ');
		str_addc(&out, s->s[i++]);
		str_adds(&out, behind);
	}
	str_free(s);
	*s = out;
}

/* The rules of mteval-v13a.pl as sacrebleu has them, in their order. */
static void split_13a(struct str *out, const char *text)
{
	struct str s = STR_INIT;
	const char *text_end = text + strlen(text), *end = text, *at = text, *word;
	size_t n;

	/* white space at the end goes first: "-\n" there is not a hyphenation */
	while ((word = metrics_next_word(&at, text_end, &n)) != NULL)
		end = word + n;
	str_add(&s, text, (size_t)(end - text));
	replace(&s, "<skipped>", "");
	replace(&s, "-\n", "");
	replace(&s, "\n", " ");
	replace(&s, "&quot;", "\"");
	replace(&s, "&amp;", "&");
	replace(&s, "&lt;", "<");
	replace(&s, "&gt;", ">");

	str_reset(out);
	str_addc(out, ' ');
	for (size_t i = 0; i < s.len; i++) {
		bool symbol = is_symbol(s.s[i]);

		if (symbol)
			str_addc(out, ' ');
		str_addc(out, s.s[i]);
		if (symbol)
			str_addc(out, ' ');
	}
	str_addc(out, ' ');
	str_free(&s);
	space_out(out, is_not_digit, is_point, "", " ");
	space_out(out, is_point, is_not_digit, " ", "");
	space_out(out, is_digit, is_dash, "", " ");
}

void metrics_tokenize_13a(struct str *out, const char *text)
{
	struct str s = STR_INIT;
	const char *at, *word;
	size_t n;

	split_13a(&s, text);
	at = s.s;
	str_reset(out);
	while ((word = metrics_next_word(&at, s.s + s.len, &n)) != NULL) {
		if (out->len > 0)
			str_addc(out, ' ');
		str_add(out, word, n);
	}
	str_free(&s);
}

/* ---- BLEU ------------------------------------------------------------------- */

struct word {
	const char *s;
	size_t n;
	int32_t *item;          /* where its number goes */
};

static int compare_words(const void *a, const void *b)
{
	const struct word *x = a, *y = b;
	int c = memcmp(x->s, y->s, x->n < y->n ? x->n : y->n);

	return c ? c : (x->n > y->n) - (x->n < y->n);
}

static size_t collect_words(const struct str *text, struct word *words, struct sequence *seq)
{
	const char *at = text->s;
	size_t count = 0;

	while ((words[count].s = metrics_next_word(&at, text->s + text->len, &words[count].n)) != NULL)
		words[count++].item = &seq->items[seq->n++];
	return count;
}

void metrics_bleu_add(struct metrics_bleu *b, const char *hyp, const char *ref)
{
	struct str texts[2] = { STR_INIT, STR_INIT };
	struct sequence seq[2];
	struct word *words;
	size_t n = 0;
	int32_t number = 0;

	split_13a(&texts[0], hyp);
	split_13a(&texts[1], ref);
	words = xreallocarray(NULL, texts[0].len + texts[1].len + 2, sizeof(*words));
	for (size_t t = 0; t < 2; t++) {
		sequence_init(&seq[t], texts[t].len);
		n += collect_words(&texts[t], words + n, &seq[t]);
	}
	/* equal words get equal numbers */
	qsort(words, n, sizeof(*words), compare_words);
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && compare_words(&words[i - 1], &words[i]) != 0)
			number++;
		*words[i].item = number;
	}
	sequence_sort(&seq[0]);
	sequence_sort(&seq[1]);
	b->hyp_words += seq[0].n;
	b->ref_words += seq[1].n;
	for (size_t order = 1; order <= METRICS_BLEU_ORDER; order++) {
		b->match[order - 1] += common_ngrams(&seq[0], &seq[1], order);
		b->total[order - 1] += ngrams(&seq[0], order);
	}
	for (size_t t = 0; t < 2; t++) {
		sequence_fini(&seq[t]);
		str_free(&texts[t]);
	}
	free(words);
}

/* BP exp(mean over orders of log p), p smoothed by halving once more for each order without
 * a match, which is NIST's and sacrebleu's "exp". */
double metrics_bleu_score(const struct metrics_bleu *b)
{
	double halves = 1, sum = 0, penalty = 1;

	if (b->match[0] == 0)
		return 0;
	for (size_t i = 0; i < METRICS_BLEU_ORDER; i++) {
		if (b->total[i] == 0)
			return 0;
		if (b->match[i] == 0)
			halves *= 2;
		sum += log(b->match[i] ? (double)b->match[i] / (double)b->total[i]
		                       : 1 / (halves * (double)b->total[i]));
	}
	if (b->hyp_words < b->ref_words)
		penalty = exp(1 - (double)b->ref_words / (double)b->hyp_words);
	return 100 * penalty * exp(sum / METRICS_BLEU_ORDER);
}

/* ---- chrF ------------------------------------------------------------------- */

static void collect_chars(struct sequence *seq, const char *text)
{
	const char *end = text + strlen(text);

	sequence_init(seq, (size_t)(end - text));
	while (text < end) {
		int32_t c;

		text += metrics_next_char(text, (size_t)(end - text), &c);
		if (!metrics_is_space(c))
			seq->items[seq->n++] = c;
	}
	sequence_sort(seq);
}

void metrics_chrf_add(struct metrics_chrf *c, const char *hyp, const char *ref)
{
	struct sequence h, r;

	collect_chars(&h, hyp);
	collect_chars(&r, ref);
	for (size_t order = 1; order <= METRICS_CHRF_ORDER; order++) {
		size_t in_ref = ngrams(&r, order);

		c->match[order - 1] += common_ngrams(&h, &r, order);
		c->ref[order - 1] += in_ref;
		/* sacrebleu 2: n-grams for which the reference is too short are not held against it */
		c->hyp[order - 1] += in_ref ? ngrams(&h, order) : 0;
	}
	sequence_fini(&h);
	sequence_fini(&r);
}

/* F_2 of the mean precision and the mean recall over the orders that both sides have. */
double metrics_chrf_score(const struct metrics_chrf *c)
{
	const double beta2 = 4;
	double precision = 0, recall = 0;
	int orders = 0;

	for (size_t i = 0; i < METRICS_CHRF_ORDER; i++) {
		if (c->hyp[i] == 0 || c->ref[i] == 0)
			continue;
		precision += (double)c->match[i] / (double)c->hyp[i];
		recall += (double)c->match[i] / (double)c->ref[i];
		orders++;
	}
	if (orders == 0 || precision + recall == 0)
		return 0;
	precision /= orders;
	recall /= orders;
	return 100 * (1 + beta2) * precision * recall / (beta2 * precision + recall);
}
