/* SPDX-License-Identifier: GPL-3.0-or-later */
/* when: one pass over the text, a token at a time; what each number is follows from what stands after it. */
#include "when.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum { LONGEST = 80 };        /* of a date; anything longer is none */

struct scan {
	const char *p;
	enum when_order order;
	int year, month, day;         /* 0: not seen */
	int hour, minute, second, milli;
	bool has_time, has_zone, pm, am;
	int offset;                   /* minutes east */
};

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool letter(char c)
{
	return (c | 32) >= 'a' && (c | 32) <= 'z';
}

static int digits(const char *p)
{
	int n = 0;

	while (digit(p[n]))
		n++;
	return n;
}

static int number(const char *p, int n)
{
	int v = 0;

	for (int i = 0; i < n && i < 9; i++)
		v = v * 10 + (p[i] - '0');
	return v;
}

/* HH:MM[:SS[.fff]] at p */
static bool scan_clock(struct scan *s)
{
	int n = digits(s->p);

	if (s->has_time || n < 1 || n > 2 || s->p[n] != ':' || digits(s->p + n + 1) != 2)
		return false;
	s->hour = number(s->p, n);
	s->minute = number(s->p + n + 1, 2);
	s->p += n + 3;
	if (*s->p == ':' && digits(s->p + 1) == 2) {
		s->second = number(s->p + 1, 2);
		s->p += 3;
		if ((*s->p == '.' || *s->p == ',') && digit(s->p[1])) {
			n = digits(s->p + 1);
			s->milli = number(s->p + 1, n < 3 ? n : 3);
			for (int i = n; i < 3; i++)
				s->milli *= 10;
			s->p += 1 + n;
		}
	}
	s->has_time = true;
	return s->hour < 24 && s->minute < 60 && s->second < 61;
}

static bool scan_zone(struct scan *s)
{
	int sign = *s->p == '-' ? -1 : 1, n = digits(s->p + 1), minutes = 0;

	if (s->has_zone || (n != 2 && n != 4))
		return false;
	if (n == 4)
		minutes = number(s->p + 3, 2);
	s->offset = number(s->p + 1, 2) * 60;
	s->p += 1 + n;
	if (n == 2 && *s->p == ':' && digits(s->p + 1) == 2) {
		minutes = number(s->p + 1, 2);
		s->p += 3;
	}
	s->offset = sign * (s->offset + minutes);
	s->has_zone = true;
	return minutes < 60 && s->offset > -24 * 60 && s->offset < 24 * 60;
}

static bool scan_word(struct scan *s)
{
	static const char *const months[] = { "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec" };
	static const char *const days[] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };
	static const struct {
		const char *name;
		int offset;
	} zones[] = {
		{ "z", 0 }, { "utc", 0 }, { "gmt", 0 }, { "ut", 0 }, { "est", -300 }, { "edt", -240 }, { "cst", -360 }, { "cdt", -300 },
		{ "mst", -420 }, { "mdt", -360 }, { "pst", -480 }, { "pdt", -420 }, { "cet", 60 }, { "cest", 120 },
	};
	const char *w = s->p;
	size_t n = 0;

	while (letter(w[n]))
		n++;
	s->p += n;
	if (n == 1 && (*w | 32) == 't' && s->day && !s->has_time)
		return true;
	if (n == 2 && s->has_time && (strncasecmp(w, "am", 2) == 0 || strncasecmp(w, "pm", 2) == 0)) {
		s->pm = (*w | 32) == 'p';
		s->am = !s->pm;
		return s->hour >= 1 && s->hour <= 12;
	}
	for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++)
		if (strlen(zones[i].name) == n && strncasecmp(w, zones[i].name, n) == 0) {
			bool again = s->has_zone;      /* "+0000 (UTC)" */

			s->offset = again ? s->offset : zones[i].offset;
			s->has_zone = true;
			return s->has_time;
		}
	for (int i = 0; i < 12 && n >= 3; i++)
		if (strncasecmp(w, months[i], 3) == 0 && !s->month) {
			s->month = i + 1;
			return true;
		}
	for (size_t i = 0; i < 7 && n >= 3; i++)
		if (strncasecmp(w, days[i], 3) == 0)
			return true;
	return false;
}

/* The numbers of a date written with one separator, "2026-01-31", "31.1.26", "1/31/2026". */
static bool scan_date(struct scan *s, int n, char between)
{
	int a = number(s->p, n), m = digits(s->p + n + 1), b = number(s->p + n + 1, m), k, c;

	if (s->day || s->month || s->year || m < 1 || m > 2 || s->p[n + 1 + m] != between)
		return false;
	k = digits(s->p + n + m + 2);
	c = number(s->p + n + m + 2, k);
	s->p += n + m + 2 + k;
	if (n == 4) {
		s->year = a;
		s->month = b;
		s->day = c;
		return k >= 1 && k <= 2;
	}
	s->year = k == 2 ? c + 2000 : c;
	if (between == '.' || s->order == WHEN_DAY_MONTH) {
		s->day = a;
		s->month = b;
	} else if (s->order == WHEN_MONTH_DAY) {
		s->month = a;
		s->day = b;
	} else {
		return false;
	}
	return k == 2 || k == 4;
}

