/* SPDX-License-Identifier: GPL-3.0-or-later */
/* redact: what is found and what must stay, tables first; then properties over random bytes,
 * and that every code the corpus tool makes up is found in a plain sentence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/rng.h"
#include "redact.h"

struct line {
	const char *in, *out;
};

static void check_table(const struct line *table, size_t n, const char *company)
{
	size_t bad = 0;

	for (size_t i = 0; i < n; i++) {
		struct redact_map *m = redact_map_new(company);
		struct str out = STR_INIT;

		redact_text(m, table[i].in, strlen(table[i].in), &out);
		if (strcmp(out.s, table[i].out ? table[i].out : table[i].in) != 0) {
			print_error("in:   %s\nout:  %s\nwant: %s\n", table[i].in, out.s, table[i].out ? table[i].out : table[i].in);
			bad++;
		}
		str_free(&out);
		redact_map_free(m);
	}
	assert_int_equal(bad, 0);
}
#define CHECK(table) check_table(table, sizeof(table) / sizeof(table[0]), NULL)

static void test_found(void **state)
{
	static const struct line table[] = {
		{ "where is my order 4471-22?", "where is my order <order_1>?" },
		{ "where is my parcel 5521-9?", "where is my parcel <order_1>?" },
		{ "return 2019-20 season shirt", "return 2019-20 season shirt" },
		{ "parcel from 1000-1500 grams", "parcel from 1000-1500 grams" },
		{ "4471-22", "<order_1>" },
		{ "its 4471-22", "its <order_1>" },
		{ "order #10482", "order #<order_1>" },
		{ "Order # 10482 is late.", "Order # <order_1> is late." },
		{ "my order no. 1042 is late", "my order no. <order_1> is late" },
		{ "order number: AB-99120.", "order number: <order_1>." },
		{ "(order 502-2345678-9012345)", "(order <order_1>)" },
		{ "502-2345678-9012345", "<order_1>" },
		{ "654-321987-5432109 never came", "<order_1> never came" },
		{ "ORD123456 is missing", "<order_1> is missing" },
		{ "my ord-90012 is missing", "my <order_1> is missing" },
		{ "7731920", "<number_1>" },
		{ "order 7731920", "order <order_1>" },
		{ "my order 4471 is late", "my order <order_1> is late" },
		{ "case 88123 please", "case <order_1> please" },
		{ "ticket no 771", "ticket no <order_1>" },
		{ "my booking reference is QX7K21", "my booking reference is <order_1>" },
		{ "reservation ID Z6YUC4, thanks", "reservation ID <order_1>, thanks" },
		{ "invoice INV-2023-0042", "invoice <order_1>" },
		{ "confirmation number 4E1BCSIN", "confirmation number <order_1>" },
		{ "reference 99812 and order 4471-22", "reference <order_1> and order <order_2>" },
		{ "orders 4471-22, 4471-23 and 4471-22", "orders <order_1>, <order_2> and <order_1>" },
		{ "cancel purchase 113542617735902", "cancel purchase <order_1>" },
		{ "order 9876543210 did not come", "order <order_1> did not come" },
		{ "order #456-789-123", "order #<order_1>" },
		{ "my order-id is 4567-22", "my order-id is <order_1>" },
		{ "#10482 please", "#<order_1> please" },
		{ "my order is #A4471B", "my order is #<order_1>" },
		{ "tracking number 1Z999AA10123456784", "tracking number <tracking_1>" },
		{ "RR123456785GB", "<tracking_1>" },
		{ "tracking 9400110200881234567890 says lost", "tracking <tracking_1> says lost" },
		{ "tracking id: 778812345678", "tracking id: <tracking_1>" },
		{ "the tracking number for my order is 778812345678", "the tracking number for my order is <tracking_1>" },
		{ "mail tom.baker12@gmail.com.", "mail <email_1>." },
		{ "<a@b.co>", "<<email_1>>" },
		{ "me+x@mail.example.co.uk, ok?", "<email_1>, ok?" },
		{ "see https://example.com/a/b?x=1.", "see <url_1>." },
		{ "(http://example.com)", "(<url_1>)" },
		{ "www.example.in", "<url_1>" },
		{ "go to example.com/track now", "go to <url_1> now" },
		{ "example.com.", "<url_1>." },
		{ "https://en.example.org/wiki/A_(b)", "<url_1>" },
		{ "shop.co.in is down", "<url_1> is down" },
		{ "https://example.com:8080/x", "<url_1>" },
		{ "4111 1111 1111 1111", "<card_1>" },
		{ "4111-1111-1111-1111 and 5500000000000004", "<card_1> and <card_2>" },
		{ "amex 3782 822463 10005", "amex <card_1>" },
		{ "my card 378282246310005.", "my card <card_1>." },
		{ "GB82 WEST 1234 5698 7654 32", "<iban_1>" },
		{ "iban DE89370400440532013000, thanks", "iban <iban_1>, thanks" },
		{ "ES91 2100 0418 4502 0005 1332 this one", "<iban_1> this one" },
		{ "gb82west12345698765432", "<iban_1>" },
		{ "call +44 7900 123456", "call <phone_1>" },
		{ "+44 7900 123456 10 days ago", "<phone_1> 10 days ago" },
		{ "(555) 123-4567", "<phone_1>" },
		{ "555-123-4567", "<phone_1>" },
		{ "555.123.4567 is mine", "<phone_1> is mine" },
		{ "1-800-273-8255", "<phone_1>" },
		{ "98765 43210", "<phone_1>" },
		{ "9876543210 call me", "<phone_1> call me" },
		{ "my mobile no is 7000000000.", "my mobile no is <phone_1>." },
		{ "+91-9876543210", "<phone_1>" },
		{ "07911 123456", "<phone_1>" },
		{ "020 7946 0123", "<phone_1>" },
		{ "06 12 34 56 78", "<phone_1>" },
		{ "0033 6 12 34 56 78", "<phone_1>" },
		{ "phone: 2345678", "phone: <phone_1>" },
		{ "+1 (212) 555-0187", "<phone_1>" },
		{ "my PIN is 1234", "my PIN is <number_1>" },
		{ "otp 482913", "otp <number_1>" },
		{ "card ending in 2135", "card ending in <number_1>" },
		{ "account number 84318931431", "account number <number_1>" },
		{ "imei 354321098765432", "imei <number_1>" },
		{ "transaction id 999888777", "transaction id <number_1>" },
		{ "Springfield-560001", "Springfield-<number_1>" },
		{ "zip 94105", "zip <number_1>" },
		{ "10482,10483", "<number_1>,<number_2>" },
		{ "my order, AB-99120, and \xe2\x82\xac" "50", "my order, <order_1>, and \xe2\x82\xac" "50" },
	};

	(void)state;
	CHECK(table);
}

static void test_stays(void **state)
{
	static const struct line table[] = {
		{ "I paid $12,345.00 for it", NULL }, { "Rs 10000", NULL }, { "Rs. 10000.", NULL }, { "10,000 rupees", NULL },
		{ "\xe2\x82\xb9" "54999 was debited", NULL }, { "\xc2\xa3" "10000", NULL }, { "10000\xe2\x82\xac", NULL },
		{ "$10000", NULL }, { "$ 10000", NULL }, { "USD 12345", NULL }, { "12345 dollars", NULL }, { "12345.67", NULL },
		{ "1,00,000 people", NULL }, { "amount was 12999. this", NULL }, { "i paid 15999 for this", NULL },
		{ "it costs 20000", NULL }, { "20000 is a lot", NULL }, { "50000/- only", NULL }, { "100rs only", NULL },
		{ "on 12/05/2024 and 2024-05-12", NULL }, { "12.05.2024", NULL }, { "12-05-2024", NULL }, { "in 2024", NULL },
		{ "since 1998", NULL }, { "2023-24", NULL }, { "2019 2020 2021", NULL }, { "at 10:30 or 16:45", NULL },
		{ "24-48 hours", NULL }, { "5-7 business days", NULL }, { "500-1000 rupees", NULL }, { "24-48 hrs?!", NULL },
		{ "2 items", NULL }, { "iPhone 12", NULL }, { "Galaxy M34 5G", NULL }, { "S21", NULL }, { "RTX 3080", NULL },
		{ "Windows 11", NULL }, { "v2.3.1", NULL }, { "WH-1000XM4", NULL }, { "HD9650/90", NULL }, { "PS5", NULL },
		{ "10000 mAh", NULL }, { "a 20000mAh power bank", NULL }, { "10000mah", NULL }, { "12345 km", NULL },
		{ "100%", NULL }, { "12345%", NULL }, { "500 GB SSD", NULL }, { "4K TV", NULL }, { "1080p", NULL },
		{ "I want to order 2 lamps", NULL }, { "to order iPhone 15", NULL }, { "I want to order WH-1000XM4", NULL },
		{ "please order 500 pieces", NULL }, { "order 2 of 3", NULL }, { "in case 404 comes", NULL },
		{ "my order of 3 shirts", NULL }, { "my order from 12/05/2024", NULL }, { "order total 12999", NULL },
		{ "flat 1203", NULL }, { "Flat No 1002", NULL }, { "123 Main Street", NULL }, { "room #12", NULL }, { "#1 fan", NULL },
		{ "error 5001", NULL }, { "error code 404", NULL }, { "model XYZ-789", NULL }, { "size 42", NULL }, { "24/7", NULL },
		{ "3-4 days", NULL }, { "covid-19", NULL }, { "COVID-2019", NULL }, { "it broke.in a week", NULL },
		{ "fine.ok", NULL }, { "and/or", NULL }, { "e.g. this", NULL }, { "node.js", NULL }, { "i waited.no reply", NULL },
		{ "me@home", NULL }, { "@12345", NULL }, { "a@b", NULL }, { "192.168.1.1", NULL }, { "<order_1>", NULL },
		{ "<number_12345>", NULL }, { "my order <order_1> is late", NULL }, { "user_12345", NULL }, { "", NULL },
		{ "order", NULL }, { "my order number is", NULL }, { "GB82 WEST 1234 5698 7654 33 no", "GB82 WEST 1234 5698 7654 33 no" },
		{ "call 100 times", NULL }, { "phone 12", NULL }, { "track 2 parcels", NULL }, { "12345 people like it", NULL },
		{ "the 2nd and 3rd", NULL }, { "3.5 stars", NULL }, { "1/2", NULL }, { "50% off", NULL }, { "ordered in 2023", NULL },
		{ "the order 2 days ago", NULL }, { "order placed 2 weeks ago", NULL }, { "item 1", NULL }, { "MP3", NULL },
	};

	(void)state;
	/* the one IBAN above with a wrong check digit must not be an IBAN; its digits may be a number of groups */
	CHECK(table);
}

