/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reword_lists: reading them. */
#include "reword_private.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "wordings.h"

void reword_words_add(struct reword_words *w, const char *text)
{
	w->v = xreallocarray(w->v, w->n + 1, sizeof(*w->v));
	w->v[w->n++] = xstrdup(text);
}

void reword_words_free(struct reword_words *w)
{
	for (size_t i = 0; i < w->n; i++)
		free(w->v[i]);
	free(w->v);
	*w = (struct reword_words){ 0 };
}

/* Each line of a file, as JSON; lines that are none are passed over. */
static void read_lines(const char *folder, const char *name, void (*line)(struct reword_lists *, const json_t *),
                       struct reword_lists *l)
{
	struct str path = STR_INIT, text = STR_INIT;
	FILE *f;

	str_addf(&path, "%s/%s", folder, name);
	if ((f = fopen(path.s, "r")) != NULL) {
		while (str_readline(&text, f)) {
			json_t *o = json_loadb(text.s, text.len, 0, NULL);

			if (o)
				line(l, o);
			json_decref(o);
		}
		fclose(f);
	}
	str_free(&path);
	str_free(&text);
}

static void content_words(struct reword_lists *l, const char *text)
{
	char *copy = xstrdup(text), *save = NULL;

	for (char *p = strtok_r(copy, " ?!.,;:", &save); p; p = strtok_r(NULL, " ?!.,;:", &save))
		if (strlen(p) > 3 && !strchr(p, '{') && !wordings_is_function(p))
			reword_words_add(&l->content, p);
	free(copy);
}

static void ask_line(struct reword_lists *l, const json_t *o)
{
	const json_t *texts = json_object_get(o, "texts");

	for (size_t i = 0; i < json_array_size(texts); i++) {
		const char *t = json_string_value(json_array_get(texts, i));

		if (!t || !strstr(t, "{x}"))
			continue;
		reword_words_add(&l->frame, t);
		content_words(l, t);
	}
}

static void words_line(struct reword_lists *l, const json_t *o)
{
	const json_t *same = json_object_get(o, "same");

	for (size_t i = 0; i < json_array_size(same); i++) {
		const json_t *g = json_array_get(same, i);
		struct reword_words list = { 0 };

		for (size_t k = 0; k < json_array_size(g); k++)
			if (json_string_value(json_array_get(g, k)))
				reword_words_add(&list, json_string_value(json_array_get(g, k)));
		if (list.n < 2) {
			reword_words_free(&list);
			continue;
		}
		l->same = xreallocarray(l->same, l->groups + 1, sizeof(*l->same));
		l->same[l->groups++] = list;
	}
}

void reword_lists_read(struct reword_lists *l, const char *folder)
{
	read_lines(folder, "ask.jsonl", ask_line, l);
	read_lines(folder, "words.jsonl", words_line, l);
}

void reword_lists_free(struct reword_lists *l)
{
	for (size_t i = 0; i < l->groups; i++)
		reword_words_free(&l->same[i]);
	free(l->same);
	reword_words_free(&l->frame);
	reword_words_free(&l->content);
}
