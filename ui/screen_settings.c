/* SPDX-License-Identifier: GPL-3.0-or-later */
/* screen_settings: every setting, its value and where that came from; Enter changes the one picked, in the file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "config.h"
#include "ui_private.h"

static void draw(struct ui *u, int rows, int columns)
{
	const int list = rows > 3 ? rows - 2 : rows;      /* the last two lines tell of the one picked */
	const int value_width = columns > 70 ? columns - 44 : 26;

	draw_list_bounds(u, CONFIG_COUNT, list);
	for (int y = 0; y < list && u->top + (size_t)y < CONFIG_COUNT; y++) {
		const enum config_id id = (enum config_id)(u->top + (size_t)y);
		const char *value = config_text(id);
		char *safe = text_safe(value ? value : "-", strlen(value ? value : "-"), term_ascii());
		const enum term_style style = u->top + (size_t)y == u->pick ? STYLE_PICK : config_source(id) == CONFIG_DEFAULT ? STYLE_PLAIN :
			STYLE_BOLD;

		draw_line(1 + y, 0, columns, style, "%-16s %-*s", config_settings[id].name, columns - 17, "");
		draw_text(1 + y, 17, value_width - 1, safe, strlen(safe), style);
		draw_line(1 + y, 17 + value_width, columns - 17 - value_width, style, "%s", config_origin(id));
		free(safe);
	}
	if (list < rows) {
		const enum config_id id = (enum config_id)u->pick;

		draw_rule(rows - 1, columns, NULL);
		draw_line(rows, 0, columns, STYLE_DIM, "%s%s%s", config_settings[id].help, config_settings[id].values ? ": " : "",
		          config_settings[id].values ? config_settings[id].values : "");
	}
}

/* What counts at once; the others are read when the program starts. */
static void take_effect(struct ui *u, enum config_id id)
{
	switch (id) {
	case CONFIG_GHOST:
		u->ghost_on = strcmp(config_text(id), "off") != 0;
		break;
	case CONFIG_ASSIST:
		u->assist = config_yes(id);
		break;
	case CONFIG_COLOR:
	case CONFIG_ASCII:
	case CONFIG_MOUSE:
		term_settings();
		break;
	case CONFIG_COMPANY:
	case CONFIG_MODEL:
	case CONFIG_DATA_DIR:
	case CONFIG_PRIVATE:
	case CONFIG_SEND_COMMAND:
	case CONFIG_INBOX:
		ui_note(u, "%s: kept, and counts from the next start on", config_settings[id].name);
		return;
	default:
		break;
	}
	ui_note(u, "%s = %s", config_settings[id].name, config_text(id) ? config_text(id) : "");
}

static void change(struct ui *u, enum config_id id, const char *value)
{
	struct err e = ERR_INIT;

	if (config_set(id, value, &e) < 0)
		ui_note(u, "%s", e.msg);
	else if (config_source(id) > CONFIG_FILE)
		ui_note(u, "kept, but %s comes first", config_origin(id));
	else
		take_effect(u, id);
	u->dirty = true;
}

void ui_set(struct ui *u, const char *rest)
{
	const size_t n = strcspn(rest, " \n"), blanks = strspn(rest + n, " \n");
	char *name = xmemdup(rest, n), *value = xstrdup(rest + n + blanks);
	struct err e = ERR_INIT;
	enum config_id id;

	for (size_t end = strlen(value); end > 0 && strchr(" \n", value[end - 1]); end--)
		value[end - 1] = '\0';
	if (n == 0)
		ui_note(u, "/set NAME VALUE; C-x s shows the settings");
	else if (config_find(name, &id, &e) < 0)
		ui_note(u, "%s", e.msg);
	else
		change(u, id, *value ? value : NULL);      /* without a value: as it is by default */
	free(name);
	free(value);
}

/* The value after this one, of those there are to choose from. */
static char *next_choice(enum config_id id)
{
	const char *values = config_settings[id].values, *p = values;

	for (int i = config_choice(id); i >= 0 && *p; i--)
		p += strcspn(p, "|") + (strchr(p, '|') != NULL);
	if (!*p)
		p = values;
	return xmemdup(p, strcspn(p, "|"));
}

static bool key(struct ui *u, int k)
{
	const enum config_id id = (enum config_id)u->pick;
	const char *value = config_text(id);

	if (u->pick >= CONFIG_COUNT || (k != '\r' && k != 'd'))
		return false;
	if (k == 'd') {
		change(u, id, NULL);
	} else if (config_settings[id].kind == CONFIG_KIND_YES_NO) {
		change(u, id, config_yes(id) ? "no" : "yes");
	} else if (config_settings[id].kind == CONFIG_KIND_CHOICE) {
		char *next = next_choice(id);

		change(u, id, next);
		free(next);
	} else {      /* the line is begun for it, with what is set now */
		struct str line = STR_INIT;

		str_addf(&line, "/set %s %s", config_settings[id].name, value ? value : "");
		ui_show(u, SCREEN_CHAT);
		input_set(line.s);
		str_free(&line);
	}
	return true;
}

const struct screen screen_settings = {
	.title = "settings", .draw = draw, .key = key, .hint = "Enter changes it, d: back to the default; q goes back"
};
