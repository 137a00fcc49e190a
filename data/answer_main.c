/* SPDX-License-Identifier: GPL-3.0-or-later */
/* answer: makes data/answer.safetensors, the map from messages to their answers (model/answer.h), from conversations
 * as `corpus` mixes them and the encoder as it stands. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../model/answer.h"
#include "../src/base/mem.h"
#include "../src/base/rng.h"
#include "../src/chatfile.h"
#include "../src/redact.h"

static const char usage_text[] =
	"usage: answer --train FILE.jsonl --encoder FILE --out FILE [--pairs N] [--steps N] [--seed N]\n"
	"Learns where the answers to a message lie among the encoder's vectors.\n"
	"  --pairs N    messages with the reply that followed, at most (150000)\n"
	"  --steps N    batches of 256 pairs (3000)\n"
	"  --seed N     (1)\n";

struct pairs {
	float *q, *a;                 /* [n, ENCODER_DIM] */
	uint32_t *id;                 /* of the reply's text */
	size_t n, most, met;
	struct rng rng;
};

static uint32_t text_id(const char *s)
{
	uint32_t h = 2166136261u;

	while (*s)
		h = (h ^ (unsigned char)*s++) * 16777619u;
	return h;
}

/* Reservoir sampling: every pair has the same chance to stay. */
static void add(struct pairs *p, const struct encoder *en, const char *message, size_t m, const char *reply, size_t n)
{
	const size_t at = p->met++ < p->most ? p->n : rng_below(&p->rng, p->met);

	if (at >= p->most)
		return;
	if (at == p->n)
		p->n++;
	encoder_vector(en, message, m, p->q + at * ENCODER_DIM);
	encoder_vector(en, reply, n, p->a + at * ENCODER_DIM);
	p->id[at] = text_id(reply);
}

static int read_pairs(struct pairs *p, const struct encoder *en, const char *path, struct err *e)
{
	const struct chatfile_opts o = { 0 };
	struct chatfile *f;
	struct chat c = { 0 };
	int rc = chatfile_open(&f, path, &o, e);

	if (rc < 0)
		return rc;
	while ((rc = chatfile_next(f, &c, e)) > 0) {
		struct redact_map *map = redact_map_new(c.company);
		struct str before = STR_INIT, text = STR_INIT;

		for (size_t i = 0; i < c.n; i++) {
			const struct chat_message *m = &c.messages[i];

			str_reset(&text);
			redact_text(map, m->content, m->len, &text);
			if (i > 0 && strcmp(m->role, "assistant") == 0 && strcmp(m[-1].role, "user") == 0 && !m->open)
				add(p, en, before.s, before.len, text.s, text.len);
			str_reset(&before);
			str_add(&before, text.s, text.len);
		}
		str_free(&before);
		str_free(&text);
		redact_map_free(map);
	}
	chat_free(&c);
	chatfile_close(f);
	return rc;
}

static void progress(size_t step, double loss, double right, void *arg)
{
	(void)arg;
	printf("step %zu: loss %.3f, the right reply of 256 first for %.1f %%\n", step, loss, 100 * right);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	static const struct option table[] = {
		{ "train", 1, NULL, 't' }, { "encoder", 1, NULL, 'e' }, { "out", 1, NULL, 'o' }, { "pairs", 1, NULL, 'p' },
		{ "steps", 1, NULL, 's' }, { "seed", 1, NULL, 'r' }, { "help", 0, NULL, 'h' }, { NULL, 0, NULL, 0 }
	};
	const char *train = NULL, *encoder = NULL, *out = NULL;
	struct answer_opts o = { .steps = 3000, .batch = 256, .rate = 2e-3, .scale = 12, .seed = 1, .progress = progress };
	struct pairs p = { .most = 150000 };
	struct answer_map *map = xcalloc(1, sizeof(*map));
	struct encoder *en = NULL;
	struct err e = ERR_INIT;
	struct str how = STR_INIT;
	int c, rc;

	while ((c = getopt_long(argc, argv, "", table, NULL)) != -1) {
		switch (c) {
		case 't': train = optarg; break;
		case 'e': encoder = optarg; break;
		case 'o': out = optarg; break;
		case 'p': p.most = strtoul(optarg, NULL, 10); break;
		case 's': o.steps = strtoul(optarg, NULL, 10); break;
		case 'r': o.seed = strtoul(optarg, NULL, 10); break;
		case 'h': fputs(usage_text, stdout); return 0;
		default: fputs(usage_text, stderr); return 2;
		}
	}
	if (optind != argc || !train || !encoder || !out || p.most < 2 || p.most > 10000000 || o.steps < 1) {
		fputs(usage_text, stderr);
		return 2;
	}
	p.q = xreallocarray(NULL, p.most * ENCODER_DIM, sizeof(float));
	p.a = xreallocarray(NULL, p.most * ENCODER_DIM, sizeof(float));
	p.id = xcalloc(p.most, sizeof(*p.id));
	rng_seed(&p.rng, o.seed);
	rc = encoder_open(&en, encoder, &e);
	if (rc == 0)
		rc = read_pairs(&p, en, train, &e);
	if (rc == 0 && p.n < 2)
		rc = err_set(&e, ERR_NOTFOUND, "%s: no message with a reply in it", train);
	if (rc == 0) {
		printf("%zu pairs of %zu\n", p.n, p.met);
		answer_train(map, p.n, p.q, p.a, p.id, &o);
		str_addf(&how, "{\"pairs\": %zu, \"steps\": %zu, \"seed\": %llu}", p.n, o.steps, (unsigned long long)o.seed);
		rc = answer_write(map, out, encoder_version(en), how.s, &e);
	}
	if (rc < 0)
		fprintf(stderr, "answer: %s\n", e.msg);
	str_free(&how);
	encoder_free(en);
	free(map);
	free(p.q);
	free(p.a);
	free(p.id);
	return rc < 0 ? 1 : 0;
}
