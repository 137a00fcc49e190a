/* SPDX-License-Identifier: GPL-3.0-or-later */
/* screen_settings: what is set, and where that came from. */
#include <stdlib.h>
#include <string.h>

#include "ui_private.h"

static void draw(struct ui *u, int rows, int columns)
{
	const char *data = getenv("ANSWERBACK_DATA_DIR"), *company = getenv("ANSWERBACK_COMPANY");
	const struct {
		const char *name, *value, *from;
	} set[] = {
		{ "model", *u->model ? u->model : "loading", u->o.model ? "--model" : "models" },
		{ "company", u->o.company ? u->o.company : "(not set)", !u->o.company ? "default" :
		  company && strcmp(company, u->o.company) == 0 ? "ANSWERBACK_COMPANY" : "--company" },
		{ "role", u->assist ? "agent (assist)" : "customer (chat)", "/assist, /chat" },
		{ "grey text", u->ghost_on ? "on" : "off", "M-s" },
		{ "send command", u->o.send_command ? u->o.send_command : "(none)", u->o.send_command ? "--send-command" : "default" },
		{ "inbox", u->o.inbox ? u->o.inbox : "(none)", u->o.inbox ? "--inbox" : "default" },
		{ "kept", app_private(u->app) ? "nothing (private)" : "everything", app_private(u->app) ? "--private" : "default" },
		{ "data folder", data ? data : "~/.local/share/answerback", data ? "--data-dir, ANSWERBACK_DATA_DIR" : "default" },
		{ "characters", term_ascii() ? "ASCII" : "UTF-8", "terminal, --ascii" },
		{ "editing", *input_mode() ? "vi" : "emacs", "~/.inputrc" },
	};
	const size_t n = sizeof(set) / sizeof(set[0]);

	draw_list_bounds(u, n, rows);
	for (int y = 0; y < rows && u->top + (size_t)y < n; y++) {
		const size_t i = u->top + (size_t)y;

		draw_line(1 + y, 0, columns, i == u->pick ? STYLE_PICK : STYLE_PLAIN, "%-14s %-30s %s", set[i].name, set[i].value, set[i].from);
	}
}

const struct screen screen_settings = { .title = "settings", .draw = draw, .hint = "q goes back" };
