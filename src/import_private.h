/* SPDX-License-Identifier: GPL-3.0-or-later */
/* import_private: what the readers share. Only import*.c include this. */
#ifndef ANSWERBACK_IMPORT_PRIVATE_H
#define ANSWERBACK_IMPORT_PRIVATE_H

#include "base/str.h"
#include "import.h"

struct rawfile;

struct import_ops {
	void *(*start)(struct import_reader *r);
	int (*next)(struct import_reader *r, struct import_conversation *c, struct err *e);
	void (*stop)(void *state);
};
extern const struct import_ops import_jsonl, import_csv, import_mbox, import_transcript;

struct import_reader {
	char *path;
	struct import_opts o;
	struct import_counts counts;
	enum import_format format;
	struct rawfile *raw;
	char *buf;                    /* buf[at..n) is not consumed yet */
	size_t at, n, cap;
	bool eof, said_1252, said_time;
	size_t line;                  /* lines consumed */
	const struct import_ops *ops;
	void *state;
};

/* At least `want` unconsumed bytes in the buffer, or all there are. Moves the buffer. */
int import_fill(struct import_reader *r, size_t want, struct err *e);
/* The next line without its end (LF or CR LF), valid until the next call. too_long: only its beginning, the rest is
 * gone. 1, 0 at the end, or an error. */
int import_line(struct import_reader *r, const char **s, size_t *n, bool *too_long, struct err *e);
/* A line that cannot be read: warns and returns 0, or with strict the error. */
int import_bad(struct import_reader *r, struct err *e, size_t line, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void import_warn(struct import_reader *r, size_t line, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Held text has reached opts.max_bytes? */
int import_bound(struct import_reader *r, size_t held, struct err *e);

/* Is it one of opts.agents: a name (letter case ignored), an address, a domain of its address? label need not end. */
bool import_is_agent(const struct import_reader *r, const char *label, size_t n);
/* "user", "assistant", or NULL: by --agent, then by the usual words. With --agent everybody else is a customer. */
const char *import_role(const struct import_reader *r, const char *label, size_t n);
/* The same by the usual words alone: customer, client, agent, support, bot, ... */
const char *import_usual_role(const char *label, size_t n);

/* Text as the store keeps it; what is no UTF-8 is read as Windows-1252 (warned of once a file). Caller frees. */
char *import_text(struct import_reader *r, size_t line, const char *s, size_t n, size_t *out_n);
/* A time; what cannot be read leaves 0, is counted, and warned of once a file; with strict it is an error. */
int import_when(struct import_reader *r, struct err *e, size_t line, const char *s, size_t n, int64_t *ms);
/* Takes content. Its role is static. */
struct import_message *import_add(struct import_conversation *c, const char *role, char *content, size_t len);
/* Into the order of time, those of one time as they stand; only when every message has one. */
void import_sort(struct import_conversation *c);
/* Tags as the store takes them, one at a time: spaces become '-'. */
void import_add_tag(struct str *tags, const char *s, size_t n);
/* Any text of blanks alone? */
bool import_blank(const char *s, size_t n);

/* Conversations that are held until the file has been read. */
struct import_list {
	struct import_conversation *v;
	size_t n, cap, next;
};
struct import_conversation *import_list_add(struct import_list *l);
bool import_list_take(struct import_list *l, struct import_conversation *c);      /* the next one; false: no more */
void import_list_free(struct import_list *l);

/* Strings to numbers, seeded against made-up collisions. Keys are copied. */
struct import_map;
struct import_map *import_map_new(void);
void import_map_free(struct import_map *m);
/* The value of key; *fresh: it was not there and has got `value`. */
size_t import_map_put(struct import_map *m, const char *key, size_t n, size_t value, bool *fresh);
bool import_map_get(const struct import_map *m, const char *key, size_t n, size_t *value);
void import_map_set(struct import_map *m, const char *key, size_t n, size_t value);

/* ---- mail (import_mail.c) ---- */

struct import_mail {
	char *from_name, *from_address;      /* never NULL after import_mail_parse */
	char *to_address, *subject, *id, *in_reply_to, *references;
	char *text;                          /* of its text/plain parts, UTF-8, LF; NULL: it has none */
	size_t len;
	int64_t date;                        /* 0: none that can be read */
	bool bad_charset, html;              /* a charset nobody knows; text made from HTML */
};
void import_mail_parse(struct import_mail *m, const char *head, size_t n_head, const char *body, size_t n_body);
void import_mail_free(struct import_mail *m);
/* HTML to lines of text; scripts, styles and quoted replies are left out. */
void import_html(const char *html, size_t n, struct str *out);
/* Without quoted replies, the line that announces them, and the signature. In place; returns the new length. */
size_t import_mail_unquote(char *text, size_t n);
/* "Re: AW: Parcel" to "Parcel"; *reply: there was such a beginning. Points into subject. */
const char *import_mail_subject(const char *subject, bool *reply);

#endif
