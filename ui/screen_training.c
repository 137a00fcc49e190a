/* SPDX-License-Identifier: GPL-3.0-or-later */
/* screen_training: the curves of a training run, read from its log as it grows (`train --log`, a retrain of this
 * program), what the gate said of it, and the orders a retrain takes. */
#include <dirent.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/str.h"
#include "ui_private.h"

enum { POINTS = 4096, BYTES_A_DRAW = 100000 };      /* a long log is read in pieces, keys between them */

static struct {
	FILE *f;
	char *path;
	struct { double x, y; } loss[POINTS], held[POINTS];
	size_t losses, helds, every, skipped;
	double tokens, eta, step, bits, best, progress, drift;
	struct str line;              /* the part of one that is written so far */
	ino_t inode;
	off_t at;
} t;

static void forget(void)
{
	if (t.f)
		fclose(t.f);
	free(t.path);
	str_free(&t.line);
	memset(&t, 0, sizeof(t));
	t.line = (struct str)STR_INIT;
	t.every = 1;
	t.drift = NAN;
	t.progress = NAN;
	t.eta = NAN;
}

static double number(const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);

	return json_is_number(v) ? json_number_value(v) : NAN;
}

/* Half of the points say as much once there are too many: hours of training take no more memory than minutes. */
static void thin(void)
{
	for (size_t i = 0; i < POINTS / 2; i++)
		t.loss[i] = t.loss[2 * i];
	t.losses = POINTS / 2;
	t.every *= 2;
}

static void take(const char *line)
{
	json_t *o = json_loads(line, 0, NULL);
	const double step = number(o, "step"), loss = number(o, "loss"), bits = number(o, "bits_per_char");

	/* before the first step there is the replay */
	if (o && isnan(step) && !isnan(number(o, "progress"))) {
		t.progress = number(o, "progress");
		t.eta = number(o, "eta");
	}
	if (o && !isnan(step)) {
		t.step = step;
		t.tokens = number(o, "tokens_per_second");
		t.eta = number(o, "eta");
		t.progress = number(o, "progress");
		if (!isnan(loss) && ++t.skipped >= t.every) {
			t.skipped = 0;
			if (t.losses == POINTS)
				thin();
			t.loss[t.losses].x = step;
			t.loss[t.losses++].y = loss;
		}
		if (!isnan(bits)) {
			t.bits = bits;
			t.best = number(o, "best");
			t.drift = number(o, "base_drift");
			if (t.helds == POINTS) {
				for (size_t i = 0; i < POINTS / 2; i++)
					t.held[i] = t.held[2 * i];
				t.helds = POINTS / 2;
			}
			t.held[t.helds].x = step;
			t.held[t.helds++].y = bits;
		}
	}
	json_decref(o);
}

/* False: there is more to read. */
static bool follow(const char *path)
{
	struct stat st;
	size_t budget = BYTES_A_DRAW;
	int c;

	/* another file, or a run that began the same one anew */
	if (!t.path || strcmp(t.path, path) != 0 || (t.f && stat(path, &st) == 0 && (st.st_ino != t.inode || st.st_size < t.at))) {
		forget();
		t.path = xstrdup(path);
	}
	if (!t.f) {
		t.f = fopen(path, "re");
		if (!t.f)
			return true;
		if (fstat(fileno(t.f), &st) == 0)
			t.inode = st.st_ino;
	}
	clearerr(t.f);
	while (budget-- > 0 && (c = getc(t.f)) != EOF) {
		t.at++;
		if (c != '\n') {
			str_addc(&t.line, (char)c);
			continue;
		}
		take(t.line.s);
		str_reset(&t.line);
	}
	return feof(t.f) != 0;
}

/* ---- which run ---- */

static bool is_log(const char *path)
{
	char begin[200] = "";
	FILE *f = fopen(path, "re");
	bool is;

	if (!f)
		return false;
	is = fgets(begin, sizeof(begin), f) && begin[0] == '{' && strstr(begin, "\"event\"") && strstr(begin, "\"step\"");
	fclose(f);
	return is;
}

