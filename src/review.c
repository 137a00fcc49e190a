/* SPDX-License-Identifier: GPL-3.0-or-later */
/* review: order, warnings, edits of proposed examples. */
#include "review.h"

#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "redact.h"
#include "worddiff.h"

/* ---- warnings on one example ---- */

static void add_flag(struct str *flags, const char *name)
{
	str_addf(flags, "%s%s", flags->len ? "," : "", name);
}

static bool word_at(const char *s, const char *word)
{
	const size_t n = strlen(word);

	return strncasecmp(s, word, n) == 0 && !isalnum((unsigned char)s[n]);
}

/* "Dear Anna", "my name is Anna": placeholders stand for codes and addresses already, names have none. */
static bool names_someone(const char *s)
{
	static const char *const greets[] = { "dear ", "hi ", "hello ", "hey ", "name is ", "regards, ", "i am called " };
	static const char *const nobody[] = {
		"customer", "sir", "madam", "team", "all", "everyone", "there", "again", "i", "thanks", "thank", "can", "we", "my", "the", "our"
	};

	for (const char *p = s; *p; p++) {
		if (p > s && isalnum((unsigned char)p[-1]))
			continue;
		for (size_t i = 0; i < sizeof(greets) / sizeof(greets[0]); i++) {
			const size_t n = strlen(greets[i]);
			bool known = false;

			if (strncasecmp(p, greets[i], n) != 0 || !isupper((unsigned char)p[n]))
				continue;
			for (size_t k = 0; k < sizeof(nobody) / sizeof(nobody[0]); k++)
				known = known || word_at(p + n, nobody[k]);
			if (!known)
				return true;
		}
	}
	return false;
}

static bool has_code(const char *s)
{
	size_t digits = 0;

	for (; *s; s++) {
		if (*s == '<') {      /* a placeholder holds nobody's number */
			const size_t n = strcspn(s, "> ");

			if (s[n] == '>')
				s += n;
			digits = 0;
			continue;
		}
		digits = isdigit((unsigned char)*s) ? digits + 1 : *s == ' ' || *s == '-' ? digits : 0;
		if (digits >= 6 || *s == '@')
			return true;
	}
	return false;
}

/* Words that are short, frequent, and of one language only. */
static const char *const languages[][14] = {
	{ "the", "and", "you", "your", "is", "are", "we", "it", "for", "have", "this", "will", "not", "my" },
	{ "der", "und", "ist", "nicht", "wir", "sie", "ihr", "ihre", "das", "ein", "eine", "ich", "mit", "haben" },
	{ "le", "les", "et", "est", "nous", "vous", "votre", "une", "pas", "pour", "je", "mon", "dans", "sont" },
	{ "el", "los", "es", "usted", "su", "una", "por", "para", "mi", "que", "hemos", "pedido", "gracias", "con" },
	{ "il", "gli", "non", "di", "che", "suo", "sono", "per", "della", "abbiamo", "grazie", "ho", "mio", "con" },
	{ "het", "een", "niet", "wij", "uw", "zijn", "van", "voor", "ik", "mijn", "hebben", "bedankt", "dat", "aan" },
};
enum { LANGUAGES = sizeof(languages) / sizeof(languages[0]) };

/* Index of the language whose small words it has most; -1: too few to tell. */
static int language_of(const char *s)
{
	int count[LANGUAGES] = { 0 }, best = 0, second = 0;

	while (*s) {
		const size_t skip = strcspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
		size_t n;

		s += skip;
		n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'\200\201");
		for (int l = 0; n > 0 && l < (int)LANGUAGES; l++)
			for (int k = 0; k < 14; k++)
				count[l] += strlen(languages[l][k]) == n && strncasecmp(s, languages[l][k], n) == 0;
		s += n;
	}
	for (int l = 1; l < (int)LANGUAGES; l++)
		if (count[l] > count[best])
			best = l;
	for (int l = 0; l < (int)LANGUAGES; l++)
		if (l != best && count[l] > second)
			second = count[l];
	return count[best] >= 2 && count[best] > second ? best : -1;
}

