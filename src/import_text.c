/* SPDX-License-Identifier: GPL-3.0-or-later */
/* import_text: transcripts, "Customer: ...", "[10:02] Agent: ...". A line that begins no turn goes on with the one
 * before. Blank lines, or lines of dashes where the file has some, stand between conversations. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "import_private.h"

enum { LONGEST_LABEL = 60, LONGEST_TIME = 40 };

struct transcript {
	bool looked, dashes;          /* conversations are cut at lines of dashes alone */
	struct import_map *speakers;  /* names that have begun a turn without doubt */
	struct str text;              /* of the turn that is being read */
	const char *role;             /* NULL: none is */
	int64_t when, date, last;
	size_t held, line;            /* where the turn begins */
};

struct turn {
	const char *role, *label, *text;
	size_t label_n, text_n;
	int64_t when;
	bool timed, nobody;           /* a time before the name, or brackets around it; a name that could be either's */
};

static void *start(struct import_reader *r)
{
	struct transcript *t = xcalloc(1, sizeof(*t));

	(void)r;
	t->text = (struct str)STR_INIT;
	t->speakers = import_map_new();
	return t;
}

static void stop(void *state)
{
	struct transcript *t = state;

	str_free(&t->text);
	import_map_free(t->speakers);
	free(t);
}

static void trim(const char **s, size_t *n)
{
	while (*n && (**s == ' ' || **s == '\t'))
		++*s, --*n;
	while (*n && ((*s)[*n - 1] == ' ' || (*s)[*n - 1] == '\t'))
		--*n;
}

/* Three or more of one of - = * _ # and nothing else */
static bool is_dashes(const char *s, size_t n)
{
	trim(&s, &n);
	if (n < 3 || !strchr("-=*_#", *s) || !*s)
		return false;
	for (size_t i = 1; i < n; i++)
		if (s[i] != s[0])
			return false;
	return true;
}

static void look_for_dashes(struct import_reader *r, struct transcript *t)
{
	for (size_t i = r->at; i < r->n;) {
		const char *nl = memchr(r->buf + i, '\n', r->n - i);
		size_t end = nl ? (size_t)(nl - r->buf) : r->n, n = end - i;

		if (n && r->buf[end - 1] == '\r')
			n--;
		t->dashes = t->dashes || is_dashes(r->buf + i, n);
		i = end + 1;
	}
	t->looked = true;
}

/* ---- one line ---- */

static bool read_time(const struct import_reader *r, struct transcript *t, const char *s, size_t n, int64_t *when)
{
	const int64_t day = INT64_C(24) * 3600 * 1000;
	int64_t ms;

	if (n > LONGEST_TIME)
		return false;
	if (when_parse(s, n, r->o.dates, &ms)) {
		*when = ms;
		return true;
	}
	if (!when_parse_clock(s, n, &ms))
		return false;
	if (t->date) {      /* past midnight the clock begins anew */
		*when = t->date + ms;
		while (*when + day / 2 < t->last)
			*when += day;
	}
	return true;
}

/* "[10:02] ", "(2026-01-31 10:02) ", "10:02 ", "31.01.26, 10:02 - " */
static void skip_time(const struct import_reader *r, struct transcript *t, const char **s, size_t *n, struct turn *out)
{
	size_t len = 0;

	if (*n && (**s == '[' || **s == '(')) {
		const char *close = memchr(*s, **s == '[' ? ']' : ')', *n < LONGEST_TIME ? *n : LONGEST_TIME);

		if (!close || !read_time(r, t, *s + 1, (size_t)(close - *s) - 1, &out->when))
			return;
		len = (size_t)(close - *s) + 1;
	} else if (*n && **s >= '0' && **s <= '9') {
		size_t spaces = 0, best = 0;

		for (size_t i = 1; i < *n && i < LONGEST_TIME && spaces < 4; i++) {
			if ((*s)[i] != ' ' && (*s)[i] != '\t')
				continue;
			spaces++;
			if (read_time(r, t, *s, i, &out->when))
				best = i;
		}
		len = best;
	}
	if (len == 0)
		return;
	out->timed = true;
	*s += len;
	*n -= len;
	trim(s, n);
	if (*n > 1 && **s == '-' && (*s)[1] == ' ') {
		*s += 2;
		*n -= 2;
		trim(s, n);
	}
}