/* The newest log of a run among a retrain's own and those of this folder. */
static void find_run(struct ui *u)
{
	static char found[1024];
	const char *own = app_retrain_log(u->app);
	struct stat st;
	time_t newest = 0;
	struct dirent *d;
	DIR *dir = opendir(".");

	found[0] = '\0';
	if (own && stat(own, &st) == 0 && is_log(own)) {
		newest = st.st_mtime;
		snprintf(found, sizeof(found), "%s", own);
	}
	while (dir && (d = readdir(dir)) != NULL) {
		const char *dot = strrchr(d->d_name, '.');

		if (dot && (strcmp(dot, ".jsonl") == 0 || strcmp(dot, ".log") == 0) && stat(d->d_name, &st) == 0 && S_ISREG(st.st_mode) &&
		    st.st_mtime > newest && is_log(d->d_name)) {
			newest = st.st_mtime;
			snprintf(found, sizeof(found), "%s", d->d_name);
		}
	}
	if (dir)
		closedir(dir);
	if (*found)
		u->o.train_log = found;
}

static void open_it(struct ui *u)
{
	if (!u->o.train_log)
		find_run(u);
}

/* ---- the curve: two dots a column and four a row in braille, one in ASCII ---- */

struct plot {
	unsigned char *dot;
	int rows, columns;
};

static void set_dot(struct plot *p, int x, int y)
{
	static const unsigned char bit[4][2] = { { 0x01, 0x08 }, { 0x02, 0x10 }, { 0x04, 0x20 }, { 0x40, 0x80 } };

	if (x >= 0 && y >= 0 && x < 2 * p->columns && y < 4 * p->rows)
		p->dot[(y / 4) * p->columns + x / 2] |= bit[y % 4][x % 2];
}

static void curve(struct plot *p, const void *points, size_t n, double x1, double lo, double hi)
{
	const struct { double x, y; } *v = points;

	for (size_t i = 0; i < n; i++) {
		const double share = hi > lo ? (v[i].y - lo) / (hi - lo) : 0.5;

		set_dot(p, (int)(v[i].x / x1 * (2 * p->columns - 1)), (int)((1 - share) * (4 * p->rows - 1)));
	}
}

static void draw_curve(int y0, int rows, int columns, const void *points, size_t n, const char *what, double last)
{
	const struct { double x, y; } *v = points;
	struct plot p = { NULL, rows - 1, columns - 8 };
	double lo = INFINITY, hi = -INFINITY, x1 = 1;

	if (rows < 3 || columns < 20)
		return;
	draw_line(y0, 0, columns, STYLE_BOLD, "%s %.4f", what, last);
	if (n == 0)
		return;
	for (size_t i = 0; i < n; i++) {
		/* the first steps' heights would flatten everything after them */
		if (i >= n / 20) {
			lo = v[i].y < lo ? v[i].y : lo;
			hi = v[i].y > hi ? v[i].y : hi;
		}
		x1 = v[i].x > x1 ? v[i].x : x1;
	}
	p.dot = xcalloc((size_t)(p.rows * p.columns), 1);
	curve(&p, points, n, x1, lo, hi);
	for (int r = 0; r < p.rows; r++) {
		draw_line(y0 + 1 + r, 0, 8, STYLE_DIM, "%7.3f", hi - (hi - lo) * r / (p.rows > 1 ? p.rows - 1 : 1));
		for (int c = 0; c < p.columns; c++) {
			const unsigned char d = p.dot[r * p.columns + c];
			char buf[4] = { (char)0xe2, (char)(0xa0 + (d >> 6)), (char)(0x80 + (d & 0x3f)), 0 };

			if (d)
				mvaddstr(y0 + 1 + r, 8 + c, term_ascii() ? "*" : buf);
		}
	}
	free(p.dot);
}

static int draw_gate(const struct ui *u, int y, int rows, int columns)
{
	const struct event *ev = &u->trained;
	const int was = y;

	if (rows < 1)
		return 0;
	draw_line(y++, 0, columns, ev->stopped ? STYLE_WARN : STYLE_GOOD, "%s", ev->text);
	if (ev->number && y < was + rows)
		draw_line(y++, 0, columns, STYLE_DIM, "%lld examples, %zu dialogues replayed", (long long)ev->number, ev->bytes);
	for (size_t i = 0; i < ev->items && y < was + rows; i++) {
		const struct event_item *it = &ev->item[i];

		draw_line(y++, 0, columns, it->flag ? STYLE_PLAIN : STYLE_WARN, "%-4s %-15s %8.4f (%s %.4f) %s", it->flag ? "ok" : "FAIL", it->text,
		          it->score, it->role, it->bound, it->more ? it->more : "");
	}
	return y - was;
}

