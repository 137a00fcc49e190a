/* SPDX-License-Identifier: GPL-3.0-or-later */
/* review_flags: what can be said against one example by itself, and whether two answers to one question say different things. */
#include "review_private.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

void review_add_flag(struct str *flags, const char *name)
{
	str_addf(flags, "%s%s", flags->len ? "," : "", name);
}

static bool word_at(const char *s, const char *word)
{
	const size_t n = strlen(word);

	return strncasecmp(s, word, n) == 0 && !isalnum((unsigned char)s[n]);
}

/* A capital letter; of other alphabets than ASCII those that begin names in Europe. */
static bool capital(const char *p)
{
	const unsigned char a = (unsigned char)p[0], b = (unsigned char)p[1];

	if (a < 0x80)
		return isupper(a) != 0;
	return (a == 0xc3 && b >= 0x80 && b <= 0x9e) || a == 0xc4 || a == 0xc5 || (a == 0xce && b >= 0x86) || (a == 0xd0 && b < 0xb0);
}

/* "Dear Anna", "Mrs Weber", "my name is anna": placeholders stand for codes and addresses already, names have none. */
static bool names_someone(const char *s)
{
	static const struct {
		const char *words;
		bool small;           /* what follows is a name in small letters too */
	} before[] = {
		{ "dear ", false }, { "hi ", false }, { "hello ", false }, { "hey ", false }, { "regards, ", false }, { "regards,\n", false },
		{ "i'm ", false }, { "this is ", false }, { "name is ", false }, { "my name is ", true }, { "my name's ", true }, { "i am called ", true },
		{ "mr ", false }, { "mr. ", false }, { "mrs ", false }, { "mrs. ", false }, { "ms ", false }, { "ms. ", false }
	};
	static const char *const nobody[] = {
		"customer", "sir", "madam", "team", "all", "everyone", "there", "again", "i", "thanks", "thank", "can", "we", "my", "the", "our",
		"not", "on", "in", "at", "a", "an", "misspelt", "wrong", "spelt", "what", "how", "why", "it", "is", "do", "please", "ok", "sorry"
	};

	for (const char *p = s; *p; p++) {
		if (p > s && isalnum((unsigned char)p[-1]))
			continue;
		for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
			const size_t n = strlen(before[i].words);
			bool known = false;

			if (strncasecmp(p, before[i].words, n) != 0 || !(capital(p + n) || (before[i].small && isalpha((unsigned char)p[n]))))
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
		/* first bytes of Greek and all that follows it, but those of dashes, quotes, currencies, and of emoji */
		other += (unsigned char)*s >= 0xce && (unsigned char)*s != 0xe2 && (unsigned char)*s < 0xef;
	}
	return other > 4 && other > latin / 2;
}

void review_flags(const char *question, const char *answer, struct str *flags)
{
	const int q = language_of(question), a = language_of(answer);
	size_t words = 0, signs = 0;

	for (const char *p = answer; *p; p += strcspn(p, " \n")) {
		p += strspn(p, " \n");
		words += *p != '\0';
	}
	/* scripts without spaces: two signs are about a word */
	for (const char *p = answer; *p; p++)
		signs += (unsigned char)*p >= 0xe3 && (unsigned char)*p < 0xee;
	words += signs / 2;
	if (names_someone(answer) || names_someone(question) || has_code(answer) || has_code(question))
		review_add_flag(flags, "personal");
	if (words < 3)
		review_add_flag(flags, "short");
	if ((q >= 0 && a >= 0 && q != a) || other_script(question) != other_script(answer))
		review_add_flag(flags, "language");
}

/* ---- one answer against another ---- */

enum { TELLING = 24 };

/* Words that a fact hangs on: numbers in digits or letters, days, yes and no. */
static bool telling(const char *w)
{
	static const char *const words[] = {
		"one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen",
		"sixteen", "eighteen", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety", "hundred", "thousand", "half",
		"once", "twice", "noon", "midnight", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "mondays",
		"tuesdays", "wednesdays", "thursdays", "fridays", "saturdays", "sundays", "weekends", "january", "february", "march", "april",
		"june", "july", "august", "september", "october", "november", "december", "yes", "no", "not", "never", "none", "cannot", "can't",
		"don't", "doesn't", "isn't", "aren't", "won't", "always", "before", "after", "without", "closed", "free"
	};

	for (const char *p = w; *p; p++)
		if (isdigit((unsigned char)*p))
			return true;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(w, words[i]) == 0)
			return true;
	return false;
}

/* Those of a text, each once; placeholders are none. */
static size_t telling_words(const char *s, char out[TELLING][16])
{
	static const char within[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'.,:";
	size_t n = 0;

	while (*s && n < TELLING) {
		size_t len = strspn(s, within), k = 0;
		char w[16];

		if (*s == '<') {
			s += strcspn(s, "> ");
			continue;
		}
		if (len == 0) {
			s++;
			continue;
		}
		for (size_t i = 0; i < len && i < sizeof(w) - 1; i++)
			w[k++] = (char)tolower((unsigned char)s[i]);
		s += len;
		while (k > 0 && strchr(".,:'", w[k - 1]))
			k--;
		w[k] = '\0';
		if (!telling(w))
			continue;
		for (k = 0; k < n && strcmp(out[k], w) != 0; k++)
			;
		if (k == n)
			memcpy(out[n++], w, sizeof(w));
	}
	return n;
}

static size_t lacking(char (*a)[16], size_t n, char (*b)[16], size_t m)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++) {
		size_t k = 0;

		while (k < m && strcmp(a[i], b[k]) != 0)
			k++;
		count += k == m;
	}
	return count;
}

bool review_says_otherwise(const char *a, const char *b)
{
	char x[TELLING][16], y[TELLING][16];
	const size_t n = telling_words(a, x), m = telling_words(b, y);
	const size_t only_x = lacking(x, n, y, m), only_y = lacking(y, m, x, n);
	bool no_x = false, no_y = false;

	for (size_t i = 0; i < n; i++)
		no_x = no_x || strcmp(x[i], "no") == 0 || strcmp(x[i], "not") == 0 || strcmp(x[i], "never") == 0 || strstr(x[i], "n't");
	for (size_t i = 0; i < m; i++)
		no_y = no_y || strcmp(y[i], "no") == 0 || strcmp(y[i], "not") == 0 || strcmp(y[i], "never") == 0 || strstr(y[i], "n't");
	/* one that only says more is no other answer */
	return (only_x > 0 && only_y > 0) || no_x != no_y;
}