/* One to three words, each with a capital (or none of ours), nothing but letters and what names have. */
static bool like_name(const char *s, size_t n)
{
	bool begins = true;
	size_t words = 0;

	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c == ' ') {
			begins = true;
		} else if (begins) {
			if (!(c >= 'A' && c <= 'Z') && c < 0x80)
				return false;
			begins = false;
			words++;
		} else if (!((c | 32) >= 'a' && (c | 32) <= 'z') && c < 0x80 && !strchr("-'.", c)) {
			return false;
		}
	}
	return words >= 1 && words <= 3;
}

/* "Agent", "Agent (Tom)", "Tom (Agent)", "Agent Tom": what is usual in it; name: the rest. */
static const char *label_role(const struct import_reader *r, const char *s, size_t n, const char **name, size_t *name_n)
{
	const char *open = memchr(s, '(', n), *space = memchr(s, ' ', n), *role = NULL;

	*name = s;
	*name_n = 0;
	if (import_is_agent(r, s, n))
		return "assistant";
	if ((role = import_usual_role(s, n)))
		return role;
	if (open && s[n - 1] == ')') {
		const char *outer = s, *inner = open + 1;
		size_t outer_n = (size_t)(open - s), inner_n = n - outer_n - 2;

		trim(&outer, &outer_n);
		if ((role = import_usual_role(outer, outer_n))) {
			*name = inner;
			*name_n = inner_n;
			return role;
		}
		if ((role = import_usual_role(inner, inner_n))) {
			*name = outer;
			*name_n = outer_n;
			return role;
		}
	}
	if (space && like_name(s, n) && (role = import_usual_role(s, (size_t)(space - s)))) {
		*name = space + 1;
		*name_n = n - (size_t)(space + 1 - s);
	}
	return role;
}

/* Does the line begin a turn? */
static bool read_turn(struct import_reader *r, struct transcript *t, const struct import_conversation *c, const char *s, size_t n,
                      struct turn *out)
{
	const char *colon, *name;
	size_t name_n, ignored;

	*out = (struct turn){ 0 };
	trim(&s, &n);
	skip_time(r, t, &s, &n, out);
	if (n && *s == '<' && (colon = memchr(s, '>', n < LONGEST_LABEL ? n : LONGEST_LABEL))) {
		s++;      /* <Tom> hello */
		n--;
		out->timed = true;      /* nobody writes that by chance either */
	} else {
		colon = memchr(s, ':', n < LONGEST_LABEL ? n : LONGEST_LABEL);
		if (!colon || (colon + 1 < s + n && colon[1] != ' ' && colon[1] != '\t'))
			return false;
	}
	out->label = s;
	out->label_n = (size_t)(colon - s);
	out->text = colon + 1;
	out->text_n = n - out->label_n - 1;
	trim(&out->label, &out->label_n);
	trim(&out->text, &out->text_n);
	if (out->label_n == 0)
		return false;
	out->role = label_role(r, out->label, out->label_n, &name, &name_n);
	if (out->role) {
		out->label = name;
		out->label_n = strcmp(out->role, "user") == 0 ? name_n : 0;
		return true;
	}
	/* a name: where a turn must begin, or one that has begun one before */
	if (!like_name(out->label, out->label_n) ||
	    !(out->timed || (c->n == 0 && !t->role) || import_map_get(t->speakers, out->label, out->label_n, &ignored)))
		return false;
	out->nobody = r->o.n_agents == 0;
	out->role = "user";
	return true;
}

