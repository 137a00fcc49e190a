/* SPDX-License-Identifier: GPL-3.0-or-later */
/* memory_pair: words against words. */
#include "memory_pair.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS = ENCODER_WORDS };

const char *const memory_feature_names[F_COUNT] = {
	"one", "cosine", "meant_new", "meant_old", "said_new", "said_old", "left_new", "left_old", "left_both", "name_new", "name_old",
	"name_both", "name_shared", "proper_new", "proper_old", "proper_both", "proper_shared", "rest_cosine", "rest_new", "rest_old", "union_new", "union_left",
	"answer_cosine", "number", "day", "negation", "aspect_same", "aspect_other",
	"aspect_more", "frame", "frame_left", "put_for", "opposite"
};

/* ---- what single words tell ---- */

void memory_stem(char *w)
{
	size_t n = strlen(w);

	if (n > 4 && strcmp(w + n - 3, "ies") == 0) {
		strcpy(w + n - 3, "y");
		return;
	}
	if (n > 5 && strcmp(w + n - 3, "ing") == 0)
		w[n -= 3] = '\0';
	else if (n > 4 && strcmp(w + n - 2, "ed") == 0)
		w[n -= 2] = '\0';
	else if (n > 4 && strcmp(w + n - 2, "es") == 0 && strchr("sxzh", w[n - 3]))
		w[n -= 2] = '\0';
	else if (n > 3 && w[n - 1] == 's' && !strchr("su", w[n - 2]))
		w[--n] = '\0';
	/* "stopp" of stopping, "charge" and "charg" */
	if (n > 4 && w[n - 1] == w[n - 2] && !strchr("lsz", w[n - 1]))
		w[--n] = '\0';
	if (n > 4 && w[n - 1] == 'e')
		w[n - 1] = '\0';
}

static bool in_list(const char *const *list, const char *w)
{
	for (; *list; list++)
		if (strcmp(*list, w) == 0)
			return true;
	return false;
}

bool memory_empty_word(const char *w)
{
	/* as stems */
	static const char *const words[] = {
		"a", "an", "the", "i", "me", "my", "mine", "we", "our", "us", "you", "your", "it", "its", "is", "are", "was", "were", "be", "been",
		"being", "am", "do", "doe", "did", "done", "can", "could", "would", "will", "shall", "should", "may", "might", "to", "of", "for",
		"in", "on", "at", "by", "with", "and", "or", "if", "this", "that", "thes", "thos", "there", "here", "please", "pleas", "pls", "plz",
		"tell", "know", "want", "like", "have", "has", "had", "hi", "hello", "hey", "thank", "thx", "so", "just", "about", "what", "whats",
		"which", "how", "when", "where", "who", "whom", "whos", "why", "id", "im", "ive", "theyr", "youv", "wer", "as", "from", "got",
		"any", "some", "they", "them", "their", "he", "she", "his", "her", "s", "re", "ok", "am", "into", "then", "than", "also", "too",
		"one", "ther", "wher", "mean", "anyway", "actually", "well", "dear", "question", "ask", NULL
	};

	return in_list(words, w);
}

static uint32_t day_of(const char *w)
{
	static const char *const days[] = {
		"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "january", "february", "march", "april", "june",
		"july", "august", "september", "october", "november", "december", "christma", "easter", "tomorrow", "today", "weekend",
		"weekday", NULL
	};

	for (uint32_t i = 0; days[i]; i++)
		if (strcmp(days[i], w) == 0)
			return 1u << i;
	return 0;
}

static bool is_negation(const char *w)
{
	static const char *const words[] = { "not", "no", "never", "without", "dont", "doesnt", "didnt", "cant", "cannot", "wont", "isnt",
		"arent", "couldnt", "none", "nothing", "noth", "nobody", NULL };

	return in_list(words, w);
}