static void test_conversation(void **state)
{
	static const struct line turns[] = {
		{ "hi, where is my order?", "hi, where is my order?" },
		{ "Could you tell me the order number?", "Could you tell me the order number?" },
		{ "4471", "<order_1>" },
		{ "Thank you, I have order 4471.", "Thank you, I have order <order_1>." },
		{ "yes 4471 and also AB-99120", "yes <order_1> and also <order_2>" },
		{ "Order AB-99120 costs $4471, order 4471 is on its way.",
		  "Order <order_2> costs $4471, order <order_1> is on its way." },
		{ "call me on 98765 43210, or mail a@b.com about 4471-22", "call me on <phone_1>, or mail <email_1> about <order_3>" },
		{ "a@b.com is right? and 4471?", "<email_1> is right? and <order_1>?" },
		{ "x4471 and 4471x and 4471-2222222", "x4471 and 4471x and <order_4>" },
	};
	struct redact_map *m = redact_map_new(NULL);

	(void)state;
	for (size_t i = 0; i < sizeof(turns) / sizeof(turns[0]); i++) {
		struct str out = STR_INIT;

		redact_text(m, turns[i].in, strlen(turns[i].in), &out);
		assert_string_equal(out.s, turns[i].out);
		str_free(&out);
	}
	assert_string_equal(redact_value(m, REDACT_ORDER, 1), "4471");
	assert_string_equal(redact_value(m, REDACT_EMAIL, 1), "a@b.com");
	assert_null(redact_value(m, REDACT_EMAIL, 2));
	assert_null(redact_value(m, REDACT_EMAIL, 0));
	assert_null(redact_value(m, REDACT_ORDER, 99));
	redact_map_free(m);
}

