/* SPDX-License-Identifier: GPL-3.0-or-later */
/* encoder_net: forward and backward of the net in encoder.h. d: dim, h: hidden. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../src/base/mem.h"
#include "encoder_private.h"
#include "kernels.h"

enum { D = ENCODER_DIM, H = ENCODER_HIDDEN };
static const real tiny = (real)1e-6;      /* lengths are never divided by less */

void encoder_layout(struct params *ps)
{
	memset(ps, 0, sizeof(*ps));
	params_add(ps, "context", 3 * D, H);
	params_add(ps, "context_bias", 1, H);
	params_add(ps, "back", H, D);
	params_add(ps, "weigh", 2, D);
	params_add(ps, "project", D, D);
}

static void room(real **p, size_t n)
{
	mem_aligned_free(*p);
	*p = mem_aligned(mem_mul(n, sizeof(real)));
}

void encoder_work_room(struct encoder_work *w, size_t rows, size_t texts, bool backward)
{
	if (rows > w->row_cap || (backward && !w->dx)) {
		const size_t cap = rows > w->row_cap ? rows + rows / 4 : w->row_cap;
		struct { real **p; size_t width; bool back; } of[] = {
			{ &w->x, D, false }, { &w->bias, 2, false }, { &w->near, 3 * D, false }, { &w->c, H, false }, { &w->t, D, false },
			{ &w->n, D, false }, { &w->length, 1, false }, { &w->alpha, 1, false }, { &w->beta, 1, false },
			{ &w->dn, D, true }, { &w->dbeta, 1, true }, { &w->dx, D, true }, { &w->dbias, 2, true }, { &w->dt, D, true },
			{ &w->dc, H, true }, { &w->dnear, 3 * D, true },
		};

		for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++)
			if (!of[i].back || backward)
				room(of[i].p, cap * of[i].width);
		w->row_cap = cap;
	}
	if (texts > w->text_cap || (backward && !w->du)) {
		const size_t cap = texts > w->text_cap ? texts + texts / 4 : w->text_cap;

		w->span = xreallocarray(w->span, cap, sizeof(*w->span));
		room(&w->sum, cap * D);
		room(&w->y, cap * D);
		room(&w->u, cap * D);
		room(&w->y_length, cap);
		if (backward) {
			room(&w->du, cap * D);
			room(&w->dsum, cap * D);
		}
		w->text_cap = cap;
	}
	w->rows = rows;
	w->texts = texts;
	if (backward) {
		memset(w->dn, 0, rows * D * sizeof(real));
		memset(w->dbeta, 0, rows * sizeof(real));
		memset(w->du, 0, texts * D * sizeof(real));
	}
}

void encoder_work_fini(struct encoder_work *w)
{
	real *all[] = { w->x, w->bias, w->near, w->c, w->t, w->n, w->length, w->alpha, w->beta, w->sum, w->y, w->u, w->y_length,
	                w->dn, w->dbeta, w->du, w->dx, w->dbias, w->dt, w->dc, w->dnear, w->dsum };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		mem_aligned_free(all[i]);
	free(w->span);
	memset(w, 0, sizeof(*w));
}

static const real *at(const struct params *ps, const real *flat, size_t id)
{
	return flat + ps->p[id].offset;
}

/* near_i = [x_(i-1); x_i; x_(i+1)], zero past the ends */
static void gather(const struct encoder_work *w)
{
	for (size_t s = 0; s < w->texts; s++)
		for (size_t k = 0; k < w->span[s].len; k++) {
			const size_t i = w->span[s].start + k;
			real *to = w->near + i * 3 * D;

			if (k > 0)
				memcpy(to, w->x + (i - 1) * D, D * sizeof(real));
			else
				memset(to, 0, D * sizeof(real));
			memcpy(to + D, w->x + i * D, D * sizeof(real));
			if (k + 1 < w->span[s].len)
				memcpy(to + 2 * D, w->x + (i + 1) * D, D * sizeof(real));
			else
				memset(to + 2 * D, 0, D * sizeof(real));
		}
}

void encoder_forward(const struct params *ps, const real *flat, struct encoder_work *w)
{
	const real *weigh = at(ps, flat, EW_WEIGH);

	gather(w);
	kernels_gemm_rows(w->rows, H, 3 * D, w->near, 3 * D, at(ps, flat, EW_CONTEXT), H, false, w->c, H);
	kernels_add_bias(w->rows, H, w->c, H, at(ps, flat, EW_CONTEXT_BIAS));
	kernels_tanh(w->c, w->c, w->rows * H);
	memcpy(w->t, w->x, w->rows * D * sizeof(real));
	kernels_gemm_rows(w->rows, D, H, w->c, H, at(ps, flat, EW_BACK), D, true, w->t, D);
	for (size_t i = 0; i < w->rows; i++) {
		const real *t = w->t + i * D;
		const real length = REAL_SQRT((real)kernels_sumsq(t, D)) + tiny;

		w->length[i] = length;
		for (size_t k = 0; k < D; k++)
			w->n[i * D + k] = t[k] / length;
		w->alpha[i] = kernels_dot(weigh, t, D) + w->bias[2 * i];
		w->beta[i] = kernels_dot(weigh + D, t, D) + w->bias[2 * i + 1];
	}
	for (size_t s = 0; s < w->texts; s++) {
		const struct encoder_span sp = w->span[s];
		real *sum = w->sum + s * D;

		kernels_softmax(w->alpha + sp.start, sp.len);
		kernels_softmax(w->beta + sp.start, sp.len);
		memset(sum, 0, D * sizeof(real));
		for (size_t i = sp.start; i < sp.start + sp.len; i++)
			kernels_axpy(sum, w->alpha[i], w->t + i * D, D);
	}
	kernels_gemm_rows(w->texts, D, D, w->sum, D, at(ps, flat, EW_PROJECT), D, false, w->y, D);
	for (size_t s = 0; s < w->texts; s++) {
		const real *y = w->y + s * D;
		const real length = REAL_SQRT((real)kernels_sumsq(y, D)) + tiny;

		w->y_length[s] = length;
		for (size_t k = 0; k < D; k++)
			w->u[s * D + k] = y[k] / length;
	}
}