/* Words of which one is not the other, though they stand in the same places. As stems. */
static bool opposed(const char *a, const char *b)
{
	static const char *const pairs[][2] = {
		{ "open", "clos" }, { "open", "shut" }, { "buy", "sell" }, { "early", "lat" }, { "arriv", "leav" }, { "in", "out" }, { "on", "off" },
		{ "enabl", "disabl" }, { "activat", "deactivat" }, { "start", "end" }, { "start", "stop" }, { "first", "last" },
		{ "minimum", "maximum" }, { "smallest", "largest" }, { "least", "most" }, { "lowest", "highest" }, { "breakfast", "dinner" },
		{ "breakfast", "lunch" }, { "lunch", "dinner" }, { "morn", "even" }, { "send", "receiv" }, { "lend", "borrow" }, { "import", "export" },
		{ "upload", "download" }, { "login", "logout" }, { "credit", "debit" }, { "domestic", "foreign" }, { "new", "used" }, { "new", "old" },
		{ "upgrad", "downgrad" }, { "increas", "decreas" }, { "rais", "lower" }, { "add", "remov" }, { "adult", "child" }, { "child", "student" },
		{ "student", "senior" }, { "men", "women" }, { "incom", "outgo" }, { "before", "after" }, { "paper", "digital" }, { "refund", "exchang" },
		{ "withdraw", "deposit" }, { "withdrawal", "deposit" }, { "delet", "restor" }, { "merg", "split" }, { "invit", "remov" },
		{ "cancel", "paus" }, { "join", "leav" }, { "inside", "outside" }, { "summer", "winter" }, { "daily", "monthly" }, { "monthly", "yearly" },
		{ "up", "down" }, { "day", "night" },
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		if ((strcmp(a, pairs[i][0]) == 0 && strcmp(b, pairs[i][1]) == 0) || (strcmp(a, pairs[i][1]) == 0 && strcmp(b, pairs[i][0]) == 0))
			return true;
	return false;
}

void memory_names(const struct encoder_words *words, const char *text, bool name[ENCODER_WORDS])
{
	size_t capitals = 0, letters = 0;

	for (size_t i = 0; i < words->n; i++) {
		const struct encoder_word *w = &words->v[i];
		size_t before = w->start;
		char stem[ENCODER_WORD];

		memcpy(stem, w->text, sizeof(stem));
		memory_stem(stem);
		letters += isalpha((unsigned char)text[w->start]) != 0;
		capitals += isupper((unsigned char)text[w->start]) != 0;
		while (before > 0 && !isalnum((unsigned char)text[before - 1]) && !strchr(".?!:\n", text[before - 1]))
			before--;
		name[i] = isupper((unsigned char)text[w->start]) && before > 0 && isalnum((unsigned char)text[before - 1]) &&
			strcmp(w->text, "i") != 0 && !memory_empty_word(stem);
	}
	/* in a text of capitals only, or of titles, they tell nothing */
	if (capitals > 2 && capitals * 4 > letters * 3)
		memset(name, 0, ENCODER_WORDS * sizeof(*name));
}

void memory_text_init(struct memory_text *t, const struct encoder *en, const char *text, size_t len,
                      const struct memory_lexicon *lexicon)
{
	bool capital = false;

	memset(t, 0, sizeof(*t));
	t->en = en;
	encoder_look(en, text, len, &t->view);
	t->aspects = memory_aspects(&t->view.words);
	memory_names(&t->view.words, text, t->proper);
	for (size_t i = 0; i < t->view.words.n; i++)
		capital = capital || (i > 0 && isupper((unsigned char)text[t->view.words.v[i].start]));
	for (size_t i = 0; i < t->view.words.n; i++) {
		const struct encoder_word *w = &t->view.words.v[i];
		double common;

		memcpy(t->stem[i], w->text, sizeof(t->stem[i]));
		if (!w->number)
			memory_stem(t->stem[i]);
		t->days |= day_of(t->stem[i]);
		t->no = t->no || is_negation(w->text);
		t->empty[i] = memory_empty_word(t->stem[i]) || w->text[0] == '<';
		/* what nearly every remembered question has says little, however rare it is elsewhere */
		common = lexicon ? lexicon->frequency(lexicon->arg, t->stem[i]) : 0;
		t->weight[i] = (float)((t->empty[i] ? 0.1 : 0.25 + 0.75 * (double)w->rarity) * (1 - 0.7 * common));
		if (!t->empty[i] && !w->number)
			t->proper[i] = t->proper[i] || (lexicon && lexicon->name(lexicon->arg, t->stem[i])) ||
				(en && !capital && w->row == ENCODER_UNKNOWN);
	}
}

void memory_text_free(struct memory_text *t)
{
	encoder_view_free(&t->view);
}

/* ---- spelling ---- */

/* One letter off in words of five or more, two in words of nine or more; a swap is one. */
static bool misspelt(const char *a, const char *b)
{
	const size_t n = strlen(a), m = strlen(b), most = n > m ? n : m;
	const size_t allowed = most >= 9 ? 2 : most >= 5 ? 1 : 0;
	unsigned char d[3][ENCODER_WORD + 1];

	if (allowed == 0 || (n > m ? n - m : m - n) > allowed || a[0] != b[0])
		return false;
	for (size_t j = 0; j <= m; j++)
		d[0][j] = (unsigned char)j;
	for (size_t i = 1; i <= n; i++) {
		unsigned char *now = d[i % 3], *last = d[(i + 2) % 3], *before = d[(i + 1) % 3];

		now[0] = (unsigned char)i;
		for (size_t j = 1; j <= m; j++) {
			size_t x = (size_t)last[j - 1] + (a[i - 1] != b[j - 1]);

			x = (size_t)last[j] + 1 < x ? (size_t)last[j] + 1 : x;
			x = (size_t)now[j - 1] + 1 < x ? (size_t)now[j - 1] + 1 : x;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && (size_t)before[j - 2] + 1 < x)
				x = (size_t)before[j - 2] + 1;
			now[j] = (unsigned char)x;
		}
	}
	return d[n % 3][m] <= allowed;
}

