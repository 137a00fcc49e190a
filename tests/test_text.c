/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What may be shown of a text, how wide that is, where its lines break. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "base/rng.h"
#include "base/str.h"
#include "base/utf8.h"
#include "../ui/text.h"

static void check_safe(const char *in, const char *out)
{
	char *s = text_safe(in, strlen(in), 0);

	assert_string_equal(s, out);
	free(s);
}

static void harmless(void **state)
{
	(void)state;
	check_safe("plain words", "plain words");
	check_safe("\033]0;owned\007", "^[]0;owned^G");
	check_safe("a\tb\r\nc\177", "a    b^M\nc^?");
	check_safe("\302\233" "31m", "<9B>31m");                       /* CSI in one character */
	check_safe("\342\200\256" "abc\342\201\251", "\357\277\275" "abc\357\277\275");
}

static void broken_bytes(void **state)
{
	char *s = text_safe("a\377\300z", 4, 0);

	(void)state;
	assert_null(strchr(s, '\377'));
	assert_true(s[0] == 'a' && s[strlen(s) - 1] == 'z');
	free(s);
	s = text_safe("caf\303\251 \346\227\245", 9, 1);
	assert_string_equal(s, "caf? ?");
	free(s);
}

static void towers_are_cut(void **state)
{
	struct str tower = STR_INIT;
	char *s;

	(void)state;
	str_addc(&tower, 'e');
	for (int i = 0; i < 500; i++)
		str_adds(&tower, "\314\201");
	s = text_safe(tower.s, tower.len, 0);
	assert_int_equal(strlen(s), 1 + 3 * 2);
	free(s);
	str_free(&tower);
}

static void emoji_are_taken_apart(void **state)
{
	(void)state;
	check_safe("\360\237\221\250\342\200\215\360\237\221\251", "\360\237\221\250\360\237\221\251");      /* man ZWJ woman */
	check_safe("\360\237\221\215\360\237\217\275!", "\360\237\221\215!");                               /* thumb, skin tone */
	check_safe("\342\235\244\357\270\217", "\342\235\244");                                             /* heart, emoji form */
	check_safe("\340\244\225\340\245\215\342\200\215\340\244\267", "\340\244\225\340\245\215\342\200\215\340\244\267");      /* Devanagari's stays */
}

static void widths(void **state)
{
	static const struct {
		const char *s;
		int width;
	} cases[] = {
		{ "abc", 3 }, { "", 0 }, { "\346\227\245\346\234\254", 4 }, { "e\314\201", 1 }, { "\360\237\221\215", 2 }, { "\357\274\241", 2 },
		{ "\355\225\234\352\270\200", 4 }, { "\342\224\200", 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(text_width(cases[i].s, strlen(cases[i].s)), cases[i].width);
}

/* Whatever comes in: what is shown is as wide as curses makes it, lines fit, nothing is lost but white space. */
static void any_text(void **state)
{
	static const int32_t of[] = { 'a', ' ', '\n', 'z', 0x301, 0x65e5, 0x1f44d, 0x200d, 0xfe0f, 0x1f3fd, 0x202e, 0x9b, 0x1b, 0xad, 0x915, 0x94d,
		0x1100, 0x1161, 0xd55c, 0x1f1e9, 0x1f1ea, 0xe000, 0x10ffff, 0xfdd0 };
	struct rng r;

	(void)state;
	rng_seed(&r, 5);
	for (int round = 0; round < 2000; round++) {
		struct str in = STR_INIT;
		struct text_line *line;
		const int columns = 2 + (int)rng_below(&r, 30);
		size_t lines, at = 0;
		char *s;
		int total = 0;

		for (uint32_t n = rng_below(&r, 60); n > 0; n--) {
			char b[4];

			if (rng_below(&r, 12) == 0)
				str_addc(&in, (char)(0x80 + rng_below(&r, 0x80)));
			else
				str_add(&in, b, utf8_encode(of[rng_below(&r, sizeof(of) / sizeof(of[0]))], b));
		}
		s = text_safe(in.s, in.len, 0);
		for (size_t i = 0, n = strlen(s); i < n;) {
			int32_t c;

			i += utf8_decode(s + i, n - i, &c);
			assert_true(c == '\n' || c >= 0x20);
			if (c != '\n') {
				assert_true(wcwidth((wchar_t)c) >= 0);
				total += wcwidth((wchar_t)c);
			}
		}
		lines = text_wrap(s, strlen(s), columns, &line);
		for (size_t i = 0; i < lines; i++) {
			int w = text_width(s + line[i].start, line[i].len), first;

			if (line[i].len)
				text_cluster(s + line[i].start, line[i].len, &first);
			assert_true(w <= columns || w == first);      /* one cluster may be wider than all there is */
			total -= w;
			for (; at < line[i].start; at++) {
				total -= s[at] == ' ';
				assert_true(s[at] == ' ' || s[at] == '\n');
			}
			at = line[i].start + line[i].len;
		}
		assert_int_equal(total, 0);
		free(line);
		free(s);
		str_free(&in);
	}
}

static void lines_break_between_words(void **state)
{
	static const char text[] = "one two three\nfour 0123456789012";
	static const char *const want[] = { "one two", "three", "four", "01234567", "89012" };
	struct text_line *line;
	const size_t n = text_wrap(text, sizeof(text) - 1, 8, &line);

	(void)state;
	assert_int_equal(n, 5);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(line[i].len, strlen(want[i]));
		assert_memory_equal(text + line[i].start, want[i], line[i].len);
	}
	free(line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(harmless), cmocka_unit_test(broken_bytes), cmocka_unit_test(towers_are_cut),
		cmocka_unit_test(emoji_are_taken_apart), cmocka_unit_test(widths), cmocka_unit_test(any_text),
		cmocka_unit_test(lines_break_between_words),
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
