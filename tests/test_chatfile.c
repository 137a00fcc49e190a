/* SPDX-License-Identifier: GPL-3.0-or-later */
/* chatfile: what real and broken files hold, and that each fault names file, line and cure. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <lzma.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/rng.h"
#include "base/str.h"
#include "base/utf8.h"
#include "chatfile.h"

struct warnings {
	size_t n;
	char last[600];
};

static void remember(const char *message, void *arg)
{
	struct warnings *w = arg;

	w->n++;
	snprintf(w->last, sizeof(w->last), "%s", message);
}

/* A file with these bytes; the name ends in suffix. Caller frees the name. */
static char *make_file(const char *suffix, const void *bytes, size_t n)
{
	char *path = xmalloc(64);
	int fd;

	snprintf(path, 64, "/tmp/answerback-chat-XXXXXX%s", suffix);
	fd = mkstemps(path, (int)strlen(suffix));
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, n), n);
	close(fd);
	return path;
}

static void drop_file(char *path)
{
	unlink(path);
	free(path);
}

struct result {
	size_t conversations;
	int rc;                       /* of the last chatfile_next */
	struct chatfile_counts counts;
	struct warnings warnings;
	struct err err;
	struct chat first;
};

static struct result read_all(const char *path, struct chatfile_opts o)
{
	struct result r = { 0 };
	struct chatfile *f;
	struct chat c = { 0 };

	o.warn = remember;
	o.warn_arg = &r.warnings;
	r.rc = chatfile_open(&f, path, &o, &r.err);
	if (r.rc < 0)
		return r;
	while ((r.rc = chatfile_next(f, &c, &r.err)) > 0) {
		if (r.conversations++ == 0) {
			r.first = c;
			c = (struct chat){ 0 };
		}
		assert_true(chatfile_line(f) >= r.conversations);
	}
	r.counts = *chatfile_counts(f);
	chat_free(&c);
	chatfile_close(f);
	return r;
}

static struct result read_bytes(const char *suffix, const void *bytes, size_t n, struct chatfile_opts o)
{
	char *path = make_file(suffix, bytes, n);
	struct result r = read_all(path, o);

	drop_file(path);
	return r;
}

static struct result read_text(const char *text)
{
	return read_bytes(".jsonl", text, strlen(text), (struct chatfile_opts){ 0 });
}

#define GOOD "{\"messages\": [{\"role\": \"user\", \"content\": \"hi\"}, {\"role\": \"assistant\", \"content\": \"Hello.\"}]}\n"

static void test_plain(void **state)
{
	struct result r = read_text("{\"id\": 7, \"source\": \"s\", \"domain\": \"d\", \"company\": \"Brightmoor\", "
	                            "\"messages\": [{\"role\": \"user\", \"content\": \"hi\", \"weight\": 0}, "
	                            "{\"role\": \"assistant\", \"content\": \"a\\u0000b\", \"weight\": 0.5}]}");

	(void)state;
	assert_int_equal(r.rc, 0);
	assert_int_equal(r.conversations, 1);
	assert_int_equal(r.counts.messages, 2);
	assert_string_equal(r.first.id, "7");
	assert_string_equal(r.first.source, "s");
	assert_string_equal(r.first.domain, "d");
	assert_string_equal(r.first.company, "Brightmoor");
	assert_true(r.first.messages[0].weight == 0.0);
	assert_true(r.first.messages[1].weight == 0.5);
	assert_int_equal(r.first.messages[1].len, 3);
	assert_memory_equal(r.first.messages[1].content, "a\0b", 4);
	assert_int_equal(r.warnings.n, 0);
	chat_free(&r.first);
}