/* How alike by spelling: 1 the same, 0.9 a typing error, 0.8 one is the beginning of the other. */
static float spelt_alike(const struct memory_text *a, size_t i, const struct memory_text *b, size_t j)
{
	const char *x = a->stem[i], *y = b->stem[j];
	const size_t n = strlen(x), m = strlen(y);

	if (strcmp(x, y) == 0)
		return 1;
	if (a->view.words.v[i].number || b->view.words.v[j].number)
		return 0;
	/* two words that both are in the vocabulary are two words: "card", "cart" */
	if ((a->view.words.v[i].row == ENCODER_UNKNOWN || b->view.words.v[j].row == ENCODER_UNKNOWN) && misspelt(x, y))
		return 0.9f;
	if (n >= 4 && m >= 4 && strncmp(x, y, n < m ? n : m) == 0 && (n > m ? n - m : m - n) <= 4)
		return 0.8f;
	return 0;
}

/* "gift card" and "giftcard": words i, i + 1 of a are one of b. */
static bool joined(const struct memory_text *a, size_t i, const struct memory_text *b)
{
	char both[2 * ENCODER_WORD];

	if (i + 1 >= a->view.words.n)
		return false;
	strcpy(both, a->view.words.v[i].text);
	strcat(both, a->view.words.v[i + 1].text);
	for (size_t j = 0; j < b->view.words.n; j++)
		if (strcmp(both, b->view.words.v[j].text) == 0)
			return true;
	return false;
}

/* ---- features ---- */

struct side {
	float said[WORDS], meant[WORDS];
	double said_share, meant_share, left, name, name_shared;
};

static void look_for(const struct memory_text *a, const struct memory_text *b, struct side *s)
{
	float near[WORDS];
	size_t which[WORDS], n = a->view.words.n;
	double all = 0, said = 0, meant = 0, all_meant = 0;

	memset(s, 0, sizeof(*s));
	encoder_compare(&a->view, &b->view, near, which);
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < b->view.words.n; j++) {
			const float x = spelt_alike(a, i, b, j);

			s->said[i] = x > s->said[i] ? x : s->said[i];
		}
	for (size_t i = 0; i + 1 < n; i++)
		if (joined(a, i, b))
			s->said[i] = s->said[i + 1] = 1;
	for (size_t j = 0; j + 1 < b->view.words.n; j++)
		if (joined(b, j, a))
			for (size_t i = 0; i < n; i++) {
				const size_t k = strlen(b->view.words.v[j].text);

				if (strncmp(a->view.words.v[i].text, b->view.words.v[j].text, k) == 0 &&
				    strcmp(a->view.words.v[i].text + k, b->view.words.v[j + 1].text) == 0)
					s->said[i] = 1;
			}
	for (size_t i = 0; i < n; i++) {
		const double w = (double)a->weight[i], beta = (double)a->view.weight[i] * (w + 0.02);
		double like = (double)near[i] > 0 ? (double)near[i] : 0;
		double left;

		like = (double)s->said[i] > like ? (double)s->said[i] : like;
		s->meant[i] = (float)like;
		all += w;
		said += w * (double)s->said[i];
		all_meant += beta;
		meant += beta * like;
		left = w * (1 - like);
		s->left = left > s->left ? left : s->left;
		if (!a->empty[i]) {
			const double rare = (double)a->view.words.v[i].rarity, name = rare > 0.5 ? (rare - 0.5) * 2 * w : 0;
			const double lost = name * (1 - (double)s->said[i]) * (1 - like * like);

			s->name = lost > s->name ? lost : s->name;
			if (name * (double)s->said[i] > s->name_shared)
				s->name_shared = name * (double)s->said[i];
		}
	}
	s->said_share = all > 0 ? said / all : 0;
	s->meant_share = all_meant > 0 ? meant / all_meant : 0;
}