/* Share of letters outside of Latin: another script is another language. */
static bool other_script(const char *s)
{
	size_t latin = 0, other = 0;

	for (; *s; s++) {
		latin += isalpha((unsigned char)*s) != 0;
		other += (unsigned char)*s >= 0xce;      /* first bytes of Greek and all that follows it */
	}
	return other > 4 && other > latin / 2;
}

void review_flags(const char *question, const char *answer, struct str *flags)
{
	const int q = language_of(question), a = language_of(answer);
	size_t words = 0;

	for (const char *p = answer; *p; p += strcspn(p, " \n")) {
		p += strspn(p, " \n");
		words += *p != '\0';
	}
	if (names_someone(answer) || names_someone(question) || has_code(answer) || has_code(question))
		add_flag(flags, "personal");
	if (words < 3)
		add_flag(flags, "short");
	if ((q >= 0 && a >= 0 && q != a) || other_script(question) != other_script(answer))
		add_flag(flags, "language");
}

/* ---- against the other examples ---- */

struct known {
	struct store_example x;
	uint64_t question, answer;    /* hashes */
	size_t changed;
	struct str marked;
	bool proposed;
};

struct all {
	struct known *v;
	size_t n, cap;
};

static int by_word(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The same for texts that differ in order, case, marks and small words only. */
static uint64_t hash_words(const char *text, bool all_words)
{
	static const char *const small[] = {
		"a", "an", "the", "i", "my", "me", "you", "your", "it", "is", "are", "do", "does", "can", "could", "to", "of", "for", "in", "on",
		"please", "hi", "hello", "hey", "and", "so", "just", "tell"
	};
	char *copy = xstrdup(text), *word[256], *save = NULL;
	size_t n = 0;
	uint64_t h = 14695981039346656037u;

	for (char *p = copy; *p; p++)
		if ((unsigned char)*p < 0x80)
			*p = isalnum((unsigned char)*p) || *p == '_' ? (char)tolower((unsigned char)*p) : ' ';
	for (char *w = strtok_r(copy, " ", &save); w && n < 256; w = strtok_r(NULL, " ", &save)) {
		bool skip = false;

		for (size_t k = 0; !all_words && k < sizeof(small) / sizeof(small[0]); k++)
			skip = skip || strcmp(w, small[k]) == 0;
		if (!skip)
			word[n++] = w;
	}
	if (!all_words)
		qsort(word, n, sizeof(word[0]), by_word);
	for (size_t i = 0; i < n; i++)
		for (const char *p = word[i];; p++) {
			h = (h ^ (unsigned char)*p) * 1099511628211u;
			if (!*p)
				break;
		}
	free(copy);
	return h;
}

static bool take(const struct store_example *x, void *arg)
{
	struct all *a = arg;
	struct known *k;

	if (a->n == a->cap) {
		a->cap = a->cap ? a->cap * 2 : 64;
		a->v = xreallocarray(a->v, a->cap, sizeof(*a->v));
	}
	k = &a->v[a->n++];
	*k = (struct known){
		.x = {
			.id = x->id, .conversation = x->conversation, .message = x->message, .chat = xstrdup(x->chat), .question = xstrdup(x->question),
			.answer = xstrdup(x->answer), .suggested = xstrdup(x->suggested), .state = xstrdup(x->state), .origin = xstrdup(x->origin),
			.flags = xstrdup(x->flags), .values = xstrdup(x->values ? x->values : "{}"), .weight = x->weight, .created = x->created,
			.decided = x->decided,
		},
		.question = hash_words(x->question, false), .answer = hash_words(x->answer, true),
		.marked = STR_INIT, .proposed = strcmp(x->state, "proposed") == 0,
	};
	k->changed = worddiff_mark(*x->suggested ? x->suggested : x->answer, x->answer, &k->marked);
	return true;
}

/* By question, approved ones before the others, older ones first. */
static int by_question(const void *pa, const void *pb)
{
	const struct known *a = *(struct known *const *)pa, *b = *(struct known *const *)pb;
	const int xa = strcmp(a->x.state, "approved") != 0, xb = strcmp(b->x.state, "approved") != 0;

	if (a->question != b->question)
		return a->question < b->question ? -1 : 1;
	if (xa != xb)
		return xa - xb;
	return a->x.id < b->x.id ? -1 : a->x.id > b->x.id;
}

static int by_change(const void *pa, const void *pb)
{
	const struct known *a = *(struct known *const *)pa, *b = *(struct known *const *)pb;

	if (a->proposed != b->proposed)
		return a->proposed ? -1 : 1;
	if (a->proposed && a->changed != b->changed)
		return a->changed > b->changed ? -1 : 1;
	return a->x.id < b->x.id ? -1 : a->x.id > b->x.id;
}

/* sorted: by_question. Rejected ones neither warn nor are warned of. */
static void compare(struct known *const *sorted, size_t i, struct str *flags)
{
	const struct known *k = sorted[i];
	size_t first = i;
	bool duplicate = false, contradiction = false;

	while (first > 0 && sorted[first - 1]->question == k->question)
		first--;
	for (size_t j = first; j < i && j < first + 200; j++) {
		const struct known *o = sorted[j];

		if (strcmp(o->x.state, "rejected") == 0)
			continue;
		if (o->answer == k->answer)
			duplicate = true;
		else if (strcmp(o->x.state, "approved") == 0 && worddiff_alike(o->x.answer, k->x.answer) < 0.6)
			contradiction = true;
	}
	if (duplicate)
		add_flag(flags, "duplicate");
	if (contradiction)
		add_flag(flags, "contradiction");
}

int review_list(struct store *s, bool everything, bool (*each)(const struct review_item *i, void *arg), void *arg, struct err *e)
{
	struct all a = { NULL, 0, 0 };
	struct known **by = NULL;
	struct str *flags = NULL;
	const int rc = store_examples(s, NULL, take, &a, e);

	if (rc == 0 && a.n > 0) {
		by = xcalloc(a.n, sizeof(struct known *));
		flags = xcalloc(a.n, sizeof(*flags));
		for (size_t i = 0; i < a.n; i++)
			by[i] = &a.v[i];
		qsort(by, a.n, sizeof(struct known *), by_question);
		for (size_t i = 0; i < a.n; i++) {
			struct str *f = &flags[by[i] - a.v];

			*f = (struct str)STR_INIT;
			if (!by[i]->proposed)
				continue;
			review_flags(by[i]->x.question, by[i]->x.answer, f);
			compare(by, i, f);
		}
		qsort(by, a.n, sizeof(struct known *), by_change);
	}
	for (size_t i = 0; rc == 0 && i < a.n; i++) {
		const struct known *k = by[i];
		const struct review_item item = { &k->x, k->marked.s, *k->x.suggested ? k->changed : 0,
			k->proposed ? flags[k - a.v].s : k->x.flags };

		if ((!everything && !k->proposed) || !each(&item, arg))
			break;
	}
	for (size_t i = 0; i < a.n; i++) {
		store_example_free(&a.v[i].x);
		str_free(&a.v[i].marked);
		if (flags)
			str_free(&flags[i]);
	}
	free(flags);
	free(by);
	free(a.v);
	return rc;
}

/* ---- edit ---- */

int review_edit(struct store *s, int64_t id, const char *company, const char *answer, struct err *e)
{
	struct redact_map *map;
	struct store_example x;
	struct str clean = STR_INIT;
	json_t *o, *messages;
	char *text;
	int rc;

	if (answer[strspn(answer, " \t\r\n")] == '\0')
		return err_set(e, ERR_USAGE, "an answer of no words teaches nothing: reject it instead");
	if ((rc = store_example_get(s, id, &x, e)) < 0)
		return rc;
	map = redact_map_new(company);
	redact_text(map, answer, strlen(answer), &clean);
	redact_map_free(map);
	o = json_loads(x.chat, 0, NULL);
	messages = json_object_get(o, "messages");
	json_object_set_new(json_array_get(messages, json_array_size(messages) - 1), "content", json_string(clean.s));
	text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	rc = text ? store_example_settle(s, id, text, clean.s, "approved", e) :
		err_set(e, ERR_FORMAT, "example %lld is damaged: reject it", (long long)id);
	free(text);
	json_decref(o);
	store_example_free(&x);
	str_free(&clean);
	return rc;
}
