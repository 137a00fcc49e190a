/* SPDX-License-Identifier: GPL-3.0-or-later */
/* screen_training: the curves of a training run, read from its log as it grows (`train --log`). */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "ui_private.h"

enum { POINTS = 4096 };

static struct {
	FILE *f;
	char *path;
	struct { double x, y; } loss[POINTS], held[POINTS];
	size_t losses, helds, every, skipped;
	double tokens, eta, step, bits, best, progress;
} t;

static void forget(void)
{
	if (t.f)
		fclose(t.f);
	free(t.path);
	memset(&t, 0, sizeof(t));
	t.every = 1;
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
			if (t.helds < POINTS) {
				t.held[t.helds].x = step;
				t.held[t.helds++].y = bits;
			}
		}
	}
	json_decref(o);
}

static void follow(const char *path)
{
	static struct str line = STR_INIT;
	int c;

	if (!t.path || strcmp(t.path, path) != 0) {
		forget();
		t.path = xstrdup(path);
	}
	if (!t.f)
		t.f = fopen(path, "r");
	if (!t.f)
		return;
	clearerr(t.f);
	while ((c = getc(t.f)) != EOF) {
		if (c != '\n') {
			str_addc(&line, (char)c);
			continue;
		}
		take(line.s);
		str_reset(&line);
	}
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

static void draw(struct ui *u, int rows, int columns)
{
	const int half = (rows - 2) / 2;

	if (!u->o.train_log) {
		draw_line(1, 0, columns, STYLE_PLAIN, "No run to show. /train learns what was approved; or start answerback train --log FILE");
		draw_line(2, 0, columns, STYLE_PLAIN, "and follow it here with: /watch FILE");
		return;
	}
	follow(u->o.train_log);
	if (!t.f) {
		draw_line(1, 0, columns, STYLE_WARN, "%s cannot be read", u->o.train_log);
		return;
	}
	draw_line(1, 0, columns, STYLE_PLAIN, "step %.0f  %.0f tokens/s  %.0f%% done  ETA %.0f:%02.0f  held out %.4f bits/char (best %.4f)",
	          t.step, t.tokens, 100 * t.progress, floor(t.eta / 60), fmod(t.eta, 60), t.bits, t.best);
	draw_curve(2, half, columns, t.loss, t.losses, "training loss, nats a piece:", t.losses ? t.loss[t.losses - 1].y : 0);
	draw_curve(2 + half, half, columns, t.held, t.helds, "held out, bits a character:", t.bits);
}

static bool key(struct ui *u, int k)
{
	static bool paused;

	if (!app_retraining(u->app) || !strchr("psc", k))
		return false;
	if (k == 'p') {
		paused = !paused;
		app_retrain_order(u->app, paused ? APP_PAUSE : APP_GO);
		ui_note(u, paused ? "paused: p goes on" : "going on");
	} else {
		app_retrain_order(u->app, k == 's' ? APP_KEEP : APP_CANCEL);
		ui_note(u, k == 's' ? "stopping; what was learned goes to the gate" : "cancelling; nothing is changed");
	}
	return true;
}

const struct screen screen_training = {
	.title = "training", .draw = draw, .key = key, .hint = "p pauses, s stops and keeps, c cancels a retrain; q goes back", .every = 1000
};