static void test_roles(void **state)
{
	struct result r = read_text(
	        "{\"messages\": [{\"role\": \"system\", \"content\": \"be kind\"}, {\"role\": \"user\", \"content\": \"one\"},"
	        "{\"role\": \"user\", \"content\": \"two\", \"weight\": 0}, {\"role\": \"tool\", \"content\": \"x\"},"
	        "{\"content\": \"no role\"}, {\"role\": 3, \"content\": \"x\"}, {\"role\": \"assistant\", \"content\": null},"
	        "{\"role\": \"assistant\"}, {\"role\": \"assistant\", \"content\": \"\"},"
	        "{\"role\": \"assistant\", \"content\": \"done\"}]}\n");

	(void)state;
	assert_int_equal(r.rc, 0);
	assert_int_equal(r.counts.system, 1);
	assert_int_equal(r.counts.unknown_role, 3);
	assert_int_equal(r.counts.empty, 3);
	assert_int_equal(r.counts.joined, 1);
	assert_int_equal(r.first.n, 2);
	assert_string_equal(r.first.messages[0].content, "one\ntwo");
	assert_int_equal(r.first.messages[0].len, 7);
	assert_true(r.first.messages[0].weight == 0.0);
	assert_string_equal(r.first.messages[1].content, "done");
	chat_free(&r.first);
}

static void test_paragraphs_stay_apart(void **state)
{
	static const char *const tags[] = { "user", "document", NULL };
	const struct chatfile_opts o = { .tags = tags };
	static const char text[] = "{\"messages\": [{\"role\": \"document\", \"content\": \"one\"}, "
		"{\"role\": \"document\", \"content\": \"two\"}, {\"role\": \"user\", \"content\": \"a\"}, "
		"{\"role\": \"user\", \"content\": \"b\"}]}";
	struct chatfile_counts counts = { 0 };
	struct chat c = { 0 };
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(chat_from_json(text, strlen(text), "here:1", &o, &c, &counts, &e), 0);
	assert_int_equal(c.n, 3);
	assert_string_equal(c.messages[1].content, "two");
	assert_string_equal(c.messages[2].content, "a\nb");
	assert_int_equal(counts.joined, 1);
	chat_free(&c);
}

static void test_pairs(void **state)
{
	static const char *const tags[] = { "en", "fr", NULL };
	const char *text = "{\"en\": \"hello\", \"fr\": \"bonjour\"}\n{\"en\": \"alone\"}\n"
	                   "{\"messages\": [{\"role\": \"en\", \"content\": \"a\"}, {\"role\": \"user\", \"content\": \"b\"}]}\n";
	struct result r = read_bytes(".jsonl", text, strlen(text), (struct chatfile_opts){ .tags = tags });

	(void)state;
	assert_int_equal(r.conversations, 2);
	assert_int_equal(r.counts.bad_lines, 1);
	assert_int_equal(r.counts.unknown_role, 1);
	assert_non_null(strstr(r.warnings.last, ":2: "));
	assert_string_equal(r.first.messages[0].role, "en");
	assert_string_equal(r.first.messages[1].content, "bonjour");
	chat_free(&r.first);
}