static void figures(struct str *s)
{
	str_addf(s, "step %.0f  %.0f tokens/s", t.step, isnan(t.tokens) ? 0 : t.tokens);
	if (!isnan(t.progress))
		str_addf(s, "  %.0f%% done", 100 * t.progress);
	if (!isnan(t.eta))
		str_addf(s, "  ETA %.0f:%02.0f", floor(t.eta / 60), fmod(t.eta, 60));
	if (t.helds)
		str_addf(s, "  best %.4f", t.best);
	if (!isnan(t.drift))
		str_addf(s, "  base %+.2f%%", 100 * t.drift);
}

static void draw(struct ui *u, int rows, int columns)
{
	const bool running = app_retraining(u->app);
	struct str s = STR_INIT;
	int y = 1, half, gate = 0;

	if (running) {
		draw_line(y++, 0, columns, STYLE_BOLD, "retraining %s%.0f%%  %s", u->paused ? "(paused) " : "", 100 * u->training, u->training_said);
	} else if (u->trained.kind == EVENT_TRAINED) {
		gate = (int)u->trained.items + 2;
		gate = gate < rows / 2 ? gate : rows / 2;
		y += draw_gate(u, y, gate, columns);
	}
	if (!u->o.train_log) {
		draw_wrapped(y, 0, rows - y + 1, columns, running ? "its curves come as soon as it has written a figure" :
		             "No run to show. t (or /train) learns what was approved; or start answerback train --log FILE and follow it here with "
		             "/watch FILE.", STYLE_PLAIN, 0);
		return;
	}
	u->again = !follow(u->o.train_log);
	if (!t.f) {
		draw_line(y, 0, columns, running ? STYLE_DIM : STYLE_WARN, running ? "no figures yet" : "%s cannot be read", u->o.train_log);
		return;
	}
	figures(&s);
	y += draw_wrapped(y, 0, 2, columns, s.s, STYLE_PLAIN, 0) > 1 ? 2 : 1;
	str_free(&s);
	half = (rows - y + 1) / 2;
	if (half < 3) {      /* one of them, then: what matters is how it does on what it has not seen */
		draw_curve(y, rows - y + 1, columns, t.helds ? t.held : t.loss, t.helds ? t.helds : t.losses,
		           t.helds ? "held out:" : "loss:", t.helds ? t.bits : t.losses ? t.loss[t.losses - 1].y : 0);
		return;
	}
	draw_curve(y, half, columns, t.loss, t.losses, "training loss, nats a piece:", t.losses ? t.loss[t.losses - 1].y : 0);
	draw_curve(y + half, half, columns, t.held, t.helds, "held out, bits a character:", t.bits);
}

static bool key(struct ui *u, int k)
{
	const bool sure = u->sure;

	u->sure = false;
	if (k == 't' && !app_retraining(u->app)) {
		ui_command(u, "train");
		return true;
	}
	if (!strchr("psc", k) || k == 0)
		return false;
	if (!app_retraining(u->app)) {
		ui_note(u, "nothing is being retrained: t begins");
	} else if (k == 'p') {
		u->paused = !u->paused;
		app_retrain_order(u->app, u->paused ? APP_PAUSE : APP_GO);
		ui_note(u, u->paused ? "paused: p goes on" : "going on");
	} else if (k == 'c' && !sure) {
		u->sure = true;
		ui_note(u, "throw away what it has learned so far? c once more does");
	} else {
		app_retrain_order(u->app, k == 's' ? APP_KEEP : APP_CANCEL);
		ui_note(u, k == 's' ? "stopping; what was learned goes to the gate" : "cancelling; nothing is changed");
	}
	return true;
}

const struct screen screen_training = {
	.title = "training", .open = open_it, .draw = draw, .key = key, .every = 1000,
	.hint = "t retrains, p pauses, s stops and keeps, c cancels; q goes back (it goes on)|t train, p pause, s stop, c cancel, q back|t p s c q"
};
