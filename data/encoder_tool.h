/* SPDX-License-Identifier: GPL-3.0-or-later */
/* encoder_tool: what the encoder is trained on: groups of texts that mean the same, out of the corpora and of the
 * texts written for the project (data/wordings, data/scenarios).
 *
 *     encoder --root DIR --wordings DIR --scenarios DIR --wordnet DIR --out FILE [--minutes N]
 */
#ifndef ANSWERBACK_ENCODER_TOOL_H
#define ANSWERBACK_ENCODER_TOOL_H

#include "../model/encoder_train.h"
#include "../src/base/err.h"
#include "../src/base/rng.h"
#include "../src/base/str.h"

enum encoder_source {
	SOURCE_ASK, SOURCE_ASK_IT, SOURCE_WORDS, SOURCE_SCENARIOS, SOURCE_BANKING, SOURCE_CLINC, SOURCE_BITEXT20, SOURCE_BITEXT8,
	SOURCE_TATOEBA, SOURCE_TATOEBA_FR, SOURCE_ANSWERS, SOURCE_CUSTOMERS, SOURCE_WORDNET, SOURCE_COUNT
};
extern const char *const encoder_source_names[SOURCE_COUNT];

/* Groups; owns their texts. */
struct encoder_groups {
	struct encoder_group *v;
	size_t n, cap;
	uint32_t keys;                /* near keys handed out so far */
};
void encoder_groups_free(struct encoder_groups *g);
struct encoder_group *encoder_groups_add(struct encoder_groups *g, enum encoder_source source);
void encoder_group_text(struct encoder_group *g, const char *text);     /* copies; empty texts are left out */

/* encoder_written.c */
int encoder_add_wordings(struct encoder_groups *g, const char *dir, size_t things, struct rng *r, struct err *e);
int encoder_add_scenarios(struct encoder_groups *g, const char *dir, struct rng *r, struct err *e);
/* encoder_corpora.c: whatever `root` lacks is an error. */
int encoder_add_corpora(struct encoder_groups *g, const char *root, struct rng *r, struct err *e);

/* encoder_wordnet.c: dir holds data.noun and so on, cntlist.rev. */
int encoder_add_wordnet(struct encoder_groups *g, const char *dir, struct err *e);

/* encoder_vary.c: typing errors, what people say around a question, words of data/wordings/words.jsonl exchanged. */
struct encoder_vary;
int encoder_vary_open(struct encoder_vary **out, const char *wordings, struct err *e);
void encoder_vary_free(struct encoder_vary *v);
void encoder_vary_text(void *vary, const char *text, struct rng *r, struct str *out);

/* One JSON object a line of FILE. */
typedef int encoder_line(void *arg, const void *json, const char *where, struct err *e);
int encoder_lines(const char *path, encoder_line *each, void *arg, struct err *e);

#endif
