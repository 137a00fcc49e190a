/* SPDX-License-Identifier: GPL-3.0-or-later */
/* export: conversations of the store as text.
 *
 *     x = export_new(stdout, EXPORT_CSV, false, NULL);
 *     export_conversation(x, store, 12, &e);
 *     rc = export_end(x, &e);
 *
 * JSONL and CSV hold everything that import reads back to the same conversations, contents byte for byte; what they
 * cannot hold is a conversation without messages, which is left out. Markdown is for people: control characters are
 * shown, and nothing that a customer wrote is markup.
 * With redact there are placeholders (redact.h) for personal data in the texts, <customer_1> for the customer's
 * name where it stands in them, and no case, customer, company or source.
 * An exporter belongs to one thread; the FILE stays the caller's. */
#ifndef ANSWERBACK_EXPORT_H
#define ANSWERBACK_EXPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "store.h"

enum export_format { EXPORT_JSONL, EXPORT_CSV, EXPORT_MARKDOWN };

/* false: there is none of that name ("jsonl", "csv", "markdown", "md"). */
bool export_format_of(const char *name, enum export_format *f);
/* By the end of a file's name; def where that says nothing. */
enum export_format export_format_of_file(const char *path, enum export_format def);

struct exporter;
/* company: what a conversation without one is redacted for; may be NULL. */
struct exporter *export_new(FILE *to, enum export_format format, bool redact, const char *company);
/* ERR_NOTFOUND: there is no such conversation; nothing was written. */
int export_conversation(struct exporter *x, struct store *s, int64_t id, struct err *e);
/* Flushes and frees; ERR_IO when something could not be written. */
int export_end(struct exporter *x, struct err *e);
size_t export_count(const struct exporter *x);            /* conversations written */

#endif
