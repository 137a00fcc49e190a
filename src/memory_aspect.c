/* SPDX-License-Identifier: GPL-3.0-or-later */
/* memory_aspect: what kind of answer a question wants: an amount of money, a time, a place, a person, a weight ... Two
 * questions about one thing that want different kinds are different questions, and that shows in few words. */
#include <string.h>

#include "memory_pair.h"

enum {
	MONEY = 1 << 0, MANNER = 1 << 1, DURATION = 1 << 2, TIME = 1 << 3, PLACE = 1 << 4, PERSON = 1 << 5, REASON = 1 << 6, COUNT = 1 << 7,
	OFTEN = 1 << 8, WEIGHT = 1 << 9, SIZE = 1 << 10, DEPTH = 1 << 11, SPEED = 1 << 12, AGE = 1 << 13, WARMTH = 1 << 14, NOISE = 1 << 15,
	COLOUR = 1 << 16, MATERIAL = 1 << 17, RANGE = 1 << 18, CONTENT = 1 << 19, INTEREST = 1 << 20, LANGUAGE = 1 << 21, DATA = 1 << 22
};

/* One or two words as people write them; the longer one is tried first, and a pair takes both its words. */
static const struct {
	const char *first, *second;
	uint32_t aspect;
} cues[] = {
	{ "how", "much", MONEY | COUNT }, { "how", "many", COUNT }, { "how", "long", DURATION }, { "how", "soon", DURATION | TIME },
	{ "how", "quickly", DURATION | SPEED }, { "how", "quick", DURATION | SPEED }, { "how", "late", TIME | DURATION }, { "how", "early", TIME | DURATION },
	{ "how", "often", OFTEN }, { "how", "frequently", OFTEN }, { "how", "regularly", OFTEN }, { "how", "heavy", WEIGHT }, { "how", "big", SIZE },
	{ "how", "large", SIZE }, { "how", "wide", SIZE }, { "how", "high", SIZE | MONEY }, { "how", "tall", SIZE }, { "how", "deep", DEPTH },
	{ "how", "fast", SPEED | DURATION }, { "how", "old", AGE }, { "how", "young", AGE }, { "how", "warm", WARMTH }, { "how", "hot", WARMTH },
	{ "how", "cold", WARMTH }, { "how", "loud", NOISE }, { "how", "noisy", NOISE }, { "how", "far", RANGE | DURATION }, { "how", "expensive", MONEY },
	{ "how", "come", REASON }, { "how", "do", MANNER }, { "how", "can", MANNER }, { "how", "to", MANNER }, { "how", "could", MANNER },
	{ "how", "does", MANNER }, { "what", "time", TIME }, { "which", "time", TIME }, { "what", "hour", TIME }, { "which", "hour", TIME },
	{ "what", "hours", TIME }, { "what", "day", TIME }, { "which", "day", TIME }, { "what", "days", TIME }, { "which", "days", TIME },
	{ "what", "date", TIME }, { "which", "date", TIME }, { "which", "weekday", TIME }, { "what", "age", AGE }, { "which", "age", AGE },
	{ "years", "old", AGE }, { "year", "old", AGE }, { "what", "place", PLACE }, { "which", "place", PLACE }, { "which", "floor", PLACE },
	{ "what", "floor", PLACE }, { "which", "street", PLACE }, { "which", "building", PLACE }, { "which", "room", PLACE }, { "which", "country", PLACE },
	{ "what", "country", PLACE }, { "what", "city", PLACE }, { "which", "city", PLACE }, { "which", "company", PERSON }, { "which", "person", PERSON },
	{ "which", "firm", PERSON }, { "name", "of", PERSON }, { "get", "to", PLACE }, { "way", "to", PLACE | MANNER }, { "close", "to", PLACE },
	{ "what", "reason", REASON }, { "what", "for", REASON }, { "what", "makes", REASON }, { "number", "of", COUNT }, { "made", "of", MATERIAL },
	{ "made", "from", MATERIAL }, { "no", "charge", MONEY }, { "free", "of", MONEY }, { "time", "limit", DURATION | TIME },
	{ "how", "hard", MANNER }, { "in", "advance", DURATION | TIME }, { "time", "off", TIME }, { "in", "charge", PERSON }, { "battery", "life", DURATION },
	{ "each", "month", OFTEN | MONEY }, { "up", "to", COUNT | DURATION }, { "at", "most", COUNT },
	{ "cost", NULL, MONEY }, { "costs", NULL, MONEY }, { "price", NULL, MONEY }, { "prices", NULL, MONEY }, { "fee", NULL, MONEY },
	{ "fees", NULL, MONEY }, { "charge", NULL, MONEY }, { "charges", NULL, MONEY }, { "charged", NULL, MONEY }, { "surcharge", NULL, MONEY },
	{ "expensive", NULL, MONEY }, { "pay", NULL, MONEY }, { "paying", NULL, MONEY }, { "free", NULL, MONEY }, { "gratis", NULL, MONEY },
	{ "euros", NULL, MONEY }, { "dollars", NULL, MONEY }, { "fare", NULL, MONEY }, { "penalty", NULL, MONEY }, { "fine", NULL, MONEY },
	{ "owe", NULL, MONEY }, { "deduct", NULL, MONEY }, { "cheap", NULL, MONEY }, { "cheaper", NULL, MONEY }, { "discount", NULL, MONEY },
	{ "reduction", NULL, MONEY }, { "deposit", NULL, MONEY }, { "deductible", NULL, MONEY }, { "excess", NULL, MONEY }, { "less", NULL, MONEY },
	{ "steps", NULL, MANNER }, { "procedure", NULL, MANNER }, { "process", NULL, MANNER }, { "instructions", NULL, MANNER },
	{ "duration", NULL, DURATION }, { "period", NULL, DURATION }, { "term", NULL, DURATION }, { "deadline", NULL, DURATION | TIME },
	{ "until", NULL, DURATION | TIME }, { "till", NULL, DURATION | TIME }, { "within", NULL, DURATION }, { "days", NULL, DURATION | TIME },
	{ "weeks", NULL, DURATION }, { "months", NULL, DURATION | AGE }, { "minutes", NULL, DURATION }, { "hours", NULL, DURATION | TIME },
	{ "years", NULL, DURATION | AGE }, { "notice", NULL, DURATION }, { "latest", NULL, TIME | DURATION }, { "when", NULL, TIME | DURATION },
	{ "whens", NULL, TIME | DURATION }, { "date", NULL, TIME }, { "schedule", NULL, TIME }, { "time", NULL, TIME | DURATION }, { "oclock", NULL, TIME },
	{ "opening", NULL, TIME }, { "where", NULL, PLACE }, { "wheres", NULL, PLACE }, { "place", NULL, PLACE }, { "location", NULL, PLACE },
	{ "address", NULL, PLACE }, { "floor", NULL, PLACE }, { "storey", NULL, PLACE }, { "level", NULL, PLACE }, { "directions", NULL, PLACE },
	{ "nearest", NULL, PLACE }, { "closest", NULL, PLACE }, { "near", NULL, PLACE }, { "find", NULL, PLACE }, { "who", NULL, PERSON },
	{ "whom", NULL, PERSON }, { "whos", NULL, PERSON }, { "whose", NULL, PERSON }, { "somebody", NULL, PERSON }, { "someone", NULL, PERSON },
	{ "anyone", NULL, PERSON }, { "anybody", NULL, PERSON }, { "person", NULL, PERSON }, { "contact", NULL, PERSON }, { "why", NULL, REASON },
	{ "reason", NULL, REASON }, { "cause", NULL, REASON }, { "causes", NULL, REASON }, { "explain", NULL, REASON }, { "capacity", NULL, COUNT },
	{ "maximum", NULL, COUNT }, { "max", NULL, COUNT }, { "limit", NULL, COUNT }, { "cap", NULL, COUNT }, { "minimum", NULL, COUNT },
	{ "amount", NULL, COUNT | MONEY }, { "enough", NULL, COUNT | SIZE }, { "interval", NULL, OFTEN }, { "daily", NULL, OFTEN }, { "weekly", NULL, OFTEN },
	{ "weigh", NULL, WEIGHT }, { "weighs", NULL, WEIGHT }, { "weight", NULL, WEIGHT }, { "heavy", NULL, WEIGHT }, { "kilos", NULL, WEIGHT },
	{ "kilo", NULL, WEIGHT }, { "kg", NULL, WEIGHT }, { "mass", NULL, WEIGHT }, { "size", NULL, SIZE }, { "sizes", NULL, SIZE }, { "sizing", NULL, SIZE },
	{ "dimensions", NULL, SIZE }, { "measurements", NULL, SIZE }, { "width", NULL, SIZE }, { "height", NULL, SIZE }, { "cm", NULL, SIZE },
	{ "big", NULL, SIZE }, { "length", NULL, SIZE | DURATION }, { "depth", NULL, DEPTH }, { "deep", NULL, DEPTH }, { "speed", NULL, SPEED },
	{ "kmh", NULL, SPEED }, { "mbit", NULL, SPEED }, { "slow", NULL, SPEED }, { "sluggish", NULL, SPEED }, { "age", NULL, AGE }, { "minor", NULL, AGE },
	{ "temperature", NULL, WARMTH }, { "degrees", NULL, WARMTH }, { "warm", NULL, WARMTH }, { "heated", NULL, WARMTH }, { "loud", NULL, NOISE },
	{ "noise", NULL, NOISE }, { "noisy", NULL, NOISE }, { "volume", NULL, NOISE | DATA }, { "decibels", NULL, NOISE }, { "colour", NULL, COLOUR },
	{ "colours", NULL, COLOUR }, { "color", NULL, COLOUR }, { "colors", NULL, COLOUR }, { "shade", NULL, COLOUR }, { "shades", NULL, COLOUR },
	{ "material", NULL, MATERIAL }, { "range", NULL, RANGE }, { "distance", NULL, RANGE }, { "reach", NULL, RANGE }, { "include", NULL, CONTENT },
	{ "included", NULL, CONTENT | MONEY }, { "includes", NULL, CONTENT }, { "contain", NULL, CONTENT }, { "contains", NULL, CONTENT },
	{ "interest", NULL, INTEREST }, { "percent", NULL, INTEREST }, { "apr", NULL, INTEREST }, { "rate", NULL, INTEREST | MONEY | COUNT },
	{ "language", NULL, LANGUAGE }, { "languages", NULL, LANGUAGE }, { "data", NULL, DATA }, { "gigabytes", NULL, DATA }, { "gigs", NULL, DATA },
	{ "gb", NULL, DATA }, { "megabytes", NULL, DATA }, { "mb", NULL, DATA },
};