static double number_conflict(const struct memory_text *a, const struct memory_text *b)
{
	size_t in_a = 0, in_b = 0, shared = 0;

	for (size_t i = 0; i < a->view.words.n; i++) {
		bool found = false;

		if (!a->view.words.v[i].number)
			continue;
		in_a++;
		for (size_t j = 0; j < b->view.words.n; j++)
			found = found || strcmp(a->view.words.v[i].text, b->view.words.v[j].text) == 0;
		shared += found;
	}
	for (size_t j = 0; j < b->view.words.n; j++)
		in_b += b->view.words.v[j].number;
	if (in_a == 0 && in_b == 0)
		return 0;
	if (in_a == 0 || in_b == 0)
		return 0.3;
	return shared == 0 ? 1 : shared < in_a && shared < in_b ? 0.8 : 0.1;
}

/* A word that only a has against its opposite that only b has. */
static bool any_opposite(const struct memory_text *a, const struct memory_text *b, const struct side *of_a, const struct side *of_b)
{
	for (size_t i = 0; i < a->view.words.n; i++)
		for (size_t j = 0; j < b->view.words.n; j++)
			if (of_a->said[i] < 0.5f && of_b->said[j] < 0.5f && opposed(a->stem[i], b->stem[j]))
				return true;
	return false;
}

/* ---- what is asked, apart from what of ---- */

/* The words of a text with "it" for names that the other has too ("the Kaldor machine" is one "it"). */
static void without_names(const struct memory_text *t, const struct side *s, char *out, size_t cap)
{
	static const char *const before[] = { "the", "a", "an", "my", "your", "our", "this", "that", "these", "those", NULL };
	size_t n = 0, last = 0;       /* where the word before begins in out */
	bool it = false;

	out[0] = '\0';
	for (size_t i = 0; i < t->view.words.n; i++) {
		const struct encoder_word *w = &t->view.words.v[i];
		const bool name = s->said[i] >= 0.8f && !t->empty[i] && (t->proper[i] || w->rarity > 0.5f);

		if (name && it)
			continue;
		if (name && n > 0 && in_list(before, out + last))
			out[n = last > 0 ? last - 1 : 0] = '\0';
		last = n > 0 ? n + 1 : 0;
		n += (size_t)snprintf(out + n, cap - n, "%s%s", n > 0 ? " " : "", name ? "it" : w->text);
		it = name;
	}
}

static void compare_rest(const struct memory_text *a, const struct memory_text *b, const struct side *of_a, const struct side *of_b,
                         double f[F_COUNT])
{
	char x[ENCODER_WORDS * ENCODER_WORD + ENCODER_WORDS], y[sizeof(x)];
	struct encoder_view u, v;
	float near[WORDS];
	size_t which[WORDS];

	without_names(a, of_a, x, sizeof(x));
	without_names(b, of_b, y, sizeof(y));
	encoder_look(a->en, x, strlen(x), &u);
	encoder_look(b->en, y, strlen(y), &v);
	f[F_REST_COSINE] = f[F_REST_NEW] = f[F_REST_OLD] = 0;
	for (size_t k = 0; k < ENCODER_DIM; k++)
		f[F_REST_COSINE] += (double)u.vector[k] * (double)v.vector[k];
	encoder_compare(&u, &v, near, which);
	for (size_t i = 0; i < u.words.n; i++)
		f[F_REST_NEW] += (double)u.weight[i] * (double)near[i];
	encoder_compare(&v, &u, near, which);
	for (size_t i = 0; i < v.words.n; i++)
		f[F_REST_OLD] += (double)v.weight[i] * (double)near[i];
	encoder_view_free(&u);
	encoder_view_free(&v);
}

