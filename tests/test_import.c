/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Readers of other programs' files: what each makes of usual, odd and hostile ones, and that every fault names its line. */
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
#include "base/utf8.h"
#include "common_import.h"
#include "import_private.h"

static const char *const shop[] = { "shop.example" }, *const tom[] = { "Tom" };

/* What comes out, how many warnings, and words of the first. */
static void reads(const char *suffix, const char *in, struct import_opts o, const char *out, size_t warnings, const char *words)
{
	struct common_import c = common_import_read(suffix, in, strlen(in), o);

	if (c.rc < 0)
		fail_msg("%s", c.e.msg);
	assert_string_equal(c.text.s, out);
	if (c.warnings != warnings || (words && !strstr(c.said.s, words)))
		fail_msg("%zu warnings: %s", c.warnings, c.said.s);
	common_import_free(&c);
}

static void fails(const char *suffix, const char *in, struct import_opts o, int code, const char *words)
{
	struct common_import c = common_import_read(suffix, in, strlen(in), o);

	assert_int_equal(c.rc, code);
	if (!strstr(c.e.msg, words))
		fail_msg("%s", c.e.msg);
	common_import_free(&c);
}

#define OPTS(...) ((struct import_opts){ __VA_ARGS__ })

static void test_jsonl(void **state)
{
	(void)state;
	reads(".jsonl", "{\"id\": 7, \"customer\": \"Anna\", \"messages\": [{\"role\": \"system\", \"content\": \"be nice\"},"
	      " {\"role\": \"user\", \"content\": \"hi\"}, {\"role\": \"user\", \"content\": \"there\"},"
	      " {\"role\": \"assistant\", \"content\": null}, {\"role\": \"Agent\", \"content\": \"hello\"}], \"x\": [1]}\n\n"
	      "not json\n{\"messages\": 3}\n{\"messages\": []}\n{\"id\": \"b\", \"messages\": [{\"role\": \"user\", \"content\": \"second\"}]}",
	      OPTS(0), "7|Anna: user=hi; user=there; assistant=hello\nb|: user=second\n", 3, "3: not JSON");
	fails(".jsonl", "{\"messages\": []}\n", OPTS(.strict = true), ERR_FORMAT, ":1: holds no text");
	fails(".jsonl", "\n{\"messages\": [{\"role\": \"user\", \"content\": \"a\", \"time\": \"noon\"}]}\n", OPTS(.strict = true), ERR_FORMAT,
	      ":2: the time 'noon'");
	/* without a format the content says it */
	reads("", " {\"messages\": [{\"role\": \"customer\", \"content\": \"a\"}]}\n", OPTS(0), "|: user=a\n", 0, NULL);
	/* NUL and the like in JSON's own words */
	reads(".jsonl", "{\"messages\": [{\"role\": \"user\", \"content\": \"a\\u0000b\"}]}\n", OPTS(0), "|: user=a\xef\xbf\xbd" "b\n", 0, NULL);
}

