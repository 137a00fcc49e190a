/* SPDX-License-Identifier: GPL-3.0-or-later */
/* answerback redact: show what would be hidden from the model, in a pipe. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/utf8.h"
#include "cli.h"
#include "commands.h"
#include "redact.h"

static const struct cli_option options[] = {
	CLI_OPTION_JSON,
	{ "company", 'c', "NAME", CLI_STRING, "replace this company's name too", 0, 0 },
	{ "conversation", 0, NULL, CLI_FLAG, "all lines are one conversation: the same value keeps its number", 0, 0 },
	CLI_OPTION_END
};

/* JSON can carry only UTF-8: a byte that is none becomes U+FFFD. */
static void add_json_string(struct str *out, const char *s, size_t n)
{
	str_addc(out, '"');
	for (size_t i = 0; i < n;) {
		int32_t cp;
		char enc[4];
		size_t used = utf8_decode(s + i, n - i, &cp);

		if (cp == '"' || cp == '\\')
			str_addf(out, "\\%c", (char)cp);
		else if (cp < 0x20 || cp == 0x7f)
			str_addf(out, "\\u%04x", (unsigned)cp);
		else
			str_add(out, enc, utf8_encode(cp, enc));
		i += used;
	}
	str_addc(out, '"');
}

static void print_text(struct redact_map *m, const char *s, size_t n, bool json)
{
	struct str text = STR_INIT, list = STR_INIT, line = STR_INIT;
	struct redact_spans spans = { 0 };
	size_t at = 0;

	redact_find(m, s, n, &spans);
	for (size_t i = 0; i < spans.n; i++) {
		const struct redact_span *sp = &spans.v[i];

		str_add(&text, s + at, sp->start - at);
		str_addf(&text, "<%s_%u>", redact_type_name(sp->type), sp->index);
		at = sp->end;
		str_addf(&list, "%s{\"type\": \"%s\", \"value\": ", i ? ", " : "", redact_type_name(sp->type));
		add_json_string(&list, s + sp->start, sp->end - sp->start);
		str_addf(&list, ", \"start\": %zu, \"end\": %zu}", sp->start, sp->end);
	}
	str_add(&text, s + at, n - at);
	if (json) {
		str_adds(&line, "{\"text\": ");
		add_json_string(&line, text.s, text.len);
		str_adds(&line, ", \"spans\": [");
		str_add(&line, list.s, list.len);
		str_adds(&line, "]}");
	} else {
		str_add(&line, text.s, text.len);
	}
	fwrite(line.s, 1, line.len, stdout);
	putchar('\n');
	redact_spans_free(&spans);
	str_free(&line);
	str_free(&list);
	str_free(&text);
}

static int run(struct cli_args *a)
{
	const char *company = cli_string(a, "company", NULL);
	bool json = cli_flag(a, "json"), together = cli_flag(a, "conversation");
	struct redact_map *m = redact_map_new(company);
	struct str line = STR_INIT;

	if (a->n > 0 && !(a->n == 1 && strcmp(a->operands[0], "-") == 0)) {
		for (size_t i = 0; i < a->n; i++)
			str_addf(&line, "%s%s", i ? " " : "", a->operands[i]);
		print_text(m, line.s, line.len, json);
	} else {
		while (str_readline(&line, stdin)) {
			print_text(m, line.s, line.len, json);
			fflush(stdout);
			if (!together) {
				redact_map_free(m);
				m = redact_map_new(company);
			}
		}
	}
	str_free(&line);
	redact_map_free(m);
	return ferror(stdin) ? cli_error("standard input: cannot read") : CLI_OK;
}

const struct cli_command cmd_redact = {
	"redact", "replace personal data and codes by placeholders", "[OPTION...] [TEXT | -]", options, run,
	"Each line of standard input is a text of its own, numbered from 1; with --conversation the\n"
	"numbers go on from line to line. With --json: one object a text, {\"text\", \"spans\": [{\"type\",\n"
	"\"value\", \"start\", \"end\"}]}, where start and end are byte offsets into the input line.\n"
	"Types: order tracking email phone card iban url number, and company with --company.\n"
	"Names of persons and postal addresses are not found."
};