/* "Case: 4471" and the like above the first turn */
static bool read_heading(struct import_reader *r, struct transcript *t, struct import_conversation *c, const char *s, size_t n)
{
	static const char *const names[] = { "case", "ticket", "conversation", "company", "date", "tags" };
	const char *colon = memchr(s, ':', n), *value;
	struct str tags = STR_INIT;
	size_t label_n, value_n;

	if (!colon)
		return false;
	trim(&s, &n);
	label_n = (size_t)(colon - s);
	value = colon + 1;
	value_n = n - label_n - 1;
	trim(&value, &value_n);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strlen(names[i]) != label_n || strncasecmp(s, names[i], label_n) != 0)
			continue;
		if (i < 3) {
			free(c->head.case_id);
			c->head.case_id = import_text(r, r->line, value, value_n, &value_n);
		} else if (i == 3) {
			free(c->head.company);
			c->head.company = import_text(r, r->line, value, value_n, &value_n);
		} else if (i == 4) {
			return when_parse(value, value_n, r->o.dates, &t->date);
		} else {
			for (size_t k = 0; k < value_n;) {
				const char *comma = memchr(value + k, ',', value_n - k);
				size_t end = comma ? (size_t)(comma - value) : value_n;

				import_add_tag(&tags, value + k, end - k);
				k = end + 1;
			}
			free(c->head.tags);
			c->head.tags = store_clean(tags.s, tags.len);
			str_free(&tags);
		}
		return true;
	}
	return false;
}

/* ---- conversations ---- */

static void end_turn(struct import_reader *r, struct transcript *t, struct import_conversation *c)
{
	size_t n = t->text.len;
	char *text;

	if (!t->role)
		return;
	while (n && strchr(" \t\r\n", t->text.s[n - 1]) && t->text.s[n - 1])
		n--;
	if (n == 0) {
		r->counts.skipped++;
	} else {
		text = import_text(r, t->line, t->text.s, n, &n);
		import_add(c, t->role, text, n)->created = t->when;
		t->held += n + sizeof(struct import_message);
	}
	str_reset(&t->text);
	t->role = NULL;
}

static int read_line(struct import_reader *r, struct transcript *t, struct import_conversation *c, const char *s, size_t n,
                     struct err *e)
{
	struct turn turn;
	bool fresh;

	if (c->n == 0 && !t->role && read_heading(r, t, c, s, n))
		return 0;
	if (read_turn(r, t, c, s, n, &turn)) {
		end_turn(r, t, c);
		if (turn.nobody)
			return import_bad(r, e, r->line, "who is '%.*s'? --agent NAME says who answers", (int)turn.label_n, turn.label);
		if (turn.label_n && !c->head.customer) {
			size_t ignored;

			c->head.customer = import_text(r, r->line, turn.label, turn.label_n, &ignored);
		}
		if (turn.label_n)
			import_map_put(t->speakers, turn.label, turn.label_n, 1, &fresh);
		if (c->line == 0)
			c->line = r->line;
		t->role = turn.role;
		t->line = r->line;
		t->when = turn.when;
		t->last = turn.when ? turn.when : t->last;
		str_add(&t->text, turn.text, turn.text_n);
	} else if (t->role) {
		str_addc(&t->text, '\n');
		str_add(&t->text, s, n);
	} else {
		return import_bad(r, e, r->line, "begins no turn; write \"Customer: ...\" or \"Agent: ...\"");
	}
	return import_bound(r, t->held + t->text.len, e);
}

static int next(struct import_reader *r, struct import_conversation *c, struct err *e)
{
	struct transcript *t = r->state;
	const char *s;
	size_t n;
	bool too_long;
	int rc;

	if (!t->looked)
		look_for_dashes(r, t);
	t->date = t->last = 0;
	t->held = 0;
	while ((rc = import_line(r, &s, &n, &too_long, e)) > 0) {
		const bool blank = !too_long && import_blank(s, n), cut = t->dashes ? is_dashes(s, n) : blank || is_dashes(s, n);

		if (cut)
			end_turn(r, t, c);
		if (cut && c->n > 0)
			return 1;
		if (cut)
			continue;
		if (too_long)
			rc = import_bad(r, e, r->line, "the line is longer than %zu MiB", r->o.max_record >> 20);
		else if (!blank)
			rc = read_line(r, t, c, s, n, e);
		else if (t->role)
			str_addc(&t->text, '\n');
		if (rc < 0)
			return rc;
	}
	if (rc < 0)
		return rc;
	end_turn(r, t, c);
	return c->n > 0;
}

const struct import_ops import_transcript = { start, next, stop };
