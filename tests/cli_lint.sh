#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# cli_lint.sh: every rule of tests/lint.sh bites, and lets pass what it should.
set -u
lint=$(cd "$(dirname "$0")" && pwd)/lint.sh
T=$(mktemp -d) || exit 1
trap 'rm -rf "$T"' EXIT
failed=0
spdx='/* SPDX-License-Identifier: GPL-3.0-or-later */'

fresh() {
	rm -rf "$T/tree"
	mkdir -p "$T/tree/src/base" "$T/tree/model" "$T/tree/ui" "$T/tree/tests" "$T/tree/data"
	for f in src/base/mem.h src/app.h src/store.h model/lstm.h ui/draw.h; do
		echo "$spdx" >"$T/tree/$f"
	done
}

# result NAME WANTED-EXIT PART
result() {
	out=$(sh "$lint" "$T/tree" 2>&1)
	if [ $? = "$2" ] && { [ -z "$3" ] || echo "$out" | grep -qF "$3"; }; then
		echo "ok - $1"
	else
		echo "not ok - $1"
		echo "$out" | sed 's/^/# /'
		failed=1
	fi
}

# allowed FILE LINE, refused FILE LINE PART
allowed() {
	fresh
	printf '%s\n%s\n' "$spdx" "$2" >"$T/tree/$1"
	result "$1 may: $2" 0 ''
}
refused() {
	fresh
	printf '%s\n%s\n' "$spdx" "$2" >"$T/tree/$1"
	result "$1 may not: $2" 1 "$1"
}

fresh
result 'a clean tree' 0 ''
allowed model/kernels_plain.c '#include <cblas.h>'
refused model/lstm.c '#include <cblas.h>'
refused model/lstm.c '  # include "openblas/cblas.h"'
refused src/app.c 'openblas_set_num_threads(1);'
allowed src/store_log.c '#include <sqlite3.h>'
refused src/app.c '#include <sqlite3.h>'
refused src/store.h '#include <sqlite3.h>'
refused ui/ui.c '#include <sqlite3.h>'
allowed ui/ui.c '#include <ncursesw/curses.h>'
allowed ui/ui.c '#include <ncurses.h>'
refused src/app.c '#include <curses.h>'
refused model/lstm.c '#include <ncursesw/ncurses.h>'
allowed ui/input_keys.c '#include <readline/readline.h>'
refused ui/ui.c '#include <readline/history.h>'
refused src/app.c '#include <readline/readline.h>'
allowed model/lstm.c '#include "../src/base/mem.h"'
refused model/lstm.c '#include "../src/app.h"'
refused model/lstm.c '#include "../src/base/../app.h"'
refused model/lstm.c '#include "app.h"'
refused model/lstm.c '#include "../ui/draw.h"'
refused model/lstm.c '#include "draw.h"'
allowed src/app.c '#include "../model/lstm.h"'
refused src/app.c '#include "../ui/draw.h"'
allowed src/main.c '#include "../ui/draw.h"'
allowed src/base/mem.c '#include "mem.h"'
refused src/base/mem.c '#include "../app.h"'
refused src/base/mem.c '#include "../../model/lstm.h"'
refused src/base/mem.c '#include "lstm.h"'
allowed ui/ui.c '#include "app.h"'
allowed ui/ui.c '#include "draw.h"'
refused ui/ui.c '#include "store.h"'
refused ui/ui.c '#include "../src/store.h"'
refused ui/ui.c '#include "../model/lstm.h"'
refused ui/ui.c '#include "lstm.h"'
allowed tests/test_x.c '#include "../model/lstm.h"'
# the name is put together here, so that this file does not break the rule itself
refused data/notes.txt "see /$(echo root)/notes"

fresh
echo 'int x;' >"$T/tree/src/app.c"
result 'a missing licence line' 1 src/app.c
fresh
{ echo "$spdx"; yes '' | head -n 800; } >"$T/tree/src/app.c"
result '801 lines' 1 src/app.c
fresh
{ echo "$spdx"; yes '' | head -n 799; } >"$T/tree/src/app.c"
result '800 lines' 0 ''
exit $failed