static bool scan_number(struct scan *s)
{
	int n = digits(s->p);
	char after = s->p[n];

	if (n > 4)
		return false;
	if (after == ':')
		return scan_clock(s);
	if ((n == 4 || n <= 2) && (after == '-' || after == '/' || after == '.') && digit(s->p[n + 1]))
		return scan_date(s, n, after);
	if (n == 4 && !s->year) {
		s->year = number(s->p, n);
	} else if (n <= 2 && !s->day) {
		s->day = number(s->p, n);
	} else if (n == 2 && !s->year && s->month) {      /* mail of the last century: "31 Jan 99" */
		s->year = number(s->p, n) + (number(s->p, n) >= 70 ? 1900 : 2000);
	} else {
		return false;
	}
	s->p += n;
	if (*s->p == '.' || (after == '-' && letter(s->p[1])))
		s->p++;      /* "31. Jan", "31-Jan-2026" */
	return true;
}

static bool scan(struct scan *s)
{
	while (*s->p) {
		bool ok = true;

		if (digit(*s->p))
			ok = scan_number(s);
		else if (letter(*s->p))
			ok = scan_word(s);
		else if ((*s->p == '+' || *s->p == '-') && s->has_time && digit(s->p[1]))
			ok = scan_zone(s);
		else if (*s->p == ' ' || *s->p == '\t' || *s->p == ',' || *s->p == '(' || *s->p == ')' ||
		         (*s->p == '.' && s->month) || (*s->p == '-' && s->month && !s->year))
			s->p++;
		else
			return false;
		if (!ok)
			return false;
	}
	if (s->pm && s->hour < 12)
		s->hour += 12;
	if (s->am && s->hour == 12)
		s->hour = 0;
	return true;
}

static bool copy(const char *text, size_t len, char out[LONGEST + 1])
{
	while (len && (text[len - 1] == ' ' || text[len - 1] == '\t' || text[len - 1] == '\r' || text[len - 1] == '\n'))
		len--;
	while (len && (*text == ' ' || *text == '\t'))
		text++, len--;
	if (len == 0 || len > LONGEST || memchr(text, '\0', len))
		return false;
	memcpy(out, text, len);
	out[len] = '\0';
	return true;
}

/* Seconds or milliseconds since 1970, perhaps with a fraction: 9 digits are 1973, 11 are 5138. */
static bool epoch(const char *p, int64_t *ms)
{
	int n = digits(p);
	int64_t v = 0;

	if (n < 9 || n > 14)
		return false;
	for (int i = 0; i < n; i++)
		v = v * 10 + (p[i] - '0');
	if (n <= 11)
		v *= 1000;
	if (p[n] == '.') {
		int k = digits(p + n + 1);

		if (k == 0 || p[n + 1 + k])
			return false;
		for (int i = 0, unit = 100; i < k && i < 3 && n <= 11; i++, unit /= 10)
			v += (p[n + 1 + i] - '0') * unit;
	} else if (p[n]) {
		return false;
	}
	*ms = v;
	return v < INT64_C(7258118400000);       /* 2200 */
}

bool when_parse(const char *text, size_t len, enum when_order order, int64_t *ms)
{
	char buf[LONGEST + 1];
	struct scan s = { .p = buf, .order = order };
	struct tm tm = { 0 }, check;
	time_t t;

	if (!copy(text, len, buf))
		return false;
	if (epoch(buf, ms))
		return true;
	if (!scan(&s) || s.year < 1970 || s.year > 2199 || s.month < 1 || s.month > 12 || s.day < 1 || s.day > 31)
		return false;
	tm.tm_year = s.year - 1900;
	tm.tm_mon = s.month - 1;
	tm.tm_mday = s.day;
	check = tm;
	timegm(&check);
	if (check.tm_mday != s.day)      /* February 30 */
		return false;
	tm.tm_hour = s.hour;
	tm.tm_min = s.minute;
	tm.tm_sec = s.second;
	if (s.has_zone) {
		t = timegm(&tm) - s.offset * 60;
	} else {
		tm.tm_isdst = -1;
		t = mktime(&tm);
	}
	*ms = (int64_t)t * 1000 + s.milli;
	return *ms >= 0;
}

bool when_parse_clock(const char *text, size_t len, int64_t *ms)
{
	char buf[LONGEST + 1];
	struct scan s = { .p = buf };

	if (!copy(text, len, buf) || !scan(&s) || !s.has_time || s.has_zone || s.year || s.month || s.day)
		return false;
	*ms = ((s.hour * 60 + s.minute) * 60 + s.second) * INT64_C(1000) + s.milli;
	return true;
}

void when_iso(int64_t ms, char out[WHEN_SIZE])
{
	int64_t part = ms % 1000, whole = ms / 1000;
	struct tm tm;
	time_t t;

	if (part < 0) {
		part += 1000;
		whole--;
	}
	t = (time_t)whole;
	if (!gmtime_r(&t, &tm) || tm.tm_year > 8099 || tm.tm_year < -1900) {
		snprintf(out, WHEN_SIZE, "%lld", (long long)ms);
		return;
	}
	snprintf(out, WHEN_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d", (tm.tm_year + 1900) % 10000, (tm.tm_mon + 1) % 100, tm.tm_mday % 100,
	         tm.tm_hour % 100, tm.tm_min % 100, tm.tm_sec % 100);
	if (part)
		snprintf(out + strlen(out), 8, ".%03d", (int)part % 1000);
	strcat(out, "Z");
}

void when_local(int64_t ms, char out[WHEN_SIZE])
{
	time_t t = (time_t)(ms / 1000);
	struct tm tm;

	if (!localtime_r(&t, &tm) || strftime(out, WHEN_SIZE, "%Y-%m-%d %H:%M", &tm) == 0)
		snprintf(out, WHEN_SIZE, "%lld", (long long)ms);
}