static void test_csv(void **state)
{
	(void)state;
	/* rows of a conversation need not be together, nor in order of time; quotes, line ends, CR LF */
	reads(".csv", "\xef\xbb\xbf" "Conversation ID,Timestamp,Sender,Message,Customer Name\r\n"
	      "1,2026-01-31 10:00:00Z,Customer,\"Hi, my \"\"parcel\"\"\r\nis late\",Anna\r\n2,2026-01-31 09:00Z,agent,hello,\r\n"
	      "1,2026-01-31 09:59:00Z,Agent,first,Anna\r\n",
	      OPTS(0), "1|Anna: assistant=first; user=Hi, my \"parcel\"\r\nis late\n2|: assistant=hello\n", 0, NULL);
	/* other separators, inbound as the role, names with --column */
	reads(".csv", "thread;inbound;body\na;True;\"x;y\"\na;False;z\n", OPTS(0), "a|: user=x;y; assistant=z\n", 0, NULL);
	reads(".tsv", "who\tk\twhat\nTom\t1\tyes\nAnna\t1\tno\n",
	      OPTS(.columns = (const char *const[]){ "role=who", "conversation=K", "text=3" }, .n_columns = 3, .agents = tom, .n_agents = 1),
	      "1|Anna: assistant=yes; user=no\n", 0, NULL);
	reads("", "user|1|hi\nagent|1|ho\n", OPTS(.format = IMPORT_CSV, .no_header = true,
	      .columns = (const char *const[]){ "role=1", "conversation=2", "text=3" }, .n_columns = 3), "1|: user=hi; assistant=ho\n", 0, NULL);
	/* a question and its answer a row */
	reads(".csv", "instruction,response\nhow?,so.\nwhy?,\n", OPTS(0), "|: user=how?; assistant=so.\n|: user=why?\n", 0, NULL);
	/* Windows-1252, said once */
	reads(".csv", "case,role,text\n1,user,caf\xe9 \x80\n1,user,\xfc\n", OPTS(0), "1|: user=caf\xc3\xa9 \xe2\x82\xac; user=\xc3\xbc\n", 1,
	      "2: is not UTF-8");
}