/* Most differ in the first letter, and there are many cues. */
static bool is(const char *word, const char *cue)
{
	return *word == *cue && strcmp(word, cue) == 0;
}

uint32_t memory_aspects(const struct encoder_words *w)
{
	uint32_t found = 0;

	for (size_t i = 0; i < w->n; i++) {
		bool pair = false;

		for (size_t k = 0; k < sizeof(cues) / sizeof(cues[0]) && !pair; k++)
			if (cues[k].second && i + 1 < w->n && is(w->v[i].text, cues[k].first) && is(w->v[i + 1].text, cues[k].second)) {
				found |= cues[k].aspect;
				pair = true;
				i++;
			}
		for (size_t k = 0; k < sizeof(cues) / sizeof(cues[0]) && !pair; k++)
			if (!cues[k].second && is(w->v[i].text, cues[k].first))
				found |= cues[k].aspect;
	}
	/* "how much" is of money or of a quantity, and what is said beside it tells which */
	if ((found & MONEY) && (found & COUNT)) {
		bool money = false;

		for (size_t i = 0; i < w->n; i++)
			for (size_t k = 0; k < sizeof(cues) / sizeof(cues[0]); k++)
				money = money || (!cues[k].second && cues[k].aspect == MONEY && is(w->v[i].text, cues[k].first));
		if (money)
			found &= ~(uint32_t)COUNT;
		else if (found & (DATA | WEIGHT | DURATION))
			found &= ~(uint32_t)MONEY;
	}
	return found;
}