/* For z = v / (|v| + tiny):  dv += (dz - z (z . dz) r) / (|v| + tiny),  r = (|v| + tiny) / |v| */
static void back_unit(const real *z, const real *dz, real length, real *dv)
{
	const real norm = length - tiny, r = norm > 0 ? length / norm : 0;
	const real along = kernels_dot(z, dz, D) * r;

	for (size_t k = 0; k < D; k++)
		dv[k] += (dz[k] - z[k] * along) / length;
}

/* In place: gradient of a softmax's outputs into that of its inputs. */
static void back_softmax(const real *p, real *d, size_t n)
{
	real mean = 0;

	for (size_t i = 0; i < n; i++)
		mean += p[i] * d[i];
	for (size_t i = 0; i < n; i++)
		d[i] = p[i] * (d[i] - mean);
}

void encoder_backward(const struct params *ps, const real *flat, struct encoder_work *w, real *grad)
{
	const real *weigh = at(ps, flat, EW_WEIGH);
	real *dweigh = grad + ps->p[EW_WEIGH].offset;

	/* dy, in dsum's place; then dP and dsum */
	real *dy = w->du;             /* overwritten */

	for (size_t s = 0; s < w->texts; s++) {
		real fresh[D] = { 0 };

		back_unit(w->u + s * D, w->du + s * D, w->y_length[s], fresh);
		memcpy(dy + s * D, fresh, sizeof(fresh));
	}
	kernels_gemm(true, false, D, D, w->texts, w->sum, D, dy, D, true, grad + ps->p[EW_PROJECT].offset, D);
	kernels_gemm(false, true, w->texts, D, D, dy, D, at(ps, flat, EW_PROJECT), D, false, w->dsum, D);

	memset(w->dt, 0, w->rows * D * sizeof(real));
	for (size_t s = 0; s < w->texts; s++) {
		const struct encoder_span sp = w->span[s];
		real da[ENCODER_WORDS];

		for (size_t k = 0; k < sp.len; k++) {
			da[k] = kernels_dot(w->dsum + s * D, w->t + (sp.start + k) * D, D);
			kernels_axpy(w->dt + (sp.start + k) * D, w->alpha[sp.start + k], w->dsum + s * D, D);
		}
		back_softmax(w->alpha + sp.start, da, sp.len);
		back_softmax(w->beta + sp.start, w->dbeta + sp.start, sp.len);
		for (size_t k = 0; k < sp.len; k++) {
			const size_t i = sp.start + k;
			real *dt = w->dt + i * D;
			const real *t = w->t + i * D;

			w->dbias[2 * i] = da[k];
			w->dbias[2 * i + 1] = w->dbeta[i];
			kernels_axpy(dt, da[k], weigh, D);
			kernels_axpy(dt, w->dbeta[i], weigh + D, D);
			kernels_axpy(dweigh, da[k], t, D);
			kernels_axpy(dweigh + D, w->dbeta[i], t, D);
			back_unit(w->n + i * D, w->dn + i * D, w->length[i], dt);
		}
	}

	/* t = x + W2 c,  c = tanh(W1 near + b1) */
	memcpy(w->dx, w->dt, w->rows * D * sizeof(real));
	kernels_gemm(true, false, H, D, w->rows, w->c, H, w->dt, D, true, grad + ps->p[EW_BACK].offset, D);
	kernels_gemm(false, true, w->rows, H, D, w->dt, D, at(ps, flat, EW_BACK), D, false, w->dc, H);
	for (size_t i = 0; i < w->rows * H; i++)
		w->dc[i] *= 1 - w->c[i] * w->c[i];
	kernels_column_sums(w->rows, H, w->dc, H, grad + ps->p[EW_CONTEXT_BIAS].offset);
	kernels_gemm(true, false, 3 * D, H, w->rows, w->near, 3 * D, w->dc, H, true, grad + ps->p[EW_CONTEXT].offset, H);
	kernels_gemm(false, true, w->rows, 3 * D, H, w->dc, H, at(ps, flat, EW_CONTEXT), H, false, w->dnear, 3 * D);
	for (size_t s = 0; s < w->texts; s++)
		for (size_t k = 0; k < w->span[s].len; k++) {
			const size_t i = w->span[s].start + k;
			const real *from = w->dnear + i * 3 * D;

			if (k > 0)
				kernels_axpy(w->dx + (i - 1) * D, 1, from, D);
			kernels_axpy(w->dx + i * D, 1, from + D, D);
			if (k + 1 < w->span[s].len)
				kernels_axpy(w->dx + (i + 1) * D, 1, from + 2 * D, D);
		}
}