/* Of the names that a has: how far the one that b lacks most is from being there. */
static double names_lacking(const struct memory_text *a, const struct side *of_a, double *found)
{
	double all = 0, here = 0, worst = 0;

	for (size_t i = 0; i < a->view.words.n; i++)
		if (a->proper[i]) {
			all++;
			here += (double)of_a->said[i];
			worst = 1 - (double)of_a->said[i] > worst ? 1 - (double)of_a->said[i] : worst;
		}
	*found = all > 0 ? here / all : 0;
	return worst;
}

static double cosine_of(const struct memory_text *a, const struct memory_text *b)
{
	double sum = 0;

	for (size_t k = 0; k < ENCODER_DIM; k++)
		sum += (double)a->view.vector[k] * (double)b->view.vector[k];
	return sum;
}

/* What the new question says beyond the old one may stand in the answer. */
static void compare_union(const struct memory_text *fresh, const struct memory_text *answer, const struct side *a, double f[F_COUNT])
{
	struct side in_answer;
	double all = 0, found = 0, left = 0;

	look_for(fresh, answer, &in_answer);
	for (size_t i = 0; i < fresh->view.words.n; i++) {
		const double w = (double)fresh->weight[i], like = (double)(a->meant[i] > in_answer.meant[i] ? a->meant[i] : in_answer.meant[i]);

		all += w;
		found += w * like;
		left = w * (1 - like) > left ? w * (1 - like) : left;
	}
	f[F_UNION_NEW] = all > 0 ? found / all : 0;
	f[F_UNION_LEFT] = left;
	f[F_ANSWER_COSINE] = cosine_of(fresh, answer);
}

/* "How many items|people ... the fitting room": the same beginning and end, and something else between. */
static void frame(const struct memory_text *a, const struct memory_text *b, const struct side *of_a, const struct side *of_b, double f[F_COUNT])
{
	static const char *const asking[] = { "what", "which", "how", "when", "where", "who", "why", "much", "many", "long", NULL };
	const size_t n = a->view.words.n, m = b->view.words.n, least = n < m ? n : m;
	const struct memory_text *t[2] = { a, b };
	const struct side *of[2] = { of_a, of_b };
	size_t first = 0, last = 0;
	double left = 0;

	while (first < least && strcmp(a->stem[first], b->stem[first]) == 0)
		first++;
	while (first + last < least && strcmp(a->stem[n - 1 - last], b->stem[m - 1 - last]) == 0)
		last++;
	for (size_t k = 0; k < 2; k++)
		for (size_t i = first; i + last < t[k]->view.words.n; i++) {
			const double w = in_list(asking, t[k]->view.words.v[i].text) ? 0.6 * (1 - (double)of[k]->said[i]) :
				(double)t[k]->weight[i] * (1 - (double)of[k]->meant[i]);

			left = w > left ? w : left;
		}
	f[F_FRAME] = (double)(first + last) / (double)((n > m ? n : m) + 1);
	f[F_FRAME_LEFT] = f[F_FRAME] * left;
}

/* Does the same word stand before (after) word i of a as before (after) word j of b, or none before (after) both? */
static bool same_side(const struct memory_text *a, size_t i, const struct memory_text *b, size_t j, bool after)
{
	const bool edge_a = after ? i + 1 == a->view.words.n : i == 0, edge_b = after ? j + 1 == b->view.words.n : j == 0;

	if (edge_a || edge_b)
		return edge_a && edge_b;
	return strcmp(a->stem[after ? i + 1 : i - 1], b->stem[after ? j + 1 : j - 1]) == 0;
}

