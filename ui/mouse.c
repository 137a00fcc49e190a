/* SPDX-License-Identifier: GPL-3.0-or-later */
/* mouse: where the setting is on, the wheel scrolls. A terminal reports the mouse among the keys, as ESC [ < BUTTON ; X ; Y
 * and M or m (xterm's SGR mode); those reports are taken out before anything else sees the bytes. */
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "input.h"
#include "ui_private.h"

enum { LINES_A_NOTCH = 3, LONGEST_REPORT = 24 };

static void wheel(struct ui *u, bool up)
{
	struct conversation *c = ui_conversation(u);
	size_t *at = u->screen == SCREEN_CHAT ? &c->scroll : u->screen == SCREEN_REVIEW ? &u->top : &u->pick;

	/* scrolling back is up in the chat; in a list up is toward its first */
	if (up == (u->screen == SCREEN_CHAT))
		*at += LINES_A_NOTCH;      /* drawing bounds it */
	else
		*at -= *at > LINES_A_NOTCH ? LINES_A_NOTCH : *at;
	u->dirty = true;
}

/* Length of the report that s begins with; 0: none; n + 1: it may become one. */
static size_t report(const char *s, size_t n, int *button)
{
	static const char head[] = "\033[<";
	size_t i = sizeof(head) - 1;

	if (memcmp(s, head, n < i ? n : i) != 0)
		return 0;
	if (n < i)
		return n < 2 ? 0 : n + 1;      /* Escape alone is a key */
	*button = 0;
	for (int fields = 0; i < n && i < LONGEST_REPORT; i++) {
		if (s[i] >= '0' && s[i] <= '9') {
			if (fields == 0 && *button < 10000)
				*button = *button * 10 + s[i] - '0';
		} else if (s[i] == ';' && fields < 2) {
			fields++;
		} else {
			return (s[i] == 'M' || s[i] == 'm') && fields == 2 ? i + 1 : 0;
		}
	}
	return i < LONGEST_REPORT ? n + 1 : 0;
}

size_t mouse_take(struct ui *u, char *buf, size_t n, size_t size)
{
	static char rest[LONGEST_REPORT];      /* a report that was cut by the end of what was read */
	static size_t rest_length;
	size_t out = 0;

	if (!term_mouse())
		return n;
	if (rest_length > 0 && n + rest_length <= size) {
		memmove(buf + rest_length, buf, n);
		memcpy(buf, rest, rest_length);
		n += rest_length;
	}
	rest_length = 0;
	for (size_t i = 0; i < n;) {
		int button = 0;
		/* what is pasted is text, whatever it holds */
		const bool paste = input_pasting() || (n - i >= 6 && memcmp(buf + i, "\033[200~", 6) == 0);
		const size_t r = paste ? 0 : report(buf + i, n - i, &button);

		if (paste) {
			memmove(buf + out, buf + i, n - i);
			return out + n - i;
		}
		if (r > n - i) {
			rest_length = n - i;
			memcpy(rest, buf + i, rest_length);
			break;
		}
		if (r > 0 && (button & ~0x1c) == 64 + (button & 1) && buf[i + r - 1] == 'M')      /* 64 up, 65 down; Shift and such add 4 to 28 */
			wheel(u, (button & 1) == 0);
		i += r;
		if (r == 0)
			buf[out++] = buf[i++];
	}
	return out;
}