static void test_csv_faults(void **state)
{
	static const char head[] = "case,time,role,text\n";
	static const struct {
		const char *rows, *words, *out;
	} cases[] = {
		{ "1,,user\n1,,user,b\n", "2: 3 fields where the header has 4", "1|: user=b\n" },
		{ "1,,user,a,b\n1,,user,b\n", "2: 5 fields", "1|: user=b\n" },
		/* costs one line, not the rest of the file */
		{ "1,,user,\"open\n1,,user,b\n2,,user,c\n", "2: a quote is opened and never closed", "1|: user=b\n2|: user=c\n" },
		{ "1,,user,\"a\" b\n1,,user,b\n", "2: text behind a closing quote", "1|: user=b\n" },
		{ "1,,Zoe,a\n1,,user,b\n", "2: who is 'Zoe'? --agent", "1|: user=b\n" },
		{ ",,user,a\n1,,user,b\n", "2: does not say which conversation", "1|: user=b\n" },
		{ "1,1/2/2026,user,b\n", "2: the time '1/2/2026' cannot be read", "1|: user=b\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char in[200];

		snprintf(in, sizeof(in), "%s%s", head, cases[i].rows);
		reads(".csv", in, OPTS(0), cases[i].out, 1, cases[i].words);
		fails(".csv", in, OPTS(.strict = true), ERR_FORMAT, cases[i].words);
	}
	fails(".csv", "a,b,c\n1,2,3\n", OPTS(0), ERR_FORMAT, ":1: which column is the text? Say --column text=NAME; there are a, b, c");
	fails(".csv", "a,b\n", OPTS(.columns = (const char *const[]){ "text=z" }, .n_columns = 1), ERR_USAGE, "no column 'z', but a, b");
	fails(".csv", "a,b\n", OPTS(.columns = (const char *const[]){ "txt=a" }, .n_columns = 1), ERR_USAGE, "'txt=a' is no column");
	fails(".csv", "\xff\xfe" "a", OPTS(0), ERR_FORMAT, "UTF-16");
	/* a system row and an empty text are counted, not reported */
	reads(".csv", "case,role,text\n1,system,x\n1,user,\n1,user,b\n", OPTS(0), "1|: user=b\n", 0, NULL);
	reads(".csv", "", OPTS(0), "", 0, NULL);
}

static void test_transcript(void **state)
{
	(void)state;
	reads(".txt", "Customer: Hi there\nsecond line\nAgent: hello: what\n is it?\n\nSupport (Tom): late: yes\nuser: a\n",
	      OPTS(0), "|: user=Hi there\nsecond line; assistant=hello: what\n is it?\n|: assistant=late: yes; user=a\n", 0, NULL);
	/* dashes there: blank lines are part of what was said; headings; names; times */
	reads(".txt", "Case: 4471\nDate: 2026-01-31\n\n[23:58] Anna: hi\n\nPS: quick\n[00:03] Tom: ok\n---\n<Tom> hello\n<Zoe Bell> http://x\n",
	      OPTS(.agents = tom, .n_agents = 1), "4471|Anna: user=hi\n\nPS: quick; assistant=ok\n|Zoe Bell: assistant=hello; user=http://x\n",
	      0, NULL);
	reads(".txt", "31.01.26, 10:02 - Anna: hi\n31.01.26, 10:03 - Tom: yes?\n", OPTS(.agents = tom, .n_agents = 1),
	      "|Anna: user=hi; assistant=yes?\n", 0, NULL);
	reads(".txt", "just words\nCustomer: a\n", OPTS(0), "|: user=a\n", 1, "1: begins no turn");
	reads(".txt", "Anna: a\nCustomer: a\n", OPTS(0), "|: user=a\n", 1, "1: who is 'Anna'? --agent");
	fails(".txt", "Customer: a\n\nwords\n", OPTS(.strict = true), ERR_FORMAT, ":3: begins no turn");
	reads(".txt", "Customer:\nAgent: x\n", OPTS(0), "|: assistant=x\n", 0, NULL);
}

static void test_mail(void **state)
{
	static const char in[] =
		"From anna@x.example Sat Jan 31 10:00:00 2026\n"
		"From: =?iso-8859-1?Q?Anna_W=E9?= =?utf-8?B?YmVy?= <Anna@X.example>\nTo: help@shop.example\nSubject: Re: [#A-4471] Parcel\n"
		"Message-ID: <1@x>\nDate: Sat, 31 Jan 2026 11:00:00 +0100\n"
		"Content-Type: multipart/mixed;\n boundary=\"b 1\"\n\npreamble\n--b 1\n"
		"Content-Type: multipart/alternative; boundary=b2\n\n--b2\nContent-Type: text/plain; charset=iso-8859-1\n"
		"Content-Transfer-Encoding: quoted-printable\n\nCaf=E9 is la=\nte.\n>From here\n\n-- \nAnna\n--b2\nContent-Type: text/html\n\n<p>no</p>\n"
		"--b2--\n--b 1\nContent-Type: text/plain\nContent-Disposition: attachment\n\nattached\n--b 1--\n\n"
		"From help@shop.example Sat Jan 31 11:00:00 2026\n"
		"From: Help <help@mail.shop.example>\nTo: anna@x.example\nSubject: Re: Parcel\nMessage-ID: <2@s>\nReferences: <0@y>\n <1@x>\n"
		"Date: Sat, 31 Jan 2026 10:30:00 GMT\nContent-Transfer-Encoding: base64\n\n"
		"V2UgbG9vayBpbnRvIGl0LgoKT24gU2F0LCAzMSBKYW4gMjAyNiwgQW5uYQphdCAxMDowMCB3\ncm90ZToKPiBwYXJjZWwKPgo+IGlzIGxhdGUKClllcy4K\n\n"
		"From x Sat Jan 31 12:00:00 2026\n"
		"From: bob@y.example (Bob)\nSubject: Other\nMessage-ID: <3@y>\nDate: Sat, 31 Jan 2026 12:00:00 GMT\n"
		"Content-Type: text/html; charset=utf-8\n\n<html><head><title>t</title><style>p{}</style></head><body><div>A&nbsp;&amp;&#228; <b>b</b>"
		"<br>c</div><p>d</p><blockquote>old <blockquote>er</blockquote></blockquote></body></html>\n\n"
		/* no In-Reply-To, but the subject and the customer */
		"From x Sat Jan 31 13:00:00 2026\nFrom: bob@y.example\nSubject: AW: Other\nDate: Sat, 31 Jan 2026 13:00:00 GMT\n\nFrom what I know\n\n"
		"From what I see\n\n"
		/* the same mail again, and one that only quotes */
		"From x Sat Jan 31 13:00:00 2026\nFrom: anna@x.example\nMessage-ID: <1@x>\n\nagain\n\n"
		"From x Sat Jan 31 14:00:00 2026\nFrom: anna@x.example\nMessage-ID: <9@x>\n\n> only\n\n"
		"From x Sat Jan 31 14:00:00 2026\nSubject: nobody\n\ntext\n\n"
		"From x Sat Jan 31 14:00:00 2026\nFrom: a@b.example\nContent-Type: image/png\n\nAAAA\n";
	struct import_opts o = OPTS(.agents = shop, .n_agents = 1);
	struct common_import c;
	size_t line = 1;
	char where[80];

	(void)state;
	reads(".mbox", in, o,
	      "A-4471|Anna W\xc3\xa9" "ber <anna@x.example>: user=Caf\xc3\xa9 is late.\nFrom here; assistant=We look into it.\n\nYes.\n"
	      "Other|Bob <bob@y.example>: user=A &\xc3\xa4 b\nc\n\nd; user=From what I know\n\nFrom what I see\n", 2, "not say whom it is from");
	c = common_import_read(".mbox", in, strlen(in), o);
	assert_int_equal(c.first_time, INT64_C(1769853600000));
	assert_int_equal(c.counts.skipped, 2);
	assert_int_equal(c.counts.bad, 2);
	common_import_free(&c);
	fails(".mbox", in, OPTS(0), ERR_USAGE, "--agent ADDRESS or --agent DOMAIN; most are from");
	for (const char *p = in, *end = strstr(in, "From x Sat Jan 31 14:00:00 2026\nSubject: nobody"); p < end; p++)
		line += *p == '\n';
	snprintf(where, sizeof(where), ".mbox:%zu: a mail that does not say", line);
	fails(".mbox", in, OPTS(.agents = shop, .n_agents = 1, .strict = true), ERR_FORMAT, where);
	/* one mail alone; cut off in the middle of a part */
	reads(".eml", "From: a@b\nContent-Type: multipart/mixed; boundary=q\n\n--q\n\nhello\nwor", o, "|a@b: user=hello\nwor\n", 0, NULL);
}

static void test_unquote(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "yes\n\nOn Sat, Anna wrote:\n> a\n> b\n", "yes" },
		{ "yes\n\nAm 31.01.2026 um 10:00 schrieb Anna\n<anna@x.example>:\n\n> a\n", "yes\n\nAm 31.01.2026 um 10:00 schrieb Anna\n<anna@x.example>:" },
		{ "yes\n\nAm 31.01.2026 um 10:00\nAnna schrieb:\n\n> a\n", "yes" },
		{ "> a\nto a\n> b\nto b\n", "to a\nto b" },
		{ "yes\n-----Original Message-----\nFrom: x\nno\n", "yes" },
		{ "yes\n________________________________\nFrom: x\nno\n", "yes" },
		{ "yes\nFrom: x\nSent: today\nno\n", "yes" },
		{ "yes\n-- \nAnna\n", "yes" },
		{ "\n\n a \n\n\n\nb", " a\n\nb" },
		{ "they wrote:\nplain\n", "they wrote:\nplain" },
		{ "> only\n", "" },
		{ "", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *text = xstrdup(cases[i].in);
		size_t n = import_mail_unquote(text, strlen(text));

		assert_int_equal(n, strlen(text));
		assert_string_equal(text, cases[i].out);
		free(text);
	}
}

