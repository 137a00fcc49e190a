/* SPDX-License-Identifier: GPL-3.0-or-later */
/* utf8: bytes to characters, on utf8proc (strict: no surrogates, no overlong forms). */
#include "utf8.h"

#include <assert.h>
#include <utf8proc.h>

size_t utf8_decode(const char *s, size_t n, int32_t *cp)
{
	utf8proc_int32_t c;
	utf8proc_ssize_t used;

	assert(n > 0);
	if ((unsigned char)s[0] < 0x80) {
		*cp = (unsigned char)s[0];
		return 1;
	}
	/* never more than four: a huge n must not turn negative, which means "to the NUL" */
	used = utf8proc_iterate((const utf8proc_uint8_t *)s, n < 4 ? (utf8proc_ssize_t)n : 4, &c);
	if (used <= 0 || c < 0) {
		*cp = 0xfffd;
		return 1;
	}
	*cp = c;
	return (size_t)used;
}

size_t utf8_count(const char *s, size_t n)
{
	size_t i = 0, count = 0;
	int32_t cp;

	for (; i < n; count++)
		i += utf8_decode(s + i, n - i, &cp);
	return count;
}

size_t utf8_valid_upto(const char *s, size_t n)
{
	size_t i = 0, used;
	int32_t cp;

	while (i < n) {
		used = utf8_decode(s + i, n - i, &cp);
		/* a real U+FFFD takes three bytes */
		if (cp == 0xfffd && used == 1)
			break;
		i += used;
	}
	return i;
}

size_t utf8_encode(int32_t cp, char out[4])
{
	/* what is no character (a lone surrogate from JSON, say) must not become
	 * bytes that nobody can read back */
	if (cp < 0 || cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
		cp = 0xfffd;
	return (size_t)utf8proc_encode_char(cp, (utf8proc_uint8_t *)out);
}
