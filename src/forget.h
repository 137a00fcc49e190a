/* SPDX-License-Identifier: GPL-3.0-or-later */
/* forget: a conversation, a customer or a phrase out of everything that a data folder holds: the database with
 * its word index and log, the copies that the program made of it, the counts behind ghost text, the lines and drafts
 * in the state folder; and then a look into every file for what still holds it.
 *
 * Long (the database is rewritten); for a thread that may wait. No other program may have the history open. */
#ifndef ANSWERBACK_FORGET_H
#define ANSWERBACK_FORGET_H

#include "base/err.h"
#include "base/str.h"
#include "store_forget.h"

struct forget_result {
	struct store_forgotten kept;      /* in the database */
	int64_t copied;                   /* messages in the copies */
	int64_t lines;                    /* in files of the state folder */
	int64_t mentions;                 /* of a customer's name in messages of others: still there */
	size_t copies;                    /* cleaned */
	struct str models;                /* versions that learned from it, a line each */
	struct str holding;               /* files that hold it still, or may: "PATH: why", a line each */
	char *serving;                    /* NULL, or the one among models that serves now */
};
void forget_result_free(struct forget_result *r);

/* data_dir, model and company as everywhere. An error leaves what was done until then done; once more is fine. */
int forget_all(const struct store_forget *f, const char *data_dir, const char *model, const char *company,
               struct forget_result *r, struct err *e);

#endif