static void test_when(void **state)
{
	static const struct {
		const char *text;
		enum when_order order;
		int64_t ms;               /* -1: none */
	} cases[] = {
		{ "2026-01-31T10:00:00Z", 0, 1769853600000 }, { "2026-01-31 11:00 +0100", 0, 1769853600000 },
		{ "2026-01-31T10:00:00.5Z", 0, 1769853600500 }, { "2026-01-31T05:00:00.123456-05:00", 0, 1769853600123 },
		{ "Sat, 31 Jan 2026 11:00:00 +0100 (CET)", 0, 1769853600000 }, { "Sat Jan 31 10:00:00 +0000 2026", 0, 1769853600000 },
		{ "31.01.2026 10:00 UTC", 0, 1769853600000 }, { "31/1/2026 10:00 GMT", WHEN_DAY_MONTH, 1769853600000 },
		{ "1/31/26, 10:00 AM UTC", WHEN_MONTH_DAY, 1769853600000 }, { "Jan 31, 2026 10:00 am Z", 0, 1769853600000 },
		{ "31-Jan-2026 10:00Z", 0, 1769853600000 }, { "1769853600", 0, 1769853600000 }, { "1769853600000", 0, 1769853600000 },
		{ "1769853600.25", 0, 1769853600250 }, { "2026-01-31 12:00 am Z", 0, 1769817600000 },
		{ "31/1/2026", 0, -1 }, { "2026-02-30", 0, -1 }, { "2026-13-01", 0, -1 }, { "yesterday", 0, -1 }, { "", 0, -1 }, { "12", 0, -1 },
		{ "2026-01-31 25:00", 0, -1 }, { "1900-01-01", 0, -1 }, { "2026-01-31 10:00 10:00", 0, -1 }, { "99999999999999999999", 0, -1 },
		{ "2026-01-31T10:00:00Z and more than a date", 0, -1 },
	};
	struct rng r;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t ms = -1;

		if (!when_parse(cases[i].text, strlen(cases[i].text), cases[i].order, &ms))
			ms = -1;
		if (ms != cases[i].ms)
			fail_msg("%s: %lld", cases[i].text, (long long)ms);
	}
	rng_seed(&r, 5);
	for (size_t i = 0; i < 2000; i++) {      /* what is written is read */
		int64_t ms = (int64_t)rng_below(&r, (size_t)7258118400000), back = 0;
		char text[WHEN_SIZE];

		when_iso(ms, text);
		assert_true(when_parse(text, strlen(text), 0, &back));
		assert_int_equal(ms, back);
	}
}