/* Each bad line stands second of three; the message must name line 2 and hold the words. */
static void test_bad_lines(void **state)
{
	static const struct {
		const char *line, *words;
	} cases[] = {
		{ "{\"messages\": [{\"role\": \"user\", \"content\": \"\xff\xfe\"}]}", "bad UTF-8 at byte 44" },
		{ "{\"messages\": [{\"role\": \"user\", \"content\": \"\xed\xa0\x80\"}]}", "bad UTF-8" },
		{ "{\"messages\": [", "not JSON" },
		{ "hello there", "not JSON" },
		{ "{\"messages\": [{\"role\": \"user\", \"content\": \"\\ud800\"}]}", "not JSON" },
		{ "[1, 2]", "not an object" },
		{ "3", "not an object" },
		{ "{}", "neither \"messages\"" },
		{ "{\"id\": \"x\"}", "neither \"messages\"" },
		{ "{\"messages\": {}}", "not a list" },
		{ "{\"messages\": []}", "holds no text" },
		{ "{\"messages\": [{\"role\": \"system\", \"content\": \"x\"}]}", "holds no text" },
		{ "{\"messages\": [\"hi\"]}", "message 1 is not an object" },
		{ "{\"messages\": [{\"role\": \"user\", \"content\": 5}]}", "message 1 is not text" },
		{ "{\"messages\": [{\"role\": \"user\", \"content\": \"a\", \"weight\": -1}]}", "\"weight\"" },
		{ "{\"messages\": [{\"role\": \"user\", \"content\": \"a\", \"weight\": \"x\"}]}", "\"weight\"" },
		{ "{\"user\": \"a\", \"assistant\": 4}", "not text" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct str text = STR_INIT;
		struct result r;
		char *path;

		str_addf(&text, "%s%s\n%s", GOOD, cases[i].line, GOOD);
		path = make_file(".jsonl", text.s, text.len);
		r = read_all(path, (struct chatfile_opts){ 0 });
		assert_int_equal(r.rc, 0);
		assert_int_equal(r.conversations, 2);
		assert_int_equal(r.counts.bad_lines, 1);
		assert_int_equal(r.counts.lines, 3);
		assert_int_equal(r.counts.system, 0);
		assert_int_equal(r.warnings.n, 1);
		if (!strstr(r.warnings.last, cases[i].words) || !strstr(r.warnings.last, ":2: ") ||
		    strncmp(r.warnings.last, path, strlen(path)) != 0)
			fail_msg("case %zu: %s", i, r.warnings.last);
		chat_free(&r.first);

		r = read_all(path, (struct chatfile_opts){ .strict = true });
		assert_int_equal(r.rc, ERR_FORMAT);
		assert_int_equal(r.conversations, 1);
		assert_non_null(strstr(r.err.msg, cases[i].words));
		assert_non_null(strstr(r.err.msg, ":2: "));
		chat_free(&r.first);
		drop_file(path);
		str_free(&text);
	}
}

static void test_shapes(void **state)
{
	struct result r = read_text("");

	(void)state;
	assert_int_equal(r.rc, 0);
	assert_int_equal(r.conversations, 0);
	assert_int_equal(r.warnings.n, 1);
	assert_non_null(strstr(r.warnings.last, "empty"));

	r = read_text("\xef\xbb\xbf" GOOD);
	assert_int_equal(r.conversations, 1);
	assert_int_equal(r.counts.bad_lines, 0);
	chat_free(&r.first);

	r = read_text("\r\n\n  \t\n{\"messages\": [{\"role\": \"user\", \"content\": \"hi\"}]}\r\n");
	assert_int_equal(r.conversations, 1);
	assert_int_equal(r.counts.bad_lines, 0);
	assert_int_equal(r.counts.lines, 4);
	chat_free(&r.first);

	r = read_text("\n\xef\xbb\xbf" GOOD);          /* a BOM elsewhere is no BOM */
	assert_int_equal(r.counts.bad_lines, 1);
	chat_free(&r.first);

	r = read_bytes(".jsonl", "\0\0\0\n", 4, (struct chatfile_opts){ 0 });
	assert_int_equal(r.counts.bad_lines, 1);
}

static void test_nesting(void **state)
{
	struct str text = STR_INIT;
	struct result r;

	(void)state;
	str_adds(&text, "{\"messages\": ");
	for (int i = 0; i < 200000; i++)
		str_addc(&text, '[');
	str_adds(&text, "\n" GOOD);
	r = read_bytes(".jsonl", text.s, text.len, (struct chatfile_opts){ 0 });
	assert_int_equal(r.conversations, 1);
	assert_non_null(strstr(r.warnings.last, "nested deeper"));
	chat_free(&r.first);

	str_reset(&text);                              /* brackets in strings do not count */
	str_adds(&text, "{\"messages\": [{\"role\": \"user\", \"content\": \"\\\"");
	for (int i = 0; i < 500; i++)
		str_addc(&text, '[');
	str_adds(&text, "\"}]}");
	r = read_bytes(".jsonl", text.s, text.len, (struct chatfile_opts){ 0 });
	assert_int_equal(r.conversations, 1);
	assert_int_equal(r.first.messages[0].len, 501);
	chat_free(&r.first);
	str_free(&text);
}

static void test_long_line(void **state)
{
	struct str text = STR_INIT;
	struct result r;

	(void)state;
	str_adds(&text, "{\"messages\": [{\"role\": \"user\", \"content\": \"");
	for (int i = 0; i < 1 << 20; i++)
		str_addc(&text, (char)('a' + i % 26));
	str_adds(&text, "\"}]}\n" GOOD);
	r = read_bytes(".jsonl", text.s, text.len, (struct chatfile_opts){ 0 });
	assert_int_equal(r.conversations, 2);
	assert_int_equal(r.first.messages[0].len, 1 << 20);
	chat_free(&r.first);

	r = read_bytes(".jsonl", text.s, text.len, (struct chatfile_opts){ .max_line = 1000 });
	assert_int_equal(r.conversations, 1);
	assert_int_equal(r.counts.bad_lines, 1);
	assert_non_null(strstr(r.warnings.last, ":1: "));
	assert_non_null(strstr(r.warnings.last, "longer than 1000 bytes"));
	chat_free(&r.first);
	str_free(&text);
}

static void test_xz(void **state)
{
	struct str text = STR_INIT;
	uint8_t *xz;
	size_t n = 0, cap;
	struct rng rng;
	struct result r;
	size_t whole;

	(void)state;
	rng_seed(&rng, 5);
	for (int i = 0; i < 4000; i++)
		str_addf(&text, "{\"messages\": [{\"role\": \"user\", \"content\": \"%016llx\"}]}\n",
		         (unsigned long long)rng_next(&rng));
	cap = lzma_stream_buffer_bound(text.len);
	xz = xmalloc(cap * 2);
	assert_int_equal(lzma_easy_buffer_encode(0, LZMA_CHECK_CRC64, NULL, (const uint8_t *)text.s, text.len,
	                                         xz, &n, cap), LZMA_OK);
	r = read_bytes(".jsonl.xz", xz, n, (struct chatfile_opts){ 0 });
	assert_int_equal(r.rc, 0);
	assert_int_equal(r.conversations, 4000);
	chat_free(&r.first);

	r = read_bytes(".dat", xz, n, (struct chatfile_opts){ 0 });       /* by magic */
	assert_int_equal(r.conversations, 4000);
	chat_free(&r.first);

	memcpy(xz + n, xz, n);                                            /* two streams in one file */
	r = read_bytes(".xz", xz, 2 * n, (struct chatfile_opts){ 0 });
	assert_int_equal(r.conversations, 8000);
	chat_free(&r.first);

	whole = n;
	for (size_t cut = 0; cut < whole; cut += whole / 7 + 1) {         /* cut off: lines, then an error */
		r = read_bytes(".xz", xz, cut, (struct chatfile_opts){ 0 });
		assert_int_equal(r.rc, ERR_FORMAT);
		assert_non_null(strstr(r.err.msg, "too early"));
		assert_true(cut < whole / 2 || r.conversations > 0);
		chat_free(&r.first);
	}
	xz[whole / 2] ^= 0x55;
	r = read_bytes(".xz", xz, whole, (struct chatfile_opts){ 0 });
	assert_int_equal(r.rc, ERR_FORMAT);
	assert_non_null(strstr(r.err.msg, ".xz:"));
	chat_free(&r.first);

	r = read_bytes(".xz", GOOD, strlen(GOOD), (struct chatfile_opts){ 0 });
	assert_int_equal(r.rc, ERR_FORMAT);
	assert_non_null(strstr(r.err.msg, "not an xz file"));
	free(xz);
	str_free(&text);
}

static void test_open(void **state)
{
	struct result r = read_all("/nonexistent/x.jsonl", (struct chatfile_opts){ 0 });

	(void)state;
	assert_int_equal(r.rc, ERR_IO);
	assert_non_null(strstr(r.err.msg, "/nonexistent/x.jsonl"));
	r = read_all("/tmp", (struct chatfile_opts){ 0 });
	assert_int_equal(r.rc, ERR_IO);
}

static void test_stdin(void **state)
{
	int pipe_fd[2], saved = dup(STDIN_FILENO);
	struct result r;

	(void)state;
	assert_int_equal(pipe(pipe_fd), 0);
	assert_int_equal(write(pipe_fd[1], GOOD, strlen(GOOD)), strlen(GOOD));
	assert_int_equal(write(pipe_fd[1], "x\n", 2), 2);
	close(pipe_fd[1]);
	dup2(pipe_fd[0], STDIN_FILENO);
	close(pipe_fd[0]);
	r = read_all("-", (struct chatfile_opts){ 0 });
	dup2(saved, STDIN_FILENO);
	close(saved);
	assert_int_equal(r.conversations, 1);
	assert_int_equal(strncmp(r.warnings.last, "standard input:2: ", 18), 0);
	chat_free(&r.first);
}

/* What is written is read back the same; bytes that JSON cannot carry become U+FFFD. */
static void test_round_trip(void **state)
{
	struct rng rng;

	(void)state;
	rng_seed(&rng, 77);
	for (int round = 0; round < 300; round++) {
		struct chat c = { 0 }, back = { 0 };
		struct err e = ERR_INIT;
		size_t turns = 1 + rng_below(&rng, 5);
		char *json;

		for (size_t i = 0; i < turns; i++) {
			struct str s = STR_INIT;
			size_t n = 1 + rng_below(&rng, 40);

			for (size_t k = 0; k < n; k++) {
				char enc[4];
				int32_t cp = (int32_t)rng_below(&rng, round % 2 ? 0x100 : 0xd800);

				str_add(&s, enc, utf8_encode(cp, enc));
			}
			chat_add(&c, i % 2 ? "assistant" : "user", s.s, s.len, (double)rng_below(&rng, 4) / 2);
			c.messages[i].open = rng_below(&rng, 2) == 1;
			str_free(&s);
		}
		c.company = xstrdup("Quill & \"Vane\"");
		json = chat_to_json(&c);
		assert_null(strchr(json, '\n'));
		if (chat_from_json(json, strlen(json), NULL, NULL, &back, NULL, &e) < 0)
			fail_msg("seed 77 round %d: %s: %s", round, e.msg, json);
		assert_int_equal(back.n, c.n);
		assert_string_equal(back.company, c.company);
		for (size_t i = 0; i < c.n; i++) {
			assert_string_equal(back.messages[i].role, c.messages[i].role);
			assert_int_equal(back.messages[i].len, c.messages[i].len);
			assert_memory_equal(back.messages[i].content, c.messages[i].content, c.messages[i].len);
			assert_true(back.messages[i].weight == c.messages[i].weight);
			assert_true(back.messages[i].open == c.messages[i].open);
		}
		free(json);
		chat_free(&c);
		chat_free(&back);
	}
	struct chat bad = { 0 };
	char *json;

	chat_add(&bad, "user", "a\xff" "b", 3, 1);
	json = chat_to_json(&bad);
	assert_non_null(strstr(json, "a\xef\xbf\xbd" "b"));
	free(json);
	chat_free(&bad);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain), cmocka_unit_test(test_roles), cmocka_unit_test(test_paragraphs_stay_apart),
		cmocka_unit_test(test_pairs),
		cmocka_unit_test(test_bad_lines), cmocka_unit_test(test_shapes), cmocka_unit_test(test_nesting),
		cmocka_unit_test(test_long_line), cmocka_unit_test(test_xz), cmocka_unit_test(test_open),
		cmocka_unit_test(test_stdin), cmocka_unit_test(test_round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