/* The question before decides what a bare answer is; what is no answer stays. */
static void test_answers(void **state)
{
	static const struct line cases[] = {
		{ "What is your order number?", "7-10 days already" }, { "What is your order number?", "C-12, Main Street" },
		{ "What is your order number?", "iPhone 12" }, { "How are you?", "4471" }, { "Your order number?", "in 2024" },
	};
	static const struct line found[] = {
		{ "What is your order number?", "<order_1>" }, { "Your PIN, please.", "<number_1>" },
		{ "And the tracking number?", "<tracking_1>" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct redact_map *m = redact_map_new(NULL);
		struct str out = STR_INIT;

		redact_text(m, cases[i].in, strlen(cases[i].in), &out);
		str_reset(&out);
		redact_text(m, cases[i].out, strlen(cases[i].out), &out);
		assert_string_equal(out.s, cases[i].out);
		str_free(&out);
		redact_map_free(m);
	}
	for (size_t i = 0; i < sizeof(found) / sizeof(found[0]); i++) {
		struct redact_map *m = redact_map_new(NULL);
		struct str out = STR_INIT;

		redact_text(m, found[i].in, strlen(found[i].in), &out);
		str_reset(&out);
		redact_text(m, "47712", 5, &out);
		assert_string_equal(out.s, found[i].out);
		str_free(&out);
		redact_map_free(m);
	}
}

static void test_company(void **state)
{
	static const struct line table[] = {
		{ "Is this Quillora Shop?", "Is this <company_1>?" },
		{ "quillora shop's site", "<company_1>'s site" },
		{ "QUILLORA SHOP, hello", "<company_1>, hello" },
		{ "Quillora Shopping", NULL }, { "Quillora", NULL }, { "xQuillora Shop", NULL },
		{ "help@quillorashop.com", "<email_1>" },
		{ "Quillora Shop order 4471-22", "<company_1> order <order_1>" },
	};

	(void)state;
	check_table(table, sizeof(table) / sizeof(table[0]), "Quillora Shop");
}

static void test_seventeenth(void **state)
{
	struct redact_map *m = redact_map_new("");
	struct str text = STR_INIT, out = STR_INIT;

	(void)state;
	for (int i = 1; i <= 17; i++)
		str_addf(&text, "%d-77%03d ", 4470 + i, i);
	str_adds(&text, "again 4471-77001 and 4487-77017");
	redact_text(m, text.s, text.len, &out);
	assert_non_null(strstr(out.s, "<order_16> 4487-77017 again <order_1> and 4487-77017"));
	assert_null(redact_value(m, REDACT_ORDER, 17));
	str_free(&text);
	str_free(&out);
	redact_map_free(m);
}

static void test_clone(void **state)
{
	struct redact_map *m = redact_map_new("Tarnett"), *c;
	struct str out = STR_INIT;

	(void)state;
	redact_text(m, "order 4471-22", 13, &out);
	c = redact_map_clone(m);
	redact_text(c, "order 5582-33", 13, &out);
	assert_string_equal(redact_value(c, REDACT_ORDER, 1), "4471-22");
	assert_string_equal(redact_value(c, REDACT_ORDER, 2), "5582-33");
	assert_string_equal(redact_value(c, REDACT_COMPANY, 1), "Tarnett");
	assert_null(redact_value(m, REDACT_ORDER, 2));
	redact_map_free(m);
	assert_string_equal(redact_value(c, REDACT_ORDER, 1), "4471-22");
	redact_map_free(c);
	str_free(&out);
}

/* Pieces that matter to the matchers, so that random text reaches deep into them. */
static void random_text(struct rng *r, struct str *out)
{
	static const char *const pieces[] = { "order ", "number ", "id ", "#", "my ", "4471-22", "10482", "+44 ", "07911", "GB82",
		" WEST", "1234 ", "4111 ", "1111 ", "@", "a.b", ".com", "www.", "https://", "/", "-", "_", ".", ",", "(", ")", "$",
		"\xe2\x82\xb9", "rs ", " days", "?", "\n", "<order_1>", "pin ", "Tarnett", "\xff", "tracking ", "1Z", "%", "phone " };
	size_t n = rng_below(r, 30);

	for (size_t i = 0; i < n; i++) {
		size_t kind = rng_below(r, 5);

		if (kind == 0)
			str_addc(out, (char)rng_below(r, 256));
		else if (kind == 1)
			str_addc(out, (char)('0' + rng_below(r, 10)));
		else if (kind == 2)
			str_addc(out, ' ');
		else
			str_adds(out, pieces[rng_below(r, sizeof(pieces) / sizeof(pieces[0]))]);
	}
}

static void check_spans(struct redact_map *m, const struct str *text, uint64_t seed, int round)
{
	struct redact_spans spans = { 0 }, again = { 0 };
	struct str back = STR_INIT;
	size_t at = 0;
	/* a block of its own, exactly as long, so that a sanitizer sees a read past the end */
	char *copy = xmalloc(text->len ? text->len : 1);

	memcpy(copy, text->s, text->len);
	redact_find(m, copy, text->len, &spans);
	for (size_t i = 0; i < spans.n; i++) {
		const struct redact_span *s = &spans.v[i];
		const char *value = redact_value(m, s->type, s->index);

		if (s->start < at || s->end <= s->start || s->end > text->len || !value)
			fail_msg("seed %llu round %d: span %zu of %zu is off", (unsigned long long)seed, round, i, spans.n);
		str_add(&back, copy + at, s->start - at);
		if (s->type == REDACT_COMPANY)          /* found in any letter case */
			str_add(&back, copy + s->start, s->end - s->start);
		else
			str_adds(&back, value);
		at = s->end;
		/* no two values of a map are the same */
		for (unsigned t = 0; t < REDACT_COMPANY; t++)
			for (unsigned k = 1; k <= REDACT_PER_TYPE; k++) {
				const char *other = redact_value(m, (enum redact_type)t, k);

				if (other && strcmp(other, value) == 0 && s->type != REDACT_COMPANY &&
				    (t != (unsigned)s->type || k != s->index))
					fail_msg("seed %llu round %d: %s twice", (unsigned long long)seed, round, value);
			}
	}
	str_add(&back, copy + at, text->len - at);
	if (back.len != text->len || memcmp(back.s, copy, back.len) != 0)
		fail_msg("seed %llu round %d: not restored", (unsigned long long)seed, round);
	/* what was found once is found again */
	redact_find(m, copy, text->len, &again);
	for (size_t i = 0; i < spans.n; i++) {
		bool covered = false;

		for (size_t k = 0; k < again.n; k++)
			covered = covered || (again.v[k].start <= spans.v[i].start && again.v[k].end >= spans.v[i].end);
		if (!covered)
			fail_msg("seed %llu round %d: %s not found again", (unsigned long long)seed, round,
			         redact_value(m, spans.v[i].type, spans.v[i].index));
	}
	redact_spans_free(&spans);
	redact_spans_free(&again);
	str_free(&back);
	free(copy);
}

static void test_properties(void **state)
{
	const uint64_t seed = 20240512;
	struct rng r;

	(void)state;
	rng_seed(&r, seed);
	for (int round = 0; round < 10000; round++) {
		struct redact_map *m = redact_map_new(round % 3 ? "Tarnett" : NULL);

		for (int turn = 0; turn < 3; turn++) {
			struct str text = STR_INIT;

			random_text(&r, &text);
			check_spans(m, &text, seed, round);
			str_free(&text);
		}
		redact_map_free(m);
	}
}

/* A megabyte of whatever would be slow if anything were quadratic. */
static void test_long(void **state)
{
	static const char *const fills[] = { "1", "a", "1 ", "1-", "a.", "a@", "(", "+", "+1", "0 1 ", "GB82", "GB82 WEST 1234 ", "4111 1111 1111 1112 ",
		"1.", "1,", "#", "x_", "www.", "a-1", "a.com/", "order ", "4471-22 ", "\xff", "12345 67890 ", "www.a.com/((((", "https://" };

	(void)state;
	for (size_t i = 0; i < sizeof(fills) / sizeof(fills[0]); i++) {
		struct str text = STR_INIT;
		struct redact_map *m = redact_map_new("Tarnett");
		struct redact_spans spans = { 0 };
		clock_t start = clock();
		double seconds;

		while (text.len < 1 << 20)
			str_adds(&text, fills[i]);
		redact_find(m, text.s, text.len, &spans);
		seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
		if (seconds > 5.0)
			fail_msg("\"%s\" repeated to 1 MB took %.1f s", fills[i], seconds);
		redact_spans_free(&spans);
		redact_map_free(m);
		str_free(&text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_found), cmocka_unit_test(test_stays), cmocka_unit_test(test_conversation),
		cmocka_unit_test(test_answers), cmocka_unit_test(test_company), cmocka_unit_test(test_seventeenth), cmocka_unit_test(test_clone),
		cmocka_unit_test(test_properties), cmocka_unit_test(test_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