static void test_agents(void **state)
{
	const char *const who[] = { "shop.example", "@big.example", "tom@x.example", "Anna Weber" };
	struct import_reader r = { .o = { .agents = who, .n_agents = 4 } };
	static const struct {
		const char *label;
		bool agent;
	} cases[] = {
		{ "help@shop.example", true }, { "help@mail.shop.example", true }, { "help@workshop.example", false }, { "a@big.example", true },
		{ "TOM@X.example", true }, { "tim@x.example", false }, { "Anna Weber", true }, { "anna weber <a@b>", true }, { "Anna", false },
		{ "Tom <tom@x.example>", true }, { "shop.example", true }, { "", false }, { "<", false }, { "@", false }, { "<>", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (import_is_agent(&r, cases[i].label, strlen(cases[i].label)) != cases[i].agent)
			fail_msg("%s", cases[i].label);
}

static void test_xz_and_cut(void **state)
{
	static const char in[] = "case,role,text\n1,user,hello\n2,user,bye\n";
	struct str big = STR_INIT;
	uint8_t *packed;
	struct common_import c;
	size_t n = 0, room;

	(void)state;
	for (size_t i = 0; i < 20000; i++)
		str_addf(&big, "{\"id\": \"c%zu\", \"messages\": [{\"role\": \"user\", \"content\": \"%zu\"}]}\n", i, i * 7919);
	room = lzma_stream_buffer_bound(big.len);
	packed = xmalloc(room);
	assert_int_equal(lzma_easy_buffer_encode(1, LZMA_CHECK_CRC32, NULL, (const uint8_t *)in, strlen(in), packed, &n, room), LZMA_OK);
	c = common_import_read(".csv.xz", packed, n, OPTS(0));
	assert_string_equal(c.text.s, "1|: user=hello\n2|: user=bye\n");
	common_import_free(&c);
	n = 0;
	assert_int_equal(lzma_easy_buffer_encode(1, LZMA_CHECK_CRC32, NULL, (const uint8_t *)big.s, big.len, packed, &n, room), LZMA_OK);
	c = common_import_read(".jsonl.xz", packed, n / 2, OPTS(0));      /* what can be read comes out, then the error */
	assert_int_equal(c.rc, ERR_FORMAT);
	assert_true(c.n > 100 && c.n < 20000);
	assert_non_null(strstr(c.e.msg, "too early"));
	common_import_free(&c);
	free(packed);
	str_free(&big);
}

/* ---- hostile ---- */

static void survives(const char *suffix, struct str *in, struct import_opts o)
{
	struct common_import c = common_import_read(suffix, in->s, in->len, o);

	for (size_t i = 0; i < c.text.len; i++)
		assert_true(c.text.s[i] != '\0');
	assert_int_equal(utf8_valid_upto(c.text.s, c.text.len), c.text.len);
	common_import_free(&c);
}

static void test_bounds(void **state)
{
	struct import_opts o = OPTS(.max_record = 1000, .agents = shop, .n_agents = 1);
	struct str s = STR_INIT;
	struct common_import c;

	(void)state;
	/* long lines and rows are reported, and what stands behind them is read */
	str_adds(&s, "case,role,text\n1,user,");
	for (size_t i = 0; i < 300000; i++)
		str_addc(&s, 'x');
	str_adds(&s, "\n1,user,b\n1,user,\"");
	for (size_t i = 0; i < 300000; i++)
		str_adds(&s, i % 100 ? "y" : "\n");
	str_adds(&s, "\"\n1,user,c\n");
	c = common_import_read(".csv", s.s, s.len, o);
	assert_int_equal(c.rc, 0);
	assert_string_equal(c.text.s, "1|: user=b; user=c\n");
	assert_non_null(strstr(c.said.s, "2: the row is too long"));
	common_import_free(&c);

	str_reset(&s);
	for (size_t i = 0; i < 300000; i++)
		str_addc(&s, '{');
	str_adds(&s, "\n{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}]}\n");
	c = common_import_read(".jsonl", s.s, s.len, o);
	assert_string_equal(c.text.s, "|: user=a\n");
	assert_int_equal(c.counts.bad, 1);
	common_import_free(&c);

	/* more text than may be held */
	o.max_bytes = 100000;
	str_reset(&s);
	str_adds(&s, "case,role,text\n");
	for (size_t i = 0; i < 1000; i++)
		str_addf(&s, "%zu,user,some text\n", i);
	c = common_import_read(".csv", s.s, s.len, o);
	assert_int_equal(c.rc, ERR_RANGE);
	assert_non_null(strstr(c.e.msg, "split the file"));
	common_import_free(&c);
	str_reset(&s);
	str_adds(&s, "Customer: a\n");
	for (size_t i = 0; i < 20000; i++)
		str_adds(&s, "more of it\n");
	c = common_import_read(".txt", s.s, s.len, o);
	assert_int_equal(c.rc, ERR_RANGE);
	common_import_free(&c);
	str_free(&s);
}

/* Each of these was made to take time that grows with the square of its size. */
static void test_bombs(void **state)
{
	struct import_opts o = OPTS(.agents = shop, .n_agents = 1);
	struct str s = STR_INIT;

	(void)state;
	/* a row that, wherever it begins, runs to the end of the file */
	str_adds(&s, "case,role,text\n");
	for (size_t i = 0; i < 200000; i++)
		str_adds(&s, "x\",\"\n");
	survives(".csv", &s, o);
	/* parts in parts in parts, and more parts than anybody sends */
	str_reset(&s);
	str_adds(&s, "From x Sat Jan 31 14:00:00 2026\nFrom: a@b.example\n");
	for (size_t i = 0; i < 2000; i++)
		str_addf(&s, "Content-Type: multipart/mixed; boundary=\"b%zu\"\n\n--b%zu\n", i, i);
	for (size_t i = 0; i < 100000; i++)
		str_adds(&s, "--b0\n\nx\n");
	survives(".mbox", &s, o);
	/* encoded words without an end, references by the thousand, empty mails by the thousand */
	str_reset(&s);
	str_adds(&s, "From x Sat Jan 31 14:00:00 2026\nFrom: a@b.example\nSubject: ");
	for (size_t i = 0; i < 40000; i++)
		str_adds(&s, "=?a?b?");
	str_adds(&s, "\n\nx\n\n");
	for (size_t k = 0; k < 20; k++) {
		str_adds(&s, "From x Sat Jan 31 14:00:00 2026\nFrom: a@b.example\nReferences:");
		for (size_t i = 0; i < 20000; i++)
			str_addf(&s, " <%zu>", i * k);
		str_adds(&s, "\n\nx\n\n");
	}
	for (size_t i = 0; i < 50000; i++)
		str_adds(&s, "From x Sat Jan 31 14:00:00 2026\n\n");
	survives(".mbox", &s, o);
	/* quotes by the thousand after a line that looks like their announcement */
	str_reset(&s);
	str_adds(&s, "From: a@b.example\n\n");
	for (size_t i = 0; i < 50000; i++)
		str_adds(&s, "On it wrote:\n>\n");
	survives(".eml", &s, o);
	str_reset(&s);
	str_adds(&s, "From: a@b.example\nContent-Type: text/html\n\n");
	for (size_t i = 0; i < 100000; i++)
		str_adds(&s, "<!-<a &x");
	survives(".eml", &s, o);
	str_free(&s);
}

static void test_noise(void **state)
{
	static const char *const pieces[] = { "case,role,text\n", "\"", ",", "\n", "\r\n", "user", "1,user,a\n", "From ", "From x Sat Jan 31 14:00:00 2026\n",
		"From: a@b\n", "Content-Type: multipart/mixed; boundary=b\n", "--b", "--b--\n", "\n\n", "=?utf-8?Q?", "?=", "Customer: ", "Agent:", "[10:00] ",
		"---\n", "\xff\xfe", "\xc3", "{\"messages\": [", "{\"role\": \"user\", \"content\": \"x\"}", "]}", "> ", "wrote:\n", "=C3=A9", "<p>", "&#", "Re: ",
		"Content-Transfer-Encoding: base64\n", "AAAA", "charset=\"", "Message-ID: <a>\n", "In-Reply-To: <a>\n" };
	static const char *const suffixes[] = { ".csv", ".mbox", ".txt", ".jsonl", "" };
	struct rng r;

	(void)state;
	rng_seed(&r, 11);
	for (size_t k = 0; k < 1500; k++) {
		struct str s = STR_INIT;
		size_t n = rng_below(&r, 60);

		for (size_t i = 0; i < n; i++) {
			if (rng_below(&r, 8) == 0)
				str_addc(&s, (char)rng_below(&r, 256));
			else
				str_adds(&s, pieces[rng_below(&r, sizeof(pieces) / sizeof(pieces[0]))]);
		}
		survives(suffixes[k % 5], &s, OPTS(.agents = shop, .n_agents = k % 2, .strict = k % 7 == 0));
		str_free(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_jsonl), cmocka_unit_test(test_csv), cmocka_unit_test(test_csv_faults), cmocka_unit_test(test_transcript),
		cmocka_unit_test(test_mail), cmocka_unit_test(test_unquote), cmocka_unit_test(test_when), cmocka_unit_test(test_agents),
		cmocka_unit_test(test_xz_and_cut), cmocka_unit_test(test_bounds), cmocka_unit_test(test_bombs), cmocka_unit_test(test_noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