/* "Are Willow soaps vegan", "Are Willow candles vegan": another word in the same place. */
static double put_for(const struct memory_text *a, const struct memory_text *b, const struct side *of_a, const struct side *of_b)
{
	double most = 0;

	for (size_t i = 0; i < a->view.words.n; i++)
		for (size_t j = 0; j < b->view.words.n; j++) {
			double near = 0, w = (double)(a->weight[i] < b->weight[j] ? a->weight[i] : b->weight[j]);

			if (of_a->said[i] > 0.5f || of_b->said[j] > 0.5f || a->empty[i] || b->empty[j] ||
			    !same_side(a, i, b, j, false) || !same_side(a, i, b, j, true))
				continue;
			for (size_t k = 0; a->view.word && b->view.word && k < ENCODER_DIM; k++)
				near += (double)a->view.word[i][k] * (double)b->view.word[j][k];
			w *= 1 - (near > 0 ? near : 0);
			most = w > most ? w : most;
		}
	return most;
}

void memory_features(const struct memory_text *fresh, const struct memory_text *old, const struct memory_text *answer,
                     double f[F_COUNT])
{
	struct side a, b;

	look_for(fresh, old, &a);
	look_for(old, fresh, &b);
	f[F_ONE] = 1;
	f[F_COSINE] = cosine_of(fresh, old);
	f[F_MEANT_NEW] = a.meant_share;
	f[F_MEANT_OLD] = b.meant_share;
	f[F_SAID_NEW] = a.said_share;
	f[F_SAID_OLD] = b.said_share;
	f[F_LEFT_NEW] = a.left;
	f[F_LEFT_OLD] = b.left;
	f[F_LEFT_BOTH] = a.left < b.left ? a.left : b.left;
	f[F_NAME_NEW] = a.name;
	f[F_NAME_OLD] = b.name;
	f[F_NAME_BOTH] = a.name < b.name ? a.name : b.name;
	f[F_NAME_SHARED] = b.name_shared;
	f[F_PROPER_NEW] = names_lacking(fresh, &a, &f[F_PROPER_SHARED]);
	f[F_PROPER_OLD] = names_lacking(old, &b, &f[F_PROPER_SHARED]);
	f[F_PROPER_BOTH] = f[F_PROPER_NEW] < f[F_PROPER_OLD] ? f[F_PROPER_NEW] : f[F_PROPER_OLD];
	compare_rest(fresh, old, &a, &b, f);
	compare_union(fresh, answer, &a, f);
	f[F_NUMBER] = number_conflict(fresh, old);
	f[F_DAY] = fresh->days && old->days && !(fresh->days & old->days) ? 1 : 0;
	f[F_NEGATION] = fresh->no != old->no ? 1 : 0;
	f[F_ASPECT_SAME] = fresh->aspects & old->aspects ? 1 : 0;
	f[F_ASPECT_OTHER] = fresh->aspects && old->aspects && !(fresh->aspects & old->aspects) ? 1 : 0;
	f[F_ASPECT_MORE] = fresh->aspects & ~old->aspects ? 1 : 0;
	f[F_PUT_FOR] = put_for(fresh, old, &a, &b);
	f[F_OPPOSITE] = any_opposite(fresh, old, &a, &b) ? 1 : 0;
	frame(fresh, old, &a, &b, f);
}

bool memory_contradicts(const double f[F_COUNT])
{
	return f[F_NUMBER] > 0.9 || f[F_DAY] > 0;
}

double memory_probability(const double weights[F_COUNT], const double f[F_COUNT])
{
	double z = 0;

	for (size_t i = 0; i < F_COUNT; i++)
		z += weights[i] * f[i];
	return 1 / (1 + exp(-z));
}

double memory_rank(const struct memory_weights *w, const double f[F_COUNT], bool same)
{
	return same ? 1 : memory_contradicts(f) ? 0 : memory_probability(w->rank, f);
}

double memory_net(const struct memory_net *n, const double f[F_COUNT])
{
	double z = 0;

	for (size_t u = 0; u < MEMORY_UNITS; u++) {
		double sum = 0;

		for (size_t i = 0; i < F_COUNT; i++)
			sum += n->in[u][i] * f[i];
		z += n->out[u] * tanh(sum);
	}
	for (size_t i = 0; i < F_COUNT; i++)
		z += n->straight[i] * f[i];
	return 1 / (1 + exp(-z));
}

double memory_score(const struct memory_weights *w, const double f[F_COUNT], bool same)
{
	double sum = 0;

	if (same || memory_contradicts(f))
		return same ? 1 : 0;
	for (size_t i = 0; i < MEMORY_NETS; i++)
		sum += memory_net(&w->sure[i], f);
	return sum / MEMORY_NETS;
}
